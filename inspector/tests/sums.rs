//! Every grouped, filtered or aggregated view of a trace sums to its raw events:
//! of the real traces of the repository, and of random ones.

mod support;

use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, GroupBy, Groups, RunTimes, TimeScale, Times};
use et_schema::etdump::{Event, File};
use et_schema::{etrecord, pte};
use std::fs;
use support::fixtures;

const ALL: [GroupBy; 5] =
    [GroupBy::Operator, GroupBy::Module, GroupBy::Source, GroupBy::Instruction, GroupBy::Delegate];

/// Random traces that are checked, by their seeds.
const RANDOM: u64 = 150;

/// Time of the outermost events, from the file itself, and the sum of all.
fn raw(file: &File<'_>) -> (u64, u64) {
    let (mut outermost, mut all) = (0, 0);
    for run in file.runs() {
        let mut intervals = Vec::new();
        for event in run.events() {
            if let Event::Profile(event) = event {
                all += event.end_time - event.start_time;
                if event.delegate_id.is_none() {
                    intervals.push((event.start_time, event.end_time));
                }
            }
        }
        intervals.sort_by_key(|&(start, end)| (start, std::cmp::Reverse(end)));
        let mut covered = 0;
        for (start, end) in intervals {
            if start >= covered {
                outermost += end - start;
                covered = end;
            }
        }
    }
    (outermost, all)
}

/// Every trace of the repository that can be read, with its program and record if they are there.
fn for_each_trace(check: impl Fn(&str, &File<'_>, &Correlation<'_>, &EventBlocks<'_>)) {
    let mut checked = 0;
    for entry in fs::read_dir(fixtures().join("traces")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(trace) = name.strip_suffix(".etdp") else { continue };
        let bytes = fs::read(&path).unwrap();
        let Ok(file) = File::parse(&bytes) else { continue };
        let model = trace.split("__").next().unwrap().split('.').next().unwrap();
        let program = fs::read(fixtures().join("models").join(model).join("model.pte")).ok();
        let program = program.as_ref().map(|bytes| pte::File::parse(bytes).unwrap());
        let record = fs::read(path.with_file_name(format!("{model}.etrecord"))).ok();
        let record = record.as_ref().map(|bytes| etrecord::File::parse(bytes).unwrap());
        let blocks = EventBlocks::of(&file);
        let correlation =
            Correlation::new(&blocks, program.as_ref(), record.as_ref(), None).unwrap();
        check(&name, &file, &correlation, &blocks);
        checked += 1;
    }
    assert!(checked >= 40, "only {checked} traces");
    for seed in 0..RANDOM {
        let bytes = support::traces::trace(seed);
        let file = File::parse(&bytes).unwrap();
        let blocks = EventBlocks::of(&file);
        let correlation = Correlation::new(&blocks, None, None, None).unwrap();
        check(&format!("random trace {seed}"), &file, &correlation, &blocks);
    }
}

#[test]
fn groups_sum_to_the_outermost_events() {
    for_each_trace(|name, file, correlation, blocks| {
        let (outermost, _) = raw(file);
        for by in ALL {
            let groups = Groups::of(blocks, correlation, by);
            assert_eq!(groups.total_ticks(), outermost, "{name}, {by:?}");
        }
    });
}

#[test]
fn rows_sum_to_all_events() {
    let ticks = Times::new(TimeScale::Cycles, TimeScale::Cycles).unwrap();
    for_each_trace(|name, file, _, blocks| {
        let (_, all) = raw(file);
        let rows = blocks.blocks.iter().flat_map(|block| &block.events);
        let sum: f64 = rows.filter_map(|row| row.statistics(&ticks)).map(|s| s.sum).sum();
        assert_eq!(sum, all as f64, "{name}");
    });
}

#[test]
fn runs_sum_to_the_outermost_events() {
    for_each_trace(|name, file, _, blocks| {
        let runs = blocks.blocks.iter().flat_map(|block| RunTimes::of(block).ticks);
        assert_eq!(runs.sum::<u64>(), raw(file).0, "{name}");
    });
}

#[test]
fn every_event_has_its_sample_in_its_run() {
    for_each_trace(|name, file, _, blocks| {
        let rows = || blocks.blocks.iter().flat_map(|block| &block.events);
        let profile = |event: &Event<'_>| matches!(event, Event::Profile(_));
        let events: usize = file.runs().map(|run| run.events().filter(profile).count()).sum();
        assert_eq!(rows().map(|row| row.samples.len()).sum::<usize>(), events, "{name}");
        for block in &blocks.blocks {
            for row in block.events.iter().filter(|row| !row.samples.is_empty()) {
                assert_eq!(row.runs().count(), block.runs, "{name}, {}", row.name);
                assert!(row.runs().all(|samples| !samples.is_empty()), "{name}, {}", row.name);
                assert_eq!(row.last_iterations().samples.len(), block.runs, "{name}");
            }
        }
    });
}

#[test]
fn filtered_views_and_their_complements_sum_to_the_whole() {
    for_each_trace(|name, file, correlation, blocks| {
        let (outermost, _) = raw(file);
        for text in ["native_call", "CALL", "add", "#1", "Method"] {
            let mut with = blocks.clone();
            let mut without = blocks.clone();
            for block in &mut with.blocks {
                block.events.retain(|row| row.display_name().contains(text));
            }
            for block in &mut without.blocks {
                block.events.retain(|row| !row.display_name().contains(text));
            }
            for by in ALL {
                let parts = [&with, &without].map(|b| Groups::of(b, correlation, by).total_ticks());
                assert_eq!(parts[0] + parts[1], outermost, "{name}, {text}, {by:?}");
            }
        }
    });
}

#[test]
fn modules_are_named_and_instructions_counted_once() {
    let trace = fs::read(fixtures().join("traces/linear__it3.etdp")).unwrap();
    let record = fs::read(fixtures().join("traces/linear.etrecord")).unwrap();
    let file = File::parse(&trace).unwrap();
    let record = etrecord::File::parse(&record).unwrap();
    let blocks = EventBlocks::of(&file);
    let correlation = Correlation::new(&blocks, None, Some(&record), None).unwrap();
    let modules = Groups::of(&blocks, &correlation, GroupBy::Module);
    let names: Vec<_> = modules.groups.iter().map(|g| (g.name.as_str(), g.count)).collect();
    // Two instructions, three runs.
    assert_eq!(names, [("linear", 6)]);
    assert!(modules.unattributed.ticks > 0, "Method::execute has time of its own");
}
