//! Drawing: tabs above, the view, a status line and hints below.

pub mod diff;
pub mod events;
mod findings;
mod footer;
mod help;
mod memory;
mod overview;
mod picker;
mod program;
pub mod tensors;
mod timeline;

use crate::app::{App, VIEWS, View};
use crate::mouse::Zone;
use crate::text::{ascii, fit_end};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

pub use footer::selected_line;

/// Smallest size in which views are drawn.
const SMALLEST: (u16, u16) = (40, 8);

/// Rows beyond the shown ones that draw them along.
const NEAR: usize = 4;

/// Rows from which on the hints have a line of their own.
const TALL: u16 = 20;

/// Draws everything.
pub fn draw(app: &mut App, frame: &mut Frame<'_>) {
    draw_all(app, frame);
    if !app.theme.unicode {
        level_to_ascii(frame);
    }
}

fn draw_all(app: &mut App, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let (width, height) = SMALLEST;
        let text = format!("at least {width}x{height}, please");
        return frame.render_widget(Paragraph::new(text), area);
    }
    let row = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
    let foot = if area.height >= TALL { 2 } else { 1 };
    frame.render_widget(tabs(app, area), row(0, 1));
    let body = row(1, area.height - 1 - foot);
    app.width = area.width;
    app.page = usize::from(body.height.saturating_sub(4)).max(1);
    match app.view {
        _ if app.loading.is_some() && app.session.is_empty() => {
            let what = "The files are being read";
            nothing(app, frame, body, what, "what is there is shown as soon as it is known");
        }
        View::Overview => overview::draw(app, frame, body),
        View::Events => events::draw(app, frame, body),
        View::Timeline => timeline::draw(app, frame, body),
        View::Memory => memory::draw(app, frame, body),
        View::Program => program::draw(app, frame, body),
        View::Findings => findings::draw(app, frame, body),
        View::Tensors => {
            app.look();
            tensors::draw(app, frame, body);
        }
        View::Diff => diff::draw(app, frame, body),
    }
    if app.help.is_some() {
        help::draw(app, frame, body);
    }
    if app.picker.is_some() {
        picker::draw(app, frame, body);
    }
    let [status, hints] = footer::draw(app, usize::from(area.width), foot == 2);
    for (line, y) in [(status, area.height - foot), (hints, area.height - 1)] {
        if let Some(line) = line {
            frame.render_widget(line, row(y, 1));
        }
    }
}

/// A tab's text; short where the screen is narrow.
fn tab(index: usize, view: View, width: u16) -> String {
    // All of them fit into 90 columns, closer together into 78, and with their
    // beginnings into 66 and 60.
    let letters = if width >= 78 { usize::MAX } else { 3 + usize::from(width >= 66) };
    let name = view.name();
    let name = &name[..name.len().min(letters)];
    let after = if (78..90).contains(&width) { "" } else { " " };
    format!(" {} {name}{after}", index + 1)
}

fn tabs(app: &App, area: Rect) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for (index, view) in VIEWS.into_iter().enumerate() {
        let text = tab(index, view, area.width);
        let place = Rect { x: area.x + used, y: area.y, width: text.len() as u16, height: 1 };
        app.zone(place.intersection(area), Zone::Tab(view));
        used += text.len() as u16;
        let own = view == app.view;
        spans.push(Span::styled(text, if own { app.theme.selected() } else { app.theme.faint() }));
    }
    let room = usize::from(area.width.saturating_sub(used + 1));
    if room > 8 {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(fit_end(&app.session.title, room), app.theme.strong()));
    }
    Line::from(spans)
}

/// The rows from where to where are visible, so that `selected` is among them.
pub fn visible(selected: usize, count: usize, height: u16) -> std::ops::Range<usize> {
    let height = usize::from(height);
    if height == 0 {
        return 0..0;
    }
    let first = selected.saturating_sub(height / 2).min(count.saturating_sub(height));
    first..count.min(first + height)
}

/// The rows of the view that are shown. They stay where they are while `selected` is
/// among them, so that what was clicked on is still there for the second click; what
/// leaves them a little draws them along, what is far away is shown in their middle.
pub fn rows_shown(app: &App, selected: usize, count: usize, height: u16) -> std::ops::Range<usize> {
    let rows = usize::from(height);
    let mut firsts = app.firsts.get();
    let first = &mut firsts[app.view.index()];
    let end = *first + rows;
    *first = match () {
        () if (*first..end).contains(&selected) => *first,
        () if selected < *first && selected + NEAR >= *first => selected,
        () if selected >= end && selected < end + NEAR => (selected + 1).saturating_sub(rows),
        () => visible(selected, count, height).start,
    };
    *first = (*first).min(count.saturating_sub(rows));
    let shown = *first..count.min(*first + rows);
    app.firsts.set(firsts);
    shown
}

/// Draws lines from the top of an area, those that fit.
pub fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'static>>) {
    let shown: Vec<Line<'static>> = lines.into_iter().take(usize::from(area.height)).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

/// What is said where there is nothing to see.
pub fn nothing(app: &App, frame: &mut Frame<'_>, area: Rect, what: &str, how: &str) {
    let mut text = vec![Line::default(), Line::styled(format!("  {what}"), app.theme.strong())];
    let width = usize::from(area.width).saturating_sub(4);
    text.extend(
        crate::text::wrap(how, width)
            .into_iter()
            .map(|line| Line::styled(format!("  {line}"), app.theme.faint())),
    );
    lines(frame, area, text);
}

/// The area without its first `rows` rows.
pub fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// The title of a list: how many, and what a filter leaves of them.
pub fn list_title(app: &App, count: usize, what: &str) -> String {
    let filter = app.shown_filter();
    match filter.is_empty() {
        true => crate::text::count(count, what),
        false => {
            let filter = crate::text::escape(filter);
            format!("{} matching \"{filter}\" (Esc shows all)", crate::text::count(count, what))
        }
    }
}

/// Only ASCII is left on the screen: pictures that have one become it.
fn level_to_ascii(frame: &mut Frame<'_>) {
    let buffer = frame.buffer_mut();
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let Some(cell) = buffer.cell_mut(Position { x, y }) else { continue };
            let symbol = cell.symbol();
            if symbol.is_ascii() {
                continue;
            }
            let wide = symbol.width() > 1;
            let plain = ascii(symbol);
            cell.set_symbol(plain);
            // The second column of a wide character is hidden behind the first.
            if let Some(next) = buffer.cell_mut(Position { x: x + 1, y }).filter(|_| wide) {
                next.set_symbol("?");
            }
        }
    }
}
