//! What ExecuTorch's runners for bare metal take from the method allocator's
//! pool, in their order. Besides what the loader takes, each has its own ways
//! with planned buffers and inputs:
//!
//! | | planned buffers | inputs |
//! | --- | --- | --- |
//! | [`Runner::Arm`] | aligned to 16; memory id 3 from a pool of fast memory | an `EValue` each |
//! | [`Runner::Copying`] | aligned to a pointer | a pointer each, and a copy of each tensor |
//!
//! The first is `examples/arm/executor_runner/arm_executor_runner.cpp` of today,
//! the second `zephyr/samples/hello-executorch/src/arm_executor_runner.cpp` and
//! the Arm runner up to 2025.

use super::MethodMemory;
use et_schema::ids::MemoryId;
use et_schema::layout::{Abi, Object};
use et_schema::pte::Value;

/// Alignment of planned buffers and debug buffer in the Arm runner.
const ARM_ALIGN: u64 = 16;

/// Memory id of the planned buffer that the Arm runner has in fast memory.
pub const FAST_MEMORY: MemoryId = MemoryId(3);

/// A runner's way to use its method allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The Arm runner of today.
    Arm,
    /// Zephyr's sample, and the Arm runner up to 2025.
    Copying,
}

/// A bump allocator's first free byte.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor(u64);

impl Cursor {
    fn take(&mut self, size: u64, align: u64) {
        let start = self.0.checked_next_multiple_of(align.max(1)).unwrap_or(u64::MAX);
        self.0 = start.saturating_add(size);
    }
}

impl Runner {
    /// Bytes of the method allocator's pool with which the runner runs
    /// `memory`'s method, and not with one less. A debug buffer of `debug`
    /// bytes lies between planned buffers and what the loader takes.
    pub fn method_pool(self, memory: &MethodMemory<'_>, debug: u64) -> u64 {
        let mut cursor = Cursor::default();
        for buffer in &memory.plan.buffers {
            match self {
                Runner::Arm if buffer.memory_id == FAST_MEMORY || buffer.size == 0 => {}
                Runner::Arm => cursor.take(buffer.size, ARM_ALIGN),
                Runner::Copying => cursor.take(buffer.size, pointer(memory.abi)),
            }
        }
        if debug > 0 {
            cursor.take(debug, ARM_ALIGN);
        }
        for allocation in &memory.loading.method {
            cursor.take(allocation.request.size, allocation.request.align.into());
        }
        for delegate in memory.delegates.iter().filter(|d| d.method_bytes > 0) {
            cursor.take(delegate.method_bytes, pointer(memory.abi));
        }
        for (size, align) in self.inputs(memory) {
            cursor.take(size, align);
        }
        cursor.0
    }

    /// Bytes of the pool of fast memory that the runner needs, 0 for none.
    pub fn fast_pool(self, memory: &MethodMemory<'_>) -> u64 {
        let fast = memory.plan.buffers.iter().find(|buffer| buffer.memory_id == FAST_MEMORY);
        match self {
            Runner::Arm => fast.map_or(0, |buffer| buffer.size),
            Runner::Copying => 0,
        }
    }

    /// Size and alignment of what preparing the inputs takes.
    pub fn inputs(self, memory: &MethodMemory<'_>) -> Vec<(u64, u64)> {
        let count = memory.method.inputs().len() as u64;
        match self {
            Runner::Arm => {
                let (size, align) = Object::EValue.size_align(memory.abi);
                vec![(count.saturating_mul(size.into()), align.into())]
            }
            Runner::Copying => {
                let align = pointer(memory.abi);
                let pointers = (count.saturating_mul(align), align);
                let copies =
                    memory.method.inputs().filter_map(|id| match memory.method.value(id) {
                        Ok(Value::Tensor(tensor)) => Some((tensor.nbytes().unwrap_or(0), align)),
                        _ => None,
                    });
                std::iter::once(pointers).chain(copies).collect()
            }
        }
    }
}

/// Size and alignment of a pointer, the default alignment of allocators.
fn pointer(abi: Abi) -> u64 {
    Object::EValuePointer.size_align(abi).0.into()
}
