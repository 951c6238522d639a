//! Batch, layer and group normalisation.

use super::means::Rounding;
use super::scratch::Scratch;
use super::simd::{Step, vectorized_steps};
use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Element, Sizes, TensorMut, TensorRef, with_dtype};
use alloc::format;
use alloc::vec::Vec;
use et_schema::ScalarType;
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::_native_batch_norm_legit_no_training.out", batch_norm_no_training),
    ("aten::_native_batch_norm_legit.out", batch_norm),
    ("aten::_native_batch_norm_legit.no_stats_out", batch_norm_no_stats),
    ("aten::native_layer_norm.out", layer_norm),
    ("aten::native_group_norm.out", group_norm),
];

fn refuse<T>(what: &str, tensor: &TensorRef<'_>) -> KernelResult<T> {
    Err(KernelError::argument(format!("{what} of {}", tensor.scalar_type())))
}

/// The values of an optional tensor of the same type; `default` where it is missing.
fn values<T: Element>(
    tensor: Option<&TensorRef<'_>>,
    count: usize,
    default: f64,
) -> KernelResult<Scratch<f64>> {
    let Some(tensor) = tensor else { return Ok(Scratch::filled(count, default)) };
    ensure!(
        tensor.numel() == count && tensor.is_contiguous(),
        "expected {count} values, found {:?}",
        tensor.sizes()
    );
    Ok(Scratch::of(tensor.data::<T>()?.iter().map(|v| v.to_f64())))
}

/// Number of channels, elements of a channel in a batch, and distance between
/// them: channels are the second dimension, in any layout that keeps the
/// others in order.
struct Channels {
    count: usize,
    stride: usize,
}

fn channels(input: &TensorRef<'_>) -> KernelResult<Channels> {
    ensure!(
        input.rank() >= 2 && (input.is_contiguous() || input.is_channels_last()),
        "batch norm of {:?}",
        input.sizes()
    );
    Ok(Channels { count: input.size(1), stride: input.strides()[1] as usize })
}

/// The same of all channels.
struct Statistics<'a> {
    mean: &'a [f64],
    inverse: &'a [f64],
    weight: &'a [f64],
    bias: &'a [f64],
}

impl Statistics<'_> {
    /// Mean, inverse, weight and bias of each channel.
    fn each<T: Element>(&self) -> Scratch<[T; 4]> {
        let zipped = self.mean.iter().zip(self.inverse).zip(self.weight.iter().zip(self.bias));
        Scratch::of(zipped.map(|((mean, inverse), (weight, bias))| {
            [mean, inverse, weight, bias].map(|value| T::from_f64(*value))
        }))
    }
}

/// `(x - mean) * inverse * weight + bias`, step by step in the type of the
/// tensors, as ExecuTorch's kernel has it.
fn normalise_channels<T: Element>(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    channels: &Channels,
    rounding: Rounding,
    (mean, inverse): (&[f64], &[f64]),
    (weight, bias): (&[f64], &[f64]),
) -> KernelResult {
    let normals = Statistics { mean, inverse, weight, bias };
    let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
    if source.is_empty() {
        return Ok(());
    }
    if T::DTYPE == ScalarType::Float {
        let (source, target) = (bytemuck::cast_slice(source), bytemuck::cast_slice_mut(target));
        by_channel::<f32>(source, target, channels, &normals.each(), rounding, normalised);
        return Ok(());
    }
    let rounded = |value: f64| T::from_f64(value).to_f64();
    by_channel::<T>(
        source,
        target,
        channels,
        &normals.each(),
        Rounding::Twice,
        |_, x, [mean, inverse, weight, bias]| {
            let centred = rounded(x.to_f64() - mean.to_f64());
            let normal = rounded(centred * inverse.to_f64());
            T::from_f64(rounded(normal * weight.to_f64()) + bias.to_f64())
        },
    );
    Ok(())
}

/// One element with the mean, inverse deviation, weight and bias of its channel.
#[inline(always)]
fn normalised(step: Step, x: f32, normal: &[f32; 4]) -> f32 {
    let [mean, inverse, weight, bias] = *normal;
    if step.is_fused() {
        // Scale and shift are those of all elements of the channel.
        let scale = inverse * weight;
        return step.add(step.add(bias, -mean, scale), x, scale);
    }
    (x - mean) * inverse * weight + bias
}

