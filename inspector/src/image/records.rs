//! Records with an address, put together where they follow each other.

use super::{Format, Image, Segment};
use std::borrow::Cow;

/// Problems that are listed one by one.
const LISTED: usize = 8;

/// An image in the making.
pub(super) struct Records {
    segments: Vec<(u64, Vec<u8>)>,
    left_out: Vec<String>,
    problems: usize,
}

impl Records {
    pub fn new() -> Self {
        Records { segments: Vec::new(), left_out: Vec::new(), problems: 0 }
    }

    /// Adds a record.
    pub fn push(&mut self, address: u64, data: &[u8]) {
        match self.segments.last_mut() {
            Some((start, bytes)) if start.checked_add(bytes.len() as u64) == Some(address) => {
                bytes.extend_from_slice(data);
            }
            _ => self.segments.push((address, data.to_vec())),
        }
    }

    /// Notes what could not be read.
    pub fn problem(&mut self, message: String) {
        self.problems += 1;
        if self.problems <= LISTED {
            self.left_out.push(message);
        }
    }

    pub fn finish(mut self, format: Format) -> Image<'static> {
        if self.problems > LISTED {
            self.left_out.push(format!("{} more of this kind", self.problems - LISTED));
        }
        let segments = self.segments.into_iter().map(|(address, bytes)| Segment {
            address: Some(address),
            name: None,
            bytes: Cow::Owned(bytes),
        });
        Image { format, segments: segments.collect(), left_out: self.left_out }
    }
}

/// The bytes of hexadecimal `digits`.
pub(super) fn decode(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |c: u8| (c as char).to_digit(16);
    digits.chunks(2).map(|pair| Some((value(pair[0])? << 4 | value(pair[1])?) as u8)).collect()
}
