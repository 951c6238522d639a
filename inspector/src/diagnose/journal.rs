//! What a journal says: the instruction in flight, the allocators, faults and
//! restarts.

use super::execution::Execution;
use super::in_flight::InFlight;
use super::pace::{self, Pace, elapsed};
use super::{Case, board, npu};
use crate::findings::{Code, Finding, Limits, pool_exhausted};
use crate::log::{Crash, Register};
use crate::memory::Requirements;
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::Method;
use etdump::journal::{
    AllocatorKind, Event, FaultPart, Life, OpenScope, Scope, Snapshot, program_id,
};

/// The life of the board that the journal tells most about: the last one in
/// which something is open, or the last.
pub(super) fn telling_life(journal: &Snapshot) -> Option<Life> {
    let lives = journal.lives();
    let open = lives.iter().rposition(|life| !life.open.is_empty());
    lives.into_iter().nth(open.unwrap_or(usize::MAX)).or_else(|| journal.lives().pop())
}

/// The instruction that `life` ended in.
pub fn in_flight(journal: &Snapshot, life: &Life, method: &Method<'_>) -> Option<InFlight> {
    let open = life.open.iter().rfind(|open| open.scope.is_instruction())?;
    let place = (ChainId(open.chain?.into()), InstructionId(open.instruction));
    let since = elapsed(open.ticks, life.last_ticks);
    Some(InFlight {
        or_later: !open.certain,
        since: Some((since, journal.ticks_per_second.into())),
        ..InFlight::at(method, place, false)
    })
}

/// Looks at the journal of `case`.
pub(super) fn look(case: &Case<'_>, journal: &Snapshot) -> Execution {
    let mut execution = Execution::default();
    let findings = &mut execution.findings;
    findings.extend(other_program(case, journal));
    findings.extend(failed_allocations(journal));
    findings.extend(failed_load(case, journal));
    findings.extend(super::firmware::stack(case, journal));
    let Some(life) = telling_life(journal) else { return execution };
    let mut in_flight = in_flight(journal, &life, &case.evidence.method);
    if let Some(at) = &mut in_flight {
        let since = at.since.map_or(0, |(ticks, _)| ticks);
        at.pace = pace::of(case, journal, (at.chain, at.instruction), since);
    }
    let crash = crash(journal, &life);
    findings.extend(failed(case, journal, &life));
    if !crash.is_empty() {
        findings.push(super::execution::crash(
            case,
            &crash,
            in_flight.as_ref(),
            "the journal's end",
        ));
    } else if let Some(open) = life.open.last() {
        findings.push(match open.scope {
            Scope::Npu => npu::silent(case, journal, &life, open, in_flight.as_ref()),
            _ => unfinished(journal, open, in_flight.as_ref()),
        });
    }
    findings.extend(board::restarted(journal, &life));
    findings.extend(board::findings(case, journal));
    execution.in_flight = in_flight;
    execution
}

fn other_program(case: &Case<'_>, journal: &Snapshot) -> Option<Finding> {
    let given = program_id(case.evidence.file.bytes());
    if journal.program_id == 0 || journal.program_id == given {
        return None;
    }
    Some(
        Finding::new(
            Code::OtherProgram,
            "the journal is of another program than the one that was given",
            "give the .pte that was built into the firmware; what is said about instructions and \
             values is about the given one",
        )
        .with("journal_program_id", format!("{:#018x}", journal.program_id))
        .with("given_program_id", format!("{given:#018x}")),
    )
}