/// What a batch norm with constant statistics does to the elements of a channel.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal {
    /// Mean, inverse deviation, weight and bias.
    of: [f32; 4],
    scale: f32,
    shift: f32,
}

#[cfg(feature = "std")]
impl Normal {
    /// Of mean, inverse deviation, weight and bias.
    pub fn new(of: [f32; 4]) -> Self {
        let [mean, inverse, weight, bias] = of;
        let scale = inverse * weight;
        Normal { of, scale, shift: (-mean).mul_add(scale, bias) }
    }

    /// One element.
    #[inline(always)]
    pub fn number(&self, step: Step, x: f32) -> f32 {
        if step.is_fused() {
            return step.add(self.shift, x, self.scale);
        }
        normalised(step, x, &self.of)
    }

    /// What [`NormalVectors::apply`] does with every lane.
    #[inline(always)]
    pub fn vectors<S: pulp::Simd>(&self, simd: S) -> NormalVectors<S> {
        // Not by `map`, which would be a call of code for other vectors.
        let [mean, inverse, weight, bias] = self.of;
        NormalVectors {
            of: [
                simd.splat_f32s(mean),
                simd.splat_f32s(inverse),
                simd.splat_f32s(weight),
                simd.splat_f32s(bias),
            ],
            scale: simd.splat_f32s(self.scale),
            shift: simd.splat_f32s(self.shift),
        }
    }
}

/// The same for vectors.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
pub(super) struct NormalVectors<S: pulp::Simd> {
    of: [S::f32s; 4],
    scale: S::f32s,
    shift: S::f32s,
}

#[cfg(feature = "std")]
impl<S: pulp::Simd> NormalVectors<S> {
    /// Elements of the channel.
    #[inline(always)]
    pub fn apply(self, simd: S, step: Step, x: S::f32s) -> S::f32s {
        if step.is_fused() {
            return step.add_vectors(simd, self.shift, x, self.scale);
        }
        let [mean, inverse, weight, bias] = self.of;
        let normal = simd.mul_f32s(simd.sub_f32s(x, mean), inverse);
        simd.add_f32s(simd.mul_f32s(normal, weight), bias)
    }
}

/// Runs `normalise` on every element.
fn by_channel<T: Element>(
    source: &[T],
    target: &mut [T],
    channels: &Channels,
    normals: &[[T; 4]],
    rounding: Rounding,
    normalise: impl Fn(Step, T, &[T; 4]) -> T,
) {
    let channels_inner = channels.stride == 1 && channels.count > 1;
    let width = if channels_inner { channels.count } else { channels.stride }.max(1);
    let blocks = source.chunks_exact(width).zip(target.chunks_exact_mut(width));
    vectorized_steps(
        rounding,
        #[inline(always)]
        |step| {
            for (block, (from, to)) in blocks.enumerate() {
                if channels_inner {
                    for ((x, out), normal) in from.iter().zip(to).zip(normals) {
                        *out = normalise(step, *x, normal);
                    }
                } else {
                    let normal = normals[block % normals.len()];
                    from.iter().zip(to).for_each(|(x, out)| *out = normalise(step, *x, &normal));
                }
            }
        },
    );
}

fn prepare(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult<Channels> {
    ensure!(
        input.scalar_type() == out.scalar_type(),
        "input is {}, output {}",
        input.scalar_type(),
        out.scalar_type()
    );
    let channels = channels(input)?;
    out.resize(input.sizes())?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    Ok(channels)
}

fn batch_norm_no_training(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) =
        (args.tensor(0)?, args.optional_tensor(1)?, args.optional_tensor(2)?);
    let (mean, variance, eps) = (args.tensor(3)?, args.tensor(4)?, args.double(6)?);
    let [out, save_mean, save_inverse] = outs.as_mut_slice() else { return missing_outputs() };
    let rounding = args.means().rounding;
    let channels = prepare(&input, out)?;
    save_mean.resize(&[0])?;
    save_inverse.resize(&[0])?;
    with_dtype!(input.scalar_type(), float, T => {
        let count = channels.count;
        let mean = values::<T>(Some(&mean), count, 0.0)?;
        let mut inverse = values::<T>(Some(&variance), count, 1.0)?;
        inverse.iter_mut().for_each(|v| *v = 1.0 / (*v + eps).sqrt());
        let weight = values::<T>(weight.as_ref(), count, 1.0)?;
        let bias = values::<T>(bias.as_ref(), count, 0.0)?;
        normalise_channels::<T>(&input, out, &channels, rounding, (&mean, &inverse), (&weight, &bias))
    }, else refuse("batch norm", &input))
}

