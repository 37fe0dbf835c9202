"""Pages with everything on them, in a browser: they fit a telephone, and axe finds nothing, in light and in dark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.browser import in_browser, misfits, violations, with_axe
from helpers.samples import a_class, assignment, course
from results.test_feedback_json import told

from autograder.extensions.networks.mistaken import VALUES, mistakes_of
from autograder.records.grade import Grade
from autograder.results.report import render_class_report, render_feedback

pytestmark = pytest.mark.integration
LABELS = np.arange(600) % 12
CHANCES = np.full((600, 12), 0.04) + 0.52 * np.eye(12)[(LABELS + (np.arange(600) % 5 == 0)) % 12]


def full(made: Grade) -> Grade:
    """A grade with a diagnosis, and with what a network of classes and one of values get wrong."""
    made = told(made)
    actual = np.linspace(-1, 1, 600)
    counted = (
        mistakes_of("loss", "loss", CHANCES, LABELS),
        mistakes_of("loss", "error", actual / 2, actual, VALUES),
    )
    book = replace(made.notebooks[0], mistakes=tuple(each for each in counted if each is not None))
    assert len(book.mistakes) == 2
    return replace(made, notebooks=(book,))


def pages(folder: Path) -> list[str]:
    """The feedback page, and the class report with a second assignment of the term, each with all of it unfolded."""
    grades = [full(made) for made in a_class()]
    feedback = render_feedback(course(folder), assignment(), grades[0], {})
    first, second = assignment(), replace(assignment(), name="second", title="The second assignment")
    term = replace(course(folder), assignments={one.name: one for one in (first, second)})
    every = [*grades, *(replace(made, assignment="second") for made in grades)]
    report = "".join(render_class_report(term, first, grades, term=every))
    assert "The term so far" in report
    return [page.replace("<details", "<details open") for page in (feedback, report)]


@in_browser
def test_nothing_of_a_page_is_cut_on_any_screen(tmp_path: Path) -> None:
    feedback, report = pages(tmp_path)
    assert misfits({"feedback": feedback, "report": report}) == []


@with_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(dark: bool, tmp_path: Path) -> None:
    assert [violations(page, dark=dark) for page in pages(tmp_path)] == [[], []]


@in_browser
def test_control_what_is_cut_is_named_with_its_page_and_width() -> None:
    found = misfits({"wide": '<!doctype html><p style="width: 600px">all of it', "narrow": "<!doctype html><p>x"})
    assert found == ["wide, 380 px: the page scrolls sideways", "wide, 380 px: cut: p.: all of it"]
