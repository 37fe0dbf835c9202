"""The sandbox gVisor: what the engine is told, and that no other sandbox is taken where it is missing."""

from __future__ import annotations

import dataclasses
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers import backends
from helpers.backends import BACKENDS
from helpers.tiny import YAML, submit, tiny_course, tiny_release

from autograder.cli import main
from autograder.coordinator.cache_keys import common_keys
from autograder.course.sandboxes import sandboxes
from autograder.errors import SandboxError
from autograder.exchange import result_json
from autograder.extensions.walls import gvisor
from autograder.extensions.walls.gvisor import OPTIONS, PROGRAM, GvisorSandbox
from autograder.extensions.walls.oci_bundle import INIT, bundle
from autograder.records.limits import Limits
from autograder.sandbox import Job
from autograder.sandbox.base import HOME, SOCKETS
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import MIB, Data, Folder, Link, Source, plan

LIMITS = Limits(disk_mib=16, processes=32)


def told(**fields: Any) -> dict[str, Any]:
    """The bundle of a job."""
    job = Job((sys.executable, "-c", "pass"), limits=LIMITS, **fields)
    return bundle(job, plan(job, Interpreter.current()), job.argv)


def mounted(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {mount["destination"]: mount for mount in made["config"]["mounts"]}


# --- the walls, as the engine is told them -----------------------------------------------------------


def test_the_process_has_no_right_and_its_root_can_not_be_written() -> None:
    config = told()["config"]
    assert config["root"]["readonly"] is True
    process = config["process"]
    assert process["noNewPrivileges"] is True
    assert set(process["capabilities"]) == {"bounding", "effective", "inheritable", "permitted", "ambient"}
    assert not any(process["capabilities"].values())
    limits = {limit["type"]: limit["hard"] for limit in process["rlimits"]}
    assert limits == {
        "RLIMIT_CORE": 0, "RLIMIT_FSIZE": 16 * MIB, "RLIMIT_NOFILE": 4096, "RLIMIT_NPROC": 32,
    }  # fmt: skip


def test_every_namespace_is_the_sandboxes_own() -> None:
    """gVisor makes its user namespace itself."""
    linux = told()["config"]["linux"]
    spaces = {space["type"] for space in linux["namespaces"]}
    assert all("path" not in space for space in linux["namespaces"])
    assert spaces == {"pid", "network", "ipc", "uts", "mount", "cgroup"}
    assert {"--rootless", "--network=none"} <= set(OPTIONS)


def test_the_environment_is_the_jobs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_SECRET", "canary")
    assert told(env={"A": "b=c"})["config"]["process"]["env"] == ["A=b=c"]


def test_what_can_be_written_is_memory_of_a_limited_size() -> None:
    mounts = mounted(told())
    for path in (HOME, "/tmp", "/dev/shm"):
        assert mounts[path]["type"] == "tmpfs"
        assert f"size={16 * MIB}" in mounts[path]["options"]
    writable = {path for path, mount in mounts.items() if "ro" not in mount["options"]}
    assert writable - {HOME, "/tmp", "/dev/shm", SOCKETS, "/proc"} == set()
    for path, mount in mounts.items():
        if mount["type"] == "bind" and path != SOCKETS:
            assert {"ro", "nosuid", "nodev"} <= set(mount["options"]), path


def test_its_sockets_lie_where_the_host_made_a_place() -> None:
    """In the staging place, which is memory: the host does not see the memory of gVisor's kernel."""
    made = told()
    assert made["sockets_bytes"] == MIB
    assert mounted(made)[SOCKETS]["source"] == {"place": f"outside{SOCKETS}"}


def test_each_kind_of_thing_has_its_place_in_the_root_and_its_mount(tmp_path: Path) -> None:
    """Content is written into the root, or bound where something else is mounted above it; nothing is made below what
    the host has there.
    """
    (tmp_path / "f").write_text("")
    things = {
        "/usr": Source("/usr"), "/bin": Link("usr/bin"), "/etc/hosts": Data(b"h"), HOME: Folder(5, "0755"),
        f"{HOME}/f": Source(str(tmp_path / "f"), copy=True), f"{HOME}/d": Data(b"d"), "/usr/x": Folder(9, "0755", True),
    }  # fmt: skip
    made = bundle(Job(("x",)), things, ("x",))
    root = {path: kind for path, kind, _ in made["root"]}
    assert root == {
        "/proc": "folder", "/dev": "folder", "/usr": "folder", "/bin": "link", "/etc/hosts": "file", HOME: "folder",
        f"{HOME}/f": "file", f"{HOME}/d": "file",
    }  # fmt: skip
    mounts = mounted(made)
    assert mounts[f"{HOME}/f"]["source"] == {"source": str(tmp_path / "f"), "copy": True}
    assert mounts[f"{HOME}/d"]["source"] == {"place": "data/0"}
    assert "ro" in mounts["/usr/x"]["options"]
    assert list(mounts).index(HOME) < list(mounts).index(f"{HOME}/f")


def test_the_first_process_is_the_kits_and_has_the_filter_of_every_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    made = GvisorSandbox().container(Job(("a", "b")))
    argv = made["config"]["process"]["args"]
    filters = (f"{INIT}/filter", f"{INIT}/own-filter")
    assert argv == [sys.executable, "-I", "-S", INIT, *filters, "a", "b"]
    assert {f"{INIT}/__main__.py", f"{INIT}/system.py", *filters} <= {path for path, *_ in made["root"]}
    assert str(Path(made["command"][1])).startswith("{place}")


# --- which one is taken ------------------------------------------------------------------------------


def test_a_course_can_name_every_sandbox_that_there_is() -> None:
    assert set(sandboxes()) == {"bubblewrap", GvisorSandbox.name}


def test_where_the_engine_is_missing_nothing_is_graded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit code 3 and the command that installs it; bubblewrap is there, and is not taken in its place."""
    course = tiny_course(tmp_path / "course", yaml=YAML.replace("hw:", "hw:\n    sandbox: gvisor"))
    submit(course, "ada")
    monkeypatch.setattr("autograder.extensions.walls.gvisor.SEARCH_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root), "--quiet"])
    assert said.exit_code == 3, said.output
    assert f"gvisor is asked for, and {PROGRAM} is not installed" in said.stderr
    assert f"apt install {PROGRAM}" in said.stderr
    assert not (course.root / "autograded").exists()


def test_gvisor_without_a_control_group_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could watch the memory of a kernel of its own from outside."""
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    monkeypatch.setattr("autograder.sandbox.cgroup.create", lambda limits: None)
    with pytest.raises(SandboxError, match=r"needs a control group.*start the kit as root"):
        GvisorSandbox().start(Job(("/bin/true",)))


def test_a_grade_of_one_sandbox_is_no_current_grade_of_another(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    release = tiny_release(course)
    other = dataclasses.replace(release, assignment=dataclasses.replace(release.assignment, sandbox="gvisor"))
    before, after = common_keys(course, release), common_keys(course, other)
    assert {key for key in before if before[key] != after[key]} == {"environment"}


# --- the real ones -----------------------------------------------------------------------------------


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_notebook_is_graded_in_it(tmp_path: Path) -> None:
    """From the course's word to the grade, by the command that grades every course."""
    backends.made(BACKENDS["gvisor"])
    course = tiny_course(tmp_path / "course", yaml=YAML.replace("course: tiny", "course: tiny\nsandbox: gvisor"))
    submit(course, "ada")
    said = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root)])
    assert said.exit_code == 0, said.output
    (notebook,) = result_json.read(course.autograded("ada", "hw") / "result.json").notebooks
    assert (notebook.status, notebook.score) == ("completed", 2.0)
    assert notebook.sandbox.startswith("gvisor, cgroup")


