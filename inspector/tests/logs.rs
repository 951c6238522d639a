//! Logs in the wordings of runners, applications, operating systems and fault
//! handlers: what is concluded from each.

use et_inspector::diagnose::{Diagnosis, Evidence, NoSymbols, diagnose};
use et_inspector::findings::Code;
use et_inspector::log::{Log, Stage};
use et_schema::layout::Abi;
use et_schema::pte::File;

mod support;

fn diagnosis(model: &str, log: &str) -> Diagnosis {
    let bytes = support::read(model);
    let file = File::parse(&bytes).expect("a program");
    let log = Log::parse(log.as_bytes());
    diagnose(Evidence {
        file: &file,
        method: file.methods().next().expect("a method"),
        abi: Abi::Arm32,
        target: None,
        log: Some(&log),
        journal: None,
        trace: None,
        symbols: &NoSymbols,
    })
    .expect("a diagnosis")
}

fn has(found: &Diagnosis, code: Code) -> bool {
    found.findings.iter().any(|finding| finding.code == code)
}

/// Today's Arm runner up to its last line before the execution.
fn until_execution(model: &str) -> String {
    let bytes = support::read(model);
    let file = File::parse(&bytes).expect("a program");
    let method = file.methods().next().expect("a method");
    let mut lines = vec![
        "PTE @ 0x70000000 [----ET12]".to_owned(),
        format!("PTE Model data loaded. Size: {} bytes.", bytes.len()),
        "Model buffer loaded, has 1 methods".to_owned(),
        "Running method forward".to_owned(),
        "Setup Method allocator pool. Size: 62914560 bytes.".to_owned(),
    ];
    lines.extend(
        method
            .planned_buffers()
            .map(|(id, size)| format!("Setting up planned buffer with mem_id={id}, size {size}.")),
    );
    lines.extend(
        ["Method 'forward' loaded.", "Preparing inputs...", "Input prepared."].map(str::to_owned),
    );
    lines.push("Starting running 2 inferences...".to_owned());
    let line = |(n, text): (usize, String)| {
        format!("I [executorch:arm_executor_runner.cpp:{} runner_init()] {text}\n", 700 + n)
    };
    lines.into_iter().enumerate().map(line).collect()
}

/// Says `sentence` with a finding of `code`, for a log that goes on like this
/// after the execution began.
#[track_caller]
fn after_execution(model: &str, more: &str, sentence: &str, code: Code) {
    let found = diagnosis(model, &(until_execution(model) + more));
    assert!(found.verdict.sentence.contains(sentence), "{:?}", found.verdict);
    assert!(has(&found, code), "{:#?}", found.findings);
    assert!(!has(&found, Code::OtherProgram), "{:#?}", found.findings);
}

#[test]
fn a_silent_delegate_is_the_most_probable_cause() {
    let found = diagnosis("u55_linear", &until_execution("u55_linear"));
    assert!(found.candidates[0].cause.contains("EthosUBackend"), "{:?}", found.candidates[0]);
    assert!(found.candidates[0].cause.contains("instruction 0:1"), "{:?}", found.candidates[0]);
}

#[test]
fn fault_handlers_are_read_in_many_wordings() {
    let null = "an access through a null pointer";
    let cases = [
        // ESP-IDF on Xtensa and on RISC-V.
        (
            "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.\n\
             PC      : 0x400d1234  PS      : 0x00060330  A0      : 0x800d5678\n\
             EXCVADDR: 0x00000004  LBEG    : 0x00000000\n",
            null,
            Code::ProcessorFault,
        ),
        (
            "Guru Meditation Error: Core  0 panic'ed (Load access fault). Exception was unhandled.\n\
             MEPC    : 0x42007a2c  RA      : 0x42007a20  SP      : 0x3fc9a000\n\
             MSTATUS : 0x00001881  MTVEC   : 0x40380001  MCAUSE  : 0x00000005  MTVAL   : 0x00000000\n",
            null,
            Code::ProcessorFault,
        ),
        // Mbed OS, with the parts of CFSR.
        (
            "++ MbedOS Fault Handler ++\nFaultType: HardFault\nPC   : 080012F0\nHFSR : 40000000\n\
             MMFSR: 00000000\nBFSR : 00000082\nUFSR : 00000000\nBFAR : 30000000\n",
            "an access to an address that it may not touch",
            Code::ProcessorFault,
        ),
        // Zephyr, in words.
        (
            "[00:00:01.000,000] <err> os: ***** USAGE FAULT *****\n\
             [00:00:01.000,000] <err> os:   Illegal use of the EPSR\n\
             [00:00:01.000,000] <err> os: Faulting instruction address (r15/pc): 0x00000000\n",
            "a jump through a null or odd function pointer",
            Code::ProcessorFault,
        ),
        (
            "[00:00:01.000,000] <err> os: ***** BUS FAULT *****\n\
             [00:00:01.000,000] <err> os:   Precise data bus error\n\
             [00:00:01.000,000] <err> os:   BFAR Address: 0x8\n",
            null,
            Code::ProcessorFault,
        ),
        (
            "[00:00:01.000,000] <err> os: ***** USAGE FAULT *****\n\
             [00:00:01.000,000] <err> os:   No coprocessor instructions\n\
             [00:00:01.000,000] <err> os: Attempt to execute a coprocessor instruction\n",
            "while the unit is switched off",
            Code::ProcessorFault,
        ),
        // CmBacktrace.
        (
            "Usage fault is caused by indicates a divide by zero has taken place (can be set only if \
             DIV_0_TRP is set)\n",
            "a division by zero",
            Code::ProcessorFault,
        ),
        // FreeRTOS, ESP-IDF and GCC on stacks.
        ("Stack overflow in task infer\n", "the stack overflowed", Code::StackOverrun),
        (
            "***ERROR*** A stack overflow in task main has been detected.\n",
            "the stack overflowed",
            Code::StackOverrun,
        ),
        (
            "*** stack smashing detected ***: terminated\n",
            "the stack overflowed",
            Code::StackOverrun,
        ),
    ];
    for (text, sentence, code) in cases {
        after_execution("linear", text, sentence, code);
    }
}

