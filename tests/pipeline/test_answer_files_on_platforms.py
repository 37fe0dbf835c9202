"""Packages for platforms of an assignment whose answers stand in files: from the command to the results."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from helpers import platform_images
from helpers.answer_files import LAYERS, LOSSES, make_files_course, solved
from helpers.platform_images import Image

from autograder.cli import main
from autograder.extensions.platforms.platform_table import ARTEMIS, GRADESCOPE, PRAIRIELEARN, Platform
from autograder.extensions.platforms.submitted import take
from autograder.records.course import Course
from autograder.release.build import build, write
from autograder.submissions.members import SUBMISSION

TOLD = "Note: single files have no folders on {}: net/layers.py is found by the last name"
COMMANDS = {
    GRADESCOPE: (("gradescope", "hw"), "hw-gradescope.zip", TOLD.format("Gradescope")),
    PRAIRIELEARN: (
        ("prairielearn", "hw", "--image", "registry.example/dl:1"),
        "hw-prairielearn",
        TOLD.format("PrairieLearn"),
    ),
    ARTEMIS: (("artemis", "hw", "--timeout", "600"), "hw-artemis", ""),
}
WORK = {"net/layers.py": f"from . import own\n{solved(LAYERS)}", "net/own.py": "A = 1\n", "losses.py": solved(LOSSES)}
FLAT = {"layers.py": solved(LAYERS), "losses.py": solved(LOSSES).replace("** 2", "* 1")}


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = make_files_course(tmp_path_factory.mktemp("course"))
    write(made, made.assignments["hw"], build(made, made.assignments["hw"]))
    return made


@pytest.fixture(scope="module", params=COMMANDS, ids=lambda platform: platform.name)
def image(course: Course, request: pytest.FixtureRequest) -> Iterator[Image]:
    words, package, told = COMMANDS[request.param]
    done = CliRunner().invoke(main, [*words, "--course", str(course.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert told in done.output
    assert ("single files" in done.output) == bool(told)
    made = platform_images.built(course.root / package, request.param)
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


def share(platform: Platform, text: str) -> float:
    """Return the share of the points that a submission got."""
    if platform is ARTEMIS:
        cases = list(ET.fromstring(text).iter("testcase"))
        return sum(case.find("failure") is None for case in cases) / len(cases)
    tests = json.loads(text)["tests"]
    most = "max_score" if platform is GRADESCOPE else "max_points"
    return float(sum(test.get("score", test.get("points")) for test in tests) / sum(test[most] for test in tests))


@pytest.mark.sandbox
@pytest.mark.slow
def test_modules_are_graded_on_a_platform_with_and_without_their_folders(image: Image) -> None:
    """A folder with a module of the student's own gets all points; loose modules, one of them wrong, three quarters."""
    whole = image.run({f"work/{name}": content for name, content in WORK.items()})
    assert share(image.platform, whole.text_of_results) == 1, whole.text_of_results
    flat = image.run(FLAT)
    assert share(image.platform, flat.text_of_results) == 0.75, flat.text_of_results
    if image.platform is not ARTEMIS:  # passed tests have no message there
        assert "net/layers.py was found as layers.py" in flat.text_of_results
    nothing = image.run({"other.py": "x = 1\n"})
    asked = "No file that you were asked for is in this submission. Hand in losses.py and net/layers.py."
    assert asked in nothing.text_of_results + nothing.stdout


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_question_on_prairielearn_offers_the_files_and_requires_no_notebook(course: Course) -> None:
    words = [*COMMANDS[PRAIRIELEARN][0], "--course", str(course.root)]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    page = (course.root / "hw-prairielearn/question/question.html").read_text()
    assert '<pl-file-download file-name="net/layers.py">' in page
    assert '<pl-file-upload optional-file-patterns="*">' in page


@pytest.mark.parametrize("form", ["folder", "zip", "deep"])
def test_files_keep_their_folders_however_they_come(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "submission"
    files: Mapping[str, str | bytes] = {"folder": WORK, "zip": {"hw.zip": zipped({f"a/b/{n}": c for n, c in WORK.items()})}, "deep": {f"a/b/{n}": c for n, c in WORK.items()} | {"README.md": "x"}}[form]  # fmt: skip
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "work").mkdir()
    expected = ["nb.ipynb", "losses.py", "net/layers.py"]
    assert take(folder, "hw", expected, tmp_path / "work", tmp_path / "target", SUBMISSION) == ()
    taken = {path.relative_to(tmp_path / "target").as_posix() for path in (tmp_path / "target").rglob("*.py")}
    assert taken == set(WORK)
