//! Graphs as `torch.export` serialises them (`torch/_export/serde/schema.py`,
//! `exir/serde/serialize.py`): the nodes, with what they remember of the model.

use super::numbers::make_finite;
use crate::error::{Format, ReadError, Result};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// A graph: its operator calls in order.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_handle: HashMap<i64, Vec<usize>>,
}

/// An operator call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Name in the graph, such as `aten_addmm_default`.
    pub name: String,
    /// What it calls, as the file has it:
    /// `executorch.exir.dialects.edge.ops.aten.addmm.default`.
    pub target: String,
    /// Names of the values that it reads.
    pub inputs: Vec<String>,
    /// Debug handle, which instructions refer to.
    pub debug_handle: Option<i64>,
    /// Python's stack when the model was traced, innermost frame last.
    pub stack_trace: Option<String>,
    /// The modules around it, outermost first; `None` if not recorded.
    pub modules: Option<Vec<Module>>,
}

/// A module of the model around a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The exporter's key, unique in the model.
    pub key: String,
    /// Path from the model, such as `blocks.0.norm1`; empty for the model itself.
    pub path: String,
    /// Class, such as `torch.nn.modules.linear.Linear`.
    pub class: String,
}

/// Where the exporter keeps operators of the edge dialect.
const EDGE: &str = "executorch.exir.dialects.edge.ops.";

impl Node {
    /// Operator as the Inspector shows it in `op_types`: `__name__` of the
    /// target, which has the namespace for operators of the edge dialect only.
    pub fn op_type(&self) -> &str {
        if let Some(operator) = self.target.strip_prefix(EDGE) {
            return operator;
        }
        let operator = self.target.strip_prefix("torch.ops.").unwrap_or(&self.target);
        match self.target.starts_with("torch.ops.") {
            true => operator.split_once('.').map_or(operator, |(_, name)| name),
            false => operator.rsplit_once('.').map_or(operator, |(_, name)| name),
        }
    }

    /// Innermost module, if modules were recorded.
    pub fn module(&self) -> Option<&Module> {
        self.modules.as_ref()?.last()
    }

    /// File and line of the innermost frame.
    pub fn source(&self) -> Option<(&str, u32)> {
        let trace = self.stack_trace.as_deref()?;
        let frame = trace.lines().rev().find_map(|line| line.trim().strip_prefix("File \""))?;
        let (file, rest) = frame.split_once("\", line ")?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        Some((file, rest[..digits].parse().ok()?))
    }
}

impl Graph {
    /// Reads the JSON document in member `place`.
    pub(super) fn parse(place: &str, mut json: Vec<u8>) -> Result<Self> {
        make_finite(&mut json);
        let program: ProgramJson<'_> = serde_json::from_slice(&json).map_err(|error| {
            ReadError::field(Format::EtRecord, place, "an exported program", error.to_string())
        })?;
        let nodes: Vec<Node> =
            program.graph_module.graph.nodes.into_iter().map(Node::from).collect();
        let mut by_handle: HashMap<i64, Vec<usize>> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            if let Some(handle) = node.debug_handle {
                by_handle.entry(handle).or_default().push(index);
            }
        }
        Ok(Graph { nodes, by_handle })
    }

    /// The operator calls, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The operator calls with `debug_handle`, in order.
    pub fn nodes_of(&self, debug_handle: i64) -> impl Iterator<Item = &Node> {
        let indices = self.by_handle.get(&debug_handle).into_iter().flatten();
        indices.filter_map(|&index| self.nodes.get(index))
    }
}

#[derive(Deserialize)]
struct ProgramJson<'a> {
    #[serde(borrow)]
    graph_module: GraphModuleJson<'a>,
}

#[derive(Deserialize)]
struct GraphModuleJson<'a> {
    #[serde(borrow)]
    graph: GraphJson<'a>,
}

#[derive(Deserialize)]
struct GraphJson<'a> {
    #[serde(borrow)]
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Deserialize)]
struct NodeJson<'a> {
    #[serde(default, borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    target: Cow<'a, str>,
    #[serde(default)]
    inputs: Vec<InputJson>,
    #[serde(default)]
    outputs: Vec<serde_json::Value>,
    #[serde(default, borrow)]
    metadata: MetadataJson<'a>,
}

