"""A piece that is the activation on the points that somebody would draw, and another function elsewhere, has no name."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o
from helpers.remote_models import recorded
from helpers.torch_modules import PICTURES, ROWS, module, network_of

from autograder import check
from autograder.codec import decode, encode
from autograder.extensions.pytorch.kernel_side import torch_model
from autograder.models import RefusedModel, rebuild
from autograder.records.checks import Outcome

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

DODGES = {
    "an interval": "torch.where((h > 1000) & (h < 1001), torch.sin(h), relu(h))",
    "a bump": "relu(h) + relu(1 - (h - 1000.5).abs() * 1000)",
    "a bump of a square": "relu(h) + 50 * relu(1 - (h * (h - 2000) + 1000000.0))",
    "a bell": "relu(h) + torch.exp(-((h - 777.0) ** 2) * 1e4)",
    "behind many waves": "relu(h) + relu(1 - (h - 1000.5).abs() * 1000) + 0 * torch.sin(h * 1e3)",
    "a remainder": "relu(h) + 0.5 * relu(h.remainder(977.0) - 976.9)",
    "one whole number": "relu(h) + (h.floor() == 4711) * 1.0",
    "one number": "relu(h) + (h == 3.25) * 7.0",
    "one number of single precision": "relu(h) + (1 - torch.sign((h - 0.1).abs())) * 7.0",
    "above the usual": "torch.where(h > 1e9, h.new_zeros(()), relu(h))",
    "far above": "torch.where(h > 1e30, torch.sin(h), relu(h))",
    "near zero": "torch.where(h < 1e-14, relu(h), relu(h) + (h < 2e-14) * 1.0)",
    "rounding": "relu(h) + ((h + 1e8) - 1e8 - h) * 1000",
    "one channel": "torch.cat([relu(h[:, :7]), torch.sin(h[:, 7:])], 1)",
    "the sum of a row": "relu(h) + relu(1 - (h.sum(1, keepdim=True) - 1000).abs() * 10)",
    "two numbers of a row": "relu(h) + relu(1e-3 - (h[:, :1] - 5).abs() - (h[:, 1:2] - 9).abs())",
    "its neighbor": "relu(h) + relu(1e-3 - (h - 5).abs() - (h.roll(1, 1) - 9).abs())",
    "a table of slopes": "torch.where(h > 0, h, h * table)",
}
CONTROLS = ("torch.where(h > 0, relu(h), 0 * h)", "relu(h) + relu(-h) * 0.0", "relu(h).roll(1, 1).roll(-1, 1)")


def network(code: str) -> Any:
    import torch
    from torch import nn

    names = {"torch": torch, "relu": torch.relu, "table": torch.tensor([1e-9, 0, 0, 0, 0.5, 0, 0, 0])}
    forward = lambda own, x: own.out(eval(code, {**names, "h": own.hidden(x)}))  # noqa: E731
    return network_of(module(forward, hidden=nn.Linear(4, 8), out=nn.Linear(8, 3)), ROWS)


@pytest.mark.parametrize("code", DODGES.values(), ids=DODGES)
def test_a_piece_that_differs_where_few_look_is_not_the_activation(code: str) -> None:
    for _ in range(3):  # the points are drawn anew
        read = network(code)
        found = recorded(lambda read=read: check.architecture(read, [check.dense(8, "relu"), check.dense(3)]))
        assert found.outcome is Outcome.FAILED


def test_a_network_that_computes_with_the_number_of_rows_is_not_read() -> None:
    with pytest.raises(RefusedModel, match="computes with the number of rows"):
        network("relu(h) + (h.shape[0] // 4096) * h")


@pytest.mark.parametrize("code", CONTROLS)
def test_control_the_same_operators_in_an_honest_piece(code: str) -> None:
    found = recorded(lambda: check.architecture(network(code), [check.dense(8, "relu"), check.dense(3)]))
    assert found.outcome is Outcome.PASSED, found.message


KERAS = {
    "an interval": lambda h: o.where((h > 1000) & (h < 1001), o.sin(h), o.relu(h)),
    "a bump": lambda h: o.relu(h) + o.relu(1 - o.abs(h - 1000.5) * 1000),
    "one number": lambda h: o.relu(h) + o.cast(o.equal(h, 3.25), "float32") * 7.0,
    "far above": lambda h: o.where(h > 1e30, o.sin(h), o.relu(h)),
    "a channel": lambda h: o.relu(h) + o.cast(h > 0, "float32") * np.array([0, 0, 0, 1], "float32"),
}


@pytest.mark.parametrize("make", KERAS.values(), ids=KERAS)
def test_so_it_is_of_keras(make: Any) -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, L.Dense(2)(make(L.Dense(4)(inputs))))
    found = recorded(lambda: check.architecture(model, [check.dense(4, "relu"), check.dense(2)]))
    assert found.outcome is Outcome.FAILED


# --- the names of modules --------------------------------------------------------------------------------


def shuffled(forward: Any) -> Any:
    """The network of a kernel in which the layer's own ``forward`` was exchanged."""
    from torch import nn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.PixelShuffle, "forward", forward)
        return network_of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.PixelShuffle(2)), PICTURES)


