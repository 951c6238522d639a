//! What the ticks of a trace are, and times as text.

use et_inspector::events::{TimeScale, Times};

/// The clock of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock(TimeScale);

impl Default for Clock {
    /// ExecuTorch's own ticks are nanoseconds, unless a board counts cycles.
    fn default() -> Self {
        Clock(TimeScale::Nanoseconds)
    }
}

impl Clock {
    /// One whose ticks are of a scale.
    pub fn new(scale: TimeScale) -> Self {
        Clock(scale)
    }

    /// Ticks as they are: the differences follow the Inspector's rule.
    pub(crate) fn times(self) -> Times {
        Times::new(self.0, self.0).expect("a scale converts to itself")
    }

    /// Nanoseconds of a tick; cycles have none.
    fn nanoseconds(self) -> Option<f64> {
        match self.0 {
            TimeScale::Nanoseconds => Some(1.0),
            TimeScale::Microseconds => Some(1e3),
            TimeScale::Milliseconds => Some(1e6),
            TimeScale::Seconds => Some(1e9),
            TimeScale::Cycles => None,
        }
    }

    /// A time with three significant digits and its unit.
    pub fn text(self, ticks: f64) -> String {
        let (value, units) = match self.nanoseconds() {
            Some(of_tick) => (ticks * of_tick, [" ns", " µs", " ms", " s"]),
            None => (ticks, [" cyc", "k cyc", "M cyc", "G cyc"]),
        };
        let (value, unit) = match value.abs() {
            0.0..1e3 => (value, units[0]),
            1e3..1e6 => (value / 1e3, units[1]),
            1e6..1e9 => (value / 1e6, units[2]),
            _ => (value / 1e9, units[3]),
        };
        let decimals = match value.abs() {
            _ if unit == units[0] => usize::from(value.fract() != 0.0 && value < 100.0),
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        format!("{value:.decimals$}{unit}")
    }

    /// A number of ticks.
    pub fn ticks(self, ticks: u64) -> String {
        self.text(ticks as f64)
    }

    /// Ticks of a time such as `1.5ms`, `20us` or, of cycles, `3k`; a bare number is ticks.
    pub fn parse(self, text: &str) -> Option<f64> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let number: f64 = text[..digits].parse().ok()?;
        let scale = match (text[digits..].trim(), self.nanoseconds()) {
            ("", _) => 1.0,
            ("ns", Some(of_tick)) => 1.0 / of_tick,
            ("us" | "µs", Some(of_tick)) => 1e3 / of_tick,
            ("ms", Some(of_tick)) => 1e6 / of_tick,
            ("s", Some(of_tick)) => 1e9 / of_tick,
            ("k", None) => 1e3,
            ("M" | "m", None) => 1e6,
            ("G" | "g", None) => 1e9,
            _ => return None,
        };
        Some(number * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let clock = Clock::default();
        for (ticks, text) in [
            (0.0, "0 ns"),
            (999.0, "999 ns"),
            (10.5, "10.5 ns"),
            (1234.0, "1.23 µs"),
            (45_600_000.0, "45.6 ms"),
            (7.89e11, "789 s"),
        ] {
            assert_eq!(clock.text(ticks), text);
        }
        assert_eq!(Clock::new(TimeScale::Microseconds).text(1500.0), "1.50 ms");
        assert_eq!(Clock::new(TimeScale::Cycles).text(136_962.0), "137k cyc");
    }

    #[test]
    fn times_that_are_typed_are_ticks() {
        assert_eq!(Clock::default().parse("1.5ms"), Some(1_500_000.0));
        assert_eq!(Clock::new(TimeScale::Microseconds).parse("2ms"), Some(2000.0));
        assert_eq!(Clock::new(TimeScale::Cycles).parse("3k"), Some(3000.0));
        assert_eq!(Clock::new(TimeScale::Cycles).parse("3ms"), None);
        assert_eq!(Clock::default().parse("fast"), None);
    }
}
