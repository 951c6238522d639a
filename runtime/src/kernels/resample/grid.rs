//! `grid_sampler_2d`: an image sampled at coordinates between -1 and 1.
//!
//! Integer images have integer coordinates. All weights but the first are 0
//! then, so that every interpolation takes the pixel at the coordinates.

use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::checks::{resize, same_dim_order, same_dtype};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] =
    &[("aten::grid_sampler_2d.out", grid_sampler)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interpolation {
    Bilinear,
    Nearest,
    Bicubic,
}

/// What is beyond the image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Padding {
    Zeros,
    Border,
    Reflection,
}

/// How coordinates become pixels.
#[derive(Clone, Copy)]
struct Sampling {
    interpolation: Interpolation,
    padding: Padding,
    /// -1 and 1 are the centers of the pixels in the corners, not their edges.
    align_corners: bool,
}

/// A float type to compute in.
trait Float: Element + num_traits::Float {}
impl Float for half::f16 {}
impl Float for half::bf16 {}
impl Float for f32 {}
impl Float for f64 {}

fn number<A: Element>(value: i64) -> A {
    A::from_i64(value)
}

/// Twice the bounds between which coordinates are reflected.
fn mirrors(size: i64, align_corners: bool) -> (i64, i64) {
    if align_corners { (0, 2 * (size - 1)) } else { (-1, 2 * size - 1) }
}

impl Sampling {
    fn of(args: &Args<'_>) -> KernelResult<Self> {
        let interpolation = match args.int(2)? {
            0 => Interpolation::Bilinear,
            1 => Interpolation::Nearest,
            2 => Interpolation::Bicubic,
            other => return Err(KernelError::argument(format!("interpolation mode {other}"))),
        };
        let padding = match args.int(3)? {
            0 => Padding::Zeros,
            1 => Padding::Border,
            2 => Padding::Reflection,
            other => return Err(KernelError::argument(format!("padding mode {other}"))),
        };
        Ok(Sampling { interpolation, padding, align_corners: args.bool(4)? })
    }

    /// The place between pixels of a coordinate.
    fn place<A: Float>(&self, coordinate: A, size: i64) -> A {
        let (one, two, size) = (number::<A>(1), number::<A>(2), number::<A>(size));
        if self.align_corners {
            ((coordinate + one) / two) * (size - one)
        } else {
            ((coordinate + one) * size - one) / two
        }
    }

    fn reflect<A: Float>(&self, place: A, size: i64) -> A {
        let (low, high) = mirrors(size, self.align_corners);
        if low == high {
            return A::default();
        }
        let two = number::<A>(2);
        let (low, span) = (number::<A>(low) / two, number::<A>(high - low) / two);
        let distance = (place - low).abs();
        let flips: i32 = (distance / span).floor().cast();
        let rest = distance % span;
        if flips % 2 == 0 { rest + low } else { span - rest + low }
    }

    /// The place inside of the image, unless zeros are beyond it. NaN is the last pixel.
    fn inside<A: Float>(&self, place: A, size: i64) -> A {
        let place = match self.padding {
            Padding::Zeros => return place,
            Padding::Border => place,
            Padding::Reflection => self.reflect(place, size),
        };
        let (first, last) = (A::default(), number::<A>(size - 1));
        let place = if place < first { first } else { place };
        if place < last { place } else { last }
    }

    /// The index of a pixel, `None` if it is a zero beyond the image.
    fn pixel(&self, index: i64, size: i64) -> Option<usize> {
        match self.padding {
            Padding::Zeros => usize::try_from(index).ok().filter(|_| index < size),
            _ => Some(index.clamp(0, size - 1) as usize),
        }
    }

    /// As [`Self::pixel`], of a neighbour that was not moved inside before.
    fn neighbour<A: Float>(&self, index: i64, size: i64) -> Option<usize> {
        let index = if self.padding == Padding::Reflection {
            self.inside(number::<A>(index), size).cast()
        } else {
            index
        };
        self.pixel(index, size)
    }

