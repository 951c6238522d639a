//! What is held against the program: findings, limits of the budget, the baseline.

use super::{Part, ROWS};
use crate::memory::words::number;
use crate::page::{Cell, Table, escape};
use crate::report::words::{difference, figure, size};
use crate::report::{Change, Report, Verdict};
use et_inspector::budget::{Check, Count};
use et_inspector::findings::Finding;
use std::fmt::Write;

/// Changes that are listed.
const CHANGES: usize = 1_000;

/// Pieces of evidence that are open at first.
const FACTS: usize = 10;

/// What was found, the gravest first.
pub fn findings(findings: &[Finding]) -> Part {
    let mut part = Part::new("findings", "Findings", "Findings");
    let page = &mut part.body;
    if findings.is_empty() {
        page.push_str("<p class=\"good\">✓ Nothing was found to be wrong.</p>\n");
    }
    let mut order: Vec<&Finding> = findings.iter().collect();
    order.sort_by_key(|finding| std::cmp::Reverse(finding.code.page().severity));
    order.iter().take(ROWS).for_each(|finding| one(page, finding));
    if findings.len() > ROWS {
        let more = number((findings.len() - ROWS) as u64);
        let _ = writeln!(page, "<p>and {more} more, in <code>--format json</code></p>");
    }
    part
}

fn one(page: &mut String, finding: &Finding) {
    let facts = finding.code.page();
    let severity = facts.severity.name();
    let _ = writeln!(
        page,
        "<div class=\"finding {severity}\">\n<h3><span class=\"code\">{severity} {}</span> \
         <span>{}</span></h3>\n<p><strong>Remedy:</strong> {}</p>",
        facts.code,
        escape(&finding.title),
        escape(&finding.remedy)
    );
    let at = finding.at.map(|(chain, at)| {
        ("at", format!("{chain}:{at} {}", finding.operator.clone().unwrap_or_default()))
    });
    let evidence = finding.evidence.iter().cloned().chain(at);
    let evidence: Vec<String> = evidence
        .map(|(name, value)| {
            format!("<dt>{}</dt><dd>{}</dd>\n", escape(&name.replace('_', " ")), escape(&value))
        })
        .collect();
    if !evidence.is_empty() {
        let open = if evidence.len() <= FACTS { " open=\"\"" } else { "" };
        let _ = write!(
            page,
            "<details{open}><summary>Evidence</summary>\n<dl class=\"facts\">\n{}</dl>\n</details>\n",
            evidence.concat()
        );
    }
    page.push_str("</div>\n");
}

/// Every limit of the budget, with what is known of it.
pub fn budget(report: &Report<'_>) -> Option<Part> {
    let (over, all) = report.exceeded();
    let unknown = report.counts.iter().filter(|count| count.found.is_none()).count();
    if all + unknown == 0 {
        return None;
    }
    let mut part = Part::new("budget", "Budget", "Budget");
    let _ = write!(part.body, "<p>{} of {all} limits are met", all - over);
    let _ = match unknown {
        0 => writeln!(part.body, ".</p>"),
        unknown => writeln!(part.body, "; of {unknown} more nothing is known.</p>"),
    };
    let sizes = report.memory.methods.iter().flat_map(|page| {
        page.budget.iter().map(|check| of_bytes(page.memory.method.name(), check))
    });
    let rows = sizes.chain(report.counts.iter().map(counted));
    let header = ["=limit", "of", "#found", "#allowed", "#used", "#verdict"];
    Table::new(&header).rows(rows.take(CHANGES)).write(&mut part.body);
    if let Some(more) = (all + unknown).checked_sub(CHANGES).filter(|more| *more > 0) {
        let more = number(more as u64);
        let _ = writeln!(part.body, "<p>and {more} more, in <code>--format junit</code></p>");
    }
    Some(part)
}

fn of_bytes(method: &str, check: &Check) -> Vec<Cell> {
    let verdict = match check.over() {
        0 => Cell::judged(format!("met, {} left", size(check.limit - check.needs)), true),
        over => Cell::judged(format!("OVER by {}", size(over)), false),
    };
    let of = if check.name == "program" { "" } else { method };
    let [needs, limit] = [check.needs, check.limit].map(|bytes| Cell::from(size(bytes)));
    let used = Cell::share(check.needs, check.limit);
    vec![check.name.as_str().into(), of.into(), needs, limit, used, verdict]
}

fn counted(count: &Count) -> Vec<Cell> {
    let value = |value: u64| figure(value, count.counted.unit());
    let verdict = match (count.found, count.over()) {
        (None, _) => Cell::from("not known"),
        (_, 0) => Cell::judged("met", true),
        (_, over) => Cell::judged(format!("OVER by {}", value(over)), false),
    };
    vec![
        count.name.as_str().into(),
        count.of.as_deref().unwrap_or_default().into(),
        count.found.map_or_else(|| "-".to_owned(), value).into(),
        value(count.limit).into(),
        count.found.map_or_else(Cell::default, |found| Cell::share(found, count.limit)),
        verdict,
    ]
}

/// What changed since the baseline, what got worse first.
pub fn changes(report: &Report<'_>) -> Option<Part> {
    let changes = report.changes.as_ref()?;
    let mut part = Part::new("changes", "Changes", "What changed");
    let page = &mut part.body;
    let _ = writeln!(
        page,
        "<p>{} of {} figures, base against new. A time counts from the larger of 5 % and three \
         times the spread of the base's own runs, and from two steps of a coarse clock.</p>",
        number(changes.changes.len() as u64),
        number(changes.compared as u64)
    );
    let mut order: Vec<&Change> = changes.changes.iter().collect();
    order.sort_by_key(|change| change.verdict != Verdict::Worse);
    if !order.is_empty() {
        let header =
            ["method", "=figure", "verdict", "#base", "#new", "#difference", "#counts from"];
        Table::new(&header).rows(order.iter().take(CHANGES).map(|c| change(c))).write(page);
    }
    if let Some(more) = order.len().checked_sub(CHANGES).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p>and {} more</p>", number(more as u64));
    }
    for note in &changes.notes {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escape(note));
    }
    Some(part)
}

fn change(change: &Change) -> Vec<Cell> {
    let value = |value: Option<u64>| value.map_or_else(|| "-".into(), |v| figure(v, &change.unit));
    let by = change.base.zip(change.new).map(|(base, new)| difference(base, new, &change.unit));
    let verdict = match change.verdict {
        Verdict::Worse => Cell::judged("✗ WORSE", false),
        Verdict::Better => Cell::judged("✓ better", true),
        other => other.name().into(),
    };
    vec![
        change.method.as_deref().unwrap_or_default().into(),
        change.figure.as_str().into(),
        verdict,
        value(change.base).into(),
        value(change.new).into(),
        by.unwrap_or_default().into(),
        figure(change.least, &change.unit).into(),
    ]
}
