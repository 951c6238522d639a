//! Strided views of a tensor, copied.

use super::engine::{Copy, Loop};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{TensorMeta, TensorMut, TensorRef};
use alloc::format;
use alloc::vec::Vec;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::permute_copy.out", permute),
    ("aten::transpose_copy.int_out", transpose),
    ("aten::t_copy.out", t),
    ("aten::expand_copy.out", expand),
    ("aten::select_copy.int_out", select),
    ("aten::slice_copy.Tensor_out", slice),
    ("aten::narrow_copy.out", narrow),
    ("aten::split_copy.Tensor_out", split),
    ("aten::split_with_sizes_copy.out", split_with_sizes),
    ("aten::unbind_copy.int_out", unbind),
    ("aten::flip.out", flip),
    ("aten::unfold_copy.out", unfold),
    ("aten::diagonal_copy.out", diagonal),
    ("aten::as_strided_copy.out", as_strided),
];

/// A strided view: sizes, strides in elements, and the first element.
struct View {
    dims: SmallVec<[(usize, isize); 8]>,
    start: isize,
}

impl View {
    fn of(tensor: &TensorRef<'_>) -> Self {
        let dims = tensor.sizes().iter().zip(tensor.strides());
        View {
            dims: dims.map(|(size, stride)| (*size as usize, *stride as isize)).collect(),
            start: 0,
        }
    }

    /// Copies the view to `out`, which takes its shape.
    fn copy(&self, input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
        self.plan(input, out)?.run_merged(bytes(input), out)
    }

    /// The copy of the view to `out`, which takes its shape.
    fn plan(&self, input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult<Copy> {
        ensure!(
            input.scalar_type() == out.scalar_type(),
            "{} as {}",
            input.scalar_type(),
            out.scalar_type()
        );
        let sizes = self
            .dims
            .iter()
            .map(|(size, _)| i32::try_from(*size))
            .collect::<Result<SmallVec<[i32; 8]>, _>>()
            .map_err(|_| KernelError::argument("a size beyond 32 bits"))?;
        out.resize(&sizes)?;
        // Loops in the target's memory order, so that it is written in one go.
        let loops = out.dim_order().iter().map(|dim| {
            let dim = usize::from(*dim);
            let (extent, source) = self.dims[dim];
            Loop { extent, source, target: out.strides()[dim] as isize }
        });
        let copy = Copy { loops: loops.collect(), source_start: self.start, target_start: 0 };
        Ok(copy.merged())
    }

    /// Keeps `len` elements of `dim` from `start`, each `step` after the one before.
    fn slice(&mut self, dim: usize, start: usize, len: usize, step: usize) {
        if let Some((size, stride)) = self.dims.get_mut(dim) {
            // An empty slice may start past the end.
            if len > 0 {
                self.start += start as isize * *stride;
            }
            (*size, *stride) = (len, stride.saturating_mul(step as isize));
        }
    }
}

/// The bytes of a tensor's elements.
fn bytes<'a>(input: &TensorRef<'a>) -> &'a [u8] {
    &input.bytes()[..input.nbytes().min(input.bytes().len())]
}

/// Copies a view of the first argument. Where shapes and other arguments never
/// change, what is to be copied is found out once.
fn copied(
    args: &Args<'_>,
    outs: &mut Outs<'_>,
    view: impl FnOnce(&TensorRef<'_>) -> KernelResult<View>,
) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    if let Some(copy) = args.already_kept::<Copy>() {
        return copy.run_merged(bytes(&input), out);
    }
    let copy = view(&input)?.plan(&input, out)?;
    copy.run_merged(bytes(&input), out)?;
    args.keep_settled(|| copy);
    Ok(())
}

pub(in crate::kernels) fn permute(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    // Exporters turn weights around in every run.
    if args.is_constant(0) && args.is_constant(1) {
        let input = args.tensor(0)?;
        return kept_copy(args, &permuted(&input, args.ints(1)?)?, &input, &mut outs[0]);
    }
    copied(args, outs, |input| permuted(input, args.ints(1)?))
}

fn permuted(input: &TensorRef<'_>, order: &[i64]) -> KernelResult<View> {
    let view = View::of(input);
    ensure!(order.len() == input.rank(), "a permutation {order:?} of {:?}", input.sizes());
    let mut seen = [false; crate::tensor::MAX_RANK];
    let mut dims = SmallVec::new();
    for dim in order {
        let dim = normalised_dim(*dim, input)?;
        ensure!(!seen[dim], "dimension {dim} appears twice in {order:?}");
        seen[dim] = true;
        dims.push(view.dims[dim]);
    }
    Ok(View { dims, start: 0 })
}

