//! Bounded verification of FlatBuffers.
//!
//! The `flatbuffers` verifier walks every table before anything is read. Its
//! default limits are absolute, so they refuse large honest files and let a
//! small crafted one cost far more than its size; these are derived from the
//! size instead.

use crate::error::{Format, ReadError, Result};
use alloc::format;
use flatbuffers::{Follow, InvalidFlatbuffer, Verifiable, VerifierOptions};

/// No format of ours nests deeper than a dozen tables.
const MAX_DEPTH: usize = 64;

/// Strings and vectors may be shared between tables, so the bytes visited may
/// exceed the file; a file that visits this many times its size is crafted.
const MAX_SHARING: usize = 16;

fn options(len: usize) -> VerifierOptions {
    VerifierOptions {
        max_depth: MAX_DEPTH,
        // A table is at least its 4-byte offset to the vtable.
        max_tables: len / 4 + 1,
        max_apparent_size: len.saturating_mul(MAX_SHARING).saturating_add(4096),
        ..VerifierOptions::default()
    }
}

/// The verified root table of `bytes`, where byte 0 of `bytes` is byte
/// `origin` of the file.
pub(crate) fn root<'a, T>(format: Format, bytes: &'a [u8], origin: u64) -> Result<T::Inner>
where
    T: Follow<'a> + Verifiable + 'a,
{
    flatbuffers::root_with_opts::<T>(&options(bytes.len()), bytes)
        .map_err(|e| damaged(format, &e, origin))
}

/// As [`root`], for a FlatBuffer that begins with its own size.
pub(crate) fn size_prefixed_root<'a, T>(format: Format, bytes: &'a [u8]) -> Result<T::Inner>
where
    T: Follow<'a> + Verifiable + 'a,
{
    flatbuffers::size_prefixed_root_with_opts::<T>(&options(bytes.len()), bytes)
        .map_err(|e| damaged(format, &e, 0))
}

fn damaged(format: Format, error: &InvalidFlatbuffer, origin: u64) -> ReadError {
    use InvalidFlatbuffer as E;
    let (offset, expected, found) = match error {
        E::MissingRequiredField { required, .. } => {
            (0, format!("required field {required}"), "no such field".into())
        }
        E::InconsistentUnion { field, .. } => {
            (0, format!("union {field} with both tag and value"), "only one of them".into())
        }
        E::Utf8Error { range, .. } => (range.start, "UTF-8 text".into(), "other bytes".into()),
        E::MissingNullTerminator { range, .. } => {
            (range.start, "a string that ends in a zero byte".into(), "none".into())
        }
        E::Unaligned { position, unaligned_type, .. } => {
            (*position, format!("an aligned {unaligned_type}"), "a misaligned one".into())
        }
        E::RangeOutOfBounds { range, .. } => (
            range.start,
            "data inside the file".into(),
            format!("a range that ends at byte {}", origin.saturating_add(range.end as u64)),
        ),
        E::SignedOffsetOutOfBounds { soffset, position, .. } => {
            (*position, "a vtable inside the file".into(), format!("offset {soffset}, outside"))
        }
        E::TooManyTables => (0, "at most one table per 4 bytes".into(), "more".into()),
        E::ApparentSizeTooLarge => (
            0,
            format!("tables that share less than {MAX_SHARING} times the file's size"),
            "more".into(),
        ),
        E::DepthLimitReached => {
            (0, format!("tables nested at most {MAX_DEPTH} deep"), "deeper ones".into())
        }
    };
    ReadError::at(format, origin.saturating_add(offset as u64), expected, found)
}
