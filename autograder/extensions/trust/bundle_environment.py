"""Environment of a grade: versions, packages and processor of the machine, and what differs between two of them."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder._util.digests import digest, own_code

_CPU_LINES = {"model name": "model", "flags": "features", "Features": "features"}
"""Names in /proc/cpuinfo: of a processor's model, and of its features on x86 and on ARM."""
_INSTALLED = re.compile(r"([A-Za-z0-9._-]+)-([^-]+)\.(?:dist|egg)-info")
MAX_NAMED = 12
"""Largest number of packages, or of features of a processor, that a sentence names."""


@dataclass(frozen=True)
class Environment:
    """A machine, as far as it can change a grade."""

    kit: str = ""
    """Version of the kit."""
    code: str = ""
    """Digest of the kit's own modules."""
    python: str = ""
    system: str = ""
    """Operating system and architecture: ``Linux x86_64``."""
    cpu: str = ""
    """Model of the processor."""
    cpu_features: tuple[str, ...] = ()
    """Instructions that libraries choose their code by (``avx2``), sorted."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Package → version, of the Python that runs the notebooks."""
    cores: str = ""
    """Number of cores that this process may use: libraries may split their work by it."""
    blas: str = ""
    """Library of linear algebra that the kit's numpy computes with: ``scipy-openblas 0.3.30``."""
    time_zone: str = ""
    """Names of the time zone, without and with summer time: ``CET/CEST``."""


def environment_here(python: str | None = None) -> Environment:
    """Describe this machine.

    Args:
        python: the interpreter of the notebooks; None: the kit's own.
    """
    cpu = _cpu()
    return Environment(
        kit=__version__,
        code=digest(own_code()),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cpu=cpu.get("model", platform.processor()),
        cpu_features=tuple(sorted(cpu.get("features", "").split())),
        packages=dict(sorted(_packages(python))),
        cores=str(len(os.sched_getaffinity(0))),
        blas=_blas() if python is None else "",
        time_zone="/".join(time.tzname),
    )


def _blas() -> str:
    """Name the library of linear algebra; empty where numpy does not say it, or is missing."""
    try:
        import numpy

        configuration: Any = numpy.show_config(mode="dicts")
        blas = configuration["Build Dependencies"]["blas"]
        return f"{blas['name']} {blas['version']}"
    except (ImportError, KeyError, TypeError):
        return ""


def _cpu() -> dict[str, str]:
    """Read the first processor of /proc/cpuinfo; empty where there is no such file."""
    processor: dict[str, str] = {}
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return processor
    for line in lines:
        name, _, value = line.partition(":")
        if (field := _CPU_LINES.get(name.strip())) is not None:
            processor.setdefault(field, value.strip())
    return processor


def _packages(python: str | None) -> Iterator[tuple[str, str]]:
    if python is None:
        for distribution in metadata.distributions():
            name = distribution.metadata["Name"]
            if name:
                yield name.lower().replace("_", "-"), distribution.version
        return
    for path in Path(python).parent.parent.glob("lib*/python*/*-packages/*-info"):
        if match := _INSTALLED.fullmatch(path.name):
            yield match[1].lower().replace("_", "-"), match[2]


def differences(then: Environment, now: Environment) -> list[str]:
    """Name what differs between two machines, a sentence each; what is not known of one of them is left out."""
    sentences = []
    for attribute in _TITLES:
        before, after = getattr(then, attribute), getattr(now, attribute)
        if before and after and before != after:
            sentences.append(f"{_TITLES[attribute]}: {before} → {after}")
    if then.kit == now.kit and then.code and now.code and then.code != now.code:
        sentences.append(f"{_TITLES['kit']}: its code was changed, at the same version {now.kit}")
    if then.packages and now.packages:
        names = sorted(name for name in {*then.packages, *now.packages} if name != "nbexaminer")
        changed = [name for name in names if then.packages.get(name) != now.packages.get(name)]
        changes = [f"{name} {then.packages.get(name, 'none')} → {now.packages.get(name, 'none')}" for name in changed]
        sentences += [f"packages: {_listed(changes)}"] if changes else []
    if then.cpu_features and now.cpu_features:
        lost = sorted(set(then.cpu_features) - set(now.cpu_features))
        new = sorted(set(now.cpu_features) - set(then.cpu_features))
        sentences += [f"processor's instructions: {_listed(lost)} missing here"] if lost else []
        sentences += [f"processor's instructions: {_listed(new)} only here"] if new else []
    return sentences


_TITLES = {
    "kit": "kit",
    "python": "Python",
    "system": "system",
    "cpu": "processor",
    "cores": "cores",
    "blas": "linear algebra",
    "time_zone": "time zone",
}
"""Fields that are compared as they are, and their names for people."""


def _listed(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
