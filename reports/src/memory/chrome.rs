//! A Chrome trace of the memory plan, as ExecuTorch's `generate_memory_trace`
//! with offsets makes one from the exporter's objects, here from the `.pte`.
//!
//! Each tensor is a complete event for each instruction at which it is live:
//! the process is its planned buffer, the thread the instruction, the time its
//! offset and the duration its bytes. Counters of live bytes stand beside it,
//! spread over the same axis.

use super::Document;
use et_inspector::memory::plan::{Step, Storage};
use et_inspector::memory::{MethodMemory, operator_name};
use serde_json::{Value, json};

/// Events above which only every n-th instruction is written.
const MAX_EVENTS: u64 = 200_000;

/// The process of the counters; planned buffers count from 1.
const COUNTERS: u32 = 0;

/// The document. Methods follow each other as threads.
pub fn chrome(document: &Document<'_>) -> String {
    let mut events = vec![name("process_name", COUNTERS, None, "live bytes by instruction")];
    let mut thread = 0;
    let mut every = 1;
    for page in &document.methods {
        let memory = page.memory;
        every = every.max(stride(memory));
        for buffer in &memory.plan.buffers {
            let id = buffer.memory_id.0;
            events.push(name("process_name", id, None, &format!("planned buffer {id}")));
        }
        method(&mut events, memory, thread, stride(memory));
        thread = thread.saturating_add(memory.plan.steps.count());
    }
    let trace = json!({
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {
            "model": document.model,
            "time": "offset in the planned buffer, in bytes",
            "duration": "bytes",
            "process": "memory id",
            "thread": "instruction",
            "every_nth_instruction": every,
        },
    });
    format!("{trace}\n")
}

/// Between the instructions that are written.
fn stride(memory: &MethodMemory<'_>) -> u64 {
    let lengths = memory.plan.storages.iter().flat_map(|s| &s.ranges);
    let events = lengths.map(|(first, last)| u64::from(last.saturating_sub(*first)) + 1);
    let events = events.fold(0u64, u64::saturating_add);
    events.div_ceil(MAX_EVENTS).max(1)
}

fn method(events: &mut Vec<Value>, memory: &MethodMemory<'_>, thread: u32, stride: u64) {
    let plan = &memory.plan;
    for storage in &plan.storages {
        for range in &storage.ranges {
            for step in written(*range, stride, plan.peak.step) {
                events.push(tensor(memory, storage, thread.saturating_add(step)));
            }
        }
    }
    let live = plan.live_bytes();
    let longest = plan.buffers.iter().map(|b| b.size).max().unwrap_or(0);
    let apart = (longest / u64::from(plan.steps.count()).max(1)).max(1);
    for step in written((0, plan.steps.count().saturating_sub(1)), stride, plan.peak.step) {
        let bytes = live.get(step as usize);
        let Some(at) = plan.steps.place(step) else { continue };
        let counter = format!("{} live bytes", memory.method.name());
        events.push(json!({
            "name": counter,
            "cat": "memory_live",
            "ph": "C",
            "ts": u64::from(step).saturating_mul(apart),
            "pid": COUNTERS,
            "args": { "bytes": bytes },
        }));
        let operator = format!("{}:{} {}", at.0, at.1, operator_name(&memory.method, at));
        let thread = thread.saturating_add(step);
        for buffer in &plan.buffers {
            events.push(name("thread_name", buffer.memory_id.0, Some(thread), &operator));
        }
    }
}

/// The steps of a range that are written: every `stride`-th, and the peak.
fn written((first, last): (Step, Step), stride: u64, peak: Step) -> impl Iterator<Item = Step> {
    let stride = usize::try_from(stride).unwrap_or(usize::MAX).max(1);
    let start = (first as usize).checked_next_multiple_of(stride).unwrap_or(usize::MAX);
    let regular = (start..=last as usize).step_by(stride).map(|step| step as Step);
    let is_regular = (peak as usize).is_multiple_of(stride);
    regular.chain((!is_regular && first <= peak && peak <= last).then_some(peak))
}

fn tensor(memory: &MethodMemory<'_>, storage: &Storage, thread: u32) -> Value {
    let writer = storage.written.and_then(|step| memory.plan.steps.place(step));
    let operator = writer.map(|at| operator_name(&memory.method, at).replace("::", "."));
    json!({
        "name": memory.label(storage),
        "cat": "memory_allocation",
        "ph": "X",
        "ts": storage.offset,
        "dur": storage.bytes,
        "pid": storage.memory_id.0,
        "tid": thread,
        "args": {
            "op_name": operator.unwrap_or_else(|| memory.label(storage)),
            "Memory ID": storage.memory_id.0,
            "source": source(memory, storage),
            "bytes": storage.bytes,
            "value": storage.values[0].0,
        },
    })
}

/// The line of the model that made the tensor, in programs with stack traces.
fn source(memory: &MethodMemory<'_>, storage: &Storage) -> Option<String> {
    let (chain, at) = memory.plan.steps.place(storage.written?)?;
    let frame = memory.method.chain(chain).ok()?.frames(at).last()?;
    Some(format!("{}:{} in {}", frame.file, frame.line, frame.function))
}

fn name(kind: &str, process: u32, thread: Option<u32>, name: &str) -> Value {
    json!({ "name": kind, "ph": "M", "pid": process, "tid": thread, "args": { "name": name } })
}
