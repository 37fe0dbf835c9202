"""Which tests leave nothing behind in the process that runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import SOLUTION, cell, notebook, tiny_course, tiny_release

from autograder.traceless import traceless

SETUP = (
    "import numpy as np, math, os\nimport numpy.random as npr\nfrom autograder import check\nfrom numpy import random"
)


def leaves_nothing(root: Path, test: str, helper: str = "") -> bool:
    hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    course = tiny_course(root, test=hidden)
    cells = [cell(f"{SETUP}\n{helper}", "setup", locked=True), cell(SOLUTION, "double", solution=True)]
    graded = cell(hidden, "test-double", grade=True, locked=True, points=2)
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells, graded))
    return traceless([one.exam for one in tiny_release(course).notebooks])


@pytest.mark.parametrize(
    "test",
    [
        "assert double(21) == 42",
        "check.function(double, [((1,), 2)], rtol=1e-6)\ncheck.close(double(2), 4)",
        "data = check.hidden_data('x.npz')\ncheck.loss(model, on=(data['X'], data['y']), below=0.5)",
        "assert np.allclose(double(np.arange(3)), np.array([0, 2, 4.0])) and np.linalg.norm(x) < math.sqrt(2)",
        "from math import pi\nimport numpy\nassert isinstance(double(pi), (float, numpy.floating))",
        "np.testing.assert_allclose(double(1.5), 3)\nassert np.float32.mro()",
        "def right(x):\n    return x * 2\nclass Wrong(Exception):\n    pass\n[double(i) == right(i) for i in range(9)]",
        "try:\n    double('a')\nexcept TypeError as error:\n    print(type(error).__name__, f'{error}')",
        "cells = {}\ncells['a'] = double(1)\nx = len(sorted(cells.values()))",
    ],
)
def test_values_checks_and_functions_leave_nothing(tmp_path: Path, test: str) -> None:
    """As most tests are."""
    assert leaves_nothing(tmp_path, test)


@pytest.mark.parametrize(
    "test",
    [
        "np.random.seed(0)",
        "npr.seed(0)",
        "random.seed(0)",
        "r = np\nr.random.seed(0)",
        "from numpy.random import seed\nseed(0)",
        "from numpy import random as r",
        "import random as r\nr.seed(1)",
        "np.seterr(all='raise')",
        "np.seen = 1",
        "check.seen = 1",
        "double.calls = 0",
        "f = check.loss\nf.__globals__['seen'] = 1",
        "np.array.__dict__",
        "found = np.linalg",
        "m = np.testing\nm.suppress_warnings()",
        "os.environ['SEEN'] = '1'",
        "import sys\nsys.seen = 1",
        "import helper",
        "from helper import *",
        "from . import helper",
        "getattr(np, 'random').seed(0)",
        "__builtins__['seen'] = 1",
        "eval('1')",
        "open('x', 'w')",
        "async def f():\n    pass",
        "check.recording",
        "(i for i in [1]).gi_frame.f_builtins['print'] = 1",
        "try:\n    double('a')\nexcept TypeError as error:\n    f = error.__traceback__",
        "try:\n    double('a')\nexcept TypeError as error:\n    f = error.tb_frame",
    ],
)
def test_what_may_leave_something_is_told(tmp_path: Path, test: str) -> None:
    """Also in the middle of what does not."""
    assert not leaves_nothing(tmp_path, f"assert double(1) == 2\n{test}\nassert double(2) == 4")


@pytest.mark.parametrize(("helper", "nothing"), [("np.ones(3)", True), ("np.random.default_rng(0)", False)])
def test_the_instructors_own_functions_count_where_a_test_uses_them(tmp_path: Path, helper: str, nothing: bool) -> None:
    """They run in the examiner, too."""
    source = f"def helper():\n    return {helper}"
    assert leaves_nothing(tmp_path, "assert double(1) == 2", source)
    assert leaves_nothing(tmp_path, "assert double(helper()) is not None", source) is nothing
