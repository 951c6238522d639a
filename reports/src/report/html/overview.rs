//! The top of the page: the verdict, the figures behind it, and the board.

use super::Part;
use crate::memory::svg::board_figures;
use crate::memory::words::{bytes, count, kib, number, short};
use crate::memory::{Document, Page};
use crate::page::{Cell, Table, chart, escape};
use crate::report::words::{size, time};
use crate::report::{Report, RunTime, Share, TraceTimes, share_of};
use et_inspector::findings::Severity;
use et_inspector::target::Fit;
use std::fmt::Write;

/// A figure: its name, its value, what is good to know, and whether it is good or bad.
struct Tile {
    name: &'static str,
    value: String,
    note: String,
    is_good: Option<bool>,
}

impl Tile {
    fn new(name: &'static str, value: String, note: String) -> Self {
        Tile { name, value, note, is_good: None }
    }

    fn judged(self, is_good: bool) -> Self {
        Tile { is_good: Some(is_good), ..self }
    }
}

/// The header of the page.
pub fn header(report: &Report<'_>) -> String {
    let model = &report.memory.model;
    let class = if report.is_bad() { "verdict bad" } else { "verdict" };
    let mut header = format!(
        "<header>\n<p class=\"kind\">etinspect report</p>\n<h1>Report on {}</h1>\n\
         <p class=\"note\">{}; program of {}, objects of {}</p>\n\
         <p class=\"{class}\">{}</p>\n<dl class=\"tiles\">\n",
        escape(last_parts(model)),
        escape(model),
        size(report.memory.program),
        escape(report.memory.abi),
        escape(&report.verdict()),
    );
    for Tile { name, value, note, is_good } in tiles(report) {
        let (class, mark) = match is_good {
            None => ("", ""),
            Some(true) => (" class=\"good\"", "✓ "),
            Some(false) => (" class=\"bad\"", "✗ "),
        };
        let _ = writeln!(
            header,
            "<div><dt>{name}</dt><dd{class}>{mark}{}</dd><dd>{}</dd></div>",
            escape(&value),
            escape(&note)
        );
    }
    header + "</dl>\n</header>\n"
}

/// The file with its folder: what many programs are told apart by.
fn last_parts(path: &str) -> &str {
    let mut slashes = path.rmatch_indices('/');
    let start = slashes.nth(1).map_or(0, |(slash, _)| slash + 1);
    path.get(start..).filter(|parts| !parts.is_empty()).unwrap_or(path)
}

fn tiles(report: &Report<'_>) -> Vec<Tile> {
    let document = &report.memory;
    let mut tiles = verdicts(report);
    tiles.push(Tile::new("Program", kib(document.program), bytes(document.program)));
    let peak = document.methods.iter().max_by_key(|page| page.memory.plan.peak.bytes);
    let total = |page: &&Page<'_>| page.needs.method_pool(None).saturating_add(page.needs.temp);
    let of = |page: &Page<'_>| match document.methods.len() {
        1 => String::new(),
        _ => format!(", {}", short(page.memory.method.name())),
    };
    if let Some(page) = peak {
        let peak = page.memory.plan.peak.bytes;
        tiles.push(Tile::new("Live at the peak", kib(peak), bytes(peak) + &of(page)));
    }
    if let Some(page) = document.methods.iter().max_by_key(total) {
        let total = total(&page);
        tiles.push(Tile::new("All pools", kib(total), bytes(total) + &of(page)));
    }
    if let Some(trace) = &report.trace {
        tiles.extend(run(trace));
    }
    tiles.extend(delegated(report));
    tiles
}

fn verdicts(report: &Report<'_>) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let Some((target, fits)) = report.memory.target.zip(report.fits()) {
        let value = if fits { "fits" } else { "does not fit" };
        let name = short(&target.name).into_owned();
        tiles.push(Tile::new("Board", value.into(), name).judged(fits));
    }
    let (over, all) = report.exceeded();
    if all > 0 {
        let value = format!("{} of {all} met", all - over);
        let note = if over > 0 { format!("{over} exceeded") } else { String::new() };
        tiles.push(Tile::new("Budget", value, note).judged(over == 0));
    }
    if let Some(changes) = &report.changes {
        let worse = changes.regressions().count();
        let value = if worse > 0 { format!("{worse} worse") } else { "nothing worse".to_owned() };
        let note = format!("{} of {} changed", changes.changes.len(), changes.compared);
        tiles.push(Tile::new("Since the base", value, note).judged(worse == 0));
    }
    let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Info]
        .map(|severity| report.count(severity) as u64);
    let note = format!("{}, {}", count(warnings, "warning"), count(notes, "note"));
    tiles.push(Tile::new("Findings", count(errors, "error"), note).judged(errors == 0));
    tiles
}

