#!/usr/bin/env python3
"""Compares our tables with those of ExecuTorch's own Inspector, on random traces and on given ones.

    python scripts/inspector_tables.py ETINSPECT [--random 200] [--seed 1] [TRACE.etdp[=FILE.etrecord]...]

A random trace has what runtimes write and a bit more: kernels, delegates that name their operations
by text or by number and attach bytes to them, loops, branches, failed runs, logged values, bundled
inputs, clocks in any unit that run over 32 bits, names in other scripts. Compared are the files of
`save_data_to_tsv`, the grids of `print_data_tabular` (both to the byte; we write a tab in a name as
`\\t`), and each cell of `to_dataframe` with our JSON. Traces that the Inspector refuses must be
readable for us. Exits with 1 if anything differs. Needs Python with executorch 1.5.1.
"""
import argparse
import io
import json
import logging
import os
import random
import struct
import subprocess
import sys
import tempfile
import warnings

import flatbuffers
from executorch.devtools import Inspector
from executorch.devtools.inspector import TimeScale

SCALES = [("ns", "ms"), ("ns", "ms"), ("ns", "us"), ("ns", "s"), ("us", "ms"), ("ms", "s"), ("cycles", "cycles")]
KERNELS = ["add.out", "addmm.out", "convolution.out", "permute_copy.out", "quantize_per_tensor.out"]
OPERATIONS = [
    "Convolution (NHWC, F32) IGEMM #1", "Copy (NC, X32) #1", "it's \"quoted\"", "tab\there", "12", "ünï 名前",
    "1e5", "nan", " led", "a long name " * 6 + ".",
]  # fmt: skip
# Element types of tensors: number in the schema, form in memory.
TYPES = [(6, "<f"), (7, "<d"), (4, "<q"), (3, "<i"), (2, "<h"), (1, "<b"), (0, "<B"), (11, "<B")]


class Writer:
    """Builds an ETDump."""

    def __init__(self):
        self.builder = flatbuffers.Builder(1024)

    def table(self, size, *fields):
        """A table of (number, kind, value); a value of None is left out."""
        builder = self.builder
        kinds = {"ref": "UOffsetTRelative", "u64": "Uint64", "i64": "Int64", "i32": "Int32", "u32": "Uint32",
                 "f64": "Float64", "i8": "Int8", "bool": "Bool"}  # fmt: skip
        builder.StartObject(size)
        for number, kind, value in sorted(fields, key=lambda field: "64" not in field[1]):
            if value is not None:
                default = 0 if kind in ("ref", "bool") else -(2**7) if kind == "i8" else 3.25 if kind == "f64" else 123456789
                getattr(builder, f"Prepend{kinds[kind]}Slot")(number, value, default)
        return builder.EndObject()

    def vector(self, items, kind="UOffsetTRelative", size=4):
        self.builder.StartVector(size, len(items), size)
        for item in reversed(items):
            getattr(self.builder, "Prepend" + kind)(item)
        return self.builder.EndVector()

    def text(self, text):
        return None if text is None else self.builder.CreateString(text)

    def tensor(self, scalar_type, sizes, offset):
        sizes, strides = self.vector(sizes, "Int64", 8), self.vector([1] * len(sizes), "Int64", 8)
        return self.table(4, (0, "i8", scalar_type), (1, "ref", sizes), (2, "ref", strides), (3, "i64", offset))

    def value(self, kind, value, output):
        output = self.table(1, (0, "bool", True)) if output else None
        if kind == "tensor":
            return self.table(8, (0, "i8", 5), (1, "ref", self.tensor(*value)), (7, "ref", output))
        if kind == "list":
            tensors = self.table(1, (0, "ref", self.vector([self.tensor(*tensor) for tensor in value])))
            return self.table(8, (0, "i8", 6), (2, "ref", tensors), (7, "ref", output))
        number, slot, kind = {"int": (1, 3, "i64"), "bool": (2, 6, "bool"), "double": (4, 5, "f64")}[kind]
        return self.table(8, (0, "i8", number), (slot, "ref", self.table(1, (0, kind, value))), (7, "ref", output))

    def profile(self, name, chain, instruction, start, end, delegate=None, metadata=None):
        name, texts = self.text(name), self.text(delegate if isinstance(delegate, str) else None)
        metadata = None if metadata is None else self.builder.CreateByteVector(metadata)
        number = delegate if isinstance(delegate, int) else -1
        fields = [(0, "ref", name), (1, "i32", chain), (2, "i32", instruction), (3, "i32", number), (4, "ref", texts)]
        event = self.table(8, *fields, (5, "ref", metadata), (6, "u64", start), (7, "u64", end))
        return self.table(3, (0, "ref", event))

    def debug(self, name, chain, instruction, value, delegate=None, output=False):
        name, texts = self.text(name), self.text(delegate if isinstance(delegate, str) else None)
        value, number = self.value(*value, output), delegate if isinstance(delegate, int) else -1
        fields = [(0, "u64", chain % 2**64), (1, "i32", instruction), (2, "ref", value), (3, "i32", number)]
        return self.table(3, (2, "ref", self.table(6, *fields, (4, "ref", texts), (5, "ref", name))))

    def run(self, name, events, bundled=-1):
        events, name = self.vector(events), self.text(name)
        return self.table(4, (0, "ref", name), (1, "i32", bundled), (3, "ref", events))

    def finish(self, runs):
        self.builder.FinishSizePrefixed(self.table(2, (0, "u32", 0), (1, "ref", self.vector(runs))), b"ED00")
        return bytes(self.builder.Output())


