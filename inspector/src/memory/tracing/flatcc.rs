//! Sizes of FlatBuffers as ExecuTorch's ETDump generator makes them.
//!
//! Its builder (flatcc) writes from the end to the front. Every object is
//! aligned by its distance from the end; a table's fields are, with four bytes
//! before them for the place of its vtable; equal vtables are written once.

use std::collections::BTreeSet;

/// Alignments, which are never more than this, repeat after as many bytes.
pub const PERIOD: u64 = 8;

/// A buffer in the making: only its size.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    size: u64,
    vtables: BTreeSet<Vec<u16>>,
}

/// The fields of a table, in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// Number and place of each.
    places: Vec<(u16, u16)>,
    end: u16,
    align: u16,
}

impl Fields {
    /// Adds field `number` of `bytes`.
    pub fn add(mut self, number: u16, bytes: u16) -> Self {
        let place = self.end.next_multiple_of(bytes);
        self.places.push((number, place));
        self.end = place + bytes;
        self.align = self.align.max(bytes);
        self
    }

    /// The vtable: its size, the table's size, the place of each field.
    fn vtable(&self) -> Vec<u16> {
        let fields = self.places.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
        let mut vtable = vec![0; 2 + usize::from(fields)];
        vtable[0] = 4 + 2 * fields;
        vtable[1] = 4 + self.end;
        for (number, place) in &self.places {
            vtable[2 + usize::from(*number)] = 4 + place;
        }
        vtable
    }
}

impl Buffer {
    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Goes on as if `bytes` more had been written, a multiple of [`PERIOD`].
    pub fn skip(&mut self, bytes: u64) {
        self.size = self.size.saturating_add(bytes);
    }

    /// A text: length, characters, a zero.
    pub fn string(&mut self, length: usize) {
        self.object(length as u64 + 1, 4);
    }

    /// A vector of `count` elements of `bytes`.
    pub fn vector(&mut self, count: usize, bytes: u64) {
        self.object((count as u64).saturating_mul(bytes), bytes.max(4));
    }

    /// A table.
    pub fn table(&mut self, fields: &Fields) {
        let vtable = fields.vtable();
        let bytes = u64::from(vtable[0]);
        if self.vtables.insert(vtable) {
            self.size = self.size.saturating_add(bytes).next_multiple_of(2);
        }
        self.object(fields.end.into(), u64::from(fields.align).max(4));
    }

    /// The size of the file: place of the root, identifier and length before it.
    pub fn file(&self) -> u64 {
        self.size.saturating_add(12).checked_next_multiple_of(PERIOD).unwrap_or(u64::MAX)
    }

    /// Content that is aligned at its start, with four bytes before it.
    fn object(&mut self, bytes: u64, align: u64) {
        let end = self.size.saturating_add(bytes);
        self.size = end.checked_next_multiple_of(align).unwrap_or(u64::MAX).saturating_add(4);
    }
}
