//! The archive's members by what they are.

use super::archive::Archive;
use super::graph::Graph;
use super::maps::{ByMethod, Delegate, Handles, Maps};
use super::torch::SavedValue;
use crate::error::{Format, ReadError, Result};
use crate::ids::InstructionId;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

const IDENTIFIER: &str = "ETRECORD_V0";
const EDGE_PROGRAM: &str = "edge_dialect_exported_program";
const EXPORTED_PROGRAM: &str = "exported_program";
/// What lies beside each graph.
const SUFFIXES: [&str; 3] = ["_state_dict", "_constants", "_example_inputs"];

/// An opened ETRecord.
#[derive(Clone, Debug)]
pub struct File<'a> {
    archive: Archive<'a>,
    maps: Maps,
    export_graph_id: Option<i64>,
}

impl<'a> File<'a> {
    /// Reads the archive's directory and the maps.
    ///
    /// # Errors
    /// No zip archive, one without the member `ETRECORD_V0`, or a map that is
    /// not the JSON it should be.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let archive = Archive::open(bytes)?;
        if !archive.contains(IDENTIFIER) {
            let found = archive.names().next().unwrap_or("an empty archive").to_owned();
            return Err(ReadError::at(
                Format::EtRecord,
                0,
                format!("a zip archive with a member {IDENTIFIER}"),
                format!("one without ({found})"),
            ));
        }
        let maps = Maps {
            handles: map(&archive, "debug_handle_map")?,
            delegates: map(&archive, "delegate_map")?,
            output_counts: map(&archive, "instruction_id_to_num_outs_map")?,
        };
        let export_graph_id = json(&archive, "export_graph_id")?;
        Ok(File { archive, maps, export_graph_id })
    }

    /// Names of the archive's members, in alphabetical order.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.archive.names()
    }

    /// Methods that it knows instructions or graphs of, in alphabetical order.
    pub fn methods(&self) -> Vec<&str> {
        let maps = self.maps.handles.keys().map(String::as_str);
        let graphs = self.graph_names().filter_map(|name| name.strip_prefix(EDGE_PROGRAM));
        let graphs = graphs.map(|method| method.strip_prefix('/').unwrap_or("forward"));
        maps.chain(graphs).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Instructions of `method` that it knows debug handles of, in their order.
    pub fn instructions(&self, method: &str) -> Vec<InstructionId> {
        let keys = self.maps.handles.get(method).into_iter().flat_map(|map| map.keys());
        let numbers: BTreeSet<u32> = keys.filter_map(|key| key.parse().ok()).collect();
        numbers.into_iter().map(InstructionId).collect()
    }

    /// Debug handles of an instruction, `None` if the record has none.
    pub fn debug_handles(&self, method: &str, instruction: InstructionId) -> Option<&Handles> {
        self.maps.handles.get(method)?.get(&instruction.to_string())
    }

    /// What the exporter wrote of a delegate call.
    pub fn delegate(&self, method: &str, instruction: InstructionId) -> Option<&Delegate> {
        self.maps.delegates.get(method)?.get(&instruction.to_string())
    }

    /// Number of outputs of an instruction; 1 unless the record says otherwise.
    pub fn output_count(&self, method: &str, instruction: InstructionId) -> u32 {
        let counts = self.maps.output_counts.get(method);
        counts.and_then(|c| c.get(&instruction.to_string())).copied().unwrap_or(1)
    }

    /// Identity of the exported graph, which nodes' histories refer to.
    pub fn export_graph_id(&self) -> Option<i64> {
        self.export_graph_id
    }

    /// Names of the graphs, such as `edge_dialect_exported_program/forward`.
    pub fn graph_names(&self) -> impl Iterator<Item = &str> {
        self.archive.names().filter(|name| {
            let has_weights = self.archive.contains(&format!("{name}_state_dict"));
            has_weights && !SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        })
    }

    /// The graph `name`, `None` if there is none.
    ///
    /// # Errors
    /// A damaged member.
    pub fn graph(&self, name: &str) -> Result<Option<Graph>> {
        self.archive.read(name)?.map(|bytes| Graph::parse(name, bytes)).transpose()
    }

    /// The graph of `method` in the edge dialect, which debug handles refer to.
    ///
    /// # Errors
    /// A damaged member.
    pub fn edge_program(&self, method: &str) -> Result<Option<Graph>> {
        if let Some(graph) = self.graph(&format!("{EDGE_PROGRAM}/{method}"))? {
            return Ok(Some(graph));
        }
        // Older exporters wrote one method only.
        if method == "forward" { self.graph(EDGE_PROGRAM) } else { Ok(None) }
    }

    /// The graph that `torch.export` made, before lowering.
    ///
    /// # Errors
    /// A damaged member.
    pub fn exported_program(&self) -> Result<Option<Graph>> {
        self.graph(EXPORTED_PROGRAM)
    }

    /// The inputs that the exporter was given as typical ones.
    ///
    /// # Errors
    /// A damaged member, or one that holds more than tensors and numbers.
    pub fn representative_inputs(&self) -> Result<Option<SavedValue>> {
        self.saved("representative_inputs")
    }

    /// The outputs that the exporter was given as right ones.
    ///
    /// # Errors
    /// A damaged member, or one that holds more than tensors and numbers.
    pub fn reference_outputs(&self) -> Result<Option<SavedValue>> {
        self.saved("reference_outputs")
    }

    /// What `torch.save` wrote into member `name`, such as a graph's `_state_dict`.
    ///
    /// # Errors
    /// A damaged member, or one that holds more than tensors and numbers.
    pub fn saved(&self, name: &str) -> Result<Option<SavedValue>> {
        self.archive.read(name)?.map(|bytes| SavedValue::parse(name, &bytes)).transpose()
    }
}

/// A member that maps methods and instructions; empty if there is none.
fn map<T: DeserializeOwned>(archive: &Archive<'_>, name: &str) -> Result<ByMethod<T>> {
    Ok(json::<Option<ByMethod<T>>>(archive, name)?.flatten().unwrap_or_default())
}

fn json<T: DeserializeOwned>(archive: &Archive<'_>, name: &str) -> Result<Option<T>> {
    let Some(bytes) = archive.read(name)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        ReadError::field(Format::EtRecord, name, "the exporter's JSON", error.to_string())
    })
}
