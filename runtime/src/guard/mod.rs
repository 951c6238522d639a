//! Guarded runs: what an instruction does to memory is checked against what
//! the program says.
//!
//! ```text
//! accesses.rs    the tensors that an instruction reads and writes
//! future.rs      whether a value is still needed after an instruction
//! ownership.rs   which tensor's value each planned byte holds
//! violation.rs   what is found
//! ```
//!
//! ExecuTorch's runtime has nothing like it: there, a program whose plan or
//! arguments are damaged reads whatever lies in its buffers.

mod accesses;
mod future;
mod ownership;
mod violation;

use crate::memory::{Arena, Region};
use crate::method::Instruction;
use crate::tensor::{Complex, Element, TensorRef, with_dtype};
use crate::value::{EValue, Storage, Tensor, TensorId, Values};
use accesses::Accesses;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use future::Future;
use ownership::{Ownership, Writer};
pub use violation::{Kind, TensorUse, Violation};

/// More than this are not kept: what follows from a fault is found again and again.
const MOST: usize = 64;

/// Where an instruction is, and its operator.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub chain: usize,
    pub index: usize,
    pub instruction: &'a Instruction,
}

impl Step<'_> {
    fn at(&self) -> (ChainId, InstructionId) {
        (ChainId(self.chain as u32), InstructionId(self.index as u32))
    }

    fn operator(&self) -> Option<String> {
        match self.instruction {
            Instruction::Kernel(call) => Some(call.name.clone()),
            Instruction::Delegate(call) => Some(call.name.clone()),
            Instruction::Prim { name, .. } => Some(name.clone()),
            _ => None,
        }
    }
}

/// What is known of a tensor and its aliases.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    written: bool,
    /// The instruction that wrote it last.
    writer: Option<(ChainId, InstructionId)>,
}

/// Watches the runs of a method.
pub(crate) struct Guard {
    future: Future,
    ownership: Ownership,
    /// By root.
    states: Vec<State>,
    /// The first value that is each tensor.
    names: Vec<ValueId>,
    /// Planned buffers; arenas behind them were not planned.
    planned: usize,
    /// The arenas as the last instruction left them.
    mirror: Vec<Arena>,
    finite: bool,
    violations: Vec<Violation>,
}

impl Guard {
    /// A guard of a method with these instructions.
    pub fn new(
        chains: &[Vec<Instruction>],
        values: &Values<'_>,
        (inputs, outputs): (&[ValueId], &[ValueId]),
        planned: usize,
    ) -> Self {
        let mut names = alloc::vec![ValueId(0); values.tensors.len()];
        for (index, slot) in values.slots.iter().enumerate().rev() {
            if let EValue::Tensor(tensor) = slot {
                names[tensor.index()] = ValueId(index as u32);
            }
        }
        let mut guard = Guard {
            future: Future::of(chains, values, inputs, outputs),
            ownership: Ownership::default(),
            states: alloc::vec![State::default(); values.tensors.len()],
            names,
            planned,
            mirror: Vec::new(),
            finite: true,
            violations: Vec::new(),
        };
        for tensor in &values.initialised {
            guard.wrote(*tensor, values, None);
        }
        guard
    }

    /// What was found so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Before the first instruction: the inputs are there.
    pub fn begin(&mut self, inputs: &[ValueId], values: &Values<'_>, arenas: &[Arena]) {
        for (tensor, _) in inputs.iter().filter_map(|id| values.tensor(*id)) {
            self.wrote(tensor, values, None);
        }
        self.mirror = arenas.to_vec();
    }

    /// Before an instruction: what it reads must be there.
    pub fn before(&mut self, step: Step<'_>, values: &Values<'_>) {
        for tensor in Accesses::of(step.instruction, values).needed() {
            if let Some((kind, bytes, other)) = self.missing(tensor, values) {
                let tensors = [Some(tensor), other];
                self.report(kind, Some(step), &tensors, bytes, values);
            }
        }
    }

    /// Whose value `tensor` has: for a view, that of the tensor in the very same bytes.
    fn holder(&self, tensor: TensorId, values: &Values<'_>) -> TensorId {
        let tensor_at = |id: TensorId| values.tensors[id.index()].region();
        let Some(region) = tensor_at(tensor).filter(|_| self.future.is_view(tensor)) else {
            return tensor;
        };
        match &self.ownership.of(region)[..] {
            [(_, Some(writer))] if tensor_at(writer.tensor) == Some(region) => writer.tensor,
            _ => tensor,
        }
    }

