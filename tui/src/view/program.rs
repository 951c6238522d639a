//! Instructions as text, with the tensors of the selected one.

use super::{lines, nothing, visible};
use crate::app::App;
use crate::session::Row;
use crate::text::{fit, fit_right, nanoseconds};
use et_inspector::correlate::Site;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::collections::BTreeMap;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let rows = &app.session.instructions;
    let Some(selected) = rows.get(app.step) else {
        let how = "give the .pte as well: etinspect tui MODEL.pte TRACE.etdp";
        return nothing(app, frame, area, "No program was given", how);
    };
    let width = usize::from(area.width);
    let details = details(app, selected, width);
    let below = (details.len() as u16).min(area.height / 2);
    let above = Rect { height: area.height - below, ..area };
    let title = format!("method {}: {} instructions", app.session.method, rows.len());
    let mut text = vec![Line::styled(fit(&title, width), app.theme.heading())];
    let times = times(app);
    let in_flight = app.session.in_flight();
    let shown = visible(app.step, rows.len(), above.height.saturating_sub(1));
    for (index, row) in rows.iter().enumerate().take(shown.end).skip(shown.start) {
        let mark = match () {
            () if Some(row.site) == in_flight => '!',
            () if selected.producers.contains(&row.site) => '^',
            () if selected.consumers.contains(&row.site) => 'v',
            () => ' ',
        };
        let place = format!("{}:{}", row.site.chain, row.site.instruction);
        let outputs: Vec<&str> =
            row.arguments.iter().filter(|a| a.output).map(|a| a.text.as_str()).collect();
        let time = times.get(&row.site).map_or(String::new(), |ticks| nanoseconds(*ticks));
        let line = format!(
            "{mark} {} {} {} -> {}",
            fit_right(&place, 7),
            fit_right(&time, 8),
            row.name,
            outputs.join(", ")
        );
        let line = Line::from(fit(&line, width));
        text.push(if index == app.step { line.style(app.theme.selected()) } else { line });
    }
    lines(frame, above, text);
    lines(frame, Rect { y: above.y + above.height, height: below, ..area }, details);
}

/// Time of each instruction's own event, all runs together.
fn times(app: &App) -> BTreeMap<Site, u64> {
    let mut times = BTreeMap::new();
    for row in app.session.events.rows.iter().filter(|row| !row.delegated) {
        if let Some(site) = row.site {
            let entry: &mut u64 = times.entry(site).or_default();
            *entry = (*entry).max(row.sum);
        }
    }
    times
}

fn details(app: &App, row: &Row, width: usize) -> Vec<Line<'static>> {
    let place = format!("{}:{} {}", row.site.chain, row.site.instruction, row.name);
    let mut text = vec![Line::styled(fit(&place, width), app.theme.heading())];
    for argument in &row.arguments {
        let kind = if argument.output { "writes" } else { "reads " };
        text.push(Line::from(fit(&format!("  {kind} {}", argument.text), width)));
    }
    let list = |sites: &[Site]| {
        let names: Vec<String> = sites
            .iter()
            .take(8)
            .map(|site| format!("{}:{}", site.chain, site.instruction))
            .collect();
        if names.is_empty() { "the caller, or a constant".to_owned() } else { names.join(", ") }
    };
    text.push(Line::from(fit(&format!("  ^ from {} (u)", list(&row.producers)), width)));
    if !row.consumers.is_empty() {
        text.push(Line::from(fit(&format!("  v to {} (d)", list(&row.consumers)), width)));
    }
    if let Some(source) = &row.source {
        text.push(Line::styled(fit(&format!("  {source}"), width), app.theme.faint()));
    }
    text
}
