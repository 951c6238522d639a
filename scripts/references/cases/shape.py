"""Operators that copy, move or select elements."""
import torch

from ..corpus import ALL, FLOATS, INTS, Operator, Out
from .data import indices, last, ordered, seed, x

F32, I64 = torch.float32, torch.int64


def _types(op, call):
    for dtype in ALL:
        call(x(dtype, 2, 3))


def copies(name):
    """Operators that only copy: `clone`, `alias_copy` and the like."""
    op = Operator(f"aten::{name}.out")
    seed(op.name)
    _types(op, op)
    for sizes in ([], [0], [2, 0, 3], [2, 3, 4, 5], [1, 2, 1, 3, 2]):
        op(x(F32, *sizes), hint="rank")
    op(last(x(F32, 1, 3, 2, 2)), hint="channels_last")
    op(last(x(F32, 1, 3, 2, 2)), out=Out(F32, [1, 3, 2, 2]), hint="order_differs")
    op(x(F32, 2, 3), out=Out(torch.float64, [2, 3]), hint="out_type")
    op(x(F32, 2, 3), out=Out(F32, [3, 2]), hint="wrong_out_shape")
    op(x(F32, 2, 3), bound=[4, 3], hint="bound")
    if name == "clone":
        for number in (0, 1, 2, 3):
            op(x(F32, 1, 3, 2, 2), memory_format=number, out=Out(F32, [1, 3, 2, 2]), hint=f"format{number}")
    return op


def copy():
    op = Operator("aten::copy.out")
    seed(op.name)
    for a in ALL:
        for b in ALL:
            op(x(a, 2, 3), x(b, 2, 3), out=Out(a, [2, 3]))
    for b in ([3], [1, 3], [2, 1], []):
        op(x(F32, 2, 3), x(F32, *b), hint="broadcast")
    op(x(F32, 2, 3), x(F32, 4), out=Out(F32, [2, 3]), hint="does_not_broadcast")
    op(x(F32, 2, 3), x(F32, 2, 3), True, out=Out(F32, [2, 3]), hint="non_blocking")
    op(torch.zeros(6), torch.tensor([1e10, -1e10, 300.7, -1.5, float("inf"), 2.9]), hint="large")
    return op


def copy_in_place():
    op = Operator("aten::copy_")
    seed(op.name)
    for a in ALL:
        for b in (a, F32, torch.int32):
            op(x(a, 2, 3), x(b, 2, 3))
    for b in ([3], [1, 3], [2, 1], []):
        op(x(F32, 2, 3), x(F32, *b), hint="broadcast")
    op(x(F32, 3), x(F32, 2, 3), hint="does_not_broadcast")
    op(x(F32, 0), x(F32, 0), hint="empty")
    return op


def to_copy():
    op = Operator("aten::_to_copy.out")
    seed(op.name)
    for a in ALL:
        for b in ALL:
            op(x(a, 2, 3), out=Out(b, [2, 3]))
    for a in FLOATS:
        big = torch.tensor([float("nan"), float("inf"), -float("inf"), 3e9, -3e9, 255.9, -1.9, 1e30, 65504.0]).to(a)
        for b in ALL:
            op(big, out=Out(b, [9]), hint="large")
    for number in (0, 1, 2):
        op(x(F32, 1, 3, 2, 2), memory_format=number, out=Out(F32, [1, 3, 2, 2]), hint=f"format{number}")
    op(x(F32, 2, 3), out=Out(F32, [3, 2]), hint="wrong_out_shape")
    op(x(F32, 2, 3), non_blocking=True, out=Out(F32, [2, 3]), hint="non_blocking")
    return op


