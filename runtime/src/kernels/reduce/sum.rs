//! Sum, mean, product and variance.

use super::plan::Plan;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs, complex};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use crate::value::Scalar;
use alloc::format;
use et_schema::ScalarType;
use num_traits::Float;

pub(crate) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::sum.IntList_out", |args, outs| reduce_dims(args, outs, Form::Sum)),
    ("aten::mean.out", |args, outs| reduce_dims(args, outs, Form::Mean)),
    ("aten::mean.dtype_out", |args, outs| {
        let input = args.tensor(0)?;
        checked_dtype(args, 1, &outs[0])?;
        reduce(&input, &mut outs[0], &[], false, Form::Mean)
    }),
    ("aten::prod.out", |args, outs| {
        let input = args.tensor(0)?;
        checked_dtype(args, 1, &outs[0])?;
        reduce(&input, &mut outs[0], &[], false, Form::Product)
    }),
    ("aten::prod.int_out", |args, outs| {
        let input = args.tensor(0)?;
        let (dim, keepdim) = (args.int(1)?, args.bool(2)?);
        checked_dtype(args, 3, &outs[0])?;
        reduce(&input, &mut outs[0], &[dim], keepdim, Form::Product)
    }),
    ("aten::var.out", |args, outs| {
        let correction = f64::from(u8::from(args.bool(2)?));
        variance(args, outs, correction, false)
    }),
    ("aten::var.correction_out", |args, outs| variance(args, outs, correction(args)?, false)),
    ("aten::var_mean.correction_out", |args, outs| variance(args, outs, correction(args)?, true)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Sum,
    Mean,
    Product,
}

/// The type asked for must be the output's.
fn checked_dtype(args: &Args<'_>, index: usize, out: &TensorMut<'_>) -> KernelResult {
    let dtype = args.optional_scalar_type(index)?;
    ensure!(
        dtype.is_none_or(|dtype| dtype == out.scalar_type()),
        "asked for {dtype:?}, the output is {}",
        out.scalar_type()
    );
    Ok(())
}

fn reduce_dims(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let input = args.tensor(0)?;
    let dims = args.optional_ints(1)?.unwrap_or_default();
    let keepdim = args.bool(2)?;
    checked_dtype(args, 3, &outs[0])?;
    let from = input.scalar_type();
    match form {
        Form::Mean => {
            ensure!(!args.is_none(3) || from.is_floating(), "the mean of {from} without a type")
        }
        _ => ensure!(input.rank() > 0 || dims.is_empty(), "dimensions {dims:?} of none"),
    }
    reduce(&input, &mut outs[0], dims, keepdim, form)
}

fn reduce(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    dims: &[i64],
    keepdim: bool,
    form: Form,
) -> KernelResult {
    let plan = Plan::new(input, dims, keepdim)?;
    plan.resize(out)?;
    let to = out.scalar_type();
    if form == Form::Sum && complex::any(&[input]) {
        return complex::sum(&plan, input, out);
    }
    ensure!(form != Form::Mean || to.is_floating(), "the mean of {} as {to}", input.scalar_type());
    let refuse = || KernelError::argument(format!("a sum of {} as {to}", input.scalar_type()));
    let single = (input.scalar_type(), to) == (ScalarType::Float, ScalarType::Float);
    if let Some(len) = plan.rows().filter(|_| single && form != Form::Product) {
        sum_rows(input.data()?, out.data_mut()?, len);
        if form == Form::Mean {
            out.data_mut::<f32>()?.iter_mut().for_each(|sum| *sum /= len as f32);
        }
        return Ok(());
    }
    with_dtype!(input.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        with_dtype!(to, all, O => {
            let target = out.data_mut::<O>()?;
            for (out, first) in target.iter_mut().zip(plan.outputs()) {
                *out = if O::IS_FLOAT {
                    float::<T, O>(&plan, source, first, form)
                } else {
                    O::from_i64(integer::<T, O>(&plan, source, first, form))
                };
            }
            Ok(())
        }, else Err(refuse()))
    }, else Err(refuse()))
}

/// Rows that are added up at the same time, as each sum waits for its last step.
const ROWS: usize = 8;

