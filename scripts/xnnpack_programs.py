#!/usr/bin/env python3
"""Records what ExecuTorch computes for whole programs with XNNPACK delegates.

    scripts/xnnpack_programs.py OUT [NAME ...]

Unlike `xnnpack_references.py`, whose cases are one delegate call each, these are
models of several layers, with operators between the delegates, that are called
twice with other inputs. Each becomes OUT/NAME/ with model.pte, for call N
io/forward/caseN with in_K.npy and out_K.npy, and events.json: the delegate rows
of the trace of both calls. Needs the Python packages executorch, torch and torchao.
"""

import json
import sys
from pathlib import Path

import numpy
import torch
from executorch.backends.xnnpack.partition.config.xnnpack_config import ConfigPrecisionType
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.devtools.etdump.serialize import deserialize_from_etdump_flatcc
from executorch.exir import EdgeCompileConfig, ExecutorchBackendConfig, to_edge_transform_and_lower
from executorch.extension.pybindings.portable_lib import _load_for_executorch_from_buffer
from torch import nn
from torch.nn import functional as F
from xnnpack_references import Fn, Layers, quantize

CASES = {}


def case(name, module, *inputs, quant=None, half=False, dynamic=None, second=None, **options):
    """`second`: inputs of the second call, or twice the first ones less a little."""
    CASES[name] = (module, inputs, quant, half, dynamic, second, options)


class Block(nn.Module):
    """An inverted residual of MobileNet."""

    def __init__(self, inputs, outputs, stride, expand=4, act=F.relu6):
        super().__init__()
        hidden = inputs * expand
        self.up, self.dw, self.down = (
            nn.Conv2d(inputs, hidden, 1),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden),
            nn.Conv2d(hidden, outputs, 1),
        )
        self.act, self.keep = act, stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.down(self.act(self.dw(self.act(self.up(x)))))
        return x + y if self.keep else y


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.out, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norm(x)).split(c, 2))
        scores = torch.softmax(q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5, -1)
        x = x + self.out((scores @ v).transpose(1, 2).reshape(b, t, c))
        return x + self.down(F.gelu(self.up(x)))


class Cell(nn.Module):
    """Steps of an LSTM, its gates as a linear layer."""

    def __init__(self, inputs, width, steps):
        super().__init__()
        self.gates, self.width, self.steps = nn.Linear(inputs + width, 4 * width), width, steps

    def forward(self, x, h, c):
        for t in range(self.steps):
            i, f, g, o = self.gates(torch.cat([x[:, t], h], 1)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h, c


class Unet(nn.Module):
    def __init__(self, act=F.relu):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up, self.c = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 2, 1)
        self.act = act

    def forward(self, x):
        a = self.act(self.a(x))
        b = self.act(self.b(F.max_pool2d(a, 2)))
        return self.c(torch.cat([a, self.up(b)], 1))


