"""Every fault in a batch and on a platform: nobody has 0 by it, and after it each submission ends in its grade."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from helpers.injected_faults import FAULTS
from helpers.tiny import Here, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.exchange.work import Endings, Work
from autograder.extensions.platforms import program
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.platform_table import GRADESCOPE
from autograder.records.course import Course
from autograder.records.ending import GRADED, Ending, Whose


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = tiny_course(tmp_path_factory.mktemp("course"))
    submit(made, "ada")
    return made


def works(course: Course) -> list[Work]:
    keys = {"submission": "ada"}
    submission = course.submitted("ada", "hw")
    return [batch.submission_work(course, tiny_release(course), "ada", keys, submission=submission)]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_batch_after_a_fault_grades_what_it_left(course: Course, fault: str) -> None:
    def execute(due: Sequence[Work], workers: int) -> Endings:
        yield from ((work, FAULTS[fault]) for work in due)

    done = batch.run(works(course), force=True, execute=execute)
    assert [(one.whose, one.kind) for one in done.not_graded] == [(FAULTS[fault].whose, FAULTS[fault].kind)]
    assert batch.run(works(course), force=True, execute=Here()).grades[0].score == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_a_platform_tries_again_unless_the_fault_is_the_submissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    told: Iterator[Ending] = iter([FAULTS[fault], GRADED])
    monkeypatch.setattr(program, "Templates", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(program, "attempt", lambda *_: next(told))
    deadline = program.Deadline(GRADESCOPE, tmp_path, 60, 60)
    ended = program._examined(None, deadline)  # type: ignore[arg-type]
    deadline.write(Conclusion(""))
    assert ended.is_done is (FAULTS[fault].whose is not Whose.SUBMISSION)
