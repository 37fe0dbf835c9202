"""Python's ``inspect`` for objects in the kernel: sources and signatures are claims, read as data."""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import Any

from autograder.check.handle import reference_of
from autograder.errors import RemoteError

APPARENT_TYPES: dict[str, type] = {
    "builtins.function": types.FunctionType,
    "builtins.method": types.MethodType,
    "builtins.builtin_function_or_method": types.BuiltinFunctionType,
    "builtins.generator": types.GeneratorType,
}
"""Types that ``isinstance`` reports for functions and generators in the kernel, so that ``inspect.isfunction`` works.
None of them is plain data."""

FORWARDED_ATTRIBUTES = frozenset(
    ["__name__", "__qualname__", "__doc__", "__module__", "__dict__", "__annotations__", "__defaults__",
     "__kwdefaults__", "__code__", "__closure__", "__wrapped__", "__func__", "__self__", "__init__",
     "__abstractmethods__", "__isabstractmethod__", "__slots__", "__match_args__"]
)  # fmt: skip
"""Special attributes that are read from the kernel like any other."""


def signature(described: Any) -> inspect.Signature:
    """Return the signature that the kernel describes.

    Raises:
        RemoteError: the description is invalid.
    """
    try:
        parameters = [
            inspect.Parameter(
                name,
                inspect._ParameterKind(kind),
                default=_first_or_empty(default),
                annotation=_first_or_empty(annotation),
            )
            for name, kind, default, annotation in described["parameters"]
        ]
        return inspect.Signature(parameters, return_annotation=_first_or_empty(described["returns"]))
    except Exception:
        raise RemoteError("the notebook's kernel gave an answer that cannot be read") from None


def _first_or_empty(values: list[Any]) -> Any:
    return values[0] if values else inspect.Parameter.empty


def data_fields(names: Any) -> dict[str, Any]:
    """Return the fields of a student's data class, for ``dataclasses.fields`` and ``asdict``.

    Raises:
        AttributeError: the class is not a data class.
    """
    if type(names) is not list or not all(type(name) is str for name in names):
        raise AttributeError("__dataclass_fields__")
    fields = {name: dataclasses.field() for name in names}
    for name, field in fields.items():
        field.name, field._field_type = name, dataclasses._FIELD  # type: ignore[attr-defined]
    return fields


_findsource = inspect.findsource


def _find_source(obj: Any) -> tuple[list[str], int]:
    """Extend ``inspect.findsource`` to objects in the kernel."""
    if reference_of(obj) is None:
        return _findsource(obj)
    remote = type.__getattribute__(obj, "_class_remote") if isinstance(obj, type) else obj._remote
    text = remote.ask("operate", "source", (obj,))
    if type(text) is not str:
        raise OSError("could not get source code")
    return text.splitlines(keepends=True), 0


inspect.findsource = _find_source  # type: ignore[assignment]
