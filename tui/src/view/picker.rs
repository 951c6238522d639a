//! The list to choose from, over the view.

use crate::app::App;
use crate::finder::{Entry, Picker, SEARCH, Target};
use crate::mouse::Zone;
use crate::search;
use crate::text::{escape, fit, fit_right, thousands, width as width_of};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

/// Columns of what an entry is.
const KIND: usize = 12;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(picker) = &app.picker else { return };
    let is_wide = picker.title == SEARCH;
    let width = area.width.min(if is_wide { 110 } else { 52 });
    let most = usize::from(area.height.saturating_sub(4)).max(1);
    // It does not change its size while one types.
    let rows = if is_wide { most.min(20) } else { picker.found.best.len().max(6).min(most) };
    let height = (rows as u16 + 3).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 3,
        width,
        height,
    };
    let inner = usize::from(width.saturating_sub(2));
    let mut text = vec![typed(app, picker, inner)];
    let shown = super::visible(picker.cursor, picker.found.best.len(), rows as u16);
    let list = Rect { x: place.x + 1, y: place.y + 2, width: width - 2, height: rows as u16 };
    app.zone(list.intersection(area), Zone::Entries(shown.start));
    for index in shown {
        let Some(entry) = picker.entry(index) else { continue };
        text.push(line(app, picker, entry, index == picker.cursor, inner));
    }
    if picker.found.best.is_empty() && !picker.is_busy() {
        text.push(Line::styled(" nothing matches", app.theme.faint()));
    }
    frame.render_widget(Clear, place);
    let block = Block::default().borders(Borders::ALL).title(format!(" {} ", picker.title));
    frame.render_widget(Paragraph::new(text).block(block), place);
}

/// What was typed, and how much matches.
fn typed(app: &App, picker: &Picker, width: usize) -> Line<'static> {
    let count = match picker.is_busy() {
        true => "searching".to_owned(),
        false if picker.guesses => "perhaps".to_owned(),
        false => thousands(picker.found.count as u64),
    };
    let room = width.saturating_sub(count.len() + 4);
    let typed = escape(&picker.typed);
    let blank = room.saturating_sub(width_of(&typed));
    Line::from(vec![
        Span::styled("> ", app.theme.heading()),
        Span::raw(if blank > 0 { typed } else { crate::text::fit_end(&typed, room) }),
        Span::styled(" ", app.theme.selected()),
        Span::raw(" ".repeat(blank)),
        Span::styled(count, app.theme.faint()),
    ])
}

fn line(app: &App, picker: &Picker, entry: &Entry, selected: bool, width: usize) -> Line<'static> {
    let note = match &entry.target {
        Target::Act(action) => {
            let bound = app.keys.bound().iter().find(|bound| bound.action == *action);
            bound.map_or(String::new(), |bound| bound.label.clone())
        }
        _ => entry.kind.to_owned(),
    };
    let room = width.saturating_sub(KIND + 2);
    let mut spans = vec![Span::raw(" ")];
    let typed = if picker.guesses { "" } else { &picker.typed };
    spans.extend(marked(app, &fit(&entry.text, room), typed));
    spans.push(Span::styled(fit_right(&note, KIND), app.theme.faint()));
    let line = Line::from(spans);
    if selected { line.style(app.theme.selected()) } else { line }
}

/// The letters that were found stand out.
fn marked(app: &App, text: &str, typed: &str) -> Vec<Span<'static>> {
    let found = search::positions(typed, text);
    let mut spans = Vec::new();
    let (mut plain, mut strong) = (String::new(), String::new());
    for (at, letter) in text.char_indices() {
        let is_found = found.binary_search(&at).is_ok();
        if is_found && !plain.is_empty() {
            spans.push(Span::raw(std::mem::take(&mut plain)));
        }
        if !is_found && !strong.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut strong), app.theme.found()));
        }
        if is_found { strong.push(letter) } else { plain.push(letter) }
    }
    spans.push(Span::raw(plain));
    spans.push(Span::styled(strong, app.theme.found()));
    spans
}
