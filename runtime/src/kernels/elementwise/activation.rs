//! Activation functions with limits, slopes and scales: `relu`, `hardtanh`,
//! `clamp`, `leaky_relu`, `elu`.

use super::checks::{alike, like, resize_broadcast, same_dim_order};
use super::map::{map1, map3};
use super::math::Real;
use super::number::{Number, with_compute};
use super::promote::{can_cast, compute_type, fits, promote, promote_scalar, range, rounded};
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{TensorMut, TensorRef};
use crate::value::Scalar;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::relu.out", relu),
    ("aten::hardtanh.out", hardtanh),
    ("aten::clamp.out", clamp),
    ("aten::clamp.Tensor_out", clamp_tensor),
    ("aten::leaky_relu.out", leaky_relu),
    ("aten::elu.out", elu),
];

fn refuse_bool(input: &TensorRef<'_>) -> KernelResult {
    ensure!(input.scalar_type() != ScalarType::Bool, "not supported for bool");
    Ok(())
}

fn relu(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    alike(&input, out)?;
    refuse_bool(&input)?;
    with_compute!(input.scalar_type(), C => {
        let zero = C::default();
        map1(&input, out, |x: C| if x < zero { zero } else { x })
    })
}

fn hardtanh(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, min, max) = (args.tensor(0)?, args.scalar(1)?, args.scalar(2)?);
    let out = &mut outs[0];
    alike(&input, out)?;
    refuse_bool(&input)?;
    for limit in [min, max] {
        let scalar_type = input.scalar_type();
        ensure!(fits(limit, scalar_type), "limit {limit:?} is out of range of {scalar_type}");
    }
    limit(&input, out, Some(min), Some(max))
}

fn clamp(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, min, max) = (args.tensor(0)?, args.optional_scalar(1)?, args.optional_scalar(2)?);
    let out = &mut outs[0];
    ensure!(min.is_some() || max.is_some(), "at least one of min and max must be given");
    let limits = min.iter().chain(&max);
    let common = limits.clone().fold(input.scalar_type(), |common, n| promote_scalar(common, *n));
    ensure!(common == out.scalar_type(), "the result is {common}, not {}", out.scalar_type());
    for limit in limits {
        ensure!(is_in_bounds(*limit, common), "limit {limit:?} is out of range of {common}");
    }
    like(&input, out)?;
    limit(&input, out, min, max)
}

/// Whether values of type `to` may be clamped at `limit`: integers are compared
/// after it was cut to an integer.
fn is_in_bounds(limit: Scalar, to: ScalarType) -> bool {
    let (low, high) = range(to);
    match limit {
        _ if to == ScalarType::Long => true,
        _ if to.is_integral(false) => (low..=high).contains(&(limit.to_i64() as f64)),
        limit => !limit.to_f64().is_finite() || (low..=high).contains(&limit.to_f64()),
    }
}

/// `min(max(input, low), high)` in the type of `out`; NaN wins.
fn limit(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    low: Option<Scalar>,
    high: Option<Scalar>,
) -> KernelResult {
    with_compute!(out.scalar_type(), C => {
        let low = low.map_or(C::LOWEST, C::from_scalar);
        let high = high.map_or(C::HIGHEST, C::from_scalar);
        if low.unordered() || high.unordered() {
            return map1(input, out, |x: C| x.larger(low).smaller(high));
        }
        map1(input, out, |x: C| {
            let x = if x < low { low } else { x };
            if x > high { high } else { x }
        })
    })
}

fn clamp_tensor(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let (min, max) = (args.optional_tensor(1)?, args.optional_tensor(2)?);
    ensure!(min.is_some() || max.is_some(), "at least one of min and max must be given");
    let (low, high) = (min.unwrap_or(input), max.unwrap_or(input));
    let common = promote(promote(input.scalar_type(), low.scalar_type()), high.scalar_type());
    ensure!(
        can_cast(common, out.scalar_type()),
        "results of type {common} are not stored as {}",
        out.scalar_type()
    );
    same_dim_order(&[&input, &low, &high, out])?;
    resize_broadcast(out, &[&input, &low, &high])?;
    with_compute!(compute_type(common), C => {
        map3([&input, &low, &high], out, |x: C, low, high| {
            let x = if min.is_some() { x.larger(low) } else { x };
            if max.is_some() { x.smaller(high) } else { x }
        })
    })
}

fn leaky_relu(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, slope) = (args.tensor(0)?, args.scalar(1)?);
    let out = &mut outs[0];
    alike(&input, out)?;
    ensure!(
        fits(slope, input.scalar_type()),
        "negative_slope {slope:?} is out of range of {}",
        input.scalar_type()
    );
    with_compute!(input.scalar_type(), float, C => {
        let slope = rounded(C::from_scalar(slope), input.scalar_type());
        map1(&input, out, |x: C| if x >= 0.0 { x } else { x * slope })
    })
}

fn elu(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    alike(&input, out)?;
    with_compute!(input.scalar_type(), float, C => {
        let coefficient = |index| args.scalar(index).map(C::from_scalar);
        let (alpha, scale, input_scale) = (coefficient(1)?, coefficient(2)?, coefficient(3)?);
        let negative = alpha * scale;
        map1(&input, out, |x: C| {
            if x <= 0.0 { Real::exp_m1(x * input_scale) * negative } else { x * scale }
        })
    })
}
