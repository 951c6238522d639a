//! Transpose and pad of tensors with up to four dimensions.

use super::int8;
use crate::error::{KernelResult, ensure};
use crate::kernels::movement::permute;
use crate::kernels::{Args, Kernel, Outs};
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] =
    &[("cortex_m::pad.out", pad), ("cortex_m::transpose.out", transpose)];

/// Dimensions that the device's functions take.
const RANK: usize = 4;

fn transpose(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, order) = (args.tensor(0)?, args.ints(1)?);
    int8(&[&input, &outs[0]])?;
    ensure!((1..=RANK).contains(&input.rank()), "the transpose of {:?}", input.sizes());
    ensure!(order.iter().all(|dim| *dim >= 0), "a permutation {order:?}");
    permute(args, outs)
}

/// Pads are given for four dimensions in memory order, the outer ones missing in the tensor.
fn pad(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let (before, after, value) = (args.ints(1)?, args.ints(2)?, args.int(3)? as i8);
    int8(&[&input, out])?;
    let rank = input.rank();
    ensure!((1..=RANK).contains(&rank), "padding of {:?}", input.sizes());
    let valid = |pads: &[i64]| pads.len() == RANK && pads.iter().all(|p| (0..=1 << 30).contains(p));
    ensure!(valid(before) && valid(after), "pads {before:?} and {after:?}");
    let mut sizes: SmallVec<[i32; RANK]> = input.sizes().into();
    let (mut from, mut to, mut start) = ([1usize; RANK], [1usize; RANK], [0usize; RANK]);
    for (place, dim) in input.dim_order().iter().enumerate() {
        let (dim, place) = (usize::from(*dim), RANK - rank + place);
        from[place] = input.size(dim);
        start[place] = before[place] as usize;
        to[place] = from[place] + start[place] + after[place] as usize;
        ensure!(i32::try_from(to[place]).is_ok(), "a dimension of {}", to[place]);
        sizes[dim] = to[place] as i32;
    }
    out.resize(&sizes)?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    let (source, target) = (input.data::<i8>()?, out.data_mut::<i8>()?);
    target.fill(value);
    if source.is_empty() {
        return Ok(());
    }
    for (index, row) in source.chunks_exact(from[3]).enumerate() {
        let (n, h, w) = (index / (from[1] * from[2]), index / from[2] % from[1], index % from[2]);
        let outer = ((n + start[0]) * to[1] + h + start[1]) * to[2] + w + start[2];
        target[outer * to[3] + start[3]..][..from[3]].copy_from_slice(row);
    }
    Ok(())
}
