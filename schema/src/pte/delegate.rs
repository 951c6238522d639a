//! Delegates: backend, payload and compile specs.

use super::file::File;
use crate::error::{Format, ReadError, Result};
use crate::generated::program_generated::executorch_flatbuffer as fb;
use alloc::string::ToString;

/// A part of the method that a backend runs.
#[derive(Clone, Copy, Debug)]
pub struct Delegate<'a> {
    delegate: fb::BackendDelegate<'a>,
}

/// Where the payload that the backend made ahead of time lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processed {
    /// Inside the FlatBuffer, `backend_delegate_data[index]`.
    Inline(u32),
    /// In segment `index`.
    Segment(u32),
}

/// A setting given to the backend at export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileSpec<'a> {
    /// Name.
    pub key: &'a str,
    /// Bytes, often text.
    pub value: &'a [u8],
}

impl<'a> Delegate<'a> {
    pub(super) fn new(delegate: fb::BackendDelegate<'a>) -> Self {
        Delegate { delegate }
    }

    /// Backend name, such as `XnnpackBackend`.
    pub fn id(&self) -> &'a str {
        self.delegate.id().unwrap_or_default()
    }

    /// Where the payload lies, `None` if the field is missing.
    pub fn processed(&self) -> Option<Processed> {
        let reference = self.delegate.processed()?;
        Some(match reference.location() {
            fb::DataLocation::SEGMENT => Processed::Segment(reference.index()),
            _ => Processed::Inline(reference.index()),
        })
    }

    /// The payload's bytes in `file`.
    ///
    /// # Errors
    /// No payload is named, or it is not in the file.
    pub fn payload(&self, file: &File<'a>) -> Result<&'a [u8]> {
        match self.processed() {
            Some(Processed::Inline(index)) => file.inline_delegate_data(index),
            Some(Processed::Segment(index)) => file.segment(index),
            None => Err(ReadError::field(
                Format::Program,
                "delegates[].processed".to_string(),
                "a reference to the payload",
                "none",
            )),
        }
    }

    /// Whether the file has the field of compile specs at all.
    pub fn has_compile_specs(&self) -> bool {
        self.delegate.compile_specs().is_some()
    }

    /// The compile specs.
    pub fn compile_specs(&self) -> impl ExactSizeIterator<Item = CompileSpec<'a>> + use<'a> {
        let specs = self.delegate.compile_specs().unwrap_or_default();
        (0..specs.len()).map(move |i| {
            let spec = specs.get(i);
            CompileSpec {
                key: spec.key().unwrap_or_default(),
                value: spec.value().unwrap_or_default().bytes(),
            }
        })
    }
}
