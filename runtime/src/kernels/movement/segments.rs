//! Tensors whose dimensions are cut into runs: roll, and padding by
//! reflection or replication.
//!
//! Along each dimension the output is a few runs of the input, walked forwards,
//! backwards, or not at all. Every combination of runs is one strided copy.

use super::engine::{Copy, Loop};
use crate::error::{KernelResult, ensure};
use crate::kernels::elementwise::checks::{resize, same_dim_order, same_dtype};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{MAX_RANK, TensorMut, TensorRef};
use et_schema::ScalarType;
use smallvec::{SmallVec, smallvec};

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::roll.out", roll),
    ("aten::reflection_pad1d.out", |args, outs| pad(args, outs, 1, Border::Reflection)),
    ("aten::reflection_pad2d.out", |args, outs| pad(args, outs, 2, Border::Reflection)),
    ("aten::reflection_pad3d.out", |args, outs| pad(args, outs, 3, Border::Reflection)),
    ("aten::replication_pad1d.out", |args, outs| pad(args, outs, 1, Border::Replication)),
    ("aten::replication_pad2d.out", |args, outs| pad(args, outs, 2, Border::Replication)),
    ("aten::replication_pad3d.out", |args, outs| pad(args, outs, 3, Border::Replication)),
];

/// A run of output indices along a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The first index in the input.
    source: i64,
    /// From one index in the input to the next: 1, -1 or 0.
    step: i64,
    /// How many.
    len: i64,
}

/// The runs of a dimension in output order.
type Runs = SmallVec<[Run; 3]>;

/// Copies every combination of the dimensions' runs. The output has its shape.
fn copy(input: &TensorRef<'_>, runs: &[Runs], out: &mut TensorMut<'_>) -> KernelResult {
    let mut copy = Copy::default();
    let order: SmallVec<[usize; 8]> = out.dim_order().iter().map(|d| usize::from(*d)).collect();
    combine(input, runs, &order, &mut copy, out)
}

/// Adds a loop for each run of the first dimension of `order`, and goes on with the others.
fn combine(
    input: &TensorRef<'_>,
    runs: &[Runs],
    order: &[usize],
    copy: &mut Copy,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    let Some((&dim, order)) = order.split_first() else {
        return copy.run(&input.bytes()[..input.nbytes().min(input.bytes().len())], out);
    };
    let (source, target) = (input.strides()[dim] as isize, out.strides()[dim] as isize);
    let start = (copy.source_start, copy.target_start);
    let mut done = 0;
    for run in runs[dim].iter().filter(|run| run.len > 0) {
        copy.source_start = start.0 + run.source as isize * source;
        copy.target_start = start.1 + done as isize * target;
        let step = run.step as isize * source;
        copy.loops.push(Loop { extent: run.len as usize, source: step, target });
        combine(input, runs, order, copy, out)?;
        copy.loops.pop();
        done += run.len;
    }
    (copy.source_start, copy.target_start) = start;
    Ok(())
}

/// A dimension of `size` elements, turned by `shift`.
fn rolled(size: i64, shift: i64) -> Runs {
    let first = (-shift).rem_euclid(size.max(1));
    smallvec![
        Run { source: first, step: 1, len: size - first },
        Run { source: 0, step: 1, len: first },
    ]
}

fn roll(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, shifts, dims) = (args.tensor(0)?, args.ints(1)?, args.ints(2)?);
    let out = &mut outs[0];
    resize(out, input.sizes())?;
    ensure!(input.rank() > 0, "a roll of a tensor without dimensions");
    ensure!(
        !shifts.is_empty() && shifts.len() == dims.len(),
        "{} shifts for {} dimensions",
        shifts.len(),
        dims.len()
    );
    same_dtype(&input, out)?;
    same_dim_order(&[&input, out])?;
    if input.numel() == 0 {
        return Ok(());
    }
    let mut total = [0i64; MAX_RANK];
    for (shift, dim) in shifts.iter().zip(dims) {
        let dim = normalised_dim(*dim, &input)?;
        let size = i64::from(input.sizes()[dim]);
        total[dim] = (total[dim] + shift % size) % size;
    }
    let sizes = input.sizes().iter().zip(total);
    let runs: SmallVec<[Runs; 8]> = sizes.map(|(size, t)| rolled((*size).into(), t)).collect();
    copy(&input, &runs, out)
}