/// Copies the view of a constant, and the next time its copy.
fn kept_copy(
    args: &Args<'_>,
    view: &View,
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    if let Some((meta, bytes)) = args.already_kept::<(TensorMeta, Vec<u8>)>() {
        out.resize(meta.sizes())?;
        if meta == out.meta() {
            let target = out.bytes_mut()?;
            target.copy_from_slice(bytes);
            return Ok(());
        }
    }
    view.copy(input, out)?;
    let copy = (out.meta().clone(), out.bytes_mut()?.to_vec());
    args.kept(&[0, 1], || copy);
    Ok(())
}

fn transpose(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    copied(args, outs, |input| {
        let (a, b) = (normalised_dim(args.int(1)?, input)?, normalised_dim(args.int(2)?, input)?);
        let mut view = View::of(input);
        if input.rank() > 0 {
            view.dims.swap(a, b);
        }
        Ok(view)
    })
}

fn t(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    ensure!(input.rank() <= 2, "the transpose of {:?}", input.sizes());
    let mut view = View::of(&input);
    view.dims.reverse();
    view.copy(&input, &mut outs[0])
}

fn expand(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, sizes, implicit) = (args.tensor(0)?, args.ints(1)?, args.bool(2)?);
    let refuse = || KernelError::argument(format!("{:?} expanded to {sizes:?}", input.sizes()));
    ensure!(!implicit, "an implicit expansion");
    let own = View::of(&input).dims;
    let new = sizes.len().checked_sub(own.len()).ok_or_else(refuse)?;
    let mut dims = SmallVec::new();
    for (index, size) in sizes.iter().enumerate() {
        dims.push(match index.checked_sub(new).map(|i| own[i]) {
            Some((extent, stride)) if *size == -1 || *size == extent as i64 => (extent, stride),
            Some((1, _)) | None if *size >= 0 => (*size as usize, 0),
            _ => return Err(refuse()),
        });
    }
    View { dims, start: 0 }.copy(&input, &mut outs[0])
}

fn select(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    copied(args, outs, |input| {
        let index = args.int(2)?;
        ensure!(input.rank() > 0, "a selection from a tensor without dimensions");
        let dim = normalised_dim(args.int(1)?, input)?;
        let size = input.size(dim) as i64;
        ensure!((-size..size).contains(&index), "index {index} of {size}");
        let mut view = View::of(input);
        view.slice(dim, index.rem_euclid(size) as usize, 1, 1);
        view.dims.remove(dim);
        Ok(view)
    })
}

fn slice(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    copied(args, outs, |input| {
        let step = args.int(4)?;
        ensure!(input.rank() > 0, "a slice of a tensor without dimensions");
        let dim = normalised_dim(args.int(1)?, input)?;
        ensure!(step > 0, "a step of {step}");
        let size = input.size(dim) as i64;
        let clamp = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(0, size);
        let start = clamp(args.optional_int(2)?.unwrap_or(0));
        let end = clamp(args.optional_int(3)?.unwrap_or(i64::MAX)).max(start);
        let len = (end - start) as u64;
        let mut view = View::of(input);
        view.slice(dim, start as usize, len.div_ceil(step as u64) as usize, step as usize);
        Ok(view)
    })
}

fn narrow(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, start, len) = (args.tensor(0)?, args.int(2)?, args.int(3)?);
    ensure!(input.rank() > 0, "a part of a tensor without dimensions");
    // ExecuTorch's kernel counts neither dimensions nor elements from the end.
    ensure!(args.int(1)? >= 0, "dimension {}", args.int(1)?);
    let dim = normalised_dim(args.int(1)?, &input)?;
    let size = input.size(dim) as i64;
    ensure!(
        (0..=size).contains(&start) && len >= 0 && start.saturating_add(len) <= size,
        "{len} elements from {start} of {size}"
    );
    let mut view = View::of(&input);
    view.slice(dim, start as usize, len as usize, 1);
    view.copy(&input, &mut outs[0])
}

fn split(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, part) = (args.tensor(0)?, args.int(1)?);
    ensure!(input.rank() > 0, "parts of a tensor without dimensions");
    let dim = normalised_dim(args.int(2)?, &input)?;
    let size = input.size(dim);
    ensure!(part > 0 || (part == 0 && size == 0), "parts of {part} elements");
    let part = part as usize;
    if let Some(copies) = args.already_kept::<Parts>() {
        return copies.run(&input, outs);
    }
    let count = if part == 0 { 1 } else { size.div_ceil(part).max(1) };
    ensure!(outs.len() == count, "{count} parts for {} outputs", outs.len());
    let sizes = (0..count).map(|i| part.min(size - i * part));
    split_into(args, dim, sizes, outs)
}

