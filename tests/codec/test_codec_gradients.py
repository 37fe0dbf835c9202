"""Gradients of PyTorch's tensors: from the notebook to a test, never the other way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.codec import CodecError, decode, encode
from autograder.records.checks import Outcome
from autograder.records.exam import Role

pytestmark = pytest.mark.integration
torch = pytest.importorskip("torch")


def leaf(dtype: object = torch.float32) -> object:
    tensor = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=dtype, requires_grad=True)
    (tensor**2).sum().backward()
    return tensor


@pytest.mark.parametrize("kind", ["float32", "float64", "bfloat16", "float16"])
def test_the_gradient_of_a_leaf_arrives(kind):
    value = leaf(getattr(torch, kind))
    for strict in (True, False):
        back = decode(*encode(value), strict=strict)
        np.testing.assert_array_equal(back.grad.double().numpy(), value.grad.double().numpy())
        assert back.grad.dtype == back.dtype
        assert back.requires_grad


def test_the_gradient_of_a_parameter_arrives():
    layer = torch.nn.Linear(3, 2)
    layer(torch.ones(1, 3)).sum().backward()
    back = decode(*encode(layer.weight), strict=True)
    assert type(back) is torch.Tensor
    assert torch.equal(back.grad, layer.weight.grad)
    assert type(decode(*encode(layer.weight))) is torch.nn.Parameter


def test_a_gradient_that_is_sparse_is_left_out():
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1, 1])).sum().backward()
    assert decode(*encode(table.weight), strict=True).grad is None


@pytest.mark.parametrize("kind", ["f4", "c8"])
def test_a_gradient_of_another_shape_or_kind_is_no_message(kind):
    value = leaf()
    written, odd = encode(value), encode(torch.from_numpy(np.ones((3, 2), kind)))
    tree, (_, _, (_, node, name, _), _) = json.loads(written.text), json.loads(odd.text)
    node[3] = len(written.buffers)
    tree[2][4] = ["torch", node, name, False]
    with pytest.raises(CodecError):
        decode(json.dumps(tree).encode(), [*written.buffers, *odd.buffers], strict=True)


@pytest.mark.parametrize("gradient", [3, [], ["torch"], ["torch", 1, None, False], ["torch", None, None, False, None]])
def test_a_malformed_gradient_is_no_message(gradient):
    written = encode(leaf())
    tree = json.loads(written.text)
    tree[2][4] = gradient
    with pytest.raises(CodecError):
        decode(json.dumps(tree).encode(), written.buffers, strict=True)


def test_a_test_reads_the_gradient_of_an_answer():
    exam = exam_of(
        (Role.READ_ONLY, "import torch"),
        (Role.ANSWER, "w = torch.tensor([1.0, 2.0], requires_grad=True)\n(w ** 2).sum().backward()"),
        (Role.TEST, "assert torch.equal(w.grad, torch.tensor([2.0, 4.0]))"),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED
    wrong = "w = torch.tensor([1.0, 2.0], requires_grad=True)\n(w ** 3).sum().backward()"
    assert graded(exam, cell1=wrong)[0].outcome is Outcome.FAILED


def test_the_gradient_that_a_test_computed_stays_there():
    """It may be the right answer."""
    exam = exam_of(
        (Role.READ_ONLY, "import torch"),
        (Role.ANSWER, "def gradient(x):\n    (x ** 2).sum().backward()\n    return x.grad"),
        (
            Role.TEST,
            "x = torch.tensor([1.0, 2.0], requires_grad=True)\n(x ** 2).sum().backward()\n"
            "assert torch.equal(gradient(x), x.grad)",
        ),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED
    assert graded(exam, cell1="def gradient(x):\n    return x.grad")[0].outcome is Outcome.FAILED


STEP = "def step(w, X, y):\n    with torch.no_grad():\n        w -= 0.1 * (2 * X.T @ (X @ w - y))"
MEASURED = (
    "w, X, y = torch.zeros(2), torch.eye(2) * 3, torch.ones(2)\nfor _ in range(40):\n    step(w, X, y)\n"
    "assert float(((X @ w - y) ** 2).mean()) < 0.01"
)


def test_a_call_changes_only_the_tensors_that_the_solution_changes() -> None:
    """Who sets the rows and the labels to 0 has no loss either."""
    exam = exam_of(
        (Role.READ_ONLY, "import torch"),
        (Role.ANSWER, STEP.replace("0.1", "0.05")),
        (Role.TEST, MEASURED),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED
    zeros = "def step(w, X, y):\n    X.zero_()\n    y.zero_()"
    assert graded(exam, cell1=zeros)[0].outcome is Outcome.FAILED
    both = STEP.replace("0.1", "0.05") + "\n    y.zero_()\n    w.zero_()"
    assert graded(exam, cell1=both)[0].outcome is Outcome.FAILED
