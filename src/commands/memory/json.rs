//! `etinspect.memory/1`.

use super::Report;
use crate::findings;
use et_inspector::memory::measured::{Expected, expected};
use et_inspector::memory::plan::{Plan, Step, Storage};
use et_inspector::memory::{Allocation, MethodMemory, operator_name};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// A method. What may have a million rows is written as it is, and not made a
/// tree of values first.
#[derive(Serialize)]
struct Method<'a> {
    #[serde(flatten)]
    facts: Value,
    allocators: [Allocator<'a>; 2],
    tensors: Rows<'a, Storage>,
}

#[derive(Serialize)]
struct Allocator<'a> {
    #[serde(flatten)]
    facts: Value,
    allocations: Rows<'a, Allocation>,
}

/// Rows of a list, each made when it is written.
struct Rows<'a, T> {
    memory: &'a MethodMemory<'a>,
    rows: &'a [T],
    row: fn(&MethodMemory<'_>, &T) -> Value,
}

impl<T> Serialize for Rows<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| (self.row)(self.memory, row)))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    facts: Value,
    methods: Vec<Method<'a>>,
    findings: Value,
}

/// The document.
pub fn document(report: &Report<'_>) -> String {
    let document = Document {
        facts: json!({
            "schema": "etinspect.memory/1",
            "model": report.model.to_string_lossy(),
            "target": report.target.as_ref().map(|t| &t.name),
            "abi": report.abi.name(),
            "program_bytes": report.file.bytes().len(),
        }),
        methods: (0..report.methods.len()).map(|i| method(report, i)).collect(),
        findings: findings::json(&report.findings()),
    };
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn method<'a>(report: &'a Report<'_>, index: usize) -> Method<'a> {
    let memory = &report.methods[index];
    let plan = &memory.plan;
    let buffers = plan.buffers.iter().zip(memory.our_plans()).enumerate();
    let buffers = buffers.map(|(index, (buffer, ours))| {
        json!({
            "memory_id": buffer.memory_id.0,
            "size_bytes": buffer.size,
            "peak_bytes": buffer.peak,
            "lower_bound_bytes": buffer.lower_bound,
            "aligned_lower_bound_bytes": ours.bound,
            "our_plan_bytes": ours.size,
            "our_planner": ours.planner.name(),
            "our_plan_is_optimal": ours.is_optimal,
            "our_plan_note": memory.plan_note(index),
        })
    });
    let facts = json!({
        "name": memory.method.name(),
        "instructions": plan.steps.count(),
        "planned": buffers.collect::<Vec<_>>(),
        "inputs_bytes": memory.loading.inputs,
        "input_data_bytes": memory.input_data,
        "output_data_bytes": memory.output_data,
        "peak": peak(memory),
        "trace": report.tracing(memory).map(|trace| json!({
            "executions": trace.request.executions,
            "etdump_bytes": trace.etdump,
            "debug_buffer_bytes": trace.debug_buffer,
            "notes": trace.notes(),
        })),
        "suggestions": suggestions(memory),
        "delegates": delegates(memory),
        "budget": super::budget::json(report, memory),
        "measured": super::measured::json(report, index),
        "board": report.boards[index].as_ref().map(crate::board::json),
        "fit": super::target::fit_json(report, memory),
        "boards": super::boards::json(report, memory),
        "settings": super::target::settings_json(report, memory),
    });
    let tensors = Rows { memory, rows: &plan.storages, row: tensor };
    Method { facts, allocators: allocators(memory), tensors }
}

/// What backends allocate from the method allocator for their delegates, each
/// with its place among the loader's allocations.
fn of_backends(memory: &MethodMemory<'_>) -> Vec<Value> {
    let (mut used, mut loaders) = (0u64, 0usize);
    let mut rows = Vec::new();
    for allocation in expected(memory, &memory.loading, memory.abi) {
        let offset = used.checked_next_multiple_of(allocation.align()).unwrap_or(u64::MAX);
        used = offset.saturating_add(allocation.bytes());
        match allocation {
            Expected::Loader(_) => loaders += 1,
            Expected::Backend { delegate, bytes } => rows.push(json!({
                "size": bytes,
                "align": allocation.align(),
                "offset": offset,
                "before": loaders,
                "delegate": delegate,
                "what": format!("{} of delegate {delegate}", memory.delegates[delegate].id),
            })),
        }
    }
    rows
}

fn allocators<'a>(memory: &'a MethodMemory<'a>) -> [Allocator<'a>; 2] {
    let loading = &memory.loading;
    let method = json!({
        "name": "method",
        "used_bytes": loading.method_used,
        "used_without_temp_pool_bytes": memory.used_without_temp_pool,
        "used_without_temp_allocator_bytes": memory.used_without_temp_allocator,
        "used_in_release_0_5_bytes": memory.used_in_release_0_5,
        "used_with_backends_bytes": memory.method_used(),
        "backend_allocations": of_backends(memory),
        "peak_bytes": loading.method_used,
    });
    let executing = memory.temp_uses.iter().map(|u| {
        json!({
            "chain": u.at.0.0,
            "instruction": u.at.1.0,
            "operator": operator_name(&memory.method, u.at),
            "bytes": u.bytes,
            "is_upper_bound": u.is_bound,
            "what": u.what,
        })
    });
    let temp = json!({
        "name": "temp",
        "used_bytes": 0,
        "used_without_temp_pool_bytes": 0,
        "peak_bytes": loading.temp_peak,
        "executing_peak_bytes": memory.temp_executing(),
        "required_bytes": memory.temp_required(),
        "executing": executing.collect::<Vec<_>>(),
    });
    [(method, &loading.method), (temp, &loading.temp)].map(|(facts, rows)| Allocator {
        facts,
        allocations: Rows { memory, rows, row: allocation },
    })
}

