"""The cost of otter's format: reading a source of 100 questions, and grading an assignment beside its nbgrader twin.

Reading makes an exam of the source without a kernel; its CPU time is measured. The twin is an
nbgrader source with the same cells, so both have the same questions, tests and submissions. Each round grades both
classes anew, in turns; the table has the medians of the whole command `autograder grade`, and how far the otter
assignment is from its twin.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from helpers.otter import block, code, config, notebook, question, text  # noqa: E402 - found by the line above
from measurement import machine, markdown, said, spent  # noqa: E402

from autograder.records.exam import Exam, Role  # noqa: E402

OTTER, TWIN = "hw", "hw-nbgrader"
YAML = "course: otter\nassignments:\n"


def source(questions: int) -> dict:
    """A source notebook with this many questions, of a visible and a hidden case each."""
    cells = [config("export_cell: false"), code("import numpy as np")]
    for number in range(questions):
        cells += question(
            f"name: q{number}\npoints: 2",
            text(f"Write `f{number}`."),
            block("solution", code(f"def f{number}(x):\n    return np.asarray(x) + {number} # SOLUTION")),
            block(
                "tests",
                code(f"f{number}([1, 2]).tolist()", str([1 + number, 2 + number])),
                code(f"# HIDDEN\nfloat(f{number}(0.5))", str(0.5 + number)),
            ),
        )
    return notebook(*cells)


def time_reading(questions: int, repeats: int) -> list[float]:
    """CPU seconds of making the exam of such a source, imports left out."""
    from autograder.course.nbgrader_config import read_nbgrader_config
    from autograder.extensions.otter.source_format import OTTER as OTTER_FORMAT
    from autograder.release import stripping
    from autograder.release.exam_construction import make_exam

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = stripping.nbformat.from_dict(source(questions))
        settings = read_nbgrader_config(root)
        alone, whole = [], []
        for _ in range(repeats + 1):  # the first one imports
            began = process_time()
            OTTER_FORMAT.convert(made, folder=root, file="nb.ipynb", label="nb")
            alone.append(process_time() - began)
            began = process_time()
            exam = make_exam(OTTER, "nb", stripping.convert(OTTER_FORMAT, made, root, root, "nb.ipynb", settings, "nb"))
            whole.append(process_time() - began)
        assert len(exam.questions) == questions
    return [median(alone[1:]), median(whole[1:])]


def twin(exam: Exam) -> dict:
    """An nbgrader source with the cells of an otter source's exam."""
    cells = []
    for cell in exam.cells:
        node = code(cell.source) if cell.cell_type == "code" else text(cell.source)
        if cell.role is Role.ANSWER:
            node["source"] = f"### BEGIN SOLUTION\n{cell.source}\n### END SOLUTION"
        elif cell.role is Role.TEST:
            node["source"] = f"### BEGIN HIDDEN TESTS\n{cell.source}\n### END HIDDEN TESTS"
        node["metadata"] = {name: value for name, value in cell.metadata.items() if name == "nbgrader"}
        cells.append(node)
    return notebook(*cells)


def make_class(root: Path, questions: int, students: int) -> None:
    """A course with an otter assignment and its twin, and the same answers handed in for both."""

    from autograder.course.configuration import load_course
    from autograder.release.build import build, notebook_text, solution_notebook, write

    (root / "source" / OTTER).mkdir(parents=True)
    (root / "source" / OTTER / "nb.ipynb").write_text(json.dumps(source(questions)))
    (root / "course.yaml").write_text(f"{YAML}  {OTTER}: {{}}\n")
    course = load_course(root)
    (root / "source" / TWIN).mkdir()
    exam = build(course, course.assignments[OTTER]).exams[0]
    (root / "source" / TWIN / "nb.ipynb").write_text(json.dumps(twin(exam)))
    (root / "course.yaml").write_text(f"{YAML}  {OTTER}: {{}}\n  {TWIN}: {{}}\n")
    course = load_course(root)
    for assignment in course.assignments.values():
        release = build(course, assignment)
        write(course, assignment, release)
        for number in range(students):
            folder = course.submitted(f"student-{number:03}", assignment.name)
            folder.mkdir(parents=True)
            answers = notebook_text(solution_notebook(release.exams[0]))
            (folder / "nb.ipynb").write_text(
                answers.replace("np.asarray(x)", f"np.asarray(x, float) * 1 + 0 * {number}")
            )


def time_grading(root: Path, rounds: int, workers: int) -> dict[str, list[float]]:
    """Seconds of `autograder grade` for both assignments, each round from nothing."""
    took: dict[str, list[float]] = {OTTER: [], TWIN: []}
    for number in range(rounds):
        for name in (OTTER, TWIN) if number % 2 else (TWIN, OTTER):
            for made in (root / "autograded", root / ".autograder", root / "gradebook.db"):
                shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)
            command = [sys.executable, "-m", "autograder", "grade", name, "--course", root, "--workers", str(workers)]
            took[name].append(spent(command, cwd=ROOT).wall)
    return took


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--questions", type=int, default=100, metavar="N", help="of the source that is read (100)")
    options.add_argument("--students", type=int, default=20, metavar="N", help="of the class that is graded (20)")
    options.add_argument("--rounds", type=int, default=5, metavar="N", help="of grading (5)")
    options.add_argument("--workers", type=int, default=2, metavar="N", help="submissions at a time (2)")
    options.add_argument("--read-only", action="store_true", help="time the reading alone: no sandbox, seconds")
    given = options.parse_args()
    print(machine("nbgrader", "numpy"), end="\n\n")
    convert, whole = time_reading(given.questions, 5)
    rows = [["otter's notebook from the source", f"{1_000 * convert:.0f} ms"]]
    rows.append(["with nbgrader's checksums and checks, and the exam", f"{1_000 * whole:.0f} ms"])
    print(markdown([f"A source of {given.questions} questions", "median, CPU"], rows))
    if given.read_only:
        return
    with tempfile.TemporaryDirectory(prefix="otter-") as folder:
        make_class(Path(folder), 10, given.students)
        said(f"grading {given.students} submissions of 10 questions, {given.rounds} times in each format")
        took = {name: median(times) for name, times in time_grading(Path(folder), given.rounds, given.workers).items()}
    rows = [["otter", f"{took[OTTER]:.2f} s", f"{100 * (took[OTTER] / took[TWIN] - 1):+.1f} %"]]
    rows.append(["its nbgrader twin", f"{took[TWIN]:.2f} s", ""])
    print("\n" + markdown([f"`autograder grade`, {given.students} submissions", "median", "difference"], rows))


if __name__ == "__main__":
    main()
