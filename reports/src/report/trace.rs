//! Times of a trace: operators and runs, with their spread.

use super::baseline::Spread;
use et_inspector::correlate::Correlation;
use et_inspector::events::{Block, EventBlocks, Group, GroupBy, Groups, RunTimes, TimeScale};
use et_inspector::findings::{Finding, traced_program};
use std::collections::HashMap;

/// Times of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceTimes {
    /// Unit of the times: that of the trace's clock.
    pub unit: &'static str,
    /// The runs, by kind.
    pub runs: Vec<RunTime>,
    /// Operators and operations of delegates, longest first.
    pub operators: Vec<OperatorTime>,
    /// Modules of the model, longest first; with an ETRecord only.
    pub modules: Option<Vec<OperatorTime>>,
    /// Ticks of what belongs to no operator.
    pub unattributed: u64,
    /// Ticks of all outermost events: the sum of all operators and the unattributed.
    pub total: u64,
    /// Ticks inside delegate calls.
    pub in_delegates: u64,
    /// Ticks of the executions among them, without loading.
    pub executing: u64,
    /// What is wrong with the trace.
    pub warning: Option<String>,
    /// Whether it is of this program.
    pub findings: Vec<Finding>,
}

/// Runs with the same events.
#[derive(Clone, Debug, PartialEq)]
pub struct RunTime {
    /// Name of the runs, with a number if there are more with it.
    pub name: String,
    /// Their times.
    pub spread: Spread,
}

/// Time of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorTime {
    /// The operator.
    pub name: String,
    /// Calls in all runs.
    pub count: usize,
    /// Ticks in all runs.
    pub ticks: u64,
    /// Ticks by run.
    pub spread: Spread,
}

impl TraceTimes {
    /// The times of `blocks`, whose clock ticks in `scale`.
    pub fn new(
        blocks: &EventBlocks<'_>,
        correlation: &Correlation<'_>,
        scale: TimeScale,
        warning: Option<String>,
    ) -> Self {
        let operators = Groups::of(blocks, correlation, GroupBy::Operator);
        let modules = correlation
            .has_record()
            .then(|| Groups::of(blocks, correlation, GroupBy::Module))
            .map(|modules| modules.groups.iter().map(OperatorTime::of).collect());
        TraceTimes {
            unit: scale.name(),
            runs: runs(&blocks.blocks),
            total: operators.total_ticks(),
            unattributed: operators.unattributed.ticks,
            operators: operators.groups.iter().map(OperatorTime::of).collect(),
            modules,
            in_delegates: in_delegates(&blocks.blocks),
            executing: executing(&blocks.blocks),
            warning,
            findings: traced_program(blocks, correlation),
        }
    }
}

/// What ExecuTorch's runtime names the executions of a method; loading is another block.
const EXECUTION: &str = "Execute";

impl TraceTimes {
    /// The runs that count: executions of a method, of several kinds the longest.
    pub fn main_run(&self) -> Option<&RunTime> {
        let is_execution = |run: &RunTime| run.name.split(" #").next() == Some(EXECUTION);
        self.runs.iter().max_by_key(|run| (is_execution(run), run.spread.p50))
    }
}

impl OperatorTime {
    fn of(group: &Group) -> Self {
        OperatorTime {
            name: group.name.clone(),
            count: group.count,
            ticks: group.ticks,
            spread: Spread::of(&group.runs),
        }
    }
}

fn runs(blocks: &[Block<'_>]) -> Vec<RunTime> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let run = |block: &Block<'_>, number: usize| RunTime {
        name: match number {
            1 => block.name.to_owned(),
            number => format!("{} #{number}", block.name),
        },
        spread: Spread::of(&RunTimes::of(block).ticks),
    };
    let mut runs = Vec::new();
    for block in blocks {
        let number = seen.entry(block.name).or_insert(0);
        *number += 1;
        runs.push(run(block, *number));
    }
    runs
}

/// Ticks of the runs in which instructions were executed.
fn executing(blocks: &[Block<'_>]) -> u64 {
    let executions = blocks.iter().filter(|block| block.events.iter().any(|row| row.chain >= 0));
    let ticks = executions.flat_map(|block| RunTimes::of(block).ticks);
    ticks.fold(0, u64::saturating_add)
}

/// Ticks from the begin to the end of each delegate call.
fn in_delegates(blocks: &[Block<'_>]) -> u64 {
    let rows = blocks.iter().flat_map(|block| &block.events);
    let calls = rows.filter(|row| row.delegate_id.is_none() && row.name == "DELEGATE_CALL");
    let samples = calls.flat_map(|row| &row.samples);
    samples.fold(0u64, |sum, s| sum.saturating_add(s.end.saturating_sub(s.start)))
}
