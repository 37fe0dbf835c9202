"""Trainings of a rebuilt Keras model by a test's own ``fit``, computed where strangers' networks are computed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.extensions.keras.compiling import compile_as
from autograder.extensions.networks.model_calls import made_of_twin, twin_model
from autograder.models.computing_process import ENDED, Computed, EndedComputation

_FREE = ("callbacks", "steps_per_epoch", "validation_steps")
"""Arguments with which a training is the examiner's own: they are the test's code, or go with it."""


def fit_apart(model: Any) -> None:
    """Let trainings of a rebuilt model on plain arrays be computed by its twin, which gives back what was learned."""
    fit = model.fit

    @functools.wraps(fit)
    def fitted(*args: Any, **keywords: Any) -> Any:
        settings = _plain_arguments(fit, args, keywords)
        part = made_of_twin(ComputedFit, model) if settings is not None and model.compiled else None
        if settings is None or part is None or "train_step" in vars(model):  # it says why it is not trained
            return fit(*args, **keywords)
        return _fitted(model, part, settings)

    model.fit = fitted


def _plain_arguments(fit: Callable[..., Any], args: Any, keywords: Any) -> dict[str, Any] | None:
    """Return the arguments of a training if they are numbers and arrays; else None."""
    try:
        bound = inspect.signature(fit).bind(*args, **keywords).arguments
    except TypeError:  # Keras says what is wrong
        return None
    settings = {name: value for name, value in bound.items() if value is not None and name != "verbose"}
    return settings if not settings.keys() & set(_FREE) and "y" in settings and _is_plain(settings) else None


def _is_plain(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(type(key) in (str, int) for key in value) and all(map(_is_plain, value.values()))
    if type(value) is np.ndarray:
        return bool(value.dtype.kind in "biuf" and value.ndim)
    return type(value) in (bool, int, float, str)


def _fitted(model: Any, part: Computed, settings: Mapping[str, Any]) -> Any:
    """Train where networks are computed; the model has the weights then, and the history that Keras would return."""
    import keras

    variables = model.optimizer.variables
    # Of what a test seeds, and another one for the next training.
    state: Any = np.random.get_state()
    seed = int(state[1][0]) + int(model.optimizer.iterations)
    compiled, state = model.get_compile_config(), [np.asarray(variable) for variable in variables]
    answer = part.ask("fit", compiled, state if model.optimizer.built else [], dict(settings), seed % 2**31)
    if type(answer) is not list or len(answer) != 4:
        raise EndedComputation(ENDED)
    history, epochs, weights, state = answer
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    _assign(model.weights, weights)
    _assign(model.optimizer.variables, state)
    model.history = keras.callbacks.History()
    model.history.set_model(model)
    model.history.history, model.history.epoch = history, epochs
    return model.history


def _assign(variables: Sequence[Any], arrays: Any) -> None:
    """Let variables have the values of arrays.

    Raises:
        EndedComputation: these are no arrays of their shapes.
    """
    if type(arrays) is not list or [getattr(array, "shape", None) for array in arrays] != [v.shape for v in variables]:
        raise EndedComputation(ENDED)
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


class ComputedFit:
    """A twin that is trained.

    Args:
        claim: what it is built from, see :func:`autograder.models.model_calls.twin_model`.
        weights: those with which a training begins.
    """

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray]) -> None:
        self.claim, self.weights = claim, weights

    def fit(self, compiled: Mapping[str, Any], state: Sequence[np.ndarray], settings: dict[str, Any], seed: int) -> Any:
        """Return the history, its epochs, the weights and the optimizer's variables after a training."""
        import keras

        keras.utils.set_random_seed(seed)
        model = twin_model(self.claim, self.weights)
        if not compile_as(model, compiled):
            raise ValueError("the model cannot be compiled as it is")
        model.optimizer.build(model.trainable_variables)
        _assign(model.optimizer.variables, list(state) or [np.asarray(held) for held in model.optimizer.variables])
        history = model.fit(**settings, verbose=0)
        curves = {name: [float(value) for value in values] for name, values in history.history.items()}
        held = (model.weights, model.optimizer.variables)
        return [curves, list(history.epoch), *([np.asarray(variable) for variable in each] for each in held)]
