//! The exports for trace viewers have every event of the file, nested as it was.

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::RowAccessor;
use et_inspector::events::{EventBlocks, TimeScale, Times};
use et_reports::events::{Timeline, Track, model_explorer, parquet, perfetto, speedscope};
use et_schema::etdump::{Event, File};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

fn traces() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/traces");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|p| p.extension().is_some_and(|e| e == "etdp")).collect();
    paths.sort();
    paths
}

fn read(name: &str) -> Vec<u8> {
    fs::read(traces().into_iter().find(|p| p.ends_with(name)).unwrap()).unwrap()
}

fn nanoseconds() -> Times {
    Times::new(TimeScale::Nanoseconds, TimeScale::Nanoseconds).unwrap()
}

/// Number, or bytes, of each field of a protobuf message.
#[derive(Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        fields.push(match key & 7 {
            0 => (key >> 3, Field::Number(varint(&mut bytes))),
            2 => {
                let len = varint(&mut bytes) as usize;
                let (field, rest) = bytes.split_at(len);
                bytes = rest;
                (key >> 3, Field::Bytes(field))
            }
            other => panic!("wire type {other}"),
        });
    }
    fields
}

fn number(fields: &[(u64, Field<'_>)], id: u64) -> Option<u64> {
    fields.iter().find_map(|(field, value)| match value {
        Field::Number(number) if *field == id => Some(*number),
        _ => None,
    })
}

fn bytes<'a>(fields: &'a [(u64, Field<'a>)], id: u64) -> Option<&'a [u8]> {
    fields.iter().find_map(|(field, value)| match value {
        Field::Bytes(bytes) if *field == id => Some(*bytes),
        _ => None,
    })
}

/// Profile events of the file, and its runs that have some.
fn slices(file: &File<'_>) -> (usize, usize) {
    let profile = |e: &Event<'_>| matches!(e, Event::Profile(_));
    let counts: Vec<usize> = file.runs().map(|r| r.events().filter(profile).count()).collect();
    (counts.iter().sum(), counts.iter().filter(|n| **n > 0).count())
}

#[test]
fn perfetto_has_every_event_as_a_slice() {
    let mut checked = 0;
    for path in traces() {
        let trace = fs::read(&path).unwrap();
        let Ok(file) = File::parse(&trace) else { continue };
        let exported = perfetto(&Timeline::of(&file), &nanoseconds());
        let mut open: HashMap<u64, Vec<u64>> = HashMap::new();
        let mut begun = 0;
        for (field, packet) in fields(&exported) {
            let (1, Field::Bytes(packet)) = (field, packet) else { panic!("not a packet") };
            let packet = fields(packet);
            let Some(event) = bytes(&packet, 11).map(fields) else { continue };
            let (time, track) = (number(&packet, 8).unwrap(), number(&event, 11).unwrap());
            let stack = open.entry(track).or_default();
            match number(&event, 9) {
                Some(1) => {
                    assert!(stack.last().is_none_or(|outer| *outer <= time));
                    stack.push(time);
                    begun += 1;
                }
                Some(2) => assert!(stack.pop().unwrap() <= time),
                other => assert_eq!(other, Some(4)),
            }
        }
        assert!(open.values().all(Vec::is_empty), "{}: slices stay open", path.display());
        let (events, runs) = slices(&file);
        assert_eq!(begun, events + runs, "{}", path.display());
        checked += 1;
    }
    assert!(checked > 15);
}

#[test]
fn kernels_are_inside_of_calls_and_calls_inside_of_methods() {
    let trace = read("linear__it3.etdp");
    let timeline = Timeline::of(&File::parse(&trace).unwrap());
    let lane = timeline.lanes.iter().find(|lane| lane.track == Track::Operators).unwrap();
    let mut open: Vec<&str> = Vec::new();
    let mut kernels = 0;
    lane.edges(|edge| match edge {
        et_reports::events::Edge::Begin(slice) => {
            let name = &timeline.names[slice.name];
            if name.starts_with("native_call_") {
                assert_eq!(open, ["Method::execute", "OPERATOR_CALL"]);
                kernels += 1;
            }
            open.push(name);
        }
        et_reports::events::Edge::End(slice) => {
            assert_eq!(open.pop(), Some(timeline.names[slice.name].as_str()));
        }
    });
    assert_eq!(kernels, 6);
}

#[test]
fn allocations_are_counters() {
    let trace = read("linear__runner_alloc.etdp");
    let file = File::parse(&trace).unwrap();
    let timeline = Timeline::of(&file);
    let method = timeline.counters.iter().find(|c| c.name.contains("method")).unwrap();
    let sum: u64 = file
        .runs()
        .flat_map(|run| {
            let number = run.allocators().position(|name| name == method.name);
            run.events().filter_map(move |event| match event {
                Event::Allocation(e) if Some(e.allocator_id as usize) == number.map(|n| n + 1) => {
                    Some(e.size)
                }
                _ => None,
            })
        })
        .sum();
    assert!(sum > 0);
    assert_eq!(method.values.iter().map(|(_, bytes)| *bytes).max(), Some(sum));
}

#[test]
fn speedscope_opens_and_closes_frames_in_order() {
    let trace = read("cond__it10.etdp");
    let file = File::parse(&trace).unwrap();
    let document: Value =
        serde_json::from_str(&speedscope(&Timeline::of(&file), &nanoseconds())).unwrap();
    let frames = document["shared"]["frames"].as_array().unwrap().len() as u64;
    let mut opened = 0;
    for profile in document["profiles"].as_array().unwrap() {
        let mut open = Vec::new();
        let mut last = 0.0;
        for event in profile["events"].as_array().unwrap() {
            let (frame, at) = (event["frame"].as_u64().unwrap(), event["at"].as_f64().unwrap());
            assert!(frame < frames && at >= last);
            last = at;
            if event["type"] == "O" {
                open.push(frame);
                opened += 1;
            } else {
                assert_eq!(open.pop(), Some(frame));
            }
        }
        assert!(open.is_empty() && last == profile["endValue"].as_f64().unwrap());
    }
    let (events, runs) = slices(&file);
    assert_eq!(opened, events + runs);
}

#[test]
fn parquet_has_a_row_for_every_event() {
    for name in ["linear__runner_alloc.etdp", "xnn_cnn__it3.etdp", "cond__it3_dbg.etdp"] {
        let trace = read(name);
        let file = File::parse(&trace).unwrap();
        let mut bytes = Vec::new();
        parquet(&file, &nanoseconds(), &mut bytes).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let events: Vec<Event<'_>> = file.runs().flat_map(|run| run.events()).collect();
        assert_eq!(rows.len(), events.len(), "{name}");
        for (row, event) in rows.iter().zip(&events) {
            let kind = row.get_string(4).unwrap();
            match event {
                Event::Profile(e) => {
                    assert_eq!(kind, "profile");
                    assert_eq!(row.get_ulong(9).unwrap(), e.start_time);
                    let duration = (e.end_time - e.start_time) as f64;
                    assert_eq!(row.get_double(11).unwrap(), duration);
                    assert_eq!(row.get_long(6).unwrap(), i64::from(e.chain_index));
                    assert_eq!(row.get_string(5).map_or("", |name| name), e.name);
                }
                Event::Allocation(e) => {
                    assert_eq!(kind, "allocation");
                    assert_eq!(row.get_ulong(13).unwrap(), e.size);
                }
                Event::Debug(_) => assert_eq!(kind, "debug"),
                Event::Empty => assert_eq!(kind, "empty"),
            }
        }
    }
}

#[test]
fn model_explorer_has_a_number_for_every_instruction() {
    let trace = read("linear__it3.etdp");
    let blocks = EventBlocks::of(&File::parse(&trace).unwrap());
    let document: Value = serde_json::from_str(&model_explorer(&blocks, &nanoseconds())).unwrap();
    let results = document["chain_0"]["results"].as_object().unwrap();
    assert_eq!(results.keys().collect::<Vec<_>>(), ["0", "1"]);
    assert!(results.values().all(|node| node["value"].as_f64().unwrap() > 0.0));
    assert_eq!(document["chain_0"]["gradient"][2]["stop"], 1.0);
}
