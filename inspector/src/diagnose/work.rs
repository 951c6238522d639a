//! How much an instruction computes, to tell slow from hung.

use super::in_flight::{Argument, InFlight};
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::Method;

/// Multiply-accumulates of all instructions of `method`, each run once;
/// operators without any count one per element of their largest tensor.
pub fn multiply_accumulates(method: &Method<'_>) -> u64 {
    let mut sum = 0u64;
    for (chain, instructions) in method.chains().enumerate() {
        for instruction in 0..instructions.instruction_count() {
            let place = (ChainId(chain as u32), InstructionId(instruction as u32));
            sum = sum.saturating_add(of(&InFlight::at(method, place, false)));
        }
    }
    sum
}

/// Multiply-accumulates of the instruction at a place.
pub(super) fn multiply_accumulates_of(method: &Method<'_>, place: (ChainId, InstructionId)) -> u64 {
    of(&InFlight::at(method, place, false))
}

/// Multiplications and additions of the instruction at a place; of other
/// operators than convolutions and products one per element of the largest tensor.
pub fn operations(method: &Method<'_>, place: (ChainId, InstructionId)) -> u64 {
    let instruction = InFlight::at(method, place, false);
    let count = of(&instruction);
    let operator = instruction.operator.as_str();
    let products = ["conv", "linear", "mm"].iter().any(|name| operator.contains(name));
    if products { count.saturating_mul(2) } else { count }
}

/// Multiply-accumulates of one instruction.
fn of(instruction: &InFlight) -> u64 {
    let operator = instruction.operator.as_str();
    let tensors = &instruction.tensors;
    let numel = |t: &Argument| t.sizes.iter().fold(1u64, |n, s| n.saturating_mul(extent(*s)));
    // The first name that there is: `self` of an addmm is its bias.
    let named =
        |names: &[&str]| names.iter().find_map(|name| tensors.iter().find(|t| t.name == *name));
    let largest = tensors.iter().map(numel).max().unwrap_or(0);
    let out = tensors.iter().filter(|t| t.output == Some(true)).map(numel).max().unwrap_or(0);
    let inner = if operator.contains("conv") {
        // Of each output element: input channels of its group × kernel.
        named(&["weight", "weights"])
            .map(|w| numel(w) / extent(*w.sizes.first().unwrap_or(&1)).max(1))
    } else if operator.contains("linear") || operator.contains("mm") {
        let rows = named(&["mat1", "batch1", "input", "in", "self"]);
        rows.and_then(|t| t.sizes.last()).map(|k| extent(*k))
    } else {
        None
    };
    inner.map_or(largest, |inner| out.saturating_mul(inner).max(largest))
}

fn extent(size: i32) -> u64 {
    u64::try_from(size).unwrap_or(0)
}