/// Sums of rows of `len` elements, each from its first element to its last.
fn sum_rows(source: &[f32], sums: &mut [f32], len: usize) {
    let sums = &mut sums[..source.len() / len];
    let mut blocks = sums.chunks_exact_mut(ROWS).zip(source.chunks_exact(ROWS * len));
    for (sums, rows) in &mut blocks {
        let rows: [&[f32]; ROWS] = core::array::from_fn(|row| &rows[row * len..][..len]);
        let mut own = [0.0; ROWS];
        for column in 0..len {
            own.iter_mut().zip(rows).for_each(|(sum, row)| *sum += row[column]);
        }
        sums.copy_from_slice(&own);
    }
    let done = sums.len() / ROWS * ROWS;
    for (sum, row) in sums[done..].iter_mut().zip(source[done * len..].chunks_exact(len)) {
        *sum = row.iter().fold(0.0, |sum, x| sum + x);
    }
}

/// Each step is rounded to the output's type, or to float32 for a shorter one
/// and for sums along one dimension, as in ExecuTorch's kernels.
fn float<T: Element, O: Element>(plan: &Plan, source: &[T], first: usize, form: Form) -> O {
    let one_dim_sum = form == Form::Sum && plan.dims == 1 && T::DTYPE == O::DTYPE;
    if O::DTYPE == ScalarType::Double && !one_dim_sum {
        return fold::<T, f64>(plan, source, first, form).cast();
    }
    fold::<T, f32>(plan, source, first, form).cast()
}

fn fold<T: Element, A: Element + Float>(plan: &Plan, source: &[T], first: usize, form: Form) -> A {
    if form == Form::Product {
        let mut product = A::one();
        plan.for_each(source, first, |x| product = product * x.cast::<A>());
        return product;
    }
    let mut sum = A::zero();
    plan.for_each(source, first, |x| sum = sum + x.cast::<A>());
    if form == Form::Mean { sum / A::from_f64(plan.count as f64) } else { sum }
}

/// Each element is converted to the output's type first, and the result wraps in it.
fn integer<T: Element, O: Element>(plan: &Plan, source: &[T], first: usize, form: Form) -> i64 {
    let mut result = i64::from(form == Form::Product);
    let narrow = |x: T| x.cast::<O>().to_i64();
    match form {
        Form::Product => {
            plan.for_each(source, first, |x| result = result.wrapping_mul(narrow(x)));
        }
        _ => plan.for_each(source, first, |x| result = result.wrapping_add(narrow(x))),
    }
    result
}

fn correction(args: &Args<'_>) -> KernelResult<f64> {
    Ok(args.optional_scalar(2)?.map_or(1.0, Scalar::to_f64))
}

fn variance(
    args: &Args<'_>,
    outs: &mut Outs<'_>,
    correction: f64,
    with_mean: bool,
) -> KernelResult {
    let input = args.tensor(0)?;
    let dims = args.optional_ints(1)?.unwrap_or_default();
    let keepdim = args.bool(3)?;
    let plan = Plan::new(&input, dims, keepdim)?;
    for out in outs.iter_mut() {
        plan.resize(out)?;
    }
    let refuse = || KernelError::argument(format!("the variance of {}", input.scalar_type()));
    with_dtype!(input.scalar_type(), float, T => {
        let source = input.data::<T>()?;
        for (index, first) in plan.outputs().enumerate() {
            let (mean, variance) = moments(&plan, source, first, correction);
            store(&mut outs[0], index, variance)?;
            if with_mean {
                store(&mut outs[1], index, mean)?;
            }
        }
        Ok(())
    }, else Err(refuse()))
}

fn store(out: &mut TensorMut<'_>, index: usize, value: f64) -> KernelResult {
    with_dtype!(out.scalar_type(), float, O => {
        out.data_mut::<O>()?[index] = O::from_f64(value);
        Ok(())
    }, else Err(KernelError::argument(format!("a variance as {}", out.scalar_type()))))
}

/// Mean and variance with divisor `count - correction`. Both are NaN where the
/// correction leaves nothing to divide by, as ExecuTorch has it.
fn moments<T: Element>(plan: &Plan, source: &[T], first: usize, correction: f64) -> (f64, f64) {
    let count = plan.count as f64;
    let divisor = count - correction;
    if divisor <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    let mut sum = 0.0;
    plan.for_each(source, first, |x| sum += x.to_f64());
    let mean = sum / count;
    let mut squares = 0.0;
    plan.for_each(source, first, |x| {
        let distance = x.to_f64() - mean;
        squares += distance * distance;
    });
    (mean, squares / divisor)
}
