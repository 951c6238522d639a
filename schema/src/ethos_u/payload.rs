//! The payload's blocks, as ExecuTorch packs what Vela made
//! (`backends/arm/arm_vela.py`, `backends/arm/runtime/VelaBinStream.cpp`): each
//! has a header of 32 bytes (16 of name, the unpadded size, whether the data is
//! in the program's named data, 11 reserved) and is padded to 16.

use super::driver::Driver;
use crate::bytes::{slice, u32_at};
use crate::error::{Format, ReadError, Result};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const HEADER: usize = 32;
const ALIGNMENT: u64 = 16;
const FIRST: &str = "vela_bin_stream";
const LAST: &str = "vela_end_stream";

/// Dimensions of a shape, and bytes of an entry: they, element size, offset, region.
const DIMS: usize = 6;
const IO_ENTRY: usize = (DIMS + 3) * 4;

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its data begins in the payload.
    pub offset: u64,
    /// Its data; of an external one the key of the named data.
    pub data: &'a [u8],
    /// Whether the data is in the program's named data.
    pub is_external: bool,
}

/// An input or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Io {
    /// Shape, with ones in front.
    pub shape: [u32; DIMS],
    /// Bytes of an element.
    pub element_size: u32,
    /// Where in its region it lies, in bytes.
    pub offset: u32,
    /// Its region.
    pub region: u32,
}

impl Io {
    /// Bytes that it takes; saturates.
    pub fn bytes(&self) -> u64 {
        let sizes = self.shape.iter().map(|size| u64::from(*size));
        sizes.fold(u64::from(self.element_size), u64::saturating_mul)
    }
}

/// A payload of the Ethos-U backend.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// Its blocks, first and last included.
    pub blocks: Vec<Block<'a>>,
    /// The driver's header and the command stream.
    pub driver: Driver<'a>,
    /// Weights, biases and tables: region 0.
    pub weights: &'a [u8],
    /// Bytes of scratch memory: region 1.
    pub scratch: u32,
    /// Whether it has a block `scratch_data` instead of `scratch_size`, as
    /// exporters before May 2025 wrote and today's runtime refuses.
    pub has_old_layout: bool,
    /// Inputs, in the order of the call.
    pub inputs: Vec<Io>,
    /// Outputs, in the order of the call.
    pub outputs: Vec<Io>,
    /// Whether the block at the end is there.
    pub is_complete: bool,
}

impl<'a> Payload<'a> {
    /// Reads the blocks; `named` finds the program's named data by key.
    ///
    /// # Errors
    /// A block that reaches past the end, a missing one, or a damaged header of
    /// the driver.
    pub fn parse(bytes: &'a [u8], named: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Self> {
        let blocks = blocks(bytes)?;
        let find = |name: &str| match blocks.iter().find(|block| block.name == name) {
            Some(block) if block.is_external => {
                let key = core::str::from_utf8(block.data).unwrap_or_default();
                match named(key) {
                    Some(data) => Ok(Some(data)),
                    None => Err(fault(block.offset, name, "named data of this key", key)),
                }
            }
            block => Ok(block.map(|block| block.data)),
        };
        let need = |name: &str| {
            let place = blocks.last().map_or(0, |block| block.offset);
            find(name)?.ok_or_else(|| fault(place, name, format!("a block {name}"), "none"))
        };
        let old = find("scratch_data")?;
        let scratch = match old {
            Some(data) => data.len() as u32,
            None => {
                let data = need("scratch_size")?;
                u32_at(data, 0).ok_or_else(|| fault(0, "scratch_size", "4 bytes", data.len()))?
            }
        };
        Ok(Payload {
            driver: Driver::parse(need("cmd_data")?)?,
            weights: need("weight_data")?,
            scratch,
            has_old_layout: old.is_some(),
            inputs: ios("inputs", need("inputs")?)?,
            outputs: ios("outputs", need("outputs")?)?,
            is_complete: blocks.last().is_some_and(|block| block.name == LAST),
            blocks,
        })
    }
}

/// Every block up to the last one.
fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(header) = slice(bytes, at, HEADER as u64) {
        let name = header[..16].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = core::str::from_utf8(name)
            .map_err(|_| fault(at, "", "a block's name", format!("\"{}\"", name.escape_ascii())))?;
        if blocks.is_empty() && name != FIRST {
            return Err(fault(at, name, format!("the block {FIRST}"), "another one"));
        }
        let size = u64::from(u32_at(header, 16).unwrap_or_default());
        let offset = at + HEADER as u64;
        let Some(data) = slice(bytes, offset, size) else {
            let rest = bytes.len() as u64 - offset;
            return Err(fault(offset, name, format!("{size} bytes"), format!("{rest}")));
        };
        blocks.push(Block { name, offset, data, is_external: header[20] != 0 });
        at = offset + size.next_multiple_of(ALIGNMENT);
        if name == LAST {
            break;
        }
    }
    match blocks.is_empty() {
        true => Err(fault(0, "", format!("the block {FIRST}"), format!("{} bytes", bytes.len()))),
        false => Ok(blocks),
    }
}

/// A count, then entries.
fn ios(name: &str, data: &[u8]) -> Result<Vec<Io>> {
    let count = u32_at(data, 0).unwrap_or_default() as usize;
    let entries = data.get(4..).unwrap_or_default();
    let Some(entries) = count.checked_mul(IO_ENTRY).and_then(|len| entries.get(..len)) else {
        let expected = format!("{count} entries of {IO_ENTRY} bytes");
        return Err(fault(0, name, expected, format!("{} bytes", entries.len())));
    };
    let entry = |entry: &[u8]| {
        let number = |index: usize| u32_at(entry, index * 4).unwrap_or_default();
        Io {
            shape: core::array::from_fn(number),
            element_size: number(DIMS),
            offset: number(DIMS + 1),
            region: number(DIMS + 2),
        }
    };
    Ok(entries.chunks_exact(IO_ENTRY).map(entry).collect())
}

fn fault(
    at: u64,
    block: &str,
    expected: impl Into<String>,
    found: impl alloc::string::ToString,
) -> ReadError {
    let block = if block.is_empty() { "blocks" } else { block };
    ReadError::at_field(Format::EthosU, at, block.into(), expected, found.to_string())
}
