//! Ethos-U: what the program was compiled for, against the board.

use super::Case;
use crate::ethos_u::accelerator;
use crate::findings::{Code, Finding};

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

fn normal(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// `ethosu55` of `ethosu55128`.
fn family(normal: &str) -> &str {
    let digits = normal.find(|c: char| c.is_ascii_digit()).unwrap_or(normal.len());
    normal.get(..digits + 2).unwrap_or(normal)
}
