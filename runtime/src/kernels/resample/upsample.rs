//! Resampling to an output size: nearest, bilinear, bilinear with anti-aliasing.

use super::taps::{Line, Pair, Tent};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::checks::{resize, same_dim_order, same_dtype};
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, TensorMeta, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::upsample_nearest2d.vec_out", nearest),
    ("aten::upsample_bilinear2d.vec_out", bilinear),
    ("aten::_upsample_bilinear2d_aa.out", antialiased),
];

/// Strides of images in elements: batch, channel, height, width.
type Strides = [usize; 4];

fn strides(tensor: &TensorMeta) -> Strides {
    core::array::from_fn(|dim| tensor.strides().get(dim).map_or(0, |s| *s as usize))
}

/// The pixels of an output: batch and channel, then row and column.
#[derive(Clone, Copy)]
struct Pixels {
    sizes: [usize; 4],
    from: Strides,
    to: Strides,
}

impl Pixels {
    fn of(input: &TensorRef<'_>, out: &TensorMut<'_>) -> Self {
        let sizes = core::array::from_fn(|dim| out.size(dim));
        Pixels { sizes, from: strides(input), to: strides(out) }
    }

    /// Calls `row` with the offset of each row's image in the input, the row's
    /// offset in the output, and its number.
    fn rows(&self, mut row: impl FnMut(usize, usize, usize)) {
        let [batch, channels, height, _] = self.sizes;
        for n in 0..batch {
            for c in 0..channels {
                let from = n * self.from[0] + c * self.from[1];
                let to = n * self.to[0] + c * self.to[1];
                for y in 0..height {
                    row(from, to + y * self.to[2], y);
                }
            }
        }
    }
}

/// Output height and width with their scales, from arguments of which one is given.
fn lines(
    input: &TensorRef<'_>,
    sizes: Option<&[i64]>,
    scales: Option<&[f64]>,
) -> KernelResult<[Line; 2]> {
    ensure!(input.rank() == 4, "an upsampling of {:?}", input.sizes());
    let mut lines = [Line { size: 0, out: 0, scale: 0.0 }; 2];
    for (index, line) in lines.iter_mut().enumerate() {
        line.size = input.size(index + 2);
        let (out, scale) = match (sizes, scales) {
            (Some(sizes), None) if sizes.len() == 2 => {
                (sizes[index] as f64, sizes[index] as f64 / line.size as f64)
            }
            (None, Some(scales)) if scales.len() == 2 && scales[index] > 0.0 => {
                (line.size as f64 * scales[index], scales[index])
            }
            _ => {
                let message = format!("an upsampling to sizes {sizes:?} or by scales {scales:?}");
                return Err(KernelError::argument(message));
            }
        };
        // ExecuTorch refuses empty outputs, and reads past the end of empty inputs.
        ensure!(
            (1.0..=f64::from(i32::MAX)).contains(&out) && line.size > 0,
            "{} pixels from {}",
            out,
            line.size
        );
        (line.out, line.scale) = (out as usize, scale);
    }
    Ok(lines)
}

/// Checks the tensors, gives the output its shape, and says whether it has pixels.
fn prepare(
    input: &TensorRef<'_>,
    lines: &[Line; 2],
    out: &mut TensorMut<'_>,
) -> KernelResult<bool> {
    same_dtype(input, out)?;
    same_dim_order(&[input, out])?;
    let sizes = input.sizes();
    resize(out, &[sizes[0], sizes[1], lines[0].out as i32, lines[1].out as i32])?;
    Ok(out.numel() > 0)
}

fn refuse(scalar_type: ScalarType) -> KernelError {
    KernelError::argument(format!("an upsampling of {scalar_type}"))
}

fn nearest(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let scales = if args.is_none(2) { None } else { Some(args.doubles(2)?) };
    let lines = lines(&input, args.optional_ints(1)?, scales)?;
    if !prepare(&input, &lines, out)? {
        return Ok(());
    }
    let (pixels, [rows, columns]) = (Pixels::of(&input, out), lines.map(|line| line.nearest()));
    with_dtype!(input.scalar_type(), real, T => {
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        pixels.rows(|from, to, y| {
            let row = &source[from + rows[y] as usize * pixels.from[2]..];
            let places = target[to..].iter_mut().step_by(pixels.to[3]);
            for (place, x) in places.zip(columns.iter()) {
                *place = row[*x as usize * pixels.from[3]];
            }
        });
        Ok(())
    }, else Err(refuse(input.scalar_type())))
}

/// Runs `$run::<T, A>($args)` with the element type and the float to compute in.
macro_rules! with_float {
    ($dtype:expr, $run:ident($($arg:expr),*)) => {
        match $dtype {
            ScalarType::Double => $run::<f64, f64>($($arg),*),
            other => with_dtype!(other, real, T => $run::<T, f32>($($arg),*), else Err(refuse(other))),
        }
    };
}

/// A float type to compute in.
trait Float: Element + core::ops::Mul<Output = Self> + core::ops::Add<Output = Self> {}
impl Float for f32 {}
impl Float for f64 {}

