//! Greedy plans: blocks in some order, each into the smallest gap between the
//! blocks already placed that are live together with it.
//!
//! The order decides. Several are tried, and the best is improved by placing
//! the block that tops the plan earlier.

use super::Block;
use super::conflicts::Conflicts;
use std::cmp::Reverse;

/// Times that the block on top is moved to the front.
const ROUNDS: usize = 200;

/// The best plan found with about `work` visited pairs; stops at `bound`.
pub(super) fn place(
    blocks: &[Block],
    conflicts: &Conflicts,
    bound: u64,
    mut work: usize,
) -> Vec<u64> {
    let length = |i: usize| u64::from(blocks[i].last - blocks[i].first) + 1;
    let by = |key: &dyn Fn(usize) -> u128| {
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        order.sort_by_key(|i| (Reverse(key(*i)), blocks[*i].first));
        order
    };
    let orders = [
        by(&|i| blocks[i].size.into()),
        by(&|i| u128::from(blocks[i].size) * u128::from(length(i))),
        by(&|i| length(i).into()),
    ];
    let cost: usize = 1 + (0..blocks.len()).map(|i| conflicts.of(i).len()).sum::<usize>();
    let mut best: Option<(u64, Vec<u64>, Vec<usize>)> = None;
    for order in orders {
        let offsets = in_order(blocks, conflicts, &order);
        let size = super::size(blocks, &offsets);
        work = work.saturating_sub(cost);
        if best.as_ref().is_none_or(|best| size < best.0) {
            best = Some((size, offsets, order));
        }
        if work == 0 || size <= bound {
            break;
        }
    }
    let Some((mut size, mut offsets, mut order)) = best else { return Vec::new() };
    let mut current = offsets.clone();
    for _ in 0..ROUNDS {
        if size <= bound || work < cost {
            break;
        }
        work -= cost;
        let ends = current.iter().zip(blocks).map(|(offset, b)| offset.saturating_add(b.size));
        let Some(top) = ends.enumerate().max_by_key(|(_, end)| *end).map(|(i, _)| i) else { break };
        let Some(at) = order.iter().position(|i| *i == top).filter(|at| *at > 0) else { break };
        order[..=at].rotate_right(1);
        current = in_order(blocks, conflicts, &order);
        let found = super::size(blocks, &current);
        if found < size {
            size = found;
            offsets.clone_from(&current);
        }
    }
    offsets
}

fn in_order(blocks: &[Block], conflicts: &Conflicts, order: &[usize]) -> Vec<u64> {
    let mut offsets = vec![None; blocks.len()];
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for &index in order {
        taken.clear();
        taken.extend(conflicts.of(index).iter().filter_map(|other| {
            let offset: u64 = offsets[*other as usize]?;
            Some((offset, offset.saturating_add(blocks[*other as usize].size)))
        }));
        taken.sort_unstable();
        offsets[index] = Some(smallest_gap(&taken, blocks[index].size));
    }
    offsets.into_iter().map(Option::unwrap_or_default).collect()
}

/// Start of the smallest gap of at least `size` bytes, or the end of all.
fn smallest_gap(taken: &[(u64, u64)], size: u64) -> u64 {
    let (mut end, mut best) = (0, None::<(u64, u64)>);
    for &(start, stop) in taken {
        let gap = start.saturating_sub(end);
        if gap >= size && best.is_none_or(|(smallest, _)| gap < smallest) {
            best = Some((gap, end));
        }
        end = end.max(stop);
    }
    best.map_or(end, |(_, start)| start)
}
