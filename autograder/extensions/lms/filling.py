"""Grades into a learning system's CSV file: one column is filled, everything else stays."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.extensions.lms.columns_by_title import read_number
from autograder.extensions.lms.entries import ResultEntry
from autograder.extensions.lms.matching import PersonNames, match
from autograder.extensions.lms.point_scale import SystemStanding, factor, is_same, why_kept
from autograder.extensions.lms.sent_memory import Memory, Sent, digest
from autograder.extensions.lms.sheet import Sheet
from autograder.extensions.lms.systems import Column, Layout


@dataclass(frozen=True)
class Filled:
    """What became of each student's grade."""

    written: Sequence[str]
    same: Sequence[str]
    """Students whose cell had this grade already."""
    kept: Mapping[str, str]
    """Student → what stands there, which this course did not write."""
    waiting: Mapping[str, str]
    """Student → why the grade is not handed over yet."""
    unclear: Mapping[str, str]
    """Student → why they have no row."""
    by_name: Sequence[str]
    """Students matched by full name only."""
    without: Sequence[str]
    """People in the file without a submission here."""
    unsure: Sequence[str] = ()
    """Students whose hand-in a name alone told."""
    sent: dict[str, Sent] = field(default_factory=dict)
    """Student → what was written."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Student → row."""


def fill(
    sheet: Sheet,
    layout: Layout,
    entries: Sequence[ResultEntry],
    students: Mapping[str, PersonNames],
    memory: Memory,
    *,
    overwrite: bool = False,
    scale: bool = False,
) -> Filled:
    """Write the grades into ``sheet``.

    Args:
        sheet: the file; its cells are changed.
        layout: what it is.
        entries: the results.
        students: all names of each student in ``entries``.
        memory: what was handed over before.
        overwrite: whether grades that stand there and are not this course's are replaced.
        scale: whether points are scaled where the file counts other points than the assignment.

    Raises:
        UsageError: the file counts other points than the assignment, and ``scale`` is false.
    """
    matched = match({entry.student: students[entry.student] for entry in entries}, layout.known)
    column = layout.column
    filled, same = list[str](), list[str]()
    waiting, reasons_kept, sent = dict[str, str](), dict[str, str](), dict[str, Sent]()
    rows = {student: layout.people[person] for student, person in matched.pairs.items()}
    for entry in entries:
        if entry.student not in rows:
            continue
        cells = sheet.rows[rows[entry.student]]
        if entry.score is None:
            waiting[entry.student] = entry.waits
            continue
        points_there = column.points if column.maximum is None else read_number(cells[column.maximum])
        score = entry.score * factor(sheet.name, points_there, entry.max_score, scale=scale)
        before = memory[entry.student]
        stands = _standing(cells, column)
        number_text = sheet.number(round(score, 2))
        if reason := why_kept(stands, before.score, score, number_text, overwrite=overwrite):
            reasons_kept[entry.student] = reason
            continue
        comment = _comment(cells, column, entry, before)
        if is_same(stands.score, score):
            same.append(entry.student)
            if column.comments is not None and comment != before.comment:
                sent[entry.student] = replace(before, comment=comment)
        else:
            filled.append(entry.student)
            cells[column.index] = number_text
            sent[entry.student] = Sent(score, comment)
    filled_rows = set(rows.values())
    without = [_person(known) for row, known in zip(layout.people, layout.known, strict=True) if row not in filled_rows]
    by_name, unsure = matched.by_name, matched.unsure
    return Filled(filled, same, reasons_kept, waiting, matched.unclear, by_name, without, unsure, sent, rows)


def _standing(cells: Sequence[str], column: Column) -> SystemStanding:
    """Read what a student's row has now."""
    text = cells[column.index].strip()
    locked = column.locked is not None and cells[column.locked].strip().casefold() in ("no", "nein")
    return SystemStanding(
        read_number(text), "" if text == "-" else text, "it cannot be changed there" if locked else ""
    )


def _comment(cells: list[str], column: Column, entry: ResultEntry, before: Sent) -> str:
    """Write the comment where there is a column for it and no person's text; returns its digest."""
    if column.comments is None:
        return ""
    text = "<br>".join(html.escape(line, quote=False) for line in entry.comment.splitlines())
    stands = cells[column.comments]
    if not stands.strip() or digest(stands) == before.comment:
        cells[column.comments] = text
    return digest(text) if cells[column.comments] == text else ""


def _person(identity: PersonNames) -> str:
    return next((text for texts in (identity.names, identity.logins, identity.ids) for text in texts), "")
