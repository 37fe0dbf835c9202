"""CSV files keep their form: encoding, delimiter, quotes, line ends, decimal commas, columns that nobody knows."""

from __future__ import annotations

import codecs

import pytest

from autograder.errors import CourseError, UsageError
from autograder.extensions.lms.sheet import read_sheet


@pytest.fixture
def read(tmp_path):
    def reading(data: bytes):
        path = tmp_path / "grades.csv"
        path.write_bytes(data)
        return read_sheet(path)

    return reading


@pytest.mark.parametrize(
    "data",
    [
        b"Student,ID,Hands-on (5)\nDoe,7,\n",
        b"Student;ID;Hands-on (5)\r\nDoe;7;4,5\r\n",
        codecs.BOM_UTF8 + b'Student,ID\r\n"Doe, Jane",7\r\n',
        codecs.BOM_UTF16_LE + '"Last Name"\t"Username"\n"Doé"\t"jd"\n'.encode("utf-16-le"),
        '"Last Name"\t"Username"\n"Doé"\t"jd"\n'.encode("utf-16-le"),
        "Name;Note\nMüller;3\n".encode("cp1252"),
        b'"a","b"\n"1","two\nlines"\n',
    ],
    ids=["plain", "semicolons", "mark", "utf16", "utf16-without-mark", "windows", "quoted"],
)
def test_a_file_is_written_as_it_was_read(read, data):
    assert read(data).encode() == data


def test_numbers_are_written_as_the_file_has_them(read):
    assert read(b"a;b\n1;2,5\n").number(3.25) == "3,25"
    assert read(b"a;b\n1;2.5\n").number(3.25) == "3.25"
    assert read(b"a,b\n1,2.5\n").number(20.0) == "20"


def test_a_row_of_another_length_is_named_with_its_line(read):
    with pytest.raises(UsageError, match=r"grades\.csv, line 3: 2 cells, and the header has 3"):
        read(b"a,b,c\n1,2,3\n1,2\n")


def test_empty_cells_behind_the_last_column_are_no_fault(read):
    assert read(b"a,b\n1,2,,\n").rows == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("data", [b"", b"\n\n", codecs.BOM_UTF8])
def test_an_empty_file_is_refused(read, data):
    with pytest.raises(UsageError, match="is empty"):
        read(data)


def test_a_file_that_is_no_text_is_refused(read):
    with pytest.raises(CourseError, match="is a workbook"):
        read(b"PK\x03\x04")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.csv cannot be read"):
        read_sheet(tmp_path / "gone.csv")
