//! The pools that a run is given: those of a target, or of the command line.

use super::RunArgs;
use crate::failure::Failure;
use et_inspector::findings::{Finding, does_not_fit};
use et_inspector::memory::MethodMemory;
use et_inspector::target::{Fit, Needs, PoolFit, Target, method_base};
use et_runtime::{Error, PoolLimits, PoolUsage};
use et_schema::ErrorCode;
use et_schema::layout::Abi;
use et_schema::pte::File;

/// ABI and limits of a run.
pub struct Board {
    /// Object sizes.
    pub abi: Abi,
    /// Enforced limits.
    pub limits: PoolLimits,
    /// Bytes of the method allocator that the board's runner takes for the
    /// inputs once the method is loaded.
    pub inputs: u64,
    /// What does not fit the target.
    pub findings: Vec<Finding>,
}

impl Board {
    /// The board that `args` ask for; options of single pools outdo a target's.
    ///
    /// # Errors
    /// An unknown target, or a mistake in its file.
    pub fn new(args: &RunArgs, file: &File<'_>, method: &str) -> Result<Self, Failure> {
        let mut board = match &args.target {
            Some(name) => Self::of(&crate::target::open(name)?, file, method),
            None => Board {
                abi: args.abi.map_or(Abi::X86_64, Abi::from),
                limits: PoolLimits::default(),
                inputs: 0,
                findings: Vec::new(),
            },
        };
        let limits = &mut board.limits;
        if args.method_pool.is_some() {
            // The pool of the loader alone.
            board.inputs = 0;
        }
        limits.method = args.method_pool.or(limits.method);
        limits.planned = args.planned_pool.or(limits.planned);
        limits.temp = args.temp_pool.or(limits.temp);
        Ok(board)
    }

    /// Takes the inputs out of the method allocator, as the board's runner
    /// does between loading and executing.
    ///
    /// # Errors
    /// `MemoryAllocationFailed` if what loading left is too little.
    pub fn prepare_inputs(&self, pools: &[PoolUsage]) -> Result<(), Error> {
        let method = pools.iter().find(|pool| pool.name == "method");
        let available = method.and_then(|pool| Some(pool.limit?.saturating_sub(pool.used)));
        match available.filter(|available| *available < self.inputs) {
            None => Ok(()),
            Some(available) => Err(Error::new(
                ErrorCode::MemoryAllocationFailed,
                format!(
                    "Memory allocation failed: {}B requested (adjusted for alignment), \
                     {available}B available for preparing the inputs",
                    self.inputs
                ),
            )),
        }
    }

    fn of(target: &Target, file: &File<'_>, method: &str) -> Self {
        let method = file.method(method).map(|m| MethodMemory::new(file, m, target.abi));
        // A program that cannot be read that far is the loader's to report.
        let Some(Ok(memory)) = method else {
            let (limits, findings) = (PoolLimits::default(), Vec::new());
            return Board { abi: target.abi, limits, inputs: 0, findings };
        };
        let needs = Needs::of(&memory, file.bytes().len() as u64);
        let fit = Fit::new(&needs, target);
        let of = |wanted: &dyn Fn(&str) -> bool| {
            let pools = fit.pools.iter().filter(|pool| wanted(&pool.name));
            pools.map(|pool| limit(&fit, pool)).reduce(u64::saturating_add)
        };
        let method = of(&|name| name == "method").unwrap_or(0);
        let planned = of(&|name| name.starts_with("planned"));
        let shared = needs.planned_in_method_pool(target);
        let limits = PoolLimits {
            method: Some(method.saturating_sub(method_base(shared))),
            planned: Some(match planned {
                Some(planned) if shared == 0 => planned,
                Some(planned) => planned.saturating_add(method),
                None => method,
            }),
            temp: of(&|name| name == "temp"),
        };
        let inputs = memory.loading.inputs.saturating_add(memory.unplanned_inputs);
        Board { abi: target.abi, limits, inputs, findings: does_not_fit(target, &fit) }
    }
}

/// Bytes that a pool has: what the firmware gives it, or what the other pools
/// leave of its memory.
fn limit(fit: &Fit, pool: &PoolFit) -> u64 {
    let memory = fit.memories.iter().find(|memory| memory.name == pool.memory);
    let available = memory.map_or(0, |memory| {
        let others = memory.takes.saturating_sub(pool.takes());
        memory.size.saturating_sub(memory.reserved).saturating_sub(others)
    });
    pool.size.unwrap_or(available)
}
