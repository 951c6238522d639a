//! Functions of one tensor whose results are floating point.

use super::checks::{resize, same_dim_order};
use super::map::map1;
use super::math::Real;
use super::number::with_compute;
use super::promote::promote;
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use et_schema::ScalarType;
use half::{bf16, f16};

/// An entry for a function that is written once for both floats.
macro_rules! function {
    ($name:literal, $function:path) => {
        ($name, |args, outs| {
            check(args, outs, true)?;
            let computed = args.tensor(0)?.scalar_type();
            apply!(args, outs, computed, $function)
        })
    };
}

/// Doubles are computed as doubles, everything else as float32.
macro_rules! apply {
    ($args:ident, $outs:ident, $computed:expr, $function:path) => {{
        let input = $args.tensor(0)?;
        let computed = match $computed {
            ScalarType::Double => ScalarType::Double,
            _ => ScalarType::Float,
        };
        with_compute!(computed, float, C => map1::<C, C>(&input, &mut $outs[0], $function))
    }};
}

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::exp.out", exp),
    function!("aten::sigmoid.out", Real::sigmoid),
    function!("aten::tanh.out", Real::tanh),
];

/// Shapes the output, which must be floating point. `exp`, which is in the
/// optimized library, does not look at layouts.
fn check(args: &Args<'_>, outs: &mut Outs<'_>, order: bool) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    ensure!(
        out.scalar_type().is_floating(),
        "results are floating point, they are not stored as {}",
        out.scalar_type()
    );
    resize(out, input.sizes())?;
    if order { same_dim_order(&[&input, out]) } else { Ok(()) }
}

/// `exp` of the optimized library: converts to the type of the output first.
fn exp(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    check(args, outs, false)?;
    let (input, out) = (args.tensor(0)?, outs[0].scalar_type());
    match out {
        ScalarType::Half if input.scalar_type() != out => {
            map1(&input, &mut outs[0], |x: f32| Real::exp(f16::from_f32(x).to_f32()))
        }
        ScalarType::BFloat16 if input.scalar_type() != out => {
            map1(&input, &mut outs[0], |x: f32| Real::exp(bf16::from_f32(x).to_f32()))
        }
        _ => apply!(args, outs, promote(input.scalar_type(), out), Real::exp),
    }
}
