"""A child process with another Keras backend, in which a function of a notebook runs.

A process has one Keras backend from the import of Keras on. So a child process of the same Python is started with
``KERAS_BACKEND`` set. It gets the function as source text and its arguments as plain values (:mod:`portable_function`,
the codec), and sends the result back. It stays for the next call, so that Keras is imported only once; each call has a
namespace of its own. The child cannot import the other backends, as if they were not installed.

This module is also the child's program. Both sides run beside the student's code: nothing that they say is believed.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .... import codec
from ....kernel.other_processes import receive, send
from . import portable_function
from .portable_function import ElsewhereError

SECONDS = 60.0
"""Wall clock of one call, including the import of Keras."""
HOW_TO_INSTALL = {
    "tensorflow": "pip install tensorflow",
    "jax": "pip install jax",
    "torch": "pip install torch",
}
_MAX_PRINTED = 1_000_000
_PROGRAM = """
import importlib, sys, types
sys.modules["_kernel_agent"] = types.ModuleType("_kernel_agent")
sys.modules["_kernel_agent"].__path__ = [sys.argv[1]]
importlib.import_module(sys.argv[2]).main()
"""
"""The child's program: this module, as in a sandbox, and nothing of the folder that its package lies in."""
_AGENT = Path(__file__).resolve().parents[3]
"""The folder of the agent, or of the kit; this module lies below its folder ``extensions``."""


def call(function: Any, backend: str, args: tuple[Any, ...] = (), kwargs: Any = None, seconds: float = SECONDS) -> Any:
    """Call ``function(*args, **kwargs)`` in a process where Keras has this backend.

    If Keras has that backend in this process already, the function is called here.

    Args:
        function: a function of the notebook; everything that it uses is carried along.
        backend: ``tensorflow``, ``jax`` or ``torch``.
        args: plain values and arrays; tensors are passed as arrays.
        kwargs: as ``args``.
        seconds: wall clock in the other process.

    Returns:
        The function's result; tensors become numpy arrays.

    Raises:
        ElsewhereError: the kit could not run the function there.
        Exception: what the function raised, as the nearest built-in exception type.
    """
    if backend not in portable_function.BACKENDS:
        raise ValueError(f"{backend!r} is no backend of Keras; there are {', '.join(portable_function.BACKENDS)}")
    if _backend_here() == backend:
        return _returned(function(*args, **(kwargs or {})))
    if importlib.util.find_spec(backend) is None:
        raise ElsewhereError("missing", f"{backend} is not installed here: `{HOW_TO_INSTALL[backend]}`.")
    steps = portable_function.collect(function, backend)
    try:
        request = codec.encode(
            [sys.path, steps, portable_function.plain(args), portable_function.plain(dict(kwargs or {}))]
        )
    except codec.CodecError as error:
        raise ElsewhereError("carry", f"an argument cannot be given: {error}.") from None
    reply = _child(backend).exchange([request.text, *request.buffers], seconds)
    try:
        outcome, result, printed = codec.decode(reply[0], reply[1:])
    except (ValueError, TypeError, IndexError):
        raise ElsewhereError("died", f"the process with {backend} gave an answer that cannot be read.") from None
    sys.stdout.write(printed)
    if outcome == "value":
        return result
    if outcome == "failed":
        raise ElsewhereError(*result)
    raise _rebuilt(result) from ElsewhereError("raised", f"on the {backend} backend\n\n{result['trace']}")


def answered(
    function: Any, backend: str, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
) -> tuple[Any, ...]:
    """Call a function for the examiner: ``("value", result)``, or ``("failed", code, why)``."""
    try:
        return ("value", call(function, backend, args, kwargs, seconds))
    except ElsewhereError as error:
        return ("failed", error.code, str(error))


def _backend_here() -> str:
    keras: Any = sys.modules.get("keras")
    return str(keras.config.backend()) if keras is not None else ""


def _returned(result: Any) -> Any:
    """Convert the result to plain values."""
    result = portable_function.plain(result)
    try:
        codec.encode(result)
    except codec.CodecError as error:
        raise ElsewhereError(
            "result", f"what the function returns cannot come back: {error}. Return tensors, arrays and numbers."
        ) from None
    return result


