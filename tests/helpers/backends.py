"""The sandboxes that the one contract (test_contract.py) is for: another backend is another line of ``BACKENDS``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import pytest

from autograder.errors import SandboxError
from autograder.extensions.walls.gvisor import ENGINE_TASKS
from autograder.sandbox import Job, Sandbox


@dataclass(frozen=True)
class Backend:
    """A way to make a sandbox. Made by name, so that a test's child process can make the same one."""

    name: str
    maker: str
    """``module:callable``"""
    options: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    """The whole contract is tried by default, and nothing excuses that it does not run; of the others the test
    :data:`QUICK`, and the rest is ``slow``."""
    both: bool = False
    """What two others are at once, each of which is tried as a whole: nothing excuses it, and all but QUICK is ``slow``."""

    without: Mapping[str, str] = field(default_factory=dict)
    """Test of the contract that is not for it → why. What it holds instead is tested beside it."""
    helpers: int = 0
    """How many processes of the engine's own its control group leaves room for, beside the student's."""

    def make(self) -> Sandbox:
        module, _, name = self.maker.partition(":")
        return cast(Sandbox, getattr(importlib.import_module(module), name)(**self.options))


_FAMILY = "its processes are known by their user, not by a namespace"
_FILES = "it has no root folder of its own: permissions decide"
WITHOUT_NAMESPACES = {
    "test_no_supplementary_groups": _FILES,
    "test_hidden_course_files_are_not_reachable": _FILES,
    "test_a_checkout_shows_its_package_only": _FILES,
    "test_masked_folder_is_empty": "it refuses to start where such a folder is open",
    "test_files_are_read_only": _FILES,
    "test_command_line_of_init_names_no_host_path": "the first process that it sees is the machine's",
    "test_two_sandboxes_share_nothing": _FILES,
    "test_fork_bomb_is_bounded_and_the_next_run_is_normal": _FAMILY,
    "test_disk_is_bounded": "it bounds each file, not their sum",
    "test_a_million_files_are_stopped": "it bounds each file, not their number",
    "test_ignored_signals_do_not_help": _FAMILY,
    "test_daemon_ends_with_kill": _FAMILY,
    "test_nothing_outlives_the_kit": _FAMILY,
    "test_a_command_that_somebody_kills_says_so": "it has no first process beside the command",
}
"""Of the sandbox ``user``: tests/extensions/walls/test_user.py has its own."""

BUBBLEWRAP = "autograder.sandbox.bubblewrap:BubblewrapSandbox"
BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("cgroup", BUBBLEWRAP, whole=True),
        Backend("reduced", BUBBLEWRAP, {"use_cgroup": False}, whole=True),
        Backend("forked", "helpers.warmed:sandbox", whole=True),
        Backend("forked-reduced", "helpers.warmed:sandbox", {"use_cgroup": False}, both=True),
        Backend("examiner", "helpers.warmed:examiner_sandbox"),
        Backend("gvisor", "autograder.extensions.walls.gvisor:GvisorSandbox", helpers=ENGINE_TASKS),
        Backend("user", "helpers.readable_python:user_sandbox", {"use_cgroup": False}, without=WITHOUT_NAMESPACES),
    )
}


QUICK = "test_self_test_finds_nothing_wrong"
"""The test of the contract that is cheap enough for every backend by default."""
LONG = "test_a_million_files_are_stopped"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``backend`` is one for each of them."""
    if "backend" in metafunc.fixturenames:
        test = metafunc.definition.originalname
        tried = [backend for backend in BACKENDS.values() if test not in backend.without]
        marks = {b.name: () if test != LONG and (b.whole or test == QUICK) else (pytest.mark.slow,) for b in tried}
        cases = [pytest.param(b, marks=marks[b.name], id=b.name) for b in tried]
        metafunc.parametrize("backend", cases)


def made(backend: Backend) -> Sandbox:
    """The backend's sandbox; skips the test, with the reason, where this machine has none."""
    why = "" if backend.whole or backend.both else _why_not(backend.name)
    if why:
        pytest.skip(f"{backend.name} cannot run here: {why}")
    sandbox = backend.make()
    if sandbox.reduced and backend.options.get("use_cgroup", True):
        pytest.skip("no control group can be made here")
    return sandbox


@cache
def _why_not(name: str) -> str:
    """What keeps it from running anything; empty where it runs."""
    try:
        process = BACKENDS[name].make().start(Job(("/bin/true",)))
    except SandboxError as error:
        return str(error)
    process.close()
    return ""
