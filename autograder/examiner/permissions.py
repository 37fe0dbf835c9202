"""What a student's answer may do to a test: what the solution did there, and nothing else.

:class:`Permissions` answers from the exam's record of observations. :class:`Observer` keeps the record while the
solution itself runs. It allows everything, or what an earlier run of the solution showed. Where the solution did not
show what a test needs, a line says it, see :mod:`autograder.syntax.stated`.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import PurePosixPath
from typing import Any

from autograder.errors import EmptyAnswerError, UnreadReplyError
from autograder.examiner.forms import EMPTY, UNMEASURED, Arrival, Form, SolutionForms, forms_in, is_settled, size_of
from autograder.records.compiled import CompiledAs
from autograder.records.observations import COPY, LARGE, LONG_SECONDS, MODEL, NAN, OBJECT, WIDE, Act, Fact, Observations
from autograder.syntax.places import CallPosition, callee, innermost
from autograder.syntax.stated import Stated, stated

MAX_NOTES = 20
"""Largest number of refusals of one test that its details list."""
MAX_QUESTIONS = 100
"""Different questions of one place that are noted."""


class Permissions:
    """The permissions of one notebook's answers, test by test.

    Args:
        observations: the record; None: the solution was not run here, so nothing is allowed.
    """

    def __init__(self, observations: Observations | None = None) -> None:
        self.known = observations is not None
        self._facts: dict[tuple[Act, str], set[str]] = {}
        for fact in observations.facts if observations is not None else ():
            self._facts.setdefault((fact.act, fact.subject), set()).add(fact.value)
        self.test = self.source = ""
        """Grade id and source of the test that is being examined."""
        self.stated = Stated()
        self.traces_reads = False
        """Whether the kernel tells which names its code reads, which makes calls slower."""
        self.refusals: dict[str, None] = {}
        """What the test was refused, each with the line that would allow it, in order."""
        self.is_doubtful = False
        """Whether a refusal is of something that the solution was not asked for, so that it could not show it."""
        self.has_widened = False
        """Whether an integer arrived in a form with which a test cannot do all that it can with an integer."""
        self.has_derived = False
        """Whether an object arrived whose class derives from a plain type."""
        self.allows_any_size = False
        """Whether integers may be larger than the solution's."""
        self.has_empty = self.has_converted = False
        """Whether something empty arrived that may be right, and whether a tensor arrived as an array."""
        self.has_nan = False
        """Whether a number arrived that is not finite, where the solution's were."""
        self.allows_empty = self.allows_tensors = False
        """Whether these arrive as they are."""
        self._arrivals: Counter[str] = Counter()
        """How often something has arrived at each place of the test."""
        self.used_empty: list[EmptyAnswerError] = []
        """An error for each use of an empty answer where the solution's was none."""

    def begin(self, test: str, source: str, allow: tuple[str, ...] = ()) -> None:
        """Begin a test.

        Args:
            test: its grade id.
            source: its source.
            allow: the lines of course.yaml about it.

        Raises:
            CourseError: a line about it cannot be meant.
        """
        self.is_doubtful = self.has_widened = self.has_derived = self.has_empty = self.has_converted = False
        self.has_nan = False
        self.used_empty.clear()
        self._arrivals.clear()
        self.test, self.source, self.stated, self.refusals = test, source, stated(source, allow), {}

    @contextlib.contextmanager
    def allowing(self, name: str) -> Iterator[None]:
        """Let answers inside the block arrive as they are.

        Args:
            name: ``allows_any_size`` of integers, although they may wrap; ``allows_empty``; ``allows_tensors``.
        """
        setattr(self, name, True)
        try:
            yield
        finally:
            setattr(self, name, False)

    def place(self) -> CallPosition:
        """Return the place in the instructor's code that is being executed."""
        return innermost(self.test)

    def changes(
        self, position: CallPosition, names: Iterable[str], keys: Set[int | str], changed: Set[int | str]
    ) -> Set[Any]:
        """Return which arguments of a call may change here.

        Args:
            position: where the call stands.
            names: the names that the test has for the function.
            keys: the arguments: positions and names.
            changed: those that the call has changed.
        """
        observed = self._shown(Act.CHANGES, position, names)
        allowed = frozenset(key for key in keys if str(key) in observed) | self.stated.changed(position) & keys
        for key in sorted(changed & keys - allowed, key=str):
            self.is_doubtful |= not self._of(Act.RETURNS, position.subject)
            self._refuse(
                f"line {position.line}: the call changed argument {key!r}, and the test's own object stayed as it was, "
                "because your solution was not seen to change it here. If the test needs the change, "
                f"{self._remedy('FUNCTION changes ARGUMENT')}, with the names that stand in the call."
            )
        return allowed

    def empties(
        self, position: CallPosition, names: Iterable[str], keys: Set[int | str], filled: Set[int | str] = frozenset()
    ) -> Set[Any]:
        """Return which arguments, or objects in them, a call may leave without any item.

        Args:
            position: where the call stands.
            names: the names that the test has for the function.
            keys: the arguments in which it has done so.
            filled: those that it has changed otherwise.
        """
        if not keys:
            return frozenset()
        changed, empty = (self._shown(act, position, names) for act in (Act.ASKS, Act.EMPTY))
        allowed = frozenset(key for key in keys if f"={key}" in empty or self.gives(EMPTY))
        for key in sorted(keys - allowed, key=str):
            self.is_doubtful |= f"={key}" not in changed
            self._refuse(
                f"line {position.line}: the call emptied argument {key!r}, and the test's own object stayed as it was, "
                f"because your solution left items in it. If the answer may, {self._remedy(f'answers give {EMPTY}')}."
            )
        return allowed

    def may_change(self, call: ast.Call) -> Set[int | str]:
        """Return the arguments that a call in the source of the test may change, whatever its function is called."""
        position = CallPosition.at(self.test, self.source, call)
        subjects = [subject for act, subject in self._facts if act is Act.CHANGES]
        observed = {
            value for s in subjects if s.split(" ")[0] == position.subject for value in self._of(Act.CHANGES, s)
        }
        keys = {*range(len(call.args)), *(k.arg for k in call.keywords if k.arg)}
        return {key for key in keys if str(key) in observed} | self.stated.changed(position)

    def reads(self, position: CallPosition, names: Iterable[str], bound: Set[str]) -> Set[str]:
        """Return which of the names that the test has bound go to the kernel for a request here."""
        if not bound:
            return frozenset()
        self.is_doubtful |= not self.known
        return bound & (self._shown(Act.READS, position, names) | self.stated.reads)

    def reads_later(self, refused: Set[str]) -> None:
        """Note names that a request did not get and that the solution was seen to read elsewhere in this test.

        An answer may read them here, as one that binds a constant to an object when it makes it. That is a doubt.
        """
        prefix = f"{self.test}:"
        self.is_doubtful |= any(
            act is Act.READS and subject.startswith(prefix) and not values.isdisjoint(refused)
            for (act, subject), values in self._facts.items()
        )

    def _shown(self, act: Act, position: CallPosition, names: Iterable[str]) -> Set[str]:
        """Return the values that every name of a function which counts at a place has in facts."""
        observed = [self._of(act, subject) for subject in self._subjects(position, names)]
        return frozenset(observed[0]).intersection(*observed[1:])

    def _subjects(self, position: CallPosition, names: Iterable[str]) -> list[str]:
        """Return the subjects of facts about a function at a place.

        Of its names that counts which stands in the call; otherwise each of them does.
        """
        names = set(names) or {""}
        called = callee(self.source, position) if len(names) > 1 else ""
        return [position.of(name) for name in ({called} if called in names else names)]

    def gets(self, position: CallPosition, classes: Set[str]) -> bool:
        """Return whether objects of these classes of libraries go to the kernel for a request here."""
        return classes <= self._of(Act.GETS, position.subject)

    def shares(self, names: Set[str]) -> Set[str]:
        """Return which global names of the notebook have one state in the kernel and in this test."""
        return names & self._of(Act.SHARES, self.test)

    def kinds(
        self, position: CallPosition, names: Iterable[str] = (), always: Set[str] = frozenset()
    ) -> Container[str]:
        """Return the narrow, masked, nullable, large and wide kinds that values which arrive here may have.

        Args:
            position: where the test asks for them.
            names: the names that the test has for the function or object that is asked.
            always: the kinds among the arguments that the test passes.
        """
        missing = _missing(self._shown(Act.HOLDS, position, names), "/0")
        return self._kinds(self._shown(Act.GIVES, position, names) | always | missing)

    def kinds_of(self, name: str) -> Container[str]:
        """Return the kinds that the answer under ``name`` may have in this test."""
        subject = f"{self.test} {name}"
        return self._kinds(self._of(Act.GIVES, subject) | _missing(self._of(Act.HOLDS, subject), ""))

    def _kinds(self, allowed: Set[str]) -> Container[str]:
        allowed |= self.stated.kinds | ({WIDE} if self.allows_any_size else set())
        only_nan, part_nan = f"{NAN} all ", f"{NAN} some "
        allowed |= {kind.replace(only_nan, part_nan) for kind in allowed if kind.startswith(only_nan)}
        return _Watched(allowed | {LARGE} if WIDE in allowed else allowed, self._missed)

    def _missed(self, kind: object) -> None:
        self.is_doubtful |= not self.known
        self.has_widened |= kind in (LARGE, WIDE)
        self.has_nan |= str(kind).startswith(f"{NAN} ")

    def gives(self, word: str) -> bool:
        """Tell whether a line allows answers of a form: ``empty``, ``tensor``."""
        return word in self.stated.kinds

    def convert(
        self,
        position: CallPosition,
        names: Iterable[str],
        value: Any,
        question: Callable[[], str],
        always: Set[str] = frozenset(),
    ) -> Any:
        """Return what arrives at a place in the form in which the solution's was seen there.

        Args:
            position: where the test asks for it.
            names: the names that the test has for the function or object that is asked.
            value: what arrives.
            question: returns the digest of what the test asks.
            always: the narrow kinds among the arguments that the test passes.
        """
        turn = self._turn(position)
        if is_settled(value):
            return value
        kinds = self.kinds(position, names, always)
        return self._convert(self._subjects(position, names), value, kinds, question, turn)

    def _turn(self, position: CallPosition) -> str:
        """Count what arrives at a place: where a test draws its questions, an answer's turn tells which it is."""
        subject = position.of("")
        self._arrivals[subject] += 1
        return f"#{self._arrivals[subject]}"

    def convert_answer(self, name: str, value: Any) -> Any:
        """Return the answer under ``name`` in the form of the solution's; one that calls fill may be empty at first."""
        if name in self._of(Act.SHARES, self.test):
            return value
        return self._convert([f"{self.test} {name}"], value, self.kinds_of(name), lambda: "")

    def _convert(
        self, subjects: Sequence[str], value: Any, kinds: Container[str], question: Callable[[], str], turn: str = ""
    ) -> Any:
        holds, asks, empty = (
            {one for subject in subjects for one in self._of(act, subject)} for act in (Act.HOLDS, Act.ASKS, Act.EMPTY)
        )
        return Arrival(self, SolutionForms(holds, asks, empty, turn), kinds, question).convert(value)

    def judges(self, position: CallPosition, names: Iterable[str] = ()) -> bool:
        """Tell whether an object that arrives here may answer a test by its own methods.

        It may not where the solution gave values only: there ``answer.equals(expected)`` is a question to pandas.
        """
        return self._judges(position.of(name) for name in set(names) or {""})

    def judges_as(self, name: str) -> bool:
        """Tell whether an object may do so that is the answer under ``name`` in this test."""
        return self._judges([f"{self.test} {name}"])

    def _judges(self, subjects: Iterable[str]) -> bool:
        forms = {form for subject in subjects for form in self._of(Act.ARRIVES, subject)}
        return forms != {COPY} or OBJECT in self.stated.kinds

    def unread_object(self, type_name: str, problem: str) -> UnreadReplyError:
        """Return the error of a question that an object must not answer; a person decides about the test."""
        self._refuse(
            f"line {self.place().line}: an object of {type_name} {problem}. It came where your solution gives a plain "
            f"value, whose methods are not the notebook's. If the object may answer, "
            f"{self._remedy(f'answers give {OBJECT}')}."
        )
        return UnreadReplyError("your code gave an object of another class where this test reads a plain value")

    def compiled(self) -> Mapping[str, CompiledAs] | None:
        """Return how the solution's models are compiled, by name; None while the solution itself is examined."""
        compiled = [(name, values) for (act, name), values in self._facts.items() if act is Act.COMPILED]
        return {name: CompiledAs(**json.loads(value)) for name, values in compiled for value in sorted(values)[:1]}

    def constants(self, check: str, count: int) -> int:
        """Return how many numbers beside its weights the network of a check may hold; ``count`` are held now."""
        return max(map(int, self._of(Act.KEEPS, f"{self.test} {check}")), default=0)

    def networks(self, check: str, describe: Callable[[], str]) -> Set[str]:
        """Return what the solution's networks compute that passed a check; ``describe`` tells of the one there now."""
        return self._of(Act.COMPUTES, f"{self.test} {check}")

    def draws(self, position: CallPosition, function: str) -> bool:
        """Tell whether a seed that the test sets here is the kernel's, too."""
        self.is_doubtful |= not self.known
        return self.stated.draws or function in self._of(Act.DRAWS, position.subject)

    def writes(self, path: str, position: CallPosition, *, by_name: bool) -> bool:
        """Tell whether a call that has written over a file of the test's, or removed it, may do so.

        Args:
            path: the file.
            position: where the call stands.
            by_name: whether the test has named the file in a call.
        """
        allowed = self._of(Act.WRITES, self.test) | self.stated.files
        if path in allowed or (by_name and not allowed.isdisjoint(_forms(path))):
            return True
        self.is_doubtful |= by_name or not self.known
        self._refuse(
            f"line {position.line}: the call wrote or removed {path!r}, and the test's own file stayed as it was, "
            "because your solution was not seen to write it in this test. If the test needs what the call wrote, "
            f"{self._remedy(f'answers write {self._form(path, by_name=by_name)}')}."
        )
        return False

    def _form(self, path: str, *, by_name: bool) -> str:
        """Return as much of a path as stands in the test; all of it, if no call named the file."""
        if path in self.source or not by_name:
            return path
        *strict, any_name = _forms(path)
        matching = (form for form in strict if all(part in self.source for part in re.split(r"[#*./]+", form)))
        return next(matching, any_name)

    def verbs(self) -> frozenset[str] | None:
        """Return what SQL statements that do not stand in the test may do besides reading; None: it is not known."""
        return frozenset(self._of(Act.QUERIES, self.test)) if self.known else None

    def _of(self, act: Act, subject: str) -> Set[str]:
        return self._facts.get((act, subject), frozenset())

    def _remedy(self, line: str) -> str:
        """Say where the line stands that allows something."""
        in_course = f"examine: {{allow: {{{self.test}: [{line}]}}}}"
        return f"add the line `# examine: {line}` to it, or `{in_course}` to the assignment in course.yaml"

    def _refuse(self, text: str) -> None:
        if len(self.refusals) < MAX_NOTES:
            self.refusals[text] = None


