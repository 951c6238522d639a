//! One page that needs no other file and no network, and can be read without its script.

use super::svg::{Figure, allocator_figures, board_figures, compared_figures, plan_figures};
use super::words::{bytes, count, html as escape, kib, number, short, size};
use super::{Document, Page};
use crate::page::{self, Cell, Table, chart};
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

/// The page.
pub fn html(document: &Document<'_>) -> String {
    let title = format!("Memory of {}", short(&document.model));
    let mut body = format!(
        "<main>\n<h1>{}</h1>\n<p>Predicted from the program of {} for objects of {}.</p>\n",
        escape(&title),
        size(document.program),
        escape(document.abi)
    );
    findings(&mut body, &document.findings);
    for method in &document.methods {
        let name = escape(&short(method.memory.method.name()));
        let _ = writeln!(body, "<section data-method=\"\">\n<h2>Method {name}</h2>");
        figures(&mut body, &board_figures(document, method));
        section(&mut body, document, method);
        budget(&mut body, method);
        body.push_str("</section>\n");
    }
    page::document(&title, &(body + "</main>\n"))
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

/// Charts, each with its heading.
pub(crate) fn figures(page: &mut String, figures: &[Figure]) {
    for figure in figures {
        let _ = writeln!(page, "<h3>{}</h3>", escape(&short(&figure.heading)));
        chart(page, &figure.svg, figure.class);
    }
}

/// Everything about one method but how it fits a board, and its budget.
pub(crate) fn section(page: &mut String, document: &Document<'_>, method: &Page<'_>) {
    let memory = method.memory;
    let instructions = count(memory.plan.steps.count().into(), "instruction");
    let _ = writeln!(page, "<p class=\"note\">{instructions}</p>");
    figures(page, &allocator_figures(document, method));
    allocators(page, document, method);
    if let Some(measured) = method.measured {
        figures(page, &compared_figures(method));
        comparison(page, memory, measured);
    }
    figures(page, &plan_figures(method));
    peak(page, memory);
    suggestions(page, memory);
    settings(page, method);
    tensors(page, memory);
    allocations(page, memory, "Method allocator", &memory.loading.method);
    allocations(page, memory, "Temp allocator while loading", &memory.loading.temp);
}

fn allocators(page: &mut String, document: &Document<'_>, method: &Page<'_>) {
    let rows = method.allocators(document.program).into_iter();
    let rows = rows.map(|need| vec![need.name, number(need.bytes), need.note]);
    Table::new(&["=allocator", "#bytes", "note"]).rows(rows).write(page);
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
    let sum = |name: String, bytes: u64| {
        let mut row = vec![String::new(), number(bytes)];
        row.resize(TENSOR_HEADER.len() - 1, String::new());
        row.push(name);
        row
    };
    let table = Table::new(&TENSOR_HEADER).rows(rows);
    let rest = peak.live.get(PEAK_ROWS..).unwrap_or_default();
    let table = match rest.len() {
        0 => table,
        more => {
            let left = rest.iter().fold(0u64, |sum, i| sum.saturating_add(plan.storages[*i].bytes));
            table.sum(sum(format!("{} smaller ones", number(more as u64)), left))
        }
    };
    table.sum(sum(format!("sum, {}", kib(peak.bytes)), peak.bytes)).write(page);
}

/// Columns of [`tensor_row`].
pub(crate) const TENSOR_HEADER: [&str; 6] =
    ["#value", "#bytes", "#buffer", "#offset", "live", "=what"];

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
    let header = ["#saves", "#leaves", "change", "values", "instructions"];
    Table::new(&header).rows(rows).write(page);
}

fn budget(page: &mut String, method: &Page<'_>) {
    if method.budget.is_empty() {
        return;
    }
    page.push_str("<h3>Budget</h3>\n");
    let rows = method.budget.iter().map(|check| {
        let left = match check.over() {
            0 => Cell::judged(number(check.limit - check.needs), true),
            over => Cell::judged(format!("{} OVER", number(over)), false),
        };
        vec![
            check.name.as_str().into(),
            number(check.needs).into(),
            number(check.limit).into(),
            left,
        ]
    });
    Table::new(&["=limit", "#needs", "#allowed", "#left"]).rows(rows).write(page);
}

fn comparison(page: &mut String, memory: &MethodMemory<'_>, measured: &Comparison) {
    let _ = writeln!(
        page,
        "<p class=\"note\">{}, objects of {}</p>",
        count(measured.executions as u64, "execution"),
        measured.abi.name()
    );
    let size = |size: Option<u64>| size.map_or_else(|| "-".into(), number);
    let rows = measured.allocators.iter().map(|compared| {
        let first = compared.differences.first();
        let verdict = match (compared.measured, first) {
            (None, _) => Cell::from("no events of it"),
            (_, Some(first)) => Cell::judged(describe_difference(memory, compared, first), false),
            _ if compared.is_equal() => Cell::judged("as predicted", true),
            _ => Cell::judged("different", false),
        };
        let [predicted, measured] = [compared.predicted, compared.measured].map(size);
        vec![compared.name.as_str().into(), predicted.into(), measured.into(), verdict]
    });
    Table::new(&["=allocator", "#predicted", "#measured", "verdict"]).rows(rows).write(page);
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
    Table::new(&TENSOR_HEADER).rows(rows).write(page);
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
    Table::new(&["#offset", "#bytes", "#align", "#padding", "what"]).rows(rows).write(page);
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
