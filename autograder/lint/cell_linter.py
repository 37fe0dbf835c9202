"""Linting of one test cell for what cannot be examined outside the kernel."""

from __future__ import annotations

import ast
import builtins
import difflib
import enum
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.lint.author_slips import exact_floats, hidden_paths
from autograder.lint.certain import certain
from autograder.lint.check_calls import unknown_names
from autograder.lint.decision import Decision
from autograder.lint.empty_loops import empty_loops
from autograder.lint.hidden_words import hidden_words
from autograder.lint.model_evaluations import evaluations
from autograder.lint.origins import origins
from autograder.lint.student_tensors import of_tensors
from autograder.lint.surroundings import NotebookFacts
from autograder.lint.swallowed import swallowed_assertions
from autograder.lint.unbound import unbound_on_purpose
from autograder.records.exam import ExamCell
from autograder.syntax.file_paths import relative
from autograder.syntax.magics import without_magics
from autograder.syntax.names import (
    LISTING,
    bindings,
    loaded_names,
    mentioned_names,
    modules_imported,
    unnamed_access,
)
from autograder.syntax.pytest_cells import test_tree
from autograder.syntax.refusals import HOME, IN_KERNEL, IPYTHON, MARK, Refusal, find_evaluator, refused_call
from autograder.syntax.times import compares_times, timing_calls

_OF_EVERY_MODULE = frozenset({"__name__", "__doc__", "__builtins__", "__debug__"})


class Unavailable(enum.Enum):
    """What a test cell needs and does not have."""

    NAME = "name"
    MODULE = "module"


@dataclass(frozen=True)
class LintFinding:
    """A problem of a test cell."""

    cell: str
    """``cell 4 ('squares')``"""
    line: int
    """In the instructor's cell; 0 if the finding is about the whole cell."""
    code: str
    reason: str
    instead: str
    warning: bool = False
    kernel: bool = False
    """Whether the cell needs the kernel itself."""
    missing: Unavailable | None = None

    def __str__(self) -> str:
        position = f"line {self.line}: {self.code.strip()[:80]!r}: " if self.line else ""
        return f"{self.cell}: {position}{self.reason}" + (f"; {self.instead}" if self.instead else "")


