//! Distances of two tensors.
//!
//! Mean squared error, L1 and signal-to-noise ratio follow ExecuTorch's
//! Inspector (`calculate_numeric_gap`): 64-bit floats, NaN taken as 0, L1 as
//! the sum (not the mean) of the absolute differences.

/// Distances of a tensor from its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Mean of the squared differences.
    pub mse: f64,
    /// Sum of the absolute differences.
    pub l1: f64,
    /// `10 log10(mean(reference²) / mse)` in decibels; infinite if nothing differs.
    pub snr: f64,
    /// Cosine of the angle between both as vectors; 1 if both are zero.
    pub cosine: f64,
    /// Largest absolute difference.
    pub max_abs: f64,
}

impl Metrics {
    /// The distances of `found` from `reference`; `None` if they have different
    /// lengths or no elements.
    ///
    /// # Examples
    /// ```
    /// use et_inspector::gap::Metrics;
    ///
    /// let metrics = Metrics::of(&[3.0, 4.0], &[3.0, 4.5]).unwrap();
    /// assert_eq!(metrics.mse, 0.125);
    /// assert_eq!(metrics.l1, 0.5);
    /// assert_eq!(metrics.snr, 20.0);
    /// ```
    pub fn of(reference: &[f64], found: &[f64]) -> Option<Self> {
        if reference.len() != found.len() || reference.is_empty() {
            return None;
        }
        let number = |n: &f64| if n.is_nan() { 0.0 } else { *n };
        let count = reference.len() as f64;
        let (mut squares, mut l1, mut max_abs) = (0.0, 0.0, 0.0f64);
        let (mut dot, mut of_reference, mut of_found) = (0.0, 0.0, 0.0);
        for (a, b) in reference.iter().map(number).zip(found.iter().map(number)) {
            let difference = a - b;
            squares += difference * difference;
            l1 += difference.abs();
            max_abs = max_abs.max(difference.abs());
            dot += a * b;
            of_reference += a * a;
            of_found += b * b;
        }
        let mse = squares / count;
        Some(Metrics {
            mse,
            l1,
            snr: 10.0 * (of_reference / count / mse).log10(),
            cosine: cosine(dot, of_reference, of_found),
            max_abs,
        })
    }
}

fn cosine(dot: f64, a: f64, b: f64) -> f64 {
    match (a == 0.0, b == 0.0) {
        (true, true) => 1.0,
        (false, false) => dot / (a.sqrt() * b.sqrt()),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn equal_tensors_have_no_distance() {
        let metrics = Metrics::of(&[1.0, -2.0], &[1.0, -2.0]).unwrap();
        assert_eq!((metrics.mse, metrics.l1, metrics.max_abs), (0.0, 0.0, 0.0));
        assert_eq!(metrics.snr, f64::INFINITY);
        assert!((metrics.cosine - 1.0).abs() < 1e-15);
    }

    #[test]
    fn opposite_tensors_have_the_cosine_minus_one() {
        let metrics = Metrics::of(&[1.0, 2.0], &[-2.0, -4.0]).unwrap();
        assert!((metrics.cosine + 1.0).abs() < 1e-15);
    }

    #[test]
    fn nan_counts_as_zero() {
        assert_eq!(Metrics::of(&[f64::NAN, 3.0], &[1.0, 3.0]).unwrap().l1, 1.0);
    }

    #[test]
    fn other_lengths_and_no_elements_have_no_distance() {
        assert_eq!(Metrics::of(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(Metrics::of(&[], &[]), None);
    }
}
