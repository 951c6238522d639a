"""Element-wise operators of one tensor, activations among them."""
import torch

from ..corpus import ALL, FLOATS, INTS, Operator, Out
from .data import last, ordered, positive, seed, special, x

F32 = torch.float32
SHAPES = ([], [0], [1], [17], [2, 0, 3], [2, 3, 4], [1, 2, 1, 3, 2], [33, 5])
# Results are floating point whatever the input is.
TO_FLOAT = (
    "acos acosh asin asinh atan atanh cos cosh erf exp expm1 log log10 log1p log2 reciprocal rsqrt sigmoid "
    "sin sinh sqrt tan tanh"
).split()
SAME = "_conj_physical abs ceil floor neg round sign trunc relu bitwise_not".split()
TO_BOOL = "isinf isnan logical_not".split()
POSITIVE = "acosh log log10 log1p log2 rsqrt sqrt".split()


def shapes(op, call, dtype=F32, bound=True):
    """The layouts that every element-wise operator must keep."""
    for sizes in SHAPES:
        call(x(dtype, *sizes), hint="rank%d" % len(sizes))
    call(last(x(dtype, 2, 3, 4, 5)), hint="channels_last")
    call(ordered(x(dtype, 3, 4), 1, 0), out=Out(dtype, [3, 4], (1, 0)), hint="column_major")
    call(last(x(dtype, 1, 3, 2, 2)), out=Out(dtype, [1, 3, 2, 2]), hint="order_differs")
    if bound:
        call(x(dtype, 2, 3), bound=[4, 3], hint="bound")
        call(x(dtype, 4, 3), out=Out(dtype, [4, 3], None, [2, 3]), hint="over_bound")
        call(x(dtype, 4, 3), out=Out(dtype, [3, 4]), hint="wrong_out_shape")


def _plain(name):
    op = Operator(f"aten::{name}.out")
    seed(op.name)
    make = positive if name in POSITIVE else x
    for dtype in ALL:
        op(make(dtype, 2, 5))
    for dtype in FLOATS:
        op(special(dtype), hint="special")
    outs = [torch.bool, torch.uint8, torch.int32] if name in TO_BOOL else FLOATS + [torch.int32, torch.bool]
    for source in (F32, torch.float16, torch.int32, torch.bool):
        for out in outs:
            op(make(source, 2, 5), out=Out(out, [2, 5]), hint="out_type")
    if name not in TO_BOOL:
        shapes(op, op)
    else:
        for sizes in SHAPES:
            op(x(F32, *sizes), hint="rank%d" % len(sizes))
    return op


def gelu():
    op = Operator("aten::gelu.out")
    seed(op.name)
    for kind in ("none", "tanh"):
        for dtype in FLOATS:
            op(x(dtype, 3, 7), approximate=kind, hint=kind)
            op(special(dtype), approximate=kind, hint=f"{kind}_special")
        shapes(op, lambda t, kind=kind, **kw: op(t, approximate=kind, **kw))
    op(x(torch.int32, 4), out=Out(torch.int32, [4]))
    op(x(torch.int32, 4), out=Out(F32, [4]))
    op(x(F32, 4), approximate="exact", out=Out(F32, [4]), hint="unknown_kind")
    op(x(F32, 4), out=Out(torch.float64, [4]), hint="out_type")
    return op


