//! Comma-separated tables.

use et_inspector::correlate::{Correlation, Origin};
use et_inspector::events::{EventBlocks, EventRow, Times};
use std::fmt::Write;

/// All events with all statistics, one row each, for spreadsheets.
pub fn csv(events: &EventBlocks<'_>, correlation: &Correlation<'_>, times: &Times) -> String {
    let unit = times.target().name();
    let mut text =
        String::from("block,event,chain,instruction,delegated,method,operator,module,source,count");
    for column in ["sum", "self", "avg", "stddev", "min", "p10", "p50", "p90", "p99", "max"] {
        let _ = write!(text, ",{column}_{unit}");
    }
    text.push('\n');
    for (index, block) in events.blocks.iter().enumerate() {
        for row in &block.events {
            csv_row(&mut text, block.name, row, &correlation.event(index, row), times);
        }
    }
    text
}

fn csv_row(text: &mut String, block: &str, row: &EventRow<'_>, origin: &Origin<'_>, times: &Times) {
    let name = row.display_name();
    let known = |field: Option<&str>| quoted(field.unwrap_or_default(), ',');
    let _ = write!(
        text,
        "{},{},{},{},{},{},{},{},{},{}",
        quoted(block, ','),
        quoted(&name, ','),
        row.chain,
        row.instruction,
        row.delegate_id.is_some(),
        known(origin.method),
        known(origin.instruction.map(|i| i.name())),
        known(origin.module()),
        known(origin.source().as_deref()),
        row.samples.len()
    );
    match row.statistics(times) {
        Some(s) => {
            let own = times.span(row.own_ticks());
            for number in [s.sum, own, s.avg, s.stddev, s.min, s.p10, s.p50, s.p90, s.p99, s.max] {
                let _ = write!(text, ",{number}");
            }
        }
        None => text.push_str(",,,,,,,,,,"),
    }
    text.push('\n');
}

/// A field, in quotes if it holds the separator, a quote or a line break.
pub(super) fn quoted(field: &str, separator: char) -> String {
    let special = |c| c == separator || matches!(c, '"' | '\n' | '\r');
    if field.contains(special) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
