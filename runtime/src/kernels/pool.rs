//! Maximum and average pooling over two spatial dimensions.

use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Element, Sizes, TensorMut, TensorRef, with_dtype};
use alloc::format;
use core::ops::Range;
use et_schema::ScalarType;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::max_pool2d_with_indices.out", max_pool),
    ("aten::max_pool2d_with_indices_backward.grad_input", max_pool_backward),
    ("aten::avg_pool2d.out", avg_pool),
    ("aten::_adaptive_avg_pool2d.out", adaptive_avg_pool),
];

/// A window that slides over an image.
#[derive(Clone, Copy)]
struct Window {
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
    dilation: [i64; 2],
}

/// One number for both dimensions, or one for each.
fn pair(list: &[i64], name: &str, least: i64) -> KernelResult<[i64; 2]> {
    let pair = match *list {
        [both] => [both; 2],
        [h, w] => [h, w],
        _ => [-1; 2],
    };
    ensure!(pair.iter().all(|n| (least..=1 << 30).contains(n)), "{name} {list:?}");
    Ok(pair)
}

impl Window {
    /// Arguments from `first` on: kernel, stride (the kernel's size if empty), padding.
    fn of(args: &Args<'_>, first: usize, dilation: [i64; 2]) -> KernelResult<Self> {
        let kernel = pair(args.ints(first)?, "kernel size", 1)?;
        let stride = args.ints(first + 1)?;
        let stride = if stride.is_empty() { kernel } else { pair(stride, "stride", 1)? };
        let padding = pair(args.ints(first + 2)?, "padding", 0)?;
        ensure!(
            (0..2).all(|i| padding[i] <= kernel[i] / 2),
            "padding {padding:?} of more than half of the kernel {kernel:?}"
        );
        Ok(Window { kernel, stride, padding, dilation })
    }

    /// Positions of the window along `dim` over `size` elements.
    fn positions(&self, dim: usize, size: i64, ceil_mode: bool) -> KernelResult<i64> {
        let (stride, padding) = (self.stride[dim], self.padding[dim]);
        let span = self.dilation[dim] * (self.kernel[dim] - 1) + 1;
        let room = size + 2 * padding - span;
        let mut count = room.div_euclid(stride) + 1;
        // With ceil mode a last window may reach past the end, if it starts inside.
        if ceil_mode && room.rem_euclid(stride) != 0 && count * stride < size + padding {
            count += 1;
        }
        ensure!(
            room >= 0 || (ceil_mode && count > 0),
            "a window of {span} over {size} elements with padding {padding}"
        );
        Ok(count)
    }

    /// Elements that the window at `position` covers along `dim`.
    fn taps(&self, dim: usize, position: i64, size: i64) -> impl Iterator<Item = i64> + use<> {
        let first = position * self.stride[dim] - self.padding[dim];
        let dilation = self.dilation[dim];
        (0..self.kernel[dim])
            .map(move |k| first + k * dilation)
            .filter(move |i| (0..size).contains(i))
    }
}

/// Batch, channels, height and width with their strides; a batch of 1 if there is none.
struct Image {
    sizes: [i64; 4],
    strides: [usize; 4],
}

fn image(tensor: &TensorRef<'_>) -> KernelResult<Image> {
    let (s, t) = (tensor.sizes(), tensor.strides());
    let (sizes, strides) = match (s, t) {
        ([c, h, w], [tc, th, tw]) => ([1, *c, *h, *w], [0, *tc, *th, *tw]),
        ([n, c, h, w], [tn, tc, th, tw]) => ([*n, *c, *h, *w], [*tn, *tc, *th, *tw]),
        _ => return Err(KernelError::argument(format!("pooling of {s:?}"))),
    };
    ensure!(sizes[1] > 0 && sizes[2] > 0 && sizes[3] > 0, "pooling of {s:?}");
    Ok(Image { sizes: sizes.map(i64::from), strides: strides.map(|s| s as usize) })
}

fn resize(out: &mut TensorMut<'_>, input: &TensorRef<'_>, h: i64, w: i64) -> KernelResult {
    let mut sizes = Sizes::from_slice(input.sizes());
    let rank = sizes.len();
    let fits = |n: i64| i32::try_from(n).map_err(|_| KernelError::argument(format!("size {n}")));
    (sizes[rank - 2], sizes[rank - 1]) = (fits(h)?, fits(w)?);
    out.resize(&sizes)
}

