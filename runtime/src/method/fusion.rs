//! Instructions that run together ([`Pipeline`]): which they are, and how they run.
//!
//! A group is a convolution and the calls after it in its chain, each of which
//! takes the output of the one before; or a product with a constant that the call
//! before turns around. Nothing else may read what is between
//! them, no jump may lead into the group, and all shapes are static. A tensor in
//! between is not written; who wants to see it (a debug buffer, a guard, a
//! journal) has the instructions run one by one.

use super::Method;
use super::instruction::{Instruction, KernelCall};
use super::operands::with_arguments_at_load;
use crate::kernels::Means;
use crate::kernels::fused::{Constant, Pipeline, Product, Scratch, Times};
use crate::memory::{Arena, Around, Region};
use crate::tensor::TensorRef;
use crate::value::{EValue, Storage, Tensor, Values};
use alloc::boxed::Box;
use alloc::vec::Vec;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use etdump::{DebugLevel, Place, Ticks, Tracer};
use smallvec::SmallVec;

/// Calls that run together.
pub(crate) struct Group {
    work: Work,
    way: Way,
    input: ValueId,
    others: SmallVec<[ValueId; 2]>,
    out: ValueId,
}

/// How the output comes to its place, where the input may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// At once: nothing that is read is there.
    InPlace,
    /// At once: the input is laid out before.
    LayOut,
    /// As a copy, when all is computed.
    Aside,
}

enum Work {
    Channels(Pipeline),
    Product(Product),
}

impl Group {
    /// How many instructions it has.
    fn len(&self) -> usize {
        match &self.work {
            Work::Channels(pipeline) => pipeline.len(),
            Work::Product(_) => 2,
        }
    }
}

/// Finds the groups of a method's chains and hangs each on its first call.
pub(super) fn find_groups(
    chains: &mut [Vec<Instruction>],
    values: &Values<'_>,
    outputs: &[ValueId],
) {
    let mentions = mentions(chains, values, outputs);
    for chain in chains {
        let search = Search { chain, values, mentions: &mentions };
        let mut groups = Vec::new();
        let mut index = 0;
        while index < search.chain.len() {
            let group = search.channels(index).or_else(|| search.product(index));
            let len = group.as_ref().map_or(1, Group::len);
            groups.extend(group.map(|group| (index, group)));
            index += len;
        }
        for (index, found) in groups {
            if let Instruction::Kernel(call) = &mut chain[index] {
                call.group = Some(Box::new(found));
            }
        }
    }
}

/// How often each value is an argument of an instruction or an output of the method.
fn mentions(chains: &[Vec<Instruction>], values: &Values<'_>, outputs: &[ValueId]) -> Vec<u32> {
    let mut mentions = alloc::vec![0u32; values.slots.len()];
    let mut mention = |id: ValueId| {
        let mut add = |id: ValueId| {
            if let Some(count) = mentions.get_mut(id.index()) {
                *count = count.saturating_add(1);
            }
        };
        add(id);
        if let Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) = values.get(id) {
            list.ids().flatten().for_each(add);
        }
    };
    outputs.iter().copied().for_each(&mut mention);
    for instruction in chains.iter().flatten() {
        match instruction {
            Instruction::Kernel(call) => call.args.iter().copied().for_each(&mut mention),
            Instruction::Prim { args, .. } => args.iter().copied().for_each(&mut mention),
            Instruction::Delegate(call) => call.args.iter().copied().for_each(&mut mention),
            Instruction::Move { from, to } => [*from, *to].into_iter().for_each(&mut mention),
            Instruction::JumpFalse { condition, .. } => mention(*condition),
            Instruction::Free { value } => mention(*value),
        }
    }
    mentions
}

struct Search<'a, 'p> {
    chain: &'a [Instruction],
    values: &'a Values<'p>,
    mentions: &'a [u32],
}

impl Search<'_, '_> {
    /// Instruction `first` and the next, if they are a constant's turn and a
    /// product with it.
    fn product(&self, first: usize) -> Option<Group> {
        let turn = self.call(first).filter(|call| call.name == "aten::permute_copy.out")?;
        let call = self.call(first + 1)?;
        if !self.is_settled(turn) || !self.is_settled(call) {
            return None;
        }
        let chained = self.chained(out_of(turn)?, call, first + 1)?;
        let (product, left) = with_arguments_at_load(turn, self.values, |args, outs| {
            let constant = Constant::of(args, outs)?;
            with_arguments_at_load(call, self.values, |args, outs| {
                Product::of(constant, &call.name, chained, args, outs)
            })
        })?;
        let input = *call.args.get(left)?;
        let (work, others) = (Work::Product(product), SmallVec::new());
        Some(Group { work, way: Way::InPlace, input, others, out: out_of(call)? })
    }

