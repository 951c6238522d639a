//! The table of events.

use super::{below, lines, nothing, visible};
use crate::app::{App, Order};
use crate::events::{EventRow, EventRows, Spread};
use crate::groups::{self, GroupRow, GroupTable};
use crate::search;
use crate::text::{fit, fit_right, nanoseconds, thousands};
use et_inspector::correlate::Site;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// A row as it is shown: an event, or a group of them.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Name.
    pub name: String,
    /// Its instruction.
    pub site: Option<Site>,
    /// Whether it is inside of a delegate.
    pub delegated: bool,
    /// How often it was recorded.
    pub count: usize,
    /// Ticks together.
    pub sum: u64,
    /// Of those, its own.
    pub own: u64,
    /// Median, least and most of its times.
    pub spread: Spread,
    /// Index among the rows of its kind.
    pub index: usize,
}

/// Rows looked at between two questions whether to go on.
const BETWEEN: usize = 4096;

/// Rows in an order, filtered; those of the groups if there are any. Once
/// `cancelled` nobody looks at them.
pub fn rows(
    events: &EventRows,
    groups: Option<&GroupTable>,
    order: Order,
    filter: &str,
    cancelled: &dyn Fn() -> bool,
) -> Vec<Shown> {
    let goes_on = |index: usize| !index.is_multiple_of(BETWEEN) || !cancelled();
    let matches = |name: &str| filter.is_empty() || search::score(filter, name).is_some();
    let mut rows: Vec<Shown> = match groups {
        Some(table) => {
            let rows = table.rows.iter().enumerate().take_while(|(index, _)| goes_on(*index));
            rows.filter(|(_, row)| matches(&row.name)).map(of_group).collect()
        }
        None => {
            let rows = events.rows.iter().enumerate().take_while(|(index, _)| goes_on(*index));
            rows.filter(|(_, row)| matches(&row.name)).map(of_event).collect()
        }
    };
    match order {
        Order::Time => {}
        Order::Sum => rows.sort_by_key(|row| std::cmp::Reverse(row.sum)),
        Order::Median => rows.sort_by_key(|row| std::cmp::Reverse(row.spread.median)),
        Order::Name => rows.sort_by(|a, b| a.name.cmp(&b.name)),
    }
    rows
}

fn of_event((index, row): (usize, &EventRow)) -> Shown {
    Shown {
        name: row.name.clone(),
        site: row.site,
        delegated: row.delegated,
        count: row.count,
        sum: row.sum,
        own: row.own,
        spread: row.spread,
        index,
    }
}

fn of_group((index, row): (usize, &GroupRow)) -> Shown {
    Shown {
        name: row.name.clone(),
        site: row.site,
        delegated: false,
        count: row.count,
        sum: row.ticks,
        own: row.ticks,
        spread: row.spread,
        index,
    }
}

/// A row in one line.
pub fn line(row: &Shown) -> String {
    let site = row.site.map_or(String::new(), |s| format!(" {}:{}", s.chain, s.instruction));
    format!("{}{site} {} in {} calls", row.name, nanoseconds(row.sum), row.count)
}

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if app.session.events.rows.is_empty() {
        let how = "etinspect run MODEL.pte --etdump TRACE.etdp writes a trace";
        return nothing(app, frame, area, "No trace was given", how);
    }
    let width = usize::from(area.width);
    let iterations = iterations(app, width);
    let room = if area.height >= 14 { iterations.len() as u16 } else { 0 };
    let above = Rect { height: area.height - room, ..area };
    let wide = width >= 90;
    let mut header = format!("{} {}", fit("event", name_width(width)), fit("at", 8));
    header += &format!("{:>7}{:>10}{:>10}", "calls", "median", "sum");
    if wide {
        header += &format!("{:>10}{:>10}", "min", "max");
    }
    header += &format!("{:>8}", "share");
    let mut text = vec![
        Line::styled(fit(&title(app), width), app.theme.heading()),
        Line::styled(fit(&header, width), app.theme.faint()),
    ];
    for index in visible(app.cursor, app.table.len(), below(above, 2).height) {
        text.push(row(app, index, width, wide));
    }
    lines(frame, above, text);
    if room > 0 {
        lines(frame, below(area, area.height - room), iterations);
    }
}

