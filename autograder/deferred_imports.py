"""Imports that wait: what another package imports, and is asked for late or never, is imported when it is asked for."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

_OF_A_PACKAGE = ("__all__", "__version__")
"""What a package's own module has to say. Other names of this kind are asked of every module that there is."""


def defer(name: str, **places: str) -> None:
    """From now on the package ``name`` is there without what its ``__init__.py`` imports. Its modules are imported as
    ever, and that file runs when the package is asked for a name that is none of theirs. A package that is imported
    already, or is not installed, stays as it is.

    Args:
        name: the package's.
        places: names that it can be asked for without that, and the module of its own that each is from.
    """
    if name in sys.modules or (spec := importlib.util.find_spec(name)) is None or spec.loader is None:
        return
    package, loader = importlib.util.module_from_spec(spec), spec.loader

    def asked(attribute: str) -> Any:
        if attribute in places:
            return getattr(importlib.import_module(f"{name}.{places[attribute]}"), attribute)
        if attribute.startswith("__") and attribute not in _OF_A_PACKAGE:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        module = f"{name}.{attribute}"
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
        del package.__dict__["__getattr__"]
        try:
            loader.exec_module(package)
        except BaseException:
            package.__dict__["__getattr__"] = asked
            raise
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = asked
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


@contextlib.contextmanager
def standing_in(modules: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Meanwhile, who imports one of ``modules`` gets a stand-in that has the functions that are named, each of which
    imports it when it is called. What is imported already, or is not installed, stays as it is."""
    absent = {name: functions for name, functions in modules.items() if name not in sys.modules and _is_installed(name)}
    for name, functions in absent.items():
        stand_in = ModuleType(name)
        for function in functions:
            setattr(stand_in, function, _later(name, function))
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _is_installed(name: str) -> bool:
    """Found without importing what it lies in."""
    return importlib.util.find_spec(name.split(".")[0]) is not None


def _later(module: str, function: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*args, **kwargs)

    return call
