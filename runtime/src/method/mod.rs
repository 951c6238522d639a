//! A loaded method: what its instructions work on, and how they run.

mod call;
mod constants;
mod execute;
#[cfg(feature = "std")]
mod fusion;
mod instruction;
mod io;
mod load;
mod operands;
mod planned;
mod prepared;
mod values;

use crate::delegate::Delegate;
use crate::guard::{Guard, Violation};
use crate::kernels::{Kernel, Means, Rounding};
use crate::memory::{Arena, Pool, PoolLimits, PoolUsage};
use crate::value::Values;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::layout::Abi;
use etdump::{AllocationRecord, AllocatorIndex, AllocatorInfo, Tracer};
pub(crate) use instruction::Instruction;
pub(crate) use io::copy_to_memory_order;
pub use io::{Input, OutputRef};
pub use load::missing_operators;
use smallvec::SmallVec;

/// How to load a method.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// ABI whose object sizes the pools count.
    pub abi: Abi,
    /// Limits of the pools.
    pub limits: PoolLimits,
    /// Threads that kernels may use, at least 1.
    pub threads: usize,
    /// How float32 kernels round.
    pub rounding: Rounding,
    /// Instructions after which an execution is taken for an endless loop.
    pub max_instructions: u64,
    /// What random operators draw from: the same seed, the same numbers.
    pub seed: u64,
    /// Delegates are not run: their outputs are zeros.
    pub stub_delegates: bool,
    /// Kernels of the caller's own, by operator. They come before ours, for
    /// operators whose signature is known.
    pub kernels: &'static [(&'static str, Kernel)],
}

/// The C++ runtime's guard against programs that never end (`ET_MAX_INSTRUCTIONS`).
const MAX_INSTRUCTIONS: u64 = 10_000_000;

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            abi: Abi::X86_64,
            limits: PoolLimits::default(),
            threads: 1,
            rounding: Rounding::Twice,
            max_instructions: MAX_INSTRUCTIONS,
            seed: 0,
            stub_delegates: false,
            kernels: &[],
        }
    }
}

/// An operator that this runtime has no kernel for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingOperator {
    /// Name with overload, such as `aten::add.out`.
    pub name: String,
    /// The first instruction that calls it.
    pub first: (ChainId, InstructionId),
    /// How many instructions call it.
    pub count: usize,
}

/// A method, loaded and ready to run.
pub struct Method<'p> {
    name: &'p str,
    values: Values<'p>,
    inputs: Vec<ValueId>,
    outputs: Vec<ValueId>,
    chains: Vec<Vec<instruction::Instruction>>,
    delegates: Vec<Delegate>,
    arenas: Vec<Arena>,
    pools: Pools,
    means: Means,
    max_instructions: u64,
    seed: Cell<u64>,
    workspace: operands::Workspace,
    guard: Option<Guard>,
}

/// The allocators of a method, in the order in which traces list them.
pub(crate) struct Pools {
    method: Pool,
    planned: Vec<Pool>,
    temp: Pool,
}

impl Pools {
    fn method_index(&self) -> AllocatorIndex {
        AllocatorIndex(0)
    }

    fn planned_index(&self, buffer: usize) -> AllocatorIndex {
        AllocatorIndex(1 + buffer as u32)
    }

    fn temp_index(&self) -> AllocatorIndex {
        AllocatorIndex(1 + self.planned.len() as u32)
    }

    fn iter(&self) -> impl Iterator<Item = &Pool> {
        core::iter::once(&self.method).chain(&self.planned).chain(core::iter::once(&self.temp))
    }

    fn begin_run(&self, name: &str, tracer: &mut dyn Tracer) {
        let infos: SmallVec<[AllocatorInfo<'_>; 8]> = self
            .iter()
            .map(|pool| AllocatorInfo {
                name: pool.name(),
                capacity: pool.limit().unwrap_or(u64::MAX),
            })
            .collect();
        tracer.begin_run(name, &infos);
    }

    /// Takes `size` bytes from the temp allocator on behalf of a kernel.
    fn allocate_temp(&mut self, size: u64, align: u32, tracer: &mut dyn Tracer) -> bool {
        let allocator = self.temp_index();
        let Ok(offset) = self.temp.allocate(size, align) else { return false };
        tracer.allocation(AllocationRecord { allocator, size, offset });
        true
    }
}

impl<'p> Method<'p> {
    /// Name.
    pub fn name(&self) -> &'p str {
        self.name
    }

    /// Checks what instructions do to memory from now on. That takes time.
    pub fn guard(&mut self) {
        let planned = self.pools.planned.len();
        self.guard =
            Some(Guard::new(&self.chains, &self.values, (&self.inputs, &self.outputs), planned));
    }

    /// What the guard has found.
    pub fn violations(&self) -> &[Violation] {
        self.guard.as_ref().map(Guard::violations).unwrap_or_default()
    }

    /// What each allocator gave out: `method`, `planned_1` …, `temp`.
    pub fn pool_usage(&self) -> Vec<PoolUsage> {
        self.pools.iter().map(Pool::usage).collect()
    }
}
