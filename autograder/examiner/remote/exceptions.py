"""The exceptions of the student's code, rebuilt as exceptions of the examiner."""

from __future__ import annotations

import builtins
from typing import Any

from autograder.errors import RemoteError
from autograder.examiner.remote.classes import RemoteException


def rebuilt_exception(described: Any, causes: int = 3) -> Exception:
    """Return the student's exception, rebuilt with its causes.

    It has its own class, the nearest built-in type, or :class:`RemoteError`. Only subclasses of :class:`Exception` are
    created: a student's SystemExit or KeyboardInterrupt ends nothing here.
    """
    if type(described) is not dict:
        return RemoteError("the notebook's kernel gave an answer that cannot be read")
    text, args = described.get("text"), described.get("args")
    error = described.get("itself")
    if isinstance(error, Exception) and isinstance(error, RemoteException):
        error.args = tuple(args) if type(args) is list else ()
        vars(error)["_text"] = text
    else:
        error = _built_in(described.get("classes"), args, text if type(text) is str else "")
    error.remote = described  # type: ignore[attr-defined]
    if causes and type(described.get("cause")) is dict:
        error.__cause__ = rebuilt_exception(described["cause"], causes - 1)
    return error


def _built_in(names: Any, args: Any, text: str) -> Exception:
    """Return the first of the named classes that is a built-in exception."""
    for name in names if type(names) is list else []:
        kind = getattr(builtins, name, None) if type(name) is str else None
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__name__ == name:
            return _construct(kind, args, text)
    if "KeyboardInterrupt" in (names if type(names) is list else ()):  # the kernel stops a call with it
        return RemoteError("the code took too long and was stopped")
    return RemoteError("the code raised an exception that ends a program, such as SystemExit")


def is_interrupt(error: Any) -> bool:
    """Tell whether the student's code ended with the exception by which the kernel stops a call."""
    classes = getattr(error, "remote", {}).get("classes")
    return type(classes) is list and "KeyboardInterrupt" in classes


def _construct(kind: type[Exception], args: Any, text: str) -> Exception:
    if issubclass(kind, SyntaxError | ImportError | OSError):
        args = None  # tracebacks rely on the arguments of these exceptions
    try:
        return kind(*(args if type(args) is list and args else [text]))
    except Exception:
        return RemoteError(f"the code raised an exception that is not a proper {kind.__name__}")


def end_of_generator(stop: StopIteration) -> RuntimeError:
    """Return the RuntimeError that replaces a function's StopIteration, as in a generator.

    Otherwise ``all(map(check, cases))`` would take it for the end of the cases.
    """
    error = RuntimeError("the function raised StopIteration")
    error.remote = stop.remote  # type: ignore[attr-defined]
    error.__cause__ = stop.__cause__
    return error
