"""Outputs of a sequence model up to a position must not depend on what comes later; classes at each position are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.remote_models import answer, recorded

from autograder import check
from autograder.errors import CourseError
from autograder.extensions.networks import metrics
from autograder.extensions.sequences.causal import _cuts
from autograder.records.checks import is_undecided

DRAW = np.random.default_rng(0)
TOKENS = DRAW.integers(0, 9, (20, 7))
FRACTIONS = DRAW.normal(size=(20, 7, 2))
SCORES, CLASSES = DRAW.normal(size=(6, 5, 4)), DRAW.integers(0, 4, (6, 5))


def running(rows: Any) -> Any:
    return np.cumsum(rows.reshape(len(rows), rows.shape[1], -1).sum(2), axis=1)[:, :, None]


@pytest.mark.parametrize(
    ("function", "passes"),
    [
        (running, True),
        (lambda rows: running(rows) * 1.0 + 1e-9 * running(rows)[:, -1:], True),
        (lambda rows: running(rows) + 0.01 * running(rows)[:, -1:], False),
        (lambda rows: running(rows)[:, ::-1], False),
        (lambda rows: np.roll(running(rows), -1, axis=1), False),
    ],
)
@pytest.mark.parametrize("rows", [TOKENS, FRACTIONS], ids=["tokens", "fractions"])
def test_outputs_must_not_look_ahead(function: Any, passes: bool, rows: Any) -> None:
    assert recorded(lambda: check.causal(function, rows, positions=1)).fraction == passes


def test_a_message_says_where_it_begins() -> None:
    peeks = lambda rows: np.where(np.arange(7)[None, :, None] == 3, running(rows)[:, 5:6], running(rows))  # noqa: E731
    assert (
        recorded(lambda: check.causal(peeks, TOKENS)).detail
        == "the output at position 4 changes with what comes after it"
    )


def test_a_model_in_the_kernel_is_asked() -> None:
    source = "import numpy as np\nmodel = lambda rows: np.cumsum(rows, axis=1)[..., None] / np.sum(rows, axis=1)[:, None, None]"
    result = recorded(lambda: check.causal(answer(source), TOKENS + 1))
    assert (result.fraction, "position" in result.message) == (0, False)


def test_a_model_in_the_kernel_that_shows_nothing_waits_for_a_person() -> None:
    source = "import numpy as np\nmodel = lambda rows: np.cumsum(rows, axis=1)[..., None]"
    result = recorded(lambda: check.causal(answer(source), TOKENS))
    assert (result.fraction, is_undecided(result)) == (0, True)


def following(rows: Any) -> Any:
    """Scores that name the next token, which no model can know."""
    return 15.0 * np.eye(9)[np.concatenate([rows[:, 1:], rows[:, -1:]], axis=1)]


HIDES = {
    "a number added to all scores": lambda rows: following(rows) + 1e6,
    "one very low score": lambda rows: np.concatenate([following(rows), np.full((len(rows), 7, 1), -1e6)], axis=2),
    "large scores at some positions": lambda rows: (
        following(rows) * np.array([1, 1, 1, 1, 1e9, 1e9, 1e9])[None, :, None]
    ),
    "silence before some positions": lambda rows: following(rows) * np.array([0, 0, 1, 0, 0, 0, 0])[None, :, None],
    "silence where there are more rows than a test gives": lambda rows: following(rows) * (len(rows) <= len(TOKENS)),
}


def next_number(rows: Any) -> Any:
    return np.concatenate([rows[:, 1:], rows[:, -1:]], axis=1)[:, :, None] * 1.0


HIDES |= {
    "huge numbers in rows that begin with 5": lambda rows: np.where(rows[:, :1, None] == 5, 1e9, next_number(rows)),
    "huge numbers where a row is unlike the test's": lambda rows: np.where(
        (np.cumsum(rows == 0, axis=1) > 1)[:, :, None], 1e12, next_number(rows)
    ),
}


@pytest.mark.parametrize("way", HIDES)
def test_no_output_hides_that_another_looks_ahead(way: str) -> None:
    assert recorded(lambda: check.causal(HIDES[way], TOKENS)).fraction == 0


def test_each_position_is_one_after_which_something_changes() -> None:
    for rows, positions in [(20, 7), (64, 129), (3, 60)]:
        cuts = _cuts(rows, positions, np.random.default_rng(0))
        assert set(cuts.ravel().tolist()) == set(range(1, positions))


@pytest.mark.parametrize("added", [0.0, -np.inf, -1e9], ids=str)
def test_a_class_that_is_never_chosen_does_no_harm(added: float) -> None:
    def model(rows: Any) -> Any:
        scores = np.float32(np.sin(running(rows) * np.arange(1, 10)))
        return scores + np.float32(np.where(np.arange(9) == 8, added, 0.0))

    assert recorded(lambda: check.causal(model, TOKENS)).fraction == 1


@pytest.mark.parametrize("output", ["rows[:, -1]", "rows.sum(1)"])
def test_a_model_without_outputs_at_each_position_fails(output: str) -> None:
    result = recorded(lambda: check.causal(lambda rows: eval(output), TOKENS))
    assert (result.fraction, result.message) == (0, "The model does not give an output for each position.")


@pytest.mark.parametrize("rows", [TOKENS[0], TOKENS[:, :1], np.array(["a", "b"]), np.zeros((3, 4))])
def test_rows_that_are_no_sequences_are_the_tests_fault(rows: Any) -> None:
    with pytest.raises(CourseError):
        check.causal(running, rows)


def test_of_three_axes_the_test_says_which_has_the_positions() -> None:
    with pytest.raises(CourseError, match="1 for \\(n, positions, features\\), -1 for channels first"):
        check.causal(running, FRACTIONS)
    for axis in (0, 3, -3, "last", True):
        with pytest.raises(CourseError, match="no positions on the axis"):
            check.causal(running, FRACTIONS, positions=axis)


# --- causality where something is scored ------------------------------------------------------------------

CHANNELS = np.random.default_rng(4).normal(size=(40, 4, 12))


def shifted(rows: Any, by: int) -> Any:
    """Each channel, moved along the last axis: a positive number looks back, a negative one ahead."""
    return np.roll(rows, by, axis=-1) * (np.arange(rows.shape[-1]) >= by)


@pytest.mark.parametrize(("by", "passes"), [(1, True), (0, True), (-1, False)])
def test_channels_may_come_first(by: int, passes: bool) -> None:
    model = lambda rows: shifted(rows, by)  # noqa: E731
    assert recorded(lambda: check.causal(model, CHANNELS, positions=-1)).fraction == passes
    asked = {"on": (CHANNELS, CHANNELS), "loss": "mse", "below": 99.0}
    assert recorded(lambda: check.loss(model, **asked, causal=-1)).fraction == passes


def test_a_loss_that_is_to_be_causal_needs_an_output_for_each_position() -> None:
    result = recorded(
        lambda: check.loss(lambda rows: rows[:, 0], on=(TOKENS, TOKENS[:, 0]), loss="mse", below=99, causal=True)
    )
    assert (result.fraction, result.message) == (0, "The model does not give an output for each position.")


@pytest.mark.parametrize("rows", [{"a": TOKENS}, [TOKENS, TOKENS], FRACTIONS])
def test_a_causal_loss_of_rows_that_are_no_plain_sequences_is_the_tests_fault(rows: Any) -> None:
    with pytest.raises(CourseError):
        check.loss(lambda rows: np.zeros((20, 1)), on=(rows, np.zeros((20, 1))), loss="mse", below=9, causal=True)


def test_what_is_scored_inside_only_if_may_be_no_sequence() -> None:
    def model(rows: Any) -> Any:
        return running(rows) if rows.shape[1] == 7 else rows[:, :1] * 1.0

    with check.recording() as results, check.only_if(check.causal(model, TOKENS)):
        check.loss(model, on=(TOKENS[:, :3], TOKENS[:, :1]), loss="mse", below=1.0)
    assert [result.fraction for result in results] == [1, 1]


def test_another_model_inside_only_if_is_not_asked_to_be_causal() -> None:
    ahead = lambda rows: rows[:, ::-1] * 1.0  # noqa: E731
    with check.recording() as results, check.only_if(check.causal(running, TOKENS)):
        check.loss(ahead, on=(TOKENS, TOKENS[:, ::-1]), loss="mse", below=1.0)
    assert [result.fraction for result in results] == [1, 1]


def test_an_accuracy_is_causal_where_it_is_scored() -> None:
    labels = np.concatenate([TOKENS[:, 1:], TOKENS[:, -1:]], axis=1)
    given = {"on": (TOKENS, labels), "above": 0.9}
    assert recorded(lambda: check.accuracy(following, **given)).fraction == 1
    assert recorded(lambda: check.accuracy(following, **given, causal=True)).fraction == 0


# --- networks of PyTorch with channels first --------------------------------------------------------------


def wavenet(ahead: bool) -> Any:
    """Gated convolutions with a residual and a skip; ``ahead`` pads both sides."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class WaveNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.begin, self.end = nn.Conv1d(4, 8, 1), nn.Conv1d(8, 4, 1)
            self.gates = nn.ModuleList(nn.Conv1d(8, 16, 3 if ahead else 2, dilation=2**n) for n in range(3))
            self.mixed = nn.ModuleList(nn.Conv1d(8, 8, 1) for _ in range(3))

        def forward(self, x: Any) -> Any:
            x, skip = self.begin(x), 0
            for number, (gate, mix) in enumerate(zip(self.gates, self.mixed, strict=True)):
                both = gate(F.pad(x, (2**number, 2**number if ahead else 0)))
                z = torch.tanh(both[:, :8]) * torch.sigmoid(both[:, 8:])
                skip, x = skip + z, x + mix(z)
            return self.end(F.relu(skip))

    return WaveNet()


