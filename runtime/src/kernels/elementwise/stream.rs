//! Operands and results as streams of chunks in the order of the output's
//! memory, whatever their shapes, layouts and element types are.
//!
//! An operand that already is what the operator wants is handed out as it is;
//! one that repeats in short periods (a scalar, a bias) is unrolled once; any
//! other is gathered and converted into a buffer chunk by chunk.

use super::elements::{Elements, ElementsMut};
use super::walk::{Axes, Axis, Walk, axes, packed_strides, period, push};
use crate::error::{KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::tensor::{Element, TensorMeta, TensorMut, TensorRef};
use smallvec::SmallVec;

/// Elements of a chunk that is buffered.
pub(super) const CHUNK: usize = 256;

/// How an operand's elements pair up with those of the output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::kernels) enum Pairing {
    /// By position in memory: operators of one tensor pay no heed to layouts.
    Memory,
    /// As ExecuTorch broadcasts: the output is written from its first byte to
    /// its last with the values for the first to the last index. In a
    /// channels-last output these are not the places of those indices.
    Broadcast,
    /// As [`Pairing::Broadcast`], with operands that are taken for contiguous.
    Packed,
    /// By index, each value in its place whatever the layouts are.
    Index,
}

impl Pairing {
    /// The pairing of an operator on several tensors, which broadcasts only if
    /// a shape differs from that of the output.
    pub fn of(inputs: &[&TensorRef<'_>], out: &TensorMeta) -> Self {
        let same = inputs.iter().all(|input| input.sizes() == out.sizes());
        if same { Pairing::Memory } else { Pairing::Broadcast }
    }
}

/// An operand, in chunks of `C`.
pub(super) struct Source<'a, C> {
    access: Access<'a, C>,
    buffer: Scratch<C>,
}

