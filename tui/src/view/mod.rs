//! Drawing: tabs above, the view, a status line below.

mod diff;
pub mod events;
mod findings;
mod help;
mod memory;
mod overview;
mod program;
pub mod tensors;
mod timeline;

use crate::app::{App, Prompt, VIEWS, View};
use crate::text::{fit, fit_right, thousands};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Smallest size in which views are drawn.
const SMALLEST: (u16, u16) = (40, 8);

/// Draws everything.
pub fn draw(app: &mut App, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let (width, height) = SMALLEST;
        let text = format!("at least {width}x{height}, please");
        return frame.render_widget(Paragraph::new(text), area);
    }
    let row = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
    frame.render_widget(tabs(app, area.width), row(0, 1));
    let body = row(1, area.height - 2);
    app.width = area.width;
    app.page = usize::from(body.height.saturating_sub(4)).max(1);
    match app.view {
        _ if app.loading.is_some() && app.session.is_empty() => {}
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
    if app.loading.is_some() && app.session.is_empty() {
        let what = "The files are being read";
        nothing(app, frame, body, what, "what is there is shown as soon as it is known");
    }
    if app.help {
        help::draw(app, frame, body);
    }
    if let Some(Prompt::Palette(typed)) = &app.prompt {
        help::palette(app, typed, frame, body);
    }
    frame.render_widget(status(app, area.width), row(area.height - 1, 1));
}

/// A tab's text; short where the screen is narrow.
fn tab(index: usize, view: View, width: u16) -> String {
    // All of them fit into 90 columns, or into 66 and 60 with their beginnings.
    let letters = if width >= 90 { usize::MAX } else { 3 + usize::from(width >= 66) };
    let name = view.name();
    let name = &name[..name.len().min(letters)];
    format!(" {} {name} ", index + 1)
}

/// The tab at a column of a screen.
pub fn tab_at(column: u16, width: u16) -> Option<View> {
    let mut start = 0;
    for (index, view) in VIEWS.into_iter().enumerate() {
        let end = start + tab(index, view, width).len() as u16;
        if (start..end).contains(&column) {
            return Some(view);
        }
        start = end;
    }
    None
}

fn tabs(app: &App, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for (index, view) in VIEWS.into_iter().enumerate() {
        let text = tab(index, view, width);
        used += text.len();
        let own = view == app.view;
        spans.push(Span::styled(text, if own { app.theme.selected() } else { app.theme.faint() }));
    }
    let room = usize::from(width).saturating_sub(used + 1);
    if room > 8 {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(fit_right(&app.session.title, room), app.theme.strong()));
    }
    Line::from(spans)
}

fn status(app: &App, width: u16) -> Line<'static> {
    let width = usize::from(width);
    if let Some(prompt) = &app.prompt {
        let text = match prompt {
            Prompt::Search(typed) => format!("/{typed}"),
            Prompt::Palette(typed) => format!(":{typed}"),
        };
        return Line::from(fit(&crate::text::escape(&text), width));
    }
    if let Some(message) = &app.message {
        return Line::styled(fit(&crate::text::escape(message), width), app.theme.strong());
    }
    if let Some(loading) = &app.loading {
        return Line::styled(fit(&loading.line(), width), app.theme.strong());
    }
    if let Some(sorting) = &app.sorting {
        let count = thousands(sorting.count as u64);
        let line = format!("sorting {count} rows, Esc cancels");
        return Line::styled(fit(&line, width), app.theme.strong());
    }
    if let Some(live) = &app.live {
        let room = if width >= 120 { width * 2 / 3 } else { width };
        let line = live.line(app.session.in_flight().is_some(), room);
        let mut spans = vec![Span::styled(line, app.theme.strong())];
        if width > room {
            let selected = fit(&selected_line(app), width - room - 2);
            spans.push(Span::styled(format!("  {selected}"), app.theme.faint()));
        }
        return Line::from(spans);
    }
    let selected = selected_line(app);
    let keys = "? help  / search  : commands  q quit";
    let room = width.saturating_sub(keys.len() + 2);
    let text = format!("{}  {keys}", fit(&selected, room));
    Line::styled(fit(&text, width), app.theme.faint())
}

/// The selected row in one line, as it is copied.
pub fn selected_line(app: &App) -> String {
    match app.view {
        View::Events => app.table.get(app.cursor).map_or(String::new(), events::line),
        View::Tensors => {
            app.session.tensors.rows.get(app.cursor).map_or(String::new(), tensors::line)
        }
        View::Diff => {
            let diff = app.session.diff.as_ref();
            diff.and_then(|diff| diff.rows.get(app.cursor)).map_or(String::new(), diff::line)
        }
        View::Overview | View::Findings => {
            app.session.findings.get(app.cursor).map_or(String::new(), |finding| {
                let page = finding.code.page();
                format!("{} {}", page.code, crate::text::escape(&finding.title))
            })
        }
        _ => match app.session.instructions.get(app.step) {
            Some(row) => {
                format!("{}:{} {}", row.site.chain, row.site.instruction, row.name)
            }
            None => "nothing is selected".into(),
        },
    }
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

/// Draws lines from the top of an area, those that fit.
pub fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'static>>) {
    let shown: Vec<Line<'static>> = lines.into_iter().take(usize::from(area.height)).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

/// What is said where there is nothing to see.
pub fn nothing(app: &App, frame: &mut Frame<'_>, area: Rect, what: &str, how: &str) {
    let text = vec![
        Line::styled(what.to_owned(), app.theme.strong()),
        Line::styled(how.to_owned(), app.theme.faint()),
    ];
    lines(frame, area, text);
}

/// The area without its first `rows` rows.
pub fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}
