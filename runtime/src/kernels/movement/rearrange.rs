//! Elements in another arrangement: blocks of pixels from channels and back,
//! tensors with a part replaced, the lower triangle, repeated indices.

use super::engine::{Copy, Loop};
use super::join::{element_strides, place};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::checks::{alike, resize, same_dim_order, same_dtype};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::pixel_shuffle.out", pixel_shuffle),
    ("aten::pixel_unshuffle.out", pixel_unshuffle),
    ("aten::select_scatter.out", select_scatter),
    ("aten::slice_scatter.out", slice_scatter),
    ("aten::tril.out", tril),
    ("aten::repeat_interleave.Tensor_out", repeat_interleave),
];

/// Images whose channels hold blocks of `factor` by `factor` pixels, and the
/// images with these pixels in place.
#[derive(Debug, PartialEq, Eq)]
struct Blocks {
    images: i64,
    channels: i64,
    height: i64,
    width: i64,
    factor: i64,
}

impl Blocks {
    /// Copies the blocks of `input` to pixels of `out`, or pixels to blocks.
    fn copy(&self, input: &TensorRef<'_>, out: &mut TensorMut<'_>, apart: bool) -> KernelResult {
        let Blocks { images, channels, height, width, factor } = *self;
        let plane = height * width;
        let image = channels * factor * factor * plane;
        // Extent, step among the channels' blocks, step among pixels.
        let image = (images, image, image);
        let channel = (channels, factor * factor * plane, factor * factor * plane);
        let (row, block_row) =
            ((height, width, factor * factor * width), (factor, factor * plane, factor * width));
        let (column, block_column) = ((width, 1, factor), (factor, plane, 1));
        // In the order of the output, so that it is written in one go.
        let loops = if apart {
            [image, channel, block_row, block_column, row, column]
        } else {
            [image, channel, row, block_row, column, block_column]
        };
        let loops = loops.iter().map(|(extent, block, pixel)| {
            let (source, target) = if apart { (*pixel, *block) } else { (*block, *pixel) };
            Loop { extent: *extent as usize, source: source as isize, target: target as isize }
        });
        let copy = Copy { loops: loops.collect(), source_start: 0, target_start: 0 };
        copy.run(&input.bytes()[..input.nbytes().min(input.bytes().len())], out)
    }
}

/// The sizes of leading dimensions, and of channels, height and width.
fn images<'a>(
    input: &TensorRef<'a>,
    out: &TensorMut<'_>,
    factor: i64,
) -> KernelResult<(&'a [i32], [i64; 3])> {
    same_dtype(input, out)?;
    let plain = input.is_contiguous() && out.is_contiguous();
    ensure!(plain, "images that are not contiguous");
    ensure!(factor > 0, "a factor of {factor}");
    let (leading, image) = match input.meta().sizes() {
        [leading @ .., c, h, w] => (leading, [*c, *h, *w].map(i64::from)),
        sizes => return Err(KernelError::argument(format!("images of {sizes:?}"))),
    };
    Ok((leading, image))
}

/// Gives `out` the shape of images of `channels` of `height` by `width`.
fn resize_images(
    out: &mut TensorMut<'_>,
    leading: &[i32],
    image: [Option<i64>; 3],
) -> KernelResult {
    let mut sizes: SmallVec<[i32; 8]> = leading.into();
    for size in image {
        let size = size.and_then(|s| i32::try_from(s).ok());
        sizes.push(size.ok_or_else(|| KernelError::argument("a size beyond 32 bits"))?);
    }
    resize(out, &sizes)
}

fn count(leading: &[i32]) -> i64 {
    leading.iter().map(|size| i64::from(*size)).product()
}

fn pixel_shuffle(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, factor, out) = (args.tensor(0)?, args.int(1)?, &mut outs[0]);
    let (leading, [channels, height, width]) = images(&input, out, factor)?;
    let square = factor.checked_mul(factor).filter(|square| channels % square == 0);
    let Some(square) = square else {
        ensure!(false, "{channels} channels of {factor} by {factor} pixels");
        return Ok(());
    };
    let channels = channels / square;
    let sizes = [Some(channels), height.checked_mul(factor), width.checked_mul(factor)];
    resize_images(out, leading, sizes)?;
    if out.numel() == 0 {
        return Ok(());
    }
    let blocks = Blocks { images: count(leading), channels, height, width, factor };
    blocks.copy(&input, out, false)
}

fn pixel_unshuffle(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, factor, out) = (args.tensor(0)?, args.int(1)?, &mut outs[0]);
    let (leading, [channels, height, width]) = images(&input, out, factor)?;
    ensure!(
        height % factor == 0 && width % factor == 0,
        "{height} by {width} pixels in blocks of {factor} by {factor}"
    );
    let (height, width) = (height / factor, width / factor);
    let all = factor.checked_mul(factor).and_then(|square| square.checked_mul(channels));
    resize_images(out, leading, [all, Some(height), Some(width)])?;
    if out.numel() == 0 {
        return Ok(());
    }
    let blocks = Blocks { images: count(leading), channels, height, width, factor };
    blocks.copy(&input, out, true)
}

/// Gives `out` the shape and elements of `input`.
fn copy_whole(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    let target = out.bytes_mut()?;
    let source = input.bytes().get(..target.len());
    ensure!(source.is_some(), "a tensor with only {} bytes of data", input.bytes().len());
    target.copy_from_slice(source.unwrap_or_default());
    Ok(())
}

