//! Values of debug events, and their bytes in the debug buffer.

use super::kind::Kind;
use super::kind::field::{ONLY, tensor, value};
use super::wire::{Cache, Items, Layout, Table, Wire, vtable_of};
use crate::bytes::slice;
use crate::scalar_type::ScalarType;

/// A logged value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// None, or a field that the value's kind asks for and the file lacks.
    Null,
    /// Integer.
    Int(i64),
    /// Boolean.
    Bool(bool),
    /// 32-bit float.
    Float(f32),
    /// 64-bit float.
    Double(f64),
    /// Tensor.
    Tensor(Tensor<'a>),
    /// Tensors.
    TensorList(TensorList<'a>),
    /// Text, which the format names but has no field for.
    String,
    /// A kind that this reader does not know, with its number.
    Unknown(i8),
}

/// Tensors of a list.
#[derive(Clone, Copy, Debug)]
pub struct TensorList<'a> {
    bytes: &'a [u8],
    items: Items,
    /// Of the tensors whose vtable is behind the end of a truncated file.
    lost: Option<Layout>,
}

impl<'a> TensorList<'a> {
    fn read(wire: &Wire<'a>, at: usize) -> Option<Self> {
        let list = wire.table(Kind::TensorList, at, &mut Cache::default())?;
        let items = list.items(ONLY, 4)?;
        let lost = wire.lost.iter().find(|lost| lost.kind == Kind::Tensor);
        let list = TensorList { bytes: wire.bytes, items, lost: lost.map(|lost| lost.layout) };
        (0..items.count).all(|index| list.tensor(index).is_some()).then_some(list)
    }

    fn tensor(&self, index: usize) -> Option<Tensor<'a>> {
        let at = self.items.table(self.bytes, index)?;
        let vtable = vtable_of(self.bytes, at)?;
        let layout = Layout::decode(self.bytes, vtable, Kind::Tensor).or(self.lost)?;
        Tensor::of(&Table { bytes: self.bytes, at, layout })
    }

    /// The tensors.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Tensor<'a>> + use<'a> {
        let list = *self;
        (0..list.items.count).map(move |index| list.tensor(index).unwrap_or_default())
    }
}

impl<'a> Value<'a> {
    /// The value at `at` and whether it is an output of the method; `None` if
    /// it is damaged or lost.
    pub(super) fn read(wire: &Wire<'a>, at: usize) -> Option<(Option<Self>, bool)> {
        let table = wire.table(Kind::Value, at, &mut Cache::default())?;
        let only = |kind, field| {
            let at = table.target(field)?;
            wire.table(kind, at, &mut Cache::default())
        };
        // A field that is not there makes the value null; one that is damaged, an error.
        let read = |field, value: &dyn Fn() -> Option<Value<'a>>| match table.has(field) {
            true => value(),
            false => Some(Value::Null),
        };
        let value = match table.byte(value::KIND) as i8 {
            0 => Value::Null,
            1 => read(value::INT, &|| {
                Some(Value::Int(only(Kind::Eight, value::INT)?.long(ONLY) as i64))
            })?,
            2 => read(value::BOOL, &|| {
                Some(Value::Bool(only(Kind::Bool, value::BOOL)?.byte(ONLY) != 0))
            })?,
            3 => read(value::FLOAT, &|| {
                let bits = only(Kind::Four, value::FLOAT)?.int(ONLY, 0) as u32;
                Some(Value::Float(f32::from_bits(bits)))
            })?,
            4 => read(value::DOUBLE, &|| {
                let bits = only(Kind::Eight, value::DOUBLE)?.long(ONLY);
                Some(Value::Double(f64::from_bits(bits)))
            })?,
            5 => read(value::TENSOR, &|| {
                Some(Value::Tensor(Tensor::of(&only(Kind::Tensor, value::TENSOR)?)?))
            })?,
            6 => read(value::TENSOR_LIST, &|| {
                let at = table.target(value::TENSOR_LIST)?;
                TensorList::read(wire, at).map(Value::TensorList)
            })?,
            7 => Value::String,
            other => Value::Unknown(other),
        };
        let output = match table.has(value::OUTPUT) {
            true => only(Kind::Bool, value::OUTPUT).map(|output| output.byte(ONLY) != 0),
            false => Some(false),
        };
        Some((Some(value), output.or_else(|| wire.truncated.then_some(false))?))
    }
}

/// 64-bit numbers of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Longs<'a>(&'a [u8]);

impl<'a> Longs<'a> {
    fn read(table: &Table<'a>, field: usize) -> Option<Self> {
        let items = table.items(field, 8)?;
        table.bytes.get(items.start..items.start + items.count * 8).map(Longs)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len() / 8
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> + use<'a> {
        self.0.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes))
    }
}

/// A logged tensor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tensor<'a> {
    scalar_type: i8,
    sizes: Longs<'a>,
    strides: Longs<'a>,
    offset: i64,
}

impl<'a> Tensor<'a> {
    fn of(table: &Table<'a>) -> Option<Self> {
        Some(Tensor {
            scalar_type: table.byte(tensor::SCALAR_TYPE) as i8,
            sizes: Longs::read(table, tensor::SIZES)?,
            strides: Longs::read(table, tensor::STRIDES)?,
            offset: table.long(tensor::OFFSET) as i64,
        })
    }

    /// Element type; `Err` with the number of one that this reader does not know.
    pub fn scalar_type(&self) -> Result<ScalarType, i8> {
        ScalarType::from_number(self.scalar_type.into()).ok_or(self.scalar_type)
    }

    /// Extents.
    pub fn sizes(&self) -> Longs<'a> {
        self.sizes
    }

    /// Distances between neighbours along each dimension, in elements.
    pub fn strides(&self) -> Longs<'a> {
        self.strides
    }

    /// Offset in the debug buffer, `None` for an empty tensor.
    pub fn offset(&self) -> Option<u64> {
        u64::try_from(self.offset).ok()
    }

    /// Number of elements; `None` if a size is negative or the product overflows.
    pub fn numel(&self) -> Option<u64> {
        self.sizes().iter().try_fold(1u64, |n, s| n.checked_mul(u64::try_from(s).ok()?))
    }

    /// The elements in memory order; `None` if they are not in the debug buffer.
    pub fn data<'b>(&self, debug_buffer: &'b [u8]) -> Option<&'b [u8]> {
        let nbytes = self.numel()?.checked_mul(self.scalar_type().ok()?.size() as u64)?;
        if nbytes == 0 {
            return Some(&[]);
        }
        slice(debug_buffer, self.offset()?, nbytes)
    }
}
