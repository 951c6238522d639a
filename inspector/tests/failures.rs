//! Failures whose reason the log names in a line before the status.

use et_inspector::diagnose::{Diagnosis, Evidence, NoSymbols, diagnose};
use et_inspector::findings::{Code, Finding};
use et_inspector::log::Log;
use et_schema::layout::Abi;
use et_schema::pte::File;

mod support;

fn diagnosis(model: &str, lines: &[&str]) -> Diagnosis {
    let bytes = support::read(model);
    let file = File::parse(&bytes).expect("a program");
    let log: String = lines
        .iter()
        .map(|line| match line.split_once(" | ") {
            Some((level, text)) => format!("{level} [executorch:r.cpp:7 r()] {text}\n"),
            None => format!("{line}\n"),
        })
        .collect();
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

const EXECUTION: &str = "I | Starting running 1 inferences...";
const ENDED: &str = "I | 1 inferences finished";

fn finding(found: &Diagnosis, code: Code) -> &Finding {
    found.findings.iter().find(|f| f.code == code).unwrap_or_else(|| panic!("{found:#?}"))
}

#[test]
fn the_line_before_a_status_is_told() {
    let found = diagnosis(
        "linear",
        &[
            "I | Preparing inputs...",
            "E | Input 0 has unexpected scalar type: expected Float but was Char.",
            "E | Failed to prepare inputs 0x12",
        ],
    );
    let sentence = &found.verdict.sentence;
    assert!(
        sentence
            .ends_with("after: Input 0 has unexpected scalar type: expected Float but was Char")
    );
    assert!(found.findings[0].remedy.contains("element type"), "{}", found.findings[0].remedy);
    let found = diagnosis(
        "linear",
        &[
            "E | Program identifier 'ET11' != expected 'ET12'",
            "F | Program loading failed @ 0x70000000: 0x23",
        ],
    );
    assert!(
        found.verdict.sentence.ends_with("after: Program identifier 'ET11' != expected 'ET12'")
    );
    let found = diagnosis(
        "linear",
        &[
            EXECUTION,
            "E | Check failed (check_addmm_args(in, mat1, mat2, beta, alpha, out)): ",
            "E | KernelCall failed at instruction 0:1 in operator aten::addmm.out: 0x12",
            "F | Execution of method forward failed with status 0x12",
        ],
    );
    let failed = finding(&found, Code::InstructionFailed);
    assert!(
        failed
            .title
            .ends_with("after: Check failed (check_addmm_args(in, mat1, mat2, beta, alpha, out))")
    );
    assert!(failed.remedy.contains("shapes and element types"), "{}", failed.remedy);
}

#[test]
fn lines_of_others_and_of_stages_before_are_no_reason() {
    let found = diagnosis(
        "linear",
        &[
            "E | Check failed (of_something_before)",
            EXECUTION,
            "E (12) wifi: no access point",
            "E | KernelCall failed at instruction 0:1 in operator aten::addmm.out: 0x12",
        ],
    );
    let failed = finding(&found, Code::InstructionFailed);
    assert_eq!(
        failed.title,
        "instruction 0:1 (aten::addmm.out) failed with InvalidArgument (0x12)"
    );
}

#[test]
fn the_driver_of_the_unit_is_more_than_its_status() {
    let end = [
        "E | Ethos-U invocation failed error (-1)",
        "E | CALL_DELEGATE execute failed at instruction 1: 0x23",
        "F | Execution of method forward failed with status 0x23",
    ];
    let refused = [&[EXECUTION, "E: Failed to invoke inference."], &end[..]].concat();
    let found = diagnosis("u55_linear", &refused);
    assert_eq!(
        found.verdict.sentence,
        "execution began: the Ethos-U driver refused or failed the invocation with -1"
    );
    assert_eq!(found.findings.len(), 1, "{:#?}", found.findings);
    assert_eq!(found.findings[0].at.map(|(chain, at)| (chain.0, at.0)), Some((0, 1)));
    let mismatch =
        [EXECUTION, "E: NPU config mismatch", "E: npu.macs_per_cc=7 optimizer.macs_per_cc=8"];
    let found = diagnosis("u55_linear", &[&mismatch, &end[..]].concat());
    let unit = finding(&found, Code::NpuConfiguration);
    assert!(unit.title.ends_with("npu.macs_per_cc=7 optimizer.macs_per_cc=8"), "{}", unit.title);
    // Another delegate's failure stays.
    let found = diagnosis("u55_linear", &[EXECUTION, end[1]]);
    finding(&found, Code::InstructionFailed);
}

#[test]
fn a_payload_of_another_release_is_named() {
    let found = diagnosis(
        "u55_linear",
        &[
            "I | Setting up planned buffer with mem_id=1, size 0.",
            "E | Invalid block name or malformed binary",
            "E | Failed to read VelaBinStream",
            "E | Init failed for backend EthosUBackend: 0x23",
            "I | Loading of method forward failed with status 0x23",
        ],
    );
    finding(&found, Code::NpuPayload);
    assert!(found.verdict.sentence.contains("Invalid block name"), "{:?}", found.verdict);
}

#[test]
fn outputs_that_differ_are_no_missing_backend() {
    let differ =
        "E | Model output don't match expected BundleIO bpte ref data. rtol=0.01 atol=0.01";
    for status in ["0x20", "0x32"] {
        let status = format!("E | Bundle verification failed with status {status}");
        let assert =
            "F | In function main(), assert failed (model_ok == true): Problem running model";
        let found = diagnosis("linear", &[EXECUTION, ENDED, differ, &status, assert]);
        let codes: Vec<Code> = found.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, [Code::OutputsDiffer], "{status}");
        assert!(found.verdict.sentence.starts_with("the model ran, and its outputs differ"));
    }
    // The runner prints the first line for any status; this one says that there is nothing to
    // compare with.
    let found = diagnosis(
        "linear",
        &[EXECUTION, ENDED, differ, "E | Bundle verification failed with status 0x10"],
    );
    assert!(found.verdict.sentence.contains("NotSupported (0x10)"), "{:?}", found.verdict);
    let same = "I | Model output match expected BundleIO bpte ref data.";
    let found = diagnosis("linear", &[EXECUTION, ENDED, same]);
    assert!(found.findings.is_empty(), "{:#?}", found.findings);
}

