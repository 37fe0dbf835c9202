"""Grades in nbgrader's gradebook."""

import csv
import logging
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from helpers.samples import DUE, HIDDEN, a_class, cell, course, exam, grade, stopped
from nbgrader.api import Gradebook, InvalidEntry
from sqlalchemy.exc import OperationalError

from autograder.errors import HostError
from autograder.extensions.gradebook import database
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.grade import QuestionGrade
from autograder.records.waits import Waits
from autograder.results.gradebook import changed_points, points_out_of_range

NAME = "keras-fully-connected"


@pytest.fixture
def here(tmp_path):
    return course(tmp_path)


def opened(here):
    return Gradebook(f"sqlite:///{here.gradebook}", here.course_id)


def scores(here, *students):
    """student → (score after penalty, needs a person), as nbgrader sees it."""
    with opened(here) as book:
        rows = [book.find_submission(NAME, student) for student in students]
        return [(max(0.0, r.score - r.late_submission_penalty), bool(r.needs_manual_grade)) for r in rows]


def enter(here, question, student="ada", **values):
    """What formgrader does when a person types a score."""
    with opened(here) as book:
        row = book.find_grade(question, "network", NAME, student)
        for name, value in values.items():
            setattr(row, name, value)
        book.db.commit()


def found(here, question, student="ada"):
    with opened(here) as book:
        row = book.find_grade(question, "network", NAME, student)
        return row.auto_score, row.manual_score, row.needs_manual_grade


def test_scores_penalties_and_times_are_nbgraders(here):
    """A submission has our score, our penalty, its time in UTC, and waits for a person where we say so."""
    late = grade(hours=3)
    gradebook.record(here, [exam()], [late])
    assert scores(here, "ada") == [(pytest.approx(late.score), True)]
    with opened(here) as book:
        row = book.find_submission(NAME, "ada")
        assert row.timestamp == (DUE + timedelta(hours=3)).replace(tzinfo=None)
        assert row.total_seconds_late == 3 * 3600
        assert row.max_score == 17
        assert book.find_notebook("network", NAME).kernelspec.startswith('{"name": "python3"')


def test_manual_questions_have_no_automatic_score(here):
    """A test has its score and waits for nobody; a written answer has none and waits."""
    gradebook.record(here, [exam()], [grade()])
    assert found(here, "parameters") == (4.0, None, False)
    assert found(here, "why") == (None, None, True)


def test_recording_again_changes_nothing(here):
    """Twice is once: the same rows with the same values."""
    gradebook.record(here, [exam()], a_class())
    before = dump(here)
    gradebook.record(here, [exam()], a_class())
    assert dump(here) == before


def dump(here):
    with sqlite3.connect(here.gradebook) as connection:
        return list(connection.iterdump())


def counted(monkeypatch):
    """The students whose grades are written from now on."""
    written, real = [], gradebook.save_grade

    def save(book, one, exams):
        written.append(one.student)
        real(book, one, exams)

    monkeypatch.setattr(gradebook, "save_grade", save)
    return written


def test_only_what_changed_is_written(here, monkeypatch):
    """One new grade among a hundred costs one, however many are looked at at a time."""
    monkeypatch.setattr(gradebook, "PORTION", 2)
    names = ["ada", "emmy", "grace", "joe", "zoe"]
    gradebook.record(here, [exam()], [grade(name, loss=0.69) for name in names])
    enter(here, "why", "joe", manual_score=3, needs_manual_grade=False)
    written = counted(monkeypatch)
    gradebook.record(here, [exam()], [grade(name, loss=0.55 if name == "zoe" else 0.69) for name in names])
    assert written == ["zoe"]
    assert found(here, "holdout", "zoe")[0] == 4
    assert found(here, "why", "joe") == (None, 3, False)


CHANGES = (
    "UPDATE submitted_assignment SET timestamp = '2020-01-01 00:00:00'",
    "UPDATE submitted_notebook SET late_submission_penalty = 7",
    "UPDATE submitted_notebook SET late_submission_penalty = NULL",
    "UPDATE grade SET auto_score = 0.125 WHERE auto_score IS NOT NULL",
    "UPDATE grade SET auto_score = 1 WHERE auto_score IS NULL",
    "UPDATE grade SET needs_manual_grade = NOT needs_manual_grade",
    "UPDATE comment SET auto_comment = 'other'",
    "UPDATE comment SET auto_comment = NULL",
)