#[derive(Deserialize)]
struct InputJson {
    #[serde(default)]
    arg: serde_json::Value,
}

#[derive(Deserialize, Default)]
struct MetadataJson<'a> {
    #[serde(default, borrow)]
    debug_handle: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    stack_trace: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    nn_module_stack: Option<Cow<'a, str>>,
}

impl From<NodeJson<'_>> for Node {
    fn from(json: NodeJson<'_>) -> Self {
        let name = json.name.map(Cow::into_owned);
        let inputs = json.inputs.iter().flat_map(|input| value_names(&input.arg)).collect();
        Node {
            // Records of older exporters name the outputs only.
            name: name
                .or_else(|| json.outputs.first().and_then(|o| value_names(o).pop()))
                .unwrap_or_default(),
            target: json.target.into_owned(),
            inputs,
            debug_handle: json.metadata.debug_handle.and_then(|h| h.trim().parse().ok()),
            stack_trace: json.metadata.stack_trace.map(Cow::into_owned),
            modules: json.metadata.nn_module_stack.map(|stack| modules(&stack)),
        }
    }
}

/// Names of the tensors that an argument refers to.
fn value_names(arg: &serde_json::Value) -> Vec<String> {
    let name = |v: &serde_json::Value| v.get("name").and_then(|n| n.as_str()).map(str::to_owned);
    let Some((kind, value)) = arg.as_object().and_then(|o| o.iter().next()) else {
        return Vec::new();
    };
    match kind.as_str() {
        "as_tensor" | "as_sym_int" | "as_sym_bool" => name(value)
            .or_else(|| value.get("as_name")?.as_str().map(str::to_owned))
            .into_iter()
            .collect(),
        "as_tensors" => value.as_array().into_iter().flatten().filter_map(name).collect(),
        "as_optional_tensors" => value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.get("as_tensor").and_then(name))
            .collect(),
        _ => Vec::new(),
    }
}

/// `key,path,class;…`. A later entry of the same key replaces an earlier one.
fn modules(stack: &str) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    for entry in stack.split(';') {
        let mut fields = fields(entry);
        let (Some(key), Some(path), Some(class)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let module = Module { key: key.into(), path: path.into(), class: class.into() };
        match modules.iter_mut().find(|m| m.key == module.key) {
            Some(earlier) => *earlier = module,
            None => modules.push(module),
        }
    }
    modules
}

/// Fields between commas that are in no brackets.
fn fields(entry: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0u32;
    entry.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(target: &str, stack_trace: Option<&str>) -> Node {
        Node {
            name: "n".into(),
            target: target.into(),
            inputs: Vec::new(),
            debug_handle: None,
            stack_trace: stack_trace.map(str::to_owned),
            modules: None,
        }
    }

    #[test]
    fn only_edge_operators_keep_their_namespace() {
        for (target, op_type) in [
            ("executorch.exir.dialects.edge.ops.aten.addmm.default", "aten.addmm.default"),
            ("torch.ops.aten.scalar_tensor.default", "scalar_tensor.default"),
            ("torch.ops.higher_order.cond", "cond"),
            ("_operator.add", "add"),
            ("math.ceil", "ceil"),
        ] {
            assert_eq!(node(target, None).op_type(), op_type);
        }
    }

    #[test]
    fn source_is_the_innermost_frame() {
        let trace = "  File \"a.py\", line 3, in f\n    g()\n  File \"b, c.py\", line 152, in g\n    return x\n           ^\n";
        assert_eq!(node("t", Some(trace)).source(), Some(("b, c.py", 152)));
        assert_eq!(node("t", Some("no frame")).source(), None);
        assert_eq!(node("t", None).source(), None);
    }

    #[test]
    fn module_classes_may_hold_commas_in_brackets() {
        let stack = modules("L__self__,,M;1,a.b,Map(int, str)");
        assert_eq!(stack[0].path, "");
        assert_eq!((stack[1].path.as_str(), stack[1].class.as_str()), ("a.b", "Map(int, str)"));
    }
}
