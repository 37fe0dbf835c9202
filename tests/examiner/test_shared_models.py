"""A model that tests only look at is rebuilt once; one that a test may change, for each cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.kernels import InProcessKernel

from autograder.codec import Reference, encode
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.shared_models import read_only_models
from autograder.execution.capture import Captured

LOOKS = "assert model.input_shape == (None, 3)"


@pytest.mark.parametrize(
    "look",
    [
        "assert model.output_shape == (None, 9)",
        "assert n == model.count_params()",
        "assert model.predict(X, verbose=0).shape == (2, 9)",
        "def loss():\n    return -np.log(model.predict(X, batch_size=8)).mean()\nassert loss() < 1",
        "check.loss(model, on=(X, y), below=0.5)",
        "check.architecture(model, [check.dense(9)])",
        "assert model is not None",
    ],
)
def test_shapes_predictions_and_checks_change_nothing(look: str) -> None:
    assert "model" in read_only_models([LOOKS, look])
    assert "model" in read_only_models([LOOKS, LOOKS], [look])


@pytest.mark.parametrize(
    "use",
    [
        "model.fit(X, y)",
        "model.compile('adam')",
        "model.layers[0].set_weights([])",
        "model.layers.pop()",
        "model.input_shape = 1",
        "del model.input_shape",
        "model.predict = lambda x: y",
        "f = model.predict",
        "model.predict(X, callbacks=[change])",
        "model.predict(X, 32, 0, None, [change])",
        "model.predict(*given)",
        "model.predict(X, **given)",
        "model.predict(change(model))",
        "other = model",
        "change(model)",
        "check.loss([model], on=(X, y), below=1)",
        "check.loss(m, on=(model, y), below=1)",
        "check.retrained(model, epochs=1)",
        "kit.loss(model)",
        "model = None",
        "del model",
        "[model for model in models]",
        "assert model == other",
        "globals()['model'].fit(X)",
        "eval('model.fit(X)')",
        "mock.patch('__main__.model')",
    ],
)
def test_where_anything_else_is_done_each_cell_has_its_own(use: str) -> None:
    assert "model" not in read_only_models([LOOKS, LOOKS, use])
    assert "model" not in read_only_models([LOOKS, LOOKS], [use])


def test_a_check_that_is_not_the_kits_may_do_anything() -> None:
    sources = [LOOKS, "check.loss(model)"]
    assert read_only_models(sources) == {"model"}
    assert read_only_models(sources, checks=False) == frozenset()


def test_where_a_test_is_not_python_nothing_is_known() -> None:
    assert read_only_models([LOOKS, LOOKS, "%matplotlib inline"]) == frozenset()


def test_what_one_cell_uses_is_not_worth_comparing() -> None:
    assert read_only_models([LOOKS, "assert n == 1"]) == frozenset()


class Seen:
    """Answers to some cells, and what was rebuilt for them."""

    def __init__(self, *read_only: str) -> None:
        self.built: list[Any] = []
        self.answers = Answers(Remote(InProcessKernel()), frozenset(), self.rebuild)
        self.answers.read_only = frozenset(read_only)

    def rebuild(self, described: Any, weights: Any) -> object:
        if described.get("refused"):
            raise ValueError("no such layer")
        self.built.append(object())
        return self.built[-1]

    def value(self, name: str = "model", *, weight: float = 1.0, handle: int = 7, **described: Any) -> Any:
        """Of one more cell."""
        packed = encoded(handle)
        claim = ({"kind": "Sequential", **described}, [np.full(2, weight)])
        return self.answers.value(name, Captured(packed, "", {handle: claim}))


def encoded(handle: int) -> Any:
    """A value that is nothing but a model."""

    class Model:
        pass

    return encode(Model(), lambda value: Reference(handle, "model", "keras.Model"))


def test_the_same_state_is_rebuilt_once_under_a_name_that_is_only_looked_at() -> None:
    seen = Seen("model")
    assert seen.value() is seen.value() is seen.value()
    assert len(seen.built) == 1


def test_other_weights_another_description_and_another_object_are_rebuilt() -> None:
    seen = Seen("model")
    values = [seen.value(), seen.value(weight=2.0), seen.value(name="net"), seen.value(handle=8), seen.value()]
    assert values[0] is values[4]
    assert len({id(value) for value in values[:4]}) == len(seen.built) == 4


def test_under_another_name_it_is_rebuilt_for_each_cell() -> None:
    seen = Seen("model")
    assert len({id(seen.value()), id(seen.value("models")), id(seen.value("models"))}) == 3


def test_its_learning_curve_counts_where_it_was_seen_last() -> None:
    """The class report shows the last model's."""
    seen = Seen("model")
    first, second = {"loss": [1.0]}, {"loss": [0.5]}
    for history in (first, second, first):
        seen.value(history=history)
    assert seen.answers.histories == [first, second, first]
    assert len(seen.built) == 2


def test_one_that_is_refused_is_refused_in_each_cell() -> None:
    seen = Seen("model")
    assert seen.value(refused=True) is not seen.value(refused=True)
    assert seen.built == []
