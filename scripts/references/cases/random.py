"""More cases of operators with many arguments: random shapes and settings, the same every time.

`EXTEND` names, per operator, the functions that add cases to those of its family.
"""
import torch

from ..corpus import FLOATS, REAL, Out
from . import binary
from .data import between, bounded, indices, last, pick, positive, seed, x
from .data import shape as some_shape

F32 = torch.float32
EXTEND = {}


def extends(*names):
    """Registers a function that adds cases to these operators."""

    def register(function):
        for name in names:
            EXTEND.setdefault(name, []).append(function)
        return function

    return register


def randomly(count, *names):
    """Registers a function that makes the arguments of one call, to be called `count` times."""

    def register(make):
        def extend(op):
            made = 0
            for _ in range(count * 5):
                args, options = make(op)
                # A call that PyTorch refuses says little; there are cases for that already.
                if made < count and op.eager_accepts(*args):
                    op(*args, hint="random", **options)
                    made += 1

        extends(*names)(extend)
        return make

    return register


def extend(op):
    """Adds what is registered for the operator."""
    for function in EXTEND.get(op.name, []):
        seed("random " + op.name)
        function(op)
    return op


def layout(tensor):
    """Sometimes channels-last."""
    return last(tensor) if tensor.dim() == 4 and between(0, 2) == 0 else tensor


