//! Pools that ran out, the settings that are named for them, and logs of
//! another program.

use super::*;
use crate::target::settings;

const LINEAR: &str = "models/linear/model.pte";
const DELEGATED: &str = "models/u55_linear/model.pte";

fn program(path: &str) -> Vec<u8> {
    let path = format!("{}/../tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a fixture")
}

fn with_target(program: &[u8], log: &str, target: Option<&Target>) -> Diagnosis {
    let file = File::parse(program).expect("a program");
    let log = Log::parse(log.as_bytes());
    diagnose(Evidence {
        file: &file,
        method: file.methods().next().expect("a method"),
        abi: Abi::Arm32,
        target,
        log: Some(&log),
        journal: None,
        trace: None,
        symbols: &NoSymbols,
    })
    .expect("a diagnosis")
}

fn diagnosis(program: &[u8], log: &str) -> Diagnosis {
    with_target(program, log, None)
}

fn find(found: &Diagnosis, code: Code) -> Option<&Finding> {
    found.findings.iter().find(|finding| finding.code == code)
}

fn pool(found: &Diagnosis) -> &Finding {
    find(found, Code::PoolExhausted).unwrap_or_else(|| panic!("{:?}", found.findings))
}

fn evidence<'f>(finding: &'f Finding, name: &str) -> Option<&'f str> {
    finding.evidence.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
}

/// Pools of a program as `etinspect memory` has them.
fn needs(program: &[u8]) -> Needs {
    let file = File::parse(program).expect("a program");
    let method = file.methods().next().expect("a method");
    let memory = MethodMemory::new(&file, method, Abi::Arm32).expect("memory");
    Needs::of(&memory, program.len() as u64)
}

/// Today's Arm runner with a pool of `pool` bytes, up to its planned buffers.
fn arm(program: &[u8], pool: u64) -> String {
    let file = File::parse(program).expect("a program");
    let method = file.methods().next().expect("a method");
    let mut log = format!(
        "PTE Model data loaded. Size: {} bytes.\nModel buffer loaded, has 1 methods\n\
         Running method forward\nSetup Method allocator pool. Size: {pool} bytes.\n",
        program.len()
    );
    for (id, size) in method.planned_buffers() {
        log += &format!("Setting up planned buffer with mem_id={id}, size {size}.\n");
    }
    log
}

const LOADED: &str = "Method 'forward' loaded.\nPreparing inputs...\nInput prepared.\n\
                      Starting running 1 inferences...\n";

#[test]
fn a_pool_for_an_unknown_program_is_larger_than_the_one_that_failed() {
    let bytes = program(LINEAR);
    let log = arm(&bytes, 4096).replace("Size: 1596 bytes", "Size: 1600 bytes")
        + "Memory allocation failed: 48B requested, 44B available\n\
           Loading of method forward failed with status 0x21\n";
    let found = diagnosis(&bytes, &log);
    let finding = pool(&found);
    assert!(finding.remedy.contains("more than 4100 bytes"), "{}", finding.remedy);
    assert_eq!(evidence(finding, "required_bytes_at_least"), Some("4100"));
    // The table comes first, and more than the planned buffers was taken.
    assert!(finding.title.starts_with("an object of the loader"), "{}", finding.title);
    // Of another program, the size of the table says how many values it has.
    let found = diagnosis(&bytes, &log.replace("48B requested, 44B", "4800B requested, 3984B"));
    let title = &pool(&found).title;
    assert!(title.starts_with("very probably the value table (300 values"), "{title}");
}

#[test]
fn the_value_table_is_that_of_the_program() {
    let bytes = program(LINEAR);
    let log = "Memory allocation failed: 48B requested, 44B available\n\
               Loading of method forward failed with status 0x21\n";
    let title = pool(&diagnosis(&bytes, log)).title.clone();
    assert!(title.starts_with("an object of the loader needs 48"), "{title}");
    // Its table has 10 values.
    let log = log.replace("48B requested", "160B requested");
    let title = pool(&diagnosis(&bytes, &log)).title.clone();
    assert!(title.starts_with("very probably the value table (10 values of 16 bytes)"), "{title}");
}

