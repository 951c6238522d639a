//! `pow` and `atan2`.

use super::checks::{like, resize_broadcast, same_dim_order};
use super::map::{map1, map2};
use super::math::Real;
use super::number::{Number, with_compute};
use super::promote::{can_cast, promote, promote_scalar};
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use et_schema::ScalarType::{self, Bool, Double, Float};

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::pow.Tensor_Tensor_out", pow),
    ("aten::pow.Tensor_Scalar_out", pow_scalar),
    ("aten::pow.Scalar_out", scalar_pow),
    ("aten::atan2.out", atan2),
];

/// Checks the type of a power, and says which type to compute it in: integers
/// in float64.
fn power_type(common: ScalarType, out: ScalarType) -> KernelResult<ScalarType> {
    ensure!(
        can_cast(common, out) && common != Bool,
        "results of type {common} are not stored as {out}"
    );
    Ok(if common.is_floating() && common != Double { Float } else { Double })
}

fn pow(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    let computed = power_type(promote(a.scalar_type(), b.scalar_type()), out.scalar_type())?;
    same_dim_order(&[&a, &b, out])?;
    resize_broadcast(out, &[&a, &b])?;
    with_compute!(computed, float, C => map2::<C, C>(&a, &b, out, Real::pow))
}

fn pow_scalar(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, exponent, out) = (args.tensor(0)?, args.scalar(1)?, &mut outs[0]);
    let computed = power_type(promote_scalar(a.scalar_type(), exponent), out.scalar_type())?;
    like(&a, out)?;
    with_compute!(computed, float, C => {
        let exponent = C::from_scalar(exponent);
        if exponent == 2.0 {
            return map1(&a, out, |a: C| a * a);
        }
        map1(&a, out, |a: C| Real::pow(a, exponent))
    })
}

fn scalar_pow(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (base, b, out) = (args.scalar(0)?, args.tensor(1)?, &mut outs[0]);
    let computed = power_type(promote_scalar(b.scalar_type(), base), out.scalar_type())?;
    like(&b, out)?;
    with_compute!(computed, float, C => {
        let base = C::from_scalar(base);
        map1(&b, out, |b: C| Real::pow(base, b))
    })
}

fn atan2(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    ensure!(
        out.scalar_type().is_floating(),
        "results are floating point, they are not stored as {}",
        out.scalar_type()
    );
    same_dim_order(&[&a, &b, out])?;
    resize_broadcast(out, &[&a, &b])?;
    let common = promote(a.scalar_type(), b.scalar_type());
    let computed = if common == Double { Double } else { Float };
    with_compute!(computed, float, C => map2::<C, C>(&a, &b, out, Real::atan2))
}
