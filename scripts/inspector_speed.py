#!/usr/bin/env python3
"""Times `etinspect events` against ExecuTorch's own Inspector on the same traces, and prints the ratios.

    python scripts/inspector_speed.py ETINSPECT [TRACE.etdp...] [--large MODEL.pte] [--megabytes 100]

Each TRACE (default: the ten-iteration traces of tests/fixtures) is read by both as a whole process,
the Inspector's with its import, and with the ETRecord beside the trace if there is one. Then the
real runtime runs --large (default: the transformer of the fixtures) until its trace has as many
megabytes, and both read that: here the import of the Inspector is not counted. For etinspect the
throughput in ETDump bytes per second and the peak of resident memory are printed as well.

Both write the same file, `save_data_to_tsv`; it must be equal to the byte. Needs a release build of
etinspect, and Python with executorch 1.5.1. Goals: 100 times on ten iterations, 50 times on 100 MB,
1 GB/s, 1.2 times the file.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FIXTURES = os.path.join(ROOT, "tests", "fixtures")

# What the Inspector does in a process of its own; prints the seconds after the import.
INSPECTOR = """
import sys, time
from executorch.devtools import Inspector
begun = time.perf_counter()
inspector = Inspector(etdump_path=sys.argv[1], etrecord=sys.argv[3] if len(sys.argv) > 3 else None)
with open(sys.argv[2], "w") as file:
    inspector.save_data_to_tsv(file)
print(time.perf_counter() - begun)
"""

# Runs a model until its trace has the size that is asked for.
RUNTIME = """
import glob, os, sys, numpy, torch
from executorch.extension.pybindings import portable_lib
model, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
case = glob.glob(os.path.join(os.path.dirname(model), "io/forward/case0/in_*.npy"))
inputs = tuple(torch.from_numpy(numpy.load(file)) for file in sorted(case))
def record(runs):
    module = portable_lib._load_for_executorch(model, None, enable_etdump=True, debug_buffer_size=0)
    for _ in range(runs):
        module.run_method("forward", inputs, True)
    module.write_etdump_result_to_file(path)
    return os.path.getsize(path)
record(int(100 * size / record(100)) + 1)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("etinspect")
    parser.add_argument("traces", nargs="*", default=sorted(glob.glob(os.path.join(FIXTURES, "traces", "*__it10.etdp"))))
    parser.add_argument("--large", default=os.path.join(FIXTURES, "models", "transformer", "model.pte"))
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=15, help="runs of etinspect, of which the fastest counts")
    options = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as folder:
        for trace in options.traces:
            model = os.path.basename(trace).split("__")[0]
            record = os.path.join(os.path.dirname(trace), model + ".etrecord")
            measure(options, folder, trace, record if os.path.exists(record) else None, with_import=True)
        if options.megabytes:
            large = os.path.join(folder, "large.etdp")
            run([sys.executable, "-c", RUNTIME, options.large, large, str(options.megabytes * 1_000_000)])
            measure(options, folder, large, None, with_import=False)


def measure(options, folder, trace, record, with_import):
    """Times both on one trace and prints a line."""
    theirs, ours = os.path.join(folder, "theirs.tsv"), os.path.join(folder, "ours.tsv")
    begun = time.perf_counter()
    printed = run([sys.executable, "-c", INSPECTOR, trace, theirs, *([record] if record else [])])
    seconds = time.perf_counter() - begun if with_import else float(printed)
    command = [options.etinspect, "events", trace, "--format", "tsv", "-o", ours]
    command += ["--etrecord", record] if record else []
    best, processor, peak = min(timed(command, ours) for _ in range(options.repeat))
    size = os.path.getsize(trace)
    with open(theirs, "rb") as a, open(ours, "rb") as b:
        same = "equal" if a.read() == b.read() else "DIFFERENT"
    print(
        f"{os.path.basename(trace):24} {size / 1e6:7.2f} MB  Inspector {seconds:7.3f} s  etinspect {best * 1e3:8.2f} ms"
        f"  ratio {seconds / best:7.0f}  {size / best / 1e9:6.3f} GB/s ({size / processor / 1e9:.3f} of processor time)"
        f"  peak {peak / 1e6:6.1f} MB = {peak / size:.2f} of the file, result {os.path.getsize(ours) / 1e6:.1f} MB  {same}",
        flush=True,
    )


def timed(command, output):
    """Wall time, processor time, and peak of resident memory of a process that writes `output` anew."""
    if os.path.exists(output):
        os.remove(output)
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    return seconds, max(usage.ru_utime + usage.ru_stime, 1e-4), usage.ru_maxrss * 1024


def run(command):
    """What a command prints; its warnings go nowhere."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
