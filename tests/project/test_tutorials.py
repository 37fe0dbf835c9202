"""The tutorials, done: every file that a page shows is made, and every command is called."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.doc_blocks import blocks, commands

from autograder._util.notebook import read_source_notebook
from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.records.exam import Role
from autograder.release.build import build
from autograder.release.stripping import strip

ROOT = Path(__file__).resolve().parents[2]
FIRST_COURSE = ROOT / "docs/tutorial/your-first-course.md"
FIRST_KERAS_ASSIGNMENT = ROOT / "docs/tutorial/first-keras-assignment.md"


def in_a_process(words: list[str]) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def in_this_process(words: list[str]) -> tuple[int, str]:
    """Run a command of the kit's without the second that a new Python takes to import it; others in a process."""
    if words[0] != "autograder":
        return in_a_process(words)
    done = CliRunner().invoke(main, words[1:], prog_name="autograder")
    return done.exit_code, done.output


def follow(page: Path, root: Path, run: Callable[[list[str]], tuple[int, str]] = in_this_process) -> dict[str, str]:
    """Do all steps of a tutorial in a folder, and return what each command printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        patch.setenv("COLUMNS", "120")
        patch.chdir(root)
        return _followed(page, root, run)


def _followed(page: Path, root: Path, run: Callable[[list[str]], tuple[int, str]]) -> dict[str, str]:
    printed: dict[str, str] = {}
    for block in blocks(page):
        if block.file:
            (root / block.file).write_text(block.text)
        if block.language != "console":
            continue
        for words in commands(block):
            code, said = run(words)
            assert code == 0, f"{shlex.join(words)}\n{said}"
            printed[shlex.join(words)] = printed.get(shlex.join(words), "") + said
    return printed


def promised_scores(page: Path) -> dict[str, tuple[str, str]]:
    """Score and maximum of each student, in the table that the page shows after grading."""
    table = next(block.text for block in blocks(page, "text") if block.text.startswith("student"))
    return {m[1]: (m[2], m[3]) for m in re.finditer(r"^(\w+) +(\d+) / (\d+)", table, re.M)}


def scores(root: Path) -> dict[str, tuple[str, str]]:
    with (root / "grades.csv").open() as file:
        return {row["student"]: (row["score"], row["max_score"]) for row in csv.DictReader(file)}


# --- what students get -------------------------------------------------------------------------------

MAKERS = [
    (FIRST_COURSE, ["-m", "autograder", "init", "--numpy"]),
    (FIRST_KERAS_ASSIGNMENT, ["make_notebook.py"]),
]


def sentences(text: str) -> list[str]:
    return [sentence for line in text.split("\n") for sentence in re.split(r"(?<=[.?!])\s+", line.strip()) if sentence]


@pytest.mark.integration
@pytest.mark.parametrize(("page", "words"), MAKERS, ids=["first-course", "first-keras-assignment"])
def test_every_sentence_of_a_task_is_in_the_release_of_a_tutorial(page: Path, words: list[str], tmp_path: Path) -> None:
    """Also each cell keeps its id when it is made again, so that recordings fit and nothing is executed."""
    made = []
    for root in (tmp_path / "one", tmp_path / "two"):
        root.mkdir()
        for block in blocks(page):
            if block.file:
                (root / block.file).write_text(block.text)
        subprocess.run([sys.executable, *words], cwd=root, check=True, timeout=60)
        made += [path.read_text() for path in root.glob("source/*/*.ipynb")]
    assert made[0] == made[1]
    course = load_course(tmp_path / "one")
    (release,) = [build(course, assignment) for assignment in course.assignments.values()]
    assert release.warnings == ()
    (notebook,) = release.notebooks
    student = "\n".join(cell.source for cell in notebook.released.cells)
    tasks = [
        cell.source for cell in notebook.exam.cells if cell.cell_type == "markdown" and cell.role is not Role.MANUAL
    ]
    asked = [sentence for task in tasks for sentence in sentences(task)]
    assert len(asked) >= 3
    assert [sentence for sentence in asked if sentence not in student] == []


@pytest.mark.parametrize("path", sorted((ROOT / "source").glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_the_lessons_lose_no_written_question(path: Path) -> None:
    config = read_nbgrader_config(ROOT)
    source = read_source_notebook(path, name=path.name)
    assert strip(source, root=ROOT, folder=path.parent, config=config, label=path.name).warnings == ()


# --- the first course --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first_course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The course folder after all of the tutorial's steps, and what each command printed."""
    root = tmp_path_factory.mktemp("first-course")
    return root, follow(FIRST_COURSE, root)


