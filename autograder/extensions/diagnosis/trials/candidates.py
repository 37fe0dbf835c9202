"""The table of faults: by what sign a change is worth trying, and the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.output_units import needed_units
from autograder.extensions.diagnosis.trials.recipe import (
    BINARY,
    CATEGORICAL,
    CLIPPING,
    DEFAULT_RATES,
    OF_CLASSES,
    SQUARED,
    WITH_WIDTH,
    Recipe,
)
from autograder.extensions.diagnosis.trials.symptoms import Symptoms, lowest_point
from autograder.extensions.diagnosis.trials.trial_architecture import Entry

_BETWEEN = frozenset({"Dropout", "BatchNormalization", "LayerNormalization", "Flatten", "MaxPooling2D", "MaxPooling1D"})
"""Layers that may stand between a linear layer and the next without making it a non-linear one."""
_SATURATING = ("sigmoid", "tanh", "softmax", "hard_sigmoid")
_RATE_FACTOR = 5.0
"""A learning rate is suspected from so many times the optimizer's default on, or below the default by so much."""
_LARGE, _SPREAD, _MOST = 10.0, 100.0, 0.99
"""Inputs are suspected if more than a hundredth of them are beyond this size, or beyond 1 where the deviations of two
features differ by this factor."""
_LARGE_BATCH, _USUAL_BATCH, _FEW_STEPS = 127, 32, 4
"""A batch is suspected if it is larger than the first, and so few of them make an epoch."""
_USUAL_PENALTY = 0.01
_DEAD = 0.7
_VANISHED = 1e-3
_FEW_EPOCHS = 4
_MEMORY, _FALLING, _WEAK, _POOR = 0.02, 0.02, 0.1, 0.25
"""Shares of the constant answer's loss: a rise or a fall in the last quarter that is suspected; the largest distance
between fit rows and others of a network that is too weak; a loss below which a network has learned, and no layer of it
is looked at."""
_MAX_DROPOUT, _USUAL_DROPOUT = 0.5, 0.3


@dataclass(frozen=True)
class Remedy:
    """One change that may help, of a kind of fault."""

    kind: str
    change: str
    """The change in words, as in "with … your network reaches"."""
    recipe: Callable[[Recipe], Recipe]
    lesson: str = ""
    """Why it helps, a sentence."""


def candidates(symptoms: Symptoms) -> Iterator[Remedy]:
    """Yield the changes whose signs a model shows, in the order of the table.

    More epochs come before more width: a training that was too short looks weak, too, and a network that is too narrow
    gains nothing by more epochs.

    Args:
        symptoms: the model's own trainings.
    """
    yield from structural_candidates(symptoms)
    if not symptoms.is_trainable:
        return
    for signs in (_divergence, _units, _length, _capacity):
        yield from signs(symptoms)


def structural_candidates(symptoms: Symptoms) -> Iterator[Remedy]:
    """Yield those of the changes whose signs show before any training."""
    for signs in (_structure, _rate, _batch, _scale, _dropout, _penalty):
        yield from signs(symptoms)


# --- structure, output and loss -----------------------------------------------------------------------


def _structure(symptoms: Symptoms) -> Iterator[Remedy]:
    recipe, goal = symptoms.recipe, symptoms.goal
    fits = symptoms.is_trainable and recipe.loss in (goal, CATEGORICAL)
    if goal in OF_CLASSES and not fits:
        yield _fitting_pair(symptoms)
    else:
        yield from _output(recipe)
    if linear := _linear_layers(recipe.layers()):
        yield Remedy(
            "linear",
            "relu after each inner layer that has no activation",
            lambda old: old.edited(lambda layers: _set(layers, linear, activation="relu")),
            "Layers without an activation between them compute no more than one layer.",
        )


