"""The command `autograder calibrate`, with a real sandbox, and stopped halfway."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.measured import measured_course, measuring
from helpers.tiny import Here, grade_here

from autograder.cli import main
from autograder.exchange.work import Work
from autograder.extensions.trust import calibration_runs
from autograder.records.course import Course
from autograder.records.grade import Grade
from autograder.release import calibration_record

WEAK = "measured = 0.6 + 0.01 * np.random.normal()"


@pytest.fixture(autouse=True)
def observed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No solution runs before the submissions: what it does decides nothing here."""
    monkeypatch.setattr("autograder.coordinator.observation.is_observed", lambda exams: True)


def run(course: Course, *options: str) -> Result:
    arguments = ["calibrate", "hw", "--course", str(course.root), "--quiet", *options]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.mark.sandbox
@pytest.mark.integration
def test_the_table_the_record_and_the_page_are_written_and_the_same_seed_says_the_same(tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55), answers={"weak": WEAK})
    first = run(course, "--seeds", "4", "--workers", "2")
    assert first.exit_code == 0
    heading, row = (line.split("  ") for line in first.stdout.splitlines()[:2])
    assert [word.strip() for word in heading if word.strip()][:4] == ["question", "check", "measured", "threshold"]
    assert row[0].strip() == "test-1"
    assert "weak 0 of 4" in first.stdout
    made = calibration_record.load(calibration_record.calibration_path(course, "hw"))
    assert made is not None
    assert (made.runs, made.planned, len(made.checks[0].values)) == (4, 4, 4)
    assert len(set(made.checks[0].values)) == 4
    assert (course.reports / "hw-calibration.html").is_file()
    assert run(course, "--seeds", "4").stdout == first.stdout  # from the recordings


def in_this_process(monkeypatch: pytest.MonkeyPatch, executor: Here) -> None:
    real = calibration_runs.execute_runs
    monkeypatch.setattr("autograder.coordinator.grading_sandboxes.require_walls", lambda _: False)
    monkeypatch.setattr(calibration_runs, "execute_runs", lambda *a, **k: real(*a, **k, execute=executor))


def test_a_calibration_that_is_stopped_writes_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = measured_course(tmp_path, measuring(0.55))

    def until_run_4(work: Work) -> Grade:
        if work.student == "solution, run 4":
            raise KeyboardInterrupt
        return grade_here(work)

    in_this_process(monkeypatch, Here(until_run_4))
    done = run(course, "--seeds", "6")
    assert done.exit_code == 130
    made = calibration_record.load(calibration_record.calibration_path(course, "hw"))
    assert made is not None
    assert (made.runs, made.planned) == (3, 6)
    assert "3 of 6 runs of the solution are done" in done.stdout


def test_a_calibration_that_is_stopped_too_early_says_so_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = measured_course(tmp_path, measuring(0.55))

    def never(work: Work) -> Grade:
        raise KeyboardInterrupt

    in_this_process(monkeypatch, Here(never))
    done = run(course)
    assert done.exit_code == 130
    assert "0 of 20 runs of the solution could be graded" in done.output
    assert not calibration_record.calibration_path(course, "hw").exists()


def test_a_solution_that_this_machine_cannot_grade_is_an_error_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = measured_course(tmp_path, measuring(0.55))

    def full(work: Work) -> Grade:
        raise OSError("the disk is full")

    in_this_process(monkeypatch, Here(full))
    done = run(course, "--seeds", "2")
    assert done.exit_code == 1
    assert "the disk is full" in done.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--until", "nothing"), "'nothing' is no share from 0.1% to 50%."),
        (("--until", "0%"), "'0%' is no share from 0.1% to 50%."),
        (("--until", "1%", "--seeds", "5"), "--seeds and --until both say how many runs there are"),
    ],
)
def test_a_rate_that_no_number_of_runs_shows_is_refused(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    course = measured_course(tmp_path, measuring(0.55))
    done = run(course, *options)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_until_runs_as_often_as_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """29 runs without a loss show 10 %."""
    course = measured_course(tmp_path, measuring(0.55))
    in_this_process(monkeypatch, Here())
    done = run(course, "--until", "10%")
    made = calibration_record.load(calibration_record.calibration_path(course, "hw"))
    assert made is not None
    assert (made.runs, made.planned) == (29, 29)
    assert "met by all (at most 9.9 % miss it)" in " ".join(done.output.split())


def test_until_says_where_a_loss_keeps_the_runs_from_showing_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine runs without a loss show 30 %. With one, to run it again until it does would be no fair count."""
    course = measured_course(tmp_path, measuring(0.5))
    in_this_process(monkeypatch, Here())
    done = run(course, "--until", "30%")
    assert "note: at most 30 % is not shown, as the solution lost points in" in done.stderr
