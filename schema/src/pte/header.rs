//! The extended header `eh00`, which follows the FlatBuffer's root offset and
//! identifier in programs that have segments.
//!
//! ```text
//! byte  0  u32  root table offset
//! byte  4  4    "ET12"
//! byte  8  4    "eh00"
//! byte 12  u32  header length: 24, or 32 with the segment data size
//! byte 16  u64  size of the FlatBuffer
//! byte 24  u64  where segments start
//! byte 32  u64  bytes of all segments (length 32 only)
//! ```

use crate::bytes::{u32_at, u64_at};
use crate::error::{Format, ReadError, Result};
use alloc::format;
use alloc::string::ToString;

/// `File::parse` needs the root offset and the identifier.
const MIN_FILE: usize = 8;
const MAGIC: &[u8] = b"eh00";
const MIN_LENGTH: u32 = 24;
const LENGTH_WITH_DATA_SIZE: u32 = 32;

/// Where the parts of a program file lie, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedHeader {
    /// Length of the header's own fields.
    pub length: u32,
    /// Size of the FlatBuffer at the start of the file, header included.
    pub program_size: u64,
    /// Offset of the first segment, 0 if there are none.
    pub segment_base_offset: u64,
    /// Size of all segments; absent in files of older exporters.
    pub segment_data_size: Option<u64>,
}

impl ExtendedHeader {
    /// The header of `bytes`, `None` if the file has none, an error if it has a damaged one.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        if bytes.get(MIN_FILE..MIN_FILE + 4) != Some(MAGIC) {
            return Ok(None);
        }
        let truncated = |offset: usize| {
            ReadError::at(
                Format::Program,
                offset as u64,
                "an extended header of at least 24 bytes",
                format!("the end of the file at byte {}", bytes.len()),
            )
        };
        let length = u32_at(bytes, 12).ok_or_else(|| truncated(12))?;
        if length < MIN_LENGTH {
            return Err(ReadError::at(
                Format::Program,
                12,
                "an extended header length of at least 24",
                length.to_string(),
            ));
        }
        let segment_data_size = if length >= LENGTH_WITH_DATA_SIZE {
            Some(u64_at(bytes, 32).ok_or_else(|| truncated(32))?)
        } else {
            None
        };
        Ok(Some(ExtendedHeader {
            length,
            program_size: u64_at(bytes, 16).ok_or_else(|| truncated(16))?,
            segment_base_offset: u64_at(bytes, 24).ok_or_else(|| truncated(24))?,
            segment_data_size,
        }))
    }
}
