//! Where the parts of a journal lie.
//!
//! Header, 16 words:
//!
//! | word | content |
//! | --- | --- |
//! | 0, 1 | the characters `ETJOURNL` |
//! | 2 | version (bits 0 to 15, 2), bytes of a record (16 to 31, 32) |
//! | 3 | bytes of the whole journal |
//! | 4 | entries of the allocator table (0 to 15), words of the name table (16 to 31) |
//! | 5 | byte offset of the ring |
//! | 6 | records in the ring |
//! | 7 | ticks per second, 0 if not known |
//! | 8, 9 | program id: FNV-1a of the `.pte` with 64 bits, 0 if not known |
//! | 10 | how often the board started with this journal |
//! | 11 | check value of words 0 to 10 |
//! | 12 | next sequence number |
//! | 13 | executions begun |
//! | 14 | heartbeats |
//! | 15 | lowest stack pointer seen, 0 if none |
//!
//! Words 12 to 15 change all the time and have no check value: a reader
//! believes the records more than them.
//!
//! Allocator table, 5 words per entry: kind (bits 0 to 7), index (8 to 15),
//! failures (16 to 31); capacity; used; peak; check value. An entry of zeros is
//! not used. Sizes stop at `u32::MAX`.
//!
//! Name table: entries of a word with length (bits 0 to 7) and the upper 16 bits
//! of the text's check value (16 to 31), then the text, padded with zeros to
//! whole words. A word 0 ends the table. The first entry is name 1.

use core::num::NonZeroU32;

/// The smallest journal.
pub const MINIMUM_BYTES: usize = 512;

pub(super) const MAGIC: [u32; 2] = [u32::from_le_bytes(*b"ETJO"), u32::from_le_bytes(*b"URNL")];
pub(super) const VERSION: u32 = 2;
pub(super) const HEADER_WORDS: usize = 16;
pub(super) const ALLOCATOR_WORDS: usize = 5;
/// Checked words of the header; the check value follows them.
pub(super) const CHECKED_WORDS: usize = 11;

/// Words of the header by what they hold.
pub(super) mod word {
    pub const VERSION: usize = 2;
    pub const BYTES: usize = 3;
    pub const TABLES: usize = 4;
    pub const RING: usize = 5;
    pub const CAPACITY: usize = 6;
    pub const CLOCK: usize = 7;
    pub const PROGRAM: usize = 8;
    pub const BOOTS: usize = 10;
    pub const CHECK: usize = 11;
    pub const NEXT: usize = 12;
    pub const EXECUTIONS: usize = 13;
    pub const HEARTBEATS: usize = 14;
    pub const STACK: usize = 15;
}

/// How a journal is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Ticks per second of the clock, 0 if not known.
    pub ticks_per_second: u32,
    /// [`program_id`] of the program, 0 if not known.
    pub program_id: u64,
    /// Entries of the allocator table.
    pub allocators: u16,
    /// Bytes for names.
    pub name_bytes: u32,
}

impl Config {
    /// What suits a journal of `bytes`: tables of about a third of a small one
    /// and of 16 KiB in a large one.
    pub fn for_bytes(bytes: usize) -> Self {
        let (allocators, name_bytes) = match bytes {
            0..1024 => (4, 64),
            1024..4096 => (4, 256),
            4096..65536 => (8, 1024),
            _ => (32, 16384),
        };
        Config { ticks_per_second: 0, program_id: 0, allocators, name_bytes }
    }
}

/// Where the parts lie, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub allocators: usize,
    pub names_start: usize,
    pub names_words: usize,
    pub ring_start: usize,
    /// Records.
    pub capacity: NonZeroU32,
}

impl Layout {
    /// The layout of `words` words; `None` if no record fits.
    pub fn new(words: usize, config: &Config) -> Option<Self> {
        let allocators = usize::from(config.allocators);
        let names_words = (config.name_bytes as usize / 4).min(usize::from(u16::MAX));
        let names_start = HEADER_WORDS + allocators * ALLOCATOR_WORDS;
        // Records begin at whole records, so that none crosses a cache line.
        let ring_start = (names_start + names_words).next_multiple_of(super::record::WORDS);
        let capacity = words.checked_sub(ring_start)? / super::record::WORDS;
        let capacity = NonZeroU32::new(u32::try_from(capacity).ok()?)?;
        Some(Layout { allocators, names_start, names_words, ring_start, capacity })
    }

    /// First word of an allocator's entry.
    pub fn allocator(&self, index: usize) -> usize {
        HEADER_WORDS + index * ALLOCATOR_WORDS
    }
}

/// The id of a program: FNV-1a of its bytes with 64 bits.
pub fn program_id(program: &[u8]) -> u64 {
    program.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
