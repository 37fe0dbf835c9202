"""The page about learning systems: each command on it says what the page shows, from the roster to the grades."""

from __future__ import annotations

import contextlib
import re
import shlex
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.learning_systems import TOKEN, FakeCanvas, FakeMoodle, served
from helpers.tiny import Here, cell, grade_in_this_process, notebook

from autograder.cli.main import main
from autograder.extensions.lms.rest import TOKEN as VARIABLE

pytestmark = pytest.mark.integration
PROJECT = Path(__file__).resolve().parents[3]
PAGE = (PROJECT / "docs/how-to/learning-systems.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGE, re.M))
ROOT = "/courses/dl101"
"""The course's folder, as the pages have it."""
COURSE = {
    "course": "dl101",
    "assignments": {"ps1": {"title": "Problem set 1", "limits": {"cell_seconds": 20, "memory_mib": 512}}},
}
PEOPLE = {"ada": "Ada Lovelace", "bob": "Bob Babbage", "eve": "Eve Noether"}
ANSWERS = {"ada": "layers, loss = 3, 0.25", "bob": "layers, loss = 3, 0.5", "eve": "layers, loss = 2, 0.25"}
"""Worth 20, 12 and 8 of 20 points."""
UPLOADS = {
    "canvas": ("submissions.zip", "lovelaceada_1001_5001_ps1.ipynb babbagebob_1002_5002_ps1.ipynb "
               "noethereve_LATE_1003_5003_ps1-1.ipynb"),
    "moodle": ("DL101-Problem set 1-144.zip", *(f"{name}_{number}_assignsubmission_file_/ps1.ipynb"
               for number, name in enumerate(PEOPLE.values(), 101))),
    "blackboard": ("gradebook_DL101_Problem20set201.zip", *(f"Problem set 1_{who}_attempt_2026-01-31-17-0{n}-00_ps1.ipynb"
                   for n, who in enumerate(PEOPLE))),
    "brightspace": ("Problem set 1 Download.zip", *(f"90{n}-7{n} - {name} - Jan 31, 2026 50{n} PM/ps1.ipynb"
                    for n, name in enumerate(PEOPLE.values()))),
    "any other learning system": ("uploads.zip", "hw_0017_20260131.ipynb hw_0018_20260131.ipynb hw_0019_20260131.ipynb"),
}  # fmt: skip
"""Section → the download's name, and the names in it: Ada's, Bob's, Eve's."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    file: str
    text: str


def blocks(section: str) -> Iterator[Block]:
    text = SECTIONS[section.capitalize()]
    for indent, language, file, content in re.findall(
        r"^( *)```(\w+)(?: file=(\S+))?\n(.*?)^\1```$", text, re.M | re.S
    ):
        yield Block(language, file, re.sub(f"^{indent}", "", content, flags=re.M))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with an assignment of 20 points, as the current folder."""
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    root = tmp_path / "course"
    (root / "source/ps1").mkdir(parents=True)
    cells = [
        cell("### BEGIN SOLUTION\nlayers, loss = 3, 0.25\n### END SOLUTION", "network", solution=True),
        cell("assert layers == 3", "test-layers", grade=True, locked=True, points=12),
        cell("assert loss < 0.3", "test-loss", grade=True, locked=True, points=8),
    ]
    (root / "source/ps1/ps1.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(yaml.safe_dump(COURSE))
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "150")
    return root


def put_download(page: str, root: Path) -> None:
    """Make the zip that the learning system would give."""
    zip_name, *names = UPLOADS[page]
    members = " ".join(names).split(" ") if len(names) == 1 else names
    with zipfile.ZipFile(root / zip_name, "w") as packed:
        for name, answer in zip(members, ANSWERS.values(), strict=True):
            info = zipfile.ZipInfo(name, (2026, 1, 31, 17, 0, 0))
            packed.writestr(info, notebook(cell(answer, "network", solution=True)))


@contextlib.contextmanager
def learning_system(kind: str) -> Iterator[str]:
    """Serve the course of the page: three students, and 19 points that somebody gave to Bob; yields its address."""
    with served(FakeCanvas() if kind == "canvas" else FakeMoodle()) as fake:
        if isinstance(fake, FakeCanvas):
            fake.users = [
                {"id": n, "name": name, "sortable_name": ", ".join(reversed(name.split())), "login_id": who}
                for n, (who, name) in enumerate(PEOPLE.items(), 1001)
            ]
            fake.submissions = {u["id"]: {"user_id": u["id"], "score": None, "excused": False} for u in fake.users}
            fake.comments = {u["id"]: [] for u in fake.users}
            fake.submissions[1002]["score"] = 19.0
        else:
            fake.users = [
                {"id": n, "username": who, "email": f"{who}@uni.example", "fullname": name, "idnumber": f"s{n}"}
                for n, (who, name) in enumerate(PEOPLE.items(), 17)
            ]
            fake.grades[18] = "19.00000"
        yield fake.url


def said_by(command: str, root: Path) -> list[str]:
    """Run a command of the kit; returns what it prints, with the page's folder in place of the test's."""
    program, *words = shlex.split(command, comments=True)
    assert program == "autograder"
    done = CliRunner().invoke(main, words)
    assert done.exit_code in (0, 1), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    lines = done.output.replace(str(root), ROOT).splitlines()
    return [line.rstrip() for line in lines if "━" not in line]  # a bar of progress


def shown(text: str) -> list[tuple[str, list[str]]]:
    """Split a console block: each command, with the lines that it shows below."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


@pytest.mark.parametrize("page", UPLOADS)
def test_each_command_says_what_its_page_shows(page: str, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, TOKEN)
    put_download(page, course)
    compared = 0
    with contextlib.ExitStack() as stack:
        for block in blocks(page):
            if block.file:
                (course / block.file).write_text(block.text, encoding="utf-8")
            if block.language == "yaml":
                settings = yaml.safe_load(block.text)
                settings["learning_system"]["url"] = stack.enter_context(learning_system(page))
                settings["assignments"]["ps1"] |= COURSE["assignments"]["ps1"]
                (course / "course.yaml").write_text(yaml.safe_dump(settings))
            for command, lines in shown(block.text) if block.language == "console" else []:
                if " post " in command and not (course / "autograded").exists():
                    said_by("autograder grade ps1", course)
                said = said_by(command, course)
                if lines:
                    assert said == lines, command
                    compared += 1
    assert compared >= 3, "roster, submissions and grades are shown"


def test_the_messages_that_the_page_explains_are_the_kits() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "autograder").rglob("*.py"))
    of_moodle = {"Invalid token", "Access control exception"}
    seen = re.findall(r"^\| ([^|]+) \|", SECTIONS["When something goes wrong"], re.M)
    messages = [message for cell in seen for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) >= 20
    for message in messages:
        parts = {part.strip() for part in re.split(r"…|\d+|: |[“”]", message)} - {""}
        assert not [part for part in parts - of_moodle if part not in sources], message
