//! Intel HEX: `:`, count, 16-bit address, type, data, checksum. Types 2 and 4
//! set the upper part of the address.

use super::records::{Records, decode};
use super::{Format, Image};

/// Whether the first line is a record.
pub(super) fn is(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| record(line).is_ok())
}

struct Record {
    address: u16,
    kind: u8,
    data: Vec<u8>,
}

pub(super) fn read(text: &str) -> Image<'static> {
    let mut records = Records::new();
    let mut base = 0u64;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match record(line) {
            Ok(Record { address, kind: 0, data }) => {
                records.push(base.saturating_add(u64::from(address)), &data);
            }
            Ok(Record { kind: 1, .. }) => break,
            Ok(Record { kind: kind @ (2 | 4), data, .. }) if data.len() == 2 => {
                let upper = u64::from(u16::from_be_bytes([data[0], data[1]]));
                base = if kind == 2 { upper << 4 } else { upper << 16 };
            }
            // Start addresses say nothing about memory.
            Ok(Record { kind: 3 | 5, .. }) => {}
            Ok(Record { kind, .. }) => {
                records.problem(format!("line {}: record of unknown type {kind}", index + 1));
            }
            Err(why) => records.problem(format!("line {}: {why}", index + 1)),
        }
    }
    records.finish(Format::IntelHex)
}

fn record(line: &str) -> Result<Record, String> {
    let digits = line.trim().strip_prefix(':').ok_or("expected a record that begins with `:`")?;
    let bytes = decode(digits).ok_or("expected pairs of hexadecimal digits")?;
    let [count, high, low, kind, rest @ ..] = bytes.as_slice() else {
        return Err("expected at least 5 bytes".into());
    };
    let Some((_, data)) = rest.split_last() else { return Err("the checksum is missing".into()) };
    if data.len() != usize::from(*count) {
        return Err(format!("expected {count} bytes of data, found {}", data.len()));
    }
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    if sum != 0 {
        return Err(format!("the checksum is off by {sum}"));
    }
    let address = u16::from_be_bytes([*high, *low]);
    Ok(Record { address, kind: *kind, data: data.to_vec() })
}
