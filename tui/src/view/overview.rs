//! The first screen: verdict, what is in flight, memories, time, findings.

use super::lines;
use crate::app::App;
use crate::events::{EventRow, Spread, site_text};
use crate::keys::Action;
use crate::mouse::Zone;
use crate::text::{bytes, count, escape, fit, fit_right, width as width_of, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns from which on memory and time stand side by side.
const WIDE: usize = 116;

/// Rows from which on there is room for blank lines.
const TALL: u16 = 18;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let mut text = Vec::new();
    verdict(app, width, &mut text);
    in_flight(app, width, &mut text);
    program(app, width, &mut text);
    difference(app, width, &mut text);
    text.push(Line::default());
    let half = (width - 2) / 2;
    let is_wide = width >= WIDE && app.session.memory.is_some();
    let column = if is_wide { half } else { width };
    // Findings need some room as well.
    let left = usize::from(area.height).saturating_sub(text.len() + 2);
    let rows = left.saturating_sub(app.len().min(8) + 3).clamp(5, 16);
    let (memory, time) = (memory(app, column), time(app, column, rows));
    match is_wide && !time.is_empty() {
        true => text.extend(side_by_side(memory, time, half)),
        false => {
            let both = !memory.is_empty() && !time.is_empty();
            text.extend(memory);
            text.extend(both.then(Line::default));
            text.extend(time);
        }
    }
    if area.height < TALL {
        text.retain(|line| line.width() > 0);
    }
    findings(app, frame, area, text);
}

/// Two texts beside each other, the left one in `half` columns.
fn side_by_side(
    left: Vec<Line<'static>>,
    right: Vec<Line<'static>>,
    half: usize,
) -> Vec<Line<'static>> {
    let count = left.len().max(right.len());
    let mut left = left.into_iter();
    let mut right = right.into_iter();
    (0..count)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            let blank = (half + 2).saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(blank)));
            line.spans.extend(right.next().map(|r| styled_spans(r)).unwrap_or_default());
            line
        })
        .collect()
}

/// The spans of a line, which take its style along.
fn styled_spans(line: Line<'static>) -> Vec<Span<'static>> {
    let style = line.style;
    line.spans.into_iter().map(|span| span.patch_style(style)).collect()
}

fn heading(app: &App, title: &str) -> Line<'static> {
    Line::styled(title.to_owned(), app.theme.heading())
}

fn verdict(app: &App, width: usize, text: &mut Vec<Line<'static>>) {
    let Some(diagnosis) = &app.session.diagnosis else {
        text.push(heading(app, "No program"));
        let how = "give the .pte beside the trace, to see instructions, memory and findings";
        text.extend(wrap(how, width).into_iter().map(Line::from));
        return;
    };
    let confidence = diagnosis.verdict.confidence.name();
    text.push(heading(app, &format!("Verdict ({confidence})")));
    let sentence = escape(&diagnosis.verdict.sentence);
    for line in wrap(&sentence, width).into_iter().take(4) {
        text.push(Line::styled(line, app.theme.strong()));
    }
}

/// What changed since the base, if there is one.
fn difference(app: &App, width: usize, text: &mut Vec<Line<'static>>) {
    let Some(diff) = &app.session.diff else { return };
    text.push(Line::default());
    text.push(heading(app, "Difference to the base"));
    text.push(Line::from(fit(&format!("  {}", diff.title), width)));
}

/// What the program is, in two lines.
fn program(app: &App, width: usize, text: &mut Vec<Line<'static>>) {
    let Some(facts) = &app.session.facts else { return };
    text.push(Line::default());
    let other = match facts.methods.len() {
        0 | 1 => String::new(),
        many => format!(" (of {many} methods, {} shows another)", app.keys.label(Action::Methods)),
    };
    text.push(heading(app, &fit(&format!("Method {}{other}", app.session.method), width)));
    let list = |of: &[String]| if of.is_empty() { "nothing".into() } else { of.join(", ") };
    let flow = format!("  {} -> {}", list(&facts.inputs), list(&facts.outputs));
    let mut parts = vec![
        count(app.session.instructions.len(), "instruction"),
        count(facts.operators, "operator"),
        format!("constants {}", bytes(facts.constants)),
        format!("file {}", bytes(facts.bytes)),
    ];
    if !facts.backends.is_empty() {
        parts.insert(2, format!("delegates: {}", facts.backends.join(", ")));
    }
    text.push(Line::from(fit(&flow, width)));
    text.extend(joined(&parts, width));
}

