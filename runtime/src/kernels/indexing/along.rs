//! Elements by index along one dimension.

use super::{for_each_index, offset};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::promote::fits;
use crate::kernels::reduce::normalised_dim;
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, Sizes, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::gather.out", gather),
    ("aten::scatter.src_out", |args, outs| scatter(args, outs, false)),
    ("aten::scatter.value_out", scatter_value),
    ("aten::scatter_add.out", |args, outs| scatter(args, outs, true)),
    ("aten::index_select.out", index_select),
];

fn unsupported(scalar_type: ScalarType) -> KernelError {
    KernelError::argument(format!("elements of {scalar_type}"))
}

/// An index, which none of these operators counts from the end.
fn checked(index: i64, size: usize) -> KernelResult<usize> {
    let place = usize::try_from(index).ok().filter(|place| *place < size);
    place.ok_or_else(|| KernelError::argument(format!("index {index} of {size}")))
}

/// Every dimension but `dim` of `index` must fit into `tensor`.
fn check_fits(index: &TensorRef<'_>, tensor: &TensorRef<'_>, dim: usize) -> KernelResult {
    ensure!(index.scalar_type() == ScalarType::Long, "indices of {}", index.scalar_type());
    let same_rank = index.rank().max(1) == tensor.rank().max(1);
    let fits = (0..index.rank()).all(|d| d == dim || index.size(d) <= tensor.size(d));
    ensure!(
        index.numel() == 0 || (same_rank && fits),
        "indices of {:?} into {:?}",
        index.sizes(),
        tensor.sizes()
    );
    Ok(())
}

/// The place that `at` has when its coordinate `dim` is replaced.
fn replaced(at: &[usize], dim: usize, by: usize, strides: &[i32]) -> usize {
    let old = at.get(dim).map_or(0, |i| i * strides.get(dim).map_or(0, |s| *s as usize));
    offset(at, strides) - old + by * strides.get(dim).map_or(1, |s| *s as usize)
}

fn gather(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, index, out) = (args.tensor(0)?, args.tensor(2)?, &mut outs[0]);
    let dim = normalised_dim(args.int(1)?, &input)?;
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    check_fits(&index, &input, dim)?;
    out.resize(index.sizes())?;
    let indices = index.data::<i64>()?;
    let strides = Sizes::from_slice(out.strides());
    with_dtype!(out.scalar_type(), all, T => {
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        for_each_index(index.sizes(), |at| {
            let by = checked(indices[offset(at, index.strides())], input.size(dim))?;
            target[offset(at, &strides)] = source[replaced(at, dim, by, input.strides())];
            Ok(())
        })
    }, else Err(unsupported(out.scalar_type())))
}

/// Starts a scatter: the output is a copy of the input.
fn copied<T: Element>(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    out.resize(input.sizes())?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    out.data_mut::<T>()?.copy_from_slice(input.data::<T>()?);
    Ok(())
}

fn scatter(args: &Args<'_>, outs: &mut Outs<'_>, add: bool) -> KernelResult {
    let (input, index, source) = (args.tensor(0)?, args.tensor(2)?, args.tensor(3)?);
    let out = &mut outs[0];
    let dim = normalised_dim(args.int(1)?, &input)?;
    check_fits(&index, &input, dim)?;
    ensure!(
        source.scalar_type() == input.scalar_type()
            && (index.numel() == 0 || (0..index.rank()).all(|d| index.size(d) <= source.size(d))),
        "values of {}{:?}",
        source.scalar_type(),
        source.sizes()
    );
    with_dtype!(input.scalar_type(), all, T => {
        copied::<T>(&input, out)?;
        let (indices, values) = (index.data::<i64>()?, source.data::<T>()?);
        let strides = Sizes::from_slice(out.strides());
        let target = out.data_mut::<T>()?;
        for_each_index(index.sizes(), |at| {
            let by = checked(indices[offset(at, index.strides())], input.size(dim))?;
            let place = &mut target[replaced(at, dim, by, &strides)];
            let value = values[offset(at, source.strides())];
            *place = if !add {
                value
            } else if T::IS_FLOAT {
                T::from_f64(place.to_f64() + value.to_f64())
            } else {
                T::from_i64(place.to_i64().wrapping_add(value.to_i64()))
            };
            Ok(())
        })
    }, else Err(unsupported(input.scalar_type())))
}

fn scatter_value(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, index, value) = (args.tensor(0)?, args.tensor(2)?, args.scalar(3)?);
    let out = &mut outs[0];
    let dim = normalised_dim(args.int(1)?, &input)?;
    check_fits(&index, &input, dim)?;
    ensure!(fits(value, input.scalar_type()), "{value:?} as {}", input.scalar_type());
    with_dtype!(input.scalar_type(), all, T => {
        copied::<T>(&input, out)?;
        let value = match value {
            crate::Scalar::Double(v) => T::from_f64(v),
            other => T::from_i64(other.to_i64()),
        };
        let indices = index.data::<i64>()?;
        let strides = Sizes::from_slice(out.strides());
        let target = out.data_mut::<T>()?;
        for_each_index(index.sizes(), |at| {
            let by = checked(indices[offset(at, index.strides())], input.size(dim))?;
            target[replaced(at, dim, by, &strides)] = value;
            Ok(())
        })
    }, else Err(unsupported(input.scalar_type())))
}

fn index_select(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, index, out) = (args.tensor(0)?, args.tensor(2)?, &mut outs[0]);
    let dim = normalised_dim(args.int(1)?, &input)?;
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    ensure!(index.rank() <= 1, "indices of {:?}", index.sizes());
    let indices = match index.scalar_type() {
        ScalarType::Long => Scratch::of(index.data::<i64>()?.iter().copied()),
        ScalarType::Int => Scratch::of(index.data::<i32>()?.iter().map(|i| i64::from(*i))),
        other => return Err(KernelError::argument(format!("indices of {other}"))),
    };
    let mut sizes = Sizes::from_slice(input.sizes());
    if let Some(size) = sizes.get_mut(dim) {
        *size = indices.len() as i32;
    }
    out.resize(&sizes)?;
    let strides = Sizes::from_slice(out.strides());
    with_dtype!(out.scalar_type(), any, T => {
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        for_each_index(&sizes, |at| {
            let by = indices[at.get(dim).copied().unwrap_or(0)];
            let by = checked(by, input.size(dim))?;
            target[offset(at, &strides)] = source[replaced(at, dim, by, input.strides())];
            Ok(())
        })
    }, else Err(unsupported(out.scalar_type())))
}
