"""Properties that a model must have on the very calls that are scored, such as causality.

A model could have a property on some rows and lack it on those of a loss, where only their number or their length
differs. So a check that finds a property states it here, and what is scored inside ``only_if`` of its result measures
the property once more, on its own rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from autograder._util import registry
from autograder.check.handle import reference_of
from autograder.records.checks import CheckResult


@dataclass(frozen=True)
class Prediction:
    """A model's outputs for all rows."""

    outputs: np.ndarray
    """float64, rows first."""
    remark: str
    """A remark for the person who reads the result; empty if there is none."""


@dataclass(frozen=True)
class Shortcoming:
    """What speaks against a property."""

    message: str
    """A sentence for the student."""
    detail: str
    """One for the instructor."""
    for_a_person: bool = False
    """Whether nothing was seen, and a test cannot tell."""


Property = Callable[[Any, Any, int | None, Prediction], Shortcoming | None]
"""``property(model, inputs, part, prediction)`` measures it on the calls that gave a prediction."""


def registered_property(name: str, setting: Any) -> Property:
    """Return a property that an extension registers, for what a test says of it.

    Raises:
        CourseError: the test cannot mean that.
        HostError: no installed extension registers it.
    """
    return cast("Property", registry.load(registry.PROPERTIES, name)(setting))


def state(result: CheckResult, model: Any, measure: Property) -> CheckResult:
    """Note that a check looked for a property of a model, and return its result."""
    _stated.append((result, model, measure))
    return result


@contextmanager
def demanding(results: Sequence[CheckResult]) -> Iterator[None]:
    """Demand in the block what the checks with these results looked for."""
    demanded = [entry for entry in _stated if any(entry[0] is result for result in results)]
    token = _demanded.set((*_demanded.get(), *demanded))
    try:
        yield
    finally:
        _demanded.reset(token)


def demanded_of(model: Any) -> list[Property]:
    """Return the properties that surrounding blocks demand of a model."""
    return [measure for _, subject, measure in _demanded.get() if _is_same(model, subject)]


def _is_same(model: Any, subject: Any) -> bool:
    reference = reference_of(model)
    return model is subject or (reference is not None and reference == reference_of(subject))


_stated: deque[tuple[CheckResult, Any, Property]] = deque(maxlen=64)
_demanded: ContextVar[tuple[tuple[CheckResult, Any, Property], ...]] = ContextVar("demanded", default=())
