"""What students do works on Windows and macOS, with the base dependencies alone; the rest says where it works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import click
import foreign_systems
import pytest
from helpers.commands import commands
from helpers.grids import each_once, first_of_each

from autograder._util.libraries import with_extra
from autograder.cli import main
from autograder.records.course import Assignment, Course
from autograder.submission import CollectStatus, collect

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "release/keras-fully-connected"
NAME = RELEASE.name
SYSTEMS = ("Windows", "Darwin")

EXTRA = """\
import helpers
from pathlib import Path

table = Path("data/train.csv").read_text()
once_more = "DATA/train.csv", "ps1:hidden.csv", "train.csv.", "con", "nul", "linked.csv"
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A student's copy of a release: one answer written, further files beside it, saved by an editor of Windows."""
    folder = tmp_path / "Übungen (neu)" / NAME
    shutil.copytree(RELEASE, folder)
    (folder / "data").mkdir()
    (folder / "data/train.csv").write_bytes(b"x,y\r\n1,2\r\n")
    (folder / "helpers.py").write_bytes("# naïve\r\nhelp = 1\r\n".encode())
    (folder / "train.csv.").write_text("another name on Linux, the same on Windows", encoding="utf-8")
    (folder / "ps1:hidden.csv").write_text("no name on Windows", encoding="utf-8")
    (folder / "linked.csv").symlink_to(folder / "data/train.csv")
    path = folder / f"{NAME}.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    answer_cell(content, "count-parameters")["source"] = "def count_parameters(sizes):\n    return 0  # größer"
    content["cells"].append(
        {"cell_type": "code", "id": "extra", "metadata": {}, "source": EXTRA, "outputs": [], "execution_count": None}
    )
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    return path


