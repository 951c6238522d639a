//! Distances between points: `cdist` of two sets, `pdist` within one.
//!
//! 16-bit floats are rounded after every step, as ExecuTorch computes in them.

use super::elementwise::checks::{resize, same_dim_order, same_dtype};
use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;
use smallvec::SmallVec;

pub(super) const KERNELS: &[(&str, Kernel)] =
    &[("aten::_cdist_forward.out", cdist), ("aten::_pdist_forward.out", pdist)];

/// How the differences of the coordinates become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Norm {
    /// How many differ.
    Count,
    Sum,
    Euclidean,
    Largest,
    Power(f64),
}

impl Norm {
    fn of(p: f64) -> KernelResult<Self> {
        ensure!((0.0..).contains(&p), "distances with p = {p}, which must not be negative");
        Ok(match p {
            0.0 => Norm::Count,
            1.0 => Norm::Sum,
            2.0 => Norm::Euclidean,
            f64::INFINITY => Norm::Largest,
            p => Norm::Power(p),
        })
    }

    /// The distance of two points of `T`, computed in `A`.
    fn distance<T: Element, A: Float>(self, a: &[T], b: &[T]) -> T {
        let round = |value: A| value.cast::<T>().cast::<A>();
        let differences =
            a.iter().zip(b).map(|(a, b)| round((a.cast::<A>() - b.cast::<A>()).abs()));
        let zero = A::default();
        let sum = |sum: A, part: A| round(sum + part);
        match self {
            Norm::Count => {
                let counts = differences.map(|d| A::from_i64((d != zero).into()));
                counts.fold(zero, sum).cast()
            }
            Norm::Sum => differences.fold(zero, sum).cast(),
            Norm::Euclidean => differences.map(|d| round(d * d)).fold(zero, sum).sqrt().cast(),
            // NaN is overlooked.
            Norm::Largest => differences.fold(zero, |a, b| if a < b { b } else { a }).cast(),
            Norm::Power(p) => {
                let p = round(A::from_f64(p));
                let total = differences.map(|d| round(d.powf(p))).fold(zero, sum);
                T::from_f64(num_traits::Float::powf(total.to_f64(), 1.0 / p.to_f64()))
            }
        }
    }
}

/// A float type to compute in.
trait Float: Element + num_traits::Float {}
impl Float for f32 {}
impl Float for f64 {}

/// Runs `$run::<T, A>($args)` with the element type and the float to compute in.
macro_rules! with_float {
    ($dtype:expr, $run:ident($($arg:expr),*)) => {
        match $dtype {
            ScalarType::Double => $run::<f64, f64>($($arg),*),
            other => with_dtype!(other, float, T => $run::<T, f32>($($arg),*), else {
                Err(KernelError::argument(format!("distances of {other}")))
            }),
        }
    };
}

fn pdist(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (points, norm, out) = (args.tensor(0)?, Norm::of(args.double(1)?)?, &mut outs[0]);
    same_dtype(&points, out)?;
    ensure!(points.rank() == 2, "points as {:?}", points.sizes());
    same_dim_order(&[&points, out])?;
    ensure!(points.is_contiguous(), "points that are not contiguous");
    let count = points.size(0) as i64;
    let pairs = i32::try_from(count * (count - 1) / 2);
    resize(out, &[pairs.map_err(|_| KernelError::argument(format!("{count} points")))?])?;
    with_float!(points.scalar_type(), pairs_within(norm, &points, out))
}

fn pairs_within<T: Element, A: Float>(
    norm: Norm,
    points: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    let (count, width) = (points.size(0), points.size(1));
    let (points, target) = (points.data::<T>()?, out.data_mut::<T>()?);
    let point = |index: usize| &points[index * width..][..width];
    let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
    for (place, (i, j)) in target.iter_mut().zip(pairs) {
        *place = norm.distance::<T, A>(point(i), point(j));
    }
    Ok(())
}

