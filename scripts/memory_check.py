#!/usr/bin/env python3
"""Compares `etinspect memory` with the real runtime, on programs exported here.

    scripts/memory_check.py ETINSPECT [FOLDER] [PROGRAM.pte ...]

Exports programs that exercise the loader (lists, dynamic shapes, external data,
control flow, several methods and delegates, several memories, mutable state) to
FOLDER, or takes the given ones with the .ptd beside them. Loads and runs each
with a logging allocator, with a large, an empty and no temp allocator, and
compares allocation by allocation. Then compiles the printed C++ settings and
runs the program with them, and with one byte less of the method pool, which
must fail. Exits with 1 if anything differs. Needs g++ and the Python packages
executorch and torch.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeCompileConfig, ExecutorchBackendConfig, to_edge_transform_and_lower
from executorch.exir.passes import MemoryPlanningPass
from torch import nn
from torch.export import Dim, export

TEMPS = {
    "big": "used_with_backends_bytes",
    "empty": "used_without_temp_pool_bytes",
    "none": "used_without_temp_allocator_bytes",
}
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Fn(nn.Module):
    """A function as a module, with layers as attributes."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def lower(module, *inputs, dynamic=None, xnnpack=False, **config):
    module = module.eval()
    program = export(module, inputs, dynamic_shapes=dynamic, strict=False)
    return to_edge_transform_and_lower(
        program,
        partitioner=[XnnpackPartitioner()] if xnnpack else None,
        compile_config=EdgeCompileConfig(_check_ir_validity=False),
    ).to_executorch(ExecutorchBackendConfig(**config))


def two_layers():
    return {"first": nn.Linear(16, 8), "second": nn.Linear(8, 8)}


def chain(m, x):
    return m.second(torch.cumsum(torch.relu(m.first(x)), 0)).softmax(-1)


@case
def lists():
    def body(m, i, x):
        a, _, c = torch.split(x, [2, 3, 5], dim=1)
        values, places = torch.topk(x, 3, dim=1)
        grown = nn.functional.gelu(x, approximate="tanh")
        floor = torch.div(x, 2.0, rounding_mode="floor")
        wide = nn.functional.interpolate(x[None, None], scale_factor=(2.0, 2.0), mode="nearest")
        joined = torch.cat([a, c], 1)
        return m.embedding(i), joined, values, places, grown, floor, x[i, :], wide

    module = Fn(body, embedding=nn.Embedding(20, 8))
    return lower(module, torch.tensor([1, 2, 3]), torch.randn(4, 10))


@case
def dynamic_shapes():
    def body(m, x):
        return torch.relu(m.first(x)), torch.cat([x, x], 0), x.reshape(-1)

    shapes = {"inputs": ({0: Dim("batch", min=2, max=33)},)}
    return lower(Fn(body, **two_layers()), torch.randn(4, 16), dynamic=shapes)


@case
def two_delegates():
    shapes = {"inputs": ({0: Dim("batch", min=2, max=33)},)}
    module = Fn(chain, **two_layers())
    return lower(module, torch.randn(4, 16), dynamic=shapes, xnnpack=True)


@case
def external_data():
    return lower(Fn(chain, **two_layers()), torch.randn(2, 16), external_constants=True)


@case
def external_data_and_delegates():
    def body(m, i):
        return chain(m, m.embedding(i)) * torch.cumsum(m.scale, 0)

    scale = nn.Parameter(torch.randn(8))
    module = Fn(body, embedding=nn.Embedding(12, 16), scale=scale, **two_layers())
    return lower(module, torch.tensor([1, 2]), xnnpack=True, external_constants=True)


@case
def nested_branches():
    def inner(a):
        return torch.cond(a.sum() > 0, lambda q: q + 1, lambda q: q * 2, (a,))

    def body(_, p, x, y):
        return torch.cond(p.sum() > 1, inner, lambda a: a.sin(), (x,)) + y

    return lower(Fn(body), torch.ones(2), torch.randn(3), torch.randn(4, 3))


@case
def unplanned_inputs_and_outputs():
    planning = MemoryPlanningPass(alloc_graph_input=False, alloc_graph_output=False)
    module = Fn(lambda m, x: (m.first(x), x.sum()), **two_layers())
    return lower(module, torch.randn(5, 16), memory_planning_pass=planning)


@case
def three_memories():
    class Planning(MemoryPlanningPass):
        def run(self, module, signature=None):
            calls = [n for n in module.graph.nodes if n.op == "call_function"]
            for number, node in enumerate(calls):
                spec = node.meta.get("spec")
                if spec is not None and not isinstance(spec, (list, tuple)):
                    spec.mem_id = 1 + number % 3
            return super().run(module, signature)

    def body(_, x):
        a = x * 2
        b = torch.cumsum(a + x, 0)
        return (b.sin() + a).sum(0), b

    return lower(Fn(body), torch.randn(50, 30), memory_planning_pass=Planning())


@case
def several_methods():
    class State(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x):
            self.count.add_(1)
            return self.conv(x).tanh().cumsum(1), self.count + 0

    programs = {
        "linear": export(nn.Linear(4, 4).eval(), (torch.randn(2, 4),), strict=True),
        "state": export(State().eval(), (torch.randn(1, 3, 8, 8),), strict=True),
    }
    return to_edge_transform_and_lower(
        programs,
        partitioner={name: [XnnpackPartitioner()] for name in programs},
        compile_config=EdgeCompileConfig(_check_ir_validity=False),
        constant_methods={"limit": 7, "name": "hello", "sizes": [1, 2, 3]},
    ).to_executorch()


@case
def recurrent():
    layers = {"lstm": nn.LSTM(6, 8, 2, bidirectional=True, batch_first=True)}
    return lower(Fn(lambda m, x: m.lstm(x)[0], **layers), torch.randn(1, 7, 6))


