"""Claims about models with some of their values replaced."""

from __future__ import annotations

import contextlib
import copy
import random
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

from autograder.extensions.keras.table import LAYERS
from autograder.extensions.keras.table_operations import OPERATIONS
from autograder.models import RefusedModel, rebuild
from helpers.graphs import GRAPHS
from helpers.model_layers import CASES, WRAPPED
from helpers.model_operators import OPERATORS
from helpers.own_models import UNROLLED
from helpers.rebuilding import sent

WRONG: list[Any] = [None, True, -1, 0, 1, 3, 2**31, 2**70, 1e308, 1e-308, float("nan"), float("inf"), 0.5, -7.25]
NAMES = [*LAYERS, *OPERATIONS]


def of_layers(
    layers: Callable[[Any], list[Any]], shape: tuple[int, ...], dtype: str = "float32"
) -> Callable[[Any], Any]:
    return lambda keras: keras.Sequential([keras.Input(shape, dtype=dtype), *layers(keras.layers)])


def of_operations(operate: Any) -> Callable[[Any], Any]:
    def build(keras: Any) -> Any:
        x, y = keras.Input((5, 4)), keras.Input((5, 4))
        return keras.Model([x, y], operate(keras.ops, keras.layers.Dense(4)(x), y))

    return build


def single(name: str, arguments: dict[str, Any]) -> Callable[[Any], list[Any]]:
    return lambda layers: [getattr(layers, name)(**arguments)]


def first(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda keras: make(keras)[0]


MODELS: list[Callable[[Any], Any]] = [
    *GRAPHS.values(),
    *(of_operations(operate) for operate in OPERATORS.values()),
    *(of_layers(layers, shape) for shape, layers in WRAPPED.values()),
    *(of_layers(single(name, arguments), shape, dtype) for dtype, name, arguments, shape in CASES),
    *(first(make) for make, _ in UNROLLED.values()),
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def mutate(claimed: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The claim with one to three of its values replaced: by a wrong one, by another of its own, or left out."""
    mutant = copy.deepcopy(claimed)
    for _ in range(chance.choice([1, 1, 2, 3])):
        found = list(
            places(
                {key: mutant[key] for key in ("kind", "config", "layers", "vocabularies", "compile", "unread", "probe")}
            )
        )
        place, key = chance.choice(found)
        other, where = chance.choice(found)
        kind = chance.random()
        if kind < 0.1 and isinstance(place, dict):
            place.pop(key)
        elif kind < 0.3:
            place[key] = copy.deepcopy(other[where])
        elif kind < 0.4:
            place[key] = chance.choice(NAMES)
        elif kind < 0.5 and type(place[key]) in (int, float):
            place[key] *= chance.choice([2, 100, 10**4, -1])
        else:
            place[key] = copy.deepcopy(chance.choice(WRONG))
    return mutant


def attack(keras: Any, seed: int, mutants: int, models: int) -> None:
    chance = random.Random(seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for build in chance.sample(MODELS, models):
        claimed, arrays = sent(build(keras))
        weights = sum(array.size for array in arrays)
        for _ in range(mutants // models):
            mutant = mutate(claimed, chance)
            start = time.perf_counter()
            with contextlib.suppress(RefusedModel):
                assert rebuild(mutant, arrays).count_params() <= weights
            assert time.perf_counter() - start < 20, mutant
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB
