"""The names that a test cell sees, each from a source that it can be trusted with.

- Imports and definitions of the instructor's own cells: run here, by the examiner. - Names that earlier test cells
bound: theirs. - Every other name: the student's answer as it was at the cell's position, as a plain copy, a rebuilt
model, or a handle.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import linecache
import sys
from collections.abc import Callable, Iterable, Mapping, Set
from types import MappingProxyType, ModuleType
from typing import Any

from autograder.check import provenance
from autograder.check.cell_descriptions import describe_at_cell
from autograder.check.handle import holds_handle, reference_of
from autograder.check.prediction_cache import PredictionCache, digest
from autograder.codec import CodecError, LimitError, Packed, Reference, decode, encode, references
from autograder.codec.core import exactly
from autograder.errors import AnswerError, CourseError, RemoteError, UnreadError
from autograder.examiner import exact_integers
from autograder.examiner.answer_imports import begin_exam, begin_test
from autograder.examiner.course_imports import use_kinds
from autograder.examiner.evaluations import Evaluations
from autograder.examiner.permissions import Observer
from autograder.examiner.remote.attribute_copies import attributes_changed
from autograder.examiner.remote.callbacks import ForgedError
from autograder.examiner.remote.classes import allow_operators
from autograder.examiner.remote.kinds import kind_checks, name_of, with_types
from autograder.examiner.remote.model import RemoteModel, refused_model
from autograder.examiner.remote.object_claims import form_of
from autograder.examiner.remote.proxy import RefusedModelHandle, Remote
from autograder.examiner.student_text.taint import record_text
from autograder.examiner.table_reading import ReleasedTables
from autograder.examiner.tainted_names import TaintedNames
from autograder.examiner.workspace import Workspace
from autograder.execution.capture import FIGURES, NETWORK, Capture, Captured
from autograder.records.compiled import CompiledAs
from autograder.syntax.names import Vocabulary, imports, loaded_names, names_of_cell

lent_modules: set[str] = set()
"""The examiner's own modules that were an answer in this process: a test that calls a method of an answer may have
changed one of them."""


class TooLarge(AnswerError):
    """An answer that exceeds the limits for answers."""


class UnreadAnswer(AnswerError, UnreadError):
    """An answer within the limits that could not be read."""


class OtherAnswerError(CourseError):
    """An answer that the instructor imports and the student makes otherwise, and that passes only as the student's.

    The student's version may be right, or the test may judge other answers with it.
    """

    def __init__(self, names: Iterable[str]) -> None:
        listed = ", ".join(f"`{name}`" for name in sorted(names))
        super().__init__(
            f"the solution imports {listed}, and the notebook binds something else to it. With that the test passes,"
            " and with the import it does not, so a person looks; if students may write it themselves, define it there"
        )


MAX_KEPT_BYTES = 1 << 20
"""Size of a plain answer up to which a test finds what the test directly before it has changed in it."""

CONSOLE_NAMES = frozenset(["input", "print", "open"])
"""If a test binds one of these names, the student's functions use that object, as in a notebook."""

RETURNED_MODEL_REFUSAL = (
    "The model that a function returned cannot be rebuilt: its kind is not supported, or it exceeds a limit."
)
"""The reason shown for a model that a call returned; it contains no word of the kernel's."""

Rebuild = Callable[[Any, list[Any]], Any]


class Answers:
    """The conversion of captures into objects.

    A model is rebuilt once for each cell and each of its names, because tests may change it. Under a name that tests
    only read, it is rebuilt once for each state.
    """

    def __init__(
        self,
        remote: Remote,
        modules: frozenset[str],
        rebuild: Rebuild,
        predictions: PredictionCache | None = None,
        compiled: Mapping[str, CompiledAs] | None = MappingProxyType({}),
    ) -> None:
        self.remote = remote
        self.modules = modules
        self.rebuild = rebuild
        self.predictions = predictions
        """The cached predictions of the models."""
        self.evaluations = Evaluations(compiled)
        """How the solution's models are compiled, by their names."""
        self.measured: frozenset[str] = frozenset()
        """Names of models of which tests need nothing but cached figures."""
        self.read_only: frozenset[str] = frozenset()
        """Names whose objects tests do not change, see :func:`autograder.examiner.shared_models.read_only_models`."""
        self.states: dict[tuple[int, str], Any] = {}
        """Rebuilt models under such names: (handle, digest of the claim) → model."""
        self.following: Mapping[int, frozenset[str]] = MappingProxyType({})
        """See :func:`autograder.execution.freezing.following`."""
        self.histories: list[Mapping[str, Any]] = []
        self.built: dict[int, tuple[Any, Any]] = {}
        self.marked: dict[int, Any] = {}
        """The objects of one test cell that several answers hold: they are one object here, too."""
        remote.rebuild = self.rebuild_returned

    def value(self, name: str, captured: Captured, *, measured: bool = False, changed: Packed | None = None) -> Any:
        """Return the answer under ``name``.

        Args:
            name: its name.
            captured: its capture.
            measured: whether cached figures may take the place of a model.
            changed: what tests have made of it, which may hold something of a hidden test; None: nothing.

        Raises:
            TooLarge: the answer was too large to be captured.
            UnreadAnswer: it could not be read.
        """
        if captured.packed is None:
            raise TooLarge(name, f"is too large to be examined: {captured.refused}")

        models: list[Any] = []

        def refer(reference: Reference) -> Any:
            if reference.kind == "module":
                return self.module(reference)
            if reference.kind in ("model", *FIGURES):
                self.remote.require_here(reference.handle)
            if reference.kind == "model" and reference.handle in captured.models:
                claim = captured.models[reference.handle]
                model = self._cached_model(claim) if measured else None
                if model is None:
                    model = self.model(reference, claim, shared=name in self.read_only)
                self._keep_history(model, claim)
                self.evaluations.note(model, name)
                provenance.note(model)
                models.append(model)
                return model
            if reference.kind in FIGURES:
                figure = self.remote.figures.rebuilt(captured.models.get(reference.handle))
                return self.remote.plain(reference) if figure is None else figure
            value = self.remote.claimed(reference, judges=judges)
            if reference.kind == NETWORK:
                describe_at_cell(value, captured.models.get(reference.handle), self.remote.has_acted)
            return value

        permissions = self.remote.permissions
        kinds, observing = permissions.kinds_of(name), isinstance(permissions, Observer)
        judges = permissions.judges_as(name)
        try:
            packed = changed or captured.packed
            value = decode(packed.text, packed.buffers, refer, strict=True, kept_types=kinds, numbered=self.marked)
            value = self.remote.finite.arriving(value, kinds)
            value = exact_integers.arriving(value, kinds, observing=observing)
            if isinstance(permissions, Observer):
                permissions.arrived_as(name, form_of(value, packed))
            value = permissions.convert_answer(name, value)
        except (ForgedError, LimitError) as error:
            raise TooLarge(name, f"cannot be examined: {error}") from None
        except CodecError as error:
            raise UnreadAnswer(name, f"could not be read: {error}") from None
        if isinstance(permissions, Observer):
            permissions.answered(name, value, is_model=any(value is model for model in models))
        record_text(captured.packed)
        if changed is None:
            provenance.note(value)
        return value

    def _cached_model(self, claim: Any) -> Any:
        """Return a stand-in for a model with cached figures.

        None if Keras is loaded, since the model can then be rebuilt quickly.
        """
        if self.predictions is None or "keras" in sys.modules:
            return None
        return self.predictions.cached(claim)

    def module(self, reference: Reference) -> Any:
        """Return the examiner's own import if the instructor's source imports that module, too; otherwise a handle."""
        if reference.type_name not in self.modules:
            return self.remote.stand_in(reference)
        lent_modules.add(reference.type_name)
        return importlib.import_module(reference.type_name)

    def model(self, reference: Reference, claim: Any, *, shared: bool = False, refusal: str = "") -> Any:
        """Return the rebuilt model, or a handle that knows why it could not be rebuilt.

        A model is built once for each claim; if it may be ``shared``, once for all equal claims. ``refusal`` replaces
        the reason in messages.
        """
        if id(claim) not in self.built:
            state = (reference.handle, digest(claim)) if shared else (0, "")
            model = self.states.get(state)
            if model is None:
                model = self._model(reference, claim, state, refusal)
                self.remote.callbacks.rebuilt[id(model)] = (model, reference)
            self.built[id(claim)] = (claim, model)
        return self.built[id(claim)][1]

    def _model(self, reference: Reference, claim: Any, state: tuple[int, str], refusal: str) -> Any:
        try:
            described, weights = exactly(tuple, claim)
            if type(described) is not dict or type(weights) is not list:
                raise ValueError("it does not describe itself as a Keras model does")
            model = self.rebuild({**described, "history": None} if refusal else described, weights)
        except (ValueError, TypeError) as error:
            if refusal:  # only the instructor's details quote the reason
                print(f"A call gave a model that is refused: {error}", file=sys.stderr)
            return refused_model(self.remote, reference, error, refusal)
        if self.predictions is not None:
            self.predictions.watch(model, claim)
        if state[1]:
            self.states[state] = model
        return model

    def rebuild_returned(self, reference: Reference, claim: Any) -> Any:
        """Return the model that a call of a test returned, or a handle with a fixed reason.

        The kernel describes this model when hidden inputs are in the kernel, so nothing of the description may be
        shown. Its learning curve is ignored.
        """
        model = self.model(reference, claim, refusal=RETURNED_MODEL_REFUSAL)
        self.evaluations.note(model)
        return model

    def _keep_history(self, model: Any, claim: Any) -> None:
        """Keep the learning curve that a model had at a cell."""
        if isinstance(model, RefusedModelHandle) and not isinstance(model, RemoteModel):
            return
        history = claim[0].get("history")
        if type(history) is dict:
            self.histories.append(history)


