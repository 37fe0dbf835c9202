"""Acceptance tests 79 and 80: hidden labels read off points and messages, which tell more than one bit each.

79: on the pages of a course. 80: on a platform, which keeps no memory of what it has told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from helpers.tiny import YAML, Here, observe_here, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.assignment import observed_release
from autograder.exchange import result_json
from autograder.extensions.platforms import program
from autograder.extensions.platforms.command_steps import told_of_hidden_data
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.platform_table import ARTEMIS, GRADESCOPE, PLATFORMS, PRAIRIELEARN
from autograder.records.checks import MAX_BITS
from autograder.records.course import Course
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.results.student_view import for_students

pytestmark = pytest.mark.integration

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LABELS = np.array([1, 0, 0, 1, 1, 0, 1])
DATA = "held = check.hidden_data('holdout.npz')\n"
READING = f"def double(x):\n    return [0.5 + 2.0**-(row + 1) for row in range({len(LABELS)})]"
"""Predictions of which each moves the mean error by another power of two, to the side that the label says."""
TESTS = {
    "points": "2 * float(1 - np.abs(np.array(double(held['X'].tolist())) - held['y']).mean())",
    "count": "check.close(double(held['X'].tolist()), held['y'])",
    "share": "check.report('labels', float(1 - np.abs(np.array(double(held['X'].tolist())) - held['y']).mean()), 'some')",
    "message": "error = float(np.abs(np.array(double(held['X'].tolist())) - held['y']).mean())\n"
    "check.report('labels', float(error < 1), f'the error is {error:.6f}')",
    "assertions": "\n".join(f"assert round(double(held['X'].tolist())[{n}]) == held['y'][{n}]" for n in range(7)),
    "verdict": "assert np.allclose(double(held['X'].tolist()), held['y'])",
    "exceptions": "double(held['X'].tolist()); double(1)",
}
SOLUTION = f"def double(x):\n    ### BEGIN SOLUTION\n    return {LABELS.tolist()}\n    ### END SOLUTION"


def course_of(root: Path, test: str, **how: str) -> Course:
    hidden = f"import numpy as np\nfrom autograder import check\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    (root / "source/hw/hidden").mkdir(parents=True)
    np.savez(root / "source/hw/hidden/holdout.npz", X=np.arange(float(len(LABELS))), y=LABELS)
    yaml = f"{YAML}    hidden: [holdout.npz]\n    due: 2099-01-31T18:00:00Z\n"
    return tiny_course(root, solution=SOLUTION, test=hidden, yaml=yaml, **how)


def graded(course: Course, answer: str = READING) -> tuple[QuestionGrade, Grade]:
    submit(course, "eve", answer)
    works = batch.plan(course, tiny_release(course))
    assert batch.run(works, execute=Here(), force=True).not_graded == ()
    grade = result_json.read(course.autograded("eve", "hw") / "result.json")
    return grade.notebooks[0].questions[0], grade


def decoded(points: float) -> list[int]:
    """The labels, by the points of one page: each prediction is nearer to its label, or farther away."""
    left = (1 - points / 2) * len(LABELS) - len(LABELS) / 2  # the sum of the signed powers of two
    labels = []
    for row in range(len(LABELS)):
        labels.append(int(left < 0))
        left += 2.0 ** -(row + 1) * (1 if left < 0 else -1)
    return labels


def graded_again(grade: Grade, book: NotebookGrade, number: int) -> Grade:
    return replace(grade, notebooks=(book,), graded_at=NOW + timedelta(minutes=number))


def test_79_control_the_points_of_one_page_are_several_labels(tmp_path: Path) -> None:
    question, _ = graded(course_of(tmp_path, DATA + TESTS["points"]))
    assert decoded(question.score)[:5] == LABELS[:5].tolist()


@pytest.mark.parametrize(
    ("test", "bits"),
    [("points", 9), ("count", 3), ("share", 9), ("message", 25), ("assertions", 5), ("verdict", 1)],
)
def test_79_each_result_counts_as_what_it_can_tell(tmp_path: Path, test: str, bits: int) -> None:
    """The logarithm of the number of scores, a bit for right or wrong, and the digits of messages."""
    assert graded(course_of(tmp_path, DATA + TESTS[test]))[0].hidden_bits == bits


def test_79_exceptions_of_the_students_code_count_too(tmp_path: Path) -> None:
    raising = "def double(x):\n    if x == 1:\n        raise KeyError\n    raise ValueError"
    assert graded(course_of(tmp_path, DATA + TESTS["exceptions"]), raising)[0].hidden_bits > 16


def test_79_labels_come_at_a_rate_that_is_bounded_for_the_assignment(tmp_path: Path) -> None:
    course = course_of(tmp_path, DATA + TESTS["points"])
    question, grade = graded(course)
    told = []
    for number in range(300):
        score = round(0.5 + 0.01 * (number % 97), 2)
        book = replace(grade.notebooks[0], questions=(replace(question, score=score),))
        page = replace(grade, notebooks=(book,), content_keys={"submission": str(number)})
        (seen,) = for_students(course, course.assignments["hw"], [page], NOW)
        told.append(seen.score == score)
    assert sum(told[:84]) == 84, "9 bits for the first, 12 for each other result"
    assert sum(told[84:]) < 30, "only where a tenth is the score"


def test_79_the_same_notebook_with_another_result_counts_again(tmp_path: Path) -> None:
    """One that draws its answers by chance: what it is told is of the draw."""
    course = course_of(tmp_path, DATA + TESTS["points"])
    told, (question, grade) = [], graded(course)
    for number in range(300):
        score = round(0.5 + 0.01 * (number % 97), 2)
        book = replace(grade.notebooks[0], questions=(replace(question, score=score),))
        (seen,) = for_students(course, course.assignments["hw"], [graded_again(grade, book, number)], NOW)
        told.append(seen.score == score)
    assert sum(told[84:]) < 30, "only where a tenth is the score"


def test_79_control_an_unchanged_question_costs_a_fifth_of_a_bit(tmp_path: Path) -> None:
    course = course_of(tmp_path, DATA + TESTS["points"])
    _, grade = graded(course)
    for number in range(300):
        page = graded_again(grade, grade.notebooks[0], number)
        assert for_students(course, course.assignments["hw"], [page], NOW) == (page,)


@pytest.mark.parametrize(
    "test",
    [
        "check.report('layers', 0.5, '12 of 24 layers are right')\n" + DATA + "assert double(0)",
        "2 * (double(0)[0] == 1)",
        "assert double(0)",
    ],
)
def test_79_control_what_is_not_of_hidden_data_counts_nothing_or_a_bit(tmp_path: Path, test: str) -> None:
    assert graded(course_of(tmp_path, test))[0].hidden_bits == int("hidden_data" in test)


# --- platforms ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Grade:
    from autograder.records.checks import HIDDEN_BITS, CheckResult, Outcome, shortcomings

    checks = (
        CheckResult("layers", Outcome.FAILED, 0.0, "there are 3 layers, not 2"),
        CheckResult(
            "accuracy", Outcome.PARTIAL, 0.5, "accuracy 0.7312", evidence={HIDDEN_BITS: 14, "accuracy": 0.7312}
        ),
    )
    question = QuestionGrade("q", 1.0, 4.0, Outcome.PARTIAL, shortcomings(checks), checks=checks, hidden_bits=14)
    plain = QuestionGrade("p", 1.0, 1.0, Outcome.PASSED, "")
    _, grade = graded(course_of(tmp_path_factory.mktemp("course"), DATA + TESTS["verdict"]))
    return replace(grade, notebooks=(replace(grade.notebooks[0], questions=(question, plain)),))


def results(root: Path, grade: Grade, name: str, metadata: object = None) -> str:
    if metadata is not None:
        (root / "submission_metadata.json").write_text(metadata if isinstance(metadata, str) else json.dumps(metadata))
    platform = PLATFORMS[name]
    seen, chosen = program.as_told(platform, root, grade, PackageSettings(step=1.0))
    return platform.format.graded(seen, chosen, (), 1.0, 2).results


def history(*bits: int, due: str | None = "2027-01-31") -> dict[str, object]:
    earlier = [{"score": "1.0", "results": {"score": 1.0, "extra_data": {"hidden_bits": each}}} for each in bits]
    return {"previous_submissions": earlier, "assignment": {"due_date": due}}


@pytest.mark.parametrize("name", ["prairielearn", "artemis"])
def test_80_a_platform_without_a_memory_tells_no_number_of_hidden_data(
    tmp_path: Path, measured: Grade, name: str
) -> None:
    told = results(tmp_path, measured, name)
    assert "0.7312" not in told
    assert "there are 3 layers, not 2" in told


def test_80_gradescope_tells_numbers_until_its_own_history_says_enough(tmp_path: Path, measured: Grade) -> None:
    first = json.loads(results(tmp_path, measured, "gradescope", history()))
    assert "0.7312" in str(first)
    assert first["extra_data"]["hidden_bits"] == 14
    assert "as they may" not in first["output"]
    assert "0.7312" in results(tmp_path, measured, "gradescope", history(*[14] * 71))
    last = json.loads(results(tmp_path, measured, "gradescope", history(*[14] * 72)))
    assert "0.7312" not in str(last)
    assert [test["visibility"] for test in last["tests"]] == ["after_due_date", "visible"]
    assert last["score"] == first["score"], "points stay exact, and are seen later"
    assert "q: you see the points after the due date. Your earlier results have told as much" in last["output"]
    without = json.loads(results(tmp_path, measured, "gradescope", history(MAX_BITS, due=None)))
    assert without["tests"][0]["visibility"] == "after_published"
    assert "q: you see the points once grades are published." in without["output"]


def test_80_gradescope_counts_the_last_result_again_as_a_fifth_of_a_bit(tmp_path: Path, measured: Grade) -> None:
    hand_ins = history()
    for _ in range(40):
        told = json.loads(results(tmp_path, measured, "gradescope", hand_ins))
        assert "0.7312" in str(told)
        hand_ins["previous_submissions"] += [{"results": told}]  # type: ignore[operator]
    bits = [earlier["results"]["extra_data"]["hidden_bits"] for earlier in hand_ins["previous_submissions"]]  # type: ignore[attr-defined]
    assert bits == [14, *[0.2] * 39]
    (book,) = measured.notebooks
    other = replace(book, questions=(replace(book.questions[0], score=1.5), book.questions[1]))
    told = json.loads(results(tmp_path, replace(measured, notebooks=(other,)), "gradescope", hand_ins))
    assert told["extra_data"]["hidden_bits"] == 17


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "[]",
        "{}",
        '{"previous_submissions": 3}',
        '{"previous_submissions": [7]}',
        '{"previous_submissions": [{"results": {"extra_data": {"last_told": 7}}}], "assignment": {"due_date": null}}',
    ],
)
def test_80_a_history_that_cannot_be_read_tells_less(tmp_path: Path, measured: Grade, damaged: str) -> None:
    told = json.loads(results(tmp_path, measured, "gradescope", damaged))
    assert "0.7312" not in str(told)
    assert [test["visibility"] for test in told["tests"]] == ["visible", "visible"]


def test_80_earlier_results_of_another_kind_tell_nothing(tmp_path: Path, measured: Grade) -> None:
    about = history()
    about["previous_submissions"] = [{"results": None}, {"results": {}}, {"results": {"extra_data": {}}}, {}]
    assert "0.7312" in results(tmp_path, measured, "gradescope", about)


def test_80_control_what_is_not_measured_on_hidden_data_is_told_everywhere(tmp_path: Path, measured: Grade) -> None:
    def untold() -> Iterator[QuestionGrade]:
        for question in measured.notebooks[0].questions:
            yield replace(
                question, hidden_bits=0, checks=tuple(replace(check, evidence={}) for check in question.checks)
            )

    public = replace(measured, notebooks=(replace(measured.notebooks[0], questions=tuple(untold())),))
    for name in PLATFORMS:
        assert "0.7312" in results(tmp_path, public, name, history(MAX_BITS))


def test_80_the_command_says_how_many_bits_a_hand_in_tells(tmp_path: Path) -> None:
    course = course_of(tmp_path, DATA + TESTS["points"])
    observe_here(course)
    release, _ = observed_release(course, course.assignments["hw"])
    for platform, words in ((GRADESCOPE, "wait for the due date"), (ARTEMIS, "nobody counts"), (PRAIRIELEARN, "limit")):
        (said,) = told_of_hidden_data(release, platform)
        assert "tells up to 9 bits of hidden data" in said
        assert words in said


def test_80_control_without_hidden_data_the_command_says_nothing(tmp_path: Path) -> None:
    course = course_of(tmp_path, "assert double(0)")
    observe_here(course)
    release, _ = observed_release(course, course.assignments["hw"])
    assert list(told_of_hidden_data(release, ARTEMIS)) == []
