//! `etinspect events`: the Inspector's table of a trace.

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::text::{escape, thousands};
use clap::{ArgAction, Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::events::{Block, EventBlocks, EventRow, GroupBy, TimeScale, Times, groups};
use et_reports::events;
use et_schema::etdump::File;
use std::fmt::Write;
use std::path::PathBuf;

/// Print the events of a trace with their statistics
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The table, longest events first:
    etinspect events trace.etdp --sort sum

  The file that ExecuTorch's Inspector writes with save_data_to_tsv:
    etinspect events trace.etdp --format tsv -o events.tsv

  Time by operator:
    etinspect events trace.etdp --group-by op

  A trace in clock cycles, from a microcontroller:
    etinspect events etdump.bin --source-time-scale cycles --time-scale cycles

  Open it in ui.perfetto.dev:
    etinspect events trace.etdp --format chrome -o trace.json")]
pub struct EventsArgs {
    /// The trace (.etdp), `-` for standard input
    #[arg(value_name = "TRACE.etdp")]
    trace: PathBuf,

    /// Order of the table's rows [default: as they happened]
    #[arg(long, value_enum, value_name = "COLUMN")]
    sort: Option<Sort>,

    /// Only events whose name contains TEXT
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Sum the events up
    #[arg(long, value_enum, value_name = "WHAT")]
    group_by: Option<GroupArg>,

    /// Unit of the trace's clock
    #[arg(long, value_enum, default_value_t = Scale::Ns, value_name = "SCALE")]
    source_time_scale: Scale,

    /// Unit of the times that are printed
    #[arg(long, value_enum, default_value_t = Scale::Ms, value_name = "SCALE", alias = "target-time-scale")]
    time_scale: Scale,

    /// Whether column names of a TSV file carry the unit
    #[arg(long, action = ArgAction::Set, default_value_t = true, value_name = "BOOL")]
    include_units: bool,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Columns to sort by, largest first.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    /// Sum of all runs
    Sum,
    /// Mean
    Avg,
    /// Most
    Max,
    /// Median
    P50,
    /// Name, in alphabetical order
    Name,
}

/// What to sum over.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroupArg {
    /// Operators
    Op,
    /// Instructions
    Instruction,
    /// Operations inside of delegates
    Delegate,
}

/// Time scales by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scale {
    /// Nanoseconds
    Ns,
    /// Microseconds
    Us,
    /// Milliseconds
    Ms,
    /// Seconds
    S,
    /// Clock cycles
    Cycles,
}

impl From<Scale> for TimeScale {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Ns => TimeScale::Nanoseconds,
            Scale::Us => TimeScale::Microseconds,
            Scale::Ms => TimeScale::Milliseconds,
            Scale::S => TimeScale::Seconds,
            Scale::Cycles => TimeScale::Cycles,
        }
    }
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// The Inspector's own file
    Tsv,
    /// All statistics, for spreadsheets
    Csv,
    /// `etinspect.events/1`
    Json,
    /// Trace for Perfetto and chrome://tracing
    Chrome,
}

/// Runs the command.
pub fn run(args: &EventsArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.trace)?;
    let file = File::parse(&bytes).map_err(|e| Failure::input(&args.trace, e))?;
    let times = times(args, args.time_scale)?;
    let mut blocks = EventBlocks::of(&file);
    if let Some(filter) = &args.filter {
        for block in &mut blocks.blocks {
            block.events.retain(|row| row.display_name().contains(filter.as_str()));
        }
    }
    for block in &mut blocks.blocks {
        sort(block, args.sort, &times);
    }
    let text = match (args.format, args.group_by) {
        (Format::Table, Some(by)) => group_table(&blocks, by, &times),
        (Format::Table, None) => table(&blocks, &times),
        (_, Some(_)) => {
            return Err(Failure::Usage("--group-by goes with --format table only".into()));
        }
        (Format::Tsv, None) => events::tsv(&blocks, &times, args.include_units),
        (Format::Csv, None) => events::csv(&blocks, &times),
        (Format::Json, None) => events::json(&blocks, &times),
        (Format::Chrome, None) => {
            let scale = match args.source_time_scale {
                Scale::Cycles => Scale::Cycles,
                _ => Scale::Us,
            };
            events::chrome(&blocks, &self::times(args, scale)?)
        }
    };
    let mut output = global.open_output()?;
    output.text(&text)?;
    output.finish()?;
    Ok(Status::Done)
}

