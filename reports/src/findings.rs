//! Findings in JSON documents, the same in each.

use et_inspector::findings::Finding;
use serde_json::{Map, Value, json};

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
