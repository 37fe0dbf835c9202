"""Networks of PyTorch have the same findings, tried without Keras: chains by NumPy, all others by PyTorch."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.torch_modules import module, network_of

from autograder.check.diagnosis_requests import DiagnosisRequest
from autograder.extensions.diagnosis.trials.answer import answer
from autograder.records.diagnosis import Diagnosis

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(400, 6)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0) + 2 * (X[:, 2] > 0)

Make = Callable[[Any], list[Any]]
"""Makes layers from ``torch.nn``."""


def sequential(make: Make, rows: np.ndarray = X) -> Any:
    import torch

    torch.manual_seed(0)
    return network_of(torch.nn.Sequential(*make(torch.nn)), rows)


def diagnosed(make: Make, epochs: int, rate: float | None = 0.01, x: np.ndarray = X) -> Diagnosis:
    import torch

    optimizer = None if rate is None else torch.optim.Adam([torch.zeros(1)], lr=rate)
    request = DiagnosisRequest(
        sequential(make, x), x, Y, epochs, 32, "categorical_crossentropy", optimizer, from_logits=True
    )
    diagnosis = answer(request, {"diagnosis_seconds": 600.0})
    assert diagnosis is not None
    return diagnosis


def usual(nn: Any) -> list[Any]:
    return [nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 4)]


def test_a_decay_of_weights_that_outweighs_the_loss_is_told_as_a_penalty() -> None:
    import torch

    optimizer = torch.optim.Adam([torch.zeros(1)], lr=0.003, weight_decay=1.0)
    request = DiagnosisRequest(sequential(usual), X, Y, 30, 32, "categorical_crossentropy", optimizer, from_logits=True)
    diagnosis = answer(request, {"diagnosis_seconds": 600.0})
    assert diagnosis is not None
    assert diagnosis.findings[0].trial.kind == "penalty"


def test_a_good_module_that_was_trained_on_wrong_rows_hears_to_look_at_what_fit_got() -> None:
    import torch

    optimizer = torch.optim.Adam([torch.zeros(1)], lr=0.003)
    request = DiagnosisRequest(sequential(usual), X, Y, 60, 32, "categorical_crossentropy", optimizer, from_logits=True)
    wrong = dataclasses.replace(request, graded=(("categorical_crossentropy", 2.5),))
    right, other = (answer(one, {"diagnosis_seconds": 600.0}) for one in (request, wrong))
    assert right is not None
    assert other is not None
    assert right.findings == ()
    assert [finding.trial.kind for finding in other.findings] == ["fit"]


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


def test_it_is_off_where_course_yaml_says_so() -> None:
    request = DiagnosisRequest(sequential(usual), X, Y, 2, 32, "categorical_crossentropy", from_logits=True)
    assert answer(request, {"diagnosis": False}) is None
    assert answer(dataclasses.replace(request, loss=None), {}) is None


# --- networks that are no chains -------------------------------------------------------------------------------

WORDS = DRAW.integers(0, 12, (400, 5))
NOISY = np.where(DRAW.random(400) < 0.3, DRAW.integers(0, 4, 400), Y)
SENTIMENT = (np.isin(WORDS, (1, 2, 3)).sum(axis=1) > 1).astype(int)


def shortcut(ending: str = "") -> Any:
    """A network with a residual link."""
    import torch
    from torch import nn

    def forward(own: Any, x: Any) -> Any:
        x = torch.relu(own.first(x))
        x = own.last(x + torch.relu(own.inner(x)))
        return getattr(torch, ending)(x, -1) if ending else x

    torch.manual_seed(0)
    return module(forward, first=nn.Linear(6, 32), inner=nn.Linear(32, 32), last=nn.Linear(32, 4))


def word_classes() -> Any:
    """A mean of embeddings."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    parts = {"words": nn.Embedding(12, 8), "last": nn.Linear(8, 2)}
    return module(lambda own, x: own.last(own.words(x).mean(dim=1)), **parts)


def two_inputs() -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    parts = {"left": nn.Linear(6, 32), "right": nn.Linear(6, 32), "last": nn.Linear(64, 4)}
    return module(lambda own, a, b: own.last(torch.relu(torch.cat([own.left(a), own.right(b)], 1))), **parts)


def request_of(
    built: Any, x: Any, y: np.ndarray, epochs: int, rate: float = 0.005, **settings: Any
) -> DiagnosisRequest:
    import torch

    optimizer = torch.optim.Adam([torch.zeros(1)], lr=rate)
    request = DiagnosisRequest(
        network_of(built, x), x, y, epochs, 32, "categorical_crossentropy", optimizer, from_logits=True
    )
    return dataclasses.replace(request, **settings)


