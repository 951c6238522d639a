//! The tables of `fbs/etdump.fbs` as data: which fields they have, and of
//! which type. The reader checks by it, and [`super::recover`] guesses by it.

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Root,
    Run,
    Allocator,
    Event,
    Profile,
    Allocation,
    Debug,
    Value,
    Tensor,
    TensorList,
    /// `Int` and `Double`
    Eight,
    /// `Float`
    Four,
    Bool,
}

/// Type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Byte,
    Int,
    Long,
    /// Reference to a string.
    Text,
    /// Reference to a vector of numbers of this size.
    Numbers(u32),
    /// Reference to a table.
    Table(Kind),
    /// Reference to a vector of references to tables.
    Tables(Kind),
}

impl Field {
    /// Bytes in the table.
    pub(super) fn size(self) -> usize {
        match self {
            Field::Byte => 1,
            Field::Long => 8,
            _ => 4,
        }
    }
}

/// Fields by their number in the schema, one module per table that is read by field.
pub(super) mod field {
    pub mod root {
        pub const VERSION: usize = 0;
        pub const RUNS: usize = 1;
    }
    pub mod run {
        pub const NAME: usize = 0;
        pub const BUNDLED_INPUT_INDEX: usize = 1;
        pub const ALLOCATORS: usize = 2;
        pub const EVENTS: usize = 3;
    }
    pub mod event {
        pub const PROFILE: usize = 0;
        pub const ALLOCATION: usize = 1;
        pub const DEBUG: usize = 2;
    }
    pub mod profile {
        pub const NAME: usize = 0;
        pub const CHAIN: usize = 1;
        pub const INSTRUCTION: usize = 2;
        pub const DELEGATE_INT: usize = 3;
        pub const DELEGATE_NAME: usize = 4;
        pub const METADATA: usize = 5;
        pub const START: usize = 6;
        pub const END: usize = 7;
    }
    pub mod allocation {
        pub const ALLOCATOR: usize = 0;
        pub const SIZE: usize = 1;
    }
    pub mod debug {
        pub const CHAIN: usize = 0;
        pub const INSTRUCTION: usize = 1;
        pub const ENTRY: usize = 2;
        pub const DELEGATE_INT: usize = 3;
        pub const DELEGATE_NAME: usize = 4;
        pub const NAME: usize = 5;
    }
    pub mod value {
        pub const KIND: usize = 0;
        pub const TENSOR: usize = 1;
        pub const TENSOR_LIST: usize = 2;
        pub const INT: usize = 3;
        pub const FLOAT: usize = 4;
        pub const DOUBLE: usize = 5;
        pub const BOOL: usize = 6;
        pub const OUTPUT: usize = 7;
    }
    pub mod tensor {
        pub const SCALAR_TYPE: usize = 0;
        pub const SIZES: usize = 1;
        pub const STRIDES: usize = 2;
        pub const OFFSET: usize = 3;
    }
    /// `Allocator.name`, `TensorList.tensors`, `Int.int_val` and the like.
    pub const ONLY: usize = 0;
}

impl Kind {
    /// The fields, in the order of their numbers.
    pub(super) fn fields(self) -> &'static [Field] {
        use Field::{Byte, Int, Long, Numbers, Table, Tables, Text};
        match self {
            Kind::Root => &[Int, Tables(Kind::Run)],
            Kind::Run => &[Text, Int, Tables(Kind::Allocator), Tables(Kind::Event)],
            Kind::Allocator => &[Text],
            Kind::Event => &[Table(Kind::Profile), Table(Kind::Allocation), Table(Kind::Debug)],
            Kind::Profile => &[Text, Int, Int, Int, Text, Numbers(1), Long, Long],
            Kind::Allocation => &[Int, Long],
            Kind::Debug => &[Long, Int, Table(Kind::Value), Int, Text, Text],
            Kind::Value => &[
                Byte,
                Table(Kind::Tensor),
                Table(Kind::TensorList),
                Table(Kind::Eight),
                Table(Kind::Four),
                Table(Kind::Eight),
                Table(Kind::Bool),
                Table(Kind::Bool),
            ],
            Kind::Tensor => &[Byte, Numbers(8), Numbers(8), Long],
            Kind::TensorList => &[Tables(Kind::Tensor)],
            Kind::Eight => &[Long],
            Kind::Four => &[Int],
            Kind::Bool => &[Byte],
        }
    }
}
