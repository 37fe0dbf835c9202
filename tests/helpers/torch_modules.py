"""Modules of PyTorch as students write them, each with rows that it takes and the layers that it amounts to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.codec import decode, encode
from autograder.extensions.networks.input_shapes import of_rows
from autograder.extensions.pytorch.kernel_side import torch_model
from autograder.models import rebuild

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(6, 4)).astype("float32")
PICTURES = DRAW.normal(size=(6, 3, 8, 8)).astype("float32")
SERIES = DRAW.normal(size=(6, 5, 4)).astype("float32")
WORDS = DRAW.integers(0, 9, (6, 5))

Forward = Callable[[Any, Any], Any]


def module(forward: Callable[..., Any], **parts: Any) -> Any:
    """A module with these parts whose ``forward`` is a function of the module and its inputs."""
    from torch import nn

    made = type("Own", (nn.Module,), {"forward": forward})()
    for name, part in parts.items():
        setattr(made, name, part)
    return made


def drawn(*shape: int) -> Any:
    """A parameter of small random numbers."""
    import torch

    return torch.nn.Parameter(torch.randn(*shape) * 0.3)


def network_of(module: Any, rows: Any) -> Any:
    """The network that an examiner rebuilds of a module."""
    packed = encode(list(torch_model.claim(module, of_rows(rows))))
    return rebuild(*decode(packed.text, packed.buffers))


def modules() -> dict[str, tuple[Any, Any, str]]:
    """Name → the module, rows, and its layers."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(0)

    def cnn(own: Any, x: Any) -> Any:
        x = own.pool(F.relu(own.first(x)))
        x = own.pool(F.relu(own.second(x)))
        return own.out(own.drop(torch.flatten(x, 1)))

    def residual(own: Any, x: Any) -> Any:
        return own.out(x + own.inner(x))

    def blocks(own: Any, x: Any) -> Any:
        y = F.relu(own.norm(own.conv(x)))
        y = F.relu(y + own.again(y))
        return own.out(own.pool(y).view(y.size(0), -1))

    def words(own: Any, x: Any) -> Any:
        _, (hidden, _) = own.loop(own.words(x))
        return own.out(hidden[-1])

    def words_without_loop(own: Any, x: Any) -> Any:
        return own.out(own.words(x).mean(dim=1))

    def transformer(own: Any, x: Any) -> Any:
        q, k, v = own.q(x), own.k(x), own.v(x)
        scores = torch.softmax(q @ k.transpose(-2, -1) / 4**0.5, dim=-1)
        return own.out(own.norm(x + scores @ v)[:, 0])

    def scaled(own: Any, x: Any) -> Any:
        return torch.sigmoid(own.out(x) * own.scale + own.shift)

    def two(own: Any, x: Any, y: Any) -> Any:
        return own.out(torch.cat([own.a(x), own.b(y)], dim=1))

    def clever(own: Any, x: Any) -> Any:
        x = torch.where(x > 0, x, 0.1 * x).clamp(-3, 3)
        return own.out(x.unsqueeze(1).squeeze(1)).log_softmax(-1)

    conv = nn.Conv2d
    chain = [nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)]
    encoder = nn.Sequential(nn.Linear(4, 2), nn.Tanh())
    return {
        "Sequential": (
            nn.Sequential(*chain),
            ROWS,
            "Dense(units=8, activation=relu) → Dropout(rate=0.2) → Dense(units=3)",
        ),
        "softmax": (
            nn.Sequential(nn.Linear(4, 3, bias=False), nn.Softmax(dim=1)),
            ROWS,
            "Dense(units=3, activation=softmax)",
        ),
        "convolutions": (
            module(
                cnn,
                first=conv(3, 4, 3, padding=1),
                second=conv(4, 6, 3, stride=1, padding="same"),
                pool=nn.MaxPool2d(2),
                drop=nn.Dropout(0.5),
                out=nn.Linear(24, 3),
            ),
            PICTURES,
            "",
        ),
        "strided": (
            nn.Sequential(conv(3, 4, 3, stride=2, padding=1), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(64, 3)),
            PICTURES,
            "",
        ),
        "depthwise": (
            nn.Sequential(conv(3, 6, 3, groups=3, bias=False), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            PICTURES,
            "",
        ),
        "residual": (
            module(residual, inner=nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4)), out=nn.Linear(4, 3)),
            ROWS,
            "",
        ),
        "blocks": (
            module(
                blocks,
                conv=conv(3, 4, 3, padding=1, bias=False),
                norm=nn.BatchNorm2d(4),
                again=nn.Sequential(conv(4, 4, 1), nn.BatchNorm2d(4), nn.Dropout2d(0.1)),
                pool=nn.AdaptiveAvgPool2d((1, 1)),
                out=nn.Linear(4, 3),
            ),
            PICTURES,
            "",
        ),
        "group norm": (nn.Sequential(conv(3, 4, 3), nn.GroupNorm(2, 4), nn.ELU(), nn.Flatten()), PICTURES, ""),
        "one dimension": (nn.Sequential(nn.Conv1d(5, 4, 2), nn.ReLU(), nn.MaxPool1d(3), nn.Flatten()), SERIES, ""),
        "normalized": (
            nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 6), nn.LayerNorm(6), nn.SiLU(), nn.Linear(6, 1)),
            ROWS,
            "",
        ),
        "LSTM": (
            module(words, words=nn.Embedding(9, 4), loop=nn.LSTM(4, 3, batch_first=True), out=nn.Linear(3, 2)),
            WORDS,
            "",
        ),
        "GRU": (
            module(
                lambda own, x: own.out(own.loop(x)[0][:, -1]),
                loop=nn.GRU(4, 3, 2, batch_first=True),
                out=nn.Linear(3, 2),
            ),
            SERIES,
            "",
        ),
        "words": (module(words_without_loop, words=nn.Embedding(9, 4), out=nn.Linear(4, 2)), WORDS, ""),
        "attention": (
            module(
                transformer,
                q=nn.Linear(4, 4),
                k=nn.Linear(4, 4),
                v=nn.Linear(4, 4),
                norm=nn.LayerNorm(4),
                out=nn.Linear(4, 2),
            ),
            SERIES,
            "",
        ),
        "parameter": (
            module(scaled, out=nn.Linear(4, 3), scale=nn.Parameter(torch.ones(3)), shift=torch.full((3,), 0.5)),
            ROWS,
            "",
        ),
        "positions": (
            module(
                lambda own, x: own.out((own.words(x) + own.places(torch.arange(5).unsqueeze(0))).mean(1)),
                words=nn.Embedding(9, 4),
                places=nn.Embedding(5, 4),
                out=nn.Linear(4, 2),
            ),
            WORDS,
            "",
        ),
        "autoencoder": (nn.Sequential(encoder, nn.Linear(2, 4)), ROWS, ""),
        "two inputs": (module(two, a=nn.Linear(4, 3), b=nn.Linear(4, 3), out=nn.Linear(6, 2)), [ROWS, ROWS + 1], ""),
        "where": (module(clever, out=nn.Linear(4, 3)), ROWS, ""),
        "double": (nn.Sequential(nn.Linear(4, 3)).double(), ROWS, "Dense(units=3)"),
        "twice": (module(lambda own, x: own.a(torch.relu(own.a(x))), a=nn.Linear(4, 4)), ROWS, ""),
    }