@pytest.mark.parametrize(
    ("build", "rows", "labels", "settings", "said"),
    [
        (lambda: shortcut("softmax"), X, Y, {"epochs": 15}, "With no softmax at the end"),
        (shortcut, X, Y, {"epochs": 8, "from_logits": False}, "With softmax at the end"),
        (shortcut, X, Y, {"epochs": 8, "rate": 1e-5}, "With a learning rate of 0.001, a usual one for Adam"),
        (shortcut, X * 2000, Y, {"epochs": 8}, "With each feature of the inputs scaled"),
        (word_classes, WORDS, SENTIMENT, {"epochs": 3, "rate": 0.003}, "With twice the epochs, 6"),
        (
            two_inputs,
            [X, X[::-1].copy()],
            NOISY,
            {"epochs": 12, "rate": 0.04},
            "With the end of the training after epoch",
        ),
    ],
    ids=["softmax", "no softmax", "rate", "scale", "epochs", "overfit"],
)
def test_a_fault_of_a_network_that_is_no_chain_is_told(
    build: Callable[[], Any], rows: Any, labels: np.ndarray, settings: dict[str, Any], said: str
) -> None:
    diagnosis = answer(request_of(build(), rows, labels, **settings), {"diagnosis_seconds": 600.0})
    assert diagnosis is not None
    assert diagnosis.summary.startswith(said), [*diagnosis.tried, diagnosis.note]


def test_gradients_are_clipped_where_a_training_diverges() -> None:
    """Chains and other networks alike; PyTorch clips the norm of all gradients together."""
    import torch

    values = (10 * X[:, 0] + 40 * X[:, 1] ** 2).astype("float32")

    def deep(nn: Any) -> list[Any]:
        inner = [layer for _ in range(3) for layer in (nn.Linear(64, 64), nn.ReLU())]
        return [nn.Linear(6, 64), nn.ReLU(), *inner, nn.Linear(64, 1)]

    def forward(own: Any, x: Any) -> Any:
        return own.last(own.inner(x) + own.first(x))

    inner = torch.nn.Sequential(*deep(torch.nn)[:-1])
    unchained = module(forward, first=torch.nn.Linear(6, 64), inner=inner, last=torch.nn.Linear(64, 1))
    for built in (torch.nn.Sequential(*deep(torch.nn)), unchained):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.045)
        diagnosis = answer(
            DiagnosisRequest(network_of(built, X), X, values, 6, 32, "mean_squared_error", optimizer),
            {"diagnosis_seconds": 600.0},
        )
        assert diagnosis is not None
        kinds = {trial.kind: trial for trial in diagnosis.tried}
        assert kinds["exploding"].before is None, diagnosis.tried
        assert kinds["exploding"].after is not None
        assert "clip_grad_norm_" in kinds["exploding"].change


def test_pictures_of_one_channel_are_trained_though_the_module_views_them() -> None:
    """Axes of size 1 keep their strides when they are moved."""
    import torch

    pictures = DRAW.normal(size=(200, 1, 6, 6)).astype("float32")
    parts = {"first": torch.nn.Conv2d(1, 2, 3), "last": torch.nn.Linear(8, 4)}

    def forward(own: Any, x: Any) -> Any:
        x = torch.nn.functional.avg_pool2d(torch.sigmoid(own.first(x)), 2)
        return own.last(x.view(x.size(0), -1))

    diagnosis = answer(request_of(module(forward, **parts), pictures, Y[:200], 2), {"diagnosis_seconds": 600.0})
    assert diagnosis is not None
    assert [trial.kind for trial in diagnosis.tried] == ["rate", "epochs"], diagnosis.note


def test_a_network_that_is_too_large_is_refused_by_its_shapes() -> None:
    import torch

    torch.manual_seed(0)
    parts = {"first": torch.nn.Linear(6, 3000), "inner": torch.nn.Linear(3000, 3000), "last": torch.nn.Linear(3000, 4)}
    built = module(lambda own, x: own.last(own.first(x) + own.inner(own.first(x))), **parts)
    diagnosis = answer(request_of(built, X, Y, 50), {"diagnosis_seconds": 0.5})
    assert diagnosis is not None
    assert diagnosis.note == "Its training takes too long to be tried in 0.5 s."


def test_what_cannot_be_tried_costs_nothing() -> None:
    several = module(lambda own, x: (own.last(x), x), last=__import__("torch").nn.Linear(6, 4))
    assert answer(request_of(several, X, Y, 5), {}) is None
    other_rows = answer(request_of(shortcut(), X, Y, 5, inputs=X[:, :3]), {})
    assert other_rows is not None
    assert other_rows.note.startswith("This network cannot be trained on these data")


def test_a_page_says_that_the_optimizer_is_unknown() -> None:
    request = DiagnosisRequest(sequential(usual), X, Y, 4, 32, "categorical_crossentropy", from_logits=True)
    diagnosis = answer(request, {"diagnosis_seconds": 600.0})
    assert diagnosis is not None
    assert (
        diagnosis.note
        == "No test names your optimizer, so each training was one with Adam and its usual rate of 0.001."
    )
