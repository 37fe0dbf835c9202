"""What a person is told who has no sandbox that stands: the facts of a machine, and the commands for that machine."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.errors import SandboxError
from autograder.sandbox import Finding, default_sandbox, remedies
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import (
    APPARMOR,
    BUG,
    CLONE,
    DOCKER,
    INSTALL,
    PODMAN,
    ZERO_NAMESPACES,
    control_group,
    install,
    not_linux,
    remedy,
)

NO_NAMESPACES = "bwrap: setting up uid map: Permission denied"
OF_BUBBLEWRAP_0_11 = (
    "bwrap: No permissions to creating new namespace, likely because the kernel does not allow non-privileged user "
    "namespaces. On e.g. debian this can be enabled with 'sysctl kernel.unprivileged_userns_clone=1'."
)
BWRAP = "/usr/bin/bwrap"


# --- the facts ---------------------------------------------------------------------------------------


def machine(root: Path, files: dict[str, str]) -> Machine:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine.look(root, "Linux")


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ('ID=debian\nVERSION_ID="13"', "debian"),
        ("ID=ubuntu\nID_LIKE=debian", "ubuntu"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', "ubuntu"),
        ('ID="elementary"\nID_LIKE=ubuntu', "ubuntu"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "fedora"),
        ("ID=fedora", "fedora"),
        ('ID="ol"\nID_LIKE="fedora"', "fedora"),
        ("ID=arch", ""),
        ("not a release file", ""),
    ],
)
def test_the_family_is_the_distributions_or_of_what_it_is_like(tmp_path: Path, release: str, family: str) -> None:
    assert machine(tmp_path, {"etc/os-release": release}).family == family


@pytest.mark.parametrize(
    ("file", "text", "field", "value"),
    [
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "apparmor_restricts", True),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0\n", "apparmor_restricts", False),
        ("proc/sys/kernel/unprivileged_userns_clone", "0\n", "clone_forbidden", True),
        ("proc/sys/kernel/unprivileged_userns_clone", "1\n", "clone_forbidden", False),
        ("proc/sys/user/max_user_namespaces", "0\n", "no_namespaces", True),
        ("proc/sys/user/max_user_namespaces", "96000\n", "no_namespaces", False),
        ("run/systemd/system/x", "", "systemd", True),
        (".dockerenv", "", "container", "docker"),
        ("run/.containerenv", "", "container", "podman"),
        ("proc/sys/kernel/osrelease", "5.15.153.1-microsoft-standard-WSL2", "container", "wsl"),
    ],
)
def test_each_fact_is_read_from_its_file(tmp_path: Path, file: str, text: str, field: str, value: object) -> None:
    nothing = Machine.look(tmp_path, "Linux")
    assert nothing == Machine()
    assert machine(tmp_path, {file: text}) == replace(nothing, **{field: value})


# --- installing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sandbox", "family", "first"),
    [
        ("bubblewrap", "debian", "`sudo apt install bubblewrap`"),
        ("bubblewrap", "ubuntu", "`sudo apt install bubblewrap`"),
        ("bubblewrap", "fedora", "`sudo dnf install bubblewrap`"),
        ("gvisor", "ubuntu", "`sudo apt install runsc`"),
    ],
)
def test_the_command_of_this_system_comes_first_and_the_others_follow(sandbox: str, family: str, first: str) -> None:
    said = install(sandbox, Machine(family=family))
    assert said.startswith(f"Install it: {first}")
    assert all(command in said for command in INSTALL[sandbox].values())


# --- no namespaces -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "only"),
    [
        (Machine(family="ubuntu", apparmor_restricts=True), APPARMOR),
        (Machine(family="debian", clone_forbidden=True), CLONE),
        (Machine(family="fedora", no_namespaces=True), ZERO_NAMESPACES),
        (Machine(family="debian", container="docker"), DOCKER),
        (Machine(family="fedora", container="podman"), PODMAN),
    ],
)
def test_what_is_the_matter_is_all_that_is_said(facts: Machine, only: str) -> None:
    said = remedy(NO_NAMESPACES, facts, BWRAP)
    assert said.startswith(only)
    assert [text for text in (APPARMOR, CLONE, ZERO_NAMESPACES, DOCKER, PODMAN) if text in said] == [only]


@pytest.mark.parametrize(
    ("family", "first"), [("ubuntu", APPARMOR), ("debian", CLONE), ("fedora", ZERO_NAMESPACES), ("", APPARMOR)]
)
def test_where_nothing_can_be_seen_all_is_said_and_this_systems_first(family: str, first: str) -> None:
    said = remedy(NO_NAMESPACES, Machine(family=family), BWRAP)
    assert said.startswith(first)
    assert all(text in said for text in (APPARMOR, CLONE, ZERO_NAMESPACES, DOCKER, PODMAN))


def test_ubuntu_gets_a_profile_for_the_very_program_and_the_other_way() -> None:
    """As commands that can be pasted; a Python that makes the namespaces itself gets no right of its own."""
    facts = Machine(family="ubuntu", apparmor_restricts=True)
    said = remedy(NO_NAMESPACES, facts, "/opt/venv/bin/bwrap")
    assert re.search(r"sudo tee /etc/apparmor\.d/bwrap <<'END'\n.*profile bwrap /opt/venv/bin/bwrap flags=\(unconfined\) \{\n    userns,\n.*\n  \}\n  END\n  sudo apparmor_parser -r /etc/apparmor\.d/bwrap\n", said, re.S)  # fmt: skip
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in said
    assert "profile" not in remedy(NO_NAMESPACES, facts, None).partition("\n")[2]


@pytest.mark.parametrize(
    ("message", "facts", "words"),
    [
        (OF_BUBBLEWRAP_0_11, Machine(container="docker"), DOCKER),
        (OF_BUBBLEWRAP_0_11, Machine(container="podman"), PODMAN),
        (OF_BUBBLEWRAP_0_11, Machine(apparmor_restricts=True), APPARMOR),
        ("bwrap: Can't mount proc on /newroot/proc", Machine(container="docker"), "systempaths=unconfined"),
        ("bwrap: Can't mount proc on /newroot/proc", Machine(container="podman"), "unmask=ALL"),
        ("bwrap: Can't mount proc on /newroot/proc", Machine(), "unmask=ALL"),
        ("root cannot make a mount namespace here (EPERM)", Machine(), "--cap-add SYS_ADMIN"),
        ("[Errno 13] Permission denied: '/proc/self/setgroups'", Machine(apparmor_restricts=True), APPARMOR),
        ("cannot mount none on / here (Permission denied)", Machine(apparmor_restricts=True), APPARMOR),
        ("bwrap: execvp /root/python: Permission denied", Machine(), "chmod -R go+rX"),
        ("No table of system calls for riscv64", Machine(), "64-bit ARM"),
        ("something else", Machine(), BUG),
    ],
)
def test_each_failure_has_its_remedy(message: str, facts: Machine, words: str) -> None:
    assert words in remedy(message, facts, BWRAP)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Machine(systemd=True), "systemd-run --user --scope --property=Delegate=yes autograder"),
        (Machine(), "start the kit as root."),
        (Machine(systemd=True, container="docker"), "--privileged --cgroupns=private"),
    ],
)
def test_how_to_get_a_control_group(facts: Machine, words: str) -> None:
    assert words in control_group(facts)


def test_the_how_to_has_every_command() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/prepare-a-machine.md").read_text()
    profile = remedies.APPARMOR_PROFILE.format(name="bwrap", program=BWRAP)
    texts = (profile, remedies.APPARMOR_ALL, CLONE, ZERO_NAMESPACES, DOCKER, PODMAN, remedies.MACOS, remedies.WINDOWS)
    commands = [line[2:] for text in texts for line in text.splitlines() if line.startswith("  ")]
    commands += [command for known in INSTALL.values() for command in known.values() if command.startswith("sudo")]
    assert [command for command in commands if command not in page] == []


# --- other systems -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "name", "commands"),
    [
        ("Darwin", "macOS", ["limactl start", "limactl shell grading", "multipass launch", "colima start"]),
        ("Windows", "Windows", ["wsl --install -d Debian"]),
        ("FreeBSD", "FreeBSD", []),
    ],
)
def test_where_there_is_no_linux_it_says_how_to_get_one(system: str, name: str, commands: list[str]) -> None:
    said = not_linux(Machine(system=system))
    assert said.startswith(f"The sandbox needs Linux, this is {name}.")
    assert all(command in said for command in commands)


def test_doctor_on_a_mac_says_how_to_grade_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, no traceback, each command on a line of its own."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(SandboxError, match="this is macOS"):
        default_sandbox()
    said = CliRunner().invoke(main, ["doctor"])
    assert said.exit_code == 3
    assert isinstance(said.exception, SystemExit)
    assert "FAIL bubblewrap                   The sandbox needs Linux, this is macOS." in said.stdout
    assert "\n         limactl shell grading\n" in said.stdout


# --- engines that no course asks for -----------------------------------------------------------------


def test_a_missing_engine_that_nobody_needs_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = (Finding("network", True, "loopback only"),)
    monkeypatch.setattr("autograder.sandbox.self_tests.self_test", lambda sandbox: fine)
    monkeypatch.setattr("autograder.cli.installation.warm_start", lambda *_, **__: ())
    monkeypatch.setattr("autograder.extensions.walls.gvisor.SEARCH_PATH", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    said = CliRunner().invoke(main, ["doctor"])
    assert said.exit_code == 0, said.output
    assert "ok   gvisor                       is not installed" in said.stdout
    assert "→ for courses that say `sandbox: gvisor`: Install it:" in said.stdout


@pytest.mark.sandbox
def test_an_engine_that_the_course_needs_is_no_remark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "source/hw").mkdir(parents=True)
    (tmp_path / "course.yaml").write_text("course: x\nsandbox: gvisor\nassignments:\n  hw:\n")
    monkeypatch.setattr("autograder.extensions.walls.gvisor.SEARCH_PATH", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    said = CliRunner().invoke(main, ["doctor", "--course", str(tmp_path)])
    assert said.exit_code == 3
    assert "FAIL gvisor                       gvisor is asked for, and runsc is not installed." in said.stdout
