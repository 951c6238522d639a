"""Element-wise operators of two tensors, or of a tensor and a number."""
import torch

from ..corpus import ALL, FLOATS, INTS, Operator, Out
from .data import last, ordered, positive, seed, special, x

F32 = torch.float32
BROADCASTS = [
    ([2, 3], [3]), ([3], [2, 3]), ([2, 1, 4], [3, 1]), ([], [2, 3]), ([2, 3], []), ([], []), ([1], [5]), ([0], [1]),
    ([2, 0], [1, 1]), ([17], [17]), ([2, 3, 1, 1], [2, 3, 4, 5]), ([1, 3, 1, 1], [2, 3, 2, 2]), ([5, 1], [1, 7]),
    ([2, 1, 2, 1, 2], [3, 1, 3, 1]), ([33], [1]), ([4, 9], [4, 9]),
]  # fmt: skip
TENSOR = {
    "add.out": {}, "sub.out": {}, "mul.out": {}, "div.out": {}, "maximum.out": {}, "minimum.out": {},
    "floor_divide.out": {}, "fmod.Tensor_out": {}, "remainder.Tensor_out": {}, "atan2.out": {},
    "pow.Tensor_Tensor_out": {}, "bitwise_and.Tensor_out": {}, "bitwise_or.Tensor_out": {},
    "bitwise_xor.Tensor_out": {}, "bitwise_left_shift.Tensor_out": {}, "bitwise_right_shift.Tensor_out": {},
    "logical_and.out": {}, "logical_or.out": {}, "logical_xor.out": {}, "eq.Tensor_out": {}, "ne.Tensor_out": {},
    "lt.Tensor_out": {}, "le.Tensor_out": {}, "gt.Tensor_out": {}, "ge.Tensor_out": {},
}  # fmt: skip
SCALAR = (
    "add.Scalar_out sub.Scalar_out mul.Scalar_out div.Scalar_out rsub.Scalar_out fmod.Scalar_out "
    "remainder.Scalar_out pow.Tensor_Scalar_out bitwise_and.Scalar_out bitwise_or.Scalar_out bitwise_xor.Scalar_out "
    "bitwise_left_shift.Tensor_Scalar_out bitwise_right_shift.Tensor_Scalar_out eq.Scalar_out ne.Scalar_out "
    "lt.Scalar_out le.Scalar_out gt.Scalar_out ge.Scalar_out"
).split()
# Integer division by zero ends the real runtime with a signal or is refused: a few cases, not all.
DIVIDES = ("div", "floor_divide", "fmod", "remainder")


def _second(name, dtype, *sizes):
    base = name.split(".")[0]
    if base in DIVIDES or base.startswith("pow"):
        return positive(dtype, *sizes) * (1 if dtype == torch.bool or not dtype.is_signed else _signs(dtype, sizes))
    if "shift" in base:
        return positive(dtype, *sizes)
    return x(dtype, *sizes)


def _signs(dtype, sizes):
    return torch.where(x(torch.bool, *sizes), 1, -1).to(dtype)


def types(op, call):
    """Every pair of types."""
    for a in ALL:
        for b in ALL:
            call(a, b)


def layouts(op, call, second):
    """Broadcasting, dim orders, dynamic outputs and shapes that do not fit."""
    for a, b in BROADCASTS:
        call(x(F32, *a), second(F32, *b), hint="broadcast")
    call(last(x(F32, 2, 3, 2, 2)), last(second(F32, 2, 3, 2, 2)), hint="channels_last")
    call(last(x(F32, 2, 3, 2, 2)), second(F32, 2, 3, 2, 2), out=Out(F32, [2, 3, 2, 2]), hint="orders_differ")
    call(last(x(F32, 2, 3, 2, 2)), second(F32, 1, 3, 1, 1), hint="channels_last_broadcast")
    call(last(x(F32, 2, 3, 2, 2)), second(F32), hint="channels_last_scalar")
    call(ordered(x(F32, 3, 4), 1, 0), ordered(second(F32, 3, 4), 1, 0), out=Out(F32, [3, 4], (1, 0)), hint="column_major")
    call(x(F32, 2, 3), second(F32, 2, 3), bound=[4, 3], hint="bound")
    call(x(F32, 2, 3), second(F32, 2, 4), out=Out(F32, [2, 4]), hint="does_not_broadcast")
    call(x(F32, 2, 3), second(F32, 2, 3), out=Out(F32, [3, 2]), hint="wrong_out_shape")