def _missing(holds: Set[str], path: str) -> Set[str]:
    """Return which NaN an answer may have where the solution gave None, or a column with ``pandas.NA``.

    Args:
        holds: the forms that the solution's had.
        path: that of what came.
    """
    is_missing = any(f" {family}" in holds for family in UNMEASURED)
    return {f"{NAN} all {path}", f"{NAN} all {path}/*"} if is_missing else frozenset()


_VARYING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\btmp[a-z0-9_]{8}\b|[0-9a-f]{8,}|\d+")
"""Parts of names that are made anew: UUIDs, names of :mod:`tempfile`, hashes, numbers."""


def _forms(path: str) -> tuple[str, ...]:
    """Return what may stand in a record for a file whose name or folder varies, the strictest first.

    ``#`` is a varying part of a name, ``*`` is anything.
    """
    file = PurePosixPath(path)
    return _VARYING.sub("#", path), f"*/{file.name}", f"*/{_VARYING.sub('#', file.name)}", f"*{file.suffix}"


class Observer(Permissions):
    """The permissions of the instructor's solution, which is recorded.

    Args:
        observations: what an earlier run showed; nothing else is allowed now, as to a student's answer. None: all is.
    """

    def __init__(self, observations: Observations | None = None) -> None:
        super().__init__(observations or Observations())
        self.allows_all = self.traces_reads = observations is None
        self.facts: set[Fact] = set()
        self._questions: dict[str, set[str]] = {}

    @property
    def observations(self) -> Observations:
        """Freeze what was noted so far into the exam's record."""
        return Observations.of(self.facts)

    def note(self, act: Act, subject: str, value: str) -> None:
        """Record a fact."""
        self.facts.add(Fact(act, subject, value))

    def _note_each(self, act: Act, position: CallPosition, names: Iterable[str], values: Iterable[str]) -> None:
        """Record facts about a function at a place, under each of its names."""
        for name, value in itertools.product(set(names) or {""}, values):
            self.note(act, position.of(name), value)

    def changes(
        self, position: CallPosition, names: Iterable[str], keys: Set[int | str], changed: Set[int | str]
    ) -> Set[Any]:
        """Record the changes that were made."""
        self.was_changed(position, names, changed & keys)
        return keys if self.allows_all else super().changes(position, names, keys, changed)

    def was_changed(self, position: CallPosition, names: Iterable[str], keys: Iterable[int | str]) -> None:
        """Record that a call changes these arguments."""
        self._note_each(Act.CHANGES, position, names, map(str, keys))

    def empties(
        self, position: CallPosition, names: Iterable[str], keys: Set[int | str], filled: Set[int | str] = frozenset()
    ) -> Set[Any]:
        """Record which changed arguments have items afterwards."""
        for act, changed in ((Act.ASKS, {*keys, *filled}), (Act.EMPTY, keys)):
            self._note_each(act, position, names, (f"={key}" for key in changed))
        return keys

    def reads(self, position: CallPosition, names: Iterable[str], bound: Set[str]) -> Set[str]:
        """Lend all names; :meth:`was_read` says which of them were read."""
        return bound if self.allows_all else super().reads(position, names, bound)

    def was_read(self, position: CallPosition, names: Iterable[str], names_read: Iterable[str]) -> None:
        """Record the names that the notebook's code read."""
        self._note_each(Act.READS, position, names, names_read)

    def gets(self, position: CallPosition, classes: Set[str]) -> bool:
        """Record the classes of the objects that go to the kernel."""
        self._note_each(Act.GETS, position, (), classes)
        return self.allows_all or super().gets(position, classes)

    def shares(self, names: Set[str]) -> Set[str]:
        """Share all names; :meth:`was_shared` says which of them needed it."""
        return names if self.allows_all else super().shares(names)

    def was_shared(self, names: Iterable[str]) -> None:
        """Record names whose objects the kernel or the test has changed."""
        for name in names:
            self.note(Act.SHARES, self.test, name)

    def kinds(
        self, position: CallPosition, names: Iterable[str] = (), always: Set[str] = frozenset()
    ) -> Container[str]:
        """Record the kinds that come."""
        allowed = None if self.allows_all else super().kinds(position, names, always)
        return _Noted(lambda kind: self._note_each(Act.GIVES, position, names, (kind,)), allowed)

    def kinds_of(self, name: str) -> Container[str]:
        """Record the kinds that the answer has."""
        subject, allowed = f"{self.test} {name}", None if self.allows_all else super().kinds_of(name)
        return _Noted(lambda kind: self.note(Act.GIVES, subject, kind), allowed)

    def convert(
        self,
        position: CallPosition,
        names: Iterable[str],
        value: Any,
        question: Callable[[], str],
        always: Set[str] = frozenset(),
    ) -> Any:
        """Record the forms of what arrives, which stays as it is."""
        turn = self._turn(position)
        for name in set(names) or {""}:
            self._note_forms(position.of(name), value, question, turn)
        return value

    def convert_answer(self, name: str, value: Any) -> Any:
        """Record the forms of an answer."""
        self._note_forms(f"{self.test} {name}", value, lambda: "")
        return value

    def _note_forms(self, subject: str, value: Any, question: Callable[[], str], turn: str = "") -> None:
        forms: list[tuple[str, Form]] = list(forms_in(value))
        for path, form in forms:
            self.note(Act.HOLDS, subject, f"{path} {form.family}")
        questions, now = self._questions.setdefault(subject, set()), question()
        is_full = now not in questions and len(questions) >= MAX_QUESTIONS
        if is_full or all(form.family in UNMEASURED for _, form in forms):
            return
        questions.add(now)
        self.note(Act.ASKS, subject, f"{now}.{size_of(forms)}")
        for path, form in forms:
            if not form.size:
                for key in (now, *filter(None, [turn])):
                    self.note(Act.EMPTY, subject, f"{key} {path}")

    def judges(self, position: CallPosition, names: Iterable[str] = ()) -> bool:
        """Let all objects answer in the first run; :meth:`arrived` records where there are some."""
        return self.allows_all or super().judges(position, names)

    def judges_as(self, name: str) -> bool:
        """Let all answers do so in the first run."""
        return self.allows_all or super().judges_as(name)

    def arrived(self, position: CallPosition, names: Iterable[str], form: str) -> None:
        """Record in which form something arrived; an empty form says nothing."""
        self._note_each(Act.ARRIVES, position, names, filter(None, [form]))

    def arrived_as(self, name: str, form: str) -> None:
        """Record in which form the answer under ``name`` arrived; an empty form says nothing."""
        if form:
            self.note(Act.ARRIVES, f"{self.test} {name}", form)

    def constants(self, check: str, count: int) -> int:
        """Record the numbers that a network holds."""
        self.note(Act.KEEPS, f"{self.test} {check}", str(count))
        return count if self.allows_all else super().constants(check, count)

    def networks(self, check: str, describe: Callable[[], str]) -> Set[str]:
        """Record what a network computes that passes a check."""
        if text := describe():
            self.note(Act.COMPUTES, f"{self.test} {check}", text)
        return super().networks(check, describe)

    def draws(self, position: CallPosition, function: str) -> bool:
        """Share all seeds; :mod:`autograder.examiner.seeds` records those after which the kernel drew."""
        return self.allows_all or super().draws(position, function)

    def compiled(self) -> Mapping[str, CompiledAs] | None:
        """Let the solution's models be evaluated as they are compiled; :meth:`was_compiled` records how."""
        return None if self.allows_all else super().compiled()

    def was_compiled(self, settings: Mapping[str, CompiledAs]) -> None:
        """Record how models are compiled, by name."""
        for name, as_compiled in settings.items():
            self.note(Act.COMPILED, name, json.dumps(dataclasses.asdict(as_compiled), sort_keys=True))

    def writes(self, path: str, position: CallPosition, *, by_name: bool) -> bool:
        """Record that a call wrote over a test's file, with as much of its path as the test has."""
        self.note(Act.WRITES, self.test, self._form(path, by_name=by_name))
        return self.allows_all or super().writes(path, position, by_name=by_name)

    def verbs(self) -> frozenset[str] | None:
        """Allow all verbs; :meth:`did` records them."""
        return None if self.allows_all else super().verbs()

    def did(self, act: Act, value: str) -> None:
        """Record something that the answers of this test did."""
        self.note(act, self.test, value)

    def took(self, seconds: float) -> None:
        """Record that a test takes long; a run that traces the names read is slower than a student's."""
        exceeded = [step for step in LONG_SECONDS if seconds > step]
        if exceeded and not self.traces_reads:
            self.note(Act.TAKES, self.test, str(exceeded[-1]))

    def sent(self, arrays: Iterable[tuple[str, str]]) -> None:
        """Record the arrays of hidden data that a test gives to the student's code, by their files and names."""
        for names in arrays:
            self.note(Act.SENDS, self.test, json.dumps(names))

    def told(self, test: str, bits: int) -> None:
        """Record that a test tells of hidden data."""
        if bits:
            self.note(Act.TELLS, test, str(bits))

    def called(self, functions: Iterable[str]) -> None:
        """Record functions of the test that were called very often."""
        for name in functions:
            self.note(Act.CALLS, self.test, name)

    def raised(self, position: CallPosition, error: Exception) -> None:
        """Record that a call raised an exception."""
        self.note(Act.RETURNS, position.subject, f"raises {type(error).__name__}"[:100])

    def returned(self, position: CallPosition, names: Iterable[str], value: Any) -> None:
        """Record the type of a value that a call returned, and that the function with these names gives such."""
        self.note(Act.RETURNS, position.subject, _type_of(value))
        for name in names:
            self.answered(f"{name}()", value)

    def answered(self, name: str, value: Any, *, is_model: bool = False) -> None:
        """Record the type of an answer, and the size of numbers that the notebook computed."""
        self.note(Act.ANSWERS, f"{self.test} {name}", MODEL if is_model else _type_of(value))
        if not is_model and not name.endswith("()") and (amount := _amount(value)) is not None:
            self.note(Act.AMOUNTS, f"{self.test} {name}", repr(amount))