def programs():
    torch.manual_seed(40)
    rand = torch.randn
    image = rand(1, 3, 20, 24)
    dim = torch.export.Dim

    def net(act=F.relu6):
        layers = [nn.Conv2d(3, 8, 3, 2, 1), Block(8, 8, 1, act=act), Block(8, 12, 2, act=act), nn.Linear(12, 5)]
        return Layers(lambda s, a, b, l, v: l(b(a(act(s(v)))).mean((2, 3))), *layers)

    case("net_f32", net(), image)
    case("net_f16", net(), image, half=True)
    case("net_qs8", net(), image, quant="per_tensor")
    case("net_qc8", net(), image, quant="per_channel")
    case("net_hardswish_qc8", net(F.hardswish), image, quant="per_channel")
    case("net_channels_last", net(), image.contiguous(memory_format=torch.channels_last))
    case("unet_f32", Unet(), image)
    case("unet_f16", Unet(), image, half=True)
    case("unet_qc8", Unet(), image, quant="per_channel")
    case("unet_leaky_qs8", Unet(lambda v: F.leaky_relu(v, 0.1)), image, quant="per_tensor")
    case("attention_f32", Attention(32, 4), rand(2, 7, 32))
    case("attention_f16", Attention(32, 4), rand(2, 7, 32), half=True)
    case("attention_qd8", Attention(32, 4), rand(2, 7, 32), quant="dynamic")
    case("attention_qb4", Attention(64, 4), rand(2, 7, 64), quant="int4")
    case("attention_qc4", Attention(32, 4), rand(2, 7, 32), quant="int4_channel")
    tokens = {"x": {1: dim("tokens", min=2, max=16)}}
    case("attention_dynamic", Attention(32, 4), rand(1, 9, 32), dynamic=tokens, second=(rand(1, 4, 32),))
    case("lstm_f32", Cell(10, 12, 3), rand(2, 3, 10), rand(2, 12), rand(2, 12))
    case("lstm_qd8", Cell(10, 12, 3), rand(2, 3, 10), rand(2, 12), rand(2, 12), quant="dynamic")
    case("lstm_qc8", Cell(10, 12, 2), rand(2, 2, 10), rand(2, 12), rand(2, 12), quant="per_channel")
    between = lambda a, b, v: b(torch.cumsum(torch.relu(a(v)), 1))
    layers = lambda: (nn.Linear(16, 24), nn.Linear(24, 6))
    case("two_delegates_f32", Layers(between, *layers()), rand(3, 16))
    case("two_delegates_qd8", Layers(between, *layers()), rand(3, 16), quant="dynamic")
    case("two_delegates_qc8", Layers(between, *layers()), rand(3, 16), quant="per_channel")
    many = lambda a, b, c, v: c(torch.flip(b(torch.cumsum(a(v), 1) % 3), [1]))
    case("three_delegates_f32", Layers(many, nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)), rand(5, 8))
    chain = lambda v, w: torch.sqrt(torch.abs(torch.exp(-v * v) * 2 - w / 3) + 1e-3).clamp(0.1, 1.5) - torch.maximum(v, w).floor()
    case("chain_f32", Fn(chain), rand(4, 6, 10), rand(4, 6, 10))
    case("chain_f16", Fn(chain), rand(4, 6, 10), rand(4, 6, 10), half=True)
    batch = ({0: dim("rows", min=1, max=9)}, {0: dim("rows", min=1, max=9)})
    case("chain_dynamic", Fn(chain), rand(4, 6), rand(4, 6), dynamic={"args": batch}, second=(rand(7, 6), rand(7, 6)))
    dilated = lambda a, b, c, v: c(F.elu(b(F.pad(F.relu(a(v)), (2, 1, 0, 3)))))
    convs = lambda: (nn.Conv2d(3, 10, 3, dilation=2), nn.Conv2d(10, 10, 5, 2, 2, groups=5), nn.Conv2d(10, 7, (1, 3), (1, 2)))
    case("dilated_f32", Layers(dilated, *convs()), image)
    case("dilated_qc8", Layers(dilated, *convs()), image, quant="per_channel")
    deconvs = lambda a, b, v: b(torch.relu(a(v)))
    transposed = lambda: (nn.ConvTranspose2d(3, 8, 3, 2, 1, 1), nn.ConvTranspose2d(8, 4, (2, 3), (2, 1), groups=2))
    case("transposed_f32", Layers(deconvs, *transposed()), image)
    case("transposed_qc8", Layers(deconvs, *transposed()), image, quant="per_channel")
    pools = lambda c, v: torch.cat([F.avg_pool2d(c(v), 2), F.max_pool2d(c(v), 3, 2, 1)], 1)[:, 1:9, :, 2:]
    case("pools_f32", Layers(pools, nn.Conv2d(3, 5, 1)), image)
    case("pools_qc8", Layers(pools, nn.Conv2d(3, 5, 1)), image, quant="per_channel")
    resized = lambda c, p, v: p(F.interpolate(c(v), scale_factor=2, mode="bilinear", align_corners=False))
    case("resize_prelu_f32", Layers(resized, nn.Conv2d(3, 6, 3), nn.PReLU(6)), image)
    case("resize_prelu_f16", Layers(resized, nn.Conv2d(3, 6, 3), nn.PReLU(6)), image, half=True)
    double = lambda v: F.interpolate(v, scale_factor=2, mode="bilinear", align_corners=False)
    branches = lambda a, v: (torch.cat([double(a(v)), torch.sigmoid(double(v))], 1) * 2.0, F.max_pool2d(double(v), 2))
    case("resize_branches_f16", Layers(branches, nn.Conv2d(3, 6, 3, padding=1)), rand(1, 3, 10, 12), half=True)
    shared = lambda l, v: (lambda w: (w, l(w), torch.sigmoid(w)))(double(v))
    case("resize_shared_f16", Layers(shared, nn.Linear(24, 5)), rand(1, 3, 10, 12), half=True)
    view = lambda v, *shape: torch.ops.aten.view_copy.default(v, list(shape))
    chain = lambda v: view(view(view(v * 2.0, 2, 4, 31, 1), 8, 31), 31, 8) * 3.0
    used_twice = lambda v: (lambda w: (view(w, 8, 31) * 3.0, w + 1.0))(view(v * 2.0, 2, 4, 31, 1))
    case("reshapes_f32", Fn(lambda v: (chain(v), *used_twice(v))), rand(2, 4, 31))
    case("layer_norm_f32", Layers(lambda n, l, v: l(n(v)), nn.LayerNorm(24), nn.Linear(24, 9)), rand(2, 4, 24))
    norm = lambda v: (v - v.mean(-1, keepdim=True)) * torch.rsqrt(v.var(-1, keepdim=True, unbiased=False) + 1e-5)
    case("norm_pieces", Fn(norm), rand(2, 4, 24))
    own = {"force_non_static_weights_for_f32_linear": True}
    case("mixed_weights", Layers(lambda l, v, w: l(v) @ w + torch.sigmoid(v @ w), nn.Linear(12, 12)), rand(5, 12), rand(12, 12), **own)
    case("conv_own_weights", Fn(lambda v, w: torch.relu(F.conv2d(v, w, stride=2))), image, rand(6, 3, 3, 3))
    case("conv_own_bias", Fn(lambda v, w, b: F.conv2d(v, w, b)), image, rand(6, 3, 3, 3), rand(6))
    case("conv1d_qc8", Layers(lambda a, b, v: b(F.relu(a(v))), nn.Conv1d(4, 12, 5, 2, 2), nn.Conv1d(12, 6, 3, groups=3)), rand(2, 4, 31), quant="per_channel")
    case("wide_qd8", Layers(lambda a, b, v: b(F.silu(a(v))), nn.Linear(130, 257), nn.Linear(257, 67)), rand(13, 130), quant="dynamic")
    case("wide_qb4", Layers(lambda a, b, v: b(F.silu(a(v))), nn.Linear(160, 256), nn.Linear(256, 67)), rand(13, 160), quant="int4")
    case("softmax_head_qc8", Layers(lambda a, v: torch.softmax(a(v).flatten(1), 1), nn.Conv2d(3, 2, 5, 3)), image, quant="per_channel")


