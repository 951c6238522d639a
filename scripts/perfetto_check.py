#!/usr/bin/env python3
"""Opens our Perfetto exports as Perfetto does, and compares them with their traces.

    python scripts/perfetto_check.py ETINSPECT TRACE.etdp...

Needs the PyPI packages `perfetto` and `protobuf`. If TRACE_PROCESSOR names a `trace_processor_shell`
(the package fetches one at its first use, and brings none), the exports are loaded into it and
queried; otherwise they are decoded with the published protocol buffers of the package. Either way
the slices must be the profile events of the trace, with their names and durations, one for each
run, and nested as the times say. Exits with 1 if anything differs.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile


def main():
    etinspect, traces = sys.argv[1], sys.argv[2:]
    shell = os.environ.get("TRACE_PROCESSOR")
    read = (lambda path: by_trace_processor(path, shell)) if shell else by_published_protos
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for trace in traces:
            export = os.path.join(folder, "trace.pftrace")
            command = [etinspect, "events", trace, "--format"]
            subprocess.run([*command, "perfetto", "-o", export], check=True)
            document = subprocess.run([*command, "json"], check=True, capture_output=True).stdout
            wanted, runs = wanted_slices(json.loads(document))
            found = read(export)
            problem = compare(wanted, runs, found)
            different += problem is not None
            print(f"{'different' if problem else 'same':9} {os.path.basename(trace)} {problem or f'{len(found)} slices'}")
    print(f"{len(traces) - different} of {len(traces)} the same, by {'trace_processor' if shell else 'the published protos'}")
    sys.exit(different > 0 or not traces)


def wanted_slices(document):
    """How often each name and duration in nanoseconds is in the trace, and the number of runs."""
    slices = collections.Counter()
    for block in document["blocks"]:
        for event in block["events"]:
            slices.update((event["name"], round(raw * 1e6)) for raw in event["raw"])
    return slices, sum(block["runs"] for block in document["blocks"] if block["events"])


def compare(wanted, runs, found):
    """What is wrong, or nothing."""
    in_tracks = collections.Counter((name, duration) for track, name, duration, _ in found if track != "runs")
    if sum(track == "runs" for track, *_ in found) != runs:
        return f"{runs} runs expected"
    if in_tracks != wanted:
        return f"missing {list((wanted - in_tracks).items())[:3]}, not expected {list((in_tracks - wanted).items())[:3]}"
    # A kernel runs inside of its call, and that inside of the method.
    depths = {}
    for _, name, _, depth in found:
        kind = "kernel" if name.startswith("native_call_") else name
        depths[kind] = min(depths.get(kind, depth), depth)
    order = [depths[kind] for kind in ("Method::execute", "OPERATOR_CALL", "kernel") if kind in depths]
    if sorted(set(order)) != order:
        return f"not nested: {depths}"
    return None


def by_published_protos(path):
    """Track, name, duration and depth of each slice."""
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

    trace = Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    tracks = {p.track_descriptor.uuid: p.track_descriptor.name for p in trace.packet if p.HasField("track_descriptor")}
    stacks, slices = collections.defaultdict(list), []
    names = {}
    for packet in trace.packet:
        for entry in packet.interned_data.event_names:
            names[entry.iid] = entry.name
        if not packet.HasField("track_event"):
            continue
        event = packet.track_event
        stack = stacks[event.track_uuid]
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            stack.append((event.name or names.get(event.name_iid, ""), packet.timestamp))
        elif event.type == TrackEvent.TYPE_SLICE_END:
            name, begun = stack.pop()
            slices.append((tracks[event.track_uuid], name, packet.timestamp - begun, len(stack)))
    if any(stacks.values()):
        raise SystemExit(f"{path}: slices without an end")
    return slices


def by_trace_processor(path, shell):
    """The same, from Perfetto's own trace processor."""
    from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig

    with TraceProcessor(trace=path, config=TraceProcessorConfig(bin_path=shell)) as processor:
        rows = processor.query(
            "select track.name as track, slice.name as name, dur, depth from slice join track on slice.track_id = track.id"
        )
        return [(row.track, row.name, row.dur, row.depth) for row in rows]


if __name__ == "__main__":
    main()
