//! Blocks: runs with the same events, and each event with its times.

use super::grouping::Grouping;
use super::self_time::SelfTime;
use super::statistics::Statistics;
use super::time::Times;
use et_schema::etdump::{DebugEvent, DelegateId, File, ProfileEvent, Reading};

/// Bytes of the least event in a file: two tables without a field, and a reference to the first.
const LEAST_EVENT: usize = 16;

/// Events of a trace, by block.
#[derive(Clone, Debug, Default)]
pub struct EventBlocks<'a> {
    /// The blocks, in the order of their first runs.
    pub blocks: Vec<Block<'a>>,
    /// Allocation events, which have no place in the Inspector's table.
    pub allocation_events: usize,
    /// Samples of loops: those after the first of their event in a run.
    pub repeated: usize,
}

/// Runs with the same events.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// `Default`, `Execute` or what the runtime called it.
    pub name: &'a str,
    /// Number of runs.
    pub runs: usize,
    /// The bundled input that they ran on.
    pub bundled_input_index: Option<u32>,
    /// Their events.
    pub events: Vec<EventRow<'a>>,
    /// Values that the first run logged as outputs of the method.
    pub outputs: Vec<DebugEvent<'a>>,
}

/// One event over all runs of its block.
#[derive(Clone, Debug)]
pub struct EventRow<'a> {
    /// Name in the trace; empty for an instruction that only logged values.
    pub name: &'a str,
    /// Chain, -1 outside of chains.
    pub chain: i64,
    /// Instruction, -1 if unset.
    pub instruction: i32,
    /// The delegate's own operation, if it is one.
    pub delegate_id: Option<DelegateId<'a>>,
    /// Begin and end in each run and each iteration of a loop; empty if only
    /// values were logged.
    pub samples: Vec<Sample>,
    /// Of each sample the ticks that are not those of another event inside it;
    /// empty if they were not asked for.
    pub(super) own: Vec<u64>,
    /// How many of the samples are of each run; empty if one is of each.
    pub iterations: Vec<u32>,
    /// What the delegate attached to each sample; empty if to none.
    pub delegate_metadata: Vec<&'a [u8]>,
    /// Values that the event's instruction logged in the first run.
    pub debug_events: Vec<DebugEvent<'a>>,
}

/// Begin and end of an event, in ticks. A trace has millions of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// Begin.
    pub start: u64,
    /// End.
    pub end: u64,
}

impl Sample {
    pub(super) fn new(event: &ProfileEvent<'_>) -> Self {
        Sample { start: event.start_time, end: event.end_time }
    }
}

impl<'a> EventRow<'a> {
    /// Adds a sample with what the delegate attached to it.
    #[inline]
    pub(super) fn push(&mut self, sample: Sample, metadata: &'a [u8]) {
        if !metadata.is_empty() || !self.delegate_metadata.is_empty() {
            self.delegate_metadata.resize(self.samples.len(), &[]);
            self.delegate_metadata.push(metadata);
        }
        self.samples.push(sample);
    }

    /// Adds the only sample of another run.
    #[inline]
    pub(super) fn push_run(&mut self, sample: Sample, metadata: &'a [u8]) {
        self.push(sample, metadata);
        if !self.iterations.is_empty() {
            self.iterations.push(1);
        }
    }

    /// Adds a sample of another iteration of the only run.
    pub(super) fn repeat(&mut self, sample: Sample, metadata: &'a [u8]) {
        self.push(sample, metadata);
        self.iterations = vec![self.samples.len() as u32];
    }

    /// Adds the samples of `other` as those of another run.
    pub(super) fn append(&mut self, other: &EventRow<'a>) {
        if !other.iterations.is_empty() || !self.iterations.is_empty() {
            // Until now there was one in each.
            let known = if self.iterations.is_empty() { self.samples.len() } else { 0 };
            self.iterations.resize(self.iterations.len() + known, 1);
            self.iterations.push(other.samples.len() as u32);
        }
        for (index, sample) in other.samples.iter().enumerate() {
            self.push(*sample, other.delegate_metadata.get(index).copied().unwrap_or_default());
        }
    }

