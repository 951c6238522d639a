//! The debug buffer: the bytes of logged tensors, beside the trace.

use alloc::vec::Vec;

/// Alignment of each tensor (`BufferDataSink`'s default in ExecuTorch).
const ALIGNMENT: usize = 64;

/// Bytes of tensors, each at a multiple of 64.
#[derive(Clone, Debug, Default)]
pub(crate) struct DebugBuffer {
    bytes: Vec<u8>,
    limit: Option<usize>,
}

impl DebugBuffer {
    /// A buffer that takes at most `limit` bytes, or any number.
    pub fn new(limit: Option<usize>) -> Self {
        DebugBuffer { bytes: Vec::new(), limit }
    }

    /// Appends `data` and returns its offset; `None` if it does not fit.
    pub fn push(&mut self, data: &[u8]) -> Option<usize> {
        let offset = self.bytes.len().next_multiple_of(ALIGNMENT);
        let end = offset.checked_add(data.len())?;
        if self.limit.is_some_and(|limit| end > limit) {
            return None;
        }
        self.bytes.resize(offset, 0);
        self.bytes.extend_from_slice(data);
        Some(offset)
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
