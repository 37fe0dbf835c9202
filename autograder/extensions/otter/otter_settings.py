"""Settings of an otter assignment and of its questions, with every key that otter 7 knows.

Other keys are errors where otter refuses them, and warnings where it ignores them.
"""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from autograder._util.yaml_record import YamlReader, is_null
from autograder.course.paths import inside
from autograder.extensions.otter.blocks import CellPart
from autograder.extensions.otter.setting_values import (
    CellReader,
    Points,
    ReadValue,
    as_anything,
    as_file_names,
    as_name,
    as_points,
    as_text,
    as_truth,
    as_whole_number,
    cell_mapping,
    plain_value,
    refused,
    unknown_keys,
)


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
class OtterSettings:
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
    requirements: tuple[str, ...] = ()
    """Libraries, or the path of a file that lists them."""
    lists_libraries: bool = False
    """The requirements are libraries."""
    show_hidden: bool = False
    """Students see each question's points on Gradescope when grades are published."""
    show_all_public: bool = False
    """Students see them at once if no test is hidden."""
    public_summary: bool = True
    """Students see which public tests pass."""
    shared: tuple[Path, ...] = ()
    """Files of the course that settings were read from."""
    ignored: tuple[str, ...] = ()
    """Warnings of keys that otter ignores."""


@dataclass(frozen=True, slots=True)
class QuestionSettings:
    """Settings of a question."""

    name: str = ""
    manual: bool = False
    points: Points = None
    check_cell: bool = True
    export: bool = False
    all_or_nothing: bool = False
    ignored: tuple[str, ...] = ()
    """Warnings, which no key sets."""


def read_settings(cell_part: CellPart, folder: Path, before: OtterSettings) -> OtterSettings:
    """Read the assignment's configuration; the cell's keys override those of its ``config_file``.

    Args:
        cell_part: the cell.
        folder: the assignment's source folder.
        before: the settings so far.

    Raises:
        CourseError: a key is unknown to otter, too, a value does not fit, or the kit refuses what it asks for.
    """
    reader, node = cell_mapping(cell_part)
    pairs = reader.pairs(node, "the assignment config")
    settings = before
    if "config_file" in pairs:
        name = as_text(reader, *pairs["config_file"])
        settings = _from_file(reader, pairs["config_file"][1], folder, name, settings)
    settings = _assignment(reader, pairs, settings)
    if settings.runs_on == "colab" and not settings.test_files:
        raise cell_part.fault("runs_on: colab needs tests: {files: true}: Colab does not keep a notebook's metadata")
    return settings


def read_question(cell_part: CellPart) -> QuestionSettings:
    """Read a question's configuration.

    Raises:
        CourseError: a value does not fit, or there is no name.
    """
    reader, node = cell_mapping(cell_part)
    section = "the question"
    pairs = reader.pairs(node, section)
    keys = [f.name for f in dataclasses.fields(QuestionSettings) if f.name != "ignored"]
    values: dict[str, Any] = {}
    for key, (key_node, value) in pairs.items():
        if key not in keys:
            reader.ignore(key_node, section, keys)
            continue
        convert = {"name": as_name, "points": as_points}.get(key, as_truth)
        values[key] = convert(reader, key_node, value)
    if "name" not in values:
        raise cell_part.fault("\n".join(["the question has no name; write name: q1", *reader.ignored]))
    if values.get("manual") and values.get("points") is None:
        reader.ignored.append(str(cell_part.fault(_POINTLESS.format(values["name"]))))
    return QuestionSettings(**values, ignored=tuple(reader.ignored))


_POINTLESS = "a person grades {}, and it has no points that they could give; write how many, such as points: 2"


def _from_file(
    reader: CellReader, node: yaml.Node, folder: Path, name: str | None, before: OtterSettings
) -> OtterSettings:
    if name is None:
        return before
    try:
        path = in_course(folder, name)
        text = path.read_text(encoding="utf-8")
    except ValueError as error:
        raise reader.error(node, f"config_file: {name!r} {error}") from None
    except OSError as error:
        raise reader.error(node, f"config_file: {name!r} cannot be read ({error.strerror})") from None
    name_in_course = posixpath.normpath(f"{reader.file.partition(': ')[0].rpartition('/')[0]}/{name}")
    file_reader = CellReader(name_in_course)
    settings = _assignment(file_reader, file_reader.pairs(file_reader.parse(text), "the assignment config"), before)
    return dataclasses.replace(settings, shared=(*settings.shared, path))


def in_course(folder: Path, name: str) -> Path:
    """Find a file that assignments may share, by a path that may begin with ``../``.

    Args:
        folder: the assignment's source folder, which lies in ``source/`` of the course.
        name: the path from there.

    Raises:
        ValueError: it is absolute, or leads out of the course.
    """
    ups, parts = 0, PurePosixPath(name).parts
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    if ups > 2:
        raise ValueError("leads out of the course")
    return inside(folder.parents[1] if ups else folder, "/".join(parts[ups:]), folder.joinpath(*[".."] * ups))


# --- the assignment ----------------------------------------------------------------------------------

