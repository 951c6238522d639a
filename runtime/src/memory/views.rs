//! Several tensors of the same arenas at once: inputs to read, outputs to write.
//!
//! Tensors of a memory plan share arenas, so a kernel's inputs and outputs are
//! slices of the same bytes. [`views`] carves the arenas into disjoint slices.
//! Where an input overlaps an output (an in-place operator, or a damaged plan)
//! the kernel reads a copy made before it ran, which is what the operator is
//! defined to see.

use super::arena::Arena;
use alloc::vec::Vec;
use core::mem;

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
    pub reads: Vec<&'m [u8]>,
    pub writes: Vec<&'m mut [u8]>,
}

impl<'m> Views<'m> {
    /// No slices, and the memory of the lists for those of other arenas.
    pub fn emptied<'n>(self) -> Views<'n> {
        Views { reads: emptied(self.reads), writes: emptied(self.writes) }
    }
}

/// An empty list in the memory of another. `A` and `B` differ in lifetimes only:
/// the standard library collects in place then.
pub(crate) fn emptied<A, B>(mut items: Vec<A>) -> Vec<B> {
    items.clear();
    items.into_iter().filter_map(|_| None).collect()
}

/// What [`views`] works with, kept from one call to the next.
#[derive(Default)]
pub(crate) struct Spare {
    /// Memory for inputs that overlap outputs.
    copies: Vec<Arena>,
    copied: Vec<usize>,
    uses: Vec<(Region, Use)>,
}

impl Spare {
    /// Makes `bytes` copy number `index`, the one after the last at most.
    fn copy(&mut self, index: usize, bytes: &[u8]) -> Option<()> {
        match self.copies.get(index) {
            Some(copy) if copy.len() >= bytes.len() => {}
            Some(_) => self.copies[index] = Arena::new(bytes.len())?,
            None => self.copies.push(Arena::new(bytes.len())?),
        }
        self.copies[index].bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        Some(())
    }
}

/// Why there are no such slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewError {
    /// Two outputs share bytes: index of the first and of the second.
    OutputsOverlap(usize, usize),
    /// This output lies where there is no memory.
    Nowhere(usize),
    /// No memory for the copy of an input of so many bytes.
    OutOfMemory(usize),
}

#[derive(Clone, Copy)]
enum Use {
    Read(usize),
    Write(usize),
}

/// Puts the slices of `reads` and `writes` into `result`, which must be empty.
pub(crate) fn views<'m>(
    arenas: &'m mut [Arena],
    spare: &'m mut Spare,
    reads: &[Option<Region>],
    writes: &[Region],
    result: &mut Views<'m>,
) -> Result<(), ViewError> {
    if let [write] = writes
        && !write.is_empty()
        && !reads.iter().flatten().any(|read| !read.is_empty() && read.overlaps(write))
    {
        let around = Around::new(arenas, *write).ok_or(ViewError::Nowhere(0))?;
        let slice = |read: &Option<Region>| read.and_then(|read| around.read(read));
        result.reads.extend(reads.iter().map(|read| slice(read).unwrap_or_default()));
        result.writes.push(around.write);
        return Ok(());
    }
    for (i, a) in writes.iter().enumerate() {
        if let Some(j) = writes[..i].iter().position(|b| !a.is_empty() && a.overlaps(b)) {
            return Err(ViewError::OutputsOverlap(j, i));
        }
    }
    result.reads.resize(reads.len(), &[]);
    result.writes.resize_with(writes.len(), Default::default);
    spare.uses.clear();
    spare.copied.clear();
    for (i, region) in reads.iter().enumerate() {
        let Some(region) = region.filter(|r| !r.is_empty()) else { continue };
        if writes.iter().any(|w| !w.is_empty() && w.overlaps(&region)) {
            let bytes = &arenas[region.arena as usize].bytes()[region.start..region.end];
            let index = spare.copied.len();
            spare.copy(index, bytes).ok_or(ViewError::OutOfMemory(bytes.len()))?;
            spare.copied.push(i);
        } else {
            spare.uses.push((region, Use::Read(i)));
        }
    }
    let Spare { copies, copied, uses } = spare;
    for (i, copy) in copied.iter().zip(&*copies) {
        let len = reads[*i].map_or(0, |region| region.end - region.start);
        result.reads[*i] = &copy.bytes()[..len];
    }
    let writes = writes.iter().enumerate().filter(|(_, r)| !r.is_empty());
    uses.extend(writes.map(|(i, r)| (*r, Use::Write(i))));
    uses.sort_unstable_by_key(|(region, _)| *region);
    carve(arenas, uses, result);
    Ok(())
}

/// One output, and what can be read beside it. Most calls have no more.
pub(crate) struct Around<'m> {
    /// The output's bytes.
    pub write: &'m mut [u8],
    region: Region,
    lower: &'m [Arena],
    before: &'m [u8],
    after: &'m [u8],
    upper: &'m [Arena],
}

impl<'m> Around<'m> {
    /// `None` if the arena or the bytes of the output do not exist.
    #[inline]
    pub fn new(arenas: &'m mut [Arena], region: Region) -> Option<Self> {
        let (lower, rest) = arenas.split_at_mut_checked(region.arena as usize)?;
        let (own, upper) = rest.split_first_mut()?;
        let (before, rest) = own.bytes_mut().split_at_mut_checked(region.start)?;
        let (write, after) = rest.split_at_mut_checked(region.end.checked_sub(region.start)?)?;
        Some(Around { write, region, lower, before, after, upper })
    }