def elu():
    op = Operator("aten::elu.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 7), out=Out(dtype, [3, 7]))
    for dtype in FLOATS:
        op(special(dtype), 1.5, 0.5, 2.0, hint="special")
    for alpha, scale, input_scale in ((1, 1, 1), (0.5, 2, 3), (-1.0, 1, 1), (1.6732, 1.0507, 1), (0, 1, 1)):
        op(x(F32, 9), alpha, scale, input_scale, hint="scaled")
    shapes(op, op)
    return op


def leaky_relu():
    op = Operator("aten::leaky_relu.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 5), 0.1, out=Out(dtype, [3, 5]))
    for slope in (0, 1, -0.5, 2, float("inf"), True):
        op(x(F32, 8), slope, hint="slope")
    for dtype in FLOATS:
        op(special(dtype), 0.01, hint="special")
    op(x(F32, 4), 0.1, out=Out(torch.float64, [4]), hint="out_type")
    shapes(op, op)
    return op


def hardtanh():
    op = Operator("aten::hardtanh.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 5), out=Out(dtype, [3, 5]))
        op(x(dtype, 3, 5), 0, 6, out=Out(dtype, [3, 5]), hint="relu6")
    for low, high in ((-0.5, 0.25), (0.0, 6.0), (2, -2), (1.5, 1.5), (-float("inf"), 1), (True, 3)):
        for dtype in (F32, torch.int32):
            op(x(dtype, 9), low, high, out=Out(dtype, [9]), hint="limits")
    for dtype in FLOATS:
        op(special(dtype), -1, 1, hint="special")
    op(x(F32, 4), out=Out(torch.float64, [4]), hint="out_type")
    shapes(op, op)
    return op


def clamp():
    op = Operator("aten::clamp.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 5), -1, 3, out=Out(dtype, [3, 5]))
        op(x(dtype, 3, 5), 0, None, out=Out(dtype, [3, 5]), hint="min")
        op(x(dtype, 3, 5), None, 2, out=Out(dtype, [3, 5]), hint="max")
        op(x(dtype, 3, 5), -0.5, 1.5, hint="double_limits")
        op(x(dtype, 3, 5), False, True, hint="bool_limits")
    for low, high in ((None, None), (3, -3), (float("nan"), 1.0), (0.0, float("nan")), (-float("inf"), float("inf"))):
        op(x(F32, 9), low, high, out=Out(F32, [9]), hint="limits")
    for low, high in ((300, None), (None, 300), (-300, 300), (-1, None)):
        for dtype in (torch.uint8, torch.int8, torch.int64):
            op(x(dtype, 9), low, high, out=Out(dtype, [9]), hint="out_of_range")
    for dtype in FLOATS:
        op(special(dtype), -1, 2, hint="special")
    for out in (torch.float64, torch.float16, torch.int32):
        op(x(F32, 4), -1, 1, out=Out(out, [4]), hint="out_type")
    shapes(op, lambda t, **kw: op(t, -0.5, 0.5, **kw))
    return op


def clamp_tensor():
    op = Operator("aten::clamp.Tensor_out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 5), x(dtype, 3, 5), x(dtype, 3, 5), out=Out(dtype, [3, 5]))
    for a, b, c in ((F32, torch.int32, torch.float64), (torch.int32, F32, F32), (torch.uint8, torch.int8, torch.int16)):
        op(x(a, 4), x(b, 4), x(c, 4), hint="mixed")
    op(x(F32, 3, 5), x(F32, 5), None, hint="min")
    op(x(F32, 3, 5), None, x(F32, 3, 1), hint="max")
    op(x(F32, 1, 5), x(F32, 3, 1), x(F32, 3, 5), hint="broadcast")
    op(x(F32, 5), x(F32, 3, 1), x(F32), hint="broadcast")
    op(x(F32, 3), None, None, out=Out(F32, [3]), hint="no_limits")
    op(special(), torch.tensor(-1.0), torch.tensor(1.0), hint="special")
    op(x(F32, 3), torch.tensor(float("nan")), None, hint="nan_limit")
    op(x(F32, 2, 3), x(F32, 3), x(F32, 3), bound=[4, 3], hint="bound")
    op(x(F32, 3), x(F32, 4), None, out=Out(F32, [3]), hint="does_not_broadcast")
    return op


def logit():
    op = Operator("aten::logit.out")
    seed(op.name)
    for dtype in ALL:
        for eps in (None, 0.1):
            op(positive(dtype, 3, 4) / 4 if dtype.is_floating_point else x(dtype, 3, 4), eps)
    for dtype in FLOATS:
        op(special(dtype), hint="special")
        op(special(dtype), 1e-3, hint="special_eps")
    for out in FLOATS + [torch.int32]:
        op(torch.tensor([0.25, 0.5, 0.75]), 0.0, out=Out(out, [3]), hint="out_type")
    shapes(op, op)
    return op


def glu():
    op = Operator("aten::glu.out")
    seed(op.name)
    for dtype in ALL:
        op(x(dtype, 3, 4), out=Out(dtype, [3, 2]))
    for sizes, dim in (([4], 0), ([2, 4, 6], 1), ([2, 4, 6], -3), ([2, 4, 6], 2), ([2, 0], 0), ([2, 3, 4, 2], 2)):
        op(x(F32, *sizes), dim, hint="dim")
    op(x(F32, 3, 5), 1, out=Out(F32, [3, 2]), hint="odd")
    op(x(F32, 3, 4), 2, out=Out(F32, [3, 2]), hint="dim_out_of_range")
    for out in FLOATS[1:]:
        op(x(F32, 3, 4), out=Out(out, [3, 2]), hint="out_type")
    op(last(x(F32, 1, 4, 2, 2)), 1, out=Out(F32, [1, 2, 2, 2], (0, 2, 3, 1)), hint="channels_last")
    op(x(F32, 3, 4), bound=[5, 2], hint="bound")
    return op


def _maker(name):
    return lambda: _plain(name)


OPERATORS = [_maker(name) for name in TO_FLOAT + SAME + TO_BOOL]
OPERATORS += [gelu, elu, leaky_relu, hardtanh, clamp, clamp_tensor, logit, glu]
assert INTS
