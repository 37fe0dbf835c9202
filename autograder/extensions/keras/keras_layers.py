"""The layers of a Keras model, as the checks of networks ask for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from autograder.extensions.networks.network import InTraining


class KerasLayers:
    """What :class:`~autograder.extensions.networks.network.ReadLayers` asks, of a ``keras.Model``."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def flow(self, vocabulary: str, asked_kinds: Collection[str] = ()) -> Any:
        """Return its layers with what each depends on, in Keras's words alone."""
        from autograder.extensions.keras import model_flow

        return model_flow.flow(self.model) if vocabulary == "keras" else None

    def has_idle(self, vocabulary: str, kinds: Collection[str]) -> bool:
        """Return whether a layer of these classes changes nothing, in Keras's words alone."""
        from autograder.extensions.keras import keras_idle

        return vocabulary == "keras" and keras_idle.has_idle(self.model, kinds)

    def description(self) -> str:
        """Return what it computes as JSON."""
        from autograder.extensions.keras import keras_description

        return keras_description.description(self.model)

    def in_training(self) -> InTraining:
        """Return what it does in a training alone."""
        from autograder.extensions.keras import keras_description

        return keras_description.in_training(self.model)

    def corrected_count(self, differences: Sequence[Any]) -> int | None:
        """Return its parameter count with all differences corrected."""
        from autograder.extensions.keras import arithmetic

        return arithmetic.expected_count(self.model, differences)
