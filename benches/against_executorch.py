"""Times of programs on the real runtime and on ours; see against_executorch.sh."""

import json
import subprocess
import sys
import tempfile
import time

import executorch.kernels.quantized  # noqa: F401  registers quantized_decomposed operators
import torch
from executorch.extension.pybindings import portable_lib
from executorch.runtime import Runtime

# Scalar types of ExecuTorch by number.
DTYPES = {0: torch.uint8, 1: torch.int8, 2: torch.int16, 3: torch.int32, 4: torch.int64,
          5: torch.float16, 6: torch.float32, 7: torch.float64, 11: torch.bool, 15: torch.bfloat16}


def real(path, seconds=3.0):
    """Median milliseconds of a run of `forward` on ones, one thread."""
    portable_lib._unsafe_reset_threadpool(1)
    method = Runtime.get().load_program(path).load_method("forward")
    metas = [method.metadata.input_tensor_meta(i) for i in range(method.metadata.num_inputs())]
    inputs = [torch.ones(tuple(m.sizes()), dtype=DTYPES[m.dtype()]) for m in metas]
    method.execute(inputs)
    times = []
    start = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        begun = time.perf_counter()
        method.execute(inputs)
        times.append((time.perf_counter() - begun) * 1e3)
    return sorted(times)[len(times) // 2]


def ours(program, path, runs=60):
    """Median milliseconds of a run on our runtime; None if it cannot run the program."""
    with tempfile.TemporaryDirectory() as folder:
        trace = f"{folder}/trace.etdp"
        arguments = ["run", path, "--threads", "1", "--warmup", "3", "--iterations", str(runs)]
        ran = subprocess.run([program, *arguments, "--etdump", trace], capture_output=True)
        if ran.returncode != 0:
            return None
        events = subprocess.run([program, "events", trace, "--format", "json"],
                                capture_output=True, check=True)
    blocks = json.loads(events.stdout)["blocks"]
    executions = (event for block in blocks if block["name"] == "Execute"
                  for event in block["events"] if event["name"] == "Method::execute")
    return next(executions)["p50"]


def main():
    program, *paths = sys.argv[1:]
    print(f"{'program':<60} {'ExecuTorch':>12} {'etinspect':>12} {'faster':>8}")
    for path in paths:
        theirs, own = real(path), ours(program, path)
        shown = f"{own:9.3f} ms {theirs / own:7.1f}x" if own else f"{'-':>12} {'-':>8}"
        print(f"{path[-60:]:<60} {theirs:9.3f} ms {shown}")


if __name__ == "__main__":
    main()
