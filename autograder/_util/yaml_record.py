"""Strict conversion of YAML to frozen records: the records say which keys there are and of which type.

Every error names the line. This module knows nothing of courses; :mod:`autograder.course.course_yaml` does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import date, datetime, time, tzinfo
from pathlib import Path
from typing import Any

import yaml

from autograder._util.time_zones import placed
from autograder.errors import CourseError

MAX_BYTES = 1 << 20
_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "yes or no",
    datetime: "a date or a date and time (2027-01-31T23:59:00+00:00)",
}


def parse(path: Path) -> yaml.Node:
    """Parse a file into its tree of nodes.

    Raises:
        CourseError: it cannot be read, is not YAML, or is empty.
    """
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise CourseError(f"{path.name}: {len(data):,} bytes; a course needs less than {MAX_BYTES:,}")
        node = _composed(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CourseError(f"{path.name}: not UTF-8 text (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        todo = _syntax_remedy(str(error.problem))
        raise CourseError(f"{path.name}:{line}: not valid YAML: {error.problem}{todo}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CourseError(f"{path.name}: not valid YAML: {error}") from None
    except OSError as error:
        raise CourseError(f"{path.name}: cannot be read: {error.strerror}") from None
    if node is None:
        raise CourseError(f"{path.name}: is empty")
    return node


@functools.lru_cache(maxsize=4)
def _composed(text: str) -> yaml.Node | None:
    """Parse a text: a server reads the same course.yaml for each request. Readers leave the nodes as they are."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    """Return the types of a record's fields."""
    return typing.get_type_hints(kind)


_SYNTAX_REMEDIES = {
    # what the parser says: what to do
    "mapping values are not allowed": 'put a text with a colon in quotes (title: "Lesson 1: networks"), and begin '
    "keys of one mapping in one column",
    "'\\t'": "indent with spaces, not tabs",
    "cannot start any token": "put the text in quotes",
    "undefined alias": "put a text that begins with * in quotes",
    "expected <block end>": "begin keys of one mapping in one column, and put a text in quotes as a whole",
    "but got '<stream end>'": "close the bracket",
    "end of stream": "close the quotes",
}


def _syntax_remedy(problem: str) -> str:
    """``; put the text in quotes``, or nothing where it is not known what to do."""
    return next((f"; {todo}" for said, todo in _SYNTAX_REMEDIES.items() if said in problem), "")


