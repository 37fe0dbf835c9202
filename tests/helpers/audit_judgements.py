"""What an audit says of a test whose fault is known: an assignment of :mod:`helpers.ground_truth`, audited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.coordinator.batch import Execute
from autograder.extensions.trust.audit import audit
from autograder.extensions.trust.audit_records import Audit, MutantVerdict, Result
from autograder.extensions.trust.audit_runs import AuditOptions
from autograder.extensions.trust.mutants import FAMILIES
from helpers.audits import Silent, observed_release
from helpers.ground_truth import PlantedAssignment, PlantedTest
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, cell, notebook, tiny_course

LIMITS = "cell_seconds: 300, notebook_seconds: 900"


@dataclass(frozen=True)
class Judgement:
    """What an audit said of one planted test."""

    planted: PlantedAssignment
    test: PlantedTest
    found: Audit

    @property
    def is_called_weak(self) -> bool:
        return bool(self.found.questions[0].remarks)

    @property
    def is_called_strict(self) -> bool:
        return self.found.count(MutantVerdict.LOST) > 0

    @property
    def is_asked(self) -> bool:
        """Whether the teacher is asked if the task fixes an order."""
        return self.found.count(MutantVerdict.ASKED) > 0

    @property
    def words(self) -> str:
        """What a teacher reads first: the remarks, and each right answer that loses points."""
        lost = [result.mutant.operator for result in self.found.of(MutantVerdict.LOST)]
        lost += [result.reason for result in self.found.of(MutantVerdict.ASKED)] if self.test.kind == "strict" else []
        return " · ".join([*self.found.questions[0].remarks, *sorted(set(lost))])

    @property
    def is_named(self) -> bool:
        return re.search(self.test.fault, self.words) is not None

    def truly_wrong(self) -> list[tuple[Result, bool]]:
        """Each survivor, and whether it is wrong by plain Python."""
        survivors = self.found.of(MutantVerdict.SURVIVED)
        return [(result, not self.planted.is_right(result.mutant.after)) for result in survivors]

    def truly_right(self) -> list[tuple[Result, bool]]:
        """Each right answer that loses points, and whether it is right by plain Python."""
        return [(result, self.planted.is_right(result.mutant.after)) for result in self.found.of(MutantVerdict.LOST)]


def judgement(
    folder: Path,
    planted: PlantedAssignment,
    test: PlantedTest,
    execute: Execute,
    families: Sequence[str] = tuple(FAMILIES),
) -> Judgement:
    """Audit an assignment with one of its tests."""
    course = tiny_course(folder, yaml=YAML.replace("cell_seconds: 20, notebook_seconds: 60", LIMITS))
    answer = f"### BEGIN SOLUTION\n{planted.solution}\n### END SOLUTION"
    (course.source("hw") / "nb.ipynb").write_text(
        notebook(
            cell(planted.given, "given", locked=True),
            cell(planted.task, kind="markdown"),
            cell(answer, "answer", solution=True),
            cell(test.source, "test-answer", grade=True, locked=True, points=2),
        )
    )
    given = AuditOptions(120, families, execute=execute, start=InProcessKernel, workers=1)
    return Judgement(planted, test, audit(course, observed_release(course), given, Silent()))
