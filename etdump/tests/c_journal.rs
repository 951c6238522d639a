//! The C implementation writes the same bytes as the Rust one.

use etdump::journal::{AllocatorKind, Config, Event, FaultPart, Journal, Scope, Snapshot};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const DRIVER: &str = r#"
#include "etinspect_journal.h"
#include <stdio.h>
static uint64_t now = 0x100000000u;
uint64_t etj_ticks(void) { return now++; }
static uint32_t memory[SIZE / 4];
int main(void) {
  etj_journal journal;
  etj_config config = ETJ_CONFIG(sizeof memory);
  config.ticks_per_second = 1000;
  config.program_id = etj_program_id("abc", 3);
  if (etj_create(&journal, memory, sizeof memory, &config) != 0) return 1;
  const uint32_t add = etj_name(&journal, "native_call_add.out");
  etj_name(&journal, "x");
  if (etj_name(&journal, "native_call_add.out") != add) return 2;
  etj_set_allocator(&journal, 0, ETJ_METHOD, 0, 1024);
  etj_set_allocator(&journal, 1, ETJ_PLANNED, 3, 0x1ffffffffu);
  etj_allocation(&journal, 0, 100, 20, 0);
  etj_allocation(&journal, 0, 5000, 120, 0x21);
  etj_run(&journal, add, 1);
  for (uint32_t i = 0; i < ROUNDS; i++) {
    etj_begin(&journal, ETJ_INSTRUCTION, 0, i, add);
    etj_end(&journal, ETJ_INSTRUCTION, 0, i, add, i % 3);
  }
  etj_mark(&journal, 7, 8);
  for (uint32_t i = 0; i < 3; i++) etj_heartbeat(&journal, 0x20001000u - i);
  etj_stack(&journal, 0x20000800u, 0x20000000u);
  if (etj_resume(&journal, memory, sizeof memory, &config, 0x40) != 1) return 3;
  fwrite(memory, 1, sizeof memory, stdout);
  return 0;
}
"#;

/// A unit that answers once, and then never again, behind the guarded semaphores.
const UNIT: &str = r#"
#include "etinspect_journal.h"
#include <stdio.h>
static uint64_t now = 0;
uint64_t etj_ticks(void) { return now += 7; }
extern const etj_journal* etj_npu_journal;
extern uint64_t etj_npu_limit;
int etj_npu_overdue(uint64_t ticks);
void ethosu_inference_begin(void* driver, void* argument);
void ethosu_inference_end(void* driver, void* argument);
void* ethosu_semaphore_create(void);
int ethosu_semaphore_take(void* semaphore, uint64_t timeout);
int ethosu_semaphore_give(void* semaphore);
static uint32_t memory[256];
int main(void) {
  etj_journal journal;
  etj_config config = ETJ_CONFIG(sizeof memory);
  config.ticks_per_second = 1000;
  etj_resume(&journal, memory, sizeof memory, &config, ETJ_RESET(ETJ_RESET_POWER_ON));
  etj_npu_journal = &journal;
  etj_npu_limit = 5000;
  void* semaphore = ethosu_semaphore_create();
  ethosu_inference_begin(0, 0);
  ethosu_semaphore_give(semaphore);
  if (ethosu_semaphore_take(semaphore, 1) != 0 || etj_npu_overdue(4000)) return 1;
  ethosu_inference_end(0, 0);
  if (ethosu_semaphore_take(semaphore, 0) != -1) return 2;
  ethosu_inference_begin(0, 0);
  if (ethosu_semaphore_take(semaphore, ~0ull) != -1 || !etj_npu_overdue(4000)) return 3;
  fwrite(memory, 1, sizeof memory, stdout);
  return 0;
}
"#;

