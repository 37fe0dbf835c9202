"""Plugin of pytest for students: ``pytest --notebook network.ipynb`` runs released tests on a notebook of their own.

The notebook's cells run in pytest's process, on the student's own machine. Graders do not use this module.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

_MARKS = (
    "points(number): points of a test, which the grader gives",
    "visible: a test that students have",
    "hidden: a test that only the grader has",
    "notebook(name): the notebook that a file tests",
)


class Student:
    """The fixture ``student``: its attributes are names of the notebook."""

    def __init__(self, names: Mapping[str, Any], places: Mapping[str, Mapping[str, Any]], label: str) -> None:
        """Create the fixture.

        Args:
            names: names and values at this place of the notebook.
            places: id of a cell → names and values after it.
            label: the notebook's name in messages.
        """
        self._names, self._places, self._label = names, places, label

    def __getattr__(self, name: str) -> Any:
        """Return a value.

        Raises:
            NameError: the notebook does not define the name.
        """
        if name.startswith("__") or name not in self._names:
            raise NameError(f"name {name!r} is not defined in {self._label}", name=name)
        return self._names[name]

    def at(self, cell_id: str) -> Student:
        """Return the names as they are at a cell.

        Args:
            cell_id: the cell's id: nbgrader's, or the notebook's own.

        Raises:
            LookupError: there is no such cell.
        """
        if cell_id not in self._places:
            raise LookupError(f"{self._label} has no cell {cell_id!r}")
        return Student(self._places[cell_id], self._places, f"{self._label} at cell {cell_id!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--notebook``."""
    group = parser.getgroup("nbexaminer", "tests of a notebook")
    group.addoption("--notebook", metavar="FILE", help="notebook (.ipynb) that the fixture `student` stands for")


_raised = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks that a test file of an assignment may have."""
    config.stash[_raised] = []
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the cells that raised."""
    if config.stash[_raised]:
        terminalreporter.section("notebook")
        for line in config.stash[_raised]:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def student(request: pytest.FixtureRequest) -> Student:
    """Run the notebook once; a cell that raises does not stop the others."""
    option = request.config.getoption("--notebook")
    if not option:
        pytest.fail("the test needs a notebook: pytest --notebook FILE.ipynb", pytrace=False)
    path = (request.config.invocation_params.dir / str(option)).resolve()
    if not path.is_file():
        pytest.fail(f"there is no notebook {option}", pytrace=False)
    names, raised = run_notebook(path)
    request.config.stash[_raised].extend(raised)
    return names


def run_notebook(path: Path) -> tuple[Student, list[str]]:
    """Run a notebook's code cells in this process and its folder, without the test cells.

    Test cells are left out in grading, too.

    Returns:
        The fixture, and a line for each cell that raised.
    """
    from autograder._util.notebook_format import nbformat
    from autograder.cli.output import print_all_characters
    from autograder.syntax.magics import without_magics

    print_all_characters()  # with `pytest -s`, what a cell prints would raise where a console knows few
    os.environ.setdefault("MPLBACKEND", "agg")
    names: dict[str, Any] = {"__name__": "__main__", "display": print}
    places: dict[str, dict[str, Any]] = {}
    raised: list[str] = []
    sys.path.insert(0, str(path.parent))
    with contextlib.chdir(path.parent):
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
            marks = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and (marks.get("solution") or not marks.get("grade")):  # no test cell
                file = f"<{path.name}, cell {number}>"
                source = without_magics(cell.source)
                linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
                try:
                    exec(compile(source, file, "exec", dont_inherit=True), names)
                except (Exception, SystemExit) as error:
                    raised.append(f"{path.name}: cell {number} raises {type(error).__name__}: {error}")
            for cell_id in filter(None, (marks.get("grade_id"), cell.get("id"))):
                places.setdefault(cell_id, dict(names))
    return Student(names, places, path.name), raised