    /// The longest group that begins with convolution `first`.
    fn channels(&self, first: usize) -> Option<Group> {
        let call = self.call(first).filter(|call| call.name == "aten::convolution.out")?;
        let input = *call.args.first()?;
        if !self.is_settled(call) {
            return None;
        }
        let mut pipeline = with_arguments_at_load(call, self.values, Pipeline::new)?;
        let (mut out, mut others) = (out_of(call)?, SmallVec::<[ValueId; 2]>::new());
        // The longest whose output lies where nothing is read.
        let mut best = (1, 0, out);
        while let Some(call) = self.call(first + pipeline.len()).filter(|c| self.is_settled(c)) {
            let Some(chained) = self.chained(out, call, first + pipeline.len()) else { break };
            let other = with_arguments_at_load(call, self.values, |args, outs| {
                pipeline.add(&call.name, chained, args, outs)
            });
            let Some(other) = other else { break };
            let (Some(next), other) = (out_of(call), other.map(|index| call.args[index])) else {
                break;
            };
            others.extend(other);
            out = next;
            let reads = (!pipeline.lays_out()).then_some(input).into_iter().chain(others.clone());
            if !self.overlap(reads, out) {
                best = (pipeline.len(), others.len(), out);
            }
        }
        let (len, reads, out) = best;
        pipeline.finish(len);
        others.truncate(reads);
        let way = self.way(&pipeline, input, out);
        let work = Work::Channels(pipeline);
        let group = Group { work, way, input, others, out };
        (group.len() > 1).then_some(group)
    }

    /// How the output comes to its place: the way on which least is copied.
    fn way(&self, pipeline: &Pipeline, input: ValueId, out: ValueId) -> Way {
        let bytes = |id| self.values.tensor(id).map_or(0, |(_, tensor)| tensor.meta.nbytes());
        let overlap = self.overlap(core::iter::once(input), out);
        match (pipeline.lays_out(), pipeline.reads_planes()) {
            (false, _) => Way::InPlace,
            (true, true) if !overlap => Way::InPlace,
            (true, true) if bytes(out) < bytes(input) => Way::Aside,
            (true, _) => Way::LayOut,
        }
    }

    /// Whether the plan puts a tensor that is read where the output is written.
    fn overlap(&self, mut reads: impl Iterator<Item = ValueId>, out: ValueId) -> bool {
        let region = |id| self.values.tensor(id).and_then(|(_, tensor)| tensor.capacity_region());
        let Some(out) = region(out) else { return true };
        reads.any(|id| region(id).is_some_and(|read| read.overlaps(&out)))
    }

    fn call(&self, index: usize) -> Option<&KernelCall> {
        match self.chain.get(index) {
            Some(Instruction::Kernel(call)) => Some(call),
            _ => None,
        }
    }

    /// Whether the call is settled and has no lists of tensors.
    fn is_settled(&self, call: &KernelCall) -> bool {
        let is_list = |id: &ValueId| {
            matches!(
                self.values.get(*id),
                Some(EValue::TensorList(_) | EValue::OptionalTensorList(_))
            )
        };
        call.settled && !call.args.iter().any(is_list)
    }

    /// Which argument of the call `index` is `before`, if nobody else reads that.
    fn chained(&self, before: ValueId, call: &KernelCall, index: usize) -> Option<usize> {
        let jumped_to = self.chain.iter().any(|instruction| {
            matches!(instruction, Instruction::JumpFalse { destination, .. } if *destination == index)
        });
        let written_and_read = self.mentions.get(before.index()) == Some(&2);
        if jumped_to || !written_and_read {
            return None;
        }
        call.args.iter().position(|id| *id == before)
    }
}

/// The value of the first output.
fn out_of(call: &KernelCall) -> Option<ValueId> {
    let mut args = call.signature.args.iter().zip(&call.args);
    args.find(|(arg, _)| arg.out).map(|(_, id)| *id)
}

/// How many instructions from `index` on run together for this tracer.
pub(super) fn together(
    method: &Method<'_>,
    chain: usize,
    index: usize,
    tracer: &dyn Tracer,
) -> Option<usize> {
    let Instruction::Kernel(KernelCall { group: Some(group), .. }) = &method.chains[chain][index]
    else {
        return None;
    };
    let unseen = method.guard.is_none()
        && tracer.takes_spans()
        && tracer.debug_level() < DebugLevel::IntermediateOutputs;
    unseen.then(|| group.len())
}

/// Runs the group that begins with instruction `index`, if its tensors are where
/// they should be; returns whether they were.
pub(super) fn run(
    method: &mut Method<'_>,
    chain: usize,
    index: usize,
    tracer: &mut dyn Tracer,
) -> bool {
    let Instruction::Kernel(KernelCall { group: Some(group), .. }) = &method.chains[chain][index]
    else {
        return false;
    };
    let begun = tracer.now();
    let times = Times::new(if begun.is_some() { group.len() } else { 0 });
    let Method { values, arenas, means, .. } = method;
    if group.execute(values, arenas, *means, &times).is_none() {
        return false;
    }
    if let Some(begun) = begun {
        report(&method.chains[chain], (chain, index), begun, &times, tracer);
    }
    true
}

