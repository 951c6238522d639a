//! What ExecuTorch's kernels take: the arguments of every operator that its
//! kernel libraries register, by full name such as `aten::add.out`.
//!
//! Names, kinds and order are those of PyTorch's schemas and of the
//! `functions.yaml`, `quantized.yaml` and `operators.yaml` of ExecuTorch 1.5.1;
//! prim ops have no schema, and their arguments are what the kernels read. A
//! kernel call lists all of them in this order, keyword arguments included,
//! then the returned values once more: the same tensor again, or one
//! TensorList where the operator returns several.
//!
//! One file per family of operators; each is one table, sorted by name.

mod aten;
mod cortex_m;
mod edge;
mod prim;
mod quantized;

use crate::pte::Value;

/// The arguments of an operator's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Namespace, operator and overload, such as `aten::add.out`.
    pub name: &'static str,
    /// Arguments in the order of the kernel call.
    pub args: &'static [Arg],
}

/// One argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Name in the schema.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether the kernel writes to it: an output, or an input changed in place.
    pub out: bool,
}

/// What an argument may be. `Optional…` may also be None.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Tensor.
    Tensor,
    /// Tensor or None.
    OptionalTensor,
    /// Tensors.
    TensorList,
    /// Tensors, any of which may be None.
    OptionalTensorList,
    /// Int, Double or Bool.
    Scalar,
    /// Int, Double, Bool or None.
    OptionalScalar,
    /// Int.
    Int,
    /// Int or None.
    OptionalInt,
    /// Ints.
    IntList,
    /// Ints or None.
    OptionalIntList,
    /// Double.
    Double,
    /// Double or None.
    OptionalDouble,
    /// Doubles or None.
    OptionalDoubleList,
    /// Bool.
    Bool,
    /// Bool or None.
    OptionalBool,
    /// Bools.
    BoolList,
    /// The number of a [`crate::ScalarType`], as an Int.
    ScalarType,
    /// The number of a [`crate::ScalarType`], as an Int, or None.
    OptionalScalarType,
    /// The number of a memory format, as an Int, or None.
    OptionalMemoryFormat,
    /// String.
    String,
    /// String or None.
    OptionalString,
    /// A number of whatever kind the prim op is given or makes.
    Any,
}

impl Kind {
    /// Whether ExecuTorch's runtime takes `value` for an argument of this kind.
    ///
    /// A value that the program leaves None is taken for `Any`, because a prim
    /// op replaces its output whatever it was.
    pub fn accepts(self, value: &Value<'_>) -> bool {
        use Value as V;
        if matches!(value, V::Null) {
            return self.is_optional() || self == Kind::Any;
        }
        match self {
            Kind::Tensor | Kind::OptionalTensor => matches!(value, V::Tensor(_)),
            Kind::TensorList => matches!(value, V::TensorList(_)),
            Kind::OptionalTensorList => matches!(value, V::OptionalTensorList(_)),
            Kind::Scalar | Kind::OptionalScalar | Kind::Any => {
                matches!(value, V::Int(_) | V::Double(_) | V::Bool(_))
            }
            Kind::Int
            | Kind::OptionalInt
            | Kind::ScalarType
            | Kind::OptionalScalarType
            | Kind::OptionalMemoryFormat => matches!(value, V::Int(_)),
            Kind::IntList | Kind::OptionalIntList => matches!(value, V::IntList(_)),
            Kind::Double | Kind::OptionalDouble => matches!(value, V::Double(_)),
            Kind::OptionalDoubleList => matches!(value, V::DoubleList(_)),
            Kind::Bool | Kind::OptionalBool => matches!(value, V::Bool(_)),
            Kind::BoolList => matches!(value, V::BoolList(_)),
            Kind::String | Kind::OptionalString => matches!(value, V::String(_)),
        }
    }

    /// Whether None is a valid argument.
    pub fn is_optional(self) -> bool {
        matches!(
            self,
            Kind::OptionalTensor
                | Kind::OptionalScalar
                | Kind::OptionalInt
                | Kind::OptionalIntList
                | Kind::OptionalDouble
                | Kind::OptionalDoubleList
                | Kind::OptionalBool
                | Kind::OptionalScalarType
                | Kind::OptionalMemoryFormat
                | Kind::OptionalString
        )
    }
}

/// Writes a table of signatures as `"name"(argument: Kind, …);`, with `&mut`
/// before the kind of an argument that the kernel writes to.
macro_rules! signatures {
    ($($name:literal($($arg:ident: $(&$mut:ident)? $kind:ident),*);)*) => {
        &[$($crate::operators::Signature {
            name: $name,
            args: &[$($crate::operators::Arg {
                name: stringify!($arg),
                kind: $crate::operators::Kind::$kind,
                out: false $(| $crate::operators::written!($mut))?,
            }),*],
        }),*]
    };
}

/// The mark of an argument that the kernel writes to.
macro_rules! written {
    (mut) => {
        true
    };
}

use {signatures, written};

/// The tables in the order of their namespaces, so that the whole is sorted.
const TABLES: [&[Signature]; 5] =
    [aten::TABLE, cortex_m::TABLE, edge::TABLE, prim::TABLE, quantized::TABLE];

const COUNT: usize = {
    let (mut count, mut table) = (0, 0);
    while table < TABLES.len() {
        count += TABLES[table].len();
        table += 1;
    }
    count
};

static ALL: [Signature; COUNT] = {
    let mut all = [Signature { name: "", args: &[] }; COUNT];
    let (mut next, mut table) = (0, 0);
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            all[next] = TABLES[table][row];
            next += 1;
            row += 1;
        }
        table += 1;
    }
    all
};

/// Every signature, sorted by name.
pub fn all() -> &'static [Signature] {
    &ALL
}

/// The signature of operator `name`, such as `aten::add.out`.
pub fn find(name: &str) -> Option<&'static Signature> {
    let index = ALL.binary_search_by(|signature| signature.name.cmp(name)).ok()?;
    Some(&ALL[index])
}

/// The signature of `name` (namespace and operator) with `overload`, which is
/// empty for an operator that has none.
pub fn find_overload(name: &str, overload: &str) -> Option<&'static Signature> {
    let separator = if overload.is_empty() { "" } else { "." };
    let parts = || [name, separator, overload].into_iter().flat_map(str::bytes);
    let index = ALL.binary_search_by(|signature| signature.name.bytes().cmp(parts())).ok()?;
    Some(&ALL[index])
}
