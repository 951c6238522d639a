//! Times of runs, operators and modules.

use super::{Part, ROWS};
use crate::memory::words::number;
use crate::page::{Cell, Table, chart, escape};
use crate::report::words::{share, time};
use crate::report::{OperatorTime, TraceTimes, flame, spread};
use std::fmt::Write;

/// What a trace measured.
pub fn part(trace: &TraceTimes) -> Part {
    let mut part = Part::new("times", "Times", "Times");
    let (page, unit) = (&mut part.body, trace.unit);
    if let Some(warning) = &trace.warning {
        let _ = writeln!(page, "<p class=\"bad\">{}</p>", escape(warning));
    }
    let runs = trace.runs.iter().take(ROWS).map(|run| {
        let s = &run.spread;
        let mut row = vec![run.name.clone(), number(s.runs as u64)];
        row.extend([s.min, s.p50, s.p90, s.max].map(|ticks| time(ticks, unit)));
        row
    });
    Table::new(&["=runs", "#number", "#least", "#median", "#p90", "#most"]).rows(runs).write(page);
    if let Some(more) = trace.runs.len().checked_sub(ROWS).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p>and {} more kinds of runs</p>", number(more as u64));
    }
    let _ = writeln!(
        page,
        "<h3>Time of a run by operator: median, and from the least to the most</h3>\n\
         <p>{} in all, {} of it ({}) in delegate calls</p>",
        time(trace.total, unit),
        time(trace.in_delegates, unit),
        share(trace.in_delegates, trace.total)
    );
    chart(page, &spread::chart(trace, &trace.operators), "chart");
    operators(page, trace, &trace.operators, "=operator");
    if let Some(modules) = &trace.modules {
        page.push_str("<h3>Time by module, each under the one that holds it</h3>\n");
        chart(page, &flame::chart(trace, modules), "chart");
        operators(page, trace, modules, "=module");
    }
    part
}

/// Times that add up to the whole.
fn operators(page: &mut String, trace: &TraceTimes, list: &[OperatorTime], what: &str) {
    let unit = trace.unit;
    let shown = list.iter().take(ROWS);
    let left =
        shown.clone().fold(trace.total, |left, operator| left.saturating_sub(operator.ticks));
    let rows = shown.map(|operator| {
        let s = &operator.spread;
        let mut row: Vec<Cell> = vec![
            operator.name.as_str().into(),
            number(operator.count as u64).into(),
            time(operator.ticks, unit).into(),
            Cell::share(operator.ticks, trace.total),
        ];
        row.extend([s.min, s.p50, s.p90, s.max].map(|ticks| Cell::from(time(ticks, unit))));
        row
    });
    let last = |name: &str, ticks: u64| {
        let mut row: Vec<Cell> = vec![name.into(), "".into(), time(ticks, unit).into()];
        row.push(Cell::share(ticks, trace.total));
        row.resize(8, Cell::default());
        row
    };
    let others = match list.len().saturating_sub(ROWS) {
        0 => "outside of instructions".to_owned(),
        more => format!("{more} more, and outside of instructions"),
    };
    let header = [what, "#calls", "#time", "#share", "#least run", "#median", "#p90", "#most"];
    let table = Table::new(&header).rows(rows).sum(last(&others, left));
    table.sum(last("sum", trace.total)).write(page);
}
