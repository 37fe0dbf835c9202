"""The handles of objects that stayed in the student's kernel.

A handle answers questions by asking the kernel, with plain data or another handle. It cannot decide a test by itself:
it equals nothing but itself, has no truth value, cannot be ordered, and never becomes a numpy array. ``operators``
describes the exceptions for a class with operators. An exception of the student's code is raised as its built-in type,
or as the student's own class (``classes``).
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import sys
from collections.abc import Callable, Container, Iterator, Sequence, Set
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from autograder.check.data import hidden_names, is_hidden
from autograder.check.handle import CallableHandle, Handle, reference_of
from autograder.codec import CodecError, LimitError, Packed, Reference, decode, references
from autograder.codec.core import Copy, exactly
from autograder.errors import CourseError, LostError, RemoteError, UnreadReplyError
from autograder.examiner import exact_integers
from autograder.examiner.figures.reconstruction import Figures
from autograder.examiner.finite_numbers import FiniteNumbers
from autograder.examiner.forms import question_of
from autograder.examiner.permissions import Observer, Permissions
from autograder.examiner.remote.arguments import GoesAlongError, argument_error
from autograder.examiner.remote.attribute_copies import AttributeCopies
from autograder.examiner.remote.base_values import MISSING, base_value, derives_from_plain_type
from autograder.examiner.remote.callbacks import Callbacks, ForgedError
from autograder.examiner.remote.changes import TestedCall, change_in_place, is_same_kind
from autograder.examiner.remote.classes import Classes, RemoteClass, RemoteException, call_remote, mark_method
from autograder.examiner.remote.console import Console
from autograder.examiner.remote.context_exit import raised_by_test
from autograder.examiner.remote.coroutines import awaiting
from autograder.examiner.remote.exceptions import end_of_generator, is_interrupt, rebuilt_exception
from autograder.examiner.remote.given_types import given_types
from autograder.examiner.remote.inspection import APPARENT_TYPES, FORWARDED_ATTRIBUTES, data_fields, signature
from autograder.examiner.remote.kinds import claimed
from autograder.examiner.remote.lending import OF_FILES, Lending
from autograder.examiner.remote.object_claims import COMPARING, NamedItems, form_of, given_by_call
from autograder.examiner.remote.operators import Operators, Origin, boolean_answer, mark, origin_of, plain_value, refuse
from autograder.examiner.remote.patience import Patience
from autograder.examiner.remote.shared_globals import SharedGlobals
from autograder.examiner.remote.tensor_twins import TensorTwins
from autograder.examiner.student_text.taint import record_text
from autograder.execution.capture import FIGURES, FrozenCopy
from autograder.execution.link import KernelLink
from autograder.kernel.frozen_copies import ADDRESS, GONE, KERNEL, SPAN, UNREAD
from autograder.syntax.shared_names import CHANGING_CALLS
from autograder.syntax.special_methods import SPECIAL

_WITHOUT_VALUES = frozenset(
    ["snapshot", "freeze", "trainings", "model", "ask_model", "aside", "run_test", "figure", "figures", "int", "len",
     "hash", "keep_tensor", "kept_tensors"]
)  # fmt: skip
"""Requests, and operations, whose integers are descriptions, or such that Python wants its own."""
_LOOKING = frozenset(
    ["snapshot", "fetch", "freeze", "trainings", "model", "aside", "enter", "observe", "reads", "now", "getattr",
     "describe", "layers", "predict", "record", "class", "library", "kinds", "base", "defines", "signature", "source",
     "fields", "hasattr", "repr", "len", "hash", "figure", "figures"]
)  # fmt: skip
"""Requests, and operations and questions, that an honest notebook's objects answer without a change."""
_GIVING = frozenset(["call", "getattr", "next", "take", "getitem", "enter", "wait"])
"""Requests, and operations, that give what a test reads."""
UNREADABLE = "the notebook's kernel gave an answer that cannot be read"
SINGLE_ITEMS, MAX_ITEMS = 32, 1000
"""Items of a loop that are fetched one by one, and how many at once after them."""


