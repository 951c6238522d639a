//! Instructions, resolved against the registry once, when the method loads.

#[cfg(feature = "std")]
use super::fusion::Group;
use super::prepared::Prepared;
use crate::kernels::{Kept, Kernel, order::Order};
use crate::prim::PrimOp;
use alloc::boxed::Box;
use alloc::string::String;
use et_schema::ids::ValueId;
use et_schema::operators::Signature;

/// An instruction, ready to run.
pub(crate) enum Instruction {
    Kernel(KernelCall),
    Delegate(DelegateCall),
    Prim { name: String, op: PrimOp, args: Box<[ValueId]> },
    Move { from: ValueId, to: ValueId },
    JumpFalse { condition: ValueId, destination: usize },
    Free { value: ValueId },
}

/// A call of a delegate.
pub(crate) struct DelegateCall {
    /// Index of the delegate.
    pub delegate: usize,
    /// Its backend, for messages: `delegate XnnpackBackend`.
    pub name: String,
    pub args: Box<[ValueId]>,
    /// Which of the arguments it reads.
    pub reads: Box<[ValueId]>,
    /// Which of the arguments it writes.
    pub writes: Box<[ValueId]>,
}

/// A call of an operator's kernel.
pub(crate) struct KernelCall {
    /// Name with overload, such as `aten::add.out`.
    pub name: String,
    /// Name of the trace event around the kernel.
    pub event: String,
    pub kernel: Kernel,
    /// `Heeded` in a method whose tensors are all plain: then there is nothing to look at.
    pub order: Order,
    pub signature: &'static Signature,
    /// One value per argument of the signature; the repeated return values are left out.
    pub args: Box<[ValueId]>,
    /// Bit `i`: argument `i` is a constant tensor, or a list or number that no
    /// instruction changes.
    pub constants: u64,
    /// The integers of argument `i`, if it is such a list.
    pub lists: Box<[Box<[i64]>]>,
    /// What the kernel made of its constants.
    pub kept: Kept,
    /// All but the elements of tensors is the same at each call.
    pub settled: bool,
    /// What a settled call is made with.
    pub prepared: Option<Box<Prepared>>,
    /// This call and those after it, if they can run together.
    #[cfg(feature = "std")]
    pub group: Option<Box<Group>>,
}

impl KernelCall {
    /// Whether argument `index` is the same in all calls.
    pub fn is_constant(&self, index: usize) -> bool {
        index < 64 && self.constants >> index & 1 == 1
    }
}
