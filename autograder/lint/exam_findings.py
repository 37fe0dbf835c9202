"""Linting of an exam at its release, from the syntax of its test cells; nothing is run.

:func:`unreadable` reports cells that are not Python, which makes any examination impossible. :func:`findings` reports
everything else: errors stop a release, warnings are printed. Each :class:`LintFinding` gives place, reason and remedy.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import warnings
from collections.abc import Collection, Iterable, Iterator

from autograder.lint.author_slips import hidden_paths, rebound_check, tests_of_a_person
from autograder.lint.cell_linter import CellLinter, LintFinding, Unavailable
from autograder.lint.released_files import writes_over_released
from autograder.lint.surroundings import NotebookFacts
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.cell_matching import bound_names
from autograder.syntax.magics import without_magics
from autograder.syntax.module_state import names_with_state
from autograder.syntax.names import loaded_names, vocabulary
from autograder.syntax.refusals import NO_MAGICS, PLAIN_PYTHON

__all__ = ["MARK", "LintFinding", "Unavailable", "findings", "unreadable"]

MARK = (
    "Every test cell is examined outside of the student's kernel, unless it is marked: by the tag 'examine-kernel', or "
    "by examine: {kernel: [its id]} in course.yaml. A marked test runs in the student's process, which can give itself "
    "its points."
)

_MAGIC_LINE = re.compile(r"(?m)^([^\S\n]*)(?:[\w, ]+=\s*)?[%!].*$")
_MAGIC = re.compile(r"^\s*[%!]|^[^#'\"]*=\s*[%!]|\?{1,2}\s*$")


def _tests(exam: Exam) -> Iterator[tuple[str, ExamCell]]:
    for index, cell in enumerate(exam.cells):
        if cell.role is Role.TEST:
            yield f"cell {index + 1} ({cell.grade_id!r})", cell


# --- Python at all -----------------------------------------------------------------------------------


def unreadable(exam: Exam) -> list[LintFinding]:
    """Return findings about test cells that are not plain Python, with or without their hidden part."""
    faults = []
    for name, cell in _tests(exam):
        if cell.cell_type != "code":
            reason = f"a test must be a code cell, not {cell.cell_type}"
            faults.append(LintFinding(name, 0, "", reason, "make it a code cell, or a cell for a person"))
        elif not cell.in_kernel:
            fault = _fault(cell.source, name) or _fault(
                without_magics(cell.released), f"{name}, without its hidden part"
            )
            faults += [fault] if fault else []
    return faults


def _fault(source: str, cell: str) -> LintFinding | None:
    """Return a finding about the first line that is not Python, or that only works in a notebook."""
    lines = source.splitlines()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            for node in _own_level(tree):
                if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
                    reason = "`await` outside of a function needs the kernel's event loop"
                    todo = "write asyncio.run(…)"
                    return LintFinding(cell, node.lineno, lines[node.lineno - 1], reason, todo, kernel=True)
            compile(tree, "<test>", "exec", dont_inherit=True)
    except SyntaxError as error:
        number = error.lineno or 1
        line = lines[number - 1] if number <= len(lines) else ""
        if _MAGIC.search(line):
            return LintFinding(cell, number, line, NO_MAGICS, PLAIN_PYTHON, kernel=True)
        reason = f"line {number}: {error.msg}: {line.strip()[:80]}"
        return LintFinding(
            cell, 0, "", reason, "correct the line; with and without its hidden part, the test must be Python"
        )
    except (ValueError, RecursionError, MemoryError) as error:
        return LintFinding(cell, 0, "", f"the test does not parse: {error}", "divide it into smaller tests")
    asks = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "get_ipython"]
    if not asks:
        return None
    return LintFinding(cell, asks[0].lineno, lines[asks[0].lineno - 1], NO_MAGICS, PLAIN_PYTHON, kernel=True)


def _own_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run with the cell itself, outside its functions."""
    pending = list(ast.iter_child_nodes(tree))
    while pending:
        node = pending.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def needing_kernel(exam: Exam) -> frozenset[str]:
    """Return the ids of test cells that need the kernel itself: its shell, its history, magics, its event loop."""
    needing = {f.cell.split(",")[0] for f in [*unreadable(exam), *findings(exam)] if f.kernel}
    return frozenset(str(cell.grade_id) for name, cell in _tests(exam) if name in needing)


# --- the findings ------------------------------------------------------------------------------------


def _of_other_cells(exam: Exam, notebook: NotebookFacts, read_only: Collection[str]) -> Iterator[LintFinding]:
    """Yield warnings about the instructor's cells that are not tests."""
    for index, cell in enumerate(exam.cells):
        if cell.cell_type != "code" or cell.role is Role.TEST:
            continue
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            source = without_magics(cell.source)
            tree = ast.parse(source)
            by_hand = cell.role is Role.MANUAL
            for node, reason, instead in (
                *writes_over_released(tree, read_only),
                *hidden_paths(tree, notebook.imports),
                *rebound_check(tree, notebook.imports),
                *(tests_of_a_person(tree, notebook.imports) if by_hand else ()),
            ):
                line = getattr(node, "lineno", 0)
                yield LintFinding(
                    f"cell {index + 1}", line, source.splitlines()[line - 1], reason, instead, warning=True
                )


