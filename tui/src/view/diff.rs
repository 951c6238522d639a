//! Two traces or two programs, side by side.

use super::{below, lines, list_title, nothing, rows_shown};
use crate::app::App;
use crate::diff::{DiffRow, DiffTable, Mark};
use crate::events::site_text;
use crate::mouse::Zone;
use crate::text::{fit, fit_right, width as width_of};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(table) = &app.session.diff else {
        let how = "`etinspect tui BASE.etdp NEW.etdp` compares two traces, `etinspect tui \
                   BASE.pte NEW.pte` two programs; the first is the base";
        return nothing(app, frame, area, "Nothing to compare with was given", how);
    };
    let columns = Columns::new(table, usize::from(area.width));
    let count = app.len();
    let title = match app.shown_filter().is_empty() {
        true => table.title.clone(),
        false => list_title(app, count, "row"),
    };
    let mut text = vec![
        Line::styled(fit(&title, columns.width), app.theme.heading()),
        Line::styled(columns.header(table), app.theme.faint()),
    ];
    if table.rows.is_empty() {
        text.push(Line::from("They are the same."));
    }
    let rows = below(area, 2);
    let shown = rows_shown(app, app.cursor(), count, rows.height);
    app.zone(rows, Zone::Rows(shown.start));
    for place in shown {
        let row = app.lists.row(app.view, place, &app.session);
        if let Some(row) = row.and_then(|row| table.rows.get(row)) {
            text.push(columns.row(app, row, place == app.cursor()));
        }
    }
    lines(frame, area, text);
}

/// Which columns there are, and how wide the name's is.
struct Columns {
    width: usize,
    name: usize,
    /// Of times: where the event is, and the probability of its change.
    is_timed: bool,
    has_p: bool,
    /// Columns of a bar for the change.
    bar: usize,
}

impl Columns {
    fn new(table: &DiffTable, width: usize) -> Self {
        let is_timed = table.rows.iter().any(|row| row.site.is_some() || row.p_value.is_some());
        let has_p = is_timed && width >= 80;
        let others = 12 + 12 + 10 + 10 + if is_timed { 8 } else { 0 } + if has_p { 8 } else { 0 };
        let longest = table.rows.iter().map(|row| width_of(&row.name)).max().unwrap_or(0);
        let name = longest.max(8).min(width.saturating_sub(others)).max(6);
        let left = width.saturating_sub(others + name);
        let bar = if left >= 14 { left.min(41) } else { 0 };
        Columns { width, name, is_timed, has_p, bar }
    }

    /// A line of cells, without the verdict.
    fn line(&self, name: &str, at: &str, numbers: [&str; 4]) -> String {
        let [base, new, change, p] = numbers;
        let mut text = fit(name, self.name);
        if self.is_timed {
            text += &format!(" {}", fit(at, 7));
        }
        text += &format!("{}{}", fit_right(base, 12), fit_right(new, 12));
        text += &fit_right(change, 10);
        if self.has_p {
            text += &fit_right(p, 8);
        }
        text
    }

    fn header(&self, table: &DiffTable) -> String {
        let [base, new] = table.columns;
        let text = self.line("name", "at", [base, new, "change", "p"]);
        fit(&format!("{text}  verdict"), self.width)
    }

    fn row(&self, app: &App, row: &DiffRow, selected: bool) -> Line<'static> {
        let at = row.site.map_or(String::new(), site_text);
        let p = row.p_value.map_or(String::new(), |p| format!("{p:.4}"));
        let text = self.line(&row.name, &at, [&row.base, &row.new, &change(row), &p]);
        let style = match row.mark {
            Mark::More => app.theme.alarm(),
            Mark::Less => app.theme.good(),
            _ => app.theme.plain(),
        };
        let verdict = format!("  {}", fit(row.verdict(), 8));
        let mut spans = vec![Span::raw(text), Span::styled(verdict, style)];
        if self.bar > 0 {
            spans.push(Span::styled(self.bar_text(app, row.relative), style));
        }
        let line = Line::from(spans);
        if selected { line.style(app.theme.selected()) } else { line }
    }

    /// A bar to the left of a middle for less, to the right for more; a whole
    /// half is twice as much, or nothing at all.
    fn bar_text(&self, app: &App, relative: Option<f64>) -> String {
        let half = (self.bar - 3) / 2;
        let share = relative.unwrap_or(0.0).clamp(-1.0, 1.0);
        let filled = ((share.abs() * half as f64).round() as usize).min(half);
        let bar = app.theme.bar_text(1.0, filled);
        let blank = " ".repeat(half - filled);
        let (left, right) = match share < 0.0 {
            true => (blank + &bar, " ".repeat(half)),
            false => (" ".repeat(half), bar + &blank),
        };
        format!("  {left}│{right}")
    }
}

fn change(row: &DiffRow) -> String {
    row.relative.map_or(String::new(), |share| match share {
        // Of a number that became so much larger, how many times it is says more.
        10.0.. => format!("{:.0} times", share + 1.0),
        _ => format!("{:+.1} %", share * 100.0),
    })
}

/// A row in one line, as it is copied.
pub fn line(row: &DiffRow) -> String {
    let text = format!("{}: {} -> {} {}", row.name, row.base, row.new, change(row));
    format!("{} {}", text.trim_end(), row.verdict())
}
