//! Runs that repeat the one before.
//!
//! Nearly all runs of a trace log the same events in the same order. Such a
//! run needs no grouping of its own: its times are appended, event by event,
//! to the rows of the run before. This is what makes long traces fast.

use super::block::{Block, Sample};
use super::self_time::{Role, SelfTime, roles};
use et_schema::etdump::{DelegateId, Event, Events, Next, ProfileEvent, Repeated, Run};
use std::collections::HashMap;

/// What makes two events the same.
type Identity<'a> = (&'a str, i32, i32, Option<DelegateId<'a>>);

fn identity<'a>(event: &ProfileEvent<'a>) -> Identity<'a> {
    (event.name, event.instruction_id, event.chain_index, event.delegate_id)
}

/// The events of a run, of which the next is probably known.
pub(super) trait Source<'a>: Iterator<Item = Event<'a>> {
    /// The next event, which is probably `expected` at another time.
    fn next_like(&mut self, expected: &ProfileEvent<'a>) -> Option<Next<'a>>;
}

impl<'a> Source<'a> for Events<'_, 'a> {
    #[inline(always)]
    fn next_like(&mut self, expected: &ProfileEvent<'a>) -> Option<Next<'a>> {
        Events::next_like(self, expected)
    }
}

/// Events that were checked before.
pub(super) struct Checked<I>(pub I);

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for Checked<I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        self.0.next()
    }
}

impl<'a, I: Iterator<Item = Event<'a>>> Source<'a> for Checked<I> {
    fn next_like(&mut self, _: &ProfileEvent<'a>) -> Option<Next<'a>> {
        self.next().map(Next::Other)
    }
}

/// The events of a run as they were logged.
pub(super) struct Pattern<'a> {
    name: &'a str,
    bundled_input_index: Option<u32>,
    /// Index of the block that the run belongs to.
    pub block: usize,
    events: Vec<ProfileEvent<'a>>,
    /// The row of each.
    rows: Vec<u32>,
    /// What the rows are to delegates.
    roles: Vec<Role>,
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
                    events.push(event);
                    rows.push(row_of.remove(&identity(&event))?);
                }
                Event::Debug(_) => return None,
                Event::Allocation(_) | Event::Empty => {}
            }
        }
        let name = run.name();
        let bundled_input_index = run.bundled_input_index();
        let samples = vec![Sample { start: 0, end: 0, own: 0 }; events.len()];
        row_of.is_empty().then_some(Pattern {
            name,
            bundled_input_index,
            block: index,
            events,
            rows,
            roles: roles(block),
            samples,
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
        self_time: &mut SelfTime,
    ) -> Option<usize> {
        if (run.name(), run.bundled_input_index()) != (self.name, self.bundled_input_index) {
            return None;
        }
        self.metadata.clear();
        let mut allocations = 0;
        for (index, (expected, sample)) in self.events.iter().zip(&mut self.samples).enumerate() {
            let (start, end, metadata) = loop {
                match events.next_like(expected)? {
                    Next::Repeated(Repeated { start_time, end_time, delegate_metadata }) => {
                        break (start_time, end_time, delegate_metadata);
                    }
                    Next::Other(Event::Profile(e)) if identity(&e) == identity(expected) => {
                        break (e.start_time, e.end_time, e.delegate_metadata);
                    }
                    Next::Other(Event::Allocation(_)) => allocations += 1,
                    Next::Other(Event::Empty) => {}
                    Next::Other(Event::Profile(_) | Event::Debug(_)) => return None,
                }
            };
            if !metadata.is_empty() || !self.metadata.is_empty() {
                self.metadata.resize(index, &[]);
                self.metadata.push(metadata);
            }
            *sample = Sample { start, end, own: 0 };
        }
        for event in events {
            match event {
                Event::Allocation(_) => allocations += 1,
                Event::Empty => {}
                Event::Profile(_) | Event::Debug(_) => return None,
            }
        }
        self_time.measure(&self.roles, &self.rows, &mut self.samples);
        for (index, (row, sample)) in self.rows.iter().zip(&self.samples).enumerate() {
            let metadata = self.metadata.get(index).copied().unwrap_or_default();
            block.events[*row as usize].push_run(*sample, metadata);
        }
        block.runs += 1;
        Some(allocations)
    }
}
