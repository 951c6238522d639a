//! Tensors put together: cat, stack, repeat, pad.

use super::engine::{Copy, Loop};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, Sizes, TensorMut, TensorRef, with_dtype};
use alloc::format;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::cat.out", cat),
    ("aten::stack.out", stack),
    ("aten::repeat.out", repeat),
    ("aten::constant_pad_nd.out", constant_pad),
];

fn tensors<'a>(args: &Args<'a>) -> KernelResult<SmallVec<[TensorRef<'a>; 8]>> {
    let list = args.tensors(0)?;
    ensure!(!list.is_empty() && list.iter().all(Option::is_some), "an empty list of tensors");
    Ok(list.iter().flatten().copied().collect())
}

/// Copies `input` into `out` from `start` on, converting its elements if needed.
pub(super) fn place(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    start: isize,
    strides: &[isize],
) -> KernelResult {
    let steps = input.strides().iter().zip(strides);
    let loops: SmallVec<[Loop; 8]> = input
        .sizes()
        .iter()
        .zip(steps)
        .map(|(size, (source, target))| Loop {
            extent: *size as usize,
            source: *source as isize,
            target: *target,
        })
        .collect();
    let copy = Copy { loops, source_start: 0, target_start: start };
    if input.scalar_type() == out.scalar_type() {
        return copy.run(&input.bytes()[..input.nbytes().min(input.bytes().len())], out);
    }
    let to = out.scalar_type();
    let refuse = || KernelError::argument(format!("{} as {to}", input.scalar_type()));
    with_dtype!(input.scalar_type(), all, S => with_dtype!(to, all, T => {
        // In the memory order of the input.
        let elements = Scratch::<T>::of(input.data::<S>()?.iter().map(|e| e.cast()));
        copy.run(bytemuck::cast_slice(&elements), out)
    }, else Err(refuse())), else Err(refuse()))
}

pub(super) fn element_strides(out: &TensorMut<'_>) -> SmallVec<[isize; 8]> {
    out.strides().iter().map(|s| *s as isize).collect()
}

/// A tensor of shape `[0]` is skipped whatever the others look like.
fn is_legacy_empty(tensor: &TensorRef<'_>) -> bool {
    tensor.sizes() == [0]
}

fn cat(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (list, out) = (tensors(args)?, &mut outs[0]);
    let Some(first) = list.iter().find(|t| !is_legacy_empty(t)) else {
        return out.resize(&[0]);
    };
    ensure!(first.rank() > 0, "tensors without dimensions put together");
    let dim = normalised_dim(args.int(1)?, first)?;
    let mut sizes = Sizes::from_slice(first.sizes());
    let mut total = 0i64;
    for tensor in list.iter().filter(|t| !is_legacy_empty(t)) {
        let fits = tensor.rank() == first.rank()
            && (0..first.rank()).all(|d| d == dim || tensor.sizes()[d] == first.sizes()[d]);
        ensure!(fits, "{:?} and {:?} along dimension {dim}", first.sizes(), tensor.sizes());
        total += i64::from(tensor.sizes()[dim]);
    }
    sizes[dim] = i32::try_from(total).map_err(|_| KernelError::argument("too many elements"))?;
    out.resize(&sizes)?;
    let strides = element_strides(out);
    let mut start = 0;
    for tensor in list.iter().filter(|t| !is_legacy_empty(t)) {
        place(tensor, out, start, &strides)?;
        start += tensor.sizes()[dim] as isize * strides[dim];
    }
    Ok(())
}

