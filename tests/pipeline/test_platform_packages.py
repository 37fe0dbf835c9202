"""Packages for PrairieLearn and Artemis, from the command to the results: as root of a container without namespaces."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from helpers import platform_images
from helpers.pipeline import ASSIGNMENT, HIDDEN_INPUT, Student, hand_in, make_course, release
from helpers.platform_images import Ended, Image

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.extensions.platforms import conclusion, student_texts
from autograder.extensions.platforms.platform_table import ARTEMIS, PRAIRIELEARN
from autograder.records.course import Course

pytestmark = [pytest.mark.sandbox, pytest.mark.integration]

CANARY = "canary-5092"
LOOK = """
import glob
seen = []
for path in (*glob.glob("/var/tmp/autograder-*/**", recursive=True), *glob.glob("/var/tmp/work-*/**", recursive=True)):
    try:
        open(path, "rb").read(1)
        seen.append(path)
    except OSError:
        pass
squares = 0 if seen else [n * n for n in range(5)]
"""
WRONG = {"mean": "def mean(values):\n    return 2", "line": "line = np.zeros(2)", "squares": LOOK}
"""Two wrong answers, and a third that is right if it finds no file of the platform's."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("platforms")
    make_course(root, test=CANARY, solution="", data=CANARY)
    made = load_course(root)
    release(made, proof=False)
    return made


