//! `ETM006`: memory that was measured and is not as predicted.

use super::{Code, Finding};
use crate::memory::MethodMemory;
use crate::memory::measured::{
    BoardComparison, BoardRow, Compared, Comparison, Difference, Expected,
};
use et_schema::ids::{ChainId, InstructionId};

/// The findings about allocators that a trace of `memory` shows in another way
/// than predicted.
pub fn measured_differs(memory: &MethodMemory<'_>, comparison: &Comparison) -> Vec<Finding> {
    let mut found = Vec::new();
    if comparison.abi != memory.abi {
        found.push(other_abi(memory, comparison));
    }
    let differing = comparison.allocators.iter().filter(|a| !a.is_equal());
    found.extend(differing.map(|compared| differs(memory, compared)));
    found
}

/// The findings about numbers of a board's log that the prediction does not
/// explain.
pub fn board_differs(comparison: &BoardComparison) -> Vec<Finding> {
    let unexplained = comparison.rows.iter().filter(|row| !row.is_explained);
    unexplained.map(board_row).collect()
}

fn board_row(row: &BoardRow) -> Finding {
    let BoardRow { name, predicted, measured, why, .. } = row;
    Finding {
        code: Code::MeasuredDiffers,
        title: format!("the board's {name} is {measured} bytes, {predicted} were predicted"),
        evidence: vec![
            ("number", name.clone()),
            ("predicted_bytes", predicted.to_string()),
            ("measured_bytes", measured.to_string()),
        ],
        remedy: why.clone().unwrap_or_else(|| "check that the log is of this program".into()),
        at: None,
        operator: None,
    }
}

fn other_abi(memory: &MethodMemory<'_>, comparison: &Comparison) -> Finding {
    let (asked, traced) = (memory.abi.name(), comparison.abi.name());
    Finding {
        code: Code::MeasuredDiffers,
        title: format!("the trace has objects of {traced}, not of {asked}"),
        evidence: vec![("abi", asked.to_owned()), ("trace_abi", traced.to_owned())],
        remedy: format!(
            "compare with --abi {traced}, or take the trace with --abi {asked}; the numbers of \
             {asked} stay a prediction"
        ),
        at: None,
        operator: None,
    }
}

fn differs(memory: &MethodMemory<'_>, compared: &Compared) -> Finding {
    let name = &compared.name;
    let measured = compared.measured.unwrap_or(0);
    let title = match compared.predicted {
        Some(predicted) if predicted == measured => format!(
            "the {name} allocator took the {measured} bytes that were predicted, in other \
             allocations"
        ),
        Some(predicted) => {
            format!("the {name} allocator took {measured} bytes, {predicted} were predicted")
        }
        None => format!("the {name} allocator took {measured} bytes; nothing is predicted of it"),
    };
    let mut evidence = vec![("allocator", name.clone())];
    evidence.extend(compared.predicted.map(|p| ("predicted_bytes", p.to_string())));
    evidence.push(("measured_bytes", measured.to_string()));
    evidence.push(("differing_allocations", compared.differences.len().to_string()));
    let first = compared.differences.first();
    evidence.extend(first.map(|d| ("first_difference", describe(memory, compared, d))));
    let at = compared.executing.iter().find_map(|e| e.at);
    if let Some(most) = compared.executing.iter().max_by_key(|e| e.measured) {
        evidence.push(("executing_measured_bytes", most.measured.to_string()));
        evidence.push(("executing_predicted_bytes", most.predicted.to_string()));
    }
    Finding {
        code: Code::MeasuredDiffers,
        title,
        evidence,
        remedy: remedy(compared, measured),
        at,
        operator: at
            .map(|at: (ChainId, InstructionId)| crate::memory::operator_name(&memory.method, at)),
    }
}

fn remedy(compared: &Compared, measured: u64) -> String {
    let name = &compared.name;
    match compared.predicted {
        Some(predicted) if measured > predicted => format!(
            "give the {name} pool at least the {measured} bytes that were measured; look at the \
             first difference for who takes more (a backend, a custom kernel, another release)"
        ),
        Some(predicted) => format!(
            "keep the {name} pool at the predicted {predicted} bytes; check that the trace is of \
             this program and whole"
        ),
        None => format!("count the {name} allocator's {measured} bytes to what the board needs"),
    }
}

/// A difference in words.
pub fn describe(memory: &MethodMemory<'_>, compared: &Compared, at: &Difference) -> String {
    let what = |index: usize| match compared.expected.get(index) {
        Some(Expected::Loader(allocation)) => {
            let (bytes, what) = (allocation.request.size, memory.describe(&allocation.request));
            format!("{what} ({bytes} bytes)")
        }
        Some(Expected::Backend { delegate, bytes }) => {
            let id = memory.delegates.get(*delegate).map_or("backend", |d| d.id.as_str());
            format!("delegate {delegate}: {id}'s own object ({bytes} bytes)")
        }
        None => "the end".to_owned(),
    };
    match at {
        Difference::Extra { index, bytes, before } => {
            format!(
                "allocation {index} of {bytes} bytes is not predicted, before {}",
                what(*before)
            )
        }
        Difference::Absent { predicted } => format!("not allocated: {}", what(*predicted)),
        Difference::Resized { predicted, index, bytes } => {
            format!("allocation {index} has {bytes} bytes instead of {}", what(*predicted))
        }
    }
}
