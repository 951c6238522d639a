//! How a run ended, and what it printed of its end: assertions, signals,
//! outputs that nothing wrote, clocks that stand, an allocator that grows.

use super::Case;
use super::npu::BACKEND;
use crate::findings::{Code, Finding};
use crate::log::{Assert, Counter, Measure, PrintedOutput, Run};
use crate::memory::{FAST_MEMORY, Runner};

/// Elements of an output that must be the same before it looks untouched.
const ENOUGH: u64 = 4;

/// Bytes that memory is filled with: cleared, and the fill patterns of
/// debuggers, allocators and stacks, as numbers of the output's type.
const FILL: [&str; 12] = [
    "0",
    "-86",
    "170",
    "-1",
    "255",
    "-91",
    "165",
    "-51",
    "205",
    "-1431655766",
    "-858993460",
    "-1515870811",
];

/// The findings about the end of the run.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let Some(run) = case.run else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(assertion(case, run));
    findings.extend(differs(run));
    findings.extend(heap(run));
    findings.extend(killed(run));
    findings.extend(run.outputs.iter().filter_map(|output| unchanged(case, output)));
    findings.extend(run.outputs.iter().filter_map(not_finite));
    findings.extend(clock(run));
    findings.extend(growth(run));
    findings
}

/// An assertion that no failure before it explains.
fn assertion(case: &Case<'_>, run: &Run) -> Option<Finding> {
    let explained = |assert: &&Assert| {
        run.failures.iter().any(|failed| failed.line <= assert.line)
            || run.allocation_failures.iter().any(|failed| failed.line <= assert.line)
            || run.unaligned.is_some()
            || run.outputs_differ.as_ref().is_some_and(|quote| quote.line <= assert.line)
    };
    let assert = run.asserts.iter().find(|assert| !explained(assert))?;
    let says = |word: &str| assert.condition.contains(word);
    let (code, remedy) = if says("cannot be null") {
        // The first list whose memory was refused; what it was given before was written to.
        let remedy = "the method allocator ran out while a list was unpacked: make its pool larger; \
                      `etinspect memory` says how large";
        (Code::NullWrite, remedy.to_owned())
    } else if says(FAST_POOL) {
        (Code::AssertFailed, fast_pool(case, run))
    } else if says("out of memory") {
        let remedy = "give ETDumpGen a larger buffer: more than 128 KiB, and about 100 bytes for \
                      each event beyond that; or keep a journal, for which 512 bytes are enough";
        (Code::AssertFailed, remedy.to_owned())
    } else {
        let remedy = "the call before it failed or was given what it does not take; print its \
                      status, and look at its arguments";
        (Code::AssertFailed, remedy.to_owned())
    };
    Some(
        Finding::new(
            code,
            format!(
                "after {}, the assertion {} in {}() stopped the runner",
                run.happened(),
                assert.condition,
                assert.function
            ),
            remedy,
        )
        .with("line", assert.line)
        .with("function", &assert.function)
        .with("condition", &assert.condition),
    )
}

/// The Arm runner's setting for the pool of memory id 3.
const FAST_POOL: &str = "ET_ARM_BAREMETAL_PLANNED_FAST_MEMORY_SIZE";

/// What to set it to: what the log says, or else the program.
fn fast_pool(case: &Case<'_>, run: &Run) -> String {
    let logged =
        run.planned.iter().rev().find(|planned| planned.number == u64::from(FAST_MEMORY.0));
    let bytes = logged.map_or_else(|| Runner::Arm.fast_pool(&case.memory), |p| p.bytes);
    let size = match bytes.checked_next_multiple_of(16) {
        Some(size) if size > 0 => format!("={size:#x}: the buffer there has {bytes} bytes"),
        _ => ", at least to the size of the buffer there".to_owned(),
    };
    format!(
        "the program plans a buffer into memory id {FAST_MEMORY}, for which the runner has no pool: \
         set {FAST_POOL}{size}; or export without that memory"
    )
}

/// Outputs that are not those of the bundle.
fn differs(run: &Run) -> Option<Finding> {
    let quote = run.outputs_differ.as_ref()?;
    let code = Code::OutputsDiffer;
    let title = "the model ran, and its outputs differ from those that the bundled program expects";
    let finding = Finding::new(code, title, code.page().remedy).with("line", quote.line);
    Some(finding.with("text", &quote.text))
}

/// A heap that ran out, as FreeRTOS's hook, the C library or C++ says it.
fn heap(run: &Run) -> Option<Finding> {
    let quote = run.heap.as_ref()?;
    Some(
        Finding::new(
            Code::PoolExhausted,
            format!("the heap ran out: {}", quote.text),
            "make the heap larger (configTOTAL_HEAP_SIZE in FreeRTOS, the heap of the linker script \
             with newlib), or move the runner's pools and the program out of it: what these need is \
             what `etinspect memory` says",
        )
        .with("pool", "heap")
        .with("line", quote.line)
        .with("text", &quote.text),
    )
}

