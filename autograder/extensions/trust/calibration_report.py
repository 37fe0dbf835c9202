"""Report of a calibration: an HTML page in reports/, and rows for a table on the screen."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograder._util.files import write_atomically
from autograder.extensions.trust.calibration_findings import (
    GOOD,
    at_most,
    number,
    passing,
    percent,
    span,
    summary,
)
from autograder.extensions.trust.calibration_runs import SOLUTION
from autograder.extensions.trust.calibration_statistics import upper_bound
from autograder.extensions.trust.measures import CONDITIONS
from autograder.records.course import Assignment, Course
from autograder.release.calibration_record import AnswerValues, Calibration, CheckCalibration, Share
from autograder.results.report.page import render
from autograder.results.report.plots import LARGEST, OperatingCurve, operating_curves

if TYPE_CHECKING:
    from markupsafe import Markup

_SOLUTION, _GOOD, _WRONG = 1, 4, (2, 3, 5, 6)
"""Colors of curves."""
POINTS = 160
"""Thresholds at which an operating curve is computed."""


@dataclass(frozen=True)
class _Row:
    """A candidate in a check's table."""

    name: str
    range: str
    mean: str
    passes: str
    shows: str


@dataclass(frozen=True)
class _Section:
    """A check on the page."""

    name: str
    notebook: str
    question: str
    plot: Markup | None
    rows: Sequence[_Row]
    remark: str


@dataclass(frozen=True)
class _Question:
    """A question on the page."""

    id: str
    points: float
    lost: str
    answers: Sequence[str]


def report_path(course: Course, assignment: str) -> Path:
    """Build the path ``reports/<assignment>-calibration.html``."""
    return course.reports / f"{assignment}-calibration.html"


def write_page(course: Course, assignment: Assignment, calibration: Calibration) -> Path:
    """Write the page and return its path.

    Raises:
        HostError: it cannot be written.
    """
    path = report_path(course, assignment.name)
    stated = [check for check in calibration.checks if check.threshold is not None]
    values = {
        "course": course.title,
        "title": assignment.title,
        "made": calibration,
        "summary": summary(calibration),
        "tiles": [
            (
                str(calibration.runs),
                "runs of the solution",
                f"of {calibration.planned}" if calibration.runs < calibration.planned else "",
            ),
            (str(len(calibration.answers)), f"named answer{'s' if len(calibration.answers) != 1 else ''}", ""),
            (str(len(calibration.checks)), "checks with a number", f"{len(stated)} with a threshold"),
            (str(sum(not check.lost.hits for check in stated)), "were met by every run", ""),
            (str(calibration.lost.hits), "runs that lost points", f"{at_most(calibration.lost.at_most)} of all"),
            (str(sum(_lets_pass(check) for check in stated)), "let a wrong answer pass", ""),
        ],
        "checks": [_section(check, calibration) for check in calibration.checks],
        "questions": [
            _Question(
                question.id,
                question.points,
                _counted(question.lost),
                [f"{a.full.hits} of {a.full.runs}" for a in question.answers],
            )
            for question in calibration.questions
        ],
    }
    write_atomically(path, render("calibration.html", values))
    return path


def _lets_pass(check: CheckCalibration) -> bool:
    return check.measure not in CONDITIONS and any(
        one.passed.hits > 0 for one in check.answers if not one.name.startswith(GOOD)
    )


def _section(check: CheckCalibration, calibration: Calibration) -> _Section:
    losses = check.lost
    passed = f"{losses.runs - losses.hits} of {losses.runs}"
    shows = f"{at_most(losses.at_most)} miss it"
    rows = [_Row("the solution", _range(check.values), _mean(check.values), passed, shows)]
    rows += [
        _Row(answer.name, _range(answer.values), _mean(answer.values), _passes(answer), _shows(answer))
        for answer in check.answers
    ]
    return _Section(
        check.name, check.notebook, check.question, _plot(check), rows, " ".join(_remarks(check, calibration))
    )