    /// How many of the samples are of run number `run`.
    pub(super) fn samples_of(&self, run: usize) -> usize {
        match self.iterations.get(run) {
            Some(count) => *count as usize,
            None => usize::from(run < self.samples.len() && self.iterations.is_empty()),
        }
    }

    /// `values`, of which there is one for each sample, by run.
    fn by_run<'v, T>(&self, mut values: &'v [T]) -> impl Iterator<Item = &'v [T]> {
        let runs = match self.iterations.len() {
            0 => self.samples.len(),
            runs => runs,
        };
        (0..runs).map(move |run| {
            let count = self.samples_of(run).min(values.len());
            values.split_off(..count).unwrap_or_default()
        })
    }

    /// The samples of each run.
    pub fn runs(&self) -> impl Iterator<Item = &[Sample]> {
        self.by_run(&self.samples)
    }

    /// Own ticks of the samples of each run ([`Self::own_ticks`]).
    pub fn own_runs(&self) -> impl Iterator<Item = &[u64]> {
        self.by_run(&self.own)
    }

    /// This event with the last sample of each run only.
    pub fn last_iterations(&self) -> EventRow<'a> {
        let mut end = 0;
        let mut kept = EventRow {
            samples: Vec::new(),
            own: Vec::new(),
            iterations: Vec::new(),
            delegate_metadata: Vec::new(),
            debug_events: self.debug_events.clone(),
            ..*self
        };
        for samples in self.runs() {
            end += samples.len();
            let Some(last) = samples.last() else { continue };
            let metadata = self.delegate_metadata.get(end - 1).copied().unwrap_or_default();
            kept.push(*last, metadata);
            kept.own.extend(self.own.get(end - 1));
        }
        kept
    }

    /// Whether the delegate attached something to any sample.
    pub fn has_delegate_metadata(&self) -> bool {
        self.delegate_metadata.iter().any(|metadata| !metadata.is_empty())
    }

    /// The name to show: a delegate's own operations go by their id.
    pub fn display_name(&self) -> String {
        match self.delegate_id {
            Some(DelegateId::Int(id)) => id.to_string(),
            Some(DelegateId::Name(name)) => name.to_owned(),
            None => self.name.to_owned(),
        }
    }

    /// The name that the Inspector shows: that of the first value which the
    /// instruction logged, if that has one, which C++ runtimes leave out.
    pub fn inspector_name(&self) -> String {
        match self.delegate_id {
            Some(_) => self.display_name(),
            None => self.name_of_value().to_owned(),
        }
    }

    fn name_of_value(&self) -> &'a str {
        let of_value = self.debug_events.first().map_or("", |event| event.name);
        if of_value.is_empty() { self.name } else { of_value }
    }

    /// Time of each run. A clock that ran backwards gives 0.
    pub fn raw(&self, times: &Times) -> Vec<f64> {
        let elapsed = match self.delegate_id {
            Some(_) => Times::elapsed_in_delegate,
            None => Times::elapsed,
        };
        self.samples.iter().map(|s| elapsed(times, s.start, s.end).unwrap_or(0.0)).collect()
    }

    /// Statistics over the runs.
    pub fn statistics(&self, times: &Times) -> Option<Statistics> {
        Statistics::of(&self.raw(times))
    }

    /// Ticks of all samples that are not those of another event inside; 0 in
    /// what [`EventBlocks::read_times`] reads.
    pub fn own_ticks(&self) -> u64 {
        self.own.iter().fold(0, |sum, own| sum.saturating_add(*own))
    }

    /// Whether it repeats within a run.
    pub fn is_looped(&self) -> bool {
        !self.iterations.is_empty()
    }

    /// The delegate's own id of the operation, as text.
    pub fn delegate_identifier(&self) -> Option<String> {
        self.delegate_id.map(|_| self.display_name())
    }

    /// Whether it is an instruction as a whole: `OPERATOR_CALL`,
    /// `DELEGATE_CALL`, `MOVE_CALL`, `JF_CALL` or `FREE_CALL`.
    pub fn is_call(&self) -> bool {
        self.delegate_id.is_none() && self.name.ends_with("_CALL")
    }

    /// `OPERATOR_CALL` spans its kernel's event: a sum that takes both counts twice.
    pub fn is_operator_call(&self) -> bool {
        self.delegate_id.is_none() && self.name.contains("OPERATOR_CALL")
    }
}

