"""Kinds of attention, and what else transformers, recurrent and state-space models are made of."""

import torch
from torch import nn
from torch.nn import functional as F

from . import Model, seeded, tensor, tokens


class Grouped(nn.Module):
    """Fewer heads of keys than of queries, causal."""

    def __init__(self, width=16, heads=4, groups=2):
        super().__init__()
        self.heads, self.groups, self.size = heads, groups, width // heads
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * groups * self.size)

    def forward(self, x):
        b, n, _ = x.shape
        q = self.q(x).view(b, n, self.heads, self.size).transpose(1, 2)
        k, v = self.kv(x).view(b, n, 2, self.groups, self.size).permute(2, 0, 3, 1, 4).unbind(0)
        k, v = (t.repeat_interleave(self.heads // self.groups, 1) for t in (k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)


class Slopes(nn.Module):
    """Distances as a bias of the scores."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.register_buffer("slopes", 2.0 ** -torch.arange(1, 3).float().view(2, 1, 1))

    def forward(self, x):
        n = x.shape[1]
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        distance = (torch.arange(n)[:, None] - torch.arange(n)).abs().neg()
        scores = q @ k.mT * 0.5 + (self.slopes * distance).to(x.dtype)
        return scores.softmax(-1) @ v


class Linear(nn.Module):
    """Attention without a softmax, added up along the sequence."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(6, 18)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        total = torch.einsum("bnd,bne->bnde", k, v).cumsum(1)
        norm = (q * k.cumsum(1)).sum(-1, keepdim=True)
        return torch.einsum("bnd,bnde->bne", q, total) / (norm + 1e-6)


class Window(nn.Module):
    """Windows of an image, rolled, with a bias by relative position."""

    def __init__(self, side=4, window=2, width=8):
        super().__init__()
        self.window, self.qkv, self.out = window, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(torch.randn((2 * window - 1) ** 2, 2) * 0.2)
        place = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        between = place[:, :, None] - place[:, None, :] + window - 1
        self.register_buffer("index", (between[0] * (2 * window - 1) + between[1]).flatten())
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        b, h, w, c = x.shape
        s = self.window
        y = torch.roll(self.norm(x), (-1, -1), (1, 2))
        y = y.view(b, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)
        q, k, v = self.qkv(y).view(-1, s * s, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        bias = self.bias[self.index].view(s * s, s * s, 2).permute(2, 0, 1)
        y = ((q * (c // 2) ** -0.5) @ k.transpose(-2, -1) + bias).softmax(-1) @ v
        y = self.out(y.transpose(1, 2).reshape(-1, s * s, c))
        y = y.view(b, h // s, w // s, s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return x + torch.roll(y, (1, 1), (1, 2))


class Latents(nn.Module):
    """A few learned queries look at a long input."""

    def __init__(self):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(3, 8))
        self.cross, self.own = nn.MultiheadAttention(8, 2, batch_first=True), nn.MultiheadAttention(8, 4, batch_first=True)
        self.feed = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, x):
        z = self.latents.expand(x.shape[0], -1, -1)
        z = z + self.cross(z, x, x, need_weights=False)[0]
        z = z + self.own(z, z, z, need_weights=False)[0]
        return z + self.feed(z)


class Conformer(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.norm, self.open, self.close = nn.LayerNorm(width), nn.Conv1d(width, 2 * width, 1), nn.Conv1d(width, width, 1)
        self.depth, self.batch = nn.Conv1d(width, width, 5, padding=2, groups=width), nn.BatchNorm1d(width)
        self.feed = nn.Sequential(nn.Linear(width, 20), nn.SiLU(), nn.Linear(20, width))

    def forward(self, x):
        x = x + 0.5 * self.feed(x)
        y = F.glu(self.open(self.norm(x).transpose(1, 2)), 1)
        y = self.close(F.silu(self.batch(self.depth(y)))).transpose(1, 2)
        return x + y


class Bert(nn.Module):
    """Padding, types of tokens and a pooled answer."""

    def __init__(self):
        super().__init__()
        self.word, self.kind, self.place = nn.Embedding(30, 12), nn.Embedding(2, 12), nn.Embedding(10, 12)
        self.norm, self.q, self.k, self.v = nn.LayerNorm(12, eps=1e-12), nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 12)
        self.pool, self.head = nn.Linear(12, 12), nn.Linear(12, 2)

    def forward(self, ids, kinds, mask):
        n = ids.shape[1]
        x = self.norm(self.word(ids) + self.kind(kinds) + self.place(torch.arange(n)))
        q, k, v = (f(x).view(-1, n, 3, 4).permute(0, 2, 1, 3) for f in (self.q, self.k, self.v))
        hidden = (1.0 - mask[:, None, None, :].to(x.dtype)) * -10000.0
        x = ((q @ k.transpose(-1, -2) / 2 + hidden).softmax(-1) @ v).permute(0, 2, 1, 3).reshape(-1, n, 12)
        return self.head(torch.tanh(self.pool(x[:, 0]))), x


class Beam(nn.Module):
    """One step of a search for the likeliest sequence."""

    def forward(self, logits, scores, history):
        total = F.log_softmax(logits, -1) + scores.unsqueeze(-1)
        best, index = total.flatten(1).topk(3, -1)
        beam, token = index // logits.shape[-1], index % logits.shape[-1]
        kept = history.gather(1, beam.unsqueeze(-1).expand(-1, -1, history.shape[-1]))
        return best, torch.cat([kept, token.unsqueeze(-1)], -1), token.eq(2).any(1), total.argmax(-1)


class Routed(nn.Module):
    """Experts that see all rows, weighted by a scattered gate."""

    def __init__(self):
        super().__init__()
        self.gate, self.a, self.b = nn.Linear(6, 4, bias=False), nn.Parameter(torch.randn(4, 6, 8) * 0.3), nn.Parameter(torch.randn(4, 8, 6) * 0.3)

    def forward(self, x):
        top, chosen = self.gate(x).softmax(-1).topk(2)
        gate = torch.zeros(x.shape[0], 4, dtype=x.dtype).scatter(1, chosen, top / top.sum(-1, keepdim=True))
        y = torch.bmm(F.silu(torch.bmm(x.expand(4, -1, -1), self.a)), self.b)
        return (y * gate.t().unsqueeze(-1)).sum(0), F.one_hot(chosen, 4).sum((0, 1))


class Llama(nn.Module):
    """Rotary positions by halves, root mean square norms, gated feed-forward."""

    def __init__(self, width=16, length=8):
        super().__init__()
        self.embed, self.qkv, self.out = nn.Embedding(21, width), nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.one, self.two = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
        self.w1, self.w2, self.w3 = nn.Linear(width, 24, bias=False), nn.Linear(24, width, bias=False), nn.Linear(width, 24, bias=False)
        angles = torch.outer(torch.arange(length).float(), 1e4 ** (-torch.arange(0, 8, 2) / 8)).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def turn(self, x):
        n = x.shape[-2]
        a, b = x.chunk(2, -1)
        return x * self.cos[:n].to(x.dtype) + torch.cat([-b, a], -1) * self.sin[:n].to(x.dtype)

    def forward(self, ids):
        x = self.embed(ids)
        b, n, w = x.shape
        q, k, v = self.qkv(self.one(x)).view(b, n, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(self.turn(q), self.turn(k), v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, n, w))
        h = self.two(x)
        x = x + self.w2(F.silu(self.w1(h)) * self.w3(h))
        return F.linear(x[:, -1], self.embed.weight)


class Audio(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(5, 8, 3, padding=1), nn.Conv1d(8, 8, 3, 2, 1)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
        place = torch.arange(6)[:, None] / 100 ** (torch.arange(4) / 4)
        self.register_buffer("place", torch.cat([place.sin(), place.cos()], 1))

    def forward(self, mel):
        x = F.gelu(self.b(F.gelu(self.a(mel)))).permute(0, 2, 1)
        return self.layer(x + self.place)


class Selective(nn.Module):
    """A state-space model whose steps depend on the input, unrolled."""

    def __init__(self, width=6, state=4):
        super().__init__()
        self.inner, self.dt, self.bc = nn.Linear(width, 2 * width), nn.Linear(width, width), nn.Linear(width, 2 * state)
        self.conv, self.a_log = nn.Conv1d(width, width, 3, padding=2, groups=width), nn.Parameter(torch.rand(width, state))
        self.d, self.out = nn.Parameter(torch.ones(width)), nn.Linear(width, width)

    def forward(self, x):
        n = x.shape[1]
        x, gate = self.inner(x).chunk(2, -1)
        x = F.silu(self.conv(x.transpose(1, 2))[..., :n].transpose(1, 2))
        step = F.softplus(self.dt(x))
        b, c = self.bc(x).chunk(2, -1)
        decay = torch.exp(step.unsqueeze(-1) * -torch.exp(self.a_log))
        fresh = (step * x).unsqueeze(-1) * b.unsqueeze(2)
        h, ys = torch.zeros_like(fresh[:, 0]), []
        for t in range(n):
            h = decay[:, t] * h + fresh[:, t]
            ys.append((h * c[:, t].unsqueeze(1)).sum(-1))
        return self.out((torch.stack(ys, 1) + x * self.d) * F.silu(gate))


class Cells(nn.Module):
    """Cells called one by one."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(4, 5), nn.GRUCell(5, 5), nn.RNNCell(5, 3, nonlinearity="relu")

    def forward(self, x):
        h, c, g, r = x.new_zeros(x.shape[1], 5), x.new_zeros(x.shape[1], 5), x.new_ones(x.shape[1], 5), x.new_zeros(x.shape[1], 3)
        for step in x:
            h, c = self.lstm(step, (h, c))
            g = self.gru(h, g)
            r = self.rnn(g, r)
        return h, c, g, r


class Translate(nn.Module):
    """An encoder and a decoder, with attention by a learned score."""

    def __init__(self):
        super().__init__()
        self.embed, self.encode = nn.Embedding(15, 6), nn.GRU(6, 5, batch_first=True, bidirectional=True)
        self.w, self.u, self.v = nn.Linear(10, 7), nn.Linear(5, 7), nn.Linear(7, 1)
        self.decode, self.head = nn.GRUCell(6 + 10, 5), nn.Linear(5, 15)

    def forward(self, ids, start):
        states, last = self.encode(self.embed(ids))
        h, token, outputs = last[0], start, []
        for _ in range(3):
            weights = self.v(torch.tanh(self.w(states) + self.u(h).unsqueeze(1))).softmax(1)
            h = self.decode(torch.cat([self.embed(token), (weights * states).sum(1)], -1), h)
            logits = self.head(h)
            token = logits.argmax(-1)
            outputs.append(logits)
        return torch.stack(outputs, 1), token


class Recurrent(nn.Module):
    def __init__(self, body, width):
        super().__init__()
        self.body, self.head = body, nn.Linear(width, 2)

    def forward(self, *args):
        states, last = self.body(*args)
        return self.head(states), last


def lstm(**options):
    return seeded(lambda: Recurrent(nn.LSTM(4, 6, **options), options.get("proj_size") or 6 * (1 + options.get("bidirectional", False))), 90)


LENGTH = torch.export.Dim("length", min=2, max=8)
BERT = (tokens(30, 2, 7), tokens(2, 2, 7), torch.tensor([[1] * 7, [1] * 4 + [0] * 3]))
MODELS = {
    "attention_grouped": lambda: Model(seeded(Grouped, 71), [(tensor(2, 5, 16),)]),
    "attention_grouped_dynamic": lambda: Model(
        seeded(Grouped, 71), [(tensor(2, 5, 16),), (tensor(2, 2, 16),), (tensor(2, 8, 16),)], dynamic_shapes=({1: LENGTH},)),
    "attention_grouped_bfloat16": lambda: Model(seeded(Grouped, 71).bfloat16(), [(tensor(2, 5, 16, dtype=torch.bfloat16),)]),
    "attention_slopes_half": lambda: Model(seeded(Slopes, 72).half(), [(tensor(2, 6, 8, dtype=torch.float16),)]),
    "attention_linear": lambda: Model(seeded(Linear, 73), [(tensor(2, 5, 6),)]),
    "attention_window": lambda: Model(seeded(Window, 74), [(tensor(2, 4, 4, 8),)]),
    "attention_latents": lambda: Model(seeded(Latents, 75), [(tensor(2, 9, 8),)]),
    "conformer": lambda: Model(seeded(Conformer, 76), [(tensor(2, 7, 8),)]),
    "bert": lambda: Model(seeded(Bert, 77), [BERT]),
    "bert_bfloat16": lambda: Model(seeded(Bert, 77).bfloat16(), [BERT]),
    "bert_quantized": lambda: Model(seeded(Bert, 77), [BERT], quantize="dynamic"),
    "beam_search": lambda: Model(Beam(), [(tensor(2, 3, 6, scale=2.0), tensor(2, 3), tokens(6, 2, 3, 4))]),
    "routed_experts": lambda: Model(seeded(Routed, 78), [(tensor(5, 6),)]),
    "llama": lambda: Model(seeded(Llama, 79), [(tokens(21, 2, 6),)]),
    "llama_half": lambda: Model(seeded(Llama, 79).half(), [(tokens(21, 2, 6),)]),
    "llama_dynamic": lambda: Model(seeded(Llama, 79), [(tokens(21, 1, 6),), (tokens(21, 1, 2),), (tokens(21, 1, 8),)], dynamic_shapes=({1: LENGTH},)),
    "audio_encoder": lambda: Model(seeded(Audio, 80), [(tensor(1, 5, 12),)]),
    "selective_state_space": lambda: Model(seeded(Selective, 81), [(tensor(2, 5, 6),)]),
    "cells": lambda: Model(seeded(Cells, 82), [(tensor(3, 2, 4),)]),
    "cells_bfloat16": lambda: Model(seeded(Cells, 82).bfloat16(), [(tensor(3, 2, 4, dtype=torch.bfloat16),)]),
    "translate": lambda: Model(seeded(Translate, 83), [(tokens(15, 2, 5), tokens(15, 2))]),
    "lstm_projected": lambda: Model(lstm(proj_size=3), [(tensor(4, 2, 4),)]),
}  # fmt: skip
