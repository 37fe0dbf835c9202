"""What a test does in vain with tensors of the student's code is named at the release, with the ways that work."""

from __future__ import annotations

import ast

import pytest

from autograder.lint.student_tensors import of_tensors


@pytest.mark.parametrize(
    "source",
    [
        "loss(w, x).backward()",
        "out = model(x)\nout.sum().backward()\ncheck.close(w.grad, 2)",
        "torch.autograd.gradcheck(loss, (w,))",
        "gradcheck(loss, (w,))",
        "torch.autograd.grad(loss(w, x), w)",
        "value = loss(w, x)\ng = torch.autograd.grad(value, w)",
        "torch.func.grad(loss)(w)",
        "for p in model.parameters():\n    p.data.fill_(1.0)",
        "for name, p in model.named_parameters():\n    with torch.no_grad():\n        p *= 2",
    ],
)
def test_what_tensors_of_the_students_cannot_do_is_named(source: str) -> None:
    found = list(of_tensors(ast.parse(source), {"loss", "model"}))
    assert len(found) == 1


@pytest.mark.parametrize(
    "source",
    [
        "(w ** 3).sum().backward()\ncheck.close(grad(cube, w), w.grad)",
        "o = Adam([w])\n(w ** 2).sum().backward()\no.step()",
        "check.close(student.backward(3), 4)",
        "for p in student.parameters():\n    total += p.numel()",
        "for p in reference.parameters():\n    p.data.fill_(1.0)",
        "check.close(loss(w, x), 3)\nF.mse_loss(w, x).backward()",
    ],
)
def test_other_gradients_are_not(source: str) -> None:
    students = {"loss", "grad", "cube", "student", "Adam"}
    assert not list(of_tensors(ast.parse(source), students))
