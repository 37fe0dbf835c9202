"""Runs a student's function on another Keras backend."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from autograder.check.handle import CallableHandle
from autograder.check.results import in_examiner
from autograder.check.subject import refusal
from autograder.check.words import type_of
from autograder.errors import CourseError, RemoteError
from autograder.kernel.portable_function import BACKENDS

MARGIN_SECONDS = 15.0
"""What the kernel gets beyond the call's own time limit, to end it and to say so."""

_FAILURES = {
    "carry": "uses something that cannot go to another process (check.on_backend in the notebook says what)",
    "missing": "could not be called: the backend {backend} is not installed where the notebook runs",
    "died": "ended its process on the backend {backend}",
    "slow": "took longer than {seconds:g} s on the backend {backend}",
    "result": "returns something other than tensors, arrays and numbers on the backend {backend}",
}
"""What the student reads. The kernel's own words are for the examiner: they may carry a hidden argument."""


def backends() -> tuple[str, ...]:
    """Those of Keras's backends that are installed here, in the order tensorflow, jax, torch; none is imported.

    In the examiner this is the examiner's own environment, never the student's word.
    """
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name) is not None)


def on_backend(function: Any, backend: str, *, seconds: float = 60.0) -> Callable[..., Any]:
    """A function that calls ``function`` in a process whose Keras has another backend.

    The function's source goes there, with the functions, classes, imports and plain values of the notebook that it
    uses. Arguments and results travel by value; tensors become numpy arrays. The process stays for later calls. The
    other backends cannot be imported in it. Where Keras has that backend already, the call is an ordinary one.

    Args:
        function: the student's function.
        backend: ``tensorflow``, ``jax`` or ``torch``.
        seconds: wall clock of one call, the import of Keras included.

    Raises:
        CourseError: there is no such backend, or it is not installed; a test called it for a function of its own.
        TypeError: this is not a function.

    Calling it raises what the function raises, and in a notebook ``ElsewhereError`` where it cannot be run there.

    >>> check.on_backend(predict, "jax")(W, b, X)  # doctest: +SKIP
    """
    if backend not in BACKENDS:
        raise CourseError(f"check.on_backend: {backend!r} is no backend of Keras; there are {', '.join(BACKENDS)}.")
    if backend not in backends():
        from autograder.kernel.backend_process import HOW_TO_INSTALL

        raise CourseError(f"check.on_backend: {backend} is not installed here. `{HOW_TO_INSTALL[backend]}`.")
    if refusal(function) or not callable(function):
        raise TypeError(refusal(function) or f"this is not a function ({type_of(function)})")
    if isinstance(function, CallableHandle):
        return _remote(function, backend, seconds)
    if in_examiner():
        raise CourseError("check.on_backend: in a hidden test it runs functions of the student's, and no others.")

    def called(*args: Any, **kwargs: Any) -> Any:
        from autograder.kernel.backend_process import call

        return call(function, backend, args, kwargs, seconds)

    return called


def _remote(function: Any, backend: str, seconds: float) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        remote = object.__getattribute__(function, "_remote")
        answer = remote.ask("elsewhere", function, backend, args, kwargs, seconds, timeout=seconds + MARGIN_SECONDS)
        if type(answer) is tuple and len(answer) == 2 and answer[0] == "value":
            return answer[1]
        if type(answer) is tuple and len(answer) == 3 and type(answer[1]) is str and answer[1] in _FAILURES:
            message = _FAILURES[answer[1]].format(backend=backend, seconds=seconds)
            raise RemoteError(message) from RemoteError(str(answer[2])[:2000] if type(answer[2]) is str else "")
        raise RemoteError("the notebook's kernel gave an answer that cannot be read")

    return called