def dim_orders(name):
    """`_to_dim_order_copy` and `_clone_dim_order`."""
    op = Operator(f"dim_order_ops::{name}.out")
    seed(op.name)
    nhwc, nchw = (0, 2, 3, 1), (0, 1, 2, 3)
    for a in ALL:
        op(x(a, 2, 3), dim_order=[0, 1], out=Out(a, [2, 3]))
        op(x(a, 1, 3, 2, 4), dim_order=list(nhwc), out=Out(a, [1, 3, 2, 4], nhwc), hint="to_last")
        op(last(x(a, 1, 3, 2, 4)), dim_order=list(nchw), out=Out(a, [1, 3, 2, 4]), hint="to_plain")
        for b in ALL:
            if a != b:
                op(x(a, 2, 3), dim_order=[0, 1], out=Out(b, [2, 3]), hint="to_type")
    op(last(x(F32, 2, 3, 2, 4)), dim_order=list(nhwc), out=Out(F32, [2, 3, 2, 4], nhwc), hint="last_to_last")
    op(last(x(F32, 2, 3, 2, 4)), dim_order=None, out=Out(F32, [2, 3, 2, 4], nhwc), hint="none_keeps")
    op(last(x(F32, 2, 3, 2, 4)), dim_order=None, out=Out(F32, [2, 3, 2, 4]), hint="none_differs")
    op(x(F32, 2, 3, 2, 4), dim_order=None, out=Out(F32, [2, 3, 2, 4]), hint="none")
    op(x(F32, 2, 3, 2, 4), dim_order=list(nhwc), out=Out(F32, [2, 3, 2, 4]), hint="out_differs")
    op(x(F32, 2, 3, 2, 4), dim_order=[0, 3, 1, 2], out=Out(F32, [2, 3, 2, 4], (0, 3, 1, 2)), hint="other_order")
    op(x(F32, 2, 3, 2, 4), dim_order=[0, 1, 2], out=Out(F32, [2, 3, 2, 4]), hint="too_short")
    op(x(F32, 2, 3, 2, 4), dim_order=[0, 0, 2, 3], out=Out(F32, [2, 3, 2, 4]), hint="twice")
    op(x(F32, 1, 2, 2, 3, 2), dim_order=[0, 2, 3, 4, 1], out=Out(F32, [1, 2, 2, 3, 2], (0, 2, 3, 4, 1)), hint="rank5")
    op(ordered(x(F32, 2, 3), 1, 0), dim_order=[0, 1], out=Out(F32, [2, 3]), hint="column_major")
    op(x(F32), dim_order=[], out=Out(F32, []), hint="rank0")
    op(x(F32, 0, 3), dim_order=[0, 1], out=Out(F32, [0, 3]), hint="empty")
    op(x(F32, 2, 3), True, dim_order=[0, 1], out=Out(F32, [2, 3]), hint="non_blocking")
    op(x(F32, 2, 3), dim_order=[0, 1], out=Out(F32, [2, 3], None, [4, 3]), hint="bound")
    if name == "_to_dim_order_copy":
        big = torch.tensor([float("nan"), float("inf"), -float("inf"), 3e9, -3e9, 255.9, -1.9, 1e30, 65504.0])
        for b in ALL:
            op(big, dim_order=[0], out=Out(b, [9]), hint="large")
    return op


def empty_dim_order():
    op = Operator("dim_order_ops::_empty_dim_order.out")
    op([2, 3], dim_order=[0, 1], out=Out(F32, [2, 3]))
    op([1, 3, 2, 2], dim_order=[0, 2, 3, 1], out=Out(F32, [1, 3, 2, 2], (0, 2, 3, 1)), hint="channels_last")
    op([2, 3], dim_order=None, out=Out(F32, [2, 3]), hint="none")
    op([2, 3], dim_order=[1, 0], out=Out(F32, [2, 3]), hint="out_differs")
    return op


def device_copies():
    made = []
    for name in ("_h2d_copy", "_d2h_copy"):
        op = Operator(f"et_copy::{name}.out")
        seed(op.name)
        for dtype in (F32, torch.int32, torch.bool):
            op(x(dtype, 2, 3), out=Out(dtype, [2, 3]), hint="host_to_host")
        made.append(op)
    return made


