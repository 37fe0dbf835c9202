"""Keys of course.yaml that say where ``autograder post`` sends results."""

from __future__ import annotations

from dataclasses import dataclass

from autograder._util.yaml_record import suggest
from autograder.course.extension_keys import ExtensionKey, Refusal
from autograder.records.course import Assignment, Course


@dataclass(frozen=True, slots=True)
class LearningSystem:
    """Learning system that takes results by its API."""

    kind: str = ""
    """Name of a registered system that has an API, such as ``canvas``."""
    url: str = ""
    """Its address, ``https://canvas.example.edu``."""
    course: int = 0
    """Number of the course there."""


def _check(system: LearningSystem, refusal: Refusal) -> LearningSystem:
    """Refuse an unknown kind, or a system without API, address or course."""
    from autograder.extensions.lms.systems import registered, system_names

    names = system_names()
    if system.kind not in names:
        kinds = [name for name in names if registered(name).has_api]
        near = suggest(system.kind, kinds) or f"; it is one of {', '.join(kinds)}"
        raise refusal(f"unknown kind {system.kind!r} in 'learning_system'{near}")
    if registered(system.kind).open is not None:
        return system
    if not registered(system.kind).has_api:
        raise refusal(f"{system.kind!r} in 'learning_system' takes no results by an API; use autograder post --into")
    if not system.url or system.course <= 0:
        raise refusal("'learning_system' needs url, its address, and course, the course's number there")
    return system


LEARNING_SYSTEM = ExtensionKey(LearningSystem(), check=_check)
POSTED_TO = ExtensionKey(None, int | None)


def learning_system(course: Course) -> LearningSystem:
    """Return the learning system of a course; its kind is empty where course.yaml names none."""
    value: LearningSystem = course.settings.get("learning_system", LEARNING_SYSTEM.default)
    return value


def posted_to(assignment: Assignment) -> int | None:
    """Return the number of the assignment in the learning system; None where course.yaml has none."""
    value: int | None = assignment.settings.get("posted_to")
    return value
