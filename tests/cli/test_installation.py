"""What doctor says of an environment in which kernels cannot be forked."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import installation, main
from autograder.errors import SandboxError
from autograder.sandbox import Finding, kernel_template
from autograder.sandbox.bubblewrap import BubblewrapSandbox


@pytest.fixture
def below_tmp() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{folder}/env"], check=True)
        yield f"{folder}/env/bin/python"


@pytest.mark.sandbox
def test_an_environment_below_tmp_has_a_warm_start(below_tmp: str) -> None:
    finding = installation.sandbox(below_tmp, "bubblewrap")[-1]
    assert (finding.name, finding.remedy) == ("warm start", "")


@pytest.mark.sandbox
def test_a_warm_start_that_is_not_possible_is_a_remark_with_reason_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise SandboxError("The template ended at once.")

    monkeypatch.setattr(kernel_template, "template", refused)
    (finding,) = installation.warm_start(BubblewrapSandbox(), None, of="examiners")
    assert finding.ok
    assert finding.detail.endswith("each of the examiners imports for itself: The template ended at once.")
    assert "chmod -R go+rX" in finding.remedy
    assert installation.is_slow([finding])


def test_doctor_ends_by_saying_that_a_machine_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = (Finding(installation.WARM_START, True, "is not possible", "remedy"),)
    for name, found in {"sandbox": slow, "examiner_sandbox": (), "optional_sandbox": slow[0]}.items():
        monkeypatch.setattr(installation, name, lambda *_, found=found: found)
    told = CliRunner().invoke(main, ["doctor"])
    assert told.exit_code == 0
    assert told.output.splitlines()[-1] == "This machine can grade, but slowly: see `warm start` above."


@pytest.mark.sandbox
def test_the_kits_own_environment_has_a_warm_start() -> None:
    finding = installation.sandbox(None, "bubblewrap")[-1]
    assert (finding.name, finding.remedy) == ("warm start", "")
