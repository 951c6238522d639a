//! How much of a trace could be resolved.

use super::method::{Correlation, site};
use crate::events::EventBlocks;

/// Events of one kind of resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Events that should be resolved.
    pub events: usize,
    /// Events that were.
    pub matched: usize,
    /// Own ticks of the events that should be resolved.
    pub ticks: u64,
    /// Own ticks of those that were.
    pub matched_ticks: u64,
}

/// An event that was not resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// Block.
    pub block: String,
    /// Event.
    pub name: String,
    /// Chain.
    pub chain: i64,
    /// Instruction.
    pub instruction: i32,
    /// Why not.
    pub reason: String,
}

/// How much of a trace could be resolved. Events outside of instructions, such
/// as `Method::execute`, belong to no operator and are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// To instructions, if there is a program.
    pub instructions: Option<Matches>,
    /// To nodes of the model, if there is an ETRecord.
    pub nodes: Option<Matches>,
    /// What was not.
    pub unmatched: Vec<Unmatched>,
}

impl Matches {
    /// Share of the events, in percent; 100 if there were none to resolve.
    pub fn percent(&self) -> f64 {
        percent(self.matched as f64, self.events as f64)
    }

    /// Share of the time, in percent.
    pub fn percent_of_time(&self) -> f64 {
        percent(self.matched_ticks as f64, self.ticks as f64)
    }

    fn add(&mut self, matched: bool, ticks: u64) {
        self.events += 1;
        self.ticks = self.ticks.saturating_add(ticks);
        if matched {
            self.matched += 1;
            self.matched_ticks = self.matched_ticks.saturating_add(ticks);
        }
    }
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 100.0 } else { part * 100.0 / whole }
}

impl Coverage {
    /// Counts what `correlation` resolves of `blocks`.
    pub fn of(blocks: &EventBlocks<'_>, correlation: &Correlation<'_>) -> Self {
        let mut instructions = Matches::default();
        let mut nodes = Matches::default();
        let mut unmatched = Vec::new();
        for (index, block) in blocks.blocks.iter().enumerate() {
            for row in block.events.iter().filter(|row| site(row).is_some()) {
                let origin = correlation.event(index, row);
                let ticks = row.own_ticks();
                instructions.add(origin.instruction.is_some(), ticks);
                nodes.add(!origin.nodes.is_empty(), ticks);
                let reason = if let Some(reason) = origin.mismatch {
                    reason
                } else if correlation.has_record() && origin.nodes.is_empty() {
                    no_nodes(row.delegate_id.is_some(), origin.debug_handles)
                } else {
                    continue;
                };
                unmatched.push(Unmatched {
                    block: block.name.to_owned(),
                    name: row.display_name(),
                    chain: row.chain,
                    instruction: row.instruction,
                    reason,
                });
            }
        }
        Coverage {
            instructions: correlation.has_program().then_some(instructions),
            nodes: correlation.has_record().then_some(nodes),
            unmatched,
        }
    }
}

fn no_nodes(in_delegate: bool, handles: Option<&[i64]>) -> String {
    match (in_delegate, handles) {
        (true, None) => "the backend gave the exporter no map of its operations".into(),
        (false, None) => "the ETRecord has no debug handle for this instruction".into(),
        (_, Some(handles)) => {
            format!("no node in the ETRecord's graph has debug handle {handles:?}")
        }
    }
}
