"""Attack 49: tricks that win points from tests in otter's format where these run in the student's process."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path

import pytest
from helpers.otter import code, course, release_of
from helpers.otter_attacks import AGREES, CELLS, RIGHT, TRICKS, WRONG, points_in_one_process, poisoned_log
from helpers.pipeline import grade

from autograder.course.configuration import load_course
from autograder.release.build import write
from autograder.submission import collect

pytestmark = pytest.mark.sandbox

EVERYTHING_PASSES = {"name": "q1", "points": 2, "suites": [{"cases": [], "scored": True, "type": "doctest"}]}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory):
    """A class of cheats, graded once; and the file that a poisoned log would write."""
    root = course(tmp_path_factory.mktemp("otter"), *CELLS)
    found = load_course(root)
    release = release_of(root)
    write(found, found.assignments["hw"], release)
    released = json.loads(release.notebooks[0].text)
    marker = root / "unpickled"
    downloads = root / "downloads"
    downloads.mkdir()

    def hand_in(student: str, answer: str, *front: str, metadata: dict | None = None, **files: str | bytes) -> None:
        notebook = copy.deepcopy(released)
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"]).replace("x = ...", answer)
        notebook["cells"][:0] = [code(source) for source in front]
        notebook["metadata"]["otter"]["tests"] |= metadata or {}
        with zipfile.ZipFile(downloads / f"{student}.zip", "w") as archive:
            archive.writestr("nb.ipynb", json.dumps(notebook))
            archive.writestr("__zip_filename__", "nb_2026_01_30T12_00_00_123456.zip")
            for name, content in files.items():
                archive.writestr(name, content)

    hand_in("right", RIGHT)
    hand_in("wrong", WRONG)
    hand_in("agrees", AGREES)
    hand_in("metadata", WRONG, metadata={"q1": EVERYTHING_PASSES})
    hand_in("folder", WRONG, **{"tests/q1.py": f"OK_FORMAT = True\ntest = {EVERYTHING_PASSES!r}\n"})
    hand_in("log", WRONG, **{".OTTER_LOG": poisoned_log(str(marker))})
    for number, trick in enumerate(TRICKS.values()):
        hand_in(f"trick-{number}", WRONG, trick)
    assert all(one.path for one in collect(found, "hw", downloads))
    return grade(found, name="hw"), marker


def test_63_control_right_and_wrong_answers_are_told_apart(graded) -> None:
    done, _ = graded
    assert done.points("right") == {"q1": 2.0}
    assert done.points("wrong") == {"q1": 0.0}


@pytest.mark.parametrize("number", range(len(TRICKS)), ids=[*TRICKS])
def test_63_a_trick_in_the_students_process_wins_nothing(graded, number: int) -> None:
    done, _ = graded
    assert done.points(f"trick-{number}") == {"q1": 0.0}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=[*TRICKS])
def test_63_control_it_wins_all_where_tests_run_in_that_process(trick: str) -> None:
    assert points_in_one_process(WRONG) == 0
    assert points_in_one_process(trick, WRONG) == 2


def test_63_an_object_that_agrees_with_everything_wins_nothing(graded) -> None:
    done, _ = graded
    assert done.points("agrees") == {"q1": 0.0}


def test_63_control_it_wins_all_where_it_is_asked() -> None:
    assert points_in_one_process(AGREES) == 2


@pytest.mark.parametrize("student", ["metadata", "folder"])
def test_63_tests_that_are_handed_in_count_nothing(graded, student: str) -> None:
    """Otter-grader itself believes both on the student's side: ``test_otter_conformance.py`` has that control."""
    done, _ = graded
    assert done.points(student) == {"q1": 0.0}
    assert done.grades[student].max_score == 2.0


def test_63_a_log_is_never_opened(graded) -> None:
    done, marker = graded
    assert done.points("log") == {"q1": 0.0}
    assert not marker.exists()


def test_63_control_a_log_that_is_opened_runs_what_it_likes(tmp_path: Path) -> None:
    import pickle

    marker = tmp_path / "unpickled"
    pickle.loads(poisoned_log(str(marker))).close()
    assert marker.exists()
