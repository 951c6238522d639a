//! What a tensor's elements are like: statistics, a histogram, the first
//! values and the first bytes.

use crate::later::Work;
use crate::tensors::Data;
use et_inspector::debug_data::Tensor;

/// Elements that are looked at; of larger tensors the first so many, so that they
/// are there a few hundredths of a second after the key.
const MOST: usize = 1 << 21;

/// Elements up to which nobody notices that they are looked at.
pub const FEW: usize = 1 << 15;

/// Elements that are converted at once, which bounds the memory.
const CHUNK: usize = 1 << 16;

/// Bins of the histogram.
pub const BINS: usize = 48;

/// Values and bytes that are kept to be shown.
const FIRST: usize = 512;

/// What elements are like. NaN and infinite elements are only counted.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// Elements that the tensor has.
    pub count: u64,
    /// Elements that were looked at.
    pub seen: u64,
    /// Least of the finite elements.
    pub min: Option<f64>,
    /// Most of them.
    pub max: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation (of all elements, not of a sample).
    pub deviation: Option<f64>,
    /// Elements that are not a number.
    pub nan: u64,
    /// Elements that are infinite.
    pub infinite: u64,
    /// Elements that are zero.
    pub zeros: u64,
    /// Finite elements from `min` to `max` in bins of the same width.
    pub histogram: Vec<u64>,
    /// First values, in the order of their indices; none for types without numbers.
    pub values: Vec<f64>,
    /// First bytes, in the order of memory.
    pub bytes: Vec<u8>,
}

impl Digest {
    /// Elements that `data` has, of which some are looked at.
    pub fn elements(data: &Data) -> usize {
        let bytes = data.place.as_ref().map_or(0, |(_, range)| range.len());
        bytes / data.scalar_type.size().max(1)
    }

    /// Of the elements `bytes` of `data`, unless nobody waits for it.
    pub fn of(data: &Data, bytes: &[u8], work: &Work) -> Self {
        let size = data.scalar_type.size();
        let mut digest = Digest {
            count: (bytes.len() / size) as u64,
            bytes: bytes[..bytes.len().min(FIRST)].to_vec(),
            ..Digest::default()
        };
        let bytes = &bytes[..bytes.len().min(MOST.saturating_mul(size))];
        let mut sums = Sums::default();
        let known = chunks(data, bytes, work, |numbers| sums.add(numbers, &mut digest));
        digest.values = if known { first(data, bytes) } else { Vec::new() };
        let finite = sums.count as f64;
        if sums.count == 0 {
            return digest;
        }
        digest.mean = Some(sums.mean);
        digest.deviation = Some((sums.squares / finite).max(0.0).sqrt());
        digest.fill_histogram(data, bytes, work);
        digest
    }

    fn fill_histogram(&mut self, data: &Data, bytes: &[u8], work: &Work) {
        let (Some(min), Some(max)) = (self.min, self.max) else { return };
        let mut bins = vec![0u64; BINS];
        // Halves, as the difference of two floats may be infinite.
        let range = max / 2.0 - min / 2.0;
        chunks(data, bytes, work, |numbers| {
            for number in numbers.iter().filter(|number| number.is_finite()) {
                let share = if range > 0.0 { (number / 2.0 - min / 2.0) / range } else { 0.5 };
                bins[((share * BINS as f64) as usize).min(BINS - 1)] += 1;
            }
        });
        self.histogram = bins;
    }
}

/// A mean and a sum of squares around it that stay exact over many elements
/// (Welford's method).
#[derive(Default)]
struct Sums {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, numbers: &[f64], digest: &mut Digest) {
        digest.seen += numbers.len() as u64;
        for number in numbers {
            if number.is_nan() {
                digest.nan += 1;
                continue;
            }
            if number.is_infinite() {
                digest.infinite += 1;
                continue;
            }
            digest.zeros += u64::from(*number == 0.0);
            digest.min = Some(digest.min.map_or(*number, |min| min.min(*number)));
            digest.max = Some(digest.max.map_or(*number, |max| max.max(*number)));
            self.count += 1;
            let difference = number - self.mean;
            self.mean += difference / self.count as f64;
            self.squares += difference * (number - self.mean);
        }
    }
}

