//! Half floats that XNNPACK computes in float32.
//!
//! On processors that compute with half floats it still has no kernel for a resize of
//! them. It converts the input to float32, and from there on all that follows is
//! float32, until an output of the delegate is converted back (seen in its traces on a
//! processor with AVX512-FP16).

use super::draft::{ALL, Draft, Drafts};
use super::value::Values;
use et_schema::xnnpack::{DataType, Operation, UnaryOperator};
use smallvec::SmallVec;

/// Widens what follows a resize of half floats.
pub(super) fn widen(drafts: &mut Drafts<'_>, values: &mut Values) {
    let resizes = |draft: &Draft<'_>| matches!(draft.operation, Operation::ResizeBilinear { .. });
    if !drafts.nodes.iter().any(|draft| resizes(draft) && reads_half(draft, values)) {
        return;
    }
    let count = drafts.nodes.len();
    let mut widening = Widening { drafts, values, facts: Vec::new() };
    let mut turns = Vec::with_capacity(count);
    for index in 0..count {
        let node = &widening.drafts.nodes[index];
        let wide = node.inputs.iter().any(|input| widening.is_wide(*input));
        let first = resizes(node) && reads_half(node, widening.values);
        let widens = (first || wide) && !is_convert(node);
        if widens {
            widening.inputs(index);
        }
        let turn = widening.turn(index);
        if widens {
            widening.outputs(index, turn);
        }
        for at in 0..widening.drafts.nodes[index].outputs.len() {
            let output = widening.drafts.nodes[index].outputs[at];
            widening.note(output, |fact| fact.turn = turn);
        }
        turns.push(turn);
    }
    widening.order(turns);
}

fn is_convert(draft: &Draft<'_>) -> bool {
    matches!(draft.operation, Operation::Unary { operator: UnaryOperator::Convert, .. })
}

fn reads_half(draft: &Draft<'_>, values: &Values) -> bool {
    draft.inputs.iter().any(|input| values.tensors[*input].data_type == DataType::FP16)
}

/// What is known of a value.
#[derive(Clone, Copy, Default)]
struct Fact {
    /// It is float32 in place of a half float.
    wide: bool,
    /// The float32 copy of this half float.
    copy: Option<usize>,
    /// In which turn it is computed: XNNPACK goes through its nodes, of which the
    /// conversions are last, until each had its inputs.
    turn: usize,
    /// A conversion that was added makes it.
    added: bool,
}

struct Widening<'d, 'a> {
    drafts: &'d mut Drafts<'a>,
    values: &'d mut Values,
    facts: Vec<Fact>,
}

impl Widening<'_, '_> {
    fn fact(&self, value: usize) -> Fact {
        self.facts.get(value).copied().unwrap_or_default()
    }

    /// Whether it is float32 in place of a half float, or there is such a one for it.
    fn is_wide(&self, value: usize) -> bool {
        let fact = self.fact(value);
        fact.wide || fact.copy.is_some_and(|copy| self.fact(copy).wide)
    }

    fn note(&mut self, value: usize, change: impl FnOnce(&mut Fact)) {
        if self.facts.len() <= value {
            self.facts.resize(value + 1, Fact::default());
        }
        change(&mut self.facts[value]);
    }

    /// Gives node `index` its half floats as float32.
    fn inputs(&mut self, index: usize) {
        for at in 0..self.drafts.nodes[index].inputs.len() {
            let input = self.drafts.nodes[index].inputs[at];
            if self.values.tensors[input].data_type == DataType::FP16 {
                let copy = match self.fact(input).copy {
                    Some(copy) => copy,
                    None => self.copy(index, input),
                };
                self.drafts.nodes[index].inputs[at] = copy;
            }
        }
    }

    /// A float32 copy of a half float, for node `index` and later ones.
    fn copy(&mut self, index: usize, value: usize) -> usize {
        let copy = self.values.between(value);
        self.values.tensors[copy].data_type = DataType::FP32;
        self.note(value, |fact| fact.copy = Some(copy));
        // Constants are converted while loading.
        if !self.values.tensors[value].constant {
            let turn = self.fact(value).turn;
            self.convert(index, value, copy);
            self.note(copy, |fact| (fact.turn, fact.added) = (turn, true));
        }
        copy
    }

    /// Makes the outputs of node `index`, which runs in `turn`, float32.
    fn outputs(&mut self, index: usize, turn: usize) {
        for at in 0..self.drafts.nodes[index].outputs.len() {
            let output = self.drafts.nodes[index].outputs[at];
            if self.values.tensors[output].data_type != DataType::FP16 {
                continue;
            }
            let mut wide = output;
            if self.values.external[output].is_some() {
                wide = self.values.between(output);
                self.drafts.nodes[index].outputs[at] = wide;
                self.convert(index, wide, output);
                let fact = Fact { wide: false, copy: Some(wide), turn, added: true };
                self.note(output, |own| *own = fact);
            }
            self.values.tensors[wide].data_type = DataType::FP32;
            self.note(wide, |fact| fact.wide = true);
        }
    }

    /// Adds a conversion that node `index` asks for.
    fn convert(&mut self, index: usize, from: usize, to: usize) {
        let operator = UnaryOperator::Convert;
        self.drafts.nodes.push(Draft {
            node: self.drafts.nodes[index].node,
            kind: "Convert",
            operation: Operation::Unary { operator, input: 0, output: 0, parameter: 0.0 },
            inputs: SmallVec::from_slice(&[from]),
            weights: SmallVec::new(),
            outputs: SmallVec::from_slice(&[to]),
            clamp: ALL,
            silent: false,
            table: false,
        });
    }

    /// The turn of node `index`, which is that of its outputs.
    fn turn(&self, index: usize) -> usize {
        let inputs = self.drafts.nodes[index].inputs.iter().map(|input| self.fact(*input));
        inputs.map(|fact| fact.turn + usize::from(fact.added)).max().unwrap_or(0)
    }

    /// Sorts the nodes by their turns.
    fn order(self, mut turns: Vec<usize>) {
        for added in &self.drafts.nodes[turns.len()..] {
            turns.push(added.inputs.iter().map(|input| self.fact(*input).turn).max().unwrap_or(0));
        }
        let nodes = std::mem::take(&mut self.drafts.nodes);
        let mut sorted: Vec<_> = turns.into_iter().zip(nodes).collect();
        sorted.sort_by_key(|(turn, _)| *turn);
        self.drafts.nodes.extend(sorted.into_iter().map(|(_, node)| node));
    }
}
