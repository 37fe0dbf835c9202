"""What an audit says of tests whose faults are known: the assignments of :mod:`helpers.ground_truth`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from helpers.audit_judgements import Judgement, judgement
from helpers.ground_truth import PlantedAssignment, PlantedTest, assignments
from helpers.tiny import Here
from variants.running import ENVIRONMENT

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
