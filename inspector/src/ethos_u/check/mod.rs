//! Whether a stream may run: what makes the unit stop, fault, or compute from
//! bytes that are not there.
//!
//! ```text
//! ranges.rs   every access inside its region, addresses aligned
//! waits.rs    copies are waited for before their bytes are used
//! overlap.rs  arithmetic begins no earlier than what it reads allows
//! written.rs  what is read was written, every output is
//! ```

mod overlap;
mod ranges;
mod waits;
mod written;

use super::Disassembly;
use super::feature_map::{Range, Region};
use et_schema::ethos_u::{Payload, Product};

/// Bytes of each region.
#[derive(Clone, Copy, Debug)]
pub struct Regions {
    /// Weights of the payload.
    pub weights: u64,
    /// The payload's scratch memory.
    pub scratch: u64,
    /// Fast scratch memory, if its size is known: it is a setting of the firmware.
    pub fast_scratch: Option<u64>,
}

impl Regions {
    /// Bytes of `region`, if known; one that does not exist has none.
    pub fn size(&self, region: Region) -> Option<u64> {
        match region {
            Region::Weights => Some(self.weights),
            Region::Scratch => Some(self.scratch),
            Region::FastScratch => self.fast_scratch,
            Region::Other(_) => Some(0),
            Region::Internal => None,
        }
    }
}

/// Something that is wrong with a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The driver's header names no unit, or one that does not exist.
    Configuration(String),
    /// The stream is shorter than the header says, or words follow it.
    Length {
        /// Words that the header promises.
        promised: u32,
        /// Words that are there.
        found: u32,
        /// Bytes behind the stream.
        trailing: u32,
    },
    /// A command that the unit does not have.
    UnknownCommand {
        /// Its word.
        word: u32,
        /// Its code.
        code: u16,
    },
    /// From this word on nothing can be read.
    Undecodable {
        /// The word.
        word: u32,
        /// Words from there to the end.
        words: u32,
    },
    /// No stop at the end: the unit never tells that it is done.
    NoStop,
    /// An access that does not lie in its region.
    Outside {
        /// The word that starts the operation; `None` for inputs and outputs.
        word: Option<u32>,
        /// What is there: input, output, weights…
        what: String,
        /// Where.
        range: Range,
        /// Bytes of the region.
        size: u64,
    },
    /// An address that the unit cannot use.
    Misaligned {
        /// The word that starts the operation.
        word: u32,
        /// What is there.
        what: String,
        /// The address.
        address: u64,
        /// What it has to be a multiple of.
        alignment: u64,
    },
    /// An operation that uses bytes of a copy, or of arithmetic, that may still
    /// be under way.
    NoWait {
        /// The word that starts the operation.
        word: u32,
        /// The word that starts the one it has to wait for.
        of: u32,
        /// The bytes.
        range: Range,
    },
    /// Arithmetic that may begin while blocks that it reads are being written.
    BlockDependency {
        /// The word that starts the operation.
        word: u32,
        /// The word that starts the one that writes.
        of: u32,
        /// Blocks that the stream lets begin early.
        set: u32,
        /// Blocks that may.
        allowed: u32,
    },
    /// A read of bytes that nothing has written.
    NeverWritten {
        /// The word that starts the operation.
        word: u32,
        /// What reads them.
        what: String,
        /// The first of the bytes.
        range: Range,
    },
    /// A table is used that was never copied to the unit.
    NoTable {
        /// The word that starts the operation.
        word: u32,
    },
    /// An output of which bytes are never written.
    OutputNeverWritten {
        /// Its index.
        output: usize,
        /// The first of the bytes.
        range: Range,
    },
}

/// Everything that is wrong with the stream of `payload`.
pub fn check(payload: &Payload<'_>, stream: &Disassembly, regions: &Regions) -> Vec<Fault> {
    let mut faults = Vec::new();
    let driver = &payload.driver;
    let found = driver.stream.words();
    if driver.promised_words != found || driver.trailing > 0 {
        let (promised, trailing) = (driver.promised_words, driver.trailing);
        faults.push(Fault::Length { promised, found, trailing });
    }
    faults.extend(
        stream
            .unknown
            .iter()
            .map(|command| Fault::UnknownCommand { word: command.word, code: command.code }),
    );
    if let Some((word, words)) = stream.undecodable {
        faults.push(Fault::Undecodable { word, words });
    }
    if !matches!(stream.operations.last().map(|last| &last.kind), Some(super::Kind::Stop)) {
        faults.push(Fault::NoStop);
    }
    let unit = driver.configuration;
    let product = unit.and_then(|unit| unit.product()).unwrap_or(Product::U55);
    ranges::check(payload, stream, regions, &mut faults);
    waits::check(stream, product, &mut faults);
    if let Some(unit) = unit.filter(|unit| unit.exists()) {
        overlap::check(stream, unit, &mut faults);
    }
    written::check(payload, stream, regions, &mut faults);
    faults
}