@pytest.mark.integration
def test_what_another_program_wrote_over_a_grade_is_written_again(here):
    """nbgrader's own autograde may have been run in between."""
    late = [grade("ada", loss=0.69, hours=3)]
    gradebook.record(here, [exam()], late)
    before = dump(here)
    for change in CHANGES:
        with sqlite3.connect(here.gradebook) as connection:
            connection.execute(change)
        assert dump(here) != before, change
        gradebook.record(here, [exam()], late)
        assert dump(here) == before, change


@pytest.mark.parametrize("table", ["grade", "comment", "submitted_notebook"])
def test_rows_that_a_submission_lacks_are_made(here, table):
    """A gradebook that lost some, or that nbgrader made before the exam had them, gets them filled."""
    gradebook.record(here, [exam()], [grade()])

    def rows(connection):
        return [connection.execute(f"SELECT count(*) FROM {t}").fetchone() for t in ("grade", "comment")]

    with sqlite3.connect(here.gradebook) as connection:
        before = rows(connection)
        gone = ("grade", "comment", table) if table == "submitted_notebook" else (table,)
        for one in gone:
            connection.execute(f"DELETE FROM {one}")
    gradebook.record(here, [exam()], [grade()])
    with sqlite3.connect(here.gradebook) as connection:
        assert rows(connection) == before
    assert found(here, "parameters") == (4.0, None, False)


def test_a_new_grade_replaces_the_automatic_scores_and_keeps_a_persons(here):
    """Manual score, extra credit, comment stay; the score is marked for review, for the work changed."""
    gradebook.record(here, [exam()], [grade(loss=0.69)])
    enter(here, "why", manual_score=2.5, extra_credit=0.5, needs_manual_grade=False)
    with opened(here) as book:
        book.find_comment("why", "network", NAME, "ada").manual_comment = "Well argued."
        book.db.commit()
    gradebook.record(here, [exam()], [grade(loss=0.55, hours=-1)])
    assert found(here, "holdout") == (4.0, None, False)
    assert found(here, "why") == (None, 2.5, True)
    with opened(here) as book:
        assert book.find_comment("why", "network", NAME, "ada").comment == "Well argued."


def test_a_manual_score_is_not_reviewed_again_for_the_same_submission(here):
    """Recording what was recorded does not send a person's work back to them."""
    gradebook.record(here, [exam()], [grade()])
    enter(here, "why", manual_score=3, needs_manual_grade=False)
    gradebook.record(here, [exam()], [grade()])
    assert found(here, "why") == (None, 3, False)


def test_peoples_entries_come_back_into_the_grades(here):
    """Scores, extra credit and comments from formgrader replace ours in what is shown."""
    ours = (grade("ada"), grade("emmy"))
    gradebook.record(here, [exam()], ours)
    enter(here, "why", manual_score=2, extra_credit=0.5, needs_manual_grade=False)
    with opened(here) as book:
        book.find_comment("why", "network", NAME, "ada").manual_comment = "Say why."
        book.db.commit()
    ada, emmy = gradebook.with_manual_scores(here, ours)
    why = ada.notebooks[0].questions[3]
    assert (why.score, why.outcome, why.comment, why.by_hand) == (2.5, Outcome.PARTIAL, "Say why.", True)
    assert not why.needs_manual_grade
    assert emmy == ours[1]
    assert scores(here, "ada")[0][0] == pytest.approx(ada.score)


def test_a_question_with_points_by_hand_says_no_longer_that_a_person_decides(here):
    """Whatever it waited for; the rest of the message stays."""
    for reason in Waits:
        message = f"loss: too large\n{reason.sentence}"
        waiting = grade("ada")
        (book,) = waiting.notebooks
        questions = [replace(one, message=message, waits=reason) for one in book.questions]
        waiting = replace(waiting, notebooks=(replace(book, questions=tuple(questions)),))
        gradebook.record(here, [exam()], [waiting])
        enter(here, "why", manual_score=2, needs_manual_grade=False)
        (ada,) = gradebook.with_manual_scores(here, [waiting])
        assert ada.notebooks[0].questions[3].message == "loss: too large"