impl Group {
    /// Nothing if a tensor is not where it should be.
    fn execute(
        &self,
        values: &Values<'_>,
        arenas: &mut [Arena],
        means: Means,
        times: &Times,
    ) -> Option<()> {
        let target = values.tensor(self.out)?.1.capacity_region()?;
        if self.way == Way::Aside {
            return self.execute_aside(values, arenas, target, means, times);
        }
        let laid_out = match &self.work {
            Work::Channels(pipeline) if self.way == Way::LayOut => {
                Some(pipeline.lay_out(input_of(values, arenas, self.input)?, times)?)
            }
            _ => None,
        };
        let input = laid_out.is_none().then_some(self.input);
        let tensors: SmallVec<[&Tensor<'_>; 4]> = input
            .iter()
            .chain(&self.others)
            .map(|id| values.tensor(*id).map(|(_, tensor)| tensor))
            .collect::<Option<_>>()?;
        let regions: SmallVec<[Option<Region>; 4]> =
            tensors.iter().map(|tensor| tensor.region()).collect();
        let around = Around::new(arenas, target)?;
        let slice = |region: &Option<Region>| region.map_or(Some(&[][..]), |r| around.read(r));
        let reads: SmallVec<[&[u8]; 4]> = regions.iter().map(slice).collect::<Option<_>>()?;
        let reads: SmallVec<[&[f32]; 4]> = tensors
            .iter()
            .zip(&reads)
            .map(|(tensor, read)| floats(tensor, read))
            .collect::<Option<_>>()?;
        let out = bytemuck::try_cast_slice_mut(around.write).ok()?;
        match (&self.work, laid_out) {
            (Work::Channels(pipeline), Some(input)) => {
                pipeline.run_laid_out(input, &reads, out, means, times);
            }
            (Work::Channels(pipeline), None) => {
                let (input, others) = reads.split_first()?;
                pipeline.run(input, others, out, means, times);
            }
            (Work::Product(product), _) => {
                product.run(reads.first()?, out, means);
                // The turn has been made when the method was loaded.
                times.add(1, 1);
            }
        }
        Some(())
    }

    /// Computes the output elsewhere and copies it to its place.
    fn execute_aside(
        &self,
        values: &Values<'_>,
        arenas: &mut [Arena],
        target: Region,
        means: Means,
        times: &Times,
    ) -> Option<()> {
        let Work::Channels(pipeline) = &self.work else { return None };
        let bytes = values.tensor(self.out)?.1.meta.nbytes();
        let mut out = Scratch::<f32>::new(bytes / size_of::<f32>());
        {
            let read = |id: &ValueId| input_of(values, arenas, *id);
            let others: SmallVec<[&[f32]; 2]> =
                self.others.iter().map(read).collect::<Option<_>>()?;
            pipeline.run(read(&self.input)?, &others, &mut out, means, times);
        }
        let place = arenas.get_mut(target.arena as usize)?.bytes_mut();
        let out: &[u8] = bytemuck::cast_slice(&out);
        place.get_mut(target.start..target.end)?.get_mut(..out.len())?.copy_from_slice(out);
        Some(())
    }
}

/// The elements of a tensor that lies in an arena or is a constant.
fn input_of<'a>(values: &'a Values<'_>, arenas: &'a [Arena], id: ValueId) -> Option<&'a [f32]> {
    let (_, tensor) = values.tensor(id)?;
    let read = match tensor.region() {
        Some(region) => arenas.get(region.arena as usize)?.bytes().get(region.start..region.end)?,
        None => &[],
    };
    floats(tensor, read)
}

/// The elements of a tensor, from `read` unless it is a constant.
fn floats<'a>(tensor: &'a Tensor<'_>, read: &'a [u8]) -> Option<&'a [f32]> {
    let data = match tensor.storage {
        Storage::Constant(bytes) => bytes,
        _ => read,
    };
    TensorRef { meta: &tensor.meta, data }.data().ok()
}

/// Gives each instruction its share of the time since `begun`, in their order.
fn report(
    instructions: &[Instruction],
    (chain, index): (usize, usize),
    begun: Ticks,
    times: &Times,
    tracer: &mut dyn Tracer,
) {
    let total: u64 = times.each().sum();
    let ended = tracer.now().unwrap_or(begun);
    let elapsed = u128::from(ended.0.saturating_sub(begun.0));
    let (mut before, mut from) = (0, begun);
    for (index, time) in (index..).zip(times.each()) {
        before += time;
        let share = elapsed * u128::from(before) / u128::from(total.max(1));
        let to = Ticks(begun.0 + share as u64);
        let place = Place::Instruction(ChainId(chain as u32), InstructionId(index as u32));
        if let Some(Instruction::Kernel(call)) = instructions.get(index) {
            tracer.span(&call.event, place, from, to);
            tracer.span("OPERATOR_CALL", place, from, to);
        }
        from = to;
    }
}