@randomly(120, "aten::convolution.out")
def convolution(_):
    dtype = pick([F32, F32, F32, torch.float16, torch.bfloat16, torch.float64])
    dims, groups = between(1, 2), pick([1, 1, 2, 3])
    transposed = between(0, 3) == 0
    c_in, c_out = groups * between(1, 4), groups * between(1, 4)
    kernel, size = [between(1, 4) for _ in range(dims)], [between(3, 12) for _ in range(dims)]
    stride, padding = [between(1, 3) for _ in range(dims)], [between(0, 2) for _ in range(dims)]
    dilation = [between(1, 2) for _ in range(dims)]
    extra = [between(0, max(s, d) - 1) if transposed else 0 for s, d in zip(stride, dilation)]
    i = x(dtype, between(1, 2), c_in, *size)
    w = x(dtype, *([c_in, c_out // groups] if transposed else [c_out, c_in // groups]), *kernel)
    if dims == 2 and between(0, 2) == 0:
        i, w = last(i), last(w)
    bias = x(dtype, c_out) if between(0, 1) else None
    return (i, w, bias, stride, padding, dilation, transposed, extra, groups), {}


@extends("aten::convolution.out")
def larger_convolutions(op):
    for c_in, c_out, size, groups in ((16, 24, 14, 1), (32, 32, 9, 32), (24, 48, 7, 1), (12, 8, 20, 4)):
        for order in (False, True):
            for kernel, padding in ((3, 1), (1, 0)):
                i, w = x(F32, 1, c_in, size, size), x(F32, c_out, c_in // groups, kernel, kernel)
                i, w = (last(i), last(w)) if order else (i, w)
                op(i, w, x(F32, c_out), [1, 1], [padding] * 2, [1, 1], False, [0, 0], groups, hint="larger")


@extends("aten::mm.out", "aten::bmm.out", "aten::addmm.out", "aten::linear.out")
def larger_products(op):
    for n, k, m in ((64, 65, 66), (1, 300, 17), (33, 1, 40), (128, 7, 3), (5, 129, 128)):
        for dtype in (F32, torch.float16, torch.float64, torch.int32):
            batch = [2] if op.name == "aten::bmm.out" else []
            a, b = x(dtype, *batch, n, k), x(dtype, *batch, k, m)
            if op.name == "aten::addmm.out":
                op(x(dtype, m), a, b, hint="larger")
            elif op.name == "aten::linear.out":
                op(a, x(dtype, m, k), x(dtype, m) if dtype.is_floating_point else None, hint="larger")
            else:
                op(a, b, hint="larger")


@extends("aten::_softmax.out", "aten::_log_softmax.out")
def larger_softmax(op):
    for sizes, dim in (([3, 300], 1), ([300, 3], 0), ([2, 65, 7], 1)):
        for dtype in (F32, torch.float16, torch.bfloat16):
            op(x(dtype, *sizes), dim, False, hint="larger")


@randomly(80, "aten::avg_pool2d.out")
def avg_pool(_):
    kernel = [between(1, 4), between(1, 4)]
    i = x(pick(FLOATS + [F32] * 6), *([between(1, 2)] if between(0, 4) else []), between(1, 3), between(4, 11), between(4, 11))
    padding = [between(0, k // 2) for k in kernel]
    rest = (bool(between(0, 1)), bool(between(0, 1)), pick([None, None, 2, 5]))
    return (layout(i), kernel, [between(1, 3), between(1, 3)], padding, *rest), {}


@randomly(80, "aten::max_pool2d_with_indices.out")
def max_pool(_):
    (i, kernel, stride, padding, ceil, *_), _options = avg_pool(_)
    return (i, kernel, stride, padding, [between(1, 2), between(1, 2)], ceil), {}


@randomly(40, "aten::_adaptive_avg_pool2d.out")
def adaptive_pool(_):
    return (layout(x(F32, between(1, 2), between(1, 3), between(1, 9), between(1, 9))), [between(1, 9), between(1, 9)]), {}


@randomly(60, "aten::constant_pad_nd.out")
def pad(_):
    sizes = some_shape(1, 4)
    return (x(pick(REAL), *sizes), [between(-1, 3) for _ in range(2 * between(1, len(sizes)))], pick([0, 1.5, -2])), {}


@randomly(50, "aten::upsample_bilinear2d.vec_out")
def bilinear(_):
    i = layout(x(pick([F32, F32, torch.float16]), 1, between(1, 3), between(1, 8), between(1, 8)))
    if between(0, 1):
        return (i, [between(1, 12), between(1, 12)], bool(between(0, 1)), None), {}
    return (i, None, bool(between(0, 1)), [between(2, 10) / 4, between(2, 10) / 4]), {}


@randomly(50, "aten::upsample_nearest2d.vec_out")
def nearest(_):
    (i, size, _corners, scales), options = bilinear(_)
    return (i, size, scales), options


@randomly(60, "aten::sum.IntList_out", "aten::amax.out", "aten::amin.out", "aten::any.dims_out")
def reduce(_):
    sizes = some_shape(1, 4)
    rank = len(sizes)
    chosen = sorted({between(0, rank - 1) for _ in range(between(1, rank))})
    chosen = [d - rank if between(0, 3) == 0 else d for d in chosen]
    kinds = [F32, F32, torch.float64, torch.float16, torch.int32, torch.int64, torch.uint8]
    return (x(pick(kinds), *sizes), chosen, bool(between(0, 1))), {}


@randomly(60, "aten::mean.out")
def reduce_floats(_):
    (t, *rest), options = reduce(_)
    return (t.float(), *rest), options


@randomly(40, "aten::var.correction_out", "aten::var_mean.correction_out")
def reduce_variance(_):
    (t, dims, _keep), options = reduce_floats(_)
    return (t, dims), options


@randomly(40, "aten::max.dim_max", "aten::min.dim_min", "aten::argmax.out", "aten::argmin.out", "aten::prod.int_out", "aten::any.out")
def reduce_one(_):
    (t, dims, keep), options = reduce(_)
    return (t, dims[0], keep), options


@randomly(40, "aten::cumsum.out")
def scan(_):
    (t, dim, _keep), options = reduce_one(_)
    return (t, dim), options


@randomly(40, "aten::_softmax.out", "aten::_log_softmax.out")
def softmax(_):
    (t, dim, _keep), options = reduce_one(_)
    return (t.float(), dim, False), options


@randomly(50, "aten::native_layer_norm.out")
def layer_norm(_):
    sizes = some_shape(1, 4, 9)
    normalized = sizes[-between(1, len(sizes)) :]
    dtype = pick([F32, F32, torch.float64, torch.float16])
    rows = sizes[: len(sizes) - len(normalized)] + [1] * len(normalized)
    w, b = (x(dtype, *normalized) if between(0, 1) else None for _ in range(2))
    outs = [Out(dtype, sizes), Out(dtype, rows), Out(dtype, rows)]
    return (x(dtype, *sizes), normalized, w, b, pick([1e-5, 1e-3])), {"out": outs}


@randomly(40, "aten::native_group_norm.out")
def group_norm(_):
    groups = between(1, 4)
    c, n, rest = groups * between(1, 3), between(1, 3), some_shape(1, 2)
    w, b = (x(F32, c) if between(0, 1) else None for _ in range(2))
    outs = [Out(F32, [n, c, *rest]), Out(F32, [n, groups]), Out(F32, [n, groups])]
    return (x(F32, n, c, *rest), w, b, n, c, torch.Size(rest).numel(), groups, 1e-5), {"out": outs}


@randomly(40, "aten::_native_batch_norm_legit_no_training.out")
def batch_norm(_):
    sizes = [between(1, 3), between(1, 5), *some_shape(0, 3)]
    c = sizes[1]
    w, b = (x(F32, c) if between(0, 1) else None for _ in range(2))
    outs = [Out(F32, sizes), Out(F32, [0]), Out(F32, [0])]
    return (x(F32, *sizes), w, b, x(F32, c), positive(F32, c), 0.1, 1e-5), {"out": outs}


def _broadcast(count):
    """Shapes that broadcast together."""
    full = some_shape(0, 4)
    for _ in range(count):
        sizes = [1 if between(0, 3) == 0 else s for s in full]
        yield sizes[between(0, len(sizes)) if between(0, 3) == 0 else 0 :]


@randomly(60, *("aten::" + n for n in "add.out sub.out mul.out div.out maximum.out le.Tensor_out eq.Tensor_out atan2.out fmod.Tensor_out pow.Tensor_Tensor_out logical_and.out".split()))
def arithmetic(op):
    a, b = _broadcast(2)
    kinds = REAL + [torch.bool]
    return (x(pick(kinds), *a), binary._second(op.name.removeprefix("aten::"), pick(kinds), *b)), {}


@randomly(40, "aten::where.self_out")
def where(_):
    a, b, c = _broadcast(3)
    return (x(torch.bool, *a), x(pick(REAL), *b), x(pick(REAL), *c)), {}


def _kind():
    return pick([F32, F32, torch.int64, torch.int8, torch.float16, torch.bool])


@randomly(40, "aten::permute_copy.out")
def permute(_):
    sizes = some_shape(1, 5)
    order = torch.randperm(len(sizes), generator=torch.Generator().manual_seed(between(0, 999)))
    return (x(_kind(), *sizes), order.tolist()), {}


@randomly(40, "aten::expand_copy.out")
def expand(_):
    sizes = [pick([1, 1, 3, 4]) for _ in range(between(0, 3))]
    to = [between(1, 4) for _ in range(between(0, 2))] + [pick([-1, between(2, 4)]) if s == 1 else s for s in sizes]
    return (x(_kind(), *sizes), to), {}


@randomly(50, "aten::cat.out")
def cat(_):
    sizes, parts = some_shape(1, 4), []
    dim = between(0, len(sizes) - 1)
    for _ in range(between(1, 4)):
        sizes[dim] = between(0, 4)
        parts.append(x(pick([F32, F32, torch.int64]), *sizes))
    return (parts, dim - len(sizes) if between(0, 1) else dim), {}


@randomly(80, "aten::slice_copy.Tensor_out")
def cut(_):
    sizes = some_shape(1, 4, 9)
    bounds = (pick([None, between(-10, 10)]), pick([None, between(-10, 10)]), between(1, 4))
    return (x(_kind(), *sizes), between(-len(sizes), len(sizes) - 1), *bounds), {}


@randomly(30, "aten::split_copy.Tensor_out")
def split(_):
    sizes = some_shape(1, 3, 8)
    return (x(_kind(), *sizes), between(1, 5), between(0, len(sizes) - 1)), {}


@randomly(40, "aten::repeat.out")
def repeat(_):
    sizes = some_shape(0, 3, 3)
    return (x(_kind(), *sizes), [between(1, 3) for _ in range(len(sizes) + between(0, 1))]), {}


@randomly(30, "aten::roll.out")
def roll(_):
    sizes = some_shape(1, 3)
    dims = sorted({between(0, len(sizes) - 1) for _ in range(2)})
    return (x(_kind(), *sizes), [between(-6, 6) for _ in dims], dims), {}


@randomly(30, "aten::diagonal_copy.out")
def diagonal(_):
    sizes = some_shape(2, 4)
    return (x(_kind(), *sizes), between(-2, 2), 0, between(1, len(sizes) - 1)), {}


@randomly(40, "aten::gather.out")
def gather(_):
    sizes = some_shape(1, 3)
    dim = between(0, len(sizes) - 1)
    wanted = [between(1, s) if d != dim else between(1, 6) for d, s in enumerate(sizes)]
    return (x(pick(REAL), *sizes), dim, indices(sizes[dim], *wanted)), {}


@randomly(40, "aten::scatter.src_out", "aten::scatter_add.out")
def scatter(_):
    (t, dim, index), options = gather(_)
    return (t, dim, index, x(t.dtype, *index.shape)), options


@randomly(60, "aten::index.Tensor_out")
def index(_):
    sizes = some_shape(1, 4)
    common = some_shape(0, 2, 3)
    used = [between(0, 2) > 0 for _ in sizes]
    used[0] |= not any(used)
    parts = [indices(s, *common) - (s if between(0, 4) == 0 else 0) if u else None for s, u in zip(sizes, used)]
    return (x(pick([F32, torch.int32, torch.float16]), *sizes), parts), {}


@randomly(60, "aten::index_put.out")
def index_put(_):
    (t, parts), options = index(_)
    picked = t[tuple(slice(None) if p is None else p for p in parts)]
    return (t, parts, x(t.dtype, *picked.shape), bool(between(0, 1))), options


@extends("aten::gelu.out", "aten::_softmax.out", "aten::permute_copy.out", "aten::mm.out", "aten::sum.IntList_out",
         "aten::native_layer_norm.out", "aten::add.out", "aten::clone.out", "aten::view_copy.out")  # fmt: skip
def dynamic(op):
    """Inputs below their upper bound: the layout follows the shape, not the bound."""
    for rows in (1, 2, 4):
        t = bounded(x(F32, rows, 3), 5, 3)
        stat = Out(F32, [rows, 1], None, [5, 1])
        args, options = {
            "aten::gelu.out": ((t,), {"bound": [5, 3]}),
            "aten::clone.out": ((t,), {"bound": [5, 3]}),
            "aten::add.out": ((t, x(F32, 3)), {"bound": [5, 3]}),
            "aten::view_copy.out": ((t, [3, -1]), {"bound": [3, 5]}),
            "aten::_softmax.out": ((t, 1, False), {"bound": [5, 3]}),
            "aten::permute_copy.out": ((t, [1, 0]), {"bound": [3, 5]}),
            "aten::mm.out": ((t, x(F32, 3, 2)), {"bound": [5, 2]}),
            "aten::sum.IntList_out": ((t, [1]), {"bound": [5]}),
            "aten::native_layer_norm.out": (
                (t, [3], x(F32, 3), None, 1e-5), {"out": [Out(F32, [rows, 3], None, [5, 3]), stat, stat]}),
        }[op.name]  # fmt: skip
        op(*args, hint="dynamic", **options)


# Arguments after a channels-last first tensor of shape 2x4x3x3, for kernels that may or may not heed the order.
_LAST = {
    "flip.out": ([1, 3],), "roll.out": ([1], [1]), "select_copy.int_out": (1, 2), "slice_copy.Tensor_out": (1, 1, 3, 1),
    "narrow_copy.out": (2, 1, 2), "index_select.out": (1, torch.tensor([2, 0])), "expand_copy.out": ([2, 4, 3, 3],),
    "repeat.out": ([1, 2, 1, 1],), "split_copy.Tensor_out": (2, 1), "split_with_sizes_copy.out": ([1, 3], 1),
    "unbind_copy.int_out": (1,), "transpose_copy.int_out": (1, 3), "permute_copy.out": ([0, 3, 1, 2],),
    "unsqueeze_copy.out": (1,), "squeeze_copy.dims_out": ([2],), "view_copy.out": ([2, 36],), "pixel_shuffle.out": (2,),
    "tril.out": (0,), "cumsum.out": (1,), "glu.out": (1,), "constant_pad_nd.out": ([1, 0, 0, 2], 0.5), "reflection_pad2d.out": ([1, 1, 0, 2],),
    "replication_pad2d.out": ([1, 1, 0, 2],), "sum.IntList_out": ([1], True), "mean.out": ([2, 3], True), "amax.out": ([1], True),
    "any.dims_out": ([1], True), "argmax.out": (1, True), "max.dim_max": (1, True), "prod.int_out": (1, True), "var.correction_out": ([1],),
    "topk.values": (2, 1), "_softmax.out": (1, False), "upsample_nearest2d.vec_out": ([6, 6], None),
    "upsample_bilinear2d.vec_out": ([5, 7], False, None), "_adaptive_avg_pool2d.out": ([2, 2],), "full_like.out": (1.5,),
    "clamp.out": (-1, 1), "relu.out": (), "sigmoid.out": (), "pow.Tensor_Scalar_out": (2,), "diagonal_copy.out": (0, 2, 3),
    "unfold_copy.out": (2, 2, 1), "native_dropout.out": (0.5, False), "leaky_relu.out": (0.1,), "gelu.out": (), "abs.out": (),
    "add.Scalar_out": (2,), "copy.out": (torch.ones(2, 4, 3, 3),), "nonzero.out": (), "repeat_interleave.Tensor_out": None,
}  # fmt: skip


@extends(*("aten::" + name for name, args in _LAST.items() if args is not None))
def channels_last(op):
    """With the output that PyTorch lays out, and with one of the other order."""
    rest = _LAST[op.name.removeprefix("aten::")]
    op(last(x(F32, 2, 4, 3, 3)), *rest, hint="last")
    for out in op.cases[-1].outs[:1]:
        if len(out.sizes) == 4:
            other = None if out.order == (0, 2, 3, 1) else (0, 2, 3, 1)
            outs = [Out(o.dtype, o.sizes, other if len(o.sizes) == 4 else None) for o in op.cases[-1].outs]
            op(last(x(F32, 2, 4, 3, 3)), *rest, out=outs, hint="last_other_out")


@extends("aten::cat.out", "aten::stack.out")
def joined_channels_last(op):
    for dim in (0, 1, 2, 3, -1):
        op([last(x(F32, 2, 4, 3, 3)), last(x(F32, 2, 4, 3, 3))], dim, hint="last")


@extends("aten::gather.out", "aten::index.Tensor_out", "aten::masked_fill.Scalar_out", "aten::scatter.src_out", "aten::select_scatter.out",
         "aten::slice_scatter.out", "aten::index_put.out", "aten::native_group_norm.out", "aten::where.self_out")  # fmt: skip
def channels_last_pairs(op):
    t = last(x(F32, 2, 4, 3, 3))
    plain = (0, 1, 2, 3)
    args, out = {
        "gather.out": ((t, 1, last(indices(4, 2, 2, 3, 3))), [2, 2, 3, 3]),
        "index.Tensor_out": ((t, [None, torch.tensor([2, 0])]), [2, 2, 3, 3]),
        "masked_fill.Scalar_out": ((t, last(x(torch.bool, 2, 4, 3, 3)), 7.0), [2, 4, 3, 3]),
        "scatter.src_out": ((t, 1, last(indices(4, 2, 2, 3, 3)), last(x(F32, 2, 2, 3, 3))), [2, 4, 3, 3]),
        "select_scatter.out": ((t, x(F32, 2, 3, 3), 1, 2), [2, 4, 3, 3]),
        "slice_scatter.out": ((t, last(x(F32, 2, 2, 3, 3)), 1, 1, 3, 1), [2, 4, 3, 3]),
        "index_put.out": ((t, [None, torch.tensor([2, 0])], x(F32, 2, 2, 3, 3)), [2, 4, 3, 3]),
        "where.self_out": ((last(x(torch.bool, 2, 4, 3, 3)), t, last(x(F32, 2, 4, 3, 3))), [2, 4, 3, 3]),
        "native_group_norm.out": ((t, None, None, 2, 4, 9, 2, 1e-5), [2, 4, 3, 3]),
    }[op.name.removeprefix("aten::")]  # fmt: skip
    for order in ((0, 2, 3, 1), plain):
        outs = [Out(F32, out, order)]
        if op.name == "aten::native_group_norm.out":
            outs += [Out(F32, [2, 2]), Out(F32, [2, 2])]
        op(*args, out=outs, hint="last" if order != plain else "last_other_out")


@extends("aten::add.out", "aten::sub.out", "aten::mul.out", "aten::div.out", "aten::minimum.out", "aten::le.Tensor_out", "aten::where.self_out")
def broadcast_channels_last(op):
    """The scale of a channel, as squeeze-and-excite blocks have it."""
    condition = [last(x(torch.bool, 2, 4, 3, 3))] if op.name == "aten::where.self_out" else []
    for sizes in ([1, 4, 1, 1], [2, 4, 1, 1], [2, 1, 3, 3], [1, 1, 3, 1]):
        a, b = last(x(F32, 2, 4, 3, 3)), last(x(F32, *sizes))
        out = Out(torch.bool if op.name == "aten::le.Tensor_out" else F32, [2, 4, 3, 3], (0, 2, 3, 1))
        op(*condition, a, b, out=out, hint="last_broadcast")
        op(*condition, b, a, out=out, hint="last_broadcast")
