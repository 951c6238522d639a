//! The Inspector's own two forms of its table, byte for byte: the TSV file of
//! `save_data_to_tsv` and the grid of `print_data_tabular`.
//!
//! Both leave out `OPERATOR_CALL`, whose time is that of the kernel inside, and
//! both know one time per run: of a loop that of the last iteration
//! (`_gen_from_etdump` in `devtools/inspector/_inspector.py`).

use super::delimited::quoted;
use super::grid::{self, Cell};
use crate::python;
use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, EventRow, Statistics, Times};
use std::fmt::Write;

/// What the Inspector can be asked to write besides.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The unit of times in the names of their columns.
    pub units: bool,
    /// What delegates attached to their events, if they did.
    pub delegate_metadata: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Columns { units: true, delegate_metadata: false }
    }
}

/// Names of the columns that hold times.
const TIMES: [&str; 6] = ["p10", "p50", "p90", "avg", "min", "max"];

/// One row of the Inspector's table.
struct Row<'a> {
    block: &'a str,
    name: String,
    times: Option<[f64; 6]>,
    op_types: String,
    is_delegated: bool,
    backend: String,
    starts: String,
    metadata: Option<String>,
}

/// The file that the Inspector's `save_data_to_tsv` writes.
pub fn tsv(
    events: &EventBlocks<'_>,
    correlation: &Correlation<'_>,
    times: &Times,
    columns: Columns,
) -> String {
    tsv_lines(events, correlation, times, columns).collect()
}

/// The lines of [`tsv`], each with its end, made one at a time.
pub fn tsv_lines<'e>(
    events: &'e EventBlocks<'_>,
    correlation: &'e Correlation<'_>,
    times: &'e Times,
    columns: Columns,
) -> impl Iterator<Item = String> + 'e {
    let columns = with_metadata(columns, events);
    let header = header(times, columns).join("\t") + "\n";
    let lines = rows(events, correlation, times).enumerate();
    std::iter::once(header).chain(lines.map(move |(index, row)| tsv_line(index, &row, columns)))
}

fn tsv_line(index: usize, row: &Row<'_>, columns: Columns) -> String {
    let mut text = String::with_capacity(256 + row.starts.len());
    let _ = write!(text, "{index}\t{}\t{}", quoted(row.block, '\t'), quoted(&row.name, '\t'));
    match row.times {
        Some(times) => times.iter().for_each(|&t| {
            let _ = write!(text, "\t{}", python::float(t));
        }),
        None => text.push_str("\t\t\t\t\t\t"),
    }
    for field in [&row.op_types, python::truth(row.is_delegated), &row.backend] {
        let _ = write!(text, "\t{}", quoted(field, '\t'));
    }
    // Numbers, of which there may be millions.
    text.push('\t');
    text.push_str(&row.starts);
    if columns.delegate_metadata {
        let _ = write!(text, "\t{}", quoted(row.metadata.as_deref().unwrap_or(""), '\t'));
    }
    text.push('\n');
    text
}

/// What the Inspector's `print_data_tabular` prints.
pub fn inspector_table(
    events: &EventBlocks<'_>,
    correlation: &Correlation<'_>,
    times: &Times,
    columns: Columns,
) -> String {
    let columns = with_metadata(columns, events);
    let cells = rows(events, correlation, times).enumerate().map(|(index, row)| {
        let mut cells = vec![
            Cell::Number(index.to_string()),
            Cell::Text(row.block.to_owned()),
            Cell::Text(row.name),
        ];
        let number = |column: usize| match row.times {
            Some(times) => python::general(times[column]),
            None => String::new(),
        };
        cells.extend((0..TIMES.len()).map(number).map(Cell::Number));
        cells.push(Cell::Text(row.op_types));
        cells.push(Cell::Text(python::truth(row.is_delegated).to_owned()));
        cells.push(Cell::Text(row.backend));
        cells.push(Cell::Text(row.starts));
        if columns.delegate_metadata {
            cells.push(Cell::Text(row.metadata.unwrap_or_else(|| "nan".into())));
        }
        cells
    });
    grid::fancy(&header(times, columns), &cells.collect::<Vec<_>>())
}

/// The column of metadata only appears if there are any: of a loop, in the last iteration.
fn with_metadata(columns: Columns, events: &EventBlocks<'_>) -> Columns {
    let mut rows = events.blocks.iter().flat_map(|block| &block.events);
    let any = rows.any(|row| match row.is_looped() {
        true => row.last_iterations().has_delegate_metadata(),
        false => row.has_delegate_metadata(),
    });
    Columns { delegate_metadata: columns.delegate_metadata && any, ..columns }
}

fn header(times: &Times, columns: Columns) -> Vec<String> {
    let unit = if columns.units { format!(" ({})", times.target().name()) } else { String::new() };
    let mut header: Vec<String> = ["", "event_block_name", "event_name"].map(str::to_owned).into();
    header.extend(TIMES.map(|column| format!("{column}{unit}")));
    header.extend(
        ["op_types", "is_delegated_op", "delegate_backend_name", "start_time"].map(str::to_owned),
    );
    if columns.delegate_metadata {
        header.push("delegate_debug_metadata".into());
    }
    header
}

/// The rows that the Inspector prints, made one at a time.
fn rows<'e, 'a>(
    events: &'e EventBlocks<'a>,
    correlation: &'e Correlation<'_>,
    times: &'e Times,
) -> impl Iterator<Item = Row<'a>> {
    let blocks = events.blocks.iter().enumerate();
    let all =
        blocks.flat_map(|(index, block)| block.events.iter().map(move |row| (index, block, row)));
    all.filter_map(move |(index, block, row)| {
        let name = row.inspector_name();
        if name.contains("OPERATOR_CALL") {
            return None;
        }
        let looped = row.is_looped().then(|| row.last_iterations());
        let row = looped.as_ref().unwrap_or(row);
        Some(self::row(block.name, name, row, &correlation.event(index, row), times))
    })
}

fn row<'a>(
    block: &'a str,
    name: String,
    row: &EventRow<'a>,
    origin: &et_inspector::correlate::Origin<'_>,
    times: &Times,
) -> Row<'a> {
    let op_types: Vec<&str> = origin.op_types().collect();
    let metadata = row.has_delegate_metadata().then(|| {
        // The Inspector puts an empty text where an event has none.
        python::list(row.delegate_metadata.iter().map(|metadata| match metadata {
            [] => "''".to_owned(),
            bytes => python::bytes(bytes),
        }))
    });
    Row {
        block,
        name,
        times: row
            .statistics(times)
            .map(|Statistics { p10, p50, p90, avg, min, max, .. }| [p10, p50, p90, avg, min, max]),
        op_types: op_list(&op_types),
        is_delegated: row.delegate_id.is_some(),
        backend: origin.backend.unwrap_or_default().to_owned(),
        starts: match row.samples.is_empty() {
            true => String::new(),
            false => python::integers(row.samples.iter().map(|s| s.start)),
        },
        metadata,
    }
}

/// Operators as the Inspector lists them: of five and more, the ends.
fn op_list(op_types: &[&str]) -> String {
    match op_types {
        [first, second, .., last] if op_types.len() >= 5 => {
            format!("['{first}', '{second}' ... '{last}'] ({} total)", op_types.len())
        }
        _ => python::list(op_types.iter().map(|op| python::text(op))),
    }
}
