"""Answers in files, for a rehearsal: the modules that students write in, and the visible tests in tests/."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeGuard

from autograder._util.syntax import parsed

TESTS = "tests"
NO_PYTEST = "pytest is not installed here, so the tests in tests/ were not run: `pip install pytest`."
_IMPORT = "import importlib\nimportlib.import_module({module!r})\ndel importlib"
_RUN = """\
def _run_test(node):
    import contextlib, io, os, pytest
    failures = []
    class Seen:
        def pytest_configure(self, config):
            for mark in ("points(number)", "visible", "hidden", "notebook(name)"):
                config.addinivalue_line("markers", mark)
        def pytest_runtest_logreport(self, report):
            if report.failed:
                crash = getattr(report.longrepr, "reprcrash", None)
                failures.append(crash.message if crash else str(report.longrepr))
        def pytest_collectreport(self, report):
            if report.failed:
                failures.append(str(report.longrepr).strip().splitlines()[-1].removeprefix("E").strip())
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        status = pytest.main(["-q", "-s", "-p", "no:cacheprovider", node], plugins=[Seen()])
    if failures or status not in (0, 5):
        raise AssertionError(failures[0] if failures else f"pytest ended with status {{int(status)}}")
_run_test({node!r})
del _run_test
"""
"""Source that runs one test by the pytest of the kernel's Python, and raises what the test said."""


def copy_tests(notebook: Path, folder: Path) -> None:
    """Copy the tests beside a notebook, with their data, where no release brings them."""
    if (notebook.parent / TESTS).is_dir() and not (folder / TESTS).exists():
        ignored = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(notebook.parent / TESTS, folder / TESTS, ignore=ignored)


def test_sources(folder: Path) -> list[str]:
    """Read the test files of a folder: what they import goes along."""
    return [path.read_text("utf-8", "replace") for path in _files(folder)]


def file_steps(folder: Path, modules: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield name and source of what is run after the notebook, and whether it is a test.

    Args:
        folder: the folder with the files.
        modules: dotted names of the modules that students write in.
    """
    for module in modules:
        yield module, _IMPORT.format(module=module), False
    for path in _files(folder) if has_pytest() else ():
        test_file = path.relative_to(folder).as_posix()
        for name in _tests(path):
            yield f"{test_file}::{name}", _RUN.format(node=f"{test_file}::{name}"), True


def has_pytest() -> bool:
    """Tell whether this Python has pytest."""
    return find_spec("pytest") is not None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / TESTS).rglob("test_*.py") if path.is_file())


def _tests(path: Path) -> Iterator[str]:
    """Yield the tests of a file that ask no notebook: those have the fixture ``student``."""
    tree = parsed(path.read_bytes())
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}::{inner.name}" for inner in node.body if _is_test(inner))
        elif _is_test(node):
            yield node.name


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return (
        isinstance(node, ast.FunctionDef)
        and node.name.startswith("test")
        and "student" not in {argument.arg for argument in node.args.args}
    )
