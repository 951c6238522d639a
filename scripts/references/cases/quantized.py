"""Quantize, dequantize and kernels over quantized weights."""
import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import indices, positive, seed, special, x

F32, F64, I64, I32 = torch.float32, torch.float64, torch.int64, torch.int32
QUANTIZED = [(torch.uint8, 0, 255), (torch.int8, -128, 127), (torch.int16, -32768, 32767), (I32, -(2**31), 2**31 - 1)]
QUANTIZED += [(torch.uint8, 0, 15), (torch.int8, -8, 7), (torch.uint16, 0, 65535)]


def _points(dtype, low, high, *sizes):
    low, high = max(low, -1000), min(high, 1000)
    return torch.randint(low, high + 1, sizes, generator=torch.Generator().manual_seed(low + high)).to(dtype)


def quantize():
    a = Operator("quantized_decomposed::quantize_per_tensor.out")
    seed(a.name)
    for dtype, low, high in QUANTIZED:
        for source in FLOATS:
            a(x(source, 3, 4), 0.05, 3 if low < 0 else 100, low, high, dtype, out=Out(dtype, [3, 4]))
    halves = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.49999, 126.5, 127.5, -128.5])
    a(halves, 1.0, 0, -128, 127, torch.int8, out=Out(torch.int8, [10]), hint="halves")
    a(special(), 0.1, 0, -128, 127, torch.int8, out=Out(torch.int8, [22]), hint="special")
    for sizes in ([], [0], [2, 3, 2, 2], [33]):
        a(x(F32, *sizes), 0.1, 5, -128, 127, torch.int8, out=Out(torch.int8, sizes), hint="rank")
    a(x(F32, 4), 0.1, 5, -300, 127, torch.int8, out=Out(torch.int8, [4]), hint="range_too_wide")
    a(x(F32, 4), 0.1, 5, 0, 255, torch.uint8, out=Out(torch.int8, [4]), hint="type_differs")
    a(x(I32, 4), 0.1, 5, -128, 127, torch.int8, out=Out(torch.int8, [4]), hint="int_input")
    a(x(F32, 4), 0.1, 5, 10, -10, torch.int8, out=Out(torch.int8, [4]), hint="range_reversed")
    b = Operator("quantized_decomposed::quantize_per_tensor.Tensor_out")
    seed(b.name)
    for dtype, low, high in QUANTIZED:
        b(x(F32, 3, 4), torch.tensor([0.05], dtype=F64), torch.tensor([3]), low, high, dtype, out=Out(dtype, [3, 4]))
    for scale, zero in ((F32, I64), (F64, I32), (F32, I32)):
        b(x(F32, 4), torch.tensor([0.05], dtype=scale), torch.tensor([3], dtype=zero), -128, 127, torch.int8, out=Out(torch.int8, [4]), hint="types")
    b(x(F32, 4), torch.tensor(0.05, dtype=F64), torch.tensor(3), -128, 127, torch.int8, out=Out(torch.int8, [4]), hint="rank0")
    c = Operator("quantized_decomposed::quantize_per_channel.out")
    seed(c.name)
    for dtype, low, high in QUANTIZED:
        for axis in (0, 1, -1):
            c(x(F32, 3, 4), positive(F64, [3, 4][axis]) / 10, indices(5, [3, 4][axis]), axis, low, high, dtype, out=Out(dtype, [3, 4]), hint=f"axis{axis % 2}")
    c(x(F32, 2, 3, 2, 2), positive(F64, 3) / 10, indices(5, 3), 1, -128, 127, torch.int8, out=Out(torch.int8, [2, 3, 2, 2]), hint="rank4")
    c(x(F32, 3, 4), positive(F32, 3) / 10, indices(5, 3), 0, -128, 127, torch.int8, out=Out(torch.int8, [3, 4]), hint="float_scales")
    c(x(F32, 3, 4), positive(F64, 4) / 10, indices(5, 4), 0, -128, 127, torch.int8, out=Out(torch.int8, [3, 4]), hint="lengths_differ")
    c(x(F32, 3, 4), positive(F64, 3) / 10, indices(5, 3), 2, -128, 127, torch.int8, out=Out(torch.int8, [3, 4]), hint="axis_out_of_range")
    d = Operator("quantized_decomposed::quantize_per_token.out")
    seed(d.name)
    for source in (F32, F64, torch.float16):
        for sizes in ([3, 4], [2, 3, 4], [1, 4]):
            rows = torch.Size(sizes[:-1]).numel()
            d(x(source, *sizes), positive(F64, *sizes[:-1], 1) / 10, indices(5, *sizes[:-1], 1), -128, 127, torch.int8, out=Out(torch.int8, sizes), hint=f"rows{rows}")
    d(x(F32, 3, 4), positive(F32, 3, 1) / 10, indices(5, 3, 1), -128, 127, torch.int8, out=Out(torch.int8, [3, 4]), hint="float_scales")
    d(x(F32, 3, 4), positive(F64, 2, 1) / 10, indices(5, 2, 1), -128, 127, torch.int8, out=Out(torch.int8, [3, 4]), hint="rows_differ")
    return [a, b, c, d]


