//! Largest and smallest elements, where they are, and whether any is true.

use super::plan::Plan;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::promote::{can_cast, range};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Bool, Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(crate) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::amax.out", |args, outs| over_dims(args, outs, Extremum::Largest)),
    ("aten::amin.out", |args, outs| over_dims(args, outs, Extremum::Smallest)),
    ("aten::max.unary_out", |args, outs| unary(args, outs, Extremum::Largest)),
    ("aten::min.unary_out", |args, outs| unary(args, outs, Extremum::Smallest)),
    ("aten::max.dim_max", |args, outs| with_index(args, outs, Extremum::Largest)),
    ("aten::min.dim_min", |args, outs| with_index(args, outs, Extremum::Smallest)),
    ("aten::argmax.out", |args, outs| arg(args, outs, Extremum::Largest)),
    ("aten::argmin.out", |args, outs| arg(args, outs, Extremum::Smallest)),
    ("aten::any.all_out", |args, outs| any(&args.tensor(0)?, &mut outs[0], &[], false)),
    ("aten::any.out", |args, outs| {
        any(&args.tensor(0)?, &mut outs[0], &[args.int(1)?], args.bool(2)?)
    }),
    ("aten::any.dims_out", |args, outs| {
        let (input, keepdim) = (args.tensor(0)?, args.bool(2)?);
        match args.optional_ints(1)? {
            None => any(&input, &mut outs[0], &[], keepdim),
            // An empty list reduces nothing: each element is its own output.
            Some([]) => any_with(&input, &mut outs[0], &Plan::of_each(&input)),
            Some(dims) => any(&input, &mut outs[0], dims, keepdim),
        }
    }),
];

#[derive(Clone, Copy)]
enum Extremum {
    Largest,
    Smallest,
}

impl Extremum {
    /// Whether `new` replaces `best`. The first of equals stays; NaN beats all numbers.
    fn wins<T: Element>(self, new: T, best: T) -> bool {
        let beats = match self {
            Extremum::Largest => new > best,
            Extremum::Smallest => new < best,
        };
        beats || (new.is_nan() && !best.is_nan())
    }

    fn beaten_by_all<T: Element>(self) -> T {
        let (low, high) = range(T::DTYPE);
        let limit = match self {
            Extremum::Largest => low,
            Extremum::Smallest => high,
        };
        match T::DTYPE {
            ScalarType::Long => T::from_i64(if limit < 0.0 { i64::MIN } else { i64::MAX }),
            ScalarType::Bool => T::from_i64(i64::from(limit > 0.0)),
            _ if T::IS_FLOAT => T::from_f64(f64::INFINITY.copysign(limit)),
            _ => T::from_f64(limit),
        }
    }

    /// The winner and its position among the elements of one output.
    fn find<T: Element>(self, plan: &Plan, source: &[T], first: usize) -> Option<(T, i64)> {
        let mut best: Option<(T, i64)> = None;
        let mut position = 0;
        plan.for_each(source, first, |x| {
            if best.is_none_or(|(value, _)| self.wins(x, value)) {
                best = Some((x, position));
            }
            position += 1;
        });
        best
    }
}

fn empty() -> KernelError {
    KernelError::argument("the extremum of no elements")
}

fn refuse(input: &TensorRef<'_>) -> KernelError {
    KernelError::argument(format!("the extremum of {}", input.scalar_type()))
}

/// Writes the winner of each output.
fn values(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    plan: &Plan,
    extremum: Extremum,
) -> KernelResult {
    plan.resize(out)?;
    let to = out.scalar_type();
    with_dtype!(input.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        with_dtype!(to, all, O => {
            for (out, first) in out.data_mut::<O>()?.iter_mut().zip(plan.outputs()) {
                *out = extremum.find(plan, source, first).ok_or_else(empty)?.0.cast();
            }
            Ok(())
        }, else Err(refuse(input)))
    }, else Err(refuse(input)))
}

