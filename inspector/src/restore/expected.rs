//! Which values the runtime logs, by the program.

use super::RestoreError;
use crate::correlate::is_kernel_of;
use et_schema::ScalarType;
use et_schema::etdump::ProfileEvent;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::operators::find_overload;
use et_schema::pte::{Dynamism, Instruction, Method, Tensor, Value};
use std::cell::Cell;

/// What the runtime was told to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logs {
    /// Outputs of operators, arguments of delegates, and outputs of the method.
    Everything,
    /// Outputs of the method.
    Outputs,
}

/// A tensor of a type that the runtime cannot log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LostTensor {
    pub value: ValueId,
    pub scalar_type: ScalarType,
    pub sizes: Vec<i32>,
    pub strides: Vec<i32>,
    pub nbytes: usize,
}

/// A value that is logged.
pub(super) enum Expected {
    /// The trace has it.
    Described,
    /// The debug buffer alone has it.
    Lost(LostTensor),
    /// A list of tensors that the runtime gave up at: the buffer has these of
    /// its tensors, by their bytes.
    PartOfList(Vec<usize>),
}

/// The values that a method logs.
pub(super) struct Logging<'m> {
    method: &'m Method<'m>,
    logs: Logs,
    left: &'m Cell<usize>,
}

/// More dimensions no tensor has (`kTensorDimensionLimit`).
const MOST_DIMENSIONS: usize = 16;

/// What the names of kernel calls begin with.
const KERNEL_CALL: &str = "native_call_";

impl<'m> Logging<'m> {
    /// At most `left` values are looked at, through all that share it.
    pub fn new(method: &'m Method<'m>, logs: Logs, left: &'m Cell<usize>) -> Self {
        Logging { method, logs, left }
    }

    /// Counts one more value: a trace must not name more than the debug buffer
    /// can have.
    fn count(&self) -> Result<(), RestoreError> {
        let left = self.left.get().checked_sub(1).ok_or(RestoreError::OtherBuffer)?;
        self.left.set(left);
        Ok(())
    }

    /// The values of the call that `event` is of, in the order in which they are logged.
    pub fn of_call(&self, event: &ProfileEvent<'_>) -> Result<Vec<Expected>, RestoreError> {
        let mut found = Vec::new();
        if self.logs == Logs::Outputs {
            return Ok(found);
        }
        let instruction = || {
            let chain = ChainId(u32::try_from(event.chain_index).ok()?);
            let id = InstructionId(u32::try_from(event.instruction_id).ok()?);
            self.method.chain(chain).ok()?.instruction(id)
        };
        match instruction() {
            Some(Instruction::KernelCall { operator, args })
                if event.name.starts_with(KERNEL_CALL) =>
            {
                let place = format!("{}:{}", event.chain_index, event.instruction_id);
                let other = || RestoreError::OtherProgram(format!("instruction {place}"));
                let operator = self.method.operator(operator).map_err(|_| other())?;
                let kernel = event.name.strip_prefix(KERNEL_CALL).unwrap_or_default();
                if !is_kernel_of(&operator.to_string(), kernel) {
                    return Err(other());
                }
                match find_overload(operator.name, operator.overload) {
                    Some(signature) => {
                        for (id, arg) in args.ids().zip(signature.args) {
                            if arg.out {
                                self.add(&mut found, id)?;
                            }
                        }
                    }
                    // By the emitter's convention the output comes last.
                    None => args.ids().last().map_or(Ok(()), |id| self.add(&mut found, id))?,
                }
            }
            Some(Instruction::DelegateCall { args, .. }) if event.name == "DELEGATE_CALL" => {
                for id in args.ids() {
                    self.add(&mut found, id)?;
                }
            }
            _ => {}
        }
        Ok(found)
    }

    /// The outputs of the method.
    pub fn of_outputs(&self) -> Result<Vec<Expected>, RestoreError> {
        let mut found = Vec::new();
        for id in self.method.outputs() {
            self.add(&mut found, id)?;
        }
        Ok(found)
    }

    /// A list of tensors: the runtime logs one after the other and gives up at
    /// the first that it cannot describe.
    fn list(&self, ids: impl Iterator<Item = ValueId>) -> Result<Expected, RestoreError> {
        let mut parts = Vec::new();
        let mut is_dynamic = Ok(());
        for id in ids {
            self.count()?;
            let Ok(Value::Tensor(tensor)) = self.method.value(id) else { continue };
            match LostTensor::of(id, &tensor) {
                Ok(part) => parts.push(part.nbytes),
                Err(error) => is_dynamic = Err(error),
            }
            if is_lost(id, &tensor)? {
                return is_dynamic.map(|()| Expected::PartOfList(parts));
            }
        }
        Ok(Expected::Described)
    }

    /// Adds what is logged of a value: nothing of kinds that a trace has no form for.
    fn add(&self, found: &mut Vec<Expected>, id: ValueId) -> Result<(), RestoreError> {
        self.count()?;
        match self.method.value(id) {
            Ok(Value::Tensor(tensor)) => found.push(match is_lost(id, &tensor)? {
                true => Expected::Lost(LostTensor::of(id, &tensor)?),
                false => Expected::Described,
            }),
            Ok(Value::TensorList(list)) => found.push(self.list(list.ids().flatten())?),
            Ok(Value::Int(_) | Value::Bool(_) | Value::Double(_)) => {
                found.push(Expected::Described)
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the trace has no form for the tensor.
fn is_lost(id: ValueId, tensor: &Tensor<'_>) -> Result<bool, RestoreError> {
    let scalar_type = tensor.scalar_type();
    scalar_type
        .map(|t| !t.is_in_traces_of_executorch())
        .map_err(|_| RestoreError::OtherProgram(of_value(id)))
}

fn of_value(id: ValueId) -> String {
    format!("value {}", id.0)
}

impl LostTensor {
    fn of(id: ValueId, tensor: &Tensor<'_>) -> Result<Self, RestoreError> {
        let other = || RestoreError::OtherProgram(of_value(id));
        if tensor.dynamism() != Dynamism::Static {
            return Err(RestoreError::Dynamic(id.0));
        }
        if tensor.sizes().len() > MOST_DIMENSIONS {
            return Err(other());
        }
        let sizes: Vec<i32> = tensor.sizes().iter().collect();
        let nbytes = tensor.nbytes().and_then(|bytes| usize::try_from(bytes).ok());
        Ok(LostTensor {
            value: id,
            scalar_type: tensor.scalar_type().map_err(|_| other())?,
            strides: strides(&sizes, tensor.dim_order()).ok_or_else(other)?,
            sizes,
            nbytes: nbytes.ok_or_else(other)?,
        })
    }
}

/// Distances between neighbours, of a tensor whose dimensions lie in `order`.
fn strides(sizes: &[i32], order: &[u8]) -> Option<Vec<i32>> {
    if order.len() != sizes.len() {
        return None;
    }
    let mut strides = vec![1; sizes.len()];
    let mut next = 1i32;
    for dim in order.iter().rev() {
        let dim = usize::from(*dim);
        *strides.get_mut(dim)? = next;
        next = next.checked_mul((*sizes.get(dim)?).max(1))?;
    }
    Some(strides)
}
