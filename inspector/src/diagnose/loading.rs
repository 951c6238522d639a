//! From the start of the board to the loaded method: pools that ran out, steps
//! that failed, and runners that went on all the same.

use super::Case;
use crate::explain::error_code;
use crate::findings::{Code, Finding, missing_backend, missing_operator};
use crate::log::{AllocationFailure, Failure, Run, Stage};
use crate::memory::{Allocation, Firmware, Loading, operator_name};
use crate::target::{Needs, settings};
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::layout::Object;
use et_schema::pte::Instruction;

/// Alignment of planned buffers in the runners.
const PLANNED_ALIGN: u64 = 16;

/// Bytes of an EValue on every ABI.
const EVALUE: u64 = 16;

/// The findings about everything before the execution.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let Some(run) = case.run else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(unaligned(run));
    findings.extend(pools(case, run));
    findings.extend(null_write(case, run));
    findings.extend(missing(case, run));
    findings.extend(run.failures.iter().filter_map(|f| failure(case, run, f)));
    findings.extend(went_on(run));
    findings.extend(silent(case, run));
    findings.extend(other_program(case, run));
    findings
}

/// Whether the log is of the program that was given.
pub(super) fn is_same_program(case: &Case<'_>, run: &Run) -> bool {
    let bytes = case.evidence.file.bytes().len() as u64;
    run.program_bytes.is_none_or(|logged| logged == bytes)
        && (run.planned.is_empty()
            || case
                .memory
                .plan
                .buffers
                .iter()
                .map(|b| b.size)
                .eq(run.planned.iter().map(|p| p.bytes)))
}

/// Whether the log is of the program that was given, if there is a log.
pub(super) fn is_of_given_program(case: &Case<'_>) -> bool {
    case.run.is_some_and(|run| is_same_program(case, run))
}

fn other_program(case: &Case<'_>, run: &Run) -> Option<Finding> {
    if is_same_program(case, run) {
        return None;
    }
    let sizes = |sizes: Vec<u64>| sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let logged = sizes(run.planned.iter().map(|p| p.bytes).collect());
    let given = sizes(case.memory.plan.buffers.iter().map(|b| b.size).collect());
    let bytes = case.evidence.file.bytes().len();
    let finding = Finding::new(
        Code::OtherProgram,
        match run.program_bytes {
            Some(logged) if logged != bytes as u64 => {
                format!("the log is of a program of {logged} bytes, the given one has {bytes}")
            }
            _ => format!(
                "the log's planned buffers have {logged} bytes, those of the given program {given}"
            ),
        },
        "give the .pte that was built into the firmware; what is said about instructions and \
         values is about the given one",
    );
    let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0, u64::saturating_add);
    let logged = sum(&mut run.planned.iter().map(|p| p.bytes));
    let given = sum(&mut case.memory.plan.buffers.iter().map(|b| b.size));
    Some(
        finding
            .with_some("log_program_bytes", run.program_bytes)
            .with("given_program_bytes", bytes)
            .with_some("log_planned_bytes", (!run.planned.is_empty()).then_some(logged))
            .with("given_planned_bytes", given),
    )
}

/// Bytes that the planned buffers of the log take of a pool of `pool` bytes,
/// those that do not fit left out; and those of all.
fn planned_bytes(run: &Run, pool: u64) -> (u64, u64) {
    let (mut taken, mut all) = (0u64, 0u64);
    let add = |sum: u64, bytes: u64| {
        sum.checked_next_multiple_of(PLANNED_ALIGN).and_then(|s| s.checked_add(bytes))
    };
    for planned in &run.planned {
        all = add(all, planned.bytes).unwrap_or(u64::MAX);
        taken = add(taken, planned.bytes).filter(|sum| *sum <= pool).unwrap_or(taken);
    }
    (taken, all)
}

