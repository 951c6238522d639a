//! Memory of a method: pools that count like the C++ runtime's allocators,
//! and the planned arenas with the bytes of tensors.

mod arena;
mod pool;
mod views;

pub(crate) use arena::Arena;
pub(crate) use pool::Pool;
pub use pool::{PoolLimits, PoolUsage};
pub(crate) use views::{Around, Region, Spare, ViewError, Views, emptied, views};
