//! The temp allocator while a method executes, instruction by instruction.
//!
//! The runtime resets it after every instruction, so that the largest
//! instruction decides. Of ExecuTorch's portable, quantized and Cortex-M
//! kernels only `topk` takes memory from it (`kernels/portable/cpu/op_topk.cpp`:
//! one pair of value and index for each element along the dimension); of the
//! delegates Ethos-U takes its scratch memory, aligned to 16.

use super::DelegateMemory;
use et_schema::ids::{ChainId, InstructionId, OperatorId, ValueId};
use et_schema::pte::{Dynamism, Instruction, Method, Value};

/// What one instruction takes from the temp allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TempUse {
    /// The instruction.
    pub at: (ChainId, InstructionId),
    /// Bytes.
    pub bytes: u64,
    /// What for.
    pub what: &'static str,
    /// Whether it may be less, because shapes are dynamic.
    pub is_bound: bool,
}

/// Every instruction of `method` that takes memory from the temp allocator.
pub(super) fn uses(method: &Method<'_>, delegates: &[DelegateMemory]) -> Vec<TempUse> {
    let mut uses = Vec::new();
    for (chain_index, chain) in method.chains().enumerate() {
        for (index, instruction) in chain.instructions().enumerate() {
            let at = (ChainId(chain_index as u32), InstructionId(index as u32));
            let (bytes, is_bound, what) = match instruction {
                Instruction::KernelCall { operator, args } => {
                    let (bytes, is_bound) =
                        kernel(method, operator, args.ids()).unwrap_or_default();
                    (bytes, is_bound, "topk sorts pairs of value and index")
                }
                Instruction::DelegateCall { delegate, .. } => {
                    let scratch = delegates.get(delegate.index()).and_then(|d| d.scratch);
                    (scratch.unwrap_or(0), false, "scratch memory of the delegate")
                }
                _ => continue,
            };
            if bytes > 0 {
                uses.push(TempUse { at, bytes, what, is_bound });
            }
        }
    }
    uses
}

/// `topk(input, k, dim, …)`: the pairs of one line, and whether shapes are dynamic.
fn kernel(
    method: &Method<'_>,
    operator: OperatorId,
    args: impl Iterator<Item = ValueId>,
) -> Option<(u64, bool)> {
    method.operator(operator).ok().filter(|operator| operator.name == "aten::topk")?;
    let args: Vec<ValueId> = args.take(3).collect();
    let &[input, _, dim] = args.as_slice() else { return None };
    let (Ok(Value::Tensor(input)), Ok(Value::Int(dim))) = (method.value(input), method.value(dim))
    else {
        return None;
    };
    let sizes = input.sizes();
    let rank = sizes.len() as i64;
    let dim = usize::try_from(if dim < 0 { dim.saturating_add(rank) } else { dim }).ok()?;
    let length = match sizes.len() {
        // A tensor without dimensions is one line of one element.
        0 => 1,
        rank => u64::try_from(sizes.get((dim < rank).then_some(dim)?)).ok()?,
    };
    let element = input.scalar_type().ok()?.size() as u64;
    let pair = 2 * element.max(size_of::<i64>() as u64);
    Some((length.saturating_mul(pair), input.dynamism() != Dynamism::Static))
}
