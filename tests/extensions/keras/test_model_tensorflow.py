"""Functions of TensorFlow in a model's ``call`` are read as the same functions of ``keras.ops``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.call_bodies import NOT_READ, READ, model_of
from helpers.call_bodies import ROWS as BODY_ROWS
from helpers.own_models import ROWS, SERIES, called, of_call
from helpers.rebuilding import outputs, sent
from helpers.tensorflow_texts import OF_PICTURES, OF_SERIES

from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras

PICTURES = np.random.default_rng(3).normal(size=(6, 8, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    draw = np.random.default_rng(4)
    matrix, kernel = draw.normal(size=(4, 3)).astype("float32"), draw.normal(size=(3, 3, 3, 2)).astype("float32")
    return {"keras": keras, "tf": tf, "K": tf.keras.backend, "np": np, "W": matrix, "k": kernel}


def problem(names: dict[str, Any], text: str, rows: Any) -> str:
    """Why a model that computes the text is not read; empty if it is."""
    keras, tf = names["keras"], names["tf"]

    def call(own: Any, x: Any, training: Any) -> Any:
        return tf.cast(eval(text, {**names, "x": own.same(x)}), tf.float32) * 1.0

    model, _ = called(of_call(keras, {"same": keras.layers.Identity()}, call), rows)
    try:
        twin = rebuild(*sent(model))
    except RefusedModel as error:
        return f"{text}: {error}"
    same = np.allclose(outputs(twin, rows)[0], outputs(model, rows)[0], rtol=1e-4, atol=1e-5)
    return "" if same else f"{text}: other numbers"


@pytest.mark.parametrize("part", range(4))
def test_functions_that_courses_use_are_read(names: dict[str, Any], part: int) -> None:
    assert not list(filter(None, (problem(names, text, SERIES) for text in OF_SERIES[part::4])))


def test_functions_for_pictures_are_read(names: dict[str, Any]) -> None:
    assert not list(filter(None, (problem(names, text, PICTURES) for text in OF_PICTURES)))


def test_a_call_that_is_a_tf_function_is_read(names: dict[str, Any]) -> None:
    keras, tf = names["keras"], names["tf"]

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.d = keras.layers.Dense(3)

        @tf.function
        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.twice(tf.nn.relu(self.d(inputs)))

        @tf.function(reduce_retracing=True)
        def twice(self, x: Any) -> Any:
            return 2.0 * x

    model, _ = called(Own(), ROWS)
    twin = rebuild(*sent(model))
    np.testing.assert_allclose(outputs(twin, ROWS)[0], outputs(model, ROWS)[0], rtol=1e-6)
    assert twin.count_params() == 15


def test_functions_are_as_before_afterwards(names: dict[str, Any]) -> None:
    keras, tf = names["keras"], names["tf"]
    kind = type(tf.function(lambda: 1))
    held = [tf.zeros, tf.ones, keras.ops.zeros, tf.keras.backend.mean, kind.__call__]
    assert not problem(names, "tf.zeros_like(x)", SERIES)
    assert held == [tf.zeros, tf.ones, keras.ops.zeros, tf.keras.backend.mean, kind.__call__]


def test_a_convolution_over_the_rows_is_not_read(names: dict[str, Any]) -> None:
    turned = "tf.transpose(x, [3, 0, 1, 2])"
    assert problem(names, f"tf.nn.conv2d({turned}, np.ones((3, 3, 8, 2), 'float32'), 1, 'SAME')", PICTURES)


@pytest.mark.parametrize("part", range(4))
def test_bodies_as_students_write_them_are_read(names: dict[str, Any], part: int) -> None:
    for line in READ[part::4]:
        model, rows = model_of(line, names), BODY_ROWS[line.split("|")[0]]
        twin = rebuild(*sent(model))
        np.testing.assert_allclose(outputs(twin, rows)[0], outputs(model, rows)[0], rtol=1e-4, atol=1e-4, err_msg=line)


def test_how_many_bodies_are_read_is_known(names: dict[str, Any]) -> None:
    """docs/reference/models.md states the numbers; what is not read is asked."""
    assert (len(READ), len(NOT_READ)) == (48, 11)
    for line in NOT_READ:
        with pytest.raises(RefusedModel) as caught:
            rebuild(*sent(model_of(line, names)))
        assert caught.value.kind_refused, line
