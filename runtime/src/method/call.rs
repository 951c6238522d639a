//! A kernel call: borrows the arguments from the method's memory, runs the
//! kernel, and stores the outputs' new shapes.

use super::Method;
use super::instruction::{Instruction, KernelCall};
use crate::error::KernelError;
use crate::kernels::order::{self, Order, Treatment};
use crate::kernels::{Arg, Args, Outs, Resources};
use crate::memory::{Arena, Region, ViewError, Views, views};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use crate::value::{EValue, Scalar, Storage, TensorId, Values};
use alloc::format;
use alloc::string::String;
use core::cell::RefCell;
use et_schema::ErrorCode;
use et_schema::ids::ValueId;
use etdump::{DebugLevel, DebugTensor, DebugValue, Place, Tracer};
use smallvec::SmallVec;

/// Runs the kernel call `index` of `chain`.
pub(super) fn kernel(
    method: &mut Method<'_>,
    chain: usize,
    index: usize,
    place: Place,
    tracer: &mut dyn Tracer,
) -> Result<(), (KernelError, Option<String>)> {
    let Instruction::Kernel(call) = &method.chains[chain][index] else { return Ok(()) };
    let begun = tracer.begin(&call.event, place);
    let temp = RefCell::default();
    let resources = Resources { threads: method.threads, temp: &temp, seed: &method.seed };
    let resized = run(call, &method.values, &mut method.arenas, resources)
        .map_err(|e| (with_arguments(e, call, &method.values), Some(call.name.clone())))?;
    for (id, meta) in resized {
        method.values.tensors[id.index()].meta = meta;
    }
    for size in temp.into_inner() {
        if !method.pools.allocate_temp(size, 1, tracer) {
            let message = format!("temp allocator has no {size} bytes");
            let error = KernelError::new(ErrorCode::MemoryAllocationFailed, message);
            return Err((error, Some(call.name.clone())));
        }
    }
    if tracer.debug_level() >= DebugLevel::IntermediateOutputs {
        for (arg, id) in call.signature.args.iter().zip(&call.args) {
            if arg.out {
                log_value(method, *id, place, false, tracer);
            }
        }
    }
    tracer.end(&call.event, place, begun);
    Ok(())
}

type Resized = SmallVec<[(TensorId, TensorMeta); 4]>;