    /// The pixels along a line that a coordinate is made of, and their weights.
    fn taps<A: Float>(&self, coordinate: A, size: i64) -> Taps<A> {
        let place = self.place(coordinate, size);
        let mut taps = Taps::default();
        match self.interpolation {
            Interpolation::Bilinear => {
                let place = self.inside(place, size);
                let first: i64 = place.floor().cast();
                let second = first.wrapping_add(1);
                taps.pixels[..2].copy_from_slice(&[first, second].map(|i| self.pixel(i, size)));
                taps.weights[..2]
                    .copy_from_slice(&[number::<A>(second) - place, place - number::<A>(first)]);
            }
            Interpolation::Nearest => {
                let index = round_to_even(self.inside(place, size)).cast();
                (taps.pixels[0], taps.weights[0]) = (self.pixel(index, size), number(1));
            }
            Interpolation::Bicubic => {
                let first: i64 = place.floor().cast();
                let rest = place - number::<A>(first);
                taps.pixels = [-1, 0, 1, 2]
                    .map(|offset| self.neighbour::<A>(first.wrapping_add(offset), size));
                taps.weights = cubic(rest);
            }
        }
        taps
    }

    /// The index of an integer coordinate, computed in its type.
    fn whole<T: Element>(&self, coordinate: T, size: i64) -> Option<usize> {
        let next = coordinate.to_i64().wrapping_add(1);
        let place = if self.align_corners {
            (next / 2).wrapping_mul(size - 1)
        } else {
            next.wrapping_mul(size).wrapping_sub(1) / 2
        };
        let wrapped = |value: i64| T::from_i64(value).to_i64();
        let mut place = wrapped(place);
        if self.padding == Padding::Reflection {
            let (low, high) = mirrors(size, self.align_corners);
            let (middle, span) = (wrapped(low) / 2, wrapped(high - low) / 2);
            let distance = wrapped(place.wrapping_sub(middle).wrapping_abs());
            let rest = distance.checked_rem(span).unwrap_or(0);
            let even = distance.checked_div(span).unwrap_or(0) % 2 == 0;
            place = wrapped(if even { rest } else { span - rest }.wrapping_add(middle));
            if low == high {
                place = 0;
            }
        }
        self.pixel(place, size)
    }
}

/// Up to four pixels along a line; `None` is a zero.
#[derive(Clone, Copy)]
struct Taps<A> {
    pixels: [Option<usize>; 4],
    weights: [A; 4],
}

impl<A: Float> Default for Taps<A> {
    fn default() -> Self {
        Taps { pixels: [None; 4], weights: [A::default(); 4] }
    }
}

/// To the nearest integer; halves to the even one.
fn round_to_even<A: Float>(value: A) -> A {
    let (two, rounded) = (number::<A>(2), value.round());
    let half = (value - value.trunc()).abs() * two == number(1);
    if half { (value / two).round() * two } else { rounded }
}

/// Weights of four neighbours for a place `t` between the inner two, with a = -0.75.
fn cubic<A: Float>(t: A) -> [A; 4] {
    let a: A = (-0.75f32).cast();
    let n = number::<A>;
    let near = |x: A| ((a + n(2)) * x - (a + n(3))) * x * x + n(1);
    let far = |x: A| ((a * x - n(5) * a) * x + n(8) * a) * x - n(4) * a;
    let back = n(1) - t;
    [far(t + n(1)), near(t), near(back), far(back + n(1))]
}

/// Strides and sizes of a call.
struct Layout {
    image: [usize; 4],
    grid: [usize; 4],
    out: [usize; 4],
    sizes: [usize; 4],
    height: i64,
    width: i64,
}

