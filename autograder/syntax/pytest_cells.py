"""Form of a test cell that was made from a pytest function.

Its first line imports, and its second defines :data:`MODULE`. The lines of the test file follow, one step further in,
so that a traceback has their numbers. The last two return the module's names and call the test.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from autograder.records.exam import ExamCell

Function = ast.FunctionDef | ast.AsyncFunctionDef
MODULE = "_pytest_module"
"""Name of the function that is the test file, see :mod:`autograder.check.pytest_runs`."""
INDENT = "    "
_HEADER_LINES, _FOOTER_LINES = 2, 2


def write_cell(head: Sequence[str], lines: Sequence[str], call: str, parameters: str = "") -> str:
    """Write a cell of imports, the indented lines of a test file, and the call of a test."""
    return "\n".join(["; ".join(head), f"def {MODULE}({parameters}):", *lines, f"{INDENT}return locals()", call]) + "\n"


def file_line(cell: ExamCell, line: int) -> int:
    """Convert a line of a test cell to that of its test file, if it was made of one."""
    return line - _HEADER_LINES if cell.file else line


def file_lines(cell: ExamCell) -> list[str]:
    """List the lines of a test file from the cell that was made of it; of another cell, its own."""
    lines = (cell.in_kernel or cell.source).splitlines()
    return [line.removeprefix(INDENT) for line in lines[_HEADER_LINES:-_FOOTER_LINES]] if cell.file else lines


def test_tree(cell: ExamCell) -> ast.Module:
    """Parse a test cell; a pytest function becomes statements that read the notebook's names.

    Of a pytest cell the tree has the file's statements and then the body of the function, each with its line.
    ``student.squares(2)`` is ``squares(2)`` there, so that all of the linter reads both kinds of tests.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(cell.source)
    file = next((node for node in tree.body if isinstance(node, ast.FunctionDef)), None)
    if not cell.file or file is None:
        return tree
    _, *parents, name = str(cell.grade_id).split("::")
    block = file
    for parent in parents:
        block = next(node for node in block.body if isinstance(node, ast.ClassDef) and node.name == parent)  # type: ignore[assignment]
    test = next(node for node in block.body if isinstance(node, Function) and node.name == name)
    block.body.remove(test)
    stars = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    plain: ast.Module = _Names().visit(ast.Module([*stars, *file.body[:-1], *test.body], []))
    return plain


class _Names(ast.NodeTransformer):
    """Writes ``student.name`` and ``student.at("cell").name`` as ``name``, at the same place."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Replace a name of the notebook."""
        match node:
            case ast.Attribute(ast.Name("student") | ast.Call(ast.Attribute(ast.Name("student"), "at")), name) if (
                name != "at"
            ):
                return ast.copy_location(ast.Name(name, node.ctx), node)
        return self.generic_visit(node)
