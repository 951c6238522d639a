//! What each instruction of some that run together takes.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use smallvec::SmallVec;
use std::time::Instant;

/// Nanoseconds of each instruction, all threads together; of none if nobody asks.
pub(crate) struct Times(SmallVec<[Time; 8]>);

#[derive(Default)]
struct Time {
    /// Of the instruction alone.
    alone: AtomicU64,
    /// Of a sample, in which instructions run one by one that else do not.
    sample: AtomicU64,
    /// Of the instruction and those that are done to its results in registers.
    together: AtomicU64,
}

impl Times {
    /// Of `count` instructions.
    pub fn new(count: usize) -> Self {
        Times((0..count).map(|_| Time::default()).collect())
    }

    /// Whether nobody asks.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds to the time of an instruction alone.
    pub fn add(&self, index: usize, nanoseconds: u64) {
        if let Some(time) = self.0.get(index) {
            time.alone.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    /// The time of each.
    pub fn each(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|time| time.alone.load(Ordering::Relaxed))
    }

    /// Gives each of the instructions `range`, whose results stay in registers, its
    /// share of their time: what it is in the sample.
    pub fn share_out(&self, range: Range<usize>) {
        let Some(times) = self.0.get(range) else { return };
        let samples = times.iter().map(|time| time.sample.load(Ordering::Relaxed));
        let together: u64 = times.iter().map(|time| time.together.load(Ordering::Relaxed)).sum();
        let sampled: u64 = samples.clone().sum();
        let total = u128::from(together + sampled);
        for (time, sample) in times.iter().zip(samples) {
            let share = total * u128::from(sample) / u128::from(sampled.max(1));
            time.alone.fetch_add(share as u64, Ordering::Relaxed);
            time.sample.store(0, Ordering::Relaxed);
            time.together.store(0, Ordering::Relaxed);
        }
    }
}

/// Measures if there is something to add to.
#[derive(Clone, Copy)]
pub(super) struct Stopwatch(Option<Instant>);

impl Stopwatch {
    pub fn start(times: &Times) -> Self {
        Stopwatch((!times.is_empty()).then(Instant::now))
    }

    /// Adds the time since the last start or stop to that of an instruction alone.
    pub fn stop(self, times: &Times, index: usize) -> Self {
        self.add(times, index, |time| &time.alone)
    }

    /// To its time in the sample.
    pub fn stop_sample(self, times: &Times, index: usize) -> Self {
        self.add(times, index, |time| &time.sample)
    }

    /// To the time of an instruction and what is done to its results in registers.
    pub fn stop_together(self, times: &Times, index: usize) -> Self {
        self.add(times, index, |time| &time.together)
    }

    fn add(self, times: &Times, index: usize, of: impl Fn(&Time) -> &AtomicU64) -> Self {
        let Stopwatch(Some(begun)) = self else { return self };
        let now = Instant::now();
        if let Some(time) = times.0.get(index) {
            of(time).fetch_add((now - begun).as_nanos() as u64, Ordering::Relaxed);
        }
        Stopwatch(Some(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_registers_is_shared_as_in_the_sample() {
        let times = Times::new(4);
        for (time, sample) in times.0.iter().zip([30, 10, 20, 0]) {
            time.sample.store(sample, Ordering::Relaxed);
        }
        times.0[0].together.store(540, Ordering::Relaxed);
        times.add(3, 7);
        times.share_out(0..3);
        assert_eq!(times.each().collect::<Vec<_>>(), [300, 100, 200, 7]);
        // Nothing is given twice.
        times.share_out(0..3);
        assert_eq!(times.each().sum::<u64>(), 607);
    }
}
