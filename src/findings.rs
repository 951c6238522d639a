//! Findings as text and as JSON, the same for every command.

use crate::text::{escape, wrap};
use et_inspector::findings::Finding;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The findings as every document has them.
pub fn json(findings: &[Finding]) -> Value {
    findings.iter().map(finding_json).collect()
}

fn finding_json(finding: &Finding) -> Value {
    let page = finding.code.page();
    let mut evidence = Map::new();
    for (name, value) in &finding.evidence {
        let value = number(value);
        match evidence.get_mut(*name) {
            // What there is more than one of becomes a list.
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = json!([first.take(), value]),
            None => {
                evidence.insert((*name).to_owned(), value);
            }
        }
    }
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
