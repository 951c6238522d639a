//! What an ETRecord says of an event.

use super::origin::Origin;
use crate::events::EventRow;
use et_schema::etdump::DelegateId;
use et_schema::etrecord::{File, Graph, Handles, Node};
use et_schema::ids::InstructionId;

/// Events of the framework, which are of no node although they carry instruction 0.
const FRAMEWORK: [&str; 3] = ["Method::init", "Program::load_method", "Method::execute"];

/// An ETRecord, and its graph of one method.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub file: &'a File<'a>,
    pub graph: Graph,
}

impl<'a> Record<'a> {
    /// Adds what the record says of `row` of `method`.
    pub fn describe<'c>(&'c self, method: &str, row: &EventRow<'_>, origin: &mut Origin<'c>) {
        // The exporter numbers the instructions of the first chain only.
        let Ok(number) = u32::try_from(row.instruction) else { return };
        let instruction = InstructionId(number);
        let Some(handles) = self.file.debug_handles(method, instruction).filter(|_| row.chain <= 0)
        else {
            return;
        };
        let delegate = self.file.delegate(method, instruction);
        origin.output_count = Some(self.file.output_count(method, instruction));
        match (row.delegate_id, delegate) {
            (None, delegate) => {
                origin.debug_handles = Some(handles.as_slice());
                if row.name == "DELEGATE_CALL" {
                    origin.backend = delegate.map(|d| d.name.as_str()).or(origin.backend);
                }
            }
            (Some(_), None) => origin.debug_handles = Some(handles.as_slice()),
            (Some(id), Some(delegate)) => {
                origin.backend = Some(&delegate.name);
                let found = match id {
                    DelegateId::Int(number) => delegate.operations.find_number(number),
                    DelegateId::Name(name) => delegate.operations.find_name(name),
                };
                origin.debug_handles = found.map(Handles::as_slice);
            }
        }
        if !FRAMEWORK.contains(&row.display_name().as_str()) {
            let handles = origin.debug_handles.unwrap_or_default();
            origin.nodes = handles.iter().flat_map(|&handle| self.graph.nodes_of(handle)).collect();
        }
    }

    /// How many of `rows` name an operator that the record has for their instruction.
    pub fn agreement(&self, method: &str, rows: &[EventRow<'_>]) -> usize {
        rows.iter().filter(|row| self.agrees(method, row)).count()
    }

    fn agrees(&self, method: &str, row: &EventRow<'_>) -> bool {
        let Some(kernel) = row.name.strip_prefix("native_call_") else { return false };
        let operator = kernel.split('.').next().unwrap_or_default();
        let Ok(number) = u32::try_from(row.instruction) else { return false };
        let handles = self.file.debug_handles(method, InstructionId(number));
        let handles = handles.map(Handles::as_slice).unwrap_or_default();
        let mut nodes = handles.iter().flat_map(|&handle| self.graph.nodes_of(handle));
        nodes.any(|node: &Node| node.op_type().split('.').any(|part| part == operator))
    }
}
