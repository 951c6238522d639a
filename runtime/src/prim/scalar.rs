//! Arithmetic and comparisons of numbers. An Int and a Double meet as Doubles.

use super::{PrimOp, Stack, wrong_type};
use crate::error::{KernelError, KernelResult};
use crate::value::Scalar;
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(super) const OPERATORS: &[(&str, PrimOp)] = &[
    ("executorch_prim::add.Scalar", |s| arithmetic(s, i64::wrapping_add, |a, b| a + b)),
    ("executorch_prim::sub.Scalar", |s| arithmetic(s, i64::wrapping_sub, |a, b| a - b)),
    ("executorch_prim::mul.Scalar", |s| arithmetic(s, i64::wrapping_mul, |a, b| a * b)),
    ("executorch_prim::sym_max.Scalar", |s| integers(s, |a, b| Some(a.max(b)))),
    ("executorch_prim::sym_min.Scalar", |s| integers(s, |a, b| Some(a.min(b)))),
    ("executorch_prim::floordiv.Scalar", floor_divide),
    ("executorch_prim::floordiv.int", |s| integers(s, i64::checked_div)),
    ("executorch_prim::mod.int", |s| integers(s, i64::checked_rem)),
    ("executorch_prim::mod.Scalar", |s| integers(s, i64::checked_rem)),
    ("executorch_prim::truediv.Scalar", true_divide),
    ("executorch_prim::eq.Scalar", |s| compare(s, |a, b| a == b, |a, b| a == b)),
    ("executorch_prim::gt.Scalar", |s| compare(s, |a, b| a > b, |a, b| a > b)),
    ("executorch_prim::lt.Scalar", |s| compare(s, |a, b| a < b, |a, b| a < b)),
    ("executorch_prim::ge.Scalar", |s| compare(s, |a, b| a >= b, |a, b| a >= b)),
    ("executorch_prim::le.Scalar", |s| compare(s, |a, b| a <= b, |a, b| a <= b)),
    ("executorch_prim::neg.Scalar", negate),
    ("executorch_prim::sym_not.Scalar", |s| {
        let value = s.bool(0)?;
        s.set(1, Scalar::Bool(!value))
    }),
    ("executorch_prim::sym_ite.Scalar", |s| {
        let chosen = if s.bool(0)? { 1 } else { 2 };
        let value = s.scalar(chosen)?;
        s.set(3, value)
    }),
    ("executorch_prim::sym_float.Scalar", |s| {
        let value = s.scalar(0)?.to_f64();
        s.set(1, Scalar::Double(value))
    }),
    ("executorch_prim::sym_int.Scalar", |s| {
        let value = s.scalar(0)?.to_i64();
        s.set(1, Scalar::Int(value))
    }),
    ("executorch_prim::ceil.Scalar", |s| round(s, f64::ceil)),
    ("executorch_prim::round.Scalar", |s| round(s, round_half_even)),
    ("executorch_prim::trunc.Scalar", |s| round(s, f64::trunc)),
];

/// Two numbers of the same kind.
enum Pair {
    Int(i64, i64),
    Double(f64, f64),
    Bool(bool, bool),
}

fn pair(stack: &Stack<'_, '_>) -> KernelResult<Pair> {
    match (stack.scalar(0)?, stack.scalar(1)?) {
        (Scalar::Int(a), Scalar::Int(b)) => Ok(Pair::Int(a, b)),
        (Scalar::Bool(a), Scalar::Bool(b)) => Ok(Pair::Bool(a, b)),
        (Scalar::Bool(_), _) => Err(wrong_type(0, "the kind of argument 1", "Bool")),
        (_, Scalar::Bool(_)) => Err(wrong_type(1, "the kind of argument 0", "Bool")),
        (a, b) => Ok(Pair::Double(a.to_f64(), b.to_f64())),
    }
}

