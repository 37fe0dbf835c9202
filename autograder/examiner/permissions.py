"""What a student's answer may do to a test: what the instructor's solution was seen to do there, and nothing else.

:class:`Permissions` answers from the exam's record of observations. :class:`Observer` allows everything and keeps the
record, while the solution itself runs. Where the solution did not show what a test needs, a line of the test says it,
see :mod:`autograder.examiner.stated`.
"""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Set
from typing import Any

from autograder.examiner.places import Place, callee, innermost
from autograder.examiner.stated import Stated, stated
from autograder.records.compiled import CompiledAs
from autograder.records.observations import WIDE, Act, Fact, Observations

MAX_NOTES = 20
"""Largest number of refusals of one test that its details list."""


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
        self.refusals: dict[str, None] = {}
        """What the test was refused, each with the line that would allow it, in order."""
        self.is_doubtful = False
        """Whether a refusal is of something that the solution was not asked for, so that it could not show it."""
        self.has_widened = False
        """Whether an integer arrived in a form with which a test cannot do all that it can with an integer."""

    def begin(self, test: str, source: str) -> None:
        """Begin a test."""
        self.is_doubtful = self.has_widened = False
        self.test, self.source, self.stated, self.refusals = test, source, stated(source), {}

    def place(self) -> Place:
        """Return the place in the instructor's code that is being executed."""
        return innermost(self.test)

    def changes(self, place: Place, names: Iterable[str], keys: Set[int | str], changed: Set[int | str]) -> Set[Any]:
        """Return which arguments of a call may change here.

        Args:
            place: where the call stands.
            names: the names that the test has for the function.
            keys: the arguments: positions and names.
            changed: those that the call has changed.
        """
        each = [self._of(Act.CHANGES, place.of(name)) for name in self._called(place, names)]
        seen = frozenset(each[0]).intersection(*each[1:])
        allowed = frozenset(key for key in keys if str(key) in seen) | self.stated.changed(place) & keys
        for key in sorted(changed & keys - allowed, key=str):
            self.is_doubtful |= not self._of(Act.RETURNS, place.subject)
            self._refuse(
                f"line {place.line}: the call changed argument {key!r}, and the test's own object stayed as it was, "
                "because your solution was not seen to change it here. If the test needs the change, add the line "
                "`# examine: FUNCTION changes ARGUMENT` to it, with the names that stand in the call."
            )
        return allowed

    def may_change(self, call: ast.Call) -> Set[int | str]:
        """Return the arguments that a call in the source of the test may change, whatever its function is called."""
        place = Place.at(self.test, self.source, call)
        subjects = [subject for act, subject in self._facts if act is Act.CHANGES]
        seen = {value for s in subjects if s.split(" ")[0] == place.subject for value in self._of(Act.CHANGES, s)}
        keys = {*range(len(call.args)), *(k.arg for k in call.keywords if k.arg)}
        return {key for key in keys if str(key) in seen} | self.stated.changed(place)

    def reads(self, place: Place, names: Iterable[str], bound: Set[str]) -> Set[str]:
        """Return which of the names that the test has bound go to the kernel for a request here."""
        if not bound:
            return frozenset()
        each = [self._of(Act.READS, place.of(name)) for name in self._called(place, names)]
        self.is_doubtful |= not self.known
        return bound & (frozenset(each[0]).intersection(*each[1:]) | self.stated.reads)

    def reads_later(self, refused: Set[str]) -> None:
        """Note names that a request did not get and that the solution was seen to read elsewhere in this test.

        An answer may read them here, as one that binds a constant to an object when it makes it. That is a doubt.
        """
        here = f"{self.test}:"
        self.is_doubtful |= any(
            act is Act.READS and subject.startswith(here) and not values.isdisjoint(refused)
            for (act, subject), values in self._facts.items()
        )

    def _called(self, place: Place, names: Iterable[str]) -> Collection[str]:
        """Return the names that count of a function's: that which stands in the call, or else all of them."""
        names = set(names)
        called = callee(self.source, place) if len(names) > 1 else ""
        return {called} if called in names else names or ("",)

    def shares(self, names: Set[str]) -> Set[str]:
        """Return which global names of the notebook have one state in the kernel and in this test."""
        return names & self._of(Act.SHARES, self.test)

    def kinds(self, place: Place, given: Set[str] = frozenset()) -> Container[str]:
        """Return the narrow, masked, nullable and wide kinds that values which arrive here may have.

        Args:
            place: where the test asks for them.
            given: the kinds among the arguments that the test passes.
        """
        return self._kinds(self._of(Act.GIVES, place.subject) | self.stated.kinds | given)

    def kinds_of(self, name: str) -> Container[str]:
        """Return the kinds that the answer under ``name`` may have in this test."""
        return self._kinds(self._of(Act.GIVES, f"{self.test} {name}") | self.stated.kinds)

    def _kinds(self, allowed: Set[str]) -> Container[str]:
        return _Watched(allowed, self._missed)

    def _missed(self, kind: object) -> None:
        self.is_doubtful |= not self.known
        self.has_widened |= kind == WIDE

    def compiled(self) -> Mapping[str, CompiledAs] | None:
        """Return how the solution's models are compiled, by name; None while the solution itself is examined."""
        compiled = [(name, values) for (act, name), values in self._facts.items() if act is Act.COMPILED]
        return {name: CompiledAs(**json.loads(value)) for name, values in compiled for value in sorted(values)[:1]}

    def draws(self, place: Place, function: str) -> bool:
        """Tell whether a seed that the test sets here is the kernel's, too."""
        self.is_doubtful |= not self.known
        return self.stated.draws or function in self._of(Act.DRAWS, place.subject)

    def of(self, act: Act) -> Set[str]:
        """Return the values of all facts of a kind about this test."""
        return self._of(act, self.test)

    def _of(self, act: Act, subject: str) -> Set[str]:
        return self._facts.get((act, subject), frozenset())

    def _refuse(self, text: str) -> None:
        if len(self.refusals) < MAX_NOTES:
            self.refusals[text] = None


