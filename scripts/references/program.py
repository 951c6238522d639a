"""Writes ExecuTorch programs directly: values, kernel calls and planned memory.

A `Method` takes its values one by one and a `Program` turns methods into the bytes
of a `.pte`, through `flatc` and the schemas in `schema/fbs`. No exporter is involved,
so any operator can be called with any arguments, legal or not.
"""
import json
import math
import os
import shutil
import subprocess
import tempfile

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMAS = os.path.normpath(os.path.join(HERE, "../../schema/fbs"))
ALIGNMENT = 16

SCALAR_TYPES = {
    torch.uint8: (0, "BYTE"),
    torch.int8: (1, "CHAR"),
    torch.int16: (2, "SHORT"),
    torch.int32: (3, "INT"),
    torch.int64: (4, "LONG"),
    torch.float16: (5, "HALF"),
    torch.float32: (6, "FLOAT"),
    torch.float64: (7, "DOUBLE"),
    torch.bool: (11, "BOOL"),
    torch.bfloat16: (15, "BFLOAT16"),
    torch.uint16: (27, "UINT16"),
    torch.uint32: (28, "UINT32"),
    torch.uint64: (29, "UINT64"),
    # The schema has no names for these, but their numbers are kept for them, and kernels take them.
    torch.complex32: (8, 8),
    torch.complex64: (9, 9),
    torch.complex128: (10, 10),
}
BY_NUMBER = {number: dtype for dtype, (number, _) in SCALAR_TYPES.items()}


def dim_order(tensor):
    """Dimensions from outermost to innermost in memory; `tensor.order` where it was set."""
    known = getattr(tensor, "order", None)
    if known is not None:
        return tuple(known)
    if tensor.is_contiguous():
        return tuple(range(tensor.dim()))
    return tuple(sorted(range(tensor.dim()), key=lambda d: -tensor.stride(d)))


def raw_bytes(tensor):
    """The elements in memory order, as in the file."""
    tensor = tensor.detach()
    order = dim_order(tensor)
    flat = tensor.permute(order).contiguous() if tensor.dim() else tensor.contiguous()
    if flat.numel() == 0:
        return b""
    return bytes(flat.reshape(-1).view(torch.uint8).numpy().tobytes())


def from_bytes(number, sizes, order, data):
    """The inverse of `raw_bytes`; remembers the order even where the sizes leave it open."""
    dtype = BY_NUMBER[number]
    if math.prod(sizes) == 0:
        tensor = torch.empty(sizes, dtype=dtype)
    else:
        flat = torch.frombuffer(bytearray(data), dtype=dtype).reshape([sizes[d] for d in order])
        tensor = flat.permute([order.index(d) for d in range(len(order))]) if order else flat
    tensor.order = tuple(order)
    return tensor


class Method:
    """One method under construction."""

    def __init__(self, name):
        self.name = name
        self.values, self.inputs, self.outputs = [], [], []
        self.operators, self.instructions = [], []
        self.arena = 0

    def value(self, kind, **fields):
        self.values.append({"val_type": kind, "val": fields})
        return len(self.values) - 1

    def tensor(self, dtype, sizes, order=None, dynamic=False):
        """A memory-planned tensor; `sizes` is the upper bound if it is dynamic."""
        index = self.value(
            "Tensor",
            scalar_type=SCALAR_TYPES[dtype][1],
            sizes=list(sizes),
            dim_order=list(range(len(sizes)) if order is None else order),
            allocation_info={"memory_id": 1, "memory_offset_low": self.arena},
            shape_dynamism="DYNAMIC_BOUND" if dynamic else "STATIC",
        )
        size = math.prod(sizes) * dtype.itemsize
        self.arena += max(1, -(-size // ALIGNMENT)) * ALIGNMENT
        return index

    def number(self, value):
        if value is None:
            return self.value("Null")
        if isinstance(value, bool):
            return self.value("Bool", bool_val=value)
        if isinstance(value, int):
            return self.value("Int", int_val=value)
        return self.value("Double", double_val=_double(value))

    def call(self, operator, args):
        name, _, overload = operator.partition(".")
        entry = {"name": name, "overload": overload}
        if entry not in self.operators:
            self.operators.append(entry)
        self.instructions.append(
            {
                "instr_args_type": "KernelCall",
                "instr_args": {"op_index": self.operators.index(entry), "args": args},
            }
        )

    def plan(self):
        return {
            "name": self.name,
            "values": self.values,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "chains": [{"inputs": [], "outputs": [], "instructions": self.instructions}],
            "operators": self.operators,
            "delegates": [],
            "non_const_buffer_sizes": [0, max(self.arena, ALIGNMENT)],
        }


def _double(value):
    """flatc reads non-finite numbers as words, which `json` cannot write."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def flatc(schema, document, extension):
    """The binary of `document` by `schema`, a file name in `schema/fbs`."""
    tool = os.environ.get("FLATC") or shutil.which("flatc")
    if tool is None:
        import executorch

        tool = os.path.join(list(executorch.__path__)[0], "data/bin/flatc")
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "document.json")
        text = json.dumps(document)
        with open(source, "w") as file:
            file.write(text)
        command = [tool, "--binary", "-o", folder, "-I", SCHEMAS, os.path.join(SCHEMAS, schema), source]
        if "-0.0" in text:
            # Equal to the default, zero, it would be left out and lose its sign.
            command.insert(1, "--force-defaults")
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"flatc: {done.stdout}{done.stderr}")
        with open(os.path.join(folder, "document." + extension), "rb") as file:
            return file.read()


def program(methods):
    """The `.pte` of `methods`, without segments."""
    return flatc(
        "program.fbs",
        {
            "version": 0,
            "execution_plan": [method.plan() for method in methods],
            "constant_buffer": [],
            "backend_delegate_data": [],
            "segments": [{"offset": 0, "size": 0}],
            "constant_segment": {"segment_index": 0, "offsets": [0]},
        },
        "pte",
    )


def bundled(pte, suites):
    """A `.bpte`: the program and, per method, its test cases as (inputs, outputs)."""

    def value(v):
        if isinstance(v, torch.Tensor):
            return {
                "val_type": "Tensor",
                "val": {
                    "scalar_type": SCALAR_TYPES[v.dtype][1],
                    "sizes": list(v.shape),
                    "data": list(raw_bytes(v)),
                    "dim_order": list(dim_order(v)),
                },
            }
        if isinstance(v, bool):
            return {"val_type": "Bool", "val": {"bool_val": v}}
        if isinstance(v, int):
            return {"val_type": "Int", "val": {"int_val": v}}
        return {"val_type": "Double", "val": {"double_val": _double(v)}}

    return flatc(
        "bundled_program.fbs",
        {
            "version": 0,
            "method_test_suites": [
                {
                    "method_name": name,
                    "test_cases": [
                        {"inputs": [value(v) for v in ins], "expected_outputs": [value(v) for v in outs]}
                        for ins, outs in cases
                    ],
                }
                for name, cases in suites
            ],
            "program": list(pte),
        },
        "bpte",
    )
