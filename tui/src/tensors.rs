//! Tensors of the method: what the program says of each, and where its
//! elements are, in the program or in a debug buffer.

use crate::query::Field;
use crate::text::escape;
use et_inspector::correlate::{Call, Instructions, Role, Site};
use et_inspector::gap;
use et_schema::ScalarType;
use et_schema::etdump::{self, File as Trace};
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::pte::{File, Location, Method, Tensor, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// The bytes of a file, which stay where they are while anyone reads them.
#[derive(Clone)]
pub struct Bytes(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl Bytes {
    /// Of what has bytes, such as a map of a file.
    pub fn new(source: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Bytes(Arc::new(source))
    }

    /// All of them.
    pub fn as_slice(&self) -> &[u8] {
        (*self.0).as_ref()
    }

    /// Where `part`, a slice of these bytes, lies in them.
    fn find(&self, part: &[u8]) -> Option<Range<usize>> {
        let whole = self.as_slice();
        let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        let end = start.checked_add(part.len())?;
        (end <= whole.len()).then_some(start..end)
    }
}

/// Names of what a filter can ask of tensors.
pub const FIELDS: [&str; 7] = ["value", "dtype", "shape", "bytes", "place", "name", "logged"];

/// A tensor.
pub struct TensorRow {
    /// Its value; a value that was logged and is none of the method's has none.
    pub value: Option<ValueId>,
    /// `%3`, or where it was logged.
    pub label: String,
    /// Element type, by PyTorch's name.
    pub dtype: &'static str,
    /// Extents, the upper bound where they may change.
    pub sizes: Vec<i64>,
    /// Bytes of all elements.
    pub bytes: Option<u64>,
    /// Place in a planned buffer, or where it is else.
    pub place: String,
    /// Name in the PyTorch model, safe to draw.
    pub name: String,
    /// Instructions that write it.
    pub producers: Vec<Site>,
    /// Instructions that read it.
    pub consumers: Vec<Site>,
    /// Its elements, as often as they are known.
    pub data: Vec<Data>,
}

impl TensorRow {
    /// `float32[1,8]`.
    pub fn shape(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(i64::to_string).collect();
        format!("{}[{}]", self.dtype, sizes.join(","))
    }

    /// Where it is written, or read.
    pub fn site(&self) -> Option<Site> {
        self.producers.first().or(self.consumers.first()).copied()
    }

    /// A field of a filter.
    pub fn field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "value" => Some(Field::Text(&self.label)),
            "dtype" => Some(Field::Text(self.dtype)),
            "shape" => Some(Field::Made(self.shape())),
            "bytes" => Some(Field::Number(self.bytes? as f64)),
            "place" => Some(Field::Text(&self.place)),
            "name" => Some(Field::Text(&self.name)),
            "logged" => Some(Field::Text(if self.data.is_empty() { "no" } else { "yes" })),
            _ => None,
        }
    }

    /// Whether `data` is of its type and within its extents.
    fn may_have(&self, data: &Data) -> bool {
        self.dtype == data.scalar_type.name()
            && self.sizes.len() == data.sizes.len()
            && self.sizes.iter().zip(&data.sizes).all(|(most, size)| size <= most)
    }
}

/// Elements of a tensor in a file.
pub struct Data {
    /// What they are: `constant`, or the run that logged them.
    pub label: String,
    /// Element type.
    pub scalar_type: ScalarType,
    /// Extents at that time.
    pub sizes: Vec<i64>,
    /// Distance of neighbours in each dimension, in elements; none if row-major.
    pub strides: Vec<i64>,
    /// Where they are, or why they are not there.
    pub place: Result<(Source, Range<usize>), String>,
}

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The program.
    Program,
    /// The debug buffer.
    DebugBuffer,
}

/// All tensors of a method, and what was logged.
#[derive(Default)]
pub struct Tensors {
    /// The tensors in the order of their values.
    pub rows: Vec<TensorRow>,
    by_value: BTreeMap<u32, usize>,
    program: Option<Bytes>,
    debug_buffer: Option<Bytes>,
    /// Whether the trace has any values.
    pub logged: bool,
    /// Whether the elements of any of them are there.
    pub has_elements: bool,
}

impl Tensors {
    /// Those of `method`, without elements.
    pub fn of(
        file: &File<'_>,
        method: &Method<'_>,
        instructions: &Instructions,
        bytes: Option<&Bytes>,
    ) -> Self {
        let mut tensors = Tensors { program: bytes.cloned(), ..Tensors::default() };
        for (index, value) in method.values().enumerate() {
            let Value::Tensor(tensor) = value else { continue };
            let id = ValueId(index as u32);
            tensors.by_value.insert(id.0, tensors.rows.len());
            tensors.rows.push(row(file, id, &tensor, bytes));
        }
        for (chain, list) in method.chains().enumerate() {
            for index in 0..list.instruction_count() {
                let instruction = InstructionId(index as u32);
                let site = Site { chain: ChainId(chain as u32), instruction };
                tensors.add_uses(site, instructions);
            }
        }
        tensors
    }

