"""What doctor says of an environment in which kernels cannot be forked, and what the screen says after a batch."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.tiny import tiny_course

from autograder.cli import installation
from autograder.cli.batch_display import cold_starts
from autograder.grading.batch import BATCH_LOG
from autograder.grading.templates import NO_TEMPLATES, NOT_FORKED


@pytest.fixture
def below_tmp() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{folder}/env"], check=True)
        yield f"{folder}/env/bin/python"


@pytest.mark.sandbox
def test_an_environment_below_tmp_has_no_warm_start_and_doctor_says_why(below_tmp: str) -> None:
    finding = installation.sandbox(below_tmp, "bubblewrap")[-1]
    assert (finding.name, finding.ok) == ("warm start", True)
    assert "is not possible" in finding.detail
    assert "lies below /tmp" in finding.remedy


@pytest.mark.sandbox
def test_the_kits_own_environment_has_a_warm_start() -> None:
    finding = installation.sandbox(None, "bubblewrap")[-1]
    assert (finding.name, finding.remedy) == ("warm start", "")


def test_a_batch_without_a_warm_start_says_so_once(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    assert cold_starts(course) == []
    log = course.state / BATCH_LOG
    log.parent.mkdir(parents=True)
    log.write_text(
        f"Kernels of hw {NOT_FORKED}: why\n" * 2 + f"Kernels of b {NOT_FORKED}: gvisor {NO_TEMPLATES}\nmore\n"
    )
    (line,) = cold_starts(course)
    assert line == f"note: Kernels of hw {NOT_FORKED}; `autograder doctor --course .` says why"
