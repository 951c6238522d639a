//! The container: identifier, size prefix, runs.

use super::event::{Caches, Event};
use super::kind::field::{ONLY, root, run};
use super::kind::{Field, Kind};
use super::reading::Reading;
use super::recover;
use super::repeated::{Known, Next, Repeated};
use super::salvage;
use super::wire::{Cache, Items, Table, Wire, follow, text};
use crate::bytes::{slice, u32_at};
use crate::error::{Format, ReadError, Result};
use crate::generated::etdump_generated::etdump as fb;
use crate::verify;
use alloc::format;
use alloc::sync::Arc;

const IDENTIFIER: &[u8] = b"ED00";
const PREFIX: u64 = 4;

/// Tables and strings may be shared, so the bytes that are visited may exceed
/// the file; a file that visits this many times its size is crafted.
pub(super) const MAX_SHARING: usize = 16;

/// A trace whose every table has been checked.
#[derive(Clone, Debug)]
pub struct File<'a> {
    pub(super) wire: Wire<'a>,
    size_prefixed: bool,
    version: u32,
    pub(super) runs: Tables,
    loss: Option<Loss>,
}

/// What a trace has lost by being cut off.
///
/// A FlatBuffer is built from its end to its beginning: the root and the lists
/// of runs and events come first, then the events of the last run, and what
/// was recorded first comes last. A cut therefore takes the oldest events, and
/// the descriptions of all tables' layouts, which are restored from the tables
/// that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// Size of the whole file; `None` without a size prefix.
    pub expected_bytes: Option<u64>,
    /// Size of what is there.
    pub found_bytes: u64,
    /// Events that could be read.
    pub events: usize,
    /// Events of these runs that the file lists and that could not be read; how
    /// many the other runs had is not known.
    pub lost_events: usize,
    /// Runs that could be read, in part at least.
    pub runs: usize,
    /// Runs that the file lists.
    pub listed_runs: usize,
}

/// What a trace is that is not cut off and whose lists of runs and events are
/// broken: its events were found one by one.
///
/// So are the traces of ExecuTorch's runtime with a debug buffer and tensors of
/// types that its `ETDumpGen` cannot log, as float16. The values of these
/// tensors are in no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Why the file cannot be read by its lists.
    pub reason: ReadError,
    /// Events that were found.
    pub events: usize,
    /// Runs that they are of.
    pub runs: usize,
}

/// Why a file has not all that was recorded.
#[derive(Clone, Debug)]
enum Loss {
    Cut(Truncation),
    Lists(Damage),
}

/// Tables by position, with what was found readable of them in a truncated file.
#[derive(Clone, Debug)]
pub(super) enum Tables {
    /// A vector of the file.
    Vector(Items),
    /// Positions of runs, and of the events of each.
    Found(Arc<[FoundRun]>),
}

/// What is left of a run but its events.
#[derive(Clone, Copy, Debug)]
pub(super) enum Head {
    /// The place of its table.
    Table(usize),
    /// The place of its name.
    Name(usize),
    /// Nothing.
    Lost,
}

/// A run of a truncated or damaged file.
#[derive(Clone, Debug)]
pub(super) struct FoundRun {
    pub head: Head,
    /// Its number in the file's list.
    pub index: usize,
    /// Events that the file lists and that could not be read.
    pub lost_events: usize,
    pub events: Arc<[u32]>,
}

/// Which of the two forms a file has.
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    size_prefixed: bool,
    /// Size with the prefix, if there is one.
    declared: Option<u64>,
}

impl<'a> Container<'a> {
    pub(super) fn detect(bytes: &'a [u8]) -> Result<Self> {
        let has_identifier = |at: usize| bytes.get(at..at + 4) == Some(IDENTIFIER);
        if has_identifier(8) {
            let declared = PREFIX + u64::from(u32_at(bytes, 0).unwrap_or(0));
            return Ok(Container { bytes, size_prefixed: true, declared: Some(declared) });
        }
        if has_identifier(4) {
            return Ok(Container { bytes, size_prefixed: false, declared: None });
        }
        let expected = "file identifier \"ED00\" there or at byte 4".into();
        Err(verify::other_identifier(Format::EtDump, bytes, 8, expected))
    }

