//! Runs that repeat the one before.
//!
//! Nearly all runs of a trace log the same events in the same order. Such a
//! run needs no grouping of its own: its times are appended, event by event,
//! to the rows of the run before. This is what makes long traces fast.

use super::block::{Block, Sample};
use super::self_time::SelfTime;
use et_schema::etdump::{DelegateId, Event, Events, Known, Next, ProfileEvent, Run, RunEvents};
use std::collections::HashMap;

/// What makes two events the same.
type Identity<'a> = (&'a str, i32, i32, Option<DelegateId<'a>>);

fn identity<'a>(event: &ProfileEvent<'a>) -> Identity<'a> {
    (event.name, event.instruction_id, event.chain_index, event.delegate_id)
}

/// The events of a run, of which the next is probably known.
pub(super) trait Source<'a>: Iterator<Item = Event<'a>> {
    /// The next event, which probably repeats the one that is `known`.
    fn next_like(&mut self, known: &Known) -> Option<Next<'a>>;
}

impl<'a> Source<'a> for Events<'_, 'a> {
    #[inline(always)]
    fn next_like(&mut self, known: &Known) -> Option<Next<'a>> {
        Events::next_like(self, known)
    }
}

impl<'a> Source<'a> for RunEvents<'a> {
    #[inline(always)]
    fn next_like(&mut self, known: &Known) -> Option<Next<'a>> {
        RunEvents::next_like(self, known)
    }
}

/// The events of a run, one after the other.
struct Walk<'w, 'a, S> {
    run: &'w Run<'a>,
    events: &'w mut S,
    /// Number of the next event in the run.
    index: usize,
    /// Allocation events that were passed.
    allocations: usize,
}

impl<'a, S: Source<'a>> Walk<'_, 'a, S> {
    #[inline(always)]
    fn next(&mut self, known: Option<&Known>) -> Option<Next<'a>> {
        self.index += 1;
        match known {
            Some(known) => self.events.next_like(known),
            None => self.events.next().map(Next::Other),
        }
    }

    /// Passes what has no time; `None` if there is more.
    fn pass(&mut self, event: &Event<'a>) -> Option<()> {
        match event {
            Event::Allocation(_) => self.allocations += 1,
            Event::Empty => {}
            Event::Profile(_) | Event::Debug(_) => return None,
        }
        Some(())
    }
}

/// How often an event that lies in the file otherwise than before is looked at
/// anew, to know it again: the first runs of a trace differ, later ones do not.
const LOOKS: u8 = 4;

/// An event that is expected to repeat.
struct Expected<'a> {
    event: ProfileEvent<'a>,
    known: Option<Known>,
    looks: u8,
}

/// An event with what can differ from run to run.
type Timed<'a> = (Sample, &'a [u8]);

impl<'a> Expected<'a> {
    /// The event again, if it is the next one that took time.
    #[inline(always)]
    fn next<S: Source<'a>>(&mut self, walk: &mut Walk<'_, 'a, S>) -> Option<Timed<'a>> {
        loop {
            match walk.next(self.known.as_ref())? {
                Next::Repeated(e) => {
                    let sample = Sample { start: e.start_time, end: e.end_time };
                    return Some((sample, e.delegate_metadata));
                }
                Next::Other(Event::Profile(e)) => return self.moved(&e, walk),
                Next::Other(event) => walk.pass(&event)?,
            }
        }
    }

    /// The same, where `event` was next and does not lie as it is known.
    #[cold]
    #[inline(never)]
    fn moved<S: Source<'a>>(
        &mut self,
        event: &ProfileEvent<'a>,
        walk: &Walk<'_, 'a, S>,
    ) -> Option<Timed<'a>> {
        if identity(event) != identity(&self.event) {
            return None;
        }
        if self.looks < LOOKS {
            self.looks += 1;
            self.known = Known::of(walk.run, walk.index - 1);
        }
        Some((Sample::new(event), event.delegate_metadata))
    }
}

/// The events of a run as they were logged.
pub(super) struct Pattern<'a> {
    name: &'a str,
    bundled_input_index: Option<u32>,
    /// Index of the block that the run belongs to.
    pub block: usize,
    events: Vec<Expected<'a>>,
    /// The row of each in the block.
    rows: Vec<u32>,
    /// The times of a run that is being compared.
    samples: Vec<Sample>,
    /// What the delegates attached to them; empty if nothing.
    metadata: Vec<&'a [u8]>,
}

impl<'a> Pattern<'a> {
    /// The pattern of `run`, whose rows are those of `block`. `None` if an
    /// event has no row of its own, as in a loop, or values were logged.
    pub fn of(run: &Run<'a>, index: usize, block: &Block<'a>) -> Option<Self> {
        let mut row_of = HashMap::with_capacity(block.events.len());
        for (index, row) in (0u32..).zip(&block.events) {
            let chain = i32::try_from(row.chain).ok()?;
            if row_of.insert((row.name, row.instruction, chain, row.delegate_id), index).is_some() {
                return None;
            }
        }
        let mut events = Vec::with_capacity(row_of.len());
        let mut rows = Vec::with_capacity(row_of.len());
        for event in run.events() {
            match event {
                Event::Profile(event) => {
                    rows.push(row_of.remove(&identity(&event))?);
                    events.push(Expected { event, known: None, looks: 0 });
                }
                Event::Debug(_) => return None,
                Event::Allocation(_) | Event::Empty => {}
            }
        }
        row_of.is_empty().then_some(Pattern {
            name: run.name(),
            bundled_input_index: run.bundled_input_index(),
            block: index,
            samples: Vec::with_capacity(events.len()),
            events,
            rows,
            metadata: Vec::new(),
        })
    }

    /// Appends the times of `run` to `block` if its `events` are the same, and
    /// returns how many allocation events it has.
    pub fn append(
        &mut self,
        run: &Run<'a>,
        events: &mut impl Source<'a>,
        block: &mut Block<'a>,
        self_time: &mut Option<SelfTime>,
    ) -> Option<usize> {
        if (run.name(), run.bundled_input_index()) != (self.name, self.bundled_input_index) {
            return None;
        }
        self.samples.clear();
        self.metadata.clear();
        let mut walk = Walk { run, events, index: 0, allocations: 0 };
        for expected in &mut self.events {
            let (sample, metadata) = expected.next(&mut walk)?;
            if !metadata.is_empty() || !self.metadata.is_empty() {
                self.metadata.resize(self.samples.len(), &[]);
                self.metadata.push(metadata);
            }
            self.samples.push(sample);
        }
        while let Some(event) = walk.events.next() {
            walk.pass(&event)?;
        }
        let own = match self_time {
            Some(self_time) => self_time.measure(&self.rows, &self.samples),
            None => &[],
        };
        for (index, (row, sample)) in self.rows.iter().zip(&self.samples).enumerate() {
            let metadata = self.metadata.get(index).copied().unwrap_or_default();
            let row = &mut block.events[*row as usize];
            row.push_run(*sample, metadata);
            row.own.extend(own.get(index));
        }
        block.runs += 1;
        Some(walk.allocations)
    }
}
