//! Windows over images of `[n, h, w, c]`: means and largest numbers.

use super::convolution::Geometry;
use super::sums::requantize;
use crate::buffer::Buffer;
use crate::error::{Error, Result, ensure};
use crate::tensor::{Data, RANGE, Tensor, count};
use et_schema::xnnpack::{Pooling, PoolingKind, flags};

/// Mean or largest number of each window.
pub(crate) fn pooling(it: &Pooling, input: &Tensor, clamp: (f32, f32), out: &mut Tensor) -> Result {
    let same = it.flags & flags::SAME_PADDING != 0;
    // Average pooling has no dilation; some files say 0.
    let dilation = it.dilation.map(|dilation| dilation.max(1));
    let geometry = Geometry::window(&input.dims, it.kernel, it.stride, dilation, it.padding, same)?;
    let pixels = shape(&geometry, out)?;
    let quantized = out.quantization();
    match (it.kind, &input.data, &mut out.data) {
        (PoolingKind::Average, Data::F32(input), Data::F32(out)) => {
            windows(
                &geometry,
                pixels,
                input,
                out,
                0.0,
                |sum, x| sum + x,
                |sum, taps| (sum * (1.0 / taps as f32)).max(clamp.0).min(clamp.1),
            );
        }
        (PoolingKind::Max, Data::F32(input), Data::F32(out)) => {
            let lowest = f32::NEG_INFINITY;
            windows(&geometry, pixels, input, out, lowest, f32::max, |x, _| {
                x.max(clamp.0).min(clamp.1)
            });
        }
        (PoolingKind::Max, Data::Small(input), Data::Small(out)) => {
            let to = quantized.ok_or_else(|| Error::new("integers without a scale"))?;
            let (low, high) = super::convert::clamped(to, RANGE, clamp);
            windows(&geometry, pixels, input, out, 0, u8::max, |x, _| {
                x.clamp(low as u8, high as u8)
            });
        }
        (PoolingKind::Average, Data::Small(data), Data::Small(out)) => {
            let from = input.quantized()?;
            let to = quantized.ok_or_else(|| Error::new("integers without a scale"))?;
            let sums = &mut Buffer::new();
            let centered: Vec<i32> = data.iter().map(|q| i32::from(*q) - from.zero).collect();
            windows(&geometry, pixels, &centered, sums, 0, i32::wrapping_add, |sum, taps| {
                let scale = from.scale / (to.scale * taps as f32);
                i32::from(requantize(sum as f32 * scale, to.zero, RANGE))
            });
            out.clear();
            out.extend(sums.iter().map(|q| *q as u8));
        }
        _ => return Err(Error::new("an input of another kind than the output")),
    }
    Ok(())
}

/// Sets the shape of `out`; returns its pixels.
fn shape(geometry: &Geometry, out: &mut Tensor) -> Result<usize> {
    let [height, width] = geometry.out;
    out.dims.clear();
    out.dims.extend([geometry.batch, height, width, geometry.input[2]]);
    count(&out.dims)?;
    geometry.pixels()
}

/// Folds the pixels of each window, channel by channel, and finishes the
/// result with the number of pixels that were in the image.
#[inline(always)]
fn windows<T: Copy + Default>(
    geometry: &Geometry,
    pixels: usize,
    input: &[T],
    out: &mut Buffer<T>,
    start: T,
    fold: impl Fn(T, T) -> T,
    finish: impl Fn(T, usize) -> T,
) {
    let channels = geometry.input[2];
    out.fill_to(pixels * channels, start);
    if channels == 0 {
        return;
    }
    for (index, out) in out.chunks_exact_mut(channels).enumerate() {
        let mut inside = 0;
        geometry.under(index, |place| {
            let Some(place) = place else { return };
            inside += 1;
            for (out, x) in out.iter_mut().zip(&input[place..][..channels]) {
                *out = fold(*out, *x);
            }
        });
        out.iter_mut().for_each(|x| *x = finish(*x, inside));
    }
}

/// Largest number of each window, and which pixel of the window it is. Windows
/// lie side by side.
pub(crate) fn arg_max(
    (kernel, padding): ([u32; 2], [u32; 4]),
    same: bool,
    input: &Tensor,
    values: &mut Tensor,
    indexes: &mut Tensor,
) -> Result {
    let geometry = Geometry::window(&input.dims, kernel, kernel, [1, 1], padding, same)?;
    let pixels = shape(&geometry, values)?;
    indexes.dims.clone_from(&values.dims);
    let channels = geometry.input[2];
    let input = input.data.floats()?;
    let (Data::F32(values), Data::I32(indexes)) = (&mut values.data, &mut indexes.data) else {
        return Err(Error::new("largest numbers are float32 and their places int32"));
    };
    values.fill_to(pixels * channels, f32::NEG_INFINITY);
    indexes.fill_to(pixels * channels, 0);
    for pixel in 0..pixels {
        let mut tap = 0;
        geometry.under(pixel, |place| {
            if let Some(place) = place {
                for channel in 0..channels {
                    let (x, own) = (input[place + channel], pixel * channels + channel);
                    if x > values[own] {
                        values[own] = x;
                        indexes[own] = tap;
                    }
                }
            }
            tap += 1;
        });
    }
    Ok(())
}

/// Mean over height and width of `[n, h, w, c]`.
pub(crate) fn global_average(input: &Tensor, clamp: (f32, f32), out: &mut Tensor) -> Result {
    let &[batch, height, width, channels] = &input.dims[..] else {
        return Err(Error::new(format!("an image of {:?}", input.dims)));
    };
    out.dims.clear();
    out.dims.extend([batch, 1, 1, channels]);
    let size = count(&[batch, channels])?;
    let pixels = count(&[height, width])?;
    ensure!(pixels > 0 || size == 0, "a mean of no pixels");
    let quantized = out.quantization();
    match (&input.data, &mut out.data) {
        (Data::F32(input), Data::F32(out)) => {
            out.fill_to(size, 0.0);
            let factor = 1.0 / pixels as f32;
            each_image(input, pixels, channels, out, |sum, x| *sum += x);
            out.iter_mut().for_each(|x| *x = (*x * factor).max(clamp.0).min(clamp.1));
        }
        (Data::Small(data), Data::Small(out)) => {
            let from = input.quantized()?;
            let to = quantized.ok_or_else(|| Error::new("integers without a scale"))?;
            let range = super::convert::clamped(to, RANGE, clamp);
            let mut sums = vec![0i32; size];
            each_image(data, pixels, channels, &mut sums, |sum, q| {
                *sum = sum.wrapping_add(i32::from(q) - from.zero);
            });
            let scale = from.scale / (to.scale * pixels as f32);
            out.clear();
            out.extend(sums.iter().map(|sum| requantize(*sum as f32 * scale, to.zero, range)));
        }
        _ => return Err(Error::new("an input of another kind than the output")),
    }
    Ok(())
}

fn each_image<T: Copy, S>(
    input: &[T],
    pixels: usize,
    channels: usize,
    sums: &mut [S],
    add: impl Fn(&mut S, T),
) {
    let (image, channels) = ((pixels * channels).max(1), channels.max(1));
    for (image, sums) in input.chunks(image).zip(sums.chunks_mut(channels)) {
        for pixel in image.chunks(channels) {
            sums.iter_mut().zip(pixel).for_each(|(sum, x)| add(sum, *x));
        }
    }
}
