//! From 32-bit sums to int8: `arm_nn_requantize` of CMSIS-NN, which rounds twice
//! as gemmlowp does. Sums wrap where the device's registers do.

use crate::error::{KernelResult, ensure};
use crate::kernels::Args;
use crate::kernels::scratch::Scratch;
use crate::tensor::TensorRef;
use bytemuck::{Pod, Zeroable};

/// `(a * b) / 2^31`, rounded to nearest, halves up.
#[inline(always)]
pub(super) fn high_product(a: i32, b: i32) -> i32 {
    ((i64::from(a) * i64::from(b) + (1 << 30)) >> 31) as i32
}

/// `value / 2^exponent`, rounded to nearest, halves away from zero. The exponent is at most 31.
#[inline(always)]
pub(super) fn divide_by_power_of_two(value: i32, exponent: u32) -> i32 {
    let mask = ((1u32 << exponent) - 1) as i32;
    let floor = value >> exponent;
    let threshold = (mask >> 1) + i32::from(floor < 0);
    floor + i32::from(value & mask > threshold)
}

/// A number `multiplier * 2^shift / 2^31` to multiply by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Factor {
    multiplier: i32,
    left: u32,
    right: u32,
}

impl Factor {
    /// # Errors
    /// The shift is not within -31 to 31, or the multiplier has more than 32 bits.
    pub fn new(multiplier: i64, shift: i64) -> KernelResult<Self> {
        let multiplier_32 = i32::try_from(multiplier).unwrap_or(0);
        ensure!(i64::from(multiplier_32) == multiplier, "a multiplier of {multiplier}");
        ensure!((-31..=31).contains(&shift), "a shift of {shift}, expected -31 to 31");
        let bits = shift.unsigned_abs() as u32;
        let (left, right) = if shift > 0 { (bits, 0) } else { (0, bits) };
        Ok(Factor { multiplier: multiplier_32, left, right })
    }

    /// The value times the number.
    #[inline(always)]
    pub fn apply(self, value: i32) -> i32 {
        let product = high_product(value.wrapping_shl(self.left), self.multiplier);
        divide_by_power_of_two(product, self.right)
    }
}

/// What is added to a requantized sum, and the limits of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    offset: i32,
    low: i32,
    high: i32,
}

impl Limits {
    /// `offset` and the limits of the activation.
    ///
    /// # Errors
    /// One of them has more than 32 bits.
    pub fn new(offset: i64, low: i64, high: i64) -> KernelResult<Self> {
        let within = |n: i64| i32::try_from(n).is_ok();
        ensure!(
            within(offset) && within(low) && within(high),
            "an offset of {offset} and limits {low} and {high}"
        );
        Ok(Limits { offset: offset as i32, low: low as i32, high: high as i32 })
    }

    /// `offset` and the limits of int8.
    ///
    /// # Errors
    /// The offset has more than 32 bits.
    pub fn int8(offset: i64) -> KernelResult<Self> {
        Self::new(offset, i8::MIN.into(), i8::MAX.into())
    }

    /// The result for a requantized sum.
    #[inline(always)]
    pub fn finish(self, value: i32) -> i8 {
        value.wrapping_add(self.offset).max(self.low).min(self.high) as i8
    }
}

/// Sums to results, with a factor per output channel.
pub(super) struct Channels {
    pub bias: Scratch<i32>,
    pub factors: Scratch<Factor>,
    pub limits: Limits,
}

impl Channels {
    /// Bias, multipliers and shifts are tensors with an element per channel.
    ///
    /// # Errors
    /// They are not, or are no int32.
    pub fn new(
        bias: Option<&TensorRef<'_>>,
        multipliers: &TensorRef<'_>,
        shifts: &TensorRef<'_>,
        limits: Limits,
        count: usize,
    ) -> KernelResult<Self> {
        ensure!(
            multipliers.numel() == count && shifts.numel() == count,
            "{} multipliers and {} shifts for {count} channels",
            multipliers.numel(),
            shifts.numel()
        );
        let pairs = multipliers.data::<i32>()?.iter().zip(shifts.data::<i32>()?);
        let mut factors = Scratch::new(count);
        for (factor, (multiplier, shift)) in factors.iter_mut().zip(pairs) {
            *factor = Factor::new((*multiplier).into(), (*shift).into())?;
        }
        Ok(Channels { bias: sums(bias, count)?, factors, limits })
    }

    /// The result of the sum of a channel, bias included.
    #[inline(always)]
    pub fn finish(&self, channel: usize, sum: i32) -> i8 {
        self.limits.finish(self.factors[channel].apply(sum))
    }
}

/// What sums start with: an int32 per channel, or zeros.
///
/// # Errors
/// The tensor has another type or another number of elements.
pub(super) fn sums(tensor: Option<&TensorRef<'_>>, count: usize) -> KernelResult<Scratch<i32>> {
    let Some(tensor) = tensor else { return Ok(Scratch::filled(count, 0)) };
    ensure!(tensor.numel() == count, "a bias of {:?} for {count} channels", tensor.sizes());
    Ok(Scratch::of(tensor.data::<i32>()?.iter().copied()))
}

/// An argument that is added to int8 values.
///
/// # Errors
/// It is out of the range in which sums of two fit 16 bits.
pub(super) fn offset(args: &Args<'_>, index: usize) -> KernelResult<i16> {
    let offset = args.int(index)?;
    ensure!((-255..=255).contains(&offset), "an offset of {offset}, expected -255 to 255");
    Ok(offset as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_away_from_zero_when_dividing_and_up_when_multiplying() {
        assert_eq!([5, -5, 3, -3, 6].map(|v| divide_by_power_of_two(v, 1)), [3, -3, 2, -2, 3]);
        assert_eq!([6, -6, 7, -7].map(|v| divide_by_power_of_two(v, 2)), [2, -2, 2, -2]);
        assert_eq!(divide_by_power_of_two(i32::MIN, 31), -1);
        assert_eq!(divide_by_power_of_two(i32::MAX, 0), i32::MAX);
        assert_eq!(high_product(3, 1 << 30), 2);
        assert_eq!(high_product(-3, 1 << 30), -1);
    }

    #[test]
    fn factors_multiply_and_round_twice() {
        let third = Factor::new(1_431_655_765, -1).unwrap();
        assert_eq!([300, -300, 1, 2].map(|v| third.apply(v)), [100, -100, 1, 1]);
        let eight = Factor::new(1 << 30, 4).unwrap();
        assert_eq!(eight.apply(-5), -40);
        assert!(Factor::new(1 << 31, 0).is_err());
        assert!(Factor::new(1, 32).is_err());
    }

    #[test]
    fn results_are_limited_after_the_offset() {
        let limits = Limits::new(10, -5, 100).unwrap();
        assert_eq!([-100, 0, 200].map(|v| limits.finish(v)), [-5, 10, 100]);
    }
}
