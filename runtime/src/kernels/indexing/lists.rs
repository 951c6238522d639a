//! Indexing by tensors in place of dimensions, as `x[a, :, b]`.
//!
//! The index tensors broadcast to one shape. It takes the place of the first
//! indexed dimension if all of them are neighbours, and comes first otherwise.
//! A mask stands for the indices of its true elements, one tensor for each of
//! its dimensions.

use super::masks::{broadcast, broadcast_offset};
use super::{for_each_index, offset, wrapped};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Bool, Element, Sizes, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::index.Tensor_out", index),
    ("aten::index_put.out", index_put),
    ("aten::index_put_", index_put_in_place),
];

/// Indices of one dimension.
enum Indices<'a> {
    Long(TensorRef<'a>),
    Int(TensorRef<'a>),
    /// From a mask: a list of as many as it has true elements.
    List(Scratch<i64>),
}

impl Indices<'_> {
    fn sizes(&self) -> SmallVec<[i32; 8]> {
        match self {
            Indices::Long(t) | Indices::Int(t) => t.sizes().into(),
            Indices::List(list) => smallvec::smallvec![list.len() as i32],
        }
    }

    fn at(&self, index: &[usize]) -> KernelResult<i64> {
        Ok(match self {
            Indices::Long(t) => t.data::<i64>()?[broadcast_offset(t, index)],
            Indices::Int(t) => t.data::<i32>()?[broadcast_offset(t, index)].into(),
            Indices::List(list) if list.len() == 1 => list[0],
            Indices::List(list) => list[index.last().copied().unwrap_or(0)],
        })
    }
}

/// What an index expression means for a tensor.
struct Selection<'a> {
    /// Indices of each dimension; `None` keeps the dimension.
    dims: SmallVec<[Option<Indices<'a>>; 8]>,
    /// Shape of the index tensors together.
    shape: SmallVec<[i32; 8]>,
    /// Where that shape stands in the result.
    place: usize,
    /// Shape of the result.
    sizes: SmallVec<[i32; 16]>,
}

impl<'a> Selection<'a> {
    fn of(input: &TensorRef<'_>, list: &[Option<TensorRef<'a>>]) -> KernelResult<Self> {
        let mut dims: SmallVec<[Option<Indices<'a>>; 8]> = SmallVec::new();
        for entry in list {
            match entry {
                None => dims.push(None),
                Some(mask) if matches!(mask.scalar_type(), ScalarType::Bool | ScalarType::Byte) => {
                    from_mask(mask, input, &mut dims)?;
                }
                Some(t) if t.scalar_type() == ScalarType::Long => {
                    dims.push(Some(Indices::Long(*t)));
                }
                Some(t) if t.scalar_type() == ScalarType::Int => dims.push(Some(Indices::Int(*t))),
                Some(t) => {
                    return Err(KernelError::argument(format!("indices of {}", t.scalar_type())));
                }
            }
        }
        ensure!(dims.len() <= input.rank(), "{} indices into {:?}", dims.len(), input.sizes());
        dims.resize_with(input.rank(), || None);
        let mut shape: SmallVec<[i32; 8]> = SmallVec::new();
        for indices in dims.iter().flatten() {
            shape = broadcast(&shape, &indices.sizes())?;
        }
        let indexed: SmallVec<[usize; 8]> =
            (0..dims.len()).filter(|d| dims[*d].is_some()).collect();
        let neighbours = indexed.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let place = if neighbours { indexed.first().copied().unwrap_or(0) } else { 0 };
        let mut sizes: SmallVec<[i32; 16]> =
            (0..dims.len()).filter(|d| dims[*d].is_none()).map(|d| input.sizes()[d]).collect();
        if !indexed.is_empty() {
            sizes.insert_many(place, shape.iter().copied());
        }
        Ok(Selection { dims, shape, place, sizes })
    }

    /// Offset in `input` of the element that stands at `at` in the result.
    fn source(&self, input: &TensorRef<'_>, strides: &[i32], at: &[usize]) -> KernelResult<usize> {
        let (before, rest) = at.split_at(self.place);
        let (inside, after) = rest.split_at(self.shape.len());
        let mut kept = before.iter().chain(after);
        let mut place = 0;
        for (dim, indices) in self.dims.iter().enumerate() {
            let index = match indices {
                Some(indices) => wrapped(indices.at(inside)?, input.size(dim))?,
                None => kept.next().copied().unwrap_or(0),
            };
            place += index * strides[dim] as usize;
        }
        Ok(place)
    }
}

