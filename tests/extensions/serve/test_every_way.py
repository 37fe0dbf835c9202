"""The same submissions by every way in give equal grades.

By command line, form, JupyterHub, learning system, Gradescope, PrairieLearn and Artemis. SUBMISSIONS=40 takes so many
instead of three, in a quarter of an hour on two cores.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from helpers import lti_platform, platform_images
from helpers.doors import Door
from helpers.hubs import Hub, answering, plugin, served, user
from helpers.lti_platform import LearningSystem
from helpers.pipeline import ASSIGNMENT, Student, grade, hand_in, make_course, release
from helpers.platform_images import Image

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.extensions.platforms.platform_table import PLATFORMS
from autograder.records.course import Course

pytestmark = [pytest.mark.sandbox, pytest.mark.integration, pytest.mark.slow]

KNOWN: Mapping[str, Mapping[str, str]] = {
    "ada": {},
    "bob": {"mean": "def mean(values):\n    return 2", "line": "line = np.zeros(2)"},
    "eve": {"squares": "squares = [1 / 0]", "rescale": "rescale = 'no function'"},
}
WRONG = {
    "mean": ("def mean(values):\n    return values[0]", "def mean(values):\n    raise ValueError(len(values))"),
    "squares": ("squares = [n * n for n in range(4)]", "squares = undefined"),
    "line": ("line = np.array([1.0, 3.0])", "line = [3, 1]"),
    "rescale": ("def rescale(values):\n    return values", "rescale = None"),
}


def answers(number: int) -> dict[str, str]:
    """Answers of one of many students: each question right, or wrong in one of two ways."""
    kinds = {name: number // 3**place % 3 for place, name in enumerate(WRONG)}
    return {name: WRONG[name][kind - 1] for name, kind in kinds.items() if kind}


NUMBER = int(os.environ.get("SUBMISSIONS", "3"))
ANSWERS = {**KNOWN, **{f"s{number:02}": answers(number) for number in range(len(KNOWN), NUMBER)}}
TIMES = (
    *("wall_seconds", "own_seconds", "cpu_seconds", "answer_seconds", "test_seconds"),
    *("peak_memory_mib", "submitted_at", "graded_at", "times"),
)
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
    (root / "people.csv").write_text("".join(f"{line}\n" for line in ("id,lti_id", *(f"{n},{n}" for n in ANSWERS))))
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
    assert [result(course, name)["score"] for name in KNOWN] == [8.0, 3.0, 5.0]


@pytest.fixture
def door(course: Course, tmp_path: Path) -> Iterator[Door]:
    """A door to a copy of the course in which nothing is handed in; all its ways are open."""
    root = tmp_path / "course"
    root.mkdir()
    for name in (".autograder", "release", "source", "people.csv", "words.txt"):
        source = course.root / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("runs"))  # nothing is replayed
        else:
            shutil.copy(source, root / name)
    hub = Hub()
    hub.users = {f"t-{name}": user(name) for name in ANSWERS}
    cache.clear()
    with answering(hub) as address:
        settings = lti_platform.YAML.replace("{staff", f"{{hub: {address}/hub/api, staff")
        (root / "course.yaml").write_text((course.root / "course.yaml").read_text() + settings)
        with Door.opened(root) as opened:
            yield opened


def by_form(door: Door, name: str, content: bytes) -> None:
    _send(door.visitor(name), content)


def by_learning_system(door: Door, name: str, content: bytes) -> None:
    browser, custom = door.visitor(), {f"{lti_platform.CLAIM}custom": {"assignment": ASSIGNMENT}}
    system = LearningSystem()
    with system.answering():
        assert system.launch(browser, sub=name, **custom)["Location"] == f"/assignments/{ASSIGNMENT}/"
    _send(browser, content)


def by_hub(door: Door, name: str, content: bytes) -> None:
    home = door.root.parent / name
    with served() as address, mock.patch.dict(os.environ, JUPYTERHUB_API_TOKEN=f"t-{name}"):
        plugin("FetchAssignment", address, home, ASSIGNMENT).start()
        (home / ASSIGNMENT / "numbers.ipynb").write_bytes(content)
        plugin("Submit", address, home, ASSIGNMENT).start()


def _send(browser: Any, content: bytes) -> None:
    upload = SimpleUploadedFile("numbers.ipynb", content)
    assert browser.post(f"/assignments/{ASSIGNMENT}/", {"file": upload}).status_code == 302


@pytest.mark.parametrize("hand_in_by", [by_form, by_hub, by_learning_system])
def test_the_door_grades_as_the_command_line_does(
    door: Door,
    notebooks: dict[str, bytes],
    by_command: dict[str, Any],
    hand_in_by: Callable[[Door, str, bytes], None],
) -> None:
    for name, content in notebooks.items():
        hand_in_by(door, name, content)
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
            waits = any(q["needs_manual_grade"] for q in by_command[name]["questions"] if q["id"] != "essay")
            is_held_back = waits and image.platform.name == "artemis"  # its tests pass or fail, and wait for nobody
            assert ended.status == int(is_held_back), ended.stdout
            graded = json.loads(kept.read_text())
            assert without(graded, *TIMES, *ELSEWHERE) == without(by_command[name], *TIMES, *ELSEWHERE)
            assert graded["versions"].items() <= by_command[name]["versions"].items()
            assert {book["sandbox"].split(",")[0] for book in graded["notebooks"]} == {"user"}
