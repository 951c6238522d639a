//! Opening traces. One that is cut off gives what lies before the cut, with a
//! warning of what is missing.

use crate::cli::Global;
use crate::failure::Failure;
use crate::text::{escape, thousands};
use et_schema::etdump::{File, Truncation};
use serde_json::{Value, json};
use std::path::Path;

/// The trace in `bytes`, of which `used` says what is done with the events
/// before a cut: `are shown`.
///
/// # Errors
/// No trace, damaged, or cut off before its first event.
pub fn open<'b>(
    path: &Path,
    bytes: &'b [u8],
    used: &str,
    global: &Global,
) -> Result<File<'b>, Failure> {
    let file = File::recover(bytes).map_err(|e| Failure::input(path, e))?;
    if let Some(truncation) = file.truncation() {
        global.warn(&cut_off(path, &truncation, used));
    }
    Ok(file)
}

/// What a trace that is cut off still holds.
pub fn cut_off(path: &Path, truncation: &Truncation, used: &str) -> String {
    let Truncation { expected_bytes, found_bytes, events, runs, listed_runs, .. } = truncation;
    let of = expected_bytes.map_or(String::new(), |b| format!(" of {}", thousands(b)));
    format!(
        "{} is cut off: it has {}{of} bytes. The {} events before the cut {used}, of {runs} of \
         {listed_runs} runs; what was recorded first is missing, as it comes last in the file",
        escape(&path.display().to_string()),
        thousands(*found_bytes),
        thousands(*events as u64),
    )
}

/// The same for scripts; null of a whole trace.
pub fn truncated(truncation: Option<Truncation>) -> Value {
    truncation.map_or(Value::Null, |cut| {
        json!({
            "expected_bytes": cut.expected_bytes,
            "found_bytes": cut.found_bytes,
            "events": cut.events,
            "lost_events": cut.lost_events,
            "runs": cut.runs,
            "listed_runs": cut.listed_runs,
        })
    })
}
