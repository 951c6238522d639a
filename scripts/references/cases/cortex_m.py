"""Int8 kernels of the Cortex-M backend.

The wheel has no runtime for them on the host. The answers are those of its own Python
reference of each operator, which follows CMSIS-NN's fixed-point arithmetic, but for softmax
and the average pool: in floating point, their elements may be off by one.
"""
import importlib
import math
import os
import sys
import types

import torch

from ..corpus import Operator
from ..schemas import PACKAGE
from .data import between, last, seed, x


def _register():
    """Imports the references without the passes, which import them in turn."""
    name = "executorch.backends.cortex_m.passes"
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(PACKAGE, "backends/cortex_m/passes")]
    sys.modules.setdefault(name, package)
    importlib.import_module("executorch.backends.cortex_m.ops.operators")


_register()
_conv2d = torch.nn.functional.conv2d


def _exact_conv2d(i, w, bias=None, *args, **options):
    """PyTorch has no dilated convolution of integers; in double precision it is exact."""
    if i.dtype.is_floating_point:
        return _conv2d(i, w, bias, *args, **options)
    bias = None if bias is None else bias.double()
    return _conv2d(i.double(), w.double(), bias, *args, **options).to(i.dtype)


torch.nn.functional.conv2d = _exact_conv2d

I8 = torch.int8


def scale(value):
    """Multiplier and shift of CMSIS-NN for a real factor."""
    fraction, shift = math.frexp(value)
    return min(round(fraction * (1 << 31)), (1 << 31) - 1), shift


def q(*sizes, low=-128, high=127):
    """Random int8 elements of the whole range."""
    return torch.tensor([between(low, high) for _ in range(math.prod(sizes))], dtype=I8).reshape(sizes)


def per_channel(count):
    pairs = [scale(0.0005 * (1 + between(0, 40))) for _ in range(count)]
    return (torch.tensor([p[n] for p in pairs], dtype=torch.int32) for n in (0, 1))


def scratch():
    return torch.zeros(64, dtype=torch.uint8)


def conversions():
    a = Operator("cortex_m::quantize_per_tensor.out")
    seed(a.name)
    for s, z in ((0.05, 3), (0.5, -128), (0.003, 127), (1.0, 0)):
        a(x(torch.float32, 3, 5), s, z, -128, 127, I8)
    a(torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 200.0, -200.0]), 1.0, 0, -128, 127, I8, hint="halves")
    a(last(x(torch.float32, 1, 3, 2, 2)), 0.02, 1, -128, 127, I8, hint="channels_last")
    b = Operator("cortex_m::dequantize_per_tensor.out")
    seed(b.name)
    for s, z in ((0.05, 3), (0.5, -128), (0.003, 127), (1.0, 0)):
        b(q(3, 5), s, z, -128, 127, I8)
    b(last(q(1, 3, 2, 2)), 0.02, 1, -128, 127, I8, hint="channels_last")
    return [a, b]


