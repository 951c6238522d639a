#!/usr/bin/env python3
"""Runs a Cortex-M program operator by operator with the Python references of the wheel.

    python scripts/cortex_m_outputs.py MODEL.pte IO

needs the wheel `executorch` and its `torch`. IO holds `case*/in_*.npy`; the program's
outputs are written beside them as `out_*.npy`. Unlike the outputs of the quantized module
before it was lowered, which these files would hold otherwise, they are those of the
program's integer arithmetic, to the last bit.
"""
import glob
import os
import sys

import numpy
import torch
from executorch.exir._serialize._program import deserialize_pte_binary
from executorch.exir.schema import KernelCall, Tensor
from references.cases import cortex_m  # noqa: F401 registers the references

TYPES = {0: torch.uint8, 1: torch.int8, 3: torch.int32, 4: torch.int64, 6: torch.float32}


class Run:
    """The values of a method with its constants."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.program = deserialize_pte_binary(file.read()).program
        self.plan = self.program.execution_plan[0]
        self.values = [self._initial(value.val) for value in self.plan.values]
        self.memory = {}

    def _initial(self, value):
        if not isinstance(value, Tensor):
            return value
        if value.data_buffer_idx == 0 or value.allocation_info is not None:
            return None
        data = self.program.constant_buffer[value.data_buffer_idx].storage
        flat = torch.frombuffer(bytearray(data), dtype=TYPES[int(value.scalar_type)])
        return _laid_out(flat[: numpy.prod(value.sizes, dtype=int)], value)

    def argument(self, index):
        value = self.values[index]
        kind = type(value).__name__
        if kind == "Null":
            return None
        if kind == "IntList":
            return [self.values[item].int_val for item in value.items]
        for field in ("int_val", "double_val", "bool_val"):
            if hasattr(value, field):
                return getattr(value, field)
        return self._viewed(self.plan.values[index].val) if value is None else value

    def _viewed(self, described):
        """A tensor that no operator wrote: a view of one in the same place, or scratch memory."""
        flat = self.memory.get(_place(described))
        if flat is None or flat.numel() != numpy.prod(described.sizes, dtype=int):
            return torch.zeros(described.sizes, dtype=TYPES[int(described.scalar_type)])
        return _laid_out(flat, described)

    def outputs(self, inputs):
        for index, value in zip(self.plan.inputs, inputs):
            described = self.plan.values[index].val
            flat = value.permute(list(described.dim_order)).contiguous().reshape(-1)
            self.values[index] = _laid_out(flat, described)
        for instruction in self.plan.chains[0].instructions:
            call = instruction.instr_args
            if not isinstance(call, KernelCall):
                raise SystemExit(f"no reference of {type(call).__name__}")
            self.call(self.plan.operators[call.op_index], call.args)
        return [self.values[index] for index in self.plan.outputs]

    def call(self, operator, args):
        """The last two arguments are the output, as argument and as result."""
        namespace, name = operator.name.split("::")
        overload = operator.overload.removesuffix("out").removesuffix("_") or "default"
        function = getattr(getattr(getattr(torch.ops, namespace), name), overload)
        types = [argument.type for argument in function._schema.arguments]
        given = [self.argument(index) for index in args[:-2]]
        given = [TYPES[a] if "ScalarType" in str(t) or n.name == "dtype" else a
                 for a, t, n in zip(given, types, function._schema.arguments)]  # fmt: skip
        result = function(*given)
        described = self.plan.values[args[-2]].val
        self.values[args[-2]] = result
        self.memory[_place(described)] = result.permute(list(described.dim_order)).reshape(-1)


def _place(described):
    info = described.allocation_info
    return info.memory_id, info.memory_offset_low, info.memory_offset_high


def _laid_out(flat, described):
    """A tensor of elements in memory order."""
    order = list(described.dim_order)
    sizes = [described.sizes[dim] for dim in order]
    return flat.reshape(sizes).permute([order.index(dim) for dim in range(len(order))])


def main():
    model, folder = sys.argv[1:]
    for case in sorted(glob.glob(os.path.join(folder, "case*"))):
        paths = sorted(glob.glob(os.path.join(case, "in_*.npy")))
        outputs = Run(model).outputs([torch.from_numpy(numpy.load(path)) for path in paths])
        for index, output in enumerate(outputs):
            numpy.save(os.path.join(case, f"out_{index}.npy"), output.contiguous().numpy())
        print(case, [list(output.shape) for output in outputs])


if __name__ == "__main__":
    main()
