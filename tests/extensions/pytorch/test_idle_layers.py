"""A layer that is asked has to matter: one behind a gate that never opens is for a person to see."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import ROWS, SERIES, WORDS, module, network_of

from autograder import check
from autograder.records.checks import is_undecided

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")

LINEAR, RELU = check.layer("Linear"), check.layer("ReLU")
PATTERN = [LINEAR, RELU, LINEAR]


def said(made: Any, rows: Any, pattern: Any) -> Any:
    return recorded(lambda: check.architecture(network_of(made, rows), pattern))


def gated(gate: Callable[[Any, Any], Any], **more: Any) -> Any:
    from torch import nn

    parts = {"first": nn.Linear(4, 8), "last": nn.Linear(8, 3)} | more
    return module(lambda own, x: own.last(gate(own, own.first(x))), **parts)


def gates() -> Mapping[str, Callable[[Any, Any], Any]]:
    import torch

    where = torch.where
    return {
        "a bound that nothing passes": lambda own, h: where(h > 1e30, h.relu(), h.tanh()),
        "the other way round": lambda own, h: where(h.abs() < 1e4, h.tanh(), h.relu()),
        "multiples of a small number": lambda own, h: where((h * 64).floor() == h * 64, h.relu(), h.tanh()),
        "a weight": lambda own, h: where((own.first.weight[0, 0] - 0.123).abs() < 1e-6, h.relu(), h.tanh()),
        "a factor": lambda own, h: h.relu() * 1e-30 + h.tanh(),
        "a frozen bound": lambda own, h: where(h > own.bound, h.relu(), h.tanh()),
        "behind rounding": lambda own, h: (where(h > 1e30, h.relu(), h.tanh()) * 1e3).round() / 1e3,
    }


GATES = (
    "a bound that nothing passes", "the other way round", "multiples of a small number", "a weight", "a factor",
    "a frozen bound", "behind rounding",
)  # fmt: skip


@pytest.mark.parametrize("name", GATES)
def test_an_activation_behind_a_closed_gate_is_for_a_person(name: str) -> None:
    import torch

    bound = torch.nn.Parameter(torch.tensor(1e30), requires_grad=False)
    result = said(gated(gates()[name], bound=bound), ROWS, PATTERN)
    assert is_undecided(result), result
    assert result.fraction == 0


def test_a_layer_with_weights_behind_a_closed_gate_is_for_a_person() -> None:
    import torch
    from torch import nn

    made = module(
        lambda own, x: torch.where(x[:, :1] > 1e30, own.deep(x), own.flat(x)),
        deep=nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
        flat=nn.Linear(4, 3),
    )
    assert is_undecided(said(made, ROWS, [..., RELU, ...]))


# --- controls --------------------------------------------------------------------------------------------------


def honest() -> Mapping[str, tuple[Any, Any, Any]]:
    """Name → a module in which each layer matters, rows, and a pattern."""
    import torch
    from torch import nn

    def residual(own: Any, x: Any) -> Any:
        return x + own.gain * own.body(x)

    body = lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))  # noqa: E731
    zeros = body()
    nn.init.zeros_(zeros[-1].weight)
    nn.init.zeros_(zeros[-1].bias)
    sigmoids = [part for _ in range(20) for part in (nn.Linear(4, 4), nn.Sigmoid())]
    layer = [check.layer("Linear"), check.layer("Sigmoid")]
    lstm = check.layer("LSTM")
    return {
        "a gain that begins at 0": (module(residual, gain=nn.Parameter(torch.zeros(1)), body=body()), ROWS, PATTERN),
        "a last layer that begins at 0": (module(residual, gain=nn.Parameter(torch.ones(4)), body=zeros), ROWS, PATTERN),
        "a small factor": (module(lambda own, x: x + 0.001 * own.body(x), body=body()), ROWS, PATTERN),
        "classes": (module(lambda own, x: own.body(x).argmax(1), body=body()), ROWS, PATTERN),
        "signs": (module(lambda own, x: own.body(x).sign(), body=body()), ROWS, PATTERN),
        "rounding": (gated(lambda own, h: (h.relu() * 8).round() / 8), ROWS, PATTERN),
        "a gate that opens": (gated(lambda own, h: torch.where(h > 1, h.relu(), h.tanh())), ROWS, PATTERN),
        "a logarithm of a weight": (
            gated(lambda own, h: h.relu() * own.rate.log(), rate=nn.Parameter(torch.full((8,), 3.0))), ROWS, PATTERN,
        ),
        "one unit": (nn.Sequential(nn.Linear(4, 1), nn.ReLU(), nn.Linear(1, 3)), ROWS, PATTERN),
        "twenty sigmoids": (nn.Sequential(*sigmoids, nn.Linear(4, 3)), ROWS, [*layer * 20, LINEAR]),
        "the last state": (
            module(lambda own, x: own.last(own.lstm(x)[1][0][-1]), lstm=nn.LSTM(4, 6, batch_first=True), last=nn.Linear(6, 3)),
            SERIES, [lstm, LINEAR],
        ),
        "words": (
            nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 3)), WORDS,
            [check.layer("Embedding"), ..., LINEAR],
        ),
        "words as fractions": (
            module(lambda own, x: own.last(own.table(x.long()).mean(1)), table=nn.Embedding(9, 4), last=nn.Linear(4, 3)),
            WORDS.astype("float32"), [check.layer("Embedding"), LINEAR],
        ),
    }  # fmt: skip


def of_choices() -> Mapping[str, tuple[Any, Any, Any]]:
    """Name → a module that draws, leaves out or chooses, rows, and a pattern."""
    import torch
    from torch import nn

    experts = nn.ModuleList(nn.Linear(4, 3) for _ in range(8))

    def routed(own: Any, x: Any) -> Any:
        scores, chosen = own.gate(x).softmax(1).topk(1)
        every = torch.stack([expert(x) for expert in own.experts], 1)
        return every.gather(1, chosen[..., None].expand(-1, -1, 3))[:, 0] * scores

    def masked(own: Any, x: Any) -> Any:
        return own.body(x).masked_fill(torch.tensor([True, False, False]), float("-inf"))

    return {
        "scores of which some are masked": (module(masked, body=chain()), ROWS, PATTERN),
        "one of eight experts": (module(routed, gate=nn.Linear(4, 8), experts=experts), ROWS, [*[LINEAR] * 9]),
        "a table by a sigmoid": (
            module(lambda own, x: own.table((own.first(x).sigmoid() * 8).long()).sum(1), first=nn.Linear(4, 5), table=nn.Embedding(9, 3)),
            ROWS, [LINEAR, check.layer("Sigmoid"), check.layer("Embedding")],
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["scores of which some are masked", "one of eight experts", "a table by a sigmoid"])
def test_a_layer_counts_where_a_network_leaves_out_or_chooses(name: str) -> None:
    import torch

    torch.manual_seed(0)  # of eight experts, few rows choose each
    made, rows, pattern = of_choices()[name]
    result = said(made.eval(), rows, pattern)
    assert result.fraction == 1, result


def of_positive_rows() -> Mapping[str, tuple[Any, Any, Any]]:
    """Name → a module with roots, logarithms and whole numbers, rows, and a pattern."""
    import torch
    from torch import nn

    flat, linear = check.layer("Flatten"), check.layer("Linear", out_features=3)
    empty = nn.Parameter(torch.empty(0, 4))
    return {
        "a logarithm of the rows": (module(lambda own, x: own.body(x.log()), body=chain()), abs(ROWS) + 0.1, PATTERN),
        "a root of the rows": (module(lambda own, x: own.body(x**0.5), body=chain()), abs(ROWS), PATTERN),
        "a root behind a layer": (
            module(lambda own, x: own.last(torch.sqrt(x.flatten(1).abs())), last=nn.Linear(20, 3)), SERIES, [flat, linear],
        ),
        "words made flat": (
            module(
                lambda own, x: own.last(own.table(x.flatten(1)).flatten(1)), table=nn.Embedding(9, 4), last=nn.Linear(20, 3)
            ),
            WORDS[..., None], [flat, check.layer("Embedding"), ..., linear],
        ),
        "a yes or no": (module(lambda own, x: own.body(x).softmax(1) > 0.9999, body=chain()), ROWS, PATTERN),
        "a parameter without rows": (module(lambda own, x: own.body(x) + own.empty.sum(), body=chain(), empty=empty), ROWS, PATTERN),
    }  # fmt: skip


def chain() -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


@pytest.mark.parametrize(
    "name",
    [
        "a logarithm of the rows", "a root of the rows", "a root behind a layer", "words made flat", "a yes or no",
        "a parameter without rows",
    ],
)  # fmt: skip
def test_a_layer_counts_where_rows_or_results_are_of_another_kind(name: str) -> None:
    made, rows, pattern = of_positive_rows()[name]
    result = said(made.eval(), rows.astype("float32") if rows.dtype.kind == "f" else rows, pattern)
    assert result.fraction == 1, result


@pytest.mark.parametrize("seed", range(12))
def test_a_narrow_network_is_seen_alive_in_some_draw(seed: int) -> None:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    parts = [part for _ in range(4) for part in (nn.Linear(2, 2), nn.ReLU())]
    made = nn.Sequential(nn.Linear(4, 2), *parts, nn.Linear(2, 3))
    result = said(made, ROWS, [LINEAR, *[LINEAR, RELU] * 4, LINEAR])
    assert result.fraction == 1, result


HONEST = (
    "a gain that begins at 0", "a last layer that begins at 0", "a small factor", "classes", "signs", "rounding",
    "a gate that opens", "a logarithm of a weight", "one unit", "twenty sigmoids", "the last state", "words",
    "words as fractions",
)  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_a_layer_that_matters_counts(name: str) -> None:
    made, rows, pattern = honest()[name]
    result = said(made.eval(), rows, pattern)
    assert result.fraction == 1, result


def test_apart_the_same_is_found() -> None:
    from autograder.models.computing_process import computing_apart

    with computing_apart():
        assert is_undecided(said(gated(gates()[GATES[0]]), ROWS, PATTERN))
        assert said(gated(lambda own, h: h.relu()), ROWS, PATTERN).fraction == 1
