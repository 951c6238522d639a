//! The allocations of `Program::load_method`, in the runtime's order.

use super::abi::{Abi, Object};
use crate::ids::{ChainId, InstructionId, ValueId};
use crate::pte::{Dynamism, File, Instruction, Location, Method, Tensor, Value};

/// Bytes that the runtime sets aside per argument besides its `TensorMeta`
/// when it decides whether the temp allocator is big enough for a look-up.
const DIM_ORDER_BOUND: u64 = 16;

/// Id of the backend whose objects are known.
const XNNPACK: &str = "XnnpackBackend";

/// What the loading firmware provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadSettings {
    /// Target.
    pub abi: Abi,
    /// Size of the temp allocator in bytes, `None` if there is none at all.
    pub temp_pool: Option<u64>,
    /// Whether a `.ptd` file is given.
    pub external_data: bool,
    /// Whether the loader keeps a flag per input, as all releases after 0.5 do.
    pub input_flags: bool,
    /// Whether backends allocate for their delegates, as far as it is known of
    /// them. Without, the loader's own allocations are told alone.
    pub backend_objects: bool,
}

/// Who gives out the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The method allocator, until the method is unloaded.
    Method,
    /// The temp allocator, until the same instruction is loaded.
    Temp,
}

/// One allocation while a method is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodAllocation {
    /// Who gives it out.
    pub pool: Pool,
    /// Bytes asked for.
    pub size: u64,
    /// Alignment in bytes.
    pub align: u32,
    /// Kind of object.
    pub object: Object,
    /// How many of them.
    pub count: u64,
    /// The value that it is for, if any.
    pub value: Option<ValueId>,
    /// The instruction that it is for, if any.
    pub instruction: Option<(ChainId, InstructionId)>,
}

/// Calls `allocate` for each allocation of loading `method`, in order, and
/// `reset_temp` where the runtime resets its temp allocator.
///
/// # Errors
/// The first error of `allocate`, or an index in the program that points nowhere.
pub fn method_allocations<E: From<crate::ReadError>>(
    file: &File<'_>,
    method: &Method<'_>,
    settings: LoadSettings,
    allocate: &mut dyn FnMut(Step) -> core::result::Result<(), E>,
) -> core::result::Result<(), E> {
    let mut walk = Walk { settings, value: None, instruction: None, allocate };
    if settings.temp_pool.is_none() {
        walk.objects(Object::PlatformMemoryAllocator, 1)?;
    }
    walk.objects(Object::EValue, method.value_count())?;
    if settings.input_flags && method.inputs().len() > 0 {
        walk.objects(Object::InputFlag, method.inputs().len())?;
    }
    let external = method.values().filter(is_external_constant).count();
    if external > 0 {
        walk.objects(Object::ExternalConstant, external)?;
    }
    for (index, value) in method.values().enumerate() {
        walk.value = Some(ValueId(index as u32));
        walk.value(&value)?;
    }
    walk.value = None;
    walk.delegates(file, method)?;
    walk.chains(method)
}

/// What a walk over the loader's allocations meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An allocation.
    Allocate(MethodAllocation),
    /// The temp allocator is reset.
    ResetTemp,
}

/// Bytes that a temp allocator must have for the look-up of an operator with
/// `args` arguments; a smaller one leaves the look-up to the method allocator.
pub fn look_up_bytes(args: u64, abi: Abi) -> u64 {
    let (meta_size, _) = Object::TensorMeta.size_align(abi);
    args.saturating_mul(u64::from(meta_size) + DIM_ORDER_BOUND)
}

fn is_external_constant(value: &Value<'_>) -> bool {
    matches!(value, Value::Tensor(tensor)
        if tensor.location() == Location::External && tensor.allocation().is_none())
}

struct Walk<'w, E> {
    settings: LoadSettings,
    value: Option<ValueId>,
    instruction: Option<(ChainId, InstructionId)>,
    allocate: &'w mut dyn FnMut(Step) -> core::result::Result<(), E>,
}

