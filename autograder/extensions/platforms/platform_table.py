"""Platforms: where each has its files in the container, and what it reads of a grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autograder.extensions.platforms import gradescope_results, junit_results, prairielearn_results
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.records.grade import Grade


class ResultsFormat(Protocol):
    """What a platform reads."""

    def graded(
        self, grade: Grade, settings: PackageSettings, notes: Sequence[str], seconds: float, decimals: int
    ) -> Conclusion:
        """Describe a grade.

        Args:
            grade: the grade; lateness is the platform's.
            settings: the instructor's.
            notes: sentences for the student about what was handed in.
            seconds: how long it took.
            decimals: places after the point of a score.
        """

    def not_graded(self, words: str, seconds: float = 0.0) -> Conclusion:
        """Describe a submission without a grade, in words for the student: no points, and no attempt if possible."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform with a container for each submission. Paths are relative to :attr:`root`."""

    name: str
    title: str
    """Name for people."""
    root: str
    source: str
    """Folder with the package's files."""
    submission: str
    """Folder with what the student handed in."""
    results: str
    """Path of the results file."""
    closed: str
    """Patterns of what is closed to students before anything else happens."""
    seconds: float
    """Limit on a submission, where nobody changed it."""
    is_log_hidden: bool
    """Whether students never see what the program prints."""
    format: ResultsFormat
    history: str = ""
    """Path of what the platform says of earlier hand-ins; empty: it says nothing."""


GRADESCOPE = Platform(
    name="gradescope",
    title="Gradescope",
    root="/autograder",
    source="source",
    submission="submission",
    results="results/results.json",
    closed="source submission results submission_metadata.json",
    seconds=600.0,
    is_log_hidden=True,
    format=gradescope_results,
    history="submission_metadata.json",
)
PRAIRIELEARN = Platform(
    name="prairielearn",
    title="PrairieLearn",
    root="/grade",
    source="tests",
    submission="student",
    results="results/results.json",
    closed=".",
    seconds=600.0,
    is_log_hidden=True,
    format=prairielearn_results,
)
ARTEMIS = Platform(
    name="artemis",
    title="Artemis",
    root="/var/tmp/testing-dir",
    source=".",
    submission="assignment",
    results="results/results.xml",
    closed=". ../*",  # a copy of each repository lies beside the working folder
    seconds=120.0,
    is_log_hidden=False,
    format=junit_results,
)
PLATFORMS = {platform.name: platform for platform in (GRADESCOPE, PRAIRIELEARN, ARTEMIS)}
