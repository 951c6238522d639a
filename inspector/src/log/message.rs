//! What one line of a log says.

use super::line::Line;
use super::pattern::{Fit, fit, hexadecimal, number};
use super::stage::Stage;
use super::status;

/// A measured number of the Arm runner's memory block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The program's bytes.
    Program,
    /// Used of the method allocator; comes with its size.
    MethodUsed,
    /// Part of it: planned buffers.
    MethodPlanned,
    /// Part of it: what loading the method took.
    MethodLoaded,
    /// Part of it: inputs.
    MethodInput,
    /// Part of it: execution.
    MethodExecutor,
    /// Used of the temp allocator; comes with its size.
    TempUsed,
    /// Size of the temp allocator.
    TempPool,
    /// Used of the pool of fast planned memory; comes with its size.
    PlannedFast,
    /// Used of the ETDump's output buffer; comes with its size.
    EtDump,
}

/// A counter of the Arm runner's performance block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Cycles of the CPU in all inferences.
    Inference,
    /// Cycles of the CPU in the delegate.
    Delegate,
    /// Cycles that the unit itself counted.
    Unit,
    /// Calls of the delegate.
    Delegations,
}

/// What runners take from the method allocator to record and print a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceBuffer {
    /// The debug buffer, in which values are recorded.
    Debug,
    /// The text that a trace or a debug buffer is printed as.
    Base64,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A stage is reached.
    Reached(Stage),
    /// The program's first address.
    ProgramAt(u64),
    /// The program's bytes.
    ProgramLoaded(u64),
    /// Number of methods.
    ProgramRead(Option<u64>),
    /// The method to run.
    Method(String),
    /// Size of the method allocator's pool.
    MethodPool(u64),
    /// Size of the pool for planned buffers in fast memory.
    FastPool(u64),
    /// A planned buffer: the number that the runner gives it, its bytes.
    Planned(u64, u64),
    /// An allocation failed: requested and available bytes.
    AllocationFailed(u64, u64),
    /// A buffer for a trace got no memory from the method allocator: which, its bytes.
    NoBuffer(TraceBuffer, u64),
    /// A planned tensor ends behind its buffer: offset, bytes, size of the buffer, memory id.
    OutsideBuffer(u64, u64, u64, u64),
    /// Something failed with a status.
    Failed {
        /// What: `load`, `execute`, `inputs`, or a name.
        what: String,
        /// ExecuTorch's code.
        code: u64,
    },
    /// A kernel failed.
    KernelFailed {
        /// Chain.
        chain: u64,
        /// Instruction.
        instruction: u64,
        /// Operator with overload.
        operator: String,
        /// ExecuTorch's code.
        code: u64,
    },
    /// A delegate failed at an instruction with a code.
    DelegateFailed(u64, u64),
    /// An operator has no kernel: its index and name.
    MissingOperator(u64, String),
    /// A backend is not there.
    MissingBackend(String),
    /// Execution passed the instruction limit, at chain and instruction.
    Endless(u64, u64),
    /// An assertion failed: function and condition.
    Assert(String, String),
    /// The Ethos-U driver failed with its own number.
    NpuFailed(i64),
    /// The program's data is not aligned: address and alignment.
    Unaligned(u64, u64),
    /// Execution of `n` inferences began or ended.
    Inferences(Stage, Option<u64>),
    /// A number of the memory block, with the pool's size where it says one.
    Measured(Measure, u64, Option<u64>),
    /// A counter of the performance block.
    Counted(Counter, u64),
    /// An element of an output: number of the output, its text.
    Output(u64, String),
    /// The outputs follow, or what was measured: execution is over.
    After(Stage),
    /// Stack of a thread: bytes used and its size.
    Stack(u64, u64),
    /// The board was reset by its watchdog.
    Watchdog,
    /// The board was reset as its supply fell.
    BrownOut,
    /// A simulator or test harness ended the run.
    TimedOut,
    /// The process was ended by a signal, or aborted.
    Killed(String),
    /// An inference of a loop begins: its number from 0.
    InferenceOf(u64),
    /// A watchdog was not fed; whether that resets the board depends on it.
    WatchdogBarked,
    /// The heap had no more memory.
    HeapExhausted,
    /// The outputs are not those of the bundle.
    OutputsDiffer,
    /// Comparing the outputs with the bundle's ended with a code.
    BundleFailed(u64),
}

