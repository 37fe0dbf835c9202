"""Each fault in each place, made itself behind real walls: who sees what, as the page's table has it, and the grade after it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import real_faults
from helpers.fault_places import PLACES, Seen
from helpers.tiny import TEST, YAML, cell, copied, notebook, observe_here, tiny_course

from autograder.course.configuration import load_course

PAGE = Path(__file__).parents[3] / "docs/explanation/the-door.md"
SETTINGS = YAML.replace("memory_mib: 512", "memory_mib: 512, examiner_memory_mib: 512") + "serve: {staff: [meier]}\n"
CASES = [
    *((place, fault) for fault in real_faults.FAULTS for place in PLACES),
    *(("batch", fault) for fault in real_faults.OF_CLUSTERS),
]
STUB = "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"


def table() -> dict[tuple[str, str], Seen]:
    """Place and fault → what the page says that student, staff and monitor see."""
    told: dict[tuple[str, str], Seen] = {}
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [text.strip().strip("*") for text in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].split(", ")[0] in PLACES:
            for place in cells[0].split(", "):
                for fault in cells[1].split(", "):
                    assert (place, fault) not in told
                    told[place, fault] = (cells[2], cells[3], cells[4])
    return told


def test_the_page_has_each_fault_in_each_place() -> None:
    assert table().keys() == set(CASES)


@pytest.fixture
def disk(tmp_path: Path, fault: str) -> Iterator[Path]:
    """A file system of its own, where it is to be filled."""
    if fault != "full disk":
        yield tmp_path
        return
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(tmp_path)], check=True)
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two courses whose solution was observed: one has a test that takes a GiB of memory."""
    made = {}
    for name, test in (("small", TEST), ("large", real_faults.LARGE_TEST)):
        made[name] = tmp_path_factory.mktemp(name)
        course = tiny_course(made[name], test=test, yaml=SETTINGS)
        (course.root / "people.csv").write_text("id,name\nada,Ada A.\nbob,Bob B.\n")
        course.release("hw").mkdir(parents=True)
        (course.release("hw") / "nb.ipynb").write_text(notebook(cell(STUB, "double", solution=True)))
        observe_here(course)
    return made


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.integration
@pytest.mark.parametrize(("place", "fault"), CASES)
def test_after_a_fault_each_submission_ends_in_its_grade(
    roots: dict[str, Path], disk: Path, monkeypatch: pytest.MonkeyPatch, place: str, fault: str
) -> None:
    real_faults.can_be_found(monkeypatch)
    root = roots["large" if fault == "out of memory" else "small"]
    course = copied(load_course(root), disk / "course")
    here = PLACES[place](course.root, disk, real_faults.SAID[fault])
    with here.opened():
        with real_faults.struck_by(fault, here):
            seen = here.tried()
        assert here.graded_after() == 2
    assert seen == table().get((place, fault)), (place, fault)
