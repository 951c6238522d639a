//! What records a run: always the time by instruction, and a trace if asked for.

use super::profile::Profile;
use etdump::{
    AllocationRecord, AllocatorInfo, DebugLevel, DebugValue, DelegateId, EtDump, EtDumpWriter,
    Place, SystemClock, Ticks, Tracer,
};

/// Passes everything on to the profile and to the trace.
#[derive(Default)]
pub struct Recorder {
    /// Time by instruction.
    pub profile: Profile,
    trace: Option<EtDumpWriter<SystemClock>>,
    /// When the open scopes began, innermost last, by the profile's clock.
    open: Vec<Ticks>,
}

impl Recorder {
    /// A recorder that keeps a trace as well.
    pub fn with_trace(trace: EtDumpWriter<SystemClock>) -> Self {
        Recorder { trace: Some(trace), ..Recorder::default() }
    }

    /// The profile, and the trace if one was kept.
    pub fn finish(self) -> (Profile, Option<EtDump>) {
        (self.profile, self.trace.map(EtDumpWriter::finish))
    }
}

impl Tracer for Recorder {
    fn begin_run(&mut self, name: &str, allocators: &[AllocatorInfo<'_>]) {
        self.open.clear();
        if let Some(trace) = &mut self.trace {
            trace.begin_run(name, allocators);
        }
    }

    fn begin(&mut self, name: &str, place: Place) -> Ticks {
        self.open.push(self.profile.begin(name, place));
        self.trace.as_mut().map_or(Ticks(0), |trace| trace.begin(name, place))
    }

    fn end(&mut self, name: &str, place: Place, begun: Ticks) {
        if let Some(trace) = &mut self.trace {
            trace.end(name, place, begun);
        }
        if let Some(begun) = self.open.pop() {
            self.profile.end(name, place, begun);
        }
    }

    fn begin_delegate(&mut self, id: DelegateId<'_>, place: Place) -> Ticks {
        self.trace.as_mut().map_or(Ticks(0), |trace| trace.begin_delegate(id, place))
    }

    fn end_delegate(&mut self, id: DelegateId<'_>, place: Place, begun: Ticks, metadata: &[u8]) {
        if let Some(trace) = &mut self.trace {
            trace.end_delegate(id, place, begun, metadata);
        }
    }

    fn allocation(&mut self, record: AllocationRecord) {
        if let Some(trace) = &mut self.trace {
            trace.allocation(record);
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
