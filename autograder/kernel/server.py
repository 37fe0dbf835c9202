"""The agent's answers to the examiner's questions about the student's namespace.

There are two phases. While the notebook runs, ``snapshot`` and ``fetch`` copy plain values out at the position of a
test cell and pin everything else. ``freeze`` makes a copy of the process, see :mod:`frozen_copies`. After the last
cell, ``enter`` restores a snapshot's names, and ``call``, ``getattr`` and the like act on pinned objects, here or in a
frozen copy. A request and its reply are one codec message each, in the buffers of a Jupyter message.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import operator
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from itertools import islice
from typing import Any

from .. import codec
from . import (
    callbacks,
    description,
    dialogue,
    figures,
    frozen_copies,
    model_family,
    model_questions,
    observing,
    operations,
    passed_tensors,
    shell_tests,
)
from .contents import refill

MAX_PRINTED = 1_000_000
MAX_NAMES = 20_000


class _Limited(io.StringIO):
    """A buffer that keeps the first characters that are printed and drops the rest."""

    room = MAX_PRINTED

    def write(self, text: str) -> int:
        if self.room > 0:
            super().write(text[: self.room])
            self.room -= len(text)
        return len(text)

    def take(self) -> str:
        """Return the text printed since the last call."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.ModuleType):
        return "module"
    family = model_family.of_library(value)
    if family is not None and family.reference:
        return family.reference
    return figures.kind(value) or ("function" if callable(value) else "object")


_ATOMS = frozenset([bool, int, float, str, bytes, complex, type(None)])
MUTABLE = (list, dict, set, bytearray, deque, Counter, OrderedDict, defaultdict)


PLAIN = (bool, int, float, str, bytes, bytearray)
"""Types whose values hold no handle."""


def _is_table(value: Any) -> bool:
    return type(value).__name__ in ("ndarray", "DataFrame", "Series")


def _is_mutable(value: Any) -> bool:
    return type(value) in MUTABLE or _is_table(value)


def _references(value: Any) -> int:
    return sys.getrefcount(value)


def _references_to_new() -> int:
    value: list[int] = []
    return _references(value)


_REFERENCES_TO_NEW = _references_to_new()


def _is_held(value: Any) -> bool:
    """Tell whether something but one caller's name holds a value, or the array that it shows a part of."""
    by_caller = 1
    if _references(value) > _REFERENCES_TO_NEW + by_caller:
        return True
    return type(value).__name__ == "ndarray" and type(value.base) is type(value) and _is_held(value.base)


def _is_variable(key: Any) -> bool:
    return type(key) is str and key.startswith(".")


MAX_LOOKS = 50000
"""Objects in a result that are compared with the arguments of its call."""


def _met(values: list[Any], wanted: set[int]) -> set[int]:
    """Return the wanted ``id`` of objects that are among values or in their containers."""
    met: set[int] = set()
    visited: set[int] = set()
    pending = list(values)
    while pending and len(visited) < MAX_LOOKS:
        value = pending.pop()
        if type(value) in _ATOMS or id(value) in visited:
            continue
        visited.add(id(value))
        if id(value) in wanted:
            met.add(id(value))
        if type(value) in (list, tuple, deque):
            pending.extend(islice(value, MAX_LOOKS))
        elif type(value) in (dict, OrderedDict, defaultdict, Counter):
            pending.extend(islice(value.values(), MAX_LOOKS))
    return met


