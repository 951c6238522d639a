//! `etinspect explain`: what an error code or a finding's code means.

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::text::{escape, wrap};
use clap::{Args, ValueEnum};
use et_inspector::explain::error_code;
use et_inspector::findings::Code;
use et_schema::ErrorCode;
use serde_json::{Value, json};
use std::fmt::Write;

/// Names in a message about an unknown code.
const SUGGESTIONS: usize = 3;

/// Explain an error code of ExecuTorch or a finding's code
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The status of a log, in hexadecimal or decimal:
    etinspect explain 0x21
    etinspect explain 33

  An error by its name, and a finding by its code:
    etinspect explain MemoryAllocationFailed
    etinspect explain ETM001

  All codes:
    etinspect explain")]
pub struct ExplainArgs {
    /// Name or number of an error, or code of a finding [default: list them all]
    #[arg(value_name = "CODE", allow_negative_numbers = true)]
    code: Option<String>,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.explain/1`
    Json,
}

/// Something that has a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Error(ErrorCode),
    Finding(Code),
}

/// Runs the command.
pub fn run(args: &ExplainArgs, global: &Global) -> Result<Status, Failure> {
    let (entries, one) = match &args.code {
        Some(code) => (vec![find(code)?], true),
        None => (all().collect(), false),
    };
    let mut output = global.open_output()?;
    match args.format {
        Format::Json => {
            let pages: Vec<Value> = entries.iter().map(|entry| entry.json()).collect();
            let document = json!({ "schema": "etinspect.explain/1", "codes": pages });
            output.text(&format!("{document:#}\n"))?;
        }
        Format::Text if one => output.text(&entries[0].page())?,
        Format::Text => output.text(&list(&entries))?,
    }
    output.finish()?;
    if let Some(code) = &args.code
        && let Some(note) = other_reading(code).filter(|_| !global.quiet)
    {
        eprintln!("{note}");
    }
    Ok(Status::Done)
}

fn all() -> impl Iterator<Item = Entry> {
    let errors = ErrorCode::ALL.iter().copied().map(Entry::Error);
    errors.chain(Code::ALL.iter().copied().map(Entry::Finding))
}

/// The entry that `text` names.
fn find(text: &str) -> Result<Entry, Failure> {
    // `Error::InvalidProgram` and `Error.InvalidProgram` are how sources name it.
    let name = text.trim().rsplit([':', '.']).next().unwrap_or_default();
    if let Some(number) = number(name) {
        return ErrorCode::from_code(number)
            .map(Entry::Error)
            .ok_or_else(|| unknown(text, &near_numbers(number)));
    }
    let error = ErrorCode::from_name(name).map(Entry::Error);
    error
        .or_else(|| Code::from_name(name).map(Entry::Finding))
        .ok_or_else(|| unknown(text, &near_names(name)))
}

/// A number in decimal, or in hexadecimal after `0x`.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `21` is decimal, and may be what is left of `0x21`.
fn other_reading(text: &str) -> Option<String> {
    let decimal: u32 = text.trim().parse().ok()?;
    let error = ErrorCode::from_code(u32::from_str_radix(text.trim(), 16).ok()?)?;
    (error.code() != decimal)
        .then(|| format!("note: {decimal} is read as decimal; 0x{decimal} is {}", error.name()))
}

fn unknown(text: &str, near: &[String]) -> Failure {
    let text = escape(text);
    let all = "`etinspect explain` lists all codes";
    Failure::Usage(match near {
        [] => format!("no code \"{text}\"; {all}"),
        near => format!("no code \"{text}\"; near: {}; {all}", near.join(", ")),
    })
}

fn near_numbers(number: u32) -> Vec<String> {
    let mut errors: Vec<ErrorCode> = ErrorCode::ALL.to_vec();
    errors.sort_by_key(|e| e.code().abs_diff(number));
    errors.iter().take(SUGGESTIONS).map(|e| format!("0x{:02x} {}", e.code(), e.name())).collect()
}

/// Names that contain `text`, up to one slip of the finger in four letters.
fn near_names(text: &str) -> Vec<String> {
    // Shorter ones are part of everything, longer ones of nothing.
    const MEANINGFUL: std::ops::Range<usize> = 3..64;
    let text: Vec<char> = text.to_lowercase().chars().take(MEANINGFUL.end).collect();
    if !MEANINGFUL.contains(&text.len()) {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = all()
        .map(|entry| (slips(&text, &entry.name().to_lowercase()), entry.name()))
        .filter(|(slips, _)| *slips <= text.len() / 4)
        .collect();
    // Of those that are as near, the ones that begin alike come first.
    let alike = |name: &str| {
        let letters = name.chars().flat_map(char::to_lowercase);
        letters.zip(&text).take_while(|(letter, wanted)| letter == *wanted).count()
    };
    near.sort_by_key(|(slips, name)| (*slips, std::cmp::Reverse(alike(name)), *name));
    near.iter().take(SUGGESTIONS).map(|(_, name)| (*name).to_owned()).collect()
}

/// Letters to insert, remove or change to make `text` a part of `name`: the
/// edit distance of the nearest part (Sellers' algorithm).
fn slips(text: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=text.len()).collect();
    let mut nearest = text.len();
    for n in name.chars() {
        // The part may begin anywhere, so nothing matched costs nothing.
        let mut diagonal = row[0];
        for (j, t) in text.iter().enumerate() {
            let change = diagonal + usize::from(n != *t);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
        nearest = nearest.min(row[text.len()]);
    }
    nearest
}

impl Entry {
    /// What the user names it by.
    fn name(self) -> &'static str {
        match self {
            Entry::Error(error) => error.name(),
            Entry::Finding(code) => code.page().code,
        }
    }

    /// The page for people.
    fn page(self) -> String {
        let mut text = String::new();
        match self {
            Entry::Error(error) => {
                let page = error_code(error);
                let (name, code) = (error.name(), error.code());
                let _ = writeln!(text, "{name}: ExecuTorch error 0x{code:02x} (decimal {code})\n");
                wrap(&mut text, "", page.meaning);
                text.push_str("\nTypical causes:\n");
                page.causes.iter().for_each(|cause| wrap(&mut text, "  - ", cause));
                text.push_str("\nWhat to do:\n");
                page.remedies.iter().for_each(|remedy| wrap(&mut text, "  - ", remedy));
            }
            Entry::Finding(code) => {
                let page = code.page();
                let severity = page.severity.name();
                let _ = writeln!(text, "{}: finding, {severity}: {}\n", page.code, page.title);
                wrap(&mut text, "", page.meaning);
                text.push_str("\nWhat to do:\n");
                wrap(&mut text, "  - ", page.remedy);
            }
        }
        text
    }

    /// The page as `etinspect.explain/1` has it.
    fn json(self) -> Value {
        match self {
            Entry::Error(error) => {
                let page = error_code(error);
                json!({
                    "kind": "error",
                    "name": error.name(),
                    "code": error.code(),
                    "meaning": page.meaning,
                    "causes": page.causes,
                    "remedies": page.remedies,
                })
            }
            Entry::Finding(code) => {
                let page = code.page();
                json!({
                    "kind": "finding",
                    "name": page.code,
                    "code": page.code,
                    "severity": page.severity.name(),
                    "title": page.title,
                    "meaning": page.meaning,
                    "remedies": [page.remedy],
                })
            }
        }
    }
}

/// All codes, a line each.
fn list(entries: &[Entry]) -> String {
    let mut text = String::from("Errors of ExecuTorch's runtime:\n");
    let mut errors = true;
    for entry in entries {
        match entry {
            Entry::Error(e) => {
                let meaning = error_code(*e).meaning;
                let _ = writeln!(text, "  0x{:02x} {:>3}  {}", e.code(), e.code(), e.name());
                wrap(&mut text, "            ", meaning);
            }
            Entry::Finding(code) => {
                if std::mem::take(&mut errors) {
                    text.push_str("\nFindings:\n");
                }
                let page = code.page();
                let _ = writeln!(text, "  {}  {}: {}", page.code, page.severity.name(), page.title);
            }
        }
    }
    text
}
