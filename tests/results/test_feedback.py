"""Which feedback pages a batch writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.tiny import YAML, Here, copied, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.cache_keys import exam_key
from autograder.exchange import result_json
from autograder.records.course import Course
from autograder.results import publication, report
from autograder.results.feedback import write_feedback

NAMES = ("ada", "bob", "eve")


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Three students, graded and recorded."""
    made = tiny_course(tmp_path_factory.mktemp("graded"))
    for name in NAMES:
        submit(made, name)
    grade(made)
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path) -> Course:
    return copied(graded_course, tmp_path)


def grade(course: Course) -> None:
    """Grade and record as the command does."""
    release = tiny_release(course)
    batch.run(batch.plan(course, release), execute=Here())
    exams = [n.exam for n in release.notebooks]
    publication.record(course, course.assignments["hw"], exams, exam_key(course, release))


def page(course: Course, student: str) -> Path:
    return course.feedback(student, "hw") / "nb.html"


def written(course: Course, act: Callable[[], object]) -> list[str]:
    """Whose page is another file after ``act``: each is written aside and renamed."""
    before = {name: page(course, name).stat().st_ino for name in NAMES if page(course, name).exists()}
    kept = [page(course, name).open() for name in before]  # so that no inode is used again
    act()
    for file in kept:
        file.close()
    return [name for name in NAMES if page(course, name).stat().st_ino != before.get(name)]


@pytest.mark.integration
def test_a_page_that_would_be_the_same_is_not_written_again(course: Course) -> None:
    assert written(course, lambda: grade(course)) == []


def test_only_who_was_graded_anew_gets_a_new_page(course: Course) -> None:
    submit(course, "bob", "def double(x):\n    return 3")
    assert written(course, lambda: grade(course)) == ["bob"]
    assert "not passed" in page(course, "bob").read_text()


def test_a_page_that_is_gone_or_was_changed_is_written_again(course: Course) -> None:
    text = page(course, "ada").read_text()
    page(course, "ada").unlink()
    page(course, "eve").write_text("mine")
    assert written(course, lambda: grade(course)) == ["ada", "eve"]
    assert page(course, "ada").read_text() == text


def test_what_a_person_entered_in_the_gradebook_makes_a_new_page(course: Course) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.gradebook}") as book:
        row = book.find_grade("test-double", "nb", "hw", "eve")
        row.extra_credit, row.needs_manual_grade = 0.5, False
        book.db.commit()
    assert written(course, lambda: grade(course)) == ["eve"]
    assert "2.5" in page(course, "eve").read_text()


def test_a_new_masked_notebook_makes_a_new_page(course: Course) -> None:
    path = course.autograded("ada", "hw") / "nb.ipynb"
    path.write_text(path.read_text().replace("return 2 * x", "return x * 2"))
    assert written(course, lambda: grade(course)) == ["ada"]
    assert page(course, "ada").read_text() != page(course, "bob").read_text()


def test_another_title_makes_new_pages_for_all(course: Course) -> None:
    changed = tiny_course(course.root, yaml=YAML.replace("Doubling", "Twice"))
    assert written(course, lambda: grade(changed)) == [*NAMES]
    assert "Twice" in page(course, "ada").read_text()


@pytest.mark.parametrize("content", ["", "[]", '{"ada": 1, "bob": ["", ""], "eve": null}'])
def test_where_it_is_not_known_what_pages_were_made_from_all_are_written(course: Course, content: str) -> None:
    (course.state / "feedback/hw.json").write_text(content)
    assert written(course, lambda: grade(course)) == [*NAMES]
    assert written(course, lambda: grade(course)) == []


def test_when_asked_for_pages_are_written_in_any_case(course: Course) -> None:
    """As `autograder feedback` does; those of the others stay known."""
    grades = [result_json.read(course.autograded("bob", "hw") / "result.json")]
    made = []
    assert written(course, lambda: made.extend(write_feedback(course, course.assignments["hw"], grades).pages)) == [
        "bob"
    ]
    assert made == [page(course, "bob")]
    assert written(course, lambda: grade(course)) == []


def test_a_page_of_a_batch_that_was_stopped_is_not_taken_for_current(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written until then is known, the rest is written by the next batch."""

    real = report.render_feedback

    def stopped(course: Course, assignment: object, grade: object, *more: object) -> str:
        if grade.student == "bob":  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        return real(course, assignment, grade, *more)  # type: ignore[arg-type]

    changed = tiny_course(course.root, yaml=YAML.replace("Doubling", "Twice"))
    with monkeypatch.context() as patch:
        patch.setattr(report, "render_feedback", stopped)
        with pytest.raises(KeyboardInterrupt):
            grade(changed)
    assert written(course, lambda: grade(changed)) == ["bob", "eve"]
