"""Survivors that train something are trained again, as often as chance asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.extensions.trust import audit_training
from autograder.extensions.trust.audit_records import MutantVerdict, Result
from autograder.extensions.trust.audit_runs import TRAINING_SEEDS
from autograder.extensions.trust.audit_training import Measured
from autograder.extensions.trust.mutants import Feeds, Mutant

LOSS = ("test-loss loss", "loss", False)
Loss = Callable[[str], float]
"""Answer → what its next training reaches."""


def survivor(answer: str) -> Result:
    feeds = Feeds(("test-loss",), ("test-loss",))
    mutant = Mutant("network", "an operator", "nb", "train", "solution", answer, feeds)
    return Result(mutant, MutantVerdict.SURVIVED)


class Trainings:
    """Stands for the runs of an audit: a training measures what ``loss`` says."""

    error = 0.0
    """The standard error by the rows."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.options, self.names = loss, SimpleNamespace(workers=1, execute=None), list[str]()

    def training_name(self, notebook: str, cell: str, source: str, seed: int) -> str:
        return f"{source} {seed}"

    def trainings(self, notebook: str, cell: str, source: str, seeds: Sequence[int]) -> list[Any]:
        return [SimpleNamespace(student=f"{source} {seed}") for seed in seeds]

    def run(self, works: Sequence[Any], **options: Any) -> Any:
        self.names += [work.student for work in works]
        losses = {work.student: {LOSS: Measured(self.loss(work.student.split()[0]), self.error)} for work in works}
        return SimpleNamespace(grades=[SimpleNamespace(student=name, losses=losses[name]) for name in losses])


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[MutantVerdict], int]]:
    """Return the verdicts of survivors, and how many trainings they took with the solution's."""

    def judge(loss: Loss, *answers: str) -> tuple[list[MutantVerdict], int]:
        trainings = Trainings(loss)
        solution: Any = SimpleNamespace(notebooks=(), losses={LOSS: Measured(0.5)})
        display: Any = SimpleNamespace(says=lambda text: None)
        runs: Any = trainings
        monkeypatch.setattr(audit_training.batch, "run", trainings.run)
        monkeypatch.setattr(audit_training, "_metrics", lambda grade, mutant: grade.losses)
        survivors = [survivor(answer) for answer in answers]
        results = audit_training.retrained(survivors, solution, runs, display, time.monotonic() + 600)
        return [result.verdict for result in results], len(trainings.names)

    return judge


def test_trainings_without_chance_are_made_twice(judged: Any) -> None:
    losses = {"solution": 0.5, "same": 0.501, "worse": 0.6}
    verdicts, count = judged(losses.__getitem__, "same", "worse")
    assert verdicts == [MutantVerdict.EQUIVALENT, MutantVerdict.SURVIVED]
    assert count == 2 * len(losses)


def test_a_survivor_that_another_holdout_may_put_first_is_as_good(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainings, "error", 0.02)
    verdicts, _ = judged({"solution": 0.5, "close": 0.51, "worse": 0.53}.__getitem__, "close", "worse")
    assert verdicts == [MutantVerdict.EQUIVALENT, MutantVerdict.SURVIVED]


def test_trainings_with_chance_are_made_from_all_seeds(judged: Any) -> None:
    draw = random.Random(0)
    verdicts, count = judged(lambda answer: draw.gauss(0.5 if answer == "solution" else 0.9, 0.01), "worse")
    assert verdicts == [MutantVerdict.SURVIVED]
    assert count == 2 * len(TRAINING_SEEDS)


def test_chance_in_the_survivor_alone_asks_for_all_seeds(judged: Any) -> None:
    draw = random.Random(0)
    _, count = judged(lambda answer: 0.5 if answer == "solution" else draw.gauss(0.5, 0.1), "unseeded")
    assert count == 2 * len(TRAINING_SEEDS)


NETWORKS = [
    ("class Network(nn.Module):\n    pass", True),
    ("import torch\n\nclass Block(torch.nn.Module):\n    pass", True),
    ("class Network(keras.Model):\n    pass", True),
    ("model.fit(X, y)", True),
    ("class Account(Base):\n    pass", False),
    ("def attend(queries, keys):\n    return queries @ keys", False),
]


@pytest.mark.parametrize(("answer", "is_trained"), NETWORKS)
def test_a_network_is_judged_by_what_it_learns_also_where_another_cell_trains_it(answer: str, is_trained: bool) -> None:
    mutant = Mutant("code", "- for +", "nb", "build-model", answer, answer, Feeds(("test-loss",), ("test-loss",)))
    assert audit_training.is_trained(mutant) == is_trained
