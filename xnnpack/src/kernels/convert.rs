//! Between float32 and integers.

use super::sums::requantize;
use crate::error::{Error, Result};
use crate::product::vectors;
use crate::tensor::{Data, RAISED, RANGE, Row, Scale, Tensor};

/// Numbers as the type of `out` has them.
pub(crate) fn convert(input: &Tensor, out: &mut Tensor) -> Result {
    out.dims.clone_from(&input.dims);
    if let Scale::Rows { dimensions } = out.scale {
        return by_row(input.data.floats()?, dimensions, out);
    }
    let to = out.quantization();
    match (&input.data, &mut out.data) {
        (Data::F32(input), Data::F32(out)) => {
            out.clear();
            out.extend_from_slice(input);
        }
        (Data::F32(input), Data::Small(out)) => {
            let Row { scale, zero } = to.ok_or_else(no_scale)?;
            let inverse = 1.0 / scale;
            out.clear();
            vectors(
                #[inline(always)]
                || out.extend(input.iter().map(|x| requantize(x * inverse, zero, RANGE))),
            );
        }
        (Data::Small(data), Data::F32(out)) => {
            let Row { scale, zero } = input.quantized()?;
            out.clear();
            vectors(
                #[inline(always)]
                || out.extend(data.iter().map(|q| (i32::from(*q) - zero) as f32 * scale)),
            );
        }
        (Data::Small(data), Data::Small(out)) => {
            let (from, to) = (input.quantized()?, to.ok_or_else(no_scale)?);
            // XNNPACK's multiplier has 8 bits behind the point.
            let multiplier = (256.0 * (from.scale / to.scale)).round_ties_even() as i32;
            out.clear();
            vectors(
                #[inline(always)]
                || {
                    out.extend(data.iter().map(|q| {
                        let scaled = (i32::from(*q) - from.zero).wrapping_mul(multiplier);
                        let rounded = scaled.wrapping_add(0x80) >> 8;
                        rounded.saturating_add(to.zero).clamp(RANGE.0, RANGE.1) as u8
                    }));
                },
            );
        }
        _ => return Err(Error::new("a conversion of 32-bit integers")),
    }
    Ok(())
}

fn no_scale() -> Error {
    Error::new("integers without a scale")
}

/// Quantizes each row by its own range, as XNNPACK's `qd8` does: the range is
/// widened to hold zero, which must be a number.
fn by_row(input: &[f32], dimensions: usize, out: &mut Tensor) -> Result {
    let Tensor { dims, rows, data, .. } = out;
    let Data::Small(data) = data else {
        return Err(Error::new("rows quantized to something else than 8 bits"));
    };
    let row: usize = dims[dims.len().saturating_sub(dimensions)..].iter().product();
    data.clear();
    rows.clear();
    for line in input.chunks(row.max(1)) {
        let (low, high) = vectors(
            #[inline(always)]
            || (lanes(line, f32::min), lanes(line, f32::max)),
        );
        let scale = if low == high { 1.0 } else { 255.0 / (high - low) };
        let (scaled_low, scaled_high) = (low * scale, high * scale);
        let nearer_low = (-128.0 + scaled_low) + (127.0 + scaled_high) > 0.0;
        let zero = if nearer_low { -128.0 - scaled_low } else { 127.0 - scaled_high };
        let zero = zero.clamp(-128.0, 127.0).round_ties_even() as i32 + RAISED;
        rows.push(Row { scale: 1.0 / scale, zero });
        vectors(
            #[inline(always)]
            || data.extend(line.iter().map(|x| requantize(x * scale, zero, RANGE))),
        );
    }
    Ok(())
}

/// The lowest or highest of `line` and zero, lane by lane.
#[inline(always)]
fn lanes(line: &[f32], better: impl Fn(f32, f32) -> f32) -> f32 {
    let (blocks, rest) = line.as_chunks::<16>();
    let mut lanes = [0.0; 16];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, x)| *lane = better(*lane, *x));
    }
    lanes.iter().chain(rest).copied().fold(0.0, better)
}

/// The integers of `range` that a float32 range of `clamp` leaves.
pub(crate) fn clamped(quantization: Row, (low, high): (i32, i32), clamp: (f32, f32)) -> (i32, i32) {
    let number = |x: f32| {
        let scaled = x / quantization.scale;
        // Infinities saturate.
        let rounded = scaled.round_ties_even() as i32;
        rounded.saturating_add(quantization.zero).clamp(low, high)
    };
    (number(clamp.0), number(clamp.1).max(number(clamp.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::xnnpack::DataType;

    fn tensor(data_type: DataType, scale: Scale, data: Data) -> Tensor {
        Tensor { data_type, dims: vec![1, 4], scale, data, rows: Vec::new(), constant: false }
    }

    #[test]
    fn integers_round_to_even_and_saturate() {
        let input =
            tensor(DataType::FP32, Scale::None, Data::F32(vec![0.25, 0.75, -9.0, 100.0].into()));
        let scale = Scale::Tensor { scale: 0.5, zero: 3 + RAISED };
        let mut out = tensor(DataType::QINT8, scale, Data::Small(crate::buffer::Buffer::new()));
        convert(&input, &mut out).unwrap();
        assert_eq!(out.data.small().unwrap(), [131, 133, 113, 255]);
    }

    #[test]
    fn a_row_keeps_zero_and_its_ends() {
        let input = tensor(DataType::FP32, Scale::None, Data::F32(vec![0.0, 1.0, 2.0, 5.1].into()));
        let mut out = tensor(
            DataType::QDINT8,
            Scale::Rows { dimensions: 1 },
            Data::Small(crate::buffer::Buffer::new()),
        );
        convert(&input, &mut out).unwrap();
        assert_eq!(out.rows, [Row { scale: 1.0 / (255.0 / 5.1), zero: 0 }]);
        assert_eq!(out.data.small().unwrap(), [0, 50, 100, 255]);
    }
}
