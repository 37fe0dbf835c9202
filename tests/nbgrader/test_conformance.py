"""nbgrader's own test notebooks, unedited: each gets the score and the "needs manual grade" that nbgrader's tests state.

Fixtures are named ``apps/test``: a folder of nbgrader's installed package, and the notebook's name.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from helpers.grids import first_of_each
from helpers.kernels import InProcessKernel
from helpers.limits import fork
from helpers.tiny import cell, notebook

from autograder._util.notebook import read_source_notebook
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.examination.attempt import Conditions
from autograder.examination.notebook_grading import GradedNotebook, grade_notebook
from autograder.execution.notebook_run import StartKernel
from autograder.records.checks import Outcome
from autograder.records.exam import Exam
from autograder.records.grade import NotebookGrade
from autograder.records.limits import Limits
from autograder.release.build import Release, build, check
from autograder.release.markers import Markers, read_cell

pytestmark = pytest.mark.integration

if find_spec("nbgrader") is None:
    pytest.skip("nbgrader is not installed", allow_module_level=True)
NBGRADER = Path(find_spec("nbgrader").submodule_search_locations[0])
FOLDERS = {
    "apps": NBGRADER / "tests/apps/files",
    "steps": NBGRADER / "tests/preprocessors/files",
    "ui": NBGRADER / "tests/ui-tests/files",
    "guide": NBGRADER / "docs/source/user_guide",
}

GRADED = [
    # source, what is handed in, score by machine, maximum, waits for a person
    ("apps/submitted-unchanged", "apps/submitted-unchanged", 1, 7, False),
    ("apps/submitted-unchanged", "apps/submitted-changed", 2, 7, True),
    ("apps/submitted-unchanged", "apps/submitted-grade-cell-changed", 1, 7, False),
    ("apps/submitted-unchanged", "apps/submitted-locked-cell-changed", 1, 7, False),
    ("apps/submitted-unchanged", "apps/submitted-cheat-attempt", 1, 7, True),
    ("apps/submitted-unchanged", "apps/submitted-cheat-attempt-alternative", 1, 7, True),
    ("apps/test", "apps/test", 3, 6, True),
    ("apps/test", "apps/test-with-output", 3, 6, True),
    ("apps/test-hidden-tests", "apps/test-hidden-tests", 1.5, 3, False),
    ("apps/autotest-simple", "apps/autotest-simple-unchanged", 0, 1, False),
    ("apps/autotest-simple", "apps/autotest-simple-changed", 1, 1, False),
    ("apps/autotest-hashed", "apps/autotest-hashed-unchanged", 0, 1, False),
    ("apps/autotest-hashed", "apps/autotest-hashed-changed", 1, 1, False),
    ("apps/autotest-hidden", "apps/autotest-hidden-unchanged", 0, 1, False),
    ("apps/autotest-hidden", "apps/autotest-hidden-changed-wrong", 0, 1, False),
    ("apps/autotest-hidden", "apps/autotest-hidden-changed-right", 1, 1, False),
    ("apps/autotest-multi", "apps/autotest-multi-unchanged", 0, 4, False),
    ("apps/autotest-multi", "apps/autotest-multi-changed", 3, 4, False),
    ("apps/validation-zero-points", "apps/validation-zero-points", 0, 0, False),
    ("steps/manually-graded-code-cell", "steps/manually-graded-code-cell", 0, 1, True),
    ("guide/source/ps1/problem1", "guide/submitted/bitdiddle/ps1/problem1", 1.5, 10, True),
    ("guide/source/ps1/problem2", "guide/submitted/bitdiddle/ps1/problem2", 0, 3, True),
    ("guide/source/ps1/problem1", "guide/submitted/hacker/ps1/problem1", 3, 10, True),
    ("guide/source/ps1/problem2", "guide/submitted/hacker/ps1/problem2", 0, 3, True),
    ("guide/source/ps1_autotest/problem1", "guide/source/ps1_autotest/problem1", 3, 10, True),
    ("guide/source/ps1_autotest/problem2", "guide/source/ps1_autotest/problem2", 0, 3, True),
]
SAME_AGAIN = [
    # other copies of the same notebooks, and edits that nbgrader only warns of
    ("steps/submitted-unchanged", "steps/submitted-unchanged", 1, 7, False),
    ("steps/submitted-unchanged", "steps/submitted-changed", 2, 7, True),
    ("steps/submitted-unchanged", "steps/submitted-grade-cell-changed", 1, 7, False),
    ("steps/submitted-unchanged", "steps/submitted-locked-cell-changed", 1, 7, False),
    ("steps/submitted-unchanged", "steps/submitted-grade-cell-type-changed", 1, 7, False),
    ("steps/submitted-unchanged", "steps/submitted-answer-cell-type-changed", 1, 7, False),
    ("ui/submitted-unchanged", "ui/submitted-unchanged", 1, 7, False),
    ("ui/submitted-unchanged", "ui/submitted-changed", 2, 7, True),
    ("ui/submitted-unchanged", "ui/submitted-grade-cell-changed", 1, 7, False),
    ("ui/submitted-unchanged", "ui/submitted-locked-cell-changed", 1, 7, False),
    ("ui/submitted-unchanged", "ui/submitted-grade-cell-type-changed", 1, 7, False),
    ("ui/submitted-unchanged", "ui/submitted-answer-cell-type-changed", 1, 7, False),
]
DIFFERENT = [
    # nbgrader refuses old metadata until `nbgrader update` has run; here it is upgraded on the way
    ("apps/test-v0", "apps/test-v0", 3, 6, True),
    ("apps/test-v1", "apps/test-v1", 3, 6, True),
    ("apps/test-v2", "apps/test-v2", 3, 6, True),
    ("apps/test", "apps/test-v0", 3, 6, True),
    ("apps/test", "apps/test-v1", 3, 6, True),
    ("apps/test", "apps/test-v2", 3, 6, True),
    # nor does a submission's metadata stop anything: an answer without its id is found by what it says and where it
    # stands, and a notebook in which nothing fits is for a person
    ("apps/test", "apps/test-v0-invalid", 3, 6, True),
    ("apps/test", "apps/test-no-metadata", 3, 6, True),
    ("apps/test", "apps/too-new", 0, 6, True),
    # nbgrader tells the student's code that it is being graded, and this test fails then
    ("apps/validating-environment-variable", "apps/validating-environment-variable", 1, 1, False),
    # `import nose` finds an alias of unittest here; where nbgrader lacks nose, these tests fail
    ("steps/test", "steps/test", 3, 6, True),
    ("steps/test_taskcell", "steps/test_taskcell", 3, 8, True),
]
RELEASED = [
    # nothing in them is worth points: they are released, and a submission is graded without a question
    *("apps/side-effects", "apps/infinite-loop", "apps/infinite-loop-with-output"),
    *("steps/cell-type-changed", "steps/no-cell-type", "steps/header", "steps/long-output", "steps/infinite-recursion"),
    *("ui/blank", "ui/empty", "ui/old-schema", "ui/task"),
]
REFUSED = {
    # an invalid source → what, where, and what to do
    "apps/too-new": r"cell 1 \('cell-2298c977f4deff2b'\): a newer nbgrader wrote its marks; update nbgrader where",
    "apps/test-v0-invalid": "cell 17: it has no ID; write one into the field ID in Jupyter's Create Assignment toolbar",
    "apps/test-no-metadata": "cell 3: ### BEGIN SOLUTION stands in a cell that is no answer, .*choose “Autograded answer”",
    "apps/test-no-metadata-autotest": "cell 6: an AUTOTEST belongs into a cell that is an autograded test",
    "steps/bad-markdown-cell-1": r"cell 1 \('foo'\): it is a text, and tests run code only; choose “Manually graded",
    "steps/bad-markdown-cell-2": "cell 1: it has no ID; write one into the field ID",
    "steps/blank-grade-id": "cell 1: it has no ID; write one into the field ID in Jupyter's Create Assignment toolbar",
    "steps/blank-points": r"cell 1 \('id1'\): it has no points; write some into the field Points",
    "steps/duplicate-grade-ids": r"cell 2 \('id1'\): cell 1 has the same ID; give one of them another",
}
ELSEWHERE = {
    # a notebook, or a folder of them → the test that is about it, or why none is
    "apps/timeout": "test_a_cell_that_takes_longer_than_its_limit_is_0",
    "apps/open_relative_file": "test_conformance_batch.py: with the file that it opens",
    "ui/open_relative_file": "the same",
    "steps/warning-pattern": "saved outputs for a step that hides warnings, which cost nothing here",
    "guide/source/header": "test_nbgrader_course.py: the header of its course",
    "guide/release": "test_build.py: what comes of guide/source",
    "guide/autograded": "nbgrader's output, not its input",
    "guide/downloaded": "what a collector is to rename; it is guide/submitted/hacker",
    "guide/creating_and_grading_assignments": "documentation",
    "guide/managing_assignment_files": "documentation",
    "guide/managing_assignment_files_manually": "documentation",
    "guide/managing_the_database": "documentation",
}


def path_of(fixture: str) -> Path:
    folder, _, name = fixture.partition("/")
    return FOLDERS[folder] / f"{name}.ipynb"


def exam_of(fixture: str) -> Exam:
    return built(fixture).notebooks[0].exam


@cache
def built(fixture: str) -> Release:
    """A fixture that is an instructor's notebook, in a course with nbgrader's autotests.yml."""
    root = Path(mkdtemp(prefix="conformance-"))
    try:
        folder = root / "source/ps1"
        folder.mkdir(parents=True)
        shutil.copyfile(path_of(fixture), folder / "p1.ipynb")
        shutil.copyfile(FOLDERS["apps"] / "autotests.yml", root / "autotests.yml")
        course = load_course(root)
        return build(course, course.assignments["ps1"])
    finally:
        shutil.rmtree(root)


LIMITS = Limits(cell_seconds=20, memory_mib=768)


def sandboxed(limits: Limits = LIMITS) -> StartKernel:
    return partial(fork, limits)


def graded(source: str, submission: str, start: StartKernel, limits: Limits = LIMITS) -> GradedNotebook:
    return grade_notebook(exam_of(source), path_of(submission), Conditions(start, limits))


def verdict(grade: NotebookGrade) -> tuple[float, float, bool]:
    return grade.score, grade.max_score, any(q.needs_manual_grade for q in grade.questions)


def named(row: tuple[Any, ...]) -> str:
    return row[1] if row[0] == row[1] else f"{row[0]}-{row[1]}"


EVERY = [pytest.param(*row, id=named(row)) for row in [*GRADED, *SAME_AGAIN, *DIFFERENT]]


@pytest.mark.parametrize(("source", "submission", "score", "maximum", "manual"), EVERY)
def test_nbgraders_notebooks_get_nbgraders_scores(source, submission, score, maximum, manual) -> None:
    """In this process: all but the sandbox."""
    assert verdict(graded(source, submission, InProcessKernel).grade) == (score, maximum, manual)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("source", "submission", "score", "maximum", "manual"),
    first_of_each(GRADED, key=lambda row: row[0].partition("/")[0], name=named),
)
def test_they_get_the_same_scores_in_the_sandbox(source, submission, score, maximum, manual) -> None:
    assert verdict(graded(source, submission, sandboxed()).grade) == (score, maximum, manual)


@pytest.mark.parametrize("fixture", RELEASED)
def test_notebooks_without_questions_are_released(fixture: str) -> None:
    assert exam_of(fixture).questions == ()


@pytest.mark.parametrize("fixture", REFUSED)
def test_an_invalid_source_is_refused_with_what_where_and_what_to_do(fixture: str) -> None:
    with pytest.raises(CourseError, match=f"^source/ps1/p1.ipynb: {REFUSED[fixture]}"):
        exam_of(fixture)


@pytest.mark.parametrize("source", sorted({row[0] for row in GRADED} - {"apps/submitted-unchanged"}))
def test_the_look_at_test_cells_raises_no_alarm(source: str) -> None:
    """nbgrader's tests can all be examined outside of the kernel."""
    check(built(source))


