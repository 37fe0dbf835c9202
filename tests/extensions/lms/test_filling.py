"""Grades in the files of Canvas, Moodle, Blackboard and Brightspace, as they export them."""

from __future__ import annotations

import zipfile

import pytest

from autograder.errors import UsageError
from autograder.extensions.lms.entries import ResultEntry
from autograder.extensions.lms.feedback_zip import write_feedback_zip
from autograder.extensions.lms.filling import fill
from autograder.extensions.lms.matching import PersonNames
from autograder.extensions.lms.sent_memory import Memory
from autograder.extensions.lms.sheet import read_sheet
from autograder.extensions.lms.systems import recognize

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Hands-on (5678),Essay (99),Final Score\n"
    "    Points Possible,,,,,20,10,(read only)\n"
    '"Doe, Jane",7,s7,jd,A,,8,80\n'
    '"Roe, Max",8,s8,mr,B,11,,\n'
    '"Student, Test",9,,x,A,,,\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 101,Jane Doe,jd@example.org,Submitted,,"20.00",Yes,-,-,\r\n'
    'Participant 102,Max_Roe,mr@example.org,Submitted,,"20.00",No,-,-,well\r\n'
)
MOODLE_IN_GERMAN = (
    'ID,"Vollständiger Name",E-Mail-Adresse,Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
    '"Zuletzt geändert (Abgabe)","Zuletzt geändert (Bewertung)","Feedback als Kommentar"\n'
    'Teilnehmer/in101,"Jane Doe",jd@example.org,"Zur Bewertung abgegeben",,"20,00",Ja,-,-,\n'
    'Teilnehmer/in102,"Max Roe",mr@example.org,"Zur Bewertung abgegeben",,"20,00",Nein,-,-,gut\n'
)
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Hands-on [Total Pts: 20 Score] |5678"\n'
    '"Doe"\t"Jane"\t"jd"\t"7"\t""\n"Roe"\t"Max"\t"mr"\t"8"\t""\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Hands-on Points Grade <Numeric MaxPoints:20>,End-of-Line Indicator\n"
    "#7,#jd,Doe,Jane,,#\n#8,#mr,Roe,Max,,#\n"
)
STUDENTS = {"doejane": PersonNames(names=("doejane",)), "mr": PersonNames(logins=("mr",))}


def entry(student: str, score: float | None, max_score: float = 20.0) -> ResultEntry:
    return ResultEntry(student, score, max_score, f"network: {score} of 20\na < b", None)


@pytest.fixture
def filled(tmp_path):
    """Fill a file with two results; returns the file's rows and what became of them."""

    def filling(text: str, entries=None, students=STUDENTS, encoding="utf-8", memory=None, column="", **options):
        path = tmp_path / "grades.csv"
        path.write_bytes(text.encode(encoding))
        sheet = read_sheet(path)
        layout = recognize(sheet, ["hands-on", "Hands-on"], column)
        results = [entry("doejane", 17.5), entry("mr", 12)] if entries is None else entries
        done = fill(sheet, layout, results, students, memory or Memory(tmp_path / "none.json"), **options)
        return sheet, done

    return filling


@pytest.mark.parametrize(
    ("text", "encoding", "column"),
    [(CANVAS.replace("B,11", "B,"), "utf-8", 5), (BLACKBOARD, "utf-16", 4), (BRIGHTSPACE, "utf-8-sig", 4)],
    ids=["canvas", "blackboard", "brightspace"],
)
def test_one_column_is_filled_and_the_rest_stays(filled, text, encoding, column):
    sheet, done = filled(text, encoding=encoding)
    before = text.splitlines()
    after = sheet.encode().decode(encoding).splitlines()
    assert sorted(done.written) == ["doejane", "mr"]
    assert [sheet.rows[done.rows[name]][column] for name in ("doejane", "mr")] == ["17.5", "12"]
    assert after[0] == before[0]
    assert len(after) == len(before)


def test_canvas_own_rows_are_nobodys(filled):
    sheet, done = filled(CANVAS, [entry("doejane", 17.5)])
    assert sheet.rows[1][5] == "20"
    assert done.without == ["Roe, Max"]


def test_moodles_worksheet_gets_comments_and_its_locks_hold(filled):
    sheet, done = filled(
        MOODLE, students={"doejane": PersonNames(ids=("participant:101",)), "mr": PersonNames(names=("Max Roe",))}
    )
    assert sheet.rows[1][4] == "17.5"
    assert sheet.rows[1][9] == "network: 17.5 of 20<br>a &lt; b"
    assert done.kept == {"mr": "it cannot be changed there"}
    assert sheet.rows[2][9] == "well"


def test_moodles_german_worksheet_is_one_too(filled):
    students = {"doejane": PersonNames(ids=("participant:101",)), "mr": PersonNames(names=("Max Roe",))}
    sheet, done = filled(MOODLE_IN_GERMAN, students=students)
    assert (sheet.rows[1][4], sheet.rows[1][9]) == ("17.5", "network: 17.5 of 20<br>a &lt; b")
    assert done.kept == {"mr": "it cannot be changed there"}


