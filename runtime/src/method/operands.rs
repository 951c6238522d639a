//! What the arguments of a kernel call are made of, found anew at each call.

use super::instruction::{Instruction, KernelCall};
use crate::error::KernelError;
use crate::kernels::order::{self, Order, Treatment};
use crate::kernels::{Arg, Args, Means, Outs, Resources, complex};
use crate::memory::{Arena, Region, Spare, ViewError, Views, emptied, views};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use crate::value::{EValue, Storage, TensorId, Values};
use alloc::format;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use et_schema::ErrorCode;
use et_schema::ids::ValueId;
use et_schema::pte::Dynamism;
use smallvec::SmallVec;

/// The lists that a call is made with, kept from one call to the next.
#[derive(Default)]
pub(crate) struct Workspace {
    operands: Operands,
    metas: Vec<TensorMeta>,
    plain: Vec<TensorMeta>,
    spare: Spare,
    views: Views<'static>,
    tensors: Vec<Option<TensorRef<'static>>>,
    outs: Vec<TensorMut<'static>>,
}

impl Workspace {
    /// Runs the kernel of `call` and stores the outputs' new shapes.
    pub fn run(
        &mut self,
        call: &KernelCall,
        values: &mut Values<'_>,
        arenas: &mut [Arena],
        resources: Resources<'_>,
    ) -> Result<(), KernelError> {
        self.operands.collect(call, values)?;
        self.metas.clear();
        self.metas
            .extend(self.operands.outs.iter().map(|id| values.tensors[id.index()].meta.clone()));
        self.call(call, values, arenas, resources)?;
        for (id, meta) in self.operands.outs.iter().zip(&self.metas) {
            if meta.dynamism() != Dynamism::Static {
                values.tensors[id.index()].meta.clone_from(meta);
            }
        }
        Ok(())
    }

    /// Calls the kernel, which changes the shapes of the outputs in `metas`.
    fn call(
        &mut self,
        call: &KernelCall,
        values: &Values<'_>,
        arenas: &mut [Arena],
        resources: Resources<'_>,
    ) -> Result<(), KernelError> {
        let Workspace { operands, metas, plain, spare, .. } = self;
        let mut slices = core::mem::take(&mut self.views).emptied();
        views(arenas, spare, &operands.reads, &operands.writes, &mut slices).map_err(|e| {
            let (code, message) = match e {
                ViewError::OutputsOverlap(a, b) => (
                    ErrorCode::InvalidProgram,
                    format!("outputs {a} and {b} are planned to the same bytes"),
                ),
                ViewError::Nowhere(out) => {
                    (ErrorCode::InvalidProgram, format!("output {out} has no memory"))
                }
                ViewError::OutOfMemory(bytes) => (
                    ErrorCode::MemoryAllocationFailed,
                    format!("no {bytes} bytes for a copy of an input"),
                ),
            };
            KernelError::new(code, message)
        })?;
        let treatment = operands.treatment(call.order, values, metas)?;
        plain.clear();
        if treatment == Treatment::AsPlain {
            for id in operands.inputs.iter().flatten() {
                plain.push(values.tensors[id.index()].meta.plain()?);
            }
        }
        let mut tensors = emptied(core::mem::take(&mut self.tensors));
        operands.tensors(values, &slices.reads, plain, &mut tensors);
        let mut args = SmallVec::new();
        operands.arguments(call, values, &tensors, &mut args);
        let args_of_kernel = Args::new(call.signature, &args, resources);
        let mut outs: Outs<'_> = emptied(core::mem::take(&mut self.outs));
        let data = slices.writes.drain(..);
        outs.extend(metas.iter_mut().zip(data).map(|(meta, data)| TensorMut { meta, data }));
        let result = match treatment {
            Treatment::AsIs => (call.kernel)(&args_of_kernel, &mut outs),
            Treatment::AsPlain | Treatment::PlainOutputs => {
                order::with_plain_outs(&mut outs, |outs| (call.kernel)(&args_of_kernel, outs))
            }
        };
        self.outs = emptied(outs);
        drop(args);
        self.tensors = emptied(tensors);
        self.views = slices.emptied();
        result
    }
}

/// Has each call with complex tensors refused, unless its operator takes them.
pub(super) fn refuse_complex(chains: &mut [Vec<Instruction>], values: &Values<'_>) {
    let is_complex = |id: &TensorId| values.tensors[id.index()].meta.scalar_type().is_complex();
    if !values.tensors.iter().any(|tensor| tensor.meta.scalar_type().is_complex()) {
        return;
    }
    let mut operands = Operands::default();
    for instruction in chains.iter_mut().flatten() {
        let Instruction::Kernel(call) = instruction else { continue };
        if !complex::takes(&call.name) && operands.collect(call, values).is_ok() {
            let mut tensors = operands.inputs.iter().flatten().chain(&operands.outs);
            if tensors.any(is_complex) {
                call.kernel = complex::refused;
            }
        }
    }
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
    let mut metas: Vec<TensorMeta> =
        operands.outs.iter().map(|id| values.tensors[id.index()].meta.clone()).collect();
    let reads: Vec<&[u8]> = operands.inputs.iter().map(|_| &[][..]).collect();
    let mut tensors = Vec::new();
    operands.tensors(values, &reads, &[], &mut tensors);
    let mut args = SmallVec::new();
    operands.arguments(call, values, &tensors, &mut args);
    let (temp, seed) = (RefCell::default(), Cell::new(0));
    let (kept, constants) = (&call.kept, call.constants);
    let resources = Resources {
        means: Means::PLAIN,
        temp: &temp,
        seed: &seed,
        kept,
        constants,
        settled: false,
    };
    let args = Args::new(call.signature, &args, resources);
    let outs = metas.iter_mut().map(|meta| TensorMut { meta, data: &mut [] });
    look(&args, &mut outs.collect())
}

/// What the arguments of a call are made of, in the order in which they mention it.
#[derive(Default)]
struct Operands {
    /// Tensors to read; `None` only in lists of optional tensors.
    inputs: Vec<Option<TensorId>>,
    /// Where the bytes of the inputs are, unless they are constant.
    reads: Vec<Option<Region>>,
    outs: Vec<TensorId>,
    writes: Vec<Region>,
    ints: Vec<i64>,
    doubles: Vec<f64>,
    bools: Vec<bool>,
}

impl Operands {
    fn collect(&mut self, call: &KernelCall, values: &Values<'_>) -> Result<(), KernelError> {
        self.clear();
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

    fn clear(&mut self) {
        self.inputs.clear();
        self.reads.clear();
        self.outs.clear();
        self.writes.clear();
        self.ints.clear();
        self.doubles.clear();
        self.bools.clear();
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
        let metas = self.inputs.iter().flatten().map(|id| &values.tensors[id.index()].meta);
        if metas.clone().chain(outs).all(TensorMeta::is_contiguous) {
            return Ok(Treatment::AsIs);
        }
        let inputs: SmallVec<[&TensorMeta; 8]> = metas.collect();
        order.treatment(&inputs, &outs.iter().collect::<SmallVec<[&TensorMeta; 4]>>())
    }

    /// The inputs; with the metas of `plain` unless there are none.
    fn tensors<'v>(
        &self,
        values: &'v Values<'_>,
        reads: &[&'v [u8]],
        plain: &'v [TensorMeta],
        tensors: &mut Vec<Option<TensorRef<'v>>>,
    ) {
        let mut plain = plain.iter();
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
