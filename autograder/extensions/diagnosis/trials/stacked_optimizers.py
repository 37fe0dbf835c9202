"""Optimizers of Keras and PyTorch on vectors of parameters, (seeds, parameters)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.recipe import CLIPPING
from autograder.extensions.networks.step_calculus import OptimizerSettings

Update = Callable[[np.ndarray, np.ndarray], None]
"""Takes parameters and their gradients, both (seeds, parameters), and changes both in place."""

_EXACT = {
    "clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "amsgrad": False,
    "centered": False,
    "maximize": False,
    "dampening": 0,
    "decoupled_weight_decay": False,
}
"""Settings that must have these values: what else they can do is not computed here."""


def updates(optimizer: OptimizerSettings) -> Callable[[float], Update] | None:
    """Return what starts an optimizer with a learning rate; None for one that is not computed here."""
    kind, config, is_of_torch = optimizer.kind, dict(optimizer.settings), optimizer.rate == "lr"
    if kind not in _OPTIMIZERS or any(config.get(name, usual) != usual for name, usual in _EXACT.items()):
        return None
    if is_of_torch:
        config |= {"epsilon": config.get("eps"), "rho": config.get("alpha")}
        config["beta_1"], config["beta_2"] = config.get("betas", (0.0, 0.0))
    decay = config.get("weight_decay") or 0.0
    if decay and kind != "AdamW" and not is_of_torch:
        return None
    penalty = decay if kind != "AdamW" else 0.0  # of PyTorch, all others add it to the gradients
    config["weight_decay"] = decay - penalty
    clip = config.get(CLIPPING)
    return lambda rate: _prepared(_OPTIMIZERS[kind](config, rate), penalty, clip)


def _prepared(update: Update, penalty: float, clip: float | None) -> Update:
    """Return an update that clips the gradients of each seed, and adds a penalty to them."""

    def prepared(parameters: np.ndarray, gradients: np.ndarray) -> None:
        if clip is not None:
            norms = np.sqrt((gradients * gradients).sum(axis=1, keepdims=True))
            gradients *= np.float32(clip) / np.maximum(norms, np.float32(clip))
        if penalty:
            gradients += np.float32(penalty) * parameters
        update(parameters, gradients)

    return prepared


def _adam(config: Mapping[str, Any], rate: float) -> Update:
    first, second, epsilon = config["beta_1"], config["beta_2"], config["epsilon"]
    decay = rate * (config.get("weight_decay") or 0.0)
    moments, aside = _Moments(first, second), _Zeros()
    step = 0

    def update(parameters: np.ndarray, gradients: np.ndarray) -> None:
        nonlocal step
        step += 1
        if decay:
            parameters *= 1 - decay
        mean, square = moments.after(gradients)
        change = np.sqrt(square, out=aside.like(gradients))
        root = (1 - second**step) ** 0.5
        change += epsilon * root if "eps" in config else epsilon  # PyTorch adds it behind the correction
        np.divide(mean, change, out=change)
        change *= rate * root / (1 - first**step)
        parameters -= change

    return update


def _nadam(config: Mapping[str, Any], rate: float) -> Update:
    first, second, epsilon = config["beta_1"], config["beta_2"], config["epsilon"]
    slowness = config.get("momentum_decay", 1.0)
    moments, aside = _Moments(first, second), _Zeros()
    step, product = 0, 1.0

    def update(parameters: np.ndarray, gradients: np.ndarray) -> None:
        nonlocal step, product
        step += 1
        now, following = (first * (1 - 0.5 * 0.96 ** (slowness * count)) for count in (step, step + 1))
        product *= now
        mean, square = moments.after(gradients)
        change = np.multiply(square, 1 / (1 - second**step), out=aside.like(gradients))
        np.sqrt(change, out=change)
        change += epsilon
        gradients *= (1 - now) / (1 - product)
        gradients += mean * (following / (1 - product * following))
        np.divide(gradients, change, out=change)
        change *= rate
        parameters -= change

    return update


def _adamax(config: Mapping[str, Any], rate: float) -> Update:
    first, second, epsilon = config["beta_1"], config["beta_2"], config["epsilon"]
    mean, largest = _Zeros(), _Zeros()
    step = 0

    def update(parameters: np.ndarray, gradients: np.ndarray) -> None:
        nonlocal step
        step += 1
        m, u = mean.like(gradients), largest.like(gradients)
        m += (gradients - m) * (1 - first)
        np.maximum(second * u, np.abs(gradients), out=u)
        parameters -= rate / (1 - first**step) * m / (u + epsilon)

    return update


def _rmsprop(config: Mapping[str, Any], rate: float) -> Update:
    rho, epsilon, momentum = config["rho"], config["epsilon"], config["momentum"]
    square, speed, aside = _Zeros(), _Zeros(), _Zeros()

    def update(parameters: np.ndarray, gradients: np.ndarray) -> None:
        v, step = square.like(gradients), aside.like(gradients)
        v *= rho
        np.multiply(gradients, gradients, out=step)
        step *= 1 - rho
        v += step
        if "eps" in config:
            np.sqrt(v, out=step)
            step += epsilon
        else:
            np.add(v, epsilon, out=step)
            np.sqrt(step, out=step)
        np.divide(gradients, step, out=step)
        step *= rate
        if momentum:
            moved = speed.like(gradients)
            moved *= momentum
            moved += step
            step = moved
        parameters -= step

    return update


def _sgd(config: Mapping[str, Any], rate: float) -> Update:
    momentum, nesterov = config["momentum"], config["nesterov"]
    speed = _Zeros()

    def update(parameters: np.ndarray, gradients: np.ndarray) -> None:
        if not momentum:
            parameters -= rate * gradients
            return
        moved = speed.like(gradients)
        moved *= momentum
        moved -= rate * gradients
        parameters += momentum * moved - rate * gradients if nesterov else moved

    return update


class _Moments:
    """Running means of the gradients and of their squares. No arrays are made on the way, which would take longest."""

    def __init__(self, first: float, second: float) -> None:
        self._first, self._second = first, second
        self._mean, self._square, self._aside = _Zeros(), _Zeros(), _Zeros()

    def after(self, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, square, aside = (zeros.like(gradients) for zeros in (self._mean, self._square, self._aside))
        mean *= self._first
        mean += np.multiply(gradients, 1 - self._first, out=aside)
        square *= self._second
        np.multiply(gradients, gradients, out=aside)
        aside *= 1 - self._second
        square += aside
        return mean, square


class _Zeros:
    """An array that is made when its shape is known."""

    def __init__(self) -> None:
        self._array: np.ndarray | None = None

    def like(self, other: np.ndarray) -> np.ndarray:
        if self._array is None:
            self._array = np.zeros_like(other)
        return self._array


_OPTIMIZERS: dict[str, Callable[[Mapping[str, Any], float], Update]] = {
    "Adam": _adam,
    "AdamW": _adam,
    "Nadam": _nadam,
    "NAdam": _nadam,
    "Adamax": _adamax,
    "RMSprop": _rmsprop,
    "SGD": _sgd,
}
