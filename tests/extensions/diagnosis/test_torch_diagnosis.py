"""Networks of PyTorch have the same findings, tried on the Keras model with the same layers."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.check.diagnosing import DiagnosisRequest
from autograder.check.input_shapes import of_rows
from autograder.codec import decode, encode
from autograder.extensions.diagnosis.trials.answer import answer
from autograder.extensions.diagnosis.trials.keras_twin import keras_optimizer, keras_twin
from autograder.extensions.pytorch.kernel_side import torch_model
from autograder.models import rebuild
from autograder.records.diagnosis import Diagnosis

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(400, 6)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0) + 2 * (X[:, 2] > 0)
PICTURES = DRAW.normal(size=(6, 1, 8, 8)).astype("float32")

Make = Callable[[Any], list[Any]]
"""Makes layers from ``torch.nn``."""


def network_of(make: Make, rows: np.ndarray = X) -> Any:
    import torch

    torch.manual_seed(0)
    packed = encode(list(torch_model.claim(torch.nn.Sequential(*make(torch.nn)), of_rows(rows))))
    return rebuild(*decode(packed.text, packed.buffers))


def diagnosed(make: Make, epochs: int, rate: float | None = 0.01, x: np.ndarray = X) -> Diagnosis:
    import torch

    optimizer = None if rate is None else torch.optim.Adam([torch.zeros(1)], lr=rate)
    request = DiagnosisRequest(
        network_of(make, x), x, Y, epochs, 32, "categorical_crossentropy", optimizer, from_logits=True
    )
    diagnosis = answer(request, {"diagnosis_seconds": 600.0})
    assert diagnosis is not None
    return diagnosis


def usual(nn: Any) -> list[Any]:
    return [nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 4)]


@pytest.mark.parametrize(
    ("make", "settings", "said"),
    [
        (lambda nn: [*usual(nn), nn.Softmax(1)], {"epochs": 40}, "With no softmax at the end"),
        (lambda nn: [nn.Linear(6, 32), nn.Linear(32, 4)], {"epochs": 40}, "With relu after each inner layer"),
        (usual, {"epochs": 25, "rate": 1e-5}, "With a learning rate of 0.001, a usual one for Adam, in place of 1e-05"),
        (lambda nn: [nn.Linear(6, 1), nn.ReLU(), nn.Linear(1, 4)], {"epochs": 40}, "With four times the width"),
        (usual, {"epochs": 3, "rate": 0.004}, "With twice the epochs, 6"),
        (usual, {"epochs": 15, "x": X * 2000}, "With each feature of the inputs scaled to mean 0 and deviation 1"),
    ],
    ids=["output", "linear", "rate", "capacity", "epochs", "scale"],
)
def test_a_fault_is_told_in_words_of_pytorch(make: Make, settings: dict[str, Any], said: str) -> None:
    diagnosis = diagnosed(make, **settings)
    assert diagnosis.summary.startswith(said), [*diagnosis.tried, diagnosis.note]


def test_a_network_that_learns_gets_no_finding() -> None:
    assert diagnosed(lambda nn: [nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 4)], 60).findings == ()


def test_a_twin_has_the_layers_of_its_network() -> None:
    flat = keras_twin(
        network_of(lambda nn: [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 4)])
    )
    assert [type(layer).__name__ for layer in flat.layers] == [
        "Dense",
        "BatchNormalization",
        "Activation",
        "Dropout",
        "Dense",
    ]
    pictures = keras_twin(
        network_of(
            lambda nn: [
                nn.Conv2d(1, 4, 3, padding=1),
                nn.LeakyReLU(0.1),
                nn.MaxPool2d(2),
                nn.Flatten(),
                nn.Linear(64, 4),
            ],
            PICTURES,
        )
    )
    assert pictures.input_shape == (None, 8, 8, 1)
    assert [type(layer).__name__ for layer in pictures.layers] == [
        "Conv2D",
        "LeakyReLU",
        "MaxPooling2D",
        "Flatten",
        "Dense",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: [nn.Linear(6, 8), nn.PReLU(), nn.Linear(8, 4)],
        lambda nn: [nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 4)],
        lambda nn: [nn.Linear(6, 6), nn.Bilinear(6, 6, 4)] and [nn.Unflatten(1, (2, 3)), nn.Flatten(), nn.Linear(6, 4)],
    ],
)
def test_other_networks_have_no_twin_or_one_of_the_same_size(make: Make) -> None:
    network = network_of(make)
    twin = keras_twin(network)
    assert twin is None or twin.count_params() == network.counts().total


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("Adam", {}, {"beta_1": 0.9}),
        ("AdamW", {"weight_decay": 0.1}, {"weight_decay": 0.1}),
        ("NAdam", {}, {"beta_2": 0.999}),
        ("RMSprop", {"momentum": 0.5}, {"momentum": 0.5, "rho": 0.99}),
        ("SGD", {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "nesterov": True}),
    ],
)
def test_optimizers_are_those_of_keras(kind: str, settings: dict[str, Any], expected: dict[str, Any]) -> None:
    import torch

    config = keras_optimizer(getattr(torch.optim, kind)([torch.zeros(1)], lr=0.02, **settings)).get_config()
    assert config["learning_rate"] == pytest.approx(0.02)
    assert expected.items() <= config.items()


def test_it_is_off_where_course_yaml_says_so() -> None:
    request = DiagnosisRequest(network_of(usual), X, Y, 2, 32, "categorical_crossentropy", from_logits=True)
    assert answer(request, {"diagnosis": False}) is None
    assert answer(dataclasses.replace(request, loss=None), {}) is None
