"""Record of what the solution did while its tests ran; a student's answer may do it, too."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

COPY, OBJECT = "copy", "object"
"""Forms in which the student's code gives something: a value, or an object that stays in the kernel."""
RESULT = "="
"""What stands for a call's result among its arguments."""
TENSORS = "~"
"""Prefix of a tensor, with its gradient, among the arguments of a call; after it, line and place where it was passed
first."""
NAN = "nan"
"""First word of a kind of numbers that are not finite. The second is ``some``, ``all`` or ``infinite``, the third their
path in the value."""
LARGE, WIDE = "large", "wide"
"""Names of integers beyond the limits among the kinds of an answer; one that may be wide may be large."""

SHAPES = "shapes"
"""Word that stands for a pattern's digest where the solution's network was read by the shapes of its inputs."""
MODEL = "model"
"""Type of every network that can be rebuilt, whatever its class."""

MAX_NETWORK = 200_000
"""Most characters of a network's description."""
LONG_SECONDS = (30, 60)
"""Own times from which a test takes long. Steps, because a record decides which grades are kept."""


class Act(enum.StrEnum):
    """Kinds of facts. Each says what an answer may do where the solution did it."""

    CHANGES = "changes"
    """A call changed an argument, or holds its result. Subject: the call; value: the argument's position or name,
    a tensor with :data:`TENSORS`, or :data:`RESULT`."""
    READS = "reads"
    """Code that a test made run reads a global name that a test binds. Subject: the call; value: the name."""
    SHARES = "shares"
    """A call changed the object of a global name, or bound the name. Subject: the test; value: the name."""
    GIVES = "gives"
    """An answer, or what a call or an attribute gave, has a narrow, masked, nullable, large or wide kind, or holds
    NaN. Value: the kind."""
    ARRIVES = "arrives"
    """An answer, or what a call or an attribute gave, arrived in a form. Value: :data:`COPY` or :data:`OBJECT`."""
    HOLDS = "holds"
    """An answer had a form. Value: its path, see :mod:`autograder.examiner.forms`, and a family: array, tensor, …"""
    ASKS = "asks"
    """A test asked a question there. Value: digests of the question, and of how many items came; ``=`` and an argument
    that a call changed."""
    EMPTY = "empty"
    """An answer to a question was empty. Value: digest of the question, or ``#`` and its turn at the place, and the
    path; ``=`` and an argument that a call left without items."""
    GETS = "gets"
    """A call got an object of a library's class, with all that it refers to. Subject: the call; value: a class of one
    of these objects."""
    RETURNS = "returns"
    """A call returned a value. Subject: the call; value: its type, with the dtype of an array."""
    ANSWERS = "answers"
    """An answer had a type, which allows nothing. Subject: the test and the name, with ``()`` after it for what a
    function returned; value: the type, with the dtype of an array, or :data:`MODEL`."""
    AMOUNTS = "amounts"
    """An answer was a number, or numbers with a mean size; it allows nothing. Subject: the test and the name."""
    DRAWS = "draws"
    """The kernel drew from a generator that a test had seeded; in a record of two runs, and lost points with another
    seed. Subject: the place of the seed; value: the function."""
    QUERIES = "queries"
    """An SQL statement that does not stand in the test did something. Subject: the test; value: verb and table."""
    WRITES = "writes"
    """A call wrote over a file of the test's, or removed it. Subject: the test; value: path, or
    ``in_#.csv``, ``*/a.csv``, ``*.csv`` where it varies."""
    TEXTS = "texts"
    """A text that may be the student's was compiled, and allows nothing. Subject: the test; value: its syntax."""
    MISSES = "misses"
    """The solution itself lost points in a course that was never released, so a person decides where an answer does.
    Subject: the test; value: its outcome."""
    TAKES = "takes"
    """A test takes long, which allows nothing. Subject: the test; value: one of :data:`LONG_SECONDS`."""
    CALLS = "calls"
    """A function of a test was called very often, which allows nothing. Subject: the test; value: its name."""
    SENDS = "sends"
    """A test gave the student's code an array of hidden data, which allows nothing. Subject: the test; value: the
    array's file and name, as JSON."""
    TELLS = "tells"
    """A test tells of hidden data, which allows nothing. Subject: the test; value: how many bits a hand-in reads."""
    KEEPS = "keeps"
    """A network kept numbers beside its weights. Subject: the test and the name of its check; value: their count."""
    COMPUTES = "computes"
    """A network fitted a pattern and computed so. Subject: the test, the name of its check and a digest of the pattern;
    value: its operators as JSON, without weights. With :data:`SHAPES` for a digest, the shapes of its inputs."""
    COMPILED = "compiled"
    """A Keras model was compiled so. Subject: the name; value: losses, metrics and weights as JSON."""


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One observation."""

    act: Act
    subject: str
    """Where, or of what: a test's grade id with line and column, a test's grade id alone, or a name."""
    value: str

    @property
    def place(self) -> str:
        """Return the subject without a name: a place, or a test's grade id."""
        return self.subject.partition(" ")[0]

    def is_of(self, test: str) -> bool:
        """Tell whether it is about the test with a grade id, which may have colons in it."""
        return self.place == test or self.place.startswith(f"{test}:")


