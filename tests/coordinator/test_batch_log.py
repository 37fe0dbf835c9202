"""The log of a batch: what a person can read afterwards, also where the batch was killed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.coordinator.batch_log import MAX_LOGS, BatchLog, folder
from autograder.errors import HostError, Terminated
from autograder.records.course import Course
from autograder.records.ending import failed
from autograder.records.grade import Grade, NotebookGrade, NotGraded, QuestionGrade

QUESTION = QuestionGrade("q", 12.5, 20, "partial", "")  # type: ignore[arg-type]
BOOK = NotebookGrade(
    "nb", "cell_error", "", (QUESTION,), wall_seconds=4.06, peak_memory_mib=611.7, sandbox="bubblewrap, cgroup v2"
)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path, "otto", "Deep learning", {})


def again(left: Sequence[str]) -> str:
    return " ".join(["autograder grade hw", *left])


def log(course: Course, *due: str) -> BatchLog:
    return BatchLog(course, "hw", due, again=again, workers=2)


def lines(of: BatchLog) -> list[str]:
    assert of.path is not None
    return of.path.read_text().splitlines()


def test_a_log_says_what_began_what_each_got_and_how_it_ended(course: Course) -> None:
    with log(course, "ada", "bob-the-second") as written:
        written.advance("ada", Grade("ada", "hw", (BOOK, replace(BOOK, peak_memory_mib=None))))
        written.advance("bob-the-second", NotGraded("bob-the-second", "hw", failed("no space left")))
    head, began, command, machine, todo, _, ada, bob, _, ended, counts = lines(written)
    assert re.fullmatch(r"autograder \d\S*: hw, course otto", head)
    assert re.fullmatch(rf"began    \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC in {re.escape(str(course.root))}", began)
    assert command == "command  autograder grade hw"
    assert re.fullmatch(r"machine  .+: \d+ cores, [\d.]+ GiB of memory free, Linux-\S+, Python 3\.\S+", machine)
    assert todo == "to do    2 submissions, 2 at a time"
    assert re.sub(r"^\d\d:\d\d:\d\d", "TIME", ada) == (
        "TIME  ada                 25 / 40  cell_error            8.1 s    612 MiB  bubblewrap, cgroup v2"
    )
    assert re.fullmatch(r"\d\d:\d\d:\d\d  bob-the-second  not graded: no space left", bob)
    assert re.fullmatch(r"ended    \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC after \d+\.\d s", ended)
    assert counts == "counts   cell_error 1 · not graded 1"


def test_a_line_is_there_as_soon_as_its_submission_is_done(course: Course) -> None:
    """So that a batch that is killed leaves its log."""
    with log(course, "ada", "bob") as written:
        assert lines(written)[4] == "to do    2 submissions, 2 at a time"
        written.advance("ada", Grade("ada", "hw", (BOOK,)))
        assert "  ada  " in lines(written)[-1]


@pytest.mark.parametrize(
    ("error", "how", "why"),
    [
        (KeyboardInterrupt(), "stopped", "Ctrl-C"),
        (Terminated(), "stopped", "SIGTERM"),
        (HostError("no process\ncan be started"), "failed", "HostError: no process can be started"),
    ],
)
def test_a_batch_that_does_not_end_says_why_and_how_to_go_on(
    course: Course, error: BaseException, how: str, why: str
) -> None:
    written = log(course, "ada", "bob", "eve")
    with pytest.raises(type(error)), written:  # noqa: PT012
        written.advance("ada", NotGraded("ada", "hw", failed("?")))
        written.advance("eve", Grade("eve", "hw", (BOOK,)))
        raise error
    assert lines(written)[-4].startswith(f"{how:8} ")
    assert lines(written)[-3:] == [
        "counts   cell_error 1 · not graded 1",
        f"why      {why}",
        "continue autograder grade hw ada bob",
    ]


def test_names_and_reasons_have_a_line_each_and_move_no_cursor(course: Course) -> None:
    name = "e\x1b[2Jvil\n12:00:00  ada  20 / 20\u202e"
    with log(course, name) as written:
        written.advance(name, NotGraded(name, "hw", failed("\x1b]0;title\x07first\nsecond\ud800")))
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  evil 12:00:00 ada 20 / 20⟨U\+202E⟩  not graded: first second⟨U\+D800⟩", lines(written)[6]
    )


def test_where_nothing_is_due_there_is_no_log(course: Course) -> None:
    with log(course) as written:
        pass
    assert written.path is None
    assert not folder(course, "hw").exists()


def test_the_last_logs_are_kept_in_the_order_of_their_names(course: Course) -> None:
    old = folder(course, "hw") / "2000-01-01T000000Z.log"
    old.parent.mkdir(parents=True)
    old.touch()
    made = []
    for _ in range(MAX_LOGS):
        with log(course, "ada") as written:
            made.append(written.path)
    assert sorted(folder(course, "hw").iterdir()) == made
    assert {path.stat().st_mode & 0o777 for path in made if path} == {0o600}


def test_a_log_that_can_not_be_written_is_this_machines_fault(course: Course) -> None:
    folder(course, "hw").parent.mkdir(parents=True)
    folder(course, "hw").write_text("no folder")
    with pytest.raises(HostError, match=r"batches/.*\.log cannot be written"), log(course, "ada"):
        pass


def test_a_full_disk_costs_the_log_its_lines_and_the_batch_nothing(course: Course) -> None:
    with log(course, "ada") as written:
        written._file = Path("/dev/full").open("w")  # noqa: SIM115
        written.advance("ada", Grade("ada", "hw", (BOOK,)))
    assert written.left == ()
