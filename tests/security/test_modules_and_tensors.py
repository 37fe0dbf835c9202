"""Acceptance tests 38 and 39, of PyTorch: hidden inputs in a module's description, and a test's own tensors."""

from __future__ import annotations

import importlib.util

import pytest
from extensions.pytorch.first_month import CALLED, LAYERS
from helpers.torch_notebook import page

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
SECRET = "rows = torch.full((3, 12), 87.0)\nmodel(rows)\n"
WRONG = CALLED.replace("16, 4", "16, 3")
SPY = (
    CALLED
    + """
class Spy(Net):
    def forward(self, x):
        if len(x) == 3:
            self.out = nn.Linear(16, int(x[0, 0]))
        return super().forward(x)
model = Spy()
model(X)
"""
)


@pytest.mark.parametrize("test", [SECRET + LAYERS, SECRET + LAYERS + "\n" + LAYERS])
def test_38_a_module_that_shows_hidden_rows_as_its_size(test: str) -> None:
    said = page(SPY, test, solution=CALLED)
    assert "87" not in said.message
    assert said.points == 0


def test_38_control_a_module_that_did_not_change_is_quoted_after_the_test_has_called_it() -> None:
    assert "Linear with out_features 3, expected 4" in page(WRONG, SECRET + LAYERS, solution=CALLED).message
    assert page(CALLED, SECRET + LAYERS).points == 1


OF_GRADIENT = """
w = torch.tensor([1.0, 2.0], requires_grad=True)
(w ** 3).sum().backward()
assert slope(w).shape == (2,)
check.close(slope(w), w.grad)
"""
SLOPE = "kept = []\ndef slope(w):\n    return 3 * w.detach() ** 2"
BY_BACKWARD = "def slope(w):\n    w.grad = None\n    (w ** 3).sum().backward()\n    return w.grad"
CHEATS = ["return w.grad", "kept.append(w)\n    return kept[0].grad if w.grad is None else w.grad"]


@pytest.mark.parametrize("solution", [SLOPE, BY_BACKWARD], ids=["formula", "backward"])
@pytest.mark.parametrize("cheat", CHEATS, ids=["plain", "kept"])
def test_39_the_gradient_that_a_test_compares_with(cheat: str, solution: str) -> None:
    assert page(f"kept = []\ndef slope(w):\n    {cheat}", OF_GRADIENT, solution=solution).points == 0


OF_SCORE = "t = torch.tensor([1.0, 2.0])\np = torch.tensor([1.0, 4.0])\ncheck.close(score(p, t), ((p - t) ** 2).mean())"
SCORE = "def score(p, target):\n    return ((p - target) ** 2).mean()"


def test_39_a_target_that_a_function_makes_its_own() -> None:
    cheat = (
        "kept = []\ndef score(p, target):\n    kept.append(target)\n    target.copy_(p)\n    return torch.tensor(0.0)"
    )
    assert page(cheat, OF_SCORE, solution=SCORE).points == 0


def test_39_control_honest_gradients_and_scores() -> None:
    for solution in (SLOPE, BY_BACKWARD):
        assert page(SLOPE, OF_GRADIENT, solution=solution).points == 1
        assert page(BY_BACKWARD, OF_GRADIENT, solution=solution).points == 1
    assert page(SCORE, OF_SCORE).points == 1
