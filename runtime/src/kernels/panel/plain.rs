//! Without the standard library, the product by definition.

use super::{Bias, Columns, Left, Range, Right, Rounding};

/// Elements of a column that are laid out at a time.
const DEPTH: usize = 256;

pub(super) fn multiply<C: Columns>(
    left: Left<'_>,
    rows: Range<usize>,
    right: Right<'_, C>,
    bias: Bias<'_>,
    (out, stride): (&mut [f32], usize),
    _rounding: Rounding,
) {
    let Right::Columns(columns) = right;
    let depth = left.depth();
    let mut panel = [0.0; DEPTH];
    for column in 0..columns.count() {
        for row in 0..rows.len() {
            out[row * stride + column] = 0.0;
        }
        for first in (0..depth).step_by(DEPTH) {
            let part = first..depth.min(first + DEPTH);
            let panel = &mut panel[..part.len()];
            columns.pack(column..column + 1, part.clone(), 1, panel);
            for (index, row) in rows.clone().enumerate() {
                let factors = match left {
                    Left::Rows(left) => &left.data[row * left.stride..],
                    Left::Tiles(tiles) => tiles.tile(row, 1),
                };
                let sum = &mut out[index * stride + column];
                let factors = &factors[part.clone()];
                panel.iter().zip(factors).for_each(|(value, factor)| *sum += factor * value);
            }
        }
        for row in 0..rows.len() {
            out[row * stride + column] += match bias {
                Bias::None => 0.0,
                Bias::Rows(bias) => bias[row],
                Bias::Columns(bias) => bias[column],
            };
        }
    }
}