@pytest.mark.parametrize("source", sorted({row[0] for row in GRADED} | set(RELEASED)))
def test_their_markers_are_no_misspelt_ones(source: str) -> None:
    cells = read_source_notebook(path_of(source), name=source).cells
    assert [fault for cell in cells for fault in read_cell(cell, Markers()).faults] == []


def test_a_source_without_its_solution_is_an_alarm() -> None:
    """nbgrader releases it: a test of it needs ``a``, and nothing gives it a value."""
    with pytest.raises(CourseError, match=r"cell 3 \('bar'\): line 1: .* nothing in the notebook binds 'a'"):
        check(built("apps/submitted-unchanged"))


def test_every_notebook_of_nbgrader_is_accounted_for() -> None:
    """A notebook that nbgrader brings anew fails here until it has a row."""
    known = {fixture for row in [*GRADED, *SAME_AGAIN, *DIFFERENT] for fixture in row[:2]}
    known |= {*RELEASED, *REFUSED, *ELSEWHERE}
    for name, folder in FOLDERS.items():
        for path in folder.rglob("*.ipynb"):
            fixture = f"{name}/{path.relative_to(folder).with_suffix('').as_posix()}"
            parents = {fixture.rpartition("/")[0], *(fixture[:i] for i, c in enumerate(fixture) if c == "/")}
            assert known & {fixture, *parents}, f"{fixture}: no test names it"
    for fixture in known:
        assert path_of(fixture).is_file() or (FOLDERS["guide"] / fixture.partition("/")[2]).is_dir(), fixture
    for reason in ELSEWHERE.values():
        assert not reason.startswith("test_a_") or reason in globals()


