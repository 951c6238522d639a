//! The part of Python's pickle language (protocols 2 to 5, `pickletools.py`)
//! that `torch.save` uses for tensors in containers.
//!
//! Objects are kept in one list and refer to each other by index, as a pickle
//! may refer to an object twice. A call (`REDUCE`) is recorded and never made.

use std::collections::HashMap;

/// Index of an object.
pub(super) type ObjectId = usize;

/// An object of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Lists, tuples and sets.
    Sequence(Vec<ObjectId>),
    Map(Vec<(ObjectId, ObjectId)>),
    /// A class or function: module and name.
    Global(String, String),
    /// What the pickle calls with which arguments.
    Call(ObjectId, ObjectId),
    /// A reference to something outside of the pickle.
    Persistent(ObjectId),
}

/// The objects of a pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    objects: Vec<Object>,
    root: ObjectId,
}

impl Pickle {
    pub fn object(&self, id: ObjectId) -> &Object {
        self.objects.get(id).unwrap_or(&Object::None)
    }

    pub fn root(&self) -> ObjectId {
        self.root
    }

    /// Runs the pickle; `Err` with the offset of the first byte that it cannot be.
    pub fn parse(bytes: &[u8]) -> Result<Self, usize> {
        let mut machine = Machine { bytes, ..Machine::default() };
        loop {
            let at = machine.at;
            match machine.step() {
                Some(Step::Next) => {}
                Some(Step::Stop(root)) => return Ok(Pickle { objects: machine.objects, root }),
                None => return Err(at),
            }
        }
    }
}

enum Step {
    Next,
    Stop(ObjectId),
}

#[derive(Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object>,
    stack: Vec<ObjectId>,
    /// Lengths of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<usize, ObjectId>,
}