/// Adds the indices of the true elements of a mask over the next dimensions.
fn from_mask(
    mask: &TensorRef<'_>,
    input: &TensorRef<'_>,
    dims: &mut SmallVec<[Option<Indices<'_>>; 8]>,
) -> KernelResult {
    let first = dims.len();
    let covered = input.sizes().get(first..first + mask.rank());
    ensure!(
        covered == Some(mask.sizes()),
        "a mask of {:?} at dimension {first} of {:?}",
        mask.sizes(),
        input.sizes()
    );
    let count = match mask.scalar_type() {
        ScalarType::Bool => mask.data::<Bool>()?.iter().filter(|b| b.get()).count(),
        _ => mask.data::<u8>()?.iter().filter(|b| **b != 0).count(),
    };
    let is_true = |place: usize| -> KernelResult<bool> {
        Ok(match mask.scalar_type() {
            ScalarType::Bool => mask.data::<Bool>()?[place].get(),
            _ => mask.data::<u8>()?[place] != 0,
        })
    };
    for dim in 0..mask.rank() {
        let mut list = Scratch::<i64>::filled(count, 0);
        let mut places = list.iter_mut();
        for_each_index(mask.sizes(), |at| {
            if is_true(offset(at, mask.strides()))?
                && let Some(place) = places.next()
            {
                *place = at[dim] as i64;
            }
            Ok(())
        })?;
        dims.push(Some(Indices::List(list)));
    }
    Ok(())
}

fn index(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    ensure!(input.scalar_type() == out.scalar_type(), "input and output differ in type");
    let lists = args.tensors(1)?;
    if input.scalar_type().is_complex() {
        let mut indexed = lists.iter().flatten();
        let one_line = indexed.next().is_some_and(|t| t.rank() == 1) && indexed.next().is_none();
        ensure!(one_line, "complex elements by other than one list of indices");
    }
    let selection = Selection::of(&input, lists)?;
    out.resize(&selection.sizes)?;
    let strides = Sizes::from_slice(out.strides());
    with_dtype!(out.scalar_type(), any, T => {
        let (source, target) = (input.data::<T>()?, out.data_mut::<T>()?);
        for_each_index(&selection.sizes, |at| {
            let from = selection.source(&input, input.strides(), at)?;
            target[offset(at, &strides)] = source[from];
            Ok(())
        })
    }, else Err(KernelError::argument(format!("elements of {}", out.scalar_type()))))
}

fn index_put(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    ensure!(input.scalar_type() == outs[0].scalar_type(), "input and output differ in type");
    outs[0].resize(input.sizes())?;
    ensure!(input.dim_order() == outs[0].dim_order(), "input and output differ in layout");
    let source = input.bytes().get(..input.nbytes());
    outs[0].bytes_mut()?.copy_from_slice(source.unwrap_or_default());
    put(args, outs)
}

/// In place, ExecuTorch's kernel only replaces slices along one dimension.
fn index_put_in_place(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (values, own) = (args.tensor(2)?, &outs[0]);
    ensure!(!args.bool(3)?, "index_put_ does not accumulate");
    let list = args.tensors(1)?;
    let mut indexed = list.iter().enumerate().filter_map(|(dim, t)| Some((dim, t.as_ref()?)));
    let (Some((dim, index)), None) = (indexed.next(), indexed.next()) else {
        return Err(KernelError::argument("index_put_ takes one tensor of indices"));
    };
    let negative = match index.scalar_type() {
        ScalarType::Long => index.data::<i64>()?.iter().any(|i| *i < 0),
        ScalarType::Int => index.data::<i32>()?.iter().any(|i| *i < 0),
        other => return Err(KernelError::argument(format!("indices of {other}"))),
    };
    ensure!(!negative && index.rank() == 1, "indices of {:?}, or below 0", index.sizes());
    let mut sizes: SmallVec<[i32; 8]> = own.sizes().into();
    ensure!(dim < sizes.len(), "{} indices into {sizes:?}", list.len());
    sizes[dim] = index.sizes()[0];
    ensure!(*values.sizes() == *sizes, "values of {:?}, expected {sizes:?}", values.sizes());
    put(args, outs)
}

/// Writes argument 2 to the places that argument 1 names in the output.
fn put(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (values, accumulate) = (args.tensor(2)?, args.bool(3)?);
    let out = &mut outs[0];
    let meta = out.meta().clone();
    let shape = TensorRef { meta: &meta, data: &[] };
    ensure!(values.scalar_type() == out.scalar_type(), "values of {}", values.scalar_type());
    let selection = Selection::of(&shape, args.tensors(1)?)?;
    ensure!(
        broadcast(&selection.sizes, values.sizes())?[..] == selection.sizes[..],
        "values of {:?} into {:?}",
        values.sizes(),
        selection.sizes
    );
    with_dtype!(out.scalar_type(), any, T => {
        let (values_data, target) = (values.data::<T>()?, out.data_mut::<T>()?);
        for_each_index(&selection.sizes, |at| {
            let place = &mut target[selection.source(&shape, meta.strides(), at)?];
            let value = values_data[broadcast_offset(&values, at)];
            *place = if !accumulate {
                value
            } else if T::IS_FLOAT {
                T::from_f64(place.to_f64() + value.to_f64())
            } else {
                T::from_i64(place.to_i64().wrapping_add(value.to_i64()))
            };
            Ok(())
        })
    }, else Err(KernelError::argument(format!("elements of {}", out.scalar_type()))))
}
