"""Reductions, scans and orderings."""
import itertools

import torch

from ..corpus import ALL, FLOATS, INTS, Operator, Out
from .data import last, seed, special, x

F32 = torch.float32
DIMS = [
    ([5], [0]), ([2, 3], [0]), ([2, 3], [1]), ([2, 3], [-1]), ([2, 3, 4], [0, 2]), ([2, 3, 4], [1]), ([2, 3, 4], [-2, 0]),
    ([2, 3, 4], []), ([2, 3, 4], [0, 1, 2]), ([], []), ([], [0]), ([], [-1]), ([0], [0]), ([2, 0, 3], [1]), ([2, 0, 3], [0]),
    ([1, 5, 1], [1]), ([33], [0]), ([2, 2, 2, 2, 3], [1, 3]),
]  # fmt: skip


def _dims(name, *, plain=False, many=True, dtypes=ALL):
    """Reductions over a list of dims with keepdim."""
    op = Operator(f"aten::{name}")
    seed(op.name)
    for dtype in dtypes:
        op(x(dtype, 3, 4), [1], False)
        op(x(dtype, 3, 4), [], False, hint="all")
    for sizes, dims in DIMS:
        for keepdim in (False, True):
            op(x(F32, *sizes), dims, keepdim, hint="dims_keep" if keepdim else "dims")
    op(x(torch.int32, 2, 3, 4), [0, 2], True, hint="dims_keep")
    for dtype in FLOATS:
        op(special(dtype), [0], False, hint="special")
        op(special(dtype).reshape(-1, 2), [1], False, hint="special_rows")
        op(x(dtype, 40, scale=100.0), [0], False, hint="long")
    for source in (F32, torch.int32, torch.bool):
        for out in ALL:
            op(x(source, 3, 4), [1], False, out=Out(out, [3]), hint="out_type")
    op(x(F32, 2, 3), [2], False, out=Out(F32, [2]), hint="dim_out_of_range")
    op(x(F32, 2, 3), [0, 0], False, out=Out(F32, [3]), hint="dim_twice")
    op(x(F32, 2, 3), [1], False, out=Out(F32, [3]), hint="wrong_out_shape")
    op(x(F32, 2, 3), [1], False, bound=[4], hint="bound")
    op(last(x(F32, 2, 3, 2, 2)), [2, 3], True, out=Out(F32, [2, 3, 1, 1], (0, 2, 3, 1)), hint="channels_last")
    op(last(x(F32, 2, 3, 2, 2)), [1], True, out=Out(F32, [2, 1, 2, 2], (0, 2, 3, 1)), hint="channels_last")
    op(last(x(F32, 2, 3, 2, 2)), [2, 3], False, out=Out(F32, [2, 3]), hint="channels_last")
    op(last(x(F32, 2, 3, 2, 2)), [], False, out=Out(F32, []), hint="channels_last_all")
    return op


def _dtype(op, call):
    """`dtype=` arguments that agree and disagree with the output."""
    for source in (F32, torch.int32, torch.float16, torch.bool):
        for dtype in (F32, torch.float64, torch.float16, torch.int64, torch.int32):
            call(x(source, 3, 4), dtype)


def sum_():
    op = _dims("sum.IntList_out")
    op(x(F32, 2, 3), None, False, hint="none")
    op(x(F32, 2, 3), None, True, hint="none_keep")
    _dtype(op, lambda t, d: op(t, [1], False, dtype=d, out=Out(d, [3]), hint="dtype"))
    op(x(F32, 3, 4), [1], False, dtype=torch.float64, out=Out(F32, [3]), hint="dtype_differs")
    op(x(torch.float16, 64, scale=300.0), [0], False, hint="overflow")
    op(torch.full((40,), 100, dtype=torch.int8), [0], False, hint="wide")
    return op


