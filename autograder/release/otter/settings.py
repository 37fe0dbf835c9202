"""Settings of an otter assignment and of its questions, with every key that otter 7 knows; others are errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autograder._util.yaml_record import Reader, is_null, suggest
from autograder.course.paths import inside
from autograder.errors import CourseError
from autograder.release.otter.blocks import Piece

Points = int | float | list[int | float | None] | dict[str, int | float] | None


@dataclass(frozen=True, slots=True)
class ExportCell:
    """Settings of the cell with which students export their notebook."""

    instructions: str = ""
    pdf: bool = True
    filtering: bool = True
    force_save: bool = False
    run_tests: bool = True
    files: tuple[str, ...] = ()
    require_no_pdf_ack: bool = False
    no_pdf_message: str | None = None
    ignore_log: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an assignment that change a notebook or its grade."""

    name: str | None = None
    config_file: str | None = None
    files: tuple[str, ...] = ()
    autograder_files: tuple[str, ...] = ()
    student_files: tuple[str, ...] = ()
    init_cell: bool = True
    check_all_cell: bool = False
    show_question_points: bool = False
    export_cell: ExportCell | None = field(default_factory=ExportCell)
    test_files: bool = False
    ok_format: bool = True
    url_prefix: str | None = None
    seed_variable: str | None = None
    student_seed: int | None = None
    seed: int | None = None
    """The seed for grading."""
    runs_on: str = "default"
    strip_all: bool = False


@dataclass(frozen=True, slots=True)
class QuestionSettings:
    """Settings of a question."""

    name: str = ""
    manual: bool = False
    points: Points = None
    check_cell: bool = True
    export: bool = False
    all_or_nothing: bool = False


def read_settings(piece: Piece, folder: Path, before: Settings) -> Settings:
    """Read the assignment's configuration; the cell's keys override those of its ``config_file``.

    Args:
        piece: the cell.
        folder: the assignment's source folder.
        before: the settings so far.

    Raises:
        CourseError: a key is unknown, a value does not fit, or the kit refuses what it asks for.
    """
    reader, node = _cell_mapping(piece)
    pairs = reader.pairs(node, "the assignment config")
    settings = before
    if "config_file" in pairs:
        name = _text(reader, *pairs["config_file"])
        settings = _from_file(reader, pairs["config_file"][1], folder, name, settings)
    settings = _assignment(reader, pairs, settings)
    if settings.runs_on == "colab" and not settings.test_files:
        raise piece.fault("runs_on: colab needs tests: {files: true}: Colab does not keep a notebook's metadata")
    return settings


def read_question(piece: Piece) -> QuestionSettings:
    """Read a question's configuration.

    Raises:
        CourseError: a key is unknown or a value does not fit.
    """
    reader, node = _cell_mapping(piece)
    where = "the question"
    pairs = reader.pairs(node, where)
    fields = [f.name for f in dataclasses.fields(QuestionSettings)]
    values: dict[str, Any] = {}
    for key, (key_node, value) in pairs.items():
        if key not in fields:
            raise _unknown(reader, key_node, where, fields)
        read = {"name": _name, "points": _points}.get(key, _truth)
        values[key] = read(reader, key_node, value)
    if "name" not in values:
        raise piece.fault("the question has no name; write name: q1")
    return QuestionSettings(**values)


def read_mapping(piece: Piece, lines: list[str], first: int, where: str) -> tuple[Reader, dict[str, Any]]:
    """Read a YAML mapping from lines of a piece; ``first`` is the first one's number in it.

    Returns:
        The reader, and key → (key node, value node).
    """
    reader = _CellReader(f"{piece.label}: cell {piece.number}", offset=piece.first + first - 2)
    node = reader.parse("\n".join(lines))
    return reader, reader.pairs(node, where)