def arithmetic():
    add = Operator("cortex_m::quantized_add.out")
    seed(add.name)
    for factors in ((0.5, 0.4, 2**-19), (0.9, 0.1, 1.5 * 2**-19), (0.25, 0.5, 2**-18)):
        for sizes in ([7], [2, 3], [1, 4, 3, 3]):
            a, b, c = (scale(f) for f in factors)
            zero, other, out = between(-30, 30), between(-30, 30), between(-30, 30)
            add(q(*sizes), zero, *a, q(*sizes), other, *b, out, *c, -128, 127, hint="add")
            add(q(*sizes), zero, *a, q(*sizes), other, *b, out, *c, out, 127, hint="relu")
    mul = Operator("cortex_m::quantized_mul.out")
    seed(mul.name)
    for factor in (0.01, 0.002, 0.05):
        for sizes in ([7], [2, 3], [1, 4, 3, 3]):
            mul(q(*sizes), between(-30, 30), q(*sizes), between(-30, 30), between(-30, 30), *scale(factor))
    channel = (last(q(1, 4, 3, 3)), 5, last(q(1, 4, 1, 1)), -3, 2, *scale(0.01))
    mul(*channel, hint="channel_broadcast")
    div = Operator("cortex_m::quantized_div.out")
    seed(div.name)
    for factor in (1.0, 10.0, 0.3):
        for sizes in ([9], [2, 5]):
            div(q(*sizes), between(-9, 9), q(*sizes), between(-9, 9), between(-30, 30), factor)
    div(q(4), 0, torch.tensor([0, 1, -1, 0], dtype=I8), 0, 3, 2.0, hint="zero_divisor")
    lut = Operator("cortex_m::quantized_activation.out")
    seed(lut.name)
    for sizes in ([9], [2, 3, 4]):
        lut(q(*sizes), q(256))
    lut(torch.arange(-128, 128, dtype=I8), q(256), hint="all_values")
    made = [add, mul, div, lut]
    for name in ("minimum", "maximum"):
        op = Operator(f"cortex_m::{name}.out")
        seed(op.name)
        for a, b in (([7], [7]), ([2, 3], [2, 3]), ([2, 3], [1]), ([2, 3, 4], [3, 1])):
            op(q(*a), q(*b))
        made.append(op)
    return made


def products():
    linear = Operator("cortex_m::quantized_linear.out")
    seed(linear.name)
    for n, k, m in ((1, 4, 3), (3, 16, 5), (2, 33, 17)):
        for bias in (True, False):
            b = torch.tensor([between(-3000, 3000) for _ in range(m)], dtype=torch.int32) if bias else None
            multiplier, shift = scale(0.002)
            linear(q(n, k), q(m, k), b, None, between(-20, 20), 0, between(-20, 20), [multiplier], [shift], 127, -128, hint="bias" if bias else "")
        weights, offset = q(m, k), between(-20, 20)
        total = (weights.to(torch.int32).sum(1) * offset).to(torch.int32).reshape(1, -1)
        linear(q(n, k), weights, None, total, offset, 0, 4, [multiplier], [shift], 100, -100, hint="kernel_sum")
    bmm = Operator("cortex_m::quantized_batch_matmul.out")
    seed(bmm.name)
    for b, n, k, m in ((1, 2, 3, 4), (2, 5, 9, 3), (3, 1, 16, 1)):
        bmm(q(b, n, k), between(-9, 9), q(b, m, k), between(-9, 9), between(-9, 9), *scale(0.003), scratch())
    return [linear, bmm]


