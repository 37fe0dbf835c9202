"""Test files of an assignment: ``tests/test_*.py``, each test function as a question of the exam.

A test function becomes a test cell that is in no notebook: the file without its other tests, in a function, and a call
of :func:`autograder.check.pytest_runs.run`. Nothing of the file is run here.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from autograder.errors import CourseError
from autograder.examiner.course_modules import TESTS, test_files
from autograder.examiner.names import modules_imported
from autograder.examiner.refusals import aliases, dotted
from autograder.records import Exam, ExamCell, Role

HEADER_LINES = 2
"""Lines of a test cell before the first line of the file."""
_HEAD = "from autograder.check.pytest_runs import run as _pytest_run, student as _pytest_student\ndef _pytest_module():"
_INDENT = "    "
_SKIPPING = ("skip", "skipif", "xfail")
_NAMED = frozenset(name for name in dir(builtins) if not name.startswith("__")) | {"__import__", "__debug__"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class FileTest:
    """One test function of a test file."""

    name: str
    """``tests/test_network.py::TestLayers::test_number``."""
    line: int
    points: float
    visible: bool
    at: str
    """Id of the cell at which it reads the notebook; empty: at the end."""
    code: str
    """Code of its test cell."""
    released: str
    """Text that students get of it: itself if it is visible, else its name in a comment."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A test file that was read."""

    notebook: str
    """Name of the notebook that it tests; empty if the file does not say."""
    tests: tuple[FileTest, ...]
    released: str
    """The file without its hidden tests; empty if all are hidden."""


def with_tests(exams: Mapping[str, Exam], folder: Path) -> tuple[dict[str, Exam], dict[str, dict[str, str]]]:
    """Put the tests of an assignment's test files into its exams.

    Args:
        exams: notebook → its exam.
        folder: the assignment's source folder.

    Returns:
        The exams; and for each notebook the files with visible tests: path → content.

    Raises:
        CourseError: a test file cannot be read, or a test of it cannot be examined; the message names file and line.
    """
    made, visible = dict(exams), {name: dict[str, str]() for name in exams}
    for path in test_files(folder):
        file = f"{TESTS}/{path.name}"
        try:
            source = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise CourseError(f"{file} cannot be read ({error})") from error
        read = read_file(file, source)
        if not read.notebook and len(exams) > 1:
            todo = f'write pytestmark = pytest.mark.notebook("{next(iter(exams))}")'
            raise CourseError(f"{file}: which of the notebooks does it test ({', '.join(exams)})? {todo}")
        notebook = read.notebook or next(iter(exams))
        if notebook not in exams:
            raise CourseError(f"{file}: there is no notebook {notebook!r}; there are {', '.join(exams)}")
        made[notebook] = _extended(made[notebook], file, read.tests)
        if read.released:
            _check_stands_alone(file, read.released, folder / TESTS)
            visible[notebook][file] = read.released
    if test_files(folder) and (folder / TESTS / "conftest.py").exists():
        raise CourseError(f"{TESTS}/conftest.py is not read by the examiner; put its fixtures into the test files")
    return made, visible


def _check_stands_alone(file: str, released: str, folder: Path) -> None:
    """Refuse visible tests that need hidden data, or a module from beside them: no student has these."""
    if "hidden_data" in released:
        raise CourseError(f"{file}: a visible test names check.hidden_data; make it a hidden one")
    beside = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    if needed := sorted({name.partition(".")[0] for name in modules_imported(released)} & beside):
        todo = "a visible test needs what it imports, so write it into the file"
        raise CourseError(f"{file}: it has visible tests and imports {needed[0]}, which is not released; {todo}")


def _extended(exam: Exam, file: str, tests: Sequence[FileTest]) -> Exam:
    cells = list(exam.cells)
    for test in tests:
        cell = ExamCell(Role.TEST, "code", test.name, test.points, test.code, test.released, "", file=file)
        if not test.at:
            cells.append(cell)
            continue
        here = [n for n, one in enumerate(cells) if one.grade_id == test.at and not one.file]
        if not here:
            ids = ", ".join(str(one.grade_id) for one in exam.cells if one.grade_id and not one.file)
            raise CourseError(f"{file}, line {test.line}: {exam.notebook} has no cell {test.at!r}; it has {ids}")
        place = here[0] + 1
        while place < len(cells) and cells[place].file:
            place += 1
        cells.insert(place, cell)
    return replace(exam, cells=tuple(cells))


# --- one file ----------------------------------------------------------------------------------------


