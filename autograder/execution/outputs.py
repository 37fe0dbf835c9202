"""The outputs of the cells of one run: kept as nbformat outputs, counted, and cut off at a limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_OUTPUTS = 2000
"""Limit for one cell; further outputs are dropped, and a note says so."""


class Outputs:
    """The outputs of the current cell; ``full`` once the run has sent more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.received = 0
        self._cell: list[dict[str, Any]] = []
        self._displays: dict[str, list[dict[str, Any]]] = {}
        self._clear_next = False
        self._dropped = False

    @property
    def full(self) -> bool:
        """Return whether more than the limit was received."""
        return self.received > self.limit

    def count(self, message: Mapping[str, Any]) -> None:
        """Count a message, also one of another request."""
        self.received += 200 + texts(message.get("content")) + sum(len(b) for b in message.get("buffers") or ())

    def begin_cell(self) -> None:
        """Start a cell with no outputs."""
        self._cell = []
        self._displays = {}
        self._clear_next = self._dropped = False

    def add(self, output: Any, display: str | None = None) -> None:
        """Append an output; text of the same stream continues the last output."""
        if self._clear_next:
            self._cell.clear()
            self._clear_next = False
        last = self._cell[-1] if self._cell else None
        if (
            output["output_type"] == "stream"
            and last
            and last["output_type"] == "stream"
            and last["name"] == output["name"]
        ):
            last["text"] += output["text"]
            return
        if len(self._cell) >= MAX_OUTPUTS:
            self._dropped = True
            return
        entry = dict(output)
        self._cell.append(entry)
        if display is not None:
            self._displays.setdefault(display, []).append(entry)

    def update(self, display: str, replacement: Mapping[str, Any]) -> None:
        """Replace what was displayed under an id by what another output shows."""
        for output in self._displays.get(display, ()):
            output["data"], output["metadata"] = replacement["data"], replacement["metadata"]

    def clear(self, wait: bool) -> None:
        """Clear the outputs, as ``clear_output`` does."""
        if wait:
            self._clear_next = True
        else:
            self._cell.clear()

    def of_cell(self) -> tuple[Mapping[str, Any], ...]:
        """Return the cell's outputs as a screen would finally show them."""
        for output in self._cell:
            if output["output_type"] == "stream":
                output["text"] = settled(output["text"])
        if self._dropped:
            note = f"\n[More than {MAX_OUTPUTS} outputs; the rest was dropped.]\n"
            self._cell.append({"output_type": "stream", "name": "stderr", "text": note})
        return tuple(self._cell)


def settled(text: str) -> str:
    """Apply the carriage returns and backspaces of a text, as progress bars use them."""
    if "\r" not in text and "\b" not in text:
        return text
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        visible = line.rstrip("\r").rpartition("\r")[2]
        lines.append(_without_backspaces(visible) if "\b" in visible else visible)
    return "\n".join(lines)


def _without_backspaces(line: str) -> str:
    characters: list[str] = []
    for character in line:
        if character == "\b":
            if characters:
                characters.pop()
        else:
            characters.append(character)
    return "".join(characters)


def texts(value: Any) -> int:
    """Count the characters of all texts in a JSON value, keys included."""
    total = 0
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, Mapping):
            total += sum(len(str(key)) for key in item)
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        else:
            total += 8
    return total