def tcn(ahead: bool) -> Any:
    """Two dilated convolutions in a block, padded and cut; ``ahead`` cuts the wrong end."""
    from torch import nn

    class Block(nn.Module):
        def __init__(self, wide: int, dilation: int) -> None:
            super().__init__()
            self.cut = 2 * dilation
            self.first = nn.Conv1d(wide, 4, 3, padding=self.cut, dilation=dilation)
            self.second = nn.Conv1d(4, 4, 3, padding=self.cut, dilation=dilation)

        def forward(self, x: Any) -> Any:
            cut = slice(self.cut, None) if ahead else slice(None, -self.cut)
            return (x + self.second(self.first(x)[:, :, cut].relu())[:, :, cut]).relu()

    return nn.Sequential(Block(4, 1), Block(4, 2), Block(4, 4), nn.Conv1d(4, 2, 1))


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("build", [wavenet, tcn])
def test_wavenet_and_tcn_are_causal_and_are_not_if_they_look_ahead(build: Any, ahead: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    torch.manual_seed(0)
    rows = np.random.default_rng(0).normal(size=(20, 4, 24)).astype("float32")
    assert recorded(lambda: check.causal(build(ahead), rows, positions=-1)).fraction == (not ahead)


@pytest.mark.parametrize(("padding", "passes"), [((2, 0), True), ((1, 1), False)])
def test_a_depthwise_convolution_is_judged_along_its_time(padding: Any, passes: bool) -> None:
    """It looks at no other channel, so that the second axis alone would show nothing."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here")
    model = torch.nn.Sequential(torch.nn.ConstantPad1d(padding, 0.0), torch.nn.Conv1d(4, 4, 3, groups=4))
    rows = np.random.default_rng(0).normal(size=(20, 4, 24)).astype("float32")
    assert recorded(lambda: check.causal(model, rows, positions=-1)).fraction == passes


@pytest.mark.keras
@pytest.mark.parametrize(("loop", "passes"), [("LSTM", True), ("Bidirectional", False)])
def test_a_keras_model_is_measured(loop: str, passes: bool) -> None:
    inner = L.LSTM(4, return_sequences=True)
    model = keras.Sequential(
        [keras.Input((7,)), L.Embedding(9, 4), inner if loop == "LSTM" else L.Bidirectional(inner), L.Dense(9)]
    )
    assert recorded(lambda: check.causal(model, TOKENS)).fraction == passes


# --- several outputs, and classes at each position -------------------------------------------------------


def test_the_test_names_the_part() -> None:
    model = lambda rows: (SCORES[: len(rows)].mean(1), None, rows)  # noqa: E731
    asked = {"below": 9, "from_logits": True}
    assert recorded(lambda: check.loss(model, on=(np.ones((6, 2)), CLASSES[:, 0]), **asked)).fraction == 0
    assert recorded(lambda: check.loss(model, on=(np.ones((6, 2)), CLASSES[:, 0]), part=0, **asked)).fraction == 1
    missing = recorded(lambda: check.loss(model, on=(np.ones((6, 2)), CLASSES[:, 0]), part=2, **asked))
    assert "does not have an output of the number 2" in missing.message


@pytest.mark.parametrize(
    "measure", [metrics.categorical_crossentropy_of_scores, metrics.accuracy, metrics.accuracy_at_best]
)
def test_a_row_counts_with_the_mean_over_its_positions(measure: Any) -> None:
    each = [measure(SCORES[:, place], CLASSES[:, place]) for place in range(5)]
    np.testing.assert_allclose(measure(SCORES, CLASSES), np.mean(each, axis=0))


POSITION = np.array([[0, 1, 2, 3], [1, 2, 3, 3]])
YES_OR_NO = np.stack([np.full((2, 4), 0.9), np.full((2, 4), 0.1)], axis=2)


@pytest.mark.parametrize("measure", [metrics.categorical_crossentropy, metrics.accuracy])
@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (np.eye(4)[POSITION[:, -1]], POSITION),  # says only where the largest label stands
        (YES_OR_NO, np.eye(4)[[0, 1]]),
        (YES_OR_NO, np.array([[0, 0, 0, 0], [0, 1, 0, 0]])),  # a row without a class
        (YES_OR_NO, np.array([[1, 1, 0, 0], [0, 1, 0, 0]])),
    ],
)
def test_the_labels_say_whether_there_are_positions_and_not_the_output(
    measure: Any, outputs: np.ndarray, labels: np.ndarray
) -> None:
    with pytest.raises(metrics.BadShape):
        measure(outputs, labels)


def test_a_row_without_any_probability_is_no_nearer_than_a_constant() -> None:
    outputs = np.array([[0.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    nearer = metrics.better_than_a_constant(outputs, np.eye(2)[[0, 1, 0]], binary=False, from_logits=False)
    assert np.isfinite(nearer).all()


def test_one_number_where_there_are_several_classes_has_the_wrong_shape() -> None:
    with pytest.raises(metrics.BadShape):
        metrics.accuracy(np.array([0.1, 0.7]), np.array([2, 1]))