def dequantize():
    a = Operator("quantized_decomposed::dequantize_per_tensor.out")
    seed(a.name)
    for dtype, low, high in QUANTIZED:
        for out in FLOATS:
            a(_points(dtype, low, high, 3, 4), 0.05, 3 if low < 0 else 100, low, high, dtype, out_dtype=out, out=Out(out, [3, 4]))
        a(_points(dtype, low, high, 5), 0.1, 1, low, high, dtype, out=Out(F32, [5]), hint="no_out_dtype")
    for sizes in ([], [0], [2, 3, 2, 2], [33]):
        a(_points(torch.int8, -128, 127, *sizes), 0.1, 5, -128, 127, torch.int8, out=Out(F32, sizes), hint="rank")
    a(_points(torch.int8, -128, 127, 4), 0.1, 5, 0, 255, torch.uint8, out=Out(F32, [4]), hint="type_differs")
    a(_points(torch.int8, -128, 127, 4), 0.1, 5, -128, 127, torch.int8, out=Out(I32, [4]), hint="int_output")
    b = Operator("quantized_decomposed::dequantize_per_tensor.Tensor_out")
    seed(b.name)
    for dtype, low, high in QUANTIZED:
        b(_points(dtype, low, high, 3, 4), torch.tensor([0.05], dtype=F64), torch.tensor([3]), low, high, dtype, out=Out(F32, [3, 4]))
    for scale, zero in ((F32, I64), (F64, I32), (F32, I32)):
        b(_points(torch.int8, -8, 7, 4), torch.tensor([0.05], dtype=scale), torch.tensor([3], dtype=zero), -128, 127, torch.int8, out=Out(F32, [4]), hint="types")
    c = Operator("quantized_decomposed::dequantize_per_channel.out")
    seed(c.name)
    for dtype, low, high in QUANTIZED:
        for axis in (0, 1, -1):
            n = [3, 4][axis]
            c(_points(dtype, low, high, 3, 4), positive(F64, n) / 10, indices(5, n), axis, low, high, dtype, out=Out(F32, [3, 4]), hint=f"axis{axis % 2}")
    for out in FLOATS:
        c(_points(torch.int8, -128, 127, 3, 4), positive(F32, 3) / 10, None, 0, -128, 127, torch.int8, out_dtype=out, out=Out(out, [3, 4]), hint="no_zero_points")
    c(_points(torch.int8, -128, 127, 2, 3, 2, 2), positive(F32, 3) / 10, indices(5, 3), 1, -128, 127, torch.int8, out=Out(F32, [2, 3, 2, 2]), hint="rank4")
    c(_points(torch.int8, -128, 127, 3, 4), positive(F32, 3) / 10, indices(5, 3, dtype=I32), 0, -128, 127, torch.int8, out=Out(F32, [3, 4]), hint="int_zero_points")
    c(_points(torch.int8, -128, 127, 3, 4), positive(F64, 4) / 10, indices(5, 4), 0, -128, 127, torch.int8, out=Out(F32, [3, 4]), hint="lengths_differ")
    d = Operator("quantized_decomposed::dequantize_per_token.out")
    seed(d.name)
    for out in (F32, F64, torch.float16):
        for sizes in ([3, 4], [2, 3, 4]):
            d(_points(torch.int8, -128, 127, *sizes), positive(F64, *sizes[:-1], 1) / 10, indices(5, *sizes[:-1], 1), -128, 127, torch.int8, out, out=Out(out, sizes), hint="token")
    d(_points(torch.int8, -128, 127, 3, 4), positive(F32, 3, 1) / 10, indices(5, 3, 1), -128, 127, torch.int8, F32, out=Out(F32, [3, 4]), hint="float_scales")
    return [a, b, c, d]


