#!/usr/bin/env python3
"""Records what Vela itself reports for programs with Ethos-U delegates.

    scripts/vela_reference.py OUT [CASE ...]

Each case is exported once for each accelerator that it names and becomes
OUT/CASE.ACCELERATOR/ with model.pte, vela.json (memory, cycles and MACs of
Vela's summary, by its own column names; the operations of the command stream in
order) and vela.txt, Vela's own listing of the registers. Needs the Python
packages executorch[ethos-u], torch and torchao.
"""

import contextlib
import csv
import io
import json
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path

import torch
from executorch.backends.arm import arm_vela
from executorch.backends.arm.ethosu import EthosUCompileSpec, EthosUPartitioner
from executorch.backends.arm.quantizer import EthosUQuantizer, get_symmetric_quantization_config
from executorch.exir import ExecutorchBackendConfig, to_edge_transform_and_lower
from torch import nn
from torch.nn import functional as F
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

U55 = [f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)]
U65 = [f"ethos-u65-{macs}" for macs in (256, 512)]
U85 = [f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)]
TYPICAL = ["ethos-u55-128", "ethos-u65-512", "ethos-u85-256"]
CASES = {}


class Fn(nn.Module):
    """A function of layers and inputs as a module."""

    def __init__(self, function, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.function = function

    def forward(self, *args):
        return self.function(*self.layers, *args)


def case(name, function, *inputs, layers=(), accelerators=TYPICAL):
    CASES[name] = (Fn(function, *layers).eval(), inputs, accelerators)


def rand(*shape):
    return torch.rand(shape) * 2 - 1


torch.manual_seed(7)
case("add", lambda x, y: x + y, rand(1, 5), rand(1, 5), accelerators=U55 + U65 + U85)
case("sub_broadcast", lambda x, y: x - y, rand(1, 4, 6, 8), rand(1, 1, 1, 8))
case("mul", lambda x, y: x * y, rand(1, 3, 9, 7), rand(1, 3, 9, 7))
case("minmax", lambda x, y: torch.maximum(x, torch.minimum(y, x * y)), rand(1, 8, 4), rand(1, 8, 4))
case("abs", lambda x: x.abs(), rand(1, 40))
case("linear", lambda l, x: l(x), rand(3, 40), layers=[nn.Linear(40, 12)], accelerators=U55 + U65 + U85)
case("conv", lambda l, x: F.relu(l(x)), rand(1, 3, 24, 20), layers=[nn.Conv2d(3, 17, 3, stride=2, padding=1)], accelerators=U55 + U65 + U85)
case("conv_dilated", lambda l, x: l(x), rand(1, 8, 15, 15), layers=[nn.Conv2d(8, 8, 3, dilation=2, padding=2)])
case("depthwise", lambda l, x: l(x), rand(1, 24, 16, 16), layers=[nn.Conv2d(24, 24, 3, padding=1, groups=24)])
case("transposed", lambda l, x: l(x), rand(1, 6, 7, 7), layers=[nn.ConvTranspose2d(6, 4, 2, stride=2)])
case("pools", lambda x: F.avg_pool2d(F.max_pool2d(x, 2), 3, 1), rand(1, 10, 16, 16))
case("mean", lambda x: x.mean((2, 3)), rand(1, 20, 7, 9))
case("resize", lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"), rand(1, 4, 6, 6))
case("bilinear", lambda x: F.interpolate(x, scale_factor=2.0, mode="bilinear"), rand(1, 4, 6, 6), accelerators=U85)
case("softmax", lambda x: F.softmax(x, -1), rand(1, 30), accelerators=TYPICAL)
case("lut", lambda x: torch.tanh(torch.sigmoid(x)), rand(1, 64))
case("hardswish", lambda x: F.hardswish(x), rand(1, 4, 5, 5))
case("layout", lambda x: torch.cat([x.permute(0, 2, 1), x.permute(0, 2, 1) * 2.0], 1)[:, 1:7], rand(1, 6, 8))
case("bmm", lambda x, y: torch.bmm(x, y), rand(2, 6, 10), rand(2, 10, 4))
case("layer_norm", lambda l, x: l(x), rand(1, 5, 16), layers=[nn.LayerNorm(16)])
case(
    "residual",
    lambda a, b, c, x: c(F.relu(b(F.relu6(a(x))) + x).mean((2, 3))),
    rand(1, 16, 32, 32),
    layers=[nn.Conv2d(16, 32, 3, padding=1), nn.Conv2d(32, 16, 1), nn.Linear(16, 10)],
    accelerators=U55 + U65 + U85,
)
case(
    "large",
    lambda a, b, x: b(F.relu(a(x))),
    rand(1, 32, 64, 64),
    layers=[nn.Conv2d(32, 64, 3, padding=1), nn.Conv2d(64, 32, 3, padding=1)],
    accelerators=["ethos-u55-128", "ethos-u65-256", "ethos-u65-512", "ethos-u85-128", "ethos-u85-512"],
)
# The smallest of the listing: two delegates around an operator of the CPU.
case("two_delegates", lambda l, x: l(torch.cumsum(l(x), 1)), rand(1, 12), layers=[nn.Linear(12, 12)])


class Recorded:
    """Vela's output of one delegate: its text and its summary file."""

    def __init__(self):
        self.calls = []

    def compile(self, original):
        def vela_compile(tosa, args, *rest, **named):
            args = [*args, "--verbose-register-command-stream"]
            folder = Path(tempfile.mkdtemp())
            named["intermediate_path"] = str(folder)
            with open(folder / "text", "w+") as text:
                # Vela's compiler is native code: only the descriptor catches it.
                sys.stdout.flush()
                kept = os.dup(1)
                os.dup2(text.fileno(), 1)
                try:
                    result = original(tosa, args, **named)
                finally:
                    sys.stdout.flush()
                    os.dup2(kept, 1)
                    os.close(kept)
            summary = next((folder / "output").glob("*summary*.csv"))
            with open(summary) as rows:
                row = next(csv.DictReader(rows))
            self.calls.append((row, (folder / "text").read_text()))
            return result

        return vela_compile


def operations(text):
    """Names of the operations of the listing, in order."""
    return re.findall(r"NPU_OP_[A-Z_0-9]+", text)


def export(module, inputs, accelerator, out):
    recorded = Recorded()
    original = arm_vela.vela_compile
    import executorch.backends.arm.ethosu.backend as backend

    backend.vela_compile = recorded.compile(original)
    try:
        spec = EthosUCompileSpec(accelerator)
        quantizer = EthosUQuantizer(spec)
        quantizer.set_global(get_symmetric_quantization_config())
        exported = torch.export.export(module, inputs, strict=True).module(check_guards=False)
        prepared = prepare_pt2e(exported, quantizer)
        with torch.no_grad():
            prepared(*inputs)
        quantized = torch.export.export(convert_pt2e(prepared), inputs, strict=True)
        edge = to_edge_transform_and_lower(quantized, partitioner=[EthosUPartitioner(spec)])
        program = edge.to_executorch(ExecutorchBackendConfig(extract_delegate_segments=False))
    finally:
        backend.vela_compile = original
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.pte").write_bytes(program.buffer)
    delegates = [{"summary": numbers(row), "operations": operations(text)} for row, text in recorded.calls]
    (out / "vela.json").write_text(json.dumps(delegates, indent=1) + "\n")
    (out / "vela.txt").write_text("".join(text for _, text in recorded.calls))


def numbers(row):
    """The row with its numbers as numbers."""
    converted = {}
    for key, value in row.items():
        with contextlib.suppress(TypeError, ValueError):
            value = float(value)
        converted[key] = value
    return converted


def main():
    out = Path(sys.argv[1])
    wanted = sys.argv[2:]
    failed = 0
    for name, (module, inputs, accelerators) in CASES.items():
        for accelerator in accelerators:
            if wanted and name not in wanted and accelerator not in wanted:
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    export(module, inputs, accelerator, out / f"{name}.{accelerator}")
                print(f"{name} {accelerator}", file=sys.stderr)
            except Exception as error:
                failed += 1
                print(f"{name} {accelerator}: {error!r}", file=sys.stderr)
                if os.environ.get("TRACE"):
                    traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
