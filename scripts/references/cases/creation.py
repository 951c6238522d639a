"""Operators that make tensors, and Fourier transforms."""
import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import seed, x

F32, I64 = torch.float32, torch.int64


def arange():
    a = Operator("aten::arange.out")
    for dtype in ALL:
        a(5, out=Out(dtype, [5]))
    for end in (0, 1, 4.5, 3.0, 7):
        a(end, out=Out(F32, [int(-(-end // 1))]), hint="end")
    a(4, out=Out(F32, [4], None, [9]), hint="bound")
    a(4, out=Out(F32, [5]), hint="wrong_out_shape")
    a(-1, out=Out(F32, [0]), hint="below_0")
    b = Operator("aten::arange.start_out")
    for dtype in ALL:
        b(1, 6, 2, out=Out(dtype, [3]))
    for start, end, step, count in ((0.5, 2.0, 0.5, 3), (5, 0, -2, 3), (0, 1, 0.1, 10), (3, 3, 1, 0), (1.0, 4.0, 1.0, 3), (-2, 2, 1, 4)):
        b(start, end, step, out=Out(F32, [count]), hint="range")
        b(start, end, step, out=Out(torch.float64, [count]), hint="range")
    b(0, 5, 0, out=Out(F32, [5]), hint="step0")
    b(5, 0, 1, out=Out(F32, [0]), hint="wrong_direction")
    return [a, b]


def constants():
    made = []
    for name in ("ones", "zeros"):
        op = Operator(f"aten::{name}.out")
        for dtype in ALL:
            op([2, 3], out=Out(dtype, [2, 3]))
        for sizes in ([], [0], [4], [1, 2, 3, 2]):
            op(sizes, out=Out(F32, sizes), hint="rank")
        op([2, 3], out=Out(F32, [2, 3], None, [4, 3]), hint="bound")
        op([2, 3], out=Out(F32, [3, 2]), hint="wrong_out_shape")
        made.append(op)
    empty = Operator("aten::empty.out")
    for dtype in (F32, I64, torch.bool):
        empty([2, 3], out=Out(dtype, [2, 3]))
    empty([2, 3], memory_format=0, out=Out(F32, [2, 3]), hint="format0")
    empty([2, 3], memory_format=1, out=Out(F32, [2, 3]), hint="format1")
    empty([0], out=Out(F32, [0]), hint="empty")
    made.append(empty)
    full = Operator("aten::full.out")
    like = Operator("aten::full_like.out")
    seed(like.name)
    for dtype in ALL:
        for number in (3, 2.5, True, -1):
            full([2, 2], number, out=Out(dtype, [2, 2]), hint=type(number).__name__)
            like(x(dtype, 2, 2), number, out=Out(dtype, [2, 2]), hint=type(number).__name__)
    for dtype in FLOATS:
        for number in (float("nan"), float("inf"), 1e10):
            full([2], number, out=Out(dtype, [2]), hint="number")
    full([2], 300, out=Out(torch.uint8, [2]), hint="number_out_of_range")
    for sizes in ([], [0], [3, 1, 2]):
        full(sizes, 1.5, out=Out(F32, sizes), hint="rank")
        like(x(F32, *sizes), 1.5, hint="rank")
    like(x(F32, 2, 3), 1, out=Out(I64, [2, 3]), hint="out_type")
    like(x(F32, 2, 3), 1, memory_format=0, hint="format0")
    like(x(F32, 1, 3, 2, 2), 1, memory_format=2, out=Out(F32, [1, 3, 2, 2]), hint="format2")
    like(x(F32, 2, 3), 1, bound=[4, 3], hint="bound")
    scalar = Operator("aten::scalar_tensor.out")
    for dtype in ALL:
        for number in (3, 2.5, True):
            scalar(number, out=Out(dtype, []), hint=type(number).__name__)
    scalar(1.0, out=Out(F32, [1]), hint="rank1")
    fill = Operator("aten::fill.Scalar_out")
    fill_tensor = Operator("aten::fill.Tensor_out")
    seed(fill.name)
    for dtype in ALL:
        for number in (3, 2.5, True):
            fill(x(dtype, 2, 3), number, out=Out(dtype, [2, 3]), hint=type(number).__name__)
        for value in (F32, torch.int32, torch.bool):
            fill_tensor(x(dtype, 2, 3), x(value), out=Out(dtype, [2, 3]))
    for sizes in ([], [0]):
        fill(x(F32, *sizes), 1, hint="rank")
        fill_tensor(x(F32, *sizes), x(F32), hint="rank")
    fill_tensor(x(F32, 2), x(F32, 1), out=Out(F32, [2]), hint="value_rank1")
    fill_tensor(x(F32, 2), x(F32, 2), out=Out(F32, [2]), hint="value_size2")
    fill(x(F32, 2, 3), 1, out=Out(torch.float64, [2, 3]), hint="out_type")
    return made + [full, like, scalar, fill, fill_tensor]


def random():
    made = []
    for name in ("rand", "randn"):
        op = Operator(f"aten::{name}.out")
        for dtype in ALL:
            op([2, 3], out=Out(dtype, [2, 3]))
        op([0], out=Out(F32, [0]), hint="empty")
        made.append(op)
    return made


def fourier():
    a = Operator("aten::_fft_r2c.out")
    seed(a.name)
    a(x(F32, 4), [0], 0, True, out=Out(F32, [3]), hint="not_complex")
    b = Operator("aten::_fft_c2r.out")
    seed(b.name)
    b(x(F32, 3), [0], 0, 4, out=Out(F32, [4]), hint="not_complex")
    return [a, b]


OPERATORS = [arange, constants, random, fourier]
