//! Values of debug events, and their bytes in the debug buffer.

use crate::bytes::slice;
use crate::generated::etdump_generated::etdump as fb;
use crate::scalar_type::ScalarType;
use flatbuffers::{ForwardsUOffset, Vector};

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
pub struct TensorList<'a>(Vector<'a, ForwardsUOffset<fb::Tensor<'a>>>);

impl<'a> TensorList<'a> {
    /// The tensors.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Tensor<'a>> + use<'a> {
        let tensors = self.0;
        (0..tensors.len()).map(move |i| Tensor { tensor: tensors.get(i) })
    }
}

impl<'a> Value<'a> {
    pub(super) fn new(value: fb::Value<'a>) -> Self {
        use fb::ValueType as T;
        let known = match value.val() {
            T::Null => Some(Value::Null),
            T::Int => value.int_value().map(|v| Value::Int(v.int_val())),
            T::Bool => value.bool_value().map(|v| Value::Bool(v.bool_val())),
            T::Float => value.float_value().map(|v| Value::Float(v.float_val())),
            T::Double => value.double_value().map(|v| Value::Double(v.double_val())),
            T::Tensor => value.tensor().map(|tensor| Value::Tensor(Tensor { tensor })),
            T::TensorList => value
                .tensor_list()
                .and_then(|l| l.tensors())
                .map(|tensors| Value::TensorList(TensorList(tensors))),
            T::String => Some(Value::String),
            other => Some(Value::Unknown(other.0)),
        };
        known.unwrap_or(Value::Null)
    }
}

/// A logged tensor.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    tensor: fb::Tensor<'a>,
}

impl<'a> Tensor<'a> {
    /// Element type; `Err` with the number of one that this reader does not know.
    pub fn scalar_type(&self) -> Result<ScalarType, i8> {
        let number = self.tensor.scalar_type().0;
        ScalarType::from_number(number.into()).ok_or(number)
    }

    /// Extents.
    pub fn sizes(&self) -> Vector<'a, i64> {
        self.tensor.sizes().unwrap_or_default()
    }

    /// Distances between neighbours along each dimension, in elements.
    pub fn strides(&self) -> Vector<'a, i64> {
        self.tensor.strides().unwrap_or_default()
    }

    /// Offset in the debug buffer, `None` for an empty tensor.
    pub fn offset(&self) -> Option<u64> {
        u64::try_from(self.tensor.offset()).ok()
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