@dataclasses.dataclass(frozen=True, slots=True)
class YamlReader:
    """Converter from the nodes of one file to values and records."""

    file: str
    """The file's name, for messages."""
    ranges: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    """Key → the smallest and the largest value that it may have."""
    shorthands: Mapping[type, str] = dataclasses.field(default_factory=dict)
    """Record type → the field that a bare value sets (``late: zero`` is ``late: {kind: zero}``)."""
    absent: Callable[[str], str] = lambda key: ""
    """Says what to install for a key of an extension that is not installed; empty for all other keys."""

    def error(self, node: yaml.Node, message: str) -> CourseError:
        """Make a CourseError that begins with the node's file and line."""
        return CourseError(f"{self.file}:{node.start_mark.line + 1}: {message}")

    def record(
        self, node: yaml.Node, section: str, default: Any, fixed: Iterable[str] = (), more: Iterable[str] = ()
    ) -> Any:
        """Return the record ``default`` with the fields that the mapping ``node`` sets; nested records likewise.

        ``fixed`` are fields that no key sets, ``more`` keys that are no fields and are left to the caller.
        """
        if is_null(node):
            return default
        kind = type(default)
        if kind in self.shorthands and isinstance(node, yaml.ScalarNode):
            key = self.shorthands[kind]
            return dataclasses.replace(default, **{key: self.value(node, str, key)})
        hints = _hints(typing.cast("Hashable", kind))
        changes: dict[str, Any] = {}
        for key, value in self.fields(node, section, kind, fixed, more).items():
            if key in more:
                continue
            if dataclasses.is_dataclass(hints[key]):
                changes[key] = self.record(value, f"{key!r} of {section}", getattr(default, key))
            else:
                changes[key] = self.value(value, hints[key], key)
        return dataclasses.replace(default, **changes)

    def fields(
        self,
        node: yaml.Node,
        section: str,
        kind: type[Any],
        fixed: Iterable[str] = (),
        more: Iterable[str] = (),
    ) -> dict[str, yaml.Node]:
        """Return the mapping's values by key; a key is a field of ``kind`` that is not ``fixed``, or of ``more``."""
        allowed = [*(f.name for f in dataclasses.fields(kind) if f.name not in fixed), *more]
        result = {}
        for name, (key, value) in self.pairs(node, section).items():
            if name not in allowed:
                if remedy := self.absent(name):
                    raise self.error(key, f"{name!r} {remedy}")
                raise self.error(key, f"unknown key {name!r} in {section}{_meant_key(name, allowed)}")
            result[name] = value
        return result

    def pairs(self, node: yaml.Node, section: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return key → (key node, value node); keys are text and occur once."""
        if is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{section} must be a mapping (key: value), not {_kind(node)}")
        result: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith(":str"):
                raise self.error(key, f"a key in {section} is {_kind(key)}, not text; put it in quotes")
            if key.value in result:
                first = result[key.value][0].start_mark.line + 1
                raise self.error(key, f"key {key.value!r} appears twice in {section} (first in line {first})")
            result[key.value] = (key, value)
        return result

    def value(self, node: yaml.Node, hint: Any, key: str) -> Any:
        """Convert the node to ``hint``.

        It is str, int, float, datetime (aware), tuple[str, ...], one of them or None, or a mapping from text to them.
        """
        if isinstance(hint, types.UnionType):
            if is_null(node):
                return None
            hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
        if typing.get_origin(hint) is tuple:
            return tuple(self.value(item, str, key) for item in self.items(node, key))
        if typing.get_origin(hint) is Mapping:
            wanted = typing.get_args(hint)[1]
            return {name: self.value(item, wanted, name) for name, (_, item) in self.pairs(node, repr(key)).items()}
        result = _fitted(self._scalar(node, key), hint)
        if type(result) is not hint:
            raise self.error(node, f"{key!r} must be {_NAMES[hint]}, not {_kind(node)}")
        low, high = self.ranges.get(key, (None, None))
        if low is not None and high is not None and not low <= result <= high:
            raise self.error(node, f"{key!r} is {node.value}; it must be between {low:g} and {high:g}")
        if hint is str and not result.strip():
            raise self.error(node, f"{key!r} is empty")
        return result

    def items(self, node: yaml.Node, key: str) -> list[yaml.Node]:
        """Return the nodes of a list; a missing value is an empty list, a single text a list of it."""
        if is_null(node):
            return []
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str") and node.value.strip():
            return [node]
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, f"{key!r} must be a list, not {_kind(node)}")
        return list(node.value)

    def _scalar(self, node: yaml.Node, key: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self.error(node, f"{key!r} must be a single value, not {_kind(node)}")
        try:
            return yaml.SafeLoader("").construct_object(node, deep=True)
        except (ValueError, OverflowError, yaml.YAMLError) as error:
            reason = str(error).splitlines()[0]
            raise self.error(node, f"{key!r}: {node.value[:60]!r} cannot be read ({reason})") from None


def is_null(node: yaml.Node) -> bool:
    """Tell whether the value was left out (``key:`` alone, or ``null``)."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _meant_key(name: str, allowed: Sequence[str]) -> str:
    """Return the one key that was meant (``due_date``: ``due``), or all of them: a wrong guess hides the right key."""
    near = difflib.get_close_matches(name, allowed, n=1, cutoff=0.8) or [
        key for key in allowed if name.startswith(f"{key}_")
    ]
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(allowed)}"


def suggest(name: str, names: Iterable[str]) -> str:
    """Return ``; did you mean 'limits'?`` for the nearest name, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


ZONE: ContextVar[tzinfo | None] = ContextVar("zone", default=None)
"""Zone of the file that is being read; None: UTC for what names none, and each other moment in its own."""


def aware(moment: datetime) -> datetime:
    """Add the zone UTC to a moment that names none."""
    return placed(moment, None)


def _fitted(value: Any, hint: Any) -> Any:
    """Convert a value as people mean it: whole number to float, date to the end of its day."""
    if hint is float and type(value) is int:
        return float(value)
    if hint is datetime and type(value) is str:
        with contextlib.suppress(ValueError):  # YAML's own times have seconds
            value = date.fromisoformat(value) if len(value) <= len("2027-01-31") else datetime.fromisoformat(value)
    if hint is datetime and type(value) is date:
        value = datetime.combine(value, time(23, 59, 59))
    return placed(value, ZONE.get()) if isinstance(value, datetime) else value


def _kind(node: yaml.Node) -> str:
    """Describe a node in words."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    names = {"str": "text", "int": "a whole number", "float": "a number", "bool": "yes/no", "null": "nothing"}
    tag = node.tag.rpartition(":")[2]
    name = "a date" if tag == "timestamp" else names.get(tag, tag)
    return f"{name} ({str(node.value)[:60]!r})" if node.value else name
