"""What a batch needs is started as early as it can be, and once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from tiny import submit, tiny_course, tiny_release

from autograder import batch, processes, servers, warm
from autograder.errors import SandboxError
from autograder.processes import starting
from autograder.sandbox.base import thread_settings
from autograder.warm import ahead, templates
from autograder.worker import Work


class Stage:
    """Stands for the templates, and writes down what became of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self.broken = False
        monkeypatch.setattr(warm, "_start", self.start)
        monkeypatch.setattr(warm, "require", lambda sandbox: self.events.append("proved"))
        monkeypatch.setattr(warm, "WarmSandbox", lambda *_, **__: None)

    @contextlib.contextmanager
    def start(self, work: Work) -> Iterator[Any]:
        if self.broken:
            raise SandboxError("no namespaces here")
        self.events.append(f"started {work.assignment.name}")
        yield warm._Started(work, self, self)
        self.events.append("ended")

    address = "address"

    def wait_until_ready(self) -> None:
        self.events.append("ready")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


@pytest.fixture
def works(tmp_path: Path) -> tuple[Work, ...]:
    course = tiny_course(tmp_path)
    for name in ("ada", "bob"):
        submit(course, name)
    return batch.plan(course, tiny_release(course))


def test_a_template_that_was_started_ahead_is_the_one_that_is_forked(stage: Stage, works: tuple[Work, ...]) -> None:
    """It is waited for and proved where it is needed first, once, and lives until the outer context ends."""
    with ahead(works):
        assert stage.events == ["started hw"]
        for due in (works, works[:1]):
            with templates(due) as warmed:
                assert warmed(works[1]).template == "address"
        assert stage.events == ["started hw", "ready", "proved"]
    assert stage.events[3:] == ["ended"]


def test_without_one_ahead_a_template_is_started_where_it_is_worth_it(stage: Stage, works: tuple[Work, ...]) -> None:
    with templates(works[:1]) as warmed:
        assert warmed(works[0]).template is None
    with templates(works) as warmed:
        assert warmed(works[0]).template == "address"
    assert stage.events == ["started hw", "ready", "proved", "ended"]


def test_nobody_waits_for_a_template_to_grade_from_kept_runs(stage: Stage, works: tuple[Work, ...]) -> None:
    with ahead(works), templates([replace(work, kept=True) for work in works]) as warmed:
        assert warmed(replace(works[0], kept=True)).template is None
    assert stage.events == ["started hw", "ended"]


def test_one_of_another_course_is_not_taken(stage: Stage, works: tuple[Work, ...], tmp_path: Path) -> None:
    elsewhere = [replace(work, course=tmp_path / "other") for work in works]
    with ahead(works), templates(elsewhere):
        assert stage.events == ["started hw", "started hw", "ready", "proved"]


def test_one_that_can_not_be_started_is_not_tried_again_and_the_log_says_why(
    stage: Stage, works: tuple[Work, ...]
) -> None:
    stage.broken = True
    works[0].batch_log.parent.mkdir(parents=True)
    with ahead(works), templates(works) as warmed:
        assert warmed(works[0]).template is None
    assert works[0].batch_log.read_text().count("no namespaces here") == 1


@pytest.mark.parametrize(("kept", "force", "begun"), [(False, False, True), (True, False, False), (True, True, True)])
def test_what_kept_runs_may_do_without_waits(
    stage: Stage, works: tuple[Work, ...], monkeypatch: pytest.MonkeyPatch, kept: bool, force: bool, begun: bool
) -> None:
    """Templates, and the server with the large libraries."""
    heavy: list[object] = []
    monkeypatch.setattr(servers, "start_light", lambda: None)
    monkeypatch.setattr(servers, "start_heavy", heavy.append)
    monkeypatch.setattr(processes, "_libraries", lambda exams: ["keras"])
    if kept:
        assert works[0].runs is not None
        (works[0].runs / "one").mkdir(parents=True)
    with starting(works, force=force):
        assert (stage.events, heavy) == ((["started hw"], [["keras"]]) if begun else ([], []))


def test_the_servers_compute_with_the_threads_of_the_kernels(
    stage: Stage, works: tuple[Work, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many cores there are; whoever grades keeps their own settings."""
    told: list[dict[str, str]] = []
    settings = thread_settings(works[0].assignment.limits.threads)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    before = dict(os.environ)
    for start in ("start_light", "start_heavy"):
        monkeypatch.setattr(servers, start, lambda *_: told.append({name: os.environ[name] for name in settings}))
    monkeypatch.setattr(servers, "start_copy", lambda *_, **__: False)
    monkeypatch.setattr(processes, "_libraries", lambda exams: ["keras"])
    with starting(works, force=True):
        assert told == [settings, settings]
    assert dict(os.environ) == before


def test_a_process_need_not_look_at_what_its_server_has_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its garbage is collected as ever; the libraries' objects are none."""
    monkeypatch.setattr(forkserver, "ensure_running", lambda: None)
    imported: list[str] = []
    monkeypatch.setattr(forkserver, "set_forkserver_preload", imported.extend)
    servers.start_heavy(["decimal"])
    assert "decimal" in imported
    asks = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    script = f"import {', '.join(imported)}; {asks}"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"True True\n"