/// The runs that count.
fn run(trace: &TraceTimes) -> Option<Tile> {
    let RunTime { name, spread } = trace.main_run()?;
    let note = match spread.runs {
        1 => format!("one of {}", short(name)),
        runs => format!("median of {} of {}", number(runs as u64), short(name)),
    };
    Some(Tile::new("Run", time(spread.p50, trace.unit), note))
}

/// The share of delegates in the time, or else in the calls.
fn delegated(report: &Report<'_>) -> Option<Tile> {
    let [by_delegates, by_kernels] =
        [Share::delegate_calls, Share::kernel_calls].map(|of| report.shares.iter().map(of).sum());
    let (by_delegates, by_kernels): (u64, u64) = (by_delegates, by_kernels);
    if by_delegates == 0 {
        return None;
    }
    let calls = [count(by_delegates, "delegate call"), count(by_kernels, "fall-back")].join(", ");
    let in_time = report.trace.as_ref().filter(|trace| trace.executing > 0);
    Some(match in_time {
        Some(trace) => {
            let value = format!("{} of execution", share_of(trace.in_delegates, trace.executing));
            Tile::new("Delegated", value, calls)
        }
        None => {
            let all = by_delegates.saturating_add(by_kernels);
            Tile::new("Delegated", format!("{} of calls", share_of(by_delegates, all)), calls)
        }
    })
}

/// The target's memories as bars, for each method.
pub fn boards(report: &Report<'_>) -> Option<Part> {
    let document = &report.memory;
    let target = document.target?;
    let mut part = Part::new("board", "Board", format!("On the board: {}", target.title));
    for method in document.methods.iter().take(super::ROWS) {
        let Some(fit) = &method.fit else { continue };
        board(&mut part.body, document, method, fit);
    }
    if let Some(more) = document.methods.len().checked_sub(super::ROWS).filter(|more| *more > 0) {
        let more = count(more as u64, "more method");
        let _ = writeln!(part.body, "<p>and {more}, in <code>--format json</code></p>");
    }
    Some(part)
}

fn board(page: &mut String, document: &Document<'_>, method: &Page<'_>, fit: &Fit) {
    if document.methods.len() > 1 {
        let name = escape(method.memory.method.name());
        let _ = writeln!(page, "<h3>Method {name}</h3>");
    }
    for figure in board_figures(document, method) {
        chart(page, &figure.svg, figure.class);
    }
    let taken = fit.memories.iter().filter(|memory| memory.takes > 0);
    let rows = taken.map(|memory| {
        let available = memory.size.saturating_sub(memory.reserved);
        let pools = fit.pools.iter().filter(|pool| pool.memory == memory.name);
        let pools: Vec<String> =
            pools.map(|pool| format!("{} {}", pool.name, number(pool.takes()))).collect();
        let left = match memory.missing() {
            0 => Cell::judged(size(available.saturating_sub(memory.takes)), true),
            missing => Cell::judged(format!("{} MISSING", size(missing)), false),
        };
        let [takes, has] = [memory.takes, available].map(|bytes| Cell::from(size(bytes)));
        vec![memory.name.as_str().into(), takes, has, left, pools.join(" + ").into()]
    });
    let header = ["=memory", "#taken", "#available", "#left", "sum of"];
    Table::new(&header).rows(rows).write(page);
}

#[cfg(test)]
mod tests {
    use super::last_parts;

    #[test]
    fn a_program_is_named_with_its_folder() {
        assert_eq!(last_parts("models/mv2/model.pte"), "mv2/model.pte");
        assert_eq!(last_parts("mv2/model.pte"), "mv2/model.pte");
        assert_eq!(last_parts("model.pte"), "model.pte");
        assert_eq!(last_parts("a//"), "/");
        assert_eq!(last_parts(""), "");
    }
}
