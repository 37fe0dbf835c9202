"""A module is described at its test cell, by the shapes with which the notebook called it: so messages can be shown."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import weakref
from typing import Any

import pytest
from extensions.pytorch.first_month import CALLED, COUNT, LAYERS, NET
from helpers.torch_notebook import page, pages

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
WRONG = CALLED.replace("16, 4", "16, 3")
WITHOUT_SHAPE = LAYERS.replace(", input_shape=(12,)", "")
SAYS = "layer 2: Linear with out_features 3, expected 4"


@pytest.fixture
def watch() -> Any:
    module = importlib.import_module("autograder.extensions.pytorch.kernel_side.watch")
    importlib.import_module("torch")
    before = module.remove()
    module.install()
    yield module
    module.remove()
    if before:
        importlib.import_module("_kernel_agent.extensions.pytorch.kernel_side.watch").install()


@pytest.mark.parametrize("test", [LAYERS, WITHOUT_SHAPE])
@pytest.mark.parametrize("answer", [WRONG, WRONG.replace("\nmodel(X)", "")], ids=["called", "never called"])
def test_a_student_reads_what_differs(answer: str, test: str) -> None:
    assert SAYS in page(answer, test, solution=CALLED).message


CONVOLUTIONS = """model = nn.Sequential(nn.Conv1d(12, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 4))
"""
WORDS = """class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.out = nn.Embedding(9, 6), nn.Linear(6, 4)
    def forward(self, x, targets=None):
        scores = self.out(self.words(x).mean(1))
        return scores if targets is None else F.cross_entropy(scores, targets)
model = Words()
"""
ATTENTION = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 12)
    def forward(self, q, k, v, mask=None):
        s = self.q(q) @ self.k(k).transpose(-2, -1)
        if mask is not None:
            s = s.masked_fill(mask == 0, -1e9)
        return torch.softmax(s, -1) @ self.v(v)
model = Net()
S = torch.randn(3, 5, 12)
model(S, S, S)
model(S, S, S, mask=torch.tril(torch.ones(5, 5)))
"""


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (CONVOLUTIONS + "for n in (7, 9, 9):\n    model(torch.randn(2, 12, n))", 168),
        (WORDS + "t = torch.zeros(3, 5, dtype=torch.long)\nfor _ in range(3): model(t, y[:3])\nmodel(t[:, :1])", 82),
        (ATTENTION, 468),
        (NET + "nn.DataParallel(model)(X)", 276),
        (NET + "model = torch.compile(model, backend='eager')\nmodel(X)", 276),
        (NET + "trainer = type('Trainer', (), {'net': model})()\ntrainer.net.to('cpu')(X)", 276),
    ],
    ids=["several lengths", "labels, too", "a mask that is None", "wrapped", "compiled", "in an object"],
)
def test_no_shape_is_needed_where_the_notebook_called_the_module(answer: str, count: int) -> None:
    said = page(answer, f"check.parameters(model, exactly={count + 1})", solution=answer)
    assert f"{count} parameters" in said.message
    assert not said.undecided


def test_a_module_that_nothing_has_called_yet_is_counted_by_the_inputs_of_the_solutions() -> None:
    """A student who calls it first in the next cell, to train it, did nothing else than the solution did."""
    called = CONVOLUTIONS + "model(torch.randn(2, 12, 9))"
    for answer, count in ((CONVOLUTIONS, 168), (CONVOLUTIONS.replace("4, 3, padding=1", "4, 5"), 264)):
        said = page(answer, "check.parameters(model, at_most=200)", solution=called)
        assert f"{count} parameters, at most 200 asked" in said.detail
        assert not said.undecided
        assert (said.points > 0) == (count < 200)
    unknown = page(CONVOLUTIONS.replace("12, 4", "13, 4"), "check.parameters(model, at_most=200)", solution=called)
    assert unknown.undecided or not unknown.points


def test_a_module_that_was_changed_since_its_call_is_described_as_it_is_at_the_cell() -> None:
    answer = CALLED + "model.out = nn.Linear(16, 3)\n"
    assert SAYS in page(answer, LAYERS, solution=CALLED, after="model.out = nn.Linear(16, 4)").message


def test_what_a_test_makes_of_a_module_is_what_it_measures() -> None:
    test = (
        "for layer in (model.hidden, model.out):\n    layer.weight.data.fill_(0.0)\n    layer.bias.data.fill_(0.0)\n"
        "check.loss(model, on=(X.numpy(), y.numpy()), below=1.39, from_logits=True)"
    )
    assert page(CALLED.replace("self.out(F", "5 + 9 * self.out(F"), test).points == 1  # a loss of log 4


def test_a_person_and_the_student_read_why_a_module_is_only_asked() -> None:
    answer = CALLED.replace("return self", "if x.sum() > 0:\n            x = x + 1\n        return self")
    said = page(answer, LAYERS, solution=CALLED)
    assert said.undecided
    assert "decides by the values of its data" in said.message
    assert "decides by the values of its data" in said.detail