fn cdist(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (a, b, norm) = (args.tensor(0)?, args.tensor(1)?, Norm::of(args.double(2)?)?);
    let (mode, out) = (args.optional_int(3)?.unwrap_or(0), &mut outs[0]);
    ensure!((0..=2).contains(&mode), "compute mode {mode}");
    same_dtype(&a, &b)?;
    same_dtype(&a, out)?;
    same_dim_order(&[&a, &b, out])?;
    ensure!(a.is_contiguous(), "points that are not contiguous");
    let ([batch_a @ .., rows_a, width], [batch_b @ .., rows_b, width_b]) = (a.sizes(), b.sizes())
    else {
        let message = format!("points as {:?} and {:?}", a.sizes(), b.sizes());
        return Err(KernelError::argument(message));
    };
    ensure!(width == width_b, "points of {width} and {width_b} coordinates");
    let Some(batch) = Batch::of(batch_a, batch_b) else {
        ensure!(false, "{:?} and {:?} do not broadcast", a.sizes(), b.sizes());
        return Ok(());
    };
    let mut sizes = batch.sizes.clone();
    sizes.extend([*rows_a, *rows_b]);
    resize(out, &sizes)?;
    if out.numel() == 0 {
        return Ok(());
    }
    with_float!(a.scalar_type(), pairs_between(norm, &batch, &a, &b, out))
}

fn pairs_between<T: Element, A: Float>(
    norm: Norm,
    batch: &Batch,
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    let width = a.size(a.rank() - 1);
    let (rows_a, rows_b) = (a.size(a.rank() - 2), b.size(b.rank() - 2));
    let (a, b, target) = (a.data::<T>()?, b.data::<T>()?, out.data_mut::<T>()?);
    for (index, block) in target.chunks_exact_mut(rows_a * rows_b).enumerate() {
        let [first_a, first_b] = batch.matrices(index);
        for (i, row) in block.chunks_exact_mut(rows_b).enumerate() {
            let from = &a[(first_a * rows_a + i) * width..][..width];
            for (j, place) in row.iter_mut().enumerate() {
                let to = &b[(first_b * rows_b + j) * width..][..width];
                *place = norm.distance::<T, A>(from, to);
            }
        }
    }
    Ok(())
}

/// Leading dimensions of two tensors, broadcast to each other.
struct Batch {
    sizes: SmallVec<[i32; 8]>,
    /// Along each dimension, the step in matrices of either tensor.
    steps: SmallVec<[[usize; 2]; 8]>,
}

impl Batch {
    fn of(a: &[i32], b: &[i32]) -> Option<Self> {
        let rank = a.len().max(b.len());
        let mut batch =
            Batch { sizes: SmallVec::from_elem(1, rank), steps: SmallVec::from_elem([0; 2], rank) };
        for (tensor, sizes) in [a, b].into_iter().enumerate() {
            let mut step = 1usize;
            for (dim, size) in (0..rank).rev().zip(sizes.iter().rev()) {
                let common = &mut batch.sizes[dim];
                if *size != 1 {
                    if *common != 1 && *common != *size {
                        return None;
                    }
                    *common = *size;
                    batch.steps[dim][tensor] = step;
                }
                step = step.saturating_mul(*size as usize);
            }
        }
        Some(batch)
    }

    /// Which matrix of either tensor belongs to matrix `index` of the result.
    fn matrices(&self, index: usize) -> [usize; 2] {
        let (mut rest, mut found) = (index, [0; 2]);
        for (size, step) in self.sizes.iter().zip(&self.steps).rev() {
            let size = (*size).max(1) as usize;
            found = [found[0] + rest % size * step[0], found[1] + rest % size * step[1]];
            rest /= size;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_norm_measures_its_own_way() {
        let distance =
            |p| Norm::of(p).unwrap().distance::<f64, f64>(&[1.0, 5.0, 2.0], &[4.0, 1.0, 2.0]);
        assert_eq!([0.0, 1.0, 2.0, f64::INFINITY].map(distance), [2.0, 7.0, 5.0, 4.0]);
        assert!((distance(3.0) - 91f64.cbrt()).abs() < 1e-12);
        assert!(Norm::of(-1.0).is_err() && Norm::of(f64::NAN).is_err());
    }

    #[test]
    fn batches_broadcast_in_either_direction() {
        let batch = Batch::of(&[2, 1], &[3]).unwrap();
        assert_eq!(batch.sizes[..], [2, 3]);
        assert_eq!([0, 2, 3, 5].map(|i| batch.matrices(i)), [[0, 0], [0, 2], [1, 0], [1, 2]]);
        assert!(Batch::of(&[2], &[3]).is_none());
        assert_eq!(Batch::of(&[1], &[0]).unwrap().sizes[..], [0]);
        assert_eq!(Batch::of(&[], &[]).unwrap().matrices(0), [0, 0]);
    }
}
