//! `etinspect.diagnose/1`.

use super::Report;
use crate::board;
use crate::findings;
use et_inspector::diagnose::{Argument, Candidate, InFlight};
use et_inspector::log::{Log, Run};
use serde_json::{Value, json};

/// The document.
pub fn document(report: &Report<'_>) -> String {
    let diagnosis = &report.diagnosis;
    let mut found = findings::json(&diagnosis.findings);
    for finding in found.as_array_mut().into_iter().flatten() {
        finding["method"] = json!(report.method);
    }
    let document = json!({
        "schema": "etinspect.diagnose/1",
        "model": report.model.to_string_lossy(),
        "method": report.method,
        "abi": report.abi.name(),
        "target": report.target.map(|target| &target.name),
        "verdict": {
            "sentence": diagnosis.verdict.sentence,
            "confidence": diagnosis.verdict.confidence.name(),
        },
        "reached": diagnosis.reached.map(|stage| stage.name()),
        "next": diagnosis.reached.map(|stage| stage.next()),
        "in_flight": diagnosis.in_flight.as_ref().map(in_flight),
        "candidates": diagnosis.candidates.iter().map(candidate).collect::<Vec<_>>(),
        "measured": diagnosis.measured.as_ref().map_or_else(|| json!([]), board::json),
        "log": report.log.map(log),
        "findings": found,
    });
    format!("{document:#}\n")
}

fn in_flight(in_flight: &InFlight) -> Value {
    json!({
        "method": in_flight.method,
        "chain": in_flight.chain.0,
        "instruction": in_flight.instruction.0,
        "or_later": in_flight.or_later,
        "operator": in_flight.operator,
        "tensors": in_flight.tensors.iter().map(tensor).collect::<Vec<_>>(),
        "ticks_since": in_flight.since.map(|(ticks, _)| ticks),
        "pace": in_flight.pace.name(),
        "ticks_per_second": in_flight.since.map(|(_, scale)| scale),
    })
}

fn tensor(argument: &Argument) -> Value {
    json!({
        "value": argument.value.0,
        "name": argument.name,
        "output": argument.output,
        "dtype": argument.scalar_type.map(|t| t.to_string()),
        "shape": argument.sizes,
        "bytes": argument.bytes,
        "memory_id": argument.planned.map(|(id, _)| id),
        "offset": argument.planned.map(|(_, offset)| offset),
        "constant": argument.constant,
    })
}

fn candidate(candidate: &Candidate) -> Value {
    json!({
        "code": candidate.code.page().code,
        "cause": candidate.cause,
        "likelihood": candidate.likelihood.name(),
        "why": candidate.why,
        "check": candidate.check,
    })
}

fn log(log: &Log) -> Value {
    json!({
        "lines": log.lines,
        "runs": log.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

fn run(run: &Run) -> Value {
    json!({
        "reached": run.stage.name(),
        "reached_line": run.reached.line,
        "reached_text": run.reached.text,
        "last_line": run.last.line,
        "last_text": run.last.text,
        "cut": run.cut,
        "method": run.method,
        "program_address": run.program_address,
        "program_bytes": run.program_bytes,
        "method_pool_bytes": run.method_pool,
        "planned": run.planned.iter().map(|p| json!({ "number": p.number, "bytes": p.bytes }))
            .collect::<Vec<_>>(),
        "measured": run.measured.iter().map(|m| json!({
            "what": format!("{:?}", m.what), "bytes": m.bytes, "pool_bytes": m.pool,
        })).collect::<Vec<_>>(),
        "failures": run.failures.iter().map(|f| json!({
            "what": f.what, "status": f.code, "line": f.line, "operator": f.operator,
        })).collect::<Vec<_>>(),
    })
}
