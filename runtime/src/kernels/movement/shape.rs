//! The same elements in the same order under another shape.

use crate::error::{KernelResult, ensure};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::{Args, Kernel, Outs};
use crate::prim::view_sizes;
use crate::tensor::{TensorMut, TensorRef};
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::view_copy.out", |args, outs| {
        let input = args.tensor(0)?;
        let sizes = view_sizes(args.ints(1)?, input.numel())?;
        copy(&input, &mut outs[0], &sizes)
    }),
    ("aten::unsqueeze_copy.out", |args, outs| {
        let input = args.tensor(0)?;
        let rank = input.rank() as i64 + 1;
        let dim = args.int(1)?;
        ensure!((-rank..rank).contains(&dim), "dimension {dim} of {rank}");
        let mut sizes: Sizes = input.sizes().into();
        sizes.insert(dim.rem_euclid(rank) as usize, 1);
        copy(&input, &mut outs[0], &sizes)
    }),
    ("aten::squeeze_copy.dim_out", |args, outs| squeeze(args, outs, &[args.int(1)?])),
    ("aten::squeeze_copy.dims_out", |args, outs| squeeze(args, outs, args.ints(1)?)),
];

type Sizes = SmallVec<[i32; 16]>;

/// Removes those of `dims` that have one element.
fn squeeze(args: &Args<'_>, outs: &mut Outs<'_>, dims: &[i64]) -> KernelResult {
    let input = args.tensor(0)?;
    let mut removed = [false; crate::tensor::MAX_RANK];
    for dim in dims {
        let dim = normalised_dim(*dim, &input)?;
        ensure!(!removed[dim], "dimension {dim} appears twice in {dims:?}");
        removed[dim] = true;
    }
    let kept = input.sizes().iter().zip(removed).filter(|(size, removed)| !removed || **size != 1);
    let sizes: Sizes = kept.map(|(size, _)| *size).collect();
    copy(&input, &mut outs[0], &sizes)
}

/// Copies the bytes and gives the output `sizes`.
fn copy(input: &TensorRef<'_>, out: &mut TensorMut<'_>, sizes: &[i32]) -> KernelResult {
    ensure!(
        input.scalar_type() == out.scalar_type(),
        "{} as {}",
        input.scalar_type(),
        out.scalar_type()
    );
    out.resize(sizes)?;
    let target = out.bytes_mut()?;
    let source = input.bytes().get(..target.len());
    ensure!(
        input.nbytes() == target.len() && source.is_some(),
        "{} bytes into {}",
        input.nbytes(),
        target.len()
    );
    target.copy_from_slice(source.unwrap_or_default());
    Ok(())
}
