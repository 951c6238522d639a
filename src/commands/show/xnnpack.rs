//! The graph in an XNNPACK payload: one line per node.

use super::values::quoted;
use crate::text::escape;
use et_schema::xnnpack::{
    Constant, Convolution, ConvolutionKind, NO_VALUE, Node, Operation, Payload, Pooling,
    PoolingKind, Quantization, Value,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// A graph, and its values by id.
pub struct Graph<'a> {
    payload: Payload<'a>,
    values: BTreeMap<u32, Value<'a>>,
}

impl<'a> Graph<'a> {
    pub fn new(payload: Payload<'a>) -> Self {
        let values = payload.values().map(|value| (value.id(), value)).collect();
        Graph { payload, values }
    }

    /// What it is, in a few words.
    pub fn heading(&self) -> String {
        let (nodes, values) = (self.payload.nodes().len(), self.payload.values().len());
        let version = escape(self.payload.version());
        format!("XNNPACK graph, version {version}, {nodes} nodes, {values} values")
    }

    /// One line per node.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = String> + '_ {
        self.payload.nodes().map(|node| self.line(&node))
    }

    fn line(&self, node: &Node<'_>) -> String {
        let operation = node.operation();
        let list = |ids: &mut dyn Iterator<Item = u32>| {
            ids.map(|id| self.value(id)).collect::<Vec<_>>().join(", ")
        };
        let inputs = list(&mut operation.inputs());
        let outputs = list(&mut operation.outputs());
        let mut parameters = parameters(&operation);
        if let Some((low, high)) = node.clamp() {
            parameters.push(format!("clamp={low}..{high}"));
        }
        let parameters = match parameters.is_empty() {
            true => String::new(),
            false => format!("; {}", parameters.join(", ")),
        };
        format!("{outputs} = {}({inputs}{parameters})", node.kind())
    }

    /// `%3 qint8[1,8] scale=0.1 zero=2`, with where it comes from.
    fn value(&self, id: u32) -> String {
        let Some(value) = self.values.get(&id) else { return format!("%{id} (no such value)") };
        let dims: Vec<String> = value.dims().iter().map(|dim| dim.to_string()).collect();
        let mut text = format!("%{id} {}[{}]", value.data_type(), dims.join(","));
        match value.quantization() {
            Some(Quantization::PerTensor { scale, zero_point }) => {
                text += &format!(" scale={scale} zero={zero_point}");
            }
            Some(Quantization::PerChannel { dimension, .. }) => {
                text += &format!(" scales of dimension {dimension}");
            }
            Some(Quantization::PerChannelGroup { group_size, .. }) => {
                text += &format!(" scales of groups of {group_size}");
            }
            Some(Quantization::PerToken { .. }) => text += " scales of rows, made at run time",
            None => {}
        }
        if let Some(argument) = value.external_id() {
            text +=
                &format!(" {} argument {argument}", if self.is_output(id) { "to" } else { "from" });
        }
        match self.payload.constant(value.constant()) {
            Ok(Some(Constant::Bytes(bytes))) => text += &format!(" const {} B", bytes.len()),
            Ok(Some(Constant::Named { key, size })) => {
                text += &format!(" const {size} B named {}", shortened(key));
            }
            Ok(None) => {}
            Err(_) => text += " (its constant is not in the file)",
        }
        text
    }

    /// Whether a value goes to the delegate's caller.
    fn is_output(&self, id: u32) -> bool {
        self.payload.outputs().any(|output| output == id)
    }

    /// Nodes and values for scripts.
    pub fn json(&self) -> Json {
        let nodes = self.payload.nodes().map(|node| {
            let operation = node.operation();
            json!({
                "kind": node.kind(),
                "debug_handle": node.debug_handle(),
                "inputs": operation.inputs().collect::<Vec<_>>(),
                "outputs": operation.outputs().collect::<Vec<_>>(),
                "parameters": parameters(&operation),
                "clamp": node.clamp().map(|(low, high)| [low.to_string(), high.to_string()]),
            })
        });
        let values = self.payload.values().map(|value| {
            json!({
                "id": value.id(),
                "data_type": value.data_type().to_string(),
                "dims": value.dims().iter().collect::<Vec<_>>(),
                "bytes": value.nbytes(),
                "argument": value.external_id(),
                "constant": value.constant() != 0,
            })
        });
        json!({
            "format": "XNNPACK",
            "version": self.payload.version(),
            "nodes": nodes.collect::<Vec<_>>(),
            "values": values.collect::<Vec<_>>(),
        })
    }
}