/// Parts in as many lines as they need, none of them broken.
fn joined(parts: &[String], width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width_of(line) + width_of(part) + 3 <= width => {
                *line += &format!(", {part}")
            }
            Some(line) => {
                line.push(',');
                lines.push(format!("  {part}"));
            }
            None => lines.push(format!("  {part}")),
        }
    }
    lines.into_iter().map(|line| Line::from(fit(&line, width))).collect()
}

fn in_flight(app: &App, width: usize, text: &mut Vec<Line<'static>>) {
    let Some(own) = app.session.diagnosis.as_ref().and_then(|d| d.in_flight.as_ref()) else {
        return;
    };
    text.push(Line::default());
    let later = if own.or_later { " or a later one" } else { "" };
    let place = format!("In flight: {}:{}{later}", own.chain, own.instruction);
    let mut spans = vec![
        Span::styled(place, app.theme.heading()),
        Span::styled(format!("  {}", escape(&own.operator)), app.theme.strong()),
    ];
    if let Some((ticks, per_second)) = own.since.filter(|(_, per_second)| *per_second > 0) {
        let seconds = ticks as f64 / per_second as f64;
        spans.push(Span::raw(format!("  for {seconds:.3} s")));
    }
    text.push(Line::from(spans));
    for tensor in own.tensors.iter().take(4) {
        let sizes: Vec<String> = tensor.sizes.iter().map(|size| size.to_string()).collect();
        let dtype = tensor.scalar_type.map_or("tensor".into(), |dtype| dtype.to_string());
        let written = if tensor.output == Some(true) { "writes" } else { "takes" };
        let mut line = format!(
            "  {written:<6} {} %{} {dtype}[{}]",
            tensor.name,
            tensor.value,
            sizes.join(",")
        );
        if let Some((memory_id, offset)) = tensor.planned {
            line += &format!(" @{memory_id}+0x{offset:x}");
        }
        text.push(Line::from(fit(&line, width)));
    }
}

fn memory(app: &App, width: usize) -> Vec<Line<'static>> {
    let Some(memory) = &app.session.memory else { return Vec::new() };
    let mut text = vec![heading(app, "Memory")];
    let pools = [
        ("method allocator".to_owned(), memory.method_allocator),
        ("temp allocator".to_owned(), memory.temp),
    ];
    let planned = memory.buffers.iter().map(|b| (format!("planned buffer {}", b.id), b.size));
    let all: Vec<(String, u64)> = pools.into_iter().chain(planned.take(4)).collect();
    let largest = all.iter().map(|(_, size)| *size).max().unwrap_or(1).max(1);
    for (name, size) in all {
        text.push(bar(app, &name, size, largest, width, ""));
    }
    let peak = memory.live.get(memory.peak).copied().unwrap_or(0);
    if let Some(row) = app.session.instructions.get(memory.peak).filter(|_| peak > 0) {
        let at = format!("at {} {}", site_text(row.site), row.name);
        let line =
            format!("  {}{}  {at}", fit("most live at once", 20), fit_right(&bytes(peak), 15));
        text.push(Line::from(fit(&line, width)));
    }
    for (name, used, size) in memory.board.iter().filter(|(_, used, _)| *used > 0) {
        let verdict = if used > size { " does not fit" } else { "" };
        let note = format!("of {}{verdict}", bytes(*size));
        let line = bar(app, &format!("board: {name}"), *used, (*size).max(1), width, &note);
        text.push(if used > size { line.style(app.theme.alarm()) } else { line });
    }
    text
}

