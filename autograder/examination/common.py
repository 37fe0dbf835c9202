"""Data that all submissions share: the template of examiners reads exam and tests once, so that no fork has to.

The template imports this module last; it holds no student's data.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from autograder._util import notebook_format, registry
from autograder._util.model_families import families
from autograder.errors import HostError
from autograder.examination.attempt import read_tests
from autograder.exchange.parcel import Common, common_in
from autograder.exchange.rendering import render_released
from autograder.exchange.work_layout import COMMON, COURSE, stand_in
from autograder.records.exam import Exam
from autograder.sandbox.base import located


def _read() -> Common | None:
    parcel = Path(located(COMMON))
    if not parcel.exists():  # not in an examiner
        return None
    notebook_format.compile_schemas()
    notebook_format.release_jsonschema()
    common = common_in(parcel.read_bytes(), stand_in(Path(located(COURSE))))
    speed_up(common)
    load_networks()
    load_checks(common.exams)
    for exam in common.exams:
        read_tests(exam)
        render_released(exam)
    return common


def speed_up(common: Common) -> None:
    """Change the libraries that have been imported as in the kernel: the same numbers, sooner."""
    for registration in families().values():
        if registration.speed_up is not None:
            registration.speed_up(common.assignment.training == "fast")


def load_networks() -> None:
    """Import what rebuilds and computes the networks of each library that has been imported, for all forks."""
    for library in registry.names(registry.MODELS):
        if library in sys.modules:
            with contextlib.suppress(HostError, ImportError):  # the test says what is wrong
                for module in registry.load(registry.MODELS, library).modules:
                    importlib.import_module(module)


def load_checks(exams: Iterable[Exam]) -> None:
    """Import the words of ``check`` that extensions register and the instructor's cells use, for all forks."""
    used = {word for exam in exams for cell in exam.cells for word in _WORD.findall(cell.source)}
    for word in used.intersection(registry.names(registry.CHECKS)):
        with contextlib.suppress(HostError):  # the test says what is wrong
            registry.load(registry.CHECKS, word)


_WORD = re.compile(r"\bcheck\.(\w+)")
common = _read()
"""Data that all submissions share."""
