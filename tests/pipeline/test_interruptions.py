"""Nothing is lost: a class whose batches are killed has the grades of an undisturbed one.

``make test-interruptions`` does it to forty submissions, fifty times and in every other way; here is the cheap part of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.tiny import Here
from interruptions import scenarios
from interruptions.course import make_class
from interruptions.processes import Batch, adopt_orphans, descendants, kill, left
from interruptions.scenarios import Lab, Lost
from interruptions.state import grades, halves, litter

from autograder._util.files import write_atomically
from autograder.coordinator import batch as planning
from autograder.records.course import Course
from autograder.release.build import build

TESTS = Path(__file__).parents[1]
pytestmark = pytest.mark.sandbox
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS)))}


def test_a_batch_that_is_killed_again_and_again_has_the_grades_of_one_that_is_not(tmp_path: Path) -> None:
    """Without sandboxes, which take long: SIGKILL while its first submissions are graded, and no process is left."""
    adopt_orphans()
    others = descendants(os.getpid())
    reference, course = (make_class(tmp_path / name, 4) for name in ("reference", "killed"))
    works = planning.plan(reference, build(reference, reference.assignments["hw"]))
    assert planning.run(works, execute=Here()).not_graded == ()
    expected = grades(reference)
    for done in (2,):
        batch = unwalled_batch(course)
        while len(list(course.root.glob("autograded/*/hw"))) < done and batch.poll() is None:
            time.sleep(0.005)
        batch.kill()
        batch.wait()
        assert left(others) == []
        assert halves(course) == []
        assert all(grade in (None, expected[student]) for student, grade in grades(course).items())
    assert unwalled_batch(course).wait() == 0
    assert grades(course) == expected
    assert litter(course) == []


def unwalled_batch(course: Course) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "interruptions.unwalled", str(course.root)], env=ENVIRONMENT)


# --- through the command, in sandboxes --------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"), 3, seed=2)


@pytest.mark.slow
def test_a_batch_and_a_part_of_it_are_killed_and_nothing_is_lost(lab: Lab) -> None:
    """SIGKILL of the command after the first grade, and of an examiner in the run after it."""
    course = lab.copy()
    killed = Batch(course)
    while not list((course.root / "autograded").glob("*/hw/result.json")):
        assert killed.running()
        time.sleep(0.01)
    killed.kill()
    assert 1 <= lab.check_between(course, "after the command was killed") < 3
    disturbed = Batch(course)
    # Before there is a kernel, examiners may only look at recordings, and nothing is lost with one.
    while not (disturbed.find("kernel") and (victims := disturbed.find("examiner"))):
        assert disturbed.running()
        time.sleep(0.01)
    kill(victims[0])
    ended = disturbed.wait()
    assert ended.code == 0, "it was examined again, alone at the end"
    lab.check_end(course, Batch(course).wait(), "after an examiner was killed")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(scenarios.everything(0, 0)))
def test_every_way_to_disturb_a_batch(tmp_path: Path, name: str) -> None:
    """Twelve submissions of as many kinds."""
    if name == "full-disk" and os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    scenarios.everything(5, 3)[name](Lab(tmp_path, 12, seed=3))


# --- the control: what is lost is seen -------------------------------------------------------------------


@pytest.mark.slow
def test_a_changed_grade_a_half_folder_and_a_file_left_behind_are_seen(lab: Lab) -> None:
    course = lab.copy()
    shutil.copytree(lab.undisturbed.root, course.root, dirs_exist_ok=True)
    left = course.root / "reports/.hw.html.abcd1234.tmp"
    write_atomically(left, "half")
    with pytest.raises(Lost, match="left behind"):
        lab.check_end(course, lab.ended, "here")
    left.unlink()
    first, second = (course.autograded(name, "hw") for name in list(lab.grades)[:2])
    text = (first / "result.json").read_text()
    (first / "result.json").write_text(text.replace('"message": ""', '"message": "other"'))
    with pytest.raises(Lost, match="other grades than undisturbed"):
        lab.check_end(course, lab.ended, "here")
    (first / "result.json").write_text(text)
    (second / "result.json").unlink()
    assert [str(second) in said for said in halves(course)] == [True]
    with pytest.raises(Lost, match="half-written"):
        lab.check_end(course, lab.ended, "here")
