//! The table of events.

use super::{below, lines, nothing, visible};
use crate::app::{App, Order};
use crate::events::EventRows;
use crate::search;
use crate::text::{fit, fit_right, nanoseconds, thousands};
use et_inspector::correlate::Site;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::collections::BTreeMap;

/// A row as it is shown: an event, or all of an operator.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Name.
    pub name: String,
    /// Its instruction, the first of several.
    pub site: Option<Site>,
    /// Whether it is inside of a delegate.
    pub delegated: bool,
    /// How often it was recorded.
    pub count: usize,
    /// Ticks together.
    pub sum: u64,
    /// Of those, its own.
    pub own: u64,
    /// Median, smallest and largest of its times.
    pub spread: (u64, u64, u64),
}

/// Rows in an order, filtered.
pub fn rows(events: &EventRows, order: Order, grouped: bool, filter: &str) -> Vec<Shown> {
    let matching = events
        .rows
        .iter()
        .filter(|row| filter.is_empty() || search::score(filter, &row.name).is_some());
    let each = matching.map(|row| {
        let (low, high) = row.spread();
        Shown {
            name: row.name.clone(),
            site: row.site,
            delegated: row.delegated,
            count: row.count,
            sum: row.sum,
            own: row.own,
            spread: (row.median(), low, high),
        }
    });
    let mut rows: Vec<Shown> = if grouped { by_name(each) } else { each.collect() };
    match order {
        Order::Time => {}
        Order::Sum => rows.sort_by_key(|row| std::cmp::Reverse(row.sum)),
        Order::Median => rows.sort_by_key(|row| std::cmp::Reverse(row.spread.0)),
        Order::Name => rows.sort_by(|a, b| a.name.cmp(&b.name)),
    }
    rows
}

/// All events of a name together, in the order of their first. The number that
/// XNNPACK gives to equal operations is left out.
fn by_name(rows: impl Iterator<Item = Shown>) -> Vec<Shown> {
    let mut groups: Vec<Shown> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let name = match row.name.rsplit_once(" #") {
            Some((name, number)) if number.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
            _ => row.name.clone(),
        };
        match places.get(&name) {
            Some(place) => {
                let group: &mut Shown = &mut groups[*place];
                group.count += row.count;
                group.sum = group.sum.saturating_add(row.sum);
                group.own = group.own.saturating_add(row.own);
                let (median, low, high) = group.spread;
                group.spread =
                    (median.max(row.spread.0), low.min(row.spread.1), high.max(row.spread.2));
            }
            None => {
                places.insert(name.clone(), groups.len());
                groups.push(Shown { name, ..row });
            }
        }
    }
    groups
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
    let order = match app.order {
        Order::Time => "order of time",
        Order::Sum => "sum",
        Order::Median => "median",
        Order::Name => "name",
    };
    let filter = match app.filter.is_empty() {
        true => String::new(),
        false => format!(", matching \"{}\"", crate::text::escape(&app.filter)),
    };
    let kind = if app.grouped { "operators" } else { "events" };
    let count = thousands(app.table.len() as u64);
    let width = usize::from(area.width);
    let title = fit(&format!("{count} {kind} by {order}{filter}"), width);
    let wide = width >= 90;
    let mut header = format!("{} {}", fit("event", name_width(width)), fit("at", 8));
    header += &format!("{:>7}{:>10}{:>10}", "calls", "median", "sum");
    if wide {
        header += &format!("{:>10}{:>10}", "min", "max");
    }
    header += &format!("{:>8}", "share");
    let mut text = vec![
        Line::styled(title, app.theme.heading()),
        Line::styled(fit(&header, width), app.theme.faint()),
    ];
    for index in visible(app.cursor, app.table.len(), below(area, 2).height) {
        text.push(row(app, index, width, wide));
    }
    lines(frame, area, text);
}

fn name_width(width: usize) -> usize {
    let others = 9 + 7 + 10 + 10 + 8 + if width >= 90 { 20 + 13 } else { 0 };
    width.saturating_sub(others + 1).clamp(8, 60)
}

fn row(app: &App, index: usize, width: usize, wide: bool) -> Line<'static> {
    let row = &app.table[index];
    let site = row.site.map_or(String::new(), |s| format!("{}:{}", s.chain, s.instruction));
    let share = row.own as f64 / app.session.events.total.max(1) as f64;
    let indent = if row.delegated && !app.grouped { "  " } else { "" };
    // Where there is little room the operator matters, not who calls it.
    let name = match row.name.strip_prefix("native_call_") {
        Some(operator) if row.name.len() > name_width(width) => operator,
        _ => &row.name,
    };
    let mut text =
        format!("{} {}", fit(&format!("{indent}{name}"), name_width(width)), fit(&site, 8));
    text += &fit_right(&thousands(row.count as u64), 7);
    text += &fit_right(&nanoseconds(row.spread.0), 10);
    text += &fit_right(&nanoseconds(row.sum), 10);
    if wide {
        text += &fit_right(&nanoseconds(row.spread.1), 10);
        text += &fit_right(&nanoseconds(row.spread.2), 10);
    }
    // Loading is no part of the executions.
    let executed = row.site.is_some() || row.name == "Method::execute";
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
