"""The files beside a notebook: which its cells may write over, and which are bound as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.examiner.remote.proxy import Remote
from autograder.execution.captured_files import FolderCopy
from autograder.execution.client import SandboxedKernel
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.kernel.workfiles import RELEASED_FILES, copy_given
from autograder.records.limits import Limits
from autograder.sandbox.base import HOME, Sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_template import template
from autograder.sandbox.warm_start import WarmSandbox
from autograder.sandbox.work_files import MAX_BYTES, MAX_FILE_BYTES, too_large, work_files

LIMITS = Limits(cell_seconds=20, memory_mib=512, processes=64, disk_mib=32)


def test_files_are_copied_and_large_ones_are_bound() -> None:
    """A file past the limit, or past that of all copies, and what a library reads at its import stay read-only."""
    assert too_large({"a.csv": 10, "b.csv": MAX_FILE_BYTES, "c.csv": MAX_FILE_BYTES + 1}) == {"c.csv"}
    many = {f"{number}.csv": MAX_FILE_BYTES for number in range(1 + MAX_BYTES // MAX_FILE_BYTES)}
    assert too_large(many) == {list(many)[-1]}
    assert too_large({"matplotlibrc": 10, "folder": None}) == {"matplotlibrc", "folder"}


def test_places_in_the_sandbox(tmp_path: Path) -> None:
    """A small file lies where the agent copies it from; a large one in the work folder."""
    (tmp_path / "small").write_text("1")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    places = work_files({"data/small.csv": tmp_path / "small", "large.csv": tmp_path / "large"})
    assert list(places) == [f"{RELEASED_FILES}/data/small.csv", f"{HOME}/large.csv"]


def test_copies_replace_nothing(tmp_path: Path) -> None:
    """A file that is there already, as one that is bound, stays."""
    for name in ("given/data", "work"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "given/data/a.csv").write_text("given")
    (tmp_path / "given/b.csv").write_text("given")
    (tmp_path / "work/b.csv").write_text("bound")
    copy_given(str(tmp_path / "work"), str(tmp_path / "given"))
    assert (tmp_path / "work/data/a.csv").read_text() == "given"
    assert (tmp_path / "work/b.csv").read_text() == "bound"


# --- in a sandbox --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small file, a module, and one that is too large to be copied."""
    folder = tmp_path_factory.mktemp("release")
    (folder / "data.csv").write_text("1,2\n")
    (folder / "helper.py").write_text("answer = 42\n")
    (folder / "large.bin").write_bytes(bytes(MAX_FILE_BYTES + 1))
    names = {"data.csv": "data.csv", "lib/helper.py": "helper.py", "large.bin": "large.bin"}
    return {name: folder / file for name, file in names.items()}


@pytest.fixture(scope="module", params=[pytest.param("cold", marks=pytest.mark.slow), "forked"])
def sandbox(request: pytest.FixtureRequest, files: dict[str, Path]) -> Iterator[Sandbox]:
    """A sandbox of its own, and a fork of a template that has the release's files."""
    cold = BubblewrapSandbox()
    if request.param == "cold":
        yield cold
        return
    with template(cold, work_files(files), LIMITS) as made:
        made.wait_until_ready()
        yield WarmSandbox(cold, made.address, strict=True)


@pytest.fixture
def kernel(sandbox: Sandbox, files: dict[str, Path]) -> Iterator[SandboxedKernel]:
    """A kernel with these files."""
    made = sandboxed_kernel(sandbox, files, LIMITS)
    yield made
    made.close()


def run(kernel: SandboxedKernel, source: str) -> str:
    """Run a cell and return what it prints, or its error."""
    done = kernel.run(source, 20)
    return "".join(output.get("text", "") for output in done.outputs) if done.status == "ok" else done.error


WRITES = [
    "open('data.csv', 'a').write('3')", "import pathlib; pathlib.Path('data.csv').write_text('x')",
    "import os; os.remove('data.csv'); os.rename('lib/helper.py', 'lib/other.py')",
    "import sqlite3\nwith open('data.csv', 'w'): pass\nc = sqlite3.connect('data.csv'); c.execute('create table t (n)'); c.commit()",
    "import matplotlib.pyplot as plt; plt.plot([1]); plt.savefig('data.csv', format='png')",
]  # fmt: skip


@pytest.mark.sandbox
@pytest.mark.parametrize("source", WRITES, ids=range(len(WRITES)))
def test_a_notebook_may_write_over_its_files(kernel: SandboxedKernel, source: str, files: dict[str, Path]) -> None:
    """What a notebook does to its copies works, and reaches nobody else's."""
    assert "Error" not in run(kernel, source + "\nNone")
    assert files["data.csv"].read_text() == "1,2\n"


@pytest.mark.sandbox
def test_a_kernel_that_is_no_fork_has_copies_too(files: dict[str, Path]) -> None:
    """It may write over the small file and read the large one."""
    with contextlib.closing(sandboxed_kernel(BubblewrapSandbox(), files, LIMITS)) as kernel:
        assert run(kernel, f"{WRITES[0]}\nprint(open('data.csv').read())").strip() == "1,2\n3"
        assert run(kernel, "print(len(open('large.bin', 'rb').read()))").strip() == str(MAX_FILE_BYTES + 1)
    assert files["data.csv"].read_text() == "1,2\n"


@pytest.mark.sandbox
def test_a_file_that_is_too_large_can_only_be_read(kernel: SandboxedKernel) -> None:
    """It is bound read-only: nothing is copied for it."""
    assert run(kernel, "print(len(open('large.bin', 'rb').read()))").strip() == str(MAX_FILE_BYTES + 1)
    assert "OSError" in run(kernel, "open('large.bin', 'wb')")


@pytest.mark.sandbox
def test_copies_that_nobody_changed_are_no_files_of_the_notebook(kernel: SandboxedKernel) -> None:
    """Only what cells wrote is reported, and modules are imported from their copies."""
    assert run(kernel, "from lib.helper import answer\nprint(answer)").strip() == "42"
    kept = FolderCopy()
    kept.pull(Remote(kernel).ask)
    assert (kept.contents, kept.gone) == ({}, set())
    run(kernel, "open('data.csv', 'w').write('new')")
    kept.pull(Remote(kernel).ask)
    assert kept.contents == {"data.csv": b"new"}


@pytest.mark.sandbox
def test_copies_take_nothing_from_the_disk_limit(kernel: SandboxedKernel) -> None:
    """The work folder has room for the whole limit beside them."""
    kind = "import os; s = os.statvfs('.'); print(s.f_bavail * s.f_frsize >> 20)"
    assert int(run(kernel, kind)) >= LIMITS.disk_mib - 1


@pytest.mark.sandbox
@pytest.mark.parametrize("released", [True, False])
def test_a_fork_may_write_over_files_that_were_handed_in(files: dict[str, Path], released: bool) -> None:
    """They are no files of the template, which may have none at all."""
    cold = BubblewrapSandbox()
    given = {"large.bin": files["large.bin"]} if released else {}
    with template(cold, work_files(given), LIMITS) as made:
        made.wait_until_ready()
        kernel = sandboxed_kernel(
            WarmSandbox(cold, made.address, strict=True), {**given, "own.csv": files["data.csv"]}, LIMITS
        )
        try:
            assert (
                run(kernel, "import os\nopen('own.csv', 'a').write('3')\nprint(sorted(os.listdir('.'))[-1])").strip()
                == "own.csv"
            )
        finally:
            kernel.close()