enum Access<'a, C> {
    /// The elements themselves.
    Direct(&'a [C]),
    /// Consecutive elements of another type.
    Convert(Elements<'a>),
    /// The buffer, from position modulo period on.
    Repeat(usize),
    /// Elements from an offset on along axes, innermost first.
    Gather(Elements<'a>, usize, Axes),
}

impl<'a, C: Element> Source<'a, C> {
    /// The stream of `tensor` for `out`, which must have at least one element
    /// and a shape that `tensor` broadcasts to.
    ///
    /// # Errors
    /// No data, an unsupported type, or shapes that do not go together.
    pub fn new(tensor: &TensorRef<'a>, out: &TensorMeta, pairing: Pairing) -> KernelResult<Self> {
        if pairs_by_memory(tensor, out, pairing) {
            return Self::consecutive(tensor);
        }
        let walk = |order: &mut dyn DoubleEndedIterator<Item = usize>, strides: &[i32]| {
            axes(tensor, out, order, strides)
        };
        let axes = match pairing {
            Pairing::Broadcast => walk(&mut (0..out.rank()), tensor.strides())?,
            Pairing::Packed => walk(&mut (0..out.rank()), &packed_strides(tensor))?,
            Pairing::Index => {
                let mut order = out.dim_order().iter().map(|dim| usize::from(*dim));
                walk(&mut order, tensor.strides())?
            }
            Pairing::Memory => {
                ensure!(
                    tensor.numel() == out.numel(),
                    "input {:?} and output {:?} differ in size",
                    tensor.sizes(),
                    out.sizes()
                );
                SmallVec::from_slice(&[Axis { size: out.numel(), stride: 1 }])
            }
        };
        if matches!(axes[..], [] | [Axis { stride: 1, .. }]) {
            return Self::consecutive(tensor);
        }
        let elements = Elements::of(tensor)?;
        Ok(match period(&axes) {
            Some(period) => {
                let len = CHUNK.min(out.numel()).saturating_add(period);
                Source { access: Access::Repeat(period), buffer: unroll(&elements, &axes, len) }
            }
            None => Source { access: Access::Gather(elements, 0, axes), buffer: Scratch::empty() },
        })
    }

    /// The elements of a tensor one after the other.
    fn consecutive(tensor: &TensorRef<'a>) -> KernelResult<Self> {
        let access = if tensor.scalar_type() == C::DTYPE {
            Access::Direct(tensor.data()?)
        } else {
            Access::Convert(Elements::of(tensor)?)
        };
        Ok(Source { access, buffer: Scratch::empty() })
    }

    /// The stream of a part of `tensor` in index order: `sizes` from element
    /// `offset` on.
    ///
    /// # Errors
    /// No data, an unsupported type, or a part that is not within the tensor.
    pub fn part(tensor: &TensorRef<'a>, sizes: &[i32], offset: usize) -> KernelResult<Self> {
        let mut axes = Axes::new();
        let mut end = offset;
        ensure!(sizes.len() == tensor.rank(), "part {sizes:?} of {:?}", tensor.sizes());
        for (size, stride) in sizes.iter().zip(tensor.strides()).rev() {
            let (size, stride) = (*size as usize, *stride as usize);
            end += size.saturating_sub(1) * stride;
            push(&mut axes, size, stride);
        }
        ensure!(end < tensor.numel(), "part {sizes:?} of {:?}", tensor.sizes());
        if axes.is_empty() {
            axes.push(Axis { size: 1, stride: 1 });
        }
        let access = Access::Gather(Elements::of(tensor)?, offset, axes);
        Ok(Source { access, buffer: Scratch::empty() })
    }

    /// Whether chunks are limited to [`CHUNK`] elements.
    pub fn is_buffered(&self) -> bool {
        !matches!(self.access, Access::Direct(_))
    }

    /// Elements `at..at + len` of the output's memory order.
    pub fn chunk(&mut self, at: usize, len: usize) -> &[C] {
        match &self.access {
            Access::Direct(data) => return &data[at..at + len],
            Access::Repeat(period) => return &self.buffer[at % period..][..len],
            Access::Convert(elements) => {
                self.buffer.resize(len);
                elements.load(at, &mut self.buffer);
            }
            Access::Gather(elements, offset, axes) => {
                self.buffer.resize(len);
                elements.gather(Walk::new(axes, *offset, at), &mut self.buffer);
            }
        }
        &self.buffer
    }
}

/// Whether each element of the output meets the one at its place in memory:
/// known without a look at strides for tensors of one shape.
pub(super) fn pairs_by_memory(tensor: &TensorMeta, out: &TensorMeta, pairing: Pairing) -> bool {
    tensor.sizes() == out.sizes()
        && match pairing {
            Pairing::Memory | Pairing::Packed => true,
            Pairing::Broadcast | Pairing::Index => tensor.is_contiguous() && out.is_contiguous(),
        }
}

/// The first `len` elements of a walk that never ends.
fn unroll<C: Element>(elements: &Elements<'_>, axes: &[Axis], len: usize) -> Scratch<C> {
    let mut buffer = Scratch::new(len);
    let mut endless = Axes::from_slice(axes);
    if let Some(outer) = endless.last_mut() {
        outer.size = usize::MAX;
    }
    elements.gather(Walk::new(&endless, 0, 0), &mut buffer);
    buffer
}

/// The output, in chunks of `R`.
pub(super) enum Sink<'a, R> {
    /// The elements themselves.
    Direct(&'a mut [R]),
    /// Elements of another type, and the chunk before its conversion.
    Convert(ElementsMut<'a>, Scratch<R>),
}

impl<'a, R: Element> Sink<'a, R> {
    /// The stream into `out`.
    ///
    /// # Errors
    /// No data, or an unsupported type.
    pub fn new<'t: 'a>(out: &'a mut TensorMut<'t>) -> KernelResult<Self> {
        Ok(if out.scalar_type() == R::DTYPE {
            Sink::Direct(out.data_mut()?)
        } else {
            Sink::Convert(ElementsMut::of(out)?, Scratch::empty())
        })
    }

    /// Whether chunks are limited to [`CHUNK`] elements.
    pub fn is_buffered(&self) -> bool {
        matches!(self, Sink::Convert(..))
    }

    /// Has `fill` write elements `at..at + len`.
    pub fn fill(&mut self, at: usize, len: usize, fill: impl FnOnce(&mut [R])) {
        match self {
            Sink::Direct(data) => fill(&mut data[at..at + len]),
            Sink::Convert(target, buffer) => {
                buffer.resize(len);
                fill(buffer);
                target.store(at, buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use et_schema::ScalarType;
    use et_schema::pte::Dynamism;

    fn meta(sizes: &[i32], order: &[u8]) -> TensorMeta {
        TensorMeta::new(ScalarType::Int, sizes, order, Dynamism::Static).unwrap()
    }

    /// What `tensor`, which holds 0, 1, 2, … in memory order, streams for `out`.
    fn stream(tensor: &TensorMeta, out: &TensorMeta, step: usize) -> Vec<i64> {
        let data: Vec<i32> = (0..tensor.numel() as i32).collect();
        let tensor = TensorRef { meta: tensor, data: bytemuck::cast_slice(&data) };
        let mut source = Source::<i64>::new(&tensor, out, Pairing::Index).unwrap();
        let mut all = Vec::new();
        for at in (0..out.numel()).step_by(step) {
            all.extend_from_slice(source.chunk(at, step.min(out.numel() - at)));
        }
        all
    }

    /// The same by index arithmetic for every element.
    fn expected(tensor: &TensorMeta, out: &TensorMeta) -> Vec<i64> {
        let mut all = alloc::vec![0; out.numel()];
        for linear in 0..out.numel() {
            let (mut rest, mut to, mut from) = (linear, 0, 0);
            for dim in (0..out.rank()).rev() {
                let index = rest % out.size(dim);
                rest /= out.size(dim);
                to += index * out.strides()[dim] as usize;
                if let Some(own) = (dim + tensor.rank()).checked_sub(out.rank()) {
                    from += index % tensor.size(own) * tensor.strides()[own] as usize;
                }
            }
            all[to] = from as i64;
        }
        all
    }

    #[test]
    fn any_shape_and_layout_streams_in_output_order() {
        let shapes: [(&[i32], &[i32]); 9] = [
            (&[2, 3, 4, 5], &[2, 3, 4, 5]),
            (&[5], &[2, 3, 4, 5]),
            (&[1], &[7]),
            (&[], &[3, 3]),
            (&[3, 1, 1], &[2, 3, 4, 5]),
            (&[2, 1, 4, 1], &[2, 3, 4, 5]),
            (&[1, 3, 1, 5], &[2, 3, 4, 5]),
            (&[4, 300], &[3, 4, 300]),
            (&[300, 1], &[300, 2]),
        ];
        for (from, to) in shapes {
            for order in [&[0u8, 1, 2, 3][..], &[0, 2, 3, 1], &[3, 1, 0, 2]] {
                let order = if to.len() == 4 { order } else { &[] };
                let (tensor, out) = (meta(from, &[]), meta(to, order));
                for step in [1, 7, CHUNK] {
                    assert_eq!(
                        stream(&tensor, &out, step),
                        expected(&tensor, &out),
                        "{from:?} to {to:?} in order {order:?} by {step}"
                    );
                }
            }
        }
    }

    #[test]
    fn broadcasting_writes_the_output_in_index_order() {
        let (tensor, out) =
            (meta(&[1, 2, 1, 1], &[0, 2, 3, 1]), meta(&[1, 2, 2, 1], &[0, 2, 3, 1]));
        let data = [10i32, 20];
        let tensor = TensorRef { meta: &tensor, data: bytemuck::cast_slice(&data) };
        let stream =
            |pairing| Source::<i32>::new(&tensor, &out, pairing).unwrap().chunk(0, 4).to_vec();
        assert_eq!(stream(Pairing::Broadcast), [10, 10, 20, 20]);
        assert_eq!(stream(Pairing::Index), [10, 20, 10, 20]);
    }

    #[test]
    fn part_of_a_tensor_is_streamed_in_index_order() {
        let whole = meta(&[2, 4], &[]);
        let data: Vec<i32> = (0..8).collect();
        let tensor = TensorRef { meta: &whole, data: bytemuck::cast_slice(&data) };
        let mut second = Source::<i32>::part(&tensor, &[2, 2], 2).unwrap();
        assert_eq!(second.chunk(0, 4), [2, 3, 6, 7]);
        assert!(Source::<i32>::part(&tensor, &[2, 2], 3).is_err());
        assert!(Source::<i32>::part(&tensor, &[2], 0).is_err());
    }
}
