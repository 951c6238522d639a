//! Runs against each other: the first against the warm ones, and those that
//! took unusually long.
//!
//! The first run of a method finds cold caches, untouched memory and delegates
//! that finish their preparation; it says little about the others. A run whose
//! distance from the median of the warm ones is more than five times the usual
//! (the median absolute deviation, scaled to a standard deviation by 1.4826;
//! Iglewicz and Hoaglin use 3.5) was probably disturbed from outside.

use super::block::Block;
use super::statistics::Statistics;

/// Ratio of the median absolute deviation of a normal distribution to its standard deviation.
const SCALE: f64 = 1.4826;
/// Deviations beyond which a run is unusual.
const THRESHOLD: f64 = 5.0;
/// A run must also differ by this share of the median to be worth mention.
const LEAST_SHARE: f64 = 0.1;
/// Below this number of warm runs there is no telling what is usual.
const LEAST_RUNS: usize = 4;

/// The runs of a block against each other, in ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct RunTimes {
    /// Time of each run: its outermost events.
    pub ticks: Vec<u64>,
    /// Mean of the runs after the first.
    pub warm_mean: Option<f64>,
    /// Median of the runs after the first.
    pub warm_median: Option<f64>,
    /// Runs after the first that took unusually long or short.
    pub outliers: Vec<usize>,
}

impl RunTimes {
    /// Compares the runs of `block`.
    pub fn of(block: &Block<'_>) -> Self {
        let mut ticks = vec![0u64; block.runs];
        for row in &block.events {
            for (run, own) in ticks.iter_mut().zip(row.own_runs()) {
                *run = own.iter().fold(*run, |sum, own| sum.saturating_add(*own));
            }
        }
        let warm: Vec<f64> = ticks.iter().skip(1).map(|&t| t as f64).collect();
        let statistics = Statistics::of(&warm);
        RunTimes {
            warm_mean: statistics.map(|s| s.avg),
            warm_median: statistics.map(|s| s.p50),
            outliers: outliers(&warm).into_iter().map(|index| index + 1).collect(),
            ticks,
        }
    }

    /// How many times longer the first run took than the warm ones in the mean.
    pub fn first_to_warm(&self) -> Option<f64> {
        let warm = self.warm_mean.filter(|mean| *mean > 0.0)?;
        Some(*self.ticks.first()? as f64 / warm)
    }
}

/// Indices of the times that are unusual among `times`.
fn outliers(times: &[f64]) -> Vec<usize> {
    if times.len() < LEAST_RUNS {
        return Vec::new();
    }
    let median = |values: &[f64]| Statistics::of(values).map_or(0.0, |s| s.p50);
    let center = median(times);
    let distances: Vec<f64> = times.iter().map(|t| (t - center).abs()).collect();
    let limit = (median(&distances) * SCALE * THRESHOLD).max(center * LEAST_SHARE);
    let unusual = distances.iter().enumerate().filter(|(_, distance)| **distance > limit);
    unusual.map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::outliers;

    #[test]
    fn one_disturbed_run_is_found() {
        assert_eq!(outliers(&[100.0, 101.0, 99.0, 300.0, 100.0, 102.0]), [3]);
    }

    #[test]
    fn noise_is_not_reported() {
        assert!(outliers(&[100.0, 108.0, 92.0, 104.0, 97.0]).is_empty());
        assert!(outliers(&[100.0, 100.0, 100.0, 105.0]).is_empty());
    }

    #[test]
    fn few_runs_tell_nothing() {
        assert!(outliers(&[1.0, 1.0, 900.0]).is_empty());
    }
}
