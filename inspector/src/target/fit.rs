//! Whether a method fits a board: each pool's need against what it has, and
//! each memory's pools against its size.

use super::profile::Target;
use crate::memory::{MethodMemory, Runner, TraceMemory};
use et_schema::ids::MemoryId;

/// Alignment of planned buffers in the runners.
const PLANNED_ALIGN: u64 = 16;

/// The largest alignment of the loader's objects.
const OBJECT_ALIGN: u64 = 8;

/// Bytes that a debug buffer aligned to 16 may lose to align its tensors to 64.
const MISALIGNED: u64 = 48;

/// Up to a multiple of what pools are aligned to in the runners, and at least one.
pub(super) fn round(bytes: u64) -> u64 {
    bytes.max(1).checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX)
}

/// Bytes that each pool must have for a method to load and run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Method allocator without planned buffers: loading, and preparing inputs.
    pub method: u64,
    /// Planned buffers.
    pub planned: Vec<(MemoryId, u64)>,
    /// Temp allocator: look-ups of operators, and scratch memory of delegates.
    pub temp: u64,
    /// The program file.
    pub program: u64,
    /// ETDump, if one is recorded; from the heap.
    pub etdump: u64,
    /// Debug buffer, if one is recorded to.
    pub debug_buffer: u64,
    /// Fast scratch memory of Ethos-U delegates; they share it.
    pub fast_scratch: u64,
    /// The method allocator's pool in ExecuTorch's own runners.
    pub runners: RunnerPools,
}

/// Bytes of the pools that ExecuTorch's runners take everything from but
/// scratch memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunnerPools {
    /// The Arm runner's method allocator.
    pub arm: u64,
    /// The Arm runner's planned buffer in fast memory, 0 for none.
    pub arm_fast: u64,
    /// The Arm runner's debug buffer, 0 for none.
    pub arm_debug: u64,
    /// The method allocator of Zephyr's sample, which copies its inputs.
    pub zephyr: u64,
}

impl RunnerPools {
    fn of(memory: &MethodMemory<'_>, debug_buffer: u64) -> Self {
        let arm_debug = match debug_buffer {
            0 => 0,
            bytes => round(bytes.saturating_add(MISALIGNED)),
        };
        RunnerPools {
            arm: Runner::Arm.method_pool(memory, arm_debug),
            arm_fast: Runner::Arm.fast_pool(memory),
            arm_debug,
            zephyr: Runner::Copying.method_pool(memory, 0),
        }
    }
}

impl Needs {
    /// Needs of a method of a program of `program` bytes.
    pub fn of(memory: &MethodMemory<'_>, program: u64) -> Self {
        let runner = memory.loading.inputs.saturating_add(memory.unplanned_inputs);
        Needs {
            method: memory.method_used().saturating_add(runner),
            planned: memory.plan.buffers.iter().map(|b| (b.memory_id, b.size)).collect(),
            temp: memory.temp_required(),
            program,
            etdump: 0,
            debug_buffer: 0,
            fast_scratch: memory.delegates.iter().map(|d| d.fast_scratch).max().unwrap_or(0),
            runners: RunnerPools::of(memory, 0),
        }
    }

    /// With what recording a trace of `memory`'s method takes.
    pub fn with_trace(self, memory: &MethodMemory<'_>, trace: &TraceMemory) -> Self {
        Needs {
            etdump: trace.etdump,
            debug_buffer: trace.debug_buffer,
            runners: RunnerPools::of(memory, trace.debug_buffer),
            ..self
        }
    }

    /// Bytes of a pool that holds the planned buffers for which `here` is true.
    fn planned_where(&self, here: impl Fn(MemoryId) -> bool) -> u64 {
        self.planned.iter().filter(|(id, _)| here(*id)).fold(0u64, |end, (_, size)| {
            let start = end.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
            start.saturating_add(*size)
        })
    }

    /// Bytes of the planned buffers that lie in the method allocator's pool on `target`.
    pub fn planned_in_method_pool(&self, target: &Target) -> u64 {
        self.planned_where(|id| target.planned(id).is_none())
    }