fn run(
    call: &KernelCall,
    values: &Values<'_>,
    arenas: &mut [Arena],
    resources: Resources<'_>,
) -> Result<Resized, KernelError> {
    let tensors = CallTensors::of(call, values)?;
    let mut copies = SmallVec::new();
    let Views { reads, writes } = views(arenas, &mut copies, &tensors.reads, &tensors.writes)
        .map_err(|e| match e {
            ViewError::OutputsOverlap(a, b) => KernelError::new(
                ErrorCode::InvalidProgram,
                format!("outputs {a} and {b} are planned to the same bytes"),
            ),
            ViewError::OutOfMemory(bytes) => KernelError::new(
                ErrorCode::MemoryAllocationFailed,
                format!("no {bytes} bytes for a copy of an input"),
            ),
        })?;
    let treatment = tensors.treatment(call.order, values)?;
    let plain = match treatment {
        Treatment::AsPlain => tensors.plain_inputs(values)?,
        _ => SmallVec::new(),
    };
    let mut builder = ArgBuilder { values, reads: reads.iter(), plain: plain.iter() };
    let mut args: SmallVec<[Arg<'_>; 16]> = SmallVec::new();
    for (arg, id) in call.signature.args.iter().zip(&call.args) {
        args.push(if arg.out { Arg::Out } else { builder.arg(*id) });
    }
    let mut outs: Outs<'_> = tensors
        .outs
        .iter()
        .zip(writes)
        .map(|(id, data)| TensorMut { meta: values.tensors[id.index()].meta.clone(), data })
        .collect();
    let args = Args::new(call.signature, args, resources);
    match treatment {
        Treatment::AsIs => (call.kernel)(&args, &mut outs)?,
        Treatment::AsPlain => order::with_plain_outs(&mut outs, |outs| (call.kernel)(&args, outs))?,
    }
    Ok(tensors.outs.into_iter().zip(outs).map(|(id, out)| (id, out.meta)).collect())
}

/// The tensors of a call in the order in which its arguments mention them.
#[derive(Default)]
struct CallTensors {
    inputs: SmallVec<[TensorId; 12]>,
    reads: SmallVec<[Option<Region>; 12]>,
    outs: SmallVec<[TensorId; 4]>,
    writes: SmallVec<[Region; 4]>,
}

impl CallTensors {
    fn of(call: &KernelCall, values: &Values<'_>) -> Result<Self, KernelError> {
        let mut tensors = CallTensors::default();
        for (arg, id) in call.signature.args.iter().zip(&call.args) {
            if arg.out {
                tensors.add_outs(arg.name, *id, values)?;
            } else {
                for_each_tensor(*id, values, &mut |tensor| {
                    tensors.inputs.push(tensor);
                    tensors.reads.push(values.tensors[tensor.index()].region());
                });
            }
        }
        Ok(tensors)
    }

    /// What the kernel makes of dim orders; nothing is looked at if it heeds them.
    fn treatment(&self, order: Order, values: &Values<'_>) -> Result<Treatment, KernelError> {
        if order == Order::Heeded {
            return Ok(Treatment::AsIs);
        }
        let metas = |ids: &[TensorId]| -> SmallVec<[&TensorMeta; 12]> {
            ids.iter().map(|id| &values.tensors[id.index()].meta).collect()
        };
        order.treatment(&metas(&self.inputs), &metas(&self.outs))
    }

    fn plain_inputs(&self, values: &Values<'_>) -> Result<SmallVec<[TensorMeta; 4]>, KernelError> {
        self.inputs.iter().map(|id| values.tensors[id.index()].meta.plain()).collect()
    }

    fn add_outs(
        &mut self,
        name: &str,
        id: ValueId,
        values: &Values<'_>,
    ) -> Result<(), KernelError> {
        let count = self.outs.len();
        let mut constant = false;
        for_each_tensor(id, values, &mut |tensor| {
            let out = &values.tensors[tensor.index()];
            constant |= matches!(out.storage, Storage::Constant(_));
            self.outs.push(tensor);
            let nowhere = Region { arena: 0, start: 0, end: 0 };
            self.writes.push(out.capacity_region().unwrap_or(nowhere));
        });
        if constant || self.outs.len() == count {
            let found = if constant { "a constant" } else { "no tensor" };
            return Err(KernelError::new(
                ErrorCode::InvalidProgram,
                format!("output {name:?} is {found}"),
            ));
        }
        Ok(())
    }
}

/// Visits the tensors of a value: itself, or the items of its list.
fn for_each_tensor(id: ValueId, values: &Values<'_>, visit: &mut dyn FnMut(TensorId)) {
    match values.get(id) {
        Some(EValue::Tensor(tensor)) => visit(tensor),
        Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => {
            for item in list.ids().flatten() {
                if let Some((tensor, _)) = values.tensor(item) {
                    visit(tensor);
                }
            }
        }
        _ => {}
    }
}

/// Turns values into arguments; takes the slices in the order of [`CallTensors::reads`],
/// and so the metas of tensors that are to be taken for plain ones, unless there are none.
struct ArgBuilder<'v, 's> {
    values: &'v Values<'v>,
    reads: core::slice::Iter<'s, &'v [u8]>,
    plain: core::slice::Iter<'v, TensorMeta>,
}

impl<'v> ArgBuilder<'v, '_> {
    fn arg(&mut self, id: ValueId) -> Arg<'v> {
        match self.values.get(id) {
            None | Some(EValue::None) => Arg::None,
            Some(EValue::Scalar(scalar)) => Arg::Scalar(scalar),
            Some(EValue::String(text)) => Arg::String(text),
            Some(EValue::Tensor(tensor)) => Arg::Tensor(self.tensor(tensor)),
            Some(EValue::IntList(list)) => Arg::IntList(
                list.ids().map(|item| self.values.int(item).unwrap_or_default()).collect(),
            ),
            Some(EValue::DoubleList(list)) => Arg::DoubleList(list.iter().collect()),
            Some(EValue::BoolList(list)) => Arg::BoolList(list.iter().collect()),
            Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => Arg::TensorList(
                list.ids().map(|item| Some(self.tensor(self.values.tensor(item?)?.0))).collect(),
            ),
        }
    }

    fn tensor(&mut self, id: TensorId) -> TensorRef<'v> {
        let read = self.reads.next().copied().unwrap_or_default();
        let tensor = &self.values.tensors[id.index()];
        let data = match tensor.storage {
            Storage::Constant(bytes) => bytes,
            _ => read,
        };
        TensorRef { meta: self.plain.next().unwrap_or(&tensor.meta), data }
    }
}

/// Adds what the kernel was given, for whoever reads the message.
fn with_arguments(error: KernelError, call: &KernelCall, values: &Values<'_>) -> KernelError {
    let mut message = error.message;
    for (arg, id) in call.signature.args.iter().zip(&call.args) {
        if let Some((_, tensor)) = values.tensor(*id) {
            let (dtype, sizes) = (tensor.meta.scalar_type(), tensor.meta.sizes());
            message += &format!("; {}: {dtype}{sizes:?}", arg.name);
        }
    }
    KernelError { message, ..error }
}

/// Logs a value for debugging; kinds that ETDump has no form for are left out,
/// as the C++ runtime leaves them out.
pub(super) fn log_value(
    method: &Method<'_>,
    id: ValueId,
    place: Place,
    output: bool,
    tracer: &mut dyn Tracer,
) {
    let debug = |tensor: TensorId| {
        let tensor = method.tensor_ref(tensor);
        DebugTensor {
            scalar_type: tensor.meta.scalar_type(),
            sizes: tensor.meta.sizes(),
            strides: tensor.meta.strides(),
            data: tensor.data.get(..tensor.meta.nbytes()).unwrap_or_default(),
        }
    };
    match method.values.get(id) {
        Some(EValue::Tensor(tensor)) => {
            tracer.value(place, DebugValue::Tensor(debug(tensor)), output);
        }
        Some(EValue::TensorList(list)) => {
            let items: SmallVec<[DebugTensor<'_>; 8]> =
                list.ids().filter_map(|item| Some(debug(method.values.tensor(item?)?.0))).collect();
            tracer.value(place, DebugValue::TensorList(&items), output);
        }
        Some(EValue::Scalar(scalar)) => {
            let value = match scalar {
                Scalar::Int(value) => DebugValue::Int(value),
                Scalar::Double(value) => DebugValue::Double(value),
                Scalar::Bool(value) => DebugValue::Bool(value),
            };
            tracer.value(place, value, output);
        }
        _ => {}
    }
}
