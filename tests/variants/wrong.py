"""Wrong variants: one mistake in one of the instructor's answers, and the points that it must cost.

Mistakes come from the tables of :mod:`variants.mistakes`, applied wherever they fit: a slip in an expression, a careless
training, another network, an answer that is copied from the examples, forged, missing, or ends in the middle. Each
variant says which tests must lose and which others may lose with them; all others must keep their full points.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.records.checks import Outcome
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import NotebookGrade
from variants.mistakes import COPIED, EQUIVALENT, FORGED, NETWORKS, SLIPS, SLOPPY, TESTS
from variants.networks import network_of
from variants.rewriting import normalised, rewrites

SOMETHING = 0.999
NOTHING = 0.0125
"""The largest share of a test's points that is as good as none: the public half of a test weighs about a hundredth."""


@dataclass(frozen=True)
class Wrong:
    """A notebook with one mistake."""

    lesson: str
    answer: str
    mistake: str
    source: str
    most: dict[str, float]
    """Test → the largest share of its points that may be left. Tests that are not in it or in ``may`` lose nothing."""
    may: frozenset[str] = field(default_factory=frozenset)

    def faults(self, grade: NotebookGrade) -> list[str]:
        """What the grade should not be."""
        found = []
        for question in grade.questions:
            share = question.score / question.max_score
            most = self.most.get(question.id, 1.0)
            if question.outcome is Outcome.BROKEN:
                found.append(f"{question.id} is broken: {question.detail[-300:]}")
            elif share > most:
                found.append(f"{question.id} keeps {share:.3f}, at most {most} expected")
            elif question.id not in self.most and question.id not in self.may and share < 1:
                found.append(f"{question.id} loses {1 - share:.3f}: {question.message}")
        return found


# --- the kinds of mistakes ------------------------------------------------------------------------------


def _slips(lesson: str, cell: ExamCell) -> Iterator[Wrong]:
    """A wrong operator, constant, axis or function, in answers that train nothing."""
    if network_of(cell.source) or any(True for _ in _careless_trainings(lesson, cell)):
        return
    for row in SLIPS.strip().splitlines():
        old, new = (part.strip() for part in row.split(" -> "))
        for place, source in enumerate(rewrites(cell.source, old, new)):
            if (cell.grade_id, f"{old} → {new}", place) not in EQUIVALENT:
                yield _costs(lesson, cell, f"{old} → {new}, place {place}", source, SOMETHING)


def _careless_trainings(lesson: str, cell: ExamCell) -> Iterator[Wrong]:
    for answer, old, new in SLOPPY:
        if answer == cell.grade_id:
            for source in rewrites(cell.source, old, new):
                yield _costs(lesson, cell, f"{old} → {new}", source, SOMETHING)


def _copies(lesson: str, cell: ExamCell) -> Iterator[Wrong]:
    for answer, old, new in COPIED:
        if answer == cell.grade_id:
            yield _costs(lesson, cell, f"copied: {new}", rewrites(cell.source, old, new)[0], NOTHING)


def _nothings(lesson: str, cell: ExamCell) -> Iterator[Wrong]:
    """As it was released, no Python, an exception at once, a function without a result."""
    yield _costs(lesson, cell, "missing", cell.released, NOTHING)
    yield _costs(lesson, cell, "no Python", f"{cell.source}\n(", NOTHING)
    for mistake, body in (("raises", "raise RuntimeError('half done')"), ("returns None", "pass")):
        tree = ast.parse(cell.source)
        statement = ast.parse(body).body
        if isinstance(tree.body[0], ast.FunctionDef):
            tree.body[0].body = statement
        else:
            tree.body[:0] = statement
        if normalised(ast.unparse(tree)) != normalised(f"pass\n{cell.source}"):
            yield _costs(lesson, cell, mistake, ast.unparse(tree), NOTHING)


def _costs(lesson: str, cell: ExamCell, mistake: str, source: str, most: float) -> Wrong:
    first, *others = TESTS[lesson][str(cell.grade_id)]
    every = TESTS[lesson][str(cell.grade_id)] if cell.grade_id in PARTS and most == NOTHING else (first,)
    return Wrong(lesson, str(cell.grade_id), mistake, source, dict.fromkeys(every, most), frozenset(others))


# --- networks -------------------------------------------------------------------------------------------

PARTS = {
    "mended": {"layers": "test-mended", "loss": "test-loss"},
    "build-model": {"layers": "test-architecture", "size": "test-size", "loss": "test-loss"},
    "own-network": {"layers": "test-own-network", "loss": "test-own-network"},
}
"""Answers that make a network → the part of the work → its test."""


def _networks(lesson: str, cell: ExamCell) -> Iterator[Wrong]:
    """Other layers, another training, a forged model."""
    if network_of(cell.source) is None:
        return
    for name, old, new, costs in NETWORKS:
        for source in _everywhere(cell.source, old, new):
            yield _network(lesson, cell, name, source, costs)
    for name, behind, costs in FORGED:
        yield _network(lesson, cell, name, f"{cell.source}\n{behind}", costs)


def _everywhere(source: str, old: str, new: str) -> list[str]:
    """The source with the last occurrence replaced; with all of them where the layer's size is left open."""
    for _ in range(10 if "_N" in old else 1):
        changed = rewrites(source, old, new)
        if not changed:
            return []
        source = changed[-1]
        if "_N" not in old or not rewrites(source, old, new):
            return [source]
    return [source]


def _network(lesson: str, cell: ExamCell, mistake: str, source: str, costs: str) -> Wrong:
    parts = PARTS[str(cell.grade_id)]
    most: dict[str, float] = {}
    may: set[str] = set()
    for word in costs.split():
        only, _, part = word.rpartition(".")
        test = parts.get(part.rstrip("?").removesuffix("=0"))
        if test and only in ("", cell.grade_id):
            if part.endswith("?"):
                may.add(test)
            else:
                most[test] = min(NOTHING if part.endswith("=0") else SOMETHING, most.get(test, 1.0))
    return Wrong(lesson, str(cell.grade_id), mistake, source, most, frozenset(may))


# --- the draw -------------------------------------------------------------------------------------------

KINDS = (_slips, _careless_trainings, _copies, _nothings, _networks)
SEED = 20_170_524


def wrongs(exam: Exam, count: int | None = None) -> list[Wrong]:
    """Wrong notebooks of a lesson, all different and none the solution: all that the tables give, or ``count`` of them,
    drawn so that every answer and every kind of mistake has its turn."""
    dice = random.Random(f"{SEED} {exam.assignment}")
    groups: list[list[Wrong]] = []
    for cell in exam.cells:
        if cell.role is Role.ANSWER:
            seen = {normalised(cell.source)}
            for kind in KINDS:
                fresh = [w for w in kind(exam.assignment, cell) if w.most and not _known(w, seen)]
                dice.shuffle(fresh)
                groups.append(fresh)
    if count is None:
        return [wrong for group in groups for wrong in group]
    drawn: list[Wrong] = []
    while any(groups) and len(drawn) < count:
        drawn += [group.pop() for group in groups if group]
    return drawn[:count]


def _known(wrong: Wrong, seen: set[str]) -> bool:
    form = normalised(wrong.source)
    known = form in seen
    seen.add(form)
    return known
