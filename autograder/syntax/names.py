"""The names that a cell uses and binds, from its syntax alone."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import re
import symtable
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

from autograder import aliases as aliases  # tests, too, find the old names of libraries
from autograder._util.syntax import AST_CACHE_SIZE, parsed
from autograder.records.exam import Exam, Role
from autograder.syntax.additions import bases, defines_class, names_of_the_notebook
from autograder.syntax.answer_modules import asked_modules, handle_name
from autograder.syntax.constant_data import constant_data
from autograder.syntax.magics import without_magics
from autograder.syntax.module_state import names_with_state
from autograder.syntax.operands import class_operators
from autograder.syntax.procedures import functions_returning_nothing
from autograder.syntax.released_tables import released_tables
from autograder.syntax.shared_names import (
    changed_in_place,
    functions_that_change,
)


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def loaded_names(source: str) -> frozenset[str]:
    """Return the global names that a cell reads or deletes, in any scope.

    Raises:
        SyntaxError: the source is not Python.
    """
    names: set[str] = set()
    _collect(symtable.symtable(source, "<cell>", "exec"), names)
    names |= {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
    return frozenset(names)


INDIRECT_ACCESS = frozenset(["globals", "locals", "vars", "dir", "eval", "exec", "__main__"])
"""Names that give access to other names by a text."""
LISTING = frozenset(["globals", "locals", "vars", "dir"])
"""Names among them that list the others."""
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def mentioned_names(source: str) -> frozenset[str]:
    """Return the loaded names, and names that a text may stand for.

    Such texts occur in ``globals()["f"]``, ``eval("f(1)")``, ``mock.patch("__main__.f")`` and ``__main__.f``.
    """
    names = set(loaded_names(source))
    nodes = list(ast.walk(ast.parse(source)))
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str) and len(n.value) < 1000]
    main = "__main__" in names or any(text.startswith("__main__") for text in texts)
    if main or names & INDIRECT_ACCESS:
        names |= {name for text in texts for name in _IDENTIFIER.findall(text)}
    if main:
        names |= {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    return frozenset(names)


def unnamed_access(source: str) -> list[ast.Call]:
    """Return the calls such as ``dir()`` whose names the cell does not spell out, as ``"f" in globals()`` does.

    In a function, all of them but ``globals()`` list the names of the function.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    local = {node for function in nodes if isinstance(function, _FUNCTIONS) for node in _body_nodes(function)}
    bounded_calls: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            bounded_calls.add(node.value)
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
            bounded_calls.update(node.comparators)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            bounded_calls |= {node.func.value} if node.args and isinstance(node.args[0], ast.Constant) else set()
    calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    listing = [c for c in calls if getattr(c.func, "id", "") in LISTING and not c.args and c not in bounded_calls]
    return [c for c in listing if c not in local or getattr(c.func, "id", "") == "globals"]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _body_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterable[ast.AST]:
    """Yield the nodes that run with a function, without its decorators and defaults."""
    for part in function.body if isinstance(function.body, list) else [function.body]:
        yield from ast.walk(part)


def names_of_cell(source: str, vocabulary: Vocabulary) -> set[str]:
    """Return the names that a cell may use: the notebook's, if it lists them, and those of tests' helpers."""
    listed = vocabulary.students if LISTING & loaded_names(source) and unnamed_access(source) else frozenset[str]()
    names: set[str] = set()
    imported = modules_imported(source) if vocabulary.theirs else frozenset[str]()
    handles = map(handle_name, asked_modules(imported, vocabulary.theirs, vocabulary.asking))
    pending = [*mentioned_names(source), *listed, *handles]
    while pending:
        name = pending.pop()
        if name not in names:
            names.add(name)
            pending.extend(vocabulary.helpers.get(name, ()))
    return names


def function_globals(source: str) -> frozenset[str]:
    """Return the global names that the cell's functions read when they are called."""
    names: set[str] = set()
    for text in (source, _without_magics(source)):
        try:
            table = symtable.symtable(text, "<cell>", "exec")
        except SyntaxError:  # magics; or a cell that parses and never runs, such as one with a `return` of its own
            continue
        for child in table.get_children():
            _collect(child, names)
        break
    return frozenset(names)