    fn add_uses(&mut self, site: Site, instructions: &Instructions) {
        let Some(facts) = instructions.get(site) else { return };
        for argument in &facts.arguments {
            let Some(index) = self.by_value.get(&argument.value.0) else { continue };
            let row = &mut self.rows[*index];
            match argument.role {
                Role::Output => row.producers.push(site),
                Role::Input => row.consumers.push(site),
            }
        }
    }

    /// Of a tensor and the views of it, which are the same bytes: what writes one of
    /// them is where each comes from that nothing else writes, and what reads a view
    /// reads its base.
    pub fn share_uses(&mut self, values: &[ValueId]) {
        let rows: Vec<usize> = values.iter().filter_map(|value| self.index_of(*value)).collect();
        let Some(base) = rows.first().copied().filter(|_| rows.len() > 1) else { return };
        let all = |sites: fn(&TensorRow) -> &[Site]| {
            let all: BTreeSet<Site> =
                rows.iter().flat_map(|index| sites(&self.rows[*index])).copied().collect();
            Vec::from_iter(all)
        };
        let (written, read) = (all(|row| &row.producers), all(|row| &row.consumers));
        for index in &rows {
            let row = &mut self.rows[*index];
            if row.producers.is_empty() {
                row.producers.clone_from(&written);
            }
        }
        self.rows[base].consumers = read;
    }

    /// Adds what `trace` logged, whose elements are in `buffer`.
    pub fn add_logged(
        &mut self,
        trace: &Trace<'_>,
        method: Option<(&Method<'_>, &Instructions)>,
        buffer: Option<&Bytes>,
    ) {
        self.debug_buffer = buffer.cloned();
        for logged in gap::logged(trace) {
            self.logged = true;
            let place = &logged.place;
            let of_list: Vec<etdump::Tensor<'_>> = match logged.event.value {
                Some(etdump::Value::Tensor(tensor)) => vec![tensor],
                Some(etdump::Value::TensorList(list)) => list.iter().collect(),
                _ => continue,
            };
            let alone = of_list.len() == 1;
            for tensor in &of_list {
                let data = logged_data(tensor, place, buffer);
                let value = method.filter(|_| alone).and_then(|(m, i)| value_of(place, m, i));
                let known = value.and_then(|value| self.by_value.get(&value.0));
                let fits = |row: &&mut TensorRow| row.may_have(&data);
                match known.and_then(|index| self.rows.get_mut(*index)).filter(fits) {
                    Some(row) => row.data.push(data),
                    None => self.add_other(place, data),
                }
            }
        }
    }

    /// Adds a value that is none of the method's, such as a delegate's own.
    fn add_other(&mut self, place: &gap::Place, data: Data) {
        let label = match place.position {
            0 => escape(&place.to_string()),
            position => escape(&format!("{place} #{position}")),
        };
        let size = data.scalar_type.size() as u64;
        let numel = data.sizes.iter().try_fold(1u64, |n, s| n.checked_mul((*s).try_into().ok()?));
        let site = site(place);
        let row = match self.rows.iter_mut().find(|r| r.value.is_none() && r.label == label) {
            Some(row) => row,
            None => {
                self.rows.push(TensorRow {
                    value: None,
                    label,
                    dtype: data.scalar_type.name(),
                    sizes: data.sizes.clone(),
                    bytes: numel.and_then(|n| n.checked_mul(size)),
                    place: "logged".into(),
                    name: String::new(),
                    producers: site.into_iter().collect(),
                    consumers: Vec::new(),
                    data: Vec::new(),
                });
                let last = self.rows.len() - 1;
                &mut self.rows[last]
            }
        };
        row.data.push(data);
    }

    /// The elements of `data`.
    ///
    /// # Errors
    /// Why they are not there.
    pub fn bytes(&self, data: &Data) -> Result<&[u8], String> {
        let (source, range) = data.place.clone()?;
        let file = match source {
            Source::Program => self.program.as_ref(),
            Source::DebugBuffer => self.debug_buffer.as_ref(),
        };
        let bytes = file.and_then(|file| file.as_slice().get(range));
        bytes.ok_or_else(|| "the file that had them is gone".into())
    }

    /// The row of a value.
    pub fn of_value(&self, value: ValueId) -> Option<&TensorRow> {
        self.rows.get(self.index_of(value)?)
    }

    /// The number of the row of a value.
    pub fn index_of(&self, value: ValueId) -> Option<usize> {
        self.by_value.get(&value.0).copied()
    }

    /// The row of what was logged of an instruction that no program has.
    pub fn logged_at(&self, site: Site) -> Option<usize> {
        self.rows.iter().position(|row| row.producers.contains(&site))
    }
}

fn site(place: &gap::Place) -> Option<Site> {
    let instruction = InstructionId(u32::try_from(place.instruction).ok()?);
    Some(Site { chain: ChainId(u32::try_from(place.chain).ok()?), instruction })
}

