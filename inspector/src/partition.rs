//! How a method was cut into delegates: what lies between two calls of the same
//! backend, why it is probably there, and what crosses the borders.

use crate::correlate::{Call, InstructionFacts, Instructions, Role, Site};
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::pte::{Dynamism, Method, Value};
use std::collections::BTreeMap;

/// Operators that XNNPACK's partitioner takes in ExecuTorch 1.5.1
/// (`backends/xnnpack/partition/config`), without overloads.
const XNNPACK: [&str; 46] = [
    "_clone_dim_order",
    "_softmax",
    "_to_dim_order_copy",
    "abs",
    "add",
    "addmm",
    "avg_pool2d",
    "bmm",
    "cat",
    "ceil",
    "clamp",
    "clone",
    "constant_pad_nd",
    "convolution",
    "cos",
    "dequantize_per_tensor",
    "div",
    "elu",
    "exp",
    "floor",
    "gelu",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "linear",
    "log",
    "max_pool2d",
    "maximum",
    "mean",
    "minimum",
    "mm",
    "mul",
    "neg",
    "permute_copy",
    "pow",
    "quantize_per_tensor",
    "relu",
    "rsqrt",
    "sigmoid",
    "sin",
    "slice_copy",
    "sqrt",
    "sub",
    "tanh",
    "unsqueeze_copy",
    "view_copy",
];

/// Why an operator was probably left to the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The backend has no such operator.
    Unsupported,
    /// It works on this element type.
    ElementType(&'static str),
    /// A tensor's shape is dynamic.
    DynamicShape,
    /// None of these: a layout, a rank or an argument that the backend does not take.
    Constraint,
    /// What the backend takes is not known here.
    Unlisted,
}

impl Reason {
    /// In words.
    pub fn text(&self, backend: &str) -> String {
        match self {
            Reason::Unsupported => format!("{backend} has no such operator"),
            Reason::ElementType(dtype) => format!("works on {dtype}, which {backend} does not"),
            Reason::DynamicShape => "has a dynamic shape".to_owned(),
            Reason::Constraint => {
                "the operator is known to the backend: a layout, rank or argument is not".to_owned()
            }
            Reason::Unlisted => format!("what {backend} takes is not known here"),
        }
    }
}

/// Instructions on the CPU between two calls of the same backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Backend.
    pub backend: String,
    /// The delegate call before, and the one after.
    pub between: (Site, Site),
    /// Operators with their first instruction, how often, and why.
    pub operators: Vec<(String, Site, usize, Reason)>,
    /// Bytes that the CPU reads of what a delegate wrote.
    pub bytes_out: u64,
    /// Bytes that a delegate reads of what the CPU wrote here.
    pub bytes_in: u64,
}

/// All gaps of `method`, in order. Branches and jumps end one.
pub fn gaps(method: &Method<'_>) -> Vec<Gap> {
    let facts = Instructions::of(method);
    let mut gaps = Vec::new();
    for (chain, instructions) in method.chains().enumerate() {
        let site = |index: usize| Site {
            chain: ChainId(chain as u32),
            instruction: InstructionId(index as u32),
        };
        let mut before: Option<(Site, &str)> = None;
        let mut here: Vec<(Site, &InstructionFacts)> = Vec::new();
        for index in 0..instructions.instruction_count() {
            let Some(found) = facts.get(site(index)) else { continue };
            match &found.call {
                Call::Delegate { backend, .. } => {
                    if let Some((first, own)) = before
                        && own == backend
                        && !here.is_empty()
                    {
                        gaps.push(gap(method, &facts, backend, (first, site(index)), &here));
                    }
                    here.clear();
                    before = Some((site(index), backend));
                }
                Call::Kernel { .. } => here.push((site(index), found)),
                Call::Move | Call::JumpFalse => {
                    before = None;
                    here.clear();
                }
                Call::Free | Call::Unknown => {}
            }
        }
    }
    gaps
}

