#!/usr/bin/env python3
"""Debug traces of programs with float16 and bfloat16 tensors, by the real runtime.

    scripts/half_debug_traces.py tests/fixtures/half_debug

ExecuTorch 1.5.1 has no number for these types in a trace: it leaves the value
unfinished and the trace damaged. Each program runs several times with a debug
buffer; beside the trace (NAME/trace.etdp, trace.debug.bin) stand the program, its
input and what the runtime returned (in_0.npy, out_0.npy, …; bfloat16 as
float32). Needs the PyPI package `executorch` and torch.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from executorch.exir import to_edge
from executorch.extension.pybindings.portable_lib import _load_for_executorch
from torch.export import export

BUFFER_BYTES = 4096


class Mixed(torch.nn.Module):
    """Values that a trace describes between such that it does not."""

    def forward(self, x):
        half = torch.relu(x.to(torch.float16) * 2)
        single = half.to(torch.float32) + x
        return single, torch.sigmoid(single), half


class Late(torch.nn.Module):
    """The last value alone is damaged."""

    def forward(self, x):
        for i in range(3):
            x = torch.sin(x) + i
        return x.to(torch.bfloat16)


class Lists(torch.nn.Module):
    """A list of tensors, of which the runtime logs the first and gives up."""

    def forward(self, x):
        a, b, c = torch.split(x.to(torch.float16), [1, 2, 2], dim=1)
        values, indices = torch.max(b, dim=1)
        return a, values, indices, c


class Channels(torch.nn.Module):
    """Nothing but float16, dimensions in the order of channels last."""

    def forward(self, x):
        x = x.to(torch.float16, memory_format=torch.channels_last)
        return x + x, torch.mul(x, x)


class Double(torch.nn.Module):
    """A second method of the same program."""

    def forward(self, x):
        return torch.exp(x.to(torch.float16)) + 1


CASES = [("mixed", Mixed, 3), ("late", Late, 2), ("lists", Lists, 2), ("channels", Channels, 2)]


def as_numpy(tensor):
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def two_methods(folder):
    """Two methods that run in turns."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    x = torch.randn(3, 5)
    exported = {name: export(module().eval(), (x,)) for name, module in
                [("mixed", Mixed), ("double", Double)]}
    (folder / "model.pte").write_bytes(to_edge(exported).to_executorch().buffer)
    runtime = _load_for_executorch(
        str(folder / "model.pte"), enable_etdump=True, debug_buffer_size=BUFFER_BYTES
    )
    for method in ("mixed", "double", "mixed", "double"):
        outputs = runtime.run_method(method, (x,))
    runtime.write_etdump_result_to_file(
        str(folder / "trace.etdp"), str(folder / "trace.debug.bin")
    )
    np.save(folder / "in_0.npy", x.numpy())
    np.save(folder / "out_0.npy", outputs[0].numpy())


def main(folder):
    two_methods(folder / "methods")
    for name, module, runs in CASES:
        case = folder / name
        case.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(7)
        shape = (1, 3, 2, 4) if name == "channels" else (3, 5)
        x = torch.randn(shape)
        program = to_edge(export(module().eval(), (x,))).to_executorch()
        (case / "model.pte").write_bytes(program.buffer)
        runtime = _load_for_executorch(
            str(case / "model.pte"), enable_etdump=True, debug_buffer_size=BUFFER_BYTES
        )
        for _ in range(runs):
            outputs = runtime.run_method("forward", (x,))
        runtime.write_etdump_result_to_file(
            str(case / "trace.etdp"), str(case / "trace.debug.bin")
        )
        np.save(case / "in_0.npy", x.numpy())
        for index, output in enumerate(outputs):
            np.save(case / f"out_{index}.npy", np.ascontiguousarray(as_numpy(output)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
