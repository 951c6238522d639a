//! Finding journals in memory dumps.

use super::layout::MAGIC;
use super::reader::{Invalid, Snapshot};
use alloc::vec::Vec;

/// A place that begins like a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Byte offset in the dump.
    pub offset: usize,
    /// The journal, or why it cannot be read.
    pub journal: Result<Snapshot, Invalid>,
}

/// Places that are looked at in full. More than a dump has journals.
const MOST: usize = 1024;

/// The journals in `dump`, at any alignment. A journal within another is not
/// looked for.
pub fn scan(dump: &[u8]) -> Vec<Found> {
    let mut magic = [0; 8];
    magic[..4].copy_from_slice(&MAGIC[0].to_le_bytes());
    magic[4..].copy_from_slice(&MAGIC[1].to_le_bytes());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = find(&dump[at..], &magic).map(|offset| at + offset) {
        let journal = Snapshot::parse(&dump[offset..]);
        let length = journal.as_ref().map_or(magic.len(), |journal| journal.bytes);
        at = offset.saturating_add(length.max(magic.len())).min(dump.len());
        found.push(Found { offset, journal });
        if found.len() == MOST {
            break;
        }
    }
    found
}

fn find(bytes: &[u8], wanted: &[u8; 8]) -> Option<usize> {
    // The first byte decides nearly always, and the search for it is fast.
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == wanted[0])?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}
