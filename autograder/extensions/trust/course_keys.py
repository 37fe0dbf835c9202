"""The key ``audit`` of course.yaml: what an audit of the tests must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.course.extension_keys import ExtensionKey, Refusal
from autograder.records.course import Assignment


@dataclass(frozen=True, slots=True)
class AuditFloor:
    """The result that an audit of the tests must reach, else its exit code is 1."""

    caught: float | None = None
    """Smallest share of wrong answers that are caught, 0 to 1; None: none is demanded."""
    right: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Answer (grade_id) → changes that the task allows, in an audit's words: with them, it must keep all points."""
    wrong: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Answer (grade_id) → honest rewrites that the task forbids, in an audit's words: they must lose points."""


def _check_course(floor: AuditFloor, refusal: Refusal) -> AuditFloor:
    """Refuse answers: they are an assignment's."""
    for name in ("right", "wrong"):
        if getattr(floor, name):
            raise refusal(f"{name!r} names answers, so it belongs into 'audit' of an assignment")
    return floor


_RANGES = {"caught": (0.0, 1.0)}
OF_COURSE = ExtensionKey(AuditFloor(), check=_check_course, ranges=_RANGES)
OF_ASSIGNMENT = ExtensionKey(AuditFloor(), ranges=_RANGES)


def audit_floor(assignment: Assignment) -> AuditFloor:
    """Return what an audit of the assignment's tests must reach."""
    floor: AuditFloor = assignment.settings.get("audit", OF_ASSIGNMENT.default)
    return floor
