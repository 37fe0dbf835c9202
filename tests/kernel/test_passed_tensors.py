"""Which tensors of a call live on or have changed, also where one call is made in the middle of another."""

from __future__ import annotations

import pytest

from autograder.kernel.passed_tensors import PassedTensors

torch = pytest.importorskip("torch")


def test_a_tensor_that_a_call_changed_is_kept() -> None:
    passed, changed, same = PassedTensors(), torch.zeros(2), torch.zeros(2)
    noted = passed.begin([changed, same])
    changed.add_(1)
    passed.end(noted)
    del same, noted
    assert passed.kept()[0] is changed
    assert passed.kept()[1] is None


def test_a_call_from_within_another_forgets_none_of_its_tensors() -> None:
    """A test's function that a student's calls may call the student's code again."""
    passed, outer, inner = PassedTensors(), torch.zeros(2), torch.zeros(3)
    noted = passed.begin([outer])
    within = passed.begin([inner])
    inner.add_(1)
    passed.end(within)
    assert [tensor.tolist() for tensor in passed.kept()] == [[1, 1, 1]]
    outer.add_(2)
    passed.end(noted)
    assert [tensor.tolist() for tensor in passed.kept()] == [[2, 2]]
