"""Layers of a Keras model that change nothing: what they give comes to no output, whatever weights the model has.

``h + 0 * Dense(8)(x)`` has a Dense layer in its graph and in no number that it gives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from autograder.extensions.networks.model_calls import made_of_twin, twin_model
from autograder.extensions.networks.steps import steps
from autograder.models.computing_process import EndedComputation

_ROWS, _LENGTHS = 8, (8, 840)
"""Drawn rows, and the sizes that are tried where an input names none: many kernels fit, and many divisors."""
_DRAWS = 4
"""Times that weights are drawn after the model's own."""
_SIZES = (1.0, 30.0)
"""Factors of the changes of a layer's result."""
_SHARE, _CHANGE = 1e-4, 1e-6
"""Least part of an output that a layer's result has by its gradient, and least change where it is another one."""


def has_idle(model: Any, kinds: Collection[str]) -> bool:
    """Return whether the result of a layer of these classes changes nothing; of a changed model, it is not asked."""
    part = made_of_twin(ComputedIdle, model)
    layers = {id(layer): number for number, layer in enumerate(_layers(model))}
    positions = [layers.get(id(step.layer), -1) for step in steps(model) if any(step.named(kind) for kind in kinds)]
    numbers = sorted({number for number in positions if number >= 0})
    try:
        return bool(part is not None and numbers and part.ask("idle", numbers, _seed(model)) != [])
    except EndedComputation:
        return True  # it was computed before, and is not with other weights: a person looks


def _layers(model: Any) -> list[Any]:
    return list(model._flatten_layers(include_self=False))


def _seed(model: Any) -> int:
    """Return a number that follows from all weights, in which the model's author could write rows."""
    return abs(hash(tuple(float(np.sum(weight, dtype=np.float64)) for weight in model.get_weights()))) % 2**31


class ComputedIdle:
    """A model's twin, where strangers' networks are computed."""

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray]) -> None:
        self.model = twin_model(claim, weights)
        self.layers = _layers(self.model)

    def idle(self, numbers: Sequence[int], seed: int) -> list[int]:
        """Return those of some layers that change no output; all of them where the model takes no drawn rows."""
        for length in _LENGTHS:
            try:
                return self._silent(numbers, np.random.default_rng(seed), length)
            except Exception:  # other rows
                continue
        return list(numbers)

    def _silent(self, numbers: Sequence[int], draws: np.random.Generator, length: int) -> list[int]:
        import keras

        silent = set(numbers)
        whole = any(type(layer).__name__ == "Embedding" for layer in self.layers)
        shapes = [(_ROWS, *(size or length for size in end.shape[1:])) for end in self.model.inputs]
        sizes = np.resize([1, 1, 3, 10], _ROWS)
        rows = [
            draws.integers(0, 2, shape) if whole else (draws.normal(size=shape[::-1]) * sizes).T for shape in shapes
        ]
        graph = getattr(self.model, "_functional", None) or self.model
        packed = keras.tree.pack_sequence_as(graph._inputs_struct, [keras.ops.convert_to_tensor(row) for row in rows])
        for _ in range(1 + _DRAWS):
            silent -= self._moving(packed, silent, draws)
            if not silent:
                break
            for weight in self.model.trainable_weights:
                weight.assign(draws.normal(size=weight.shape) * max(1, np.prod(weight.shape[:-1])) ** -0.5)
        return sorted(silent)

    def _moving(self, rows: Any, numbers: Collection[int], draws: np.random.Generator) -> set[int]:
        """Return the layers whose results change an output: by its gradient, or where another one takes their place."""
        import tensorflow as tf

        results: dict[int, list[Any]] = {number: [] for number in numbers}
        with tf.GradientTape() as tape:

            def watched(number: int, tensor: Any) -> Any:
                tape.watch(tensor)
                results[number].append(tensor)
                return tensor

            with self._replaced(numbers, watched):
                outputs = self._outputs(rows)
            total = tf.add_n([tf.reduce_sum(end * draws.normal(size=end.shape).astype("float32")) for end in outputs])
        largest = max(float(np.abs(end).max(initial=0)) for end in outputs)
        try:
            gradients = tape.gradient(total, results)
        except LookupError:  # an operation without one: other results in a layer's place tell
            gradients = {number: [None] * len(tensors) for number, tensors in results.items()}
        moving = {
            number
            for number, tensors in results.items()
            for tensor, gradient in zip(tensors, gradients[number], strict=True)
            if gradient is not None and np.abs(gradient * tensor).max(initial=0) > _SHARE * largest
        }

        def other(size: float, _: int, tensor: Any) -> Any:
            return tensor + size * draws.normal(size=tensor.shape).astype(tensor.dtype.name)

        for number in set(numbers) - moving:
            for size in _SIZES:
                with self._replaced([number], partial(other, size)):
                    changes = [np.abs(new - old) for new, old in zip(self._outputs(rows), outputs, strict=True)]
                if any(change.max(initial=0) > _CHANGE * largest for change in changes):
                    moving.add(number)
        return moving

    def _outputs(self, rows: Any) -> list[Any]:
        import keras
        import tensorflow as tf

        return [tf.cast(end, "float32") for end in keras.tree.flatten(self.model(rows, training=False))]

    @contextmanager
    def _replaced(self, numbers: Collection[int], change: Any) -> Iterator[None]:
        """Change the results of some layers inside the block: ``change(number, tensor)`` for each of fractions."""
        import keras

        calls = {number: self.layers[number].call for number in numbers}

        def called(number: int, *args: Any, **keywords: Any) -> Any:
            return keras.tree.map_structure(
                lambda tensor: change(number, tensor) if tensor.dtype.is_floating else tensor,
                calls[number](*args, **keywords),
            )

        for number in calls:
            self.layers[number].call = partial(called, number)
        try:
            yield
        finally:
            for number, call in calls.items():
                self.layers[number].call = call
