"""Reader of one test file: its tests, their points and visibility, and the code of their cells."""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.errors import CourseError
from autograder.extensions.pytest_files.pytest_file_syntax import Function, ParsedTestFile
from autograder.syntax.pytest_cells import INDENT, MODULE, write_cell
from autograder.syntax.refusals import dotted

_IMPORT = "from autograder.check.pytest_runs import run as _pytest_run, student as _pytest_student"
_PATH = "from os.path import abspath as _pytest_path"
_SKIPPING = ("skip", "skipif", "xfail")
_MARKS = ("points", "visible", "hidden", "notebook", "parametrize", "usefixtures", *_SKIPPING)
"""Marks that mean something here; a course may have others of its own."""


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


def read_file(file: str, source: str, *, package: str = "", conftest: str = "", has_data: bool = False) -> ReadFile:
    """Read the tests of a file.

    Args:
        file: its name in messages and in the ids of its tests: ``tests/test_network.py``.
        source: its text.
        package: the package that it is in, for relative imports; empty: none.
        conftest: name by which its tests import their ``conftest.py``; empty: there is none.
        has_data: whether files lie beside the tests, to which a fixture may lead.

    Raises:
        CourseError: it is not Python, or a test cannot be examined; the message names file and line.
    """
    return _TestFileReader(file, source, package).read(conftest, has_data)