def answer_cell(content: dict[str, Any], grade_id: str) -> dict[str, Any]:
    return next(c for c in content["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


# --- the command line ---------------------------------------------------------------------------------


@pytest.mark.parametrize("system", SYSTEMS)
def test_help_of_every_command_is_shown(system: str, tmp_path: Path) -> None:
    """On a console with few characters, too."""
    program = (
        "from autograder.cli import main\n"
        "import click\n"
        "for name in ['', *main.list_commands(click.Context(main))]:\n"
        "    main([*filter(None, [name]), '--help'], standalone_mode=False)"
    )
    code, said, errors = foreign_systems.run(system, program, cwd=tmp_path, encoding="cp437")
    assert (code, errors) == (0, "")
    assert said.count("Usage:") == 1 + len(main.list_commands(click.Context(main)))


COMMANDS = {
    "release": ["release", "a"],
    "collect": ["collect", "a", "."],
    "grade": ["grade", "a"],
    "feedback": ["feedback", "a"],
    "report": ["report", "a"],
    "export": ["export"],
    "import-otter": ["import-otter", "a", "a.zip", "a.ipynb"],
    "demo": ["demo"],
    "attempts": ["attempts", "s", "a"],
    "audit": ["audit", "a"],
    "bundle": ["bundle", "s", "a"],
    "calibrate": ["calibrate", "a"],
    "artemis": ["artemis", "a"],
    "gradescope": ["gradescope", "a"],
    "prairielearn": ["prairielearn", "a", "--image", "x"],
    "import": ["import", "."],
    "init": ["init", "a", "--numpy"],
    "lint": ["lint"],
    "new": ["new", "a"],
    "people": ["people"],
    "post": ["post", "a"],
    "questions": ["questions", "a"],
    "replay": ["replay", "a"],
    "review": ["review", "a"],
    "schema": ["schema"],
    "second-look": ["second-look"],
    "serve": ["serve"],
    "similar": ["similar", "a"],
    "why": ["why", "s", "a"],
}
RUN_EACH = r"""
import json
from click.testing import CliRunner
from autograder.cli import main

runs = {}
for name, args in json.loads(sys.argv[1]).items():
    done = CliRunner().invoke(main, args, prog_name="autograder")
    runs[name] = done.exit_code, done.stdout, done.stderr
print(json.dumps(runs))
"""


def test_every_command_but_the_students_is_in_the_table() -> None:
    assert set(COMMANDS) == set(commands()) - {"submit", "try", "doctor"}


@pytest.mark.parametrize(
    ("system", "there", "refused"), [("Windows", "Windows", list(COMMANDS)), ("Darwin", "macOS", ["grade", "demo"])]
)
def test_an_instructors_command_says_what_it_needs(system: str, there: str, refused: list[str], tmp_path: Path) -> None:
    """In one sentence, with exit code 3, and nothing is made."""
    asked = json.dumps({name: COMMANDS[name] for name in refused})
    code, said, errors = foreign_systems.run(system, RUN_EACH, asked, cwd=tmp_path)
    assert (code, errors) == (0, "")
    for name, (exit_code, output, error) in json.loads(said).items():
        assert (exit_code, output) == (3, "")
        assert error.startswith(f"error: `autograder {name}` needs Linux")
        assert f"and this is {there}; `autograder doctor` says how to get a Linux machine" in error
        assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("system", "way"), [("Windows", "wsl --install"), ("Darwin", "limactl start")])
def test_the_doctor_says_how_to_get_linux(system: str, way: str, tmp_path: Path) -> None:
    code, said, errors = foreign_systems.autograder(system, "doctor", cwd=tmp_path, encoding="utf-8")
    assert (code, "Traceback" in errors) == (3, False)
    assert way in said


# --- handing in ---------------------------------------------------------------------------------------


CONSOLES = [("Windows", "cp437"), ("Windows", "cp1252"), ("Windows", "utf-8"), ("Darwin", "utf-8")]


@pytest.mark.parametrize(("system", "encoding"), first_of_each(CONSOLES, key=lambda row: row[0]))
def test_a_package_is_made_and_its_receipt_is_shown(system: str, encoding: str, work: Path, tmp_path: Path) -> None:
    """The student's name has characters that the console has not; answers are told in spite of newlines and marks."""
    code, said, errors = foreign_systems.autograder(
        system, "submit", work, "--student", "Łucja", "--release", RELEASE, cwd=tmp_path, encoding=encoding
    )
    assert (code, errors) == (0, "")
    assert "answered  1 of 3" in said
    assert "not yet   build-model, explain" in said
    assert ("Łucja" if encoding == "utf-8" else r"\u0141ucja") in said
    [path] = work.parent.glob("*.zip")
    packed = members(path)
    manifest = json.loads(packed.pop("submission.json"))
    expected = {f"{NAME}.ipynb", "data/train.csv", "helpers.py"}
    if system == "Darwin":  # names that only Windows has not
        expected |= {"ps1:hidden.csv", "train.csv."}
    assert set(packed) == set(manifest["sha256"]) == expected
    assert (manifest["student"], manifest["assignment"]) == ("Łucja", NAME)
    assert packed["data/train.csv"] == b"x,y\r\n1,2\r\n"


def test_a_notebook_is_tried_in_a_plain_kernel(tmp_path: Path) -> None:
    """macOS has no sandbox: the result says so."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1", "outputs": [], "execution_count": None}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    (tmp_path / "ps1.ipynb").write_text(json.dumps(content))
    code, said, errors = foreign_systems.autograder("Darwin", "try", "ps1.ipynb", cwd=tmp_path, encoding="utf-8")
    assert (code, "Traceback" in errors) == (0, False), errors
    assert "in a fresh kernel without a sandbox" in said
    assert "ran       1 of 1 code cells" in said


PRINTS = "words = 'größer ✓'\nprint(words)\nopen('a.txt', 'w', encoding='utf-8').write(words)\nnumber = 2"
TESTED = """\
from autograder import check

def test_number(student):
    check.close(student.number, 2)
    assert student.words == 'größer ✓'
"""


def printing(tmp_path: Path) -> None:
    """A notebook that prints what consoles of Windows cannot show, and its test file."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": PRINTS, "outputs": [], "execution_count": None}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    (tmp_path / "ps1.ipynb").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "test_ps1.py").write_text(TESTED, encoding="utf-8")


