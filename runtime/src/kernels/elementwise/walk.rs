//! The way through an operand's memory that visits its elements in the order
//! of the output.
//!
//! A walk is a nest of axes, innermost first. Neighbouring dimensions that can
//! be walked as one are one axis.

use crate::error::{KernelError, KernelResult};
use crate::tensor::{MAX_RANK, TensorMeta};
use alloc::format;
use smallvec::SmallVec;

/// Most elements after which a walk that starts over is worth unrolling.
pub(super) const LONGEST_PERIOD: usize = 256;

/// Extent and distance of elements along one or several dimensions that can be
/// walked as one; distance 0 repeats the element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub size: usize,
    pub stride: usize,
}

/// The axes of a walk, innermost first.
pub(super) type Axes = SmallVec<[Axis; 4]>;

/// Elements of an operand at equal distances.
pub(super) struct Run {
    /// The first of them.
    pub first: usize,
    /// From one to the next; 0 is the same element again.
    pub stride: usize,
    /// How many there are.
    pub len: usize,
}

/// A position on the way along some axes.
pub(super) struct Walk<'a> {
    inner: Axis,
    outer: &'a [Axis],
    /// Position on the inner axis.
    start: usize,
    /// Positions on the outer axes.
    index: SmallVec<[usize; 4]>,
    /// The element at position 0 of the inner axis.
    base: usize,
}

impl<'a> Walk<'a> {
    /// The way along `axes`, which are not empty and have no extent 0, from
    /// element `offset`; it continues at position `at`.
    pub fn new(axes: &'a [Axis], offset: usize, at: usize) -> Self {
        let (inner, outer) = (axes[0], &axes[1..]);
        let mut walk = Walk {
            inner,
            outer,
            start: at % inner.size,
            index: SmallVec::with_capacity(outer.len()),
            base: offset,
        };
        let mut rest = at / inner.size;
        for axis in outer {
            walk.index.push(rest % axis.size);
            walk.base += rest % axis.size * axis.stride;
            rest /= axis.size;
        }
        walk
    }

    /// The next elements, at most `limit`, and goes on behind them. The way
    /// starts over at its end.
    #[inline(always)]
    pub fn run(&mut self, limit: usize) -> Run {
        let len = (self.inner.size - self.start).min(limit);
        let first = self.base + self.start * self.inner.stride;
        self.start = 0;
        for (index, axis) in self.index.iter_mut().zip(self.outer) {
            *index += 1;
            self.base += axis.stride;
            if *index < axis.size {
                break;
            }
            *index = 0;
            self.base -= axis.size.wrapping_mul(axis.stride);
        }
        Run { first, stride: self.inner.stride, len }
    }
}

/// How to walk `tensor` along the dimensions of `out` in `order`, outermost
/// first; the innermost axis comes first.
pub(super) fn axes(
    tensor: &TensorMeta,
    out: &TensorMeta,
    order: &mut dyn DoubleEndedIterator<Item = usize>,
    strides: &[i32],
) -> KernelResult<Axes> {
    let missing = out.rank().checked_sub(tensor.rank()).filter(|missing| {
        tensor
            .sizes()
            .iter()
            .zip(&out.sizes()[*missing..])
            .all(|(own, out)| *own == 1 || own == out)
    });
    let Some(missing) = missing else {
        return Err(KernelError::argument(format!(
            "{:?} does not broadcast to {:?}",
            tensor.sizes(),
            out.sizes()
        )));
    };
    let mut axes = Axes::new();
    for dim in order.rev() {
        let stride = match dim.checked_sub(missing) {
            Some(own) if tensor.size(own) != 1 => strides[own] as usize,
            _ => 0,
        };
        push(&mut axes, out.size(dim), stride);
    }
    Ok(axes)
}

/// The strides that `tensor` would have if it were contiguous.
pub(super) fn packed_strides(tensor: &TensorMeta) -> SmallVec<[i32; MAX_RANK]> {
    let mut stride = 1;
    let mut strides: SmallVec<[i32; MAX_RANK]> = SmallVec::new();
    for size in tensor.sizes().iter().rev() {
        strides.push(stride);
        stride = stride.saturating_mul(*size);
    }
    strides.reverse();
    strides
}

/// Adds a dimension outside of `axes`, to the last one where that can be.
pub(super) fn push(axes: &mut Axes, size: usize, stride: usize) {
    match axes.last_mut() {
        _ if size == 1 => {}
        Some(last) if stride == last.stride * last.size => last.size *= size,
        _ => axes.push(Axis { size, stride }),
    }
}

/// Number of elements after which the walk starts over, if it is small.
pub(super) fn period(axes: &[Axis]) -> Option<usize> {
    let (outer, inner) = axes.split_last()?;
    let period = inner.iter().map(|axis| axis.size).product();
    (outer.stride == 0 && period <= LONGEST_PERIOD).then_some(period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::ScalarType;
    use et_schema::pte::Dynamism;

    fn meta(sizes: &[i32], order: &[u8]) -> TensorMeta {
        TensorMeta::new(ScalarType::Int, sizes, order, Dynamism::Static).unwrap()
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_refused() {
        let out = meta(&[2, 3], &[]);
        for sizes in [&[2][..], &[3, 3], &[1, 2, 3], &[0]] {
            assert!(axes(&meta(sizes, &[]), &out, &mut (0..2), &[]).is_err(), "{sizes:?}");
        }
    }

    #[test]
    fn neighbouring_dimensions_are_walked_as_one() {
        let axis = |size, stride| Axis { size, stride };
        let out = meta(&[2, 3, 4, 5], &[]);
        let axes = |tensor: &TensorMeta| axes(tensor, &out, &mut (0..4), tensor.strides()).unwrap();
        assert_eq!(axes(&out)[..], [axis(120, 1)]);
        assert_eq!(axes(&meta(&[4, 5], &[]))[..], [axis(20, 1), axis(6, 0)]);
        assert_eq!(axes(&meta(&[3, 1, 1], &[]))[..], [axis(20, 0), axis(3, 1), axis(2, 0)]);
    }
}
