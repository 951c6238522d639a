//! Values that `torch.save` wrote: tensors and numbers in lists, tuples and
//! dictionaries (`torch/serialization.py`: a zip archive with `data.pkl` and
//! one member of bytes per storage).

use super::archive::Archive;
use super::pickle::{Object, ObjectId, Pickle};
use crate::error::{Format, ReadError, Result};
use crate::scalar_type::ScalarType;
use std::collections::HashMap;
use std::sync::Arc;

/// Containers may be nested this deep.
const MAX_DEPTH: usize = 64;

/// A value that `torch.save` wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum SavedValue {
    /// Python's None.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// Text.
    Text(String),
    /// A list or tuple.
    Sequence(Vec<SavedValue>),
    /// A dictionary with text as keys; other keys are left out.
    Map(Vec<(String, SavedValue)>),
    /// A tensor.
    Tensor(SavedTensor),
    /// An object of another class, by its name.
    Other(String),
}

/// A tensor, a view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedTensor {
    /// Element type.
    pub scalar_type: ScalarType,
    /// Extents.
    pub sizes: Vec<u64>,
    /// Distances between neighbours along each dimension, in elements.
    pub strides: Vec<u64>,
    /// First element in the storage.
    pub offset: u64,
    storage: Arc<[u8]>,
}

impl SavedTensor {
    /// The elements in row-major order, little endian. `None` if some lie
    /// outside the storage, or if there are many times more than it holds.
    pub fn data(&self) -> Option<Vec<u8>> {
        let width = self.scalar_type.size();
        let numel = self.sizes.iter().try_fold(1u64, |n, size| n.checked_mul(*size))?;
        let bytes = usize::try_from(numel.checked_mul(width as u64)?).ok()?;
        // An expanded tensor repeats its storage; a sane one not a million times.
        if bytes > self.storage.len().saturating_mul(64).saturating_add(1 << 20) {
            return None;
        }
        let mut data = Vec::with_capacity(bytes);
        let mut index = vec![0u64; self.sizes.len()];
        for _ in 0..numel {
            let steps = index.iter().zip(&self.strides);
            let element = steps
                .clone()
                .try_fold(self.offset, |at, (i, stride)| at.checked_add(i.checked_mul(*stride)?))?;
            let start = usize::try_from(element.checked_mul(width as u64)?).ok()?;
            data.extend_from_slice(self.storage.get(start..start.checked_add(width)?)?);
            for (i, size) in index.iter_mut().zip(&self.sizes).rev() {
                *i += 1;
                if *i < *size {
                    break;
                }
                *i = 0;
            }
        }
        Some(data)
    }
}

impl SavedValue {
    /// Reads what `torch.save` wrote into member `place` of an ETRecord.
    pub(super) fn parse(place: &str, bytes: &[u8]) -> Result<Self> {
        let fault = |expected: &str, found: String| {
            ReadError::field(Format::EtRecord, place, expected, found)
        };
        let archive =
            Archive::open(bytes).map_err(|error| fault("what torch.save writes", error.found))?;
        // All members are in one folder, named after the file when it was saved.
        let name = archive.names().find(|name| name.ends_with("/data.pkl")).map(str::to_owned);
        let name = name.ok_or_else(|| fault("a member data.pkl", "none".into()))?;
        let folder = name.strip_suffix("data.pkl").unwrap_or_default().to_owned();
        let pickled = archive.read(&name)?.unwrap_or_default();
        let pickle = Pickle::parse(&pickled).map_err(|at| {
            let opcode = pickled.get(at).map_or("its end".into(), |b| format!("0x{b:02x}"));
            fault("a pickle of tensors", format!("{opcode} at byte {at} of {name}"))
        })?;
        let mut reader = Reader {
            pickle: &pickle,
            archive: &archive,
            folder,
            storages: HashMap::new(),
            // A pickle can name one object many times; nothing real does so often.
            budget: pickled.len().saturating_mul(4) + 1024,
        };
        reader.value(pickle.root(), 0)?.ok_or_else(|| {
            fault("tensors in containers", "a tensor whose description contradicts itself".into())
        })
    }

    /// The tensors in it, depth first.
    pub fn tensors(&self) -> Vec<&SavedTensor> {
        match self {
            SavedValue::Tensor(tensor) => vec![tensor],
            SavedValue::Sequence(items) => items.iter().flat_map(SavedValue::tensors).collect(),
            SavedValue::Map(items) => items.iter().flat_map(|(_, v)| v.tensors()).collect(),
            _ => Vec::new(),
        }
    }
}

struct Reader<'p, 'a> {
    pickle: &'p Pickle,
    archive: &'p Archive<'a>,
    folder: String,
    storages: HashMap<String, Arc<[u8]>>,
    budget: usize,
}

