"""The context of a test cell in its notebook: bound names, importable modules, owners of data."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Collection, Sequence, Set
from functools import cached_property
from pathlib import PurePosixPath

from autograder._util import registry
from autograder._util.syntax import parsed
from autograder.records.exam import Exam, Role
from autograder.syntax.magics import without_magics
from autograder.syntax.names import Vocabulary, bindings, loaded_names, vocabulary
from autograder.syntax.refusals import aliases
from autograder.syntax.released_tables import file_of
from autograder.syntax.written_files import written_paths


class NotebookFacts:
    """Facts from the cells that are not tests."""

    def __init__(self, exam: Exam, files: Collection[str], open_files: Collection[str] = ()) -> None:
        self.exam = exam
        self.open_files = open_files
        self.files = files
        """Paths in the release and of the course's own modules, which a test may import."""
        self.known: Vocabulary = vocabulary(exam)
        code = [c for c in exam.cells if c.cell_type == "code"]
        self.others = [c for c in code if c.role is not Role.TEST]
        self.imports = aliases(tree for c in code if (tree := parsed(c.source)) is not None)

    @cached_property
    def bound(self) -> frozenset[str] | None:
        """The names that the notebook's cells bind; None if their syntax does not tell."""
        names: set[str] = set()
        for source in {text for c in self.others for text in (c.source, c.released)}:
            tree = parsed(source)
            if tree is None:  # magics: any word of the cell may be bound
                if re.search(r"%\s*(?:run|pylab|load|store|cython)\b", source):
                    return None
                names |= set(re.findall(r"[^\W\d]\w*", source))
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id in ("exec", "globals", "locals", "vars", "get_ipython"):
                    return None
                if (
                    isinstance(node, ast.ImportFrom)
                    and node.names[0].name == "*"
                    and not self.can_import(node.module or "")
                ):
                    return None
                if isinstance(node, ast.Global):
                    names |= set(node.names)
                elif isinstance(node, ast.NamedExpr):
                    names.add(node.target.id)
                elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                    names.add(node.name)
            bound_here = bindings(source, self.exam.stars)
            names |= bound_here.assigned | set(bound_here.definitions)
        return frozenset(names)

    def can_import(self, module: str) -> bool:
        """Return whether the examiner can import the module: it is installed here, or a file of the course."""
        top = module.split(".")[0]
        beside = any(
            name == f"{top}.py" or (name.startswith(f"{top}/") and name.endswith(".py")) for name in self.files
        )
        if beside or top in registry.names(registry.OLD_NAMES):
            return True
        try:
            return importlib.util.find_spec(top) is not None
        except (ValueError, ImportError):
            return False

    @cached_property
    def given(self) -> frozenset[str]:
        """Paths of the files that neither the solution writes nor a student hands in."""
        theirs = {name for name in self.files for pattern in self.open_files if PurePosixPath(name).match(pattern)}
        return frozenset(self.files) - theirs - written_paths(self.exam)

    @cached_property
    def told(self) -> frozenset[str]:
        """The words that students read: in texts, in code that they get, in visible tests and in names of files."""
        return frozenset(re.findall(r"[^\W\d]\w*", "\n".join([*(c.released for c in self.exam.cells), *self.files])))

    @cached_property
    def of_the_solution(self) -> frozenset[str]:
        """Names that the instructor's answers bind."""
        answers = [bindings(c.source, self.exam.stars) for c in self.others if c.role in (Role.ANSWER, Role.MANUAL)]
        return frozenset({name for answer in answers for name in (*answer.assigned, *answer.definitions)})

    @cached_property
    def data_of_given_cells(self) -> frozenset[str]:
        """Names of data that the instructor's cells compute and that a student's cell could rebind."""
        given_sources = [c.source for c in self.others if c.role in (Role.READ_ONLY, Role.FREE)]
        students = [bindings(c.source) for c in self.others if c.role in (Role.ANSWER, Role.MANUAL)]
        by_students = {n for b in students for n in (*b.assigned, *b.definitions)}
        from_files = {name for name, statement in self.known.tables.items() if file_of(statement) in self.files}
        theirs = self._made_of(by_students, given_sources)
        names = {n for source in given_sources for n in bindings(source).assigned} - by_students - theirs
        return frozenset(names - set(self.known.trusted) - from_files)

    @staticmethod
    def _made_of(names: Set[str], sources: Sequence[str]) -> Set[str]:
        """Return what statements of cells make of objects under some names, and of what they make of it."""
        derived: set[str] = set()
        for source in sources:
            tree = parsed(without_magics(source))
            for statement in tree.body if tree is not None else ():
                text = ast.unparse(statement)
                if loaded_names(text) & (names | derived):
                    derived |= bindings(text).assigned
        return derived
