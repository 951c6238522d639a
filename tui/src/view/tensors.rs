//! Tensors: a list of all, and what the selected one is like.

use super::{below, lines, list_title, nothing, rows_shown};
use crate::app::App;
use crate::digest::Digest;
use crate::mouse::Zone;
use crate::tensors::TensorRow;
use crate::text::{bytes, fit, fit_right, thousands, wrap};
use et_inspector::correlate::Site;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns from which on the list stands beside the tensor, and its own.
const WIDE: usize = 150;
const LIST: u16 = 84;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let rows = &app.session.tensors.rows;
    if rows.is_empty() {
        let how = "give the .pte, or a trace with `--debug-buffer FILE`";
        return nothing(app, frame, area, "No tensors are known", how);
    }
    let width = usize::from(area.width);
    let head_width = if width >= WIDE { usize::from(LIST) } else { width };
    let count = app.len();
    let title = format!("{} of method {}", list_title(app, count, "tensor"), app.session.method);
    let mut text = vec![Line::styled(fit(&title, head_width), app.theme.heading())];
    let head = list_cells(head_width, ["", "value", "shape", "size", "place", "name"]);
    text.push(Line::styled(fit(&head, head_width), app.theme.faint()));
    let is_wide = width >= WIDE;
    let above = match is_wide {
        true => Rect { width: LIST, ..area },
        false => Rect { height: (area.height / 3).max(5), ..area },
    };
    let selected = app.row().and_then(|row| rows.get(row));
    // Where no elements are known, what is said of a tensor is short: the list has the rest.
    let details = |rest: Rect| -> Vec<Line<'static>> {
        let (width, height) = (usize::from(rest.width), usize::from(rest.height));
        selected.map_or(Vec::new(), |row| details(app, row, width, height))
    };
    let above = match () {
        () if is_wide || app.session.tensors.has_elements => above,
        () => {
            let said = details(below(area, above.height)).len() as u16 + 1;
            Rect { height: area.height.saturating_sub(said).max(above.height), ..area }
        }
    };
    let list_width = usize::from(above.width);
    let shown = rows_shown(app, app.cursor(), count, above.height - 2);
    app.zone(below(above, 2), Zone::Rows(shown.start));
    for place in shown {
        let row = app.lists.row(app.view, place, &app.session);
        let Some(row) = row.and_then(|row| rows.get(row)) else { continue };
        let line = Line::from(fit(&list_line(row, list_width), list_width));
        text.push(if place == app.cursor() { line.style(app.theme.selected()) } else { line });
    }
    // A short list leaves its room to what is below.
    let used = (text.len() as u16).min(above.height);
    lines(frame, above, text);
    let rest = match is_wide {
        true => Rect { x: area.x + LIST + 2, width: area.width - LIST - 2, ..area },
        false => Rect { y: area.y + used, height: area.height - used, ..area },
    };
    lines(frame, rest, details(rest));
}

/// A line of the list.
fn list_cells(width: usize, cells: [&str; 6]) -> String {
    let [mark, label, shape, size, place, name] = cells;
    let shape_room = match width {
        0..80 => 17,
        80..140 => 26,
        _ => 34,
    };
    let is_narrow = width < 70;
    let mut text = format!(
        "{} {} {} {} {}",
        fit(mark, 1),
        fit(label, 7),
        fit(shape, shape_room),
        fit_right(size, if is_narrow { 11 } else { 12 }),
        fit(place, if is_narrow { 20 } else { 22 }),
    );
    if !is_narrow {
        text = format!("{text} {name}");
    }
    text.trim_end().to_owned()
}

fn list_line(row: &TensorRow, width: usize) -> String {
    let mark = if row.data.iter().any(|data| data.place.is_ok()) { "*" } else { "" };
    let size = row.bytes.map_or("? B".into(), bytes);
    // The label of what a delegate logged has its own name in it.
    let name = if row.value.is_none() { &row.label } else { &row.name };
    list_cells(width, [mark, &row.label, &row.shape(), &size, &row.place, name])
}

/// A tensor in one line, as it is copied.
pub fn line(row: &TensorRow) -> String {
    let size = row.bytes.map_or("? B".into(), bytes);
    let text = format!("{} {} {size}, {} {}", row.label, row.shape(), row.place, row.name);
    text.trim_end().to_owned()
}

fn details(app: &App, row: &TensorRow, width: usize, height: usize) -> Vec<Line<'static>> {
    let plain = |text: String| Line::from(fit(&text, width));
    let mut text = vec![Line::styled(fit(&line(row), width), app.theme.heading())];
    text.push(plain(format!(
        "  ↑ from {}; ↓ to {}",
        sites(app, &row.producers, "the caller, or the file"),
        sites(app, &row.consumers, "the caller, or nothing")
    )));
    let Some(data) = row.data.get(app.sample.min(row.data.len().saturating_sub(1))) else {
        text.extend(
            wrap(without(app, row), width.saturating_sub(2))
                .into_iter()
                .map(|line| Line::styled(format!("  {line}"), app.theme.strong())),
        );
        return text;
    };
    let which = match row.data.len() {
        1 => data.label.clone(),
        count => {
            let number = app.sample.min(count - 1) + 1;
            format!("{} ({number} of {count}, h l show the others)", data.label)
        }
    };
    match app.digest() {
        Some(Ok(digest)) => {
            let tall = if height >= 20 { 5 } else { 1 };
            text.extend(statistics(app, digest, &which, width, tall));
            let room = height.saturating_sub(text.len());
            text.extend(values(app, digest, width, room.saturating_sub(1).div_ceil(2)));
            let room = height.saturating_sub(text.len());
            text.extend(hex(app, digest, width, room));
        }
        Some(Err(why)) => {
            text.push(Line::styled(fit(&format!("  {which}: {why}"), width), app.theme.strong()));
        }
        None if app.is_looking() => {
            let count = thousands(Digest::elements(data) as u64);
            text.push(plain(format!("  {which}: looking at {count} elements")));
        }
        None => {}
    }
    text
}

