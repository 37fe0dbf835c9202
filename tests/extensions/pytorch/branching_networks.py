"""Twelve networks with branches, each as several students write it, and as some get it wrong.

Everything here imports PyTorch when a function is called: a machine without it collects the tests that use these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from helpers.torch_modules import drawn, module

from autograder import check

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(6, 8)).astype("float32")
PICTURES = DRAW.normal(size=(6, 3, 8, 8)).astype("float32")
SIGNALS = DRAW.normal(size=(6, 4, 16)).astype("float32")
SETS = DRAW.normal(size=(6, 5, 4)).astype("float32")
POINTS = DRAW.uniform(size=(6, 2)).astype("float32")
SENTENCES = [DRAW.integers(0, 9, (6, 5)), DRAW.integers(0, 9, (6, 4))]

Build = Callable[[], Any]


@dataclass(frozen=True)
class Branching:
    """A network of a task, in right and in wrong forms."""

    rows: Any
    """An array with rows first, or a list of them."""
    pattern: list[Any]
    """What the task's author asks, read off the first of the right forms."""
    right: Mapping[str, Build]
    """Modules that compute what is asked."""
    wrong: Mapping[str, Build]
    """Modules that do not."""

    @property
    def input_shape(self) -> Any:
        """The shape of a row."""
        several = isinstance(self.rows, list)
        return [rows.shape[1:] for rows in self.rows] if several else self.rows.shape[1:]


def networks() -> dict[str, Branching]:
    """Name → the network."""
    return {
        "fire module": fire(),
        "squeeze-and-excitation": squeeze_and_excitation(),
        "WaveNet": wavenet(),
        "dense block": dense_block(),
        "pixel shuffle": pixel_shuffle(),
        "MLP-Mixer": mixer(),
        "ConvNeXt": convnext(),
        "DeepSets": deep_sets(),
        "TCN": tcn(),
        "Fourier features": fourier_features(),
        "seq2seq": seq2seq(),
        "highway": highway(),
    }


def _conv(out: int, kernel: int = 1, **settings: Any) -> Any:
    return check.layer("Conv2d", out_channels=out, kernel_size=kernel, **settings)


def _conv1(out: int, kernel: int = 1, **settings: Any) -> Any:
    return check.layer("Conv1d", out_channels=out, kernel_size=kernel, **settings)


def _linear(out: int, **settings: Any) -> Any:
    return check.layer("Linear", out_features=out, **settings)


def fire() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 4, one: int = 6, three: int = 6, kernel: int = 3) -> dict[str, Any]:
        return {
            "squeeze": nn.Conv2d(3, width, 1), "one": nn.Conv2d(width, one, 1), "out": nn.Linear(one + three, 5),
            "three": nn.Conv2d(width, three, kernel, padding=kernel // 2),
        }  # fmt: skip

    def plain(own: Any, x: Any) -> Any:
        x = F.relu(own.squeeze(x))
        x = torch.cat([F.relu(own.one(x)), F.relu(own.three(x))], 1)
        return own.out(x.mean((2, 3)))

    def three_first(own: Any, x: Any) -> Any:
        x = F.relu(own.squeeze(x))
        wide, narrow = own.three(x).relu(), own.one(x).relu()
        return own.out(F.adaptive_avg_pool2d(torch.cat((narrow, wide), 1), 1).flatten(1))

    def after_the_join(own: Any, x: Any) -> Any:
        x = own.squeeze(x).clamp(min=0)
        return own.out(torch.relu(torch.cat([own.three(x), own.one(x)], dim=1)).flatten(2).mean(-1))

    def as_linear(own: Any, x: Any) -> Any:
        x = F.relu(own.squeeze(x.permute(0, 2, 3, 1)))
        narrow, wide = own.one(x).permute(0, 3, 1, 2), own.three(x.permute(0, 3, 1, 2))
        return own.out(F.relu(torch.cat([narrow, wide], 1)).mean((-1, -2)))

    def preallocated(own: Any, x: Any) -> Any:
        x = F.relu(own.squeeze(x))
        joined = torch.zeros(x.size(0), 12, 8, 8)
        joined[:, 6:], joined[:, :6] = own.three(x), own.one(x)
        return own.out(F.relu(joined).mean((2, 3)))

    def by_hand(own: Any, x: Any) -> Any:
        x = torch.einsum("bchw,oc->bohw", x, own.squeeze).relu()
        narrow = F.conv2d(x, own.one)
        wide = F.conv2d(x, own.three, padding="same")
        return own.out(torch.cat([narrow, wide], 1).relu().mean([2, 3]))

    def one_branch(own: Any, x: Any) -> Any:
        return own.out(F.relu(own.three(F.relu(own.squeeze(x)))).mean((2, 3)))

    def dry(own: Any, x: Any) -> Any:
        x = own.squeeze(x)
        return own.out(F.relu(torch.cat([own.one(x), own.three(x)], 1)).mean((2, 3)))

    linears = {"squeeze": nn.Linear(3, 4), "one": nn.Linear(4, 6)}
    own = {"squeeze": drawn(4, 3), "one": drawn(6, 4, 1, 1), "three": drawn(6, 4, 3, 3), "out": nn.Linear(12, 5)}
    return Branching(
        PICTURES,
        [_conv(4), check.layer("ReLU"), _conv(6), check.layer("ReLU"), _conv(6, 3, padding=1), check.layer("ReLU"),
         _linear(5)],
        {
            "as asked": lambda: module(plain, **parts()),
            "the wide branch first": lambda: module(three_first, **parts()),
            "ReLU after the join": lambda: module(after_the_join, **parts()),
            "linear layers of the channels": lambda: module(as_linear, **parts() | linears),
            "branches written into one tensor": lambda: module(preallocated, **parts()),
            "weights of their own": lambda: module(by_hand, **own),
        },
        {
            "one branch only": lambda: module(one_branch, **parts() | {"out": nn.Linear(6, 5)}),
            "no ReLU after squeeze": lambda: module(dry, **parts()),
            "another width": lambda: module(after_the_join, **parts(three=8)),
            "a kernel of 5": lambda: module(three_first, **parts(kernel=5)),
        },
    )  # fmt: skip


def squeeze_and_excitation() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(narrow: int = 2, kernel: int = 3) -> dict[str, Any]:
        return {
            "conv": nn.Conv2d(3, 8, kernel, padding=kernel // 2), "down": nn.Linear(8, narrow),
            "up": nn.Linear(narrow, 8), "out": nn.Linear(8, 4),
        }  # fmt: skip

    def plain(own: Any, x: Any) -> Any:
        x = F.relu(own.conv(x))
        scale = torch.sigmoid(own.up(F.relu(own.down(F.adaptive_avg_pool2d(x, 1).flatten(1)))))
        return own.out((x * scale[:, :, None, None]).mean((2, 3)))

    def convolutions(own: Any, x: Any) -> Any:
        x = own.conv(x).relu()
        return own.out((own.up(own.down(own.pool(x)).relu()).sigmoid() * x).mean((2, 3)))

    def einsum(own: Any, x: Any) -> Any:
        x = F.relu(own.conv(x))
        narrow = F.relu(torch.einsum("bc,cr->br", torch.einsum("bchw->bc", x) / 64, own.a) + own.c)
        scale = torch.sigmoid(torch.einsum("rc,br->bc", own.b, narrow) + own.d)
        return own.out(torch.einsum("bchw,bc->bc", x, scale) / 64)

    def functional(own: Any, x: Any) -> Any:
        x = F.relu(own.conv(x))
        scale = F.avg_pool2d(x, 8).view(-1, 8)
        for n, (weight, bias) in enumerate(zip(own.weights, own.biases, strict=True)):
            scale = F.linear(scale, weight, bias)
            scale = scale.sigmoid() if n else scale.relu()
        return own.out(torch.mul(x, scale.unflatten(1, (8, 1, 1))).mean((2, 3)))

    def excited(own: Any, x: Any) -> Any:
        return own.out(F.relu(own.conv(x)).mean((2, 3)))

    def hooked() -> Any:
        made = parts()
        made["conv"] = nn.Sequential(made["conv"], nn.ReLU())
        gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), made["down"], nn.ReLU(), made["up"], nn.Sigmoid())
        made["conv"].register_forward_hook(lambda own, x, y: y * gate(y).view(-1, 8, 1, 1))
        return module(lambda own, x: own.out(own.conv(x).mean((2, 3))), **made, gate=gate)

    def lazy() -> Any:
        gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(2), nn.ReLU(), nn.LazyLinear(8), nn.Sigmoid(),
            nn.Unflatten(1, (8, 1, 1)),
        )  # fmt: skip

        def forward(own: Any, x: Any) -> Any:
            x = F.relu(own.conv(x))
            return own.out((x * own.gate(x)).mean((2, 3)))

        return module(forward, conv=nn.LazyConv2d(8, 3, padding=1), gate=gate, out=nn.LazyLinear(4))

    def without_sigmoid(own: Any, x: Any) -> Any:
        x = F.relu(own.conv(x))
        return own.out((x * own.up(F.relu(own.down(x.mean((2, 3)))))[:, :, None, None]).mean((2, 3)))

    def with_tanh(own: Any, x: Any) -> Any:
        x = F.relu(own.conv(x))
        return own.out((x * torch.sigmoid(own.up(torch.tanh(own.down(x.mean((2, 3))))))[..., None, None]).mean((2, 3)))

    ones = {"down": nn.Conv2d(8, 2, 1), "up": nn.Conv2d(2, 8, 1), "pool": nn.AdaptiveAvgPool2d(1)}
    plain_parts = {name: part for name, part in parts().items() if name in ("conv", "out")}
    return Branching(
        PICTURES,
        [_conv(8, 3), check.layer("ReLU"), check.layer("AdaptiveAvgPool2d"), _linear(2), check.layer("ReLU"),
         _linear(8), check.layer("Sigmoid"), ..., _linear(4)],
        {
            "as asked": lambda: module(plain, **parts()),
            "convolutions of width 1": lambda: module(convolutions, **parts() | ones),
            "weights of their own": lambda: module(
                einsum, **plain_parts, a=drawn(8, 2), b=drawn(2, 8), c=drawn(2), d=drawn(8)
            ),
            "lists of weights": lambda: module(
                functional, **plain_parts, weights=nn.ParameterList([drawn(2, 8), drawn(8, 2)]),
                biases=nn.ParameterList([drawn(2), drawn(8)]),
            ),
            "a hook": hooked,
            "lazy": lazy,
        },
        {
            "no gate": lambda: module(excited, **plain_parts),
            "no sigmoid": lambda: module(without_sigmoid, **parts()),
            "tanh inside": lambda: module(with_tanh, **parts()),
            "another ratio": lambda: module(plain, **parts(narrow=4)),
        },
    )  # fmt: skip


