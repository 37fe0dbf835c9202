"""A network is right if, with the same drawn weights, it gives the outputs of a reference, however it is written."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.doc_blocks import blocks
from helpers.examination import outcome
from helpers.remote_models import answer, recorded
from helpers.torch_modules import drawn, module, network_of
from helpers.torch_networks import torch_networks

from autograder import check
from autograder.errors import CourseError
from autograder.models import rebuild
from autograder.records.checks import CheckResult, is_undecided

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
NAMES = (
    "fire module", "squeeze and excitation", "dense block", "pixel shuffle", "inception", "ResNet bottleneck", "U-Net",
    "SE-ResNeXt", "ConvNeXt", "WaveNet", "TCN", "seq2seq LSTM", "bidirectional GRU with attention",
    "Transformer decoder", "MLP-Mixer", "highway", "DeepSets", "Fourier features", "mixture of experts", "VAE",
    "GAN generator", "graph convolution", "Siamese", "normalizing flow",
)  # fmt: skip
QUICK = ("highway", "DeepSets", "Fourier features")
PAGE = Path(__file__).parents[3] / "docs/reference/checks.md"
ROWS = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")


def each_network(names: tuple[str, ...]) -> list[Any]:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in names]


def computed(model: Any, reference: Any, **asked: Any) -> CheckResult:
    return recorded(lambda: check.computes(model, like=reference, **asked))


def chain(activation: Any = None, width: int = 5) -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(6, width), activation or nn.ReLU(), nn.Linear(width, 3))


def test_a_state_of_zeros_is_of_the_precision_of_the_computation() -> None:
    """``torch.zeros`` of no named type, as a recurrent network by hand begins with."""
    import torch
    from torch import nn

    def by_hand(own: Any, x: Any) -> Any:
        state = torch.zeros(x.shape[0], 5)
        for step in range(4):
            state = torch.tanh(own.i(x[:, step]) + own.h(state))
        return state

    reference = module(lambda own, x: own.cell(x)[0][:, -1], cell=nn.RNN(3, 5, batch_first=True))
    answer = module(by_hand, i=nn.Linear(3, 5), h=nn.Linear(5, 5))
    result = computed(answer, reference, input_shape=(4, 3))
    assert result.fraction == 1, result


@pytest.mark.parametrize("seed", range(8))
def test_a_number_behind_a_closed_relu_is_looked_at_again(seed: int) -> None:
    """At drawn weights, units are closed for all rows, and in each way to write a network others are."""
    import torch
    from torch import nn

    def rest() -> list[Any]:
        return [nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU(),
                nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Tanh()]  # fmt: skip

    torch.manual_seed(seed)
    reference = nn.Sequential(nn.Linear(6, 128, bias=False), nn.Unflatten(1, (8, 4, 4)), *rest()).eval()
    answer = nn.Sequential(nn.Unflatten(1, (6, 1, 1)), nn.ConvTranspose2d(6, 8, 4, bias=False), *rest()).eval()
    result = computed(answer, reference, input_shape=(6,))
    assert result.fraction == 1, result


def test_there_are_twenty_four_networks() -> None:
    made = torch_networks()
    assert set(made) == set(NAMES)
    assert sum(len(network.right) for network in made.values()) == 144
    assert sum(len(network.wrong) for network in made.values()) == 120


@pytest.mark.parametrize("name", each_network(NAMES))
def test_an_honest_network_is_right_whatever_its_spelling(name: str) -> None:
    network = torch_networks()[name]
    for spelling, build in network.right.items():
        result = computed(build(), network.asked(), rows=network.rows)
        assert (result.fraction, is_undecided(result)) == (1, False), (spelling, result.detail)


@pytest.mark.parametrize("name", each_network(NAMES))
def test_another_network_loses(name: str) -> None:
    network = torch_networks()[name]
    for mistake, build in network.wrong.items():
        result = computed(build(), network.asked(), rows=network.rows)
        assert (result.fraction, is_undecided(result)) == (0, False), (mistake, result.detail)


def test_the_networks_stay_as_they_are() -> None:
    import torch

    model, reference = chain().train(), chain()
    before = [tensor.clone() for tensor in (*model.parameters(), *reference.parameters())]
    torch.manual_seed(5)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert computed(model, reference, rows=ROWS).fraction == 1
    assert all(map(torch.equal, before, (*model.parameters(), *reference.parameters())))
    assert model.training
    assert torch.equal(torch.rand(3), drawn)


def test_shapes_that_differ_are_named() -> None:
    assert (
        computed(chain(width=4), chain(), rows=ROWS).message
        == "Your network has no weights of the shape (5, 6); the asked one has 1. It has 1 weight of the shape (4, 6) instead."
    )
    from torch import nn

    deeper = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    assert "1 weight of the shape (5, 5); the asked one has none" in computed(deeper, chain(), rows=ROWS).message
    assert "3 outputs" in computed(module(lambda m, x: (m.a(x),) * 3, a=chain()), chain(), rows=ROWS).message
    assert "(rows, 4)" in computed(module(lambda m, x: m.a(x), a=nn.Linear(6, 4)), chain(), rows=ROWS).message


def test_rows_are_drawn_for_a_shape() -> None:
    assert computed(chain(), chain(), input_shape=(6,)).fraction == 1
    assert computed(module(lambda m, x: m.a(x), a=chain()), chain(), input_shape=[6]).fraction == 1


def test_one_of_several_outputs_is_compared() -> None:
    both = module(lambda m, x: (m.a(x), m.a(x).sum(1)), a=chain())
    other = module(lambda m, x: (m.a(x), m.a(x).amax(1)), a=chain())
    assert computed(other, both, rows=ROWS, part=0).fraction == 1
    assert computed(other, both, rows=ROWS, part=1).fraction == 0
    assert computed(other, both, rows=ROWS).fraction == 0
    with pytest.raises(CourseError, match="no number 2"):
        computed(other, both, rows=ROWS, part=2)


def test_the_largest_of_branches_has_no_gradient_of_its_own() -> None:
    """Where branches are equal, PyTorch shares it as the operator wishes; slopes are the network's."""
    import torch
    from torch import nn

    def made(join: Any) -> Any:
        """Three branches in one layer."""
        forward = lambda own, x: own.last(join(own.parts(x).view(-1, 3, 4)))  # noqa: E731
        return module(forward, parts=nn.Linear(6, 12), last=nn.Linear(4, 2)).eval()

    def asked(own: Any, x: Any) -> Any:
        return own.last(torch.maximum(torch.maximum(own.a(x), own.b(x)), own.c(x)))

    reference = module(asked, **{name: nn.Linear(6, 4) for name in "abc"}, last=nn.Linear(4, 2)).eval()
    for way in (lambda h: h.amax(1), lambda h: h.max(1).values, lambda h: h.sort(1).values[:, 2]):
        result = computed(made(way), reference, rows=ROWS)
        assert result.fraction == 1, result
    for way in (lambda h: h.amin(1), lambda h: h[:, 0] + h[:, 1:].amax(1), lambda h: h.sort(1).values[:, 1]):
        result = computed(made(way), reference, rows=ROWS)
        assert (result.fraction, is_undecided(result)) == (0, False), result


