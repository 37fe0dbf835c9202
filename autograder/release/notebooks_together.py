"""Notebooks of one assignment that need one another: each runs in a folder of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from autograder.records.exam import Exam
from autograder.release.answer_files import imported_modules
from autograder.syntax.file_paths import paths_in
from autograder.syntax.written_files import written_paths

_OF_NOTEBOOK = re.compile(r"ipynb\.fs\.(?:full|defs)\.(\w+)")
"""A module that the package ipynb makes of a notebook."""


def of_other_notebooks(exams: Sequence[Exam], released: Collection[str]) -> list[str]:
    """Warn of a notebook that reads a file that only another one writes, or imports another one.

    Args:
        exams: the exams of an assignment.
        released: paths of the files that all of them have.
    """
    outputs = {exam.notebook: written_paths(exam) - set(released) for exam in exams}
    return [
        f"source/{exam.assignment}/{exam.notebook}.ipynb: {warning}"
        for exam in exams
        for warning in (*_reads(exam, outputs), *_imports(exam, outputs))
    ]


def _reads(exam: Exam, outputs: dict[str, frozenset[str]]) -> Iterator[str]:
    for path in sorted(paths_in(exam) - outputs[exam.notebook]):
        for writer in sorted(name for name, paths in outputs.items() if path in paths):
            yield (
                f"it names {path!r}, which {writer}.ipynb writes, and each notebook is graded in a folder of its own; "
                "write the file here, too, release one, or put both parts into one notebook"
            )


def _imports(exam: Exam, notebooks: Collection[str]) -> Iterator[str]:
    for module in sorted(imported_modules(cell.source for cell in exam.cells if cell.cell_type == "code")):
        match = _OF_NOTEBOOK.match(module)
        if match is not None and match[1] in notebooks:
            yield (
                f"it imports {match[1]}.ipynb, and each notebook is graded in a folder of its own; let students write "
                f"that part in a module, {match[1]}.py, which is an answer file"
            )
            return
