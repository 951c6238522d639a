//! The command stream: 32-bit words. The lower half of a command's first word
//! is its code; bits 14 and 15 of it say whether a word of payload follows (1)
//! or not (0). The upper half is a parameter.

use crate::bytes::u32_at;

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Index of its first word in the stream.
    pub word: u32,
    /// What it does, with the bits of its length.
    pub code: u16,
    /// The upper half of the first word.
    pub parameter: u16,
    /// The second word, if it has one.
    pub payload: Option<u32>,
}

/// Bits 14 and 15 of a code: how long a command is.
const CONTROL: u16 = 0xC000;
const WITH_PAYLOAD: u16 = 0x4000;

impl Command {
    /// Words that it takes.
    pub fn words(&self) -> u32 {
        1 + u32::from(self.payload.is_some())
    }

    /// Payload and the lower 8 bits of the parameter as a 40-bit address.
    pub fn address(&self) -> u64 {
        u64::from(self.parameter & 0xFF) << 32 | u64::from(self.payload.unwrap_or(0))
    }
}

/// What a part of the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A command.
    Command(Command),
    /// From this word on the rest cannot be told apart: the code's bits 14 and
    /// 15 have no meaning, or a payload is missing.
    Undecodable {
        /// Index of the word.
        word: u32,
        /// The word.
        value: u32,
        /// Words from here to the end.
        words: u32,
    },
}

/// The words of a command stream, as commands.
#[derive(Clone, Copy, Debug)]
pub struct CommandStream<'a> {
    bytes: &'a [u8],
}

impl<'a> CommandStream<'a> {
    /// A stream of whole words.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        CommandStream { bytes }
    }

    /// Words that it has.
    pub fn words(&self) -> u32 {
        (self.bytes.len() / 4) as u32
    }

    /// Every command in order. The words of all items add up to all words.
    pub fn items(&self) -> impl Iterator<Item = Item> + use<'a> {
        let (bytes, words) = (self.bytes, self.words());
        let mut next = 0;
        core::iter::from_fn(move || {
            let value = u32_at(bytes, next as usize * 4)?;
            let (code, parameter) = (value as u16, (value >> 16) as u16);
            let payload = u32_at(bytes, (next as usize + 1) * 4);
            let word = next;
            let payload = match (code & CONTROL, payload) {
                (0, _) => None,
                (WITH_PAYLOAD, Some(payload)) => Some(payload),
                _ => {
                    next = words;
                    return Some(Item::Undecodable { word, value, words: words - word });
                }
            };
            let command = Command { word, code, parameter, payload };
            next += command.words();
            Some(Item::Command(command))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn items(words: &[u32]) -> Vec<Item> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        CommandStream::new(&bytes).items().collect()
    }

    #[test]
    fn commands_have_one_or_two_words() {
        let read = items(&[0x0003_0105, 0x0012_4010, 0xdead_beef]);
        let Item::Command(address) = read[1] else { panic!("{read:?}") };
        assert_eq!(address.address(), 0x12_dead_beef);
        assert_eq!((address.word, address.words()), (1, 2));
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn words_without_meaning_are_accounted_for() {
        let read = items(&[0, 0x0000_8000, 1, 2]);
        assert_eq!(read[1], Item::Undecodable { word: 1, value: 0x8000, words: 3 });
        let cut = items(&[0x4010]);
        assert_eq!(cut, [Item::Undecodable { word: 0, value: 0x4010, words: 1 }]);
    }
}
