"""The arguments of a student's training step, by the names of its parameters. Runs in the student's kernel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_OPTIMIZERS = ("opt", "optim", "optimizer")


def _optimizers_of(*networks: str) -> str:
    """Return the names of the optimizer of one of two networks, in both orders."""
    return " ".join(f"{word}{name} {name}{word}" for name in networks for word in _OPTIMIZERS)


NAMES = {
    "model": "model net network nn mlp cnn rnn gpt transformer classifier regressor module",
    "inputs": "x xb xs xbatch batchx inputs input inp image images img imgs features rows tokens samples xtrain trainx",
    "labels": "y yb ys ybatch batchy labels label targets target t ytrue ytrain trainy classes answers",
    "batch": "batch minibatch pair example examples xy real reals",
    "loader": "loader dataloader trainloader traindataloader traindl dl dataset ds trainds batches iterator trainiter",
    "noise": "z zb zs noise noisebatch latent latents latentvectors",
    "generator": "g gen generator netg gnet",
    "discriminator": "d disc discriminator netd dnet critic",
    "loss": "loss lossfn lossfunction lossfunc criterion cost costfn objective lossobject",
    "optimizer": "optimizer optim opt optimiser",
    "generator optimizer": _optimizers_of("g", "gen", "generator"),
    "discriminator optimizer": _optimizers_of("d", "disc", "discriminator"),
    "rate": "lr learningrate stepsize rate eta",
    "device": "device dev",
    "epochs": "epochs nepochs numepochs epoch steps nsteps",
}
"""What a training step takes → names of a parameter for it, in small letters and without underscores."""
EITHER = "data"
"""A name of inputs if there is a parameter for labels, and else of a batch."""
_ROLES = {name: role for role, names in NAMES.items() for name in names.split()}


def roles(step: Callable[..., Any], takes: Sequence[str] | None) -> list[tuple[str, str]] | None:
    """Return each parameter of a step that gets an argument, with what it is.

    Args:
        step: the student's function.
        takes: what the parameters are in their order, as the test says; None to tell it by their names.

    Returns:
        Pairs of the parameter's name (empty for a place) and a key of :data:`NAMES`. None if a parameter that has to be
        given has an unknown name, or if two are named for the same.
    """
    if takes is not None:
        return [("", role) for role in takes]
    try:
        parameters = list(inspect.signature(step).parameters.values())
    except (ValueError, TypeError):
        return None
    ordinary = [
        parameter for parameter in parameters if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    plain = [parameter.name.replace("_", "").lower() for parameter in ordinary]
    has_labels = any(_ROLES.get(name) == "labels" for name in plain)
    chosen = []
    for parameter, name in zip(ordinary, plain):  # noqa: B905 - not in Python 3.9
        role = ("inputs" if has_labels else "batch") if name == EITHER else _ROLES.get(name)
        if role is None and parameter.default is parameter.empty:
            return None
        if role is not None:
            chosen.append(("" if parameter.kind is parameter.POSITIONAL_ONLY else parameter.name, role))
    return chosen if len({role for _, role in chosen}) == len(chosen) else None


def called(step: Callable[..., Any], chosen: list[tuple[str, str]], arguments: Mapping[str, Any]) -> Any:
    """Call a step with the arguments of its parameters."""
    places = [arguments[role] for name, role in chosen if not name]
    return step(*places, **{name: arguments[role] for name, role in chosen if name})
