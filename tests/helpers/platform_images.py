"""A platform's container below another root: built from a package, and run as root without namespaces.

The image's setup.sh is replaced: the libraries that the package names, and no others, are linked from the environment of
the tests, and its wheel is unpacked beside them.
"""

from __future__ import annotations

import atexit
import functools
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.extensions.platforms.platform_table import ARTEMIS, GRADESCOPE, Platform
from helpers import container, readable_python

SECONDS = 180
FOLDERS = {"prairielearn": "question/tests", "artemis": "tests"}
"""Platform → folder of its package with what a container has when it grades."""


@dataclass(frozen=True)
class Ended:
    """What a run of ``run_autograder`` left."""

    status: int
    stdout: str
    text_of_results: str

    @property
    def results(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text_of_results)
        return content

    @property
    def scores(self) -> dict[str, float | None]:
        return {test["name"]: test.get("score") for test in self.results["tests"]}

    @property
    def text(self) -> str:
        """All that a student may see."""
        return json.dumps({key: value for key, value in self.results.items() if key != "extra_data"})


@dataclass(frozen=True)
class Image:
    """What ``setup.sh`` leaves behind: the package's files, and a Python with its libraries."""

    folder: Path
    platform: Platform = GRADESCOPE

    @property
    def source(self) -> Path:
        """Files that a container has when it grades."""
        return self.folder / "source"

    @property
    def python(self) -> Path:
        return self.folder / "notebook/bin/python"

    @contextmanager
    def container(
        self,
        files: Mapping[str, bytes | str],
        about: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
        """Start the grading of a submission; yields the root and the process."""
        parent = Path(tempfile.mkdtemp(prefix="autograder-", dir="/var/tmp"))
        root = parent / "root"
        try:
            parent.chmod(0o755)
            shutil.copytree(self.source, root / self.platform.source, dirs_exist_ok=True)
            root.chmod(0o755)
            (root / self.platform.submission).mkdir()
            if self.platform is GRADESCOPE:
                (root / "results").mkdir()
                shutil.copy(self.source / "run_autograder", root)
                (root / "submission_metadata.json").write_text(json.dumps(about or {}))
            if self.platform is ARTEMIS:  # it copies repositories to a place beside the working folder first
                shutil.copytree(self.source, parent / "copy-of-tests")
            for name, content in files.items():
                path = root / self.platform.submission / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            given = {"AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": str(self.python), **(environment or {})}
            script = readable_python.opening(sys.executable)
            program = root / ("" if self.platform is GRADESCOPE else self.platform.source) / "run_autograder"
            command = ["/bin/sh", "-c", script, "sh", container.__file__, "bash", str(program)]
            with subprocess.Popen(
                command,
                cwd=root,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **given},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                try:
                    yield root, process
                finally:
                    process.kill()
        finally:
            shutil.rmtree(parent, ignore_errors=True)

    def run(self, files: Mapping[str, bytes | str], **more: Any) -> Ended:
        with self.container(files, **more) as (root, process):
            stdout, _ = process.communicate(timeout=SECONDS)
            path = root / self.platform.results
            return Ended(process.returncode, stdout, path.read_text() if path.exists() else "")


def built(package: Path, platform: Platform = GRADESCOPE) -> Image:
    """Do what ``setup.sh`` does, without a download; skips the test where nobody is root.

    Args:
        package: Gradescope's zip, or the folder for another platform.
        platform: the platform.
    """
    if os.geteuid() != 0:
        pytest.skip("the platform runs autograders as root")
    folder = Path(tempfile.mkdtemp(prefix="image-", dir="/var/tmp"))
    folder.chmod(0o755)
    image = Image(folder, platform)
    if platform is GRADESCOPE:
        image.source.mkdir()
        subprocess.run(["unzip", "-q", str(package), "-d", str(image.source)], check=True)
        libraries = image.source
    else:
        shutil.copytree(package / FOLDERS[platform.name], image.source)
        libraries = package / "image"
    names = re.findall(r"^([a-z0-9-]+)==", (libraries / "requirements.txt").read_text(), re.MULTILINE)
    (wheel,) = libraries.glob("*.whl")
    subprocess.run(["cp", "-al", _environment(tuple(names), wheel.read_bytes()), folder / "notebook"], check=True)
    return image


@functools.cache
def _environment(names: tuple[str, ...], wheel: bytes) -> Path:
    """Make an environment with libraries of the tests' own and the kit's wheel, for all images that want the same."""
    folder = Path(tempfile.mkdtemp(prefix="environment-", dir="/var/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "notebook")], check=True)
    packages = next((folder / "notebook/lib").glob("python*/site-packages"))
    for name in names:
        _link(metadata.distribution(name), packages)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        archive.extractall(packages)
    for path in (packages / "autograder").rglob("*.py"):
        own = Path(autograder.__file__).parents[1] / path.relative_to(packages)
        if own.is_file() and own.read_bytes() == path.read_bytes():  # it is compiled already
            path.unlink()
            _link_module(own, path)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "2", str(packages)], check=False)
    return folder / "notebook"


def _link(distribution: metadata.Distribution, packages: Path) -> None:
    for file in distribution.files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            source, target = Path(str(distribution.locate_file(file))), packages / str(file)
            if source.is_file():
                _link_module(source, target)


def _link_module(source: Path, target: Path) -> None:
    """Link a file, and its byte code where others may read that."""
    _link_file(source, target)
    compiled = Path(cache_from_source(str(source)))
    if source.suffix == ".py" and compiled.is_file() and compiled.stat().st_mode & 0o004:
        _link_file(compiled, Path(cache_from_source(str(target))))


def _link_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)  # byte code names the time of its source
