"""What a page says of the mistakes of a first month with PyTorch, so that a student can act on it."""

from __future__ import annotations

import importlib.util

import pytest
from extensions.pytorch.first_month import CALLED, CNN, LOOP, MISTAKES, NET, OF_CNN, Mistake
from helpers.torch_notebook import page

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]


def right(mistake: Mistake) -> str:
    """The instructor's answer to the same test."""
    if mistake.test.startswith(OF_CNN[:40]) and "Conv2d" in mistake.test:
        return CNN
    extra = "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n" if "optimizer(" in mistake.test else ""
    return (NET + LOOP if "train_step" in mistake.test else CALLED) + extra


@pytest.mark.parametrize("name", MISTAKES)
def test_the_page_says_what_is_wrong(name: str) -> None:
    mistake = MISTAKES[name]
    said = page(mistake.answer, mistake.test, solution=right(mistake))
    assert mistake.says in said.message
    assert (said.points, said.undecided) == (0, mistake.waits)


def test_there_are_forty_and_a_student_can_act_on_most() -> None:
    assert len(MISTAKES) >= 40
    assert sum(mistake.helps for mistake in MISTAKES.values()) >= 36
