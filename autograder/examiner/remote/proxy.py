"""What stands in the examiner for an object that stayed in the student's kernel.

A remote object answers questions by asking the kernel, and the answer is plain data or another remote object. It is
built so that it cannot decide a test by itself: it equals nothing but itself, has no truth value, cannot be ordered,
and never becomes a numpy array (``operators`` says where a class with operators may). Exceptions of the student's code
come back as the built-in exception type they are, or as the class of the student's that they are (``classes``).
"""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

from autograder.check.handle import CallableHandle, Handle, reference_of
from autograder.errors import LostError, RemoteError
from autograder.examiner.figures.reconstruction import Figures
from autograder.examiner.remote.arguments import remedy
from autograder.examiner.remote.callbacks import Callbacks
from autograder.examiner.remote.classes import Classes, RemoteException, called, mark_method
from autograder.examiner.remote.console import Console
from autograder.examiner.remote.context_exit import raised_by_test
from autograder.examiner.remote.exceptions import no_end, rebuilt_exception
from autograder.examiner.remote.inspection import DATA, POSES, data_fields, signature
from autograder.examiner.remote.named_types import given_types
from autograder.examiner.remote.operators import Operators, Origin, decided, mark, refuse
from autograder.examiner.special_methods import SPECIAL
from autograder.examiner.test_environment.taint import heard
from autograder.execution.capture import FIGURES
from autograder.execution.link import Link
from autograder.kernel.codec import CodecError, Reference, decode, encode
from autograder.kernel.codec.core import NotPlainError

ONE_BY_ONE, MAX_AHEAD = 32, 1000
"""Items of a loop that are asked for singly, and how many at once after that."""


class Remote:
    """Asks the kernel; keeps what was rebuilt from handles."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.lost: str | None = None
        self.ending: RemoteError | None = None
        """What no test can make good by catching it: the end of the kernel, an exit of the student's code."""
        self.rebuild: Callable[[Reference, Any], Any] | None = None
        """Makes a model of what the kernel says of it; set while answers are examined."""
        self.figures = Figures()
        self.kept: frozenset[str] = frozenset()
        """The narrow types that the exam's own code works with; see :mod:`autograder.examiner.remote.named_types`."""
        self.returning_nothing: frozenset[str] = frozenset()
        """The instructor's functions that return nothing: they may change what a test calls them with."""
        self.callbacks = Callbacks(self.stand_in, lambda: self.kept)
        self.console = Console()
        self.classes = Classes(self, RemoteObject, RemoteCallable)
        self.alive: WeakValueDictionary[Reference, Any] = WeakValueDictionary()
        """What stands for an object as the student's code gave it; one for each, so that ``is`` means what it says."""

    def ask(self, verb: str, *arguments: Any, timeout: float | None = None) -> Any:
        """One question. What the student's code printed meanwhile is printed here; what it asks back of the test's own
        functions is served.

        Raises:
            LostError: no kernel, no answer.
            CodecError: an argument cannot travel; the message says what to pass instead.
            Exception: what the student's code raised, as a built-in exception type or as a class of the student's.
        """
        if self.lost:
            raise LostError(self.lost)
        try:
            request = encode([verb, self.console.replaced(), *arguments], self.callbacks.refer)
        except NotPlainError as error:
            raise CodecError(f"{error}. {remedy(error.kind)}") from None
        try:
            reply = self.link.exchange(request, timeout, self.callbacks.answer)
        except LostError as error:
            self.lost = str(error)
            self.ending = error
            raise
        try:
            # A model's weights are what its layers are rebuilt with, and no answer that a test compares.
            kept = None if verb == "model" else self.kept | given_types(arguments)
            outcome, result, printed = decode(reply.text, reply.buffers, self.stand_in, strict=True, kept=kept)
            if type(printed) is not str or outcome not in ("ok", "raised"):
                raise CodecError("not a reply")
        except (CodecError, TypeError, ValueError):
            raise RemoteError("the notebook's kernel gave an answer that cannot be read") from None
        heard(reply)
        if printed:
            sys.stdout.write(printed)
        if outcome == "ok":
            return result
        if type(result) is dict and "callback" in result:
            raise self.callbacks.passed(result["callback"])
        raised = rebuilt_exception(result)
        if isinstance(raised, RemoteError):
            self.ending = raised
        if isinstance(raised, StopIteration) and arguments[:1] != ("next",):
            raised = no_end(raised)
        raise raised

    @contextlib.contextmanager
    def replace_ask(self, ask: Callable[..., Any]) -> Iterator[None]:
        """Let ``ask`` take the place of the method inside; the one before is the caller's to call."""
        own = vars(self)
        before = own.get("ask")
        own["ask"] = ask
        try:
            yield
        finally:
            if before is None:
                del own["ask"]
            else:
                own["ask"] = before

    def stand_in(self, reference: Reference) -> Any:
        """What stands for a handle: the test's own, a class, the rebuilt model where it is one, a remote object."""
        if reference.handle < 0:
            return self.callbacks.resolve(reference)
        name, _, of = reference.type_name.partition("#")
        reference = reference._replace(type_name=name)
        if reference.kind == "model" and self.rebuild is not None:
            rebuild, self.rebuild = self.rebuild, None  # a model in what is said of a model stays remote
            try:
                return rebuild(reference, self.ask("model", reference.handle))
            finally:
                self.rebuild = rebuild
        if reference.kind in FIGURES and self.rebuild is not None:
            figure = self._figure(reference)
            if figure is not None:
                return figure
        if reference.kind == "class" and name.startswith(("__main__.", "builtins.")):
            made = self.classes.of(reference)
            if made is not None:
                return made
        if name == "builtins.coroutine":
            return _awaiting(RemoteObject(self, reference))
        of_class = self.classes.of(Reference(int(of), "class", name)) if of.isdecimal() else None
        known = self.alive.get(reference)
        if known is not None and (of_class is None or type(known) is of_class):
            return known
        self.alive[reference] = made = self._made(reference, of_class)
        return made

    def _made(self, reference: Reference, kind: Any) -> Any:
        if kind is not None and issubclass(kind, RemoteException):
            error = kind.__new__(kind)
            vars(error).update(_remote=self, _reference=reference)
            return error
        if kind is None:
            kind = RemoteCallable if reference.kind in ("function", "class", "model") else RemoteObject
        made = kind.__new__(kind)
        RemoteObject.__init__(made, self, reference)
        return made

    def plain(self, reference: Reference) -> RemoteObject:
        """The remote object for a handle, whatever could be rebuilt of it."""
        return RemoteObject(self, reference)

    def _figure(self, reference: Reference) -> Any:
        """A figure of the examiner's with what the kernel says of the student's; None where it says nothing."""
        rebuild, self.rebuild = self.rebuild, None  # nothing in what is said of a figure is another
        try:
            return self.figures.rebuilt(self.ask("operate", "figure", (self.plain(reference),)))
        except RemoteError:
            raise
        except Exception:  # what the student's code raised while the figure described itself
            return None
        finally:
            self.rebuild = rebuild


