//! `ETD010`: operators on the CPU between two calls of the same backend.

use super::{Code, Finding};
use crate::partition::gaps;
use et_schema::pte::Method;

/// Gaps that are listed one by one.
const LISTED: usize = 8;

/// The findings about how `method` was cut into delegates.
pub fn partition_findings(method: &Method<'_>) -> Vec<Finding> {
    let gaps = gaps(method);
    let mut findings: Vec<Finding> = gaps
        .iter()
        .take(LISTED)
        .map(|gap| {
            let count: usize = gap.operators.iter().map(|(_, _, count, _)| count).sum();
            let names: Vec<String> = gap
                .operators
                .iter()
                .map(|(name, _, count, _)| match count {
                    1 => name.clone(),
                    count => format!("{count}x {name}"),
                })
                .collect();
            let reasons: Vec<String> = gap
                .operators
                .iter()
                .map(|(name, _, _, reason)| format!("{name}: {}", reason.text(&gap.backend)))
                .collect();
            let (first, last) = gap.between;
            let operators = if count == 1 { "operator" } else { "operators" };
            let (_, at, _, _) = &gap.operators[0];
            let saved = gap.bytes_in.saturating_add(gap.bytes_out);
            Finding::new(
                Code::PartitionGap,
                format!(
                    "{count} {operators} on the CPU between two calls of {}: {}",
                    gap.backend,
                    names.join(", ")
                ),
                format!(
                    "if these could be delegated as well, the calls at {}:{} and {}:{} would be \
                     one, without {saved} bytes that now cross its border",
                    first.chain, first.instruction, last.chain, last.instruction
                ),
            )
            .with("why", reasons.join("; "))
            .with("bytes_from_delegates", gap.bytes_out)
            .with("bytes_to_delegates", gap.bytes_in)
            .at((at.chain, at.instruction), gap.operators[0].0.clone())
        })
        .collect();
    if gaps.len() > LISTED {
        let rest = &gaps[LISTED..];
        let bytes = rest.iter().map(|gap| gap.bytes_in.saturating_add(gap.bytes_out)).sum::<u64>();
        findings.push(
            Finding::new(
                Code::PartitionGap,
                format!("{} more gaps between delegates", rest.len()),
                "look at the first ones: what joins those often joins these",
            )
            .with("bytes", bytes),
        );
    }
    findings
}