    /// The FlatBuffer, all of it.
    pub(super) fn complete(&self) -> Result<&'a [u8]> {
        let Some(declared) = self.declared else { return Ok(self.bytes) };
        slice(self.bytes, 0, declared).ok_or_else(|| {
            ReadError::at(
                Format::EtDump,
                0,
                format!("{} bytes after the size prefix", declared - PREFIX),
                format!("{} (truncated?)", self.bytes.len() as u64 - PREFIX),
            )
        })
    }

    fn root(&self) -> usize {
        let at = if self.size_prefixed { PREFIX as usize } else { 0 };
        follow(self.bytes, at).unwrap_or(usize::MAX)
    }
}

impl<'a> File<'a> {
    /// Reads a trace, with or without a size prefix, and checks all of it.
    ///
    /// # Errors
    /// Wrong identifier, truncated file, invalid FlatBuffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let container = Container::detect(bytes)?;
        Self::intact(&container, container.complete()?)
    }

    /// As [`File::parse`], but of a file that is cut off it reads every event
    /// that lies before the cut, and of one whose lists are broken every event
    /// that it finds; [`File::truncation`] and [`File::damage`] say what is
    /// missing.
    ///
    /// # Errors
    /// Wrong identifier, invalid FlatBuffer, or a cut before the first event.
    pub fn recover(bytes: &'a [u8]) -> Result<Self> {
        let container = Container::detect(bytes)?;
        let complete = container.complete();
        let error = match complete.clone().and_then(|bytes| Self::intact(&container, bytes)) {
            Ok(file) => return Ok(file),
            Err(error) => error,
        };
        let is_whole = container.declared.is_some() && complete.is_ok();
        let before_the_cut = if is_whole { None } else { Self::before_the_cut(&container) };
        let damaged = || Self::damaged(&container, complete.ok()?, error.clone());
        before_the_cut.or_else(damaged).ok_or(error)
    }

    /// The events before the cut of a file that is cut off.
    fn before_the_cut(container: &Container<'a>) -> Option<Self> {
        let found = recover::recover(container.bytes, container.root(), container.declared)?;
        let events = found.runs.iter().map(|run| run.events.len()).sum();
        Some(File {
            size_prefixed: container.size_prefixed,
            version: found.version,
            loss: Some(Loss::Cut(Truncation {
                expected_bytes: container.declared,
                found_bytes: container.bytes.len() as u64,
                events,
                lost_events: found.listed_events - events,
                runs: found.runs.len(),
                listed_runs: found.listed_runs,
            })),
            runs: Tables::Found(found.runs.into()),
            wire: found.wire,
        })
    }

    /// The events of a file whose root leads to no list of runs; `None` if it
    /// does, and the fault lies elsewhere.
    fn damaged(container: &Container<'a>, bytes: &'a [u8], reason: ReadError) -> Option<Self> {
        let listed = Self::unread(container, bytes);
        if listed.as_ref().is_some_and(File::lists_runs) {
            return None;
        }
        let found = salvage::salvage(bytes)?;
        let events = found.runs.iter().map(|run| run.events.len()).sum();
        Some(File {
            size_prefixed: container.size_prefixed,
            version: listed.map_or(0, |file| file.version),
            loss: Some(Loss::Lists(Damage { reason, events, runs: found.runs.len() })),
            runs: Tables::Found(found.runs.into()),
            wire: found.wire,
        })
    }

    /// Whether the root lists runs, each with a name and a list of events.
    fn lists_runs(&self) -> bool {
        let Tables::Vector(items) = self.runs else { return false };
        (0..items.count).all(|index| {
            let at = items.table(self.wire.bytes, index);
            let run = at.and_then(|at| Run::at(&self.wire, at, index));
            run.is_some_and(|run| !run.name().is_empty())
        })
    }

    /// The file of `bytes`, of which nothing but the list of runs has been looked at.
    pub(super) fn unread(container: &Container<'a>, bytes: &'a [u8]) -> Option<Self> {
        let wire = Wire { bytes, truncated: false, lost: Arc::new([]) };
        let root = wire.table(Kind::Root, container.root(), &mut Cache::default())?;
        Some(File {
            size_prefixed: container.size_prefixed,
            version: root.int(root::VERSION, 0) as u32,
            runs: Tables::Vector(root.items(root::RUNS, Field::Tables(Kind::Run).size())?),
            loss: None,
            wire,
        })
    }

    /// Checks `bytes` in one pass; what is wrong is then said by the generic
    /// verifier, which knows the way to each field.
    fn intact(container: &Container<'a>, bytes: &'a [u8]) -> Result<Self> {
        let mut fault =
            ReadError::field(Format::EtDump, "run_data", "a list of runs", "something else");
        let file = Reading::of(container, bytes).and_then(|mut reading| {
            while let Some(run) = reading.next_run() {
                reading.events(&run).for_each(drop);
            }
            fault = reading.fault();
            reading.finish()
        });
        if let Some(file) = file {
            return Ok(file);
        }
        let verified = match container.size_prefixed {
            true => verify::size_prefixed_root::<fb::ETDump>(Format::EtDump, bytes),
            false => verify::root::<fb::ETDump>(Format::EtDump, bytes, 0),
        };
        // What the generic verifier lets pass: tables that many others share,
        // and vtables that are none, which it takes for those of empty tables.
        verified.and(Err(fault))
    }

    /// Whether the file begins with its size.
    pub fn is_size_prefixed(&self) -> bool {
        self.size_prefixed
    }

    /// `ETDump.version`
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What is missing of a file that is cut off, `None` for a whole one.
    pub fn truncation(&self) -> Option<Truncation> {
        match self.loss {
            Some(Loss::Cut(truncation)) => Some(truncation),
            _ => None,
        }
    }

    /// What was found of a whole file whose lists are broken.
    pub fn damage(&self) -> Option<&Damage> {
        match &self.loss {
            Some(Loss::Lists(damage)) => Some(damage),
            _ => None,
        }
    }

    /// The runs, in file order.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = Run<'a>> + use<'a> {
        let wire = self.wire.clone();
        let runs = self.runs.clone();
        let count = match &runs {
            Tables::Vector(items) => items.count,
            Tables::Found(runs) => runs.len(),
        };
        (0..count)
            .map(move |index| Run::nth(&wire, &runs, index).unwrap_or_else(|| Run::empty(&wire)))
    }
}

