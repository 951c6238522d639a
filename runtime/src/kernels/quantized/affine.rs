//! From float to quantized integers and back, per tensor, per channel and per
//! token (row of the last dimension).
//!
//! Quantizing multiplies by the reciprocal of the scale in float32, rounds
//! half to even and clamps; dequantizing subtracts the zero point in 32-bit
//! integers and multiplies, as ExecuTorch's kernels do.

use super::bytes;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::promote::range;
use crate::kernels::reduce::normalised_dim;
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("quantized_decomposed::quantize_per_tensor.out", |args, outs| {
        let parameters = Parameters::one(args.double(1)?, args.int(2)?);
        let form = Form::of(args, 3)?;
        quantize(&args.tensor(0)?, &parameters, form, &mut outs[0])
    }),
    ("quantized_decomposed::quantize_per_tensor.Tensor_out", |args, outs| {
        let parameters = Parameters::from_tensors(args)?;
        let form = Form::of(args, 3)?;
        quantize(&args.tensor(0)?, &parameters, form, &mut outs[0])
    }),
    ("quantized_decomposed::quantize_per_channel.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_channel(args, &input, Strict::Yes)?;
        quantize(&input, &parameters, Form::of(args, 4)?, &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_tensor.out", |args, outs| {
        let parameters = Parameters::one(args.double(1)?, args.int(2)?);
        dequantize(&args.tensor(0)?, &parameters, Form::of(args, 3)?, &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_tensor.Tensor_out", |args, outs| {
        let parameters = Parameters::from_tensors(args)?;
        dequantize(&args.tensor(0)?, &parameters, Form::of(args, 3)?, &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_channel.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_channel(args, &input, Strict::No)?;
        dequantize(&input, &parameters, Form::of(args, 4)?, &mut outs[0])
    }),
    ("quantized_decomposed::quantize_per_token.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_token(args, &input, Strict::Yes)?;
        quantize(&input, &parameters, Form::of(args, 3)?, &mut outs[0])
    }),
    ("quantized_decomposed::dequantize_per_token.out", |args, outs| {
        let input = args.tensor(0)?;
        let parameters = Parameters::per_token(args, &input, Strict::No)?;
        dequantize(&input, &parameters, Form::of(args, 3)?, &mut outs[0])
    }),
];

/// What the integers are, and what they become.
struct Form {
    range: (i64, i64),
    quantized: Option<ScalarType>,
    /// The type to dequantize to; quantizing has no such argument.
    float: Option<ScalarType>,
}

impl Form {
    /// Arguments from `first` on: least and greatest integer, their type, the type of floats.
    fn of(args: &Args<'_>, first: usize) -> KernelResult<Self> {
        Ok(Form {
            range: (args.int(first)?, args.int(first + 1)?),
            quantized: args.optional_scalar_type(first + 2)?,
            float: match args.is_output(first + 3) {
                true => None,
                false => args.optional_scalar_type(first + 3)?,
            },
        })
    }

    /// ExecuTorch's kernels know these floats only.
    fn check(&self, quantized: ScalarType, float: ScalarType) -> KernelResult {
        ensure!(is_quantized(quantized), "quantized values of {quantized}");
        ensure!(
            self.quantized.is_none_or(|own| own == quantized),
            "asked for {:?}, the tensor is {quantized}",
            self.quantized
        );
        ensure!(
            matches!(float, ScalarType::Float | ScalarType::Double | ScalarType::Half),
            "quantized values from or to {float}"
        );
        Ok(())
    }
}

/// Scale and zero point of every channel, and which elements belong to a channel.
struct Parameters {
    scales: Scratch<f64>,
    zero_points: Scratch<i64>,
    /// Distance between channels in memory, in elements.
    stride: usize,
}

impl Parameters {
    fn one(scale: f64, zero_point: i64) -> Self {
        Parameters {
            scales: Scratch::filled(1, scale),
            zero_points: Scratch::filled(1, zero_point),
            stride: 1,
        }
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
        Ok(Self::one(floats(&scale, Strict::Yes)?[0], integers(&zero_point, Strict::Yes)?[0]))
    }

    /// Arguments 1 to 3: scales, optional zero points, axis.
    fn per_channel(args: &Args<'_>, input: &TensorRef<'_>, strict: Strict) -> KernelResult<Self> {
        let (scales, zero_points) = (args.tensor(1)?, args.optional_tensor(2)?);
        let axis = normalised_dim(args.int(3)?, input)?;
        let count = input.size(axis);
        let scales = floats(&scales, strict)?;
        let zero_points = match zero_points {
            Some(tensor) => integers(&tensor, strict)?,
            None => Scratch::filled(scales.len(), 0),
        };
        ensure!(
            scales.len() == count && zero_points.len() == count,
            "{} scales and {} zero points for {count} channels",
            scales.len(),
            zero_points.len()
        );
        let stride = input.strides().get(axis).map_or(1, |s| *s as usize).max(1);
        Ok(Parameters { scales, zero_points, stride })
    }

