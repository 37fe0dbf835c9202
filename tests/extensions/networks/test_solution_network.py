"""What computes the same as the solution's network is what a pattern asks, however its layers are written."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any

import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import PICTURES, ROWS, WORDS, module, network_of
from helpers.torch_notebook import page

from autograder import check
from autograder._util import registry
from autograder.check.asking import asked_by
from autograder.examiner.permissions import Observer, Permissions
from autograder.records.checks import CheckResult, is_undecided
from autograder.records.observations import Act, Observations

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")

LINEAR, RELU, CONV, POOL = (check.layer(kind) for kind in ("Linear", "ReLU", "Conv2d", "MaxPool2d"))


def told(
    solution: Any, *answers: Any, rows: Any, pattern: Any, before: Observations | None = None
) -> list[CheckResult]:
    """What a test with one pattern says of each answer, after the solution's network was seen to fit it."""
    permissions = Permissions(before or observed(solution, rows, pattern))
    permissions.begin("test", "")
    with asked_by("test", permissions.constants, permissions.networks):
        return [
            recorded(lambda made=made: check.architecture(network_of(made.eval(), rows), pattern))  # type: ignore[misc]
            for made in answers
        ]


def observed(solution: Any, rows: Any, pattern: Any) -> Observations:
    observer = Observer()
    observer.begin("test", "")
    with asked_by("test", observer.constants, observer.networks):
        assert recorded(lambda: check.architecture(network_of(solution.eval(), rows), pattern)).fraction == 1
    return observer.observations


def pooled(pool: Callable[[Any, Any], Any], **parts: Any) -> Any:
    from torch import nn

    made = {"conv": nn.Conv2d(3, 4, 3, padding=1), "pool": nn.MaxPool2d(2), "last": nn.Linear(64, 3)} | parts
    return module(lambda own, x: own.last(pool(own, own.conv(x)).flatten(1)), **made)


