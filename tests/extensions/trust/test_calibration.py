"""Calibration: what is said of thresholds that are right, weak, decided by a coin, or met by everything."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from helpers.browser import in_browser, misfits, violations, with_axe
from helpers.measured import ANSWER, SETUP, calibrate, losing, measured_course, measuring, run
from helpers.pages import inert
from helpers.tiny import Here, cell, notebook, tiny_release

from autograder._util.notebook import read_notebook
from autograder.coordinator import batch
from autograder.coordinator.pool import in_processes
from autograder.extensions.trust.calibration_findings import summary
from autograder.extensions.trust.calibration_report import table, write_page
from autograder.extensions.trust.calibration_runs import CalibrationError, Candidate
from autograder.extensions.trust.calibration_statistics import upper_bound
from autograder.records.course import Assignment, Course
from autograder.release import calibration_record
from autograder.release.calibration_record import standing
from autograder.release.release_files import release_files
from autograder.results.publication import on_disk, write_report

pytestmark = pytest.mark.integration  # each calibrates, which takes about half a second

WORK = Assignment("hw", title="Measuring")
WEAK = "measured = 0.6 + 0.01 * np.random.normal()"
FEW = 8
"""Runs where their number decides nothing."""


def test_each_run_has_other_seeds_and_the_counts_are_those_of_its_values(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.51), answers={"weak": WEAK})
    made = calibrate(course)
    (check,) = made.checks
    assert len(set(check.values)) == 20
    assert check.mean == pytest.approx(0.5, abs=0.01)
    assert check.spread == pytest.approx(0.01, abs=0.006)
    assert (check.lost.hits, check.lost.runs) == (losing(check.values, 0.51), 20)
    assert check.lost.at_most == pytest.approx(upper_bound(check.lost.hits, 20))
    (weak,) = check.answers
    assert (weak.name, weak.passed.hits, weak.passed.runs) == ("weak", 0, 20)
    assert made.literals == 1


def test_a_wrong_answer_is_judged_where_it_differs_from_the_solution(tmp_path: Path) -> None:
    """What a weak notebook leaves as the solution has it passes, and says nothing of that threshold."""
    course = measured_course(tmp_path)
    second = "### BEGIN SOLUTION\nseparate = 0.5 + 0.01 * np.random.normal()\n### END SOLUTION"
    cells = [
        cell(SETUP, "setup", locked=True),
        cell(ANSWER, "measure", solution=True),
        cell(measuring(0.55), "test-1", grade=True, locked=True, points=2),
        cell(second, "separate", solution=True),
        cell(measuring(0.55).replace("measured", "separate"), "test-2", grade=True, locked=True, points=2),
    ]
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells))
    folder = course.source("hw") / "answers"
    folder.mkdir()
    answers = [
        cells[0],
        cell(WEAK, "measure", solution=True),
        cell(f"# as it was\n{second}", "separate", solution=True),
    ]
    (folder / "weak.ipynb").write_text(notebook(*answers))
    (folder / "good.ipynb").write_text(notebook(*answers[:1], cells[1], answers[2]))
    first, other = calibrate(course, 3).checks
    assert [one.name for one in first.answers] == ["good", "weak"]
    assert [one.name for one in other.answers] == ["good"]


def test_an_answer_that_is_left_out_is_a_wrong_one(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    folder = course.source("hw") / "answers"
    folder.mkdir()
    (folder / "nothing.ipynb").write_text(notebook(cell(SETUP, "setup", locked=True)))
    assert Candidate("nothing", {"nb": read_notebook(folder / "nothing.ipynb")}).is_judged_by(
        tiny_release(course).exams[0]
    ) == {"test-1"}


def test_an_answer_with_cells_of_its_own_is_judged_everywhere(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    folder = course.source("hw") / "answers"
    folder.mkdir()
    extra = cell("another_name = 1")
    (folder / "late.ipynb").write_text(
        notebook(cell(SETUP, "setup", locked=True), extra, cell(ANSWER, "measure", solution=True))
    )
    ((late,),) = (check.answers for check in calibrate(course, 3).checks)
    assert (late.name, late.passed.runs) == ("late", 3)


def test_the_threshold_that_is_offered_is_met_by_each_run_with_what_that_shows(tmp_path: Path) -> None:
    """With 20 runs that is 14 %, whatever the losses' distribution: 1 - 0.05 ** (1 / 20)."""
    made = calibrate(measured_course(tmp_path, measuring(0.51)))
    (check,) = made.checks
    assert check.met_by_all is not None
    assert max(check.values) <= check.met_by_all < max(check.values) + 0.001
    assert check.met_by_all == round(check.met_by_all, 3)
    assert made.shown == pytest.approx(0.1391, abs=1e-4)