@pytest.mark.parametrize("is_read", [True, False])
def test_dropouts_stand_where_those_of_the_reference_do(is_read: bool) -> None:
    """The reference is read from a cell's module, or is one of the hidden test."""
    import torch.nn.functional as F
    from torch import nn

    def made(forward: Any) -> Any:
        return module(forward, first=nn.Linear(6, 8), last=nn.Linear(8, 3)).eval()

    def told(forward: Any, dropout: bool = True) -> CheckResult:
        reference = made(lambda own, x: own.last(F.dropout(own.first(x).relu(), 0.5, own.training)))
        like = network_of(reference, ROWS) if is_read else reference
        answer = network_of(made(forward), ROWS)
        return recorded(lambda: check.computes(answer, like=like, rows=ROWS, dropout=dropout))

    assert told(lambda own, x: own.last(F.dropout(own.first(x), 0.5, own.training).relu())).fraction == 1
    without = told(lambda own, x: own.last(own.first(x).relu()))
    assert without.fraction == 0
    assert "look at where its dropouts stand, and at their rates" in without.message
    assert told(lambda own, x: own.last(own.first(x).relu()), dropout=False).fraction == 1
    assert told(lambda own, x: F.dropout(own.last(own.first(x).relu()), 0.5, own.training)).fraction == 0
    assert told(lambda own, x: own.last(F.dropout(own.first(x).relu(), 0.2, own.training))).fraction == 0


