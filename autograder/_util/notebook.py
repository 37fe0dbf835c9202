"""Reader of untrusted notebooks: every fault is an error with a reason, never a hang or a crash.

Bounds come first (kind of file, size, number of containers and values), then strict JSON, then nbformat's own schema.
Only a notebook that has passed all of them is upgraded and returned.
"""

from __future__ import annotations

import copy
import json
import math
import os
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, cast

from autograder._util.notebook_format import NotebookNode, ValidationError, nbformat
from autograder._util.text import is_encodable
from autograder.errors import CourseError, SubmissionError
from autograder.records.limits import MAX_NOTEBOOK_BYTES

MAX_DEPTH = 100
"""Nesting of lists and objects; an interactive plot needs about 20."""
MAX_CONTAINERS = 1_000_000
MAX_VALUES = 8_000_000
"""Together with the size, bounds the cost of reading: in the worst case measured, 0.9 GiB and 16 seconds."""
MAX_CELLS = 10_000

# Strings are consumed whole and without backtracking, so that no digits in them are taken for a number.
_STRING_OR_WORD = re.compile(r'"(?:[^"\\]++|\\.)*+"|"|[-+.\w]+', re.DOTALL)


def read_notebook(source: Path | str | bytes, *, name: str | None = None) -> NotebookNode:
    """Read a notebook that a student handed in.

    Args:
        source: a path, or the file's content.
        name: the notebook's name in messages; default: the file's name, or ``notebook``.

    Returns:
        A valid nbformat 4 notebook: sources are single strings, and cells of format 4.5 have unique ids. nbgrader's
        metadata is of its current schema where it could be upgraded (trust nothing in it).

    Raises:
        SubmissionError: no regular file, too large, not UTF-8, not strict JSON (duplicate keys, NaN, too deep), another
            format than 3 or 4, or refused by nbformat's schema.
    """
    if isinstance(source, bytes):
        label, data = name or "notebook", source
    else:
        label = name or Path(source).name
        data = _read_bytes(Path(source), label)
    parsed = _parse(data, label)
    return _upgrade_metadata(_validated(parsed, label))


def read_source_notebook(path: Path, *, name: str | None = None) -> NotebookNode:
    """Read an instructor's notebook: as :func:`read_notebook`, but a fault is the course author's.

    Raises:
        CourseError: the notebook cannot be read.
    """
    try:
        return read_notebook(path, name=name)
    except SubmissionError as error:
        raise CourseError(str(error)) from None


# --- bytes -------------------------------------------------------------------------------------------