#[test]
fn assertions_and_signals_are_causes() {
    let model = "mv2_w010";
    let line = "F [executorch:method.cpp:12 f()] In function execute(), assert failed (x < n): ";
    after_execution(model, &format!("{line}index 4 out of range\n"), "x < n", Code::AssertFailed);
    after_execution(model, "Killed\n", "the process was ended: Killed", Code::Killed);
    after_execution(
        model,
        "F [executorch:etdump.cpp:85 e()] In function et_flatcc(), assert failed (0): ETDump emitter out of memory\n",
        "out of memory",
        Code::AssertFailed,
    );
    // The status within an assertion counts.
    after_execution(
        model,
        "F [executorch:r.cpp:1 run_model()] In function run_model(), assert failed (status == \
         Error::Ok): Execution of method forward failed with status 0x12\n",
        "executing the method failed with InvalidArgument (0x12)",
        Code::StatusReported,
    );
}

#[test]
fn a_cause_that_is_logged_after_the_failure_is_no_going_on() {
    let log = "E ExecuTorch: Failed to load model: 32\n\
               E ExecuTorch: Backend XnnpackBackend is not registered.\n";
    let found = diagnosis("mv2_w010", log);
    assert!(has(&found, Code::MissingBackend) && !has(&found, Code::WentOn), "{found:#?}");
    let log = "F 00:00:00.020000 executorch:executor_runner.cpp:412] In function main(), assert \
               failed (res.ok()): Could not prepare inputs: 0x12\n";
    let found = diagnosis("mv2_w010", log);
    assert_eq!(found.verdict.sentence, "preparing the inputs failed with InvalidArgument (0x12)");
}

#[test]
fn a_failing_unit_is_no_hang() {
    let error = "E [executorch:EthosUBackend.cpp:110 x()] Ethos-U invocation failed error (-1)\n";
    let found = diagnosis("u55_linear", &(until_execution("u55_linear") + error));
    assert!(!has(&found, Code::Hang), "{:#?}", found.findings);
    let unit = found.findings.iter().find(|f| f.code == Code::NpuSilent).expect("a finding");
    assert_eq!(unit.at.map(|(chain, at)| (chain.0, at.0)), Some((0, 1)));
}

#[test]
fn statuses_are_read_in_decimal() {
    let cases = [
        ("mv2_w010", "Error: Load failed: 33\n", "MemoryAllocationFailed (0x21)"),
        ("mv2_w010", "E/ExecuTorch( 77): Failed to load model: 32\n", "NotFound (0x20)"),
        ("mv2_w010", "Execution failed with error 18\n", "InvalidArgument (0x12)"),
        ("mv2_w010", "[ExecuTorch Error 0x23] Failed to load\n", "InvalidProgram (0x23)"),
    ];
    for (model, log, name) in cases {
        let found = diagnosis(model, log);
        assert!(found.verdict.sentence.contains(name), "{log}: {:?}", found.verdict);
        assert!(!found.verdict.sentence.contains("no line of"), "{:?}", found.verdict);
    }
}

