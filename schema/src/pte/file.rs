//! The container: identifier, extended header, FlatBuffer, segments, and the
//! ways in which a program refers to its constant data.

use super::header::ExtendedHeader;
use super::method::Method;
use crate::bytes::slice;
use crate::error::{Format, ReadError, Result};
use crate::generated::program_generated::executorch_flatbuffer as fb;
use crate::verify;
use alloc::format;
use alloc::string::{String, ToString};
use flatbuffers::Vector;

/// A verified `.pte` file.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    bytes: &'a [u8],
    header: Option<ExtendedHeader>,
    program: fb::Program<'a>,
}

/// One segment of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Offset from the segment base of the extended header.
    pub offset: u64,
    /// Bytes, padding excluded.
    pub size: u64,
}

/// Pieces of one segment, by the offsets at which they start.
#[derive(Clone, Copy, Debug)]
pub struct Subsegments<'a> {
    /// Index of the segment.
    pub segment_index: u32,
    offsets: Vector<'a, u64>,
}

impl<'a> Subsegments<'a> {
    /// Offsets in the segment. Entry 0 is reserved, because
    /// `Tensor.data_buffer_idx` 0 means no data.
    pub fn offsets(&self) -> impl ExactSizeIterator<Item = u64> + use<'a> {
        self.offsets.iter()
    }

    fn new(subsegments: fb::SubsegmentOffsets<'a>) -> Self {
        Subsegments {
            segment_index: subsegments.segment_index(),
            offsets: subsegments.offsets().unwrap_or_default(),
        }
    }
}

/// A blob that delegates and external tensors find by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedData<'a> {
    /// Name.
    pub key: &'a str,
    /// Index of the segment that holds the data.
    pub segment_index: u32,
}

