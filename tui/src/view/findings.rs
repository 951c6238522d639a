//! Findings with evidence and remedy.

use super::{lines, nothing, visible};
use crate::app::App;
use crate::text::{escape, fit, wrap};
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
    let list = (findings.len() as u16).min(area.height / 3).max(1);
    let mut text = Vec::new();
    for index in visible(app.cursor, findings.len(), list) {
        let finding = &findings[index];
        let page = finding.code.page();
        let line = format!("{:<8}{} {}", page.severity.name(), page.code, escape(&finding.title));
        let style = app.theme.severity(page.severity);
        let style = if index == app.cursor { style.patch(app.theme.selected()) } else { style };
        text.push(Line::styled(fit(&line, width), style));
    }
    text.push(Line::default());
    if let Some(finding) = findings.get(app.cursor) {
        let paragraph = |text: &mut Vec<Line<'static>>, lead: &str, words: &str| {
            for (index, line) in wrap(&escape(words), width.saturating_sub(12)).iter().enumerate() {
                let lead = if index == 0 { lead } else { "" };
                text.push(Line::from(format!("{} {line}", fit(lead, 11))));
            }
        };
        for line in wrap(&escape(&finding.title), width) {
            text.push(Line::styled(line, app.theme.heading()));
        }
        if let Some((chain, instruction)) = finding.at {
            let operator = escape(finding.operator.as_deref().unwrap_or_default());
            paragraph(&mut text, "at", &format!("{chain}:{instruction} {operator} (Enter)"));
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
