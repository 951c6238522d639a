//! Arguments of a kernel, by position in the operator's signature.

use super::kept::Kept;
use super::means::Means;
use crate::error::{KernelError, KernelResult};
use crate::tensor::{TensorMut, TensorRef};
use crate::value::Scalar;
use alloc::format;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use et_schema::ScalarType;
use et_schema::operators::Signature;
use smallvec::SmallVec;

/// One argument.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// None.
    None,
    /// A number.
    Scalar(Scalar),
    /// Text.
    String(&'a str),
    /// A tensor.
    Tensor(TensorRef<'a>),
    /// Integers.
    IntList(&'a [i64]),
    /// Floats.
    DoubleList(&'a [f64]),
    /// Booleans.
    BoolList(&'a [bool]),
    /// Tensors; `None` only in lists of optional tensors.
    TensorList(&'a [Option<TensorRef<'a>>]),
    /// An output, which is found in [`Outs`].
    Out,
}

impl Arg<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Arg::None => "None",
            Arg::Scalar(Scalar::Int(_)) => "Int",
            Arg::Scalar(Scalar::Double(_)) => "Double",
            Arg::Scalar(Scalar::Bool(_)) => "Bool",
            Arg::String(_) => "String",
            Arg::Tensor(_) => "Tensor",
            Arg::IntList(_) => "IntList",
            Arg::DoubleList(_) => "DoubleList",
            Arg::BoolList(_) => "BoolList",
            Arg::TensorList(_) => "TensorList",
            Arg::Out => "output",
        }
    }
}

/// The outputs of a kernel in signature order; the items of a list one by one.
pub type Outs<'a> = Vec<TensorMut<'a>>;

/// The arguments of a kernel call.
pub struct Args<'a> {
    signature: &'static Signature,
    args: &'a [Arg<'a>],
    resources: Resources<'a>,
}

/// What a kernel may use beside its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Resources<'a> {
    pub means: Means,
    /// Takes note of what ExecuTorch's kernel takes from the temp allocator.
    pub temp: &'a RefCell<SmallVec<[u64; 2]>>,
    /// The seed of the next sequence of random numbers.
    pub seed: &'a Cell<u64>,
    /// What the kernel made of its constants.
    pub kept: &'a Kept,
    /// Bit `i`: argument `i` is the same in all calls of the instruction.
    pub constants: u64,
    /// All but the elements of tensors is the same in all calls of the instruction.
    pub settled: bool,
}

