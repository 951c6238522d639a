//! Products of float matrices with int8 weights that have scales.
//!
//! Products are rounded to the type of the input and sums to the type of the
//! output, as ExecuTorch's kernels do, which matters for half precision.

use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::simd::vectorized;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("quantized_decomposed::mixed_linear.out", mixed_linear),
    ("quantized_decomposed::mixed_mm.out", mixed_mm),
];

/// Checks what both operators have in common.
fn check(
    args: &Args<'_>,
    input: &TensorRef<'_>,
    weight: &TensorRef<'_>,
    scales: &TensorRef<'_>,
) -> KernelResult {
    let dtype = input.scalar_type();
    ensure!(
        input.rank() == 2 && weight.rank() == 2,
        "input of {:?} and weight of {:?}, expected matrices",
        input.sizes(),
        weight.sizes()
    );
    ensure!(
        input.is_contiguous() && weight.is_contiguous() && scales.is_contiguous(),
        "expected contiguous tensors"
    );
    ensure!(
        weight.scalar_type() == ScalarType::Char
            && matches!(dtype, ScalarType::Float | ScalarType::Half)
            && scales.scalar_type() == dtype,
        "input of {dtype}, weight of {}, scales of {}",
        weight.scalar_type(),
        scales.scalar_type()
    );
    ensure!(
        scales.rank() >= 1 && scales.size(0) == weight.size(0),
        "scales of {:?}",
        scales.sizes()
    );
    ensure!(args.is_none(3), "zero points are not supported");
    Ok(())
}

/// `input * (weight * scales)`, a scale for each row of the weight.
fn mixed_mm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, scales) = (args.tensor(0)?, args.tensor(1)?, args.tensor(2)?);
    let out = &mut outs[0];
    check(args, &input, &weight, &scales)?;
    ensure!(
        scales.rank() == 1 && input.size(1) == weight.size(0),
        "input of {:?}, weight of {:?}, scales of {:?}",
        input.sizes(),
        weight.sizes(),
        scales.sizes()
    );
    ensure!(out.scalar_type() == input.scalar_type(), "input and output differ in type");
    out.resize(&[input.sizes()[0], weight.sizes()[1]])?;
    let (depth, width) = (input.size(1).max(1), weight.size(1).max(1));
    let weight = weight.data::<i8>()?;
    if input.scalar_type() == ScalarType::Float {
        let (input, scales, out) = (input.data::<f32>()?, scales.data::<f32>()?, out.data_mut()?);
        vectorized(
            #[inline(always)]
            || mm_f32(input, weight, scales, out, depth, width),
        );
        return Ok(());
    }
    with_dtype!(input.scalar_type(), float, T => {
        let (input, scales) = (input.data::<T>()?, scales.data::<T>()?);
        out.data_mut::<T>()?.fill(T::default());
        for (input, out) in input.chunks_exact(depth).zip(out.data_mut::<T>()?.chunks_exact_mut(width)) {
            for ((x, scale), row) in input.iter().zip(scales).zip(weight.chunks_exact(width)) {
                for (out, w) in out.iter_mut().zip(row) {
                    let product: T = rounded(x.to_f64() * f64::from(*w));
                    let product: T = rounded(product.to_f64() * scale.to_f64());
                    *out = rounded(out.to_f64() + product.to_f64());
                }
            }
        }
        Ok(())
    }, else Err(KernelError::argument(format!("a product of {}", input.scalar_type()))))
}

#[inline(always)]
fn mm_f32(
    input: &[f32],
    weight: &[i8],
    scales: &[f32],
    out: &mut [f32],
    depth: usize,
    width: usize,
) {
    out.fill(0.0);
    for (input, out) in input.chunks_exact(depth).zip(out.chunks_exact_mut(width)) {
        for ((x, scale), row) in input.iter().zip(scales).zip(weight.chunks_exact(width)) {
            for (out, w) in out.iter_mut().zip(row) {
                *out += *x * f32::from(*w) * scale;
            }
        }
    }
}

#[inline]
fn rounded<T: Element>(value: f64) -> T {
    T::from_f64(value)
}

