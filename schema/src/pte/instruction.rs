//! Chains and instructions.

use super::method::value_id;
use crate::generated::program_generated::executorch_flatbuffer as fb;
use crate::ids::{DelegateId, InstructionId, OperatorId, ValueId};
use flatbuffers::Vector;

/// A sequence of instructions. Exporters write one chain per method.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    chain: fb::Chain<'a>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(chain: fb::Chain<'a>) -> Self {
        Chain { chain }
    }

    /// Number of instructions.
    pub fn instruction_count(&self) -> usize {
        self.chain.instructions().map_or(0, |i| i.len())
    }

    /// The instructions, in order.
    pub fn instructions(&self) -> impl ExactSizeIterator<Item = Instruction<'a>> + use<'a> {
        let instructions = self.chain.instructions().unwrap_or_default();
        (0..instructions.len()).map(move |i| Instruction::new(instructions.get(i)))
    }

    /// The instruction at `id`, if there is one.
    pub fn instruction(&self, id: InstructionId) -> Option<Instruction<'a>> {
        let instructions = self.chain.instructions()?;
        (id.index() < instructions.len()).then(|| Instruction::new(instructions.get(id.index())))
    }

    /// Python stack of instruction `id`, innermost last; empty unless exported with stack traces.
    pub fn frames(&self, id: InstructionId) -> impl ExactSizeIterator<Item = Frame<'a>> + use<'a> {
        let frames = self
            .chain
            .stacktrace()
            .filter(|traces| id.index() < traces.len())
            .and_then(|traces| traces.get(id.index()).items())
            .unwrap_or_default();
        (0..frames.len()).map(move |i| {
            let frame = frames.get(i);
            Frame {
                file: frame.filename().unwrap_or_default(),
                line: frame.lineno(),
                function: frame.name().unwrap_or_default(),
                code: frame.context().unwrap_or_default(),
            }
        })
    }
}

/// One Python stack frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Source file.
    pub file: &'a str,
    /// Line in it, from 1.
    pub line: i32,
    /// Function.
    pub function: &'a str,
    /// Source text of the line.
    pub code: &'a str,
}

/// Argument value indices of a call.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a>(Vector<'a, i32>);

impl<'a> Args<'a> {
    /// Number of arguments.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value indices.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ValueId> + use<'a> {
        self.0.iter().map(value_id)
    }
}

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub enum Instruction<'a> {
    /// Runs an operator's kernel. The arguments end with the outputs, and each
    /// output once more as the return value.
    KernelCall {
        /// Operator.
        operator: OperatorId,
        /// Arguments.
        args: Args<'a>,
    },
    /// Runs a delegate.
    DelegateCall {
        /// Delegate.
        delegate: DelegateId,
        /// Inputs, then outputs.
        args: Args<'a>,
    },
    /// Copies a value's slot.
    Move {
        /// Source.
        from: ValueId,
        /// Destination.
        to: ValueId,
    },
    /// Jumps when the condition is false.
    JumpFalse {
        /// A Bool, or a tensor of bools that are all true.
        condition: ValueId,
        /// Instruction to go on with.
        destination: InstructionId,
    },
    /// Forgets a tensor's data pointer.
    Free {
        /// The tensor.
        value: ValueId,
    },
    /// An instruction that this reader does not know, with its union tag.
    Unknown(u8),
}

impl<'a> Instruction<'a> {
    fn new(instruction: fb::Instruction<'a>) -> Self {
        Self::known(instruction).unwrap_or(Instruction::Unknown(instruction.instr_args_type().0))
    }

    fn known(instruction: fb::Instruction<'a>) -> Option<Self> {
        use fb::InstructionArguments as I;
        let index = |i: i32| u32::try_from(i).unwrap_or(u32::MAX);
        Some(match instruction.instr_args_type() {
            I::KernelCall => {
                let call = instruction.instr_args_as_kernel_call()?;
                Instruction::KernelCall {
                    operator: OperatorId(index(call.op_index())),
                    args: Args(call.args().unwrap_or_default()),
                }
            }
            I::DelegateCall => {
                let call = instruction.instr_args_as_delegate_call()?;
                Instruction::DelegateCall {
                    delegate: DelegateId(index(call.delegate_index())),
                    args: Args(call.args().unwrap_or_default()),
                }
            }
            I::MoveCall => {
                let call = instruction.instr_args_as_move_call()?;
                Instruction::Move { from: value_id(call.move_from()), to: value_id(call.move_to()) }
            }
            I::JumpFalseCall => {
                let call = instruction.instr_args_as_jump_false_call()?;
                Instruction::JumpFalse {
                    condition: value_id(call.cond_value_index()),
                    destination: InstructionId(index(call.destination_instruction())),
                }
            }
            I::FreeCall => {
                let call = instruction.instr_args_as_free_call()?;
                Instruction::Free { value: value_id(call.value_index()) }
            }
            _ => return None,
        })
    }
}
