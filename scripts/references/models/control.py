"""Control flow, shapes known at run time, state, several methods, weights in a file of their own."""
import torch
from torch import nn
from torch._higher_order_ops import map as map_rows
from torch._higher_order_ops import scan
from torch.nn import functional as F

from . import Model, seeded, tensor, tokens


class Outputs(nn.Module):
    """Branches with several results, of which one is the input itself."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(4, 4)

    def forward(self, x, y):
        def some(x, y):
            h = self.shared(x)
            return h.relu(), (h * y).sum(-1), x * 2

        def other(x, y):
            h = self.shared(y)
            return h.tanh(), h.amax(-1), x - y

        return torch.cond((x.mean() > y.mean()).reshape(()), some, other, (x, y))


class Sequence(nn.Module):
    """One branch after the other, the second on what the first made."""

    def forward(self, x):
        x = torch.cond(x.sum() > 0, lambda x: x.cumsum(0), lambda x: x.flip(0), (x,))
        y = torch.cond(x[0] > x[-1], lambda x: x.softmax(0), lambda x: x / (x.abs().max() + 1), (x,))
        return x, y


class Experts(nn.Module):
    """A branch per expert, nested, by an index."""

    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(5, 3) for _ in range(3))

    def forward(self, x, which):
        def second(x):
            return torch.cond(which == 1, lambda x: self.experts[1](x), lambda x: self.experts[2](x).sin(), (x,))

        return torch.cond(which == 0, lambda x: self.experts[0](x).relu(), second, (x,))


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 3)

    def forward(self, x, scale):
        return map_rows(lambda row, scale: self.body(row).relu() * scale, x, scale)


class Scan(nn.Module):
    """A recurrent cell as a scan."""

    def __init__(self):
        super().__init__()
        self.i, self.h = nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, x, state):
        def step(state, x):
            state = torch.tanh(self.i(x) + self.h(state))
            return state, state.clone()

        return scan(step, state, x)


class Image(nn.Module):
    """Convolutions on an image of any size."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(2, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Linear(6, 3)

    def forward(self, x):
        x = self.b(F.relu(self.a(x)))
        y = F.interpolate(x, scale_factor=2, mode="nearest")
        return self.head(x.mean((2, 3))), y, F.max_pool2d(y, 2)


class Item(nn.Module):
    """A slice as long as a tensor says."""

    def forward(self, x, count):
        n = count.item()
        torch._check(n >= 1)
        torch._check(n <= x.shape[0])
        return x[:n].sum(0), torch.ones(n)


class Ring(nn.Module):
    """The last values, in a buffer that is written round and round."""

    def __init__(self):
        super().__init__()
        self.register_buffer("ring", torch.zeros(3, 2))
        self.register_buffer("at", torch.zeros(1, dtype=torch.int64))

    def forward(self, x):
        self.ring.index_copy_(0, self.at, x)
        self.at.add_(1).remainder_(3)
        return self.ring.mean(0), self.at + 0


class Mutated(nn.Module):
    """Writes to its input, gives one input back and one result twice."""

    def forward(self, x, y):
        x.add_(y)
        twice = x * y
        return y, twice, twice, torch.ones(2)


ROWS = torch.export.Dim("rows", min=2, max=8)
HEIGHT, WIDTH = torch.export.Dim("height", min=2, max=8), torch.export.Dim("width", min=2, max=8)


def external():
    """Weights in a file beside the program."""
    return {"external_constants": True}


MODELS = {
    "branch_outputs": lambda: Model(seeded(Outputs, 60), [(tensor(2, 4, seed=i), tensor(2, 4, seed=i + 1)) for i in range(4)]),
    "branch_sequence": lambda: Model(Sequence(), [(tensor(5, seed=i),) for i in range(5)]),
    "branch_experts": lambda: Model(seeded(Experts, 61), [(tensor(2, 5), torch.tensor(i)) for i in range(3)]),
    "map_rows": lambda: Model(seeded(Rows, 62), [(tensor(3, 2, 4), tensor(3)), (tensor(3, 2, 4, seed=9), tensor(3, seed=8))]),
    "scan_cell": lambda: Model(seeded(Scan, 63), [(tensor(4, 2, 3), tensor(2, 4, seed=2))]),
    "dynamic_image": lambda: Model(
        seeded(Image, 64), [(tensor(1, 2, 8, 12),), (tensor(1, 2, 4, 4),), (tensor(1, 2, 16, 6),)], dynamic_shapes=({2: 2 * HEIGHT, 3: 2 * WIDTH},)),
    "dynamic_lstm": lambda: Model(
        seeded(lambda: nn.GRUCell(3, 4), 65), [(tensor(4, 3), tensor(4, 4)), (tensor(2, 3), tensor(2, 4)), (tensor(8, 3), tensor(8, 4))],
        dynamic_shapes=({0: ROWS}, {0: ROWS})),
    "item_slice": lambda: Model(Item(), [(tensor(5, 2), torch.tensor(n)) for n in (3, 1, 5)]),
    "state_ring": lambda: Model(Ring(), [(tensor(1, 2, seed=i),) for i in range(5)], stateful=True),
    "mutated_input": lambda: Model(Mutated(), [(tensor(3, 2), tensor(3, 2, seed=2))]),
    "external_weights": lambda: Model(seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3)), 67), [(tensor(2, 6),)], config=external()),
    "external_convolutions": lambda: Model(seeded(Image, 68), [(tensor(1, 2, 8, 8),)], config=external()),
    "methods_of_one_model": lambda: Model(
        seeded(lambda: nn.Linear(4, 4), 69), [(tensor(2, 4),)],
        methods={"embed": (seeded(lambda: nn.Embedding(9, 4), 70), [(tokens(9, 2, 3),)]), "branch": (Sequence(), [(tensor(5, seed=i),) for i in (1, 2)])}),
}  # fmt: skip
