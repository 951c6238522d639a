//! Time by instruction, collected while a method runs.

use et_schema::ids::{ChainId, InstructionId};
use etdump::Place;

/// Time of one instruction over all runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// How often it ran.
    pub count: u64,
    /// Nanoseconds of all runs together.
    pub total_ns: u64,
}

impl Timing {
    fn add(&mut self, ns: u64) {
        self.count += 1;
        self.total_ns += ns;
    }
}

/// The time of each instruction and of the runs, summed up.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// By chain, then by instruction, as far as they ran.
    chains: Vec<Vec<Timing>>,
    /// Time of `Method::execute`.
    pub execute: Timing,
    /// Time of `Program::load_method`.
    pub load: Timing,
}

impl Profile {
    /// Whether the time of events of this name is summed up.
    pub fn counts(name: &str) -> bool {
        name.ends_with("_CALL") || name == "Method::execute" || name == "Program::load_method"
    }

    /// Adds an event of `ns` nanoseconds, if events of its name count.
    pub fn add(&mut self, name: &str, place: Place, ns: u64) {
        match (name, place) {
            (name, Place::Instruction(chain, instruction)) if name.ends_with("_CALL") => {
                let (chain, index) = (chain.0 as usize, instruction.0 as usize);
                if self.chains.len() <= chain {
                    self.chains.resize_with(chain + 1, Vec::new);
                }
                let timings = &mut self.chains[chain];
                if timings.len() <= index {
                    timings.resize(index + 1, Timing::default());
                }
                timings[index].add(ns);
            }
            ("Method::execute", Place::Method) => self.execute.add(ns),
            ("Program::load_method", Place::Method) => self.load.add(ns),
            _ => {}
        }
    }

    /// The instructions that ran, with their times.
    pub fn instructions(&self) -> impl Iterator<Item = ((ChainId, InstructionId), &Timing)> {
        self.chains.iter().enumerate().flat_map(|(chain, timings)| {
            let ran = timings.iter().enumerate().filter(|(_, timing)| timing.count > 0);
            ran.map(move |(index, timing)| {
                ((ChainId(chain as u32), InstructionId(index as u32)), timing)
            })
        })
    }
}
