//! Captures of a serial console: the Arm runner prints its ETDump and debug
//! buffer as shell commands, which end in a file's name.
//!
//! ```text
//! echo "AAAA…" | base64 -d >etdump.bin
//! ```
//!
//! A journal is printed in the same way. Lines may have a prefix, and a line
//! that is cut off gives what was decoded before the cut.

use super::{Format, Image, Segment};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

const COMMAND: &[u8] = b"echo \"";
const BEHIND: &[u8] = b"| base64 -d >";

const DECODER: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether there is such a line.
pub(super) fn is(bytes: &[u8]) -> bool {
    find(bytes, BEHIND).is_some() && find(bytes, COMMAND).is_some()
}

pub(super) fn read(bytes: &[u8]) -> Image<'_> {
    let mut image = Image { format: Format::Capture, segments: Vec::new(), left_out: Vec::new() };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let Some(at) = find(line, COMMAND) else { continue };
        let coded = &line[at + COMMAND.len()..];
        let end = coded.iter().position(|b| !is_base64(*b)).unwrap_or(coded.len());
        // Four characters are three bytes; what is left of a cut group is dropped.
        let whole = &coded[..end];
        let name = find(coded, BEHIND).map(|at| name(&coded[at + BEHIND.len()..]));
        let closed = coded.get(end) == Some(&b'"');
        if !closed {
            let number = index + 1;
            image.left_out.push(format!(
                "line {number}: the base64 text ends after {} characters without its closing quote",
                whole.len()
            ));
        }
        let usable = if closed { whole } else { &whole[..whole.len() / 4 * 4] };
        match DECODER.decode(usable) {
            Ok(data) if data.is_empty() => {}
            Ok(data) => {
                image.segments.push(Segment { address: None, name, bytes: Cow::Owned(data) });
            }
            Err(error) => image.left_out.push(format!("line {}: {error}", index + 1)),
        }
    }
    image
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The file's name behind the command, without anything that is no name.
fn name(rest: &[u8]) -> String {
    let rest = String::from_utf8_lossy(rest);
    let name = rest.trim_start().split(|c: char| c.is_whitespace() || c.is_control()).next();
    name.unwrap_or_default().to_owned()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