/// What a call of `_native_batch_norm_legit_no_training` in float32 that saves
/// nothing does to each channel, if all of it is constant.
#[cfg(feature = "std")]
pub(super) fn constant_channels(args: &Args<'_>, outs: &mut Outs<'_>) -> Option<Vec<Normal>> {
    let (input, eps) = (args.tensor(0).ok()?, args.double(6).ok()?);
    let [out, saved @ ..] = outs.as_mut_slice() else { return None };
    let saves_nothing = saved.len() == 2 && saved.iter().all(|saved| saved.sizes() == [0]);
    if !saves_nothing || !(1..5).all(|index| args.is_constant(index)) {
        return None;
    }
    let count = prepare(&input, out).ok()?.count;
    let of = |index, default| {
        let tensor = args.optional_tensor(index).ok()?;
        values::<f32>(tensor.as_ref(), count, default).ok()
    };
    let (weight, bias, mean) = (of(1, 1.0)?, of(2, 0.0)?, of(3, 0.0)?);
    let mut inverse = of(4, 1.0)?;
    inverse.iter_mut().for_each(|v| *v = 1.0 / (*v + eps).sqrt());
    let all = Statistics { mean: &mean, inverse: &inverse, weight: &weight, bias: &bias };
    Some(all.each::<f32>().iter().map(|of| Normal::new(*of)).collect())
}

fn missing_outputs() -> KernelResult {
    Err(KernelError::argument("an output is missing"))
}

/// Not in training, the running statistics are used and nothing is saved.
/// ExecuTorch's kernel refuses training.
fn batch_norm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) =
        (args.tensor(0)?, args.optional_tensor(1)?, args.optional_tensor(2)?);
    ensure!(!args.bool(5)?, "batch norm in training");
    let eps = args.double(7)?;
    let [running_mean, running_variance, out, save_mean, save_inverse] = outs.as_mut_slice() else {
        return missing_outputs();
    };
    let rounding = args.means().rounding;
    let channels = prepare(&input, out)?;
    save_mean.resize(&[0])?;
    save_inverse.resize(&[0])?;
    with_dtype!(input.scalar_type(), float, T => {
        let count = channels.count;
        let mean = values::<T>(Some(&running_mean.as_ref()), count, 0.0)?;
        let inverse: Vec<f64> = values::<T>(Some(&running_variance.as_ref()), count, 1.0)?
            .iter()
            .map(|v| 1.0 / (v + eps).sqrt())
            .collect();
        let weight = values::<T>(weight.as_ref(), count, 1.0)?;
        let bias = values::<T>(bias.as_ref(), count, 0.0)?;
        normalise_channels::<T>(&input, out, &channels, rounding, (&mean, &inverse), (&weight, &bias))
    }, else refuse("batch norm", &input))
}

/// Statistics of the input itself, which are put out as well.
fn batch_norm_no_stats(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) =
        (args.tensor(0)?, args.optional_tensor(1)?, args.optional_tensor(2)?);
    let eps = args.double(5)?;
    let [out, save_mean, save_inverse] = outs.as_mut_slice() else { return missing_outputs() };
    let rounding = args.means().rounding;
    let channels = prepare(&input, out)?;
    let count = channels.count;
    save_mean.resize(&[count as i32])?;
    save_inverse.resize(&[count as i32])?;
    with_dtype!(input.scalar_type(), float, T => {
        let (mean, inverse) = channel_statistics(input.data::<T>()?, &channels, eps);
        store::<T>(&mean, save_mean)?;
        store::<T>(&inverse, save_inverse)?;
        let weight = values::<T>(weight.as_ref(), count, 1.0)?;
        let bias = values::<T>(bias.as_ref(), count, 0.0)?;
        normalise_channels::<T>(&input, out, &channels, rounding, (&mean, &inverse), (&weight, &bias))
    }, else refuse("batch norm", &input))
}