# --- what only a kernel of its own can show ----------------------------------------------------------------


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_cell_that_is_slow_within_its_limit_has_its_point() -> None:
    assert verdict(graded("apps/timeout", "apps/timeout", sandboxed()).grade) == (1, 1, False)


@pytest.mark.sandbox
def test_a_cell_that_takes_longer_than_its_limit_is_0() -> None:
    limits = Limits(cell_seconds=1, memory_mib=768)
    grade = graded("apps/timeout", "apps/timeout", sandboxed(limits), limits).grade
    assert verdict(grade) == (0, 1, False)
    assert "longer than 1 s" in grade.questions[0].message + grade.message


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("fixture", "memory_mib", "statuses"),
    [
        ("apps/infinite-loop", 768, {"timed_out"}),
        ("apps/infinite-loop-with-output", 256, {"timed_out", "out_of_memory", "killed"}),
    ],
)
def test_a_loop_without_end_is_stopped(fixture: str, memory_mib: int, statuses: set[str]) -> None:
    limits = Limits(cell_seconds=1, memory_mib=memory_mib)
    done = graded(fixture, fixture, sandboxed(limits), limits)
    assert done.grade.status in statuses
    assert done.grade.wall_seconds < 60
    assert done.annotated_notebook is not None, "there is a notebook for people, as in nbgrader"


