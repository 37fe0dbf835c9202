"""Habits of a notebook that fail where it is graded: questions to a person, the network, own paths, installations.

The source is only read. A notebook can do these things in ways that are not seen here, so that what is found is
advice and no verdict.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autograder._util.syntax import parsed
from autograder._util.text import one_line

_ASKING = frozenset({"input", "getpass", "getpass.getpass"})
_LOADING = frozenset(
    {
        "requests.get", "requests.post", "requests.request", "urllib.request.urlopen", "urllib.request.urlretrieve",
        "urlopen", "urlretrieve", "wget.download", "gdown.download", "httpx.get", "httpx.stream", "get_file",
        "keras.utils.get_file", "fetch_openml", "fetch_california_housing", "fetch_20newsgroups", "load_dataset",
        "kagglehub.dataset_download", "hf_hub_download", "snapshot_download",
    }
)  # fmt: skip
"""Calls that need the network; also looked for without the module's name."""
_DATA_SETS = re.compile(r"(?:.*\.)?(?:cifar10|cifar100|mnist|fashion_mnist|imdb|reuters|boston_housing)\.load_data")
_ADDRESS = re.compile(r"(?:https?|ftp|s3|gs)://\S")
_OWN_PATH = re.compile(
    r"/(?:home|Users|content|kaggle|mnt|media|drive)/\S|~[/\\]\S|[A-Za-z]:[\\/](?![\\/])\S|\\\\[\w.$-]+\\\S"
)
_SHELL_LOADS = re.compile(r"^\s*[!%]+\s*(?:wget|curl|git\s+clone|kaggle|gdown)\b", re.MULTILINE)
_INSTALLS = re.compile(
    r"^([ \t]*)[!%]+[ \t]*(?:sudo[ \t]+)?(?:(?:[\w./-]*python[\d.]*|\{sys\.executable\})[ \t]+-m[ \t]+)?"
    r"(?:pip[\d.]*|uv|conda|mamba|apt(?:-get)?)\b(?:[^\n]*\\\n)*[^\n]*",
    re.MULTILINE,
)
"""A line that installs, with the lines on which it goes on."""
_MAGIC_LINE = re.compile(r"^([ \t]*)[!%?].*$", re.MULTILINE)

NO_INPUT = "there is nobody to answer when the notebook is graded; write the value into the cell"
NO_NETWORK = "there is no network when the notebook is graded; save the file beside the notebook, and open it there"
OWN_PATH = "only your computer has that path; put the file beside the notebook, and name it without folders of yours"
_UNREACHED = re.compile(
    r"gaierror|NameResolutionError|Name or service not known|nodename nor servname|Temporary failure in name resolution"
    r"|Network is unreachable|Max retries exceeded"
)
"""What errors say of a machine that has no network."""
NO_INSTALLATION = (
    "nothing is installed when the notebook is graded, and the line is passed over; use what your course has installed"
)


def explained(error: str) -> str:
    """Return a cell's error, ``Name: text``; what lacks where notebooks are graded is said in plain words."""
    if error.startswith("StdinNotImplementedError"):
        return f"StdinNotImplementedError: {NO_INPUT}"
    return f"{error.partition(':')[0]}: {NO_NETWORK}" if _UNREACHED.search(error) else error


def without_installations(source: str) -> str:
    """Replace lines that install packages with ``pass``: where notebooks are graded, they do nothing."""
    return _INSTALLS.sub(lambda found: f"{found[1]}pass" + "\n" * found[0].count("\n"), source)


@dataclass(frozen=True, slots=True)
class Habit:
    """Something in a cell that fails, or does nothing, where the notebook is graded."""

    cell: int
    """Number of the cell in the notebook, from 1."""
    what: str
    """What it does: ``calls input()``."""
    why: str

    def __str__(self) -> str:
        return f"Cell {self.cell} {self.what}: {self.why}."


def habits(cells: Iterable[tuple[int, str]]) -> Iterator[Habit]:
    """Find such habits in code cells, given as number and source; each is named once a cell."""
    cells = list(cells)
    trees = [(number, source, parsed(_MAGIC_LINE.sub(r"\1pass", source))) for number, source in cells]
    bound = {name for _, _, tree in trees if tree is not None for name in _bound(tree)}
    for number, source, tree in trees:
        reasons: dict[str, str] = {}
        if _INSTALLS.search(source):
            reasons["installs packages"] = NO_INSTALLATION
        if loads := _SHELL_LOADS.search(source):
            reasons[f"downloads with `{one_line(loads[0].strip(), 40)}`"] = NO_NETWORK
        for action, reason in _in_code(tree, bound) if tree is not None else ():
            reasons.setdefault(action, reason)
        yield from (Habit(number, what, why) for what, why in reasons.items())


def _bound(tree: ast.AST) -> Iterator[str]:
    """Yield names that the notebook gives a meaning of its own: ``def input(prompt)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _in_code(tree: ast.AST, bound: set[str]) -> Iterator[tuple[str, str]]:
    documentation = set(_unused_texts(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _name(node.func)) and name.split(".")[0] not in bound:
            if name in _ASKING:
                yield f"calls {name}()", NO_INPUT
            elif _loads(name) or any(map(_is_address, node.args)):
                yield f"downloads with {name}()", NO_NETWORK
        elif isinstance(node, ast.Constant) and id(node) not in documentation and _is_own_path(node.value):
            yield f"names “{one_line(str(node.value), 80)}”", OWN_PATH


def _is_own_path(value: object) -> bool:
    return isinstance(value, str) and "\n" not in value and _OWN_PATH.match(value) is not None


def _loads(name: str) -> bool:
    return name in _LOADING or name.split(".")[-1] in _LOADING or _DATA_SETS.fullmatch(name) is not None


def _is_address(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_ADDRESS.match(node.value))


def _unused_texts(tree: ast.AST) -> Iterator[int]:
    """Yield texts that stand alone, such as docstrings, and those that are printed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.Call) and _name(node.func) == "print":
            yield from (id(part) for part in ast.walk(node))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _name(node.value)):
        return f"{before}.{node.attr}"
    return ""
