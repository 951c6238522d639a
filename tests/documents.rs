//! The commands of README.md and docs/, run as they stand.
//!
//! In a block marked `sh`, every command must end with status 0, or with the
//! one that a comment `# exit status N` names. In a block marked `console`,
//! commands follow `$ `, and what they print must be what follows; a line
//! `...` stands for any number of lines. Other blocks are not run, nor are
//! commands that build or test the project.
//!
//! A document's commands run one after the other in a folder of their own,
//! where `tests/` is that of the repository.

#![cfg(unix)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::Ran;

/// Commands that belong to `.ci/run`, or that change the machine.
const NOT_RUN: [&str; 5] = ["cargo ", "git ", "scripts/", ".ci/", "FLATC="];

/// A command of a document.
#[derive(Debug, PartialEq, Eq)]
struct Command {
    /// Line in the document, from 1.
    line: usize,
    text: String,
    status: i32,
    /// What it prints, if the document says so.
    prints: Option<Vec<String>>,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for entry in fs::read_dir(root.join("docs")).expect("docs/") {
        paths.push(entry.expect("a readable folder").path());
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "md"));
    paths.sort();
    paths
}

/// The commands of a document, in order.
fn commands(text: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut block = None;
    let mut continued = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            block = if block.is_none() { Some(kind.trim()) } else { None };
            continue;
        }
        let command = match block {
            Some("sh") if !line.trim().is_empty() => line,
            Some("console") => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => command,
                (None, Some(last)) if continued => {
                    continued = append(&mut last.text, line);
                    continue;
                }
                (None, Some(last)) => {
                    last.prints.get_or_insert_default().push(line.to_owned());
                    continue;
                }
                (None, None) => panic!("line {}: output before any command", index + 1),
            },
            _ => continue,
        };
        if continued && let Some(last) = commands.last_mut() {
            continued = append(&mut last.text, command);
            continue;
        }
        let mut text = String::new();
        continued = append(&mut text, command);
        let prints = (block == Some("console")).then(Vec::new);
        commands.push(Command { line: index + 1, text, status: 0, prints });
    }
    for command in &mut commands {
        if let Some((text, status)) = command.text.split_once("# exit status ") {
            command.status = status.trim().parse().expect("an exit status");
            command.text = text.trim_end().to_owned();
        }
    }
    commands.retain(|command| !command.text.trim_start().starts_with('#'));
    commands
}

/// Adds a line to a command; whether it goes on in the next one.
fn append(text: &mut String, line: &str) -> bool {
    let goes_on = line.strip_suffix('\\');
    text.push_str(goes_on.unwrap_or(line).trim());
    if goes_on.is_some() {
        text.push(' ');
    }
    goes_on.is_some()
}

/// What is to be run for `text`, `None` if nothing.
fn runnable(text: &str) -> Option<String> {
    if let Some(arguments) = text.strip_prefix("cargo run --release -- ") {
        return Some(format!("etinspect {arguments}"));
    }
    let skipped = NOT_RUN.iter().any(|prefix| text.starts_with(prefix));
    (!skipped).then(|| text.to_owned())
}

fn run(text: &str, folder: &Path) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_etinspect"));
    let mut path = program.parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", text]).current_dir(folder).env("PATH", path).env_remove("NO_COLOR");
    shell.output().expect("a shell").into()
}

/// Whether `lines` are what `expected` says.
fn agree(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=lines.len()).any(|skipped| agree(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line.trim_end() == first.trim_end() && agree(rest, lines)),
    }
}

/// Runs the commands of one document; what is wrong with them, and how many ran.
fn check(path: &Path) -> (Vec<String>, usize) {
    let text = fs::read_to_string(path).expect("a readable document");
    let folder = tempfile::tempdir().expect("a folder");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    std::os::unix::fs::symlink(tests, folder.path().join("tests")).expect("a link");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for command in commands(&text) {
        let Some(runnable) = runnable(&command.text) else { continue };
        count += 1;
        let ran = run(&runnable, folder.path());
        let place = format!("{}:{}: {}", path.display(), command.line, command.text);
        if ran.status != Some(command.status) {
            let (found, errors) = (ran.status, ran.stderr);
            wrong.push(format!("{place}\nexit status {found:?}, not {}\n{errors}", command.status));
            continue;
        }
        let printed = format!("{}{}", ran.stdout, ran.stderr);
        let lines: Vec<&str> = printed.lines().collect();
        if command.prints.is_some_and(|expected| !agree(&expected, &lines)) {
            wrong.push(format!("{place}\nprints this instead:\n{printed}"));
        }
    }
    (wrong, count)
}

#[test]
fn commands_do_what_the_documents_say() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in documents() {
        let (found, ran) = check(&path);
        wrong.extend(found);
        count += ran;
    }
    assert!(wrong.is_empty(), "{} of {count} commands:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count > 10, "only {count} commands were found");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for path in documents() {
        let text = fs::read_to_string(&path).expect("a readable document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let elsewhere = link.contains("://") || file.is_empty();
            let target = path.parent().expect("a folder").join(file);
            assert!(elsewhere || target.exists(), "{}: no {link}", path.display());
        }
    }
}

#[test]
fn blocks_are_understood() {
    let text = "\
```sh
one --flag \\
  two # exit status 4
# a comment
```
```text
three
```
```console
$ four
printed
...
$ five
```
";
    let command = |line, text: &str, status, prints: Option<&[&str]>| Command {
        line,
        text: text.to_owned(),
        status,
        prints: prints.map(|lines| lines.iter().map(|l| (*l).to_owned()).collect()),
    };
    assert_eq!(
        commands(text),
        [
            command(2, "one --flag two", 4, None),
            command(10, "four", 0, Some(&["printed", "..."])),
            command(13, "five", 0, Some(&[])),
        ]
    );
    let expected = ["a".to_owned(), "...".to_owned(), "d".to_owned()];
    assert!(agree(&expected, &["a", "b", "c", "d"]));
    assert!(agree(&expected, &["a", "d"]));
    assert!(!agree(&expected, &["a", "d", "e"]));
}
