//! Convolutions: sums over patches of the image, with a factor per output
//! channel. Where a patch leaves the image it adds nothing, which is what an
//! element equal to the zero point adds.
//!
//! Plain convolutions gather patches and multiply them with the weights of each
//! output channel; depthwise ones add the taps, all channels at once.

use super::image::{Form, Images, Window, pair};
use super::int8;
use super::products::{Rows, dot, widen};
use super::requantize::{Channels, Limits, offset};
use crate::error::{KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::kernels::{Args, Kernel, Outs};

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("cortex_m::quantized_conv2d.out", |args, outs| plain(args, outs, Form::ChannelsLast)),
    ("cortex_m::quantized_conv2d_nhwc.out", |args, outs| plain(args, outs, Form::Nhwc)),
    ("cortex_m::quantized_depthwise_conv2d.out", |args, outs| {
        depthwise(args, outs, Form::ChannelsLast)
    }),
    ("cortex_m::quantized_depthwise_conv2d_nhwc.out", |args, outs| {
        depthwise(args, outs, Form::Nhwc)
    }),
];

/// Sizes and numbers of a convolution.
struct Convolution {
    input: Images,
    output: Images,
    window: Window,
    input_offset: i16,
    channels: Channels,
}

impl Convolution {
    /// Arguments 0 to 5 are input, weight, bias, stride, padding and dilation; from `next` on
    /// the offsets of input and output, multipliers, shifts and limits.
    fn of(
        args: &Args<'_>,
        outs: &mut Outs<'_>,
        form: Form,
        next: usize,
        out_channels: usize,
    ) -> KernelResult<Self> {
        let (input, weight, bias) = (args.tensor(0)?, args.tensor(1)?, args.optional_tensor(2)?);
        let out = &mut outs[0];
        int8(&[&weight, out])?;
        ensure!(
            weight.rank() == 4 && weight.is_contiguous() && weight.numel() > 0,
            "weights of {:?}",
            weight.sizes()
        );
        let input = Images::of(&input, form)?;
        let window = Window {
            kernel: [weight.size(1), weight.size(2)],
            stride: pair(args.ints(3)?, 1, "stride")?,
            padding: pair(args.ints(4)?, 0, "padding")?,
            dilation: pair(args.ints(5)?, 1, "dilation")?,
        };
        let output = Images {
            batch: input.batch,
            size: window.positions(input.size, false)?,
            channels: out_channels,
        };
        output.shape(out, form)?;
        let limits = Limits::new(args.int(next + 1)?, args.int(next + 4)?, args.int(next + 5)?)?;
        let (multipliers, shifts) = (args.tensor(next + 2)?, args.tensor(next + 3)?);
        let channels = Channels::new(bias.as_ref(), &multipliers, &shifts, limits, out_channels)?;
        Ok(Convolution { input, output, window, input_offset: offset(args, next)?, channels })
    }
}

/// Weights are by output channel, height, width, input channel of the group.
fn plain(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let (input, weight) = (args.tensor(0)?, args.tensor(1)?);
    let convolution = Convolution::of(args, outs, form, 6, weight.size(0))?;
    let (own, all) = (weight.size(3), convolution.input.channels);
    let groups = all / own;
    ensure!(
        groups * own == all && groups > 0 && weight.size(0).is_multiple_of(groups),
        "weights of {:?} do not fit {all} channels",
        weight.sizes()
    );
    let (input, out) = (input.data::<i8>()?, outs[0].data_mut::<i8>()?);
    let rows = Rows::of(weight.data()?, weight.numel() / weight.size(0));
    let patches = Patches { convolution: &convolution, group_channels: own };
    vectorized(
        #[inline(always)]
        || patches.run(input, &rows, groups, out),
    );
    Ok(())
}

struct Patches<'a> {
    convolution: &'a Convolution,
    group_channels: usize,
}

