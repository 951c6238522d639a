//! Several tensors of the same arenas at once: inputs to read, outputs to write.
//!
//! Tensors of a memory plan share arenas, so a kernel's inputs and outputs are
//! slices of the same bytes. [`views`] carves the arenas into disjoint slices.
//! Where an input overlaps an output (an in-place operator, or a damaged plan)
//! the kernel reads a copy made before it ran, which is what the operator is
//! defined to see.

use super::arena::Arena;
use core::mem;
use smallvec::SmallVec;

/// Bytes `start..end` of an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Region {
    pub arena: u32,
    pub start: usize,
    pub end: usize,
}

impl Region {
    fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether they share a byte.
    pub fn overlaps(&self, other: &Region) -> bool {
        self.arena == other.arena && self.start < other.end && other.start < self.end
    }
}

/// Slices in the order in which their regions were given.
#[derive(Default)]
pub(crate) struct Views<'m> {
    pub reads: SmallVec<[&'m [u8]; 12]>,
    pub writes: SmallVec<[&'m mut [u8]; 4]>,
}

/// Why there are no such slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewError {
    /// Two outputs share bytes: index of the first and of the second.
    OutputsOverlap(usize, usize),
    /// No memory for the copy of an input of so many bytes.
    OutOfMemory(usize),
}

#[derive(Clone, Copy)]
enum Use {
    Read(usize),
    Write(usize),
}

/// The slices of `reads` and `writes`. `copies` takes the inputs that overlap outputs.
pub(crate) fn views<'m>(
    arenas: &'m mut [Arena],
    copies: &'m mut SmallVec<[Arena; 2]>,
    reads: &[Option<Region>],
    writes: &[Region],
) -> Result<Views<'m>, ViewError> {
    if let [write] = writes
        && !write.is_empty()
        && !reads.iter().flatten().any(|read| !read.is_empty() && read.overlaps(write))
    {
        return Ok(around(arenas, reads, *write));
    }
    for (i, a) in writes.iter().enumerate() {
        if let Some(j) = writes[..i].iter().position(|b| !a.is_empty() && a.overlaps(b)) {
            return Err(ViewError::OutputsOverlap(j, i));
        }
    }
    let mut result = Views::default();
    result.reads.resize(reads.len(), &[]);
    result.writes.resize_with(writes.len(), Default::default);

    let mut uses: SmallVec<[(Region, Use); 16]> = SmallVec::new();
    let mut copied: SmallVec<[usize; 2]> = SmallVec::new();
    for (i, region) in reads.iter().enumerate() {
        let Some(region) = region.filter(|r| !r.is_empty()) else { continue };
        if writes.iter().any(|w| !w.is_empty() && w.overlaps(&region)) {
            let bytes = &arenas[region.arena as usize].bytes()[region.start..region.end];
            copies.push(Arena::copy_of(bytes).ok_or(ViewError::OutOfMemory(bytes.len()))?);
            copied.push(i);
        } else {
            uses.push((region, Use::Read(i)));
        }
    }
    let copies: &'m SmallVec<[Arena; 2]> = copies;
    for (i, copy) in copied.iter().zip(copies) {
        result.reads[*i] = copy.bytes();
    }
    let writes = writes.iter().enumerate().filter(|(_, r)| !r.is_empty());
    uses.extend(writes.map(|(i, r)| (*r, Use::Write(i))));
    uses.sort_unstable_by_key(|(region, _)| *region);
    carve(arenas, &uses, &mut result);
    Ok(result)
}

/// The slices for one output that no input overlaps: what is before and after
/// it can be read. Most calls are so.
fn around<'m>(arenas: &'m mut [Arena], reads: &[Option<Region>], write: Region) -> Views<'m> {
    let mut result = Views::default();
    let index = write.arena as usize;
    let (lower, rest) = arenas.split_at_mut(index);
    let Some((own, upper)) = rest.split_first_mut() else { return result };
    let (before, rest) = own.bytes_mut().split_at_mut(write.start);
    let (block, after) = rest.split_at_mut(write.end - write.start);
    result.writes.push(block);
    let (lower, upper, before, after): (&'m [Arena], &'m [Arena], &'m [u8], &'m [u8]) =
        (lower, upper, before, after);
    for read in reads {
        result.reads.push(match *read {
            Some(Region { arena, start, end }) if start < end => {
                let arena = arena as usize;
                if arena < index {
                    &lower[arena].bytes()[start..end]
                } else if arena > index {
                    &upper[arena - index - 1].bytes()[start..end]
                } else if end <= write.start {
                    &before[start..end]
                } else {
                    &after[start - write.end..end - write.end]
                }
            }
            _ => &[],
        });
    }
    result
}

