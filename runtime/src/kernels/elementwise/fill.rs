//! Tensors made of one number: `full`, `full_like`, `fill`, `zeros`, `ones`,
//! `empty`, `scalar_tensor`; and of evenly spaced numbers: `arange`.

use super::checks::{resize, same_dim_order, same_dtype};
use super::elements::ElementsMut;
use super::number::{Number, with_compute};
use super::promote::{compute_type, fits};
use super::stream::Pairing;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, MAX_RANK, TensorMut};
use crate::value::Scalar;
use alloc::format;
use et_schema::ScalarType;
#[cfg(not(feature = "std"))]
use num_traits::Float;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::full.out", full),
    ("aten::full_like.out", full_like),
    ("aten::fill.Scalar_out", fill_scalar),
    ("aten::fill.Tensor_out", fill_tensor),
    ("aten::zeros.out", zeros),
    ("aten::ones.out", ones),
    ("aten::empty.out", empty),
    ("aten::scalar_tensor.out", scalar_tensor),
    ("aten::arange.out", arange),
    ("aten::arange.start_out", arange_start),
    ("dim_order_ops::_empty_dim_order.out", empty),
];

/// Gives `out` the shape that a list of integers says.
pub(super) fn resize_to(out: &mut TensorMut<'_>, sizes: &[i64]) -> KernelResult {
    let sizes: Option<SmallVec<[i32; MAX_RANK]>> =
        sizes.iter().map(|size| i32::try_from(*size).ok()).collect();
    match sizes {
        Some(sizes) => resize(out, &sizes),
        None => Err(KernelError::argument(format!("a size is beyond 32 bits: {sizes:?}"))),
    }
}

/// Writes `number` to all elements, converted as C++ converts it.
fn fill(out: &mut TensorMut<'_>, number: Scalar) -> KernelResult {
    with_compute!(compute_type(out.scalar_type()), C => {
        let numel = out.numel();
        let value = C::from_scalar(number);
        if out.scalar_type() == C::DTYPE {
            out.data_mut::<C>()?.fill(value);
            return Ok(());
        }
        let mut elements = ElementsMut::of(out)?;
        let chunk = [value; 64];
        for at in (0..numel).step_by(chunk.len()) {
            elements.store(at, &chunk[..chunk.len().min(numel - at)]);
        }
        Ok(())
    })
}

fn fill_checked(out: &mut TensorMut<'_>, number: Scalar) -> KernelResult {
    let scalar_type = out.scalar_type();
    ensure!(fits(number, scalar_type), "{number:?} is out of range of {scalar_type}");
    fill(out, number)
}

fn full(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    resize_to(&mut outs[0], args.ints(0)?)?;
    fill_checked(&mut outs[0], args.scalar(1)?)
}

fn full_like(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (like, number, out) = (args.tensor(0)?, args.scalar(1)?, &mut outs[0]);
    let format = args.optional_int(2)?.unwrap_or(0);
    ensure!(format <= 1, "memory format {format} is not supported, only 0 and 1");
    same_dim_order(&[&like, out])?;
    ensure!(like.is_contiguous(), "dim order {:?} is not contiguous", like.dim_order());
    resize(out, like.sizes())?;
    fill_checked(out, number)
}

fn fill_scalar(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (like, number, out) = (args.tensor(0)?, args.scalar(1)?, &mut outs[0]);
    same_dtype(&like, out)?;
    same_dim_order(&[&like, out])?;
    resize(out, like.sizes())?;
    fill_checked(out, number)
}

fn fill_tensor(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (like, value, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    ensure!(value.rank() == 0, "the value must be a scalar, it is {:?}", value.sizes());
    same_dtype(&like, out)?;
    same_dim_order(&[&like, out])?;
    resize(out, like.sizes())?;
    super::copy::convert(&value, out, Pairing::Broadcast)
}

fn zeros(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    resize_to(&mut outs[0], args.ints(0)?)?;
    outs[0].bytes_mut()?.fill(0);
    Ok(())
}

fn ones(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    resize_to(&mut outs[0], args.ints(0)?)?;
    fill(&mut outs[0], Scalar::Int(1))
}

/// Leaves the elements as they are, which is what empty tensors hold.
fn empty(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    resize_to(&mut outs[0], args.ints(0)?)
}

fn scalar_tensor(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (number, out) = (args.scalar(0)?, &mut outs[0]);
    resize(out, &[])?;
    match number {
        Scalar::Double(value) if out.scalar_type().is_integral(false) => {
            fill(out, Scalar::Int(value as i64))
        }
        number => fill(out, number),
    }
}

fn arange(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    range(&mut outs[0], [Scalar::Int(0), args.scalar(0)?, Scalar::Int(1)])
}

fn arange_start(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    range(&mut outs[0], [args.scalar(0)?, args.scalar(1)?, args.scalar(2)?])
}

/// Numbers from `start` to `end`, which is left out, in steps.
fn range(out: &mut TensorMut<'_>, [start, end, step]: [Scalar; 3]) -> KernelResult {
    let number = |scalar: Scalar| match scalar {
        Scalar::Bool(_) => Err(KernelError::argument("a bool is no limit of a range")),
        other => Ok(other.to_f64()),
    };
    let (start, end, step) = (number(start)?, number(end)?, number(step)?);
    ensure!(out.rank() == 1, "the output must have one dimension, it has {}", out.rank());
    ensure!(
        (step > 0.0 && end >= start) || (step < 0.0 && end <= start),
        "from {start} to {end} in steps of {step} is no range"
    );
    let numel = ((end - start) / step).ceil();
    let fits = (0.0..=f64::from(i32::MAX)).contains(&numel);
    ensure!(fits, "{numel} elements are too many");
    resize(out, &[numel as i32])?;
    let numel = out.numel();
    ensure!(out.scalar_type() != ScalarType::Bool, "not supported for bool");
    let mut elements = ElementsMut::of(out)?;
    for i in 0..numel {
        elements.store(i, &[start + i as f64 * step]);
    }
    Ok(())
}
