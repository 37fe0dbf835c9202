"""Conversion of frozen records to plain JSON and back, by their type hints. Machines exchange data and never code."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

_Record = TypeVar("_Record")


def to_plain(value: Any) -> Any:
    """Convert ``value`` (a record, or a value in one) into numbers, texts, lists and dicts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[_Record], data: Any) -> _Record:
    """Rebuild the record of type ``kind`` from the data that :func:`to_plain` made.

    Returns:
        A record that is equal to the original.

    Raises:
        ValueError: ``data`` is no such record: a field is missing, unknown, of another type, or not finite.
    """
    try:
        return typing.cast(_Record, _record(kind, data))
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from error


def loads(data: bytes, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Read strict JSON, without NaN and Infinity.

    Raises:
        ValueError, RecursionError: it is no such JSON.
    """
    return json.loads(data, parse_constant=_refuse, object_pairs_hook=object_pairs_hook)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _record(kind: type[Any], data: Any) -> Any:
    hints = _hints(typing.cast(Any, kind))
    names = {field.name for field in dataclasses.fields(kind)}
    if data.keys() != names:
        raise ValueError(f"{kind.__name__} has other fields than {', '.join(sorted(data.keys() ^ names))}")
    return kind(**{name: _value(hints[name], item) for name, item in data.items()})


@functools.lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, data: Any) -> Any:
    if hint is Any:
        return data
    if isinstance(hint, types.UnionType):
        if data is None:
            return None
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return tuple(_value(arguments[0], item) for item in _is(list, data))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _value(arguments[1], item) for key, item in _is(dict, data).items()}
    if dataclasses.is_dataclass(hint):
        return _record(typing.cast("type[Any]", hint), data)
    if hint is datetime:
        return datetime.fromisoformat(data)
    if issubclass(hint, enum.Enum):
        return hint(data)
    return _is(hint, float(data) if hint is float and type(data) is int else data)


def _is(kind: type[Any], data: Any) -> Any:
    if type(data) is not kind:
        raise TypeError(f"{data!r:.80} should be {kind.__name__}")
    if kind is float and not math.isfinite(data):
        raise TypeError(f"{data!r} should be a finite number")
    return data
