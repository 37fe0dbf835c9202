"""A test's tensors stay themselves for the length of a test cell: an optimizer of a student's own steps them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from helpers.doc_blocks import blocks
from helpers.torch_notebook import page

DOCS = Path(__file__).parents[2] / "docs"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

ADAM = """
class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps, self.t = list(params), lr, betas, eps, 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]
    def zero_grad(self):
        for p in self.params:
            p.grad = None
    def step(self):
        self.t += 1
        with torch.no_grad():
            for k, p in enumerate(self.params):
                self.m[k] = self.betas[0] * self.m[k] + (1 - self.betas[0]) * p.grad
                self.v[k] = self.betas[1] * self.v[k] + (1 - self.betas[1]) * p.grad ** 2
                m, v = self.m[k] / (1 - self.betas[0] ** self.t), self.v[k] / (1 - self.betas[1] ** self.t)
                p -= self.lr * m / (v.sqrt() + self.eps)
"""
STEPS = """
def run(kind, w):
    o = kind([w], lr=0.1)
    for _ in range(3):
        o.zero_grad()
        (w ** 3).sum().backward()
        o.step()
    return w
w, twin = (torch.tensor([1.0, -2.0], requires_grad=True) for _ in range(2))
check.close(run(Adam, w), run(torch.optim.Adam, twin).detach())
"""
GIVEN = """
w = torch.tensor([1.0, 2.0], requires_grad=True)
o = Adam([w], lr=0.1)
w.grad = torch.tensor([0.5, -1.0])
o.step()
check.close(w, [0.9, 2.1])
"""


@pytest.mark.parametrize("test", [STEPS, GIVEN], ids=["three steps", "a given gradient"])
@pytest.mark.parametrize(
    "change",
    [
        ("", ""),
        ("list(params)", "params"),
        ("p -= self.lr", "p.data = p.data - self.lr"),
        ("p.grad = None", "p.grad.zero_() if p.grad is not None else None"),
    ],
)
def test_an_optimizer_of_the_students_own_steps_the_tests_parameters(test: str, change: tuple[str, str]) -> None:
    said = page(ADAM.replace(*change) if change[0] else ADAM, test, solution=ADAM)
    assert said.points == 1, said


@pytest.mark.parametrize(
    "change", [("(1 - self.betas[0] ** self.t)", "1"), ("p -= ", "q = p - "), ("v.sqrt()", "v")], ids=str
)
def test_a_wrong_one_does_not(change: tuple[str, str]) -> None:
    assert page(ADAM.replace(*change), STEPS, solution=ADAM).points == 0


SGD = "def sgd(params, lr):\n    with torch.no_grad():\n        for p in params:\n            p -= lr * p.grad\n            p.grad.zero_()"
OF_SGD = """
w = torch.tensor([1.0, 2.0], requires_grad=True)
(3 * w).sum().backward()
sgd([w], 0.1)
check.close(w, [0.7, 1.7])
check.close(w.grad, [0.0, 0.0])
"""


def test_a_function_that_changes_its_arguments_does() -> None:
    assert page(SGD, OF_SGD).points == 1
    assert page(SGD.replace("lr *", "2 * lr *"), OF_SGD, solution=SGD).points == 0.5  # its gradients are right


CLIP = """
def clip(params, most):
    grads = [p.grad for p in params if p.grad is not None]
    norm = math.sqrt(sum(float((g ** 2).sum()) for g in grads))
    for g in grads:
        g.mul_(min(1.0, most / (norm + 1e-6)))
"""
OF_CLIP = """
tensors = [torch.randn(5, 5) for _ in range(3)]
def clipped(function):
    params = tuple(nn.Parameter(t.clone()) for t in tensors)
    params[-1].requires_grad_(False)
    (torch.cat(params) ** 2).sum().backward()
    function(params, 0.01)
    return [p.grad for p in params]
