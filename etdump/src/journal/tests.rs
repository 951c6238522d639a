//! Journals that are written, damaged and read again.

use super::record::{WORDS, check_of_record};
use super::*;
use crate::tracer::{AllocationRecord, AllocatorIndex, AllocatorInfo, Place, Ticks, Tracer};
use crate::writer::{Contents, EtDumpWriter};
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, InstructionId};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::vec::Vec;

fn memory(bytes: usize) -> Vec<AtomicU32> {
    (0..bytes / 4).map(|_| AtomicU32::new(0)).collect()
}

fn bytes(memory: &[AtomicU32]) -> Vec<u8> {
    memory.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
}

fn at(instruction: u32) -> Place {
    Place::Instruction(ChainId(0), InstructionId(instruction))
}

/// A clock that counts its readings.
fn counter() -> impl FnMut() -> Ticks {
    let mut now = 0;
    move || {
        now += 1;
        Ticks(now)
    }
}

/// A method of `instructions` kernel calls, of which the last never ends.
fn hang(tracer: &mut impl Tracer, instructions: u32) {
    tracer.begin_run("Default", &[]);
    let load = tracer.begin("Program::load_method", Place::Method);
    tracer.end("Program::load_method", Place::Method, load);
    tracer.begin_run("Execute", &[]);
    tracer.begin("Method::execute", Place::Method);
    for instruction in 0..instructions {
        let call = tracer.begin("OPERATOR_CALL", at(instruction));
        let kernel = tracer.begin("native_call_add.out", at(instruction));
        if instruction + 1 < instructions {
            tracer.end("native_call_add.out", at(instruction), kernel);
            tracer.end("OPERATOR_CALL", at(instruction), call);
        }
    }
}

fn hung(size: usize, instructions: u32) -> Vec<u8> {
    let memory = memory(size);
    let journal = Journal::create(&memory, Config::for_bytes(size)).expect("a journal");
    hang(&mut JournalTracer::new(journal, counter(), Detail::Kernels, "forward"), instructions);
    bytes(&memory)
}

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn the_instruction_in_flight_is_known_in_every_size() {
    for size in [512, 516, 1024, 1500, 4096, 65536, 1 << 20] {
        let snapshot = Snapshot::parse(&hung(size, 40)).expect("a journal");
        let lives = snapshot.lives();
        let open = &lives[0].open;
        let last = open.last().expect("something is open");
        assert_eq!((last.scope, last.instruction), (Scope::Kernel, 39), "{size}");
        assert_eq!(snapshot.name(last.name), Some("native_call_add.out"));
        let instruction = &open[open.len() - 2];
        assert_eq!(instruction.scope, Scope::Instruction);
        assert!(open.iter().all(|scope| scope.certain));
        assert_eq!(snapshot.counts.corrupt + snapshot.counts.torn + snapshot.counts.stale, 0);
    }
}

#[test]
fn old_records_are_overwritten_and_counted() {
    let snapshot = Snapshot::parse(&hung(512, 100)).expect("a journal");
    let written = 4 + 1 + 99 * 4 + 2;
    assert_eq!(snapshot.counts.intact, snapshot.capacity as usize);
    assert_eq!(snapshot.counts.overwritten, written - u64::from(snapshot.capacity));
    let sequences: Vec<u32> = snapshot.records.iter().map(|r| r.sequence).collect();
    assert!(sequences.windows(2).all(|w| w[1] == w[0] + 1), "{sequences:?}");
    assert_eq!(u64::from(*sequences.last().expect("records")), written);
}

#[test]
fn sequence_numbers_go_round() {
    let memory = memory(1024);
    let journal = Journal::create(&memory, Config::for_bytes(1024)).expect("a journal");
    memory[12].store(u32::MAX - 2, Ordering::Relaxed);
    for value in 0..6 {
        journal.record(value.into(), Event::Mark { number: 1, value });
    }
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    let sequences: Vec<u32> = snapshot.records.iter().map(|record| record.sequence).collect();
    let last = u32::MAX;
    // Slots on either side of the wrap may be the same: the newer record stays.
    assert!([0, 1, 2].iter().all(|s| sequences.contains(s)), "{sequences:?}");
    assert!(sequences.is_sorted_by_key(|s| s.wrapping_sub(last - 2)), "{sequences:?}");
    assert_eq!(snapshot.counts.corrupt + snapshot.counts.torn, 0);
}

