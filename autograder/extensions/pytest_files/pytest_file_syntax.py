"""Test file of an assignment as text and syntax: what it asks for, and what is refused."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator
from typing import NoReturn

from autograder.errors import CourseError
from autograder.syntax.refusals import aliases

_BUILTIN_NAMES = frozenset(name for name in dir(builtins) if not name.startswith("__")) | {"__import__", "__debug__"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _without_programs(source: str) -> str:
    """Empty the lines of a test file that do nothing under the examiner.

    These are what runs only where the file is started as a program, and what puts its own folders on Python's path:
    the course's are there.
    """
    lines, statements = source.split("\n"), ast.parse(source).body
    for node in filter(_is_of_programs, statements):
        first, last = node.lineno, node.end_lineno or node.lineno
        if sum(other.lineno <= last and first <= (other.end_lineno or 0) for other in statements) == 1:
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines)


def _is_of_programs(node: ast.stmt) -> bool:
    match node:
        case ast.If(test, _, []):
            return ast.unparse(test) == "__name__ == '__main__'"
        case ast.Expr(ast.Call(ast.Attribute(path, "insert" | "append"))):
            return ast.unparse(path) == "sys.path" and "__file__" in ast.unparse(node)
    return False


class ParsedTestFile:
    """A test file of which nothing is run."""

    def __init__(self, file: str, source: str, package: str = "") -> None:
        """Parse the file.

        Args:
            file: its name in messages.
            source: its text.
            package: the package that it is in, for relative imports; empty: none.

        Raises:
            CourseError: it is not Python.
        """
        try:
            source = _without_programs(source)
            self.file, self.source, self.tree = file, source, ast.parse(source)
            compile(source, file, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise CourseError(f"{file}, line {error.lineno}: this is not Python: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise CourseError(f"{file}: this cannot be read: {error}") from None
        self.stars = [
            node
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and not node.level
        ]
        self.lines = source.splitlines()
        self._write_absolute(package)
        self.imports = aliases([self.tree])
        self.unindented = {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr | ast.Constant) and (node.end_lineno or 0) > node.lineno
            for line in range(node.lineno + 1, (node.end_lineno or 0) + 1)
        }

    def fail(self, node: ast.AST | int, reason: str) -> NoReturn:
        """Refuse a line."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        raise CourseError(f"{self.file}, line {line}: {reason}")

    def check(self) -> None:
        """Refuse what a test file cannot do in the examiner."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Global):
                self.fail(node, "`global` does not work in a test file; use a fixture")
            if isinstance(node, Function | ast.ClassDef) and node.name == "student":
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
            if not isinstance(node, Function | ast.ClassDef):
                list(self.reads(node))
                for inner in ast.walk(node):
                    if isinstance(inner, Function) and inner.name.startswith("test"):
                        self.fail(
                            inner, f"{inner.name} is defined within another statement; move it to the file's level"
                        )
        if "student" in {w.id for n in self.tree.body if not isinstance(n, Function | ast.ClassDef)
                         for w in ast.walk(n) if isinstance(w, ast.Name)}:  # fmt: skip
            self.fail(1, "`student` is a fixture: it is there in tests and fixtures only")
        self._check_names()

    def _write_absolute(self, package: str) -> None:
        """Write relative imports as absolute ones, each on its line: a test's cell is in no package."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            parts = package.split(".") if package else []
            if node.level > len(parts):
                todo = f"write `import {node.module or '…'}`: modules beside the test file are on Python's path"
                self.fail(node, f"{todo}; or make its folder a package, by an empty __init__.py")
            if node.names[0].name == "*":
                self.fail(node, "name what you import: a relative `import *` does not work in a test file")
            name = ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
            line = self.lines[node.lineno - 1].encode()
            start, statement = line[: node.col_offset], line[node.col_offset :].decode()
            relative = rf"from[\s.]+{re.escape(node.module)}" if node.module else r"from[\s.]*\."
            self.lines[node.lineno - 1] = start.decode() + re.sub(f"^{relative}", f"from {name}", statement, count=1)

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
            if isinstance(node, ast.Name) and node.id in unknown - _BUILTIN_NAMES:
                if self.stars and node.id != "student" and not node.id.startswith("__"):
                    continue  # a star may bind it
                if node.id == "student":
                    self.fail(node, "`student` is a fixture: make it a parameter of the function")
                if node.id == "__file__":
                    continue
                if node.id.startswith("__"):
                    self.fail(node, f"`{node.id}` means nothing in a test that the examiner runs")
                self.fail(node, f"`{node.id}` is not bound in this file; the notebook's is student.{node.id}")

    def reads(self, tree: ast.AST) -> Iterator[tuple[str, str, ast.AST]]:
        """Yield each ``student.name`` and ``student.at("cell").name``: name, cell, node.

        Any other use of ``student`` is refused, as the names could not be read from the file.
        """
        handled: set[ast.AST] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(
                    ast.Call(ast.Attribute(ast.Name("student") as base, "at"), [ast.Constant(str(cell_id))], []),
                    name,
                    ast.Load(),
                ):
                    handled.add(base)
                    yield name, cell_id, node
                case ast.Attribute(ast.Name("student") as base, name, ast.Load()) if name != "at":
                    handled.add(base)
                    yield name, "", node
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "student" and node not in handled:
                todo = 'write student.<name> or student.at("cell id").<name>'
                self.fail(node, f"which names this takes from the notebook cannot be read from it; {todo}")
