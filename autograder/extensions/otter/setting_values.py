"""Values of otter's settings in a cell's YAML: each kind of value is read, or refused with cell and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from autograder._util.yaml_record import YamlReader, suggest
from autograder.errors import CourseError
from autograder.extensions.otter.blocks import CellPart

Points = int | float | list[int | float | None] | dict[str, int | float] | None


def read_mapping(cell_part: CellPart, lines: list[str], first: int, section: str) -> tuple[CellReader, dict[str, Any]]:
    """Read a YAML mapping from lines of a piece; ``first`` is the first one's number in it.

    Returns:
        The reader, and key → (key node, value node).
    """
    reader = CellReader(f"{cell_part.label}: cell {cell_part.number}", offset=cell_part.first + first - 2)
    node = reader.parse("\n".join(lines))
    return reader, reader.pairs(node, section)


@dataclass(frozen=True, slots=True)
class CellReader(YamlReader):
    """Reader of YAML in a cell, whose errors name the cell's line."""

    offset: int = 0
    ignored: list[str] = field(default_factory=list)
    """Warnings of keys that otter ignores, a sentence each."""

    def ignore(self, node: yaml.Node, section: str, keys: Iterable[str]) -> None:
        """Note a key that otter does not know, and passes over."""
        hint = _RENAMED.get(str(node.value)) or suggest(str(node.value), [*keys]).removeprefix("; ")
        message = f"{node.value!r} in {section} has no effect: otter does not know this key"
        self.warn(node, f"{message}; {hint}" if hint else message)

    def warn(self, node: yaml.Node, message: str) -> None:
        """Note a warning about a key, with its notebook, cell and line."""
        self.ignored.append(str(self.error(node, message)))

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


def cell_mapping(cell_part: CellPart) -> tuple[CellReader, yaml.Node]:
    """Read the YAML of a cell; return its reader, and its root."""
    reader = CellReader(f"{cell_part.label}: cell {cell_part.number}", offset=cell_part.first - 1)
    return reader, reader.parse("\n".join(cell_part.lines))


_RENAMED = {
    # key of otter's first versions: what to write today
    "public_multiplier": "it was the share of the points that all public tests earn; give public test cells points",
    "show_hidden_tests_on_release": "it is called show_hidden today",
    "show_stdout_on_release": "it is called show_stdout today",
    "points_per_question": "give each question its points",
}


def unknown_keys(reader: YamlReader, nodes: list[yaml.Node], section: str, keys: list[str]) -> CourseError:
    """Make the error for all keys that are not known, with suggestions."""
    lines = []
    for node in nodes:
        hint = suggest(str(node.value), keys) or f"; known keys: {', '.join(keys)}"
        lines.append(str(reader.error(node, f"unknown key {node.value!r} in {section}{hint}")))
    return CourseError("\n".join(lines))


# --- values ------------------------------------------------------------------------------------------

ReadValue = Callable[[YamlReader, yaml.Node, yaml.Node], Any]


def plain_value(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> Any:
    """Return a value as plain YAML has it."""
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (ValueError, OverflowError, TypeError, yaml.YAMLError) as error:
        raise reader.error(node, f"{key.value!r} cannot be read ({str(error).splitlines()[0]})") from None


def _of(kind: type | tuple[type, ...], words: str) -> ReadValue:
    def read(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> Any:
        value = plain_value(reader, key, node)
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        raise reader.error(node, f"{key.value!r} must be {words}, not {value!r}")

    return read


as_text, as_whole_number = _of(str, "text"), _of(int, "a whole number")


def as_truth(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> bool:
    """Return true or false."""
    return bool(_of(bool, "true or false")(reader, key, node))


def as_name(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> str:
    """Read a question's name, which becomes an id and a file's name."""
    value = plain_value(reader, key, node)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise reader.error(node, f"'name' must be text, not {value!r}")
    if any(letter in str(value) for letter in "\"'\\\n/"):
        raise reader.error(node, f"the name {value!r} becomes an id and a file's name: no quotes and no slashes in it")
    return str(value)


def as_file_names(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> tuple[str, ...]:
    """Return names of files; one name is a list of one."""
    value = plain_value(reader, key, node)
    values = [value] if isinstance(value, str) else value or []
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise reader.error(node, f"{key.value!r} must be a list of file names, not {value!r}")
    return tuple(values)


def as_points(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> Points:
    """Return points in one of otter's forms."""
    value = plain_value(reader, key, node)
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


def as_anything(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> Any:
    """Return whatever is there."""
    return plain_value(reader, key, node)


def refused(reason: str) -> ReadValue:
    """Refuse a key that asks for something, and accept it where it is empty or off."""

    def read(reader: YamlReader, key: yaml.Node, node: yaml.Node) -> Any:
        if plain_value(reader, key, node):
            raise reader.error(key, f"{key.value!r} cannot be kept: {reason}")

    return read
