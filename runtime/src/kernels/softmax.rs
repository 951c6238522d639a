//! Softmax and its logarithm along one dimension.

use super::exponential::exp;
use super::reduce::normalised_dim;
use super::scratch::Scratch;
use super::simd::vectorized;
use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::_softmax.out", |args, outs| run(args, outs, Form::Plain)),
    ("aten::_log_softmax.out", |args, outs| run(args, outs, Form::Logarithm)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Logarithm,
}

fn run(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let (input, dim, half_to_float) = (args.tensor(0)?, args.int(1)?, args.bool(2)?);
    let out = &mut outs[0];
    ensure!(!half_to_float, "softmax from half to float is not supported");
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    out.resize(input.sizes())?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    let dim = normalised_dim(dim, &input)?;
    if input.scalar_type() == ScalarType::Float {
        return lines(&input, out, dim, &mut |line: &mut [f32]| match form {
            Form::Plain => softmax_f32(line),
            Form::Logarithm => log_softmax(line),
        });
    }
    with_dtype!(input.scalar_type(), float, T => lines::<T>(&input, out, dim, &mut |line| {
        match form {
            Form::Plain => softmax(line),
            Form::Logarithm => log_softmax(line),
        }
    }), else Err(KernelError::argument(format!("softmax of {}", input.scalar_type()))))
}

/// Runs `line` on a copy of every line along `dim`.
fn lines<T: Element>(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    dim: usize,
    line: &mut dyn FnMut(&mut [T]),
) -> KernelResult {
    let (len, stride) = (input.size(dim), input.strides().get(dim).map_or(1, |s| *s as usize));
    let source = input.data::<T>()?;
    let target = out.data_mut::<T>()?;
    if source.is_empty() {
        return Ok(());
    }
    if stride == 1 {
        target.copy_from_slice(source);
        target.chunks_exact_mut(len).for_each(line);
        return Ok(());
    }
    let mut buffer = Scratch::<T>::new(len);
    for block in 0..source.len() / (len * stride) {
        for inner in 0..stride {
            let first = block * len * stride + inner;
            for (value, source) in buffer.iter_mut().zip(source[first..].iter().step_by(stride)) {
                *value = *source;
            }
            line(&mut buffer);
            for (target, value) in target[first..].iter_mut().step_by(stride).zip(buffer.iter()) {
                *target = *value;
            }
        }
    }
    Ok(())
}

fn maximum<T: Element>(values: &[T]) -> T {
    values
        .iter()
        .copied()
        .reduce(|a, b| if b > a || b.is_nan() { b } else { a })
        .unwrap_or_default()
}

/// Values that are computed together.
const LANES: usize = 8;

fn softmax_f32(values: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            let shift = maximum_f32(values);
            values.iter_mut().for_each(|v| *v = exp(*v - shift));
            let sum = sum_f32(values);
            values.iter_mut().for_each(|v| *v /= sum);
        },
    );
}

#[inline(always)]
fn maximum_f32(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a || b.is_nan() { b } else { a };
    let (lines, rest) = values.as_chunks::<LANES>();
    let lanes = lines.iter().fold([f32::NEG_INFINITY; LANES], |lanes, line| {
        core::array::from_fn(|lane| larger(lanes[lane], line[lane]))
    });
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}

#[inline(always)]
fn sum_f32(values: &[f32]) -> f32 {
    let (lines, rest) = values.as_chunks::<LANES>();
    let lanes = lines.iter().fold([0.0; LANES], |lanes: [f32; LANES], line| {
        core::array::from_fn(|lane| lanes[lane] + line[lane])
    });
    lanes.iter().chain(rest).sum()
}

fn softmax<T: Element>(values: &mut [T]) {
    let shift = maximum(values).to_f64();
    let sum: f64 = values.iter().map(|v| (v.to_f64() - shift).exp()).sum();
    values.iter_mut().for_each(|v| *v = T::from_f64((v.to_f64() - shift).exp() / sum));
}

fn log_softmax<T: Element>(values: &mut [T]) {
    let shift = maximum(values).to_f64();
    let sum: f64 = values.iter().map(|v| (v.to_f64() - shift).exp()).sum();
    let log_sum = sum.ln();
    values.iter_mut().for_each(|v| *v = T::from_f64(v.to_f64() - shift - log_sum));
}