#[test]
fn a_backtrace_names_the_instruction() {
    let fault = "11-29 02:30:01.300  4242  4260 F libc    : Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0";
    for frame in [
        "11-29 02:30:01.400  4300  4300 F DEBUG   :       #00 pc 000000000012a4c0  /data/lib/libexecutorch.so \
         (torch::executor::native::addmm_out(torch::executor::KernelRuntimeContext&)+120)",
        "11-29 02:30:01.400  4300  4300 F DEBUG   : #01 pc 000000000012a4c0  /data/lib/l.so (torch::executor::native::addmm_out+120)",
        "#1  0x0000555555 in torch::executor::native::addmm_out (ctx=..., out=...) at op_addmm.cpp:40",
    ] {
        let found = diagnosis("linear", &[EXECUTION, fault, frame]);
        let hung = found.in_flight.as_ref().expect("an instruction");
        assert_eq!((hung.chain.0, hung.instruction.0, hung.or_later), (0, 1, false), "{frame}");
    }
    let other = "#00 pc 000000000012a4c0  /data/lib/libc.so (memcpy+120)";
    let found = diagnosis("linear", &[EXECUTION, fault, other]);
    assert!(found.in_flight.is_some_and(|hung| hung.or_later));
}

#[test]
fn a_pool_that_is_not_set_is_given_its_size() {
    let found = diagnosis(
        "linear",
        &[
            "I | Setting up planned buffer with mem_id=3, size 72.",
            "F | In function runner_init(), assert failed (false): Planned buffer 2 uses \
             mem_id=3/FAST_MEMORY_REGION, but ET_ARM_BAREMETAL_PLANNED_FAST_MEMORY_SIZE is not set",
        ],
    );
    let remedy = &finding(&found, Code::AssertFailed).remedy;
    assert!(remedy.contains("ET_ARM_BAREMETAL_PLANNED_FAST_MEMORY_SIZE=0x50"), "{remedy}");
}
