//! Boards by name or file, for every command with `--target`.

use crate::failure::Failure;
use crate::text::escape;
use et_inspector::target::{BUILTIN, Target, find};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The board that `--target` names: one of ours, or a file.
///
/// # Errors
/// No such board or file, or a mistake in the file.
pub fn open(name: &str) -> Result<Target, Failure> {
    if let Some(target) = find(name) {
        return Ok(target);
    }
    let path = Path::new(name);
    match fs::read_to_string(path) {
        Ok(text) => Target::parse(&text).map_err(|e| Failure::input(path, escape(&e.to_string()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(unknown(name)),
        Err(error) => Err(Failure::input(path, format!("cannot read: {error}"))),
    }
}

fn unknown(name: &str) -> Failure {
    let lower = name.to_lowercase();
    let near = BUILTIN.iter().map(|(known, _)| *known).filter(|known| {
        lower.split(['-', '_', ' ']).any(|part| part.len() > 2 && known.contains(part))
    });
    let near: Vec<&str> = near.take(4).collect();
    let hint = if near.is_empty() {
        "`etinspect targets` lists the boards".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    Failure::Usage(format!("no board and no file {:?}; {hint}", escape(name)))
}