# --- YAML --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _CellReader(Reader):
    """Reader of YAML in a cell, whose errors name the cell's line."""

    offset: int = 0

    def error(self, node: yaml.Node, message: str) -> CourseError:
        """Make a CourseError that begins with notebook, cell and line."""
        return self.at(node.start_mark.line + 1, message)

    def at(self, line: int, message: str) -> CourseError:
        """Make a CourseError about a line of the YAML, counted from 1."""
        return CourseError(f"{self.file}: line {line + self.offset}: {message}")

    def parse(self, text: str) -> yaml.Node:
        """Parse YAML; a text with nothing but comments is an empty mapping."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self.at(line, f"not valid YAML: {error.problem}") from None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise self.at(1, f"not valid YAML: {error}") from None
        return node if node is not None else yaml.MappingNode("tag:yaml.org,2002:map", [])


def _cell_mapping(piece: Piece) -> tuple[_CellReader, yaml.Node]:
    reader = _CellReader(f"{piece.label}: cell {piece.number}", offset=piece.first - 1)
    return reader, reader.parse("\n".join(piece.lines))


def _from_file(reader: Reader, node: yaml.Node, folder: Path, name: str | None, before: Settings) -> Settings:
    if name is None:
        return before
    try:
        path = inside(folder, name, folder)
        text = path.read_text(encoding="utf-8")
    except ValueError as error:
        raise reader.error(node, f"config_file: {name!r} {error}") from None
    except OSError as error:
        raise reader.error(node, f"config_file: {name!r} cannot be read ({error.strerror})") from None
    own = _CellReader(f"{reader.file.partition(': ')[0].rpartition('/')[0]}/{name}")
    return _assignment(own, own.pairs(own.parse(text), "the assignment config"), before)


def _unknown(reader: Reader, node: yaml.Node, where: str, known: list[str]) -> CourseError:
    told = suggest(str(node.value), known) or f"; known keys: {', '.join(known)}"
    return reader.error(node, f"unknown key {node.value!r} in {where}{told}")


# --- values ------------------------------------------------------------------------------------------

Read = Callable[[Reader, yaml.Node, yaml.Node], Any]


def _plain(reader: Reader, key: yaml.Node, node: yaml.Node) -> Any:
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (ValueError, OverflowError, TypeError, yaml.YAMLError) as error:
        raise reader.error(node, f"{key.value!r} cannot be read ({str(error).splitlines()[0]})") from None


def _of(kind: type | tuple[type, ...], words: str) -> Read:
    def read(reader: Reader, key: yaml.Node, node: yaml.Node) -> Any:
        value = _plain(reader, key, node)
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        raise reader.error(node, f"{key.value!r} must be {words}, not {value!r}")

    return read


_text, _whole, _mapping = _of(str, "text"), _of(int, "a whole number"), _of(dict, "a mapping")


def _truth(reader: Reader, key: yaml.Node, node: yaml.Node) -> bool:
    return bool(_of(bool, "true or false")(reader, key, node))


def _name(reader: Reader, key: yaml.Node, node: yaml.Node) -> str:
    value = _plain(reader, key, node)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise reader.error(node, f"'name' must be text, not {value!r}")
    if any(letter in str(value) for letter in "\"'\\\n/"):
        raise reader.error(node, f"the name {value!r} becomes an id and a file's name: no quotes and no slashes in it")
    return str(value)


def _names(reader: Reader, key: yaml.Node, node: yaml.Node) -> tuple[str, ...]:
    value = _plain(reader, key, node)
    values = [value] if isinstance(value, str) else value or []
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise reader.error(node, f"{key.value!r} must be a list of file names, not {value!r}")
    return tuple(values)


def _points(reader: Reader, key: yaml.Node, node: yaml.Node) -> Points:
    value = _plain(reader, key, node)
    if isinstance(value, dict):
        for name in value:
            if name not in ("each", "model"):
                raise reader.error(node, f"unknown key {name!r} in 'points'; write a number, a list, or {{each: 1}}")
        parts = [value.get("each", 1)]
        value = {"each": parts[0]}
    else:
        parts = value if isinstance(value, list) else [value]
    for part in parts:
        if part is not None and (isinstance(part, bool) or not isinstance(part, int | float) or not 0 <= part < 1e9):
            raise reader.error(node, f"'points' holds {part!r}; points are numbers from 0")
    return value  # type: ignore[no-any-return]


def _anything(reader: Reader, key: yaml.Node, node: yaml.Node) -> Any:
    return _plain(reader, key, node)


def _refused(reason: str) -> Read:
    """Refuse a key that asks for something, and accept it where it is empty or off."""

    def read(reader: Reader, key: yaml.Node, node: yaml.Node) -> Any:
        if _plain(reader, key, node):
            raise reader.error(key, f"{key.value!r} cannot be kept: {reason}")

    return read


# --- the assignment ----------------------------------------------------------------------------------

_PLUGINS = "otter's plugins run inside its own grader; remove the key, and do by a test what the plugin does"
_LOG = "a log is written by the student's process and would have to be unpickled; remove it: notebooks are executed"
_SCORE = "it changes the score after grading; give the questions the points that they are worth"
_GENERATE: Mapping[str, Read] = {
    "grade_from_log": _refused(_LOG),
    "plugins": _refused(_PLUGINS),
    "score_threshold": _refused(_SCORE),
    "points_possible": _refused(_SCORE),
    "seed": _whole,
    "seed_variable": _text,
    "assignment_name": _text,
    **dict.fromkeys(
        [
            "show_stdout",
            "show_hidden",
            "show_all_public",
            "force_public_test_summary",
            "serialized_variables",
            "pdf",
            "token",
            "course_id",
            "assignment_id",
            "filtering",
            "pagebreaks",
            "use_submission_pdf",
            "pdf_via_html",
            "submit_blank_pdf_on_export_failure",
            "warn_missing_pdf",
            "debug",
            "autograder_dir",
            "miniconda_path",
            "logo",
            "print_summary",
            "print_score",
            "zips",
            "log_level",
        ],
        _anything,
    ),
}
_SEED: Mapping[str, Read] = {"variable": _text, "autograder_value": _whole, "student_value": _whole}
_TESTS: Mapping[str, Read] = {"files": _truth, "ok_format": _truth, "url_prefix": _text}
_EXPORT: Mapping[str, Read] = {
    "instructions": _text,
    "pdf": _truth,
    "filtering": _truth,
    "force_save": _truth,
    "run_tests": _truth,
    "files": _names,
    "require_no_pdf_ack": _anything,
    "ignore_log": _truth,
}
_ASSIGNMENT: Mapping[str, Read] = {
    "name": _text,
    "config_file": _text,
    "files": _names,
    "autograder_files": _names,
    "student_files": _names,
    "init_cell": _truth,
    "check_all_cell": _truth,
    "show_question_points": _truth,
    "export_cell": _anything,
    "tests": _anything,
    "seed": _anything,
    "generate": _anything,
    "plugins": _refused(_PLUGINS),
    "runs_on": _text,
    "strip_solutions_from_all_cells": _truth,
    # What otter builds beside the notebooks, and this kit does not: images, PDFs, its own run of the tests.
    **dict.fromkeys(
        [
            "requirements",
            "overwrite_requirements",
            "environment",
            "python_version",
            "channel_priority_strict",
            "run_tests",
            "solutions_pdf",
            "template_pdf",
            "save_environment",
            "ignore_modules",
            "suppress_no_tests_warning",
        ],
        _anything,
    ),
}
_GONE = {
    "exclude_conda_defaults": "otter 7 has dropped it; remove it",
    "variables": "otter 7 has dropped it, in favor of generate: {serialized_variables: …}; remove it",
}
_RUNS_ON = ("default", "colab", "jupyterlite")


def _assignment(reader: Reader, pairs: Mapping[str, tuple[yaml.Node, yaml.Node]], before: Settings) -> Settings:
    values = _read(reader, pairs, _ASSIGNMENT, "the assignment config")
    names = {f.name for f in dataclasses.fields(Settings)}
    special = {"export_cell", "tests", "seed", "generate"}
    changes: dict[str, Any] = {k: v for k, v in values.items() if k in names and k not in special}
    if "strip_solutions_from_all_cells" in values:
        changes["strip_all"] = values["strip_solutions_from_all_cells"]
    if values.get("runs_on", "default") not in _RUNS_ON:
        raise reader.error(pairs["runs_on"][1], f"'runs_on' is {values['runs_on']!r}; it may be {', '.join(_RUNS_ON)}")
    changes |= {"runs_on": values["runs_on"] or "default"} if "runs_on" in values else {}
    changes |= _export_cell(reader, pairs["export_cell"][1], before) if "export_cell" in pairs else {}
    if "tests" in pairs:
        tests = _section(reader, pairs["tests"][1], _TESTS, "tests")
        renamed = {"files": "test_files"}
        changes |= {renamed.get(key, key): value for key, value in tests.items()}
        changes |= {"test_files": True} if tests.get("url_prefix") else {}
    changes |= _generate(reader, pairs["generate"][1]) if "generate" in pairs else {}
    changes |= _seed(reader, pairs["seed"][1]) if "seed" in pairs else {}
    return dataclasses.replace(before, **changes)


def _read(
    reader: Reader, pairs: Mapping[str, tuple[yaml.Node, yaml.Node]], known: Mapping[str, Read], where: str
) -> dict[str, Any]:
    values = {}
    for key, (key_node, value) in pairs.items():
        if key in _GONE and known is _ASSIGNMENT:
            raise reader.error(key_node, f"{key!r}: {_GONE[key]}")
        if key == "lang":
            if _plain(reader, key_node, value) not in (None, "python"):
                raise reader.error(key_node, f"the language is {value.value!r}; only Python can be examined")
            continue
        if key not in known:
            raise _unknown(reader, key_node, where, [*known])
        values[key] = known[key](reader, key_node, value)
    return values


def _section(reader: Reader, node: yaml.Node, known: Mapping[str, Read], where: str) -> dict[str, Any]:
    return {} if is_null(node) else _read(reader, reader.pairs(node, repr(where)), known, repr(where))


def _switch(reader: Reader, node: yaml.Node) -> bool | None:
    """Return the value of a section that is only true or false; None if it is a mapping or empty."""
    value = _plain(reader, node, node) if isinstance(node, yaml.ScalarNode) else None
    return value if isinstance(value, bool) else None


def _export_cell(reader: Reader, node: yaml.Node, before: Settings) -> dict[str, Any]:
    switch = _switch(reader, node)
    if switch is not None:
        return {"export_cell": ExportCell() if switch else None}
    values = _section(reader, node, _EXPORT, "export_cell")
    acknowledged = values.pop("require_no_pdf_ack", False)
    if isinstance(acknowledged, dict):
        values["no_pdf_message"] = str(acknowledged.get("message", ""))
    values["require_no_pdf_ack"] = bool(acknowledged)
    values = {key: value for key, value in values.items() if value is not None}
    return {"export_cell": dataclasses.replace(before.export_cell or ExportCell(), **values)}


def _generate(reader: Reader, node: yaml.Node) -> dict[str, Any]:
    if _switch(reader, node) is not None:
        return {}
    values = _section(reader, node, _GENERATE, "generate")
    return {key: values[key] for key in ("seed", "seed_variable") if values.get(key) is not None}


def _seed(reader: Reader, node: yaml.Node) -> dict[str, Any]:
    values = _section(reader, node, _SEED, "seed")
    names = {"variable": "seed_variable", "autograder_value": "seed", "student_value": "student_seed"}
    found = {names[key]: value for key, value in values.items() if value is not None}
    if "seed_variable" in found and not found["seed_variable"].isidentifier():
        raise reader.error(node, f"'variable' is {found['seed_variable']!r}, which is no name of Python's")
    if "seed_variable" in found and "seed" not in found:
        raise reader.error(node, "a seed variable needs an autograder_value")
    return found
