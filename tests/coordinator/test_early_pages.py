"""Pages that are written while a batch runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.tiny import Here, ending_here, grade_in_this_process, submit, tiny_course

from autograder.cli.main import main
from autograder.coordinator.early_pages import EarlyPages
from autograder.errors import HostError
from autograder.exchange.work import Work
from autograder.records.ending import failed
from autograder.records.grade import Grade, NotGraded


class Written:
    """A writer that takes a second for each call, and notes for whom it wrote."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ready = True
        self.names: list[list[str]] = []
        self.pages = EarlyPages(self.write, lambda: self.ready, lambda: self.now)
        self.done = self.pages.after(lambda student, outcome: None)

    def write(self, grades: Sequence[Grade]) -> None:
        self.now += 1
        self.names.append([grade.student for grade in grades])

    def end(self, student: str, at: float) -> None:
        self.now = at
        self.done(student, Grade(student, "hw", ()))


def test_each_page_is_written_when_it_is_done() -> None:
    written = Written()
    for student, at in (("ann", 10), ("bob", 20), ("cy", 30)):
        written.end(student, at)
    assert written.names == [["ann"], ["bob"], ["cy"]]


def test_writing_takes_a_tenth_of_the_time_at_most() -> None:
    written = Written()
    for number in range(100):
        written.end(f"s{number}", max(written.now, number))
    assert len(written.names) <= 11
    assert sum(map(len, written.names)) > 90


def test_nothing_is_written_before_the_libraries_are_loaded_and_nothing_for_what_was_not_graded() -> None:
    written = Written()
    written.ready = False
    written.end("ann", 10)
    written.done("bob", NotGraded("bob", "hw", failed("no memory")))
    assert written.names == []
    written.ready = True
    written.end("cy", 20)
    assert written.names == [["ann", "cy"]]


def test_what_cannot_be_written_stops_no_batch() -> None:
    def fail(grades: Sequence[Grade]) -> None:
        raise HostError("the disk is full")

    EarlyPages(fail, lambda: True).after(lambda student, outcome: None)("ann", Grade("ann", "hw", ()))


def test_the_pages_of_others_do_not_wait_for_a_submission_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = tiny_course(tmp_path)
    for student in ("ann", "bob"):
        submit(course, student)
    pages = []

    class Noting(Here):
        def __call__(self, due: Sequence[Work], workers: int):  # type: ignore[no-untyped-def]
            for work in due:
                pages.append(sorted(path.parent.parent.name for path in course.directory("feedback").rglob("*.html")))
                yield work, ending_here(work)

    grade_in_this_process(monkeypatch, Noting())
    monkeypatch.setattr("autograder.coordinator.early_pages.SHARE", 1)
    monkeypatch.setattr("concurrent.futures.Future.done", lambda self: True)
    with pytest.raises(SystemExit) as ended:
        main(["grade", "hw", "--course", str(tmp_path)])
    assert not ended.value.code
    assert pages == [[], ["ann"]]
