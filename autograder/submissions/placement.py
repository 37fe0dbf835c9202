"""Placement of a submission's files: each notebook under its released name, one of several copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from autograder._util.text import one_line
from autograder.records.dates import TIMESTAMP
from autograder.submissions.export_names import COPY_SUFFIX, SYSTEMS, is_notebook, stem_of
from autograder.submissions.manifest import MANIFEST
from autograder.submissions.members import Member


def place_files(
    files: Mapping[str, Member], expected: tuple[str, ...], *, is_loose: bool
) -> tuple[dict[str, str], list[str]]:
    """Decide where each file goes: target name → member's name; and write notes for a person.

    A notebook at the top that was renamed by a browser, a learning system or the student gets its name back if only one
    can be meant.

    Args:
        files: the files of the submission.
        expected: the file names of the assignment's notebooks.
        is_loose: whether the files lay in no folder of their own.
    """
    targets: dict[str, Member] = {}
    notes: list[str] = []
    tops = [name for name in files if is_notebook(name) and "/" not in name]
    for name in sorted(files, key=lambda n: (n not in expected, n)):
        if name in (MANIFEST, TIMESTAMP):
            continue
        target = notebook_name(name, expected, alone=len(tops) == 1) if name in tops else name
        first = targets.get(target)
        if first is not None and (target == name or target in files or _later(first, files[name])):
            notes.append(f"another copy, {one_line(name)}, was left out")
            continue
        if first is not None:
            notes.append(f"another copy, {one_line(first.name)}, was left out")
        elif target != name and not is_loose:
            notes.append(f"{one_line(name)} was taken for {target}")
        targets[target] = files[name]
    if tops and expected and not set(expected) & set(targets):
        notes.append(f"none of its notebooks is {' or '.join(expected)}")
    return {target: member.name for target, member in targets.items()}, notes


def _later(member: Member, earlier: Member) -> bool:
    """Tell whether ``member`` is not the earlier upload. Canvas numbers uploads of one date; else dates tell."""
    counts = [int(re.sub(r"\D", "", re.search(rf"{COPY_SUFFIX}$", stem_of(m.name))[0]) or 0) for m in (member, earlier)]  # type: ignore[index]
    if all(SYSTEMS["canvas"].pattern.fullmatch(stem_of(m.name)) for m in (member, earlier)):
        return counts[0] >= counts[1]
    return (_age(member), counts[0]) >= (_age(earlier), counts[1])


def _age(member: Member) -> datetime:
    return member.modified or datetime.min.replace(tzinfo=UTC)


def notebook_name(name: str, expected: tuple[str, ...], *, alone: bool) -> str:
    """Return the released name of a notebook that was renamed on its way, if only one can be meant.

    Args:
        name: its name as it came.
        expected: the file names of the assignment's notebooks.
        alone: whether it is the only notebook of its submission.
    """
    if name in expected:
        return name
    stem = name[: -len(".ipynb")]
    # The longest first: “p1” is the end of “warm_p1” too.
    for candidate in sorted(expected, key=len, reverse=True):
        released_stem = re.escape(candidate.removesuffix(".ipynb"))
        if re.fullmatch(rf"(?:.*_)?{released_stem}{COPY_SUFFIX}", stem):
            return candidate
    return expected[0] if alone and len(expected) == 1 else stem + ".ipynb"