def _fitting_pair(symptoms: Symptoms) -> Remedy:
    """Return the change to the measured loss of classes, with the output that fits it and the labels."""
    recipe, goal = symptoms.recipe, symptoms.goal
    takes_scores = recipe.from_logits and recipe.loss == goal
    activation = "linear" if takes_scores else "softmax" if goal == CATEGORICAL else "sigmoid"
    units = needed_units(recipe, goal, symptoms.data.labels)
    counted = None if units is None else "one unit" if units == 1 else f"{units} units"
    output = " with ".join(filter(None, [counted, None if takes_scores else activation])) + " at the end"
    if recipe.loss not in OF_CLASSES:
        error = "A squared error" if recipe.loss == SQUARED else "An absolute error"
        lesson = f"{error} of probabilities hardly punishes a certain, wrong answer; the crossentropy does."
    elif goal == CATEGORICAL:
        lesson = "Each class, counted from 0, has a unit, and softmax shares the probability among them."
    else:
        lesson = "Labels of 0 and 1 take one unit with sigmoid, which gives the probability of 1."
    word = f"sparse_{goal}" if goal == CATEGORICAL and symptoms.data.labels.ndim == 1 else goal
    return Remedy(
        "output" if recipe.loss == goal else "loss",
        output if recipe.loss == goal else f"the loss {word} and {output}",
        lambda old: replace(old.with_output(activation, units), loss=goal, from_logits=takes_scores),
        lesson,
    )


def _output(recipe: Recipe) -> Iterator[Remedy]:
    last = recipe.architecture.output_activation or "linear"
    wanted = {CATEGORICAL: "softmax", BINARY: "sigmoid"}.get(recipe.loss, "linear")
    if recipe.from_logits and last in ("softmax", "sigmoid") and not recipe.architecture.fuses:
        yield Remedy(
            "output",
            f"no {last} at the end",
            lambda old: old.with_output("linear"),
            f"The loss takes scores and applies {last} itself; applied twice, it hardly tells the classes apart.",
        )
    elif recipe.from_logits and last in ("softmax", "sigmoid"):
        yield Remedy(
            "output",
            f"from_logits=False in the loss, because the network ends in {last}",
            lambda old: replace(old, from_logits=False),
            f"With from_logits=True the loss applies {last} to probabilities once more.",
        )
    elif not recipe.from_logits and last != wanted:
        yield Remedy(
            "output",
            f"{wanted} at the end" if wanted != "linear" else f"no activation at the end in place of {last}",
            lambda old: old.with_output(wanted),
            f"Your loss needs outputs that {wanted} gives.",
        )
    elif _squashed_before_softmax(recipe.layers()):
        yield Remedy(
            "output",
            "one activation at the end in place of two",
            lambda old: old.edited(lambda layers: _set(layers, [layers[-2]["config"]["name"]], activation="linear")),
            "An activation before the softmax keeps the scores within its own range.",
        )


def _squashed_before_softmax(layers: list[Entry]) -> bool:
    if len(layers) < 2 or not _is_activation(layers[-1], "softmax"):
        return False
    return bool(layers[-2]["config"].get("activation", "linear") != "linear")


def _is_activation(entry: Entry, name: str) -> bool:
    own_layer = entry["class_name"].lower() == name
    return bool(own_layer or (entry["class_name"] == "Activation" and entry["config"].get("activation") == name))


def _linear_layers(layers: list[Entry]) -> list[str]:
    """Name the layers without an activation that nothing but linear layers separates from the next one that learns."""
    linear, waiting = [], ""
    for entry in layers:
        if entry["class_name"] in ("Dense", "Conv1D", "Conv2D"):
            linear += [waiting] if waiting else []
            waiting = entry["config"]["name"] if entry["config"].get("activation") == "linear" else ""
        elif entry["class_name"] not in _BETWEEN:
            waiting = ""
    return linear


def _set(layers: list[Entry], names: list[str], **settings: Any) -> None:
    for entry in layers:
        if entry["config"].get("name") in names:
            entry["config"].update(settings)


# --- rate and scale -----------------------------------------------------------------------------------