/// The input with `source` in place of one index of a dimension.
fn select_scatter(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, source) = (args.tensor(0)?, args.tensor(1)?);
    let (index, out) = (args.int(3)?, &mut outs[0]);
    ensure!(input.rank() > 0, "a selection from a tensor without dimensions");
    let dim = normalised_dim(args.int(2)?, &input)?;
    let size = i64::from(input.sizes()[dim]);
    ensure!((-size..size).contains(&index), "index {index} of {size}");
    let mut sizes: SmallVec<[i32; 8]> = input.sizes().into();
    sizes.remove(dim);
    ensure!(source.sizes() == &*sizes, "{:?} in place of {sizes:?}", source.sizes());
    alike(&input, out)?;
    same_dim_order(&[&input, &source])?;
    copy_whole(&input, out)?;
    let mut strides = element_strides(out);
    let step = strides.remove(dim);
    place(&source, out, index.rem_euclid(size) as isize * step, &strides)
}

/// The input with `source` in place of a slice.
fn slice_scatter(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, source, step) = (args.tensor(0)?, args.tensor(1)?, args.int(5)?);
    let out = &mut outs[0];
    same_dtype(&input, out)?;
    resize(out, input.sizes())?;
    if input.numel() == 0 {
        return Ok(());
    }
    ensure!(input.rank() > 0, "a slice of a tensor without dimensions");
    let dim = normalised_dim(args.int(2)?, &input)?;
    ensure!(step > 0, "a step of {step}");
    let size = i64::from(input.sizes()[dim]);
    let clamp = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(0, size);
    let start = clamp(args.optional_int(3)?.unwrap_or(0));
    let end = clamp(args.optional_int(4)?.unwrap_or(i64::MAX)).max(start);
    let mut sizes: SmallVec<[i32; 8]> = input.sizes().into();
    sizes[dim] = ((end - start) as u64).div_ceil(step as u64) as i32;
    ensure!(source.sizes() == &*sizes, "{:?} in place of {sizes:?}", source.sizes());
    same_dim_order(&[&input, &source, out])?;
    copy_whole(&input, out)?;
    if source.numel() == 0 {
        return Ok(());
    }
    let mut strides = element_strides(out);
    let start = start as isize * strides[dim];
    // A step past the end is never taken.
    strides[dim] *= step.min(size) as isize;
    place(&source, out, start, &strides)
}

/// Columns of row `row` that are not above the diagonal.
fn kept(row: usize, diagonal: i64, columns: usize) -> usize {
    let end = (row as i64 + 1).saturating_add(diagonal).max(0);
    columns.min(usize::try_from(end).unwrap_or(usize::MAX))
}

fn tril(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, diagonal, out) = (args.tensor(0)?, args.int(1)?, &mut outs[0]);
    ensure!(input.rank() >= 2, "a triangle of {:?}", input.sizes());
    alike(&input, out)?;
    ensure!(input.is_contiguous(), "a triangle of a tensor that is not contiguous");
    let rank = input.rank();
    let (rows, columns) = (input.size(rank - 2), input.size(rank - 1));
    let row = columns * input.scalar_type().size();
    copy_whole(&input, out)?;
    if out.numel() == 0 {
        return Ok(());
    }
    let size = input.scalar_type().size();
    for (index, bytes) in out.bytes_mut()?.chunks_exact_mut(row).enumerate() {
        bytes[kept(index % rows, diagonal, columns) * size..].fill(0);
    }
    Ok(())
}

/// Each index as often as its element says.
fn repeat_interleave(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (repeats, wanted, out) = (args.tensor(0)?, args.optional_int(1)?, &mut outs[0]);
    let integers = matches!(repeats.scalar_type(), ScalarType::Int | ScalarType::Long);
    ensure!(integers, "numbers of repeats as {}", repeats.scalar_type());
    ensure!(repeats.rank() == 1, "numbers of repeats as {:?}", repeats.sizes());
    same_dtype(&repeats, out)?;
    same_dim_order(&[&repeats, out])?;
    with_dtype!(repeats.scalar_type(), real, T => {
        let repeats = repeats.data::<T>()?;
        let total = repeats.iter().try_fold(0i64, |sum, count| {
            let count = crate::tensor::Element::to_i64(*count);
            sum.checked_add(count).filter(|_| count >= 0)
        });
        let size = total.filter(|total| wanted.is_none_or(|wanted| wanted == *total));
        let Some(size) = size.and_then(|size| i32::try_from(size).ok()) else {
            ensure!(false, "repeats that sum to {total:?} for {wanted:?} elements");
            return Ok(());
        };
        resize(out, &[size])?;
        let mut rest = out.data_mut::<T>()?;
        for (index, count) in repeats.iter().enumerate() {
            let count = crate::tensor::Element::to_i64(*count) as usize;
            let (own, others) = rest.split_at_mut(count.min(rest.len()));
            own.fill(<T as crate::tensor::Element>::from_i64(index as i64));
            rest = others;
        }
        Ok(())
    }, else Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_what_is_not_above_the_diagonal() {
        let rows = |diagonal| [0, 1, 2].map(|row| kept(row, diagonal, 4));
        assert_eq!(rows(0), [1, 2, 3]);
        assert_eq!(rows(2), [3, 4, 4]);
        assert_eq!(rows(-1), [0, 1, 2]);
        assert_eq!(rows(i64::MAX), [4; 3]);
        assert_eq!(rows(i64::MIN), [0; 3]);
    }
}
