//! Images with channels innermost in memory, and windows that move over them.
//!
//! Operators come in two forms that differ in the order of dimensions and not in
//! memory: batch, channels, height, width in a channels-last layout, and batch,
//! height, width, channels (`_nhwc`) in index order.

use super::int8;
use crate::error::{KernelResult, ensure};
use crate::tensor::{TensorMeta, TensorMut};
use core::ops::Range;

/// Which form an operator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Sizes are batch, channels, height, width.
    ChannelsLast,
    /// Sizes are batch, height, width, channels.
    Nhwc,
}

/// Sizes of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Images {
    pub batch: usize,
    /// Height and width.
    pub size: [usize; 2],
    pub channels: usize,
}

impl Images {
    /// # Errors
    /// The tensor is no int8, has not four dimensions, or other ones than channels innermost.
    pub fn of(tensor: &TensorMeta, form: Form) -> KernelResult<Self> {
        int8(&[tensor])?;
        ensure!(tensor.rank() == 4, "images of {:?}", tensor.sizes());
        let at = |dim: usize| tensor.size(dim);
        let (images, innermost) = match form {
            Form::ChannelsLast => {
                let images = Images { batch: at(0), size: [at(2), at(3)], channels: at(1) };
                // Where channels or pixels are single, both layouts are one.
                let same = at(1) == 1 || images.pixels() == 1;
                (images, tensor.is_channels_last() || same && tensor.is_contiguous())
            }
            Form::Nhwc => {
                let images = Images { batch: at(0), size: [at(1), at(2)], channels: at(3) };
                (images, tensor.is_contiguous())
            }
        };
        ensure!(
            innermost,
            "expected channels innermost in memory, the dim order is {:?}",
            tensor.dim_order()
        );
        Ok(images)
    }

    /// Gives the output these sizes.
    ///
    /// # Errors
    /// It cannot have them, or has another layout.
    pub fn shape(&self, out: &mut TensorMut<'_>, form: Form) -> KernelResult {
        let ([h, w], c) = (self.size, self.channels);
        let sizes = match form {
            Form::ChannelsLast => [self.batch, c, h, w],
            Form::Nhwc => [self.batch, h, w, c],
        };
        ensure!(sizes.iter().all(|s| *s <= i32::MAX as usize), "an output of {sizes:?}");
        out.resize(&sizes.map(|s| s as i32))?;
        Images::of(out, form).map(|_| ())
    }

    pub fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Elements of one image.
    pub fn elements(&self) -> usize {
        self.pixels() * self.channels
    }
}

/// Numbers for height and width, at least `least` each.
///
/// # Errors
/// There are not two, or one is out of range.
pub(super) fn pair(list: &[i64], least: i64, name: &str) -> KernelResult<[usize; 2]> {
    match *list {
        [h, w] if [h, w].iter().all(|n| (least..=1 << 20).contains(n)) => {
            Ok([h as usize, w as usize])
        }
        _ => Err(crate::KernelError::argument(alloc::format!(
            "{name} {list:?}, expected two numbers from {least}"
        ))),
    }
}

/// A window that moves over images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

impl Window {
    /// Positions over images of `size`. With `ceil`, a last window may reach past the end if
    /// it starts before it.
    ///
    /// # Errors
    /// The window is larger than the images.
    pub fn positions(&self, size: [usize; 2], ceil: bool) -> KernelResult<[usize; 2]> {
        let mut positions = [0; 2];
        for dim in 0..2 {
            let (stride, padding) = (self.stride[dim], self.padding[dim]);
            let reach = self.dilation[dim].saturating_mul(self.kernel[dim].saturating_sub(1));
            let span = reach.saturating_add(1);
            let room = (size[dim] + 2 * padding).checked_sub(span);
            ensure!(
                room.is_some() && size[dim] > 0,
                "a window of {span} over {} elements with padding {padding}",
                size[dim]
            );
            let room = room.unwrap_or(0);
            positions[dim] = room / stride + 1;
            let one_more =
                !room.is_multiple_of(stride) && positions[dim] * stride < size[dim] + padding;
            positions[dim] += usize::from(ceil && one_more);
        }
        Ok(positions)
    }

    /// The taps along `dim` that meet the image at `position`.
    pub fn taps(&self, dim: usize, position: usize, size: usize) -> Range<usize> {
        let (start, step) = (position * self.stride[dim], self.dilation[dim]);
        let first = self.padding[dim].saturating_sub(start).div_ceil(step);
        let end = (size + self.padding[dim]).saturating_sub(start).div_ceil(step);
        first..end.min(self.kernel[dim]).max(first)
    }

    /// Where the tap meets the image; only for those that [`Window::taps`] gives.
    pub fn place(&self, dim: usize, position: usize, tap: usize) -> usize {
        position * self.stride[dim] + tap * self.dilation[dim] - self.padding[dim]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Window {
        Window {
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [dilation; 2],
        }
    }

    #[test]
    fn taps_are_those_that_meet_the_image() {
        for (kernel, stride, padding, dilation, size) in
            [(3, 1, 1, 1, 5), (3, 2, 1, 1, 6), (3, 1, 2, 2, 7), (5, 3, 4, 1, 4), (2, 2, 0, 3, 9)]
        {
            let window = window(kernel, stride, padding, dilation);
            let positions = window.positions([size; 2], false).unwrap()[0];
            for position in 0..positions {
                let taps = window.taps(0, position, size);
                for tap in 0..kernel {
                    let at = (position * stride + tap * dilation) as i64 - padding as i64;
                    let inside = (0..size as i64).contains(&at);
                    assert_eq!(taps.contains(&tap), inside, "{window:?} {position} {tap}");
                    if inside {
                        assert_eq!(window.place(0, position, tap) as i64, at);
                    }
                }
            }
        }
    }

    #[test]
    fn a_last_window_reaches_past_the_end_if_asked_to() {
        let window = window(2, 2, 0, 1);
        assert_eq!(window.positions([5, 4], false).unwrap(), [2, 2]);
        assert_eq!(window.positions([5, 4], true).unwrap(), [3, 2]);
        assert!(window.positions([1, 4], false).is_err());
    }
}
