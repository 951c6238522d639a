//! Reading the log of a device: what an ExecuTorch runner printed on a UART, a
//! console or Android's logcat.
//!
//! ```text
//! bytes -> Line     prefixes, cut and interleaved lines     line.rs
//!       -> Message  what a line says, old wording and new   message.rs, pattern.rs,
//!                   sentences that end in a status           status.rs
//!       -> Run      how far a runner came, with its numbers run.rs, stage.rs,
//!                   and how often it executed             executions.rs
//!          Crash    registers and words of a fault handler  crash.rs
//! ```
//!
//! The wordings are those of ExecuTorch's runners (`examples/arm/executor_runner`
//! of 2024 and of today, `examples/portable/executor_runner`, Zephyr's sample)
//! and of its runtime.

mod crash;
mod executions;
mod line;
mod message;
mod pattern;
mod run;
mod stage;
mod status;

pub use crash::{Crash, Register};
pub use executions::Executions;
pub use line::{Level, Line, lines};
pub use message::{Counter, Measure, Message, TraceBuffer, message};
pub use run::{AllocationFailure, Assert, Failure, Measured, Planned, PrintedOutput, Quote, Run};
pub use stage::Stage;

/// A log, split into the runs of the program that wrote it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// One for each start of the runner, in order.
    pub runs: Vec<Run>,
    /// Lines in the log.
    pub lines: usize,
}

impl Log {
    /// Reads a log. Any bytes are a log: what says nothing known is skipped.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut log = Log::default();
        let mut run = Run::default();
        for line in lines(&text) {
            log.lines = line.number;
            let message = message(&line);
            if message.as_ref().is_some_and(|m| run.ends_before(m)) {
                log.runs.push(std::mem::take(&mut run));
            }
            run.read(&line, message);
        }
        if run.says_something() || log.runs.is_empty() {
            log.runs.push(run);
        }
        log
    }

    /// The run that the log ends with.
    pub fn last(&self) -> Option<&Run> {
        self.runs.last()
    }
}

#[cfg(test)]
mod tests;