def test_no_rate_below_what_the_runs_show_is_ever_printed(tmp_path: Path) -> None:
    """Twenty runs without a loss: nothing says 1 %, 0.1 % or less, but the price of showing it."""
    course = measured_course(tmp_path, measuring(0.6), answers={"weak": "measured = 0.9"})
    made = calibrate(course)
    said = "\n".join([*made.findings, *itertools.chain(*table(made)), write_page(course, WORK, made).read_text()])
    said = said.replace("To show 1 %", "").partition("</style>")[2]
    rates = {float(rate) for rate in re.findall(r"([0-9.]+) %", said)} - {95.0}
    assert rates
    assert min(rates) == 14
    assert "To show 1 %, it takes 299 runs without a loss: `--until 1%`" in summary(made)


def test_a_run_that_measures_nothing_meets_no_threshold(tmp_path: Path) -> None:
    """A training that ends in NaN has no value: the worst of the others promises nothing."""
    failing = ANSWER.replace("np.random.normal()", "np.random.normal() / (np.random.uniform() > 0.3)")
    made = calibrate(measured_course(tmp_path, measuring(0.55), answer=failing))
    (check,) = made.checks
    assert 0 < len(check.values) < 20
    assert check.met_by_all is None
    assert check.lost.hits >= 20 - len(check.values)
    assert any("No threshold is met by every run." in text for text in made.findings)


def test_no_threshold_is_offered_that_a_wrong_answer_meets_as_well(tmp_path: Path) -> None:
    sometimes = "### BEGIN SOLUTION\nmeasured = 0.5 if np.random.uniform() < 0.7 else 2.3\n### END SOLUTION"
    untrained = "measured = 2.2 + 0.01 * np.random.normal()"
    made = calibrate(measured_course(tmp_path, measuring(0.6), answer=sometimes, answers={"untrained": untrained}), FEW)
    assert (
        "No threshold is useful: 2.3, which each run of the solution meets, is met by untrained, too."
        in (made.findings[0])
    )


def test_without_named_answers_nothing_is_praised(tmp_path: Path) -> None:
    said = summary(calibrate(measured_course(tmp_path, measuring(0.55)), FEW))
    assert "No named answer is kept in answers/, so nothing is known of what the thresholds let pass." in said


def test_where_nothing_varies_no_more_runs_are_asked_for(tmp_path: Path) -> None:
    said = summary(calibrate(measured_course(tmp_path, measuring(0.55), answer=ANSWER.replace("0.01", "0")), 3))
    assert "Nothing varied: each run measured the same." in said
    assert "--until" not in said


def test_a_threshold_that_the_solution_meets_half_of_the_time_is_called_a_coin(tmp_path: Path) -> None:
    made = calibrate(measured_course(tmp_path, measuring(0.5)))
    assert "a coin decides about these points" in made.findings[0]
    offered = made.checks[0].met_by_all
    assert (
        f"Each run meets {offered:g}; of a threshold of {offered:g} or more, at most 14 % miss it."
        in (made.findings[0])
    )


def test_a_threshold_that_everything_meets_separates_nothing(tmp_path: Path) -> None:
    made = calibrate(measured_course(tmp_path, measuring(9.0), answers={"weak": WEAK, "good": ANSWER}), FEW)
    assert "everything meets the threshold 9" in made.findings[0]
    assert "It separates nothing." in made.findings[0]
    assert len(made.findings) == 1


