//! One run of a runner, as its log tells it.

use super::crash::Crash;
use super::executions::Executions;
use super::line::Line;
use super::message::{Counter, Measure, Message, TraceBuffer};
use super::stage::Stage;
use super::status;

/// How the Arm runner of release 0.5 says that it has the program.
const OLD_WORDING: &str = "Model PTE file loaded.";

/// Size that the Arm runner prints for a program at a fixed address
/// (`ET_MODEL_PTE_ADDR`), of which it does not know the size.
const UNKNOWN_BYTES: u64 = 0x1000_0000;

/// Alignment of buffers for a trace: the most that an allocation is larger than its buffer.
const BUFFER_ALIGN: u64 = 16;

/// How the runner of Zephyr's sample is told from the Arm runner: by the boot banner.
const ZEPHYR: &str = "*** Booting Zephyr OS";

/// How boot ROM and runner of Espressif's chips are known.
const ESPRESSIF: [&str; 3] = ["ESP-ROM:", "rst:0x", "ESP free heap:"];

/// A line that stands for something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Its number in the log, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// Its time in microseconds, where it has one.
    pub micros: Option<u64>,
}

impl Quote {
    fn of(line: &Line) -> Self {
        Quote { line: line.number, text: line.text.clone(), micros: line.micros }
    }
}

/// An allocation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationFailure {
    /// Bytes asked for, with padding.
    pub requested: u64,
    /// Bytes left in the allocator.
    pub available: u64,
    /// Stage before it.
    pub after: Stage,
    /// The buffer that it was for, where the runner says so.
    pub buffer: Option<TraceBuffer>,
    /// Line in the log.
    pub line: usize,
}

/// A planned buffer that the runner set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The runner's number for it: an index from 0, or the memory id.
    pub number: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Something that failed with a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed: `program`, `load`, `inputs`, `execute`, or a name.
    pub what: String,
    /// ExecuTorch's code.
    pub code: u64,
    /// Where in the program, if the line says so.
    pub at: Option<(u64, u64)>,
    /// Operator, if the line says so.
    pub operator: Option<String>,
    /// Line in the log.
    pub line: usize,
    /// Errors that were logged before it, since the last stage.
    pub said: Vec<Quote>,
}

/// An assertion that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assert {
    /// Function.
    pub function: String,
    /// Condition or message.
    pub condition: String,
    /// Line in the log.
    pub line: usize,
}

/// A number of the memory block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What is measured.
    pub what: Measure,
    /// Bytes.
    pub bytes: u64,
    /// Size of the pool, where the line has it.
    pub pool: Option<u64>,
}

/// What was printed of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedOutput {
    /// Number of the output.
    pub number: u64,
    /// Elements that were printed.
    pub elements: u64,
    /// The first of them, as it was printed.
    pub first: String,
    /// Whether all are the same.
    pub same: bool,
    /// The first element that is no finite number.
    pub not_finite: Option<u64>,
}

/// Lines of errors that are kept for the failure that they lead to.
const SAID: usize = 4;

/// Statuses of outputs that differ: verify_method_outputs returns NotFound,
/// and some runners print it in decimal behind `0x`.
const DIFFERS: [u64; 2] = [0x20, 0x32];