def test_a_comment_on_an_answer_that_tests_grade_comes_back(here):
    """Comments hang on answers, and points on tests."""
    gradebook.record(here, [exam()], [grade("ada")])
    with opened(here) as book:
        book.find_comment("model", "network", NAME, "ada").manual_comment = "Well **done**."
        book.db.commit()
    (ada,) = gradebook.with_manual_scores(here, [grade("ada")])
    assert ada.notebooks[0].comments == {"model": "Well **done**."}
    assert ada.notebooks[0].questions == grade("ada").notebooks[0].questions


def test_a_course_without_a_gradebook_has_no_manual_scores(here):
    """Asking makes no file."""
    assert gradebook.with_manual_scores(here, [grade()]) == (grade(),)
    assert not here.gradebook.exists()


def changed(**cells):
    """The exam with cells replaced (by grade_id) or, with None, taken away."""
    one = exam()
    kept = [cells.get(c.grade_id or "", c) for c in one.cells]
    return replace(one, cells=tuple(c for c in kept if c is not None))


def test_points_follow_the_exam(here):
    """A changed maximum is the gradebook's maximum, for old submissions too."""
    gradebook.record(here, [exam()], [grade("ada"), grade("emmy")])
    gradebook.record(here, [changed(layers=cell(Role.TEST, "layers", "x", 6))], [grade("ada")])
    with opened(here) as book:
        assert book.find_submission(NAME, "emmy").max_score == 19


def test_a_cell_that_went_away_goes_with_its_scores(here):
    """Its points count no more, not even those a person gave; the rest stays."""
    gradebook.record(here, [exam()], [grade("ada"), grade("emmy")])
    enter(here, "sketch", manual_score=2)
    shorter = changed(sketch=None, layers=None)
    (book,) = grade("ada").notebooks
    left = replace(book, questions=tuple(q for q in book.questions if q.id not in ("sketch", "layers")))
    gradebook.record(here, [shorter], [replace(grade("ada"), notebooks=(left,))])
    with opened(here) as book:
        row = book.find_submission(NAME, "ada")
        assert (row.score, row.max_score) == (pytest.approx(left.score), 11)


def test_a_cell_that_is_new_or_changed_its_role_gets_rows(here):
    """Old submissions wait for a grade there; new ones have it."""
    gradebook.record(here, [exam()], [grade("ada"), grade("emmy")])
    other = changed(sketch=cell(Role.TEST, "sketch", "assert True", 2), intro=cell(Role.ANSWER, "more", "..."))
    questions = (*grade("ada").notebooks[0].questions[:4], QuestionGrade("sketch", 1, 2, Outcome.PARTIAL, ""))
    new = replace(grade("ada"), notebooks=(replace(grade("ada").notebooks[0], questions=questions),))
    gradebook.record(here, [other], [new])
    assert found(here, "sketch", "ada") == (1, None, False)
    assert found(here, "sketch", "emmy") == (None, None, True)
    with opened(here) as book:
        assert book.find_comment("more", "network", NAME, "emmy").comment is None


def test_a_notebook_that_went_away_goes_and_a_new_one_comes(here):
    """An assignment's notebooks are the exams that are given."""
    gradebook.record(here, [exam(), exam(notebook="extra")], [grade()])
    gradebook.record(here, [exam(), exam(notebook="more")], [grade()])
    with opened(here) as book:
        assert [n.name for n in book.find_assignment(NAME).notebooks] == ["more", "network"]
        assert {n.name: n.score for n in book.find_submission(NAME, "ada").notebooks}["more"] == 0


def test_answers_get_what_the_tests_after_them_found(here):
    """nbgrader shows comments at answers, so failures are told there; never a detail, never live HTML."""
    bad = stopped("ada", "timed_out", "", 0)
    evil = replace(bad.notebooks[0].questions[0], message="<script>alert(1)</script> [x](javascript:alert(1))")
    mixed = replace(bad.notebooks[0], questions=(evil, *grade(parameters=200_000).notebooks[0].questions[1:]))
    gradebook.record(here, [exam()], [replace(bad, notebooks=(mixed,))])
    with opened(here) as book:
        comment = book.find_comment("model", "network", NAME, "ada").comment
    assert "200,000 parameters; at most 150,000 are allowed." in comment
    assert "<script" not in comment
    assert "javascript:" not in comment
    assert HIDDEN not in comment