/// Writes the position of the winner of each output.
fn indices(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    plan: &Plan,
    extremum: Extremum,
) -> KernelResult {
    plan.resize(out)?;
    ensure!(out.scalar_type() == ScalarType::Long, "indices as {}", out.scalar_type());
    with_dtype!(input.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        for (out, first) in out.data_mut::<i64>()?.iter_mut().zip(plan.outputs()) {
            *out = extremum.find(plan, source, first).ok_or_else(empty)?.1;
        }
        Ok(())
    }, else Err(refuse(input)))
}

fn over_dims(args: &Args<'_>, outs: &mut Outs<'_>, extremum: Extremum) -> KernelResult {
    let input = args.tensor(0)?;
    let plan = Plan::new(&input, args.ints(1)?, args.bool(2)?)?;
    ensure!(input.scalar_type() == outs[0].scalar_type(), "input and output differ in type");
    ensure!(input.numel() > 0, "the extremum of no elements");
    values(&input, &mut outs[0], &plan, extremum)
}

/// The extremum of all elements, compared as the output's type. Of no
/// elements, it is the value of that type that all others beat.
fn unary(args: &Args<'_>, outs: &mut Outs<'_>, extremum: Extremum) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let (from, to) = (input.scalar_type(), out.scalar_type());
    ensure!(can_cast(from, to), "the extremum of {from} as {to}");
    out.resize(&[])?;
    let plan = Plan::new(&input, &[], false)?;
    with_dtype!(from, all, T => {
        let source = input.data::<T>()?;
        with_dtype!(to, all, O => {
            let mut best: O = extremum.beaten_by_all();
            plan.for_each(source, 0, |x| {
                let x = x.cast::<O>();
                if extremum.wins(x, best) {
                    best = x;
                }
            });
            out.data_mut::<O>()?.fill(best);
            Ok(())
        }, else Err(refuse(&input)))
    }, else Err(refuse(&input)))
}

fn with_index(args: &Args<'_>, outs: &mut Outs<'_>, extremum: Extremum) -> KernelResult {
    let input = args.tensor(0)?;
    let plan = Plan::new(&input, &[args.int(1)?], args.bool(2)?)?;
    let [out, index_out] = outs.as_mut_slice() else {
        return Err(KernelError::argument("an output is missing"));
    };
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    values(&input, out, &plan, extremum)?;
    indices(&input, index_out, &plan, extremum)
}

/// Without a dimension, the position is in index order of the whole tensor.
fn arg(args: &Args<'_>, outs: &mut Outs<'_>, extremum: Extremum) -> KernelResult {
    let (input, dim) = (args.tensor(0)?, args.optional_int(1)?);
    let keepdim = args.bool(2)?;
    ensure!(
        dim.is_some() || input.is_contiguous(),
        "the position in a tensor of layout {:?}",
        input.dim_order()
    );
    let plan = Plan::new(&input, dim.as_slice(), keepdim)?;
    indices(&input, &mut outs[0], &plan, extremum)
}

fn any(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    dims: &[i64],
    keepdim: bool,
) -> KernelResult {
    any_with(input, out, &Plan::new(input, dims, keepdim)?)
}

fn any_with(input: &TensorRef<'_>, out: &mut TensorMut<'_>, plan: &Plan) -> KernelResult {
    plan.resize(out)?;
    let to = out.scalar_type();
    ensure!(matches!(to, ScalarType::Bool | ScalarType::Byte), "whether any is true, as {to}");
    with_dtype!(input.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        let found = |first| {
            let mut found = false;
            plan.for_each(source, first, |x| found |= x.cast::<Bool>().get());
            i64::from(found)
        };
        with_dtype!(to, all, O => {
            for (out, first) in out.data_mut::<O>()?.iter_mut().zip(plan.outputs()) {
                *out = O::from_i64(found(first));
            }
            Ok(())
        }, else Err(refuse(input)))
    }, else Err(refuse(input)))
}