async def _awaiting(coroutine: RemoteObject) -> Any:
    return coroutine._remote.ask("operate", "wait", (coroutine,))


class RemoteObject(Operators, Handle):
    """An object in the student's kernel."""

    __slots__ = ("__weakref__", "_origin", "_reference", "_remote")
    _remote: Remote
    _reference: Reference
    _origin: Origin
    _always_true = False
    """Its class, one of the assignment's, has neither ``__bool__`` nor ``__len__``."""

    @property
    def autograder_refusal(self) -> str | None:
        """Why a check cannot examine it: that of its reference, or a text on subclasses made by the examiner."""
        return self._reference.why or None

    @property
    def autograder_value(self) -> Any:
        """A copy that a check may compare in its place; None where there is none."""
        return self._reference.copy

    def __init__(self, remote: Remote, reference: Reference) -> None:
        object.__setattr__(self, "_remote", remote)
        object.__setattr__(self, "_reference", reference)
        object.__setattr__(self, "_origin", Origin.STUDENT)

    def _autograder_reference(self) -> Reference:
        return self._reference

    def _of_origin(self, origin: Origin) -> RemoteObject:
        """Another that stands for the same object, and came from there."""
        made = type(self).__new__(type(self))
        RemoteObject.__init__(made, self._remote, self._reference)
        object.__setattr__(made, "_origin", origin)
        return made

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return POSES.get(self._reference.type_name, type(self))

    def __getattribute__(self, name: str) -> Any:
        if name[:2] == "__" and name[-2:] == "__":
            if name in DATA:
                return self._remote.ask("getattr", self, name)
            if name == "__signature__":
                return signature(self._remote.ask("operate", "signature", (self,)))
            if name == "__dataclass_fields__":
                return data_fields(self._remote.ask("operate", "fields", (self,)))
            if name in SPECIAL and self._remote.ask("operate", "hasattr", (self, name)) is not True:
                raise AttributeError(f"this {self._reference.type_name} object has no {name}")
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"a remote object has no {name}")
        if name in COMPUTED_HERE:
            instead = COMPUTED_HERE[name]
            raise TypeError(f"{name} of an object in the notebook's kernel is what the notebook says; use {instead}")
        found = self._remote.ask("getattr", self, name)
        if name == "score" and isinstance(found, RemoteCallable) and self._predicts():
            raise TypeError("score of a model would take the labels into the notebook's kernel; use check.accuracy")
        return mark_method(found, Origin.DERIVED) if self._origin >= Origin.DERIVED else found

    def _predicts(self) -> bool:
        for name in ("predict", "predict_proba"):
            with contextlib.suppress(AttributeError):
                self._remote.ask("getattr", self, name)
                return True
        return False

    def __setattr__(self, name: str, value: Any) -> None:
        self._remote.ask("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._remote.ask("delattr", self, name)

    def __bool__(self) -> bool:
        if self._origin >= Origin.DERIVED and type(self)._operators & {"__bool__", "__len__"}:
            return decided(self, "bool")
        if type(self)._always_true:
            return True
        raise refuse(self, "is no value that could be true or false")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise refuse(self, "is no array")

    def __iter__(self) -> Iterator[Any]:
        """One by one at first, as a generator's side effects want it; then as many at once as come in a moment."""
        ahead = self._remote.ask("operate", "ahead", (self,))
        taken, most = 0, 1
        while True:
            items = self._remote.ask("operate", "take", (ahead, most))
            if type(items) is not list or not items:
                return
            yield from items
            taken += len(items)
            most = MAX_AHEAD if taken >= ONE_BY_ONE else 1

    def __reversed__(self) -> Iterator[Any]:
        yield from self._remote.ask("operate", "reversed", (self,))

    def __contains__(self, item: Any) -> bool:
        """Whether one of the plain items is equal; the student's ``__contains__`` is asked only of what the test made
        by calling a class that is to have one."""
        if self._origin is Origin.MADE and "__contains__" in type(self)._operators:
            return decided(self, "contains", item)
        return any(item is one or item == one for one in self)

    def __next__(self) -> Any:
        return self._remote.ask("operate", "next", (self,))

    def _plain(self, name: str, kind: type, *arguments: Any) -> Any:
        if self._origin is Origin.TAINTED and kind in (int, float) and name not in ("len", "hash"):
            raise refuse(self, "is no number that a test could reckon with")
        value = self._remote.ask("operate", name, (self, *arguments))
        if type(value) is not kind:
            raise refuse(self, f"gives no {kind.__name__} for {name}()")
        return value

    def __len__(self) -> int:
        return int(self._plain("len", int))

    def __str__(self) -> str:
        return str(self._plain("str", str))

    def __repr__(self) -> str:
        try:
            return str(self._plain("repr", str))
        except LostError:
            return f"<{self._reference.kind} {self._reference.type_name} in the notebook's kernel>"

    def __format__(self, spec: str) -> str:
        return str(self._plain("format", str, spec))

    def __int__(self) -> int:
        return int(self._plain("int", int))

    def __float__(self) -> float:
        return float(self._plain("float", float))

    def __round__(self, *digits: int) -> Any:
        if self._origin is Origin.TAINTED:
            raise refuse(self, "is no number that a test could reckon with")
        return self._remote.ask("operate", "round", (self, *digits))

    def __copy__(self) -> Any:
        return self._remote.ask("operate", "copy", (self,))

    def __deepcopy__(self, memo: Any) -> Any:
        return self._remote.ask("operate", "deepcopy", (self,))

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._plain("dir", list)]

    def __enter__(self) -> Any:
        return self._remote.ask("operate", "enter", (self,))

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        """The student's ``__exit__`` learns of an exception by its type, and may stop one that the block raised
        on purpose."""
        raised = _told(error)
        stops = self._remote.ask("operate", "leave", (self, raised))
        return raised is not None and stops is True and raised_by_test(error)


def _told(error: BaseException | None) -> Any:
    """What a ``with`` block's own exception is there: one of the student's itself, or the name of a built-in type."""
    if error is None or isinstance(error, AssertionError) or not isinstance(error, Exception):
        return None
    if isinstance(error, RemoteError | CodecError):
        return None
    if reference_of(error) is not None:
        return error
    name = type(error).__name__
    return name if getattr(builtins, name, None) is type(error) else None


COMPUTED_HERE = {"evaluate": "check.loss", "count_params": "check.parameters"}
"""What is asked of a model to grade it, and what to ask instead: the examiner computes it itself or not at all."""


class RemoteCallable(RemoteObject, CallableHandle):
    """A function, class or model of the student's: calling it runs their code, in their kernel."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = called(self._remote, self, args, kwargs)
        return mark(result, Origin.DERIVED) if self._origin >= Origin.DERIVED else result


class Refused(RemoteCallable):
    """A model that could not be rebuilt: it says why, and nothing else."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"this model cannot be examined: {type(self).autograder_refusal}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"this model cannot be examined: {type(self).autograder_refusal}")
