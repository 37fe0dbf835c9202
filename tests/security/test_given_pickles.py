"""Pickles that a test loads: the instructor's, which was released or is hidden, and never one of the student's."""

from __future__ import annotations

import builtins
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers.workspaces import Kernel, graded

from autograder.examiner.permissions import Permissions
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.observations import Act, Fact, Observations

BOMB = "class Bomb:\n    def __reduce__(self):\n        return exec, ('import builtins; builtins.unpickled_bomb = True',)\n"
OPENED = "import pickle\nwith open('right', 'rb') as file:\n    right = pickle.load(file)\nassert f(1) == right['n'][0]"
LOADED = {
    "an open file": OPENED,
    "its bytes": "import pickle\nassert f(1) == pickle.loads(open('right', 'rb').read())['n'][0]",
    "a path": "import pandas as pd\nassert f(1) == pd.read_pickle('right')['n'][0]",
    "joblib": "import joblib\nassert f(1) == joblib.load('right')['n'][0]",
    "a name of the function": "from pickle import load as get\nload = get\nassert f(1) == load(open('right', 'rb'))['n'][0]",
    "a helper": "import pickle\ndef wanted(name):\n    with open(name, 'rb') as file:\n        return pickle.load(file)\n"
    "assert f(1) == wanted('right')['n'][0]",
}
RIGHT, WRONG = "def f(n): return n + 1", "def f(n): return n"


@pytest.fixture
def released(tmp_path: Path) -> dict[str, Path]:
    """A released pickle with a class in it: a table, which is no plain value."""
    path = tmp_path / "release" / "right"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(pd.DataFrame({"n": [2]})))
    return {"right": path}


@pytest.fixture(autouse=True)
def nothing_explodes() -> Iterator[None]:
    yield
    assert vars(builtins).pop("unpickled_bomb", None) is None


@pytest.fixture
def kernel(tmp_path: Path, released: dict[str, Path]) -> type[Kernel]:
    class Here(Kernel):
        folder = tmp_path / "work"

    Here.folder.mkdir()
    (Here.folder / "right").write_bytes(released["right"].read_bytes())
    return Here


def examined(kernel: type[Kernel], answer: str, test: str, **options: Any) -> Any:
    (result,) = graded(kernel, (Role.ANSWER, answer), (Role.TEST, test), released="", written=(), **options)
    return result


@pytest.mark.parametrize("test", LOADED.values(), ids=LOADED)
@pytest.mark.parametrize(("answer", "outcome"), [(RIGHT, Outcome.PASSED), (WRONG, Outcome.FAILED)])
def test_a_test_unpickles_what_was_released(
    kernel: type[Kernel], released: dict[str, Path], test: str, answer: str, outcome: Outcome
) -> None:
    result = examined(kernel, answer, test, given=released)
    assert result.outcome is outcome, result.detail


OVER = f"import pickle\n{BOMB}open('right', 'wb').write(pickle.dumps(Bomb()))\n"
LINKED = f"import pickle, os\n{BOMB}open('mine', 'wb').write(pickle.dumps(Bomb()))\nos.remove('right')\nos.symlink('mine', 'right')\n"


@pytest.mark.parametrize("attack", [OVER, LINKED], ids=["written over", "a link"])
@pytest.mark.parametrize(("answer", "outcome"), [(RIGHT, Outcome.PASSED), (WRONG, Outcome.FAILED)])
def test_a_students_file_of_that_name_is_never_opened(
    kernel: type[Kernel], released: dict[str, Path], attack: str, answer: str, outcome: Outcome
) -> None:
    """What the student wrote there changes nothing: neither a wrong answer's points nor a right one's."""
    assert examined(kernel, attack + answer, OPENED, given=released).outcome is outcome


WRITES = f"import pickle\n{BOMB}def f(n):\n    open('right', 'wb').write(pickle.dumps(Bomb()))\n    return 2"
AFTER = OPENED.replace("import pickle", "import pickle\nf(1)")


def test_a_call_of_the_tests_that_writes_the_file_earns_nothing(
    kernel: type[Kernel], released: dict[str, Path]
) -> None:
    """Where the solution was seen to write it, too, the file is the student's work, and is not unpickled."""
    wrote = Permissions(Observations.of([Fact(Act.WRITES, "cell1", "right")]))
    assert examined(kernel, WRITES, AFTER, given=released, permissions=wrote).outcome is not Outcome.PASSED


@pytest.mark.parametrize("name", ["mine", "right/../mine", "./mine"])
def test_a_path_or_bytes_of_the_students_are_not_unpickled(
    kernel: type[Kernel], released: dict[str, Path], name: str
) -> None:
    mine = f"import pickle\n{BOMB}open('mine', 'wb').write(pickle.dumps(Bomb()))\nname = {name!r}\n"
    for test in (
        "import pickle\npickle.load(open(name, 'rb'))",
        "import joblib\njoblib.load(name)",
        "import pickle\npickle.loads(open(name, 'rb').read())",
    ):
        assert examined(kernel, mine + RIGHT, test, given=released).outcome is not Outcome.PASSED


def test_a_class_that_the_student_defines_is_not_made_of_an_instructors_pickle(
    kernel: type[Kernel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its constructor would be told what the pickle holds."""
    point = type("Point", (), {"__module__": "__main__"})
    monkeypatch.setitem(sys.modules, "__main__", types.SimpleNamespace(Point=point))
    instance = point()
    instance.n = 2
    path = tmp_path / "release" / "right"
    path.write_bytes(pickle.dumps(instance))
    monkeypatch.undo()
    told = "class Point:\n    def __setstate__(self, state): open('told', 'w').write(str(state))\n"
    test = "import pickle\nright = pickle.load(open('right', 'rb'))\nassert Point and f(1) == right.n"
    assert examined(kernel, told + RIGHT, test, given={"right": path}).outcome is Outcome.BROKEN
    assert not (kernel.folder / "told").exists()
