//! The program file, its earlier runs, and the report itself.

use super::{Part, ROWS};
use crate::memory::words::number;
use crate::page::{Cell, Table, escape};
use crate::report::words::{size, time};
use crate::report::{Entry, Report, sparkline};
use std::fmt::Write;

/// Runs of the history that are listed.
const RUNS: usize = 20;

/// The program file by its parts, and the largest weights.
pub fn part(report: &Report<'_>) -> Part {
    let mut part = Part::new("program", "Program", "Program and weights");
    let (page, program) = (&mut part.body, &report.program);
    let row = |name: &str, bytes: u64| -> Vec<Cell> {
        vec![name.into(), size(bytes).into(), Cell::share(bytes, program.bytes)]
    };
    let parts = [
        row("constant tensors", program.constants),
        row("payloads of delegates", program.delegates),
        row("values, instructions, named data and padding", program.rest()),
    ];
    let table = Table::new(&["part", "#bytes", "#share"]).rows(parts);
    table.sum(row("the file", program.bytes)).write(page);
    if program.external > 0 {
        let _ = writeln!(page, "<p>Constants in other files: {}</p>", size(program.external));
    }
    let count = program.weights.len();
    let _ = writeln!(page, "<h3>Largest weights</h3>\n<p>{} in all</p>", number(count as u64));
    if count == 0 {
        return part;
    }
    let rows = program.weights.iter().take(ROWS).map(|weight| {
        vec![
            weight.method.clone(),
            weight.value.to_string(),
            size(weight.bytes),
            weight.kind.clone(),
            weight.name.as_deref().unwrap_or("-").to_owned(),
        ]
    });
    let mut table = Table::new(&["method", "#value", "#bytes", "=type", "=name"]).rows(rows);
    if let Some(rest) = program.weights.get(ROWS..).filter(|rest| !rest.is_empty()) {
        let sum = rest.iter().fold(0u64, |sum, weight| sum.saturating_add(weight.bytes));
        let name = format!("{} smaller ones", number(rest.len() as u64));
        table = table.sum(vec![name, String::new(), size(sum), String::new(), String::new()]);
    }
    let sum = program.constants.saturating_add(program.external);
    let all = ["sum".to_owned(), String::new(), size(sum), String::new(), String::new()];
    table.sum(all.into()).write(page);
    part
}

/// Earlier runs, the latest first, under this one.
pub fn history(report: &Report<'_>) -> Option<Part> {
    if report.history.is_empty() {
        return None;
    }
    let mut part = Part::new("history", "Earlier runs", "Earlier runs");
    let page = &mut part.body;
    let mut runs = report.history.to_vec();
    runs.push(Entry::of(report));
    let _ = writeln!(
        page,
        "<p>Peak of the latest {} runs: {}</p>",
        runs.len().min(sparkline::POINTS),
        sparkline::peaks(&runs)
    );
    let times = sparkline::times(&runs);
    if !times.is_empty() {
        let _ = writeln!(page, "<p>Time of a run: {times}</p>");
    }
    let before = runs.len() - 1;
    let rows = runs.iter().enumerate().rev().take(RUNS).map(|(index, run)| {
        let ticks = run.run_ticks.zip(run.unit.as_deref());
        let name = if index == before { "this one".into() } else { number(index as u64 + 1) };
        vec![
            Cell::from(name),
            Cell::judged(run.verdict.clone(), run.verdict != "bad"),
            size(run.program_bytes).into(),
            size(run.peak_bytes).into(),
            size(run.total_bytes).into(),
            ticks.map_or_else(|| "-".to_owned(), |(ticks, unit)| time(ticks, unit)).into(),
            run.sha256.chars().take(12).collect::<String>().into(),
        ]
    });
    let header = ["run", "verdict", "#file", "#peak", "#all pools", "#time", "=SHA-256"];
    Table::new(&header).rows(rows).write(page);
    if let Some(more) = runs.len().checked_sub(RUNS).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p>and {} before</p>", number(more as u64));
    }
    Some(part)
}

/// What the report does not know.
pub fn blind_spots(report: &Report<'_>) -> Part {
    let mut part = Part::new("unseen", "Not seen", "What this report cannot see");
    part.body.push_str("<ul>\n");
    for spot in report.blind_spots() {
        let _ = writeln!(part.body, "<li>{}</li>", escape(&spot));
    }
    part.body.push_str("</ul>\n");
    part
}

/// Versions, hashes and the command line.
pub fn made(report: &Report<'_>) -> Part {
    let mut part = Part::new("made", "How made", "How this was made");
    let made = &report.made;
    let _ = writeln!(
        part.body,
        "<p>etinspect {}; the same inputs make the same page, byte for byte.</p>",
        escape(&made.version)
    );
    if !made.command.is_empty() {
        let command = escape(&made.command);
        let _ = writeln!(part.body, "<pre class=\"wrap\" tabindex=\"0\">{command}</pre>");
    }
    let rows = made.inputs.iter().map(|input| {
        vec![
            input.role.to_owned(),
            input.name.clone(),
            input.format.clone(),
            size(input.bytes),
            input.sha256.clone(),
        ]
    });
    Table::new(&["input", "=name", "format", "#bytes", "=SHA-256"])
        .rows(rows)
        .write(&mut part.body);
    part
}
