//! Dumps of a device's memory, in the formats that probes and boards write.
//!
//! ```text
//! ELF core or firmware  elf.rs      loadable segments with their addresses
//! Intel HEX             hex.rs      records `:LLAAAATT…CC`
//! Motorola S-records    srecord.rs  records `S1LLAAAA…CC`
//! UF2                   uf2.rs      blocks of 512 bytes
//! UART capture          capture.rs  base64 lines of the Arm runner
//! anything else         raw bytes, whose address is not known
//! ```
//!
//! All of it is untrusted: what cannot be read is left out and said, and the
//! bytes of an image are never more than those of its file.

mod capture;
mod elf;
mod hex;
mod records;
mod srecord;
mod uf2;

use std::borrow::Cow;

/// Format of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Bytes as they lie in memory.
    Raw,
    /// ELF.
    Elf,
    /// Intel HEX.
    IntelHex,
    /// Motorola S-records.
    SRecord,
    /// UF2.
    Uf2,
    /// Text of a serial console with base64 lines.
    Capture,
}

impl Format {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Format::Raw => "raw memory",
            Format::Elf => "ELF",
            Format::IntelHex => "Intel HEX",
            Format::SRecord => "S-records",
            Format::Uf2 => "UF2",
            Format::Capture => "UART capture",
        }
    }
}

/// A piece of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Address of its first byte, if the format has it.
    pub address: Option<u64>,
    /// Name of the file that a capture says it is.
    pub name: Option<String>,
    /// Its bytes.
    pub bytes: Cow<'a, [u8]>,
}

/// A dump, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// Its format.
    pub format: Format,
    /// Its pieces, in file order.
    pub segments: Vec<Segment<'a>>,
    /// What could not be read, and where in the file.
    pub left_out: Vec<String>,
}

impl<'a> Image<'a> {
    /// Takes `bytes` apart, in the format that they are found to have.
    pub fn read(bytes: &'a [u8]) -> Self {
        if bytes.starts_with(b"\x7fELF") {
            return elf::read(bytes);
        }
        if uf2::is(bytes) {
            return uf2::read(bytes);
        }
        let text = if looks_like_text(bytes) { std::str::from_utf8(bytes).ok() } else { None };
        match text {
            Some(text) if hex::is(text) => hex::read(text),
            Some(text) if srecord::is(text) => srecord::read(text),
            Some(_) => capture::read(bytes),
            // A capture may have a few bytes of line noise.
            None if capture::is(bytes) => capture::read(bytes),
            None => Image::raw(bytes),
        }
    }

    fn raw(bytes: &'a [u8]) -> Self {
        let segment = Segment { address: None, name: None, bytes: Cow::Borrowed(bytes) };
        Image { format: Format::Raw, segments: vec![segment], left_out: Vec::new() }
    }

    /// Bytes of all segments.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.bytes.len()).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Printable at its beginning, as hex files and captures are.
fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    head.iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x1b | 0x20..=0x7e | 0x80..))
        && !head.is_empty()
}

#[cfg(test)]
mod tests;
