"""The page of an audit: right answers that lose points first, then questions and survivors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from helpers.browser import in_browser, misfits, violations, with_axe
from helpers.tiny import tiny_course

from autograder.extensions.trust.audit_page import write_page
from autograder.extensions.trust.audit_records import Audit, Loss, MutantVerdict, QuestionTally, Result, diff, to_json
from autograder.extensions.trust.course_keys import audit_floor
from autograder.extensions.trust.mutants import Mutant
from autograder.extensions.trust.mutants.feeds import Feeds
from autograder.records.course import Assignment

BEFORE = "def double(x):\n    return 2 * x"
FEEDS = Feeds(("test-double",), ("test-double",))


def mutant(family: str, after: str, operator: str = "+ for *") -> Mutant:
    return Mutant(family, operator, "nb", "double", BEFORE, after, FEEDS)


LOST = Result(
    mutant("honest", "double = lambda x: 2 * x", "a lambda"),
    MutantVerdict.LOST,
    (Loss("test-double", 1.5, "`double` has no docstring <b>"),),
)
SPARED = Result(mutant("honest", "double = lambda x: 2 * x", "a lambda"), MutantVerdict.SPARED)
SURVIVED = Result(
    mutant("code", BEFORE.replace("*", "+")),
    MutantVerdict.SURVIVED,
    is_decided=True,
    reason="`double(3)` gives 5 instead of 6",
    advice="It would be seen by `check.function(double, cases=[((3,), 6)])`.",
)
CAUGHT = Result(
    mutant("code", BEFORE.replace("2", "3"), "a number one too large"),
    MutantVerdict.CAUGHT,
    (Loss("test-double", 2, ""),),
)
SAME = Result(
    mutant("code", BEFORE.replace("2 * x", "x + x"), "x + x"), MutantVerdict.EQUIVALENT, reason="equal for 300 inputs"
)


def audit_of(*results: Result, floor: float | None = None) -> Audit:
    survived = sum(r.verdict is MutantVerdict.SURVIVED for r in results)
    caught = sum(r.verdict is MutantVerdict.CAUGHT for r in results)
    tally = QuestionTally("test-double", "nb", "Doubling", 2, caught, 0, survived, 1, 1, ("Weak: 1 of 2.",))
    return Audit("hw", 0, 2, 3.5, 9, results, (tally,), ("a note with `code`",), floor)


@pytest.fixture
def page(tmp_path: Path) -> str:
    course = tiny_course(tmp_path)
    found = audit_of(CAUGHT, SURVIVED, SAME, LOST, floor=0.9)
    path = write_page(course, course.assignments["hw"], found)
    assert path == tmp_path / "reports/hw-audit.html"
    return path.read_text()


def test_right_answers_that_lose_points_come_first(page: str) -> None:
    headings = re.findall(r"<h2>([^<]*)</h2>", page)
    assert headings == ["Right answers that lose points", "Questions", "Survivors", "Families"]


def test_a_survivor_is_a_diff_with_its_question_and_a_check(page: str) -> None:
    shown = page.split("<h2>Survivors</h2>")[1].split("</section>")[0]
    assert "<code>test-double</code>" in shown
    assert '<span class="removed">-    return 2 * x</span>' in shown
    assert '<span class="added">+    return 2 + x</span>' in shown
    assert "<code>check.function(double, cases=[((3,), 6)])</code>" in shown


def test_the_page_says_what_the_floor_is(page: str) -> None:
    assert "90 % of the wrong answers must be caught" in page


def test_a_row_names_its_columns_on_narrow_screens(page: str) -> None:
    for title in ("Points", "Caught", "As it should be", "Of", "Equivalent"):
        assert f'data-label="{title}"' in page


def test_the_page_runs_nothing_and_asks_nobody(page: str) -> None:
    assert "<script" not in page
    assert "http" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S).replace("http-equiv", "")
    assert "no docstring &lt;b&gt;" in page


@pytest.mark.integration
@in_browser
def test_nothing_of_the_page_is_cut_on_any_screen(page: str) -> None:
    assert misfits({"audit": page}) == []


@pytest.mark.integration
@with_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(page: str, dark: bool) -> None:
    assert violations(page, dark=dark) == []


def test_json_says_the_same() -> None:
    said = json.loads(json.dumps(to_json(audit_of(CAUGHT, SURVIVED, SAME, LOST))))
    assert (said["caught"], said["wrong"], said["share"]) == (1, 2, 0.5)
    assert [r["verdict"] for r in said["results"]] == ["caught", "survived", "equivalent", "lost"]
    assert said["results"][1]["diff"] == diff(SURVIVED.mutant)
    assert said["families"] == {"honest": [0, 1, 0], "code": [1, 2, 1]}


@pytest.mark.parametrize(
    ("results", "floor", "below"),
    [
        ((CAUGHT,), None, False),
        ((CAUGHT,), 1.0, False),
        ((CAUGHT, SURVIVED), 0.5, False),
        ((CAUGHT, SURVIVED), 0.6, True),
        ((CAUGHT, LOST), 0.5, True),
        ((), 0.5, True),
        ((SAME,), 0.5, True),
        ((SPARED,), 0.5, False),
        ((LOST,), 0.5, True),
    ],
)
def test_a_floor_is_missed_by_survivors_and_by_right_answers_that_lose(
    results: tuple[Result, ...], floor: float | None, below: bool
) -> None:
    assert audit_of(*results, floor=floor).is_below_floor is below


def test_an_assignment_has_no_floor_by_default() -> None:
    assert audit_floor(Assignment("hw", "Homework")).caught is None
