//! Time by instruction, collected while a method runs.

use et_schema::ids::{ChainId, InstructionId};
use etdump::{Place, Ticks, Tracer};
use std::collections::BTreeMap;
use std::time::Instant;

/// Time of one instruction over all runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// How often it ran.
    pub count: u64,
    /// Nanoseconds of all runs together.
    pub total_ns: u64,
}

/// A tracer that sums up the time of each instruction and of the runs.
pub struct Profile {
    epoch: Instant,
    /// Time by instruction.
    pub instructions: BTreeMap<(ChainId, InstructionId), Timing>,
    /// Time of `Method::execute`.
    pub execute: Timing,
    /// Time of `Program::load_method`.
    pub load: Timing,
}

impl Default for Profile {
    fn default() -> Self {
        Profile {
            epoch: Instant::now(),
            instructions: BTreeMap::new(),
            execute: Timing::default(),
            load: Timing::default(),
        }
    }
}

impl Profile {
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Tracer for Profile {
    fn begin(&mut self, _name: &str, _place: Place) -> Ticks {
        Ticks(self.now())
    }

    fn end(&mut self, name: &str, place: Place, begun: Ticks) {
        let elapsed = self.now() - begun.0;
        let timing = match (name, place) {
            (name, Place::Instruction(chain, instruction)) if name.ends_with("_CALL") => {
                self.instructions.entry((chain, instruction)).or_default()
            }
            ("Method::execute", Place::Method) => &mut self.execute,
            ("Program::load_method", Place::Method) => &mut self.load,
            _ => return,
        };
        timing.count += 1;
        timing.total_ns += elapsed;
    }
}
