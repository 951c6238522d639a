//! Differences of traces: real ones are found, noise is not.

use et_inspector::diff::{TraceDiff, Verdict};
use et_inspector::events::{EventBlocks, TimeScale, Times};
use et_schema::etdump::File;
use std::fs;
use std::path::Path;

fn read(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/traces");
    fs::read(folder.join(name)).unwrap()
}

fn milliseconds() -> Times {
    Times::new(TimeScale::Nanoseconds, TimeScale::Milliseconds).unwrap()
}

#[test]
fn a_trace_does_not_differ_from_itself() {
    for name in ["cond__it10.etdp", "map_loop__it10.etdp", "xnn_cnn__it3.etdp"] {
        let bytes = read(name);
        let blocks = EventBlocks::of(&File::parse(&bytes).unwrap());
        let diff = TraceDiff::of(&blocks, &blocks, &milliseconds(), 0.0);
        assert!(!diff.changes.is_empty() && diff.gone.is_empty() && diff.added.is_empty());
        for change in &diff.changes {
            assert!(matches!(change.verdict, Verdict::Same | Verdict::TooFewRuns), "{change:?}");
            assert!(change.p_value > 0.999999, "{name}: {change:?}");
        }
    }
}

#[test]
fn an_event_that_takes_longer_is_slower_and_alone() {
    let bytes = read("cond__it10.etdp");
    let base = EventBlocks::of(&File::parse(&bytes).unwrap());
    let mut new = base.clone();
    let rows = new.blocks.iter_mut().flat_map(|block| &mut block.events);
    for row in rows.filter(|row| row.name == "Method::execute") {
        for sample in &mut row.samples {
            sample.end += 10 * (sample.end - sample.start + 1);
        }
    }
    let diff = TraceDiff::of(&base, &new, &milliseconds(), 0.05);
    let slower = diff.changes.iter().filter(|c| c.verdict == Verdict::Slower);
    assert_eq!(slower.map(|c| c.key.name.as_str()).collect::<Vec<_>>(), ["Method::execute"]);
    assert!(diff.has_regression());
    let back = TraceDiff::of(&new, &base, &milliseconds(), 0.05);
    assert!(!back.has_regression());
    assert_eq!(back.changes.iter().filter(|c| c.verdict == Verdict::Faster).count(), 1);
    let floor = TraceDiff::of(&base, &new, &milliseconds(), 1e6);
    assert!(!floor.has_regression());
}

#[test]
fn operators_of_one_trace_only_are_named() {
    let (base, new) = (read("linear__it3.etdp"), read("softmax__it1_dbg.etdp"));
    let base = EventBlocks::of(&File::parse(&base).unwrap());
    let new = EventBlocks::of(&File::parse(&new).unwrap());
    let diff = TraceDiff::of(&base, &new, &milliseconds(), 0.05);
    assert!(diff.added.iter().any(|key| key.name.contains("softmax")), "{:?}", diff.added);
    assert!(!diff.gone.is_empty() && !diff.has_regression());
}
