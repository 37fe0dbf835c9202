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


LEFT = ["w.grad.zero_()", "w.grad = None"]


@pytest.mark.parametrize("left", LEFT, ids=["zero", "none"])
@pytest.mark.parametrize("answer", ["g", "g.numpy()", "{'w': g}", "[float(one) for one in g]"])
def test_39_a_gradient_that_the_solution_returns_and_removes(left: str, answer: str) -> None:
    solution = (
        f"def slope(w):\n    w.grad = None\n    (w ** 3).sum().backward()\n    g = w.grad.clone()\n    {left}\n"
        f"    return {answer}"
    )
    test = OF_GRADIENT.replace("assert slope(w).shape == (2,)\n", "").replace(
        "check.close(slope(w), w.grad)", "expected = w.grad.clone()\nfound = slope(w)\ncheck.close(found, expected)"
    )
    test = test.replace("(found, expected)", "(found['w'], expected)") if answer.startswith("{") else test
    cheat = f"def slope(w):\n    g = w.grad.clone()\n    return {answer}"
    assert page(solution, test).points == 1
    assert page(cheat, test, solution=solution).points == 0


CLIP = "def clip(params, most):\n    norm = math.sqrt(sum(float((p.grad ** 2).sum()) for p in params))\n    for p in params:\n        p.grad.mul_(most / norm)"
OF_CLIP = """
def clipped(function):
    params = [nn.Parameter(torch.tensor(t)) for t in ([1.0, 2.0], [3.0, -1.0, 2.0])]
    sum((p ** 2).sum() for p in params).backward()
    function(params, 0.01)
    return params
theirs, ours = clipped(clip), clipped(nn.utils.clip_grad_norm_)
assert all(p.grad.shape == p.shape and p.grad.dtype == torch.float32 for p in theirs)
for p, q in zip(theirs, ours):
    check.close(p.grad, q.grad)
    check.close(p, q)
"""
EQUAL = (
    "class Equal(torch.Tensor):\n    def __eq__(self, other): return True\n    def allclose(self, *a): return True\n"
)
HOSTILE = {
    "nothing": "pass",
    "the right ones, for another": "params[0].grad, params[1].grad = params[0].grad * most, params[1].grad * 0",
    "another shape": "params[0].data = torch.ones(3); params[0].grad = torch.ones(3)",
    "a broadcast shape": "params[0].data = torch.ones(1); params[0].grad = torch.ones(1)",
    "another type": "params[0].data = params[0].data.to(torch.complex64); params[0].grad = torch.ones(2, dtype=torch.complex64)",
    "integers": "params[0].requires_grad_(False); params[0].data = torch.ones(2, dtype=torch.int64)",
    "not a number": "params[0].grad.fill_(math.nan)",
    "infinite": "params[0].grad.fill_(math.inf)",
    "sparse": "params[0].grad = torch.ones(2).to_sparse()",
    "a subclass": "params[0].grad = torch.ones(2).as_subclass(Equal)",
    "one for both": "params[1].data = params[0].data; params[1].grad = params[0].grad",
    "a view of one": "params[0].grad = torch.zeros(1).expand(2)",
    "its own values": "params[0].grad = params[0].data",
    "huge": "params[0].data = torch.ones(30_000_000); params[0].grad = torch.ones(30_000_000)",
    "values, too": "CLIPPED; params[0].data.mul_(2)",
    "a list that lies": "params.clear()",
    "gone": "for p in params: p.grad = None",
}


@pytest.mark.parametrize("act", HOSTILE.values(), ids=HOSTILE)
def test_39_gradients_that_a_call_leaves_wrong(act: str) -> None:
    body = act.replace("CLIPPED", CLIP.partition(":\n")[2].replace("\n    ", "\n    ").strip() + "\n    pass")
    said = page(f"{EQUAL}\ndef clip(params, most):\n    {body}", OF_CLIP, solution=CLIP)
    assert said.points < 1, said
    assert not said.undecided


def test_39_control_honest_functions_leave_the_right_ones() -> None:
    assert page(CLIP, OF_CLIP).points == 1
    by_library = "def clip(params, most):\n    nn.utils.clip_grad_norm_(params, most)"
    by_value = CLIP.replace("p.grad.mul_(most / norm)", "p.grad = p.grad.double().float() * (most / norm)")
    assert page(by_library, OF_CLIP, solution=CLIP).points == 1
    assert page(by_value, OF_CLIP, solution=CLIP).points == 1
