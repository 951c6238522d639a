//! A trace: its runs, and how many events of each kind they have. The events
//! themselves are for `etinspect events`.

use super::document_name;
use super::program::count;
use super::values::quoted;
use crate::text::{bytes, escape};
use crate::trace::{damaged, truncated};
use et_schema::etdump::{Event, File, Run};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

/// Events of a run by kind.
#[derive(Default)]
struct Kinds {
    profile: u64,
    allocation: u64,
    debug: u64,
    empty: u64,
}

impl Kinds {
    fn of(run: &Run<'_>) -> Self {
        let mut kinds = Kinds::default();
        for event in run.events() {
            *match event {
                Event::Profile(_) => &mut kinds.profile,
                Event::Allocation(_) => &mut kinds.allocation,
                Event::Debug(_) => &mut kinds.debug,
                Event::Empty => &mut kinds.empty,
            } += 1;
        }
        kinds
    }
}

/// The file and its runs, but for those that `hidden` names.
pub fn text(
    path: &Path,
    file: &File<'_>,
    size: usize,
    hidden: impl Fn(usize) -> Range<usize>,
) -> String {
    let name = escape(&path.to_string_lossy());
    let prefix = if file.is_size_prefixed() { "with" } else { "without" };
    let mut text = format!(
        "{name}: trace (ETDump, ED00, version {}, {prefix} a size prefix), {}\n",
        file.version(),
        bytes(size as u64)
    );
    let runs = file.runs();
    let hidden = hidden(runs.len());
    // Of a trace that is cut off, the first runs of the file may be missing.
    for (index, run) in runs.enumerate() {
        if index == hidden.start && !hidden.is_empty() {
            let more = count(hidden.len() as u64, "run");
            let _ = writeln!(text, "  ... {more} not shown; --all shows them");
        }
        if !hidden.contains(&index) {
            let _ = writeln!(text, "  run {} {}", run.index(), run_text(&run));
        }
    }
    text
}

fn run_text(run: &Run<'_>) -> String {
    let kinds = Kinds::of(run);
    let mut text = format!("{}: {}", quoted(run.name()), count(kinds.profile, "profile event"));
    for (number, what) in [
        (kinds.allocation, "allocation event"),
        (kinds.debug, "debug event"),
        (kinds.empty, "empty event"),
    ] {
        if number > 0 {
            let _ = write!(text, ", {}", count(number, what));
        }
    }
    if run.lost_events() > 0 {
        let lost = count(run.lost_events() as u64, "event");
        let _ = write!(text, ", {lost} before them cut off");
    }
    if run.allocators().len() > 0 {
        let names: Vec<String> = run.allocators().map(escape).collect();
        let _ = write!(text, "; allocators {}", names.join(", "));
    }
    if let Some(index) = run.bundled_input_index() {
        let _ = write!(text, "; bundled input {index}");
    }
    text
}

/// The file and all of its runs.
pub fn json(path: &Path, file: &File<'_>, size: usize) -> Json {
    let runs = file.runs().map(|run| {
        let kinds = Kinds::of(&run);
        json!({
            "index": run.index(),
            "name": run.name(),
            "bundled_input_index": run.bundled_input_index(),
            "allocators": run.allocators().collect::<Vec<_>>(),
            "profile_events": kinds.profile,
            "allocation_events": kinds.allocation,
            "debug_events": kinds.debug,
            "lost_events": run.lost_events(),
        })
    });
    json!({
        "schema": "etinspect.show/1",
        "model": document_name(path),
        "format": "trace",
        "file": {
            "size_bytes": size,
            "version": file.version(),
            "size_prefixed": file.is_size_prefixed(),
        },
        "truncated": truncated(file.truncation()),
        "damaged": damaged(file.damage()),
        "runs": runs.collect::<Vec<_>>(),
    })
}
