//! Cumulative sum, and the largest or smallest elements in order.

use super::normalised_dim;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, Sizes, TensorMut, TensorRef, with_dtype};
use alloc::format;
use core::cmp::Ordering;
use et_schema::{ErrorCode, ScalarType};

pub(crate) const KERNELS: &[(&str, Kernel)] =
    &[("aten::cumsum.out", cumsum), ("aten::topk.values", topk)];

/// Offset of the first element of every line along `dim`, in memory order.
fn line_starts(len: usize, stride: usize, numel: usize) -> impl Iterator<Item = usize> {
    let block = len * stride;
    let blocks = numel.checked_div(block).unwrap_or(0);
    (0..blocks).flat_map(move |b| (0..stride).map(move |inner| b * block + inner))
}

fn stride(tensor: &TensorRef<'_>, dim: usize) -> usize {
    tensor.strides().get(dim).map_or(1, |s| *s as usize)
}

fn cumsum(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, dtype, out) = (args.tensor(0)?, args.optional_scalar_type(2)?, &mut outs[0]);
    ensure!(input.rank() > 0, "a cumulative sum of a tensor without dimensions");
    let dim = normalised_dim(args.int(1)?, &input)?;
    let to = out.scalar_type();
    ensure!(dtype.is_none_or(|d| d == to), "asked for {dtype:?}, the output is {to}");
    out.resize(input.sizes())?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    let (len, stride) = (input.size(dim), stride(&input, dim));
    let refuse = || KernelError::argument(format!("a sum of {} as {to}", input.scalar_type()));
    with_dtype!(input.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        with_dtype!(to, all, O => {
            let target = out.data_mut::<O>()?;
            for start in line_starts(len, stride, source.len()) {
                let (mut float, mut integer) = (0.0, 0i64);
                for place in (start..).step_by(stride).take(len) {
                    target[place] = if O::IS_FLOAT {
                        float += source[place].to_f64();
                        O::from_f64(float)
                    } else {
                        integer = integer.wrapping_add(source[place].cast::<O>().to_i64());
                        O::from_i64(integer)
                    };
                }
            }
            Ok(())
        }, else Err(refuse()))
    }, else Err(refuse()))
}

fn topk(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, k) = (args.tensor(0)?, args.int(1)?);
    let dim = normalised_dim(args.int(2)?, &input)?;
    let (largest, sorted) = (args.bool(3)?, args.bool(4)?);
    let [values, indices] = outs.as_mut_slice() else {
        return Err(KernelError::argument("an output is missing"));
    };
    let len = input.size(dim);
    ensure!(k >= 0 && k as usize <= len, "the {k} largest of {len} elements");
    ensure!(
        values.scalar_type() == input.scalar_type() && indices.scalar_type() == ScalarType::Long,
        "outputs of {} and {}",
        values.scalar_type(),
        indices.scalar_type()
    );
    let mut sizes = Sizes::from_slice(input.sizes());
    if let Some(size) = sizes.get_mut(dim) {
        *size = k as i32;
    }
    values.resize(&sizes)?;
    indices.resize(&sizes)?;
    // The C++ kernel sorts pairs of value and index in the temp allocator.
    let pair = 2 * input.scalar_type().size().max(8);
    args.count_temp((len * pair) as u64);
    let shape = Lines { dim, len, k: k as usize };
    with_dtype!(input.scalar_type(), real, T => {
        select::<T>(&input, values, indices, &shape, largest, sorted)
    }, else {
        // The C++ kernel gets no memory for elements that it does not know.
        let message = format!("the largest of {}", input.scalar_type());
        Err(KernelError::new(ErrorCode::MemoryAllocationFailed, message))
    })
}

struct Lines {
    dim: usize,
    len: usize,
    k: usize,
}

fn select<T: Element>(
    input: &TensorRef<'_>,
    values: &mut TensorMut<'_>,
    indices: &mut TensorMut<'_>,
    shape: &Lines,
    largest: bool,
    sorted: bool,
) -> KernelResult {
    let source = input.data::<T>()?;
    let (from, to) = (stride(input, shape.dim), stride(&values.as_ref(), shape.dim));
    let starts = line_starts(shape.len, from, source.len());
    let targets = line_starts(shape.k, to, values.numel());
    let (values, indices) = (values.data_mut::<T>()?, indices.data_mut::<i64>()?);
    let mut line = Scratch::<i64>::new(shape.len);
    for (first, target) in starts.zip(targets) {
        line.iter_mut().enumerate().for_each(|(i, index)| *index = i as i64);
        let value = |index: i64| source[first + index as usize * from];
        // Equal values stay in the order of their indices.
        line.sort_unstable_by(|a, b| {
            let (low, high) = if largest { (b, a) } else { (a, b) };
            compare(value(*low), value(*high)).then(a.cmp(b))
        });
        let chosen = &mut line[..shape.k];
        if !sorted {
            chosen.sort_unstable();
        }
        for (i, index) in chosen.iter().enumerate() {
            (values[target + i * to], indices[target + i * to]) = (value(*index), *index);
        }
    }
    Ok(())
}

/// NaN is larger than every number.
fn compare<T: Element>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}
