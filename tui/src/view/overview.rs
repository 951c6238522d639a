//! The first screen: verdict, what is in flight, memories, time, findings.

use super::lines;
use crate::app::App;
use crate::text::{bytes, escape, fit, fit_right, nanoseconds, thousands, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let mut text = Vec::new();
    verdict(app, width, &mut text);
    in_flight(app, width, &mut text);
    memory(app, width, &mut text);
    time(app, width, &mut text);
    findings(app, width, usize::from(area.height), &mut text);
    lines(frame, area, text);
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

fn memory(app: &App, width: usize, text: &mut Vec<Line<'static>>) {
    let Some(memory) = &app.session.memory else { return };
    text.push(Line::default());
    text.push(heading(app, "Memory"));
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
    for (name, used, size) in memory.board.iter().filter(|(_, used, _)| *used > 0) {
        let verdict = if used > size { " does not fit" } else { "" };
        let note = format!("of {}{verdict}", bytes(*size));
        text.push(bar(app, &format!("board: {name}"), *used, (*size).max(1), width, &note));
    }
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

fn time(app: &App, width: usize, text: &mut Vec<Line<'static>>) {
    let events = &app.session.events;
    if events.rows.is_empty() {
        return;
    }
    text.push(Line::default());
    let runs = if events.runs == 1 { "execution" } else { "executions" };
    let total = nanoseconds(events.total);
    let title = format!("Time: {} {runs}, {total} together", thousands(events.runs as u64));
    text.push(heading(app, &title));
    let mut largest: Vec<_> = events.rows.iter().filter(|row| row.site.is_some()).collect();
    largest.sort_by_key(|row| std::cmp::Reverse(row.own));
    let total = events.total.max(1) as f64;
    for row in largest.into_iter().take(5) {
        let site = row.site.map_or(String::new(), |s| format!("{}:{}", s.chain, s.instruction));
        let room = width.saturating_sub(46).clamp(12, 48);
        let share = row.own as f64 / total;
        text.push(Line::from(vec![
            Span::raw(format!("  {} {}", fit(&row.name, room), fit(&site, 8))),
            Span::raw(fit_right(&nanoseconds(row.own), 9)),
            Span::raw(format!(" {:>5.1} % ", share * 100.0)),
            Span::styled(app.theme.bar_text(share, 12), app.theme.bar()),
        ]));
    }
}

fn findings(app: &App, width: usize, height: usize, text: &mut Vec<Line<'static>>) {
    let findings = &app.session.findings;
    text.push(Line::default());
    text.push(heading(app, &format!("Findings: {}", findings.len())));
    let room = height.saturating_sub(text.len()).max(1);
    for index in super::visible(app.cursor, findings.len(), room as u16) {
        let finding = &findings[index];
        let page = finding.code.page();
        let line = format!("  {:<8}{} {}", page.severity.name(), page.code, escape(&finding.title));
        let style = app.theme.severity(page.severity);
        let style = if index == app.cursor { style.patch(app.theme.selected()) } else { style };
        text.push(Line::styled(fit(&line, width), style));
    }
}
