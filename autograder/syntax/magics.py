"""Magics of a test cell that mean nothing to a test: the exam has the cell without them."""

from __future__ import annotations

import ast
import re

from autograder._util.syntax import parsed

_NOTHING = re.compile(
    r"(?P<indent>\s*)(?:%(?:matplotlib|config|load_ext|reload_ext|unload_ext|autoreload|precision|pprint|xmode|colors|pdb"
    r"|autosave|tensorflow_version|tensorboard|who|whos|pip|conda|mamba)|[%!](?:pip3?|conda|mamba)\s+install)\b[^\\]*"
)
"""Magics for plots, reloading, display and installation: they bind no name and compute no value."""
_TIME = re.compile(r"(?P<indent>\s*)%time\s+(?P<statement>\S.*)")
"""Runs a statement as it stands, and prints how long that took."""
_CELL = re.compile(r"%%(?:time|capture(?:\s+--no-\w+)*)\s*")
"""Runs the cell as it stands."""


def without_magics(source: str) -> str:
    """Replace each such magic with ``pass``, which keeps the line numbers; other magics stay and are refused.

    As in IPython, a cell may be indented as a whole.
    """
    source = _without_indent(source)
    if ("%" not in source and "!" not in source) or parsed(source) is not None:
        return source
    lines = source.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    replaced = [_plain(line, is_first=index == first) for index, line in enumerate(lines)]
    tree = parsed("\n".join(replaced))
    if tree is None:
        return source
    for start, end in _texts(tree):  # a line of a text is no magic
        replaced[start:end] = lines[start:end]
    return "\n".join(replaced)


def _without_indent(source: str) -> str:
    """Remove the indent of the first line with code from all lines that begin with it."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    return re.sub(f"^{indent}", "", source, flags=re.MULTILINE) if indent else source


def _plain(line: str, *, is_first: bool) -> str:
    if is_first and _CELL.fullmatch(line):
        return "pass"
    if match := _TIME.fullmatch(line):
        return match["indent"] + match["statement"]
    if match := _NOTHING.fullmatch(line):
        return match["indent"] + "pass"
    return line


def _texts(tree: ast.AST) -> list[tuple[int, int]]:
    """List the lines on which texts of several lines continue, counted from 0."""
    texts = [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr | ast.Constant) and n.end_lineno is not None]
    return [(n.lineno, n.end_lineno) for n in texts if n.end_lineno is not None and n.end_lineno > n.lineno]
