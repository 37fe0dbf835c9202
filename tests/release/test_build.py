"""Releases: equal to nbgrader's, with nothing hidden in them; and the exams that come with them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from autograder.course.configuration import load_course
from autograder.errors import CourseError, HostError
from autograder.records.exam import Role
from autograder.records.weights import TrainedWeights
from autograder.release import build as module
from autograder.release.build import Release, build, check, solution_notebook, write

if find_spec("nbgrader") is None:
    pytest.skip("nbgrader is not installed", allow_module_level=True)
NBGRADER = Path(find_spec("nbgrader").submodule_search_locations[0])
GUIDE = NBGRADER / "docs/source/user_guide"
APPS, STEPS = NBGRADER / "tests/apps/files", NBGRADER / "tests/preprocessors/files"
SMALL = [
    APPS / "test.ipynb",
    APPS / "test-with-output.ipynb",
    APPS / "test-hidden-tests.ipynb",
    APPS / "validation-zero-points.ipynb",
    APPS / "autotest-hashed.ipynb",
    STEPS / "test_taskcell.ipynb",
    STEPS / "manually-graded-code-cell.ipynb",
]
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "course101"
c.IncludeHeaderFooter.header = "source/header.ipynb"
"""


def meta(grade_id: str, *flags: str, **extra) -> dict:
    known = {name: name in flags for name in ("grade", "solution", "locked", "task")}
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **known, **extra}}


def cell(source: str, metadata: dict | None = None, kind: str = "code") -> dict:
    made = {"cell_type": kind, "metadata": metadata or {}, "source": source}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


ANSWER = cell("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", meta("f", "solution"))
HIDING = "assert f()\n### BEGIN HIDDEN TESTS\nassert f() == 1\n### END HIDDEN TESTS"
TEST = cell(HIDING, meta("test_f", "grade", "locked", points=2))


def course_of(root: Path, *cells: dict, course_yaml: str = "", **metadata) -> Path:
    """A course with the assignment ``hw`` of one notebook ``nb``."""
    folder = root / "source/hw"
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"kernelspec": {"name": "python", "language": "python", "display_name": "Python"}} | metadata
    notebook = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}
    (folder / "nb.ipynb").write_text(json.dumps(notebook))
    if course_yaml:
        (root / "course.yaml").write_text(course_yaml)
    return root


def built(root: Path, name: str = "hw") -> Release:
    course = load_course(root)
    return build(course, course.assignments[name])


def written(root: Path, name: str = "hw") -> Path:
    course = load_course(root)
    write(course, course.assignments[name], build(course, course.assignments[name]))
    return course.release(name)


# --- equal to nbgrader's -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """nbgrader's own course and test notebooks as one assignment, released by nbgrader and by the kit."""
    pytest.importorskip("nbgrader")
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(GUIDE / "source/ps1", root / "source/ps1")
    shutil.copy(GUIDE / "source/header.ipynb", root / "source")
    shutil.copy(APPS / "autotests.yml", root)
    for path in SMALL:
        shutil.copy(path, root / "source/ps1")
    (root / "source/ps1/data").mkdir()
    (root / "source/ps1/data/a.csv").write_text("1")
    (root / "source/ps1/.ipynb_checkpoints").mkdir()
    (root / "source/ps1/.ipynb_checkpoints/old.txt").write_text("old")
    (root / "nbgrader_config.py").write_text(CONFIG)
    theirs = tmp_path_factory.mktemp("nbgrader") / "course"
    shutil.copytree(root, theirs)
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "ps1"],
        cwd=theirs,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return theirs / "release/ps1", written(root, "ps1")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_the_release_equals_nbgraders_but_for_the_assignments_name(both: tuple[Path, Path]) -> None:
    theirs, ours = contents(both[0]), contents(both[1])
    assert len(ours) == 11
    for name in [name for name in ours if name.endswith(".ipynb")]:
        notebook = nbformat.reads(ours[name].decode(), as_version=4)
        assert notebook.metadata.pop("autograder") == {"assignment": "ps1"}
        ours[name] = nbformat.writes(notebook).encode() + b"\n"
    assert ours == theirs
    assert {p.stat().st_mode & 0o777 for p in both[1].rglob("*.*") if p.is_file()} == {0o644}


