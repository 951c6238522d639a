//! The help, made of the table of keys.

use crate::app::App;
use crate::keys::Part;
use crate::text::fit;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

/// Columns of a column of keys.
const COLUMN: usize = 34;

/// Draws the keys over `area`, in as many columns as there is room for; where
/// there is too little, they are scrolled.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let keys = entries(app);
    let height = usize::from(area.height.saturating_sub(2)).max(1);
    let fitting = (usize::from(area.width.saturating_sub(2)) / COLUMN).clamp(1, 4);
    let columns = keys.len().div_ceil(height).clamp(1, fitting);
    let rows = keys.len().div_ceil(columns);
    let first = app.help.unwrap_or(0).min(rows.saturating_sub(height));
    let shown = rows.min(height);
    let mut text = Vec::new();
    for row in first..first + shown {
        let cells = (0..columns).filter_map(|column| keys.get(column * rows + row));
        text.push(Line::from(cells.flat_map(|cell| line(app, cell)).collect::<Vec<_>>()));
    }
    let title = match rows > height {
        true => format!(
            " keys {}-{} of {rows}: j k scroll, any other key closes ",
            first + 1,
            first + shown
        ),
        false => " keys: any key closes ".to_owned(),
    };
    let width = ((columns * COLUMN + 2) as u16).min(area.width);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - shown as u16 - 2) / 2,
        width,
        height: shown as u16 + 2,
    };
    frame.render_widget(Clear, place);
    let block = Block::default().borders(Borders::ALL).title(title);
    frame.render_widget(Paragraph::new(text).block(block), place);
}

/// A heading, or a key with its command.
enum Cell {
    Heading(&'static str),
    Key(String, &'static str),
    Empty,
}

fn entries(app: &App) -> Vec<Cell> {
    let parts = [
        (Part::Views, "Views"),
        (Part::Move, "Cursor"),
        (Part::Go, "From one to another"),
        (Part::Show, "What is shown"),
        (Part::Else, "Else"),
    ];
    let mut cells = Vec::new();
    for (part, heading) in parts {
        if !cells.is_empty() {
            cells.push(Cell::Empty);
        }
        cells.push(Cell::Heading(heading));
        let own = app.keys.bound().iter().filter(|bound| bound.part == part);
        cells.extend(own.map(|bound| Cell::Key(bound.label.clone(), bound.command)));
    }
    cells
}

fn line(app: &App, cell: &Cell) -> Vec<Span<'static>> {
    match cell {
        Cell::Empty => vec![Span::raw(" ".repeat(COLUMN))],
        Cell::Heading(text) => {
            vec![Span::styled(fit(&format!(" {text}"), COLUMN), app.theme.heading())]
        }
        Cell::Key(label, command) => vec![
            Span::styled(format!(" {} ", fit(label, 6)), app.theme.strong()),
            Span::raw(fit(command, COLUMN - 8)),
        ],
    }
}
