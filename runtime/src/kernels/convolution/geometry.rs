//! Sizes and strides of a convolution.

use crate::error::{KernelResult, ensure};
use crate::kernels::Args;
use crate::tensor::{TensorMeta, TensorMut, TensorRef};

/// A convolution over two spatial dimensions. One with a single dimension has
/// a height of 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub batch: usize,
    pub groups: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    pub transposed: bool,
    /// Distances in elements along batch, channel, height, width.
    pub in_strides: [usize; 4],
    pub out_strides: [usize; 4],
    /// Along output channel, input channel of the group, height, width; for a
    /// transposed convolution along input channel, output channel of the group.
    pub weight_strides: [usize; 4],
}

impl Geometry {
    /// The geometry of a call, after its arguments were checked and the output resized.
    pub fn of(
        args: &Args<'_>,
        input: &TensorRef<'_>,
        weight: &TensorRef<'_>,
        bias: Option<&TensorRef<'_>>,
        out: &mut TensorMut<'_>,
    ) -> KernelResult<Self> {
        let mut geometry = Self::checked(args, 3, input, weight, bias, out)?;
        ensure!(
            input.dim_order() == out.dim_order() || input.numel() == 0,
            "input and output differ in layout"
        );
        let spatial = input.rank() - 2;
        resize(out, geometry.batch, geometry.out_channels, &geometry.output[2 - spatial..])?;
        geometry.out_strides = strides4(out.strides());
        Ok(geometry)
    }

    /// The geometry of a call whose strides, padding and so on begin with
    /// argument `first`. The shape of `out` is not looked at.
    pub fn checked(
        args: &Args<'_>,
        first: usize,
        input: &TensorRef<'_>,
        weight: &TensorRef<'_>,
        bias: Option<&TensorRef<'_>>,
        out: &TensorMeta,
    ) -> KernelResult<Self> {
        let rank = input.rank();
        ensure!(
            (rank == 3 || rank == 4) && weight.rank() == rank && out.rank() == rank,
            "a convolution of {:?} with {:?}: expected 3 or 4 dimensions",
            input.sizes(),
            weight.sizes()
        );
        ensure!(
            input.scalar_type() == out.scalar_type() && weight.scalar_type() == out.scalar_type(),
            "input, weight and output differ in type"
        );
        let spatial = rank - 2;
        let stride = pair(args.ints(first)?, spatial, 1, 1, "stride")?;
        let padding = pair(args.ints(first + 1)?, spatial, 0, 0, "padding")?;
        let dilation = pair(args.ints(first + 2)?, spatial, 1, 1, "dilation")?;
        let transposed = args.bool(first + 3)?;
        let output_padding = pair(args.ints(first + 4)?, spatial, 0, 0, "output padding")?;
        let groups = usize::try_from(args.int(first + 5)?).unwrap_or(0);
        let (in_size, weight_size) = (sizes4(input), sizes4(weight));
        let in_channels = in_size[1];
        ensure!(
            groups > 0 && in_channels.is_multiple_of(groups),
            "{groups} groups of {in_channels} channels"
        );
        let (out_channels, fits) = if transposed {
            (weight_size[1].saturating_mul(groups), weight_size[0] == in_channels)
        } else {
            let fits = weight_size[1].checked_mul(groups) == Some(in_channels);
            (weight_size[0], fits && weight_size[0].is_multiple_of(groups))
        };
        ensure!(
            fits,
            "weights of {:?} do not fit {in_channels} channels in {groups} groups",
            weight.sizes()
        );
        let bias_fits = bias.is_none_or(|b| b.rank() == 1 && b.size(0) == out_channels);
        ensure!(bias_fits, "the bias does not fit {out_channels} channels");
        let kernel = [weight_size[2], weight_size[3]];
        let mut output = [1, 1];
        for i in 0..2 {
            let extent = Extent {
                input: in_size[2 + i] as i64,
                kernel: kernel[i] as i64,
                stride: stride[i] as i64,
                padding: padding[i] as i64,
                dilation: dilation[i] as i64,
                output_padding: output_padding[i] as i64,
            };
            output[i] = extent.output(transposed)?;
        }
        Ok(Geometry {
            batch: in_size[0],
            groups,
            in_channels,
            out_channels,
            input: [in_size[2], in_size[3]],
            output,
            kernel,
            stride,
            padding,
            dilation,
            transposed,
            in_strides: strides4(input.strides()),
            out_strides: strides4(out.strides()),
            weight_strides: strides4(weight.strides()),
        })
    }