def export_all(folder):
    paths = []
    for name, function in CASES.items():
        torch.manual_seed(0)
        program = function()
        path = folder / name / "model.pte"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            program.write_to_file(stream)
        program.write_tensor_data_to_file(str(path.parent))
        paths.append(path)
    return paths


def compiled(source, folder, name):
    package = Path(__import__("executorch").__path__[0])
    binary = folder / name
    subprocess.run(
        ["g++", "-std=c++17", "-O1", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS"]
        + [f"-I{package}/include"]
        + [f"-I{package}/include/executorch/runtime/core/portable_type/c10"]
        + [source, "-o", binary, f"-L{package}/lib", "-Wl,--no-as-needed", "-lexecutorch"]
        + ["-lexecutorch_kernels_optimized", "-lexecutorch_kernels_quantized"]
        + ["-lexecutorch_backend_xnnpack", "-lexecutorch_threadpool"]
        + [f"-Wl,-rpath,{package}/lib"],
        check=True,
    )
    return binary


def log(binary, path, method, temp, data):
    lines = subprocess.run([binary, path, method, temp, *data], capture_output=True, text=True)
    found = {"method": [], "planned": []}
    for words in map(str.split, lines.stdout.splitlines()):
        numbers = [int(word) for word in words[1:] if word.isdigit()]
        if words[0] in ("method", "planned"):
            found[words[0]].append(numbers if words[0] == "method" else numbers[0])
        elif words[0] in ("used", "loading", "executing", "status", "grown"):
            found[words[0]] = numbers[0]
    return found


def with_backends(allocator):
    """The predicted allocations, those of backends at their place."""
    own = {}
    for allocation in allocator["backend_allocations"]:
        own.setdefault(allocation["before"], []).append(allocation)
    rows = []
    for index, allocation in enumerate(allocator["allocations"]):
        rows += own.get(index, []) + [allocation]
    rows += own.get(len(allocator["allocations"]), [])
    cursor, placed = 0, []
    for row in rows:
        offset = -(-cursor // row["align"]) * row["align"]
        placed.append([row["size"], row["align"], offset - cursor, offset])
        cursor = offset + row["size"]
    return placed


def differences(memory, logs):
    method, temp = memory["allocators"]
    backends = method["used_with_backends_bytes"] - method["used_bytes"]
    big = logs["big"]
    yield "planned buffers", [b["size_bytes"] for b in memory["planned"]], big["planned"]
    yield "allocations", with_backends(method), big["method"]
    for kind, field in TEMPS.items():
        predicted = method[field] + (0 if kind == "big" else backends)
        yield f"used, {kind} temp allocator", predicted, logs[kind]["used"]
    yield "temp, loading", temp["peak_bytes"], big["loading"]
    yield "temp, executing", temp["executing_peak_bytes"], big["executing"]
    yield "status and growth", (0, 0), (big["status"], big["grown"])


HARNESS = """
#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>
#include <fstream>
#include <iterator>
#include <vector>
%s
alignas(4096) static uint8_t program_bytes[1 << 22];
int main(int, char** argv) {
  runtime_init();
  std::ifstream stream(argv[1], std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), {});
  std::copy(bytes.begin(), bytes.end(), program_bytes);
  executorch::extension::BufferDataLoader loader(program_bytes, bytes.size());
  auto program = Program::load(&loader);
  auto method = program->load_method(argv[2], &manager);
  if (!method.ok()) {
    return (int)method.error();
  }
  for (size_t i = 0; i < method->inputs_size(); ++i) {
    EValue input = method->get_input(i);
    (void)method->set_input(input, i);
  }
  return (int)method->execute();
}
"""


def settings_run(memory, path, folder):
    """Runs with the pasted settings, and with too small a method pool."""
    pasted = memory["settings"]["cpp"]
    used = memory["allocators"][0]["used_with_backends_bytes"]
    size = f"method_pool[{pasted.split('method_pool[')[1].split(']')[0]}]"
    statuses = []
    for text in (pasted, pasted.replace(size, f"method_pool[{used - 1}]")):
        source = folder / "settings.cpp"
        source.write_text(HARNESS % text)
        binary = compiled(source, folder, "settings")
        ran = subprocess.run([binary, path, memory["name"]], capture_output=True)
        statuses.append(ran.returncode)
    return statuses


def main():
    etinspect, *rest = sys.argv[1:]
    paths = [Path(arg) for arg in rest if arg.endswith(".pte")]
    scratch = Path(tempfile.mkdtemp())
    if not paths:
        paths = export_all(Path(rest[0]) if rest else scratch / "programs")
    logger = compiled(Path(__file__).with_name("method_allocations.cpp"), scratch, "logger")
    checked = wrong = 0
    for path in paths:
        data = sorted(path.parent.glob("*.ptd"))[:1]
        command = [etinspect, "memory", path, "--abi", "x86_64", "--format", "json"]
        document = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
        for memory in document["methods"]:
            logs = {kind: log(logger, path, memory["name"], kind, data) for kind in TEMPS}
            checked += 1
            found = [d for d in differences(memory, logs) if d[1] != d[2]]
            for what, predicted, real in found:
                print(f"{path} {memory['name']}: {what}: predicted {predicted}, real {real}")
            wrong += bool(found)
        first = document["methods"][0]
        unplanned = "unplanned" in str(path)
        if not data and not unplanned and first["planned"]:
            statuses = settings_run(first, path, scratch)
            if statuses[0] != 0 or statuses[1] == 0:
                print(f"{path}: settings end with {statuses}, expected 0 and an error")
                wrong += 1
    print(f"{checked} methods of {len(paths)} programs, {wrong} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