def test_a_threshold_far_away_asks_next_to_nothing_even_where_no_weak_answer_is_kept(tmp_path: Path) -> None:
    made = calibrate(measured_course(tmp_path, measuring(9.0)), FEW)
    assert "standard deviations away from the solution" in made.findings[0]


def test_a_good_threshold_has_no_finding(tmp_path: Path) -> None:
    made = calibrate(measured_course(tmp_path, measuring(0.55), answers={"weak": WEAK}), FEW)
    assert made.findings == ()
    assert made.lost.hits == 0


def test_a_threshold_that_is_near_is_named_before_a_run_misses_it(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.53))
    values = calibrate(course, FEW).checks[0].values
    near = max(values) + 0.0005
    made = calibrate(measured_course(tmp_path, measuring(near)), FEW)
    assert made.checks[0].lost.hits == 0
    assert "no run of the solution misses the threshold" in made.findings[0]
    assert "but it is near: 0.0005 from the worst run" in made.findings[0]


def test_wrong_answers_that_pass_and_good_ones_that_do_not_are_named(tmp_path: Path) -> None:
    answers = {"typical-mistake": WEAK.replace("0.6", "0.56"), "good": WEAK.replace("0.6", "0.57")}
    made = calibrate(measured_course(tmp_path, measuring(0.565), answers=answers), FEW)
    said = "\n".join(made.findings)
    assert "typical-mistake passes the threshold 0.565 in" in said
    assert "good passes in only" in said


def test_an_answer_that_meets_a_threshold_and_fails_for_another_reason_is_not_close_to_it(tmp_path: Path) -> None:
    """A network that looks ahead has the lowest loss of all, and no points for it."""
    answers = {"looks-ahead": WEAK.replace("0.6", "0.1"), "almost": WEAK.replace("0.6", "0.58")}
    test = measuring(0.55).replace("measured <= 0.55", "0.3 < measured <= 0.55")
    said = "\n".join(calibrate(measured_course(tmp_path, test, answers=answers), FEW).findings)
    assert "looks-ahead" not in said
    assert "no run of almost passes, but its best one is only" in said


def test_the_whole_assignment_is_counted_and_not_added_up(tmp_path: Path) -> None:
    """Losses of checks depend on each other: runs that lost anything are counted."""
    made = calibrate(measured_course(tmp_path, *(measuring(0.505, name=f"loss {n}") for n in range(6))))
    runs = sum(value > 0.505 for value in made.checks[0].values)
    assert (made.lost.hits, made.lost.runs) == (runs, 20)
    assert summary(made).startswith(f"The solution lost points in {runs} of 20 runs (at most ")


def test_promised_thresholds_cost_somebody_who_stands_on_all_of_them(tmp_path: Path) -> None:
    """Six with 5 % each: 1 - 0.95 ** 6 = 26 %."""
    stated = '"threshold": 0.55, "higher_is_better": False'
    test = measuring(0.55).replace(stated, stated + ', "close_calls": True, "standard_error": 0.01')
    made = calibrate(measured_course(tmp_path, *[test] * 6), FEW)
    assert any("loses something in 26 %" in text for text in made.findings)
    check = made.checks[0]
    assert check.doubt == pytest.approx(0.01645, abs=1e-5)
    assert check.rows_share == pytest.approx(0.01**2 / (0.01**2 + check.spread**2))


def test_a_threshold_that_follows_from_the_run_is_measured_by_the_distance_from_it(tmp_path: Path) -> None:
    """A network against another one on the same rows: the threshold is the other one's loss."""
    test = measuring(0.55).replace("0.55", "(0.5 + measured / 10)")
    (check,) = calibrate(measured_course(tmp_path, test, answers={"weak": WEAK}), FEW).checks
    assert (check.measure, check.threshold) == ("loss minus threshold", 0)
    assert check.mean == pytest.approx(0.5 - 0.55, abs=0.01)
    assert check.lost.hits == 0
    assert check.answers[0].passed.hits == 0
    assert min(check.answers[0].values) > 0


