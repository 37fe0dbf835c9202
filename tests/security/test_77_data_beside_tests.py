"""Attack 77: the numbers beside hidden tests. The examiner has them, students those of visible tests, no kernel any."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from autograder.cli import main

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

ROPE = """\
import os


def rope(x):
    ### BEGIN SOLUTION
    return x * 2.0
    ### END SOLUTION


def count(path):
    ### BEGIN SOLUTION
    with open(path) as file:
        return len(file.read().split())
    ### END SOLUTION
"""
CONFTEST = """\
import os
from pathlib import Path

import numpy as np
import pytest


class Snapshots:
    def __init__(self, folder="tests/_snapshots"):
        self.folder = Path(folder)
        os.makedirs(self.folder, exist_ok=True)

    def check(self, value, name):
        np.testing.assert_allclose(value, np.load(self.folder / f"{name}.npz")["array"])


@pytest.fixture
def snapshots(request):
    return Snapshots(), request.node.name


@pytest.fixture
def datadir(request):
    return Path(request.fspath).parent / "_snapshots"
"""
COMMON = "from pathlib import Path\n\nDATA = Path(__file__).resolve().parent / 'data'\n"
HIDDEN = """\
from pathlib import Path

import numpy as np
import pytest

from rope import count, rope
from .common import DATA

HERE = Path(__file__).parent


def test_by_name(snapshots):
    snapshots[0].check(rope(np.arange(3.0)), snapshots[1])


def test_beside_the_file():
    expected = np.load(HERE / "_snapshots" / "test_by_name.npz")["array"]
    assert np.allclose(rope(np.arange(3.0)), expected)


def test_fixture_of_a_folder(datadir, request):
    assert request.path.parent == datadir.parent
    assert len(list(datadir.glob("*.npz"))) == 2
    assert np.allclose(rope(np.arange(3.0)), np.load(datadir / "test_by_name.npz")["array"])


def test_input_by_a_module():
    assert (DATA / "words.txt").read_text() == "a b c d"
    assert count(DATA / "words.txt") == 4


def test_what_the_answer_names():
    name = count(HERE / "data/words.txt")
    path = name if isinstance(name, str) else "tests/data/words.txt"
    assert count(path) == 4


def test_input_beside_the_file():
    assert count(HERE / "data/words.txt") == 4
    assert count("tests/data/words.txt") == 4
"""
VISIBLE = """\
import numpy as np
import pytest

from rope import rope

pytestmark = pytest.mark.visible


def test_small(snapshots):
    snapshots[0].check(rope(np.ones(2)), snapshots[1])
"""


def run(root: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(root)])
    assert result.exit_code == 0, result.output
    return result.output


def course_with_data(root: Path, hidden: str = HIDDEN, rope: str = ROPE) -> Path:
    """Write a course whose tests read numbers beside them."""
    tests = root / "source/hw/tests"
    (tests / "_snapshots").mkdir(parents=True)
    (tests / "data").mkdir()
    files = {"__init__.py": "", "conftest.py": CONFTEST, "common.py": COMMON, "test_hidden.py": hidden}
    for name, text in {**files, "test_visible.py": VISIBLE, "data/words.txt": "a b c d"}.items():
        (tests / name).write_text(text)
    np.savez(tests / "_snapshots/test_by_name.npz", array=2 * np.arange(3.0))
    np.savez(tests / "_snapshots/test_small.npz", array=2 * np.ones(2))
    (root / "source/hw/rope.py").write_text(rope)
    (root / "course.yaml").write_text(
        "course: data\nassignments:\n  hw:\n    files: [source/hw/tests/conftest.py, source/hw/tests/__init__.py]\n"
    )
    return root


def scores(root: Path, student: str) -> dict[str, float]:
    result = json.loads((root / f"autograded/{student}/hw/result.json").read_text())
    assert not any(question["needs_manual_grade"] for question in result["questions"]), result
    return {question["id"].rpartition("::")[2]: question["score"] for question in result["questions"]}


SOLVED = "\n".join(line for line in ROPE.split("\n") if "###" not in line)
SEARCH = """\
import glob, os, sys
FOUND = []
def look(name=""):
    for top in (".", "..", "/opt", "/tmp", "/work", *(p for p in [os.path.dirname(os.path.abspath(str(name)))] if name)):
        for folder, _, names in list(os.walk(top))[:20000]:
            FOUND.extend(os.path.join(folder, one) for one in names if "test_by_name" in one)
    try:
        import numpy as np
        return np.load(FOUND[0])["array"]
    except Exception:
        return FOUND