fn bilinear(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, align_corners, out) = (args.tensor(0)?, args.bool(2)?, &mut outs[0]);
    let scales = if args.is_none(3) { None } else { Some(args.doubles(3)?) };
    let lines = lines(&input, args.optional_ints(1)?, scales)?;
    if !prepare(&input, &lines, out)? {
        return Ok(());
    }
    let pairs = lines.map(|line| line.bilinear(align_corners));
    with_float!(input.scalar_type(), interpolate(&input, &pairs, out))
}

fn interpolate<T: Element, A: Float>(
    input: &TensorRef<'_>,
    [rows, columns]: &[Scratch<Pair>; 2],
    out: &mut TensorMut<'_>,
) -> KernelResult {
    let pixels = Pixels::of(input, out);
    let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
    pixels.rows(|from, to, y| {
        let [top, bottom] =
            [rows[y].first, rows[y].second].map(|y| &source[from + y as usize * pixels.from[2]..]);
        let [above, below] = rows[y].weights.map(|weight| weight.cast::<A>());
        let places = target[to..].iter_mut().step_by(pixels.to[3]);
        for (place, pair) in places.zip(columns.iter()) {
            let [left, right] = pair.weights.map(|weight| weight.cast::<A>());
            let [a, b] = [pair.first, pair.second].map(|x| x as usize * pixels.from[3]);
            let line = |row: &[T]| row[a].cast::<A>() * left + row[b].cast::<A>() * right;
            *place = (line(top) * above + line(bottom) * below).cast();
        }
    });
    Ok(())
}

fn antialiased(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, sizes, align_corners) = (args.tensor(0)?, args.ints(1)?, args.bool(2)?);
    let (scale_h, scale_w) = (args.optional_double(3)?, args.optional_double(4)?);
    let out = &mut outs[0];
    let mut lines = lines(&input, Some(sizes), None)?;
    // One scale alone is overlooked.
    if let (Some(height), Some(width)) = (scale_h, scale_w) {
        (lines[0].scale, lines[1].scale) = (height, width);
    }
    // The output is not resized.
    let expected = [input.size(0), input.size(1), lines[0].out, lines[1].out];
    let found = core::array::from_fn(|dim| out.size(dim));
    ensure!(
        out.rank() == 4 && found == expected,
        "an upsampling to {expected:?} into {:?}",
        out.sizes()
    );
    if !prepare(&input, &lines, out)? {
        return Ok(());
    }
    let tents = lines.map(|line| line.tents(align_corners));
    with_float!(input.scalar_type(), smooth(&input, &tents, out))
}

/// Sums that are rounded to the element type after each pixel, as ExecuTorch does.
fn smooth<T: Element, A: Float>(
    input: &TensorRef<'_>,
    [rows, columns]: &[Scratch<Tent>; 2],
    out: &mut TensorMut<'_>,
) -> KernelResult {
    let pixels = Pixels::of(input, out);
    let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
    pixels.rows(|from, to, y| {
        let places = target[to..].iter_mut().step_by(pixels.to[3]);
        for (place, column) in places.zip(columns.iter()) {
            let mut sum = T::default();
            for j in 0..rows[y].count {
                let row_weight = rows[y].weight(j);
                let row = from + (rows[y].first + j) as usize * pixels.from[2];
                for i in 0..column.count {
                    let pixel =
                        source[row + (column.first + i) as usize * pixels.from[3]].cast::<A>();
                    let part = pixel * row_weight.cast::<A>() * column.weight(i).cast::<A>();
                    sum = (sum.cast::<A>() + part).cast();
                }
            }
            *place = sum;
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::pte::Dynamism;

    fn meta(sizes: &[i32]) -> TensorMeta {
        TensorMeta::new(ScalarType::Float, sizes, &[], Dynamism::Static).unwrap()
    }

    fn outputs(sizes: &[i32], to: Option<&[i64]>, by: Option<&[f64]>) -> KernelResult<[usize; 2]> {
        let meta = meta(sizes);
        lines(&TensorRef { meta: &meta, data: &[] }, to, by).map(|lines| lines.map(|l| l.out))
    }

    #[test]
    fn sizes_come_from_one_of_sizes_and_scales() {
        let image = [1, 2, 5, 4];
        assert_eq!(outputs(&image, Some(&[7, 3]), None).unwrap(), [7, 3]);
        assert_eq!(outputs(&image, None, Some(&[1.5, 0.5])).unwrap(), [7, 2]);
        assert!(outputs(&image, None, None).is_err());
        assert!(outputs(&image, Some(&[7, 3]), Some(&[1.5, 0.5])).is_err());
    }

    #[test]
    fn sizes_without_pixels_are_refused() {
        let image = [1, 2, 5, 4];
        assert!(outputs(&image, Some(&[0, 3]), None).is_err());
        assert!(outputs(&image, Some(&[7, -3]), None).is_err());
        assert!(outputs(&image, Some(&[7]), None).is_err());
        assert!(outputs(&image, None, Some(&[0.1, 1.0])).is_err());
        assert!(outputs(&image, None, Some(&[1.0, f64::NAN])).is_err());
        assert!(outputs(&image, None, Some(&[1.0, 1e300])).is_err());
        assert!(outputs(&[1, 2, 0, 4], Some(&[7, 3]), None).is_err());
        assert!(outputs(&[2, 5, 4], Some(&[7, 3]), None).is_err());
    }
}
