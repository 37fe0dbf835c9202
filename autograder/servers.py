"""The servers that processes are forked from: one that has imported what all works need, and one with the libraries."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from multiprocessing import forkserver, popen_forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from autograder.forks import Copy, Process

COMMON = ("autograder.cli", "autograder.worker", "numpy.testing")
"""What each server imports."""
EACH = ("autograder.nbschema", "autograder.kernel")
"""What is for processes that do one work each, in a kernel: a copy for works that need none does without."""
MODELS = "autograder.examiner.models"
"""What rebuilds models, which a process imports where it needs it."""
STARTS_THREADS = ("jax", "jaxlib", "torch")
"""Libraries with which no copy is made, beside the large ones."""


def start_light() -> None:
    """Start the server without libraries, if it does not run yet; it imports while the caller goes on."""
    _light.set_forkserver_preload(_quietly(*COMMON, *EACH))
    _light.ensure_running()


def start_copy(shared: Sequence[object], unwanted: Collection[str], *, kernels: bool) -> bool:
    """The same as a copy of this process, which costs no imports; says whether one runs now.

    There is none where something else runs here, or a library is imported that no examiner finds imported; one that
    runs stays then, as its processes can import what they need.

    Args:
        shared: objects that works refer to, see :class:`~autograder.forks.Copy`.
        unwanted: names of such libraries.
        kernels: its processes will start some.
    """
    global _copy, _copied
    wanted = {*COMMON, *EACH} if kernels else {*COMMON}
    possible = threading.active_count() == 1 and sys.modules.keys().isdisjoint((*unwanted, *STARTS_THREADS))
    if _copy is not None and _copy.has(shared) and (wanted <= _copied or not possible):
        return True
    stop_copy()
    if not possible:
        return False
    for name in sorted(wanted):
        importlib.import_module(name)
    try:
        _copy, _copied = Copy(shared), wanted
    except OSError:  # no more processes; a server says so where it is needed
        return False
    return True


def copy_is_gone() -> bool:
    """Whether there was one, and it has ended by itself."""
    return _copy is not None and not _copy.runs()


def stop_copy() -> None:
    """End it, and all that it has started, if there is one."""
    global _copy
    if _copy is not None:
        _copy.close()
        _copy = None


def start_heavy(libraries: Sequence[str]) -> None:
    """The same for the one with these libraries."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_quietly(*COMMON, *EACH, *libraries, MODELS))
    forkserver.ensure_running()


def _quietly(*modules: str) -> list[str]:
    return ["autograder.importing.begin", *modules, "autograder.importing.end"]


def process(
    target: Callable[..., Any], args: tuple[Any, ...], report: Connection, *, light: bool
) -> ForkServerProcess | Process:
    """A process of one of them that runs ``target(*args, report)``, not started yet."""
    if light and _copy is not None:
        return _copy.process(target, args, report)
    kind = _LightProcess if light else multiprocessing.get_context("forkserver").Process
    return kind(target=target, args=(*args, report), daemon=True)


_copy: Copy | None = None
_copied: set[str] = set()
"""What it was asked to import."""
_light = forkserver.ForkServer()


class _Popen(popen_forkserver.Popen):
    """Python knows one server; for a moment it is this one."""

    def _launch(self, process_obj: Any) -> None:
        common: Any = forkserver
        known = common.connect_to_new_process
        common.connect_to_new_process = _light.connect_to_new_process
        try:
            super()._launch(process_obj)  # type: ignore[misc]
        finally:
            common.connect_to_new_process = known


class _LightProcess(ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        return _Popen(process_obj)
