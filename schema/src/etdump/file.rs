//! The container: identifier, size prefix, runs.

use super::event::Event;
use crate::bytes::{slice, u32_at};
use crate::error::{Format, ReadError, Result};
use crate::generated::etdump_generated::etdump as fb;
use crate::verify;
use alloc::format;

const IDENTIFIER: &[u8] = b"ED00";
const PREFIX: u64 = 4;

/// A verified trace.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    root: fb::ETDump<'a>,
    size_prefixed: bool,
}

impl<'a> File<'a> {
    /// Verifies a trace, with or without a size prefix.
    ///
    /// # Errors
    /// Wrong identifier, truncated file, invalid FlatBuffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let has_identifier = |at: usize| bytes.get(at..at + 4) == Some(IDENTIFIER);
        if has_identifier(8) {
            let root = verify::size_prefixed_root::<fb::ETDump>(Format::EtDump, prefixed(bytes)?)?;
            return Ok(File { root, size_prefixed: true });
        }
        if has_identifier(4) {
            let root = verify::root::<fb::ETDump>(Format::EtDump, bytes, 0)?;
            return Ok(File { root, size_prefixed: false });
        }
        let expected = "file identifier \"ED00\" there or at byte 4".into();
        Err(verify::other_identifier(Format::EtDump, bytes, 8, expected))
    }

    /// Whether the file begins with its size.
    pub fn is_size_prefixed(&self) -> bool {
        self.size_prefixed
    }

    /// `ETDump.version`
    pub fn version(&self) -> u32 {
        self.root.version()
    }

    /// The runs, in file order.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = Run<'a>> + use<'a> {
        let runs = self.root.run_data().unwrap_or_default();
        (0..runs.len()).map(move |i| Run { run: runs.get(i) })
    }
}

/// The prefix and as many bytes as it says.
fn prefixed(bytes: &[u8]) -> Result<&[u8]> {
    let size = u64::from(u32_at(bytes, 0).unwrap_or(0));
    slice(bytes, 0, PREFIX + size).ok_or_else(|| {
        ReadError::at(
            Format::EtDump,
            0,
            format!("{size} bytes after the size prefix"),
            format!("{} (truncated?)", bytes.len() as u64 - PREFIX),
        )
    })
}

/// A block of events: `Default` while a method loads, `Execute` for each execution.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    run: fb::RunData<'a>,
}

impl<'a> Run<'a> {
    /// Name of the block.
    pub fn name(&self) -> &'a str {
        self.run.name().unwrap_or_default()
    }

    /// Index of the bundled input, `None` if none was used.
    pub fn bundled_input_index(&self) -> Option<u32> {
        u32::try_from(self.run.bundled_input_index()).ok()
    }

    /// Names of the allocators; allocation events count them from 1.
    pub fn allocators(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let allocators = self.run.allocators().unwrap_or_default();
        (0..allocators.len()).map(move |i| allocators.get(i).name().unwrap_or_default())
    }

    /// The events, in the order in which they were logged.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Event<'a>> + use<'a> {
        let events = self.run.events().unwrap_or_default();
        (0..events.len()).map(move |i| Event::new(events.get(i)))
    }
}
