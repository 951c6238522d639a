//! The same elements in the same order under another shape.

use crate::error::{KernelResult, ensure};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::{Args, Kernel, Outs};
use crate::prim::view_sizes;
use crate::tensor::TensorRef;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::view_copy.out", |args, outs| {
        copy(args, outs, |input| view_sizes(args.ints(1)?, input.numel()))
    }),
    ("aten::unsqueeze_copy.out", |args, outs| {
        copy(args, outs, |input| {
            let rank = input.rank() as i64 + 1;
            let dim = args.int(1)?;
            ensure!((-rank..rank).contains(&dim), "dimension {dim} of {rank}");
            let mut sizes: Sizes = input.sizes().into();
            sizes.insert(dim.rem_euclid(rank) as usize, 1);
            Ok(sizes)
        })
    }),
    ("aten::squeeze_copy.dim_out", |args, outs| squeeze(args, outs, &[args.int(1)?])),
    ("aten::squeeze_copy.dims_out", |args, outs| squeeze(args, outs, args.ints(1)?)),
];

type Sizes = SmallVec<[i32; 16]>;

/// Removes those of `dims` that have one element.
fn squeeze(args: &Args<'_>, outs: &mut Outs<'_>, dims: &[i64]) -> KernelResult {
    copy(args, outs, |input| {
        let mut removed = [false; crate::tensor::MAX_RANK];
        for dim in dims {
            let dim = normalised_dim(*dim, input)?;
            ensure!(!removed[dim], "dimension {dim} appears twice in {dims:?}");
            removed[dim] = true;
        }
        let sizes = input.sizes().iter().zip(removed);
        let kept = sizes.filter(|(size, removed)| !removed || **size != 1);
        Ok(kept.map(|(size, _)| *size).collect())
    })
}

/// That sizes and types of a settled call were found to be in order.
struct Checked;

/// Copies the bytes and gives the output the sizes that the input leads to.
fn copy(
    args: &Args<'_>,
    outs: &mut Outs<'_>,
    sizes: impl FnOnce(&TensorRef<'_>) -> KernelResult<Sizes>,
) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    if args.already_kept::<Checked>().is_none() {
        ensure!(
            input.scalar_type() == out.scalar_type(),
            "{} as {}",
            input.scalar_type(),
            out.scalar_type()
        );
        out.resize(&sizes(&input)?)?;
        args.keep_settled(|| Checked);
    }
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
