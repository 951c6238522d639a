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
        let ordered = Ordered::of(times)?;
        let (min, max) = (ordered.at(0), ordered.at(count - 1));
        let sum = pairwise_sum(times, |time| time);
        let avg = sum / count as f64;
        let squares = pairwise_sum(times, |time| (time - avg) * (time - avg));
        let divisor = count.saturating_sub(1).max(1) as f64;
        Some(Statistics {
            p10: ordered.percentile(10.0),
            p50: ordered.percentile(50.0),
            p90: ordered.percentile(90.0),
            p99: ordered.percentile(99.0),
            avg,
            min,
            max,
            sum,
            stddev: (squares / divisor).sqrt(),
            count,
        })
    }
}

/// Percentiles that are asked for.
const PERCENTS: [f64; 4] = [10.0, 50.0, 90.0, 99.0];

/// Times of which those that the percentiles need, and both ends, are where
/// they are in the order of `f64::total_cmp`. To sort all others takes longer
/// than anything else that is done with long traces.
struct Ordered(Vec<u64>);

impl Ordered {
    /// `None` if there are no times.
    fn of(times: &[f64]) -> Option<Self> {
        let last = times.len().checked_sub(1)?;
        // Negative numbers have the sign bit, and larger bits the smaller they are.
        let flip = |bits: u64| if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        let mut keys: Vec<u64> = times.iter().map(|time| flip(time.to_bits())).collect();
        let mut wanted: Vec<usize> = vec![0, last];
        for percent in PERCENTS {
            let (below, _) = position(times.len(), percent);
            wanted.extend([below, (below + 1).min(last)]);
        }
        wanted.sort_unstable();
        wanted.dedup();
        select(&mut keys, &wanted, 0);
        Some(Ordered(keys))
    }

    /// Time number `index` in the order.
    fn at(&self, index: usize) -> f64 {
        let key = self.0[index];
        f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
    }

    /// `numpy.percentile` with its default, linear interpolation.
    fn percentile(&self, percent: f64) -> f64 {
        let (below, fraction) = position(self.0.len(), percent);
        let (low, high) = (self.at(below), self.at((below + 1).min(self.0.len() - 1)));
        let difference = high - low;
        if fraction >= 0.5 {
            high - difference * (1.0 - fraction)
        } else {
            low + difference * fraction
        }
    }
}

/// The item below a percentile of `count`, and how far the percentile is from it to the next.
fn position(count: usize, percent: f64) -> (usize, f64) {
    let position = (count - 1) as f64 * (percent / 100.0);
    let below = position.floor();
    (below as usize, position - below)
}

/// Puts the items of `keys` with the indices `wanted`, of which the first item
/// has index `first`, where a sort would put them.
fn select(keys: &mut [u64], wanted: &[usize], first: usize) {
    if wanted.is_empty() || keys.len() < 2 {
        return;
    }
    let middle = wanted.len() / 2;
    let at = wanted[middle] - first;
    let (left, _, right) = keys.select_nth_unstable(at);
    select(left, &wanted[..middle], first);
    select(right, &wanted[middle + 1..], first + at + 1);
}

/// `numpy.sum`: eight accumulators up to 128 items, halves above.
fn pairwise_sum(items: &[f64], of: impl Fn(f64) -> f64 + Copy) -> f64 {
    const BLOCK: usize = 128;
    if items.len() < 8 {
        return items.iter().map(|item| of(*item)).sum();
    }
    if items.len() > BLOCK {
        let half = items.len() / 2;
        let (left, right) = items.split_at(half - half % 8);
        return pairwise_sum(left, of) + pairwise_sum(right, of);
    }
    let (eights, rest) = items.as_chunks::<8>();
    let mut r = eights[0].map(of);
    for eight in &eights[1..] {
        for (sum, item) in r.iter_mut().zip(eight) {
            *sum += of(*item);
        }
    }
    let sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    rest.iter().fold(sum, |sum, item| sum + of(*item))
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
    fn selected_are_those_of_the_total_order() {
        let special = [2.0, -0.0, f64::INFINITY, 0.0, -3.5, 1e-300, -1e300, 2.0];
        let mut number = 1u64;
        for count in 1..400 {
            let times: Vec<f64> = (0..count)
                .map(|index| {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let any = (number >> 40) as f64 - 8e6;
                    special.get((number >> 33) as usize % 40 + index % 2).copied().unwrap_or(any)
                })
                .collect();
            let mut sorted = times.clone();
            sorted.sort_by(f64::total_cmp);
            let ordered = Ordered::of(&times).expect("times");
            let places = PERCENTS.map(|percent| position(count, percent).0);
            for at in [0, count - 1].into_iter().chain(places) {
                for at in [at, (at + 1).min(count - 1)].into_iter().filter(|at| {
                    *at == 0 || *at == count - 1 || places.iter().any(|p| p == at || p + 1 == *at)
                }) {
                    assert_eq!(ordered.at(at).to_bits(), sorted[at].to_bits(), "{at} of {count}");
                }
            }
        }
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