class CellLinter:
    """The linter of one test cell."""

    def __init__(self, name: str, cell: ExamCell, notebook: NotebookFacts) -> None:
        self.name = name
        self.cell = cell
        self.notebook = notebook
        self.tree = test_tree(cell)
        self.lines = cell.source.splitlines()
        self.loaded = loaded_names(cell.source)
        self.own = _bound_anywhere(self.tree) | set(bindings(cell.source, notebook.exam.stars).definitions)

    def all(self) -> Iterator[LintFinding]:
        """Yield all findings."""
        yield from self._imports()
        yield from self._names()
        yield from self._calls()
        yield from self._classes()
        yield from self._paths()
        yield from self._data()
        yield from self._untold()
        for node, reason, instead in unknown_names(self.tree, self.notebook.imports):
            yield self.finding(node, reason, instead)
        yield from self._decision()
        for node, reason, instead in empty_loops(self.tree, self.notebook.known.students - self.own):
            yield self.finding(node, reason, instead, warning=True)
        for node, reason, instead in evaluations(self.tree, self.notebook.imports, self._students_names()):
            yield self.finding(node, reason, instead, warning=True)
        for node, reason, instead in (
            *hidden_words(self.tree, self.notebook.imports),
            *exact_floats(self.tree),
            *hidden_paths(self.tree, self.notebook.imports),
        ):
            yield self.finding(node, reason, instead, warning=True)
        yield from self._clocks()
        for node, reason, instead in () if self.cell.in_kernel else of_tensors(self.tree, self._students_names()):
            yield self.finding(node, reason, instead, warning=True)

    def _students_names(self) -> frozenset[str]:
        return self.notebook.known.students - self.notebook.known.trusted.keys() - self.own

    def finding(
        self,
        node: ast.AST,
        reason: str,
        instead: str,
        *,
        warning: bool = False,
        kernel: bool = False,
        missing: Unavailable | None = None,
    ) -> LintFinding:
        """Return a finding about a node."""
        line = getattr(node, "lineno", 0)
        code = self.lines[line - 1] if line else ""
        return LintFinding(self.name, line, code, reason, instead, warning, kernel, missing)

    def _imports(self) -> Iterator[LintFinding]:
        guarded = {n for t in ast.walk(self.tree) if isinstance(t, ast.Try) for s in t.body for n in ast.walk(s)}
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for module in names:
                if module == "__main__":
                    continue
                if getattr(node, "level", 0) or (node not in guarded and not self.notebook.can_import(module)):
                    yield self._no_module(node, module)
        statements = {n: s for n, s in self.notebook.known.trusted.items() if n in self.loaded and "import " in s}
        reported: set[str] = set()
        for name, statement in statements.items():
            for module in sorted({module.partition(".")[0] for module in modules_imported(statement)} - reported):
                if statement.startswith(("import ", "from ")) and not self.notebook.can_import(module):
                    reported.add(module)
                    yield self._no_module(self._use(name), module)

    def _no_module(self, node: ast.AST, module: str) -> LintFinding:
        if not module:
            return self.finding(node, "a relative import has no package here", _BRING)
        reason = f"there is no module {module!r} where the test runs"
        return self.finding(node, reason, _BRING, missing=Unavailable.MODULE)

    def _use(self, name: str) -> ast.AST:
        return next((n for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == name), self.tree)

    def _names(self) -> Iterator[LintFinding]:
        vocabulary = self.notebook.known
        bound = self.notebook.bound
        free = self.loaded - self.own - _pythons() - _OF_EVERY_MODULE - vocabulary.own - vocabulary.students
        free -= unbound_on_purpose(self.tree, self.notebook.imports)
        for name in sorted(free):
            if IPYTHON.fullmatch(name):
                reason = f"{name} belongs to the IPython kernel, and the test runs outside of it"
                todo = "use the student's names, and print what should be shown"
                yield self.finding(self._use(name), reason, todo, kernel=True)
            elif bound is not None and name not in bound:
                near = difflib.get_close_matches(name, bound | vocabulary.own | self.own | set(dir(builtins)), 1)
                instead = f"did you mean {near[0]!r}?" if near else "bind it in the test, or in a cell of the notebook"
                reason = f"nothing in the notebook binds {name!r}"
                yield self.finding(self._use(name), reason, instead, missing=Unavailable.NAME)
        for node in ast.walk(self.tree):
            for target in node.targets if isinstance(node, ast.Delete) else ():
                if isinstance(target, ast.Name) and target.id in vocabulary.trusted and target.id not in self.own:
                    reason = f"{target.id} is the instructor's own here, and the student's code keeps it"
                    yield self.finding(node, reason, "delete only names that the student's cells define")

    def _calls(self) -> Iterator[LintFinding]:
        unnamed: dict[int, set[int | None]] = {}
        for call in unnamed_access(self.cell.source):
            unnamed.setdefault(call.lineno, set()).add(call.end_col_offset)
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            refused = refused_call(node, self.notebook.imports)
            if refused and not self._reads_instructors(node, refused):
                yield self.finding(node, refused.reason, refused.instead, warning=refused.warning)
            evaluator = find_evaluator(node, self.notebook.imports)
            if evaluator is not None and evaluator.library in self._libraries():
                reason = (
                    f"{evaluator.library} turns a text into code that is not a constant here: if refused, {_A_PERSON}"
                )
                yield self.finding(node, reason, f"{evaluator.instead}; {IN_KERNEL}", warning=True)
            name = node.func.id if isinstance(node.func, ast.Name) and node.func.id not in self.own else ""
            if name in LISTING and node.end_col_offset in unnamed.get(node.lineno, ()):
                reason = (
                    f"{name}() of a test lists the names that your notebook binds, and none that only a student binds"
                )
                yield self.finding(node, reason, f"ask for a name by itself: 'f' in {name}()", warning=True)
            elif name in ("exec", "eval") and not self._literal_code(node):
                yield self.finding(node, *self._why_not_compiled(name, node), kernel=True)

    def _classes(self) -> Iterator[LintFinding]:
        """Yield a finding for each class that derives from a student's."""
        students = self._students_names()
        for node in (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)):
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in students:
                    reason = f"{node.name} derives from {base.id}, and only the student's process has that class"
                    yield self.finding(node, reason, MARK, kernel=True)

    def _why_not_compiled(self, name: str, call: ast.Call) -> tuple[str, str]:
        """Return the reason why ``eval`` or ``exec`` is refused, and what to write instead."""
        words = {n.id for argument in call.args[:1] for n in ast.walk(argument) if isinstance(n, ast.Name)}
        if words & self._students_names():
            return "texts of students are never compiled", "compare values, or read data with ast.literal_eval"
        return f"the names that {name}() will use cannot be read from the test", "write the statements themselves"

    def _libraries(self) -> set[str]:
        """Return the libraries that the notebook imports, by the names of evaluators.

        A formula of statsmodels is patsy's.
        """
        libraries = {name.partition(".")[0] for name in self.notebook.imports.values()}
        return libraries | ({"patsy"} if "statsmodels" in libraries else set())

    def _reads_instructors(self, call: ast.Call, refused: Refusal) -> bool:
        """Tell whether a call is given hidden data, or a released file that the solution does not write."""
        statements = [self.notebook.known.trusted.get(name, "") for name in self.loaded]
        parts = list(origins(call, [self.tree, *map(ast.parse, filter(None, statements))]))
        texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
        return any(map(_mentions_hidden_data, parts)) or (
            refused.unpickles and any(relative(text) in self.notebook.given for text in texts)
        )

    def _literal_code(self, call: ast.Call) -> bool:
        code = call.args[0] if call.args else None
        if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
            return False
        try:
            return loaded_names(code.value) <= mentioned_names(self.cell.source) | self.own | set(dir(builtins))
        except (SyntaxError, ValueError):
            return False

    def _paths(self) -> Iterator[LintFinding]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                for text in [*node.args, *(k.value for k in node.keywords)]:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str) and HOME.fullmatch(text.value):
                        reason = f"{text.value[:60]!r} is a path on one person's machine, and not where the test runs"
                        yield self.finding(
                            text, reason, "name files from the notebook's own folder: open('results.csv')"
                        )

    def _decision(self) -> Iterator[LintFinding]:
        """Warn of a test that cannot fail: of the lines by which it cannot, or else of the whole cell."""
        decision = Decision(self.tree, self.cell, self.notebook, self.loaded, self.own)
        lines = [*certain(self.tree, self.notebook.imports), *swallowed_assertions(self.tree, decision.asserts)]
        for node, reason, instead in lines:
            yield self.finding(node, reason, instead, warning=True)
        for reason, instead in () if lines else decision.lacks():
            yield LintFinding(self.name, 0, "", reason, instead, warning=True)

    def _clocks(self) -> Iterator[LintFinding]:
        """Warn of a test that measures how long the student's code takes."""
        if not self.loaded & self._students_names():
            return
        if calls := timing_calls(self.tree, self.notebook.imports):
            reason = "a call of the student's is timed here with the way of its arguments to another process and back"
            decides = compares_times(self.tree, calls)
            todo = "allow for it, or compare the times of two such calls"
            yield self.finding(calls[0], reason, todo, warning=True, kernel=decides)

    def _untold(self) -> Iterator[LintFinding]:
        """Warn of names that only the solution binds: a student would have to guess them."""
        for name in sorted((self.loaded & self.notebook.of_the_solution) - self.own - self.notebook.told):
            reason = f"the test reads {name!r}, which only your solution binds: students are not told the name"
            instead = "name it in the task, in the released part of the answer, or in a visible test"
            yield self.finding(self._use(name), reason, instead, warning=True)

    def _data(self) -> Iterator[LintFinding]:
        visible_names = loaded_names(without_magics(self.cell.released))
        for name in sorted((self.loaded - visible_names - self.own) & self.notebook.data_of_given_cells):
            reason = (
                f"the hidden part reads {name!r}, which a given cell computes and any cell of the student's may rebind"
            )
            yield self.finding(self._use(name), reason, "hidden tests should use data of their own", warning=True)


def _pythons() -> set[str]:
    """Return Python's own names, without ``display``, which IPython adds to them when it is imported."""
    return {name for name in dir(builtins) if not IPYTHON.fullmatch(name)}


_A_PERSON = "a person has to grade"
_BRING = "install it where you grade, put it into the course folder or the release, or do without it"


def _mentions_hidden_data(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) == "hidden_data"


def _bound_anywhere(tree: ast.AST) -> frozenset[str]:
    """Return names that a cell binds in any scope.

    The result may contain too many names, so that no bound name is reported as unbound.
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {a.asname or a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return frozenset(names)
