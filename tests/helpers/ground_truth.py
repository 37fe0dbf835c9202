"""Assignments with planted faults: answers of known worth, and tests that are weak, strict or strong.

Each file of ``extensions/trust/assignments`` is one assignment, in sections that begin with ``==``. Its truth is plain
Python that raises an error after a wrong answer. Answers are parted by ``--``. A test's heading names its fault: the
words, as a pattern, that an audit should find.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import signal
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

FOLDER = Path(__file__).parents[1] / "extensions/trust/assignments"
SECONDS = 60.0
"""Limit of one answer; those that train a network need several."""


@dataclass(frozen=True)
class PlantedTest:
    """A test cell of known kind."""

    kind: str
    """``weak``, ``strict`` or ``strong``."""
    fault: str
    """Pattern of the words that name its fault."""
    source: str


@dataclass(frozen=True)
class PlantedAssignment:
    """An assignment of one answer, with several tests to choose from."""

    name: str
    task: str
    given: str
    solution: str
    truth: str
    tests: tuple[PlantedTest, ...]
    wrong: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def is_network(self) -> bool:
        """Whether it trains a network."""
        return "import keras" in self.given

    def is_right(self, answer: str) -> bool:
        """Tell by its truth whether an answer is right."""
        return holds(self.given, answer, self.truth)

    def passes(self, answer: str, test: PlantedTest) -> bool:
        """Tell whether a test spares an answer, in plain Python."""
        return holds(self.given, answer, test.source)


def assignments(folder: Path = FOLDER) -> list[PlantedAssignment]:
    """Read all assignments."""
    return [_read(path) for path in sorted(folder.glob("*.txt"))]


def _read(path: Path) -> PlantedAssignment:
    parts = re.split(r"^== (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    sections = [(title, text.strip("\n")) for title, text in zip(parts[::2], parts[1::2], strict=True)]
    texts = dict(sections)
    tests = [PlantedTest(*_kind(title), text) for title, text in sections if title.startswith("test ")]
    wrong, right = (tuple(texts[name].split("\n--\n")) for name in ("wrong", "right"))
    return PlantedAssignment(
        path.stem, texts["task"], texts["given"], texts["solution"], texts["truth"], tuple(tests), wrong, right
    )


def _kind(title: str) -> tuple[str, str]:
    kind, _, fault = title.removeprefix("test ").partition(": ")
    return kind, fault


def holds(*sources: str) -> bool:
    """Execute sources one after the other in one namespace; tell whether all of them ran to their end."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    quiet = io.StringIO()
    with warnings.catch_warnings(), _limited(), contextlib.redirect_stdout(quiet):
        warnings.simplefilter("ignore")
        try:
            for source in sources:
                exec(compile(ast.parse(source), "<answer>", "exec", dont_inherit=True), namespace)
        except Exception:
            return False
    return True


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def expire(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
