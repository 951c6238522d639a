//! What records a run: always the time by instruction, and a trace if asked for.

use super::profile::Profile;
use et_schema::ErrorCode;
use etdump::journal::{Detail, Journal, JournalTracer};
use etdump::{
    AllocationRecord, AllocatorInfo, Clock, Contents, DebugLevel, DebugValue, DelegateId, EtDump,
    EtDumpWriter, Place, SystemClock, Ticks, Tracer,
};
use std::cell::Cell;
use std::rc::Rc;

/// Passes everything on to the profile and to the trace, which share a clock:
/// it is read once per begin and end.
#[derive(Default)]
pub struct Recorder<'j> {
    /// Time by instruction.
    pub profile: Profile,
    trace: Option<EtDumpWriter<Reading>>,
    journal: Option<JournalTracer<'j, Reading>>,
    clock: SystemClock,
    reading: Reading,
}

/// The last reading of the recorder's clock.
#[derive(Clone, Debug, Default)]
pub struct Reading(Rc<Cell<Ticks>>);

impl Clock for Reading {
    fn now(&mut self) -> Ticks {
        self.0.get()
    }
}

impl<'j> Recorder<'j> {
    /// Keeps a journal of method `method` as well.
    pub fn journal(&mut self, journal: Journal<'j>, method: &str) {
        let clock = self.reading.clone();
        self.journal = Some(JournalTracer::new(journal, clock, Detail::Kernels, method));
    }

    /// Keeps a trace as well.
    pub fn trace(&mut self, contents: Contents) -> &mut EtDumpWriter<Reading> {
        self.trace.insert(EtDumpWriter::new(self.reading.clone(), contents))
    }

    /// The profile, and the trace if one was kept.
    pub fn finish(self) -> (Profile, Option<EtDump>) {
        (self.profile, self.trace.map(EtDumpWriter::finish))
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.trace.is_some() || self.journal.is_some() || Profile::counts(name)
    }

    fn read_clock(&mut self) -> Ticks {
        let now = self.clock.now();
        self.reading.0.set(now);
        now
    }
}

impl Tracer for Recorder<'_> {
    fn begin_run(&mut self, name: &str, allocators: &[AllocatorInfo<'_>]) {
        if let Some(trace) = &mut self.trace {
            trace.begin_run(name, allocators);
        }
        if self.journal.is_some() {
            self.read_clock();
        }
        if let Some(journal) = &mut self.journal {
            journal.begin_run(name, allocators);
        }
    }

    fn begin(&mut self, name: &str, place: Place) -> Ticks {
        if !self.is_wanted(name) {
            return Ticks(0);
        }
        let now = self.read_clock();
        if let Some(journal) = &mut self.journal {
            journal.begin(name, place);
        }
        self.trace.as_mut().map_or(now, |trace| trace.begin(name, place))
    }

    fn end(&mut self, name: &str, place: Place, begun: Ticks) {
        if !self.is_wanted(name) {
            return;
        }
        let now = self.read_clock();
        if let Some(journal) = &mut self.journal {
            journal.end(name, place, begun);
        }
        if let Some(trace) = &mut self.trace {
            trace.end(name, place, begun);
        }
        self.profile.add(name, place, now.0.saturating_sub(begun.0));
    }

    fn takes_spans(&self) -> bool {
        self.journal.is_none()
    }

    fn now(&mut self) -> Option<Ticks> {
        Some(self.read_clock())
    }

    fn span(&mut self, name: &str, place: Place, begun: Ticks, ended: Ticks) {
        if let Some(trace) = &mut self.trace {
            trace.span(name, place, begun, ended);
        }
        self.profile.add(name, place, ended.0.saturating_sub(begun.0));
    }

    fn failed(&mut self, name: &str, place: Place, code: ErrorCode) {
        self.read_clock();
        if let Some(journal) = &mut self.journal {
            journal.failed(name, place, code);
        }
    }

    fn begin_delegate(&mut self, id: DelegateId<'_>, place: Place) -> Ticks {
        let now = self.read_clock();
        if let Some(journal) = &mut self.journal {
            journal.begin_delegate(id, place);
        }
        self.trace.as_mut().map_or(now, |trace| trace.begin_delegate(id, place))
    }

    fn end_delegate(&mut self, id: DelegateId<'_>, place: Place, begun: Ticks, metadata: &[u8]) {
        self.read_clock();
        if let Some(journal) = &mut self.journal {
            journal.end_delegate(id, place, begun, metadata);
        }
        if let Some(trace) = &mut self.trace {
            trace.end_delegate(id, place, begun, metadata);
        }
    }

    fn allocation(&mut self, record: AllocationRecord) {
        if let Some(trace) = &mut self.trace {
            trace.allocation(record);
        }
        if let Some(journal) = &mut self.journal {
            journal.allocation(record);
        }
    }

    fn debug_level(&self) -> DebugLevel {
        self.trace.as_ref().map_or(DebugLevel::None, |trace| trace.debug_level())
    }

    fn value(&mut self, place: Place, value: DebugValue<'_>, output: bool) {
        if let Some(trace) = &mut self.trace {
            trace.value(place, value, output);
        }
    }
}
