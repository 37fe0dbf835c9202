"""What a page says of the mistakes of a first month with PyTorch, so that a student can act on it."""

from __future__ import annotations

import importlib.util

import pytest
from extensions.pytorch.first_month import CALLED, CNN, CNN_CLASS, LOOP, MISTAKES, NET, OF_CLASS, Mistake
from helpers.torch_notebook import BEGIN, page

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]


def right(mistake: Mistake) -> str:
    """The instructor's answer to the same test."""
    if "Conv2d" in mistake.test:
        return CNN_CLASS if mistake.test == OF_CLASS else CNN
    extra = "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n" if "optimizer(" in mistake.test else ""
    return (NET + LOOP if "train_step" in mistake.test else CALLED) + extra


@pytest.mark.parametrize("name", MISTAKES)
def test_the_page_says_what_is_wrong(name: str) -> None:
    mistake = MISTAKES[name]
    said = page(mistake.answer, mistake.test, solution=right(mistake))
    assert mistake.says in said.message
    assert said.points < 1
    assert said.undecided is mistake.waits


def test_there_are_forty_and_a_student_can_act_on_most() -> None:
    assert len(MISTAKES) >= 40
    assert sum(mistake.helps for mistake in MISTAKES.values()) >= 0.9 * len(MISTAKES)


@pytest.mark.parametrize(
    "name", ["wrong size of the input", "no return", "foward", "forward without self", "layers in a plain list"]
)
def test_a_students_own_notebook_says_the_same_and_the_text_of_an_exception(name: str) -> None:
    mistake, names = MISTAKES[name], {"__name__": "__main__"}
    exec(BEGIN + mistake.answer.replace("model(X)\n", ""), names)
    with pytest.raises(AssertionError) as failed:
        exec(mistake.test, names)
    said = mistake.says.partition(" in cell")[0].removeprefix("parameters: ")
    assert said in str(failed.value)
    assert ("mat1 and mat2 shapes cannot be multiplied" in str(failed.value)) is ("RuntimeError" in said)


def test_a_notebook_says_why_a_module_cannot_be_read() -> None:
    mistake, names = MISTAKES["rows and columns exchanged"], {"__name__": "__main__"}
    exec(BEGIN + mistake.answer, names)
    with pytest.raises(AssertionError, match=mistake.says):
        exec(mistake.test, names)
