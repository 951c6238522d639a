//! The pools: allocations that failed, what they were for, and pools that are
//! too small for the program although the log has no failure.

use super::Case;
use super::runner::{Runner, round};
use super::same_program::is_same_program;
use crate::findings::{Code, Finding};
use crate::log::{AllocationFailure, Measure, Run, Stage, TraceBuffer};
use crate::memory::{Allocation, Firmware, Loading};
use et_schema::ErrorCode;
use et_schema::layout::Object;

/// Alignment of planned buffers in the runners.
const PLANNED_ALIGN: u64 = 16;

/// Bytes of an EValue on every ABI.
const EVALUE: u64 = 16;

/// An allocator, as far as the log shows which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allocator {
    Method,
    Temp,
    Unknown,
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
pub(super) fn pools(case: &Case<'_>, run: &Run) -> Vec<Finding> {
    let required = required(case, run);
    let failures = run.allocation_failures.iter().enumerate();
    let mut findings: Vec<Finding> = failures
        .map(|(index, failed)| {
            let before = &run.allocation_failures[..index];
            let first = before.iter().all(|f| planned(run, f).is_some() || f.buffer.is_some());
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
    if failed.after != Stage::PlannedBuffersReady || failed.buffer.is_some() {
        return None;
    }
    run.planned.iter().find(|planned| {
        planned.bytes == failed.requested
            || failed.requested.checked_sub(planned.bytes).is_some_and(|pad| pad < PLANNED_ALIGN)
                && planned.bytes > failed.available
    })
}

/// Which allocator an allocation was from. The method allocator serves until
/// the execution; after that, both do, and a log names neither.
fn allocator(case: &Case<'_>, run: &Run, failed: &AllocationFailure) -> Allocator {
    if failed.buffer.is_some() || failed.after < Stage::Executing {
        return Allocator::Method;
    }
    let same = is_same_program(case, run);
    let measured = run.measure(Measure::MethodUsed).map(|used| used.bytes);
    let used = measured.or_else(|| same.then(|| Runner::of(case, run).method_pool(case, 0)));
    let free = run.method_pool.zip(used).and_then(|(pool, used)| pool.checked_sub(used));
    if free == Some(failed.available) {
        return Allocator::Method;
    }
    let scratch = case.memory.temp_executing() > 0
        || case.evidence.method.operators().any(|operator| operator.name == "aten::topk");
    let executing = failed.after == Stage::Executing;
    if executing && (scratch || !same) { Allocator::Temp } else { Allocator::Unknown }
}

/// Bytes that the method allocator's pool must have; `false` if more is needed
/// than is known.
pub(super) fn required(case: &Case<'_>, run: &Run) -> (u64, bool) {
    let failures = || {
        let of_method = |f: &&AllocationFailure| allocator(case, run, f) == Allocator::Method;
        run.allocation_failures.iter().filter(of_method)
    };
    let of_buffer = |wanted| {
        let found = failures().filter(move |f| f.buffer == Some(wanted));
        found.map(|f| f.requested).max().unwrap_or(0)
    };
    let same = is_same_program(case, run);
    let (debug, text) = (of_buffer(TraceBuffer::Debug), of_buffer(TraceBuffer::Base64));
    let needs = if same {
        Runner::of(case, run).method_pool(case, debug)
    } else {
        let (_, planned) = planned_bytes(run, u64::MAX);
        let loader = failures().filter(|f| self::planned(run, f).is_none());
        planned.saturating_add(loader.map(|f| f.requested).max().unwrap_or(0))
    };
    let with_text = if text > 0 && same { round(needs).saturating_add(text) } else { needs };
    // What was taken, what was asked for, and planned buffers that had failed before.
    let shown = run.method_pool.map(|pool| {
        let (taken, all) = planned_bytes(run, pool);
        let asked = failures().map(|failed| {
            let gone = if self::planned(run, failed).is_some() { 0 } else { all - taken };
            let used = pool.saturating_sub(failed.available);
            used.saturating_add(failed.requested).saturating_add(gone)
        });
        asked.max().unwrap_or(0)
    });
    let known = same && (text == 0 || shown.is_some());
    match shown {
        // The log shows what was taken when the text was asked for; the sum is an estimate.
        Some(shown) if text > 0 => (shown.max(needs), known),
        shown => (with_text.max(shown.unwrap_or(0)), known),
    }
}

fn allocation(
    case: &Case<'_>,
    run: &Run,
    failed: &AllocationFailure,
    first: bool,
    (required, known): (u64, bool),
) -> Finding {
    let allocator = allocator(case, run, failed);
    let pool = run.method_pool.filter(|_| allocator == Allocator::Method);
    let what = match planned(run, failed) {
        Some(planned) => format!("planned buffer {}", planned.number),
        None => purpose(case, run, failed, first),
    };
    let (short, name) = match allocator {
        Allocator::Method => ("method", "the method allocator"),
        Allocator::Temp => ("temp", "the temp allocator"),
        Allocator::Unknown => ("unknown", "its allocator"),
    };
    let title = format!(
        "{what} needs {} bytes, {name} has {} left{}",
        failed.requested,
        failed.available,
        pool.map_or_else(String::new, |pool| format!(" of its {pool}"))
    );
    let remedy = match allocator {
        Allocator::Method => remedy(case, run, required, known),
        Allocator::Temp => scratch_remedy(case, run, failed),
        Allocator::Unknown => unknown_remedy(case, run, failed),
    };
    let remedy = match failed.buffer {
        Some(TraceBuffer::Debug) => {
            format!("{remedy}. Or record to less: ET_DEBUG_BUFFER_SIZE is the buffer's size")
        }
        _ => remedy,
    };
    let finding = Finding::new(Code::PoolExhausted, title, remedy);
    let finding = finding
        .with("pool", short)
        .with("what", what)
        .with("requested_bytes", failed.requested)
        .with("available_bytes", failed.available)
        .with("missing_bytes", failed.requested.saturating_sub(failed.available))
        .with_some("pool_bytes", pool)
        .with_some("status", status(run))
        .with("line", failed.line);
    match (allocator, known) {
        (Allocator::Method, true) => finding.with("required_bytes", required),
        (Allocator::Method, false) => finding.with("required_bytes_at_least", required),
        _ => finding,
    }
}

/// The status that the failed load was reported with.
fn status(run: &Run) -> Option<String> {
    let code = u32::try_from(run.load_failure()?.code).ok()?;
    ErrorCode::from_code(code).map(|error| error.to_string())
}

/// What the temp allocator's pool must be: what the program says, and at least
/// what was asked for.
fn scratch_remedy(case: &Case<'_>, run: &Run, failed: &AllocationFailure) -> String {
    format!(
        "make the temp allocator's pool at least {} bytes: {}",
        round(case.memory.temp_required().max(failed.requested)),
        Runner::of(case, run).temp_setting()
    )
}

/// For an allocation of which the log does not show the allocator.
fn unknown_remedy(case: &Case<'_>, run: &Run, failed: &AllocationFailure) -> String {
    let runner = Runner::of(case, run);
    let more = round(failed.requested.saturating_sub(failed.available));
    let scratch = if case.memory.temp_executing() == 0 {
        ", and the given program's instructions take no scratch memory that is known"
    } else {
        ""
    };
    format!(
        "the log does not say which allocator it is{scratch}: make the pool of the temp allocator \
         ({}) or of the method allocator ({}) {more} bytes larger than it is, whichever has {} \
         bytes left",
        runner.temp_setting(),
        runner.method_setting(),
        failed.available
    )
}

fn remedy(case: &Case<'_>, run: &Run, required: u64, known: bool) -> String {
    let runner = Runner::of(case, run);
    if known {
        format!(
            "set the method allocator's pool to at least {} bytes ({}). If the board has less, \
             `etinspect memory` says what would make the program smaller",
            round(required),
            runner.settings(case, required)
        )
    } else {
        format!(
            "set the method allocator's pool to more than {} bytes ({}); `etinspect memory` on \
             the .pte of the board says the exact number",
            required,
            runner.method_setting()
        )
    }
}

/// What an allocation of the runner, of the loader or of a kernel was for.
fn purpose(case: &Case<'_>, run: &Run, failed: &AllocationFailure, first: bool) -> String {
    match failed.buffer {
        Some(TraceBuffer::Debug) => return "the trace's debug buffer".into(),
        Some(TraceBuffer::Base64) => {
            return "the text that the trace is printed as (base64)".into();
        }
        None => {}
    }
    match failed.after {
        Stage::Executing if allocator(case, run, failed) == Allocator::Temp => {
            return "an instruction's scratch memory".into();
        }
        Stage::Executing => return "an allocation during the execution".into(),
        stage if stage > Stage::Executing => return "an allocation after an execution".into(),
        Stage::MethodLoaded | Stage::PreparingInputs | Stage::InputsReady => {
            return "preparing the inputs".into();
        }
        _ => {}
    }
    let method = &case.memory.method;
    let table = case.evidence.method.value_count() as u64 * EVALUE;
    let same = is_same_program(case, run);
    if same
        && let Some(found) = predicted(case, run)
        && found.request.size.saturating_add(found.padding) == failed.requested
    {
        if found.request.object == Object::EValue {
            return format!("the value table ({} values of 16 bytes)", method.value_count());
        }
        return case.memory.describe(&found.request);
    }
    // The table is the first thing that the loader allocates, on an aligned pool, of which it
    // finds what the planned buffers left. Of an unknown program, its size may be anything.
    let untouched = run.method_pool.is_some_and(|pool| {
        let (taken, _) = planned_bytes(run, pool);
        pool.checked_sub(taken) == Some(failed.available)
    });
    let may_be = if same { failed.requested == table } else { untouched };
    if first && may_be && failed.requested.is_multiple_of(EVALUE) {
        let count = failed.requested / EVALUE;
        return format!("very probably the value table ({count} values of 16 bytes)");
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
pub(super) fn null_write(case: &Case<'_>, run: &Run) -> Option<Finding> {
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
            remedy(case, run, required, true),
        )
        .with_some("pool_bytes", run.method_pool)
        .with("requested_bytes", failed.request.size)
        .with("offset", failed.offset)
        .with("required_bytes", required)
    })
}

/// A pool that cannot hold the program, in a log that ends without saying so.
pub(super) fn too_small(case: &Case<'_>, run: &Run) -> Option<Finding> {
    let no_memory = u64::from(ErrorCode::MemoryAllocationFailed as u32);
    // Of planned buffers that the log does not show, nothing says that the pool holds them.
    let holds_them = !run.planned.is_empty() || case.memory.plan.buffers.is_empty();
    let open = run.stage >= Stage::PoolsReady
        && run.stage < Stage::Executing
        && run.allocation_failures.is_empty()
        && run.failures.iter().all(|failed| failed.code == no_memory);
    if !open || !holds_them || !is_same_program(case, run) || null_write(case, run).is_some() {
        return None;
    }
    let pool = run.method_pool?;
    let (required, _) = required(case, run);
    (pool < required).then(|| {
        Finding::new(
            Code::PoolExhausted,
            format!("the method allocator's pool has {pool} bytes, the program needs {required}"),
            remedy(case, run, required, true),
        )
        .with("pool", "method")
        .with("pool_bytes", pool)
        .with("required_bytes", required)
        .with("missing_bytes", required - pool)
    })
}
