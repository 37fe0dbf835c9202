"""The facts about this machine that decide how to repair a sandbox."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

FAMILIES = {
    "ubuntu": ("ubuntu", "linuxmint", "pop"),
    "debian": ("debian", "raspbian"),
    "fedora": ("fedora", "rhel", "centos", "rocky", "almalinux"),
}
"""Family → ids in /etc/os-release. Ubuntu names Debian as its relative, so it is looked for first."""


@dataclass(frozen=True)
class Machine:
    """The facts that a remedy is chosen by."""

    system: str = "Linux"
    """As :func:`platform.system` returns it: ``Linux``, ``Darwin``, ``Windows``."""
    family: str = ""
    """``debian``, ``ubuntu``, ``fedora``; empty for any other."""
    container: str = ""
    """``docker`` or ``podman`` inside such a container; ``wsl`` on Windows' own Linux."""
    apparmor_restricts: bool = False
    """AppArmor lets only programs with a matching profile make user namespaces: Ubuntu from 23.10 on."""
    clone_forbidden: bool = False
    """kernel.unprivileged_userns_clone is 0: Debian before 11, hardened kernels."""
    no_namespaces: bool = False
    """user.max_user_namespaces is 0: RHEL 7, hardened machines."""
    systemd: bool = False

    @classmethod
    def look(cls, root: Path = Path("/"), system: str | None = None) -> Machine:
        """Inspect this machine; ``root`` is the folder that stands for /."""
        sysctl = root / "proc/sys"
        return cls(
            system=system or platform.system(),
            family=_family(_read(root / "etc/os-release") or _read(root / "usr/lib/os-release")),
            container=_container(root),
            apparmor_restricts=_read(sysctl / "kernel/apparmor_restrict_unprivileged_userns") == "1",
            clone_forbidden=_read(sysctl / "kernel/unprivileged_userns_clone") == "0",
            no_namespaces=_read(sysctl / "user/max_user_namespaces") == "0",
            systemd=(root / "run/systemd/system").is_dir(),
        )


def _family(release: str) -> str:
    """Return the family that an os-release file names, by its own id or by a relative's."""
    fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    for key in ("ID", "ID_LIKE"):
        names = fields.get(key, "").strip("\"'").split()
        for family, ids in FAMILIES.items():
            if any(name in ids for name in names):
                return family
    return ""


def _container(root: Path) -> str:
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    return "wsl" if "microsoft" in _read(root / "proc/sys/kernel/osrelease").lower() else ""


def _read(path: Path) -> str:
    """Read a file's text; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
