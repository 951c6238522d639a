"""Small models of other kinds, and programs of unusual form."""
import torch
from torch import nn
from torch.nn import functional as F

from . import Apply, Model, seeded, tensor, tokens


class Mlp(nn.Module):
    def __init__(self, act=nn.ReLU):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), act(), nn.Dropout(0.3), nn.Linear(16, 8), nn.LayerNorm(8), act(), nn.Linear(8, 4))

    def forward(self, x):
        return self.body(x)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(20, 12), nn.SELU(), nn.Linear(12, 6), nn.Softsign())
        self.mean, self.spread = nn.Linear(6, 3), nn.Linear(6, 3)
        self.up = nn.Sequential(nn.Linear(3, 12), nn.CELU(0.7), nn.Linear(12, 20), nn.LogSigmoid())

    def forward(self, x, noise):
        h = self.down(x)
        mean, spread = self.mean(h), self.spread(h).clamp(-4, 2)
        kl = -0.5 * torch.sum(1 + spread - mean**2 - spread.exp(), dim=1)
        return self.up(mean + noise * torch.exp(0.5 * spread)), kl


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.route = nn.Linear(6, 4)
        self.weights = nn.Parameter(torch.randn(4, 6, 5) * 0.3)

    def forward(self, x):
        score, chosen = self.route(x).topk(2, -1)
        mix = score.softmax(-1)
        picked = self.weights[chosen]  # rows, 2, 6, 5
        return torch.einsum("bi,bkio,bk->bo", x, picked, mix)


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.message, self.update = nn.Linear(8, 6), nn.Linear(10, 4)

    def forward(self, x, edges):
        source, target = edges[0], edges[1]
        m = F.relu(self.message(torch.cat([x[source], x[target]], -1)))
        total = torch.zeros(x.shape[0], 6).index_add(0, target, m)
        count = torch.zeros(x.shape[0], 1).index_add(0, target, torch.ones(m.shape[0], 1))
        return self.update(torch.cat([x, total / count.clamp(min=1)], -1))


class Boxes(nn.Module):
    def forward(self, raw, anchors):
        xy = torch.sigmoid(raw[..., :2]) * 2 - 0.5 + anchors[..., :2]
        wh = torch.exp(raw[..., 2:4].clamp(max=4.0)) * anchors[..., 2:]
        score, label = torch.sigmoid(raw[..., 4:]).max(-1)
        corners = torch.cat([xy - wh / 2, xy + wh / 2], -1).clamp(0, 16)
        area = (corners[..., 2] - corners[..., 0]) * (corners[..., 3] - corners[..., 1])
        keep = (score > 0.6) & (area > 0.5)
        return corners, torch.where(keep, score, torch.zeros_like(score)), label, keep


def distances(a, b):
    cosine = F.cosine_similarity(a, b, dim=-1)
    return cosine, torch.cdist(a, b), F.pairwise_distance(a, b), torch.var_mean(a, dim=-1), a.std(0), torch.logsumexp(b, 1)


def integers(a, b):
    return (a // b, a % b, a & b, a | b, a ^ b, ~a, torch.bitwise_left_shift(a, b % 3), torch.bitwise_right_shift(a, b % 3), (a > b).sum(), torch.where(a > b, a, b), a.abs().max(), (a == b).any(1),
            torch.cumsum(a, 1), a.float().mean(0), a.bitwise_and(7).to(torch.uint8), (a.bool() ^ b.bool()).all())  # fmt: skip


def moves(x):
    parts = torch.split(x, [1, 3, 2], dim=1)
    rolled = torch.roll(x, (1, -2), (0, 1)).flip(1)
    tiled = x.repeat(2, 1).unfold(1, 3, 2)
    square = x[:4, :4]
    return (parts[1].contiguous(), rolled, tiled, torch.tril(square), torch.diagonal(square, 1), x.t().reshape(3, -1), torch.stack([x, x * 2], 1),
            x[:, ::2], x[..., None].expand(-1, -1, 2), torch.nn.functional.one_hot(x.argmax(1), 6), x.masked_fill(x > 0, -1.0), x.topk(2, 1)[1])  # fmt: skip


def maths(x):
    p = x.abs() + 0.1
    return (torch.log1p(p), torch.expm1(x), torch.erf(x), torch.atan2(x, p), torch.pow(p, 1.7), torch.rsqrt(p), torch.sinh(x), torch.acos(x.tanh()), x.round(),
            torch.frac(x), torch.sign(x), torch.fmod(x, 0.7), torch.remainder(x, 0.7), x.sigmoid().logit(), torch.lerp(x, p, 0.3), x.nan_to_num())  # fmt: skip


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x, flag):
        return torch.cond(flag.sum() > 0, lambda x: self.a(x).relu(), lambda x: self.b(x) - 1.0, (x,))


class Nested(nn.Module):
    def forward(self, x):
        def outer(x):
            return torch.cond(x.amax() > 2, lambda x: x * 2, lambda x: x + 1, (x,))

        return torch.cond(x.sum() > 0, outer, lambda x: -x, (x,))


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("total", torch.full((3,), 0.5))

    def forward(self, x):
        self.count.add_(1)
        self.total.mul_(0.9).add_(x)
        return self.total / self.count, self.count * 1


