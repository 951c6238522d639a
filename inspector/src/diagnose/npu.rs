//! Ethos-U: what the program was compiled for, against the board.

use super::Case;
use crate::findings::{Code, Finding};
use et_schema::pte::Delegate;

/// ExecuTorch's name of the backend.
pub(super) const BACKEND: &str = "EthosUBackend";

/// The findings about the program's Ethos-U delegates.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(code) = case.run.and_then(|run| run.npu_error) {
        findings.push(
            Finding::new(
                Code::NpuSilent,
                format!("the Ethos-U driver refused or failed the invocation with {code}"),
                "compare the unit that the program was compiled for with the board's, and check \
                 that the command stream and the scratch memory lie where the unit can read them",
            )
            .with("driver_error", code),
        );
    }
    let Some(target) = case.evidence.target else { return findings };
    for delegate in case.evidence.method.delegates().filter(|d| d.id() == BACKEND) {
        let Some(unit) = accelerator(&delegate) else { continue };
        let wanted = normal(&unit);
        match target.npu.as_deref() {
            Some(npu) if wanted.is_empty() || normal(npu).contains(family(&wanted)) => {}
            npu => findings.push(
                Finding::new(
                    Code::NpuSilent,
                    format!(
                        "the program was compiled for {unit}, {} has {}",
                        target.name,
                        npu.unwrap_or("no such unit")
                    ),
                    format!(
                        "export with EthosUCompileSpec for {}'s unit, or choose another board",
                        target.name
                    ),
                )
                .with("compiled_for", &unit)
                .with("target_npu", npu.unwrap_or("none")),
            ),
        }
    }
    findings
}

/// The accelerator in a delegate's compile specs, such as `ethos-u55-128`.
fn accelerator(delegate: &Delegate<'_>) -> Option<String> {
    delegate.compile_specs().find_map(|spec| {
        let text = String::from_utf8_lossy(spec.value).to_lowercase();
        let at = text.find("ethos-u")?;
        let end = text[at..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        Some(text[at..end.map_or(text.len(), |end| at + end)].to_owned())
    })
}

fn normal(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// `ethosu55` of `ethosu55128`.
fn family(normal: &str) -> &str {
    let digits = normal.find(|c: char| c.is_ascii_digit()).unwrap_or(normal.len());
    normal.get(..digits + 2).unwrap_or(normal)
}