/// The value that was logged at `place`: kernels log what they return, the
/// method its outputs, calls of delegates all of their arguments, each in
/// order; a loop logs them again.
fn value_of(
    place: &gap::Place,
    method: &Method<'_>,
    instructions: &Instructions,
) -> Option<ValueId> {
    if place.is_output {
        return method.outputs().nth(place.position);
    }
    if place.delegate_id.is_some() {
        return None;
    }
    let facts = instructions.get(site(place)?)?;
    let all = matches!(facts.call, Call::Delegate { .. });
    let arguments = || facts.arguments.iter().filter(|a| all || a.role == Role::Output);
    let count = arguments().count();
    arguments().nth(place.position.checked_rem(count)?).map(|argument| argument.value)
}

fn logged_data(tensor: &etdump::Tensor<'_>, place: &gap::Place, buffer: Option<&Bytes>) -> Data {
    let what = if place.is_output { " output" } else { "" };
    let label = format!("run {}{what}", place.run);
    let sizes: Vec<i64> = tensor.sizes().iter().collect();
    let place = match (tensor.scalar_type(), buffer) {
        (Err(number), _) => Err(format!("element type {number} is not known")),
        (Ok(_), None) => Err("no debug buffer was given: pass --debug-buffer FILE".into()),
        (Ok(_), Some(buffer)) => {
            let part = tensor.data(buffer.as_slice()).and_then(|part| buffer.find(part));
            part.map(|range| (Source::DebugBuffer, range)).ok_or_else(|| {
                let offset = tensor.offset().map_or("no place".into(), |at| format!("byte {at}"));
                let size = buffer.as_slice().len();
                format!("{offset} is not in a debug buffer of {size} bytes: is it another run's?")
            })
        }
    };
    Data {
        label,
        scalar_type: tensor.scalar_type().unwrap_or(ScalarType::Byte),
        strides: strides(&sizes, tensor.strides().iter().collect()),
        sizes,
        place,
    }
}

fn row(file: &File<'_>, id: ValueId, tensor: &Tensor<'_>, bytes: Option<&Bytes>) -> TensorRow {
    let place = match (tensor.allocation(), tensor.data_buffer_idx(), tensor.location()) {
        (Some(at), _, _) => format!("memory {} at 0x{:x}", at.memory_id, at.offset),
        (None, _, Location::External) => "in a .ptd file".into(),
        (None, Some(index), _) => format!("constant {index}"),
        (None, None, _) => "not planned".into(),
    };
    TensorRow {
        value: Some(id),
        label: format!("%{id}"),
        dtype: tensor.scalar_type().map_or("unknown", ScalarType::name),
        sizes: tensor.sizes().iter().map(i64::from).collect(),
        bytes: tensor.nbytes(),
        place,
        name: tensor.name().map(escape).unwrap_or_default(),
        producers: Vec::new(),
        consumers: Vec::new(),
        data: constant(file, tensor, bytes).into_iter().collect(),
    }
}

/// The initial data of a tensor that has any in the program.
fn constant(file: &File<'_>, tensor: &Tensor<'_>, bytes: Option<&Bytes>) -> Option<Data> {
    let index = tensor.data_buffer_idx()?.get();
    if tensor.location() == Location::External {
        return None;
    }
    let scalar_type = tensor.scalar_type().ok()?;
    let (label, found) = match tensor.allocation() {
        None => ("constant", file.constant(index, tensor.nbytes()?)),
        Some(_) => ("initial", file.mutable_data(index, tensor.nbytes()?)),
    };
    let sizes: Vec<i64> = tensor.sizes().iter().map(i64::from).collect();
    let place = match found {
        Ok(part) => bytes
            .and_then(|bytes| bytes.find(part))
            .map(|range| (Source::Program, range))
            .ok_or_else(|| "the program is not open".to_owned()),
        Err(error) => Err(escape(&error.to_string())),
    };
    let own = strides_of(&sizes, tensor.dim_order());
    Some(Data { label: label.into(), scalar_type, strides: strides(&sizes, own), sizes, place })
}

/// Strides of dimensions that follow each other in memory in `order`
/// (`Tensor.dim_order`, outermost first); none if it is no such order.
fn strides_of(sizes: &[i64], order: &[u8]) -> Vec<i64> {
    let mut strides = vec![0i64; sizes.len()];
    let mut next = 1i64;
    for dimension in order.iter().rev() {
        let Some(size) = sizes.get(usize::from(*dimension)) else { return Vec::new() };
        strides[usize::from(*dimension)] = next;
        next = next.saturating_mul((*size).max(1));
    }
    if order.len() == sizes.len() { strides } else { Vec::new() }
}

/// The strides, or none if the elements are in the order of their indices.
fn strides(sizes: &[i64], strides: Vec<i64>) -> Vec<i64> {
    let mut expected = 1i64;
    let row_major = strides.len() != sizes.len()
        || sizes.iter().zip(&strides).rev().all(|(size, stride)| {
            let same = *size == 1 || *stride == expected;
            expected = expected.saturating_mul(*size);
            same
        });
    if row_major { Vec::new() } else { strides }
}
