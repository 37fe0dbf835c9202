"""The students' notebook, compared with what otter-grader itself writes and makes of it.

The library brings much with it, and is in an environment of its own: OTTER_PYTHON names its Python (otter-grader 7).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers.otter import SQUARE, block, code, config, course, question, raw, release_of, text

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

CONFIGURED = (
    '""" # BEGIN TEST CONFIG\npoints: 2\nsuccess_message: Right\nfailure_message: Wrong\n""" # END TEST CONFIG\n'
)
MANY = [
    config(
        "name: hw\nshow_question_points: true\ncheck_all_cell: true\nexport_cell: {pdf: false, instructions: Send it.}"
    ),
    code("import random\ny = 3"),
    SQUARE,
    question(
        "name: q2\nmanual: true\npoints: 1.5\nexport: true",
        text("Why?"),
        block("solution", text("Because."), code("y = 4 # SOLUTION")),
    ),
    code("# between"),
    question(
        "name: q3\nall_or_nothing: true\npoints: {each: 0.5}",
        text("One.\nTwo."),
        block("prompt", text("_Here_")),
        block(
            "tests", code(CONFIGURED.replace("points: 2\n", "") + "def f(a: int) -> int:\n    return a\n\nf(y)", "3")
        ),
    ),
    question(
        "name: q4\ncheck_cell: false",
        text("Hidden."),
        block("solution", code("if y:\n    # BEGIN SOLUTION\n    z = 1\n    # END SOLUTION\nz, u = 1, 2 # SOLUTION")),
        block("tests", code("for i in range(2):\n    print(i)\nelse:\n    print(z)", printed="0\n1\n1\n")),
    ),
    question("name: q5\nmanual: true\npoints: 2", block("prompt", code("# draw"))),
    text("```otter\n# BEGIN QUESTION\nname: q6\npoints: [1, 2]\n```\n\nFenced.\n```otter\n# BEGIN SOLUTION\n```"),
    code("w = 1 # SOLUTION"),
    raw("# END SOLUTION"),
    *block("tests", code("w", "1"), code("# HIDDEN\nw", "1")),
    raw("# END QUESTION"),
]
FUNCTIONS = [
    config("tests: {ok_format: false}\nseed: {variable: s, autograder_value: 3, student_value: 4}"),
    code("s = 1"),
    question(
        "name: q1\npoints: 2",
        text("?"),
        block("solution", code("def square(x):\n    return x * x # SOLUTION")),
        block(
            "tests",
            code(CONFIGURED.replace("2", "1") + "def test_it(square):\n    assert square(3) == 9"),
            code("# hidden\ndef test_more(square):\n    assert square(-1) == 1\ntest_more(square)"),
        ),
    ),
]


def run(script: str, *arguments: str) -> str:
    done = subprocess.run([PYTHON, "-c", script, *arguments], capture_output=True, text=True, timeout=120, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("cells", [MANY, FUNCTIONS], ids=["doctests", "functions"])
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
    mine, other = ours["metadata"]["otter"], theirs["metadata"]["otter"]
    if mine["OK_FORMAT"]:
        assert mine == other
    worth = {cell.grade_id.removesuffix("-answer"): cell.points for cell in release.exams[0].questions if cell.points}
    assert worth == points


@pytest.mark.parametrize("cells", [[SQUARE], FUNCTIONS], ids=["doctests", "functions"])
def test_students_with_otter_check_their_answers_in_it(tmp_path: Path, cells) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_text(release_of(course(tmp_path, *cells)).notebooks[0].text)
    assert run(CHECK, str(path), "def square(x): return x * x") == "true"
    assert run(CHECK, str(path), "def square(x): return x") == "false"
