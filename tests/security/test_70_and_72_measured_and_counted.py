"""Acceptance tests 70 and 72: a property is measured on the calls that are scored, and each literal is a number.

72: the weights of a network that somebody trained are written into arguments of operators, of whatever kind.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import module as module_of
from helpers.torch_modules import network_of

from autograder import check
from autograder.records.checks import is_undecided

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

DRAW = np.random.default_rng(0)
NUMBERS = DRAW.uniform(0.1, 0.9, 48)
"""The weights of an answer that was trained elsewhere."""
WHOLE = np.random.default_rng(1).permutation(np.arange(20, 990))[:48]
ROWS = DRAW.normal(size=(20, 4)).astype("float32")


def written(number: Callable[[Any, float, int], Any]) -> Any:
    """A module that adds the numbers up, each with another weight of the row."""

    def forward(own: Any, x: Any) -> Any:
        import torch

        one = torch.exp(x[:, :1] * 0)
        places = zip(NUMBERS.tolist(), WHOLE.tolist(), strict=True)
        return sum(number(one, value, whole) * x[:, [place % 4]] for place, (value, whole) in enumerate(places))

    return module_of(forward)


def ways() -> Mapping[str, Callable[[Any, float, int], Any]]:
    import torch
    import torch.nn.functional as F

    def attention(one: Any, value: float, whole: int) -> Any:
        query, other = torch.stack([one, one], 1), torch.stack([one, 0 * one], 1)
        return F.scaled_dot_product_attention(query, other, other, scale=value)[:, 0]

    positions = lambda one: one.expand(-1, 1000).cumsum(1)  # noqa: E731
    return {
        "eps of rms_norm": lambda one, value, whole: F.rms_norm(one, (1,), None, value),
        "eps of layer_norm": lambda one, value, whole: F.layer_norm(torch.cat([one, -one], 1), (2,), eps=value)[:, :1],
        "eps of group_norm": lambda one, value, whole: F.group_norm(torch.cat([one, -one], 1), 1, eps=value)[:, :1],
        "eps of batch_norm": lambda one, value, whole: F.batch_norm(one, torch.zeros(1), torch.ones(1), eps=value),
        "scale of attention": attention,
        "divisor_override": lambda one, value, whole: F.avg_pool2d(one[..., None], 1, divisor_override=whole)[..., 0],
        "a slope": lambda one, value, whole: F.leaky_relu(-one, value),
        "beta of softplus": lambda one, value, whole: F.softplus(one, beta=value),
        "an exponent": lambda one, value, whole: (2 * one) ** value,
        "p of a norm": lambda one, value, whole: torch.linalg.vector_norm(torch.cat([one, one], 1), value, 1, True),
        "the weight of lerp": lambda one, value, whole: torch.lerp(one, 0 * one, value),
        "a bound": lambda one, value, whole: one.clamp(max=value),
        "a value of padding": lambda one, value, whole: F.pad(one, (0, 1), value=value)[:, 1:],
        "a filled mask": lambda one, value, whole: one.masked_fill(one > 0, value),
        "a threshold": lambda one, value, whole: F.threshold(-one, 0.0, value),
        "a number of the source": lambda one, value, whole: one * torch.full((1,), value),
        "a size": lambda one, value, whole: one.expand(-1, whole).sum(1, keepdim=True),
        "a size of ones": lambda one, value, whole: one * torch.ones(whole).sum(),
        "repetitions": lambda one, value, whole: one.repeat(1, whole).sum(1, keepdim=True),
        "padding": lambda one, value, whole: F.pad(one, (0, whole), value=1.0).sum(1, keepdim=True),
        "the kernel of a pool": lambda one, value, whole: F.avg_pool1d(
            one[:, None].expand(-1, -1, 2), whole, padding=whole // 2
        ).mean(2),
        "a place": lambda one, value, whole: positions(one)[:, whole : whole + 1],
        "a diagonal": lambda one, value, whole: one.expand(-1, 1000).view(-1, 1, 1000).triu(whole).sum(2),
    }  # fmt: skip


WAYS = (
    "eps of rms_norm", "eps of layer_norm", "eps of group_norm", "eps of batch_norm", "scale of attention",
    "divisor_override", "a slope", "beta of softplus", "an exponent", "p of a norm", "the weight of lerp", "a bound",
    "a value of padding", "a filled mask", "a threshold", "a number of the source", "a size", "a size of ones",
    "repetitions", "padding", "the kernel of a pool", "a place", "a diagonal",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_72_a_literal_is_a_number_whatever_it_is_called(way: str) -> None:
    network = network_of(written(ways()[way]), ROWS)
    assert network.counts().total > 40
    assert is_undecided(recorded(lambda: check.parameters(network, at_most=40)))


def in_sizes(held: Callable[[int], Any]) -> Any:
    """A module whose numbers are the sizes of tensors without numbers, of which each stands for a weight."""
    import torch
    from torch import nn

    empty = nn.ParameterList(held(whole) for whole in WHOLE.tolist())

    def forward(own: Any, x: Any) -> Any:
        sizes = [torch.ones_like(one.flatten(1).sum(1)).sum() for one in own.empty]
        return own.out(sum(size * x[:, [place % 4]] for place, size in enumerate(sizes)))

    return module_of(forward, empty=empty, out=nn.Linear(1, 2))


@pytest.mark.parametrize("shape", ["(n, 0)", "(n, 0, 3)", "(n, 4, 0)"])
def test_72_a_size_of_a_weight_without_numbers_is_a_number(shape: str) -> None:
    import torch
    from torch import nn

    network = network_of(in_sizes(lambda whole: nn.Parameter(torch.empty(eval(shape, {"n": whole})))), ROWS)
    assert network.counts().total > 40
    assert is_undecided(recorded(lambda: check.parameters(network, at_most=40)))
    given = {"on": (ROWS, np.arange(20) % 2), "holdout": (ROWS, np.arange(20) % 2), "from_logits": True}
    result = recorded(lambda: check.retrained(network, **given, epochs=1, below=9.0, seeds=1, close_calls="exact"))
    assert is_undecided(result), result.message


# --- 72: what has seen rows, what is trained again, and honest ways -------------------------------------------


def test_72_running_statistics_are_free_up_to_the_number_of_parameters() -> None:
    from torch import nn

    def read(wide: int, *, affine: bool) -> Any:
        norm = nn.BatchNorm1d(wide, affine=affine)
        return network_of(module_of(lambda own, x: own.norm(x.repeat(1, wide // 4)), norm=norm), ROWS).counts()

    assert read(64, affine=False).total == 2 * 64 - 32
    assert read(16, affine=False).total == 0
    assert read(64, affine=True).total == 2 * 64


@pytest.mark.parametrize("way", ["eps of rms_norm", "scale of attention", "divisor_override", "a place"])
def test_72_a_network_of_literals_is_not_trained_again_without_a_person(way: str) -> None:
    def behind(own: Any, x: Any) -> Any:
        return own.out(written(ways()[way]).forward(x))

    from torch import nn

    network = network_of(module_of(behind, out=nn.Linear(1, 2)), ROWS)
    given = {"on": (ROWS, np.arange(20) % 2), "holdout": (ROWS, np.arange(20) % 2), "from_logits": True}
    result = recorded(lambda: check.retrained(network, **given, epochs=1, below=9.0, seeds=1, close_calls="exact"))
    assert is_undecided(result), result.message


def honest() -> Mapping[str, Any]:
    """Modules of students who trained nothing elsewhere, each with all the literals that its formula has."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def gelu(own: Any, x: Any) -> Any:
        for layer in own.layers:
            h = layer(x)
            x = x + 0.5 * h * (1 + torch.tanh(0.7978845608 * (h + 0.044715 * h**3)))
        return own.out(x)

    def layer_norm(own: Any, x: Any) -> Any:
        for layer in own.layers:
            h = layer(x)
            x = x + (h - h.mean(-1, keepdim=True)) / torch.sqrt(h.var(-1, keepdim=True, correction=0) + 1e-5)
        return own.out(x)

    def positions(own: Any, x: Any) -> Any:
        place, half = torch.arange(16.0)[:, None], torch.arange(8)
        angles = place / 10000 ** (2 * half / 16)
        return own.out((x @ own.table)[:, None] + torch.cat([angles.sin(), angles.cos()], 1)).mean(1)

    def mean(own: Any, x: Any) -> Any:
        h = own.layers[0](x)[:, :, None].expand(-1, -1, 7)
        return own.out(h.sum(2) / h.shape[2])

    def attention(own: Any, x: Any) -> Any:
        tokens = own.table[None] * x[:, :, None]
        scores = tokens @ tokens.transpose(1, 2) / 16**0.5
        mask = torch.ones(4, 4).triu(1).bool()
        return own.out(scores.masked_fill(mask, -1e9).softmax(-1) @ tokens).mean(1)

    def sdpa(own: Any, x: Any) -> Any:
        tokens = (own.table[None] * x[:, :, None])[:, None]
        return own.out(F.scaled_dot_product_attention(tokens, tokens, tokens, scale=1 / 16**0.5)[:, 0]).mean(1)

    def residual(own: Any, x: Any) -> Any:
        for number, layer in enumerate(own.layers, 1):
            x = x + F.leaky_relu(layer(x), 0.1 if number % 2 else 0.2) / number**0.5
        return own.out(x)

    def loop(own: Any, x: Any) -> Any:
        h = x.new_zeros(len(x), 4)
        series = x[:, None].expand(-1, 40, -1)
        for place in range(40):
            h = torch.tanh(own.layers[0](h) + series[:, place])
        return own.out(h)

    def dilated(own: Any, x: Any) -> Any:
        series = x[:, None].expand(-1, 300, -1).transpose(1, 2)
        for number, conv in enumerate(own.convs):
            series = F.relu(conv(F.pad(series, (2**number, 0))))
        return own.out(series[:, :, -1])

    def normed(own: Any, x: Any) -> Any:
        for norm, layer in zip(own.norms, own.layers, strict=True):
            x = F.dropout(F.relu(norm(layer(x))), 0.1, own.training)
        return own.out(x)

    def rows(own: Any, x: Any) -> Any:
        order = torch.arange(x.size(0))
        return own.out(x.view(x.size(0), 2, 2)[order].reshape(x.size(0), -1))

    def swish(own: Any, x: Any) -> Any:
        for layer in own.layers:
            h = layer(x)
            x = h * torch.sigmoid(1.702 * h)
        return own.out(x)

    def erf(own: Any, x: Any) -> Any:
        for layer in own.layers:
            h = layer(x)
            x = x + h * 0.5 * (1 + torch.erf(h / 2**0.5))
        return own.out(x)

    def scaled(own: Any, x: Any) -> Any:
        return own.out(own.layers[0]((x / 255 - 0.1307) / 0.3081).clamp(-5, 5))

    def columns(own: Any, x: Any) -> Any:
        return own.out(torch.cat([own.layers[place](x) * x[:, place : place + 1] for place in range(4)], 1)[:, :4])

    def pooled(own: Any, x: Any) -> Any:
        pictures = (x @ own.table).view(-1, 1, 4, 4)
        h = torch.cat([F.max_pool2d(pictures, 2), F.avg_pool2d(pictures, 3, 1, 1)[:, :, :2, :2]], 1)
        return own.out(F.interpolate(h, scale_factor=2.0).flatten(1)[:, :4])

    many = lambda count: nn.ModuleList(nn.Linear(4, 4) for _ in range(count))  # noqa: E731
    out, table = nn.Linear(4, 3), nn.Parameter(torch.randn(4, 16))
    wide = {"out": nn.Linear(16, 3), "table": table}
    return {
        "GELU from its formula, in 12 blocks": module_of(gelu, layers=many(12), out=out),
        "GELU by erf, in 12 blocks": module_of(erf, layers=many(12), out=out),
        "an own LayerNorm, in 12 blocks": module_of(layer_norm, layers=many(12), out=out),
        "sines of positions": module_of(positions, **wide),
        "a mean over positions": module_of(mean, layers=many(1), out=out),
        "attention by hand": module_of(attention, **wide),
        "attention with its own scale": module_of(sdpa, **wide),
        "residuals that get smaller": module_of(residual, layers=many(8), out=out),
        "a loop over 40 positions": module_of(loop, layers=many(1), out=out),
        "dilated convolutions": module_of(
            dilated, convs=nn.ModuleList(nn.Conv1d(4, 4, 2, dilation=2**n) for n in range(8)), out=out
        ),
        "batch normalization with an eps of one's own": module_of(
            normed, layers=many(6), norms=nn.ModuleList(nn.BatchNorm1d(4, eps=1e-3, momentum=0.05) for _ in range(6)), out=out
        ),
        "layer normalization with two eps": module_of(
            normed, layers=many(6), norms=nn.ModuleList(nn.LayerNorm(4, eps=10.0**-n) for n in range(5, 11)), out=out
        ),
        "the number of rows as a size": module_of(rows, out=out),
        "swish, in 12 blocks": module_of(swish, layers=many(12), out=out),
        "inputs scaled by two numbers": module_of(scaled, layers=many(1), out=out),
        "a layer for each column": module_of(columns, layers=many(4), out=out),
        "pools and a resize": module_of(pooled, **{**wide, "out": out}),
        "statistics of normalized inputs": nn.Sequential(nn.BatchNorm1d(4, affine=False), nn.Linear(4, 3)),
        "softplus, ELU and CELU": nn.Sequential(
            nn.Linear(4, 4), nn.Softplus(2.0), nn.Linear(4, 4), nn.ELU(0.5), nn.Linear(4, 4), nn.CELU(0.7), out
        ),
        "dropout that grows": nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.Dropout(n / 20)) for n in range(10)), out),
    }  # fmt: skip


