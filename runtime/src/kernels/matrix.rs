//! Strided matrices and their product, in the order of ExecuTorch's loops.

use super::in_order;
use super::means::{Means, Rounding};
use super::simd::vectorized;
use crate::error::{KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::tensor::Element;
use half::{bf16, f16};

/// Rows, columns and strides of a matrix in a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub rows: usize,
    pub cols: usize,
    pub row_stride: usize,
    pub col_stride: usize,
}

impl Shape {
    /// Rows one after the other.
    pub fn row_major(rows: usize, cols: usize) -> Self {
        Shape { rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Shape {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// How many elements a slice must have to hold the matrix.
    fn extent(&self) -> Option<usize> {
        if self.rows == 0 || self.cols == 0 {
            return Some(0);
        }
        let last_row = (self.rows - 1).checked_mul(self.row_stride)?;
        let last_col = (self.cols - 1).checked_mul(self.col_stride)?;
        last_row.checked_add(last_col)?.checked_add(1)
    }
}

/// An element type that matrices can be multiplied in.
pub(super) trait Multiply: Element {
    /// `out = left * right`.
    ///
    /// # Errors
    /// The shapes do not fit each other or their slices.
    fn multiply(
        out: (&mut [Self], Shape),
        left: (&[Self], Shape),
        right: (&[Self], Shape),
        means: Means,
    ) -> KernelResult;
}

/// Sees to it that shapes fit each other and that no index leaves its slice.
pub(super) fn check<T>(
    out: &(&mut [T], Shape),
    left: &(&[T], Shape),
    right: &(&[T], Shape),
) -> KernelResult {
    let (o, l, r) = (out.1, left.1, right.1);
    ensure!(
        l.cols == r.rows && o.rows == l.rows && o.cols == r.cols,
        "cannot multiply {}x{} by {}x{} into {}x{}",
        l.rows,
        l.cols,
        r.rows,
        r.cols,
        o.rows,
        o.cols
    );
    let fits = |extent: Option<usize>, len: usize| extent.is_some_and(|e| e <= len);
    ensure!(
        fits(o.extent(), out.0.len())
            && fits(l.extent(), left.0.len())
            && fits(r.extent(), right.0.len()),
        "a matrix reaches past its data"
    );
    Ok(())
}

impl Multiply for f32 {
    fn multiply(
        out: (&mut [Self], Shape),
        left: (&[Self], Shape),
        right: (&[Self], Shape),
        means: Means,
    ) -> KernelResult {
        if in_order::suits(&out.1, &left.1) {
            return in_order::multiply(out, left, right, means);
        }
        check(&out, &left, &right)?;
        plain(out, left, right, |sum, a, b| sum + a * b);
        Ok(())
    }
}

/// `half` floats are multiplied and added up in float32, as ExecuTorch's
/// optimized kernels do, and rounded once.
macro_rules! through_f32 {
    ($($type:ty),+) => {
        $(impl Multiply for $type {
            fn multiply(
                (out, o): (&mut [Self], Shape),
                left: (&[Self], Shape),
                right: (&[Self], Shape),
                means: Means,
            ) -> KernelResult {
                let widen = |items: &[Self]| Scratch::of(items.iter().map(|i| i.to_f32()));
                let mut wide = widen(out);
                let (l, r) = (widen(left.0), widen(right.0));
                let means = Means { rounding: Rounding::Twice, ..means };
                f32::multiply((&mut wide, o), (&l, left.1), (&r, right.1), means)?;
                for (narrow, wide) in out.iter_mut().zip(wide.iter()) {
                    *narrow = Self::from_f32(*wide);
                }
                Ok(())
            }
        })+
    };
}
through_f32!(f16, bf16);

macro_rules! by_definition {
    ($($type:ty: $multiply_add:expr),+ $(,)?) => {
        $(impl Multiply for $type {
            fn multiply(
                out: (&mut [Self], Shape),
                left: (&[Self], Shape),
                right: (&[Self], Shape),
                _means: Means,
            ) -> KernelResult {
                check(&out, &left, &right)?;
                plain(out, left, right, $multiply_add);
                Ok(())
            }
        })+
    };
}
by_definition! {
    f64: |sum, a, b| sum + a * b,
    u8: |sum, a, b| sum.wrapping_add(a.wrapping_mul(b)),
    i8: |sum, a, b| sum.wrapping_add(a.wrapping_mul(b)),
    i16: |sum, a, b| sum.wrapping_add(a.wrapping_mul(b)),
    i32: |sum, a, b| sum.wrapping_add(a.wrapping_mul(b)),
    i64: |sum, a, b| sum.wrapping_add(a.wrapping_mul(b)),
}

/// The product with every step rounded to the type of the elements.
///
/// # Errors
/// The shapes do not fit each other or their slices.
pub(super) fn multiply_in_steps<T: Element>(
    out: (&mut [T], Shape),
    left: (&[T], Shape),
    right: (&[T], Shape),
) -> KernelResult {
    check(&out, &left, &right)?;
    plain(out, left, right, |sum, a, b| {
        let product = T::from_f64(a.to_f64() * b.to_f64());
        T::from_f64(sum.to_f64() + product.to_f64())
    });
    Ok(())
}

/// The product by definition. Where rows are contiguous, a whole row of the
/// output is added to at a time, which leaves the order of each sum as it is.
fn plain<T: Element>(
    (out, o): (&mut [T], Shape),
    (left, l): (&[T], Shape),
    (right, r): (&[T], Shape),
    multiply_add: impl Fn(T, T, T) -> T,
) {
    if o.rows == 0 || o.cols == 0 {
        return;
    }
    if o.col_stride == 1 && r.col_stride == 1 {
        vectorized(
            #[inline(always)]
            || {
                for row in 0..o.rows {
                    let out = &mut out[row * o.row_stride..][..o.cols];
                    out.fill(T::default());
                    for k in 0..l.cols {
                        let factor = left[row * l.row_stride + k * l.col_stride];
                        let line = &right[k * r.row_stride..][..o.cols];
                        for (sum, value) in out.iter_mut().zip(line) {
                            *sum = multiply_add(*sum, factor, *value);
                        }
                    }
                }
            },
        );
        return;
    }
    for row in 0..o.rows {
        for col in 0..o.cols {
            let mut sum = T::default();
            for k in 0..l.cols {
                let a = left[row * l.row_stride + k * l.col_stride];
                let b = right[k * r.row_stride + col * r.col_stride];
                sum = multiply_add(sum, a, b);
            }
            out[row * o.row_stride + col * o.col_stride] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn product<T: Multiply>(rows: usize, inner: usize, cols: usize) {
        let left: Vec<T> = (0..rows * inner).map(|i| T::from_i64(i as i64 % 5 - 2)).collect();
        let right: Vec<T> = (0..inner * cols).map(|i| T::from_i64(i as i64 % 3 - 1)).collect();
        let mut expected = vec![T::default(); rows * cols];
        for row in 0..rows {
            for col in 0..cols {
                let sum: i64 = (0..inner)
                    .map(|k| left[row * inner + k].to_i64() * right[k * cols + col].to_i64())
                    .sum();
                expected[row * cols + col] = T::from_i64(sum);
            }
        }
        let mut out = vec![T::from_i64(1); rows * cols];
        let shape = Shape::row_major(rows, cols);
        let (l, r) = (Shape::row_major(rows, inner), Shape::row_major(inner, cols));
        T::multiply((&mut out, shape), (&left, l), (&right, r), Means::PLAIN).unwrap();
        assert!(out == expected);
    }

    #[test]
    fn products_are_those_of_the_definition() {
        for (rows, inner, cols) in [(1, 1, 1), (3, 5, 7), (16, 33, 20), (2, 0, 3)] {
            product::<f32>(rows, inner, cols);
            product::<f64>(rows, inner, cols);
            product::<f16>(rows, inner, cols);
            product::<i32>(rows, inner, cols);
        }
    }

    #[test]
    fn matrix_past_its_data_is_refused() {
        let mut out = [0f32; 4];
        let shape = Shape::row_major(2, 2);
        let result =
            f32::multiply((&mut out, shape), (&[1.0; 4], shape), (&[1.0; 3], shape), Means::PLAIN);
        assert!(result.is_err());
    }
}