def test_the_exam_of_nbgraders_course_has_its_questions(tmp_path: Path) -> None:
    shutil.copytree(GUIDE / "source/ps1", tmp_path / "source/ps1")
    first, second = built(tmp_path, "ps1").notebooks
    assert [(c.grade_id, c.role, c.points) for c in first.exam.questions] == [
        ("correct_squares", Role.TEST, 1.0),
        ("squares_invalid_input", Role.TEST, 1.0),
        ("correct_sum_of_squares", Role.TEST, 0.5),
        ("sum_of_squares_uses_squares", Role.TEST, 0.5),
        ("sum_of_squares_equation", Role.MANUAL, 1.0),
        ("sum_of_squares_application", Role.MANUAL, 2.0),
        ("cell-938593c4a215c6cc", Role.TASK, 4.0),
    ]
    assert (first.exam.max_score, second.exam.max_score) == (10.0, 3.0)
    assert (first.name, second.name) == ("problem1", "problem2")


# --- written questions ---------------------------------------------------------------------------------

ESSAY = meta("why", "grade", "solution", points=2)
TASK = cell("## Why?\n\nSay why the mean of the training rows is used.", kind="markdown")
HEADING = cell("## Why?", kind="markdown")
QUESTION = cell("Why is the mean of the *training* rows used?", ESSAY, "markdown")
PARTLY = cell("Why?\n\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION", ESSAY, "markdown")
STUB = cell("YOUR ANSWER HERE", ESSAY, "markdown")
DESCRIBED = cell("Say why.\n\n### BEGIN MARK SCHEME\nx\n### END MARK SCHEME", meta("t", "task", points=1), "markdown")


@pytest.mark.parametrize(
    "above",
    [(), (TEST,), (TASK, TEST), (TEST, HEADING), (TASK, STUB | {"metadata": meta("b", "grade", "solution", points=1)})],
)
def test_a_written_answer_that_may_be_the_question_itself_is_warned_of(tmp_path: Path, above: tuple[dict, ...]) -> None:
    """nbgrader's rule replaces all of the cell, so students would get no question."""
    (said,) = built(course_of(tmp_path, ANSWER, *above, QUESTION)).warnings
    assert f"cell {len(above) + 2} ('why'): students get 'YOUR ANSWER HERE' in place of its whole text" in said
    assert "put it into a Markdown cell of its own above" in said


@pytest.mark.parametrize(
    "cells",
    [(TASK, QUESTION), (TEST, TASK, QUESTION), (TASK, HEADING, QUESTION), (PARTLY,), (STUB,), (DESCRIBED, QUESTION)],
)
def test_a_written_answer_below_its_task_and_one_that_loses_nothing_is_fine(
    tmp_path: Path, cells: tuple[dict, ...]
) -> None:
    assert built(course_of(tmp_path, *cells)).warnings == ()


def test_a_task_above_the_code_answers_is_also_the_task_of_the_text(tmp_path: Path) -> None:
    """*Write f, and say why*: a cell for the code, and one for the text."""
    assert built(course_of(tmp_path, TASK, ANSWER, QUESTION, TEST)).warnings == ()


# --- the exam ------------------------------------------------------------------------------------------


def test_the_exam_holds_both_faces_of_each_cell(tmp_path: Path) -> None:
    locked = cell("import math", meta("imports", "locked"))
    release = built(course_of(tmp_path, cell("# Hi", kind="markdown"), locked, ANSWER, TEST))
    free, read_only, answer, test = release.notebooks[0].exam.cells
    assert [c.role for c in (free, read_only, answer, test)] == [
        Role.FREE,
        Role.READ_ONLY,
        Role.ANSWER,
        Role.TEST,
    ]
    assert answer.source == ANSWER["source"]
    assert answer.released == "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert test.source == "assert f()\n\nassert f() == 1\n", "lines count as in the instructor's cell"
    assert test.released == "assert f()"
    assert test.points == 2
    assert free.grade_id is None


