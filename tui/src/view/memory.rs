//! Planned memory: what lies where over instructions, with a cursor.

use super::{lines, nothing};
use crate::app::App;
use crate::session::{Buffer, Memory};
use crate::text::{bytes, fit, fit_right};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(memory) = app.session.memory.as_ref().filter(|memory| !memory.live.is_empty()) else {
        let how = "give the .pte: etinspect tui MODEL.pte";
        return nothing(app, frame, area, "No program with instructions was given", how);
    };
    let width = usize::from(area.width);
    let mut text = vec![title(app, memory, width)];
    let map_height = usize::from(area.height).saturating_sub(3) * 3 / 5;
    let columns = Columns::new(memory, width.saturating_sub(12));
    curve(app, memory, &columns, &mut text);
    let buffers: Vec<&Buffer> = memory.buffers.iter().filter(|buffer| buffer.size > 0).collect();
    let total: u64 = buffers.iter().map(|buffer| buffer.size).sum();
    for buffer in &buffers {
        let share = buffer.size as f64 / total.max(1) as f64;
        let rows = ((map_height as f64 * share) as usize).max(2);
        arena(app, memory, buffer, &columns, rows, &mut text);
    }
    live(app, memory, width, &mut text);
    lines(frame, area, text);
}

fn title(app: &App, memory: &Memory, width: usize) -> Line<'static> {
    let now = memory.live.get(app.step).copied().unwrap_or(0);
    let peak = memory.live.get(memory.peak).copied().unwrap_or(0);
    let at = app.session.instructions.get(app.step).map_or(String::new(), |row| {
        format!("{}:{} {}", row.site.chain, row.site.instruction, row.name)
    });
    let text = format!("{} live at {at}; peak {} (P)", bytes(now), bytes(peak));
    Line::styled(fit(&text, width), app.theme.heading())
}

/// Which instructions the columns of the map stand for.
struct Columns {
    count: usize,
    steps: usize,
    /// Instructions that share a column.
    per_column: usize,
    /// Columns that one instruction has, if there is room for all.
    per_step: usize,
}

impl Columns {
    fn new(memory: &Memory, width: usize) -> Self {
        let (steps, width) = (memory.live.len(), width.max(1));
        let per_step = (width / steps.max(1)).clamp(1, 8);
        let per_column = steps.div_ceil(width).max(1);
        let count = if per_column > 1 { steps.div_ceil(per_column) } else { steps * per_step };
        Columns { count: count.min(width), steps, per_column, per_step }
    }

    /// First and last instruction of a column.
    fn steps(&self, column: usize) -> (usize, usize) {
        let first = column / self.per_step * self.per_column;
        (first, (first + self.per_column - 1).min(self.steps.saturating_sub(1)))
    }

    /// Whether a column stands for an instruction.
    fn shows(&self, column: usize, step: usize) -> bool {
        let (first, last) = self.steps(column);
        (first..=last).contains(&step)
    }
}

/// Live bytes over instructions.
fn curve(app: &App, memory: &Memory, columns: &Columns, text: &mut Vec<Line<'static>>) {
    let most = memory.live.iter().copied().max().unwrap_or(0).max(1);
    const LEVELS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    const ASCII: [&str; 9] = [" ", ".", ".", ":", ":", "|", "|", "#", "#"];
    let levels = if app.theme.unicode { LEVELS } else { ASCII };
    let mut spans = vec![Span::styled("live bytes  ", app.theme.faint())];
    for column in 0..columns.count {
        let (first, last) = columns.steps(column);
        let live = memory.live[first..=last].iter().copied().max().unwrap_or(0);
        let level = (live as f64 / most as f64 * 8.0).round() as usize;
        let style = if columns.shows(column, app.step) {
            app.theme.bar().patch(app.theme.selected())
        } else {
            app.theme.bar()
        };
        spans.push(Span::styled(levels[level.min(8)], style));
    }
    text.push(Line::from(spans));
}

/// Offsets from the top to the bottom, instructions from left to right.
fn arena(
    app: &App,
    memory: &Memory,
    buffer: &Buffer,
    columns: &Columns,
    rows: usize,
    text: &mut Vec<Line<'static>>,
) {
    let own: Vec<(usize, &crate::session::Tensor)> = memory
        .tensors
        .iter()
        .enumerate()
        .filter(|(_, tensor)| tensor.buffer == buffer.id && tensor.bytes > 0)
        .collect();
    for row in 0..rows {
        let from = buffer.size as u128 * row as u128 / rows as u128;
        let to = (buffer.size as u128 * (row as u128 + 1) / rows as u128).max(from + 1);
        let label = match row {
            0 => format!("@{} {}", buffer.id, short(buffer.size)),
            1 if buffer.lower_bound < buffer.size => format!("min {}", short(buffer.lower_bound)),
            _ => String::new(),
        };
        let mut spans = vec![Span::styled(format!("{} ", fit(&label, 11)), app.theme.faint())];
        for column in 0..columns.count {
            let (first, last) = columns.steps(column);
            let here = own.iter().find(|(_, tensor)| {
                let (start, end) = (
                    u128::from(tensor.offset),
                    u128::from(tensor.offset) + u128::from(tensor.bytes),
                );
                start < to
                    && end > from
                    && tensor.ranges.iter().any(|(a, b)| *a <= last && *b >= first)
            });
            let cursor = columns.shows(column, app.step);
            let (mark, style) = match here {
                Some((index, _)) => (letter(*index), app.theme.neighbour(*index)),
                None if cursor => ("|", app.theme.faint()),
                None => ("·", app.theme.faint()),
            };
            let mark = if mark == "·" && !app.theme.unicode { "." } else { mark };
            let style = if cursor { style.patch(app.theme.selected()) } else { style };
            spans.push(Span::styled(mark, style));
        }
        text.push(Line::from(spans));
    }
}

/// Tensors are told apart by letters, also without colours.
fn letter(index: usize) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let at = index % LETTERS.len();
    &LETTERS[at..=at]
}

fn short(size: u64) -> String {
    match size {
        0..10_000 => format!("{size} B"),
        10_000..10_485_760 => format!("{} K", size / 1024),
        _ => format!("{} M", size / (1024 * 1024)),
    }
}

/// What is live at the cursor, largest first.
fn live(app: &App, memory: &Memory, width: usize, text: &mut Vec<Line<'static>>) {
    text.push(Line::styled("live here, largest first", app.theme.heading()));
    let mut live: Vec<(usize, &crate::session::Tensor)> =
        memory.tensors.iter().enumerate().filter(|(_, tensor)| tensor.is_live(app.step)).collect();
    live.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.bytes));
    for (index, tensor) in live {
        let place = format!("@{}+0x{:x}", tensor.buffer, tensor.offset);
        let head = format!(
            " {} {} {} ",
            letter(index),
            fit_right(&bytes(tensor.bytes), 13),
            fit(&place, 12)
        );
        let room = width.saturating_sub(head.chars().count());
        text.push(Line::from(vec![
            Span::styled(head, app.theme.neighbour(index)),
            Span::raw(fit(&tensor.label, room)),
        ]));
    }
    if let Some((saves, title)) = memory.suggestions.first() {
        text.push(Line::default());
        let line = format!("saves {}: {title}", bytes(*saves));
        text.push(Line::styled(fit(&line, width), app.theme.faint()));
    }
}
