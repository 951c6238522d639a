//! The user report's boards, with programs of the same kind.

use super::*;
use et_schema::layout::Abi;

const LINEAR: &str = include_str!("../../../tests/fixtures/user_report/linear.log");
const MOBILENET: &str = include_str!("../../../tests/fixtures/user_report/mobilenet.log");
const SOFTMAX: &str = include_str!("../../../tests/fixtures/user_report/softmax.log");

fn program(path: &str) -> Vec<u8> {
    let path = format!("{}/../tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a fixture")
}

fn diagnosis(program: &[u8], log: &str) -> Diagnosis {
    let file = File::parse(program).expect("a program");
    let method = file.methods().next().expect("a method");
    let log = Log::parse(log.as_bytes());
    diagnose(Evidence {
        file: &file,
        method,
        abi: Abi::Arm32,
        target: None,
        log: Some(&log),
        journal: None,
        trace: None,
        symbols: &NoSymbols,
    })
    .expect("a diagnosis")
}

fn codes(diagnosis: &Diagnosis) -> Vec<&'static str> {
    diagnosis.findings.iter().map(|f| f.code.page().code).collect()
}

#[test]
fn the_linear_that_hangs_is_named() {
    let found = diagnosis(&program("user_report/toy_linear_3_3.pte"), LINEAR);
    assert_eq!(found.reached, Some(Stage::Executing));
    let hung = found.in_flight.as_ref().expect("an instruction");
    assert_eq!((hung.chain.0, hung.instruction.0), (0, 0));
    assert!(hung.operator.starts_with("aten::"), "{}", hung.operator);
    assert!(!hung.tensors.is_empty());
    assert_eq!(found.findings[0].code, Code::Hang);
    let likelihoods: Vec<Likelihood> = found.candidates.iter().map(|c| c.likelihood).collect();
    assert!(likelihoods.is_sorted(), "{likelihoods:?}");
    let slow = found.candidates.iter().find(|c| c.code == Code::Hang).expect("slow");
    assert_eq!(slow.likelihood, Likelihood::RuledOut, "{}", slow.why);
}

#[test]
fn the_mobilenet_that_does_not_fit_is_explained() {
    let found = diagnosis(&program("models/mv2_w010_q/model.pte"), MOBILENET);
    let titles: Vec<&str> = found.findings.iter().map(|f| f.title.as_str()).collect();
    assert_eq!(
        titles[0],
        "planned buffer 0 needs 1785600 bytes, the method allocator has 1024 left of its 1024"
    );
    assert!(titles[1].contains("the value table (4263 values of 16 bytes)"), "{titles:?}");
    assert!(found.findings[0].remedy.contains("1853808"), "{}", found.findings[0].remedy);
    assert!(codes(&found).contains(&"ETH003"), "{titles:?}");
    assert!(codes(&found).contains(&"ETF002"), "{titles:?}");
    assert!(found.in_flight.is_none());
    assert!(found.verdict.sentence.starts_with("the method did not load"), "{:?}", found.verdict);
}

#[test]
fn a_run_that_works_has_no_errors() {
    let found = diagnosis(&program("user_report/softmax_dim0_2x2.pte"), SOFTMAX);
    assert_eq!(found.severity(), None, "{:?}", found.findings);
    assert!(found.verdict.sentence.contains("ran"), "{:?}", found.verdict);
    assert_eq!(found.verdict.confidence, Confidence::High);
    let measured = found.measured.as_ref().expect("numbers of the board");
    assert!(measured.is_explained(), "{measured:?}");
    assert_eq!(measured.firmware, Some(crate::memory::Firmware::Release0_5));
}