def test_the_checksum_is_nbgraders_of_the_released_cell(tmp_path: Path) -> None:
    from nbgrader.utils import compute_checksum

    release = built(course_of(tmp_path, ANSWER, TEST)).notebooks[0]
    expected = [compute_checksum(c) for c in release.released.cells]
    assert [c.checksum for c in release.exam.cells] == expected


def test_the_kernel_python_means_python3_but_the_release_keeps_its_name(tmp_path: Path) -> None:
    release = built(course_of(tmp_path, ANSWER, TEST)).notebooks[0]
    assert release.exam.kernelspec["name"] == "python3"
    assert release.released.metadata.kernelspec.name == "python"


def test_the_solution_notebook_is_a_valid_submission_with_the_instructors_answers(tmp_path: Path) -> None:
    exam = built(course_of(tmp_path, ANSWER, TEST)).notebooks[0].exam
    solution = solution_notebook(exam)
    nbformat.validate(solution)
    assert [c.source for c in solution.cells] == [ANSWER["source"], "assert f()"]


def test_hidden_tests_and_solutions_are_nowhere_in_the_release(tmp_path: Path) -> None:
    root = course_of(tmp_path, ANSWER, TEST)
    text = (written(root) / "nb.ipynb").read_text()
    assert "HIDDEN" not in text
    assert "return 1" not in text
    assert "== 1" not in text


def test_an_old_schema_is_upgraded_before_the_release(tmp_path: Path) -> None:
    for name in ("test-v0", "test-v1", "test-v2"):
        root = tmp_path / name
        (root / "source/hw").mkdir(parents=True)
        shutil.copy(APPS / f"{name}.ipynb", root / "source/hw")
        assert built(root).notebooks[0].exam.max_score > 0


def test_options_of_nbgrader_config_apply(tmp_path: Path) -> None:
    root = course_of(tmp_path, cell("x = 1  # SECRET\n# DONE", meta("f", "solution")), TEST)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.ClearSolutions.begin_solution_delimeter = 'SECRET'\n"
        "c.ClearSolutions.end_solution_delimeter = 'DONE'\n"
        "c.ClearSolutions.code_stub = {'python': '# write here'}\n"
    )
    assert built(root).notebooks[0].exam.cells[0].released == "# write here"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "c.IncludeHeaderFooter.header = str(1)",
            r"nbgrader_config.py:1: c.IncludeHeaderFooter.header is computed",
        ),
        ("c.IncludeHeaderFooter.header = 'no.ipynb'", "there is no file no.ipynb"),
        ("c.IncludeHeaderFooter.header = '../x.ipynb'", r"must not contain '\.\.'"),
        ("c.ClearSolutions.text_stub = 7", r"nbgrader_config.py: c.ClearSolutions: .*text_stub"),
        ("c.ClearSolutions.text_stub = ", "nbgrader_config.py:1: not valid Python"),
    ],
)
def test_options_that_can_not_be_used_are_course_errors(tmp_path: Path, line: str, message: str) -> None:
    root = course_of(tmp_path, ANSWER, TEST, course_yaml="course: x\nassignments: {hw: }\n")
    (root / "nbgrader_config.py").write_text(line)
    with pytest.raises(CourseError, match=message):
        built(root)


# --- faults of a source notebook ------------------------------------------------------------------------


def test_cell(source: str, **extra) -> dict:
    return cell(source, meta("t", "grade", "locked", points=1), **extra)


test_cell.__test__ = False  # type: ignore[attr-defined]

