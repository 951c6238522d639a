//! Findings and what got worse as workflow commands of GitHub Actions: lines on
//! the standard output that become annotations of the run and of the pull request.

use super::{Report, words};
use crate::memory::words::{is_deceptive, short};
use et_inspector::findings::{Finding, Severity};

/// Annotations of a kind that GitHub shows of one step.
const MOST: usize = 10;

/// The lines.
pub fn github(report: &Report<'_>) -> String {
    let mut text = String::new();
    for (severity, command) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "notice")]
    {
        let of_severity = |finding: &&Finding| finding.code.page().severity == severity;
        let mut all: Vec<(String, String)> =
            report.findings().iter().filter(of_severity).map(annotation).collect();
        if severity == Severity::Error {
            let worse = report.changes.iter().flat_map(|changes| changes.regressions());
            all.extend(worse.map(|c| ("worse than the base".to_owned(), words::change(c))));
        }
        let more = all.len().saturating_sub(MOST);
        for (index, (title, message)) in all.iter().take(MOST).enumerate() {
            let rest = if index + 1 == MOST && more > 0 {
                format!(" (and {more} more of this kind, in the report)")
            } else {
                String::new()
            };
            text.push_str(&format!(
                "::{command} file={},title={}::{}\n",
                property(&report.memory.model),
                property(title),
                data(message) + &rest
            ));
        }
    }
    text + "::notice title=etinspect::" + &data(&report.verdict()) + "\n"
}

fn annotation(finding: &Finding) -> (String, String) {
    let page = finding.code.page();
    let at = finding.at.map(|(chain, at)| format!(" at {chain}:{at}")).unwrap_or_default();
    (
        format!("{}: {}", page.code, page.title),
        format!("{}{at}. Remedy: {}", finding.title, finding.remedy),
    )
}

/// The message of a command: what would end its line is written in percent, and
/// what hides or reorders text is spelt out.
fn data(text: &str) -> String {
    let text = short(text);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => safe.push_str("%25"),
            '\r' => safe.push_str("%0D"),
            '\n' => safe.push_str("%0A"),
            c if is_deceptive(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// A property of a command, which commas and colons would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn a_name_begins_no_command_of_its_own() {
        assert_eq!(data("a\n::set-env name=x::y%\r"), "a%0A::set-env name=x::y%25%0D");
        assert_eq!(property("a,b:c\u{202e}\0"), "a%2Cb%3Ac\\u{202e}\\u{0}");
    }
}