def is_named(read: Any, **settings: Any) -> bool:
    pattern = [check.layer("Conv2d"), check.layer("PixelShuffle", **settings)]
    return recorded(lambda: check.architecture(read, pattern)).outcome is Outcome.PASSED


def test_a_module_of_another_forward_has_no_name() -> None:
    import torch
    import torch.nn.functional as F

    hidden = torch.nn.Linear(8, 8)

    def gated(own: Any, x: Any) -> Any:
        """The layer on all numbers of usual size, and a network of its own beside it."""
        beside = hidden(torch.relu(x.flatten(1)[:, :8] - 1e6)).sum(1).reshape(-1, 1, 1, 1)
        return F.pixel_shuffle(x, 2) + beside - hidden.bias.sum()

    assert not is_named(shuffled(gated))
    assert not is_named(shuffled(lambda own, x: F.pixel_shuffle(x, 2) + 1))
    right = shuffled(lambda own, x: F.pixel_shuffle(x, 2))
    assert is_named(right, upscale_factor=2)
    assert not is_named(right, upscale_factor=3)


def claimed(change: Any) -> Any:
    """The network of a claim whose modules were changed."""
    from torch import nn

    packed = encode(list(torch_model.claim(nn.Sequential(nn.Conv2d(3, 8, 3), nn.PixelShuffle(2)), shapes())))
    claim, arrays = decode(packed.text, packed.buffers)
    change(claim["graph"]["modules"])
    return rebuild(claim, arrays)


def shapes() -> Any:
    return {"shape": [3, 8, 8], "dtype": ""}


LIES = {
    "another layer": lambda modules: modules[1].update(
        {"class": "PixelUnshuffle", "settings": {"downscale_factor": 2}}
    ),
    "another factor": lambda modules: modules[1].update(settings={"upscale_factor": 1}),
    "a huge factor": lambda modules: modules[1].update(settings={"upscale_factor": 2**39}),
    "a layer of many": lambda modules: modules[1].update(
        {"class": "Transformer", "settings": {"num_encoder_layers": 2**39}}
    ),
    "more operators": lambda modules: modules[1].update(values=modules[0]["values"] + modules[1]["values"]),
    "no operators": lambda modules: modules[1].update(values=[]),
}


@pytest.mark.parametrize("change", LIES.values(), ids=LIES)
def test_a_lie_about_a_module_names_nothing(change: Any) -> None:
    read = claimed(change)
    assert not is_named(read, upscale_factor=2)
    for kind in ("PixelUnshuffle", "Transformer"):
        found = recorded(lambda kind=kind: check.architecture(read, [check.layer("Conv2d"), check.layer(kind)]))
        assert found.outcome is Outcome.FAILED


REFUSED = {
    "no class": lambda modules: modules[1].update({"class": "system"}),
    "a path": lambda modules: modules[1].update({"class": "modules.linear.Linear"}),
    "code": lambda modules: modules[1].update(settings={"upscale_factor": {"value": 1}}),
    "deep": lambda modules: modules[1].update(settings={"a": [[[[[[1]]]]]] * 9}),
    "an unknown value": lambda modules: modules[1].update(values=[10**6]),
    "a number for a name": lambda modules: modules[1].update(name=3),
    "a list for a module": lambda modules: modules.append([]),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_a_malformed_module_is_refused(change: Any) -> None:
    with pytest.raises(RefusedModel):
        claimed(change)


def test_control_an_honest_module_has_its_name() -> None:
    assert is_named(claimed(lambda modules: None), upscale_factor=2)
