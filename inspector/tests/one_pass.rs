//! A trace that is checked while it is grouped gives what one gives that is
//! checked first: real ones, random ones, cut ones and damaged ones.

mod support;

use et_inspector::events::{EventBlocks, EventRow, Sample};
use et_schema::etdump::File;
use std::fs;
use support::fixtures;
use support::traces::{Random, trace};

/// Damaged traces that are tried.
const DAMAGED: usize = 1_000;

fn traces() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(fixtures().join("traces"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "etdp"))
        .collect();
    paths.sort();
    let real = paths.iter().map(|path| fs::read(path).unwrap());
    real.chain((0..60).map(trace)).collect()
}

fn rows<'b, 'a>(blocks: &'b EventBlocks<'a>) -> impl Iterator<Item = &'b EventRow<'a>> {
    blocks.blocks.iter().flat_map(|block| &block.events)
}

fn samples<'b>(blocks: &'b EventBlocks<'_>) -> Vec<&'b [Sample]> {
    rows(blocks).map(|row| row.samples.as_slice()).collect()
}

/// Whether the trace could be read.
fn same(bytes: &[u8], what: &str) -> bool {
    let first = File::recover(bytes).map(|file| format!("{:?}", EventBlocks::of(&file)));
    let mut visited = Vec::new();
    let once = EventBlocks::read(bytes, &mut |bytes| visited.push(bytes));
    assert!(visited.is_sorted(), "{what}");
    match (first, once) {
        (Ok(first), Ok((file, once))) => {
            assert_eq!(first, format!("{once:?}"), "{what}");
            let (_, times) = EventBlocks::read_times(bytes, &mut |_| {}).unwrap();
            assert_eq!(samples(&times), samples(&once), "{what}");
            assert!(rows(&times).all(|row| row.own_ticks() == 0), "{what}");
            if file.truncation().is_none() && file.damage().is_none() {
                assert_eq!(visited.len(), file.runs().len(), "{what}");
            }
            true
        }
        (first, once) => {
            let (first, once) = (first.err(), once.err());
            assert_eq!(first.map(|e| e.to_string()), once.map(|e| e.to_string()), "{what}");
            false
        }
    }
}

#[test]
fn whole_traces_and_cut_ones() {
    for (index, bytes) in traces().iter().enumerate() {
        same(bytes, &format!("trace {index}"));
        for percent in [30, 60, 90, 99] {
            same(&bytes[..bytes.len() * percent / 100], &format!("trace {index}, {percent} %"));
        }
    }
}

#[test]
fn damaged_traces() {
    let traces = traces();
    let mut random = Random(7);
    let mut read = 0;
    for round in 0..DAMAGED {
        let mut bytes = traces[random.below(traces.len() as u64) as usize].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        read += usize::from(same(&bytes, &format!("round {round}")));
    }
    assert!(read > 100 && read < DAMAGED - 100, "{read} of {DAMAGED} can be read");
}
