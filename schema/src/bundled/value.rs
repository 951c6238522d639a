//! Values of test cases. Unlike a program's tensors, these carry their data.

use crate::generated::bundled_program_generated::bundled_program_flatbuffer as fb;
use crate::scalar_type::ScalarType;
use flatbuffers::Vector;

/// An input or an expected output.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Tensor with its data.
    Tensor(Tensor<'a>),
    /// Integer.
    Int(i64),
    /// Boolean.
    Bool(bool),
    /// Floating point number.
    Double(f64),
    /// A kind of value that this reader does not know, with its union tag; 0
    /// where there is no value.
    Unknown(u8),
}

impl<'a> Value<'a> {
    pub(super) fn new(value: fb::Value<'a>) -> Self {
        use fb::ValueUnion as K;
        // After verification the accessor of the tag's own type always succeeds.
        let known = match value.val_type() {
            K::Tensor => value.val_as_tensor().map(|tensor| Value::Tensor(Tensor { tensor })),
            K::Int => value.val_as_int().map(|v| Value::Int(v.int_val())),
            K::Bool => value.val_as_bool().map(|v| Value::Bool(v.bool_val())),
            K::Double => value.val_as_double().map(|v| Value::Double(v.double_val())),
            _ => None,
        };
        known.unwrap_or(Value::Unknown(value.val_type().0))
    }
}

/// A tensor with its data.
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

    /// Extent of each dimension.
    pub fn sizes(&self) -> Vector<'a, i32> {
        self.tensor.sizes().unwrap_or_default()
    }

    /// The dimensions from outermost to innermost in memory.
    pub fn dim_order(&self) -> &'a [u8] {
        self.tensor.dim_order().unwrap_or_default().bytes()
    }

    /// The elements, little-endian, in `dim_order`. Nothing promises as many
    /// as the sizes say.
    pub fn data(&self) -> &'a [u8] {
        self.tensor.data().unwrap_or_default().bytes()
    }

    /// Bytes that element type and sizes ask for; `None` if they cannot be counted.
    pub fn nbytes(&self) -> Option<u64> {
        let size = self.scalar_type().ok()?.size() as u64;
        self.sizes().iter().try_fold(size, |n, extent| n.checked_mul(u64::try_from(extent).ok()?))
    }
}