/// The end of a process of which no fault and no failure is known.
fn killed(run: &Run) -> Option<Finding> {
    let quote = run.killed.as_ref()?;
    let explained = !run.crash.is_empty()
        || !run.failures.is_empty()
        || !run.asserts.is_empty()
        || run.heap.is_some();
    (!explained).then(|| {
        let memory = quote.text.eq_ignore_ascii_case("killed");
        Finding::new(
            Code::Killed,
            format!("after {}, the process was ended: {}", run.happened(), quote.text),
            if memory {
                "look whether the system ran out of memory (`dmesg`, logcat's lowmemorykiller), and \
                 what the method needs (`etinspect memory`)"
            } else {
                "build the runtime with logging: the assertion that aborted says what it found; or \
                 run it in a debugger and look at the stack"
            },
        )
        .with("line", quote.line)
        .with("text", &quote.text)
    })
}

/// An output all of whose elements are what memory is filled with.
fn unchanged(case: &Case<'_>, output: &PrintedOutput) -> Option<Finding> {
    let number = output.first.parse::<f64>().ok()?;
    let fill = number == 0.0 || FILL.contains(&output.first.as_str());
    if !output.same || !fill || output.elements < ENOUGH {
        return None;
    }
    let npu = case.evidence.method.delegates().any(|delegate| delegate.id() == BACKEND);
    let remedy = if npu {
        "compare with `etinspect run` on the host; then check that the output's memory is the one \
         that the delegate's base address points to, and that the data cache is invalidated after \
         the unit is done"
    } else {
        "compare with `etinspect run` on the host; `etinspect run --guard` says whether an \
         instruction writes it"
    };
    let title = format!(
        "all {} elements of output {} are {}, as in memory that nothing wrote",
        output.elements, output.number, output.first
    );
    Some(
        Finding::new(Code::OutputUnchanged, title, remedy)
            .with("output", output.number)
            .with("elements", output.elements)
            .with("value", &output.first),
    )
}

fn not_finite(output: &PrintedOutput) -> Option<Finding> {
    let element = output.not_finite?;
    let title = format!("output {} is no finite number from element {element} on", output.number);
    let remedy = "run it on the host with `etinspect run --guard`: it names the first instruction \
                  that puts out a NaN or an infinity";
    Some(
        Finding::new(Code::NonFinite, title, remedy)
            .with("output", output.number)
            .with("element", element),
    )
}

/// Counters of a run that is over, and that counted nothing.
fn clock(run: &Run) -> Option<Finding> {
    let count = |wanted| run.counters.iter().rev().find(|(c, _)| *c == wanted).map(|(_, n)| *n);
    if count(Counter::Inference)? > 0 {
        return None;
    }
    let remedy = "start the cycle counter before the run (the PMU of Armv8.1-M; cores before it have \
                  only DWT's), or give et_pal_current_ticks a timer";
    Some(
        Finding::new(Code::ClockStands, "the runner counted 0 cycles for its inferences", remedy)
            .with("inference_cycles", 0)
            .with_some("delegate_cycles", count(Counter::Delegate))
            .with_some("unit_cycles", count(Counter::Unit))
            .with_some("delegations", count(Counter::Delegations)),
    )
}

/// Use of the method allocator that rises from one memory block to the next,
/// or that execution itself takes.
fn growth(run: &Run) -> Option<Finding> {
    let of = |what| run.measured.iter().filter(move |m| m.what == what).map(|m| m.bytes);
    let used: Vec<u64> = of(Measure::MethodUsed).collect();
    let rises = used.len() > 1 && used.is_sorted_by(|a, b| a < b);
    let executor = of(Measure::MethodExecutor).next_back().filter(|bytes| *bytes > 0);
    let pool = run.measured.iter().rev().find(|m| m.what == Measure::MethodUsed)?.pool;
    let pool = pool.or(run.method_pool);
    let remedy = "give the MemoryManager a temp allocator, so that scratch memory is taken back \
                  after each instruction, and look for allocations that a backend makes in each call";
    let finding = if let (true, [first, .., last]) = (rises, used.as_slice()) {
        let step = (last - first) / (used.len() as u64 - 1);
        let left = pool.map(|pool| pool.saturating_sub(*last) / step.max(1));
        let title = format!(
            "the method allocator's use rises from {first} to {last} bytes over {} runs",
            used.len()
        );
        Finding::new(Code::Growth, title, remedy)
            .with("runs", used.len())
            .with("bytes_of_a_run", step)
            .with_some("runs_until_it_is_full", left)
    } else {
        let executor = executor?;
        let runs = run.inferences.unwrap_or(1).max(1);
        let title = format!("execution took {executor} bytes of the method allocator for good");
        Finding::new(Code::Growth, title, remedy)
            .with("executions", runs)
            .with("bytes", executor)
            .with("bytes_of_a_run", executor / runs)
    };
    Some(finding.with("allocator", "method").with_some("pool_bytes", pool))
}
