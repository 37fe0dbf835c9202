"""The solution's network beside a student's: what computes the same is what was asked, however its layers are written.

A pattern lists layers, and no list has every way to write them. So the release notes what the solution's network
computes where it fits a pattern, without its weights. Where a student's network does not fit, it is compared with that.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Sequence
from typing import Any, Literal

from autograder._util import registry
from autograder.check.asking import solution_networks
from autograder.check.differences import Difference
from autograder.check.results import recording
from autograder.errors import CourseError
from autograder.models.network import Network
from autograder.records.checks import is_undecided

_CHECK = "computes"
_SECONDS = 20.0
"""Processor time in which weights are matched."""
_OF_TRAINING = frozenset(["p", "dropout", "momentum"])
"""Settings that say nothing of what a network computes once it is trained."""


def key(name: str, pattern: str) -> str:
    """Name a check and its pattern, of which a test may have several."""
    return f"{name} {hashlib.sha256(pattern.encode()).hexdigest()[:12]}"


def note(model: Any, of: str) -> None:
    """Note what a network computes that fits a pattern, if it is the solution's."""
    if isinstance(model, Network):
        solution_networks(of, model.description)


def compare(model: Any, of: str, lines: Sequence[Difference]) -> Literal["same", "undecided"] | None:
    """Tell whether a network computes what the solution's does; None if it does not, or nobody knows.

    Args:
        model: a network that does not fit a pattern.
        of: the :func:`key` of the check.
        lines: the differences.
    """
    if (
        not isinstance(model, Network)
        or any(map(_is_of_training, lines))
        or _CHECK not in registry.names(registry.CHECKS)
    ):
        return None
    verdicts = {_compared(model, json.loads(text)) for text in solution_networks(of, str)}
    return "same" if "same" in verdicts else "undecided" if "undecided" in verdicts else None


def _is_of_training(line: Difference) -> bool:
    kinds = [line.step.kind if line.step is not None else "", line.pattern.kind if line.pattern is not None else ""]
    return line.attribute in _OF_TRAINING or any("Dropout" in kind for kind in kinds)


def _compared(model: Network, description: Any) -> str:
    package = importlib.import_module(registry.package(registry.MODELS, description["library"]))
    reference, rows = package.described(description)
    if reference.noise() != model.noise():
        return "other"
    computes = registry.load(registry.CHECKS, _CHECK)
    with recording() as results:
        try:
            computes(model, like=reference, rows=rows, seconds=_SECONDS, show=False)
        except CourseError:  # the solution's network is not computed with other weights
            return "other"
    (result,) = results
    return "undecided" if is_undecided(result) else "same" if result.fraction == 1 else "other"