def record(out, name):
    module, inputs, quant, half, dynamic, second, options = CASES[name]
    module = module.eval()
    second = second or tuple(v * 2 - 0.1 for v in inputs)
    if half:
        module, inputs, second = module.half(), tuple(v.half() for v in inputs), tuple(v.half() for v in second)
    if quant:
        module = quantize(module, quant, inputs)
    partitioners = [XnnpackPartitioner(**options)]
    if quant and quant.startswith(("dynamic", "int4")):
        own = XnnpackPartitioner(config_precisions=ConfigPrecisionType.DYNAMIC_QUANT, per_op_mode=False)
        partitioners = [own, XnnpackPartitioner()]
    exported = torch.export.export(module, inputs, dynamic_shapes=dynamic, strict=True)
    check = EdgeCompileConfig(_check_ir_validity=False)
    edge = to_edge_transform_and_lower(exported, partitioner=partitioners, compile_config=check)
    program = edge.to_executorch(ExecutorchBackendConfig()).buffer
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pte").write_bytes(program)
    loaded = _load_for_executorch_from_buffer(program, enable_etdump=True, debug_buffer_size=0)
    for number, values in enumerate((inputs, second)):
        outputs = loaded.run_method("forward", values)
        case = folder / "io" / "forward" / f"case{number}"
        case.mkdir(parents=True, exist_ok=True)
        for kind, tensors in (("in", values), ("out", outputs)):
            for index, value in enumerate(tensors):
                numpy.save(case / f"{kind}_{index}.npy", value.numpy())
    trace, debug = folder / "trace.etdp", folder / "debug.bin"
    loaded.write_etdump_result_to_file(str(trace), str(debug))
    debug.unlink(missing_ok=True)
    etdump = deserialize_from_etdump_flatcc(trace.read_bytes())
    trace.unlink()
    events = [e.profile_event for run in etdump.run_data for e in run.events if e.profile_event]
    # Processors with AVX-512 VNNI have a name of their own for what others call QD8.
    rows = [
        [e.chain_index, e.instruction_id, e.delegate_debug_id_str.replace("QDU8", "QD8")]
        for e in events
        if e.delegate_debug_id_str
    ]
    (folder / "events.json").write_text(json.dumps(rows) + "\n")
    return len(rows)


def main():
    out, names = Path(sys.argv[1]), sys.argv[2:]
    programs()
    failed = 0
    for name in names or CASES:
        try:
            print(name, record(out, name), flush=True)
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
    print(f"{failed} of {len(names or CASES)} could not be made")


if __name__ == "__main__":
    main()
