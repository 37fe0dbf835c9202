"""Requests for a second look: a file of the course, shown on the page."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from helpers.tiny import Here, copied, grade_here, submit, tiny_course, tiny_release

from autograder.cli.main import main
from autograder.coordinator import batch
from autograder.coordinator.cache_keys import exam_key
from autograder.errors import CourseError, UsageError
from autograder.results import publication, second_look


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory):
    made = tiny_course(tmp_path_factory.mktemp("graded"))
    submit(made, "ada")
    batch.run(batch.plan(made, tiny_release(made)), execute=Here(grade_here))
    record(made)
    return made


@pytest.fixture
def course(graded_course, tmp_path):
    return copied(graded_course, tmp_path)


def record(course):
    release = tiny_release(course)
    exams = [n.exam for n in release.notebooks]
    return publication.record(course, course.assignments["hw"], exams, exam_key(course, release))


def command(course, *arguments, text=""):
    return CliRunner().invoke(main, ["second-look", *arguments, "--course", str(course.root)], input=text)


def page(course):
    assert CliRunner().invoke(main, ["feedback", "hw", "--course", str(course.root)]).exit_code == 0
    return (course.feedback("ada", "hw") / "nb.html").read_text("utf-8")


def test_a_request_and_its_answer_stand_on_the_page(course):
    assert "Second look" not in page(course)
    command(course, "ada", "hw", "--question", "test-double", "--ask", "It <b>doubles</b> *all* numbers.")
    asked = page(course)
    assert "<em>all</em>" in asked
    assert "<b>doubles</b>" not in asked
    assert ">open<" in asked
    command(course, "ada", "hw", "--question", "test-double", "--answer", "-", text="You are **right**.\n")
    answered = page(course)
    assert "<strong>right</strong>" in answered
    assert ">answered<" in answered


def test_what_waits_is_listed(course):
    assert command(course).output == ""
    second_look.ask(course, "ada", "hw", "test-double", "Why?")
    second_look.ask(course, "ada", "hw", "", "And all of it?")
    assert command(course).output.splitlines() == ["ada, hw, test-double: Why?", "ada, hw: And all of it?"]
    second_look.answer(course, "ada", "hw", "", "Yes.")
    assert command(course).output.splitlines() == ["ada, hw, test-double: Why?"]


def test_one_question_has_one_open_request(course):
    second_look.ask(course, "ada", "hw", "test-double", "Why?")
    with pytest.raises(UsageError, match="has an open request"):
        second_look.ask(course, "ada", "hw", "test-double", "Why, again?")
    second_look.answer(course, "ada", "hw", "test-double", "Because.")
    second_look.ask(course, "ada", "hw", "test-double", "Really?")
    first, second = second_look.read(course, "ada", "hw")
    assert (first.answer, second.request, second.answer) == ("Because.", "Really?", "")
    assert first.asked is not None


def test_a_request_and_an_answer_may_be_written_twice(course):
    text = "Why?\r\n  Two lines."
    for _ in range(2):
        second_look.ask(course, "ada", "hw", "test-double", text)
    for _ in range(2):
        second_look.answer(course, "ada", "hw", "test-double", "Because.")
    (request,) = second_look.read(course, "ada", "hw")
    assert (request.request, request.answer) == (text, "Because.")
    with pytest.raises(UsageError, match="no open request"):
        second_look.answer(course, "ada", "hw", "test-double", "Another.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ada"], "name the student, the assignment"),
        (["ada", "hw"], "name the student, the assignment"),
        (["ada", "hw", "--ask", "x", "--answer", "y"], "name the student, the assignment"),
        (["bob", "hw", "--ask", "x"], "nothing is graded for bob"),
        (["ada", "hw", "--question", "q", "--ask", "x"], "has no question 'q' (questions: test-double)"),
        (["ada", "hw", "--ask", " "], "the text is empty"),
        (["ada", "hw", "--answer", "x"], "has no open request"),
    ],
)
def test_what_is_missing_is_said(course, arguments, said):
    done = command(course, *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert not (course.root / "second-look").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- question: q\n", r"second-look/ada/hw\.yaml:1: the key 'request'"),
        ("- request: x\n  anwser: y\n", r"second-look/ada/hw\.yaml:2: unknown key 'anwser'.*'answer'"),
        ("request: x\n", r"second-look/ada/hw\.yaml:1: 'requests' must be a list"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(course, text, said):
    file = second_look.path(course, "ada", "hw")
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=said):
        second_look.read(course, "ada", "hw")


def wrong_file(course):
    file = second_look.path(course, "ada", "hw")
    file.parent.mkdir(parents=True)
    file.write_text("- request: Why?\n  anwser: Because.\n", encoding="utf-8")
    return file


def test_a_wrong_file_costs_its_students_page_and_no_other(course):
    submit(course, "bob")
    batch.run(batch.plan(course, tiny_release(course)), execute=Here(grade_here))
    before = page(course)
    file = wrong_file(course)
    ours, theirs = (course.feedback(student, "hw") / "nb.html" for student in ("ada", "bob"))
    theirs.unlink(missing_ok=True)
    done = record(course)
    (fault,) = done.page_faults
    assert re.match(r"second-look/ada/hw\.yaml:2: unknown key 'anwser'.*correct the file", fault)
    assert "`autograder feedback hw --student ada`" in fault
    assert theirs.is_file()
    assert ours.read_text("utf-8") == before
    assert [grade.student for grade in done.entered] == ["ada", "bob"]
    file.write_text("- request: Why?\n  answer: Because.\n", encoding="utf-8")
    assert record(course).page_faults == ()
    assert "Because." in ours.read_text("utf-8")


def test_the_command_writes_the_other_pages_and_says_what_is_wrong_once(course):
    submit(course, "bob")
    batch.run(batch.plan(course, tiny_release(course)), execute=Here(grade_here))
    wrong_file(course)
    done = CliRunner().invoke(main, ["feedback", "hw", "--course", str(course.root)])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [str(course.feedback("bob", "hw") / "nb.html")]
    assert done.stderr.count("second-look/ada/hw.yaml:2") == 1
