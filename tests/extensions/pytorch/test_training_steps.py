"""A student's training step is right if the weights that come out are those that the examiner computes."""

from __future__ import annotations

import importlib.util
import textwrap
from typing import Any

import pytest
from extensions.pytorch.training_loops import (
    CLASSES,
    DEPENDS_ON_BATCH,
    HONEST,
    MORE_THAN_ASKED,
    NETWORKS,
    PLAIN,
    SLIPS,
    TABLE,
    Network,
    source,
)
from extensions.pytorch.training_loops import step as function
from helpers.remote_models import recorded

from autograder import check
from autograder.extensions.pytorch.kernel_side import torch_model
from autograder.records.checks import CheckResult, is_undecided

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
HONEST_PAIRS = [
    (way, name)
    for way in HONEST
    for name, network in NETWORKS.items()
    if not (way in DEPENDS_ON_BATCH and network.has & {"statistics", "dropout"})
]
SLIP_PAIRS = [
    (slip, name)
    for slip, loop in SLIPS.items()
    for name, network in NETWORKS.items()
    if (not loop.needs or loop.needs in network.has) and loop.lacks not in network.has
]


CLAIMS: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Describe each network of these tests once: an export takes longer than the steps."""
    describe = torch_model.claim

    def claim(module: Any, shapes: Any) -> Any:
        key = f"{module!r} {shapes}"
        CLAIMS[key] = CLAIMS.get(key) or describe(module, shapes)
        return CLAIMS[key]

    monkeypatch.setattr(torch_model, "claim", claim)


def some(pairs: list[tuple[str, str]]) -> list[Any]:
    """Every way with some network, and the other pairs for the slow tests."""
    seen: dict[str, int] = {}
    quick = []
    for number, way in enumerate(dict.fromkeys(way for way, _ in pairs)):
        own = [pair for pair in pairs if pair[0] == way]
        quick.append(own[number % len(own)])
        seen[way] = number
    return [pair if pair in quick else pytest.param(*pair, marks=pytest.mark.slow) for pair in pairs]


def checked(loop: str, network: Network, **asked: Any) -> CheckResult:
    return check_of(run(loop, network), network, **asked)


def run(loop: str, network: Network) -> dict[str, Any]:
    """The names of a notebook with a loop."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source(loop, network), names)
    return names


def check_of(names: dict[str, Any], network: Network, **asked: Any) -> CheckResult:
    arguments = {**network.loss, **asked}
    return recorded(
        lambda: check.training_step(names["step"], names["model"], (network.rows, network.labels), **arguments)
    )


@pytest.mark.parametrize(("way", "name"), some(HONEST_PAIRS))
def test_an_honest_loop_passes(way: str, name: str) -> None:
    result = checked(HONEST[way], NETWORKS[name])
    assert result.fraction == 1, result.message


OPTIMIZERS = ("adam", "adamw", "rmsprop", "adagrad", "momentum")
OPTIMIZER_PAIRS = [(kind, name) for kind in OPTIMIZERS for name in NETWORKS]


@pytest.mark.parametrize(("kind", "name"), some(OPTIMIZER_PAIRS))
def test_an_honest_loop_passes_with_each_optimizer(kind: str, name: str) -> None:
    import torch

    momentum = torch.optim.SGD([torch.zeros(1)], lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)
    result = checked(HONEST["plain"], NETWORKS[name], optimizer=momentum if kind == "momentum" else kind)
    assert result.fraction == 1, result.message


@pytest.mark.parametrize("kind", ["adam", "rmsprop", "adagrad", "nadam"])
def test_a_bias_before_a_batch_normalization_has_gradients_of_rounding_alone(kind: str) -> None:
    """Their signs are chance, and such optimizers take a whole step in the direction of the sign."""
    wide = Network(
        "nn.Sequential(nn.Linear(6, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.Linear(64, 3))",
        TABLE,
        CLASSES,
        frozenset(["classes", "statistics"]),
    )
    sum_by_hand = PLAIN.replace(
        "loss_fn(OUT, y)", "sum(F.cross_entropy(s[None], t[None]) for s, t in zip(OUT, y)) / len(y)"
    )
    result = checked(function(sum_by_hand), wide, optimizer=kind)
    assert result.fraction == 1, result.message


