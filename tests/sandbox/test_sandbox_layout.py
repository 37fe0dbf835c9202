"""Where the kit, its Python and a course may lie: a sandbox and its forks see what they need of them, and no more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.errors import SandboxError
from autograder.sandbox import Job, layout
from autograder.sandbox.bubblewrap import BubblewrapSandbox, find_bwrap
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import SYSTEM, Folder, environment
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import VISIBLE_PATHS, remedy
from autograder.sandbox.supervisor.launch import STAGING_PLACES
from autograder.testing.sandboxed import answer

ODD = "a path, größer\nthan usual"
SECRET = "canary-7261"
PLACES = {
    "below /tmp": "/tmp",
    "where root stages": STAGING_PLACES[0],
    "below /var/tmp": "/var/tmp",
    "below /dev/shm": "/dev/shm",
}
FEW = {"below /tmp", "where root stages"}
"""The places that the default suite tries; all of them and more are in ``make test-anywhere``, too."""

LOOK = """
import json, os, sys
kit, course = sys.argv[1:]
sys.path.append(kit)
import sqlite3
import autograder.records.limits as limits

def writable(folder):
    try:
        os.rmdir(os.mkdir(f"{folder}/new") or f"{folder}/new")
        return True
    except OSError:
        return False

def decoded(field):
    return field.encode().decode("unicode_escape").encode("latin-1").decode()

inside = [os.path.realpath(p) for p in (sys.prefix, os.path.dirname(os.path.dirname(limits.__file__)))]
mounts = [line.split() for line in open("/proc/self/mountinfo")]
print(json.dumps({
    "prefix": sys.prefix, "limits": limits.__file__, "course": sorted(os.listdir(course)),
    "hidden": [os.listdir(f"{sys.prefix}/{name}") for name in ("course", "later")],
    "writable": [p for p in inside if writable(p)],
    "shown": sorted({decoded(m[4]) for m in mounts} & set(inside)) == sorted(set(inside)),
    "loose": [m for m in mounts if decoded(m[4]) in inside and not {"ro", "nosuid", "nodev"} <= set(m[5].split(","))],
}))
"""

START = """
import json, sys
from pathlib import Path
kit, course, program, look = sys.argv[1:]
sys.path.insert(0, kit)
from autograder.sandbox.base import Job, own_python
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.warm_start import Template, WarmSandbox

hidden = (Path(course), Path(sys.prefix, "course"))
later = (*hidden, Path(sys.prefix, "later"))

def told(sandbox):
    process = sandbox.start(Job((own_python(), "-I", "-c", look, kit, course), hidden_paths=later))
    try:
        status = process.wait(30)
        assert status == 0, process.stderr()
        return {"label": process.label.split(",")[1].strip(), **json.loads(process.stdout())}
    finally:
        process.close()

cold = BubblewrapSandbox()
job = Job((own_python(), "-I", "/opt/kernel/program"), files={"/opt/kernel/program": Path(program)},
          hidden_paths=hidden)
with Template(cold, job, []) as template:
    template.wait_until_ready()
    print(json.dumps([told(cold), told(WarmSandbox(cold, template.address, strict=True))]))
