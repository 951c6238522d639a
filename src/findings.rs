//! Findings as text and as JSON, the same for every command.

use crate::text::{escape, wrap};
use et_inspector::findings::Finding;
use std::fmt::Write;

pub use et_reports::findings::json;

/// The findings for people, with their evidence.
pub fn text_with_evidence(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let page = finding.code.page();
        let lead = format!("{} {}: ", page.severity.name(), page.code);
        wrap(&mut text, &lead, &escape(&finding.title));
        if let Some((chain, instruction)) = finding.at {
            let operator = finding.operator.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  at {chain}:{instruction} {}", escape(operator));
        }
        for (name, value) in &finding.evidence {
            wrap(&mut text, &format!("  {}: ", name.replace('_', " ")), &escape(value));
        }
        wrap(&mut text, "  remedy: ", &escape(&finding.remedy));
    }
    text
}

/// The findings for people.
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let page = finding.code.page();
        let _ = writeln!(
            text,
            "{} {}: {}\n  remedy: {}",
            page.severity.name(),
            page.code,
            escape(&finding.title),
            escape(&finding.remedy)
        );
    }
    text
}
