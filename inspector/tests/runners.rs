//! The method allocator's pool in ExecuTorch's runners, and the settings.

mod support;

use et_inspector::memory::measured::{BoardComparison, BoardNumbers};
use et_inspector::memory::{Firmware, MethodMemory, Runner};
use et_inspector::target::{Needs, settings};
use et_schema::layout::Abi;
use et_schema::pte::File;
use support::{fixtures, read};

fn with_memory(bytes: &[u8], check: impl FnOnce(&File<'_>, &MethodMemory<'_>)) {
    let file = File::parse(bytes).unwrap();
    let memory = MethodMemory::new(&file, file.methods().next().unwrap(), Abi::Arm32).unwrap();
    check(&file, &memory);
}

#[test]
fn zephyr_s_sample_needs_a_copy_of_each_input() {
    with_memory(&read("mv2_w010_q"), |_, memory| {
        assert_eq!(Runner::Arm.method_pool(memory, 0), 1_154_688 + 97_260 + 4 + 16);
        // A pointer, and 1x3x96x96 float32.
        assert_eq!(Runner::Copying.method_pool(memory, 0), 1_154_688 + 97_260 + 4 + 110_592);
    });
}

#[test]
fn a_debug_buffer_lies_before_what_is_loaded() {
    with_memory(&read("add"), |_, memory| {
        let without = Runner::Arm.method_pool(memory, 0);
        assert_eq!(Runner::Arm.method_pool(memory, 1024), without + 1024);
        assert_eq!(Runner::Copying.method_pool(memory, 1), without_inputs(memory) + 4 * 2 + 40 + 8);
    });
}

/// Planned buffers and what the loader takes.
fn without_inputs(memory: &MethodMemory<'_>) -> u64 {
    memory.plan.size() + memory.loading.method_used
}

#[test]
fn memory_id_3_is_a_pool_of_its_own_in_the_arm_runner() {
    let bytes = std::fs::read(fixtures().join("memory/three_memories.pte")).unwrap();
    with_memory(&bytes, |file, memory| {
        let sizes: Vec<u64> = memory.plan.buffers.iter().map(|b| b.size).collect();
        assert_eq!(sizes, [12_000, 12_000, 6_128]);
        assert_eq!(Runner::Arm.fast_pool(memory), 6_128);
        let all = Runner::Copying.method_pool(memory, 0);
        assert!(all > 30_128 && Runner::Arm.method_pool(memory, 0) < 30_128);
        let options = settings(&Needs::of(memory, file.bytes().len() as u64), None).arm_runner;
        assert!(
            options.ends_with("-DET_ARM_BAREMETAL_PLANNED_FAST_MEMORY_SIZE=0x17f0"),
            "{options}"
        );
    });
}

/// The Arm runner's allocator up to 2025 added sizes without the padding.
#[test]
fn logs_that_count_no_padding_are_explained() {
    with_memory(&read("softmax"), |file, memory| {
        let sizes = memory.loading.method.iter().map(|a| a.request.size);
        let loaded: u64 = sizes.sum();
        assert!(loaded < memory.loading.method_used);
        let board = BoardNumbers {
            loaded: Some(loaded),
            input: Some(4 + 16),
            used: Some(32 + loaded + 20),
            ..BoardNumbers::default()
        };
        let found = BoardComparison::new(file, memory, &board).unwrap();
        assert_eq!(found.firmware, Some(Firmware::TempPool));
        assert!(found.rows.iter().all(|row| row.predicted == row.measured), "{:#?}", found.rows);
        let why = |name: &str| {
            let row = found.rows.iter().find(|row| row.name == name).unwrap();
            row.why.clone().unwrap_or_default()
        };
        assert!(why("method_allocator_loaded").contains("without padding"));
        assert!(why("method_allocator_input").contains("copy of each tensor"));
    });
}

#[test]
fn the_debug_buffer_is_part_of_what_the_runner_counts_as_loaded() {
    with_memory(&read("softmax"), |file, memory| {
        let board = BoardNumbers {
            loaded: Some(2_097_152 + memory.loading.method_used),
            debug_buffer: Some(2_097_152),
            input: Some(16),
            ..BoardNumbers::default()
        };
        let found = BoardComparison::new(file, memory, &board).unwrap();
        assert_eq!(found.firmware, Some(Firmware::TempPool));
        assert!(found.is_explained(), "{:#?}", found.rows);
        assert!(found.rows[0].why.as_ref().unwrap().starts_with("2097152 bytes of it"));
    });
}

#[test]
fn an_input_without_planned_memory_is_told_on_boards() {
    let unplanned = std::fs::read(fixtures().join("memory/unplanned_input.pte")).unwrap();
    let codes = |bytes: &[u8], abi: Abi| -> Vec<&str> {
        let file = File::parse(bytes).unwrap();
        let memory = MethodMemory::new(&file, file.methods().next().unwrap(), abi).unwrap();
        memory.findings.iter().map(|finding| finding.code.page().code).collect()
    };
    assert_eq!(codes(&unplanned, Abi::Arm32), ["ETM010"]);
    assert_eq!(codes(&unplanned, Abi::Aarch64), [""; 0]);
    assert_eq!(codes(&read("add"), Abi::Arm32), [""; 0]);
}
