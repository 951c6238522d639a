//! A kernel call: borrows the arguments from the method's memory, runs the
//! kernel, and stores the outputs' new shapes.

use super::Method;
use super::instruction::{Instruction, KernelCall};
use crate::delegate::Call;
use crate::error::KernelError;
use crate::kernels::order::{self, Order, Treatment};
use crate::kernels::{Arg, Args, Outs, Resources};
use crate::memory::{Arena, Region, ViewError, Views, views};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use crate::value::{EValue, Scalar, Storage, TensorId, Values};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use et_schema::ErrorCode;
use et_schema::ids::ValueId;
use et_schema::pte::Dynamism;
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
    let resources = Resources {
        threads: method.threads,
        temp: &temp,
        seed: &method.seed,
        kept: &call.kept,
        constants: call.constants,
    };
    if let Err(error) = run(call, &mut method.values, &mut method.arenas, resources) {
        return Err((with_arguments(error, call, &method.values), Some(call.name.clone())));
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

fn run(
    call: &KernelCall,
    values: &mut Values<'_>,
    arenas: &mut [Arena],
    resources: Resources<'_>,
) -> Result<(), KernelError> {
    let mut operands = Operands::default();
    operands.collect(call, values)?;
    let mut metas: SmallVec<[TensorMeta; 4]> = SmallVec::new();
    for id in &operands.outs {
        metas.push(values.tensors[id.index()].meta.clone());
    }
    operands.call(call, values, arenas, &mut metas, resources)?;
    for (id, meta) in operands.outs.iter().zip(&metas) {
        if meta.dynamism() != Dynamism::Static {
            values.tensors[id.index()].meta.clone_from(meta);
        }
    }
    Ok(())
}

/// What `look` makes of the arguments and outputs of a call before anything has
/// run: there is data in constants only. `None` if the call is not well formed.
#[cfg_attr(not(feature = "std"), allow(dead_code))]
pub(super) fn with_arguments_at_load<R>(
    call: &KernelCall,
    values: &Values<'_>,
    look: impl FnOnce(&Args<'_>, &mut Outs<'_>) -> Option<R>,
) -> Option<R> {
    let mut operands = Operands::default();
    operands.collect(call, values).ok()?;
    let mut metas: SmallVec<[TensorMeta; 4]> =
        operands.outs.iter().map(|id| values.tensors[id.index()].meta.clone()).collect();
    let reads: SmallVec<[&[u8]; 8]> = operands.inputs.iter().map(|_| &[][..]).collect();
    let tensors = operands.tensors(values, &reads, &[]);
    let mut args = SmallVec::new();
    operands.arguments(call, values, &tensors, &mut args);
    let (temp, seed) = (RefCell::default(), Cell::new(0));
    let (kept, constants) = (&call.kept, call.constants);
    let resources = Resources { threads: 1, temp: &temp, seed: &seed, kept, constants };
    let args = Args::new(call.signature, &args, resources);
    let outs = metas.iter_mut().map(|meta| TensorMut { meta, data: &mut [] });
    look(&args, &mut outs.collect())
}

/// What the arguments of a call are made of, in the order in which they mention it.
#[derive(Default)]
struct Operands {
    /// Tensors to read; `None` only in lists of optional tensors.
    inputs: SmallVec<[Option<TensorId>; 8]>,
    /// Where the bytes of the inputs are, unless they are constant.
    reads: SmallVec<[Option<Region>; 8]>,
    outs: SmallVec<[TensorId; 4]>,
    writes: SmallVec<[Region; 4]>,
    ints: SmallVec<[i64; 16]>,
    doubles: SmallVec<[f64; 4]>,
    bools: SmallVec<[bool; 8]>,
}

impl Operands {
    /// In place, as all this is too much to be moved for each call.
    fn collect(&mut self, call: &KernelCall, values: &Values<'_>) -> Result<(), KernelError> {
        for (index, (arg, id)) in call.signature.args.iter().zip(&call.args).enumerate() {
            match values.get(*id) {
                _ if arg.out => self.add_outs(arg.name, *id, values)?,
                Some(EValue::Tensor(tensor)) => self.add_input(Some(tensor), values),
                Some(EValue::IntList(_)) if call.is_constant(index) => {}
                Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => {
                    for item in list.ids() {
                        let tensor = item.and_then(|item| values.tensor(item));
                        self.add_input(tensor.map(|(id, _)| id), values);
                    }
                }
                Some(EValue::IntList(list)) => {
                    let items = list.ids().map(|item| values.int(item).unwrap_or_default());
                    self.ints.extend(items);
                }
                Some(EValue::DoubleList(list)) => self.doubles.extend(list),
                Some(EValue::BoolList(list)) => self.bools.extend(list),
                _ => {}
            }
        }
        Ok(())
    }

    fn add_input(&mut self, id: Option<TensorId>, values: &Values<'_>) {
        self.inputs.push(id);
        self.reads.push(id.and_then(|id| values.tensors[id.index()].region()));
    }

    fn add_outs(
        &mut self,
        name: &str,
        id: ValueId,
        values: &Values<'_>,
    ) -> Result<(), KernelError> {
        let count = self.outs.len();
        let mut constant = false;
        let mut add = |tensor: TensorId| {
            let out = &values.tensors[tensor.index()];
            constant |= matches!(out.storage, Storage::Constant(_));
            self.outs.push(tensor);
            let nowhere = Region { arena: 0, start: 0, end: 0 };
            self.writes.push(out.capacity_region().unwrap_or(nowhere));
        };
        match values.get(id) {
            Some(EValue::Tensor(tensor)) => add(tensor),
            Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => {
                list.ids().flatten().filter_map(|item| values.tensor(item)).for_each(|t| add(t.0));
            }
            _ => {}
        }
        if constant || self.outs.len() == count {
            let found = if constant { "a constant" } else { "no tensor" };
            return Err(KernelError::new(
                ErrorCode::InvalidProgram,
                format!("output {name:?} is {found}"),
            ));
        }
        Ok(())
    }

    /// Calls the kernel, which changes the shapes of the outputs in `metas`.
    fn call(
        &self,
        call: &KernelCall,
        values: &Values<'_>,
        arenas: &mut [Arena],
        metas: &mut [TensorMeta],
        resources: Resources<'_>,
    ) -> Result<(), KernelError> {
        let mut copies = SmallVec::new();
        let Views { reads, writes } = views(arenas, &mut copies, &self.reads, &self.writes)
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
        let treatment = self.treatment(call.order, values, metas)?;
        let mut plain: SmallVec<[TensorMeta; 2]> = SmallVec::new();
        if treatment == Treatment::AsPlain {
            plain = self.plain_inputs(values)?;
        }
        let tensors = self.tensors(values, &reads, &plain);
        let mut args = SmallVec::new();
        self.arguments(call, values, &tensors, &mut args);
        let args = Args::new(call.signature, &args, resources);
        let outs = metas.iter_mut().zip(writes);
        let mut outs: Outs<'_> = outs.map(|(meta, data)| TensorMut { meta, data }).collect();
        match treatment {
            Treatment::AsIs => (call.kernel)(&args, &mut outs),
            Treatment::AsPlain => {
                order::with_plain_outs(&mut outs, |outs| (call.kernel)(&args, outs))
            }
        }
    }

    /// What the kernel makes of dim orders; nothing is looked at if it heeds them.
    fn treatment(
        &self,
        order: Order,
        values: &Values<'_>,
        outs: &[TensorMeta],
    ) -> Result<Treatment, KernelError> {
        if order == Order::Heeded {
            return Ok(Treatment::AsIs);
        }
        let inputs: SmallVec<[&TensorMeta; 8]> =
            self.inputs.iter().flatten().map(|id| &values.tensors[id.index()].meta).collect();
        order.treatment(&inputs, &outs.iter().collect::<SmallVec<[&TensorMeta; 4]>>())
    }

    /// The inputs as if their memory were in index order.
    fn plain_inputs(&self, values: &Values<'_>) -> Result<SmallVec<[TensorMeta; 2]>, KernelError> {
        let tensors = self.inputs.iter().flatten();
        tensors.map(|id| values.tensors[id.index()].meta.plain()).collect()
    }

    /// The inputs; with the metas of `plain` unless there are none.
    fn tensors<'v>(
        &self,
        values: &'v Values<'_>,
        reads: &[&'v [u8]],
        plain: &'v [TensorMeta],
    ) -> SmallVec<[Option<TensorRef<'v>>; 8]> {
        let mut plain = plain.iter();
        let mut tensors = SmallVec::new();
        for (id, read) in self.inputs.iter().zip(reads) {
            tensors.push(id.map(|id| {
                let tensor = &values.tensors[id.index()];
                let data = match tensor.storage {
                    Storage::Constant(bytes) => bytes,
                    _ => read,
                };
                TensorRef { meta: plain.next().unwrap_or(&tensor.meta), data }
            }));
        }
        tensors
    }

    /// The arguments; `tensors` are those of [`Operands::tensors`].
    fn arguments<'v>(
        &'v self,
        call: &'v KernelCall,
        values: &'v Values<'_>,
        mut tensors: &'v [Option<TensorRef<'v>>],
        args: &mut SmallVec<[Arg<'v>; 16]>,
    ) {
        let (mut ints, mut doubles, mut bools) =
            (&self.ints[..], &self.doubles[..], &self.bools[..]);
        for (index, (arg, id)) in call.signature.args.iter().zip(&call.args).enumerate() {
            args.push(match values.get(*id) {
                _ if arg.out => Arg::Out,
                None | Some(EValue::None) => Arg::None,
                Some(EValue::Scalar(scalar)) => Arg::Scalar(scalar),
                Some(EValue::String(text)) => Arg::String(text),
                Some(EValue::Tensor(_)) => match take(&mut tensors, 1) {
                    [Some(tensor)] => Arg::Tensor(*tensor),
                    _ => Arg::None,
                },
                Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => {
                    Arg::TensorList(take(&mut tensors, list.ids().len()))
                }
                Some(EValue::IntList(_)) if call.is_constant(index) => {
                    Arg::IntList(&call.lists[index])
                }
                Some(EValue::IntList(list)) => Arg::IntList(take(&mut ints, list.ids().len())),
                Some(EValue::DoubleList(list)) => Arg::DoubleList(take(&mut doubles, list.len())),
                Some(EValue::BoolList(list)) => Arg::BoolList(take(&mut bools, list.len())),
            });
        }
    }
}

/// Takes the first `count` items off a slice, or all of them.
fn take<'a, T>(items: &mut &'a [T], count: usize) -> &'a [T] {
    let (taken, rest) = items.split_at(count.min(items.len()));
    *items = rest;
    taken
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
