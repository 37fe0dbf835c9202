"""A small course of two assignments: a module that students write in the first goes on to the second."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.records.course import Course
from helpers.answer_files import LAYERS
from helpers.tiny import cell, notebook

HEAD = """\
from net.layers import relu
from net.solver import GIVEN


def head(x):
    ### BEGIN SOLUTION
    return relu(x).max() + GIVEN
    ### END SOLUTION
"""
TESTS = {
    "hw1": "from net.layers import relu\nimport numpy as np\nassert relu(np.array([-1.0])) == 0",
    "hw2": "from head import head\nimport numpy as np\nassert head(np.array([-3.0, -1.0])) == 1",
}


def run(course: Course, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    return done.output


def make_carried_course(root: Path, patterns: str, secret: str = "") -> Course:
    """Write and release hw1 with ``net/layers.py``, and hw2 with it, ``head.py``, and the given ``net/solver.py``.

    Args:
        root: the folder.
        patterns: what goes on from hw1.
        secret: a word in the hidden part of hw2's test and in its solution.
    """
    limits = "limits: {cell_seconds: 20, memory_mib: 768}"
    (root / "course.yaml").write_text(
        f"course: carried\nassignments:\n  hw1: {{{limits}}}\n  hw2: {{carried: {{hw1: [{patterns}]}}, {limits}}}\n"
    )
    for name, test in TESTS.items():
        (root / "source" / name / "net").mkdir(parents=True)
        (root / "source" / name / "net/__init__.py").write_text("")
        (root / "source" / name / "net/layers.py").write_text(LAYERS)
        hidden = f"### BEGIN HIDDEN TESTS\n# {secret}\n{test}\n### END HIDDEN TESTS"
        cells = [cell("1", "first", locked=True), cell(hidden, f"test-{name}", grade=True, locked=True, points=2)]
        (root / "source" / name / f"{name}.ipynb").write_text(notebook(*cells))
    (root / "source/hw2/head.py").write_text(
        HEAD.replace("SOLUTION\n    return", f"SOLUTION\n    # {secret}\n    return")
    )
    (root / "source/hw2/net/solver.py").write_text("GIVEN = 1.0\n")
    course = load_course(root)
    for name in TESTS:
        run(course, "release", name)
    return course


def hand_in(course: Course, student: str, name: str, files: Mapping[str, str]) -> Path:
    """Hand in the released notebook with files; the text "as released" stands for the released file."""
    folder = course.submitted(student, name)
    folder.mkdir(parents=True)
    shutil.copyfile(course.release(name) / f"{name}.ipynb", folder / f"{name}.ipynb")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text((course.release(name) / path).read_text() if text == "as released" else text)
    return folder