"""
CHEATS = {
    "searches": f"{SEARCH}def rope(x):\n    return look()\ndef count(path):\n    return look(path)\n",
    "opens": "import numpy as np\ndef rope(x):\n    return np.load('tests/_snapshots/test_by_name.npz')['array']\n"
    "def count(path):\n    return str(path).replace('data/words.txt', '_snapshots/test_by_name.npz')\n",
    "names": SEARCH.partition("def")[0] + "NAME = 'tests/_snapshots/test_by_name.npz'\ndef rope(x):\n    return x\n"
    "def count(path):\n    if str(path) == NAME:\n        return 4 if os.path.exists(path) else 0\n    return NAME\n",
    "writes": "import numpy as np, os\ndef rope(x):\n    os.makedirs('tests/_snapshots', exist_ok=True)\n"
    "    for name in ('test_by_name', 'test_small'):\n"
    "        np.savez(f'tests/_snapshots/{name}.npz', array=np.zeros(len(x)))\n    return np.zeros(len(x))\n"
    "def count(path):\n    open('tests/data/words.txt', 'w').write('a')\n    return 1\n",
}
CHEATS |= {
    f"names-{number}": CHEATS["names"].replace("NAME = 'tests/_snapshots/", f"NAME = '{spelling}")
    for number, spelling in enumerate(("./tests/_snapshots/", "tests//_snapshots/", "tests/x/../_snapshots/"))
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = course_with_data(tmp_path_factory.mktemp("course"))
    run(root, "release", "hw")
    for student, text in {"right": SOLVED, "blank": None, **CHEATS, "brings": CHEATS["writes"]}.items():
        target = root / f"submitted/{student}/hw"
        shutil.copytree(root / "release/hw", target)
        if text is not None:
            (target / "rope.py").write_text(text)
    brought = root / "submitted/brings/hw/tests/_snapshots"
    brought.mkdir(exist_ok=True)
    for name in ("test_by_name", "test_small"):
        np.savez(brought / f"{name}.npz", array=np.zeros(3 if name == "test_by_name" else 2))
    run(root, "grade", "hw", "--workers", "1")
    return root


def test_77_control_tests_find_what_lies_beside_them(graded: Path) -> None:
    assert set(scores(graded, "right").values()) == {1.0}
    assert set(scores(graded, "blank").values()) == {0.0}


@pytest.mark.parametrize("student", [*CHEATS, "brings"])
def test_77_nobody_reads_or_writes_the_numbers_of_a_test(graded: Path, student: str) -> None:
    """The student's process has none of the snapshots, and what it writes under their names decides nothing."""
    assert set(scores(graded, student).values()) == {0.0}


def test_77_students_get_the_numbers_of_visible_tests_alone(graded: Path) -> None:
    released = graded / "release/hw"
    names = {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()}
    assert names & {"tests/_snapshots/test_small.npz", "tests/_snapshots/test_by_name.npz", "tests/data/words.txt"} == {
        "tests/_snapshots/test_small.npz"
    }
    home = graded / "submitted/right/hw"
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=home,
        capture_output=True,
        text=True,
    )
    assert tested.returncode == 0, tested.stdout


def test_77_control_other_numbers_are_another_exam(graded: Path) -> None:
    before = scores(graded, "right")
    path = graded / "source/hw/tests/_snapshots/test_by_name.npz"
    content = path.read_bytes()
    np.savez(path, array=3 * np.arange(3.0))
    try:
        run(graded, "grade", "hw", "--workers", "1", "--student", "right")
        assert scores(graded, "right")["test_by_name"] == 0 < before["test_by_name"]
    finally:
        path.write_bytes(content)


def test_77_a_link_to_hidden_data_is_not_released_as_a_visible_tests(tmp_path: Path) -> None:
    root = course_with_data(tmp_path)
    hidden = root / "source/hw/hidden"
    hidden.mkdir()
    (hidden / "holdout.npz").write_bytes(b"secret")
    (root / "source/hw/tests/_snapshots/test_small.npz").unlink()
    (root / "source/hw/tests/_snapshots/test_small.npz").symlink_to(hidden / "holdout.npz")
    result = CliRunner().invoke(main, ["release", "hw", "--no-prove", "--course", str(root)])
    assert result.exit_code != 0
    assert "hidden" in result.stderr
    assert not (root / "release").exists()
