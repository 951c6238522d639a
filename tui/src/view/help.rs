//! The help, made of the table of keys, and the list of commands.

use crate::app::App;
use crate::prompt::commands;
use crate::text::fit;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

/// A box in the middle of `area`.
fn boxed(frame: &mut Frame<'_>, area: Rect, title: &str, text: Vec<Line<'static>>, width: u16) {
    let width = width.min(area.width);
    let height = (text.len() as u16 + 2).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    frame.render_widget(Clear, place);
    let block = Block::default().borders(Borders::ALL).title(format!(" {title} "));
    frame.render_widget(Paragraph::new(text).block(block), place);
}

/// Draws the keys over `area`, in as many columns as they need.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    const COLUMN: usize = 33;
    let keys: Vec<(&str, &str)> = app.keys.lines().collect();
    let rows = usize::from(area.height.saturating_sub(2)).max(1);
    let columns = keys.len().div_ceil(rows).max(if area.width > 70 { 2 } else { 1 });
    let rows = keys.len().div_ceil(columns);
    let mut text = Vec::new();
    for row in 0..rows {
        let mut spans = Vec::new();
        for (label, command) in (0..columns).filter_map(|column| keys.get(column * rows + row)) {
            spans.push(Span::styled(format!(" {} ", fit(label, 6)), app.theme.strong()));
            spans.push(Span::raw(fit(command, COLUMN - 8)));
        }
        text.push(Line::from(spans));
    }
    boxed(frame, area, "keys", text, (columns * COLUMN + 2) as u16);
}

/// Draws the commands that match what was typed.
pub fn palette(app: &App, typed: &str, frame: &mut Frame<'_>, area: Rect) {
    let mut text = Vec::new();
    for (place, index) in commands(typed).into_iter().take(12).enumerate() {
        let Some((label, command)) = app.keys.lines().nth(index) else { continue };
        let line = Line::from(vec![
            Span::raw(format!(" {} ", fit(command, 28))),
            Span::styled(fit(label, 6), app.theme.faint()),
        ]);
        text.push(if place == 0 { line.style(app.theme.selected()) } else { line });
    }
    boxed(frame, area, "commands", text, 40);
}
