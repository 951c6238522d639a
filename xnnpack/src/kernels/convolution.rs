//! Convolutions of `[n, h, w, c]`, plain and transposed.

use super::depthwise;
use super::linear::{Layer, Weights};
use crate::error::{Error, Result, ensure};
use crate::product::{Lines, OUTSIDE};
use crate::tensor::Tensor;
use et_schema::xnnpack::{Convolution, ConvolutionKind, flags};
use std::ops::Range;

/// Sizes of a convolution for an input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub batch: usize,
    /// Height, width and channels of the input.
    pub input: [usize; 3],
    /// Height and width of the output.
    pub out: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Padding at the top and at the left.
    pub padding: [usize; 2],
}

impl Geometry {
    /// Sizes for a window that moves over an input of `dims`.
    pub fn window(
        dims: &[usize],
        kernel: [u32; 2],
        stride: [u32; 2],
        dilation: [u32; 2],
        padding: [u32; 4],
        same: bool,
    ) -> Result<Self> {
        let &[batch, height, width, channels] = dims else {
            return Err(Error::new(format!("an image of {dims:?}")));
        };
        let wide = |pair: [u32; 2]| pair.map(|x| x as usize);
        let (kernel, stride, dilation) = (wide(kernel), wide(stride), wide(dilation));
        check(kernel, stride, dilation)?;
        let [top, right, bottom, left] = padding.map(|x| x as usize);
        let axis = |size: usize, axis: usize, before: usize, after: usize| {
            let reach = (kernel[axis] - 1).checked_mul(dilation[axis])?.checked_add(1)?;
            if same {
                let out = size.div_ceil(stride[axis]);
                let all = (out.saturating_sub(1) * stride[axis] + reach).saturating_sub(size);
                return Some((out, all / 2));
            }
            let padded = size.checked_add(before)?.checked_add(after)?;
            Some((padded.checked_sub(reach)? / stride[axis] + 1, before))
        };
        let (Some((rows, top)), Some((columns, left))) =
            (axis(height, 0, top, bottom), axis(width, 1, left, right))
        else {
            return Err(Error::new(format!("a kernel of {kernel:?} on an image of {dims:?}")));
        };
        Ok(Geometry {
            batch,
            input: [height, width, channels],
            out: [rows, columns],
            kernel,
            stride,
            dilation,
            padding: [top, left],
        })
    }

    /// Sizes of a transposed convolution, whose stride spreads the input.
    fn spread(dims: &[usize], it: &Convolution) -> Result<Self> {
        let &[batch, height, width, channels] = dims else {
            return Err(Error::new(format!("an image of {dims:?}")));
        };
        let wide = |pair: [u32; 2]| pair.map(|x| x as usize);
        let (kernel, stride, dilation) = (wide(it.kernel), wide(it.stride), wide(it.dilation));
        check(kernel, stride, dilation)?;
        let [top, right, bottom, left] = it.padding.map(|x| x as usize);
        let axis = |size: usize, axis: usize, padding: usize| {
            let reach = (kernel[axis] - 1).checked_mul(dilation[axis])?.checked_add(1)?;
            let spread = stride[axis].checked_mul(size.checked_sub(1)?)?.checked_add(reach)?;
            spread.checked_add(it.adjustment[axis] as usize)?.checked_sub(padding)
        };
        let (Some(rows), Some(columns)) =
            (axis(height, 0, top + bottom), axis(width, 1, left + right))
        else {
            return Err(Error::new(format!("a kernel of {kernel:?} on an image of {dims:?}")));
        };
        Ok(Geometry {
            batch,
            input: [height, width, channels],
            out: [rows, columns],
            kernel,
            stride,
            dilation,
            padding: [top, left],
        })
    }

    /// Pixels of the output.
    pub fn pixels(&self) -> Result<usize> {
        crate::tensor::count(&[self.batch, self.out[0], self.out[1]])
    }

    /// Batch, row and column of an output pixel.
    #[inline(always)]
    pub fn pixel(&self, index: usize) -> (usize, usize, usize) {
        let [rows, columns] = self.out;
        (index / (rows * columns), index / columns % rows, index % columns)
    }

    /// Columns of the output under which all taps lie in the image.
    fn whole_columns(&self) -> Range<usize> {
        let (stride, padding) = (self.stride[1], self.padding[1]);
        let reach = (self.kernel[1] - 1) * self.dilation[1] + 1;
        let first = padding.div_ceil(stride);
        let last = (self.input[1] + padding).checked_sub(reach).map_or(0, |room| room / stride + 1);
        first..last.min(self.out[1])
    }

    /// Columns of the output under which all taps lie in the image, as they do
    /// under the column before.
    pub fn inner_columns(&self) -> Range<usize> {
        let whole = self.whole_columns();
        whole.start + 1..whole.end
    }

    /// If all taps of output pixel `index` lie in the image: adds where each line of them
    /// begins, and returns how many pixels of `columns` there are from here on.
    fn lines(&self, index: usize, columns: &Range<usize>, places: &mut Vec<usize>) -> usize {
        let (batch, row, column) = self.pixel(index);
        let [height, width, channels] = self.input;
        let top = (row * self.stride[0]).wrapping_sub(self.padding[0]);
        let reach = (self.kernel[0] - 1) * self.dilation[0];
        if top >= height || height - top <= reach || !columns.contains(&column) {
            return 0;
        }
        let left = column * self.stride[1] - self.padding[1];
        let lines = (0..self.kernel[0]).map(|line| top + line * self.dilation[0]);
        places.extend(lines.map(|y| ((batch * height + y) * width + left) * channels));
        columns.end - column
    }