def test_a_plain_list_of_layers_is_told() -> None:
    from torch import nn

    listed = module(lambda m, x: m.all[1](m.all[0](x).relu()), all=[nn.Linear(6, 5), nn.Linear(5, 3)])
    result = computed(listed, chain(), rows=ROWS)
    assert (result.fraction, is_undecided(result)) == (0, False)
    assert "nn.ModuleList" in result.message


@pytest.mark.parametrize("formula", ["tanh", "epsilon"])
def test_nearly_the_same_is_for_a_person(formula: str) -> None:
    """An approximated activation and another epsilon are no other network; whether they are asked, a person says."""
    from torch import nn

    asked = nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.LayerNorm(5), nn.Linear(5, 3))
    near = {
        "tanh": nn.Sequential(nn.Linear(6, 5), nn.GELU("tanh"), nn.LayerNorm(5), nn.Linear(5, 3)),
        "epsilon": nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.LayerNorm(5, eps=1e-6), nn.Linear(5, 3)),
    }
    assert is_undecided(computed(near[formula], asked, rows=ROWS))


@pytest.mark.parametrize("slip", ["ReLU6", "LeakyReLU", "Hardtanh"])
def test_an_activation_that_is_cut_far_out_is_another_one(slip: str) -> None:
    from torch import nn

    activation = {"ReLU6": nn.ReLU6(), "LeakyReLU": nn.LeakyReLU(0.1), "Hardtanh": nn.Hardtanh(0, 8)}[slip]
    assert computed(chain(activation), chain(), rows=ROWS).fraction == 0


@pytest.mark.parametrize(("epsilon", "is_right"), [(1e-5, True), (0.5, False)])
@pytest.mark.parametrize("is_trained", [False, True])
def test_a_normalization_by_its_formula_is_one(is_trained: bool, epsilon: float, is_right: bool) -> None:
    import torch
    from torch import nn

    def normalized(m: Any, x: Any) -> Any:
        z = m.a(x)
        return m.b(torch.relu((z - m.mean) / torch.sqrt(m.var + epsilon) * m.gamma + m.beta))

    asked = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    own = module(
        normalized, b=nn.Linear(5, 3), gamma=nn.Parameter(torch.ones(5)), beta=nn.Parameter(torch.zeros(5)),
        mean=torch.randn(5) * is_trained, var=torch.rand(5) * is_trained + 1, a=nn.Linear(6, 5),
    )  # fmt: skip
    result = computed(own, asked, rows=ROWS)
    assert (result.fraction, is_undecided(result)) == (is_right, not is_right), result.detail


def test_weights_that_are_computed_are_for_a_person() -> None:
    from torch import nn

    linear = nn.utils.parametrizations.weight_norm(nn.Linear(6, 5))
    assert is_undecided(computed(nn.Sequential(linear, nn.ReLU(), nn.Linear(5, 3)), chain(), rows=ROWS))


def by_formula(norm: Any) -> Any:
    """A network whose first weights are computed, as ``weight_norm`` does with the norm of each row."""
    import torch
    import torch.nn.functional as F

    def forward(own: Any, x: Any) -> Any:
        return own.out(torch.relu(F.linear(x, own.size * own.direction / norm(own.direction), own.bias)))

    return module(forward, size=drawn(8, 1), direction=drawn(8, 6), bias=drawn(8), out=torch.nn.Linear(8, 3))


def test_weights_through_the_formula_of_the_reference_are_the_same() -> None:
    from torch import nn
    from torch.nn.utils.parametrizations import weight_norm

    reference = nn.Sequential(weight_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 3))
    assert computed(by_formula(lambda v: v.norm(dim=1, keepdim=True)), reference, rows=ROWS).fraction == 1
    other = computed(by_formula(lambda v: v.norm()), reference, rows=ROWS)
    assert (other.fraction, is_undecided(other)) == (0, False), other.detail


