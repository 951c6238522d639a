//! From float to quantized integers and back, per tensor, per channel and per
//! token (row of the last dimension).
//!
//! Quantizing multiplies by the reciprocal of the scale in float32, rounds
//! half to even and clamps; dequantizing subtracts the zero point in 32-bit
//! integers and multiplies, as ExecuTorch's kernels do.

use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::reduce::normalised_dim;
use crate::kernels::{Args, Kernel};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use alloc::vec::Vec;
use et_schema::ScalarType;
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("quantized_decomposed::quantize_per_tensor.out", |args, outs| {
        let parameters = Parameters::one(args.double(1)?, args.int(2)?);
        quantize(&args.tensor(0)?, &parameters, (args.int(3)?, args.int(4)?), &mut outs[0])
    }),
    ("quantized_decomposed::quantize_per_tensor.Tensor_out", |args, outs| {
        let parameters = Parameters::from_tensors(args)?;
        quantize(&args.tensor(0)?, &parameters, (args.int(3)?, args.int(4)?), &mut outs[0])
    }),
    ("quantized_decomposed::quantize_per_channel.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_channel(args, &input)?;
        quantize(&input, &parameters, (args.int(4)?, args.int(5)?), &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_tensor.out", |args, outs| {
        let parameters = Parameters::one(args.double(1)?, args.int(2)?);
        dequantize(&args.tensor(0)?, &parameters, args.optional_scalar_type(6)?, &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_tensor.Tensor_out", |args, outs| {
        let parameters = Parameters::from_tensors(args)?;
        dequantize(&args.tensor(0)?, &parameters, args.optional_scalar_type(6)?, &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_channel.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_channel(args, &input)?;
        dequantize(&input, &parameters, args.optional_scalar_type(7)?, &mut outs[0])
    }),
    ("quantized_decomposed::quantize_per_token.out", |args, outs| {
        let input = args.tensor(0)?;
        let dtype = args.tensor(1)?.scalar_type();
        ensure!(dtype == ScalarType::Double, "scales of {dtype}, expected Double");
        let parameters = Parameters::per_token(args, &input)?;
        quantize(&input, &parameters, (args.int(3)?, args.int(4)?), &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_token.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_token(args, &input)?;
        dequantize(&input, &parameters, args.optional_scalar_type(6)?, &mut outs[0])
    }),
];

/// Scale and zero point of every channel, and which elements belong to a channel.
struct Parameters {
    channels: Vec<(f64, i64)>,
    /// Distance between channels in memory, in elements.
    stride: usize,
}

impl Parameters {
    fn one(scale: f64, zero_point: i64) -> Self {
        Parameters { channels: alloc::vec![(scale, zero_point)], stride: 1 }
    }

    /// Arguments 1 and 2 hold one element each.
    fn from_tensors(args: &Args<'_>) -> KernelResult<Self> {
        let (scale, zero_point) = (args.tensor(1)?, args.tensor(2)?);
        ensure!(
            scale.numel() == 1 && zero_point.numel() == 1,
            "{} scales, {} zero points",
            scale.numel(),
            zero_point.numel()
        );
        Ok(Self::one(floats(&scale)?[0], integers(&zero_point)?[0]))
    }

    /// Arguments 1 to 3: scales, optional zero points, axis.
    fn per_channel(args: &Args<'_>, input: &TensorRef<'_>) -> KernelResult<Self> {
        let (scales, zero_points) = (args.tensor(1)?, args.optional_tensor(2)?);
        let axis = normalised_dim(args.int(3)?, input)?;
        let count = input.size(axis);
        let scales = floats(&scales)?;
        let zero_points = match zero_points {
            Some(tensor) => integers(&tensor)?,
            None => alloc::vec![0; scales.len()],
        };
        ensure!(
            scales.len() == count && zero_points.len() == count,
            "{} scales and {} zero points for {count} channels",
            scales.len(),
            zero_points.len()
        );
        let stride = input.strides().get(axis).map_or(1, |s| *s as usize).max(1);
        Ok(Parameters { channels: scales.into_iter().zip(zero_points).collect(), stride })
    }

    /// Arguments 1 and 2: a scale and a zero point for every row of the last dimension.
    fn per_token(args: &Args<'_>, input: &TensorRef<'_>) -> KernelResult<Self> {
        ensure!(
            input.rank() >= 1 && input.is_contiguous(),
            "rows of a tensor of {:?}",
            input.sizes()
        );
        let scales = floats(&args.tensor(1)?)?;
        let zero_points = integers(&args.tensor(2)?)?;
        let width = input.size(input.rank() - 1);
        let rows: usize = input.sizes()[..input.rank() - 1].iter().map(|s| *s as usize).product();
        ensure!(
            scales.len() == rows && zero_points.len() == rows,
            "{} scales and {} zero points for {rows} rows",
            scales.len(),
            zero_points.len()
        );
        let channels = scales.into_iter().zip(zero_points).collect();
        Ok(Parameters { channels, stride: width.max(1) })
    }

    /// Calls `run` with the elements of each stretch that has one scale.
    fn for_each_run(&self, len: usize, mut run: impl FnMut(core::ops::Range<usize>, f64, i64)) {
        if let [(scale, zero_point)] = self.channels[..] {
            return run(0..len, scale, zero_point);
        }
        for (index, start) in (0..len).step_by(self.stride).enumerate() {
            let (scale, zero_point) = self.channels[index % self.channels.len()];
            run(start..(start + self.stride).min(len), scale, zero_point);
        }
    }
}

fn floats(tensor: &TensorRef<'_>) -> KernelResult<Vec<f64>> {
    with_dtype!(tensor.scalar_type(), float, T => {
        Ok(tensor.data::<T>()?.iter().map(|v| v.to_f64()).collect())
    }, else Err(KernelError::argument(format!("scales of {}", tensor.scalar_type()))))
}

fn integers(tensor: &TensorRef<'_>) -> KernelResult<Vec<i64>> {
    ensure!(
        matches!(tensor.scalar_type(), ScalarType::Int | ScalarType::Long),
        "zero points of {}",
        tensor.scalar_type()
    );
    with_dtype!(tensor.scalar_type(), real, T => {
        Ok(tensor.data::<T>()?.iter().map(|v| v.to_i64()).collect())
    }, else Ok(Vec::new()))
}

fn is_quantized(scalar_type: ScalarType) -> bool {
    use ScalarType::*;
    matches!(scalar_type, Byte | Char | Short | UInt16 | Bits16 | Int)
}

fn same_layout(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    out.resize(input.sizes())?;
    ensure!(input.dim_order() == out.dim_order(), "input and output differ in layout");
    Ok(())
}

fn quantize(
    input: &TensorRef<'_>,
    parameters: &Parameters,
    (low, high): (i64, i64),
    out: &mut TensorMut<'_>,
) -> KernelResult {
    same_layout(input, out)?;
    let to = out.scalar_type();
    ensure!(is_quantized(to), "quantized values as {to}");
    with_dtype!(input.scalar_type(), float, T => {
        let source = input.data::<T>()?;
        with_dtype!(to, all, Q => {
            let target = out.data_mut::<Q>()?;
            parameters.for_each_run(source.len(), |range, scale, zero_point| {
                let inverse = 1.0 / scale as f32;
                for (x, q) in source[range.clone()].iter().zip(&mut target[range]) {
                    *q = Q::from_i64(quantized(x.to_f64() as f32, inverse, zero_point, low, high));
                }
            });
            Ok(())
        }, else Err(KernelError::argument(format!("quantized values as {to}"))))
    }, else Err(KernelError::argument(format!("quantizing {}", input.scalar_type()))))
}

/// One value. What fits no 32-bit integer, NaN included, becomes the least one,
/// as x86-64 converts it.
#[inline]
fn quantized(value: f32, inverse: f32, zero_point: i64, low: i64, high: i64) -> i64 {
    const LIMIT: f32 = 2_147_483_648.0;
    let scaled = round_ties_even(value * inverse);
    let scaled =
        if (-LIMIT..LIMIT).contains(&scaled) { scaled as i64 } else { i64::from(i32::MIN) };
    zero_point.saturating_add(scaled).max(low).min(high)
}

/// `f32::round_ties_even`, which the core library does not have.
#[inline]
pub(in crate::kernels) fn round_ties_even(value: f32) -> f32 {
    // Adding and subtracting 2^23 leaves no room for a fraction.
    const NO_FRACTION: f32 = 8_388_608.0;
    if value.abs() < NO_FRACTION {
        let shift = NO_FRACTION.copysign(value);
        (value + shift) - shift
    } else {
        value
    }
}

fn dequantize(
    input: &TensorRef<'_>,
    parameters: &Parameters,
    out_dtype: Option<ScalarType>,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    same_layout(input, out)?;
    let from = input.scalar_type();
    ensure!(is_quantized(from), "dequantizing {from}");
    ensure!(
        out_dtype.is_none_or(|dtype| dtype == out.scalar_type()),
        "asked for {out_dtype:?}, the output is {}",
        out.scalar_type()
    );
    with_dtype!(from, all, Q => {
        let source = input.data::<Q>()?;
        with_dtype!(out.scalar_type(), float, T => {
            let target = out.data_mut::<T>()?;
            parameters.for_each_run(source.len(), |range, scale, zero_point| {
                let scale = scale as f32;
                for (q, x) in source[range.clone()].iter().zip(&mut target[range]) {
                    let distance = q.to_i64().wrapping_sub(zero_point);
                    *x = T::from_f64(f64::from(distance as f32 * scale));
                }
            });
            Ok(())
        }, else Err(KernelError::argument(format!("dequantized values as {}", out.scalar_type()))))
    }, else Err(KernelError::argument(format!("dequantizing {from}"))))
}
