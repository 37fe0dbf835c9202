"""Solutions under other names, for the proof of a release: does a test ask for untold ones?

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
"""Most words that are tried one by one, where it costs points, or the solution's run, to replace all of them."""
MAX_READ_BYTES = 100_000
"""How much of each released file is looked through for words."""
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class _Request:
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
    requests = list(_requests(exams, files))
    words = sorted({word for request in requests for word in request.words})
    is_quick = sum(book.cpu_seconds for book in solution.notebooks) <= MAX_SOLUTION_SECONDS
    if not words or not is_quick:
        return
    say("the solution under other names: tests ask for some that students are not told")

    def without(words: Sequence[str]) -> list[str] | None:
        renamed = [_with_others(exam, words) for exam in exams]
        answer = replace(work("renamed", solution_texts(renamed)), exams=tuple(exams))
        grades = batch.run([answer], workers=workers, force=True, execute=execute).grades
        shutil.rmtree(answer.submission.parent, ignore_errors=True)
        return list(_lost(requests, words, exams, grades[0])) if grades and _ran_alike(grades[0], solution) else None

    findings = without(words)
    if findings != [] and len(words) > 1:
        each_alone = [without([word]) or [] for word in words[:MAX_ALONE]]
        findings = [text for texts in each_alone for text in texts] or findings
    yield from findings or ()


def _with_others(exam: Exam, words: Sequence[str]) -> Exam:
    """Return the exam whose answers have other words in place of these."""
    substitutes = {word: f"renamed{number}" for number, word in enumerate(words)}
    return replace(exam, cells=tuple(_with(cell, substitutes) for cell in exam.cells))


def _with(cell: ExamCell, substitutes: Mapping[str, str]) -> ExamCell:
    if not _is_answer(cell):
        return cell
    return replace(cell, source=_WORD.sub(lambda word: substitutes.get(word[0], word[0]), cell.source))


def _ran_alike(renamed: Grade, solution: Grade) -> bool:
    """Tell whether a word was the solution's own choice: one of a library's would stop a cell."""
    return [book.status for book in renamed.notebooks] == [book.status for book in solution.notebooks]


def _lost(requests: Sequence[_Request], words: Sequence[str], exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    scores = {
        (exam.notebook, question.id): question
        for exam, book in zip(exams, grade.notebooks, strict=True)
        for question in book.questions
    }
    for request in requests:
        question = scores[request.exam.notebook, str(request.test.grade_id)]
        untold = sorted(request.words.intersection(words))
        if untold and question.loses_points:
            listed = ", ".join(f"`{word}`" for word in untold)
            points = f"{question.score:g} of {request.test.points:g} points"
            yield (
                f"{request.exam.notebook}, {request.test.grade_id}: an answer that has another name than {listed} gets "
                f"{points}, and nothing tells students the name; say it in the task, or let the test find it by what "
                "it is or computes"
            )


def _requests(exams: Sequence[Exam], files: Mapping[str, Path]) -> Iterator[_Request]:
    in_files = {word for path in files.values() for word in _words_of(path)}
    for exam in exams:
        told_words = {word.lower() for word in NotebookFacts(exam, files).told} | in_files
        chosen, parameters = _chosen(exam)
        for test in exam.cells:
            tree = parsed(test.source) if test.role is Role.TEST and test.points > 0 else None
            if tree is not None:
                words = (_words_in_texts(tree) & chosen) | (_keywords(tree) & parameters)
                if untold := frozenset(word for word in words if word.lower() not in told_words):
                    yield _Request(exam, test, untold)


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
    trees = [parsed(cell.source) for cell in exam.cells if _is_answer(cell)]
    defined = {
        node.name
        for tree in trees
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for tree in trees:
        for node in ast.walk(tree) if tree is not None else ():
            match node:
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    chosen.add(name)
                case ast.Call(func=function, keywords=keywords) if _calls_defined(function, defined):
                    chosen.update(keyword.arg for keyword in keywords if keyword.arg)
                case ast.Constant(value=str(text)):
                    chosen.update(_WORD.findall(text))
                case ast.arg(arg=name):
                    parameters.add(name)
                case ast.ClassDef(bases=bases, body=body):
                    chosen.update(_of_class(body, derives=bool(bases)))
    return chosen, parameters


def _calls_defined(function: ast.expr, defined: Set[str]) -> bool:
    """Tell whether a call is of a function of the notebook's, or of ``dict``: others' keywords are not a choice."""
    return isinstance(function, ast.Name) and function.id in {*defined, "dict"}


def _of_class(body: Sequence[ast.stmt], *, derives: bool) -> Iterator[str]:
    """Yield the names of a class's fields, and of its methods if no other class may ask for them."""
    for part in body:
        match part:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.FunctionDef(name=name) if not derives:
                yield name


def _words_in_texts(tree: ast.AST) -> Set[str]:
    """Return the words of a test's texts, and its attributes."""
    nodes = list(ast.walk(tree))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}.union(*map(_WORD.findall, texts))


def _keywords(tree: ast.AST) -> Set[str]:
    return {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
