"""What names in the package say: a name that could be used in any function is not a name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "autograder"

WORDS = """
asked both done each found given got here it kept known left made many named old one other others own piece place read
rest said seen shown some taken there thing those told way what where which who why written
"""
EMPTY_WORDS = frozenset(WORDS.split())

OPPOSITES = {
    "left": {"right", "active"}, "old": {"new"}, "other": {"self", "cls"}, "done": {"wrong"}, "many": {"few"},
}  # fmt: skip
"""Words that say something beside their opposite: two operands, what a new one replaces, ``__eq__(self, other)``."""

CALLED_FROM_OUTSIDE = {"check/cases.py": {"shown"}}
"""Module → parameters that test cells of exams in earlier bundles pass by name."""

VERBS = {"read"}
"""Words that say enough as the name of a function beside its module's: ``outcome_reader.read``."""

OF_A_MODULE = {
    "check/cases.py": {"given"},  # tests of otter's call it, also in earlier bundles
    "extensions/diagnosis/why.py": {"why"},  # the command's own name
    "extensions/diagnosis/why_command.py": {"why"},
    "extensions/lms/rest.py": {"rest"},  # REST
}
"""Module → empty words among the names of its functions, classes and constants, and in its own."""

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSION = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class _Scopes(ast.NodeVisitor):
    """The names that each function, comprehension and module binds; names in a class are fields."""

    def __init__(self, tree: ast.Module) -> None:
        self.bindings: dict[ast.AST, set[tuple[int, str]]] = {}
        self.around: list[ast.AST] = []
        self.visit(tree)

    def visit(self, node: ast.AST) -> None:
        is_scope = isinstance(node, FUNCTION | COMPREHENSION | ast.ClassDef | ast.Module)
        self.around += [node] if is_scope else []
        match node:
            case ast.NamedExpr(ast.Name(name)):
                functions = [scope for scope in self.around if not isinstance(scope, COMPREHENSION)]
                self._bind(functions[-1], node.lineno, name)
                return self.visit(node.value)
            case ast.Name(name, ast.Store()) | ast.arg(name) | ast.ExceptHandler(name=str(name)):
                self._bind(self.around[-1], node.lineno, name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                self._bind(self.around[-1], node.lineno, name)
        self.generic_visit(node)
        del self.around[len(self.around) - is_scope :]
        return None

    def _bind(self, scope: ast.AST, line: int, name: str) -> None:
        if not isinstance(scope, ast.ClassDef):
            self.bindings.setdefault(scope, set()).add((line, name))


def _is_short(scope: ast.AST, name: str) -> bool:
    """Tell whether a comprehension or lambda has a variable on a single line."""
    nodes = [node for node in ast.walk(scope) if isinstance(node, ast.Name | ast.arg)]
    lines = {node.lineno for node in nodes if getattr(node, "id", getattr(node, "arg", "")) == name}
    return isinstance(scope, COMPREHENSION | ast.Lambda) and len(lines) == 1


def empty_names(source: str) -> list[tuple[int, str]]:
    """List line and name of each binding of an empty word, but for variables on a single line."""
    faults = []
    for scope, bindings in _Scopes(ast.parse(source)).bindings.items():
        names = {name for _, name in bindings}
        empty = {name for name in names if is_empty(name, names)}
        faults += [(line, name) for line, name in bindings if name in empty and not _is_short(scope, name)]
    return sorted(faults)


def empty_names_of_module(source: str) -> list[tuple[int, str]]:
    """List line and name of each function, class and constant of a module that is named by an empty word."""
    names: list[tuple[int, str]] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names += [] if node.name.strip("_") in VERBS else [(node.lineno, node.name)]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            inner = [name for target in targets for name in ast.walk(target)]
            names += [(node.lineno, name.id) for name in inner if isinstance(name, ast.Name)]
    words = {word(name) for _, name in names}
    return [(line, name) for line, name in names if is_empty(word(name), words)]


def word(name: str) -> str:
    return name.strip("_").lower()


def is_empty(name: str, beside: set[str]) -> bool:
    return name in EMPTY_WORDS and not beside & OPPOSITES.get(name, set())


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def _found(): pass", ["_found"]),
        ("class Given: pass", ["Given"]),
        ("_KEPT: int = 1\nA, WHY = 1, 2", ["WHY", "_KEPT"]),
        ("def read(): pass\ndef _read(): pass", []),
        ("READ = 1", ["READ"]),
        ("DONE, WRONG = 0, 1", []),
        ("class Box:\n    found = 1\n    def given(self): pass", []),
    ],
)
def test_the_lint_names_each_empty_name_of_a_module(source: str, names: list[str]) -> None:
    assert sorted(name for _, name in empty_names_of_module(source)) == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("found = 1", ["found"]),
        ("def f(found, *others, given=1, **named): pass", ["found", "given", "named", "others"]),
        ("for one in x:\n    print(one)", ["one"]),
        ("with x as place: pass", ["place"]),
        ("if found := f(): pass", ["found"]),
        ("[y for x in z if (found := x)]", ["found"]),
        ("try:\n    f()\nexcept E as why:\n    pass", ["why"]),
        ("match x:\n    case [a, *rest]: pass", ["rest"]),
        ("[\n    f(one)\n    for one in x\n]", ["one"]),
        ("g = lambda one: (\n    one\n)", ["one"]),
        ("[f(one) for one in x]", []),
        ("g = lambda one: one", []),
        ("left, right = x", []),
        ("left = x", ["left"]),
        ("def f(self, other): pass", []),
        ("def f(other): pass", ["other"]),
        ("class Box:\n    found: int = 1\n    def f(self):\n        self.found = 2", []),
        ("x.place = 1\nfindings = x.found", []),
    ],
)
def test_the_lint_names_each_empty_word_that_spans_lines(source: str, names: list[str]) -> None:
    assert sorted(name for _, name in empty_names(source)) == names


def test_no_variable_or_parameter_of_the_package_has_an_empty_name() -> None:
    faults = [
        f"{path}:{line}: {name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for path in [file.relative_to(PACKAGE).as_posix()]
        for line, name in empty_names(file.read_text(encoding="utf-8"))
        if name not in CALLED_FROM_OUTSIDE.get(path, set())
    ]
    assert faults == []


def test_no_module_function_class_or_constant_of_the_package_has_an_empty_name() -> None:
    faults = [
        f"{path}:{line}: {name}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for path in [file.relative_to(PACKAGE).as_posix()]
        for line, name in [(1, file.stem), *empty_names_of_module(file.read_text(encoding="utf-8"))]
        if word(name) in EMPTY_WORDS and word(name) not in OF_A_MODULE.get(path, set())
    ]
    assert faults == []


def test_forty_words_are_empty() -> None:
    assert len(EMPTY_WORDS) == 40
