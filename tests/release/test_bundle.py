"""The bundle of a release: visible checks and handing in without an installation, and no way to a grade."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import TEST, YAML, grade_here, submit, tiny_course, tiny_release

from autograder._util import registry
from autograder.coordinator import batch
from autograder.errors import CourseError
from autograder.records.course import Course
from autograder.release.build import write

BUNDLED = YAML.replace("    title: Doubling\n", "    title: Doubling\n    student: bundle\n")
CHECKED = "from autograder import check\nprint(check.close(double(2), 4))\n" + TEST


def released(root: Path) -> tuple[Course, Path]:
    course = tiny_course(root, yaml=BUNDLED)
    write(course, course.assignments["hw"], tiny_release(course))
    return course, course.release("hw")


def python(folder: Path, *args: str, code: int = 0) -> str:
    """What a student's Python says in the folder of the notebook, with no package of ours installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, *args], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_only_a_course_that_asks_for_it_hands_it_out(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    write(course, course.assignments["hw"], tiny_release(course))
    assert [path.name for path in course.release("hw").iterdir()] == ["nb.ipynb"]


def test_the_bundle_is_no_file_that_grading_depends_on(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, yaml=BUNDLED)
    release = tiny_release(course)
    assert release.files == {}
    assert "autograder/check/__init__.py" in release.bundle
    assert not {
        place
        for place in release.bundle
        if place.split("/")[1] in ("grading", "examiner", "sandbox", "results", "_course")
    }


@pytest.mark.integration
def test_checks_and_submit_work_beside_the_notebook(tmp_path: Path) -> None:
    _, folder = released(tmp_path)
    program = (
        "import autograder; from autograder import check\n"
        "print(autograder.__file__); print(check.close([1.0], [1.0])); import autograder.aliases"
    )
    said = python(folder, "-c", program)
    assert str(folder / "autograder/__init__.py") in said
    assert "right" in said
    said = python(folder, "-m", "autograder", "submit", "nb.ipynb", "--student", "ada")
    assert "not yet   double" in said
    assert list(folder.glob("hw-ada-*.zip"))
    pack = "from autograder.submission import pack; from pathlib import Path; print(pack(Path('nb.ipynb'), student='bo').text())"
    assert "for       bo, hw" in python(folder, "-c", pack)


WITHOUT_METADATA = """
import sys
from importlib import metadata

def version(name):
    raise metadata.PackageNotFoundError(name)

metadata.entry_points, metadata.version = metadata.EntryPoints, version
from autograder import check
print(check.training_step, sys.modules["autograder.extensions"].__file__, check.curve([2.0, 1.0]))
"""


@pytest.mark.integration
def test_checks_of_extensions_lie_in_it(tmp_path: Path) -> None:
    _, folder = released(tmp_path)
    said = python(folder, "-c", WITHOUT_METADATA)
    assert str(folder / "autograder/extensions/__init__.py") in said
    assert "2 epochs" in said


OF_A_MODEL = """
import numpy as np
from autograder import check
from sklearn.linear_model import LogisticRegression

fitted = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
print(check.accuracy(fitted, on=(np.array([[0.0], [3.0]]), np.array([0, 1])), above=0.9))
"""


@pytest.mark.integration
def test_what_checks_know_of_models_lies_in_it(tmp_path: Path) -> None:
    """Each registered library is one of which a student may have imported a model."""
    _, folder = released(tmp_path)
    for extension in registry.own_extensions(registry.MODELS):
        assert (folder / f"autograder/extensions/{extension}/{extension}_family.py").is_file()
    assert "accuracy 1.0000" in python(folder, "-c", OF_A_MODEL)


@pytest.mark.integration
def test_a_notebook_is_tried_beside_the_bundle(tmp_path: Path) -> None:
    _, folder = released(tmp_path)
    said = python(folder, "-m", "autograder", "try", "nb.ipynb", "--plain", code=1)
    assert "test-double: NotImplementedError" in said


@pytest.mark.integration
@pytest.mark.parametrize("command", ["grade", "release", "report"])
def test_an_instructors_command_says_what_it_needs(command: str, tmp_path: Path) -> None:
    _, folder = released(tmp_path)
    said = python(folder, "-m", "autograder", command, "hw", code=3)
    assert "needs packages that students do not" in said
    assert "Traceback" not in said


def test_a_copy_that_was_handed_in_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checks would be content with anything; the grade is that of the kit's."""
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    course = tiny_course(tmp_path, yaml=BUNDLED, test=CHECKED)
    forged = "def close(*args, **options):\n    return 'right'\ndef __getattr__(name):\n    return close\n"
    for student, answer in (("honest", "return 2 * x"), ("forger", "return 0")):
        folder = submit(course, student, f"def double(x):\n    {answer}")
        for place in ("autograder/__init__.py", "autograder/check/__init__.py", "autograder.py", "mine.py"):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(forged)
    honest, forger = sorted(batch.plan(course, tiny_release(course)), key=lambda work: work.student, reverse=True)
    assert set(honest.files) == set(forger.files) == {"mine.py"}
    assert (grade_here(honest).score, grade_here(forger).score) == (2, 0)


def test_a_file_of_the_courses_in_its_place_is_refused(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, yaml=BUNDLED)
    (course.source("hw") / "autograder").mkdir()
    (course.source("hw") / "autograder/mine.py").write_text("")
    with pytest.raises(
        CourseError, match=r"release/hw/autograder/mine.py: with `student: bundle`, autograder/ is the kit's"
    ):
        tiny_release(course)


def test_the_notebook_is_the_same_with_and_without_it(tmp_path: Path) -> None:
    one, other = (tiny_course(tmp_path / name, yaml=text) for name, text in (("one", YAML), ("other", BUNDLED)))
    texts = [json.loads(tiny_release(course).notebooks[0].text) for course in (one, other)]
    for text in texts:
        for cell in text["cells"]:
            cell.pop("id", None)
    assert texts[0] == texts[1]
