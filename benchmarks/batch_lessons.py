"""A class of each lesson: this kit with its defaults and two workers, beside `nbgrader autograde` on the same sources.

    benchmarks/batch_lessons.py                                   20 submissions, 2 for nbgrader: a quarter of an hour
    benchmarks/batch_lessons.py --submissions 6 --few 1           about six minutes
    benchmarks/batch_lessons.py overfitting --submissions 4 --few 1

Each student hands in the instructor's solution with a comment of their own, so that no two are the same. nbgrader runs
the hidden tests in the student's kernel, so hidden data lie beside its submissions. This kit must give all points that
need no person; where nbgrader gives others, the script says so. The table (Markdown) has the seconds of the whole
command divided by the number of submissions, by the clock and of the processor; CPU time is the machine's, which is to
do nothing else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from graders import ENVIRONMENT, ROOT, Timed
from measurement import machine, markdown, said, spent

if TYPE_CHECKING:
    from autograder.records.exam import Exam

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", help="these lessons (default: all)")
    parser.add_argument("--submissions", type=int, default=20, metavar="N", help="of each lesson (default: 20)")
    parser.add_argument("--few", type=int, default=2, metavar="N", help="for nbgrader (default: 2)")
    parser.add_argument("--rounds", type=int, default=1, help="how often both are measured, in turn (default: once)")
    given = parser.parse_args()
    from helpers.lessons import lesson_names

    described = machine("keras", "tensorflow", "nbgrader")
    rows, ratios = [], []
    for lesson in given.lessons or lesson_names():
        mine, theirs = [], []
        for number in range(given.rounds):
            said(f"{lesson}, round {number + 1} of {given.rounds}")
            mine.append(ours(lesson, given.submissions))
            theirs.append(nbgrader(lesson, given.few))
        ratio = _each(theirs, "wall") / _each(mine, "wall")
        ratios.append(ratio)
        seconds = [f"{_each(taken, what):.2f} s" for taken in (mine, theirs) for what in ("wall", "cpu")]
        rows.append([lesson, *seconds, f"{ratio:.2f}"])
    head = ["", "here, each", "CPU", "nbgrader, each", "CPU", "times faster"]
    print(f"{described}; {given.submissions} submissions here, {given.few} with nbgrader\n\n{markdown(head, rows)}")
    print(f"\nMedian of the lessons: {statistics.median(ratios):.2f} times faster")


def _each(taken: list[Timed], what: str) -> float:
    return statistics.median(getattr(timed, what) / timed.students for timed in taken)


def ours(lesson: str, students: int) -> Timed:
    """`autograder grade --workers 2`, from a warm start."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "course"
        exam = make_class(folder, lesson, students)
        options = ["--workers", "2", "--quiet", "--json", "grades.json"]
        took = spent([sys.executable, "-m", "autograder", "grade", lesson, *options], cwd=folder, env=ENVIRONMENT)
        found = {one["student"]: one["score"] for one in json.loads((folder / "grades.json").read_text())["grades"]}
        _check("autograder", found, exam, students)
    return Timed(students, took.wall, took.cpu, found)


def nbgrader(lesson: str, students: int) -> Timed:
    """`nbgrader autograde`, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "course"
        exam = make_class(folder, lesson, students)
        for submitted in (folder / "submitted").glob("*/*"):
            shutil.copytree(folder / "source" / lesson / "hidden", submitted / "hidden")
        (folder / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'measured'\nc.ExecutePreprocessor.timeout = 600\n"
            f"c.CourseDirectory.root = {str(folder)!r}\n"
        )
        command = [sys.executable, "-m", "nbgrader"]
        spent([*command, "generate_assignment", lesson, "--force"], cwd=folder, env=ENVIRONMENT)
        took = spent([*command, "autograde", lesson], cwd=folder, env=ENVIRONMENT)
        query = (
            "SELECT s.student_id, sum(g.auto_score) FROM grade g JOIN submitted_notebook n ON g.notebook_id = n.id "
            "JOIN submitted_assignment s ON n.assignment_id = s.id GROUP BY s.student_id"
        )
        with sqlite3.connect(folder / "gradebook.db") as connection:
            found = dict(connection.execute(query).fetchall())
        _check("nbgrader", found, exam, students)
    return Timed(students, took.wall, took.cpu, found)


def make_class(folder: Path, lesson: str, students: int) -> Exam:
    """Make the course with a release of the lesson, and the submissions."""
    from helpers.lessons import prepared_course

    from autograder import demo
    from autograder.release.build import build, write

    course = prepared_course(lesson, demo.make_course(folder))
    release = build(course, course.assignments[lesson])
    write(course, course.assignments[lesson], release)
    (notebook,) = release.notebooks
    for number in range(students):
        hand_in(course.submitted(f"student-{number:02}", lesson), notebook.exam, number)
    return notebook.exam


def hand_in(folder: Path, exam: Exam, number: int) -> None:
    """Write the solution, with a number in each answer."""
    import nbformat

    from autograder.release.build import write_texts
    from autograder.release.exam_construction import solution_notebook

    folder.mkdir(parents=True)
    write_texts(folder, {cell.file: f"{cell.source}\n# student {number}\n" for cell in exam.answer_files})
    notebook = solution_notebook(exam)
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and marks.get("solution"):
            cell.source += f"\n# student {number}"
    nbformat.write(notebook, folder / f"{exam.notebook}.ipynb")
    shutil.copyfile(ROOT / "kaggle_data.py", folder / "kaggle_data.py")


def _check(grader: str, found: dict[str, float], exam: Exam, students: int) -> None:
    from autograder.records.exam import Role

    most = sum(cell.points for cell in exam.cells if cell.role is Role.TEST)
    wrong = {student: score for student, score in found.items() if abs(score - most) > 1e-9}
    assert len(found) == students, f"{grader} graded {len(found)} of {students}"
    if wrong:
        said(f"{grader} gave {wrong}, not {most:g}")
    assert not wrong or grader == "nbgrader"


if __name__ == "__main__":
    main()
