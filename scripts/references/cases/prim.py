"""Prim ops: numbers, sizes and views."""
import itertools

import torch

from ..corpus import ALL, Operator, Out
from .data import bounded, seed, x

F32 = torch.float32
NUMBERS = [(7, 2), (-7, 2), (7, -2), (-7, -2), (0, 3), (6, 3), (7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (7, 2.5), (2.5, 7), (-0.0, 3.0)]
BOOLS = [(True, False), (True, True), (1, True), (2.0, False)]
INFINITE = [(float("nan"), 1.0), (float("inf"), 2.0), (1.0, float("-inf"))]
LARGE = [((1 << 62), 2), ((1 << 53) + 1, 1.0)]


def _pairs(name):
    op = Operator(f"executorch_prim::{name}.Scalar")
    for a, b in NUMBERS + BOOLS + INFINITE + LARGE:
        op(a, b, hint=f"{type(a).__name__}_{type(b).__name__}")
    if name in ("floordiv", "truediv", "mod"):
        for a, b in ((1, 0), (1.0, 0.0), (-1.0, 0.0), (1, 0.0), (0.0, 0.0)):
            op(a, b, hint="zero_divisor")
    return op


def _integers(name):
    op = Operator(f"executorch_prim::{name}.int")
    for a, b in ((7, 2), (-7, 2), (7, -2), (-7, -2), (0, 5), (1, 0), (7.0, 2), (7, 2.0)):
        op(a, b, hint="int" if isinstance(a, int) and isinstance(b, int) else "double")
    return op


def _one(name):
    op = Operator(f"executorch_prim::{name}.Scalar")
    for a in (3, -3, 0, 2.5, -2.5, 3.5, -0.4, 0.5, 1.5, True, False, None):
        op(a, hint=type(a).__name__)
    for a in (float("nan"), float("inf"), 1e30):
        op(a, hint="special" if name in ("sym_float", "neg") else "large")
    return op


def ite():
    op = Operator("executorch_prim::sym_ite.Scalar")
    for condition, (a, b) in itertools.product([True, False], [(1, 2), (1.5, 2.5), (1, 2.5), (True, False)]):
        op(condition, a, b, hint=f"{type(a).__name__}_{type(b).__name__}")
    op(1, 2, 3, hint="condition_type")
    return op


def sizes():
    made = []
    size, numel, scalar = (Operator("aten::" + n) for n in ("sym_size.int", "sym_numel", "_local_scalar_dense"))
    seed(size.name)
    for shape in ([2, 3], [5], [0, 4], [1, 2, 3]):
        numel(x(F32, *shape), hint="rank")
        for dim in range(len(shape)):
            size(x(F32, *shape), dim, hint="dim")
    numel(x(F32), hint="rank0")
    size(x(F32, 2, 3), -1, hint="from_the_end")
    size(x(F32, 2, 3), 2, hint="out_of_range")
    for dtype in ALL:
        scalar(x(dtype))
        scalar(x(dtype, 3), hint="first_of_three")
    scalar(torch.tensor(float("nan")), hint="nan")
    return made + [size, numel, scalar]


def views():
    view = Operator("executorch_prim::et_view.default")
    seed(view.name)
    for dtype in ALL:
        view(x(dtype, 2, 6), [3, 4], out=Out(dtype, [3, 4]))
    for shape, to, result in (([2, 6], [-1], [12]), ([2, 6], [3, -1], [3, 4]), ([], [1], [1]), ([1], [], [])):
        view(x(F32, *shape), to, out=Out(F32, result), hint="view")
    view(x(F32, 2, 6), [5, 2], out=Out(F32, [5, 2]), hint="numel_differs")
    view(x(F32, 2, 6), [-1, -1], out=Out(F32, [12, 1]), hint="two_unknown")
    view(x(F32, 2, 6), [3, 4], out=Out(torch.float64, [3, 4]), hint="out_type")
    for dtype in ALL[:3]:
        view(bounded(x(dtype, 2, 6), 4, 6), [-1, 3], out=Out(dtype, [4, 3], None, [8, 3]), hint="bound")
    copy = Operator("executorch_prim::et_copy_index.tensor")
    seed(copy.name)
    for dtype in ALL:
        copy(bounded(x(dtype, 1, 2), 4, 2), x(dtype, 2), 1)
    for rows, index in ((0, 0), (3, 3), (3, 0), (2, 3), (4, 4), (1, -1)):
        copy(bounded(x(F32, rows, 2), 4, 2), x(F32, 2), index, hint=f"index{index}")
    copy(bounded(x(F32, 1, 2, 3), 2, 2, 3), x(F32, 2, 3), 1, hint="rank3")
    copy(bounded(x(F32, 1), 3), x(F32), 1, hint="rank1")
    copy(x(F32, 3, 2), x(F32, 2), 2, hint="static_last")
    copy(x(F32, 3, 2), x(F32, 2), 1, hint="static")
    copy(bounded(x(F32, 1, 2), 4, 2), x(F32, 3), 1, hint="sizes_differ")
    copy(bounded(x(F32, 1, 2), 4, 2), x(torch.int32, 2), 1, hint="types_differ")
    copy(bounded(x(F32, 1, 2), 4, 2), x(F32, 1, 2), 1, hint="ranks_differ")
    return [view, copy]


OPERATORS = [lambda n=n: _pairs(n) for n in "sym_max sym_min add sub mul floordiv truediv eq gt lt ge le mod".split()]
OPERATORS += [lambda n=n: _integers(n) for n in ("floordiv", "mod")]
OPERATORS += [lambda n=n: _one(n) for n in "sym_float sym_int neg sym_not ceil round trunc".split()]
OPERATORS += [ite, sizes, views]
