"""Keras's models as a family of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograder._util.libraries import public_classes
from autograder._util.model_families import EvaluationsOfFamily, ModelFamily
from autograder.records.compiled import CompiledAs


def _rebuild(claim: Mapping[str, Any], weights: Sequence[Any], *, max_parameters: int = 50_000_000) -> Any:
    from autograder.extensions.keras import model_building

    return model_building.rebuild(claim, weights, max_parameters=max_parameters)


def _twin(claim: Sequence[Any], weights: Sequence[Any]) -> Any:
    from autograder.extensions.keras import model_building

    return model_building.twin_model(claim, weights)


def _described(plain: Mapping[str, Any], seed: int) -> tuple[Any, Any]:
    from autograder.extensions.keras import keras_description

    return keras_description.described(plain, seed)


def _layers(model: Any) -> Any:
    from autograder.extensions.keras import keras_layers

    return keras_layers.KerasLayers(model)


def _evaluations(solution: Mapping[str, CompiledAs] | None) -> EvaluationsOfFamily:
    from autograder.extensions.keras import evaluation_guards

    return evaluation_guards.KerasEvaluations(solution)


def _speed_up(fast: bool) -> None:
    from autograder.extensions.keras.kernel_side import fast_training

    fast_training.install(fast=fast)


def _canonical(run: Any) -> Any:
    from autograder.extensions.keras import pattern_words

    return pattern_words.fused(run)


FAMILY = ModelFamily(
    title="Keras",
    noun="Keras model",
    words=lambda: public_classes("keras.layers"),
    canonical=_canonical,
    rebuild=_rebuild,
    twin=_twin,
    described=_described,
    evaluations=_evaluations,
    layers=_layers,
    speed_up=_speed_up,
    modules=("autograder.extensions.keras.model_building",),
)