def _rebuilt(described: Any) -> Exception:
    """Rebuild the other process's exception as the nearest built-in type."""
    for name in described["classes"]:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            with contextlib.suppress(Exception):
                return kind(described["text"])
    return RuntimeError(f"{described['name']}: {described['text']}")


# --- this side ---------------------------------------------------------------------------------------

_children: dict[tuple[int, str], _Child] = {}


def _child(backend: str) -> _Child:
    """Return this process's living child for a backend, or start one."""
    key = (os.getpid(), backend)  # a fork of this process must not share its pipes
    if key not in _children or _children[key].process.poll() is not None:
        _children[key] = _Child(backend)
    return _children[key]


class _Child:
    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-c",
                _PROGRAM,
                str(_AGENT),
                ".".join(["_kernel_agent", *Path(__file__).resolve().with_suffix("").relative_to(_AGENT).parts]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment(backend),
            start_new_session=True,
        )

    def exchange(self, parts: Sequence[bytes], seconds: float) -> list[bytes]:
        """Send one message and receive one; end the child if that fails."""
        requests, back = self.process.stdin, self.process.stdout
        replies: list[list[bytes]] = []
        assert requests is not None
        assert back is not None

        def talk() -> None:
            with contextlib.suppress(OSError, EOFError, ValueError):
                send(requests, parts)
                replies.append(receive(back))

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        try:
            talking.join(seconds)
        except BaseException:  # an interrupt: a late answer must not be taken for that of the next question
            self.end()
            raise
        if replies:
            return replies[0]
        late = talking.is_alive()
        self.end()
        if late:
            raise ElsewhereError("slow", f"the call took longer than {seconds:g} s on {self.backend}.")
        raise ElsewhereError("died", f"the process with {self.backend} ended during the call. {self.last_words()}")

    def end(self) -> None:
        """End the child and everything that it started."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()

    def last_words(self) -> str:
        """Return the tail of the child's standard error."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 2000))
        return self.errors.read().decode("utf-8", "replace").strip()


def environment(backend: str) -> dict[str, str]:
    """Make the child's environment: this process's, with the backend set and JAX's threads limited as the others'."""
    settings = dict(os.environ, KERAS_BACKEND=backend)
    settings.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Otherwise PyTorch's threads keep a core busy while they wait, and a shared machine takes ten times as long.
    settings.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "OMP_NUM_THREADS" in settings:
        settings.setdefault("NPROC", settings["OMP_NUM_THREADS"])
    return settings


# --- the child ---------------------------------------------------------------------------------------


def main() -> None:
    """Answer requests from standard input until it ends."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # The function must neither read requests nor write replies: it has no input, and its output goes to standard error.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    hidden = frozenset(portable_function.BACKENDS) - {os.environ.get("KERAS_BACKEND", "")}
    sys.meta_path[:] = [_HidingFinder(hidden, finder) for finder in sys.meta_path]
    with contextlib.suppress(EOFError):
        while True:
            text, *buffers = receive(incoming)
            reply = answer(text, buffers)
            send(outgoing, [reply.text, *reply.buffers])


class _HidingFinder:
    """A finder that hides some modules: a library that imports them finds them not installed."""

    def __init__(self, hidden: frozenset[str], finder: Any) -> None:
        self.hidden = hidden
        self.finder = finder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return None if name in self.hidden else self.finder.find_spec(name, path, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)


def answer(text: bytes, buffers: Sequence[bytes]) -> codec.Packed:
    """Serve one call; every error in it becomes part of the reply."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            path, steps, args, kwargs = codec.decode(text, buffers)
            sys.path[:] = path
            outcome, result = "value", _returned(portable_function.rebuild(steps)(*args, **kwargs))
    except ElsewhereError as error:
        outcome, result = "failed", (error.code, str(error))
    except BaseException as error:  # SystemExit and KeyboardInterrupt from the function too
        outcome, result = "raised", _describe(error)
    return codec.encode((outcome, result, printed.getvalue()[:_MAX_PRINTED]))


def _describe(error: BaseException) -> dict[str, Any]:
    """Describe an exception as plain data, with the notebook's lines that it passed."""
    lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<notebook: ")]
    try:
        text = str(error)[:10_000]
    except Exception:
        text = ""
    return {
        "classes": [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"],
        "name": type(error).__name__[:200],
        "text": text,
        "trace": "".join(traceback.format_list(lines))[-10_000:],
    }