def test_the_source_table_serves_nbgraders_own_autograde(here):
    """Tests are stored whole, with a checksum that nbgrader finds right; answers as released."""
    gradebook.record(here, [exam()], [grade()])
    with opened(here) as book:
        test = book.find_source_cell("layers", "network", NAME)
        answer = book.find_source_cell("model", "network", NAME)
    assert HIDDEN in test.source
    assert test.locked
    assert answer.source == "model = ...  # your code"


def test_another_assignment_is_left_alone(tmp_path):
    """Recording one assignment touches no other."""
    here = course(tmp_path, NAME, "second")
    gradebook.record(here, [exam(), exam("second")], [grade(), grade(assignment="second", loss=0.6)])
    gradebook.record(here, [exam()], [grade(loss=0.9)])
    with opened(here) as book:
        kept = book.find_submission("second", "ada").score
    assert kept == pytest.approx(grade(loss=0.6).score)


def test_a_killed_batch_leaves_whole_submissions(here, monkeypatch):
    """When the second submission fails midway, the first is there and nothing of the second is."""
    real = gradebook.save_grade

    def fail(book, one, exams):
        real(book, one, exams)
        if one.student == "emmy":
            raise KeyboardInterrupt

    monkeypatch.setattr(gradebook, "save_grade", fail)
    with pytest.raises(KeyboardInterrupt):
        gradebook.record(here, [exam()], [grade("ada"), grade("emmy")])
    with opened(here) as book:
        assert [s.student_id for s in book.find_assignment(NAME).submissions] == ["ada"]
        assert [s.id for s in book.students] == ["ada"]


@pytest.mark.integration
def test_a_locked_gradebook_is_waited_for(here):
    """A lock that goes away within the patience is no error."""
    gradebook.record(here, [exam()], [grade()])
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE');"
            "print('held', flush=True); time.sleep(1)",
            str(here.gradebook),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        gradebook.record(here, [exam()], [grade(loss=0.55)])
    finally:
        holder.kill()
        holder.communicate()
    assert found(here, "holdout")[0] == 4


def test_a_gradebook_that_stays_locked_is_a_host_error(here, monkeypatch):
    """The message says who may hold it and what to do."""
    gradebook.record(here, [exam()], [grade()])
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(database, "_LOCK_SECONDS", 0)
    with sqlite3.connect(here.gradebook) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HostError, match=r"gradebook\.db is locked by another process"):
            gradebook.record(here, [exam()], [grade()])
        other.rollback()


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")),
        InvalidEntry("(sqlite3.OperationalError) database or disk is full"),
    ],
    ids=["SQLAlchemy's error", "nbgrader's error"],
)
def test_a_full_disk_is_no_damage(here, monkeypatch, caplog, error):
    """Nobody is told to move the gradebook away for it, and nbgrader prints no traceback."""

    def fail(*_):
        logging.getLogger("tornado.application").error(f"Rolling back session due to database error {error}")
        raise error

    monkeypatch.setattr(gradebook, "save_grade", fail)
    full = r"cannot be written \(.*database or disk is full\); free space and run the same command again"
    with pytest.raises(HostError, match=full):
        gradebook.record(here, [exam()], [grade()])
    assert caplog.text == ""


def test_a_damaged_gradebook_is_a_host_error(here):
    """A file that is no database is named, not overwritten."""
    here.gradebook.write_bytes(b"not a database" * 100)
    with pytest.raises(HostError, match=r"gradebook\.db cannot be used \(file is not a database\)"):
        gradebook.record(here, [exam()], [grade()])
    assert here.gradebook.read_bytes().startswith(b"not a database")


def test_a_gradebook_of_another_nbgrader_is_refused(here):
    """The remedy is nbgrader's own upgrade."""
    gradebook.record(here, [exam()], [grade()])
    with sqlite3.connect(here.gradebook) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'old'")
    with pytest.raises(HostError, match="nbgrader db upgrade"):
        gradebook.record(here, [exam()], [grade()])


def test_a_path_with_odd_characters_works(tmp_path):
    """The database's URL is built, not glued."""
    folder = tmp_path / "a ?b=%41 #c"
    folder.mkdir()
    gradebook.record(course(folder), [exam()], [grade()])
    assert (folder / "gradebook.db").exists()


