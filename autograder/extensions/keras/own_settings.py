"""Stand-ins for losses, metrics and optimizers of the student's own, which stay in the notebook's kernel.

A rebuilt model is compiled with them, so that its other settings answer as in the notebook. A stand-in has the name of
what it stands for, and gives NaN. A model that was compiled with one cannot be trained here.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

OWN_TRAINING = (
    "This model was compiled with a loss, metric or optimizer of the notebook's own, so it can be trained only there. "
    "check.retrained trains it with a loss that the test names."
)


def own_loss(name: str) -> Any:
    """Return a loss that is NaN, named like the student's."""

    def loss(y_true: Any, y_pred: Any) -> Any:
        import keras

        return keras.ops.mean(keras.ops.cast(y_pred, "float32") * float("nan"), axis=-1)

    loss.__name__ = loss.__qualname__ = name
    return loss


def own_metric(name: str) -> Any:
    """Return a metric that is NaN, named like the student's."""
    return _metric_class()(name=name)


def own_optimizer(name: str, learning_rate: Any) -> Any:
    """Return an optimizer that cannot train, with the student's name and learning rate."""
    return _optimizer_class()(learning_rate, name=name)


def refuse_training(model: Any) -> None:
    """Let ``fit`` and ``train_on_batch`` of the model say why it is not trained here."""

    def train_step(*_: Any) -> NoReturn:
        raise TypeError(OWN_TRAINING)

    model.train_step = train_step


@functools.cache
def _metric_class() -> Any:
    import keras

    class OwnMetric(keras.metrics.Metric):  # type: ignore[misc]
        """A metric of the notebook's own, which is unknown here."""

        autograder_own = True

        def update_state(self, *_: Any, **__: Any) -> None:
            """Keep nothing."""

        def result(self) -> Any:
            """Return NaN."""
            return keras.ops.convert_to_tensor(float("nan"))

    return OwnMetric


@functools.cache
def _optimizer_class() -> Any:
    import keras

    class OwnOptimizer(keras.optimizers.SGD):  # type: ignore[misc]
        """An optimizer of the notebook's own, of which only name and learning rate are known."""

        autograder_own = True

    return OwnOptimizer
