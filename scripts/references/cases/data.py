"""Small seeded tensors for cases."""
import zlib

import torch

from ..corpus import ALL, FLOATS, INTS, REAL  # noqa: F401

_generator = torch.Generator()


def seed(name):
    """Makes an operator's data independent of the other operators."""
    _generator.manual_seed(zlib.crc32(name.encode()))


def x(dtype, *sizes, scale=2.0):
    """Random elements: floats around zero, small integers, bools."""
    if dtype == torch.bool:
        return torch.randint(0, 2, sizes, generator=_generator).bool()
    if dtype.is_floating_point:
        return (torch.randn(sizes, generator=_generator) * scale).to(dtype)
    low = 0 if dtype in (torch.uint8, torch.uint16, torch.uint32, torch.uint64) else -10
    return torch.randint(low, 12, sizes, generator=_generator).to(dtype)


def positive(dtype, *sizes):
    """Random elements that are not zero and not negative."""
    if dtype == torch.bool:
        return torch.ones(sizes, dtype=dtype)
    if dtype.is_floating_point:
        return (torch.rand(sizes, generator=_generator) * 3 + 0.1).to(dtype)
    return torch.randint(1, 9, sizes, generator=_generator).to(dtype)


def indices(limit, *sizes, dtype=torch.int64):
    """Random indices below `limit`."""
    return torch.randint(0, limit, sizes, generator=_generator).to(dtype)


def special(dtype=torch.float32):
    """The values that go wrong: NaN, infinities, zeros of both signs, extremes, halves."""
    info = torch.finfo(dtype)
    values = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5]
    values += [info.max, info.min, info.tiny, -info.tiny, 1e-3, 88.7, -88.7, 3.0, 20.0, -20.0]
    return torch.tensor(values, dtype=torch.float64).to(dtype)


def last(tensor):
    """The same elements in channels-last order."""
    kind = torch.channels_last if tensor.dim() == 4 else torch.channels_last_3d
    tensor = tensor.to(memory_format=kind).clone(memory_format=torch.preserve_format)
    tensor.order = (0, 2, 3, 1) if tensor.dim() == 4 else (0, 2, 3, 4, 1)
    return tensor


def ordered(tensor, *order):
    """The same elements, laid out by `order` from outermost to innermost."""
    inverse = [order.index(d) for d in range(len(order))]
    tensor = tensor.permute(order).contiguous().permute(inverse)
    tensor.order = tuple(order)
    return tensor


def bounded(tensor, *bound):
    """An input whose shape may change up to `bound`."""
    tensor.bound = list(bound)
    return tensor


def between(low, high):
    """A random integer from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=_generator))


def pick(items):
    """A random one of `items`."""
    return items[between(0, len(items) - 1)]


def shape(low_rank=0, high_rank=4, high=5):
    """A random shape."""
    return [between(1, high) for _ in range(between(low_rank, high_rank))]
