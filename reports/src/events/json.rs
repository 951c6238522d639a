//! `etinspect.events/1`.

use super::json_origin::{InstructionJson, NodesJson};
use super::json_values::ValueJson;
use et_inspector::correlate::{Correlation, Coverage, Matches};
use et_inspector::debug_data::Value;
use et_inspector::events::{Block, EventBlocks, EventRow, RunTimes, Times};
use et_schema::etdump::{Damage, DebugEvent, DelegateId, File, Truncation};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    time_scale: &'static str,
    allocation_events: usize,
    truncated: Option<Truncated>,
    damaged: Option<Damaged>,
    repeated: usize,
    coverage: CoverageJson,
    blocks: Vec<BlockJson<'a>>,
}

#[derive(Serialize)]
struct Damaged {
    reason: String,
    events: usize,
    runs: usize,
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
struct CoverageJson {
    instructions: Option<MatchesJson>,
    nodes: Option<MatchesJson>,
    unmatched: Vec<UnmatchedJson>,
}

#[derive(Serialize)]
struct MatchesJson {
    events: usize,
    matched: usize,
    percent: f64,
    percent_of_time: f64,
}

#[derive(Serialize)]
struct UnmatchedJson {
    block: String,
    name: String,
    chain: i64,
    instruction: i32,
    reason: String,
}

#[derive(Serialize)]
struct BlockJson<'a> {
    name: &'a str,
    method: Option<&'a str>,
    runs: usize,
    run_times: Vec<f64>,
    first_to_warm: Option<f64>,
    outlier_runs: Vec<usize>,
    bundled_input_index: Option<u32>,
    events: Vec<EventJson<'a>>,
    run_output: Vec<ValueJson>,
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
    #[serde(rename = "self")]
    own: f64,
    stddev: Option<f64>,
    count: usize,
    start_time: Vec<u64>,
    is_delegated_op: bool,
    module: Option<&'a str>,
    source: Option<String>,
    #[serde(flatten)]
    nodes: NodesJson<'a>,
    debug_data: Vec<ValueJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delegate_debug_metadata: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<InstructionJson<'a>>,
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

impl From<&Damage> for Damaged {
    fn from(damage: &Damage) -> Self {
        let Damage { reason, events, runs } = damage;
        Damaged { reason: reason.to_string(), events: *events, runs: *runs }
    }
}

/// What a document is made of.
struct Source<'s, 'a> {
    correlation: &'s Correlation<'a>,
    debug_buffer: Option<&'s [u8]>,
    times: &'s Times,
}

/// The document: every event of every block, `OPERATOR_CALL` included, with
/// statistics of the logged tensors if there is a debug buffer, and what is
/// missing of a `file` that is cut off or damaged.
pub fn json(
    events: &EventBlocks<'_>,
    correlation: &Correlation<'_>,
    debug_buffer: Option<&[u8]>,
    times: &Times,
    file: &File<'_>,
) -> String {
    let source = Source { correlation, debug_buffer, times };
    let blocks = events.blocks.iter().enumerate();
    let document = Document {
        schema: "etinspect.events/1",
        time_scale: times.target().name(),
        allocation_events: events.allocation_events,
        truncated: file.truncation().as_ref().map(Truncated::from),
        damaged: file.damage().map(Damaged::from),
        repeated: events.repeated,
        coverage: Coverage::of(events, correlation).into(),
        blocks: blocks.map(|(index, b)| block_json(index, b, &source)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

impl From<Coverage> for CoverageJson {
    fn from(coverage: Coverage) -> Self {
        let unmatched = coverage.unmatched.into_iter().map(|u| UnmatchedJson {
            block: u.block,
            name: u.name,
            chain: u.chain,
            instruction: u.instruction,
            reason: u.reason,
        });
        CoverageJson {
            instructions: coverage.instructions.map(MatchesJson::from),
            nodes: coverage.nodes.map(MatchesJson::from),
            unmatched: unmatched.collect(),
        }
    }
}

impl From<Matches> for MatchesJson {
    fn from(matches: Matches) -> Self {
        MatchesJson {
            events: matches.events,
            matched: matches.matched,
            percent: matches.percent(),
            percent_of_time: matches.percent_of_time(),
        }
    }
}

fn block_json<'a>(index: usize, block: &'a Block<'_>, source: &Source<'a, '_>) -> BlockJson<'a> {
    let events = block.events.iter();
    let runs = RunTimes::of(block);
    BlockJson {
        name: block.name,
        method: source.correlation.method(index),
        runs: block.runs,
        run_times: runs.ticks.iter().map(|&ticks| source.times.span(ticks)).collect(),
        first_to_warm: runs.first_to_warm(),
        outlier_runs: runs.outliers,
        bundled_input_index: block.bundled_input_index,
        events: events.map(|row| event_json(index, row, source)).collect(),
        run_output: values(&block.outputs, source.debug_buffer),
    }
}

fn event_json<'a>(block: usize, row: &'a EventRow<'_>, source: &Source<'a, '_>) -> EventJson<'a> {
    let Source { correlation, debug_buffer, times } = *source;
    let origin = correlation.event(block, row);
    let statistics = row.statistics(times);
    let (delegate_id, delegate_name) = match row.delegate_id {
        Some(DelegateId::Int(id)) => (Some(id), None),
        Some(DelegateId::Name(name)) => (None, Some(name)),
        None => (None, None),
    };
    let metadata = row.delegate_metadata.iter().filter(|_| row.has_delegate_metadata());
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
        own: times.span(row.own_ticks()),
        stddev: statistics.map(|s| s.stddev),
        count: row.samples.len(),
        start_time: row.samples.iter().map(|s| s.start).collect(),
        is_delegated_op: row.delegate_id.is_some(),
        module: origin.module(),
        source: origin.source(),
        debug_data: values(&row.debug_events, debug_buffer),
        delegate_debug_metadata: metadata
            .map(|m| String::from_utf8_lossy(m).into_owned())
            .collect(),
        program: origin.instruction.map(InstructionJson::new),
        nodes: NodesJson::new(&origin),
    }
}

fn values(events: &[DebugEvent<'_>], debug_buffer: Option<&[u8]>) -> Vec<ValueJson> {
    events.iter().map(|event| Value::of(event, debug_buffer).into()).collect()
}