impl<'a> File<'a> {
    /// Checks the container and verifies the FlatBuffer in it.
    ///
    /// The data in segments is not touched, but a file whose segments were cut
    /// off is reported here.
    ///
    /// # Errors
    /// Wrong identifier, damaged header, truncated file, invalid FlatBuffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        verify::identifier(Format::Program, bytes)?;
        let header = ExtendedHeader::parse(bytes)?;
        let flatbuffer = match header {
            Some(header) => check_sizes(bytes, header)?,
            None => bytes,
        };
        let program = verify::root::<fb::Program>(Format::Program, flatbuffer, 0)?;
        let file = File { bytes, header, program };
        if header.is_some_and(|header| header.segment_data_size.is_none()) {
            file.check_segments()?;
        }
        Ok(file)
    }

    /// Headers of older exporters do not say how long the file is; its
    /// segments do.
    fn check_segments(&self) -> Result<()> {
        (0..self.segments().len() as u32).try_for_each(|index| self.segment(index).map(drop))
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The extended header, which files without segments do not have.
    pub fn header(&self) -> Option<ExtendedHeader> {
        self.header
    }

    /// Bytes of the FlatBuffer, without segments.
    pub fn program_size(&self) -> u64 {
        self.header.map_or(self.bytes.len() as u64, |h| h.program_size)
    }

    /// `Program.version`.
    pub fn version(&self) -> u32 {
        self.program.version()
    }

    /// Number of methods.
    pub fn method_count(&self) -> usize {
        self.program.execution_plan().map_or(0, |plans| plans.len())
    }

    /// The methods, in file order.
    pub fn methods(&self) -> impl ExactSizeIterator<Item = Method<'a>> + use<'a> {
        let plans = self.program.execution_plan().unwrap_or_default();
        (0..plans.len()).map(move |i| Method::new(plans.get(i)))
    }

    /// The method of this name.
    pub fn method(&self, name: &str) -> Option<Method<'a>> {
        self.methods().find(|m| m.name() == name)
    }

    /// The segments, in file order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = Segment> + use<'a> {
        let segments = self.program.segments().unwrap_or_default();
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
        let segments = self.program.segments().unwrap_or_default();
        if index as usize >= segments.len() {
            let expected = format!("one of {} segments", segments.len());
            return Err(ReadError::field(Format::Program, place(), expected, "none"));
        }
        let segment = segments.get(index as usize);
        let (offset, size) = (segment.offset(), segment.size());
        let Some(header) = self.header else {
            let expected = "an extended header that says where segments start";
            return Err(ReadError::field(Format::Program, place(), expected, "none"));
        };
        let base = header.segment_base_offset;
        let start = base.checked_add(offset);
        start.and_then(|start| slice(self.bytes, start, size)).ok_or_else(|| {
            let expected = format!("{size} bytes at {base} + {offset}");
            let found = format!("a file of {} bytes (truncated?)", self.bytes.len());
            ReadError::field(Format::Program, place(), expected, found)
        })
    }

    /// Where constants lie in a segment, `None` if the program has no such segment.
    pub fn constant_segment(&self) -> Option<Subsegments<'a>> {
        self.program.constant_segment().map(Subsegments::new)
    }

    /// Where initial values of mutable tensors lie. ExecuTorch's runtime uses the first only.
    pub fn mutable_data_segments(
        &self,
    ) -> impl ExactSizeIterator<Item = Subsegments<'a>> + use<'a> {
        let segments = self.program.mutable_data_segments().unwrap_or_default();
        (0..segments.len()).map(move |i| Subsegments::new(segments.get(i)))
    }

    /// Number of constants inside the FlatBuffer, entry 0 included.
    pub fn inline_constant_count(&self) -> usize {
        self.program.constant_buffer().map_or(0, |buffers| buffers.len())
    }

    /// Whether constants lie in the FlatBuffer (`constant_buffer`, the oldest
    /// layout) instead of in a segment.
    pub fn has_inline_constants(&self) -> bool {
        self.program.constant_segment().and_then(|s| s.offsets()).is_none_or(|o| o.is_empty())
            && self.program.constant_buffer().is_some_and(|b| !b.is_empty())
    }

    /// The `size` bytes of constant `data_buffer_idx` (`Tensor.data_buffer_idx`, from 1).
    ///
    /// # Errors
    /// No such constant, or fewer bytes than asked for.
    pub fn constant(&self, data_buffer_idx: u32, size: u64) -> Result<&'a [u8]> {
        let segment = self.program.constant_segment();
        if let Some((segment, offsets)) =
            segment.and_then(|s| Some((s, s.offsets().filter(|o| !o.is_empty())?)))
        {
            return self.subsegment(
                || format!("constant_segment.offsets[{data_buffer_idx}]"),
                segment.segment_index(),
                (data_buffer_idx as usize) < offsets.len(),
                || offsets.get(data_buffer_idx as usize),
                size,
            );
        }
        let place = || format!("constant_buffer[{data_buffer_idx}]");
        let buffers = self.program.constant_buffer().unwrap_or_default();
        if data_buffer_idx as usize >= buffers.len() {
            return Err(ReadError::field(
                Format::Program,
                place(),
                format!("one of {} buffers", buffers.len()),
                "none",
            ));
        }
        let storage = buffers.get(data_buffer_idx as usize).storage().unwrap_or_default().bytes();
        slice(storage, 0, size).ok_or_else(|| {
            ReadError::field(
                Format::Program,
                place(),
                format!("{size} bytes"),
                format!("{} bytes", storage.len()),
            )
        })
    }

    /// The initial `size` bytes of a mutable tensor.
    ///
    /// ExecuTorch reads all of them from `mutable_data_segments[0]`.
    ///
    /// # Errors
    /// No such entry, or fewer bytes than asked for.
    pub fn mutable_data(&self, data_buffer_idx: u32, size: u64) -> Result<&'a [u8]> {
        let segments = self.program.mutable_data_segments().unwrap_or_default();
        if segments.is_empty() {
            return Err(ReadError::field(
                Format::Program,
                "mutable_data_segments",
                "a segment with the initial data of mutable tensors",
                "none",
            ));
        }
        let segment = segments.get(0);
        let offsets = segment.offsets().unwrap_or_default();
        self.subsegment(
            || format!("mutable_data_segments[0].offsets[{data_buffer_idx}]"),
            segment.segment_index(),
            (data_buffer_idx as usize) < offsets.len(),
            || offsets.get(data_buffer_idx as usize),
            size,
        )
    }

    fn subsegment(
        &self,
        place: impl Fn() -> String,
        segment_index: u32,
        exists: bool,
        offset: impl FnOnce() -> u64,
        size: u64,
    ) -> Result<&'a [u8]> {
        if !exists {
            return Err(ReadError::field(Format::Program, place(), "an offset", "none"));
        }
        let segment = self.segment(segment_index)?;
        let offset = offset();
        slice(segment, offset, size).ok_or_else(|| {
            ReadError::field(
                Format::Program,
                place(),
                format!("{size} bytes at offset {offset} of segment {segment_index}"),
                format!("a segment of {} bytes", segment.len()),
            )
        })
    }

    /// The named data entries, in file order.
    pub fn named_data(&self) -> impl ExactSizeIterator<Item = NamedData<'a>> + use<'a> {
        let entries = self.program.named_data().unwrap_or_default();
        (0..entries.len()).map(move |i| {
            let entry = entries.get(i);
            NamedData { key: entry.key().unwrap_or_default(), segment_index: entry.segment_index() }
        })
    }

    /// The data of this name, `None` if the program has none of it.
    ///
    /// # Errors
    /// Its segment is missing or reaches past the end of the file.
    pub fn find_named_data(&self, key: &str) -> Result<Option<&'a [u8]>> {
        self.named_data()
            .find(|entry| entry.key == key)
            .map(|entry| self.segment(entry.segment_index))
            .transpose()
    }

    /// Number of delegate payloads inside the FlatBuffer.
    pub fn inline_delegate_count(&self) -> usize {
        self.program.backend_delegate_data().map_or(0, |d| d.len())
    }

    /// The delegate payload that lies inside the FlatBuffer at `index`.
    ///
    /// # Errors
    /// No such entry.
    pub fn inline_delegate_data(&self, index: u32) -> Result<&'a [u8]> {
        let data = self.program.backend_delegate_data().unwrap_or_default();
        if index as usize >= data.len() {
            return Err(ReadError::field(
                Format::Program,
                format!("backend_delegate_data[{index}]"),
                format!("one of {} entries", data.len()),
                "none",
            ));
        }
        Ok(data.get(index as usize).data().unwrap_or_default().bytes())
    }
}

/// The FlatBuffer's bytes, after the sizes in the header agree with the file's.
fn check_sizes(bytes: &[u8], header: ExtendedHeader) -> Result<&[u8]> {
    let file_size = format!("a file of {} bytes", bytes.len());
    let flatbuffer = slice(bytes, 0, header.program_size).ok_or_else(|| {
        ReadError::at(
            Format::Program,
            16,
            format!("a FlatBuffer of {} bytes", header.program_size),
            file_size.clone(),
        )
    })?;
    if header.segment_base_offset != 0 && header.segment_base_offset < header.program_size {
        return Err(ReadError::at(
            Format::Program,
            24,
            format!("segments after the FlatBuffer's {} bytes", header.program_size),
            header.segment_base_offset.to_string(),
        ));
    }
    let data_size = header.segment_data_size.unwrap_or(0);
    let end = header.segment_base_offset.checked_add(data_size);
    if end.is_none_or(|end| end > bytes.len() as u64) {
        return Err(ReadError::at(
            Format::Program,
            32,
            format!("{data_size} bytes of segments at {}", header.segment_base_offset),
            format!("{file_size} (truncated?)"),
        ));
    }
    Ok(flatbuffer)
}