/// A block of events: `Default` while a method loads, `Execute` for each execution.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    wire: Wire<'a>,
    index: usize,
    name: &'a str,
    bundled_input_index: i32,
    allocators: Items,
    events: Tables,
}

impl<'a> Run<'a> {
    fn empty(wire: &Wire<'a>) -> Self {
        Run {
            wire: wire.clone(),
            index: 0,
            name: "",
            bundled_input_index: -1,
            allocators: Items::default(),
            events: Tables::Vector(Items::default()),
        }
    }

    fn nth(wire: &Wire<'a>, runs: &Tables, index: usize) -> Option<Self> {
        match runs {
            Tables::Vector(items) => Run::at(wire, items.table(wire.bytes, index)?, index),
            Tables::Found(runs) => {
                let found = runs.get(index)?;
                let events = Tables::Found(Arc::new([found.clone()]));
                let name = match found.head {
                    Head::Table(at) => {
                        let table = wire.table(Kind::Run, at, &mut Cache::default())?;
                        return Run::of(wire, &table, found.index, events);
                    }
                    Head::Name(at) => text(wire.bytes, at)?,
                    Head::Lost => "",
                };
                Some(Run { name, index: found.index, events, ..Run::empty(wire) })
            }
        }
    }

    /// A run of an intact file.
    pub(super) fn at(wire: &Wire<'a>, at: usize, index: usize) -> Option<Self> {
        let table = wire.table(Kind::Run, at, &mut Cache::default())?;
        let events = table.items(run::EVENTS, 4)?;
        Run::of(wire, &table, index, Tables::Vector(events))
    }