def test_test_files_run_on_a_notebook(tmp_path: Path) -> None:
    """With `-s`, on a console with few characters: what the notebook prints does not stop it."""
    printing(tmp_path)
    options = ["-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--notebook", "ps1.ipynb", "test_ps1.py"]
    program = "import pytest\nsys.exit(pytest.main(sys.argv[1:]))"
    code, said, _ = foreign_systems.run("Windows", program, *options, cwd=tmp_path, encoding="cp1252")
    assert (code, "raises" in said) == (0, False), said
    assert "größer ok" in said


IN_THIS_PROCESS = f"""
import shutil
shutil._use_fd_functions = False
sys.path.insert(0, {str(ROOT / "tests")!r})
from helpers.kernels import InProcessKernel
from autograder.cli import main
from autograder.execution import rehearsal
rehearsal.plainly = lambda folder, limits: InProcessKernel()
main(["try", "ps1.ipynb"])
"""


def test_a_notebook_is_tried_on_windows(tmp_path: Path) -> None:
    """All but Jupyter's own start of a kernel, which has another way there."""
    printing(tmp_path)
    code, said, errors = foreign_systems.run("Windows", IN_THIS_PROCESS, cwd=tmp_path, encoding="cp1252")
    assert (code, "Traceback" in errors) == (0, False), errors
    assert "ran       1 of 1 code cells" in said


@pytest.mark.parametrize("system", ["Windows", pytest.param("Darwin", marks=pytest.mark.slow)])
def test_what_is_packed_elsewhere_is_collected_on_linux(system: str, work: Path, tmp_path: Path) -> None:
    code, _, errors = foreign_systems.autograder(
        system, "submit", work, "--student", "ada", "--release", RELEASE, "--out", tmp_path / "out", cwd=tmp_path
    )
    assert code == 0, errors
    course = Course(tmp_path / "course", "course", "Course", {NAME: Assignment(NAME, NAME)})
    shutil.copytree(RELEASE, course.root / "release" / NAME)
    [collected] = collect(course, NAME, tmp_path / "out")
    assert (collected.status, collected.student, collected.reason) == (CollectStatus.COLLECTED, "ada", "")
    there = course.submitted("ada", NAME)
    assert (there / f"{NAME}.ipynb").read_bytes() == work.read_bytes()
    assert (there / "data/train.csv").is_file()
    assert (there / "helpers.py").is_file()


