//! From the program's values to the method's.

use super::Pools;
use super::planned::arena_index;
use crate::error::Error;
use crate::memory::Arena;
use crate::program::Program;
use crate::tensor::TensorMeta;
use crate::value::{EValue, Scalar, Storage, Tensor, TensorId, Values};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use et_schema::ErrorCode;
use et_schema::ids::ValueId;
use et_schema::pte::{self, Dynamism, Location, Method as Plan};

/// The values of `plan`, with constants found and planned tensors placed in `arenas`.
pub(super) fn parse<'p>(
    program: &Program<'p>,
    plan: &Plan<'p>,
    pools: &mut Pools,
    arenas: &mut Vec<Arena>,
) -> Result<Values<'p>, Error> {
    let mut values = Values::default();
    values.slots.reserve(plan.value_count());
    for (index, value) in plan.values().enumerate() {
        let slot = match value {
            pte::Value::Null => EValue::None,
            pte::Value::Int(value) => EValue::Scalar(Scalar::Int(value)),
            pte::Value::Bool(value) => EValue::Scalar(Scalar::Bool(value)),
            pte::Value::Double(value) => EValue::Scalar(Scalar::Double(value)),
            pte::Value::String(text) => EValue::String(text),
            pte::Value::IntList(list) => EValue::IntList(list),
            pte::Value::DoubleList(list) => EValue::DoubleList(list),
            pte::Value::BoolList(list) => EValue::BoolList(list),
            pte::Value::TensorList(list) => EValue::TensorList(list),
            pte::Value::OptionalTensorList(list) => EValue::OptionalTensorList(list),
            pte::Value::Tensor(tensor) => {
                let mut parser = TensorParser { program, pools, arenas };
                let (tensor, initialised) = parser.parse(&tensor).map_err(|mut e| {
                    e.message = format!("value {index}: {}", e.message);
                    e
                })?;
                let id = TensorId(values.tensors.len() as u32);
                values.tensors.push(tensor);
                if initialised {
                    values.initialised.push(id);
                }
                EValue::Tensor(id)
            }
            pte::Value::Unknown(tag) => {
                return Err(invalid(format!("value {index} is of an unknown kind, tag {tag}")));
            }
        };
        values.slots.push(slot);
    }
    check_lists(&values)?;
    Ok(values)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidProgram, message)
}

/// Every index in a list must name a value of the right kind.
fn check_lists(values: &Values<'_>) -> Result<(), Error> {
    let is_tensor = |id: ValueId| values.tensor(id).is_some();
    for (index, slot) in values.slots.iter().enumerate() {
        let ok = match slot {
            EValue::IntList(list) => {
                list.ids().all(|id| matches!(values.get(id), Some(EValue::Scalar(Scalar::Int(_)))))
            }
            EValue::TensorList(list) => list.ids().all(|id| id.is_some_and(is_tensor)),
            EValue::OptionalTensorList(list) => list
                .ids()
                .flatten()
                .all(|id| is_tensor(id) || matches!(values.get(id), Some(EValue::None))),
            _ => true,
        };
        if !ok {
            return Err(invalid(format!(
                "value {index}: an item of this {} points to no value of its kind",
                slot.kind()
            )));
        }
    }
    Ok(())
}

struct TensorParser<'a, 'p> {
    program: &'a Program<'p>,
    pools: &'a mut Pools,
    arenas: &'a mut Vec<Arena>,
}

