//! Traces that are cut off: every event before the cut is read, with all that
//! lies before the cut, and nothing else.

mod support;

use et_schema::etdump::{Event, File, LOST_NAME};
use et_schema::generated::etdump_generated::etdump as fb;
use std::fs;
use std::path::{Path, PathBuf};

fn traces() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/traces");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut traces: Vec<PathBuf> =
        paths.filter(|p| p.extension().is_some_and(|e| e == "etdp")).collect();
    traces.sort();
    assert!(traces.len() > 15);
    traces
}

/// An event in short, and where in the file it and its name end.
struct Known {
    text: String,
    nameless: String,
    end: usize,
    name_end: usize,
}

fn end_of(table: flatbuffers::Table<'_>) -> usize {
    table.loc() + table.vtable().object_inline_num_bytes()
}

/// The events of a whole file, by the generated accessors.
fn known(bytes: &[u8]) -> Vec<Known> {
    let root = fb::size_prefixed_root_as_etdump(bytes).unwrap();
    // The accessors count from behind the prefix's own reference.
    let mut known = Vec::new();
    for run in root.run_data().unwrap() {
        for event in run.events().unwrap_or_default() {
            let own = end_of(event._tab);
            if let Some(e) = event.profile_event() {
                let id = e.delegate_debug_id_int();
                let text = |name: &str, delegate: &str| {
                    let place = (e.chain_index(), e.instruction_id());
                    format!("{name} {delegate} {id} {place:?} {} {}", e.start_time(), e.end_time())
                };
                let end = |s: &str| s.as_ptr() as usize - bytes.as_ptr() as usize + s.len() + 1;
                let name = e.name().unwrap_or_default();
                let delegate = e.delegate_debug_id_str().unwrap_or_default();
                let lost = |s: &str| if s.is_empty() { "" } else { LOST_NAME }.to_owned();
                known.push(Known {
                    text: text(name, delegate),
                    nameless: text(&lost(name), &lost(delegate)),
                    end: own.max(end_of(e._tab)),
                    name_end: [name, delegate].map(|s| if s.is_empty() { 0 } else { end(s) })[0]
                        .max(if delegate.is_empty() { 0 } else { end(delegate) }),
                });
            } else if let Some(e) = event.allocation_event() {
                let text = format!("allocation {} {}", e.allocator_id(), e.allocation_size());
                let end = own.max(end_of(e._tab));
                known.push(Known { nameless: text.clone(), text, end, name_end: 0 });
            } else if let Some(e) = event.debug_event() {
                let text = format!("debug {} {}", e.chain_index(), e.instruction_id());
                let end = own.max(end_of(e._tab));
                known.push(Known { nameless: text.clone(), text, end, name_end: 0 });
            }
        }
    }
    known
}

fn text(event: &Event<'_>) -> String {
    use et_schema::etdump::DelegateId;
    match event {
        Event::Profile(e) => {
            let (delegate, id) = match e.delegate_id {
                Some(DelegateId::Name(name)) => (name, -1),
                Some(DelegateId::Int(id)) => ("", id),
                None => ("", -1),
            };
            let place = (e.chain_index, e.instruction_id);
            format!("{} {delegate} {id} {place:?} {} {}", e.name, e.start_time, e.end_time)
        }
        Event::Allocation(e) => format!("allocation {} {}", e.allocator_id, e.size),
        Event::Debug(e) => format!("debug {} {}", e.chain_index, e.instruction_id),
        Event::Empty => "empty".into(),
    }
}

#[test]
fn every_event_before_the_cut_is_read() {
    let (mut cuts, mut events) = (0, 0);
    for path in traces() {
        let bytes = fs::read(&path).unwrap();
        // Written damaged, by a real runtime.
        if File::parse(&bytes).is_err() {
            continue;
        }
        let known = known(&bytes);
        for step in 1..40 {
            let cut = bytes.len() * step / 40;
            let expected: Vec<&str> = known
                .iter()
                .filter(|k| k.end <= cut)
                .map(|k| if k.name_end <= cut { &*k.text } else { &*k.nameless })
                .collect();
            let context = format!("{} cut at {cut}", path.display());
            let file = match File::recover(&bytes[..cut]) {
                Ok(file) => file,
                Err(error) => {
                    assert!(expected.is_empty(), "{context}: {error}");
                    continue;
                }
            };
            let found: Vec<String> =
                file.runs().flat_map(|run| run.events()).map(|e| text(&e)).collect();
            assert_eq!(found, expected, "{context}");
            let truncation = file.truncation().unwrap();
            assert_eq!(truncation.expected_bytes, Some(bytes.len() as u64));
            assert_eq!(truncation.events, expected.len());
            assert!(truncation.events + truncation.lost_events <= known.len(), "{context}");
            cuts += 1;
            events += expected.len();
        }
    }
    assert!(cuts > 500 && events > 10_000, "{cuts} cuts, {events} events");
}

/// What is left of a table at the cut may fit another kind of event: a
/// delegate's operation that of a kernel, an allocation a logged value.
#[test]
fn no_event_at_a_cut_is_taken_for_another() {
    let (mut cuts, mut lost) = (0, 0);
    for path in traces() {
        let bytes = fs::read(&path).unwrap();
        if bytes.len() > 3_000 || File::parse(&bytes).is_err() {
            continue;
        }
        let known = known(&bytes);
        for cut in (12..bytes.len()).step_by(4) {
            let Ok(file) = File::recover(&bytes[..cut]) else { continue };
            let found: Vec<String> =
                file.runs().flat_map(|run| run.events()).map(|e| text(&e)).collect();
            let before = known.iter().filter(|k| k.end <= cut);
            let expected: Vec<&str> =
                before.map(|k| if k.name_end <= cut { &*k.text } else { &*k.nameless }).collect();
            // The first one may not be recognised.
            let missing = expected.len().checked_sub(found.len()).unwrap();
            assert!(missing <= 1, "{} cut at {cut}", path.display());
            assert_eq!(found, expected[missing..], "{} cut at {cut}", path.display());
            cuts += 1;
            lost += missing;
        }
    }
    assert!(cuts > 2_000 && lost * 100 < cuts, "{lost} lost in {cuts} cuts");
}

#[test]
fn values_before_the_cut_are_read() {
    use et_schema::etdump::Value;
    let path = traces().into_iter().find(|p| p.ends_with("cond__it3_dbg.etdp")).unwrap();
    let bytes = fs::read(path).unwrap();
    let values = |file: &File<'_>| -> Vec<String> {
        let events = file.runs().flat_map(|run| run.events());
        let tensors = events.filter_map(|event| match event {
            Event::Debug(e) => e.value,
            _ => None,
        });
        let tensor = |value| match value {
            Value::Tensor(t) => {
                let sizes: Vec<i64> = t.sizes().iter().collect();
                Some(format!("{:?} {sizes:?} at {:?}", t.scalar_type(), t.offset()))
            }
            _ => None,
        };
        tensors.filter_map(tensor).collect()
    };
    let all = values(&File::parse(&bytes).unwrap());
    let half = values(&File::recover(&bytes[..bytes.len() / 2]).unwrap());
    assert!(half.len() >= all.len() / 3, "{} of {}", half.len(), all.len());
    assert_eq!(half.iter().find(|value| !all.contains(value)), None);
}

#[test]
fn whole_trace_is_not_truncated() {
    let path = traces().remove(0);
    let bytes = fs::read(path).unwrap();
    assert_eq!(File::recover(&bytes).unwrap().truncation(), None);
}