def test_the_package_is_the_same_on_every_system(work: Path, tmp_path: Path) -> None:
    """To the byte, for the same files and time."""
    for name in ("train.csv.", "ps1:hidden.csv"):
        (work.parent / name).unlink()
    program = (
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from autograder.submission import pack\n"
        "moment = datetime(2026, 1, 30, 12, tzinfo=UTC)\n"
        "print(pack(Path(sys.argv[1]), student='ada', now=moment, out=Path(sys.argv[2])).sha256)"
    )
    said = {foreign_systems.run(s, program, work, tmp_path / s, cwd=tmp_path)[1] for s in SYSTEMS}
    said.add(
        subprocess.run(
            [sys.executable, "-c", f"import sys\n{program}", work, tmp_path / "Linux"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
    )
    assert len(said) == 1


def test_what_can_not_be_packed_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ps1.ipynb").write_bytes("{}".encode("utf-16"))
    code, _, errors = foreign_systems.autograder(
        "Windows", "submit", "ps1.ipynb", "--student", "ada", cwd=tmp_path, encoding="cp1252"
    )
    assert code == 1
    assert errors.startswith("error: ps1.ipynb is not JSON")
    code, _, errors = foreign_systems.autograder(
        "Windows", "submit", "ps1.ipynb", "--student", "a:b", cwd=tmp_path, encoding="cp1252"
    )
    assert code == 1
    assert "cannot be a student's name" in errors


# --- visible checks -----------------------------------------------------------------------------------

CHECKS = r"""
from autograder import check
import numpy as np

def squares(numbers):
    return np.asarray(numbers) ** 2

def predict(X):
    return np.stack([1 - X[:, 0], X[:, 0]], axis=1)

X, y = np.array([[0.1], [0.9], [0.8], [0.3]]), np.array([0, 1, 1, 0])
print(check.close(squares([1, 2]), [1, 4]))
print(check.function(squares, [(([3],), np.array([9]))]))
print(check.accuracy(predict, on=(X, y), above=0.9))
print(check.loss(predict, on=(X, y), below=0.5))
print(check.report("words", 0.5, "5 of 10 words are found → more"))
for wrong in (
    lambda: check.close(np.zeros((2, 3)), np.zeros((3, 2))),
    lambda: check.accuracy(predict, on=(X, 1 - y), above=0.9),
    lambda: check.parameters(predict, at_most=10),
):
    try:
        wrong()
    except AssertionError as error:
        sys.stdout.reconfigure(errors="backslashreplace")
        print("AssertionError:", error)
"""


@pytest.mark.parametrize(("system", "encoding"), each_once(SYSTEMS, ["cp1252", "utf-8"]))
def test_visible_checks_say_their_verdicts(system: str, encoding: str, tmp_path: Path) -> None:
    """Values, shapes, functions, and the loss and accuracy of a NumPy answer, without Keras."""
    mark = "✓" if encoding == "utf-8" else "ok"
    code, said, errors = foreign_systems.run(system, CHECKS, cwd=tmp_path, encoding=encoding)
    assert (code, errors) == (0, "")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[:4]] == [mark] * 4
    assert sum(line.startswith("AssertionError:") for line in lines) == 3
    assert "(2, 3)" in said


def test_aliases_and_checks_import_nothing_beyond_the_base() -> None:
    """What a notebook imports needs no package of graders', nor one that takes long."""
    code = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        "from autograder import aliases, check\n"
        "from autograder.submission import pack\n"
        "print(json.dumps(sorted({n.split('.')[0] for n in set(sys.modules) - before})))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    imported = set(json.loads(said.stdout))
    ours = {name for name in imported - set(sys.stdlib_module_names) if not name.startswith("_sysconfigdata")}
    assert ours <= {"autograder", "click", "nbformat", "numpy"}


# --- the base dependencies ----------------------------------------------------------------------------

BASE_ALONE = r"""
import importlib.abc, re, sys
from importlib import metadata

PROJECT = ["click", "nbformat", "numpy"]

def with_what_they_need(names):
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found.add(name)
            try:
                needed = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
            waiting += [re.match(r"[\w.-]+", line)[0] for line in needed if "extra ==" not in line]
    return found

BASE = with_what_they_need(PROJECT)

class OnlyBase(importlib.abc.MetaPathFinder):
    installed = metadata.packages_distributions()

    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        owners = {re.sub(r"[-_.]+", "-", owner).lower() for owner in self.installed.get(top, [])}
        if owners and not owners & (BASE | {"nbexaminer"}):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyBase())
import importlib.util
_find_spec = importlib.util.find_spec
def find_spec(name, package=None):
    try:
        return _find_spec(name, package)
    except ModuleNotFoundError:
        return None
importlib.util.find_spec = find_spec
"""


def base_alone(program: str, *args: str | Path, cwd: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", BASE_ALONE + program, *map(str, args)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_base_dependencies_are_those_of_this_test() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=]", line)[0] for line in project["dependencies"]]
    assert f"PROJECT = {json.dumps(names)}" in BASE_ALONE


def test_the_base_dependencies_are_enough_for_students(work: Path, tmp_path: Path) -> None:
    code, said, errors = base_alone(CHECKS, cwd=tmp_path)
    assert (code, errors) == (0, "")
    submit = "from autograder.cli import main\nmain(sys.argv[1:])"
    code, said, errors = base_alone(submit, "submit", work, "--student", "ada", "--release", RELEASE, cwd=tmp_path)
    assert (code, errors) == (0, "")
    assert "answered  1 of 3" in said


def test_an_instructors_command_says_which_packages_are_missing(tmp_path: Path) -> None:
    asked = {**COMMANDS, "doctor": ["doctor", "--course", "."]}
    code, said, errors = base_alone(RUN_EACH, json.dumps(asked), cwd=tmp_path)
    assert (code, errors) == (0, "")
    for name, (exit_code, _, error) in json.loads(said).items():
        assert exit_code == 3
        assert error == (f"error: `autograder {name}` needs packages that students do not: {with_extra('grade')}\n")
