//! What each instruction of some that run together takes.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use smallvec::SmallVec;
use std::time::Instant;

/// Nanoseconds of each instruction, all threads together; of none if nobody asks.
pub(crate) struct Times(SmallVec<[Time; 8]>);

#[derive(Default)]
struct Time {
    /// Of the instruction alone.
    alone: AtomicU64,
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
}

/// What instructions took whose results else stay in registers, for a few channels in
/// some runs, in which they run one by one.
pub(super) struct Samples {
    runs: AtomicU32,
    /// Nanoseconds of each instruction of the group.
    each: Vec<AtomicU64>,
}

/// One run of so many has a sample, and the second, as the first is like no other.
const RUNS_OF_A_SAMPLE: u32 = 16;

impl Samples {
    /// Of `count` instructions.
    pub fn new(count: usize) -> Self {
        let each = (0..count).map(|_| AtomicU64::new(0)).collect();
        Samples { runs: AtomicU32::new(0), each }
    }

    /// Whether this run has a sample. The last one is forgotten then.
    pub fn begin(&self) -> bool {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let wanted = run == 1 || run.is_multiple_of(RUNS_OF_A_SAMPLE);
        if wanted {
            self.each.iter().for_each(|sample| sample.store(0, Ordering::Relaxed));
        }
        wanted
    }

    /// Gives each of the instructions `range` its share of the time that they took
    /// together, which is that of the first: what it is in the sample.
    pub fn share_out(&self, range: Range<usize>, times: &Times) {
        let (Some(times), Some(samples)) = (times.0.get(range.clone()), self.each.get(range))
        else {
            return;
        };
        let Some(first) = times.first() else { return };
        let mut left = first.together.swap(0, Ordering::Relaxed);
        let total = u128::from(left);
        let samples = samples.iter().map(|sample| sample.load(Ordering::Relaxed));
        let sampled: u64 = samples.clone().sum();
        for (time, sample) in times.iter().zip(samples).skip(1) {
            let share = total * u128::from(sample) / u128::from(sampled.max(1));
            left = left.saturating_sub(share as u64);
            time.alone.fetch_add(share as u64, Ordering::Relaxed);
        }
        first.alone.fetch_add(left, Ordering::Relaxed);
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
        self.add([times.0.get(index).map(|time| &time.alone), None])
    }

    /// To the time of an instruction and what is done to its results in registers.
    pub fn stop_together(self, times: &Times, index: usize) -> Self {
        self.add([times.0.get(index).map(|time| &time.together), None])
    }

    /// The same for a part of a sample: instruction `first`, or `index` of those after it.
    pub fn stop_sample(self, times: &Times, samples: &Samples, first: usize, index: usize) -> Self {
        let together = times.0.get(first).map(|time| &time.together);
        self.add([together, samples.each.get(index)])
    }

    fn add(self, sums: [Option<&AtomicU64>; 2]) -> Self {
        let Stopwatch(Some(begun)) = self else { return self };
        let now = Instant::now();
        let nanoseconds = (now - begun).as_nanos() as u64;
        for sum in sums.into_iter().flatten() {
            sum.fetch_add(nanoseconds, Ordering::Relaxed);
        }
        Stopwatch(Some(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(samples: [u64; 3], together: u64) -> Vec<u64> {
        let times = Times::new(4);
        let all = Samples::new(4);
        all.each.iter().zip(samples).for_each(|(to, ns)| to.store(ns, Ordering::Relaxed));
        times.0[0].together.store(together, Ordering::Relaxed);
        times.add(3, 7);
        all.share_out(0..3, &times);
        // Nothing is given twice.
        all.share_out(0..3, &times);
        times.each().collect()
    }

    #[test]
    fn time_in_registers_is_shared_as_in_the_sample() {
        assert_eq!(shared([30, 10, 20], 600), [300, 100, 200, 7]);
        assert_eq!(shared([1, 1, 1], 100), [34, 33, 33, 7]);
        // Without a sample it is the first's.
        assert_eq!(shared([0, 0, 0], 600), [600, 0, 0, 7]);
    }

    #[test]
    fn some_runs_have_a_sample() {
        let samples = Samples::new(1);
        let with: Vec<u32> = (0..40).filter(|_| samples.begin()).collect();
        assert_eq!(with, [0, 1, 16, 32]);
    }
}
