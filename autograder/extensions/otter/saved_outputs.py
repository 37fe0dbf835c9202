"""Saved outputs of an otter source's test cells: the text that a test expects, replaced where it is stale."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder._util.files import write_atomically
from autograder._util.notebook import read_source_notebook
from autograder.check.cases import same_text
from autograder.check.display import same_display
from autograder.errors import CourseError
from autograder.extensions.otter.blocks import is_otter_source, pieces
from autograder.extensions.otter.case_reader import Case
from autograder.extensions.otter.examined import case_name
from autograder.extensions.otter.notebook_layout import lay_out


@dataclass(frozen=True, slots=True)
class CaseOutput:
    """What a case printed and showed with the solution; or why it did not come so far."""

    printed: str = ""
    shown: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """A test cell whose saved output is stale."""

    name: str
    cell: int
    """Number in the source, from 1."""
    before: str
    after: str
    problem: str = ""
    """Why nothing could be saved; else empty."""

    def __str__(self) -> str:
        """Write the update as a line for people."""
        label = f"cell {self.cell} ({self.name})"
        if self.problem:
            return f"{label}: not updated: {self.problem}"
        return f"{label}: {_excerpt(self.before)} is now {_excerpt(self.after)}"


def update_outputs(path: Path, label: str, recorded: Mapping[str, CaseOutput]) -> tuple[Update, ...]:
    """Save in a source notebook what its test cells give; cells whose saved output is right stay as they are.

    Args:
        path: the notebook.
        label: its name in messages.
        recorded: name of a case → what it gave.

    Returns:
        The cells whose saved output was stale.

    Raises:
        CourseError: the notebook is not as otter's sources are.
        HostError: it cannot be written.
    """
    notebook = read_source_notebook(path, name=label)
    if not is_otter_source(notebook):
        return ()
    layout = lay_out(pieces(notebook, label), path.parent, path.name)
    if not layout.settings.ok_format:
        return ()
    cases = {
        case_name(question.settings.name, number): case
        for question in layout.questions
        for number, case in enumerate(question.cases, 1)
    }
    updates = tuple(_updates(cases, recorded))
    changed = [update for update in updates if not update.problem]
    if changed:
        content = json.loads(path.read_bytes())
        listed = content.get("cells")
        if not isinstance(listed, list):
            raise CourseError(f"{label}: a notebook of an old format; open it in Jupyter, and save it")
        for update in changed:
            new_output = recorded[update.name]
            listed[update.cell - 1]["outputs"] = [*_outputs(new_output.printed, new_output.shown)]
        write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return updates


def _updates(cases: Mapping[str, Case], recorded: Mapping[str, CaseOutput]) -> Iterator[Update]:
    for name, case in cases.items():
        output = recorded.get(name)
        if output is None:
            continue
        if output.problem:
            yield Update(name, case.piece.number, "", "", output.problem)
        elif not (same_text(output.printed, case.printed) and _is_same(output.shown, case.shown)):
            yield Update(name, case.piece.number, case.printed + case.shown, output.printed + output.shown)


def _is_same(display: str, saved: str) -> bool:
    return same_display(display, saved) if display and saved else display.strip() == saved.strip()


def _outputs(printed: str, display: str) -> Iterator[dict[str, Any]]:
    if printed:
        yield {"name": "stdout", "output_type": "stream", "text": _lines(printed)}
    if display:
        data = {"text/plain": _lines(display)}
        yield {"data": data, "execution_count": None, "metadata": {}, "output_type": "execute_result"}


def _lines(text: str) -> Sequence[str]:
    return text.splitlines(keepends=True)


def _excerpt(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 200 else text[:200] + "…") if text else "nothing"