fn channel_statistics<T: Element>(
    data: &[T],
    channels: &Channels,
    eps: f64,
) -> (Vec<f64>, Vec<f64>) {
    let channel = |index: usize| index / channels.stride.max(1) % channels.count.max(1);
    let mut mean = alloc::vec![0.0; channels.count];
    let mut square = alloc::vec![0.0; channels.count];
    let each = (data.len() / channels.count.max(1)) as f64;
    for (i, x) in data.iter().enumerate() {
        mean[channel(i)] += x.to_f64() / each;
    }
    for (i, x) in data.iter().enumerate() {
        let c = channel(i);
        let d = x.to_f64() - mean[c];
        square[c] += d * d / each;
    }
    let inverse = square.iter().map(|v| 1.0 / (v + eps).sqrt()).collect();
    (mean, inverse)
}

fn store<T: Element>(values: &[f64], out: &mut TensorMut<'_>) -> KernelResult {
    for (out, value) in out.data_mut::<T>()?.iter_mut().zip(values) {
        *out = T::from_f64(*value);
    }
    Ok(())
}

/// Rows of at least so many elements go through vectors in ExecuTorch's layer norm.
const LONG_ROW: usize = 256;

/// Sum and sum of squares, in float32 for all types, as ExecuTorch's kernels add them up.
fn sums<T: Element>(row: &[T]) -> (f32, f32) {
    row.iter().fold((0.0, 0.0), |(sum, squares), x| {
        let x = x.to_f64();
        let square = if T::DTYPE == ScalarType::Double { x * x } else { f64::from((x * x) as f32) };
        ((f64::from(sum) + x) as f32, (f64::from(squares) + square) as f32)
    })
}

/// Mean and standard deviation of a row of a layer norm.
fn row_statistics<T: Element>(row: &[T], eps: f64) -> (f64, f64) {
    if row.len() >= LONG_ROW {
        let (mean, rstd) = moments(row, eps);
        return (mean, 1.0 / rstd);
    }
    let (sum, squares) = sums(row);
    let count = row.len() as f32;
    let mean = sum / count;
    let variance = squares / count - mean * mean;
    (f64::from(mean), f64::from((variance + eps as f32).sqrt()))
}

/// `(x - mean) / deviation * weight + bias`, in float32 unless the tensors are wider.
fn normal<T: Element>(x: T, (mean, deviation): (f64, f64), weight: f64, bias: f64) -> T {
    if T::DTYPE == ScalarType::Double {
        return T::from_f64((x.to_f64() - mean) / deviation * weight + bias);
    }
    let (mean, deviation) = (mean as f32, deviation as f32);
    let normal = (x.to_f64() as f32 - mean) / deviation;
    T::from_f64(f64::from(normal * weight as f32 + bias as f32))
}

/// Mean and reciprocal standard deviation of a group.
fn group_statistics<T: Element>(group: &[T], eps: f64) -> (f64, f64) {
    let (sum, squares) = sums(group);
    let count = group.len() as f64;
    let mean = f64::from(sum) / count;
    let variance = f64::from(squares) / count - mean * mean;
    (mean, 1.0 / (variance + eps).sqrt())
}

/// Mean and reciprocal standard deviation of a row.
fn moments<T: Element>(row: &[T], eps: f64) -> (f64, f64) {
    let count = row.len() as f64;
    let mean = row.iter().map(|x| x.to_f64()).sum::<f64>() / count;
    let variance = row
        .iter()
        .map(|x| {
            let d = x.to_f64() - mean;
            d * d
        })
        .sum::<f64>()
        / count;
    (mean, 1.0 / (variance + eps).sqrt())
}