@pytest.mark.parametrize(("slip", "name"), some(SLIP_PAIRS))
def test_a_slip_fails_and_is_named(slip: str, name: str) -> None:
    loop, network = SLIPS[slip], NETWORKS[name]
    result = checked(loop.source, network, optimizer=_optimizer(loop.optimizer))
    assert result.fraction == 0
    assert loop.says in result.message
    assert is_undecided(result) is (slip == "unknown" and "dropout" in network.has)


def _optimizer(name: str) -> Any:
    import torch

    plain = {"sgd": {"lr": 0.1}, "momentum": {"lr": 0.05, "momentum": 0.9}}
    return torch.optim.SGD([torch.zeros(1)], **plain[name]) if name in plain else name


MORE_PAIRS = [
    (way, name)
    for way, loop in MORE_THAN_ASKED.items()
    for name, network in NETWORKS.items()
    if not loop.needs or loop.needs in network.has
]


@pytest.mark.parametrize(("way", "name"), some(MORE_PAIRS))
def test_an_honest_loop_that_does_more_than_asked_is_for_a_person(way: str, name: str) -> None:
    loop, network = MORE_THAN_ASKED[way], NETWORKS[name]
    result = checked(loop.source, network, optimizer=_optimizer(loop.optimizer))
    assert is_undecided(result), result.message
    if "dropout" not in network.has:  # what draws at random can be no more than that
        assert loop.says in result.message


@pytest.mark.parametrize("slip", ["Adam", "a momentum"])
def test_an_optimizer_of_the_notebook_is_for_a_person_where_the_test_names_none(slip: str) -> None:
    result = checked(SLIPS[slip].source, NETWORKS["chain"])
    assert is_undecided(result), result.message
    assert f"The optimizer {SLIPS[slip].says}" in result.message


WITHOUT_GRADIENTS = {
    "outputs of 0": "class Zero(nn.Module):\n    def forward(self, x):\n        return x * 0.0\n"
    "model = nn.Sequential(nn.Linear(6, 3), Zero())",
    "frozen weights": "class Frozen(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.frozen, self.free = nn.Linear(6, 3).requires_grad_(False), nn.Parameter(torch.ones(1))\n"
    "    def forward(self, x):\n        return self.frozen(x) + 0 * self.free\n"
    "model = Frozen()",
    "outputs of 1e-5": "class Small(nn.Module):\n    def forward(self, x):\n        return x * 1e-5\n"
    "model = nn.Sequential(nn.Linear(6, 3), Small())",
}


@pytest.mark.parametrize("network", WITHOUT_GRADIENTS)
@pytest.mark.parametrize("body", ["pass", PLAIN])
def test_a_model_that_no_step_changes_is_for_a_person(network: str, body: str) -> None:
    result = checked(f"{WITHOUT_GRADIENTS[network]}\n{function(body.replace('OUT', 'model(x)'))}", NETWORKS["chain"])
    assert is_undecided(result), result.message
    assert result.message.startswith("A right step of this model changes nothing.")


def epoch(before: str, loop: str, parameters: str = "model, loader, loss_fn, lr=0.1") -> str:
    """A function that takes steps with all batches of a loader."""
    return function(f"{before}\nfor x, y in loader:\n" + textwrap.indent(loop.strip(), "    "), parameters)


ADAM = "optimizer = torch.optim.Adam(model.parameters(), lr)"
BACKWARD_AND_STEP = "loss_fn(OUT, y).backward()\noptimizer.step()"


@pytest.mark.parametrize("name", ["chain", "normalized", "regression"])
def test_a_function_that_takes_a_loader_keeps_its_optimizer_for_all_batches(name: str) -> None:
    result = checked(epoch(ADAM, PLAIN), NETWORKS[name], optimizer="adam")
    assert result.fraction == 1, result.message


