//! Our own memory planners: what a better plan would need.
//!
//! ```text
//! conflicts.rs  which blocks are live together
//! greedy.rs     blocks in some order, each into the smallest gap that holds it
//! best_fit.rs   blocks in order of time, for programs of any size
//! search.rs     every order worth trying, for small programs
//! ```
//!
//! Offsets are multiples of 16 bytes, as ExecuTorch's planners make them.

mod best_fit;
mod conflicts;
mod greedy;
mod search;

use super::plan::{Plan, Step, Storage};
use conflicts::Conflicts;
use et_schema::ids::MemoryId;

/// Alignment of planned tensors.
pub const ALIGN: u64 = 16;

/// Pairs of blocks that are live together, above which only the planner whose
/// time does not depend on them is asked.
const MAX_CONFLICTS: usize = 2_000_000;

/// Blocks above which the same holds: a plan must not take seconds.
const MAX_GREEDY_BLOCKS: usize = 200_000;

/// Work of all greedy plans together, in visited pairs.
const GREEDY_WORK: usize = 3_000_000;

/// Something to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Bytes, a multiple of [`ALIGN`].
    pub size: u64,
    /// First step at which it is live.
    pub first: Step,
    /// Last step at which it is live.
    pub last: Step,
}

impl Block {
    /// A block of `bytes`, rounded up.
    pub fn new(bytes: u64, first: Step, last: Step) -> Self {
        Block { size: aligned(bytes), first, last }
    }
}

/// Who made a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planner {
    /// Blocks by size into the smallest gap.
    Greedy,
    /// Blocks by time into the smallest gap.
    BestFit,
    /// A search of all orders.
    Search,
}

impl Planner {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Planner::Greedy => "greedy",
            Planner::BestFit => "best fit",
            Planner::Search => "branch and bound",
        }
    }
}

/// A plan of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Bytes of the buffer.
    pub size: u64,
    /// Offset of each block.
    pub offsets: Vec<u64>,
    /// Who made it.
    pub planner: Planner,
    /// The largest sum of live bytes with each block rounded up to 16.
    pub bound: u64,
    /// Whether it is known that no plan needs less.
    pub is_optimal: bool,
}

/// The best plan that we know for `blocks`.
pub fn place(blocks: &[Block]) -> Placement {
    let bound = bound(blocks);
    let offsets = best_fit::place(blocks);
    let mut best = Placement {
        size: size(blocks, &offsets),
        offsets,
        planner: Planner::BestFit,
        bound,
        is_optimal: false,
    };
    if best.size > bound
        && blocks.len() <= MAX_GREEDY_BLOCKS
        && let Some(conflicts) = Conflicts::new(blocks, MAX_CONFLICTS)
    {
        let offsets = greedy::place(blocks, &conflicts, bound, GREEDY_WORK);
        best.improve(blocks, offsets, Planner::Greedy);
        if best.size > bound && blocks.len() <= search::MAX_BLOCKS {
            let (found, complete) = search::place(blocks, &conflicts, bound, best.size);
            if let Some(offsets) = found {
                best.improve(blocks, offsets, Planner::Search);
            }
            best.is_optimal = complete;
        }
    }
    best.is_optimal |= best.size == bound;
    best
}

impl Placement {
    fn improve(&mut self, blocks: &[Block], offsets: Vec<u64>, planner: Planner) {
        let size = size(blocks, &offsets);
        if size < self.size {
            *self = Placement { size, offsets, planner, ..self.clone() };
        }
    }
}

/// The blocks of planned buffer `id`, or of all of them.
pub fn blocks(plan: &Plan, id: Option<MemoryId>) -> Vec<Block> {
    let here = |storage: &&Storage| id.is_none_or(|id| storage.memory_id == id);
    plan.storages.iter().filter(here).filter_map(block).collect()
}

/// The block of a storage; `None` if nothing uses it.
pub fn block(storage: &Storage) -> Option<Block> {
    let live = storage.first().zip(storage.last()).filter(|_| storage.bytes > 0)?;
    Some(Block::new(storage.bytes, live.0, live.1))
}

/// The largest sum of live bytes.
pub fn bound(blocks: &[Block]) -> u64 {
    let mut deltas: Vec<(Step, i128)> = Vec::with_capacity(blocks.len() * 2);
    for block in blocks {
        deltas.push((block.first, i128::from(block.size)));
        deltas.push((block.last.saturating_add(1), -i128::from(block.size)));
    }
    deltas.sort_unstable();
    let mut sum = 0i128;
    let most = deltas.into_iter().map(|(_, delta)| {
        sum += delta;
        sum
    });
    u64::try_from(most.max().unwrap_or(0)).unwrap_or(u64::MAX)
}

fn size(blocks: &[Block], offsets: &[u64]) -> u64 {
    let ends = blocks.iter().zip(offsets).map(|(b, offset)| offset.saturating_add(b.size));
    ends.max().unwrap_or(0)
}

fn aligned(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(ALIGN).unwrap_or(u64::MAX - (ALIGN - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reproducible mix of short and long lives.
    fn mixture(count: u32, seed: u64) -> Vec<Block> {
        let mut state = seed;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        (0..count)
            .map(|i| {
                let long = next(8) == 0;
                let length = next(if long { 50 } else { 4 }) as u32;
                Block::new(next(4096) + 1, i, i + length)
            })
            .collect()
    }

    fn check(blocks: &[Block], placement: &Placement) {
        assert_eq!(placement.size, size(blocks, &placement.offsets));
        assert!(placement.bound <= placement.size);
        for (i, a) in blocks.iter().enumerate() {
            assert_eq!(placement.offsets[i] % ALIGN, 0);
            for (j, b) in blocks.iter().enumerate().skip(i + 1) {
                let (x, y) = (placement.offsets[i], placement.offsets[j]);
                let apart = x + a.size <= y || y + b.size <= x;
                let together = a.first <= b.last && b.first <= a.last;
                assert!(!together || apart, "blocks {i} and {j} share bytes");
            }
        }
    }

    #[test]
    fn no_plan_has_live_blocks_in_the_same_bytes() {
        for seed in 0..40 {
            let blocks = mixture(10 + seed as u32 * 5, seed);
            check(&blocks, &place(&blocks));
        }
    }

    #[test]
    fn small_programs_get_the_best_plan_there_is() {
        // Found by trying all orders: greedy by size needs 112.
        let blocks = [(32, 0, 1), (48, 1, 2), (32, 2, 3), (16, 0, 3), (48, 3, 4)];
        let blocks: Vec<Block> =
            blocks.iter().map(|(size, first, last)| Block::new(*size, *first, *last)).collect();
        let placement = place(&blocks);
        check(&blocks, &placement);
        assert!(placement.is_optimal);
        assert_eq!(placement.size, bound(&blocks));
    }

    #[test]
    fn a_hundred_thousand_blocks_take_no_quadratic_time() {
        let start = std::time::Instant::now();
        let blocks = mixture(100_000, 7);
        let placement = place(&blocks);
        assert_eq!(placement.offsets.len(), blocks.len());
        let all_alive: Vec<Block> = (0..100_000).map(|i| Block::new(16, i, 200_000)).collect();
        assert_eq!(place(&all_alive).size, 1_600_000);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
