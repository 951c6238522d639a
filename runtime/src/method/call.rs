//! Calls of kernels and delegates, with their events, debug values and messages.

use super::Method;
use super::instruction::{Instruction, KernelCall};
use crate::delegate::Call;
use crate::error::KernelError;
use crate::kernels::Resources;
use crate::value::{EValue, Scalar, TensorId, Values};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
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
    let Method { chains, values, arenas, means, seed, workspace, .. } = &mut *method;
    let Instruction::Kernel(call) = &mut chains[chain][index] else { return Ok(()) };
    let begun = tracer.begin(&call.event, place);
    let temp = RefCell::default();
    let mut prepared = call.prepared.take();
    let resources = Resources {
        means: *means,
        temp: &temp,
        seed,
        kept: &call.kept,
        constants: call.constants,
        settled: call.settled,
    };
    let kernel = (call.signature, call.kernel);
    let result = prepared.as_mut().and_then(|p| p.run(kernel, values, arenas, resources));
    let result = result.unwrap_or_else(|| workspace.run(call, values, arenas, resources));
    call.prepared = prepared;
    if let Err(error) = result {
        return Err((with_arguments(error, call, values), Some(call.name.clone())));
    }
    let Instruction::Kernel(call) = &method.chains[chain][index] else { return Ok(()) };
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

/// Runs the delegate call `index` of `chain`. All its arguments are logged, as
/// the C++ runtime does.
pub(super) fn delegate(
    method: &mut Method<'_>,
    chain: usize,
    index: usize,
    place: Place,
    tracer: &mut dyn Tracer,
) -> Result<(), (KernelError, Option<String>)> {
    let Method { chains, delegates, values, arenas, .. } = method;
    let Instruction::Delegate(call) = &chains[chain][index] else { return Ok(()) };
    let Some(delegate) = delegates.get_mut(call.delegate) else { return Ok(()) };
    let args = &call.args;
    let result = delegate.call(Call { args, values, arenas, place, tracer: &mut *tracer });
    result.map_err(|error| (error, Some(call.name.clone())))?;
    if tracer.debug_level() >= DebugLevel::IntermediateOutputs {
        let Instruction::Delegate(call) = &method.chains[chain][index] else { return Ok(()) };
        for id in &call.args {
            log_value(method, *id, place, false, tracer);
        }
    }
    Ok(())
}

/// Adds what the kernel was given, for whoever reads the message.
fn with_arguments(error: KernelError, call: &KernelCall, values: &Values<'_>) -> KernelError {
    let mut message = error.message;
    for (arg, id) in call.signature.args.iter().zip(&call.args) {
        if let Some(value) = described(*id, values) {
            message += &format!("; {}: {value}", arg.name);
        }
    }
    KernelError { message, ..error }
}

/// An argument in a message: a tensor's type and shape, a number, a list.
/// Nothing for an argument that is left out.
fn described(id: ValueId, values: &Values<'_>) -> Option<String> {
    /// Elements of a list that are shown.
    const SHOWN: usize = 8;
    let listed = |items: &mut dyn Iterator<Item = String>| {
        let mut shown: Vec<String> = items.take(SHOWN + 1).collect();
        if shown.len() > SHOWN {
            shown[SHOWN] = String::from("…");
        }
        format!("[{}]", shown.join(", "))
    };
    let tensor = |id| match values.tensor(id) {
        Some((_, tensor)) => format!("{}{:?}", tensor.meta.scalar_type(), tensor.meta.sizes()),
        None => String::from("None"),
    };
    Some(match values.get(id)? {
        EValue::None | EValue::String(_) => return None,
        EValue::Scalar(Scalar::Int(value)) => value.to_string(),
        EValue::Scalar(Scalar::Double(value)) => format!("{value:?}"),
        EValue::Scalar(Scalar::Bool(value)) => value.to_string(),
        EValue::Tensor(_) => tensor(id),
        EValue::IntList(list) => listed(&mut list.ids().map(|item| match values.int(item) {
            Some(value) => value.to_string(),
            None => String::from("?"),
        })),
        EValue::DoubleList(list) => listed(&mut list.iter().map(|value| format!("{value:?}"))),
        EValue::BoolList(list) => listed(&mut list.iter().map(|value| value.to_string())),
        EValue::TensorList(list) | EValue::OptionalTensorList(list) => {
            listed(&mut list.ids().map(|item| item.map_or(String::from("None"), tensor)))
        }
    })
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