BAD = [
    ([ANSWER, ANSWER], r"cell 2 \('f'\): cell 1 has the same ID; give one of them another in Jupyter's Create"),
    (
        [cell("x", meta("t", "grade"))],
        r"cell 1 \('t'\): it has no points; write some into the field Points in Jupyter's",
    ),
    (
        [cell("x", meta("t", "grade", points="two"))],
        "its points are 'two'; write a number from 0 into the field Points",
    ),
    ([cell("x", meta("t", "locked") | {"nbgrader": meta("t")["nbgrader"] | {"locked": 3}})], "its mark 'locked' is 3"),
    ([cell("x", meta("", "solution"))], "cell 1: it has no ID; write one into the field ID"),
    ([cell("x", meta("a b", "solution"))], r"cell 1 \('a b'\): its ID is 'a b', but an ID has letters, digits"),
    ([cell("x", meta("t", "grade", points=-1))], "its points are -1; write a number from 0"),
    ([cell("x", meta("t", "task"), "markdown")], "cell 1 .*it has no points"),
    (
        [cell("x", meta("t", "grade", points=1), "markdown")],
        "it is a text, and tests run code only; choose “Manually graded answer”",
    ),
    ([cell("x", {"nbgrader": 7})], "source/hw/nb.ipynb: cell 1"),
    (
        [cell("### BEGIN SOLUTION\nx", meta("f", "solution"))],
        r"cell 1 \('f'\): ### BEGIN SOLUTION has no ### END SOLUTION after it in this cell; add the line$",
    ),
    (
        [cell("a"), cell("### BEGIN SOLUTION\nx\n### END SOLUTION")],
        "cell 2: ### BEGIN SOLUTION stands in a cell that is no answer.*choose “Autograded answer”",
    ),
    ([cell("### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS")], "cell 1: ### BEGIN HIDDEN TESTS stands in a cell"),
    ([test_cell("### BEGIN HIDDEN TESTS\nx")], r"cell 1 \('t'\): ### BEGIN HIDDEN TESTS has no ### END"),
    ([test_cell("x = 1\n  y = 2")], r"cell 1 \('t'\): line 2: unexpected indent"),
    ([test_cell("return 1")], "line 1: 'return' outside function"),
    (
        [test_cell("x = 1\n%run helper.py")],
        "line 2: '%run helper.py': tests are examined outside of the",
    ),
    (
        [test_cell("!ls")],
        "line 1: '!ls': tests are examined outside of the kernel, where magics do not exist",
    ),
    ([test_cell("x = !ls")], "line 1: 'x = !ls': tests are examined"),
    ([test_cell("%%timeit\nf()")], "line 1: '%%timeit': tests are examined"),
    ([test_cell("f?")], r"line 1: 'f\?': tests are examined"),
    ([test_cell("if f:\n    get_ipython().run_line_magic('x', '')")], "line 2: .*tests are examined"),
    (
        [test_cell("if f():\n    ### BEGIN HIDDEN TESTS\n    assert g()\n    ### END HIDDEN TESTS")],
        "without its hid",
    ),
    ([cell("x", meta("t", "grade", points=1), "raw")], "a test must be a code cell, not raw"),
    ([test_cell("### AUTOTEST f()")], r"an AUTOTEST needs autotests.yml"),
]


@pytest.mark.parametrize(("cells", "message"), BAD, ids=range(len(BAD)))
def test_a_fault_in_a_source_notebook_names_notebook_and_cell(tmp_path: Path, cells, message: str) -> None:
    with pytest.raises(CourseError, match=f"source/hw/nb.ipynb: .*{message}|^{message}"):
        built(course_of(tmp_path, *cells, course_yaml="course: x\nassignments: {hw: }\n"))


def test_all_faults_of_a_notebooks_cells_are_named_at_once(tmp_path: Path) -> None:
    cells = [ANSWER, ANSWER, cell("x", meta("t", "grade", points="two")), cell("x", {"nbgrader": 7})]
    with pytest.raises(CourseError, match=r"(?s)^3 faults in cells:.*cell 2 .*cell 3 .*cell 4") as caught:
        built(course_of(tmp_path, *cells))
    assert not re.search("is not of type|schema|grade_id|ClearSolutions", str(caught.value))


@pytest.mark.parametrize("source", ["x = '''\n%magic\n'''", "y = (7\n% 2)", "x = '!ls'", "# !ls", "x != 1", "f'{x!r}'"])
def test_python_that_only_looks_like_a_magic_is_fine(tmp_path: Path, source: str) -> None:
    assert built(course_of(tmp_path, test_cell(source))).notebooks[0].exam.cells[0].source == source


