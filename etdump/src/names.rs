//! Names of events, each kept once.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// A name of [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameId(u32);

impl NameId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Slots of the table of recent names: a program has few dozen.
const RECENT: usize = 256;

/// Names in the order in which they first came.
pub(crate) struct Names {
    names: Vec<String>,
    ids: BTreeMap<String, NameId>,
    /// Where names are looked for first, by [`slot`].
    recent: Box<[NameId; RECENT]>,
}

impl Default for Names {
    fn default() -> Self {
        // Whatever a slot says is checked, so that any id will do.
        let recent = Box::new([NameId(u32::MAX); RECENT]);
        Names { names: Vec::new(), ids: BTreeMap::new(), recent }
    }
}

impl Names {
    /// The id of `name`.
    pub fn id(&mut self, name: &str) -> NameId {
        let slot = slot(name);
        let recent = self.recent[slot];
        if self.names.get(recent.index()).is_some_and(|known| known == name) {
            return recent;
        }
        let id = self.ids.get(name).copied().unwrap_or_else(|| {
            let id = NameId(self.names.len() as u32);
            self.names.push(name.to_owned());
            self.ids.insert(name.to_owned(), id);
            id
        });
        self.recent[slot] = id;
        id
    }

    /// All names; an id is an index into them.
    pub fn all(&self) -> &[String] {
        &self.names
    }
}

/// Of the length and the last letters, where names of operators differ.
fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let end = bytes.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
    let middle = bytes[bytes.len() / 2..].first_chunk().map_or(0, |some| u64::from_le_bytes(*some));
    let mixed =
        (end ^ middle.rotate_left(23) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as usize % RECENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_whatever_their_slots() {
        let mut names = Names::default();
        let texts: Vec<String> = (0..2000).map(|i| alloc::format!("native_call_{i}.out")).collect();
        let ids: Vec<NameId> = texts.iter().map(|text| names.id(text)).collect();
        for (text, id) in texts.iter().zip(&ids) {
            assert_eq!(names.id(text), *id);
            assert_eq!(&names.all()[id.index()], text);
        }
        assert_eq!(names.all().len(), texts.len());
        let empty = names.id("");
        assert_eq!(names.all()[empty.index()], "");
    }
}
