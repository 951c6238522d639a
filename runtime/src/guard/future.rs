//! Whether a value is still needed after an instruction.
//!
//! Answered from the instructions alone, before the run: the next one that
//! touches the tensor reads it or writes it. Tensors that are views of each
//! other, or moved into each other, are one.
//!
//! An exporter leaves out the instruction of a view that the plan puts where
//! its source is. Such a tensor is read and never written: it stands for
//! whatever was written to the very same bytes last.

use super::accesses::Accesses;
use crate::memory::Region;
use crate::method::Instruction;
use crate::value::{TensorId, Values};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ids::ValueId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Accesses by tensor, in the order of the instructions.
pub(super) struct Future {
    /// The tensor that stands for each and its aliases.
    roots: Vec<TensorId>,
    /// By root. The position counts instructions over all chains.
    accesses: Vec<Vec<(usize, Access)>>,
    /// Backward jumps: from, to.
    loops: Vec<(usize, usize)>,
    /// Position of the first instruction of each chain.
    chains: Vec<usize>,
    outputs: Vec<bool>,
    /// Tensors that nothing writes, and which are not there from the beginning.
    views: Vec<bool>,
    /// Tensors that are written in place only, so that they keep a value from
    /// one run to the next.
    state: Vec<bool>,
    /// While the accesses are collected: what was written last, by its bytes.
    holders: BTreeMap<Region, TensorId>,
}

impl Future {
    /// That of a method with these instructions and outputs.
    pub fn of(
        chains: &[Vec<Instruction>],
        values: &Values<'_>,
        inputs: &[ValueId],
        outputs: &[ValueId],
    ) -> Self {
        let mut future = Future {
            roots: (0..values.tensors.len() as u32).map(TensorId).collect(),
            accesses: values.tensors.iter().map(|_| Vec::new()).collect(),
            loops: Vec::new(),
            chains: Vec::new(),
            outputs: values.tensors.iter().map(|_| false).collect(),
            views: values.tensors.iter().map(|_| true).collect(),
            state: values.tensors.iter().map(|_| true).collect(),
            holders: BTreeMap::new(),
        };
        for instruction in chains.iter().flatten() {
            future.unite(instruction, values);
        }
        for (tensor, _) in outputs.iter().filter_map(|id| values.tensor(*id)) {
            let root = future.root(tensor);
            future.outputs[root.index()] = true;
        }
        let inputs = inputs.iter().filter_map(|id| values.tensor(*id)).map(|(tensor, _)| tensor);
        for tensor in inputs.chain(values.initialised.iter().copied()) {
            future.holds(tensor, values);
        }
        for instruction in chains.iter().flatten() {
            let Accesses { reads, writes, .. } = Accesses::of(instruction, values);
            for tensor in writes {
                let root = future.root(tensor);
                future.views[root.index()] = false;
                future.state[root.index()] &= reads.contains(&tensor);
            }
        }
        let mut position = 0;
        for chain in chains {
            future.chains.push(position);
            for instruction in chain {
                future.add(instruction, values, position);
                position += 1;
            }
        }
        future
    }

    fn unite(&mut self, instruction: &Instruction, values: &Values<'_>) {
        let (from, to) = match instruction {
            Instruction::Move { from, to } => (*from, *to),
            Instruction::Prim { name, args, .. } if name == "executorch_prim::et_view.default" => {
                match &**args {
                    [from, .., to] => (*from, *to),
                    _ => return,
                }
            }
            _ => return,
        };
        if let (Some((from, _)), Some((to, _))) = (values.tensor(from), values.tensor(to)) {
            let (keep, replace) = (self.root(from), self.root(to));
            for root in self.roots.iter_mut().filter(|root| **root == replace) {
                *root = keep;
            }
        }
    }

    fn add(&mut self, instruction: &Instruction, values: &Values<'_>, position: usize) {
        let accesses = Accesses::of(instruction, values);
        for tensor in accesses.reads {
            let region = values.tensors[tensor.index()].capacity_region();
            let holder = region.filter(|_| self.is_view(tensor)).and_then(|r| self.holders.get(&r));
            let root = self.root(holder.copied().unwrap_or(tensor));
            self.accesses[root.index()].push((position, Access::Read));
        }
        for tensor in accesses.writes {
            let root = self.root(tensor);
            self.accesses[root.index()].push((position, Access::Write));
            self.holds(tensor, values);
        }
        if let Instruction::JumpFalse { destination, .. } = instruction {
            let start = self.chains.last().copied().unwrap_or_default();
            if start + destination <= position {
                self.loops.push((position, start + destination));
            }
        }
    }

    /// `tensor` has a value from here on.
    fn holds(&mut self, tensor: TensorId, values: &Values<'_>) {
        let root = self.root(tensor);
        self.views[root.index()] = false;
        if let Some(region) = values.tensors[tensor.index()].capacity_region() {
            self.holders.insert(region, tensor);
        }
    }

    /// Whether nothing writes the tensor, so that it can only be a view.
    pub fn is_view(&self, tensor: TensorId) -> bool {
        self.views.get(self.root(tensor).index()).copied().unwrap_or_default()
    }

    /// Whether the tensor is state: written, but only in place.
    pub fn is_state(&self, tensor: TensorId) -> bool {
        let root = self.root(tensor).index();
        !self.is_view(tensor) && self.state.get(root).copied().unwrap_or_default()
    }

    /// The tensor that stands for `tensor` and its aliases.
    pub fn root(&self, tensor: TensorId) -> TensorId {
        self.roots.get(tensor.index()).copied().unwrap_or(tensor)
    }

    /// Whether the value that `tensor` has after an instruction is read later.
    pub fn needs(&self, tensor: TensorId, chain: usize, instruction: usize) -> bool {
        let position = self.chains.get(chain).map_or(0, |start| start + instruction);
        let root = self.root(tensor).index();
        let after = self.first(root, position + 1..usize::MAX);
        let looped = || {
            let around = self.loops.iter().filter(|(from, to)| (*to..*from).contains(&position));
            around.clone().any(|(_, to)| self.first(root, *to..position) == Some(Access::Read))
        };
        match after {
            Some(Access::Read) => true,
            Some(Access::Write) => looped(),
            None => self.outputs.get(root).copied().unwrap_or_default() || looped(),
        }
    }

    /// The first access of a root at some positions.
    fn first(&self, root: usize, positions: Range<usize>) -> Option<Access> {
        let all = self.accesses.get(root)?;
        let at = all.partition_point(|(position, _)| *position < positions.start);
        all.get(at).filter(|(position, _)| *position < positions.end).map(|(_, access)| *access)
    }
}
