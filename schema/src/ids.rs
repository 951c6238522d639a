//! Index types of a program. Each counts one kind of thing, so that an
//! instruction index can never be used where a value index is meant.

use core::fmt;

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a `usize`, to index with.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index_type! {
    /// Index of an EValue in `ExecutionPlan.values`.
    ValueId
}
index_type! {
    /// Index of a chain in `ExecutionPlan.chains`; ETDump's `chain_index`.
    ChainId
}
index_type! {
    /// Index of an instruction in its chain; ETDump's `instruction_id`.
    InstructionId
}
index_type! {
    /// Index of an operator in `ExecutionPlan.operators`.
    OperatorId
}
index_type! {
    /// Index of a delegate in `ExecutionPlan.delegates`.
    DelegateId
}
index_type! {
    /// Memory id of a planned buffer. Counts from 1: 0 is reserved and means constant data.
    MemoryId
}
