//! Greedy plans: blocks in some order, each into the smallest gap between the
//! blocks already placed that are live together with it.
//!
//! The order decides. Several are tried, and the best is improved by placing
//! first the block that does not fit below what the best plan needs.

use super::Block;
use super::conflicts::Conflicts;
use std::cmp::Reverse;

/// Times that a block is moved to the front.
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
    let mut best: Option<(u64, Vec<u64>)> = None;
    let mut latest = Vec::new();
    for order in orders {
        if work == 0 || best.as_ref().is_some_and(|best| best.0 <= bound) {
            break;
        }
        work = work.saturating_sub(cost);
        if let Ok(offsets) = in_order(blocks, conflicts, &order, best.as_ref().map(|best| best.0)) {
            best = Some((super::size(blocks, &offsets), offsets));
            latest = order;
        }
    }
    let Some((mut size, mut offsets)) = best else { return Vec::new() };
    let mut late = top(blocks, &offsets);
    for _ in 0..ROUNDS {
        if size <= bound || work < cost {
            break;
        }
        work -= cost;
        let Some(at) = latest.iter().position(|i| *i == late).filter(|at| *at > 0) else { break };
        latest[..=at].rotate_right(1);
        match in_order(blocks, conflicts, &latest, Some(size)) {
            Ok(found) => {
                size = super::size(blocks, &found);
                late = top(blocks, &found);
                offsets = found;
            }
            Err(index) => late = index,
        }
    }
    offsets
}

/// Offsets of blocks that are placed in `order`, all of them below `limit`; or
/// the first block that does not end below it.
fn in_order(
    blocks: &[Block],
    conflicts: &Conflicts,
    order: &[usize],
    limit: Option<u64>,
) -> Result<Vec<u64>, usize> {
    let mut offsets = vec![None; blocks.len()];
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for &index in order {
        taken.clear();
        taken.extend(conflicts.of(index).iter().filter_map(|other| {
            let offset: u64 = offsets[*other as usize]?;
            Some((offset, offset.saturating_add(blocks[*other as usize].size)))
        }));
        taken.sort_unstable();
        let offset = smallest_gap(&taken, blocks[index].size);
        if limit.is_some_and(|limit| offset.saturating_add(blocks[index].size) >= limit) {
            return Err(index);
        }
        offsets[index] = Some(offset);
    }
    Ok(offsets.into_iter().map(Option::unwrap_or_default).collect())
}

/// The block that ends last.
fn top(blocks: &[Block], offsets: &[u64]) -> usize {
    let ends = offsets.iter().zip(blocks).map(|(offset, block)| offset.saturating_add(block.size));
    ends.enumerate().max_by_key(|(_, end)| *end).map_or(0, |(index, _)| index)
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