@dataclass(frozen=True, slots=True)
class Observations:
    """All facts about one notebook's solution, sorted and each once."""

    facts: tuple[Fact, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Observations:
        """Make the record of some facts."""
        return cls(tuple(sorted(set(facts))))

    @property
    def missed(self) -> frozenset[str]:
        """Return the grade ids of the tests in which the solution itself lost points."""
        return frozenset(fact.subject for fact in self.facts if fact.act is Act.MISSES)

    @property
    def of_grades(self) -> Observations:
        """Return the facts that a grade depends on: no types or numbers of answers, nothing that a test tells."""
        beside = (Act.AMOUNTS, Act.ANSWERS, Act.SENDS, Act.TELLS)
        return Observations(tuple(fact for fact in self.facts if fact.act not in beside))

    def __or__(self, other: Observations) -> Observations:
        """Return the facts of both: what two runs of a solution were seen to do.

        Of the questions of a place that both reached, those stay that both asked: chance decides about others, and
        they would make each record another one. Of a place that draws its questions, the turns at which something was
        empty stay if both runs had the same.
        """
        facts = {*self.facts, *other.facts}
        first, second = self._questions(), other._questions()
        common = {subject: first[subject] & second[subject] for subject in first.keys() & second}
        drawn = {subject for subject in common if first[subject] != second[subject]}
        turns, turns_of_other = self._turns(), other._turns()
        steady = {subject for subject in drawn if turns.get(subject) == turns_of_other.get(subject)}
        return Observations.of(
            fact
            for fact in facts
            if fact.act not in (Act.ASKS, Act.EMPTY)
            or (
                fact.subject in steady
                if _is_turn(fact)
                else fact.subject not in common or _question(fact) in common[fact.subject]
            )
        )

    def _turns(self) -> dict[str, set[str]]:
        """Return by subject at which turns something was empty."""
        turns: dict[str, set[str]] = {}
        for fact in filter(_is_turn, self.facts):
            turns.setdefault(fact.subject, set()).add(fact.value)
        return turns

    def _questions(self) -> dict[str, set[str]]:
        """Return the digests of the questions by subject: with the size of what came, and alone."""
        questions: dict[str, set[str]] = {}
        for fact in self.facts:
            if fact.act is Act.ASKS:
                questions.setdefault(fact.subject, set()).update((fact.value, fact.value.partition(".")[0]))
        return questions


def _is_turn(fact: Fact) -> bool:
    return fact.act is Act.EMPTY and fact.value.startswith("#")


def _question(fact: Fact) -> str:
    return fact.value if fact.act is Act.ASKS else fact.value.partition(" ")[0]
