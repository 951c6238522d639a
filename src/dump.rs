//! Journals and traces in whatever a device left: a journal file, a memory
//! dump in any format, a capture of its console.

use et_inspector::image::{Image, Segment};
use et_schema::etdump::{File as Trace, Truncation};
use etdump::journal::{Snapshot, program_id, scan};

/// A journal that was found.
pub struct FoundJournal {
    /// Where it lies.
    pub place: Place,
    /// What it says.
    pub snapshot: Snapshot,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A trace that was found: finished on the device, and whole unless the dump ends in it.
pub struct FoundTrace {
    /// Where it lies.
    pub place: Place,
    /// What the end of the dump cut off.
    pub cut: Option<Truncation>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A place in a dump.
#[derive(Clone, Debug)]
pub struct Place {
    /// Number of the segment, from 0.
    pub segment: usize,
    /// Byte in it.
    pub offset: usize,
    /// Address, if the format has addresses.
    pub address: Option<u64>,
    /// File name that a capture has for it.
    pub name: Option<String>,
}

/// What a dump holds.
pub struct Contents<'a> {
    /// The dump, taken apart.
    pub image: Image<'a>,
    /// Journals, in file order.
    pub journals: Vec<FoundJournal>,
    /// Traces, in file order.
    pub traces: Vec<FoundTrace>,
    /// What could not be read.
    pub left_out: Vec<String>,
}

/// Looks through `bytes`.
pub fn read(bytes: &[u8]) -> Contents<'_> {
    let image = Image::read(bytes);
    let mut contents = Contents {
        journals: Vec::new(),
        traces: Vec::new(),
        left_out: image.left_out.clone(),
        image,
    };
    for number in 0..contents.image.segments.len() {
        let segment = contents.image.segments[number].clone();
        contents.look(number, &segment);
    }
    contents
}

impl Contents<'_> {
    /// The journal that fits `program` best: one of its own, or the one with
    /// the most records.
    pub fn best_journal(&self, program: &[u8]) -> Option<&FoundJournal> {
        let id = program_id(program);
        self.journals.iter().max_by_key(|found| {
            let snapshot = &found.snapshot;
            (snapshot.program_id == id, snapshot.program_id == 0, snapshot.counts.intact)
        })
    }

    fn look(&mut self, number: usize, segment: &Segment<'_>) {
        let bytes: &[u8] = &segment.bytes;
        let place = |offset: usize| Place {
            segment: number,
            offset,
            address: segment.address.map(|address| address.saturating_add(offset as u64)),
            name: segment.name.clone(),
        };
        for found in scan(bytes) {
            match found.journal {
                Ok(snapshot) => {
                    let end = found.offset.saturating_add(snapshot.bytes).min(bytes.len());
                    self.journals.push(FoundJournal {
                        place: place(found.offset),
                        bytes: bytes[found.offset..end].to_vec(),
                        snapshot,
                    });
                }
                Err(why) => self.left_out.push(format!(
                    "byte {} of segment {number}: begins like a journal, but {why}",
                    found.offset
                )),
            }
        }
        for (offset, length, cut) in traces(bytes) {
            let bytes = bytes[offset..offset + length].to_vec();
            self.traces.push(FoundTrace { place: place(offset), cut, bytes });
        }
    }
}

/// Offsets and lengths of the finished ETDumps in `bytes`: size-prefixed
/// FlatBuffers with the identifier `ED00`. One may go beyond the end.
fn traces(bytes: &[u8]) -> Vec<(usize, usize, Option<Truncation>)> {
    let mut found: Vec<(usize, usize, Option<Truncation>)> = Vec::new();
    let mut at = 0;
    while let Some(id) = bytes[at..].windows(4).position(|w| w == b"ED00").map(|i| at + i) {
        at = id + 4;
        let Some(start) = id.checked_sub(8) else { continue };
        let size = u32::from_le_bytes([
            bytes[start],
            bytes[start + 1],
            bytes[start + 2],
            bytes[start + 3],
        ]);
        let length = (size as usize).saturating_add(4);
        if found.last().is_some_and(|(start, length, _)| id < start + length) {
            continue;
        }
        match bytes.get(start..start.saturating_add(length)) {
            Some(whole) if Trace::recover(whole).is_ok() => found.push((start, length, None)),
            Some(_) => {}
            None => {
                let rest = &bytes[start..];
                if let Some(cut) = Trace::recover(rest).ok().and_then(|trace| trace.truncation()) {
                    found.push((start, rest.len(), Some(cut)));
                }
            }
        }
    }
    found
}
