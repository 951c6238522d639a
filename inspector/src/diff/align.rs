//! Pairs of two sequences: the longest that both have in the same order.

use std::ops::Range;

/// Cells of the table at most; longer sequences are paired by their equal ends only.
const MOST_CELLS: usize = 1 << 24;

/// Indices of equal items of `base` and `new`, ascending in both.
pub(super) fn align<T: PartialEq>(base: &[T], new: &[T]) -> Vec<(usize, usize)> {
    let front = base.iter().zip(new).take_while(|(a, b)| a == b).count();
    let back = base[front..].iter().rev().zip(new[front..].iter().rev());
    let back = back.take_while(|(a, b)| a == b).count();
    let (middle_base, middle_new) = (front..base.len() - back, front..new.len() - back);
    let mut pairs: Vec<(usize, usize)> = (0..front).map(|at| (at, at)).collect();
    if middle_base.len().saturating_mul(middle_new.len()) <= MOST_CELLS {
        longest(base, new, middle_base.clone(), middle_new.clone(), &mut pairs);
    }
    pairs.extend((middle_base.end..base.len()).zip(middle_new.end..new.len()));
    pairs
}

/// The longest common subsequence of two ranges.
fn longest<T: PartialEq>(
    base: &[T],
    new: &[T],
    rows: Range<usize>,
    columns: Range<usize>,
    pairs: &mut Vec<(usize, usize)>,
) {
    let (height, width) = (rows.len(), columns.len());
    // Cell: length of the longest from here to the ends.
    let mut lengths = vec![0_u32; (height + 1) * (width + 1)];
    let at = |row: usize, column: usize| row * (width + 1) + column;
    for row in (0..height).rev() {
        for column in (0..width).rev() {
            lengths[at(row, column)] = if base[rows.start + row] == new[columns.start + column] {
                lengths[at(row + 1, column + 1)] + 1
            } else {
                lengths[at(row + 1, column)].max(lengths[at(row, column + 1)])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < height && column < width {
        if base[rows.start + row] == new[columns.start + column] {
            pairs.push((rows.start + row, columns.start + column));
            (row, column) = (row + 1, column + 1);
        } else if lengths[at(row + 1, column)] >= lengths[at(row, column + 1)] {
            row += 1;
        } else {
            column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_and_removals_shift_nothing() {
        let text = |text: &str| text.chars().collect::<Vec<_>>();
        let pairs = |a, b| align(&text(a), &text(b));
        assert_eq!(pairs("abcd", "abXcd"), [(0, 0), (1, 1), (2, 3), (3, 4)]);
        assert_eq!(pairs("abcabc", "bcab"), [(1, 0), (2, 1), (3, 2), (4, 3)]);
        assert_eq!(pairs("aaa", "aa").len(), 2);
        assert!(pairs("ab", "xy").is_empty() && pairs("", "x").is_empty());
    }
}
