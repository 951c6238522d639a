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
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is: `model`, `trace`, …
    pub role: &'static str,
    /// Name as the user gave it.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Input {
    /// The input `bytes`.
    pub fn new(role: &'static str, name: impl Into<String>, bytes: &[u8]) -> Self {
        Input { role, name: name.into(), bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// SHA-256 as a content security policy names it, in base64 (RFC 4648).
pub fn policy_hash(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("sha256-");
    for group in Sha256::digest(bytes).chunks(3) {
        let bits = (0..3).fold(0u32, |bits, i| bits << 8 | u32::from(*group.get(i).unwrap_or(&0)));
        for digit in 0..4 {
            let is_padding = digit > group.len();
            let index = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if is_padding { '=' } else { char::from(DIGITS[index]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180-4, and the hash of nothing as browsers print it.
    #[test]
    fn hashes_are_those_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        assert_eq!(policy_hash(b""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
