//! One planned buffer over two memories, such as SRAM and DTCM: which tensors
//! to move so that the larger part becomes as small as possible.

use super::layout::Layout;
use super::{Change, Suggestion};
use crate::memory::plan::Plan;
use crate::memory::planner::{Block, bound, place};

/// Tensors that are moved one after the other.
const MAX_MOVES: usize = 64;

/// Buffers of less than a few KiB are not worth a second memory.
const MIN_BYTES: u64 = 4096;

/// Programs with more tensors are not divided.
const MAX_BLOCKS: usize = 20_000;

pub(super) fn suggest(plan: &Plan, layout: &Layout) -> Option<Suggestion> {
    let buffer = plan.buffers.iter().max_by_key(|b| b.size).filter(|_| plan.buffers.len() == 1)?;
    let here = |index: &usize| layout.blocks[*index].is_some();
    let mut stay: Vec<usize> = (0..layout.blocks.len()).filter(here).collect();
    if stay.len() > MAX_BLOCKS || buffer.size < MIN_BYTES {
        return None;
    }
    let blocks = |of: &[usize]| -> Vec<Block> {
        of.iter().filter_map(|i| Some(layout.blocks[*i].as_ref()?.1.clone())).collect()
    };
    let mut moved: Vec<usize> = Vec::new();
    let mut larger = bound(&blocks(&stay));
    for _ in 0..MAX_MOVES {
        let staying = blocks(&stay);
        let peak = peak(&staying);
        // The largest at the peak whose move makes the larger part smaller.
        let mut live: Vec<usize> = (0..stay.len())
            .filter(|i| staying[*i].first <= peak && peak <= staying[*i].last)
            .collect();
        live.sort_by_key(|i| std::cmp::Reverse(staying[*i].size));
        let better = live.into_iter().take(8).find_map(|i| {
            let mut other = blocks(&moved);
            other.push(staying[i].clone());
            let mut rest = staying.clone();
            rest.swap_remove(i);
            let size = bound(&other).max(bound(&rest));
            (size <= larger && bound(&other) < larger).then_some((i, size))
        });
        let Some((index, size)) = better else { break };
        larger = size;
        moved.push(stay.swap_remove(index));
    }
    if moved.is_empty() {
        return None;
    }
    let (first, second) = (place(&blocks(&stay)).size, place(&blocks(&moved)).size);
    moved.sort_by_key(|index| std::cmp::Reverse(plan.storages[*index].bytes));
    Some(Suggestion {
        change: Change::Split,
        title: format!(
            "divide planned buffer {} between two memories: {first} and {second} bytes, {} in the \
             second",
            buffer.memory_id,
            match moved.len() {
                1 => "1 tensor".to_owned(),
                count => format!("{count} tensors"),
            }
        ),
        planned: first.max(second),
        saves: 0,
        parts: vec![first, second],
        values: moved.iter().map(|index| plan.storages[*index].values[0]).collect(),
        steps: moved
            .iter()
            .filter_map(|index| plan.storages[*index].written.or(plan.storages[*index].first()))
            .collect(),
    })
}

/// The first step with the most live bytes.
fn peak(blocks: &[Block]) -> u32 {
    let mut deltas: Vec<(u32, i128)> = Vec::with_capacity(blocks.len() * 2);
    for block in blocks {
        deltas.push((block.first, i128::from(block.size)));
        deltas.push((block.last.saturating_add(1), -i128::from(block.size)));
    }
    deltas.sort_unstable();
    let (mut sum, mut best) = (0, (0, 0));
    for (step, delta) in deltas {
        sum += delta;
        if sum > best.1 {
            best = (step, sum);
        }
    }
    best.0
}