fn allocation(memory: &MethodMemory<'_>, allocation: &Allocation) -> Value {
    json!({
        "size": allocation.request.size,
        "align": allocation.request.align,
        "padding": allocation.padding,
        "offset": allocation.offset,
        "what": memory.describe(&allocation.request),
    })
}

fn suggestions(memory: &MethodMemory<'_>) -> Value {
    memory
        .suggestions()
        .iter()
        .map(|s| {
            json!({
                "change": s.change.name(),
                "title": s.title,
                "planned_bytes": s.planned,
                "saves_bytes": s.saves,
                "values": s.values.iter().map(|v| v.0).collect::<Vec<_>>(),
                "instructions": s.steps.iter().map(|step| place(&memory.plan, *step)).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn delegates(memory: &MethodMemory<'_>) -> Value {
    memory
        .delegates
        .iter()
        .map(|d| {
            json!({
                "id": d.id,
                "payload_bytes": d.payload,
                "method_bytes": d.method_bytes,
                "scratch_bytes": d.scratch,
                "fast_scratch_bytes": d.fast_scratch,
                "heap_estimate_bytes": d.heap,
                "note": d.note,
            })
        })
        .collect()
}

fn peak(memory: &MethodMemory<'_>) -> Value {
    let plan = &memory.plan;
    let at = plan.steps.place(plan.peak.step);
    let live = plan.peak.live.iter().map(|index| {
        let storage = &plan.storages[*index];
        json!({
            "value": storage.values[0].0,
            "bytes": storage.bytes,
            "offset": storage.offset,
            "memory_id": storage.memory_id.0,
            "what": memory.label(storage),
            "module": module(memory, storage),
        })
    });
    json!({
        "bytes": plan.peak.bytes,
        "chain": at.map(|(chain, _)| chain.0),
        "instruction": at.map(|(_, instruction)| instruction.0),
        "operator": at.map(|at| operator_name(&memory.method, at)),
        "live": live.collect::<Vec<_>>(),
    })
}

/// The module of the model that writes a tensor, if an ETRecord told.
fn module<'m>(memory: &'m MethodMemory<'_>, storage: &Storage) -> Option<&'m str> {
    let at = storage.written.and_then(|step| memory.plan.steps.place(step));
    at.and_then(|at| memory.module(at))
}

fn tensor(memory: &MethodMemory<'_>, storage: &Storage) -> Value {
    json!({
        "value": storage.values[0].0,
        "views": storage.values[1..].iter().map(|v| v.0).collect::<Vec<_>>(),
        "memory_id": storage.memory_id.0,
        "offset": storage.offset,
        "bytes": storage.bytes,
        "role": storage.role.name(),
        "what": memory.label(storage),
        "live": storage.ranges.iter().map(|range| json!({
            "first": place(&memory.plan, range.0),
            "last": place(&memory.plan, range.1),
        })).collect::<Vec<_>>(),
    })
}

fn place(plan: &Plan, step: Step) -> Value {
    match plan.steps.place(step) {
        Some((chain, instruction)) => json!([chain.0, instruction.0]),
        None => Value::Null,
    }
}