def packed(course: Course, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def prairielearn(course: Course) -> Iterator[Image]:
    said = packed(course, "prairielearn", ASSIGNMENT, "--image", "registry.example/dl:1")
    assert "5 questions, 10 points, 1 hidden files; graded in the sandbox `user`" in said
    image = platform_images.built(course.root / f"{ASSIGNMENT}-prairielearn", PRAIRIELEARN)
    yield image
    shutil.rmtree(image.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def artemis(course: Course) -> Iterator[Image]:
    said = packed(course, "artemis", ASSIGNMENT, "--timeout", "600")
    assert "bash ./run_autograder, with the results results/results.xml" in said
    image = platform_images.built(course.root / f"{ASSIGNMENT}-artemis", ARTEMIS)
    yield image
    shutil.rmtree(image.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def notebook(course: Course) -> Callable[[dict[str, str]], bytes]:
    """A student's notebook, by what they answer."""

    def content_of(answers: dict[str, str]) -> bytes:
        content = hand_in(course, "somebody", Student(answers, {})).read_bytes()
        shutil.rmtree(course.root / "submitted/somebody")
        return content

    return content_of


@pytest.fixture(scope="module")
def wrong_question(prairielearn: Image, notebook) -> Ended:
    return prairielearn.run({"numbers.ipynb": notebook(WRONG)})


@pytest.fixture(scope="module")
def wrong_exercise(artemis: Image, notebook) -> Ended:
    return artemis.run({"numbers.ipynb": notebook(WRONG)})


def verdicts(ended: Ended) -> dict[str, str]:
    """Test → "" if it passed, else its message."""
    suite = ET.fromstring(ended.text_of_results)
    failures = {case.get("name", ""): case.find("failure") for case in suite.iter("testcase")}
    return {name: "" if failure is None else failure.get("message", "") for name, failure in failures.items()}


# --- PrairieLearn ------------------------------------------------------------------------------------


def test_a_question_has_what_the_platform_needs_and_the_image_nothing_secret(
    course: Course, prairielearn: Image
) -> None:
    folder = course.root / f"{ASSIGNMENT}-prairielearn"
    info = json.loads((folder / "question/info.json").read_text())
    assert info["externalGradingOptions"] == {
        "image": "registry.example/dl:1",
        "entrypoint": "/grade/tests/run_autograder",
        "timeout": 600,
        "environment": {"TIMEOUT_SECONDS": "600"},
    }
    assert {path.name for path in (folder / "question/clientFilesQuestion").iterdir()} >= {"numbers.ipynb", "words.txt"}
    assert 'file-patterns="*.ipynb"' in (folder / "question/question.html").read_text()
    assert {path.suffix or path.name for path in (folder / "image").iterdir()} == {
        ".sh",
        ".txt",
        ".whl",
        "Containerfile",
    }
    assert not any(CANARY.encode() in path.read_bytes() for path in (folder / "image").iterdir())
    assert folder.stat().st_mode & 0o077 == 0


def test_the_same_assignment_is_the_same_question(course: Course, prairielearn: Image) -> None:
    """Its id stays, and the folder is replaced; a folder with something else stays."""
    folder = course.root / f"{ASSIGNMENT}-prairielearn"
    before = (folder / "question/info.json").read_text()
    packed(course, "prairielearn", ASSIGNMENT, "--image", "registry.example/dl:1")
    assert (folder / "question/info.json").read_text() == before
    other = course.root / "other"
    other.mkdir()
    (other / "mine").write_text("x")
    words = ["prairielearn", ASSIGNMENT, "--image", "x", "--course", str(course.root), "--output", str(other)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "holds something else than a package" in done.stderr
    assert [path.name for path in other.iterdir()] == ["mine"]


@pytest.mark.slow
def test_an_honest_notebook_gets_all_that_prairielearn_has(prairielearn: Image, notebook) -> None:
    honest = prairielearn.run({"mine.ipynb": notebook({})})
    assert (honest.status, honest.results["score"], honest.results["gradable"]) == (0, 1.0, True)


def test_prairielearn_gets_the_share_of_the_points_and_a_test_for_each_question(wrong_question: Ended) -> None:
    wrong = wrong_question
    assert (wrong.status, wrong.results["score"], wrong.results["gradable"]) == (0, 3 / 8, True)
    assert wrong.results["message"].startswith(f"{student_texts.WEAKER.capitalize()} (user, ")
    points = {test["name"]: (test["points"], test["max_points"]) for test in wrong.results["tests"]}
    assert points == {
        "test-mean": (0.0, 2.0), "test-squares": (1.0, 1.0), "test-line": (0.0, 3.0), "test-rescale": (2.0, 2.0),
        "essay": (0.0, 0.0),
    }  # fmt: skip
    assert CANARY not in wrong.text
    assert str(HIDDEN_INPUT) not in wrong.text


def test_prairielearn_counts_no_attempt_where_the_kit_failed_or_there_is_no_notebook(
    prairielearn: Image, notebook, tmp_path: Path
) -> None:
    damaged = Image(tmp_path, PRAIRIELEARN)
    shutil.copytree(prairielearn.source, damaged.source)
    (tmp_path / "notebook").symlink_to(prairielearn.folder / "notebook")
    (damaged.source / "exam").write_bytes((damaged.source / "exam").read_bytes()[:-1])
    failed = damaged.run({"numbers.ipynb": notebook({})})
    empty = prairielearn.run({"numbers.py": "print(1)"})
    assert failed.results == {"gradable": False, "format_errors": [conclusion.NOT_GRADED]}
    assert empty.results["format_errors"] == ["There is no notebook in this submission. Hand in numbers.ipynb."]
    assert (failed.status, empty.status, "score" in empty.results) == (
        0,
        0,
        False,
    )  # another status would hide the words
    assert "not a parcel of this version of the kit" in failed.stdout  # for staff


# --- Artemis -----------------------------------------------------------------------------------------


def test_an_exercise_has_its_three_repositories(course: Course, artemis: Image) -> None:
    folder = course.root / f"{ASSIGNMENT}-artemis"
    template, solution = (
        json.loads((folder / f"{name}/numbers.ipynb").read_text()) for name in ("template", "solution")
    )
    assert (folder / "template/words.txt").read_text() == (folder / "solution/words.txt").read_text()
    assert "sum(values)" not in json.dumps(template)
    assert "sum(values)" in json.dumps(solution)
    assert {path.name for path in (folder / "tests").iterdir()} == {
        "run_autograder", "exam", "settings.json", "provisional",
    }  # fmt: skip


@pytest.mark.slow
def test_the_solutions_build_registers_all_tests_with_artemis(
    artemis: Image, course: Course, wrong_exercise: Ended
) -> None:
    solution = artemis.run(
        {"numbers.ipynb": (course.root / f"{ASSIGNMENT}-artemis/solution/numbers.ipynb").read_bytes()}
    )
    assert set(verdicts(solution).values()) == {""}
    assert list(verdicts(solution)) == list(verdicts(wrong_exercise))


def test_artemis_gets_equal_tests_that_add_up_to_the_points(wrong_exercise: Ended) -> None:
    wrong = wrong_exercise
    assert len(verdicts(wrong)) == 8 / 0.5
    assert sum(not message for message in verdicts(wrong).values()) * 0.5 == 3.0
    first = verdicts(wrong)["test-mean (1 of 4)"]
    assert student_texts.WEAKER.capitalize() in first
    assert verdicts(wrong)["test-mean (2 of 4)"] == "See test-mean (1 of 4)."
    assert CANARY not in wrong.text_of_results
    assert str(HIDDEN_INPUT) not in wrong.text_of_results


def test_artemis_gets_no_results_where_there_is_no_grade_and_the_log_says_why(
    artemis: Image, notebook, tmp_path: Path
) -> None:
    """Students read the log of a failed build: it has no detail."""
    damaged = Image(tmp_path, ARTEMIS)
    shutil.copytree(artemis.source, damaged.source)
    (tmp_path / "notebook").symlink_to(artemis.folder / "notebook")
    (damaged.source / "exam").write_bytes((damaged.source / "exam").read_bytes()[:-1])
    failed = damaged.run({"numbers.ipynb": notebook({})})
    empty = artemis.run({"numbers.py": "print(1)"})
    assert (failed.status, failed.text_of_results, failed.stdout) == (1, "", f"{conclusion.NOT_GRADED}\n")
    assert empty.stdout == "There is no notebook in this submission. Hand in numbers.ipynb.\n"
    assert (empty.status, empty.text_of_results) == (1, "")


def test_results_of_an_earlier_run_or_of_the_student_are_none(artemis: Image) -> None:
    with artemis.container({"numbers.py": "x"}) as (root, process):
        (root / "results").mkdir(exist_ok=True)
        (root / "results/results.xml").write_text("<testsuite/>")
        process.communicate(timeout=platform_images.SECONDS)
        assert not (root / "results/results.xml").exists()


# --- both --------------------------------------------------------------------------------------------


def test_no_file_of_prairielearns_is_open_to_students(wrong_question: Ended) -> None:
    (squares,) = [test for test in wrong_question.results["tests"] if test["name"] == "test-squares"]
    assert squares["points"] == 1.0


def test_no_file_of_artemis_is_open_to_students(wrong_exercise: Ended) -> None:
    """Not even the copy of the test repository that it leaves beside its working folder."""
    assert verdicts(wrong_exercise)["test-squares (1 of 2)"] == ""


def test_steps_that_do_not_fit_the_points_are_refused(course: Course) -> None:
    done = CliRunner().invoke(main, ["artemis", ASSIGNMENT, "--step", "0.75", "--course", str(course.root)])
    assert done.exit_code == 1
    assert "no multiple of 0.75; 1 fits: --step 1" in done.stderr
