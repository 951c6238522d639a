//! Node data for Model Explorer, which it colours the nodes of a graph by.
//!
//! A document has one entry per graph: the number of each node, by the node's
//! id, and a scale of colours. A trace knows instructions, so a graph is a
//! chain (`chain_0`) and a node's id is the instruction's number, as in graphs
//! that are made of the program. Numbers are mean times of an execution.

use et_inspector::events::{EventBlocks, EventRow, Times};
use serde::Serialize;
use std::collections::BTreeMap;

/// Data of a graph, as `ModelNodeData` of Model Explorer's `node_data_builder`
/// saves it.
#[derive(Serialize, Default)]
struct Graph {
    results: BTreeMap<String, Node>,
    gradient: [Stop; 3],
}

#[derive(Serialize)]
struct Node {
    value: f64,
}

#[derive(Serialize)]
struct Stop {
    stop: f64,
    #[serde(rename = "bgColor")]
    color: &'static str,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { stop: 0.0, color: "" }
    }
}

/// From little to much, readable on both of the viewer's themes.
const GRADIENT: [Stop; 3] = [
    Stop { stop: 0.0, color: "#d4edda" },
    Stop { stop: 0.5, color: "#ffe08a" },
    Stop { stop: 1.0, color: "#e8684a" },
];

/// The document.
pub fn model_explorer(events: &EventBlocks<'_>, times: &Times) -> String {
    let mut graphs: BTreeMap<String, Graph> = BTreeMap::new();
    for block in &events.blocks {
        for row in block.events.iter().filter(|row| is_instruction(row)) {
            let Some(statistics) = row.statistics(times) else { continue };
            let graph = graphs
                .entry(format!("chain_{}", row.chain))
                .or_insert_with(|| Graph { gradient: GRADIENT, ..Graph::default() });
            let node = Node { value: statistics.avg };
            graph.results.insert(row.instruction.to_string(), node);
        }
    }
    serde_json::to_string_pretty(&graphs).unwrap_or_default() + "\n"
}

/// `OPERATOR_CALL`, `DELEGATE_CALL` and the like span all that the instruction did.
fn is_instruction(row: &EventRow<'_>) -> bool {
    row.delegate_id.is_none() && row.chain >= 0 && row.name.ends_with("_CALL")
}