fn failed_allocations(journal: &Snapshot) -> Vec<Finding> {
    let failed = journal.records.iter().filter_map(|record| match record.event {
        Some(Event::Allocation { allocator, size, offset, status, .. }) if status != 0 => {
            Some((journal.allocators.get(usize::from(allocator)).copied().flatten(), size, offset))
        }
        _ => None,
    });
    failed
        .map(|(state, size, used)| {
            let name = state.map_or_else(|| "unknown".to_owned(), |state| state.name());
            let capacity = state.map(|state| state.capacity);
            let needed = u64::from(used) + u64::from(size);
            Finding::new(
                Code::PoolExhausted,
                format!(
                    "the {name} allocator was asked for {size} bytes and could not give them{}",
                    capacity.map_or_else(String::new, |capacity| format!(" (it has {capacity})"))
                ),
                format!("give the {name} allocator at least {needed} bytes"),
            )
            .with("pool", &name)
            .with("requested_bytes", size)
            .with("used_bytes", used)
            .with_some("pool_bytes", capacity)
        })
        .collect()
}

/// A load that ended with an error, and the pool that is too small for it.
fn failed_load(case: &Case<'_>, journal: &Snapshot) -> Vec<Finding> {
    let status = journal.records.iter().rev().find_map(|record| match record.event {
        Some(Event::End { scope: Scope::Load, status, .. }) => Some(status),
        _ => None,
    });
    let Some(status) = status.filter(|status| *status != 0) else { return Vec::new() };
    let error = ErrorCode::from_code(status);
    let name = error.map_or_else(|| format!("{status:#x}"), |error| error.to_string());
    let mut findings = Vec::new();
    if error == Some(ErrorCode::MemoryAllocationFailed) {
        let capacity = |kind| {
            let states = journal.allocators.iter().flatten().filter(|state| state.kind == kind);
            let sum = states.map(|state| u64::from(state.capacity)).reduce(u64::saturating_add);
            sum.filter(|bytes| *bytes < u32::MAX.into())
        };
        let memory = &case.memory;
        let needs = Requirements {
            method: memory.method_used(),
            planned: memory.plan.buffers.iter().map(|b| (b.memory_id, b.size)).collect(),
            temp: memory.loading.temp_required,
        };
        // Buffers that were made are as large as the program says.
        let sizes = needs.planned.iter().fold(0_u64, |sum, (_, size)| sum.saturating_add(*size));
        let planned = capacity(AllocatorKind::Planned).filter(|bytes| *bytes < sizes);
        let limits = Limits { method: capacity(AllocatorKind::Method), planned };
        findings.extend(
            pool_exhausted(&needs, limits).into_iter().map(|finding| finding.with("status", &name)),
        );
    }
    if findings.is_empty() {
        findings.push(
            Finding::new(
                Code::StatusReported,
                format!("loading the method failed with {name}"),
                format!("`etinspect explain {status:#x}` says what it comes from"),
            )
            .with("status", name),
        );
    }
    findings
}

/// Instructions that ended with an error.
fn failed(case: &Case<'_>, journal: &Snapshot, life: &Life) -> Option<Finding> {
    let records = journal.records.get(life.first..life.end)?;
    records.iter().rev().find_map(|record| match record.event {
        Some(Event::End { scope, chain: Some(chain), instruction, status, .. })
            if status != 0 && scope.is_instruction() =>
        {
            let place = (ChainId(chain.into()), InstructionId(instruction));
            let operator = crate::memory::operator_name(&case.evidence.method, place);
            let name = ErrorCode::from_code(status)
                .map_or_else(|| format!("{status:#x}"), |error| error.to_string());
            Some(
                Finding::new(
                    Code::InstructionFailed,
                    format!("instruction {}:{} ({operator}) failed with {name}", place.0, place.1),
                    format!("`etinspect explain {status:#x}` says what it comes from"),
                )
                .with("status", name)
                .at(place, operator),
            )
        }
        _ => None,
    })
}

/// The instruction that ended last in the execution that `open` is.
fn last_ended(journal: &Snapshot, open: &OpenScope) -> Option<String> {
    let records = journal.records.iter().rev().take_while(|r| r.sequence > open.sequence);
    records.into_iter().find_map(|record| match record.event {
        Some(Event::End { scope, chain: Some(chain), instruction, .. })
            if scope.is_instruction() =>
        {
            Some(format!("{chain}:{instruction}"))
        }
        _ => None,
    })
}