def _rate(symptoms: Symptoms) -> Iterator[Remedy]:
    kind, rate = symptoms.recipe.optimizer.kind, symptoms.recipe.own_rate
    word = symptoms.recipe.architecture.words.usual_rate
    usual = DEFAULT_RATES.get(kind)
    if rate is None or usual is None:
        return
    if rate >= _RATE_FACTOR * usual or rate <= usual * min(1 / _RATE_FACTOR, symptoms.share):
        lesson = (
            "Steps that are too large jump over the minimum."
            if rate > usual
            else "Steps that are too small arrive late."
        )
        change = f"a learning rate of {usual:g}, {word} {kind}, in place of {rate:g}"
        yield Remedy("rate", change, lambda old: replace(old, rate=usual), lesson)


def _batch(symptoms: Symptoms) -> Iterator[Remedy]:
    size = symptoms.recipe.batch_size
    if size > _LARGE_BATCH and len(symptoms.data.labels) < _FEW_STEPS * size:
        yield Remedy(
            "batch",
            f"a batch of {_USUAL_BATCH} rows",
            lambda old: replace(old, batch_size=_USUAL_BATCH),
            "A batch with most of the rows leaves a training only a few steps.",
        )


def _penalty(symptoms: Symptoms) -> Iterator[Remedy]:
    """Suspect penalties beyond Keras's usual factor of 0.01, and a decay of weights that is as large."""
    settings = symptoms.recipe.optimizer.settings
    decay = settings.get("weight_decay") or 0.0
    factors = [factor for entry in symptoms.recipe.layers() for factor in _factors(entry).values()]
    if max([decay, *factors]) > _USUAL_PENALTY:

        def weaker(entries: list[Entry]) -> None:
            for entry in entries:
                _factors(entry).update({name: factor / 100 for name, factor in _factors(entry).items()})

        def with_less(recipe: Recipe) -> Recipe:
            decays = {**settings, "weight_decay": decay / 100} if decay > _USUAL_PENALTY else settings
            edited = recipe.edited(weaker) if factors else recipe
            return replace(edited, optimizer=replace(recipe.optimizer, settings=decays))

        yield Remedy(
            "penalty",
            "a hundredth of the penalty on the weights",
            with_less,
            "A penalty that outweighs the loss keeps all weights near 0, and the network says the same of every row.",
        )


def _factors(entry: Entry) -> dict[str, float]:
    """Return the factors of the penalty on a layer's kernel; they may be changed."""
    regularizer = entry["config"].get("kernel_regularizer") or {}
    factors = regularizer.get("config", {})
    return factors if regularizer.get("class_name") in ("L1", "L2", "L1L2") else {}


def _scale(symptoms: Symptoms) -> Iterator[Remedy]:
    inputs, layers = symptoms.data.inputs, symptoms.recipe.layers()
    if not isinstance(inputs, np.ndarray) or inputs.dtype.kind != "f" or inputs.ndim < 2:
        return
    if layers and layers[0]["class_name"] in ("Normalization", "Rescaling", "BatchNormalization", "LayerNormalization"):
        return
    deviations = inputs.std(axis=tuple(range(inputs.ndim - 1)))
    deviations = deviations[deviations > 0]
    largest = np.quantile(np.abs(inputs), _MOST)
    if largest > _LARGE or (largest > 1 and deviations.max(initial=0) > _SPREAD * deviations.min(initial=np.inf)):
        yield Remedy(
            "scale",
            symptoms.recipe.architecture.words.scaled,
            lambda old: replace(old, scaled=True),
            "Features of very different size pull the steps of the training in a few directions only.",
        )


def _divergence(symptoms: Symptoms) -> Iterator[Remedy]:
    settings = symptoms.recipe.optimizer.settings
    is_clipped = any(settings.get(name) for name in ("clipnorm", "clipvalue", CLIPPING))
    if not is_clipped and not np.isfinite(symptoms.curve).all():
        yield Remedy(
            "exploding",
            symptoms.recipe.architecture.words.clipped,
            lambda old: replace(old, optimizer=replace(old.optimizer, settings={**settings, CLIPPING: 1.0})),
            "One step along a huge gradient throws the weights so far away that the training never comes back.",
        )


# --- units and capacity -------------------------------------------------------------------------------


