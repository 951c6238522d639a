#!/usr/bin/env python3
"""Records what ExecuTorch's XNNPACK delegate computes, for tests.

    scripts/xnnpack_references.py OUT [NAME ...]

Each case becomes OUT/NAME/ with model.pte, in_K.npy, out_K.npy as the real
runtime gives them, and delegate_events.json: the rows of the delegate calls in
its trace, in order. Needs the Python packages executorch, torch and torchao.
"""

import json
import sys
import traceback
from pathlib import Path

import numpy
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.devtools.etdump.serialize import deserialize_from_etdump_flatcc
from executorch.exir import EdgeCompileConfig, ExecutorchBackendConfig, to_edge_transform_and_lower
from executorch.extension.pybindings.portable_lib import _load_for_executorch_from_buffer
from torch import nn
from torch.nn import functional as F

CASES = {}


def case(name, module, *inputs, quant=None, half=False, dynamic=None, **options):
    """`options` are those of the partitioner."""
    CASES[name] = (module, inputs, quant, half, dynamic, options)


class Fn(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


class Layers(nn.Module):
    """Several layers, called by a function of all of them and the inputs."""

    def __init__(self, function, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.function = function

    def forward(self, *args):
        return self.function(*self.layers, *args)


def seeded(seed=0):
    torch.manual_seed(seed)
    return torch.randn


def unary():
    rand = seeded(1)
    x = rand(2, 3, 5, 4) * 3
    positive = x.abs() + 0.1
    for name, function, at in [
        ("abs", torch.abs, x), ("ceil", torch.ceil, x), ("cos", torch.cos, x),
        ("clamp", lambda v: torch.clamp(v, -0.5, 1.25), x), ("clone", torch.clone, x),
        ("clamp_min", lambda v: torch.clamp(v, min=-0.5), x),
        ("elu", lambda v: F.elu(v, 0.7), x), ("exp", torch.exp, x), ("floor", torch.floor, x),
        ("gelu", F.gelu, x), ("gelu_tanh", lambda v: F.gelu(v, approximate="tanh"), x),
        ("hardswish", F.hardswish, x), ("hardsigmoid", F.hardsigmoid, x),
        ("hardtanh", lambda v: F.hardtanh(v, -1.0, 2.0), x),
        ("leaky_relu", lambda v: F.leaky_relu(v, 0.2), x), ("log", torch.log, positive),
        ("neg", torch.neg, x), ("relu", torch.relu, x), ("relu6", F.relu6, x),
        ("rsqrt", torch.rsqrt, positive), ("sigmoid", torch.sigmoid, x), ("sin", torch.sin, x),
        ("softmax", lambda v: torch.softmax(v, -1), x), ("sqrt", torch.sqrt, positive),
        ("square", lambda v: torch.pow(v, 2), x), ("tanh", torch.tanh, x),
        ("silu", F.silu, x),
    ]:
        case(f"f32_{name}", Fn(function), at)
    case("f32_prelu", Layers(lambda p, v: p(v), nn.PReLU(3, 0.3)), x)


def binary():
    rand = seeded(2)
    x, y = rand(2, 3, 5, 4), rand(2, 3, 5, 4)
    row, one, column = rand(4), rand(1), rand(3, 1, 1)
    for name, function in [
        ("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("div", torch.div),
        ("maximum", torch.maximum), ("minimum", torch.minimum),
    ]:
        case(f"f32_{name}", Fn(function), x, y)
        case(f"f32_{name}_row", Fn(function), x, row)
    case("f32_add_one", Fn(torch.add), x, one)
    case("f32_mul_column", Fn(torch.mul), x, column)
    case("f32_add_relu", Fn(lambda a, b: torch.relu(a + b)), x, y)
    case("f32_sub_clamp", Fn(lambda a, b: torch.clamp(a - b, -0.5, 0.5)), x, y)
    case("f32_mul_constant", Fn(lambda a: a * 3.0 + 1.5), x)


def shapes():
    rand = seeded(3)
    x, y, z = rand(2, 3, 6, 4), rand(2, 5, 6, 4), rand(2, 1, 6, 4)
    case("f32_permute", Fn(lambda v: v.permute(0, 2, 3, 1)), x)
    case("f32_transpose", Fn(lambda v: v.transpose(-1, -2).contiguous()), x)
    case("f32_view", Fn(lambda v: (v * 2).view(2, 18, 4)), x)
    case("f32_squeeze", Fn(lambda v: (v + 1).unsqueeze(1).squeeze(1) * 2), x)
    case("f32_cat2", Fn(lambda a, b: torch.cat([a, b], 1)), x, y)
    case("f32_cat3", Fn(lambda a, b, c: torch.cat([a, b, c], 1)), x, y, z)
    case("f32_cat5", Fn(lambda a, b, c: torch.cat([a, b, c, a, b], 1)), x, y, z)
    case("f32_cat7", Fn(lambda a, b, c: torch.cat([a, b, c, a, b, c, a], 1)), x, y, z)
    case("f32_cat_last", Fn(lambda a, b: torch.cat([a, b * 2], -1)), x, x)
    case("f32_slice", Fn(lambda v: v[:, 1:3, 2:5, :] * 2), x)
    case("f32_slice_last", Fn(lambda v: (v + 1)[..., 1:]), x)
    case("f32_pad", Fn(lambda v: F.pad(v, (1, 2, 0, 3), value=-1.5)), x)
    case("f32_upsample", Fn(lambda v: F.interpolate(v, scale_factor=2, mode="bilinear", align_corners=False)), x)
    case("f32_upsample_aligned", Fn(lambda v: F.interpolate(v, size=(9, 7), mode="bilinear", align_corners=True)), x)
    case("f32_mean", Fn(lambda v: torch.mean(v, (2, 3), keepdim=True)), x)
    case("f32_mean_flat", Fn(lambda v: torch.mean(v, (-1, -2))), x)
    case("f32_max_dim", Fn(lambda v: torch.max(v, 3)[0]), x)
    case("f32_max_pool", Layers(lambda p, v: p(v), nn.MaxPool2d(2)), x)
    case("f32_max_pool_pad", Layers(lambda p, v: p(v), nn.MaxPool2d(3, 2, 1)), x)
    case("f32_max_pool_ceil", Layers(lambda p, v: p(v), nn.MaxPool2d(3, 2, 1, ceil_mode=True)), x)
    case("f32_max_pool_dilated", Layers(lambda p, v: p(v), nn.MaxPool2d(2, 1, 0, 2)), x)
    case("f32_avg_pool", Layers(lambda p, v: p(v), nn.AvgPool2d(2)), x)
    case("f32_avg_pool_pad", Layers(lambda p, v: p(v), nn.AvgPool2d(3, 2, 1, count_include_pad=False)), x)
    case("f32_adaptive_pool", Layers(lambda p, v: p(v), nn.AdaptiveAvgPool2d(1)), x)


def linear():
    rand = seeded(4)
    x = rand(3, 20)
    case("f32_linear", Layers(lambda l, v: l(v), nn.Linear(20, 7)), x)
    case("f32_linear_no_bias", Layers(lambda l, v: l(v), nn.Linear(20, 7, bias=False)), x)
    case("f32_linear_3d", Layers(lambda l, v: l(v), nn.Linear(20, 33)), rand(2, 5, 20))
    case("f32_linear_relu", Layers(lambda l, v: torch.relu(l(v)), nn.Linear(20, 7)), x)
    case("f32_mlp", Layers(lambda a, b, v: b(torch.relu(a(v))), nn.Linear(20, 64), nn.Linear(64, 10)), x)
    case("f32_addmm", Fn(lambda b, v, w: torch.addmm(b, v, w)), rand(7), x, rand(20, 7))
    case("f32_mm", Fn(torch.mm), x, rand(20, 6))
    case("f32_bmm", Fn(torch.bmm), rand(2, 3, 8), rand(2, 8, 5))
    case("f32_matmul", Fn(torch.matmul), rand(2, 4, 3, 8), rand(2, 4, 8, 5))
    case("f32_sdpa", Fn(lambda q, k, v: F.scaled_dot_product_attention(q, k, v)), rand(1, 2, 4, 8), rand(1, 2, 4, 8), rand(1, 2, 4, 8))
    case("dyn_linear", Layers(lambda l, v: l(v), nn.Linear(20, 7)), x, quant="dynamic")
    case("dyn_linear_pt", Layers(lambda l, v: l(v), nn.Linear(20, 7)), x, quant="dynamic_pt")
    case("dyn_mlp", Layers(lambda a, b, v: b(torch.relu(a(v))), nn.Linear(20, 64), nn.Linear(64, 10)), x, quant="dynamic")
    case("dyn_linear_3d", Layers(lambda l, v: l(v), nn.Linear(20, 33)), rand(2, 5, 20), quant="dynamic")
    case("int4_linear", Layers(lambda l, v: l(v), nn.Linear(64, 16, bias=False)), rand(3, 64), quant="int4")
    case("int4_linear_bias", Layers(lambda l, v: l(v), nn.Linear(64, 16)), rand(3, 64), quant="int4")
    case("q8_linear", Layers(lambda l, v: l(v), nn.Linear(20, 7)), x, quant="per_tensor")
    case("qc8_linear", Layers(lambda l, v: l(v), nn.Linear(20, 7)), x, quant="per_channel")
    case("qc8_mlp", Layers(lambda a, b, v: b(torch.relu(a(v))), nn.Linear(20, 64), nn.Linear(64, 10)), x, quant="per_channel")
    case("f32_linear_dynamic_batch", Layers(lambda l, v: torch.relu(l(v)), nn.Linear(20, 7)), x, dynamic={"args": ({0: torch.export.Dim("batch", min=1, max=8)},)})
    case("f16_linear", Layers(lambda l, v: l(v), nn.Linear(20, 7)), x, half=True)
    case("f16_add", Fn(torch.add), rand(3, 20), rand(3, 20), half=True)


def convolution():
    rand = seeded(5)
    x = rand(1, 6, 9, 8)
    wide = rand(2, 8, 9, 8)
    convs = {
        "conv": nn.Conv2d(6, 10, 3), "conv_pad": nn.Conv2d(6, 10, 3, padding=1, bias=False),
        "conv_stride": nn.Conv2d(6, 5, 3, stride=2, padding=1), "conv_1x1": nn.Conv2d(6, 12, 1),
        "conv_group": nn.Conv2d(6, 9, 3, groups=3), "conv_dilated": nn.Conv2d(6, 4, 3, dilation=2, padding=2),
        "conv_depthwise": nn.Conv2d(6, 6, 3, padding=1, groups=6),
        "conv_multiplier": nn.Conv2d(6, 12, 3, padding=1, groups=6),
        "conv_depthwise5": nn.Conv2d(6, 6, 5, stride=2, padding=2, groups=6),
        "conv_transposed": nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
    }
    for name, layer in convs.items():
        case(f"f32_{name}", Layers(lambda l, v: l(v), layer), x)
        case(f"qc8_{name}", Layers(lambda l, v: l(v), layer), x, quant="per_channel")
    case("q8_conv_pad", Layers(lambda l, v: l(v), convs["conv_pad"]), x, quant="per_tensor")
    case("f32_conv_relu6", Layers(lambda l, v: F.relu6(l(v)), nn.Conv2d(6, 10, 3)), x)
    case("f32_conv1d", Layers(lambda l, v: l(v), nn.Conv1d(6, 4, 3, padding=1)), rand(2, 6, 11))
    case("f16_conv", Layers(lambda l, v: l(v), nn.Conv2d(6, 10, 3)), x, half=True)
    case("f32_conv_bn_relu", Layers(lambda c, b, v: torch.relu(b(c(v))), nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12).eval()), wide)
    case("qc8_conv_bn_relu", Layers(lambda c, b, v: torch.relu(b(c(v))), nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12).eval()), wide, quant="per_channel")
    residual = lambda c, d, v: (lambda h: torch.relu(h + d(h)))(torch.relu(c(v)))
    case("f32_residual", Layers(residual, nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(12, 12, 1)), wide)
    case("qc8_residual", Layers(residual, nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(12, 12, 1)), wide, quant="per_channel")
    net = lambda c, d, l, v: l(torch.flatten(F.adaptive_avg_pool2d(F.relu6(d(F.hardswish(c(v)))), 1), 1))
    case("f32_net", Layers(net, nn.Conv2d(8, 16, 3, stride=2), nn.Conv2d(16, 16, 3, groups=16), nn.Linear(16, 5)), wide)
    case("qc8_net", Layers(net, nn.Conv2d(8, 16, 3, stride=2), nn.Conv2d(16, 16, 3, groups=16), nn.Linear(16, 5)), wide, quant="per_channel")


def quantized():
    rand = seeded(6)
    x, y = rand(1, 4, 6, 5), rand(1, 4, 6, 5)
    for name, function in [
        ("add", lambda a, b: a + b), ("mul", lambda a, b: a * b), ("sub", lambda a, b: a - b),
        ("add_relu", lambda a, b: torch.relu(a + b)),
        ("cat", lambda a, b: torch.cat([a, b], 1)),
    ]:
        case(f"q8_{name}", Fn(function), x, y, quant="per_tensor")
    for name, function in [
        ("hardtanh", lambda v: F.hardtanh(v, -1.0, 1.0)), ("mean", lambda v: torch.mean(v, (2, 3), keepdim=True)),
        ("max_pool", lambda v: F.max_pool2d(v, 2)), ("permute", lambda v: v.permute(0, 2, 3, 1)),
        ("slice", lambda v: v[:, 1:3]), ("pad", lambda v: F.pad(v, (1, 1, 1, 1))),
        ("avg_pool", lambda v: F.avg_pool2d(v, 2)), ("leaky", lambda v: F.leaky_relu(v, 0.1)),
        ("upsample", lambda v: F.interpolate(v, scale_factor=2, mode="bilinear")),
        ("sigmoid", torch.sigmoid), ("softmax", lambda v: torch.softmax(v, -1)),
        ("tanh", torch.tanh), ("hardswish", F.hardswish), ("elu", F.elu),
    ]:
        module = Layers(lambda c, v, function=function: function(c(v)), nn.Conv2d(4, 4, 1))
        case(f"qc8_then_{name}", module, x, quant="per_channel")


def fusions():
    rand = seeded(7)
    x, row = rand(1, 4, 6, 5), rand(3, 20)
    conv = nn.Conv2d(4, 6, 3)
    case("f32_pad_conv", Layers(lambda c, v: c(F.pad(v, (1, 1, 1, 1))), conv), x)
    case("f32_pad_conv_value", Layers(lambda c, v: c(F.pad(v, (1, 1, 1, 1), value=1.0)), conv), x)
    case("f32_clone_between", Fn(lambda v: (v + 1).clone() * 2), x)
    case("f32_conv_clamp_twice", Layers(lambda c, v: torch.clamp(torch.relu(c(v)), 0.1, 0.9), conv), x)
    case("f32_max_pool_relu", Fn(lambda v: torch.relu(F.max_pool2d(v, 2))), x)
    case("f32_avg_pool_relu", Fn(lambda v: torch.relu(F.avg_pool2d(v, 2))), x)
    case("f32_mul_relu", Fn(lambda v: torch.relu(v * 2)), x)
    case("f32_conv_twice_used", Layers(lambda c, v: (lambda h: torch.relu(h) + h)(c(v)), conv), x)
    case("f32_depthwise_1x1", Layers(lambda c, v: c(v), nn.Conv2d(4, 4, 1, groups=4)), x)
    case("f32_depthwise_7x7", Layers(lambda c, v: c(v), nn.Conv2d(4, 4, 7, padding=3, groups=4)), x)
    case("f32_group_1x1", Layers(lambda c, v: c(v), nn.Conv2d(4, 8, 1, groups=2)), x)
    case("f32_stride_1x1", Layers(lambda c, v: c(v), nn.Conv2d(4, 8, 1, stride=2)), x)
    case("f32_deconv_stride_1", Layers(lambda c, v: c(v), nn.ConvTranspose2d(4, 6, 3)), x)
    case("f32_deconv_group", Layers(lambda c, v: c(v), nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2)), x)
    case("f16_softmax", Fn(lambda v: torch.softmax(v, -1)), x, half=True)
    case("f16_mean", Fn(lambda v: torch.mean(v, (2, 3), keepdim=True)), x, half=True)
    case("f16_depthwise", Layers(lambda c, v: torch.relu(c(v)), nn.Conv2d(4, 4, 3, groups=4)), x, half=True)
    case("f16_bmm", Fn(torch.bmm), rand(2, 3, 8), rand(2, 8, 5), half=True)
    case("f16_max_pool", Fn(lambda v: F.max_pool2d(v, 2)), x, half=True)
    case("f32_elu_layer", Layers(lambda l, v: F.elu(l(v)), nn.Linear(20, 7)), row)
    case("dyn_shared", Layers(lambda a, b, v: a(v) + b(v), nn.Linear(20, 7), nn.Linear(20, 7)), row, quant="dynamic")
    case("int8_group_linear", Layers(lambda l, v: l(v), nn.Linear(64, 16)), rand(3, 64), quant="int4_channel")
    case("int4_wide", Layers(lambda l, v: l(v), nn.Linear(256, 48)), rand(5, 256), quant="int4")
    case("f32_wide_mlp", Layers(lambda a, b, v: b(F.gelu(a(v))), nn.Linear(100, 300), nn.Linear(300, 50)), rand(37, 100))
    case("qc8_wide_conv", Layers(lambda a, b, v: b(F.relu(a(v))), nn.Conv2d(4, 40, 3, padding=1), nn.Conv2d(40, 70, 3)), rand(1, 4, 17, 13), quant="per_channel")
    case("qc8_two_inputs", Layers(lambda a, b, v, w: torch.cat([a(v), b(w)], 1) , nn.Conv2d(4, 6, 3), nn.Conv2d(4, 5, 3)), x, x + 1, quant="per_channel")
    case("qc8_mul", Layers(lambda a, v: a(v) * torch.sigmoid(a(v)), nn.Conv2d(4, 6, 3)), x, quant="per_channel")


