"""The same submissions by every way in: command line, door, Gradescope, PrairieLearn and Artemis give equal grades."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from helpers import platform_images
from helpers.doors import Door
from helpers.pipeline import ASSIGNMENT, Student, grade, hand_in, make_course, release
from helpers.platform_images import Image

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.extensions.platforms.platform_table import PLATFORMS
from autograder.records.course import Course

pytestmark = [pytest.mark.sandbox, pytest.mark.integration, pytest.mark.slow]

ANSWERS = {
    "ada": {},
    "bob": {"mean": "def mean(values):\n    return 2", "line": "line = np.zeros(2)"},
    "eve": {"squares": "squares = [1 / 0]", "rescale": "rescale = 'no function'"},
}
TIMES = ("wall_seconds", "cpu_seconds", "peak_memory_mib", "submitted_at", "graded_at")
ELSEWHERE = ("student", "sandbox", "dates", "content_keys", "versions")
"""What a platform has of its own: no name, its sandbox, no due dates, no keys of a cache, and fewer libraries."""
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "gradescope": (),
    "prairielearn": ("--image", "x"),
    "artemis": ("--timeout", "600"),
}
KEEPING = """#!{python} -I
import os, shutil, sys
from pathlib import Path
os.umask(0o077)
from autograder.extensions.platforms import program
from autograder.extensions.platforms.platform_table import PLATFORMS
read = program.result_json.read
def read_and_keep(path, details):
    shutil.copy(path, {kept!r})
    return read(path, details)
program.result_json.read = read_and_keep
program.main(PLATFORMS[sys.argv[-2]], Path(sys.argv[-1]))
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("ways")
    make_course(root)
    (root / "people.csv").write_text("".join(f"{line}\n" for line in ("id", *ANSWERS)))
    made = load_course(root)
    release(made, proof=False)
    return made


@pytest.fixture(scope="module")
def notebooks(course: Course) -> dict[str, bytes]:
    return {name: hand_in(course, name, Student(answers, {})).read_bytes() for name, answers in ANSWERS.items()}


@pytest.fixture(scope="module")
def by_command(course: Course, notebooks: dict[str, bytes]) -> dict[str, Any]:
    assert grade(course).exit_code == 0
    return {name: result(course, name) for name in ANSWERS}


def result(course: Course, student: str) -> Any:
    return json.loads((course.autograded(student, ASSIGNMENT) / "result.json").read_text())


def without(content: Any, *keys: str) -> Any:
    """The content without these keys, at every depth."""
    if isinstance(content, dict):
        return {key: without(value, *keys) for key, value in content.items() if key not in keys}
    return [without(each, *keys) for each in content] if isinstance(content, list) else content


@pytest.mark.usefixtures("by_command")
def test_the_command_line_tells_the_three_apart(course: Course) -> None:
    assert [result(course, name)["score"] for name in ANSWERS] == [8.0, 3.0, 5.0]


def test_the_door_grades_as_the_command_line_does(
    course: Course, notebooks: dict[str, bytes], by_command: dict[str, Any], tmp_path: Path
) -> None:
    for name in (".autograder", "release", "source", "course.yaml", "people.csv", "words.txt"):
        source = course.root / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("runs"))  # nothing is replayed
        else:
            shutil.copy(source, tmp_path / name)
    with Door.opened(tmp_path) as door:
        for name, content in notebooks.items():
            upload = SimpleUploadedFile("numbers.ipynb", content)
            assert door.visitor(name).post(f"/assignments/{ASSIGNMENT}/", {"file": upload}).status_code == 302
        door.work()
        graded = {name: result(door.course, name) for name in ANSWERS}
    keys = ("content_keys", "dates")
    assert without(graded, *TIMES, *keys) == without(by_command, *TIMES, *keys)
    for name in ANSWERS:  # the submission's key holds the time of its receipt
        keys_by_way = [way[name]["content_keys"] for way in (graded, by_command)]
        assert without(keys_by_way[0], "submission") == without(keys_by_way[1], "submission")


@pytest.fixture(scope="module", params=PLATFORMS)
def image(course: Course, request: pytest.FixtureRequest) -> Iterator[Image]:
    words = [request.param, ASSIGNMENT, *OPTIONS[request.param], "--course", str(course.root)]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    (package,) = course.root.glob(f"{ASSIGNMENT}-{request.param}*")
    made = platform_images.built(package, PLATFORMS[request.param])
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


def test_a_platform_grades_as_the_command_line_does(
    image: Image, notebooks: dict[str, bytes], by_command: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        kept, program = Path(folder) / "result.json", Path(folder) / "python"
        program.write_text(KEEPING.format(python=image.python, kept=str(kept)))
        program.chmod(0o755)
        for name, content in notebooks.items():
            ended = image.run({"numbers.ipynb": content}, environment={"AUTOGRADER_PYTHON": str(program)})
            assert ended.status == 0, ended.stdout
            graded = json.loads(kept.read_text())
            assert without(graded, *TIMES, *ELSEWHERE) == without(by_command[name], *TIMES, *ELSEWHERE)
            assert graded["versions"].items() <= by_command[name]["versions"].items()
            assert {book["sandbox"].split(",")[0] for book in graded["notebooks"]} == {"user"}
