"""Keys of course.yaml that extensions register: the course file reads them, and their extension alone uses them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import yaml

from autograder._util import registry
from autograder.course.course_yaml import READER
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course

Refusal = Callable[[str], CourseError]
"""Makes the error for a message, with the file and line of the key."""


def _unchecked(value: Any, refusal: Refusal) -> Any:
    return value


def _unchecked_release(value: Any, course: Course, assignment: Assignment) -> None:
    pass


@dataclasses.dataclass(frozen=True)
class ExtensionKey:
    """A key of course.yaml, with the kind of its value and its rules."""

    default: Any
    """A frozen dataclass of plain values, whose fields are the keys below this one; or a plain value."""
    hint: Any = None
    """For a plain value: its type, such as ``int`` or ``str | None``."""
    check: Callable[[Any, Refusal], Any] = _unchecked
    """Returns the value as it is kept, or raises ``refusal(message)``."""
    ranges: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    """Key below this one → smallest and largest value."""
    check_release: Callable[[Any, Course, Assignment], None] = _unchecked_release
    """Raises a CourseError for a value that does not fit the source of an assignment that is to be released."""


def read_extension_keys(
    keys: Mapping[str, yaml.Node], group: str, section: str, general: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Read the keys that extensions registered, as far as they are there.

    Args:
        keys: key → its value.
        group: :data:`~autograder._util.registry.COURSE_KEYS` or :data:`~autograder._util.registry.ASSIGNMENT_KEYS`.
        section: what the keys belong to, for messages; empty for the course.
        general: values of the course that hold for all assignments.

    Raises:
        CourseError: a value is wrong.
        HostError: an extension cannot be loaded.
    """
    values = dict(general)
    for name in registry.names(group):
        if name in keys:
            values[name] = _read(name, keys[name], registry.load(group, name), section, values)
    return values


def check_settings(course: Course, assignment: Assignment) -> None:
    """Check before a release what extensions' keys say of an assignment.

    Raises:
        CourseError: a value does not fit the assignment's source.
        HostError: an extension cannot be loaded.
    """
    for name in registry.names(registry.ASSIGNMENT_KEYS):
        if name in assignment.settings:
            key: ExtensionKey = registry.load(registry.ASSIGNMENT_KEYS, name)
            key.check_release(assignment.settings[name], course, assignment)


def _read(name: str, node: yaml.Node, key: ExtensionKey, section: str, general: Mapping[str, Any]) -> Any:
    reader = dataclasses.replace(READER, ranges={**READER.ranges, **key.ranges})
    default = general.get(name, key.default)
    if dataclasses.is_dataclass(default):
        value = reader.record(node, f"{name!r} of {section}" if section else repr(name), default)
    else:
        value = reader.value(node, key.hint, name)
    return key.check(value, partial(READER.error, node))
