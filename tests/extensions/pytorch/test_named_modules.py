"""A pattern may name each layer of ``torch.nn`` that the examiner computes as the student's module does."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import PICTURES, ROWS, SERIES, WORDS, module, network_of

from autograder import check
from autograder.models import RefusedModel
from autograder.records.checks import Outcome, is_undecided

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

VALUES: dict[str, Any] = {
    "in_features": 4, "out_features": 6, "in_channels": 3, "out_channels": 6, "kernel_size": 2, "num_features": 3,
    "num_embeddings": 9, "embedding_dim": 4, "input_size": 4, "hidden_size": 5, "normalized_shape": 4, "num_groups": 1,
    "num_channels": 3, "output_size": 2, "upscale_factor": 2, "downscale_factor": 2, "groups": 3, "padding": 1,
    "value": 0.5, "threshold": 0.1, "norm_type": 2, "size": 2, "embed_dim": 4, "num_heads": 2, "d_model": 4, "nhead": 2,
    "dim": 1, "unflattened_size": (2, 2), "in1_features": 4, "in2_features": 4, "num_layers": 2, "num_classes": 3,
    "dim_feedforward": 8, "num_encoder_layers": 1, "num_decoder_layers": 1, "batch_first": True, "scale_factor": 2,
}  # fmt: skip
"""A setting of each name."""
INPUTS = [
    (PICTURES,), (SERIES,), (ROWS,), (np.random.default_rng(0).normal(size=(6, 3, 4, 4, 4)).astype("float32"),),
    (WORDS,), (ROWS, ROWS), (SERIES, SERIES), (SERIES, SERIES, SERIES),
    (PICTURES.repeat(2, 1)[:, :4],), (np.zeros((6, 12, 9), "float32") + 0.5,),
    (np.random.default_rng(1).normal(size=(6, 3, 8)).astype("float32"),),
]  # fmt: skip
"""Inputs of which a layer takes one."""


def layers() -> Iterator[str]:
    """Each class of ``torch.nn`` that is a layer: no loss, no container, and none that only learns its sizes later."""
    from torch import nn

    bases = (nn.modules.loss._Loss, nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
    for name, cls in sorted(vars(nn).items()):
        is_layer = inspect.isclass(cls) and issubclass(cls, nn.Module) and not issubclass(cls, bases)
        if is_layer and not name.startswith("Lazy") and not name.endswith("Loss") and cls is not nn.Module:
            yield name


SETTINGS: dict[str, dict[str, Any]] = {
    "Fold": {"output_size": (4, 4)},
    "Transformer": {key: VALUES[key] for key in ("d_model", "nhead", "num_encoder_layers", "num_decoder_layers")},
    "FractionalMaxPool2d": {"output_size": 2},
    "FractionalMaxPool3d": {"output_size": 2},
}
CANNOT = {
    "Bilinear": "an operator that the grader does not compute",
    "RReLU": "an operator that the grader does not compute",
    "FractionalMaxPool2d": "draws at random", "FractionalMaxPool3d": "draws at random",
    "CrossMapLRN2d": "an export needs a fixed number of rows", "FeatureAlphaDropout": "an export leaves it out",
    "MaxUnpool1d": "takes places from another layer", "MaxUnpool2d": "takes places from another layer",
    "MaxUnpool3d": "takes places from another layer", "DataParallel": "read as the module that it wraps",
    "Container": "holds layers", "RNNBase": "a base class", "RNNCellBase": "a base class",
}  # fmt: skip
"""Layer that cannot be asked for → why."""


def made(name: str) -> Any:
    from torch import nn

    cls = getattr(nn, name)
    signatures = [inspect.signature(base.__init__).parameters for base in cls.__mro__]
    parameters = next((found for found in signatures if "args" not in found), {})
    settings = {
        key: VALUES[key]
        for key, p in parameters.items()
        if key in VALUES and (p.default is p.empty or key in ("batch_first", "dim_feedforward", "scale_factor", "dim"))
    }
    if name in ("TransformerEncoder", "TransformerDecoder"):
        kind = "encoder_layer" if name == "TransformerEncoder" else "decoder_layer"
        settings[kind] = getattr(nn, f"{name}Layer")(4, 2, 8, batch_first=True)
    settings |= SETTINGS.get(name, {})
    return cls(**settings).eval()


def first_tensor(given: Any) -> Any:
    while isinstance(given, tuple):
        given = given[0]
    return given


def network(name: str) -> Any:
    """The network that the examiner reads of one layer; an exception if it reads none."""
    import torch

    layer, error = made(name), None
    for arrays in INPUTS:
        try:
            layer(*map(torch.from_numpy, arrays))
        except Exception:
            continue
        wrapped = module(lambda own, *xs: first_tensor(own.part(*xs)), part=layer)
        try:
            return network_of(wrapped, list(arrays) if len(arrays) > 1 else arrays[0])
        except RefusedModel as refused:
            error = refused
    raise error or LookupError("no input fits")


def test_each_layer_of_the_library_can_be_asked_for() -> None:
    from torch import nn

    cannot = {}
    for name in layers():
        try:
            read = network(name)
        except Exception as error:
            cannot[name] = f"{type(error).__name__} {error}"[:150]
            continue
        found = recorded(lambda read=read, name=name: check.architecture(read, [check.layer(getattr(nn, name))]))
        if found.outcome is not Outcome.PASSED:
            cannot[name] = found.message[:150]
    assert cannot.keys() == CANNOT.keys(), cannot


def message(read: Any, *pattern: Any) -> str:
    found = recorded(lambda: check.architecture(read, list(pattern)))
    return (
        "" if found.outcome is Outcome.PASSED else f"person: {found.detail}" if is_undecided(found) else found.message
    )


def test_a_pattern_names_the_outer_layer_or_what_it_consists_of() -> None:
    from torch import nn

    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, activation="gelu")
    read = network_of(nn.Sequential(nn.Linear(4, 4), layer, nn.Linear(4, 3)), SERIES)
    linear = check.layer("Linear")
    outer = check.layer("TransformerEncoderLayer", d_model=4, nhead=2, dim_feedforward=8, activation="gelu")
    assert message(read, linear, outer, linear) == ""
    inside = [check.layer("MultiheadAttention", num_heads=2), ..., check.layer("LayerNorm"), linear, ..., linear]
    assert message(read, linear, *inside, ..., check.layer("LayerNorm"), linear) == ""
    assert message(read, ..., linear, check.layer("GELU"), ..., linear, ..., linear) == ""


def test_a_setting_that_the_layer_has_not_is_not_as_asked() -> None:
    from torch import nn

    read = network_of(nn.Sequential(nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8, affine=True)), PICTURES)
    convolution = check.layer("Conv2d")
    assert message(read, convolution, check.layer("InstanceNorm2d", num_features=8, affine=True)) == ""
    assert message(read, convolution, check.layer("InstanceNorm2d", affine=False)) != ""
    attention = module(lambda own, x: own.a(x, x, x)[0], a=nn.MultiheadAttention(4, 2, batch_first=True, dropout=0.3))
    waits = message(network_of(attention, SERIES), check.layer("MultiheadAttention", dropout=0.1))
    assert waits.startswith("person"), "a graph does not show the share that a training drops"


def test_an_activation_that_is_named_leaves_the_others_free() -> None:
    from torch import nn

    read = network_of(nn.Sequential(nn.Linear(4, 8), nn.PReLU(), nn.Linear(8, 8), nn.PReLU(), nn.Linear(8, 3)), ROWS)
    linear = check.layer("Linear")
    assert message(read, linear, check.layer("PReLU"), linear, linear) == ""
    assert message(read, linear, linear, linear) == ""


def test_masks_and_several_inputs_are_read() -> None:
    import torch
    from torch import nn

    causal = nn.Transformer.generate_square_subsequent_mask(5)
    own = module(
        lambda own, x: own.d(own.b(own.e(x, src_mask=own.mask)), x),
        e=nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), b=nn.Linear(4, 4),
        d=nn.TransformerDecoderLayer(4, 2, 8, batch_first=True), mask=nn.Buffer(causal),
    )  # fmt: skip
    read = network_of(own, SERIES)
    pattern = [check.layer(kind) for kind in ("TransformerEncoderLayer", "Linear", "TransformerDecoderLayer")]
    assert message(read, *pattern) == ""
    later = module(lambda own, x: own.e(torch.relu(own.b(x))), e=nn.PixelShuffle(2), b=nn.Conv2d(3, 4, 3))
    assert (
        message(network_of(later, PICTURES), check.layer("Conv2d"), check.layer("ReLU"), check.layer("PixelShuffle"))
        == ""
    )


def test_a_layer_by_hand_where_one_is_asked_by_name_is_for_a_person() -> None:
    from torch import nn

    def shuffled(own: Any, x: Any) -> Any:
        x = own.conv(x)
        return x.reshape(-1, 2, 2, 2, 6, 6).permute(0, 1, 4, 2, 5, 3).reshape(-1, 2, 12, 12)

    read = network_of(module(shuffled, conv=nn.Conv2d(3, 8, 3)), PICTURES)
    assert message(read, check.layer("Conv2d"), check.layer("PixelShuffle", upscale_factor=2)).startswith("person")