#[test]
fn memory_without_room_is_refused() {
    let small = memory(220);
    let error = Journal::create(&small, Config::for_bytes(220)).expect_err("no room");
    assert!(error.to_string().contains("512"), "{error}");
    assert!(Journal::create(&[], Config::for_bytes(0)).is_err());
}

#[test]
fn a_record_that_is_being_written_is_torn_not_corrupt() {
    let mut image = hung(1024, 40);
    let snapshot = Snapshot::parse(&image).expect("a journal");
    let newest = snapshot.records.last().expect("records").sequence;
    let ring = u32::from_le_bytes(image[20..24].try_into().expect("a word")) as usize;
    let slot = |sequence: u32| ring + (sequence % snapshot.capacity) as usize * RECORD_BYTES;
    // The writer has got as far as the kind of the next record.
    let next = slot(newest + 1);
    image[next..next + 4].copy_from_slice(&(newest + 1).to_le_bytes());
    image[next + 4] ^= 0x55;
    let torn = Snapshot::parse(&image).expect("a journal");
    assert_eq!((torn.counts.torn, torn.counts.corrupt), (1, 0));
    // Anywhere else it is damage.
    image[slot(newest - 3) + 5] ^= 1;
    let damaged = Snapshot::parse(&image).expect("a journal");
    assert_eq!((damaged.counts.torn, damaged.counts.corrupt), (1, 1));
    assert!(damaged.lives()[0].open.iter().any(|scope| !scope.certain));
}

#[test]
fn heartbeats_do_not_push_out_what_the_board_hangs_in() {
    let memory = memory(512);
    let journal = Journal::create(&memory, Config::for_bytes(512)).expect("a journal");
    hang(&mut JournalTracer::new(journal, counter(), Detail::Kernels, "forward"), 40);
    for beat in 0..1000 {
        journal.heartbeat(1_000_000 + beat, 0x2000_1000);
    }
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    let life = snapshot.lives().pop().expect("a life");
    let open = life.open.last().expect("something is open");
    assert_eq!((open.instruction, open.certain), (39, true));
    assert_eq!((life.last_ticks, snapshot.heartbeats), (1_000_999, 1000));
    assert!(!snapshot.last_execution_ended());
    // With something in between there is one more.
    journal.record(2_000_000, Event::Mark { number: 1, value: 2 });
    journal.heartbeat(2_000_001, 0);
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    let beats = |event: &Option<Event>| matches!(event, Some(Event::Heartbeat { .. }));
    assert_eq!(snapshot.records.iter().filter(|record| beats(&record.event)).count(), 2);
}

#[test]
fn only_a_record_says_that_an_execution_ended() {
    let memory = memory(1024);
    let journal = Journal::create(&memory, Config::for_bytes(1024)).expect("a journal");
    let ended = |bytes: &[u8]| Snapshot::parse(bytes).expect("a journal").last_execution_ended();
    let mut tracer = JournalTracer::new(journal, counter(), Detail::Kernels, "forward");
    tracer.begin_run("Execute", &[]);
    let execution = tracer.begin("Method::execute", Place::Method);
    assert!(!ended(&bytes(&memory)));
    tracer.end("Method::execute", Place::Method, execution);
    assert!(ended(&bytes(&memory)));
    // It is the newest, whatever else is not in the dump.
    assert!(ended(&bytes(&memory)[..1000]));
    let image = bytes(&memory);
    let ring = u32::from_le_bytes(image[20..24].try_into().expect("a word")) as usize;
    assert!(!ended(&image[..ring + 2 * RECORD_BYTES]));
    // All that is left are marks.
    for number in 0..100 {
        journal.record(9_000, Event::Mark { number, value: 0 });
    }
    assert!(!ended(&bytes(&memory)));
}

#[test]
fn a_record_of_an_older_round_is_stale() {
    let mut image = hung(1024, 40);
    let snapshot = Snapshot::parse(&image).expect("a journal");
    let newest = snapshot.records.last().expect("records").sequence;
    let ring = u32::from_le_bytes(image[20..24].try_into().expect("a word")) as usize;
    let slot = ring + ((newest - 2) % snapshot.capacity) as usize * RECORD_BYTES;
    let event = Event::Mark { number: 1, value: 2 };
    let [head, a, b, c] = event.body();
    let mut old = [newest - 2 - snapshot.capacity, 5, 0, head, a, b, c, 0];
    old[WORDS - 1] = check_of_record(&old);
    for (i, word) in old.iter().enumerate() {
        image[slot + i * 4..][..4].copy_from_slice(&word.to_le_bytes());
    }
    let snapshot = Snapshot::parse(&image).expect("a journal");
    assert_eq!((snapshot.counts.stale, snapshot.counts.corrupt), (1, 0));
}