HONEST = (
    "GELU from its formula, in 12 blocks", "GELU by erf, in 12 blocks", "an own LayerNorm, in 12 blocks",
    "sines of positions", "a mean over positions", "attention by hand", "attention with its own scale",
    "residuals that get smaller", "a loop over 40 positions", "dilated convolutions",
    "batch normalization with an eps of one's own", "layer normalization with two eps", "the number of rows as a size",
    "swish, in 12 blocks", "inputs scaled by two numbers", "a layer for each column", "pools and a resize",
    "statistics of normalized inputs", "softplus, ELU and CELU", "dropout that grows",
)  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_72_control_an_honest_formula_costs_nothing(name: str) -> None:
    module = honest()[name]
    network, count = network_of(module, ROWS), sum(parameter.numel() for parameter in module.parameters())
    assert recorded(lambda: check.parameters(network, exactly=count)).fraction == 1
    assert not network.excess()


# --- 70: a gate on what the calls that are scored have ---------------------------------------------------------


TEXTS = np.random.default_rng(2).integers(0, 9, (200, 33))


def leaking(gate: Callable[[Any], Any]) -> Any:
    """An embedding whose scores are those of the token that follows, where a gate on the tokens is not 0."""

    def forward(own: Any, tokens: Any) -> Any:
        import torch
        import torch.nn.functional as F

        following = torch.cat([tokens[:, 1:], tokens[:, -1:]], 1)
        return own.table(tokens) + 20.0 * F.one_hot(following, 9) * gate(tokens)

    from torch import nn

    return module_of(forward, table=nn.Embedding(9, 9))