def _of_additions(exam: Exam, name: str, cell: ExamCell) -> Iterator[LintFinding]:
    """Yield a warning about what answers take along of the locked functions and classes that a test uses."""
    names = sorted(vocabulary(exam).taken_along & loaded_names(cell.source))
    if names:
        listed = ", ".join(f"`{one}`" for one in names)
        reason = (
            f"answers add to {listed} of a locked cell, or to what it derives from, so the test asks the student's, "
            "which can answer anything"
        )
        yield LintFinding(name, 0, "", reason, "compare with values that the test has itself", warning=True)


def _of_state(exam: Exam, name: str, cell: ExamCell) -> Iterator[LintFinding]:
    """Yield warnings about functions of the course's modules that share state with the notebook's cells."""
    theirs = vocabulary(exam).with_state
    source = without_magics(cell.source)
    sources = [c.source for c in exam.cells if c.cell_type == "code"]
    bound = frozenset(n for one in sources for n in names_with_state(one, exam.state, exam.stars))
    reported: set[str] = set()
    for node in ast.walk(ast.parse(source)) if bound else ():
        if not isinstance(node, ast.Name) or node.id not in bound - reported:
            continue
        reported.add(node.id)
        reason = f"`{node.id}` has state that the notebook's cells change"
        if node.id in theirs:
            reason = f"{reason}, so it is called in the student's process, where it can answer anything"
            todo = "if that is too little, let the student's function return what the test needs"
        else:
            reason = f"{reason}, and the test calls a copy of its own, in which nothing of that has happened"
            todo = "import it in the answer cell alone, or let the student's function return what the test needs"
        yield LintFinding(name, node.lineno, source.splitlines()[node.lineno - 1], reason, todo, warning=True)


def _of_other_tests(exam: Exam, name: str, cell: ExamCell) -> Iterator[LintFinding]:
    """Yield findings about names of a marked test that only the hidden part of an earlier test binds."""
    earlier = [c for c in exam.cells[: exam.cells.index(cell)] if c.role is Role.TEST and not c.in_kernel]
    code = [c.released if c.role is Role.TEST else c.source for c in exam.cells if c.cell_type == "code"]
    hidden = _bound(c.source for c in earlier) - _bound(code) - vars(builtins).keys()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        tree = ast.parse(_MAGIC_LINE.sub(r"\1pass", cell.in_kernel))
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in hidden]
        bound = _bound([cell.in_kernel]) | {n.id for n in names if isinstance(n.ctx, ast.Store)}
        bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        for node in {node.id: node for node in reversed(names) if node.id not in bound}.values():
            reason = f"`{node.id}` comes from the hidden part of another test, which is never in the student's process"
            todo = "copy its definition into this test, too"
            yield LintFinding(name, node.lineno, cell.in_kernel.splitlines()[node.lineno - 1], reason, todo)


def _bound(sources: Iterable[str]) -> frozenset[str]:
    """Collect the names that cells bind for later cells."""
    return frozenset().union(*(bound_names(source) or () for source in sources))


def findings(
    exam: Exam, files: Collection[str] = (), *, read_only: Collection[str] = (), open_files: Collection[str] = ()
) -> list[LintFinding]:
    """Return findings about readable test cells that do what cannot be examined, or what is doubtful.

    Args:
        exam: the instructor's notebook.
        files: paths of the files in the release, and of the course's own modules.
        read_only: paths of the files that notebooks cannot write over.
        open_files: patterns of released files of which the student's copy is used.
    """
    notebook = NotebookFacts(exam, files, open_files)
    reported = list(_of_other_cells(exam, notebook, read_only))
    unread = {fault.cell.split(",")[0] for fault in unreadable(exam)}
    for name, cell in _tests(exam):
        if name in unread:
            continue
        if cell.in_kernel:
            reported += _of_other_tests(exam, name, cell)
            worth = f"its {cell.points:g} points are measured in the student's process"
            reason = f"{worth}, where the student's code can read the test and give itself these points"
            reported.append(LintFinding(name, 0, "", reason, "", warning=True))
            continue
        if not cell.points and cell.released != cell.source:
            reason = "its hidden tests count for nothing: the cell is worth 0 points"
            reported.append(LintFinding(name, 0, "", reason, "give it points, or show the tests", warning=True))
        reported += [*_of_additions(exam, name, cell), *_of_state(exam, name, cell)]
        reader = CellLinter(name, cell, notebook)
        reasons: set[tuple[int, str]] = set()
        for finding in sorted(reader.all(), key=lambda f: f.line):
            if (finding.line, finding.reason) not in reasons:
                reasons.add((finding.line, finding.reason))
                reported.append(finding)
    return reported
