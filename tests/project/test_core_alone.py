"""The core without the extensions: it grades, and says what to install for what it lacks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import yaml
from click.testing import CliRunner
from helpers.exams import exam_of
from helpers.lessons import IN_PYTORCH, ROOT, lesson_names
from helpers.tiny import submit, tiny_course

import autograder
from autograder import check
from autograder._util import registry
from autograder._util.kernel_side import family_modules
from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.errors import CourseError, HostError
from autograder.lint.exam_findings import findings
from autograder.models import RefusedModel, rebuild
from autograder.records.exam import Role
from autograder.release.formats import format_of
from autograder.results import gradebook

DISTRIBUTION = "nbexaminer"


OF_KERAS = ("keras", "networks", "sklearn")
"""The extensions that the lessons with Keras need."""


def asks_another_extension(lesson: str) -> bool:
    """A check or a model of another extension is in the lesson's tests."""
    source = (ROOT / "source" / lesson / f"{lesson}.ipynb").read_text(encoding="utf-8")
    registered = registry.names(registry.CHECKS)
    checks = set(re.findall(r"\bcheck\.(\w+)", source)).intersection(registered)
    asked = {registry.package(registry.CHECKS, word).removeprefix("autograder.extensions.") for word in checks}
    return lesson in IN_PYTORCH or not asked.issubset(OF_KERAS)


QUICKEST, *OTHERS = (name for name in lesson_names() if not asks_another_extension(name))


def own_entry_points(kept: Sequence[str]) -> str:
    """The text of entry_points.txt without what the extensions register, but for those that are kept."""
    text = metadata.distribution(DISTRIBUTION).read_text("entry_points.txt")
    assert text is not None
    assert "= autograder.extensions." in text
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.partition("autograder.extensions.")[2].split(".")[0] in ("", *kept))


HIDE_EXTENSIONS = """
import sys

class Hidden:
    def find_spec(name, path=None, target=None):
        if (name + ".").startswith("autograder.extensions.") and not (name + ".").startswith(KEPT):
            if KEPT and name == "autograder.extensions":
                return None
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden)
"""


