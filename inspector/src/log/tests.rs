//! The user report's logs (facts of the project's first bug report), as the
//! boards printed them, and today's wording.

use super::*;

const SOFTMAX: &str = include_str!("../../../tests/fixtures/user_report/softmax.log");
const LINEAR: &str = include_str!("../../../tests/fixtures/user_report/linear.log");
const MOBILENET: &str = include_str!("../../../tests/fixtures/user_report/mobilenet.log");

#[test]
fn a_complete_run_gives_its_numbers() {
    let log = Log::parse(SOFTMAX.as_bytes());
    assert_eq!(log.runs.len(), 1);
    let run = &log.runs[0];
    assert_eq!(run.stage, Stage::Complete);
    assert_eq!(run.program_address, Some(0x2000_14b0));
    assert_eq!(run.program_bytes, Some(960));
    assert_eq!(run.method_pool, Some(1024));
    let used = run.measure(Measure::MethodUsed).expect("used");
    assert_eq!((used.bytes, used.pool), (342, Some(1024)));
    assert_eq!(run.measure(Measure::MethodLoaded).map(|m| m.bytes), Some(290));
}

#[test]
fn a_silent_board_is_at_its_last_line() {
    let run = Log::parse(LINEAR.as_bytes()).runs.remove(0);
    assert_eq!(run.stage, Stage::Executing);
    assert_eq!(run.reached.line, 15);
    assert_eq!(run.planned, [Planned { number: 0, bytes: 144 }]);
    assert_eq!(run.program_bytes, Some(1596));
}

#[test]
fn failed_allocations_and_what_follows_are_read() {
    let run = Log::parse(MOBILENET.as_bytes()).runs.remove(0);
    let failed: Vec<(u64, u64)> =
        run.allocation_failures.iter().map(|f| (f.requested, f.available)).collect();
    assert_eq!(failed, [(1_785_600, 1024), (68_208, 1024)]);
    assert_eq!(run.load_failure().map(|f| f.code), Some(0x21));
    assert_eq!(run.asserts[0].condition, "hasValue_");
    assert_eq!(run.stage, Stage::PreparingInputs);
}

#[test]
fn todays_wording_is_read() {
    let log = "\
I [executorch:arm_executor_runner.cpp:712 runner_init()] PTE @ 0x70000000 [----ET12]
I [executorch:arm_executor_runner.cpp:716 runner_init()] PTE Model data loaded. Size: 84944 bytes.
I [executorch:arm_executor_runner.cpp:730 runner_init()] Model buffer loaded, has 1 methods
I [executorch:arm_executor_runner.cpp:739 runner_init()] Running method forward
I [executorch:arm_executor_runner.cpp:750 runner_init()] Setup Method allocator pool. Size: 62914560 bytes.
I [executorch:arm_executor_runner.cpp:770 runner_init()] Setting up planned buffer with mem_id=1, size 752640.
I [executorch:arm_executor_runner.cpp:850 runner_init()] Method 'forward' loaded.
I [executorch:arm_executor_runner.cpp:860 runner_init()] Preparing inputs...
I [executorch:arm_executor_runner.cpp:870 runner_init()] Input prepared.
I [executorch:arm_executor_runner.cpp:1340 run_model()] Starting running 1 inferences...
E [executorch:EthosUBackend_Cortex_M.cpp:110 platform_execute()] Ethos-U invocation failed error (-1)
E [executorch:method.cpp:1530 execute_instruction()] CALL_DELEGATE execute failed at instruction 1: 0x23
";
    let run = Log::parse(log.as_bytes()).runs.remove(0);
    assert_eq!(run.stage, Stage::Executing);
    assert_eq!(run.npu_error, Some(-1));
    assert_eq!(run.failures[0].at, Some((0, 1)));
    assert_eq!(run.planned, [Planned { number: 1, bytes: 752_640 }]);
}

#[test]
fn a_restart_begins_a_new_run() {
    let twice = format!("{LINEAR}\n*** watchdog reset\n{LINEAR}");
    let log = Log::parse(twice.as_bytes());
    assert_eq!(log.runs.len(), 2);
    assert_eq!(log.runs[1].watchdog, Some(17));
    assert!(log.runs.iter().all(|run| run.stage == Stage::Executing));
}

