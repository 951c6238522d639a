//! The header `FH01`, which follows the FlatBuffer's root offset and
//! identifier in every tensor data file.
//!
//! ```text
//! byte  0  u32  root table offset
//! byte  4  4    "FT01"
//! byte  8  4    "FH01"
//! byte 12  u32  header length: 40 or more
//! byte 16  u64  where the FlatBuffer's tables start
//! byte 24  u64  bytes of those tables
//! byte 32  u64  where segments start
//! byte 40  u64  bytes of all segments
//! ```
//!
//! Offsets inside the FlatBuffer count from byte 0 of the file, not from the
//! start of its tables.

use crate::bytes::{u32_at, u64_at};
use crate::error::{Format, ReadError, Result};
use alloc::format;
use alloc::string::ToString;

const MAGIC_AT: u64 = 8;
const MAGIC: &[u8; 4] = b"FH01";
const MIN_LENGTH: u32 = 40;

/// Where the parts of a tensor data file lie, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the header's own fields.
    pub length: u32,
    /// Offset of the FlatBuffer's tables.
    pub flatbuffer_offset: u64,
    /// Size of the FlatBuffer's tables.
    pub flatbuffer_size: u64,
    /// Offset of the first segment.
    pub segment_base_offset: u64,
    /// Size of all segments.
    pub segment_data_size: u64,
}

impl Header {
    /// The header of `bytes`, which ExecuTorch requires.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let truncated = || {
            let found = format!("the end of the file at byte {}", bytes.len());
            ReadError::at(Format::FlatTensor, MAGIC_AT, "a header of 40 bytes", found)
        };
        let magic = bytes.get(8..12).ok_or_else(truncated)?;
        if magic != MAGIC {
            let found = format!("\"{}\"", magic.escape_ascii());
            return Err(ReadError::at(Format::FlatTensor, MAGIC_AT, "header \"FH01\"", found));
        }
        let length = u32_at(bytes, 12).ok_or_else(truncated)?;
        if length < MIN_LENGTH {
            let expected = "a header length of at least 40";
            return Err(ReadError::at(Format::FlatTensor, 12, expected, length.to_string()));
        }
        let field = |at| u64_at(bytes, at).ok_or_else(truncated);
        Ok(Header {
            length,
            flatbuffer_offset: field(16)?,
            flatbuffer_size: field(24)?,
            segment_base_offset: field(32)?,
            segment_data_size: field(40)?,
        })
    }
}