/// One run of a runner.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How far it came.
    pub stage: Stage,
    /// The line that shows it.
    pub reached: Quote,
    /// The last line of the run that is not empty.
    pub last: Quote,
    /// Microseconds of the first and the last line that have a time.
    pub times: Option<(u64, u64)>,
    /// Method.
    pub method: Option<String>,
    /// Address of the program.
    pub program_address: Option<u64>,
    /// Bytes of the program.
    pub program_bytes: Option<u64>,
    /// Whether the wording is that of the runner of release 0.5 and before.
    pub old_runner: bool,
    /// Whether Zephyr's boot banner is there.
    pub zephyr: bool,
    /// Whether lines of Espressif's ROM or runner are there.
    pub espressif: bool,
    /// Whether planned buffers are counted from 0, instead of named by memory id.
    pub counts_buffers: bool,
    /// Pool of the method allocator.
    pub method_pool: Option<u64>,
    /// Pool of planned buffers in fast memory.
    pub fast_pool: Option<u64>,
    /// Planned buffers.
    pub planned: Vec<Planned>,
    /// Allocations that failed.
    pub allocation_failures: Vec<AllocationFailure>,
    /// Planned tensors outside their buffer: offset, bytes, size, memory id.
    pub outside_buffer: Vec<(u64, u64, u64, u64)>,
    /// What failed with a status.
    pub failures: Vec<Failure>,
    /// Operators without a kernel: index and name.
    pub missing_operators: Vec<(u64, String)>,
    /// Backends that are not there.
    pub missing_backends: Vec<String>,
    /// Assertions that failed.
    pub asserts: Vec<Assert>,
    /// Where execution passed the instruction limit.
    pub endless: Option<(u64, u64)>,
    /// The Ethos-U driver's own error.
    pub npu_error: Option<i64>,
    /// What the driver had said before.
    pub npu_said: Vec<Quote>,
    /// Where the outputs were found to be others than the bundle's.
    pub outputs_differ: Option<Quote>,
    /// Errors without a status since the last stage.
    said: Vec<Quote>,
    /// Program data at an address that is not aligned: address, alignment.
    pub unaligned: Option<(u64, u64)>,
    /// Inferences that were to be run.
    pub inferences: Option<u64>,
    /// Executions that ended.
    pub executions: Executions,
    /// Whether a line of the loading came after the execution began: what
    /// executes next may then follow a start of the board that shows no other way.
    loaded_again: bool,
    /// Numbers of the memory block.
    pub measured: Vec<Measured>,
    /// Counters of the performance block, in order.
    pub counters: Vec<(Counter, u64)>,
    /// Outputs that were printed.
    pub outputs: Vec<PrintedOutput>,
    /// Stack of the thread: bytes used, size.
    pub stack: Option<(u64, u64)>,
    /// What a fault handler printed.
    pub crash: Crash,
    /// Line where a watchdog reset shows.
    pub watchdog: Option<usize>,
    /// Line where a watchdog complains that may or may not reset the board.
    pub barked: Option<usize>,
    /// Line where the heap ran out.
    pub heap: Option<Quote>,
    /// Line where a reset by the supply's voltage shows.
    pub brown_out: Option<usize>,
    /// Line where a simulator gave up.
    pub timed_out: Option<usize>,
    /// How the process was ended.
    pub killed: Option<Quote>,
    /// Whether the log ends within a line.
    pub cut: bool,
}

impl Run {
    /// Whether `message` belongs to a new start of the board: the run had
    /// come further, and this is a line of its beginning.
    pub(super) fn ends_before(&self, message: &Message) -> bool {
        let stage = match message {
            Message::Reached(stage @ Stage::Started) => *stage,
            Message::ProgramAt(_) => Stage::ProgramFound,
            Message::ProgramLoaded(_) => Stage::ProgramLoaded,
            Message::ProgramRead(_) => Stage::ProgramRead,
            Message::Watchdog | Message::BrownOut => {
                let known = self.watchdog.or(self.brown_out);
                return self.stage > Stage::Started && known.is_none();
            }
            _ => return false,
        };
        self.stage > stage.max(Stage::ProgramRead)
    }

    pub(super) fn says_something(&self) -> bool {
        self.stage > Stage::Silent || !self.crash.is_empty() || self.last != Quote::default()
    }

    /// Takes in a line.
    pub(super) fn read(&mut self, line: &Line, message: Option<Message>) {
        self.last = Quote::of(line);
        self.old_runner |= line.text.starts_with(OLD_WORDING);
        self.zephyr |= line.text.starts_with(ZEPHYR);
        self.espressif |= ESPRESSIF.iter().any(|text| line.text.starts_with(text))
            || line.source.as_ref().is_some_and(|(file, _)| file.starts_with("esp_"));
        self.counts_buffers |=
            line.text.starts_with("Setting up planned buffer ") && !line.text.contains("mem_id=");
        self.cut = line.last;
        if let Some(micros) = line.micros {
            let first = self.times.map_or(micros, |(first, _)| first);
            self.times = Some((first, micros));
        }
        let of_crash = message.is_none() && self.crash.read(line);
        if message.is_none() && !of_crash && line.is_error() && self.said.len() < SAID {
            self.said.push(Quote::of(line));
        }
        if let Some(message) = message {
            self.take(line, message);
        }
    }

