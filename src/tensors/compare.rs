//! Comparison of an output with what is expected of it.

use super::Array;

/// How far an output may be from what is expected: `atol + rtol * |expected|`,
/// the rule of `numpy.isclose` and of ExecuTorch's bundled programs. Integers
/// and bools must be equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Relative part.
    pub rtol: f64,
    /// Absolute part.
    pub atol: f64,
}

/// An element outside the tolerance.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Index along each dimension.
    pub index: Vec<usize>,
    /// What was expected there.
    pub expected: f64,
    /// What the output has there.
    pub found: f64,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Comparison {
    /// Largest absolute difference.
    pub max_abs: f64,
    /// Largest difference relative to the expected number.
    pub max_rel: f64,
    /// Elements outside the tolerance.
    pub outside: usize,
    /// The first of them.
    pub first: Option<Difference>,
    /// The one with the largest absolute difference.
    pub worst: Option<Difference>,
}

/// Compares two tensors of equal type and shape.
///
/// # Errors
/// A message, if type or shape differ.
pub fn compare(
    found: &Array,
    expected: &Array,
    tolerance: Tolerance,
) -> Result<Comparison, String> {
    if (found.scalar_type, &found.sizes) != (expected.scalar_type, &expected.sizes) {
        return Err(format!(
            "expected {}{:?}, found {}{:?}",
            expected.scalar_type, expected.sizes, found.scalar_type, found.sizes
        ));
    }
    // The last index of a difference between complex numbers is 0 in the real part.
    let (found, expected) = (&*found.parts(), &*expected.parts());
    let exact = !found.scalar_type.is_floating();
    let mut result = Comparison::default();
    let mut worst = -1.0;
    for position in 0..found.numel() {
        let size = found.scalar_type.size();
        let range = position * size..(position + 1) * size;
        if found.data[range.clone()] == expected.data[range] {
            continue;
        }
        let (a, b) = (found.number(position), expected.number(position));
        if a == b && !exact || a.is_nan() && b.is_nan() {
            continue;
        }
        // NaN against a number is as far away as can be.
        let gap = (a - b).abs();
        let gap = if gap.is_nan() { f64::INFINITY } else { gap };
        result.max_abs = result.max_abs.max(gap);
        result.max_rel = result.max_rel.max(if b == 0.0 { f64::INFINITY } else { gap / b.abs() });
        if exact || !b.is_finite() || gap > tolerance.atol + (tolerance.rtol * b).abs() {
            let difference =
                || Difference { index: unravel(position, &found.sizes), expected: b, found: a };
            result.outside += 1;
            result.first.get_or_insert_with(difference);
            if gap > worst {
                worst = gap;
                result.worst = Some(difference());
            }
        }
    }
    Ok(result)
}

/// The index of element `position` in index order.
fn unravel(mut position: usize, sizes: &[i32]) -> Vec<usize> {
    let mut index = vec![0; sizes.len()];
    for (slot, size) in index.iter_mut().zip(sizes).rev() {
        let size = (*size).max(1) as usize;
        *slot = position % size;
        position /= size;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::ScalarType;

    fn floats(items: &[f32]) -> Array {
        Array {
            scalar_type: ScalarType::Float,
            sizes: vec![items.len() as i32],
            data: items.iter().flat_map(|f| f.to_le_bytes()).collect(),
        }
    }

    const TOLERANCE: Tolerance = Tolerance { rtol: 1e-5, atol: 1e-6 };

    #[test]
    fn first_and_worst_difference_are_named() {
        let result =
            compare(&floats(&[1.0, 2.1, 5.0]), &floats(&[1.0, 2.0, 3.0]), TOLERANCE).unwrap();
        assert_eq!(result.outside, 2);
        assert_eq!(result.first.unwrap().index, [1]);
        assert_eq!(result.worst.unwrap().index, [2]);
        assert_eq!(result.max_abs, 2.0);
    }

    #[test]
    fn equal_infinities_and_nans_are_close() {
        let same = floats(&[f32::NAN, f32::INFINITY, -0.0]);
        let other = floats(&[-f32::NAN, f32::INFINITY, 0.0]);
        assert_eq!(compare(&same, &other, TOLERANCE).unwrap().outside, 0);
    }

    #[test]
    fn infinity_is_never_close_to_a_number() {
        let result = compare(&floats(&[1.0]), &floats(&[f32::INFINITY]), TOLERANCE).unwrap();
        assert_eq!(result.outside, 1);
        let result = compare(&floats(&[f32::NAN]), &floats(&[1.0]), TOLERANCE).unwrap();
        assert_eq!(result.outside, 1);
    }

    #[test]
    fn large_integers_are_compared_by_their_bits() {
        let long = |value: i64| Array {
            scalar_type: ScalarType::Long,
            sizes: vec![1],
            data: value.to_le_bytes().to_vec(),
        };
        let result = compare(&long(i64::MAX), &long(i64::MAX - 1), TOLERANCE).unwrap();
        assert_eq!(result.outside, 1);
    }

    #[test]
    fn other_shape_is_refused() {
        assert!(compare(&floats(&[1.0]), &floats(&[1.0, 1.0]), TOLERANCE).is_err());
    }
}
