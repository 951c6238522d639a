//! The comparison for people.

use super::names::Names;
use crate::text::{escape, thousands};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::gap::{Comparison, Gap, Place, Tolerance};
use std::fmt::Write;

/// Where the numbers part, all values in a table, and what could not be compared.
pub(super) fn text(comparison: &Comparison, names: &Names<'_, '_>, by: Tolerance) -> String {
    let mut text = String::new();
    match comparison.first_divergence() {
        Some(gap) => first(&mut text, gap, names),
        None => {
            let count = thousands(comparison.gaps.len() as u64);
            let _ = writeln!(text, "all {count} values are within the tolerance");
        }
    }
    let _ = writeln!(text, "tolerance: {:e} + {:e} * |reference|\n", by.atol, by.rtol);
    let several_runs = comparison.gaps.iter().any(|gap| gap.place.run > 0);
    let mut header = vec!["at", "what", "value", "max abs", "MSE", "L1", "SNR (dB)", "cosine"];
    header.push("outside");
    if several_runs {
        header.push("run");
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(&header);
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for gap in &comparison.gaps {
        let mut cells = cells(gap, names);
        if several_runs {
            cells.push(gap.place.run.to_string());
        }
        table.add_row(cells);
    }
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    missing(&mut text, &comparison.without_reference, "values have no reference");
    missing(&mut text, &comparison.only_in_reference, "values are only in the reference");
    text
}

fn first(text: &mut String, gap: &Gap, names: &Names<'_, '_>) {
    let place = &gap.place;
    let operator = escape(&names.operator(place));
    let _ = writeln!(
        text,
        "the numbers part at {} {operator}: {}",
        escape(&place.to_string()),
        reason(gap)
    );
    let Some(origin) = names.origin(place) else { return };
    if let Some(module) = origin.module().filter(|module| !module.is_empty()) {
        let _ = writeln!(text, "  module {}", escape(module));
    }
    if let Some(source) = origin.source() {
        let _ = writeln!(text, "  source {}", escape(&source));
    }
}

fn reason(gap: &Gap) -> String {
    match &gap.measured {
        Err(message) => escape(message),
        Ok(measured) => {
            let max = measured.metrics.map_or(0.0, |metrics| metrics.max_abs);
            format!(
                "{} of {} elements are out of tolerance, by up to {max:.3e}",
                thousands(measured.outside as u64),
                thousands(measured.elements as u64),
            )
        }
    }
}

fn cells(gap: &Gap, names: &Names<'_, '_>) -> Vec<String> {
    let at = escape(&gap.place.to_string());
    let value = format!("{}{:?}", gap.dtype, gap.shape);
    let value = if gap.dtype.is_empty() { "number".into() } else { value };
    let mut cells = vec![at, escape(&names.operator(&gap.place)), value];
    match &gap.measured {
        Err(message) => {
            cells.push(escape(message));
            cells.extend(vec![String::new(); 5]);
        }
        Ok(measured) => {
            match measured.metrics {
                Some(m) => {
                    cells.extend([m.max_abs, m.mse, m.l1].map(|n| format!("{n:.3e}")));
                    cells.push(format!("{:.1}", m.snr));
                    cells.push(format!("{:.6}", m.cosine));
                }
                None => cells.extend(vec![String::new(); 5]),
            }
            cells.push(match measured.outside {
                0 => String::new(),
                count => thousands(count as u64),
            });
        }
    }
    cells
}

fn missing(text: &mut String, places: &[Place], what: &str) {
    let Some(place) = places.first() else { return };
    let count = thousands(places.len() as u64);
    let _ = writeln!(text, "{count} {what}, the first at {}", escape(&place.to_string()));
}
