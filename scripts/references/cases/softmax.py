"""Softmax and its logarithm."""
import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import last, seed, special, x

F32 = torch.float32


def _softmax(name):
    op = Operator(f"aten::{name}.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 5), -1, False, out=Out(dtype, [3, 5]))
    for dtype in FLOATS:
        op(special(dtype), 0, False, hint="special")
        op(x(dtype, 4, 9, scale=40.0), 1, False, hint="large")
    for sizes, dim in (([5], 0), ([2, 3, 4], 0), ([2, 3, 4], 1), ([2, 3, 4], 2), ([2, 3, 4], -2), ([], 0), ([], -1),
                       ([0], 0), ([2, 0, 3], 1), ([2, 0, 3], 0), ([1, 1], 1), ([2, 3, 4, 5], 1), ([3, 17], 1),
                       ([17, 3], 0), ([2, 33], -1), ([2, 2, 3, 2, 2], 2)):  # fmt: skip
        for dtype in (F32, torch.float16):
            op(x(dtype, *sizes), dim, False, hint="dim")
    op(torch.full((2, 3), -float("inf")), 1, False, hint="all_minus_inf")
    op(torch.tensor([[-float("inf"), 0.0, 1.0]]), 1, False, hint="mask")
    op(last(x(F32, 2, 3, 2, 2)), 1, False, hint="channels_last")
    op(x(F32, 2, 3), 2, False, out=Out(F32, [2, 3]), hint="dim_out_of_range")
    op(x(F32, 2, 3), -3, False, out=Out(F32, [2, 3]), hint="dim_out_of_range")
    op(x(torch.float16, 2, 3), 1, True, out=Out(F32, [2, 3]), hint="half_to_float")
    op(x(F32, 2, 3), 1, True, out=Out(F32, [2, 3]), hint="half_to_float")
    for out in (torch.float64, torch.float16):
        op(x(F32, 2, 3), 1, False, out=Out(out, [2, 3]), hint="out_type")
    op(x(F32, 2, 3), 1, False, bound=[4, 3], hint="bound")
    op(x(F32, 2, 3), 1, False, out=Out(F32, [3, 2]), hint="wrong_out_shape")
    return op


OPERATORS = [lambda: _softmax("_softmax"), lambda: _softmax("_log_softmax")]
