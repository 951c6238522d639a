//! Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format),
//! for GitHub code scanning and other readers.

use super::Report;
use super::made::sha256;
use crate::memory::words::short_to;
use et_inspector::findings::{Code, Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Characters of a text for people.
const MOST: usize = 2_000;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The document.
pub fn sarif(report: &Report<'_>) -> String {
    let codes: BTreeSet<Code> = report.findings().iter().map(|finding| finding.code).collect();
    let rules: Vec<Code> = codes.into_iter().collect();
    let uri = uri(&report.memory.model);
    let results = report.findings().iter().map(|finding| result(finding, &rules, &uri));
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "etinspect",
                    "version": report.made.version,
                    "rules": rules.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
                },
            },
            "artifacts": [{ "location": { "uri": uri } }],
            "results": results.collect::<Vec<_>>(),
            "columnKind": "unicodeCodePoints",
        }],
    });
    super::words::document(&document)
}

/// The level of a severity (section 3.27.10).
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code) -> Value {
    let page = code.page();
    json!({
        "id": page.code,
        "shortDescription": { "text": page.title },
        "fullDescription": { "text": page.meaning },
        "help": { "text": page.remedy },
        "defaultConfiguration": { "level": level(page.severity) },
    })
}

fn result(finding: &Finding, rules: &[Code], uri: &str) -> Value {
    let page = finding.code.page();
    let evidence: Vec<Value> =
        finding.evidence.iter().map(|(name, value)| json!([name, short_to(value, MOST)])).collect();
    json!({
        "ruleId": page.code,
        "ruleIndex": rules.iter().position(|code| *code == finding.code),
        "level": level(page.severity),
        "message": { "text": message(finding) },
        "locations": [location(finding, uri)],
        "partialFingerprints": { "etinspect/1": fingerprint(finding, uri) },
        "properties": { "evidence": evidence },
    })
}

/// What was found and what to do, for people.
pub(super) fn message(finding: &Finding) -> String {
    let [title, remedy] = [&finding.title, &finding.remedy].map(|text| short_to(text, MOST));
    format!("{title}. Remedy: {remedy}")
}

/// What stays the same of a finding from run to run, although its numbers differ:
/// its code, its place and its names.
pub(super) fn fingerprint(finding: &Finding, uri: &str) -> String {
    let names = finding.evidence.iter().filter(|(name, _)| is_name(name));
    let identity = format!(
        "{} {uri} {:?} {:?}",
        finding.code.page().code,
        finding.at.map(|(chain, at)| (chain.0, at.0)),
        names.collect::<Vec<_>>()
    );
    sha256(identity.as_bytes())
}

/// Whether a piece of evidence names something, rather than counts it.
fn is_name(evidence: &str) -> bool {
    matches!(evidence, "method" | "budget" | "of" | "pool" | "memory" | "value" | "allocator")
}

fn location(finding: &Finding, uri: &str) -> Value {
    let mut location = json!({
        // A program has no lines; GitHub shows no result without one.
        "physicalLocation": {
            "artifactLocation": { "uri": uri, "index": 0 },
            "region": { "startLine": 1 },
        },
    });
    if let Some((chain, instruction)) = finding.at {
        location["logicalLocations"] = json!([{
            "fullyQualifiedName": format!("{chain}:{instruction}"),
            "name": short_to(finding.operator.as_deref().unwrap_or_default(), MOST),
        }]);
    }
    location
}

/// A path as a relative reference (RFC 3986): what is no unreserved character
/// or slash is written in percent.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    if uri.is_empty() { "-".to_owned() } else { uri }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("models/a b.pte"), "models/a%20b.pte");
        assert_eq!(uri("<x>\u{202e}"), "%3Cx%3E%E2%80%AE");
    }
}