/// What is beyond the edge.
#[derive(Clone, Copy)]
enum Border {
    /// The tensor mirrored at its first and last element, which are not repeated.
    Reflection,
    /// The first and last element.
    Replication,
}

/// A dimension of `size` elements with so many more, or with negative numbers
/// fewer, before and after it.
fn padded(size: i64, before: i64, after: i64, border: Border) -> Runs {
    let total = size + before + after;
    let left = before.clamp(0, total);
    let right = (total - (size + before).max(0)).clamp(0, total);
    let inside = total - left - right;
    let (first, last, step) = match border {
        Border::Reflection => (before, 2 * size + before - 2 - (total - right), -1),
        Border::Replication => (0, size - 1, 0),
    };
    smallvec![
        Run { source: first, step, len: left },
        Run { source: left - before, step: 1, len: inside },
        Run { source: last, step, len: right },
    ]
}

/// Pads the last `dims` dimensions; the amounts begin with the last of them.
fn pad(args: &Args<'_>, outs: &mut Outs<'_>, dims: usize, border: Border) -> KernelResult {
    let (input, amounts, out) = (args.tensor(0)?, args.ints(1)?, &mut outs[0]);
    let rank = input.rank();
    ensure!(
        amounts.len() == 2 * dims && (rank == dims + 1 || rank == dims + 2),
        "padding {amounts:?} of {:?} in {dims} dimensions",
        input.sizes()
    );
    same_dtype(&input, out)?;
    same_dim_order(&[&input, out])?;
    ensure!(input.is_contiguous(), "padding of a tensor that is not contiguous");
    let mut sizes: SmallVec<[i32; 8]> = input.sizes().into();
    let mut runs: SmallVec<[Runs; 8]> =
        sizes.iter().map(|s| padded((*s).into(), 0, 0, border)).collect();
    for (index, pair) in amounts.chunks_exact(2).enumerate() {
        let (dim, before, after) = (rank - 1 - index, pair[0], pair[1]);
        let size = i64::from(sizes[dim]);
        let limit = if matches!(border, Border::Reflection) { size } else { i64::MAX };
        let total = size.checked_add(before).and_then(|s| s.checked_add(after));
        let total = total.and_then(|s| i32::try_from(s).ok()).filter(|s| *s >= 0);
        let (Some(total), true) = (total, before < limit && after < limit) else {
            ensure!(false, "padding {before} and {after} of {size} elements");
            return Ok(());
        };
        ensure!(
            size > 0 || total == 0,
            "padding {before} and {after} of a dimension without elements"
        );
        runs[dim] = padded(size, before, after, border);
        sizes[dim] = total;
    }
    ensure!(
        !matches!(
            input.scalar_type(),
            ScalarType::Bool | ScalarType::UInt16 | ScalarType::UInt32 | ScalarType::UInt64
        ),
        "padding of {}",
        input.scalar_type()
    );
    resize(out, &sizes)?;
    if out.numel() == 0 {
        return Ok(());
    }
    copy(&input, &runs, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn indices(runs: &Runs) -> Vec<i64> {
        runs.iter().flat_map(|run| (0..run.len).map(|i| run.source + i * run.step)).collect()
    }

    #[test]
    fn roll_turns_in_both_directions() {
        assert_eq!(indices(&rolled(4, 1)), [3, 0, 1, 2]);
        assert_eq!(indices(&rolled(4, -1)), [1, 2, 3, 0]);
        assert_eq!(indices(&rolled(4, 0)), [0, 1, 2, 3]);
    }

    #[test]
    fn reflection_leaves_out_the_edge() {
        assert_eq!(indices(&padded(4, 2, 3, Border::Reflection)), [2, 1, 0, 1, 2, 3, 2, 1, 0]);
    }

    #[test]
    fn replication_repeats_the_edge() {
        assert_eq!(indices(&padded(3, 1, 5, Border::Replication)), [0, 0, 1, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn negative_padding_crops() {
        assert_eq!(indices(&padded(4, -1, 1, Border::Reflection)), [1, 2, 3, 2]);
        assert_eq!(indices(&padded(4, 1, -2, Border::Replication)), [0, 0, 1]);
        assert_eq!(indices(&padded(2, -3, 5, Border::Replication)), [1, 1, 1, 1]);
        assert_eq!(indices(&padded(3, -1, -2, Border::Replication)), Vec::<i64>::new());
        assert_eq!(indices(&padded(2, 5, -4, Border::Replication)), [0, 0, 0]);
    }
}
