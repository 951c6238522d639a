//! Two traces or two programs, side by side.

use super::{below, lines, nothing, visible};
use crate::app::App;
use crate::diff::{DiffRow, DiffTable, Mark};
use crate::text::{fit, fit_right};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(table) = &app.session.diff else {
        let how = "etinspect tui BASE.etdp NEW.etdp, or BASE.pte NEW.pte";
        return nothing(app, frame, area, "Nothing to compare with was given", how);
    };
    let columns = Columns::new(table, usize::from(area.width));
    let mut text = vec![
        Line::styled(fit(&table.title, columns.width), app.theme.heading()),
        Line::styled(columns.header(table), app.theme.faint()),
    ];
    if table.rows.is_empty() {
        text.push(Line::from("They are the same."));
    }
    for index in visible(app.cursor, table.rows.len(), below(area, 2).height) {
        text.push(columns.row(app, &table.rows[index], index == app.cursor));
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
}

impl Columns {
    fn new(table: &DiffTable, width: usize) -> Self {
        let is_timed = table.rows.iter().any(|row| row.site.is_some() || row.p_value.is_some());
        let has_p = is_timed && width >= 80;
        let others = 12 + 12 + 10 + 10 + if is_timed { 8 } else { 0 } + if has_p { 8 } else { 0 };
        let longest = table.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let name = longest.max(8).min(width.saturating_sub(others)).max(6);
        Columns { width, name, is_timed, has_p }
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
        let at = row.site.map_or(String::new(), |s| format!("{}:{}", s.chain, s.instruction));
        let p = row.p_value.map_or(String::new(), |p| format!("{p:.4}"));
        let text = self.line(&row.name, &at, [&row.base, &row.new, &change(row), &p]);
        let style = match row.mark {
            Mark::More => app.theme.alarm(),
            Mark::Less => app.theme.good(),
            _ => app.theme.plain(),
        };
        let verdict = format!("  {}", verdict(row));
        let line = Line::from(vec![Span::raw(text), Span::styled(verdict, style)]);
        if selected { line.style(app.theme.selected()) } else { line }
    }
}

fn change(row: &DiffRow) -> String {
    row.relative.map_or(String::new(), |share| format!("{:+.1} %", share * 100.0))
}

fn verdict(row: &DiffRow) -> &'static str {
    match (row.mark, row.p_value.is_some()) {
        (Mark::More, true) => "slower",
        (Mark::Less, true) => "faster",
        (Mark::More, false) => "more",
        (Mark::Less, false) => "less",
        (Mark::Gone, _) => "gone",
        (Mark::Added, _) => "new",
        (Mark::Unsure, _) => "few runs",
        (Mark::Same, _) => "same",
    }
}

/// A row in one line, as it is copied.
pub fn line(row: &DiffRow) -> String {
    let text = format!("{}: {} -> {} {}", row.name, row.base, row.new, change(row));
    format!("{} {}", text.trim_end(), verdict(row))
}
