//! Ethos-U: what the program was compiled for, against the board.

use super::Case;
use super::in_flight::InFlight;
use super::journal::with_state;
use super::pace::elapsed;
use crate::ethos_u::accelerator;
use crate::findings::{Code, Finding};
use crate::log::Run;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::{Instruction, Method};
use etdump::journal::{Event, Life, OpenScope, Snapshot};

/// ExecuTorch's name of the backend.
pub(super) const BACKEND: &str = "EthosUBackend";

/// What the backend returns for an error of the driver.
const INVALID_PROGRAM: u64 = 0x23;

/// The findings about the program's Ethos-U delegates.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(case.run.and_then(|run| refused(case, run)));
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

/// An invocation that the driver failed. The backend returns InvalidProgram for
/// every error of the driver's, which is therefore no finding of its own.
fn refused(case: &Case<'_>, run: &Run) -> Option<Finding> {
    let code = run.npu_error?;
    let said: Vec<&str> = run.npu_said.iter().map(|quote| quote.text.as_str()).collect();
    let other_unit = said.iter().any(|text| text.contains("config mismatch"));
    let method = &case.evidence.method;
    let finding = if other_unit {
        let unit = method.delegates().filter(|d| d.id() == BACKEND).find_map(|d| accelerator(&d));
        let unit = unit.map_or_else(String::new, |unit| format!(" (this one: for {unit})"));
        Finding::new(
            Code::NpuConfiguration,
            format!("the Ethos-U driver refused the command stream: {}", said.join("; ")),
            format!(
                "export with an EthosUCompileSpec for the board's unit{unit}: in these lines, `npu` \
                 is the board's and `optimizer` the program's, as registers hold them (a macs_per_cc of 8 \
                 stands for 256)"
            ),
        )
    } else {
        Finding::new(
            Code::NpuSilent,
            format!("the Ethos-U driver refused or failed the invocation with {code}"),
            "compare the unit that the program was compiled for with the board's, and check \
             that the command stream and the scratch memory lie where the unit can read them",
        )
    };
    let failed = run.failures.iter().find(|failed| failed.what == "delegate");
    let mut finding = finding
        .with("driver_error", code)
        .with_some("status", failed.map(|failed| format!("{:#x}", failed.code)))
        .with_some("line", failed.map(|failed| failed.line));
    for quote in &run.npu_said {
        finding = finding.with("said", format!("line {}: {}", quote.line, quote.text));
    }
    let calls = calls(method, BACKEND);
    let at = failed.and_then(|failed| failed.at).and_then(|(chain, instruction)| {
        Some((ChainId(chain.try_into().ok()?), InstructionId(instruction.try_into().ok()?)))
    });
    Some(match (at.filter(|at| calls.contains(at)), calls.as_slice()) {
        (Some(at), _) | (None, &[at]) => finding.at(at, BACKEND),
        _ => finding,
    })
}

/// Whether a failure is only what the driver's error became.
pub(super) fn explains(run: &Run, finding: &Finding) -> bool {
    let general = matches!(finding.code, Code::InstructionFailed | Code::StatusReported);
    let of_unit = run.failures.iter().filter(|failed| {
        failed.code == INVALID_PROGRAM && matches!(failed.what.as_str(), "delegate" | "execute")
    });
    let lines: Vec<String> = of_unit.map(|failed| failed.line.to_string()).collect();
    let is_of = |(name, value): &(&str, String)| *name == "line" && lines.contains(value);
    run.npu_error.is_some() && general && finding.evidence.iter().any(is_of)
}

/// Mark of the hooks in `etdump/c`: the unit's interrupt came.
const MARK_INTERRUPT: u32 = 0x4555_0003;

/// A unit that was started and whose driver did not come back.
pub(super) fn silent(
    case: &Case<'_>,
    journal: &Snapshot,
    life: &Life,
    open: &OpenScope,
    in_flight: Option<&InFlight>,
) -> Finding {
    let calls = calls(&case.evidence.method, BACKEND);
    let at = in_flight.map(|at| (at.chain, at.instruction));
    let at = at.or(if let [only] = calls.as_slice() { Some(*only) } else { None });
    let place = at.map_or_else(
        || BACKEND.to_owned(),
        |(chain, instruction)| format!("instruction {chain}:{instruction} ({BACKEND})"),
    );
    let since = elapsed(open.ticks, life.last_ticks);
    let after = match u64::from(journal.ticks_per_second) {
        0 => format!("{since} ticks after submission"),
        scale => format!("{:.3} s after submission", since as f64 / scale as f64),
    };
    let records = journal.records.get(life.first..life.end).unwrap_or_default();
    let came = |after: u32| {
        records.iter().any(|record| {
            let mark = matches!(record.event, Some(Event::Mark { number: MARK_INTERRUPT, .. }));
            mark && record.sequence > after
        })
    };
    let interrupt = came(open.sequence);
    let (seen, remedy) = if interrupt {
        (
            "the interrupt came and the driver did not go on",
            "look at what gives and takes the driver's semaphore: the task that waits may have a \
             lower priority than one that never rests, or the semaphore may be another one",
        )
    } else {
        (
            "no interrupt seen",
            "check that the unit's interrupt is enabled and its vector calls ethosu_irq_handler, \
             that the unit has power and clock, and that command stream, scratch memory and weights \
             lie where it may read them",
        )
    };
    let finding =
        Finding::new(Code::NpuSilent, format!("stuck in {place}, {after}, {seen}"), remedy)
            .with("record", open.sequence)
            .with("submitted_ticks", open.ticks)
            .with("ticks_since", since)
            .with("interrupt_seen", interrupt)
            .with("interrupts_before", came(0) && !interrupt)
            .with("heartbeats", journal.heartbeats)
            .with("execution", open.execution);
    let finding = with_state(finding, journal, open);
    match at {
        Some(at) => finding.at(at, BACKEND),
        None => finding,
    }
}

/// The instructions that call a delegate of backend `id`.
pub(super) fn calls(method: &Method<'_>, id: &str) -> Vec<(ChainId, InstructionId)> {
    let ids: Vec<&str> = method.delegates().map(|delegate| delegate.id()).collect();
    let chains = method.chains().enumerate();
    chains
        .flat_map(|(chain, instructions)| {
            instructions.instructions().enumerate().map(move |at| (chain, at)).collect::<Vec<_>>()
        })
        .filter_map(|(chain, (index, instruction))| {
            let Instruction::DelegateCall { delegate, .. } = instruction else { return None };
            let called = ids.get(delegate.0 as usize).is_some_and(|called| *called == id);
            called.then_some((ChainId(chain as u32), InstructionId(index as u32)))
        })
        .collect()
}

fn normal(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// `ethosu55` of `ethosu55128`.
fn family(normal: &str) -> &str {
    let digits = normal.find(|c: char| c.is_ascii_digit()).unwrap_or(normal.len());
    normal.get(..digits + 2).unwrap_or(normal)
}
