"""Training of a chain of usual layers from several seeds at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod

import numpy as np

from autograder.extensions.diagnosis.trials.recipe import (
    BINARY,
    CATEGORICAL,
    OF_CLASSES,
    SQUARED,
    Recipe,
    trained_labels,
)
from autograder.extensions.diagnosis.trials.stacked_layers import Activation, StackedLayer, sigmoid
from autograder.extensions.diagnosis.trials.stacked_optimizers import Update
from autograder.extensions.networks.metrics import softmax

_EPSILON = np.float32(1e-7)
"""Keras cuts probabilities to this distance from 0 and 1."""


class StackedNetwork:
    """A chain of layers whose weights from several seeds are trained together.

    Args:
        layers: the layers, with the indices of their variables among those of the architecture.
        penalties: ``(l1, l2)`` of each parameter, in the order of the layers.
    """

    def __init__(
        self, layers: Sequence[tuple[StackedLayer, Sequence[int]]], penalties: Sequence[tuple[float, float]]
    ) -> None:
        self.layers = [layer for layer, _ in layers]
        self._indices = [list(indices) for _, indices in layers]
        self._sizes = [prod(shape) for layer in self.layers for shape in layer.shapes]
        self._l1, self._l2 = (
            np.repeat(np.array([pair[kind] for pair in penalties], dtype=np.float32), self._sizes) for kind in range(2)
        )
        self._is_penalized = bool(self._l1.any() or self._l2.any())
        self._last = self.layers[-1].name if isinstance(self.layers[-1], Activation) else ""

    def start(self, starts: Sequence[Sequence[np.ndarray]]) -> None:
        """Set all variables to values for each seed, in the order of the architecture's."""
        self._starts = starts
        self._parameters = np.zeros((len(starts), sum(self._sizes)), dtype=np.float32)
        self._gradients = np.zeros_like(self._parameters)
        ends = iter(np.cumsum(self._sizes, dtype=int))
        for layer, indices in zip(self.layers, self._indices, strict=True):
            stacks = [np.stack([np.asarray(start[index]) for start in starts]) for index in indices]
            count = len(layer.shapes)
            places = [(int(end) - prod(shape), int(end)) for shape, end in zip(layer.shapes, ends, strict=False)]
            layer.parameters, layer.gradients = (
                [
                    vector[:, begin:end].reshape(len(starts), *shape)
                    for (begin, end), shape in zip(places, layer.shapes, strict=True)
                ]
                for vector in (self._parameters, self._gradients)
            )
            for view, values in zip(layer.parameters, stacks[:count], strict=True):
                view[...] = values
            layer.remembered = stacks[count:]

    def variables(self) -> list[list[np.ndarray]]:
        """Return the variables of each seed, in the order of the architecture's."""
        values = [list(start) for start in self._starts]
        for layer, indices in zip(self.layers, self._indices, strict=True):
            stacks = [*layer.parameters, *layer.remembered] if indices else []
            for index, stack in zip(indices, stacks, strict=True):
                for of_seed, array in zip(values, stack, strict=True):
                    of_seed[index] = array.copy()
        return values

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """Compute the outputs of each seed, (seeds, rows, outputs)."""
        values = np.broadcast_to(rows, (len(self._starts), *rows.shape))
        for layer in self.layers:
            values = layer.forward(values, None)
        return values.astype(np.float64)

    def step(
        self, inputs: np.ndarray, labels: np.ndarray, gradient: LossGradient, update: Update, draw: np.random.Generator
    ) -> None:
        """Take one step of the training on a batch of each seed."""
        inner = self.layers[:-1] if self._last in gradient.fused else self.layers
        values = inputs
        for layer in inner:
            values = layer.forward(values, draw)
        slope = gradient(values, labels)
        for number in range(len(inner) - 1, -1, -1):
            slope = inner[number].backward(slope, is_first=number == 0)
        if self._is_penalized:
            self._gradients += 2 * self._l2 * self._parameters + self._l1 * np.sign(self._parameters)
        update(self._parameters, self._gradients)