#[test]
fn no_damage_makes_a_false_record() {
    let original = hung(2048, 60);
    let written: HashSet<Vec<u8>> = {
        let big = Snapshot::parse(&hung(1 << 20, 60)).expect("a journal");
        big.records.iter().map(|r| std::format!("{r:?}").into_bytes()).collect()
    };
    let mut random = Random(1);
    for round in 0..10_000 {
        let mut image = original.clone();
        let count = if round % 2 == 0 { 1 } else { 1 + random.below(64) };
        for _ in 0..count {
            let at = random.below(image.len());
            image[at] ^= 1 << random.below(8);
            if round % 3 == 0 {
                image[at] = random.below(256) as u8;
            }
        }
        if round % 7 == 0 {
            image.truncate(random.below(image.len()));
        }
        let Ok(snapshot) = Snapshot::parse(&image) else { continue };
        for record in &snapshot.records {
            assert!(written.contains(std::format!("{record:?}").as_bytes()), "{record:?}");
        }
        let _ = (snapshot.lives(), replay(&snapshot, Contents::Full));
        let _ = scan(&image);
    }
}

#[test]
fn any_number_of_writers_lose_nothing() {
    let memory = memory(1 << 20);
    let journal = Journal::create(&memory, Config::for_bytes(1 << 20)).expect("a journal");
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                for value in 0..5_000 {
                    journal.record(value.into(), Event::Mark { number, value });
                }
            });
        }
    });
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    assert_eq!(snapshot.counts.intact, 20_000);
    for writer in 0..4 {
        let values = snapshot.records.iter().filter_map(|record| match record.event {
            Some(Event::Mark { number, value }) if number == writer => Some(value),
            _ => None,
        });
        assert!(values.eq(0..5_000), "the order within a writer");
    }
}

#[test]
fn a_journal_survives_a_reset() {
    let memory = memory(1024);
    let config = Config { program_id: 7, ..Config::for_bytes(1024) };
    let journal = Journal::create(&memory, config).expect("a journal");
    hang(&mut JournalTracer::new(journal, counter(), Detail::Instructions, "forward"), 3);
    let journal = Journal::resume(&memory, config, 0x40, 0).expect("a journal");
    journal.record(1, Event::Mark { number: 1, value: 1 });
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    assert_eq!(snapshot.boots, 2);
    let lives = snapshot.lives();
    assert_eq!(lives.len(), 2);
    assert_eq!(lives[0].open.last().map(|open| open.instruction), Some(2));
    assert_eq!((lives[1].reason, lives[1].open.len()), (Some(0x40), 0));
    // Another program, or no journal at all: it begins anew.
    let other = Config { program_id: 8, ..config };
    Journal::resume(&memory, other, 0, 0).expect("a journal");
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    assert_eq!((snapshot.boots, snapshot.counts.intact), (1, 0));
}

#[test]
fn journals_are_found_in_a_dump() {
    let mut dump = std::vec![0xa5; 1001];
    dump.extend(hung(1024, 5));
    dump.extend(b"ETJOURNL is only a text here");
    dump.extend(hung(512, 9));
    dump.truncate(dump.len() - 40);
    let found = scan(&dump);
    let offsets: Vec<usize> = found.iter().map(|f| f.offset).collect();
    assert_eq!(offsets, [1001, 2025, 2053]);
    assert!(found[0].journal.is_ok() && found[1].journal.is_err());
    let cut = found[2].journal.as_ref().expect("a journal that is cut off");
    assert_eq!(cut.missing_bytes, 40);
}

