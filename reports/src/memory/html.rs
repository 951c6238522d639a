//! One page that needs no other file, no network and no script. Everything
//! from files is escaped; the policy forbids loading anything.

use super::svg::{bar_chart, compared_chart, plan_charts};
use super::words::{bytes, html as escape, number, short};
use super::{Document, Page};
use crate::chart::STYLE;
use et_inspector::findings::{Finding, describe_difference};
use et_inspector::memory::measured::Comparison;
use et_inspector::memory::plan::Step;
use et_inspector::memory::{Allocation, MethodMemory, operator_name};
use std::fmt::Write;

/// Rows of a table of tensors or allocations: more make a page that browsers
/// open slowly, and `--format json` has them all.
const MAX_ROWS: usize = 2_000;

/// Rows of the table of what is live at the peak; the table of all tensors has the rest.
const PEAK_ROWS: usize = 40;

pub(crate) const PAGE_STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#ffffff;--line:#d8dee4;--soft:#f4f6f8;\
--bad:#c62f2f;--good:#1f7a3a}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--paper:#14181c;--line:#3a424b;\
--soft:#1c2127;--bad:#f0625f;--good:#57c27a}}
body{margin:0 auto;max-width:62rem;padding:1rem;font:15px/1.5 system-ui,sans-serif;\
color:var(--ink);background:var(--paper)}
h1{font-size:1.4rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;border-bottom:1px solid var(--line);margin-top:2rem}
h3{font-size:1rem;margin-bottom:.3rem}
svg{max-width:100%;height:auto;display:block;margin:.5rem 0}
.scroll{overflow-x:auto}
@media (max-width:44rem){.scroll>svg{max-width:none;width:44rem}}
table{border-collapse:collapse;font-size:.87rem}
th,td{padding:.2rem .7rem .2rem 0;text-align:left;border-bottom:1px solid var(--line);\
vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
pre{background:var(--soft);padding:.6rem;overflow-x:auto;font-size:.82rem}
summary{cursor:pointer;font-weight:600;margin-top:.8rem}
.bad{color:var(--bad);font-weight:600}
.good{color:var(--good);font-weight:600}
";

/// The page.
pub fn html(document: &Document<'_>) -> String {
    let title = escape(&short(&document.model));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Memory of {title}</title>\n<style>\n{PAGE_STYLE}{STYLE}</style>\n</head>\n\
         <body>\n<h1>Memory of {title}</h1>\n\
         <p>Predicted from the program of {} for objects of {}.</p>\n",
        bytes(document.program),
        escape(document.abi)
    );
    findings(&mut page, &document.findings);
    for method in &document.methods {
        section(&mut page, document, method);
    }
    page + "</body>\n</html>\n"
}

fn findings(page: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        page.push_str("<p class=\"good\">Nothing was found to be wrong.</p>\n");
        return;
    }
    page.push_str("<h2>Findings</h2>\n<ul>\n");
    for finding in findings {
        let facts = finding.code.page();
        let class = if facts.severity.name() == "error" { " class=\"bad\"" } else { "" };
        let _ = writeln!(
            page,
            "<li><span{class}>{} {}</span>: {}<br>{}</li>",
            facts.severity.name(),
            facts.code,
            escape(&short(&finding.title)),
            escape(&short(&finding.remedy))
        );
    }
    page.push_str("</ul>\n");
}

/// Everything about one method.
pub(crate) fn section(page: &mut String, document: &Document<'_>, method: &Page<'_>) {
    let memory = method.memory;
    let _ = writeln!(
        page,
        "<h2>Method {}</h2>\n<p>{} instructions</p>",
        escape(&short(memory.method.name())),
        number(memory.plan.steps.count().into())
    );
    chart(page, &bar_chart(document, method));
    allocators(page, document, method);
    plan_charts(method).iter().for_each(|svg| chart(page, svg));
    peak(page, memory);
    suggestions(page, memory);
    budget(page, method);
    if let Some(measured) = method.measured {
        comparison(page, memory, measured);
        chart(page, &compared_chart(method));
    }
    settings(page, method);
    tensors(page, memory);
    allocations(page, memory, "Method allocator", &memory.loading.method);
    allocations(page, memory, "Temp allocator while loading", &memory.loading.temp);
}

/// A picture, which narrow screens show at a width that can be read.
pub(crate) fn chart(page: &mut String, svg: &str) {
    if !svg.is_empty() {
        let _ = write!(page, "<div class=\"scroll\" tabindex=\"0\">\n{svg}</div>\n");
    }
}

