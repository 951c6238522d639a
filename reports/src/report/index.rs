//! Many programs at once: a page with a row for each, and the history of their sizes.

use super::words::{size, time};
use super::{Report, TraceTimes, sparkline, words};
use crate::page::{document, escape};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

const SCHEMA: &str = "etinspect.history/1";

/// The figures of one program in one run: a line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    schema: String,
    /// The program, as the user named it.
    pub model: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// `good` or `bad`: an error, an exceeded limit, or something worse than the base.
    pub verdict: String,
    /// Bytes of the file.
    pub program_bytes: u64,
    /// The most that is live at one moment, of the method with the most.
    pub peak_bytes: u64,
    /// All memory that the runners set aside, of the method with the most.
    pub total_bytes: u64,
    /// The median of the runs that count.
    pub run_ticks: Option<u64>,
    /// Unit of `run_ticks`.
    pub unit: Option<String>,
    /// Findings that are errors.
    pub errors: usize,
}

impl Entry {
    /// The figures of `report`.
    pub fn of(report: &Report<'_>) -> Self {
        let pages = &report.memory.methods;
        let total = pages.iter().map(|p| p.needs.method_pool(None).saturating_add(p.needs.temp));
        let run = report.trace.as_ref().and_then(TraceTimes::main_run);
        let model = report.made.inputs.iter().find(|input| input.role == "model");
        Entry {
            schema: SCHEMA.to_owned(),
            model: report.memory.model.clone(),
            sha256: model.map(|input| input.sha256.clone()).unwrap_or_default(),
            verdict: if report.is_bad() { "bad" } else { "good" }.to_owned(),
            program_bytes: report.program.bytes,
            peak_bytes: pages.iter().map(|p| p.memory.plan.peak.bytes).max().unwrap_or(0),
            total_bytes: total.max().unwrap_or(0),
            run_ticks: run.map(|run| run.spread.p50),
            unit: report.trace.as_ref().map(|trace| trace.unit.to_owned()),
            errors: report.count(et_inspector::findings::Severity::Error),
        }
    }

    /// The line of a history.
    pub fn line(&self) -> String {
        words::line(self)
    }
}

/// Entries of earlier runs, by program, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(BTreeMap<String, Vec<Entry>>);

impl History {
    /// Reads the lines that [`Entry::line`] wrote.
    ///
    /// # Errors
    /// The line, what was expected and what was found.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut history = History::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("line {}: expected an entry of {SCHEMA:?}", index + 1);
            let entry: Entry = serde_json::from_str(line).map_err(|e| format!("{place}: {e}"))?;
            if entry.schema != SCHEMA {
                return Err(format!("{place}, found {:?}", entry.schema));
            }
            history.add(entry);
        }
        Ok(history)
    }

    /// Adds an entry after those of its program.
    pub fn add(&mut self, entry: Entry) {
        self.0.entry(entry.model.clone()).or_default().push(entry);
    }

    /// The entries of a program.
    pub fn of(&self, model: &str) -> &[Entry] {
        self.0.get(model).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A row of the index: the figures, the conclusion, and the name of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The figures.
    pub entry: Entry,
    /// The conclusion in a sentence.
    pub sentence: String,
    /// Name of the page's file, of letters, digits, `.`, `-` and `_`.
    pub page: String,
}

/// The page; `history` ends with the entries of these rows.
pub fn index(rows: &[Row], history: &History, version: &str) -> String {
    let bad = rows.iter().filter(|row| row.entry.verdict == "bad").count();
    let sum = |of: fn(&Entry) -> u64| {
        rows.iter().fold(0u64, |sum, row| sum.saturating_add(of(&row.entry)))
    };
    let (class, verdict) = match (bad, rows.len()) {
        (0, all) => ("verdict", format!("All {all} are good")),
        (bad, all) => ("verdict bad", format!("{bad} of {all} are bad")),
    };
    let mut body = format!(
        "<header class=\"index\">\n<p class=\"kind\">etinspect report</p>\n<h1>Reports on {} programs</h1>\n\
         <p class=\"{class}\">{verdict}</p>\n<p class=\"note\">Bad are an error, an exceeded limit, \
         and something that got worse. All program files together have {}.</p>\n</header>\n<main>\n\
         <div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>",
        rows.len(),
        size(sum(|entry| entry.program_bytes)),
    );
    for name in COLUMNS {
        let class = if name.starts_with('#') { " class=\"n\"" } else { "" };
        let _ = write!(body, "<th scope=\"col\"{class}>{}</th>", name.trim_start_matches('#'));
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    rows.iter().for_each(|row| write_row(&mut body, row, history));
    let _ = write!(
        body,
        "</tbody></table></div>\n<p class=\"note\">etinspect {}; a line of the history is a run, the \
         last {} are drawn.</p>\n</main>\n",
        escape(version),
        sparkline::POINTS
    );
    document("Reports", &body)
}

const COLUMNS: [&str; 8] = [
    "program",
    "verdict",
    "#file",
    "#peak",
    "peak over history",
    "#all pools",
    "#run",
    "run over history",
];

fn write_row(page: &mut String, row: &Row, history: &History) {
    let entry = &row.entry;
    let run = entry.run_ticks.zip(entry.unit.as_deref());
    let runs = history.of(&entry.model);
    let (class, mark) = if entry.verdict == "bad" { ("bad", "✗") } else { ("good", "✓") };
    let _ = writeln!(
        page,
        "<tr><td><a href=\"{}\">{}</a></td><td class=\"{class}\">{mark} {}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
        escape(&row.page),
        escape(&entry.model),
        escape(&row.sentence),
        size(entry.program_bytes),
        size(entry.peak_bytes),
        sparkline::peaks(runs),
        size(entry.total_bytes),
        run.map_or_else(|| "-".to_owned(), |(ticks, unit)| escape(&time(ticks, unit))),
        sparkline::times(runs),
    );
}