#[test]
fn a_debug_buffer_that_gets_no_memory_is_named() {
    let bytes = program(LINEAR);
    for wording in [
        "ETDump: Could not allocate memory for output buffer size 2097152",
        "ETDump: Could not allocate memory for intermediate output buffer size 2097152",
        "ETDump: Could not allocate output buffer size 2097152",
    ] {
        let log = arm(&bytes, 1_048_576)
            + "Setting up ETDump\n\
               Memory allocation failed: 2097152B requested, 1048464B available\n"
            + wording
            + "\n"
            + LOADED;
        let found = diagnosis(&bytes, &log);
        let finding = pool(&found);
        assert!(finding.title.starts_with("the trace's debug buffer needs 2097152"), "{found:?}");
        // 112 bytes of planned buffers, the debug buffer, and what the loader takes.
        let required = needs(&bytes).runners.arm + 2_097_152;
        assert_eq!(evidence(finding, "required_bytes"), Some(required.to_string().as_str()));
        let option = format!("METHOD_ALLOCATOR_POOL_SIZE={:#x}", required.next_multiple_of(16));
        assert!(finding.remedy.contains(&option), "{}", finding.remedy);
    }
}

#[test]
fn the_text_of_a_trace_is_from_the_method_allocator() {
    let bytes = program(LINEAR);
    let log = arm(&bytes, 1024)
        + LOADED
        + "1 inferences finished\nModel run: 1\n[base64] buffer size: 2084\n\
           Memory allocation failed: 2085B requested, 408B available\n";
    let named = log.clone() + "Could not allocate memory etdump base64 encoding size 2085\n";
    for (log, what) in [(named, "the text that the trace is printed as"), (log, "an allocation")] {
        let found = diagnosis(&bytes, &log);
        let finding = pool(&found);
        assert!(finding.title.starts_with(what), "{}", finding.title);
        assert!(finding.title.ends_with("the method allocator has 408 left of its 1024"));
        assert_eq!(evidence(finding, "pool"), Some("method"));
        // 616 bytes were taken.
        assert!(finding.remedy.contains("POOL_SIZE=0xa90 "), "{}", finding.remedy);
    }
}

#[test]
fn an_allocator_that_the_log_does_not_show_is_not_guessed() {
    let failed = "Memory allocation failed: 64B requested, 0B available\n";
    let bytes = program(LINEAR);
    let found = diagnosis(&bytes, &(arm(&bytes, 62_914_560) + LOADED + failed));
    let finding = pool(&found);
    assert_eq!(evidence(finding, "pool"), Some("unknown"), "{finding:?}");
    assert!(finding.title.starts_with("an allocation during the execution needs 64 bytes"));
    assert!(finding.remedy.contains("64 bytes larger"), "{}", finding.remedy);
    // A delegate of the Ethos-U does take scratch memory.
    let bytes = program(DELEGATED);
    let found = diagnosis(&bytes, &(arm(&bytes, 62_914_560) + LOADED + failed));
    assert_eq!(evidence(pool(&found), "pool"), Some("temp"), "{found:?}");
}

#[test]
fn the_setting_is_that_of_the_runner_of_the_log() {
    for model in [LINEAR, "models/q_cnn/model.pte"] {
        let bytes = program(model);
        let needs = needs(&bytes);
        let options = settings(&needs, None);
        let planned = needs.planned[0].1;
        let failed = format!(
            "Setup Method allocator pool. Size: {} bytes.\n\
             Setting up planned buffer 0, size {planned}.\n\
             Memory allocation failed: 32B requested (adjusted for alignment), 20B available\n\
             Loading of method forward failed with status 0x21\n",
            planned + 36
        );
        let remedy = |log: &str, target: Option<&Target>| {
            pool(&with_target(&bytes, log, target)).remedy.clone()
        };
        let setting = "CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE=";
        let zephyr = remedy(&format!("*** Booting Zephyr OS build v4.1.0 ***\n{failed}"), None);
        let line = options.zephyr.lines().find(|l| l.starts_with(setting)).expect("a setting");
        assert!(zephyr.contains(&format!("{line})")), "{zephyr}");
        assert!(!zephyr.contains("ET_ARM_BAREMETAL"), "{zephyr}");

        let esp32 = crate::target::find("esp32-s3-devkitc").expect("a board");
        let pool = needs.method_pool(None).next_multiple_of(16);
        let setting = format!("ET_ESP_METHOD_ALLOCATOR_POOL_SIZE={pool})");
        for espressif in [
            remedy(&failed, Some(&esp32)),
            remedy(&format!("ESP-ROM:esp32s3-20210327\n{failed}"), None),
        ] {
            assert!(espressif.contains(&setting), "{espressif}");
            assert!(!espressif.contains("ET_ARM_BAREMETAL"), "{espressif}");
        }

        let log = failed.replace("buffer 0,", "buffer with mem_id=1,");
        let arm = remedy(&log, None);
        assert!(arm.contains(&options.arm_runner), "{arm}");
        assert!(!arm.contains("CONFIG_"), "{arm}");
        // Zephyr's sample may have lost its banner: the larger number, and both names.
        let either = remedy(&failed, None);
        assert!(either.contains(line) && either.contains("-DET_ARM_BAREMETAL"), "{either}");
    }
}

