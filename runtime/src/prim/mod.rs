//! Prim operators: they work on the method's values themselves, so that a
//! program can compute with sizes, loop, and alias tensors. The trace has only
//! `OPERATOR_CALL` for them.

mod scalar;
mod tensor;

pub(crate) use tensor::view_sizes;

use crate::error::{KernelError, KernelResult};
use crate::memory::Arena;
use crate::value::{EValue, Scalar, TensorId, Values};
use alloc::format;
use et_schema::ErrorCode;
use et_schema::ids::ValueId;

/// What a prim operator works on: its last argument is the output.
pub(crate) struct Stack<'m, 'p> {
    pub values: &'m mut Values<'p>,
    pub arenas: &'m mut [Arena],
    pub args: &'m [ValueId],
}

/// A prim operator.
pub(crate) type PrimOp = fn(&mut Stack<'_, '_>) -> KernelResult;

/// The prim operator of this name.
pub(crate) fn find(name: &str) -> Option<PrimOp> {
    operators().find(|(own, _)| *own == name).map(|(_, op)| *op)
}

/// Names of all prim operators.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    operators().map(|(name, _)| *name)
}

fn operators() -> impl Iterator<Item = &'static (&'static str, PrimOp)> {
    scalar::OPERATORS.iter().chain(tensor::OPERATORS)
}

impl<'p> Stack<'_, 'p> {
    fn value(&self, index: usize) -> KernelResult<EValue<'p>> {
        let id = self.id(index)?;
        self.values.get(id).ok_or_else(|| invalid(format!("no value {id}")))
    }

    fn id(&self, index: usize) -> KernelResult<ValueId> {
        self.args.get(index).copied().ok_or_else(|| {
            invalid(format!("{} arguments, at least {} expected", self.args.len(), index + 1))
        })
    }

    fn scalar(&self, index: usize) -> KernelResult<Scalar> {
        match self.value(index)? {
            EValue::Scalar(scalar) => Ok(scalar),
            other => Err(wrong_type(index, "a number", other.kind())),
        }
    }

    fn int(&self, index: usize) -> KernelResult<i64> {
        match self.value(index)? {
            EValue::Scalar(Scalar::Int(value)) => Ok(value),
            other => Err(wrong_type(index, "an Int", other.kind())),
        }
    }

    fn bool(&self, index: usize) -> KernelResult<bool> {
        match self.value(index)? {
            EValue::Scalar(Scalar::Bool(value)) => Ok(value),
            other => Err(wrong_type(index, "a Bool", other.kind())),
        }
    }

    fn tensor(&self, index: usize) -> KernelResult<TensorId> {
        match self.value(index)? {
            EValue::Tensor(tensor) => Ok(tensor),
            other => Err(wrong_type(index, "a Tensor", other.kind())),
        }
    }

    /// Stores the result in argument `index`.
    fn set(&mut self, index: usize, scalar: Scalar) -> KernelResult {
        let id = self.id(index)?;
        self.values.slots[id.index()] = EValue::Scalar(scalar);
        Ok(())
    }
}

fn invalid(message: alloc::string::String) -> KernelError {
    KernelError::new(ErrorCode::InvalidProgram, message)
}

fn wrong_type(index: usize, expected: &str, found: &str) -> KernelError {
    KernelError::new(
        ErrorCode::InvalidType,
        format!("argument {index}: expected {expected}, found {found}"),
    )
}
