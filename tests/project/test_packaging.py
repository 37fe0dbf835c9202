"""The lock, the installation and the public surface."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
DOCS_LOCK = (ROOT / "requirements-docs.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENTRY = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: ; (.+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(*groups: list[str]) -> list[str]:
    listed = [line for group in groups for line in group]
    return sorted({canonical(re.split(r"[<>=!~;\s\[]", line)[0]) for line in listed})


OF_PYTORCH = {"torch", "pytorch"}
"""Extras that are neither locked nor in ``all``: each index has other wheels of PyTorch, PyPI's of some gigabytes."""


def requirements() -> list[str]:
    project = PROJECT["project"]
    extras = [listed for name, listed in project["optional-dependencies"].items() if name not in OF_PYTORCH]
    listed = names_of(project["dependencies"], *extras, PROJECT["dependency-groups"]["dev"])
    return [name for name in listed if name != project["name"]]


def test_the_extra_all_is_every_other_one_but_those_of_pytorch() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert extras["all"] == [f"nbexaminer[{','.join(sorted(extras.keys() - {'all'} - OF_PYTORCH))}]"]


def test_every_extension_has_an_extra() -> None:
    extensions = {path.parent.name for path in (ROOT / "autograder/extensions").glob("*/__init__.py")}
    assert extensions <= PROJECT["project"]["optional-dependencies"].keys()


@pytest.mark.parametrize("requirement", requirements())
def test_every_requirement_is_locked(requirement: str) -> None:
    """Of the project, of its extras and of its developers."""
    assert requirement in {canonical(name) for name, *_ in ENTRY.findall(LOCK)}


@pytest.mark.parametrize("requirement", names_of(PROJECT["dependency-groups"]["docs"]))
def test_every_requirement_of_the_docs_is_locked(requirement: str) -> None:
    assert requirement in {canonical(name) for name, *_ in ENTRY.findall(DOCS_LOCK)}


each_lock = pytest.mark.parametrize("lock", [LOCK, DOCS_LOCK], ids=["project", "docs"])


@each_lock
def test_every_entry_of_a_lock_is_pinned_and_has_hashes(lock: str) -> None:
    """Nothing but entries: the hashes decide what is installed, wherever it comes from."""
    assert ENTRY.sub("", lock).strip() == ""


@each_lock
def test_a_lock_names_no_index(lock: str) -> None:
    assert "://" not in lock
    assert not re.search(r"^\s*-(?!-hash)", lock, re.M)


def test_the_lock_serves_every_supported_python() -> None:
    """A requirement that is locked for some Pythons only is locked for the others too."""
    names = [canonical(name) for name, _, marker, _ in ENTRY.findall(LOCK) if "python" in marker]
    for name in {n for n in names if n in requirements()}:
        markers = [m for n, _, m, _ in ENTRY.findall(LOCK) if canonical(n) == name]
        assert len(markers) > 1, f"{name} is locked only where {markers[0]}"


def test_the_license_is_the_one_that_pyproject_names() -> None:
    assert PROJECT["project"]["license"] == "BSD-3-Clause"
    assert "BSD 3-Clause License" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize(
    "name", ["scripts/install", "scripts/lock", "scripts/docs", "scripts/install-torch", ".ci/run"]
)
def test_scripts_are_strict_bash(name: str) -> None:
    path = ROOT / name
    assert path.stat().st_mode & 0o111, "executable"
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert subprocess.run(["bash", "-n", path], capture_output=True, check=False).returncode == 0


def test_the_wheel_says_that_it_is_typed() -> None:
    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {"autograder/py.typed", "autograder/__init__.py"} <= files


def test_continuous_integration_runs_what_developers_run() -> None:
    assert "exec make test" in (ROOT / ".ci/run").read_text()


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    assert targets == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.M)
    assert phony is not None
    assert targets == set(phony[1].split())


def fake_checkout(folder: Path) -> Path:
    """A checkout whose Python and uv only say what they were asked."""
    for name in ("requirements.lock", "pyproject.toml", "scripts/install"):
        path = folder / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((ROOT / name).read_bytes())
        path.chmod(0o755)
    tools = folder / "tools"
    tools.mkdir()
    (tools / "python3").write_text(
        "#!/bin/bash\n"
        'echo "python3 $*" >>"$LOG"\n'
        'case "$1" in --version) echo Python 3.12.1;; esac\n'
        '[ "${1-} ${2-}" = "-m venv" ] || exit 0\n'
        "mkdir -p .venv/bin\n"
        'cp "$0" .venv/bin/python; cp "$0" .venv/bin/autograder; cp "$0" .venv/bin/pip\n'
    )
    (tools / "python3").chmod(0o755)
    return folder / "checkout"