@pytest.mark.parametrize("name", ["blank-grade-id", "blank-points", "duplicate-grade-ids", "bad-markdown-cell-1"])
def test_nbgraders_own_bad_notebooks_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "source/hw").mkdir(parents=True)
    shutil.copy(STEPS / f"{name}.ipynb", tmp_path / "source/hw")
    with pytest.raises(CourseError, match=rf"source/hw/{name}\.ipynb: cell \d+"):
        built(tmp_path)


def test_an_autotest_that_raises_is_a_course_error_and_leaves_no_kernel(tmp_path: Path) -> None:
    root = course_of(tmp_path, test_cell("### AUTOTEST 1 / 0"))
    shutil.copy(APPS / "autotests.yml", root)
    with pytest.raises(CourseError, match="AUTOTEST raised ZeroDivisionError: division by zero"):
        built(root)
    marker = str(tmp_path)
    for _ in range(300):
        running = [p for p in Path("/proc").glob("[0-9]*/cwd") if _link(p).startswith(marker)]
        if not running:
            break
        time.sleep(0.1)
    assert not running


def test_an_autotest_without_its_templates_is_told_with_the_cell(tmp_path: Path) -> None:
    with pytest.raises(
        CourseError, match=r"cell \d+ \(.*\): an AUTOTEST needs autotests.yml, and there is none; put it"
    ):
        built(course_of(tmp_path, test_cell("### AUTOTEST 1 + 1")))


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"name": "python3"}, ""),
        ({"name": "deep-learning", "language": "python"}, "it asks for the kernel 'deep-learning', which only your"),
        ({"name": "julia-1.10"}, "it asks for the kernel 'julia-1.10'"),
        ({"name": ""}, "it names no kernel, so Jupyter may ask students for one; choose Python 3 (ipykernel)"),
    ],
)
def test_a_kernel_that_students_may_not_have_is_a_warning(tmp_path: Path, spec: dict, said: str) -> None:
    """The proof runs by Python's own kernel, whatever the notebook asks for."""
    warnings = check(built(course_of(tmp_path, ANSWER, TEST, kernelspec={"display_name": "Mine"} | spec)))
    assert [text for text in warnings if "kernel" in text and said in text] == warnings
    assert len(warnings) == bool(said)


@pytest.mark.parametrize("cells", [[TEST], [ANSWER]], ids=["tests", "no test"])
def test_another_language_can_not_be_examined(tmp_path: Path, cells: list[dict]) -> None:
    spec = {"name": "ir", "language": "R", "display_name": "R"}
    with pytest.raises(CourseError, match=r"nb\.ipynb: the notebook's language is 'R'; only Python can be examined"):
        built(course_of(tmp_path, *cells, kernelspec=spec))


def test_the_notebook_of_an_otter_courses_students_is_no_source(tmp_path: Path) -> None:
    tests = {"q1": {"name": "q1", "points": 1, "suites": []}}
    with pytest.raises(
        CourseError, match=r"nb\.ipynb: this is the notebook that students .* `autograder import-otter hw"
    ):
        built(course_of(tmp_path, cell("x = 1"), otter={"OK_FORMAT": True, "tests": tests}))


def test_points_must_add_up_to_what_the_course_promises(tmp_path: Path) -> None:
    root = course_of(tmp_path, ANSWER, TEST, course_yaml="course: x\nassignments: {hw: {points: 20}}\n")
    with pytest.raises(CourseError, match=r"promises 20 points for 'hw', but its cells add up to 2 \(nb 2\)"):
        built(root)


def test_a_notebook_in_which_nothing_has_points_is_a_warning(tmp_path: Path) -> None:
    (warning,) = check(built(course_of(tmp_path / "a", cell("x = 1"), cell("assert x == 1"))))
    assert warning.startswith("source/hw: no test and no answer has points, so nothing is graded; mark tests and")
    assert check(built(course_of(tmp_path / "b", ANSWER, TEST))) == []


WEIGHTS = "course: x\nassignments: {hw: {weights: {file: m.safetensors, into: net}}}\n"


