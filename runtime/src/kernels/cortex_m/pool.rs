//! Average and maximum pooling. Padding counts for neither.

use super::image::{Form, Images, Window, pair};
use super::requantize::Limits;
use crate::error::{KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::kernels::{Args, Kernel, Outs};

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("cortex_m::quantized_avg_pool2d.out", |args, outs| average(args, outs, Form::ChannelsLast)),
    ("cortex_m::quantized_avg_pool2d_nhwc.out", |args, outs| average(args, outs, Form::Nhwc)),
    ("cortex_m::quantized_max_pool2d.out", |args, outs| maximum(args, outs, Form::ChannelsLast)),
    ("cortex_m::quantized_max_pool2d_nhwc.out", |args, outs| maximum(args, outs, Form::Nhwc)),
];

struct Pool {
    input: Images,
    output: Images,
    window: Window,
}

impl Pool {
    /// Arguments 0 to 3 are input, kernel, stride and padding.
    fn of(args: &Args<'_>, outs: &mut Outs<'_>, form: Form, ceil: bool) -> KernelResult<Self> {
        let input = Images::of(args.tensor(0)?.meta(), form)?;
        let window = Window {
            kernel: pair(args.ints(1)?, 1, "kernel size")?,
            stride: pair(args.ints(2)?, 1, "stride")?,
            padding: pair(args.ints(3)?, 0, "padding")?,
            dilation: [1, 1],
        };
        // So that every window meets the image.
        ensure!(
            (0..2).all(|i| window.padding[i] < window.kernel[i]),
            "padding {:?} is not less than the kernel {:?}",
            window.padding,
            window.kernel
        );
        let size = window.positions(input.size, ceil)?;
        let output = Images { size, ..input };
        super::int8(&[&outs[0]])?;
        output.shape(&mut outs[0], form)?;
        Ok(Pool { input, output, window })
    }

    /// Calls `pixel` with every pixel of the output, and a function that visits the pixels of
    /// the input under its window.
    #[inline(always)]
    fn each(
        &self,
        input: &[i8],
        out: &mut [i8],
        mut pixel: impl FnMut(&mut [i8], &dyn Fn(&mut dyn FnMut(&[i8]))),
    ) {
        let (from, to, window) = (&self.input, &self.output, &self.window);
        let images = input.chunks_exact(from.elements().max(1));
        for (image, out) in images.zip(out.chunks_exact_mut(to.elements().max(1))) {
            for (index, out) in out.chunks_exact_mut(to.channels.max(1)).enumerate() {
                let (y, x) = (index / to.size[1], index % to.size[1]);
                pixel(out, &|visit| {
                    for tap_y in window.taps(0, y, from.size[0]) {
                        let line = window.place(0, y, tap_y) * from.size[1];
                        for tap_x in window.taps(1, x, from.size[1]) {
                            let at = (line + window.place(1, x, tap_x)) * from.channels;
                            visit(&image[at..][..from.channels]);
                        }
                    }
                });
            }
        }
    }
}

/// Means are rounded to nearest, halves away from zero. Zero point, multiplier and shift say
/// what the numbers mean and change nothing.
fn average(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let input = args.tensor(0)?;
    let pool = Pool::of(args, outs, form, args.bool(4)?)?;
    let (input, out) = (input.data::<i8>()?, outs[0].data_mut::<i8>()?);
    let mut sums = Scratch::filled(pool.input.channels, 0i32);
    vectorized(
        #[inline(always)]
        || {
            pool.each(input, out, |out, visit| {
                let mut count = 0;
                sums.fill(0);
                visit(&mut |pixel| {
                    count += 1;
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum = sum.wrapping_add((*value).into());
                    }
                });
                for (out, sum) in out.iter_mut().zip(sums.iter()) {
                    *out = mean(*sum, count);
                }
            });
        },
    );
    Ok(())
}

#[inline(always)]
fn mean(sum: i32, count: i32) -> i8 {
    let half = if sum > 0 { count / 2 } else { -(count / 2) };
    let mean = sum.wrapping_add(half).checked_div(count).unwrap_or(0);
    mean.clamp(i8::MIN.into(), i8::MAX.into()) as i8
}

fn maximum(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let (input, dilation) = (args.tensor(0)?, args.ints(4)?);
    ensure!(dilation == [1, 1], "dilation {dilation:?}, expected [1, 1]");
    ensure!(!args.bool(5)?, "rounding sizes up is not supported");
    let (before, after) = (args.int(6)?, args.int(7)?);
    ensure!(
        before == after && i8::try_from(before).is_ok(),
        "zero points {before} and {after}, expected one 8-bit integer"
    );
    let (low, high) = (args.int(8)?, args.int(9)?);
    ensure!(low <= high, "limits {low} and {high}");
    let limits = Limits::new(0, low, high)?;
    let pool = Pool::of(args, outs, form, false)?;
    let (input, out) = (input.data::<i8>()?, outs[0].data_mut::<i8>()?);
    vectorized(
        #[inline(always)]
        || {
            pool.each(input, out, |out, visit| {
                out.fill(i8::MIN);
                visit(&mut |pixel| {
                    for (out, value) in out.iter_mut().zip(pixel) {
                        *out = (*out).max(*value);
                    }
                });
                out.iter_mut().for_each(|out| *out = limits.finish((*out).into()));
            });
        },
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::mean;

    #[test]
    fn means_round_halves_away_from_zero() {
        assert_eq!(
            [(5, 2), (-5, 2), (7, 4), (-7, 4), (-1, 3)].map(|(s, c)| mean(s, c)),
            [3, -3, 2, -2, 0]
        );
    }
}
