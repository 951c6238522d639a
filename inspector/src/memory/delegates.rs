//! What delegates need besides what the loader allocates for them.
//!
//! * Ethos-U: scratch memory from the temp allocator at each call, 16-byte
//!   aligned; its size stands in the payload's block `scratch_size`. Fast
//!   scratch memory is a pool of the firmware; how much of it is used follows
//!   from the command stream. The backend's own object is on the heap.
//! * XNNPACK: an executor object in the method allocator, 272 bytes as measured
//!   on x86-64, and weights, workspace and operators on the heap, which are
//!   estimated.

use super::xnnpack;
use crate::ethos_u::{Disassembly, Region};
use et_schema::ethos_u::{self, BACKEND};
use et_schema::layout::{Abi, Object};
use et_schema::pte::{Delegate, File};
use et_schema::xnnpack::Payload;

const XNNPACK: &str = "XnnpackBackend";

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
    /// Bytes of fast scratch memory that the unit uses besides, a pool of the
    /// firmware's own.
    pub fast_scratch: u64,
    /// Bytes that it takes from the heap, estimated within a factor of two, if
    /// anything is known of it.
    pub heap: Option<u64>,
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
            fast_scratch: 0,
            heap: None,
            note: None,
        };
        match id {
            XNNPACK => {
                memory.method_bytes = memory.method_bytes_on(abi);
                memory.scratch = Some(0);
                memory.heap = Payload::parse(payload).ok().map(|graph| xnnpack::heap(&graph, abi));
                memory.note = Some("estimated: packed weights, workspace and operators");
            }
            BACKEND => {
                let named = |key: &str| file.find_named_data(key).ok().flatten();
                match ethos_u::Payload::parse(payload, named) {
                    Ok(payload) => {
                        memory.scratch = Some(payload.scratch.into());
                        memory.fast_scratch = fast_scratch(&payload);
                    }
                    Err(_) => memory.note = Some("the payload cannot be read"),
                }
            }
            _ => memory.note = Some("what this backend takes is not known"),
        }
        memory
    }

    /// Bytes that the backend takes from the method allocator on `abi`, as far
    /// as known.
    pub fn method_bytes_on(&self, abi: Abi) -> u64 {
        if self.id == XNNPACK { Object::XnnExecutor.size_align(abi).0.into() } else { 0 }
    }
}

/// Bytes of fast scratch memory that the stream reaches.
fn fast_scratch(payload: &ethos_u::Payload<'_>) -> u64 {
    let product = payload.driver.configuration.and_then(|unit| unit.product());
    product.map_or(0, |product| Disassembly::new(payload, product).extent(Region::FastScratch))
}