def _tensor(name):
    op = Operator(f"aten::{name}")
    seed(op.name)

    def second(dtype, *sizes):
        return _second(name, dtype, *sizes)

    types(op, lambda a, b: op(x(a, 2, 3), second(b, 2, 3)))
    for a, b in ((F32, F32), (torch.int32, torch.int64), (torch.bool, torch.bool), (torch.int32, F32)):
        for out in ALL:
            op(x(a, 4), second(b, 4), out=Out(out, [4]), hint="out_type")
    for dtype in (torch.int32, torch.float16, torch.bool):
        op(x(dtype, 2, 3), second(dtype, 3), hint="broadcast")
    comparison = name.split(".")[0] in ("eq", "ne", "lt", "le", "gt", "ge") or name.startswith("logical")
    if comparison:
        layouts(op, lambda a, b, out=None, **kw: op(a, b, out=out and Out(torch.bool, out.sizes, out.order), **kw), second)
    elif not name.startswith("bitwise"):
        layouts(op, op, second)
    else:
        for a, b in BROADCASTS:
            op(x(torch.int32, *a), second(torch.int32, *b), hint="broadcast")
    if not name.startswith("bitwise"):
        for dtype in FLOATS:
            a = special(dtype)
            op(a, a.roll(5), hint="special")
            op(a, a.flip(0), hint="special")
            op(a, torch.zeros_like(a), hint="special_zero")
    zero = name.split(".")[0] in DIVIDES
    for dtype in (torch.int32, torch.uint8, torch.int8, torch.int64):
        low = torch.iinfo(dtype).min
        edge = torch.tensor([low, low, torch.iinfo(dtype).max, 7, -7 if dtype.is_signed else 5], dtype=dtype)
        op(edge, torch.tensor([1, 2, 3, 2, 2], dtype=dtype), hint="extremes")
        if dtype.is_signed:
            op(edge[3:], torch.tensor([-2, -3], dtype=dtype), hint="negative")
            op(edge[:1], torch.tensor([-1], dtype=dtype), hint="overflow")
        if zero:
            op(x(dtype, 3), torch.tensor([1, 0, 2], dtype=dtype), hint="zero_divisor")
    if name in ("add.out", "sub.out"):
        for dtype in ALL:
            for alpha in (2, -1, 0.5, True):
                op(x(dtype, 4), x(dtype, 4), alpha=alpha, hint="alpha")
        op(x(F32, 4), x(torch.int32, 4), alpha=2.5, hint="alpha")
        op(x(torch.int32, 4), x(F32, 4), alpha=2.5, hint="alpha")
        op(x(F32, 2, 3), x(F32, 3), alpha=3, hint="alpha_broadcast")
    return op


def _scalar(name):
    op = Operator(f"aten::{name}")
    seed(op.name)
    numbers = [3, 2.5, True] if "shift" not in name else [1, 3, 2.0, True]
    for dtype in ALL:
        for number in numbers:
            op(x(dtype, 2, 3), number, hint=type(number).__name__)
    for number in (0, -2, 0.0, -0.5, False, float("inf"), float("nan"), 1 << 40, 0.5):
        for dtype in (F32, torch.int32, torch.float16):
            if "shift" not in name and (dtype != torch.int32 or number or "div" not in name):
                op(x(dtype, 5), number, hint="number")
    for a, number in ((F32, 2), (torch.int32, 2), (torch.int32, 2.5), (torch.bool, True)):
        for out in ALL:
            op(x(a, 4), number, out=Out(out, [4]), hint="out_type")
    if "bitwise" not in name:
        for dtype in FLOATS:
            op(special(dtype), 1.5, hint="special")
            op(special(dtype), 0, hint="special_zero")
    for sizes in ([], [0], [1, 1, 1], [17], [2, 3, 4, 5]):
        dtype = torch.int32 if "bitwise" in name else F32
        op(x(dtype, *sizes), 3, hint="rank")
    if "bitwise" not in name:
        op(last(x(F32, 2, 3, 2, 2)), 3, hint="channels_last")
    op(x(torch.int32, 2, 3), 3, bound=[4, 3], hint="bound")
    op(x(torch.int32, 2, 3), 3, out=Out(torch.int32, [3, 2]), hint="wrong_out_shape")
    for dtype in (torch.int8, torch.uint8, torch.int64):
        info = torch.iinfo(dtype)
        op(torch.tensor([info.min, info.max, 5], dtype=dtype), 3, hint="extremes")
        op(torch.tensor([info.min, info.max, 5], dtype=dtype), -1, hint="extremes")
        op(torch.tensor([info.min, info.max, 5], dtype=dtype), 300, hint="number_out_of_range")
    if name.split(".")[0] in ("add", "sub", "rsub"):
        for dtype in ALL:
            for alpha in (2, 0.5, True):
                op(x(dtype, 4), 3, alpha, hint="alpha")
    return op