    /// The bytes of an input; `None` if it overlaps the output or is not there.
    #[inline]
    pub fn read(&self, Region { arena, start, end }: Region) -> Option<&'m [u8]> {
        if start >= end {
            return Some(&[]);
        }
        let own = self.region.arena;
        if arena < own {
            self.lower.get(arena as usize)?.bytes().get(start..end)
        } else if arena > own {
            self.upper.get((arena - own - 1) as usize)?.bytes().get(start..end)
        } else if end <= self.region.start {
            self.before.get(start..end)
        } else {
            let after = self.region.end;
            self.after.get(start.checked_sub(after)?..end.checked_sub(after)?)
        }
    }
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

    /// The slices, with arenas and spare memory that live as long.
    fn slices<'m>(
        arenas: &'m mut [Arena],
        spare: &'m mut Spare,
        reads: &[Option<Region>],
        writes: &[Region],
    ) -> Result<Views<'m>, ViewError> {
        let mut result = Views::default();
        views(arenas, spare, reads, writes, &mut result).map(|()| result)
    }

    fn region(arena: u32, start: usize, end: usize) -> Region {
        Region { arena, start, end }
    }

    #[test]
    fn overlapping_reads_are_shared() {
        let mut arenas = [arena(16)];
        let mut spare = Spare::default();
        let reads = [Some(region(0, 0, 8)), Some(region(0, 4, 12)), None, Some(region(0, 0, 8))];
        let views = slices(&mut arenas, &mut spare, &reads, &[region(0, 12, 16)]).unwrap();
        assert_eq!(views.reads[1], &[4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(views.reads[3], &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(views.reads[2], &[] as &[u8]);
        assert_eq!(views.writes[0], &[12, 13, 14, 15]);
    }

    #[test]
    fn input_that_overlaps_an_output_is_read_as_it_was() {
        let mut arenas = [arena(16)];
        let mut spare = Spare::default();
        let views =
            slices(&mut arenas, &mut spare, &[Some(region(0, 2, 6))], &[region(0, 4, 8)]).unwrap();
        let Views { reads, mut writes } = views;
        writes[0].fill(99);
        assert_eq!(reads[0], &[2, 3, 4, 5]);
    }

    #[test]
    fn copies_of_one_call_are_not_those_of_the_next() {
        let mut arenas = [arena(16)];
        let mut spare = Spare::default();
        for (start, end) in [(0, 8), (2, 4), (1, 12)] {
            let read = Some(region(0, start, end));
            let expected: Vec<u8> = arenas[0].bytes()[start..end].into();
            let views = slices(&mut arenas, &mut spare, &[read], &[region(0, 0, 16)]).unwrap();
            assert_eq!(views.reads[0], expected);
        }
        assert_eq!(spare.copies.len(), 1);
    }

    #[test]
    fn input_beside_an_output_is_read_in_place() {
        let mut arenas = [arena(4), arena(16), arena(4)];
        let around = Around::new(&mut arenas, region(1, 4, 8)).unwrap();
        let read = |arena, start, end| around.read(region(arena, start, end));
        assert_eq!(read(1, 0, 4), Some(&[0, 1, 2, 3][..]));
        assert_eq!(read(1, 8, 10), Some(&[8, 9][..]));
        assert_eq!((read(0, 1, 2), read(2, 3, 4)), (Some(&[1][..]), Some(&[3][..])));
        assert_eq!((read(1, 3, 5), read(1, 7, 9), read(1, 5, 6)), (None, None, None));
        assert_eq!((read(1, 0, 9), read(3, 0, 1), read(2, 0, 5)), (None, None, None));
        assert_eq!(read(1, 5, 5), Some(&[][..]));
    }

    #[test]
    fn regions_of_several_arenas_keep_their_order() {
        let mut arenas = [arena(4), arena(8), arena(12)];
        let mut spare = Spare::default();
        let reads = [Some(region(2, 8, 12)), Some(region(0, 0, 2))];
        let writes = [region(2, 0, 4), region(1, 4, 8)];
        let views = slices(&mut arenas, &mut spare, &reads, &writes).unwrap();
        assert_eq!(views.reads[0], &[8, 9, 10, 11]);
        assert_eq!(views.reads[1], &[0, 1]);
        assert_eq!(views.writes[0], &[0, 1, 2, 3]);
        assert_eq!(views.writes[1], &[4, 5, 6, 7]);
    }

    #[test]
    fn outputs_that_share_bytes_are_refused() {
        let mut arenas = [arena(8)];
        let mut spare = Spare::default();
        let result = slices(&mut arenas, &mut spare, &[], &[region(0, 0, 5), region(0, 4, 8)]);
        assert_eq!(result.err(), Some(ViewError::OutputsOverlap(0, 1)));
    }

    #[test]
    fn empty_outputs_never_collide() {
        let mut arenas = [arena(8)];
        let mut spare = Spare::default();
        let writes = [region(0, 0, 8), region(0, 4, 4)];
        let views = slices(&mut arenas, &mut spare, &[Some(region(0, 3, 3))], &writes).unwrap();
        assert_eq!(views.writes[0].len(), 8);
        assert!(views.writes[1].is_empty());
    }
}