#[test]
fn the_portable_runner_prints_nothing_when_it_begins_to_execute() {
    let log = "I 00:00:00.004885 executorch:executor_runner.cpp:314] Model file m.pte is loaded.\n\
               I 00:00:00.004890 executorch:executor_runner.cpp:323] Using method forward\n\
               I 00:00:00.010000 executorch:executor_runner.cpp:406] Method loaded.\n\
               I 00:00:00.011000 executorch:executor_runner.cpp:420] Inputs prepared.\n";
    let found = diagnosis("lstm", log);
    assert_eq!(found.reached, Some(Stage::Executing));
    assert!(found.in_flight.is_some());
    assert!(has(&found, Code::Hang));
}

const BLOCK: &str = "\
I [executorch:r.cpp:1 f()] 2 inferences finished
I [executorch:r.cpp:1 f()] NPU Inferences : 2
I [executorch:r.cpp:1 f()] Profiler report, CPU cycles per operator:
I [executorch:r.cpp:1 f()] ethos-u : cycle_cnt : 0 cycles (0.00 per inference)
I [executorch:r.cpp:1 f()] Operator(s) total: 0 CPU cycles
I [executorch:r.cpp:1 f()] Inference runtime: 0 CPU cycles total
I [executorch:r.cpp:1 f()] method_allocator_used:     2000 / 4096  free: 2096 ( used: 48 % )
I [executorch:r.cpp:1 f()] method_allocator_executor: 640 bytes
";

#[test]
fn numbers_at_the_end_show_a_clock_that_stands_and_an_allocator_that_grows() {
    after_execution("u55_linear", BLOCK, "the model ran", Code::ClockStands);
    after_execution("u55_linear", BLOCK, "the model ran", Code::Growth);
    let found = diagnosis("u55_linear", &(until_execution("u55_linear") + BLOCK));
    let growth = found.findings.iter().find(|f| f.code == Code::Growth).expect("a finding");
    assert!(growth.evidence.contains(&("bytes_of_a_run", "320".into())), "{growth:?}");
    // Anywhere within the block the execution is over.
    let whole = until_execution("u55_linear") + BLOCK;
    for end in (whole.len() - BLOCK.len() + 60..whole.len()).step_by(7) {
        let found = diagnosis("u55_linear", &whole[..end]);
        assert!(!has(&found, Code::Hang), "cut at {end}: {:#?}", found.findings);
    }
}

#[test]
fn use_that_rises_from_run_to_run_is_growth() {
    let mut log = until_execution("lstm");
    for used in [2000, 2320, 2640] {
        log += &format!(
            "I [executorch:r.cpp:1 f()] method_allocator_used:     {used} / 4096  free: 1 ( used: 4 % )\n"
        );
    }
    let found = diagnosis("lstm", &log);
    let growth = found.findings.iter().find(|f| f.code == Code::Growth).expect("a finding");
    assert!(growth.evidence.contains(&("runs_until_it_is_full", "4".into())), "{growth:?}");
}

#[test]
fn an_output_of_zeros_or_without_numbers_is_suspicious() {
    let outputs = |value: &str| -> String {
        let head = "I [executorch:r.cpp:1 f()] 2 inferences finished\n".to_owned();
        (0..8).fold(head, |log, at| log + &format!("Output[0][{at}]: {value}\n"))
    };
    let model = "u55_linear";
    after_execution(model, &outputs("(char) 0"), "the model ran", Code::OutputUnchanged);
    after_execution(model, &outputs("(float) nan"), "the model ran", Code::NonFinite);
    let sound = diagnosis(model, &(until_execution(model) + &outputs("(float) 0.500000")));
    assert!(sound.findings.is_empty(), "{:#?}", sound.findings);
}

#[test]
fn restarts_have_their_reason() {
    let once = until_execution("linear");
    let cases = [
        ("rst:0x8 (TG1WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", "the watchdog reset"),
        ("rst:0x7 (TG0WDT_SYS_RST),boot:0x8", "the watchdog reset"),
        ("E (5300) task_wdt: Task watchdog got triggered.", "the watchdog reset"),
        ("Reset cause: IWDG", "the watchdog reset"),
        ("RCC_CSR reset flags: IWDGRSTF", "the watchdog reset"),
        ("RESETREAS: DOG (0x00000002)", "the watchdog reset"),
        ("Rebooted by Watchdog!", "the watchdog reset"),
        ("Brownout detector was triggered", "the supply's voltage fell"),
        ("IWDGRSTF: 0, BORRSTF: 0", "without a reason in the log"),
        ("nothing that says why", "without a reason in the log"),
    ];
    for (reason, title) in cases {
        let found = diagnosis("linear", &format!("{once}{reason}\n{once}"));
        let reset = found.findings.iter().find(|f| f.code == Code::Reset).expect("a finding");
        assert!(reset.title.contains(title), "{reason}: {}", reset.title);
    }
}

