//! Tab- and comma-separated tables.

use crate::python;
use et_inspector::events::{EventBlocks, EventRow, Statistics, Times};
use std::fmt::Write;

/// The table that the Inspector's `save_data_to_tsv` writes, byte for byte.
///
/// It leaves out `OPERATOR_CALL` rows, whose time is that of the kernel inside.
pub fn tsv(events: &EventBlocks<'_>, times: &Times, include_units: bool) -> String {
    let unit = if include_units { format!(" ({})", times.target().name()) } else { String::new() };
    let mut text = String::from("\tevent_block_name\tevent_name");
    for column in ["p10", "p50", "p90", "avg", "min", "max"] {
        let _ = write!(text, "\t{column}{unit}");
    }
    text.push_str("\top_types\tis_delegated_op\tdelegate_backend_name\tstart_time\n");
    let rows = events
        .blocks
        .iter()
        .flat_map(|block| block.events.iter().map(move |row| (block.name, row)))
        .filter(|(_, row)| !row.display_name().contains("OPERATOR_CALL"));
    for (index, (block, row)) in rows.enumerate() {
        let _ =
            write!(text, "{index}\t{}\t{}", quoted(block, '\t'), quoted(&row.display_name(), '\t'));
        match row.statistics(times) {
            Some(Statistics { p10, p50, p90, avg, min, max, .. }) => {
                for number in [p10, p50, p90, avg, min, max] {
                    let _ = write!(text, "\t{}", python::float(number));
                }
            }
            None => text.push_str("\t\t\t\t\t\t"),
        }
        let delegated = if row.delegate_id.is_some() { "True" } else { "False" };
        let starts = python::list(row.samples.iter().map(|s| s.start));
        let _ = writeln!(text, "\t[]\t{delegated}\t\t{starts}");
    }
    text
}

/// All events with all statistics, one row each, for spreadsheets.
pub fn csv(events: &EventBlocks<'_>, times: &Times) -> String {
    let unit = times.target().name();
    let mut text = String::from("block,event,chain,instruction,delegated,count");
    for column in ["sum", "avg", "stddev", "min", "p10", "p50", "p90", "p99", "max"] {
        let _ = write!(text, ",{column}_{unit}");
    }
    text.push('\n');
    for block in &events.blocks {
        for row in &block.events {
            csv_row(&mut text, block.name, row, times);
        }
    }
    text
}

fn csv_row(text: &mut String, block: &str, row: &EventRow<'_>, times: &Times) {
    let name = row.display_name();
    let _ = write!(
        text,
        "{},{},{},{},{},{}",
        quoted(block, ','),
        quoted(&name, ','),
        row.chain,
        row.instruction,
        row.delegate_id.is_some(),
        row.samples.len()
    );
    match row.statistics(times) {
        Some(s) => {
            for number in [s.sum, s.avg, s.stddev, s.min, s.p10, s.p50, s.p90, s.p99, s.max] {
                let _ = write!(text, ",{number}");
            }
        }
        None => text.push_str(",,,,,,,,,"),
    }
    text.push('\n');
}

/// A field, in quotes if it holds the separator, a quote or a line break.
fn quoted(field: &str, separator: char) -> String {
    let special = |c| c == separator || matches!(c, '"' | '\n' | '\r');
    if field.contains(special) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
