//! Which of the boards that come with the program a method fits.

use super::Report;
use super::target::remedy_json;
use super::text::{indented, table};
use crate::text::{bytes, escape, wrap_to};
use comfy_table::CellAlignment;
use et_inspector::memory::MethodMemory;
use et_inspector::target::{BUILTIN, Fit, MemoryFit, Remedy, Target, remedies, settings};
use serde_json::{Value, json};
use std::fmt::Write;

/// The boards with the ABI of the report, and the method on each.
fn fits(report: &Report<'_>, memory: &MethodMemory<'_>) -> Vec<(Target, Fit)> {
    let needs = report.needs(memory);
    let targets = BUILTIN.iter().filter_map(|(_, text)| Target::parse(text).ok());
    let targets = targets.filter(|target| target.abi == report.abi);
    let fit = |target: Target| {
        let fit = Fit::new(&needs, &target);
        (target, fit)
    };
    targets.map(fit).collect()
}

/// The memory of a board that is the fullest: where most is missing, or else
/// the largest part of the whole is taken.
fn tightest(fit: &Fit) -> Option<&MemoryFit> {
    fit.memories.iter().filter(|memory| memory.takes > 0).max_by(|a, b| {
        let part = |m: &MemoryFit| {
            let available = m.size.saturating_sub(m.reserved).max(1);
            m.takes as f64 / available as f64
        };
        a.missing().cmp(&b.missing()).then(part(a).total_cmp(&part(b)))
    })
}

/// The table for people, if it was asked for.
pub fn section(text: &mut String, report: &Report<'_>, memory: &MethodMemory<'_>, width: usize) {
    if !report.all_targets {
        return;
    }
    let boards = fits(report, memory);
    let count = boards.iter().filter(|(_, fit)| fit.fits()).count();
    let _ = writeln!(text, "\nFits {count} of {} boards with {}", boards.len(), report.abi.name());
    let mut table = table(&["board", "", "fullest memory", "needs", "has", "left"]);
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    for (target, fit) in &boards {
        let verdict = if fit.fits() { "fits" } else { "NO" };
        let Some(memory) = tightest(fit) else { continue };
        let available = memory.size.saturating_sub(memory.reserved);
        let left = match memory.missing() {
            0 => bytes(available.saturating_sub(memory.takes)),
            missing => format!("{} MISSING", bytes(missing)),
        };
        table.add_row([
            escape(&target.name),
            verdict.to_owned(),
            escape(&memory.name),
            bytes(memory.takes),
            bytes(available),
            left,
        ]);
    }
    let _ = writeln!(text, "{}", indented(&table));
    let needs = report.needs(memory);
    let found: Vec<(&Target, Remedy)> = boards
        .iter()
        .filter_map(|(target, _)| {
            Some((target, remedies(memory, &needs, target).into_iter().next()?))
        })
        .collect();
    if !found.is_empty() {
        text.push_str("\nIt fits on\n");
    }
    for (target, remedy) in found {
        wrap_to(text, &format!("  {}: if you ", escape(&target.name)), &remedy.title, width);
    }
}

/// The boards for scripts, null unless they were asked for.
pub fn json(report: &Report<'_>, memory: &MethodMemory<'_>) -> Value {
    if !report.all_targets {
        return Value::Null;
    }
    let needs = report.needs(memory);
    let one = |(target, fit): &(Target, Fit)| {
        let tightest = tightest(fit);
        let settings = settings(&needs, Some(target));
        json!({
            "remedies": remedies(memory, &needs, target).iter().map(remedy_json).collect::<Vec<_>>(),
            "settings": {
                "arm_runner": settings.arm_runner,
                "zephyr": settings.zephyr,
                "cpp": settings.cpp,
            },
            "name": target.name,
            "fits": fit.fits(),
            "memory": tightest.map(|memory| &memory.name),
            "used_bytes": tightest.map(|memory| memory.takes),
            "available_bytes": tightest.map(|m| m.size.saturating_sub(m.reserved)),
            "missing_bytes": tightest.map(MemoryFit::missing),
        })
    };
    fits(report, memory).iter().map(one).collect()
}