RAISING = {
    "numbers of another size": ("12, 16", "10, 16"),
    "a view of a fixed size": ("self.hidden(x)", "self.hidden(x.view(64, -1))"),
    "nothing returned": ("return self", "self"),
    "an undefined name": ("F.relu(", "relu("),
    "an own complaint": ("return self", "if x.shape[1] != 13: raise ValueError('13 numbers')\n        return self"),
}


@pytest.mark.parametrize("slip", RAISING.values(), ids=RAISING)
def test_a_module_that_cannot_be_called_on_the_rows_that_a_check_names_fails(slip: tuple[str, str]) -> None:
    answer = NET.replace(*slip)
    asked = (
        "rows = (X.numpy(), y.numpy())\ncheck.retrained(model, on=rows, holdout=rows, epochs=1, below=1.0, "
        "from_logits=True, loss='categorical_crossentropy')"
    )
    for said in pages(answer, LAYERS, asked, solution=CALLED):
        assert (said.points, said.undecided) == (0, False), said
        assert "cell 2, line" in said.message or "returns no tensor" in said.message


HONEST = {
    "rows of probabilities": "assert torch.allclose(x.sum(1), torch.ones(len(x)), atol=1e-3)",
    "whole numbers from 1": "assert int(x.min()) >= 1 and not x.is_floating_point()\n        x = x.float()",
    "sorted rows": "if not bool((x.diff(dim=1) >= 0).all()): raise ValueError('not sorted')",
}


@pytest.mark.parametrize("line", HONEST.values(), ids=HONEST)
def test_a_module_that_looks_at_values_is_for_a_person(line: str) -> None:
    """It may be right on the rows that it is for."""
    said = page(NET.replace("return self", f"{line}\n        return self"), LAYERS, solution=CALLED)
    assert said.undecided, said


def test_shapes_of_weights_that_differ_are_told_of_what_a_cell_left() -> None:
    same = (
        "check.computes(model, like=nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4)), input_shape=(12,))"
    )
    said = page(CALLED.replace("12, 16", "12, 16, bias=False"), same, solution=CALLED)
    assert "no weights of the shape (16,)" in said.message
    assert (
        "of the shape" not in page(CALLED.replace("12, 16", "12, 16, bias=False"), same[:-1] + ", show=False)").message
    )


def test_a_module_that_is_mended_after_a_check_does_not_fail_by_it() -> None:
    """Its shape is not known afterwards, so that a person decides of its parameters."""
    picture = "nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear({}, 2))"
    test = (
        "rows = np.zeros((4, 1, 4, 4), 'float32')\ncheck.loss(model, on=(rows, np.zeros(4, int)), below=9, from_logits=True)\n"
        "model[2] = nn.Linear(8, 2)\ncheck.parameters(model, exactly=38)"
    )
    said = page(f"model = {picture.format(9)}", test)
    assert "parameters: The model does not accept" not in said.message, said.message


def test_calls_are_counted_without_a_hold_on_module_or_rows(watch: Any) -> None:
    import torch
    from torch import nn

    model, rows = nn.Sequential(nn.Linear(4, 2)), torch.ones(3, 4)
    for _ in range(3):
        model(rows)
    model(torch.ones(2, 4))
    assert watch.called_shapes(model) == [{"shape": [4], "dtype": ""}]
    held = weakref.ref(model), weakref.ref(rows)
    del model, rows
    gc.collect()
    assert [reference() for reference in held] == [None, None]


def test_the_commonest_form_of_a_call_comes_first(watch: Any) -> None:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Conv1d(2, 2, 1))
    for length in (5, 7, 7, 6):
        model(torch.ones(3, 2, length))
    assert [form["shape"] for form in watch.called_shapes(model)] == [[2, 7], [2, 6], [2, 5]]


def test_a_class_without_a_hash_and_traces_are_as_without_a_watch(watch: Any) -> None:
    import torch
    from torch import nn

    class Odd(nn.Sequential):
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

    assert Odd(nn.Linear(4, 2))(torch.ones(3, 4)).shape == (3, 2)
    model = nn.Sequential(nn.Linear(4, 2))
    assert torch.jit.trace(model, torch.ones(3, 4))(torch.ones(5, 4)).shape == (5, 2)
    assert torch.compile(model, backend="eager", fullgraph=True)(torch.ones(3, 4)).shape == (3, 2)


def test_a_module_that_only_a_strict_export_reads_is_read_all_the_same() -> None:
    answer = "class Own(nn.Linear):\n    def forward(self, x):\n        return super().forward(x.view(len(x), -1))\nmodel = Own(5, 3)\n"
    said = page(answer + "model(torch.ones(9, 5))", "check.parameters(model, exactly=19)")
    assert "18 parameters, exactly 19 asked" in said.message


def test_parameters_are_told_without_a_check_before() -> None:
    assert "259 parameters, exactly 276 asked" in page(WRONG, COUNT, solution=CALLED).message
