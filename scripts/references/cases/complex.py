"""Calls with complex tensors, for the operators whose kernels take them."""
import torch

from ..corpus import SHORT, Case, Out
from ..program import SCALAR_TYPES

C32, C64, C128 = torch.complex32, torch.complex64, torch.complex128
COMPLEX = [C64, C128, C32]
PART = {C32: torch.float16, C64: torch.float32, C128: torch.float64}
# Which of these moves elements and computes with none.
MOVES = """
    reflection_pad1d.out reflection_pad2d.out reflection_pad3d.out replication_pad1d.out replication_pad2d.out
    replication_pad3d.out pixel_shuffle.out pixel_unshuffle.out clone.out alias_copy.out
    detach_copy.out lift_fresh_copy.out copy.out copy_ view_copy.out permute_copy.out transpose_copy.int_out t_copy.out
    expand_copy.out squeeze_copy.dim_out squeeze_copy.dims_out unsqueeze_copy.out cat.out select_copy.int_out
    slice_copy.Tensor_out narrow_copy.out repeat.out diagonal_copy.out as_strided_copy.out index.Tensor_out index_put_
    index_select.out embedding.out
""".split()


def x(dtype, *sizes, seed=1):
    """A complex tensor."""
    made = torch.randn((*sizes, 2), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.view_as_complex(made).to(dtype)


def extend(operator):
    """Adds the calls of an operator, if it is one of these."""
    name = operator.name.removeprefix("aten::")
    if name in MOVES or operator.name == "dim_order_ops::_clone_dim_order.out":
        _moved(operator)
    elif name in CALLS:
        for dtype in COMPLEX:
            for args, outs in CALLS[name](dtype):
                _add(operator, operator._bind(args, {}), outs)
    return operator


def _moved(operator):
    """The first calls with float32, with complex elements in their place."""
    plain = [c for c in operator.cases if any(_is_float(t) for t in _leaves(c.args)) and not any(o.bound for o in c.outs)]
    for dtype in COMPLEX:
        for case in plain[:2]:
            outs = [Out(dtype if o.dtype == torch.float32 else o.dtype, o.sizes, o.order) for o in case.outs]
            _add(operator, {k: _complex(v, dtype) for k, v in case.args.items()}, outs)


def _add(operator, args, outs):
    first = next(v.dtype for v in _leaves(args) if isinstance(v, torch.Tensor))
    operator.cases.append(Case(f"c{len(operator.cases):03d}_{SHORT[first]}_complex", args, outs, None))


def _leaves(args):
    for value in args.values():
        yield from value if isinstance(value, (list, tuple)) else [value]


def _is_float(value):
    return isinstance(value, torch.Tensor) and value.dtype == torch.float32


def _complex(value, dtype):
    if isinstance(value, (list, tuple)):
        return [_complex(v, dtype) for v in value]
    if not _is_float(value):
        return value
    made = torch.complex(value, value.flip(0) if value.dim() else value + 0.5).to(dtype)
    made = made.to(memory_format=torch.preserve_format)
    return made


def _sums(d):
    a, b = x(d, 2, 3), x(d, 2, 3, seed=2)
    out = [Out(d, [2, 3])]
    return [((a, b, 1), out), ((a, b, 2), out), ((a, b, 2.5), out), ((a, x(d, 3), 1), out), ((a, torch.ones(2, 3), 1), out)]


def _add_calls(d):
    return [*_sums(d), ((x(d, 2, 3), x(d, 1, seed=5), 2), [Out(d, [2, 3])])]


def _products(d):
    a, out = x(d, 2, 3), [Out(d, [2, 3])]
    return [((a, x(d, 2, 3, seed=2)), out), ((a, x(d, 3, seed=3)), out), ((a, x(d, 1, seed=3)), out),
            ((x(d, 2, 1, 3), x(d, 4, 1, seed=6)), [Out(d, [2, 4, 3])]), ((a, torch.ones(2, 3)), out)]  # fmt: skip


def _quotients(d):
    return [((x(d, 2, 3), x(d, 2, 3, seed=2)), [Out(d, [2, 3])])]


def _totals(d):
    a = x(d, 2, 3, 4)
    return [((a, [1], False, None), [Out(d, [2, 4])]), ((a, [], False, None), [Out(d, [])]),
            ((a, [0, 2], True, None), [Out(d, [1, 3, 1])]), ((a, [0], False, None), [Out(PART[d], [3, 4])])]  # fmt: skip


def _spectra(d):
    real = PART[d]
    r = lambda *s: torch.randn(s, generator=torch.Generator().manual_seed(7), dtype=torch.float64).to(real)  # noqa: E731
    calls = [((r(2, n), [1], norm, True), [Out(d, [2, n // 2 + 1])]) for n, norm in ((8, 0), (7, 1), (12, 2), (30, 0), (1, 0))]
    calls += [((r(2, 6, 5), [1, 2], 1, True), [Out(d, [2, 6, 3])]), ((r(2, 3, 4), [2, 1], 0, True), [Out(d, [2, 2, 4])])]
    return [*calls, ((r(2, 8), [1], 0, False), [Out(d, [2, 8])]), ((r(2, 8), [], 0, True), [Out(d, [2, 8])])]


def _signals(d):
    real = PART[d]
    calls = [((x(d, 2, n // 2 + 1), [1], norm, n), [Out(real, [2, n])]) for n, norm in ((8, 0), (9, 1), (12, 2), (30, 0), (1, 0))]
    return [*calls, ((x(d, 2, 6, 3), [1, 2], 2, 5), [Out(real, [2, 6, 5])]), ((x(d, 2, 4), [0], 0, 3), [Out(real, [3, 4])])]


CALLS = {
    "add.out": _add_calls,
    "sub.out": _sums,
    "mul.out": _products,
    "div.out": _quotients,
    "div.out_mode": lambda d: [((*args, None), outs) for args, outs in _quotients(d)],
    "sum.IntList_out": _totals,
    "bmm.out": lambda d: [((x(d, 2, 3, 4), x(d, 2, 4, 5, seed=2)), [Out(d, [2, 3, 5])])],
    "abs.out": lambda d: [((x(d, 2, 3),), [Out(PART[d], [2, 3])]), ((x(d, 2, 3),), [Out(d, [2, 3])]), ((x(d),), [Out(torch.float64, [])])],
    "_conj_physical.out": lambda d: [((x(d, 2, 3),), [Out(d, [2, 3])]), ((x(d, 0, 3),), [Out(d, [0, 3])])],
    "view_as_real_copy.out": lambda d: [((x(d, 2, 3),), [Out(PART[d], [2, 3, 2])]), ((x(d),), [Out(torch.float64, [2])])],
    "_fft_r2c.out": _spectra,
    "_fft_c2r.out": _signals,
    "native_dropout.out": lambda d: [((x(d, 2, 3), 0.5, False), [Out(d, [2, 3]), Out(torch.bool, [2, 3])])],
    "full_like.out": lambda d: [((x(d, 2, 3), 2.5, None), [Out(PART[d], [2, 3])]), ((x(d, 2, 3), 2.5, None), [Out(d, [2, 3])])],
    "index_put.out": lambda d: [((x(d, 4, 3), [torch.tensor([1, 2])], x(d, 2, 3, seed=2), sums), [Out(d, [4, 3])]) for sums in (False, True)],
    "topk.values": lambda d: [((x(d, 2, 5), 3, 1, largest, True), [Out(d, [2, 3]), Out(torch.int64, [2, 3])]) for largest in (True, False)],
    "mm.out": lambda d: [((x(d, 3, 4), x(d, 4, 5, seed=2)), [Out(d, [3, 5])])],
    "_to_copy.out": lambda d: [((x(d, 2, 3),), [Out(d, [2, 3])])],
}
assert all(dtype in SCALAR_TYPES for dtype in COMPLEX)
