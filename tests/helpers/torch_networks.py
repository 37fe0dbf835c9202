"""Twenty-four networks of PyTorch courses, each as it is asked, as students write it, and as they get it wrong.

Everything here imports PyTorch when a function is called: a machine without it collects the tests that use these.
"""

# fmt: off
from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.torch_modules import drawn as own
from helpers.torch_modules import module

Parts = Callable[[], dict[str, Any]]
Forward = Callable[..., Any]

DRAW = np.random.default_rng(3)


@dataclass
class Network:
    """A network of a course, and how students write it."""

    rows: Any
    """An array with rows first, or a list of them."""
    parts: Parts
    forward: Forward
    right: dict[str, Callable[[], Any]] = field(default_factory=dict)
    wrong: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def asked(self) -> Any:
        """The reference."""
        return module(self.forward, **self.parts())

    def add(self, into: str, name: str, forward: Forward | None = None, parts: Parts | None = None) -> None:
        """Add what a student hands in: with another ``forward``, other parts, or a module of its own."""
        made = functools.partial(_made, forward or self.forward, parts or self.parts)
        getattr(self, into)[name] = made


def _made(forward: Forward, parts: Parts) -> Any:
    return module(forward, **parts())


@functools.cache
def torch_networks() -> dict[str, Network]:
    """Name → the network."""
    made: dict[str, Network] = {}
    for add in (_of_pictures, _of_more_pictures, _of_sequences, _of_attention, _of_tables, _of_more_tables):
        made.update(add())
    return made


def _normal(*shape: int) -> np.ndarray:
    return DRAW.normal(size=shape).astype("float32")


def _of_pictures() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    conv, cat, relu = nn.Conv2d, torch.cat, torch.relu
    fire = Network(
        _normal(20, 4, 6, 6),
        lambda: {"s": conv(4, 3, 1), "a": conv(3, 5, 1), "b": conv(3, 5, 3, padding=1)},
        lambda m, x: (lambda s: cat([relu(m.a(s)), relu(m.b(s))], 1))(relu(m.s(x))),
    )
    fire.add("right", "the 3x3 first", lambda m, x: (lambda s: (lambda b, a: cat([a, b], 1))(F.relu(m.b(s)), F.relu(m.a(s))))(F.relu(m.s(x))))
    fire.add("right", "an activation after the join", lambda m, x: (lambda s: relu(cat((m.a(s), m.b(s)), dim=1)))(m.s(x).clamp(min=0)))
    fire.add("right", "einsum for the squeeze", lambda m, x: (lambda s: torch.concat([relu(m.a(s)), relu(m.b(s))], 1))(relu(torch.einsum("nchw,co->nohw", x, m.w) + m.c.view(1, -1, 1, 1))), lambda: {"w": own(4, 3), "c": own(3), "a": conv(3, 5, 1), "b": conv(3, 5, 3, padding=1)})
    fire.add("right", "Linear for 1x1", lambda m, x: (lambda s: cat([relu(m.a(s.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)), relu(m.b(s))], 1))(relu(m.s(x.movedim(1, -1)).movedim(-1, 1))), lambda: {"s": nn.Linear(4, 3), "a": nn.Linear(3, 5), "b": conv(3, 5, 3, padding="same")})
    fire.add("right", "functional", lambda m, x: (lambda s: cat([relu(F.conv2d(s, m.a, m.e)), relu(F.conv2d(F.pad(s, (1, 1, 1, 1)), m.b, m.d))], 1))(relu(F.conv2d(x, m.s, m.c))), lambda: {"s": own(3, 4, 1, 1), "c": own(3), "a": own(5, 3, 1, 1), "e": own(5), "b": own(5, 3, 3, 3), "d": own(5)})
    fire.add("right", "z where z > 0", lambda m, x: (lambda s: cat([z * (z > 0) for z in (m.p[0](s), m.p[1](s))], 1))(torch.maximum(m.s(x), torch.zeros(()))), lambda: {"p": nn.ModuleList([conv(3, 5, 1), conv(3, 5, 3, padding=1)]), "s": conv(4, 3, 1)})
    fire.add("wrong", "no activation after the squeeze", lambda m, x: (lambda s: cat([relu(m.a(s)), relu(m.b(s))], 1))(m.s(x)))
    fire.add("wrong", "branches added", lambda m, x: (lambda s: cat([relu(m.a(s) + m.b(s)), relu(m.b(s))], 1))(relu(m.s(x))))
    fire.add("wrong", "the other order of the join", lambda m, x: (lambda s: cat([relu(m.b(s)), relu(m.a(s))], 1))(relu(m.s(x))))
    fire.add("wrong", "expands of the input", lambda m, x: cat([relu(m.a(x)), relu(m.b(relu(m.s(x))))], 1), lambda: {"s": conv(4, 3, 1), "a": conv(4, 5, 1), "b": conv(3, 5, 3, padding=1)})
    fire.add("wrong", "width", None, lambda: {"s": conv(4, 2, 1), "a": conv(2, 5, 1), "b": conv(2, 5, 3, padding=1)})

    se = Network(
        _normal(20, 4, 5, 5),
        lambda: {"c": conv(4, 6, 3, padding=1), "d": nn.Linear(6, 2), "u": nn.Linear(2, 6), "o": nn.Linear(6, 3)},
        lambda m, x: (lambda c: m.o((c * torch.sigmoid(m.u(relu(m.d(c.mean((2, 3))))))[:, :, None, None]).mean((2, 3))))(relu(m.c(x))),
    )
    se.add("right", "einsum", lambda m, x: (lambda c: m.o(torch.einsum("nchw,nc->nc", c, torch.sigmoid(m.u(F.relu(m.d(c.flatten(2).mean(-1))))))  / 25))(relu(m.c(x))))
    se.add("right", "1x1 convolutions", lambda m, x: (lambda c: m.o((c * m.u(relu(m.d(F.adaptive_avg_pool2d(c, 1)))).sigmoid()).mean((2, 3))))(relu(m.c(x))), lambda: {"c": conv(4, 6, 3, padding=1), "d": conv(6, 2, 1), "u": conv(2, 6, 1), "o": nn.Linear(6, 3)})
    se.add("right", "a ParameterList", lambda m, x: (lambda c: m.o(F.avg_pool2d(c * torch.sigmoid(relu(c.mean((2, 3)) @ m.p[0] + m.p[1]) @ m.p[2] + m.p[3]).unsqueeze(-1).unsqueeze(-1), 5).flatten(1)))(relu(m.c(x))), lambda: {"o": nn.Linear(6, 3), "p": nn.ParameterList([own(6, 2), own(2), own(2, 6), own(6)]), "c": conv(4, 6, 3, padding=1)})
    se.add("right", "the gate after the mean", lambda m, x: (lambda c: (lambda a: m.o(a * torch.sigmoid(m.u(relu(m.d(a))))))(c.mean((2, 3))))(relu(m.c(x))))
    se.add("right", "lazy layers", None, lambda: {"c": nn.Conv2d(4, 6, 3, 1, "same"), "d": _called(nn.LazyLinear(2), 6), "u": nn.Linear(2, 6), "o": _called(nn.LazyLinear(3), 6)})
    se.add("right", "a Sequential gate in float64", lambda m, x: (lambda c: m.o((c * m.g(c.mean((2, 3)).double()).float()[..., None, None]).mean(dim=(-1, -2))))(relu(m.c(x))), lambda: {"c": conv(4, 6, 3, padding=1), "g": nn.Sequential(nn.Linear(6, 2), nn.ReLU(), nn.Linear(2, 6), nn.Sigmoid()).double(), "o": nn.Linear(6, 3)})
    se.add("wrong", "no sigmoid", lambda m, x: (lambda c: m.o((c * m.u(relu(m.d(c.mean((2, 3)))))[:, :, None, None]).mean((2, 3))))(relu(m.c(x))))
    se.add("wrong", "added", lambda m, x: (lambda c: m.o((c + torch.sigmoid(m.u(relu(m.d(c.mean((2, 3))))))[:, :, None, None]).mean((2, 3))))(relu(m.c(x))))
    se.add("wrong", "the largest", lambda m, x: (lambda c: m.o((c * torch.sigmoid(m.u(relu(m.d(c.amax((2, 3))))))[:, :, None, None]).mean((2, 3))))(relu(m.c(x))))
    se.add("wrong", "softmax", lambda m, x: (lambda c: m.o((c * torch.softmax(m.u(relu(m.d(c.mean((2, 3))))), 1)[:, :, None, None]).mean((2, 3))))(relu(m.c(x))))
    se.add("wrong", "no bottleneck", None, lambda: {"c": conv(4, 6, 3, padding=1), "d": nn.Linear(6, 6), "u": nn.Linear(6, 6), "o": nn.Linear(6, 3)})

    dense = Network(
        _normal(20, 3, 5, 5),
        lambda: {"a": conv(3, 4, 3, padding=1), "b": conv(7, 4, 3, padding=1), "n": nn.BatchNorm2d(7), "t": conv(11, 5, 1)},
        lambda m, x: (lambda y: m.t(cat([y, relu(m.b(m.n(y)))], 1)))(cat([x, relu(m.a(x))], 1)),
    )
    dense.add("right", "a list", lambda m, x: (lambda a: m.t(cat([x, a, relu(m.b(m.n(cat([x, a], 1))))], 1)))(relu(m.a(x))))
    dense.add("right", "hooks", None, lambda: {"a": _hooked(conv(3, 4, 3, padding=1), torch.relu), "b": _hooked(conv(7, 4, 3, padding=1), torch.relu), "n": nn.BatchNorm2d(7), "t": conv(11, 5, 1)})
    dense.add("right", "a Sequential", lambda m, x: m.t(m.s2(m.s1(x))), lambda: {"s1": _joining(nn.Sequential(conv(3, 4, 3, padding=1), nn.ReLU())), "s2": _joining(nn.Sequential(nn.BatchNorm2d(7), conv(7, 4, 3, padding="same"), nn.ReLU())), "t": conv(11, 5, 1)})
    dense.add("right", "split kernels", lambda m, x: (lambda a: (lambda y: m.t(cat([y, relu(m.bx(m.n(y)[:, :3]) + m.ba(m.n(y)[:, 3:]))], 1)))(cat([x, a], 1)))(relu(m.a(x))), lambda: {"bx": conv(3, 4, 3, padding=1), "ba": conv(4, 4, 3, padding=1, bias=False), "a": conv(3, 4, 3, padding=1), "n": nn.BatchNorm2d(7), "t": conv(11, 5, 1)})
    dense.add("right", "own normalization", lambda m, x: (lambda y: m.t(cat([y, F.relu(m.b(F.batch_norm(y, m.mean, m.var, m.g, m.h)))], 1)))(cat([x, F.relu(m.a(x))], 1)), lambda: {"a": conv(3, 4, 3, padding=1), "b": conv(7, 4, 3, padding=1), "g": own(7), "h": own(7), "t": conv(11, 5, 1), "mean": torch.zeros(7), "var": torch.ones(7)})
    dense.add("right", "Linear for the transition", lambda m, x: (lambda y: m.t(cat([y, relu(m.b(m.n(y)))], 1).movedim(1, 3)).movedim(3, 1))(cat([x, relu(m.a(x))], 1)), lambda: {"t": nn.Linear(11, 5), "n": nn.BatchNorm2d(7), "b": conv(7, 4, 3, padding=1), "a": conv(3, 4, 3, padding=1)})
    dense.add("wrong", "added", lambda m, x: (lambda y: m.t(cat([y, relu(m.b(m.n(y))) + y[:, 3:]], 1)))(cat([x, relu(m.a(x))], 1)))
    dense.add("wrong", "normalized later", lambda m, x: (lambda y: m.t(cat([m.n(y), relu(m.b(y))], 1)))(cat([x, relu(m.a(x))], 1)))
    dense.add("wrong", "no normalization", lambda m, x: (lambda y: m.t(cat([y, relu(m.b(y))], 1)))(cat([x, relu(m.a(x))], 1)), lambda: {"a": conv(3, 4, 3, padding=1), "b": conv(7, 4, 3, padding=1), "t": conv(11, 5, 1)})
    dense.add("wrong", "the first not joined", lambda m, x: (lambda a: m.t(cat([x, a, relu(m.b(a))], 1)))(relu(m.a(x))), lambda: {"a": conv(3, 4, 3, padding=1), "b": conv(4, 4, 3, padding=1), "t": conv(11, 5, 1)})
    dense.add("wrong", "an activation before the join", lambda m, x: (lambda y: m.t(cat([y, relu(m.b(m.n(y)))], 1)))(relu(cat([x, m.a(x)], 1))))

    shuffle = Network(
        _normal(20, 2, 4, 4),
        lambda: {"a": conv(2, 5, 3, padding=1), "b": conv(5, 8, 3, padding=1), "s": nn.PixelShuffle(2)},
        lambda m, x: m.s(m.b(torch.tanh(m.a(x)))),
    )
    shuffle.add("right", "functional", lambda m, x: F.pixel_shuffle(m.b(m.a(x).tanh()), 2))
    shuffle.add("right", "reshape", lambda m, x: m.b(torch.tanh(m.a(x))).reshape(-1, 2, 2, 2, 4, 4).permute(0, 1, 4, 2, 5, 3).reshape(-1, 2, 8, 8))
    shuffle.add("right", "transposed convolution", lambda m, x: F.conv_transpose2d(m.b(torch.tanh(m.a(x))), m.k, stride=2), lambda: {"a": conv(2, 5, 3, padding=1), "b": conv(5, 8, 3, padding=1), "k": _shuffling(8)})
    shuffle.add("right", "unfold", lambda m, x: m.s((F.unfold(torch.tanh(m.a(x)), 3, padding=1).transpose(1, 2) @ m.w + m.c).transpose(1, 2).reshape(-1, 8, 4, 4)), lambda: {"a": conv(2, 5, 3, padding=1), "w": own(45, 8), "c": own(8), "s": nn.PixelShuffle(2)})
    shuffle.add("right", "four convolutions", lambda m, x: (lambda h: m.s(torch.stack([c(h) for c in m.q], 2).flatten(1, 2)))(torch.tanh(m.a(x))), lambda: {"q": nn.ModuleList([conv(5, 2, 3, padding=1) for _ in range(4)]), "a": conv(2, 5, 3, padding=1), "s": nn.PixelShuffle(2)})
    shuffle.add("right", "tanh by its formula", lambda m, x: m.s(m.b(2 * torch.sigmoid(2 * m.a(x)) - 1)))
    shuffle.add("wrong", "reshaped only", lambda m, x: m.b(torch.tanh(m.a(x))).reshape(-1, 2, 8, 8))
    shuffle.add("wrong", "upsampled", lambda m, x: F.interpolate(m.b(torch.tanh(m.a(x)))[:, :2], scale_factor=2))
    shuffle.add("wrong", "relu", lambda m, x: m.s(m.b(relu(m.a(x)))))
    shuffle.add("wrong", "valid", None, lambda: {"a": conv(2, 5, 3), "b": conv(5, 8, 3, padding=2), "s": nn.PixelShuffle(2)})
    shuffle.add("wrong", "tanh at the end", lambda m, x: torch.tanh(m.s(m.b(m.a(x)))))
    return {"fire module": fire, "squeeze and excitation": se, "dense block": dense, "pixel shuffle": shuffle}


