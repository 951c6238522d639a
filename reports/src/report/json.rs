//! `etinspect.report/1`.

use super::{Baseline, Change, Changes, OperatorTime, Report, Share, Spread, TraceTimes, Weight};
use crate::findings;
use crate::memory::Page;
use et_inspector::findings::Severity;
use et_inspector::memory::measured::Comparison;
use et_inspector::memory::{MethodMemory, operator_name};
use et_inspector::target::Fit;
use serde_json::{Value, json};

/// Weights and live tensors that are listed; their sums are those of all.
const ROWS: usize = 100;

/// The document.
pub fn json(report: &Report<'_>) -> String {
    let figures = report.figures();
    let methods = report.memory.methods.iter().zip(&report.shares);
    let document = json!({
        "schema": "etinspect.report/1",
        "model": report.memory.model,
        "abi": report.memory.abi,
        "target": report.memory.target.map(|target| &target.name),
        "verdict": {
            "sentence": report.verdict(),
            "fits": report.fits(),
            "meets_budget": report.meets_budget(),
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "regressions": report.changes.as_ref().map(|c| c.regressions().count()),
        },
        "program": {
            "bytes": report.program.bytes,
            "constants_bytes": report.program.constants,
            "delegates_bytes": report.program.delegates,
            "rest_bytes": report.program.rest(),
            "external_bytes": report.program.external,
            "weights_count": report.program.weights.len(),
            "weights": report.program.weights.iter().take(ROWS).map(weight).collect::<Vec<_>>(),
        },
        "methods": methods.map(|(page, share)| method(page, share, &figures)).collect::<Vec<_>>(),
        "limits": report.counts.iter().map(|count| json!({
            "name": count.name,
            "of": count.of,
            "unit": count.counted.unit(),
            "found": count.found,
            "limit": count.limit,
            "over": count.over(),
            "met": count.found.map(|_| count.over() == 0),
        })).collect::<Vec<_>>(),
        "trace": report.trace.as_ref().map(trace),
        "changes": report.changes.as_ref().map(changes),
        "findings": findings::json(report.findings()),
        "blind_spots": report.blind_spots(),
        "made": {
            "version": report.made.version,
            "inputs": report.made.inputs.iter().map(|input| json!({
                "role": input.role,
                "name": input.name,
                "format": input.format,
                "bytes": input.bytes,
                "sha256": input.sha256,
            })).collect::<Vec<_>>(),
            "options": report.made.options,
            "command": report.made.command,
        },
    });
    super::words::document(&document)
}

fn weight(weight: &Weight) -> Value {
    json!({
        "method": weight.method,
        "value": weight.value,
        "name": weight.name,
        "type": weight.kind,
        "bytes": weight.bytes,
        "external": weight.is_external,
    })
}

fn method(page: &Page<'_>, share: &Share, figures: &Baseline) -> Value {
    let memory = page.memory;
    let name = memory.method.name();
    json!({
        "name": name,
        "sizes": figures.methods.get(name),
        "instructions": {
            "delegate_calls": share.delegate_calls(),
            "kernel_calls": share.kernel_calls(),
            "other": share.other,
            "delegates": share.delegates,
            "kernels": share.kernels,
        },
        "peak": peak(memory),
        "fit": page.fit.as_ref().map(fit),
        "budget": page.budget.iter().map(|check| json!({
            "name": check.name,
            "required_bytes": check.needs,
            "limit_bytes": check.limit,
            "over_bytes": check.over(),
            "met": check.over() == 0,
        })).collect::<Vec<_>>(),
        "measured": page.measured.map(measured),
    })
}

fn peak(memory: &MethodMemory<'_>) -> Value {
    let plan = &memory.plan;
    let at = plan.steps.place(plan.peak.step);
    let live = plan.peak.live.iter().take(ROWS).map(|index| {
        let storage = &plan.storages[*index];
        json!({
            "value": storage.values[0].0,
            "bytes": storage.bytes,
            "offset": storage.offset,
            "memory_id": storage.memory_id.0,
            "what": memory.label(storage),
        })
    });
    json!({
        "bytes": plan.peak.bytes,
        "chain": at.map(|(chain, _)| chain.0),
        "instruction": at.map(|(_, instruction)| instruction.0),
        "operator": at.map(|at| operator_name(&memory.method, at)),
        "live_count": plan.peak.live.len(),
        "live": live.collect::<Vec<_>>(),
    })
}

fn fit(fit: &Fit) -> Value {
    json!({
        "fits": fit.fits(),
        "memories": fit.memories.iter().map(|memory| json!({
            "name": memory.name,
            "size_bytes": memory.size,
            "reserved_bytes": memory.reserved,
            "used_bytes": memory.takes,
            "missing_bytes": memory.missing(),
            "fits": memory.fits(),
        })).collect::<Vec<_>>(),
        "pools": fit.pools.iter().map(|pool| json!({
            "name": pool.name,
            "memory": pool.memory,
            "required_bytes": pool.needs,
            "size_bytes": pool.size,
            "fits": pool.fits(),
        })).collect::<Vec<_>>(),
    })
}

fn measured(comparison: &Comparison) -> Value {
    json!({
        "abi": comparison.abi.name(),
        "executions": comparison.executions,
        "equal": comparison.is_equal(),
        "allocators": comparison.allocators.iter().map(|allocator| json!({
            "name": allocator.name,
            "predicted_bytes": allocator.predicted,
            "measured_bytes": allocator.measured,
            "equal": allocator.is_equal(),
        })).collect::<Vec<_>>(),
    })
}

fn spread(spread: &Spread) -> Value {
    json!({
        "runs": spread.runs,
        "min": spread.min,
        "p50": spread.p50,
        "p90": spread.p90,
        "max": spread.max,
        "spread": spread.spread,
        "resolution": spread.resolution,
    })
}

fn times(times: &[OperatorTime]) -> Vec<Value> {
    let one = |operator: &OperatorTime| {
        json!({
            "name": operator.name,
            "count": operator.count,
            "ticks": operator.ticks,
            "by_run": spread(&operator.spread),
        })
    };
    times.iter().map(one).collect()
}

fn trace(trace: &TraceTimes) -> Value {
    json!({
        "unit": trace.unit,
        "total_ticks": trace.total,
        "unattributed_ticks": trace.unattributed,
        "in_delegates_ticks": trace.in_delegates,
        "runs": trace.runs.iter().map(|run| json!({
            "name": run.name,
            "times": spread(&run.spread),
        })).collect::<Vec<_>>(),
        "operators": times(&trace.operators),
        "modules": trace.modules.as_deref().map(times),
        "warning": trace.warning,
    })
}

fn changes(changes: &Changes) -> Value {
    let one = |change: &Change| {
        json!({
            "method": change.method,
            "figure": change.figure,
            "unit": change.unit,
            "base": change.base,
            "new": change.new,
            "least_difference": change.least,
            "verdict": change.verdict.name(),
        })
    };
    json!({
        "compared": changes.compared,
        "changes": changes.changes.iter().map(one).collect::<Vec<_>>(),
        "notes": changes.notes,
    })
}
