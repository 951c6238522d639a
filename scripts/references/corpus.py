"""Cases of one operator: how a call is written down, emitted, run and recorded.

`Operator("aten::add.out")` collects calls. Tensors among the arguments become inputs
of the method; everything else is a value of the program. Outputs that are not given
get the type and shape that PyTorch computes for the same call.
"""
import math
import signal
import traceback
from dataclasses import dataclass

import torch

from . import program, runner, schemas

# Types that most of ExecuTorch's kernels know; `cases/complex.py` has the complex ones.
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
REAL = FLOATS + INTS
ALL = REAL + [torch.bool]
SHORT = {
    torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16",
    torch.uint8: "u8", torch.int8: "i8", torch.int16: "i16", torch.int32: "i32",
    torch.int64: "i64", torch.bool: "b", torch.uint16: "u16", torch.uint32: "u32", torch.uint64: "u64",
    torch.complex32: "c32", torch.complex64: "c64", torch.complex128: "c128",
}  # fmt: skip
# Hints of cases whose result C++ leaves to the platform (x86-64 here): floats that do not fit the
# integer they are converted to, shifts by negative or too large counts, signed overflow.
PLATFORM_DEFINED = ("large", "negative", "overflow", "extremes", "number_out_of_range")
# All memory of a run is filled with one of these; what differs between them was never written.
FILLS = (0x00, 0xAB)


@dataclass
class Out:
    """Type and shape of an output; `bound` is a larger upper bound of a dynamic shape."""

    dtype: torch.dtype
    sizes: list
    order: tuple = None
    bound: list = None


@dataclass
class Case:
    """One call: its name, arguments by name, outputs and what PyTorch computes, if it does."""

    name: str
    args: dict
    outs: list
    eager: list


class Operator:
    """The cases of one operator."""

    def __init__(self, name):
        self.name = name
        self.args = schemas.signatures()[name]
        self.cases = []
        self.skipped = []
        # How far an element may be off, where the reference itself is an approximation.
        self.within = 0
        self._functional = schemas.functional(name)

    def __call__(self, *args, out=None, hint="", bound=None, **kwargs):
        """Adds a call. `out` is an `Out` or a list of them, `bound` the outputs' upper bound."""
        named = self._bind(args, kwargs)
        eager = self._eager(named)
        outs = self._outs(named, eager, out)
        if outs is None:
            self.skipped.append((hint, {k: _describe(v) for k, v in named.items()}))
            return
        if bound is not None:
            outs = [Out(o.dtype, o.sizes, o.order, bound) for o in outs]
        tensors = [t for v in named.values() for t in _tensors(v)]
        types = "_".join(SHORT[t.dtype] for t in tensors[:4]) or "none"
        if out is not None and outs and outs[0].dtype not in [t.dtype for t in tensors]:
            types += "_to_" + SHORT[outs[0].dtype]
        name = f"c{len(self.cases):03d}_{types}" + (f"_{hint}" if hint else "")
        self.cases.append(Case(name, named, outs, eager))

    def eager_accepts(self, *args):
        """Whether PyTorch computes the call."""
        return self._eager(self._bind(args, {})) is not None

    def _bind(self, args, kwargs):
        inputs = [a for a in self.args if not a.out or a.name in ("self", "running_mean", "running_var", "copy_to")]
        named = dict(zip((a.name for a in inputs), args, strict=False))
        named.update(kwargs)
        for arg in inputs:
            if arg.name not in named:
                if arg.default is schemas.REQUIRED:
                    raise TypeError(f"{self.name}: argument {arg.name} is missing")
                named[arg.name] = arg.default
        return {arg.name: named[arg.name] for arg in inputs}

    def _eager(self, named):
        if self._functional is None:
            return None
        cloned = {k: _clone(v) for k, v in named.items()}
        try:
            result = self._functional(**cloned)
        except Exception:
            return None
        if isinstance(result, (list, tuple)):
            return list(result)
        return [result]

    def _outs(self, named, eager, out):
        if all(a.name in named or a.kind == "Any" for a in self.args if a.out):
            return []
        if out is not None:
            return list(out) if isinstance(out, (list, tuple)) else [out]
        if eager is None or not all(isinstance(t, torch.Tensor) for t in eager):
            return self._guess(named)
        return [Out(t.dtype, list(t.shape), _layout(t)) for t in eager]

    def _guess(self, named):
        """Where PyTorch refuses: the broadcast shape and the promoted type, for a refusal to be seen."""
        tensors = [t for v in named.values() for t in _tensors(v)]
        wanted = [a for a in self.args if a.out and a.name not in named]
        if not tensors or any(a.kind != "Tensor" for a in wanted):
            return None
        try:
            sizes = torch.broadcast_shapes(*(t.shape for t in tensors))
        except RuntimeError:
            sizes = tensors[0].shape
        dtype = tensors[0].dtype
        for tensor in tensors[1:]:
            dtype = torch.promote_types(dtype, tensor.dtype)
        return [Out(dtype, list(sizes)) for _ in wanted]


