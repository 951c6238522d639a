"""Whole models with random weights: variety that the kernel cases cannot give.

A `Model` is a module with the inputs of its runs and how it is exported. Its
functions are listed in `MODELS` by name.
"""
from dataclasses import dataclass, field

import torch


@dataclass
class Model:
    """One program. `cases` are tuples of inputs; the first is the example of the export."""

    module: torch.nn.Module
    cases: list
    dynamic_shapes: object = None
    lower: str = "portable"  # or xnnpack
    quantize: str = None  # static, per_channel or dynamic
    config: dict = field(default_factory=dict)  # of ExecutorchBackendConfig
    stateful: bool = False
    methods: dict = None  # further methods: name -> (module, cases)


def tensor(*sizes, seed=1, dtype=torch.float32, last=False, scale=1.0):
    """A seeded random tensor, in channels-last order on demand."""
    made = (torch.randn(sizes, generator=torch.Generator().manual_seed(seed)) * scale).to(dtype)
    return made.to(memory_format=torch.channels_last) if last else made


def tokens(limit, *sizes, seed=1):
    """Seeded random integers below `limit`."""
    return torch.randint(0, limit, sizes, generator=torch.Generator().manual_seed(seed))


def seeded(make, seed=0):
    """A module in inference mode, its weights and running statistics random by `seed`."""
    torch.manual_seed(seed)
    module = make().eval()
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.3)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return module


def without_batch_norm(module):
    """The module with identities for batch norms, which the portable kernel refuses in channels-last order."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.BatchNorm2d):
            setattr(module, name, torch.nn.Identity())
        else:
            without_batch_norm(child)
    return module


class Apply(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)
