//! A block of bytes, aligned for every element type.

use alloc::boxed::Box;
use bytemuck::allocation::try_zeroed_slice_box;

/// The least alignment of an arena's first byte: that of the planned offsets that
/// exporters write (`exir` aligns them to 16).
const LEAST: usize = 16;

/// The alignment of an arena's first byte: where there is memory to spare that of a
/// cache line, as a vector that lies across two takes twice the time. Most planned
/// offsets are multiples of it, though nothing makes them so.
const ALIGNMENT: usize = if cfg!(feature = "std") { 64 } else { LEAST };

// Not a larger alignment of its own: allocators have no zeroed memory of that which
// they need not write first.
#[repr(C, align(16))]
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
struct Block([u8; LEAST]);

/// Zeroed bytes of a fixed length. A clone begins at the same block, which need not be
/// aligned as well.
#[derive(Clone)]
pub(crate) struct Arena {
    blocks: Box<[Block]>,
    /// Where the first byte is.
    start: usize,
    len: usize,
}

impl Arena {
    /// `len` zero bytes, or `None` if the system has no such memory. They are
    /// asked for as zero, so that an operating system need not back what a
    /// program only claims to use.
    pub fn new(len: usize) -> Option<Self> {
        let size = len.checked_add(ALIGNMENT - LEAST)?;
        let blocks: Box<[Block]> = try_zeroed_slice_box(size.div_ceil(LEAST)).ok()?;
        let start = blocks.as_ptr().cast::<u8>().align_offset(ALIGNMENT);
        Some(Arena { blocks, start: start.min(ALIGNMENT - LEAST), len })
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
        &bytemuck::cast_slice(&self.blocks)[self.start..][..self.len]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[self.start..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn zeros_begin_with_a_cache_line_where_there_is_memory_to_spare() {
        let arenas: Vec<Arena> =
            [0, 1, 15, 16, 63, 64, 65, 1000, 1 << 20].map(|len| Arena::new(len).unwrap()).into();
        for arena in &arenas {
            let bytes = arena.bytes();
            assert!(bytes.as_ptr().addr().is_multiple_of(ALIGNMENT), "{} bytes", arena.len());
            assert!(bytes.len() == arena.len() && bytes.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_clone_has_the_same_bytes_wherever_it_lies() {
        for len in [1, 47, 100, 5000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut arena = Arena::copy_of(&bytes).unwrap();
            let clone = arena.clone();
            arena.bytes_mut().fill(7);
            assert_eq!(clone.bytes(), bytes);
        }
    }

    #[test]
    fn more_than_there_is_is_refused() {
        assert!(Arena::new(usize::MAX).is_none());
    }
}
