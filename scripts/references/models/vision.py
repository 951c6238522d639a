"""Convolutional networks."""
import torch
from torch import nn
from torch.nn import functional as F

from . import Model, seeded, tensor, without_batch_norm


class Residual(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out),
        )  # fmt: skip
        plain = stride == 1 and c_in == c_out
        self.skip = nn.Identity() if plain else nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out))

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


class ResNet(nn.Module):
    def __init__(self, width=8, classes=7):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(
            Residual(width, width), Residual(width, 2 * width, 2), Residual(2 * width, 4 * width, 2)
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1)
        x = self.head(torch.flatten(x, 1))
        # The optimized kernel of log_softmax has no double.
        return F.softmax(x, 1) if x.dtype == torch.float64 else F.log_softmax(x, 1)


class Fire(nn.Module):
    def __init__(self, c_in, squeeze, expand):
        super().__init__()
        self.squeeze, self.one, self.three = nn.Conv2d(c_in, squeeze, 1), nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1)


class SqueezeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 12, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(12, 4, 8), Fire(16, 4, 8),
            nn.MaxPool2d(3, 2, ceil_mode=True), Fire(16, 6, 12), nn.Dropout(0.5), nn.Conv2d(24, 5, 1), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        return F.adaptive_avg_pool2d(self.body(x), (1, 1)).flatten(1)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, gate):
        super().__init__()
        self.down, self.up, self.gate = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1), gate

    def forward(self, x):
        scale = F.adaptive_avg_pool2d(x, 1)
        return x * self.gate(self.up(F.relu(self.down(scale))))


class Inverted(nn.Module):
    def __init__(self, c_in, mid, c_out, kernel, stride, act, gate):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c_in, mid, 1, bias=False), nn.BatchNorm2d(mid), act(),
            nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid, bias=False), nn.BatchNorm2d(mid), act(),
            SqueezeExcite(mid, gate()), nn.Conv2d(mid, c_out, 1, bias=False), nn.BatchNorm2d(c_out),
        )  # fmt: skip
        self.skip = stride == 1 and c_in == c_out

    def forward(self, x):
        return x + self.body(x) if self.skip else self.body(x)


def mobile(act, gate):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), act(), Inverted(8, 16, 8, 3, 1, act, gate),
        Inverted(8, 24, 12, 5, 2, act, gate), Inverted(12, 32, 12, 5, 1, act, gate), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(12, 16), act(), nn.Linear(16, 6),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self, mode="nearest"):
        super().__init__()
        self.mode = mode
        self.a, self.b, self.c = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 12, 3, padding=1), nn.Conv2d(12, 12, 3, padding=1)
        self.up, self.out = nn.Conv2d(24, 6, 3, padding=1), nn.Conv2d(12, 2, 1)

    def forward(self, x):
        one = F.relu(self.a(x))
        two = F.relu(self.b(F.max_pool2d(one, 2)))
        three = F.relu(self.c(F.avg_pool2d(two, 2)))
        two = torch.cat([two, self.resize(three)], 1)
        two = F.relu(self.up(two))
        return torch.sigmoid(self.out(torch.cat([one, self.resize(two)], 1)))

    def resize(self, x):
        if self.mode == "nearest":
            return F.interpolate(x, scale_factor=2.0, mode="nearest")
        return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=self.mode == "corners")


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(4 + 3 * i) for i in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(4 + 3 * i, 3, 3, padding=1) for i in range(3))
        self.stem, self.head = nn.Conv2d(1, 4, 3), nn.Linear(13, 3)

    def forward(self, x):
        x = self.stem(x)
        for norm, conv in zip(self.norms, self.convs):
            x = torch.cat([x, conv(F.relu(norm(x)))], 1)
        return self.head(F.avg_pool2d(x, x.shape[-1]).flatten(1))


class ConvNext(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.depth = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.rand(width))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4))

    def forward(self, x):
        x = self.stem(x)
        y = self.depth(x).permute(0, 2, 3, 1)
        y = self.gamma * self.down(F.gelu(self.up(self.norm(y))))
        x = x + y.permute(0, 3, 1, 2)
        return self.head(x.mean([-2, -1]))


def decoder():
    return nn.Sequential(
        nn.ConvTranspose2d(6, 8, 4, 1, 0), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1, groups=2), nn.ELU(),
        nn.ConvTranspose2d(4, 2, 3, 1, 2, dilation=2), nn.Tanh(),
    )  # fmt: skip


def superres():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2, padding_mode="replicate"), nn.PReLU(8), nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        nn.PReLU(), nn.Conv2d(8, 4, 3, padding=1), nn.PixelShuffle(2), nn.Hardtanh(0.0, 1.0),
    )  # fmt: skip


def norms():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, groups=8), nn.InstanceNorm2d(8, affine=True),
        nn.Mish(), nn.Conv2d(8, 6, (1, 3), (1, 2), dilation=(1, 2)), nn.GroupNorm(1, 6), nn.Softplus(), nn.PixelUnshuffle(1),
    )  # fmt: skip


def keyword():
    layers = [nn.Conv2d(1, 8, (10, 4), (2, 2), (5, 1)), nn.BatchNorm2d(8), nn.ReLU6()]
    for _ in range(3):
        layers += [nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8), nn.ReLU6()]
    return nn.Sequential(*layers, nn.AvgPool2d((25, 5)), nn.Flatten(), nn.Linear(8, 12), nn.Softmax(-1))