def _bound_by_functions(source: str) -> dict[str, frozenset[str]]:
    """Map a cell's functions to the global names that each binds: those that it declares with ``global``."""
    tree = parsed(source)
    functions = [n for n in ast.walk(tree or ast.Module([], [])) if isinstance(n, ast.FunctionDef)]
    globals_by_function: dict[str, frozenset[str]] = {}
    for function in functions:
        nodes = list(ast.walk(function))
        declared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
        bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} & declared
        if bound:
            globals_by_function[function.name] = globals_by_function.get(function.name, frozenset()) | bound
    return globals_by_function


def _collect(table: symtable.SymbolTable, names: set[str]) -> None:
    module = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (module or symbol.is_global() or table.get_type() == "class"):
            names.add(symbol.get_name())
    for child in table.get_children():
        _collect(child, names)


@dataclass(frozen=True)
class Bindings:
    """The names that a cell binds at its top level."""

    definitions: dict[str, str] = field(default_factory=dict)
    """Name → the source of the ``import``, ``def`` or ``class`` statement that binds it."""
    imported: frozenset[str] = frozenset()
    """Names of the definitions that are imports."""
    assigned: frozenset[str] = frozenset()
    """Names bound in any other way."""
    modules: frozenset[str] = frozenset()
    """Dotted names of all modules that the cell imports, in whatever scope."""


Stars = Mapping[str, tuple[str, ...]]
"""A module of the course → the names that ``from module import *`` binds."""


def bindings(source: str, stars: Stars = MappingProxyType({}), theirs: Collection[str] = frozenset()) -> Bindings:
    """Return the top-level bindings of a cell.

    A cell with magics, which is not plain Python, binds the names in its Python lines. An import from ``theirs``, the
    modules that only the student's kernel imports, defines nothing: it binds names as an answer does.
    """
    tree = _parsed(source)
    definitions: dict[str, str] = {}
    imported: set[str] = set()
    assigned: set[str] = set()
    for statement in [part for whole in tree.body for part in _parts(whole)] if theirs else tree.body:
        bound = _stored(statement, stars)
        if not _only_defines(statement) or (theirs and any(module in theirs for module in _modules(statement))):
            assigned |= bound
            continue
        imports = bound & set(_imported_names(statement, stars))
        # If a cell binds a name twice, no single statement defines it.
        assigned |= {name for name in bound - imports if name in definitions}
        imported |= imports
        definitions |= dict.fromkeys(sorted(bound), ast.unparse(statement))
    return Bindings(definitions, frozenset(imported), frozenset(assigned), frozenset(_modules(tree)))


def _parts(statement: ast.stmt) -> list[ast.stmt]:
    """Take an import of several modules apart: one of them may be an answer."""
    if isinstance(statement, ast.Import):
        return [ast.copy_location(ast.Import([alias]), statement) for alias in statement.names]
    return [statement]


def modules_imported(source: str) -> frozenset[str]:
    """Return :attr:`Bindings.modules` of a cell's or a module's source."""
    return frozenset(_modules(_parsed(source)))


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(_without_magics(source))


def _imported_names(statement: ast.AST, stars: Stars) -> Iterable[str]:
    """Yield the names that the imports in a statement bind; ``from m import *`` binds the public names of ``m``."""
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            module = node.module or ""
            yield from stars[module] if module in stars else [] if node.level else _public_names(module)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)


def _public_names(module: str) -> list[str]:
    try:
        library = importlib.import_module(module)
        return list(getattr(library, "__all__", [name for name in vars(library) if not name.startswith("_")]))
    except Exception:  # the cell that imports the module reports the error; an answer's may not be there
        return []


def _only_defines(statement: ast.stmt) -> bool:
    """Return whether a statement only imports, defines, or names a constant or a lambda."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return True
    if isinstance(statement, ast.Assign):
        plain_targets = all(isinstance(target, ast.Name) for target in statement.targets)
        return plain_targets and (isinstance(statement.value, ast.Lambda) or _is_literal(statement.value))
    if isinstance(statement, ast.If | ast.Try | ast.With):
        inside = [*ast.iter_child_nodes(statement)]
        inside += [node for handler in getattr(statement, "handlers", ()) for node in handler.body]
        return all(isinstance(n, ast.Pass) or _only_defines(n) for n in inside if isinstance(n, ast.stmt))
    return False


_ARITHMETIC = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)


def _is_literal(value: ast.expr) -> bool:
    """Return whether the value is an immutable constant, or arithmetic with constants: ``10 ** -6``."""
    if all(isinstance(node, _ARITHMETIC) for node in ast.walk(value)):
        return True
    try:
        hash(ast.literal_eval(value))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _stored(statement: ast.stmt, stars: Stars) -> set[str]:
    """Return the names that a statement binds at the cell's own level, without nested scopes."""
    names: set[str] = set()
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= set(_imported_names(node, stars))
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        if not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            pending.extend(ast.iter_child_nodes(node))
    return names


