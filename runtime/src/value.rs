//! Values of a loaded method, and its tensors.

use crate::memory::Region;
use crate::tensor::TensorMeta;
use et_schema::ids::ValueId;
use et_schema::pte::ValueList;
use flatbuffers::Vector;

/// A number as operators take it: PyTorch's `Scalar`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// Integer.
    Int(i64),
    /// Floating point number.
    Double(f64),
    /// Boolean.
    Bool(bool),
}

impl Scalar {
    /// The number as a float.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Int(value) => value as f64,
            Scalar::Double(value) => value,
            Scalar::Bool(value) => f64::from(u8::from(value)),
        }
    }

    /// The number as an integer, cut towards zero.
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Int(value) => value,
            Scalar::Double(value) => value as i64,
            Scalar::Bool(value) => value.into(),
        }
    }
}

/// Index into the method's tensors. Two values share a tensor after a `Move`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TensorId(pub u32);

impl TensorId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A slot of the method's value table. Lists borrow the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EValue<'p> {
    None,
    Scalar(Scalar),
    String(&'p str),
    Tensor(TensorId),
    IntList(ValueList<'p, i64>),
    DoubleList(Vector<'p, f64>),
    BoolList(Vector<'p, bool>),
    TensorList(ValueList<'p, i32>),
    OptionalTensorList(ValueList<'p, i32>),
}

impl EValue<'_> {
    pub fn kind(&self) -> &'static str {
        match self {
            EValue::None => "None",
            EValue::Scalar(Scalar::Int(_)) => "Int",
            EValue::Scalar(Scalar::Double(_)) => "Double",
            EValue::Scalar(Scalar::Bool(_)) => "Bool",
            EValue::String(_) => "String",
            EValue::Tensor(_) => "Tensor",
            EValue::IntList(_) => "IntList",
            EValue::DoubleList(_) => "DoubleList",
            EValue::BoolList(_) => "BoolList",
            EValue::TensorList(_) => "TensorList",
            EValue::OptionalTensorList(_) => "OptionalTensorList",
        }
    }
}

/// Where a tensor's bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Storage<'p> {
    /// Nowhere, until an input is set or an operator gives it some.
    None,
    /// In the program or a data file, read only.
    Constant(&'p [u8]),
    /// In an arena, from `offset`.
    Arena { arena: u32, offset: usize },
}

/// A tensor of the method.
#[derive(Clone, Debug)]
pub(crate) struct Tensor<'p> {
    pub meta: TensorMeta,
    pub storage: Storage<'p>,
}

impl Tensor<'_> {
    /// The bytes in use, if they are in an arena.
    pub fn region(&self) -> Option<Region> {
        self.arena_region(self.meta.nbytes())
    }

    /// The bytes up to the upper bound of the shape, if they are in an arena.
    pub fn capacity_region(&self) -> Option<Region> {
        self.arena_region(self.meta.capacity_bytes())
    }

    fn arena_region(&self, nbytes: usize) -> Option<Region> {
        match self.storage {
            Storage::Arena { arena, offset } => {
                Some(Region { arena, start: offset, end: offset + nbytes })
            }
            _ => None,
        }
    }
}

/// The values and tensors of a method.
#[derive(Debug, Default)]
pub(crate) struct Values<'p> {
    pub slots: alloc::vec::Vec<EValue<'p>>,
    pub tensors: alloc::vec::Vec<Tensor<'p>>,
    /// Tensors that hold what the program or a data file says before anything runs.
    pub initialised: alloc::vec::Vec<TensorId>,
}

impl<'p> Values<'p> {
    pub fn get(&self, id: ValueId) -> Option<EValue<'p>> {
        self.slots.get(id.index()).copied()
    }

    /// The tensor in slot `id`, if it holds one.
    pub fn tensor(&self, id: ValueId) -> Option<(TensorId, &Tensor<'p>)> {
        match self.get(id)? {
            EValue::Tensor(tensor) => Some((tensor, self.tensors.get(tensor.index())?)),
            _ => None,
        }
    }

    /// The integer in slot `id`, if it holds one.
    pub fn int(&self, id: ValueId) -> Option<i64> {
        match self.get(id)? {
            EValue::Scalar(Scalar::Int(value)) => Some(value),
            _ => None,
        }
    }
}
