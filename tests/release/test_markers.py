"""Markers in source notebooks: near misses and open parts are found, prose and code are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.course.nbgrader_config import NbgraderConfig
from autograder.errors import CourseError
from autograder.release.markers import Markers, course_markers, find_slip, read_cell, unreleased

SOLUTION, HIDDEN, SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"


def cell(source: str, *flags: str, kind: str = "code") -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {"nbgrader": dict.fromkeys(flags, True)}}


def faults(source: str, *flags: str, kind: str = "code", markers: Markers | None = None) -> list[tuple[int, str]]:
    return read_cell(cell(source, *flags, kind=kind), markers or Markers()).faults


NEAR = {
    "### BEGIN HIDDEN TEST": f"### BEGIN {HIDDEN}",
    "### begin hidden tests": f"### BEGIN {HIDDEN}",
    "# begin hidden test": f"### BEGIN {HIDDEN}",
    "### HIDDEN TESTS": f"### BEGIN {HIDDEN}",
    "### Hidden tests": f"### BEGIN {HIDDEN}",
    "# HIDDEN TESTS": f"### BEGIN {HIDDEN}",
    "### BEGIN_HIDDEN_TESTS": f"### BEGIN {HIDDEN}",
    "###BEGIN-HIDDEN-TESTS###": f"### BEGIN {HIDDEN}",
    "### BEGIN  HIDDEN TESTS": f"### BEGIN {HIDDEN}",
    "### BEGIN HIDDENTESTS": f"### BEGIN {HIDDEN}",
    "### BEGINHIDDENTESTS": f"### BEGIN {HIDDEN}",
    "### BEGN HIDDEN TESTS": f"### BEGIN {HIDDEN}",
    "### BEGIN HIDEN TESTS": f"### BEGIN {HIDDEN}",
    "### BEGIN HDDEN TSTS": f"### BEGIN {HIDDEN}",
    "### BEGIN HIDDEN": f"### BEGIN {HIDDEN}",
    "### START HIDDEN TESTS": f"### BEGIN {HIDDEN}",
    "# HIDDEN TESTS BEGIN": f"### BEGIN {HIDDEN}",
    "### Begin of the hidden tests": f"### BEGIN {HIDDEN}",
    "begin hidden tests": f"### BEGIN {HIDDEN}",
    "x = f(1)  # begin hidden tests": f"### BEGIN {HIDDEN}",
    "### END HIDDEN TEST": f"### END {HIDDEN}",
    "### EDN HIDDEN TESTS": f"### END {HIDDEN}",
    "    ### end hidden tests": f"### END {HIDDEN}",
    "### HIDDEN TESTS END": f"### END {HIDDEN}",
    "### begin solution": f"### BEGIN {SOLUTION}",
    "    # Begin solution": f"### BEGIN {SOLUTION}",
    "### BEGIN_SOLUTIONS": f"### BEGIN {SOLUTION}",
    "### BEIGN SOLUTION": f"### BEGIN {SOLUTION}",
    "### BEGIN SOULTION": f"### BEGIN {SOLUTION}",
    "### SOLUTION": f"### BEGIN {SOLUTION}",
    "### END SOLUTON": f"### END {SOLUTION}",
    "# end solution": f"### END {SOLUTION}",
    "### STOP SOLUTION": f"### END {SOLUTION}",
    "### BEGIN MARKSCHEME": f"### BEGIN {SCHEME}",
    "### BEGIN MARKING SCHEME": f"### BEGIN {SCHEME}",
    "=== begin mark scheme ===": f"### BEGIN {SCHEME}",
    "### MARK SCHEME": f"### BEGIN {SCHEME}",
    "### END MARK-SCHEME": f"### END {SCHEME}",
}


@pytest.mark.parametrize("line", NEAR)
def test_a_near_miss_of_a_marker_is_told_with_line_and_right_spelling(line: str) -> None:
    found = faults(f"a = 1\n{line}\nassert a == 1", "grade")
    assert [number for number, _ in found] == [2]
    assert f"{line.strip()!r} is not a marker" in found[0][1]
    assert f"write {NEAR[line]!r}" in found[0][1]


PROSE = [
    "# hidden tests run later",
    "# hidden tests",
    "# Hidden tests",
    "# Here hidden tests check your model",
    "# the hidden tests begin at line 7",
    "### Hidden tests check your function with other numbers",
    "### Your solution",
    "# solution",
    "# Solution",
    "# the solution",
    "# find solution",
    "### Find solution",
    "# send solution",
    "### Send solution",
    "# one solution",
    "# start solution",
    "# best solution",
    "# and solution",
    "# end of loop",
    "# begin test",
    "### BEGIN TESTS",
    "### END TESTS",
    "# being solution",
    "# YOUR CODE HERE",
    "solution = solve(problem)",
    "end_solution = path[-1]  # where the path ends",
    "hidden_tests = 3",
    "end_solution",
    "end = solution",
    "begin, solution",
    "end(solution)",
    "'begin': solution,",
    "x = 1  # end = solution",
    "f(end)  # solution",
    "hidden = layers.Dense(8)",
    "SOLUTIONS = 4",
    "# marks: scheme A",
    "print('the hidden tests begin')",
]


@pytest.mark.parametrize("line", PROSE)
def test_prose_and_code_are_no_markers(line: str) -> None:
    assert faults(f"a = 1\n{line}\nassert a == 1", "grade") == []


@pytest.mark.parametrize(
    "text",
    [
        "The hidden tests check your model.",
        "## Solution",
        "## SOLUTION",
        "### Hidden tests",
        "# Marking scheme\n\nEach part is worth a point.",
        "**Begin** with a solution of your own.",
        "The solution ends here",
        "- solution",
    ],
)
def test_prose_of_a_text_is_no_marker(text: str) -> None:
    assert faults(text, kind="markdown") == []


@pytest.mark.parametrize(
    "text", ["### begin mark scheme", "### Begin solution", "MARK SCHEME", "### BEGIN MARK SCHEMES"]
)
def test_markers_of_a_text_are_looked_at_as_well(text: str) -> None:
    assert len(faults(f"Explain.\n{text}\nBecause.", "task", kind="markdown")) == 1


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (
            "f()\n### END HIDDEN TESTS",
            2,
            "ends nothing: the lines above it would be released; put '### BEGIN HIDDEN TESTS'",
        ),
        ("### BEGIN HIDDEN TESTS\nf()", 1, "has no '### END HIDDEN TESTS' after it"),
        (
            "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS",
            2,
            "inside the part that begins in line 1; end that first, with '### END HIDDEN TESTS'",
        ),
        ("### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS\n### END SOLUTION", 2, "inside the part that begins in line 1"),
        ("### BEGIN MARK SCHEME\n### END MARK SCHEME\nf()\n### END MARK SCHEME", 4, "ends nothing"),
        ("### BEGIN SOLUTION\n### END SOLUTION\n### END HIDDEN TESTS", 3, "ends nothing"),
    ],
)
def test_a_part_that_is_open_at_one_end_is_told(source: str, line: int, message: str) -> None:
    found = faults(source, "grade")
    assert found[0][0] == line
    assert message in found[0][1]


@pytest.mark.parametrize(
    ("source", "numbers", "right"),
    [
        (f"### BEGIN {HIDDEN}\nf()\n### END HIDEN TESTS\ngiven()\n### END {HIDDEN}", [3], f"### END {HIDDEN}"),
        (f"### BEGIN {HIDDEN}\nf()\n### END HIDEN TESTS\n\n# a hint\n### END {HIDDEN}", [3], f"### END {HIDDEN}"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTON\ny = 2\n### END SOLUTION", [3], f"### END {SOLUTION}"),
        ("### BEGIN SOLUTION\nx = 1\n# end of the solution\nf()\n### END SOLUTION", [3], f"### END {SOLUTION}"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTON\ny = 2", [3], f"### END {SOLUTION}"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTON", [3], f"### END {SOLUTION}"),
        (
            "### BEGIN SOLUTION\nx = 1\n### END SOLUTON\ny = 2\n### BEGIN SOLUTION\nz = 3\n### END SOLUTION",
            [3],
            f"### END {SOLUTION}",
        ),
        (
            "### BEGIN SOLUTION\nx = 1\n### END SOLUTON\ny = 2\n### BEIGN SOLUTION\nz = 3\n### END SOLUTION",
            [3, 5],
            f"### END {SOLUTION}",
        ),
    ],
)
def test_a_near_miss_inside_a_part_that_hides_what_students_should_get_is_told(
    source: str, numbers: list[int], right: str
) -> None:
    found = faults(source, "grade")
    assert [number for number, _ in found] == numbers
    assert (
        f"the part that begins in line 1 goes on below it, and students get nothing of that: write {right!r}"
        in (found[0][1])
    )


def test_a_misspelled_begin_inside_a_part_that_nothing_ended_is_told() -> None:
    ((number, fault),) = faults(f"### BEGIN {HIDDEN}\nf()\ngiven()\n### BEIGN {HIDDEN}\ng()\n### END {HIDDEN}", "grade")
    assert number == 4
    assert "the part that begins in line 1 goes on below it: end that above it, with '### END HIDDEN TESTS'" in fault
    assert "write '### BEGIN HIDDEN TESTS'" in fault


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1\n# end of the solution\n### END SOLUTION\nf()",
        "### BEGIN SOLUTION\nx = 1\n# end of the solution\n\n  \n### END SOLUTION",
        "### BEGIN SOLUTION\nx = 1\n# end solution\n### End solution\n### END SOLUTION",
        "### BEGIN SOLUTION\n\n# begin solution\nx = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### SOLUTION\nx = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\nx = 1\n# end of the loop\ny = 2\n### END SOLUTION",
        f"### BEGIN {HIDDEN}\nf()\n# end solution\ng()\n### END {HIDDEN}",
    ],
)
def test_a_comment_inside_a_part_that_keeps_nothing_from_students_is_none(source: str) -> None:
    assert faults(source, "grade") == []


@pytest.mark.parametrize("between", ["", "\n", "  \n\n"])
def test_a_second_end_right_after_the_first_is_no_fault(between: str) -> None:
    source = f"def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n{between}    ### END SOLUTION\nf()"
    read = read_cell(cell(source, "solution"), Markers())
    assert read.faults == []
    assert [line for line in read.visible if line.strip()] == ["def f():", "f()"]


def test_what_is_within_a_part_is_hidden_and_may_say_anything() -> None:
    source = "f()\n### BEGIN HIDDEN TESTS\n# HIDDEN TESTS\n# begin solution\n### END HIDDEN TESTS\ng()"
    read = read_cell(cell(source, "grade"), Markers())
    assert read.faults == []
    assert read.visible == ["f()", "", "", "", "", "g()"]


@pytest.mark.parametrize("heading", ["# HIDDEN TESTS", "### Hidden tests"])
def test_a_heading_before_the_real_marker_is_fine(heading: str) -> None:
    assert faults(f"{heading}\n### BEGIN HIDDEN TESTS\nf()\n### END HIDDEN TESTS", "grade") == []


def test_an_answer_that_is_replaced_as_a_whole_may_be_called_a_solution() -> None:
    read = read_cell(cell("# SOLUTION\nx = 1", "solution"), Markers())
    assert (read.faults, read.visible) == ([], ["", ""])
    assert len(faults("# SOLUTION\nx = 1")) == 1
    assert faults("def f():\n    ###begin solution\n    return 1\n    ###end solution", "solution") == []
    assert len(faults("def f():\n    # begin solution\n    return 1")) == 1
    assert len(faults("def f():\n    # begin hidden tests\n    return 1", "solution")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "### autotest squares(3)",
        "### AUTO TEST squares(3)",
        "# Auto-test: squares(3)",
        "### AUTOTETS squares(3); squares(4)",
        "### AUTOTET x",
        "### hashed AUTOTEST squares(3)",
        "### HASH AUTOTEST squares(3)",
        "### HASHED autotest squares(3)",
    ],
)
def test_a_near_miss_of_autotest_is_told(line: str) -> None:
    ((number, message),) = faults(f"a = 1\n{line}", "grade")
    assert number == 2
    assert "AUTOTEST" in message.partition("write")[2]


@pytest.mark.parametrize(
    "line",
    [
        "### AUTOTEST squares(3)",
        "### HASHED AUTOTEST squares(3)",
        "# autotests run later",
        "# Autotests below",
        "### autotest your function with these",
        "# auto tests",
        "autotest(3)",
    ],
)
def test_comments_about_autotests_are_none(line: str) -> None:
    assert faults(f"a = 1\n{line}", "grade") == []


def config(**options: dict[str, Any]) -> NbgraderConfig:
    return NbgraderConfig(options)


OWN = course_markers(
    config(
        ClearSolutions={"begin_solution_delimeter": "SECRET", "end_solution_delimeter": "DONE"},
        ClearHiddenTests={"begin_test_delimeter": "### HIDE FROM HERE", "end_test_delimeter": "### HIDE TO HERE"},
    )
)


def test_the_courses_own_markers_are_markers() -> None:
    assert faults("x = 1  # SECRET\n# DONE\n### HIDE FROM HERE\nf()\n### HIDE TO HERE", "grade", markers=OWN) == []


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("### BEGIN SOLUTION", "### SECRET"),
        ("### END HIDDEN TESTS", "### HIDE TO HERE"),
        ("## HIDE FROM HERE", "### HIDE FROM HERE"),
        ("### hide from here", "### HIDE FROM HERE"),
    ],
)
def test_nbgraders_markers_and_near_misses_are_told_where_a_course_has_its_own(line: str, right: str) -> None:
    ((_, message),) = faults(f"{line}\nf()", "grade", markers=OWN)
    assert f"write {right!r}" in message


@pytest.mark.parametrize("line", ["# done", "# DONE", "# secret", "print('SECRET')"])
def test_a_word_that_is_a_courses_marker_is_a_word_in_another_case(line: str) -> None:
    expected = [] if line.islower() else [1]
    assert [number for number, _ in faults(line, markers=OWN)] == expected


def test_a_marker_that_is_computed_is_an_error() -> None:
    computed = NbgraderConfig({}, {("ClearSolutions", "begin_solution_delimeter"): 3})
    with pytest.raises(
        CourseError, match=r"nbgrader_config.py:3: c.ClearSolutions.begin_solution_delimeter is computed"
    ):
        course_markers(computed)


def test_a_row_of_data_is_no_marker() -> None:
    assert find_slip("end,solution", Markers(), is_code=False) is None
    assert find_slip("end solution", Markers(), is_code=False) is not None


def test_a_long_line_is_prose_at_once() -> None:
    assert find_slip("# BEGIN " + "HIDDEN " * 100_000, Markers(), is_code=True) is None


def test_a_heading_that_says_no_more_than_a_marker_is_to_be_reworded() -> None:
    """Nobody can tell it from a marker that is meant to hide what follows."""
    ((line, fault),) = faults("Text\n# Begin solution\nMore", kind="markdown")
    assert line == 2
    assert fault.endswith("(or, if it is not meant as a marker, reword it)")
    assert faults("# Begin with the sketch", kind="markdown") == []


def test_what_is_not_released_of_a_cell_is_told_without_its_markers() -> None:
    source = "Explain.\n### BEGIN MARK SCHEME\n- 1 point: this\n### END MARK SCHEME\nBriefly."
    assert unreleased(source, "Explain.\nBriefly.", Markers()) == "- 1 point: this"