class Server:
    """The pinned objects and the snapshots of one kernel."""

    def __init__(self, namespace: dict[str, Any], hidden: Any = ()) -> None:
        self.namespace = namespace
        self.hidden = hidden
        self.pinned: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.last = 0
        """The last number that was given; :mod:`frozen_copies` tells the ranges."""
        self.shell: Any = None
        """IPython's shell, which runs the cells."""
        self.copies = frozen_copies.Copies(self)
        self.snapshots: list[dict[str, Any]] = []
        self.left: dict[Any, Any] = {}
        """What a call that raised has changed of its arguments."""
        self.marks: dict[int, tuple[Any, int]] = {}
        """``id`` of an object in several answers of one cell → itself and its number."""
        self.callbacks = callbacks.Callbacks(self)
        self.printed = _Limited()
        self.tensors = passed_tensors.PassedTensors()
        self.observed: observing.Reads | None = None
        """Set in the run of the instructor's solution."""

    # --- handles

    def refer(self, value: Any) -> codec.Reference:
        """Pin a value and refer to it; the same object gets the same number, a stand-in its own reference.

        ``type_name`` is the name of a class, of a module, or of an object's class. If the notebook defines the object's
        class, ``#`` and that class's number follow.
        """
        reference = self.callbacks.reference(value)
        if reference is not None:
            return reference
        number = self.numbers.get(id(value))
        if number is None:
            self.last += 1
            number = self.last
            self.pinned[number] = value
            self.numbers[id(value)] = number
        kind = _kind(value)
        if kind == "module":
            return codec.Reference(number, kind, value.__name__)
        cls = value if kind == "class" else type(value)
        name = f"{cls.__module__}.{cls.__qualname__}"
        if kind != "class" and _is_no_librarys(cls):
            name = f"{name[:150]}#{self.refer(cls).handle}"
        return codec.Reference(number, kind, name)

    def resolve(self, reference: codec.Reference) -> Any:
        """Return the pinned object, or the stand-in, of a reference."""
        return self.callbacks.resolve(reference) if reference.handle < 0 else self.pinned[reference.handle]

    # --- while the notebook runs

    def snapshot(self) -> tuple[int, list[str]]:
        """Remember which object each name stands for now; return the snapshot's number and the names."""
        names = {k: v for k, v in dict(self.namespace).items() if isinstance(k, str)}
        self.snapshots.append(names)
        self.marks.clear()
        visible = [k for k in names if k not in self.hidden]
        return len(self.snapshots) - 1, visible[:MAX_NAMES]

    def fetch(self, snapshot: int, names: list[str]) -> dict[str, Any]:
        """Return the values of some names, each by itself: a value that is too large does not affect the others."""
        values = self.snapshots[snapshot]
        return {name: self.value(values[name]) for name in names if name in values}

    def value(self, value: Any) -> tuple[str, Any, Any]:
        """Encode a value: ``("value", text, buffers)``, or ``("too large", reason, None)``."""
        try:
            packed = codec.encode(value, self.refer, self.mark)
        except codec.CodecError as error:
            return ("too large", str(error), None)
        return ("value", packed.text, packed.buffers)

    def mark(self, value: Any) -> int:
        """Return the number of an object, the same for all answers of one cell."""
        return self.marks.setdefault(id(value), (value, len(self.marks) + 1))[1]

    def model(self, handle: int) -> tuple[Any, Any]:
        """Return a model's description and raw weights."""
        return model_questions.record(self.pinned[handle], None)

    def trainings(self) -> dict[str, int]:
        """Return how trainings have run so far, by way."""
        counts = [family.trainings() for family in model_family.of_libraries()]
        return {way: number for counted in counts for way, number in counted.items()}

    def freeze(self, snapshot: int, names: list[str], room_mib: int) -> tuple[str, Any]:
        """Make a frozen copy of this process as it is at a snapshot.

        Args:
            snapshot: the snapshot's number, and the copy's.
            names: further names whose objects get their numbers before, so that the copy knows them.
            room_mib: what all copies together may hold of memory, in MiB.

        Returns:
            ``("frozen", number)`` with the last number that the copy knows, or ``("not", why)``.
        """
        values = self.snapshots[snapshot]
        refusal = self.copies.refusal(room_mib)
        if refusal:
            return ("not", refusal)
        for name in names:
            if name in values and type(values[name]) not in PLAIN and not _is_table(values[name]):
                with contextlib.suppress(codec.CodecError):
                    codec.encode(values[name], self.refer)
        return self.copies.freeze(snapshot)

    # --- after the last cell

    def enter(self, snapshot: int | None) -> None:
        """Restore the names of a snapshot, if one is given, and undo a test's patches."""
        self.copies.begin_examination()
        description.unpatch_all()
        if snapshot is None:
            return
        values = self.snapshots[snapshot]
        for name in [n for n in self.namespace if n not in values]:
            del self.namespace[name]
        self.namespace.update(values)

    def assign(self, name: str, value: Any) -> None:
        """Set a name of the namespace."""
        self.namespace[name] = value

    def lend(self, values: dict[str, Any], verb: str, arguments: tuple[Any, ...]) -> Any:
        """Answer a request while names of the namespace have other values; one that is bound meanwhile stays so."""
        if verb not in VERBS:
            raise ValueError("unknown request")
        before = {name: self.namespace[name] for name in values if name in self.namespace}
        self.namespace.update(values)
        try:
            return getattr(self, verb)(*arguments)
        finally:
            for name, value in values.items():
                if self.namespace.get(name) is value:
                    del self.namespace[name]
                    self.namespace.update({name: before[name]} if name in before else {})

    def observe(self) -> None:
        """Note from now on which global names the notebook's functions read."""
        self.observed = observing.Reads(self.namespace)

    def reads(self) -> list[str]:
        """Return the names since the last call."""
        return [] if self.observed is None else self.observed.take()

    def now(self, names: list[str]) -> dict[str, Any]:
        """Return what names of the namespace stand for, as far as it can be copied or referred to."""
        values = {}
        for name in names:
            if name in self.namespace:
                with contextlib.suppress(codec.CodecError):
                    codec.encode(self.namespace[name], self.refer)
                    values[name] = self.namespace[name]
        return values

    def replace(self, name: str, value: Any) -> None:
        """Give the object under a name of the namespace another content, or bind the name anew."""
        if not refill(self.namespace.get(name), value):
            self.namespace[name] = value

    def amend(self, owner: Any, name: str, value: Any) -> None:
        """Give the object that is an attribute another content, or set the attribute; no name: the object itself."""
        if not refill(getattr(owner, name, None) if name else owner, value) and name:
            setattr(owner, name, value)

    def delete(self, name: str) -> None:
        """Delete a name of the namespace, if it is there."""
        self.namespace.pop(name, None)

    def call(
        self,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parts: Any = (),
        names: Any = (),
        pins: bool | None = None,
    ) -> Any:
        """Call a function.

        Args:
            function: the function.
            args: its arguments.
            kwargs: those with a name.
            parts: lists and the like that are inside of arguments.
            names: global variables that the call may change.
            pins: whether a list or the like that it returns, and that something here holds, too, gets a number; False:
                only its number, if it has one. None: no number is wanted.

        Returns:
            Its result, and the objects among arguments, parts and variables that it changed or bound anew. With them
            come unchanged ones that are in the result or in what changed. The key of part ``i`` is ``-1 - i``. That of
            a variable's object is a dot and the name, and that of the object that it was bound to is ``=`` and the
            name. The number of the result has the key ``=``.
        """
        arguments: dict[Any, Any] = {f".{name}": self.namespace[name] for name in names if name in self.namespace}
        arguments.update(enumerate(args))
        arguments.update(kwargs)
        arguments.update((-1 - place, part) for place, part in enumerate(parts))
        before = {}
        for key, value in arguments.items():
            if _is_mutable(value):
                with contextlib.suppress(codec.CodecError):  # a variable may be too large
                    before[key] = self._state(value)
        passed = self.tensors.begin([args, kwargs])
        try:
            result = function(*args, **kwargs)
        except BaseException:
            with contextlib.suppress(Exception):
                self.left = self._changed(arguments, before)
            raise
        finally:
            self.tensors.end(passed)
        changed = self._changed(arguments, before)
        met = _met([result, *changed.values()], {id(arguments[key]) for key in before}) if before else set()
        held = {k: arguments[k] for k in before if k not in changed and id(arguments[k]) in met}
        if pins is not None and _is_mutable(result) and (id(result) in self.numbers or (pins and _is_held(result))):
            held["="] = self.refer(result).handle
        return result, changed, held

    def _changed(self, arguments: dict[Any, Any], before: dict[Any, Any]) -> dict[Any, Any]:
        changed = {}
        for key, state in before.items():
            try:
                if not self._is_in_state(arguments[key], state):
                    changed[key] = arguments[key]
            except codec.CodecError:
                if not _is_variable(key):
                    raise
        for key in filter(_is_variable, arguments):
            now = self.namespace.get(key[1:], arguments[key])
            if now is not arguments[key]:
                with contextlib.suppress(codec.CodecError):
                    codec.encode(now, self.refer)
                    changed["=" + key[1:]] = now
        return changed

    def _state(self, value: Any) -> Any:
        """Return what tells later whether a mutable value has changed: the items of a list of numbers or texts."""
        if type(value) is list and _ATOMS.issuperset(map(type, value)):
            return list(value)
        return codec.encode(value, self.refer)

    def _is_in_state(self, value: Any, state: Any) -> bool:
        if type(state) is list:
            return len(value) == len(state) and all(map(operator.is_, value, state))
        packed: codec.Packed = codec.encode(value, self.refer)
        return bool(packed == state)

    def getattr(self, value: Any, name: str) -> Any:
        """Return an attribute."""
        return getattr(value, name)

    def setattr(self, value: Any, name: str, new: Any) -> None:
        """Set an attribute."""
        setattr(value, name, new)

    def delattr(self, value: Any, name: str) -> None:
        """Delete an attribute."""
        delattr(value, name)

    def operate(self, name: str, args: tuple[Any, ...]) -> Any:
        """Run one of :data:`operations.OPERATIONS` or :data:`description.OPERATIONS`, or one on a test's tensors."""
        if name == "keep_tensor":
            return self.refer(args[0]).handle
        if name == "kept_tensors":
            return [0 if tensor is None else self.refer(tensor).handle for tensor in self.tensors.kept()]
        return (description.OPERATIONS.get(name) or operations.OPERATIONS[name])(*args)

    def elsewhere(self, function: Any, question: str, *arguments: Any) -> Any:
        """Ask one of the questions of :func:`model_questions.question`, which calls a function in another process."""
        return model_questions.question(question)(function, *arguments)

    def ask_model(self, question: str, *arguments: Any) -> Any:
        """Ask one of the questions of :func:`model_questions.question` about a model that stays here."""
        return model_questions.question(question)(*arguments)

    def aside(self, question: str, *arguments: Any) -> Any:
        """Ask such a question of a model in a copy of this process: the cells after it find nothing changed."""
        family = model_family.of_library(arguments[0])
        for part in () if family is None else family.late_parts:  # here, so that no copy has to
            with contextlib.suppress(Exception):
                importlib.import_module(part)
        return self.copies.aside(lambda: self.ask_model(question, *arguments))

    def run_test(self, source: str) -> dict[str, Any]:
        """Run a test cell here; see :func:`shell_tests.run`."""
        return shell_tests.run(self.shell, source)

    # --- the wire

    def answer(self, text: bytes, buffers: list[Any]) -> codec.Packed:
        """Answer one request, or have a frozen copy answer it.

        Every exception of the student's code becomes part of the reply.
        """
        if text.startswith(frozen_copies.ADDRESS):
            return self.copies.relay(text, buffers)
        outer, self.printed = self.printed, _Limited()
        self.callbacks.depth += 1
        try:
            request = self._request(text, buffers)
            if request is None:
                return codec.encode((frozen_copies.UNREAD, None, ""))
            verb, replaced, *arguments = request
            if verb not in VERBS:
                raise ValueError("unknown request")
            observed: Any = self.observed or contextlib.nullcontext()
            console = callbacks.console(replaced, self.namespace, self.hidden)
            with contextlib.redirect_stdout(self.printed), console, observed:
                result = getattr(self, verb)(*arguments)
            reply: Any = ("ok", result, self.printed.take())
            return codec.encode(reply, self.refer)
        except BaseException as error:  # SystemExit and KeyboardInterrupt from the student's code too
            return self._raised(error)
        finally:
            self.printed = outer
            self.callbacks.depth -= 1

    def _request(self, text: bytes, buffers: list[Any]) -> Any:
        """Read a request; None if an argument cannot be built here, as where a library is missing."""
        self.callbacks.built.clear()
        try:
            return codec.decode(text, buffers, self.resolve)
        except Exception:
            return None

    def _raised(self, error: BaseException) -> codec.Packed:
        described = description.error(error)
        number = self.callbacks.number_of(error)
        if number is not None:
            described["callback"] = number
        printed = self.printed.take()
        changed, self.left = self.left, {}
        itself = {"itself": error} if _is_no_librarys(type(error)) else {}
        for more in ({**itself, "changed": changed} if changed else itself, itself):
            if more:
                with contextlib.suppress(Exception):
                    return codec.encode(("raised", {**described, **more}, printed), self.refer)
        return codec.encode(("raised", described, printed))