/// Keys are hashes of 64 digits; the first are enough to tell them apart.
fn shortened(key: &str) -> String {
    match key.char_indices().nth(12) {
        Some((end, _)) => format!("\"{}…\"", escape(&key[..end])),
        None => quoted(key),
    }
}

fn parameters(operation: &Operation<'_>) -> Vec<String> {
    match *operation {
        Operation::Unary { parameter, .. } if parameter != 0.0 => {
            vec![format!("parameter={parameter}")]
        }
        Operation::Binary { flags, .. } | Operation::FullyConnected { flags, .. } if flags != 0 => {
            vec![format!("flags=0x{flags:x}")]
        }
        Operation::Convolution(it) => convolution(&it),
        Operation::Pooling(it) => pooling(&it),
        Operation::Concatenate { axis, .. } => vec![format!("axis={axis}")],
        Operation::Transpose { permutation, .. } => vec![format!("order={}", list(permutation))],
        Operation::ResizeBilinear { height, width, .. } => {
            vec![format!("size={height}x{width}")]
        }
        Operation::Pad { before, after, value, .. } => vec![
            format!("before={}", list(before)),
            format!("after={}", list(after)),
            format!("value={value}"),
        ],
        Operation::Reshape { shape, .. } => vec![format!("shape={}", list(shape))],
        Operation::Slice { offsets, sizes, .. } => {
            vec![format!("offsets={}", list(offsets)), format!("sizes={}", list(sizes))]
        }
        Operation::ArgMaxPooling { kernel: [height, width], .. } => {
            vec![format!("kernel={height}x{width}")]
        }
        Operation::Unknown(tag) => vec![format!("tag {tag}, which is not known")],
        _ => Vec::new(),
    }
}

fn list(sizes: impl IntoIterator<Item = u32>) -> String {
    format!("{:?}", sizes.into_iter().collect::<Vec<_>>())
}

fn convolution(it: &Convolution) -> Vec<String> {
    let [top, right, bottom, left] = it.padding;
    let mut text = vec![
        format!("kernel={}x{}", it.kernel[0], it.kernel[1]),
        format!("stride={}x{}", it.stride[0], it.stride[1]),
        format!("padding={top},{right},{bottom},{left}"),
    ];
    if it.dilation != [1, 1] {
        text.push(format!("dilation={}x{}", it.dilation[0], it.dilation[1]));
    }
    if it.groups != 1 {
        text.push(format!("groups={}", it.groups));
    }
    if it.kind == ConvolutionKind::Transposed && it.adjustment != [0, 0] {
        text.push(format!("adjustment={}x{}", it.adjustment[0], it.adjustment[1]));
    }
    if it.bias == NO_VALUE {
        text.push("no bias".into());
    }
    text
}

fn pooling(it: &Pooling) -> Vec<String> {
    let [top, right, bottom, left] = it.padding;
    let mut text = vec![
        format!("kernel={}x{}", it.kernel[0], it.kernel[1]),
        format!("stride={}x{}", it.stride[0], it.stride[1]),
        format!("padding={top},{right},{bottom},{left}"),
    ];
    if it.kind == PoolingKind::Max && it.dilation != [1, 1] {
        text.push(format!("dilation={}x{}", it.dilation[0], it.dilation[1]));
    }
    text
}