    /// Why the value of `tensor` is not in its bytes, if it is not.
    fn missing(
        &self,
        tensor: TensorId,
        values: &Values<'_>,
    ) -> Option<(Kind, Range<usize>, Option<TensorId>)> {
        let region = values.tensors[tensor.index()].region().filter(|r| r.start < r.end)?;
        let root = self.future.root(self.holder(tensor, values));
        let is_own = |writer: &Writer| self.future.root(writer.tensor) == root;
        let parts = self.ownership.of(region);
        let (bytes, writer) = parts.into_iter().find(|(_, w)| !w.as_ref().is_some_and(is_own))?;
        let other = writer.map(|writer| writer.tensor);
        let overwritten = self.states[root.index()].written.then_some(writer).flatten();
        let kind = match overwritten.and_then(|writer| writer.at) {
            Some((chain, instruction)) => Kind::BytesReused(chain, instruction),
            None if self.future.is_state(tensor) => Kind::StateWithoutValue,
            None => Kind::NeverWritten,
        };
        Some((kind, bytes, other))
    }

    /// After an instruction: it wrote its outputs, over nothing that is needed,
    /// and nothing else.
    pub fn after(&mut self, step: Step<'_>, values: &Values<'_>, arenas: &[Arena]) {
        let Accesses { reads, writes, .. } = Accesses::of(step.instruction, values);
        for tensor in &writes {
            self.check_overlap(step, *tensor, &reads, values);
            self.check_twice(step, *tensor, &reads, values);
            self.wrote(*tensor, values, Some(step.at()));
        }
        self.check_outside(step, &writes, values, arenas);
        for tensor in &writes {
            self.check_finite(step, *tensor, values, arenas);
        }
    }

    /// After the last instruction: the outputs must be there.
    pub fn end(&mut self, outputs: &[ValueId], values: &Values<'_>) {
        for (tensor, _) in outputs.iter().filter_map(|id| values.tensor(*id)) {
            if let Some((kind, bytes, other)) = self.missing(tensor, values) {
                let kind = match kind {
                    Kind::NeverWritten => Kind::OutputNeverWritten,
                    other => other,
                };
                self.report(kind, None, &[Some(tensor), other], bytes, values);
            }
        }
    }

    fn wrote(
        &mut self,
        tensor: TensorId,
        values: &Values<'_>,
        at: Option<(ChainId, InstructionId)>,
    ) {
        let root = self.future.root(tensor);
        self.states[root.index()] = State { written: true, writer: at };
        let region = values.tensors[tensor.index()].region();
        if let Some(region) = region.filter(|r| r.start < r.end) {
            self.ownership.claim(region, Writer { tensor, at });
        }
    }

    fn check_overlap(
        &mut self,
        step: Step<'_>,
        tensor: TensorId,
        reads: &[TensorId],
        values: &Values<'_>,
    ) {
        let region = values.tensors[tensor.index()].region();
        let Some(region) = region.filter(|r| r.start < r.end) else { return };
        let root = self.future.root(tensor);
        for (bytes, writer) in self.ownership.of(region) {
            let Some(other) = writer.map(|w| w.tensor) else { continue };
            let other_root = self.future.root(other);
            if other_root == root {
                continue;
            }
            let mut read = reads.iter().map(|read| self.future.root(self.holder(*read, values)));
            let reading = read.any(|root| root == other_root);
            if reading || self.future.needs(other, step.chain, step.index) {
                let tensors = [Some(tensor), Some(other)];
                self.report(Kind::LiveOverlap, Some(step), &tensors, bytes, values);
            }
        }
    }

    /// A tensor that another instruction writes as well. Exported programs write
    /// each tensor at one place, unless it is state.
    fn check_twice(
        &mut self,
        step: Step<'_>,
        tensor: TensorId,
        reads: &[TensorId],
        values: &Values<'_>,
    ) {
        let root = self.future.root(tensor);
        let State { written, writer } = self.states[root.index()];
        let in_place = reads.iter().any(|read| self.future.root(*read) == root);
        let partial = matches!(step.instruction, Instruction::Prim { .. });
        let region = values.tensors[tensor.index()].region();
        let (true, Some(region)) = (written && !in_place && !partial && root == tensor, region)
        else {
            return;
        };
        let kind = match writer {
            Some(at) if at == step.at() => return,
            Some((chain, instruction)) => Kind::WrittenTwice(chain, instruction),
            None => Kind::OverwritesInput,
        };
        self.report(kind, Some(step), &[Some(tensor)], region.start..region.end, values);
    }

