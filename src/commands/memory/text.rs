//! The page for people: what each memory needs, and what fills it at the peak.

use super::Report;
use crate::findings;
use crate::text::{bytes, escape, thousands};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use et_inspector::memory::plan::Storage;
use et_inspector::memory::{DelegateMemory, MethodMemory, operator_name};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Columns of the widest bar, and on a narrow terminal.
const BAR: u64 = 24;
const NARROW_BAR: u64 = 12;

/// Columns below which a terminal is narrow.
const NARROW: usize = 100;

/// Rows of the table of what is live at the peak.
const PEAK_ROWS: usize = 8;

/// Tensors and instructions that a suggestion names.
const NAMED: usize = 3;

/// Columns of the last column of a table at least.
const LAST_COLUMN: usize = 20;

/// The page.
pub fn page(report: &Report<'_>, colors: bool, width: usize) -> String {
    let mut text = String::new();
    for (index, memory) in report.methods.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "{}  method {}  {} instructions  {}\n",
            escape(&report.model.to_string_lossy()),
            escape(memory.method.name()),
            thousands(memory.plan.steps.count().into()),
            report.abi.name()
        );
        super::target::verdict(&mut text, report, memory, width);
        memories(&mut text, report, memory, colors, width);
        peak(&mut text, memory, width);
        suggestions(&mut text, memory, width);
        super::boards::section(&mut text, report, memory, width);
        super::budget::section(&mut text, report, memory);
        super::measured::section(&mut text, report, index);
        if let Some(board) = &report.boards[index] {
            crate::board::section(&mut text, board);
        }
        super::target::settings(&mut text, report, memory);
        firmware(&mut text, memory, width);
    }
    let found = report.findings();
    if !found.is_empty() {
        let _ = write!(text, "\nFindings\n{}", findings::text(&found));
    }
    text
}

/// A row of the table of memories.
struct Row {
    name: String,
    bytes: u64,
    note: String,
}

fn memories(
    text: &mut String,
    report: &Report<'_>,
    memory: &MethodMemory<'_>,
    colors: bool,
    width: usize,
) {
    let loading = &memory.loading;
    let mut rows: Vec<Row> = memory
        .plan
        .buffers
        .iter()
        .zip(memory.our_plans())
        .enumerate()
        .map(|(index, (buffer, ours))| {
            let mut note =
                format!("lower bound {}, our plan {}", bytes(buffer.lower_bound), bytes(ours.size));
            if let Some(why) = memory.plan_note(index) {
                let _ = write!(note, " ({why})");
            }
            Row { name: format!("planned_{}", buffer.memory_id), bytes: buffer.size, note }
        })
        .collect();
    let allocations = thousands(loading.method.len() as u64);
    rows.push(Row {
        name: "method".into(),
        bytes: memory.method_used(),
        note: match memory.method_used_by_backends() {
            0 => format!("{allocations} allocations"),
            of_backends => {
                format!("{allocations} allocations, and {} of backends", bytes(of_backends))
            }
        },
    });
    rows.push(Row {
        name: "temp".into(),
        bytes: loading.temp_peak.max(memory.temp_executing()),
        note: temp_note(memory),
    });
    rows.push(Row {
        name: "inputs".into(),
        bytes: loading.inputs,
        note: format!("of the method allocator; their data is {}", bytes(memory.input_data)),
    });
    rows.push(Row {
        name: "program".into(),
        bytes: report.file.bytes().len() as u64,
        note: "in flash or RAM".into(),
    });
    rows.extend(delegates(memory));
    if let Some(trace) = report.tracing(memory) {
        let executions = thousands(trace.request.executions);
        let mut note = format!("{executions} executions; on the heap, or a buffer above 128 KiB");
        for more in trace.notes() {
            note = format!("{note}; {more}");
        }
        rows.push(Row { name: "etdump".into(), bytes: trace.etdump, note });
        if trace.request.debug_buffer {
            let note = "aligned to 64, of the method allocator in the Arm runner".to_owned();
            rows.push(Row { name: "debug_buffer".into(), bytes: trace.debug_buffer, note });
        }
    }
    let largest = rows.iter().map(|row| row.bytes).max().unwrap_or(0);
    let mut table = table(&["memory", "needs", "", ""]);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    for row in rows {
        let columns = if width < NARROW { NARROW_BAR } else { BAR };
        table.add_row([row.name, bytes(row.bytes), bar(row.bytes, largest, columns), row.note]);
    }
    fit(&mut table, width);
    let lines = indented(&table);
    let _ = writeln!(text, "{}", if colors { colored(&lines) } else { lines });
}