def wavenet() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 8, kernel: int = 2) -> dict[str, Any]:
        def convs(after: int, size: int = kernel, grow: int = 1) -> Any:
            return nn.ModuleList(nn.Conv1d(width, after, size, dilation=grow**n) for n in range(2))

        return {
            "start": nn.Conv1d(4, width, 1), "filters": convs(width, grow=2), "gates": convs(width, grow=2),
            "residuals": convs(width, 1), "skips": convs(6, 1), "end": nn.Conv1d(6, 3, 1),
        }  # fmt: skip

    def pad(own: Any, x: Any, n: int) -> Any:
        return F.pad(x, (own.filters[n].dilation[0] * (own.filters[n].kernel_size[0] - 1), 0))

    def plain(own: Any, x: Any) -> Any:
        x, total = own.start(x), 0
        for n in range(2):
            y = pad(own, x, n)
            y = torch.tanh(own.filters[n](y)) * torch.sigmoid(own.gates[n](y))
            x, total = x + own.residuals[n](y), total + own.skips[n](y)
        return own.end(F.relu(total))

    def gate_first(own: Any, x: Any) -> Any:
        x, skips = own.start(x), []
        for n in range(2):
            y = pad(own, x, n)
            gate = own.gates[n](y).sigmoid()
            y = gate * own.filters[n](y).tanh()
            skips.append(own.skips[n](y))
            x = own.residuals[n](y) + x
        return own.end(torch.stack(skips).sum(0).relu())

    def fused(own: Any, x: Any) -> Any:
        x, total = own.start(x), 0
        for n in range(2):
            y = own.both[n](F.pad(x, (2**n, 0)))
            gate, value = y.chunk(2, dim=1)
            y = own.outs[n](torch.tanh(value) * torch.sigmoid(gate))
            residual, skip = torch.split(y, [8, 6], dim=1)
            x, total = x + residual, total + skip
        return own.end(F.relu(total))

    def as_linear(own: Any, x: Any) -> Any:
        x, total = own.start(x.mT).mT, 0
        for n in range(2):
            y = pad(own, x, n)
            y = torch.tanh(own.filters[n](y)) * torch.sigmoid(own.gates[n](y))
            x, total = x + own.residuals[n](y.mT).mT, total + own.skips[n](y.transpose(1, 2))
        return own.end(F.relu(total)).transpose(1, 2)

    def by_hand(own: Any, x: Any) -> Any:
        x, total = F.conv1d(x, own.start), 0
        for n in range(2):
            y = torch.cat([x.new_zeros(x.size(0), 8, 2**n), x], 2)
            y = F.conv1d(y, own.w[2 * n], dilation=2**n).tanh() * F.conv1d(y, own.w[2 * n + 1], dilation=2**n).sigmoid()
            total = total + torch.einsum("oc,bct->bot", own.skip[n], y)
            x = x + own.residual[n] @ y
        return own.end(F.relu(total))

    def two_tanh(own: Any, x: Any) -> Any:
        x, total = own.start(x), 0
        for n in range(2):
            y = pad(own, x, n)
            y = torch.tanh(own.filters[n](y)) * torch.tanh(own.gates[n](y))
            x, total = x + own.residuals[n](y), total + own.skips[n](y)
        return own.end(F.relu(total))

    def without_gates(own: Any, x: Any) -> Any:
        x, total = own.start(x), 0
        for n in range(2):
            y = torch.tanh(own.filters[n](pad(own, x, n)))
            x, total = x + own.residuals[n](y), total + own.skips[n](y)
        return own.end(F.relu(total))

    def undilated() -> Any:
        made = parts()
        made["filters"][1], made["gates"][1] = nn.Conv1d(8, 8, 2), nn.Conv1d(8, 8, 2)
        return module(plain, **made)

    def fused_parts() -> dict[str, Any]:
        both = nn.ModuleList(nn.Conv1d(8, 16, 2, dilation=2**n) for n in range(2))
        outs = nn.ModuleList(nn.Conv1d(8, 14, 1) for _ in range(2))
        return {"start": nn.Conv1d(4, 8, 1), "both": both, "outs": outs, "end": nn.Conv1d(6, 3, 1)}

    def linear_parts() -> dict[str, Any]:
        made = parts() | {"start": nn.Linear(4, 8), "end": nn.Linear(6, 3)}
        return made | {name: nn.ModuleList(nn.Linear(8, after) for _ in range(2))
                       for name, after in (("residuals", 8), ("skips", 6))}  # fmt: skip

    own = {
        "start": (4, 8), "w": [drawn(8, 8, 2) for _ in range(4)], "skip": [drawn(6, 8) for _ in range(2)],
        "residual": [drawn(8, 8) for _ in range(2)],
    }  # fmt: skip

    def own_parts() -> dict[str, Any]:
        lists = {name: nn.ParameterList(held) for name, held in own.items() if isinstance(held, list)}
        return {**lists, "start": drawn(8, 4, 1), "end": nn.Conv1d(6, 3, 1)}

    block = [
        [_conv1(8, 2, dilation=grow), check.layer("Tanh"), _conv1(8, 2, dilation=grow), check.layer("Sigmoid"),
         _conv1(8), _conv1(6)]
        for grow in (1, 2)
    ]  # fmt: skip
    return Branching(
        SIGNALS,
        [_conv1(8), *block[0], *block[1][:4], block[1][5], check.layer("ReLU"), _conv1(3)],
        {
            "as asked": lambda: module(plain, **parts()),
            "gate and skip first": lambda: module(gate_first, **parts()),
            "one convolution for both": lambda: module(fused, **fused_parts()),
            "linear layers for width 1": lambda: module(as_linear, **linear_parts()),
            "weights of their own": lambda: module(by_hand, **own_parts()),
            "of float64": lambda: module(plain, **parts()).double(),
        },
        {
            "two tanh": lambda: module(two_tanh, **parts()),
            "no gates": lambda: module(without_gates, **parts()),
            "no dilation": undilated,
            "a kernel of 3": lambda: module(plain, **parts(kernel=3)),
        },
    )