def mean():
    op = _dims("mean.out")
    op(x(F32, 2, 3), None, False, hint="none")
    op(x(F32, 2, 3), None, True, hint="none_keep")
    _dtype(op, lambda t, d: op(t, [1], False, dtype=d, out=Out(d, [3]), hint="dtype"))
    return op


def mean_dtype():
    op = Operator("aten::mean.dtype_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), dtype=None, out=Out(dtype, []))
    _dtype(op, lambda t, d: op(t, dtype=d, out=Out(d, []), hint="dtype"))
    op(x(F32, 0), hint="empty")
    return op


def any_dims():
    op = _dims("any.dims_out")
    op(x(F32, 2, 3), None, False, hint="none")
    op(torch.zeros(2, 3), [1], False, hint="zeros")
    return op


def _single(name, dtypes=ALL, outs=None, extra=()):
    """Reductions over one dim with keepdim."""
    op = Operator(f"aten::{name}")
    seed(op.name)
    for dtype in dtypes:
        op(x(dtype, 3, 4), 1, *extra, out=outs and outs(dtype, [3]))
        op(x(dtype, 3, 4), 0, *extra, out=outs and outs(dtype, [4]))
    for sizes, dims in DIMS:
        if len(dims) == 1:
            shape = [s for d, s in enumerate(sizes) if d != dims[0] % max(len(sizes), 1)]
            keep = [1 if d == dims[0] % max(len(sizes), 1) else s for d, s in enumerate(sizes)]
            op(x(F32, *sizes), dims[0], False, out=outs and outs(F32, shape), hint="dims")
            op(x(F32, *sizes), dims[0], True, out=outs and outs(F32, keep), hint="dims_keep")
    for dtype in FLOATS:
        op(special(dtype), 0, hint="special", out=outs and outs(dtype, []))
        op(special(dtype).reshape(-1, 2), 1, hint="special_rows", out=outs and outs(dtype, [11]))
    ties = torch.tensor([[2.0, 5.0, 5.0, 1.0, 1.0]])
    op(ties, 1, hint="ties", out=outs and outs(F32, [1]))
    op(x(F32, 2, 3), 2, False, out=outs(F32, [2]) if outs else [Out(F32, [2])] * 1, hint="dim_out_of_range")
    return op


def min_max_dim(name):
    op = _single(name, outs=lambda d, s: [Out(d, s), Out(torch.int64, s)])
    for index in (torch.int32, F32):
        op(x(F32, 2, 3), 1, out=[Out(F32, [2]), Out(index, [2])], hint="index_type")
    for value in (torch.float64, torch.int32):
        op(x(F32, 2, 3), 1, out=[Out(value, [2]), Out(torch.int64, [2])], hint="value_type")
    return op


def min_max_all(name):
    op = Operator(f"aten::{name}")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4))
        op(x(dtype), hint="rank0")
        for out in ALL:
            op(x(dtype, 3), out=Out(out, []), hint="out_type")
    for dtype in FLOATS:
        op(special(dtype), hint="special")
        op(special(dtype)[3:5], hint="zeros")
    op(x(F32, 0), out=Out(F32, []), hint="empty")
    op(last(x(F32, 2, 3, 2, 2)), hint="channels_last")
    return op


def argument(name):
    op = _single(name)
    for dtype in (F32, torch.int32):
        op(x(dtype, 3, 4), None, False, hint="none")
        op(x(dtype, 3, 4), None, True, out=Out(torch.int64, [1, 1]), hint="none_keep")
    op(x(F32, 3, 4), 1, out=Out(torch.int32, [3]), hint="index_type")
    return op


def any_dim():
    op = _single("any.out")
    for source in (F32, torch.bool):
        for out in (torch.uint8, torch.int32, F32):
            op(x(source, 3, 4), 1, out=Out(out, [3]), hint="out_type")
    return op