def view():
    op = Operator("aten::view_copy.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 2, 6), [3, 4])
    for sizes, to in (([2, 6], [12]), ([2, 6], [-1]), ([2, 6], [3, -1]), ([2, 6], [1, 12, 1]), ([], [1]), ([1], []),
                      ([0, 3], [3, 0]), ([2, 3, 4], [6, 4]), ([2, 6], [2, 1, 3, 1, 2])):  # fmt: skip
        op(x(F32, *sizes), to, hint="view")
    op(x(F32, 2, 6), [5, 2], out=Out(F32, [5, 2]), hint="numel_differs")
    op(x(F32, 2, 6), [-1, -1], out=Out(F32, [12, 1]), hint="two_unknown")
    op(x(F32, 2, 6), [3, 4], out=Out(F32, [4, 3]), hint="wrong_out_shape")
    op(x(F32, 2, 6), [3, 4], out=Out(torch.float64, [3, 4]), hint="out_type")
    op(x(F32, 2, 6), [3, 4], bound=[6, 4], hint="bound")
    op(last(x(F32, 1, 3, 2, 2)), [3, 4], out=Out(F32, [3, 4]), hint="channels_last")
    return op


def permute():
    op = Operator("aten::permute_copy.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 2, 3), [1, 0])
    for sizes, dims in (([2, 3, 4], [2, 0, 1]), ([2, 3, 4], [0, 1, 2]), ([2, 3, 4], [-1, 0, -2]), ([], []), ([5], [0]),
                        ([1, 2, 3, 4], [0, 3, 1, 2]), ([2, 0, 3], [2, 1, 0]), ([2, 1, 3, 2, 2], [4, 3, 2, 1, 0])):  # fmt: skip
        op(x(F32, *sizes), dims, hint="dims")
    op(x(F32, 2, 3), [0, 0], out=Out(F32, [2, 2]), hint="twice")
    op(x(F32, 2, 3), [0], out=Out(F32, [2]), hint="too_short")
    op(x(F32, 2, 3), [0, 2], out=Out(F32, [2, 3]), hint="out_of_range")
    op(x(F32, 2, 3), [1, 0], bound=[3, 4], hint="bound")
    op(last(x(F32, 1, 3, 2, 4)), [0, 2, 3, 1], out=Out(F32, [1, 2, 4, 3]), hint="channels_last")
    return op


def transposes():
    op = Operator("aten::transpose_copy.int_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 2, 3), 0, 1)
    for sizes, a, b in (([2, 3, 4], 0, 2), ([2, 3, 4], -1, -2), ([2, 3, 4], 1, 1), ([], 0, 0), ([], -1, 0), ([5], 0, -1), ([2, 0], 0, 1)):
        op(x(F32, *sizes), a, b, hint="dims")
    op(x(F32, 2, 3), 0, 2, out=Out(F32, [2, 3]), hint="out_of_range")
    t = Operator("aten::t_copy.out")
    seed(t.name)
    for dtype in ALL:
        t(x(dtype, 2, 3))
    for sizes in ([], [4], [0, 2]):
        t(x(F32, *sizes), hint="rank")
    t(x(F32, 2, 3, 4), out=Out(F32, [2, 3, 4]), hint="rank3")
    return [op, t]


def expand():
    op = Operator("aten::expand_copy.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 1, 3), [2, 3])
    for sizes, to in (([3], [2, 3]), ([1], [4]), ([], [2, 2]), ([2, 1], [2, 4]), ([2, 1], [3, -1, 4]), ([1, 3], [-1, 3]), ([2, 3], [2, 3]), ([1, 3], [0, 3])):
        op(x(F32, *sizes), to, hint="to")
    op(x(F32, 2), [3], out=Out(F32, [3]), hint="does_not_expand")
    op(x(F32, 3), [-1, 3], out=Out(F32, [1, 3]), hint="unknown_new_dim")
    op(x(F32, 1, 3), [2, 3], implicit=True, out=Out(F32, [2, 3]), hint="implicit")
    op(x(F32, 1, 3), [2, 3], bound=[4, 3], hint="bound")
    return op


def squeezes():
    a = Operator("aten::squeeze_copy.dim_out")
    seed(a.name)
    for dtype in ALL:
        a(x(dtype, 2, 1, 3), 1)
    for sizes, dim in (([2, 1, 3], 0), ([2, 1, 3], -2), ([1], 0), ([], 0), ([1, 1], 1)):
        a(x(F32, *sizes), dim, hint="dim")
    a(x(F32, 2), 1, out=Out(F32, [2]), hint="out_of_range")
    b = Operator("aten::squeeze_copy.dims_out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 1, 2, 1, 3), [0, 2])
    for sizes, dims in (([1, 2, 1], []), ([1, 2, 1], [0, 1]), ([1, 2, 1], [-1]), ([], [0]), ([1, 1], [0, 1])):
        b(x(F32, *sizes), dims, hint="dims")
    b(x(F32, 1, 2), [0, 0], out=Out(F32, [2]), hint="twice")
    b(last(x(F32, 1, 3, 1, 1)), [2, 3], out=Out(F32, [1, 3]), hint="channels_last")
    c = Operator("aten::unsqueeze_copy.out")
    seed(c.name)
    for dtype in ALL:
        c(x(dtype, 2, 3), 1)
    for sizes, dim in (([2, 3], 0), ([2, 3], 2), ([2, 3], -1), ([2, 3], -3), ([], 0), ([], -1), ([0], 1)):
        c(x(F32, *sizes), dim, hint="dim")
    c(x(F32, 2), 2, out=Out(F32, [2, 1]), hint="out_of_range")
    c(x(F32, 2), 1, out=Out(torch.float64, [2, 1]), hint="out_type")
    return [a, b, c]


def cat():
    op = Operator("aten::cat.out")
    seed(op.name)
    for dtype in ALL:
        op([x(dtype, 2, 3), x(dtype, 1, 3)], 0)
        op([x(dtype, 2, 3), x(dtype, 2, 1), x(dtype, 2, 2)], 1)
    # The portable kernel copies bytes where the sizes of the elements agree, whatever the types.
    op([x(F32, 2, 3), x(torch.int32, 2, 3)], 0, hint="bytes_overflow")
    for a, b in ((torch.int32, torch.float64), (torch.float16, torch.bfloat16), (torch.uint8, torch.int8), (torch.bool, torch.int64), (F32, torch.float64)):
        op([x(a, 2, 3), x(b, 2, 3)], 0, hint="mixed")
    for sizes, dim in (([2, 3, 4], 1), ([2, 3, 4], -1), ([2, 3, 4], -3), ([4], 0), ([2, 0, 3], 1)):
        op([x(F32, *sizes), x(F32, *sizes), x(F32, *sizes)], dim, hint="dim")
    op([x(F32, 2, 3), x(F32, 0), x(F32, 1, 3)], 0, hint="empty_rank1")
    op([x(F32, 0), x(F32, 0)], 0, hint="all_empty")
    op([x(F32, 2, 3)], 0, hint="one")
    op([x(F32, 2, 3), x(F32, 2, 4)], 0, out=Out(F32, [4, 3]), hint="sizes_differ")
    op([x(F32, 2, 3), x(F32, 2)], 0, out=Out(F32, [3, 3]), hint="ranks_differ")
    op([x(F32, 2)], 1, out=Out(F32, [2]), hint="out_of_range")
    op([x(F32), x(F32)], 0, out=Out(F32, [2]), hint="rank0")
    op([last(x(F32, 1, 2, 2, 2)), last(x(F32, 1, 3, 2, 2))], 1, hint="channels_last")
    op([last(x(F32, 1, 2, 2, 2)), x(F32, 1, 2, 2, 2)], 1, out=Out(F32, [1, 4, 2, 2]), hint="orders_differ")
    op([x(F32, 2, 3), x(F32, 1, 3)], 0, out=Out(torch.float64, [3, 3]), hint="out_type")
    op([x(F32, 2, 3), x(F32, 1, 3)], 0, bound=[6, 3], hint="bound")
    return op


def stack():
    op = Operator("aten::stack.out")
    seed(op.name)
    for dtype in ALL:
        op([x(dtype, 2, 3), x(dtype, 2, 3)], 0)
    for sizes, dim in (([2, 3], 1), ([2, 3], 2), ([2, 3], -1), ([], 0), ([0], 0), ([2, 3], -3)):
        op([x(F32, *sizes)] * 3, dim, hint="dim")
    op([x(F32, 2), x(torch.int32, 2)], 0, hint="mixed")
    op([x(F32, 2), x(F32, 3)], 0, out=Out(F32, [2, 2]), hint="sizes_differ")
    op([x(F32, 2)], 0, hint="one")
    return op


def selects():
    a = Operator("aten::select_copy.int_out")
    seed(a.name)
    for dtype in ALL:
        a(x(dtype, 2, 3), 0, 1)
    for sizes, dim, index in (([2, 3, 4], 1, 2), ([2, 3, 4], -1, -1), ([2, 3, 4], 2, -4), ([5], 0, 3), ([0, 3], 1, 1)):
        a(x(F32, *sizes), dim, index, hint="dim")
    a(x(F32, 2, 3), 1, 3, out=Out(F32, [2]), hint="index_out_of_range")
    a(x(F32, 2, 3), 2, 0, out=Out(F32, [2]), hint="dim_out_of_range")
    a(x(F32), 0, 0, out=Out(F32, []), hint="rank0")
    b = Operator("aten::slice_copy.Tensor_out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 5, 3), 0, 1, 4)
    for start, end, step in ((None, None, 1), (0, 9223372036854775807, 2), (-3, None, 1), (1, -1, 2), (4, 2, 1), (7, 9, 1), (-9, 3, 1), (0, 6, 4), (5, 5, 1)):
        for dim in (0, 1, -1):
            b(x(F32, 6, 5), dim, start, end, step, hint="slice")
    b(x(F32, 6), 0, 0, 6, 0, out=Out(F32, [6]), hint="step0")
    b(x(F32, 6), 0, 5, 0, -1, out=Out(F32, [5]), hint="negative_step")
    b(x(F32, 6), 1, 0, 1, 1, out=Out(F32, [6]), hint="dim_out_of_range")
    b(x(F32, 6), 0, 1, 4, 1, bound=[6], hint="bound")
    b(last(x(F32, 1, 3, 4, 2)), 2, 1, 3, 1, out=Out(F32, [1, 3, 2, 2], (0, 2, 3, 1)), hint="channels_last")
    c = Operator("aten::narrow_copy.out")
    seed(c.name)
    for dtype in ALL:
        c(x(dtype, 5, 3), 0, 1, 3)
    for dim, start, length in ((1, 0, 3), (-1, 1, 2), (0, -2, 2), (0, 5, 0), (0, 0, 0)):
        c(x(F32, 5, 3), dim, start, length, hint="narrow")
    c(x(F32, 5), 0, 3, 3, out=Out(F32, [3]), hint="too_long")
    c(x(F32, 5), 0, 1, -1, out=Out(F32, [1]), hint="negative_length")
    return [a, b, c]


def splits():
    a = Operator("aten::split_copy.Tensor_out")
    seed(a.name)
    for dtype in ALL:
        a(x(dtype, 4, 3), 2, 0)
    for sizes, size, dim in (([5, 3], 2, 0), ([2, 6], 2, 1), ([2, 6], 4, -1), ([3], 5, 0), ([3], 1, 0)):
        a(x(F32, *sizes), size, dim, hint="split")
    a(x(F32, 3), 0, 0, out=[Out(F32, [3])], hint="size0")
    a(x(F32, 4), 2, 0, out=[Out(F32, [2])], hint="too_few_outs")
    b = Operator("aten::split_with_sizes_copy.out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 4, 3), [1, 3], 0)
    for sizes, parts, dim in (([2, 6], [1, 2, 3], 1), ([2, 6], [6], -1), ([3, 2], [0, 3], 0), ([4, 2, 2], [2, 2], 0)):
        b(x(F32, *sizes), parts, dim, hint="split")
    b(x(F32, 4), [1, 2], 0, out=[Out(F32, [1]), Out(F32, [2])], hint="sum_differs")
    c = Operator("aten::unbind_copy.int_out")
    seed(c.name)
    for dtype in ALL:
        c(x(dtype, 2, 3), 0)
    for sizes, dim in (([2, 3, 2], 1), ([2, 3], -1), ([3], 0)):
        c(x(F32, *sizes), dim, hint="dim")
    c(x(F32, 2, 3), 0, out=[Out(F32, [3])], hint="too_few_outs")
    return [a, b, c]


def flips_and_rolls():
    a = Operator("aten::flip.out")
    seed(a.name)
    for dtype in ALL:
        a(x(dtype, 2, 3), [1])
    for sizes, dims in (([2, 3, 2], [0, 2]), ([2, 3], [-1, 0]), ([2, 3], []), ([], []), ([0, 2], [0])):
        a(x(F32, *sizes), dims, hint="dims")
    a(x(F32, 2, 3), [0, 0], out=Out(F32, [2, 3]), hint="twice")
    b = Operator("aten::roll.out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 2, 3), [1], [1])
    for sizes, shifts, dims in (([2, 3], [2], []), ([2, 3, 4], [1, -2], [0, 2]), ([5], [7], [0]), ([2, 3], [-1], [-1]), ([0], [1], [0]), ([4], [0], [0]), ([2, 3], [1, 1], [1, 1])):
        b(x(F32, *sizes), shifts, dims, hint="shift")
    b(x(F32, 2, 3), [1, 2], [0], out=Out(F32, [2, 3]), hint="lengths_differ")
    c = Operator("aten::repeat.out")
    seed(c.name)
    for dtype in ALL:
        c(x(dtype, 2, 3), [2, 1])
    for sizes, times in (([2], [2, 3]), ([2, 3], [1, 2, 2]), ([], [3]), ([2, 3], [0, 1]), ([2], [1]), ([2, 2, 2], [1, 2, 3])):
        c(x(F32, *sizes), times, hint="repeat")
    c(x(F32, 2, 3), [2], out=Out(F32, [4, 3]), hint="too_short")
    c(x(F32, 2), [-1], out=Out(F32, [2]), hint="negative")
    d = Operator("aten::repeat_interleave.Tensor_out")
    seed(d.name)
    for dtype in (torch.int32, I64):
        d(torch.tensor([2, 0, 3, 1], dtype=dtype))
        d(torch.tensor([2, 0, 3, 1], dtype=dtype), output_size=6, hint="size")
    d(torch.tensor([2, 1]), output_size=4, out=Out(I64, [4]), hint="size_differs")
    d(torch.tensor([2, -1]), out=Out(I64, [1]), hint="negative")
    d(torch.tensor([2.0, 1.0]), out=Out(F32, [3]), hint="float")
    d(torch.tensor([[2, 1]]), out=Out(I64, [3]), hint="rank2")
    return [a, b, c, d]


def triangles_and_diagonals():
    a = Operator("aten::tril.out")
    seed(a.name)
    for dtype in ALL:
        a(x(dtype, 3, 3))
    for sizes in ([2, 4], [4, 2], [2, 3, 3], [0, 3], [1, 2, 2, 3]):
        for diagonal in (-1, 0, 1, 5, -5):
            a(x(F32, *sizes), diagonal, hint="diagonal")
    a(x(F32, 3), out=Out(F32, [3]), hint="rank1")
    b = Operator("aten::diagonal_copy.out")
    seed(b.name)
    for dtype in ALL:
        b(x(dtype, 3, 4))
    for sizes, offset, one, two in (([3, 4], 1, 0, 1), ([3, 4], -1, 0, 1), ([2, 3, 4], 0, 1, 2), ([2, 3, 4], 0, 2, 0), ([2, 3, 4], 1, -1, 0), ([3, 3], 5, 0, 1)):
        b(x(F32, *sizes), offset, one, two, hint="diagonal")
    b(x(F32, 3, 3), 0, 1, 1, out=Out(F32, [3]), hint="dims_equal")
    c = Operator("aten::unfold_copy.out")
    seed(c.name)
    for dtype in ALL:
        c(x(dtype, 6), 0, 3, 2)
    for sizes, dim, size, step in (([2, 7], 1, 3, 2), ([2, 7], -1, 7, 1), ([5, 2], 0, 2, 1), ([4], 0, 0, 1), ([2, 3, 4], 1, 2, 1)):
        c(x(F32, *sizes), dim, size, step, hint="unfold")
    c(x(F32, 3), 0, 4, 1, out=Out(F32, [0, 4]), hint="size_too_big")
    c(x(F32, 3), 0, 2, 0, out=Out(F32, [2, 2]), hint="step0")
    d = Operator("aten::as_strided_copy.out")
    seed(d.name)
    for dtype in ALL:
        d(x(dtype, 12), [3, 2], [2, 3])
    for size, stride, offset in (([2, 3], [1, 2], 3), ([3], [0], 0), ([], [], 4), ([2, 2, 2], [6, 2, 1], None), ([0], [1], 0)):
        d(x(F32, 3, 4), size, stride, offset, hint="strided")
    d(x(F32, 4), [3], [2], out=Out(F32, [3]), hint="out_of_range")
    d(x(F32, 4), [2], [-1], out=Out(F32, [2]), hint="negative_stride")
    d(x(F32, 4), [2], [1], -1, out=Out(F32, [2]), hint="negative_offset")
    e = Operator("aten::view_as_real_copy.out")
    e(x(F32, 3), out=Out(F32, [3, 2]), hint="not_complex")
    return [a, b, c, d, e]


OPERATORS = [lambda n=n: copies(n) for n in ("clone", "alias_copy", "detach_copy", "lift_fresh_copy")]
OPERATORS += [copy, copy_in_place, to_copy, lambda: dim_orders("_to_dim_order_copy"), lambda: dim_orders("_clone_dim_order")]
OPERATORS += [empty_dim_order, device_copies, view, permute, transposes, expand, squeezes, cat, stack, selects, splits]
OPERATORS += [flips_and_rolls, triangles_and_diagonals]
assert INTS and indices
