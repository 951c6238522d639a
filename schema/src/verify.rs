//! Bounded verification of FlatBuffers.
//!
//! The `flatbuffers` verifier walks every table before anything is read. Its
//! default limits are absolute, so they refuse large honest files and let a
//! small crafted one cost far more than its size; these are derived from the
//! size instead.
//!
//! Alignment is checked relative to the start of the buffer, and scalars are
//! read byte by byte: where the buffer lies in memory does not matter.

use crate::error::{Format, ReadError, Result};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use core::marker::PhantomData;
use flatbuffers::{
    ErrorTraceDetail, Follow, InvalidFlatbuffer, SIZE_UOFFSET, Verifiable, Verifier,
    VerifierOptions,
};

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

/// Checks that `bytes` carry the FlatBuffers identifier of `format`, at byte 4.
pub(crate) fn identifier(format: Format, bytes: &[u8]) -> Result<()> {
    let wanted = format.identifier();
    if bytes.get(4..8) == Some(wanted) {
        return Ok(());
    }
    let expected = format!("file identifier \"{}\"", wanted.escape_ascii());
    Err(other_identifier(format, bytes, 4, expected))
}

/// That `bytes` do not carry the identifier of `format` at byte `at`.
pub(crate) fn other_identifier(
    format: Format,
    bytes: &[u8],
    at: usize,
    expected: String,
) -> ReadError {
    let Some(found) = bytes.get(at..at + 4) else {
        let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
        let expected = format!("at least {} bytes", at + 4);
        return ReadError::at(format, 0, expected, format!("{} {unit}", bytes.len()));
    };
    let mut found = format!("\"{}\"", found.escape_ascii());
    if let Some(other) = Format::detect(bytes).filter(|other| *other != format) {
        let _ = write!(found, " of another format: {other}");
    }
    ReadError::at(format, at as u64, expected, found)
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

/// Verifies a vector of numbers wherever it lies: flatc leaves empty vectors
/// of 64-bit numbers misaligned. The generated code is adapted to use it
/// (`schema/codegen/src/adapt.rs`).
pub(crate) struct Scalars<T>(PhantomData<T>);

impl<T> Verifiable for Scalars<T> {
    fn run_verifier(
        v: &mut Verifier<'_, '_>,
        pos: usize,
    ) -> core::result::Result<(), InvalidFlatbuffer> {
        let count = v.get_uoffset(pos)? as usize;
        let size = count.saturating_mul(size_of::<T>());
        v.range_in_buffer(pos.saturating_add(SIZE_UOFFSET), size)
    }
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
            (range.end, "a zero byte after the text".into(), "none".into())
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
    let offset = origin.saturating_add(offset as u64);
    ReadError::at_field(format, offset, path(trace(error)), expected, found)
}

/// The tables and fields around the fault, from the inside out.
fn trace(error: &InvalidFlatbuffer) -> &[ErrorTraceDetail] {
    use InvalidFlatbuffer as E;
    match error {
        E::MissingRequiredField { error_trace, .. }
        | E::InconsistentUnion { error_trace, .. }
        | E::Utf8Error { error_trace, .. }
        | E::MissingNullTerminator { error_trace, .. }
        | E::Unaligned { error_trace, .. }
        | E::RangeOutOfBounds { error_trace, .. }
        | E::SignedOffsetOutOfBounds { error_trace, .. } => error_trace.as_ref(),
        E::TooManyTables | E::ApparentSizeTooLarge | E::DepthLimitReached => &[],
    }
}

/// The way from the root to the fault, such as `execution_plan[0].values[3].val`.
fn path(trace: &[ErrorTraceDetail]) -> String {
    let mut path = String::new();
    for detail in trace.iter().rev() {
        match detail {
            ErrorTraceDetail::TableField { field_name, .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(field_name.as_ref());
            }
            ErrorTraceDetail::VectorElement { index, .. } => {
                let _ = write!(path, "[{index}]");
            }
            // The field already says which union; its variant adds nothing.
            ErrorTraceDetail::UnionVariant { .. } => {}
        }
    }
    path
}
