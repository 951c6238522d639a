//! From the start of the board to the loaded method: steps that failed, and
//! runners that went on all the same.

use super::Case;
use super::pools::{null_write, pools, too_small};
use super::same_program::other_program;
use crate::explain::error_code;
use crate::findings::{Code, Finding, missing_backend, missing_operator};
use crate::log::{Failure, Run, Stage};
use crate::memory::operator_name;
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::Instruction;

/// The findings about everything before the execution.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let Some(run) = case.run else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(unaligned(run));
    findings.extend(pools(case, run));
    findings.extend(null_write(case, run));
    findings.extend(too_small(case, run));
    findings.extend(missing(case, run));
    findings.extend(run.failures.iter().filter_map(|f| failure(case, run, f)));
    findings.extend(went_on(run));
    findings.extend(silent(case, run));
    findings.extend(other_program(case, run));
    findings
}

fn missing(case: &Case<'_>, run: &Run) -> Vec<Finding> {
    let method = &case.evidence.method;
    let operators = run.missing_operators.iter().map(|(_, name)| {
        let (mut first, mut count) = (None, 0);
        for (chain, instructions) in method.chains().enumerate() {
            for (index, instruction) in instructions.instructions().enumerate() {
                let place = (ChainId(chain as u32), InstructionId(index as u32));
                if matches!(instruction, Instruction::KernelCall { .. })
                    && operator_name(method, place) == *name
                {
                    first.get_or_insert(place);
                    count += 1;
                }
            }
        }
        match first {
            Some(place) => missing_operator(name, place, count),
            None => Finding::new(
                Code::MissingOperator,
                format!("no kernel for {name} in the firmware"),
                format!("register the kernel of {name} (select it by name in the build)"),
            )
            .with("operator", name),
        }
    });
    let backends = run.missing_backends.iter().map(|id| Finding {
        remedy: format!(
            "link the library of {id} into the firmware as a whole (the linker drops it otherwise, \
             as only its static registration is used), or export without it"
        ),
        ..missing_backend(id)
    });
    operators.chain(backends).collect()
}

/// A status that no more precise finding explains.
fn failure(case: &Case<'_>, run: &Run, failed: &Failure) -> Option<Finding> {
    let error = u32::try_from(failed.code).ok().and_then(ErrorCode::from_code);
    let name = error.map_or_else(|| format!("{:#x}", failed.code), |e| e.to_string());
    let explained = match error {
        Some(ErrorCode::MemoryAllocationFailed) => !run.allocation_failures.is_empty(),
        Some(ErrorCode::OperatorMissing) => !run.missing_operators.is_empty(),
        Some(ErrorCode::NotFound) => !run.missing_backends.is_empty(),
        _ => run.failures.iter().any(|f| f.at.is_some()) && failed.at.is_none(),
    };
    let (what, remedy) = match error {
        Some(error) => {
            let page = error_code(error);
            (page.meaning, page.remedies.first().copied().unwrap_or_default())
        }
        None => ("an error that ExecuTorch's runtime does not have", "look into the runner"),
    };
    if let Some((chain, instruction)) = failed.at {
        let place = (
            ChainId(u32::try_from(chain).unwrap_or(u32::MAX)),
            InstructionId(u32::try_from(instruction).unwrap_or(u32::MAX)),
        );
        let known = operator_name(&case.evidence.method, place);
        let operator = failed.operator.clone().unwrap_or(known);
        let title = format!("instruction {chain}:{instruction} ({operator}) failed with {name}");
        let finding = Finding::new(Code::InstructionFailed, title, remedy).at(place, operator);
        return Some(finding.with("status", &name).with("meaning", what).with("line", failed.line));
    }
    if explained {
        return None;
    }
    let title = match failed.what.as_str() {
        "load" => format!("loading the method failed with {name}"),
        "inputs" => format!("preparing the inputs failed with {name}"),
        "execute" => format!("executing the method failed with {name}"),
        "program" => format!("loading the program failed with {name}"),
        other => format!("{other}: {name}"),
    };
    let finding = Finding::new(Code::StatusReported, title, remedy);
    Some(finding.with("status", &name).with("meaning", what).with("line", failed.line))
}

/// A failed step that the runner did not stop at.
fn went_on(run: &Run) -> Option<Finding> {
    let failed = run.load_failure()?;
    let assert = run.asserts.iter().find(|assert| assert.line > failed.line);
    if run.reached.line <= failed.line && assert.is_none() {
        return None;
    }
    let title = match assert {
        Some(assert) => format!(
            "the runner used the method although loading it had failed, and stopped at the \
             assertion {} in {}()",
            assert.condition, assert.function
        ),
        None => "the runner used the method although loading it had failed".to_owned(),
    };
    Some(
        Finding::new(
            Code::WentOn,
            title,
            "repair the load; what the log says after it is a consequence. In a runner of your \
             own, return when load_method fails",
        )
        .with("failed_line", failed.line)
        .with("status", format!("{:#x}", failed.code))
        .with("last_line", run.last.line),
    )
}

fn unaligned(run: &Run) -> Option<Finding> {
    let (address, align) = match (run.unaligned, run.program_address) {
        (Some(found), _) => found,
        (None, Some(address)) if !address.is_multiple_of(16) => (address, 16),
        _ => return None,
    };
    Some(
        Finding::new(
            Code::ProgramUnaligned,
            format!("the program lies at {address:#x}, which is no multiple of {align}"),
            "declare the program's array with alignas(16), or align its section in the linker script",
        )
        .with("address", format!("{address:#x}"))
        .with("alignment", align),
    )
}

/// A log that just ends before the execution.
fn silent(case: &Case<'_>, run: &Run) -> Option<Finding> {
    let quiet = run.failures.is_empty()
        && run.asserts.is_empty()
        && run.crash.is_empty()
        && run.killed.is_none()
        && run.heap.is_none()
        && run.missing_operators.is_empty()
        && run.missing_backends.is_empty()
        && run.unaligned.is_none()
        && run.stage > Stage::Silent
        && run.stage < Stage::Executing;
    if !quiet || null_write(case, run).is_some() {
        return None;
    }
    Some(
        Finding::new(
            Code::SilentBefore,
            format!("nothing follows after {}; next was {}", run.happened(), run.stage.next()),
            "print the fault registers in the fault handler, and look at what comes next in the \
             runner; check the stack's size and the pools",
        )
        .with("reached", run.stage.name())
        .with("line", run.reached.line)
        .with("text", &run.reached.text),
    )
}
