//! Instructions of all chains in one row.
//!
//! ExecuTorch runs the chains of a method one after the other, so lifetimes
//! count instructions across them.

use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::Method;

/// An instruction by its place in the row of all chains.
pub type Step = u32;

/// Where each chain begins in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    starts: Vec<Step>,
    count: Step,
}

impl Steps {
    /// The row of `method`.
    pub fn new(method: &Method<'_>) -> Self {
        let (mut starts, mut count) = (Vec::with_capacity(method.chain_count()), 0u32);
        for chain in method.chains() {
            starts.push(count);
            count = count.saturating_add(chain.instruction_count() as u32);
        }
        Steps { starts, count }
    }

    /// Number of instructions.
    pub fn count(&self) -> Step {
        self.count
    }

    /// Chain and instruction at `step`; `None` past the end.
    pub fn place(&self, step: Step) -> Option<(ChainId, InstructionId)> {
        if step >= self.count {
            return None;
        }
        // Empty chains start where the next one does: the last start counts.
        let chain = self.starts.partition_point(|start| *start <= step).checked_sub(1)?;
        Some((ChainId(chain as u32), InstructionId(step - self.starts[chain])))
    }

    /// The row's number of the first instruction of chain `chain`.
    pub(super) fn start(&self, chain: usize) -> Step {
        self.starts.get(chain).copied().unwrap_or(self.count)
    }
}
