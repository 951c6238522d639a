//! Scales of charts: round ticks, and numbers to places.

/// A scale from 0 to a largest value, onto `length` units of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// The value at the end.
    pub most: u64,
    /// Units of the picture.
    pub length: f64,
}

impl Axis {
    /// The place of `value`.
    pub fn at(self, value: u64) -> f64 {
        if self.most == 0 { 0.0 } else { value as f64 / self.most as f64 * self.length }
    }

    /// About `count` round values on the scale, from 0 on.
    pub fn ticks(self, count: u64) -> Vec<u64> {
        let rough = (self.most / count.max(1)).max(1);
        let mut unit = 1u64;
        while unit <= rough / 10 {
            unit *= 10;
        }
        let factor = [1, 2, 5, 10].into_iter().find(|factor| unit.saturating_mul(*factor) >= rough);
        let step = unit.saturating_mul(factor.unwrap_or(10));
        let ticks = std::iter::successors(Some(0u64), |tick| tick.checked_add(step));
        ticks.take_while(|tick| *tick <= self.most).collect()
    }
}

/// A coordinate, short.
pub fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn ticks_are_round_and_within() {
        let ticks = |most| Axis { most, length: 1.0 }.ticks(5);
        assert_eq!(ticks(0), [0]);
        assert_eq!(ticks(3), [0, 1, 2, 3]);
        assert_eq!(ticks(1_154_688), [0, 500_000, 1_000_000]);
        assert_eq!(ticks(4_000), [0, 1_000, 2_000, 3_000, 4_000]);
        assert!(ticks(u64::MAX).len() <= 6);
    }
}
