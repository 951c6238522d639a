//! The module of the model that each instruction comes from, without a trace.

use super::origin::Origin;
use et_schema::ReadError;
use et_schema::etrecord::{File, Handles};
use et_schema::ids::InstructionId;
use std::collections::BTreeMap;

/// Paths of modules by instruction of the first chain, as the exporter numbers
/// them: of all nodes that an instruction was made from the innermost common one.
/// Instructions of the model itself are left out.
///
/// # Errors
/// The ETRecord's graph is damaged.
pub fn modules(
    record: &File<'_>,
    method: &str,
    instructions: usize,
) -> Result<BTreeMap<InstructionId, String>, ReadError> {
    let graph = record.edge_program(method)?.unwrap_or_default();
    let instructions = (0..instructions as u32).map(InstructionId);
    Ok(instructions
        .filter_map(|instruction| {
            let handles = record.debug_handles(method, instruction).map(Handles::as_slice)?;
            let nodes = handles.iter().flat_map(|handle| graph.nodes_of(*handle)).collect();
            let origin = Origin { nodes, ..Origin::default() };
            let module = origin.module().filter(|module| !module.is_empty())?;
            Some((instruction, module.to_owned()))
        })
        .collect())
}
