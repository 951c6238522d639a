"""Pooling, padding, resampling and other spatial operators."""
import itertools

import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import last, seed, special, x

F32 = torch.float32
WINDOWS = [
    ([2, 2], [2, 2], [0, 0]), ([3, 2], [1, 2], [1, 1]), ([3, 3], [2, 2], [1, 1]), ([2, 3], [], [0, 1]), ([1, 1], [1, 1], [0, 0]),
    ([2], [2], [1]), ([3, 3], [3, 1], [0, 1]),
]  # fmt: skip


def avg_pool():
    op = Operator("aten::avg_pool2d.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 2, 4, 4), [2, 2], [2, 2], [0, 0], out=Out(dtype, [1, 2, 2, 2]))
    for (kernel, stride, padding), ceil, count, divisor in itertools.product(WINDOWS, [False, True], [False, True], [None, 3]):
        op(x(F32, 2, 2, 7, 6), kernel, stride, padding, ceil, count, divisor, hint="ceil" if ceil else "")
    for dtype in FLOATS[1:]:
        op(x(dtype, 1, 2, 5, 5), [3, 3], [2, 2], [1, 1], True, False, hint="ceil")
    op(x(F32, 2, 5, 5), [2, 2], hint="no_batch")
    op(last(x(F32, 1, 3, 5, 5)), [2, 2], [2, 2], hint="channels_last")
    op(x(F32, 1, 2, 4, 4), [2, 2], [2, 2], [0, 0], False, True, -2, hint="negative_divisor")
    op(x(F32, 1, 2, 4, 4), [2, 2], [2, 2], [0, 0], False, True, 0, out=Out(F32, [1, 2, 2, 2]), hint="divisor0")
    op(x(F32, 1, 2, 4, 4), [2, 2], [2, 2], [2, 2], out=Out(F32, [1, 2, 4, 4]), hint="padding_over_half")
    op(x(F32, 1, 2, 4, 4), [5, 5], [1, 1], out=Out(F32, [1, 2, 1, 1]), hint="kernel_too_big")
    op(x(F32, 4, 4), [2, 2], out=Out(F32, [2, 2]), hint="rank2")
    op(x(F32, 1, 2, 4, 4), [2, 2], [0, 1], out=Out(F32, [1, 2, 2, 3]), hint="stride0")
    op(x(F32, 0, 2, 4, 4), [2, 2], hint="empty_batch")
    op(x(F32, 1, 2, 4, 4), [2, 2], bound=[2, 2, 4, 4], hint="bound")
    return op


def max_pool():
    op = Operator("aten::max_pool2d_with_indices.out")
    seed(op.name)

    def outs(dtype, sizes, order=None):
        return [Out(dtype, sizes, order), Out(torch.int64, sizes, order)]

    for dtype in ALL:
        op(x(dtype, 1, 2, 4, 4), [2, 2], [2, 2], out=outs(dtype, [1, 2, 2, 2]))
    for (kernel, stride, padding), dilation, ceil in itertools.product(WINDOWS, [[1, 1], [2, 1]], [False, True]):
        op(x(F32, 2, 2, 7, 6), kernel, stride, padding, dilation, ceil, hint="ceil" if ceil else "")
    op(special().reshape(1, 2, 11), [1, 2], [1, 2], hint="special")
    op(torch.full((1, 1, 3, 3), -float("inf")), [2, 2], [1, 1], hint="minus_inf")
    op(torch.ones(1, 1, 3, 3), [2, 2], [1, 1], hint="ties")
    op(x(F32, 2, 5, 5), [2, 2], hint="no_batch")
    op(last(x(F32, 1, 3, 5, 5)), [2, 2], [2, 2], hint="channels_last")
    op(last(x(F32, 1, 3, 5, 5)), [2, 2], [2, 2], out=outs(F32, [1, 3, 2, 2]), hint="channels_last_to_plain")
    op(x(F32, 1, 2, 4, 4), [2, 2], [2, 2], [2, 2], out=outs(F32, [1, 2, 4, 4]), hint="padding_over_half")
    op(x(F32, 1, 2, 4, 4), [5, 5], [1, 1], out=outs(F32, [1, 2, 1, 1]), hint="kernel_too_big")
    op(x(F32, 0, 2, 4, 4), [2, 2], hint="empty_batch")
    op(x(F32, 1, 2, 4, 4), [2, 2], out=[Out(F32, [1, 2, 2, 2]), Out(torch.int32, [1, 2, 2, 2])], hint="index_type")
    op(x(F32, 1, 2, 4, 4), [2, 2], bound=[2, 2, 4, 4], hint="bound")
    return op


def max_pool_backward():
    op = Operator("aten::max_pool2d_with_indices_backward.grad_input")
    seed(op.name)
    for dtype in FLOATS:
        i = x(dtype, 1, 2, 4, 4)
        value, index = torch.nn.functional.max_pool2d(i, 2, return_indices=True)
        op(x(dtype, *value.shape), i, [2, 2], [2, 2], [0, 0], [1, 1], False, index, out=Out(dtype, [1, 2, 4, 4]))
    for (kernel, stride, padding), dilation, ceil in itertools.product(WINDOWS, [[1, 1], [2, 1]], [False, True]):
        i = x(F32, 2, 2, 7, 6)
        try:
            value, index = torch.nn.functional.max_pool2d(i, kernel, stride or None, padding, dilation, ceil, True)
        except RuntimeError:
            continue
        op(x(F32, *value.shape), i, kernel, stride, padding, dilation, ceil, index, out=Out(F32, list(i.shape)), hint="window")
    return op


def adaptive_pool():
    op = Operator("aten::_adaptive_avg_pool2d.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 2, 4, 4), [2, 2], out=Out(dtype, [1, 2, 2, 2]))
    for size in ([1, 1], [3, 2], [7, 6], [9, 1], [2, 5]):
        op(x(F32, 2, 2, 7, 6), size, hint="size")
    op(x(F32, 2, 7, 6), [2, 3], hint="no_batch")
    op(last(x(F32, 1, 3, 5, 5)), [2, 2], hint="channels_last")
    op(x(F32, 1, 2, 4, 4), [0, 2], hint="empty")
    op(x(F32, 4, 4), [2, 2], out=Out(F32, [2, 2]), hint="rank2")
    return op


def constant_pad():
    op = Operator("aten::constant_pad_nd.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 2, 3), [1, 2], 1)
        op(x(dtype, 2, 3), [1, 2], 2.5, hint="double")
    for pad in ([], [0, 0], [1, 1, 2, 0], [0, 1, 0, 2, 3, 0], [2, 0]):
        op(x(F32, 2, 3, 4), pad, -1.5, hint="pad")
    for pad in ([-1, 0], [1, -1], [-1, -1, 1, 1]):
        op(x(F32, 2, 3, 4), pad, 0, hint="negative")
    op(x(F32), [], 0, hint="rank0")
    op(x(F32, 0, 2), [1, 1, 1, 0], 7, hint="empty")
    op(x(F32, 2), [1, 1, 1, 1], 0, out=Out(F32, [4]), hint="too_many")
    op(x(F32, 2), [1], 0, out=Out(F32, [3]), hint="odd")
    op(last(x(F32, 1, 3, 2, 2)), [1, 1, 0, 1], 0.5, hint="channels_last")
    op(x(F32, 3), [1, 1], float("-inf"), hint="inf")
    op(x(torch.uint8, 3), [1, 1], 300, hint="out_of_range")
    op(x(F32, 2, 3), [1, 2], 1, bound=[4, 8], hint="bound")
    op(x(F32, 2, 3), [1, 2], 1, out=Out(torch.float64, [2, 6]), hint="out_type")
    return op


def _edge_pad(kind, dims):
    op = Operator(f"aten::{kind}_pad{dims}d.out")
    seed(op.name)
    sizes = [2, 3, 4, 5][: dims + 1] if dims < 3 else [2, 3, 4, 3]
    for dtype in ALL:
        op(x(dtype, *sizes), [1, 2] * dims)
    for pad in ([0, 0] * dims, [2, 0] + [1, 1] * (dims - 1), [-1, 1] + [0, 0] * (dims - 1), [1, 1] + [-1, 2] * (dims - 1)):
        op(x(F32, *sizes), pad, hint="pad")
        op(x(F32, 2, *sizes), pad, hint="batch")
    op(x(F32, *sizes), [9, 0] + [0, 0] * (dims - 1), out=Out(F32, sizes[:-1] + [sizes[-1] + 9]), hint="pad_over_input")
    op(x(F32, *sizes), [1] * (2 * dims + 2), out=Out(F32, sizes), hint="too_many")
    op(special().reshape([1] * dims + [-1]), [1, 1] * dims if kind == "replication" else [1, 1] + [0, 0] * (dims - 1),
       hint="special")  # fmt: skip
    return op


def upsample_nearest():
    op = Operator("aten::upsample_nearest2d.vec_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 2, 3, 2), [6, 4], None, out=Out(dtype, [1, 2, 6, 4]))
    for size in ([1, 1], [2, 5], [7, 3], [3, 4]):
        op(x(F32, 2, 2, 3, 4), size, None, hint="size")
        op(last(x(F32, 2, 3, 3, 4)), size, None, hint="channels_last")
    for scale in ([2.0, 2.0], [1.5, 0.5], [3.0, 1.0], [0.7, 2.3]):
        op(x(F32, 1, 2, 5, 4), None, scale, hint="scale")
    op(x(F32, 1, 1, 2, 2), None, None, out=Out(F32, [1, 1, 2, 2]), hint="neither")
    op(x(F32, 1, 1, 2, 2), [4, 4], [2.0, 2.0], out=Out(F32, [1, 1, 4, 4]), hint="both")
    return op


def upsample_bilinear():
    op = Operator("aten::upsample_bilinear2d.vec_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 2, 3, 2), [6, 4], False, None, out=Out(dtype, [1, 2, 6, 4]))
    for corners in (False, True):
        for size in ([1, 1], [2, 5], [7, 3], [3, 4]):
            op(x(F32, 2, 2, 3, 4), size, corners, None, hint=f"corners{corners}")
            op(last(x(F32, 2, 3, 3, 4)), size, corners, None, hint="channels_last")
        for scale in ([2.0, 2.0], [1.5, 0.5], [0.7, 2.3]):
            op(x(F32, 1, 2, 5, 4), None, corners, scale, hint="scale")
    op(x(F32, 1, 1, 1, 1), [3, 3], True, None, hint="one_pixel")
    return op


def upsample_bilinear_aa():
    op = Operator("aten::_upsample_bilinear2d_aa.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 2, 6, 5), [3, 2], False, out=Out(dtype, [1, 2, 3, 2]))
    for corners in (False, True):
        for size in ([1, 1], [2, 5], [7, 3], [3, 4], [9, 9]):
            op(x(F32, 2, 2, 6, 5), size, corners, hint=f"corners{corners}")
        op(x(F32, 1, 2, 6, 5), [3, 4], corners, 0.5, 0.8, hint="scales")
    op(last(x(F32, 1, 3, 6, 5)), [3, 2], False, hint="channels_last")
    return op


def grid_sampler():
    op = Operator("aten::grid_sampler_2d.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 2, 4, 3), x(dtype, 1, 3, 2, 2, scale=0.6), 0, 0, False, out=Out(dtype, [1, 2, 3, 2]))
    for mode, padding, corners in itertools.product([0, 1, 2], [0, 1, 2], [False, True]):
        op(x(F32, 2, 2, 4, 3), x(F32, 2, 3, 4, 2, scale=1.2), mode, padding, corners, hint=f"mode{mode}_padding{padding}")
    grid = torch.tensor([[[[0.0, 0.0], [float("nan"), 0.0], [float("inf"), -1.0], [1.0, 1.0]]]])
    for padding in (0, 1, 2):
        op(x(F32, 1, 1, 3, 3), grid, 0, padding, True, hint="special")
    op(x(F32, 1, 2, 4, 3), x(F32, 2, 3, 2, 2), 0, 0, False, out=Out(F32, [1, 2, 3, 2]), hint="batch_differs")
    op(last(x(F32, 1, 3, 4, 3)), x(F32, 1, 3, 2, 2), 0, 0, False, out=Out(F32, [1, 3, 3, 2], (0, 2, 3, 1)), hint="channels_last")
    # Coordinates that 16-bit floats cannot tell apart, and integers that are coordinates.
    for dtype, mode, padding in itertools.product(FLOATS, [0, 1, 2], [0, 1, 2]):
        grid = x(dtype, 1, 6, 6, 2, scale=0.4)
        op(x(dtype, 1, 1, 20, 64), grid, mode, padding, False, out=Out(dtype, [1, 1, 6, 6]), hint="large_image")
    for dtype, mode, padding in itertools.product([torch.uint8, torch.int8, torch.int32], [0, 1, 2], [0, 1, 2]):
        for corners in (False, True):
            grid = x(dtype, 1, 3, 4, 2)
            op(x(dtype, 1, 2, 5, 4), grid, mode, padding, corners, out=Out(dtype, [1, 2, 3, 4]), hint="integers")
    return op


def _pixels(name, sizes):
    op = Operator(f"aten::{name}.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, *sizes), 2)
    for shape, factor in (([8, 2, 4], 2), ([2, 1, 9, 3, 6], 3), ([2, 4, 4, 6], 1), ([0, 4, 2, 2], 2), ([4, 4, 2], 2)):
        op(x(F32, *shape), factor, hint="factor")
    op(x(F32, 3, 3, 3), 2, out=Out(F32, [1, 6, 6]), hint="does_not_divide")
    op(x(F32, *sizes), 0, out=Out(F32, list(sizes)), hint="factor0")
    op(x(F32, 4, 4), 2, out=Out(F32, [4, 4]), hint="rank2")
    if name == "pixel_unshuffle":
        op(x(F32, 0, 4, 2, 2), 2, out=Out(F32, [0, 16, 1, 1]), hint="empty")
        for order in ((0, 2, 3, 1), None):
            op(last(x(F32, 2, 3, 4, 6)), 2, out=Out(F32, [2, 12, 2, 3], order), hint="channels_last")
    return op


def _pad_maker(kind, dims):
    return lambda: _edge_pad(kind, dims)


OPERATORS = [avg_pool, max_pool, max_pool_backward, adaptive_pool, constant_pad]
OPERATORS += [_pad_maker(kind, dims) for kind in ("reflection", "replication") for dims in (1, 2, 3)]
OPERATORS += [upsample_nearest, upsample_bilinear, upsample_bilinear_aa, grid_sampler]
OPERATORS += [lambda: _pixels("pixel_shuffle", [2, 8, 3, 2]), lambda: _pixels("pixel_unshuffle", [2, 2, 4, 6])]
