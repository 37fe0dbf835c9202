"""Tests of a cell that cannot fail, whatever the answer is."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Set

from autograder.lint.surroundings import NotebookFacts
from autograder.lint.swallowed import swallowed
from autograder.records.exam import GIVEN_TAG, ExamCell, has_tag
from autograder.syntax.refusals import dotted

_PLAIN_CALLS = frozenset(
    {
        "abs", "all", "any", "bool", "dict", "enumerate", "float", "int", "isinstance", "len", "list", "max", "min",
        "print", "range", "round", "set", "sorted", "str", "sum", "tuple", "type", "zip",
    }
)  # fmt: skip
"""Python's functions that reach nothing beside their arguments."""
_PYTHONS = frozenset(dir(builtins))


class Decision:
    """Whether one test cell decides anything."""

    def __init__(
        self, tree: ast.Module, cell: ExamCell, notebook: NotebookFacts, loaded: Set[str], bound: Set[str]
    ) -> None:
        """Keep what is known of the cell.

        Args:
            tree: its syntax.
            cell: the test cell.
            notebook: the cells around it.
            loaded: the global names that it reads.
            bound: the names that it binds.
        """
        self.tree, self.cell, self.notebook, self.loaded, self.bound = tree, cell, notebook, loaded, bound
        self.students = notebook.known.students - notebook.known.trusted.keys() - bound

    def lacks(self) -> Iterator[tuple[str, str]]:
        """Yield the reason why the test gives its points to any answer, and the remedy."""
        if self.cell.points <= 0 or has_tag(self.cell.metadata, GIVEN_TAG):
            return
        if not self._decides():
            reason = "the test asserts nothing, checks nothing and ends in no value: it gives its points for running"
            yield reason, "add an assert or a check"
        elif self._is_about_itself():
            reason = "the test reads nothing of the student's: it gives its points to any answer"
            yield reason, "assert something about a name that students bind"

    def _decides(self) -> bool:
        """Return whether the cell may raise on purpose, or ends in a value."""
        last = self.tree.body[-1] if self.tree.body and not self.cell.file else None
        if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call | ast.Constant):
            return True
        passed_over = swallowed(self.tree)
        for node in ast.walk(self.tree):
            if node in passed_over:
                continue
            if isinstance(node, ast.Assert | ast.Raise) or (isinstance(node, ast.Call) and self.asserts(node)):
                return True
            call = node.value if isinstance(node, ast.Expr) else None
            if isinstance(call, ast.Call) and dotted(call.func, {}) != "print" and not self._only_runs(call):
                return True  # a call as a statement, of a helper
        return False

    def _only_runs(self, call: ast.Call) -> bool:
        """Return whether a statement calls what the answer binds, whose value then is not looked at."""
        called = dotted(call.func, {}).partition(".")[0]
        return called in self.notebook.of_the_solution and called in self.students

    def _is_about_itself(self) -> bool:
        """Return whether no statement can reach the notebook, a file, or anything else beside the test."""
        notebooks = self.notebook.known.students | self.notebook.known.trusted.keys()
        if self.loaded & notebooks or self.loaded - self.bound - _PYTHONS:
            return False
        nodes = list(ast.walk(self.tree))
        imported = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        is_plain = called <= _PLAIN_CALLS | self.bound and imported <= {"pytest"}
        return is_plain and not any(isinstance(n, ast.ImportFrom | ast.With) for n in nodes)

    def asserts(self, call: ast.Call) -> bool:
        """Return whether the call is an assertion of a library, a check, or a function of the instructor's."""
        name = dotted(call.func, self.notebook.imports)
        if name in self.notebook.known.own or name in self.notebook.known.trusted:
            return True
        words = re.split(r"[._]", name.lower())
        return any(w.startswith(("assert", "check", "test", "raises", "fail", "verify")) for w in words)
