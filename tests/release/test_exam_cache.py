"""Exams are made once, and anew when anything that they are made from has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.tiny import SOLUTION, TEST, YAML, tiny_course

from autograder.coordinator.assignment import load_release
from autograder.course.configuration import load_course
from autograder.records.course import Assignment, Course
from autograder.release import exam_cache
from autograder.release.build import build, write


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course(tmp_path)


def hw(course: Course) -> Assignment:
    return course.assignments["hw"]


def kept(course: Course) -> Path:
    return course.state / "exams/hw.json"


def test_a_kept_release_equals_the_one_that_was_built(course: Course) -> None:
    assert exam_cache.load(course, hw(course)) is None
    built = load_release(course, hw(course))
    assert built == build(course, hw(course))
    assert exam_cache.load(course, hw(course)) == built
    assert kept(course).stat().st_mode & 0o077 == 0  # hidden tests are in it


def test_releasing_keeps_the_exams(course: Course) -> None:
    built = build(course, hw(course))
    write(course, hw(course), built)
    assert exam_cache.load(course, hw(course)) == built


def test_a_batch_that_finds_its_exams_does_without_nbgraders_preprocessors(course: Course) -> None:
    load_release(course, hw(course))
    code = (
        "import sys\nfrom pathlib import Path\nfrom autograder.course.configuration import load_course\n"
        "from autograder.coordinator.assignment import load_release\n"
        "course = load_course(Path(sys.argv[1]))\nload_release(course, course.assignments['hw'])\n"
        "print([name for name in ('nbgrader', 'nbformat', 'numpy', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(course.root)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_each_source_is_read_once(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    load_release(course, hw(course))
    read: list[str] = []
    read_bytes = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    assert exam_cache.load(course, hw(course)) is not None
    assert [name for name in read if name.endswith(".ipynb")] == ["nb.ipynb"]


def _another_test(course: Course) -> None:
    tiny_course(course.root, test=TEST.replace("42", "42.0"))


def _another_header(course: Course) -> None:
    (course.root / "nbgrader_config.py").write_text("c.ClearSolutions.code_stub = {'python': 'pass'}\n")


def _another_notebook(course: Course) -> None:
    (course.source("hw") / "more.ipynb").write_bytes((course.source("hw") / "nb.ipynb").read_bytes())


def _another_module(course: Course) -> None:
    (course.root / "helpers.py").write_text("")


def _other_points(course: Course) -> None:
    (course.root / "course.yaml").write_text(YAML.replace("title: Doubling", "title: Doubling\n    points: 2"))


@pytest.mark.parametrize("change", [_another_test, _another_header, _another_notebook, _another_module, _other_points])
def test_what_an_exam_is_made_from_decides_whether_it_is_kept(
    course: Course, change: Callable[[Course], object]
) -> None:
    load_release(course, hw(course))
    change(course)
    course = load_course(course.root)
    assert exam_cache.load(course, hw(course)) is None


def test_a_header_of_nbgraders_is_part_of_it(course: Course) -> None:
    (course.root / "nbgrader_config.py").write_text("c.IncludeHeaderFooter.header = 'header.ipynb'\n")
    header = json.loads((course.source("hw") / "nb.ipynb").read_text())
    header["cells"] = header["cells"][:0]
    (course.root / "header.ipynb").write_text(json.dumps(header))
    load_release(course, hw(course))
    assert exam_cache.load(course, hw(course)) is not None
    header["metadata"]["changed"] = True
    (course.root / "header.ipynb").write_text(json.dumps(header))
    assert exam_cache.load(course, hw(course)) is None


def test_names_behind_a_star_are_read_again_wherever_the_module_lies(course: Course) -> None:
    solution = "from kit.tools import *\n" + SOLUTION
    tiny_course(course.root, solution=solution)
    module = course.root / "kit/tools.py"
    module.parent.mkdir()
    module.write_text("def triple(x): return 3 * x\n")
    load_release(course, hw(course))
    assert exam_cache.load(course, hw(course)) is not None
    module.write_text("def half(x): return x / 2\n")
    assert exam_cache.load(course, hw(course)) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": 1}', "null"])
def test_a_damaged_file_is_no_file(course: Course, content: str) -> None:
    built = load_release(course, hw(course))
    kept(course).write_text(content)
    assert exam_cache.load(course, hw(course)) is None
    assert load_release(course, hw(course)) == built
    assert exam_cache.load(course, hw(course)) == built


def test_a_damaged_exam_with_the_right_key_is_no_exam(course: Course) -> None:
    load_release(course, hw(course))
    found = json.loads(kept(course).read_text())
    del found["notebooks"][0]["exam"]["cells"][0]["role"]
    kept(course).write_text(json.dumps(found))
    assert exam_cache.load(course, hw(course)) is None


def test_a_notebook_that_is_run_to_make_its_tests_is_not_kept(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nbgrader's AUTOTEST gives depends on more than the notebook."""
    built = build(course, hw(course))
    path = course.source("hw") / "nb.ipynb"
    path.write_text(path.read_text().replace("assert double(1) == 2", "### AUTOTEST double(1)"))
    exam_cache.save(course, hw(course), built)
    assert not kept(course).exists()


def test_where_nothing_can_be_written_grading_goes_on(course: Course) -> None:
    course.state.mkdir(exist_ok=True)
    (course.state / "exams").write_text("in the way")
    assert load_release(course, hw(course)) == build(course, hw(course))


def test_files_of_the_release_are_looked_up_each_time(course: Course) -> None:
    load_release(course, hw(course))
    (course.source("hw") / "data.csv").write_text("1,2")
    found = exam_cache.load(course, hw(course))
    assert found is not None
    assert set(found.files) == {"data.csv"}
