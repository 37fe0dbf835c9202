"""A small course whose answers stand in modules: a notebook imports them, and so do tests and a given module."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.course.configuration import load_course
from autograder.records.course import Course
from helpers.tiny import cell, notebook

LAYERS = '''\
"""Layers of a small network."""
import numpy as np

SCALE = 2.0


def relu(x):
    """Return the positive part."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION


class Linear:
    """A layer with weights."""

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, x):
        ### BEGIN SOLUTION
        return x @ self.weights
        ### END SOLUTION
'''
LOSSES = """\
def mse(a, b):
    ### BEGIN SOLUTION
    return sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    ### END SOLUTION
"""
SOLVER = '''\
"""Given: a solver that calls what students write."""
from .layers import relu


def solve(values):
    return relu(values).sum()
'''
DATA = "def rows():\n    return [1.0, -2.0, 3.0]\n"
IMPORTS = "import numpy as np\nfrom net.layers import *\nimport net.layers as L\nfrom net.solver import solve\nfrom net import data"
TESTS = {
    "test-relu": "assert relu(np.array([1.0, -1.0])).tolist() == [1, 0]\n"
    "### BEGIN HIDDEN TESTS\nassert relu(np.array([-3.0, 5.0])).tolist() == [0, 5]\n### END HIDDEN TESTS",
    "test-linear": "layer = L.Linear(np.eye(2))\n"
    "### BEGIN HIDDEN TESTS\nassert np.allclose(layer(np.array([[3.0, 4.0]])), [[3, 4]])\n### END HIDDEN TESTS",
    "test-solver": "### BEGIN HIDDEN TESTS\nassert solve(np.array(data.rows())) == 4\n### END HIDDEN TESTS",
    "test-mse": "from losses import mse\n"
    "### BEGIN HIDDEN TESTS\nimport losses\nassert mse([1, 2], [1, 4]) == 2\nassert losses.mse([3], [1]) == 4\n"
    "### END HIDDEN TESTS",
}
POINTS = 2.0
YAML = """\
course: files
assignments:
  hw:
    limits: {cell_seconds: 20, notebook_seconds: 60, memory_mib: 768}
"""


def make_files_course(
    root: Path, *, yaml: str = YAML, imports: str = IMPORTS, tests: dict[str, str] | None = None
) -> Course:
    """Write the course: a package ``net`` with one answer and two given modules, and the answer ``losses.py``."""
    folder = root / "source/hw"
    (folder / "net").mkdir(parents=True)
    files = {"net/__init__.py": "", "net/layers.py": LAYERS, "net/solver.py": SOLVER, "net/data.py": DATA}
    for name, text in {**files, "losses.py": LOSSES}.items():
        (folder / name).write_text(text)
    cells = [cell(imports, "imports", locked=True)]
    cells += [
        cell(source, name, grade=True, locked=True, points=POINTS)
        for name, source in (TESTS if tests is None else tests).items()
    ]
    (folder / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(yaml)
    return load_course(root)


def solved(text: str) -> str:
    """Return a module as a student has it who wrote the solution: without the marks."""
    return "\n".join(line for line in text.split("\n") if "###" not in line)


def hand_in_files(course: Course, student: str, **changed: str | bytes | None) -> Path:
    """Hand in the solution with these files in place of others; None: the file is not there.

    ``net/layers.py`` is written ``net__layers``.
    """
    folder = course.submitted(student, "hw")
    shutil.copytree(course.release("hw"), folder)
    contents: dict[str, str | bytes | None] = {"net/layers.py": solved(LAYERS), "losses.py": solved(LOSSES)}
    contents |= {f"{name.replace('__', '/', 1)}.py": content for name, content in changed.items()}
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
