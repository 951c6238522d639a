"""Times of programs on the real runtime and on ours; see against_executorch.sh."""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import executorch.kernels.quantized  # noqa: F401  registers quantized_decomposed operators
import torch
from executorch.extension.pybindings import portable_lib
from executorch.runtime import Runtime

# Scalar types of ExecuTorch by number.
DTYPES = {0: torch.uint8, 1: torch.int8, 2: torch.int16, 3: torch.int32, 4: torch.int64,
          5: torch.float16, 6: torch.float32, 7: torch.float64, 11: torch.bool, 15: torch.bfloat16}


class Real:
    """Runs `forward` of a program on ones, one thread."""

    def __init__(self, path):
        portable_lib._unsafe_reset_threadpool(1)
        # What the method borrows from.
        self.program = Runtime.get().load_program(path)
        self.method = self.program.load_method("forward")
        meta = self.method.metadata
        metas = [meta.input_tensor_meta(i) for i in range(meta.num_inputs())]
        self.inputs = [torch.ones(tuple(m.sizes()), dtype=DTYPES[m.dtype()]) for m in metas]
        self.method.execute(self.inputs)

    def times(self, seconds):
        """Milliseconds of each run within a time, at least one."""
        times = []
        start = time.perf_counter()
        while not times or time.perf_counter() - start < seconds:
            begun = time.perf_counter()
            self.method.execute(self.inputs)
            times.append((time.perf_counter() - begun) * 1e3)
        return times


def ours(program, path, runs, options):
    """Milliseconds of each run on our runtime, with a trace."""
    with tempfile.TemporaryDirectory() as folder:
        trace = f"{folder}/trace.etdp"
        arguments = ["run", path, "--threads", "1", "--warmup", "3", "--iterations", str(runs), *options]
        subprocess.run([program, *arguments, "--etdump", trace], stdout=subprocess.DEVNULL, check=True)
        events = subprocess.run([program, "events", trace, "--format", "json"],
                                stdout=subprocess.PIPE, check=True)
    blocks = json.loads(events.stdout)["blocks"]
    executions = (event for block in blocks if block["name"] == "Execute"
                  for event in block["events"] if event["name"] == "Method::execute")
    return next(executions)["raw"]


def measure(program, path, rounds, seconds):
    """Times of the real runtime, of ours, and of ours with products that are rounded once, in
    turns, so that they meet the same machine."""
    real, theirs, own, fused = Real(path), [], [], []
    runs = 5
    for _ in range(rounds):
        theirs += real.times(seconds)
        own += ours(program, path, runs, [])
        fused += ours(program, path, runs, ["--fused-multiply-add"])
        runs = max(5, min(2000, int(seconds * 1e3 / min(own))))
    return theirs, own, fused


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round and runtime")
    parser.add_argument("program")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    results = {}
    print(f"{'':<44} {'ExecuTorch':>21} {'etinspect':>21} {'fused multiply-add':>21} {'times faster':>15}")
    print(f"{'program':<44}" + f" {'fastest':>10} {'median':>10}" * 3 + f" {'exact':>7} {'fused':>7}")
    for path in options.paths:
        measured = measure(options.program, path, options.rounds, options.seconds)
        name = os.path.basename(os.path.dirname(path)) or path
        t, o, f = [(min(times), statistics.median(times)) for times in measured]
        results[name] = (t, o, f)
        columns = "".join(f" {ms:7.3f} ms" for ms in (*t, *o, *f))
        print(f"{name[-44:]:<44}{columns} {t[0] / o[0]:7.1f} {t[0] / f[0]:7.1f}", flush=True)
    for name, (_, *own) in results.items():
        delegated = results.get(f"{name}_xnnpack")
        if not delegated:
            continue
        t = delegated[0]
        for kind, o in zip(("", ", fused multiply-add"), own):
            print(f"{name} here{kind} against {name}_xnnpack there: "
                  f"{o[0] / t[0]:.2f} times as long (fastest), {o[1] / t[1]:.2f} (median)")


if __name__ == "__main__":
    main()
