"""Checks of one's own about outputs: the examiner predicts, and what the test demands of the model holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.remote_models import answer, recorded

from autograder import check
from autograder.extensions.networks.api import BadOutput, report_outputs

ROWS = np.random.default_rng(0).normal(size=(30, 4))
TOKENS = np.random.default_rng(1).integers(0, 9, (20, 7))


def judge(outputs: np.ndarray) -> tuple[float, str]:
    return 0.5, f"{outputs.shape[1]} columns"


@pytest.mark.keras
def test_a_model_that_the_examiner_holds_is_computed_there_whatever_its_predict_does() -> None:
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    model.predict = lambda rows: np.zeros((len(rows), 9))
    result = recorded(lambda: report_outputs(model, ROWS, judge, name="columns"))
    assert (result.fraction, result.message) == (0.5, "3 columns")


def test_what_is_no_model_fails_with_its_sentence() -> None:
    result = recorded(lambda: report_outputs(answer("model = 3"), ROWS, judge, name="columns"))
    assert (result.fraction, "not a model" in result.message) == (0, True), result.message


def test_rows_that_the_model_does_not_take_fail_it() -> None:
    model = answer("import numpy as np\nmodel = lambda rows: np.asarray(rows) @ np.ones((5, 2))")
    result = recorded(lambda: report_outputs(model, ROWS, judge, name="columns"))
    assert (result.fraction, "does not accept" in result.message) == (0, True), result.message


def test_outputs_of_a_bad_form_are_named_by_the_judge() -> None:
    def strict(outputs: np.ndarray) -> tuple[float, str]:
        raise BadOutput("Give one column.")

    result = recorded(lambda: report_outputs(lambda rows: rows, ROWS, strict, name="columns"))
    assert (result.fraction, result.message) == (0, "Give one column.")


def test_what_only_if_asks_of_a_model_is_looked_at_where_it_is_scored() -> None:
    """Looks ahead in longer rows than those of the property."""

    def model(rows: Any) -> Any:
        ahead = rows[:, ::-1] if len(rows) and rows.shape[1] > 6 else rows
        return np.cumsum(ahead, axis=1)[:, :, None] * 1.0

    with check.recording() as results, check.only_if(check.causal(model, TOKENS[:, :5])):
        report_outputs(model, TOKENS, judge, name="columns")
    assert [result.fraction for result in results] == [1, 0]
