"""What a run of the tests says at its end."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many attacks were generated, by family."""
    reports = [report for report in terminalreporter.stats.get("passed", ()) if "tests/security/" in report.nodeid]
    lines = [line for report in reports for line in report.capstdout.splitlines() if " cases" in line]
    if lines:
        terminalreporter.section("generated attacks")
        terminalreporter.write_line("\n".join(lines))
