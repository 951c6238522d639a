//! Branch and bound: blocks from the lowest offset upwards, in every order
//! that can matter. Complete for small programs.

use super::Block;
use super::conflicts::Conflicts;

/// Programs with more blocks are not searched.
pub(super) const MAX_BLOCKS: usize = 24;

/// Placements that are tried before the search gives up.
const MAX_NODES: usize = 200_000;

struct Search<'a> {
    blocks: &'a [Block],
    conflicts: &'a Conflicts,
    bound: u64,
    best: u64,
    found: Option<Vec<u64>>,
    offsets: Vec<Option<u64>>,
    nodes: usize,
}

/// A plan below `best` bytes, and whether the search was complete.
pub(super) fn place(
    blocks: &[Block],
    conflicts: &Conflicts,
    bound: u64,
    best: u64,
) -> (Option<Vec<u64>>, bool) {
    let offsets = vec![None; blocks.len()];
    let mut search = Search { blocks, conflicts, bound, best, found: None, offsets, nodes: 0 };
    search.descend(0, blocks.len());
    (search.found, search.nodes < MAX_NODES)
}

impl Search<'_> {
    /// Places one more of the `left` blocks, none below `floor`: in some best
    /// plan every block rests on the ground or on another that it meets.
    fn descend(&mut self, floor: u64, left: usize) {
        if left == 0 {
            let ends = self.offsets.iter().zip(self.blocks);
            let size = ends.map(|(o, b)| o.unwrap_or(0).saturating_add(b.size)).max();
            self.best = size.unwrap_or(0);
            self.found = Some(self.offsets.iter().map(|o| o.unwrap_or(0)).collect());
            return;
        }
        let mut choices: Vec<(u64, usize)> = Vec::with_capacity(left);
        for index in (0..self.blocks.len()).filter(|i| self.offsets[*i].is_none()) {
            let rest = self.rest(index);
            // It lies no lower later on, so this branch can be no better.
            if rest.max(floor).saturating_add(self.blocks[index].size) >= self.best {
                return;
            }
            choices.push((rest, index));
        }
        choices.retain(|(rest, _)| *rest >= floor);
        choices.sort_unstable_by_key(|(rest, i)| (*rest, std::cmp::Reverse(self.blocks[*i].size)));
        for (rest, index) in choices {
            self.nodes += 1;
            if self.nodes >= MAX_NODES || self.best <= self.bound {
                return;
            }
            self.offsets[index] = Some(rest);
            self.descend(rest, left - 1);
            self.offsets[index] = None;
        }
    }

    /// The top of what is placed and live together with `index`.
    fn rest(&self, index: usize) -> u64 {
        let placed = self.conflicts.of(index).iter().filter_map(|other| {
            let offset = self.offsets[*other as usize]?;
            Some(offset.saturating_add(self.blocks[*other as usize].size))
        });
        placed.max().unwrap_or(0)
    }
}
