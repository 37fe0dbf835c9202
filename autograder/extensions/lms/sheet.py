"""CSV files of learning systems: read as they are, changed in single cells, written as they were."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import UsageError
from autograder.term.csv_tables import decoded

MAX_BYTES = 64 << 20
"""A larger file is not read."""
_DELIMITERS = (",", ";", "\t")


@dataclass
class Sheet:
    """A table whose form (encoding, delimiter, quotes, line ends, decimal comma) is kept."""

    name: str
    """Name of the file, for messages."""
    rows: list[list[str]]
    """All rows, the header first. Cells may be changed; rows have as many cells as the header."""
    lines: list[int] = field(default_factory=list)
    """Line of the file at which each row ends."""
    delimiter: str = ","
    newline: str = "\n"
    quoted: bool = False
    """Whether every cell stands in quotes."""
    decimal_comma: bool = False
    encoding: str = "utf-8"

    @property
    def header(self) -> list[str]:
        """Cells of the first row."""
        return self.rows[0]

    def column(self, *names: str) -> int | None:
        """Find the first of these columns, whatever the case of its heading."""
        numbers = {heading.strip().casefold(): number for number, heading in reversed(list(enumerate(self.header)))}
        return next((numbers[name.casefold()] for name in names if name.casefold() in numbers), None)

    def number(self, value: float) -> str:
        """Write a number as this file has them."""
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if self.decimal_comma else text

    def encode(self) -> bytes:
        """Write the table in the form in which it was read."""
        out = io.StringIO()
        form: dict[str, Any] = {"delimiter": self.delimiter, "lineterminator": self.newline}
        form["quoting"] = csv.QUOTE_ALL if self.quoted else csv.QUOTE_MINIMAL
        csv.writer(out, **form).writerows(self.rows)
        return out.getvalue().encode(self.encoding)


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252.

    Raises:
        UsageError: the file cannot be read, or a row has more or fewer cells than the header.
        CourseError: it is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES >> 20} MiB; is it the grades' CSV file?")
    text, encoding = decoded(path.name, data)
    if not text.strip():
        raise UsageError(f"{path.name} is empty; download it again")
    first = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    newline = "\r\n" if "\r\n" in text else "\n"
    sheet = Sheet(path.name, [], delimiter=delimiter, newline=newline, encoding=encoding)
    sheet.quoted = first.startswith('"') and first.count('"') >= 2 * len(next(csv.reader([first], delimiter=delimiter)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                sheet.rows.append(row)
                sheet.lines.append(reader.line_num)
    except csv.Error as error:
        raise UsageError(f"{path.name}, line {reader.line_num}: {error}; download the file again") from None
    for row, line in zip(sheet.rows, sheet.lines, strict=True):
        if len(row) > len(sheet.header) and not any(cell.strip() for cell in row[len(sheet.header) :]):
            del row[len(sheet.header) :]
        if len(row) != len(sheet.header):
            raise UsageError(
                f"{path.name}, line {line}: {len(row)} cells, and the header has {len(sheet.header)}; "
                "was the file changed by a spreadsheet program? Download it again"
            )
    whole = [cell for row in sheet.rows[1:] for cell in row]
    sheet.decimal_comma = delimiter != "," and any(re.fullmatch(r"-?\d+,\d+", cell.strip()) for cell in whole)
    return sheet
