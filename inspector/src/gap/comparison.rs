//! Two sets of values against each other.

use super::logged::Place;
use super::metrics::Metrics;
use crate::debug_data::{Tensor, Value};
use std::collections::HashMap;

/// How far a number may be from its reference: `atol + rtol * |reference|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Relative part.
    pub rtol: f64,
    /// Absolute part.
    pub atol: f64,
}

/// One tensor or number against its reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Where it was put out.
    pub place: Place,
    /// Which tensor, if the value is a list of them.
    pub element: usize,
    /// PyTorch's name of the element type; of a number, nothing.
    pub dtype: &'static str,
    /// Extents.
    pub shape: Vec<i64>,
    /// How far it is, or why that cannot be said.
    pub measured: Result<Measured, String>,
}

/// How far a value is from its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Distances; `None` of a tensor without elements.
    pub metrics: Option<Metrics>,
    /// Elements.
    pub elements: usize,
    /// Elements out of tolerance.
    pub outside: usize,
}

impl Gap {
    /// Whether the value is out of tolerance, or of another shape than its reference.
    pub fn diverges(&self) -> bool {
        !matches!(&self.measured, Ok(measured) if measured.outside == 0)
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Values that both have, in the order of the trace.
    pub gaps: Vec<Gap>,
    /// Values that only the trace has.
    pub without_reference: Vec<Place>,
    /// Values that only the reference has.
    pub only_in_reference: Vec<Place>,
}

impl Comparison {
    /// The first value of an instruction that is out of tolerance; if all of
    /// them are right, the first output of the method that is.
    pub fn first_divergence(&self) -> Option<&Gap> {
        let diverging = || self.gaps.iter().filter(|gap| gap.diverges());
        diverging().find(|gap| !gap.place.is_output).or_else(|| diverging().next())
    }
}

/// Compares values with a reference by their places.
pub fn compare(
    found: &[(Place, Value<'_>)],
    reference: &[(Place, Value<'_>)],
    tolerance: Tolerance,
) -> Comparison {
    let mut by_place: HashMap<&Place, &Value<'_>> =
        reference.iter().map(|(place, value)| (place, value)).collect();
    let mut comparison = Comparison::default();
    for (place, value) in found {
        match by_place.remove(place) {
            Some(expected) => gaps(place, value, expected, tolerance, &mut comparison.gaps),
            None => comparison.without_reference.push(place.clone()),
        }
    }
    let left = reference.iter().map(|(place, _)| place).filter(|p| by_place.contains_key(p));
    comparison.only_in_reference = left.cloned().collect();
    comparison
}

fn gaps(
    place: &Place,
    found: &Value<'_>,
    reference: &Value<'_>,
    tolerance: Tolerance,
    gaps: &mut Vec<Gap>,
) {
    let mut add = |element, dtype, shape, measured| {
        gaps.push(Gap { place: place.clone(), element, dtype, shape, measured });
    };
    match (found, reference) {
        (Value::Number(a), Value::Number(b)) => {
            add(0, "", Vec::new(), Ok(measure(&[*a], &[*b], tolerance)));
        }
        (Value::Nothing, Value::Nothing) => {}
        _ if !found.tensors().is_empty() && found.tensors().len() == reference.tensors().len() => {
            for (index, (a, b)) in found.tensors().iter().zip(reference.tensors()).enumerate() {
                add(index, a.dtype(), a.sizes.clone(), tensors(a, b, tolerance));
            }
        }
        (Value::List(a), Value::List(b)) if a.is_empty() && b.is_empty() => {}
        _ => {
            let message = format!("expected {}, found {}", kind(reference), kind(found));
            add(0, "", Vec::new(), Err(message));
        }
    }
}

fn kind(value: &Value<'_>) -> String {
    match value {
        Value::Nothing => "no value".into(),
        Value::Number(_) => "a number".into(),
        Value::Tensor(_) => "a tensor".into(),
        Value::List(tensors) => format!("a list of {} tensors", tensors.len()),
    }
}

/// Whether two shapes have the same extents but for those of 1, which a view
/// adds and takes away: the runtime multiplies `[8, 32]` where the model has
/// `[1, 8, 32]`.
pub fn same_extents(a: &[i64], b: &[i64]) -> bool {
    let extents =
        |sizes: &[i64]| sizes.iter().copied().filter(|size| *size != 1).collect::<Vec<_>>();
    extents(a) == extents(b)
}

fn tensors(
    found: &Tensor<'_>,
    reference: &Tensor<'_>,
    tolerance: Tolerance,
) -> Result<Measured, String> {
    if !same_extents(&found.sizes, &reference.sizes) {
        return Err(format!("expected shape {:?}, found {:?}", reference.sizes, found.sizes));
    }
    let numbers = |tensor: &Tensor<'_>, whose: &str| {
        tensor.numbers().ok_or_else(|| match tensor.bytes() {
            Err(fault) => format!("{whose}: {fault}"),
            Ok(_) => format!("{whose}: elements of type {} are no numbers", tensor.dtype()),
        })
    };
    Ok(measure(&numbers(found, "value")?, &numbers(reference, "reference")?, tolerance))
}

fn measure(found: &[f64], reference: &[f64], tolerance: Tolerance) -> Measured {
    let is_outside = |(a, b): &(&f64, &f64)| {
        let same = a == b || a.is_nan() && b.is_nan();
        // NaN and infinity are near nothing but themselves.
        let near = (**a - **b).abs() <= tolerance.atol + tolerance.rtol * b.abs();
        !(same || near && b.is_finite())
    };
    Measured {
        metrics: Metrics::of(reference, found),
        elements: found.len(),
        outside: found.iter().zip(reference).filter(is_outside).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { rtol: 1e-3, atol: 1e-5 };

    fn place(instruction: i32, is_output: bool) -> Place {
        Place { run: 0, chain: 0, instruction, delegate_id: None, position: 0, is_output }
    }

    #[test]
    fn first_diverging_instruction_is_named_before_the_outputs() {
        let values = |numbers: [f64; 3]| -> Vec<(Place, Value<'static>)> {
            let places = [place(-1, true), place(0, false), place(1, false)];
            places.into_iter().zip(numbers.map(Value::Number)).collect()
        };
        let found = compare(&values([9.0, 1.0, 5.0]), &values([2.0, 1.0, 2.0]), TOLERANCE);
        assert_eq!(found.first_divergence().unwrap().place, place(1, false));
        let equal = compare(&values([1.0; 3]), &values([1.0; 3]), TOLERANCE);
        assert_eq!(equal.first_divergence(), None);
    }

    #[test]
    fn values_that_only_one_side_has_are_listed() {
        let one = [(place(0, false), Value::Number(1.0))];
        let other = [(place(4, false), Value::Number(1.0))];
        let found = compare(&one, &other, TOLERANCE);
        assert_eq!(found.without_reference, [place(0, false)]);
        assert_eq!(found.only_in_reference, [place(4, false)]);
    }

    #[test]
    fn extents_of_one_are_no_difference() {
        assert!(same_extents(&[1, 8, 32], &[8, 32]));
        assert!(same_extents(&[1], &[]));
        assert!(!same_extents(&[32, 8], &[8, 32]));
        assert!(!same_extents(&[8], &[8, 0]));
    }

    #[test]
    fn nan_is_near_nan_only() {
        let nan = f64::NAN;
        let outside = |a: f64, b: f64| measure(&[a], &[b], TOLERANCE).outside;
        assert_eq!(outside(nan, nan), 0);
        assert_eq!(outside(nan, 0.0), 1);
        assert_eq!(outside(1.0, f64::INFINITY), 1);
        assert_eq!(outside(f64::INFINITY, f64::INFINITY), 0);
    }
}
