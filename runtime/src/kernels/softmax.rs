//! Softmax and its logarithm along one dimension.

use super::{Args, Kernel, Outs};
use crate::error::{KernelResult, ensure};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::_softmax.out", |args, outs| run(args, outs, softmax_line)),
    ("aten::_log_softmax.out", |args, outs| run(args, outs, log_softmax_line)),
];

fn run(args: &Args<'_>, outs: &mut Outs<'_>, line: fn(&mut [f64])) -> KernelResult {
    let (input, dim, half_to_float) = (args.tensor(0)?, args.int(1)?, args.bool(2)?);
    let out = &mut outs[0];
    ensure!(!half_to_float, "softmax from half to float is not supported");
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    out.resize(input.sizes())?;
    let rank = input.rank().max(1) as i64;
    ensure!((-rank..rank).contains(&dim), "dimension {dim} of {:?}", input.sizes());
    let dim = dim.rem_euclid(rank) as usize;
    with_dtype!(input.scalar_type(), float, T => lines::<T>(&input, out, dim, line), else {
        ensure!(false, "softmax of {}", input.scalar_type());
        Ok(())
    })
}

fn lines<T: Element>(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    dim: usize,
    line: fn(&mut [f64]),
) -> KernelResult {
    let (len, stride) = (input.size(dim), input.strides().get(dim).map_or(1, |s| *s as usize));
    let source = input.data::<T>()?;
    let target = out.data_mut::<T>()?;
    if source.is_empty() {
        return Ok(());
    }
    let mut buffer = alloc::vec![0.0; len];
    for block in 0..source.len() / (len * stride) {
        for inner in 0..stride {
            let first = block * len * stride + inner;
            for (i, value) in buffer.iter_mut().enumerate() {
                *value = source[first + i * stride].to_f64();
            }
            line(&mut buffer);
            for (i, value) in buffer.iter().enumerate() {
                target[first + i * stride] = T::from_f64(*value);
            }
        }
    }
    Ok(())
}

fn shift_by_maximum(values: &mut [f64]) {
    let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter_mut().for_each(|v| *v -= maximum);
}

fn softmax_line(values: &mut [f64]) {
    shift_by_maximum(values);
    values.iter_mut().for_each(|v| *v = v.exp());
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|v| *v /= sum);
}

fn log_softmax_line(values: &mut [f64]) {
    shift_by_maximum(values);
    let log_sum = values.iter().map(|v| v.exp()).sum::<f64>().ln();
    values.iter_mut().for_each(|v| *v -= log_sum);
}