#[test]
fn a_zephyr_fault_gives_registers() {
    let log = "\
[00:00:01.000,000] <inf> executorch: I [executorch:main.cpp:3 main()] Starting the model execution...
[00:00:01.010,000] <err> os: ***** BUS FAULT *****
[00:00:01.010,000] <err> os:   Precise data bus error
[00:00:01.010,000] <err> os:   BFAR Address: 0x3ffffffc
[00:00:01.010,000] <err> os: r0/a1:  0x3ffffffc  r1/a2:  0x00000001  r2/a3:  0x00000002
[00:00:01.010,000] <err> os: r3/a4:  0x00000000 r12/ip:  0x00000000 r14/lr:  0x0000a1b1
[00:00:01.010,000] <err> os:  xpsr:  0x61000000
[00:00:01.010,000] <err> os: Faulting instruction address (r15/pc): 0x0000a1c4
[00:00:01.010,000] <err> os: >>> ZEPHYR FATAL ERROR 25: Unknown error on CPU 0
";
    let run = Log::parse(log.as_bytes()).runs.remove(0);
    assert_eq!(run.crash.kinds, ["BusFault"]);
    let register = |r| run.crash.registers.get(&r).copied();
    assert_eq!(register(Register::Pc), Some(0xa1c4));
    assert_eq!(register(Register::Lr), Some(0xa1b1));
    assert_eq!(register(Register::Bfar), Some(0x3fff_fffc));
    assert_eq!(run.stage, Stage::Executing);
}

#[test]
fn any_bytes_are_a_log() {
    // A small generator of its own: the test needs no randomness of quality.
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    for _ in 0..2_000 {
        let mut bytes = MOBILENET.as_bytes().to_vec();
        for _ in 0..1 + next() % 20 {
            let at = next() % bytes.len();
            match next() % 3 {
                0 => bytes[at] = next() as u8,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, next() as u8),
            }
        }
        let _ = Log::parse(&bytes);
    }
    assert_eq!(Log::parse(b"").runs.len(), 1);
}

/// Lines of the Arm runner.
fn arm(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("I [executorch:r.cpp:1 r()] {text}\n")).collect()
}

#[test]
fn a_runner_that_loops_is_at_its_last_line() {
    let inputs = ["Preparing inputs...", "Input prepared."];
    let execution = ["Starting the model execution...", "Model executed successfully."];
    let once = arm(&[inputs, execution, ["1 outputs: ", "Model run: 1"]].concat());
    let cases = [
        (arm(&execution[..1]), Stage::Executing),
        (arm(&inputs), Stage::InputsReady),
        (arm(&inputs[..1]), Stage::PreparingInputs),
        (arm(&[inputs, execution].concat()[..3]), Stage::Executing),
        (String::new(), Stage::OutputsPrinted),
    ];
    for (end, stage) in cases {
        let run = Log::parse(format!("{once}{once}{end}").as_bytes()).runs.remove(0);
        assert_eq!((run.stage, run.executions.ended), (stage, 2), "{end}");
    }
    // Without a line for the end, the beginning of the next shows it, unless the first failed.
    let begins = arm(&execution[..1]);
    let failed =
        "E [executorch:m.cpp:1 e()] KernelCall failed at instruction 0:1 in operator x: 0x12\n";
    let ended = |text: String| Log::parse(text.as_bytes()).runs.remove(0).executions.ended;
    assert_eq!(ended(format!("{begins}{begins}{begins}")), 2);
    assert_eq!(ended(format!("{begins}{failed}{begins}")), 0);
    // What may be another start of the board is no proof.
    assert_eq!(ended(format!("{begins}{}{begins}", arm(&["Method loaded."]))), 0);
}

#[test]
fn inferences_of_a_loop_are_counted() {
    let ended = |texts: &[&str]| Log::parse(arm(texts).as_bytes()).runs.remove(0).executions.ended;
    let loop_of_5 = "Starting running 5 inferences...";
    let number = "Running inference number";
    assert_eq!(ended(&[loop_of_5]), 0);
    assert_eq!(ended(&[loop_of_5, &format!("{number} 0")]), 0);
    assert_eq!(ended(&[loop_of_5, &format!("{number} 0"), &format!("{number} 1")]), 1);
    assert_eq!(ended(&[loop_of_5, "5 inferences finished", loop_of_5]), 5);
    let second = [loop_of_5, "5 inferences finished", loop_of_5, &format!("{number} 0")];
    assert_eq!(ended(&second), 5);
    assert_eq!(
        ended(&["Inputs prepared.", "Model executed successfully 10 time(s) in 1.2 ms."]),
        10
    );
}
