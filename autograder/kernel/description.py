"""Descriptions of the student's classes, functions and exceptions for the examiner, as plain data."""

from __future__ import annotations

import ast
import asyncio
import builtins
import dataclasses
import importlib
import inspect
import linecache
import sys
import time
from collections.abc import Callable
from typing import Any

from .. import codec

MOMENT_SECONDS = 0.02
"""How long :meth:`Prefetcher.take` collects items."""


def class_of(kind: type) -> dict[str, Any]:
    """Describe a class: name, docstring, bases, and the names of Python's own classes among its ancestors."""
    return {
        "name": kind.__name__[:200],
        "doc": kind.__doc__ if type(kind.__doc__) is str else None,
        "bases": [base for base in kind.__bases__ if base.__module__ != "builtins"],
        "builtins": [c.__name__ for c in kind.__mro__ if c.__module__ in ("builtins", "collections")],
        "calls": callable(getattr(kind, "__call__", None)) and "__call__" in _names(kind),  # noqa: B004
        "truth": bool({"__bool__", "__len__"} & _names(kind))
        or issubclass(kind, (list, dict, tuple, set, str, int, float)),
    }


def library_name(value: Any) -> str | None:
    """Return ``module:name`` of a function or class; None for an object without such names.

    The examiner uses this for its own libraries' objects, too: the same function has the same name there.
    """
    module = getattr(value, "__module__", None) or getattr(type(value), "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if type(module) is not str or type(name) is not str or "<" in name:
        return None
    return f"{module}:{name}"


def _names(kind: type) -> set[str]:
    return {name for c in kind.__mro__ if c.__module__ != "builtins" for name in vars(c)}


def signature_of(function: Any) -> dict[str, Any]:
    """Describe a signature: parameters ``(name, kind, default, annotation)`` and the return annotation.

    A missing default or annotation is an empty list, another is a list of one.
    """
    signature = inspect.signature(function)
    parameters = [
        (p.name, int(p.kind), _unless_empty(p.default, p.empty), _unless_empty(p.annotation, p.empty))
        for p in signature.parameters.values()
    ]
    return {"parameters": parameters, "returns": _unless_empty(signature.return_annotation, signature.empty)}


def _unless_empty(value: Any, empty: Any) -> list[Any]:
    return [] if value is empty else [value]


def error(error: BaseException, causes: int = 3) -> dict[str, Any]:
    """Describe an exception: names of its classes, text, plain arguments, the student's lines, and causes."""
    try:
        args = list(codec.decode(*codec.encode(error.args)))
    except Exception:
        args = []
    try:
        text = str(error)[:10_000]
    except Exception:
        text = ""
    lines: list[tuple[str, int, str]] = []
    trace = error.__traceback__
    while trace is not None and len(lines) < 200:
        lines.append((trace.tb_frame.f_code.co_filename[:200], trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    return {
        "classes": [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"],
        "name": type(error).__name__[:200],
        "text": text,
        "args": args,
        "trace": lines[1:],
        "cause": error_of(error.__cause__, causes - 1) if error.__cause__ is not None and causes else None,
    }


error_of = error


_entered: dict[int, tuple[Any, Any]] = {}
"""``id`` of a context manager whose block runs → itself, and what it gave to ``as``."""


def enter(value: Any) -> Any:
    """Enter a ``with`` block."""
    entered = value.__enter__()
    _entered[id(value)] = value, entered
    return entered


def entered(value: Any) -> Any:
    """Return, after a ``with`` block, what its context manager had given to ``as``, as it is now."""
    return _entered.pop(id(value), (None, None))[1]


def leave(value: Any, raised: Any) -> Any:
    """Leave a ``with`` block.

    Args:
        value: the context manager.
        raised: the exception itself, the name of a built-in one, or None.
    """
    if raised is None:
        return value.__exit__(None, None, None)
    if isinstance(raised, str):
        raised = getattr(builtins, raised)()
    return value.__exit__(type(raised), raised, raised.__traceback__)


def wait(awaitable: Any) -> Any:
    """Run a coroutine in an event loop of its own: the kernel's loop is busy with the present request."""
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(awaitable)
        finally:
            loop.close()
    finally:
        asyncio._set_running_loop(outer)


class Prefetcher:
    """An iterator that can give several items at once. An exception waits until the items before it are taken."""

    def __init__(self, iterable: Any) -> None:
        self.iterator = iter(iterable)
        self.error: Any = None

    def take(self, max_items: int) -> list[Any]:
        """Return up to ``max_items`` items that come within a moment; none at the end."""
        if self.error is not None:
            raise self.error
        items: list[Any] = []
        until = time.monotonic() + MOMENT_SECONDS
        try:
            while len(items) < max_items and (not items or time.monotonic() < until):
                items.append(next(self.iterator))
        except StopIteration:
            pass
        except BaseException as error:
            if not items:
                raise
            self.error = error
        return items


def source_of(value: Any) -> str:
    """Return the source of a function, method or class; ``inspect`` does not find a notebook's classes."""
    if not isinstance(value, type):
        return inspect.getsource(value)
    codes = [f.__code__ for f in vars(value).values() if inspect.isfunction(f) and f.__module__ == value.__module__]
    names = [c.co_filename for c in codes if c.co_filename in linecache.cache]
    cells = [name for name, entry in linecache.cache.items() if len(entry) == 4 and entry[1] is None]  # no files
    for name in [*names[:1], *reversed(cells)]:
        lines = linecache.getlines(name)
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            continue
        for node in reversed(list(ast.walk(tree))):
            if isinstance(node, ast.ClassDef) and node.name == value.__name__:
                return "".join(inspect.getblock(lines[node.lineno - 1 :]))
    return inspect.getsource(value)


def seed(module: str, name: str, args: Any, kwargs: Any) -> None:
    """Seed a generator of random numbers if its library is in use.

    NumPy imports its own when it is first needed.
    """
    if module.partition(".")[0] in sys.modules:
        getattr(importlib.import_module(module), name)(*args, **kwargs)


_patched: dict[tuple[str, str], list[Any]] = {}
_MISSING = object()


def patch(module: str, name: str, value: Any) -> None:
    """Set what a test has put into a library's module in the same module of this process."""
    library = importlib.import_module(module)
    _patched.setdefault((module, name), []).append(vars(library).get(name, _MISSING))
    setattr(library, name, value)


def unpatch(module: str, name: str) -> None:
    """Undo the last :func:`patch` of that name."""
    before = _patched.get((module, name), [])
    if before:
        value = before.pop()
        if value is _MISSING:
            delattr(sys.modules[module], name)
        else:
            setattr(sys.modules[module], name, value)


def unpatch_all() -> None:
    """Undo all patches that a test left."""
    for (module, name), before in _patched.items():
        while before:
            unpatch(module, name)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "ahead": Prefetcher,
    "class": class_of,
    "source": source_of,
    "patch": patch,
    "seed": seed,
    "signature": signature_of,
    "enter": enter,
    "entered": entered,
    "leave": leave,
    "wait": wait,
    "defines": lambda kind, name: name in _names(kind),
    "fields": lambda kind: [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None,
    "hasattr": hasattr,
    "library": library_name,
    "list": list,
    "take": Prefetcher.take,
    "unpatch": unpatch,
    "vars": lambda value: dict(vars(value)),
}
