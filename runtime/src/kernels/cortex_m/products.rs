//! Dot products of rows of small integers in 32-bit sums, in loops that become
//! multiply-and-add instructions on pairs of 16-bit numbers.
//!
//! A row with its offset added has 16-bit elements: an int8 and an offset of up
//! to 255 never leave that range, nor do the sums of their products wrap before
//! 40,000 elements; they wrap as the device's do.

use crate::kernels::scratch::Scratch;

/// Elements that one step of a dot product takes.
const STEP: usize = 16;

/// Rows of 16-bit numbers, filled up with zeros to whole steps.
pub(super) struct Rows {
    data: Scratch<i16>,
    width: usize,
}

impl Rows {
    /// `count` rows of zeros with room for `depth` elements, at least one.
    pub fn zeros(count: usize, depth: usize) -> Self {
        let width = depth.max(1).next_multiple_of(STEP);
        Rows { data: Scratch::filled(count * width, 0), width }
    }

    /// A row for every `depth` elements of `data`.
    pub fn of(data: &[i8], depth: usize) -> Self {
        let count = data.len() / depth.max(1);
        let mut rows = Rows::zeros(count, depth);
        for (row, source) in rows.iter_mut().zip(data.chunks_exact(depth.max(1))) {
            widen(source, 0, row);
        }
        rows
    }

    pub fn row(&self, index: usize) -> &[i16] {
        &self.data[index * self.width..][..self.width]
    }

    pub fn iter(&self) -> impl Iterator<Item = &[i16]> {
        self.data.chunks_exact(self.width)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [i16]> {
        self.data.chunks_exact_mut(self.width)
    }

    /// Rows that fit the nearest cache and leave room for others.
    pub fn per_tile(depth: usize) -> usize {
        (8192 / depth.max(1).next_multiple_of(STEP)).clamp(1, 64)
    }
}

/// Elements with `offset` added.
#[inline(always)]
pub(super) fn widen(source: &[i8], offset: i16, target: &mut [i16]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target = i16::from(*source) + offset;
    }
}

/// Sum of the products of two rows of [`Rows`].
#[inline(always)]
pub(super) fn dot(a: &[i16], b: &[i16]) -> i32 {
    let mut sums = [0i32; STEP / 2];
    for (a, b) in a.chunks_exact(STEP).zip(b.chunks_exact(STEP)) {
        for (i, sum) in sums.iter_mut().enumerate() {
            let first = i32::from(a[2 * i]).wrapping_mul(i32::from(b[2 * i]));
            let second = i32::from(a[2 * i + 1]).wrapping_mul(i32::from(b[2 * i + 1]));
            *sum = sum.wrapping_add(first.wrapping_add(second));
        }
    }
    sums.iter().fold(0, |sum, part| sum.wrapping_add(*part))
}

/// Sum of the products of a widened row and an int8 row, of any length.
#[inline(always)]
pub(super) fn dot_narrow(a: &[i16], b: &[i8]) -> i32 {
    let products = a.iter().zip(b).map(|(a, b)| i32::from(*a).wrapping_mul(i32::from(*b)));
    products.fold(0, i32::wrapping_add)
}

/// Sum of the elements of a row.
#[inline(always)]
pub(super) fn sum(row: &[i16]) -> i32 {
    row.iter().fold(0, |sum, v| sum.wrapping_add(i32::from(*v)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_filled_up_with_what_adds_nothing() {
        let data: Vec<i8> = (0..54).map(|i| (i * 37 % 256) as u8 as i8).collect();
        let rows = Rows::of(&data, 27);
        let exact: i32 =
            data[..27].iter().zip(&data[27..]).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        assert_eq!(dot(rows.row(0), rows.row(1)), exact);
        assert_eq!(dot_narrow(rows.row(0), &data[27..]), exact);
        assert_eq!(rows.iter().count(), 2);
    }

    #[test]
    fn no_depth_is_no_trouble() {
        assert_eq!(Rows::of(&[], 0).iter().count(), 0);
        let rows = Rows::zeros(3, 0);
        assert_eq!(dot(rows.row(2), rows.row(0)), 0);
    }
}