/// Visits every element of a pooled image: offset of its plane in the input,
/// row and column of the window, offset in the output.
fn for_each_window(input: &Image, out: &Image, visit: &mut dyn FnMut(usize, i64, i64, usize)) {
    for n in 0..input.sizes[0] as usize {
        for c in 0..input.sizes[1] as usize {
            let plane = n * input.strides[0] + c * input.strides[1];
            let target = n * out.strides[0] + c * out.strides[1];
            for y in 0..out.sizes[2] {
                for x in 0..out.sizes[3] {
                    let place = target + y as usize * out.strides[2] + x as usize * out.strides[3];
                    visit(plane, y, x, place);
                }
            }
        }
    }
}

fn max_pool(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    let window = Window::of(args, 1, pair(args.ints(4)?, "dilation", 1)?)?;
    let ceil_mode = args.bool(5)?;
    let [out, indices] = outs.as_mut_slice() else {
        return Err(KernelError::argument("an output is missing"));
    };
    let from = image(&input)?;
    ensure!(
        input.scalar_type() == out.scalar_type() && indices.scalar_type() == ScalarType::Long,
        "outputs of {} and {}",
        out.scalar_type(),
        indices.scalar_type()
    );
    let [_, _, height, width] = from.sizes;
    let (h, w) = (window.positions(0, height, ceil_mode)?, window.positions(1, width, ceil_mode)?);
    resize(out, &input, h, w)?;
    resize(indices, &input, h, w)?;
    if out.numel() == 0 {
        return Ok(());
    }
    let to = image(&out.as_ref())?;
    with_dtype!(input.scalar_type(), real, T => {
        let source = input.data::<T>()?;
        let (target, indices) = (out.data_mut::<T>()?, indices.data_mut::<i64>()?);
        for_each_window(&from, &to, &mut |plane, y, x, place| {
            let (value, index) = maximum(&window, &from, &source[plane..], y, x);
            (target[place], indices[place]) = (value, index);
        });
        Ok(())
    }, else Err(KernelError::argument(format!("pooling of {}", input.scalar_type()))))
}

/// The largest element under the window and its index in the plane. As in
/// ExecuTorch's kernel, NaN is largest only where it comes first: nothing is more
/// than it, and it is more than nothing.
fn maximum<T: Element>(window: &Window, image: &Image, plane: &[T], y: i64, x: i64) -> (T, i64) {
    let [_, _, height, width] = image.sizes;
    let mut best: Option<(T, i64)> = None;
    for row in window.taps(0, y, height) {
        for column in window.taps(1, x, width) {
            let place = row as usize * image.strides[2] + column as usize * image.strides[3];
            let value = plane[place];
            if best.is_none_or(|(most, _)| value > most) {
                best = Some((value, row * width + column));
            }
        }
    }
    best.unwrap_or_default()
}

/// Adds the gradient of each window to the element that was its largest.
fn max_pool_backward(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (gradient, input, indices) = (args.tensor(0)?, args.tensor(1)?, args.tensor(7)?);
    let window = Window::of(args, 2, pair(args.ints(5)?, "dilation", 1)?)?;
    let (ceil_mode, out) = (args.bool(6)?, &mut outs[0]);
    let from = image(&input)?;
    ensure!(
        input.scalar_type() == gradient.scalar_type()
            && input.scalar_type() == out.scalar_type()
            && indices.scalar_type() == ScalarType::Long,
        "gradients of {} and {}, indices of {}",
        gradient.scalar_type(),
        out.scalar_type(),
        indices.scalar_type()
    );
    let [_, _, height, width] = from.sizes;
    let expected =
        [window.positions(0, height, ceil_mode)?, window.positions(1, width, ceil_mode)?];
    let rank = input.rank();
    let pooled = gradient.sizes().iter().map(|size| i64::from(*size));
    ensure!(
        expected.iter().all(|size| *size > 0)
            && pooled.eq(input.sizes()[..rank - 2].iter().map(|s| i64::from(*s)).chain(expected))
            && indices.sizes() == gradient.sizes()
            && indices.dim_order() == gradient.dim_order(),
        "gradients {:?} and indices {:?} of a pooled {:?}",
        gradient.sizes(),
        indices.sizes(),
        input.sizes()
    );
    out.resize(input.sizes()).map_err(|e| KernelError::argument(e.message))?;
    if out.numel() == 0 {
        return Ok(());
    }
    let (from, to) = (image(&out.as_ref())?, image(&gradient)?);
    let mut inside = true;
    with_dtype!(input.scalar_type(), float, T => {
        let (source, indices) = (gradient.data::<T>()?, indices.data::<i64>()?);
        let target = out.data_mut::<T>()?;
        target.fill(T::default());
        for_each_window(&from, &to, &mut |plane, _, _, place| {
            let index = indices[place];
            // -1 says that a window had no largest element.
            if (0..height * width).contains(&index) {
                let offset = index / width * from.strides[2] as i64
                    + index % width * from.strides[3] as i64;
                let sum = &mut target[plane + offset as usize];
                *sum = T::from_f64(sum.to_f64() + source[place].to_f64());
            } else {
                inside &= index == -1;
            }
        });
    }, else return Err(KernelError::argument(format!("pooling of {}", input.scalar_type()))));
    ensure!(inside, "an index beyond {height} by {width} elements");
    Ok(())
}

