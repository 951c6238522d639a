//! The trace to judge, with its values.

use super::names::Names;
use super::{CompareArgs, Compat, references};
use crate::failure::Failure;
use crate::tensors::Array;
use et_inspector::correlate::Correlation;
use et_inspector::debug_data::Value;
use et_inspector::events::{Block, EventBlocks};
use et_inspector::gap::{self, Comparison, Logged, Place};
use et_schema::etdump::File;
use std::collections::{HashMap, HashSet};

/// A trace with its values and the runs that logged them.
pub(super) struct Judged<'t, 'a> {
    args: &'t CompareArgs,
    trace: &'t File<'a>,
    buffer: &'t [u8],
    blocks: &'t EventBlocks<'a>,
    logged: Vec<Logged<'a>>,
    /// The block of each run that logged values.
    runs: Vec<Option<usize>>,
    /// The number of each of them in the whole trace, as far as it is known.
    numbers: Vec<usize>,
}

impl<'t, 'a> Judged<'t, 'a> {
    /// The values of `trace`, whose elements are in `buffer`.
    ///
    /// # Errors
    /// It has none.
    pub fn new(
        args: &'t CompareArgs,
        trace: &'t File<'a>,
        buffer: &'t [u8],
        blocks: &'t EventBlocks<'a>,
        correlation: &Correlation<'_>,
    ) -> Result<Self, Failure> {
        let runs = gap::blocks_of_runs(trace, blocks);
        let mut logged = gap::logged(trace);
        let rests = rests_of_unknown_methods(trace, &runs, correlation);
        logged.retain(|value| !rests.contains(&value.place.run));
        if logged.is_empty() {
            let message = match trace.truncation() {
                None => {
                    "the trace has no values; record it with a debug buffer (with etinspect: \
                     `run --etdump FILE --debug-buffer FILE`)"
                }
                Some(_) => "no values lie before the place where the trace is cut off",
            };
            return Err(Failure::input(&args.trace, message));
        }
        let numbers = (0..runs.len()).collect();
        Ok(Judged { args, trace, buffer, blocks, logged, runs, numbers })
    }

    /// Against the values of another trace of the same program.
    pub fn against_trace(&mut self, reference: &File<'_>, buffer: &[u8]) -> Comparison {
        self.numbers = gap::run_numbers(self.trace, reference);
        self.against(reference, buffer)
    }

    /// Against a trace of as many runs as [`Self::methods`] named.
    pub fn against_host(&mut self, host: &File<'_>, buffer: &[u8], runs: usize) -> Comparison {
        self.numbers = (runs.saturating_sub(self.runs.len())..runs).collect();
        self.against(host, buffer)
    }

    fn against(&mut self, reference: &File<'_>, buffer: &[u8]) -> Comparison {
        let mut expected = gap::logged(reference);
        let numbers = gap::run_numbers(reference, self.trace);
        gap::align(&mut expected, reference, &numbers, self.trace);
        gap::align(&mut self.logged, self.trace, &self.numbers, reference);
        gap::compare(&self.values(), &values(&expected, buffer), self.args.tolerance())
    }

    /// Against named tensors; the second result are the names that fit no value.
    pub fn against_tensors<'b>(
        &mut self,
        arrays: &'b [(String, Array)],
        correlation: &Correlation<'_>,
    ) -> (Comparison, Vec<&'b str>) {
        self.numbers = gap::align_alone(&mut self.logged, self.trace);
        let found = self.values();
        let (expected, unused) = references::values(arrays, &found, &self.names(correlation));
        (gap::compare(&found, &expected, self.args.tolerance()), unused)
    }

    /// What is known of the instructions that put out the values.
    pub fn names<'n>(&'n self, correlation: &'n Correlation<'_>) -> Names<'n, 'a> {
        let numbered = self.numbers.iter().zip(&self.runs);
        let runs: HashMap<usize, usize> =
            numbered.filter_map(|(number, block)| Some((*number, (*block)?))).collect();
        Names::new(self.blocks, runs, correlation)
    }

    /// The method of each run that logs values, as far as one is known. Those of
    /// runs that a cut took are taken for the method of the first that is there.
    pub fn methods<'c>(&self, correlation: &'c Correlation<'_>) -> Vec<Option<&'c str>> {
        let has_values = |block: &Block<'_>| {
            !block.outputs.is_empty() || block.events.iter().any(|row| !row.debug_events.is_empty())
        };
        let first = self.blocks.blocks.iter().position(has_values);
        let usual = first.and_then(|block| correlation.method(block));
        let there: Vec<Option<&str>> = self
            .runs
            .iter()
            .map(|block| block.and_then(|b| correlation.method(b)).or(usual))
            .collect();
        let missing = self.missing_runs(there.iter().collect::<HashSet<_>>().len());
        std::iter::repeat_n(usual, missing).chain(there).collect()
    }

    /// How many runs that logged values a cut took. The others that it took have
    /// none, as each of `methods` was loaded in a run of its own.
    fn missing_runs(&self, methods: usize) -> usize {
        if self.trace.truncation().is_none() {
            return 0;
        }
        let taken = self.trace.runs().next().map_or(0, |run| run.index());
        let loads = self.trace.runs().len() - self.runs.len();
        taken.saturating_sub(methods.saturating_sub(loads))
    }

    fn values(&self) -> Vec<(Place, Value<'_>)> {
        let mut found = values(&self.logged, self.buffer);
        if self.args.compat == Some(Compat::Inspector) {
            found.iter_mut().for_each(|(_, value)| in_memory_order(value));
        }
        found
    }
}

/// The runs of which a cut has left too little to say which of several methods
/// they are of.
fn rests_of_unknown_methods(
    trace: &File<'_>,
    blocks: &[Option<usize>],
    correlation: &Correlation<'_>,
) -> HashSet<usize> {
    let is_certain = |block: &Option<usize>| block.is_some_and(|b| correlation.is_certain(b));
    let runs = gap::runs_with_values(trace).zip(blocks).enumerate();
    let rests = runs.filter(|(_, (run, block))| run.lost_events() > 0 && !is_certain(block));
    rests.map(|(number, _)| number).collect()
}

fn values<'b>(logged: &[Logged<'b>], buffer: &'b [u8]) -> Vec<(Place, Value<'b>)> {
    logged.iter().map(|l| (l.place.clone(), Value::of(&l.event, Some(buffer)))).collect()
}

fn in_memory_order(value: &mut Value<'_>) {
    let tensors = match value {
        Value::Tensor(tensor) => std::slice::from_mut(tensor),
        Value::List(tensors) => tensors,
        _ => return,
    };
    tensors.iter_mut().for_each(|tensor| *tensor = tensor.clone().in_memory_order());
}