impl Reader<'_, '_> {
    /// `Ok(None)`: it contradicts itself, or is nested or repeated beyond measure.
    fn value(&mut self, id: ObjectId, depth: usize) -> Result<Option<SavedValue>> {
        let Some(budget) = self.budget.checked_sub(1) else { return Ok(None) };
        self.budget = budget;
        if depth > MAX_DEPTH {
            return Ok(None);
        }
        let pickle = self.pickle;
        Ok(Some(match pickle.object(id) {
            Object::None => SavedValue::None,
            Object::Bool(value) => SavedValue::Bool(*value),
            Object::Int(value) => SavedValue::Int(*value),
            Object::Float(value) => SavedValue::Float(*value),
            Object::Text(text) => SavedValue::Text(text.clone()),
            Object::Sequence(items) => {
                let mut values = Vec::with_capacity(items.len());
                for &item in items {
                    let Some(value) = self.value(item, depth + 1)? else { return Ok(None) };
                    values.push(value);
                }
                SavedValue::Sequence(values)
            }
            Object::Map(items) => {
                let mut values = Vec::with_capacity(items.len());
                for &(key, item) in items {
                    let Some(value) = self.value(item, depth + 1)? else { return Ok(None) };
                    if let Object::Text(key) = pickle.object(key) {
                        values.push((key.clone(), value));
                    }
                }
                SavedValue::Map(values)
            }
            Object::Call(function, args) => return self.call(*function, *args, depth + 1),
            Object::Global(module, name) => SavedValue::Other(format!("{module}.{name}")),
            Object::Persistent(_) => SavedValue::Other("storage".into()),
        }))
    }

    fn call(
        &mut self,
        function: ObjectId,
        args: ObjectId,
        depth: usize,
    ) -> Result<Option<SavedValue>> {
        let pickle = self.pickle;
        if depth > MAX_DEPTH {
            return Ok(None);
        }
        let Object::Global(module, name) = pickle.object(function) else { return Ok(None) };
        let Object::Sequence(args) = pickle.object(args) else { return Ok(None) };
        match (module.as_str(), name.as_str(), args.as_slice()) {
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor_v3", args) => {
                let dtype = if name.ends_with('3') { args.get(6) } else { None };
                Ok(self.tensor(args, dtype.copied())?.map(SavedValue::Tensor))
            }
            (
                "torch._utils",
                "_rebuild_parameter" | "_rebuild_parameter_with_state",
                [data, ..],
            ) => self.value(*data, depth),
            ("torch._tensor", "_rebuild_from_type_v2", [function, _, args, ..]) => {
                self.call(*function, *args, depth)
            }
            ("collections", "OrderedDict", []) => Ok(Some(SavedValue::Map(Vec::new()))),
            _ => Ok(Some(SavedValue::Other(format!("{module}.{name}")))),
        }
    }

    /// Arguments: storage, offset, sizes, strides, …
    fn tensor(
        &mut self,
        args: &[ObjectId],
        dtype: Option<ObjectId>,
    ) -> Result<Option<SavedTensor>> {
        let [storage, offset, sizes, strides, ..] = args else { return Ok(None) };
        let Some((scalar_type, key)) = self.storage(*storage, dtype) else { return Ok(None) };
        let numbers = (self.number(*offset), self.numbers(*sizes), self.numbers(*strides));
        let (Some(offset), Some(sizes), Some(strides)) = numbers else { return Ok(None) };
        if sizes.len() != strides.len() {
            return Ok(None);
        }
        let storage = match self.storages.get(&key) {
            Some(storage) => storage.clone(),
            None => {
                let bytes = self.archive.read(&format!("{}data/{key}", self.folder))?;
                let Some(bytes) = bytes else { return Ok(None) };
                self.storages.entry(key).or_insert(bytes.into()).clone()
            }
        };
        Ok(Some(SavedTensor { scalar_type, sizes, strides, offset, storage }))
    }

    /// `("storage", class, key, device, numel)`
    fn storage(&self, id: ObjectId, dtype: Option<ObjectId>) -> Option<(ScalarType, String)> {
        let Object::Persistent(description) = self.pickle.object(id) else { return None };
        let Object::Sequence(items) = self.pickle.object(*description) else { return None };
        let [_, class, key, ..] = items.as_slice() else { return None };
        let Object::Global(_, class) = self.pickle.object(*class) else { return None };
        let Object::Text(key) = self.pickle.object(*key) else { return None };
        let scalar_type = match dtype {
            Some(dtype) => {
                let Object::Global(_, name) = self.pickle.object(dtype) else { return None };
                ScalarType::ALL.into_iter().find(|t| t.name() == name)?
            }
            None => {
                let name = class.strip_suffix("Storage")?;
                ScalarType::ALL.into_iter().find(|t| t.enumerator() == name)?
            }
        };
        Some((scalar_type, key.clone()))
    }

    fn number(&self, id: ObjectId) -> Option<u64> {
        match self.pickle.object(id) {
            Object::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    fn numbers(&self, id: ObjectId) -> Option<Vec<u64>> {
        let Object::Sequence(items) = self.pickle.object(id) else { return None };
        items.iter().map(|&item| self.number(item)).collect()
    }
}