fn arithmetic(
    stack: &mut Stack<'_, '_>,
    ints: fn(i64, i64) -> i64,
    doubles: fn(f64, f64) -> f64,
) -> KernelResult {
    let result = match pair(stack)? {
        Pair::Int(a, b) => Scalar::Int(ints(a, b)),
        Pair::Double(a, b) => Scalar::Double(doubles(a, b)),
        Pair::Bool(..) => return Err(wrong_type(0, "an Int or Double", "Bool")),
    };
    stack.set(2, result)
}

fn compare(
    stack: &mut Stack<'_, '_>,
    ints: fn(i64, i64) -> bool,
    doubles: fn(f64, f64) -> bool,
) -> KernelResult {
    let result = match pair(stack)? {
        Pair::Int(a, b) => ints(a, b),
        Pair::Double(a, b) => doubles(a, b),
        Pair::Bool(a, b) => ints(a.into(), b.into()),
    };
    stack.set(2, Scalar::Bool(result))
}

/// An operator on integers only; it may have no result, as for division by zero.
fn integers(stack: &mut Stack<'_, '_>, op: fn(i64, i64) -> Option<i64>) -> KernelResult {
    let result = op(stack.int(0)?, stack.int(1)?).ok_or_else(division_by_zero)?;
    stack.set(2, Scalar::Int(result))
}

fn division_by_zero() -> KernelError {
    KernelError::argument("division by zero")
}

fn true_divide(stack: &mut Stack<'_, '_>) -> KernelResult {
    let result = match pair(stack)? {
        Pair::Int(a, b) => a as f64 / b as f64,
        Pair::Double(a, b) => a / b,
        Pair::Bool(..) => return Err(wrong_type(0, "an Int or Double", "Bool")),
    };
    stack.set(2, Scalar::Double(result))
}

/// Python's `//`: rounds towards negative infinity, and agrees with the remainder.
fn floor_divide(stack: &mut Stack<'_, '_>) -> KernelResult {
    let result = match pair(stack)? {
        Pair::Int(a, b) => {
            let quotient = a.checked_div(b).ok_or_else(division_by_zero)?;
            let rounds_up = (a < 0) != (b < 0) && quotient.wrapping_mul(b) != a;
            Scalar::Int(if rounds_up { quotient - 1 } else { quotient })
        }
        Pair::Double(a, b) => Scalar::Double(floor_divide_doubles(a, b)),
        Pair::Bool(..) => return Err(wrong_type(0, "an Int or Double", "Bool")),
    };
    stack.set(2, result)
}

fn floor_divide_doubles(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return if a.is_sign_negative() { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let remainder = a % b;
    let quotient = (a - remainder) / b;
    let rounds_up = remainder != 0.0 && b.is_sign_negative() != remainder.is_sign_negative();
    if rounds_up { quotient - 1.0 } else { quotient }
}

fn negate(stack: &mut Stack<'_, '_>) -> KernelResult {
    let result = match stack.scalar(0)? {
        Scalar::Int(value) => Scalar::Int(value.wrapping_neg()),
        Scalar::Double(value) => Scalar::Double(-value),
        Scalar::Bool(_) => return Err(wrong_type(0, "an Int or Double", "Bool")),
    };
    stack.set(1, result)
}

/// Rounds a Double to an integer. What does not fit becomes the least integer,
/// as x86-64 converts it.
fn round(stack: &mut Stack<'_, '_>, op: fn(f64) -> f64) -> KernelResult {
    let Scalar::Double(value) = stack.scalar(0)? else {
        return Err(wrong_type(0, "a Double", "another number"));
    };
    let rounded = op(value);
    let fits = (-(2f64.powi(63))..2f64.powi(63)).contains(&rounded);
    let result = if fits { rounded as i64 } else { i64::MIN };
    stack.set(1, Scalar::Int(result))
}

fn round_half_even(value: f64) -> f64 {
    let rounded = value.round();
    let is_tie = (value - value.trunc()).abs() == 0.5;
    if is_tie && rounded % 2.0 != 0.0 { rounded - value.signum() } else { rounded }
}