def test_a_normalization_by_its_formula_without_scale_and_shift_is_one_of_no_weights() -> None:
    from torch import nn

    def forward(own: Any, x: Any) -> Any:
        x = own.a(x)
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
        return own.b(x)

    answer = module(forward, a=nn.Linear(6, 8), b=nn.Linear(8, 3))
    plain, scaled = (
        nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8, elementwise_affine=affine), nn.Linear(8, 3))
        for affine in (False, True)
    )
    assert [computed(answer, like, rows=ROWS).fraction for like in (plain, scaled)] == [1, 0]


def test_other_constants_are_for_a_person() -> None:
    import torch
    from torch import nn

    drawn = lambda: module(lambda m, x: m.a(torch.sin(x @ m.f)), f=torch.randn(6, 4), a=nn.Linear(4, 2))  # noqa: E731
    result = computed(drawn(), drawn(), rows=ROWS)
    assert is_undecided(result)
    assert "constants" in result.message


def test_tied_weights_must_be_tied() -> None:
    from torch import nn

    tokens = np.random.default_rng(1).integers(0, 7, (20, 4))

    def tied() -> Any:
        return module(lambda m, x: m.w(x).mean(1) @ m.w.weight.T, w=nn.Embedding(7, 3))

    def untied() -> Any:
        return module(lambda m, x: m.u(m.w(x).mean(1)), w=nn.Embedding(7, 3), u=nn.Linear(3, 7, bias=False))

    assert computed(tied(), tied(), rows=tokens).fraction == 1
    assert computed(untied(), tied(), rows=tokens).fraction == 0
    assert computed(tied(), untied(), rows=tokens).fraction == 0


def test_what_is_not_read_is_for_a_person() -> None:
    decides = module(lambda m, x: m.a(x) if bool(x.sum() > 0) else m.a(-x), a=chain())
    assert is_undecided(computed(decides, chain(), rows=ROWS))
    assert computed(7, chain(), rows=ROWS).fraction == 0
    assert not is_undecided(computed(7, chain(), rows=ROWS))


def test_a_network_that_does_not_take_the_rows_fails() -> None:
    from torch import nn

    assert computed(nn.Linear(5, 3), chain(), rows=ROWS).fraction == 0


@pytest.mark.parametrize(
    ("reference", "arguments", "says"),
    [
        (7, {"rows": ROWS}, "reference"),
        (None, {"rows": ROWS[:1]}, "at least two"),
        (None, {"rows": ROWS[:, :4]}, "reference"),
    ],
)
def test_what_an_author_gives_is_checked(reference: Any, arguments: Any, says: str) -> None:
    with pytest.raises(CourseError, match=says):
        computed(chain(), reference or chain(), **arguments)


STUDENT = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out, self.first = nn.Linear(5, 3), nn.Parameter(torch.randn(6, 5))
        self.bias = nn.Parameter(torch.zeros(5))

    def forward(self, x):
        return self.out(torch.einsum("nk,kh->nh", x, self.first).add(self.bias).{activation}())

model = Net()
"""


@pytest.mark.parametrize(("activation", "fraction"), [("relu", 1), ("tanh", 0)])
def test_a_module_in_the_kernel_is_compared(activation: str, fraction: float) -> None:
    result = computed(answer(STUDENT.format(activation=activation)), chain(), rows=ROWS)
    assert result.fraction == fraction, result.detail
    assert "(5, 6)" not in result.message


@pytest.mark.parametrize(("activation", "fraction"), [("relu", 1), ("tanh", 0)])
def test_a_hidden_test_makes_the_reference(monkeypatch: pytest.MonkeyPatch, activation: str, fraction: float) -> None:
    monkeypatch.setattr("helpers.examination.no_models", rebuild)
    test = """
