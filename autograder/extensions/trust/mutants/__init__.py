"""Mutants of the instructor's answers: other answers of known worth, by families.

Each mutant changes one answer. Wrong ones stand for students' mistakes and cheats; honest rewrites say the same
otherwise, and must earn the same.
"""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from autograder._util.digests import digest
from autograder._util.syntax import meaning, parsed
from autograder.extensions.trust.mutants import (
    cheats,
    code_slips,
    data_slips,
    honest_rewrites,
    network_rewrites,
    network_slips,
    own_names,
    result_forms,
)
from autograder.extensions.trust.mutants.feeds import WORD, Feeds, feeds, used_later
from autograder.extensions.trust.mutants.result_types import ResultTypes, result_types
from autograder.extensions.trust.mutants.syntax_edits import Operator, apply, edits, swapped
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.cell_matching import bound_names

HONEST = "honest"
FAMILIES: Mapping[str, str] = {
    HONEST: "honest rewrites",
    "code": "code slips",
    "network": "network slips",
    "data": "data slips",
    "cheat": "cheats",
}
"""Family → its name for people."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """Another answer in the place of one of the instructor's."""

    family: str
    operator: str
    """What was done to the answer, in words."""
    notebook: str
    cell: str
    """The answer's grade_id."""
    before: str
    """The instructor's source."""
    after: str
    feeds: Feeds = field(compare=False)
    has_order: bool = field(default=True, compare=False)
    """Whether the task says in which order a result stands."""
    is_allowed: bool = False
    """Whether the instructor says that the task allows this change."""
    is_forbidden: bool = False
    """Whether the instructor says that the task forbids this rewrite."""
    asks: str = field(default="", compare=False)
    """What only the instructor knows whether the task fixes it; empty where a loss of points needs no question."""

    @property
    def id(self) -> str:
        """Name of its submission: the same for the same mutant, in every audit."""
        return f"{self.family}-{digest(self.notebook, self.cell, self.operator, self.after)[:10]}"

    def is_named(self, entry: str) -> bool:
        """Tell whether course.yaml names this change: by its operator, or by ``operator: text of a changed line``."""
        operator, _, text = entry.partition(": ")
        if operator != self.operator or not text:
            return operator == self.operator
        before, after = Counter(self.before.split("\n")), Counter(self.after.split("\n"))
        return any(text in line for line in (before - after) + (after - before))

    @property
    def is_honest(self) -> bool:
        """Whether it must earn what the solution earns."""
        return (self.family == HONEST or self.is_allowed) and not self.is_forbidden

    @property
    def is_another_form(self) -> bool:
        """Whether it gives the solution's results in another form, which a visible test can show to be wrong."""
        return self.family == HONEST and self.operator in result_forms.OPERATORS - {result_forms.OTHER_DIGITS}

    @property
    def is_question(self) -> bool:
        """Whether only the instructor knows if the task leaves it open: a loss of points is asked about."""
        return bool(self.asks) and not self.is_allowed and not self.is_forbidden

    @property
    def is_right_as_made(self) -> bool:
        """Whether it is right although a comparison with the solution shows a difference: an order, a name, a seed."""
        return self.family == HONEST and self.operator in _RIGHT_AS_MADE


@dataclass(frozen=True, slots=True)
class AnswerCell:
    """An answer of the instructor's that is a piece of Python."""

    exam: Exam
    cell: ExamCell
    tree: ast.Module
    lines: range
    """Lines of the solution, from 1; those around it are what students are given."""
    feeds: Feeds
    used: tuple[str, ...]
    """Names that it binds or changes, and that later cells and tests use."""
    types: ResultTypes
    """Types of its results, as the tests that it feeds saw them."""


Family = Callable[[AnswerCell], Iterator[tuple[str, str]]]
"""A function that yields, for an answer, each operator and the source that it makes."""


def answers(exams: Sequence[Exam]) -> Iterator[AnswerCell]:
    """Yield the answers with a question that they feed."""
    for exam in exams:
        for index, cell in enumerate(exam.cells):
            tree = parsed(cell.source) if cell.role is Role.ANSWER and cell.cell_type == "code" else None
            if tree is not None and tree.body and (fed := feeds(exam, index)).every:
                lines, used = _solution_lines(cell.source), used_later(exam, index)
                yield AnswerCell(exam, cell, tree, lines, fed, used, result_types(exam, fed.every))


