//! Findings as text and as JSON, the same for every command.

use crate::text::escape;
use et_inspector::findings::Finding;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The findings as every document has them.
pub fn json(findings: &[Finding]) -> Value {
    findings.iter().map(finding_json).collect()
}

fn finding_json(finding: &Finding) -> Value {
    let page = finding.code.page();
    let evidence: Map<String, Value> =
        finding.evidence.iter().map(|(name, value)| ((*name).to_owned(), number(value))).collect();
    json!({
        "code": page.code,
        "severity": page.severity.name(),
        "title": finding.title,
        "evidence": evidence,
        "remedy": finding.remedy,
        "chain": finding.at.map(|(chain, _)| chain.0),
        "instruction": finding.at.map(|(_, instruction)| instruction.0),
        "operator": finding.operator,
    })
}

/// Whole numbers stay numbers.
fn number(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |n| json!(n))
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
