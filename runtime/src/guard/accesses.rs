//! The tensors that an instruction reads and writes.

use crate::method::Instruction;
use crate::value::{EValue, TensorId, Values};
use et_schema::ids::ValueId;
use smallvec::SmallVec;

/// Operators that take only the shape of a tensor, not its data.
const SHAPE_ONLY: [&str; 6] = [
    "aten::empty.out",
    "aten::full_like.out",
    "aten::sym_numel",
    "aten::sym_size.int",
    "dim_order_ops::_empty_dim_order.out",
    "executorch_prim::et_view.default",
];

/// The operator that writes all of its `self` over, whatever it was.
const OVERWRITES: &str = "aten::copy_";

/// Accesses of one instruction, each tensor once.
#[derive(Clone, Debug, Default)]
pub(super) struct Accesses {
    pub reads: SmallVec<[TensorId; 8]>,
    pub writes: SmallVec<[TensorId; 4]>,
    /// Whether no value of a tensor that is written in place stays.
    overwrites: bool,
}

impl Accesses {
    /// Those of `instruction`, with the values as they are.
    pub fn of(instruction: &Instruction, values: &Values<'_>) -> Self {
        let mut accesses = Accesses::default();
        match instruction {
            Instruction::Kernel(call) => {
                accesses.overwrites = &*call.name == OVERWRITES;
                let shape_only = SHAPE_ONLY.contains(&&*call.name);
                for (arg, id) in call.signature.args.iter().zip(&call.args) {
                    if arg.out {
                        accesses.write(*id, values);
                    }
                    // In place, an operator reads what it writes.
                    if (!arg.out && !shape_only) || arg.name == "self" && arg.out {
                        accesses.read(*id, values);
                    }
                }
            }
            Instruction::Prim { name, args, .. } => match (&**name, &**args) {
                // Writes a part of its first argument, so the rest must be there.
                ("executorch_prim::et_copy_index.tensor", [to, from, ..]) => {
                    accesses.write(*to, values);
                    accesses.read(*from, values);
                }
                (name, args) if !SHAPE_ONLY.contains(&name) => {
                    args.iter().for_each(|id| accesses.read(*id, values));
                }
                _ => {}
            },
            Instruction::Delegate(call) => {
                call.reads.iter().for_each(|id| accesses.read(*id, values));
                call.writes.iter().for_each(|id| accesses.write(*id, values));
            }
            Instruction::JumpFalse { condition, .. } => accesses.read(*condition, values),
            Instruction::Move { .. } | Instruction::Free { .. } => {}
        }
        accesses
    }

    /// What is read and must have a value.
    pub fn needed(&self) -> impl Iterator<Item = TensorId> {
        let kept = |tensor: &&TensorId| !(self.overwrites && self.writes.contains(tensor));
        self.reads.iter().filter(kept).copied()
    }

    fn read(&mut self, id: ValueId, values: &Values<'_>) {
        for_each(id, values, |tensor| {
            if !self.reads.contains(&tensor) {
                self.reads.push(tensor);
            }
        });
    }

    fn write(&mut self, id: ValueId, values: &Values<'_>) {
        for_each(id, values, |tensor| {
            if !self.writes.contains(&tensor) {
                self.writes.push(tensor);
            }
        });
    }
}

fn for_each(id: ValueId, values: &Values<'_>, mut visit: impl FnMut(TensorId)) {
    match values.get(id) {
        Some(EValue::Tensor(tensor)) => visit(tensor),
        Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => {
            let tensors = list.ids().flatten().filter_map(|item| values.tensor(item));
            tensors.for_each(|(tensor, _)| visit(tensor));
        }
        _ => {}
    }
}
