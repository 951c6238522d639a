"""Operators that read and write by index or mask."""
import torch

from ..corpus import ALL, FLOATS, Operator, Out
from .data import bounded, indices, last, seed, x

F32, I64, I32 = torch.float32, torch.int64, torch.int32


def gather():
    op = Operator("aten::gather.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), 1, indices(4, 3, 2))
    for sizes, dim, shape in (([3, 4], 0, [2, 4]), ([3, 4], 0, [2, 3]), ([2, 3, 4], -1, [2, 3, 5]), ([2, 3, 4], 1, [1, 2, 3]), ([5], 0, [7]), ([], 0, []), ([], 0, [3]), ([3, 4], 1, [3, 0])):
        op(x(F32, *sizes), dim, indices(max(sizes[dim], 1) if sizes else 1, *shape), hint="dim")
    op(x(F32, 3, 4), 1, indices(4, 3, 2, dtype=I32), out=Out(F32, [3, 2]), hint="index_type")
    op(x(F32, 3, 4), 1, torch.tensor([[4], [0], [1]]), out=Out(F32, [3, 1]), hint="index_too_big")
    op(x(F32, 3, 4), 1, torch.tensor([[-1], [0], [1]]), out=Out(F32, [3, 1]), hint="index_below_0")
    op(x(F32, 3, 4), 1, indices(4, 5, 2), out=Out(F32, [5, 2]), hint="index_shape")
    op(x(F32, 3, 4), 2, indices(4, 3, 2), out=Out(F32, [3, 2]), hint="dim_out_of_range")
    op(x(F32, 3, 4), 1, indices(4, 3, 2), bound=[4, 4], hint="bound")
    return op


def scatter():
    made = []
    for name in ("scatter.src_out", "scatter_add.out", "scatter.value_out"):
        op = Operator(f"aten::{name}")
        seed(op.name)

        def source(dtype, *sizes, name=name):
            return 2 if "value" in name else x(dtype, *sizes)

        for dtype in ALL:
            op(x(dtype, 3, 4), 1, indices(4, 3, 2), source(dtype, 3, 2), out=Out(dtype, [3, 4]))
        for sizes, dim, shape in (([3, 4], 0, [2, 4]), ([3, 4], 0, [2, 3]), ([2, 3, 4], -1, [2, 3, 4]), ([2, 3, 4], 1, [1, 2, 3]), ([5], 0, [3]), ([], 0, []), ([3, 4], 1, [3, 0])):
            op(x(F32, *sizes), dim, indices(max(sizes[dim], 1) if sizes else 1, *shape), source(F32, *shape), out=Out(F32, sizes), hint="dim")
        op(x(F32, 2, 3), 1, torch.tensor([[1, 1], [2, 2]]), source(F32, 2, 2), hint="same_index")
        op(x(F32, 3, 4), 1, indices(4, 3, 2, dtype=I32), source(F32, 3, 2), out=Out(F32, [3, 4]), hint="index_type")
        op(x(F32, 3, 4), 1, torch.tensor([[4], [0], [1]]), source(F32, 3, 1), out=Out(F32, [3, 4]), hint="index_too_big")
        op(x(F32, 3, 4), 1, torch.tensor([[-1], [0], [1]]), source(F32, 3, 1), out=Out(F32, [3, 4]), hint="index_below_0")
        op(x(F32, 3, 4), 2, indices(4, 3, 2), source(F32, 3, 2), out=Out(F32, [3, 4]), hint="dim_out_of_range")
        if "value" not in name:
            op(x(F32, 3, 4), 1, indices(4, 3, 2), x(F32, 3, 5), hint="larger_source")
            op(x(F32, 3, 4), 1, indices(4, 3, 2), x(I32, 3, 2), out=Out(F32, [3, 4]), hint="source_type")
            op(x(F32, 3, 4), 1, indices(4, 3, 2), x(F32, 3, 1), out=Out(F32, [3, 4]), hint="source_too_small")
        else:
            for number in (2.5, True, float("nan"), 300):
                for dtype in (F32, I32, torch.uint8):
                    op(x(dtype, 3, 4), 1, indices(4, 3, 2), number, out=Out(dtype, [3, 4]), hint="number")
        made.append(op)
    return made


def index():
    op = Operator("aten::index.Tensor_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), [indices(3, 5)], out=Out(dtype, [5, 4]))
    for kind in (I64, I32):
        op(x(F32, 3, 4), [indices(3, 2, dtype=kind), indices(4, 2, dtype=kind)], hint="two")
        op(x(F32, 3, 4), [None, indices(4, 2, 3, dtype=kind)], hint="none_first")
    op(x(F32, 3, 4, 5), [indices(3, 2), None, indices(5, 2)], hint="apart")
    op(x(F32, 3, 4, 5), [None, indices(4, 2), indices(5, 2)], hint="adjacent")
    op(x(F32, 3, 4, 5), [indices(3, 2, 1), indices(4, 3)], hint="broadcast")
    op(x(F32, 3, 4), [torch.tensor([-1, 0, -3])], hint="from_the_end")
    op(x(F32, 3, 4), [torch.tensor(1)], hint="rank0")
    op(x(F32, 3, 4), [indices(3, 0)], hint="empty")
    op(x(F32, 3, 4), [None, None], out=Out(F32, [3, 4]), hint="all_none")
    mask = torch.tensor([True, False, True])
    op(x(F32, 3, 4), [mask], hint="mask")
    op(x(F32, 3, 4), [mask.to(torch.uint8)], out=Out(F32, [2, 4]), hint="byte_mask")
    op(x(F32, 2, 3), [torch.tensor([[True, False, True], [False, False, True]])], hint="mask2d")
    op(x(F32, 3, 4), [None, torch.tensor([True, False, False, True])], hint="mask_second")
    op(x(F32, 3, 4), [mask, torch.tensor([1, 2])], hint="mask_and_index")
    op(x(F32, 3), [torch.tensor([False, False, False])], hint="mask_empty")
    op(x(F32, 3, 4), [mask], bound=[3, 4], hint="mask_bound")
    op(x(F32, 3, 4), [torch.tensor([3])], out=Out(F32, [1, 4]), hint="index_too_big")
    op(x(F32, 3, 4), [torch.tensor([-4])], out=Out(F32, [1, 4]), hint="index_below_end")
    op(x(F32, 3), [indices(3, 2), indices(3, 2)], out=Out(F32, [2]), hint="too_many")
    op(x(F32, 3, 4), [indices(3, 2), indices(4, 3)], out=Out(F32, [2]), hint="does_not_broadcast")
    op(x(F32, 3, 4), [x(F32, 2)], out=Out(F32, [2, 4]), hint="float_index")
    op(x(F32, 3, 4), [], out=Out(F32, [3, 4]), hint="no_index")
    op(x(F32, 3, 4), [torch.tensor([True, False])], out=Out(F32, [1, 4]), hint="mask_too_short")
    return op


def index_put():
    made = []
    for name in ("index_put.out", "index_put_"):
        op = Operator(f"aten::{name}")
        seed(op.name)
        for dtype in ALL:
            for accumulate in (False, True):
                op(x(dtype, 3, 4), [torch.tensor([0, 2])], x(dtype, 2, 4), accumulate)
        for kind in (I64, I32):
            op(x(F32, 3, 4), [indices(3, 2, dtype=kind), indices(4, 2, dtype=kind)], x(F32, 2), hint="two")
        op(x(F32, 3, 4), [None, torch.tensor([1, 3])], x(F32, 3, 2), hint="none_first")
        op(x(F32, 3, 4, 5), [torch.tensor([0, 2]), None, torch.tensor([1, 4])], x(F32, 2, 4), hint="apart")
        op(x(F32, 3, 4), [torch.tensor([1, 1, 1])], x(F32, 3, 4), True, hint="same_index")
        op(x(F32, 3, 4), [torch.tensor([0, 2])], x(F32, 4), hint="broadcast")
        op(x(F32, 3, 4), [torch.tensor([0, 2])], x(F32), hint="number")
        op(x(F32, 3, 4), [torch.tensor([-1])], x(F32, 1, 4), hint="from_the_end")
        mask = torch.tensor([True, False, True])
        op(x(F32, 3, 4), [mask], x(F32, 2, 4), hint="mask")
        op(x(F32, 3, 4), [mask], x(F32), hint="mask_number")
        op(x(F32, 2, 3), [torch.tensor([[True, False, True], [False, False, True]])], x(F32, 3), hint="mask2d")
        op(x(F32, 3, 4), [torch.tensor([3])], x(F32, 1, 4), out=Out(F32, [3, 4]), hint="index_too_big")
        op(x(F32, 3, 4), [torch.tensor([0, 2])], x(F32, 3, 4), out=Out(F32, [3, 4]), hint="values_differ")
        op(x(F32, 3, 4), [torch.tensor([0, 2])], x(I32, 2, 4), out=Out(F32, [3, 4]), hint="values_type")
        op(x(F32, 3, 4), [indices(3, 0)], x(F32, 0, 4), hint="empty")
        op(x(F32, 5), [torch.tensor([4, 0], dtype=I32)], x(F32, 2), hint="rank1")
        op(x(F32, 2, 3, 4), [None, torch.tensor([2, 0])], x(F32, 2, 2, 4), hint="middle")
        op(x(F32, 2, 3, 4), [None, None, torch.tensor([2, 0, 3])], x(F32, 2, 3, 3), hint="third")
        op(bounded(x(F32, 2, 4), 5, 4), [torch.tensor([1])], x(F32, 1, 4), hint="bound")
        made.append(op)
    return made


def index_select():
    op = Operator("aten::index_select.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), 1, indices(4, 5))
    for sizes, dim in (([3, 4], 0), ([2, 3, 4], 1), ([2, 3, 4], -1), ([5], 0)):
        for kind in (I64, I32):
            op(x(F32, *sizes), dim, indices(sizes[dim], 3, dtype=kind), hint="dim")
    op(x(F32), 0, torch.tensor([0]), hint="rank0")
    op(x(F32, 3), 0, torch.tensor(1), hint="index_rank0")
    op(x(F32, 3), 0, indices(3, 0), hint="empty")
    op(x(F32, 3), 0, torch.tensor([3]), out=Out(F32, [1]), hint="index_too_big")
    op(x(F32, 3), 0, torch.tensor([-1]), out=Out(F32, [1]), hint="index_below_0")
    op(x(F32, 3), 0, indices(3, 2, 2), out=Out(F32, [2]), hint="index_rank2")
    op(x(F32, 3), 0, x(F32, 2), out=Out(F32, [2]), hint="float_index")
    return op


def embedding():
    op = Operator("aten::embedding.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 5, 3), indices(5, 4))
    for shape in ([], [2, 3], [0], [1, 1, 2]):
        for kind in (I64, I32):
            op(x(F32, 5, 3), indices(5, *shape, dtype=kind), hint="shape")
    op(x(F32, 5, 3), indices(5, 2), 1, hint="padding_idx")
    op(x(F32, 5, 3), indices(5, 2), -1, True, True, hint="flags")
    op(x(F32, 5, 3), torch.tensor([5]), out=Out(F32, [1, 3]), hint="index_too_big")
    op(x(F32, 5, 3), torch.tensor([-1]), out=Out(F32, [1, 3]), hint="index_below_0")
    op(x(F32, 5), indices(5, 2), out=Out(F32, [2]), hint="weight_rank1")
    op(x(F32, 5, 3), indices(5, 2, dtype=torch.int16), out=Out(F32, [2, 3]), hint="index_type")
    op(x(F32, 5, 3), indices(5, 2), bound=[4, 3], hint="bound")
    return op


def masks():
    a = Operator("aten::masked_fill.Scalar_out")
    seed(a.name)
    for dtype in ALL:
        for number in (2, 1.5, True):
            a(x(dtype, 2, 3), x(torch.bool, 2, 3), number, out=Out(dtype, [2, 3]), hint=type(number).__name__)
    for sizes, mask in (([2, 3], [3]), ([3], [2, 3]), ([2, 3], []), ([], []), ([2, 1, 3], [4, 1]), ([0], [1])):
        a(x(F32, *sizes), x(torch.bool, *mask), -float("inf"), hint="broadcast")
    a(x(F32, 3), x(torch.uint8, 3), 1, out=Out(F32, [3]), hint="byte_mask")
    a(x(F32, 3), x(torch.bool, 2), 1, out=Out(F32, [3]), hint="does_not_broadcast")
    a(last(x(F32, 1, 3, 2, 2)), last(x(torch.bool, 1, 3, 2, 2)), 0, hint="channels_last")
    b = Operator("aten::masked_scatter.out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 2, 3), x(torch.bool, 2, 3), x(dtype, 6))
    for sizes, mask in (([2, 3], [3]), ([2, 3], []), ([], []), ([1, 3], [2, 3])):
        b(x(F32, *sizes), x(torch.bool, *mask), x(F32, 12), hint="broadcast")
    b(x(F32, 3), torch.tensor([True, True, True]), x(F32, 2), out=Out(F32, [3]), hint="source_too_short")
    b(x(F32, 3), x(torch.bool, 3), x(I32, 3), out=Out(F32, [3]), hint="source_type")
    b(x(F32, 3), x(torch.uint8, 3), x(F32, 3), out=Out(F32, [3]), hint="byte_mask")
    c = Operator("aten::masked_select.out")
    seed(c.name)
    for dtype in ALL:
        c(x(dtype, 2, 3), x(torch.bool, 2, 3), bound=[6])
    for sizes, mask in (([2, 3], [3]), ([3], [2, 3]), ([], []), ([2, 3], [2, 1])):
        c(x(F32, *sizes), x(torch.bool, *mask), bound=[12], hint="broadcast")
    c(x(F32, 3), torch.zeros(3).bool(), bound=[3], hint="none")
    c(x(F32, 3), torch.ones(3).bool(), hint="static")
    c(x(F32, 3), x(torch.uint8, 3), out=Out(F32, [3]), hint="byte_mask")
    d = Operator("aten::nonzero.out")
    seed(d.name)
    for dtype in ALL:
        d(x(dtype, 2, 3), bound=[6, 2])
    for sizes in ([], [4], [2, 2, 2], [0], [2, 0]):
        numel = torch.Size(sizes).numel()
        d(x(torch.bool, *sizes), bound=[max(numel, 1), len(sizes)], hint="rank")
    d(torch.tensor([0.0, -0.0, float("nan"), 1.0]), bound=[4, 1], hint="special")
    d(torch.zeros(3), bound=[3, 1], hint="zeros")
    d(torch.ones(3), out=Out(I32, [3, 1]), hint="index_type")
    d(torch.ones(3), out=Out(I64, [2, 1]), hint="out_too_small")
    return [a, b, c, d]


def partial_writes():
    a = Operator("aten::select_scatter.out")
    seed(a.name)
    for dtype in ALL:
        a(x(dtype, 3, 4), x(dtype, 4), 0, 1)
    for sizes, dim, at in (([2, 3, 4], 1, 2), ([2, 3, 4], -1, -1), ([5], 0, 3)):
        shape = [s for d, s in enumerate(sizes) if d != dim % len(sizes)]
        a(x(F32, *sizes), x(F32, *shape), dim, at, hint="dim")
    a(x(F32, 3, 4), x(I32, 4), 0, 1, out=Out(F32, [3, 4]), hint="source_type")
    a(x(F32, 3, 4), x(F32, 3), 0, 1, out=Out(F32, [3, 4]), hint="source_shape")
    a(x(F32, 3, 4), x(F32, 4), 0, 3, out=Out(F32, [3, 4]), hint="index_too_big")
    b = Operator("aten::slice_scatter.out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 5, 3), x(dtype, 3, 3), 0, 1, 4, 1)
    for dim, start, end, step, count in ((0, None, None, 2, 3), (1, 1, None, 1, 2), (-1, -2, 9223372036854775807, 1, 2), (0, 4, 2, 1, 0), (0, -9, 3, 1, 3)):
        shape = [5, 3]
        shape[dim] = count
        b(x(F32, 5, 3), x(F32, *shape), dim, start, end, step, hint="slice")
    b(x(F32, 5), x(I32, 2), 0, 0, 2, 1, out=Out(F32, [5]), hint="source_type")
    b(x(F32, 5), x(F32, 3), 0, 0, 2, 1, out=Out(F32, [5]), hint="source_shape")
    b(x(F32, 5), x(F32, 2), 0, 0, 2, 0, out=Out(F32, [5]), hint="step0")
    return [a, b]


OPERATORS = [gather, scatter, index, index_put, index_select, embedding, masks, partial_writes]
assert FLOATS
