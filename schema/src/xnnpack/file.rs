//! The container: header, FlatBuffer, constants.

use super::node::Node;
use super::value::Value;
use crate::bytes::{slice, u32_at, u64_at};
use crate::error::{Format, ReadError, Result};
use crate::generated::xnnpack_generated::xnnpack_flatbuffer as fb;
use crate::verify;
use alloc::format;

/// Magic of the header, at byte 4: where a FlatBuffer has its identifier.
const MAGIC: &[u8; 4] = b"XH00";

/// Bytes of the header.
const HEADER: usize = 30;

/// A verified payload.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    root: fb::Graph<'a>,
    constants: &'a [u8],
}

/// Where a constant's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant<'a> {
    /// In the payload.
    Bytes(&'a [u8]),
    /// In the program's named data.
    Named {
        /// Key of the named data.
        key: &'a str,
        /// Bytes in use.
        size: u64,
    },
}

impl<'a> Payload<'a> {
    /// Verifies header and FlatBuffer.
    ///
    /// # Errors
    /// Neither magic, offsets outside the payload, or an invalid FlatBuffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let (flatbuffer, origin, constants) = match bytes.get(4..8) {
            Some(magic) if magic == MAGIC => split(bytes)?,
            _ => (bytes, 0, &bytes[..0]),
        };
        match flatbuffer.get(4..8) {
            Some(b"XN00" | b"XN01") => {}
            found => {
                let found = found.map_or_else(
                    || format!("{} bytes", flatbuffer.len()),
                    |found| format!("\"{}\"", found.escape_ascii()),
                );
                let expected = "file identifier \"XN00\" or \"XN01\"";
                return Err(ReadError::at(Format::Xnnpack, origin + 4, expected, found));
            }
        }
        let root = verify::root::<fb::Graph>(Format::Xnnpack, flatbuffer, origin)?;
        Ok(Payload { root, constants })
    }

    /// The schema's version, as the exporter wrote it.
    pub fn version(&self) -> &'a str {
        self.root.version().unwrap_or_default()
    }

    /// How many external values there are; their ids are below.
    pub fn external_count(&self) -> u32 {
        self.root.num_externs()
    }

    /// External ids of the inputs: indexes into the delegate call's arguments.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.root.input_ids().unwrap_or_default().iter()
    }

    /// External ids of the outputs.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.root.output_ids().unwrap_or_default().iter()
    }

    /// Values, in file order; nodes name them by [`Value::id`].
    pub fn values(&self) -> impl ExactSizeIterator<Item = Value<'a>> + use<'a> {
        self.root.xvalues().unwrap_or_default().iter().map(Value::new)
    }

    /// Nodes, in the order in which they run.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = Node<'a>> + use<'a> {
        self.root.xnodes().unwrap_or_default().iter().map(Node::new)
    }

    /// The constant `index`; 0 stands for none.
    ///
    /// # Errors
    /// No such constant, or it reaches past the end of the payload.
    pub fn constant(&self, index: u32) -> Result<Option<Constant<'a>>> {
        if index == 0 {
            return Ok(None);
        }
        let table = self.root.constant_data().unwrap_or_default();
        if !table.is_empty() {
            if index as usize >= table.len() {
                return Err(missing("constant_data", index, table.len()));
            }
            let entry = table.get(index as usize);
            let (offset, size) = (entry.offset(), entry.size());
            if let Some(key) = entry.named_key().filter(|key| !key.is_empty()) {
                return Ok(Some(Constant::Named { key, size }));
            }
            return match slice(self.constants, offset, size) {
                Some(bytes) => Ok(Some(Constant::Bytes(bytes))),
                None => {
                    let expected = format!("{size} bytes at {offset}");
                    let found = format!("{} bytes of constants", self.constants.len());
                    let place = format!("constant_data[{index}]");
                    Err(ReadError::field(Format::Xnnpack, place, expected, found))
                }
            };
        }
        let buffers = self.root.constant_buffer().unwrap_or_default();
        if index as usize >= buffers.len() {
            return Err(missing("constant_buffer", index, buffers.len()));
        }
        let storage = buffers.get(index as usize).storage().unwrap_or_default();
        Ok(Some(Constant::Bytes(storage.bytes())))
    }
}

fn missing(table: &str, index: u32, len: usize) -> ReadError {
    let expected = format!("one of {len} constants");
    ReadError::field(Format::Xnnpack, format!("{table}[{index}]"), expected, "none")
}

/// FlatBuffer, its offset, and constants of a payload with a header.
fn split(bytes: &[u8]) -> Result<(&[u8], u64, &[u8])> {
    if bytes.len() < HEADER {
        let expected = format!("a header of {HEADER} bytes");
        return Err(ReadError::at(Format::Xnnpack, 8, expected, format!("{}", bytes.len())));
    }
    // Two bytes of length first: the fields behind them are not aligned.
    let field = |at| u64::from(u32_at(bytes, at).unwrap_or_default());
    let (offset, size) = (field(10), field(14));
    let (constants, constant_size) = (field(18), u64_at(bytes, 22).unwrap_or_default());
    let part = |what, at, offset, size| {
        slice(bytes, offset, size).ok_or_else(|| {
            let expected = format!("{what} of {size} bytes at {offset}");
            let found = format!("a payload of {} bytes", bytes.len());
            ReadError::at(Format::Xnnpack, at, expected, found)
        })
    };
    let flatbuffer = part("a FlatBuffer", 10, offset, size)?;
    let constants = part("constants", 18, constants, constant_size)?;
    Ok((flatbuffer, offset, constants))
}
