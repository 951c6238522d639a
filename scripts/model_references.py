#!/usr/bin/env python3
"""Makes whole models with random weights and what the real ExecuTorch runtime answers to them.

    python scripts/model_references.py OUT [--model NAME]...

needs the wheel `executorch` with its PyTorch, and g++. Writes OUT/NAME/model.pte,
`io/METHOD/caseK/in_i.npy` and `out_i.npy`, and `meta.json`; weights outside of the program to
`weights.ptd`. bfloat16 is stored as its bits. Cases of a stateful model are one run after the
other on one loaded method. What cannot be exported, or is refused by the runtime, is said and
left out.
"""
import argparse
import copy
import glob
import json
import os
import shutil
import traceback

import executorch.kernels.quantized  # registers quantized operators  # noqa: F401
import numpy
import torch
from executorch.exir import EdgeCompileConfig, ExecutorchBackendConfig, to_edge, to_edge_transform_and_lower
from references import runner
from references.models import attention, control, misc, sequence, vision

FAMILIES = (vision, sequence, misc, attention, control)
MODELS = {name: make for family in FAMILIES for name, make in family.MODELS.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--model", action="append", choices=sorted(MODELS))
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    tool = runner.build(os.path.join(options.out, "runner"))
    for name in options.model or MODELS:
        folder = os.path.join(options.out, name)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            print(name, make(MODELS[name](), folder, tool), flush=True)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            print(name, "FAILED", traceback.format_exc().strip().splitlines()[-1][:500], flush=True)


def make(model, folder, tool):
    """Exports, runs and writes one model; a line for the log."""
    methods = {"forward": (model.module, model.cases), **(model.methods or {})}
    exported = {name: export(model, *method) for name, method in methods.items()}
    if model.lower == "xnnpack":
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

        edge = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    else:
        # Operators outside the core set are as good, if the runtime has them.
        edge = to_edge(exported, compile_config=EdgeCompileConfig(_check_ir_validity=False))
    os.makedirs(folder)
    outside = model.config.get("external_constants")
    if outside:
        # The runner reads no data files, so it gets the same program with its weights inside.
        program = copy.deepcopy(edge).to_executorch(ExecutorchBackendConfig(**model.config))
        written = program.write_tensor_data_to_file(folder)
        assert written is None and len(glob.glob(os.path.join(folder, "*.ptd"))) == 1
        os.rename(glob.glob(os.path.join(folder, "*.ptd"))[0], os.path.join(folder, "weights.ptd"))
        write(folder, program.buffer)
    program = edge.to_executorch(ExecutorchBackendConfig(**({} if outside else model.config)))
    pte = program.buffer
    if not outside:
        write(folder, pte)
    worst = 0.0
    for name, (_, cases) in methods.items():
        inputs = [torch.utils._pytree.tree_leaves(case) for case in cases]
        groups = [inputs] if model.stateful else [[leaves] for leaves in inputs]
        answers = runner.run(tool, pte, [(name, 0, group) for group in groups])
        for answer in answers:
            if answer.stage != "done":
                errors = [line for line in answer.log.splitlines() if line[:1] in "EF"]
                reason = " | ".join(errors[:3])[:400]
                raise RuntimeError(f"{name}: {answer.stage} {answer.code:#x}: {reason}")
        outputs = [step for answer in answers for step in answer.steps]
        for index, (ins, outs) in enumerate(zip(inputs, outputs)):
            place = os.path.join(folder, "io", name, f"case{index}")
            os.makedirs(place)
            save(place, "in", ins)
            save(place, "out", outs)
            if not model.stateful:
                worst = max(worst, gap(exported[name].module()(*cases[index]), outs))
    meta = {"lower": model.lower, "quantize": model.quantize, "stateful": model.stateful,
            "methods": {name: len(cases) for name, (_, cases) in methods.items()}, "largest_gap_to_pytorch": worst}  # fmt: skip
    with open(os.path.join(folder, "meta.json"), "w") as file:
        json.dump(meta, file, indent=1)
    return f"{len(pte)} bytes, gap {worst:.2g}"


def write(folder, pte):
    with open(os.path.join(folder, "model.pte"), "wb") as file:
        file.write(pte)


def export(model, module, cases):
    """The exported program of one method, quantized on demand."""
    shapes = model.dynamic_shapes if module is model.module else None
    if model.quantize:
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        config = get_symmetric_quantization_config(
            is_per_channel=model.quantize != "static", is_dynamic=model.quantize == "dynamic"
        )
        captured = torch.export.export(module, cases[0], strict=False).module()
        prepared = prepare_pt2e(captured, XNNPACKQuantizer().set_global(config))
        for case in cases:
            prepared(*case)
        module = convert_pt2e(prepared)
    return torch.export.export(module, cases[0], dynamic_shapes=shapes, strict=False)


def save(place, kind, values):
    for index, value in enumerate(values):
        if isinstance(value, torch.Tensor):
            value = value.detach().contiguous()
            value = value.view(torch.int16).numpy().view(numpy.uint16) if value.dtype == torch.bfloat16 else value.numpy()
        numpy.save(os.path.join(place, f"{kind}_{index}.npy"), value)


def gap(expected, found):
    """The largest absolute difference to PyTorch."""
    leaves = [v for v in torch.utils._pytree.tree_leaves(expected) if isinstance(v, torch.Tensor)]
    worst = 0.0
    for a, b in zip(leaves, (v for v in found if isinstance(v, torch.Tensor))):
        if a.numel():
            a, b = a.double(), b.double()
            difference = (a - b).abs()
            difference[(a == b) | (a.isnan() & b.isnan())] = 0
            worst = max(worst, float(difference.max()))
    return worst


if __name__ == "__main__":
    main()
