"""A course that needs nothing but Python, and a class of whom each always gets the same grade."""

from __future__ import annotations

from pathlib import Path

from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course
from autograder.records.course import Course

YAML = """\
course: interrupted
assignments:
  hw:
    title: Small functions
    due: 2030-01-10
    late: {kind: per_day, per_day: 0.1}
    limits: {cell_seconds: 4, notebook_seconds: 60, memory_mib: 256, processes: 32, disk_mib: 8, output_mib: 1}
"""
QUESTIONS = {
    "double": (
        "def double(x):\n    return 2 * x",
        "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS",
        2,
    ),
    "words": (
        "words = sorted('a word is a word'.split())",
        "assert len(words) == 5\n### BEGIN HIDDEN TESTS\n"
        "(words.count('a') == 2) + (words == ['a', 'a', 'is', 'word', 'word'])\n### END HIDDEN TESTS",
        2,
    ),
    "stack": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, x):\n"
        "        self.items.append(x)\n    def pop(self):\n        return self.items.pop()",
        "s = Stack()\n### BEGIN HIDDEN TESTS\ns.push(3)\ns.push(4)\nassert [s.pop(), s.pop()] == [4, 3]\n"
        "### END HIDDEN TESTS",
        3,
    ),
}
"""Name → the solution, its test, its points."""

Answers = dict[str, str]
KINDS: dict[str, Answers] = {
    "honest": {},
    "short": {"double": "double = lambda x: x + x", "words": "words = ['a', 'a', 'is', 'word', 'word']"},
    "wrong": {"double": "def double(x):\n    return x ** 2 + 1", "stack": "class Stack:\n    pass"},
    "partly": {"words": "words = ['a', 'a', 'b', 'c', 'd']"},
    "public-only": {"double": "def double(x):\n    return 2"},
    "raises": {"words": "words = [][0]"},
    "slow": {"double": "import time\ntime.sleep(0.7)\ndef double(x):\n    return 2 * x"},
    "endless": {"words": "while True:\n    pass"},
    "exits": {"stack": "import os\nos._exit(0)"},
    "kills-itself": {"stack": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"},
    "dies-when-asked": {"stack": "import os\ndef Stack():\n    os._exit(3)"},
    "floods": {"double": "print('x' * 2 * 2 ** 20)"},
    "late": {},
    "very-late": {"double": "def double(x):\n    return 3 * x"},
    "no-notebook": {},
    "not-a-notebook": {},
}
HANDED_IN = {"late": "2030-01-11 12:00:00 UTC", "very-late": "2030-01-20 12:00:00 UTC"}


def make_class(root: Path, count: int) -> Course:
    """The course with ``count`` submissions, all kinds in turn; student folders are named by number and kind."""
    cells = []
    for name, (solution, test, points) in QUESTIONS.items():
        cells.append(cell(f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION", name, solution=True))
        cells.append(cell(test, f"test-{name}", grade=True, locked=True, points=points))
    source = root / "source/hw"
    source.mkdir(parents=True)
    (source / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    course = load_course(root)
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        _hand_in(course.submitted(f"{number:02}-{kind}", "hw"), kind)
    return course


def _hand_in(folder: Path, kind: str) -> None:
    folder.mkdir(parents=True)
    answers = {name: solution for name, (solution, _, _) in QUESTIONS.items()} | KINDS[kind]
    text = notebook(*(cell(source, name, solution=True) for name, source in answers.items()))
    name = "draft.ipynb" if kind == "no-notebook" else "nb.ipynb"
    (folder / name).write_text("not a notebook" if kind == "not-a-notebook" else text)
    (folder / "timestamp.txt").write_text(HANDED_IN.get(kind, "2030-01-09 12:00:00 UTC"))