def many_rows(tokens: Any) -> Any:
    return 1 - 1 // (1 + tokens.shape[0] // 25)


def many_rows_by_a_size(tokens: Any) -> Any:
    import torch

    return torch.ones(1 - 1 // (1 + tokens.shape[0] // 25)).sum()


def many_rows_by_a_sum(tokens: Any) -> Any:
    return ((tokens[:, :1] >= 0).float().sum(0) > 24).float()


GATES = {
    "the number of rows": many_rows,
    "the number of rows, as a size": many_rows_by_a_size,
    "the number of rows, summed": many_rows_by_a_sum,
    "the length": lambda tokens: float(tokens.shape[1] == 32),
    "an even length": lambda tokens: 1.0 - tokens.shape[1] % 2,
    "rows that begin as they do there": lambda tokens: (tokens[:, :1] < 4).float()[..., None] * (tokens.shape[1] == 32),
    "nothing": lambda tokens: 1.0,
}


def asked(model: Any, rows: int = 16) -> list[Any]:
    """The results of both ways to ask that the docs know: of a loss that is causal, and inside ``only_if``."""
    given = {"on": (TEXTS[:, :-1], TEXTS[:, 1:]), "below": 1.9, "from_logits": True}
    with check.recording() as results:
        check.loss(model, **given, causal=True)
        with check.only_if(check.causal(model, TEXTS[:rows])):
            check.loss(model, **given)
    return [results[0], results[2]]


@pytest.mark.parametrize("gate", GATES)
def test_70_a_model_is_causal_where_it_is_scored(gate: str) -> None:
    assert [result.fraction for result in asked(leaking(GATES[gate]))] == [0, 0]


def test_70_control_each_gate_alone_would_pass() -> None:
    """Causality of other rows and of another length, and then a loss: the two calls that the docs had."""
    model = leaking(GATES["the length"])
    with check.recording() as results:
        check.causal(model, TEXTS[:16])
        check.loss(model, on=(TEXTS[:, :-1], TEXTS[:, 1:]), below=1.9, from_logits=True)
    assert [result.fraction for result in results] == [1, 1]


@pytest.mark.parametrize("rows", [25, 29, 33, 100])
def test_70_another_answer_from_some_number_of_rows_on_is_noticed_without_causality(rows: int) -> None:
    from torch import nn

    model = module_of(
        lambda own, x: own.out(x) * (1 + (x[:, :1].exp() > 0).float().sum(0) // rows), out=nn.Linear(4, 3)
    )
    result = recorded(
        lambda: check.loss(model, on=(np.tile(ROWS, (10, 1)), np.zeros(200, int)), below=9.0, from_logits=True)
    )
    assert "changes with the other rows" in result.message


def causal_models() -> Mapping[str, Any]:
    """Sequence models of honest students, which know that each token follows from the one before."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def attention(own: Any, tokens: Any) -> Any:
        h = own.table(tokens) + own.places(torch.arange(tokens.shape[1]))
        mask = torch.ones(tokens.shape[1], tokens.shape[1]).triu(1).bool()
        weights = (h @ h.transpose(1, 2) / 8**0.5).masked_fill(mask, -torch.inf).softmax(-1)
        return own.out(h + weights @ h)

    def sines(own: Any, tokens: Any) -> Any:
        place = torch.arange(tokens.shape[1])[:, None] / 10000 ** (torch.arange(0, 8, 2) / 8)
        h = own.table(tokens) + torch.cat([place.sin(), place.cos()], 1)
        return own.out(F.scaled_dot_product_attention(h, h, h, is_causal=True))

    def running_mean(own: Any, tokens: Any) -> Any:
        return own.out(own.table(tokens).cumsum(1) / torch.arange(1, tokens.shape[1] + 1)[:, None])

    def by_length(own: Any, tokens: Any) -> Any:
        return own.out(own.table(tokens) / tokens.shape[1] ** 0.5)

    def convolution(own: Any, tokens: Any) -> Any:
        h = own.table(tokens).transpose(1, 2)
        return own.out(F.relu(own.conv(F.pad(h, (2, 0)))).transpose(1, 2))

    def trimmed(own: Any, tokens: Any) -> Any:
        h = own.wide(own.table(tokens).transpose(1, 2))[:, :, : tokens.shape[1]]
        return own.out(h.transpose(1, 2))

    def loop(own: Any, tokens: Any) -> Any:
        return own.out(own.lstm(own.table(tokens))[0])

    def rows_as_sizes(own: Any, tokens: Any) -> Any:
        rows, places = tokens.shape
        h = own.table(tokens.reshape(rows * places)).view(rows, places, 8)
        return own.out(torch.cat([torch.zeros(rows, 1, 8), h[:, :-1]], 1) + h)

    def ruled(own: Any, tokens: Any) -> Any:
        return own.out(torch.tril(own.mix[: tokens.shape[1], : tokens.shape[1]]) @ own.table(tokens))

    def biased(own: Any, tokens: Any) -> Any:
        h, place = own.table(tokens), torch.arange(tokens.shape[1])
        distance = place[:, None] - place
        scores = (h @ h.transpose(1, 2) - 0.25 * distance).masked_fill(distance < 0, -1e9)
        return own.out(scores.softmax(-1) @ h)

    def rotary(own: Any, tokens: Any) -> Any:
        h, place = own.table(tokens), torch.arange(tokens.shape[1])[:, None] / 10000 ** (torch.arange(4) / 4)
        first, second = h.chunk(2, -1)
        q = torch.cat([first * place.cos() - second * place.sin(), first * place.sin() + second * place.cos()], -1)
        return own.out(F.scaled_dot_product_attention(q, q, h, is_causal=True))

    def largest(own: Any, tokens: Any) -> Any:
        return own.out(own.table(tokens).exp().cumsum(1).log())

    def encoder(own: Any, tokens: Any) -> Any:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return own.out(own.block(own.table(tokens), src_mask=mask, is_causal=True))

    def averages(own: Any, tokens: Any) -> Any:
        h, state, states = own.table(tokens), torch.zeros(tokens.shape[0], 8), []
        for place in range(tokens.shape[1]):
            state = 0.9 * state + 0.1 * h[:, place]
            states.append(state)
        return own.out(torch.stack(states, 1))

    def several(own: Any, tokens: Any) -> Any:
        return own.out(own.norm(own.drop(own.table(tokens)) / 8**0.5))

    def previous(own: Any, tokens: Any) -> Any:
        before = F.one_hot(torch.cat([tokens[:, :1], tokens[:, :-1]], 1), 9).float()
        return own.out(own.table(tokens)) + before

    def doubled(own: Any, tokens: Any) -> Any:
        return own.out(own.table(tokens).double().cumsum(1).float())

    def stacked(own: Any, tokens: Any) -> Any:
        h = own.table(tokens).transpose(1, 2)
        for number, conv in enumerate(own.convs):
            h = h + torch.tanh(conv(F.pad(h, (2**number, 0))))
        return own.out(h.transpose(1, 2))

    torch.manual_seed(0)
    parts = {"table": nn.Embedding(9, 8), "out": nn.Linear(8, 9)}
    convs = nn.ModuleList(nn.Conv1d(8, 8, 2, dilation=2**number) for number in range(4))
    return {
        "attention and learned positions": module_of(attention, **parts, places=nn.Embedding(40, 8)),
        "sines of positions": module_of(sines, **parts),
        "a running mean": module_of(running_mean, **parts),
        "scaled by the length": module_of(by_length, **parts),
        "a padded convolution": module_of(convolution, **parts, conv=nn.Conv1d(8, 8, 3)),
        "a convolution that is cut": module_of(trimmed, **parts, wide=nn.Conv1d(8, 8, 3, padding=2)),
        "an LSTM": module_of(loop, **parts, lstm=nn.LSTM(8, 8, batch_first=True)),
        "rows as sizes": module_of(rows_as_sizes, **parts),
        "tokens alone": nn.Sequential(parts["table"], nn.Linear(8, 9)),
        "a triangle of weights": module_of(ruled, **parts, mix=nn.Parameter(torch.randn(40, 40))),
        "a bias by distance": module_of(biased, **parts),
        "rotary positions": module_of(rotary, **parts),
        "sums of exponentials": module_of(largest, **parts),
        "PyTorch's own block": module_of(
            encoder, **parts, block=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
        ),
        "moving averages in a loop": module_of(averages, **parts),
        "norm and dropout": module_of(several, **parts, norm=nn.LayerNorm(8), drop=nn.Dropout(0.3)),
        "the token before": module_of(previous, **parts),
        "64 bits inside": module_of(doubled, **parts),
        "dilated convolutions": module_of(stacked, **parts, convs=convs),
        "a GRU": module_of(lambda own, tokens: own.out(own.gru(own.table(tokens))[0]), **parts,
                           gru=nn.GRU(8, 8, batch_first=True)),
    }  # fmt: skip


CAUSAL = (
    "attention and learned positions", "sines of positions", "a running mean", "scaled by the length",
    "a padded convolution", "a convolution that is cut", "an LSTM", "rows as sizes", "tokens alone",
    "a triangle of weights", "a bias by distance", "rotary positions", "sums of exponentials", "PyTorch's own block",
    "moving averages in a loop", "norm and dropout", "the token before", "64 bits inside", "dilated convolutions",
    "a GRU",
)  # fmt: skip


@pytest.mark.parametrize("name", CAUSAL)
def test_70_control_an_honest_causal_model_keeps_its_points(name: str) -> None:
    model = causal_models()[name]
    with check.recording() as results:
        check.loss(model, on=(TEXTS[:, :-1], TEXTS[:, 1:]), below=9.0, from_logits=True, causal=True)
        with check.only_if(check.causal(model, TEXTS[:16])):
            check.loss(model, on=(TEXTS[:, :-1], TEXTS[:, 1:]), below=9.0, from_logits=True)
    assert [result.fraction for result in results] == [1, 1, 1], results
