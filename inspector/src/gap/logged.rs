//! The values of a trace, each with its place.

use et_schema::etdump::{DebugEvent, DelegateId, Event, File};
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

/// All values of a trace, in the order in which they were logged.
pub fn logged<'a>(file: &File<'a>) -> Vec<Logged<'a>> {
    let mut values = Vec::new();
    let mut run_index = 0;
    for run in file.runs() {
        let before = values.len();
        let mut positions: HashMap<Place, usize> = HashMap::new();
        for event in run.events() {
            let Event::Debug(event) = event else { continue };
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
