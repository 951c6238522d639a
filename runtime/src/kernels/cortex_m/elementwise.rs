//! Element by element: quantize and dequantize, add, mul, div, minimum,
//! maximum, and activations by table.
//!
//! Operands have one shape, or one of them has only the channels of the other.

use super::int8;
use super::requantize::{Factor, Limits};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::checks::{resize_broadcast, same_dim_order};
use crate::kernels::elementwise::map::{map1, map2, map2_paired};
use crate::kernels::elementwise::stream::Pairing;
use crate::kernels::quantized::round_ties_even;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use alloc::format;
use et_schema::ScalarType;
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("cortex_m::dequantize_per_tensor.out", dequantize),
    ("cortex_m::maximum.out", |args, outs| select(args, outs, i8::max)),
    ("cortex_m::minimum.out", |args, outs| select(args, outs, i8::min)),
    ("cortex_m::quantize_per_tensor.out", quantize),
    ("cortex_m::quantized_activation.out", activation),
    ("cortex_m::quantized_add.out", add),
    ("cortex_m::quantized_div.out", div),
    ("cortex_m::quantized_mul.out", mul),
];

/// Arguments 1 to 5: scale, zero point, range, type.
struct Affine {
    scale: f32,
    zero_point: i32,
    low: i32,
    high: i32,
}

impl Affine {
    fn of(args: &Args<'_>) -> KernelResult<Self> {
        let (scale, zero_point) = (args.double(1)?, args.int(2)?);
        let (low, high, dtype) = (args.int(3)?, args.int(4)?, args.optional_scalar_type(5)?);
        ensure!(dtype == Some(ScalarType::Char), "quantized values as {dtype:?}, expected Char");
        ensure!(
            low >= i8::MIN.into() && high <= i8::MAX.into(),
            "a range from {low} to {high}, expected one within -128 to 127"
        );
        let within = |n: i64| i32::try_from(n).is_ok();
        ensure!(within(zero_point) && within(low) && within(high), "zero point {zero_point}");
        Ok(Affine {
            scale: scale as f32,
            zero_point: zero_point as i32,
            low: low as i32,
            high: high as i32,
        })
    }
}

/// Gives the output the shape of the input, whose layout it must have.
fn like(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    out.resize(input.sizes())?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    Ok(())
}

fn quantize(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, affine, out) = (args.tensor(0)?, Affine::of(args)?, &mut outs[0]);
    like(&input, out)?;
    let (from, to) = (input.scalar_type(), out.scalar_type());
    ensure!(
        from == ScalarType::Float && to == ScalarType::Char,
        "quantizing {from} as {to}, expected Float as Char"
    );
    let inverse = 1.0 / affine.scale;
    map1(&input, out, |x: f32| {
        let value = (round_ties_even(inverse * x) as i32).saturating_add(affine.zero_point);
        value.max(affine.low).min(affine.high) as i8
    })
}

fn dequantize(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, affine, out) = (args.tensor(0)?, Affine::of(args)?, &mut outs[0]);
    like(&input, out)?;
    let (from, to) = (input.scalar_type(), out.scalar_type());
    ensure!(
        from == ScalarType::Char && to == ScalarType::Float,
        "dequantizing {from} as {to}, expected Char as Float"
    );
    ensure!(
        (affine.low..=affine.high).contains(&affine.zero_point),
        "zero point {} out of the range from {} to {}",
        affine.zero_point,
        affine.low,
        affine.high
    );
    let Affine { scale, zero_point, .. } = affine;
    map1(&input, out, |q: i8| (i32::from(q) - zero_point) as f32 * scale)
}

/// Whether one of two images has only the channels of the other.
fn is_channel_broadcast(a: &TensorMeta, b: &TensorMeta) -> bool {
    let channels_only = |t: &TensorMeta| t.numel() == t.size(1);
    a.rank() == 4
        && b.rank() == 4
        && a.size(1) == b.size(1)
        && (channels_only(a) || channels_only(b))
}

/// Two operands of one shape, or one of which has only channels; shapes the output.
fn operands<'a>(
    args: &Args<'a>,
    second: usize,
    out: &mut TensorMut<'_>,
) -> KernelResult<(TensorRef<'a>, TensorRef<'a>)> {
    let (a, b) = (args.tensor(0)?, args.tensor(second)?);
    int8(&[&a, &b, out])?;
    if is_channel_broadcast(&a, &b) {
        let larger = if a.numel() >= b.numel() { &a } else { &b };
        out.resize(larger.sizes())?;
    } else {
        ensure!(
            a.sizes() == b.sizes(),
            "operands of {:?} and {:?}: expected one shape, or one with channels only",
            a.sizes(),
            b.sizes()
        );
        out.resize(a.sizes())?;
        same_dim_order(&[&a, &b, out])?;
    }
    Ok((a, b))
}