/// The allocations that failed, each with what it was for.
fn pools(case: &Case<'_>, run: &Run) -> Vec<Finding> {
    let required = required(case, run);
    let failures = run.allocation_failures.iter().enumerate();
    let mut findings: Vec<Finding> = failures
        .map(|(index, failed)| {
            let first = run.allocation_failures[..index].iter().all(|f| planned(run, f).is_some());
            allocation(case, run, failed, first, required)
        })
        .collect();
    findings.extend(run.outside_buffer.iter().map(|(offset, bytes, size, id)| {
        Finding::new(
            Code::OutsideBuffer,
            format!(
                "a tensor at byte {offset} with {bytes} bytes does not lie in planned buffer {id} \
                 of {size} bytes"
            ),
            format!(
                "give the runner's planned buffer {id} at least {} bytes, as the program says",
                offset.saturating_add(*bytes)
            ),
        )
        .with("memory_id", id)
        .with("end_bytes", offset.saturating_add(*bytes))
        .with("buffer_bytes", size)
    }));
    findings
}

/// The planned buffer that an allocation was for.
fn planned<'r>(run: &'r Run, failed: &AllocationFailure) -> Option<&'r crate::log::Planned> {
    if failed.after != Stage::PlannedBuffersReady {
        return None;
    }
    run.planned.iter().find(|planned| {
        planned.bytes == failed.requested
            || failed.requested.checked_sub(planned.bytes).is_some_and(|pad| pad < PLANNED_ALIGN)
                && planned.bytes > failed.available
    })
}

/// Bytes that the method allocator's pool must have; `false` if more is needed
/// than is known.
fn required(case: &Case<'_>, run: &Run) -> (u64, bool) {
    let needs = Needs::of(&case.memory, case.evidence.file.bytes().len() as u64);
    if is_same_program(case, run) {
        let usual = case.memory.loading.method_used;
        let more = if run.old_runner { case.memory.used_in_release_0_5 } else { usual };
        // Runners of 2024 copied the inputs.
        let pool = if run.old_runner { needs.runners.zephyr } else { needs.method_pool(None) };
        return (pool.saturating_add(more.saturating_sub(usual)), true);
    }
    let (_, planned) = planned_bytes(run, u64::MAX);
    let loader = run.allocation_failures.iter().filter(|f| self::planned(run, f).is_none());
    (loader.map(|f| f.requested).fold(planned, u64::saturating_add), false)
}

fn allocation(
    case: &Case<'_>,
    run: &Run,
    failed: &AllocationFailure,
    first: bool,
    (required, known): (u64, bool),
) -> Finding {
    let pool = run.method_pool;
    let what = match planned(run, failed) {
        Some(planned) => format!("planned buffer {}", planned.number),
        None => purpose(case, run, failed, first),
    };
    let temp = failed.after >= Stage::Executing;
    let allocator = if temp { "temp allocator" } else { "method allocator" };
    let title = format!(
        "{what} needs {} bytes, the {allocator} has {} left{}",
        failed.requested,
        failed.available,
        match pool.filter(|_| !temp) {
            Some(pool) => format!(" of its {pool}"),
            None => String::new(),
        }
    );
    let remedy = if temp { scratch_remedy(case, failed) } else { remedy(case, required, known) };
    let finding = Finding::new(Code::PoolExhausted, title, remedy);
    let finding = finding
        .with("pool", if temp { "temp" } else { "method" })
        .with("what", what)
        .with("requested_bytes", failed.requested)
        .with("available_bytes", failed.available)
        .with("missing_bytes", failed.requested.saturating_sub(failed.available))
        .with_some("pool_bytes", pool.filter(|_| !temp))
        .with_some("status", status(run))
        .with("line", failed.line);
    match (temp, known) {
        (true, _) => finding,
        (false, true) => finding.with("required_bytes", required),
        (false, false) => finding.with("required_bytes_at_least", required),
    }
}

/// The status that the failed load was reported with.
fn status(run: &Run) -> Option<String> {
    let code = u32::try_from(run.load_failure()?.code).ok()?;
    ErrorCode::from_code(code).map(|error| error.to_string())
}

