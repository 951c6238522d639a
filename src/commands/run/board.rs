//! The pools that a run is given: those of a target, or of the command line.

use super::RunArgs;
use crate::failure::Failure;
use et_inspector::findings::{Finding, does_not_fit};
use et_inspector::memory::MethodMemory;
use et_inspector::target::{Fit, Needs, PoolFit, Target};
use et_runtime::PoolLimits;
use et_schema::layout::Abi;
use et_schema::pte::File;

/// Alignment of planned buffers in the runners.
const PLANNED_ALIGN: u64 = 16;

/// ABI and limits of a run.
pub struct Board {
    /// Object sizes.
    pub abi: Abi,
    /// Enforced limits.
    pub limits: PoolLimits,
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
                findings: Vec::new(),
            },
        };
        let limits = &mut board.limits;
        limits.method = args.method_pool.or(limits.method);
        limits.planned = args.planned_pool.or(limits.planned);
        limits.temp = args.temp_pool.or(limits.temp);
        Ok(board)
    }

    fn of(target: &Target, file: &File<'_>, method: &str) -> Self {
        let method = file.method(method).map(|m| MethodMemory::new(file, m, target.abi));
        // A program that cannot be read that far is the loader's to report.
        let Some(Ok(memory)) = method else {
            let (limits, findings) = (PoolLimits::default(), Vec::new());
            return Board { abi: target.abi, limits, findings };
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
        let buffers = shared.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
        let limits = PoolLimits {
            method: Some(method.saturating_sub(buffers)),
            planned: Some(match planned {
                Some(planned) if shared == 0 => planned,
                Some(planned) => planned.saturating_add(method),
                None => method,
            }),
            temp: of(&|name| name == "temp"),
        };
        Board { abi: target.abi, limits, findings: does_not_fit(target, &fit) }
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
