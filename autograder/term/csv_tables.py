"""Tables that people keep in spreadsheets: CSV in whatever encoding and with whatever separator they were saved.

Every fault names file and line and says what to do. All faults of a file are told at once, and nothing of it counts.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from pathlib import Path

from autograder._util.text import one_line
from autograder._util.time_zones import placed
from autograder._util.yaml_record import suggest
from autograder.errors import CourseError, HostError

MAX_BYTES = 32 << 20
MAX_FAULTS = 20
"""Largest number of faults that one message lists."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of a cell that a spreadsheet takes for a formula; in some locales full-width ones, too."""
_SEPARATORS = (",", ";", "\t")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
"""The spelling ``="0123"``, with which exports keep spreadsheets from reading a number."""
_SCIENTIFIC = re.compile(r"\d[.,]?\d*E\+\d+")
"""A long number after a spreadsheet has rounded it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    line: int
    """Line in the file, from 1."""
    cells: Mapping[str, str]
    """Heading → text without blanks around it; empty if the cell is."""

    def get(self, heading: str) -> str:
        """Return the text below a heading; empty if there is no such column."""
        return self.cells.get(heading, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read."""

    name: str
    """Name of the file, for messages."""
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    separator: str = ","
    encoding: str = "utf-8"


@dataclass(slots=True)
class Faults:
    """Faults of one file, told together."""

    name: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        """Add a fault in a line; 0 where there are no lines."""
        self.found.append(f"{self.name}:{line}: {message}" if line else f"{self.name}: {message}")

    def check(self) -> None:
        """Raise CourseError if there is a fault."""
        if self.found:
            more = len(self.found) - MAX_FAULTS
            lines = self.found[:MAX_FAULTS] + ([f"… and {more} more"] if more > 0 else [])
            raise CourseError("\n".join(lines))


def read_table(path: Path) -> Table:
    """Read a CSV file with headings in its first line.

    Taken as they come are UTF-8 with and without a mark, UTF-16 with one, and Windows-1252. So are commas, semicolons
    and tabs, Excel's ``sep=;``, blank lines, and cells that end in nothing.

    Raises:
        CourseError: it is no such table; the message names file and line.
        HostError: it cannot be read.
    """
    return parse_table(path.name, read_content(path))


def read_content(path: Path) -> bytes:
    """Read a file.

    Raises:
        HostError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise HostError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def check_headings(table: Table, faults: Faults, columns: Sequence[str]) -> None:
    """Add a fault for each heading that is not known, with the nearest one that is."""
    for heading in table.headings:
        if heading not in columns:
            near = suggest(heading, columns) or f"; it may have {', '.join(columns)}"
            faults.add(1, f"there is no column “{one_line(heading, 60)}”{near}")


def parse_table(name: str, data: bytes) -> Table:
    """Parse the content of a CSV file; see :func:`read_table`."""
    if len(data) > MAX_BYTES:
        raise CourseError(f"{name}: {len(data):,} bytes; a table of people has less than {MAX_BYTES:,}")
    text, encoding = decoded(name, data)
    lines = text.splitlines(keepends=True)
    skipped = 0
    while skipped < len(lines) and not lines[skipped].strip(" \t\r\n"):
        skipped += 1
    separator = ""
    if skipped < len(lines) and (declared := re.fullmatch(r"sep=(.)\s*", lines[skipped])):
        separator = declared[1]
        skipped += 1
    content = lines[skipped:]
    if not content:
        raise CourseError(f"{name}: is empty; its first line has the headings")
    separator = separator or max(_SEPARATORS, key=content[0].count)
    reader = csv.reader(io.StringIO("".join(content), newline=""), delimiter=separator, strict=True)
    faults = Faults(name)
    rows: list[Row] = []
    headings: tuple[str, ...] = ()
    before = 0
    try:
        for cells in reader:
            line, before = skipped + before + 1, reader.line_num
            cells = [_cleaned(cell) for cell in cells]
            if not headings:
                headings = _headings(faults, line, cells)
            elif any(cells):
                if any(cells[len(headings) :]):
                    faults.add(
                        line,
                        f"{len(cells)} cells below {len(headings)} headings; put a text with a "
                        f"“{separator}” in it into double quotes",
                    )
                rows.append(Row(line, dict(zip(headings, [*cells, *[""] * len(headings)], strict=False))))
    except csv.Error as error:
        raise CourseError(
            f"{name}:{skipped + reader.line_num}: no line of a CSV file ({error}); look at its quotes"
        ) from None
    faults.check()
    return Table(name, tuple(heading for heading in headings if heading), tuple(rows), separator, encoding)


def decoded(name: str, data: bytes) -> tuple[str, str]:
    """Decode the content of a CSV file: text and Python's name of the encoding.

    Raises:
        CourseError: it is a workbook, or no text.
    """
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CourseError(f"{name}: is a workbook; save it as “CSV UTF-8”")
    if data.startswith(_UTF_16):
        encoding = "utf-16"
    elif data.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    elif b"\0" in data[:4]:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if encoding != "utf-8":
            raise CourseError(f"{name}:{line}: not valid {encoding}; save it as “CSV UTF-8”") from None
        encoding = "cp1252"
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            raise CourseError(f"{name}:{line}: not valid UTF-8; save it as “CSV UTF-8”") from None
    if (bad := text.find("\0")) >= 0:
        line = text[:bad].count("\n") + 1
        raise CourseError(f"{name}:{line}: has a NUL character; save it as “CSV UTF-8”")
    return text, encoding


def _cleaned(cell: str) -> str:
    """Return a cell's text: without blanks around it, and without what guards it from being taken for a formula."""
    cell = " ".join(cell.replace("\u00a0", " ").replace("\ufeff", "").split())
    if match := _TEXT_FORMULA.fullmatch(cell):
        return match[1].replace('""', '"').strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _headings(faults: Faults, line: int, cells: Sequence[str]) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    spellings: dict[str, str] = {}
    for cell in filter(None, cells):
        if cell.casefold() in spellings:
            faults.add(line, f"the heading “{one_line(cell, 60)}” is there twice; rename or delete a column")
        spellings[cell.casefold()] = cell
    return tuple(cells)


