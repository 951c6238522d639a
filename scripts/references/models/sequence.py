"""Recurrent networks, attention and other models over sequences."""
import math

import torch
from torch import nn
from torch.nn import functional as F

from . import Model, seeded, tensor, tokens


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.body = kind(5, 6, batch_first=True, **options)
        width = 6 * (2 if options.get("bidirectional") else 1)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        states, last = self.body(x)
        last = last[0] if isinstance(last, tuple) else last
        return self.head(states), last


class Encoder(nn.Module):
    def __init__(self, width=16, heads=4, vocabulary=30, norm_first=False, activation="gelu"):
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Parameter(torch.randn(1, 12, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, heads, 32, 0.0, activation, batch_first=True, norm_first=norm_first)
        self.layers = nn.ModuleList([layer, nn.TransformerEncoderLayer(width, heads, 24, 0.0, "relu", batch_first=True)])
        self.head = nn.Linear(width, 5)

    def forward(self, ids):
        x = self.embed(ids) + self.place[:, : ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.head(x.amax(1)), x


class Decoder(nn.Module):
    """Causal attention, written out, with rotary positions and a gated feed-forward."""

    def __init__(self, width=16, heads=2, vocabulary=23, length=10):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.embed = nn.Embedding(vocabulary, width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.gate, self.up, self.down = nn.Linear(width, 40, bias=False), nn.Linear(width, 40, bias=False), nn.Linear(40, width, bias=False)
        self.norm1, self.norm2 = nn.Parameter(torch.rand(width)), nn.Parameter(torch.rand(width))
        angles = torch.outer(torch.arange(length), 1.0 / 100 ** (torch.arange(0, self.size, 2) / self.size))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1))

    @staticmethod
    def norm(x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight

    def rotate(self, x):
        a, b = x[..., 0::2], x[..., 1::2]
        n = x.shape[2]
        cos, sin = self.cos[:n], self.sin[:n]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)

    def forward(self, ids):
        x = self.embed(ids)
        b, n, w = x.shape
        q, k, v = self.qkv(self.norm(x, self.norm1)).chunk(3, -1)
        q, k, v = (t.view(b, n, self.heads, self.size).transpose(1, 2) for t in (q, k, v))
        scores = self.rotate(q) @ self.rotate(k).transpose(-1, -2) / math.sqrt(self.size) + self.mask[:n, :n]
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, w)
        x = x + self.out(y)
        h = self.norm(x, self.norm2)
        x = x + self.down(F.silu(self.gate(h)) * self.up(h))
        return x @ self.embed.weight.T


class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True, kdim=6, vdim=6)
        self.norm = nn.LayerNorm(8, bias=False)

    def forward(self, query, memory, padding):
        y, weights = self.attend(query, memory, memory, key_padding_mask=padding)
        return self.norm(query + y), weights


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.token = nn.Conv2d(3, 12, 4, 4), nn.Parameter(torch.randn(1, 1, 12))
        self.place = nn.Parameter(torch.randn(1, 10, 12) * 0.1)
        self.q, self.k, self.v, self.o = (nn.Linear(12, 12) for _ in range(4))
        self.norm, self.head = nn.LayerNorm(12), nn.Linear(12, 4)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        h = self.norm(x)
        q, k, v = (f(h).unflatten(-1, (3, 4)).transpose(1, 2) for f in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(q, k, v)
        return self.head((x + self.o(y.transpose(1, 2).flatten(2)))[:, 0])


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.across, self.along = nn.Sequential(nn.Linear(6, 12), nn.GELU("tanh"), nn.Linear(12, 6)), nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.a, self.b = nn.LayerNorm(8), nn.LayerNorm(8)

    def forward(self, x):
        x = x + self.across(self.a(x).transpose(1, 2)).transpose(1, 2)
        return x + self.along(self.b(x))


class TextCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 6, padding_idx=0)
        self.convs = nn.ModuleList(nn.Conv1d(6, 4, k) for k in (2, 3, 4))
        self.head = nn.Linear(12, 3)

    def forward(self, ids):
        x = self.embed(ids).transpose(1, 2)
        return self.head(torch.cat([F.relu(c(x)).max(-1).values for c in self.convs], 1)).softmax(-1)


class Temporal(nn.Module):
    """Dilated causal convolutions with gates."""

    def __init__(self):
        super().__init__()
        self.filters = nn.ModuleList(nn.Conv1d(6, 6, 2, dilation=2**i) for i in range(3))
        self.gates = nn.ModuleList(nn.Conv1d(6, 6, 2, dilation=2**i) for i in range(3))
        self.mix = nn.ModuleList(nn.Conv1d(6, 6, 1) for _ in range(3))
        self.stem, self.head = nn.Conv1d(2, 6, 1), nn.Conv1d(6, 4, 1)

    def forward(self, x):
        x = self.stem(x)
        total = 0
        for i, (f, g, m) in enumerate(zip(self.filters, self.gates, self.mix)):
            padded = F.pad(x, (2**i, 0))
            y = m(torch.tanh(f(padded)) * torch.sigmoid(g(padded)))
            x, total = x + y, total + y
        return self.head(F.relu(total))


