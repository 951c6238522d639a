//! Which blocks are live together.

use super::Block;

/// For each block, the others that are live at some step of its life.
pub(super) struct Conflicts(Vec<Vec<u32>>);

impl Conflicts {
    /// `None` if there are more than `limit` pairs.
    pub fn new(blocks: &[Block], limit: usize) -> Option<Self> {
        let mut order: Vec<u32> = (0..blocks.len() as u32).collect();
        order.sort_unstable_by_key(|i| (blocks[*i as usize].first, *i));
        let mut conflicts = vec![Vec::new(); blocks.len()];
        let mut live: Vec<u32> = Vec::new();
        let mut pairs = 0;
        for &index in &order {
            let first = blocks[index as usize].first;
            live.retain(|other| blocks[*other as usize].last >= first);
            pairs += live.len();
            if pairs > limit {
                return None;
            }
            for &other in &live {
                conflicts[other as usize].push(index);
                conflicts[index as usize].push(other);
            }
            live.push(index);
        }
        Some(Conflicts(conflicts))
    }

    pub fn of(&self, block: usize) -> &[u32] {
        &self.0[block]
    }
}