/// A row for each backend: what its delegates take together of the heap, or the
/// most that one takes of scratch memory, which they share.
fn delegates(memory: &MethodMemory<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut by_backend: BTreeMap<&str, Vec<&DelegateMemory>> = BTreeMap::new();
    for delegate in &memory.delegates {
        by_backend.entry(&delegate.id).or_default().push(delegate);
    }
    for (id, delegates) in by_backend {
        let many = match delegates.len() {
            1 => String::new(),
            count => format!("{} delegates, ", thousands(count as u64)),
        };
        let known = delegates.iter().find_map(|delegate| delegate.note);
        let heap = delegates.iter().filter_map(|delegate| delegate.heap);
        let (bytes, note) = match heap.reduce(u64::saturating_add) {
            Some(heap) => (heap, format!("{many}of the heap, {}", known.unwrap_or_default())),
            None => (
                delegates.iter().filter_map(|delegate| delegate.scratch).max().unwrap_or(0),
                format!("{many}{}", known.unwrap_or("scratch of the temp allocator at each call")),
            ),
        };
        rows.push(Row { name: escape(id), bytes, note });
        let fast = delegates.iter().map(|delegate| delegate.fast_scratch).max().unwrap_or(0);
        if fast > 0 {
            let note = "fast scratch memory of the unit, a pool of the firmware".to_owned();
            rows.push(Row { name: "fast_scratch".into(), bytes: fast, note });
        }
    }
    rows
}

fn temp_note(memory: &MethodMemory<'_>) -> String {
    let required = bytes(memory.temp_required());
    let most = memory.temp_uses.iter().max_by_key(|u| u.bytes);
    match most.filter(|most| most.bytes >= memory.loading.temp_required) {
        Some(most) => format!(
            "a pool of {required} serves every instruction; most at {}:{}: {}",
            most.at.0, most.at.1, most.what
        ),
        None => format!("a pool of {required} serves every operator"),
    }
}

/// Parts of a cell, by eighths.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

fn bar(part: u64, whole: u64, columns: u64) -> String {
    if part == 0 || whole == 0 {
        return String::new();
    }
    let eighths = (u128::from(part) * u128::from(columns) * 8 / u128::from(whole)).max(1) as usize;
    let mut bar = "█".repeat(eighths / 8);
    bar.extend(EIGHTHS.get((eighths % 8).wrapping_sub(1)));
    bar
}

/// The lines with their bars in colour.
fn colored(lines: &str) -> String {
    let is_bar = |c: char| c == '█' || EIGHTHS.contains(&c);
    let mut text = String::with_capacity(lines.len());
    let mut inside = false;
    for c in lines.chars() {
        if is_bar(c) != inside {
            inside = !inside;
            text.push_str(if inside { "\u{1b}[36m" } else { "\u{1b}[0m" });
        }
        text.push(c);
    }
    text
}

fn peak(text: &mut String, memory: &MethodMemory<'_>, width: usize) {
    let plan = &memory.plan;
    let Some(at) = plan.steps.place(plan.peak.step).filter(|_| plan.peak.bytes > 0) else {
        return;
    };
    let _ = writeln!(
        text,
        "\nPeak: {} live at instruction {}:{} {}",
        bytes(plan.peak.bytes),
        at.0,
        at.1,
        escape(&operator_name(&memory.method, at))
    );
    let mut table = table(&["value", "bytes", "buffer", "offset", "live", "what"]);
    let columns = [CellAlignment::Left; 2];
    for (column, alignment) in table.column_iter_mut().skip(4).zip(columns) {
        column.set_cell_alignment(alignment);
    }
    for index in plan.peak.live.iter().take(PEAK_ROWS) {
        let storage = &plan.storages[*index];
        let place =
            |step| plan.steps.place(step).map_or_else(String::new, |(c, i)| format!("{c}:{i}"));
        let live = storage.first().zip(storage.last());
        table.add_row([
            storage.values[0].to_string(),
            thousands(storage.bytes),
            storage.memory_id.to_string(),
            thousands(storage.offset),
            live.map_or_else(String::new, |(a, b)| format!("{}-{}", place(a), place(b))),
            escape(&label(memory, storage, width)),
        ]);
    }
    fit(&mut table, width);
    let _ = writeln!(text, "{}", indented(&table));
    if let Some(more) = plan.peak.live.len().checked_sub(PEAK_ROWS).filter(|more| *more > 0) {
        let rest = plan.peak.live[PEAK_ROWS..].iter();
        let rest = rest.fold(0u64, |sum, i| sum.saturating_add(plan.storages[*i].bytes));
        let _ = writeln!(text, "  and {more} more with {}", bytes(rest));
    }
}

