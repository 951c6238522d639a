//! Rows of the event table.

use crate::text::escape;
use et_inspector::correlate::Site;
use et_inspector::events::EventBlocks;
use et_schema::ids::{ChainId, InstructionId};

/// All rows, in the order of the trace.
#[derive(Default)]
pub struct EventRows {
    /// The rows.
    pub rows: Vec<EventRow>,
    /// Ticks of all executions together.
    pub total: u64,
    /// Executions.
    pub runs: usize,
}

/// An event, its runs together.
pub struct EventRow {
    /// Name, safe to draw.
    pub name: String,
    /// Block it belongs to, safe to draw.
    pub block: String,
    /// Its instruction; events of the method have none.
    pub site: Option<Site>,
    /// Whether it is inside of a delegate.
    pub delegated: bool,
    /// How often it was recorded.
    pub count: usize,
    /// Ticks of all times together.
    pub sum: u64,
    /// Of those, what no event inside of it has.
    pub own: u64,
    /// Ticks of each time, in the order of time.
    pub times: Vec<u64>,
    /// Median, least and most of them.
    pub spread: Spread,
}

/// What samples are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// The upper median.
    pub median: u64,
    /// Least.
    pub low: u64,
    /// Most.
    pub high: u64,
}

impl Spread {
    /// Of `samples`, zeros if there are none.
    pub fn of(samples: &[u64]) -> Self {
        let mut sorted = samples.to_vec();
        let middle = sorted.len() / 2;
        if sorted.is_empty() {
            return Spread::default();
        }
        let median = *sorted.select_nth_unstable(middle).1;
        let low = samples.iter().min().copied().unwrap_or(0);
        Spread { median, low, high: samples.iter().max().copied().unwrap_or(0) }
    }
}

/// The instruction of an event, as numbers of a trace.
pub(crate) fn site(chain: i64, instruction: i32) -> Option<Site> {
    let chain = ChainId(u32::try_from(chain).ok()?);
    Some(Site { chain, instruction: InstructionId(u32::try_from(instruction).ok()?) })
}

impl EventRows {
    /// Those of `blocks`. `OPERATOR_CALL` is left out: its time is the kernel's.
    pub fn of(blocks: &EventBlocks<'_>) -> Self {
        let mut events = EventRows::default();
        for block in &blocks.blocks {
            for row in block.events.iter().filter(|row| !row.is_operator_call()) {
                if row.samples.is_empty() {
                    continue;
                }
                let times: Vec<u64> =
                    row.samples.iter().map(|s| s.end.saturating_sub(s.start)).collect();
                let sum = times.iter().fold(0u64, |sum, time| sum.saturating_add(*time));
                if row.name == "Method::execute" {
                    events.total = events.total.saturating_add(sum);
                    events.runs += times.len();
                }
                events.rows.push(EventRow {
                    name: escape(&row.display_name()),
                    block: escape(block.name),
                    site: site(row.chain, row.instruction),
                    delegated: row.delegate_id.is_some(),
                    count: times.len(),
                    sum,
                    own: row.own_ticks(),
                    spread: Spread::of(&times),
                    times,
                });
            }
        }
        events
    }
}