def _only_looks(verb: str, arguments: tuple[Any, ...]) -> bool:
    """Tell whether a request changes nothing; an extension's description of a model is its function ``claim``."""
    name = arguments[0] if verb in ("operate", "ask_model") else verb
    return name in _LOOKING or (verb == "ask_model" and name.endswith(":claim"))


WITH_HIDDEN_DATA = (
    "the test has asked for hidden data, and all that an object refers to goes along. Such a call can come before "
    "check.hidden_data"
)


class _KindsAtPlace(Container[str]):
    """The kinds of the place at which the test is, which is looked for only where they decide."""

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    def __contains__(self, kind: object) -> bool:
        return kind in self._permissions.kinds(self._permissions.place())


class Remote:
    """The connection to the kernel, and the objects rebuilt from handles."""

    def __init__(self, link: KernelLink) -> None:
        self.link = link
        self.lost: LostError | None = None
        self.patience = Patience()
        self.ending: RemoteError | None = None
        """An end that no test can repair by catching the error: the kernel ended, or the student's code called exit."""
        self.rebuild: Callable[[Reference, Any], Any] | None = None
        """Rebuilds a model from the kernel's claim; set while answers are examined."""
        self.figures = Figures()
        self.origins: dict[int, str] = {}
        """Handle → the digest of the question that gave the object."""
        self.permissions, self.finite = Permissions(), FiniteNumbers()
        self.names: dict[int, set[str]] = {}
        """Handle of a student's function → its names in the test cell; ``.fit`` of a method."""
        self.lending = Lending(self)
        self.shared = SharedGlobals(self)
        self.attributes = AttributeCopies(self)
        self.tensors = TensorTwins(self)
        self.left: Any = {}
        """What the call that raised last has changed of its arguments: the kernel's claim."""
        self.reads_plain_values = False
        self.callbacks = Callbacks()
        self.console = Console()
        self.classes = Classes(self, RemoteObject, RemoteCallable)
        self.copy: FrozenCopy | None = None
        """The frozen copy that answers; None: the kernel itself, as it is at the end of the notebook."""
        self.gone: set[int] = set()
        """The copies that have died."""
        self.acted: set[int | None] = set()
        """Requests of :meth:`_answering` in which a test has run code that may have changed objects."""
        self.callbacks.admit, self.callbacks.exact = self._admit, functools.partial(self._exact, path="passed")
        self.callbacks.allow = self._allow_objects
        self._foreign: CourseError | None = None
        """Why an argument cannot be sent: it is an object of another copy's. The encoder does not pass this on."""
        self._left_by: dict[int, str] = {}
        """Number of an object that a test has left under a name → that name and that test, in words."""
        self.entered: dict[Reference, tuple[Any, Packed | None]] = {}
        """The context managers whose blocks run → what each gave to ``as``, and how it was then."""
        self.alive: WeakValueDictionary[Reference, Any] = WeakValueDictionary()
        """The handle of each object as the student's code returned it; there is one for each, so that ``is`` works."""

    def ask(self, verb: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Send one question to the kernel and return the answer.

        Text that the student's code prints meanwhile is printed here, and its calls of the test's own functions are
        served.

        Raises:
            LostError: there is no kernel, or no answer.
            ArgumentError: an argument cannot travel; the message says what to pass instead.
            Exception: raised by the student's code, as a built-in exception type or as a class of the student's.
        """
        if self.lost:
            self.ending = type(self.lost)(str(self.lost))
            raise self.ending
        if self.attributes.copies and verb != "amend":
            self.attributes.send()
        if not _only_looks(verb, arguments):
            self.acted.add(self._answering())
        call = self.call_of(arguments[0] if arguments else None)
        with self.lending.during(verb, arguments, call) as (sent, *content):
            return self._exchange([sent, self.console.replaced(), *content], verb, arguments, call, timeout)

    def _exchange(
        self, content: list[Any], verb: str, arguments: tuple[Any, ...], call: TestedCall, timeout: float | None
    ) -> Any:
        """Send the content of a request and take its reply apart."""
        self._foreign = None
        try:
            request = encoded_request = self.callbacks.encoded(content)
            if isinstance(self.permissions, Observer):
                self.permissions.sent(hidden_names(content))
        except CodecError as error:
            if self._foreign is not None:
                raise self._foreign from None
            raise argument_error(error) from None
        if self.copy is not None and arguments[:1] not in OF_FILES:
            request = Packed(b"%b%d:%b" % (ADDRESS, self.copy.snapshot, request.text), request.buffers)
        kinds = self.permissions.kinds(*call, given_types(arguments))
        request_name = arguments[0] if verb == "operate" else verb
        try:
            limit = self.patience.limit(verb, timeout)
            reply = self.link.exchange(request, limit, functools.partial(self._answer, kinds, call))
        except LostError as error:
            self.lost = self.ending = self.patience.lost(error)
            raise self.lost from None
        try:
            # Weights rebuild a model's layers and are not compared by a test: they keep their types.
            kept_types = None if verb == "model" else kinds
            # Only a tuple is taken apart: what other values do then is for their classes to decide.
            handles = arguments if verb != "operate" else arguments[1]
            decoded = self._decoded(reply, kept_types, judges=self._judges(request_name, handles, call))
            outcome, result, printed = exactly(tuple, decoded)
            if type(printed) is not str or type(outcome) is not str or outcome not in ("ok", "raised", UNREAD, GONE):
                raise CodecError("not a reply")
            if outcome == UNREAD and not _has_library_objects(encoded_request):
                raise CodecError("an honest kernel can read this request")
        except (CodecError, TypeError, ValueError):
            raise RemoteError(UNREADABLE) from None
        record_text(reply)
        if printed:
            sys.stdout.write(printed)
        if outcome == "raised" or request_name not in _WITHOUT_VALUES:
            result = self._exact(result, kinds)
        if outcome == "ok":
            if isinstance(self.permissions, Observer) and request_name in _GIVING:
                self.permissions.arrived(*call, form_of(given_by_call(result) if verb == "call" else result, reply))
            if request_name in _GIVING and verb not in ("call", "enter"):  # a call changes arguments first
                return self._convert_given(request_name, result, call, handles, given_types(arguments))
            return result
        if outcome == UNREAD:
            raise UnreadReplyError("an argument of the test could not be built where the student's code runs")
        if outcome == GONE:
            if self.copy is not None:
                self.gone.add(self.copy.snapshot)
            self.ending = LostError("the notebook's kernel died while its answer was examined")
            raise self.ending
        if type(result) is dict:
            self.left = result.pop("changed", {})
        if type(result) is dict and "callback" in result:
            raise self.callbacks.passed(result["callback"])
        raised = rebuilt_exception(result)
        if isinstance(raised, RemoteError):
            raised = self.ending = self._excuse(verb, raised) or raised
        if isinstance(raised, StopIteration) and arguments[:1] != ("next",):
            raised = end_of_generator(raised)
        raise raised

    def _answer(self, kinds: Container[str], call: TestedCall, question: Packed) -> Packed:
        """Answer a question of the student's code; what it passes may judge only where the solution passed objects."""
        passing = call.passing
        if isinstance(self.permissions, Observer):
            self.permissions.arrived(*passing, form_of((), question))
        refer = functools.partial(self.claimed, judges=self.permissions.judges(*passing))
        convert, lend = functools.partial(self.convert, passing), functools.partial(self.tensors.lend, call)
        return self.callbacks.answer(question, kinds, refer, lambda passed: convert(passed, lambda: ""), lend)

    def _convert_given(self, name: str, value: Any, call: TestedCall, handles: Sequence[Any], always: Set[str]) -> Any:
        """Return what a request gave in the form of the solution's; that a loop ends is nothing empty."""
        if name == "take" and value == []:
            return value
        request = (name, *handles[: 1 if name == "take" else None])
        return self.convert(call, value, self.question(request), always)

    def question(self, request: Any, *, now: bool = False) -> Callable[[], str]:
        """Return a function that returns the digest of a request; ``now``: before its arguments change."""
        question = functools.cache(lambda: question_of(request, lambda handle: self.origins.get(handle, "")))
        if now or isinstance(self.permissions, Observer):
            question()
        return question

    def convert(self, call: TestedCall, value: Any, question: Callable[[], str], always: Set[str] = frozenset()) -> Any:
        """Return what a request gave in the form in which the solution's was seen there."""
        if (reference := reference_of(value)) is not None:
            self.origins[reference.handle] = question()
        return self.permissions.convert(call.place, call.names, value, question, always)

    def _judges(self, request_name: str, handles: Sequence[Any], call: TestedCall) -> bool:
        """Tell whether objects in a reply may judge.

        They may not if a claim gives them, or where the solution gave a value.
        """
        if any(origin_of(handle) is Origin.CLAIM for handle in handles):
            return False
        return request_name not in _GIVING or self.permissions.judges(*call)

    def _excuse(self, verb: str, raised: RemoteError) -> RemoteError | None:
        """Return the error of a call that was stopped and may be right; None if its end is the student's."""
        if not is_interrupt(raised):
            return None
        return self.callbacks.too_often() or self.patience.stop(verb)

    def _decoded(self, reply: Packed, kept_types: Any, *, judges: bool) -> Any:
        """Decode a reply, whose objects may judge or not.

        Raises:
            UnreadReplyError: a value in it cannot be read.
            CodecError: no honest kernel says this.
        """
        try:
            refer = functools.partial(self.claimed, judges=judges)
            return decode(reply.text, reply.buffers, refer, strict=True, kept_types=kept_types)
        except (ForgedError, LimitError):
            raise
        except CodecError as error:
            raise UnreadReplyError(f"{UNREADABLE} ({error})") from None

    def _exact(self, value: Any, kinds: Container[str], path: str = "") -> Any:
        """Return a value of the student's with integers that do not wrap, and with finite numbers if they are asked."""
        value = self.finite.arriving(value, kinds, path)
        return exact_integers.arriving(value, kinds, observing=isinstance(self.permissions, Observer))

    def exact(self, value: Any) -> Any:
        """Return what a test makes of answers, such as the numbers of a file, as what arrives."""
        if type(value) is np.lib.npyio.NpzFile:
            return exact_integers.exact_archive(value, self.exact)
        return self._exact(value, _KindsAtPlace(self.permissions))

    def has_acted(self) -> bool:
        """Tell whether a test has run code of the process that answers, which may have changed objects there."""
        return self._answering() in self.acted

    def _answering(self) -> int | None:
        """Return the number of the copy that answers; None: the kernel itself."""
        return None if self.copy is None else self.copy.snapshot

    def call_of(self, function: Any) -> TestedCall:
        """Describe the call of the student's code, or the request about an object, that the test makes now."""
        reference = reference_of(function)
        names = self.names.get(reference.handle, set()) if reference is not None else set()
        return TestedCall(self.permissions.place(), names)

    def encoded(self, value: Any) -> Packed:
        """Encode a value for the kernel.

        Raises:
            CodecError: it cannot travel.
        """
        return self.callbacks.encoded(value)

    def noted(self, value: Any) -> tuple[Any, Packed | None]:
        """Return a value with a note of its state; None if the student's code cannot change it."""
        is_copy = is_same_kind(value, value) and id(value) not in self.callbacks.numbers and not is_hidden(value)
        try:
            return value, self.encoded(value) if is_copy else None
        except CodecError:
            return value, None

    @contextlib.contextmanager
    def asking_copy(self, copy: FrozenCopy | None) -> Iterator[None]:
        """Let a frozen copy, or the kernel itself, answer inside the block."""
        self.copy = copy
        try:
            yield
        finally:
            self.copy = None

    def enter(self, snapshot: int) -> None:
        """Let the kernel, or the copy that answers, restore the names of a snapshot.

        A copy that was made for a test cell before that one has what that cell's test left, which the next is to find.
        """
        joined = self.copy is not None and self.copy.snapshot < snapshot
        self.ask("enter", None if joined else snapshot)

    def _admit(self, reference: Reference) -> None:
        """Refuse an object that another copy made: the copy that answers does not have it."""
        if not self._is_here(reference.handle):
            position = self.permissions.place()
            line = f", in line {position.line}," if position.line else ""
            subject = self._left_by.get(reference.handle, "an object that an earlier test")
            self._foreign = CourseError(
                f"the test {self.permissions.test!r}{line} uses {subject} made with another state of the notebook; "
                "make it in this test, or put both tests into one cell"
            )
            raise self._foreign

    def _allow_objects(self, classes: Set[str]) -> None:
        """Refuse objects of libraries' classes where the solution got none, and where hidden data may go along.

        Raises:
            GoesAlongError: one of them must not go to the student's code.
        """
        if self.lending.tainted is not None and self.lending.tainted.is_asked():
            raise GoesAlongError(classes, WITH_HIDDEN_DATA)
        if not self.permissions.gets(self.permissions.place(), classes):
            raise GoesAlongError(classes, "your solution was not seen to get them")

    def note_left(self, name: str, value: Any) -> None:
        """Note that the test leaves an object under a name."""
        if (reference := reference_of(value)) is not None:
            self._left_by[reference.handle] = f"{name!r}, which the test {self.permissions.test!r}"

    def is_here(self, value: Any) -> bool:
        """Tell whether the process that answers has the object of a handle; other values are everywhere."""
        reference = reference_of(value)
        return reference is None or self._is_here(reference.handle)

    def _is_here(self, handle: int) -> bool:
        """Tell whether the process that answers has given the number, or had it from before it was copied."""
        home = handle // SPAN
        return home <= 0 or home == (KERNEL // SPAN if self.copy is None else self.copy.snapshot + 1)

    def require_here(self, *handles: int) -> None:
        """Refuse numbers that the process that answers cannot have given.

        Raises:
            ForgedError: one of them is another process's.
        """
        if not all(map(self._is_here, handles)):
            raise ForgedError("an object of another process")

    @contextlib.contextmanager
    def replace_ask(self, ask: Callable[..., Any]) -> Iterator[None]:
        """Replace the method ``ask`` inside the block; the replacement may call the original."""
        attributes = vars(self)
        before = attributes.get("ask")
        attributes["ask"] = ask
        try:
            yield
        finally:
            if before is None:
                del attributes["ask"]
            else:
                attributes["ask"] = before

    def stand_in(self, reference: Reference) -> Any:
        """Return what a reference stands for.

        It is the test's own object, a class, a rebuilt model or figure, or a handle.

        Raises:
            ForgedError: the process that answers cannot have given this number.
        """
        if reference.handle < 0:
            return self.callbacks.resolve(reference)
        name, _, of = reference.type_name.partition("#")
        self.require_here(reference.handle, *([int(of)] if of.isdecimal() else []))
        reference = reference._replace(type_name=name)
        if reference.kind == "model" and self.rebuild is not None:
            rebuild, self.rebuild = self.rebuild, None  # a model inside a model's claim stays remote
            try:
                return rebuild(reference, self.ask("model", reference.handle))
            finally:
                self.rebuild = rebuild
        if reference.kind in FIGURES and self.rebuild is not None:
            figure = self._figure(reference)
            if figure is not None:
                return figure
        if reference.kind == "class" and self.classes.has(name):
            handle = self.classes.of(reference)
            if handle is not None:
                return handle
        if name == "builtins.coroutine":
            return awaiting(RemoteObject(self, reference))
        is_students = of.isdecimal() and self.classes.has(name)
        of_class = self.classes.of(Reference(int(of), "class", name)) if is_students else None
        if not isinstance(of_class, RemoteClass):  # one of Python's own, which has no handles
            of_class = None
        handle = self.alive.get(reference)
        if handle is None or (of_class is not None and type(handle) is not of_class):
            self.alive[reference] = handle = self._made(reference, of_class)
        return self._read(handle)

    def claimed(self, reference: Reference, *, judges: bool) -> Any:
        """Return what a reference stands for; an object that may not ``judge`` decides nothing by its own methods."""
        value = self.stand_in(reference)
        if judges:
            return value
        if reference.kind in ("class", "module"):
            value = self.plain(reference)
        is_object = issubclass(type(value), RemoteObject) and reference.kind not in ("model", *FIGURES)
        return value._of_origin(Origin.CLAIM) if is_object else value

    def _read(self, handle: Any) -> Any:
        """Return the handle, or the plain value of its object if such values are read."""
        is_derived = derives_from_plain_type(handle)
        self.permissions.has_derived |= is_derived
        value = plain_value(handle) if is_derived and self.reads_plain_values else MISSING
        return handle if value is MISSING else value

    @contextlib.contextmanager
    def reading_plain_values(self) -> Iterator[None]:
        """Let objects that have a plain value arrive as that value inside the block."""
        self.reads_plain_values = True
        try:
            yield
        finally:
            self.reads_plain_values = False

    def _made(self, reference: Reference, kind: Any) -> Any:
        if kind is not None and issubclass(kind, RemoteException):
            error = kind.__new__(kind)
            vars(error).update(_remote=self, _reference=reference)
            return error
        if kind is None:
            kind = RemoteCallable if reference.kind in ("function", "class", "model", "network") else RemoteObject
        handle = kind.__new__(kind)
        RemoteObject.__init__(handle, self, reference)
        return handle

    def plain(self, reference: Reference) -> RemoteObject:
        """Return the handle for a reference, even if the object could be rebuilt."""
        return RemoteObject(self, reference)

    def _figure(self, reference: Reference) -> Any:
        """Return a figure of the examiner's, drawn from the kernel's claim; None if the claim is invalid."""
        rebuild, self.rebuild = self.rebuild, None  # a figure's claim contains no other figure
        try:
            return self.figures.rebuilt(self.ask("operate", "figure", (self.plain(reference),)))
        except RemoteError:
            raise
        except Exception:  # the student's code prevented the description
            return None
        finally:
            self.rebuild = rebuild


def _has_library_objects(request: Packed) -> bool:
    """Return whether a request has something that a kernel may lack: what comes from a library."""
    return any(reference.kind in ("built", "library") for reference in references(request.text))


class RemoteObject(Operators, Handle):
    """The handle of an object in the student's kernel."""

    __slots__ = ("__weakref__", "_origin", "_reference", "_remote", "_said")
    _remote: Remote
    _reference: Reference
    _origin: Origin
    _said: NamedItems
    """What the object has said of its items; only read where it is a claim."""
    _always_true = False
    """Whether the class, one of the assignment's, has neither ``__bool__`` nor ``__len__``."""

    @property
    def autograder_refusal(self) -> str | None:
        """Why a check cannot examine the object; subclasses made by the examiner have a text of their own."""
        return self._reference.why or None

    @property
    def autograder_value(self) -> Any:
        """A copy that a check may compare instead; None if there is none."""
        if self._reference.copy is not None:
            return self._reference.copy
        base = plain_value(self, "__eq__")
        return None if base is MISSING else Copy(base)

    def __init__(self, remote: Remote, reference: Reference) -> None:
        object.__setattr__(self, "_remote", remote)
        object.__setattr__(self, "_reference", reference)
        object.__setattr__(self, "_origin", Origin.STUDENT)
        object.__setattr__(self, "_said", NamedItems())

    def _autograder_reference(self) -> Reference:
        return self._reference

    def _of_origin(self, origin: Origin) -> RemoteObject:
        """Return another handle of the same object, with this origin."""
        handle = type(self).__new__(type(self))
        RemoteObject.__init__(handle, self._remote, self._reference)
        object.__setattr__(handle, "_origin", origin)
        return handle

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return the class that ``type(x)`` gives in a test, which has the name that the kernel says."""
        name, kind = self._reference.type_name, type(self)
        if name in APPARENT_TYPES:
            return APPARENT_TYPES[name]
        if self._reference.kind == "class" or isinstance(kind, RemoteClass):
            return kind
        try:
            return claimed(name)
        except ValueError:  # no name of a class
            return kind

    def __getattribute__(self, name: str) -> Any:
        if name[:2] == "__" and name[-2:] == "__":
            if name in FORWARDED_ATTRIBUTES:
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
            raise TypeError(f"{name} of an object in the notebook's kernel is the notebook's own claim; use {instead}")
        attribute = self._remote.ask("getattr", self, name)
        if self._origin is Origin.CLAIM:
            return self._of_value(name, attribute)
        if name == "score" and isinstance(attribute, RemoteCallable) and self._predicts():
            raise TypeError("a model's score would send the labels into the notebook's kernel; use check.accuracy")
        if isinstance(attribute, RemoteCallable):  # so that a helper's `g(a)` tells `m.center` from `m.score`
            self._remote.names.setdefault(attribute._reference.handle, set()).add(f".{name}")
        if name in self._remote.attributes.names:
            attribute = self._remote.attributes.keep(self, self._reference, name, attribute)
        return mark_method(attribute, Origin.DERIVED) if self._origin >= Origin.DERIVED else attribute

    def _of_value(self, name: str, attribute: Any) -> Any:
        """Return an attribute of the value that a claim holds, in place of its own.

        A column with missing items answers by itself what does not compare it with a value of the test's.

        Raises:
            UnreadError: the attribute is one of the object's own class.
        """
        copy = self._reference.copy
        if copy is not None and name not in COMPARING:
            return getattr(copy.value, name) if name == "equals" else attribute
        value = MISSING if name in CHANGING_CALLS else plain_value(self, name)
        if not hasattr(value, name):
            raise self._unread(f"was asked for its own {name!r}")
        return getattr(value, name)

    def _claimed_value(self, methods: Sequence[str] = ()) -> Any:
        """Return the plain value of a claim; MISSING for other objects, and if its class reads items by itself.

        Raises:
            UnreadError: its class, which derives from a plain type, has own methods for what the test asks.
        """
        if self._origin is not Origin.CLAIM:
            return MISSING
        value = self._said.value(functools.partial(base_value, self), self._unread, *methods)
        if value is MISSING and methods and derives_from_plain_type(self):
            raise self._unread(f"was asked for {methods[0]!r} and has methods of its own that answer")
        return value

    def _unread(self, problem: str) -> Exception:
        return self._remote.permissions.unread_object(self._reference.type_name, problem)

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
            return boolean_answer(self, "bool")
        if type(self)._always_true:
            return True
        base = plain_value(self, "__bool__", "__len__")
        if base is MISSING:
            raise refuse(self, "has no truth value in a test")
        return bool(base)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        base = plain_value(self, "__eq__")
        if base is MISSING:
            raise refuse(self, "is not an array")
        return np.array(base, dtype)

    def __iter__(self) -> Iterator[Any]:
        """Yield items one by one at first, then as many at once as arrive in a moment.

        Fetching ahead at once would trigger a generator's side effects too early.
        """
        if self._origin is not Origin.CLAIM:
            return self._fetched()
        value = self._claimed_value()
        return self._said.items(self._fetched(), self._unread) if value is MISSING else iter(value)

    def _fetched(self) -> Iterator[Any]:
        ahead = self._remote.ask("operate", "ahead", (self,))
        count, most = 0, 1
        while True:
            items = self._remote.ask("operate", "take", (ahead, most))
            if type(items) is not list or not items:
                if not count and self._origin is not Origin.CLAIM:
                    iter(self._remote.convert(self._remote.call_of(self), [], self._remote.question(("take", self))))
                return
            yield from items
            count += len(items)
            most = MAX_ITEMS if count >= SINGLE_ITEMS else 1

    def __reversed__(self) -> Iterator[Any]:
        if self._origin is Origin.CLAIM:
            value = self._claimed_value()
            yield from reversed(list(self) if value is MISSING else value)
            return
        yield from self._remote.ask("operate", "reversed", (self,))

    def __contains__(self, item: Any) -> bool:
        """Return whether one of the plain items is equal.

        The student's ``__contains__`` decides only for an instance that the test created of a class that should have
        it.
        """
        if self._origin is Origin.MADE and "__contains__" in type(self)._operators:
            return boolean_answer(self, "contains", item)
        is_claim = self._origin is Origin.CLAIM
        base = self._claimed_value() if is_claim else plain_value(self, "__eq__", "__contains__")
        if base is not MISSING:
            return item in base
        return any(item is one or item == one for one in self)

    def __next__(self) -> Any:
        return self._remote.ask("operate", "next", (self,))

    def _plain(self, name: str, kind: type, *arguments: Any) -> Any:
        if self._origin is Origin.TAINTED and kind in (int, float) and name not in ("len", "hash"):
            raise refuse(self, "is not a number that a test can compute with")
        value = self._remote.ask("operate", name, (self, *arguments))
        if type(value) is not kind:
            raise refuse(self, f"gives no {kind.__name__} for {name}()")
        return value

    def __len__(self) -> int:
        value = self._claimed_value()
        if value is not MISSING:
            return len(value)
        length = int(self._plain("len", int))
        return self._said.length(length, self._unread) if self._origin is Origin.CLAIM else length

    def __getitem__(self, key: Any) -> Any:
        value = self._claimed_value()
        if value is MISSING:
            item = self._remote.ask("operate", "getitem", (self, key))
            return self._said.item(key, item, self._unread) if self._origin is Origin.CLAIM else item
        return self._made_for(key, value) if isinstance(value, dict) and key not in value else value[key]

    def _made_for(self, key: Any, mapping: dict[Any, Any]) -> Any:
        """Return what a ``__missing__`` gives for a key; it may keep that in the mapping."""
        item = self._remote.ask("operate", "getitem", (self, key))
        if self._remote.ask("operate", "contains", (self, key)) is True:
            mapping[key] = item
        return item

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
        value = self._claimed_value(["__int__"])
        return int(self._plain("int", int) if value is MISSING else value)

    def __float__(self) -> float:
        value = self._claimed_value(["__float__"])
        return float(self._plain("float", float) if value is MISSING else value)

    def __round__(self, *digits: int) -> Any:
        if self._origin is Origin.TAINTED:
            raise refuse(self, "is not a number that a test can compute with")
        value = self._claimed_value(["__round__"])
        return self._remote.ask("operate", "round", (self, *digits)) if value is MISSING else round(value, *digits)

    def __copy__(self) -> Any:
        return self._remote.ask("operate", "copy", (self,))

    def __deepcopy__(self, memo: Any) -> Any:
        return self._remote.ask("operate", "deepcopy", (self,))

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._plain("dir", list)]

    def __enter__(self) -> Any:
        entered = self._remote.ask("operate", "enter", (self,))
        self._remote.entered[self._reference] = self._remote.noted(entered)
        return entered

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        """Call the student's ``__exit__`` with the exception's type.

        It may suppress an exception only if the block raised it on purpose.
        """
        raised = _exit_argument(error)
        stops = self._remote.ask("operate", "leave", (self, raised))
        entered, noted = self._remote.entered.pop(self._reference, (None, None))
        if noted is not None:  # `with timed() as times` fills a dictionary when the block ends
            now = self._remote.ask("operate", "entered", (self,))
            if self._remote.noted(now)[1] != noted:
                change_in_place(entered, now)
        return raised is not None and stops is True and raised_by_test(error)


def _exit_argument(error: BaseException | None) -> Any:
    """Return how the kernel sees the exception of a ``with`` block.

    It is the student's own exception itself, or the name of a built-in type.
    """
    if error is None or isinstance(error, AssertionError) or not isinstance(error, Exception):
        return None
    if isinstance(error, RemoteError | CodecError):
        return None
    if reference_of(error) is not None:
        return error
    name = type(error).__name__
    return name if getattr(builtins, name, None) is type(error) else None


COMPUTED_HERE = {"evaluate": "check.loss", "count_params": "check.parameters"}
"""Methods of a model that would grade it → what to use instead: the examiner computes these values itself or not at
all."""


class RemoteCallable(RemoteObject, CallableHandle):
    """The handle of a function, class or model of the student's; a call runs the student's code in the kernel."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object in the kernel."""
        result = call_remote(self._remote, self, args, kwargs)
        return mark(result, Origin.DERIVED) if self._origin >= Origin.DERIVED else result


class RefusedModelHandle(RemoteCallable):
    """The handle of a model that could not be rebuilt; it only gives the reason."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"this model cannot be examined: {type(self).autograder_refusal}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse the call with the reason."""
        raise TypeError(f"this model cannot be examined: {type(self).autograder_refusal}")