def _type_of(value: Any) -> str:
    """Name a type, with the dtype of an array."""
    dtype = getattr(value, "dtype", "") if type(value).__module__ in ("numpy", "pandas") else ""
    return f"{type(value).__name__} {dtype}".strip()[:100]


def _amount(value: Any) -> float | None:
    """Return a number, or the mean size of numbers; None if the value is neither."""
    is_array = type(value).__module__.partition(".")[0] in ("numpy", "pandas")
    items = value if type(value) in (list, tuple) else [value]
    if not is_array and not all(type(number) in (bool, int, float) for number in items):
        return None
    import numpy as np

    with contextlib.suppress(TypeError, ValueError, OverflowError):
        numbers = np.abs(np.asarray(value, dtype=float))
        return float(numbers.mean()) if numbers.size and np.isfinite(numbers).all() else None
    return None


class _Noted(Container[str]):
    """The kinds that are allowed (None: all); each that is asked for is noted."""

    def __init__(self, note: Callable[[str], None], allowed: Container[str] | None) -> None:
        self._note, self._allowed = note, allowed

    def __contains__(self, kind: object) -> bool:
        self._note(str(kind))
        return self._allowed is None or kind in self._allowed


class _Watched(Container[str]):
    """The kinds that are allowed, by their first word, too; each that is asked for in vain is noted."""

    def __init__(self, allowed: Set[str], missed: Callable[[object], None]) -> None:
        self._allowed, self._missed = allowed, missed

    def __contains__(self, kind: object) -> bool:
        is_allowed = kind in self._allowed or str(kind).partition(" ")[0] in self._allowed
        if not is_allowed:
            self._missed(kind)
        return is_allowed