fn split_with_sizes(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, sizes) = (args.tensor(0)?, args.ints(1)?);
    if let Some(copies) = args.already_kept::<Parts>() {
        return copies.run(&input, outs);
    }
    ensure!(input.rank() > 0, "parts of a tensor without dimensions");
    let dim = normalised_dim(args.int(2)?, &input)?;
    let total = sizes.iter().try_fold(0i64, |sum, s| sum.checked_add(*s).filter(|_| *s >= 0));
    ensure!(
        sizes.len() == outs.len() && total == Some(input.size(dim) as i64),
        "{sizes:?} of {} elements for {} outputs",
        input.size(dim),
        outs.len()
    );
    split_into(args, dim, sizes.iter().map(|s| *s as usize), outs)
}

/// The copies of a split, which a settled call keeps.
struct Parts(Vec<Copy>);

impl Parts {
    fn run(&self, input: &TensorRef<'_>, outs: &mut Outs<'_>) -> KernelResult {
        let mut pairs = self.0.iter().zip(outs);
        pairs.try_for_each(|(copy, out)| copy.run_merged(bytes(input), out))
    }
}

fn split_into(
    args: &Args<'_>,
    dim: usize,
    sizes: impl Iterator<Item = usize>,
    outs: &mut Outs<'_>,
) -> KernelResult {
    let input = args.tensor(0)?;
    let (mut start, mut parts) = (0, Vec::new());
    for (size, out) in sizes.zip(outs) {
        let mut view = View::of(&input);
        view.slice(dim, start, size, 1);
        let copy = view.plan(&input, out)?;
        copy.run_merged(bytes(&input), out)?;
        if args.is_settled() {
            parts.push(copy);
        }
        start += size;
    }
    args.keep_settled(|| Parts(parts));
    Ok(())
}

fn unbind(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    ensure!(input.rank() > 0, "parts of a tensor without dimensions");
    let dim = normalised_dim(args.int(1)?, &input)?;
    ensure!(outs.len() == input.size(dim), "{} parts for {} outputs", input.size(dim), outs.len());
    for (index, out) in outs.iter_mut().enumerate() {
        let mut view = View::of(&input);
        view.slice(dim, index, 1, 1);
        view.dims.remove(dim);
        view.copy(&input, out)?;
    }
    Ok(())
}

fn flip(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, dims) = (args.tensor(0)?, args.ints(1)?);
    let mut view = View::of(&input);
    let mut seen = [false; crate::tensor::MAX_RANK];
    for dim in dims {
        let dim = normalised_dim(*dim, &input)?;
        ensure!(!seen[dim], "dimension {dim} appears twice in {dims:?}");
        seen[dim] = true;
        if let Some((size, stride)) = view.dims.get_mut(dim) {
            view.start += size.saturating_sub(1) as isize * *stride;
            *stride = -*stride;
        }
    }
    view.copy(&input, &mut outs[0])
}

/// Windows along one dimension become a new last dimension.
fn unfold(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, size, step) = (args.tensor(0)?, args.int(2)?, args.int(3)?);
    let dim = normalised_dim(args.int(1)?, &input)?;
    let extent = input.size(dim) as i64;
    ensure!((0..=extent).contains(&size) && step > 0, "windows of {size} every {step} of {extent}");
    let mut view = View::of(&input);
    let count = ((extent - size) / step + 1) as usize;
    let stride = view.dims.get(dim).map_or(1, |(_, stride)| *stride);
    if input.rank() > 0 {
        view.slice(dim, 0, count, step as usize);
    }
    view.dims.push((size as usize, stride));
    view.copy(&input, &mut outs[0])
}

/// A diagonal of two dimensions becomes a new last dimension.
fn diagonal(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, offset) = (args.tensor(0)?, args.int(1)?);
    let (a, b) = (normalised_dim(args.int(2)?, &input)?, normalised_dim(args.int(3)?, &input)?);
    ensure!(input.rank() >= 2 && a != b, "a diagonal of dimensions {a} and {b}");
    let mut view = View::of(&input);
    let ((rows, row), (cols, col)) = (view.dims[a], view.dims[b]);
    let (down, right) = (offset.min(0).unsigned_abs() as usize, offset.max(0) as usize);
    let len = rows.saturating_sub(down).min(cols.saturating_sub(right));
    if len > 0 {
        view.start += down as isize * row + right as isize * col;
    }
    view.dims.remove(a.max(b));
    view.dims.remove(a.min(b));
    view.dims.push((len, row + col));
    view.copy(&input, &mut outs[0])
}

fn as_strided(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, sizes, strides) = (args.tensor(0)?, args.ints(1)?, args.ints(2)?);
    let start = args.optional_int(3)?.unwrap_or(0);
    let valid = |n: &i64| (0..=i64::from(i32::MAX)).contains(n);
    ensure!(
        sizes.len() == strides.len() && sizes.iter().chain(strides).all(valid) && valid(&start),
        "sizes {sizes:?} with strides {strides:?} from {start}"
    );
    let dims = sizes.iter().zip(strides).map(|(size, stride)| (*size as usize, *stride as isize));
    View { dims: dims.collect(), start: start as isize }.copy(&input, &mut outs[0])
}
