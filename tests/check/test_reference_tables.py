"""The tables of docs/reference/checks.md of what a student may hand in: each example earns what its row says.

A model is rebuilt and a value is copied first, as on the way out of a kernel.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.rebuilding import sent

from autograder import check
from autograder.codec import decode, encode
from autograder.records.checks import CheckResult, Outcome, is_undecided

PAGE = Path(__file__).parents[2] / "docs/reference/checks.md"
TABLE = re.compile(r"^\*\*What a student may (?:hand in|return)\*\*, for `([^`\n]+)`[^|]*\n\n((?:\|.*\n)+)", re.M)


def examples(*, of_models: bool) -> list[Any]:
    """The check, a student's expression, and the first word on what it earns."""
    listed = []
    for call, table in TABLE.findall(PAGE.read_text(encoding="utf-8")):
        for answers, earned in re.findall(r"^\| (`.*`) \| (.*) \|$", table, re.M):
            for answer in re.findall(r"`([^`]+)`", answers):
                if ("(model," in call) == of_models:
                    word = re.match(r"passes|fails|for a person", earned)
                    listed.append(pytest.param(call, answer, word, id=answer))
    return listed


def result_of(call: str, names: dict[str, Any]) -> CheckResult:
    with check.recording() as results:
        eval(call, {"check": check, **names})
    (result,) = results
    return result


def outcome(result: CheckResult) -> str:
    if is_undecided(result):
        return "for a person"
    return "passes" if result.outcome is Outcome.PASSED else "fails"


def copied(value: Any) -> Any:
    packed = encode(value)
    return decode(packed.text, packed.buffers)


@pytest.mark.parametrize(("call", "answer", "earned"), examples(of_models=False))
def test_a_value_earns_what_its_table_says(call: str, answer: str, earned: re.Match[str]) -> None:
    value = copied(eval(answer, {"np": np, "pd": pd}))
    result = result_of(call, {"answer": value, "ends": lambda numbers: value})
    assert outcome(result) == earned[0], result.message


def student_names() -> dict[str, Any]:
    import keras

    names = {name: getattr(keras.layers, name) for name in ("Activation", "BatchNormalization", "Dense", "Dropout")}
    names |= {"Model": keras.Model, "Sequential": keras.Sequential, "Softmax": keras.layers.Softmax}
    names |= {name: getattr(keras, name) for name in ("losses", "ops", "optimizers")}
    return {**names, "x": keras.Input((93,))}


def model_of(source: str, names: dict[str, Any]) -> Any:
    if not source.startswith("model.compile("):
        return eval(source, names)
    names["model"] = eval('Sequential([x, Dense(9, "softmax")])', names)
    eval(source, names)
    return names["model"]


@pytest.mark.keras
@pytest.mark.parametrize(("call", "answer", "earned"), examples(of_models=True))
def test_a_model_earns_what_its_table_says(call: str, answer: str, earned: re.Match[str]) -> None:
    from autograder.models import rebuild

    model = rebuild(*sent(model_of(answer, student_names())))
    rows = np.random.default_rng(0)
    data = {"X": rows.normal(size=(256, 93)).astype("float32"), "y": rows.integers(0, 9, 256)}
    result = result_of(call, {"model": model, **data})
    assert outcome(result) == earned[0], result.message