def test_a_check_that_earns_nothing_is_left_out(tmp_path: Path) -> None:
    test = measuring(0.55).replace("evidence=", "weight=0, evidence=")
    assert calibrate(measured_course(tmp_path, test), 2).checks == ()


# --- what cannot be calibrated -------------------------------------------------------------------------------


def test_an_assignment_without_numbers_has_its_questions_counted(tmp_path: Path) -> None:
    made = calibrate(measured_course(tmp_path, measuring(None)), 5)
    assert made.checks == ()
    assert "no check of this assignment measures a number" in made.findings[0]
    assert (made.questions[0].id, made.questions[0].lost.hits, made.questions[0].lost.runs) == ("test-1", 0, 5)


def test_a_check_without_a_stated_threshold_is_measured_and_counted(tmp_path: Path) -> None:
    test = measuring(0.5).replace(', "threshold": 0.5, "higher_is_better": False', "")
    made = calibrate(measured_course(tmp_path, test))
    (check,) = made.checks
    assert (check.threshold, check.met_by_all) == (None, None)
    assert check.lost.hits == losing(check.values, 0.5)
    assert any(text.startswith("no check states its threshold") for text in made.findings)
    assert made.findings[0].startswith("nb, test-1: the solution loses points in")


def test_a_solution_that_fails_is_said_first(tmp_path: Path) -> None:
    made = calibrate(measured_course(tmp_path, measuring(0.5), answer="### BEGIN SOLUTION\n1 / 0\n### END SOLUTION"), 3)
    assert made.findings[0].startswith("the solution does not run to its end in 3 of 3 runs")
    assert made.lost.hits == 3


def test_a_notebook_without_seeds_is_run_as_it_is(tmp_path: Path) -> None:
    here = Here()
    course = measured_course(tmp_path, measuring(0.55), setup=SETUP.rpartition("\n\n")[0])
    made = calibrate(course, 4, execute=here)
    assert made.literals == 0
    assert len(set(made.checks[0].values)) == 4  # each run is executed, though all have the same code
    assert any("no integer in a seeding call" in text for text in made.findings)


def test_a_training_that_sometimes_fails_is_named_and_no_threshold_offered(tmp_path: Path) -> None:
    answer = ANSWER.replace("np.random.normal()", "np.random.normal() + 9 * (np.random.uniform() < 0.2)")
    made = calibrate(measured_course(tmp_path, measuring(0.6), answer=answer), 30)
    failed = losing(made.checks[0].values, 0.6)
    assert 0 < failed < 15
    assert "No threshold is useful: one that each run meets is met by a failed training." in made.findings[0]
    assert f"{failed} of 30 runs measured" in made.findings[1]


def test_named_answers_run_at_most_twenty_times(tmp_path: Path) -> None:
    """The many runs that a small rate takes are the solution's."""
    made = calibrate(measured_course(tmp_path, measuring(0.55), answers={"weak": WEAK}), 24)
    assert (made.runs, made.answers[0].full.runs) == (24, 20)


# --- time and recordings -------------------------------------------------------------------------------------


