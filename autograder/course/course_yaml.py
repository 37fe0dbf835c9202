"""What all of course.yaml has in common: its reader, the ranges of its numbers, the message about an unknown value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

import yaml

from autograder._util import registry
from autograder._util.yaml_record import YamlReader, suggest
from autograder.records.course import Engine, Examine
from autograder.records.limits import MAX_FILE_MIB
from autograder.records.policies import Attempts, Curve, LatePolicy, Visibility

COURSE_FILE = "course.yaml"
_T = TypeVar("_T")

# Smallest and largest value: wide enough for any course, narrow enough to catch a wrong unit.
RANGES: Mapping[str, tuple[float, float]] = {
    "cell_seconds": (0.1, 86_400),
    "notebook_seconds": (0.1, 604_800),
    "memory_mib": (64, 4_194_304),
    "examiner_memory_mib": (512, 4_194_304),
    "processes": (8, 65_536),
    "disk_mib": (1, 4_194_304),
    "cpu_seconds": (1, 2_419_200),
    "output_mib": (0.01, 1024),
    "file_mib": (10, MAX_FILE_MIB),
    "threads": (1, 256),
    "points": (0, 1_000_000),
    "decimals": (0, 6),
    "per_day": (0, 1),
    "drop": (0, 1000),
    "drop_questions": (0, 1000),
    "weight": (0, 1_000_000),
    "cap": (0, 1_000_000),
    "factor": (0, 1000),
    "step": (0, 1),
    "daily": (1, 1000),
    "total": (1, 100_000),
    "team_size": (1, 1000),
    "budget": (0, 366),
    "per_assignment": (0, 366),
    "late_days": (0, 366),
    "days": (0, 366),
    "grace_hours": (0, 8760),
    "patience_seconds": (1, 604_800),
}


def _absent(key: str) -> str:
    return registry.absence(key, registry.COURSE_KEYS, registry.ASSIGNMENT_KEYS)


READER = YamlReader(
    COURSE_FILE,
    RANGES,
    {
        LatePolicy: "kind",
        Engine: "kind",
        Examine: "where",
        Curve: "kind",
        Attempts: "counts",
        Visibility: "before_due",
    },
    _absent,
)
_RESERVED = frozenset('/\\+{}:"*?<>|')


def read_value(keys: Mapping[str, yaml.Node], name: str, default: _T) -> _T:
    """Read the value of a key, of the default's type; return the default where the key is missing."""
    return cast(_T, READER.value(keys[name], type(default), name)) if name in keys else default


def read_record(keys: Mapping[str, yaml.Node], name: str, default: _T) -> _T:
    """Read the record below a key; return the default where the key is missing."""
    return cast(_T, READER.record(keys[name], repr(name), default)) if name in keys else default


def check_known(node: yaml.Node, value: str, choices: Sequence[str], message: str) -> None:
    """Refuse an unknown value; the message ends with the nearest of the known ones, or with all of them."""
    if value not in choices:
        raise READER.error(node, message + (suggest(value, choices) or f"; it is one of {', '.join(choices)}"))


def check_name(node: yaml.Node, name: str, usage: str) -> None:
    """Refuse a name that cannot name a folder."""
    if name != name.strip() or name.startswith((".", "-")) or not name.isprintable() or _RESERVED & {*name}:
        reason = "it names a folder; use letters, digits, '-', '_' and '.'"
        raise READER.error(node, f"{name!r} cannot be {usage}: {reason}")
