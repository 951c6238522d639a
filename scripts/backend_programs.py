#!/usr/bin/env python3
"""Makes small programs for the backends whose exporters run on this machine.

    scripts/backend_programs.py OUT [BACKEND ...]

Each is `sigmoid(linear(x)) + cumsum(x)`, lowered by the partitioner of the
backend, in OUT/BACKEND.pte. Needs the Python packages executorch and torch, and
for some backends coremltools, tosa-tools, ai_ml_sdk_model_converter or openvino.
"""

import sys
from pathlib import Path

import torch
from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)

    def forward(self, x):
        return torch.sigmoid(self.linear(x)) + torch.cumsum(x, 1)


def vulkan():
    from executorch.backends.vulkan.partitioner.vulkan_partitioner import VulkanPartitioner
    return VulkanPartitioner()


def coreml():
    from executorch.backends.apple.coreml.partition import CoreMLPartitioner
    return CoreMLPartitioner()


def tosa():
    from executorch.backends.arm.tosa.compile_spec import TosaCompileSpec
    from executorch.backends.arm.tosa.partitioner import TOSAPartitioner
    return TOSAPartitioner(TosaCompileSpec("TOSA-1.0+FP"))


def vgf():
    from executorch.backends.arm.vgf import VgfCompileSpec, VgfPartitioner
    return VgfPartitioner(VgfCompileSpec("TOSA-1.0+FP"))


def openvino():
    from executorch.backends.openvino.partitioner import OpenvinoPartitioner
    from executorch.exir.backend.backend_details import CompileSpec
    return OpenvinoPartitioner([CompileSpec("device", b"CPU")])


def native():
    from executorch.backends.native.partitioner import NativePartitioner
    return NativePartitioner()


def mlx():
    from executorch.backends.mlx.partitioner import MLXPartitioner
    return MLXPartitioner()


def xnnpack():
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    return XnnpackPartitioner()


BACKENDS = {f.__name__: f for f in (vulkan, coreml, tosa, vgf, openvino, native, mlx, xnnpack)}


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in sys.argv[2:] or BACKENDS:
        try:
            torch.manual_seed(3)
            exported = torch.export.export(Model().eval(), (torch.randn(2, 6),), strict=True)
            edge = to_edge_transform_and_lower(
                exported, partitioner=[BACKENDS[name]()], compile_config=EdgeCompileConfig(_check_ir_validity=False)
            )
            program = edge.to_executorch().buffer
            (out / f"{name}.pte").write_bytes(program)
            print(name, len(program), flush=True)
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
