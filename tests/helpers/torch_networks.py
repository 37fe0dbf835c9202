"""Twenty-four networks of PyTorch courses, each as it is asked, as students write it, and as they get it wrong.

Everything here imports PyTorch when a function is called: a machine without it collects the tests that use these.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

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
    own = lambda *shape: nn.Parameter(torch.randn(*shape) * 0.3)  # noqa: E731
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
    dense.add("right", "a Sequential", lambda m, x: m.t(m.s2(m.s1(x))), lambda: {"s1": _Joining(nn.Sequential(conv(3, 4, 3, padding=1), nn.ReLU())), "s2": _Joining(nn.Sequential(nn.BatchNorm2d(7), conv(7, 4, 3, padding="same"), nn.ReLU())), "t": conv(11, 5, 1)})
    dense.add("right", "split kernels", lambda m, x: (lambda a: (lambda y: m.t(cat([y, relu(m.bx(m.n(y)[:, :3]) + m.ba(m.n(y)[:, 3:]))], 1)))(cat([x, a], 1)))(relu(m.a(x))), lambda: {"bx": conv(3, 4, 3, padding=1), "ba": conv(4, 4, 3, padding=1, bias=False), "a": conv(3, 4, 3, padding=1), "n": nn.BatchNorm2d(7), "t": conv(11, 5, 1)})
    dense.add("right", "own normalization", lambda m, x: (lambda y: m.t(cat([y, F.relu(m.b(F.batch_norm(y, m.mean, m.var, m.g, m.h)))], 1)))(cat([x, F.relu(m.a(x))], 1)), lambda: {"a": conv(3, 4, 3, padding=1), "b": conv(7, 4, 3, padding=1), "g": own(7), "h": own(7), "t": conv(11, 5, 1), **{}} | {"mean": _buffer(torch.zeros(7)), "var": _buffer(torch.ones(7))})
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
    shuffle.add("right", "transposed convolution", lambda m, x: F.conv_transpose2d(m.b(torch.tanh(m.a(x))), m.k, stride=2), lambda: {"a": conv(2, 5, 3, padding=1), "b": conv(5, 8, 3, padding=1), "k": _buffer(_shuffling(8))})
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
    own = lambda *shape: nn.Parameter(torch.randn(*shape) * 0.3)  # noqa: E731
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


def _without(parts: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if key != name}


def _called(layer: Any, size: int) -> Any:
    import torch

    layer(torch.zeros(2, size))
    return layer


def _hooked(layer: Any, function: Any) -> Any:
    layer.register_forward_hook(lambda _, __, output: function(output))
    return layer


class _Buffer:
    """A tensor that a module holds as a buffer."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


def _buffer(tensor: Any) -> Any:
    """A tensor that becomes a plain attribute of a module, and a constant of its graph."""
    return tensor


def _shuffling(channels: int) -> Any:
    """The kernel that moves channels to the places of a picture that is twice as large."""
    import torch

    kernel = torch.zeros(channels, channels // 4, 2, 2)
    for place in range(channels):
        kernel[place, place // 4, place % 4 // 2, place % 2] = 1
    return kernel


def _Joining(inner: Any) -> Any:  # noqa: N802
    import torch

    return module(lambda m, x: torch.cat([x, m.inner(x)], 1), inner=inner)