def write_text(table: Table) -> bytes:
    """Write a table as CSV, with its own separator and encoding.

    Text that looks like a formula is guarded by ``'``.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=table.separator, lineterminator="\n")
    writer.writerow(map(guarded, table.headings))
    for row in table.rows:
        writer.writerow(guarded(row.get(heading)) for heading in table.headings)
    encoding = "utf-8" if table.encoding == "cp1252" else table.encoding
    return out.getvalue().encode(encoding if not encoding.startswith("utf-16-") else "utf-16")


def guarded(text: str) -> str:
    """Prefix ``'`` to a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


# --- cells -------------------------------------------------------------------------------------------


def is_rounded(text: str) -> bool:
    """Tell whether a spreadsheet has made ``1.23457E+11`` of a long number, so that its digits are lost."""
    return _SCIENTIFIC.fullmatch(text) is not None


def number(text: str) -> float:
    """Read a number, with a point or a comma before its decimals.

    Raises:
        ValueError: it is none; the message says so.
    """
    if not re.fullmatch(r"[+-]?\d{1,12}(?:[.,]\d{1,12})?", text):
        raise ValueError(f"“{one_line(text, 40)}” is no number (2 or 0.5)")
    return float(text.replace(",", "."))


def truth(text: str) -> bool:
    """Read yes or no; an empty cell is no.

    Raises:
        ValueError: it is neither.
    """
    if text.casefold() in ("yes", "y", "true", "1", "x", "ja", "wahr"):
        return True
    if text.casefold() in ("", "no", "n", "false", "0", "nein", "falsch"):
        return False
    raise ValueError(f"“{one_line(text, 40)}” is neither yes nor no")


FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Years of the dates in a course's tables."""


def moment(text: str, zone: tzinfo | None = None) -> datetime:
    """Read a date, or a date and time: ``2027-01-31``, ``2027-01-31 23:59+01:00``, also ``31.01.2027 23:59``.

    Without a time it is the end of the day, and without a zone of its own it is meant in the course's, or UTC.

    Raises:
        ValueError: it is none, or day and month cannot be told apart; the message says what to write.
    """
    iso = text
    if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,]+(\d{1,2}:\d\d(?::\d\d)?))?", text):
        clock = f"T{match[4]:0>5}" if match[4] else ""
        iso = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}{clock}"
    elif re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2,4}.*", text):
        raise ValueError(
            f"in “{one_line(text, 40)}”, day and month cannot be told apart; write it like 2027-01-31 23:59"
        )
    try:
        if len(iso) <= len("2027-01-31"):
            found_time = datetime.combine(date.fromisoformat(iso), time(23, 59, 59))
        else:
            found_time = datetime.fromisoformat(iso)
    except ValueError:
        raise ValueError(
            f"“{one_line(text, 40)}” is no date; write it like 2027-01-31 or 2027-01-31 23:59+01:00"
        ) from None
    if not FIRST_YEAR <= found_time.year <= LAST_YEAR:  # arithmetic with zones would end outside of the calendar
        raise ValueError(f"“{one_line(text, 40)}” is outside of the years {FIRST_YEAR} to {LAST_YEAR}")
    return placed(found_time, zone)


def as_text(headings: Iterable[str], rows: Iterable[Mapping[str, str]], like: Table | None = None) -> bytes:
    """Write rows below headings as CSV, in the manner of the table ``like``."""
    table_rows = tuple(Row(0, row) for row in rows)
    return write_text(Table("", tuple(headings), table_rows, *((like.separator, like.encoding) if like else ())))