def any_all():
    op = Operator("aten::any.all_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4))
        op(torch.zeros(3, dtype=dtype), hint="zeros")
        op(x(dtype, 3), out=Out(torch.uint8, []), hint="out_type")
    op(x(F32, 0), hint="empty")
    op(x(F32), hint="rank0")
    op(x(F32, 3), out=Out(F32, []), hint="out_type")
    op(torch.tensor([float("nan"), -0.0]), hint="special")
    return op


def prod():
    op = Operator("aten::prod.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 2))
    _dtype(op, lambda t, d: op(t, dtype=d, out=Out(d, []), hint="dtype"))
    for sizes in ([], [0], [2, 2, 2]):
        op(x(F32, *sizes), hint="rank")
    op(special(), hint="special")
    return op


def prod_dim():
    op = _single("prod.int_out")
    _dtype(op, lambda t, d: op(t, 1, dtype=d, out=Out(d, [3]), hint="dtype"))
    return op


def var_correction():
    op = Operator("aten::var.correction_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), [1])
    for correction in (None, 0, 1, 2, 4, 0.5, 10):
        for keepdim in (False, True):
            op(x(F32, 3, 4), [1], correction=correction, keepdim=keepdim, hint="correction")
    for sizes, dims in DIMS:
        op(x(F32, *sizes), dims, correction=1, hint="dims")
    op(x(F32, 2, 3), None, correction=1, hint="none")
    for out in FLOATS[1:]:
        op(x(F32, 3, 4), [1], correction=1, out=Out(out, [3]), hint="out_type")
    op(special().reshape(-1, 2), [1], correction=1, hint="special")
    return op


def var():
    op = Operator("aten::var.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), [1])
    for unbiased in (False, True):
        for keepdim in (False, True):
            for sizes, dims in DIMS:
                op(x(F32, *sizes), dims, unbiased, keepdim, hint="dims")
    op(x(F32, 2, 3), None, True, False, hint="none")
    for out in FLOATS[1:]:
        op(x(F32, 3, 4), [1], out=Out(out, [3]), hint="out_type")
    return op


def var_mean():
    op = Operator("aten::var_mean.correction_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), [1])
    for correction in (None, 0, 1, 0.5, 10):
        for keepdim in (False, True):
            op(x(F32, 3, 4), [1], correction=correction, keepdim=keepdim, hint="correction")
    for sizes, dims in DIMS:
        op(x(F32, *sizes), dims, correction=1, hint="dims")
    op(x(F32, 2, 3), None, correction=1, hint="none")
    return op


def cumsum():
    op = Operator("aten::cumsum.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), 1)
        op(x(dtype, 3, 4), 0, out=Out(dtype, [3, 4]), hint="same_type")
    for sizes, dim in (([], 0), ([], -1), ([0], 0), ([2, 0, 3], 1), ([2, 3, 4], 1), ([2, 3, 4], -3), ([33], 0)):
        op(x(F32, *sizes), dim, hint="dim")
    _dtype(op, lambda t, d: op(t, 1, dtype=d, out=Out(d, [3, 4]), hint="dtype"))
    op(x(F32, 3), 0, dtype=torch.float64, out=Out(F32, [3]), hint="dtype_differs")
    op(x(F32, 3), 1, out=Out(F32, [3]), hint="dim_out_of_range")
    op(torch.tensor([1.0, float("inf"), -float("inf"), 2.0]), 0, hint="special")
    op(last(x(F32, 1, 3, 2, 2)), 1, hint="channels_last")
    return op


def topk():
    op = Operator("aten::topk.values")
    seed(op.name)
    for dtype in ALL:
        distinct = torch.arange(8).flip(0).roll(3).reshape(2, 4).to(dtype)
        op(distinct, 2, out=[Out(dtype, [2, 2]), Out(torch.int64, [2, 2])])
    for k in (0, 1, 3, 5):
        for largest in (True, False):
            op(torch.randperm(5).float(), k, 0, largest, True, hint="k")
    for sizes, dim in (([4, 3], 0), ([2, 4, 3], 1), ([2, 4, 3], -1), ([], 0)):
        count = 1 if not sizes else 2
        values = torch.randperm(torch.Size(sizes).numel()).float().reshape(sizes)
        op(values, count, dim, True, True, hint="dim")
    op(torch.randperm(6).float(), 3, 0, True, False, hint="unsorted")
    op(torch.tensor([1.0, float("nan"), 3.0, -float("inf")]), 4, hint="special")
    op(x(F32, 3), 4, out=[Out(F32, [4]), Out(torch.int64, [4])], hint="k_too_big")
    op(x(F32, 3), 2, 1, out=[Out(F32, [2]), Out(torch.int64, [2])], hint="dim_out_of_range")
    op(x(F32, 3), 2, out=[Out(F32, [2]), Out(torch.int32, [2])], hint="index_type")
    return op


def pairwise():
    made = []
    op = Operator("aten::_pdist_forward.out")
    seed(op.name)
    for p in (0.0, 1.0, 2.0, 3.5, float("inf")):
        for dtype in FLOATS[:3]:
            op(x(dtype, 4, 3), p, hint="p")
    op(x(torch.int32, 4, 3), 2.0)
    for sizes in ([1, 3], [0, 3], [3, 0], [2, 1]):
        op(x(F32, *sizes), 2.0, hint="sizes")
    op(x(F32, 4, 3), -1.0, out=Out(F32, [6]), hint="negative_p")
    for p, dtype in itertools.product((0.0, 1.0, 2.0, 3.5, float("inf")), FLOATS[2:]):
        op(x(dtype, 5, 7), p, out=Out(dtype, [10]), hint="short_floats")
    made.append(op)
    op = Operator("aten::_cdist_forward.out")
    seed(op.name)
    for p in (0.0, 1.0, 2.0, 3.5, float("inf")):
        for dtype in FLOATS[:3]:
            op(x(dtype, 4, 3), x(dtype, 2, 3), p, None, hint="p")
    for mode in (0, 1, 2):
        op(x(F32, 4, 3), x(F32, 2, 3), 2.0, mode, hint="mode")
    op(x(torch.int32, 4, 3), x(torch.int32, 2, 3), 2.0, None, out=Out(torch.int32, [4, 2]))
    op(x(F32, 2, 4, 3), x(F32, 2, 2, 3), 2.0, None, hint="batch")
    op(x(F32, 2, 4, 3), x(F32, 2, 3), 2.0, None, out=Out(F32, [2, 4, 2]), hint="batch_broadcast")
    op(x(F32, 2, 1, 4, 3), x(F32, 3, 2, 3), 2.0, None, out=Out(F32, [2, 3, 4, 2]), hint="batch_broadcast")
    op(x(F32, 0, 3), x(F32, 2, 3), 2.0, None, hint="empty")
    op(x(F32, 4, 0), x(F32, 2, 0), 2.0, None, hint="empty_points")
    op(x(F32, 4, 3), x(F32, 2, 4), 2.0, None, out=Out(F32, [4, 2]), hint="points_differ")
    for p, dtype in itertools.product((0.0, 1.0, 2.0, 3.5, float("inf")), FLOATS[2:]):
        op(x(dtype, 4, 7), x(dtype, 3, 7), p, None, out=Out(dtype, [4, 3]), hint="short_floats")
    made.append(op)
    return made


OPERATORS = [
    sum_, mean, mean_dtype, lambda: _dims("amax.out"), lambda: _dims("amin.out"), any_dims, any_dim, any_all,
    lambda: min_max_dim("max.dim_max"), lambda: min_max_dim("min.dim_min"), lambda: min_max_all("max.unary_out"),
    lambda: min_max_all("min.unary_out"), lambda: argument("argmax.out"), lambda: argument("argmin.out"), prod, prod_dim,
    var_correction, var, var_mean, cumsum, topk, pairwise,
]  # fmt: skip
assert INTS