    /// Bytes of the method allocator's pool on `target`, with the planned
    /// buffers that it holds there.
    pub fn method_pool(&self, target: Option<&Target>) -> u64 {
        let planned = self.planned_where(|id| target.is_none_or(|t| t.planned(id).is_none()));
        method_base(planned).saturating_add(self.method)
    }
}

/// First byte of what the loader takes behind `planned` bytes of planned
/// buffers in the same pool: none of its objects is aligned to more than 8.
pub fn method_base(planned: u64) -> u64 {
    planned.checked_next_multiple_of(OBJECT_ALIGN).unwrap_or(u64::MAX)
}

/// One pool on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolFit {
    /// `method`, `planned`, `planned_N`, `temp`, `fast_scratch` or `program`.
    pub name: String,
    /// Its memory.
    pub memory: String,
    /// Bytes that it must have.
    pub needs: u64,
    /// Bytes that the firmware gives it, if that is fixed.
    pub size: Option<u64>,
}

impl PoolFit {
    /// Bytes that it takes of its memory.
    pub fn takes(&self) -> u64 {
        self.size.unwrap_or(0).max(self.needs)
    }

    /// Whether it is large enough.
    pub fn fits(&self) -> bool {
        self.size.is_none_or(|size| self.needs <= size)
    }
}

/// One memory of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryFit {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Bytes that the rest of the firmware takes.
    pub reserved: u64,
    /// Bytes that the pools in it take.
    pub takes: u64,
}

impl MemoryFit {
    /// Whether its pools fit.
    pub fn fits(&self) -> bool {
        self.missing() == 0
    }

    /// Bytes too few.
    pub fn missing(&self) -> u64 {
        self.reserved.saturating_add(self.takes).saturating_sub(self.size)
    }
}

/// A method on a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The pools.
    pub pools: Vec<PoolFit>,
    /// The memories, in the profile's order.
    pub memories: Vec<MemoryFit>,
}

impl Fit {
    /// `needs` on `target`.
    pub fn new(needs: &Needs, target: &Target) -> Self {
        let pools = pools(needs, target);
        let memories = target.memories.iter().map(|memory| MemoryFit {
            name: memory.name.clone(),
            size: memory.size,
            reserved: memory.reserved,
            takes: pools
                .iter()
                .filter(|pool| pool.memory == memory.name)
                .fold(0, |sum, pool| sum.saturating_add(pool.takes())),
        });
        Fit { memories: memories.collect(), pools }
    }

    /// Whether every pool and every memory is large enough.
    pub fn fits(&self) -> bool {
        self.pools.iter().all(PoolFit::fits) && self.memories.iter().all(MemoryFit::fits)
    }
}

fn pools(needs: &Needs, target: &Target) -> Vec<PoolFit> {
    let mut fits = Vec::new();
    let mut add = |name: String, pool: &super::Pool, needs: u64| {
        fits.push(PoolFit { name, memory: pool.memory.clone(), needs, size: pool.size });
    };
    let pools = &target.pools;
    add("method".into(), &pools.method, needs.method_pool(Some(target)));
    let by_id = |id: MemoryId| pools.planned_by_id.contains_key(&id.to_string());
    if let Some(pool) = &pools.planned {
        add("planned".into(), pool, needs.planned_where(|id| !by_id(id)));
    }
    for (id, size) in needs.planned.iter().filter(|(id, _)| by_id(*id)) {
        add(format!("planned_{id}"), &pools.planned_by_id[&id.to_string()], *size);
    }
    add("temp".into(), &pools.temp, needs.temp);
    if needs.fast_scratch > 0 {
        let beside = super::Pool { size: None, ..pools.temp.clone() };
        add(
            "fast_scratch".into(),
            pools.fast_scratch.as_ref().unwrap_or(&beside),
            needs.fast_scratch,
        );
    }
    // Neither has a setting of its own in the runners: they lie beside the pool.
    let method = super::Pool { size: None, ..pools.method.clone() };
    for (name, bytes) in [("etdump", needs.etdump), ("debug_buffer", needs.debug_buffer)] {
        if bytes > 0 {
            add(name.into(), &method, bytes);
        }
    }
    if let Some(pool) = &pools.program {
        add("program".into(), pool, needs.program);
    }
    fits
}