/// Makes a message of the values of a pattern; `None` if they make no sense.
type Make = fn(&[&str]) -> Option<Message>;

/// Every wording, as pattern and meaning. The first that fits counts.
const WORDINGS: &[(&str, Make)] = &[
    ("BLINK", |_| Some(Message::Reached(Stage::Started))),
    ("*** Booting Zephyr OS{}", |_| Some(Message::Reached(Stage::Started))),
    ("Model in {}", |v| hexadecimal(v[0]).map(Message::ProgramAt)),
    ("PTE in {}", |v| hexadecimal(v[0]).map(Message::ProgramAt)),
    ("PTE @ {}", |v| hexadecimal(v[0]).map(Message::ProgramAt)),
    ("PTE at {}", |v| hexadecimal(v[0]).map(Message::ProgramAt)),
    ("Model PTE file loaded. Size: {} bytes.", |v| number(v[0]).map(Message::ProgramLoaded)),
    ("PTE Model data loaded. Size: {} bytes.", |v| number(v[0]).map(Message::ProgramLoaded)),
    ("Model data loaded. Size: {} bytes.", |v| number(v[0]).map(Message::ProgramLoaded)),
    ("Model buffer loaded, has {} methods", |v| Some(Message::ProgramRead(number(v[0])))),
    ("Model file {} is loaded.", |_| Some(Message::ProgramRead(None))),
    ("Program loading failed @ {}: {}", |v| failed("program", v[1])),
    ("Running method {}", |v| Some(Message::Method(name(v[0])))),
    ("Using method {}", |v| Some(Message::Method(name(v[0])))),
    ("Setup Method allocator pool. Size: {} bytes.", |v| number(v[0]).map(Message::MethodPool)),
    ("Setup planned FAST_MEMORY_REGION pool. Size: {} bytes.", |v| {
        number(v[0]).map(Message::FastPool)
    }),
    ("Setting up planned buffer with mem_id={}, size {}.", planned),
    ("Setting up planned buffer {}, size {}.", planned),
    ("Setting up planned buffer {} with size {}", planned),
    ("Setting up ETDump{}", |_| Some(Message::Reached(Stage::PlannedBuffersReady))),
    ("Memory allocation failed: {}B requested (adjusted for alignment), {}B available", |v| {
        Some(Message::AllocationFailed(number(v[0])?, number(v[1])?))
    }),
    ("Memory allocation failed: {}B requested, {}B available", |v| {
        Some(Message::AllocationFailed(number(v[0])?, number(v[1])?))
    }),
    ("ETDump: Could not allocate memory for {}buffer size {}", |v| {
        Some(Message::NoBuffer(TraceBuffer::Debug, number(v[1])?))
    }),
    // Espressif's runner.
    ("ETDump: Could not allocate output buffer size {}", |v| {
        Some(Message::NoBuffer(TraceBuffer::Debug, number(v[0])?))
    }),
    ("Could not allocate memory {} base64 encoding size {}", |v| {
        Some(Message::NoBuffer(TraceBuffer::Base64, number(v[1])?))
    }),
    ("offset_bytes ({}) + size_bytes ({}) >= allocator size ({}) for memory_id {}", |v| {
        Some(Message::OutsideBuffer(number(v[0])?, number(v[1])?, number(v[2])?, number(v[3])?))
    }),
    ("Loading of method {} failed with status {}", |v| failed("load", v[1])),
    ("Loading of method {} failed with error {}", |v| failed("load", v[1])),
    ("Failed to load method {}: {}", |v| failed("load", v[1])),
    ("Method loaded.", |_| Some(Message::Reached(Stage::MethodLoaded))),
    ("Method '{}' loaded.", |_| Some(Message::Reached(Stage::MethodLoaded))),
    ("Method {} loaded", |_| Some(Message::Reached(Stage::MethodLoaded))),
    ("Preparing inputs...", |_| Some(Message::Reached(Stage::PreparingInputs))),
    ("Could not prepare inputs: {}", |v| failed("inputs", v[0])),
    ("Preparing inputs tensors for method {} failed with status {}", |v| failed("inputs", v[1])),
    ("Input prepared.", |_| Some(Message::Reached(Stage::InputsReady))),
    // The portable runner prints nothing between this line and the end of the execution.
    ("Inputs prepared.", |_| Some(Message::Inferences(Stage::Executing, None))),
    ("Starting the model execution...", |_| Some(Message::Inferences(Stage::Executing, None))),
    ("Starting running {} inferences...", |v| {
        Some(Message::Inferences(Stage::Executing, number(v[0])))
    }),
    ("Start running {}", |_| Some(Message::Inferences(Stage::Executing, None))),
    // Logged at the level of debugging.
    ("Running inference number {}", |v| number(v[0]).map(Message::InferenceOf)),
    ("{} inferences finished", |v| Some(Message::Inferences(Stage::Executed, Some(number(v[0])?)))),
    // `Model executed successfully 10 time(s) in 1.234 ms.`
    ("Model executed successfully{}", |v| Some(Message::Inferences(Stage::Executed, number(v[0])))),
    ("Execution of method {} failed with status {}", |v| failed("execute", v[1])),
    ("Model execution failed{}", |v| failed("execute", v[0].trim_start_matches([':', ' ']))),
    ("KernelCall failed at instruction {}:{} in operator {}: {}", |v| {
        Some(Message::KernelFailed {
            chain: number(v[0])?,
            instruction: number(v[1])?,
            operator: v[2].to_owned(),
            code: number(v[3])?,
        })
    }),
    ("CALL_DELEGATE execute failed at instruction {}: {}", |v| {
        Some(Message::DelegateFailed(number(v[0])?, number(v[1])?))
    }),
    ("Missing operator: [{}] {}", |v| Some(Message::MissingOperator(number(v[0])?, name(v[1])))),
    ("Backend {} is not registered.", |v| Some(Message::MissingBackend(name(v[0])))),
    ("Backend {} is not available.", |v| Some(Message::MissingBackend(name(v[0])))),
    ("Init failed for backend {}: {}", |v| failed(v[0], v[1])),
    ("Instruction execution limit ({}) exceeded at chain {}, instruction {}. {}", |v| {
        Some(Message::Endless(number(v[1])?, number(v[2])?))
    }),
    ("In function {}(), assert failed: {}", |v| Some(Message::Assert(name(v[0]), name(v[1])))),
    ("In function {}(), assert failed ({}", |v| Some(Message::Assert(name(v[0]), condition(v[1])))),
    ("Ethos-U invocation failed error ({})", |v| v[0].trim().parse().ok().map(Message::NpuFailed)),
    ("Program data 0x{} must be aligned to {}", |v| {
        Some(Message::Unaligned(hexadecimal(v[0])?, number(v[1])?))
    }),
    // The Arm runner does not know the size of a program that is not part of its image.
    ("model_pte_{}_size: {} bytes. (pte size unknown{}", |_| Some(Message::After(Stage::Executed))),
    ("model_pte_program_size: {} bytes.", |v| measured(Measure::Program, v)),
    ("model_pte_loaded_size: {} bytes.", |v| measured(Measure::Program, v)),
    ("method_allocator_used: {} / {} free:", |v| measured(Measure::MethodUsed, v)),
    ("method_allocator_planned: {} bytes", |v| measured(Measure::MethodPlanned, v)),
    ("method_allocator_loaded: {} bytes", |v| measured(Measure::MethodLoaded, v)),
    ("method_allocator_input: {} bytes", |v| measured(Measure::MethodInput, v)),
    ("method_allocator_executor: {} bytes", |v| measured(Measure::MethodExecutor, v)),
    ("temp_allocator_used: {} / {} free:", |v| measured(Measure::TempUsed, v)),
    ("temp_allocator: {}", |v| measured(Measure::TempPool, v)),
    ("planned_fast_allocator: {} / {} free:", |v| measured(Measure::PlannedFast, v)),
    ("ETDump_outputs_buffer: {} / {} free:", |v| measured(Measure::EtDump, v)),
    ("Thread: {}, Stack size: {} / {}", |v| Some(Message::Stack(number(v[1])?, number(v[2])?))),
    ("NPU Inferences : {}", |_| Some(Message::After(Stage::Executed))),
    ("Profiler report, CPU cycles per operator:", |_| Some(Message::After(Stage::Executed))),
    ("NPU delegations: {} (", |v| counted(Counter::Delegations, v)),
    ("ethos-u : cycle_cnt : {} cycles", |v| counted(Counter::Delegate, v)),
    ("Inference runtime: {} CPU cycles total", |v| counted(Counter::Inference, v)),
    ("ethosu_pmu_cycle_cntr : {}", |v| counted(Counter::Unit, v)),
    ("{} outputs:", |v| v[0].parse::<u64>().ok().map(|_| Message::After(Stage::OutputsPrinted))),
    ("Output[{}][{}]: {}", |v| Some(Message::Output(number(v[0])?, element(v[2])))),
    ("Output[{}", |_| Some(Message::After(Stage::OutputsPrinted))),
    ("Model output don't match expected BundleIO{}", |_| Some(Message::OutputsDiffer)),
    ("Bundle verification failed with status {}", |v| number(v[0]).map(Message::BundleFailed)),
    ("OutputX {}", |_| Some(Message::After(Stage::OutputsPrinted))),
    ("Model run: {}", |_| Some(Message::After(Stage::OutputsPrinted))),
    ("[base64] buffer size: {}", |_| Some(Message::After(Stage::OutputsPrinted))),
    ("#[RUN THIS]", |_| Some(Message::After(Stage::OutputsPrinted))),
    ("Program complete, exiting.", |_| Some(Message::Reached(Stage::Complete))),
];

