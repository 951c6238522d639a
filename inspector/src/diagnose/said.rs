//! What the log says before a failure: the runtime logs why before it returns a
//! status, and the caller logs the status.

use crate::findings::{Code, Finding};
use crate::log::{Failure, Run};

/// Characters of a line that a title takes.
const LONGEST: usize = 160;

/// How ExecuTorch's checks begin what they log.
const CHECK: &str = "Check failed (";

/// Lines that tell more than a status, with what to do; and the finding that
/// they make of it, if it is another one.
const KNOWN: &[(&str, Option<Code>, &str)] = &[
    (
        "Program identifier '",
        None,
        "the program and the runtime are of different formats: export it with the release of \
         ExecuTorch that the firmware has, and check that it is a .pte that was copied whole",
    ),
    (
        "has unexpected scalar type",
        None,
        "give the input with the element type that the method expects (`etinspect show` lists \
         them), or export the method for the type that is given",
    ),
    (
        "Invalid block name",
        Some(Code::NpuPayload),
        "export the program again with the release of ExecuTorch that the firmware has: blocks of \
         the payload have other names in releases before May 2025, or its bytes are damaged",
    ),
    (
        CHECK,
        None,
        "the kernel does not take these arguments: compare shapes and element types of the \
         instruction's tensors, and run the same inputs on the host with `etinspect run`",
    ),
];

/// Adds to the findings of failures what was logged before.
pub(super) fn quote(run: &Run, findings: Vec<Finding>) -> Vec<Finding> {
    let told = |finding: Finding| match failure_of(run, &finding) {
        Some(failed) => with_quotes(finding, failed),
        None => finding,
    };
    findings.into_iter().map(told).collect()
}

fn failure_of<'r>(run: &'r Run, finding: &Finding) -> Option<&'r Failure> {
    let general = matches!(finding.code, Code::InstructionFailed | Code::StatusReported);
    let line = finding.evidence.iter().find(|(name, _)| general && *name == "line")?;
    let line: usize = line.1.parse().ok()?;
    run.failures.iter().find(|failed| failed.line == line)
}

fn with_quotes(mut finding: Finding, failed: &Failure) -> Finding {
    let Some(first) = failed.said.first() else { return finding };
    let text = first.text.trim_end_matches([':', ' ', '.']);
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    finding.title = format!("{}, after: {cut}{more}", finding.title);
    for quote in &failed.said {
        finding = finding.with("said", format!("line {}: {}", quote.line, quote.text));
    }
    // A check of a kernel's is about its arguments; others may be about anything.
    let of_kernel = finding.code == Code::InstructionFailed;
    let known = KNOWN.iter().find(|(words, ..)| first.text.contains(words));
    let known = known.filter(|(words, ..)| of_kernel || *words != CHECK);
    if let Some((_, code, remedy)) = known {
        finding.code = code.unwrap_or(finding.code);
        finding.remedy = (*remedy).to_owned();
    }
    finding
}