    fn reach(&mut self, stage: Stage, line: &Line) {
        // A runner that loops prepares inputs again; everything else of the
        // loading happens once.
        let again = matches!(stage, Stage::PreparingInputs | Stage::InputsReady)
            && self.stage >= Stage::Executing;
        if stage >= self.stage || again {
            let over = self.stage == Stage::Executing && stage > Stage::Executing;
            if over && !self.failed_since(self.reached.line) {
                self.executions.end(None);
            }
            self.stage = stage;
            self.reached = Quote::of(line);
            self.said.clear();
        } else if self.stage >= Stage::Executing {
            self.loaded_again = true;
        }
    }

    /// A line that says that `count` executions begin.
    fn begin(&mut self, count: Option<u64>, line: &Line) {
        let failed = self.failed_since(self.reached.line);
        // One begins after another on one thread: the other ended.
        if self.stage == Stage::Executing && !failed && !self.loaded_again {
            self.executions.end(None);
        }
        self.executions.begin(count);
        self.execute(line);
    }

    /// A line that comes within an execution, of the first or of a later loop.
    fn execute(&mut self, line: &Line) {
        self.stage = Stage::Executing;
        self.reached = Quote::of(line);
        self.said.clear();
        self.loaded_again = false;
    }

    /// Whether something failed at or after a line.
    fn failed_since(&self, line: usize) -> bool {
        // They are in the order of their lines.
        self.failures.last().is_some_and(|failed| failed.line >= line)
            || self.allocation_failures.last().is_some_and(|failed| failed.line >= line)
            || self.asserts.last().is_some_and(|assert| assert.line >= line)
    }

    /// What had happened when the run fell silent, for people.
    pub fn happened(&self) -> String {
        let ended = self.executions.ended;
        let next = ended.saturating_add(1);
        match self.stage {
            stage if ended == 0 => stage.happened().to_owned(),
            Stage::PreparingInputs => format!("the inputs of execution {next} were being prepared"),
            Stage::InputsReady => format!("the inputs of execution {next} were ready"),
            Stage::Executing => format!("execution {next} began after {ended} had ended"),
            stage => stage.happened().to_owned(),
        }
    }

    /// A line that comes when an execution is over. Some runners print such
    /// numbers at other times as well.
    fn after(&mut self, stage: Stage, line: &Line) {
        if self.stage >= Stage::Executing || stage > Stage::Executed {
            self.reach(stage, line);
        }
    }

    fn output(&mut self, number: u64, text: String) {
        let finite = text.parse::<f64>().map_or(true, f64::is_finite);
        let at = self.outputs.iter().position(|output| output.number == number);
        let index = at.unwrap_or_else(|| {
            let first = text.clone();
            let output = PrintedOutput { number, elements: 0, first, same: true, not_finite: None };
            self.outputs.push(output);
            self.outputs.len() - 1
        });
        let output = &mut self.outputs[index];
        output.same &= output.first == text;
        if !finite {
            output.not_finite.get_or_insert(output.elements);
        }
        output.elements += 1;
    }

    fn take(&mut self, line: &Line, message: Message) {
        match message {
            Message::Reached(stage) => self.reach(stage, line),
            Message::ProgramAt(address) => {
                self.program_address = Some(address);
                self.reach(Stage::ProgramFound, line);
            }
            Message::ProgramLoaded(bytes) => {
                self.program_bytes = (bytes != UNKNOWN_BYTES).then_some(bytes);
                self.reach(Stage::ProgramLoaded, line);
            }
            Message::ProgramRead(_) => self.reach(Stage::ProgramRead, line),
            Message::Method(name) => {
                self.method = Some(name);
                self.reach(Stage::MethodChosen, line);
            }
            Message::MethodPool(bytes) => {
                self.method_pool = Some(bytes);
                self.reach(Stage::PoolsReady, line);
            }
            Message::FastPool(bytes) => self.fast_pool = Some(bytes),
            Message::Planned(number, bytes) => {
                self.planned.push(Planned { number, bytes });
                self.reach(Stage::PlannedBuffersReady, line);
            }
            Message::Inferences(Stage::Executing, count) => {
                self.inferences = count.or(self.inferences);
                self.begin(count, line);
            }
            Message::Inferences(stage, count) => {
                self.inferences = count.or(self.inferences);
                self.reach(stage, line);
                self.executions.end(count);
            }
            Message::InferenceOf(index) => {
                self.executions.begin_of_loop(index);
                self.execute(line);
            }
            Message::Measured(what, bytes, pool) => {
                if what == Measure::Program {
                    self.program_bytes = self.program_bytes.or(Some(bytes));
                }
                self.measured.push(Measured { what, bytes, pool });
                self.after(Stage::Executed, line);
            }
            Message::Counted(counter, count) => {
                self.counters.push((counter, count));
                self.after(Stage::Executed, line);
            }
            Message::After(stage) => self.after(stage, line),
            Message::Output(number, text) => {
                self.output(number, text);
                self.after(Stage::OutputsPrinted, line);
            }
            other => self.fail(line, other),
        }
    }

