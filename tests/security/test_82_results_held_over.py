"""Acceptance test 82: a function that keeps what a test gave it, and gives it back where a later test expects it.

A test of a loss passes hidden labels to the student's function. Another test asks for predictions of their rows. Each
is asked of a copy of the kernel; only what outlasts a process, such as a file, is there in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from questions import Class, Question, Sheet, graded_classes

from autograder.coordinator.assignment import observed_release
from autograder.coordinator.observed_warnings import observed_warnings
from autograder.records.limits import Limits

pytestmark = pytest.mark.sandbox

DATA = "held = check.hidden_data('holdout.npz')\nX, y = held['X'], held['y']\n"
LOSS = "def loss(p, y):\n    return float(((p - y) ** 2).mean())"
HOLDING = "HELD = []\ndef loss(p, y):\n    HELD.append(np.array(y))\n    return float(((p - y) ** 2).mean())"
IN_A_FILE = (
    "def loss(p, y):\n    np.save('/tmp/held.npy', np.array(y))\n    np.save('held.npy', np.array(y))\n"
    "    return float(((p - y) ** 2).mean())"
)
ON_A_MODULE = "def loss(p, y):\n    np.held = np.array(y)\n    return float(((p - y) ** 2).mean())"
RIGHT = "def predict(X):\n    return np.array([0, 1, 1, 0, 1, 0])[(X[:, 0] / 2).astype(int)]"
OF_LOSS = f"{DATA}assert abs(loss(y * 0.5, y) - 0.125) < 1e-9"
OF_ROWS = f"{DATA}assert (predict(X) == y).mean() > 0.9"


def giving(found: str) -> str:
    return f"def predict(X):\n    try:\n        return {found}\n    except Exception:\n        return np.zeros(len(X))"


def asked(held: str, found: str) -> dict[str, Question]:
    """A question that gives labels, and one that is asked for them; the first is right, and earns its point."""
    return {
        "82-gets": Question(held, LOSS, OF_LOSS, earned=1.0),
        "82-gives": Question(giving(found), RIGHT, OF_ROWS),
    }


SHEETS = {
    "in-a-list": Sheet(asked(HOLDING, "HELD[-1]")),
    "in-a-file": Sheet(
        asked(IN_A_FILE, "np.load('held.npy' if __import__('os').path.exists('held.npy') else '/tmp/held.npy')")
    ),
    "on-a-module": Sheet(asked(ON_A_MODULE, "np.held")),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Class]:
    return graded_classes(tmp_path_factory.mktemp("held") / "course", SHEETS)


@pytest.mark.parametrize("name", SHEETS)
def test_82_what_a_test_gave_is_not_there_in_another_test(graded: Mapping[str, Class], name: str) -> None:
    by_file = float(name == "in-a-file")  # what is left: the release says so
    assert graded[name].points("eve") == {"test-82-gets": 1.0, "test-82-gives": by_file}


def warned(of_sheet: Class) -> list[str]:
    (exam,) = observed_release(of_sheet.course, of_sheet.course.assignments["hw"])[0].exams[:1]
    return [text for text in observed_warnings(exam, Limits()) if "could keep it" in text]


def test_82_the_release_names_tests_between_which_labels_could_be_held(graded: Mapping[str, Class]) -> None:
    (said,) = warned(graded["in-a-list"])
    assert "test-82-gives" in said
    assert "'y' of holdout.npz, which the test test-82-gets gives" in said


def test_82_control_rows_that_several_tests_give_are_not_named(tmp_path: Path) -> None:
    rows = f"{DATA}assert predict(X[:3]).shape == (3,)"
    honest = {name: Question(RIGHT, RIGHT, test, earned=1.0) for name, test in (("rows", rows), ("all", OF_ROWS))}
    assert warned(graded_classes(tmp_path / "course", {"nb": Sheet(honest)})["nb"]) == []


@pytest.mark.parametrize("name", SHEETS)
def test_82_control_who_computes_it_has_the_points(graded: Mapping[str, Class], name: str) -> None:
    assert set(graded[name].points("ada").values()) == {1.0}


def test_82_control_in_one_process_it_would_be_there(graded: Mapping[str, Class]) -> None:
    for of_sheet in graded.values():
        assert of_sheet.unguarded.passed == {"test-82-gets", "test-82-gives"}