def mutants(
    exams: Sequence[Exam],
    families: Sequence[str],
    questions: Sequence[str],
    seed: int,
    right: Mapping[str, Sequence[str]] = MappingProxyType({}),
    wrong: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Mutant]:
    """Make the mutants of these families, in an order of which each beginning is a fair sample.

    Answers, families and operators take turns, and a seed decides which place an operator takes first. Honest
    rewrites come first in each turn.

    Args:
        exams: the exams of an assignment.
        families: keys of :data:`FAMILIES`.
        questions: ids of questions; only answers that feed one of them directly are changed. Empty: all.
        seed: decides the order.
        right: answer (grade_id) → changes that the task allows, as for :meth:`Mutant.is_named`; they are honest.
        wrong: answer (grade_id) → rewrites that the task forbids; they must lose points.
    """
    queues: dict[tuple[str, str], list[Mutant]] = {}
    for answer in answers(exams):
        if questions and not set(questions) & set(answer.feeds.direct):
            continue
        forms = {meaning(answer.cell.source)}
        for family in (name for name in FAMILIES if name in families):
            allowed, forbidden = (entries.get(str(answer.cell.grade_id), ()) for entries in (right, wrong))
            of_family = [
                replace(
                    mutant,
                    is_allowed=any(map(mutant.is_named, allowed)),
                    is_forbidden=any(map(mutant.is_named, forbidden)),
                )
                for mutant in _of(answer, family)
                if _is_new(mutant.after, forms)
            ]
            queues[f"{answer.exam.notebook}/{answer.cell.grade_id}", family] = _spread(of_family, seed)
    return _in_turns(list(queues.values()))


def _of(answer: AnswerCell, family: str) -> Iterator[Mutant]:
    name, before = str(answer.cell.grade_id), answer.cell.source
    task = task_of(answer.exam, answer.cell)
    has_order = re.search(f"{result_forms.ORDER}|{result_forms.RANK}", task, re.IGNORECASE) is not None
    for operator, after in _FAMILIES[family](answer):
        asks = result_forms.question(operator, task) if family == HONEST else ""
        yield Mutant(family, operator, answer.exam.notebook, name, before, after, answer.feeds, has_order, asks=asks)


def _is_new(source: str, forms: set[str]) -> bool:
    form = meaning(source)
    is_repeated = form in forms
    forms.add(form)
    return not is_repeated


def _spread(of_answer: list[Mutant], seed: int) -> list[Mutant]:
    """Order mutants so that each operator has its turn before one has its second."""
    dice = random.Random(seed)
    by_operator: dict[str, list[Mutant]] = {}
    for mutant in of_answer:
        by_operator.setdefault(mutant.operator, []).append(mutant)
    groups = list(by_operator.values())
    for group in groups:
        dice.shuffle(group)
    dice.shuffle(groups)
    return _in_turns(groups)


def _in_turns(queues: list[list[Mutant]]) -> list[Mutant]:
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _solution_lines(source: str) -> range:
    """Return the lines between the markers of a solution; all lines where there are none."""
    lines = source.split("\n")
    first = [number for number, line in enumerate(lines, 1) if "BEGIN SOLUTION" in line]
    last = [number for number, line in enumerate(lines, 1) if "END SOLUTION" in line]
    return range(first[0], last[-1] + 1) if first and last else range(1, len(lines) + 1)


def _honest(answer: AnswerCell) -> Iterator[tuple[str, str]]:
    yield from _edited(answer, honest_rewrites.OPERATORS)
    yield from _of_networks(answer)
    public_words = frozenset(WORD.findall(public_text(answer.exam)))
    source, tree, used = answer.cell.source, answer.tree, answer.used
    yield from honest_rewrites.whole_cells(source, tree, used, public_words)
    answers_apart = (cell for cell in answer.exam.cells if cell.role is Role.ANSWER and cell is not answer.cell)
    known_words = public_words.union(*(WORD.findall(cell.source) for cell in answers_apart))
    yield from own_names.rewrites(source, tree, used, known_words)
    scope = [answer.cell] if answer.cell.is_answer_file else answer.exam.cells  # a module sees no notebook's names
    libraries = result_forms.LIBRARIES.items()
    imported = {name for name, line in libraries if any(line in cell.source for cell in scope)}
    task = task_of(answer.exam, answer.cell)
    yield from result_forms.result_forms(source, tree, used, answer.types, task, imported)