@pytest.mark.sandbox
def test_a_recursion_without_end_is_an_error_of_its_cell_with_a_short_traceback() -> None:
    done = graded("steps/infinite-recursion", "steps/infinite-recursion", sandboxed())
    (output,) = done.annotated_notebook.cells[0].outputs
    assert (done.grade.status, output.ename) == ("cell_error", "RecursionError")
    assert len(output.traceback) == 100


@pytest.mark.sandbox
def test_a_long_output_is_kept_as_it_is_within_the_limit() -> None:
    """nbgrader cuts it at 1000 lines; here ``output_mib`` bounds it."""
    done = graded("steps/long-output", "steps/long-output", sandboxed())
    (output,) = done.annotated_notebook.cells[0].outputs
    assert output.text.splitlines() == [str(i) for i in range(2000)]


# --- differences that are on purpose ---------------------------------------------------------------------

DIFFERENCES = Path(__file__).parents[2] / "docs/reference/nbgrader.md"


def test_every_difference_names_a_test_that_exists() -> None:
    text = DIFFERENCES.read_text(encoding="utf-8").partition("## Options")[0]
    for line in re.split(r"\n(?=- )", text)[1:]:
        named = re.findall(r"`(tests/(?:\w+/)+test_\w+\.py)::(test_\w+)`", line)
        assert named, f"no test is named: {line}"
        for file, test in named:
            source = (DIFFERENCES.parents[2] / file).read_text(encoding="utf-8")
            assert f"\ndef {test}(" in source, f"{file} has no {test}"


