"""Signatures of ExecuTorch's operators, read from the installed wheel and PyTorch.

`signatures()` gives, per operator name, its arguments in the order of the kernel
call as `Arg(name, kind, out, default)`. `functional()` finds the PyTorch overload
that computes the same thing without output arguments.
"""
import functools
import os
import re
from collections import namedtuple

import executorch
import executorch.exir  # registers dim_order_ops, et_copy  # noqa: F401
import torch
import yaml

Arg = namedtuple("Arg", "name kind out default")
REQUIRED = object()
PACKAGE = list(executorch.__path__)[0]
YAMLS = [
    "kernels/portable/functions.yaml",
    "kernels/portable/custom_ops.yaml",
    "kernels/quantized/quantized.yaml",
    "backends/cortex_m/ops/operators.yaml",
]
# Kernels that only the optimized library registers.
OPTIMIZED_ONLY = ["aten::linear.out", "aten::_fft_c2r.out", "aten::_fft_r2c.out"]
# Operators whose kernel in the wheel is the optimized library's.
OPTIMIZED = OPTIMIZED_ONLY + [
    "aten::" + name
    for name in "_log_softmax.out add.out add.Scalar_out bmm.out div.out div.Scalar_out elu.out exp.out "
    "gelu.out grid_sampler_2d.out le.Scalar_out le.Tensor_out mm.out mul.out mul.Scalar_out "
    "native_layer_norm.out sub.out sub.Scalar_out sum.IntList_out where.self_out".split()
]
# Their optimized kernel refuses what the portable one, which a device may have, takes.
OPTIMIZED_REFUSES_DOUBLE = ["aten::_log_softmax.out"]
KINDS = {
    "Tensor": "Tensor",
    "Tensor?": "OptionalTensor",
    "Tensor[]": "TensorList",
    "Tensor?[]": "OptionalTensorList",
    "Scalar": "Scalar",
    "Scalar?": "OptionalScalar",
    "int": "Int",
    "int?": "OptionalInt",
    "int[]": "IntList",
    "int[]?": "OptionalIntList",
    "float": "Double",
    "float?": "OptionalDouble",
    "float[]?": "OptionalDoubleList",
    "bool": "Bool",
    "bool?": "OptionalBool",
    "bool[]": "BoolList",
    "ScalarType": "ScalarType",
    "ScalarType?": "OptionalScalarType",
    "MemoryFormat?": "OptionalMemoryFormat",
    "str": "String",
    "str?": "OptionalString",
}


def _split(arguments):
    """The arguments of a schema's text, up to the closing parenthesis."""
    parts, part, depth = [], "", 0
    for char in arguments:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            break
        if char == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += char
    return [p for p in parts + [part.strip()] if p and p != "*"]


def _parse(schema):
    defaults = {a.name: a.default_value if a.has_default_value() else REQUIRED for a in schema.arguments}
    args = []
    for part in _split(str(schema).split("(", 1)[1]):
        kind, name = re.sub(r"=.*$", "", part).strip().rsplit(" ", 1)
        out = "!" in kind
        kind = re.sub(r"\([a-z]!?\)", "", kind)
        kind = re.sub(r"\[\d+\]", "[]", kind).replace("SymInt", "int")
        args.append(Arg(name, KINDS[kind], out, defaults[name]))
    return args


def _prim_ops():
    """Prim ops have no schema; these are the arguments their kernels read."""
    tensor, out = Arg("self", "Tensor", False, REQUIRED), Arg("out", "Any", True, REQUIRED)

    def numbers(names, kind="Any"):
        return [Arg(name, kind, False, REQUIRED) for name in names]

    ops = {
        "aten::sym_size.int": [tensor, *numbers(["dim"], "Int"), out],
        "aten::_local_scalar_dense": [tensor, out],
        "aten::sym_numel": [tensor, out],
        "executorch_prim::sym_ite.Scalar": [*numbers(["condition", "a", "b"]), out],
        "executorch_prim::et_copy_index.tensor": [
            Arg("copy_to", "Tensor", True, REQUIRED),
            Arg("copy_from", "Tensor", False, REQUIRED),
            *numbers(["index"], "Int"),
        ],
        "executorch_prim::et_view.default": [
            tensor,
            *numbers(["size"], "IntList"),
            Arg("out", "Tensor", True, REQUIRED),
        ],
    }
    for name in "sym_max sym_min add sub mul floordiv truediv eq gt lt ge le mod".split():
        ops[f"executorch_prim::{name}.Scalar"] = [*numbers("ab"), out]
    for name in "sym_float sym_int neg sym_not ceil round trunc".split():
        ops[f"executorch_prim::{name}.Scalar"] = [*numbers("a"), out]
    for name in ["floordiv", "mod"]:
        ops[f"executorch_prim::{name}.int"] = [*numbers("ab", "Int"), out]
    return ops


def _full_name(schema):
    return schema.name + ("." + schema.overload_name if schema.overload_name else "")


@functools.cache
def signatures():
    """Arguments of every operator, by full name, sorted."""
    known = {_full_name(s): s for s in torch._C._jit_get_all_schemas()}
    schemas = {name: known[name] for name in OPTIMIZED_ONLY}
    for path in YAMLS:
        with open(os.path.join(PACKAGE, path)) as file:
            for entry in yaml.safe_load(file):
                text = entry.get("op") or entry["func"]
                if "::" not in text.split("(")[0]:
                    text = "aten::" + text
                schema = known[text] if "op" in entry else torch._C.parse_schema(text)
                schemas[_full_name(schema)] = schema
    table = {name: _parse(schema) for name, schema in schemas.items()}
    # The only kernel that returns a new tensor: the call's last argument takes it.
    table["aten::allclose.Tensor"].append(Arg("out", "Tensor", True, REQUIRED))
    table.update(_prim_ops())
    return dict(sorted(table.items()))


def functional(name):
    """The overload without output arguments that computes the same, or None."""
    namespace, rest = name.split("::")
    packet = getattr(getattr(torch.ops, namespace), rest.split(".")[0], None)
    if packet is None:
        return None
    wanted = {a.name: a for a in signatures()[name] if not a.out}
    for overload in packet.overloads():
        found = getattr(packet, overload)
        arguments = {a.name: a for a in found._schema.arguments}
        if any(a.alias_info for a in arguments.values()) or not wanted.keys() <= arguments.keys():
            continue
        extra = [a for n, a in arguments.items() if n not in wanted and not a.has_default_value()]
        kinds = {a.name: a.kind for a in _parse(found._schema) } if _parsable(found) else {}
        if not extra and all(kinds.get(n, a.kind) == a.kind for n, a in wanted.items()):
            return found
    return None


def _parsable(overload):
    try:
        _parse(overload._schema)
        return True
    except KeyError:
        return False


def library(name):
    """Which of the wheel's kernel libraries answers for an operator."""
    if name.startswith("quantized_decomposed::"):
        return "quantized"
    if name.startswith("cortex_m::"):
        return "cortex_m_reference"
    if name.startswith("executorch_prim::") or name in _prim_ops():
        return "prim"
    return "optimized" if name in OPTIMIZED else "portable"
