"""The tiers of the suite, the order of its files, and what a run of it says at its end."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from helpers import lazy, times
from helpers.tiers import in_order, is_unit_test, work_unit

from autograder.sandbox.base import thread_settings

MODULES_OF_A_LIBRARY = 100
"""Number of modules that a test imports with a large library, at least."""
_started_sandboxes: list[str] | None = None
"""Commands of sandboxes that the running unit test has started; None outside a unit test."""
_had_tensorflow = False
_had_modules = 0
_processor = times.Processor()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--times",
        type=int,
        nargs="?",
        const=25,
        default=0,
        metavar="N",
        help="show at the end where the time went, by room, and the N (25) slowest tests",
    )


def refuse_sandbox(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail the running unit test where it starts a sandbox: as an audit hook, whatever way it takes."""
    if event == "subprocess.Popen" and _started_sandboxes is not None:
        command = arguments[1] if isinstance(arguments[1], list | tuple) else [arguments[1]]
        if any(str(word).endswith("autograder/sandbox/supervisor") for word in command):
            _started_sandboxes.append(" ".join(map(str, command)))
            pytest.fail("a unit test starts a sandbox: mark it `sandbox`")


sys.addaudithook(refuse_sandbox)


def pytest_configure() -> None:
    """Let files reach the disk when they may (nobody cuts the power meanwhile), and Control-C reach programs.

    A shell starts what it runs in the background with Control-C ignored, and its children would wait for ever.
    Libraries compute on one thread, as in kernels: PyTorch's threads keep a core busy while they wait for each other,
    and beside another worker a step takes ten times as long.
    """
    os.environ.update(thread_settings(1))
    os.fsync = lambda fd: None
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker whole files, and one of them all files that share what is dear to make."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return work_unit(nodeid)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files, see :func:`helpers.tiers.in_order`."""
    items[:] = in_order(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse test modules that import TensorFlow while they are collected (helpers.lazy is how to name it)."""
    if "tensorflow" in sys.modules:
        raise pytest.UsageError("a test module imports TensorFlow while tests are collected; see tests/helpers/lazy.py")
    _forget_what_stays()


def _forget_what_stays() -> None:
    """Let the collector pass over what lives as long as this process: the tests themselves, or all of PyTorch."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global _started_sandboxes, _had_tensorflow, _had_modules
    _started_sandboxes = [] if is_unit_test(item) else None
    _had_tensorflow, _had_modules = "tensorflow" in sys.modules, len(sys.modules)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a unit test that imported TensorFlow, or that swallowed the refusal of a sandbox."""
    global _started_sandboxes
    result = yield
    started, _started_sandboxes = _started_sandboxes, None
    if started:
        pytest.fail(f"a unit test starts a sandbox: mark it `sandbox`\n{started[0]}")
    if "tensorflow" in sys.modules and not _had_tensorflow and started is not None:
        pytest.fail("a unit test imports TensorFlow: mark it `keras`")
    if len(sys.modules) > _had_modules + MODULES_OF_A_LIBRARY:
        _forget_what_stays()
    return result


@pytest.fixture
def eager() -> Iterator[None]:
    """Train and evaluate without compiling, see :func:`helpers.lazy.eagerly`."""
    pytest.importorskip("tensorflow")
    with lazy.eagerly():
        yield


def pytest_runtest_logstart() -> None:
    _processor.since_last()  # what was between two tests is no test's


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the processor time of each phase of a test in its report."""
    report = yield
    report.processor_seconds = _processor.since_last()
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many attacks were generated, which closed folder keeps tests from running, and where the time went."""
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = {str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)}
    if closed := sorted(reason for reason in reasons if "other users cannot" in reason):
        terminalreporter.section("not tried")
        terminalreporter.write_line("\n".join(closed))
    reports = [report for report in terminalreporter.stats.get("passed", ()) if "tests/security/" in report.nodeid]
    lines = [line for report in reports for line in report.capstdout.splitlines() if " cases" in line]
    if lines:
        terminalreporter.section("generated attacks")
        terminalreporter.write_line("\n".join(lines))
    if slowest := config.getoption("times"):
        every = [r for kind in terminalreporter.stats.values() for r in kind if isinstance(r, pytest.TestReport)]
        terminalreporter.section("times")
        terminalreporter.write_line("\n".join(times.table(every, slowest)))
        terminalreporter.write_line(f"Not all workers had a test in the last {times.idle_tail(every):.0f} s.")