def pools():
    class Pools(nn.Module):
        def forward(self, x):
            a = F.max_pool2d(x, 3, 2, 1, dilation=1, ceil_mode=True)
            b, where = F.max_pool2d(x, 2, return_indices=True)
            c = F.avg_pool2d(x, (3, 2), (2, 1), (1, 0), ceil_mode=True, count_include_pad=False)
            d = F.adaptive_avg_pool2d(x, (2, 3))
            return a, b, where, c, d, F.lp_pool2d(x.abs(), 2, 2), F.pad(x, (1, 2, 0, 1), value=3.0), F.pad(x, (1, 1, 0, 2), "circular")

    return Pools()


def images(n=2, c=3, h=24, w=20, seed=1, **kw):
    return [(tensor(n, c, h, w, seed=seed, **kw),), (tensor(n, c, h, w, seed=seed + 100, **kw),)]


def last(module):
    return without_batch_norm(module).to(memory_format=torch.channels_last)


MODELS = {
    "resnet": lambda: Model(seeded(ResNet, 1), images()),
    "resnet_channels_last": lambda: Model(last(seeded(ResNet, 2)), images(last=True)),
    "resnet_half": lambda: Model(seeded(ResNet, 3).half(), images(dtype=torch.float16)),
    "resnet_half_channels_last": lambda: Model(last(seeded(ResNet, 3).half()), images(dtype=torch.float16, last=True)),
    "resnet_bfloat16": lambda: Model(seeded(ResNet, 3).bfloat16(), images(dtype=torch.bfloat16)),
    "resnet_double": lambda: Model(seeded(lambda: ResNet(4), 3).double(), images(dtype=torch.float64)),
    "resnet_dynamic": lambda: Model(
        seeded(lambda: ResNet(4), 4), [(tensor(3, 3, 16, 16),), (tensor(1, 3, 16, 16),), (tensor(4, 3, 16, 16),)],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4)},)),
    "squeezenet": lambda: Model(seeded(SqueezeNet, 5), images(h=31, w=27)),
    "squeezenet_channels_last": lambda: Model(last(seeded(SqueezeNet, 5)), images(h=31, w=27, last=True)),
    "mobile_hardswish": lambda: Model(seeded(lambda: mobile(nn.Hardswish, nn.Hardsigmoid), 6), images()),
    "mobile_hardswish_half": lambda: Model(seeded(lambda: mobile(nn.Hardswish, nn.Hardsigmoid), 6).half(), images(dtype=torch.float16)),
    "mobile_silu": lambda: Model(seeded(lambda: mobile(nn.SiLU, nn.Sigmoid), 7), images(n=1)),
    "mobile_quantized": lambda: Model(seeded(lambda: mobile(nn.ReLU6, nn.Hardsigmoid), 8), images(n=1), quantize="per_channel"),
    "unet_nearest": lambda: Model(seeded(UNet, 9), images(1, 2, 16, 12)),
    "unet_bilinear": lambda: Model(seeded(lambda: UNet("bilinear"), 10), images(1, 2, 16, 12)),
    "unet_corners": lambda: Model(seeded(lambda: UNet("corners"), 11), images(1, 2, 16, 12)),
    "densenet": lambda: Model(seeded(Dense, 12), images(2, 1, 12, 12)),
    "convnext": lambda: Model(seeded(ConvNext, 13), images(1, 3, 16, 16)),
    "convnext_half": lambda: Model(seeded(ConvNext, 13).half(), images(1, 3, 16, 16, dtype=torch.float16)),
    "transposed_decoder": lambda: Model(seeded(decoder, 14), images(2, 6, 1, 1)),
    "transposed_decoder_channels_last": lambda: Model(last(seeded(decoder, 14)), images(2, 6, 2, 3, last=True)),
    "transposed_decoder_half": lambda: Model(seeded(decoder, 14).half(), images(1, 6, 1, 1, dtype=torch.float16)),
    "superresolution": lambda: Model(seeded(superres, 15), images(1, 1, 9, 7)),
    "group_norms": lambda: Model(seeded(norms, 16), images(2, 3, 23, 21)),
    "keyword_spotting": lambda: Model(seeded(keyword, 17), images(1, 1, 49, 10)),
    "keyword_spotting_quantized": lambda: Model(seeded(keyword, 17), images(1, 1, 49, 10), quantize="static"),
    "pooling_variants": lambda: Model(pools(), images(2, 2, 9, 8)),
    "resnet_xnnpack": lambda: Model(seeded(ResNet, 1), images(), lower="xnnpack"),
    "mobile_hardswish_xnnpack": lambda: Model(seeded(lambda: mobile(nn.Hardswish, nn.Hardsigmoid), 6), images(), lower="xnnpack"),
    "mobile_xnnpack_quantized": lambda: Model(seeded(lambda: mobile(nn.ReLU6, nn.Hardsigmoid), 8), images(n=1), lower="xnnpack", quantize="per_channel"),
    "unet_xnnpack": lambda: Model(seeded(lambda: UNet("bilinear"), 10), images(1, 2, 16, 12), lower="xnnpack"),
    "transposed_decoder_xnnpack": lambda: Model(seeded(decoder, 14), images(2, 6, 1, 1), lower="xnnpack"),
}  # fmt: skip
