//! The program as foldable text.

use super::{below, lines, nothing};
use crate::app::App;
use crate::events::site_text;
use crate::mouse::Zone;
use crate::session::Row;
use crate::text::{bytes, count, fit, fit_right};
use crate::tree;
use et_inspector::correlate::Site;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let rows = &app.session.instructions;
    let Some(selected) = rows.get(app.step) else {
        let how = "give the .pte as well: `etinspect tui MODEL.pte TRACE.etdp`";
        return nothing(app, frame, area, "No program was given", how);
    };
    let width = usize::from(area.width);
    let details = details(app, selected, width);
    let room = if area.height >= 12 { (details.len() as u16).min(area.height / 3) } else { 0 };
    let above = Rect { height: area.height - room, ..area };
    let mut text = vec![Line::styled(fit(&title(app), width), app.theme.heading())];
    let list = below(above, 1);
    let shown = super::rows_shown(app, app.tree.cursor, app.tree.lines().len(), list.height);
    app.zone(list, Zone::Rows(shown.start));
    for index in shown {
        let line = line(app, app.tree.lines()[index], selected, width);
        let is_selected = index == app.tree.cursor;
        text.push(if is_selected { line.style(app.theme.selected()) } else { line });
    }
    lines(frame, above, text);
    lines(frame, Rect { y: above.y + above.height, height: room, ..area }, details);
}

fn title(app: &App) -> String {
    let session = &app.session;
    let facts = session.facts.as_ref();
    let list = |of: &[String]| of.join(", ");
    let signature = facts.map_or(String::new(), |facts| {
        format!("({}) -> ({})", list(&facts.inputs), list(&facts.outputs))
    });
    let count = count(session.instructions.len(), "instruction");
    let filter = match app.shown_filter() {
        "" => String::new(),
        filter => format!(", matching \"{}\"", crate::text::escape(filter)),
    };
    format!("method {}{signature}: {count}{filter}", session.method)
}

fn line(app: &App, line: tree::Line, selected: &Row, width: usize) -> Line<'static> {
    let session = &app.session;
    match line {
        tree::Line::Chain(chain) => {
            let fold = if app.tree.is_folded(chain) { "▸" } else { "▾" };
            let range = session.chains.get(chain).cloned().unwrap_or_default();
            let ticks = session.chain_ticks.get(chain).copied().unwrap_or(0);
            let time = if ticks > 0 { format!(", {}", app.ticks(ticks)) } else { String::new() };
            let text = format!("{fold} chain {chain}: {}{time}", count(range.len(), "instruction"));
            Line::styled(fit(&text, width), app.theme.strong())
        }
        tree::Line::Instruction(step) => instruction(app, step, selected, width),
        tree::Line::Argument(step, index) => argument(app, step, index, width),
        tree::Line::Source(step) => {
            let source = session.instructions[step].source.as_deref().unwrap_or_default();
            Line::styled(fit(&format!("{:24}{source}", ""), width), app.theme.faint())
        }
    }
}

fn instruction(app: &App, step: usize, selected: &Row, width: usize) -> Line<'static> {
    let session = &app.session;
    let row = &session.instructions[step];
    let (mark, style): (_, Style) = match () {
        () if Some(row.site) == session.in_flight() => ("!", app.theme.alarm()),
        () if selected.producers.contains(&row.site) => ("↑", app.theme.strong()),
        () if selected.consumers.contains(&row.site) => ("↓", app.theme.strong()),
        () if app.marks.contains(&row.site) => ("◆", app.theme.strong()),
        () => (" ", app.theme.plain()),
    };
    let fold = if app.tree.is_open(step) { "▾" } else { "▸" };
    let time = session.events.time_of(row.site).map_or(String::new(), |ticks| app.ticks(ticks));
    let head = format!("{fold}{} {} ", fit_right(&site_text(row.site), 8), fit_right(&time, 8));
    let outputs: Vec<&str> =
        row.arguments.iter().filter(|a| a.output).map(|a| a.text.as_str()).collect();
    let (used, name) = (3 + crate::text::width(&head), row.name.as_str());
    let room = width.saturating_sub(used);
    let gives = match (app.tree.is_open(step), outputs.is_empty()) {
        (false, false) => format!(" -> {}", outputs.join(", ")),
        _ => String::new(),
    };
    let name = fit(name, crate::text::width(name).min(room));
    let rest = room.saturating_sub(crate::text::width(&name));
    Line::from(vec![
        Span::styled(format!(" {mark} "), style),
        Span::styled(head, app.theme.faint()),
        Span::styled(name, style),
        Span::raw(fit(&gives, rest)),
    ])
}

fn argument(app: &App, step: usize, index: usize, width: usize) -> Line<'static> {
    let session = &app.session;
    let Some(argument) = session.instructions[step].arguments.get(index) else {
        return Line::default();
    };
    let size = session.tensors.of_value(argument.value).and_then(|tensor| tensor.bytes);
    let size = size.map_or(String::new(), |size| format!("  {}", bytes(size)));
    let other = match argument.output {
        true => match session.uses(step, argument)[..] {
            [] => "  to the caller, or nothing".to_owned(),
            [site] => format!("  to {}", site_text(site)),
            [site, ref more @ ..] => format!("  to {} and {} more", site_text(site), more.len()),
        },
        false => match session.definition(step, argument) {
            Some(site) if session.step(site) >= Some(step) => {
                format!("  a state, which {} writes", site_text(site))
            }
            Some(site) => format!("  from {}", site_text(site)),
            None if session.inputs.contains(&argument.value) => "  an input".to_owned(),
            None if argument.place.is_some() => "  a state, or a view of an input".to_owned(),
            None => "  a constant".to_owned(),
        },
    };
    let kind = if argument.output { "writes" } else { "reads " };
    let text = format!("{:24}{kind} {}{size}{other}", "", argument.text);
    Line::from(fit(&text, width))
}

/// What the selected instruction has to do with others.
fn details(app: &App, row: &Row, width: usize) -> Vec<Line<'static>> {
    let place = format!("{} {}", site_text(row.site), row.name);
    let mut text = vec![Line::styled(fit(&place, width), app.theme.heading())];
    let plain = |text: String| Line::from(fit(&text, width));
    let named = |sites: &[Site]| {
        let name = |site: &Site| {
            let step = app.session.step(*site);
            let name = step.map_or("", |step| app.session.instructions[step].name.as_str());
            format!("{} {name}", site_text(*site))
        };
        let names: Vec<String> = sites.iter().take(4).map(name).collect();
        let more = sites.len().saturating_sub(4);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        names.join(", ") + &more
    };
    let from = match row.producers.is_empty() {
        true => "the caller, or constants".to_owned(),
        false => named(&row.producers),
    };
    text.push(plain(format!("  ↑ from {from}")));
    let to = match row.consumers.is_empty() {
        true => "the caller, or nothing".to_owned(),
        false => named(&row.consumers),
    };
    text.push(plain(format!("  ↓ to   {to}")));
    for argument in &row.arguments {
        let kind = if argument.output { "writes" } else { "reads " };
        text.push(plain(format!("  {kind} {}", argument.text)));
    }
    if let Some(source) = &row.source {
        text.push(Line::styled(fit(&format!("  {source}"), width), app.theme.faint()));
    }
    text
}
