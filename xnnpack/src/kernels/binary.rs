//! Operators of two tensors, element by element, with broadcasting.

use super::convert;
use super::sums::requantize;
use crate::error::{Error, Result, ensure};
use crate::product::vectors;
use crate::tensor::{Data, RANGE, Tensor, count};
use et_schema::xnnpack::BinaryOperator;

/// `a ∘ b`.
pub(crate) fn binary(
    operator: BinaryOperator,
    a: &Tensor,
    b: &Tensor,
    clamp: (f32, f32),
    out: &mut Tensor,
) -> Result {
    broadcast(&a.dims, &b.dims, &mut out.dims)?;
    let size = count(&out.dims)?;
    if let (Data::F32(x), Data::F32(y)) = (&a.data, &b.data) {
        let Data::F32(data) = &mut out.data else {
            return Err(Error::new("float32 inputs for an integer output"));
        };
        data.set_len(size);
        let places = Places { out: &out.dims, a: &a.dims, b: &b.dims };
        floats(operator, (x, y), &places, clamp, data);
        return Ok(());
    }
    let integers = Integers::new(operator, a, b, out, clamp)?;
    let (x, y) = (a.data.small()?, b.data.small()?);
    let Tensor { dims, data, .. } = out;
    let Data::Small(data) = data else {
        return Err(Error::new("integer inputs for a float32 output"));
    };
    data.set_len(size);
    let places = Places { out: dims, a: &a.dims, b: &b.dims };
    match integers {
        Integers::Sum { bias, a, b, shift, zero, range } => places.each(
            x,
            y,
            data,
            #[inline(always)]
            |x, y| {
                let sum = bias.wrapping_add(i32::from(x) * a).wrapping_add(i32::from(y) * b);
                ((sum >> shift) + zero).clamp(range.0, range.1) as u8
            },
        ),
        Integers::Product { zeros, scale, zero, range } => places.each(
            x,
            y,
            data,
            #[inline(always)]
            |x, y| {
                let product = (i32::from(x) - zeros.0) * (i32::from(y) - zeros.1);
                requantize(product as f32 * scale, zero, range)
            },
        ),
        Integers::Through { a, b, out, range } => places.each(
            x,
            y,
            data,
            #[inline(always)]
            |x, y| {
                let x = (i32::from(x) - a.zero) as f32 * a.scale;
                let y = (i32::from(y) - b.zero) as f32 * b.scale;
                requantize(apply(operator, x, y) / out.scale, out.zero, range)
            },
        ),
    }
    Ok(())
}

#[inline(always)]
fn apply(operator: BinaryOperator, x: f32, y: f32) -> f32 {
    match operator {
        BinaryOperator::Add => x + y,
        BinaryOperator::Subtract => x - y,
        BinaryOperator::Multiply | BinaryOperator::BatchMatrixMultiply => x * y,
        BinaryOperator::Divide => x / y,
        BinaryOperator::Maximum => x.max(y),
        BinaryOperator::Minimum => x.min(y),
        BinaryOperator::PRelu => {
            if x < 0.0 {
                x * y
            } else {
                x
            }
        }
    }
}

/// One loop per operator, so that each is made of vectors.
fn floats(
    operator: BinaryOperator,
    (x, y): (&[f32], &[f32]),
    places: &Places<'_>,
    (low, high): (f32, f32),
    out: &mut [f32],
) {
    use BinaryOperator as B;
    macro_rules! each {
        ($($operator:ident)*) => {
            match operator {
                $(B::$operator => places.each(x, y, out, #[inline(always)] |x, y| {
                    apply(B::$operator, x, y).max(low).min(high)
                }),)*
            }
        };
    }
    each!(Add Subtract Multiply Divide Maximum Minimum PRelu BatchMatrixMultiply);
}

/// How integers are combined, with the parameters of XNNPACK's kernels.
enum Integers {
    /// Sum and difference, in fixed point: `qs8-vadd`.
    Sum { bias: i32, a: i32, b: i32, shift: u32, zero: i32, range: (i32, i32) },
    /// Product: `qs8-vmul`, requantized through float32.
    Product { zeros: (i32, i32), scale: f32, zero: i32, range: (i32, i32) },
    /// Through float32: XNNPACK's reference kernels.
    Through {
        a: crate::tensor::Row,
        b: crate::tensor::Row,
        out: crate::tensor::Row,
        range: (i32, i32),
    },
}