fn title(app: &App) -> String {
    let order = match app.shown.1 {
        Order::Time if app.shown.0.is_some() => "own time",
        Order::Time => "order of time",
        Order::Sum => "sum",
        Order::Median => "median",
        Order::Name => "name",
    };
    let filter = match app.shown.2.is_empty() {
        true => String::new(),
        false => format!(", matching \"{}\"", crate::text::escape(&app.shown.2)),
    };
    let count = thousands(app.table.len() as u64);
    match app.shown.0.and_then(|kind| app.session.groups.get(kind)) {
        Some(table) => {
            let sum = app.table.iter().fold(0u64, |sum, row| sum.saturating_add(row.sum));
            let total = nanoseconds(table.total);
            let kind = groups::name(table.kind);
            format!("{count} {kind} by {order}{filter}: {} of {total}", nanoseconds(sum))
        }
        None => format!("{count} events by {order}{filter}"),
    }
}

/// The iterations of the selected row: a curve, and their times in order.
fn iterations(app: &App, width: usize) -> Vec<Line<'static>> {
    let Some(row) = app.table.get(app.cursor) else { return Vec::new() };
    let (times, what): (&[u64], _) = match app.shown.0.and_then(|kind| app.session.groups.get(kind))
    {
        Some(table) => (table.rows.get(row.index).map_or(&[], |row| &row.runs), "run"),
        None => (app.session.events.rows.get(row.index).map_or(&[], |row| &row.times), "time"),
    };
    let heading = format!("{} of {}", count(times.len(), what), row.name);
    let most = times.iter().copied().max().unwrap_or(0);
    let columns = times.len().min(width);
    let curve: String = (0..columns)
        .map(|column| {
            let (first, end) =
                (column * times.len() / columns, (column + 1) * times.len() / columns);
            let most_here = times[first..end.max(first + 1)].iter().copied().max().unwrap_or(0);
            app.theme.level(most_here as f64 / most.max(1) as f64)
        })
        .collect();
    let mut values = String::new();
    for (index, time) in times.iter().enumerate() {
        let value = nanoseconds(*time);
        if values.len() + value.len() + 4 > width {
            values += &format!(" +{}", times.len() - index);
            break;
        }
        values += if index > 0 { "  " } else { "" };
        values += &value;
    }
    vec![
        Line::styled(fit(&heading, width), app.theme.heading()),
        Line::styled(curve, app.theme.bar()),
        Line::from(fit(&values, width)),
    ]
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(number as u64))
}

fn name_width(width: usize) -> usize {
    let others = 9 + 7 + 10 + 10 + 8 + if width >= 90 { 20 + 13 } else { 0 };
    width.saturating_sub(others + 1).clamp(8, 60)
}

fn row(app: &App, index: usize, width: usize, wide: bool) -> Line<'static> {
    let row = &app.table[index];
    let site = row.site.map_or(String::new(), |s| format!("{}:{}", s.chain, s.instruction));
    let table = app.shown.0.and_then(|kind| app.session.groups.get(kind));
    let whole = table.map_or(app.session.events.total, |table| table.total);
    let share = row.own as f64 / whole.max(1) as f64;
    let indent = if row.delegated { "  " } else { "" };
    // Where there is little room the operator matters, not who calls it.
    let name = match row.name.strip_prefix("native_call_") {
        Some(operator) if row.name.len() > name_width(width) => operator,
        _ => &row.name,
    };
    let mut text =
        format!("{} {}", fit(&format!("{indent}{name}"), name_width(width)), fit(&site, 8));
    text += &fit_right(&thousands(row.count as u64), 7);
    text += &fit_right(&nanoseconds(row.spread.median), 10);
    text += &fit_right(&nanoseconds(row.sum), 10);
    if wide {
        text += &fit_right(&nanoseconds(row.spread.low), 10);
        text += &fit_right(&nanoseconds(row.spread.high), 10);
    }
    // Loading is no part of the executions.
    let executed = table.is_some() || row.site.is_some() || row.name == "Method::execute";
    let share = if executed { share } else { 0.0 };
    text += &if executed { format!("{:>6.1} %", share * 100.0) } else { " ".repeat(8) };
    let mut spans = vec![Span::raw(text)];
    if wide {
        let bar = format!(" {}", app.theme.bar_text(share, 12));
        spans.push(Span::styled(bar, app.theme.bar()));
    }
    let line = Line::from(spans);
    if index == app.cursor { line.style(app.theme.selected()) } else { line }
}
