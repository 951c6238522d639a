//! The page as Markdown, to paste into an issue.

use super::Report;
use super::text::{argument_name, place, sentence, type_of};
use et_inspector::diagnose::Likelihood;
use std::fmt::Write;

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let mut text = String::new();
    let diagnosis = &report.diagnosis;
    let _ = writeln!(text, "**{}**\n", cell(&sentence(&diagnosis.verdict.sentence)));
    let _ = writeln!(text, "Confidence: {}.", diagnosis.verdict.confidence.name());
    if let Some(hung) = &diagnosis.in_flight {
        let later = if hung.or_later { ", or a later one" } else { "" };
        let _ = writeln!(text, "\nIn flight: `{}`{later}\n", code(&hung.place()));
        text.push_str("| value | argument | type | bytes | where |\n|---|---|---|---:|---|\n");
        for tensor in &hung.tensors {
            let bytes = tensor.bytes.map_or_else(|| "?".into(), |bytes| bytes.to_string());
            let _ = writeln!(
                text,
                "| %{} | {} | {} | {bytes} | {} |",
                tensor.value,
                argument_name(tensor),
                type_of(tensor),
                place(tensor)
            );
        }
    }
    let open: Vec<_> =
        diagnosis.candidates.iter().filter(|c| c.likelihood != Likelihood::RuledOut).collect();
    if !open.is_empty() {
        text.push_str("\n| candidate | likelihood | why | check |\n|---|---|---|---|\n");
        for candidate in open {
            let (cause, why) = (cell(&candidate.cause), cell(&candidate.why));
            let likelihood = candidate.likelihood.name();
            let _ =
                writeln!(text, "| {cause} | {likelihood} | {why} | {} |", cell(&candidate.check));
        }
    }
    for finding in &diagnosis.findings {
        let page = finding.code.page();
        let _ = writeln!(
            text,
            "\n**{} {}**: {}\n",
            page.severity.name(),
            page.code,
            cell(&finding.title)
        );
        for (name, value) in &finding.evidence {
            let _ = writeln!(text, "- {}: {}", name.replace('_', " "), cell(value));
        }
        let _ = writeln!(text, "- remedy: {}", cell(&finding.remedy));
    }
    text
}

/// Text from files, so that it neither ends a cell nor becomes markup.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in crate::text::escape(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '|' | '`' | '*' | '_' | '[' | '\\' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Text from files within backticks.
fn code(text: &str) -> String {
    crate::text::escape(text).replace('`', "'")
}
