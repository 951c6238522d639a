//! speedscope's file format, for speedscope.app.
//!
//! One evented profile per track. Frames are names; a frame opens and closes
//! at each edge of a slice, outer frames around inner ones. The operators'
//! profile has the runs as its outermost frames.

use super::timeline::{Edge, Lane, Slice, Timeline, Track};
use et_inspector::events::{TimeScale, Times};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    shared: Shared<'a>,
    profiles: Vec<Profile>,
    exporter: &'static str,
    #[serde(rename = "activeProfileIndex")]
    active_profile_index: usize,
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: Vec<Frame<'a>>,
}

#[derive(Serialize)]
struct Frame<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    unit: &'static str,
    start_value: f64,
    end_value: f64,
    events: Vec<FrameEvent>,
}

#[derive(Serialize)]
struct FrameEvent {
    #[serde(rename = "type")]
    kind: &'static str,
    frame: usize,
    at: f64,
}

/// The document; `nanoseconds` converts ticks, unless they are cycles.
pub fn speedscope(timeline: &Timeline, nanoseconds: &Times) -> String {
    let origin = timeline.start();
    let at = |ticks: u64| nanoseconds.elapsed(origin, ticks.max(origin)).unwrap_or(0.0);
    let unit = match nanoseconds.target() {
        TimeScale::Cycles => "none",
        _ => "nanoseconds",
    };
    // Runs that overlap, of a clock that was reset, hold no other track's slices.
    let mut lanes = timeline.lanes.iter().filter(|lane| lane.track == Track::Runs);
    let runs = match (lanes.next(), lanes.next()) {
        (Some(lane), None) => lane.slices.as_slice(),
        _ => &[],
    };
    let mut profiles = Vec::new();
    for lane in &timeline.lanes {
        let (name, lane) = match lane.track {
            Track::Runs => continue,
            Track::Operators => ("operators", with_runs(lane, runs)),
            Track::Delegates => ("delegates", lane.clone()),
        };
        let mut events = Vec::with_capacity(2 * lane.slices.len());
        lane.edges(|edge| {
            let (kind, slice, ticks) = match edge {
                Edge::Begin(slice) => ("O", slice, slice.start),
                Edge::End(slice) => ("C", slice, slice.end()),
            };
            events.push(FrameEvent { kind, frame: slice.name, at: at(ticks) });
        });
        let end_value = events.iter().map(|event| event.at).fold(0.0, f64::max);
        profiles.push(Profile { kind: "evented", name, unit, start_value: 0.0, end_value, events });
    }
    let document = Document {
        schema: "https://www.speedscope.app/file-format-schema.json",
        shared: Shared { frames: timeline.names.iter().map(|name| Frame { name }).collect() },
        profiles,
        exporter: "etinspect",
        active_profile_index: 0,
    };
    serde_json::to_string(&document).unwrap_or_default() + "\n"
}

/// A lane with the runs around its slices.
fn with_runs(lane: &Lane, runs: &[Slice]) -> Lane {
    // Stable: a run stays before an event of the same extent.
    let mut slices = [runs, &lane.slices].concat();
    slices.sort_by(|a, b| a.start.cmp(&b.start).then(b.duration.cmp(&a.duration)));
    Lane { track: lane.track, slices }
}