fn avg_pool(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    let window = Window::of(args, 1, [1, 1])?;
    let (ceil_mode, include_pad) = (args.bool(4)?, args.bool(5)?);
    let divisor = args.optional_int(6)?;
    ensure!(divisor != Some(0), "a divisor of 0");
    let out = &mut outs[0];
    let from = image(&input)?;
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    let [_, _, height, width] = from.sizes;
    let (h, w) = (window.positions(0, height, ceil_mode)?, window.positions(1, width, ceil_mode)?);
    resize(out, &input, h, w)?;
    if out.numel() == 0 {
        return Ok(());
    }
    let to = image(&out.as_ref())?;
    average(&input, out, &from, &to, &mut |y, x| {
        let starts = [(0, y), (1, x)].map(|(d, p)| p * window.stride[d] - window.padding[d]);
        let end = |d: usize, limit: i64| (starts[d] + window.kernel[d]).min(limit);
        // The part of the window that lies on the image or its padding.
        let padded = (end(0, height + window.padding[0]) - starts[0])
            * (end(1, width + window.padding[1]) - starts[1]);
        let rows = starts[0].max(0)..end(0, height);
        let columns = starts[1].max(0)..end(1, width);
        let inside = (rows.end - rows.start) * (columns.end - columns.start);
        (rows, columns, divisor.unwrap_or(if include_pad { padded } else { inside }))
    })
}

fn adaptive_avg_pool(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, sizes) = (args.tensor(0)?, pair(args.ints(1)?, "output size", 1)?);
    let out = &mut outs[0];
    let from = image(&input)?;
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    resize(out, &input, sizes[0], sizes[1])?;
    if out.numel() == 0 {
        return Ok(());
    }
    let to = image(&out.as_ref())?;
    let [_, _, height, width] = from.sizes;
    let range = |position: i64, size: i64, count: i64| {
        position * size / count..((position + 1) * size + count - 1) / count
    };
    average(&input, out, &from, &to, &mut |y, x| {
        let rows = range(y, height, sizes[0]);
        let columns = range(x, width, sizes[1]);
        let inside = (rows.end - rows.start) * (columns.end - columns.start);
        (rows, columns, inside)
    })
}

/// Rows and columns of a window, and what their sum is divided by.
type Part = (Range<i64>, Range<i64>, i64);

/// Means of the windows that `part` gives.
fn average(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    from: &Image,
    to: &Image,
    part: &mut dyn FnMut(i64, i64) -> Part,
) -> KernelResult {
    let refuse = || KernelError::argument(format!("averages of {}", input.scalar_type()));
    if input.scalar_type().is_integral(true) && input.scalar_type() != ScalarType::Long {
        return Err(refuse());
    }
    with_dtype!(input.scalar_type(), real, T => {
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        for_each_window(from, to, &mut |plane, y, x, place| {
            let (rows, columns, divisor) = part(y, x);
            let mut sum = 0.0;
            for row in rows {
                for column in columns.clone() {
                    let offset = row as usize * from.strides[2] + column as usize * from.strides[3];
                    sum += source[plane + offset].to_f64();
                }
            }
            target[place] = T::from_f64(sum / divisor as f64);
        });
        Ok(())
    }, else Err(KernelError::argument(format!("pooling of {}", input.scalar_type()))))
}
