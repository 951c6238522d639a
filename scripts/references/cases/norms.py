"""Normalisation and dropout."""
import itertools

import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import last, positive, seed, special, x

F32 = torch.float32


def layer_norm():
    op = Operator("aten::native_layer_norm.out")
    seed(op.name)

    def outs(dtype, sizes, normalized):
        stat = list(sizes[: len(sizes) - len(normalized)]) + [1] * len(normalized)
        return [Out(dtype, sizes), Out(dtype, stat), Out(dtype, stat)]

    for dtype in ALL:
        op(x(dtype, 3, 5), [5], x(dtype, 5), x(dtype, 5), 1e-5, out=outs(dtype, [3, 5], [5]))
    for weight, bias in itertools.product([True, False], repeat=2):
        for sizes, normalized in (([3, 5], [5]), ([2, 3, 4], [3, 4]), ([4], [4]), ([2, 3, 4], [2, 3, 4])):
            w = x(F32, *normalized) if weight else None
            b = x(F32, *normalized) if bias else None
            op(x(F32, *sizes), normalized, w, b, 1e-5, hint="weight%d_bias%d" % (weight, bias))
    for eps in (0.0, 1.0, 1e-12):
        op(x(F32, 2, 6), [6], None, None, eps, hint="eps")
    op(torch.full((2, 3), 4.0), [3], None, None, 1e-5, hint="constant")
    op(special().reshape(2, -1), [11], None, None, 1e-5, hint="special")
    op(x(F32, 0, 5), [5], None, None, 1e-5, hint="empty")
    op(x(F32, 2, 0), [0], None, None, 1e-5, hint="empty_row")
    op(x(F32, 2, 33), [33], x(F32, 33), x(F32, 33), 1e-5, hint="long_row")
    op(x(F32, 2, 5), [4], None, None, 1e-5, out=outs(F32, [2, 5], [5]), hint="shape_differs")
    op(x(F32, 2, 5), [], None, None, 1e-5, out=outs(F32, [2, 5], []), hint="no_shape")
    op(x(F32, 2, 5), [5], x(F32, 4), None, 1e-5, out=outs(F32, [2, 5], [5]), hint="weight_differs")
    op(x(F32, 2, 5), [5], x(torch.float64, 5), None, 1e-5, out=outs(F32, [2, 5], [5]), hint="weight_type")
    op(x(torch.float16, 2, 5), [5], x(torch.float16, 5), None, 1e-5, out=outs(torch.float16, [2, 5], [5]))
    op(last(x(F32, 1, 2, 3, 4)), [4], None, None, 1e-5, hint="channels_last",
       out=[Out(F32, [1, 2, 3, 4], (0, 2, 3, 1)), Out(F32, [1, 2, 3, 1]), Out(F32, [1, 2, 3, 1])])  # fmt: skip
    return op


def group_norm():
    op = Operator("aten::native_group_norm.out")
    seed(op.name)

    def call(sizes, groups, weight=True, bias=True, eps=1e-5, dtype=F32, hint="", **kw):
        n, c = sizes[:2]
        rest = torch.Size(sizes[2:]).numel()
        w, b = x(dtype, c) if weight else None, x(dtype, c) if bias else None
        outs = [Out(dtype, sizes), Out(dtype, [n, groups]), Out(dtype, [n, groups])]
        op(x(dtype, *sizes), w, b, n, c, rest, groups, eps, out=kw.pop("out", outs), hint=hint, **kw)

    for dtype in ALL:
        call([2, 4, 3], 2, dtype=dtype)
    for groups in (1, 2, 3, 6):
        for weight, bias in itertools.product([True, False], repeat=2):
            call([2, 6, 2, 3], groups, weight, bias, hint=f"groups{groups}")
    call([2, 6, 2, 3], 3, eps=0.5, hint="eps")
    call([1, 4], 2, hint="rank2")
    call([0, 4, 3], 2, hint="empty")
    call([2, 4, 0], 2, hint="empty_rest")
    call([2, 4, 3], 3, hint="groups_do_not_divide")
    op(x(F32, 2, 4, 3), None, None, 2, 4, 5, 2, 1e-5,
       out=[Out(F32, [2, 4, 3]), Out(F32, [2, 2]), Out(F32, [2, 2])], hint="wrong_extent")  # fmt: skip
    return op


