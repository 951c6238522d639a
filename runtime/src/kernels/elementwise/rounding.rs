//! Functions of one tensor that keep its type: `abs`, `neg`, `sign`, `ceil`,
//! `floor`, `round`, `trunc`, `_conj_physical`. Integers need no rounding.

use super::checks::alike;
use super::copy::copy_bytes;
use super::map::map1;
use super::math::Real;
use super::number::{Number, with_compute};
use crate::error::KernelResult;
use crate::kernels::{Args, Kernel, Outs, complex};
use et_schema::ScalarType;

/// The entry of a function that rounds.
macro_rules! rounding {
    ($name:literal, $round:path) => {
        ($name, |args, outs| {
            let (input, out) = (args.tensor(0)?, &mut outs[0]);
            alike(&input, out)?;
            if input.scalar_type().is_integral(false) {
                return copy_bytes(&input, out);
            }
            with_compute!(input.scalar_type(), float, C => map1::<C, C>(&input, out, $round))
        })
    };
}

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    rounding!("aten::ceil.out", Real::ceil),
    rounding!("aten::floor.out", Real::floor),
    rounding!("aten::round.out", Real::round_even),
    rounding!("aten::trunc.out", Real::trunc),
    ("aten::abs.out", abs),
    ("aten::neg.out", neg),
    ("aten::sign.out", sign),
    ("aten::_conj_physical.out", complex::conjugate),
];

fn abs(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    if complex::any(&[&input]) {
        return complex::absolute(&input, out);
    }
    alike(&input, out)?;
    match input.scalar_type() {
        float if float.is_floating() => {
            with_compute!(float, float, C => map1(&input, out, |x: C| x.abs()))
        }
        other => with_compute!(other, integer, C => {
            let zero = C::default();
            map1(&input, out, |x: C| if x < zero { zero.sub(x) } else { x })
        }),
    }
}

fn neg(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    alike(&input, out)?;
    match input.scalar_type() {
        float if float.is_floating() => {
            with_compute!(float, float, C => map1(&input, out, |x: C| -x))
        }
        other => with_compute!(other, integer, C => map1(&input, out, |x: C| x.wrapping_neg())),
    }
}

/// -1, 0 or 1; NaN and bools stay what they are.
fn sign(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    alike(&input, out)?;
    if input.scalar_type() == ScalarType::Bool {
        return copy_bytes(&input, out);
    }
    with_compute!(input.scalar_type(), C => {
        let (zero, one) = (C::default(), C::from_scalar(crate::value::Scalar::Int(1)));
        map1(&input, out, |x: C| {
            if x > zero {
                one
            } else if x < zero {
                zero.sub(one)
            } else if x.unordered() {
                x
            } else {
                zero
            }
        })
    })
}
