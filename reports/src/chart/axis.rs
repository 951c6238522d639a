//! Scales of charts, from 0 to a largest value, with round ticks.

use crate::memory::words::number;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use std::ops::Range;

/// Units of bytes with their sizes, from the largest on.
const BYTES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Units below which the next smaller one says more.
const LEAST_UNITS: u64 = 3;

/// A scale from 0 to `most`.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// The value at the end.
    pub most: u64,
    /// What ticks are round multiples of.
    unit: u64,
}

impl Axis {
    /// The scale to `most`.
    pub fn to(most: u64) -> Self {
        Axis { most, unit: 1 }
    }

    /// The scale to `most` bytes, with ticks in the unit that suits them.
    pub fn bytes(most: u64) -> Self {
        let suits = |(_, unit): &&(&str, u64)| most / unit >= LEAST_UNITS;
        let unit = BYTES.iter().find(suits).map_or(1, |(_, unit)| *unit);
        Axis { most, unit }
    }

    /// A tick of a scale of bytes in words.
    pub fn label(self, tick: u64) -> String {
        let unit = BYTES.iter().find(|(_, unit)| *unit == self.unit).map_or("B", |(name, _)| name);
        format!("{} {unit}", number(tick / self.unit))
    }

    /// The place of `value` on `length`.
    pub fn at(self, value: u64, length: f64) -> f64 {
        if self.most == 0 { 0.0 } else { value.min(self.most) as f64 / self.most as f64 * length }
    }

    /// About `count` round values on the scale, from 0 on.
    fn ticks(self, count: u64) -> Vec<u64> {
        let rough = (self.most / self.unit / count.max(1)).max(1);
        let mut power = 1u64;
        while power <= rough / 10 {
            power *= 10;
        }
        let factor =
            [1, 2, 5, 10].into_iter().find(|factor| power.saturating_mul(*factor) >= rough);
        let step = power.saturating_mul(factor.unwrap_or(10)).saturating_mul(self.unit);
        let ticks = std::iter::successors(Some(0u64), |tick| tick.checked_add(step));
        ticks.take_while(|tick| *tick <= self.most).collect()
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = u64;

    fn map(&self, value: &u64, (start, end): (i32, i32)) -> i32 {
        let length = f64::from(end) - f64::from(start);
        (f64::from(start) + self.at(*value, length)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<u64> {
        match hint.max_num_points() {
            0 => Vec::new(),
            count => self.ticks(count as u64),
        }
    }

    fn range(&self) -> Range<u64> {
        0..self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let ticks = |most| Axis::to(most).key_points(5usize);
        assert_eq!(ticks(0), [0]);
        assert_eq!(ticks(3), [0, 1, 2, 3]);
        assert_eq!(ticks(1_154_688), [0, 500_000, 1_000_000]);
        assert_eq!(ticks(4_000), [0, 1_000, 2_000, 3_000, 4_000]);
        assert!(ticks(u64::MAX).len() <= 6);
    }

    #[test]
    fn ticks_of_bytes_are_round_in_their_unit() {
        let labels = |most| -> Vec<String> {
            let axis = Axis::bytes(most);
            axis.key_points(5usize).into_iter().map(|tick| axis.label(tick)).collect()
        };
        assert_eq!(labels(0), ["0 B"]);
        assert_eq!(labels(884_736), ["0 KiB", "200 KiB", "400 KiB", "600 KiB", "800 KiB"]);
        assert_eq!(labels(5 << 20), ["0 MiB", "1 MiB", "2 MiB", "3 MiB", "4 MiB", "5 MiB"]);
        assert_eq!(labels(2_000), ["0 B", "500 B", "1,000 B", "1,500 B", "2,000 B"]);
        assert!(labels(u64::MAX).len() <= 6);
    }

    #[test]
    fn values_lie_on_the_scale() {
        let axis = Axis::to(200);
        assert_eq!([0, 50, 200, u64::MAX].map(|v| axis.map(&v, (10, 50))), [10, 20, 50, 50]);
        // Upwards, as bytes are drawn.
        assert_eq!(axis.map(&50, (100, 0)), 75);
        assert_eq!(Axis::to(0).map(&7, (3, 9)), 3);
    }
}
