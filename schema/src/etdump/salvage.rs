//! Finding the events of a trace whose lists are broken.
//!
//! ExecuTorch's runtime (seen with 1.5.1) logs the value of a tensor as table
//! in table. A type that its `ETDumpGen` has no number for (float16, bfloat16)
//! makes it give up in the middle, and what is begun is never ended: lists that
//! it closes later are then taken from the wrong one of the open tables, so the
//! root is no root and runs are no runs. Each event was ended by itself and is
//! whole; the value that could not be logged is in the debug buffer alone.
//!
//! A FlatBuffer is built from its end to its beginning, so the events are found
//! in the order in which they were logged from the highest place to the lowest,
//! and the name of a run lies before its first event.

use super::event::{Caches, Event};
use super::file::{FoundRun, Head, MAX_SHARING};
use super::kind::field::{allocation, debug, event, profile, run};
use super::kind::{Field, Kind};
use super::wire::{Cache, Table, Wire, text, vtable_of};
use crate::bytes::u32_at;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

/// The names that ExecuTorch's runtime gives to runs.
const NAMES: [&str; 2] = ["Default", "Execute"];
/// Shorter ones are rather the extents of a tensor.
const SHORTEST_NAME: usize = 3;
const LONGEST_NAME: usize = 255;
/// Size of an event's table: its reference to the vtable and that to what it is.
const EVENT_SIZE: u16 = 8;
/// Sizes of the tables of events and runs.
const TABLE_SIZES: Range<usize> = 8..65;
/// No board has as many allocators.
const MAX_ALLOCATORS: i32 = 4096;

/// What was found in `bytes`, runs in the order in which they ran.
pub(super) struct Salvaged<'a> {
    pub wire: Wire<'a>,
    pub runs: Vec<FoundRun>,
}

/// The runs of a trace that cannot be reached from its root; `None` if there
/// is no event.
pub(super) fn salvage(bytes: &[u8]) -> Option<Salvaged<'_>> {
    let wire = Wire { bytes, truncated: false, lost: Arc::new([]) };
    let found = Found::of(&wire);
    let mut owned = alloc::vec![false; found.events.len()];
    let mut runs = found.listed_runs(&wire, &mut owned);
    let names = found.run_names(&wire);
    runs.extend(found.unlisted_runs(&owned, &names));
    runs.sort_by_key(|run| core::cmp::Reverse(run.events.first().copied()));
    for (index, run) in runs.iter_mut().enumerate() {
        run.index = index;
    }
    (!runs.is_empty()).then_some(Salvaged { wire, runs })
}

/// Places of tables, ascending, and what they say of other places.
#[derive(Default)]
struct Found<'a> {
    events: Vec<usize>,
    runs: Vec<usize>,
    /// Bytes of the events' tables.
    tables: Vec<Range<usize>>,
    /// Where the texts of the events lie, ascending.
    texts: Vec<usize>,
    names: BTreeSet<&'a str>,
}

impl<'a> Found<'a> {
    fn of(wire: &Wire<'a>) -> Self {
        let mut found = Found::default();
        let mut caches = Caches::default();
        let mut budget = wire.bytes.len().saturating_mul(MAX_SHARING);
        for at in (0..wire.bytes.len()).step_by(4) {
            if !may_be_table(wire.bytes, at) {
                continue;
            }
            // What is no event costs as well: many could share a long text.
            let cost = found.add(wire, at, &mut caches);
            let Some(rest) = budget.checked_sub(cost) else { break };
            budget = rest;
        }
        found.tables.sort_unstable_by_key(|table| table.start);
        found.texts.sort_unstable();
        found
    }

    /// Takes in the event or run at `at`, if there is one, and gives the bytes
    /// that were looked at.
    fn add(&mut self, wire: &Wire<'a>, at: usize, caches: &mut Caches<'a>) -> usize {
        if let Some((table, body, kind)) = event_tables(wire, at) {
            let cost = cost(kind, &body);
            return match self.add_event(wire, (&table, &body, kind), caches) {
                Some(size) => size.max(cost),
                // A list that ends in damage may have been long.
                None if kind == Kind::Debug => cost + wire.bytes.len() / 8,
                None => cost,
            };
        }
        let Some(table) = wire.table(Kind::Run, at, &mut Cache::default()) else { return 0 };
        let cost = cost(Kind::Run, &table);
        if is_run(&table) {
            self.runs.push(at);
        }
        cost
    }