/// `input * weight^T`, a scale for each row of the weight or for each group in it.
fn mixed_linear(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, scales) = (args.tensor(0)?, args.tensor(1)?, args.tensor(2)?);
    let (dtype, out) = (args.optional_scalar_type(4)?, &mut outs[0]);
    check(args, &input, &weight, &scales)?;
    ensure!(
        scales.rank() <= 2 && input.size(1) == weight.size(1),
        "input of {:?}, weight of {:?}, scales of {:?}",
        input.sizes(),
        weight.sizes(),
        scales.sizes()
    );
    let to = out.scalar_type();
    ensure!(
        dtype.is_none_or(|d| d == to && matches!(d, ScalarType::Float | ScalarType::Half)),
        "asked for {dtype:?}, the output is {to}"
    );
    ensure!(to != ScalarType::BFloat16, "an output of {to}");
    out.resize(&[input.sizes()[0], weight.sizes()[0]])?;
    let groups = if scales.rank() == 2 { scales.size(1) } else { 1 };
    ensure!(groups > 0, "scales of {:?}", scales.sizes());
    let rows = Rows::new(weight.data::<i8>()?, input.size(1), weight.size(0), groups);
    if input.scalar_type() == ScalarType::Float && to == ScalarType::Float {
        let (input, scales, out) = (input.data::<f32>()?, scales.data::<f32>()?, out.data_mut()?);
        vectorized(
            #[inline(always)]
            || rows.linear_f32(input, scales, out),
        );
        return Ok(());
    }
    with_dtype!(to, float, T => {
        let out = out.data_mut::<T>()?;
        if input.scalar_type() == ScalarType::Float {
            rows.linear::<f32, T>(input.data()?, scales.data()?, out);
        } else {
            rows.linear::<half::f16, T>(input.data()?, scales.data()?, out);
        }
        Ok(())
    }, else Err(KernelError::argument(format!("an output of {to}"))))
}

/// The rows of the weight in groups of `group` elements, the last one shorter.
struct Rows<'a> {
    weight: &'a [i8],
    depth: usize,
    count: usize,
    group: usize,
    /// Scales from row to row.
    scales_per_row: usize,
}

impl<'a> Rows<'a> {
    fn new(weight: &'a [i8], depth: usize, count: usize, groups: usize) -> Self {
        let group = depth.div_ceil(groups).max(1);
        Rows { weight, depth, count, group, scales_per_row: depth.div_ceil(group) }
    }

    #[inline(always)]
    fn linear_f32(&self, input: &[f32], scales: &[f32], out: &mut [f32]) {
        self.each(input, scales, out, |x, w, scales| {
            let groups = x.chunks(self.group).zip(w.chunks(self.group)).zip(scales);
            groups.map(|((x, w), scale)| dot(x, w) * scale).sum()
        });
    }

    fn linear<U: Element, T: Element>(&self, input: &[U], scales: &[U], out: &mut [T]) {
        self.each(input, scales, out, |x, w, scales| {
            let mut sum = T::default();
            let groups = x.chunks(self.group).zip(w.chunks(self.group)).zip(scales);
            for ((x, w), scale) in groups {
                let mut part = T::default();
                for (x, w) in x.iter().zip(w) {
                    let product: U = rounded(x.to_f64() * f64::from(*w));
                    part = rounded(part.to_f64() + product.to_f64());
                }
                let product: T = rounded(part.to_f64() * scale.to_f64());
                sum = rounded(sum.to_f64() + product.to_f64());
            }
            sum
        });
    }

    /// Calls `element` with a row of the input, a row of the weight and its scales.
    #[inline(always)]
    fn each<U, T: Element>(
        &self,
        input: &[U],
        scales: &[U],
        out: &mut [T],
        element: impl Fn(&[U], &[i8], &[U]) -> T,
    ) {
        if self.depth == 0 || self.count == 0 {
            return out.fill(T::default());
        }
        let outputs = out.chunks_exact_mut(self.count);
        for (x, out) in input.chunks_exact(self.depth).zip(outputs) {
            let rows = self.weight.chunks_exact(self.depth);
            let scales = scales.chunks(self.scales_per_row);
            for ((out, w), scales) in out.iter_mut().zip(rows).zip(scales) {
                *out = element(x, w, scales);
            }
        }
    }
}

/// Lanes of the sum keep the loop free of a dependency from element to element.
#[inline(always)]
fn dot(x: &[f32], w: &[i8]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0f32; LANES];
    let (blocks, weights) = (x.chunks_exact(LANES), w.chunks_exact(LANES));
    let rest: f32 =
        blocks.remainder().iter().zip(weights.remainder()).map(|(x, w)| x * f32::from(*w)).sum();
    for (x, w) in blocks.zip(weights) {
        for ((lane, x), w) in lanes.iter_mut().zip(x).zip(w) {
            *lane += x * f32::from(*w);
        }
    }
    lanes.iter().sum::<f32>() + rest
}
