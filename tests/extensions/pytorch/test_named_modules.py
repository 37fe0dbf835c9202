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
from autograder.records.checks import Outcome

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
