//! The table of events.

use super::{below, lines, list_title, nothing, rows_shown};
use crate::app::App;
use crate::columns::Column;
use crate::events::RowRef;
use crate::groups;
use crate::mouse::Zone;
use crate::text::{count, fit, fit_middle, fit_right, thousands, width as width_of};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of a bar, with the space before it.
const BAR: usize = 13;

/// The columns that are shown on a screen of a width.
pub fn columns(app: &App, width: usize) -> Vec<Column> {
    // Groups are of all modules and blocks, and their own time is all that they have.
    let is_grouped = app.wanted.grouping.is_some();
    let modules = app.session.events.has_modules && !is_grouped;
    let bar = if width >= 90 && app.columns.has(Column::Share) { BAR } else { 0 };
    let mut columns = app.columns.fitting(width - bar, modules);
    columns.retain(|column| !is_grouped || !matches!(column, Column::Block | Column::Own));
    columns
}

/// A row in one line, as it is copied.
pub fn line(app: &App, row: &RowRef<'_>) -> String {
    let mut line = row.name.to_owned();
    for more in [row.at().as_str(), row.module] {
        if !more.is_empty() {
            line += &format!(" {more}");
        }
    }
    let calls = count(row.count, "call");
    format!(
        "{line}  {} in {calls}, median {}",
        app.ticks(row.sum),
        app.clock().text(row.spread.median)
    )
}

/// How wide what is.
struct Widths {
    columns: Vec<Column>,
    name: usize,
    bar: usize,
    /// Whether names are without `native_call_`, which all kernels begin with.
    is_short: bool,
    /// The largest share of all rows.
    most: f64,
}

impl Widths {
    fn new(app: &App, width: usize) -> Self {
        let columns = columns(app, width);
        let used: usize = columns.iter().map(|column| column.width()).sum();
        let room = width.saturating_sub(used);
        let has_bar = width >= 90 && columns.contains(&Column::Share);
        let bar = if has_bar { BAR } else { 0 };
        let longest = match app.groups() {
            Some(table) => table.longest,
            None => app.session.events.longest + 2,
        };
        let name = room.saturating_sub(bar).min(longest.max(24));
        // What is left over makes the bar longer.
        let bar = if bar > 0 { (room - name).min(40) } else { 0 };
        let events = &app.session.events;
        let most = match app.groups() {
            Some(table) => table.rows.first().map(|row| row.shown().share(table.total)),
            None => Some(events.most as f64 / events.total.max(1) as f64),
        };
        let most = most.filter(|most| *most > 0.0).unwrap_or(1.0).max(f64::MIN_POSITIVE);
        Widths { columns, name, bar, is_short: longest > name, most }
    }

    fn of(&self, column: Column) -> usize {
        if column == Column::Event { self.name } else { column.width() }
    }
}

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if app.session.events.rows.is_empty() {
        let how = "`etinspect run MODEL.pte --etdump TRACE.etdp` writes one; then \
                   `etinspect tui MODEL.pte TRACE.etdp`";
        return nothing(app, frame, area, "No trace was given", how);
    }
    let width = usize::from(area.width);
    let widths = Widths::new(app, width);
    let iterations = iterations(app, width);
    let room = if area.height >= 14 { iterations.len() as u16 } else { 0 };
    let above = Rect { height: area.height - room, ..area };
    let rows = below(above, 2);
    let mut text =
        vec![Line::styled(fit(&title(app), width), app.theme.heading()), head(app, &widths, area)];
    let shown = rows_shown(app, app.cursor(), app.table.len(), rows.height);
    app.zone(rows, Zone::Rows(shown.start));
    for index in shown {
        if let Some(row) = app.event(index) {
            text.push(self::row(app, &row, index == app.cursor(), &widths));
        }
    }
    if app.table.is_empty() {
        text.push(Line::styled("  nothing matches", app.theme.faint()));
    }
    lines(frame, above, text);
    if room > 0 {
        lines(frame, below(area, area.height - room), iterations);
    }
}

fn title(app: &App) -> String {
    let order = match app.shown.order.column {
        None if app.shown.grouping.is_some() => "the most first".to_owned(),
        None => "in the order of the trace".to_owned(),
        Some(column) => format!("by {}", column.name()),
    };
    match app.groups() {
        Some(table) => {
            let kind = groups::name(table.kind);
            let kind = kind.strip_suffix('s').unwrap_or(kind);
            let list = list_title(app, app.table.len(), kind);
            format!("{list}, {order}: {} of {}", app.ticks(app.table_sum), app.ticks(table.total))
        }
        None => {
            let what = list_title(app, app.table.len(), "event");
            let from =
                if app.session.is_replayed { ", as far as the journal has them" } else { "" };
            format!("{what}, {order}{from}")
        }
    }
}

