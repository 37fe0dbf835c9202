"""Calls of a student's function on another Keras backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder._util.kernel_side import question_in_kernel
from autograder.check.handle import CallableHandle, refusal
from autograder.check.results import in_examiner
from autograder.check.words import type_of
from autograder.errors import CourseError, RemoteError
from autograder.extensions.backends.backends import backends
from autograder.extensions.backends.kernel_side.backend_process import HOW_TO_INSTALL, answered, call
from autograder.extensions.backends.kernel_side.portable_function import BACKENDS

MARGIN_SECONDS = 15.0
"""Time that the kernel gets beyond the call's own limit, to end the call and report it."""

_FAILURES = {
    "carry": "uses something that cannot go to another process (check.on_backend in the notebook says what)",
    "missing": "could not be called: the backend {backend} is not installed where the notebook runs",
    "died": "ended its process on the backend {backend}",
    "slow": "took longer than {seconds:g} s on the backend {backend}",
    "result": "returns something other than tensors, arrays and numbers on the backend {backend}",
}
"""Messages for the student. The kernel's own text is for the examiner only, since it may carry a hidden argument."""


def on_backend(function: Any, backend: str, *, seconds: float = 60.0) -> Callable[..., Any]:
    """Return a function that calls ``function`` in a process whose Keras uses another backend.

    The process gets the function's source, with the functions, classes, imports and plain values of the notebook that
    it uses. Arguments and results are copied; tensors become numpy arrays. The process is kept for later calls, and the
    other backends cannot be imported in it. If Keras already uses that backend, the function is called as usual.

    Args:
        function: the student's function.
        backend: ``tensorflow``, ``jax`` or ``torch``.
        seconds: wall-clock limit of one call, including the import of Keras.

    Returns:
        A function with the same arguments. It raises what ``function`` raises; in a notebook it raises
        ``ElsewhereError`` if the call is not possible on that backend.

    Raises:
        CourseError: the backend does not exist or is not installed, or a hidden test passes a function of its own.
        TypeError: this is not a function.

    >>> check.on_backend(predict, "jax")(W, b, X)  # doctest: +SKIP
    """
    if backend not in BACKENDS:
        raise CourseError(f"check.on_backend: Keras has no backend {backend!r}; it has {', '.join(BACKENDS)}.")
    if backend not in backends():
        raise CourseError(f"check.on_backend: {backend} is not installed here. `{HOW_TO_INSTALL[backend]}`.")
    if refusal(function) or not callable(function):
        raise TypeError(refusal(function) or f"this is not a function ({type_of(function)})")
    if isinstance(function, CallableHandle):
        return _remote(function, backend, seconds)
    if in_examiner():
        raise CourseError("check.on_backend: a hidden test can pass it only functions of the student's notebook.")

    def called(*args: Any, **kwargs: Any) -> Any:
        return call(function, backend, args, kwargs, seconds)

    return called


def _remote(function: Any, backend: str, seconds: float) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        remote = object.__getattribute__(function, "_remote")
        question = question_in_kernel(answered)
        request = (function, question, backend, args, kwargs, seconds)
        answer = remote.ask("elsewhere", *request, timeout=seconds + MARGIN_SECONDS)
        if type(answer) is tuple and len(answer) == 2 and answer[0] == "value":
            return answer[1]
        if type(answer) is tuple and len(answer) == 3 and type(answer[1]) is str and answer[1] in _FAILURES:
            message = _FAILURES[answer[1]].format(backend=backend, seconds=seconds)
            raise RemoteError(message) from RemoteError(str(answer[2])[:2000] if type(answer[2]) is str else "")
        raise RemoteError("the notebook's kernel gave an answer that cannot be read")

    return called
