//! Which arguments of calls never change from one call to the next.

use super::instruction::{Instruction, KernelCall};
use super::prepared::{Prepared, is_settled};
use crate::value::{EValue, Storage, Values};
use alloc::boxed::Box;
use alloc::vec::Vec;
use et_schema::ids::ValueId;

/// Values that an instruction may put something else into.
pub(super) struct Changes {
    changed: Vec<bool>,
    /// Slots that take what another slot holds.
    moved: Vec<bool>,
}

impl Changes {
    /// What `Move`s and prim operators write, and the outputs of kernels.
    /// Arguments of prim operators all count, as they do not say which they write.
    pub fn of(chains: &[Vec<Instruction>], values: &Values<'_>) -> Self {
        let mut changed = alloc::vec![false; values.slots.len()];
        let mut moved = changed.clone();
        let mut change = |id: &ValueId| {
            if let Some(changed) = changed.get_mut(id.index()) {
                *changed = true;
            }
        };
        for instruction in chains.iter().flatten() {
            match instruction {
                Instruction::Kernel(call) => {
                    let args = call.signature.args.iter().zip(&call.args);
                    args.filter(|(arg, _)| arg.out).for_each(|(_, id)| change(id));
                }
                Instruction::Prim { args, .. } => args.iter().for_each(&mut change),
                Instruction::Delegate(call) => call.args.iter().for_each(&mut change),
                Instruction::Move { to, .. } => {
                    change(to);
                    if let Some(moved) = moved.get_mut(to.index()) {
                        *moved = true;
                    }
                }
                Instruction::Free { value } => change(value),
                Instruction::JumpFalse { .. } => {}
            }
        }
        Changes { changed, moved }
    }

    /// Whether the slot holds the same at all times. The elements of a tensor may change.
    pub fn is_fixed(&self, id: ValueId) -> bool {
        self.changed.get(id.index()) == Some(&false)
    }

    /// Whether the slot holds the same tensor at all times, whatever is in it.
    pub fn stays(&self, id: ValueId) -> bool {
        self.moved.get(id.index()) == Some(&false)
    }

    fn is_constant(&self, id: ValueId, values: &Values<'_>) -> bool {
        if !self.is_fixed(id) {
            return false;
        }
        match values.get(id) {
            Some(EValue::Tensor(tensor)) => {
                matches!(values.tensors[tensor.index()].storage, Storage::Constant(_))
            }
            Some(EValue::IntList(list)) => list.ids().all(|item| self.is_fixed(item)),
            Some(EValue::TensorList(_) | EValue::OptionalTensorList(_)) => false,
            Some(_) => true,
            None => false,
        }
    }
}

/// Marks the arguments of all kernel calls that are constant.
pub(super) fn mark(chains: &mut [Vec<Instruction>], values: &Values<'_>) {
    let changes = Changes::of(chains, values);
    for instruction in chains.iter_mut().flatten() {
        if let Instruction::Kernel(call) = instruction {
            call.constants = constants(call, &changes, values);
            call.lists = lists(call, values);
            call.settled = is_settled(call, &changes, values);
            if call.settled {
                call.prepared = Prepared::of(call, values);
            }
        }
    }
}

fn constants(call: &KernelCall, changes: &Changes, values: &Values<'_>) -> u64 {
    let args = call.args.iter().take(64).enumerate();
    let constant = args.filter(|(_, id)| changes.is_constant(**id, values));
    constant.fold(0, |bits, (index, _)| bits | 1 << index)
}

/// The integers of constant lists, by argument; none for other arguments.
fn lists(call: &KernelCall, values: &Values<'_>) -> Box<[Box<[i64]>]> {
    let args = call.args.iter().enumerate();
    let lists = args.map(|(index, id)| match values.get(*id) {
        Some(EValue::IntList(list)) if call.is_constant(index) => {
            list.ids().map(|item| values.int(item).unwrap_or_default()).collect()
        }
        _ => Box::default(),
    });
    lists.collect()
}
