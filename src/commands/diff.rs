//! `etinspect diff`: what changed between two traces or two programs.

use crate::abi::AbiName;
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::text::{bytes, escape, thousands};
use crate::trace::{self, damaged, truncated};
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::diff::{Changed, EventKey, ProgramDiff, TraceDiff, Verdict};
use et_inspector::events::{EventBlocks, TimeScale, Times};
use et_reports::memory::escape_markdown;
use et_schema::bundled::File as Bundle;
use et_schema::etdump::File as Trace;
use et_schema::layout::Abi;
use et_schema::pte::File;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Compare two traces or two programs: what got slower, bigger, new, gone
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What got slower, with a test that tells it from noise:
    etinspect diff base.etdp new.etdp

  Fail a CI job if anything did:
    etinspect diff base.etdp new.etdp --fail-on-regression

  The same for a pull request:
    etinspect diff base.etdp new.etdp --format markdown

  What another export changed: operators, buffers, sizes:
    etinspect diff base.pte new.pte

  Traces of a board that counts cycles:
    etinspect diff base.etdp new.etdp --source-time-scale cycles")]
pub struct DiffArgs {
    /// The base: a trace (.etdp) or a program (.pte or .bpte)
    #[arg(value_name = "BASE")]
    base: PathBuf,

    /// What is compared with it, of the same kind
    #[arg(value_name = "NEW")]
    new: PathBuf,

    /// Share of the base's median below which a change of time is none
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    min_effect: f64,

    /// Unit of the traces' ticks
    #[arg(long, value_enum, value_name = "SCALE", default_value_t = Ticks::Ns)]
    source_time_scale: Ticks,

    /// ABI whose object sizes the method allocator of programs counts
    #[arg(long, value_enum, value_name = "ABI", default_value_t = AbiName::Arm32)]
    abi: AbiName,