/// Words anywhere in a line that mean something, in small letters.
const WORDS: &[(&str, Message)] = &[
    ("watchdog reset", Message::Watchdog),
    ("reset by watchdog", Message::Watchdog),
    ("reset reason: watchdog", Message::Watchdog),
    ("reset cause: watchdog", Message::Watchdog),
    ("wdt reset", Message::Watchdog),
    ("iwdg reset", Message::Watchdog),
    ("wwdg reset", Message::Watchdog),
    ("rebooted by watchdog", Message::Watchdog),
    ("reset cause: iwdg", Message::Watchdog),
    ("reset cause: wwdg", Message::Watchdog),
    ("reset reason: iwdg", Message::Watchdog),
    ("reset reason: wwdg", Message::Watchdog),
    // Flags of STM32's RCC_CSR and of Nordic's RESETREAS.
    ("iwdgrstf", Message::Watchdog),
    ("wwdgrstf", Message::Watchdog),
    ("resetreas: dog", Message::Watchdog),
    ("resetreas=dog", Message::Watchdog),
    // ESP-IDF's only warns, unless it is configured to panic.
    ("watchdog got triggered", Message::WatchdogBarked),
    ("wdt timeout on cpu", Message::Watchdog),
    // What the ROM of an ESP32 says: `rst:0x8 (TG1WDT_SYS_RESET)`.
    ("wdt_sys_r", Message::Watchdog),
    ("wdt_cpu_r", Message::Watchdog),
    ("wdt_rtc_r", Message::Watchdog),
    ("wdt_rst)", Message::Watchdog),
    ("brownout detector was triggered", Message::BrownOut),
    ("brownout_rst", Message::BrownOut),
    ("reset cause: brownout", Message::BrownOut),
    ("reset reason: brownout", Message::BrownOut),
    ("cpu time has been exceeded", Message::TimedOut),
    ("simulation is terminating. reason: cpu time", Message::TimedOut),
    ("vapplicationmallocfailedhook", Message::HeapExhausted),
    ("std::bad_alloc", Message::HeapExhausted),
    ("malloc failed", Message::HeapExhausted),
];