@pytest.mark.parametrize(
    ("loop", "says"),
    [
        (epoch(f"{ADAM}\noptimizer.zero_grad()", BACKWARD_AND_STEP), "gradients of earlier batches are added"),
        (epoch(ADAM, PLAIN.replace("optimizer.step()", "")), "no weight changes"),
        (epoch("", f"{ADAM}\n{PLAIN}"), "each step makes a new optimizer"),
        (epoch(ADAM, f"{PLAIN}\nmodel.eval()"), "stays in evaluation mode"),
        (epoch(ADAM.replace("Adam", "SGD"), PLAIN), "the optimizer is SGD"),
    ],
)
def test_slips_show_in_a_loop_over_a_loader(loop: str, says: str) -> None:
    result = checked(loop, NETWORKS["normalized" if "eval" in says else "chain"], optimizer="adam")
    assert result.fraction == 0
    assert not is_undecided(result)
    assert says in result.message


@pytest.mark.parametrize(
    "body",
    ["x, y = next(iter(loader))\n" + PLAIN, f"for x, y in loader:{textwrap.indent(PLAIN, '    ')}    return loss"],
)
def test_a_function_that_takes_one_batch_of_its_loader_is_for_a_person(body: str) -> None:
    result = checked(function(body, "model, loader, loss_fn, optimizer"), NETWORKS["chain"])
    assert is_undecided(result), result.message


