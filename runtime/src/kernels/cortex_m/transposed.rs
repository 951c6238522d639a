//! Transposed convolution: every pixel of the input spreads its products over
//! the pixels of the output that its window covers.

use super::image::{Form, Images, pair};
use super::int8;
use super::products::{Rows, dot, widen};
use super::requantize::{Channels, Limits, offset};
use crate::error::{KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::TensorRef;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("cortex_m::quantized_transpose_conv2d.out", |args, outs| {
        transposed(args, outs, Form::ChannelsLast)
    }),
    ("cortex_m::quantized_transpose_conv2d_nhwc.out", |args, outs| {
        transposed(args, outs, Form::Nhwc)
    }),
];

struct Transposed {
    input: Images,
    output: Images,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    input_offset: i16,
    channels: Channels,
}

fn transposed(args: &Args<'_>, outs: &mut Outs<'_>, form: Form) -> KernelResult {
    let (input, weight) = (args.tensor(0)?, args.tensor(1)?);
    let spread = Transposed::of(args, outs, form, &input, &weight)?;
    let weights = spread.by_tap(weight.data()?);
    let (input, out) = (input.data::<i8>()?, outs[0].data_mut::<i8>()?);
    vectorized(
        #[inline(always)]
        || spread.run(input, &weights, out),
    );
    Ok(())
}

impl Transposed {
    fn of(
        args: &Args<'_>,
        outs: &mut Outs<'_>,
        form: Form,
        input: &TensorRef<'_>,
        weight: &TensorRef<'_>,
    ) -> KernelResult<Self> {
        let (bias, out) = (args.optional_tensor(2)?, &mut outs[0]);
        int8(&[weight, out])?;
        let input = Images::of(input, form)?;
        ensure!(
            weight.rank() == 4
                && weight.is_contiguous()
                && weight.numel() > 0
                && weight.size(3) == input.channels,
            "weights of {:?} for {} channels",
            weight.sizes(),
            input.channels
        );
        let (kernel, out_channels) = ([weight.size(1), weight.size(2)], weight.size(0));
        let stride = pair(args.ints(3)?, 1, "stride")?;
        let padding = pair(args.ints(4)?, 0, "padding")?;
        let output_padding = pair(args.ints(5)?, 0, "output padding")?;
        let dilation = pair(args.ints(6)?, 1, "dilation")?;
        let mut size = [0; 2];
        for i in 0..2 {
            let span = dilation[i] * (kernel[i] - 1) + 1 + output_padding[i];
            let spread = input.size[i].checked_sub(1).map(|steps| steps * stride[i] + span);
            let left = spread.and_then(|spread| spread.checked_sub(2 * padding[i]));
            ensure!(
                left.is_some_and(|n| n > 0),
                "an input of {:?} with padding {padding:?} leaves no output",
                input.size
            );
            size[i] = left.unwrap_or(0);
        }
        let output = Images { batch: input.batch, size, channels: out_channels };
        output.shape(out, form)?;
        let limits = Limits::new(args.int(8)?, args.int(11)?, args.int(12)?)?;
        let (multipliers, shifts) = (args.tensor(9)?, args.tensor(10)?);
        let channels = Channels::new(bias.as_ref(), &multipliers, &shifts, limits, out_channels)?;
        let input_offset = offset(args, 7)?;
        Ok(Transposed { input, output, kernel, stride, padding, dilation, input_offset, channels })
    }

    /// The weights of each tap by output channel; they come by output channel, tap.
    fn by_tap(&self, weight: &[i8]) -> Rows {
        let (taps, depth) = (self.kernel[0] * self.kernel[1], self.input.channels);
        let mut rows = Rows::zeros(taps * self.output.channels, depth);
        for (index, row) in rows.iter_mut().enumerate() {
            let (tap, channel) = (index / self.output.channels, index % self.output.channels);
            widen(&weight[(channel * taps + tap) * depth..][..depth], 0, row);
        }
        rows
    }

    #[inline(always)]
    fn run(&self, input: &[i8], weights: &Rows, out: &mut [i8]) {
        let (from, to) = (&self.input, &self.output);
        let mut pixel = Rows::zeros(1, from.channels);
        let mut sums = Scratch::<i32>::new(to.elements());
        let images = input.chunks_exact(from.elements().max(1));
        for (image, out) in images.zip(out.chunks_exact_mut(to.elements().max(1))) {
            for sums in sums.chunks_exact_mut(to.channels) {
                sums.copy_from_slice(&self.channels.bias);
            }
            for (index, source) in image.chunks_exact(from.channels).enumerate() {
                pixel.iter_mut().for_each(|row| widen(source, self.input_offset, row));
                let place = [index / from.size[1], index % from.size[1]];
                self.spread(pixel.row(0), place, weights, &mut sums);
            }
            for (index, (out, sum)) in out.iter_mut().zip(sums.iter()).enumerate() {
                *out = self.channels.finish(index % to.channels, *sum);
            }
        }
    }

    /// Adds the products of the pixel at `place`.
    #[inline(always)]
    fn spread(&self, pixel: &[i16], place: [usize; 2], weights: &Rows, sums: &mut [i32]) {
        let to = &self.output;
        for tap_y in 0..self.kernel[0] {
            let Some(y) = self.meets(0, place[0], tap_y) else { continue };
            for tap_x in 0..self.kernel[1] {
                let Some(x) = self.meets(1, place[1], tap_x) else { continue };
                let tap = (tap_y * self.kernel[1] + tap_x) * to.channels;
                let sums = &mut sums[(y * to.size[1] + x) * to.channels..][..to.channels];
                for (channel, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.wrapping_add(dot(pixel, weights.row(tap + channel)));
                }
            }
        }
    }

    /// The output that a tap of the input at `place` goes to, if there is one.
    fn meets(&self, dim: usize, place: usize, tap: usize) -> Option<usize> {
        let at = place * self.stride[dim] + tap * self.dilation[dim];
        at.checked_sub(self.padding[dim]).filter(|at| *at < self.output.size[dim])
    }
}
