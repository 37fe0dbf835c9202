"""Tables from spreadsheets: encodings, separators, what Excel does, and messages with file and line."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.errors import CourseError
from autograder.term import csv_tables
from autograder.term.csv_tables import Row, Table, parse_table

PEOPLE = "id,name\nada,Ada Lovelace\nzoë,Zoë Ü\n"


def rows(data: bytes) -> list[dict[str, str]]:
    return [dict(row.cells) for row in parse_table("people.csv", data).rows]


EXPECTED = [{"id": "ada", "name": "Ada Lovelace"}, {"id": "zoë", "name": "Zoë Ü"}]


@pytest.mark.parametrize(
    "data",
    [
        PEOPLE.encode(),
        codecs.BOM_UTF8 + PEOPLE.encode(),
        PEOPLE.encode("utf-16"),
        codecs.BOM_UTF16_BE + PEOPLE.encode("utf-16-be"),
        PEOPLE.encode("utf-16-le"),
        PEOPLE.encode("cp1252"),
        PEOPLE.replace(",", ";").encode(),
        PEOPLE.replace(",", "\t").encode("utf-16"),
        PEOPLE.replace("\n", "\r\n").encode(),
        PEOPLE.replace("\n", "\r").encode(),
        b"sep=;\r\n" + PEOPLE.replace(",", ";").encode(),
        b"\n\n" + PEOPLE.encode() + b"\n,\n,\n",
        PEOPLE.replace(",", ",").replace("\n", ",,\n").encode(),
        PEOPLE.replace("ada,", '"ada ",').encode(),
        PEOPLE.replace("ada,", '"=""ada""",').encode(),
        PEOPLE.replace("Ada Lovelace", " Ada\u00a0Lovelace ").encode(),
    ],
)
def test_a_table_reads_the_same_however_it_was_saved(data: bytes) -> None:
    assert rows(data) == EXPECTED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "people.csv: is empty"),
        (b"\xef\xbb\xbf\n\n", "people.csv: is empty"),
        (b"PK\x03\x04rest", "people.csv: is a workbook; save it as “CSV UTF-8”"),
        (b"id,name\nada,Ada,more\n", "people.csv:2: 3 cells below 2 headings"),
        (b"id,ID\n", "people.csv:1: the heading “ID” is there twice"),
        (b'id,name\nada,"Ada\n', "people.csv:2: no line of a CSV file"),
        (b"id,name\nada,\x81\xff\x8d\n", "people.csv:2: not valid UTF-8"),
        (b"id,name\nada,A\0\n", "people.csv:2: has a NUL character"),
        (b"\xff\xfei\0d", "people.csv:1: not valid utf-16; save it as “CSV UTF-8”"),
    ],
)
def test_a_table_that_cannot_be_read_names_file_line_and_remedy(data: bytes, message: str) -> None:
    with pytest.raises(CourseError, match="^" + message.replace("(", r"\(")):
        parse_table("people.csv", data)


def test_all_faults_of_a_file_are_told_at_once_up_to_twenty() -> None:
    with pytest.raises(CourseError) as found:
        parse_table("t.csv", b"a,b\n" + b"1,2,3\n" * 30)
    lines = str(found.value).splitlines()
    assert (lines[0][:8], lines[19][:9], lines[20]) == ("t.csv:2:", "t.csv:21:", "… and 10 more")


def test_a_cell_over_two_lines_keeps_the_line_numbers_right() -> None:
    table = parse_table("t.csv", b'a,b\n1,"x\ny"\n2,z\n')
    assert [(row.line, row.get("b")) for row in table.rows] == [(2, "x y"), (4, "z")]


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"]) | st.just(" "), max_size=12)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)  # fmt: skip
def test_what_is_written_reads_the_same(cells: list[tuple[str, str]], separator: str, encoding: str) -> None:
    def kept(text: str) -> str:
        return " ".join(text.replace("\ufeff", "").split())

    cells = [(kept(a).lstrip("'").replace('="', ""), kept(b).lstrip("'").replace('="', "")) for a, b in cells]
    cells = [(a, b) for a, b in cells if a or b]
    made = Table("t.csv", ("a", "b"), tuple(Row(0, {"a": a, "b": b}) for a, b in cells), separator, encoding)
    again = parse_table("t.csv", csv_tables.write_text(made))
    assert [(row.get("a"), row.get("b")) for row in again.rows] == cells
    assert (again.separator, again.encoding) == (separator, encoding)


def test_text_that_looks_like_a_formula_is_guarded_and_read_back() -> None:
    made = Table("t.csv", ("a",), (Row(0, {"a": "=HYPERLINK(1)"}),))
    assert b"'=HYPERLINK" in csv_tables.write_text(made)
    assert parse_table("t.csv", csv_tables.write_text(made)).rows[0].get("a") == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2027-01-31 18:00", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31T18:00+01:00", datetime(2027, 1, 31, 18, tzinfo=timezone(timedelta(hours=1)))),
        ("31.1.2027", datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("31.01.2027 8:05", datetime(2027, 1, 31, 8, 5, tzinfo=UTC)),
    ],
)
def test_dates_as_people_and_spreadsheets_write_them(text: str, moment: datetime) -> None:
    assert csv_tables.moment(text) == moment


@pytest.mark.parametrize(
    ("text", "message"),
    [("1/2/2027", "day and month cannot be told apart"), ("soon", "is no date"), ("2027-02-30", "is no date"),
     ("30.02.2027", "is no date"), ("46052", "is no date")],
)  # fmt: skip
def test_a_date_that_is_none_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        csv_tables.moment(text)


def test_numbers_and_answers() -> None:
    assert [csv_tables.number(t) for t in ("2", "0.5", "0,5", "-1")] == [2, 0.5, 0.5, -1]
    assert [csv_tables.truth(t) for t in ("yes", "x", "", "no", "TRUE")] == [True, True, False, False, True]
    for wrong in ("two", "1e3", "nan", "inf", "1.2.3"):
        with pytest.raises(ValueError, match="is no number"):
            csv_tables.number(wrong)
    with pytest.raises(ValueError, match="neither yes nor no"):
        csv_tables.truth("maybe")
    assert csv_tables.is_rounded("1.23457E+11")
    assert not csv_tables.is_rounded("E12")
