//! Division that rounds, and what it leaves: `div` with a rounding mode,
//! `floor_divide`, `fmod`, `remainder`.
//!
//! Integers are not divided by 0: the kernel fails, after it has written the
//! output. Python's floor division and modulo are only kept in part: `remainder`
//! of integers has the sign of the dividend, and of floats it has the precision
//! of a float32.

use super::arithmetic;
use super::checks::{like, resize_broadcast, same_dim_order};
use super::map::{map1, map2};
use super::number::{Integer, Number, with_compute};
use super::promote::{can_cast, compute_type, promote, promote_scalar};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{TensorMut, TensorRef};
use crate::value::Scalar;
use core::cell::Cell;
use et_schema::ScalarType;
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::div.out_mode", div_mode),
    ("aten::div.Scalar_mode_out", div_scalar_mode),
    ("aten::floor_divide.out", |args, outs| tensors(args, outs, Operation::Floor)),
    ("aten::fmod.Tensor_out", fmod),
    ("aten::fmod.Scalar_out", fmod_scalar),
    ("aten::remainder.Tensor_out", |args, outs| tensors(args, outs, Operation::Remainder)),
    ("aten::remainder.Scalar_out", |args, outs| scalar(args, outs, Operation::Remainder)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Floor,
    Trunc,
    Remainder,
}

/// A type that can be divided by rounding.
trait Divide: Number {
    fn divide(self, divisor: Self, operation: Operation) -> Self;
}

macro_rules! divide_integer {
    ($($type:ty)+) => {
        $(impl Divide for $type {
            #[inline(always)]
            fn divide(self, divisor: Self, operation: Operation) -> Self {
                match operation {
                    Operation::Remainder => self.remainder(divisor),
                    Operation::Trunc => self.quotient(divisor),
                    Operation::Floor => {
                        let quotient = self.quotient(divisor);
                        let zero = Self::default();
                        let down = (self < zero) != (divisor < zero)
                            && self.remainder(divisor) != zero;
                        if down { quotient.wrapping_sub(1) } else { quotient }
                    }
                }
            }
        })+
    };
}

divide_integer!(u8 i8 i16 i32 i64);

macro_rules! divide_float {
    ($($type:ty)+) => {
        $(impl Divide for $type {
            #[inline(always)]
            fn divide(self, divisor: Self, operation: Operation) -> Self {
                match operation {
                    Operation::Trunc => (self / divisor).trunc(),
                    Operation::Remainder => {
                        let mut rest = (self % divisor) as f32;
                        if (self < 0.0) != (divisor < 0.0) && rest != 0.0 {
                            rest = (Self::from(rest) + divisor) as f32;
                        }
                        rest.into()
                    }
                    Operation::Floor if divisor == 0.0 => {
                        Self::INFINITY.copysign(self)
                    }
                    Operation::Floor => {
                        let rest = self % divisor;
                        let quotient = (self - rest) / divisor;
                        let down = rest != 0.0
                            && divisor.is_sign_negative() != rest.is_sign_negative();
                        if down { quotient - 1.0 } else { quotient }
                    }
                }
            }
        })+
    };
}

divide_float!(f32 f64);

/// Checks the type of a result; bools are not divided.
fn check(common: ScalarType, out: ScalarType) -> KernelResult {
    ensure!(
        can_cast(common, out) && common != ScalarType::Bool,
        "results of type {common} are not stored as {out}"
    );
    Ok(())
}

/// The type of the result for two tensors, of which `out` has the shape then.
fn prepare(
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
) -> KernelResult<ScalarType> {
    let common = promote(a.scalar_type(), b.scalar_type());
    check(common, out.scalar_type())?;
    same_dim_order(&[a, b, out])?;
    resize_broadcast(out, &[a, b])?;
    Ok(common)
}

/// The type of the result for a tensor and a number, of which `out` has the shape then.
fn prepare_scalar(
    a: &TensorRef<'_>,
    b: Scalar,
    out: &mut TensorMut<'_>,
) -> KernelResult<ScalarType> {
    let common = promote_scalar(a.scalar_type(), b);
    check(common, out.scalar_type())?;
    ensure!(!common.is_integral(true) || b.to_f64() != 0.0, "integer division by zero");
    like(a, out)?;
    Ok(common)
}

fn tensors(args: &Args<'_>, outs: &mut Outs<'_>, operation: Operation) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    let common = prepare(&a, &b, out)?;
    if common.is_floating() {
        return with_compute!(common, float, C => {
            map2(&a, &b, out, |a: C, b| a.divide(b, operation))
        });
    }
    let by_zero = Cell::new(false);
    with_compute!(common, integer, C => map2(&a, &b, out, |a: C, b| {
        if b == 0 {
            by_zero.set(true);
            0
        } else {
            a.divide(b, operation)
        }
    }))?;
    ensure!(!by_zero.get(), "integer division by zero");
    Ok(())
}

fn scalar(args: &Args<'_>, outs: &mut Outs<'_>, operation: Operation) -> KernelResult {
    let (a, number, out) = (args.tensor(0)?, args.scalar(1)?, &mut outs[0]);
    let common = prepare_scalar(&a, number, out)?;
    with_compute!(compute_type(common), C => {
        let b = C::from_scalar(number);
        ensure!(common.is_floating() || b != C::default(), "integer division by zero");
        map1(&a, out, |a: C| a.divide(b, operation))
    })
}

impl Divide for crate::tensor::Bool {
    /// Never asked for: bools are refused before.
    fn divide(self, _: Self, _: Operation) -> Self {
        self
    }
}

fn rounding(mode: &str) -> KernelResult<Operation> {
    match mode {
        "trunc" => Ok(Operation::Trunc),
        "floor" => Ok(Operation::Floor),
        other => Err(KernelError::argument(alloc::format!(
            "rounding mode {other:?} is unknown, expected \"trunc\" or \"floor\""
        ))),
    }
}

fn div_mode(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    if args.is_none(2) {
        return arithmetic::div_plain(args, outs);
    }
    tensors(args, outs, rounding(args.string(2)?)?)
}

fn div_scalar_mode(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    if args.is_none(2) {
        return arithmetic::div_scalar_plain(args, outs);
    }
    scalar(args, outs, rounding(args.string(2)?)?)
}

/// Integers are computed as float64.
fn float_type(common: ScalarType) -> ScalarType {
    if common.is_floating() { compute_type(common) } else { ScalarType::Double }
}

fn fmod(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    let common = prepare(&a, &b, out)?;
    with_compute!(float_type(common), float, C => map2(&a, &b, out, |a: C, b| a % b))
}

fn fmod_scalar(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, number, out) = (args.tensor(0)?, args.scalar(1)?, &mut outs[0]);
    let common = prepare_scalar(&a, number, out)?;
    with_compute!(float_type(common), float, C => {
        let b = C::from_scalar(number);
        map1(&a, out, |a: C| a % b)
    })
}
