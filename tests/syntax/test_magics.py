"""Magics of a test cell that mean nothing to a test are left out of the exam; the release keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.tiny import Here, tiny_course, tiny_release

from autograder.coordinator.proof import prove
from autograder.syntax.magics import without_magics


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("%matplotlib inline\nassert f(1)", "pass\nassert f(1)"),
        ("%matplotlib inline", "pass"),
        ("%load_ext autoreload\n%autoreload 2\nassert f(1)", "pass\npass\nassert f(1)"),
        ("%config InlineBackend.figure_format = 'retina'\nassert f(1)", "pass\nassert f(1)"),
        ("%%time\nassert f(1)", "pass\nassert f(1)"),
        ("\n%%time\nassert f(1)", "\npass\nassert f(1)"),
        ("%%capture\nassert f(1)", "pass\nassert f(1)"),
        ("%%capture --no-stderr\nassert f(1)", "pass\nassert f(1)"),
        ("%time x = f(1)\nassert x", "x = f(1)\nassert x"),
        ("if f(1):\n    %time f(2)\n    %matplotlib notebook", "if f(1):\n    f(2)\n    pass"),
        ("!pip install nose\nassert f(1)", "pass\nassert f(1)"),
        ("%pip install -q nose\nassert f(1)", "pass\nassert f(1)"),
        ("%precision 3\nx = '''\n%matplotlib inline\n%time f()\n'''", "pass\nx = '''\n%matplotlib inline\n%time f()\n'''"),
        ("%pdb off\nx = f'''\n%pdb off\n{1}'''", "pass\nx = f'''\n%pdb off\n{1}'''"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_left_out(source: str, left: str) -> None:
    assert without_magics(source) == left


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("    assert f(1)\n    if f(2):\n        assert f(3)", "assert f(1)\nif f(2):\n    assert f(3)"),
        ("\n\tassert f(1)\n\n\tassert f(2)", "\nassert f(1)\n\nassert f(2)"),
        ("  %time x = f(1)\n  assert x", "x = f(1)\nassert x"),
        ("if f(1):\n    assert f(2)", "if f(1):\n    assert f(2)"),
    ],
)
def test_a_cell_may_be_indented_as_a_whole(source: str, left: str) -> None:
    assert without_magics(source) == left


@pytest.mark.parametrize(
    "source",
    [
        "assert f(1)", "y = (7\n% 2)", "x = '''\n%matplotlib inline\n'''", "x = 100\\\n%pip\n", "%timeit f(1)", "!ls",
        "files = !ls", "!pip freeze", "%%timeit\nf(1)", "%%capture out\nf(1)", "x = 1\n%%time\nf(1)", "%run helper.py",
        "%pylab inline", "%who_knows", "f?", "%matplotlib inline\nf(", "%time", "%reset -f", "%%bash\nls", "%pip install \\\nx",
    ],
)  # fmt: skip
def test_everything_else_stays_as_it_is(source: str) -> None:
    assert without_magics(source) == source


def test_a_release_with_such_magics_proves_itself_and_keeps_them_for_students(tmp_path: Path) -> None:
    visible = "%%time\n%matplotlib inline\nassert double(1) == 2\n"
    test = visible + "### BEGIN HIDDEN TESTS\n%time n = double(21)\nassert n == 42\n### END HIDDEN TESTS"
    course = tiny_course(tmp_path, test=test)
    release = tiny_release(course)
    cell = release.exams[0].cells[1]
    assert cell.released == visible.strip()
    assert cell.source == "pass\npass\nassert double(1) == 2\n\nn = double(21)\nassert n == 42\n"
    prove(course, release, execute=Here())