class Trace:
    """A random trace and its debug buffer."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        chance = self.chance
        self.writer, self.buffer, self.values = Writer(), bytearray(), {}
        self.logs, self.names_values, self.wraps = chance(0.4), chance(0.1), chance(0.15)
        self.now = 2**32 - self.random.randrange(1, 2000) if self.wraps else self.random.randrange(10**9, 10**17)
        program = [self.instruction() for _ in range(self.random.randrange(1, 14))]
        order = list(range(len(program)))
        loops, branches, bundled, fails = chance(0.15), chance(0.15), chance(0.15), chance(0.05)
        runs = [self.load()] if chance(0.8) else []
        for index in range(self.random.choice([1, 1, 2, 3, 5, 10, 11, 130])):
            taken = [k for k in order if k % 3] if branches and chance(0.5) else order
            taken = taken + taken[len(taken) // 2 :] if loops else taken
            begun = self.tick()
            events = [event for k in taken for event in self.execute(k, program[k])]
            if not (fails and chance(0.3)):
                events.append(self.writer.profile("Method::execute", -1, 0, begun, self.tick()))
            if self.logs:
                events.append(self.writer.debug(None, -1, 0, self.value("output"), output=True))
            runs.append(self.writer.run("Execute", events, index % 2 if bundled else -1))
        self.bytes = self.writer.finish(runs)

    def chance(self, probability):
        return self.random.random() < probability

    def tick(self):
        self.now += self.random.choice([0, 1, self.random.randrange(1, 100), self.random.randrange(1, 10**7)])
        if self.wraps and self.now >= 2**32:
            self.now -= 2**32
        return self.now

    def load(self):
        outer, inner, end, last = (self.tick() for _ in range(4))
        events = [self.writer.profile("Method::init", -1, 0, inner, end)]
        return self.writer.run("Default", [*events, self.writer.profile("Program::load_method", -1, 0, outer, last)])

    def instruction(self):
        kind = self.random.choices(["kernel", "delegate", "other"], [6, 2, 2])[0]
        if kind == "kernel":
            return kind, "native_call_" + self.random.choice(KERNELS)
        if kind == "other":
            return kind, self.random.choice(["MOVE_CALL", "JF_CALL", "FREE_CALL", "OPERATOR_CALL"])
        pick = (lambda: self.random.randrange(5)) if self.chance(0.3) else (lambda: self.random.choice(OPERATIONS))
        return kind, ([pick() for _ in range(self.random.randrange(5))], self.chance(0.4))

    def execute(self, index, instruction):
        """The events of an instruction, as a runtime logs them."""
        (kind, what), begun, events = instruction, self.tick(), []
        if kind == "kernel":
            start, name = self.tick(), what if self.names_values else None
            if self.logs:
                events += [self.writer.debug(name, 0, index, self.value((index, k))) for k in range(1 + index % 2)]
            events.append(self.writer.profile(what, 0, index, start, self.tick()))
            what = "OPERATOR_CALL"
        elif kind == "delegate":
            operations, attaches = what
            for operation in operations:
                metadata = self.random.choice([None, b"", b"abc", b"\x00\xff", b'{"a": 1}']) if attaches else None
                start = self.tick()
                events.append(self.writer.profile(None, 0, index, start, self.tick(), operation, metadata))
            if self.logs:
                events += [self.writer.debug(None, 0, index, self.value((index, k))) for k in range(2)]
            what = "DELEGATE_CALL"
        return [*events, self.writer.profile(what, 0, index, begun, self.tick())]

    def value(self, key):
        """The value of a key, the same in each run, as the Inspector demands."""
        if key not in self.values:
            kind = self.random.choice(["tensor"] * 4 + (["list", "int", "bool", "double"] if key != "output" else []))
            value = {
                "tensor": self.tensor, "list": lambda: [self.tensor() for _ in range(2)], "bool": lambda: self.chance(0.5),
                "int": lambda: self.random.randrange(-5, 5), "double": lambda: self.random.choice([0.1, -2.0, 1e300]),
            }  # fmt: skip
            self.values[key] = kind, value[kind]()
        return self.values[key]

    def tensor(self):
        scalar_type, form = self.random.choice(TYPES)
        sizes = [self.random.randrange(0 if self.chance(0.1) else 1, 4) for _ in range(self.random.randrange(4))]
        count = 1
        for size in sizes:
            count *= size
        self.buffer.extend(bytes(-len(self.buffer) % 64))
        offset = len(self.buffer) if count else -1
        self.buffer.extend(b"".join(struct.pack(form, self.random.randrange(2)) for _ in range(count)))
        return scalar_type, sizes, offset


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("etinspect")
    parser.add_argument("traces", nargs="*", metavar="TRACE.etdp[=FILE.etrecord]")
    parser.add_argument("--random", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_intermixed_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    counts = {"same": 0, "different": 0, "refused by the Inspector": 0}
    with tempfile.TemporaryDirectory() as folder:
        cases = [(*trace.split("=", 1), None)[:2] for trace in options.traces]
        for number in range(options.random):
            trace, path = Trace(options.seed * 100_003 + number), os.path.join(folder, f"random_{number}.etdp")
            for bytes_, file in [(trace.bytes, path), (bytes(trace.buffer) + bytes(64), path[:-5] + ".debug.bin")]:
                with open(file, "wb") as output:
                    output.write(bytes_)
            cases.append((path, None))
        for number, (path, record) in enumerate(cases):
            outcome, detail = check(options.etinspect, path, record, random.Random(number))
            counts[outcome] += 1
            if outcome == "different":
                print(f"{os.path.basename(path)}: {detail}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    sys.exit(counts["different"] > 0 or counts["same"] == 0)


def check(etinspect, path, record, choice):
    """The outcome of one trace and why."""
    (source, target), units, metadata = choice.choice(SCALES), choice.random() < 0.7, choice.random() < 0.5
    buffer = path[:-5] + ".debug.bin"
    buffer = buffer if os.path.exists(buffer) else None
    ours = [etinspect, "events", path, "--source-time-scale", source, "--time-scale", target]
    ours += ["--include-units", str(units).lower()] + ["--include-delegate-debug-data"] * metadata
    ours += ["--etrecord", record] if record else []
    asked = {"include_units": units, "include_delegate_debug_data": metadata}
    forms = {"tsv": [], "table": ["--compat", "inspector"], "json": ["--compat", "inspector"]}
    printed = {}
    for form, more in forms.items():
        done = subprocess.run([*ours, "--format", form, *more], capture_output=True, text=True)
        if done.returncode:
            return "different", f"we refuse it: {done.stderr.strip()}"
        printed[form] = done.stdout
    try:
        scales = {"source_time_scale": TimeScale(source), "target_time_scale": TimeScale(target)}
        inspector = Inspector(etdump_path=path, etrecord=record, debug_buffer_path=buffer, **scales)
        tsv, table = io.StringIO(), io.StringIO()
        inspector.save_data_to_tsv(tsv, **asked)
        inspector.print_data_tabular(table, **asked)
        rows = inspector.to_dataframe(include_units=False).to_dict("records")
    except Exception as error:
        return "refused by the Inspector", repr(error)
    has_tabs = "\t" in table.getvalue()
    for form, theirs in [("tsv", tsv.getvalue()), ("table", table.getvalue())]:
        if theirs != printed[form] and not (form == "table" and has_tabs):
            lines = zip(theirs.split("\n"), printed[form].split("\n"))
            return "different", f"{form}: " + next((f"{a!r}\n  ours {b!r}" for a, b in lines if a != b), "length")
    events = [(b["name"], e) for b in json.loads(printed["json"])["blocks"] for e in b["events"]]
    if len(events) != len(rows):
        return "different", f"{len(rows)} rows expected, {len(events)} found"
    for number, ((block, event), row) in enumerate(zip(events, rows)):
        identifier = event["delegate_id"] if event["delegate_name"] is None else event["delegate_name"]
        found = [block, event["name"], identifier, *(event[key] for key in CELLS)]
        wanted = [row["event_block_name"], row["event_name"], row["delegate_debug_identifier"], *(row[key] for key in CELLS)]
        for key, a, b in zip(["block", "name", "delegate id", *CELLS], wanted, found):
            if not equal(a, b):
                return "different", f"row {number}, {key}: expected {a!r}, found {b!r}"
    return "same", ""


# Cells that have the same name in both.
CELLS = [
    "p10", "p50", "p90", "avg", "min", "max", "raw", "start_time", "stack_traces", "module_hierarchy",
    "is_delegated_op", "delegate_backend_name",
]  # fmt: skip


def equal(theirs, ours):
    if theirs is None or theirs != theirs:
        return ours is None or ours == []
    if isinstance(theirs, float) and isinstance(ours, float):
        # Reading JSON may round the last digit.
        return abs(theirs - ours) <= 3e-16 * abs(theirs)
    if isinstance(theirs, (list, tuple)) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(equal, theirs, ours))
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return theirs.keys() == ours.keys() and all(equal(theirs[key], ours[key]) for key in theirs)
    return theirs == ours


if __name__ == "__main__":
    main()
