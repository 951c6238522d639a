"""Matrix products."""
import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import seed, x

F32 = torch.float32


def _types(op, make, sizes):
    """Every type by itself, and some that differ."""
    for dtype in ALL:
        op(*make(dtype, dtype), out=Out(dtype, sizes))
    for a, b in ((F32, torch.float64), (F32, torch.int32), (torch.float16, F32), (torch.bfloat16, torch.float16)):
        op(*make(a, b), out=Out(torch.promote_types(a, b), sizes), hint="mixed")
    op(*make(F32, F32), out=Out(torch.float64, sizes), hint="out_type")


def mm():
    op = Operator("aten::mm.out")
    seed(op.name)
    _types(op, lambda a, b: (x(a, 3, 4), x(b, 4, 2)), [3, 2])
    for n, k, m in ((1, 1, 1), (1, 5, 1), (5, 1, 4), (7, 9, 5), (16, 17, 18), (0, 3, 2), (2, 0, 3), (2, 3, 0)):
        for dtype in (F32, torch.float16, torch.int64):
            op(x(dtype, n, k), x(dtype, k, m), hint=f"{n}x{k}x{m}")
    op(x(F32, 3, 4), x(F32, 4, 2), bound=[6, 4], hint="bound")
    op(x(F32, 3, 4), x(F32, 3, 2), out=Out(F32, [3, 2]), hint="inner_differs")
    op(x(F32, 3, 4, 2), x(F32, 2, 2), out=Out(F32, [3, 2]), hint="rank3")
    op(x(F32, 3, 4), x(F32, 4, 2), out=Out(F32, [2, 3]), hint="wrong_out_shape")
    op(torch.tensor([[float("nan"), 1.0], [float("inf"), 0.0]]), torch.tensor([[0.0, 1.0], [-1.0, 0.0]]), hint="special")
    return op


def bmm():
    op = Operator("aten::bmm.out")
    seed(op.name)
    _types(op, lambda a, b: (x(a, 2, 3, 4), x(b, 2, 4, 2)), [2, 3, 2])
    for b, n, k, m in ((1, 1, 1, 1), (3, 4, 8, 5), (2, 16, 17, 9), (0, 2, 3, 4), (2, 0, 3, 4), (2, 3, 0, 4)):
        for dtype in (F32, torch.float16, torch.int32):
            op(x(dtype, b, n, k), x(dtype, b, k, m), hint=f"{b}x{n}x{k}x{m}")
    op(x(F32, 2, 3, 4), x(F32, 2, 4, 2), bound=[2, 6, 4], hint="bound")
    op(x(F32, 2, 3, 4), x(F32, 3, 4, 2), out=Out(F32, [2, 3, 2]), hint="batch_differs")
    op(x(F32, 2, 3, 4), x(F32, 2, 3, 2), out=Out(F32, [2, 3, 2]), hint="inner_differs")
    op(x(F32, 3, 4), x(F32, 4, 2), out=Out(F32, [3, 2]), hint="rank2")
    return op


def addmm():
    op = Operator("aten::addmm.out")
    seed(op.name)
    _types(op, lambda a, b: (x(a, 3, 2), x(a, 3, 4), x(b, 4, 2)), [3, 2])
    for sizes in ([2], [1, 2], [3, 1], [1, 1], [1], []):
        for dtype in (F32, torch.float16):
            op(x(dtype, *sizes), x(dtype, 3, 4), x(dtype, 4, 2), hint="bias_" + "x".join(map(str, sizes)))
    for beta, alpha in ((0, 1), (1, 0), (2, 3), (0.5, -1.5), (True, True)):
        for dtype in (F32, torch.bfloat16, torch.int32):
            op(x(dtype, 2), x(dtype, 3, 4), x(dtype, 4, 2), beta=beta, alpha=alpha, hint="scaled")
    nan = torch.full((2,), float("nan"))
    op(nan, x(F32, 3, 4), x(F32, 4, 2), beta=0, hint="beta0_nan_bias")
    for n, k, m in ((1, 1, 1), (9, 16, 17), (0, 3, 2), (2, 0, 3), (2, 3, 0)):
        op(x(F32, m), x(F32, n, k), x(F32, k, m), hint=f"{n}x{k}x{m}")
    op(x(F32, 2), x(F32, 3, 4), x(F32, 4, 2), bound=[6, 4], hint="bound")
    op(x(F32, 3), x(F32, 3, 4), x(F32, 4, 2), out=Out(F32, [3, 2]), hint="bias_does_not_broadcast")
    op(x(F32, 2, 3, 2), x(F32, 3, 4), x(F32, 4, 2), out=Out(F32, [3, 2]), hint="bias_rank3")
    op(x(F32, 2), x(F32, 3, 4), x(F32, 3, 2), out=Out(F32, [3, 2]), hint="inner_differs")
    return op


def linear():
    op = Operator("aten::linear.out")
    seed(op.name)
    _types(op, lambda a, b: (x(a, 3, 4), x(b, 2, 4)), [3, 2])
    for dtype in FLOATS:
        op(x(dtype, 3, 4), x(dtype, 2, 4), x(dtype, 2), hint="bias")
    for sizes in ([4], [1, 4], [2, 3, 4], [2, 1, 3, 4], [0, 4]):
        op(x(F32, *sizes), x(F32, 5, 4), hint="rank")
        op(x(F32, *sizes), x(F32, 5, 4), x(F32, 5), hint="rank_bias")
    op(x(F32, 3, 4), x(F32, 4), out=Out(F32, [3]), hint="weight_rank1")
    op(x(F32, 3, 4), x(F32, 2, 5), out=Out(F32, [3, 2]), hint="inner_differs")
    op(x(F32, 3, 4), x(F32, 2, 4), x(F32, 3), out=Out(F32, [3, 2]), hint="bias_differs")
    op(x(F32, 3, 4), x(F32, 2, 4), x(F32, 1), out=Out(F32, [3, 2]), hint="bias_one")
    op(x(F32, 3, 4), x(F32, 2, 4), bound=[6, 4], hint="bound")
    return op


OPERATORS = [mm, bmm, addmm, linear]
