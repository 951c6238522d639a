//! Markdown for a pull request: verdict, needs, peak and what would make it
//! smaller, each short; the settings folded away.

use super::words::{self, bytes, number, short};
use super::{Document, Page};
use et_inspector::findings::Finding;
use et_inspector::memory::{MethodMemory, operator_name};
use std::fmt::Write;

/// Rows of the tables of what is live and of suggestions.
const ROWS: usize = 5;

/// Text from a file, cut and safe.
pub(crate) fn escape(text: &str) -> String {
    words::markdown(&short(text))
}

/// Findings as points of a list.
pub(crate) fn findings(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        let page = finding.code.page();
        let _ = writeln!(
            text,
            "- **{} {}**: {} — {}",
            page.severity.name(),
            page.code,
            escape(&finding.title),
            escape(&finding.remedy)
        );
    }
}

/// The text.
pub fn markdown(document: &Document<'_>) -> String {
    let mut text = format!("## Memory of {}\n\n", escape(&document.model));
    findings(&mut text, &document.findings);
    if !document.findings.is_empty() {
        text.push('\n');
    }
    for page in &document.methods {
        method(&mut text, document, page);
    }
    text
}

/// Everything about one method.
pub(crate) fn method(text: &mut String, document: &Document<'_>, page: &Page<'_>) {
    let memory = page.memory;
    let _ = writeln!(
        text,
        "### Method {} ({} instructions, {})\n",
        escape(memory.method.name()),
        number(memory.plan.steps.count().into()),
        escape(document.abi)
    );
    verdict(text, document, page);
    table(text, &["allocator", "bytes", ""], [false, true, false]);
    for need in page.allocators(document.program) {
        let (name, note) = (escape(&need.name), escape(&need.note));
        let _ = writeln!(text, "| {name} | {} | {note} |", number(need.bytes));
    }
    text.push('\n');
    budget(text, page);
    peak(text, memory);
    suggestions(text, memory);
    settings(text, page);
}

fn table<const N: usize>(text: &mut String, header: &[&str; N], numbers: [bool; N]) {
    let _ = writeln!(text, "| {} |", header.join(" | "));
    let rule = numbers.map(|is_number| if is_number { "---:" } else { "---" });
    let _ = writeln!(text, "| {} |", rule.join(" | "));
}

fn verdict(text: &mut String, document: &Document<'_>, page: &Page<'_>) {
    let (Some(fit), Some(target)) = (&page.fit, document.target) else { return };
    let verdict = if fit.fits() { "Fits" } else { "**Does not fit**" };
    let (name, title) = (escape(&target.name), escape(&target.title));
    let _ = writeln!(text, "{verdict} {name} ({title})\n");
    table(text, &["memory", "taken", "available", "left"], [false, true, true, true]);
    for memory in fit.memories.iter().filter(|memory| memory.takes > 0) {
        let available = memory.size.saturating_sub(memory.reserved);
        let left = match memory.missing() {
            0 => number(available.saturating_sub(memory.takes)),
            missing => format!("**{} missing**", number(missing)),
        };
        let (name, takes) = (escape(&memory.name), number(memory.takes));
        let _ = writeln!(text, "| {name} | {takes} | {} | {left} |", number(available));
    }
    text.push('\n');
}

fn budget(text: &mut String, page: &Page<'_>) {
    if page.budget.is_empty() {
        return;
    }
    table(text, &["budget", "needs", "allowed", "left"], [false, true, true, true]);
    for check in &page.budget {
        let left = match check.over() {
            0 => number(check.limit - check.needs),
            over => format!("**{} over**", number(over)),
        };
        let (name, needs, limit) = (escape(&check.name), number(check.needs), number(check.limit));
        let _ = writeln!(text, "| {name} | {needs} | {limit} | {left} |");
    }
    text.push('\n');
}

fn peak(text: &mut String, memory: &MethodMemory<'_>) {
    let (plan, peak) = (&memory.plan, &memory.plan.peak);
    let Some(at) = plan.steps.place(peak.step).filter(|_| peak.bytes > 0) else { return };
    let operator = escape(&operator_name(&memory.method, at));
    let _ = writeln!(text, "Peak: {} live at {}:{} {operator}\n", bytes(peak.bytes), at.0, at.1);
    table(text, &["value", "bytes", "what"], [true, true, false]);
    for index in peak.live.iter().take(ROWS) {
        let storage = &plan.storages[*index];
        let (value, what) = (storage.values[0], escape(&memory.label(storage)));
        let _ = writeln!(text, "| {value} | {} | {what} |", number(storage.bytes));
    }
    if let Some(rest) = peak.live.get(ROWS..).filter(|rest| !rest.is_empty()) {
        let sum = rest.iter().fold(0u64, |sum, i| sum.saturating_add(plan.storages[*i].bytes));
        let _ = writeln!(text, "| | {} | {} more |", number(sum), number(rest.len() as u64));
    }
    text.push('\n');
}

fn suggestions(text: &mut String, memory: &MethodMemory<'_>) {
    let found = memory.suggestions();
    if found.is_empty() {
        return;
    }
    table(text, &["saves", "leaves", "change"], [true, true, false]);
    for suggestion in found.iter().take(ROWS) {
        let (saves, leaves) = (number(suggestion.saves), number(suggestion.planned));
        let _ = writeln!(text, "| {saves} | {leaves} | {} |", escape(&suggestion.title));
    }
    text.push('\n');
}

fn settings(text: &mut String, page: &Page<'_>) {
    // A name of a memory must not end the block.
    let [arm, zephyr, cpp] = [&page.settings.arm_runner, &page.settings.zephyr, &page.settings.cpp]
        .map(|settings| settings.replace('`', "'"));
    let _ = writeln!(
        text,
        "<details><summary>Settings that make it run</summary>\n\n```\n{arm}\n\n{zephyr}\n\n{cpp}\n```\n\n\
         </details>\n"
    );
}