def test_a_file_of_weights_goes_into_the_exam_and_needs_a_cell_that_trains(tmp_path: Path) -> None:
    trains = {**ANSWER, "metadata": {**ANSWER["metadata"], "tags": ["train"]}}
    release = built(course_of(tmp_path / "a", trains, TEST, course_yaml=WEIGHTS))
    assert release.notebooks[0].exam.weights == TrainedWeights("m.safetensors", "net")
    with pytest.raises(CourseError, match="tag the cell that trains"):
        built(course_of(tmp_path / "b", ANSWER, TEST, course_yaml=WEIGHTS))


def test_an_assignment_without_a_notebook_is_a_course_error(tmp_path: Path) -> None:
    (tmp_path / "source/hw").mkdir(parents=True)
    (tmp_path / "course.yaml").write_text("course: x\nassignments: {hw: }\n")
    with pytest.raises(CourseError, match="there is no notebook in it"):
        built(tmp_path)


# --- files ----------------------------------------------------------------------------------------------


def test_the_release_takes_files_along_and_leaves_hidden_ones(tmp_path: Path) -> None:
    root = course_of(
        tmp_path,
        ANSWER,
        TEST,
        course_yaml="course: x\nassignments: {hw: {files: [lib/kaggle_data.py, extra]}}\n",
    )
    for name in (
        "lib/kaggle_data.py",
        "extra/deep/a.txt",
        "source/hw/img/plot.png",
        "source/hw/hidden/holdout.npz",
        "source/hw/hidden/deep/x",
        "source/hw/__pycache__/a.pyc",
        "source/hw/.ipynb_checkpoints/nb-checkpoint.ipynb",
        "source/hw/img/solution.ipynb",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    assert set(contents(written(root))) == {"nb.ipynb", "kaggle_data.py", "extra/deep/a.txt", "img/plot.png"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s: (s / "a").symlink_to("/etc/hostname"), "a symbolic link that leads out of the course"),
        (lambda s: (s / "a").symlink_to(s / "hidden/h"), "a: lies in .* a hidden folder"),
        (
            lambda s: (s / "a").symlink_to(s / "../../.autograder/runs/a.run"),
            "a: lies in .autograder/, where grading stores",
        ),
        (lambda s: (s / "a").symlink_to(s / "hidden"), "a: lies in .* a hidden folder"),
        (lambda s: (s / "a").hardlink_to(s / "hidden/h"), "a: is a copy of source/hw/hidden/h"),
        (lambda s: shutil.copy(s / "hidden/h", s / "a"), "a: is a copy of source/hw/hidden/h"),
        (lambda s: os.mkfifo(s / "a"), "a: only regular files can be released"),
        (lambda s: (s / "kaggle_data.py").write_text(""), "kaggle_data.py: two files would go there"),
    ],
)
def test_nothing_hidden_or_foreign_gets_into_a_release(tmp_path: Path, make, message: str) -> None:
    root = course_of(tmp_path, ANSWER, TEST, course_yaml="course: x\nassignments: {hw: {files: [kaggle_data.py]}}\n")
    (root / "kaggle_data.py").write_text("")
    (root / "source/hw/hidden").mkdir()
    (root / "source/hw/hidden/h").write_text("labels")
    (root / ".autograder/runs").mkdir(parents=True)
    (root / ".autograder/runs/a.run").write_text("what another student's notebook made")
    make(root / "source/hw")
    with pytest.raises(CourseError, match=message):
        built(root)


def test_a_release_replaces_the_old_one_whole(tmp_path: Path) -> None:
    root = course_of(tmp_path, ANSWER, TEST)
    (written(root) / "stale.txt").write_text("old")
    assert set(contents(written(root))) == {"nb.ipynb"}
    assert [p.name for p in (root / "release").iterdir()] == ["hw"]


def test_a_release_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = course_of(tmp_path, ANSWER, TEST)
    before = contents(written(root))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (root / "source/hw/new.txt").write_text("new")
    monkeypatch.setattr(module.shutil, "copyfile", full)
    with pytest.raises(HostError, match="release/hw cannot be written"):
        written(root)
    assert contents(root / "release/hw") == before
    assert [p.name for p in (root / "release").iterdir()] == ["hw"]