def weights_at_run_time():
    rand = seeded(8)
    x, w, b = rand(3, 20), rand(7, 20), rand(7)
    own = {"force_non_static_weights_for_f32_linear": True}
    case("f32_dynamic_linear", Fn(lambda v, w: torch.relu(F.linear(v, w))), x, w, **own)
    case("f32_dynamic_linear_bias", Fn(lambda v, w, b: F.linear(v, w, b)), x, w, b, **own)
    case("f32_dynamic_mm", Fn(torch.mm), x, rand(20, 6), **own)
    case("f16_dynamic_linear", Fn(lambda v, w: F.linear(v, w)), x, w, half=True, **own)
    case("f32_square_itself", Fn(lambda v: torch.relu(v * v)), x)
    case("f32_bmm_transposed", Fn(lambda a, b: torch.bmm(a, b.transpose(1, 2))), rand(2, 3, 8), rand(2, 5, 8))
    case("f32_bmm_left", Fn(lambda a, b: torch.bmm(a.transpose(1, 2), b)), rand(2, 8, 3), rand(2, 8, 5))
    chain = lambda l, v: (lambda h: h * h)(torch.sigmoid(l(v)))
    case("qc8_sigmoid_square", Layers(chain, nn.Linear(20, 7)), x, quant="per_channel")
    twice = lambda l, v: torch.tanh(torch.sigmoid(l(v)))
    case("qc8_sigmoid_tanh", Layers(twice, nn.Linear(20, 7)), x, quant="per_channel")