/// The names of the columns, with a mark at the one that is sorted by.
fn head(app: &App, widths: &Widths, area: Rect) -> Line<'static> {
    let order = app.wanted.order;
    let mut spans = Vec::new();
    let mut x = area.x;
    for column in &widths.columns {
        let is_sorted = order.column == Some(*column);
        let name = match (is_sorted, order.ascending) {
            (false, _) => column.name().to_owned(),
            (true, true) => format!("{}▲", column.name()),
            (true, false) => format!("{}▼", column.name()),
        };
        let width = widths.of(*column);
        let cell = match column {
            Column::Event => fit(&name, width),
            column if column.is_text() => format!(" {}", fit(&name, width - 1)),
            _ => fit_right(&name, width),
        };
        let style = if is_sorted { app.theme.strong() } else { app.theme.faint() };
        spans.push(Span::styled(cell, style));
        let place = Rect { x, y: area.y + 1, width: width as u16, height: 1 };
        app.zone(place.intersection(area), Zone::Head(*column));
        x += width as u16;
    }
    Line::from(spans)
}

fn row(app: &App, row: &RowRef<'_>, selected: bool, widths: &Widths) -> Line<'static> {
    let whole = app.groups().map_or(app.session.events.total, |table| table.total);
    let share = row.share(whole);
    let mut text = String::new();
    for column in &widths.columns {
        let width = widths.of(*column);
        let cell = cell(app, row, *column, share, widths);
        text += &match column {
            Column::Event => fit_middle(&cell, width),
            column if column.is_text() => format!(" {}", fit_middle(&cell, width - 1)),
            _ => fit_right(&cell, width),
        };
    }
    let is_marked = row.site.is_some_and(|site| app.marks.contains(&site));
    let style = if is_marked { app.theme.strong() } else { app.theme.plain() };
    let style = if selected { style.patch(app.theme.selected()) } else { style };
    let mut spans = vec![Span::styled(text, style)];
    if widths.bar > 0 {
        // A whole bar is the largest share that there is.
        let bar = app.theme.bar_text(share / widths.most, widths.bar - 1);
        spans.push(Span::styled(format!(" {bar}"), app.theme.bar()));
    }
    Line::from(spans)
}

fn cell(app: &App, row: &RowRef<'_>, column: Column, share: f64, widths: &Widths) -> String {
    let time = |ticks: f64| app.clock().text(ticks);
    match column {
        Column::Event => {
            // Where there is little room the operator matters, not who calls it.
            let short = row.name.strip_prefix("native_call_").filter(|_| widths.is_short);
            let mark =
                if row.site.is_some_and(|site| app.marks.contains(&site)) { "◆" } else { "" };
            let indent = if row.delegated { "  " } else { "" };
            format!("{mark}{indent}{}", short.unwrap_or(row.name))
        }
        Column::At => row.at(),
        Column::Module => row.module.to_owned(),
        Column::Block => row.block.to_owned(),
        Column::Calls => thousands(row.count as u64),
        Column::Mean => time(row.spread.mean),
        Column::Median => time(row.spread.median),
        Column::P90 => time(row.spread.p90),
        Column::P99 => time(row.spread.p99),
        Column::Min => time(row.spread.min),
        Column::Max => time(row.spread.max),
        Column::Deviation => time(row.spread.deviation),
        Column::Sum => app.ticks(row.sum),
        Column::Own => app.ticks(row.own),
        // Loading is no part of the executions.
        Column::Share if !row.executed => String::new(),
        Column::Share => format!("{:.1} %", share * 100.0),
    }
}

/// The iterations of the selected row: a curve, and their times in order.
fn iterations(app: &App, width: usize) -> Vec<Line<'static>> {
    let Some(row) = app.event(app.cursor()) else { return Vec::new() };
    let what = if app.groups().is_some() { "run" } else { "iteration" };
    let times = row.times;
    let most = times.iter().copied().max().unwrap_or(0);
    let least = times.iter().copied().min().unwrap_or(0);
    let range = match least == most {
        true => format!("  {}", app.ticks(most)),
        false => format!("  {} to {}", app.ticks(least), app.ticks(most)),
    };
    let name = format!("{} of {}", count(times.len(), what), row.name);
    let name = fit(&name, width_of(&name).min(width.saturating_sub(range.len())));
    if times.len() < 2 {
        return vec![Line::from(vec![
            Span::styled(name, app.theme.heading()),
            Span::styled(range, app.theme.faint()),
        ])];
    }
    let columns = times.len().min(width);
    let curve: String = (0..columns)
        .map(|column| {
            let first = column * times.len() / columns;
            let end = ((column + 1) * times.len() / columns).max(first + 1);
            let most_here = times[first..end].iter().copied().max().unwrap_or(0);
            app.theme.level(most_here as f64 / most.max(1) as f64)
        })
        .collect();
    let mut values = String::new();
    for (index, time) in times.iter().enumerate() {
        let value = app.ticks(*time);
        if width_of(&values) + width_of(&value) + 10 > width {
            values += &format!("  +{}", thousands((times.len() - index) as u64));
            break;
        }
        values += if index > 0 { "  " } else { "" };
        values += &value;
    }
    vec![
        Line::from(vec![
            Span::styled(name, app.theme.heading()),
            Span::styled(range, app.theme.faint()),
        ]),
        Line::styled(curve, app.theme.bar()),
        Line::from(fit(&values, width)),
    ]
}
