//! `add`, `sub`, `rsub`, `mul` and `div` of tensors and numbers.
//!
//! ExecuTorch has these in its optimized library. What they refuse differs a
//! little from one operator to the next, and floats are not divided by one
//! number but multiplied by its reciprocal.

use super::checks::{like, resize_broadcast, same_dim_order};
use super::map::{map1, map2, map2_paired};
use super::number::{Number, with_compute};
use super::promote::{can_cast, compute_type, promote, promote_scalar, scalar_dtype};
use super::stream::Pairing;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs, complex};
use crate::tensor::{Element, TensorMeta, TensorMut, TensorRef};
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

fn negated(alpha: Scalar) -> Scalar {
    Scalar::Double(-alpha.to_f64())
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
    let pairing = optimized_pairing(&a, &b, out);
    if complex::any(&[&a, &b]) {
        let by_number = form == Sum::Add && a.numel().min(b.numel()) == 1;
        ensure!(a.sizes() == b.sizes() || by_number, "{:?} and {:?}", a.sizes(), b.sizes());
        return complex::add(
            &a,
            &b,
            if form == Sum::Add { alpha } else { negated(alpha) },
            out,
            pairing,
        );
    }
    with_compute!(compute_type(common), C => {
        let alpha = extract::<C>(alpha)?;
        match form {
            Sum::Add if alpha == C::from_i64(1) => map2_paired(&a, &b, out, pairing, C::add),
            Sum::Add => map2_paired(&a, &b, out, pairing, |a: C, b| a.add(alpha.mul(b))),
            _ => map2_paired(&a, &b, out, pairing, |a: C, b| a.sub(alpha.mul(b))),
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
    let pairing = optimized_pairing(&a, &b, out);
    if complex::any(&[&a, &b]) {
        let by_number = a.sizes() != b.sizes() && a.numel().min(b.numel()) == 1;
        ensure!(!by_number, "complex numbers and a single one");
        return complex::multiply(&a, &b, out, pairing);
    }
    with_compute!(compute_type(common), C => map2_paired(&a, &b, out, pairing, C::mul))
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
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    if complex::any(&[&a, &b]) {
        broadcast(&a, &b, out)?;
        return complex::divide(&a, &b, out);
    }
    let computed = quotient_type(&a, &b, out)?;
    broadcast(&a, &b, out)?;
    let pairing = optimized_pairing(&a, &b, out);
    let by_number = b.numel() == 1 && a.numel() != 1;
    with_compute!(computed, float, C => {
        if by_number && [&a, &b, &out.as_ref()].iter().all(|t| t.scalar_type() == C::DTYPE) {
            let reciprocal = b.data::<C>()?[0].recip();
            map1(&a, out, |a: C| a * reciprocal)
        } else {
            map2_paired(&a, &b, out, pairing, |a: C, b: C| a / b)
        }
    })
}

/// `div` of two tensors, as the portable library does it.
pub(super) fn div_plain(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    if complex::any(&[&a, &b]) {
        broadcast(&a, &b, out)?;
        return complex::divide(&a, &b, out);
    }
    let common = quotient_type(&a, &b, out)?;
    broadcast(&a, &b, out)?;
    with_compute!(common, float, C => map2(&a, &b, out, |a: C, b: C| a / b))
}

fn div_scalar(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b) = (args.tensor(0)?, args.scalar(1)?);
    if !a.scalar_type().is_floating() {
        return div_scalar_plain(args, outs);
    }
    let common = shape_quotient(&a, &mut outs[0])?;
    with_compute!(common, float, C => {
        let reciprocal = C::from_scalar(b).recip();
        map1(&a, &mut outs[0], |a: C| a * reciprocal)
    })
}

/// `div` by a number that is not replaced by its reciprocal.
pub(super) fn div_scalar_plain(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b) = (args.tensor(0)?, args.scalar(1)?);
    let common = shape_quotient(&a, &mut outs[0])?;
    with_compute!(common, float, C => {
        let b = C::from_scalar(b);
        map1(&a, &mut outs[0], |a: C| a / b)
    })
}

/// Checks and shapes the quotient of `a` and a number; the type to compute it in.
fn shape_quotient(a: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult<ScalarType> {
    let floating = a.scalar_type().is_floating();
    let common = if floating { a.scalar_type() } else { ScalarType::Float };
    ensure!(common == out.scalar_type(), "the result is {common}, not {}", out.scalar_type());
    like(a, out)?;
    Ok(compute_type(common))
}

/// Checks the types of a quotient; the one to compute it in.
fn quotient_type(a: &TensorMeta, b: &TensorMeta, out: &TensorMeta) -> KernelResult<ScalarType> {
    ensure!(
        out.scalar_type().is_floating(),
        "quotients are floating point, they are not stored as {}",
        out.scalar_type()
    );
    let common = promote(a.scalar_type(), b.scalar_type());
    Ok(if common.is_floating() { compute_type(common) } else { ScalarType::Float })
}

/// How the optimized library pairs elements: tensors of one type that
/// broadcast along one dimension only, or not at all, it takes for contiguous.
fn optimized_pairing(a: &TensorRef<'_>, b: &TensorRef<'_>, out: &TensorMeta) -> Pairing {
    if a.sizes() == out.sizes() && b.sizes() == out.sizes() {
        return Pairing::Memory;
    }
    let common = a.scalar_type();
    let alike = common == b.scalar_type() && common == out.scalar_type();
    if !alike || matches!(common, ScalarType::Half | ScalarType::BFloat16) {
        return Pairing::of(&[a, b], out);
    }
    let (left, right) = (without_leading_ones(a), without_leading_ones(b));
    let by_row =
        |long: &[i32], short: &[i32]| long.len() == 2 && short.len() == 1 && long[1] == short[0];
    let simple = a.numel() == 1
        || b.numel() == 1
        || left == right
        || by_row(left, right)
        || by_row(right, left)
        || broadcasts_along_one(left, right);
    if simple { Pairing::Packed } else { Pairing::of(&[a, b], out) }
}

fn without_leading_ones(tensor: &TensorMeta) -> &[i32] {
    let sizes = tensor.sizes();
    &sizes[sizes.iter().take_while(|size| **size == 1).count()..]
}

/// Whether exactly one dimension, and not the first, is 1 in either shape; all
/// others are the same.
fn broadcasts_along_one(a: &[i32], b: &[i32]) -> bool {
    let is_one = |(a, b): &(&i32, &i32)| **a == 1 || **b == 1;
    a.len() == b.len()
        && a.iter().zip(b).skip(1).filter(is_one).count() == 1
        && a.iter().zip(b).skip(1).all(|pair| is_one(&pair) || pair.0 == pair.1)
}

fn check_result(common: ScalarType, out: ScalarType) -> KernelResult {
    ensure!(can_cast(common, out), "results of type {common} are not stored as {out}");
    Ok(())
}