"""


@dataclass(frozen=True)
class Copied:
    """A copy of the package in a course, and a Python."""

    kit: Path
    """The course, too: it holds files that nobody may see."""
    python: Path

    def tell(self) -> list[dict[str, Any]]:
        """What a sandbox of this copy sees, and what a fork of its template sees.

        The environment holds two folders that nobody may see: one of them the template does not see either.
        """
        program = self.kit / "program"
        program.mkdir()
        (program / "__main__.py").write_text("")
        command = [self.python, "-c", START, self.kit, self.kit, program, LOOK]
        path = {"PATH": f"{Path(find_bwrap()).parent}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))


def copied(folder: Path, environment_folder: Path | None = None, python: str | Path = sys.executable) -> Copied:
    kit = folder / "kit"
    ignored = shutil.ignore_patterns("_course", "__pycache__", "demo")
    shutil.copytree(Path(autograder.__file__).parent, kit / "autograder", ignore=ignored)
    (kit / "source").mkdir()
    (kit / "source/labels.csv").write_text(SECRET)
    prefix = (environment_folder or kit) / ".venv"
    subprocess.run([python, "-m", "venv", "--without-pip", prefix], check=True, timeout=60)
    for name in ("course", "later"):
        (prefix / name).mkdir()
        (prefix / name / "labels.csv").write_text(SECRET)
    return Copied(kit, prefix / "bin/python")


def holds(copy: Copied) -> None:
    """Everything needed is there, cold and forked, read-only; nothing else of the course is."""
    cold, forked = copy.tell()
    assert forked.pop("label") == "forked"
    assert cold.pop("label") != "forked"
    own = {"autograder"} | ({".venv"} if copy.python.is_relative_to(copy.kit) else set())
    expected = {
        "prefix": str(copy.python.parent.parent),
        "limits": str(copy.kit / "autograder/records/limits.py"),
        "course": sorted(own),
        "hidden": [[], []],
        "writable": [],
        "shown": True,
        "loose": [],
    }
    assert forked == cold == expected


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that nobody but its owner may enter, in the place that the test's parameter names."""
    place = Path(request.param)
    if not os.access(place, os.W_OK):
        pytest.skip(f"no folder can be made in {place} here")
    with tempfile.TemporaryDirectory(dir=place) as made:
        yield Path(made)


# --- wherever it lies --------------------------------------------------------------------------------


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "folder",
    [pytest.param(PLACES[name], id=name, marks=() if name in FEW else pytest.mark.slow) for name in PLACES],
    indirect=True,
)
def test_a_checkout_in_a_closed_folder_forks(folder: Path) -> None:
    holds(copied(folder))


@pytest.mark.sandbox
def test_a_path_with_spaces_umlauts_and_a_line_break_forks(tmp_path: Path) -> None:
    holds(copied(tmp_path / ODD))


@pytest.mark.sandbox
def test_a_checkout_behind_links_forks(tmp_path: Path) -> None:
    """A link to a link, each of them below /tmp, as is the checkout."""
    (tmp_path / "real").mkdir()
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to(tmp_path / "real")
    holds(copied(tmp_path / "first"))


@pytest.mark.sandbox
@pytest.mark.parametrize("folder", ["/dev/shm"], indirect=True)
def test_an_environment_outside_of_the_checkout_forks(folder: Path, tmp_path: Path) -> None:
    holds(copied(tmp_path, folder))


@pytest.mark.sandbox
def test_an_interpreter_of_its_own_below_tmp_forks(tmp_path: Path) -> None:
    """As uv, conda and pyenv keep them: a whole Python in a folder, named by a link to its version."""
    base = Path(sys.base_prefix).resolve()
    if base == Path("/usr"):
        pytest.skip("the system's Python is not in a folder of its own")
    (tmp_path / "pythons").mkdir()
    shutil.copytree(
        base,
        tmp_path / "pythons/3.1.4",
        symlinks=True,
        copy_function=os.link if same_disk(base, tmp_path) else shutil.copy2,
        ignore=shutil.ignore_patterns("site-packages", "test"),
    )
    (tmp_path / "pythons/3.1").symlink_to("3.1.4")
    holds(copied(tmp_path, python=tmp_path / f"pythons/3.1/bin/python3.{sys.version_info[1]}"))


def same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


@pytest.mark.sandbox
def test_a_kit_with_a_tight_mask_leaves_no_file_that_others_cannot_read(tmp_path: Path) -> None:
    """Its supervisors are processes of root, and would write byte code into the package."""
    copy = copied(tmp_path)
    before = os.umask(0o077)
    try:
        copy.tell()
    finally:
        os.umask(before)
    package = copy.kit / "autograder"
    assert [str(path) for path in package.rglob("*") if path.is_file() and not path.stat().st_mode & 0o004] == []


# --- what is hidden, and what cannot be --------------------------------------------------------------