    /// One input channel per group.
    pub fn is_depthwise(&self) -> bool {
        !self.transposed && self.groups == self.in_channels && self.groups > 1
    }

    /// A 1×1 kernel that meets every element of the input once.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// Input channels of a group.
    pub fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Output channels of a group.
    pub fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    /// Positions of the output.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Input coordinate that `kernel` meets at `output` along dimension `dim`,
    /// if it is not padding.
    #[inline]
    pub fn input_at(&self, dim: usize, output: usize, kernel: usize) -> Option<usize> {
        let at = output * self.stride[dim] + kernel * self.dilation[dim];
        at.checked_sub(self.padding[dim]).filter(|at| *at < self.input[dim])
    }
}

/// One dimension.
struct Extent {
    input: i64,
    kernel: i64,
    stride: i64,
    padding: i64,
    dilation: i64,
    output_padding: i64,
}

impl Extent {
    /// All numbers are at most 2^31, so that no product of two overflows.
    fn output(&self, transposed: bool) -> KernelResult<usize> {
        let span = self.dilation * (self.kernel - 1) + 1;
        let size = if transposed {
            (self.input - 1) * self.stride - 2 * self.padding + span + self.output_padding
        } else {
            (self.input + 2 * self.padding - span).div_euclid(self.stride) + 1
        };
        ensure!(
            self.kernel > 0 && (0..=i64::from(i32::MAX)).contains(&size),
            "a kernel of {} over an input of {} leaves an output of {size}",
            self.kernel,
            self.input
        );
        Ok(size as usize)
    }
}

/// A list of one number per spatial dimension, or one for all.
fn pair(
    list: &[i64],
    spatial: usize,
    least: i64,
    absent: usize,
    name: &str,
) -> KernelResult<[usize; 2]> {
    ensure!(
        (list.len() == spatial || list.len() == 1 || list.is_empty())
            && list.iter().all(|n| *n >= least && *n <= i64::from(i32::MAX)),
        "{name} {list:?} of {spatial} dimensions"
    );
    let at = |i: usize| list.get(i).or(list.first()).map_or(absent, |n| *n as usize);
    Ok(if spatial == 1 { [absent, at(0)] } else { [at(0), at(1)] })
}

/// Batch, channels, height, width; a height of 1 if there is none.
fn sizes4(tensor: &TensorRef<'_>) -> [usize; 4] {
    let [first, second] = [tensor.size(0), tensor.size(1)];
    match tensor.rank() {
        3 => [first, second, 1, tensor.size(2)],
        _ => [first, second, tensor.size(2), tensor.size(3)],
    }
}

fn strides4(strides: &[i32]) -> [usize; 4] {
    match *strides {
        [n, c, w] => [n as usize, c as usize, 0, w as usize],
        [n, c, h, w] => [n as usize, c as usize, h as usize, w as usize],
        _ => [0; 4],
    }
}

fn resize(
    out: &mut TensorMut<'_>,
    batch: usize,
    channels: usize,
    spatial: &[usize],
) -> KernelResult {
    let mut sizes = smallvec::SmallVec::<[i32; 4]>::new();
    for size in [batch, channels].iter().chain(spatial) {
        ensure!(*size <= i32::MAX as usize, "an output of {size}");
        sizes.push(*size as i32);
    }
    out.resize(&sizes)
}
