//! Events that repeat one that was read before.
//!
//! Nearly every event of a long trace is one of an earlier run with other
//! times: the same name, place and delegate, in tables of the same layout. To
//! compare it with that one costs a fraction of reading it anew, and what is
//! equal to text that was checked needs no check of its own.

use super::event::{Caches, DelegateId, Event, ProfileEvent};
use super::kind::field::{event, profile};
use super::wire::{Cache, Layout, Wire, follow, items};

/// What follows in a run of which another is known.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// The expected event, at another time.
    Repeated(Repeated<'a>),
    /// Any event, the expected one as well.
    Other(Event<'a>),
}

/// In what an event differs from one that it repeats.
#[derive(Clone, Copy, Debug)]
pub struct Repeated<'a> {
    /// Begin.
    pub start_time: u64,
    /// End.
    pub end_time: u64,
    /// What the delegate attached to it.
    pub delegate_metadata: &'a [u8],
}

/// What is looked at of a table: more than any table of an event has, so that
/// every field lies within and needs no check of its own.
const WINDOW: usize = 64;
/// Tables up to this size are read. Eight bytes from any of their fields on lie
/// in the window.
const MAX_SIZE: usize = WINDOW - 8;

/// The fields of a table.
struct Fields<'a, 'c> {
    window: &'a [u8; WINDOW],
    layout: &'c Layout,
}

impl Fields<'_, '_> {
    /// The place of a field, `None` if it is absent.
    #[inline(always)]
    fn place(&self, field: usize) -> Option<usize> {
        let place = usize::from(self.layout.fields[field]);
        // It never is more, as a layout's fields lie within its size; this tells the compiler.
        (place != 0).then_some(place.min(MAX_SIZE))
    }

    #[inline(always)]
    fn number(&self, place: usize) -> u32 {
        let [a, b, c, d, ..] = self.window[place..] else { return 0 };
        u32::from_le_bytes([a, b, c, d])
    }

    #[inline(always)]
    fn int(&self, field: usize, default: i32) -> i32 {
        self.place(field).map_or(default, |place| self.number(place) as i32)
    }

    #[inline(always)]
    fn long(&self, field: usize) -> u64 {
        let Some(place) = self.place(field) else { return 0 };
        let [a, b, c, d, e, f, g, h, ..] = self.window[place..] else { return 0 };
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// The fields of the table at `at`, if it has this layout and is not among the
/// last bytes of the file.
#[inline(always)]
fn fields<'a, 'c>(bytes: &'a [u8], at: usize, cache: &'c Cache) -> Option<Fields<'a, 'c>> {
    let layout = cache.layout_of(MAX_SIZE)?;
    let fields = Fields { window: bytes.get(at..)?.first_chunk()?, layout };
    let vtable = at.wrapping_sub(fields.number(0) as i32 as isize as usize);
    (vtable == cache.vtable()).then_some(fields)
}

/// Whether the text that the field at `at` refers to is `expected`.
#[inline(always)]
fn is_text(bytes: &[u8], at: usize, reference: u32, expected: &str) -> Option<bool> {
    let text = bytes.get(at.checked_add(reference as usize)?..)?;
    let (length, text) = text.split_first_chunk()?;
    if u32::from_le_bytes(*length) as usize != expected.len() {
        return Some(false);
    }
    // With the zero byte behind it.
    let [found @ .., 0] = text.get(..=expected.len())? else { return None };
    Some(equal(found, expected.as_bytes()))
}

/// Whether two slices of one length are equal. Names are short: a call of the
/// system's comparison would take longer than the comparison.
#[inline(always)]
fn equal(a: &[u8], b: &[u8]) -> bool {
    let wide = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.iter().eq(b);
    };
    // The last eight bytes may overlap those before.
    let eights = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    wide(a_last) == wide(b_last) && eights.fold(0, |all, (a, b)| all | (wide(a) ^ wide(b))) == 0
}

impl<'a> Repeated<'a> {
    /// The event at `at`, if it is `expected` but for what can differ, and its
    /// tables have the layouts that were met last. `None` says nothing.
    #[inline(always)]
    pub(super) fn read(
        wire: &Wire<'a>,
        at: usize,
        caches: &Caches<'a>,
        expected: &ProfileEvent<'a>,
    ) -> Option<Self> {
        let bytes = wire.bytes;
        let event = fields(bytes, at, &caches.event)?;
        let place = event.place(event::PROFILE)?;
        let at = at.checked_add(place)?.checked_add(event.number(place) as usize)?;
        let fields = fields(bytes, at, &caches.profile)?;
        // An absent text is empty.
        let is = |field: usize, expected: &str| match fields.place(field) {
            None => Some(expected.is_empty()),
            Some(place) => is_text(bytes, at + place, fields.number(place), expected),
        };
        let (id, name) = match expected.delegate_id {
            None => (-1, ""),
            Some(DelegateId::Int(id)) => (id, ""),
            Some(DelegateId::Name(name)) => (-1, name),
        };
        let same = fields.int(profile::INSTRUCTION, -1) == expected.instruction_id
            && fields.int(profile::CHAIN, 0) == expected.chain_index
            && fields.int(profile::DELEGATE_INT, -1) == id
            && is(profile::NAME, expected.name)?
            && is(profile::DELEGATE_NAME, name)?;
        if !same {
            return None;
        }
        let delegate_metadata = match fields.place(profile::METADATA) {
            None => &[],
            Some(place) => {
                let items = items(bytes, follow(bytes, at + place)?, 1)?;
                bytes.get(items.start..items.start + items.count)?
            }
        };
        let (start_time, end_time) = (fields.long(profile::START), fields.long(profile::END));
        Some(Repeated { start_time, end_time, delegate_metadata })
    }

    /// Bytes that the event takes in the file, if it is `expected`.
    #[inline(always)]
    pub(super) fn size_in_file(&self, expected: &ProfileEvent<'_>) -> usize {
        let before = expected.delegate_metadata.len();
        expected.size_in_file() - before + self.delegate_metadata.len()
    }
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn every_byte_is_compared() {
        let bytes: Vec<u8> = (0..40).collect();
        for length in 0..bytes.len() {
            assert!(equal(&bytes[..length], &bytes[..length]));
            for at in 0..length {
                let mut other = bytes[..length].to_vec();
                other[at] ^= 1;
                assert!(!equal(&bytes[..length], &other), "{at} of {length}");
            }
        }
    }
}