/// What a storage is, without namespaces on a narrow terminal.
fn label(memory: &MethodMemory<'_>, storage: &Storage, width: usize) -> String {
    let label = memory.label(storage);
    if width >= NARROW {
        return label;
    }
    let words = label.split(' ').map(|word| word.rsplit("::").next().unwrap_or(word));
    words.collect::<Vec<_>>().join(" ")
}

/// What would make the planned buffers smaller, and by how much.
fn suggestions(text: &mut String, memory: &MethodMemory<'_>, width: usize) {
    let found = memory.suggestions();
    if found.is_empty() {
        return;
    }
    let mut table = table(&["saves", "leaves", "to make the planned buffers smaller"]);
    if let Some(column) = table.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    for suggestion in found {
        let places = suggestion.steps.iter().take(NAMED);
        let places: Vec<String> = places
            .filter_map(|step| memory.plan.steps.place(*step))
            .map(|(chain, at)| format!("{chain}:{at}"))
            .collect();
        let values: Vec<String> =
            suggestion.values.iter().take(NAMED).map(|value| value.to_string()).collect();
        let mut what = suggestion.title.clone();
        for (name, named, all) in [
            ("values", values, suggestion.values.len()),
            ("instructions", places, suggestion.steps.len()),
        ] {
            if let Some(more) = all.checked_sub(named.len()).filter(|_| !named.is_empty()) {
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let _ = write!(what, "; {name} {}{more}", named.join(", "));
            }
        }
        table.add_row([bytes(suggestion.saves), bytes(suggestion.planned), what]);
    }
    fit(&mut table, width);
    let _ = writeln!(text, "\n{}", indented(&table));
}

/// The same program takes more or less of the method allocator by what the
/// firmware gives its loader.
fn firmware(text: &mut String, memory: &MethodMemory<'_>, width: usize) {
    let mut table = table(&["method allocator, by firmware", "bytes", "why"]);
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    let rows = [
        (
            "temp allocator large enough",
            memory.loading.method_used,
            "operators are looked up there",
        ),
        ("temp allocator of size 0", memory.used_without_temp_pool, "each look-up stays here"),
        ("no temp allocator", memory.used_without_temp_allocator, "and an object in its place"),
        (
            "release 0.5, no temp allocator",
            memory.used_in_release_0_5,
            "it kept no flag per input (method_allocator_loaded in its log)",
        ),
    ];
    let of_backends = memory.method_used_by_backends();
    for (name, used, why) in rows {
        let used = used.saturating_add(of_backends);
        table.add_row([name.to_owned(), thousands(used), why.to_owned()]);
    }
    fit(&mut table, width);
    let _ = writeln!(text, "\n{}", indented(&table));
}

/// A table without lines; every column but the first is aligned to the right.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Wraps the last column so that the table is no wider than `width`.
pub fn fit(table: &mut Table, width: usize) {
    let widths = table.column_max_content_widths();
    let Some((_, others)) = widths.split_last() else { return };
    // A space on each side of a column, and one before the line.
    let taken: usize = others.iter().map(|width| usize::from(*width)).sum();
    let rest = width.saturating_sub(taken + 2 * widths.len() + 1).max(LAST_COLUMN);
    let last = others.len();
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_constraint(if index == last {
            ColumnConstraint::UpperBoundary(Width::Fixed(rest as u16))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(taken + rest + 2 * widths.len()).unwrap_or(u16::MAX));
}

/// The table's lines, indented as all tables of the page.
pub fn indented(table: &Table) -> String {
    table.lines().map(|line| format!(" {}", line.trim_end())).collect::<Vec<_>>().join("\n")
}