/// What `line` says, if it is one of the lines that are known.
pub fn message(line: &Line) -> Option<Message> {
    let text = &line.text;
    for (pattern, make) in WORDINGS {
        let made = match fit(pattern, text) {
            Some(Fit::Whole(values)) => make(&values),
            Some(Fit::Cut(_)) => cut(pattern),
            None => None,
        };
        if made.is_some() {
            return made;
        }
    }
    let small = text.to_lowercase();
    let word = WORDS.iter().find(|(word, _)| says(&small, word)).map(|(_, m)| m.clone());
    word.or_else(|| killed(&small, text)).or_else(|| status::message(text))
}

/// Whether `text` has `word`, and not as a flag that is off: `IWDGRSTF: 0`.
fn says(text: &str, word: &str) -> bool {
    text.find(word).is_some_and(|at| {
        let value = text[at + word.len()..].trim_start().strip_prefix([':', '=']);
        value.and_then(number) != Some(0)
    })
}

/// A line that is cut off still tells its stage, but none of its numbers.
fn cut(pattern: &str) -> Option<Message> {
    let stage = match pattern {
        p if p.starts_with("Setting up planned buffer") => Stage::PlannedBuffersReady,
        p if p.starts_with("Setup Method") => Stage::PoolsReady,
        p if p.starts_with("Method") => Stage::MethodLoaded,
        p if p.starts_with("Preparing") => Stage::PreparingInputs,
        p if p.starts_with("Input") => Stage::InputsReady,
        p if p.starts_with("Start") => Stage::Executing,
        p if p.starts_with("Model executed") => Stage::Executed,
        p if MEASURED.iter().any(|word| p.starts_with(word)) => Stage::Executed,
        p if p.starts_with("Program complete") => Stage::Complete,
        p if p.starts_with("Model buffer") || p.starts_with("Model file") => Stage::ProgramRead,
        p if p.starts_with("Model PTE") || p.starts_with("PTE Model") => Stage::ProgramLoaded,
        _ => return None,
    };
    Some(if stage == Stage::Executed { Message::After(stage) } else { Message::Reached(stage) })
}

