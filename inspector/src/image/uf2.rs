//! UF2: blocks of 512 bytes with two magic numbers before and one behind up to
//! 476 bytes of data.

use super::records::Records;
use super::{Format, Image};

const BLOCK: usize = 512;
const FIRST: u32 = 0x0a32_4655;
const SECOND: u32 = 0x9e5d_5157;
const LAST: u32 = 0x0ab1_6f30;
const DATA: usize = 32;
const MOST_DATA: usize = 476;
/// The block is for no memory of the device.
const NOT_MAIN_FLASH: u32 = 1;

/// Whether the first block begins as one.
pub(super) fn is(bytes: &[u8]) -> bool {
    word(bytes, 0) == Some(FIRST) && word(bytes, 4) == Some(SECOND)
}

pub(super) fn read(bytes: &[u8]) -> Image<'static> {
    let mut records = Records::new();
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        match data(block) {
            Some((address, data)) => records.push(address, data),
            None => records.problem(format!("byte {}: no UF2 block", index * BLOCK)),
        }
    }
    records.finish(Format::Uf2)
}

fn data(block: &[u8]) -> Option<(u64, &[u8])> {
    if !is(block) || word(block, BLOCK - 4)? != LAST {
        return None;
    }
    let size = if word(block, 8)? & NOT_MAIN_FLASH == 0 { word(block, 16)? as usize } else { 0 };
    if size > MOST_DATA {
        return None;
    }
    Some((u64::from(word(block, 12)?), block.get(DATA..DATA + size)?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
