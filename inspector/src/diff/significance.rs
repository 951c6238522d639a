//! The Mann–Whitney U test: whether two samples of times come from the same
//! distribution. It looks at ranks only, so a single slow run decides nothing.

/// Pairs up to which the distribution of U is counted instead of approximated.
const EXACT_PAIRS: usize = 400;

/// Two-sided p value: exact for small samples without ties, else the normal
/// approximation with corrections for ties and continuity. 1 if one is empty.
pub fn mann_whitney(base: &[f64], new: &[f64]) -> f64 {
    let (n, m) = (base.len(), new.len());
    if n == 0 || m == 0 {
        return 1.0;
    }
    let mut all: Vec<(f64, bool)> = base.iter().map(|time| (*time, true)).collect();
    all.extend(new.iter().map(|time| (*time, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0);
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        let size = group.len() as f64;
        let rank = before as f64 + (size + 1.0) / 2.0;
        ranks += rank * group.iter().filter(|(_, of_base)| *of_base).count() as f64;
        ties += size * size * size - size;
        before += group.len();
    }
    let pairs = n as f64 * m as f64;
    let u = ranks - n as f64 * (n as f64 + 1.0) / 2.0;
    let least = u.min(pairs - u);
    if ties == 0.0 && n.saturating_mul(m) <= EXACT_PAIRS {
        return exact(n, m, least.round() as usize);
    }
    let total = (n + m) as f64;
    let variance = pairs / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((pairs / 2.0 - least) - 0.5).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2).min(1.0)
}

/// The least p value that samples of these sizes can have: 2 / C(n + m, n).
pub fn least_p_value(n: usize, m: usize) -> f64 {
    let ways = (1..=n.min(m)).fold(1.0, |ways, i| ways * (n.max(m) + i) as f64 / i as f64);
    (2.0 / ways).min(1.0)
}

/// Twice the share of orders of `n` and `m` items whose U is at most `u`.
fn exact(n: usize, m: usize, u: usize) -> f64 {
    // Orders of i and j items by U: the greatest item is of one sample, and
    // then is above all j of the other, or it is of the other.
    let mut above: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut row: Vec<Vec<f64>> = vec![vec![1.0]];
        for j in 1..=m {
            let mut counts = vec![0.0; i * j + 1];
            for (value, count) in above[j].iter().enumerate() {
                counts[value + j] += count;
            }
            for (value, count) in row[j - 1].iter().enumerate() {
                counts[value] += count;
            }
            row.push(counts);
        }
        above = row;
    }
    let all: f64 = above[m].iter().sum();
    let tail: f64 = above[m].iter().take(u + 1).sum();
    (2.0 * tail / all).min(1.0)
}

/// Complementary error function for x >= 0: Abramowitz and Stegun 7.1.26,
/// error below 1.5e-7.
fn erfc(x: f64) -> f64 {
    const A: [f64; 5] = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
    let t = 1.0 / (1.0 + 0.3275911 * x);
    A.iter().rev().fold(0.0, |sum, a| (sum + a) * t) * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 against 3, all below: one of the 20 orders, on both sides.
    #[test]
    fn small_samples_are_counted() {
        assert!((mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]) - 0.1).abs() < 1e-12);
        assert!((mann_whitney(&[1.0, 3.0, 5.0], &[2.0, 4.0, 6.0]) - 0.7).abs() < 1e-12);
        assert!((least_p_value(3, 3) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn counting_and_approximation_agree_where_they_meet() {
        let base: Vec<f64> = (0..20).map(f64::from).collect();
        let new: Vec<f64> = (0..20).map(|i| f64::from(i) + 5.5).collect();
        let exact = mann_whitney(&base, &new);
        let mut tied = new.clone();
        tied[19] = tied[18];
        let approximate = mann_whitney(&base, &tied);
        assert!(exact < 0.05 && (exact - approximate).abs() < 0.003, "{exact} {approximate}");
    }

    #[test]
    fn equal_and_missing_samples_tell_nothing() {
        assert_eq!(mann_whitney(&[2.0; 50], &[2.0; 50]), 1.0);
        assert_eq!(mann_whitney(&[], &[1.0]), 1.0);
    }
}