    /// Something failed; what was said before belongs to the first that did.
    fn failed(&mut self, line: &Line, what: &str, code: u64) -> &mut Failure {
        self.failures.push(Failure {
            what: what.to_owned(),
            code,
            at: None,
            operator: None,
            line: line.number,
            said: std::mem::take(&mut self.said),
        });
        let last = self.failures.len() - 1;
        &mut self.failures[last]
    }

    fn fail(&mut self, line: &Line, message: Message) {
        match message {
            Message::AllocationFailed(requested, available) => {
                let after = self.stage;
                let line = line.number;
                let failure = AllocationFailure { requested, available, after, buffer: None, line };
                self.allocation_failures.push(failure);
            }
            Message::NoBuffer(buffer, bytes) => {
                let of_it = |failed: &&mut AllocationFailure| {
                    failed.buffer.is_none()
                        && failed.requested.checked_sub(bytes).is_some_and(|pad| pad < BUFFER_ALIGN)
                };
                if let Some(failed) = self.allocation_failures.last_mut().filter(of_it) {
                    failed.buffer = Some(buffer);
                }
            }
            Message::OutsideBuffer(offset, bytes, size, id) => {
                self.outside_buffer.push((offset, bytes, size, id));
            }
            Message::Failed { what, code } => {
                self.failed(line, &what, code);
            }
            Message::KernelFailed { chain, instruction, operator, code } => {
                let failed = self.failed(line, "kernel", code);
                failed.at = Some((chain, instruction));
                failed.operator = Some(operator);
            }
            Message::DelegateFailed(instruction, code) => {
                self.failed(line, "delegate", code).at = Some((0, instruction));
            }
            Message::OutputsDiffer => self.outputs_differ = Some(Quote::of(line)),
            Message::BundleFailed(code) if DIFFERS.contains(&code) => {
                self.outputs_differ.get_or_insert_with(|| Quote::of(line));
            }
            Message::BundleFailed(code) => {
                // The line before says that they differ for any status.
                self.outputs_differ = None;
                self.failed(line, "comparing the outputs with the bundle's", code);
            }
            Message::MissingOperator(index, name) => self.missing_operators.push((index, name)),
            Message::MissingBackend(name) => self.missing_backends.push(name),
            Message::Endless(chain, instruction) => self.endless = Some((chain, instruction)),
            Message::Assert(function, condition) => {
                // `(status == Error::Ok): Execution of method forward failed with status 0x23`
                if let Some(Message::Failed { what, code }) = status::message(&condition) {
                    self.failed(line, &what, code);
                }
                self.asserts.push(Assert { function, condition, line: line.number });
            }
            Message::NpuFailed(code) => {
                self.npu_error = Some(code);
                self.npu_said = std::mem::take(&mut self.said);
            }
            Message::Unaligned(address, align) => self.unaligned = Some((address, align)),
            Message::Stack(used, size) => self.stack = Some((used, size)),
            Message::Watchdog => self.watchdog = Some(line.number),
            Message::WatchdogBarked => self.barked = Some(line.number),
            Message::HeapExhausted => {
                self.heap.get_or_insert_with(|| Quote::of(line));
            }
            Message::BrownOut => self.brown_out = Some(line.number),
            Message::TimedOut => self.timed_out = Some(line.number),
            Message::Killed(_) => {
                self.crash.read(line);
                self.killed = Some(Quote::of(line));
            }
            _ => {}
        }
    }

    /// The bytes of a measured number.
    pub fn measure(&self, what: Measure) -> Option<Measured> {
        self.measured.iter().rev().find(|m| m.what == what).copied()
    }

    /// The failure of loading the method, if it failed.
    pub fn load_failure(&self) -> Option<&Failure> {
        self.failures.iter().find(|f| f.what == "load")
    }
}