/// What the temp allocator's pool must be: what the program says, and at least
/// what was asked for.
fn scratch_remedy(case: &Case<'_>, failed: &AllocationFailure) -> String {
    let needs = Needs::of(&case.memory, case.evidence.file.bytes().len() as u64);
    format!(
        "make the temp allocator's pool at least {} bytes: \
         ET_ARM_BAREMETAL_SCRATCH_TEMP_ALLOCATOR_POOL_SIZE in the Arm runner",
        needs.temp.max(failed.requested)
    )
}

fn remedy(case: &Case<'_>, required: u64, known: bool) -> String {
    let needs = Needs::of(&case.memory, case.evidence.file.bytes().len() as u64);
    let pool = required.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
    if known {
        let options = settings(&needs, case.evidence.target).arm_runner;
        format!(
            "set the method allocator's pool to at least {pool} bytes (Arm runner: {options}; \
             runners of 2024: method_allocation_pool_size). If the board has less, \
             `etinspect memory` says what would make the program smaller"
        )
    } else {
        format!(
            "set the method allocator's pool to more than {pool} bytes (Arm runner: \
             ET_ARM_BAREMETAL_METHOD_ALLOCATOR_POOL_SIZE; runners of 2024: \
             method_allocation_pool_size); `etinspect memory` on the .pte of the board says the \
             exact number"
        )
    }
}

/// What an allocation of the loader, of the inputs or of a kernel was for.
fn purpose(case: &Case<'_>, run: &Run, failed: &AllocationFailure, first: bool) -> String {
    match failed.after {
        stage if stage >= Stage::Executing => return "an instruction's scratch memory".into(),
        Stage::MethodLoaded | Stage::PreparingInputs | Stage::InputsReady => {
            return "preparing the inputs".into();
        }
        _ => {}
    }
    let method = &case.memory.method;
    let table = case.evidence.method.value_count() as u64 * EVALUE;
    if let Some(found) = predicted(case, run)
        && found.request.size.saturating_add(found.padding) == failed.requested
    {
        if found.request.object == Object::EValue {
            return format!("the value table ({} values of 16 bytes)", method.value_count());
        }
        return case.memory.describe(&found.request);
    }
    // The table is the first thing that the loader allocates, on an aligned pool.
    if first && failed.requested.is_multiple_of(EVALUE) {
        let count = failed.requested / EVALUE;
        return if failed.requested == table {
            format!("the value table ({count} values of 16 bytes)")
        } else {
            format!("very probably the value table ({count} values of 16 bytes)")
        };
    }
    "an object of the loader".into()
}

/// The loader's allocation that fails first with the pool of the log.
fn predicted(case: &Case<'_>, run: &Run) -> Option<Allocation> {
    let pool = run.method_pool?;
    let (taken, _) = planned_bytes(run, pool);
    let free = pool.saturating_sub(taken.checked_next_multiple_of(PLANNED_ALIGN)?);
    let firmware = if run.old_runner { Firmware::Release0_5 } else { Firmware::TempPool };
    let evidence = &case.evidence;
    let loading = Loading::new(evidence.file, &evidence.method, evidence.abi, firmware).ok()?;
    loading.method.into_iter().find(|a| a.offset.saturating_add(a.request.size) > free)
}

/// A pool that ends in the middle of a list, where the loader does not look.
fn null_write(case: &Case<'_>, run: &Run) -> Option<Finding> {
    let quiet = run.failures.is_empty() && run.stage == Stage::PlannedBuffersReady;
    if !quiet || !is_same_program(case, run) {
        return None;
    }
    let failed = predicted(case, run)?;
    let unchecked = matches!(
        failed.request.object,
        Object::EValuePointer | Object::ListInteger | Object::BoxedList | Object::ArrayRef
    ) && failed.request.value.is_some();
    let (required, _) = required(case, run);
    unchecked.then(|| {
        Finding::new(
            Code::NullWrite,
            format!(
                "the method allocator ends at {}, where the loader writes through the null \
                 pointer instead of returning MemoryAllocationFailed (0x21)",
                case.memory.describe(&failed.request)
            ),
            remedy(case, required, true),
        )
        .with_some("pool_bytes", run.method_pool)
        .with("requested_bytes", failed.request.size)
        .with("offset", failed.offset)
        .with("required_bytes", required)
    })
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