ALMOST_RIGHT = {
    "a rate that is lowered by hand": (
        PLAIN + "for group in optimizer.param_groups:\n    group['lr'] *= 0.5\n",
        "The steps have 1 and 0.5 times the learning rate",
    ),
    "numbers of 16 bits": (
        PLAIN.replace("loss = loss_fn(OUT, y)", "with torch.autocast('cpu', dtype=torch.bfloat16):\n    loss = loss_fn(OUT, y)"),
        "as with numbers of 16 bits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", ALMOST_RIGHT)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_step_that_is_almost_right_is_for_a_person(way: str, optimizer: str) -> None:
    body, says = ALMOST_RIGHT[way]
    result = checked(function(body), NETWORKS["chain"], optimizer=_optimizer(optimizer))
    assert is_undecided(result), result.message
    assert says in result.message


def test_a_right_first_step_with_an_unknown_one_after_it_is_for_a_person() -> None:
    body = "optimizer.calls = getattr(optimizer, 'calls', 0) + 1\n" + PLAIN.replace(
        "loss_fn(OUT, y)", "loss_fn(OUT, y) ** optimizer.calls"
    )
    result = checked(function(body), NETWORKS["chain"], optimizer=_optimizer("sgd"))
    assert is_undecided(result), result.message
    assert "The first step is right, and the next is another one" in result.message


def test_a_loader_can_be_an_iterator() -> None:
    result = checked(function("x, y = next(loader)\n" + PLAIN, "model, loader, loss_fn, optimizer"), NETWORKS["chain"])
    assert is_undecided(result), result.message


OPTIMIZERS_ELSEWHERE = {
    "an attribute of an object": (
        "class Run: pass\nrun = Run()\nrun.optimizer = optimizer\ndel optimizer\n",
        "run.optimizer",
    ),
    "a dictionary": ("parts = {'optimizer': optimizer}\ndel optimizer\n", "parts['optimizer']"),
}


@pytest.mark.parametrize("way", OPTIMIZERS_ELSEWHERE)
def test_an_optimizer_forgets_and_remembers_its_training_wherever_it_is(way: str) -> None:
    head, name = OPTIMIZERS_ELSEWHERE[way]
    trained = "model(torch.ones(4, 6)).sum().backward()\noptimizer.step()\nschedule.step()\n"
    adam = "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\nschedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)\n"
    loop = function(f"optimizer = {name}\n{PLAIN}", "model, x, y, loss_fn")
    names = run(
        f"{adam}{trained}{head}{loop}\nstate = lambda: str({name}.state_dict())\nbefore = state()", NETWORKS["chain"]
    )
    result = check_of(names, NETWORKS["chain"], optimizer="adam")
    assert result.fraction == 1, result.message
    assert names["state"]() == names["before"]


def test_an_optimizer_in_a_partial_forgets_its_training() -> None:
    adam = "import functools\nwhole = step\nused = torch.optim.Adam(model.parameters(), lr=0.001)\n"
    trained = "model(torch.ones(4, 6)).sum().backward()\nused.step()\nstep = functools.partial(whole, optimizer=used)\ndel used"
    result = checked(
        f"{function(PLAIN)}\n{adam}{trained}",
        NETWORKS["chain"],
        optimizer="adam",
        takes=["model", "inputs", "labels", "loss"],
    )
    assert result.fraction == 1, result.message


@pytest.mark.parametrize("from_logits", [True, False])
def test_labels_of_whole_numbers_are_floats_for_a_loss_of_floats(from_logits: bool) -> None:
    network = "nn.Linear(6, 1)" if from_logits else "nn.Sequential(nn.Linear(6, 1), nn.Sigmoid())"
    loop = function(PLAIN.replace("OUT", "model(x).squeeze(1)"), "model, x, y, loss_fn, optimizer")
    numbers = Network(network, TABLE, CLASSES % 2, frozenset(["numbers"]))
    for parameters in (loop, loop.replace("loss_fn, ", "").replace("loss_fn(", "F.mse_loss(")):
        loss = "binary_crossentropy" if "loss_fn" in parameters else "mse"
        result = checked(parameters, numbers, loss=loss, from_logits=from_logits and loss != "mse")
        assert result.fraction == 1, result.message


def test_labels_of_a_loader_are_floats_for_a_loss_of_floats() -> None:
    numbers = Network("nn.Linear(6, 1)", TABLE, CLASSES % 2, frozenset(["numbers"]))
    loop = epoch("", PLAIN.replace("OUT", "model(x).squeeze(1)"), "model, loader, loss_fn, optimizer")
    assert checked(loop, numbers, loss="binary_crossentropy", from_logits=True).fraction == 1


def test_an_empty_loop_over_a_loader_earns_nothing_of_a_chaotic_model() -> None:
    """Rounding may move its last weights as far as both steps do, so that any weights would fit."""
    import numpy as np
    import torch

    class Chaotic(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(6, 3)

        def forward(self, x: Any) -> Any:
            factor = torch.exp(12 * torch.sin(1.05e7 * self.linear.weight.sum())).detach()
            scores = self.linear(x)
            return scores + (factor * scores - (factor * scores).detach())

    def empty(model: Any, loader: Any) -> None:
        """Take no step."""

    rows, labels = np.random.default_rng(1).normal(size=(64, 6)), np.random.default_rng(2).integers(0, 3, 64)
    batch = rows.astype("float32"), labels
    result = recorded(lambda: check.training_step(empty, Chaotic(), batch, from_logits=True, optimizer="sgd"))
    assert result.fraction == 0
    assert is_undecided(result)
    assert "Rounding" in result.message


SEVERAL = """
class Returns(nn.Module):
    def __repr__(self):
        return "RETURNED"
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(6, 8), nn.Linear(8, 3)
    def forward(self, x):
        hidden = torch.relu(self.hidden(x))
        return RETURNED
model = Returns()
"""


@pytest.mark.parametrize(
    ("returned", "number", "waits"),
    [
        ("self.out(hidden), hidden", 0, False),
        ("hidden, self.out(hidden)", 1, True),
        ("self.out(hidden), None", 0, False),
    ],
)
def test_a_right_step_with_another_output_than_the_first_is_for_a_person(
    returned: str, number: int, waits: bool
) -> None:
    loop = function(PLAIN.replace("OUT", f"model(x)[{number}]"))
    result = checked(SEVERAL.replace("RETURNED", returned) + loop, NETWORKS["chain"])
    assert (result.fraction, is_undecided(result)) == (0 if waits else 1, waits), result.message


def test_a_slip_with_the_first_of_several_outputs_fails() -> None:
    loop = function(PLAIN.replace("OUT", "model(x)[0]").replace("optimizer.zero_grad()", ""))
    result = checked(SEVERAL.replace("RETURNED", "self.out(hidden), hidden") + loop, NETWORKS["chain"])
    assert (result.fraction, is_undecided(result)) == (0, False), result.message


CLIPPED = PLAIN.replace("optimizer.step()", "nn.utils.clip_grad_norm_(model.parameters(), 0.05)\noptimizer.step()")
SCHEDULED = (
    "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: [1, 0.5][n % 2])\nscheduler.step()\n"
    + function(PLAIN + "scheduler.step()", "model, x, y, loss_fn")
)


@pytest.mark.parametrize("name", ["chain", "normalized"])
def test_clipping_that_the_test_asks_for_is_right_and_its_lack_is_named(name: str) -> None:
    assert checked(function(CLIPPED), NETWORKS[name], clip_norm=0.05).fraction == 1
    missing = checked(function(PLAIN), NETWORKS[name], clip_norm=0.05)
    assert (missing.fraction, missing.message) == (0, "the gradients are not clipped to a norm of 0.05")


@pytest.mark.parametrize("name", ["chain", "normalized"])
def test_a_schedule_that_the_test_asks_for_is_right_and_its_lack_is_named(name: str) -> None:
    """A scheduler of the notebook begins anew for the steps, whatever has moved it before."""
    assert checked(SCHEDULED, NETWORKS[name], schedule=(1, 0.5)).fraction == 1
    missing = checked(function(PLAIN), NETWORKS[name], schedule=(1, 0.5))
    assert (missing.fraction, missing.message) == (0, "the learning rate does not follow the schedule")


DROPPING = Network(
    "nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))",
    TABLE,
    CLASSES,
    frozenset(["classes"]),
)
IN_PARTS = """
optimizer.zero_grad()
for part in (slice(8, 16), slice(0, 8)):
    (loss_fn(model(x[part]), y[part]) / 2).backward()
optimizer.step()
"""
COMPILED = """
compiled = torch.compile(model, backend="aot_eager_decomp_partition")
optimizer.zero_grad()
loss_fn(compiled(x), y).backward()
optimizer.step()
"""


@pytest.mark.parametrize("body", [IN_PARTS, COMPILED])
def test_a_step_that_drops_other_numbers_than_a_plain_one_is_taken_again_without_dropout(body: str) -> None:
    result = checked(function(body), DROPPING)
    assert result.fraction == 1, result.message


WITHOUT_DROPOUT = {
    "parts that are not averaged": (IN_PARTS.replace(" / 2", ""), "the gradients of a batch count twice"),
    "parts in evaluation mode": ("model.eval()\n" + IN_PARTS, "evaluation mode"),
    "gradients that add up": (
        IN_PARTS.replace("optimizer.zero_grad()", ""),
        "the gradients of earlier batches are added",
    ),
}


@pytest.mark.parametrize(("body", "says"), WITHOUT_DROPOUT.values(), ids=WITHOUT_DROPOUT)
def test_a_slip_is_found_without_dropout_too(body: str, says: str) -> None:
    result = checked(function(body), DROPPING, optimizer=_optimizer("sgd"))
    assert (result.fraction, is_undecided(result)) == (0, False), result.message
    assert says in result.message


def test_a_batch_in_parts_of_a_network_with_dropout_and_statistics_is_for_a_person() -> None:
    """Its steps are others without dropout, too."""
    result = checked(function(IN_PARTS), NETWORKS["normalized"])
    assert is_undecided(result), result.message


def test_a_dropout_of_the_steps_own_is_for_a_person() -> None:
    result = checked(function(PLAIN.replace("OUT", "model(F.dropout(x, 0.4))")), DROPPING)
    assert is_undecided(result), result.message


def test_the_rates_of_dropouts_are_as_before_a_step_without_them() -> None:
    names = run(function(IN_PARTS), DROPPING)
    check_of(names, DROPPING)
    assert names["model"][2].p == 0.3