fn sites(app: &App, sites: &[Site], none: &str) -> String {
    let name = |site: &Site| {
        let step = app.session.step(*site);
        let name = step.map_or("", |step| app.session.instructions[step].name.as_str());
        format!("{}:{} {name}", site.chain, site.instruction).trim_end().to_owned()
    };
    let mut names: Vec<String> = sites.iter().take(3).map(name).collect();
    if sites.len() > 3 {
        names.push(format!("{} more", sites.len() - 3));
    }
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

/// What to do about elements that are not there.
fn without(app: &App, row: &TensorRow) -> &'static str {
    match () {
        () if row.place == "in a .ptd file" => "Its elements are in a .ptd file, not in the .pte.",
        () if app.session.tensors.logged => "The trace did not log this tensor.",
        () => {
            "No values: `etinspect run MODEL.pte --etdump T.etdp --debug-buffer D.bin` logs them, \
             `etinspect tui MODEL.pte T.etdp --debug-buffer D.bin` shows them."
        }
    }
}

fn statistics(
    app: &App,
    digest: &Digest,
    which: &str,
    width: usize,
    rows: usize,
) -> Vec<Line<'static>> {
    let plain = |text: String| Line::from(fit(&text, width));
    let count = match digest.count == digest.seen {
        true => format!("{} elements", thousands(digest.count)),
        false if digest.seen == 0 => format!("{} elements, no numbers", thousands(digest.count)),
        false => {
            let seen = thousands(digest.seen);
            format!("the first {seen} of {} elements", thousands(digest.count))
        }
    };
    let mut text =
        vec![Line::styled(fit(&format!("{which}: {count}"), width), app.theme.heading())];
    if digest.seen == 0 {
        return text;
    }
    let number = |value: Option<f64>| value.map_or("none".into(), number);
    text.push(plain(format!(
        "  min {}  max {}  mean {}  std {}",
        number(digest.min),
        number(digest.max),
        number(digest.mean),
        number(digest.deviation)
    )));
    let odd = format!("  NaN {}  Inf {}  zeros {}", digest.nan, digest.infinite, digest.zeros);
    // What spoils a result must not look like what does not.
    let style =
        if digest.nan + digest.infinite > 0 { app.theme.alarm() } else { app.theme.plain() };
    text.push(Line::styled(fit(&odd, width), style));
    // Where there is little room, two bins in one column.
    let together = if width >= 80 { 1 } else { 2 };
    let bins: Vec<u64> = digest.histogram.chunks(together).map(|bins| bins.iter().sum()).collect();
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    if bins.is_empty() {
        return text;
    }
    let (min, max) = (format!("  {} ", number(digest.min)), format!(" {}", number(digest.max)));
    for row in 0..rows {
        let levels: String =
            bins.iter().map(|n| app.theme.level_in(*n as f64 / most as f64, row, rows)).collect();
        let (left, right) = match row + 1 == rows {
            true => (min.clone(), max.as_str()),
            false => (" ".repeat(min.len()), ""),
        };
        text.push(Line::from(vec![
            Span::raw(left),
            Span::styled(levels, app.theme.bar()),
            Span::raw(right.to_owned()),
        ]));
    }
    text
}

/// A number as short as it can be, six digits at most.
fn number(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => format!("{value}"),
        0.0 => "0".into(),
        size if !(1e-4..1e7).contains(&size) => format!("{value:.4e}"),
        _ => {
            let digits = (5 - value.abs().log10().floor() as i32).clamp(0, 8) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
    }
}

fn values(app: &App, digest: &Digest, width: usize, room: usize) -> Vec<Line<'static>> {
    if digest.values.is_empty() || room < 2 {
        return Vec::new();
    }
    let columns = (width.saturating_sub(8) / 12).max(1);
    let mut text = vec![Line::styled("values", app.theme.heading())];
    for (index, row) in digest.values.chunks(columns).enumerate().take(room - 1) {
        let cells: String = row.iter().map(|value| fit_right(&number(*value), 12)).collect();
        text.push(Line::from(fit(&format!("{:>6}  {cells}", index * columns), width)));
    }
    text
}

fn hex(app: &App, digest: &Digest, width: usize, room: usize) -> Vec<Line<'static>> {
    if digest.bytes.is_empty() || room < 2 {
        return Vec::new();
    }
    let columns = if width >= 56 { 16 } else { 8 };
    let mut text = vec![Line::styled("bytes", app.theme.heading())];
    for (index, row) in digest.bytes.chunks(columns).enumerate().take(room - 1) {
        let cells: String = row.iter().map(|byte| format!(" {byte:02x}")).collect();
        text.push(Line::from(fit(&format!("{:>6x} {cells}", index * columns), width)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (123456.0, "123456"),
            (1.0 / 3.0, "0.333333"),
            (1e-9, "1.0000e-9"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
