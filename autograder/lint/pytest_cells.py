"""Syntax of a test cell, also of one that was made from a pytest function."""

from __future__ import annotations

import ast

from autograder.records.exam import ExamCell

Function = ast.FunctionDef | ast.AsyncFunctionDef
HEADER_LINES = 2
"""Lines of such a cell before the first line of the test file."""


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
