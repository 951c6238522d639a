//! Events that repeat one that was read before.
//!
//! Nearly every event of a long trace is one of an earlier run with other
//! times: the same name, place and delegate, in tables of the same layout that
//! lie alike to each other, as a runtime writes all events in one way. Such an
//! event has the bytes of the earlier one, but for its times and the distances
//! to what is elsewhere. To compare bytes costs a fraction of reading tables,
//! and what is equal to what was checked needs no check of its own.

use super::event::{Event, ProfileEvent};
use super::file::{Run, Tables};
use super::kind::Kind;
use super::kind::field::{event, profile};
use super::wire::{Cache, Table, Wire, follow, items, vtable_of};
use crate::bytes::{u32_at, u64_at};
use alloc::vec::Vec;
use core::ops::Range;

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

/// Bytes that are compared in one step.
const STEP: usize = 32;
/// An event with more bytes is none of those that repeat by the million.
const MAX_BYTES: usize = 1024;

/// Bytes, and which of their bits are those of the event.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: usize,
    bytes: [u64; STEP / 8],
    mask: [u64; STEP / 8],
}

/// How an event lies in the file, by which others are known to repeat it.
/// Places count from the first of the bytes that are compared.
#[derive(Clone, Debug)]
pub struct Known {
    steps: Vec<Step>,
    event: Place,
    profile: Place,
    /// Places of the times; an absent time is 0.
    start_time: Option<usize>,
    end_time: Option<usize>,
    /// Place of the reference to what the delegate attached.
    metadata: Option<usize>,
    /// Bytes that it takes without that.
    size: usize,
}

/// A table.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    /// Where its layout is described, in the file.
    vtable: usize,
}

impl Place {
    /// Whether the table that lies in the same place behind `start` has the same layout.
    #[inline(always)]
    fn is_alike(&self, bytes: &[u8], start: usize) -> Option<bool> {
        Some(vtable_of(bytes, start.checked_add(self.at)?)? == self.vtable)
    }
}

/// Little-endian numbers.
#[inline(always)]
fn numbers(bytes: &[u8; STEP]) -> [u64; STEP / 8] {
    let mut numbers = [0; STEP / 8];
    for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *number = u64::from_le_bytes(*bytes);
    }
    numbers
}

impl Known {
    /// Event number `index` of `run`; `None` if it took no time, is too
    /// large to be known again, or lies in a file that is cut off.
    pub fn of(run: &Run<'_>, index: usize) -> Option<Self> {
        let Tables::Vector(list) = run.tables() else { return None };
        let wire = run.wire();
        let at = list.table(wire.bytes, index)?;
        let Event::Profile(read) = Event::read(wire, at, &mut Default::default())? else {
            return None;
        };
        let event = wire.table(Kind::Event, at, &mut Cache::default())?;
        let at = event.target(event::PROFILE)?;
        let profile = wire.table(Kind::Profile, at, &mut Cache::default())?;
        Self::of_tables(wire, &event, &profile, &read)
    }

    fn of_tables(
        wire: &Wire<'_>,
        event: &Table<'_>,
        profile: &Table<'_>,
        read: &ProfileEvent<'_>,
    ) -> Option<Self> {
        let mut parts = alloc::vec![extent(event), extent(profile)];
        for field in [profile::NAME, profile::DELEGATE_NAME] {
            if profile.has(field) {
                parts.push(extent_of_text(wire.bytes, profile.target(field)?)?);
            }
        }
        if parts.iter().map(Range::len).sum::<usize>() > MAX_BYTES {
            return None;
        }
        let start = parts.iter().map(|part| part.start).min()?;
        let place = |field: usize| profile.place(field).map(|place| place - start);
        let [begin, finish, metadata] =
            [profile::START, profile::END, profile::METADATA].map(place);
        let [event, profile] = [event, profile].map(|table| table.at - start);
        // What differs: distances to layouts, times, and where the metadata are.
        let distances = [Some(event), Some(profile), metadata].map(|at| at.map(|at| at..at + 4));
        let times = [begin, finish].map(|at| at.map(|at| at..at + 8));
        let differ: Vec<_> = distances.into_iter().chain(times).flatten().collect();
        let parts = parts.iter().flat_map(|part| part.start - start..part.end - start);
        let equal = parts.filter(|at| !differ.iter().any(|differ| differ.contains(at)));
        Some(Known {
            steps: steps(wire.bytes.get(start..)?, equal.collect())?,
            event: Place { at: event, vtable: vtable_of(wire.bytes, start + event)? },
            profile: Place { at: profile, vtable: vtable_of(wire.bytes, start + profile)? },
            start_time: begin,
            end_time: finish,
            metadata,
            size: read.size_in_file() - read.delegate_metadata.len(),
        })
    }

    /// Whether the bytes at `start` are those of the event.
    #[inline(always)]
    fn is_at(&self, bytes: &[u8], start: usize) -> Option<bool> {
        let mut differ = [0; STEP / 8];
        for step in &self.steps {
            let found = bytes.get(start.checked_add(step.at)?..)?.first_chunk()?;
            for (index, found) in numbers(found).into_iter().enumerate() {
                differ[index] |= (found ^ step.bytes[index]) & step.mask[index];
            }
        }
        Some(differ == [0; STEP / 8])
    }
}