@pytest.mark.sandbox
@pytest.mark.slow
def test_gvisors_kernel_is_not_the_hosts() -> None:
    """What the student's code speaks with answers by another name."""
    process = backends.made(BACKENDS["gvisor"]).start(Job(("/bin/cat", "/proc/version")))
    try:
        process.wait(20)
        assert process.stdout().startswith("Linux version")
        assert process.stdout() != Path("/proc/version").read_text()
    finally:
        process.close()


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_wall_too_few_and_nothing_is_graded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The self-test before the batch finds that the filter allows everything."""
    backends.made(BACKENDS["gvisor"])
    course = tiny_course(tmp_path / "course", yaml=YAML.replace("course: tiny", "course: tiny\nsandbox: gvisor"))
    submit(course, "ada")
    allow = struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)
    monkeypatch.setattr("autograder.extensions.walls.gvisor.compile_filter", lambda **_: allow)
    said = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root), "--quiet"])
    assert said.exit_code == 3, said.output
    assert "system calls: " in said.stderr
    assert not (course.root / "autograded").exists()


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a uid to drop")
@pytest.mark.parametrize("checks", [2, 1])
def test_an_engine_that_would_run_as_root_is_refused(
    checks: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the process that becomes it, and where that does not look, by the supervisor."""
    sandbox = backends.made(BACKENDS["gvisor"])
    container = tmp_path / "container.py"
    text = gvisor.STARTER.with_suffix(".py").read_text()
    without = text.replace("        launch.drop_root(uid)\n", "        pass\n")
    unchecked = without.replace("if 0 in (*os.getresuid(), *os.getresgid()):", "if False:")
    assert len({text, without, unchecked}) == 3
    container.write_text(without if checks == 2 else unchecked)
    monkeypatch.setattr(gvisor, "STARTER", container.with_suffix(""))
    with pytest.raises(SandboxError, match="refused: the sandbox would run as root"):
        sandbox.start(Job(("/bin/true",)))