    /// Calls `found` with where the pixel under each tap of output pixel
    /// `index` begins, or nothing for a tap outside the image.
    #[inline(always)]
    pub fn under(&self, index: usize, mut found: impl FnMut(Option<usize>)) {
        let (batch, row, column) = self.pixel(index);
        let [height, width, channels] = self.input;
        let (top, left) = (row * self.stride[0], column * self.stride[1]);
        for tap in 0..self.kernel[0] {
            let y = (top + tap * self.dilation[0]).wrapping_sub(self.padding[0]);
            for tap in 0..self.kernel[1] {
                let x = (left + tap * self.dilation[1]).wrapping_sub(self.padding[1]);
                let inside = y < height && x < width;
                found(inside.then(|| ((batch * height + y) * width + x) * channels));
            }
        }
    }

    /// As [`Geometry::under`], for a transposed convolution.
    #[inline(always)]
    fn behind(&self, index: usize, mut found: impl FnMut(Option<usize>)) {
        let (batch, row, column) = self.pixel(index);
        let [height, width, channels] = self.input;
        let at = |place: usize, tap: usize, axis: usize, size: usize| {
            let place = (place + self.padding[axis]).checked_sub(tap * self.dilation[axis])?;
            let exact = place.is_multiple_of(self.stride[axis]);
            Some(place / self.stride[axis]).filter(|place| exact && *place < size)
        };
        for tap in 0..self.kernel[0] {
            let y = at(row, tap, 0, height);
            for tap in 0..self.kernel[1] {
                let x = at(column, tap, 1, width);
                let place = y.zip(x);
                found(place.map(|(y, x)| ((batch * height + y) * width + x) * channels));
            }
        }
    }
}

/// Most pixels under a kernel, for the same reason as the most elements of a value.
const MOST_TAPS: usize = 1 << 20;

fn check(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2]) -> Result {
    ensure!(
        kernel.iter().chain(&stride).chain(&dilation).all(|x| *x > 0)
            && kernel[0].checked_mul(kernel[1]).is_some_and(|taps| taps <= MOST_TAPS),
        "kernel {kernel:?}, stride {stride:?}, dilation {dilation:?}"
    );
    Ok(())
}

/// Weights of a convolution.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// A matrix per group.
    Groups(Weights),
    /// A number per tap and channel.
    Depthwise(depthwise::Weights),
}

/// `input * filter + bias`.
pub(crate) fn convolution(
    it: &Convolution,
    input: &Tensor,
    filter: &Filter,
    clamp: (f32, f32),
    out: &mut Tensor,
    threads: usize,
) -> Result {
    let transposed = it.kind == ConvolutionKind::Transposed;
    let geometry = if transposed {
        Geometry::spread(&input.dims, it)?
    } else {
        let same = it.flags & flags::SAME_PADDING != 0;
        Geometry::window(&input.dims, it.kernel, it.stride, it.dilation, it.padding, same)?
    };
    let channels = geometry.input[2];
    let (groups, inputs) = (it.groups as usize, it.group_inputs as usize);
    ensure!(
        groups.checked_mul(inputs) == Some(channels),
        "{channels} channels for {groups} groups of {inputs}"
    );
    let rows = geometry.pixels()?;
    let outputs = groups.saturating_mul(it.group_outputs as usize);
    let [height, width] = geometry.out;
    out.dims.clear();
    out.dims.extend([geometry.batch, height, width, outputs]);
    crate::tensor::count(&out.dims)?;
    let weights = match filter {
        Filter::Groups(weights) => weights,
        Filter::Depthwise(weights) => {
            return depthwise::run(weights, &geometry, input, clamp, out, threads);
        }
    };
    let [kernel_height, kernel_width] = geometry.kernel;
    let (taps, inner) = (kernel_height * kernel_width, geometry.inner_columns());
    let step = geometry.stride[1] * channels;
    let place = |group: usize, row: usize, places: &mut Vec<usize>| {
        if !transposed && places.len() >= taps && inner.contains(&(row % width)) {
            // As under the pixel before, a step further.
            for at in places.len() - taps..places.len() {
                let place = places[at];
                places.push(if place == OUTSIDE { OUTSIDE } else { place + step });
            }
            return;
        }
        let found = |place: Option<usize>| {
            places.push(place.map_or(OUTSIDE, |place| place + group * inputs));
        };
        if transposed { geometry.behind(row, found) } else { geometry.under(row, found) }
    };
    let columns = geometry.whole_columns();
    let whole = |row: usize, places: &mut Vec<usize>| geometry.lines(row, &columns, places);
    let side_by_side = !transposed && groups == 1 && geometry.dilation[1] == 1;
    let lines = side_by_side.then_some(Lines { taps: kernel_width, step, whole: &whole });
    let is_dense = taps == 1 && groups == 1 && geometry.stride == [1, 1];
    let dense = (is_dense && geometry.padding == [0, 0] && geometry.out == geometry.input[..2])
        .then_some(channels);
    Layer { input, weights, clamp, rows, place: &place, lines, dense, threads }.run(out)
}