fn stack(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (list, out) = (tensors(args)?, &mut outs[0]);
    let rank = list[0].rank() as i64 + 1;
    let dim = args.int(1)?;
    ensure!((-rank..rank).contains(&dim), "dimension {dim} of {rank}");
    let dim = dim.rem_euclid(rank) as usize;
    let mut sizes = Sizes::from_slice(list[0].sizes());
    for tensor in &list {
        ensure!(
            tensor.sizes() == list[0].sizes(),
            "{:?} and {:?} stacked",
            list[0].sizes(),
            tensor.sizes()
        );
    }
    sizes.insert(dim, list.len() as i32);
    out.resize(&sizes)?;
    let mut strides = element_strides(out);
    let step = strides.remove(dim);
    for (index, tensor) in list.iter().enumerate() {
        place(tensor, out, index as isize * step, &strides)?;
    }
    Ok(())
}

fn repeat(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, repeats, out) = (args.tensor(0)?, args.ints(1)?, &mut outs[0]);
    let refuse = || KernelError::argument(format!("{:?} repeated {repeats:?}", input.sizes()));
    let new = repeats.len().checked_sub(input.rank()).ok_or_else(refuse)?;
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    let mut sizes: SmallVec<[i32; 8]> = SmallVec::new();
    for (dim, count) in repeats.iter().enumerate() {
        let own = dim.checked_sub(new).map_or(1, |d| input.size(d) as i64);
        let size = count.checked_mul(own).filter(|_| *count >= 0).ok_or_else(refuse)?;
        sizes.push(i32::try_from(size).map_err(|_| refuse())?);
    }
    out.resize(&sizes)?;
    let mut loops: SmallVec<[Loop; 8]> = SmallVec::new();
    for (dim, (count, stride)) in repeats.iter().zip(element_strides(out)).enumerate() {
        let own = dim.checked_sub(new);
        let extent = own.map_or(1, |d| input.size(d));
        let target = stride * extent as isize;
        loops.push(Loop { extent: *count as usize, source: 0, target });
        let source = own.map_or(0, |d| input.strides()[d] as isize);
        loops.push(Loop { extent, source, target: stride });
    }
    let copy = Copy { loops, source_start: 0, target_start: 0 };
    copy.run(&input.bytes()[..input.nbytes().min(input.bytes().len())], out)
}

/// Pads from the last dimension on.
fn constant_pad(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, pads, value) = (args.tensor(0)?, args.ints(1)?, args.scalar(2)?);
    let out = &mut outs[0];
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    ensure!(
        pads.len().is_multiple_of(2) && pads.len() / 2 <= input.rank(),
        "padding {pads:?} of {:?}",
        input.sizes()
    );
    ensure!(pads.iter().all(|pad| *pad >= 0), "padding {pads:?} that crops");
    let rank = input.rank();
    let pad = |dim: usize| {
        let pair = rank - 1 - dim;
        (pads.get(2 * pair).copied().unwrap_or(0), pads.get(2 * pair + 1).copied().unwrap_or(0))
    };
    let mut sizes: SmallVec<[i32; 8]> = SmallVec::new();
    for dim in 0..rank {
        let (before, after) = pad(dim);
        let size = (input.size(dim) as i64).checked_add(before).and_then(|s| s.checked_add(after));
        let size = size.and_then(|s| i32::try_from(s).ok()).filter(|s| *s >= 0);
        sizes.push(size.ok_or_else(|| {
            KernelError::argument(format!("padding {pads:?} of {:?}", input.sizes()))
        })?);
    }
    out.resize(&sizes)?;
    with_dtype!(out.scalar_type(), all, T => {
        let fill = match value {
            crate::Scalar::Double(v) => T::from_f64(v),
            other => T::from_i64(other.to_i64()),
        };
        out.data_mut::<T>()?.fill(fill);
    }, else return Err(KernelError::argument(format!("padding of {}", out.scalar_type()))));
    let mut copy = Copy::default();
    for (dim, target) in element_strides(out).into_iter().enumerate() {
        copy.target_start += pad(dim).0 as isize * target;
        let source = input.strides()[dim] as isize;
        copy.loops.push(Loop { extent: input.size(dim), source, target });
    }
    copy.run(&input.bytes()[..input.nbytes().min(input.bytes().len())], out)
}