def exam_with(tmp_path: Path, *cells: dict[str, Any]) -> tuple[Exam, Path]:
    """An exam of these cells, and the notebook that a student hands in who changed nothing."""
    (tmp_path / "source/ps1").mkdir(parents=True)
    path = tmp_path / "source/ps1/p1.ipynb"
    path.write_text(notebook(*cells))
    course = load_course(tmp_path)
    return build(course, course.assignments["ps1"]).notebooks[0].exam, path


def test_a_test_that_can_not_be_run_is_nobodys_0(tmp_path: Path) -> None:
    """nbgrader gives 0 for a library that is missing where it grades."""
    exam, path = exam_with(
        tmp_path,
        cell("def f():\n    return 1", "f", solution=True),
        cell("import nowhere_at_all\nassert f() == 1", "first", grade=True, locked=True, points=1),
    )
    (question,) = grade_notebook(exam, path, Conditions(InProcessKernel, LIMITS)).grade.questions
    assert question.outcome is Outcome.BROKEN


def test_a_name_that_a_wrong_answer_kept_a_test_from_binding_is_no_broken_test(tmp_path: Path) -> None:
    exam, path = exam_with(
        tmp_path,
        cell("def f():\n    return 1", "f", solution=True),
        cell("assert f() == 2\nassert_two = f() / 0", "first", grade=True, locked=True, points=1),
        cell("assert assert_two", "second", grade=True, locked=True, points=1),
    )
    grade = grade_notebook(exam, path, Conditions(InProcessKernel, LIMITS)).grade
    assert [q.outcome for q in grade.questions] == [Outcome.FAILED, Outcome.FAILED]


@pytest.mark.sandbox
@pytest.mark.filterwarnings("ignore:another")
def test_what_goes_to_standard_error_costs_nothing(tmp_path: Path) -> None:
    noisy = "import sys, warnings\nprint('a warning', file=sys.stderr)\nwarnings.warn('another')\nassert x == 1"
    exam, path = exam_with(
        tmp_path,
        cell("import warnings\nx = 1\nwarnings.warn('mine')", "x", solution=True),
        cell(noisy, "test-x", grade=True, locked=True, points=1),
    )
    assert verdict(grade_notebook(exam, path, Conditions(sandboxed(), LIMITS)).grade) == (1, 1, False)


@pytest.mark.sandbox
def test_no_environment_variable_tells_grading() -> None:
    fixture = "apps/validating-environment-variable"
    done = graded(fixture, fixture, sandboxed())
    assert verdict(done.grade) == (1, 1, False)


@pytest.mark.parametrize(
    ("submission", "score"),
    [("apps/test-v0", 3), ("apps/test-v1", 3), ("apps/test-v0-invalid", 3), ("apps/too-new", 0)],
)
def test_metadata_of_a_submission_stops_nothing(submission: str, score: float) -> None:
    assert graded("apps/test", submission, InProcessKernel).grade.score == score


@pytest.mark.parametrize("schema", [0, 2, 3, 4, 10**30, -1, "3", None, True, [3]])
def test_whatever_schema_a_submission_claims_its_answers_count(tmp_path: Path, schema: object) -> None:
    content = json.loads(path_of("apps/test").read_text())
    for one in content["cells"]:
        if "nbgrader" in one["metadata"]:
            one["metadata"]["nbgrader"]["schema_version"] = schema
    path = tmp_path / "p1.ipynb"
    path.write_text(json.dumps(content))
    assert verdict(grade_notebook(exam_of("apps/test"), path, Conditions(InProcessKernel, LIMITS)).grade) == (
        3,
        6,
        True,
    )
