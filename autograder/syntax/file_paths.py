"""Detection of test cells that look at files, and of the paths in a notebook.

At the position of such a cell the files that the notebook wrote are copied out as bytes. While the cell is examined
they are in a private folder, which is the working folder. Files that the student's code writes during a call of the
test appear there. Files that the test wrote reach the student's code if the call names them.
"""

from __future__ import annotations

import ast
import functools
import os
import re

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.records.exam import Exam, Role

_READERS = "loadtxt genfromtxt fromfile imread read_csv read_table read_json read_excel read_parquet read_html read_xml"
_FIXTURES = "tmp_path tempfile mkdtemp mkstemp TemporaryDirectory NamedTemporaryFile"
_METHODS_OF_PATHS = "read_text read_bytes write_text write_bytes exists is_file is_dir iterdir unlink"
_MODULES = "open Path os glob shutil zipfile tarfile gzip sqlite3 csv pathlib h5py pickle joblib read_pickle"
_OPENERS = frozenset(f"{_MODULES} {_READERS} {_METHODS_OF_PATHS} {_FIXTURES}".split())
_PATH = re.compile(
    r"[\w./-]+\.[A-Za-z]\w{0,7}|(?:\./)?[\w-]+(?:/[\w.-]+)+/?"
    r"|[\w ./-]+\.(?:csv|tsv|txt|json|npy|npz|png|jpe?g|svg|pdf|xlsx|db|zip|html|md|parquet|log|dat)"
)
_OTHER_ARGUMENTS = frozenset({"hidden_data", "events", "log_dir"})
"""Calls whose paths are not relative to the working folder."""


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def looks_at_files(source: str) -> bool:
    """Return whether a test cell may look at files: it opens some, or contains a path-like text.

    A false positive does no harm.
    """
    tree = ast.parse(source)
    elsewhere: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in _OTHER_ARGUMENTS:
            elsewhere |= set(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and _last_name(node) in _OPENERS:
            return True
        text = node.value if isinstance(node, ast.Constant) and node not in elsewhere else None
        if isinstance(text, str) and len(text) < 200 and _PATH.fullmatch(text):
            return True
    return False


def _last_name(node: ast.AST) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def paths_in(exam: Exam) -> frozenset[str]:
    """Return the path-like texts in the notebook's own cells: files that the student's code may read by itself."""
    sources = [cell.source for cell in exam.cells if cell.cell_type == "code" and cell.role is not Role.TEST]
    return frozenset().union(*map(_paths, sources))


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _paths(source: str) -> frozenset[str]:
    try:
        texts = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)]
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(relative(text) for text in texts if isinstance(text, str) and _PATH.fullmatch(text))


def relative(path: str) -> str:
    """Return the normalized path with forward slashes."""
    return os.path.normpath(path).replace(os.sep, "/")
