"""The pool of this machine, for executors that grade in several threads, too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.tiny import submit, tiny_course, tiny_release

from autograder.coordinator import batch, pool
from autograder.records.ending import GRADED


class FakeTemplates:
    """Templates that note which of them are open."""

    opened: list[FakeTemplates] = []  # noqa: RUF012

    def __init__(self, *_: Any, **__: Any) -> None:
        self.opened.append(self)

    def __enter__(self) -> FakeTemplates:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    cold = property(lambda self: {})
    serves = start_large = expect_kernels = lambda *_: True


@pytest.fixture
def works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(FakeTemplates, "opened", [])
    monkeypatch.setattr(pool, "Templates", FakeTemplates)
    monkeypatch.setattr(pool, "Examiners", lambda _: SimpleNamespace(examine=None, stop=lambda: None))
    monkeypatch.setattr(pool, "attempt", lambda *_: GRADED)
    course = tiny_course(tmp_path)
    submit(course, "ada")
    return batch.plan(course, tiny_release(course))


def test_what_was_started_ahead_is_used(works: list[Any]) -> None:
    with pool.prestart_templates(works):
        assert list(pool.in_processes(works, 1)) == [(works[0], GRADED)]
    assert len(FakeTemplates.opened) == 1


def test_a_thread_does_not_borrow_templates_that_another_one_may_close(works: list[Any]) -> None:
    with pool.prestart_templates(works), ThreadPoolExecutor(1) as other:
        assert other.submit(list, pool.in_processes(works, 1)).result() == [(works[0], GRADED)]
    assert len(FakeTemplates.opened) == 2
