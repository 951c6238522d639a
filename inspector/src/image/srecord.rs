//! Motorola S-records: `S`, type, count, address of 2 to 4 bytes, data, checksum.

use super::records::{Records, decode};
use super::{Format, Image};

/// Whether the first line is a record.
pub(super) fn is(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| record(line).is_ok())
}

pub(super) fn read(text: &str) -> Image<'static> {
    let mut records = Records::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match record(line) {
            Ok(Some((address, data))) => records.push(address, &data),
            Ok(None) => {}
            Err(why) => records.problem(format!("line {}: {why}", index + 1)),
        }
    }
    records.finish(Format::SRecord)
}

/// Address and data of a data record; `None` for a header, a count or an end.
fn record(line: &str) -> Result<Option<(u64, Vec<u8>)>, String> {
    let line = line.trim();
    let mut chars = line.chars();
    let kind = match (chars.next(), chars.next().and_then(|c| c.to_digit(10))) {
        (Some('S'), Some(kind)) => kind,
        _ => return Err("expected a record that begins with `S` and a digit".into()),
    };
    let bytes = decode(chars.as_str()).ok_or("expected pairs of hexadecimal digits")?;
    let Some((count, rest)) = bytes.split_first() else {
        return Err("the count is missing".into());
    };
    if rest.len() != usize::from(*count) {
        return Err(format!("expected {count} bytes, found {}", rest.len()));
    }
    // The sum of all bytes, the checksum included, is 0xff.
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    let Some((_, body)) = rest.split_last() else { return Err("the checksum is missing".into()) };
    if sum != 0xff {
        return Err(format!("the checksum is off by {}", sum.wrapping_add(1)));
    }
    let width = match kind {
        1 => 2,
        2 => 3,
        3 => 4,
        _ => return Ok(None),
    };
    if body.len() < width {
        return Err(format!("expected an address of {width} bytes"));
    }
    let (address, data) = body.split_at(width);
    let address = address.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    Ok(Some((address, data.to_vec())))
}
