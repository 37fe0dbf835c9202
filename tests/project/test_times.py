"""The report on where the time of a run of the tests went, and the order of the files."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import times
from helpers.tiers import SHORT, in_order, work_unit


def report(nodeid: str, duration: float, **more: Any) -> Any:
    return SimpleNamespace(nodeid=nodeid, duration=duration, **more)


REPORTS = [
    report("tests/kernel/test_agent.py::test_a", 0.5, processor_seconds=0.25),
    report("tests/kernel/test_agent.py::test_a", 1.0, processor_seconds=0.5),
    report("tests/kernel/test_codec.py::test_b[x/y]", 3.0),
    report("tests/check/test_marks.py::test_c", 2.0),
]


def test_all_phases_of_a_test_count_and_rooms_are_sorted_by_their_seconds() -> None:
    lines = [line.split() for line in times.table(REPORTS, 0)]
    assert lines[1:4] == [["4.5", "0.8", "2", "kernel"], ["2.0", "0.0", "1", "check"], ["6.5", "0.8", "3", "all"]]


def test_as_many_of_the_slowest_tests_are_listed_as_were_asked_for() -> None:
    lines = list(times.table(REPORTS, 2))
    assert [line.split()[2] for line in lines[-2:]] == [REPORTS[2].nodeid, REPORTS[3].nodeid]


def test_the_idle_end_is_that_of_the_worker_that_ended_first() -> None:
    ends = [("gw0", 10.0), ("gw1", 4.0), ("gw0", 12.0), ("gw1", 7.5)]
    assert times.idle_tail([report("a", 1, worker_id=worker, stop=stop) for worker, stop in ends]) == 4.5
    assert times.idle_tail([report("a", 1, stop=stop) for _, stop in ends]) == 0
    assert times.idle_tail([]) == 0


def test_files_with_keras_come_late_and_short_ones_of_unit_tests_last() -> None:
    """And no file's tests are torn apart."""

    def test(file: str, *marks: str) -> Any:
        return SimpleNamespace(path=Path(file), iter_markers=lambda: [getattr(pytest.mark, m).mark for m in marks])

    tests = [
        test("a"),
        test("b", "keras"),
        test("b"),
        test("c"),
        test("c", "sandbox"),
        *[test("d")] * (SHORT + 1),
        test("e"),
    ]
    assert list(dict.fromkeys(str(each.path) for each in in_order(tests))) == ["c", "d", "b", "a", "e"]


def test_one_worker_has_all_files_that_share_graded_students() -> None:
    """And every other file is a unit by itself."""
    for path in sorted((Path(__file__).parents[1] / "security").glob("test_*.py")):
        text = path.read_text()
        nodeid = f"tests/security/{path.name}"
        unit = nodeid
        if re.search(r"^def test\w*\(.*\b(graded|unguarded)\b", text, re.M) and "def graded(" not in text:
            unit = "the class of attackers"
        elif "graded_sheet" in text:
            unit = "the sheets of questions"
        assert work_unit(f"{nodeid}::test_a[x::y]") == unit