def choose():
    a = Operator("quantized_decomposed::choose_qparams.Tensor_out")
    seed(a.name)
    outs = [Out(F64, [1]), Out(I64, [1])]
    for low, high, dtype in ((-128, 127, torch.int8), (0, 255, torch.uint8), (-127, 127, torch.int8)):
        for scale in (0.01, 1.0, 100.0):
            a(x(F32, 3, 4, scale=scale), low, high, 1e-7, dtype, out=outs, hint="scale")
    a(torch.zeros(4), -128, 127, 1e-5, torch.int8, out=outs, hint="zeros")
    a(torch.ones(4), -128, 127, 1e-5, torch.int8, out=outs, hint="positive")
    a(-torch.ones(4), -128, 127, 1e-5, torch.int8, out=outs, hint="negative_values")
    a(torch.full((4,), 1e-9), -128, 127, 1e-5, torch.int8, out=outs, hint="below_eps")
    a(torch.tensor([1e38, -1e38]), -128, 127, 1e-5, torch.int8, out=outs, hint="huge")
    a(torch.tensor([float("inf"), 1.0]), -128, 127, 1e-5, torch.int8, out=outs, hint="special")
    a(x(F64, 4), -128, 127, 1e-5, torch.int8, out=outs, hint="double_input")
    a(x(F32, 4), -128, 127, 1e-5, torch.int8, out=[Out(F32, [1]), Out(I32, [1])], hint="out_types")
    b = Operator("quantized_decomposed::choose_qparams_per_token_asymmetric.out")
    seed(b.name)
    for dtype in (torch.int8, torch.uint8):
        for sizes in ([3, 4], [2, 3, 4], [1, 5]):
            shape = sizes[:-1] + [1]
            b(x(F32, *sizes), dtype, out=[Out(F64, shape), Out(I64, shape)], hint="token")
    b(torch.zeros(2, 4), torch.int8, out=[Out(F64, [2, 1]), Out(I64, [2, 1])], hint="zeros")
    b(x(F32, 2, 4), torch.int8, out=[Out(F32, [2, 1]), Out(I64, [2, 1])], hint="out_types")
    b(x(torch.float16, 2, 4), torch.int8, out=[Out(F64, [2, 1]), Out(I64, [2, 1])], hint="half_input")
    return [a, b]


def embeddings():
    made = []
    for name, per_byte, dtype, low, high in (("embedding_byte", 1, torch.int8, -128, 127), ("embedding_4bit", 2, torch.uint8, -8, 7), ("embedding_2bit", 4, torch.uint8, -2, 1)):
        plain = Operator(f"quantized_decomposed::{name}.out")
        typed = Operator(f"quantized_decomposed::{name}.dtype_out")
        seed(plain.name)
        columns = 8 // per_byte
        for kind in (I64, I32):
            for groups in (1, 2):
                shape = [5] if groups == 1 else [5, groups]
                for zeros in (True, False):
                    weight = torch.randint(0, 100, (5, columns)).to(dtype)
                    points = x(F32, *shape).round() if zeros else None
                    plain(weight, positive(F32, *shape) / 10, points, low, high, indices(5, 3, dtype=kind), out=Out(F32, [3, 8]), hint=f"groups{groups}")
        for out in FLOATS:
            weight = torch.randint(0, 100, (5, columns)).to(dtype)
            plain(weight, positive(out, 5, 1), x(out, 5, 1).round(), low, high, indices(5, 2, 2), out=Out(out, [2, 2, 8]), hint="type")
            for scales in (F32, torch.float16):
                typed(weight, positive(scales, 5, 2), x(scales, 5, 2).round(), low, high, indices(5, 3), dtype=out, out=Out(out, [3, 8]), hint="dtype")
            typed(weight, positive(out, 5), None, low, high, indices(5, 3), dtype=out, out=Out(out, [3, 8]), hint="dtype_plain")
            typed(weight, positive(F32, 5, 2), x(out, 5, 2).round(), low, high, indices(5, 3), dtype=out, out=Out(out, [3, 8]), hint="dtype_points")
        typed(weight, positive(F32, 5), None, low, high, indices(5, 3), out=Out(F32, [3, 8]), hint="no_dtype")
        plain(weight, positive(F32, 5), None, low, high, torch.tensor([5]), out=Out(F32, [1, 8]), hint="index_too_big")
        plain(weight, positive(F32, 4), None, low, high, indices(4, 2), out=Out(F32, [2, 8]), hint="scales_differ")
        plain(weight.to(torch.uint8), positive(F32, 5), None, low, high, indices(5, 2), out=Out(F32, [2, 8]), hint="byte_weight")
        plain(weight, positive(F32, 5), None, low, high, indices(5, 2), out=Out(F32, [2, 8], None, [4, 8]), hint="bound")
        made += [plain, typed]
    return made


