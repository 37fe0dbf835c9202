"""Leaks: secrets that would reach students with a release. They are searched for before it is written.

Grading does not check for leaks: a release that is out is out, and its submissions can be graded all the same.
"""

from __future__ import annotations

import ast
import mmap
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder._util.notebook import read_source_notebook
from autograder._util.notebook_format import NotebookNode
from autograder._util.syntax import parsed
from autograder.course.nbgrader_config import NbgraderConfig, read_nbgrader_config
from autograder.records.course import Assignment, Course
from autograder.release.answer_texts import AnswerTexts
from autograder.release.cell_metadata import cell_name, metadata_faults
from autograder.release.drafts import drafts
from autograder.release.formats import format_of
from autograder.release.left_out import source_notebooks
from autograder.release.markers import (
    HIDDEN_TESTS,
    MARK_SCHEME,
    SOLUTION,
    Markers,
    course_markers,
    find_slip,
    read_cell,
)
from autograder.release.record import Release
from autograder.release.release_files import unnamed_files
from autograder.release.step_messages import misplaced
from autograder.release.stripping import stop_for

MAX_LINES_BYTES = 4 << 20
"""Up to this size, files are searched line by line, for near misses of markers; larger ones only for exact markers."""
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
_BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")
_AROUND = " \t#/*%-;<>!"
"""Characters with which comments begin and end."""
_HIDDEN_DATA = re.compile(r"\bcheck\s*\.\s*hidden_data\s*\(")
_COMMENT = re.compile(r"[^#'\"]*#(.*)")
"""A line of code with a comment, and no text before it."""
_SETTING = re.compile(r"\s*#?\s*c\.Clear\w+\.(begin|end)_\w+_delimeter\s*=")
"""The line of an nbgrader_config.py that says what the marker is, also as nbgrader writes it for its default."""
_TODO = "students would see the marked part; remove it"
_LEAVE_OUT = (
    "or leave the file out: with `autograder release --leave-out`, or for good by its name in "
    "c.CourseDirectory.ignore of nbgrader_config.py, and not in files of course.yaml"
)
_NOT_VISIBLE = "check.hidden_data names hidden data in a part that students see; put it between the markers"


def check_sources(course: Course, assignment: Assignment) -> None:
    """Search the source notebooks of an assignment for leaks, and for cells whose marks are wrong.

    Raises:
        CourseError: there are some; the message names each place, with what to do.
    """
    config = read_nbgrader_config(course.root)
    markers = course_markers(config)
    leaks, marks = [*_in_sources(course, assignment, markers)], [*_in_marks(course, assignment, markers, config)]
    stop_for(
        [*leaks, *marks], _LEAKS if not marks else f"{_LEAKS}, or are wrong in cells" if leaks else "faults in cells"
    )


def _in_marks(course: Course, assignment: Assignment, markers: Markers, config: NbgraderConfig) -> Iterator[str]:
    """Find the faults of nbgrader's marks, so that a release names them together with what would reach students."""
    for path in source_notebooks(course, assignment):
        label = path.relative_to(course.root).as_posix()
        notebook = read_source_notebook(path, name=label)
        if format_of(notebook, label) is None:
            faults = [*metadata_faults(notebook), *_misplaced_parts(notebook, markers, config)]
            yield from (f"{label}: {fault}" for fault in faults)


_CLEARED = {
    # kind of a part: the mark of the cells that have it, and nbgrader's step that refuses it in others
    SOLUTION: ("solution", "ClearSolutions"),
    HIDDEN_TESTS: ("grade", "ClearHiddenTests"),
    MARK_SCHEME: ("task", "ClearMarkScheme"),
}


def _misplaced_parts(notebook: NotebookNode, markers: Markers, config: NbgraderConfig) -> Iterator[str]:
    """Find hidden parts in cells of another kind; nbgrader refuses them, too, but stops at the first."""
    for index, cell in enumerate(notebook.cells):
        marks, marked = cell.metadata.get("nbgrader", {}), read_cell(cell, markers)
        for pair in markers.pairs if isinstance(marks, dict) and not (marked.faults or marked.is_replaced) else ():
            mark, step = _CLEARED[pair.kind]
            if pair.kind in marked.kinds and not marks.get(mark) and config.get(step, "enforce_metadata", True):
                yield f"{cell_name(index, cell)}: {misplaced(pair)}"


def check_files(course: Course, release: Release) -> None:
    """Search the files of a release for leaks.

    Raises:
        CourseError: there are leaks; the message names each file, with what to do.
    """
    markers = course_markers(read_nbgrader_config(course.root))
    doubtful = _doubtful_files(course, release, markers)
    marked = _marked_files(course, release, markers)
    faults = [*doubtful.values(), *_in_notebooks(release, markers), *marked.values()]
    stop_for(list(dict.fromkeys(faults)), _LEAKS)


def leaking_files(course: Course, release: Release) -> frozenset[str]:
    """Return the places of the release's files that :func:`check_files` refuses."""
    markers = course_markers(read_nbgrader_config(course.root))
    doubtful = _doubtful_files(course, release, markers)
    return frozenset({**doubtful, **_marked_files(course, release, markers)})


_LEAKS = "things would reach students"


# --- source notebooks --------------------------------------------------------------------------------


def _in_sources(course: Course, assignment: Assignment, markers: Markers) -> Iterator[str]:
    config = read_nbgrader_config(course.root)
    added = (config.get("IncludeHeaderFooter", option) for option in ("header", "footer"))
    included = [path for name in added if name and (path := course.root / str(name)).is_file()]
    for path in [*included, *source_notebooks(course, assignment)]:
        label = path.relative_to(course.root).as_posix()
        notebook = read_source_notebook(path, name=label)
        if not format_of(notebook, label):  # its markers are read, and refused, where it is converted
            yield from (f"{label}: {fault}" for fault in _in_notebook(notebook, markers))
    yield from drafts(course, assignment).values()


