"""The servers that processes are forked from: one that has imported what all works need, and one with the libraries."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing import forkserver, popen_forkserver
from multiprocessing.context import ForkServerProcess
from typing import Any

COMMON = ("autograder.nbschema", "autograder.cli", "autograder.worker", "autograder.kernel", "numpy.testing")
"""What both import."""
MODELS = "autograder.examiner.models"
"""What rebuilds models, which a process imports where it needs it."""


def start_light() -> None:
    """Start the server without libraries, if it does not run yet; it imports while the caller goes on."""
    _light.set_forkserver_preload(_quietly(*COMMON))
    _light.ensure_running()


def start_heavy(libraries: Sequence[str]) -> None:
    """The same for the one with these libraries."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_quietly(*COMMON, *libraries, MODELS))
    forkserver.ensure_running()


def _quietly(*modules: str) -> list[str]:
    return ["autograder.importing.begin", *modules, "autograder.importing.end"]


def process(target: Callable[..., Any], args: tuple[Any, ...], *, light: bool) -> ForkServerProcess:
    """A process of one of the two, not started yet."""
    kind = _LightProcess if light else multiprocessing.get_context("forkserver").Process
    return kind(target=target, args=args, daemon=True)


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
