//! Sizes and elements of tensors, aliases of them, and the copy of the map loop.

use super::{PrimOp, Stack, invalid, wrong_type};
use crate::error::{KernelError, KernelResult, ensure};
use crate::memory::{Arena, Around, Region};
use crate::tensor::{Element, TensorRef, with_dtype};
use crate::value::{EValue, Scalar, Storage};
use alloc::format;
use et_schema::{ErrorCode, ScalarType};
use smallvec::SmallVec;

pub(super) const OPERATORS: &[(&str, PrimOp)] = &[
    ("aten::sym_size.int", size),
    ("aten::sym_numel", numel),
    ("aten::_local_scalar_dense", local_scalar_dense),
    ("executorch_prim::et_copy_index.tensor", copy_index),
    ("executorch_prim::et_view.default", view),
];

fn size(stack: &mut Stack<'_, '_>) -> KernelResult {
    let meta = &stack.values.tensors[stack.tensor(0)?.index()].meta;
    let dim = stack.int(1)?;
    let size = usize::try_from(dim).ok().and_then(|i| meta.sizes().get(i)).copied();
    let size = size
        .ok_or_else(|| KernelError::argument(format!("dimension {dim} of {:?}", meta.sizes())))?;
    stack.set(2, Scalar::Int(size.into()))
}

fn numel(stack: &mut Stack<'_, '_>) -> KernelResult {
    let numel = stack.values.tensors[stack.tensor(0)?.index()].meta.numel();
    stack.set(1, Scalar::Int(numel as i64))
}

/// The first element as a number. The real runtime knows neither short floats nor complex numbers here.
fn local_scalar_dense(stack: &mut Stack<'_, '_>) -> KernelResult {
    let tensor = &stack.values.tensors[stack.tensor(0)?.index()];
    let from = tensor.meta.scalar_type();
    let short = matches!(from, ScalarType::Half | ScalarType::BFloat16);
    ensure!(!short && !from.is_complex(), "an element of {from}");
    let bytes = match tensor.storage {
        Storage::Constant(bytes) => bytes,
        Storage::None => &[],
        Storage::Arena { arena, offset } => {
            stack.arenas[arena as usize].bytes().get(offset..).unwrap_or_default()
        }
    };
    let source = TensorRef { meta: &tensor.meta, data: bytes };
    let value = with_dtype!(from, all, T => {
        let element = *source.data::<T>()?.first().ok_or_else(|| {
            KernelError::argument("a tensor without elements")
        })?;
        if T::DTYPE == ScalarType::Bool {
            Scalar::Bool(element.to_i64() != 0)
        } else if T::IS_FLOAT {
            Scalar::Double(element.to_f64())
        } else {
            Scalar::Int(element.to_i64())
        }
    }, else return Err(wrong_type(0, "a tensor of numbers", "another type")));
    stack.set(1, value)
}

/// Copies a tensor into place `index` along the first dimension of another,
/// which that place is then the last of.
fn copy_index(stack: &mut Stack<'_, '_>) -> KernelResult {
    let (to, from) = (stack.tensor(0)?, stack.tensor(1)?);
    let index = stack.int(2)?;
    let source = &stack.values.tensors[from.index()];
    let (from_sizes, nbytes) =
        (SmallVec::<[i32; 16]>::from_slice(source.meta.sizes()), source.meta.nbytes());
    let source_region = source.region();
    let constant = match source.storage {
        Storage::Constant(bytes) => Some(bytes),
        _ => None,
    };
    let target = &mut stack.values.tensors[to.index()];
    let needed = i32::try_from(index).ok().and_then(|i| i.checked_add(1)).filter(|n| *n > 0);
    let needed = needed.ok_or_else(|| KernelError::argument(format!("index {index}")))?;
    ensure!(
        target.meta.rank() == from_sizes.len() + 1
            && (index == 0 || target.meta.sizes()[1..] == from_sizes[..]),
        "cannot copy {from_sizes:?} into {:?}",
        target.meta.sizes()
    );
    let mut sizes = from_sizes.clone();
    sizes.insert(0, needed);
    target.meta.resize(&sizes).map_err(|e| KernelError::new(ErrorCode::InvalidState, e.message))?;
    let Some(Region { arena, start, end }) = target.region() else {
        return Err(invalid("the tensor to copy into has no memory".into()));
    };
    let place = (index as usize).checked_mul(nbytes).and_then(|offset| start.checked_add(offset));
    let write = place
        .map(|start| Region { arena, start, end: start.saturating_add(nbytes) })
        .filter(|write| write.end <= end)
        .ok_or_else(|| KernelError::argument(format!("index {index} past the end")))?;
    if let Some(region) = source_region.filter(|region| region.overlaps(&write)) {
        // As `memmove`: what is read is what was there before.
        let own = stack.arenas.get_mut(region.arena as usize).map(Arena::bytes_mut);
        let inside = own.filter(|own| own.len() >= region.end.max(write.end));
        let bytes = inside.ok_or_else(|| invalid("the tensor to copy has no memory".into()))?;
        bytes.copy_within(region.start..region.end, write.start);
        return Ok(());
    }
    let around = Around::new(stack.arenas, write)
        .ok_or_else(|| invalid("the tensor to copy into has no memory".into()))?;
    let read = source_region.and_then(|region| around.read(region));
    let bytes = constant.or(read).unwrap_or_default();
    ensure!(bytes.len() >= around.write.len(), "the tensor to copy has no memory");
    around.write.copy_from_slice(&bytes[..around.write.len()]);
    Ok(())
}

/// Lets the output alias the input's bytes under another shape.
fn view(stack: &mut Stack<'_, '_>) -> KernelResult {
    let (source, out) = (stack.tensor(0)?, stack.tensor(2)?);
    let EValue::IntList(list) = stack.value(1)? else {
        return Err(wrong_type(1, "an IntList", stack.value(1)?.kind()));
    };
    let wanted: SmallVec<[i64; 16]> =
        list.ids().map(|id| stack.values.int(id).unwrap_or_default()).collect();
    let source = stack.values.tensors[source.index()].clone();
    let target = &mut stack.values.tensors[out.index()];
    ensure!(
        source.meta.scalar_type() == target.meta.scalar_type(),
        "a view of {} as {}",
        source.meta.scalar_type(),
        target.meta.scalar_type()
    );
    let sizes = view_sizes(&wanted, source.meta.numel())?;
    target.meta.resize(&sizes).map_err(|e| KernelError::new(ErrorCode::Internal, e.message))?;
    ensure!(
        target.meta.numel() == source.meta.numel(),
        "a view of {} elements as {}",
        source.meta.numel(),
        target.meta.numel()
    );
    target.storage = source.storage;
    Ok(())
}

/// The sizes, with a single -1 replaced by what makes up `numel`.
pub(crate) fn view_sizes(wanted: &[i64], numel: usize) -> KernelResult<SmallVec<[i32; 16]>> {
    let refuse = || KernelError::argument(format!("cannot view {numel} elements as {wanted:?}"));
    let known = wanted.iter().filter(|s| **s != -1).try_fold(1i64, |n, s| n.checked_mul(*s));
    let known = known.ok_or_else(refuse)?;
    let unknown = wanted.iter().filter(|s| **s == -1).count();
    if unknown > 1 || wanted.iter().any(|s| *s < -1) || (unknown == 1 && known == 0) {
        return Err(refuse());
    }
    wanted
        .iter()
        .map(|size| if *size == -1 { numel as i64 / known } else { *size })
        .map(|size| i32::try_from(size).map_err(|_| refuse()))
        .collect()
}