/// How lines begin that only come when the execution is over.
const MEASURED: [&str; 5] =
    ["model_pte_", "method_allocator_", "temp_allocator", "Profiler report", "NPU "];

/// The ends of processes, as shells and Android print them.
fn killed(small: &str, text: &str) -> Option<Message> {
    let whole = ["aborted", "aborted (core dumped)", "killed", "bus error"];
    let said = whole.contains(&small)
        || small.starts_with("segmentation fault")
        || small.starts_with("illegal instruction")
        || small.starts_with("fatal signal ")
        // ESP-IDF, and C++ for exceptions that nothing catches.
        || small.starts_with("abort() was called")
        || small.starts_with("terminate called after throwing")
        || small.starts_with("signal ") && small.contains("(sig");
    said.then(|| Message::Killed(text.to_owned()))
}

fn failed(what: &str, status: &str) -> Option<Message> {
    Some(Message::Failed { what: what.to_owned(), code: number(status)? })
}

fn planned(values: &[&str]) -> Option<Message> {
    Some(Message::Planned(number(values[0])?, number(values[1])?))
}

fn measured(measure: Measure, values: &[&str]) -> Option<Message> {
    let size = values.get(1).and_then(|text| number(text));
    Some(Message::Measured(measure, number(values[0])?, size))
}

/// Condition and message of `status == Error::Ok): Execution failed`.
fn condition(text: &str) -> String {
    match text.split_once("): ") {
        Some((condition, "")) => condition.to_owned(),
        Some((condition, message)) => format!("({condition}): {message}"),
        None => text.trim_end_matches([':', ' ', ')']).to_owned(),
    }
}

fn counted(counter: Counter, values: &[&str]) -> Option<Message> {
    Some(Message::Counted(counter, number(values[0])?))
}

/// The value of `(float) 0.500000` or `0.500000`.
fn element(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|t| t.split_once(')')).map_or(text, |(_, t)| t);
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

fn name(text: &str) -> String {
    text.trim().trim_matches(['\'', '"']).to_owned()
}