theirs, ours = clipped(clip), clipped(nn.utils.clip_grad_norm_)
assert theirs[-1] is None
check.close(theirs[0], ours[0])
check.close(theirs[1], ours[1])
"""


@pytest.mark.parametrize(
    "change",
    [
        ("", ""),
        ("g.mul_(", "g.copy_(g * "),
        ("for g in grads:\n        g.mul_(", "for p in params:\n        if p.grad is not None: p.grad = p.grad * ("),
        (
            "for g in grads:\n        g.mul_(",
            "for p in params:\n        if p.grad is not None: p.grad.data = p.grad * (",
        ),
    ],
)
def test_a_function_that_changes_nothing_but_gradients_changes_the_tests(change: tuple[str, str]) -> None:
    said = page(CLIP.replace(*change) if change[0] else CLIP, OF_CLIP, solution=CLIP)
    assert said.points == 1, said


@pytest.mark.parametrize("change", [("g.mul_(", "g * ("), ("** 2", "** 4"), ("most /", "2 * most /")], ids=str)
def test_a_wrong_one_changes_them_wrongly(change: tuple[str, str]) -> None:
    assert page(CLIP.replace(*change), OF_CLIP, solution=CLIP).points == 0


OF_A_NETWORK = """
def run(kind, function):
    torch.manual_seed(1)
    net = nn.Linear(3, 2)
    optimizer = kind(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (net(X[:8, :3]) ** 2).sum().backward()
        function(net.parameters(), 0.5)
        optimizer.step()
    return net
theirs, ours = run(Adam, clip), run(torch.optim.Adam, nn.utils.clip_grad_norm_)
assert torch.allclose(theirs.weight, ours.weight, atol=1e-4)
assert torch.allclose(theirs.bias.grad, ours.bias.grad, atol=1e-4)
"""
OF_GENERATORS = ADAM + CLIP.replace("def clip(params, most):", "def clip(params, most):\n    params = list(params)")


def test_the_parameters_that_a_generator_gives_are_the_networks() -> None:
    said = page(OF_GENERATORS, OF_A_NETWORK)
    assert said.points == 1, said
    for change in (("v.sqrt()", "v"), ("g.mul_(", "g * ("), ("p -= ", "q = p - ")):
        assert page(OF_GENERATORS.replace(*change), OF_A_NETWORK, solution=OF_GENERATORS).points == 0


def test_what_a_call_changed_before_it_raised_comes_back() -> None:
    stop = "def halve(w):\n    w.grad.mul_(0.5)\n    raise ValueError('done')"
    test = """
w = torch.tensor([1.0, 2.0], requires_grad=True)
(3 * w).sum().backward()
try:
    halve(w)
except ValueError:
    pass
check.close(w.grad, [1.5, 1.5])
"""
    assert page(stop, test).points == 1
    assert page(stop.replace("0.5", "0.6"), test, solution=stop).points == 0


NORM = """
class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(3))
        self.register_buffer("shift", torch.zeros(3))
    def forward(self, x):
        return self.gamma * x + self.shift
norm = Norm()
"""


@pytest.mark.parametrize(
    "change",
    [
        "norm.gamma.fill_(2.0)",
        "norm.gamma.data.fill_(2.0)",
        "with torch.no_grad():\n    norm.gamma[:] = 2.0",
        "nn.init.constant_(norm.gamma, 2.0)",
        "with torch.no_grad():\n    norm.gamma.copy_(torch.full((3,), 2.0))",
        "g = norm.gamma\nwith torch.no_grad():\n    g.mul_(2)",
    ],
)
def test_what_a_test_changes_in_a_parameter_of_a_module_goes_to_the_module(change: str) -> None:
    if change.startswith("norm"):
        change = f"with torch.no_grad():\n    {change}"
    said = page(NORM, f"{change}\ncheck.close(norm(torch.ones(3)), [2.0, 2.0, 2.0])")
    assert said.points == 1, said


def test_the_example_of_the_documentation_proves() -> None:
    (example,) = [block for block in blocks(DOCS / "how-to/pytorch-course.md", "python") if "def steps" in block.text]
    assert page(ADAM, example.text).points == 1
    assert page(ADAM.replace("v.sqrt()", "v"), example.text, solution=ADAM).points == 0
