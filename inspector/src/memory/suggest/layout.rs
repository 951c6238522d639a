//! The blocks of each planned buffer, to be changed and placed again.

use super::super::plan::{Plan, Step};
use super::super::planner::{Block, place};

/// What of each storage has to be placed.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// By storage: planned buffer and block, `None` for what needs no bytes.
    pub blocks: Vec<Option<(u32, Block)>>,
    /// Bytes of each storage.
    bytes: Vec<u64>,
    buffers: u32,
}

impl Layout {
    pub fn new(plan: &Plan) -> Self {
        let blocks = plan.storages.iter().map(|storage| {
            let block = super::super::planner::block(storage)?;
            Some((storage.memory_id.0, block))
        });
        Layout {
            blocks: blocks.collect(),
            bytes: plan.storages.iter().map(|s| s.bytes).collect(),
            buffers: plan.buffers.len() as u32,
        }
    }

    /// Bytes of all planned buffers by our best plan.
    pub fn planned(&self) -> u64 {
        (1..=self.buffers).fold(0u64, |sum, id| sum.saturating_add(place(&self.of(id)).size))
    }

    /// The blocks of a planned buffer.
    pub fn of(&self, id: u32) -> Vec<Block> {
        let here = self.blocks.iter().flatten().filter(|(buffer, _)| *buffer == id);
        here.map(|(_, block)| block.clone()).collect()
    }

    /// With other sizes of `storages`.
    pub fn with_bytes(&self, storages: &[usize], resize: impl Fn(u64) -> u64) -> Self {
        let mut layout = self.clone();
        for &index in storages {
            let bytes = resize(self.bytes[index]);
            if let Some((_, block)) = &mut layout.blocks[index] {
                *block = Block::new(bytes, block.first, block.last);
            }
        }
        layout
    }

    /// Puts storage `from` into the bytes of `into`.
    pub fn merge(&mut self, from: usize, into: usize) {
        let Some((_, from)) = self.blocks[from].take() else { return };
        if let Some((_, into)) = &mut self.blocks[into] {
            into.first = into.first.min(from.first);
            into.last = into.last.max(from.last);
            into.size = into.size.max(from.size);
        }
    }

    /// With other lives.
    pub fn with_lives(&self, life: impl Fn(usize) -> Option<(Step, Step)>) -> Self {
        let mut layout = self.clone();
        for (index, slot) in layout.blocks.iter_mut().enumerate() {
            if let (Some((_, block)), Some((first, last))) = (slot, life(index)) {
                (block.first, block.last) = (first, last);
            }
        }
        layout
    }
}
