//! Memory and delegates of each method.

use super::{Part, ROWS};
use crate::memory::html::{TENSOR_HEADER, section, tensor_row};
use crate::memory::words::{count, kib, number};
use crate::page::{Cell, Table};
use crate::report::words::size;
use crate::report::{Report, Share};
use et_inspector::memory::MethodMemory;
use et_inspector::partition::gaps;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bytes of methods from which on the rest has a row each.
const MOST: usize = 3 << 20;

/// Planned tensors that are listed by size.
const TENSORS: usize = 20;

/// Every method; once the page is large, the rest in a row each, and in sums.
pub fn all(report: &Report<'_>) -> Vec<Part> {
    let figures = report.figures();
    let (mut parts, mut written, mut left) = (Vec::new(), 0, Vec::new());
    let methods = report.memory.methods.iter().zip(&report.shares);
    for (number, (method, share)) in methods.enumerate() {
        let memory = method.memory;
        let mut part = match report.memory.methods.len() {
            1 => Part::new("method", "Memory", "Memory and delegates"),
            _ => {
                let name = memory.method.name();
                Part::new(&format!("method-{number}"), name, format!("Method {name}"))
            }
        };
        if left.is_empty() {
            section(&mut part.body, &report.memory, method);
            sizes(&mut part.body, figures.methods.get(memory.method.name()));
            largest(&mut part.body, memory);
            delegates(&mut part.body, memory, share);
        }
        written += part.body.len();
        if !left.is_empty() || written > MOST {
            left.push(memory);
        } else {
            parts.push(part);
        }
    }
    if !left.is_empty() {
        parts.push(rest(&left));
    }
    parts
}