def _shows(answer: AnswerValues) -> str:
    """Say what the runs of a named answer show, where none of them does what it should not."""
    passed = answer.passed
    if answer.name.startswith(GOOD) and passed.hits == passed.runs:
        return f"{at_most(upper_bound(0, passed.runs))} miss it"
    return f"{at_most(passed.at_most)} pass" if not (passed.hits or answer.name.startswith(GOOD)) else "–"


def _remarks(check: CheckCalibration, calibration: Calibration) -> list[str]:
    if check.threshold is None:
        remarks = ["The test states no threshold."]
    else:
        remarks = [f"Full credit at {number(check.threshold, 6)} or {'more' if check.higher_is_better else 'less'}."]
    if check.doubt:
        remarks.append(f"The benefit of the doubt bridges {check.doubt:.2g} more.")
    if check.met_by_all is not None:
        remarks.append(
            f"Each run of the solution meets {check.met_by_all:g}; {at_most(calibration.shown)} of all miss that."
        )
    share = check.rows_share
    if share is not None and check.standard_error:
        remarks.append(
            f"Noise of one run on another holdout: the rows make {percent(share)} of its variance, the seeds "
            f"{percent(1 - share)}."
        )
    return remarks


def _plot(check: CheckCalibration) -> Markup | None:
    """Plot the operating curves; None where nothing varies, or for a condition."""
    series: list[tuple[str, Sequence[float]]] = [(SOLUTION, check.values)]
    series += [(one.name, one.values) for one in check.answers if one.values]
    series = [(name, [value for value in values if abs(value) < LARGEST]) for name, values in series]
    every = [value for _, values in series for value in values]
    if len(every) < 2 or min(every) == max(every) or check.measure in CONDITIONS:
        return None
    low, high = min(every), max(every)
    thresholds = [] if check.threshold is None or not _near(check.threshold, low, high) else [check.threshold]
    low, high = min([low, *thresholds]), max([high, *thresholds])
    pad = 0.12 * (high - low)
    grid = [low - pad + (high - low + 2 * pad) * index / POINTS for index in range(POINTS + 1)]
    colors = iter(_WRONG)
    curves = [
        OperatingCurve(
            name,
            [(x, 100 * passing(values, check, x)) for x in grid],
            values,
            _SOLUTION if name == SOLUTION else _GOOD if name.startswith(GOOD) else next(colors, _WRONG[-1]),
        )
        for name, values in series
    ]
    marks = [(x, f"threshold {x:g}") for x in thresholds]
    if marks and check.met_by_all is not None and low - pad <= check.met_by_all <= high + pad:
        marks.append((check.met_by_all, f"met by all: {check.met_by_all:g}"))
    return operating_curves([curve for curve in curves if curve.values], marks, check.measure)


def _near(threshold: float, low: float, high: float) -> bool:
    """Tell whether a threshold is near enough to the values to be shown with them."""
    return low - 2 * (high - low) <= threshold <= high + 2 * (high - low)


def _counted(share: Share) -> str:
    return f"{share.hits} of {share.runs} ({at_most(share.at_most)})"


def _range(values: Sequence[float]) -> str:
    return span(values) if values else "–"


def _mean(values: Sequence[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    return f"{number(statistics.fmean(values))}{spread}"


def table(calibration: Calibration) -> list[tuple[str, ...]]:
    """Return a row for each check with a number: question, check, measured, threshold, lost, met by all, passes."""
    return [
        (
            check.question,
            check.name,
            _range(check.values),
            "–" if check.threshold is None else number(check.threshold, 6),
            _counted(check.lost),
            "–" if check.met_by_all is None else f"{check.met_by_all:g}",
            ", ".join(f"{answer.name} {_passes(answer)}" for answer in check.answers) or "–",
        )
        for check in calibration.checks
    ]


def _passes(answer: AnswerValues) -> str:
    return f"{answer.passed.hits} of {answer.passed.runs}"
