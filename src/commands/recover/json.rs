//! `etinspect.recover/1`.

use super::{Report, Written};
use crate::dump::{FoundJournal, Place};
use serde_json::{Value, json};
use std::path::Path;

/// The document.
pub fn document(report: &Report<'_>) -> String {
    let contents = &report.contents;
    let journals: Vec<Value> =
        contents.journals.iter().zip(&report.journals).map(journal).collect();
    let traces: Vec<Value> = contents
        .traces
        .iter()
        .zip(&report.traces)
        .map(|(found, path)| {
            json!({
                "place": place(&found.place),
                "bytes": found.bytes.len(),
                "expected_bytes": found.cut.map_or(Some(found.bytes.len() as u64), |cut| cut.expected_bytes),
                "file": path.as_deref().map(Path::to_string_lossy),
            })
        })
        .collect();
    let document = json!({
        "schema": "etinspect.recover/1",
        "dump": report.dump.to_string_lossy(),
        "format": contents.image.format.name(),
        "segments": contents.image.segments.len(),
        "bytes": contents.image.len(),
        "journals": journals,
        "traces": traces,
        "left_out": contents.left_out,
    });
    format!("{document:#}\n")
}

fn place(place: &Place) -> Value {
    json!({
        "segment": place.segment,
        "offset": place.offset,
        "address": place.address,
        "name": place.name,
    })
}

fn journal((found, written): (&FoundJournal, &Written)) -> Value {
    let snapshot = &found.snapshot;
    let counts = snapshot.counts;
    json!({
        "place": place(&found.place),
        "bytes": snapshot.bytes,
        "missing_bytes": snapshot.missing_bytes,
        "program_id": format!("{:#018x}", snapshot.program_id),
        "ticks_per_second": snapshot.ticks_per_second,
        "boots": snapshot.boots,
        "executions": snapshot.executions,
        "records": {
            "intact": counts.intact,
            "torn": counts.torn,
            "corrupt": counts.corrupt,
            "stale": counts.stale,
            "empty": counts.empty,
            "overwritten": counts.overwritten,
            "first_sequence": snapshot.records.first().map(|r| r.sequence),
            "last_sequence": snapshot.records.last().map(|r| r.sequence),
        },
        "allocators": snapshot.allocators.iter().flatten().map(|a| json!({
            "name": a.name(),
            "capacity_bytes": a.capacity,
            "used_bytes": a.used,
            "peak_bytes": a.peak,
            "failures": a.failures,
        })).collect::<Vec<_>>(),
        "file": written.journal.as_deref().map(Path::to_string_lossy),
        "trace": {
            "file": written.trace.as_deref().map(Path::to_string_lossy),
            "events": written.events,
            "unfinished": written.unfinished,
            "without_beginning": written.without_beginning,
        },
    })
}
