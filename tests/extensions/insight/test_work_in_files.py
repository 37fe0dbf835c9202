"""What is compared of answer files: the statements that a student wrote, and nothing that the release gave."""

from __future__ import annotations

from pathlib import Path

from helpers.answer_files import LAYERS, LOSSES, make_files_course, solved

from autograder.extensions.insight.student_work import written_in
from autograder.release.build import build, copy_files


def test_functions_that_differ_from_the_release_are_compared(tmp_path: Path) -> None:
    course = make_files_course(tmp_path)
    release = build(course, course.assignments["hw"])
    copy_files(release, tmp_path / "in")
    (exam,) = release.exams
    blank = written_in(exam, tmp_path / "in/nb.ipynb")
    assert blank is not None
    assert blank.cells == ()
    (tmp_path / "in/net/layers.py").write_text(solved(LAYERS))
    (tmp_path / "in/losses.py").write_bytes(solved(LOSSES).replace("\n", "\r\n").encode())
    work = written_in(exam, tmp_path / "in/nb.ipynb")
    assert work is not None
    assert [(cell.question, cell.source.split("(")[0].split(":")[0]) for cell in work.cells] == [
        ("losses.py", "def mse"),
        ("net/layers.py", "def relu"),
        ("net/layers.py", "class Linear"),
    ]
