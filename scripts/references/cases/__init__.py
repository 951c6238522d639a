"""Cases of every operator, by family. A module's `OPERATORS` are functions that make one `Operator` each."""
import importlib

FAMILIES = ["convolution", "matrix", "unary", "softmax", "norms", "binary", "reduction", "pooling", "shape", "indexing", "creation", "prim", "quantized"]


def makers(families=None):
    """The functions that make operators, in the order of the families."""
    for family in families or FAMILIES:
        module = importlib.import_module(f"{__name__}.{family}")
        for maker in module.OPERATORS:
            yield family, maker