impl<'a> EventBlocks<'a> {
    /// Groups the events of `file`.
    pub fn of(file: &File<'a>) -> Self {
        Self::group(file, Some(SelfTime::default()))
    }

    /// As [`Self::of`], of the first runs only: as many as have `events`, and at
    /// least one of which something is left.
    pub fn of_first_runs(file: &File<'a>, events: usize) -> Self {
        let mut grouping = Grouping::new(1, 0, None);
        let mut seen = 0_usize;
        for run in file.runs() {
            if seen >= events {
                break;
            }
            seen = seen.saturating_add(run.events().len());
            grouping.add(&run, run.events());
        }
        grouping.finish()
    }

    fn group(file: &File<'a>, self_time: Option<SelfTime>) -> Self {
        let events = file.runs().map(|run| run.events().len());
        let events = events.fold(0, usize::saturating_add);
        let mut grouping = Grouping::new(file.runs().len(), events, self_time);
        for run in file.runs() {
            grouping.add(&run, run.events());
        }
        grouping.finish()
    }

    /// Reads the trace in `bytes` and groups its events in one pass; of a trace
    /// that is cut off, those before the cut, as [`File::recover`] does.
    ///
    /// `progress` is called after each run with the number of bytes that have
    /// been visited. What was visited is not looked at again, but for the names
    /// of events: memory that holds a file's pages can be given back.
    ///
    /// # Errors
    /// Those of [`File::recover`].
    pub fn read(
        bytes: &'a [u8],
        progress: &mut dyn FnMut(usize),
    ) -> et_schema::Result<(File<'a>, Self)> {
        Self::read_with(bytes, progress, Some(SelfTime::default()))
    }

    /// As [`Self::read`], but without the own ticks of events, which take a
    /// third of the memory and time: they, and every sum of them, are 0.
    ///
    /// # Errors
    /// Those of [`File::recover`].
    pub fn read_times(
        bytes: &'a [u8],
        progress: &mut dyn FnMut(usize),
    ) -> et_schema::Result<(File<'a>, Self)> {
        Self::read_with(bytes, progress, None)
    }

    fn read_with(
        bytes: &'a [u8],
        progress: &mut dyn FnMut(usize),
        self_time: Option<SelfTime>,
    ) -> et_schema::Result<(File<'a>, Self)> {
        if let Some(mut reading) = Reading::open(bytes) {
            let mut grouping =
                Grouping::new(reading.run_count(), bytes.len() / LEAST_EVENT, self_time.clone());
            while let Some(run) = reading.next_run() {
                grouping.add(&run, reading.events(&run));
                progress(reading.visited());
            }
            if let Some(file) = reading.finish() {
                return Ok((file, grouping.finish()));
            }
        }
        let file = File::recover(bytes)?;
        let blocks = Self::group(&file, self_time);
        Ok((file, blocks))
    }

    /// Keeps one sample per run and event, the last: what the Inspector does,
    /// whose numbers of a loop are those of its last iteration. Events get the
    /// names that it shows.
    pub fn keep_last_iterations(&mut self) {
        for row in self.blocks.iter_mut().flat_map(|block| &mut block.events) {
            *row = EventRow { name: row.name_of_value(), ..row.last_iterations() };
        }
        self.repeated = 0;
    }
}
