//! `etinspect report DIR`: a page for each program of a folder, and an index of them.

use super::files::{self, Appending, Beside};
use super::{ReportArgs, with_report};
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::output::OutputFile;
use et_reports::report::{self, Entry, Row};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders in folders that are looked into: links could lead in a circle.
const DEPTH: usize = 8;

/// A program of several.
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its path in the folder that was given, or in the one that holds all files that
    /// were. What goes with it has the same in another folder.
    pub name: PathBuf,
}

/// The programs that `given` names: files, and all `.pte` and `.bpte` files of folders.
///
/// # Errors
/// A folder cannot be read, or has none.
pub fn programs(given: &[PathBuf]) -> Result<Vec<Program>, Failure> {
    let mut programs = Vec::new();
    let files: Vec<&Path> = given.iter().map(PathBuf::as_path).filter(|p| !p.is_dir()).collect();
    let holder = common(&files);
    for path in given {
        if !path.is_dir() {
            let name = path.strip_prefix(holder).unwrap_or(path).to_owned();
            programs.push(Program { path: path.clone(), name });
            continue;
        }
        let mut found = Vec::new();
        collect(path, DEPTH, &mut found)?;
        if found.is_empty() {
            return Err(Failure::input(path, "expected .pte or .bpte files, found none"));
        }
        programs.extend(found.into_iter().map(|program| Program {
            name: program.strip_prefix(path).unwrap_or(&program).to_owned(),
            path: program,
        }));
    }
    Ok(programs)
}

/// The innermost folder that holds all of `files`.
fn common<'p>(files: &[&'p Path]) -> &'p Path {
    let none = Path::new("");
    let Some(first) = files.first() else { return none };
    let mut folders = first.ancestors().skip(1);
    folders.find(|folder| files.iter().all(|file| file.starts_with(folder))).unwrap_or(none)
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
pub fn run(args: &ReportArgs, global: &Global, programs: &[Program]) -> Result<Status, Failure> {
    let folder = global.output.as_deref().filter(|folder| folder.as_os_str() != "-");
    let usage = "reports on several programs go to a folder: name it with -o FOLDER";
    let folder = folder.ok_or_else(|| Failure::Usage(usage.into()))?;
    let beside = Beside::of_all(args, global, programs)?;
    fs::create_dir_all(folder).map_err(|e| Failure::output(Some(folder), e))?;
    let mut history = files::open_history(args.history.as_deref())?;
    let kept = Appending::open(args.history.as_deref())?;
    let (mut rows, mut lines, mut status) = (Vec::new(), String::new(), Status::Done);
    let mut names = BTreeSet::from(["index.html".to_owned()]);
    global.progress.steps(beside.len() as u64, "programs");
    for beside in &beside {
        let page = page_name(&beside.program, &mut names);
        let (text, row, one) = with_report(args, global, beside, &history, |report| {
            if let Some(path) = &beside.save_baseline {
                let folder = path.parent().unwrap_or(Path::new(""));
                fs::create_dir_all(folder).map_err(|e| Failure::output(Some(folder), e))?;
                OutputFile::write_all(path, report.figures().text().as_bytes())?;
            }
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
        global.progress.step();
    }
    let index = report::index(&rows, &history, env!("CARGO_PKG_VERSION"));
    OutputFile::write_all(&folder.join("index.html"), index.as_bytes())?;
    kept.add(&lines)?;
    Ok(status)
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
    fn files_are_named_within_the_folder_that_holds_all() {
        let name = |given: &[&str]| -> Vec<String> {
            let given: Vec<PathBuf> = given.iter().map(PathBuf::from).collect();
            let programs = programs(&given).expect("no folder is read");
            programs.iter().map(|p| p.name.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(name(&["m/a/x.pte", "m/b/x.pte"]), ["a/x.pte", "b/x.pte"]);
        assert_eq!(name(&["m/a.pte"]), ["a.pte"]);
        assert_eq!(name(&["a.pte", "m/b.pte", "-"]), ["a.pte", "m/b.pte", "-"]);
    }

    #[test]
    fn every_page_has_a_plain_name_of_its_own() {
        let mut names = BTreeSet::new();
        let mut name = |path: &str| page_name(Path::new(path), &mut names);
        assert_eq!(name("../a b/<x>.pte"), "a_b__x__pte.html");
        assert_eq!(name("a b/(x).pte"), "a_b__x__pte_2.html");
        assert!(name(&"x/".repeat(500)).len() < 120);
    }
}