def batch_norm_no_training():
    op = Operator("aten::_native_batch_norm_legit_no_training.out")
    seed(op.name)

    def call(sizes, weight=True, bias=True, eps=1e-5, dtype=F32, order=None, hint="", c=None):
        c = c or sizes[1]
        w, b = x(dtype, c) if weight else None, x(dtype, c) if bias else None
        i = last(x(dtype, *sizes)) if order else x(dtype, *sizes)
        outs = [Out(dtype, sizes, order), Out(dtype, [0]), Out(dtype, [0])]
        op(i, w, b, x(dtype, c), positive(dtype, c), 0.1, eps, out=outs, hint=hint)

    for dtype in ALL:
        call([2, 3, 4], dtype=dtype)
    for weight, bias in itertools.product([True, False], repeat=2):
        for sizes in ([2, 3], [2, 3, 4], [2, 3, 2, 2], [1, 3, 2, 2, 2]):
            call(sizes, weight, bias, hint="weight%d_bias%d" % (weight, bias))
    call([2, 3, 2, 2], order=(0, 2, 3, 1), hint="channels_last")
    call([1, 3, 2, 2, 2], order=(0, 2, 3, 4, 1), hint="channels_last")
    call([2, 3, 4], eps=0.1, hint="eps")
    call([0, 3, 4], hint="empty")
    call([3], c=3, hint="rank1")
    call([2, 3, 4], c=4, hint="channels_differ")
    op(x(F32, 2, 3), None, None, torch.zeros(3), torch.tensor([0.0, -1.0, float("inf")]), 0.1, 0.0,
       out=[Out(F32, [2, 3]), Out(F32, [0]), Out(F32, [0])], hint="odd_variance")  # fmt: skip
    return op


def batch_norm_legit():
    op = Operator("aten::_native_batch_norm_legit.out")
    seed(op.name)
    for training in (False, True):
        for dtype in FLOATS + [torch.int32]:
            stats = [3] if training else [0]
            outs = [Out(dtype, [2, 3, 4]), Out(dtype, stats), Out(dtype, stats)]
            op(x(dtype, 2, 3, 4), x(dtype, 3), x(dtype, 3), x(dtype, 3), positive(dtype, 3), training, 0.1, 1e-5,
               out=outs, hint="training" if training else "")  # fmt: skip
    outs = [Out(F32, [2, 3, 4]), Out(F32, [0]), Out(F32, [0])]
    op(x(F32, 2, 3, 4), None, None, x(F32, 3), positive(F32, 3), False, 0.1, 1e-5, out=outs, hint="no_weight")
    return op


def batch_norm_no_stats():
    op = Operator("aten::_native_batch_norm_legit.no_stats_out")
    seed(op.name)

    def call(sizes, weight=True, bias=True, training=True, dtype=F32, order=None, hint=""):
        c = sizes[1]
        w, b = x(dtype, c) if weight else None, x(dtype, c) if bias else None
        i = last(x(dtype, *sizes)) if order else x(dtype, *sizes)
        op(i, w, b, training, 0.1, 1e-5, out=[Out(dtype, sizes, order), Out(dtype, [c]), Out(dtype, [c])], hint=hint)

    for dtype in ALL:
        call([2, 3, 4], dtype=dtype)
    for weight, bias in itertools.product([True, False], repeat=2):
        for sizes in ([2, 3], [2, 3, 2, 2]):
            call(sizes, weight, bias, hint="weight%d_bias%d" % (weight, bias))
    call([2, 3, 4], training=False, hint="not_training")
    call([2, 3, 2, 2], order=(0, 2, 3, 1), hint="channels_last")
    return op


def dropout():
    op = Operator("aten::native_dropout.out")
    seed(op.name)
    for dtype in ALL:
        outs = [Out(dtype, [2, 3]), Out(torch.bool, [2, 3])]
        op(x(dtype, 2, 3), 0.5, False, out=outs, hint="inference")
        op(x(dtype, 2, 3), 0.0, True, out=outs, hint="p0")
        op(x(dtype, 2, 3), 1.0, True, out=outs, hint="p1")
    outs = [Out(F32, [2, 3]), Out(torch.bool, [2, 3])]
    op(x(F32, 2, 3), 0.5, True, out=outs, hint="random")
    op(x(F32, 2, 3), 0.5, None, out=outs, hint="train_none")
    op(x(F32, 2, 3), 1.5, True, out=outs, hint="p_over_1")
    return op


OPERATORS = [layer_norm, group_norm, batch_norm_no_training, batch_norm_legit, batch_norm_no_stats, dropout]