def _of_more_pictures() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    conv, cat, relu = nn.Conv2d, torch.cat, torch.relu
    parts = lambda: {"a": conv(3, 2, 1), "b1": conv(3, 2, 1), "b2": conv(2, 3, 3, padding=1), "c1": conv(3, 2, 1), "c2": conv(2, 3, 5, padding=2), "p": conv(3, 2, 1), "pool": nn.MaxPool2d(3, 1, 1)}  # noqa: E731
    inception = Network(_normal(20, 3, 6, 6), parts, lambda m, x: cat([relu(m.a(x)), relu(m.b2(relu(m.b1(x)))), relu(m.c2(relu(m.c1(x)))), relu(m.p(m.pool(x)))], 1))
    inception.add("right", "the pool first", lambda m, x: (lambda p, c, b, a: cat([a, b, c, p], 1))(relu(m.p(m.pool(x))), relu(m.c2(relu(m.c1(x)))), relu(m.b2(relu(m.b1(x)))), relu(m.a(x))))
    inception.add("right", "one activation", lambda m, x: F.relu(cat([m.a(x), m.b2(F.relu(m.b1(x))), m.c2(F.relu(m.c1(x))), m.p(F.max_pool2d(x, 3, 1, 1))], 1)))
    inception.add("right", "one convolution for the 1x1", lambda m, x: (lambda a, b, c: cat([a, relu(m.b2(b)), relu(m.c2(c)), relu(m.p(m.pool(x)))], 1))(*relu(m.f(x)).split(2, 1)), lambda: {"f": conv(3, 6, 1), "c2": conv(2, 3, 5, padding=2), "b2": conv(2, 3, 3, padding=1), "p": conv(3, 2, 1), "pool": nn.MaxPool2d(3, 1, 1)})
    inception.add("right", "another order of one convolution", lambda m, x: (lambda c, a, b: cat([a, relu(m.b2(b)), relu(m.c2(c)), relu(m.p(m.pool(x)))], 1))(*relu(m.f(x)).chunk(3, 1)), lambda: {"p": conv(3, 2, 1), "f": conv(3, 6, 1), "c2": conv(2, 3, 5, padding=2), "b2": conv(2, 3, 3, padding=1), "pool": nn.MaxPool2d(3, 1, 1)})
    inception.add("right", "a ModuleList of Sequentials", lambda m, x: cat([branch(x) for branch in m.all], 1), lambda: {"all": nn.ModuleList([nn.Sequential(conv(3, 2, 1), nn.ReLU()), nn.Sequential(conv(3, 2, 1), nn.ReLU(), conv(2, 3, 3, padding=1), nn.ReLU()), nn.Sequential(conv(3, 2, 1), nn.ReLU(), conv(2, 3, 5, padding="same"), nn.ReLU()), nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(3, 2, 1), nn.ReLU())])})
    inception.add("right", "einsum for 1x1", lambda m, x: cat([relu(torch.einsum("oc,nchw->nohw", m.w, x) + m.e[:, None, None]), relu(m.b2(relu(m.b1(x)))), relu(m.c2(relu(m.c1(x)))), relu(m.p(m.pool(x)))], 1), lambda: {"w": own(2, 3), "e": own(2), **{name: part for name, part in parts().items() if name != "a"}})
    inception.add("wrong", "branches in another order", lambda m, x: cat([relu(m.a(x)), relu(m.c2(relu(m.c1(x)))), relu(m.b2(relu(m.b1(x)))), relu(m.p(m.pool(x)))], 1))
    inception.add("wrong", "average pool", lambda m, x: cat([relu(m.a(x)), relu(m.b2(relu(m.b1(x)))), relu(m.c2(relu(m.c1(x)))), relu(m.p(F.avg_pool2d(x, 3, 1, 1)))], 1))
    inception.add("wrong", "no pool", lambda m, x: cat([relu(m.a(x)), relu(m.b2(relu(m.b1(x)))), relu(m.c2(relu(m.c1(x)))), relu(m.p(x))], 1))
    inception.add("wrong", "no inner activation", lambda m, x: cat([relu(m.a(x)), relu(m.b2(m.b1(x))), relu(m.c2(m.c1(x))), relu(m.p(m.pool(x)))], 1))
    inception.add("wrong", "one bottleneck for both", lambda m, x: cat([relu(m.a(x)), relu(m.b2(relu(m.b1(x)))), relu(m.c2(relu(m.b1(x)))), relu(m.p(m.pool(x)))], 1))

    resnet = Network(
        _normal(20, 4, 6, 6),
        lambda: {"a": conv(4, 2, 1, bias=False), "na": nn.BatchNorm2d(2), "b": conv(2, 2, 3, stride=2, padding=1, bias=False), "nb": nn.BatchNorm2d(2), "c": conv(2, 6, 1, bias=False), "nc": nn.BatchNorm2d(6), "s": conv(4, 6, 1, stride=2, bias=False), "ns": nn.BatchNorm2d(6)},
        lambda m, x: relu(m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x)))))))) + m.ns(m.s(x))),
    )
    resnet.add("right", "the shortcut first", lambda m, x: (lambda s: F.relu(s + m.nc(m.c(F.relu(m.nb(m.b(F.relu(m.na(m.a(x))))))))))(m.ns(m.s(x))))
    resnet.add("right", "Sequentials", lambda m, x: relu(m.short(x).add(m.main(x))), lambda: {"short": nn.Sequential(conv(4, 6, 1, 2, bias=False), nn.BatchNorm2d(6)), "main": nn.Sequential(conv(4, 2, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU(inplace=True), conv(2, 2, 3, 2, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU(inplace=True), conv(2, 6, 1, bias=False), nn.BatchNorm2d(6))})
    resnet.add("right", "the shortcut by slicing", lambda m, x: relu(m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x)))))))) + m.ns(m.s(x[:, :, ::2, ::2].movedim(1, -1)).movedim(-1, 1))), lambda: {**_without(resnet.parts(), "s"), "s": nn.Linear(4, 6, bias=False)})
    resnet.add("right", "biases before the normalizations", None, lambda: {"a": conv(4, 2, 1), "na": nn.BatchNorm2d(2), "b": conv(2, 2, 3, stride=2, padding=1), "nb": nn.BatchNorm2d(2), "c": conv(2, 6, 1), "nc": nn.BatchNorm2d(6), "s": conv(4, 6, 1, stride=2), "ns": nn.BatchNorm2d(6)})
    resnet.add("right", "the last bottleneck by einsum", lambda m, x: (lambda h: relu(m.nc(torch.einsum("nchw,co->nohw", h, m.w)) + m.ns(m.s(x))))(relu(m.nb(m.b(relu(m.na(m.a(x))))))), lambda: {**_without(resnet.parts(), "c"), "w": own(2, 6)})
    resnet.add("right", "identity of a method", lambda m, x: torch.where((z := m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x)))))))) + m.ns(m.s(x))) > 0, z, torch.zeros_like(z)))
    resnet.add("wrong", "no activation at the end", lambda m, x: m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x)))))))) + m.ns(m.s(x)))
    resnet.add("wrong", "an activation before the sum", lambda m, x: relu(m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x))))))))) + m.ns(m.s(x)))
    resnet.add("wrong", "no shortcut", lambda m, x: relu(m.ns(m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x)))))))))), lambda: _without(resnet.parts(), "s"))
    resnet.add("wrong", "normalized after the activation", lambda m, x: relu(m.nc(m.c(m.nb(relu(m.b(m.na(relu(m.a(x)))))))) + m.ns(m.s(x))))
    resnet.add("wrong", "the shortcut not normalized", lambda m, x: relu(m.nc(m.c(relu(m.nb(m.b(relu(m.na(m.a(x)))))))) + m.s(x)), lambda: _without(resnet.parts(), "ns"))

    unet = Network(
        _normal(20, 2, 8, 8),
        lambda: {"d": conv(2, 3, 3, padding=1), "b": conv(3, 4, 3, padding=1), "u": nn.ConvTranspose2d(4, 3, 2, stride=2), "e": conv(6, 3, 3, padding=1), "o": conv(3, 2, 1)},
        lambda m, x: (lambda d: m.o(relu(m.e(cat([d, m.u(relu(m.b(F.max_pool2d(d, 2))))], 1)))))(relu(m.d(x))),
    )
    unet.add("right", "joined the other way", lambda m, x: (lambda d: m.o(relu(m.e(cat([m.u(relu(m.b(F.max_pool2d(d, 2)))), d], 1)))))(relu(m.d(x))))
    unet.add("right", "two convolutions for the join", lambda m, x: (lambda d: m.o(relu(m.e1(d) + m.e2(m.u(relu(m.b(F.max_pool2d(d, 2))))))))(relu(m.d(x))), lambda: {**_without(unet.parts(), "e"), "e1": conv(3, 3, 3, padding=1), "e2": conv(3, 3, 3, padding=1, bias=False)})
    unet.add("right", "pixel shuffle for the way up", lambda m, x: (lambda d: m.o(relu(m.e(cat([d, F.pixel_shuffle(m.u(relu(m.b(F.max_pool2d(d, 2)))), 2) + m.c[:, None, None]], 1)))))(relu(m.d(x))), lambda: {**_without(unet.parts(), "u"), "u": conv(4, 12, 1, bias=False), "c": own(3)})
    unet.add("right", "Sequentials", lambda m, x: (lambda d: m.head(cat([d, m.way(d)], 1)))(m.down(x)), lambda: {"down": nn.Sequential(conv(2, 3, 3, padding=1), nn.ReLU()), "way": nn.Sequential(nn.MaxPool2d(2), conv(3, 4, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(4, 3, 2, 2)), "head": nn.Sequential(conv(6, 3, 3, padding=1), nn.ReLU(), conv(3, 2, 1))})
    unet.add("right", "max over blocks", lambda m, x: (lambda d: m.o(relu(m.e(cat([d, m.u(relu(m.b(d.reshape(-1, 3, 4, 2, 4, 2).amax((3, 5)))))], 1)))))(relu(m.d(x))))
    unet.add("right", "channels last", lambda m, x: (lambda d: m.o(relu(m.e(cat([d, m.u(relu(m.b(F.max_pool2d(d, 2))))], 1))).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))(relu(m.d(x))), lambda: {**_without(unet.parts(), "o"), "o": nn.Linear(3, 2)})
    unet.add("wrong", "no skip", lambda m, x: (lambda d: m.o(relu(m.e(m.u(relu(m.b(F.max_pool2d(d, 2))))))))(relu(m.d(x))), lambda: {**_without(unet.parts(), "e"), "e": conv(3, 3, 3, padding=1)})
    unet.add("wrong", "the skip before the activation", lambda m, x: (lambda d: m.o(relu(m.e(cat([d, m.u(relu(m.b(F.max_pool2d(relu(d), 2))))], 1)))))(m.d(x)))
    unet.add("wrong", "the way up twice", lambda m, x: (lambda u: m.o(relu(m.e(cat([u, u], 1)))))(m.u(relu(m.b(F.max_pool2d(relu(m.d(x)), 2))))))
    unet.add("wrong", "average pool", lambda m, x: (lambda d: m.o(relu(m.e(cat([d, m.u(relu(m.b(F.avg_pool2d(d, 2))))], 1)))))(relu(m.d(x))))
    unet.add("wrong", "no bottleneck activation", lambda m, x: (lambda d: m.o(relu(m.e(cat([d, m.u(m.b(F.max_pool2d(d, 2)))], 1)))))(relu(m.d(x))))

    resnext = Network(
        _normal(20, 4, 5, 5),
        lambda: {"a": conv(4, 6, 1), "g": conv(6, 6, 3, padding=1, groups=3), "c": conv(6, 4, 1), "d": nn.Linear(4, 2), "u": nn.Linear(2, 4)},
        lambda m, x: (lambda y: relu(x + y * torch.sigmoid(m.u(relu(m.d(y.mean((2, 3))))))[:, :, None, None]))(m.c(relu(m.g(relu(m.a(x)))))),
    )
    resnext.add("right", "three convolutions for the groups", lambda m, x: (lambda y: relu(x + y * torch.sigmoid(m.u(relu(m.d(y.mean((2, 3))))))[:, :, None, None]))(m.c(relu(cat([g(h) for g, h in zip(m.gs, relu(m.a(x)).chunk(3, 1), strict=True)], 1)))), lambda: {"gs": nn.ModuleList([conv(2, 2, 3, padding=1) for _ in range(3)]), **_without(resnext.parts(), "g")})
    resnext.add("right", "paths that are added", lambda m, x: (lambda y: relu(x + y * torch.sigmoid(m.u(relu(m.d(y.mean((2, 3))))))[:, :, None, None]))(sum(path(x) for path in m.paths) + m.k[:, None, None]), lambda: {"paths": nn.ModuleList([nn.Sequential(conv(4, 2, 1), nn.ReLU(), conv(2, 2, 3, padding=1), nn.ReLU(), conv(2, 4, 1, bias=False)) for _ in range(3)]), "k": own(4), "d": nn.Linear(4, 2), "u": nn.Linear(2, 4)})
    resnext.add("right", "1x1 for the gate", lambda m, x: (lambda y: relu(y * torch.sigmoid(m.u(relu(m.d(y.mean((2, 3), keepdim=True))))) + x))(m.c(relu(m.g(relu(m.a(x)))))), lambda: {**resnext.parts(), "d": conv(4, 2, 1), "u": conv(2, 4, 1)})
    resnext.add("right", "a Sequential", lambda m, x: (lambda y: F.relu(x + y * m.gate(F.adaptive_avg_pool2d(y, 1).flatten(1)).view(-1, 4, 1, 1)))(m.body(x)), lambda: {"gate": nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 4), nn.Sigmoid()), "body": nn.Sequential(conv(4, 6, 1), nn.ReLU(), conv(6, 6, 3, padding=1, groups=3), nn.ReLU(), conv(6, 4, 1))})
    resnext.add("right", "functional", lambda m, x: (lambda y: relu(x + y * torch.sigmoid(F.linear(relu(F.linear(y.mean((2, 3)), m.d, m.e)), m.u, m.v))[:, :, None, None]))(m.c(relu(m.g(relu(m.a(x)))))), lambda: {"d": own(2, 4), "e": own(2), "u": own(4, 2), "v": own(4), **_without(_without(resnext.parts(), "d"), "u")})
    resnext.add("right", "sigmoid by its formula", lambda m, x: (lambda y: relu(x + y / (1 + torch.exp(-m.u(relu(m.d(y.mean((2, 3)))))))[:, :, None, None]))(m.c(relu(m.g(relu(m.a(x)))))))
    resnext.add("wrong", "no groups", None, lambda: {**resnext.parts(), "g": conv(6, 6, 3, padding=1)})
    resnext.add("wrong", "two groups", None, lambda: {**resnext.parts(), "g": conv(6, 6, 3, padding=1, groups=2)})
    resnext.add("wrong", "no residual", lambda m, x: (lambda y: relu(y * torch.sigmoid(m.u(relu(m.d(y.mean((2, 3))))))[:, :, None, None]))(m.c(relu(m.g(relu(m.a(x)))))))
    resnext.add("wrong", "the gate on the sum", lambda m, x: (lambda y: relu((x + y) * torch.sigmoid(m.u(relu(m.d(y.mean((2, 3))))))[:, :, None, None]))(m.c(relu(m.g(relu(m.a(x)))))))
    resnext.add("wrong", "tanh gate", lambda m, x: (lambda y: relu(x + y * torch.tanh(m.u(relu(m.d(y.mean((2, 3))))))[:, :, None, None]))(m.c(relu(m.g(relu(m.a(x)))))))

    convnext = Network(
        _normal(20, 4, 6, 6),
        lambda: {"d": conv(4, 4, 3, padding=1, groups=4), "n": nn.LayerNorm(4), "a": nn.Linear(4, 8), "b": nn.Linear(8, 4), "g": own(4)},
        lambda m, x: x + (m.g * m.b(F.gelu(m.a(m.n(m.d(x).permute(0, 2, 3, 1)))))).permute(0, 3, 1, 2),
    )

    def by_formula(z: Any, weight: Any, bias: Any) -> Any:
        centered = z - z.mean(-1, keepdim=True)
        return centered / torch.sqrt(centered.pow(2).mean(-1, keepdim=True) + 1e-5) * weight + bias

    convnext.add("right", "1x1 convolutions", lambda m, x: x + m.g.view(1, -1, 1, 1) * m.b(F.gelu(m.a(m.n(m.d(x).movedim(1, -1)).movedim(-1, 1)))), lambda: {**convnext.parts(), "a": conv(4, 8, 1), "b": conv(8, 4, 1)})
    convnext.add("right", "own LayerNorm", lambda m, x: x + (m.g * m.b(F.gelu(m.a(by_formula(m.d(x).permute(0, 2, 3, 1), m.w, m.c))))).permute(0, 3, 1, 2), lambda: {"w": own(4), "c": own(4), **_without(convnext.parts(), "n")})
    convnext.add("right", "layer_norm", lambda m, x: x + (m.b(F.gelu(m.a(F.layer_norm(m.d(x).permute(0, 2, 3, 1), (4,), m.w, m.c)))) * m.g).permute(0, 3, 1, 2), lambda: {"w": own(4), "c": own(4), **_without(convnext.parts(), "n")})
    convnext.add("right", "GELU by erf", lambda m, x: x + (m.g * m.b((lambda z: z * 0.5 * (1 + torch.erf(z / 2**0.5)))(m.a(m.n(m.d(x).permute(0, 2, 3, 1)))))).permute(0, 3, 1, 2))
    convnext.add("right", "a convolution for each channel", lambda m, x: x + (m.g * m.b(F.gelu(m.a(m.n(cat([c(x[:, i : i + 1]) for i, c in enumerate(m.cs)], 1).permute(0, 2, 3, 1)))))).permute(0, 3, 1, 2), lambda: {"cs": nn.ModuleList([conv(1, 1, 3, padding=1) for _ in range(4)]), **_without(convnext.parts(), "d")})
    convnext.add("right", "GroupNorm of one group for each place", lambda m, x: x + torch.einsum("nhwk,kc,c->nchw", F.gelu(m.a(m.n(m.d(x).permute(0, 2, 3, 1)))), m.w, m.g) + (m.e * m.g)[:, None, None], lambda: {**_without(convnext.parts(), "b"), "w": own(8, 4), "e": own(4)})
    convnext.add("wrong", "no scale", lambda m, x: x + m.b(F.gelu(m.a(m.n(m.d(x).permute(0, 2, 3, 1))))).permute(0, 3, 1, 2))
    convnext.add("wrong", "no residual", lambda m, x: (m.g * m.b(F.gelu(m.a(m.n(m.d(x).permute(0, 2, 3, 1)))))).permute(0, 3, 1, 2))
    convnext.add("wrong", "relu", lambda m, x: x + (m.g * m.b(relu(m.a(m.n(m.d(x).permute(0, 2, 3, 1)))))).permute(0, 3, 1, 2))
    convnext.add("wrong", "normalized first", lambda m, x: x + (m.g * m.b(F.gelu(m.a(m.d(m.n(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)).permute(0, 2, 3, 1))))).permute(0, 3, 1, 2))
    convnext.add("wrong", "not depthwise", None, lambda: {**convnext.parts(), "d": conv(4, 4, 3, padding=1)})
    return {"inception": inception, "ResNet bottleneck": resnet, "U-Net": unet, "SE-ResNeXt": resnext, "ConvNeXt": convnext}