def _of_networks(answer: AnswerCell) -> Iterator[tuple[str, str]]:
    task = task_of(answer.exam, answer.cell)
    of_tree = ((operator, ast.unparse(tree)) for operator, tree in network_rewrites.logits(answer.tree))
    for operator, after in itertools.chain(_edited(answer, network_rewrites.OPERATORS), of_tree):
        settled = network_rewrites.SETTLED.get(operator)
        if settled is None or not re.search(settled, task, re.IGNORECASE):
            yield operator, after


def public_text(exam: Exam) -> str:
    """Return all that students read of an exam."""
    return "\n".join(cell.released for cell in exam.cells)


def task_of(exam: Exam, answer: ExamCell) -> str:
    """Return what students read of one answer: the texts since the last test, and its released part.

    If these texts name nothing that it binds, the text above that does is read as well: it tells two answers at once.
    """
    index = next(place for place, cell in enumerate(exam.cells) if cell is answer)
    before = [place for place, cell in enumerate(exam.cells[:index]) if cell.role in (Role.TEST, Role.ANSWER)]
    start = max(before, default=-1) + 1
    texts = [cell.released for cell in exam.cells[start:index] if cell.cell_type != "code"]
    names = bound_names(answer.source) or frozenset()
    if not any(names & set(WORD.findall(text)) for text in texts):
        above = (cell.released for cell in reversed(exam.cells[:start]) if cell.cell_type != "code")
        texts += itertools.islice((text for text in above if names & set(WORD.findall(text))), 1)
    return "\n".join([*texts, answer.released])


def _code(answer: AnswerCell) -> Iterator[tuple[str, str]]:
    left_alone = code_slips.untouched(answer.tree) | network_slips.building(answer.tree)
    if ".fit(" in answer.cell.source:
        left_alone |= code_slips.settings(answer.tree)
    yield from _edited(answer, code_slips.OPERATORS, left_alone)
    for first, second in code_slips.orders(answer.tree):
        if first.lineno in answer.lines and (second.end_lineno or 0) in answer.lines:
            yield "two statements the wrong way round", swapped(answer.cell.source, first, second)


def _network(answer: AnswerCell) -> Iterator[tuple[str, str]]:
    return _edited(answer, network_slips.OPERATORS)


def _data(answer: AnswerCell) -> Iterator[tuple[str, str]]:
    index = next(place for place, cell in enumerate(answer.exam.cells) if cell is answer.cell)
    cells = (cell.source for cell in answer.exam.cells[: index + 1] if cell.cell_type == "code")
    bound = frozenset(name for source in cells for name in bound_names(source) or ())
    return _edited(answer, [*data_slips.OPERATORS, data_slips.leaks(bound)])


def _cheat(answer: AnswerCell) -> Iterator[tuple[str, str]]:
    index = next(place for place, cell in enumerate(answer.exam.cells) if cell is answer.cell)
    return cheats.cheats(answer.exam, index, answer.cell.source, answer.tree, answer.used, answer.types)


def _edited(
    answer: AnswerCell, operators: Sequence[Operator], left_alone: Container[ast.AST] = ()
) -> Iterator[tuple[str, str]]:
    for edit in edits(answer.tree, operators, answer.lines):
        if edit.node not in left_alone and (after := apply(answer.cell.source, answer.tree, edit)) is not None:
            yield edit.operator, after


_RIGHT_AS_MADE = result_forms.OPERATORS | honest_rewrites.FREE | own_names.OPERATORS
_FAMILIES: dict[str, Family] = {
    HONEST: _honest,
    "code": _code,
    "network": _network,
    "data": _data,
    "cheat": _cheat,
}
