//! Time scales, and the time between two readings of a clock.

/// Unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeScale {
    /// Nanoseconds
    Nanoseconds,
    /// Microseconds
    Microseconds,
    /// Milliseconds
    Milliseconds,
    /// Seconds
    Seconds,
    /// Clock cycles, which convert to nothing else
    Cycles,
}

impl TimeScale {
    /// Ticks of this scale in a second.
    fn per_second(self) -> f64 {
        match self {
            TimeScale::Nanoseconds => 1e9,
            TimeScale::Microseconds => 1e6,
            TimeScale::Milliseconds => 1e3,
            TimeScale::Seconds | TimeScale::Cycles => 1.0,
        }
    }

    /// Name of the unit, as the Inspector prints it.
    pub fn name(self) -> &'static str {
        match self {
            TimeScale::Nanoseconds => "ns",
            TimeScale::Microseconds => "us",
            TimeScale::Milliseconds => "ms",
            TimeScale::Seconds => "s",
            TimeScale::Cycles => "cycles",
        }
    }
}

/// The clock's scale and the one to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    source: TimeScale,
    target: TimeScale,
}

/// The C++ runtime's cycle counters have 32 bits.
const COUNTER_MAX: u64 = u32::MAX as u64;

impl Times {
    /// Conversion from `source` to `target`; `None` if only one of them is in cycles.
    pub fn new(source: TimeScale, target: TimeScale) -> Option<Self> {
        let cycles = [source, target].map(|scale| scale == TimeScale::Cycles);
        (cycles[0] == cycles[1]).then_some(Times { source, target })
    }

    /// The scale that times are shown in.
    pub fn target(&self) -> TimeScale {
        self.target
    }

    fn factor(&self) -> f64 {
        self.source.per_second() / self.target.per_second()
    }

    /// The target scale's value of a number of ticks.
    pub fn span(&self, ticks: u64) -> f64 {
        ticks as f64 / self.factor()
    }

    /// Time from `start` to `end`.
    ///
    /// A counter that ran over 32 bits is followed once, by the Inspector's
    /// rule. `None` if it ran backwards otherwise.
    pub fn elapsed(&self, start: u64, end: u64) -> Option<f64> {
        let ticks = if start <= end {
            end - start
        } else if start <= COUNTER_MAX {
            (COUNTER_MAX - start) + end
        } else {
            return None;
        };
        Some(ticks as f64 / self.factor())
    }

    /// As [`Times::elapsed`] for a delegate's own event: both ends are
    /// converted before they are subtracted, which rounds differently.
    pub fn elapsed_in_delegate(&self, start: u64, end: u64) -> Option<f64> {
        if start > end && start > COUNTER_MAX {
            return None;
        }
        let (start, end) = (start as f64 / self.factor(), end as f64 / self.factor());
        Some(if start > end { (COUNTER_MAX as f64 - start) + end } else { end - start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_do_not_convert_to_time() {
        assert!(Times::new(TimeScale::Cycles, TimeScale::Milliseconds).is_none());
        assert!(Times::new(TimeScale::Cycles, TimeScale::Cycles).is_some());
    }

    #[test]
    fn counter_that_wraps_is_followed() {
        let times = Times::new(TimeScale::Cycles, TimeScale::Cycles).unwrap();
        assert_eq!(times.elapsed(COUNTER_MAX - 10, 5), Some(15.0));
        assert_eq!(times.elapsed(COUNTER_MAX + 10, 5), None);
    }
}
