//! `ETR001`, `ETD001` and `ETD002`: what the program needs and the runtime does not have.

use super::{Code, Finding};
use crate::backends::Backend;
use et_schema::ids::{ChainId, InstructionId};

/// An operator without a kernel, called `count` times, first `at` an instruction.
pub fn missing_operator(name: &str, at: (ChainId, InstructionId), count: usize) -> Finding {
    let (chain, instruction) = at;
    Finding {
        code: Code::MissingOperator,
        title: format!(
            "no kernel for {name}, which {count} {} (first {chain}:{instruction})",
            if count == 1 { "instruction calls" } else { "instructions call" }
        ),
        evidence: vec![("operator", name.to_owned()), ("calls", count.to_string())],
        remedy: format!("build a kernel for {name} into the runtime, or export without it"),
        at: Some(at),
        operator: Some(name.to_owned()),
    }
}

/// A delegate whose backend is not there.
pub fn missing_backend(id: &str) -> Finding {
    let name = match Backend::find(id) {
        Some(backend) => format!(" ({}, for {})", backend.name, backend.hardware),
        None => String::new(),
    };
    Finding {
        code: Code::MissingBackend,
        title: format!("no backend {id}{name} in this runtime"),
        evidence: vec![("backend", id.to_owned())],
        remedy: format!(
            "export the program without {id} to run it here, or run the rest with \
             --stub-delegates"
        ),
        at: None,
        operator: None,
    }
}

/// A backend that a run stood in for, for `count` delegates.
pub fn stubbed_backend(id: &str, count: usize) -> Finding {
    let delegates = if count == 1 { "1 delegate" } else { &format!("{count} delegates") };
    Finding {
        code: Code::StubbedBackend,
        title: format!("{delegates} of {id} did not run: outputs are zeros"),
        evidence: vec![("backend", id.to_owned()), ("delegates", count.to_string())],
        remedy: "take no number behind them for a result; times and memory of the rest are real"
            .to_owned(),
        at: None,
        operator: None,
    }
}