fn times(args: &EventsArgs, target: Scale) -> Result<Times, Failure> {
    Times::new(args.source_time_scale.into(), target.into()).ok_or_else(|| {
        Failure::Usage(
            "clock cycles convert to no other unit: set both --source-time-scale and \
             --time-scale to cycles, or neither"
                .into(),
        )
    })
}

fn sort(block: &mut Block<'_>, by: Option<Sort>, times: &Times) {
    let number = |row: &EventRow<'_>, pick: fn(&et_inspector::events::Statistics) -> f64| {
        row.statistics(times).map_or(f64::NEG_INFINITY, |s| pick(&s))
    };
    let pick: fn(&et_inspector::events::Statistics) -> f64 = match by {
        None => return,
        Some(Sort::Name) => return block.events.sort_by_key(EventRow::display_name),
        Some(Sort::Sum) => |s| s.sum,
        Some(Sort::Avg) => |s| s.avg,
        Some(Sort::Max) => |s| s.max,
        Some(Sort::P50) => |s| s.p50,
    };
    block.events.sort_by(|a, b| number(b, pick).total_cmp(&number(a, pick)));
}

/// One table per block; `OPERATOR_CALL` is left out, as its time is that of the kernel.
fn table(blocks: &EventBlocks<'_>, times: &Times) -> String {
    let mut text = String::new();
    for block in &blocks.blocks {
        let runs = if block.runs == 1 { "run" } else { "runs" };
        let unit = times.target().name();
        let _ = writeln!(text, "{}  {} {runs}, times in {unit}", escape(block.name), block.runs);
        let header = ["event", "at", "p10", "p50", "p90", "avg", "min", "max", "stddev", "sum"];
        let mut table = plain_table(&header);
        for row in block.events.iter().filter(|row| !row.is_operator_call()) {
            let mut cells = vec![escape(&row.display_name()), place(row)];
            match row.statistics(times) {
                Some(s) => cells.extend(
                    [s.p10, s.p50, s.p90, s.avg, s.min, s.max, s.stddev, s.sum].map(number),
                ),
                None => cells.push("(values only)".into()),
            }
            table.add_row(cells);
        }
        let _ = writeln!(text, "{}\n", lines(&table));
    }
    footer(&mut text, blocks);
    text
}

fn footer(text: &mut String, blocks: &EventBlocks<'_>) {
    if blocks.allocation_events > 0 {
        let count = thousands(blocks.allocation_events as u64);
        let _ = writeln!(text, "{count} allocation events are not shown here");
    }
    if blocks.repeated > 0 {
        let count = thousands(blocks.repeated as u64);
        let _ = writeln!(
            text,
            "{count} of the times above are later iterations of loops (--compat inspector: \
             only the last iteration of each run)"
        );
    }
}

fn group_table(blocks: &EventBlocks<'_>, by: GroupArg, times: &Times) -> String {
    let by = match by {
        GroupArg::Op => GroupBy::Operator,
        GroupArg::Instruction => GroupBy::Instruction,
        GroupArg::Delegate => GroupBy::Delegate,
    };
    let groups = groups(blocks, by, times);
    let total: f64 = groups.iter().map(|g| g.sum).sum();
    let unit = times.target().name();
    let sum = format!("sum ({unit})");
    let average = format!("avg ({unit})");
    let mut table = plain_table(&["name", "count", &sum, &average, "share"]);
    for group in &groups {
        let share = if total > 0.0 { group.sum * 100.0 / total } else { 0.0 };
        table.add_row([
            escape(&group.name),
            thousands(group.count as u64),
            number(group.sum),
            number(group.sum / group.count.max(1) as f64),
            format!("{share:.1} %"),
        ]);
    }
    table.add_row(["total".into(), String::new(), number(total), String::new(), String::new()]);
    lines(&table) + "\n"
}

/// Chain and instruction; nothing outside of chains.
fn place(row: &EventRow<'_>) -> String {
    if row.chain < 0 { String::new() } else { format!("{}:{}", row.chain, row.instruction) }
}

/// Five significant digits, without an exponent where one can read it.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = usize::try_from(4 - magnitude).unwrap_or(0);
    if (-6..15).contains(&magnitude) {
        format!("{value:.decimals$}")
    } else {
        format!("{value:.3e}")
    }
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
