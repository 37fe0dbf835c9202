"""Which numbers of a graph count beside its parameters, and what a network may hold because the solution's does."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import ROWS, network_of
from helpers.torch_modules import module as module_of

from autograder import check
from autograder.check.asking import asked_by
from autograder.examiner.permissions import Observer, Permissions
from autograder.extensions.networks.settings import information, progression
from autograder.records.checks import is_undecided
from autograder.records.observations import Act, Fact, Observations

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")


# --- literals ------------------------------------------------------------------------------------------------


def test_each_parameter_of_an_operator_counts_unless_it_is_listed_as_free() -> None:
    """Of a new operator, whatever PyTorch's signature has beside axes, shapes and flags counts without a line here."""
    from autograder.extensions.pytorch import graph_numbers
    from autograder.extensions.pytorch.kernel_side.torch_operators import OPERATORS
    from autograder.extensions.pytorch.operator_graph import overload

    known = {
        argument.name: str(argument.type)
        for operator in OPERATORS
        if (function := overload(operator)) is not None
        for argument in function._schema.arguments
    }
    assert graph_numbers._FREE <= set(known)
    assert all("float" not in known[name] and "number" not in known[name] for name in graph_numbers._FREE)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [(range(40), 2), (range(0, 400, 8), 2), ([1, 2, 4, 8, 16], 2), ([-2, -4, -8], 2), ([3], 1), ([3, 9, 11, 40], 4)],
)
def test_a_progression_is_two_numbers(numbers: Any, said: int) -> None:
    assert progression(set(numbers)) == said


def test_a_value_that_comes_again_says_only_which_it_is() -> None:
    assert information([[0.5] * 100]) == 1
    assert information([[0.5, 0.04, 0.8] * 12]) == 3 + 4
    assert information([list(range(40))]) == 40
    assert information([[float(n % 16) for n in range(129)]]) > 32


# --- layers that PyTorch does not find ------------------------------------------------------------------------


def listed(kind: Any) -> Any:
    """A network whose two layers stand in a container that the function makes of them."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = kind([nn.Linear(4, 16), nn.Linear(16, 4)])

        def forward(self, x: Any) -> Any:
            for layer in self.layers.values() if isinstance(self.layers, dict) else self.layers:
                x = torch.relu(layer(x))
            return x

    return Net()


COUNT = 4 * 16 + 16 + 16 * 4 + 4
SLIP = "layers stand in a Python list or dict, where PyTorch does not find their weights; use nn.ModuleList"


@pytest.mark.parametrize("kind", [list, tuple, lambda layers: dict(enumerate(layers))])
def test_layers_in_a_python_list_are_no_parameters_and_the_message_says_why(kind: Any) -> None:
    for limit in ({"exactly": COUNT}, {"at_least": COUNT - 10}):
        result = recorded(lambda limit=limit: check.parameters(network_of(listed(kind), ROWS), **limit))
        assert (result.fraction, is_undecided(result)) == (0, False)
        assert SLIP in result.message


def test_an_exact_number_of_found_layers_passes() -> None:
    from torch import nn

    assert recorded(lambda: check.parameters(network_of(listed(nn.ModuleList), ROWS), exactly=COUNT)).fraction == 1


def test_other_checks_name_the_slip() -> None:
    network = network_of(listed(list), ROWS)
    given = {"on": (ROWS, np.arange(6) % 4), "holdout": (ROWS, np.arange(6) % 4), "epochs": 1, "below": 9.0}
    result = recorded(lambda: check.retrained(network, **given, from_logits=True, seeds=1, close_calls="exact"))
    assert is_undecided(result)
    assert SLIP[1:] in result.message
    pattern = [check.layer("Linear", out_features=16), check.layer("Linear", out_features=4)]
    assert SLIP in recorded(lambda: check.architecture(network, pattern)).message


def test_a_list_of_layers_that_pytorch_has_elsewhere_is_no_slip() -> None:
    from torch import nn

    first, second = nn.Linear(4, 8), nn.Linear(8, 4)
    module = module_of(lambda own, x: own.order[1](own.order[0](x).relu()), first=first, second=second)
    module.order = [first, second]
    assert not network_of(module, ROWS).slip


# --- constants that the solution holds, too -------------------------------------------------------------------


def fourier(frequencies: int, seed: int = 0) -> Any:
    """A network behind sines and cosines of fixed random frequencies."""
    import torch
    from torch import nn

    module = module_of(
        lambda own, x: own.out(torch.cat([torch.sin(x @ own.by), torch.cos(x @ own.by)], 1)),
        out=nn.Linear(2 * frequencies, 3),
    )
    module.register_buffer("by", torch.randn(4, frequencies, generator=torch.Generator().manual_seed(seed)))
    return module


LABELS = np.arange(6) % 3


def counted(network: Any) -> Any:
    return check.parameters(network, exactly=99, name="size")


def trained(network: Any) -> Any:
    given = {"on": (ROWS, LABELS), "holdout": (ROWS, LABELS), "epochs": 1, "below": 99.0, "close_calls": "exact"}
    return check.retrained(network, **given, from_logits=True, seeds=1, name="again")


@pytest.mark.parametrize("ask", [counted, trained])
def test_a_network_may_hold_as_many_constants_as_the_solution(ask: Any) -> None:
    observer = Observer()
    observer.begin("test", "")
    with asked_by("test", observer.constants):
        assert recorded(lambda: ask(network_of(fourier(16), ROWS))).fraction == 1
    assert {fact.act for fact in observer.observations.facts} == {Act.KEEPS}
    students = Permissions(observer.observations)
    students.begin("test", "")
    with asked_by("test", students.constants):
        assert recorded(lambda: ask(network_of(fourier(16, seed=1), ROWS))).fraction == 1
    with asked_by("test", Permissions(Observations()).constants):
        assert is_undecided(recorded(lambda: ask(network_of(fourier(16), ROWS))))


def test_an_exact_number_may_count_the_constants_of_the_solution() -> None:
    students = Permissions(Observations.of([Fact(Act.KEEPS, "test size", "64")]))
    students.begin("test", "")
    with asked_by("test", students.constants):
        count = lambda: check.parameters(network_of(fourier(16), ROWS), exactly=99 + 64, name="size")  # noqa: E731
        assert recorded(count).fraction == 1
    assert recorded(count).fraction == 0


def test_more_constants_than_the_solution_held_wait_for_a_person() -> None:
    students = Permissions(Observations.of([Fact(Act.KEEPS, "test again", "64")]))
    students.begin("test", "")
    with asked_by("test", students.constants):
        assert recorded(lambda: trained(network_of(fourier(16), ROWS))).fraction == 1
        assert is_undecided(recorded(lambda: trained(network_of(fourier(17), ROWS))))