fn unfinished(journal: &Snapshot, open: &OpenScope, in_flight: Option<&InFlight>) -> Finding {
    let what = match in_flight {
        Some(at) => format!("instruction {}", at.place()),
        None => match open.scope {
            Scope::Load => "loading the method".to_owned(),
            // ExecuTorch's C++ runtime writes no end of an execution that fails.
            Scope::Execute => {
                let last = last_ended(journal, open);
                let after = last.map_or_else(String::new, |at| format!(" after instruction {at}"));
                format!("the execution stopped between two instructions or failed{after}: it")
            }
            _ => journal.name(open.name).unwrap_or("a scope").to_owned(),
        },
    };
    let code = match open.scope {
        Scope::Load => Code::SilentBefore,
        _ => Code::Hang,
    };
    let inner = match open.scope {
        Scope::DelegateInt => Some(format!("delegate operation {}", open.name as i32)),
        Scope::Kernel | Scope::DelegateName | Scope::Other => {
            journal.name(open.name).map(str::to_owned)
        }
        _ => None,
    };
    let doubt = if open.certain { "" } else { ", or one whose record is lost" };
    let mut finding = Finding::new(
        code,
        format!("{what} began and never ended{doubt}"),
        "look into that kernel or delegate: what it waits for, and the stack that it has. The \
         journal's allocators and marks say what else had happened",
    )
    .with("record", open.sequence)
    .with("began_ticks", open.ticks)
    .with_some("within", inner)
    .with("execution", open.execution)
    .with("heartbeats", journal.heartbeats);
    finding = match in_flight.map(|at| at.pace) {
        Some(Pace::Hung { usual, measured } | Pace::Slow { usual, measured }) => finding
            .with("progress", in_flight.is_some_and(|at| matches!(at.pace, Pace::Slow { .. })))
            .with(if measured { "took_at_most_ticks" } else { "may_take_ticks" }, usual),
        _ => finding,
    };
    let finding = with_state(finding, journal, open);
    match in_flight {
        Some(at) => finding.at((at.chain, at.instruction), at.operator.clone()),
        None => finding,
    }
}

/// Adds the allocators, the stack pointer and the marks behind the beginning.
pub(super) fn with_state(mut finding: Finding, journal: &Snapshot, open: &OpenScope) -> Finding {
    if journal.lowest_stack != 0 {
        finding = finding.with("lowest_stack_pointer", format!("{:#x}", journal.lowest_stack));
    }
    for state in journal.allocators.iter().flatten() {
        let capacity = match state.capacity {
            u32::MAX => "no limit".to_owned(),
            bytes => format!("{bytes} bytes"),
        };
        finding = finding.with(
            "allocator",
            format!(
                "{}: {} bytes used, {} at the peak, {capacity}",
                state.name(),
                state.used,
                state.peak
            ),
        );
    }
    for record in journal.records.iter().rev().filter(|r| r.sequence > open.sequence) {
        if let Some(Event::Mark { number, value }) = record.event {
            finding = finding.with("mark", format!("{number}: {value}"));
        }
    }
    finding
}

/// The registers of a fault in `life`.
fn crash(journal: &Snapshot, life: &Life) -> Crash {
    let mut crash = Crash::default();
    for record in journal.records.get(life.first..life.end).unwrap_or_default() {
        let Some(Event::Fault { part, registers: [a, b, c] }) = record.event else { continue };
        let named: [(Register, u32); 3] = match part {
            FaultPart::Frame => [(Register::Pc, a), (Register::Lr, b), (Register::Sp, c)],
            FaultPart::Status => [(Register::Xpsr, a), (Register::Cfsr, b), (Register::Hfsr, c)],
            FaultPart::Address => {
                [(Register::Mmfar, a), (Register::Bfar, b), (Register::ExcReturn, c)]
            }
            FaultPart::Low | FaultPart::High => continue,
        };
        for (register, value) in named {
            crash.registers.insert(register, value.into());
        }
    }
    crash
}