impl Layout {
    /// Calls `pixel` with the offsets of each pixel of the output: its
    /// coordinates in the grid, its image in the input, its place in the output.
    fn each(&self, mut pixel: impl FnMut(usize, usize, usize)) {
        let [batch, _, height, width] = self.sizes;
        for n in 0..batch {
            for y in 0..height {
                for x in 0..width {
                    let grid = n * self.grid[0] + y * self.grid[1] + x * self.grid[2];
                    let out = n * self.out[0] + y * self.out[2] + x * self.out[3];
                    pixel(grid, n * self.image[0], out);
                }
            }
        }
    }
}

fn grid_sampler(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, grid, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    let sampling = Sampling::of(args)?;
    let ([n, c, h, w], [grid_n, rows, columns, 2]) = (input.sizes(), grid.sizes()) else {
        let message = format!("an image {:?} with a grid {:?}", input.sizes(), grid.sizes());
        return Err(KernelError::argument(message));
    };
    ensure!(n == grid_n, "{n} images with {grid_n} grids");
    same_dtype(&input, out)?;
    same_dtype(&input, &grid)?;
    ensure!(input.is_contiguous(), "an image that is not contiguous");
    same_dim_order(&[&input, out])?;
    resize(out, &[*n, *c, *rows, *columns])?;
    if out.numel() == 0 {
        return Ok(());
    }
    ensure!(*h > 0 && *w > 0, "an image without pixels");
    let strides = |strides: &[i32]| core::array::from_fn(|dim| strides[dim] as usize);
    let layout = Layout {
        image: strides(input.strides()),
        grid: strides(grid.strides()),
        out: strides(out.strides()),
        sizes: core::array::from_fn(|dim| out.size(dim)),
        height: (*h).into(),
        width: (*w).into(),
    };
    let call = (sampling, &layout, &input, &grid, out);
    // Except when bilinear, 16-bit floats are rounded after every step.
    let wide = sampling.interpolation == Interpolation::Bilinear;
    match input.scalar_type() {
        ScalarType::Double => interpolate::<f64, f64>(call),
        ScalarType::Float => interpolate::<f32, f32>(call),
        ScalarType::Half if wide => interpolate::<half::f16, f32>(call),
        ScalarType::Half => interpolate::<half::f16, half::f16>(call),
        ScalarType::BFloat16 if wide => interpolate::<half::bf16, f32>(call),
        ScalarType::BFloat16 => interpolate::<half::bf16, half::bf16>(call),
        other => with_dtype!(other, real, T => pick::<T>(call), else {
            Err(KernelError::argument(format!("an image of {other}")))
        }),
    }
}

