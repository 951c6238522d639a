//! Events that repeat one that was read before.
//!
//! Nearly every event of a long trace is one of an earlier run with other
//! times: the same name, place and delegate, in tables of the same layout. To
//! compare it with that one costs a fraction of reading it anew, and what is
//! equal to text that was checked needs no check of its own.

use super::event::{Caches, Event, ProfileEvent};
use super::event::DelegateId;
use super::kind::field::{event, profile};
use super::wire::{Wire, items};

/// What follows in a run of which another is known.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// The expected event, with its own times and metadata.
    Repeated(ProfileEvent<'a>),
    /// Any event, the expected one as well.
    Other(Event<'a>),
}

/// Fields of a table that lies within the file and has a known layout.
struct Fields<'a, 'c> {
    /// The file, from the table on.
    rest: &'a [u8],
    places: &'c [u16],
}

impl<'a> Fields<'a, '_> {
    #[inline]
    fn int(&self, field: usize, default: i32) -> Option<i32> {
        match usize::from(self.places[field]) {
            0 => Some(default),
            place => Some(i32::from_le_bytes(*self.rest.get(place..)?.first_chunk()?)),
        }
    }

    #[inline]
    fn long(&self, field: usize) -> Option<u64> {
        match usize::from(self.places[field]) {
            0 => Some(0),
            place => Some(u64::from_le_bytes(*self.rest.get(place..)?.first_chunk()?)),
        }
    }

    /// Whether a text is `expected`, where an absent one is empty.
    #[inline]
    fn is_text(&self, field: usize, expected: &str) -> Option<bool> {
        let place = usize::from(self.places[field]);
        if place == 0 {
            return Some(expected.is_empty());
        }
        let reference = self.rest.get(place..)?;
        let text = reference.get(u32::from_le_bytes(*reference.first_chunk()?) as usize..)?;
        let (length, text) = text.split_first_chunk()?;
        if u32::from_le_bytes(*length) as usize != expected.len() {
            return Some(false);
        }
        // With the zero byte behind it.
        let [found @ .., 0] = text.get(..=expected.len())? else { return None };
        Some(equal(found, expected.as_bytes()))
    }
}

/// Whether two slices of one length are equal. Names are short: a call of the
/// system's comparison would take longer than the comparison.
#[inline]
fn equal(a: &[u8], b: &[u8]) -> bool {
    let wide = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.iter().eq(b);
    };
    // The last eight bytes may overlap those before.
    let eights = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    wide(a_last) == wide(b_last) && eights.fold(0, |all, (a, b)| all | (wide(a) ^ wide(b))) == 0
}

impl<'a> ProfileEvent<'a> {
    /// The event at `at`, if it is `expected` but for times and metadata, and
    /// its tables have the layouts that were met last. `None` says nothing.
    #[inline]
    pub(super) fn repeated(
        wire: &Wire<'a>,
        at: usize,
        caches: &Caches<'a>,
        expected: &ProfileEvent<'a>,
    ) -> Option<Self> {
        let bytes = wire.bytes;
        let layout = caches.event.layout_at(bytes, at)?;
        let fields = Fields { rest: bytes.get(at..)?, places: &layout.fields };
        // Where it is absent, 0 is no place of a table of that layout.
        let at = at + usize::from(layout.fields[event::PROFILE]);
        let at = at.checked_add(fields.int(event::PROFILE, 0)? as u32 as usize)?;
        let layout = caches.profile.layout_at(bytes, at)?;
        let fields = Fields { rest: bytes.get(at..)?, places: &layout.fields };
        let delegate = match expected.delegate_id {
            None => (-1, ""),
            Some(DelegateId::Int(id)) => (id, ""),
            Some(DelegateId::Name(name)) => (-1, name),
        };
        let same = fields.is_text(profile::NAME, expected.name)?
            && fields.int(profile::CHAIN, 0)? == expected.chain_index
            && fields.int(profile::INSTRUCTION, -1)? == expected.instruction_id
            && fields.int(profile::DELEGATE_INT, -1)? == delegate.0
            && fields.is_text(profile::DELEGATE_NAME, delegate.1)?;
        if !same {
            return None;
        }
        let delegate_metadata = match layout.fields[profile::METADATA] {
            0 => &[],
            place => {
                let at = at + usize::from(place);
                let items = items(bytes, super::wire::follow(bytes, at)?, 1)?;
                bytes.get(items.start..items.start + items.count)?
            }
        };
        let (start_time, end_time) = (fields.long(profile::START)?, fields.long(profile::END)?);
        Some(ProfileEvent { delegate_metadata, start_time, end_time, ..*expected })
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
