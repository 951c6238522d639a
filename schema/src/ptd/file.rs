//! The container: identifier, header, FlatBuffer and segments.

use super::data::NamedData;
use super::header::Header;
use crate::bytes::slice;
use crate::error::{Format, ReadError, Result};
use crate::generated::flat_tensor_generated::flat_tensor_flatbuffer as fb;
use crate::verify;
use alloc::format;
use alloc::string::ToString;

/// A verified `.ptd` file.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    bytes: &'a [u8],
    header: Header,
    root: fb::FlatTensor<'a>,
}

/// One segment of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Offset from the header's segment base.
    pub offset: u64,
    /// Bytes, padding excluded.
    pub size: u64,
}

impl<'a> File<'a> {
    /// Checks the container and verifies the FlatBuffer in it.
    ///
    /// # Errors
    /// Wrong identifier, missing or damaged header, truncated file, invalid FlatBuffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        verify::identifier(Format::FlatTensor, bytes)?;
        let header = Header::parse(bytes)?;
        let flatbuffer = check_sizes(bytes, header)?;
        let root = verify::root::<fb::FlatTensor>(Format::FlatTensor, flatbuffer, 0)?;
        Ok(File { bytes, header, root })
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// `FlatTensor.version`.
    pub fn version(&self) -> u32 {
        self.root.version()
    }

    /// The segments, in file order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = Segment> + use<'a> {
        let segments = self.root.segments().unwrap_or_default();
        (0..segments.len()).map(move |i| {
            let segment = segments.get(i);
            Segment { offset: segment.offset(), size: segment.size() }
        })
    }

    /// The bytes of segment `index`.
    ///
    /// # Errors
    /// No such segment, or it reaches past the end of the file.
    pub fn segment(&self, index: u32) -> Result<&'a [u8]> {
        let place = || format!("segments[{index}]");
        let segments = self.root.segments().unwrap_or_default();
        if index as usize >= segments.len() {
            let expected = format!("one of {} segments", segments.len());
            return Err(ReadError::field(Format::FlatTensor, place(), expected, "none"));
        }
        let segment = segments.get(index as usize);
        let (base, size) = (self.header.segment_base_offset, segment.size());
        base.checked_add(segment.offset())
            .and_then(|start| slice(self.bytes, start, size))
            .ok_or_else(|| {
                let expected = format!("{size} bytes at {base} + {}", segment.offset());
                let found = format!("a file of {} bytes", self.bytes.len());
                ReadError::field(Format::FlatTensor, place(), expected, found)
            })
    }

    /// The named entries, in file order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = NamedData<'a>> + use<'a> {
        let entries = self.root.named_data().unwrap_or_default();
        (0..entries.len()).map(move |i| NamedData::new(entries.get(i)))
    }

    /// The first entry of this name.
    pub fn find(&self, key: &str) -> Option<NamedData<'a>> {
        self.entries().find(|entry| entry.key() == key)
    }

    /// The data of `entry`.
    ///
    /// # Errors
    /// Its segment is missing, reaches past the end of the file, or is smaller
    /// than the tensor.
    pub fn data(&self, entry: &NamedData<'a>) -> Result<&'a [u8]> {
        let segment = self.segment(entry.segment_index())?;
        let Some(layout) = entry.tensor_layout() else { return Ok(segment) };
        let nbytes = layout.nbytes();
        nbytes.and_then(|nbytes| slice(segment, 0, nbytes)).ok_or_else(|| {
            ReadError::field(
                Format::FlatTensor,
                format!("named_data {:?}", entry.key()),
                nbytes.map_or_else(
                    || "a known element type and sizes that fit".to_string(),
                    |nbytes| format!("a tensor of {nbytes} bytes"),
                ),
                format!("segment {} of {} bytes", entry.segment_index(), segment.len()),
            )
        })
    }
}

/// The FlatBuffer's bytes, after the sizes in the header agree with the file's.
fn check_sizes(bytes: &[u8], header: Header) -> Result<&[u8]> {
    let file_size = format!("a file of {} bytes (truncated?)", bytes.len());
    let flatbuffer = header
        .flatbuffer_offset
        .checked_add(header.flatbuffer_size)
        .and_then(|end| slice(bytes, 0, end))
        .ok_or_else(|| {
            let expected = format!(
                "a FlatBuffer of {} bytes at {}",
                header.flatbuffer_size, header.flatbuffer_offset
            );
            ReadError::at(Format::FlatTensor, 16, expected, file_size.clone())
        })?;
    let end = header.segment_base_offset.checked_add(header.segment_data_size);
    if end.is_none_or(|end| end > bytes.len() as u64) {
        let expected = format!(
            "{} bytes of segments at {}",
            header.segment_data_size, header.segment_base_offset
        );
        return Err(ReadError::at(Format::FlatTensor, 32, expected, file_size));
    }
    Ok(flatbuffer)
}