def dense_block() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(grow: int = 4, count: int = 3) -> dict[str, Any]:
        widths = [6 + grow * n for n in range(count + 1)]
        return {
            "start": nn.Conv2d(3, 6, 3, padding=1), "norms": nn.ModuleList(map(nn.BatchNorm2d, widths[:-1])),
            "convs": nn.ModuleList(nn.Conv2d(width, grow, 3, padding=1, bias=False) for width in widths[:-1]),
            "out": nn.Linear(widths[-1], 4),
        }  # fmt: skip

    def plain(own: Any, x: Any) -> Any:
        x = own.start(x)
        for norm, conv in zip(own.norms, own.convs, strict=True):
            x = torch.cat([x, conv(F.relu(norm(x)))], 1)
        return own.out(x.mean((2, 3)))

    def listed(own: Any, x: Any) -> Any:
        found = [own.start(x)]
        for n in range(3):
            found.append(own.convs[n](own.norms[n](torch.cat(found, dim=1)).relu()))
        return own.out(F.adaptive_avg_pool2d(torch.cat(found, 1), (1, 1)).flatten(1))

    def reversed_order(own: Any, x: Any) -> Any:
        found = [own.start(x)]
        for n in range(3):
            found.insert(0, own.convs[n](own.norms[n](torch.cat(found[::-1], dim=1)).clamp_min(0)))
        return own.out(torch.cat(found[::-1], 1).mean((-2, -1)))

    def normed_by_hand(own: Any, x: Any) -> Any:
        x = own.start(x)
        for norm, conv in zip(own.norms, own.convs, strict=True):
            y = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            x = torch.cat([x, F.conv2d(F.relu(y), conv.weight, padding=1)], 1)
        return F.linear(x.mean((2, 3)), own.out.weight, own.out.bias)

    def pooled_apart(own: Any, x: Any) -> Any:
        x, found = own.start(x), []
        for norm, conv in zip(own.norms, own.convs, strict=True):
            y = conv(F.relu(norm(x)))
            found.append(x.mean((2, 3))[:, len(torch.cat(found, 1)[0]) if found else 0 :])
            x = torch.cat([x, y], 1)
        return own.out(torch.cat([*found, x.mean((2, 3))[:, 14:]], 1))

    def hooked() -> Any:
        made = parts()
        layers = [nn.Sequential(norm, nn.ReLU(), conv) for norm, conv in zip(made["norms"], made["convs"], strict=True)]
        for layer in layers:
            layer.register_forward_hook(lambda own, given, y: torch.cat([given[0], y], 1))
        return nn.Sequential(made["start"], *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), made["out"])

    def lazy() -> Any:
        made = parts()
        made["norms"] = nn.ModuleList(nn.LazyBatchNorm2d() for _ in range(3))
        made["convs"] = nn.ModuleList(nn.LazyConv2d(4, 3, padding=1, bias=False) for _ in range(3))
        called = module(plain, **made | {"out": nn.LazyLinear(4)})
        called(torch.as_tensor(PICTURES))
        return called

    def without_norms(own: Any, x: Any) -> Any:
        x = own.start(x)
        for conv in own.convs:
            x = torch.cat([x, conv(F.relu(x))], 1)
        return own.out(x.mean((2, 3)))

    def with_sigmoid(own: Any, x: Any) -> Any:
        x = own.start(x)
        for norm, conv in zip(own.norms, own.convs, strict=True):
            x = torch.cat([x, conv(torch.sigmoid(norm(x)))], 1)
        return own.out(x.mean((2, 3)))

    layer = [check.layer("BatchNorm2d"), check.layer("ReLU"), _conv(4, 3)]
    return Branching(
        PICTURES,
        [_conv(6, 3), check.repeat(layer, at_least=3, at_most=3), check.layer("AdaptiveAvgPool2d"), _linear(4)],
        {
            "as asked": lambda: module(plain, **parts()),
            "a list": lambda: module(listed, **parts()),
            "the newest first": lambda: module(reversed_order, **parts()),
            "functions": lambda: module(normed_by_hand, **parts()),
            "pooled piece by piece": lambda: module(pooled_apart, **parts()),
            "hooks": hooked,
            "lazy": lazy,
        },
        {
            "two layers": lambda: module(plain, **parts(count=2)),
            "another growth": lambda: module(plain, **parts(grow=5)),
            "no normalization": lambda: module(without_norms, **parts()),
            "sigmoid": lambda: module(with_sigmoid, **parts()),
        },
    )


