//! The page for people.

use super::{Report, Written};
use crate::dump::{FoundJournal, Place};
use crate::text::{bytes, escape, thousands, wrap};
use std::fmt::Write;
use std::path::Path;

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let mut text = String::new();
    let contents = &report.contents;
    let pieces = contents.image.segments.len();
    let _ = writeln!(
        text,
        "{}  {}, {pieces} segment{}, {}",
        escape(&report.dump.to_string_lossy()),
        contents.image.format.name(),
        if pieces == 1 { "" } else { "s" },
        bytes(contents.image.len() as u64)
    );
    for (found, written) in contents.journals.iter().zip(&report.journals) {
        journal(&mut text, found, written);
    }
    for (found, path) in contents.traces.iter().zip(&report.traces) {
        let _ =
            writeln!(text, "\nTrace {}, {}", place(&found.place), bytes(found.bytes.len() as u64));
        if let Some(cut) = found.cut {
            let expected = cut.expected_bytes.map_or_else(|| "more".into(), bytes);
            let _ = writeln!(
                text,
                "  the dump ends in it: {} events can be read, of a trace of {expected}",
                thousands(cut.events as u64)
            );
        }
        wrote(&mut text, path.as_deref());
    }
    if contents.journals.is_empty() && contents.traces.is_empty() {
        text.push_str(
            "\nNo journal and no trace in it. A journal is there if the firmware writes one\n\
             (docs/journal.md), and the dump has the memory that it lies in.\n",
        );
    }
    if !contents.left_out.is_empty() {
        text.push_str("\nLeft out\n");
        for problem in &contents.left_out {
            wrap(&mut text, "  ", &escape(problem));
        }
    }
    text
}

fn place(place: &Place) -> String {
    let name = place.name.as_ref().map(|name| format!(" {}", escape(name))).unwrap_or_default();
    match place.address {
        Some(address) => format!("at {address:#010x}{name}"),
        None => format!("at byte {}{name}", place.offset),
    }
}

fn journal(text: &mut String, found: &FoundJournal, written: &Written) {
    let snapshot = &found.snapshot;
    let counts = snapshot.counts;
    let size = bytes(snapshot.bytes as u64);
    let _ = writeln!(text, "\nJournal {}, {size}", place(&found.place));
    let _ = writeln!(
        text,
        "  records: {} intact, {} torn, {} corrupt, {} stale, {} overwritten; {} slots empty",
        thousands(counts.intact as u64),
        counts.torn,
        counts.corrupt,
        counts.stale,
        thousands(counts.overwritten),
        thousands(counts.empty as u64)
    );
    if snapshot.missing_bytes > 0 {
        let _ = writeln!(
            text,
            "  its last {} are not in the dump",
            bytes(snapshot.missing_bytes as u64)
        );
    }
    if snapshot.names_damaged || snapshot.damaged_allocators > 0 {
        text.push_str("  its tables are damaged: some names or allocators are missing\n");
    }
    let starts =
        if snapshot.boots == 1 { "1 start".into() } else { format!("{} starts", snapshot.boots) };
    let _ = writeln!(text, "  {starts} of the board, {} executions begun", snapshot.executions);
    for life in snapshot.lives() {
        if let Some(open) = life.open.last() {
            let name =
                snapshot.name(open.name).map(|n| format!(" {}", escape(n))).unwrap_or_default();
            let chain =
                open.chain.map_or_else(String::new, |c| format!(" {c}:{}", open.instruction));
            let _ = writeln!(text, "  never ended: {:?}{chain}{name}", open.scope);
        }
    }
    wrote(text, written.journal.as_deref());
    wrote(text, written.trace.as_deref());
    if written.unfinished + written.without_beginning > 0 {
        let _ = writeln!(
            text,
            "  the trace leaves out {} scopes that never ended and {} whose beginning is gone",
            written.unfinished, written.without_beginning
        );
    }
}

fn wrote(text: &mut String, path: Option<&Path>) {
    if let Some(path) = path {
        let _ = writeln!(text, "  wrote {}", escape(&path.to_string_lossy()));
    }
}
