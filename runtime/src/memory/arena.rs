//! A block of bytes, aligned for every element type.

use alloc::vec::Vec;

/// Alignment of an arena's first byte: that of the planned offsets that
/// exporters write (`exir` aligns them to 16).
pub(crate) const ALIGNMENT: usize = 16;

#[repr(C, align(16))]
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
struct Block([u8; ALIGNMENT]);

/// Zeroed bytes of a fixed length.
#[derive(Clone)]
pub(crate) struct Arena {
    blocks: Vec<Block>,
    len: usize,
}

impl Arena {
    /// `len` zero bytes, or `None` if the system has no such memory.
    pub fn new(len: usize) -> Option<Self> {
        let count = len.div_ceil(ALIGNMENT);
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).ok()?;
        blocks.resize(count, Block([0; ALIGNMENT]));
        Some(Arena { blocks, len })
    }

    /// A copy of `bytes`.
    pub fn copy_of(bytes: &[u8]) -> Option<Self> {
        let mut arena = Arena::new(bytes.len())?;
        arena.bytes_mut().copy_from_slice(bytes);
        Some(arena)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[..self.len]
    }
}