def test_time_that_is_up_keeps_what_was_done_and_the_rest_goes_on_later(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    ticks = itertools.count(0, 10)
    first = calibrate(course, 10, seconds=65, clock=lambda: float(next(ticks)))
    assert 2 <= first.runs < 10
    assert f"{first.runs} of 10 runs of the solution are done" in first.findings[-1]
    here = Here()
    second = calibrate(course, 10, execute=here)
    assert second.runs == 10
    replays = here.started[: first.runs]
    assert sorted(replays) == sorted(f"solution, run {n}" for n in range(1, first.runs + 1))
    assert second.checks[0].values[: first.runs] == first.checks[0].values


def test_a_budget_too_small_is_said_plainly(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    ticks = itertools.count(0, 10)
    with pytest.raises(CalibrationError, match="1 of 10 runs of the solution could be graded in 10 s, and at least 2"):
        calibrate(course, 10, seconds=1, clock=lambda: float(next(ticks)))


def test_a_changed_threshold_needs_no_execution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers import tiny
    from helpers.kernels import InProcessKernel

    course = measured_course(tmp_path, measuring(0.55))
    before = calibrate(course, 5)
    monkeypatch.setattr(tiny, "start_kernel", lambda work: pytest.fail("a kernel was started"))
    after = calibrate(measured_course(tmp_path, measuring(0.56)), 5)
    assert after.checks[0].values == before.checks[0].values
    assert after.checks[0].threshold == 0.56
    assert InProcessKernel


def test_nothing_of_the_students_is_touched(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    run(course, 2)
    names = {path.name for path in course.root.iterdir()}
    assert names == {"course.yaml", "source", ".autograder"}
    assert not (course.state / "work").exists() or not list((course.state / "work").iterdir())


# --- answers -------------------------------------------------------------------------------------------------


def test_answers_and_the_record_are_never_released(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55), answers={"weak": WEAK})
    calibration_record.save(calibration_record.calibration_path(course, "hw"), calibrate(course, 2))
    files = release_files(course, course.assignments["hw"], ["nb.ipynb"])
    assert files.found == {}
    assert set(files.left_out) == {"answers", "calibration.json"}
    assert "students never get it" in files.left_out["answers"]


def test_an_answer_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55), answers={"weak": WEAK})
    (course.source("hw") / "answers/odd.ipynb").write_text("{")
    with pytest.raises(CalibrationError, match=r"answers/odd.ipynb"):
        calibrate(course, 2)


MODULE = """\
import numpy as np


def measure():
    ### BEGIN SOLUTION
    return 0.5 + 0.01 * np.random.normal()
    ### END SOLUTION
"""


@pytest.mark.slow
@pytest.mark.sandbox
def test_answers_in_files_are_calibrated_and_a_named_answer_may_be_a_file_alone(tmp_path: Path) -> None:
    answer = ANSWER.replace("0.5 + 0.01 * np.random.normal()", "meter.measure()")
    course = measured_course(tmp_path, measuring(0.55), setup=f"{SETUP}\nimport meter", answer=answer)
    (course.source("hw") / "meter.py").write_text(MODULE)
    weak = course.source("hw") / "answers/weak"
    weak.mkdir(parents=True)
    (weak / "meter.py").write_text(MODULE.replace("0.5 +", "0.6 +"))
    (check,) = calibrate(course, 4, execute=in_processes).checks
    assert (check.lost.hits, len(set(check.values))) == (0, 4)
    assert [(one.name, one.passed.hits) for one in check.answers] == [("weak", 0)]


@pytest.mark.parametrize("name", ["metre.py", "other.ipynb", "data.csv"])
def test_a_folder_with_no_file_of_the_assignment_is_no_named_answer(tmp_path: Path, name: str) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    folder = course.source("hw") / "answers/weak"
    folder.mkdir(parents=True)
    (folder / name).write_text("")
    with pytest.raises(CalibrationError, match="no notebook and no answer file"):
        calibrate(course, 2)


# --- the record ----------------------------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written_and_a_release_can_cite_it(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    exams = tiny_release(course).exams
    assert standing(course, "hw", exams) == ("thresholds: not calibrated", ())
    plain = tiny_release(measured_course(tmp_path / "plain", measuring(None))).exams
    assert standing(course, "hw", plain) == ("", ())
    made = calibrate(course, 3)
    path = calibration_record.calibration_path(course, "hw")
    calibration_record.save(path, made)
    assert calibration_record.load(path) == made
    said, changed = standing(course, "hw", exams)
    assert said == f"thresholds: calibrated on {made.made_at:%Y-%m-%d} with 3 runs of the solution"
    assert changed == ()


