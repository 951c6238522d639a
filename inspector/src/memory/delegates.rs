//! What delegates need besides what the loader allocates for them.
//!
//! * Ethos-U: scratch memory from the temp allocator at each call, 16-byte
//!   aligned; its size stands in the payload's block `scratch_size`. The
//!   backend's own object is on the heap.
//! * XNNPACK: an executor object in the method allocator, 272 bytes as measured
//!   on x86-64, and weights, workspace and operators on the heap, of which the
//!   payload says nothing.

use et_schema::layout::Abi;
use et_schema::pte::{Delegate, File};

const XNNPACK: &str = "XnnpackBackend";

/// Bytes of XNNPACK's executor object, measured on x86-64.
const XNNPACK_EXECUTOR: u64 = 272;

/// Header of a block of an Ethos-U payload: 16 bytes of name, the unpadded
/// size, a flag whether the data lies elsewhere, 11 reserved bytes.
const VELA_HEADER: usize = 32;

/// A delegate and its needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegateMemory {
    /// Backend.
    pub id: String,
    /// Bytes of the payload in the program.
    pub payload: u64,
    /// Bytes that the backend takes from the method allocator, as far as known.
    pub method_bytes: u64,
    /// Bytes that it takes from the temp allocator at each call, if known.
    pub scratch: Option<u64>,
    /// What is not known.
    pub note: Option<&'static str>,
}

impl DelegateMemory {
    /// Needs of `delegate` of `file` on `abi`.
    pub fn new(file: &File<'_>, delegate: &Delegate<'_>, abi: Abi) -> Self {
        let payload = delegate.payload(file).unwrap_or_default();
        let id = delegate.id();
        let mut memory = DelegateMemory {
            id: id.to_owned(),
            payload: payload.len() as u64,
            method_bytes: 0,
            scratch: None,
            note: None,
        };
        match id {
            XNNPACK => {
                memory.method_bytes = memory.method_bytes_on(abi);
                memory.scratch = Some(0);
                memory.note = Some("XNNPACK takes weights and workspace from the heap");
            }
            "EthosUBackend" => {
                memory.scratch = vela_scratch(payload);
                if memory.scratch.is_none() {
                    memory.note = Some("the payload has no block scratch_size");
                }
            }
            _ => memory.note = Some("what this backend takes is not known"),
        }
        memory
    }

    /// Bytes that the backend takes from the method allocator on `abi`, as far
    /// as known.
    pub fn method_bytes_on(&self, abi: Abi) -> u64 {
        if self.id == XNNPACK && !abi.is_32_bit() { XNNPACK_EXECUTOR } else { 0 }
    }
}

/// The scratch size in an Ethos-U payload.
fn vela_scratch(payload: &[u8]) -> Option<u64> {
    let mut rest = payload;
    while rest.len() >= VELA_HEADER {
        let (header, data) = rest.split_at(VELA_HEADER);
        let name = header[..16].split(|byte| *byte == 0).next().unwrap_or_default();
        let size = u32::from_le_bytes(header[16..20].try_into().ok()?) as usize;
        if name == b"scratch_size" {
            return Some(u32::from_le_bytes(data.get(..4)?.try_into().ok()?).into());
        }
        if name == b"vela_end_stream" {
            return None;
        }
        rest = data.get(size.checked_next_multiple_of(16)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::vela_scratch;

    fn block(name: &str, data: &[u8]) -> Vec<u8> {
        let mut block = name.as_bytes().to_vec();
        block.resize(16, 0);
        block.extend((data.len() as u32).to_le_bytes());
        block.resize(32, 0);
        block.extend(data);
        block.resize(32 + data.len().next_multiple_of(16), 0);
        block
    }

    #[test]
    fn scratch_size_is_found_behind_other_blocks() {
        let mut payload = block("vela_bin_stream", &[]);
        payload.extend(block("cmd_data", &[1; 20]));
        payload.extend(block("scratch_size", &4096u32.to_le_bytes()));
        payload.extend(block("vela_end_stream", &[]));
        assert_eq!(vela_scratch(&payload), Some(4096));
    }

    #[test]
    fn damaged_payloads_have_none() {
        let mut payload = block("cmd_data", &[0; 4]);
        payload[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(vela_scratch(&payload), None);
        assert_eq!(vela_scratch(&payload[..31]), None);
        assert_eq!(vela_scratch(&[]), None);
    }
}