def pixel_shuffle() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 8, last: int = 12, kernel: int = 5) -> dict[str, Any]:
        return {
            "first": nn.Conv2d(3, width, kernel, padding=kernel // 2), "second": nn.Conv2d(width, 8, 3, padding=1),
            "last": nn.Conv2d(8, last, 3, padding=1), "shuffle": nn.PixelShuffle(2),
        }  # fmt: skip

    def plain(own: Any, x: Any) -> Any:
        return own.shuffle(own.last(F.relu(own.second(F.relu(own.first(x))))))

    def reshaped(own: Any, x: Any) -> Any:
        x = own.last(own.second(own.first(x).relu()).relu())
        return x.view(-1, 3, 2, 2, 8, 8).permute(0, 1, 4, 2, 5, 3).reshape(-1, 3, 16, 16)

    def functional(own: Any, x: Any) -> Any:
        for n, weight in enumerate(own.weights):
            x = F.conv2d(x, weight, padding=weight.size(-1) // 2)
            x = F.relu(x) if n < 2 else F.pixel_shuffle(x, 2)
        return x

    def interleaved(own: Any, x: Any) -> Any:
        x = own.last(F.relu(own.second(F.relu(own.first(x)))))
        a, b, c, d = x.view(-1, 3, 4, 8, 8).unbind(2)
        rows = [torch.stack(pair, -1).flatten(-2) for pair in ((a, b), (c, d))]
        return torch.stack(rows, 3).flatten(2, 3)

    def four(own: Any, x: Any) -> Any:
        x = F.relu(own.second(F.relu(own.first(x))))
        pieces = [conv(x) for conv in own.lasts]
        return F.pixel_shuffle(torch.stack(pieces, 2).flatten(1, 2), 2)

    def unfolded(own: Any, x: Any) -> Any:
        for n, weight in enumerate(own.weights):
            windows = F.unfold(x, weight.size(-1), padding=weight.size(-1) // 2)
            x = (weight.flatten(1) @ windows).unflatten(2, (8, 8))
            x = x if n == 2 else F.relu(x)
        return F.pixel_shuffle(x, 2)

    def upsampled(own: Any, x: Any) -> Any:
        return own.last(F.interpolate(F.relu(own.second(F.relu(own.first(x)))), scale_factor=2))

    def dry(own: Any, x: Any) -> Any:
        return own.shuffle(own.last(own.second(F.relu(own.first(x)))))

    def two(own: Any, x: Any) -> Any:
        return own.shuffle(own.last(F.relu(own.first(x))))

    def weights() -> Any:
        return nn.ParameterList([drawn(8, 3, 5, 5), drawn(8, 8, 3, 3), drawn(12, 8, 3, 3)])

    def lasts() -> Any:
        return nn.ModuleList(nn.Conv2d(8, 3, 3, padding=1) for _ in range(4))

    return Branching(
        PICTURES,
        [_conv(8, 5), check.layer("ReLU"), _conv(8, 3), check.layer("ReLU"), _conv(12, 3)],
        {
            "as asked": lambda: module(plain, **parts()),
            "reshaped and permuted": lambda: module(reshaped, **parts()),
            "functions": lambda: module(functional, weights=weights()),
            "stacked": lambda: module(interleaved, **parts()),
            "a convolution for each corner": lambda: module(four, **parts(), lasts=lasts()),
            "windows and products": lambda: module(unfolded, weights=weights()),
            "in a Sequential": lambda: nn.Sequential(
                nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2),
            ),
        },
        {
            "upsampled": lambda: module(upsampled, **parts(last=3)),
            "no second ReLU": lambda: module(dry, **parts()),
            "two convolutions": lambda: module(two, **parts()),
            "another width": lambda: module(plain, **parts(width=16)),
            "a kernel of 3": lambda: module(plain, **parts(kernel=3)),
        },
    )  # fmt: skip


def mixer() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(tokens: int = 6, channels: int = 16, patch: int = 4) -> dict[str, Any]:
        count = (8 // patch) ** 2
        return {
            "patches": nn.Conv2d(3, 8, patch, stride=patch), "before": nn.LayerNorm(8), "between": nn.LayerNorm(8),
            "after": nn.LayerNorm(8), "a": nn.Linear(count, tokens), "b": nn.Linear(tokens, count),
            "c": nn.Linear(8, channels), "d": nn.Linear(channels, 8), "out": nn.Linear(8, 3), "act": nn.GELU(),
        }  # fmt: skip

    def patches(own: Any, x: Any) -> Any:
        return own.patches(x).flatten(2).transpose(1, 2)

    def mixed(own: Any, x: Any) -> Any:
        x = x + own.b(own.act(own.a(own.before(x).transpose(1, 2)))).transpose(1, 2)
        x = x + own.d(own.act(own.c(own.between(x))))
        return own.out(own.after(x).mean(1))

    def plain(own: Any, x: Any) -> Any:
        return mixed(own, patches(own, x))

    def reshaped(own: Any, x: Any) -> Any:
        x = x.reshape(-1, 3, 2, 4, 2, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, 48)
        return mixed(own, own.patches(x))

    def cut(own: Any, x: Any) -> Any:
        pieces = [x[:, :, i : i + 4, j : j + 4].flatten(1) for i in (0, 4) for j in (0, 4)]
        return mixed(own, own.patches(torch.stack(pieces, 1)))

    def unfolded(own: Any, x: Any) -> Any:
        return mixed(own, own.patches(F.unfold(x, 4, stride=4).mT))

    def unfolded_twice(own: Any, x: Any) -> Any:
        x = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5)
        return mixed(own, own.patches(x.reshape(-1, 4, 48)))

    def tokens_by_convolution(own: Any, x: Any) -> Any:
        x = patches(own, x)
        x = x + own.b(F.gelu(own.a(own.before(x))))
        x = x + own.d(F.gelu(own.c(own.between(x))))
        return own.out(own.after(x).mean(dim=1))

    def einsum(own: Any, x: Any) -> Any:
        x = patches(own, x)
        y = F.gelu(torch.einsum("btc,th->bhc", own.before(x), own.a) + own.e[:, None])
        x = x + torch.einsum("bhc,ht->btc", y, own.b) + own.f[:, None]
        y = F.gelu(torch.einsum("btc,ck->btk", own.between(x), own.c) + own.g)
        x = x + torch.einsum("btk,kc->btc", y, own.d) + own.h
        return own.out(own.after(x).mean(1))

    def normed_by_hand(own: Any, x: Any) -> Any:
        def norm(x: Any, held: Any) -> Any:
            centered = x - x.mean(-1, keepdim=True)
            return held.weight * centered / torch.sqrt((centered**2).mean(-1, keepdim=True) + 1e-5) + held.bias

        x = patches(own, x)
        x = x + own.b(own.act(own.a(norm(x, own.before).mT))).mT
        x = x + own.d(own.act(own.c(norm(x, own.between))))
        return own.out(norm(x, own.after).mean(1))

    def untransposed(own: Any, x: Any) -> Any:
        x = patches(own, x)
        x = x + own.b(own.act(own.a(own.before(x))))
        x = x + own.d(own.act(own.c(own.between(x))))
        return own.out(own.after(x).mean(1))

    def without_norm(own: Any, x: Any) -> Any:
        x = patches(own, x)
        x = x + own.b(own.act(own.a(x.transpose(1, 2)))).transpose(1, 2)
        x = x + own.d(own.act(own.c(own.between(x))))
        return own.out(own.after(x).mean(1))

    own = {"a": (4, 6), "b": (6, 4), "c": (8, 16), "d": (16, 8), "e": (6,), "f": (4,), "g": (16,), "h": (8,)}
    convolved = {"a": nn.Conv1d(4, 6, 1), "b": nn.Conv1d(6, 4, 1)}
    linear = {"patches": nn.Linear(48, 8)}
    return Branching(
        PICTURES,
        [_conv(8, 4, stride=4), check.layer("LayerNorm"), _linear(6), check.layer("GELU"), _linear(4),
         check.layer("LayerNorm"), _linear(16), check.layer("GELU"), _linear(8), check.layer("LayerNorm"), _linear(3)],
        {
            "as asked": lambda: module(plain, **parts()),
            "patches reshaped": lambda: module(reshaped, **parts() | linear),
            "patches cut out": lambda: module(cut, **parts() | linear),
            "patches unfolded": lambda: module(unfolded, **parts() | linear),
            "patches unfolded on both sides": lambda: module(unfolded_twice, **parts() | linear),
            "tokens by a convolution": lambda: module(tokens_by_convolution, **parts() | convolved),
            "weights of their own": lambda: module(
                einsum, **parts() | {name: drawn(*shape) for name, shape in own.items()}
            ),
            "norms from their formula": lambda: module(normed_by_hand, **parts()),
        },
        {
            "tokens are not mixed": lambda: module(
                untransposed, **parts() | {"a": nn.Linear(8, 6), "b": nn.Linear(6, 8)}
            ),
            "ReLU": lambda: module(plain, **parts() | {"act": nn.ReLU()}),
            "a norm is missing": lambda: module(without_norm, **parts()),
            "patches of 2": lambda: module(plain, **parts(patch=2)),
            "another width": lambda: module(reshaped, **parts(channels=12) | linear),
        },
    )  # fmt: skip


def convnext() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(wide: int = 32, groups: int = 8, kernel: int = 7) -> dict[str, Any]:
        return {
            "stem": nn.Conv2d(3, 8, 2, stride=2), "depthwise": nn.Conv2d(8, 8, kernel, padding=kernel // 2, groups=groups),
            "norm": nn.LayerNorm(8), "up": nn.Linear(8, wide), "down": nn.Linear(wide, 8), "act": nn.GELU(),
            "scale": nn.Parameter(torch.full((8,), 0.1)), "last": nn.LayerNorm(8), "out": nn.Linear(8, 4),
        }  # fmt: skip

    def plain(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = own.norm(own.depthwise(x).permute(0, 2, 3, 1))
        y = own.scale * own.down(own.act(own.up(y)))
        return own.out(own.last((x + y.permute(0, 3, 1, 2)).mean((2, 3))))

    def convolutions(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = own.norm(own.depthwise(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        y = own.down(own.act(own.up(y))) * own.scale.view(-1, 1, 1)
        return own.out(own.last((x + y).mean((2, 3))))

    def channels_first(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = own.depthwise(x)
        mean, variance = y.mean(1, keepdim=True), y.var(1, keepdim=True, unbiased=False)
        y = (y - mean) / (variance + 1e-6).sqrt()
        y = y * own.norm.weight[:, None, None] + own.norm.bias[:, None, None]
        y = own.down(own.act(own.up(y))) * own.scale.view(-1, 1, 1)
        return own.out(own.last((x + y).mean((2, 3))))

    def functional(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = F.conv2d(x, own.depthwise.weight, own.depthwise.bias, padding="same", groups=8).movedim(1, -1)
        y = F.layer_norm(y, (8,), own.norm.weight, own.norm.bias)
        y = F.gelu(y @ own.up.weight.T + own.up.bias) @ own.down.weight.T + own.down.bias
        x = x.movedim(1, -1) + own.scale * y
        return own.out(F.layer_norm(x.mean((1, 2)), (8,), own.last.weight, own.last.bias))

    def hooked() -> Any:
        made = parts()
        scale = made.pop("scale")

        def forward(own: Any, x: Any) -> Any:
            x = own.stem(x)
            y = own.norm(own.depthwise(x).permute(0, 2, 3, 1))
            return own.out(own.last((x.permute(0, 2, 3, 1) + own.down(own.act(own.up(y)))).flatten(1, 2).mean(1)))

        made["down"].scale = scale
        made["down"].register_forward_hook(lambda layer, x, y: y * layer.scale)
        return module(forward, **made)

    def channel_by_channel(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = torch.cat([conv(x[:, n : n + 1]) for n, conv in enumerate(own.convs)], 1)
        y = own.scale * own.down(own.act(own.up(own.norm(y.permute(0, 2, 3, 1)))))
        return own.out(own.last((x + y.permute(0, 3, 1, 2)).mean((2, 3))))

    def in_a_sequential(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = own.block(own.depthwise(x).flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)
        return own.out(own.last(F.avg_pool2d(x + y * own.scale.view(8, 1, 1), 4).flatten(1)))

    def without_norm(own: Any, x: Any) -> Any:
        x = own.stem(x)
        y = own.scale * own.down(own.act(own.up(own.depthwise(x).permute(0, 2, 3, 1))))
        return own.out(own.last((x + y.permute(0, 3, 1, 2)).mean((2, 3))))

    def with_parts(made: dict[str, Any]) -> dict[str, Any]:
        return made | {"block": nn.Sequential(made["norm"], made["up"], made["act"], made["down"])}

    ones = {"up": nn.Conv2d(8, 32, 1), "down": nn.Conv2d(32, 8, 1)}
    return Branching(
        PICTURES,
        [_conv(8, 2, stride=2), _conv(8, 7, groups=8), check.layer("LayerNorm"), _linear(32), check.layer("GELU"),
         _linear(8), check.layer("LayerNorm"), _linear(4)],
        {
            "as asked": lambda: module(plain, **parts()),
            "convolutions of width 1": lambda: module(convolutions, **parts() | ones),
            "a norm of channels from its formula": lambda: module(channels_first, **parts() | ones),
            "functions": lambda: module(functional, **parts()),
            "a hook that scales": hooked,
            "a convolution for each channel": lambda: module(
                channel_by_channel, **parts(), convs=nn.ModuleList(nn.Conv2d(1, 1, 7, padding=3) for _ in range(8))
            ),
            "rows of places": lambda: module(in_a_sequential, **with_parts(parts())),
        },
        {
            "not depthwise": lambda: module(plain, **parts(groups=1)),
            "another expansion": lambda: module(plain, **parts(wide=16)),
            "ReLU": lambda: module(plain, **parts() | {"act": nn.ReLU()}),
            "no norm": lambda: module(without_norm, **parts()),
            "a kernel of 3": lambda: module(functional, **parts(kernel=3)),
        },
    )  # fmt: skip


def deep_sets() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 8) -> dict[str, Any]:
        return {"a": nn.Linear(4, width), "b": nn.Linear(width, 8), "c": nn.Linear(8, 6), "d": nn.Linear(6, 2)}

    def plain(own: Any, x: Any) -> Any:
        return own.d(F.relu(own.c(F.relu(own.b(F.relu(own.a(x)))).sum(1))))

    def looped(own: Any, x: Any) -> Any:
        total = 0
        for n in range(x.size(1)):
            total = total + own.b(own.a(x[:, n]).relu()).relu()
        return own.d(own.c(total).relu())

    def rows(own: Any, x: Any) -> Any:
        y = F.relu(own.b(F.relu(own.a(x.reshape(-1, 4))))).reshape(-1, 5, 8)
        return own.d(F.relu(own.c(torch.ones(5) @ y)))

    def convolutions(own: Any, x: Any) -> Any:
        y = F.relu(own.b(F.relu(own.a(x.transpose(1, 2)))))
        return own.d(F.relu(own.c(y.sum(dim=-1))))

    def einsum(own: Any, x: Any) -> Any:
        y = F.relu(torch.einsum("bne,eh->bnh", x, own.p) + own.q)
        y = torch.einsum("bnh->bh", F.relu(own.b(y)))
        return own.d(F.relu(torch.einsum("bh,kh->bk", y, own.r) + own.s))

    def averaged(own: Any, x: Any) -> Any:
        return own.d(F.relu(own.c(5 * F.relu(own.b(F.relu(own.a(x)))).mean(dim=1))))

    def lazy() -> Any:
        phi = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(8), nn.ReLU())
        rho = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(2))
        return module(lambda own, x: own.rho(own.phi(x).sum(dim=-2)), phi=phi, rho=rho)

    def flat(own: Any, x: Any) -> Any:
        return own.d(F.relu(own.c(F.relu(own.b(F.relu(own.a(x)))).flatten(1))))

    def shallow(own: Any, x: Any) -> Any:
        return own.d(F.relu(own.c(F.relu(own.a(x)).sum(1))))

    def with_tanh(own: Any, x: Any) -> Any:
        return own.d(torch.tanh(own.c(F.relu(own.b(F.relu(own.a(x)))).sum(1))))

    ones = {"a": nn.Conv1d(4, 8, 1), "b": nn.Conv1d(8, 8, 1)}
    return Branching(
        SETS,
        [_linear(8), check.layer("ReLU"), _linear(8), check.layer("ReLU"), _linear(6, in_features=8),
         check.layer("ReLU"), _linear(2)],
        {
            "as asked": lambda: module(plain, **parts()),
            "a loop": lambda: module(looped, **parts()),
            "rows of elements": lambda: module(rows, **parts()),
            "convolutions of width 1": lambda: module(convolutions, **parts() | ones),
            "weights of their own": lambda: module(
                einsum, **parts(), p=drawn(4, 8), q=drawn(8), r=drawn(6, 8), s=drawn(6)
            ),
            "a mean of five": lambda: module(averaged, **parts()),
            "lazy": lazy,
        },
        {
            "flattened": lambda: module(flat, **parts() | {"c": nn.Linear(40, 6)}),
            "one layer": lambda: module(shallow, **parts()),
            "tanh": lambda: module(with_tanh, **parts()),
            "another width": lambda: module(looped, **parts(width=16)),
        },
    )  # fmt: skip


def tcn() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(kernel: int = 3, grow: int = 2) -> dict[str, Any]:
        sizes = [(4, 1), (8, 1), (8, grow), (8, grow)]
        return {
            "convs": nn.ModuleList(nn.Conv1d(before, 8, kernel, dilation=far) for before, far in sizes),
            "short": nn.Conv1d(4, 8, 1), "drop": nn.Dropout(0.2), "out": nn.Linear(8, 3),
        }  # fmt: skip

    def causal(own: Any, n: int, x: Any) -> Any:
        conv = own.convs[n]
        return conv(F.pad(x, ((conv.kernel_size[0] - 1) * conv.dilation[0], 0)))

    def layers(own: Any, n: int, x: Any) -> Any:
        return own.drop(F.relu(causal(own, n, x)))

    def plain(own: Any, x: Any) -> Any:
        x = F.relu(layers(own, 1, layers(own, 0, x)) + own.short(x))
        x = F.relu(layers(own, 3, layers(own, 2, x)) + x)
        return own.out(x[:, :, -1])

    def short_first(own: Any, x: Any) -> Any:
        short = own.short(x)
        x = torch.relu(short + layers(own, 1, layers(own, 0, x)))
        x = torch.relu(x + layers(own, 3, layers(own, 2, x)))
        return own.out(x[..., -1])

    def chomped(own: Any, x: Any) -> Any:
        for block in (0, 2):
            y = x
            for n in (block, block + 1):
                held = own.convs[n]
                far = 2 * held.dilation[0]
                y = own.drop(
                    F.conv1d(y, held.weight, held.bias, padding=far, dilation=held.dilation)[..., :-far].relu()
                )
            x = (y + (x if block else own.short(x))).relu()
        return own.out(x[:, :, -1])

    def as_linear(own: Any, x: Any) -> Any:
        short = own.short(x.transpose(1, 2)).transpose(1, 2)
        x = F.relu(layers(own, 1, layers(own, 0, x)) + short)
        x = F.relu(layers(own, 3, layers(own, 2, x)) + x)
        return own.out(x[:, :, -1])

    def shifted(own: Any, x: Any) -> Any:
        def conv(n: int, x: Any) -> Any:
            far = 1 if n < 2 else 2
            x = F.pad(x, (0, 0, 2 * far, 0))
            a, b, c = own.taps[3 * n : 3 * n + 3]
            return a(x[:, : -2 * far]) + b(x[:, far:-far]) + c(x[:, 2 * far :])

        x = x.transpose(1, 2)
        for block in (0, 2):
            y = own.drop(F.relu(conv(block, x)))
            y = own.drop(F.relu(conv(block + 1, y)))
            x = F.relu(y + (x if block else own.short(x)))
        return own.out(x[:, -1])

    def windows(own: Any, x: Any) -> Any:
        def conv(n: int, x: Any) -> Any:
            far = 1 if n < 2 else 2
            x = F.pad(x, (2 * far, 0))
            x = torch.stack([x[:, :, k * far : k * far + 16] for k in range(3)], 2)
            return torch.einsum("nckt,ock->not", x, own.convs[n].weight) + own.convs[n].bias[:, None]

        for block in (0, 2):
            y = own.drop(F.relu(conv(block + 1, own.drop(F.relu(conv(block, x))))))
            x = F.relu(y + (x if block else own.short(x)))
        return own.out(x[:, :, -1])

    def dropped_before(own: Any, x: Any) -> Any:
        def layers(n: int, x: Any) -> Any:
            return F.relu(own.drop(causal(own, n, x)))

        x = F.relu(layers(1, layers(0, x)) + own.short(x))
        return own.out(F.relu(layers(3, layers(2, x)) + x)[:, :, -1])

    def without_dropout(own: Any, x: Any) -> Any:
        x = F.relu(causal(own, 1, F.relu(causal(own, 0, x))).relu() + own.short(x))
        return own.out(F.relu(causal(own, 3, F.relu(causal(own, 2, x))).relu() + x)[:, :, -1])

    def without_short(own: Any, x: Any) -> Any:
        x = F.relu(layers(own, 1, layers(own, 0, x)))
        return own.out(F.relu(layers(own, 3, layers(own, 2, x)) + x)[:, :, -1])

    def normed() -> Any:
        made = parts()
        made["convs"] = nn.ModuleList(map(nn.utils.parametrizations.weight_norm, made["convs"]))
        return module(plain, **made)

    def shifted_parts() -> dict[str, Any]:
        taps = [nn.Linear(8 if n else 4, 8, bias=place == 0) for n in range(4) for place in range(3)]
        return parts() | {"taps": nn.ModuleList(taps), "short": nn.Linear(4, 8)}

    def layer(far: int) -> list[Any]:
        return [_conv1(8, 3, dilation=far), check.layer("ReLU"), check.layer("Dropout", p=0.2)]

    return Branching(
        SIGNALS,
        [*layer(1), *layer(1), _conv1(8), check.layer("ReLU"), *layer(2), *layer(2), check.layer("ReLU"), _linear(3)],
        {
            "as asked": lambda: module(plain, **parts()),
            "the shortcut first": lambda: module(short_first, **parts()),
            "what looks ahead cut off": lambda: module(chomped, **parts()),
            "a linear shortcut": lambda: module(as_linear, **parts() | {"short": nn.Linear(4, 8)}),
            "three shifted linear layers": lambda: module(shifted, **shifted_parts()),
            "einsum of windows": lambda: module(windows, **parts()),
            "dropout before ReLU": lambda: module(dropped_before, **parts()),
            "weight norm": normed,
        },
        {
            "no dilation": lambda: module(plain, **parts(grow=1)),
            "a kernel of 2": lambda: module(short_first, **parts(kernel=2)),
            "no dropout": lambda: module(without_dropout, **parts()),
            "no shortcut": lambda: module(without_short, **parts()),
        },
    )


def fourier_features() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 32) -> dict[str, Any]:
        return {"a": nn.Linear(32, width), "b": nn.Linear(width, 32), "c": nn.Linear(32, 3)}

    def head(own: Any, x: Any) -> Any:
        return torch.sigmoid(own.c(F.relu(own.b(F.relu(own.a(x))))))

    def plain(own: Any, x: Any) -> Any:
        x = 6.28 * x @ own.table
        return head(own, torch.cat([torch.sin(x), torch.cos(x)], -1))

    def einsum(own: Any, x: Any) -> Any:
        x = torch.einsum("ni,ik->nk", x, own.table) * 6.28
        return head(own, torch.stack([x.sin(), x.cos()], 1).flatten(1))

    def shifted(own: Any, x: Any) -> Any:
        x = (6.28 * x) @ own.table
        return head(own, torch.sin(torch.cat([x, x + 1.5707964], dim=1)))

    def frozen(own: Any, x: Any) -> Any:
        x = own.features(6.28 * x)
        return head(own, torch.cat((x.sin(), x.cos()), dim=-1))

    def columns(own: Any, x: Any) -> Any:
        x = 6.28 * (x[:, :1] * own.table[0] + x[:, 1:] * own.table[1])
        return head(own, torch.cat([torch.sin(x), torch.cos(x)], 1))

    def functional(own: Any, x: Any) -> Any:
        x = 6.28 * x @ own.table
        x = torch.cat([x.sin(), x.cos()], -1)
        for n, layer in enumerate((own.a, own.b, own.c)):
            x = torch.addmm(layer.bias, x, layer.weight.T)
            x = x.sigmoid() if n == 2 else x.relu()
        return x

    def sine_only(own: Any, x: Any) -> Any:
        return head(own, torch.sin(6.28 * x @ own.table))

    def none(own: Any, x: Any) -> Any:
        return head(own, x)

    def without_sigmoid(own: Any, x: Any) -> Any:
        x = 6.28 * x @ own.table
        return own.c(F.relu(own.b(F.relu(own.a(torch.cat([torch.sin(x), torch.cos(x)], -1))))))

    def with_tanh(own: Any, x: Any) -> Any:
        x = 6.28 * x @ own.table
        x = torch.tanh(own.a(torch.cat([torch.sin(x), torch.cos(x)], -1)))
        return torch.sigmoid(own.c(torch.tanh(own.b(x))))

    def table() -> dict[str, Any]:
        return {"table": torch.randn(2, 16)}

    def linear() -> Any:
        made = nn.Linear(2, 16, bias=False)
        made.weight.requires_grad = False
        return made

    return Branching(
        POINTS,
        [..., _linear(32, in_features=32), check.layer("ReLU"), _linear(32), check.layer("ReLU"), _linear(3),
         check.layer("Sigmoid")],
        {
            "as asked": lambda: module(plain, **parts(), **table()),
            "einsum": lambda: module(einsum, **parts(), table=nn.Parameter(torch.randn(2, 16), requires_grad=False)),
            "sines alone, shifted": lambda: module(shifted, **parts(), **table()),
            "a frozen linear layer": lambda: module(frozen, **parts(), features=linear()),
            "column by column": lambda: module(columns, **parts(), **table()),
            "functions": lambda: module(functional, **parts(), **table()),
        },
        {
            "no features": lambda: module(none, **parts() | {"a": nn.Linear(2, 32)}),
            "sines alone": lambda: module(sine_only, **parts() | {"a": nn.Linear(16, 32)}, **table()),
            "no sigmoid": lambda: module(without_sigmoid, **parts(), **table()),
            "tanh": lambda: module(with_tanh, **parts(), **table()),
            "another width": lambda: module(plain, **parts(width=16), **table()),
        },
    )  # fmt: skip


def seq2seq() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 8, kind: Any = None) -> dict[str, Any]:
        loop = kind or nn.LSTM
        return {
            "source": nn.Embedding(9, 6), "encoder": loop(6, width, batch_first=True), "target": nn.Embedding(9, 6),
            "decoder": loop(6, width, batch_first=True), "out": nn.Linear(width, 9),
        }  # fmt: skip

    def plain(own: Any, x: Any, y: Any) -> Any:
        _, state = own.encoder(own.source(x))
        return own.out(own.decoder(own.target(y), state)[0])

    def embedded_first(own: Any, x: Any, y: Any) -> Any:
        y, x = own.target(y), own.source(x)
        return own.out(own.decoder(y, own.encoder(x)[1])[0])

    def cells(own: Any, x: Any, y: Any) -> Any:
        x, y = own.source(x), own.target(y)
        state = None
        for n in range(x.size(1)):
            state = own.first(x[:, n], state)
        found = []
        for n in range(y.size(1)):
            state = own.second(y[:, n], state)
            found.append(own.out(state[0]))
        return torch.stack(found, 1)

    def own_lstm(own: Any, x: Any, y: Any) -> Any:
        def run(x: Any, state: Any, of_input: Any, of_state: Any) -> Any:
            h, c = state
            found = []
            for n in range(x.size(1)):
                i, f, g, o = (of_input(x[:, n]) + of_state(h)).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                found.append(h)
            return torch.stack(found, 1), (h, c)

        zero = torch.zeros(x.size(0), 8)
        _, state = run(own.source(x), (zero, zero), own.a, own.b)
        return own.out(run(own.target(y), state, own.c, own.d)[0])

    def one_hot(own: Any, x: Any, y: Any) -> Any:
        _, (h, c) = own.encoder(own.source.weight[x])
        found, _ = own.decoder(F.embedding(y, own.target.weight), (h, c))
        return torch.einsum("nth,vh->ntv", found, own.out.weight) + own.out.bias

    def linear_of_one_hot(own: Any, x: Any, y: Any) -> Any:
        _, state = own.encoder(own.a(F.one_hot(x, 9).float()))
        return own.out(own.decoder(own.b(F.one_hot(y, 9).float()), state)[0])

    def last_layer_by_convolution(own: Any, x: Any, y: Any) -> Any:
        _, state = own.encoder(own.source(x))
        return own.conv(own.decoder(own.target(y), state)[0].mT).mT

    def without_decoder(own: Any, x: Any, y: Any) -> Any:
        state = own.encoder(own.source(x))[1][0][-1]
        return own.out(state.unsqueeze(1) + own.target(y))

    def gru(own: Any, x: Any, y: Any) -> Any:
        return own.out(own.decoder(own.target(y), own.encoder(own.source(x))[1])[0])

    def without_out(own: Any, x: Any, y: Any) -> Any:
        return own.decoder(own.target(y), own.encoder(own.source(x))[1])[0]

    def cell_parts() -> dict[str, Any]:
        return parts() | {"first": nn.LSTMCell(6, 8), "second": nn.LSTMCell(6, 8)}

    def own_parts() -> dict[str, Any]:
        linears = {name: nn.Linear(6 if name in "ac" else 8, 32) for name in "abcd"}
        return {name: part for name, part in parts().items() if "coder" not in name} | linears

    words, loop = check.layer("Embedding", embedding_dim=6), check.layer("LSTM", hidden_size=8)
    return Branching(
        SENTENCES,
        [words, loop, words, loop, _linear(9)],
        {
            "as asked": lambda: module(plain, **parts()),
            "both embedded first": lambda: module(embedded_first, **parts()),
            "cells in a loop": lambda: module(cells, **cell_parts()),
            "an LSTM of linear layers": lambda: module(own_lstm, **own_parts()),
            "rows of a table": lambda: module(one_hot, **parts()),
            "linear layers of one-hot rows": lambda: module(
                linear_of_one_hot, **parts(), a=nn.Linear(9, 6, bias=False), b=nn.Linear(9, 6, bias=False)
            ),
            "a last convolution": lambda: module(last_layer_by_convolution, **parts(), conv=nn.Conv1d(8, 9, 1)),
        },
        {
            "GRU": lambda: module(gru, **parts(kind=nn.GRU)),
            "another width": lambda: module(embedded_first, **parts(width=16)),
            "no decoder": lambda: module(without_decoder, **parts() | {"target": nn.Embedding(9, 8)}),
            "no last layer": lambda: module(without_out, **parts()),
        },
    )


def highway() -> Branching:
    import torch
    import torch.nn.functional as F
    from torch import nn

    def parts(width: int = 8) -> dict[str, Any]:
        def linears() -> Any:
            return nn.ModuleList(nn.Linear(width, width) for _ in range(2))

        return {"start": nn.Linear(8, width), "changes": linears(), "gates": linears(), "out": nn.Linear(width, 3)}

    def plain(own: Any, x: Any) -> Any:
        x = own.start(x)
        for change, gate in zip(own.changes, own.gates, strict=True):
            h, t = F.relu(change(x)), torch.sigmoid(gate(x))
            x = t * h + (1 - t) * x
        return own.out(x)

    def gate_first(own: Any, x: Any) -> Any:
        x = own.start(x)
        for n in range(2):
            t = own.gates[n](x).sigmoid()
            x = x * (1 - t) + own.changes[n](x).relu() * t
        return own.out(x)

    def fused(own: Any, x: Any) -> Any:
        x = own.start(x)
        for both in own.both:
            t, h = both(x).split(8, dim=-1)
            x = torch.lerp(x, h.relu(), t.sigmoid())
        return own.out(x)

    def sliced(own: Any, x: Any) -> Any:
        x = own.start(x)
        for both in own.both:
            y = both(x).view(-1, 8, 2)
            x = torch.addcmul(x, torch.sigmoid(y[:, :, 1]), F.relu(y[..., 0]) - x)
        return own.out(x)

    def by_hand(own: Any, x: Any) -> Any:
        x = own.start(x)
        for n in range(2):
            h, t = torch.einsum("ni,koi->kno", x, own.weights[n]).unbind(0)
            h, t = (h + own.biases[n][0]).relu(), (t + own.biases[n][1]).sigmoid()
            x = h * t + x * (1 - t)
        return own.out(x)

    def matmul(own: Any, x: Any) -> Any:
        x = own.start(x)
        for n in range(2):
            t = torch.sigmoid(x @ own.t[n] + own.biases[n][1])
            x = t * F.relu(own.biases[n][0] + x @ own.h[n]) + (1 - t) * x
        return own.out(x)

    def hooked() -> Any:
        made = parts()

        def carry(gate: Any) -> Any:
            def hook(own: Any, given: Any, h: Any) -> Any:
                t = torch.sigmoid(gate(given[0]))
                return t * h.relu() + (1 - t) * given[0]

            return hook

        for change, gate in zip(made["changes"], made["gates"], strict=True):
            change.register_forward_hook(carry(gate))
        return module(lambda own, x: own.out(own.changes[1](own.changes[0](own.start(x)))), **made)

    def gated_unit(own: Any, x: Any) -> Any:
        x = own.start(x)
        for both in own.both:
            h, t = both(x).chunk(2, 1)
            x = F.glu(torch.cat([h.relu(), t], 1), 1) + torch.sigmoid(-t) * x
        return own.out(x)

    def without_gate(own: Any, x: Any) -> Any:
        x = own.start(x)
        for change in own.changes:
            x = x + F.relu(change(x))
        return own.out(x)

    def with_tanh(own: Any, x: Any) -> Any:
        x = own.start(x)
        for n in range(2):
            t = torch.sigmoid(own.gates[n](x))
            x = t * torch.tanh(own.changes[n](x)) + (1 - t) * x
        return own.out(x)

    def open_gate(own: Any, x: Any) -> Any:
        x = own.start(x)
        for n in range(2):
            t = own.gates[n](x)
            x = t * F.relu(own.changes[n](x)) + (1 - t) * x
        return own.out(x)

    def ends() -> dict[str, Any]:
        return {name: part for name, part in parts().items() if name in ("start", "out")}

    def both() -> dict[str, Any]:
        return ends() | {"both": nn.ModuleList(nn.Linear(8, 16) for _ in range(2))}

    def blocks(*shape: int) -> Any:
        return nn.ParameterList([drawn(*shape) for _ in range(2)])

    layer = [_linear(8), check.layer("ReLU"), _linear(8), check.layer("Sigmoid")]
    return Branching(
        ROWS,
        [_linear(8), *layer, *layer, _linear(3)],
        {
            "as asked": lambda: module(plain, **parts()),
            "the gate first": lambda: module(gate_first, **parts()),
            "one layer, split": lambda: module(fused, **both()),
            "one layer, sliced": lambda: module(sliced, **both()),
            "a gated linear unit": lambda: module(gated_unit, **both()),
            "one array for both": lambda: module(by_hand, **ends(), weights=blocks(2, 8, 8), biases=blocks(2, 8)),
            "arrays": lambda: module(matmul, **ends(), t=blocks(8, 8), h=blocks(8, 8), biases=blocks(2, 8)),
            "hooks": hooked,
        },
        {
            "no gate": lambda: module(without_gate, **parts()),
            "tanh": lambda: module(with_tanh, **parts()),
            "no sigmoid": lambda: module(open_gate, **parts()),
            "another width": lambda: module(plain, **parts(width=10)),
        },
    )