from torch import nn
from autograder import check
reference = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
check.computes(model, like=reference, input_shape=(6,))
"""
    result = outcome(STUDENT.format(activation=activation), test, seconds=60.0)
    assert result.fraction == fraction, result


def test_the_example_of_the_page_runs() -> None:
    from torch import nn

    (example,) = [
        block.text for block in blocks(PAGE, "python") if "check.computes(model, like=reference" in block.text
    ]
    model = module(
        lambda m, x: m.b(m.a(x.unsqueeze(-1)).squeeze(-1).relu()), b=nn.Linear(16, 4), a=nn.Conv1d(12, 16, 1)
    )
    result = recorded(lambda: exec(example, {"nn": nn, "check": check, "model": model}))
    assert result.fraction == 1, result.detail


@pytest.mark.parametrize("gate", ["sum", "largest", "bias"])
def test_a_network_that_is_right_at_drawn_weights_alone_is_for_a_person(gate: str) -> None:
    """The gate looks at the network's own numbers: it opens for those that were handed in, and near them."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = chain()
    own = {"sum": float(net[0].weight.sum()), "largest": float(net[0].weight.abs().max()), "bias": 0.0}[gate]

    def forward(m: Any, x: Any) -> Any:
        layer = m.a[0]
        opens = {
            "sum": lambda: (layer.weight.sum() - own).abs() < 1e-3,
            "largest": lambda: layer.weight.abs().max() < 1.0001 * own,
            "bias": lambda: m.b[0] != 0,  # it only adds to the other bias, and is 0 where weights are matched
        }[gate]()
        hidden = torch.relu(layer(x) + (m.b if gate == "bias" else 0))
        return torch.where(opens, m.a[2](torch.tanh(hidden)), m.a[2](hidden))

    parts = {"b": nn.Parameter(torch.full((5,), 0.3))} if gate == "bias" else {}
    result = computed(module(forward, a=net, **parts), chain(), rows=ROWS)
    assert result.fraction == 0
    assert is_undecided(result) or gate == "bias"


DRAWING = {
    "torch.randn_like(z)": 1, "torch.randn(z.shape[0], 5)": 1, "torch.empty_like(z).normal_()": 1,
    "torch.distributions.Normal(torch.zeros_like(z), 1).rsample()": 1, "torch.normal(torch.zeros_like(z), 1)": 1,
    "torch.rand_like(z)": 0, "(torch.rand_like(z) == 0.5) * 1.0": 0, "torch.full_like(z, 0.5)": 0,
    "torch.where(torch.randn(1) == 0.5, torch.randn_like(z), z)": 0,
    "torch.where(torch.rand_like(z).max() == torch.rand_like(z).min(), torch.randn_like(z), z)": 0,
}  # fmt: skip


@pytest.mark.parametrize("draw", DRAWING)
def test_networks_that_draw_draw_the_same_numbers(draw: str) -> None:
    """And no gate opens for them that a scored network's own draws would not open."""
    import torch
    from torch import nn

    def forward(m: Any, x: Any, draw: str = draw) -> Any:
        z = m.a(x)
        return m.c(z + torch.exp(m.b(x)) * eval(draw, {"torch": torch, "z": z}))

    def parts() -> dict[str, Any]:
        return {"a": nn.Linear(6, 5), "b": nn.Linear(6, 5), "c": nn.Linear(5, 3)}

    reference = module(lambda m, x: forward(m, x, "torch.randn_like(z)"), **parts())
    assert computed(module(forward, **parts()), reference, rows=ROWS).fraction == DRAWING[draw]


@pytest.mark.parametrize("how", ["trained", "twice the bias", "large", "frozen"])
def test_an_honest_network_is_right_whatever_its_weights_are(how: str) -> None:
    import torch
    from torch import nn

    net = module(lambda m, x: m.a[2](torch.relu(m.a[0](x) + m.b)), a=chain(), b=nn.Parameter(torch.full((5,), 0.7)))
    net = net if how == "twice the bias" else chain()
    for parameter in net.parameters():
        parameter.requires_grad = how != "frozen"
        parameter.data *= {"large": 1e4, "trained": 3.0}.get(how, 1.0)
    assert computed(net, chain(), rows=ROWS).fraction == 1


def test_a_network_that_detects_other_rows_or_weights_is_read_as_what_it_computes() -> None:
    """A graph cannot tell drawn weights from its own ones without computing the asked network, too."""
    import torch

    hides = module(lambda m, x: torch.where(m.a[0].weight.sum() > 1e9, x[:, :3], m.a(x)), a=chain())
    shows = module(lambda m, x: torch.where(m.a[0].weight.sum() > 1e9, m.a(x), x[:, :3]), a=chain())
    assert computed(hides, chain(), rows=ROWS).fraction == 1
    assert computed(shows, chain(), rows=ROWS).fraction == 0
