"""Notebooks of one assignment that need one another: they run in their order, each with what the earlier ones left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from autograder.records.exam import Exam, Role
from autograder.release.answer_files import imported_notebooks
from autograder.syntax.file_paths import paths_in
from autograder.syntax.written_files import written_paths


def of_other_notebooks(exams: Sequence[Exam], released: Collection[str]) -> list[str]:
    """Warn of a notebook that needs a later one, and of files that two write.

    Args:
        exams: the exams of an assignment, in the order in which their notebooks run.
        released: paths of the files that all of them have.
    """
    outputs = {exam.notebook: written_paths(exam) - set(released) for exam in exams}
    warnings = []
    for number, exam in enumerate(exams):
        earlier = frozenset().union(*(outputs[one.notebook] for one in exams[: number + 1]))
        later = {one.notebook: outputs[one.notebook] for one in exams[number + 1 :]}
        of_exam = (*_reads(exam, earlier, later), *_imports(exam, later), *_writes_again(exam, exams[:number], outputs))
        warnings += [f"source/{exam.assignment}/{exam.notebook}.ipynb: {warning}" for warning in of_exam]
    return warnings


def _reads(exam: Exam, earlier: Collection[str], later: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for path in sorted(paths_in(exam) - set(earlier)):
        for writer in sorted(name for name, paths in later.items() if path in paths):
            yield (
                f"it names {path!r}, which {writer}.ipynb writes, and notebooks run in the order of their names; "
                "rename one, write the file here, too, or release one"
            )


def _writes_again(exam: Exam, earlier: Sequence[Exam], outputs: Mapping[str, frozenset[str]]) -> Iterator[str]:
    tests = [cell.source for cell in exam.cells if cell.role is Role.TEST]
    for path in sorted(path for path in outputs[exam.notebook] if any(path in test for test in tests)):
        for writer in sorted(one.notebook for one in earlier if path in outputs[one.notebook]):
            yield (
                f"it writes {path!r}, as {writer}.ipynb does: a student without an answer here has the file of "
                f"{writer}.ipynb, which a test of it may take for this one's; give it another name"
            )


def _imports(exam: Exam, later: Collection[str]) -> Iterator[str]:
    for notebook in sorted(set(imported_notebooks(exam).values()).intersection(later)):
        yield f"it imports {notebook}.ipynb, and notebooks run in the order of their names; rename one"