impl<'a> Machine<'a> {
    fn step(&mut self) -> Option<Step> {
        match self.take(1)?[0] {
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'.' => return Some(Step::Stop(self.stack.pop()?)),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.stack.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => self.stack.push(*self.stack.last()?),
            b'N' => self.push(Object::None),
            0x88 => self.push(Object::Bool(true)),
            0x89 => self.push(Object::Bool(false)),
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => {
                let value = i32::from_le_bytes(self.take(4)?.try_into().ok()?);
                self.push(Object::Int(value.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                let value = f64::from_be_bytes(self.take(8)?.try_into().ok()?);
                self.push(Object::Float(value));
            }
            b'X' => self.text(4)?,
            0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            b'U' | b'C' => self.text(1)?,
            b'T' | b'B' => self.text(4)?,
            b')' | b']' | 0x8f => self.push(Object::Sequence(Vec::new())),
            b'}' => self.push(Object::Map(Vec::new())),
            b't' | b'l' | 0x91 => {
                let items = self.pop_mark()?;
                self.push(Object::Sequence(items));
            }
            count @ 0x85..=0x87 => self.tuple(usize::from(count - 0x84))?,
            b'd' => {
                let items = self.pop_mark()?;
                self.push(Object::Map(pairs(&items)?));
            }
            b'a' => {
                let item = self.stack.pop()?;
                self.extend(&[item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.extend(&items)?;
            }
            b's' => {
                let (value, key) = (self.stack.pop()?, self.stack.pop()?);
                self.set(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.set(&items)?;
            }
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            0x94 => drop(self.memo.insert(self.memo.len(), *self.stack.last()?)),
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Object::Global(module, name));
            }
            0x93 => {
                let (name, module) = (self.stack.pop()?, self.stack.pop()?);
                let global = Object::Global(self.text_of(module)?, self.text_of(name)?);
                self.push(global);
            }
            b'R' | 0x81 => {
                let (args, function) = (self.stack.pop()?, self.stack.pop()?);
                self.push(Object::Call(function, args));
            }
            b'b' => drop(self.stack.pop()?),
            b'Q' => {
                let id = self.stack.pop()?;
                self.push(Object::Persistent(id));
            }
            _ => return None,
        }
        Some(Step::Next)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// An unsigned number of `width` bytes.
    fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        let number = bytes.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
        usize::try_from(number).ok()
    }

    fn push(&mut self, object: Object) {
        self.stack.push(self.objects.len());
        self.objects.push(object);
    }

    fn int(&mut self, width: usize) -> Option<()> {
        let value = i64::try_from(self.number(width)?).ok()?;
        self.push(Object::Int(value));
        Some(())
    }

    /// A number of up to 8 bytes in two's complement.
    fn long(&mut self) -> Option<()> {
        let width = self.number(1)?;
        let bytes = self.take(width)?;
        if width > 8 {
            return None;
        }
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let mut all = [if negative { 0xff } else { 0 }; 8];
        all[..width].copy_from_slice(bytes);
        self.push(Object::Int(i64::from_le_bytes(all)));
        Some(())
    }

    fn text(&mut self, width: usize) -> Option<()> {
        let length = self.number(width)?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Object::Text(text));
        Some(())
    }

    fn line(&mut self) -> Option<String> {
        let length = self.bytes.get(self.at..)?.iter().position(|&b| b == b'\n')?;
        let line = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.at += 1;
        Some(line)
    }

    fn text_of(&self, id: ObjectId) -> Option<String> {
        match self.objects.get(id)? {
            Object::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn pop_mark(&mut self) -> Option<Vec<ObjectId>> {
        let mark = self.marks.pop()?;
        (mark <= self.stack.len()).then(|| self.stack.split_off(mark))
    }

    fn tuple(&mut self, count: usize) -> Option<()> {
        let start = self.stack.len().checked_sub(count)?;
        let items = self.stack.split_off(start);
        self.push(Object::Sequence(items));
        Some(())
    }

    fn extend(&mut self, items: &[ObjectId]) -> Option<()> {
        match self.objects.get_mut(*self.stack.last()?)? {
            Object::Sequence(sequence) => sequence.extend_from_slice(items),
            _ => return None,
        }
        Some(())
    }

    fn set(&mut self, items: &[ObjectId]) -> Option<()> {
        let new = pairs(items)?;
        let target = *self.stack.last()?;
        match self.objects.get_mut(target)? {
            Object::Map(map) => map.extend(new),
            // An OrderedDict is made by a call and filled afterwards.
            Object::Call(..) => self.objects[target] = Object::Map(new),
            _ => return None,
        }
        Some(())
    }

    fn remember(&mut self, width: usize) -> Option<()> {
        let key = self.number(width)?;
        self.memo.insert(key, *self.stack.last()?);
        Some(())
    }

    fn recall(&mut self, width: usize) -> Option<()> {
        let key = self.number(width)?;
        self.stack.push(*self.memo.get(&key)?);
        Some(())
    }
}

fn pairs(items: &[ObjectId]) -> Option<Vec<(ObjectId, ObjectId)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|&[key, value]| (key, value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_that_is_filled_after_it_was_remembered_is_one_list() {
        // [x, x] where x = [7]; the inner list is memoised while empty.
        let pickle = Pickle::parse(b"\x80\x02]q\x00(]q\x01K\x07ah\x01e.").unwrap();
        let Object::Sequence(outer) = pickle.object(pickle.root()) else { panic!() };
        assert_eq!(outer.len(), 2);
        assert_eq!(outer[0], outer[1]);
        let Object::Sequence(inner) = pickle.object(outer[0]) else { panic!() };
        assert_eq!(pickle.object(inner[0]), &Object::Int(7));
    }

    #[test]
    fn numbers_of_every_width() {
        for (bytes, value) in [
            (&b"K\xff."[..], 255),
            (b"M\x00\x01.", 256),
            (b"J\xff\xff\xff\xff.", -1),
            (b"\x8a\x02\x00\x80.", -32768),
            (b"\x8a\x00.", 0),
        ] {
            let pickle = Pickle::parse(bytes).unwrap();
            assert_eq!(pickle.object(pickle.root()), &Object::Int(value));
        }
    }

    #[test]
    fn what_is_no_pickle_fails_with_its_offset() {
        assert_eq!(Pickle::parse(b"\x80\x02X\xff\xff\xff\xff").err(), Some(2));
        assert_eq!(Pickle::parse(b"N").err(), Some(1));
        assert_eq!(Pickle::parse(b"t.").err(), Some(0));
        assert_eq!(Pickle::parse(b"(NN0000.").err(), Some(5));
    }
}
