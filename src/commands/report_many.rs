//! `etinspect report DIR`: a page for each program of a folder, and an index of them.

use super::report::{ReportArgs, with_report};
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::output::OutputFile;
use et_reports::report::{self, Entry, History, Report, Row};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Folders in folders that are looked into: links could lead in a circle.
const DEPTH: usize = 8;

/// The programs that `given` names: files, and all `.pte` and `.bpte` files of folders.
///
/// # Errors
/// A folder cannot be read, or has none.
pub fn programs(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut programs = Vec::new();
    for path in given {
        if !path.is_dir() {
            programs.push(path.clone());
            continue;
        }
        let before = programs.len();
        collect(path, DEPTH, &mut programs)?;
        if programs.len() == before {
            return Err(Failure::input(path, "expected .pte or .bpte files, found none"));
        }
    }
    Ok(programs)
}

fn collect(folder: &Path, depth: usize, programs: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |e: io::Error| Failure::input(folder, format!("cannot read the folder: {e}"));
    let entries = fs::read_dir(folder).map_err(fail)?;
    let entries = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(fail)?;
    paths.sort();
    for path in paths {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, programs)?;
        } else if path.is_file() && matches!(extension, Some("pte" | "bpte")) {
            programs.push(path);
        }
    }
    Ok(())
}

/// Writes the pages of `programs` and their index into the folder of `-o`.
///
/// # Errors
/// A program cannot be read, or the folder not be written.
pub fn run(args: &ReportArgs, global: &Global, programs: &[PathBuf]) -> Result<Status, Failure> {
    let folder = global.output.as_deref().filter(|folder| folder.as_os_str() != "-");
    let usage = "reports on several programs go to a folder: name it with -o FOLDER";
    let folder = folder.ok_or_else(|| Failure::Usage(usage.into()))?;
    fs::create_dir_all(folder).map_err(|e| Failure::output(Some(folder), e))?;
    let mut history = open_history(args.history())?;
    let (mut rows, mut lines, mut status) = (Vec::new(), String::new(), Status::Done);
    let mut names = BTreeSet::from(["index.html".to_owned()]);
    for program in programs {
        let page = page_name(program, &mut names);
        let (text, row, one) = with_report(args, global, program, |report| {
            let row = Row { entry: Entry::of(report), sentence: report.verdict(), page };
            Ok((report::html(report), row, args.status(report)))
        })?;
        OutputFile::write_all(&folder.join(&row.page), text.as_bytes())?;
        lines += &row.entry.line();
        history.add(row.entry.clone());
        rows.push(row);
        if matches!(one, Status::NotMet) {
            status = one;
        }
    }
    let index = report::index(&rows, &history, env!("CARGO_PKG_VERSION"));
    OutputFile::write_all(&folder.join("index.html"), index.as_bytes())?;
    append(args.history(), &lines)?;
    Ok(status)
}

/// Adds the entry of `report` to the history, if one is kept.
///
/// # Errors
/// The history is none, or cannot be written.
pub fn remember(path: Option<&Path>, report: &Report<'_>) -> Result<(), Failure> {
    open_history(path)?;
    append(path, &Entry::of(report).line())
}

/// The history so far; the first run begins one.
fn open_history(path: Option<&Path>) -> Result<History, Failure> {
    let Some(path) = path else { return Ok(History::default()) };
    match fs::read_to_string(path) {
        Ok(text) => {
            History::parse(&text).map_err(|e| Failure::input(path, crate::text::escape(&e)))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(History::default()),
        Err(e) => Err(Failure::input(path, format!("cannot read: {e}"))),
    }
}

fn append(path: Option<&Path>, lines: &str) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
    written.map_err(|e| Failure::output(Some(path), e))
}

/// A name for the page of `program` that no other page has, and that needs no
/// escape in a link.
fn page_name(program: &Path, names: &mut BTreeSet<String>) -> String {
    const MOST: usize = 100;
    let text = program.to_string_lossy();
    let text = text.trim_start_matches(['.', '/', '\\']);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    // The end says more than the folders that all programs may share.
    let skip = text.chars().count().saturating_sub(MOST);
    let stem: String = text.chars().skip(skip).map(plain).collect();
    let numbered = (2..).map(|number| format!("{stem}_{number}.html"));
    let name = std::iter::once(format!("{stem}.html")).chain(numbered);
    let name = name.into_iter().find(|name| !names.contains(name)).unwrap_or_default();
    names.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_plain_name_of_its_own() {
        let mut names = BTreeSet::new();
        let mut name = |path: &str| page_name(Path::new(path), &mut names);
        assert_eq!(name("../a b/<x>.pte"), "a_b__x__pte.html");
        assert_eq!(name("a b/(x).pte"), "a_b__x__pte_2.html");
        assert!(name(&"x/".repeat(500)).len() < 120);
    }
}
