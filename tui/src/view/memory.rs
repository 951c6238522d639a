//! Planned memory: what lies where over instructions, with a cursor.

use super::{lines, nothing};
use crate::app::App;
use crate::events::site_text;
use crate::map::{Columns, Map, Shape, bytes_of_row};
use crate::mouse::Zone;
use crate::session::{Buffer, Memory, Tensor};
use crate::text::{bytes, fit, fit_right, short_bytes, width as width_of};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of what is left of the map.
const NAME: usize = 13;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(memory) = app.session.memory.as_ref().filter(|memory| !memory.live.is_empty()) else {
        let how = "a program says what is planned: `etinspect tui MODEL.pte`";
        return nothing(app, frame, area, "No program with instructions was given", how);
    };
    let width = usize::from(area.width);
    let height = usize::from(area.height);
    let mut text = vec![title(app, memory, width)];
    text.extend(limits(app, memory, width, if height >= 18 { 4 } else { 1 }));
    let columns = Columns::new(memory.live.len(), width.saturating_sub(NAME));
    let first = text.len();
    curve(app, memory, &columns, if height >= 30 { 3 } else { 1 }, &mut text);
    // What is live needs some rows, the map has the others: as many at each instruction,
    // or it would jump.
    let list = memory.most + 3;
    let room = height.saturating_sub(text.len());
    let room = room.saturating_sub(list.min(room / 3).max(3));
    let shape = Shape { columns, rows: rows(memory, room) };
    app.map(shape, |shape, map| arenas(app, memory, shape, map, &mut text));
    let zone = Rect {
        x: area.x + NAME as u16,
        y: area.y + first as u16,
        width: columns.width as u16,
        height: (text.len() - first) as u16,
    };
    app.zone(zone.intersection(area), Zone::Steps(columns.steps));
    let room = height.saturating_sub(text.len());
    live(app, memory, width, room, &mut text);
    lines(frame, area, text);
}

fn title(app: &App, memory: &Memory, width: usize) -> Line<'static> {
    let now = memory.live.get(app.step).copied().unwrap_or(0);
    let peak = memory.live.get(memory.peak).copied().unwrap_or(0);
    let place = |step: usize| {
        app.session.instructions.get(step).map_or(String::new(), |row| site_text(row.site))
    };
    let name = app.session.instructions.get(app.step).map_or("", |row| row.name.as_str());
    let peak = match app.step == memory.peak {
        true => "  this is the peak".to_owned(),
        false => format!("  peak {} at {}", bytes(peak), place(memory.peak)),
    };
    let text = format!("{} live at {} {name}", bytes(now), place(app.step));
    let text = fit(&text, width_of(&text).min(width.saturating_sub(peak.len())));
    Line::from(vec![
        Span::styled(text, app.theme.heading()),
        Span::styled(peak, app.theme.strong()),
    ])
}

/// What the board's memories have, and what is taken of them.
fn limits(app: &App, memory: &Memory, width: usize, most: usize) -> Vec<Line<'static>> {
    let mut used: Vec<_> = memory.board.iter().filter(|(_, used, _)| *used > 0).collect();
    // Where there is room for one only, it is the one that is fullest.
    used.sort_by(|a, b| {
        let share = |(_, used, size): &(String, u64, u64)| *used as f64 / (*size).max(1) as f64;
        share(b).total_cmp(&share(a))
    });
    let longest = used.iter().map(|(_, used, size)| bytes(*used).len() + bytes(*size).len() + 4);
    let numbers = longest.max().unwrap_or(0).min(if width < 80 { 26 } else { usize::MAX });
    let line = |(name, used, size): &(String, u64, u64)| {
        let share = *used as f64 / (*size).max(1) as f64;
        // Where there is little room, what a memory has is said in short.
        let short = if width < 80 { short_bytes } else { bytes };
        let verdict = match used.checked_sub(*size).filter(|over| *over > 0) {
            Some(over) => format!("  {} too much", bytes(over)),
            None => format!("  {} left", short(size - used)),
        };
        let style = if used > size { app.theme.alarm() } else { app.theme.plain() };
        let note = format!("{} of {}", bytes(*used), short(*size));
        let note = format!("{} {:>5.1} %{verdict}", fit(&note, numbers), share * 100.0);
        let note = fit(&note, width.saturating_sub(NAME).min(numbers + 34));
        let bar = width.saturating_sub(NAME + width_of(&note)).min(40);
        Line::from(vec![
            Span::styled(fit(name, NAME), app.theme.faint()),
            Span::styled(note, style),
            Span::styled(app.theme.bar_text(share, bar), app.theme.bar()),
        ])
    };
    used.into_iter().take(most).map(line).collect()
}

/// Live bytes over instructions.
fn curve(
    app: &App,
    memory: &Memory,
    columns: &Columns,
    rows: usize,
    text: &mut Vec<Line<'static>>,
) {
    let live = &memory.live;
    let most = live.iter().copied().max().unwrap_or(0).max(1);
    for row in 0..rows {
        let name = match row {
            0 => "live bytes".to_owned(),
            1 => fit_right(&short_bytes(most), NAME - 1),
            _ => String::new(),
        };
        let mut spans = vec![Span::styled(fit(&name, NAME), app.theme.faint())];
        for column in 0..columns.width {
            let (first, last) = columns.steps(column);
            let here = live[first..=last].iter().copied().max().unwrap_or(0);
            let level = app.theme.level_in(here as f64 / most as f64, row, rows);
            let style = match columns.shows(column, app.step) {
                true => app.theme.bar().patch(app.theme.selected()),
                false => app.theme.bar(),
            };
            spans.push(Span::styled(level.to_string(), style));
        }
        text.push(Line::from(spans));
    }
}