impl Patches<'_> {
    fn depth(&self) -> usize {
        let [h, w] = self.convolution.window.kernel;
        h * w * self.group_channels
    }

    #[inline(always)]
    fn run(&self, input: &[i8], weights: &Rows, groups: usize, out: &mut [i8]) {
        let Convolution { input: from, output: to, .. } = self.convolution;
        let tile = Rows::per_tile(self.depth());
        let mut patches = Rows::zeros(tile, self.depth());
        let images = input.chunks_exact(from.elements().max(1));
        for (image, out) in images.zip(out.chunks_exact_mut(to.elements().max(1))) {
            for group in 0..groups {
                for (index, out) in out.chunks_mut(tile * to.channels).enumerate() {
                    let count = out.len() / to.channels;
                    for (i, patch) in patches.iter_mut().take(count).enumerate() {
                        self.gather(image, group, index * tile + i, patch);
                    }
                    self.multiply(&patches, weights, group, groups, out);
                }
            }
        }
    }

    /// Results of one group for a tile of pixels.
    #[inline(always)]
    fn multiply(
        &self,
        patches: &Rows,
        weights: &Rows,
        group: usize,
        groups: usize,
        out: &mut [i8],
    ) {
        let Convolution { output, channels, .. } = self.convolution;
        let own = output.channels / groups;
        for channel in group * own..(group + 1) * own {
            let (weights, bias) = (weights.row(channel), channels.bias[channel]);
            let pixels = out.chunks_exact_mut(output.channels);
            for (pixel, patch) in pixels.zip(patches.iter()) {
                let sum = dot(patch, weights).wrapping_add(bias);
                pixel[channel] = channels.finish(channel, sum);
            }
        }
    }

    /// The elements under the window at `pixel`, offset added; zeros beyond the image.
    #[inline(always)]
    fn gather(&self, image: &[i8], group: usize, pixel: usize, patch: &mut [i16]) {
        let Convolution { input, output, window, input_offset, .. } = self.convolution;
        let (y, x) = (pixel / output.size[1], pixel % output.size[1]);
        let (rows, columns) = (window.taps(0, y, input.size[0]), window.taps(1, x, input.size[1]));
        let own = self.group_channels;
        if rows.len() * columns.len() < window.kernel[0] * window.kernel[1] {
            patch.fill(0);
        }
        // Neighbours along a row are neighbours in memory, unless some are left out.
        let dense = own == input.channels && window.dilation[1] == 1;
        let run = if dense { columns.len() } else { 1 };
        for tap_y in rows {
            let line = window.place(0, y, tap_y) * input.size[1];
            for tap_x in columns.clone().step_by(run.max(1)) {
                let at = (line + window.place(1, x, tap_x)) * input.channels + group * own;
                let to = (tap_y * window.kernel[1] + tap_x) * own;
                let len = run * own;
                widen(&image[at..][..len], *input_offset, &mut patch[to..][..len]);
            }
        }
    }
}

/// Weights are by height, width, output channel.
fn depthwise(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let (input, weight, multiplier) = (args.tensor(0)?, args.tensor(1)?, args.int(6)?);
    let convolution = Convolution::of(args, outs, form, 7, weight.size(3))?;
    let channels = convolution.input.channels;
    let multiplier = usize::try_from(multiplier).unwrap_or(0);
    ensure!(
        weight.size(0) == 1
            && multiplier > 0
            && channels.checked_mul(multiplier) == Some(weight.size(3)),
        "weights of {:?} for {multiplier} times {channels} channels",
        weight.sizes()
    );
    let (input, out) = (input.data::<i8>()?, outs[0].data_mut::<i8>()?);
    let weight = weight.data::<i8>()?;
    vectorized(
        #[inline(always)]
        || convolution.taps(input, weight, multiplier, out),
    );
    Ok(())
}

impl Convolution {
    #[inline(always)]
    fn taps(&self, input: &[i8], weight: &[i8], multiplier: usize, out: &mut [i8]) {
        let (from, to, window) = (&self.input, &self.output, &self.window);
        let mut sums = Scratch::<i32>::new(self.channels.bias.len());
        let images = input.chunks_exact(from.elements().max(1));
        for (image, out) in images.zip(out.chunks_exact_mut(to.elements().max(1))) {
            for (pixel, out) in out.chunks_exact_mut(to.channels.max(1)).enumerate() {
                let (y, x) = (pixel / to.size[1], pixel % to.size[1]);
                sums.copy_from_slice(&self.channels.bias);
                for tap_y in window.taps(0, y, from.size[0]) {
                    let line = window.place(0, y, tap_y) * from.size[1];
                    for tap_x in window.taps(1, x, from.size[1]) {
                        let at = (line + window.place(1, x, tap_x)) * from.channels;
                        let tap = (tap_y * window.kernel[1] + tap_x) * to.channels;
                        let weight = &weight[tap..][..to.channels];
                        self.add(&image[at..][..from.channels], weight, multiplier, &mut sums);
                    }
                }
                for (channel, (out, sum)) in out.iter_mut().zip(sums.iter()).enumerate() {
                    *out = self.channels.finish(channel, *sum);
                }
            }
        }
    }

    /// Adds the products of one tap.
    #[inline(always)]
    fn add(&self, pixel: &[i8], weight: &[i8], multiplier: usize, sums: &mut [i32]) {
        let offset = i32::from(self.input_offset);
        if multiplier == 1 {
            for ((sum, value), weight) in sums.iter_mut().zip(pixel).zip(weight) {
                let product = (i32::from(*value) + offset) * i32::from(*weight);
                *sum = sum.wrapping_add(product);
            }
            return;
        }
        let own = sums.chunks_exact_mut(multiplier).zip(weight.chunks_exact(multiplier));
        for ((sums, weight), value) in own.zip(pixel) {
            for (sum, weight) in sums.iter_mut().zip(weight) {
                let product = (i32::from(*value) + offset) * i32::from(*weight);
                *sum = sum.wrapping_add(product);
            }
        }
    }
}
