//! A journal in dumps of every format, damaged in 10,000 ways: no panic, and no
//! record that was not written.

use base64::Engine;
use et_inspector::image::{Format, Image};
use etdump::journal::{Config, Event, Journal, Record, Scope, Snapshot, scan};
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

const BYTES: usize = 1024;
const ADDRESS: u32 = 0x2000_0100;

/// The journal of a run that hangs.
fn journal() -> Vec<u8> {
    let memory: Vec<AtomicU32> = (0..BYTES / 4).map(|_| AtomicU32::new(0)).collect();
    let journal = Journal::create(&memory, Config::for_bytes(BYTES)).expect("a journal");
    let name = journal.intern("native_call_add.out").0.into();
    for instruction in 0..30 {
        let (scope, chain, execution) = (Scope::Instruction, Some(0), 1);
        let begin = Event::Begin { scope, chain, instruction, name, execution };
        journal.record(u64::from(instruction) * 10, begin);
        if instruction < 29 {
            let end = Event::End { scope, chain, instruction, name, status: 0 };
            journal.record(u64::from(instruction) * 10 + 5, end);
        }
    }
    memory.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
}

/// An ELF core of 32 bits with one segment.
fn elf(data: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    let halves = |file: &mut Vec<u8>, all: &[u16]| {
        all.iter().for_each(|half| file.extend(half.to_le_bytes()));
    };
    let words = |file: &mut Vec<u8>, all: &[u32]| {
        all.iter().for_each(|word| file.extend(word.to_le_bytes()));
    };
    halves(&mut file, &[4, 40]); // core, Arm
    words(&mut file, &[1, 0, 52, 0, 0]);
    halves(&mut file, &[52, 32, 1, 40, 0, 0]);
    let size = data.len() as u32;
    words(&mut file, &[1, 84, ADDRESS, ADDRESS, size, size, 6, 4]);
    file.extend(data);
    file
}

fn hex(data: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    let mut record = |kind: u8, address: u16, data: &[u8]| {
        let [high, low] = address.to_be_bytes();
        let mut bytes = vec![data.len() as u8, high, low, kind];
        bytes.extend(data);
        bytes.push(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte)));
        text.push(':');
        bytes.iter().for_each(|byte| write!(text, "{byte:02X}").expect("a string"));
        text.push('\n');
    };
    record(4, 0, &[0x20, 0x00]);
    for (index, chunk) in data.chunks(16).enumerate() {
        record(0, 0x100 + index as u16 * 16, chunk);
    }
    record(1, 0, &[]);
    text.into_bytes()
}

fn s_records(data: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for (index, chunk) in data.chunks(16).enumerate() {
        let mut bytes = vec![chunk.len() as u8 + 5];
        bytes.extend((ADDRESS + index as u32 * 16).to_be_bytes());
        bytes.extend(chunk);
        bytes.push(!bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)));
        text.push_str("S3");
        bytes.iter().for_each(|byte| write!(text, "{byte:02X}").expect("a string"));
        text.push('\n');
    }
    text.into_bytes()
}

fn uf2(data: &[u8]) -> Vec<u8> {
    let count = data.len().div_ceil(256) as u32;
    let mut file = Vec::new();
    for (index, chunk) in data.chunks(256).enumerate() {
        let at = ADDRESS + index as u32 * 256;
        let head = [0x0a32_4655, 0x9e5d_5157, 0, at, chunk.len() as u32, index as u32, count, 0u32];
        let start = file.len();
        head.iter().for_each(|word| file.extend(word.to_le_bytes()));
        file.extend(chunk);
        file.resize(start + 508, 0);
        file.extend(0x0ab1_6f30u32.to_le_bytes());
    }
    file
}

fn capture(data: &[u8]) -> Vec<u8> {
    let coded = base64::engine::general_purpose::STANDARD.encode(data);
    format!("boot\r\n#[RUN THIS]\r\necho \"{coded}\" | base64 -d >journal.etj\r\n#[END]\r\n").into()
}

fn dumps(journal: &[u8]) -> Vec<(Format, Vec<u8>)> {
    let mut raw = vec![0xa5; 333];
    raw.extend(journal);
    raw.extend([0; 100]);
    vec![
        (Format::Raw, raw),
        (Format::Elf, elf(journal)),
        (Format::IntelHex, hex(journal)),
        (Format::SRecord, s_records(journal)),
        (Format::Uf2, uf2(journal)),
        (Format::Capture, capture(journal)),
    ]
}

/// The journals in a dump.
fn journals(dump: &[u8]) -> Vec<Snapshot> {
    let image = Image::read(dump);
    let found = image.segments.iter().flat_map(|segment| scan(&segment.bytes));
    found.filter_map(|found| found.journal.ok()).collect()
}

fn words(record: &Record) -> String {
    format!("{record:?}")
}

#[test]
fn a_journal_is_found_whole_in_every_format() {
    let journal = journal();
    let expected = Snapshot::parse(&journal).expect("a journal");
    for (format, dump) in dumps(&journal) {
        assert_eq!(Image::read(&dump).format, format);
        assert_eq!(journals(&dump), std::slice::from_ref(&expected), "{format:?}");
    }
}

#[test]
fn no_damage_to_a_dump_makes_a_false_record() {
    let journal = journal();
    let written: HashSet<String> =
        Snapshot::parse(&journal).expect("a journal").records.iter().map(words).collect();
    let dumps = dumps(&journal);
    let mut state = 11u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % limit
    };
    let mut still_found = 0;
    for round in 0..10_000 {
        let mut dump = dumps[round % dumps.len()].1.clone();
        let count = if round % 2 == 0 { 1 } else { 1 + below(40) };
        for _ in 0..count {
            let at = below(dump.len());
            dump[at] = if round % 3 == 0 { below(256) as u8 } else { dump[at] ^ 1 << below(8) };
        }
        if round % 7 == 0 {
            dump.truncate(below(dump.len()));
        }
        for snapshot in journals(&dump) {
            still_found += 1;
            for record in &snapshot.records {
                assert!(written.contains(&words(record)), "round {round}: {record:?}");
            }
            let _ = snapshot.lives();
        }
    }
    assert!(still_found > 2_000, "most damage leaves the journal readable: {still_found}");
}