class LossGradient:
    """The gradient of a recipe's loss by a network's outputs, as Keras computes it on TensorFlow.

    Where a network ends in a softmax or a sigmoid, Keras computes a crossentropy of the scores before it. It does so
    whatever ``from_logits`` says, and even if the other activation would fit the loss.
    """

    def __init__(self, recipe: Recipe, labels: np.ndarray) -> None:
        labels = trained_labels(recipe, labels)
        classes = recipe.architecture.output_shape[-1]
        is_one_hot = labels.ndim == 2 and labels.shape[-1] > 1
        if recipe.loss == CATEGORICAL and not is_one_hot:
            labels = np.eye(classes)[labels.reshape(-1).astype(int)]
        self.labels = labels.reshape(len(labels), -1).astype(np.float32)
        self.fused = ("softmax", "sigmoid") if recipe.architecture.fuses and recipe.loss in OF_CLASSES else ()
        self._slope = self._chosen(recipe, is_one_hot=is_one_hot)

    def __call__(self, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Compute the gradient of a batch's mean loss, (seeds, rows, outputs)."""
        slope: np.ndarray = self._slope(outputs, labels)
        slope /= np.float32(outputs.shape[1])
        return slope

    def _chosen(self, recipe: Recipe, *, is_one_hot: bool) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        of_scores = recipe.from_logits or recipe.architecture.output_activation in self.fused
        if recipe.loss == CATEGORICAL:
            of_shares = _of_one_hot_shares if is_one_hot else _of_shares
            return (lambda y, t: softmax(y) - t) if of_scores else of_shares
        if recipe.loss == BINARY:
            return (lambda y, t: (sigmoid(y) - t) / np.float32(y.shape[-1])) if of_scores else _of_chances
        if recipe.loss == SQUARED:
            return lambda y, t: (y - t) * np.float32(2 / y.shape[-1])
        return lambda y, t: np.sign(y - t) / np.float32(y.shape[-1])


def train_together(
    network: StackedNetwork,
    gradient: LossGradient,
    update: Update,
    inputs: np.ndarray,
    seeds: Sequence[int],
    batch_size: int,
    epochs: Sequence[int],
) -> Iterator[int]:
    """Train a network that has been started, and yield after each of ``epochs``.

    The last batch of an epoch is left out unless it is whole. Each seed has its own order of the rows.

    Args:
        network: what is trained; it has as many starts as there are ``seeds``.
        gradient: of the loss; holds the labels.
        update: of the optimizer.
        inputs: the rows to train on, (rows, …), float32.
        seeds: determine the orders, and the first one what dropout leaves out.
        batch_size: rows of a batch.
        epochs: where to stop for a moment, ascending; the last one is the end.
    """
    rows, size = len(inputs), min(batch_size, len(inputs))
    draws = [np.random.default_rng([seed, rows]) for seed in seeds]
    dropped = np.random.default_rng([seeds[0], rows, 1])
    for epoch in range(1, epochs[-1] + 1):
        orders = np.stack([draw.permutation(rows)[: rows // size * size] for draw in draws])
        with np.errstate(all="ignore"):  # a training that diverges has NaN as its loss
            for first in range(0, orders.shape[1], size):
                batch = orders[:, first : first + size]
                network.step(inputs[batch], gradient.labels[batch], gradient, update, dropped)
        if epoch in epochs:
            yield epoch


def _of_shares(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Differentiate the crossentropy of whole numbers: cut, then divided by the sum."""
    cut = np.clip(outputs, _EPSILON, 1 - _EPSILON)
    return np.where(cut == outputs, (cut / cut.sum(axis=-1, keepdims=True) - labels) / cut, np.float32(0))


def _of_one_hot_shares(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Differentiate the crossentropy of one-hot labels: divided by the sum, then cut."""
    total = outputs.sum(axis=-1, keepdims=True)
    shares = outputs / total
    cut = np.clip(shares, _EPSILON, 1 - _EPSILON)
    slope = np.where(cut == shares, -labels / cut, np.float32(0))
    return np.asarray((slope - (slope * shares).sum(axis=-1, keepdims=True)) / total)


def _of_chances(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    cut = np.clip(outputs, _EPSILON, 1 - _EPSILON)
    slope = (cut - labels) / (cut * (1 - cut)) / np.float32(outputs.shape[-1])
    return np.where(cut == outputs, slope, np.float32(0))
