//! What went wrong on a device, from whatever it left behind.
//!
//! [`diagnose`] joins the program with a log, a trace and a board, and says in
//! one sentence how far the device came and what stopped it, with findings and
//! ranked candidates behind it.
//!
//! ```text
//! Evidence -> loading.rs     steps that failed before the execution
//!             pools.rs       pools that ran out or are too small
//!             runner.rs      the runner of the log, and its settings
//!             same_program.rs  whether the log is of the program
//!             execution.rs   the instruction in flight, candidates
//!             fault.rs       fault status registers, in words
//!             address.rs     what lies at an address
//!             restarts.rs    starts of the board before, and what ended them
//!             said.rs        what the log says before a failure
//!             npu.rs         Ethos-U against the board
//!             outcome.rs     assertions, signals, outputs, counters at the end
//!             firmware.rs    pools and stack of the firmware's image
//!             journal.rs     the instruction in flight for sure, allocators, faults
//!             pace.rs        slow or hung
//!             board.rs       the journal's clock, restarts, an allocator that grows
//!             trace.rs       clocks, growth
//!          -> Diagnosis
//! ```

mod address;
mod board;
mod candidates;
mod execution;
mod fault;
mod firmware;
mod in_flight;
mod journal;
mod loading;
mod npu;
mod outcome;
mod pace;
mod pools;
mod restarts;
mod runner;
mod said;
mod same_program;
mod trace;
mod verdict;
mod work;

pub use address::{AddressMap, NoSymbols, Symbol, Symbols};
pub use candidates::{Candidate, Likelihood};
pub use fault::{FaultBit, fault_bits};
pub use firmware::Stack;
pub use in_flight::{Argument, InFlight};
pub use journal::in_flight as in_flight_of_journal;
pub use pace::Pace;
pub use verdict::{Confidence, Verdict};
pub use work::{multiply_accumulates, operations};

use crate::findings::{Code, Finding, Severity, board_differs, does_not_fit};
use crate::log::{Log, Run, Stage};
use crate::memory::MethodMemory;
use crate::memory::measured::{BoardComparison, BoardNumbers};
use crate::target::{Fit, Needs, Target};
use et_schema::ReadError;
use et_schema::etdump::File as Trace;
use et_schema::layout::Abi;
use et_schema::pte::{File, Method};
use etdump::journal::Snapshot;
use std::cell::OnceCell;

/// What is left of a run on a device.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The program.
    pub file: &'a File<'a>,
    /// The method that ran.
    pub method: Method<'a>,
    /// The board's ABI.
    pub abi: Abi,
    /// The board.
    pub target: Option<&'a Target>,
    /// What it printed.
    pub log: Option<&'a Log>,
    /// Its journal.
    pub journal: Option<&'a Snapshot>,
    /// Its trace.
    pub trace: Option<&'a Trace<'a>>,
    /// Symbols of the firmware, or [`NoSymbols`].
    pub symbols: &'a dyn Symbols,
}

/// What is concluded.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The one sentence.
    pub verdict: Verdict,
    /// How far the device came; `None` without a log.
    pub reached: Option<Stage>,
    /// The instruction that never ended, if one was executing.
    pub in_flight: Option<InFlight>,
    /// What may have stopped it, the most probable first.
    pub candidates: Vec<Candidate>,
    /// What the device measured, beside the prediction.
    pub measured: Option<BoardComparison>,
    /// Findings, the most severe first.
    pub findings: Vec<Finding>,
}

/// Everything that the rules look at.
struct Case<'a> {
    evidence: Evidence<'a>,
    memory: MethodMemory<'a>,
    /// The run that the log ends with.
    run: Option<&'a Run>,
    addresses: AddressMap<'a>,
    /// What `run` tells that the program cannot do.
    contradiction: OnceCell<Option<String>>,
}

/// Diagnoses `evidence`.
///
/// # Errors
/// An index in the program that points nowhere.
pub fn diagnose(evidence: Evidence<'_>) -> Result<Diagnosis, ReadError> {
    let memory = MethodMemory::new(evidence.file, evidence.method, evidence.abi)?;
    let run = evidence.log.and_then(telling_run);
    let addresses = AddressMap::new(&evidence, run);
    let contradiction = OnceCell::new();
    let case = Case { evidence, memory, run, addresses, contradiction };
    let mut findings = loading::findings(&case);
    if let Some(run) = run {
        findings.retain(|finding| !npu::explains(run, finding));
        findings = said::quote(run, findings);
    }
    let mut execution = execution::look(&case);
    if let Some(journal) = evidence.journal {
        let known = journal::look(&case, journal);
        // A journal knows the instruction; what a log can say of it is a guess.
        execution.findings.retain(|f| f.code != Code::Hang || known.findings.is_empty());
        execution.findings.extend(known.findings);
        execution.in_flight = known.in_flight.or(execution.in_flight);
    }
    findings.extend(restarts::findings(&case));
    findings.extend(execution.findings);
    findings.extend(npu::findings(&case));
    findings.extend(outcome::findings(&case));
    findings.extend(firmware::findings(&case));
    if let Some(trace) = evidence.trace {
        findings.extend(trace::findings(trace, evidence.file, &evidence.method));
    }
    findings.extend(case.memory.findings.iter().cloned());
    if let Some(target) = evidence.target {
        let needs = Needs::of(&case.memory, evidence.file.bytes().len() as u64);
        findings.extend(does_not_fit(target, &Fit::new(&needs, target)));
    }
    let measured = run.map(BoardNumbers::of).filter(|numbers| numbers.loaded.is_some());
    let measured = measured
        .map(|numbers| BoardComparison::new(evidence.file, &case.memory, &numbers))
        .transpose()?;
    if let Some(comparison) = measured.as_ref().filter(|_| same_program::is_of_given_program(&case))
    {
        findings.extend(board_differs(comparison));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.code.page().severity));
    let verdict =
        verdict::of(&case, &findings, execution.in_flight.as_ref(), &execution.candidates);
    Ok(Diagnosis {
        measured,
        verdict,
        reached: run.map(|run| run.stage),
        in_flight: execution.in_flight,
        candidates: execution.candidates,
        findings,
    })
}

/// The run that tells most: the last one that ended, or of those after it the
/// one that came furthest. A board that restarts for ever is often cut off at
/// the beginning of its last run.
fn telling_run(log: &Log) -> Option<&Run> {
    let ended = log.runs.iter().rposition(|run| run.stage >= Stage::Executed);
    let open = &log.runs[ended.map_or(0, |index| index + 1)..];
    open.iter().max_by_key(|run| run.stage).or_else(|| log.runs.last())
}

impl Diagnosis {
    /// The worst severity among the findings.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.code.page().severity).max()
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_pools;