impl<E: From<crate::ReadError>> Walk<'_, E> {
    fn objects(&mut self, object: Object, count: usize) -> core::result::Result<(), E> {
        self.objects_from(Pool::Method, object, count)
    }

    fn objects_from(
        &mut self,
        pool: Pool,
        object: Object,
        count: usize,
    ) -> core::result::Result<(), E> {
        let (size, align) = object.size_align(self.settings.abi);
        (self.allocate)(Step::Allocate(MethodAllocation {
            pool,
            size: (count as u64).saturating_mul(size.into()),
            align,
            object,
            count: count as u64,
            value: self.value,
            instruction: self.instruction,
        }))
    }

    fn value(&mut self, value: &Value<'_>) -> core::result::Result<(), E> {
        match value {
            Value::Tensor(tensor) => self.tensor(tensor),
            Value::IntList(list) => {
                let count = list.ids().len();
                self.objects(Object::EValuePointer, count)?;
                self.objects(Object::ListInteger, count)?;
                self.objects(Object::BoxedList, 1)
            }
            Value::TensorList(list) => {
                let count = list.ids().len();
                self.objects(Object::Tensor, count)?;
                self.objects(Object::EValuePointer, count)?;
                self.objects(Object::BoxedList, 1)
            }
            Value::OptionalTensorList(list) => {
                let count = list.ids().len();
                self.objects(Object::EValuePointer, count)?;
                self.objects(Object::OptionalTensor, count)?;
                self.objects(Object::BoxedList, 1)
            }
            Value::BoolList(_) | Value::DoubleList(_) | Value::String(_) => {
                self.objects(Object::ArrayRef, 1)
            }
            Value::Null | Value::Int(_) | Value::Bool(_) | Value::Double(_) | Value::Unknown(_) => {
                Ok(())
            }
        }
    }

    fn tensor(&mut self, tensor: &Tensor<'_>) -> core::result::Result<(), E> {
        let rank = tensor.sizes().len();
        if tensor.dynamism() != Dynamism::Static {
            self.objects(Object::TensorDimension, rank)?;
            self.objects(Object::TensorDimOrder, rank)?;
        }
        self.objects(Object::TensorDimension, rank)?;
        self.objects(Object::TensorImpl, 1)
    }

    fn delegates(&mut self, file: &File<'_>, method: &Method<'_>) -> core::result::Result<(), E> {
        self.objects(Object::BackendDelegate, method.delegates().len())?;
        if self.settings.external_data && file.named_data().len() > 0 {
            self.objects(Object::MergedDataMap, 1)?;
        }
        for delegate in method.delegates() {
            if delegate.has_compile_specs() {
                self.objects(Object::CompileSpec, delegate.compile_specs().len())?;
            }
            if self.settings.backend_objects && delegate.id() == XNNPACK {
                let (size, _) = Object::XnnExecutor.size_align(self.settings.abi);
                if size > 0 {
                    self.objects(Object::XnnExecutor, 1)?;
                }
            }
        }
        Ok(())
    }

    fn chains(&mut self, method: &Method<'_>) -> core::result::Result<(), E> {
        self.objects(Object::Chain, method.chain_count())?;
        for (chain_index, chain) in method.chains().enumerate() {
            self.objects(Object::OpFunction, chain.instruction_count())?;
            self.objects(Object::InstructionArgs, chain.instruction_count())?;
            for (index, instruction) in chain.instructions().enumerate() {
                let at = (ChainId(chain_index as u32), InstructionId(index as u32));
                self.instruction = Some(at);
                match instruction {
                    Instruction::KernelCall { args, .. } => {
                        self.objects(Object::EValuePointer, args.len())?;
                        self.operator_look_up(method, args.ids())?;
                    }
                    Instruction::DelegateCall { args, .. } => {
                        self.objects(Object::EValuePointer, args.len())?;
                    }
                    _ => {}
                }
            }
            self.instruction = None;
        }
        Ok(())
    }

    /// The registry is asked with the dtype and dim order of each tensor
    /// argument, collected in the temp allocator if that is big enough.
    fn operator_look_up(
        &mut self,
        method: &Method<'_>,
        args: impl ExactSizeIterator<Item = ValueId>,
    ) -> core::result::Result<(), E> {
        let need = look_up_bytes(args.len() as u64, self.settings.abi);
        let pool = match self.settings.temp_pool {
            Some(size) if size >= need => Pool::Temp,
            // What stands in for a missing temp allocator has a size of 0.
            None if need == 0 => Pool::Temp,
            _ => Pool::Method,
        };
        self.objects_from(pool, Object::TensorMeta, args.len())?;
        for id in args {
            if let Value::Tensor(tensor) = method.value(id)? {
                self.objects_from(pool, Object::TensorDimOrder, tensor.sizes().len())?;
            }
        }
        match pool {
            Pool::Temp => (self.allocate)(Step::ResetTemp),
            Pool::Method => Ok(()),
        }
    }
}