@pytest.mark.sandbox
def test_the_first_tutorial_says_what_a_reader_sees(first_course: tuple[Path, dict[str, str]]) -> None:
    _, printed = first_course
    assert "This machine can grade." in printed["autograder doctor"]
    assert "(6 points; proved" in printed["autograder release hw1"]
    assert (
        "not yet   standardize, why"
        in printed["autograder submit desk/cy/hw1.ipynb --student cy --release release/hw1 --out inbox"]
    )
    assert "3 of 3 have a current grade." in printed["autograder grade hw1"]


@pytest.mark.sandbox
def test_the_first_tutorial_gives_the_scores_of_its_table(first_course: tuple[Path, dict[str, str]]) -> None:
    root, _ = first_course
    promised = promised_scores(FIRST_COURSE)
    assert scores(root) == promised == {"ada": ("4", "6"), "bo": ("1", "6"), "cy": ("0", "6")}


@pytest.mark.sandbox
def test_the_first_tutorial_makes_the_files_of_its_table(first_course: tuple[Path, dict[str, str]]) -> None:
    root, _ = first_course
    section = FIRST_COURSE.read_text(encoding="utf-8").split("## 7")[1]
    files = re.findall(r"^\| `([^`]+)`", section, re.M)
    assert len(files) == 6
    for name in files:
        assert (root / name.replace("<student>", "ada")).is_file(), name


@pytest.mark.sandbox
@pytest.mark.slow
def test_nbgraders_feedback_takes_nothing_of_the_examiners_along(first_course: tuple[Path, dict[str, str]]) -> None:
    """With the line for nbgrader_config.py that the documentation gives."""
    root, _ = first_course
    page = ROOT / "docs/how-to/hold-back-data.md"
    line = next(b.text for b in blocks(page, "python") if "CourseDirectory.ignore" in b.text)
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{line}")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_feedback", "hw1", "--student", "ada", "--force"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    names = {p.name for p in (root / "feedback/ada/hw1").iterdir()}
    assert "hw1.html" in names
    assert "result.json" not in names
    assert (root / "autograded/ada/hw1/result.json").is_file()


def test_the_kits_own_course_has_that_line_too() -> None:
    page = ROOT / "docs/how-to/hold-back-data.md"
    line = next(b.text for b in blocks(page, "python") if "CourseDirectory.ignore" in b.text)
    assert line.strip() in (ROOT / "nbgrader_config.py").read_text()
    assert read_nbgrader_config(ROOT) is not None


# --- the first Keras assignment ----------------------------------------------------------------------


def test_the_keras_notebook_is_short_enough_to_copy() -> None:
    (script,) = [block for block in blocks(FIRST_KERAS_ASSIGNMENT) if block.file == "make_notebook.py"]
    assert len(script.text.splitlines()) <= 40


@pytest.mark.sandbox
@pytest.mark.keras
@pytest.mark.slow
def test_the_keras_tutorial_grades_the_class_of_its_table(tmp_path: Path) -> None:
    printed = follow(FIRST_KERAS_ASSIGNMENT, tmp_path, in_a_process)
    assert "(6 points; proved" in printed["autograder release circle"]
    promised = promised_scores(FIRST_KERAS_ASSIGNMENT)
    assert scores(tmp_path) == promised == {"ada": ("6", "6"), "bo": ("2", "6"), "cy": ("5", "6")}
    assert (tmp_path / "feedback/ada/circle/circle.html").is_file()
