//! Markdown for a pull request: the verdict, what changed, findings; the rest
//! folded away.

use super::words::{difference, figure, share, size, time};
use super::{Change, Report, TraceTimes};
use crate::memory;
use crate::memory::markdown::{escape, method};
use crate::memory::words::number;
use std::fmt::Write;

/// Rows of the tables of changes and operators.
const ROWS: usize = 20;

/// Findings that are listed.
const FINDINGS: usize = 30;

/// Bytes of a comment on GitHub, less some for what follows a cut.
const MOST: usize = 60_000;

/// The text.
pub fn text(report: &Report<'_>) -> String {
    let mut text = format!(
        "## etinspect: {}\n\n**{}**\n\n",
        escape(&report.memory.model),
        escape(&report.verdict())
    );
    changes(&mut text, report);
    findings(&mut text, report);
    let mut left_out = 0;
    for page in &report.memory.methods {
        let mut details = String::new();
        method(&mut details, &report.memory, page);
        let name = escape(page.memory.method.name());
        let summary = format!("Memory of method {name}");
        left_out += usize::from(!fold(&mut text, &summary, &details));
    }
    if let Some(trace) = &report.trace {
        left_out += usize::from(!fold(&mut text, "Time by operator", &operators(trace)));
    }
    fold(&mut text, "How this was made", &made(report));
    if left_out > 0 {
        let _ = writeln!(
            text,
            "{left_out} parts are left out, as comments are limited: `--format html` has them."
        );
    }
    text
}

/// Appends a part that is folded away, unless the comment becomes too long.
fn fold(text: &mut String, summary: &str, details: &str) -> bool {
    let fits = text.len() + details.len() <= MOST;
    if fits {
        let _ = writeln!(
            text,
            "<details><summary>{summary}</summary>\n\n{}\n</details>\n",
            details.trim_end().to_owned() + "\n"
        );
    }
    fits
}

fn changes(text: &mut String, report: &Report<'_>) {
    let Some(changes) = &report.changes else { return };
    let _ = writeln!(text, "### What changed\n");
    if changes.changes.is_empty() {
        let _ = writeln!(text, "None of {} figures.\n", changes.compared);
    } else {
        text.push_str(
            "| figure | base | new | difference | |\n| --- | ---: | ---: | ---: | --- |\n",
        );
        // What got worse first.
        let (worse, other): (Vec<&Change>, Vec<&Change>) =
            changes.changes.iter().partition(|c| c.verdict == super::Verdict::Worse);
        let all: Vec<&Change> = worse.into_iter().chain(other).collect();
        all.iter().take(ROWS).for_each(|change| row(text, change));
        text.push('\n');
        if all.len() > ROWS {
            let _ = writeln!(text, "and {} more\n", all.len() - ROWS);
        }
    }
    for note in &changes.notes {
        let _ = writeln!(text, "{}\n", escape(note));
    }
}

fn row(text: &mut String, change: &Change) {
    let method = change.method.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let value = |value: Option<u64>| value.map_or_else(String::new, |v| figure(v, &change.unit));
    let by = change.base.zip(change.new).map(|(base, new)| difference(base, new, &change.unit));
    let verdict = match change.verdict {
        super::Verdict::Worse => "**worse**",
        other => other.name(),
    };
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {verdict} |",
        escape(&format!("{method}{}", change.figure)),
        value(change.base),
        value(change.new),
        by.unwrap_or_default()
    );
}

fn findings(text: &mut String, report: &Report<'_>) {
    let findings = report.findings();
    memory::markdown::findings(text, &findings[..findings.len().min(FINDINGS)]);
    if findings.len() > FINDINGS {
        let _ = writeln!(text, "- and {} more", findings.len() - FINDINGS);
    }
    if !findings.is_empty() {
        text.push('\n');
    }
}

fn operators(trace: &TraceTimes) -> String {
    let mut text = String::from(
        "| operator | calls | time | share | median of a run |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
    );
    for operator in trace.operators.iter().take(ROWS) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            escape(&operator.name),
            number(operator.count as u64),
            time(operator.ticks, trace.unit),
            share(operator.ticks, trace.total),
            time(operator.spread.p50, trace.unit)
        );
    }
    let rest = trace
        .operators
        .iter()
        .skip(ROWS)
        .fold(trace.unattributed, |sum, operator| sum.saturating_add(operator.ticks));
    let _ = writeln!(
        text,
        "| other | | {} | {} | |\n| **sum** | | {} | | |",
        time(rest, trace.unit),
        share(rest, trace.total),
        time(trace.total, trace.unit)
    );
    text
}

fn made(report: &Report<'_>) -> String {
    let mut text = format!("etinspect {}", escape(&report.made.version));
    for input in &report.made.inputs {
        let _ = write!(
            text,
            "\n- {} {}: {}, SHA-256 {}",
            input.role,
            escape(&input.name),
            size(input.bytes),
            input.sha256
        );
    }
    if !report.made.command.is_empty() {
        let _ = write!(text, "\n- {}", escape(&report.made.command));
    }
    text
}
