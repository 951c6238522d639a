//! Calls whose arguments are the same at every run, made ready when the method loads.
//!
//! A program of tiny operators spends its time between them. Most of its calls
//! have one output, shapes that never change and tensors that stay in their
//! slots: what is left to do for each of these is to find the bytes.

use super::constants::Changes;
use super::instruction::KernelCall;
use crate::error::KernelResult;
use crate::kernels::order::Order;
use crate::kernels::{Arg, Args, Outs, Resources};
use crate::memory::{Arena, Around, emptied};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use crate::value::{EValue, Scalar, Storage, TensorId, Values};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ids::ValueId;
use et_schema::pte::Dynamism;

/// More arguments than any operator with tensors has.
const MOST: usize = 12;

/// A call, ready to find its bytes.
pub(crate) struct Prepared {
    args: Box<[Ready]>,
    /// The tensors of lists, one list after the other.
    listed: Box<[Option<TensorId>]>,
    out: TensorId,
    /// That of the output, which no kernel can change.
    meta: TensorMeta,
    /// The memory of a list, from one call to the next.
    spare: Vec<Option<TensorRef<'static>>>,
    /// That of the list of outputs.
    spare_outs: Outs<'static>,
}

/// An argument.
enum Ready {
    None,
    Scalar(Scalar),
    Text(String),
    Tensor(TensorId),
    /// Part of the listed tensors.
    Tensors(Range<usize>),
    Ints(Box<[i64]>),
    Doubles(Box<[f64]>),
    Bools(Box<[bool]>),
    Out,
}

/// Whether the shapes of a call are static, its tensors stay in their slots and
/// its other arguments never change.
pub(super) fn is_settled(call: &KernelCall, changes: &Changes, values: &Values<'_>) -> bool {
    let tensor = |id: ValueId| {
        let fixed = values.tensor(id).is_some_and(|(_, t)| t.meta.dynamism() == Dynamism::Static);
        fixed && changes.stays(id)
    };
    call.args.iter().all(|id| match values.get(*id) {
        Some(EValue::Tensor(_)) => tensor(*id),
        Some(EValue::TensorList(list) | EValue::OptionalTensorList(list)) => {
            let mut items = list.ids().flatten();
            changes.stays(*id)
                && items.all(|item| {
                    tensor(item)
                        || (changes.is_fixed(item)
                            && matches!(values.get(item), Some(EValue::None)))
                })
        }
        Some(EValue::IntList(list)) => {
            changes.is_fixed(*id) && list.ids().all(|item| changes.is_fixed(item))
        }
        Some(_) => changes.is_fixed(*id),
        None => false,
    })
}

impl Prepared {
    /// What a settled call needs, if it has one output and heeds dim orders.
    pub fn of(call: &KernelCall, values: &Values<'_>) -> Option<Box<Self>> {
        if call.order != Order::Heeded || call.args.len() > MOST {
            return None;
        }
        let (mut args, mut listed, mut out) = (Vec::new(), Vec::new(), None);
        for (arg, id) in call.signature.args.iter().zip(&call.args) {
            let value = values.get(*id)?;
            if arg.out {
                let EValue::Tensor(tensor) = value else { return None };
                if out.replace(tensor).is_some() {
                    return None;
                }
                args.push(Ready::Out);
                continue;
            }
            args.push(match value {
                EValue::None => Ready::None,
                EValue::Scalar(scalar) => Ready::Scalar(scalar),
                EValue::String(text) => Ready::Text(text.into()),
                EValue::Tensor(tensor) => Ready::Tensor(tensor),
                EValue::TensorList(list) | EValue::OptionalTensorList(list) => {
                    let first = listed.len();
                    let tensors = list.ids().map(|item| values.tensor(item?).map(|(id, _)| id));
                    listed.extend(tensors);
                    Ready::Tensors(first..listed.len())
                }
                EValue::IntList(list) => {
                    let items = list.ids().map(|item| values.int(item).unwrap_or_default());
                    Ready::Ints(items.collect())
                }
                EValue::DoubleList(list) => Ready::Doubles(list.iter().collect()),
                EValue::BoolList(list) => Ready::Bools(list.iter().collect()),
            });
        }
        let out = out?;
        let tensor = &values.tensors[out.index()];
        if matches!(tensor.storage, Storage::Constant(_)) {
            return None;
        }
        let (args, listed) = (args.into(), listed.into());
        let meta = tensor.meta.clone();
        let (spare, spare_outs) = (Vec::new(), Outs::new());
        Some(Box::new(Prepared { args, listed, out, meta, spare, spare_outs }))
    }

    /// Runs the kernel; `None` if an input overlaps the output or a tensor has no memory.
    pub fn run(
        &mut self,
        call: (&'static et_schema::operators::Signature, crate::kernels::Kernel),
        values: &Values<'_>,
        arenas: &mut [Arena],
        resources: Resources<'_>,
    ) -> Option<KernelResult> {
        let Prepared { args, listed, out, meta, spare, spare_outs } = self;
        let region = values.tensors[out.index()].capacity_region()?;
        let around = Around::new(arenas, region)?;
        let tensor = |id: TensorId| {
            let tensor = &values.tensors[id.index()];
            let data = match tensor.storage {
                Storage::Constant(bytes) => bytes,
                Storage::Arena { .. } => around.read(tensor.region()?)?,
                Storage::None => return None,
            };
            Some(TensorRef { meta: &tensor.meta, data })
        };
        let mut tensors = emptied(core::mem::take(spare));
        for id in listed.iter() {
            tensors.push(match id {
                Some(id) => Some(tensor(*id)?),
                None => None,
            });
        }
        let mut ready = [Arg::None; MOST];
        for (place, arg) in ready.iter_mut().zip(args.iter()) {
            *place = match arg {
                Ready::None => Arg::None,
                Ready::Scalar(scalar) => Arg::Scalar(*scalar),
                Ready::Text(text) => Arg::String(text),
                Ready::Tensor(id) => Arg::Tensor(tensor(*id)?),
                Ready::Tensors(range) => Arg::TensorList(&tensors[range.clone()]),
                Ready::Ints(list) => Arg::IntList(list),
                Ready::Doubles(list) => Arg::DoubleList(list),
                Ready::Bools(list) => Arg::BoolList(list),
                Ready::Out => Arg::Out,
            };
        }
        let (signature, kernel) = call;
        let ready = Args::new(signature, &ready[..args.len()], resources);
        let mut outs: Outs<'_> = emptied(core::mem::take(spare_outs));
        outs.push(TensorMut { meta, data: around.write });
        let result = kernel(&ready, &mut outs);
        *spare = emptied(tensors);
        *spare_outs = emptied(outs);
        Some(result)
    }
}
