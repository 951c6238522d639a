//! The page for people.

use super::Report;
use crate::board;
use crate::findings;
use crate::text::{bytes, escape, wrap};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::diagnose::{Argument, Candidate, InFlight, Likelihood};
use et_inspector::log::Run;
use std::fmt::Write;

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let mut text = String::new();
    let diagnosis = &report.diagnosis;
    let board = report.target.map_or(report.abi.name(), |target| &target.name);
    let model = escape(&report.model.to_string_lossy());
    let _ = writeln!(text, "{model}  method {}  {board}\n", escape(report.method));
    wrap(&mut text, "", &sentence(&diagnosis.verdict.sentence));
    let _ = writeln!(text, "Confidence: {}.", diagnosis.verdict.confidence.name());
    if let Some(log) = report.log {
        text.push('\n');
        for (index, run) in log.runs.iter().enumerate() {
            reached(&mut text, run, (log.runs.len() > 1).then_some(index + 1));
        }
    }
    if let Some(in_flight) = &diagnosis.in_flight {
        tensors(&mut text, in_flight);
    }
    if let Some(comparison) = &diagnosis.measured {
        board::section(&mut text, comparison);
    }
    candidates(&mut text, &diagnosis.candidates);
    if !diagnosis.findings.is_empty() {
        let _ = write!(text, "\nFindings\n{}", findings::text_with_evidence(&diagnosis.findings));
    }
    text
}

/// A sentence with its first letter and its full stop.
pub fn sentence(clause: &str) -> String {
    let clause = escape(clause);
    let mut chars = clause.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str().trim_end_matches('.')),
        None => String::new(),
    }
}

fn reached(text: &mut String, run: &Run, number: Option<usize>) {
    let number = number.map_or_else(String::new, |n| format!("Run {n}, "));
    let lead = if number.is_empty() {
        format!("Line {}: ", run.reached.line)
    } else {
        format!("{number}line {}: ", run.reached.line)
    };
    if run.reached.line > 0 {
        wrap(text, &lead, &escape(&run.reached.text));
    }
    if run.last.line > run.reached.line {
        wrap(text, &format!("Last line {}: ", run.last.line), &escape(&run.last.text));
    }
    wrap(text, "Next: ", run.stage.next());
}

fn tensors(text: &mut String, in_flight: &InFlight) {
    let later = if in_flight.or_later { ", or a later one" } else { "" };
    let _ = writeln!(text, "\nIn flight: {}{later}", escape(&in_flight.place()));
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([" value", "argument", "type", "bytes", "where"]);
    for tensor in &in_flight.tensors {
        table.add_row([
            format!(" %{}", tensor.value),
            argument_name(tensor),
            type_of(tensor),
            tensor.bytes.map_or_else(|| "?".into(), bytes),
            place(tensor),
        ]);
    }
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let _ = writeln!(text, "{}", table.trim_fmt());
}

/// `self`, `out (output)`.
pub fn argument_name(tensor: &Argument) -> String {
    match (tensor.name, tensor.output) {
        ("", Some(true)) => "output".into(),
        ("", Some(false)) => "input".into(),
        ("", None) => "argument".into(),
        (name, Some(true)) => format!("{name}, written"),
        (name, _) => name.to_owned(),
    }
}

/// `float32[1, 8]`.
pub fn type_of(tensor: &Argument) -> String {
    let scalar_type = tensor.scalar_type.map_or_else(|| "?".into(), |t| t.to_string());
    format!("{scalar_type}{:?}", tensor.sizes)
}

/// Where a tensor lies.
pub fn place(tensor: &Argument) -> String {
    match tensor.planned {
        Some((id, offset)) => format!("planned buffer {id} + {offset:#x}"),
        None if tensor.constant => "constant of the program".into(),
        None => "given at run time".into(),
    }
}

fn candidates(text: &mut String, candidates: &[Candidate]) {
    if candidates.is_empty() {
        return;
    }
    text.push_str("\nWhat may have stopped it, the most probable first\n");
    for candidate in candidates {
        let lead = format!("  {:9}  ", candidate.likelihood.name());
        wrap(text, &lead, &escape(&candidate.cause));
        wrap(text, "             because: ", &escape(&candidate.why));
        if candidate.likelihood != Likelihood::RuledOut {
            wrap(text, "             check: ", &escape(&candidate.check));
        }
    }
}