def _in_notebook(notebook: NotebookNode, markers: Markers) -> Iterator[str]:
    cells = [read_cell(cell, markers) for cell in notebook.cells]
    names = _names_of_check(notebook)
    for index, (cell, marked) in enumerate(zip(notebook.cells, cells, strict=True)):
        faults = list(marked.faults)
        if cell.cell_type == "code":
            faults += ((line, _NOT_VISIBLE) for line in _asks_hidden_data(marked.visible, names))
        yield from (f"{cell_name(index, cell)}: line {line}: {fault}" for line, fault in sorted(faults))


def _names_of_check(notebook: NotebookNode) -> frozenset[str]:
    """Collect the names that the notebook gives to ``autograder.check`` and its ``hidden_data``."""
    names = {"check"}
    for cell in notebook.cells:
        tree = parsed(cell.source) if cell.cell_type == "code" and "import" in cell.source else None
        for node in ast.walk(tree) if tree else ():
            match node:
                case ast.ImportFrom("autograder" | "autograder.check", imported):
                    names |= {a.asname or a.name for a in imported if a.name in ("check", "hidden_data")}
                case ast.Import(imported):
                    names |= {a.asname for a in imported if a.name == "autograder.check" and a.asname}
    return frozenset(names)


def _asks_hidden_data(lines: Sequence[str], names: frozenset[str]) -> list[int]:
    """Return the numbers of lines that call check.hidden_data, under any of its names."""
    source = "\n".join(lines)
    if "hidden_data" not in source and not names - {"check"}:
        return []
    tree = parsed(source)
    if tree is None:
        return [number for number, line in enumerate(lines, 1) if _HIDDEN_DATA.search(line)]
    return sorted(
        {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_hidden_data(node.func, names)}
    )


def _is_hidden_data(called: ast.expr, names: frozenset[str]) -> bool:
    match called:
        case ast.Attribute(ast.Name(owner), "hidden_data"):
            return owner in names
        case ast.Attribute(ast.Attribute(ast.Name("autograder"), "check"), "hidden_data"):
            return True
        case ast.Name(name):
            return name in names and name != "check"
    return False


# --- released files ----------------------------------------------------------------------------------


def _doubtful_files(course: Course, release: Release, markers: Markers) -> dict[str, str]:
    return unnamed_files(course, release.assignment, release.files, AnswerTexts(release.exams, markers).found_in)


def _in_notebooks(release: Release, markers: Markers) -> Iterator[str]:
    """Find markers that are left in released notebooks."""
    for notebook in release.notebooks:
        marker = _marker_in(notebook.text.encode(), markers)
        name = f"source/{release.assignment.name}/{notebook.name}.ipynb"
        yield from [f"{name}: holds {marker!r} when it is released: {_TODO}"] if marker else []


def _marked_files(course: Course, release: Release, markers: Markers) -> dict[str, str]:
    """Find markers in files of any kind: place in the release → a sentence that names the file."""
    faults = {}
    for target, path in release.files.items():
        if marker := _marked(path, markers):
            name = path.relative_to(course.root.resolve()).as_posix()
            faults[target] = f"{name}: {marker}: {_TODO}, {_LEAVE_OUT}"
    return faults


def _marked(path: Path, markers: Markers) -> str | None:
    """Return a file's first line with a marker or a near miss.

    For a large or binary file, return only an exact marker.
    """
    size = path.stat().st_size
    if not size:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        is_wide = data[:2] in _BYTE_ORDERS
        if size > MAX_LINES_BYTES or (b"\0" in data[:8192] and not is_wide):
            marker = _marker_in(data, markers)
            return repr(marker) if marker else None
        text = data[:].decode("utf-16" if is_wide else "utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        # A notebook is JSON, where a line may hold several.
        if any(_is_marker(part, markers, is_code=path.suffix == ".py") for part in line.split(r"\n")):
            return f"line {number}: {line.strip()[:80]!r}"
    return None


def _is_marker(line: str, markers: Markers, *, is_code: bool) -> bool:
    """Tell whether a line of a file is a marker, or was meant as one.

    A line of code, or its comment, must begin with the marker: a module may speak of markers, or look for them.
    """
    if _SETTING.match(line):
        return False
    texts = [text for pair in markers.pairs for text in (pair.begin, pair.end)]
    comment = _COMMENT.match(line) if is_code else None
    parts = [part.strip(_AROUND) for part in (line, *(comment.groups() if comment else ()))]
    for text in texts:
        if text == parts[0]:
            return True
        is_told = any(part.startswith(text.strip(_AROUND)) for part in parts) if is_code else text in line
        if is_told and _is_telling(text):
            return True
    if is_code and "#" in line and comment is None:  # within a text
        return False
    slip = find_slip(f"#{comment[1]}" if comment else line, markers, is_code=is_code)
    return slip is not None and not slip.is_bare


def _marker_in(data: bytes | mmap.mmap, markers: Markers) -> str | None:
    """Return the first marker in bytes of any kind."""
    texts = (text for pair in markers.pairs for text in (pair.begin, pair.end) if _is_telling(text))
    return next((text for text in texts for coding in _ENCODINGS if data.find(text.encode(coding)) >= 0), None)


def _is_telling(marker: str) -> bool:
    """Tell whether the text is a marker wherever it stands; a course's own marker may be a word like DONE."""
    return len(marker.split()) > 1
