//! Numbers that a board printed, beside the prediction.

use crate::text::{bytes, wrap};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::memory::measured::BoardComparison;
use serde_json::{Value, json};
use std::fmt::Write;

/// The section of a page.
pub fn section(text: &mut String, comparison: &BoardComparison) {
    text.push_str("\nMeasured on the device, beside the prediction\n");
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([" number", "measured", "predicted"]);
    for row in &comparison.rows {
        table.add_row([format!(" {}", row.name), bytes(row.measured), bytes(row.predicted)]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let _ = writeln!(text, "{}", table.trim_fmt());
    for row in &comparison.rows {
        if let Some(why) = &row.why {
            wrap(text, &format!("  {}: ", row.name), why);
        }
    }
}

/// The rows for scripts.
pub fn json(comparison: &BoardComparison) -> Value {
    let rows = comparison.rows.iter().map(|row| {
        json!({
            "name": row.name,
            "measured_bytes": row.measured,
            "predicted_bytes": row.predicted,
            "explained": row.is_explained,
            "why": row.why,
        })
    });
    rows.collect()
}