_PLUGINS = "otter's plugins run inside its own grader; remove the key, and do by a test what the plugin does"
_LOG = "a log is written by the student's process and would have to be unpickled; remove it: notebooks are executed"
_NO_PDF = (
    "'pdf' in 'generate' has no effect: LaTeX or a browser would run what students write, outside of a sandbox; grade "
    "manual questions on the page of `autograder review`"
)
_SCORE = "it changes the score after grading; give the questions the points that they are worth"
_GENERATE: Mapping[str, ReadValue] = {
    "grade_from_log": refused(_LOG),
    "plugins": refused(_PLUGINS),
    "score_threshold": refused(_SCORE),
    "points_possible": refused(_SCORE),
    "seed": as_whole_number,
    "seed_variable": as_text,
    "assignment_name": as_text,
    **dict.fromkeys(["show_hidden", "show_all_public", "force_public_test_summary"], as_truth),
    **dict.fromkeys(
        [
            "show_stdout",
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
        as_anything,
    ),
}
_SEED: Mapping[str, ReadValue] = {
    "variable": as_text,
    "autograder_value": as_whole_number,
    "student_value": as_whole_number,
}
_TESTS: Mapping[str, ReadValue] = {"files": as_truth, "ok_format": as_truth, "url_prefix": as_text}
_EXPORT: Mapping[str, ReadValue] = {
    "instructions": as_text,
    "pdf": as_truth,
    "filtering": as_truth,
    "force_save": as_truth,
    "run_tests": as_truth,
    "files": as_file_names,
    "require_no_pdf_ack": as_anything,
    "ignore_log": as_truth,
}
_ASSIGNMENT: Mapping[str, ReadValue] = {
    "name": as_text,
    "config_file": as_text,
    "files": as_file_names,
    "autograder_files": as_file_names,
    "student_files": as_file_names,
    "init_cell": as_truth,
    "check_all_cell": as_truth,
    "show_question_points": as_truth,
    "export_cell": as_anything,
    "tests": as_anything,
    "seed": as_anything,
    "generate": as_anything,
    "plugins": refused(_PLUGINS),
    "runs_on": as_text,
    "strip_solutions_from_all_cells": as_truth,
    "requirements": as_file_names,
    # What otter builds beside the notebooks, and this kit does not: images, PDFs, its own run of the tests.
    **dict.fromkeys(
        [
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
        as_anything,
    ),
}
_GONE = {
    "exclude_conda_defaults": "otter 7 has dropped it; remove it",
    "variables": "otter 7 has dropped it, in favor of generate: {serialized_variables: …}; remove it",
}
_RUNS_ON = ("default", "colab", "jupyterlite")


def _assignment(
    reader: CellReader, pairs: Mapping[str, tuple[yaml.Node, yaml.Node]], before: OtterSettings
) -> OtterSettings:
    values = _read(reader, pairs, _ASSIGNMENT, "the assignment config")
    names = {f.name for f in dataclasses.fields(OtterSettings)}
    special = {"export_cell", "tests", "seed", "generate"}
    changes: dict[str, Any] = {k: v for k, v in values.items() if k in names and k not in special}
    if "strip_solutions_from_all_cells" in values:
        changes["strip_all"] = values["strip_solutions_from_all_cells"]
    if "requirements" in pairs:
        changes["lists_libraries"] = isinstance(pairs["requirements"][1], yaml.SequenceNode)
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
    return dataclasses.replace(before, **changes, ignored=(*before.ignored, *reader.ignored))


def _read(
    reader: CellReader, pairs: Mapping[str, tuple[yaml.Node, yaml.Node]], readers: Mapping[str, ReadValue], section: str
) -> dict[str, Any]:
    values = {}
    unknown = [node for key, (node, _) in pairs.items() if key not in (*readers, *_GONE, "lang")]
    if unknown and readers is _ASSIGNMENT:
        raise unknown_keys(reader, unknown, section, [*readers])
    for key, (key_node, value) in pairs.items():
        if key in _GONE and readers is _ASSIGNMENT:
            raise reader.error(key_node, f"{key!r}: {_GONE[key]}")
        if key == "lang":
            if plain_value(reader, key_node, value) not in (None, "python"):
                raise reader.error(key_node, f"the language is {value.value!r}; only Python can be examined")
            continue
        if key not in readers:
            reader.ignore(key_node, section, readers)
            continue
        values[key] = readers[key](reader, key_node, value)
    return values


def _section(reader: CellReader, node: yaml.Node, readers: Mapping[str, ReadValue], section: str) -> dict[str, Any]:
    return {} if is_null(node) else _read(reader, reader.pairs(node, repr(section)), readers, repr(section))


def _switch(reader: YamlReader, node: yaml.Node) -> bool | None:
    """Return the value of a section that is only true or false; None if it is a mapping or empty."""
    value = plain_value(reader, node, node) if isinstance(node, yaml.ScalarNode) else None
    return value if isinstance(value, bool) else None


def _export_cell(reader: CellReader, node: yaml.Node, before: OtterSettings) -> dict[str, Any]:
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


def _generate(reader: CellReader, node: yaml.Node) -> dict[str, Any]:
    if _switch(reader, node) is not None:
        return {}
    values = _section(reader, node, _GENERATE, "generate")
    if values.get("pdf"):
        reader.warn(node, _NO_PDF)
    shows = values.get("show_hidden", False)
    summary = not shows or values.get("force_public_test_summary", True)
    keys = ("seed", "seed_variable", "show_hidden", "show_all_public")
    return {key: values[key] for key in keys if values.get(key) is not None} | {"public_summary": summary}


def _seed(reader: CellReader, node: yaml.Node) -> dict[str, Any]:
    values = _section(reader, node, _SEED, "seed")
    names = {"variable": "seed_variable", "autograder_value": "seed", "student_value": "student_seed"}
    settings = {names[key]: value for key, value in values.items() if value is not None}
    if "seed_variable" in settings and not settings["seed_variable"].isidentifier():
        raise reader.error(node, f"'variable' is {settings['seed_variable']!r}, which is no name of Python's")
    if "seed_variable" in settings and "seed" not in settings:
        raise reader.error(node, "a seed variable needs an autograder_value")
    return settings