def test_what_changed_since_is_named_and_comments_are_no_change(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    calibration_record.save(calibration_record.calibration_path(course, "hw"), calibrate(course, 2))
    measured_course(tmp_path, f"# a remark\n{measuring(0.55)}")
    assert standing(course, "hw", tiny_release(course).exams)[1] == ()
    measured_course(tmp_path, measuring(0.6), measuring(0.5), answer=ANSWER.replace("0.01", "0.02"))
    course.hidden("hw").mkdir()
    (course.hidden("hw") / "x").write_text("x")
    changed = [text.partition(" since")[0] for text in standing(course, "hw", tiny_release(course).exams)[1]]
    assert changed == [
        "nb, test-1: its test has changed",
        "nb, test-2: is new",
        "the solution has changed",
        "the hidden data have changed",
    ]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1}', "[" * 100_000])
def test_a_damaged_record_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    assert calibration_record.load(tmp_path / "calibration.json") is None


def test_the_page_and_the_table_show_each_check(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.51), measuring(None), answers={"weak<b>": WEAK})
    made = calibrate(course, 6)
    page = write_page(course, course.assignments["hw"], made).read_text()
    assert "weak&lt;b&gt;" in page
    assert "weak<b>" not in page
    assert page.count('<svg class="plot"') == 1
    assert "threshold 0.51" in page
    (row,) = table(made)
    assert row[:2] == ("test-1", "loss")
    assert row[3] == "0.51"
    assert json.loads(json.dumps(row))


@pytest.mark.integration
@in_browser
def test_nothing_of_the_page_is_cut_on_any_screen(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.51), measuring(None), answers={"another-weak-answer": WEAK})
    page = write_page(course, course.assignments["hw"], calibrate(course, 4)).read_text()
    assert misfits({"calibration": page}) == []


@pytest.mark.integration
@with_axe
def test_axe_finds_nothing(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.51), measuring(None), answers={"another-weak-answer": WEAK})
    page = write_page(course, course.assignments["hw"], calibrate(course, 4)).read_text()
    assert [violations(page, dark=dark) for dark in (False, True)] == [[], []]


def test_a_plot_names_its_candidates_and_a_row_its_columns_on_narrow_screens(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.51), answers={"without-any-layer": WEAK})
    page = write_page(course, course.assignments["hw"], calibrate(course, 4)).read_text()
    assert ">without-any-layer</text>" in page
    for title in ("Measured", "Full credit", "With 95 % confidence", "without-any-layer has all points"):
        assert f'data-label="{title}"' in page


def test_the_class_report_cites_it_and_says_what_changed_since(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    folder = course.submitted("ada", "hw")
    folder.mkdir(parents=True)
    (folder / "nb.ipynb").write_text((course.source("hw") / "nb.ipynb").read_text())
    calibration_record.save(calibration_record.calibration_path(course, "hw"), calibrate(course, 2))
    assert "with 2 runs of the solution" in class_report(course)
    measured_course(tmp_path, measuring(0.6))
    assert "nb, test-1: its test has changed since the calibration on" in class_report(course)


def class_report(course: Course) -> str:
    release = tiny_release(course)
    batch.run(batch.plan(course, release), execute=Here())
    return write_report(course, course.assignments["hw"], on_disk(course, "hw"), release.exams).read_text()


def test_a_limit_on_parameters_is_a_condition_that_weak_answers_may_meet(tmp_path: Path) -> None:
    test = measuring(9.0).replace('"loss": float(measured)', '"parameters": 39809')
    made = calibrate(measured_course(tmp_path, test, answers={"weak": WEAK}), 3)
    assert made.checks[0].measure == "parameters"
    assert made.findings == ()
    assert table(made)[0][2] == "39,809"


def test_words_that_an_examiner_made_up_are_text_on_the_page(tmp_path: Path) -> None:
    """The examiner of a run is as untrusted as any other: names of checks and of evidence are its words."""
    hostile = "<b onload=x>loss"
    course = measured_course(tmp_path, measuring(0.51, name=hostile).replace('"loss": float', f'"{hostile}": float'))
    made = calibrate(course, 4)
    assert (made.checks[0].name, made.checks[0].measure) == (hostile, hostile)
    page = write_page(course, course.assignments["hw"], made).read_text()
    inert(page)
    assert "<b onload" not in page