    fn of(wire: &Wire<'a>, table: &Table<'a>, index: usize, events: Tables) -> Option<Self> {
        let allocators = table.items(run::ALLOCATORS, 4);
        Some(Run {
            name: table.text(run::NAME).or(wire.truncated.then_some(None))?.unwrap_or_default(),
            bundled_input_index: table.int(run::BUNDLED_INPUT_INDEX, -1),
            allocators: allocators.or(wire.truncated.then_some(Items::default()))?,
            events,
            index,
            wire: wire.clone(),
        })
    }

    /// Its number among the runs that the file lists: of a file that is cut
    /// off, the first ones may be missing.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Events that the file lists and that could not be read, as it is cut off:
    /// the first ones of the run.
    pub fn lost_events(&self) -> usize {
        match &self.events {
            Tables::Vector(_) => 0,
            Tables::Found(found) => found[0].lost_events,
        }
    }

    /// Name of the block.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Index of the bundled input, `None` if none was used.
    pub fn bundled_input_index(&self) -> Option<u32> {
        u32::try_from(self.bundled_input_index).ok()
    }

    pub(super) fn wire(&self) -> &Wire<'a> {
        &self.wire
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.events
    }

    pub(super) fn allocator(&self, index: usize) -> Option<&'a str> {
        let at = self.allocators.table(self.wire.bytes, index)?;
        let table = self.wire.table(Kind::Allocator, at, &mut Cache::default())?;
        Some(table.text(ONLY)?.unwrap_or_default())
    }

    /// Names of the allocators; allocation events count them from 1.
    pub fn allocators(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let run = self.clone();
        (0..run.allocators.count).map(move |index| run.allocator(index).unwrap_or_default())
    }

    /// The events, in the order in which they were logged.
    pub fn events(&self) -> RunEvents<'a> {
        let (wire, tables) = (self.wire.clone(), self.events.clone());
        RunEvents { wire, tables, index: 0, caches: Caches::default() }
    }
}

/// The events of a run, in the order in which they were logged.
#[derive(Clone, Debug)]
pub struct RunEvents<'a> {
    wire: Wire<'a>,
    tables: Tables,
    index: usize,
    caches: Caches<'a>,
}

impl<'a> RunEvents<'a> {
    /// As [`Iterator::next`], but faster if the next event is probably the
    /// one that is `known`, but for its times and metadata.
    #[inline]
    pub fn next_like(&mut self, known: &Known) -> Option<Next<'a>> {
        let repeated = match &self.tables {
            Tables::Vector(items) if self.index < items.count => {
                let at = items.table(self.wire.bytes, self.index);
                at.and_then(|at| Repeated::read(self.wire.bytes, at, known))
            }
            _ => None,
        };
        match repeated {
            Some(repeated) => {
                self.index += 1;
                Some(Next::Repeated(repeated))
            }
            None => self.next().map(Next::Other),
        }
    }
}

impl<'a> Iterator for RunEvents<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let at = match &self.tables {
            _ if self.len() == 0 => return None,
            Tables::Vector(items) => items.table(self.wire.bytes, self.index),
            Tables::Found(found) => found[0].events.get(self.index).map(|at| *at as usize),
        };
        self.index += 1;
        let event = at.and_then(|at| Event::read(&self.wire, at, &mut self.caches));
        Some(event.unwrap_or(Event::Empty))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = match &self.tables {
            Tables::Vector(items) => items.count,
            Tables::Found(found) => found[0].events.len(),
        };
        let left = count.saturating_sub(self.index);
        (left, Some(left))
    }
}

impl ExactSizeIterator for RunEvents<'_> {}