/// Rows of the map for each buffer that has bytes, by its index: as its share of all.
fn rows(memory: &Memory, room: usize) -> Vec<(usize, usize)> {
    let buffers = memory.buffers.iter().enumerate().filter(|(_, buffer)| buffer.size > 0);
    let total: u64 = buffers.clone().map(|(_, buffer)| buffer.size).fold(0, u64::saturating_add);
    let rows = |size: u64| ((room as f64 * (size as f64 / total as f64)) as usize).max(2);
    buffers.map(|(index, buffer)| (index, rows(buffer.size))).collect()
}

/// Offsets from the top to the bottom, instructions from left to right.
fn arenas(
    app: &App,
    memory: &Memory,
    shape: &Shape,
    map: Option<&Map>,
    text: &mut Vec<Line<'static>>,
) {
    let mut first = 0;
    for (buffer, rows) in &shape.rows {
        let buffer = &memory.buffers[*buffer];
        for row in 0..*rows {
            let mut spans = vec![Span::styled(label(buffer, row, *rows), app.theme.faint())];
            let cells = map.map_or(&[][..], |map| map.row(first + row));
            for column in 0..shape.columns.width {
                let cursor = shape.columns.shows(column, app.step);
                let (mark, style) = match cells.get(column).copied().flatten() {
                    Some(index) => (letter(index as usize), app.theme.block(index as usize)),
                    None if cursor => ("│", app.theme.faint()),
                    None => ("·", app.theme.faint()),
                };
                let style = if cursor { style.patch(app.theme.selected()) } else { style };
                spans.push(Span::styled(mark, style));
            }
            text.push(Line::from(spans));
        }
        first += rows;
    }
}

/// What is left of a row of a buffer.
fn label(buffer: &Buffer, row: usize, rows: usize) -> String {
    let label = match row {
        0 => format!("@{} {}", buffer.id, short_bytes(buffer.size)),
        1 if buffer.lower_bound < buffer.size => {
            format!("min {}", short_bytes(buffer.lower_bound))
        }
        _ if row.is_multiple_of(4) => {
            let (from, _) = bytes_of_row(buffer, row, rows);
            fit_right(&format!("+0x{from:x}"), NAME - 1)
        }
        _ => String::new(),
    };
    fit(&label, NAME)
}

/// Tensors are told apart by letters, also without colours.
fn letter(index: usize) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let at = index % LETTERS.len();
    &LETTERS[at..=at]
}

/// What is live at the cursor, largest first.
fn live(app: &App, memory: &Memory, width: usize, room: usize, text: &mut Vec<Line<'static>>) {
    let tensors = memory.tensors.iter().enumerate();
    let mut live: Vec<(usize, &Tensor)> =
        tensors.filter(|(_, tensor)| tensor.bytes > 0 && tensor.is_live(app.step)).collect();
    live.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.bytes));
    let title =
        format!("live here: {}, the largest first", crate::text::count(live.len(), "tensor"));
    text.push(Line::styled(fit(&title, width), app.theme.heading()));
    let suggestion = memory.suggestions.first();
    let room = room.saturating_sub(1);
    let shown = if live.len() > room { room.saturating_sub(1) } else { live.len() };
    for (index, tensor) in live.iter().take(shown) {
        let mark = Span::styled(format!(" {} ", letter(*index)), app.theme.block(*index));
        let place = format!("@{}+0x{:x}", tensor.buffer, tensor.offset);
        let life = life(app, tensor);
        let head = format!("{} {} ", fit_right(&bytes(tensor.bytes), 13), fit(&place, 13));
        let room = width.saturating_sub(3 + head.len());
        // Where there is little room, what it is says more than how long it lives.
        let life_room = if room >= 60 { 18 } else { 0 };
        text.push(Line::from(vec![
            mark,
            Span::raw(head),
            Span::raw(fit(&tensor.label, room - life_room)),
            Span::styled(fit(&life, life_room), app.theme.faint()),
        ]));
    }
    if shown < live.len() {
        let more = live.len() - shown;
        let rest: u64 = live[shown..].iter().map(|(_, tensor)| tensor.bytes).sum();
        let line = format!("   and {more} more of {}", bytes(rest));
        text.push(Line::styled(fit(&line, width), app.theme.faint()));
    }
    if let Some((saves, title)) = suggestion.filter(|_| shown + 2 <= room) {
        text.push(Line::default());
        let line = format!("saves {}: {title}", bytes(*saves));
        text.push(Line::styled(fit(&line, width), app.theme.faint()));
    }
}

/// From which instruction to which a tensor lives.
fn life(app: &App, tensor: &Tensor) -> String {
    let (Some((first, _)), Some((_, last))) = (tensor.ranges.first(), tensor.ranges.last()) else {
        return String::new();
    };
    let place = |step: usize| {
        app.session.instructions.get(step).map_or("?".into(), |row| site_text(row.site))
    };
    format!("{} to {}", place(*first), place(*last))
}
