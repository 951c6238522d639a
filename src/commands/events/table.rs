//! The table of events.

use super::View;
use crate::text::{escape, thousands};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::correlate::{Coverage, Matches};
use et_inspector::events::{Block, EventRow, RunTimes};
use std::fmt::Write;

/// What could not be resolved is listed up to this many lines.
const LISTED: usize = 5;

/// One table per block; `OPERATOR_CALL` is left out, as its time is that of the kernel.
pub(super) fn table(view: &View<'_, '_>) -> String {
    let mut text = String::new();
    for (index, block) in view.blocks.blocks.iter().enumerate() {
        let runs = if block.runs == 1 { "run" } else { "runs" };
        let unit = view.times.target().name();
        let method = match view.correlation.method(index) {
            Some(method) => format!(" of {}", escape(method)),
            None => String::new(),
        };
        let name = escape(block.name);
        let _ = writeln!(text, "{name}{method}  {} {runs}, times in {unit}", block.runs);
        let _ = writeln!(text, "{}", lines(&events(view, index, block)));
        runs_note(&mut text, view, block);
        text.push('\n');
    }
    footer(&mut text, view);
    text
}

fn events(view: &View<'_, '_>, index: usize, block: &Block<'_>) -> Table {
    let rows = || block.events.iter().filter(|row| !row.is_operator_call());
    let has_modules = view.correlation.has_record();
    let has_sources = rows().any(|row| view.correlation.event(index, row).source().is_some());
    let mut header =
        vec!["event", "at", "p10", "p50", "p90", "avg", "min", "max", "stddev", "sum", "self"];
    header.extend(has_modules.then_some("module"));
    header.extend(has_sources.then_some("source"));
    let mut table = plain_table(&header);
    for column in header.iter().enumerate().skip(11).map(|(index, _)| index) {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    for row in rows() {
        let mut cells = vec![escape(&row.display_name()), place(row)];
        match row.statistics(view.times) {
            Some(s) => {
                let own = view.times.span(row.own_ticks());
                let numbers = [s.p10, s.p50, s.p90, s.avg, s.min, s.max, s.stddev, s.sum, own];
                cells.extend(numbers.map(number));
            }
            None => {
                cells.push("(values only)".into());
                cells.extend(vec![String::new(); 8]);
            }
        }
        let origin = view.correlation.event(index, row);
        if has_modules {
            cells.push(match origin.module() {
                Some("") => "(model)".into(),
                module => escape(module.unwrap_or_default()),
            });
        }
        if has_sources {
            cells.push(escape(&origin.source().unwrap_or_default()));
        }
        table.add_row(cells);
    }
    table
}

/// The first run against the others, and runs that were disturbed.
fn runs_note(text: &mut String, view: &View<'_, '_>, block: &Block<'_>) {
    let runs = RunTimes::of(block);
    let unit = view.times.target().name();
    let span = |run: usize| number(view.times.span(runs.ticks[run]));
    if let (Some(ratio), Some(mean)) = (runs.first_to_warm(), runs.warm_mean)
        && !(0.5..=2.0).contains(&ratio)
    {
        let warm = number(view.times.span(mean.round() as u64));
        let _ = writeln!(
            text,
            "the first run took {} {unit}, the others {warm} {unit} in the mean ({ratio:.1} times)",
            span(0)
        );
    }
    if !runs.outliers.is_empty() {
        let list: Vec<String> = runs
            .outliers
            .iter()
            .take(LISTED)
            .map(|&run| format!("{run} ({} {unit})", span(run)))
            .collect();
        let _ = writeln!(
            text,
            "{} of {} runs are far from the median of the warm ones: {}",
            runs.outliers.len(),
            block.runs,
            list.join(", ")
        );
    }
}

fn footer(text: &mut String, view: &View<'_, '_>) {
    if view.blocks.allocation_events > 0 {
        let count = thousands(view.blocks.allocation_events as u64);
        let _ = writeln!(text, "{count} allocation events are not shown here");
    }
    if view.blocks.repeated > 0 {
        let count = thousands(view.blocks.repeated as u64);
        let _ = writeln!(
            text,
            "{count} of the times above are later iterations of loops (--compat inspector: \
             only the last iteration of each run)"
        );
    }
    let coverage = Coverage::of(view.blocks, view.correlation);
    matches(text, coverage.instructions, "instructions of the program");
    matches(text, coverage.nodes, "nodes of the ETRecord");
    let mut seen: Vec<String> = Vec::new();
    for event in &coverage.unmatched {
        let line =
            format!("  {}:{} {}: {}", event.chain, event.instruction, event.name, event.reason);
        if !seen.contains(&line) {
            seen.push(line);
        }
    }
    for line in seen.iter().take(LISTED) {
        let _ = writeln!(text, "{}", escape(line));
    }
    if seen.len() > LISTED {
        let _ = writeln!(text, "  and {} more (--format json lists them)", seen.len() - LISTED);
    }
}

fn matches(text: &mut String, matches: Option<Matches>, what: &str) {
    let Some(matches) = matches else { return };
    let _ = writeln!(
        text,
        "{} of {} events ({:.1} %, {:.1} % of the time) resolve to {what}",
        thousands(matches.matched as u64),
        thousands(matches.events as u64),
        matches.percent(),
        matches.percent_of_time(),
    );
}

/// Chain and instruction; nothing outside of chains.
fn place(row: &EventRow<'_>) -> String {
    if row.chain < 0 { String::new() } else { format!("{}:{}", row.chain, row.instruction) }
}

/// Five significant digits, without an exponent where one can read it.
pub(super) fn number(value: f64) -> String {
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

/// A table without lines, whose columns but the first are aligned to the right.
pub(super) fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The table as text.
pub(super) fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