class Observer(Permissions):
    """The permissions of the instructor's solution: everything is allowed, and recorded."""

    def __init__(self) -> None:
        super().__init__(Observations())
        self.facts: set[Fact] = set()

    @property
    def observations(self) -> Observations:
        """Return the record."""
        return Observations.of(self.facts)

    def note(self, act: Act, subject: str, value: str) -> None:
        """Record a fact."""
        self.facts.add(Fact(act, subject, value))

    def changes(self, place: Place, names: Iterable[str], keys: Set[int | str], changed: Set[int | str]) -> Set[Any]:
        """Allow all changes, and record those that were made."""
        for name in names or ("",):
            for key in changed & keys:
                self.note(Act.CHANGES, place.of(name), str(key))
        return keys

    def reads(self, place: Place, names: Iterable[str], bound: Set[str]) -> Set[str]:
        """Lend all names."""
        return bound

    def was_read(self, place: Place, names: Iterable[str], read: Iterable[str]) -> None:
        """Record the names that the notebook's code read."""
        for name in names or ("",):
            for value in read:
                self.note(Act.READS, place.of(name), value)

    def shares(self, names: Set[str]) -> Set[str]:
        """Share all names; :meth:`was_shared` says which of them needed it."""
        return names

    def was_shared(self, names: Iterable[str]) -> None:
        """Record names whose objects the kernel or the test has changed."""
        for name in names:
            self.note(Act.SHARES, self.test, name)

    def kinds(self, place: Place, given: Set[str] = frozenset()) -> Container[str]:
        """Allow all kinds, and record those that come."""
        return _Noted(lambda kind: self.note(Act.GIVES, place.subject, kind))

    def kinds_of(self, name: str) -> Container[str]:
        """Allow all kinds, and record those that the answer has."""
        subject = f"{self.test} {name}"
        return _Noted(lambda kind: self.note(Act.GIVES, subject, kind))

    def draws(self, place: Place, function: str) -> bool:
        """Share all seeds; :mod:`autograder.examiner.seeds` records those after which the kernel drew."""
        return True

    def compiled(self) -> None:
        """Let the solution's models be evaluated as they are compiled; :meth:`was_compiled` records how."""
        return

    def was_compiled(self, settings: Mapping[str, CompiledAs]) -> None:
        """Record how models are compiled, by name."""
        for name, as_compiled in settings.items():
            self.note(Act.COMPILED, name, json.dumps(dataclasses.asdict(as_compiled), sort_keys=True))

    def queried(self, verbs: Iterable[str]) -> None:
        """Record what SQL statements that do not stand in the test did."""
        for verb in verbs:
            self.note(Act.QUERIES, self.test, verb)

    def raised(self, place: Place, error: Exception) -> None:
        """Record that a call raised an exception."""
        self.note(Act.RETURNS, place.subject, f"raises {type(error).__name__}"[:100])

    def returned(self, place: Place, value: Any) -> None:
        """Record the type of a value that a call returned."""
        dtype = getattr(value, "dtype", "") if type(value).__module__ in ("numpy", "pandas") else ""
        self.note(Act.RETURNS, place.subject, f"{type(value).__name__} {dtype}".strip()[:100])


class _Noted(Container[str]):
    """All kinds; each that is asked for is noted."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note

    def __contains__(self, kind: object) -> bool:
        self._note(str(kind))
        return True


class _Watched(Container[str]):
    """The kinds that are allowed; each that is asked for in vain is noted."""

    def __init__(self, allowed: Set[str], missed: Callable[[object], None]) -> None:
        self._allowed, self._missed = allowed, missed

    def __contains__(self, kind: object) -> bool:
        if kind not in self._allowed:
            self._missed(kind)
        return kind in self._allowed
