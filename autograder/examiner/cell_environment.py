"""Environment of a test cell while it runs: its checks' record, walls inside this process, and what it prints."""

from __future__ import annotations

import contextlib
import io
import unittest
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import check
from autograder.check.asking import asked_by
from autograder.check.results import CheckRecorder
from autograder.examiner.exact_integers import written_as_json
from autograder.examiner.main_module import as_main
from autograder.examiner.namespace import Namespace
from autograder.examiner.patches import mirror_patches
from autograder.examiner.permissions import Observer
from autograder.examiner.seeds import shared_seeds
from autograder.examiner.student_text.taint import deny_student_code
from autograder.examiner.unittest_runs import collect_results
from autograder.records.exam import ExamCell


@dataclass(frozen=True)
class CellEnvironment:
    """What gathers around a test while it runs."""

    results: CheckRecorder
    """Results of its checks."""
    unittests: list[unittest.TestResult]
    refused: list[Exception]
    """Refusals of a student's text or file as code, also those that the test catches."""
    printed: io.StringIO
    known: list[int]
    """Number of checks before the cell asked for hidden data, each time that it did."""


@contextlib.contextmanager
def cell_environment(
    cell: ExamCell,
    namespace: Namespace,
    hidden: Path | None,
    earned: Mapping[str, float],
    tests: Path | None,
) -> Iterator[CellEnvironment]:
    """Put everything around a test that it needs, and that keeps the student's bytes from becoming code here."""
    remote, trusted = namespace.answers.remote, namespace.known.trusted.values()
    permissions = remote.permissions
    note = permissions.did if isinstance(permissions, Observer) else None
    readable = tuple(filter(None, (hidden, tests)))
    printed = io.StringIO()
    checks_before: list[int] = []

    def before_hidden_data() -> None:
        checks_before.append(len(results))
        namespace.before_hidden_data()

    with (
        check.recording(earned) as results,
        check.serving_hidden_data(hidden, before_hidden_data) if hidden else contextlib.nullcontext(),
        check.asking_kernel(remote),
        asked_by(str(cell.grade_id), permissions.constants, permissions.networks),
        as_main(namespace),
        shared_seeds(remote, cell.source),
        mirror_patches(remote),
        collect_results() as unittests,
        written_as_json(),
        deny_student_code(cell.source, *trusted, hidden=readable, verbs=permissions.verbs(), note=note) as refused,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        yield CellEnvironment(results, unittests, refused, printed, checks_before)
