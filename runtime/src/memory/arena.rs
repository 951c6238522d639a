//! A block of bytes, aligned for every element type.

use alloc::boxed::Box;
use bytemuck::allocation::try_zeroed_slice_box;

/// Alignment of an arena's first byte: that of the planned offsets that
/// exporters write (`exir` aligns them to 16).
pub(crate) const ALIGNMENT: usize = 16;

#[repr(C, align(16))]
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
struct Block([u8; ALIGNMENT]);

/// Zeroed bytes of a fixed length.
#[derive(Clone)]
pub(crate) struct Arena {
    blocks: Box<[Block]>,
    len: usize,
}

impl Arena {
    /// `len` zero bytes, or `None` if the system has no such memory. They are
    /// asked for as zero, so that an operating system need not back what a
    /// program only claims to use.
    pub fn new(len: usize) -> Option<Self> {
        let blocks = try_zeroed_slice_box(len.div_ceil(ALIGNMENT)).ok()?;
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