def _layout(tensor):
    """The order that an exporter would give this result."""
    if tensor.dim() in (4, 5):
        last = torch.channels_last if tensor.dim() == 4 else torch.channels_last_3d
        if not tensor.is_contiguous() and tensor.is_contiguous(memory_format=last):
            return program.dim_order(tensor)
    return tuple(range(tensor.dim()))


def _tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for t in value if isinstance(t, torch.Tensor)]
    return []


def _clone(value):
    if isinstance(value, torch.Tensor):
        return value.clone(memory_format=torch.preserve_format)
    if isinstance(value, (list, tuple)):
        return [_clone(v) for v in value]
    return value


def emit(operator, case, dropped=()):
    """The method of a case and its inputs. Outputs whose index is in `dropped` are not the method's."""
    method, inputs = program.Method(case.name), []

    def tensor(value):
        bound = getattr(value, "bound", None)
        index = method.tensor(value.dtype, bound or value.shape, program.dim_order(value), bound is not None)
        method.inputs.append(index)
        inputs.append(value)
        return index

    def literal(kind, value):
        if value is None:
            return method.number(None)
        if isinstance(value, torch.Tensor):
            return tensor(value)
        if "TensorList" in kind:
            items = [-1 if v is None else tensor(v) for v in value]
            return method.value(kind, items=items)
        if isinstance(value, str):
            return method.value("String", string_val=value)
        if kind.endswith("IntList") and not isinstance(value, (list, tuple)):
            value = [value]
        if isinstance(value, (list, tuple)):
            list_kind = kind.removeprefix("Optional")
            if list_kind == "IntList":
                return method.value("IntList", items=[method.number(int(v)) for v in value])
            if list_kind == "DoubleList":
                return method.value("DoubleList", items=[program._double(float(v)) for v in value])
            return method.value("BoolList", items=[bool(v) for v in value])
        if isinstance(value, torch.dtype):
            return method.number(program.SCALAR_TYPES[value][0])
        if kind.endswith("Double"):
            return method.number(float(value))
        if kind.endswith("Int"):
            return method.number(int(value))
        return method.number(value)

    indices = {a.name: literal(a.kind, case.args[a.name]) for a in operator.args if a.name in case.args}
    written = [a for a in operator.args if a.out]
    results = []
    outs = list(case.outs)
    for arg in written:
        if arg.name in indices:
            results.append((arg, indices[arg.name]))
            continue
        if arg.kind == "TensorList":
            items = [_emit_out(method, out) for out in outs]
            indices[arg.name] = method.value("TensorList", items=items)
            results += [(arg, i) for i in items]
        elif arg.kind == "Any":
            indices[arg.name] = method.number(0)
            results.append((arg, indices[arg.name]))
        else:
            indices[arg.name] = _emit_out(method, outs.pop(0))
            results.append((arg, indices[arg.name]))
    args = [indices[a.name] for a in operator.args]
    args += _returned(operator, method, indices, written)
    method.call(operator.name, args)
    method.outputs = [i for n, (_, i) in enumerate(results) if n not in dropped]
    return method, inputs


def _emit_out(method, out):
    bound = out.bound or out.sizes
    return method.tensor(out.dtype, bound, out.order, dynamic=out.bound is not None)


def _returned(operator, method, indices, written):
    """What a call lists after its arguments: the outputs once more, several as one list."""
    fresh = [a for a in written if a.name not in ("running_mean", "running_var")]
    if operator.name.startswith("executorch_prim::") or fresh[0].kind == "Any":
        return []
    if len(fresh) == 1:
        return [indices[fresh[0].name]]
    return [method.value("TensorList", items=[indices[a.name] for a in fresh])]