/// Hands out the numbers of `bytes` in the order of memory; `false` if they
/// are of a type whose elements are no numbers.
fn chunks(data: &Data, bytes: &[u8], work: &Work, mut each: impl FnMut(&[f64])) -> bool {
    let size = data.scalar_type.size();
    for (number, chunk) in bytes.chunks(CHUNK * size).enumerate() {
        if !work.goes_on(number * CHUNK, bytes.len() / size) {
            break;
        }
        let chunk = &chunk[..chunk.len() / size * size];
        match numbers(data, chunk) {
            Some(numbers) => each(&numbers),
            None => return false,
        }
    }
    true
}

fn numbers(data: &Data, bytes: &[u8]) -> Option<Vec<f64>> {
    let count = i64::try_from(bytes.len() / data.scalar_type.size()).ok()?;
    Tensor::from_elements(data.scalar_type, &[count], bytes)?.numbers()
}

/// The first values in the order of their indices.
fn first(data: &Data, bytes: &[u8]) -> Vec<f64> {
    let size = data.scalar_type.size();
    let count = (bytes.len() / size).min(FIRST);
    if data.strides.is_empty() {
        return numbers(data, &bytes[..count * size]).unwrap_or_default();
    }
    let mut index = vec![0i64; data.sizes.len()];
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let at = index
            .iter()
            .zip(&data.strides)
            .try_fold(0i64, |sum, (i, stride)| sum.checked_add(i.checked_mul(*stride)?));
        let element = at.and_then(|at| usize::try_from(at).ok()?.checked_mul(size));
        let element = element.and_then(|at| bytes.get(at..at.checked_add(size)?));
        let Some(value) = element.and_then(|bytes| numbers(data, bytes)) else { break };
        values.extend(value);
        for (i, extent) in index.iter_mut().zip(&data.sizes).rev() {
            *i += 1;
            if *i < *extent {
                break;
            }
            *i = 0;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::ScalarType;

    fn data(sizes: &[i64], strides: &[i64]) -> Data {
        Data {
            label: String::new(),
            scalar_type: ScalarType::Float,
            sizes: sizes.to_vec(),
            strides: strides.to_vec(),
            place: Err(String::new()),
        }
    }

    fn digest(data: &Data, bytes: &[u8]) -> Digest {
        Digest::of(data, bytes, &Work::default())
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn statistics_leave_out_what_is_no_finite_number() {
        let values = [1.0, 2.0, 3.0, 0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 4.0];
        let digest = digest(&data(&[8], &[]), &bytes(&values));
        assert_eq!((digest.count, digest.seen), (8, 8));
        assert_eq!((digest.nan, digest.infinite, digest.zeros), (1, 2, 1));
        assert_eq!((digest.min, digest.max, digest.mean), (Some(0.0), Some(4.0), Some(2.0)));
        // The squares of 1, 2, 3, 0 and 4 around 2 are 10.
        assert!((digest.deviation.expect("one") - 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(digest.histogram.iter().sum::<u64>(), 5);
        assert_eq!((digest.histogram[0], digest.histogram[BINS - 1]), (1, 1));
    }

    #[test]
    fn values_come_in_the_order_of_their_indices() {
        // Columns follow each other in memory.
        let digest = digest(&data(&[2, 3], &[1, 2]), &bytes(&[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(digest.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn strides_that_lead_out_of_the_data_end_the_values() {
        let digest = digest(&data(&[2, 2], &[i64::MAX, 9]), &bytes(&[7.0, 8.0]));
        assert_eq!(digest.values, [7.0]);
    }

    #[test]
    fn extremes_of_floats_have_a_histogram() {
        let mut wide = data(&[2], &[]);
        wide.scalar_type = ScalarType::Double;
        let raw: Vec<u8> = [f64::MIN, f64::MAX].iter().flat_map(|v| v.to_le_bytes()).collect();
        let digest = digest(&wide, &raw);
        assert_eq!((digest.histogram[0], digest.histogram[BINS - 1]), (1, 1));
    }
}