@pytest.fixture
def below_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with a package and its environment, in a folder that every sandbox shows: as below /usr/local."""
    monkeypatch.setattr(layout, "SYSTEM", (*SYSTEM, str(tmp_path)))
    course = tmp_path / "course"
    (course / "source").mkdir(parents=True)
    (course / "source/labels.csv").write_text(SECRET)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", course / ".venv"], check=True, timeout=60)
    (course / ".venv/course").mkdir()
    (course / ".venv/course/labels.csv").write_text(SECRET)
    tmp_path.chmod(0o755)
    return course


@pytest.mark.sandbox
def test_a_course_in_a_system_folder_is_hidden_but_for_its_environment(below_system: Path) -> None:
    """Also where the environment, too, holds something to hide."""
    python = str(below_system / ".venv/bin/python")
    look = "import os, sys; print(*(sorted(os.listdir(p)) for p in sys.argv[1:]))"
    argv = (python, "-I", "-S", "-c", look, str(below_system), str(below_system / ".venv/course"))
    job = Job(argv, hidden_paths=(below_system, below_system / ".venv/course"))
    process = BubblewrapSandbox(python).start(job)
    try:
        assert answer(process) == "['.venv'] []"
    finally:
        process.close()


def test_an_environment_that_is_the_course_itself_is_refused_by_name(below_system: Path) -> None:
    prefix = below_system / ".venv"
    interpreter = Interpreter(f"{prefix}/bin/python", str(prefix), sys.base_prefix, "")
    with pytest.raises(
        SandboxError, match=r"\.venv is the course .* Make the environment in a folder of its own"
    ) as told:
        environment(interpreter, (prefix,))
    assert remedy(str(told.value), Machine()) == VISIBLE_PATHS


@pytest.mark.parametrize("prefix", ["/tmp", "/opt", "/home", "/dev/shm"])
def test_an_environment_that_holds_a_notebooks_own_folder_is_refused_by_name(prefix: str) -> None:
    interpreter = Interpreter(f"{prefix}/bin/python", prefix, "/usr", "")
    with pytest.raises(
        SandboxError, match=f"The Python in {prefix} cannot be shown .* Make the environment in another"
    ) as told:
        environment(interpreter)
    assert remedy(str(told.value), Machine()) == VISIBLE_PATHS


def test_an_environment_of_links_is_refused_by_name(tmp_path: Path) -> None:
    """As uv makes it with the link mode `symlink`: its libraries lie in a cache, which no sandbox shows."""
    library = tmp_path / "env/lib/python3.12/site-packages/ipykernel-7.0.dist-info"
    library.mkdir(parents=True)
    (tmp_path / "METADATA").write_text("")
    (library / "METADATA").symlink_to(tmp_path / "METADATA")
    interpreter = Interpreter(f"{tmp_path}/env/bin/python", f"{tmp_path}/env", "/usr", "")
    with pytest.raises(SandboxError, match=f"links to files such as {tmp_path}/METADATA.*UV_LINK_MODE=copy") as told:
        environment(interpreter)
    assert remedy(str(told.value), Machine()) == VISIBLE_PATHS


def test_what_is_hidden_in_an_environment_stays_hidden(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    interpreter = Interpreter(f"{tmp_path}/bin/python", str(tmp_path), "/usr", "")
    made = environment(interpreter, (tmp_path / "course",))
    assert isinstance(made.operations[str(tmp_path / "course")], Folder)
    assert made.shows(str(tmp_path))
    assert not made.shows(str(tmp_path / "course/source"))


@pytest.mark.sandbox
def test_a_file_on_a_disk_without_programs_is_given_to_forks(tmp_path: Path) -> None:
    """A course on a disk that is mounted `noexec`: no fork may take that away."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    code = f"""
    import subprocess, sys
    from pathlib import Path
    from autograder.records.limits import Limits
    from autograder.sandbox.bubblewrap import BubblewrapSandbox
    from autograder.sandbox.kernel_template import template
    from autograder.sandbox.base import Job, own_python
    from autograder.sandbox.warm_start import WarmSandbox
    folder = Path({str(tmp_path)!r})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec,mode=755", "none", folder], check=True)
    (folder / "data.csv").write_text("1,2")
    given = {{"/home/student/data.csv": folder / "data.csv"}}
    cold = BubblewrapSandbox()
    with template(cold, given, Limits()) as started:
        started.wait_until_ready()
        job = Job((own_python(), "-I", "-c", "print(open('data.csv').read())"), files=given)
        with WarmSandbox(cold, started.address, strict=True).start(job) as process:
            assert process.wait(20) == 0, process.stderr()
            print(process.stdout())
    """
    command = ["unshare", "--mount", "--", sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("1,2", "")
