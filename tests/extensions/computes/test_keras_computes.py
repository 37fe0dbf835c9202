"""A Keras model is right if, with the same drawn weights, it gives the outputs of a reference."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from helpers.keras_networks import keras_networks
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.remote_models import recorded

from autograder import check
from autograder.errors import CourseError
from autograder.records.checks import is_undecided

pytestmark = pytest.mark.keras
NAMES = (
    "fire module", "squeeze and excitation", "dense block", "inception", "residual block", "U-Net",
    "separable convolution", "highway", "mixture of experts", "DeepSets", "Siamese", "WaveNet", "LSTM",
    "GRU with attention", "transformer", "graph convolution",
)  # fmt: skip
QUICK = ("highway", "graph convolution")
each_network = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES]
)


def test_there_are_sixteen_networks() -> None:
    made = keras_networks()
    assert set(made) == set(NAMES)
    assert sum(len(network.right) for network in made.values()) == 96
    assert sum(len(network.wrong) for network in made.values()) == 32


@each_network
def test_an_honest_model_is_right_whatever_its_spelling(name: str) -> None:
    network = keras_networks()[name]
    for spelling, function in network.right.items():
        model = network.model(function)
        result = recorded(lambda: check.computes(model, like=network.model(), rows=network.rows))  # noqa: B023
        assert result.fraction == 1, (spelling, result.detail)


@each_network
def test_another_model_loses(name: str) -> None:
    network = keras_networks()[name]
    for mistake, function in network.wrong.items():
        model = network.model(function)
        result = recorded(lambda: check.computes(model, like=network.model(), rows=network.rows))  # noqa: B023
        assert (result.fraction, is_undecided(result)) == (0, False), (mistake, result.detail)


def test_a_layer_of_the_largest_unit_is_the_largest_of_layers() -> None:
    inputs = keras.Input((6,))
    branches = [L.Dense(4)(inputs) for _ in range(3)]
    reference = keras.Model(inputs, L.Dense(2)(L.Maximum()(branches)))
    fused = keras.ops.max(L.Reshape((3, 4))(L.Dense(12)(inputs)), axis=1)
    assert recorded(lambda: check.computes(keras.Model(inputs, L.Dense(2)(fused)), like=reference)).fraction == 1
    least = keras.ops.min(L.Reshape((3, 4))(L.Dense(12)(inputs)), axis=1)
    assert recorded(lambda: check.computes(keras.Model(inputs, L.Dense(2)(least)), like=reference)).fraction == 0


def test_dropouts_of_a_model_stand_where_those_of_the_reference_do() -> None:
    def made(*parts: object) -> object:
        return keras.Sequential([keras.Input((6, 3)), L.Conv1D(4, 3), *parts, L.Dense(2)])

    def told(*parts: object) -> float:
        reference = made(L.SpatialDropout1D(0.25), L.ReLU(), L.Flatten(), L.Dropout(0.5, noise_shape=(None, 16)))
        return recorded(lambda: check.computes(made(*parts), like=reference, dropout=True)).fraction

    assert told(L.ReLU(), L.Dropout(0.25, noise_shape=(None, 1, 4)), L.Dropout(0.5), L.Flatten()) == 1
    assert told(L.ReLU(), L.Dropout(0.25), L.Dropout(0.5), L.Flatten()) == 0
    assert told(L.ReLU(), L.Dropout(0.5, noise_shape=(None, 1, 4)), L.Dropout(0.25), L.Flatten()) == 0


def test_a_spatial_dropout_is_computed_by_a_graph_of_tensorflow_too() -> None:
    """Behind a hundred computations a graph is made, in which the number of rows is not known."""
    from autograder.extensions.computes.keras_function import KerasFunction
    from autograder.extensions.networks.dropped import DropoutFactors

    model = keras.Sequential([keras.Input((6, 3)), L.SpatialDropout1D(0.5), L.Flatten(), L.Dense(2)])
    function = KerasFunction(model, DropoutFactors(1))
    outputs = [function.outputs(function.arrays, np.ones((rows, 6, 3)))[0] for rows in (2, *[12] * 120, 64)]
    assert [len(output) for output in outputs[-2:]] == [12, 64]
    np.testing.assert_allclose(outputs[-1][:2], outputs[0], rtol=1e-5)


def test_the_models_stay_as_they_are() -> None:
    network = keras_networks()["highway"]
    model, reference = network.model(), network.model()
    before = [weight.numpy() for weight in (*model.weights, *reference.weights)]
    assert recorded(lambda: check.computes(model, like=reference)).fraction == 1
    after = [weight.numpy() for weight in (*model.weights, *reference.weights)]
    assert all(map(np.array_equal, before, after))


def test_rows_of_an_embedding_are_asked() -> None:
    network = keras_networks()["LSTM"]
    with pytest.raises(CourseError, match="give rows="):
        recorded(lambda: check.computes(network.model(), like=network.model()))


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")
def test_networks_of_two_libraries_are_compared() -> None:
    from torch import nn

    reference = keras.Sequential([keras.Input((6,)), L.Dense(5, activation="relu"), L.BatchNormalization(), L.Dense(3)])
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.BatchNorm1d(5, eps=1e-3), nn.Linear(5, 3))
    assert recorded(lambda: check.computes(model, like=reference)).fraction == 1