/// How, where, the image, the grid, and the output.
type Call<'a, 't, 'o> =
    (Sampling, &'a Layout, &'a TensorRef<'t>, &'a TensorRef<'t>, &'a mut TensorMut<'o>);

fn pick<T: Element>((sampling, layout, input, grid, out): Call<'_, '_, '_>) -> KernelResult {
    let (source, grid, target) = (input.data::<T>()?, grid.data::<T>()?, out.data_mut::<T>()?);
    layout.each(|coordinates, image, place| {
        let x = sampling.whole(grid[coordinates], layout.width);
        let y = sampling.whole(grid[coordinates + layout.grid[3]], layout.height);
        let pixel = y.zip(x).map(|(y, x)| image + y * layout.image[2] + x * layout.image[3]);
        for c in 0..layout.sizes[1] {
            let value = pixel.map(|pixel| source[pixel + c * layout.image[1]]);
            target[place + c * layout.out[1]] = value.unwrap_or_default();
        }
    });
    Ok(())
}

fn interpolate<T: Element, A: Float>(
    (sampling, layout, input, grid, out): Call<'_, '_, '_>,
) -> KernelResult {
    let (source, grid, target) = (input.data::<T>()?, grid.data::<T>()?, out.data_mut::<T>()?);
    layout.each(|coordinates, image, place| {
        let x = sampling.taps::<A>(grid[coordinates].cast(), layout.width);
        let y = sampling.taps::<A>(grid[coordinates + layout.grid[3]].cast(), layout.height);
        for c in 0..layout.sizes[1] {
            let channel = &source[image + c * layout.image[1]..];
            let value =
                |y: usize, x: usize| channel[y * layout.image[2] + x * layout.image[3]].cast::<A>();
            let sum = match sampling.interpolation {
                Interpolation::Bicubic => surface(&x, &y, value),
                _ => mean(&x, &y, value),
            };
            target[place + c * layout.out[1]] = sum.cast();
        }
    });
    Ok(())
}

/// The sum of the pixels that are there, each with the product of its weights.
fn mean<A: Float>(x: &Taps<A>, y: &Taps<A>, value: impl Fn(usize, usize) -> A) -> A {
    let mut sum = A::default();
    for (row, row_weight) in y.pixels.iter().zip(y.weights).take(2) {
        for (column, weight) in x.pixels.iter().zip(x.weights).take(2) {
            if let (Some(row), Some(column)) = (row, column) {
                sum = sum + value(*row, *column) * (weight * row_weight);
            }
        }
    }
    sum
}

/// Four lines interpolated, and then the column of their results.
fn surface<A: Float>(x: &Taps<A>, y: &Taps<A>, value: impl Fn(usize, usize) -> A) -> A {
    let sum = |values: [A; 4], weights: [A; 4]| {
        let [a, b, c, d] = core::array::from_fn(|i| values[i] * weights[i]);
        a + b + c + d
    };
    let lines = y.pixels.map(|row| {
        let line = x.pixels.map(|column| match (row, column) {
            (Some(row), Some(column)) => value(row, column),
            _ => A::default(),
        });
        sum(line, x.weights)
    });
    sum(lines, y.weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling(padding: Padding, align_corners: bool) -> Sampling {
        Sampling { interpolation: Interpolation::Bilinear, padding, align_corners }
    }

    #[test]
    fn corners_are_centers_or_edges() {
        let aligned = sampling(Padding::Zeros, true);
        assert_eq!([-1f32, 0.0, 1.0].map(|c| aligned.place(c, 5)), [0.0, 2.0, 4.0]);
        let edges = sampling(Padding::Zeros, false);
        assert_eq!([-1f32, 0.0, 1.0].map(|c| edges.place(c, 5)), [-0.5, 2.0, 4.5]);
    }

    #[test]
    fn places_beyond_the_image_are_mirrored() {
        let aligned = sampling(Padding::Reflection, true);
        assert_eq!([-1f32, 3.0, 4.0, 7.0].map(|p| aligned.inside(p, 4)), [1.0, 3.0, 2.0, 1.0]);
        let edges = sampling(Padding::Reflection, false);
        assert_eq!([-1f32, 3.0, 4.0, 5.0].map(|p| edges.inside(p, 4)), [0.0, 3.0, 3.0, 2.0]);
        assert_eq!(aligned.inside(7f32, 1), 0.0);
    }

    #[test]
    fn no_coordinate_leaves_the_image() {
        let extremes = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1e30, 0.3];
        for padding in [Padding::Zeros, Padding::Border, Padding::Reflection] {
            for (coordinate, align_corners) in
                extremes.iter().flat_map(|c| [(*c, true), (*c, false)])
            {
                for interpolation in
                    [Interpolation::Bilinear, Interpolation::Nearest, Interpolation::Bicubic]
                {
                    let sampling = Sampling { interpolation, padding, align_corners };
                    let taps = sampling.taps(coordinate, 3);
                    assert!(taps.pixels.iter().flatten().all(|pixel| *pixel < 3));
                }
                let whole = sampling(padding, align_corners).whole(coordinate as i8, 3);
                assert!(whole.is_none_or(|pixel| pixel < 3));
            }
        }
    }

    #[test]
    fn halves_are_rounded_to_even() {
        let rounded = [0.5f32, 1.5, 2.5, -0.5, 2.4, f32::INFINITY].map(round_to_even);
        assert_eq!(rounded, [0.0, 2.0, 2.0, 0.0, 2.0, f32::INFINITY]);
    }
}
