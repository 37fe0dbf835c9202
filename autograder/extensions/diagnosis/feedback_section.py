"""Section of the feedback page: what would help a network, with both curves, and what was tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograder._util.text import one_line
from autograder.extensions.diagnosis.lesson_links import lesson_links
from autograder.records.diagnosis import Diagnosis, LossCurve
from autograder.results.report import plots
from autograder.results.report.page import render
from autograder.results.report.sections import ReportedNotebook

if TYPE_CHECKING:
    from markupsafe import Markup


def feedback_section(reported: ReportedNotebook) -> Markup:
    """Make the section; empty for a notebook without a diagnosis."""
    from markupsafe import Markup

    if not reported.grade.diagnoses:
        return Markup()
    values = {
        "diagnoses": [_view(diagnosis) for diagnosis in reported.grade.diagnoses],
        "links": lesson_links(reported.assignment.settings.get("diagnosis_links", {}), reported),
    }
    return Markup(render("diagnosis.html", values))


def _view(diagnosis: Diagnosis) -> dict[str, Any]:
    return {"of": diagnosis, "plot": _plot(diagnosis)}


def _plot(diagnosis: Diagnosis) -> Markup | None:
    """Plot the loss without a change, and with those that were told."""
    if not diagnosis.findings or not diagnosis.findings[-1].curve.epochs:
        return None
    last = diagnosis.findings[-1]
    label = "with the change" if len(diagnosis.findings) == 1 else "with both changes"
    curves = {"your network": list(_points(diagnosis.curve)), label: list(_points(last.curve))}
    return plots.loss_curves(curves, f"Loss on rows that were not trained on, {one_line(last.trial.change, 60)}")


def _points(curve: LossCurve) -> Iterator[tuple[int, float]]:
    for epoch, loss in zip(curve.epochs[: plots.MAX_DOTS], curve.losses, strict=False):
        if epoch > 0 and abs(loss) < plots.LARGEST:
            yield epoch, loss
