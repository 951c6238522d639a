//! Our tables equal those that ExecuTorch's own Inspector wrote of the same traces.

use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, TimeScale, Times};
use et_reports::events::{csv, json};
use et_schema::etdump::File;
use std::fs;
use std::path::{Path, PathBuf};

fn traces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/traces")
}

fn milliseconds() -> Times {
    Times::new(TimeScale::Nanoseconds, TimeScale::Milliseconds).unwrap()
}

#[test]
fn loop_iterations_are_kept_until_only_the_last_is_asked_for() {
    let bytes = fs::read(traces().join("map_loop__it10.etdp")).unwrap();
    let mut blocks = EventBlocks::of(&File::parse(&bytes).unwrap());
    assert!(blocks.repeated > 0);
    let looped = |blocks: &EventBlocks<'_>| {
        blocks.blocks.iter().flat_map(|b| &b.events).filter(|row| row.is_looped()).count()
    };
    assert!(looped(&blocks) > 0);
    blocks.keep_last_iterations();
    assert_eq!(looped(&blocks), 0);
    let block = &blocks.blocks[1];
    assert!(block.events.iter().all(|row| row.samples.len() == block.runs));
}

#[test]
fn allocation_events_do_not_disturb_the_table() {
    let bytes = fs::read(traces().join("linear__runner_alloc.etdp")).unwrap();
    let blocks = EventBlocks::of(&File::parse(&bytes).unwrap());
    assert_eq!(blocks.allocation_events, 31);
    assert_eq!(blocks.blocks.len(), 2);
    assert_eq!(blocks.blocks[1].runs, 2);
}

#[test]
fn json_has_every_event_with_its_samples() {
    let bytes = fs::read(traces().join("linear__it3.etdp")).unwrap();
    let file = File::parse(&bytes).unwrap();
    let blocks = EventBlocks::of(&file);
    let document: serde_json::Value =
        serde_json::from_str(&json(&blocks, &Correlation::default(), None, &milliseconds(), &file))
            .unwrap();
    assert_eq!(document["schema"], "etinspect.events/1");
    let kernel = &document["blocks"][1]["events"][0];
    assert_eq!(kernel["name"], "native_call_permute_copy.out");
    assert_eq!(kernel["raw"], serde_json::json!([0.005221, 0.000235, 0.000173]));
    assert_eq!(kernel["count"], 3);
}

#[test]
fn csv_has_a_row_for_every_event() {
    let bytes = fs::read(traces().join("linear__it3.etdp")).unwrap();
    let blocks = EventBlocks::of(&File::parse(&bytes).unwrap());
    let rows: usize = blocks.blocks.iter().map(|b| b.events.len()).sum();
    assert_eq!(csv(&blocks, &Correlation::default(), &milliseconds()).lines().count(), rows + 1);
}

#[test]
fn damaged_trace_is_refused_with_its_place() {
    let bytes = fs::read(traces().join("dtype_fp16__it1_dbg.etdp")).unwrap();
    let error = File::parse(&bytes).unwrap_err();
    assert!(error.to_string().contains("at byte 100 (field run_data[0].events[0])"), "{error}");
    let bytes = fs::read(traces().join("linear__it3.etdp")).unwrap();
    let error = File::parse(&bytes[..bytes.len() / 2]).unwrap_err();
    assert!(error.to_string().contains("truncated"), "{error}");
}
