//! An ETRecord: its members, and what it knows of each instruction.

use super::document_name;
use super::program::count;
use super::values::quoted;
use crate::text::{bytes, escape};
use et_schema::ReadError;
use et_schema::etrecord::{File, Graph, Node};
use et_schema::ids::InstructionId;
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

/// Members, graphs and, method by method, instructions, but for those lines
/// that `hidden` names.
///
/// # Errors
/// A damaged graph.
pub fn text(
    path: &Path,
    file: &File<'_>,
    size: usize,
    hidden: impl Fn(usize) -> Range<usize>,
) -> Result<String, ReadError> {
    let name = escape(&path.to_string_lossy());
    let members = count(file.members().count() as u64, "member");
    let mut text =
        format!("{name}: ETRecord (zip archive, ETRECORD_V0), {}; {members}\n", bytes(size as u64));
    for graph in file.graph_names() {
        let nodes = file.graph(graph)?.map_or(0, |graph| graph.nodes().len());
        let _ =
            writeln!(text, "  graph {}: {}", quoted(graph), count(nodes as u64, "operator call"));
    }
    for saved in ["representative_inputs", "reference_outputs"] {
        if file.members().any(|member| member == saved) {
            let _ = writeln!(text, "  saved tensors: {saved}");
        }
    }
    for method in file.methods() {
        let instructions = file.instructions(method);
        let graph = file.edge_program(method)?;
        let known = count(instructions.len() as u64, "instruction");
        let _ = writeln!(text, "\nmethod {}: {known} with debug handles", escape(method));
        let hidden = hidden(instructions.len());
        for (index, instruction) in instructions.into_iter().enumerate() {
            if index == hidden.start && !hidden.is_empty() {
                let more = count(hidden.len() as u64, "instruction");
                let _ = writeln!(text, "  ... {more} not shown; --all shows them");
            }
            if !hidden.contains(&index) {
                let line = line(file, graph.as_ref(), method, instruction);
                let _ = writeln!(text, "  {:<4}  {line}", instruction.to_string());
            }
        }
    }
    Ok(text)
}

/// Operators, module, source line and debug handles of an instruction.
fn line(file: &File<'_>, graph: Option<&Graph>, method: &str, at: InstructionId) -> String {
    let nodes = nodes(file, graph, method, at);
    let mut parts = Vec::new();
    if let Some(delegate) = file.delegate(method, at) {
        let operations = count(delegate.operations.len() as u64, "operation");
        parts.push(format!("delegate {} ({operations})", escape(&delegate.name)));
    }
    if !nodes.is_empty() {
        let operators: Vec<String> = nodes.iter().map(|node| escape(node.op_type())).collect();
        parts.push(operators.join(", "));
    }
    if let Some(module) = nodes.iter().find_map(|node| node.module()) {
        parts.push(format!("in {} ({})", quoted(&module.path), escape(&module.class)));
    }
    if let Some((source, line)) = nodes.iter().find_map(|node| node.source()) {
        parts.push(format!("at {}:{line}", escape(source)));
    }
    parts.push(format!("debug handles {:?}", handles(file, method, at)));
    parts.join("  ")
}

fn handles<'f>(file: &'f File<'_>, method: &str, at: InstructionId) -> &'f [i64] {
    file.debug_handles(method, at).map_or(&[], |handles| handles.as_slice())
}

/// The operator calls that an instruction stands for.
fn nodes<'g>(
    file: &File<'_>,
    graph: Option<&'g Graph>,
    method: &str,
    at: InstructionId,
) -> Vec<&'g Node> {
    let Some(graph) = graph else { return Vec::new() };
    handles(file, method, at).iter().flat_map(|handle| graph.nodes_of(*handle)).collect()
}

/// The whole file but for its tensors.
///
/// # Errors
/// A damaged graph.
pub fn json(path: &Path, file: &File<'_>, size: usize) -> Result<Json, ReadError> {
    let graphs = file.graph_names().map(|name| {
        let graph = file.graph(name)?.unwrap_or_default();
        let nodes = graph.nodes().iter().map(node_json).collect::<Vec<_>>();
        Ok(json!({ "name": name, "nodes": nodes }))
    });
    let methods = file.methods().into_iter().map(|method| {
        let instructions = file.instructions(method).into_iter().map(|at| {
            json!({
                "instruction": at.0,
                "debug_handles": handles(file, method, at),
                "outputs": file.output_count(method, at),
                "delegate": file.delegate(method, at).map(|delegate| json!({
                    "name": delegate.name,
                    "operations": delegate.operations.iter().map(|(name, handles)| json!({
                        "name": name,
                        "debug_handles": handles.as_slice(),
                    })).collect::<Vec<_>>(),
                })),
            })
        });
        json!({ "name": method, "instructions": instructions.collect::<Vec<_>>() })
    });
    Ok(json!({
        "schema": "etinspect.show/1",
        "model": document_name(path),
        "format": "etrecord",
        "file": { "size_bytes": size },
        "members": file.members().collect::<Vec<_>>(),
        "graphs": graphs.collect::<Result<Vec<_>, ReadError>>()?,
        "methods": methods.collect::<Vec<_>>(),
    }))
}

fn node_json(node: &Node) -> Json {
    json!({
        "name": node.name,
        "operator": node.op_type(),
        "inputs": node.inputs,
        "debug_handle": node.debug_handle,
        "module": node.module().map(|module| json!({ "path": module.path, "class": module.class })),
        "source": node.source().map(|(file, line)| json!({ "file": file, "line": line })),
    })
}