def read_file(file: str, source: str) -> ReadFile:
    """Read the tests of a file.

    Args:
        file: its name in messages and in the ids of its tests: ``tests/test_network.py``.
        source: its text.

    Raises:
        CourseError: it is not Python, or a test cannot be examined; the message names file and line.
    """
    return _Reader(file, source).read()


class _Reader:
    """A test file that is read."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.source = file, source
        try:
            self.tree = ast.parse(source)
            compile(source, file, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise CourseError(f"{file}, line {error.lineno}: this is not Python: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise CourseError(f"{file}: this cannot be read: {error}") from None
        self.lines = source.splitlines()
        self.imports = aliases([self.tree])
        self.unindented = {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr | ast.Constant) and (node.end_lineno or 0) > node.lineno
            for line in range(node.lineno + 1, (node.end_lineno or 0) + 1)
        }

    def fail(self, node: ast.AST | int, why: str) -> NoReturn:
        """Refuse a line."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        raise CourseError(f"{self.file}, line {line}: {why}")

    def read(self) -> ReadFile:
        self._check()
        found = list(self._functions())
        if not found:
            raise CourseError(f"{self.file}: there is no test in it; a test is a function whose name begins with test")
        of_file = self._own_marks(self.tree)
        tests = []
        for parents, function in found:
            marks = [of_file, *(self._decorators(one) | self._own_marks(one) for one in parents)]
            tests.append(self._test(parents, function, marks))
        visible = [function for (_, function), test in zip(found, tests, strict=True) if test.visible]
        text = _spaced(self._only(visible)) if visible else ""
        named = of_file.get("notebook")
        return ReadFile(self._text(named) if named else "", tuple(tests), text)

    # --- which functions are tests ---

    def _functions(self) -> Iterator[tuple[tuple[ast.ClassDef, ...], ast.FunctionDef]]:
        """Yield each test with the classes that it is in."""
        seen: set[str] = set()
        for node in self.tree.body:
            parents = (node,) if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else ()
            for one in node.body if parents and isinstance(node, ast.ClassDef) else [node]:
                if not isinstance(one, _Function) or not one.name.startswith("test"):
                    continue
                if isinstance(one, ast.AsyncFunctionDef):
                    self.fail(one, f"{one.name} is async; call asyncio.run(…) in a plain function")
                name = ".".join([*(parent.name for parent in parents), one.name])
                if name in seen:
                    self.fail(one, f"there are two tests {name}; rename one of them")
                seen.add(name)
                yield parents, one

    def _test(
        self,
        parents: tuple[ast.ClassDef, ...],
        function: ast.FunctionDef,
        outer: Sequence[Mapping[str, ast.expr]],
    ) -> FileTest:
        own = self._decorators(function)
        name = "::".join([self.file, *(parent.name for parent in parents), function.name])
        if any("points" in marks for marks in outer):
            self.fail(function, "points belong to a test: write @pytest.mark.points(…) above each test function")
        if "points" not in own:
            self.fail(function, f"{function.name} has no points; write @pytest.mark.points(1) above it")
        visible = False
        for marks in [*outer, own]:
            if "visible" in marks and "hidden" in marks:
                self.fail(function, f"{function.name} is marked as visible and as hidden")
            visible = ("visible" in marks) or (visible and "hidden" not in marks)
        names, at = self._asked(function)
        first = _first_line(function)
        shown = [*self.lines[first - 1 : function.end_lineno]] if visible else []
        dedent = len(self.lines[first - 1]) - len(self.lines[first - 1].lstrip())
        comment = f"# {name}" if visible else f"# {name} (hidden)"
        return FileTest(
            name,
            function.lineno,
            self._points(own["points"]),
            visible,
            at,
            self._code(parents, function, name, names, visible=visible),
            "\n".join([comment, *(line[dedent:] if not line[:dedent].strip() else line for line in shown)]),
        )

    def _code(
        self,
        parents: tuple[ast.ClassDef, ...],
        function: ast.FunctionDef,
        name: str,
        names: Sequence[str],
        *,
        visible: bool,
    ) -> str:
        """Write the code of the test's cell; line n of the file is line n + HEADER_LINES of it."""
        others = [other for _, other in self._functions() if other is not function]
        classes = {within[0] for within, _ in self._functions() if within} - set(parents)
        future = [n for n in self.tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        lines = self._without([*others, *classes, *future])
        body = [line if n in self.unindented or not line else _INDENT + line for n, line in enumerate(lines, 1)]
        asked = ", ".join(f"{one}=lambda: {one}" for one in names)
        call = f"_pytest_run(_pytest_module, {name!r}, _pytest_student({asked}), hidden={not visible})"
        return "\n".join([_HEAD, *body, f"{_INDENT}return locals()", call]) + "\n"

    def _without(self, nodes: Sequence[ast.stmt]) -> list[str]:
        """Empty the lines of these definitions; a class without a body gets one."""
        lines = list(self.lines)
        for one in nodes:
            first, last = _first_line(one), one.end_lineno or one.lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node not in nodes and all(part in nodes for part in node.body):
                lines[node.body[0].lineno - 1] = " " * node.body[0].col_offset + "pass"
        return lines

    def _only(self, tests: Sequence[ast.FunctionDef]) -> list[str]:
        """Empty all lines but those of these tests and of what they need: a constant may be a hidden test's answer."""
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef) and set(tests) & set(node.body)]
        parts = [node for node in self.tree.body if node not in classes] + [m for one in classes for m in one.body]
        others = [node for node in parts if not (isinstance(node, _Function) and node.name.startswith("test"))]
        first = self.tree.body[0]
        kept: list[ast.stmt] = [*tests, *([first] if ast.get_docstring(self.tree) is not None else [])]
        kept += [one for one in others if _is_autouse(one)]
        words = {"pytestmark"} | {
            w for one in classes for d in one.decorator_list for n in ast.walk(d) if (w := _word(n))
        }
        size = -1
        while len(kept) != size:
            size = len(kept)
            words |= {word for one in kept for node in ast.walk(one) if (word := _word(node))}
            kept += [one for one in others if one not in kept and _bound(one) & words]
        shown = {n for one in kept for n in range(_first_line(one), (one.end_lineno or 0) + 1)}
        shown |= {n for one in classes for n in range(_first_line(one), _first_line(one.body[0]))}
        return [line if number in shown else "" for number, line in enumerate(self.lines, 1)]

    # --- marks ---

    def _decorators(self, node: _Function | ast.ClassDef) -> dict[str, ast.expr]:
        """Return the kit's marks above a definition."""
        return self._marks(node.decorator_list)

    def _own_marks(self, node: ast.Module | ast.ClassDef) -> dict[str, ast.expr]:
        """Return the kit's marks that ``pytestmark`` names."""
        for one in node.body:
            if isinstance(one, ast.Assign) and any(getattr(t, "id", "") == "pytestmark" for t in one.targets):
                listed = one.value.elts if isinstance(one.value, ast.List | ast.Tuple) else [one.value]
                return self._marks(listed)
        return {}

    def _marks(self, nodes: Sequence[ast.expr]) -> dict[str, ast.expr]:
        found: dict[str, ast.expr] = {}
        for node in nodes:
            name = dotted(node.func if isinstance(node, ast.Call) else node, self.imports)
            mark = name.removeprefix("pytest.mark.")
            if mark == name:
                continue
            if mark in _SKIPPING:
                self.fail(node, f"a test with points has to decide: it cannot be marked as {mark}")
            if mark in ("points", "notebook") and not (isinstance(node, ast.Call) and len(node.args) == 1):
                self.fail(node, f"{mark} takes one value: @pytest.mark.{mark}({'2' if mark == 'points' else '…'})")
            found[mark] = node
        return found

    def _points(self, mark: ast.expr) -> float:
        value = mark.args[0] if isinstance(mark, ast.Call) else mark
        number = value.value if isinstance(value, ast.Constant) else None
        if type(number) not in (int, float) or not 0 <= number < math.inf:  # type: ignore[operator]
            self.fail(mark, "points are a number from 0, such as @pytest.mark.points(2)")
        return float(number)  # type: ignore[arg-type]

    def _text(self, mark: ast.expr) -> str:
        value = mark.args[0] if isinstance(mark, ast.Call) else mark
        if not isinstance(value, ast.Constant) or type(value.value) is not str:
            self.fail(mark, "write the notebook's name as a text in quotes")
        return str(value.value).removesuffix(".ipynb")

    # --- what a test asks of the notebook ---

    def _asked(self, test: ast.FunctionDef) -> tuple[list[str], str]:
        """Return the names that a test and its fixtures and helpers read, and the cell at which they do."""
        functions = {one.name: one for one in ast.walk(self.tree) if isinstance(one, _Function) and one is not test}
        named = {one.name: one for one in self.tree.body if isinstance(one, ast.ClassDef)} | functions
        always = [one for one in functions.values() if _is_autouse(one)]
        waiting: list[ast.AST] = [test, *always]
        reached: list[ast.AST] = []
        while waiting:
            node = waiting.pop()
            if node in reached:
                continue
            reached.append(node)
            words = {w for one in ast.walk(node) if (w := _word(one))}
            waiting += [one for name, one in named.items() if name in words and not name.startswith(("test", "Test"))]
        names: dict[str, None] = {}
        places: dict[str, ast.AST] = {}
        for node in reached:
            for name, place, where in self._reads(node):
                names[name] = None
                places.setdefault(place, where)
        if len(places) > 1:
            self.fail(test, f"{test.name} reads the notebook at two places; write a test for each")
        return list(names), next(iter(places), "")

    def _reads(self, tree: ast.AST) -> Iterator[tuple[str, str, ast.AST]]:
        """Yield each ``student.name`` and ``student.at("cell").name``: name, cell, node.

        Any other use of ``student`` is refused, as the names could not be read from the file.
        """
        known: set[ast.AST] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(
                    ast.Call(ast.Attribute(ast.Name("student") as base, "at"), [ast.Constant(str(place))], []),
                    name,
                    ast.Load(),
                ):
                    known.add(base)
                    yield name, place, node
                case ast.Attribute(ast.Name("student") as base, name, ast.Load()) if name != "at":
                    known.add(base)
                    yield name, "", node
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "student" and node not in known:
                todo = 'write student.<name> or student.at("cell id").<name>'
                self.fail(node, f"which names this takes from the notebook cannot be read from it; {todo}")

    # --- what is refused ---

    def _check(self) -> None:
        """Refuse what a test file cannot do in the examiner."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Global):
                self.fail(node, "`global` does not work in a test file; use a fixture")
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                self.fail(node, "name what you import: `import *` does not work in a test file")
            if isinstance(node, ast.ImportFrom) and node.level:
                self.fail(
                    node, f"write `import {node.module or '…'}`: modules beside the test file are on Python's path"
                )
            if isinstance(node, _Function | ast.ClassDef) and node.name == "student":
                self.fail(node, "`student` is the kit's fixture; choose another name")
            if (
                isinstance(node, ast.Name)
                and node.id in ("student", "pytest_plugins")
                and isinstance(node.ctx, ast.Store)
            ):
                self.fail(node, f"`{node.id}` cannot be bound in a test file")
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and any("TestCase" in ast.unparse(base) for base in node.bases):
                self.fail(node, f"{node.name} is a unittest.TestCase; write test functions, or a class without bases")
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test") and node.bases:
                self.fail(node, f"{node.name} has a base, and tests that it inherits have no points; write them out")
            if not isinstance(node, _Function | ast.ClassDef):
                list(self._reads(node))
                for one in ast.walk(node):
                    if isinstance(one, _Function) and one.name.startswith("test"):
                        self.fail(one, f"{one.name} is defined within another statement; move it to the file's level")
        if "student" in {w.id for n in self.tree.body if not isinstance(n, _Function | ast.ClassDef)
                         for w in ast.walk(n) if isinstance(w, ast.Name)}:  # fmt: skip
            self.fail(1, "`student` is a fixture: it is there in tests and fixtures only")
        self._check_names()

    def _check_names(self) -> None:
        """Refuse names that the file does not bind: in the examiner they would be the notebook's."""
        top = symtable.symtable(self.source, self.file, "exec")
        bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
        tables = [top]
        unknown: set[str] = set()
        while tables:
            table = tables.pop()
            tables += table.get_children()
            unknown |= {
                symbol.get_name()
                for symbol in table.get_symbols()
                if symbol.is_referenced() and (symbol.is_global() or table is top) and symbol.get_name() not in bound
            }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id in unknown - _NAMED:
                if node.id == "student":
                    self.fail(node, "`student` is a fixture: make it a parameter of the function")
                if node.id.startswith("__"):
                    self.fail(node, f"`{node.id}` means nothing in a test that the examiner runs")
                self.fail(node, f"`{node.id}` is not bound in this file; the notebook's is student.{node.id}")


def _is_autouse(node: ast.stmt) -> bool:
    return isinstance(node, _Function) and any("autouse" in ast.dump(one) for one in node.decorator_list)


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds, at any depth of it."""
    if isinstance(node, _Function | ast.ClassDef):
        named = {
            w for one in node.decorator_list for n in ast.walk(one) if isinstance(n, ast.Constant) and (w := _word(n))
        }
        return {node.name} | named  # a fixture may have another name
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(node, ast.Import | ast.ImportFrom):
        found |= {one.asname or one.name.partition(".")[0] for one in node.names}
    return found


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _spaced(lines: Sequence[str]) -> str:
    """Join lines, with two empty ones at most in a row."""
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip() + "\n"


def _word(node: ast.AST) -> str:
    """Return the word by which a node may mean a function: a name, a parameter, a method, a fixture in quotes."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.Attribute):
        return node.attr if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls") else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