def of_slices(own: Any, x: Any) -> Any:
    import torch

    return torch.stack([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)


POOLED = [CONV, POOL, LINEAR]


def test_a_way_that_no_list_has_is_what_the_solution_computes() -> None:
    with_pool = pooled(lambda own, x: own.pool(x))
    (alone,) = [recorded(lambda: check.architecture(network_of(pooled(of_slices), PICTURES), POOLED))]
    assert alone.fraction == 0
    (result,) = told(with_pool, pooled(of_slices), rows=PICTURES, pattern=POOLED)
    assert result.fraction == 1, result
    assert "what the solution's does" in result.detail


def test_another_computation_fails_as_without_the_solution() -> None:
    import torch.nn.functional as F

    averaged = pooled(lambda own, x: F.avg_pool2d(x, 2))
    first = pooled(lambda own, x: x[..., ::2, ::2])
    wide = pooled(of_slices, conv=torch_conv(3, 4, 5))
    results = told(pooled(lambda own, x: own.pool(x)), averaged, first, wide, rows=PICTURES, pattern=POOLED)
    assert [result.fraction for result in results] == [0, 0, 0]
    assert not any("computes" in result.message for result in results)


def torch_conv(before: int, after: int, size: int) -> Any:
    from torch import nn

    return nn.Conv2d(before, after, size, padding=size // 2)


def heads(forward: Callable[[Any, Any], Any], **parts: Any) -> Any:
    return module(forward, **parts)


def test_layers_for_each_head_are_the_fused_layer_of_the_solution() -> None:
    import torch
    from torch import nn

    def fused(own: Any, x: Any) -> Any:
        query, key, value = own.qkv(x).chunk(3, -1)
        split = lambda z: z.view(len(z), 2, 3)  # noqa: E731 - two heads
        weights = (split(query) * split(key)).softmax(-1)
        return own.out((weights * split(value)).flatten(1))

    def each(own: Any, x: Any) -> Any:
        parts = [(q(x) * k(x)).softmax(-1) * v(x) for q, k, v in zip(own.q, own.k, own.v, strict=True)]
        return own.out(torch.cat(parts, 1))

    layers = lambda: nn.ModuleList(nn.Linear(4, 3) for _ in range(2))  # noqa: E731
    solution = module(fused, qkv=nn.Linear(4, 18), out=nn.Linear(6, 2))
    answer = module(each, q=layers(), k=layers(), v=layers(), out=nn.Linear(6, 2))
    (result,) = told(solution, answer, rows=ROWS, pattern=[check.layer("Linear", out_features=18), LINEAR])
    assert result.fraction == 1, result


def dropped(share: float | None, act: Callable[[Any], Any]) -> Any:
    from torch import nn

    parts = {"first": nn.Linear(4, 8), "last": nn.Linear(8, 3), "drop": nn.Dropout(share) if share else nn.Identity()}
    return module(lambda own, x: own.last(own.drop(act(own.first(x)))), **parts)


def test_a_dropout_is_compared_by_its_place_and_its_share() -> None:
    """Its numbers are multiplied by factors in both networks."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def made(forward: Any, share: float = 0.5, drop: Any = nn.Dropout) -> Any:
        parts = {"conv": nn.Conv2d(3, 4, 3, padding=1), "last": nn.Linear(64, 3)}
        return module(forward, drop=drop(share), pool=nn.MaxPool2d(2), **parts)

    def late(own: Any, x: Any) -> Any:
        return own.last(own.drop(of_slices(own, own.conv(x)).flatten(1)))

    pattern = [CONV, POOL, check.layer("Dropout", p=0.5), LINEAR]
    solution = made(lambda own, x: own.last(own.drop(own.pool(own.conv(x))).flatten(1)))
    before = made(lambda own, x: own.last(of_slices(own, own.drop(own.conv(x))).flatten(1)))
    first = made(lambda own, x: own.last(of_slices(own, own.conv(own.drop(x))).flatten(1)))
    none = made(lambda own, x: own.last(of_slices(own, own.conv(x)).flatten(1)))
    tuned = made(lambda own, x: own.last(F.alpha_dropout(of_slices(own, own.conv(x)), 0.5, own.training).flatten(1)))
    gated = made(
        lambda own, x: own.last(
            own.drop(torch.where(own.drop(torch.ones(1)) == 1, x[:, :1, 0, 0], 1) * late_hidden(own, x))
        )
    )
    answers = (made(late), before, first, none, made(late, 0.4), made(late, drop=nn.Dropout1d), tuned, gated)
    right, waits, *wrong = told(solution, *answers, rows=PICTURES, pattern=pattern)
    assert right.fraction == 1, right
    assert is_undecided(waits)  # a factor for all numbers is the same on both sides of a maximum
    assert [result.fraction for result in wrong] == [0] * 6


def late_hidden(own: Any, x: Any) -> Any:
    return of_slices(own, own.conv(x)).flatten(1)


def test_what_only_a_training_shows_is_not_excused() -> None:
    """A network without dropout, or with it elsewhere, computes the same once it is trained."""
    import torch

    pattern = [LINEAR, RELU, check.layer("Dropout", p=0.5), LINEAR]
    solution = dropped(0.5, torch.relu)
    right, without, other = told(
        solution,
        dropped(0.5, torch.relu),
        dropped(None, torch.relu),
        dropped(0.1, torch.relu),
        rows=ROWS,
        pattern=pattern,
    )
    assert right.fraction == 1
    assert without.fraction == other.fraction == 0


def test_the_network_of_another_pattern_counts_for_nothing() -> None:
    """A test may ask for two networks, and one is not the other."""
    from torch import nn

    small = lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))  # noqa: E731
    seen = observed(small(), ROWS, [LINEAR, RELU, LINEAR])
    (result,) = told(None, small(), rows=ROWS, pattern=[LINEAR, RELU, LINEAR, RELU, LINEAR], before=seen)
    assert result.fraction == 0


def test_tokens_are_drawn_from_the_table() -> None:
    import torch
    import torch.nn.functional as F
    from torch import nn

    solution = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 3))
    answer = module(
        lambda own, x: torch.einsum("bnv,nvo->bo", F.one_hot(x, 9).float(), torch.einsum("ve,neo->nvo", own.e, own.w)) + own.b,
        e=nn.Parameter(torch.randn(9, 4)), w=nn.Parameter(torch.randn(5, 4, 3)), b=nn.Parameter(torch.randn(3)),
    )  # fmt: skip
    (result,) = told(solution, answer, rows=WORDS, pattern=[check.layer("Embedding"), check.layer("Flatten"), LINEAR])
    assert result.fraction == 1 or is_undecided(result), result


def test_a_network_too_large_to_be_matched_is_the_patterns() -> None:
    """A wrong one fails as before, and does not wait for a person."""
    from torch import nn

    def large(width: int) -> Any:
        return nn.Sequential(nn.Flatten(), nn.Linear(192, width), nn.ReLU(), nn.Linear(width, 3))

    pattern = [check.layer("Flatten"), check.layer("Linear", out_features=3_000), RELU, LINEAR]
    right, wrong = told(large(3_000), large(3_000), large(2_900), rows=PICTURES, pattern=pattern)
    assert right.fraction == 1
    assert wrong.fraction == 0
    assert not is_undecided(wrong)
    assert "out_features 2900, expected 3000" in wrong.message


def test_without_the_extension_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = observed(pooled(lambda own, x: own.pool(x)), PICTURES, POOLED)
    names = registry.names
    monkeypatch.setattr(registry, "names", lambda group: [name for name in names(group) if name != "computes"])
    (result,) = told(None, pooled(of_slices), rows=PICTURES, pattern=POOLED, before=seen)
    assert result.fraction == 0


# --- the record ------------------------------------------------------------------------------------------------


def test_the_record_has_no_weights_and_is_the_same_each_time() -> None:
    first, second = (observed(pooled(lambda own, x: own.pool(x)), PICTURES, POOLED) for _ in range(2))
    assert first == second
    (fact,) = [fact for fact in first.facts if fact.act is Act.COMPUTES]
    assert fact.subject.startswith("test layers ")
    assert {entry["values"] and len(entry["values"]) for entry in json.loads(fact.value)["arrays"]} == {None}


def test_a_network_with_arrays_that_are_drawn_is_not_recorded() -> None:
    import torch
    from torch import nn

    made = module(lambda own, x: own.out((x @ own.by).sin()), out=nn.Linear(8, 3))
    made.register_buffer("by", torch.randn(4, 8))
    assert not [fact for fact in observed(made, ROWS, [..., LINEAR]).facts if fact.act is Act.COMPUTES]


SOLUTION = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.pool, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Linear(64, 3)
    def forward(self, x):
        return self.last(self.pool(self.conv(x)).flatten(1))

net = Net()
"""
ANSWER = SOLUTION.replace(
    "self.pool(self.conv(x))", "torch.stack([self.conv(x)[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(0)"
)
TEST = """
from autograder import check
check.architecture(net, [check.layer("Conv2d"), check.layer("MaxPool2d"), check.layer("Linear")], input_shape=(1, 8, 8))
"""


@pytest.mark.integration
def test_a_students_notebook_is_compared_with_the_solutions() -> None:
    assert page(ANSWER, TEST, solution=SOLUTION).points == 1
    assert page(ANSWER.replace("amax(0)", "mean(0)"), TEST, solution=SOLUTION).points == 0


# --- Keras -----------------------------------------------------------------------------------------------------


def of_keras(*, fused: bool, units: int = 8, regularizer: Any = None, rate: float = 0.0, gelu: bool = False) -> Any:
    """Three experts whose results are added, in a layer for each or in one for all."""
    import keras
    from keras import layers, ops

    inputs = keras.Input((5,))
    activation = "gelu" if gelu else "relu"
    if fused:
        hidden = layers.Dense(3 * units, activation, kernel_regularizer=regularizer)(inputs)
        parts = layers.Reshape((3, units))(hidden)
        mixed = ops.sum(parts, axis=1)
    else:
        parts = [layers.Dense(units, activation, kernel_regularizer=regularizer)(inputs) for _ in range(3)]
        mixed = layers.Add()(parts)
    mixed = layers.Dropout(rate)(mixed) if rate else mixed
    return keras.Model(inputs, layers.Dense(2)(mixed))


def asked_of_keras(more: Any = (), **settings: Any) -> list[Any]:
    return [
        *[check.layer("Dense", units=8, activation="relu", **settings)] * 3,
        check.layer("Add"),
        *more,
        check.dense(2),
    ]


def told_of_keras(solution: Any, answer: Any, pattern: Any) -> CheckResult:
    observer = Observer()
    observer.begin("test", "")
    with asked_by("test", observer.constants, observer.networks):
        assert recorded(lambda: check.architecture(solution, pattern)).fraction == 1
    permissions = Permissions(observer.observations)
    permissions.begin("test", "")
    with asked_by("test", permissions.constants, permissions.networks):
        return recorded(lambda: check.architecture(answer, pattern))


@pytest.mark.keras
def test_a_keras_model_that_computes_the_same_is_what_is_asked() -> None:
    answer, pattern = of_keras(fused=True), asked_of_keras()
    assert recorded(lambda: check.architecture(answer, pattern)).fraction == 0
    result = told_of_keras(of_keras(fused=False), answer, pattern)
    assert result.fraction == 1, result
    for wrong in (of_keras(fused=True, units=4), of_keras(fused=True, gelu=True)):
        assert told_of_keras(of_keras(fused=False), wrong, pattern).fraction == 0


@pytest.mark.keras
def test_a_regularizer_or_a_dropout_of_keras_is_not_excused() -> None:
    with_l2 = of_keras(fused=False, regularizer="l2")
    assert told_of_keras(with_l2, of_keras(fused=True), asked_of_keras(kernel_regularizer="l2")).fraction == 0
    import keras
    from keras import layers

    dropped = asked_of_keras([check.layer("Dropout", rate=0.5)])
    solution = of_keras(fused=False, rate=0.5)
    assert told_of_keras(solution, of_keras(fused=True), dropped).fraction == 0
    assert told_of_keras(solution, of_keras(fused=True, rate=0.5), dropped).fraction == 1
    assert told_of_keras(solution, of_keras(fused=True, rate=0.4), dropped).fraction == 0
    assert told_of_keras(solution, of_keras(fused=False, rate=0.5), dropped).fraction == 1
    wrapped = [check.layer("TimeDistributed", layer=check.layer("Dense", kernel_regularizer="l2"))]
    model = lambda regularizer: keras.Sequential(  # noqa: E731
        [keras.Input((4, 5)), layers.TimeDistributed(layers.Dense(3, kernel_regularizer=regularizer))]
    )
    assert told_of_keras(model("l2"), model(None), wrapped).fraction == 0


@pytest.mark.keras
def test_words_of_a_keras_model_are_drawn_from_its_table() -> None:
    import keras
    from keras import layers, ops

    solution = keras.Sequential(
        [keras.Input((6,)), layers.Embedding(9, 4), layers.GlobalAveragePooling1D(), layers.Dense(3)]
    )
    words = keras.Input((6,), dtype="int32")
    rows = layers.Dense(4, use_bias=False)(ops.one_hot(words, 9))
    answer = keras.Model(words, layers.Dense(3)(ops.sum(rows, axis=1) / 6))
    pattern = [check.layer("Embedding"), check.layer("GlobalAveragePooling1D"), check.dense(3)]
    assert told_of_keras(solution, answer, pattern).fraction == 1


def augmented(*parts: Any) -> Any:
    import keras
    from keras import layers

    return keras.Sequential([keras.Input((8, 8, 3)), *parts, layers.Flatten(), layers.Dense(3)])


@pytest.mark.keras
def test_what_a_model_of_keras_does_in_a_training_alone_is_not_excused() -> None:
    """Augmentation, and a normalization that was adapted to data."""
    import numpy as np
    from keras import layers

    end = [check.layer("Flatten"), check.dense(3)]
    flipped, rotated = [check.layer("RandomFlip"), *end], [check.layer("RandomRotation"), *end]
    assert told_of_keras(augmented(layers.RandomFlip()), augmented(), flipped).fraction == 0
    assert told_of_keras(augmented(), augmented(layers.RandomFlip()), end).fraction == 0
    assert told_of_keras(augmented(layers.RandomRotation(0.1)), augmented(), rotated).fraction == 0
    adapted = layers.Normalization()
    adapted.adapt(np.arange(384.0).reshape(2, 8, 8, 3))
    assert told_of_keras(augmented(adapted), augmented(), [check.layer("Normalization"), *end]).fraction == 0


def test_a_normalization_with_fixed_numbers_is_none_by_the_batch() -> None:
    import torch
    from torch import nn

    def fixed(own: Any, x: Any) -> Any:
        return own.last((own.first(x) - own.mean) / torch.sqrt(own.spread + 1e-5) * own.w + own.b)

    parts = {"first": nn.Linear(4, 8), "last": nn.Linear(8, 3)}
    solution = module(lambda own, x: own.last(own.norm(own.first(x))), norm=nn.BatchNorm1d(8), **parts)
    answer = module(fixed, w=nn.Parameter(torch.ones(8)), b=nn.Parameter(torch.zeros(8)), **parts)
    answer.register_buffer("mean", torch.zeros(8))
    answer.register_buffer("spread", torch.ones(8))
    (result,) = told(solution, answer, rows=ROWS, pattern=[LINEAR, check.layer("BatchNorm1d"), LINEAR])
    assert result.fraction == 0
    assert not is_undecided(result)


def test_a_wrong_network_that_tells_classes_loses_as_before() -> None:
    """The weights change nothing that can be derived."""
    from torch import nn

    def classes(act: Any) -> Any:
        return module(lambda own, x: own.b(act(own.a(x))).argmax(1), a=nn.Linear(4, 8), b=nn.Linear(8, 3))

    (result,) = told(classes(nn.ReLU()), classes(nn.Tanh()), rows=ROWS, pattern=[LINEAR, RELU, LINEAR])
    assert (result.fraction, is_undecided(result)) == (0, False)