def install(checkout: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    log = checkout.parent / "log"
    log.write_text("")
    path = f"{checkout.parent / 'tools'}:/usr/bin:/bin"
    done = subprocess.run(
        [checkout / "scripts/install"],
        env={"PATH": path, "LOG": str(log), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, [line for line in log.read_text().splitlines() if " -c " not in line and "--version" not in line]


def test_install_says_that_no_environment_works_below_a_line_break(tmp_path: Path) -> None:
    folder = tmp_path / "a line\nbreak"
    folder.mkdir()
    done, calls = install(fake_checkout(folder))
    assert (done.returncode, calls) == (1, [])
    assert "the path of this folder has a line break in it" in done.stderr
    assert "rename or move the folder" in done.stderr


def test_install_makes_an_environment_from_the_hashes_once(tmp_path: Path) -> None:
    """First everything, then the project; the second time nothing at all."""
    checkout = fake_checkout(tmp_path)
    done, calls = install(checkout)
    assert done.returncode == 0, done.stderr
    assert [re.sub(r"--(?:disable|no-input|progress-bar off|quiet)\S* ?", "", c) for c in calls] == [
        "python3 -m venv .venv",
        "python3 -m pip install --require-hashes -r requirements.lock",
        "python3 -m pip install --no-deps --no-build-isolation --no-index -e .",
        "python3 -m compileall -q autograder",
    ]
    assert install(checkout)[1] == []


@pytest.mark.parametrize(
    ("changed", "calls"), [("requirements.lock", 4), ("pyproject.toml", 2), (".venv/.installed-lock", 4)]
)
def test_install_does_again_what_a_change_asks_for(changed: str, calls: int, tmp_path: Path) -> None:
    """A new lock, or an unfinished environment: from the start; a new pyproject.toml: the project alone."""
    checkout = fake_checkout(tmp_path)
    install(checkout)
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    assert len(install(checkout)[1]) == calls


def test_install_says_which_python_it_wants(tmp_path: Path) -> None:
    checkout = fake_checkout(tmp_path)
    done, _ = install(checkout, PYTHON="/bin/false")
    assert done.returncode == 1
    assert "PYTHON=/bin/false is no Python 3.11, 3.12 or 3.13" in done.stderr


PIP = """#!/bin/bash
echo "pip ${*:3}" >>"$LOG"
case "$INDEX" in
    small) mkdir -p .venv/lib/python3.12/site-packages/torch-$VERSION+cpu.dist-info ;;
    large) [[ "$*" != *--constraint* ]] || { echo "ERROR: these package versions have conflicting dependencies."; exit 1; } ;;
    unreachable) exit 1 ;;
esac
"""
TORCH = re.findall(r"^torch==(.+)$", (ROOT / "requirements-torch.txt").read_text(), re.M)[0]


class TorchCheckout:
    """A checkout whose pip only says what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        for name in ("requirements-torch.txt", "scripts/install-torch"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod(0o755)
        (folder / ".venv/bin").mkdir(parents=True)
        (folder / ".venv/bin/python").write_text(PIP)
        (folder / ".venv/bin/python").chmod(0o755)

    def install(self, *arguments: str, index: str) -> tuple[int, str, int]:
        """Exit code, output, and how often pip was called."""
        self.log.write_text("")
        environment = {"PATH": "/usr/bin:/bin", "LOG": str(self.log), "INDEX": index, "VERSION": TORCH}
        script = self.folder / "scripts/install-torch"
        done = subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr, len(self.log.read_text().splitlines())


def test_tests_get_pytorch_once_where_the_index_has_a_small_wheel(tmp_path: Path) -> None:
    checkout = TorchCheckout(tmp_path)
    assert checkout.install("--if-small", index="small") == (0, "", 1)
    assert "--constraint" in checkout.log.read_text()
    assert checkout.install("--if-small", index="unreachable") == (0, "", 0)
    assert checkout.install(index="unreachable") == (0, "", 0)


def test_a_wheel_for_gpus_is_taken_only_by_hand_and_asked_for_once(tmp_path: Path) -> None:
    checkout = TorchCheckout(tmp_path)
    for calls in (1, 0):
        code, said, asked = checkout.install("--if-small", index="large")
        assert (code, asked) == (0, calls)
        assert re.fullmatch(r"install-torch: .*tests that need it are skipped.*\n", said)
    assert checkout.install(index="small") == (0, "", 1)
    assert "--constraint" not in checkout.log.read_text()


def test_no_network_stops_no_tests_and_is_no_answer(tmp_path: Path) -> None:
    checkout = TorchCheckout(tmp_path)
    for _ in range(2):
        code, said, asked = checkout.install("--if-small", index="unreachable")
        assert (code, asked, said.count("\n")) == (0, 1, 1)
    assert checkout.install(index="unreachable")[0] == 1