def convolutions():
    conv = Operator("cortex_m::quantized_conv2d.out")
    nhwc = Operator("cortex_m::quantized_conv2d_nhwc.out")
    seed(conv.name)
    settings = [(1, 0, 1), (2, 1, 1), (1, 1, 2)]
    for c_in, c_out, kernel in ((3, 4, (3, 3)), (4, 6, (1, 1)), (2, 5, (2, 3))):
        for stride, padding, dilation in settings:
            for bias in (True, False):
                i, w = last(q(1, c_in, 7, 6)), q(c_out, *kernel, c_in)
                b = torch.tensor([between(-2000, 2000) for _ in range(c_out)], dtype=torch.int32) if bias else None
                multipliers, shifts = per_channel(c_out)
                rest = ([stride] * 2, [padding] * 2, [dilation] * 2, between(-20, 20), between(-20, 20), multipliers, shifts, -128, 127, scratch())
                conv(i, w, b, *rest, hint="bias" if bias else "")
                nhwc(i.permute(0, 2, 3, 1).contiguous(), w, b, *rest, hint="bias" if bias else "")
    depth = Operator("cortex_m::quantized_depthwise_conv2d.out")
    depth_nhwc = Operator("cortex_m::quantized_depthwise_conv2d_nhwc.out")
    seed(depth.name)
    for channels, multiplier in ((4, 1), (3, 2)):
        for stride, padding, dilation in settings:
            i, w = last(q(1, channels, 7, 6)), q(1, 3, 3, channels * multiplier)
            b = torch.tensor([between(-2000, 2000) for _ in range(channels * multiplier)], dtype=torch.int32)
            multipliers, shifts = per_channel(channels * multiplier)
            rest = ([stride] * 2, [padding] * 2, [dilation] * 2, multiplier, between(-20, 20), between(-20, 20), multipliers, shifts, -128, 127, scratch())
            depth(i, w, b, *rest)
            depth_nhwc(i.permute(0, 2, 3, 1).contiguous(), w, b, *rest)
    transposed = Operator("cortex_m::quantized_transpose_conv2d.out")
    transposed_nhwc = Operator("cortex_m::quantized_transpose_conv2d_nhwc.out")
    seed(transposed.name)
    for stride, padding, extra in ((1, 0, 0), (2, 1, 1), (2, 0, 0)):
        i, w = last(q(1, 3, 4, 3)), q(4, 3, 3, 3)
        b = torch.tensor([between(-2000, 2000) for _ in range(4)], dtype=torch.int32)
        multipliers, shifts = per_channel(4)
        rest = ([stride] * 2, [padding] * 2, [extra] * 2, [1, 1], between(-20, 20), between(-20, 20), multipliers, shifts, -128, 127, scratch(), scratch())
        transposed(i, w, b, *rest)
        transposed_nhwc(i.permute(0, 2, 3, 1).contiguous(), w, b, *rest)
    return [conv, nhwc, depth, depth_nhwc, transposed, transposed_nhwc]


def pools():
    average, average_nhwc, largest, largest_nhwc = (
        Operator(f"cortex_m::quantized_{name}.out") for name in ("avg_pool2d", "avg_pool2d_nhwc", "max_pool2d", "max_pool2d_nhwc")
    )
    seed(average.name)
    average.within = average_nhwc.within = 1
    for kernel, stride, padding in (([2, 2], [2, 2], [0, 0]), ([3, 2], [1, 2], [1, 1]), ([5, 5], [1, 1], [0, 0])):
        i, zero = last(q(1, 3, 7, 6)), between(-9, 9)
        plain = i.permute(0, 2, 3, 1).contiguous()
        average(i, kernel, stride, padding, False, zero, *scale(0.03), scratch())
        average_nhwc(plain, kernel, stride, padding, False, zero, *scale(0.03), scratch())
        largest(i, kernel, stride, padding, [1, 1], False, zero, zero, -128, 127)
        largest(i, kernel, stride, padding, [1, 1], False, zero, zero, zero, 90, hint="limits")
        largest_nhwc(plain, kernel, stride, padding, [1, 1], False, zero, zero, -128, 127)
    return [average, average_nhwc, largest, largest_nhwc]


def moves():
    softmax = Operator("cortex_m::softmax.out")
    seed(softmax.name)
    softmax.within = 1
    for sizes in ([2, 5], [1, 10], [2, 3, 4]):
        for factor in (0.05, 0.2):
            softmax(q(*sizes), -1, 0, -128, *scale(factor * (1 << 26)), -248)
    transpose = Operator("cortex_m::transpose.out")
    seed(transpose.name)
    for sizes, order in (([2, 3], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([1, 2, 3, 4], [0, 2, 3, 1])):
        transpose(q(*sizes), order)
    pad = Operator("cortex_m::pad.out")
    seed(pad.name)
    for sizes, before, after in (([2, 3], [0, 0, 1, 2], [0, 0, 0, 1]), ([1, 2, 3, 2], [0, 1, 0, 2], [0, 0, 1, 1])):
        pad(q(*sizes), before, after, -7)
    pad(last(q(1, 3, 2, 2)), [0, 1, 1, 0], [0, 1, 2, 0], 5, hint="channels_last")
    return [softmax, transpose, pad]


OPERATORS = [conversions, arithmetic, products, convolutions, pools, moves]