def _read_bytes(path: Path, label: str) -> bytes:
    """Read a regular file; links are not followed, and pipes are not waited for."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{label}: not a regular file but {_file_kind(mode)}; hand in the notebook itself")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SubmissionError(f"{label}: not a regular file; hand in the notebook itself")
            _check_size(status.st_size, label)
            return file.read(MAX_NOTEBOOK_BYTES + 1)
    except OSError as error:
        raise SubmissionError(f"{label}: cannot be read ({error.strerror or error})") from None


def _file_kind(mode: int) -> str:
    kinds = ((stat.S_ISLNK, "a symbolic link"), (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"))
    return next((kind for test, kind in kinds if test(mode)), "a special file")


def _check_size(size: int, label: str) -> None:
    if size > MAX_NOTEBOOK_BYTES:
        limit = f"the limit is {MAX_NOTEBOOK_BYTES >> 20} MiB"
        raise SubmissionError(f"{label}: {size / (1 << 20):.0f} MiB; {limit}. Clear its outputs and save it again")


# --- JSON --------------------------------------------------------------------------------------------


class _BadValue(Exception):
    """A fault found inside the JSON parser: (message, word to look for in the text, or None)."""


def _parse(data: bytes, label: str) -> dict[str, Any]:
    """Parse strict JSON with an object at its top."""
    _check_size(len(data), label)
    if data.count(b"[") + data.count(b"{") > MAX_CONTAINERS or data.count(b",") > MAX_VALUES:
        raise SubmissionError(f"{label}: holds too many values. Clear its outputs and save it again")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SubmissionError(f"{label}: line {line}: not UTF-8 text. Save it again in Jupyter") from None
    if not text.strip():
        raise SubmissionError(f"{label}: the file is empty")
    try:
        parsed = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}: not valid JSON: {error.msg}"
        raise SubmissionError(f"{label}: {problem}. Is it a notebook (.ipynb)?") from None
    except _BadValue as error:
        problem, word = error.args
        raise SubmissionError(f"{label}: {_line_of(word, text)}{problem}") from None
    except RecursionError:
        _too_deep(label)
    if not isinstance(parsed, dict):
        raise SubmissionError(f"{label}: line 1: not a notebook: the file holds no JSON object")
    for value, depth in _walk(parsed):
        if depth > MAX_DEPTH:
            _too_deep(label)
        if isinstance(value, str) and not value.isascii() and not is_encodable(value):
            raise SubmissionError(f"{label}: half a character (a lone surrogate) in {value[:40]!r}")
    return parsed


def _too_deep(label: str) -> NoReturn:
    raise SubmissionError(f"{label}: nested more than {MAX_DEPTH} levels deep. Clear its outputs and save it again")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys: set[str] = set()
        twice = next(key for key, _ in pairs if key in keys or keys.add(key))  # type: ignore[func-returns-value]
        raise _BadValue(f"the key {twice[:60]!r} appears twice in one object", None)
    return result


def _no_constant(word: str) -> NoReturn:
    raise _BadValue(f"{word} is not a number that JSON allows", word)


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise _BadValue(f"the number {word[:40]} is too large", word)
    return value


def _integer(word: str) -> int:
    if len(word) > 1000:
        raise _BadValue(f"the number {word[:40]}… has {len(word)} digits", word)
    return int(word)


def _line_of(word: str | None, text: str) -> str:
    """Return ``line 3: `` for the first ``word`` outside of a string; nothing if it is not found."""
    if word is None:
        return ""
    for match in _STRING_OR_WORD.finditer(text):
        if match.group() == '"':
            break  # the rest is an open string; searching for its end from every quote would take forever
        if match.group() == word:
            return f"line {text.count(chr(10), 0, match.start()) + 1}: "
    return ""


def _walk(top: Any) -> Iterator[tuple[Any, int]]:
    """Yield every key and value below ``top`` with its depth, without recursion: depth is unbounded here."""
    stack = [(top, 1)]
    while stack:
        value, depth = stack.pop()
        yield value, depth
        if isinstance(value, dict):
            stack.extend((key, depth) for key in value)
            stack.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            stack.extend((item, depth + 1) for item in value)


# --- nbformat ----------------------------------------------------------------------------------------


def _validated(parsed: dict[str, Any], label: str) -> NotebookNode:
    """Convert the notebook to format 4; it is validated before and after."""
    major, minor = parsed.get("nbformat"), parsed.get("nbformat_minor", 0)
    if type(major) is not int or type(minor) is not int or not 0 <= minor < 1000:
        raise SubmissionError(f"{label}: not a notebook: 'nbformat' is missing or no number")
    if major not in (3, 4):
        todo = "open it in a current Jupyter and save it" if major < 3 else "save it as nbformat 4"
        raise SubmissionError(f"{label}: notebook format {major} cannot be read (3 and 4 can); {todo}")
    if _cell_count(parsed) > MAX_CELLS:
        raise SubmissionError(f"{label}: more than {MAX_CELLS:,} cells; remove those that are not needed")
    if major == 4:
        _repair_outputs(parsed)
        _repair_ids(parsed, minor)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nbformat.validate(parsed, relax_add_props=True)
            notebook = nbformat.versions[major].to_notebook_json(parsed, minor=minor)
            # Format 3 has a node class of its own: from_dict makes one class of both.
            notebook = nbformat.from_dict(nbformat.convert(notebook, 4))
            nbformat.validate(notebook, relax_add_props=True)
    except ValidationError as error:
        position = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
        raise SubmissionError(f"{label}: not a valid notebook: {position[:80]}: {error.message[:200]}") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SubmissionError(f"{label}: not a valid notebook ({type(error).__name__}: {str(error)[:200]})") from None
    return cast(NotebookNode, notebook)


def _cell_count(parsed: dict[str, Any]) -> int:
    """Count the cells of a notebook that may be malformed, in format 4 or 3."""
    worksheets = parsed.get("worksheets")
    holders = [parsed, *(worksheets if isinstance(worksheets, list) else ())]
    lists = [holder.get("cells") for holder in holders if isinstance(holder, dict)]
    return sum(len(cells) for cells in lists if isinstance(cells, list))


def _repair_outputs(parsed: dict[str, Any]) -> None:
    """Give code cells without them the outputs and the count that format 4 demands.

    A cell whose type was changed by hand, or by a tool, lacks both. All cells are run anew.
    """
    cells = parsed.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)


def _repair_ids(parsed: dict[str, Any], minor: int) -> None:
    """Give fixed ids to cells that have none or share one; the first of those that share it keeps it.

    Format 4.5 demands ids; copied cells may share one, and editors forget them. No grade depends on them.
    """
    cells = parsed.get("cells")
    if minor < 5 or not isinstance(cells, list):
        return
    cells = [cell for cell in cells if isinstance(cell, dict)]
    used = {cell["id"] for cell in cells if isinstance(cell.get("id"), str)}
    assigned: set[str] = set()
    for index, cell in enumerate(cells):
        cell_id = cell.get("id")
        if cell_id is None or (isinstance(cell_id, str) and cell_id in assigned):
            cell_id = f"cell-{index}"
            while cell_id in used:
                cell_id += "x"
            used.add(cell_id)
            cell["id"] = cell_id
        if isinstance(cell_id, str):
            assigned.add(cell_id)


def _upgrade_metadata(notebook: NotebookNode) -> NotebookNode:
    """Upgrade nbgrader's cell metadata to its current schema, by nbgrader's code.

    Metadata that nbgrader rejects stays as it was. So does all of it where nbgrader is not installed (a student's
    machine).
    """
    outdated = [cell for cell in notebook.cells if _schema(cell) in (0, 1, 2)]
    if not outdated:
        return notebook
    try:
        from nbgrader.nbgraderformat import MetadataValidator
    except ImportError:
        return notebook
    validator = MetadataValidator()
    for cell in outdated:
        before = copy.deepcopy(cell.metadata)
        try:
            validator.upgrade_cell_metadata(cell)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            cell.metadata = before
    return notebook


def _schema(cell: NotebookNode) -> object:
    """Return the schema version in the cell's nbgrader metadata, 0 if missing; None without such metadata."""
    metadata = cell.metadata.get("nbgrader")
    return metadata.get("schema_version", 0) if isinstance(metadata, dict) else None