def test_a_table_of_ones_own_with_german_headings_is_no_worksheet(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("ID;Bewertung\n17;\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is no grade file of"):
        recognize(read_sheet(path), ["hands-on"])


def test_a_grade_that_stands_there_is_kept(filled):
    sheet, done = filled(CANVAS)
    assert done.kept == {"mr": "11 stands there, 12 here"}
    assert sheet.rows[3][5] == "11"


def test_a_grade_that_stands_there_is_replaced_when_asked(filled):
    sheet, done = filled(CANVAS, overwrite=True)
    assert sheet.rows[3][5] == "12"
    assert not done.kept


def test_a_grade_that_this_course_wrote_is_replaced(filled, tmp_path):
    memory = Memory(tmp_path / "posted.json")
    _, first = filled(CANVAS.replace("B,11", "B,"), [entry("mr", 11)], memory=memory)
    memory.remember_all(first.sent)
    sheet, done = filled(CANVAS, memory=Memory(tmp_path / "posted.json"))
    assert list(done.written) == ["doejane", "mr"]
    assert sheet.rows[3][5] == "12"


def test_a_comment_that_changes_while_the_points_do_not_is_replaced_each_time(filled, tmp_path):
    memory, text = Memory(tmp_path / "posted.json"), MOODLE
    jane = {"doejane": PersonNames(ids=("participant:101",))}
    for comment in ("first", "second", "third"):
        sheet, done = filled(text, [ResultEntry("doejane", 17.5, 20.0, comment, None)], students=jane, memory=memory)
        memory.remember_all(done.sent)
        assert sheet.rows[1][9] == comment
        text = sheet.encode().decode()


def test_what_waits_for_a_person_is_not_written(filled):
    sheet, done = filled(CANVAS, [entry("doejane", None)])
    assert done.waiting == {"doejane": "a person has not decided yet"}
    assert sheet.rows[2][5] == ""


def test_a_student_whom_nobody_there_fits_is_named(filled):
    _, done = filled(CANVAS, [entry("stranger", 3)], {"stranger": PersonNames(names=("stranger",))})
    assert done.unclear == {"stranger": "nobody there fits"}


def test_other_points_there_are_a_question_and_not_a_guess(filled):
    results = [entry("doejane", 8, max_score=10)]
    with pytest.raises(UsageError, match="counts 20 points, the assignment here 10"):
        filled(CANVAS, results)
    sheet, _ = filled(CANVAS, results, scale=True)
    assert sheet.rows[2][5] == "16"


def test_a_column_is_chosen_by_title_number_or_heading(filled):
    sheet, _ = filled(CANVAS, [entry("doejane", 7, max_score=10)], column="99", overwrite=True)
    assert sheet.rows[2][6] == "7"
    with pytest.raises(UsageError, match=r"no column is named “Quiz”.*Hands-on \(5678\); Essay \(99\)"):
        filled(CANVAS, column="Quiz")


def test_two_columns_of_one_title_are_a_question(filled):
    with pytest.raises(UsageError, match="more than one column fits"):
        filled(CANVAS.replace("Essay (99)", "Hands-on (99)"))


def test_any_other_table_takes_named_columns(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("matricle;name;points\n7;Jane;\n", encoding="utf-8")
    sheet = read_sheet(path)
    with pytest.raises(UsageError, match=r"--key.*its columns: matricle, name, points"):
        recognize(sheet, ["hands-on"])
    layout = recognize(sheet, ["hands-on"], "points", "matricle")
    fill(sheet, layout, [entry("jane", 4)], {"jane": PersonNames(ids=("registry:7",))}, Memory(tmp_path / "none.json"))
    assert sheet.rows[1] == ["7", "Jane", "4"]


def test_moodles_zip_names_files_as_moodle_reads_them(filled, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>well done</p>", encoding="utf-8")
    students = {"doejane": PersonNames(ids=("participant:101",)), "mr": PersonNames(ids=("participant:102",))}
    entries = [ResultEntry("doejane", 1.0, 20.0, "", page), ResultEntry("mr", 1.0, 20.0, "", None)]
    sheet, done = filled(MOODLE, entries, students)
    layout = recognize(sheet, [])
    missing = write_feedback_zip(tmp_path / "out" / "f.zip", "hands-on", layout, entries, done.rows)
    names = zipfile.ZipFile(tmp_path / "out" / "f.zip").namelist()
    assert names == ["Jane Doe_101_assignfeedback_file_hands-on.html"]
    assert missing == ["mr"]
    _, number, kind, plugin, rest = names[0].split("_", 4)
    assert (number, kind, plugin, rest) == ("101", "assignfeedback", "file", "hands-on.html")


def test_a_damaged_memory_is_no_memory(tmp_path):
    for text in ("{", "[]", '{"jane": 3}', '{"jane": {"score": "x"}}', '{"jane": {"other": 1}}'):
        path = tmp_path / "posted.json"
        path.write_text(text, encoding="utf-8")
        assert Memory(path)["jane"].score is None