/// A name, a number and a bar.
fn bar(app: &App, name: &str, size: u64, whole: u64, width: usize, note: &str) -> Line<'static> {
    let room = width.saturating_sub(22 + 15 + 2 + note.len() + 1).min(48);
    Line::from(vec![
        Span::raw(format!("  {}", fit(name, 20))),
        Span::raw(fit_right(&bytes(size), 15)),
        Span::raw("  "),
        Span::styled(app.theme.bar_text(size as f64 / whole as f64, room), app.theme.bar()),
        Span::raw(format!(" {note}")),
    ])
}

/// What takes most time.
fn time(app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
    let events = &app.session.events;
    if events.rows.is_empty() {
        return Vec::new();
    }
    let runs = events.executions.len();
    let mut title =
        format!("Time: {}, {} together", count(runs, "execution"), app.ticks(events.total));
    if runs > 1 {
        let median = Spread::of(&events.executions).median;
        title += &format!(", median {}", app.clock().text(median));
    }
    let mut text = vec![heading(app, &title)];
    let total = events.total.max(1) as f64;
    let name_of = |row: &EventRow| {
        // As the program has it, where there is one.
        let step = row.site.filter(|_| !row.delegated).and_then(|site| app.session.step(site));
        let named = step.map(|step| app.session.instructions[step].name.clone());
        named.unwrap_or_else(|| row.name.clone())
    };
    for event in events.largest.iter().take(rows) {
        let row = &events.rows[event.row as usize];
        let bar = if width >= 76 { 12 } else { 8 };
        let room = width.saturating_sub(29 + bar).clamp(12, 48);
        let share = event.own as f64 / total;
        let site = row.site.map_or(String::new(), site_text);
        text.push(Line::from(vec![
            Span::raw(format!("  {} {}", fit(&name_of(row), room), fit(&site, 7))),
            Span::raw(fit_right(&app.ticks(event.own), 9)),
            Span::raw(format!(" {:>5.1} % ", share * 100.0)),
            Span::styled(app.theme.bar_text(share, bar), app.theme.bar()),
        ]));
    }
    text
}

/// The findings, below what is said already, and always some of them.
fn findings(app: &App, frame: &mut Frame<'_>, area: Rect, mut text: Vec<Line<'static>>) {
    let width = usize::from(area.width);
    let height = usize::from(area.height);
    let findings = &app.session.findings;
    let count_all = app.len();
    let least = count_all.min(3) + 1;
    text.truncate(height.saturating_sub(least + 1));
    text.push(Line::default());
    let title = match (count_all, app.shown_filter().is_empty()) {
        (0, true) if app.session.diagnosis.is_some() => "Findings: none".to_owned(),
        (0, true) => "Findings: those of a program need the .pte".to_owned(),
        (_, true) => format!("Findings: {count_all}"),
        (_, false) => super::list_title(app, count_all, "finding"),
    };
    text.push(heading(app, &fit(&title, width)));
    let room = height.saturating_sub(text.len()) as u16;
    let shown = super::rows_shown(app, app.cursor(), count_all, room);
    let first = text.len() as u16;
    app.zone(Rect { height: room, ..super::below(area, first) }, Zone::Rows(shown.start));
    for place in shown {
        let row = app.lists.row(app.view, place, &app.session);
        if let Some(finding) = row.and_then(|row| findings.get(row)) {
            text.push(super::findings::line(app, finding, place == app.cursor(), width));
        }
    }
    let savings = app.session.memory.as_ref().map_or(&[][..], |memory| &memory.suggestions);
    if !savings.is_empty() && text.len() + 3 <= height {
        text.push(Line::default());
        text.push(heading(app, "Memory that could be saved"));
        let room = height - text.len();
        text.extend(savings.iter().take(room.min(6)).map(|(saves, title)| {
            let line = format!("  {}  {title}", fit_right(&bytes(*saves), 15));
            Line::from(fit(&line, width))
        }));
    }
    lines(frame, area, text);
}
