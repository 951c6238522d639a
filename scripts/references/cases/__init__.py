"""Cases of every operator, by family.

A module's `OPERATORS` are functions that make one `Operator` or several; `random` and `complex` add to them.
"""
import importlib

FAMILIES = [
    "convolution", "matrix", "unary", "softmax", "norms", "binary", "reduction", "pooling", "shape", "indexing",
    "creation", "prim", "quantized", "cortex_m",
]  # fmt: skip


def operators(families=None):
    """Family and `Operator`, in the order of the families."""
    extend = importlib.import_module(f"{__name__}.random").extend
    extend_complex = importlib.import_module(f"{__name__}.complex").extend
    for family in families or FAMILIES:
        module = importlib.import_module(f"{__name__}.{family}")
        for maker in module.OPERATORS:
            made = maker()
            for operator in made if isinstance(made, list) else [made]:
                yield family, extend_complex(extend(operator))
