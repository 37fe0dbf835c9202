"""An answer draws with a test's seed only where the solution loses points with another one, and the release says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.examination import graded
from helpers.tiny import YAML, Here, cell, notebook

from autograder.coordinator import assignment as grading
from autograder.coordinator.proof import Proof, prove
from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.records.observations import Act
from autograder.release.build import build

START = "import random\nimport numpy as np\nfrom autograder import check"


@dataclass(frozen=True)
class Case:
    """A test with a seed, its solution, and an honest answer that is made otherwise."""

    solution: str
    honest: str
    test: str
    needs: bool = False
    """Whether the solution needs the test's own seed."""


GRADIENT = (
    "def fit(X, y):\n    w = np.random.randn(X.shape[1]) * 0.01\n    for _ in range(300): w -= 0.1 * X.T @ (X @ w - y) / len(X)\n"
    "    return w"
)
FITTED = "np.random.seed(123)\nX = np.random.randn(200, 5)\nw = np.random.randn(5)\nassert np.allclose(fit(X, X @ w), w, atol=0.05)"
NOISE = "def noise(n): return np.random.rand(n)"
ONE_BY_ONE = "def noise(n): return np.array([np.random.random() for _ in range(n)])"
ROLL = "def roll(n): return [random.randint(1, 6) for _ in range(n)]"
CASES = {
    "weights-that-are-drawn": Case(GRADIENT, GRADIENT.replace("randn", "standard_normal"), FITTED),
    "weights-of-a-formula": Case(GRADIENT, "def fit(X, y): return np.linalg.lstsq(X, y, rcond=None)[0]", FITTED),
    "weights-of-zeros": Case(GRADIENT.replace("np.random.randn(X.shape[1]) * 0.01", "np.zeros(X.shape[1])"), GRADIENT, FITTED),
    "centers": Case(
        "def center(X):\n    c = X[np.random.randint(len(X))]\n    return X[np.linalg.norm(X - c, axis=1) < 50].mean(0)",
        "def center(X):\n    c = X[np.random.choice(len(X))]\n    return X.mean(0)",
        "np.random.seed(4)\nX = np.random.randn(100, 2)\nassert np.allclose(center(X), X.mean(0))",
    ),
    "twice-the-same": Case(NOISE, ONE_BY_ONE, "np.random.seed(9)\na = noise(4)\nnp.random.seed(9)\nassert (a == noise(4)).all()"),
    "differs": Case(NOISE, ONE_BY_ONE, "np.random.seed(1)\na = noise(4)\nnp.random.seed(2)\nassert (a != noise(4)).any()"),
    "sample": Case(NOISE, ONE_BY_ONE, "np.random.seed(9)\nwanted = np.random.rand(3)\nnp.random.seed(9)\nassert np.allclose(noise(3), wanted)", needs=True),
    "written-numbers": Case(NOISE, ONE_BY_ONE, "np.random.seed(0)\nassert np.allclose(noise(2), [0.5488135, 0.71518937])", needs=True),
    "dice": Case(ROLL, "def roll(n):\n    out = []\n    for _ in range(n): out.append(random.randint(1, 6))\n    return out", "random.seed(3)\nwanted = [random.randint(1, 6) for _ in range(9)]\nrandom.seed(3)\nassert roll(9) == wanted", needs=True),
    "dice-in-range": Case(ROLL, "def roll(n): return random.choices(range(1, 7), k=n)", "random.seed(3)\nassert set(roll(99)) == {1, 2, 3, 4, 5, 6}"),
    "mean": Case(NOISE, ONE_BY_ONE, "np.random.seed(5)\nassert abs(noise(10_000).mean() - 0.5) < 0.05"),
    "own-seed": Case("def draw(n):\n    np.random.seed(42)\n    return np.random.rand(n)", "def draw(n): return np.random.RandomState(42).rand(n)", "np.random.seed(42)\nassert np.allclose(draw(4), np.random.rand(4))"),
    "own-generator": Case("def draw(n): return np.random.default_rng(7).normal(size=n)", "def draw(n):\n    rng = np.random.default_rng(7)\n    return np.array([rng.normal() for _ in range(n)])", "np.random.seed(0)\nassert np.allclose(draw(3), np.random.default_rng(7).normal(size=3))"),
    "seed-as-argument": Case("def draw(seed): return np.random.default_rng(seed).normal()", "def draw(seed):\n    rng = np.random.default_rng(seed)\n    return rng.standard_normal()", "np.random.seed(1)\nassert draw(3) == np.random.default_rng(3).normal()"),
    "no-draws": Case("def double(x): return 2 * x", "def double(x): return x + x", "np.random.seed(1)\nx = np.random.rand(3)\nassert np.allclose(double(x), 2 * x)"),
    "unused-draws": Case("def double(x):\n    np.random.rand()\n    return 2 * x", "def double(x): return x + x", "np.random.seed(1)\nx = np.random.rand(3)\nassert np.allclose(double(x), 2 * x)"),
    "shuffle": Case("def mixed(v):\n    v = list(v)\n    random.shuffle(v)\n    return v", "def mixed(v): return random.sample(list(v), len(v))", "random.seed(1)\ngot = mixed(range(50))\nassert sorted(got) == list(range(50)) != got"),
    "two-generators": Case("def both(): return random.random(), np.random.rand()", "def both():\n    a = random.random()\n    return (a, np.random.random())", "random.seed(3)\nnp.random.seed(3)\na = both()\nrandom.seed(3)\nnp.random.seed(3)\nassert both() == a"),
    "split": Case("def split(v):\n    order = np.random.permutation(len(v))\n    return v[order[:8]], v[order[8:]]", "def split(v):\n    v = v.copy()\n    np.random.shuffle(v)\n    return v[:8], v[8:]", "np.random.seed(2)\na, b = split(np.arange(10))\nassert len(a) == 8 and set(a) | set(b) == set(range(10))"),
    "helper-that-seeds": Case(NOISE, ONE_BY_ONE, "def seeded():\n    np.random.seed(6)\n    return noise(3)\nassert np.array_equal(seeded(), seeded())"),
    "checked": Case(NOISE, ONE_BY_ONE, "np.random.seed(8)\nwanted = np.random.rand(3)\nnp.random.seed(8)\ncheck.close(noise(3), wanted)", needs=True),
    "stated": Case(NOISE, ONE_BY_ONE, "np.random.seed(8)  # examine: answers draw\nwanted = np.random.rand(3)\nnp.random.seed(8)\nassert np.allclose(noise(3), wanted)"),
}  # fmt: skip
ATTACKS = {
    "weights-that-are-drawn": "def fit(X, y):\n    np.random.randn(*X.shape)\n    return np.random.randn(X.shape[1])",
    "weights-of-a-formula": "def fit(X, y):\n    np.random.randn(*X.shape)\n    return np.random.randn(X.shape[1])",
    "centers": "def center(X): return np.random.randn(*X.shape).mean(0)",
    "unused-draws": "def double(x): return 2 * np.random.rand(3)",
}


