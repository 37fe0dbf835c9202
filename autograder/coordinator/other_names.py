"""Answers under other names, for the proof of a release: names that a test asks for and no student is told.

An author names a layer, a column, a key or a method, and a hidden test asks for it by that name. The solution passes.
So it is tried once more with other names in place of those that nothing tells students.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.syntax import parsed
from autograder.coordinator import batch
from autograder.coordinator.weak_answers import MAX_SOLUTION_SECONDS, MakeWork
from autograder.lint.surroundings import NotebookFacts
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import Grade
from autograder.release.build import solution_texts

MAX_ALONE = 6
"""Most words that are tried one by one, where the solution does not run with all of them replaced."""
MAX_READ_BYTES = 100_000
"""How much of each released file is looked through for words."""
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class _Asked:
    """The words that a test asks for and that the solution chose, which nothing tells students."""

    exam: Exam
    test: ExamCell
    words: frozenset[str]


def untold_names(
    exams: Sequence[Exam],
    files: Mapping[str, Path],
    work: MakeWork,
    solution: Grade,
    workers: int,
    execute: batch.Execute,
    say: Callable[[str], None],
) -> Iterator[str]:
    """Name the tests in which the solution loses points under other names.

    Args:
        exams: the exams.
        files: the released files.
        work: makes the work of an answer.
        solution: the solution's grade.
        workers: answers at a time.
        execute: does the work.
        say: called before the first trial.
    """
    asked = list(_asked(exams, files))
    words = sorted({word for one in asked for word in one.words})
    if not words:
        return
    say("the solution under other names: tests ask for some that students are not told")
    trials = [words]
    if len(words) > 1 and sum(book.cpu_seconds for book in solution.notebooks) <= MAX_SOLUTION_SECONDS:
        trials += [[word] for word in words[:MAX_ALONE]]
    for trial in trials:
        renamed = [_with_others(exam, trial) for exam in exams]
        named = replace(work("renamed", solution_texts(renamed)), exams=tuple(exams))
        grades = batch.run([named], workers=workers, force=True, execute=execute).grades
        shutil.rmtree(named.submission.parent, ignore_errors=True)
        if grades and _ran_alike(grades[0], solution):
            yield from _lost(asked, trial, exams, grades[0])
            if trial is words:
                return


def _with_others(exam: Exam, words: Sequence[str]) -> Exam:
    """Return the exam whose answers have other words in place of these."""
    others = {word: f"renamed{number}" for number, word in enumerate(words)}
    return replace(exam, cells=tuple(_with(cell, others) for cell in exam.cells))


def _with(cell: ExamCell, others: Mapping[str, str]) -> ExamCell:
    if not _is_answer(cell):
        return cell
    return replace(cell, source=_WORD.sub(lambda found: others.get(found[0], found[0]), cell.source))


def _ran_alike(renamed: Grade, solution: Grade) -> bool:
    """Tell whether a word was the solution's own choice: one of a library's would stop a cell."""
    return [book.status for book in renamed.notebooks] == [book.status for book in solution.notebooks]


def _lost(asked: Sequence[_Asked], words: Sequence[str], exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    scores = {
        (exam.notebook, question.id): question
        for exam, book in zip(exams, grade.notebooks, strict=True)
        for question in book.questions
    }
    for one in asked:
        question = scores[one.exam.notebook, str(one.test.grade_id)]
        named = sorted(one.words.intersection(words))
        if named and question.loses_points:
            listed = ", ".join(f"`{word}`" for word in named)
            yield (
                f"{one.exam.notebook}, {one.test.grade_id}: an answer that has another name than {listed} gets "
                f"{question.score:g} of {one.test.points:g} points, and nothing tells students the name; say it in the "
                "task, or let the test find it by what it is or computes"
            )


def _asked(exams: Sequence[Exam], files: Mapping[str, Path]) -> Iterator[_Asked]:
    in_files = {word for path in files.values() for word in _words_of(path)}
    for exam in exams:
        told = {word.lower() for word in NotebookFacts(exam, files).told} | in_files
        chosen, parameters = _chosen(exam)
        for test in exam.cells:
            tree = parsed(test.source) if test.role is Role.TEST and test.points > 0 else None
            if tree is not None:
                words = (_named(tree) & chosen) | (_keywords(tree) & parameters)
                if untold := frozenset(word for word in words if word.lower() not in told):
                    yield _Asked(exam, test, untold)


def _words_of(path: Path) -> Set[str]:
    """Return the words of a released file, such as the names of a table's columns, in small letters."""
    with path.open("rb") as file:
        return {word.lower() for word in _WORD.findall(file.read(MAX_READ_BYTES).decode("utf-8", "replace"))}


def _is_answer(cell: ExamCell) -> bool:
    return cell.cell_type == "code" and cell.role in (Role.ANSWER, Role.MANUAL)


def _chosen(exam: Exam) -> tuple[Set[str], Set[str]]:
    """Return the words that answers may have chosen, but for the notebook's own names; and their parameters."""
    chosen: set[str] = set()
    parameters: set[str] = set()
    for tree in (parsed(cell.source) for cell in exam.cells if _is_answer(cell)):
        for node in ast.walk(tree) if tree is not None else ():
            match node:
                case ast.Attribute(attr=name, ctx=ast.Store()) | ast.keyword(arg=str(name)):
                    chosen.add(name)
                case ast.Constant(value=str(text)):
                    chosen.update(_WORD.findall(text))
                case ast.arg(arg=name):
                    parameters.add(name)
                case ast.ClassDef(bases=bases, body=body):
                    chosen.update(_of_class(body, derives=bool(bases)))
    return chosen, parameters


def _of_class(body: Sequence[ast.stmt], *, derives: bool) -> Iterator[str]:
    """Yield the names of a class's fields, and of its methods if no other class may ask for them."""
    for part in body:
        match part:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.FunctionDef(name=name) if not derives:
                yield name


def _named(tree: ast.AST) -> Set[str]:
    """Return the words of a test's texts, and its attributes."""
    nodes = list(ast.walk(tree))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}.union(*map(_WORD.findall, texts))


def _keywords(tree: ast.AST) -> Set[str]:
    return {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