class Cache(nn.Module):
    """Attention over a cache of keys and values that the model keeps."""

    def __init__(self):
        super().__init__()
        self.q, self.kv = nn.Linear(6, 6), nn.Linear(6, 12)
        self.register_buffer("keys", torch.zeros(1, 8, 6))
        self.register_buffer("values", torch.zeros(1, 8, 6))

    def forward(self, x, at):
        k, v = self.kv(x).chunk(2, -1)
        self.keys[:, at] = k
        self.values[:, at] = v
        allowed = torch.arange(8) <= at
        scores = (self.q(x) @ self.keys.transpose(1, 2)) / 6**0.5
        return scores.masked_fill(~allowed, float("-inf")).softmax(-1) @ self.values


def sequences(*sizes, **kw):
    return [(tensor(*sizes, seed=3, **kw),), (tensor(*sizes, seed=4, **kw),)]


LENGTH = torch.export.Dim("length", min=2, max=9)
MODELS = {
    "lstm": lambda: Model(seeded(lambda: Recurrent(nn.LSTM), 20), sequences(2, 4, 5)),
    "lstm_deep_both_ways": lambda: Model(seeded(lambda: Recurrent(nn.LSTM, num_layers=2, bidirectional=True), 21), sequences(1, 3, 5)),
    "lstm_half": lambda: Model(seeded(lambda: Recurrent(nn.LSTM), 20).half(), sequences(2, 4, 5, dtype=torch.float16)),
    "gru": lambda: Model(seeded(lambda: Recurrent(nn.GRU, num_layers=2), 22), sequences(2, 4, 5)),
    "rnn_tanh": lambda: Model(seeded(lambda: Recurrent(nn.RNN), 23), sequences(2, 4, 5)),
    "rnn_relu": lambda: Model(seeded(lambda: Recurrent(nn.RNN, nonlinearity="relu"), 24), sequences(2, 4, 5)),
    "encoder": lambda: Model(seeded(Encoder, 25), [(tokens(30, 2, 9),), (tokens(30, 2, 9, seed=2),)]),
    "encoder_norm_first": lambda: Model(seeded(lambda: Encoder(norm_first=True), 26), [(tokens(30, 1, 12),)]),
    "encoder_half": lambda: Model(seeded(Encoder, 25).half(), [(tokens(30, 2, 9),)]),
    "encoder_bfloat16": lambda: Model(seeded(Encoder, 25).bfloat16(), [(tokens(30, 2, 9),)]),
    "decoder": lambda: Model(seeded(Decoder, 27), [(tokens(23, 1, 7),), (tokens(23, 1, 7, seed=9),)]),
    "decoder_dynamic": lambda: Model(
        seeded(Decoder, 27), [(tokens(23, 1, 7),), (tokens(23, 1, 2),), (tokens(23, 1, 9),)], dynamic_shapes=({1: LENGTH},)),
    "decoder_quantized": lambda: Model(seeded(Decoder, 27), [(tokens(23, 1, 7),)], quantize="dynamic"),
    "cross_attention": lambda: Model(
        seeded(CrossAttention, 28),
        [(tensor(2, 3, 8), tensor(2, 5, 6, seed=2), torch.tensor([[False] * 5, [False, False, False, True, True]]))]),
    "vision_transformer": lambda: Model(seeded(Vit, 29), sequences(2, 3, 12, 12)),
    "mixer": lambda: Model(seeded(Mixer, 30), sequences(2, 6, 8)),
    "text_cnn": lambda: Model(seeded(TextCnn, 31), [(tokens(20, 2, 8),), (tokens(20, 2, 8, seed=5),)]),
    "temporal_convolution": lambda: Model(seeded(Temporal, 32), sequences(2, 2, 11)),
    "temporal_convolution_dynamic": lambda: Model(
        seeded(Temporal, 32), [(tensor(1, 2, 9),), (tensor(1, 2, 5),)], dynamic_shapes=({2: torch.export.Dim("time", min=2, max=16)},)),
    "kv_cache": lambda: Model(
        seeded(Cache, 33), [(tensor(1, 1, 6, seed=i), torch.tensor([i])) for i in range(4)], stateful=True),
    "encoder_xnnpack": lambda: Model(seeded(Encoder, 25), [(tokens(30, 2, 9),)], lower="xnnpack"),
    "mixer_xnnpack_dynamic_quantized": lambda: Model(seeded(Mixer, 30), sequences(2, 6, 8), lower="xnnpack", quantize="dynamic"),
}  # fmt: skip