class _TestFileReader(ParsedTestFile):
    """A test file that is read."""

    def read(self, conftest: str, has_data: bool) -> ReadFile:
        self.check()
        self.has_path = has_data or any(isinstance(n, ast.Name) and n.id == "__file__" for n in ast.walk(self.tree))
        self.conftest = conftest
        self.functions = list(self._functions())
        marks_of_all = [
            dotted(node, self.imports)
            for _, function in self.functions
            for node in map(_called, function.decorator_list)
        ]
        self.has_points = "pytest.mark.points" in marks_of_all
        if not self.functions:
            raise CourseError(f"{self.file}: there is no test in it; a test is a function whose name begins with test")
        of_file = self._own_marks(self.tree)
        tests: list[FileTest] = []
        visible: list[ast.FunctionDef] = []
        for parents, function in self.functions:
            marks = [of_file, *(self._decorators(one) | self._own_marks(one) for one in parents)]
            if not {*self._decorators(function)}.union(*marks) & {*_SKIPPING}:
                tests.append(self._test(parents, function, marks))
                visible += [function] if tests[-1].visible else []
        text = _spaced(self._only(visible)) if visible else ""
        notebook = of_file.get("notebook")
        return ReadFile(self._text(notebook) if notebook else "", tuple(tests), text)

    # --- which functions are tests ---

    def _functions(self) -> Iterator[tuple[tuple[ast.ClassDef, ...], ast.FunctionDef]]:
        """Yield each test with the classes that it is in."""
        names: set[str] = set()
        for node in self.tree.body:
            parents = (node,) if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else ()
            for statement in node.body if parents and isinstance(node, ast.ClassDef) else [node]:
                if not isinstance(statement, Function) or not statement.name.startswith("test"):
                    continue
                if isinstance(statement, ast.AsyncFunctionDef):
                    self.fail(statement, f"{statement.name} is async; call asyncio.run(…) in a plain function")
                name = ".".join([*(parent.name for parent in parents), statement.name])
                if name in names:
                    self.fail(statement, f"there are two tests {name}; rename one of them")
                names.add(name)
                yield parents, statement

    def _test(
        self,
        parents: tuple[ast.ClassDef, ...],
        function: ast.FunctionDef,
        outer: Sequence[Mapping[str, ast.expr]],
    ) -> FileTest:
        marks_of_test = self._decorators(function)
        name = "::".join([self.file, *(parent.name for parent in parents), function.name])
        if any("points" in marks for marks in outer):
            self.fail(function, "points belong to a test: write @pytest.mark.points(…) above each test function")
        if "points" not in marks_of_test and self.has_points:
            self.fail(function, f"{function.name} has no points; write @pytest.mark.points(1) above it")
        visible = False
        for marks in [*outer, marks_of_test]:
            if "visible" in marks and "hidden" in marks:
                self.fail(function, f"{function.name} is marked as visible and as hidden")
            visible = ("visible" in marks) or (visible and "hidden" not in marks)
        names, at = self._asked(function)
        first = _first_line(function)
        visible_lines = [*self.lines[first - 1 : function.end_lineno]] if visible else []
        dedent = len(self.lines[first - 1]) - len(self.lines[first - 1].lstrip())
        comment = f"# {name}" if visible else f"# {name} (hidden)"
        return FileTest(
            name,
            function.lineno,
            self._points(marks_of_test["points"]) if self.has_points else 1.0,
            visible,
            at,
            self._code(parents, function, name, names, visible=visible),
            "\n".join([comment, *(line[dedent:] if not line[:dedent].strip() else line for line in visible_lines)]),
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
        """Write the code of the test's cell; its lines keep their order, see :func:`file_line`."""
        called_tests = self._with_called_tests(function)
        other_tests = [other for _, other in self.functions if other not in called_tests]
        classes = {within[0] for within, _ in self.functions if within} - set(parents)
        future = [n for n in self.tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        lines = self._without([*other_tests, *classes, *future, *self.stars])
        body = [line if n in self.unindented or not line else INDENT + line for n, line in enumerate(lines, 1)]
        answers = ", ".join(f"{one}=lambda: {one}" for one in names)
        head = [_IMPORT, *(ast.unparse(star) for star in self.stars)]  # a star has to be outside of a function
        fixtures = ""
        if self.conftest:
            head.append(f"import {self.conftest} as _pytest_conftest")
            fixtures = ", conftest=_pytest_conftest"
        call = f"_pytest_run({MODULE}, {name!r}, _pytest_student({answers}), hidden={not visible}{fixtures})"
        # A path in a test's cell gives it the working folder, where the file would be.
        path = f"__file__=_pytest_path({self.file!r})" if self.has_path else ""
        head += [_PATH] if path else []
        return write_cell(head, body, call, path)

    def _with_called_tests(self, function: ast.FunctionDef) -> list[ast.FunctionDef]:
        """Return a test with those of the file's level that it calls."""
        called = [function]
        for test in called:
            names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
            functions = [other for parents, other in self.functions if not parents and other.name in names]
            called += [other for other in functions if other not in called]
        return called

    def _without(self, nodes: Sequence[ast.stmt]) -> list[str]:
        """Empty the lines of these definitions; a class without a body gets one."""
        lines = list(self.lines)
        for definition in nodes:
            first, last = _first_line(definition), definition.end_lineno or definition.lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node not in nodes and all(part in nodes for part in node.body):
                lines[node.body[0].lineno - 1] = " " * node.body[0].col_offset + "pass"
        return lines

    def _only(self, tests: Sequence[ast.FunctionDef]) -> list[str]:
        """Empty all lines but those that these tests need.

        A constant elsewhere may be a hidden test's answer.
        """
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef) and set(tests) & set(node.body)]
        parts = [node for node in self.tree.body if node not in classes] + [m for one in classes for m in one.body]
        shared_parts = [node for node in parts if not (isinstance(node, Function) and node.name.startswith("test"))]
        first = self.tree.body[0]
        needed: list[ast.stmt] = [*tests, *([first] if ast.get_docstring(self.tree) is not None else [])]
        needed += [one for one in shared_parts if _is_autouse(one)]
        words = {"pytestmark"} | {
            w for one in classes for d in one.decorator_list for n in ast.walk(d) if (w := _word(n))
        }
        size = -1
        while len(needed) != size:
            size = len(needed)
            words |= {word for one in needed for node in ast.walk(one) if (word := _word(node))}
            needed += [one for one in shared_parts if one not in needed and _bound(one) & words]
        numbers = {n for one in needed for n in range(_first_line(one), (one.end_lineno or 0) + 1)}
        numbers |= {n for one in classes for n in range(_first_line(one), _first_line(one.body[0]))}
        return [line if number in numbers else "" for number, line in enumerate(self.lines, 1)]

    # --- marks ---

    def _decorators(self, node: Function | ast.ClassDef) -> dict[str, ast.expr]:
        """Return the kit's marks above a definition."""
        return self._marks(node.decorator_list)

    def _own_marks(self, node: ast.Module | ast.ClassDef) -> dict[str, ast.expr]:
        """Return the kit's marks that ``pytestmark`` names."""
        for statement in node.body:
            if isinstance(statement, ast.Assign) and any(
                getattr(t, "id", "") == "pytestmark" for t in statement.targets
            ):
                listed = (
                    statement.value.elts if isinstance(statement.value, ast.List | ast.Tuple) else [statement.value]
                )
                return self._marks(listed)
        return {}

    def _marks(self, nodes: Sequence[ast.expr]) -> dict[str, ast.expr]:
        marks: dict[str, ast.expr] = {}
        for node in nodes:
            name = dotted(_called(node), self.imports)
            mark = name.removeprefix("pytest.mark.")
            if mark == name:
                continue
            if mark in _SKIPPING and self.has_points:
                self.fail(node, f"a test with points has to decide: it cannot be marked as {mark}")
            self._check_mark(node, mark)
            if mark in ("points", "notebook") and not (isinstance(node, ast.Call) and len(node.args) == 1):
                self.fail(node, f"{mark} takes one value: @pytest.mark.{mark}({'2' if mark == 'points' else '…'})")
            marks[mark] = node
        return marks

    def _check_mark(self, node: ast.expr, mark: str) -> None:
        """Refuse a misspelled mark, which would mean nothing, and one that has no effect in the examiner."""
        if mark == "timeout":
            todo = "each test has the time of a test cell: limits: {cell_seconds: …} in course.yaml"
            self.fail(node, f"timeout has no effect where tests are examined; {todo}")
        near = difflib.get_close_matches(mark, _MARKS, 1, 0.75)
        if near and mark not in _MARKS:
            self.fail(node, f"there is no mark {mark!r}; did you mean {near[0]!r}?")

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
        functions = {one.name: one for one in ast.walk(self.tree) if isinstance(one, Function) and one is not test}
        definitions = {one.name: one for one in self.tree.body if isinstance(one, ast.ClassDef)} | functions
        always = [one for one in functions.values() if _is_autouse(one)]
        waiting: list[ast.AST] = [*self._with_called_tests(test), *always]
        reached: list[ast.AST] = []
        while waiting:
            node = waiting.pop()
            if node in reached:
                continue
            reached.append(node)
            words = {w for one in ast.walk(node) if (w := _word(one))}
            waiting += [
                one for name, one in definitions.items() if name in words and not name.startswith(("test", "Test"))
            ]
        names: dict[str, None] = {}
        places: dict[str, ast.AST] = {}
        for node in reached:
            for name, cell_id, position in self.reads(node):
                names[name] = None
                places.setdefault(cell_id, position)
        if len(places) > 1:
            self.fail(test, f"{test.name} reads the notebook at two places; write a test for each")
        return list(names), next(iter(places), "")


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _is_autouse(node: ast.stmt) -> bool:
    return isinstance(node, Function) and any("autouse" in ast.dump(one) for one in node.decorator_list)


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds, at any depth of it."""
    if isinstance(node, Function | ast.ClassDef):
        texts = {
            w for one in node.decorator_list for n in ast.walk(one) if isinstance(n, ast.Constant) and (w := _word(n))
        }
        return {node.name} | texts  # a fixture may have another name
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(node, ast.Import | ast.ImportFrom):
        names |= {one.asname or one.name.partition(".")[0] for one in node.names}
    return names


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _spaced(lines: Sequence[str]) -> str:
    """Join lines, with two empty ones at most in a row."""
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip() + "\n"


def _word(node: ast.AST) -> str:
    """Return the word by which a node may mean a function: name, parameter, method, or quoted fixture."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.Attribute):
        return node.attr if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls") else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
