//! Values (EValues) and tensors as the program describes them.

use super::method::value_id;
use crate::generated::program_generated::executorch_flatbuffer as fb;
use crate::ids::{MemoryId, ValueId};
use crate::scalar_type::ScalarType;
use core::fmt;
use core::num::NonZeroU32;
use flatbuffers::Vector;

/// A value of the method, before execution.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// None.
    Null,
    /// Integer.
    Int(i64),
    /// Boolean.
    Bool(bool),
    /// Floating point number.
    Double(f64),
    /// Text.
    String(&'a str),
    /// Tensor.
    Tensor(Tensor<'a>),
    /// Integers, each given as the index of an Int value.
    IntList(ValueList<'a, i64>),
    /// Literal numbers.
    DoubleList(Vector<'a, f64>),
    /// Literal booleans.
    BoolList(Vector<'a, bool>),
    /// Tensors by value index.
    TensorList(ValueList<'a, i32>),
    /// Tensors by value index, or None.
    OptionalTensorList(ValueList<'a, i32>),
    /// A kind of value that this reader does not know, with its union tag.
    Unknown(u8),
}

/// Indices of other values, in the integer width of the list's table.
#[derive(Clone, Copy)]
pub struct ValueList<'a, T>(Vector<'a, T>);

impl<'a, T: flatbuffers::Follow<'a> + 'a> fmt::Debug for ValueList<'a, T>
where
    T::Inner: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

impl<'a> ValueList<'a, i64> {
    /// The indices.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ValueId> + use<'a> {
        self.0.iter().map(|i| value_id(i32::try_from(i).unwrap_or(-1)))
    }
}

impl<'a> ValueList<'a, i32> {
    /// The indices; `None` where the list holds -1.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Option<ValueId>> + use<'a> {
        self.0.iter().map(|i| (i != -1).then(|| value_id(i)))
    }
}

impl<'a> Value<'a> {
    pub(super) fn new(value: fb::EValue<'a>) -> Self {
        use fb::KernelTypes as K;
        // After verification the accessor of the tag's own type always succeeds.
        let known = match value.val_type() {
            K::NONE | K::Null => Some(Value::Null),
            K::Int => value.val_as_int().map(|v| Value::Int(v.int_val())),
            K::Bool => value.val_as_bool().map(|v| Value::Bool(v.bool_val())),
            K::Double => value.val_as_double().map(|v| Value::Double(v.double_val())),
            K::Tensor => value.val_as_tensor().map(|v| Value::Tensor(Tensor { tensor: v })),
            K::String => {
                value.val_as_string().map(|v| Value::String(v.string_val().unwrap_or_default()))
            }
            K::IntList => value
                .val_as_int_list()
                .map(|v| Value::IntList(ValueList(v.items().unwrap_or_default()))),
            K::DoubleList => {
                value.val_as_double_list().map(|v| Value::DoubleList(v.items().unwrap_or_default()))
            }
            K::BoolList => {
                value.val_as_bool_list().map(|v| Value::BoolList(v.items().unwrap_or_default()))
            }
            K::TensorList => value
                .val_as_tensor_list()
                .map(|v| Value::TensorList(ValueList(v.items().unwrap_or_default()))),
            K::OptionalTensorList => value
                .val_as_optional_tensor_list()
                .map(|v| Value::OptionalTensorList(ValueList(v.items().unwrap_or_default()))),
            _ => None,
        };
        known.unwrap_or(Value::Unknown(value.val_type().0))
    }

    /// ExecuTorch's name of the kind of value.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "None",
            Value::Int(_) => "Int",
            Value::Bool(_) => "Bool",
            Value::Double(_) => "Double",
            Value::String(_) => "String",
            Value::Tensor(_) => "Tensor",
            Value::IntList(_) => "IntList",
            Value::DoubleList(_) => "DoubleList",
            Value::BoolList(_) => "BoolList",
            Value::TensorList(_) => "TensorList",
            Value::OptionalTensorList(_) => "OptionalTensorList",
            Value::Unknown(_) => "unknown",
        }
    }
}

/// Whether a tensor's shape may change at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamism {
    /// The shape is fixed.
    Static,
    /// The shape may shrink; `sizes` is the upper bound.
    DynamicBound,
    /// No bound: ExecuTorch's runtime refuses it.
    DynamicUnbound,
}