def _describe(value):
    if isinstance(value, torch.Tensor):
        order = program.dim_order(value)
        text = {"dtype": str(value.dtype).removeprefix("torch."), "sizes": list(value.shape)}
        if order != tuple(range(value.dim())):
            text["dim_order"] = list(order)
        if getattr(value, "bound", None):
            text["bound"] = value.bound
        return text
    if isinstance(value, (list, tuple)):
        return [_describe(v) for v in value]
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _same(a, b):
    """Equal to the last bit, including order and NaN payload."""
    if isinstance(a, torch.Tensor):
        return (
            isinstance(b, torch.Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and program.dim_order(a) == program.dim_order(b)
            and program.raw_bytes(a) == program.raw_bytes(b)
        )
    return type(a) is type(b) and (a == b or (a != a and b != b))


def _agrees_with_eager(case, outputs):
    """Whether PyTorch computes the same, up to rounding; None where it cannot say."""
    if case.eager is None or len(case.eager) != len(outputs):
        return None
    for expected, found in zip(case.eager, outputs):
        if not isinstance(expected, torch.Tensor) or not isinstance(found, torch.Tensor):
            if expected != found:
                return False
        elif expected.shape != found.shape:
            return False
        elif not _close(expected.to(found.dtype).to(torch.float64), found.to(torch.float64)):
            return False
    return True


def _close(a, b):
    """Equal up to what a sum in half precision loses."""
    finite = a[a.isfinite()]
    scale = float(finite.abs().max()) if finite.numel() else 0.0
    return torch.allclose(a, b, rtol=2e-2, atol=min(2e-2 * scale, 1.0), equal_nan=True)


def record(operator, runner_path):
    """Runs all cases. The program, its test suites and the manifest entries."""
    emitted = [emit(operator, case) for case in operator.cases]
    pte = program.program([method for method, _ in emitted])
    answers = _answers(operator, emitted, pte, runner_path)
    dropped = {}
    for index, case in enumerate(operator.cases):
        first, second = answers[2 * index : 2 * index + 2]
        if first.stage == second.stage == "done":
            pairs = zip(first.steps[0], second.steps[0])
            lost = [n for n, (a, b) in enumerate(pairs) if not _same(a, b)]
            if lost:
                dropped[index] = lost
    methods = [emit(operator, case, dropped.get(i, ()))[0] for i, case in enumerate(operator.cases)]
    pte = program.program(methods)
    suites, entries = [], []
    for index, (case, (_, inputs)) in enumerate(zip(operator.cases, emitted)):
        answer, entry = answers[2 * index], {"method": case.name}
        entry["args"] = {k: _describe(v) for k, v in case.args.items()}
        entry["inputs"] = [_describe(t) for t in inputs]
        outputs = []
        if case.name.split("_", 1)[-1].endswith(PLATFORM_DEFINED):
            entry["platform_defined"] = True
        if operator.within:
            entry["within"] = operator.within
        if answer.stage == "done":
            agrees = _agrees_with_eager(case, answer.steps[0])
            lost = dropped.get(index, [])
            outputs = [v for n, v in enumerate(answer.steps[0]) if n not in lost]
            entry["outputs"] = [_describe(v) for v in outputs]
            if lost:
                entry["undefined_outputs"] = lost
            elif agrees is False:
                entry["differs_from_pytorch"] = True
                if schemas.library(operator.name) == "optimized" and _orders_differ(case, inputs):
                    entry["optimized_only"] = True
        else:
            entry["error"] = _error(operator, case, answer)
            entry["log"] = answer.log[-1500:]
        suites.append((case.name, [(inputs, outputs)]))
        entries.append(entry)
    return pte, suites, entries


def _answers(operator, emitted, pte, runner_path):
    """One answer per case and fill."""
    if schemas.library(operator.name) == "cortex_m_reference":
        # No runtime on the host has these: the wheel's Python reference speaks for it.
        return [runner.Response("done", 0, "", [case.eager]) for case in operator.cases for _ in FILLS]
    requests = [(m.name, fill, [inputs]) for m, inputs in emitted for fill in FILLS]
    return runner.run(runner_path, pte, requests)


def _orders_differ(case, inputs):
    """Whether tensors of the call differ in dim order, which some optimized kernels overlook."""
    orders = {program.dim_order(t) for t in inputs if t.dim() > 1}
    orders |= {tuple(o.order or range(len(o.sizes))) for o in case.outs if len(o.sizes) > 1}
    return len(orders) > 1


def _error(operator, case, answer):
    """How the runtime refused. A crash is its own fault and says nothing about the call."""
    stage = answer.stage
    if stage == "abort" and answer.code != signal.SIGABRT:
        stage = "crash"
    error = {"stage": stage, "code": answer.code}
    if stage not in ("abort", "crash", "timeout"):
        error["name"] = runner.ERRORS.get(answer.code, "?")
    types = {t.dtype for v in case.args.values() for t in _tensors(v)}
    if types == {torch.float64} and operator.name in schemas.OPTIMIZED_REFUSES_DOUBLE and "Check failed (false)" in answer.log:
        error["optimized_only"] = True
    return error


def safely(function, *args, **kwargs):
    """Calls and reports, so that one bad case maker does not lose the others."""
    try:
        return function(*args, **kwargs)
    except Exception:
        traceback.print_exc()
        return None
