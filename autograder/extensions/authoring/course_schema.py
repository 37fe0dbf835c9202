"""A JSON schema of course.yaml, made from the records that its reader fills: editors complete and check with it."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import json
import textwrap
import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from autograder._util import registry
from autograder.course.assignment_settings import COUNTING, CURVES, LATE_KINDS, PLACES, SHOWN_BEFORE_DUE, STUDENT_KITS
from autograder.course.course_file import ROUNDINGS, TopKeys
from autograder.course.course_yaml import RANGES, READER
from autograder.course.extension_keys import ExtensionKey
from autograder.course.sandboxes import sandboxes
from autograder.records.course import TRAINING, Assignment, Course, Examine
from autograder.records.dates import Extension
from autograder.records.policies import Attempts, Curve, LateDays, LatePolicy, Visibility

SCHEMA_FILE = "course.schema.json"
"""Name of the schema beside course.yaml."""
_CHOICES: Mapping[tuple[type, str], Sequence[str]] = {
    (Assignment, "student"): STUDENT_KITS,
    (Assignment, "training"): TRAINING,
    (Attempts, "counts"): COUNTING,
    (Curve, "kind"): CURVES,
    (Examine, "where"): PLACES,
    (LateDays, "round"): ROUNDINGS,
    (LatePolicy, "kind"): LATE_KINDS,
    (Visibility, "before_due"): SHOWN_BEFORE_DUE,
}
_OWN_FIELDS = {Assignment: {"name", "settings"}, Extension: {"place"}}
"""Record → fields that no key sets."""
_TYPES: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string", "minLength": 1},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"},
}

Schema = dict[str, Any]


def schema_text() -> str:
    """Return the schema as JSON, with the keys of the extensions that are installed."""
    return json.dumps(course_schema(), indent=2, ensure_ascii=False) + "\n"


def course_schema() -> Schema:
    """Make the schema of course.yaml (JSON Schema, draft 7).

    What it refuses, ``autograder release`` refuses, too. Rules between keys, and whether files are there, are no part
    of it.
    """
    schema = _record(TopKeys, RANGES, registry.COURSE_KEYS)
    schema["properties"]["assignments"]["additionalProperties"] = _or_null(
        _record(Assignment, RANGES, registry.ASSIGNMENT_KEYS)
    )
    shared, of_course = schema["properties"], _descriptions(typing.cast(Hashable, Course))
    for name, text in of_course.items():
        shared.get(name, {}).setdefault("description", text)
    return (
        {"$schema": "http://json-schema.org/draft-07/schema#", "title": "course.yaml"}
        | schema
        | {
            "type": "object",
            "required": ["course"],
        }
    )


def _record(kind: type[Any], ranges: Mapping[str, tuple[float, float]], registered: str = "") -> Schema:
    """Return the schema of a mapping whose keys are a record's fields, and those that extensions register."""
    hints, texts = typing.get_type_hints(kind), _descriptions(typing.cast(Hashable, kind))
    properties: Schema = {}
    for field in dataclasses.fields(kind):
        if field.name in _OWN_FIELDS.get(kind, ()):
            continue
        properties[field.name] = _value(hints[field.name], ranges, field.name)
        if choices := _CHOICES.get((Assignment if kind is TopKeys else kind, field.name)):
            properties[field.name] = {"enum": list(choices)}
        if field.name == "sandbox":
            properties[field.name] = {"enum": list(sandboxes())}
        if field.name in texts:
            properties[field.name]["description"] = texts[field.name]
    if kind is TopKeys:
        properties["title"] = _or_null(properties["title"])
    for name in registry.names(registered) if registered else ():
        properties[name] = _registered(registry.load(registered, name), ranges, name)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _registered(key: ExtensionKey, ranges: Mapping[str, tuple[float, float]], name: str) -> Schema:
    """Return the schema of a key that an extension registers."""
    ranges = {**ranges, **key.ranges}
    kind = type(key.default)
    return _value(kind if dataclasses.is_dataclass(kind) else key.hint, ranges, name)


def _value(hint: Any, ranges: Mapping[str, tuple[float, float]], name: str) -> Schema:
    """Return the schema of a value of a type, as the reader of course.yaml converts it."""
    if isinstance(hint, types.UnionType):
        return _or_null(
            _value(next(option for option in typing.get_args(hint) if option is not types.NoneType), ranges, name)
        )
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        element = _value(arguments[0], ranges, name)
        single = [element] if arguments[0] is str else []
        return _or_null({"anyOf": [*single, {"type": "array", "items": element}]})
    if origin is Mapping:
        return _or_null({"type": "object", "additionalProperties": _value(arguments[1], ranges, name)})
    if dataclasses.is_dataclass(hint):
        mapping, key = _record(typing.cast("type[Any]", hint), ranges), READER.shorthands.get(typing.cast("type", hint))
        return _or_null({"anyOf": [mapping["properties"][key], mapping]} if key else mapping)
    low, high = ranges.get(name, (None, None))
    return dict(_TYPES[hint]) | ({} if low is None else {"minimum": low, "maximum": high})


def _or_null(schema: Schema) -> Schema:
    """Allow a key without a value, too."""
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}


@functools.cache
def _descriptions(kind: Hashable) -> Mapping[str, str]:
    """Return a record's fields with what their docstrings say, in one line of Markdown."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(typing.cast("type[Any]", kind)))).body
    assert isinstance(body, ast.ClassDef)
    texts = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(words))):
                texts[name] = " ".join(words.replace("``", "`").split())
    return texts