/// Where a tensor's initial data lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In this file, or nowhere.
    Segment,
    /// In a `.ptd` file, by its fully qualified name.
    External,
}

/// Device of a tensor or a planned buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceType {
    /// Host memory.
    Cpu,
    /// CUDA device memory.
    Cuda,
    /// Another number.
    Other(i8),
}

/// Place in a planned buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Planned buffer.
    pub memory_id: MemoryId,
    /// Byte offset in it.
    pub offset: u64,
}

/// A tensor as the program describes it.
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

    /// Extent of each dimension; the upper bound if the shape is dynamic.
    pub fn sizes(&self) -> Vector<'a, i32> {
        self.tensor.sizes().unwrap_or_default()
    }

    /// The dimensions from outermost to innermost in memory.
    pub fn dim_order(&self) -> &'a [u8] {
        self.tensor.dim_order().unwrap_or_default().bytes()
    }

    /// Number of elements; `None` if a size is negative or the product overflows.
    pub fn numel(&self) -> Option<u64> {
        self.sizes().iter().try_fold(1u64, |n, size| n.checked_mul(u64::try_from(size).ok()?))
    }

    /// Bytes of all elements; `None` as for [`Tensor::numel`] or for an unknown element type.
    pub fn nbytes(&self) -> Option<u64> {
        self.numel()?.checked_mul(self.scalar_type().ok()?.size() as u64)
    }

    /// Index of the initial data, `None` if the file has none for this tensor.
    pub fn data_buffer_idx(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.tensor.data_buffer_idx())
    }

    /// Place in a planned buffer, `None` if not memory-planned.
    pub fn allocation(&self) -> Option<Allocation> {
        let info = self.tensor.allocation_info()?;
        Some(Allocation {
            memory_id: MemoryId(info.memory_id()),
            offset: u64::from(info.memory_offset_high()) << 32
                | u64::from(info.memory_offset_low()),
        })
    }

    /// A constant: data in a file and no place in a planned buffer.
    pub fn is_constant(&self) -> bool {
        self.allocation().is_none()
            && (self.data_buffer_idx().is_some() || self.location() == Location::External)
    }

    /// Whether the shape may change.
    pub fn dynamism(&self) -> Dynamism {
        match self.tensor.shape_dynamism() {
            fb::TensorShapeDynamism::DYNAMIC_BOUND => Dynamism::DynamicBound,
            fb::TensorShapeDynamism::DYNAMIC_UNBOUND => Dynamism::DynamicUnbound,
            _ => Dynamism::Static,
        }
    }

    /// Where the initial data lies.
    pub fn location(&self) -> Location {
        match self.tensor.extra_tensor_info().map(|info| info.location()) {
            Some(fb::TensorDataLocation::EXTERNAL) => Location::External,
            _ => Location::Segment,
        }
    }

    /// Name in the PyTorch model, such as `layer.weight`, where the exporter kept it.
    pub fn name(&self) -> Option<&'a str> {
        self.tensor.extra_tensor_info()?.fully_qualified_name()
    }

    /// Device of the data.
    pub fn device(&self) -> DeviceType {
        match self.tensor.extra_tensor_info().map(|info| info.device_type()) {
            None | Some(fb::DeviceType::CPU) => DeviceType::Cpu,
            Some(fb::DeviceType::CUDA) => DeviceType::Cuda,
            Some(other) => DeviceType::Other(other.0),
        }
    }

    /// `Tensor.storage_offset`, which ExecuTorch's runtime requires to be 0.
    pub fn storage_offset(&self) -> i32 {
        self.tensor.storage_offset()
    }

    /// `Tensor.layout`; 0 is strided, the only one that the runtime knows.
    pub fn layout(&self) -> i8 {
        self.tensor.layout()
    }
}
