//! Findings with evidence and remedy.

use super::{below, lines, list_title, nothing, rows_shown};
use crate::app::App;
use crate::events::site_text;
use crate::mouse::Zone;
use crate::text::{escape, fit, wrap};
use et_inspector::correlate::Site;
use et_inspector::findings::Finding;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let findings = &app.session.findings;
    if findings.is_empty() {
        let (what, how) = match app.session.diagnosis {
            Some(_) => ("Nothing was found", "a log, a journal or a board may tell more"),
            None => ("No program was given", "findings are made of a program"),
        };
        return nothing(app, frame, area, what, how);
    }
    let width = usize::from(area.width);
    let count = app.len();
    let list = (count as u16).min(area.height / 3).max(1);
    let title = list_title(app, count, "finding");
    let mut text = vec![Line::styled(fit(&title, width), app.theme.heading())];
    let shown = rows_shown(app, app.cursor(), count, list);
    app.zone(Rect { height: list, ..below(area, 1) }, Zone::Rows(shown.start));
    for place in shown {
        let row = app.lists.row(app.view, place, &app.session);
        if let Some(finding) = row.and_then(|row| findings.get(row)) {
            text.push(line(app, finding, place == app.cursor(), width));
        }
    }
    text.push(Line::default());
    if let Some(finding) = app.row().and_then(|row| findings.get(row)) {
        let names = finding.evidence.iter().map(|(name, _)| name.len());
        let room = names.max().unwrap_or(0).clamp(11, 22);
        let paragraph = |text: &mut Vec<Line<'static>>, lead: &str, words: &str| {
            for (index, line) in
                wrap(&escape(words), width.saturating_sub(room + 1)).iter().enumerate()
            {
                let lead = if index == 0 { lead } else { "" };
                text.push(Line::from(format!("{} {line}", fit(lead, room))));
            }
        };
        for line in wrap(&escape(&finding.title), width) {
            text.push(Line::styled(line, app.theme.heading()));
        }
        if let Some((chain, instruction)) = finding.at {
            let operator = escape(finding.operator.as_deref().unwrap_or_default());
            let place = site_text(Site { chain, instruction });
            paragraph(&mut text, "at", &format!("{place} {operator}"));
        }
        for (name, value) in &finding.evidence {
            paragraph(&mut text, &name.replace('_', " "), value);
        }
        paragraph(&mut text, "remedy", &finding.remedy);
        text.push(Line::default());
        paragraph(&mut text, "meaning", finding.code.page().meaning);
    }
    lines(frame, area, text);
}

/// A finding in a list.
pub fn line(app: &App, finding: &Finding, selected: bool, width: usize) -> Line<'static> {
    let page = finding.code.page();
    let line = format!(" {:<8}{} {}", page.severity.name(), page.code, escape(&finding.title));
    let style = app.theme.severity(page.severity);
    let style = if selected { style.patch(app.theme.selected()) } else { style };
    Line::styled(fit(&line, width), style)
}