#[test]
fn a_pool_that_cannot_hold_the_program_is_named_in_a_silent_log() {
    let bytes = program(LINEAR);
    let found = diagnosis(&bytes, &arm(&bytes, 470));
    let title = "the method allocator's pool has 470 bytes, the program needs 616";
    assert_eq!(pool(&found).title, title);
    assert!(found.verdict.sentence.contains(title), "{:?}", found.verdict);
    let enough = diagnosis(&bytes, &arm(&bytes, 616));
    assert!(find(&enough, Code::PoolExhausted).is_none(), "{:?}", enough.findings);

    let found = diagnosis(&bytes, &(arm(&bytes, 470) + LOADED));
    let known = found.candidates.iter().find(|c| c.code == Code::NullWrite).expect("a candidate");
    assert!(known.why.contains("470 bytes and the program needs 616"), "{}", known.why);
    assert_eq!(known.likelihood, Likelihood::Possible);
}

#[test]
fn a_size_that_the_runner_does_not_know_is_none() {
    let bytes = program(LINEAR);
    let log = arm(&bytes, 62_914_560).replace("Size: 1596 bytes", "Size: 268435456 bytes")
        + LOADED
        + "1 inferences finished\n\
           model_pte_program_size: 268435456 bytes. (pte size unknown when not baked into elf)\n\
           model_pte_loaded_size: 268435456 bytes. (pte size unknown when not baked into elf)\n\
           Program complete, exiting.\n";
    let found = diagnosis(&bytes, &log);
    assert!(find(&found, Code::OtherProgram).is_none(), "{:?}", found.findings);
    assert_eq!(found.verdict.confidence, Confidence::High);
    // Other planned buffers are still those of another program.
    let found = diagnosis(&bytes, &log.replace("size 112.", "size 128."));
    assert!(find(&found, Code::OtherProgram).is_some());
}

#[test]
fn what_the_program_cannot_do_is_of_another_program() {
    let bytes = program(LINEAR);
    let loaded = arm(&bytes, 62_914_560);
    let runs = loaded.clone() + LOADED;
    let other = [
        runs.clone() + "KernelCall failed at instruction 0:7 in operator aten::addmm.out: 0x12\n",
        runs.clone() + "KernelCall failed at instruction 0:1 in operator aten::mul.out: 0x12\n",
        runs.clone() + "CALL_DELEGATE execute failed at instruction 0: 0x23\n",
        loaded.clone() + "Missing operator: [0] aten::convolution.out\n",
        loaded.clone() + "Backend XnnpackBackend is not registered.\n",
        loaded.replace("Running method forward", "Running method encode"),
    ];
    for log in other {
        let found = diagnosis(&bytes, &log);
        assert!(find(&found, Code::OtherProgram).is_some(), "{log}\n{:?}", found.findings);
        assert_ne!(found.verdict.confidence, Confidence::High, "{log}");
    }
    let same = [
        runs.clone() + "KernelCall failed at instruction 0:1 in operator aten::addmm.out: 0x12\n",
        loaded.clone() + "Missing operator: [0] aten::addmm.out\n",
    ];
    for log in same {
        let found = diagnosis(&bytes, &log);
        assert!(find(&found, Code::OtherProgram).is_none(), "{log}\n{:?}", found.findings);
    }
    let bytes = program(DELEGATED);
    let runs = arm(&bytes, 62_914_560) + LOADED;
    let log = runs + "Backend EthosUBackend is not registered.\n";
    assert!(find(&diagnosis(&bytes, &log), Code::OtherProgram).is_none());
}