fn layer_norm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, shape, eps) = (args.tensor(0)?, args.ints(1)?, args.double(4)?);
    let (weight, bias) = (args.optional_tensor(2)?, args.optional_tensor(3)?);
    let [out, mean_out, rstd_out] = outs.as_mut_slice() else { return missing_outputs() };
    ensure!(
        input.scalar_type() == out.scalar_type() && input.is_contiguous(),
        "input is {}, output {}",
        input.scalar_type(),
        out.scalar_type()
    );
    let outer = input.rank().checked_sub(shape.len()).filter(|_| !shape.is_empty());
    let fits = outer.is_some_and(|outer| {
        input.sizes()[outer..].iter().zip(shape).all(|(a, b)| i64::from(*a) == *b)
    });
    let Some(outer) = outer.filter(|_| fits) else {
        return Err(KernelError::argument(format!(
            "layer norm over {shape:?} of {:?}",
            input.sizes()
        )));
    };
    let mut statistics = Sizes::from_slice(input.sizes());
    statistics[outer..].fill(1);
    out.resize(input.sizes())?;
    mean_out.resize(&statistics)?;
    rstd_out.resize(&statistics)?;
    let width: usize = input.sizes()[outer..].iter().map(|s| *s as usize).product();
    with_dtype!(input.scalar_type(), float, T => {
        let weight = values::<T>(weight.as_ref(), width, 1.0)?;
        let bias = values::<T>(bias.as_ref(), width, 0.0)?;
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        let (means, rstds) = (mean_out.data_mut::<T>()?, rstd_out.data_mut::<T>()?);
        if width == 0 {
            means.fill(T::from_f64(0.0));
            rstds.fill(T::from_f64(f64::NAN));
            return Ok(());
        }
        let rows = source.chunks_exact(width).zip(target.chunks_exact_mut(width));
        for ((from, to), (mean_out, rstd_out)) in rows.zip(means.iter_mut().zip(rstds)) {
            let (mean, deviation) = row_statistics(from, eps);
            (*mean_out, *rstd_out) = (T::from_f64(mean), T::from_f64(1.0 / deviation));
            for (((x, out), w), b) in from.iter().zip(to).zip(weight.iter()).zip(bias.iter()) {
                *out = normal(*x, (mean, deviation), *w, *b);
            }
        }
        Ok(())
    }, else refuse("layer norm", &input))
}

fn group_norm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) =
        (args.tensor(0)?, args.optional_tensor(1)?, args.optional_tensor(2)?);
    let [batch, channels, positions, groups] = [3, 4, 5, 6].map(|i| args.int(i));
    let (batch, channels, positions, groups) = (batch?, channels?, positions?, groups?);
    let eps = args.double(7)?;
    let [out, mean_out, rstd_out] = outs.as_mut_slice() else { return missing_outputs() };
    let numel = batch.checked_mul(channels).and_then(|n| n.checked_mul(positions));
    ensure!(
        input.scalar_type() == out.scalar_type()
            && input.is_contiguous()
            && numel == i64::try_from(input.numel()).ok()
            && groups > 0
            && channels >= 0
            && positions >= 0
            && channels % groups == 0,
        "group norm of {:?} in {groups} groups",
        input.sizes()
    );
    out.resize(input.sizes())?;
    mean_out.resize(&[batch as i32, groups as i32])?;
    rstd_out.resize(&[batch as i32, groups as i32])?;
    let (per_group, positions) = ((channels / groups) as usize, positions as usize);
    with_dtype!(input.scalar_type(), float, T => {
        let weight = values::<T>(weight.as_ref(), channels as usize, 1.0)?;
        let bias = values::<T>(bias.as_ref(), channels as usize, 0.0)?;
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        let (means, rstds) = (mean_out.data_mut::<T>()?, rstd_out.data_mut::<T>()?);
        let width = per_group * positions;
        if width == 0 {
            means.fill(T::from_f64(0.0));
            rstds.fill(T::from_f64(f64::NAN));
            return Ok(());
        }
        let rows = source.chunks_exact(width).zip(target.chunks_exact_mut(width));
        let saved = means.iter_mut().zip(rstds);
        for (index, ((from, to), (mean_out, rstd_out))) in rows.zip(saved).enumerate() {
            let (mean, rstd) = group_statistics(from, eps);
            (*mean_out, *rstd_out) = (T::from_f64(mean), T::from_f64(rstd));
            let first = index % groups as usize * per_group;
            for (i, (x, out)) in from.iter().zip(to).enumerate() {
                let channel = first + i / positions;
                let normal = (x.to_f64() - mean) * rstd;
                *out = T::from_f64(normal * weight[channel] + bias[channel]);
            }
        }
        Ok(())
    }, else refuse("group norm", &input))
}
