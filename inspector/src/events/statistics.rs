//! Statistics over the runs of an event, with NumPy's arithmetic, so that they
//! are equal to the Inspector's to the last digit.

/// What is known of a list of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// 10th percentile
    pub p10: f64,
    /// Median
    pub p50: f64,
    /// 90th percentile
    pub p90: f64,
    /// 99th percentile
    pub p99: f64,
    /// Mean
    pub avg: f64,
    /// Least
    pub min: f64,
    /// Most
    pub max: f64,
    /// Sum
    pub sum: f64,
    /// Standard deviation of the sample (divisor n - 1); 0 for a single time
    pub stddev: f64,
    /// How many
    pub count: usize,
}

impl Statistics {
    /// Statistics of `times`, `None` if there are none.
    pub fn of(times: &[f64]) -> Option<Self> {
        let count = times.len();
        let sorted = sorted(times);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let sum = pairwise_sum(times);
        let avg = sum / count as f64;
        let squares: Vec<f64> = times.iter().map(|t| (t - avg) * (t - avg)).collect();
        let divisor = count.saturating_sub(1).max(1) as f64;
        Some(Statistics {
            p10: percentile(&sorted, 10.0),
            p50: percentile(&sorted, 50.0),
            p90: percentile(&sorted, 90.0),
            p99: percentile(&sorted, 99.0),
            avg,
            min,
            max,
            sum,
            stddev: (pairwise_sum(&squares) / divisor).sqrt(),
            count,
        })
    }
}

/// The times in the order of `f64::total_cmp`. Integers are sorted several
/// times as fast as by a function that compares.
fn sorted(times: &[f64]) -> Vec<f64> {
    // Negative numbers have the sign bit, and larger bits the smaller they are.
    let flip = |bits: u64| if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    let back = |key: u64| if key >> 63 == 1 { key & !(1 << 63) } else { !key };
    let mut keys: Vec<u64> = times.iter().map(|time| flip(time.to_bits())).collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| f64::from_bits(back(key))).collect()
}

/// `numpy.percentile` with its default, linear interpolation.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * (percent / 100.0);
    let below = position.floor();
    let fraction = position - below;
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    let difference = high - low;
    if fraction >= 0.5 { high - difference * (1.0 - fraction) } else { low + difference * fraction }
}

/// `numpy.sum`: eight accumulators up to 128 items, halves above.
fn pairwise_sum(items: &[f64]) -> f64 {
    const BLOCK: usize = 128;
    if items.len() < 8 {
        return items.iter().sum();
    }
    if items.len() > BLOCK {
        let half = items.len() / 2;
        let (left, right) = items.split_at(half - half % 8);
        return pairwise_sum(left) + pairwise_sum(right);
    }
    let (eights, rest) = items.as_chunks::<8>();
    let mut r = eights[0];
    for eight in &eights[1..] {
        for (sum, item) in r.iter_mut().zip(eight) {
            *sum += item;
        }
    }
    let sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    rest.iter().fold(sum, |sum, item| sum + item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_interpolated_as_numpy_does() {
        let s = Statistics::of(&[0.005221, 0.000173, 0.000235]).unwrap();
        assert_eq!((s.p10, s.p50, s.p90), (0.0001854, 0.000235, 0.0042238));
        assert_eq!(s.avg, 0.0018763333333333334);
    }

    #[test]
    fn sorted_is_the_total_order() {
        let times = [2.0, -0.0, f64::INFINITY, 0.0, -3.5, 1e-300, -1e300];
        let mut expected = times;
        expected.sort_by(f64::total_cmp);
        let bits = |times: &[f64]| times.iter().map(|t| t.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&sorted(&times)), bits(&expected));
    }

    #[test]
    fn single_time_has_no_spread() {
        let s = Statistics::of(&[2.5]).unwrap();
        assert_eq!((s.p10, s.p99, s.stddev, s.count), (2.5, 2.5, 0.0, 1));
    }

    #[test]
    fn nothing_has_no_statistics() {
        assert_eq!(Statistics::of(&[]), None);
    }
}