def pow_scalar():
    op = Operator("aten::pow.Scalar_out")
    seed(op.name)
    for dtype in ALL:
        for number in (2, 1.5, True, 0, -1):
            op(number, positive(dtype, 4), hint=type(number).__name__)
    for dtype in FLOATS:
        op(2, special(dtype), hint="special")
        op(-1.5, special(dtype), hint="special")
        op(0.0, special(dtype), hint="special")
    for out in ALL:
        op(2, x(F32, 4), out=Out(out, [4]), hint="out_type")
    for sizes in ([], [0], [2, 3, 4]):
        op(2.0, x(F32, *sizes), hint="rank")
    op(2.0, last(x(F32, 1, 3, 2, 2)), hint="channels_last")
    return op


def div_mode():
    op = Operator("aten::div.out_mode")
    seed(op.name)

    def second(dtype, *sizes):
        return _second("div", dtype, *sizes)

    for mode in (None, "floor", "trunc"):
        for a in ALL:
            for b in ALL:
                op(x(a, 4), second(b, 4), rounding_mode=mode, hint=str(mode))
        for dtype in FLOATS:
            a = special(dtype)
            op(a, a.roll(5), rounding_mode=mode, hint=f"special_{mode}")
            op(a, torch.zeros_like(a), rounding_mode=mode, hint=f"zero_{mode}")
        op(torch.tensor([7, -7, 7, -7]), torch.tensor([2, 2, -2, -2]), rounding_mode=mode, hint=f"signs_{mode}")
        op(torch.tensor([7.0, -7.0, 7.5, -7.5]), torch.tensor([2.0, 2.0, -2.0, -2.0]), rounding_mode=mode, hint=f"signs_{mode}")
        op(x(torch.int32, 3), torch.tensor([1, 0, 2], dtype=torch.int32), rounding_mode=mode, hint=f"zero_divisor_{mode}")
        op(x(F32, 2, 3), second(F32, 3), rounding_mode=mode, hint=f"broadcast_{mode}")
    for out in ALL:
        op(x(F32, 4), second(F32, 4), rounding_mode="floor", out=Out(out, [4]), hint="out_type")
    op(x(F32, 4), second(F32, 4), rounding_mode="round", out=Out(F32, [4]), hint="unknown_mode")
    op(last(x(F32, 1, 3, 2, 2)), last(second(F32, 1, 3, 2, 2)), rounding_mode="trunc", hint="channels_last")
    return op


def div_scalar_mode():
    op = Operator("aten::div.Scalar_mode_out")
    seed(op.name)
    for mode in (None, "floor", "trunc"):
        for dtype in ALL:
            for number in (3, -2.5, True):
                op(x(dtype, 5), number, rounding_mode=mode, hint=str(mode))
        op(x(torch.int32, 3), 0, rounding_mode=mode, hint=f"zero_divisor_{mode}")
        op(special(), 0.0, rounding_mode=mode, hint=f"zero_{mode}")
        op(special(), -1.5, rounding_mode=mode, hint=f"special_{mode}")
    op(x(F32, 4), 2, rounding_mode="round", out=Out(F32, [4]), hint="unknown_mode")
    return op


def where():
    op = Operator("aten::where.self_out")
    seed(op.name)
    for a in ALL:
        for b in ALL:
            op(x(torch.bool, 2, 3), x(a, 2, 3), x(b, 2, 3))
    for condition in (torch.uint8, torch.int32, F32):
        op(x(condition, 4), x(F32, 4), x(F32, 4), out=Out(F32, [4]), hint="condition_type")
    for a, b, c in (([2, 1], [3], [1, 3]), ([], [2, 3], [3]), ([2, 3], [], []), ([2, 3, 1, 1], [3, 4, 5], [5]), ([0], [1], [1])):
        op(x(torch.bool, *a), x(F32, *b), x(F32, *c), hint="broadcast")
    for out in ALL:
        op(x(torch.bool, 4), x(torch.int32, 4), x(F32, 4), out=Out(out, [4]), hint="out_type")
    op(last(x(torch.bool, 1, 3, 2, 2)), last(x(F32, 1, 3, 2, 2)), last(x(F32, 1, 3, 2, 2)), hint="channels_last")
    op(x(torch.bool, 2), x(F32, 3), x(F32, 3), out=Out(F32, [3]), hint="does_not_broadcast")
    op(x(torch.bool, 2, 3), x(F32, 3), x(F32, 2, 1), bound=[4, 3], hint="bound")
    return op


def _maker(function, name):
    return lambda: function(name)


OPERATORS = [_maker(_tensor, name) for name in TENSOR] + [_maker(_scalar, name) for name in SCALAR]
OPERATORS += [pow_scalar, div_mode, div_scalar_mode, where]
assert INTS
