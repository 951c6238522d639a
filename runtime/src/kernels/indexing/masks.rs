//! Elements by a mask.

use super::for_each_index;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Bool, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::masked_select.out", masked_select),
    ("aten::masked_scatter.out", masked_scatter),
    ("aten::nonzero.out", nonzero),
];

/// The shape that two tensors broadcast to.
pub(super) fn broadcast(a: &[i32], b: &[i32]) -> KernelResult<SmallVec<[i32; 8]>> {
    let rank = a.len().max(b.len());
    let at =
        |sizes: &[i32], dim: usize| (dim + sizes.len()).checked_sub(rank).map_or(1, |i| sizes[i]);
    (0..rank)
        .map(|dim| match (at(a, dim), at(b, dim)) {
            (x, y) if x == y || y == 1 => Ok(x),
            (1, y) => Ok(y),
            _ => Err(KernelError::argument(format!("{a:?} and {b:?} do not broadcast"))),
        })
        .collect()
}

/// Offset in `tensor` of an index of the shape that it is broadcast to.
pub(super) fn broadcast_offset(tensor: &TensorRef<'_>, index: &[usize]) -> usize {
    let skipped = index.len().saturating_sub(tensor.rank());
    let dims = tensor.sizes().iter().zip(tensor.strides());
    dims.zip(&index[skipped..])
        .map(|((size, stride), i)| if *size == 1 { 0 } else { i * *stride as usize })
        .sum()
}

fn unsupported(scalar_type: ScalarType) -> KernelError {
    KernelError::argument(format!("elements of {scalar_type}"))
}

fn masked_select(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, mask, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    let shape = broadcast(input.sizes(), mask.sizes())?;
    let chosen = mask.data::<Bool>()?;
    // Each element of the mask stands for as many of the shape.
    let repeated = shape.iter().map(|size| *size as usize).product::<usize>();
    let repeated = repeated.checked_div(mask.numel()).unwrap_or(0);
    let count = chosen.iter().filter(|c| c.get()).count().saturating_mul(repeated);
    out.resize(&[i32::try_from(count).unwrap_or(i32::MAX)])?;
    with_dtype!(out.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        let mut selected = out.data_mut::<T>()?.iter_mut();
        for_each_index(&shape, |at| {
            if chosen[broadcast_offset(&mask, at)].get()
                && let Some(place) = selected.next()
            {
                *place = source[broadcast_offset(&input, at)];
            }
            Ok(())
        })
    }, else Err(unsupported(out.scalar_type())))
}

fn masked_scatter(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, mask, source) = (args.tensor(0)?, args.tensor(1)?, args.tensor(2)?);
    let out = &mut outs[0];
    ensure!(
        input.scalar_type() == out.scalar_type() && source.scalar_type() == out.scalar_type(),
        "input, source and output differ in type"
    );
    let shape = broadcast(input.sizes(), mask.sizes())?;
    out.resize(&shape)?;
    ensure!(out.is_contiguous() && source.is_contiguous(), "a layout that is not contiguous");
    let chosen = mask.data::<Bool>()?;
    with_dtype!(out.scalar_type(), all, T => {
        let (own, values) = (input.data::<T>()?, source.data::<T>()?);
        let mut targets = out.data_mut::<T>()?.iter_mut();
        let mut values = values.iter();
        for_each_index(&shape, |at| {
            let Some(target) = targets.next() else { return Ok(()) };
            *target = if chosen[broadcast_offset(&mask, at)].get() {
                *values.next().ok_or_else(|| KernelError::argument("too few source elements"))?
            } else {
                own[broadcast_offset(&input, at)]
            };
            Ok(())
        })
    }, else Err(unsupported(out.scalar_type())))
}

/// Indices of the elements that are not zero, one row each.
fn nonzero(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    ensure!(out.scalar_type() == ScalarType::Long, "indices as {}", out.scalar_type());
    with_dtype!(input.scalar_type(), all, T => {
        let source = input.data::<T>()?;
        let count = source.iter().filter(|x| **x != T::default()).count();
        out.resize(&[i32::try_from(count).unwrap_or(i32::MAX), input.rank() as i32])?;
        let mut places = out.data_mut::<i64>()?.iter_mut();
        for_each_index(input.sizes(), |at| {
            if source[super::offset(at, input.strides())] != T::default() {
                places.by_ref().zip(at).for_each(|(place, i)| *place = *i as i64);
            }
            Ok(())
        })
    }, else Err(unsupported(input.scalar_type())))
}
