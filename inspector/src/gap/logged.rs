//! The values of a trace, each with its place.

use crate::events::{EventBlocks, Sample};
use et_schema::etdump::{DebugEvent, DelegateId, Event, File, Run, Value};
use std::collections::HashMap;
use std::fmt;

/// Where a value was put out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Run, counted over those that logged values.
    pub run: usize,
    /// Chain.
    pub chain: u64,
    /// Instruction, -1 for outputs of the method.
    pub instruction: i32,
    /// The delegate's own operation, if it is one.
    pub delegate_id: Option<String>,
    /// Which value of this instruction in this run: outputs, then those of the
    /// next iteration of a loop.
    pub position: usize,
    /// Whether it is an output of the method.
    pub is_output: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_output, &self.delegate_id) {
            (true, _) => write!(f, "output {}", self.position),
            (false, None) => write!(f, "{}:{}", self.chain, self.instruction),
            (false, Some(id)) => write!(f, "{}:{} {id}", self.chain, self.instruction),
        }
    }
}

/// A value that was logged.
#[derive(Clone, Debug)]
pub struct Logged<'a> {
    /// Where.
    pub place: Place,
    /// The value, whose elements are in the debug buffer.
    pub event: DebugEvent<'a>,
}

/// All values of a trace, in the order in which they were logged. Of one that
/// is cut off, [`align`] gives them the runs that they are of.
pub fn logged<'a>(file: &File<'a>) -> Vec<Logged<'a>> {
    let mut values = Vec::new();
    let mut run_index = 0;
    for run in file.runs() {
        let before = values.len();
        let mut positions: HashMap<Place, usize> = HashMap::new();
        for event in run.events() {
            let Event::Debug(event) = event else { continue };
            if !is_there(file, &event) {
                continue;
            }
            let mut place = Place {
                run: run_index,
                chain: if event.is_output { 0 } else { event.chain_index },
                instruction: if event.is_output { -1 } else { event.instruction_id },
                delegate_id: event.delegate_id.map(|id| match id {
                    DelegateId::Int(id) => id.to_string(),
                    DelegateId::Name(name) => name.to_owned(),
                }),
                position: 0,
                is_output: event.is_output,
            };
            let next = positions.entry(place.clone()).or_default();
            place.position = *next;
            *next += 1;
            values.push(Logged { place, event });
        }
        run_index += usize::from(values.len() > before);
    }
    values
}

/// The block of each run that logged values, in their order; `None` for a run
/// without events.
pub fn blocks_of_runs(file: &File<'_>, blocks: &EventBlocks<'_>) -> Vec<Option<usize>> {
    let first_event = |run: Run<'_>| {
        run.events().find_map(|event| match event {
            Event::Profile(e) => Some(Sample { start: e.start_time, end: e.end_time }),
            _ => None,
        })
    };
    // The times of a run's first event tell it from others.
    let first_events: Vec<Option<Sample>> = runs_with_values(file).map(first_event).collect();
    let mut block_of: HashMap<Sample, Option<usize>> =
        first_events.iter().flatten().map(|sample| (*sample, None)).collect();
    for (index, block) in blocks.blocks.iter().enumerate() {
        for sample in block.events.iter().flat_map(|row| &row.samples) {
            if let Some(block) = block_of.get_mut(sample) {
                block.get_or_insert(index);
            }
        }
    }
    first_events.iter().map(|sample| *block_of.get(sample.as_ref()?)?).collect()
}

/// [`Place::run`] in the whole trace of each run of `file` that logged values.
///
/// Of one that is cut off, the first runs are missing. The `reference`, a trace
/// of the same program, tells which of them logged values: what a missing run
/// did is what its run with the same index did.
pub fn run_numbers(file: &File<'_>, reference: &File<'_>) -> Vec<usize> {
    if file.truncation().is_none() {
        return (0..runs_with_values(file).count()).collect();
    }
    let expected: HashMap<usize, bool> =
        reference.runs().map(|run| (run.index(), has_values(reference, &run))).collect();
    let (mut number, mut next) = (0, 0);
    let mut numbers = Vec::new();
    for run in file.runs() {
        let missing = next..run.index();
        number += missing.filter(|index| *expected.get(index).unwrap_or(&true)).count();
        next = run.index() + 1;
        if has_values(file, &run) {
            numbers.push(number);
            number += 1;
        }
    }
    numbers
}

/// Gives the values of a trace that is cut off the places that they have in the
/// whole one, of which the first runs are missing, and the first values of the
/// run that comes then; `numbers` are those of its runs ([`run_numbers`]). Of a
/// whole trace nothing changes.
///
/// How many values of an instruction are missing is known from the `reference`:
/// it is of the same program, and what both have was logged in the same order.
pub fn align(values: &mut [Logged<'_>], file: &File<'_>, numbers: &[usize], reference: &File<'_>) {
    if file.truncation().is_none() {
        return;
    }
    for value in values.iter_mut() {
        value.place.run = numbers.get(value.place.run).copied().unwrap_or(value.place.run);
    }
    let lost = runs_with_values(file).zip(numbers).filter(|(run, _)| run.lost_events() > 0);
    let lost: Vec<usize> = lost.map(|(_, number)| *number).collect();
    let (expected, found) = (counts(&logged(reference)), counts(values));
    for value in values.iter_mut().filter(|value| lost.contains(&value.place.run)) {
        let place = Place { position: 0, ..value.place.clone() };
        let count = |counts: &HashMap<Place, usize>| counts.get(&place).copied().unwrap_or(0);
        value.place.position += count(&expected).saturating_sub(count(&found));
    }
}

/// [`align`] without a reference: the first whole run of a trace that is cut off
/// is taken for the first; if there is none, the one that is left, without the
/// values that are not certain. What is returned are the numbers of the runs
/// that logged values.
pub fn align_alone(values: &mut Vec<Logged<'_>>, file: &File<'_>) -> Vec<usize> {
    let runs: Vec<Run<'_>> = runs_with_values(file).collect();
    if file.truncation().is_none() {
        return (0..runs.len()).collect();
    }
    let whole = runs.iter().position(|run| run.lost_events() == 0);
    let first = whole.unwrap_or(0);
    values.retain(|value| value.place.run >= first);
    values.iter_mut().for_each(|value| value.place.run -= first);
    if let (None, Some(first)) = (whole, values.first()) {
        // Which of an instruction's values are missing is not known.
        let first = Place { position: 0, ..first.place.clone() };
        values.retain(|value| Place { position: 0, ..value.place.clone() } != first);
    }
    (0..runs.len()).map(|run| run.saturating_sub(first)).collect()
}

/// How many values were logged at each place, whatever their position.
fn counts(values: &[Logged<'_>]) -> HashMap<Place, usize> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(Place { position: 0, ..value.place.clone() }).or_default() += 1;
    }
    counts
}

/// The runs that logged values: those that [`Place::run`] counts.
pub fn runs_with_values<'f, 'a>(file: &'f File<'a>) -> impl Iterator<Item = Run<'a>> + use<'f, 'a> {
    file.runs().filter(|run| has_values(file, run))
}

fn has_values(file: &File<'_>, run: &Run<'_>) -> bool {
    run.events().any(|event| matches!(event, Event::Debug(event) if is_there(file, &event)))
}

/// Whether an event's value is there: that of a trace that is cut off may lie
/// behind the cut, or what says which kind of value it is.
fn is_there(file: &File<'_>, event: &DebugEvent<'_>) -> bool {
    file.truncation().is_none() || !matches!(event.value, None | Some(Value::Null))
}
