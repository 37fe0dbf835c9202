"""The first lesson: its release, its points, its holdout, and what its tests say to good and bad networks."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import lessons
from helpers.lessons import lesson_exam, source_of

from autograder.course.configuration import load_course
from autograder.records.exam import Exam, Role

ROOT = Path(__file__).resolve().parents[2]
NAME = "keras-fully-connected"
SOURCE = ROOT / "source" / NAME / f"{NAME}.ipynb"
HIDDEN = SOURCE.parent / "hidden"


@pytest.fixture(scope="module")
def exam() -> Exam:
    return lesson_exam(NAME)


# --- the notebook and its release --------------------------------------------------------------------


@pytest.mark.integration
@pytest.mark.parametrize(
    "secret", ["HIDDEN", "SOLUTION", "MARK SCHEME", "hidden_data", "0.57", "92_169", "half a point"]
)
def test_the_release_gives_no_secret_away(exam: Exam, secret: str) -> None:
    assert any(secret in cell.source for cell in exam.cells) or secret in SOURCE.read_text(encoding="utf-8")
    assert not any(secret in cell.released for cell in exam.cells)


def test_test_cells_load_only_answers_and_modules_of_the_notebook(exam: Exam) -> None:
    for cell in exam.cells:
        if cell.role is Role.TEST:
            found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
            made = {node.id for node in found if isinstance(node.ctx, ast.Store)}
            assert {node.id for node in found} - made <= {"check", "np", "model", "count_parameters"}
            assert "import" not in cell.source


def test_nbgraders_configuration_ignores_the_hidden_folder_and_its_own_defaults() -> None:
    from nbgrader.coursedir import CourseDirectory

    from autograder.course.nbgrader_config import read_nbgrader_config

    values = read_nbgrader_config(ROOT).values["CourseDirectory"]
    own = {"hidden", "answers", "calibration.json", "result.json"}
    assert {*CourseDirectory().ignore, *own} == set(values["ignore"])
    assert values["course_id"] == load_course(ROOT).course_id


# --- the holdout --------------------------------------------------------------------------------------


def test_the_holdout_is_small_and_as_documented(exam: Exam) -> None:
    assert (HIDDEN / "holdout.npz").stat().st_size < 1_000_000
    with np.load(HIDDEN / "holdout.npz", allow_pickle=False) as data:
        assert data["counts"].shape == (20_000, 93)
        assert data["counts"].dtype == np.uint16
        assert data["labels"].shape == (20_000,)
        assert set(np.unique(data["labels"])) == set(range(9))
        assert data["mean"].shape == data["scale"].shape == (93,)


def test_the_holdout_shares_no_product_with_the_lesson_and_uses_its_scaler(exam: Exam) -> None:
    sys.path.insert(0, str(ROOT))
    from kaggle_data import load_data, preprocess_data

    counts, _ = load_data()
    _, scaler = preprocess_data(counts[:30_000])
    with np.load(HIDDEN / "holdout.npz", allow_pickle=False) as data:
        known = {row.tobytes() for row in counts.astype(np.uint16)}
        assert not any(row.tobytes() in known for row in data["counts"])
        assert np.allclose(data["mean"], scaler.mean_, rtol=1e-3)
        assert np.allclose(data["scale"], scaler.scale_, rtol=1e-2)


# --- the tests of the lesson ----------------------------------------------------------------------------


@contextmanager
def examined() -> Iterator[Any]:
    """Record the checks of one test cell, with the hidden data at hand."""
    from autograder import check

    with check.serving_hidden_data(HIDDEN), check.recording() as results:
        yield results


def share(exam: Exam, grade_id: str, names: dict[str, Any]) -> float:
    """The share of its points that a test cell gives for these names; 0 where it raises."""
    from autograder import check

    return lessons.share(exam, grade_id, {"check": check, "np": np, **names})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("solution", 1.0),
        ("lambda sizes: 10_309", 0.0),
        ("{(93, 9): 846, (93, 100, 9): 10_309}.get", 0.0),
        ("lambda sizes: {2: 846, 3: 10_309}.get(len(sizes), 0)", 0.0),
        ("lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:]))", 0.0),
    ],
)
def test_counting_is_graded_by_networks_that_are_not_in_the_notebook(exam: Exam, answer: str, expected: float) -> None:
    names: dict[str, Any] = {}
    if answer == "solution":
        exec(source_of(exam, "count-parameters"), names)
    else:
        names["count_parameters"] = eval(answer)
    assert share(exam, "test-count-parameters", names) == expected


@pytest.mark.keras
@pytest.mark.slow
def test_the_solution_gets_full_marks_with_a_margin_and_the_worked_network_little(
    exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.syspath_prepend(str(ROOT))
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in exam.cells:
        if cell.cell_type == "code" and cell.role is not Role.TEST:
            exec(cell.source, names)
    tests = [cell.grade_id or "" for cell in exam.cells if cell.role is Role.TEST]
    assert {name: share(exam, name, names) for name in tests} == dict.fromkeys(tests, 1.0)
    assert holdout_loss(exam, names) < 0.57
    names["model"] = names["worked"]
    assert share(exam, "test-architecture", names) == pytest.approx(1 / 3)
    assert share(exam, "test-loss", names) < 0.2


def holdout_loss(exam: Exam, names: dict[str, Any]) -> float:
    from autograder import check

    with examined() as results:
        exec(source_of(exam, "test-loss"), {"check": check, **names})
    return float(results[-1].evidence["loss"])


@pytest.mark.keras
@pytest.mark.parametrize(
    ("hidden", "output", "architecture", "size"),
    [
        ([], "softmax", 1 / 3, 0.0),
        ([400], "softmax", 1 / 3, 1.0),
        ([16, 16], "softmax", 1.0, 1.0),
        ([30, 30, 30], "softmax", 1.0, 1.0),
        ([100, 100], "sigmoid", 1 / 6, 1.0),
        ([512, 256, 128], "softmax", 1.0, 0.0),
    ],
)
def test_layers_and_size_are_graded_whatever_the_loss(
    exam: Exam, hidden: list[int], output: str, architecture: float, size: float
) -> None:
    import keras

    layers = [keras.layers.Dense(n, activation="relu") for n in hidden]
    model = keras.Sequential([keras.Input((93,)), *layers, keras.layers.Dense(9, activation=output)])
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    assert share(exam, "test-architecture", {"model": model}) == pytest.approx(architecture)
    assert share(exam, "test-size", {"model": model}) == size
    assert share(exam, "test-loss", {"model": model}) == 0.0
