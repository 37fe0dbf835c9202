"""The solution's network beside a student's: what computes the same is what was asked, however its layers are written.

A pattern lists layers, and no list has every way to write them. So the release notes what the solution's network
computes where it fits a pattern, without its weights. Where a student's network does not fit, it is compared with that.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Any, Literal

from autograder._util import registry
from autograder._util.model_families import family
from autograder.check.asking import solution_networks
from autograder.check.prediction_cache import CachedModel
from autograder.check.results import recording
from autograder.errors import CourseError
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.pattern import LayerPattern, Run, singles
from autograder.extensions.networks.subject import has_weights, is_keras, layers_of
from autograder.records.checks import UNFINISHED, is_undecided

_CHECK = "computes"
_MAX_WORK = 5e7
"""Most multiplications for a row of a network that is compared; a larger one takes minutes, and the pattern decides."""
_SECONDS = 20.0
"""Processor time in which weights are matched."""
_OF_TRAINING = frozenset(["momentum", "trainable", "seed", "unit_forget_bias"])
_ENDS_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")
"""Settings that say nothing of what a network computes once it is trained: no other way counts for them."""


def key(name: str, pattern: str) -> str:
    """Name a check and its pattern, of which a test may have several."""
    return f"{name} {hashlib.sha256(pattern.encode()).hexdigest()[:12]}"


def note(model: Any, of: str) -> bool:
    """Note what a network computes that fits a pattern, if it is the solution's; return whether it is."""
    layers = layers_of(model) if isinstance(model, Network) or _is_rebuilt(model) else None
    if layers is None:
        return False
    described: list[str] = []

    def describe() -> str:
        described.append(layers.description())
        return described[0]

    solution_networks(of, describe)
    return bool(described)


def compare(model: Any, of: str, pattern: Run) -> Literal["same", "undecided"] | None:
    """Tell whether a network computes what the solution's does; None if it does not, or nobody knows.

    Args:
        model: a network that does not fit a pattern.
        of: the :func:`key` of the check.
        pattern: the pattern.
    """
    if not (_is_rebuilt(model) or (isinstance(model, Network) and model.multiplications_per_row <= _MAX_WORK)):
        return None
    if any(map(_asks_of_training, singles(pattern))):
        return None
    descriptions = solution_networks(of, str)
    if not descriptions or _CHECK not in registry.names(registry.CHECKS):
        return None
    verdicts = {_compared(model, json.loads(text), _seed(of, text)) for text in descriptions}
    return "same" if "same" in verdicts else "undecided" if "undecided" in verdicts else None


def _is_rebuilt(model: Any) -> bool:
    return is_keras(model) and type(model) is not CachedModel and has_weights(model)


def _asks_of_training(single: LayerPattern) -> bool:
    """Return whether a pattern, or one for what is inside a layer, asks what only a training shows."""
    if any(name in _OF_TRAINING or name.endswith(_ENDS_OF_TRAINING) for name in single.attributes):
        return True
    values = [value if type(value) in (list, tuple) else [value] for value in single.attributes.values()]
    return any(isinstance(held, LayerPattern) and _asks_of_training(held) for held in itertools.chain(*values))


def _seed(of: str, text: str) -> int:
    """Return a seed that nobody foresees who lacks the hidden pattern, and that is the same for the same test."""
    return int.from_bytes(hashlib.sha256(f"{of} {text}".encode()).digest()[:8], "little")


def _compared(model: Any, description: Any, seed: int) -> str:
    library = description["library"]
    try:
        registration: Any = family(library)
        reference, rows = registration.described(description, seed)
    except Exception:  # another version of the library than at the release, whose tests of the pattern still count
        return "other"
    layers = layers_of(reference), layers_of(model)
    if layers[0] is None or layers[1] is None:
        return "other"
    ours, theirs = layers[0].in_training(), layers[1].in_training()
    if ours.normalizations != theirs.normalizations or ours.draws or theirs.draws:
        return "other"  # nothing here tells where a network adds noise in a training
    computes = registry.load(registry.CHECKS, _CHECK)
    with recording() as results:
        try:
            computes(model, like=reference, rows=rows, dropout=ours.drops or theirs.drops, seconds=_SECONDS, show=False)
        except CourseError:  # the solution's network is not computed with other weights
            return "other"
    (result,) = results
    if is_undecided(result):
        return "other" if result.evidence.get(UNFINISHED) else "undecided"  # the pattern decides about a large network
    return "same" if result.fraction == 1 else "other"