impl<'a> Args<'a> {
    pub(crate) fn new(
        signature: &'static Signature,
        args: &'a [Arg<'a>],
        resources: Resources<'a>,
    ) -> Self {
        Args { signature, args, resources }
    }

    /// Whether argument `index` is an output.
    pub fn is_output(&self, index: usize) -> bool {
        matches!(self.args.get(index), Some(Arg::Out))
    }

    /// Threads that the kernel may use, at least 1.
    pub fn threads(&self) -> usize {
        self.resources.means.threads
    }

    /// The threads, and how to round.
    pub(super) fn means(&self) -> Means {
        self.resources.means
    }

    /// The seed of a sequence of random numbers that no other call has.
    pub(crate) fn seed(&self) -> u64 {
        let seed = self.resources.seed.get();
        // Far apart, as a sequence counts up from its seed.
        self.resources.seed.set(seed.wrapping_add(1 << 40));
        seed
    }

    /// Counts `bytes` that ExecuTorch's kernel takes from the temp allocator here.
    pub fn count_temp(&self, bytes: u64) {
        self.resources.temp.borrow_mut().push(bytes);
    }

    pub(super) fn resources(&self) -> Resources<'a> {
        self.resources
    }

    /// Whether argument `index` is known to be the same in all calls of this
    /// instruction. Without the standard library nothing is: there is no memory to
    /// spare for what a kernel would keep.
    pub(crate) fn is_constant(&self, index: usize) -> bool {
        cfg!(feature = "std") && index < 64 && self.resources.constants >> index & 1 == 1
    }

    /// Whether all but the elements of tensors is known to be the same in all calls
    /// of this instruction. As for [`is_constant`](Self::is_constant), not without
    /// the standard library.
    pub(crate) fn is_settled(&self) -> bool {
        cfg!(feature = "std") && self.resources.settled
    }

    /// Whether argument `index` is None.
    pub fn is_none(&self, index: usize) -> bool {
        matches!(self.args.get(index), None | Some(Arg::None))
    }

    /// A tensor.
    ///
    /// # Errors
    /// The argument is something else, as for all that follow.
    pub fn tensor(&self, index: usize) -> KernelResult<TensorRef<'a>> {
        match self.args.get(index) {
            Some(Arg::Tensor(tensor)) => Ok(*tensor),
            other => self.wrong(index, "a Tensor", other),
        }
    }

    /// A tensor or None.
    pub fn optional_tensor(&self, index: usize) -> KernelResult<Option<TensorRef<'a>>> {
        if self.is_none(index) { Ok(None) } else { self.tensor(index).map(Some) }
    }

    /// The tensors of a list; `None` only in lists of optional tensors.
    pub fn tensors(&self, index: usize) -> KernelResult<&[Option<TensorRef<'a>>]> {
        match self.args.get(index) {
            Some(Arg::TensorList(list)) => Ok(list),
            other => self.wrong(index, "a TensorList", other),
        }
    }

    /// An Int, Double or Bool.
    pub fn scalar(&self, index: usize) -> KernelResult<Scalar> {
        match self.args.get(index) {
            Some(Arg::Scalar(scalar)) => Ok(*scalar),
            other => self.wrong(index, "a number", other),
        }
    }

    /// An Int, Double, Bool or None.
    pub fn optional_scalar(&self, index: usize) -> KernelResult<Option<Scalar>> {
        if self.is_none(index) { Ok(None) } else { self.scalar(index).map(Some) }
    }

    /// An Int.
    pub fn int(&self, index: usize) -> KernelResult<i64> {
        match self.args.get(index) {
            Some(Arg::Scalar(Scalar::Int(value))) => Ok(*value),
            other => self.wrong(index, "an Int", other),
        }
    }

    /// An Int or None.
    pub fn optional_int(&self, index: usize) -> KernelResult<Option<i64>> {
        if self.is_none(index) { Ok(None) } else { self.int(index).map(Some) }
    }

    /// A Double; an Int is taken as one.
    pub fn double(&self, index: usize) -> KernelResult<f64> {
        match self.args.get(index) {
            Some(Arg::Scalar(Scalar::Double(value))) => Ok(*value),
            Some(Arg::Scalar(Scalar::Int(value))) => Ok(*value as f64),
            other => self.wrong(index, "a Double", other),
        }
    }

    /// A Double or None.
    pub fn optional_double(&self, index: usize) -> KernelResult<Option<f64>> {
        if self.is_none(index) { Ok(None) } else { self.double(index).map(Some) }
    }

    /// A Bool.
    pub fn bool(&self, index: usize) -> KernelResult<bool> {
        match self.args.get(index) {
            Some(Arg::Scalar(Scalar::Bool(value))) => Ok(*value),
            other => self.wrong(index, "a Bool", other),
        }
    }

    /// Text.
    pub fn string(&self, index: usize) -> KernelResult<&'a str> {
        match self.args.get(index) {
            Some(Arg::String(text)) => Ok(text),
            other => self.wrong(index, "a String", other),
        }
    }

    /// The integers of a list.
    pub fn ints(&self, index: usize) -> KernelResult<&[i64]> {
        match self.args.get(index) {
            Some(Arg::IntList(list)) => Ok(list),
            other => self.wrong(index, "an IntList", other),
        }
    }

    /// The integers of a list, or None.
    pub fn optional_ints(&self, index: usize) -> KernelResult<Option<&[i64]>> {
        if self.is_none(index) { Ok(None) } else { self.ints(index).map(Some) }
    }

    /// The floats of a list.
    pub fn doubles(&self, index: usize) -> KernelResult<&[f64]> {
        match self.args.get(index) {
            Some(Arg::DoubleList(list)) => Ok(list),
            other => self.wrong(index, "a DoubleList", other),
        }
    }

    /// The booleans of a list.
    pub fn bools(&self, index: usize) -> KernelResult<&[bool]> {
        match self.args.get(index) {
            Some(Arg::BoolList(list)) => Ok(list),
            other => self.wrong(index, "a BoolList", other),
        }
    }

    /// An element type, given as its number, or None.
    pub fn optional_scalar_type(&self, index: usize) -> KernelResult<Option<ScalarType>> {
        let Some(number) = self.optional_int(index)? else { return Ok(None) };
        match ScalarType::from_number(number) {
            Some(scalar_type) => Ok(Some(scalar_type)),
            None => Err(KernelError::argument(format!(
                "argument {:?}: {number} is no element type",
                self.name(index)
            ))),
        }
    }

    fn name(&self, index: usize) -> &'static str {
        self.signature.args.get(index).map_or("", |arg| arg.name)
    }

    fn wrong<T>(&self, index: usize, expected: &str, found: Option<&Arg<'_>>) -> KernelResult<T> {
        Err(KernelError::new(
            et_schema::ErrorCode::InvalidType,
            format!(
                "argument {:?}: expected {expected}, found {}",
                self.name(index),
                found.map_or("nothing", Arg::kind)
            ),
        ))
    }
}