    /// Takes in an event of the given tables, and gives its size.
    fn add_event(
        &mut self,
        wire: &Wire<'a>,
        (table, body, kind): (&Table<'a>, &Table<'a>, Kind),
        caches: &mut Caches<'a>,
    ) -> Option<usize> {
        if !is_plausible(kind, body) {
            return None;
        }
        let event = Event::read(wire, table.at, caches)?;
        // A root with nothing but a list looks like an allocation of no bytes,
        // and lies before all events.
        if matches!(event, Event::Allocation(e) if e.size == 0) && self.events.is_empty() {
            return None;
        }
        let texts: &[usize] = match kind {
            Kind::Profile => &[profile::NAME, profile::DELEGATE_NAME],
            Kind::Debug => &[debug::NAME, debug::DELEGATE_NAME],
            _ => &[],
        };
        for at in texts.iter().filter_map(|field| body.target(*field)) {
            self.texts.push(at);
            self.names.extend(text(wire.bytes, at).filter(|name| !name.is_empty()));
        }
        for table in [table, body] {
            self.tables.push(table.at..table.at + usize::from(table.layout.size));
        }
        self.events.push(table.at);
        Some(event.size_in_file())
    }

    /// The runs that are whole: they have a name, and what they list are events.
    fn listed_runs(&self, wire: &Wire<'a>, owned: &mut [bool]) -> Vec<FoundRun> {
        let mut runs = Vec::new();
        let mut budget = wire.bytes.len() / 4;
        for at in self.runs.iter().copied() {
            let Some(table) = wire.table(Kind::Run, at, &mut Cache::default()) else { continue };
            let Some(items) = table.items(run::EVENTS, 4) else { continue };
            let Some(rest) = budget.checked_sub(items.count) else { break };
            budget = rest;
            let indices: Vec<usize> = (0..items.count)
                .filter_map(|index| {
                    self.events.binary_search(&items.table(wire.bytes, index)?).ok()
                })
                .filter(|index| !owned[*index])
                .collect();
            if indices.is_empty() || indices.len() * 2 < items.count {
                continue;
            }
            indices.iter().for_each(|index| owned[*index] = true);
            let lost_events = items.count - indices.len();
            runs.push(self.run(Head::Table(at), lost_events, &indices));
        }
        runs
    }

    fn run(&self, head: Head, lost_events: usize, indices: &[usize]) -> FoundRun {
        let events = indices.iter().filter_map(|index| u32::try_from(self.events[*index]).ok());
        FoundRun { head, index: 0, lost_events, events: events.collect() }
    }

    /// The other runs: each begins with its name, or after a whole run.
    fn unlisted_runs(&self, owned: &[bool], names: &[usize]) -> Vec<FoundRun> {
        let mut runs = Vec::new();
        let mut indices: Vec<usize> = Vec::new();
        let mut head = Head::Lost;
        // What lies above the event before this one begins no new run.
        let mut above = usize::MAX;
        for index in (0..owned.len()).rev() {
            let at = self.events[index];
            let between = |places: &[usize]| {
                let end = places.partition_point(|place| *place < above);
                places[..end].last().copied().filter(|place| *place > at)
            };
            let name = between(names);
            if name.is_some() || between(&self.runs).is_some() || owned[index] {
                if !indices.is_empty() {
                    runs.push(self.run(head, 0, &indices));
                    indices.clear();
                }
                head = name.map_or(Head::Lost, Head::Name);
            }
            above = at;
            if !owned[index] {
                indices.push(index);
            }
        }
        if !indices.is_empty() {
            runs.push(self.run(head, 0, &indices));
        }
        runs
    }

