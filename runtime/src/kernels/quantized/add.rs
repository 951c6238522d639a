//! Sum of two quantized tensors of one shape: dequantized, added and quantized
//! again in float32.

use super::affine::round_ties_even;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, with_dtype};
use alloc::format;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[("quantized_decomposed::add.out", add)];

/// Scale and zero point of an operand: four arguments from `first`.
fn operand(args: &Args<'_>, first: usize) -> KernelResult<Operand> {
    let (low, high) = (args.int(first + 2)?, args.int(first + 3)?);
    ensure!(
        0 <= low && low <= high && high <= 255,
        "a range from {low} to {high}, expected one within 0 to 255"
    );
    let scale = args.double(first)? as f32;
    Ok(Operand { scale, zero_point: args.int(first + 1)? as i32, low, high })
}

struct Operand {
    scale: f32,
    zero_point: i32,
    low: i64,
    high: i64,
}

impl Operand {
    #[inline]
    fn dequantized<T: Element>(&self, value: T) -> f32 {
        let steps = value.to_i64().wrapping_sub(i64::from(self.zero_point));
        (steps as f64 * f64::from(self.scale)) as f32
    }
}

fn add(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, out) = (args.tensor(0)?, args.tensor(5)?, &mut outs[0]);
    let single = a.numel() == 1 && b.numel() == 1 && out.numel() == 1;
    let alike = a.sizes() == b.sizes() && a.sizes() == out.sizes();
    ensure!(
        single || alike,
        "operands of {:?} and {:?} with an output of {:?}",
        a.sizes(),
        b.sizes(),
        out.sizes()
    );
    let same_type = a.scalar_type() == b.scalar_type() && a.scalar_type() == out.scalar_type();
    ensure!(same_type, "{} and {} into {}", a.scalar_type(), b.scalar_type(), out.scalar_type());
    let same_layout = a.dim_order() == b.dim_order() && a.dim_order() == out.dim_order();
    ensure!(single || same_layout, "operands and output differ in layout");
    let (left, right, result) = (operand(args, 1)?, operand(args, 6)?, operand(args, 10)?);
    let inverse = 1.0 / result.scale;
    let refuse = || Err(KernelError::argument(format!("quantized values of {}", a.scalar_type())));
    if !a.scalar_type().is_integral(false) {
        return refuse();
    }
    with_dtype!(a.scalar_type(), real, T => {
        let operands = a.data::<T>()?.iter().zip(b.data::<T>()?);
        for ((a, b), out) in operands.zip(out.data_mut::<T>()?) {
            let sum = left.dequantized(*a) + right.dequantized(*b);
            let value = result.zero_point as f32 + round_ties_even(inverse * sum);
            let value = <i64 as Element>::from_f64(f64::from(value));
            *out = T::from_i64(value.max(result.low).min(result.high));
        }
        Ok(())
    }, else refuse())
}