def mixed():
    a = Operator("quantized_decomposed::mixed_mm.out")
    seed(a.name)
    b = Operator("quantized_decomposed::mixed_linear.out")
    for dtype in (F32, torch.float16, F64, torch.bfloat16):
        a(x(dtype, 3, 4), _points(torch.int8, -128, 127, 4, 2), positive(dtype, 4) / 10, None, out=Out(dtype, [3, 2]))
        a(x(dtype, 3, 4), _points(torch.int8, -128, 127, 4, 2), positive(dtype, 4) / 10, x(dtype, 4).round(), out=Out(dtype, [3, 2]), hint="zero_points")
        b(x(dtype, 3, 4), _points(torch.int8, -128, 127, 2, 4), positive(dtype, 2) / 10, None, out=Out(dtype, [3, 2]))
        b(x(dtype, 3, 4), _points(torch.int8, -128, 127, 2, 4), positive(dtype, 2) / 10, x(dtype, 2).round(), out=Out(dtype, [3, 2]), hint="zero_points")
    for n, k, m in ((1, 8, 4), (5, 16, 3), (0, 4, 2), (2, 33, 1)):
        a(x(F32, n, k), _points(torch.int8, -128, 127, k, m), positive(F32, k) / 10, None, out=Out(F32, [n, m]), hint=f"{n}x{k}x{m}")
        b(x(F32, n, k), _points(torch.int8, -128, 127, m, k), positive(F32, m) / 10, None, out=Out(F32, [n, m]), hint=f"{n}x{k}x{m}")
    b(x(F32, 3, 4), _points(torch.int8, -128, 127, 2, 4), positive(F32, 2, 2) / 10, None, out=Out(F32, [3, 2]), hint="groups")
    b(x(F32, 3, 4), _points(torch.int8, -128, 127, 2, 4), positive(F32, 2) / 10, None, torch.float16, out=Out(torch.float16, [3, 2]), hint="dtype")
    b(x(torch.float16, 3, 4), _points(torch.int8, -128, 127, 2, 4), positive(torch.float16, 2) / 10, None, F32, out=Out(F32, [3, 2]), hint="dtype")
    b(x(F32, 3, 4), _points(torch.int8, -128, 127, 2, 5), positive(F32, 2) / 10, None, out=Out(F32, [3, 2]), hint="inner_differs")
    a(x(F32, 3, 4), _points(torch.int8, -128, 127, 5, 2), positive(F32, 5) / 10, None, out=Out(F32, [3, 2]), hint="inner_differs")
    a(x(F32, 3, 4), _points(torch.int8, -128, 127, 4, 2), positive(F32, 3) / 10, None, out=Out(F32, [3, 2]), hint="scales_differ")
    return [a, b]


def add():
    op = Operator("quantized_decomposed::add.out")
    seed(op.name)
    for dtype, low, high in ((torch.uint8, 0, 255), (torch.int8, -128, 127)):
        for out_scale in (0.05, 0.5, 0.001):
            op(_points(dtype, low, high, 3, 4), 0.1, 3, low, high, _points(dtype, low, high - 1, 3, 4), 0.02, 1, low, high, out_scale, 2, low, high, out=Out(dtype, [3, 4]), hint="scale")
    for sizes in ([1], [0], [33], [2, 3, 4]):
        a = _points(torch.uint8, 0, 255, *sizes)
        op(a, 0.1, 128, 0, 255, a.flip(0), 0.07, 100, 0, 255, 0.13, 90, 0, 255, out=Out(torch.uint8, sizes), hint="rank")
        op(a, 0.1, 128, 10, 200, a.flip(0), 0.07, 100, 10, 200, 0.13, 90, 10, 200, out=Out(torch.uint8, sizes), hint="narrow")
    a, b = _points(torch.int8, -128, 127, 3, 4), _points(torch.int8, -128, 127, 4)
    op(a, 0.1, 0, -128, 127, b, 0.1, 0, -128, 127, 0.2, 0, -128, 127, out=Out(torch.int8, [3, 4]), hint="broadcast")
    op(a, 0.1, 0, -128, 127, a.to(torch.uint8), 0.1, 0, 0, 255, 0.2, 0, -128, 127, out=Out(torch.int8, [3, 4]), hint="types_differ")
    op(a, 0.1, 0, -200, 127, a, 0.1, 0, -128, 127, 0.2, 0, -128, 127, out=Out(torch.int8, [3, 4]), hint="range_too_wide")
    return op


OPERATORS = [quantize, dequantize, choose, embeddings, mixed, add]
assert ALL