def quantize(module, quant, inputs):
    if quant.startswith("int4"):
        from torchao.quantization.granularity import PerAxis, PerGroup
        from torchao.quantization.quant_api import Int8DynamicActivationIntxWeightConfig, quantize_
        config = Int8DynamicActivationIntxWeightConfig(weight_dtype=torch.int4, weight_granularity=PerAxis(0) if quant == "int4_channel" else PerGroup(32))
        quantize_(module, config)
        return torch.export.export(module, inputs, strict=True).module()
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(
        is_per_channel=quant in ("per_channel", "dynamic"), is_dynamic=quant.startswith("dynamic")))
    prepared = prepare_pt2e(torch.export.export(module, inputs, strict=True).module(), quantizer)
    prepared(*inputs)
    return convert_pt2e(prepared)


def record(out, name):
    module, inputs, quant, half, dynamic, options = CASES[name]
    module = module.eval()
    if half:
        module, inputs = module.half(), tuple(v.half() for v in inputs)
    if quant:
        module = quantize(module, quant, inputs)
    partitioners = [XnnpackPartitioner(**options)]
    if quant and (quant.startswith("dynamic") or quant.startswith("int4")):
        from executorch.backends.xnnpack.partition.config.xnnpack_config import ConfigPrecisionType
        partitioners = [XnnpackPartitioner(config_precisions=ConfigPrecisionType.DYNAMIC_QUANT, per_op_mode=False), XnnpackPartitioner()]
    exported = torch.export.export(module, inputs, dynamic_shapes=dynamic, strict=True)
    edge = to_edge_transform_and_lower(exported, partitioner=partitioners, compile_config=EdgeCompileConfig(_check_ir_validity=False))
    program = edge.to_executorch(ExecutorchBackendConfig()).buffer
    loaded = _load_for_executorch_from_buffer(program, enable_etdump=True, debug_buffer_size=0)
    outputs = loaded.run_method("forward", inputs)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    for index, value in enumerate(inputs):
        numpy.save(folder / f"in_{index}.npy", value.numpy())
    for index, value in enumerate(outputs):
        numpy.save(folder / f"out_{index}.npy", value.numpy())
    (folder / "model.pte").write_bytes(program)
    loaded.write_etdump_result_to_file(str(folder / "trace.etdp"), str(folder / "debug.bin"))
    etdump = deserialize_from_etdump_flatcc((folder / "trace.etdp").read_bytes())
    (folder / "debug.bin").unlink(missing_ok=True)
    events = [e.profile_event for run in etdump.run_data for e in run.events if e.profile_event]
    rows = [[e.chain_index, e.instruction_id, e.delegate_debug_id_str] for e in events if e.delegate_debug_id_str]
    (folder / "delegate_events.json").write_text(json.dumps(rows) + "\n")
    (folder / "trace.etdp").unlink()
    return len(rows)


def main():
    out, names = Path(sys.argv[1]), sys.argv[2:]
    for group in (unary, binary, shapes, linear, convolution, quantized, fusions, weights_at_run_time):
        group()
    failed = 0
    for name in names or CASES:
        try:
            print(name, record(out, name), flush=True)
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            if names:
                traceback.print_exc()
    print(f"{failed} of {len(names or CASES)} could not be made")


if __name__ == "__main__":
    main()