/// Where a table lies.
fn extent(table: &Table<'_>) -> Range<usize> {
    table.at..table.at + usize::from(table.layout.size)
}

/// Where the text at `at` lies, with its length and the zero byte behind it.
fn extent_of_text(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = u32_at(bytes, at)? as usize;
    Some(at..at.checked_add(length)?.checked_add(5)?)
}

/// The steps that compare those of `bytes` that are at `places`.
fn steps(bytes: &[u8], mut places: Vec<usize>) -> Option<Vec<Step>> {
    places.sort_unstable();
    let mut rest = places.as_slice();
    let mut steps = Vec::new();
    while let Some(&at) = rest.first() {
        let (here, others) = rest.split_at(rest.partition_point(|place| *place < at + STEP));
        let (mut equal, mut mask) = ([0; STEP], [0; STEP]);
        for place in here {
            (equal[place - at], mask[place - at]) = (*bytes.get(*place)?, u8::MAX);
        }
        steps.push(Step { at, bytes: numbers(&equal), mask: numbers(&mask) });
        rest = others;
    }
    Some(steps)
}

impl<'a> Repeated<'a> {
    /// The event at `at`, if it is `known` but for what can differ. `None` says nothing.
    #[inline(always)]
    pub(super) fn read(bytes: &'a [u8], at: usize, known: &Known) -> Option<Self> {
        let start = at.checked_sub(known.event.at)?;
        let alike = known.is_at(bytes, start)?
            && known.event.is_alike(bytes, start)?
            && known.profile.is_alike(bytes, start)?;
        if !alike {
            return None;
        }
        let time = |place: Option<usize>| match place {
            Some(place) => u64_at(bytes, start + place),
            None => Some(0),
        };
        let delegate_metadata = match known.metadata {
            None => &[],
            Some(place) => {
                let items = items(bytes, follow(bytes, start + place)?, 1)?;
                bytes.get(items.start..items.start + items.count)?
            }
        };
        let (start_time, end_time) = (time(known.start_time)?, time(known.end_time)?);
        Some(Repeated { start_time, end_time, delegate_metadata })
    }

    /// Bytes that the event takes in the file, if it is `known`.
    #[inline(always)]
    pub(super) fn size_in_file(&self, known: &Known) -> usize {
        known.size + self.delegate_metadata.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etdump::File;

    fn trace() -> Vec<u8> {
        let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/traces");
        std::fs::read(std::format!("{traces}/linear__it10.etdp")).expect("a trace")
    }

    /// Times of event `index` of run 3, if it repeats the one that is known.
    fn repeated(bytes: &[u8], known: &Known, index: usize) -> Option<(u64, u64)> {
        let file = File::parse(bytes).ok()?;
        let run = file.runs().nth(3)?;
        let Tables::Vector(list) = run.tables() else { return None };
        let event = Repeated::read(bytes, list.table(bytes, index)?, known)?;
        Some((event.start_time, event.end_time))
    }

    #[test]
    fn an_event_is_known_again_at_another_time() {
        let bytes = trace();
        let file = File::parse(&bytes).expect("a trace");
        let (first, second) = (file.runs().nth(2).unwrap(), file.runs().nth(3).unwrap());
        for (index, event) in second.events().enumerate() {
            let Event::Profile(event) = event else { panic!("{event:?}") };
            let known = Known::of(&first, index).expect("a known event");
            let times = Some((event.start_time, event.end_time));
            assert_eq!(repeated(&bytes, &known, index), times, "{index}");
        }
    }

    #[test]
    fn an_event_with_any_other_byte_is_not() {
        let bytes = trace();
        let file = File::parse(&bytes).expect("a trace");
        let (first, second) = (file.runs().nth(2).unwrap(), file.runs().nth(3).unwrap());
        let known = Known::of(&first, 0).expect("a known event");
        let Tables::Vector(list) = second.tables() else { panic!("a vector") };
        let start = list.table(&bytes, 0).expect("an event") - known.event.at;
        let mut compared = 0;
        for step in &known.steps {
            let mask = step.mask.iter().flat_map(|mask| mask.to_le_bytes());
            for (place, mask) in mask.enumerate() {
                let mut damaged = bytes.clone();
                let at = start + step.at + place;
                damaged[at] ^= 1;
                let read = Repeated::read(&damaged, start + known.event.at, &known);
                let is_table = |p: &Place| (start + p.at..start + p.at + 4).contains(&at);
                let differs = mask != 0 || is_table(&known.event) || is_table(&known.profile);
                assert_eq!(read.is_none(), differs, "{at}");
                compared += usize::from(mask != 0);
            }
        }
        // Two references and the instruction; the name with its length and a zero byte.
        assert_eq!(compared, 3 * 4 + 4 + "native_call_permute_copy.out".len() + 1);
    }
}
