//! Traces with flipped bits, cuts and pieces of other traces: whatever is
//! accepted is read to the last value, nothing panics, and no more is read
//! than the file can hold.

mod support;

use et_schema::etdump::{Event, File, Value};
use std::fs;
use std::hint::black_box;
use support::Random;

/// The reader stops at a multiple of the file's size, by its own rule.
const MAX_SHARING: usize = 16;

fn traces() -> Vec<Vec<u8>> {
    let paths = fs::read_dir(support::path("traces")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "etdp")).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).filter(|bytes| bytes.len() < 70_000).collect()
}

fn mutate(traces: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = traces[random.below(traces.len())].clone();
    for _ in 0..random.below(4) + 1 {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => {
                let word = random.next().to_le_bytes();
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            3 if random.below(3) == 0 => bytes.truncate(at.max(12)),
            _ => {
                let other = &traces[random.below(traces.len())];
                let from = random.below(other.len());
                let len = random.below(64).min(other.len() - from).min(bytes.len() - at);
                bytes[at..at + len].copy_from_slice(&other[from..from + len]);
            }
        }
    }
    bytes
}

/// Reads everything, and counts the bytes that were visited.
fn walk(file: &File<'_>) -> usize {
    let mut visited = 0;
    black_box((file.version(), file.is_size_prefixed(), file.truncation()));
    for run in file.runs() {
        visited += run.name().len() + run.allocators().map(str::len).sum::<usize>();
        black_box(run.bundled_input_index());
        for event in run.events() {
            visited += 8;
            match event {
                Event::Profile(e) => visited += e.name.len() + e.delegate_metadata.len(),
                Event::Debug(e) => visited += e.name.len() + e.value.map_or(0, walk_value),
                Event::Allocation(e) => visited += usize::from(e.size > 0),
                Event::Empty => {}
            }
        }
    }
    visited
}

fn walk_value(value: Value<'_>) -> usize {
    let tensor = |t: et_schema::etdump::Tensor<'_>| {
        black_box((t.scalar_type().is_ok(), t.numel(), t.data(&[0; 64])));
        8 * (t.sizes().iter().count() + t.strides().iter().count())
    };
    match value {
        Value::Tensor(one) => tensor(one),
        Value::TensorList(list) => list.iter().map(tensor).sum(),
        _ => 1,
    }
}

#[test]
fn mutated_traces_are_read_or_refused() {
    let traces = traces();
    assert!(traces.len() > 15);
    let mut random = Random(4);
    let (mut read, mut cut, mut damaged, mut refused) = (0, 0, 0, 0);
    for round in 0..3_000 {
        let bytes = mutate(&traces, &mut random);
        let limit = (MAX_SHARING + 1) * bytes.len() + 8192;
        let strict = File::parse(&bytes).map(|file| walk(&file));
        if let Ok(visited) = strict {
            assert!(visited <= limit, "round {round}: {visited} bytes of {}", bytes.len());
        }
        match File::recover(&bytes) {
            Ok(file) => {
                assert!(walk(&file) <= limit, "round {round}");
                let is_cut = file.truncation().is_some();
                let is_damaged = file.damage().is_some();
                assert_eq!(strict.is_err(), is_cut || is_damaged, "round {round}");
                cut += usize::from(is_cut);
                damaged += usize::from(is_damaged);
                read += 1;
            }
            Err(error) => {
                assert!(strict.is_err());
                assert!(error.to_string().contains("expected"), "{error}");
                refused += 1;
            }
        }
    }
    let counts = format!("{read} read, {cut} cut, {damaged} damaged, {refused} refused");
    assert!(read > 500 && cut > 50 && damaged > 50 && refused > 500, "{counts}");
}

#[test]
fn every_short_beginning_is_read_or_refused() {
    for trace in traces() {
        for len in 0..trace.len().min(600) {
            if let Ok(file) = File::recover(&trace[..len]) {
                black_box(walk(&file));
            }
        }
    }
}