/// Hands out slices of `uses`, sorted by place, in which only reads overlap each other.
fn carve<'m>(arenas: &'m mut [Arena], uses: &[(Region, Use)], result: &mut Views<'m>) {
    let mut rest = uses;
    for (index, arena) in arenas.iter_mut().enumerate() {
        if rest.is_empty() {
            return;
        }
        let mut bytes = arena.bytes_mut();
        let mut position = 0;
        while let Some((first, kind)) = rest.first().filter(|(r, _)| r.arena as usize == index) {
            let group = group_len(rest, first.end, matches!(kind, Use::Read(_)));
            let end = rest[..group].iter().map(|(r, _)| r.end).max().unwrap_or(first.end);
            let (_, tail) = mem::take(&mut bytes).split_at_mut(first.start - position);
            let (block, tail) = tail.split_at_mut(end - first.start);
            match kind {
                Use::Write(slot) => result.writes[*slot] = block,
                Use::Read(_) => {
                    let block: &'m [u8] = block;
                    for (region, kind) in &rest[..group] {
                        if let Use::Read(slot) = kind {
                            result.reads[*slot] =
                                &block[region.start - first.start..region.end - first.start];
                        }
                    }
                }
            }
            (bytes, position, rest) = (tail, end, &rest[group..]);
        }
    }
}

/// How many of the uses at the front share bytes with the first, directly or in a row.
fn group_len(uses: &[(Region, Use)], mut end: usize, reading: bool) -> usize {
    if !reading {
        return 1;
    }
    let arena = uses[0].0.arena;
    let mut len = 1;
    while let Some((next, _)) = uses.get(len).filter(|(r, _)| r.arena == arena && r.start < end) {
        end = end.max(next.end);
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena(len: u8) -> Arena {
        Arena::copy_of(&(0..len).collect::<alloc::vec::Vec<_>>()).unwrap()
    }

    fn region(arena: u32, start: usize, end: usize) -> Region {
        Region { arena, start, end }
    }

    #[test]
    fn overlapping_reads_are_shared() {
        let mut arenas = [arena(16)];
        let mut copies = SmallVec::new();
        let reads = [Some(region(0, 0, 8)), Some(region(0, 4, 12)), None, Some(region(0, 0, 8))];
        let views = views(&mut arenas, &mut copies, &reads, &[region(0, 12, 16)]).unwrap();
        assert_eq!(views.reads[1], &[4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(views.reads[3], &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(views.reads[2], &[] as &[u8]);
        assert_eq!(views.writes[0], &[12, 13, 14, 15]);
    }

    #[test]
    fn input_that_overlaps_an_output_is_read_as_it_was() {
        let mut arenas = [arena(16)];
        let mut copies = SmallVec::new();
        let views =
            views(&mut arenas, &mut copies, &[Some(region(0, 2, 6))], &[region(0, 4, 8)]).unwrap();
        let Views { reads, mut writes } = views;
        writes[0].fill(99);
        assert_eq!(reads[0], &[2, 3, 4, 5]);
    }

    #[test]
    fn regions_of_several_arenas_keep_their_order() {
        let mut arenas = [arena(4), arena(8), arena(12)];
        let mut copies = SmallVec::new();
        let reads = [Some(region(2, 8, 12)), Some(region(0, 0, 2))];
        let writes = [region(2, 0, 4), region(1, 4, 8)];
        let views = views(&mut arenas, &mut copies, &reads, &writes).unwrap();
        assert_eq!(views.reads[0], &[8, 9, 10, 11]);
        assert_eq!(views.reads[1], &[0, 1]);
        assert_eq!(views.writes[0], &[0, 1, 2, 3]);
        assert_eq!(views.writes[1], &[4, 5, 6, 7]);
    }

    #[test]
    fn outputs_that_share_bytes_are_refused() {
        let mut arenas = [arena(8)];
        let mut copies = SmallVec::new();
        let result = views(&mut arenas, &mut copies, &[], &[region(0, 0, 5), region(0, 4, 8)]);
        assert_eq!(result.err(), Some(ViewError::OutputsOverlap(0, 1)));
    }

    #[test]
    fn empty_outputs_never_collide() {
        let mut arenas = [arena(8)];
        let mut copies = SmallVec::new();
        let writes = [region(0, 0, 8), region(0, 4, 4)];
        let views = views(&mut arenas, &mut copies, &[Some(region(0, 3, 3))], &writes).unwrap();
        assert_eq!(views.writes[0].len(), 8);
        assert!(views.writes[1].is_empty());
    }
}