#[test]
fn scratch_memory_is_asked_for_as_it_was_refused() {
    let more = "E [executorch:memory_allocator.h:88 a()] Memory allocation failed: 24576B requested \
                (adjusted for alignment), 1024B available\n\
                E [executorch:method.cpp:1 e()] CALL_DELEGATE execute failed at instruction 1: 0x21\n";
    let found = diagnosis("u55_linear", &(until_execution("u55_linear") + more));
    let pool = found.findings.iter().find(|f| f.code == Code::PoolExhausted).expect("a finding");
    assert!(pool.remedy.contains("24576 bytes"), "{}", pool.remedy);
}

#[test]
fn a_failure_before_a_restart_is_its_reason() {
    let once = until_execution("linear");
    let failed = "E [executorch:m.cpp:1 e()] KernelCall failed at instruction 0:1 in operator \
                  aten::addmm.out: 0x12\n\
                  F [executorch:r.cpp:1 m()] Execution of method forward failed with status 0x12\n";
    let ended = "I [executorch:r.cpp:1 m()] 2 inferences finished\n";
    let found = diagnosis("linear", &format!("{once}{failed}{once}{ended}"));
    let reset = found.findings.iter().find(|f| f.code == Code::Reset).expect("a finding");
    let said = "before that, instruction 0:1 (aten::addmm.out) failed with InvalidArgument (0x12)";
    assert!(reset.title.contains(said), "{}", reset.title);
    assert!(!reset.remedy.contains("watchdog"), "{}", reset.remedy);
    let refused = "E [executorch:memory_allocator.h:88 a()] Memory allocation failed: 48B requested \
                   (adjusted for alignment), 44B available\n";
    let found = diagnosis("linear", &format!("{once}{refused}{once}{ended}"));
    let reset = found.findings.iter().find(|f| f.code == Code::Reset).expect("a finding");
    assert!(reset.title.contains("48 bytes were refused"), "{}", reset.title);
}

#[test]
fn a_watchdog_that_only_warns_is_no_reset() {
    let log = until_execution("linear") + "E (5321) task_wdt: Task watchdog got triggered.\n";
    let found = diagnosis("linear", &log);
    assert!(has(&found, Code::Hang) && !has(&found, Code::Reset), "{:#?}", found.findings);
    assert!(found.findings[0].evidence.iter().any(|(name, _)| *name == "watchdog_line"));
}

#[test]
fn heaps_and_aborts_are_causes() {
    for text in [
        "vApplicationMallocFailedHook called",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "malloc failed: out of heap memory (requested 8192)",
    ] {
        let sentence = format!("execution began: the heap ran out: {text}");
        after_execution("linear", &format!("{text}\n"), &sentence, Code::PoolExhausted);
    }
    let abort = "abort() was called at PC 0x42008a3d on core 0";
    let sentence = format!("the process was ended: {abort}");
    after_execution("linear", &format!("{abort}\n"), &sentence, Code::Killed);
    for text in
        ["vApplicationStackOverflowHook: infer\n", "ERROR: task infer has overflowed its stack!\n"]
    {
        after_execution("linear", text, "the stack overflowed", Code::StackOverrun);
    }
}

#[test]
fn failed_inputs_are_no_silence() {
    let log = until_execution("linear");
    let log = log.split_inclusive('\n').take_while(|line| !line.contains("Input prepared"));
    let log: String = log.collect();
    for line in [
        "E [executorch:r.cpp:9 r()] Failed to prepare inputs 0x12\n",
        "E [executorch:r.cpp:9 r()] Check failed (status == Error::Ok): Failed to prepare inputs 0x12\n",
        "F [executorch:r.cpp:9 r()] In function r(), assert failed (status == Error::Ok): Failed to \
         prepare inputs 0x12\n",
    ] {
        let found = diagnosis("linear", &format!("{log}{line}"));
        let sentence = &found.verdict.sentence;
        assert!(
            sentence.ends_with("preparing the inputs failed with InvalidArgument (0x12)"),
            "{sentence}"
        );
        assert!(!has(&found, Code::SilentBefore), "{:#?}", found.findings);
    }
}

#[test]
fn lines_of_esp_idf_and_lines_that_run_into_each_other_are_read() {
    let idf = "\u{1b}[0;32mI (306) ET: Input prepared.\u{1b}[0m\n\
               \u{1b}[0;32mI (307) ET: Starting running 1 inferences...\u{1b}[0m\n";
    let interleaved = "I [executorch:r.cpp:940 runner_init()] Input prepared.\n\
                       I [executorch:r.cpp:1330 runI [sensor] temp=24.5\n\
                       _model()] Starting running 1 inferences...sensor: imu ok\n";
    for log in [idf, interleaved] {
        let found = diagnosis("linear", log);
        assert_eq!(found.reached, Some(Stage::Executing), "{log}");
        assert!(has(&found, Code::Hang), "{log}");
    }
}
