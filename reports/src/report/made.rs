//! What a report was made of: enough to make it again.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Version, inputs and options. No time and no place: the same inputs make
/// the same report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Version of the program that made it.
    pub version: String,
    /// The files.
    pub inputs: Vec<Input>,
    /// Options that decide what is in the report.
    pub options: Vec<String>,
    /// The command line that makes it again, without where it is written to.
    pub command: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is: `model`, `trace`, …
    pub role: &'static str,
    /// Name as the user gave it.
    pub name: String,
    /// What marks its format: a file identifier, or the schema of a document.
    pub format: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Input {
    /// The input `bytes`.
    pub fn new(role: &'static str, name: impl Into<String>, bytes: &[u8]) -> Self {
        let (name, format) = (name.into(), format(bytes));
        Input { role, name, format, bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

/// Letters at the beginning of a document in which its schema is looked for.
const START: usize = 200;

/// What marks the format of a file: FlatBuffers' identifier, also behind a size
/// (<https://flatbuffers.dev/internals/>), of a ZIP archive its name, of our own
/// documents their schema.
fn format(bytes: &[u8]) -> String {
    if bytes.starts_with(b"PK\x03\x04") {
        return "ZIP".to_owned();
    }
    if bytes.starts_with(b"{") {
        let start = String::from_utf8_lossy(bytes.get(..START).unwrap_or(bytes));
        let mut schema = start.split('"').filter(|text| text.starts_with("etinspect."));
        return schema.next().unwrap_or("JSON").to_owned();
    }
    let is_mark = |mark: &&[u8]| mark.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let marks = [bytes.get(4..8), bytes.get(8..12)].into_iter().flatten();
    let mark = marks.filter(is_mark).find(|mark| mark[0].is_ascii_uppercase());
    mark.map(|mark| String::from_utf8_lossy(mark).into_owned()).unwrap_or_default()
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180-4.
    #[test]
    fn hashes_are_those_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }

    #[test]
    fn formats_are_told_by_their_marks() {
        let of = |bytes: &[u8]| Input::new("input", "x", bytes).format;
        assert_eq!(of(b"\x08\0\0\0ET12\0\0\0\0"), "ET12");
        assert_eq!(of(b"\x08\0\0\0\x10\0\0\0ED00"), "ED00");
        assert_eq!(of(b"PK\x03\x04"), "ZIP");
        assert_eq!(of(b"{\n \"schema\": \"etinspect.baseline/1\""), "etinspect.baseline/1");
        assert_eq!([of(b""), of(b"program = 1\n"), of(&[0xff; 16])], ["", "", ""]);
    }
}