def _of_sequences() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    conv, cat, relu = nn.Conv1d, torch.cat, torch.relu
    left = lambda x, n: F.pad(x, (n, 0))  # noqa: E731
    wavenet = Network(
        _normal(20, 3, 9),
        lambda: {"f": conv(3, 4, 2, dilation=2), "g": conv(3, 4, 2, dilation=2), "r": conv(4, 3, 1), "s": conv(4, 5, 1)},
        lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh(m.f(left(x, 2))) * torch.sigmoid(m.g(left(x, 2)))),
    )
    wavenet.add("right", "one convolution, chunk", lambda m, x: (lambda a, b: (lambda z: cat([m.r(z) + x, m.s(z)], 1))(a.tanh() * b.sigmoid()))(*m.c(left(x, 2)).chunk(2, 1)), lambda: {"c": conv(3, 8, 2, dilation=2), "r": conv(4, 3, 1), "s": conv(4, 5, 1)})
    wavenet.add("right", "the gate first", lambda m, x: (lambda b, a: (lambda z: cat([x + m.r(z), m.s(z)], 1))(b * a))(torch.sigmoid(m.g(left(x, 2))), torch.tanh(m.f(left(x, 2)))))
    wavenet.add("right", "an even function's trick", lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh(m.f(left(x, 2))) * (torch.tanh(m.g(left(x, 2)) / 2) + 1) / 2))
    wavenet.add("right", "padding on both sides, cut", lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh(m.f(x)[..., :9]) * torch.sigmoid(m.g(x)[:, :, :-2])), lambda: {"f": conv(3, 4, 2, dilation=2, padding=2), "g": conv(3, 4, 2, dilation=2, padding=2), "r": conv(4, 3, 1), "s": conv(4, 5, 1)})
    wavenet.add("right", "one 1x1 for skip and residual", lambda m, x: m.o(torch.tanh(m.f(left(x, 2))) * torch.sigmoid(m.g(left(x, 2)))) + F.pad(x, (0, 0, 0, 5)), lambda: {"o": conv(4, 8, 1), "f": conv(3, 4, 2, dilation=2), "g": conv(3, 4, 2, dilation=2)})
    wavenet.add("right", "shifted Linears in float64", lambda m, x: (lambda y: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh((m.f0(left(y, 2)[..., :9].mT) + m.f1(y.mT)).mT.float()) * torch.sigmoid(m.g(left(x, 2)))))(x.double()), lambda: {"g": conv(3, 4, 2, dilation=2), "f0": nn.Linear(3, 4, bias=False).double(), "f1": nn.Linear(3, 4).double(), "r": conv(4, 3, 1), "s": conv(4, 5, 1)})
    wavenet.add("wrong", "not causal", lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh(m.f(F.pad(x, (1, 1)))) * torch.sigmoid(m.g(F.pad(x, (1, 1))))))
    wavenet.add("wrong", "no residual", lambda m, x: (lambda z: cat([m.r(z), m.s(z)], 1))(torch.tanh(m.f(left(x, 2))) * torch.sigmoid(m.g(left(x, 2)))))
    wavenet.add("wrong", "no dilation", lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh(m.f(left(x, 1))) * torch.sigmoid(m.g(left(x, 1)))), lambda: {"f": conv(3, 4, 2), "g": conv(3, 4, 2), "r": conv(4, 3, 1), "s": conv(4, 5, 1)})
    wavenet.add("wrong", "two sigmoids", lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.sigmoid(m.f(left(x, 2))) * torch.sigmoid(m.g(left(x, 2)))))
    wavenet.add("wrong", "added", lambda m, x: (lambda z: cat([x + m.r(z), m.s(z)], 1))(torch.tanh(m.f(left(x, 2))) + torch.sigmoid(m.g(left(x, 2)))))

    tcn = Network(
        _normal(20, 3, 8),
        lambda: {"a": conv(3, 5, 3, dilation=2), "b": conv(5, 5, 3, dilation=2), "d": conv(3, 5, 1), "p": nn.Dropout(0.2)},
        lambda m, x: relu(m.p(relu(m.b(left(m.p(relu(m.a(left(x, 4)))), 4)))) + m.d(x)),
    )
    tcn.add("right", "the shortcut first", lambda m, x: (lambda s: F.relu(s + F.dropout(F.relu(m.b(left(F.relu(m.a(left(x, 4))), 4))), 0.2, m.training)))(m.d(x)))
    tcn.add("right", "conv1d", lambda m, x: relu(relu(F.conv1d(left(relu(F.conv1d(left(x, 4), m.w, m.c, dilation=2)), 4), m.v, m.e, dilation=2)) + F.conv1d(x, m.u, m.h)), lambda: {"w": own(5, 3, 3), "c": own(5), "v": own(5, 5, 3), "e": own(5), "u": own(5, 3, 1), "h": own(5)})
    tcn.add("right", "three shifted Linears", lambda m, x: (lambda h: relu(relu(m.b(left(relu(h), 4))) + m.d(x)))(sum(w(left(x, 4)[..., 2 * k : 2 * k + 8].mT).mT for k, w in enumerate(m.w)) + m.c[:, None]), lambda: {"w": nn.ModuleList([nn.Linear(3, 5, bias=False) for _ in range(3)]), "c": own(5), "b": conv(5, 5, 3, dilation=2), "d": conv(3, 5, 1)})
    tcn.add("right", "Linear for the shortcut", lambda m, x: relu(relu(m.b(left(relu(m.a(left(x, 4))), 4))) + m.d(x.transpose(1, 2)).transpose(1, 2)), lambda: {**_without(tcn.parts(), "d"), "d": nn.Linear(3, 5)})
    tcn.add("right", "a chomp", lambda m, x: relu(relu(m.b(relu(m.a(x)[..., :-4]))[..., :-4]) + m.d(x)), lambda: {"a": conv(3, 5, 3, dilation=2, padding=4), "b": conv(5, 5, 3, dilation=2, padding=4), "d": conv(3, 5, 1)})
    tcn.add("right", "einsum of an unfolded row", lambda m, x: relu(relu(m.b(left(relu(torch.einsum("nctk,ock->not", torch.stack([left(x, 4)[..., 2 * k : 2 * k + 8] for k in range(3)], -1), m.w) + m.c[:, None]), 4))) + m.d(x)), lambda: {"w": own(5, 3, 3), "c": own(5), "b": conv(5, 5, 3, dilation=2), "d": conv(3, 5, 1)})
    tcn.add("wrong", "looks ahead", lambda m, x: relu(relu(m.b(F.pad(relu(m.a(F.pad(x, (2, 2)))), (2, 2)))) + m.d(x)))
    tcn.add("wrong", "no shortcut weights", lambda m, x: relu(relu(m.b(left(relu(m.a(left(x, 4))), 4))) + F.pad(x, (0, 0, 0, 2))), lambda: _without(tcn.parts(), "d"))
    tcn.add("wrong", "no last activation", lambda m, x: relu(m.b(left(relu(m.a(left(x, 4))), 4))) + m.d(x))
    tcn.add("wrong", "one inner activation", lambda m, x: relu(m.b(left(relu(m.a(left(x, 4))), 4)) + m.d(x)))
    tcn.add("wrong", "the second not dilated", lambda m, x: relu(relu(m.b(left(relu(m.a(left(x, 4))), 2))) + m.d(x)), lambda: {"a": conv(3, 5, 3, dilation=2), "b": conv(5, 5, 3), "d": conv(3, 5, 1)})

    def steps(cell: Any, xs: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
        out = []
        for t in range(xs.shape[1]):
            h, c = cell(xs[:, t], (h, c))
            out.append(h)
        return torch.stack(out, 1), h, c

    def two_linears(m: Any, x: Any, name: str, size: int = 4, order: str = "ifgo") -> Callable[..., Any]:
        def cell(x: Any, state: Any) -> Any:
            h, c = state
            z = dict(zip(order, (getattr(m, name + "x")(x) + getattr(m, name + "h")(h)).chunk(4, 1), strict=True))
            c = torch.sigmoid(z["f"]) * c + torch.sigmoid(z["i"]) * torch.tanh(z["g"])
            return torch.sigmoid(z["o"]) * torch.tanh(c), c

        return cell

    def zeros(x: Any) -> Any:
        return torch.zeros_like(x[:, 0, :1]).expand(-1, 4)

    def translated(m: Any, x: Any, y: Any) -> Any:
        _, state = m.e(x)
        return m.o(m.d(y, state)[0])

    seq2seq = Network([_normal(16, 4, 3), _normal(16, 3, 2)], lambda: {"e": nn.LSTM(3, 4, batch_first=True), "d": nn.LSTM(2, 4, batch_first=True), "o": nn.Linear(4, 3)}, translated)

    def by_cells(m: Any, x: Any, y: Any) -> Any:
        _, h, c = steps(m.e, x, zeros(x), zeros(x))
        return m.o(steps(m.d, y, h, c)[0])

    def by_linears(order: str) -> Forward:
        def forward(m: Any, x: Any, y: Any) -> Any:
            _, h, c = steps(two_linears(m, x, "e", order=order), x, zeros(x), zeros(x))
            return m.o(steps(two_linears(m, y, "d", order=order), y, h, c)[0])

        return forward

    def of_one_linear(m: Any, x: Any, y: Any) -> Any:
        def cell_of(linear: Any) -> Callable[..., Any]:
            def cell(x: Any, state: Any) -> Any:
                i, f, g, o = linear(cat([x, state[0]], 1)).split(4, 1)
                c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
                return o.sigmoid() * c.tanh(), c

            return cell

        _, h, c = steps(cell_of(m.e), x, zeros(x), zeros(x))
        return m.o(steps(cell_of(m.d), y, h, c)[0])

    def of_gates(m: Any, x: Any, y: Any) -> Any:
        _, (h, c) = m.e(x)

        def cell(x: Any, state: Any) -> Any:
            both = cat([state[0], x], 1)
            c = torch.sigmoid(m.f(both)) * state[1] + torch.sigmoid(m.i(both)) * torch.tanh(m.g(both))
            return torch.sigmoid(m.out(both)) * torch.tanh(c), c

        return m.o(steps(cell, y, h[0], c[0])[0])

    seq2seq.add("right", "LSTMCell loop", by_cells, lambda: {"e": nn.LSTMCell(3, 4), "d": nn.LSTMCell(2, 4), "o": nn.Linear(4, 3)})
    linears = lambda: {"ex": nn.Linear(3, 16), "eh": nn.Linear(4, 16), "dx": nn.Linear(2, 16), "dh": nn.Linear(4, 16), "o": nn.Linear(4, 3)}  # noqa: E731
    seq2seq.add("right", "own LSTM of two Linears", by_linears("ifgo"), linears)
    seq2seq.add("right", "own LSTM, other order of gates", by_linears("ogif"), linears)
    seq2seq.add("right", "own LSTM of one Linear", of_one_linear, lambda: {"e": nn.Linear(7, 16), "d": nn.Linear(6, 16), "o": nn.Linear(4, 3)})
    seq2seq.add("right", "own decoder of four Linears", of_gates, lambda: {"e": nn.LSTM(3, 4, batch_first=True), "f": nn.Linear(6, 4), "i": nn.Linear(6, 4), "g": nn.Linear(6, 4), "out": nn.Linear(6, 4), "o": nn.Linear(4, 3)})
    seq2seq.add("right", "time first", lambda m, x, y: m.o(m.d(y.transpose(0, 1), m.e(x.transpose(0, 1))[1])[0]).transpose(0, 1), lambda: {"e": nn.LSTM(3, 4), "d": nn.LSTM(2, 4), "o": nn.Linear(4, 3)})
    seq2seq.add("wrong", "the state of the encoder lost", lambda m, x, y: m.o(m.d(y)[0]) + 0 * m.e(x)[0][:, :1, :1])
    seq2seq.add("wrong", "the hidden state alone", lambda m, x, y: (lambda s: m.o(m.d(y, (s[0], torch.zeros_like(s[1])))[0]))(m.e(x)[1]))
    seq2seq.add("wrong", "states exchanged", lambda m, x, y: (lambda s: m.o(m.d(y, (s[1], s[0]))[0]))(m.e(x)[1]))
    seq2seq.add("wrong", "GRU", lambda m, x, y: m.o(m.d(y, m.e(x)[1])[0]), lambda: {"e": nn.GRU(3, 4, batch_first=True), "d": nn.GRU(2, 4, batch_first=True), "o": nn.Linear(4, 3)})
    seq2seq.add("wrong", "softmax at the end", lambda m, x, y: translated(m, x, y).softmax(-1))

    def attended(m: Any, x: Any) -> Any:
        h, _ = m.r(m.w(x))
        a = torch.softmax(m.v(torch.tanh(m.k(h))).squeeze(-1), 1)
        return m.o((a.unsqueeze(-1) * h).sum(1))

    parts = lambda: {"w": nn.Embedding(7, 3), "r": nn.GRU(3, 3, batch_first=True, bidirectional=True), "k": nn.Linear(6, 4), "v": nn.Linear(4, 1, bias=False), "o": nn.Linear(6, 2)}  # noqa: E731
    gru = Network(DRAW.integers(0, 7, (20, 6)), parts, attended)

    def two_ways(m: Any, x: Any) -> Any:
        z = m.w(x)
        h = cat([m.a(z)[0], m.b(z.flip(1))[0].flip(1)], -1)
        a = torch.softmax(m.v(torch.tanh(m.k(h))), 1)
        return m.o((a.mT @ h).squeeze(1))

    def own_gru(m: Any, x: Any) -> Any:
        z, ways = m.w(x), []
        for name, order in (("a", range(6)), ("b", range(5, -1, -1))):
            h, out = torch.zeros_like(z[:, 0, :3]), {}
            for t in order:
                i, s = getattr(m, name + "x")(z[:, t]).chunk(3, 1), getattr(m, name + "h")(h).chunk(3, 1)
                reset, update = torch.sigmoid(i[0] + s[0]), torch.sigmoid(i[1] + s[1])
                h = (1 - update) * torch.tanh(i[2] + reset * s[2]) + update * h
                out[t] = h
            ways.append(torch.stack([out[t] for t in range(6)], 1))
        h = cat(ways, -1)
        a = torch.softmax(m.v(torch.tanh(m.k(h))), 1)
        return m.o((a * h).sum(1))

    gru.add("right", "two GRUs", two_ways, lambda: {**_without(parts(), "r"), "a": nn.GRU(3, 3, batch_first=True), "b": nn.GRU(3, 3, batch_first=True)})
    gru.add("right", "own GRU", own_gru, lambda: {**_without(parts(), "r"), "ax": nn.Linear(3, 9), "ah": nn.Linear(3, 9), "bx": nn.Linear(3, 9), "bh": nn.Linear(3, 9)})
    gru.add("right", "einsum", lambda m, x: (lambda h: m.o(torch.einsum("nt,ntd->nd", torch.softmax(torch.tanh(m.k(h)) @ m.q, 1), h)))(m.r(m.w(x))[0]), lambda: {**_without(parts(), "v"), "q": own(4)})
    gru.add("right", "one-hot times a matrix", lambda m, x: attended(m, F.one_hot(x, 7).float()), lambda: {**parts(), "w": nn.Linear(7, 3, bias=False)})
    gru.add("right", "softmax by its formula", lambda m, x: (lambda h: (lambda e: m.o((e / e.sum(1, keepdim=True) * h).sum(1)))(torch.exp(m.v(torch.tanh(m.k(h))))))(m.r(m.w(x))[0]))
    gru.add("right", "a bias of the score", None, lambda: {**parts(), "v": nn.Linear(4, 1)})
    gru.add("wrong", "one direction", None, lambda: {"w": nn.Embedding(7, 3), "r": nn.GRU(3, 6, batch_first=True), "k": nn.Linear(6, 4), "v": nn.Linear(4, 1, bias=False), "o": nn.Linear(6, 2)})
    gru.add("wrong", "the mean", lambda m, x: (lambda h: m.o(h.mean(1)) + 0 * m.v(torch.tanh(m.k(h))).sum(1))(m.r(m.w(x))[0]))
    gru.add("wrong", "softmax over the features", lambda m, x: (lambda h: m.o((torch.softmax(m.v(torch.tanh(m.k(h))), -1) * h).sum(1)))(m.r(m.w(x))[0]))
    gru.add("wrong", "no tanh", lambda m, x: (lambda h: m.o((torch.softmax(m.v(m.k(h)), 1) * h).sum(1)))(m.r(m.w(x))[0]))
    gru.add("wrong", "the second way not turned back", lambda m, x: (lambda z: (lambda h: m.o((torch.softmax(m.v(torch.tanh(m.k(h))), 1) * h).sum(1)))(cat([m.a(z)[0], m.b(z.flip(1))[0]], -1)))(m.w(x)), lambda: {**_without(parts(), "r"), "a": nn.GRU(3, 3, batch_first=True), "b": nn.GRU(3, 3, batch_first=True)})
    return {"WaveNet": wavenet, "TCN": tcn, "seq2seq LSTM": seq2seq, "bidirectional GRU with attention": gru}


def _of_attention() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn


    def heads(z: Any) -> Any:
        return z.reshape(z.shape[0], z.shape[1], 2, 3).transpose(1, 2)

    def joined(z: Any) -> Any:
        return z.transpose(1, 2).reshape(z.shape[0], z.shape[2], 6)

    def masked(q: Any, k: Any, v: Any) -> Any:
        scores = heads(q) @ heads(k).transpose(-2, -1) / 3**0.5
        mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
        return joined(torch.softmax(scores.masked_fill(mask, float("-inf")), -1) @ heads(v))

    def decoder(m: Any, x: Any) -> Any:
        z = m.n1(x)
        x = x + m.o(masked(m.q(z), m.k(z), m.v(z)))
        return x + m.b(F.gelu(m.a(m.n2(x))))

    parts = lambda: {"q": nn.Linear(6, 6), "k": nn.Linear(6, 6), "v": nn.Linear(6, 6), "o": nn.Linear(6, 6), "n1": nn.LayerNorm(6), "n2": nn.LayerNorm(6), "a": nn.Linear(6, 10), "b": nn.Linear(10, 6)}  # noqa: E731
    transformer = Network(_normal(16, 5, 6), parts, decoder)
    rest = lambda: {name: part for name, part in parts().items() if name not in "qkv"}  # noqa: E731

    def fused(m: Any, x: Any) -> Any:
        x = x + m.o(masked(*m.qkv(m.n1(x)).chunk(3, -1)))
        return x + m.b(F.gelu(m.a(m.n2(x))))

    def by_sdpa(m: Any, x: Any) -> Any:
        v, k, q = (heads(part) for part in m.vkq(m.n1(x)).split(6, -1))
        x = x + m.o(joined(F.scaled_dot_product_attention(q, k, v, is_causal=True)))
        return x + m.mlp(m.n2(x))

    def of_torch(m: Any, x: Any) -> Any:
        z = m.n1(x)
        y, _ = m.att(z, z, z, attn_mask=torch.triu(torch.ones(5, 5, dtype=torch.bool), 1), need_weights=False)
        x = x + y
        return x + m.b(F.gelu(m.a(m.n2(x))))

    def by_heads(m: Any, x: Any) -> Any:
        z, outs = m.n1(x), []
        for q, k, v in zip(m.qs, m.ks, m.vs, strict=True):
            scores = torch.einsum("nid,njd->nij", q(z), k(z)) / 3**0.5
            outs.append(torch.softmax(scores + torch.triu(torch.full((5, 5), -1e9), 1), -1) @ v(z))
        x = x + m.o(torch.cat(outs, -1))
        return x + m.b(F.gelu(m.a(m.n2(x))))

    def by_einsum(m: Any, x: Any) -> Any:
        z = m.n1(x)
        q, k, v = (torch.einsum("ntd,hde->nhte", z, w) + c[None, :, None] for w, c in ((m.wq, m.cq), (m.wk, m.ck), (m.wv, m.cv)))
        scores = torch.einsum("nhie,nhje->nhij", q, k) / 3**0.5
        scores = torch.where(torch.tril(torch.ones(5, 5)) > 0, scores, float("-inf"))
        x = x + m.o(torch.einsum("nhij,nhje->nihe", scores.softmax(-1), v).flatten(2))
        return x + m.b(F.gelu(m.a(m.n2(x))))

    transformer.add("right", "fused", fused, lambda: {"qkv": nn.Linear(6, 18), **rest()})
    transformer.add("right", "scaled_dot_product_attention", by_sdpa, lambda: {"vkq": nn.Linear(6, 18), "mlp": nn.Sequential(nn.Linear(6, 10), nn.GELU(), nn.Dropout(0.1), nn.Linear(10, 6)), "o": nn.Linear(6, 6), "n1": nn.LayerNorm(6), "n2": nn.LayerNorm(6)})
    transformer.add("right", "MultiheadAttention", of_torch, lambda: {"att": nn.MultiheadAttention(6, 2, batch_first=True), **_without(rest(), "o")})
    transformer.add("right", "a head after the other", by_heads, lambda: {name: nn.ModuleList([nn.Linear(6, 3) for _ in range(2)]) for name in ("qs", "ks", "vs")} | rest())
    transformer.add("right", "einsum", by_einsum, lambda: {"wq": own(2, 6, 3), "cq": own(2, 3), "wk": own(2, 6, 3), "ck": own(2, 3), "wv": own(2, 6, 3), "cv": own(2, 3), **rest()})
    transformer.add("right", "no bias of keys", None, lambda: {**parts(), "k": nn.Linear(6, 6, bias=False)})
    transformer.add("wrong", "no mask", lambda m, x: (lambda y: y + m.b(F.gelu(m.a(m.n2(y)))))(x + m.o(joined(F.scaled_dot_product_attention(heads(m.q(m.n1(x))), heads(m.k(m.n1(x))), heads(m.v(m.n1(x))))))))
    transformer.add("wrong", "one head", lambda m, x: (lambda y: y + m.b(F.gelu(m.a(m.n2(y)))))(x + m.o(F.scaled_dot_product_attention(m.q(m.n1(x)), m.k(m.n1(x)), m.v(m.n1(x)), is_causal=True))))
    transformer.add("wrong", "normalized after", lambda m, x: (lambda y: m.n2(y + m.b(F.gelu(m.a(y)))))(m.n1(x + m.o(masked(m.q(x), m.k(x), m.v(x))))))
    transformer.add("wrong", "not scaled", lambda m, x: (lambda y: y + m.b(F.gelu(m.a(m.n2(y)))))(x + m.o(masked(m.q(m.n1(x)) * 3**0.5, m.k(m.n1(x)), m.v(m.n1(x))))))
    transformer.add("wrong", "no residual", lambda m, x: (lambda y: y + m.b(F.gelu(m.a(m.n2(y)))))(m.o(masked(m.q(m.n1(x)), m.k(m.n1(x)), m.v(m.n1(x))))))

    mix_parts = lambda: {"p": nn.Conv2d(2, 5, 2, stride=2), "n1": nn.LayerNorm(5), "t1": nn.Linear(9, 7), "t2": nn.Linear(7, 9), "n2": nn.LayerNorm(5), "c1": nn.Linear(5, 8), "c2": nn.Linear(8, 5), "o": nn.Linear(5, 3)}  # noqa: E731

    def mixed(m: Any, x: Any) -> Any:
        z = m.p(x).flatten(2).transpose(1, 2)
        z = z + m.t2(F.gelu(m.t1(m.n1(z).transpose(1, 2)))).transpose(1, 2)
        z = z + m.c2(F.gelu(m.c1(m.n2(z))))
        return m.o(z.mean(1))

    mixer = Network(_normal(16, 2, 6, 6), mix_parts, mixed)

    def by_reshape(m: Any, x: Any) -> Any:
        z = m.p(x.reshape(-1, 2, 3, 2, 3, 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, 9, 8))
        z = z + m.t2(F.gelu(m.t1(m.n1(z).mT))).mT
        z = z + m.c2(F.gelu(m.c1(m.n2(z))))
        return m.o(z.mean(1))

    def by_conv(m: Any, x: Any) -> Any:
        z = m.p(x).flatten(2).transpose(1, 2)
        z = z + m.t2(F.gelu(m.t1(m.n1(z))))
        z = z + m.c2(F.gelu(m.c1(m.n2(z))))
        return m.o(z.mean(1))

    def of_einsum(m: Any, x: Any) -> Any:
        z = m.p(x).flatten(2).transpose(1, 2)
        y = F.gelu(torch.einsum("ntd,ts->nsd", m.n1(z), m.u) + m.e[:, None])
        z = z + torch.einsum("nsd,st->ntd", y, m.w) + m.f[:, None]
        z = z + m.c2(F.gelu(m.c1(m.n2(z))))
        return m.o(z.mean(1))

    def channels_first(m: Any, x: Any) -> Any:
        z = m.p(x).flatten(2)
        z = z + m.t2(F.gelu(m.t1(m.n1(z.mT).mT)))
        z = z + m.c2(F.gelu(m.c1(m.n2(z.mT).mT)))
        return m.o(z.mean(2))

    mixer.add("right", "patches by reshape", by_reshape, lambda: {**mix_parts(), "p": nn.Linear(8, 5)})
    mixer.add("right", "Conv1d over tokens", by_conv, lambda: {**mix_parts(), "t1": nn.Conv1d(9, 7, 1), "t2": nn.Conv1d(7, 9, 1)})
    mixer.add("right", "einsum", of_einsum, lambda: {**_without(_without(mix_parts(), "t1"), "t2"), "u": own(9, 7), "e": own(7), "w": own(7, 9), "f": own(9)})
    mixer.add("right", "channels first", channels_first, lambda: {**mix_parts(), "c1": nn.Conv1d(5, 8, 1), "c2": nn.Conv1d(8, 5, 1)})
    mixer.add("right", "the mean after the last layer", lambda m, x: _mean_last(m, mixed, x))
    mixer.add("right", "patches by unfold", lambda m, x: by_reshape(m, F.unfold(x, 2, stride=2).mT.reshape(-1, 3, 3, 2, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(-1, 2, 6, 6)), lambda: {**mix_parts(), "p": nn.Linear(8, 5)})
    mixer.add("wrong", "tokens not mixed", lambda m, x: (lambda z: m.o((z + m.c2(F.gelu(m.c1(m.n2(m.n1(z)))))).mean(1)))(m.p(x).flatten(2).mT), lambda: _without(_without(mix_parts(), "t1"), "t2"))
    mixer.add("wrong", "no residual of tokens", lambda m, x: (lambda z: m.o((z + m.c2(F.gelu(m.c1(m.n2(z))))).mean(1)))(m.t2(F.gelu(m.t1(m.n1(m.p(x).flatten(2).mT).mT))).mT))
    mixer.add("wrong", "relu", lambda m, x: (lambda z: (lambda z: m.o((z + m.c2(torch.relu(m.c1(m.n2(z))))).mean(1)))(z + m.t2(torch.relu(m.t1(m.n1(z).mT))).mT))(m.p(x).flatten(2).mT))
    mixer.add("wrong", "one normalization", lambda m, x: (lambda z: (lambda z: m.o((z + m.c2(F.gelu(m.c1(m.n1(z))))).mean(1)))(z + m.t2(F.gelu(m.t1(m.n1(z).mT))).mT))(m.p(x).flatten(2).mT))
    mixer.add("wrong", "channels first of all", lambda m, x: (lambda z: (lambda z: m.o((z + m.t2(F.gelu(m.t1(m.n1(z).mT))).mT).mean(1)))(z + m.c2(F.gelu(m.c1(m.n2(z))))))(m.p(x).flatten(2).mT))
    return {"Transformer decoder": transformer, "MLP-Mixer": mixer}


def _mean_last(m: Any, forward: Any, x: Any) -> Any:
    import torch.nn.functional as F

    z = m.p(x).flatten(2).transpose(1, 2)
    z = z + m.t2(F.gelu(m.t1(m.n1(z).transpose(1, 2)))).transpose(1, 2)
    return m.o(z + m.c2(F.gelu(m.c1(m.n2(z))))).mean(1)


def _of_tables() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    relu, cat, sigmoid = torch.relu, torch.cat, torch.sigmoid
    high_parts = lambda: {"i": nn.Linear(5, 6), "h": nn.Linear(6, 6), "t": nn.Linear(6, 6), "o": nn.Linear(6, 3)}  # noqa: E731

    def highway_of(m: Any, x: Any) -> Any:
        x = m.i(x)
        h, t = relu(m.h(x)), sigmoid(m.t(x))
        return m.o(t * h + (1 - t) * x)

    def gate_first(m: Any, x: Any) -> Any:
        x = m.i(x)
        t = sigmoid(m.t(x))
        return m.o(x + t * (F.relu(m.h(x)) - x))

    def of_split(m: Any, x: Any) -> Any:
        x = m.i(x)
        h, t = m.f(x).split(6, -1)
        return m.o(torch.lerp(x, relu(h), t.sigmoid()))

    def interleaved(m: Any, x: Any) -> Any:
        x = m.i(x)
        h, t = m.f(x).reshape(-1, 6, 2).unbind(-1)
        return m.o(torch.where(h > 0, h, 0.0) / (1 + torch.exp(-t)) + x / (1 + torch.exp(t)))

    def carried(m: Any, x: Any) -> Any:
        x = m.i(x)
        c = sigmoid(m.t(x))
        return m.o(c * x + (1 - c) * relu(m.h(x)))

    def of_matrices(m: Any, x: Any) -> Any:
        x = torch.einsum("nk,kj->nj", x, m.w) + m.c
        t = sigmoid(x @ m.u + m.d)
        return m.o(t * F.linear(x, m.v, m.e).clamp_min(0) + (1 - t) * x)

    highway = Network(_normal(24, 5), high_parts, highway_of)
    highway.add("right", "the gate first", gate_first)
    highway.add("right", "one Linear, split", of_split, lambda: {"f": nn.Linear(6, 12), "i": nn.Linear(5, 6), "o": nn.Linear(6, 3)})
    highway.add("right", "one Linear, units in turns", interleaved, lambda: {"o": nn.Linear(6, 3), "f": nn.Linear(6, 12), "i": nn.Linear(5, 6)})
    highway.add("right", "a gate that carries", carried)
    highway.add("right", "matrices", of_matrices, lambda: {"w": own(5, 6), "c": own(6), "u": own(6, 6), "d": own(6), "v": own(6, 6), "e": own(6), "o": nn.Linear(6, 3)})
    highway.add("right", "1x1 convolutions", lambda m, x: highway_of(m, x.unsqueeze(-1)).squeeze(-1), lambda: {"i": nn.Conv1d(5, 6, 1), "h": nn.Conv1d(6, 6, 1), "t": nn.Conv1d(6, 6, 1), "o": nn.Conv1d(6, 3, 1)})
    highway.add("wrong", "not carried", lambda m, x: (lambda x: m.o(sigmoid(m.t(x)) * relu(m.h(x)) + x))(m.i(x)))
    highway.add("wrong", "tanh", lambda m, x: (lambda x: (lambda t: m.o(t * torch.tanh(m.h(x)) + (1 - t) * x))(sigmoid(m.t(x))))(m.i(x)))
    highway.add("wrong", "one weight for both", lambda m, x: (lambda x: (lambda t: m.o(t * relu(m.h(x)) + (1 - t) * x))(sigmoid(m.h(x))))(m.i(x)))
    highway.add("wrong", "the gate after the transform", lambda m, x: (lambda x: (lambda h: (lambda t: m.o(t * h + (1 - t) * x))(sigmoid(m.t(h))))(relu(m.h(x))))(m.i(x)))
    highway.add("wrong", "a wider one", highway_of, lambda: {"i": nn.Linear(5, 7), "h": nn.Linear(7, 7), "t": nn.Linear(7, 7), "o": nn.Linear(7, 3)})

    set_parts = lambda: {"a": nn.Linear(3, 6), "b": nn.Linear(6, 5), "c": nn.Linear(5, 6), "o": nn.Linear(6, 2)}  # noqa: E731
    sets = Network(_normal(20, 4, 3), set_parts, lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x))).sum(1)))))
    sets.add("right", "a loop", lambda m, x: m.o(relu(m.c(sum(m.b(relu(m.a(x[:, i]))) for i in range(4))))))
    sets.add("right", "rows", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x.reshape(-1, 3)))).reshape(-1, 4, 5).sum(1)))))
    sets.add("right", "ones in float64", lambda m, x: m.o(relu(m.c((torch.ones(1, 4, dtype=torch.float64) @ m.b(relu(m.a(x))).double()).squeeze(1).float()))))
    sets.add("right", "Sequentials", lambda m, x: m.rho(m.phi(x).sum(dim=-2)), lambda: {"rho": nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2)), "phi": nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5))})
    sets.add("right", "four times the mean", lambda m, x: m.o(F.relu(m.c(4 * m.b(F.relu(m.a(x))).mean(1)))))
    sets.add("right", "Conv1d", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x.mT))).sum(-1)))), lambda: {**set_parts(), "a": nn.Conv1d(3, 6, 1), "b": nn.Conv1d(6, 5, 1)})
    sets.add("wrong", "the mean", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x))).mean(1)))))
    sets.add("wrong", "the largest", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x))).amax(1)))))
    sets.add("wrong", "summed at the end", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x)))))).sum(1))
    sets.add("wrong", "summed at once", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x.sum(1))))))))
    sets.add("wrong", "flat", lambda m, x: m.o(relu(m.c(m.b(relu(m.a(x.flatten(1))))))), lambda: {**set_parts(), "a": nn.Linear(12, 6)})

    table = torch.from_numpy(_normal(2, 6))
    fourier_parts = lambda: {"f": table.clone(), "a": nn.Linear(12, 6), "o": nn.Linear(6, 3)}  # noqa: E731

    def fourier_of(m: Any, x: Any) -> Any:
        z = 2 * np.pi * x @ m.f
        return m.o(relu(m.a(cat([torch.sin(z), torch.cos(z)], -1))))

    fourier = Network(_normal(24, 2), fourier_parts, fourier_of)
    fourier.add("right", "a frozen parameter", None, lambda: {**fourier_parts(), "f": nn.Parameter(table.clone(), requires_grad=False)})
    fourier.add("right", "a frozen Linear", lambda m, x: (lambda z: m.o(relu(m.a(cat([z.sin(), z.cos()], -1)))))(m.f(2 * torch.pi * x)), lambda: {**fourier_parts(), "f": _filled(nn.Linear(2, 6, bias=False), table.T).requires_grad_(False)})
    fourier.add("right", "einsum", lambda m, x: (lambda z: m.o(F.relu(m.a(cat((torch.sin(z), torch.cos(z)), 1)))))(torch.einsum("nk,kf->nf", x, m.f) * (2 * np.pi)))
    fourier.add("right", "cosines first", lambda m, x: (lambda z: m.o(relu(m.a(cat([z.cos(), z.sin()], 1)))))(2 * np.pi * (x @ m.f)))
    fourier.add("right", "two Linears", lambda m, x: (lambda z: m.o(relu(m.s(z.sin()) + m.c(z.cos()))))(2 * np.pi * (x @ m.f)), lambda: {"f": table.clone(), "c": nn.Linear(6, 6, bias=False), "s": nn.Linear(6, 6), "o": nn.Linear(6, 3)})
    fourier.add("right", "stacked", lambda m, x: (lambda z: m.o(relu(m.a(torch.stack([z.sin(), z.cos()], -1).flatten(1)))))(2 * np.pi * (x @ m.f)))
    fourier.add("wrong", "without 2π", lambda m, x: (lambda z: m.o(relu(m.a(cat([z.sin(), z.cos()], 1)))))(x @ m.f))
    fourier.add("wrong", "trained", None, lambda: {**fourier_parts(), "f": nn.Parameter(table.clone())})
    fourier.add("wrong", "sines alone", lambda m, x: (lambda z: m.o(relu(m.a(cat([z.sin(), z.sin()], 1)))))(2 * np.pi * (x @ m.f)))
    fourier.add("wrong", "no features", lambda m, x: m.o(relu(m.a(x))), lambda: {"a": nn.Linear(2, 6), "o": nn.Linear(6, 3)})
    fourier.add("wrong", "no activation", lambda m, x: (lambda z: m.o(m.a(cat([z.sin(), z.cos()], 1))))(2 * np.pi * (x @ m.f)))

    expert_parts = lambda: {"g": nn.Linear(5, 3), "e": nn.ModuleList([nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(3)])}  # noqa: E731
    experts = Network(_normal(24, 5), expert_parts, lambda m, x: (torch.softmax(m.g(x), 1).unsqueeze(-1) * torch.stack([e(x) for e in m.e], 1)).sum(1))
    experts.add("right", "a loop", lambda m, x: (lambda w: sum(w[:, i : i + 1] * e(x) for i, e in enumerate(m.e)))(F.softmax(m.g(x), -1)))
    experts.add("right", "einsum", lambda m, x: torch.einsum("nk,nko->no", m.g(x).softmax(1), torch.stack([e(x) for e in m.e], dim=1)))
    experts.add("right", "batched matrices", lambda m, x: (lambda h: torch.einsum("nk,nko->no", m.g(x).softmax(1), torch.einsum("nkh,kho->nko", h, m.v) + m.d))(relu(torch.einsum("ni,kih->nkh", x, m.u) + m.c)), lambda: {"g": nn.Linear(5, 3), "u": own(3, 5, 4), "c": own(3, 4), "v": own(3, 4, 2), "d": own(3, 2)})
    experts.add("right", "experts counted from the end", lambda m, x: (lambda w: sum(w[:, 2 - i, None] * m.e[i](x) for i in range(3)))(torch.softmax(m.g(x), 1)))
    experts.add("right", "one wide first layer", lambda m, x: (lambda w, h: sum(w[:, i, None] * o(h[:, 4 * i : 4 * i + 4]) for i, o in enumerate(m.o)))(m.g(x).softmax(1), relu(m.f(x))), lambda: {"f": nn.Linear(5, 12), "o": nn.ModuleList([nn.Linear(4, 2) for _ in range(3)]), "g": nn.Linear(5, 3)})
    experts.add("right", "bmm", lambda m, x: torch.bmm(m.g(x).softmax(1).unsqueeze(1), torch.stack([e(x) for e in m.e], 1)).squeeze(1))
    experts.add("wrong", "the mean", lambda m, x: torch.stack([e(x) for e in m.e], 1).mean(1) + 0 * m.g(x)[:, :1])
    experts.add("wrong", "sigmoid gates", lambda m, x: (sigmoid(m.g(x)).unsqueeze(-1) * torch.stack([e(x) for e in m.e], 1)).sum(1))
    experts.add("wrong", "one expert three times", lambda m, x: (torch.softmax(m.g(x), 1).unsqueeze(-1) * torch.stack([m.e[0](x)] * 3, 1)).sum(1))
    experts.add("wrong", "softmax over the batch's features", lambda m, x: (torch.softmax(torch.stack([e(x) for e in m.e], 1), 1) * m.g(x).unsqueeze(-1)).sum(1))
    experts.add("wrong", "two experts", None, lambda: {"g": nn.Linear(5, 2), "e": nn.ModuleList([nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2)])})
    return {"highway": highway, "DeepSets": sets, "Fourier features": fourier, "mixture of experts": experts}


