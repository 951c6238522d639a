//! `etinspect.events/1`.

use et_inspector::events::{Block, EventBlocks, EventRow, Times};
use et_schema::etdump::{DelegateId, Truncation};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    time_scale: &'static str,
    allocation_events: usize,
    truncated: Option<Truncated>,
    blocks: Vec<BlockJson<'a>>,
}

#[derive(Serialize)]
struct Truncated {
    expected_bytes: Option<u64>,
    found_bytes: u64,
    events: usize,
    lost_events: usize,
    runs: usize,
    listed_runs: usize,
}

#[derive(Serialize)]
struct BlockJson<'a> {
    name: &'a str,
    runs: usize,
    bundled_input_index: Option<u32>,
    events: Vec<EventJson<'a>>,
}

#[derive(Serialize)]
struct EventJson<'a> {
    name: String,
    chain: i64,
    instruction: i32,
    delegate_id: Option<i32>,
    delegate_name: Option<&'a str>,
    raw: Vec<f64>,
    p10: Option<f64>,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    avg: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    sum: Option<f64>,
    stddev: Option<f64>,
    count: usize,
    start_time: Vec<u64>,
    op_types: [&'static str; 0],
    is_delegated_op: bool,
    module: Option<&'a str>,
    source: Option<&'a str>,
}

impl From<&Truncation> for Truncated {
    fn from(t: &Truncation) -> Self {
        Truncated {
            expected_bytes: t.expected_bytes,
            found_bytes: t.found_bytes,
            events: t.events,
            lost_events: t.lost_events,
            runs: t.runs,
            listed_runs: t.listed_runs,
        }
    }
}

/// The document: every event of every block, `OPERATOR_CALL` included, and
/// what is missing of a trace that is cut off.
pub fn json(events: &EventBlocks<'_>, times: &Times, truncation: Option<&Truncation>) -> String {
    let document = Document {
        schema: "etinspect.events/1",
        time_scale: times.target().name(),
        allocation_events: events.allocation_events,
        truncated: truncation.map(Truncated::from),
        blocks: events.blocks.iter().map(|block| block_json(block, times)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn block_json<'a>(block: &Block<'a>, times: &Times) -> BlockJson<'a> {
    BlockJson {
        name: block.name,
        runs: block.runs,
        bundled_input_index: block.bundled_input_index,
        events: block.events.iter().map(|row| event_json(row, times)).collect(),
    }
}

fn event_json<'a>(row: &EventRow<'a>, times: &Times) -> EventJson<'a> {
    let statistics = row.statistics(times);
    let (delegate_id, delegate_name) = match row.delegate_id {
        Some(DelegateId::Int(id)) => (Some(id), None),
        Some(DelegateId::Name(name)) => (None, Some(name)),
        None => (None, None),
    };
    EventJson {
        name: row.display_name(),
        chain: row.chain,
        instruction: row.instruction,
        delegate_id,
        delegate_name,
        raw: row.raw(times),
        p10: statistics.map(|s| s.p10),
        p50: statistics.map(|s| s.p50),
        p90: statistics.map(|s| s.p90),
        p99: statistics.map(|s| s.p99),
        avg: statistics.map(|s| s.avg),
        min: statistics.map(|s| s.min),
        max: statistics.map(|s| s.max),
        sum: statistics.map(|s| s.sum),
        stddev: statistics.map(|s| s.stddev),
        count: row.samples.len(),
        start_time: row.samples.iter().map(|s| s.start).collect(),
        op_types: [],
        is_delegated_op: row.delegate_id.is_some(),
        module: None,
        source: None,
    }
}