@pytest.mark.integration
def test_a_hundred_submissions_take_a_few_seconds(here):
    """Recording is no part of the waiting (about 0.5 s where this was written)."""
    many = [grade(f"student{i}") for i in range(100)]
    began = time.process_time()
    gradebook.record(here, [exam()], many)
    assert time.process_time() - began < 10


def exported_by_a_plugin(here):
    """What the command calls, without the start of a Python."""
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

    with Gradebook(f"sqlite:///{here.gradebook}") as book:
        CsvExportPlugin(to=str(here.root / "theirs.csv")).export(book)


def exported_by_the_command(here):
    here.source(NAME).mkdir(parents=True)
    nbgrader(here.root, "export", "--to", "theirs.csv")


@pytest.mark.parametrize(
    "export", [exported_by_a_plugin, pytest.param(exported_by_the_command, marks=pytest.mark.slow)]
)
def test_nbgrader_export_gives_the_scores_of_our_csv(here, export):
    """On a real class: the same score, maximum and penalty for everybody."""
    from autograder.results.report.html_table import grades_csv

    gradebook.record(here, [exam()], a_class())
    export(here)
    theirs = rows((here.root / "theirs.csv").read_text(), "student_id")
    ours = rows(grades_csv(a_class()), "student")
    assert theirs.keys() == ours.keys()
    for student, row in ours.items():
        assert float(theirs[student]["score"]) == pytest.approx(float(row["score"]), abs=1e-6)
        assert float(theirs[student]["max_score"]) == float(row["max_score"])
        penalty = float(theirs[student]["late_submission_penalty"])
        assert penalty == pytest.approx(float(row["late_penalty"]), abs=1e-6)


def test_points_by_hand_are_seen_as_they_are(here):
    """Only questions that a person touched; nothing where there is no gradebook, and None where it is none."""
    assert gradebook.points_by_hand(here, NAME) == {}
    assert not here.gradebook.exists(), "a look makes none"
    gradebook.record(here, [exam()], [grade()])
    enter(here, "why", manual_score=3.5)
    enter(here, "parameters", extra_credit=1.0)
    found = {("ada", "network", "why"): (3.5, None), ("ada", "network", "parameters"): (None, 1.0)}
    assert gradebook.points_by_hand(here, NAME) == found
    assert gradebook.points_by_hand(here, "another") == {}
    here.gradebook.write_bytes(b"no database at all")
    assert gradebook.points_by_hand(here, NAME) is None


def test_a_look_waits_for_no_lock(here):
    gradebook.record(here, [exam()], [grade()])
    with sqlite3.connect(here.gradebook, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert gradebook.points_by_hand(here, NAME) == {}


def test_points_that_changed_between_two_looks_are_told():
    key, other = ("eve", "network", "why"), ("ada", "network", "why")
    before = {key: (None, 1.0), other: (3.0, None)}
    assert list(changed_points(before, dict(before))) == []
    assert list(changed_points(before, {key: (16.0, 1.0)})) == [
        "ada: network/why: no points given by hand while this batch ran (3 points before)",
        "eve: network/why: 16 points and 1 extra given by hand while this batch ran (no points and 1 extra before)",
    ]
    assert list(changed_points(None, before)) == list(changed_points(before, None)) == []


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (None, False),
        (0.0, False),
        (2.5, False),
        (3.0, False),
        (3.5, True),
        (16.0, True),
        (-1.0, True),
        (float("inf"), True),
    ],
)
def test_points_by_hand_outside_of_the_range_are_told(score, told):
    """The question is worth 3; more than that is extra credit."""
    worth = {q.id: q.max_score for q in grade().notebooks[0].questions}["why"]
    points = {("ada", "network", "why"): (score, 2.0)}
    lines = list(points_out_of_range(points, [grade()]))
    expected = [f"ada: network/why: {score:g} points by hand, of {worth:g}"] if told else []
    assert lines == expected
    assert list(points_out_of_range(None, [grade()])) == []


def rows(text, key):
    return {row[key]: row for row in csv.DictReader(text.splitlines())}


def nbgrader(root, *arguments):
    """Run nbgrader's command as a person would, with nothing of this machine's configuration."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "PATH": path}
    subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments, "--CourseDirectory.course_id=dl101"],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
