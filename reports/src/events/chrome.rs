//! Chrome's trace format, which Perfetto and `chrome://tracing` open.
//!
//! Every event of the trace becomes a complete event (`"ph": "X"`) on a track
//! of its kind, so that scopes nest as they did on the device.

use et_inspector::events::{EventBlocks, Times};
use serde::Serialize;

#[derive(Serialize)]
struct Trace {
    #[serde(rename = "displayTimeUnit")]
    display_time_unit: &'static str,
    #[serde(rename = "traceEvents")]
    trace_events: Vec<Complete>,
}

#[derive(Serialize)]
struct Complete {
    name: String,
    cat: String,
    ph: &'static str,
    /// Microseconds
    ts: f64,
    dur: f64,
    pid: u32,
    tid: u32,
    args: Args,
}

#[derive(Serialize)]
struct Args {
    chain: i64,
    instruction: i32,
    run: usize,
}

/// Track of the runtime's own events, and track of those inside delegates.
const RUNTIME: u32 = 1;
const DELEGATE: u32 = 2;

/// The document. `micros` converts ticks to microseconds, the format's unit.
pub fn chrome(events: &EventBlocks<'_>, micros: &Times) -> String {
    let first = events
        .blocks
        .iter()
        .flat_map(|block| &block.events)
        .flat_map(|row| &row.samples)
        .map(|sample| sample.start)
        .min()
        .unwrap_or(0);
    let mut trace_events = Vec::new();
    for block in &events.blocks {
        for row in &block.events {
            let by_run = row.runs().enumerate();
            for (run, sample) in by_run.flat_map(|(run, all)| all.iter().map(move |s| (run, s))) {
                trace_events.push(Complete {
                    name: row.display_name(),
                    cat: block.name.to_owned(),
                    ph: "X",
                    ts: micros.elapsed(first, sample.start).unwrap_or(0.0),
                    dur: micros.elapsed(sample.start, sample.end).unwrap_or(0.0),
                    pid: 1,
                    tid: if row.delegate_id.is_some() { DELEGATE } else { RUNTIME },
                    args: Args { chain: row.chain, instruction: row.instruction, run },
                });
            }
        }
    }
    trace_events.sort_by(|a, b| a.ts.total_cmp(&b.ts).then(b.dur.total_cmp(&a.dur)));
    let trace = Trace { display_time_unit: "ns", trace_events };
    serde_json::to_string(&trace).unwrap_or_default() + "\n"
}