def _modules(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _without_magics(source: str) -> str:
    """Return the Python lines of a cell with magics and questions such as ``len?``; empty if they are no Python."""
    added = _ADD_TO.match(source)
    if added is not None:  # by the package jdc: methods of a class of another cell
        return f"class {added[1]}:\n{textwrap.indent(_python(source[added.end() :]) or 'pass', '    ')}\n    pass"
    python = "\n".join(map(_python_line, without_magics(source).splitlines()))
    try:
        ast.parse(python)
    except SyntaxError:
        return ""
    return python


def _python_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if line.lstrip().startswith(("%", "!", "?")) or _QUESTION.fullmatch(line):
        return f"{indent}pass"
    bound = _BOUND.match(line)
    return f"{bound[1]}None" if bound else line


_ADD_TO = re.compile(r"\s*%%add_to\s+(\w+)[^\n]*\n?")
_QUESTION = re.compile(r"\s*[\w.]+\?{1,2}\s*")
_BOUND = re.compile(r"(\s*\w+\s*=\s*)[!%]")
"""A name that is bound to what a magic gives: ``files = !ls``."""


def _python(source: str) -> str:
    """Return a cell that is Python as it is, and the Python lines of another one."""
    return source if parsed(source) is not None else _without_magics(source) or source


@dataclass(frozen=True)
class Vocabulary:
    """The owners of the names in an exam, read from the instructor's source and never from a student's."""

    trusted: dict[str, str]
    """Name → statement, for imports and definitions that only the instructor's cells make: the examiner runs these
    statements itself instead of asking the student's kernel."""
    own: frozenset[str]
    """Names that only test cells bind: helpers of the tests, which no student can replace."""
    students: frozenset[str]
    """Names that other cells bind: if a test deletes or rebinds one of these, the kernel does so, too."""
    parameters: frozenset[str]
    """Names that the instructor's functions read as globals, and that answers or tests bind: a plain value that a test
    binds to one goes to the kernel, too. No other plain value does, because a test's expected value must not become
    known there."""
    modules: frozenset[str]
    """Modules that cells other than tests import: the only modules that a name in the kernel may stand for."""
    operators: dict[str, frozenset[str]] = field(default_factory=dict)
    """Name of a class that cells other than tests define → the special methods that it defines."""
    tables: dict[str, str] = field(default_factory=dict)
    """Name → statement, for tables that locked cells read from files (:mod:`~autograder.syntax.released_tables`)."""
    if_bound: frozenset[str] = frozenset()
    """Names of ``trusted`` that only answers import: a test has them if the student's code bound them."""
    with_state: frozenset[str] = frozenset()
    """Names of ``if_bound`` whose functions share state with the notebook's cells: the notebook's own are called."""
    helpers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Function or class that a test cell defines → the names that it reads: a later test that calls it needs them."""
    theirs: frozenset[str] = frozenset()
    """Modules that only the student's kernel imports, as :attr:`autograder.records.exam.Exam.theirs`."""
    asking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As :attr:`autograder.records.exam.Exam.asking`."""
    stars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As :attr:`autograder.records.exam.Exam.stars`, for those modules."""
    changed: dict[str, frozenset[int]] = field(default_factory=dict)
    """Name that tests bind → after how many tests another cell binds it or changes its object."""
    taken_along: frozenset[str] = frozenset()
    """Functions of locked cells that are the notebook's own because answers add attributes to them, and classes that
    are so because they derive from such a class."""


def vocabulary(exam: Exam) -> Vocabulary:
    """Return the vocabulary of an exam; the same cells give the same object, which must not be changed."""
    code = [cell for cell in exam.cells if cell.cell_type == "code" and not cell.is_answer_file]
    released = tuple(without_magics(cell.released) for cell in code if cell.role is Role.TEST)
    cells = tuple((cell.role, cell.source) for cell in code)
    modules = exam.theirs, tuple(exam.asking.items()), tuple(cell.source for cell in exam.answer_files)
    return _vocabulary(cells, released, tuple(exam.stars.items()), tuple(exam.state.items()), *modules)


@functools.lru_cache(maxsize=64)
def _vocabulary(
    code: tuple[tuple[Role, str], ...],
    released: tuple[str, ...],
    starred: tuple[tuple[str, tuple[str, ...]], ...],
    state: tuple[tuple[str, tuple[str, ...]], ...] = (),
    theirs: tuple[str, ...] = (),
    asking: tuple[tuple[str, tuple[str, ...]], ...] = (),
    files: tuple[str, ...] = (),
) -> Vocabulary:
    stars = dict(starred)
    modules = frozenset(theirs)
    cells = _Cells(tuple((role, bindings(source, stars, modules)) for role, source in code))
    sources = [_python(source) for role, source in code if role is not Role.TEST]
    locked_sources = [_python(source) for role, source in code if role is Role.READ_ONLY]
    binding = _binding_functions(sources)
    added_to = _added_to(cells, code)
    assigned = _assigned(cells.others).union(*binding.values(), added_to.keys())
    trusted = _trusted(cells, assigned, constant_data(locked_sources, sources))
    if_bound = _imported_by_answers(cells, trusted)
    by_tests = _bound(cells.tests).union(*_binding_functions(s for role, s in code if role is Role.TEST).values())
    answers = [*sources, *files]
    functions_change = functions_that_change(answers, functions_returning_nothing(answers))
    changed = _changed(code, functions_change, by_tests, binding)
    # What tests bind before the student's eyes and answers are to change: the change is the answer.
    changed_when_released = changed.keys() & {n for s in released for n in bindings(s, stars).assigned}
    by_others = assigned | _bound(cells.others) | changed_when_released
    return Vocabulary(
        trusted=trusted,
        own=by_tests - by_others,
        students=by_others,
        parameters=(by_others | by_tests) & _read_by_functions(sources) - BUILTINS,
        modules=frozenset(m for b in cells.others for m in b.modules if not _holds(m, modules)),
        operators=class_operators(answers),
        tables=released_tables(locked_sources, sources),
        if_bound=if_bound,
        with_state=if_bound.intersection(name for s in sources for name in names_with_state(s, dict(state), stars)),
        changed=changed,
        helpers=_helpers(cells.tests),
        theirs=modules,
        asking=dict(asking),
        stars={module: names for module, names in starred if module in modules},
        taken_along=frozenset(
            name
            for name, text in added_to.items()
            if not defines_class(text, name) or not bases(text).isdisjoint(added_to)
        ),
    )


def _holds(module: str, theirs: Set[str]) -> bool:
    """Tell whether a module is one of the kernel's, or a package that one lies in."""
    return any(one == module or one.startswith(f"{module}.") for one in theirs)


@dataclass(frozen=True)
class _Cells:
    """What the code cells of an exam bind."""

    all: tuple[tuple[Role, Bindings], ...]

    def of(self, *roles: Role) -> list[Bindings]:
        return [bound for role, bound in self.all if role in roles]

    @property
    def tests(self) -> list[Bindings]:
        return self.of(Role.TEST)

    @property
    def others(self) -> list[Bindings]:
        return [bound for role, bound in self.all if role is not Role.TEST]


def _helpers(tests: Iterable[Bindings]) -> dict[str, frozenset[str]]:
    helpers: dict[str, frozenset[str]] = {}
    for bound in tests:
        for name in bound.definitions.keys() - bound.imported:
            helpers[name] = helpers.get(name, frozenset()) | loaded_names(bound.definitions[name])
    return helpers


def _assigned(cells: Iterable[Bindings]) -> frozenset[str]:
    return frozenset(name for bound in cells for name in bound.assigned)


def _bound(cells: Iterable[Bindings]) -> frozenset[str]:
    return frozenset(name for bound in cells for name in (*bound.definitions, *bound.assigned))


def _trusted(cells: _Cells, assigned: frozenset[str], constants: dict[str, str]) -> dict[str, str]:
    """Return :attr:`Vocabulary.trusted`: constants first, since they need no other name; the rest in the cells' order.

    Imports are trusted in every cell, because they name objects of libraries; definitions only in locked cells. A name
    that is also bound otherwise is neither.
    """
    bindings_of_others = cells.others
    defined = {n for b in bindings_of_others for n in b.definitions if n not in b.imported}
    unlocked = (b for role, b in cells.all if role not in (Role.READ_ONLY, Role.TEST))
    defined_elsewhere = {n for b in unlocked for n in b.definitions}
    statements: dict[str, str] = {}
    for b in bindings_of_others:
        statements |= {n: s for n, s in b.definitions.items() if n in b.imported and n not in defined}
    for b in cells.of(Role.READ_ONLY):
        statements |= {n: s for n, s in b.definitions.items() if n not in b.imported and n not in defined_elsewhere}
    times = Counter(name for name, _ in {(n, s) for b in bindings_of_others for n, s in b.definitions.items()})
    in_order = dict.fromkeys(name for b in bindings_of_others for name in b.definitions)
    return constants | {
        n: statements[n]
        for n in in_order
        if n in statements and n not in assigned and (times[n] == 1 or imports(statements[n]))
    }


def _added_to(cells: _Cells, code: Iterable[tuple[Role, str]]) -> dict[str, str]:
    """Return the locked definitions to which answers add, see :mod:`autograder.syntax.additions`."""
    locked = {n: s for b in cells.of(Role.READ_ONLY) for n, s in b.definitions.items() if n not in b.imported}
    sources = [(role, _python(source)) for role, source in code if role is not Role.TEST]
    answers = [source for role, source in sources if role in (Role.ANSWER, Role.MANUAL)]
    glue = [source for role, source in sources if role not in (Role.ANSWER, Role.MANUAL)]
    theirs = cells.of(Role.ANSWER, Role.MANUAL)
    names = _bound(theirs) - {n for b in theirs for n in b.imported}
    return {name: locked[name] for name in names_of_the_notebook(locked, answers, glue, names)}


def _imported_by_answers(cells: _Cells, trusted: dict[str, str]) -> frozenset[str]:
    imported = {n for b in cells.others for n in b.imported}
    released_names = {n for b in cells.of(Role.READ_ONLY, Role.FREE) for n in b.definitions}
    return frozenset(imported & trusted.keys() - released_names)


def _read_by_functions(sources: Iterable[str]) -> frozenset[str]:
    names = (name for source in sources for name in (*function_globals(source), *_bound_by_functions(source)))
    return frozenset(names)  # ``n += 1`` reads, too


def _binding_functions(sources: Iterable[str]) -> dict[str, frozenset[str]]:
    """Map functions of all cells to the global names that they bind."""
    binding: dict[str, frozenset[str]] = {}
    for source in sources:
        for function, names in _bound_by_functions(source).items():
            binding[function] = binding.get(function, frozenset()) | names
    return binding


def _changed(
    code: Iterable[tuple[Role, str]],
    changing: frozenset[str],
    bound_by_tests: Set[str],
    binding: Mapping[str, frozenset[str]],
) -> dict[str, frozenset[int]]:
    """Find the places for :attr:`Vocabulary.changed`.

    A cell that names a function of ``binding`` may call it, and then its global names are bound there, too.
    """
    cells_by_name: dict[str, set[int]] = {}
    tests = 0
    for role, source in code:
        if role is Role.TEST:
            tests += 1
            continue
        bound = bindings(source)
        names = bound.assigned.union(bound.definitions) | changed_in_place(source, changing)
        if binding:
            names = names.union(*(binding[name] for name in _mentioned(source) & binding.keys()))
        for name in names & bound_by_tests:
            cells_by_name.setdefault(name, set()).add(tests)
    return {name: frozenset(places) for name, places in cells_by_name.items()}


def _mentioned(source: str) -> frozenset[str]:
    """Return the names that a cell reads; none of one whose Python lines do not compile."""
    try:
        return loaded_names(_python(source))
    except SyntaxError:
        return frozenset()


BUILTINS = frozenset(dir(builtins))
"""Names that mean Python's own object in a test, unless the instructor's notebook rebinds them."""


def imports(statement: str) -> bool:
    """Tell whether a trusted statement is an import."""
    return statement.startswith(("import ", "from "))


def needs(source: str, vocabulary: Vocabulary) -> frozenset[str]:
    """Return the names that a test cell needs from the kernel, including those that its trusted definitions need."""
    wanted: set[str] = set()
    visited: set[str] = set()
    pending = list(names_of_cell(source, vocabulary))
    while pending:
        name = pending.pop()
        if name in visited:
            continue
        visited.add(name)
        if name in vocabulary.trusted:
            pending.extend(loaded_names(vocabulary.trusted[name]))
            if name in vocabulary.if_bound:
                wanted.add(name)
        elif name not in vocabulary.own and (name not in BUILTINS or name in vocabulary.students):
            wanted.add(name)
    return frozenset(wanted)