impl<'p> TensorParser<'_, 'p> {
    /// The tensor, and whether the program says what it holds.
    fn parse(&mut self, tensor: &pte::Tensor<'p>) -> Result<(Tensor<'p>, bool), Error> {
        let meta = check_meta(tensor)?;
        let (storage, initialised) = match tensor.allocation() {
            Some(place) => self.planned(tensor, &meta, place)?,
            None => (self.constant(tensor, &meta)?, true),
        };
        Ok((Tensor { meta, storage }, initialised))
    }

    fn planned(
        &mut self,
        tensor: &pte::Tensor<'p>,
        meta: &TensorMeta,
        place: pte::Allocation,
    ) -> Result<(Storage<'p>, bool), Error> {
        let nbytes = meta.nbytes() as u64;
        let buffer = arena_index(place.memory_id).filter(|i| *i < self.pools.planned.len());
        let Some(buffer) = buffer else {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "memory id {}, of {} planned buffers",
                    place.memory_id,
                    self.pools.planned.len()
                ),
            ));
        };
        let end = place.offset.saturating_add(nbytes);
        if end > self.arenas[buffer].len() as u64 {
            return Err(Error::new(
                ErrorCode::MemoryAllocationFailed,
                format!(
                    "offset_bytes ({}) + size_bytes ({nbytes}) >= allocator size ({}) for memory_id {}",
                    place.offset,
                    self.pools.planned[buffer].limit().unwrap_or(0),
                    place.memory_id
                ),
            ));
        }
        let offset = place.offset as usize;
        if !offset.is_multiple_of(meta.scalar_type().size()) {
            return Err(invalid(format!(
                "planned at offset {offset}, which is not aligned for {}",
                meta.scalar_type()
            )));
        }
        let initial = self.initial_data(tensor, nbytes)?;
        if let Some(initial) = initial {
            self.arenas[buffer].bytes_mut()[offset..end as usize].copy_from_slice(initial);
        }
        Ok((Storage::Arena { arena: buffer as u32, offset }, initial.is_some()))
    }

    /// What a planned tensor holds before the first instruction, if anything.
    fn initial_data(
        &self,
        tensor: &pte::Tensor<'p>,
        nbytes: u64,
    ) -> Result<Option<&'p [u8]>, Error> {
        match tensor.location() {
            Location::External => self.external(tensor, nbytes).map(Some),
            Location::Segment => Ok(tensor
                .data_buffer_idx()
                .map(|index| self.program.file().mutable_data(index.get(), nbytes))
                .transpose()?),
        }
    }

    fn constant(
        &mut self,
        tensor: &pte::Tensor<'p>,
        meta: &TensorMeta,
    ) -> Result<Storage<'p>, Error> {
        let nbytes = meta.nbytes() as u64;
        let bytes = match (tensor.location(), tensor.data_buffer_idx()) {
            (Location::External, _) => self.external(tensor, nbytes)?,
            (Location::Segment, Some(index)) => {
                self.program.file().constant(index.get(), nbytes)?
            }
            (Location::Segment, None) => return Ok(Storage::None),
        };
        if bytes.as_ptr().addr().is_multiple_of(meta.scalar_type().size()) {
            return Ok(Storage::Constant(bytes));
        }
        // The file lies unaligned in memory, or its exporter did not align the data.
        self.arenas.push(Arena::copy_of(bytes).ok_or_else(|| {
            Error::new(ErrorCode::MemoryAllocationFailed, format!("no {nbytes} bytes left"))
        })?);
        Ok(Storage::Arena { arena: self.arenas.len() as u32 - 1, offset: 0 })
    }

    fn external(&self, tensor: &pte::Tensor<'p>, nbytes: u64) -> Result<&'p [u8], Error> {
        let name = tensor
            .name()
            .ok_or_else(|| invalid("an external tensor without a fully qualified name"))?;
        let found = self.program.external(name).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidExternalData,
                format!("no data file has the tensor {name:?}; give its .ptd file with --data"),
            )
        })?;
        if Ok(found.scalar_type) != tensor.scalar_type() || (found.data.len() as u64) < nbytes {
            return Err(Error::new(
                ErrorCode::InvalidExternalData,
                format!(
                    "tensor {name:?} needs {nbytes} bytes; the data file has {} of {}",
                    found.data.len(),
                    found.scalar_type
                ),
            ));
        }
        Ok(&found.data[..nbytes as usize])
    }
}

fn check_meta(tensor: &pte::Tensor<'_>) -> Result<TensorMeta, Error> {
    let not_supported = |what: String| Error::new(ErrorCode::NotSupported, what);
    let scalar_type = tensor
        .scalar_type()
        .map_err(|number| invalid(format!("unknown element type, number {number}")))?;
    if tensor.storage_offset() != 0 {
        return Err(not_supported(format!("storage offset {}, not 0", tensor.storage_offset())));
    }
    if tensor.dynamism() == Dynamism::DynamicUnbound {
        return Err(not_supported("a dynamic shape without an upper bound".into()));
    }
    let sizes: smallvec::SmallVec<[i32; 16]> = tensor.sizes().iter().take(17).collect();
    if tensor.dim_order().len() != sizes.len() {
        return Err(invalid(format!(
            "dim order of {} entries for {} sizes",
            tensor.dim_order().len(),
            tensor.sizes().len()
        )));
    }
    TensorMeta::new(scalar_type, &sizes, tensor.dim_order(), tensor.dynamism())
        .map_err(|e| Error::new(ErrorCode::InvalidProgram, e.message))
}