def _is_no_librarys(cls: type) -> bool:
    """Tell whether a class is the notebook's, or that of a module beside it."""
    module = cls.__module__
    if not isinstance(module, str):  # a class may say anything there
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return module == "__main__" or (isinstance(file, str) and not file.startswith(_LIBRARIES))


_LIBRARIES = (sys.prefix, sys.base_prefix)
VERBS = frozenset(
    [
        "snapshot",
        "fetch",
        "freeze",
        "model",
        "trainings",
        "enter",
        "assign",
        "lend",
        "observe",
        "reads",
        "now",
        "replace",
        "amend",
        "delete",
        "call",
        "getattr",
        "setattr",
        "delattr",
        "operate",
        "elsewhere",
        "ask_model",
        "aside",
        "run_test",
    ]
)


def attach(kernel: Any) -> Server:
    """Make a running IPython kernel answer the examiner's requests."""
    server = Server(kernel.shell.user_ns, kernel.shell.user_ns_hidden)
    server.shell = kernel.shell
    # Names that IPython itself has set are no answers of the student's.
    server.hidden = frozenset(server.hidden) | frozenset(kernel.shell.user_ns)

    talk = dialogue.Dialogue(kernel, server.answer)
    server.callbacks.channel = talk.ask

    async def respond(stream: Any, ident: Any, parent: Any) -> None:
        text, *buffers = parent.get("buffers") or [b"null"]
        with talk.about(ident, parent):
            packed = server.answer(bytes(text), [bytes(b) for b in buffers])
        with dialogue.undivided():
            for out in (sys.stdout, sys.stderr):
                if out is not None:
                    out.flush()
            kernel.session.send(
                stream, dialogue.REPLY, {"status": "ok"}, parent, ident=ident, buffers=[packed.text, *packed.buffers]
            )

    kernel.shell_handlers[dialogue.REQUEST] = respond
    return server
