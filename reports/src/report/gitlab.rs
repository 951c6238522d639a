//! Findings and what got worse as a GitLab code quality report, after the format
//! of Code Climate of which GitLab reads `description`, `check_name`,
//! `fingerprint`, `severity` and `location`.

use super::made::sha256;
use super::sarif::{fingerprint, message};
use super::{Change, Report, words};
use et_inspector::findings::{Finding, Severity};
use serde_json::{Value, json};

/// The document.
pub fn gitlab(report: &Report<'_>) -> String {
    let model = &report.memory.model;
    let findings = report.findings().iter().map(|finding| of_finding(finding, model));
    let worse = report.changes.iter().flat_map(|changes| changes.regressions());
    let all: Vec<Value> = findings.chain(worse.map(|change| of_change(change, model))).collect();
    words::document(&all)
}

fn of_finding(finding: &Finding, model: &str) -> Value {
    let page = finding.code.page();
    let severity = match page.severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "info",
    };
    json!({
        "description": message(finding),
        "check_name": page.code,
        "fingerprint": fingerprint(finding, model),
        "severity": severity,
        "location": location(model),
    })
}

fn of_change(change: &Change, model: &str) -> Value {
    let identity = format!("worse {model} {:?} {}", change.method, change.figure);
    json!({
        "description": format!("Worse than the base: {}", words::change(change)),
        "check_name": "baseline",
        "fingerprint": sha256(identity.as_bytes()),
        "severity": "major",
        "location": location(model),
    })
}

/// A program has no lines; GitLab wants one.
fn location(model: &str) -> Value {
    let path = model.strip_prefix("./").unwrap_or(model);
    json!({ "path": path, "lines": { "begin": 1 } })
}