    fn check_outside(
        &mut self,
        step: Step<'_>,
        writes: &[TensorId],
        values: &Values<'_>,
        arenas: &[Arena],
    ) {
        let allowed = |arena: usize| {
            let regions = writes.iter().filter_map(|t| values.tensors[t.index()].capacity_region());
            let mut regions: Vec<Region> = regions.filter(|r| r.arena as usize == arena).collect();
            regions.sort_unstable();
            regions
        };
        let mut outside = None;
        for (index, (now, before)) in arenas.iter().zip(&mut self.mirror).enumerate() {
            let mut position = 0;
            let end = Region { arena: index as u32, start: now.len(), end: now.len() };
            for region in allowed(index).into_iter().chain([end]) {
                let gap = position.min(region.start)..region.start;
                if now.bytes()[gap.clone()] != before.bytes()[gap.clone()] {
                    let differs = |i: &usize| now.bytes()[*i] != before.bytes()[*i];
                    let first = gap.clone().find(differs).unwrap_or(gap.start);
                    let last = gap.clone().rfind(differs).unwrap_or(gap.start);
                    outside = outside.or(Some((index, first..last + 1)));
                    before.bytes_mut()[gap.clone()].copy_from_slice(&now.bytes()[gap]);
                }
                let written = region.start..region.end;
                before.bytes_mut()[written.clone()].copy_from_slice(&now.bytes()[written]);
                position = position.max(region.end);
            }
        }
        // Memory that was given to an output that had none.
        self.mirror.extend(arenas.iter().skip(self.mirror.len()).cloned());
        if let Some((arena, bytes)) = outside {
            let region = Region { arena: arena as u32, start: bytes.start, end: bytes.end };
            let owner = self.ownership.of(region).into_iter().find_map(|(_, writer)| writer);
            let tensors = [owner.map(|w| w.tensor)];
            self.report(Kind::WriteOutside, Some(step), &tensors, bytes, values);
        }
    }

    fn check_finite(
        &mut self,
        step: Step<'_>,
        tensor: TensorId,
        values: &Values<'_>,
        arenas: &[Arena],
    ) {
        let Some(region) = values.tensors[tensor.index()].region().filter(|_| self.finite) else {
            return;
        };
        let found = non_finite(&values.tensors[tensor.index()], arenas);
        if let Some((first, count)) = found.filter(|_| from_finite(step, values, arenas)) {
            self.finite = false;
            let kind = Kind::NonFinite { count, first };
            self.report(kind, Some(step), &[Some(tensor)], region.start..region.end, values);
        }
    }

    fn report(
        &mut self,
        kind: Kind,
        step: Option<Step<'_>>,
        tensors: &[Option<TensorId>],
        bytes: Range<usize>,
        values: &Values<'_>,
    ) {
        let violation = Violation {
            kind,
            at: step.map(|step| step.at()),
            operator: step.and_then(|step| step.operator()),
            tensors: tensors.iter().flatten().map(|t| self.tensor_use(*t, values)).collect(),
            bytes: bytes.start as u64..bytes.end as u64,
        };
        if self.violations.len() < MOST && !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    fn tensor_use(&self, id: TensorId, values: &Values<'_>) -> TensorUse {
        let tensor = &values.tensors[id.index()];
        let (memory_id, start) = match tensor.storage {
            Storage::Arena { arena, offset } => {
                let planned = (arena as usize) < self.planned;
                (planned.then_some(arena + 1), offset as u64)
            }
            _ => (None, 0),
        };
        TensorUse {
            value: self.names[id.index()],
            memory_id,
            bytes: start..start + tensor.meta.nbytes() as u64,
            scalar_type: tensor.meta.scalar_type(),
            sizes: tensor.meta.sizes().to_vec(),
        }
    }
}

/// The first element that is NaN or infinite, in one part if it is complex, and how
/// many are.
fn non_finite(tensor: &Tensor<'_>, arenas: &[Arena]) -> Option<(usize, usize)> {
    let data = match (tensor.storage, tensor.region()) {
        (Storage::Constant(bytes), _) => bytes,
        (_, Some(region)) => &arenas[region.arena as usize].bytes()[region.start..region.end],
        _ => return None,
    };
    let view = TensorRef { meta: &tensor.meta, data };
    let dtype = tensor.meta.scalar_type();
    with_dtype!(dtype, float, T => which(&view, |x: T| !x.to_f64().is_finite()), else {
        with_dtype!(dtype, complex, C => {
            which(&view, |x: C| x.parts().iter().any(|part| !part.to_f64().is_finite()))
        }, else None)
    })
}

/// The first element that is bad, and how many are.
fn which<T: Element>(view: &TensorRef<'_>, is_bad: impl Fn(T) -> bool) -> Option<(usize, usize)> {
    let elements = view.data::<T>().unwrap_or_default().iter().enumerate();
    let mut bad = elements.filter(|(_, x)| is_bad(**x));
    bad.next().map(|(first, _)| (first, 1 + bad.count()))
}

/// Whether an instruction was given finite numbers only. The infinity that
/// masks an attention, for example, is one that somebody wanted.
fn from_finite(step: Step<'_>, values: &Values<'_>, arenas: &[Arena]) -> bool {
    let scalar = |id: &ValueId| match values.get(*id) {
        Some(EValue::Scalar(scalar)) => scalar.to_f64().is_finite(),
        _ => true,
    };
    let scalars = match step.instruction {
        Instruction::Kernel(call) => call.args.iter().all(scalar),
        _ => true,
    };
    let reads = Accesses::of(step.instruction, values).reads;
    scalars && reads.iter().all(|t| non_finite(&values.tensors[t.index()], arenas).is_none())
}