fn gap(
    method: &Method<'_>,
    facts: &Instructions,
    backend: &str,
    between: (Site, Site),
    here: &[(Site, &InstructionFacts)],
) -> Gap {
    let mut operators: Vec<(String, Site, usize, Reason)> = Vec::new();
    let mut own: BTreeMap<ValueId, u64> = BTreeMap::new();
    let mut read: BTreeMap<ValueId, u64> = BTreeMap::new();
    for (site, found) in here {
        let name = found.name();
        match operators.iter_mut().find(|(known, ..)| known == name) {
            Some((_, _, count, _)) => *count += 1,
            None => operators.push((name.to_owned(), *site, 1, reason(method, backend, found))),
        }
        let delegated = |site: &Site| {
            facts.get(*site).is_some_and(|facts| matches!(facts.call, Call::Delegate { .. }))
        };
        let written: Vec<ValueId> = found
            .producers
            .iter()
            .filter(|producer| delegated(producer))
            .filter_map(|producer| facts.get(*producer))
            .flat_map(|producer| &producer.arguments)
            .filter(|argument| argument.role == Role::Output)
            .map(|argument| argument.value)
            .collect();
        for argument in &found.arguments {
            let bytes = argument.bytes.unwrap_or(0);
            match argument.role {
                Role::Input if written.contains(&argument.value) => {
                    read.insert(argument.value, bytes);
                }
                Role::Input => {}
                Role::Output => {
                    own.insert(argument.value, bytes);
                }
            }
        }
    }
    let after = facts.get(between.1).map(|facts| &facts.arguments[..]).unwrap_or_default();
    let taken = after.iter().filter(|argument| argument.role == Role::Input);
    let bytes_in = taken.filter_map(|argument| own.get(&argument.value)).sum();
    Gap {
        backend: backend.to_owned(),
        between,
        operators,
        bytes_out: read.values().sum(),
        bytes_in,
    }
}

fn reason(method: &Method<'_>, backend: &str, found: &InstructionFacts) -> Reason {
    let name = found.name();
    let plain = name.rsplit("::").next().unwrap_or(name);
    let plain = plain.split('.').next().unwrap_or(plain);
    if backend == "XnnpackBackend" && !XNNPACK.contains(&plain) {
        return Reason::Unsupported;
    }
    let odd = found.arguments.iter().find(|argument| match backend {
        "XnnpackBackend" => {
            !matches!(argument.dtype, "float32" | "float16" | "bfloat16" | "int8" | "uint8")
        }
        // It computes with quantized numbers only.
        et_schema::ethos_u::BACKEND => {
            !matches!(argument.dtype, "int8" | "uint8" | "int16" | "int32" | "bool")
        }
        _ => false,
    });
    if let Some(argument) = odd {
        return Reason::ElementType(argument.dtype);
    }
    let dynamic = found.arguments.iter().any(|argument| match method.value(argument.value) {
        Ok(Value::Tensor(tensor)) => tensor.dynamism() != Dynamism::Static,
        _ => false,
    });
    match backend {
        _ if dynamic => Reason::DynamicShape,
        "XnnpackBackend" | et_schema::ethos_u::BACKEND => Reason::Constraint,
        _ => Reason::Unlisted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::pte::File;

    fn gaps_of(model: &str) -> Vec<Gap> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/models");
        let program = std::fs::read(format!("{root}/{model}/model.pte")).expect("the program");
        let file = File::parse(&program).expect("a program");
        gaps(&file.method("forward").expect("the method"))
    }

    #[test]
    fn what_lies_between_two_delegates_is_found_with_its_bytes() {
        let gaps = gaps_of("xnn_cnn");
        assert_eq!(gaps.len(), 1);
        let gap = &gaps[0];
        assert_eq!(gap.operators.len(), 1);
        assert_eq!((&*gap.operators[0].0, gap.operators[0].2), ("aten::mean.out", 1));
        assert_eq!(gap.operators[0].3, Reason::Constraint);
        // float32[1,12,4,4] out of the first, float32[1,12] into the second.
        assert_eq!((gap.bytes_out, gap.bytes_in), (768, 48));
    }

    #[test]
    fn operators_that_the_backend_has_not_are_told_apart() {
        let gaps = gaps_of("xnn_transformer");
        let reasons: Vec<(&str, &Reason)> = gaps
            .iter()
            .flat_map(|gap| &gap.operators)
            .map(|(name, _, _, reason)| (&**name, reason))
            .collect();
        assert!(reasons.contains(&("aten::native_layer_norm.out", &Reason::Unsupported)));
    }

    #[test]
    fn whole_programs_have_no_gaps() {
        assert_eq!(gaps_of("xnn_linear"), []);
        assert_eq!(gaps_of("mv2_w010"), []);
    }
}