fn zero_point(args: &Args<'_>, index: usize) -> KernelResult<i32> {
    let zero_point = args.int(index)?;
    ensure!(i8::try_from(zero_point).is_ok(), "zero point {zero_point} is no 8-bit integer");
    Ok(zero_point as i32)
}

/// Channels meet those of the same index, whatever the layout of an image with channels only.
const PAIRING: Pairing = Pairing::Index;

/// Bits by which operands are raised before they get a common scale.
const ADD_SHIFT: u32 = 20;

fn add(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let out = &mut outs[0];
    let (a, b) = operands(args, 4, out)?;
    let (a_zero, b_zero) = (zero_point(args, 1)?, zero_point(args, 5)?);
    let a_factor = Factor::new(args.int(2)?, args.int(3)?)?;
    let b_factor = Factor::new(args.int(6)?, args.int(7)?)?;
    let factor = Factor::new(args.int(9)?, args.int(10)?)?;
    let limits = Limits::new(zero_point(args, 8)?.into(), args.int(11)?, args.int(12)?)?;
    map2_paired(&a, &b, out, PAIRING, |a: i8, b: i8| {
        let a = a_factor.apply((i32::from(a) - a_zero) << ADD_SHIFT);
        let b = b_factor.apply((i32::from(b) - b_zero) << ADD_SHIFT);
        limits.finish(factor.apply(a.wrapping_add(b)))
    })
}

fn mul(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let out = &mut outs[0];
    let (a, b) = operands(args, 2, out)?;
    let (a_zero, b_zero) = (zero_point(args, 1)?, zero_point(args, 3)?);
    let factor = Factor::new(args.int(5)?, args.int(6)?)?;
    let limits = Limits::int8(zero_point(args, 4)?.into())?;
    map2_paired(&a, &b, out, PAIRING, |a: i8, b: i8| {
        let product = (i32::from(a) - a_zero) * (i32::from(b) - b_zero);
        limits.finish(factor.apply(product))
    })
}

/// Quotients are rounded half away from zero, as the device's kernel does; division by zero
/// gives zero.
fn div(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(2)?, &mut outs[0]);
    let (a_zero, b_zero) = (zero_point(args, 1)?, zero_point(args, 3)?);
    let (zero, scale) = (zero_point(args, 4)?, args.double(5)? as f32);
    let dtype = out.scalar_type();
    ensure!(
        a.scalar_type() == dtype && b.scalar_type() == dtype && a.sizes() == b.sizes(),
        "dividing {}{:?} by {}{:?} into {dtype}",
        a.scalar_type(),
        a.sizes(),
        b.scalar_type(),
        b.sizes()
    );
    out.resize(a.sizes())?;
    same_dim_order(&[&a, &b, out])?;
    let quotient = |a: i32, b: i32| {
        let (a, b) = (a - a_zero, b - b_zero);
        let quotient = if b == 0 { 0.0 } else { a as f32 / b as f32 };
        ((quotient * scale).round() as i32).saturating_add(zero)
    };
    match dtype {
        ScalarType::Char => map2(&a, &b, out, |a: i8, b: i8| {
            quotient(a.into(), b.into()).clamp(i8::MIN.into(), i8::MAX.into()) as i8
        }),
        ScalarType::Short => map2(&a, &b, out, |a: i16, b: i16| {
            quotient(a.into(), b.into()).clamp(i16::MIN.into(), i16::MAX.into()) as i16
        }),
        other => Err(KernelError::argument(format!("a quotient of {other}"))),
    }
}

/// Shapes broadcast in every way.
fn select(args: &Args<'_>, outs: &mut Outs<'_>, choose: fn(i8, i8) -> i8) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    int8(&[&a, &b, out])?;
    same_dim_order(&[&a, &b, out])?;
    resize_broadcast(out, &[&a, &b])?;
    map2(&a, &b, out, choose)
}

/// `lut[input + 128]`
fn activation(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, table, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    int8(&[&input, &table, out])?;
    like(&input, out)?;
    let table: &[i8; 256] = table.data::<i8>()?.try_into().map_err(|_| {
        KernelError::argument(format!("a table of {}, expected 256 entries", table.numel()))
    })?;
    map1(&input, out, |x: i8| table[usize::from((x as u8) ^ 0x80)])
}
