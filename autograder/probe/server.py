"""Answers to the examiner's questions about the student's namespace.

Two phases. While the notebook runs, ``snapshot`` and ``fetch`` copy plain values out at the position of a test cell and
pin everything else. After the last cell, ``enter`` puts a snapshot's names back, and ``call``, ``getattr`` and the like
act on what was pinned. A request and its reply are one codec message each, in the buffers of a Jupyter message.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
import types
from typing import Any

import carry
import codec
import elsewhere
import keras_model
import model_questions
import operations

REQUEST = "state_request"
REPLY = "state_reply"
MAX_PRINTED = 1_000_000
MAX_NAMES = 20_000


class _Limited(io.StringIO):
    """Keeps the first characters of what is printed and drops the rest."""

    def write(self, text: str) -> int:
        room = MAX_PRINTED - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.ModuleType):
        return "module"
    if keras_model.is_model(value):
        return "model"
    return "function" if callable(value) else "object"


def _is_mutable(value: Any) -> bool:
    return type(value) in (list, dict, set, bytearray) or type(value).__name__ == "ndarray"


class Server:
    """The pinned objects and the snapshots of one kernel."""

    def __init__(self, namespace: dict[str, Any], hidden: Any = ()) -> None:
        self.namespace = namespace
        self.hidden = hidden
        self.pinned: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.snapshots: list[dict[str, Any]] = []
        self.models: dict[int, Any] = {}

    # --- handles

    def refer(self, value: Any) -> codec.Reference:
        """Pin a value; the same object gets the same number."""
        number = self.numbers.get(id(value))
        if number is None:
            number = len(self.pinned) + 1
            self.pinned[number] = value
            self.numbers[id(value)] = number
        kind = _kind(value)
        name = value.__name__ if kind == "module" else f"{type(value).__module__}.{type(value).__qualname__}"
        return codec.Reference(number, kind, name)

    def resolve(self, reference: codec.Reference) -> Any:
        return self.pinned[reference.handle]

    # --- while the notebook runs

    def snapshot(self) -> tuple[int, list[str]]:
        """Remember which name stands for which object now; gives the snapshot's number and the names."""
        names = {k: v for k, v in dict(self.namespace).items() if isinstance(k, str)}
        self.snapshots.append(names)
        visible = [k for k in names if k not in self.hidden]
        return len(self.snapshots) - 1, visible[:MAX_NAMES]

    def fetch(self, snapshot: int, names: list[str]) -> dict[str, Any]:
        """The values of some names: each by itself, so that one that is too large does not take the others along."""
        found = self.snapshots[snapshot]
        return {name: self.value(found[name]) for name in names if name in found}

    def value(self, value: Any) -> tuple[str, Any, Any]:
        """``("value", text, buffers)``, or ``("too large", reason, None)``."""
        try:
            packed = codec.encode(value, self.refer)
        except codec.CodecError as error:
            return ("too large", str(error), None)
        return ("value", packed.text, packed.buffers)

    def model(self, handle: int) -> tuple[Any, Any]:
        """A Keras model's configuration and raw weights."""
        described, weights = keras_model.claim(self.pinned[handle])
        return described, weights

    # --- after the last cell

    def enter(self, snapshot: int) -> None:
        found = self.snapshots[snapshot]
        for name in [n for n in self.namespace if n not in found]:
            del self.namespace[name]
        self.namespace.update(found)

    def assign(self, name: str, value: Any) -> None:
        self.namespace[name] = value

    def delete(self, name: str) -> None:
        del self.namespace[name]

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls; gives the result and, for arguments that can change in place, what became of them."""
        before = {i: codec.encode(a, self.refer) for i, a in enumerate(args) if _is_mutable(a)}
        result = function(*args, **kwargs)
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("an async function can not be examined")
        return result, {i: args[i] for i, packed in before.items() if codec.encode(args[i], self.refer) != packed}

    def getattr(self, value: Any, name: str) -> Any:
        return getattr(value, name)

    def setattr(self, value: Any, name: str, new: Any) -> None:
        setattr(value, name, new)

    def operate(self, name: str, args: tuple[Any, ...]) -> Any:
        """One of :data:`operations.OPERATIONS`."""
        return operations.OPERATIONS[name](*args)

    def elsewhere(
        self, function: Any, backend: str, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
    ) -> tuple[Any, ...]:
        """Calls where Keras has another backend: ``("value", result)``, or ``("failed", code, why)``."""
        try:
            return ("value", elsewhere.call(function, backend, args, kwargs, seconds))
        except carry.ElsewhereError as error:
            return ("failed", error.code, str(error))

    def ask_model(self, question: str, *arguments: Any) -> Any:
        """One of :data:`model_questions.QUESTIONS` about a model that stays here."""
        return model_questions.QUESTIONS[question](*arguments)

    # --- the wire

    def answer(self, text: bytes, buffers: list[Any]) -> codec.Packed:
        """One request, one reply; whatever the student's code raises becomes part of the reply."""
        printed = _Limited()
        try:
            verb, *arguments = codec.decode(text, buffers, self.resolve)
            if verb not in VERBS:
                raise ValueError("unknown request")
            with contextlib.redirect_stdout(printed):
                result = getattr(self, verb)(*arguments)
            reply: Any = ("ok", result, printed.getvalue())
            return codec.encode(reply, self.refer)
        except BaseException as error:  # SystemExit and KeyboardInterrupt from the student's code too
            return codec.encode(("raised", _describe(error), printed.getvalue()))


VERBS = frozenset(
    ["snapshot", "fetch", "model", "enter", "assign", "delete", "call", "getattr", "setattr", "operate", "elsewhere"]
    + ["ask_model"]
)


def _describe(error: BaseException) -> dict[str, Any]:
    """An exception as plain data: the names of its classes, its text, its plain arguments, the student's lines."""
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
    }


def attach(kernel: Any) -> None:
    """Teach a running IPython kernel to answer."""
    server = Server(kernel.shell.user_ns, kernel.shell.user_ns_hidden)
    # Names that IPython itself put there are no answers of the student's.
    server.hidden = frozenset(server.hidden) | frozenset(kernel.shell.user_ns)

    async def respond(stream: Any, ident: Any, parent: Any) -> None:
        text, *buffers = parent.get("buffers") or [b"null"]
        packed = server.answer(bytes(text), [bytes(b) for b in buffers])
        for out in (sys.stdout, sys.stderr):
            if out is not None:
                out.flush()
        kernel.session.send(
            stream, REPLY, {"status": "ok"}, parent, ident=ident, buffers=[packed.text, *packed.buffers]
        )

    kernel.shell_handlers[REQUEST] = respond