class Namespace(dict[str, Any]):
    """The globals of one test cell; assignments to a student's name are repeated in the kernel."""

    def __init__(self, vocabulary: Vocabulary, answers: Answers, tables: ReleasedTables | None = None) -> None:
        super().__init__()
        self.known = vocabulary
        self.answers = answers
        self.tables = tables or ReleasedTables({}, {}, Workspace())
        self.left: dict[str, Any] = {}
        self.left_by: dict[str, int] = {}
        """Name of those → number of the test that bound it last."""
        self.changed: dict[str, tuple[Packed, Packed]] = {}
        """Plain answer → its capture, and what the tests since the last other cell have made of it."""
        self.plain: dict[str, Packed] = {}
        """Plain answer of the cell → its capture, if the next test cell may find what this one makes of it."""
        self.number = 0
        self.live = False
        self.doubtful: set[str] = set()
        """Names of the cell that the instructor imports and the student makes otherwise."""
        answers.remote.acted.clear()
        answers.remote.classes.expected = vocabulary.operators
        answers.remote.classes.theirs = vocabulary.theirs
        answers.remote.callbacks.lent.given = frozenset(vocabulary.trusted)
        answers.remote.lending.readable = vocabulary.parameters
        self.tainted = answers.remote.lending.tainted = TaintedNames(self)
        begin_exam(vocabulary)

    def prepare(self, source: str, capture: Capture | None, number: int = 0, *, import_doubtful: bool = False) -> None:
        """Fill in the names that the cell's syntax tree mentions; names that exist nowhere stay undefined.

        Args:
            source: the test cell.
            capture: what was captured at its position.
            number: how many test cells of the notebook come before it.
            import_doubtful: whether :attr:`doubtful` names are the instructor's instead of the student's.

        Raises:
            TooLarge: an answer that is needed exceeds the limits.
            ImportError: an import of the instructor's fails here.
        """
        self.live = False
        self.doubtful = set()
        self.number = number
        names = names_of_cell(source, self.known)
        captured = capture.names if capture else {}
        if number not in self.answers.following:
            self.changed = {}
        self.plain = {}
        self._begin(names)
        begin_test(self)
        reached = self._fill_in(names, captured)
        trusted = [name for name in self.known.trusted if name in reached]
        self._use_kinds(source, trusted)
        missing = self._define_trusted(trusted, captured, import_doubtful=import_doubtful)
        for name in missing:
            self.pop(name, None)
        needed = capture is not None and not self.answers.remote.lost and self._needs_kernel(captured)
        if capture is not None and needed:
            self._enter(capture)
        self.before = dict(self)
        shared = (self.known.students & self.keys()) - self.known.trusted.keys() if needed else frozenset()
        self.answers.remote.shared.begin(self, self.before, self.answers.remote.permissions.shares(shared))
        instructors = self.known.trusted.keys() | self.known.own | self.known.students
        self.answers.remote.attributes.begin(attributes_changed(source, instructors) if needed else frozenset())
        self.live = True
        self.tainted.prepared()

    def _begin(self, names: Set[str]) -> None:
        """Forget the test cell before, but for what its successors may use."""
        self.tainted.begin(names)
        self.answers.marked = {}
        self.answers.remote.callbacks.forget()
        self.answers.remote.ending = None
        self.answers.remote.names.clear()
        self.answers.remote.lending.begin()
        self.answers.remote.attributes.begin(frozenset())
        self.answers.remote.tensors.begin()
        self.clear()
        provenance.keep_only(self.left.values())
        self.update({"__builtins__": builtins, "__name__": "__main__", **self.left})

    def _fill_in(self, names: Iterable[str], captured: Mapping[str, Captured]) -> set[str]:
        """Bind tables and answers, and return the names that were reached, through trusted definitions, too."""
        reached: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in reached or self._is_tests(name):
                continue
            reached.add(name)
            if name in self.known.trusted:
                pending.extend(loaded_names(self.known.trusted[name]))
            elif name in self.tables and name not in self.known.own:
                super().__setitem__(name, self.tables.copy(name))
            elif name in captured and name not in self.known.own:
                super().__setitem__(name, self._answer(name, captured[name]))
        return reached

    def _answer(self, name: str, captured: Captured) -> Any:
        value = self.answers.value(name, captured, measured=name in self.answers.measured)
        if name in self.changed or name in self.answers.following.get(self.number + 1, ()):
            value = self._as_left(name, captured, value)
        allow_operators(value, self.known.operators.get(name, frozenset()))
        if (reference := reference_of(value)) is not None:
            self.answers.remote.names.setdefault(reference.handle, set()).add(name)
        return value

    def _use_kinds(self, source: str, trusted: Iterable[str]) -> None:
        """Give the cell, and modules of the course, the checks of types that know the kernel's objects."""
        helpers = [self.known.trusted[name] for name in trusted if not imports(self.known.trusted[name])]
        kinds = kind_checks(self.answers.remote, self, "\n".join([source, *helpers]))
        use_kinds(kinds)
        for name, function in kinds.items():
            if name not in self:  # a helper of an earlier test's, or a function of the student's
                super().__setitem__(name, function)

    def _define_trusted(
        self, trusted: Iterable[str], captured: Mapping[str, Captured], *, import_doubtful: bool
    ) -> set[str]:
        """Run the instructor's definitions, and return the names that the test does not have."""
        missing: set[str] = set()
        for name in trusted:
            if name in self.known.if_bound and name not in captured:
                missing.add(name)
                continue
            try:
                self._define(name)
            except NameError as error:
                if error.name not in missing:
                    raise
                missing.add(name)  # in the notebook, too, the cell that defines it failed
                continue
            if name in self.known.if_bound and not self._is_bound_to(name, captured[name]):
                if isinstance(self[name], ModuleType):
                    missing.add(name)
                    continue
                self.doubtful.add(name)
                if not import_doubtful:
                    super().__setitem__(name, self.answers.value(name, captured[name]))
            elif name in self.known.with_state:
                super().__setitem__(name, self._in_kernel(name, captured[name]))
        return missing

    def _enter(self, capture: Capture) -> None:
        """Go to the cell's copy of the kernel, and tell it what earlier tests left."""
        self.answers.remote.enter(capture.snapshot)
        if self.answers.remote.permissions.traces_reads:
            self.answers.remote.ask("observe")
        theirs = self.known.students | self.known.parameters
        for name in [name for name in self.left if name in theirs and self._is_tests(name)]:
            # What lives in a copy of an earlier test is unknown here: the notebook goes on without that test.
            if self.answers.remote.is_here(self.left[name]):
                self._tell_kernel(name, self.left[name])

    def before_hidden_data(self) -> None:
        """Let the kernel have what the test has changed so far: what it changes later may be of hidden data."""
        if self.live and not self.answers.remote.lost:
            with contextlib.suppress(RemoteError):
                self.answers.remote.shared.given()
        self.tainted.ask()

    def _is_tests(self, name: str) -> bool:
        """Tell whether an earlier test bound the name, and no other cell has bound or changed it since."""
        if name not in self.left:
            return False
        bound = self.left_by[name]
        return name not in self.known.students or not any(
            bound < place <= self.number for place in self.known.changed.get(name, ())
        )

    def _define(self, name: str) -> None:
        """Run the instructor's statement that binds a name; other names that it binds stay as they are."""
        statement, file = self.known.trusted[name], f"<instructor: {name}>"
        linecache.cache[file] = (len(statement), None, statement.splitlines(keepends=True), file)
        before = dict(self)
        exec(compile(with_types(ast.parse(statement)), file, "exec"), self)
        for other in self.keys() - {name}:
            if other in before:
                super().__setitem__(other, before[other])
            elif other in self.known.students and other not in self.known.trusted:
                super().__delitem__(other)

    def _is_bound_to(self, name: str, captured: Captured) -> bool:
        """Tell whether the student's name claims to stand for what the instructor imports under it.

        A claim is enough: it gives no more than the import itself would. A module may be another of the same package.
        """
        original = self[name]
        referenced = references(captured.packed.text) if captured.packed is not None else []
        if isinstance(original, ModuleType):
            packages = {r.type_name.partition(".")[0] for r in referenced if r.kind == "module"}
            return original.__name__.partition(".")[0] in packages
        if not referenced:
            return captured.packed is not None and _is_copy(captured.packed, original)
        if isinstance(original, type):
            return any(
                r.kind == "class" and _is_found_here(*_split(r.type_name), *_split(name_of(original)))
                for r in referenced
            )
        if not callable(original):
            return any(r.type_name == name_of(type(original)) for r in referenced)
        module, called = (self._claim(referenced[0], attribute) for attribute in ("__module__", "__name__"))
        ours = getattr(original, "__module__", None), getattr(original, "__name__", None)
        return (called is not None or referenced[0].type_name == name_of(type(original))) and _is_found_here(
            module, called, *ours
        )

    def _in_kernel(self, name: str, captured: Captured) -> Any:
        """Return the notebook's own function or module, which shares state with the notebook's cells.

        Raises:
            TooLarge: it cannot be examined.
        """
        if not isinstance(self[name], ModuleType) or captured.packed is None:
            return self.answers.value(name, captured)
        try:
            return self.answers.remote.stand_in(references(captured.packed.text)[0])
        except CodecError as error:
            raise TooLarge(name, f"cannot be examined: {error}") from None

    def _claim(self, reference: Reference, attribute: str) -> Any:
        try:
            return self.answers.remote.ask("getattr", self.answers.remote.stand_in(reference), attribute)
        except Exception:  # it has none, or the student's code raises anything
            return None

    def _needs_kernel(self, captured: Mapping[str, Captured]) -> bool:
        return any(holds_handle(self.get(name)) for name in captured)

    def close(self) -> None:
        """Keep the names that the cell bound for the test cells after it."""
        self.live = False
        for name, value in self.items():
            if name not in self.before or self.before[name] is not value:
                self.left[name] = value
                self.left_by[name] = self.number
                self.answers.remote.note_left(name, value)
        self.tainted.end(self.left.keys() & self.keys())
        self._keep_changes()

    def _as_left(self, name: str, captured: Captured, value: Any) -> Any:
        """Return a plain answer as the tests since the last other cell have left it; others as they are."""
        packed = captured.packed
        if packed is None or len(packed.text) + sum(map(len, packed.buffers)) > MAX_KEPT_BYTES:
            return value
        with contextlib.suppress(CodecError):
            self.plain[name] = encode(value)
            before, now = self.changed.get(name, (None, None))
            if self.plain[name] == before:
                return self.answers.value(name, captured, changed=now)
        return value

    def _keep_changes(self) -> None:
        """Keep what the cell has made of plain answers, for the test cells that follow directly.

        What may be of hidden data is not kept: a later cell could let the kernel have it.
        """
        for name in self.plain.keys() & self.keys():
            self.changed.pop(name, None)
            if self.tainted.holds(name):
                continue
            with contextlib.suppress(CodecError):
                now = encode(self[name])
                if now != self.plain[name]:
                    self.changed[name] = self.plain[name], now

    def kept(self) -> tuple[dict[str, Any], ...]:
        """Return what the cells so far have left for later ones, for :meth:`restore`."""
        return dict(self.left), dict(self.left_by), dict(self.changed)

    def restore(self, state: tuple[dict[str, Any], ...]) -> None:
        """Forget what was left after :meth:`state`."""
        self.left, self.left_by, self.changed = map(dict, state)

    def left_handles(self, names: Iterable[str]) -> bool:
        """Tell whether one of these names was left as an object of the kernel's, or as something that holds one."""
        return any(_may_hold_handle(self.left.get(name)) for name in names)

    def _writes_through(self, name: str) -> bool:
        theirs = name in self.known.students or name in self.known.parameters
        return self.live and (name in CONSOLE_NAMES or (theirs and name not in self.known.trusted))

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if self.live:
            self.tainted.bind(name)
        if self._writes_through(name) and not self.answers.remote.lost:
            self._tell_kernel(name, value)

    def _tell_kernel(self, name: str, value: Any) -> None:
        """Bind a name in the kernel, too, if the student's code may need it.

        A plain value is only lent.
        """
        if reference_of(value) is None and name not in CONSOLE_NAMES:
            self.answers.remote.lending.bind(name, value, secret=name in self.tainted.names)
            return
        self.answers.remote.lending.forget(name)
        with contextlib.suppress(CodecError):  # a value that cannot travel to the kernel cannot be needed there
            self.answers.remote.ask("assign", name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self.answers.remote.lending.forget(name)
        if self._writes_through(name) and not self.answers.remote.lost:
            self.answers.remote.ask("delete", name)


def _is_found_here(module: Any, name: Any, own_module: str | None, own_name: str | None) -> bool:
    """Tell whether a claimed name is the instructor's, of the same package or of another library's module."""
    if type(name) not in (str, type(None)) or name != own_name:
        return False
    if type(module) is not str:
        return module is own_module
    if module.partition(".")[0] == str(own_module).partition(".")[0]:
        return True
    try:
        return module != "__main__" and hasattr(sys.modules.get(module), str(own_name))
    except Exception:  # a module that the claim names imports a part of it only now, and cannot
        return False


def _is_copy(packed: Packed, original: Any) -> bool:
    """Tell whether a plain value is the instructor's."""
    try:
        return encode(original) == encode(decode(*packed))
    except CodecError:
        return False


def _split(name: str) -> tuple[str, str]:
    module, _, short = name.rpartition(".")
    return module, short


_VALUES = (bool, int, float, complex, str, bytes, type(None))


def _may_hold_handle(value: Any) -> bool:
    """Tell whether a value may hold a handle: whatever is no plain value or container of such may."""
    if holds_handle(value):
        return True
    items = [*value, *(value.values() if isinstance(value, dict) else ())] if type(value) in _CONTAINERS else [value]
    return not all(type(item) in _VALUES or type(item).__module__ in ("numpy", "pandas") for item in items)


_CONTAINERS = (list, tuple, set, frozenset, dict)
