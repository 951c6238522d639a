//! The driver's header before the command stream: `COP1`, then actions of one
//! word each, some with words behind them.

use super::command::CommandStream;
use super::config::Configuration;
use crate::bytes::u32_at;
use crate::error::{Format, ReadError, Result};
use alloc::format;
use alloc::string::String;

/// The driver takes `COP1`; `COP2` is what newer tools write.
const MAGICS: [&[u8; 4]; 2] = [b"COP1", b"COP2"];

/// Codes of the actions.
mod action {
    pub const CONFIGURATION: u8 = 1;
    pub const STREAM: u8 = 2;
    pub const READ_REGISTERS: u8 = 3;
    pub const DUMP_SHARED_RAM: u8 = 4;
    pub const NOTHING: u8 = 5;
}

/// What the driver is told before it starts the unit.
#[derive(Clone, Copy, Debug)]
pub struct Driver<'a> {
    /// The unit that the stream was made for, if the header says it.
    pub configuration: Option<Configuration>,
    /// Offset of the stream in the block, in bytes.
    pub stream_offset: u32,
    /// Words of the stream, as the header says; at most those that are there.
    pub stream: CommandStream<'a>,
    /// Words that the header promises.
    pub promised_words: u32,
    /// Bytes behind the stream.
    pub trailing: u32,
}

impl<'a> Driver<'a> {
    /// Reads the block `cmd_data`.
    ///
    /// # Errors
    /// No `COP1`, an action that does not exist, or no command stream.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let magic = bytes.get(..4).unwrap_or(bytes);
        if !MAGICS.iter().any(|known| magic == *known) {
            let found = format!("\"{}\"", magic.escape_ascii());
            return Err(fault(0, "the driver's header \"COP1\"", found));
        }
        let mut configuration = None;
        let mut at = 4;
        while let Some(word) = u32_at(bytes, at) {
            match word as u8 {
                action::CONFIGURATION => {
                    let (Some(config), Some(id)) = (u32_at(bytes, at + 4), u32_at(bytes, at + 8))
                    else {
                        let found = format!("{} bytes", bytes.len());
                        return Err(fault(at, "two words of configuration", found));
                    };
                    configuration = Some(Configuration { config, id });
                    at += 12;
                }
                action::STREAM => return Ok(Self::with_stream(bytes, at, word, configuration)),
                // Registers to be read, the shared RAM to be dumped, filling.
                action::READ_REGISTERS | action::DUMP_SHARED_RAM | action::NOTHING => at += 4,
                other => return Err(fault(at, "an action of the driver (1 to 5)", other)),
            }
        }
        Err(fault(at.min(bytes.len()), "a command stream", "the end of the block"))
    }

    fn with_stream(
        bytes: &'a [u8],
        at: usize,
        word: u32,
        configuration: Option<Configuration>,
    ) -> Self {
        // The length's upper 8 bits are the action's reserved byte.
        let promised_words = word >> 16 | (word >> 8 & 0xFF) << 16;
        let rest = &bytes[at + 4..];
        let len = (promised_words as usize * 4).min(rest.len() / 4 * 4);
        let (stream, trailing) = rest.split_at(len);
        Driver {
            configuration,
            stream_offset: at as u32 + 4,
            stream: CommandStream::new(stream),
            promised_words,
            trailing: trailing.len() as u32,
        }
    }
}

fn fault(at: usize, expected: impl Into<String>, found: impl alloc::string::ToString) -> ReadError {
    ReadError::at_field(Format::EthosU, at as u64, "cmd_data".into(), expected, found.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn block(words: &[u32]) -> Vec<u8> {
        b"COP1".iter().copied().chain(words.iter().flat_map(|w| w.to_le_bytes())).collect()
    }

    #[test]
    fn long_streams_have_their_length_in_two_parts() {
        let bytes = block(&[0x0010_0001, 0x1807, 0x1006_6001, 5, 0x0002_0102, 7, 8, 9]);
        let driver = Driver::parse(&bytes).expect("a header");
        assert_eq!(driver.promised_words, 0x1_0002);
        assert_eq!((driver.stream.words(), driver.trailing), (3, 0));
        assert_eq!(driver.configuration.map(|c| c.macs()), Some(128));
    }

    #[test]
    fn damaged_headers_name_the_place() {
        for (bytes, expected) in [
            (b"COP9".to_vec(), "COP1"),
            (block(&[9]), "an action"),
            (block(&[1, 2]), "configuration"),
            (block(&[5, 5]), "command stream"),
            (Vec::new(), "COP1"),
        ] {
            let error = Driver::parse(&bytes).expect_err("damaged");
            assert!(error.expected.contains(expected), "{error}");
        }
    }
}