/// A firmware of one function.
struct Function(&'static str);

impl Symbols for Function {
    fn find(&self, address: u64) -> Option<Symbol> {
        (address == 0xa1c4).then(|| Symbol {
            start: 0xa000,
            size: 0x1000,
            name: self.0.to_owned(),
            code: true,
            line: None,
        })
    }
}

#[test]
fn the_function_at_the_program_counter_names_the_instruction() {
    let bytes = program("user_report/toy_linear_3_3.pte");
    let file = File::parse(&bytes).expect("a program");
    let log = format!("{LINEAR}HardFault\nCFSR: 0x00000400\nLR = 0x0000a1c5\n");
    let log = Log::parse(log.as_bytes());
    let found = |function| {
        let symbols = Function(function);
        let found = diagnose(Evidence {
            file: &file,
            method: file.methods().next().expect("a method"),
            abi: Abi::Arm32,
            target: None,
            log: Some(&log),
            journal: None,
            trace: None,
            symbols: &symbols,
        });
        let hung = found.expect("a diagnosis").in_flight.expect("an instruction");
        (hung.instruction.0, hung.or_later)
    };
    assert_eq!(found("torch::executor::native::addmm_out(int)"), (1, false));
    assert_eq!(found("et_runtime::kernels::linear::addmm"), (1, false));
    assert_eq!(found("memcpy"), (0, true));
}

#[test]
fn a_fault_is_read_from_its_registers() {
    let log = format!("{LINEAR}HardFault\nCFSR: 0x00000400 HFSR: 0x40000000\nPC = 0x0000a1c4\n");
    let found = diagnosis(&program("user_report/toy_linear_3_3.pte"), &log);
    let fault = &found.findings[0];
    assert_eq!(fault.code, Code::ProcessorFault);
    let bits: Vec<&str> = fault
        .evidence
        .iter()
        .filter(|(name, _)| *name == "bit")
        .map(|(_, text)| text.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(bits, ["IMPRECISERR", "FORCED"]);
    assert!(found.verdict.sentence.contains("a write to an address without memory"));
}

#[test]
fn a_stack_overflow_is_told_from_other_faults() {
    let log =
        format!("{LINEAR}***** USAGE FAULT *****\n  Stack overflow (context area not valid)\n");
    let found = diagnosis(&program("user_report/toy_linear_3_3.pte"), &log);
    assert_eq!(found.findings[0].code, Code::StackOverrun);
}

#[test]
fn a_watchdog_loop_tells_how_far_the_board_came() {
    let log = format!("{LINEAR}Reset reason: watchdog\n{LINEAR}watchdog reset\nBLINK");
    let found = diagnosis(&program("user_report/toy_linear_3_3.pte"), &log);
    assert_eq!(found.reached, Some(Stage::Executing));
    assert!(codes(&found).contains(&"ETH005"), "{:?}", found.findings);
}

#[test]
fn a_pool_that_ends_in_a_list_is_found_without_a_status() {
    let bytes = program("models/mv2_w010/model.pte");
    let file = File::parse(&bytes).expect("a program");
    let method = file.methods().next().expect("a method");
    let loading =
        crate::memory::Loading::new(&file, &method, Abi::Arm32, crate::memory::Firmware::TempPool)
            .expect("loading");
    let list = loading
        .method
        .iter()
        .find(|a| a.request.object == et_schema::layout::Object::ListInteger)
        .expect("a list");
    let planned: u64 = method.planned_buffers().map(|(_, size)| size as u64).sum();
    let pool = planned.next_multiple_of(16) + list.offset + 1;
    let log = format!(
        "I [executorch:a.cpp:1 f()] PTE Model data loaded. Size: {} bytes.\n\
         I [executorch:a.cpp:2 f()] Setup Method allocator pool. Size: {pool} bytes.\n\
         I [executorch:a.cpp:3 f()] Setting up planned buffer with mem_id=1, size {planned}.\n",
        bytes.len()
    );
    let found = diagnosis(&bytes, &log);
    assert_eq!(found.findings[0].code, Code::NullWrite, "{:?}", found.findings);
}

/// The report's board, with what its runner prints when an execution ends.
fn executions(ended: usize) -> String {
    let line = |text: &str| format!("I [executorch:arm_executor_runner.cpp:1] {text}\n");
    let again = line("Model executed successfully.") + &line("Starting the model execution...");
    format!("{}\n", LINEAR.trim_end()) + &again.repeat(ended)
}

#[test]
fn a_hang_in_a_later_execution_is_one() {
    let found = diagnosis(&program("user_report/toy_linear_3_3.pte"), &executions(3));
    assert_eq!(found.reached, Some(Stage::Executing));
    assert_eq!(found.severity(), Some(Severity::Error));
    assert_eq!(found.findings[0].code, Code::Hang);
    assert_eq!(
        found.verdict.sentence,
        "execution 4 began after 3 had ended, instruction 0:0 (aten::permute_copy.out) or a later \
         one never ended"
    );
    // What the executions before refute is no cause.
    let likely: Vec<&Candidate> =
        found.candidates.iter().filter(|c| c.likelihood == Likelihood::Likely).collect();
    assert!(likely.is_empty(), "{likely:?}");
    let tables = found.candidates.iter().find(|c| c.cause.contains("function pointer"));
    let tables = tables.expect("a candidate");
    assert_eq!(tables.likelihood, Likelihood::RuledOut, "{}", tables.why);
    assert!(found.candidates.iter().any(|c| c.code == Code::Growth));
}

#[test]
fn a_later_execution_that_fails_has_not_ended() {
    let failed = "E [executorch:method.cpp:1 e()] KernelCall failed at instruction 0:1 in operator \
                  aten::addmm.out: 0x12\n";
    let found = diagnosis(&program("user_report/toy_linear_3_3.pte"), &(executions(1) + failed));
    let sentence = &found.verdict.sentence;
    assert!(
        sentence.starts_with("execution 2 began after 1 had ended: instruction 0:1"),
        "{sentence}"
    );
    assert!(!codes(&found).contains(&"ETH001"), "{:?}", found.findings);
}
