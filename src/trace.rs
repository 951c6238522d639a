//! Opening traces. One that is cut off gives what lies before the cut, one whose
//! lists are broken the events that are found, with a warning of what is missing.

use crate::cli::Global;
use crate::failure::Failure;
use crate::text::{escape, thousands};
use et_inspector::restore::{self, Restored};
use et_schema::etdump::{Damage, File, Truncation};
use et_schema::pte;
use serde_json::{Value, json};
use std::path::Path;

/// The trace in `bytes`, of which `used` says what is done with the events
/// of one that is not all there: `are shown`.
///
/// # Errors
/// No trace, damaged in its events, or cut off before the first one.
pub fn open<'b>(
    path: &Path,
    bytes: &'b [u8],
    used: &str,
    global: &Global,
) -> Result<File<'b>, Failure> {
    let file = File::recover(bytes).map_err(|e| Failure::input(path, e))?;
    if let Some(warning) = incomplete(path, &file, used) {
        global.warn(&warning);
    }
    Ok(file)
}

/// What is missing of a trace that is not all there.
pub fn incomplete(path: &Path, file: &File<'_>, used: &str) -> Option<String> {
    let cut = file.truncation().map(|truncation| cut_off(path, &truncation, used));
    cut.or_else(|| Some(broken(path, file.damage()?, used)))
}

/// What is left of a trace whose lists are broken.
fn broken(path: &Path, damage: &Damage, used: &str) -> String {
    format!(
        "{} is damaged, as traces are in which ExecuTorch's runtime logs a float16 or bfloat16 \
         tensor: {}. {} events of {} runs were found one by one and {used}; values of these types \
         are missing",
        escape(&path.display().to_string()),
        escape(&damage.reason.to_string()),
        thousands(damage.events as u64),
        damage.runs,
    )
}

/// A damaged trace with the values that only its debug buffer has, by the tensors
/// of the program; `None` if it is not damaged or that is not possible.
pub fn restored(
    path: &Path,
    file: &File<'_>,
    program: Option<(&pte::File<'_>, Option<&str>)>,
    debug_buffer: Option<&[u8]>,
    global: &Global,
) -> Option<Restored> {
    file.damage()?;
    let (Some((program, method)), Some(debug_buffer)) = (program, debug_buffer) else {
        global.warn("a program (--model) and a debug buffer would tell the missing values");
        return None;
    };
    let name = escape(&path.display().to_string());
    match restore::by_program(file, program, method, debug_buffer) {
        Some(Ok(restored)) => {
            let values = thousands(restored.values as u64);
            let lists = match restored.lost_lists {
                0 => String::new(),
                1 => String::from("; one list of tensors stays lost"),
                lists => format!("; {} lists of tensors stay lost", thousands(lists as u64)),
            };
            global.warn(&format!(
                "{values} values that {name} lacks were found in the debug buffer, by the \
                 program{lists}"
            ));
            Some(restored)
        }
        Some(Err(error)) => {
            global.warn(&format!("the missing values of {name} are not restored: {error}"));
            None
        }
        None => None,
    }
}

/// The same for scripts; null of a trace whose lists are whole.
pub fn damaged(damage: Option<&Damage>) -> Value {
    damage.map_or(Value::Null, |damage| {
        json!({
            "reason": damage.reason.to_string(),
            "events": damage.events,
            "runs": damage.runs,
        })
    })
}

/// What a trace that is cut off still holds.
fn cut_off(path: &Path, truncation: &Truncation, used: &str) -> String {
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