@pytest.fixture
def core(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation that has no extensions: neither their modules nor their entry points."""
    return installation(tmp_path / "core")


@pytest.fixture
def core_and_keras(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation that has the extensions of models with Keras alone."""
    return installation(tmp_path / "core", OF_KERAS)


def installation(folder: Path, kept: Sequence[str] = ()) -> dict[str, str]:
    """Make the environment of an installation with these extensions.

    Sandboxes show the package as it is installed; a contract of import-linter holds that nothing inside imports one.
    """
    info = folder / f"{DISTRIBUTION}-{autograder.__version__}.dist-info"
    info.mkdir(parents=True)
    shown = tuple(f"autograder.extensions.{name}." for name in kept)
    (folder / "sitecustomize.py").write_text(f"KEPT = {shown}" + HIDE_EXTENSIONS)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {autograder.__version__}\n")
    (info / "entry_points.txt").write_text(own_entry_points(kept))
    return {**os.environ, "PYTHONPATH": str(folder)}


def python(core: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python away from the checkout, whose metadata it would find first."""
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=core["PYTHONPATH"], env=core, capture_output=True, text=True, check=False)


def run(core: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return python(core, "-m", "autograder", *map(str, arguments))


RUN_ALL = """
import json, sys
from autograder.cli import main

for words in json.loads(sys.argv[1]):
    if code := main(words, standalone_mode=False):
        sys.exit(code)
"""


def run_all(core: dict[str, str], *commands: list[str]) -> None:
    """Run commands one after the other in one process: each would take a second to import the kit."""
    done = python(core, "-c", RUN_ALL, json.dumps(commands))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.sandbox
@pytest.mark.integration
@pytest.mark.parametrize(
    "proof", [["--no-prove"], pytest.param([], marks=pytest.mark.slow)], ids=["unproved", "proved"]
)
def test_a_small_course_is_graded_and_reported(core: dict[str, str], tmp_path: Path, proof: list[str]) -> None:
    course = tiny_course(tmp_path / "course")
    submit(course, "ada")
    submit(course, "bob", "def double(x):\n    return 2")
    commands = (["release", "hw", *proof], ["grade", "hw", "--json", str(tmp_path / "grades.json")], ["feedback", "hw"])
    run_all(core, *([*command, "--course", str(course.root)] for command in commands))
    grades = json.loads((tmp_path / "grades.json").read_text())["grades"]
    scores = {grade["student"]: grade["score"] for grade in grades}
    assert scores["ada"] > scores["bob"]


def lesson_course(root: Path, lesson: str) -> Path:
    """The kit's own course with one lesson, without the keys of extensions; ada hands in the solution."""
    root.mkdir()
    for file in ROOT.glob("*.py"):
        shutil.copy(file, root)
    shutil.copytree(ROOT / "source" / lesson, root / "source" / lesson, ignore=shutil.ignore_patterns("hidden"))
    settings = yaml.safe_load((ROOT / "course.yaml").read_text(encoding="utf-8"))
    del settings["audit"]
    assignment = settings["assignments"][lesson]
    assignment.pop("audit", None)
    settings["assignments"] = {lesson: assignment}
    (root / "course.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    submitted = root / "submitted/ada" / lesson
    submitted.mkdir(parents=True)
    for file in (root / "source" / lesson).glob("*.*"):  # with the files that students write in
        shutil.copy(file, submitted)
    return root


@pytest.mark.sandbox
@pytest.mark.keras
@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("lesson", [QUICKEST, *OTHERS])
def test_a_lesson_is_released_and_its_solution_earns_all_that_tests_give(
    core_and_keras: dict[str, str], tmp_path: Path, lesson: str
) -> None:
    course = lesson_course(tmp_path / "course", lesson)
    for command in (["release", "--no-prove"], ["grade", "--json", tmp_path / "grades.json"]):
        done = run(core_and_keras, *command, lesson, "--course", course)
        assert done.returncode == 0, done.stdout + done.stderr
    (grade,) = json.loads((tmp_path / "grades.json").read_text())["grades"]
    assert {question["outcome"] for question in grade["questions"]} <= {"passed", "manual"}
    waiting = sum(q["max_score"] for q in grade["questions"] if q["outcome"] == "manual")
    assert grade["score"] + waiting == grade["max_score"] == 20


@pytest.mark.integration
def test_it_has_no_extensions(core: dict[str, str]) -> None:
    done = python(core, "-c", "import autograder.extensions.export")
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'autograder.extensions'"


@pytest.mark.integration
def test_its_help_has_the_cores_commands_alone(core: dict[str, str]) -> None:
    listed = run(core, "--help").stdout
    assert "  grade " in listed
    assert "  audit " not in listed
    refused = run(core, "audit", "hw")
    assert refused.returncode == 2
    assert "'audit' needs the extension trust, which is not installed: " in refused.stderr


@pytest.mark.integration
def test_test_files_say_what_to_install(core: dict[str, str], tmp_path: Path) -> None:
    """No exam is made without the tests that they have."""
    course = tiny_course(tmp_path / "course")
    (course.source("hw") / "tests").mkdir()
    (course.source("hw") / "tests/test_hw.py").write_text(
        "def test_double(student):\n    assert student.double(1) == 2"
    )
    done = run(core, "release", "hw", "--no-prove", "--course", course.root)
    assert done.returncode == 3
    assert "'pytest' needs the extension pytest_files, which is not installed" in done.stderr


@pytest.fixture
def no_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package registers anything, in this process."""
    monkeypatch.setattr(registry, "_registered", lambda group: {})


@pytest.mark.usefixtures("no_extensions")
def test_an_otter_notebook_says_what_to_install() -> None:
    notebook = nbformat.from_dict({"cells": [{"cell_type": "raw", "source": "# ASSIGNMENT CONFIG\nname: hw"}]})
    with pytest.raises(
        CourseError,
        match=r"source/hw/hw.ipynb: an otter notebook needs the extension otter, which is not installed: .*\[otter\]",
    ):
        format_of(notebook, "source/hw/hw.ipynb")


@pytest.mark.usefixtures("no_extensions")
def test_an_engine_that_is_not_installed_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text("course: x\nengine: {scheduler: tls://host:8786}\n")
    with pytest.raises(
        CourseError, match=r"the engine dask needs the extension cluster, which is not installed: .*\[cluster\]"
    ):
        load_course(tmp_path)


@pytest.mark.usefixtures("no_extensions")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--watch"], r"'watch' needs the extension watch, which is not installed: .*\[watch\]"),
        (["--scheduler", "tls://a:1"], r"'dask' needs the extension cluster, which is not installed: .*\[cluster\]"),
    ],
)
def test_an_option_of_an_extension_says_what_to_install(tmp_path: Path, options: list[str], said: str) -> None:
    course = tiny_course(tmp_path)
    done = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root), *options])
    assert done.exit_code == 3
    assert re.search(said, done.stderr)


@pytest.mark.usefixtures("no_extensions")
@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("learning_system: {kind: canvas, url: u, course: 1}\n", "lms"),
        ("audit: {caught: 0.9}\n", "trust"),
        ("assignments:\n  hw: {posted_to: 3}\n", "lms"),
    ],
)
def test_a_key_of_an_extension_that_is_not_installed_says_what_to_install(
    tmp_path: Path, text: str, extra: str
) -> None:
    (tmp_path / "source" / "hw").mkdir(parents=True)
    (tmp_path / "course.yaml").write_text(f"course: x\n{text}")
    with pytest.raises(CourseError, match=rf"needs the extension {extra}, which is not installed: .*\[{extra}\]"):
        load_course(tmp_path)


@pytest.mark.usefixtures("no_extensions")
@pytest.mark.parametrize(("word", "extra"), [("training_step", "training_steps"), ("loss", "networks")])
def test_a_check_of_an_extension_says_what_to_install(word: str, extra: str) -> None:
    """Where it is called, and before a release."""
    said = rf"check.{word} needs the extension {extra}, which is not installed"
    with pytest.raises(AttributeError, match=rf"{said}: .*\[{extra}\]"):
        getattr(check, word)(None, None, (1, 1))
    test = f"from autograder import check\ncheck.{word}(step, model, (1, 1))"
    refusals = map(str, findings(exam_of((Role.ANSWER, "model = step = 1"), (Role.TEST, test))))
    assert any(re.search(rf"{said}; .*\[{extra}\]", refusal) for refusal in refusals)


@pytest.mark.usefixtures("no_extensions")
def test_points_that_people_entered_are_not_left_out(tmp_path: Path) -> None:
    """A course without a gradebook needs nothing; one with a gradebook is not published without what reads it."""
    course = tiny_course(tmp_path)
    gradebook.load().record(course, (), ())
    course.gradebook.touch()
    said = r"gradebook.db needs the extension gradebook, which is not installed: .*\[gradebook\]"
    with pytest.raises(HostError, match=said):
        gradebook.load().with_manual_scores(course, ())


@pytest.mark.usefixtures("no_extensions")
def test_a_pytorch_module_says_what_to_install() -> None:
    """Nothing describes it; it can still be asked for predictions."""
    assert family_modules() == {}
    with pytest.raises(RefusedModel, match=r"A model of torch needs the extension pytorch.*\[pytorch\]") as refused:
        rebuild({"library": "torch"}, [])
    assert refused.value.kind_refused


def test_each_name_that_an_extension_registers_has_its_extra() -> None:
    """Without the extension, a message says what to install."""
    own = metadata.distribution(DISTRIBUTION).entry_points
    registered: dict[str, dict[str, str]] = {}
    for entry in own:
        if entry.value.startswith("autograder.extensions."):
            registered.setdefault(entry.group, {})[entry.name] = entry.value.split(".")[2]
    assert registry._EXTRAS == registered