#[test]
fn allocators_keep_their_high_water_marks() {
    let memory = memory(1024);
    let journal = Journal::create(&memory, Config::for_bytes(1024)).expect("a journal");
    let mut tracer = JournalTracer::new(journal, counter(), Detail::Kernels, "forward");
    let infos = [("method", 1024), ("planned_1", u64::MAX), ("temp", 64)];
    tracer.begin_run("Default", &infos.map(|(name, capacity)| AllocatorInfo { name, capacity }));
    let allocation = |allocator, size, offset| AllocationRecord {
        allocator: AllocatorIndex(allocator),
        size,
        offset,
    };
    tracer.allocation(allocation(0, 100, 16));
    tracer.allocation(allocation(2, 64, 0));
    tracer.allocation(allocation(2, 8, 0));
    journal.allocation(9, 0, 5000, 116, 0x21);
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    let states: Vec<AllocatorState> = snapshot.allocators.iter().flatten().copied().collect();
    let shown: Vec<_> = states.iter().map(|s| (s.name(), s.used, s.peak, s.failures)).collect();
    let expected = [("method", 116, 116, 1), ("planned_1", 0, 0, 0), ("temp", 8, 64, 0)];
    assert_eq!(shown, expected.map(|(n, used, peak, f)| (n.into(), used, peak, f)));
    assert_eq!(states[1].capacity, u32::MAX);
}

#[test]
fn a_replayed_trace_is_the_trace_of_the_run() {
    let run = |tracer: &mut dyn Tracer| {
        let infos = [AllocatorInfo { name: "method", capacity: 9 }];
        for (name, place) in [("Default", Place::Method), ("Execute", at(0)), ("Execute", at(1))] {
            tracer.begin_run(name, &infos);
            tracer.allocation(AllocationRecord {
                allocator: AllocatorIndex(0),
                size: 4,
                offset: 0,
            });
            let outer = tracer.begin("OPERATOR_CALL", place);
            let inner = tracer.begin("native_call_mul.out", place);
            tracer.end("native_call_mul.out", place, inner);
            tracer.end("OPERATOR_CALL", place, outer);
        }
    };
    // Both clocks are read at the same places: the journal's also at runs and allocations.
    let memory = memory(1 << 16);
    let journal = Journal::create(&memory, Config::for_bytes(1 << 16)).expect("a journal");
    let clock = std::rc::Rc::new(std::cell::Cell::new(0));
    let shared = |clock: &std::rc::Rc<std::cell::Cell<u64>>| {
        let clock = clock.clone();
        move || Ticks(clock.get())
    };
    let mut tracer = JournalTracer::new(journal, shared(&clock), Detail::Kernels, "forward");
    run(&mut tracer);
    let mut writer = EtDumpWriter::new(shared(&clock), Contents::Full);
    run(&mut writer);
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    let replayed = replay(&snapshot, Contents::Full);
    assert_eq!(replayed.trace, writer.finish());
    assert_eq!((replayed.unfinished, replayed.without_beginning, replayed.events), (0, 0, 9));
}

#[test]
fn failures_close_what_they_leave() {
    let memory = memory(1024);
    let journal = Journal::create(&memory, Config::for_bytes(1024)).expect("a journal");
    let mut tracer = JournalTracer::new(journal, counter(), Detail::Kernels, "forward");
    tracer.begin_run("Execute", &[]);
    tracer.begin("Method::execute", Place::Method);
    tracer.begin("OPERATOR_CALL", at(0));
    tracer.begin("native_call_add.out", at(0));
    tracer.failed("OPERATOR_CALL", at(0), ErrorCode::InvalidArgument);
    tracer.failed("Method::execute", Place::Method, ErrorCode::InvalidArgument);
    let snapshot = Snapshot::parse(&bytes(&memory)).expect("a journal");
    assert!(snapshot.lives()[0].open.is_empty());
    let statuses: Vec<u32> = snapshot
        .records
        .iter()
        .filter_map(|record| match record.event {
            Some(Event::End { status, .. }) => Some(status),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [0x12, 0x12]);
}

#[test]
fn a_mapping_keeps_what_was_written() {
    let folder = std::env::temp_dir().join(std::format!("journal-test-{}", std::process::id()));
    let mapping = Mapping::create(&folder, 4096).expect("a file");
    let journal = Journal::create(mapping.words(), Config::for_bytes(4096)).expect("a journal");
    journal.record(3, Event::Mark { number: 4, value: 5 });
    let seen = std::fs::read(&folder).expect("the file");
    std::fs::remove_file(&folder).expect("the file");
    let snapshot = Snapshot::parse(&seen).expect("a journal");
    assert_eq!(snapshot.records[0].event, Some(Event::Mark { number: 4, value: 5 }));
}