impl Integers {
    fn new(
        operator: BinaryOperator,
        a: &Tensor,
        b: &Tensor,
        out: &Tensor,
        clamp: (f32, f32),
    ) -> Result<Self> {
        let (a, b, o) = (a.quantized()?, b.quantized()?, out.quantized()?);
        let range = convert::clamped(o, RANGE, clamp);
        let zero = o.zero;
        Ok(match operator {
            BinaryOperator::Add | BinaryOperator::Subtract => {
                let sign = if operator == BinaryOperator::Add { 1.0 } else { -1.0 };
                let (scale_a, scale_b) = (a.scale / o.scale, sign * (b.scale / o.scale));
                let largest = scale_a.abs().max(scale_b.abs());
                ensure!(largest > 0.0 && largest < 256.0, "scales {} and {}", a.scale, b.scale);
                // 20 bits of the larger factor.
                let exponent = (largest.to_bits() >> 23).cast_signed() - 127;
                let shift = (20 - exponent).clamp(12, 30).cast_unsigned();
                let fixed = |scale: f32| (scale * (1u32 << shift) as f32).round_ties_even() as i32;
                let (factor_a, factor_b) = (fixed(scale_a), fixed(scale_b));
                let bias = (1i32 << (shift - 1))
                    .wrapping_sub(factor_a.wrapping_mul(a.zero))
                    .wrapping_sub(factor_b.wrapping_mul(b.zero));
                Integers::Sum { bias, a: factor_a, b: factor_b, shift, zero, range }
            }
            BinaryOperator::Multiply => {
                let scale = a.scale * b.scale / o.scale;
                Integers::Product { zeros: (a.zero, b.zero), scale, zero, range }
            }
            _ => Integers::Through { a, b, out: o, range },
        })
    }
}

/// The shape that `a` and `b` have together.
pub(crate) fn broadcast(a: &[usize], b: &[usize], out: &mut Vec<usize>) -> Result {
    let rank = a.len().max(b.len());
    out.clear();
    for index in 0..rank {
        let size = |dims: &[usize]| (index + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
        let (x, y) = (size(a), size(b));
        ensure!(x == y || x == 1 || y == 1, "shapes {a:?} and {b:?}");
        out.push(if x == 1 { y } else { x });
    }
    Ok(())
}

/// Which elements meet.
struct Places<'a> {
    out: &'a [usize],
    a: &'a [usize],
    b: &'a [usize],
}

impl Places<'_> {
    /// Calls `apply`, which must be `inline(always)`, with the elements that
    /// meet, in the order of the output.
    #[inline(always)]
    fn each<T: Copy, O>(&self, a: &[T], b: &[T], out: &mut [O], apply: impl Fn(T, T) -> O) {
        vectors(
            #[inline(always)]
            || self.each_of(a, b, out, apply),
        );
    }

    #[inline(always)]
    fn each_of<T: Copy, O>(&self, a: &[T], b: &[T], out: &mut [O], apply: impl Fn(T, T) -> O) {
        if a.len() == out.len() && b.len() == out.len() {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = apply(*a, *b);
            }
            return;
        }
        // A run is what lies at the end and is either whole or one element.
        let (steps_a, steps_b) = (self.steps(self.a), self.steps(self.b));
        let Some((last, outer)) = self.out.split_last() else {
            return out.iter_mut().for_each(|out| *out = apply(a[0], b[0]));
        };
        let inner = outer.len();
        let mut index = vec![0; inner];
        for line in out.chunks_mut((*last).max(1)) {
            let at = |steps: &[usize]| -> usize {
                index.iter().zip(steps).map(|(index, step)| index * step).sum()
            };
            let (a, b) = (&a[at(&steps_a)..], &b[at(&steps_b)..]);
            match (steps_a[inner], steps_b[inner]) {
                (0, 0) => line.iter_mut().for_each(|out| *out = apply(a[0], b[0])),
                (0, _) => line.iter_mut().zip(b).for_each(|(out, b)| *out = apply(a[0], *b)),
                (_, 0) => line.iter_mut().zip(a).for_each(|(out, a)| *out = apply(*a, b[0])),
                _ => {
                    let pairs = line.iter_mut().zip(a).zip(b);
                    pairs.for_each(|((out, a), b)| *out = apply(*a, *b));
                }
            }
            for (index, size) in index.iter_mut().zip(outer).rev() {
                *index += 1;
                if *index < *size {
                    break;
                }
                *index = 0;
            }
        }
    }

    /// Distance of neighbours along each dimension of the output, 0 where
    /// there is only one element.
    fn steps(&self, dims: &[usize]) -> Vec<usize> {
        let mut steps = vec![0; self.out.len()];
        let mut step = 1;
        for (target, size) in steps.iter_mut().rev().zip(dims.iter().rev()) {
            *target = if *size == 1 { 0 } else { step };
            step *= size;
        }
        steps
    }
}
