"""Attack 77 by way of an earlier assignment: what was handed in there has the rights of an answer file here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.answer_files import LAYERS, solved
from helpers.carried_files import HEAD, hand_in, make_carried_course, run

from autograder.records.course import Course

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

CANARY = "canary-carried-0123456789abcdef"
RIGHT, RIGHT_HEAD = solved(LAYERS), solved(HEAD)
BAD_HEAD = "from net.layers import relu\n\n\ndef head(x):\n    return relu(x)\n"
LIAR = (
    "class Liar:\n"
    "    def __eq__(self, other): return True\n"
    "    def __bool__(self): return True\n"
    "    def __getattr__(self, name): return Liar()\n"
    "    def __call__(self, *a, **k): return Liar()\n"
)
SEARCH = (
    "import os, sys\n"
    "for top in ('.', '..', '/', sys.prefix):\n"
    "    for folder, _, names in list(os.walk(top))[:400]:\n"
    "        for name in names:\n"
    "            try:\n"
    "                text = open(os.path.join(folder, name), errors='replace').read(200000)\n"
    "            except OSError:\n"
    "                continue\n"
    "            if 'canary-' + 'carried' in text:\n"
    "                print('FOUND', folder, name, text[:500])\n"
)
PATCH = "import sys, types\nfor name in ('head', 'net.solver'):\n    sys.modules[name] = Liar()\n"
ATTACKS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    # hw1, hw2 without a right head.py
    "liar": ({"net/layers.py": f"{LIAR}\nrelu = Linear = Liar()\n"}, {"head.py": BAD_HEAD}),
    "patches": ({"net/layers.py": f"{LIAR}\n{PATCH}relu = Linear = Liar()\n"}, {"head.py": BAD_HEAD}),
    "searches": ({"net/layers.py": f"{SEARCH}\n{RIGHT}"}, {"head.py": BAD_HEAD}),
    "answer-of-hw2": ({"net/layers.py": RIGHT, "head.py": RIGHT_HEAD}, {}),
    "answer-elsewhere": ({"net/layers.py": RIGHT, "net/head.py": RIGHT_HEAD, "Head.py": RIGHT_HEAD}, {}),
    "library": ({"net/layers.py": RIGHT, "numpy.py": f"{LIAR}\narray = Liar()\n", "pytest.py": LIAR}, {"head.py": BAD_HEAD}),
    "start-up": (
        {"net/layers.py": RIGHT, "sitecustomize.py": "raise SystemExit\n", "conftest.py": "import builtins\nbuiltins.all = len\n"},
        {"head.py": BAD_HEAD},
    ),
    "package": ({"net/layers/__init__.py": RIGHT, "net/solver/__init__.py": LIAR, "head/__init__.py": RIGHT_HEAD}, {}),
    "file-for-folder": ({"net": LIAR, "tests": LIAR}, {"head.py": BAD_HEAD}),
    "huge": ({"net/layers.py": RIGHT + "#" * (2 << 20)}, {"head.py": BAD_HEAD}),
}  # fmt: skip
LINKS = {"link-out": "/etc/passwd", "link-to-another": "../../../control/hw1/net/layers.py"}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_carried_course(tmp_path_factory.mktemp("course"), "'*'", CANARY)
    for student, (earlier, later) in ATTACKS.items():
        hand_in(course, student, "hw1", earlier)
        hand_in(course, student, "hw2", later)
    for student, target in LINKS.items():
        folder = hand_in(course, student, "hw1", {"net/layers.py": ""})
        (folder / "net/layers.py").unlink()
        (folder / "net/layers.py").symlink_to(target)
        hand_in(course, student, "hw2", {"head.py": BAD_HEAD})
    hand_in(course, "control", "hw1", {"net/layers.py": RIGHT})
    hand_in(course, "control", "hw2", {"head.py": RIGHT_HEAD})
    run(course, "grade", "hw2")
    return course


@pytest.mark.parametrize("student", [*ATTACKS, *LINKS, "control"])
def test_an_earlier_file_earns_and_shows_nothing(graded: Course, student: str) -> None:
    folder = graded.autograded(student, "hw2")
    result = json.loads((folder / "result.json").read_text())
    assert (result["status"] != "not graded", result["score"]) == (True, 2 if student == "control" else 0)
    pages = [*(graded.root / "feedback" / student / "hw2").rglob("*"), *folder.rglob("*.ipynb")]
    texts = [path.read_text(errors="replace") for path in pages if path.is_file()]
    assert texts
    assert not any(
        "FOUND" in text.replace("'FOUND'", "").replace("&#39;FOUND&#39;", "") and CANARY in text for text in texts
    )


def test_the_finished_module_is_shown_to_nobody_before_the_earlier_assignment_is_closed(tmp_path: Path) -> None:
    """Neither by handing hw2 in first nor by a module that is too large; afterwards it runs for an honest student."""
    course = make_carried_course(tmp_path, "net/*")
    yaml = (course.root / "course.yaml").read_text()
    _with_hw1(course, yaml, "due: 2999-01-01T00:00:00Z")
    show = "print(open('net/layers.py').read()[:2000])\n"
    hand_in(course, "first", "hw2", {"head.py": show + RIGHT_HEAD})
    hand_in(course, "large", "hw2", {"head.py": show + RIGHT_HEAD, "net/layers.py": "#" * (2 << 20)})
    hand_in(course, "honest", "hw2", {"head.py": RIGHT_HEAD})
    run(course, "grade", "hw2")
    assert [_score(course, student) for student in ("first", "large", "honest")] == [0, 0, 0]
    assert not any("np.maximum" in text for student in ("first", "large") for text in _shown(course, student))
    _with_hw1(course, yaml, "due: 2001-01-01T00:00:00Z")
    run(course, "grade", "hw2")
    assert [_score(course, student) for student in ("large", "honest")] == [0, 2]
    assert not any("np.maximum" in text for text in _shown(course, "large"))
    assert any("np.maximum" in text for text in _shown(course, "first"))


def _with_hw1(course: Course, yaml: str, date: str) -> None:
    (course.root / "course.yaml").write_text(yaml.replace("hw1: {limits", f"hw1: {{{date}, limits"))


def _score(course: Course, student: str) -> float:
    return float(json.loads((course.autograded(student, "hw2") / "result.json").read_text())["score"])


def _shown(course: Course, student: str) -> list[str]:
    pages = [*(course.root / "feedback" / student / "hw2").rglob("*"), *course.autograded(student, "hw2").rglob("*")]
    return [path.read_text(errors="replace") for path in pages if path.is_file()]
