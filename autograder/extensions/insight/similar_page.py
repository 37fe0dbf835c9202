"""Page of the pairs that are more alike than the class, with both texts side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.extensions.insight.likeness import ORDERS, AlikePair, ComparedClass
from autograder.extensions.insight.student_work import StudentWork
from autograder.extensions.insight.traces import KINDS, OF_THE_FILE
from autograder.records.course import Assignment, Course
from autograder.results.report.page import render
from autograder.term.people import load_roster

MAX_TRACED = 20
"""Most pairs that are listed for their traces alone."""
_MAX_TRACES = 6
"""Most traces of a kind that are shown."""
_MAX_LINES = 400
"""Most lines of one side of a question."""

SharedTraces = Mapping[tuple[int, int], Mapping[str, Sequence[str]]]
"""Numbers of two works → kind → traces, see :func:`autograder.extensions.insight.traces.shared_traces`."""


@dataclass(frozen=True)
class _Line:
    text: str
    same: bool
    """Whether the other work has the same, and few others do."""


@dataclass(frozen=True)
class _SideBySide:
    """What both wrote for one question."""

    question: str
    first: Sequence[_Line]
    second: Sequence[_Line]


@dataclass(frozen=True)
class _ShownPair:
    """A pair on the page."""

    first: str
    second: str
    evidence: str
    """What both have in common, in a sentence; empty if it was not counted."""
    orders: Sequence[tuple[str, str]]
    """Order → height."""
    traces: Sequence[tuple[str, Sequence[str], int]]
    """Kind, traces that are shown, and the number of the others."""
    questions: Sequence[_SideBySide]


def similar_path(course: Course, assignment: str) -> Path:
    """Build the path ``reports/<assignment>-similar.html``."""
    return course.reports / f"{assignment}-similar.html"


def write_similar_page(course: Course, assignment: Assignment, compared: ComparedClass, traces: SharedTraces) -> Path:
    """Write the page and return its path.

    Raises:
        HostError: it cannot be written.
    """
    roster = load_roster(course)
    names = [_name(work, roster.name) for work in compared.works]
    listed = {(pair.first, pair.second) for pair in compared.pairs}
    values = {
        "course": course,
        "assignment": assignment,
        "pairs": [_pair(compared, pair, names, traces) for pair in compared.pairs],
        "traced": [_traced(pair, kinds, names) for pair, kinds in _by_traces(traces) if pair not in listed][
            :MAX_TRACED
        ],
        "works": sum(not work.old for work in compared.works),
        "old": sum(work.old for work in compared.works),
        "compared": f"{compared.compared:,}",
    }
    path = similar_path(course, assignment.name)
    write_atomically(path, render("similar.html", values))
    return path


def _name(work: StudentWork, name_of: Callable[[str], str]) -> str:
    """Name the students of a work for people, with their ids."""
    names = [(student, name_of(student)) for student in work.students]
    label = ", ".join(f"{name} ({student})" if name not in ("", student) else student for student, name in names)
    return f"{label} (earlier term)" if work.old else label


def _by_traces(traces: SharedTraces) -> list[tuple[tuple[int, int], Mapping[str, Sequence[str]]]]:
    """List pairs whose files share what a file carries along, those with the most kinds first."""
    pairs = [(pair, kinds) for pair, kinds in traces.items() if not kinds.keys().isdisjoint(OF_THE_FILE)]
    return sorted(pairs, key=lambda entry: (-len(entry[1]), entry[0]))


def _traced(pair: tuple[int, int], kinds: Mapping[str, Sequence[str]], names: Sequence[str]) -> _ShownPair:
    return _ShownPair(names[pair[0]], names[pair[1]], "", (), list(_traces(kinds)), ())


def _pair(compared: ComparedClass, pair: AlikePair, names: Sequence[str], traces: SharedTraces) -> _ShownPair:
    return _ShownPair(
        names[pair.first],
        names[pair.second],
        pair.evidence.words,
        [(order, f"{value:.1f}") for order, value in zip(ORDERS, pair.heights, strict=True)],
        list(_traces(traces.get((pair.first, pair.second), {}))),
        list(_questions(compared, pair)),
    )


def _traces(kinds: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str], int]]:
    for kind in KINDS:
        if shared := kinds.get(kind):
            yield kind, shared[:_MAX_TRACES], len(shared[_MAX_TRACES:])


def _questions(compared: ComparedClass, pair: AlikePair) -> Iterator[_SideBySide]:
    """Yield the questions in which the two share anything unusual, in the order of the first work."""
    sides = []
    for number in (pair.first, pair.second):
        sides.append(_lines(compared.works[number], compared.same_lines(pair, number)))
    for question in dict.fromkeys([*sides[0], *sides[1]]):
        first, second = (side.get(question, []) for side in sides)
        if any(line.same for line in (*first, *second)):
            yield _SideBySide(question, first[:_MAX_LINES], second[:_MAX_LINES])


def _lines(work: StudentWork, same: frozenset[tuple[int, int]]) -> dict[str, list[_Line]]:
    lines: dict[str, list[_Line]] = {}
    for number, cell in enumerate(work.cells):
        of_question = lines.setdefault(cell.question, [])
        of_question += [_Line("", False)] if of_question else []
        of_question += [_Line(text, (number, index) in same) for index, text in enumerate(cell.source.split("\n"))]
    return lines
