#!/usr/bin/env python3
"""Compares our traces with the real runtime's, both read by ExecuTorch's Inspector.

    python scripts/inspector_check.py ETINSPECT FIXTURES...

For each FIXTURES/traces/MODEL__itN[_dbg].etdp, which the real runtime wrote in N runs of
FIXTURES/models/MODEL, runs ETINSPECT as often on the same inputs and compares what
`Inspector.to_dataframe()` says of both traces, but for the times. Uses MODEL.etrecord beside the
trace where there is one. Exits with 1 if anything differs or the Inspector refuses a trace.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

import torch
from executorch.devtools import Inspector

# What must be the same. The other columns are times.
COLUMNS = [
    "event_block_name", "event_name", "op_types", "delegate_debug_identifier", "stack_traces", "module_hierarchy",
    "is_delegated_op", "delegate_backend_name",
]  # fmt: skip
TRACE = re.compile(r"(?P<model>.+)__it(?P<runs>\d+)(?P<debug>_dbg)?\.etdp")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("etinspect")
    parser.add_argument("fixtures", nargs="+")
    options = parser.parse_args()
    counts = {"same": 0, "different": 0, "not run": 0}
    for fixtures in options.fixtures:
        for trace in sorted(glob.glob(os.path.join(fixtures, "traces", "*.etdp"))):
            found = TRACE.fullmatch(os.path.basename(trace))
            if found is None or not os.path.isdir(os.path.join(fixtures, "models", found["model"])):
                continue
            outcome, detail = check(options.etinspect, fixtures, trace, found)
            if outcome is None:
                continue
            counts[outcome] += 1
            print(f"{outcome:9} {os.path.basename(trace)} {detail}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    sys.exit(counts["different"] + counts["not run"] > 0 or counts["same"] == 0)


def check(etinspect, fixtures, trace, found):
    """The outcome of one trace and why."""
    model = os.path.join(fixtures, "models", found["model"])
    runs = int(found["runs"])
    cases = glob.glob(os.path.join(model, "io", "forward", "case*"))
    if runs > 1 and len(cases) > 1 and has_branches(model):
        return None, "takes another branch in each run"
    record = os.path.join(fixtures, "traces", found["model"] + ".etrecord")
    record = record if os.path.exists(record) else None
    with tempfile.TemporaryDirectory() as folder:
        ours = os.path.join(folder, "ours.etdp")
        command = [etinspect, "run", os.path.join(model, "model.pte"), "--inspector-compatible", "--etdump", ours]
        command += ["--iterations", str(runs)]
        buffers = [None, None]
        if found["debug"]:
            real = trace.removesuffix(".etdp") + ".debug.bin"
            buffers = [real if os.path.exists(real) else None, os.path.join(folder, "ours.bin")]
            command += ["--debug-buffer", buffers[1]]
        inputs = glob.glob(os.path.join(model, "io", "forward", "case0", "in_*.npy"))
        for path in sorted(inputs, key=lambda path: int(re.search(r"(\d+)\.npy$", path)[1])):
            command += ["--input", path]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return "not run", (done.stderr.strip().splitlines() or ["no message"])[-1]
        try:
            wanted = table(trace, record, buffers[0])
        except Exception as error:
            # Such as the damaged debug traces of half precision.
            return None, f"the Inspector refuses the real trace: {error!r}"
        try:
            got = table(ours, record, buffers[1])
        except Exception as error:
            return "different", f"the Inspector refuses ours: {error!r}"
    return compare(wanted, got)


def table(trace, record, buffer):
    """The rows of the Inspector, without times, as comparable values."""
    inspector = Inspector(etdump_path=trace, etrecord=record, debug_buffer_path=buffer)
    frame = inspector.to_dataframe()
    runs = [len(raw) for raw in frame[next(c for c in frame.columns if c.startswith("raw"))]]
    rows = list(zip(*(map(plain, frame[column]) for column in COLUMNS)))
    # Without a buffer the Inspector makes zeros of the right shapes.
    shapes = [[signature(value) for value in (data or [])] for data in frame["debug_data"]]
    return list(zip(rows, runs, shapes))


def plain(value):
    return sorted(value.items()) if isinstance(value, dict) else value


def signature(value):
    """Kind of a debug value: its numbers depend on the kernels, not on the trace."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape)
    if isinstance(value, (list, tuple)):
        return [signature(v) for v in value]
    return type(value).__name__


def compare(wanted, got):
    for row, (a, b) in enumerate(zip(wanted, got)):
        for column, x, y in zip([*COLUMNS, "runs", "debug_data"], [*a[0], *a[1:]], [*b[0], *b[1:]]):
            if x != y:
                return "different", f"row {row}, {column}: expected {x!r}, found {y!r}"
    if len(wanted) != len(got):
        return "different", f"{len(wanted)} rows expected, {len(got)} found"
    return "same", f"{len(got)} rows"


def has_branches(model):
    """Whether the program jumps, and so may trace other events for other inputs."""
    from executorch.exir._serialize import _deserialize_pte_binary
    from executorch.exir.schema import JumpFalseCall

    with open(os.path.join(model, "model.pte"), "rb") as file:
        program = _deserialize_pte_binary(file.read())
    program = getattr(program, "program", program)
    chains = [chain for plan in program.execution_plan for chain in plan.chains]
    return any(isinstance(i.instr_args, JumpFalseCall) for chain in chains for i in chain.instructions)


if __name__ == "__main__":
    main()