    /// Where the names of runs lie that no run's table refers to: texts that no
    /// event has, and that the name of an event follows at once.
    fn run_names(&self, wire: &Wire<'a>) -> Vec<usize> {
        let bytes = wire.bytes;
        let of_run = |at: usize| {
            let name = text(bytes, at)?;
            let is_name = (SHORTEST_NAME..=LONGEST_NAME).contains(&name.len())
                && !name.chars().any(char::is_control)
                && !self.names.contains(name)
                && !self.is_in_table(at);
            (is_name && (NAMES.contains(&name) || self.ends_text(bytes, at))).then_some(at)
        };
        let may_be_text = |at: &usize| {
            u32_at(bytes, *at).is_some_and(|len| len as usize <= LONGEST_NAME && len > 0)
        };
        (0..bytes.len()).step_by(4).filter(may_be_text).filter_map(of_run).collect()
    }

    fn is_in_table(&self, at: usize) -> bool {
        let next = self.tables.partition_point(|table| table.start <= at);
        next.checked_sub(1).is_some_and(|index| self.tables[index].contains(&at))
    }

    /// Whether one of the events' texts ends where `at` begins.
    fn ends_text(&self, bytes: &[u8], at: usize) -> bool {
        let before = self.texts[..self.texts.partition_point(|text| *text < at)].last();
        before.is_some_and(|before| {
            let length = u32_at(bytes, *before).map_or(0, |length| length as usize);
            // The text's length, its zero byte, and zeros to a multiple of 4.
            before.saturating_add(length).saturating_add(5).next_multiple_of(4) == at
        })
    }
}

/// Whether at `at` there is a reference to what may be a vtable.
fn may_be_table(bytes: &[u8], at: usize) -> bool {
    let header = || {
        let vtable = vtable_of(bytes, at).filter(|vtable| vtable % 2 == 0)?;
        let words = bytes.get(vtable..vtable.checked_add(4)?)?;
        let word = |at: usize| usize::from(u16::from_le_bytes([words[at], words[at + 1]]));
        Some((word(0), word(2)))
    };
    header().is_some_and(|(length, size)| (6..=20).contains(&length) && TABLE_SIZES.contains(&size))
}

/// The table of an event at `at`, and that of what it is, if they may be such.
fn event_tables<'a>(wire: &Wire<'a>, at: usize) -> Option<(Table<'a>, Table<'a>, Kind)> {
    let table = wire.table(Kind::Event, at, &mut Cache::default())?;
    if table.layout.size != EVENT_SIZE {
        return None;
    }
    let fields = [
        (event::PROFILE, Kind::Profile),
        (event::ALLOCATION, Kind::Allocation),
        (event::DEBUG, Kind::Debug),
    ];
    let mut present = fields.iter().filter(|(field, _)| table.has(*field));
    let (Some((field, kind)), None) = (present.next(), present.next()) else { return None };
    let body = wire.table(*kind, table.target(*field)?, &mut Cache::default())?;
    (body.at >= at + usize::from(EVENT_SIZE)).then_some((table, body, *kind))
}

/// Bytes of a table and of what may be its texts.
fn cost(kind: Kind, table: &Table<'_>) -> usize {
    let length = |(index, field): (usize, &Field)| {
        let at = table.target(index).filter(|_| *field == Field::Text)?;
        let length = u32_at(table.bytes, at)? as usize;
        let end = at.checked_add(4)?.checked_add(length)?;
        (table.bytes.get(end) == Some(&0)).then_some(length)
    };
    let lengths = kind.fields().iter().enumerate().filter_map(length);
    usize::from(table.layout.size) + lengths.sum::<usize>()
}

/// Whether a table is a run with a name and a list of events.
fn is_run(table: &Table<'_>) -> bool {
    table.text(run::NAME).flatten().is_some_and(|name| !name.is_empty())
        && table.has(run::EVENTS)
        && table.items(run::EVENTS, 4).is_some_and(|items| items.count > 0)
}

/// What the table of an event has besides what its layout asks for: all that
/// writers leave out is what has its default.
fn is_plausible(kind: Kind, table: &Table<'_>) -> bool {
    match kind {
        Kind::Profile => {
            let has_text =
                |field: usize| table.text(field).flatten().is_some_and(|t| !t.is_empty());
            has_text(profile::NAME)
                || has_text(profile::DELEGATE_NAME)
                || table.has(profile::DELEGATE_INT)
        }
        Kind::Allocation => (1..MAX_ALLOCATORS).contains(&table.int(allocation::ALLOCATOR, 0)),
        _ => table.has(debug::ENTRY),
    }
}
