//! `add`, `sub`, `rsub`, `mul` and `div` of tensors and numbers.
//!
//! ExecuTorch has these in its optimized library. What they refuse differs a
//! little from one operator to the next, and floats are not divided by one
//! number but multiplied by its reciprocal.

use super::checks::{resize, resize_broadcast, same_dim_order};
use super::map::{map1, map2};
use super::number::{Number, with_compute};
use super::promote::{can_cast, compute_type, promote, promote_scalar, scalar_dtype};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, TensorMut, TensorRef};
use crate::value::Scalar;
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::add.out", |args, outs| sum(args, outs, Sum::Add)),
    ("aten::add.Scalar_out", |args, outs| sum_scalar(args, outs, Sum::Add)),
    ("aten::sub.out", |args, outs| sum(args, outs, Sum::Sub)),
    ("aten::sub.Scalar_out", |args, outs| sum_scalar(args, outs, Sum::Sub)),
    ("aten::rsub.Scalar_out", |args, outs| sum_scalar(args, outs, Sum::ReverseSub)),
    ("aten::mul.out", mul),
    ("aten::mul.Scalar_out", mul_scalar),
    ("aten::div.out", div),
    ("aten::div.Scalar_out", div_scalar),
];

/// The sums, whose second operand is multiplied by `alpha`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sum {
    Add,
    Sub,
    ReverseSub,
}

impl Sum {
    /// Whether `alpha` may multiply values of type `common`.
    fn check_alpha(self, alpha: Scalar, common: ScalarType) -> KernelResult {
        let dtype = scalar_dtype(alpha);
        let allowed = match self {
            Sum::Add if common == ScalarType::Bool => dtype.is_integral(true),
            Sum::Add => can_cast(dtype, common),
            Sum::Sub | Sum::ReverseSub => dtype != ScalarType::Bool && can_cast(dtype, common),
        };
        ensure!(allowed, "alpha {alpha:?} does not go with {common} tensors");
        Ok(())
    }
}

fn extract<C: Number>(alpha: Scalar) -> KernelResult<C> {
    C::extract(alpha).ok_or_else(|| {
        KernelError::argument(format!("alpha {alpha:?} is of the wrong kind or out of range"))
    })
}

/// Checks and shapes what all operators of two tensors have in common.
fn broadcast(a: &TensorRef<'_>, b: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    same_dim_order(&[a, b, out])?;
    resize_broadcast(out, &[a, b])
}

fn sum(args: &Args<'_>, outs: &mut Outs<'_>, form: Sum) -> KernelResult {
    let (mut a, mut b, alpha) = (args.tensor(0)?, args.tensor(1)?, args.scalar(2)?);
    let out = &mut outs[0];
    let common = promote(a.scalar_type(), b.scalar_type());
    check_result(common, out.scalar_type())?;
    form.check_alpha(alpha, common)?;
    broadcast(&a, &b, out)?;
    if form == Sum::Add && a.numel() == 1 && b.numel() != 1 {
        // So does ExecuTorch, which also makes alpha multiply the other tensor.
        core::mem::swap(&mut a, &mut b);
    }
    with_compute!(compute_type(common), C => {
        let alpha = extract::<C>(alpha)?;
        match form {
            Sum::Add if alpha == C::from_i64(1) => map2(&a, &b, out, C::add),
            Sum::Add => map2(&a, &b, out, |a: C, b| a.add(alpha.mul(b))),
            _ => map2(&a, &b, out, |a: C, b| a.sub(alpha.mul(b))),
        }
    })
}

fn sum_scalar(args: &Args<'_>, outs: &mut Outs<'_>, form: Sum) -> KernelResult {
    let (a, b, alpha) = (args.tensor(0)?, args.scalar(1)?, args.scalar(2)?);
    let out = &mut outs[0];
    let common = promote_scalar(a.scalar_type(), b);
    let stored = if form == Sum::Add { a.scalar_type() } else { out.scalar_type() };
    ensure!(common == stored, "the result is {common}, not {stored}");
    ensure!(
        compute_type(out.scalar_type()) == compute_type(common),
        "results of type {common} are not stored as {}",
        out.scalar_type()
    );
    form.check_alpha(alpha, common)?;
    like(&a, out)?;
    with_compute!(compute_type(common), C => {
        let (alpha, b) = (extract::<C>(alpha)?, C::from_scalar(b));
        match form {
            Sum::Add => {
                let term = alpha.mul(b);
                map1(&a, out, |a: C| a.add(term))
            }
            Sum::Sub => {
                let term = alpha.mul(b);
                map1(&a, out, |a: C| a.sub(term))
            }
            Sum::ReverseSub => map1(&a, out, |a: C| b.sub(alpha.mul(a))),
        }
    })
}

fn mul(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b) = (args.tensor(0)?, args.tensor(1)?);
    let out = &mut outs[0];
    let common = promote(a.scalar_type(), b.scalar_type());
    check_result(common, out.scalar_type())?;
    broadcast(&a, &b, out)?;
    with_compute!(compute_type(common), C => map2(&a, &b, out, C::mul))
}

fn mul_scalar(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b) = (args.tensor(0)?, args.scalar(1)?);
    let out = &mut outs[0];
    let common = promote_scalar(a.scalar_type(), b);
    ensure!(common == out.scalar_type(), "the result is {common}, not {}", out.scalar_type());
    like(&a, out)?;
    with_compute!(compute_type(common), C => {
        let b = C::from_scalar(b);
        map1(&a, out, |a: C| a.mul(b))
    })
}

fn div(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b) = (args.tensor(0)?, args.tensor(1)?);
    let out = &mut outs[0];
    let common = quotient_type(promote(a.scalar_type(), b.scalar_type()));
    ensure!(
        out.scalar_type().is_floating(),
        "quotients are floating point, they are not stored as {}",
        out.scalar_type()
    );
    broadcast(&a, &b, out)?;
    let alike = [b.scalar_type(), out.scalar_type()].iter().all(|t| *t == a.scalar_type());
    with_compute!(compute_type(common), float, C => {
        if alike && a.scalar_type() == C::DTYPE && b.numel() == 1 {
            let reciprocal = b.data::<C>()?[0].recip();
            map1(&a, out, |a: C| a * reciprocal)
        } else {
            map2(&a, &b, out, |a: C, b: C| a / b)
        }
    })
}

fn div_scalar(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b) = (args.tensor(0)?, args.scalar(1)?);
    let out = &mut outs[0];
    let common = quotient_type(a.scalar_type());
    ensure!(common == out.scalar_type(), "the result is {common}, not {}", out.scalar_type());
    like(&a, out)?;
    with_compute!(compute_type(common), float, C => {
        let b = C::from_scalar(b);
        if a.scalar_type().is_floating() {
            let reciprocal = b.recip();
            map1(&a, out, |a: C| a * reciprocal)
        } else {
            map1(&a, out, |a: C| a / b)
        }
    })
}

/// Checks and shapes what all operators of a tensor and a number have in common.
fn like(a: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    same_dim_order(&[a, out])?;
    resize(out, a.sizes())
}

fn check_result(common: ScalarType, out: ScalarType) -> KernelResult {
    ensure!(can_cast(common, out), "results of type {common} are not stored as {out}");
    Ok(())
}

fn quotient_type(common: ScalarType) -> ScalarType {
    if common.is_floating() { common } else { ScalarType::Float }
}