/// The same calls in Rust.
fn rust(size: usize, rounds: u32) -> Vec<u8> {
    let memory: Vec<AtomicU32> = (0..size / 4).map(|_| AtomicU32::new(0)).collect();
    let mut now = 0xffff_ffffu64;
    let mut tick = || {
        now += 1;
        now
    };
    let config = Config {
        ticks_per_second: 1000,
        program_id: etdump::journal::program_id(b"abc"),
        ..Config::for_bytes(size)
    };
    let journal = Journal::create(&memory, config).expect("a journal");
    let add = journal.intern("native_call_add.out");
    journal.intern("x");
    journal.set_allocator(0, AllocatorKind::Method, 0, 1024);
    journal.set_allocator(1, AllocatorKind::Planned, 3, 0x1_ffff_ffff);
    journal.allocation(tick(), 0, 100, 20, 0);
    journal.allocation(tick(), 0, 5000, 120, 0x21);
    let (scope, chain, name) = (Scope::Instruction, Some(0), u32::from(add.0));
    let execution = journal.begin_execution();
    journal.record(tick(), Event::Run { name, execution });
    for instruction in 0..rounds {
        journal.record(tick(), Event::Begin { scope, chain, instruction, name, execution });
        let status = instruction % 3;
        journal.record(tick(), Event::End { scope, chain, instruction, name, status });
    }
    journal.record(tick(), Event::Mark { number: 7, value: 8 });
    for i in 0..3 {
        journal.heartbeat(tick(), 0x2000_1000 - i);
    }
    journal.record(tick(), Event::Stack { lowest: 0x2000_0800, limit: 0x2000_0000 });
    Journal::resume(&memory, config, 0x40, tick()).expect("a journal");
    memory.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
}

/// A C compiler, if there is one.
fn compiler() -> Option<String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let there = Command::new(&compiler).arg("--version").output().is_ok();
    if !there {
        eprintln!("no C compiler, so nothing is compared");
    }
    there.then_some(compiler)
}

#[test]
fn a_unit_that_never_answers_ends_the_wait_and_is_in_the_journal() {
    let Some(compiler) = compiler() else { return };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let folder = std::env::temp_dir().join(format!("c-unit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("unit.c"), UNIT).expect("a source");
    let program = folder.join("unit");
    let files = ["etinspect_journal.c", "etinspect_ethosu_hooks.c", "etinspect_ethosu_guard.c"];
    let compiled = Command::new(&compiler)
        .args(["-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(&sources)
        .arg("-o")
        .arg(&program)
        .arg(folder.join("unit.c"))
        .args(files.map(|file| sources.join(file)))
        .output()
        .expect("the compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(&program).output().expect("the program");
    assert_eq!(ran.status.code(), Some(0));
    std::fs::remove_dir_all(&folder).expect("the folder");
    let snapshot = Snapshot::parse(&ran.stdout).expect("a journal");
    let events: Vec<&str> = snapshot
        .records
        .iter()
        .map(|record| match record.event {
            Some(Event::Begin { scope: Scope::Npu, .. }) => "begin",
            Some(Event::End { scope: Scope::Npu, .. }) => "end",
            Some(Event::Mark { number: 0x4555_0003, .. }) => "interrupt",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(events, ["begin", "interrupt", "end", "begin"]);
    assert_eq!(snapshot.lives()[0].open.len(), 1);
}

#[test]
fn c_and_rust_write_the_same_bytes() {
    let Some(compiler) = compiler() else { return };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let folder = std::env::temp_dir().join(format!("c-journal-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("driver.c"), DRIVER).expect("a source");
    for (size, rounds) in [(512, 40), (1024, 3), (4096, 500), (70_000, 100)] {
        let program = folder.join("driver");
        let compiled = Command::new(&compiler)
            .args(["-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(&sources)
            .args([format!("-DSIZE={size}"), format!("-DROUNDS={rounds}"), "-o".into()])
            .arg(&program)
            .arg(folder.join("driver.c"))
            .arg(sources.join("etinspect_journal.c"))
            .output()
            .expect("the compiler");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let ran = Command::new(&program).output().expect("the program");
        assert_eq!(ran.status.code(), Some(0));
        let expected = rust(size, rounds);
        let differs = ran.stdout.iter().zip(&expected).position(|(c, rust)| c != rust);
        assert_eq!((differs, ran.stdout.len()), (None, expected.len()), "size {size}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[test]
fn a_fault_has_its_registers() {
    let memory: Vec<AtomicU32> = (0..256).map(|_| AtomicU32::new(0)).collect();
    let journal = Journal::create(&memory, Config::for_bytes(1024)).expect("a journal");
    let event = Event::Fault { part: FaultPart::Status, registers: [1, 0x400, 0x4000_0000] };
    journal.record(0, event);
    let bytes: Vec<u8> =
        memory.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
    let snapshot = Snapshot::parse(&bytes).expect("a journal");
    assert_eq!(snapshot.records[0].event, Some(event));
}