    /// Exit with 1 if something got slower, or bigger
    #[arg(long)]
    fail_on_regression: bool,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Units of a trace's ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ticks {
    /// Nanoseconds
    Ns,
    /// Cycles of a counter
    Cycles,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.diff/1`
    Json,
    /// For pull requests
    Markdown,
}

/// Kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Trace,
    Program,
}

impl Kind {
    fn of(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        match (bytes.get(4..8), bytes.get(8..12)) {
            (Some(b"ED00"), _) | (_, Some(b"ED00")) => Ok(Kind::Trace),
            (Some(id), _) if id.starts_with(b"ET") || id == b"BP08" => Ok(Kind::Program),
            _ => Err(Failure::input(
                path,
                "expected a trace (identifier ED00) or a program (ET12, or BP08 if bundled); for \
                 tensors and numbers see `etinspect compare`",
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Trace => "trace",
            Kind::Program => "program",
        }
    }
}

/// A share that is not negative.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share.is_finite() && share >= 0.0 => Ok(share),
        _ => Err("expected a share, such as 0.02 for 2 %".into()),
    }
}

impl DiffArgs {
    /// Text from a file, safe in the form that is printed.
    fn escape(&self, text: &str) -> String {
        match self.format {
            Format::Markdown => escape_markdown(&escape(text)),
            _ => escape(text),
        }
    }

    /// A table with numbers to the right of its first column.
    fn table(&self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_preset(match self.format {
            Format::Markdown => presets::ASCII_MARKDOWN,
            _ => presets::NOTHING,
        });
        table.set_header(header);
        for index in 1..header.len() {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// Runs the command.
pub fn run(args: &DiffArgs, global: &Global) -> Result<Status, Failure> {
    let (base, new) = (input::open(&args.base)?, input::open(&args.new)?);
    let kinds = (Kind::of(&args.base, &base)?, Kind::of(&args.new, &new)?);
    if kinds.0 != kinds.1 {
        let message = format!(
            "{} is a {}, {} is a {}: compare two of the same kind",
            escape(&args.base.to_string_lossy()),
            kinds.0.name(),
            escape(&args.new.to_string_lossy()),
            kinds.1.name()
        );
        return Err(Failure::Usage(message));
    }
    let (result, regressed) = match kinds.0 {
        Kind::Trace => traces(args, global, &base, &new)?,
        Kind::Program => programs(args, &base, &new)?,
    };
    let mut output = global.open_output()?;
    output.text(&result)?;
    output.finish()?;
    Ok(if regressed && args.fail_on_regression { Status::NotMet } else { Status::Done })
}

/// What is done with the events before a cut.
const COMPARED: &str = "are compared";

fn traces(
    args: &DiffArgs,
    global: &Global,
    base: &[u8],
    new: &[u8],
) -> Result<(String, bool), Failure> {
    let base = trace::open(&args.base, base, COMPARED, global)?;
    let new = trace::open(&args.new, new, COMPARED, global)?;
    let (source, target) = match args.source_time_scale {
        Ticks::Ns => (TimeScale::Nanoseconds, TimeScale::Milliseconds),
        Ticks::Cycles => (TimeScale::Cycles, TimeScale::Cycles),
    };
    let times = Times::new(source, target)
        .ok_or_else(|| Failure::Usage("cycles have no length in time".into()))?;
    let blocks = (EventBlocks::of(&base), EventBlocks::of(&new));
    let sides = ((&base, &blocks.0), (&new, &blocks.1));
    let diff = TraceDiff::of_traces(sides.0, sides.1, &times, args.min_effect);
    let tested = diff.changes.iter().any(|c| c.verdict != Verdict::TooFewRuns);
    if args.fail_on_regression && !tested {
        global.warn("no event has enough runs in both traces to tell a regression from noise");
    }
    if args.fail_on_regression && !diff.gone.is_empty() && !diff.added.is_empty() {
        global.warn("events that are gone or new are not compared: a regression may hide there");
    }
    let text = match args.format {
        Format::Text | Format::Markdown => traces_text(args, &diff, times.target()),
        Format::Json => traces_json(args, &diff, times.target(), [&base, &new]),
    };
    Ok((text, diff.has_regression()))
}

fn programs(args: &DiffArgs, base: &[u8], new: &[u8]) -> Result<(String, bool), Failure> {
    let fail = |path: &Path, e| Failure::input(path, e);
    let bundled = |path: &Path, bytes| match bytes {
        bytes if is_bundle(bytes) => Bundle::parse(bytes).map(Some).map_err(|e| fail(path, e)),
        _ => Ok(None),
    };
    let bundles = (bundled(&args.base, base)?, bundled(&args.new, new)?);
    let base = File::parse(bundles.0.as_ref().map_or(base, Bundle::program));
    let new = File::parse(bundles.1.as_ref().map_or(new, Bundle::program));
    let (base, new) =
        (base.map_err(|e| fail(&args.base, e))?, new.map_err(|e| fail(&args.new, e))?);
    let diff = ProgramDiff::of(&base, &new, Abi::from(args.abi)).map_err(|e| {
        let base_itself = ProgramDiff::of(&base, &base, Abi::from(args.abi)).is_err();
        fail(if base_itself { &args.base } else { &args.new }, e)
    })?;
    let text = match args.format {
        Format::Text | Format::Markdown => programs_text(args, &diff),
        Format::Json => programs_json(args, &diff),
    };
    Ok((text, diff.has_regression()))
}

fn is_bundle(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"BP08")
}

fn title(args: &DiffArgs) -> String {
    let name = |path: &Path| args.escape(&path.to_string_lossy());
    match args.format {
        Format::Markdown => {
            format!("## etinspect diff\n\n{} → {}\n", name(&args.base), name(&args.new))
        }
        _ => format!("base {}\nnew  {}\n", name(&args.base), name(&args.new)),
    }
}

fn place(key: &EventKey) -> String {
    if key.chain < 0 { String::new() } else { format!("{}:{}", key.chain, key.instruction) }
}

fn traces_text(args: &DiffArgs, diff: &TraceDiff, scale: TimeScale) -> String {
    let mut text = title(args);
    let count = |verdict| diff.changes.iter().filter(|c| c.verdict == verdict).count();
    let _ = writeln!(
        text,
        "\n{} slower, {} faster, {} the same, {} with too few runs to tell; {} gone, {} new",
        count(Verdict::Slower),
        count(Verdict::Faster),
        count(Verdict::Same),
        count(Verdict::TooFewRuns),
        diff.gone.len(),
        diff.added.len()
    );
    let mut table = args.table(&[" event", "at", "base", "new", "change", "p"]);
    let mut changed: Vec<_> = diff
        .changes
        .iter()
        .filter(|c| matches!(c.verdict, Verdict::Slower | Verdict::Faster))
        .collect();
    changed
        .sort_by(|a, b| (b.new.p50 - b.base.p50).abs().total_cmp(&(a.new.p50 - a.base.p50).abs()));
    for change in &changed {
        table.add_row([
            format!(" {}", args.escape(&change.key.name)),
            match change.moved_to {
                Some(instruction) => format!("{} (now {instruction})", place(&change.key)),
                None => place(&change.key),
            },
            format!("{:.6}", change.base.p50),
            format!("{:.6}", change.new.p50),
            change.relative().map_or_else(String::new, |share| format!("{:+.1} %", share * 100.0)),
            format!("{:.4}", change.p_value),
        ]);
    }
    if !changed.is_empty() {
        let _ = writeln!(text, "\nMedians in {}\n{}", scale.name(), table.trim_fmt());
    }
    let bullet = if args.format == Format::Markdown { "* " } else { "" };
    if !diff.unknown.is_empty() {
        let _ = writeln!(
            text,
            "{} events of one trace may lie behind the cut of the other",
            thousands(diff.unknown.len() as u64)
        );
    }
    for (label, keys) in [("gone", &diff.gone), ("new", &diff.added)] {
        for key in keys {
            let _ = writeln!(text, "{bullet}{label}  {} {}", place(key), args.escape(&key.name));
        }
    }
    text
}

fn traces_json(
    args: &DiffArgs,
    diff: &TraceDiff,
    scale: TimeScale,
    [base, new]: [&Trace<'_>; 2],
) -> String {
    let key = |key: &EventKey| {
        json!({
            "name": key.name, "chain": key.chain, "instruction": key.instruction,
            "is_delegated_op": key.in_delegate,
        })
    };
    let changes: Vec<Value> = diff
        .changes
        .iter()
        .map(|change| {
            let mut row = key(&change.key);
            row["verdict"] = json!(match change.verdict {
                Verdict::Slower => "slower",
                Verdict::Faster => "faster",
                Verdict::Same => "same",
                Verdict::TooFewRuns => "too_few_runs",
            });
            row["moved_to_instruction"] = json!(change.moved_to);
            row["base_p50"] = json!(change.base.p50);
            row["new_p50"] = json!(change.new.p50);
            row["relative"] = json!(change.relative());
            row["p_value"] = json!(change.p_value);
            row
        })
        .collect();
    let document = json!({
        "schema": "etinspect.diff/1",
        "kind": "traces",
        "base": args.base.to_string_lossy(),
        "new": args.new.to_string_lossy(),
        "time_scale": scale.name(),
        "regression": diff.has_regression(),
        "changes": changes,
        "gone": diff.gone.iter().map(key).collect::<Vec<_>>(),
        "added": diff.added.iter().map(key).collect::<Vec<_>>(),
        "unknown": diff.unknown.iter().map(key).collect::<Vec<_>>(),
        "base_truncated": truncated(base.truncation()),
        "new_truncated": truncated(new.truncation()),
        "base_damaged": damaged(base.damage()),
        "new_damaged": damaged(new.damage()),
    });
    format!("{document:#}\n")
}

fn programs_text(args: &DiffArgs, diff: &ProgramDiff) -> String {
    let mut text = title(args);
    if diff.changed.is_empty() {
        let _ = writeln!(text, "\nNo difference in {} numbers.", diff.same);
        return text;
    }
    let mut table = args.table(&[" what", "base", "new", "change"]);
    for change in &diff.changed {
        let show = |number: Option<u64>, none: &str| match number {
            Some(number) if change.fact.is_bytes() => bytes(number),
            Some(number) => thousands(number),
            None => none.to_owned(),
        };
        table.add_row([
            format!(" {}", args.escape(&change.fact.name())),
            show(change.base, "-"),
            show(change.new, "-"),
            difference(change),
        ]);
    }
    let _ = writeln!(text, "\n{}\n\n{} numbers are the same.", table.trim_fmt(), diff.same);
    text
}

/// `+12.5 %`, `new` or `gone`.
fn difference(change: &Changed) -> String {
    match (change.base, change.new) {
        (None, _) => "new".into(),
        (_, None) => "gone".into(),
        (Some(0), Some(_)) => String::new(),
        (Some(base), Some(new)) => {
            format!("{:+.1} %", (new as f64 - base as f64) / base as f64 * 100.0)
        }
    }
}

fn programs_json(args: &DiffArgs, diff: &ProgramDiff) -> String {
    let changes = diff.changed.iter().map(|change| {
        json!({
            "kind": change.fact.kind(),
            "name": change.fact.name(),
            "base": change.base,
            "new": change.new,
        })
    });
    let document = json!({
        "schema": "etinspect.diff/1",
        "kind": "programs",
        "base": args.base.to_string_lossy(),
        "new": args.new.to_string_lossy(),
        "regression": diff.has_regression(),
        "changes": changes.collect::<Vec<_>>(),
        "same": diff.same,
    });
    format!("{document:#}\n")
}
