"""What students see of hidden results before the due date, and the ladder."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.tiny import YAML, tiny_course
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.exchange.result_json import public
from autograder.records.checks import HIDDEN_BITS, CheckResult, Outcome
from autograder.records.course import Course
from autograder.records.diagnosis import Diagnosis
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.mistakes import ModelMistakes
from autograder.records.policies import Visibility
from autograder.records.waits import Waits
from autograder.results import report
from autograder.results.feedback import write_feedback
from autograder.results.student_view import for_students
from autograder.term.facts import load_term
from autograder.term.ladder import climbed, is_held_back, revealed_at, words

DUE = datetime(2099, 1, 31, 18, tzinfo=UTC)
NOW = datetime(2099, 1, 1, tzinfo=UTC)


def question(id: str, score: float, **how: object) -> QuestionGrade:
    outcome = Outcome.PASSED if score == 10 else Outcome.PARTIAL
    made = QuestionGrade(id, score, 10, outcome, "the loss is 0.73 on the holdout")
    return replace(made, **how)  # type: ignore[arg-type]


def grade(score: float = 5, exam: str = "1") -> Grade:
    questions = (
        question("open", 10),
        question("loss", score),
        question("secret", 9),
        question("essay", 4, by_hand=True),
    )
    book = NotebookGrade("nb", "completed", "", questions)
    return Grade("ada", "hw", (book,), late_penalty=3, content_keys={"exam": exam})


@pytest.fixture
def course(tmp_path: Path) -> Course:
    shown = "    shown: {before_due: score, step: 0.1, public: [open], private: [secret]}\n"
    return tiny_course(tmp_path / "course", yaml=YAML + "    due: 2099-01-31T18:00:00Z\n    late: zero\n" + shown)


def seen(course: Course, made: Grade, now: datetime = NOW) -> Grade:
    (found,) = for_students(course, course.assignments["hw"], [made], now)
    return found


# --- what pages tell of hidden labels in all ---------------------------------------------------------------


def measured(page: int, bits: int = 140, **how: object) -> Grade:
    """A hand-in of somebody who varies an answer: the loss is another one each time."""
    seen_loss = f"loss 0.7312, {page}"
    loss = CheckResult("loss", Outcome.PARTIAL, 0.5, seen_loss, evidence={"loss": 0.73121, HIDDEN_BITS: bits})
    questions = (question("layers", 10), question("loss", 5, checks=(loss,), hidden_bits=bits, **how))
    keys = {"exam": "1", "submission": str(page)}
    return Grade("ada", "hw", (NotebookGrade("nb", "completed", "", questions),), content_keys=keys)


@pytest.fixture
def open_course(tmp_path: Path) -> Course:
    return tiny_course(tmp_path / "course", yaml=YAML + "    due: 2099-01-31T18:00:00Z\n")


def test_pages_tell_a_bounded_number_of_bits_of_hidden_labels_before_the_due_date(open_course: Course) -> None:
    pages = [seen(open_course, measured(number)) for number in range(12)]
    told = ["0.7312" in repr(page) for page in pages]
    assert told == [True] * 8 + [False] * 4, (
        "140 bits for the first, 143 for another, 1,000 in all, and the page that ends it"
    )
    layers, loss = pages[-1].notebooks[0].questions
    assert layers == question("layers", 10)
    assert (loss.score, loss.checks) == (5, ())
    again = seen(open_course, measured(3))
    assert again == measured(3), "a page that was told stays as it is"
    assert seen(open_course, measured(11), DUE + timedelta(days=1)) == measured(11)


def points_alone(page: int, score: float, **how: object) -> Grade:
    """A hand-in whose test compares with hidden labels itself."""
    questions = (question("loss", score, hidden_bits=1, **how),)
    return Grade(
        "ada", "hw", (NotebookGrade("nb", "completed", "", questions),), content_keys={"submission": str(page)}
    )


@pytest.mark.parametrize("due", ["    due: 2099-01-31T18:00:00Z\n", ""])
def test_points_about_hidden_labels_are_bounded_too_with_and_without_a_due_date(tmp_path: Path, due: str) -> None:
    """After 250 results that are never the last one again, pages tell only whether the best rose by a tenth."""
    course = tiny_course(tmp_path / "course", yaml=YAML + due)
    told = for_students(course, course.assignments["hw"], [points_alone(n, n % 2 * 10) for n in range(251)], NOW)
    assert [page.score for page in told] == [n % 2 * 10 for n in range(251)]
    later = [seen(course, points_alone(1000 + n, score)).score for n, score in enumerate([3.37, 0, 9.99, 5, 10, 2])]
    assert later == [3, 3, 9, 9, 10, 10], "never full marks that are none"
    assert seen(course, points_alone(249, 10)).score == 10, "a page that was told stays as it is"


def test_passed_or_not_is_bounded_too(tmp_path: Path) -> None:
    rule = "    due: 2099-01-31T18:00:00Z\n    shown: passed\n"
    course = tiny_course(tmp_path / "course", yaml=YAML + rule)
    for_students(course, course.assignments["hw"], [points_alone(n, n % 2 * 10) for n in range(251)], NOW)
    later = [seen(course, points_alone(1000 + n, score)).held_back[0].words for n, score in enumerate([0, 10, 0])]
    assert later == ["not passed", "passed", "passed"]


def test_after_the_due_date_all_points_are_told_whatever_was_told_before(open_course: Course) -> None:
    for_students(open_course, open_course.assignments["hw"], [points_alone(n, n % 2 * 10) for n in range(251)], NOW)
    exact = points_alone(1000, 3.37)
    assert seen(open_course, exact, DUE + timedelta(seconds=1)) == exact


def test_without_a_due_date_staff_end_it_by_a_date_or_begin_anew(tmp_path: Path) -> None:
    course = tiny_course(tmp_path / "course", yaml=YAML)
    for_students(course, course.assignments["hw"], [points_alone(n, n % 2 * 10) for n in range(251)], NOW)
    exact = points_alone(1000, 3.37)
    assert (
        seen(course, exact, DUE)
        .notebooks[0]
        .questions[0]
        .message.endswith("This assignment has no due date after which you would see more: ask your instructor.")
    )
    (course.state / "shown/hw.json").rename(tmp_path / "kept.json")
    assert seen(course, exact, DUE) == exact
    (tmp_path / "kept.json").rename(course.state / "shown/hw.json")
    (course.root / "course.yaml").write_text(YAML + "    due: 2099-01-31T18:00:00Z\n")
    assert seen(load_course(course.root), exact, DUE + timedelta(days=1)) == exact


def test_no_point_is_held_back_for_what_pages_have_told(open_course: Course) -> None:
    """A learning system gets the score of whoever hands in often, too."""
    for number in range(12):
        page = seen(open_course, measured(number))
        assert (page.score, page.held_back) == (measured(number).score, ())


def test_a_page_that_measures_no_hidden_label_is_always_whole(open_course: Course) -> None:
    for number in range(30):
        assert seen(open_course, measured(number, bits=0)) == measured(number, bits=0)


def test_a_new_exam_does_not_begin_the_bits_anew(open_course: Course) -> None:
    for number in range(8):
        seen(open_course, measured(number))
    anew = replace(measured(20), content_keys={"exam": "2", "submission": "20"})
    assert "0.7312" not in repr(seen(open_course, anew))


def test_points_of_a_person_are_shown_whatever_was_told(open_course: Course) -> None:
    for number in range(8):
        seen(open_course, measured(number))
    by_hand = measured(20, by_hand=True)
    assert seen(open_course, by_hand) == by_hand


def test_a_students_result_has_the_digits_that_the_page_has(open_course: Course) -> None:
    (check,) = public(measured(0)).notebooks[0].questions[1].checks
    assert check.evidence["loss"] == 0.7312


# --- the ladder -----------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from([0.01, 0.05, 0.1, 0.25]))
def test_a_shown_score_only_climbs_by_steps_and_is_near_the_best(shares: list[float], step: float) -> None:
    shown: list[float] = []
    for share in shares:
        shown.append(climbed(shown[-1] if shown else None, share, step))
        again = climbed(shown[-1], share, step)
        assert again == shown[-1], "the same attempt again shows nothing new"
    moves = [b - a for a, b in itertools.pairwise(shown) if b != a]
    assert all(move >= step / 2 - 1e-6 for move in moves)
    assert len(moves) <= 2 / step + 1, "however often somebody hands in"
    best = max(shares)
    assert shown[-1] >= best - 1.5 * step - 1e-6
    assert shown[-1] <= best + step / 2 + 1e-6


def test_without_a_step_the_score_is_shown_as_it_is() -> None:
    assert (climbed(0.9, 0.2, 0), climbed(None, 0.2, 0)) == (0.2, 0.2)


# --- what is said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Visibility("nothing"), ""),
        (Visibility("passed"), "not passed"),
        (Visibility("score"), "5 of 10"),
        (Visibility("score", step=0.1), "best so far: 5 of 10"),
        (Visibility("score", private=("loss",)), ""),
    ],
)
def test_words_for_a_held_back_question(rule: Visibility, said: str) -> None:
    assert words(question("loss", 5), rule, 0.5) == said


def test_what_a_person_graded_and_what_is_public_is_not_held_back() -> None:
    rule = Visibility("nothing", public=("open",))
    held = [is_held_back(one, rule) for one in grade().notebooks[0].questions]
    assert held == [False, True, True, False]
    assert not is_held_back(question("essay", 0, outcome=Outcome.MANUAL, waits=Waits.WRITTEN), rule)
    assert [is_held_back(q, Visibility(private=("secret",))) for q in grade().notebooks[0].questions] == [
        False,
        False,
        True,
        False,
    ]


def test_before_the_due_date_a_page_tells_nothing_that_is_held_back(course: Course) -> None:
    found = seen(course, grade(7.3))
    assert [q.id for q in found.notebooks[0].questions] == ["open", "essay"]
    assert [(held.id, held.words) for held in found.held_back] == [("loss", "best so far: 7 of 10"), ("secret", "")]
    assert found.late_penalty == 0, "a share of the points would tell them"
    page = report.render_feedback(course, course.assignments["hw"], found, {})
    assert "2 questions are held back until 31 January 2099, 18:00 UTC" in page
    assert "best so far: 7 of 10" in page
    assert "7.3" not in page
    assert page.count("the loss is 0.73") == 2, "of the questions that are shown"


def test_the_ladder_remembers_from_one_grading_to_the_next(course: Course) -> None:
    shown = [seen(course, grade(score)).held_back[0].words for score in (5, 5.6, 6.2, 3, 6.3)]
    assert [text.removeprefix("best so far: ") for text in shown] == [
        "5 of 10",
        "5 of 10",
        "6 of 10",
        "6 of 10",
        "6 of 10",
    ]
    assert seen(course, grade(3, exam="2")).held_back[0].words == "best so far: 3 of 10", "another exam begins anew"


def test_after_the_last_students_due_date_everything_is_shown(course: Course) -> None:
    """Somebody with an extension could be told by the others."""
    assert seen(course, grade(), DUE + timedelta(seconds=1)) == grade()
    (course.root / "people.csv").write_text("id,extra_days\neve,1\nbob,\n")
    (course.root / "extensions.csv").write_text("student,assignment,days\nbob,hw,3\n")
    assert revealed_at(load_term(course), "hw") == DUE + timedelta(days=3)
    assert seen(course, grade(), DUE + timedelta(days=2)).held_back
    assert not seen(course, grade(), DUE + timedelta(days=4)).held_back


def test_pages_are_written_as_students_may_see_them(course: Course) -> None:
    (page,) = write_feedback(course, course.assignments["hw"], [grade(7.3)]).pages
    assert "held back until" in page.read_text()
    assert "7.3" not in page.read_text()


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ("everything", "assignment 'hw' cannot show 'everything'; it is one of nothing, passed"),
        ("{before_due: passed, step: 0.1}", "'step' of 'shown' in assignment 'hw' goes with before_due: score"),
        ("{public: [a], private: [a]}", "'a' of assignment 'hw' is both public and private"),
    ],
)
def test_a_rule_that_contradicts_itself_is_an_error(shown: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=message):
        tiny_course(tmp_path, yaml=YAML + f"    due: 2027-01-31\n    shown: {shown}\n")
    (tmp_path / "course.yaml").write_text(YAML + "    shown: nothing\n")
    with pytest.raises(CourseError, match="holds results back and has no due date"):
        load_course(tmp_path)


def test_what_would_help_is_held_back_with_the_question_that_measures_the_network(course: Course) -> None:
    diagnoses = tuple(Diagnosis("mse", 90, 0.05, question=name) for name in ("open", "secret", ""))
    made = grade()
    mistakes = tuple(ModelMistakes(name, "loss", 90) for name in ("open", "secret"))
    made = replace(made, notebooks=(replace(made.notebooks[0], diagnoses=diagnoses, mistakes=mistakes),))
    shown = seen(course, made).notebooks[0]
    assert [one.question for one in shown.diagnoses] == ["open"]
    assert [one.question for one in shown.mistakes] == ["open"]
