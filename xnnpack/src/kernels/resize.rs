//! Bilinear resizing of `[n, h, w, c]`.

use crate::error::{Error, Result, ensure};
use crate::tensor::{Data, Tensor, count};

/// Where a row or column of the output lies between two of the input.
struct Between {
    low: usize,
    high: usize,
    /// How near it is to the second.
    weight: f32,
}

fn between(from: usize, to: usize, aligned: bool) -> Vec<Between> {
    let scale = if aligned && to > 1 {
        (from - 1) as f32 / (to - 1) as f32
    } else {
        from as f32 / to as f32
    };
    let place = |index: usize| {
        let at = if aligned { index as f32 * scale } else { (index as f32 + 0.5) * scale - 0.5 };
        let at = at.clamp(0.0, (from - 1) as f32);
        let low = at as usize;
        Between { low, high: (low + 1).min(from - 1), weight: at - low as f32 }
    };
    (0..to).map(place).collect()
}

/// The image with `height` rows and `width` columns.
pub(crate) fn bilinear(
    input: &Tensor,
    (height, width): (usize, usize),
    aligned: bool,
    out: &mut Tensor,
) -> Result {
    let &[batch, rows, columns, channels] = &input.dims[..] else {
        return Err(Error::new(format!("an image of {:?}", input.dims)));
    };
    ensure!(rows > 0 && columns > 0, "an image of {:?}", input.dims);
    out.dims.clear();
    out.dims.extend([batch, height, width, channels]);
    let size = count(&out.dims)?;
    ensure!(size > 0, "an image of {:?} as {height}x{width}", input.dims);
    let down = between(rows, height, aligned);
    let across = between(columns, width, aligned);
    let pixel = |batch: usize, y: usize, x: usize| ((batch * rows + y) * columns + x) * channels;
    let corners = |index: usize| {
        let (x, y) = (&across[index % width], &down[index / width % height]);
        let batch = index / width / height;
        let places = [
            pixel(batch, y.low, x.low),
            pixel(batch, y.low, x.high),
            pixel(batch, y.high, x.low),
            pixel(batch, y.high, x.high),
        ];
        (places, x.weight, y.weight)
    };
    let channels = channels.max(1);
    match (&input.data, &mut out.data) {
        (Data::F32(input), Data::F32(out)) => {
            out.set_len(size);
            for (index, out) in out.chunks_mut(channels).enumerate() {
                let (places, x, y) = corners(index);
                for (channel, out) in out.iter_mut().enumerate() {
                    let [a, b, c, d] = places.map(|place| input[place + channel]);
                    let (top, bottom) = (a + (b - a) * x, c + (d - c) * x);
                    *out = top + (bottom - top) * y;
                }
            }
        }
        (Data::Small(input), Data::Small(out)) => {
            out.set_len(size);
            for (index, out) in out.chunks_mut(channels).enumerate() {
                let (places, x, y) = corners(index);
                // XNNPACK's weights have 11 bits behind the point.
                let fixed = |weight: f32| (weight * 2048.0).round_ties_even() as i32;
                let (x, y) = (fixed(x), fixed(y));
                for (channel, out) in out.iter_mut().enumerate() {
                    let [a, b, c, d] = places.map(|place| i32::from(input[place + channel]));
                    let (top, bottom) = (a * 2048 + (b - a) * x, c * 2048 + (d - c) * x);
                    let sum = top * 2048 + (bottom - top) * y;
                    *out = ((sum + (1 << 21)) >> 22) as u8;
                }
            }
        }
        _ => return Err(Error::new("an input of another kind than the output")),
    }
    Ok(())
}
