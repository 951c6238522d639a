//! Perfetto's own format (`perfetto.protos.Trace`), for ui.perfetto.dev and
//! `trace_processor`.
//!
//! A process holds the tracks: runs, operators, delegates, and a counter per
//! allocator. Slices are pairs of `TYPE_SLICE_BEGIN` and `TYPE_SLICE_END`
//! events; names are interned. Field numbers are those of
//! `protos/perfetto/trace/` (`trace_packet.proto`, `track_event/*.proto`,
//! `interned_data/interned_data.proto`).

use super::timeline::{Edge, Lane, Slice, Timeline, Track};
use crate::protobuf::Message;
use et_inspector::events::Times;

mod packet {
    pub const TIMESTAMP: u32 = 8;
    pub const SEQUENCE_ID: u32 = 10;
    pub const TRACK_EVENT: u32 = 11;
    pub const INTERNED_DATA: u32 = 12;
    pub const SEQUENCE_FLAGS: u32 = 13;
    pub const TRACK_DESCRIPTOR: u32 = 60;
}

mod event {
    pub const DEBUG_ANNOTATIONS: u32 = 4;
    pub const TYPE: u32 = 9;
    pub const NAME_IID: u32 = 10;
    pub const TRACK_UUID: u32 = 11;
    pub const COUNTER_VALUE: u32 = 30;
}

mod descriptor {
    pub const UUID: u32 = 1;
    pub const NAME: u32 = 2;
    pub const PROCESS: u32 = 3;
    pub const PARENT_UUID: u32 = 5;
    pub const COUNTER: u32 = 8;
}

const SLICE_BEGIN: u64 = 1;
const SLICE_END: u64 = 2;
const COUNTER: u64 = 4;
/// All packets are of one sequence, which the interned names belong to.
const SEQUENCE: u64 = 1;
const STATE_CLEARED: u64 = 1;
const NEEDS_STATE: u64 = 2;
const PROCESS: u64 = 1;
const UNIT_BYTES: u64 = 3;

/// Names of debug annotations, by their interned numbers from 1.
const ANNOTATIONS: [&str; 3] = ["run", "chain", "instruction"];

/// The file. `nanoseconds` converts ticks; a clock in cycles counts one as a
/// nanosecond, the only unit that the format has.
pub fn perfetto(timeline: &Timeline, nanoseconds: &Times) -> Vec<u8> {
    let origin = timeline.start();
    let at =
        |ticks: u64| nanoseconds.elapsed(origin, ticks.max(origin)).unwrap_or(0.0).round() as u64;
    let mut trace = Message::default();
    let mut add = |packet: Message| trace = std::mem::take(&mut trace).message(1, &packet);
    add(interned(timeline));
    add(track(
        Message::default()
            .number(descriptor::UUID, PROCESS)
            .message(descriptor::PROCESS, &Message::default().number(1, 1).text(6, "ExecuTorch")),
    ));
    let mut uuid = PROCESS;
    for (index, lane) in timeline.lanes.iter().enumerate() {
        uuid += 1;
        add(track(child(uuid, &title(&timeline.lanes[..index], lane))));
        lane.edges(|edge| {
            add(match edge {
                Edge::Begin(slice) => timed(at(slice.start), &begin(uuid, slice)),
                Edge::End(slice) => timed(
                    at(slice.end()),
                    &Message::default()
                        .number(event::TYPE, SLICE_END)
                        .number(event::TRACK_UUID, uuid),
                ),
            });
        });
    }
    for counter in &timeline.counters {
        uuid += 1;
        let unit = Message::default().number(3, UNIT_BYTES);
        add(track(
            child(uuid, &format!("memory: {}", counter.name)).message(descriptor::COUNTER, &unit),
        ));
        for (ticks, bytes) in &counter.values {
            let value = Message::default()
                .number(event::TYPE, COUNTER)
                .number(event::TRACK_UUID, uuid)
                .number(event::COUNTER_VALUE, *bytes);
            add(timed(at(*ticks), &value));
        }
    }
    trace.into_bytes()
}

fn title(before: &[Lane], lane: &Lane) -> String {
    let name = match lane.track {
        Track::Runs => "runs",
        Track::Operators => "operators",
        Track::Delegates => "delegates",
    };
    match before.iter().filter(|other| other.track == lane.track).count() {
        0 => name.to_owned(),
        others => format!("{name} ({})", others + 1),
    }
}

fn track(descriptor: Message) -> Message {
    sequence(NEEDS_STATE).message(packet::TRACK_DESCRIPTOR, &descriptor)
}

fn child(uuid: u64, name: &str) -> Message {
    Message::default()
        .number(descriptor::UUID, uuid)
        .number(descriptor::PARENT_UUID, PROCESS)
        .text(descriptor::NAME, name)
}

fn sequence(flags: u64) -> Message {
    Message::default().number(packet::SEQUENCE_ID, SEQUENCE).number(packet::SEQUENCE_FLAGS, flags)
}

fn timed(at: u64, event: &Message) -> Message {
    sequence(NEEDS_STATE).number(packet::TIMESTAMP, at).message(packet::TRACK_EVENT, event)
}

fn begin(uuid: u64, slice: &Slice) -> Message {
    let event = Message::default()
        .number(event::TYPE, SLICE_BEGIN)
        .number(event::TRACK_UUID, uuid)
        .number(event::NAME_IID, slice.name as u64 + 1);
    let numbers = [slice.run as i64, slice.chain.into(), slice.instruction.into()];
    numbers.into_iter().zip(1..).fold(event, |event, (number, iid)| {
        let annotation = Message::default().number(1, iid).number(4, number as u64);
        event.message(self::event::DEBUG_ANNOTATIONS, &annotation)
    })
}

/// Event names and annotation names, each with its number.
fn interned(timeline: &Timeline) -> Message {
    let entry = |iid: usize, name: &str| Message::default().number(1, iid as u64).text(2, name);
    let mut data = Message::default();
    for (index, name) in timeline.names.iter().enumerate() {
        data = data.message(2, &entry(index + 1, name));
    }
    for (index, name) in ANNOTATIONS.iter().enumerate() {
        data = data.message(3, &entry(index + 1, name));
    }
    sequence(STATE_CLEARED).message(packet::INTERNED_DATA, &data)
}
