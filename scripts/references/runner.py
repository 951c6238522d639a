"""Runs methods on the real runtime of the installed wheel, each in a process of its own."""
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field

import torch

from .program import SCALAR_TYPES, dim_order, from_bytes, raw_bytes
from .schemas import PACKAGE

HERE = os.path.dirname(os.path.abspath(__file__))
STAGES = ["done", "load", "set_input", "execute", "abort", "timeout"]
ERRORS = {
    0x01: "Internal",
    0x02: "InvalidState",
    0x03: "EndOfMethod",
    0x10: "NotSupported",
    0x11: "NotImplemented",
    0x12: "InvalidArgument",
    0x13: "InvalidType",
    0x14: "OperatorMissing",
    0x20: "NotFound",
    0x21: "MemoryAllocationFailed",
    0x22: "AccessFailed",
    0x23: "InvalidProgram",
    0x24: "InvalidExternalData",
    0x25: "OutOfResources",
}


@dataclass
class Response:
    """What the runtime answered. `code` is an ExecuTorch error, or a signal after `abort`."""

    stage: str
    code: int
    log: str
    steps: list = field(default_factory=list)


def build(path):
    """Compiles the C++ runner against the wheel's headers and libraries, if it is not there."""
    source = os.path.join(HERE, "runner.cpp")
    if os.path.exists(path) and os.path.getmtime(path) > os.path.getmtime(source):
        return path
    include, lib = f"{PACKAGE}/include", f"{PACKAGE}/lib"
    libraries = "executorch kernels_optimized kernels_quantized backend_xnnpack threadpool etdump".split()
    command = [
        "g++", "-std=c++17", "-O1", "-w", "-DET_EVENT_TRACER_ENABLED", "-DC10_USING_CUSTOM_GENERATED_MACROS",
        f"-I{include}", f"-I{include}/executorch/runtime/core/portable_type/c10", source, "-o", path,
        f"-L{lib}", "-Wl,--no-as-needed", f"-Wl,-rpath,{lib}",
        *("-lexecutorch" + ("" if name == "executorch" else "_" + name) for name in libraries),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def run(runner, pte, requests):
    """Runs `(method, fill byte, [inputs of each step])` requests; one `Response` for each."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("program.pte", "requests", "responses")]
        with open(paths[0], "wb") as file:
            file.write(pte)
        with open(paths[1], "wb") as file:
            file.write(b"".join(_request(*request) for request in requests))
        subprocess.run([runner, *paths], check=True, stderr=subprocess.DEVNULL)
        with open(paths[2], "rb") as file:
            wire = _Wire(file.read())
    return [_response(wire, len(steps)) for _, _, steps in requests]


def _request(name, fill, steps):
    name = name.encode()
    parts = [struct.pack("<H", len(name)), name, struct.pack("<BB", fill, len(steps))]
    for inputs in steps:
        parts.append(struct.pack("<H", len(inputs)))
        parts += [_value(value) for value in inputs]
    return b"".join(parts)


def _value(value):
    if isinstance(value, torch.Tensor):
        order, data = dim_order(value), raw_bytes(value)
        number, rank = SCALAR_TYPES[value.dtype][0], value.dim()
        head = struct.pack(f"<BBB{rank}i{rank}BI", 0, number, rank, *value.shape, *order, len(data))
        return head + data
    if value is None:
        return b"\4"
    if isinstance(value, bool):
        return struct.pack("<BB", 3, value)
    if isinstance(value, int):
        return struct.pack("<Bq", 1, value)
    return struct.pack("<Bd", 2, value)


class _Wire:
    def __init__(self, data):
        self.data, self.at = data, 0

    def get(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def value(self):
        (tag,) = self.get("B")
        if tag == 0:
            number, rank = self.get("BB")
            sizes, order = self.get(f"{rank}i"), self.get(f"{rank}B")
            return from_bytes(number, sizes, order, self.take(self.get("I")[0]))
        if tag in (1, 2, 3):
            (value,) = self.get({1: "q", 2: "d", 3: "?"}[tag])
            return value
        return None


def _response(wire, steps):
    stage, code, length = wire.get("BII")
    response = Response(STAGES[stage], code, wire.take(length).decode(errors="replace"))
    if response.stage == "done":
        for _ in range(steps):
            (count,) = wire.get("H")
            response.steps.append([wire.value() for _ in range(count)])
    return response
