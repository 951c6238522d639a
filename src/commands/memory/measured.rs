//! What a trace measured, beside the prediction.

use super::Report;
use super::text::{indented, table};
use crate::text::{bytes, escape, thousands};
use comfy_table::CellAlignment;
use et_inspector::findings::describe_difference;
use et_inspector::memory::measured::{Compared, Comparison};
use et_inspector::memory::{Firmware, MethodMemory, operator_name};
use et_schema::ids::{ChainId, InstructionId};
use serde_json::{Value, json};
use std::fmt::Write;

/// Differences that are listed for each allocator.
const DIFFERENCES: usize = 4;

/// The table for people, with a trace only.
pub fn section(text: &mut String, report: &Report<'_>, index: usize) {
    let Some(trace) = &report.trace else { return };
    let memory = &report.methods[index];
    let name = escape(&trace.to_string_lossy());
    let Some(comparison) = &report.measured[index] else {
        let _ = writeln!(text, "\nMeasured: {name} has no allocation events of this method");
        return;
    };
    let loading = match comparison.is_cut {
        true => "the loading lies behind the cut and is not compared".to_owned(),
        false => {
            let (abi, firmware) = (comparison.abi.name(), firmware(comparison.firmware));
            format!("objects of {abi}, {firmware}")
        }
    };
    let executions = thousands(comparison.executions as u64);
    let _ = writeln!(text, "\nMeasured: {name}, {executions} executions, {loading}");
    let mut table = table(&["allocator", "predicted", "measured", "allocations", ""]);
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    let size = |size: Option<u64>| size.map_or_else(|| "-".to_owned(), bytes);
    for compared in &comparison.allocators {
        table.add_row([
            escape(&compared.name),
            size(compared.predicted),
            size(compared.measured),
            thousands(compared.allocations as u64),
            verdict(compared, comparison.is_cut),
        ]);
    }
    let _ = writeln!(text, "{}", indented(&table));
    for compared in &comparison.allocators {
        high_water(text, memory, compared);
    }
    for compared in &comparison.allocators {
        differences(text, memory, compared);
    }
}

/// The instruction that took most while executing.
fn high_water(text: &mut String, memory: &MethodMemory<'_>, compared: &Compared) {
    let most = compared.by_instruction.iter().max_by_key(|(_, bytes)| **bytes);
    if let Some((Some(at), taken)) = most {
        let _ = writeln!(
            text,
            "  {}: most while executing at {}:{} {}, {}",
            escape(&compared.name),
            at.0,
            at.1,
            escape(&operator_name(&memory.method, *at)),
            bytes(*taken)
        );
    }
}

fn verdict(compared: &Compared, is_cut: bool) -> String {
    match (compared.measured, compared.is_equal()) {
        (None, _) if is_cut => "behind the cut".into(),
        (None, _) => "no events of it in the trace".into(),
        (Some(_), true) => "as predicted".into(),
        (Some(_), false) => "DIFFERENT".into(),
    }
}

fn differences(text: &mut String, memory: &MethodMemory<'_>, compared: &Compared) {
    for difference in compared.differences.iter().take(DIFFERENCES) {
        let what = describe_difference(memory, compared, difference);
        let _ = writeln!(text, "  {}: {}", escape(&compared.name), escape(&what));
    }
    for executing in compared.executing.iter().take(DIFFERENCES) {
        let at = executing.at.map_or_else(
            || "outside of instructions".to_owned(),
            |at| format!("at {}:{} {}", at.0, at.1, escape(&operator_name(&memory.method, at))),
        );
        let (measured, predicted) = (bytes(executing.measured), bytes(executing.predicted));
        let name = escape(&compared.name);
        let _ = writeln!(text, "  {name} {at}: {measured} measured, {predicted} predicted");
    }
    let all = compared.differences.len() + compared.executing.len();
    let shown =
        compared.differences.len().min(DIFFERENCES) + compared.executing.len().min(DIFFERENCES);
    if all > shown {
        let _ = writeln!(text, "  {}: and {} more", escape(&compared.name), all - shown);
    }
}

fn firmware(firmware: Firmware) -> &'static str {
    match firmware {
        Firmware::TempPool => "temp allocator large enough",
        Firmware::EmptyTempPool => "temp allocator too small for looking operators up",
        Firmware::NoTempAllocator => "no temp allocator",
        Firmware::Release0_5 => "release 0.5, no temp allocator",
    }
}

/// The comparison for scripts, null without a trace.
pub fn json(report: &Report<'_>, index: usize) -> Value {
    let (memory, Some(comparison)) = (&report.methods[index], &report.measured[index]) else {
        return Value::Null;
    };
    json!({
        "abi": comparison.abi.name(),
        "firmware": firmware(comparison.firmware),
        "executions": comparison.executions,
        "equal": comparison.is_equal(),
        "nameless_events": comparison.nameless,
        "loading_cut_off": comparison.is_cut,
        "allocators": allocators(memory, comparison),
    })
}

/// High-water marks of the executions.
fn by_instruction(memory: &MethodMemory<'_>, compared: &Compared) -> Vec<Value> {
    let one = |(at, bytes): (&Option<(ChainId, InstructionId)>, &u64)| {
        json!({
            "chain": at.map(|(chain, _)| chain.0),
            "instruction": at.map(|(_, instruction)| instruction.0),
            "operator": at.map(|at| operator_name(&memory.method, at)),
            "bytes": bytes,
        })
    };
    compared.by_instruction.iter().map(one).collect()
}

fn allocators(memory: &MethodMemory<'_>, comparison: &Comparison) -> Vec<Value> {
    let one = |compared: &Compared| {
        let executing = compared.executing.iter().map(|e| {
            json!({
                "chain": e.at.map(|(chain, _)| chain.0),
                "instruction": e.at.map(|(_, instruction)| instruction.0),
                "predicted_bytes": e.predicted,
                "measured_bytes": e.measured,
            })
        });
        let differences =
            compared.differences.iter().map(|d| describe_difference(memory, compared, d));
        json!({
            "name": compared.name,
            "predicted_bytes": compared.predicted,
            "measured_bytes": compared.measured,
            "allocations": compared.allocations,
            "equal": compared.is_equal(),
            "by_instruction": by_instruction(memory, compared),
            "differences": differences.collect::<Vec<_>>(),
            "executing": executing.collect::<Vec<_>>(),
        })
    };
    comparison.allocators.iter().map(one).collect()
}
