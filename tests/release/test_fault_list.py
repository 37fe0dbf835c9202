"""All faults of a release are named at once, and none that is a consequence of another."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.tiny import SOLUTION, TEST, cell, notebook

from autograder.cli import main

ANSWER = cell(SOLUTION, "double", solution=True)
OPEN = cell("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x", "double", solution=True)
MISSPELT = cell(SOLUTION.replace("BEGIN", "BEGN").replace("double", "twice"), "twice", solution=True)
WITHOUT_ANSWER = cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION")


def graded(source: str = TEST, grade_id: str = "test-double", points: Any = 2) -> dict[str, Any]:
    """A test cell."""
    return cell(source, grade_id, grade=True, locked=True, points=points)


def release(root: Path, *cells: dict[str, Any], options: str = "", **files: str) -> Result:
    """Release an assignment of the notebook ``nb`` and of these files, without a proof."""
    folder = root / "source/hw"
    for name, text in {"nb.ipynb": notebook(*cells), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{options}\n")
    return CliRunner().invoke(main, ["release", "hw", "--no-prove", "--course", str(root)])


def told(result: Result) -> list[str]:
    """What a refused release says, a line for each fault, without the remedies."""
    assert result.exit_code == 1, result.output
    return [line.strip(" -").partition(";")[0] for line in result.stderr.splitlines()]


def test_markers_marks_and_tests_of_all_notebooks_are_named_at_once(tmp_path: Path) -> None:
    tests = [
        graded("### BEGIN HIDDEN TESTS\nassert doubel(1) == 2\n### END HIDDEN TESTS", points="two"),
        graded("double(1)", "runs-only"),
    ]
    other = notebook(ANSWER, graded("assert double(1) == quux"))
    result = release(tmp_path, MISSPELT, ANSWER, ANSWER, *tests, **{"other.ipynb": other})
    nb = "source/hw/nb.ipynb: cell"
    assert told(result) == [
        f"Warning: {nb} 5 ('runs-only'): the test asserts nothing, checks nothing and ends in no value: it gives its "
        "points for running",
        "error: 4 things would reach students, or are wrong in cells:",
        f"{nb} 1 ('twice'): line 2: '### BEGN SOLUTION' is not a marker, and hides nothing: write '### BEGIN SOLUTION' "
        "(or, if it is not meant as a marker, reword it)",
        f"{nb} 1 ('twice'): line 4: '### END SOLUTION' ends nothing: the lines above it would be released",
        f"{nb} 3 ('double'): cell 2 has the same ID",
        f"{nb} 4 ('test-double'): its points are 'two'",
        "2 faults in tests:",
        f"{nb} 4 ('test-double'): line 2: 'assert doubel(1) == 2': nothing in the notebook binds 'doubel'",
        "source/hw/other.ipynb: cell 2 ('test-double'): line 1: 'assert double(1) == quux': "
        "nothing in the notebook binds 'quux'",
    ]
    assert not (tmp_path / "release").exists()


def test_so_are_notebooks_that_nbgrader_refuses_and_files(tmp_path: Path) -> None:
    other = notebook(ANSWER, graded("### AUTOTEST double(1)"))
    files = {"other.ipynb": other, "solution.py": "x"}
    nb, refused, file = told(release(tmp_path, OPEN, graded(), **files))
    assert nb.startswith("error: source/hw/nb.ipynb: cell 1 ('double'): line 2: '### BEGIN SOLUTION' has no")
    assert refused.startswith("source/hw/other.ipynb: cell 2 ('test-double'): an AUTOTEST needs autotests.yml")
    assert file.startswith("source/hw/solution.py: a file that is called a solution")


def test_so_are_all_parts_in_cells_of_another_kind(tmp_path: Path) -> None:
    wrong = [WITHOUT_ANSWER, cell("### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS"), ANSWER, graded(points="two")]
    heading, *faults = told(release(tmp_path, *wrong))
    assert heading == "error: 3 faults in cells:"
    assert [fault.removeprefix("source/hw/nb.ipynb: ").partition(", ")[0] for fault in faults] == [
        "cell 4 ('test-double'): its points are 'two'",
        "cell 1: ### BEGIN SOLUTION stands in a cell that is no answer",
        "cell 2: ### BEGIN HIDDEN TESTS stands in a cell that is no test",
    ]
    allowed = "c.ClearSolutions.enforce_metadata = False\nc.ClearHiddenTests.enforce_metadata = False"
    assert len(told(release(tmp_path, *wrong, options=allowed))) == 1


def test_so_are_names_and_sums_of_the_course_file(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text("course: x\nassignments: {hw: {points: 9, examine: {kernel: [tset]}}}\n")
    name, total, test, _ = told(release(tmp_path, ANSWER, graded("!ls")))
    assert name.startswith("error: 'examine' of 'hw' names 'tset', which is no test cell")
    assert total.startswith("course.yaml promises 9 points for 'hw', but its cells add up to 2")
    assert test.startswith("source/hw/nb.ipynb: cell 2 ('test-double'): line 1: '!ls': tests are examined outside of")


HALF_HIDDEN = (
    "for n in (1, 2):\n    ### BEGIN HIDDEN TESTS\n    assert double(n) == 2 * n\n    ### END HIDDN TESTS\n    n"
)
UNREADABLE = cell("assert double(1) == 2") | {"metadata": {"nbgrader": 7}}


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([OPEN, graded()], "nb.ipynb: cell 1 ('double'): line 2: '### BEGIN SOLUTION' has no '### END SOLUTION'"),
        (
            [ANSWER, graded(HALF_HIDDEN)],
            "nb.ipynb: cell 2 ('test-double'): line 4: '### END HIDDN TESTS' is not a marker",
        ),
        ([ANSWER, UNREADABLE], "nb.ipynb: cell 2: nbgrader's marks of the cell cannot be read"),
        ([ANSWER, graded("### AUTOTEST double(1)", points="two")], "nb.ipynb: cell 2 ('test-double'): its points are"),
        ([ANSWER, graded("assert double(one) == 2", points=None)], "nb.ipynb: cell 2 ('test-double'): its points are"),
    ],
)
def test_no_consequence_of_a_fault_is_named(tmp_path: Path, cells: list[dict[str, Any]], fault: str) -> None:
    (tmp_path / "header.ipynb").write_text(notebook(cell("one = 1")))
    (text,) = told(release(tmp_path, *cells, options="c.IncludeHeaderFooter.header = 'header.ipynb'"))
    assert fault in text


@pytest.mark.parametrize("content", ["", '{"cells": 7}'])
def test_a_file_that_is_no_notebook_is_named_once_and_the_others_are_linted(tmp_path: Path, content: str) -> None:
    test_file = "import pytest\npytestmark = pytest.mark.notebook('other')\ndef test_double(): assert True"
    result = release(
        tmp_path, ANSWER, graded("assert quux"), **{"other.ipynb": content, "tests/test_other.py": test_file}
    )
    broken, unbound = told(result)
    assert broken.startswith("error: source/hw/other.ipynb: ")
    assert unbound.startswith("source/hw/nb.ipynb: cell 2 ('test-double'): line 1: 'assert quux'")


def test_what_several_checks_say_is_said_once(tmp_path: Path) -> None:
    (text,) = told(release(tmp_path, ANSWER, graded(), options="c.ClearSolutions.begin_solution_delimeter = f()"))
    assert text.startswith("error: nbgrader_config.py:2: c.ClearSolutions.begin_solution_delimeter is computed")


def test_a_single_fault_is_a_message_of_its_own(tmp_path: Path) -> None:
    result = release(tmp_path, ANSWER, graded("assert doubel(1) == 2"))
    assert result.stderr == (
        "error: source/hw/nb.ipynb: cell 2 ('test-double'): line 1: 'assert doubel(1) == 2': "
        "nothing in the notebook binds 'doubel'; did you mean 'double'?\n"
    )


def test_nothing_runs_of_a_notebook_that_has_a_fault(tmp_path: Path) -> None:
    """AUTOTEST runs the instructor's notebook, which may take long."""
    (nbgrader,) = importlib.util.find_spec("nbgrader").submodule_search_locations
    shutil.copy(Path(nbgrader, "tests/apps/files/autotests.yml"), tmp_path)
    runs = cell(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()")
    release(tmp_path, runs, MISSPELT, graded("### AUTOTEST twice(1)"))
    assert not (tmp_path / "ran").exists()
    release(tmp_path, runs, ANSWER, graded("### AUTOTEST double(1)"))
    assert (tmp_path / "ran").exists(), "without a fault, it runs"


def test_a_fault_is_told_once_whatever_the_source_folder_is_called(tmp_path: Path) -> None:
    source = notebook(ANSWER, graded(points="two"))
    (tmp_path / "src/hw").mkdir(parents=True)
    (tmp_path / "src/hw/nb.ipynb").write_text(source)
    result = release(tmp_path, ANSWER, options="c.CourseDirectory.source_directory = 'src'")
    assert told(result) == ["error: src/hw/nb.ipynb: cell 2 ('test-double'): its points are 'two'"]


def test_a_heading_that_is_missing_is_told_beside_a_marker(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text(
        "course: tiny\nassignments:\n  hw:\n    diagnosis_links: {rate: 'hw/nb.ipynb#No-such-heading'}\n"
    )
    result = release(tmp_path, MISSPELT, graded())
    assert "BEGN" in result.stderr
    assert "No-such-heading" in result.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("'sqlite:///' + HERE", "nbgrader_config.py:2: c.CourseDirectory.db_url is computed"),
        ("'mysql://x/y'", "mysql://x/y"),
    ],
)
def test_what_grading_needs_is_looked_for_before_a_release(tmp_path: Path, url: str, said: str) -> None:
    """A release that proves itself is of no use if its grades have no place."""
    hidden = graded(
        "from autograder import check\n### BEGIN HIDDEN TESTS\nassert check.hidden_data('h.npz') and double(1)\n### END HIDDEN TESTS"
    )
    result = release(tmp_path, ANSWER, hidden, options=f"c.CourseDirectory.db_url = {url}")
    lines = told(result)
    assert any(said in line for line in lines)
    assert any("source/hw/hidden/h.npz is not there" in line for line in lines)
