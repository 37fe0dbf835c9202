"""Grades as rows."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from helpers.injections import INJECTIONS
from helpers.samples import a_class, broken, grade, stopped

from autograder.results.report import COLUMNS, TEXT_COLUMNS, grades_csv, text_table, to_do


def read(text):
    return list(csv.DictReader(text.splitlines()))


def test_there_is_one_row_per_submission_in_the_given_order():
    """The fixed columns first, then one for each question."""
    rows = read(grades_csv(a_class()))
    assert [row["student"] for row in rows] == [one.student for one in a_class()]
    questions = ["network/layers", "network/parameters", "network/holdout", "network/why", "network/sketch"]
    assert list(rows[0]) == [*COLUMNS, *questions]


def test_a_row_has_the_grades_numbers():
    """Scores after the penalty, plain decimals, UTC times, yes or no."""
    (row,) = read(grades_csv([grade(loss=0.63, hours=3)]))
    assert (row["score"], row["max_score"], row["late_penalty"]) == ("9", "17", "1")
    assert (row["status"], row["needs_manual_grade"]) == ("completed", "yes")
    assert row["submitted_at"] == "2026-03-02T21:00:00Z"
    assert row["network/holdout"] == "2"


def test_times_of_other_zones_are_told_in_utc():
    """A zone does not move a submission."""
    when = datetime(2026, 3, 2, 19, 0, tzinfo=timezone(timedelta(hours=2)))
    (row,) = read(grades_csv([replace(grade(), submitted_at=when)]))
    assert row["submitted_at"] == when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_several_assignments_keep_their_questions_apart():
    """Questions are named with their assignment, and empty where a grade has them not."""
    rows = read(grades_csv([grade(), grade(assignment="second")]))
    assert rows[0]["keras-fully-connected/network/layers"] == "4"
    assert rows[0]["second/network/layers"] == ""


@pytest.mark.parametrize("name", INJECTIONS)
def test_no_cell_is_a_formula(name):
    """Whatever a spreadsheet would run is prefixed with an apostrophe, or begins with something visible."""
    text = grades_csv([grade(name)])
    (row,) = read(text)
    assert row["student"][0] in "'⟨"
    assert "\t" not in text


def test_commas_quotes_and_line_breaks_make_no_cell_or_row():
    """Any CSV reader finds the same number of columns."""
    rows = list(csv.reader(grades_csv([grade('a,"b"\nc')]).splitlines()))
    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    assert rows[1][1] == 'a,"b" c'


def test_no_grades_is_a_table_without_rows():
    """The header stands alone."""
    assert grades_csv([]) == ",".join(COLUMNS) + "\n"


def test_the_terminals_rows_say_what_is_left_to_do():
    """Score, status, time, memory, and what a person has to do."""
    first, second = text_table([grade(), broken("emmy")])
    assert len(first) == len(TEXT_COLUMNS)
    assert first == ("ada", "11.23 / 17", "completed", "18.2", "792", "grade by hand: why, sketch")
    assert second[-1] == "test broken: holdout; grade by hand: why, sketch"
    assert to_do(replace(grade(), notebooks=())) == ""


def test_the_terminal_says_of_a_hand_in_that_is_no_notebook_whom_to_ask():
    (row,) = text_table([stopped("carl", "invalid", "no JSON", 0)])
    assert row[-1] == "ask for a notebook"


def test_the_terminal_gets_no_control_characters():
    """A student's name can't move the cursor or hide itself."""
    (row,) = text_table([grade("\x1b[2Jada\x07\u202e\n")])
    assert row[0] == "ada⟨U+0007⟩⟨U+202E⟩"