class Structured(nn.Module):
    def forward(self, inputs):
        a, (b, c) = inputs["a"], inputs["rest"]
        return {"sum": a + b, "pair": (a * c, [b - c]), "constant": torch.arange(3)}


def unplanned():
    from executorch.exir.passes import MemoryPlanningPass

    return {"memory_planning_pass": MemoryPlanningPass(alloc_graph_input=False, alloc_graph_output=False)}


def two_buffers():
    from executorch.exir.passes import MemoryPlanningPass

    class Alternate(MemoryPlanningPass):
        """Puts every other value into a second planned buffer."""

        def run(self, graph_module, graph_signature=None):
            for place, node in enumerate(n for n in graph_module.graph.nodes if n.op == "call_function"):
                specs = node.meta.get("spec")
                for spec in specs if isinstance(specs, (list, tuple)) else [specs]:
                    if spec is not None and getattr(spec, "mem_id", 0) is None:
                        spec.mem_id = 1 + place % 2
            return super().run(graph_module, graph_signature)

    return {"memory_planning_pass": Alternate()}


def aligned():
    from executorch.exir.passes import MemoryPlanningPass

    return {"memory_planning_pass": MemoryPlanningPass(alignment=64), "segment_alignment": 256}


def x6(n=3, **kw):
    return [(tensor(n, 6, seed=5, **kw),), (tensor(n, 6, seed=6, **kw),)]


ROWS = torch.export.Dim("rows", min=1, max=8)
MODELS = {
    "mlp_batch_norm": lambda: Model(seeded(Mlp, 40), x6()),
    "mlp_half": lambda: Model(seeded(lambda: Mlp(nn.GELU), 40).half(), x6(dtype=torch.float16)),
    "mlp_bfloat16": lambda: Model(seeded(lambda: Mlp(nn.Tanh), 40).bfloat16(), x6(dtype=torch.bfloat16)),
    "mlp_double": lambda: Model(seeded(lambda: Mlp(nn.Sigmoid), 40).double(), x6(dtype=torch.float64)),
    "mlp_dynamic": lambda: Model(seeded(Mlp, 41), [x6(4)[0], x6(1)[0], x6(8)[0]], dynamic_shapes=({0: ROWS},)),
    "mlp_quantized": lambda: Model(seeded(lambda: nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 4)), 42), x6(), quantize="static"),
    "mlp_quantized_per_channel": lambda: Model(seeded(lambda: nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 4)), 42), x6(), quantize="per_channel"),
    "mlp_quantized_dynamic": lambda: Model(seeded(lambda: nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 4)), 42), x6(), quantize="dynamic"),
    "mlp_unplanned": lambda: Model(seeded(Mlp, 43), x6(), config=unplanned()),
    "mlp_two_buffers": lambda: Model(seeded(Mlp, 44), x6(), config=two_buffers()),
    "mlp_aligned": lambda: Model(seeded(Mlp, 45), x6(), config=aligned()),
    "mlp_view_copies": lambda: Model(seeded(Mlp, 46), x6(), config={"remove_view_copy": False}),
    "autoencoder": lambda: Model(seeded(Autoencoder, 47), [(tensor(2, 20), tensor(2, 3, seed=2))]),
    "experts": lambda: Model(seeded(Experts, 48), x6()),
    "graph": lambda: Model(seeded(Graph, 49), [(tensor(5, 4), tokens(5, 2, 9)), (tensor(5, 4, seed=3), tokens(5, 2, 9, seed=3))]),
    "boxes": lambda: Model(Boxes(), [(tensor(2, 7, 8, scale=2.0), tensor(2, 7, 4, seed=2).abs() * 4)]),
    "distances": lambda: Model(Apply(distances), [(tensor(4, 5), tensor(4, 5, seed=2))]),
    "integers": lambda: Model(Apply(integers), [(tokens(50, 3, 4) - 20, tokens(9, 3, 4, seed=2) + 1)]),
    "moves": lambda: Model(Apply(moves), [(tensor(4, 6),)]),
    "maths": lambda: Model(Apply(maths), [(tensor(3, 5),)]),
    "branch": lambda: Model(seeded(Branch, 50), [(tensor(2, 4), torch.ones(1)), (tensor(2, 4), -torch.ones(1))]),
    "branch_nested": lambda: Model(Nested(), [(torch.tensor([1.0, 3.0]),), (torch.tensor([1.0, 1.5]),), (torch.tensor([-3.0, 1.5]),)]),
    "counter": lambda: Model(Counter(), [(tensor(3, seed=i),) for i in range(3)], stateful=True),
    "structured": lambda: Model(Structured(), [({"a": tensor(3), "rest": (tensor(3, seed=2), tensor(3, seed=3))},)]),
    "several_methods": lambda: Model(
        seeded(Mlp, 51), x6(), methods={"encode": (seeded(lambda: nn.Linear(6, 3), 52), x6()), "reduce": (Apply(lambda x: (x.mean(), x.amax(0))), x6())}),
    "no_operators": lambda: Model(Apply(lambda x: x), [(tensor(3),)]),
    "mlp_xnnpack": lambda: Model(seeded(Mlp, 53), x6(), lower="xnnpack"),
    "mlp_xnnpack_quantized": lambda: Model(seeded(lambda: nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 4)), 42), x6(), lower="xnnpack", quantize="per_channel"),
}  # fmt: skip