def _units(symptoms: Symptoms) -> Iterator[Remedy]:
    if symptoms.loss < _POOR * symptoms.constant:
        return
    layers = symptoms.recipe.layers()
    hidden = [entry["config"]["name"] for entry in _hidden(layers)]
    saturating = _saturating_layers(layers)
    if len(saturating) > 1 and symptoms.first_gradient < _VANISHED:

        def with_relu(entries: list[Entry]) -> None:
            _set(entries, saturating, activation="relu")
            _set(entries, hidden, **_HE)

        yield Remedy(
            "vanishing",
            "relu in the inner layers",
            lambda old: old.edited(with_relu),
            "Through each sigmoid or tanh the gradient becomes smaller, until the first layers no longer learn.",
        )
    if hidden and symptoms.dead_share >= _DEAD:
        yield Remedy(
            "dead",
            symptoms.recipe.architecture.words.redrawn,
            lambda old: old.edited(lambda entries: _set(entries, hidden, **_HE)),
            "Units of a relu that are 0 for every row have no gradient, and never learn again.",
        )


_HE = {"kernel_initializer": "he_normal", "bias_initializer": "zeros"}


def _saturating_layers(layers: list[Entry]) -> list[str]:
    """Name the layers before the last that learns whose activation levels off, also layers that are one alone."""
    learning = [position for position, entry in enumerate(layers) if entry["class_name"] in WITH_WIDTH]
    inner = layers[: max(learning, default=0)]
    with_activation = [entry for entry in inner if entry["class_name"] in (*WITH_WIDTH, "Activation")]
    return [e["config"]["name"] for e in with_activation if e["config"].get("activation") in _SATURATING]


def _hidden(layers: list[Entry]) -> list[Entry]:
    """List the layers that learn and have a width, without the last one, which makes the output."""
    return [entry for entry in layers if entry["class_name"] in WITH_WIDTH][:-1]


def _capacity(symptoms: Symptoms) -> Iterator[Remedy]:
    if symptoms.recipe.epochs < _FEW_EPOCHS:  # so short a training says nothing of what the network can learn
        return
    hidden = _hidden(symptoms.recipe.layers())
    learns_alike = symptoms.loss - symptoms.fit_loss < _WEAK * symptoms.constant
    if hidden and learns_alike and symptoms.fit_loss > _POOR * symptoms.constant:
        yield Remedy(
            "capacity",
            "four times the width of the inner layers",
            _wider,
            "A network that does no better on the rows it was trained on has too few units for the task.",
        )


def _wider(recipe: Recipe) -> Recipe:
    def widen(layers: list[Entry]) -> None:
        for entry in _hidden(layers):
            entry["config"][WITH_WIDTH[entry["class_name"]]] *= 4

    return recipe.edited(widen)


# --- the length of the training -----------------------------------------------------------------------


def _length(symptoms: Symptoms) -> Iterator[Remedy]:
    curve, epochs = symptoms.curve, symptoms.recipe.epochs
    if not np.isfinite(curve).all():
        return
    lowest = lowest_point(curve)
    best = symptoms.epochs[lowest]
    if curve[-1] - curve[lowest] > _MEMORY * symptoms.constant and best < epochs:
        yield Remedy(
            "overfit",
            f"the end of the training after epoch {best}",
            lambda old: replace(old, epochs=best),
            "From there on the network learns its rows by heart, and becomes worse on all others.",
        )
    elif curve[len(curve) * 3 // 4 - 1] - curve[-1] > _FALLING * symptoms.constant or epochs < _FEW_EPOCHS:
        yield Remedy(
            "epochs",
            f"twice the epochs, {2 * epochs}",
            lambda old: replace(old, epochs=2 * epochs),
            "The loss was still falling when the training ended.",
        )


def _dropout(symptoms: Symptoms) -> Iterator[Remedy]:
    strong = [
        entry["config"]["name"]
        for entry in symptoms.recipe.layers()
        if entry["class_name"] == "Dropout" and entry["config"]["rate"] > _MAX_DROPOUT
    ]
    if strong:
        yield Remedy(
            "dropout",
            f"a dropout of {_USUAL_DROPOUT}",
            lambda old: old.edited(lambda entries: _set(entries, strong, rate=_USUAL_DROPOUT)),
            "Dropout that takes most of the units leaves too little to learn with.",
        )