    /// Arguments 1 and 2: a scale and a zero point for every row of the last dimension.
    fn per_token(args: &Args<'_>, input: &TensorRef<'_>, strict: Strict) -> KernelResult<Self> {
        ensure!(
            input.rank() >= 1 && input.is_contiguous(),
            "rows of a tensor of {:?}",
            input.sizes()
        );
        let scales = floats(&args.tensor(1)?, strict)?;
        let zero_points = integers(&args.tensor(2)?, strict)?;
        let width = input.size(input.rank() - 1);
        let rows: usize = input.sizes()[..input.rank() - 1].iter().map(|s| *s as usize).product();
        ensure!(
            scales.len() == rows && zero_points.len() == rows,
            "{} scales and {} zero points for {rows} rows",
            scales.len(),
            zero_points.len()
        );
        Ok(Parameters { scales, zero_points, stride: width.max(1) })
    }

    /// Calls `run` with the elements of each stretch that has one scale.
    fn for_each_run(&self, len: usize, mut run: impl FnMut(core::ops::Range<usize>, f64, i64)) {
        if let ([scale], [zero_point]) = (&self.scales[..], &self.zero_points[..]) {
            return run(0..len, *scale, *zero_point);
        }
        for (index, start) in (0..len).step_by(self.stride).enumerate() {
            let channel = index % self.scales.len();
            let run_end = (start + self.stride).min(len);
            run(start..run_end, self.scales[channel], self.zero_points[channel]);
        }
    }
}

/// Whether scales must be float64 and zero points int64.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strict {
    Yes,
    /// Any float will do, and int32.
    No,
}

fn floats(tensor: &TensorRef<'_>, strict: Strict) -> KernelResult<Scratch<f64>> {
    let from = tensor.scalar_type();
    ensure!(strict == Strict::No || from == ScalarType::Double, "scales of {from}");
    with_dtype!(tensor.scalar_type(), float, T => {
        Ok(Scratch::of(tensor.data::<T>()?.iter().map(|v| v.to_f64())))
    }, else Err(KernelError::argument(format!("scales of {}", tensor.scalar_type()))))
}

fn integers(tensor: &TensorRef<'_>, strict: Strict) -> KernelResult<Scratch<i64>> {
    let int = strict == Strict::No && tensor.scalar_type() == ScalarType::Int;
    ensure!(
        int || tensor.scalar_type() == ScalarType::Long,
        "zero points of {}",
        tensor.scalar_type()
    );
    with_dtype!(tensor.scalar_type(), real, T => {
        Ok(Scratch::of(tensor.data::<T>()?.iter().map(|v| v.to_i64())))
    }, else Ok(Scratch::empty()))
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
    form: Form,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    same_layout(input, out)?;
    let (to, (low, high)) = (out.scalar_type(), form.range);
    form.check(to, input.scalar_type())?;
    let (least, most) = range(to);
    ensure!(low as f64 >= least && high as f64 <= most, "a range from {low} to {high} of {to}");
    if let (ScalarType::Float, true) = (input.scalar_type(), bytes::are(to)) {
        let (source, target) = (input.data::<f32>()?, out.bytes_mut()?);
        parameters.for_each_run(source.len(), |range, scale, zero_point| {
            let (source, target) = (&source[range.clone()], &mut target[range]);
            bytes::quantize(source, target, 1.0 / scale as f32, zero_point, (low, high));
        });
        return Ok(());
    }
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
pub(super) fn quantized(value: f32, inverse: f32, zero_point: i64, low: i64, high: i64) -> i64 {
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
    form: Form,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    same_layout(input, out)?;
    let from = input.scalar_type();
    form.check(from, out.scalar_type())?;
    ensure!(
        form.float.is_none_or(|dtype| dtype == out.scalar_type()),
        "asked for {:?}, the output is {}",
        form.float,
        out.scalar_type()
    );
    if let (ScalarType::Float, true) = (out.scalar_type(), bytes::are(from)) {
        let source = &input.bytes()[..input.nbytes().min(input.bytes().len())];
        let target = out.data_mut::<f32>()?;
        ensure!(source.len() == target.len(), "a tensor without data");
        parameters.for_each_run(source.len(), |range, scale, zero_point| {
            let (source, target) = (&source[range.clone()], &mut target[range]);
            bytes::dequantize(from, source, target, scale as f32, zero_point);
        });
        return Ok(());
    }
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
