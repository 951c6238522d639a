//! Nodes by index of their values, before they become steps.

use super::value::Values;
use crate::error::{Error, Result};
use et_schema::xnnpack::{BinaryOperator, Operation, Payload, UnaryOperator};
use smallvec::SmallVec;

/// A node to be.
#[derive(Clone, Debug)]
pub(super) struct Draft<'a> {
    /// Index of the node in the payload.
    pub node: usize,
    pub kind: &'static str,
    pub operation: Operation<'a>,
    /// What it reads that is not packed into it.
    pub inputs: SmallVec<[usize; 5]>,
    /// Filter and bias, if they are constants.
    pub weights: SmallVec<[usize; 2]>,
    pub outputs: SmallVec<[usize; 2]>,
    pub clamp: (f32, f32),
    /// XNNPACK has it in another operator, so that it has no event.
    pub silent: bool,
    /// It is the end of a chain that XNNPACK makes one table of.
    pub table: bool,
}

/// No clamp.
pub(super) const ALL: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

/// All nodes.
pub(super) struct Drafts<'a> {
    pub nodes: Vec<Draft<'a>>,
}

impl<'a> Drafts<'a> {
    pub fn of(payload: &Payload<'a>, values: &mut Values) -> Result<Self> {
        let mut nodes = Vec::with_capacity(payload.nodes().len());
        for (node, it) in payload.nodes().enumerate() {
            let operation = it.operation();
            let kind = it.kind();
            if let Operation::Unknown(tag) = operation {
                let unknown = Error::new(format!("a kind of node that is not known, tag {tag}"));
                return Err(unknown.at(node, kind));
            }
            let index = |id| values.index(id).map_err(|e| e.at(node, kind));
            let mut inputs: SmallVec<[usize; 5]> =
                operation.inputs().map(index).collect::<Result<_>>()?;
            let outputs = operation.outputs().map(index).collect::<Result<_>>()?;
            let packed = match operation {
                Operation::Convolution(_) => true,
                // Weights that are made at run time are inputs like others.
                Operation::FullyConnected { .. } => {
                    inputs.iter().skip(1).all(|input| values.tensors[*input].constant)
                }
                _ => false,
            };
            let weights = if packed {
                inputs.drain(1.min(inputs.len())..).collect()
            } else {
                SmallVec::new()
            };
            let clamp = it.clamp().map_or(ALL, |(low, high)| {
                // What is no number bounds nothing.
                (if low.is_nan() { ALL.0 } else { low }, if high.is_nan() { ALL.1 } else { high })
            });
            let draft = Draft {
                node,
                kind,
                operation,
                inputs,
                weights,
                outputs,
                clamp,
                silent: false,
                table: false,
            };
            split(draft, values, &mut nodes);
        }
        Ok(Drafts { nodes })
    }
}

/// Operators that XNNPACK gives no bounds of their own: a clamp follows them.
fn split<'a>(mut draft: Draft<'a>, values: &mut Values, nodes: &mut Vec<Draft<'a>>) {
    let unbounded = match draft.operation {
        Operation::Binary { operator, .. } => operator != BinaryOperator::BatchMatrixMultiply,
        Operation::Unary { operator, .. } => operator == UnaryOperator::GlobalAvgPooling2d,
        _ => false,
    };
    if !unbounded || draft.clamp == ALL {
        return nodes.push(draft);
    }
    let Some(last) = draft.outputs.first().copied() else { return nodes.push(draft) };
    let between = values.between(last);
    let mut clamp = draft.clone();
    draft.clamp = ALL;
    draft.outputs[0] = between;
    clamp.operation =
        Operation::Unary { operator: UnaryOperator::Clamp, input: 0, output: 0, parameter: 0.0 };
    clamp.inputs = SmallVec::from_slice(&[between]);
    nodes.extend([draft, clamp]);
}
