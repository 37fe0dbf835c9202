"""What the rooms of the package promise, as far as import-linter does not hold them to it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from helpers import code_lines

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "autograder"
IN_KERNELS = ("kernel/**/*.py", "codec/**/*.py", "extensions/*/kernel_side/**/*.py")
MODULES = sorted(path for files in IN_KERNELS for path in PACKAGE.glob(files) if "aliases" not in path.parts)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that runs when the module is imported: no bodies of functions, nothing for type checkers alone."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(inner, ast.If) and ast.unparse(inner.test) == "TYPE_CHECKING":
            continue
        yield inner
        yield from _at_import(inner)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_that_a_kernel_sees_begins_with_the_standard_library_and_its_neighbors_alone(path: Path) -> None:
    """Every course environment has these, down to the oldest Python; it may lack numpy."""
    statements = list(_at_import(ast.parse(path.read_text())))
    imported = {alias.name for node in statements if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in statements if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def _layers() -> list[str]:
    """The rooms from top to bottom, as import-linter knows them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [one for one in settings["tool"]["importlinter"]["contracts"] if one["id"] == "rooms"]
    return [room for layer in contract["layers"] for room in layer.split(" | ") if room != "__main__"]


def test_the_table_of_rooms_is_the_one_that_import_linter_holds() -> None:
    table = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("## Rooms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.M)
    assert [name.rstrip("/") for row in rows for name in re.findall(r"`([^`]+)`", row)] == _layers()


def _lines_of_code(room: str) -> int:
    files = sorted((PACKAGE / room).rglob("*.py")) if room.endswith("/") else [PACKAGE / f"{room}.py"]
    return sum(code_lines.count(file.read_text(encoding="utf-8")) for file in files)


@pytest.mark.prose
def test_the_table_of_rooms_says_how_large_each_is() -> None:
    """Within a tenth, or a hundred lines."""
    table = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("## Rooms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([\d,]+) \|", table, re.M)
    written = {rooms: int(lines.replace(",", "")) for rooms, lines in rows}
    counted = {rooms: sum(map(_lines_of_code, re.findall(r"`([^`]+)`", rooms))) for rooms in written}
    assert len(written) > 20
    assert written == pytest.approx(counted, rel=0.1, abs=100)
    core = sum(lines for rooms, lines in counted.items() if rooms != "`extensions/`")
    (core_written,) = re.findall(r"has ([\d,]+) lines of code", table)
    assert core == pytest.approx(int(core_written.replace(",", "")), rel=0.05)


def test_the_picture_of_the_walls_shows_every_package() -> None:
    picture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("## Rooms")[1].split("```")[1]
    packages = {room for room in _layers() if (PACKAGE / room).is_dir()}
    assert packages <= set(re.findall(r"[a-z_]+", picture))


OUTSIDE = ("coordinator.assignment", "coordinator.service", "coordinator.proof", "extensions.cluster.host")
INSIDE = ("examination.main",)
BOTH_SIDES = {"_util", "codec", "errors", "exchange", "kernel", "records", "syntax"}
NAMED = {
    "aliases",
    "check.exact_integer", "check.handle", "check.numeric", "check.provenance", "check.words",
    "examiner.empty_answer", "examiner.forms", "examiner.permissions", "sandbox.base", "sandbox.kernel_job",
    "submissions.answer_copies", "submissions.export_names", "submissions.student_habits",
}  # fmt: skip


def _reached(graph: grimp.ImportGraph, programs: tuple[str, ...]) -> set[str]:
    """All modules that the programs import, and those that these import."""
    waiting = [f"autograder.{program}" for program in programs]
    reached = set(waiting)
    while waiting:
        imported = graph.find_modules_directly_imported_by(waiting.pop()) - reached
        reached |= imported
        waiting += imported
    return {module.removeprefix("autograder.") for module in reached}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("autograder", exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.integration
def test_what_both_sides_of_the_examiners_wall_import_is_in_few_rooms(graph: grimp.ImportGraph) -> None:
    shared = _reached(graph, OUTSIDE) & _reached(graph, INSIDE)
    assert {module for module in shared if module.partition(".")[0] not in BOTH_SIDES} == NAMED


@pytest.mark.prose
def test_the_docs_say_how_many_modules_both_sides_import(graph: grimp.ImportGraph) -> None:
    shared = _reached(graph, OUTSIDE) & _reached(graph, INSIDE)
    (number,) = re.findall(r"\s(\d+) modules, are what both sides", (ROOT / "docs/architecture.md").read_text("utf-8"))
    assert len(shared) == pytest.approx(int(number), abs=3)


@pytest.mark.integration
def test_what_a_sandbox_shows_of_an_extension_imports_its_folder_and_the_kernels_packages_alone(
    graph: grimp.ImportGraph,
) -> None:
    """There is nothing else in the sandbox. import-linter can forbid packages, but cannot allow these only."""
    shown = {
        module: module.partition(".kernel_side")[0] + ".kernel_side"
        for module in graph.modules
        if module.startswith("autograder.extensions.") and ".kernel_side" in module
    }
    faults = {
        f"{module} imports {imported}"
        for module, folder in shown.items()
        for imported in graph.find_modules_directly_imported_by(module)
        if not f"{imported}.".startswith((f"{folder}.", "autograder.kernel.", "autograder.codec."))
    }
    assert len(shown) >= 6
    assert faults == set()