def _of_more_tables() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    relu, cat = torch.relu, torch.cat
    vae_parts = lambda: {"h": nn.Linear(6, 5), "u": nn.Linear(5, 2), "v": nn.Linear(5, 2), "d": nn.Linear(2, 5), "o": nn.Linear(5, 6)}  # noqa: E731

    def vae_of(m: Any, x: Any) -> Any:
        h = relu(m.h(x))
        u, v = m.u(h), m.v(h)
        z = u + torch.exp(0.5 * v) * torch.randn_like(u) if m.training else u
        return torch.sigmoid(m.o(relu(m.d(z)))), u, v

    def vae_fused(m: Any, x: Any) -> Any:
        u, v = m.uv(F.relu(m.h(x))).chunk(2, -1)
        z = u + (v / 2).exp() * torch.randn_like(u) if m.training else u
        return m.o(F.relu(m.d(z))).sigmoid(), u, v

    vae = Network(_normal(24, 6), vae_parts, vae_of)
    vae.add("right", "one head", vae_fused, lambda: {"h": nn.Linear(6, 5), "uv": nn.Linear(5, 4), "d": nn.Linear(2, 5), "o": nn.Linear(5, 6)})
    vae.add("right", "the variance first", lambda m, x: (lambda v, u: (torch.sigmoid(m.dec(u)), u, v))(*(lambda h: (m.v(h), m.u(h)))(m.enc(x))), lambda: {"enc": nn.Sequential(nn.Linear(6, 5), nn.ReLU()), "dec": nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 6)), "v": nn.Linear(5, 2), "u": nn.Linear(5, 2)})
    vae.add("right", "a dictionary", lambda m, x: (lambda y, u, v: {"y": y, "mu": u, "logvar": v})(*vae_of(m, x)))
    vae.add("right", "matrices", lambda m, x: (lambda h: (lambda u: (torch.sigmoid(relu(u @ m.d + m.e) @ m.o + m.f), u, h @ m.v + m.w))(h @ m.u + m.c))(relu(m.h(x))), lambda: {"h": nn.Linear(6, 5), "u": own(5, 2), "c": own(2), "v": own(5, 2), "w": own(2), "d": own(2, 5), "e": own(5), "o": own(5, 6), "f": own(6)})
    vae.add("right", "sigmoid by tanh", lambda m, x: (lambda y, u, v: (0.5 * (1 + torch.tanh(torch.logit(y.clamp(1e-9, 1 - 1e-9)) / 2)), u, v))(*vae_of(m, x)))
    vae.add("wrong", "no sigmoid", lambda m, x: (lambda u: (m.o(relu(m.d(u))), u, m.v(relu(m.h(x)))))(m.u(relu(m.h(x)))))
    vae.add("wrong", "one head for both", lambda m, x: (lambda u: (torch.sigmoid(m.o(relu(m.d(u)))), u, u))(m.u(relu(m.h(x)))))
    vae.add("wrong", "an activation of the mean", lambda m, x: (lambda u: (torch.sigmoid(m.o(relu(m.d(u)))), u, m.v(relu(m.h(x)))))(relu(m.u(relu(m.h(x))))))
    vae.add("wrong", "the decoder linear", lambda m, x: (lambda u: (torch.sigmoid(m.o(m.d(u))), u, m.v(relu(m.h(x)))))(m.u(relu(m.h(x)))))
    vae.add("wrong", "one output", lambda m, x: vae_of(m, x)[0])
    vae.add("right", "softplus of the other sign", lambda m, x: (lambda y, u, v: (torch.exp(-F.softplus(-torch.logit(y))), u, v))(*vae_of(m, x)))

    gan_parts = lambda: {"l": nn.Linear(4, 12), "n": nn.BatchNorm1d(12), "a": nn.ConvTranspose2d(3, 4, 2, stride=2), "m2": nn.BatchNorm2d(4), "b": nn.ConvTranspose2d(4, 1, 2, stride=2)}  # noqa: E731

    def gan_of(m: Any, z: Any) -> Any:
        h = relu(m.n(m.l(z))).view(-1, 3, 2, 2)
        return torch.tanh(m.b(F.leaky_relu(m.m2(m.a(h)), 0.2)))

    def shuffled(m: Any, z: Any) -> Any:
        h = relu(m.n(m.l(z))).view(-1, 3, 2, 2)
        h = F.leaky_relu(m.m2(F.pixel_shuffle(m.a(h), 2) + m.c[:, None, None]), 0.2)
        return torch.tanh(m.b(h))

    gan = Network(_normal(24, 4), gan_parts, gan_of)
    gan.add("right", "a Sequential", lambda m, z: m.s(z), lambda: {"s": nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12), nn.ReLU(True), nn.Unflatten(1, (3, 2, 2)), nn.ConvTranspose2d(3, 4, 2, 2), nn.BatchNorm2d(4), nn.LeakyReLU(0.2, True), nn.ConvTranspose2d(4, 1, 2, 2), nn.Tanh())})
    gan.add("right", "pixel shuffle", shuffled, lambda: {**gan_parts(), "a": nn.Conv2d(3, 16, 1, bias=False), "c": own(4)})
    gan.add("right", "no bias before the normalization", None, lambda: {**gan_parts(), "a": nn.ConvTranspose2d(3, 4, 2, stride=2, bias=False)})
    gan.add("right", "the first as a transposed convolution", lambda m, z: (lambda h: torch.tanh(m.b(F.leaky_relu(m.m2(m.a(h)), 0.2))))(relu(m.n(m.l(z[:, :, None, None]).flatten(1))).view(-1, 3, 2, 2)), lambda: {**gan_parts(), "l": nn.Conv2d(4, 12, 1)})
    gan.add("right", "leaky by maximum", lambda m, z: (lambda y: torch.tanh(m.b(torch.maximum(y, 0.2 * y))))(m.m2(m.a(relu(m.n(m.l(z))).reshape(-1, 3, 2, 2)))))
    gan.add("right", "einsum", lambda m, z: (lambda h: torch.tanh(m.b(F.leaky_relu(m.m2(torch.einsum("nchw,coij->nohiwj", h, m.w).reshape(-1, 4, 4, 4) + m.c[:, None, None]), 0.2))))(relu(m.n(m.l(z))).view(-1, 3, 2, 2)), lambda: {**_without(gan_parts(), "a"), "w": own(3, 4, 2, 2), "c": own(4)})
    gan.add("wrong", "sigmoid", lambda m, z: torch.sigmoid(m.b(F.leaky_relu(m.m2(m.a(relu(m.n(m.l(z))).view(-1, 3, 2, 2))), 0.2))))
    gan.add("wrong", "another slope", lambda m, z: torch.tanh(m.b(F.leaky_relu(m.m2(m.a(relu(m.n(m.l(z))).view(-1, 3, 2, 2)))))))
    gan.add("wrong", "relu", lambda m, z: torch.tanh(m.b(relu(m.m2(m.a(relu(m.n(m.l(z))).view(-1, 3, 2, 2)))))))
    gan.add("wrong", "the second not normalized", lambda m, z: torch.tanh(m.b(F.leaky_relu(m.a(relu(m.n(m.l(z))).view(-1, 3, 2, 2)), 0.2))))
    gan.add("wrong", "not normalized first", lambda m, z: torch.tanh(m.b(F.leaky_relu(m.m2(m.a(m.n(relu(m.l(z))).view(-1, 3, 2, 2))), 0.2))))

    graph_parts = lambda: {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}  # noqa: E731
    nodes = [_normal(16, 4, 3), np.abs(_normal(16, 4, 4))]
    graph = Network(nodes, graph_parts, lambda m, x, e: e @ m.b(relu(e @ m.a(x))))
    graph.add("right", "bmm", lambda m, x, e: torch.bmm(e, m.b(F.relu(torch.bmm(e, m.a(x))))))
    graph.add("right", "einsum", lambda m, x, e: torch.einsum("nij,njd->nid", e, m.b(relu(torch.einsum("nij,njd->nid", e, m.a(x))))))
    graph.add("right", "matrices", lambda m, x, e: e @ (relu(e @ (x @ m.w + m.c)) @ m.u + m.d), lambda: {"w": own(3, 5), "c": own(5), "u": own(5, 2), "d": own(2)})
    graph.add("right", "a convolution of width 1", lambda m, x, e: e @ m.b(relu(e @ m.a(x.mT).mT).mT).mT, lambda: {"a": nn.Conv1d(3, 5, 1), "b": nn.Conv1d(5, 2, 1)})
    graph.add("right", "sums over neighbors", lambda m, x, e: (e.unsqueeze(-1) * m.b(relu((e.unsqueeze(-1) * m.a(x).unsqueeze(1)).sum(2))).unsqueeze(1)).sum(2))
    graph.add("right", "the bias after the neighbors", lambda m, x, e: e @ (relu((e @ x) @ m.w + e.sum(-1, keepdim=True) * m.c) @ m.u + m.d), lambda: {"w": own(3, 5), "c": own(5), "u": own(5, 2), "d": own(2)})
    graph.add("wrong", "the neighbors once", lambda m, x, e: m.b(relu(e @ m.a(x))))
    graph.add("wrong", "no activation", lambda m, x, e: e @ m.b(e @ m.a(x)))
    graph.add("wrong", "the edges turned", lambda m, x, e: e.mT @ m.b(relu(e.mT @ m.a(x))))
    graph.add("wrong", "the bias not passed on", lambda m, x, e: m.b(e @ relu(m.a(e @ x))))
    graph.add("wrong", "itself added", lambda m, x, e: (e + torch.eye(4)) @ m.b(relu((e + torch.eye(4)) @ m.a(x))))

    tower = lambda: {"a": nn.Linear(4, 6), "b": nn.Linear(6, 3), "o": nn.Linear(3, 1)}  # noqa: E731
    inner = lambda m, x: m.b(torch.tanh(m.a(x)))  # noqa: E731
    pairs = [_normal(24, 4), _normal(24, 4)]
    siamese = Network(pairs, tower, lambda m, x, y: m.o(torch.abs(inner(m, x) - inner(m, y))))
    siamese.add("right", "both in one batch", lambda m, x, y: (lambda z: m.o((z[:, 0] - z[:, 1]).abs()))(inner(m, torch.stack([x, y], 1))))
    siamese.add("right", "the other difference", lambda m, x, y: m.o((inner(m, y) - inner(m, x)).abs()))
    siamese.add("right", "a Sequential", lambda m, x, y: m.o(torch.abs(m.t(x) - m.t(y))), lambda: {"o": nn.Linear(3, 1), "t": nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))})
    siamese.add("right", "no bias of the tower", lambda m, x, y: m.o(((torch.tanh(m.a(x)) - torch.tanh(m.a(y))) @ m.w).abs()), lambda: {"a": nn.Linear(4, 6), "w": own(6, 3), "o": nn.Linear(3, 1)})
    siamese.add("right", "the root of squares", lambda m, x, y: m.o(torch.maximum(inner(m, x) - inner(m, y), inner(m, y) - inner(m, x))))
    siamese.add("right", "functional", lambda m, x, y: (lambda f: F.linear(torch.abs(f(x) - f(y)), m.v, m.d))(lambda z: F.linear(torch.tanh(F.linear(z, m.w, m.c)), m.u, m.e)), lambda: {"v": own(1, 3), "d": own(1), "w": own(6, 4), "c": own(6), "u": own(3, 6), "e": own(3)})
    siamese.add("wrong", "two towers", lambda m, x, y: m.o(torch.abs(inner(m, x) - m.b2(torch.tanh(m.a2(y))))), lambda: {**tower(), "a2": nn.Linear(4, 6), "b2": nn.Linear(6, 3)})
    siamese.add("wrong", "squares", lambda m, x, y: m.o((inner(m, x) - inner(m, y)) ** 2))
    siamese.add("wrong", "no absolute value", lambda m, x, y: m.o(inner(m, x) - inner(m, y)))
    siamese.add("wrong", "the sum", lambda m, x, y: m.o(torch.abs(inner(m, x) + inner(m, y))))
    siamese.add("wrong", "the product", lambda m, x, y: m.o(inner(m, x) * inner(m, y)))

    flow_parts = lambda: {"s1": nn.Linear(2, 5), "s2": nn.Linear(5, 2), "t1": nn.Linear(2, 5), "t2": nn.Linear(5, 2)}  # noqa: E731

    def flow_of(m: Any, x: Any) -> Any:
        a, b = x.chunk(2, 1)
        s, t = torch.tanh(m.s2(relu(m.s1(a)))), m.t2(relu(m.t1(a)))
        return cat([a, b * torch.exp(s) + t], 1), s.sum(1)

    def of_one_net(m: Any, x: Any) -> Any:
        a, b = x[:, :2], x[:, 2:]
        h = F.relu(m.f(a))
        s, t = m.s2(h[:, :5]).tanh(), m.t2(h[:, 5:])
        return torch.hstack((a, torch.addcmul(t, b, s.exp()))), s.sum(-1)

    def masked(m: Any, x: Any) -> Any:
        mask = torch.tensor([1.0, 1.0, 0.0, 0.0])
        a = (x * mask)[:, :2]
        s, t = torch.tanh(m.s(a)), m.t(a)
        s4, t4 = F.pad(s, (2, 0)), F.pad(t, (2, 0))
        return mask * x + (1 - mask) * (x * s4.exp() + t4), s4.sum(1)

    flow = Network(_normal(24, 4), flow_parts, flow_of)
    flow.add("right", "one first layer", of_one_net, lambda: {"f": nn.Linear(2, 10), "t2": nn.Linear(5, 2), "s2": nn.Linear(5, 2)})
    flow.add("right", "a mask", masked, lambda: {"t": nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2)), "s": nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2))})
    flow.add("right", "matrices", lambda m, x: (lambda a, b: (lambda s, t: (cat([a, b * s.exp() + t], 1), s.sum(1)))(torch.tanh(relu(a @ m.w + m.c) @ m.u + m.d), m.t2(relu(m.t1(a)))))(x[:, :2], x[:, 2:]), lambda: {"w": own(2, 5), "c": own(5), "u": own(5, 2), "d": own(2), "t1": nn.Linear(2, 5), "t2": nn.Linear(5, 2)})
    flow.add("right", "the logarithm of the product", lambda m, x: (lambda y, s: (y, torch.log(torch.exp(s))))(*flow_of(m, x)))
    flow.add("right", "the shift first", lambda m, x: (lambda a, b: (lambda t, s: (torch.cat((a, t + s.exp() * b), dim=1), torch.einsum("ns->n", s)))(m.t2(F.relu(m.t1(a))), m.s2(F.relu(m.s1(a))).tanh()))(*x.split(2, 1)))
    flow.add("right", "half by half", lambda m, x: (lambda a: (lambda s, t: (torch.stack([x[:, 0], x[:, 1], x[:, 2] * s[:, 0].exp() + t[:, 0], x[:, 3] * s[:, 1].exp() + t[:, 1]], 1), s[:, 0] + s[:, 1]))(torch.tanh(m.s2(relu(m.s1(a)))), m.t2(relu(m.t1(a)))))(x[:, :2]))
    flow.add("wrong", "no tanh", lambda m, x: (lambda a, b: (lambda s, t: (cat([a, b * s.exp() + t], 1), s.sum(1)))(m.s2(relu(m.s1(a))), m.t2(relu(m.t1(a)))))(x[:, :2], x[:, 2:]))
    flow.add("wrong", "the shift scaled", lambda m, x: (lambda a, b: (lambda s, t: (cat([a, (b + t) * s.exp()], 1), s.sum(1)))(torch.tanh(m.s2(relu(m.s1(a)))), m.t2(relu(m.t1(a)))))(x[:, :2], x[:, 2:]))
    flow.add("wrong", "halves exchanged", lambda m, x: (lambda a, b: (lambda s, t: (cat([b * s.exp() + t, a], 1), s.sum(1)))(torch.tanh(m.s2(relu(m.s1(a)))), m.t2(relu(m.t1(a)))))(x[:, :2], x[:, 2:]))
    flow.add("wrong", "the determinant's sign", lambda m, x: (lambda y, s: (y, -s))(*flow_of(m, x)))
    flow.add("wrong", "not exponential", lambda m, x: (lambda a, b: (lambda s, t: (cat([a, b * (1 + s) + t], 1), s.sum(1)))(torch.tanh(m.s2(relu(m.s1(a)))), m.t2(relu(m.t1(a)))))(x[:, :2], x[:, 2:]))
    return {"VAE": vae, "GAN generator": gan, "graph convolution": graph, "Siamese": siamese, "normalizing flow": flow}


def _filled(layer: Any, weight: Any) -> Any:
    import torch

    with torch.no_grad():
        layer.weight.copy_(weight)
    return layer


def _without(parts: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if key != name}


def _called(layer: Any, size: int) -> Any:
    import torch

    layer(torch.zeros(2, size))
    return layer


def _hooked(layer: Any, function: Any) -> Any:
    layer.register_forward_hook(lambda _, __, output: function(output))
    return layer


def _shuffling(channels: int) -> Any:
    """The kernel that moves channels to the places of a picture that is twice as large."""
    import torch

    kernel = torch.zeros(channels, channels // 4, 2, 2)
    for place in range(channels):
        kernel[place, place // 4, place % 4 // 2, place % 2] = 1
    return kernel


def _joining(inner: Any) -> Any:
    import torch

    return module(lambda m, x: torch.cat([x, m.inner(x)], 1), inner=inner)
