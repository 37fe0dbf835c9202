"""What an audit says of tests whose faults are known: the assignments of :mod:`helpers.ground_truth`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.audits import Silent, observed_release
from helpers.ground_truth import PlantedAssignment, PlantedTest, assignments
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, Here, cell, notebook, tiny_course
from variants.running import ENVIRONMENT

from autograder.coordinator.batch import Execute
from autograder.extensions.trust.audit import audit
from autograder.extensions.trust.audit_records import Audit, MutantVerdict, Result
from autograder.extensions.trust.audit_runs import AuditOptions

PAGE = Path(__file__).parents[3] / "docs/explanation/audits.md"
PLANTED = assignments()
QUICK = [planted for planted in PLANTED if not planted.is_network]


@pytest.mark.parametrize("planted", QUICK, ids=lambda planted: planted.name)
def test_answers_and_tests_are_what_they_are_called(planted: PlantedAssignment) -> None:
    """By plain Python, without the kit: strong tests err nowhere, weak ones only to one side, strict ones to the other."""
    assert planted.is_right(planted.solution)
    assert [answer for answer in planted.wrong if planted.is_right(answer)] == []
    assert [answer for answer in planted.right if not planted.is_right(answer)] == []
    for test in planted.tests:
        passing = [answer for answer in planted.wrong if planted.passes(answer, test)]
        losing = [answer for answer in planted.right if not planted.passes(answer, test)]
        assert planted.passes(planted.solution, test), test
        assert (bool(passing), bool(losing)) == (test.kind == "weak", test.kind == "strict"), (test, passing, losing)


def test_there_are_enough_of_them() -> None:
    assert len(PLANTED) >= 12
    assert sum(len(planted.wrong) for planted in PLANTED) >= 150
    assert sum(len(planted.right) for planted in PLANTED) >= 80


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
        lost += ["does the task fix the order?"] if self.is_asked and self.test.kind == "strict" else []
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


def judgement(folder: Path, planted: PlantedAssignment, test: PlantedTest, execute: Execute) -> Judgement:
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
    given = AuditOptions(minutes=120, execute=execute, start=InProcessKernel, workers=1)
    return Judgement(planted, test, audit(course, observed_release(course), given, Silent()))


LIMITS = "cell_seconds: 300, notebook_seconds: 900"


def share(values: Sequence[bool]) -> str:
    return f"{sum(values)} of {len(values)}"


def table(judgements: Sequence[Judgement]) -> list[str]:
    """The table of docs/explanation/audits.md: a line for each kind of test."""
    lines = ["| tests | called weak | called strict, or asked | fault named |", "|---|---:|---:|---:|"]
    for kind in ("weak", "strict", "strong"):
        of_kind = [one for one in judgements if one.test.kind == kind]
        named = "–" if kind == "strong" else share([one.is_named for one in of_kind])
        weak, strict = (
            [one.is_called_weak for one in of_kind],
            [one.is_called_strict or one.is_asked for one in of_kind],
        )
        lines.append(f"| {len(of_kind)} {kind} | {share(weak)} | {share(strict)} | {named} |")
    return lines


NETWORKS = [(planted, test) for planted in PLANTED for test in planted.tests if planted.is_network]


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize(("planted", "test"), NETWORKS, ids=[test.kind for _, test in NETWORKS])
def test_an_audit_sees_the_planted_fault_of_a_test_of_networks(
    planted: PlantedAssignment, test: PlantedTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found = judgement(tmp_path, planted, test, Here())
    assert (found.is_called_weak, found.is_called_strict) == (test.kind == "weak", test.kind == "strict"), found.words
    assert test.kind == "strong" or found.is_named, found.words


@pytest.mark.slow
def test_an_audit_sees_the_planted_faults_and_the_page_has_the_numbers(tmp_path: Path) -> None:
    chosen = [(planted, test) for planted in QUICK for test in planted.tests]
    judgements = [
        judgement(tmp_path / str(number), planted, test, Here()) for number, (planted, test) in enumerate(chosen)
    ]
    lines = table(judgements)
    print("\n".join(lines))
    kinds = {kind: [one for one in judgements if one.test.kind == kind] for kind in ("weak", "strict", "strong")}
    assert part(one.is_called_weak for one in kinds["weak"]) >= 0.9
    assert part(one.is_called_strict or one.is_asked for one in kinds["strict"]) >= 0.9
    assert [one.words for one in kinds["strong"] if one.words] == []
    assert part(one.is_named for kind in ("weak", "strict") for one in kinds[kind]) >= 0.8
    assert part(is_wrong for one in judgements for _, is_wrong in one.truly_wrong()) >= 0.95
    assert part(is_right for one in judgements for _, is_right in one.truly_right()) >= 0.95
    page = PAGE.read_text(encoding="utf-8")
    assert [line for line in lines if line not in page] == []


def part(values: Iterable[bool]) -> float:
    given = list(values)
    return sum(given) / len(given)
