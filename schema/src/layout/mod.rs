//! How much memory ExecuTorch's C++ runtime takes when it loads a method.
//!
//! The runtime's objects have sizes that depend on the target's ABI ([`Abi`]),
//! and its loader allocates them in a fixed order ([`method_allocations`]), so
//! the use of the method allocator follows from the program alone. Checked
//! against the real runtime allocation by allocation on x86-64 and 32-bit Arm.

mod abi;
mod method;

pub use abi::{Abi, Object};
pub use method::{LoadSettings, MethodAllocation, Pool, Step, look_up_bytes, method_allocations};
