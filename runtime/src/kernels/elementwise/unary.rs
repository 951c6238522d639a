//! Functions of one tensor whose results are floating point or bool.

use super::checks::{like, resize};
use super::map::{map1, run};
use super::math::Real;
use super::number::{Number, with_compute};
use super::promote::{compute_type, promote};
use super::stream::Pairing;
use super::wide;
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Bool, Element};
use et_schema::ScalarType::{self, BFloat16, Double, Float, Half};
use half::{bf16, f16};

/// The entry of a function that is written once for both floats. Doubles are
/// computed as doubles, everything else as float32.
macro_rules! function {
    ($name:literal, $function:path) => {
        ($name, |args, outs| {
            let (input, out) = (args.tensor(0)?, &mut outs[0]);
            floating(out.scalar_type())?;
            like(&input, out)?;
            let computed = if input.scalar_type() == Double { Double } else { Float };
            with_compute!(computed, float, C => map1::<C, C>(&input, out, $function))
        })
    };
}

/// As `function`, with another one for float32 that takes many numbers at once.
macro_rules! wide_function {
    ($name:literal, $function:path, $wide:path) => {
        ($name, |args, outs| {
            let (input, out) = (args.tensor(0)?, &mut outs[0]);
            floating(out.scalar_type())?;
            like(&input, out)?;
            if input.scalar_type() == Double {
                return map1::<f64, f64>(&input, out, $function);
            }
            run([&input], out, Pairing::Memory, &|[input], out| $wide(input, out))
        })
    };
}

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::exp.out", exp),
    function!("aten::sqrt.out", Real::sqrt),
    function!("aten::rsqrt.out", Real::rsqrt),
    function!("aten::reciprocal.out", Real::reciprocal),
    function!("aten::expm1.out", Real::exp_m1),
    function!("aten::log.out", Real::ln),
    function!("aten::log2.out", Real::log2),
    function!("aten::log10.out", Real::log10),
    function!("aten::log1p.out", Real::ln_1p),
    function!("aten::sin.out", Real::sin),
    function!("aten::cos.out", Real::cos),
    function!("aten::tan.out", Real::tan),
    function!("aten::asin.out", Real::asin),
    function!("aten::acos.out", Real::acos),
    function!("aten::atan.out", Real::atan),
    function!("aten::sinh.out", Real::sinh),
    function!("aten::cosh.out", Real::cosh),
    wide_function!("aten::tanh.out", Real::tanh, wide::tanhs),
    function!("aten::asinh.out", Real::asinh),
    function!("aten::acosh.out", Real::acosh),
    function!("aten::atanh.out", Real::atanh),
    function!("aten::erf.out", Real::erf),
    wide_function!("aten::sigmoid.out", Real::sigmoid, wide::sigmoids),
    ("aten::logit.out", logit),
    ("aten::isnan.out", is_nan),
    ("aten::isinf.out", is_inf),
    ("aten::logical_not.out", logical_not),
];

fn floating(out: ScalarType) -> KernelResult {
    ensure!(out.is_floating(), "results are floating point, they are not stored as {out}");
    Ok(())
}

/// `exp` of the optimized library, which does not look at layouts and converts
/// to the type of the output before it computes.
fn exp(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    floating(out.scalar_type())?;
    resize(out, input.sizes())?;
    match out.scalar_type() {
        Half if input.scalar_type() != Half => {
            map1(&input, out, |x: f32| Real::exp(f16::from_f32(x).to_f32()))
        }
        BFloat16 if input.scalar_type() != BFloat16 => {
            map1(&input, out, |x: f32| Real::exp(bf16::from_f32(x).to_f32()))
        }
        stored => {
            let computed = compute_type(promote(input.scalar_type(), stored));
            if computed == Float {
                return run([&input], out, Pairing::Memory, &|[input], out| wide::exps(input, out));
            }
            with_compute!(computed, float, C => map1::<C, C>(&input, out, Real::exp))
        }
    }
}

/// `ln(x / (1 - x))`, `x` kept `eps` away from 0 and 1; not for 16-bit floats.
fn logit(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, eps, out) = (args.tensor(0)?, args.optional_double(1)?, &mut outs[0]);
    for scalar_type in [input.scalar_type(), out.scalar_type()] {
        ensure!(!matches!(scalar_type, Half | BFloat16), "not supported for {scalar_type}");
    }
    floating(out.scalar_type())?;
    like(&input, out)?;
    with_compute!(out.scalar_type(), float, C => map1(&input, out, |x: C| {
        let x = match eps {
            Some(eps) if x.to_f64() < eps => eps as C,
            Some(eps) if x.to_f64() > 1.0 - eps => (1.0 - eps) as C,
            _ => x,
        };
        Real::ln(x / (1.0 - x))
    }))
}

/// Checks and shapes an output of bools.
fn bools(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let out = &mut outs[0];
    ensure!(
        out.scalar_type() == ScalarType::Bool,
        "the output must be bool, it is {}",
        out.scalar_type()
    );
    let input = args.tensor(0)?;
    like(&input, out)
}

fn is_nan(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    bools(args, outs)?;
    let input = args.tensor(0)?;
    with_compute!(compute_type(input.scalar_type()), C => {
        map1(&input, &mut outs[0], |x: C| Bool::from(x.unordered()))
    })
}

fn is_inf(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    bools(args, outs)?;
    let input = args.tensor(0)?;
    with_compute!(compute_type(input.scalar_type()), C => {
        map1(&input, &mut outs[0], |x: C| Bool::from(x.infinite()))
    })
}

fn logical_not(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    like(&input, out)?;
    map1(&input, out, |x: Bool| Bool::from(!x.get()))
}
