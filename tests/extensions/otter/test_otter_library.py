"""The students' notebook, compared with what otter-grader itself writes and makes of it.

The library brings much with it, and is in an environment of its own: OTTER_PYTHON names its Python (otter-grader 7).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers.otter import SQUARE, course, release_of
from helpers.otter_sources import FILES, FUNCTIONS, LITE, MANY, MARKERS

PYTHON = os.environ.get("OTTER_PYTHON", "")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not PYTHON, reason="OTTER_PYTHON names no Python with otter-grader 7"),
]

ASSIGN = """
import os, pathlib, sys
import nbformat
from otter.assign.assignment import Assignment
from otter.assign.notebook_transformer import NotebookTransformer
from otter.assign.tests_manager import AssignmentTestsManager

source = pathlib.Path(sys.argv[1])
os.chdir(source.parent)
assignment = Assignment(require_valid_keys=True)
assignment.master, assignment.lang = source, "python"
tests = AssignmentTestsManager(assignment)
made = NotebookTransformer(assignment, tests).transform_notebook(nbformat.read(source, as_version=4))
os.makedirs(pathlib.Path(sys.argv[2]).parent / "tests", exist_ok=True)
made.write_tests(str(pathlib.Path(sys.argv[2]).parent / "tests"), False, False)
made.write_transformed_nb(sys.argv[2], True)
points = {name: tests.determine_question_point_value(q) for name, q in tests._questions.items()}
print(__import__("json").dumps(points))
"""
CHECK = """
import json, sys
import otter

path, answer = sys.argv[1:]
grader = otter.Notebook(path)
names = {}
exec(answer, names)
print(json.dumps(all(case.passed for case in grader.check("q1", global_env=names).test_case_results)))
"""


def run(script: str, *arguments: str) -> str:
    done = subprocess.run([PYTHON, "-c", script, *arguments], capture_output=True, text=True, timeout=120, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


SOURCES = {
    "doctests": MANY,
    "functions": FUNCTIONS,
    "markers": MARKERS,
    "test files, for Colab": FILES,
    "test files, for JupyterLite": LITE,
}


@pytest.mark.parametrize("cells", SOURCES.values(), ids=SOURCES)
def test_the_students_notebook_is_otters_own(tmp_path: Path, cells) -> None:
    root = course(tmp_path, *cells)
    out = tmp_path / "otter" / "nb.ipynb"
    out.parent.mkdir()
    points = json.loads(run(ASSIGN, str(root / "source/hw/nb.ipynb"), str(out)))
    release = release_of(root)
    theirs, ours = json.loads(out.read_text()), json.loads(release.notebooks[0].text)
    bare = [
        (c["cell_type"], "".join(c["source"]), {k: v for k, v in c["metadata"].items() if k != "nbgrader"})
        for c in ours["cells"]
        if "run when the notebook is graded" not in "".join(c["source"])
    ]
    assert bare == [(c["cell_type"], "".join(c["source"]), c["metadata"]) for c in theirs["cells"]]
    mine, other = ours["metadata"].get("otter", {}), theirs["metadata"].get("otter", {})
    if mine.get("OK_FORMAT", True):
        assert mine == other
    files = {f"tests/{path.name}": path.read_text() for path in (out.parent / "tests").glob("*.py")}
    written = release.notebooks[0].tests
    assert written == (files if written else {})
    assert bool(written) is (cells in (FILES, LITE))
    worth = {cell.grade_id.removesuffix("-answer"): cell.points for cell in release.exams[0].questions if cell.points}
    assert worth == points


@pytest.mark.parametrize("cells", [[SQUARE], FUNCTIONS], ids=["doctests", "functions"])
def test_students_with_otter_check_their_answers_in_it(tmp_path: Path, cells) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_text(release_of(course(tmp_path, *cells)).notebooks[0].text)
    assert run(CHECK, str(path), "def square(x): return x * x") == "true"
    assert run(CHECK, str(path), "def square(x): return x") == "false"
