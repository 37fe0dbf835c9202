"""The class of attackers, graded once by the real pipeline, and what the same notebooks get without the wall."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import attacks
import nbformat
import pytest
import questions
import unwalled
from attacks import ATTACKS, FULL, LONG, Attack
from helpers.pipeline import ASSIGNMENT, SOLUTIONS, Graded, grade, hand_in, make_course, release, seen_by_student

from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.records.exam import Exam, Role
from autograder.records.grade import NotebookGrade

START = os.environ.get("KERNELS", "warm")
"""How the class's kernels start: each of the attacks has to fail both ways."""


@dataclass(frozen=True)
class Class:
    """The graded class."""

    course: Course
    exam: Exam
    canaries: Mapping[str, str]
    done: Graded

    def right(self, name: str) -> dict[str, float]:
        """The points that the student is to get."""
        return {**FULL, **ATTACKS[name].student.points}

    def notebook(self, name: str) -> NotebookGrade:
        (notebook,) = self.done.grades[name].notebooks
        return notebook

    def shown(self, name: str) -> str:
        """Everything that the student gets to see."""
        return seen_by_student(self.course, name)

    def printed(self, name: str) -> str:
        """What the student's cells printed."""
        notebook = nbformat.read(self.course.autograded(name, ASSIGNMENT) / "numbers.ipynb", as_version=4)
        return "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))

    def told(self, name: str) -> Any:
        """The JSON that a student's cell printed behind ``TOLD``."""
        return json.loads(self.printed(name).split("TOLD", 1)[1].splitlines()[0])


class Host:
    """Sockets of this machine that nobody inside may reach."""

    def __init__(self) -> None:
        self.tcp, self.abstract = socket.socket(), socket.socket(socket.AF_UNIX)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for made in (self.tcp, self.udp):
            made.bind(("127.0.0.1", 0))
        self.abstract.bind(f"\0host-{os.getpid()}")
        for made in (self.tcp, self.abstract):
            made.listen()
        self.udp.setblocking(False)

    def told(self, source: str, name: str) -> str:
        """A cell with the sockets' places in it."""
        places = {
            "@TCP@": self.tcp.getsockname()[1],
            "@UDP@": self.udp.getsockname()[1],
            "@ABSTRACT@": f"\0host-{os.getpid()}",
            "@NAME@": name,
        }
        return functools.reduce(lambda text, key: text.replace(key, repr(places[key])), places, source)

    def heard(self) -> set[str]:
        """The names in the datagrams that arrived."""
        found = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                found.add(self.udp.recv(100).decode())
        return found

    def close(self) -> None:
        for made in (self.tcp, self.udp, self.abstract):
            made.close()


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.close()


@pytest.fixture(scope="session")
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, host: Host) -> Iterator[Class]:
    """The course released, the class handed in and graded by two workers."""
    root = tmp_path_factory.mktemp("class") / "course"
    root.mkdir()
    places = ("test", "solution", "data", "gradebook", "neighbour", "environment", "public")
    canaries = {place: f"canary-{place}-{secrets.token_hex(8)}" for place in places}
    os.environ["CLASS_SECRET"] = canaries["environment"]
    try:
        course = make_course(root, **{k: canaries[k] for k in ("test", "solution", "data", "public")})
        yaml = (root / "course.yaml").read_text()
        (root / "course.yaml").write_text("\n".join(
            f"limits: {attacks.LIMITS}" if line.startswith("limits:") else line for line in yaml.splitlines()
        ))  # fmt: skip
        course = load_course(root)
        (exam,) = release(course, proof=False)
        _remember(course, canaries["gradebook"])
        for name, attack in members(request.session.items):
            answers = {key: value and host.told(value, name) for key, value in attack.student.answers.items()}
            hand_in(course, name, replace(attack.student, answers=answers))
        (course.submitted("wrong", ASSIGNMENT) / "notes.txt").write_text(canaries["neighbour"])
        yield Class(course, exam, canaries, grade(course, "--workers", "2", "--start", START))
    finally:
        os.environ.pop("CLASS_SECRET", None)


def members(tests: list[pytest.Item]) -> list[tuple[str, Attack]]:
    """The class: the whole of it where a test that takes long was asked for."""
    whole = any(test.get_closest_marker("security") for test in tests)
    return [(name, attack) for name, attack in ATTACKS.items() if whole or name not in LONG]


def _remember(course: Course, word: str) -> None:
    from autograder.extensions.gradebook.database import opened

    with opened(course) as book:
        book.add_student("full", first_name=word)


@pytest.fixture(scope="session")
def unguarded(graded: Class) -> Callable[..., unwalled.Verdict]:
    """Grades a student's notebook as nbgrader does: the whole tests in the student's process."""
    folder = graded.course.root / "source" / ASSIGNMENT

    @functools.cache
    def all_of_them() -> dict[str, unwalled.Verdict]:
        names = [name for name, attack in ATTACKS.items() if attack.gains is not None]
        return unwalled.in_one_process({name: cells(graded.exam, name) for name in names}, folder)

    def one(name: str, *, released: bool = False) -> unwalled.Verdict:
        """With ``released`` the tests that students have, instead of the whole ones."""
        if ATTACKS[name].gains is not None and not released:
            return all_of_them()[name]
        return unwalled.in_one_process({name: cells(graded.exam, name, released=released)}, folder)[name]

    return one


def cells(exam: Exam, name: str, *, released: bool = False) -> list[tuple[str | None, str]]:
    """A student's notebook with its tests."""
    answers = {**SOLUTIONS, **ATTACKS[name].student.answers}
    made: list[tuple[str | None, str]] = []
    for cell in exam.cells:
        if cell.role is Role.TEST:
            made.append((cell.grade_id, cell.released if released else cell.source))
        elif cell.cell_type == "code":
            made.append((None, str(answers.get(str(cell.grade_id), cell.source))))
    return made


@pytest.fixture(scope="session")
def graded_sheet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., questions.Class]:
    """Gives the class of a sheet, by its name and the start of kernels; the SHEETS of all modules are graded at once."""
    modules = {id(test.getparent(pytest.Module)): test.getparent(pytest.Module) for test in request.session.items}
    sheets = {name: sheet for module in modules.values() for name, sheet in getattr(module.obj, "SHEETS", {}).items()}

    @functools.cache
    def classes(kernels: str) -> dict[str, questions.Class]:
        return questions.graded_classes(tmp_path_factory.mktemp("sheets") / "course", sheets, kernels=kernels)

    return lambda name, kernels="warm": classes(kernels)[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder that is no one's home."""
    made = tmp_path / "empty"
    made.mkdir()
    return made