fn rest(left: &[&MethodMemory<'_>]) -> Part {
    let title = format!("{} more methods", number(left.len() as u64));
    let mut part = Part::new("more-methods", "more methods", title);
    part.body.push_str(
        "<p>The page would be too large with all that is known of them; \
         <code>--method NAME</code> shows one, <code>--format json</code> all.</p>\n",
    );
    let sum = |of: fn(&MethodMemory<'_>) -> u64| {
        left.iter().fold(0u64, |sum, memory| sum.saturating_add(of(memory)))
    };
    let instructions = |memory: &MethodMemory<'_>| u64::from(memory.plan.steps.count());
    let row = |name: &str, count: u64, planned: u64, peak: u64| {
        vec![name.to_owned(), number(count), number(planned), number(peak)]
    };
    let rows = left.iter().take(ROWS).map(|memory| {
        let plan = &memory.plan;
        row(memory.method.name(), instructions(memory), plan.size(), plan.peak.bytes)
    });
    let all = row(
        "sum of all of them",
        sum(|memory| u64::from(memory.plan.steps.count())),
        sum(|memory| memory.plan.size()),
        sum(|memory| memory.plan.peak.bytes),
    );
    let header = ["=method", "#instructions", "#planned", "#peak"];
    Table::new(&header).rows(rows).sum(all).write(&mut part.body);
    part
}

/// The sizes of a method, under the names that budgets and baselines have for them.
fn sizes(page: &mut String, sizes: Option<&BTreeMap<String, u64>>) {
    let what = |name: &str| match name {
        "memory.method" => "method allocator: loading, and preparing inputs",
        "memory.peak" => "planned tensors that are live at one moment",
        "memory.planned" => "sum of the planned buffers",
        "memory.temp" => "temp allocator",
        "memory.total" => "planned buffers + method + temp, each aligned to 16",
        _ => "planned buffer",
    };
    page.push_str("<h3>Sizes under the names of a budget</h3>\n");
    let rows = sizes.into_iter().flatten();
    let rows = rows.map(|(name, bytes)| vec![name.clone(), size(*bytes), what(name).to_owned()]);
    Table::new(&["=figure", "#bytes", "of"]).rows(rows).write(page);
}

/// The largest planned tensors, and the sum of the others.
fn largest(page: &mut String, memory: &MethodMemory<'_>) {
    let storages = &memory.plan.storages;
    let mut order: Vec<usize> = (0..storages.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(storages[*index].bytes));
    page.push_str("<h3>Largest planned tensors</h3>\n");
    let rows = order.iter().take(TENSORS).map(|index| tensor_row(memory, *index));
    let mut table = Table::new(&TENSOR_HEADER).rows(rows);
    let sum = |indices: &[usize]| {
        indices.iter().fold(0u64, |sum, index| sum.saturating_add(storages[*index].bytes))
    };
    let last = |name: String, bytes: u64| {
        let mut row = vec![String::new(), number(bytes)];
        row.resize(TENSOR_HEADER.len() - 1, String::new());
        row.push(name);
        row
    };
    if let Some(rest) = order.get(TENSORS..).filter(|rest| !rest.is_empty()) {
        let name = format!("{} smaller ones", number(rest.len() as u64));
        table = table.sum(last(name, sum(rest)));
    }
    let all = sum(&order);
    let name = format!("sum of {}, {}", number(order.len() as u64), kib(all));
    table.sum(last(name, all)).write(page);
}

/// What delegates run of a method, and what they leave to kernels.
fn delegates(page: &mut String, memory: &MethodMemory<'_>, shares: &Share) {
    let (by_delegates, by_kernels) = (shares.delegate_calls(), shares.kernel_calls());
    let all = by_delegates + by_kernels + shares.other;
    let _ = writeln!(
        page,
        "<h3>Delegates and {}</h3>\n<p>{} = {} + {} + {}</p>",
        if by_delegates > 0 { "fall-backs" } else { "kernels" },
        count(all, "instruction"),
        count(by_delegates, "delegate call"),
        count(by_kernels, "kernel call"),
        count(shares.other, "other")
    );
    let reasons = reasons(memory);
    let rows = |calls: &BTreeMap<String, u64>, by: &str| {
        let mut rows: Vec<(u64, Vec<Cell>)> = calls
            .iter()
            .map(|(name, count)| {
                let share = Cell::share(*count, all);
                let mut row = vec![name.as_str().into(), number(*count).into(), share, by.into()];
                if !reasons.is_empty() {
                    row.push(reasons.get(name.as_str()).cloned().unwrap_or_default());
                }
                (*count, row)
            })
            .collect();
        rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        rows
    };
    let mut operators = rows(&shares.delegates, "delegate");
    operators.extend(rows(&shares.kernels, if by_delegates > 0 { "fall-back" } else { "kernel" }));
    let shown = operators.iter().take(ROWS).map(|(_, row)| row.clone());
    let header = ["=operator", "#calls", "#share", "run by", "probable reason"];
    let columns = if reasons.is_empty() { 4 } else { 5 };
    let mut table = Table::new(&header[..columns]).rows(shown);
    if let Some(rest) = operators.get(ROWS..).filter(|rest| !rest.is_empty()) {
        let calls = rest.iter().fold(0u64, |sum, (count, _)| sum.saturating_add(*count));
        let name = format!("{} more", number(rest.len() as u64));
        let share = Cell::share(calls, all);
        let mut row = vec![name.into(), number(calls).into(), share];
        row.resize(columns, Cell::default());
        table = table.sum(row);
    }
    if !operators.is_empty() {
        table.write(page);
    }
}

/// Why operators between two delegates are there, by their names.
fn reasons(memory: &MethodMemory<'_>) -> BTreeMap<String, Cell> {
    let gaps = gaps(&memory.method).into_iter();
    let operators = gaps.flat_map(|gap| {
        let backend = gap.backend;
        let reason =
            move |(name, _, _, reason): (String, _, _, et_inspector::partition::Reason)| {
                (name, Cell::from(reason.text(&backend)))
            };
        gap.operators.into_iter().map(reason)
    });
    operators.collect()
}
