//! Best fit in order of time: each block goes into the smallest gap that is
//! free when it begins. Takes `n log n` time whatever the lives are.

use super::Block;
use std::collections::{BTreeMap, BTreeSet};

/// Offset of each block.
pub(super) fn place(blocks: &[Block]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    // Of blocks that begin together, what lives longest lies lowest.
    order.sort_unstable_by_key(|i| {
        (blocks[*i].first, std::cmp::Reverse(blocks[*i].last), std::cmp::Reverse(blocks[*i].size))
    });
    let mut ends: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut gaps = Gaps::default();
    let mut offsets = vec![0; blocks.len()];
    for index in order {
        let block = &blocks[index];
        while let Some(entry) = ends.first_entry().filter(|e| *e.key() < block.first) {
            for done in entry.remove() {
                gaps.free(offsets[done], blocks[done].size);
            }
        }
        offsets[index] = gaps.take(block.size);
        ends.entry(block.last).or_default().push(index);
    }
    offsets
}

/// The free bytes below the top.
#[derive(Default)]
struct Gaps {
    by_offset: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    top: u64,
}

impl Gaps {
    fn take(&mut self, size: u64) -> u64 {
        let fitting = self.by_size.range((size, 0)..).next().copied();
        if let Some((gap, offset)) = fitting {
            self.remove(offset, gap);
            if gap > size {
                self.insert(offset.saturating_add(size), gap - size);
            }
            return offset;
        }
        // A gap that reaches the top can grow.
        let last = self.by_offset.last_key_value().map(|(offset, gap)| (*offset, *gap));
        let offset = match last.filter(|(offset, gap)| offset.saturating_add(*gap) == self.top) {
            Some((offset, gap)) => {
                self.remove(offset, gap);
                offset
            }
            None => self.top,
        };
        self.top = offset.saturating_add(size);
        offset
    }

    fn free(&mut self, mut offset: u64, mut size: u64) {
        let before = self.by_offset.range(..offset).next_back().map(|(o, s)| (*o, *s));
        if let Some((start, gap)) =
            before.filter(|(start, gap)| start.saturating_add(*gap) == offset)
        {
            self.remove(start, gap);
            (offset, size) = (start, size.saturating_add(gap));
        }
        if let Some(&gap) = self.by_offset.get(&offset.saturating_add(size)) {
            self.remove(offset.saturating_add(size), gap);
            size = size.saturating_add(gap);
        }
        self.insert(offset, size);
    }

    fn insert(&mut self, offset: u64, size: u64) {
        if size > 0 {
            self.by_offset.insert(offset, size);
            self.by_size.insert((size, offset));
        }
    }

    fn remove(&mut self, offset: u64, size: u64) {
        self.by_offset.remove(&offset);
        self.by_size.remove(&(size, offset));
    }
}