/// A table. A header that begins with `#` is of numbers; cells are escaped here.
pub(crate) fn table(page: &mut String, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let class = |column: usize| {
        if header.get(column).is_some_and(|h| h.starts_with('#')) { " class=\"n\"" } else { "" }
    };
    page.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for (column, name) in header.iter().enumerate() {
        let _ = write!(
            page,
            "<th scope=\"col\"{}>{}</th>",
            class(column),
            escape(name.trim_start_matches('#'))
        );
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(page, "<td{}>{}</td>", class(column), escape(&short(cell)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn allocators(page: &mut String, document: &Document<'_>, method: &Page<'_>) {
    let rows = method.allocators(document.program).into_iter();
    let rows = rows.map(|need| vec![need.name, number(need.bytes), need.note]);
    table(page, &["allocator", "#bytes", "note"], rows);
}

fn place(memory: &MethodMemory<'_>, step: Option<Step>) -> String {
    let at = step.and_then(|step| memory.plan.steps.place(step));
    at.map_or_else(String::new, |(chain, instruction)| format!("{chain}:{instruction}"))
}

fn peak(page: &mut String, memory: &MethodMemory<'_>) {
    let (plan, peak) = (&memory.plan, &memory.plan.peak);
    let Some(at) = plan.steps.place(peak.step).filter(|_| peak.bytes > 0) else { return };
    let _ = writeln!(
        page,
        "<h3>Peak: {} live at {}:{} {}</h3>",
        bytes(peak.bytes),
        at.0,
        at.1,
        escape(&short(&operator_name(&memory.method, at)))
    );
    let rows = peak.live.iter().take(PEAK_ROWS).map(|index| tensor_row(memory, *index));
    table(page, &TENSOR_HEADER, rows);
    if let Some(more) = peak.live.len().checked_sub(PEAK_ROWS).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p>and {more} smaller ones</p>");
    }
}

/// Columns of [`tensor_row`].
pub(crate) const TENSOR_HEADER: [&str; 6] =
    ["#value", "#bytes", "#buffer", "#offset", "live", "what"];

/// What is shown of a planned tensor.
pub(crate) fn tensor_row(memory: &MethodMemory<'_>, index: usize) -> Vec<String> {
    let storage = &memory.plan.storages[index];
    let live = match (storage.first(), storage.last()) {
        (None, _) | (_, None) => "never".to_owned(),
        (first, last) => format!("{} to {}", place(memory, first), place(memory, last)),
    };
    vec![
        storage.values[0].to_string(),
        number(storage.bytes),
        storage.memory_id.to_string(),
        number(storage.offset),
        live,
        memory.label(storage),
    ]
}

fn suggestions(page: &mut String, memory: &MethodMemory<'_>) {
    let found = memory.suggestions();
    if found.is_empty() {
        return;
    }
    page.push_str("<h3>Smaller planned buffers</h3>\n");
    let rows = found.iter().map(|suggestion| {
        let values: Vec<String> = suggestion.values.iter().take(6).map(|v| v.to_string()).collect();
        let steps = suggestion.steps.iter().take(6);
        let steps: Vec<String> = steps.map(|step| place(memory, Some(*step))).collect();
        vec![
            number(suggestion.saves),
            number(suggestion.planned),
            suggestion.title.clone(),
            values.join(", "),
            steps.join(", "),
        ]
    });
    table(page, &["#saves", "#leaves", "change", "values", "instructions"], rows);
}

fn budget(page: &mut String, method: &Page<'_>) {
    if method.budget.is_empty() {
        return;
    }
    page.push_str("<h3>Budget</h3>\n");
    let rows = method.budget.iter().map(|check| {
        let left = match check.over() {
            0 => number(check.limit - check.needs),
            over => format!("{} OVER", number(over)),
        };
        vec![check.name.clone(), number(check.needs), number(check.limit), left]
    });
    table(page, &["limit", "#needs", "#allowed", "#left"], rows);
}

fn comparison(page: &mut String, memory: &MethodMemory<'_>, measured: &Comparison) {
    let _ = writeln!(
        page,
        "<h3>Measured</h3>\n<p>{} executions, objects of {}</p>",
        number(measured.executions as u64),
        measured.abi.name()
    );
    let size = |size: Option<u64>| size.map_or_else(|| "-".into(), number);
    let rows = measured.allocators.iter().map(|compared| {
        let first = compared.differences.first();
        let verdict = match (compared.measured, first) {
            (None, _) => "no events of it".to_owned(),
            (_, Some(first)) => describe_difference(memory, compared, first),
            _ if compared.is_equal() => "as predicted".to_owned(),
            _ => "different".to_owned(),
        };
        vec![compared.name.clone(), size(compared.predicted), size(compared.measured), verdict]
    });
    table(page, &["allocator", "#predicted", "#measured", "verdict"], rows);
}

fn settings(page: &mut String, method: &Page<'_>) {
    page.push_str("<details><summary>Settings that make it run</summary>\n");
    for (name, text) in [
        ("Arm runner (CMake)", &method.settings.arm_runner),
        ("Zephyr (prj.conf)", &method.settings.zephyr),
        ("C++", &method.settings.cpp),
    ] {
        let _ = writeln!(page, "<h3>{name}</h3>\n<pre tabindex=\"0\">{}</pre>", escape_lines(text));
    }
    page.push_str("</details>\n");
}

/// Escaped, with its line breaks.
fn escape_lines(text: &str) -> String {
    text.lines().map(|line| escape(&short(line))).collect::<Vec<_>>().join("\n")
}

fn tensors(page: &mut String, memory: &MethodMemory<'_>) {
    let count = memory.plan.storages.len();
    details(page, "Planned tensors", count);
    let rows = (0..count.min(MAX_ROWS)).map(|index| tensor_row(memory, index));
    table(page, &TENSOR_HEADER, rows);
    page.push_str("</details>\n");
}

fn allocations(page: &mut String, memory: &MethodMemory<'_>, name: &str, list: &[Allocation]) {
    details(page, name, list.len());
    let rows = list.iter().take(MAX_ROWS).map(|allocation| {
        vec![
            number(allocation.offset),
            number(allocation.request.size),
            number(allocation.request.align.into()),
            number(allocation.padding),
            memory.describe(&allocation.request),
        ]
    });
    table(page, &["#offset", "#bytes", "#align", "#padding", "what"], rows);
    page.push_str("</details>\n");
}

/// Begins a part that is closed at first.
fn details(page: &mut String, name: &str, count: usize) {
    let _ = write!(page, "<details><summary>{name}: {}", number(count as u64));
    if count > MAX_ROWS {
        let _ = write!(page, ", the first {} shown", number(MAX_ROWS as u64));
    }
    page.push_str("</summary>\n");
}