def make_course(root: Path) -> Course:
    cells = [cell(START, "start", locked=True)]
    for name, case in CASES.items():
        cells.append(cell(f"### BEGIN SOLUTION\n{case.solution}\n### END SOLUTION", name, solution=True))
        hidden = f"### BEGIN HIDDEN TESTS\n{case.test}\n### END HIDDEN TESTS"
        cells.append(cell(hidden, f"test-{name}", grade=True, locked=True, points=1))
    folder = root / "source/hw"
    folder.mkdir(parents=True)
    (folder / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    return load_course(root)


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    course = make_course(tmp_path_factory.mktemp("seeds") / "course")
    return prove(course, build(course, course.assignments["hw"]), execute=Here())


def needing(exam) -> set[str]:
    return {fact.place.partition(":")[0] for fact in exam.observations.facts if fact.act is Act.DRAWS}


NEEDED = {f"test-{name}" for name, case in CASES.items() if case.needs}


def test_the_record_has_the_seeds_that_the_solution_needs_and_no_other(proof: Proof) -> None:
    assert needing(proof.release.exams[0]) == NEEDED


def test_a_release_warns_of_a_test_that_shares_its_seed_and_says_how_to_do_without(proof: Proof) -> None:
    warned = [text for text in proof.warnings if "default_rng" in text]
    assert {text.split(", ")[1].split(":")[0] for text in warned} == NEEDED
    assert not [text for text in proof.warnings if "in one of two runs" in text]


@pytest.fixture(scope="module")
def scores(proof: Proof) -> dict[str, float]:
    answers = {name: case.honest for name, case in CASES.items()}
    results = graded(proof.release.exams[0], **answers)
    return {name: result.fraction for name, result in zip(CASES, results, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_an_honest_answer_to_a_test_with_a_seed_keeps_its_points(scores: dict[str, float], name: str) -> None:
    assert scores[name] == 1


def test_an_answer_draws_nothing_that_the_test_expects(proof: Proof) -> None:
    results = dict(zip(CASES, graded(proof.release.exams[0], **ATTACKS), strict=True))
    assert {name: results[name].fraction for name in ATTACKS} == dict.fromkeys(ATTACKS, 0)
    assert not any(results[name].undecided for name in ATTACKS)


def test_a_course_that_was_never_released_has_the_same_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here()
    monkeypatch.setattr(grading, "in_processes", lambda due, workers, **_: here(due, workers))
    course = make_course(tmp_path / "course")
    release, (note,) = grading.observed_release(course, course.assignments["hw"])
    assert needing(release.exams[0]) == NEEDED
    assert not release.exams[0].observations.missed
    assert "misses points" not in note
    assert here.started == [grading.SOLUTION] * 3
