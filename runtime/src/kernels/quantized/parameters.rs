//! Scale and zero point that cover the range of a tensor or of each of its
//! rows, with the roundings of ExecuTorch's kernels: the scale in float64, the
//! zero point rounded half to even in float32.

use super::affine::round_ties_even;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, Sizes, TensorMut};
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("quantized_decomposed::choose_qparams.Tensor_out", choose),
    ("quantized_decomposed::choose_qparams_per_token_asymmetric.out", choose_per_token),
];

/// The outputs, scales and zero points, if input and outputs have the types they must have.
fn outputs<'o, 'a>(
    input: ScalarType,
    outs: &'o mut Outs<'a>,
) -> KernelResult<(&'o mut TensorMut<'a>, &'o mut TensorMut<'a>)> {
    let [scales, zero_points] = outs.as_mut_slice() else {
        return Err(KernelError::argument("an output is missing"));
    };
    ensure!(
        input == ScalarType::Float
            && scales.scalar_type() == ScalarType::Double
            && zero_points.scalar_type() == ScalarType::Long,
        "parameters of {input} as {} and {}",
        scales.scalar_type(),
        zero_points.scalar_type()
    );
    Ok((scales, zero_points))
}

/// Scale and zero point that cover the range of the input and zero.
fn choose(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, low, high) = (args.tensor(0)?, args.int(1)?, args.int(2)?);
    let (scale_out, zero_point_out) = outputs(input.scalar_type(), outs)?;
    ensure!(low < high, "a range from {low} to {high}");
    ensure!(input.numel() > 0, "parameters of no elements");
    scale_out.resize(&[1])?;
    zero_point_out.resize(&[1])?;
    let (scale, zero_point) = parameters_of(input.data::<f32>()?, low as i32, high as i32);
    scale_out.data_mut::<f64>()?[0] = scale;
    zero_point_out.data_mut::<i64>()?[0] = zero_point;
    Ok(())
}

/// The same of every row, for 8-bit integers with a sign, whatever type is asked for.
fn choose_per_token(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    let (scales, zero_points) = outputs(input.scalar_type(), outs)?;
    ensure!(input.rank() >= 1 && input.is_contiguous(), "rows of a tensor of {:?}", input.sizes());
    let width = input.size(input.rank() - 1);
    let mut sizes = Sizes::from_slice(input.sizes());
    if let Some(last) = sizes.last_mut() {
        *last = 1;
    }
    scales.resize(&sizes)?;
    zero_points.resize(&sizes)?;
    ensure!(width > 0 || scales.numel() == 0, "parameters of rows without elements");
    let outputs = scales.data_mut::<f64>()?.iter_mut().zip(zero_points.data_mut::<i64>()?);
    for (row, (scale, zero_point)) in input.data::<f32>()?.chunks_exact(width.max(1)).zip(outputs) {
        (*scale, *zero_point) = parameters_of(row, -128, 127);
    }
    Ok(())
}

/// Least scale that ExecuTorch's kernels put out.
const SMALLEST_SCALE: f32 = 6.1e-5;

fn parameters_of(data: &[f32], low: i32, high: i32) -> (f64, i64) {
    let mut min = data.iter().copied().fold(f32::INFINITY, f32::min).min(0.0);
    let mut max = data.iter().copied().fold(f32::NEG_INFINITY, f32::max).max(0.0);
    let steps = high.wrapping_sub(low);
    let mut scale = (f64::from(max) - f64::from(min)) / f64::from(steps);
    if scale as f32 == 0.0 || (1.0f32 / scale as f32).is_infinite() {
        scale = 0.1;
    }
    if scale < f64::from(SMALLEST_SCALE) {
        // The range grows with the scale, on the side that is there.
        let growth = SMALLEST_SCALE / scale as f32;
        scale = f64::from(SMALLEST_SCALE);
        if min == 0.0 {
            max = SMALLEST_SCALE * steps as f32;
        } else if max == 0.0 {
            min = -SMALLEST_SCALE * steps as f32;
        } else {
            min *= growth;
            max *= growth;
        }
    }
    // Either end of the range gives the zero point, up to rounding. ExecuTorch takes the
    // first where the other is the smaller number of steps.
    let (min_steps, max_steps) = (f64::from(min) / scale, f64::from(max) / scale);
    let from_min = f64::from(low.unsigned_abs()) - min_steps.abs();
    let from_max = f64::from(high.unsigned_abs()) - max_steps.abs();
    let exact =
        if from_min < from_max { f64::from(low) - min_steps } else { f64::from(high) - max_steps };
    let zero_point = if exact < f64::from(low) {
        i64::from(low)
    } else if exact > f64::from(high) {
        i64::from(high)
    } else {
        // NaN becomes the least 32-bit integer, as x86-64 converts it.
        i64::from(<i32 as Element>::from_f64(f64::from(round_ties_even(exact as f32))))
    };
    (scale, zero_point)
}
