//! Reading a trace once, checked on the way.
//!
//! [`File::parse`] looks at every event before any is used, and whoever uses
//! them looks at them again. A trace of hundreds of megabytes is read once only
//! if both happen together: each event is checked when it is read for the first
//! time, and what was made of them is thrown away if one of them is damaged.

use super::event::{Caches, Event};
use super::file::{Container, File, MAX_SHARING, Run, Tables};
use super::repeated::{Known, Next, Repeated};
use super::wire::Items;
use crate::error::{Format, ReadError};
use alloc::format;

/// A trace that is being read for the first time, run by run.
///
/// # Examples
/// ```
/// use et_schema::etdump::{File, Reading};
///
/// # let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/traces");
/// let bytes = std::fs::read(format!("{traces}/linear__it10.etdp"))?;
/// let mut events = 0usize;
/// let mut reading = Reading::open(&bytes).ok_or("not a trace, or cut off")?;
/// while let Some(run) = reading.next_run() {
///     events += reading.events(&run).count();
/// }
/// // `None` if anything is damaged: then `File::recover` says what.
/// let file: File = reading.finish().ok_or("damaged")?;
/// assert_eq!(events, file.runs().map(|run| run.events().len()).sum::<usize>());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reading<'a> {
    file: File<'a>,
    runs: Items,
    next: usize,
    /// Bytes that may be visited.
    budget: usize,
    visited: usize,
    damaged: bool,
    /// The event that is: its number in its run, and where its table should be;
    /// none if it is the run itself.
    damaged_event: Option<(usize, usize)>,
    caches: Caches<'a>,
}

impl<'a> Reading<'a> {
    /// Begins with the file's list of runs; `None` if it is cut off or no trace.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        let container = Container::detect(bytes).ok()?;
        Self::of(&container, container.complete().ok()?)
    }

    /// Begins with the list of runs in `bytes`.
    pub(super) fn of(container: &Container<'a>, bytes: &'a [u8]) -> Option<Self> {
        let file = File::unread(container, bytes)?;
        let Tables::Vector(runs) = file.runs else { return None };
        let budget = bytes.len().saturating_mul(MAX_SHARING).saturating_add(4096);
        let caches = Caches::default();
        Some(Reading {
            file,
            runs,
            next: 0,
            budget,
            visited: 0,
            damaged: false,
            damaged_event: None,
            caches,
        })
    }

    /// The next run; `None` after the last one and if anything is damaged.
    pub fn next_run(&mut self) -> Option<Run<'a>> {
        if self.damaged || self.next == self.runs.count {
            return None;
        }
        let run = self.checked_run(self.next);
        self.damaged = run.is_none();
        self.next += 1;
        run
    }

    fn checked_run(&mut self, index: usize) -> Option<Run<'a>> {
        let wire = &self.file.wire;
        let run = Run::at(wire, self.runs.table(wire.bytes, index)?, index)?;
        let mut size = 16 + run.name().len();
        for index in 0..run.allocators().len() {
            size += 8 + run.allocator(index)?.len();
        }
        self.visit(size)?;
        Some(run)
    }

    /// The events of a run that [`Reading::next_run`] gave. They end early
    /// where one is damaged; every one of them must be looked at.
    #[inline]
    pub fn events<'r>(&'r mut self, run: &Run<'a>) -> Events<'r, 'a> {
        let list = match run.tables() {
            Tables::Vector(list) => *list,
            Tables::Found(_) => Items::default(),
        };
        Events { reading: self, list, index: 0 }
    }

    /// Bytes that have been visited so far; shared ones count each time.
    pub fn visited(&self) -> usize {
        self.visited
    }

    /// How many runs there are.
    pub fn run_count(&self) -> usize {
        self.runs.count
    }

    /// What is wrong with the run, or the event, that was read last.
    pub(super) fn fault(&self) -> ReadError {
        if self.visited > self.budget {
            let sharing =
                format!("tables that share less than {MAX_SHARING} times the file's size");
            return ReadError::at(Format::EtDump, 0, sharing, "more");
        }
        let run = self.next.saturating_sub(1);
        let (path, at, expected) = match self.damaged_event {
            Some((event, at)) => (format!("run_data[{run}].events[{event}]"), at, "an event"),
            None => {
                let at = self.runs.table(self.file.wire.bytes, run).unwrap_or(0);
                (format!("run_data[{run}]"), at, "a run with its events")
            }
        };
        let found = "no table of a known layout";
        ReadError::at_field(Format::EtDump, at as u64, path, expected, found)
    }

    /// The file, if all of it has been read and nothing is damaged.
    pub fn finish(self) -> Option<File<'a>> {
        (!self.damaged && self.next == self.runs.count).then_some(self.file)
    }

    #[inline]
    fn visit(&mut self, size: usize) -> Option<()> {
        self.visited = self.visited.saturating_add(size);
        (self.visited <= self.budget).then_some(())
    }
}

/// The events of a run, each checked.
#[derive(Debug)]
pub struct Events<'r, 'a> {
    reading: &'r mut Reading<'a>,
    list: Items,
    index: usize,
}

impl<'a> Events<'_, 'a> {
    #[inline]
    fn read(&mut self) -> Option<Event<'a>> {
        let wire = &self.reading.file.wire;
        let at = self.list.table(wire.bytes, self.index)?;
        let event = Event::read(wire, at, &mut self.reading.caches)?;
        self.reading.visit(event.size_in_file())?;
        Some(event)
    }

    #[inline(always)]
    fn repeated(&mut self, known: &Known) -> Option<Repeated<'a>> {
        if self.index >= self.list.count || self.reading.damaged {
            return None;
        }
        let bytes = self.reading.file.wire.bytes;
        let event = Repeated::read(bytes, self.list.table(bytes, self.index)?, known)?;
        self.reading.visit(event.size_in_file(known))?;
        self.index += 1;
        Some(event)
    }

    #[cold]
    #[inline(never)]
    fn other(&mut self) -> Option<Next<'a>> {
        self.next().map(Next::Other)
    }

    /// As [`Iterator::next`], but faster if the next event is probably the
    /// one that is `known`, but for its times and metadata.
    #[inline(always)]
    pub fn next_like(&mut self, known: &Known) -> Option<Next<'a>> {
        match self.repeated(known) {
            Some(event) => Some(Next::Repeated(event)),
            None => self.other(),
        }
    }
}

impl<'a> Iterator for Events<'_, 'a> {
    type Item = Event<'a>;

    #[inline]
    fn next(&mut self) -> Option<Event<'a>> {
        if self.index >= self.list.count || self.reading.damaged {
            return None;
        }
        let event = self.read();
        if event.is_none() {
            self.reading.damaged = true;
            let at = self.list.table(self.reading.file.wire.bytes, self.index).unwrap_or(0);
            self.reading.damaged_event = Some((self.index, at));
        }
        self.index += 1;
        event
    }
}
