"""The agent's calls of a student's functions."""

from __future__ import annotations

from typing import Any

from autograder.kernel.server import Server


class _EqualToAll(type):
    def __eq__(cls, other: object) -> bool:
        return True

    __hash__ = type.__hash__


class _Endless(metaclass=_EqualToAll):
    def __getitem__(self, place: int) -> int:
        return place


def test_a_result_that_passes_for_an_endless_list_ends_the_call() -> None:
    result: Any = _Endless()
    assert Server({}).call(lambda rows: result, ([1],), {}) == (result, {}, {})
