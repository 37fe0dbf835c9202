"""Before a release: the instructor's own solution gets full marks, the unchanged notebook none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from helpers.kernels import InProcessKernel
from helpers.tiny import SOLUTION, TEST, Here, cell, grade_here, notebook, tiny_course, tiny_release

from autograder import check
from autograder.coordinator import submission_grading, weak_answers
from autograder.coordinator.proof import proof_folder, prove
from autograder.coordinator.proof_reasons import reason_of, was_stopped, with_remedy
from autograder.errors import HostError, ProofError, SandboxError
from autograder.exchange import result_json
from autograder.exchange.work import Work
from autograder.records.checks import ASKS_PROBABILITIES, Outcome
from autograder.records.course import Course
from autograder.records.failures import Failure, FailureKind
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.run import CellRun


def graded_as(
    work: Work, changes: Mapping[str, Any] = MappingProxyType({}), failures: tuple[Failure, ...] = ()
) -> Grade:
    """Grade a submission in this process, and write other figures, or other failures, into its result."""
    grade = grade_here(work)
    (book,) = grade.notebooks
    questions = tuple(replace(question, failures=failures or question.failures) for question in book.questions)
    changed = replace(grade, notebooks=(replace(book, questions=questions, **changes),))
    result_json.write(work.target / result_json.NAME, result_json.public(changed))
    result_json.write(work.details, changed)
    return changed


def proved(course: Course) -> None:
    prove(course, tiny_release(course), execute=Here())


def test_a_source_that_proves_itself_leaves_only_the_two_runs(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    proved(course)
    folder = proof_folder(course, "hw")
    assert sorted(p.name for p in folder.iterdir()) == ["solution", "unchanged"]
    assert (folder / "solution/autograded/result.json").is_file()
    for name in ("release", "autograded", "gradebook.db", "submitted"):
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("solution", "test", "words"),
    [
        (
            SOLUTION.replace("2 * x", "3 * x"),
            TEST,
            r"nb, test-double: the solution gets 0 of 2 points \(.*AssertionError",
        ),
        (
            SOLUTION,
            "assert True",
            r"nb, test-double: the unchanged release gets 2 of 2 points; let the test need the student's work, or tag",
        ),
        (
            "raise ValueError('oh')\n" + SOLUTION,
            TEST,
            r"nb: the solution does not run to its end: cell 1 \('double'\) raises ValueError: oh",
        ),
        (SOLUTION, "assert doubble(1) == 2", r"the solution gets 0 of 2 points \(.*doubble"),
        (
            SOLUTION,
            "points = 1\npoints",
            r"the solution gets 1 of 2 points \(.*the number at the test's end is the score",
        ),
    ],
)
def test_a_source_that_does_not_prove_itself_is_an_error_that_names_the_question(
    tmp_path: Path, solution: str, test: str, words: str
) -> None:
    with pytest.raises(ProofError, match=words) as caught:
        proved(tiny_course(tmp_path, solution=solution, test=test))
    assert str(caught.value).startswith("hw does not prove itself:\n  - ")


def test_a_file_that_is_missing_is_told_with_the_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(
        ProofError, match=r"rows.csv.*; notebooks run with what is released: put the file into source/hw/"
    ):
        proved(tiny_course(tmp_path, solution="open('../rows.csv')\n" + SOLUTION))


def test_an_answer_that_was_never_marked_is_named(tmp_path: Path) -> None:
    """Students get it as it is, so the unchanged release has the points."""
    course = tiny_course(tmp_path)
    graded = cell(TEST, "test-double", grade=True, locked=True, points=2)
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell("def double(x):\n    return 2 * x"), graded))
    with pytest.raises(ProofError, match="`double` comes from cell 1, which students get as it is: mark it as an auto"):
        proved(course)


def test_what_follows_from_a_solution_that_stops_is_told_with_it(tmp_path: Path) -> None:
    with pytest.raises(ProofError) as caught:
        proved(tiny_course(tmp_path, solution="raise ValueError('oh.')\ndef double(x): return 2 * x"))
    lines = str(caught.value).splitlines()
    stopped = "the solution does not run to its end: cell 1 ('double') raises ValueError: oh"
    assert lines[1:-1] == [f"  - nb: {stopped}; it costs test-double"]


# --- cells that raise, as courses have them ----------------------------------------------------------

RAISING = (
    ("1 / 0  # what happens here?", "ZeroDivisionError: division by zero"),
    ("numbers = [1, 2, 3]\nnumbers[7]", "IndexError: list index out of range"),
    ("Now write a function that doubles its argument.", "SyntaxError: invalid syntax"),
    ("print(old_name)", "NameError: name 'old_name' is not defined"),
    ("return 3", "SyntaxError: 'return' outside function"),
    (
        "raise OSError('[Errno -2] Name or service not known')",
        "OSError: there is no network when the notebook is graded",
    ),
    ("nonlocal x", "SyntaxError: nonlocal declaration not allowed at module level"),
)


def course_of(tmp_path: Path, *cells: dict[str, Any]) -> Course:
    """The tiny course with these cells before its answer and its test."""
    course = tiny_course(tmp_path)
    graded = cell(TEST, "test-double", grade=True, locked=True, points=2)
    text = notebook(*cells, cell(SOLUTION, "double", solution=True), graded)
    (course.source("hw") / "nb.ipynb").write_text(text)
    return course


@pytest.mark.parametrize(("source", "error"), RAISING)
def test_a_cell_that_raises_is_a_warning_where_no_question_needs_it(tmp_path: Path, source: str, error: str) -> None:
    course = course_of(tmp_path, cell(source), cell(source, "shown", locked=True))
    first, second = prove(course, tiny_release(course), execute=Here()).warnings
    assert first.startswith(f"nb: cell 1 raises {error}")
    assert second.startswith(f"nb: cell 2 ('shown') raises {error}")
    assert "no question loses points by it" in first
    assert "tag the cell 'raises-exception'" in first


def test_an_answer_that_raises_after_what_its_test_needs_is_a_warning(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, solution=SOLUTION + "\nraise ValueError('oh')")
    (said,) = prove(course, tiny_release(course), execute=Here()).warnings
    assert said.startswith("nb: cell 1 ('double') raises ValueError: oh; no question loses points by it")


@pytest.mark.parametrize("locked", [False, True])
def test_the_tag_of_jupyter_silences_the_warning(tmp_path: Path, locked: bool) -> None:
    shown = cell("1 / 0", "shown", locked=True) if locked else cell("1 / 0")
    shown["metadata"]["tags"] = ["raises-exception"]
    course = course_of(tmp_path, shown)
    assert prove(course, tiny_release(course), execute=Here()).warnings == ()


def test_a_question_that_loses_points_by_a_cell_that_raises_refuses_the_release(tmp_path: Path) -> None:
    course = course_of(tmp_path, cell("import math\n1 / 0\nfactor = 2"))
    (course.source("hw") / "nb.ipynb").write_text(
        notebook(
            cell("1 / 0\nfactor = 2", "given", locked=True),
            cell("### BEGIN SOLUTION\ndef double(x): return factor * x\n### END SOLUTION", "double", solution=True),
            cell("assert double(2) == 4", "test-double", grade=True, locked=True, points=2),
        )
    )
    with pytest.raises(ProofError) as caught:
        prove(course, tiny_release(course), execute=Here())
    assert "the solution does not run to its end: cell 1 ('given') raises ZeroDivisionError" in str(caught.value)


class Stopping(InProcessKernel):
    """A kernel that stops cells which look as if they had no end."""

    def run(self, source: str, seconds: float) -> CellRun:
        return CellRun("timed_out") if "while True" in source else super().run(source, seconds)


def test_a_cell_that_is_stopped_is_a_warning_where_no_question_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.tiny.start_kernel", lambda work: Stopping())
    course = course_of(tmp_path, cell("while True: pass"))
    (said,) = prove(course, tiny_release(course), execute=Here()).warnings
    assert said.startswith("nb: cell 1 runs longer than 20 s and is stopped; no question loses points by it")


def test_a_cell_runs_to_its_limit_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its further runs are short, and have all that it binds before the part without end."""
    given: list[float] = []

    class Noting(Stopping):
        def run(self, source: str, seconds: float) -> CellRun:
            if "while True" in source:
                given.append(seconds)
            return super().run(source, seconds)

    monkeypatch.setattr("helpers.tiny.start_kernel", lambda work: Noting())
    course = course_of(tmp_path, cell("while True: pass"))
    prove(course, tiny_release(course), execute=Here())
    assert given[0] == 20
    assert len(given) > 3
    assert max(given[1:]) <= 5


def test_a_question_that_loses_points_by_a_cell_that_is_stopped_refuses_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.tiny.start_kernel", lambda work: Stopping())
    with pytest.raises(
        ProofError, match=r"to its end: cell 1 \('double'\) runs longer than 20 s and is stopped"
    ) as caught:
        proved(tiny_course(tmp_path, solution=SOLUTION + "\nwhile True: pass"))
    assert "let the solution need less, or raise cell_seconds or notebook_seconds" in str(caught.value)


@pytest.mark.parametrize(("tagged", "status"), [(False, "cell_error"), (True, "completed")])
def test_the_students_are_graded_beyond_a_cell_that_raises(tmp_path: Path, tagged: bool, status: str) -> None:
    shown = cell("1 / 0", "shown", locked=True)
    shown["metadata"]["tags"] = ["raises-exception"] if tagged else []
    course = course_of(tmp_path, shown, cell("print(old_name)" if not tagged else ""))
    prove(course, tiny_release(course), execute=Here())
    grade = result_json.read(proof_folder(course, "hw") / "solution/autograded/result.json")
    assert (grade.score, grade.status) == (2, status)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("n = 3\nassert double(n) == 7", "(line 2: assert double(n) == 7: AssertionError; double(n) is 6; n is 3)"),
        ("assert double(1) == 2\nprint(double(1) / 0)", "(line 2: print(double(1) / 0): ZeroDivisionError: division by zero)"),
        ("assert double(2) == 5\nassert double(2) == 6", "(line 1: assert double(2) == 5: AssertionError; double(2) is 4)"),
        (
            "try:\n    double(None)\nexcept TypeError:\n    assert double(1) == 3",
            "(line 4: assert double(1) == 3: AssertionError; double(1) is 2; after line 2: double(None): TypeError: ",
        ),
        (
            "try:\n    assert double(1) == 3\nexcept AssertionError as e:\n    raise ValueError('no') from e",
            "(line 4: raise ValueError('no') from e: ValueError: no; after line 2: assert double(1) == 3: AssertionError",
        ),
        (
            "from autograder import check\ncheck.hidden_data('none.npz')",
            "(line 2: check.hidden_data('none.npz'): check.hidden_data: there is no 'none.npz' in ",
        ),
        (
            "import sqlite3\n### BEGIN HIDDEN TESTS\n"
            "sqlite3.connect(':memory:').execute('ATTACH \"x.db\" AS x')\n### END HIDDEN TESTS",
            "ATTACH x.db is refused in SQL: it may be the student's",
        ),
    ],
)  # fmt: skip
def test_the_line_of_the_test_and_what_it_compared_are_told(tmp_path: Path, test: str, words: str) -> None:
    with pytest.raises(ProofError) as caught:
        proved(tiny_course(tmp_path, test=test))
    assert words in str(caught.value)
    assert str(caught.value).endswith("Both runs, with all details: .autograder/proof/hw/")


def test_both_faults_are_named_at_once(tmp_path: Path) -> None:
    test = "try:\n    good = double(2) == 5\nexcept Exception:\n    good = True\nassert good"
    with pytest.raises(ProofError) as caught:
        proved(tiny_course(tmp_path, test=test))
    assert "the solution gets 0" in str(caught.value)
    assert "the unchanged release gets 2" in str(caught.value)


def test_points_that_are_meant_to_be_given_are_tagged(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    graded = cell("assert True", "test-double", grade=True, locked=True, points=2)
    graded["metadata"]["tags"] = ["given"]
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(SOLUTION, "double", solution=True), graded))
    proved(course)


def test_a_machine_that_cannot_grade_proves_nothing(tmp_path: Path) -> None:
    def fail(work: submission_grading.Work) -> object:
        raise SandboxError("no namespaces")

    course = tiny_course(tmp_path)
    with pytest.raises(HostError, match="hw cannot be proved: no namespaces"):
        prove(course, tiny_release(course), execute=Here(fail))  # type: ignore[arg-type]


def test_an_earlier_proof_counts_for_nothing(tmp_path: Path) -> None:
    proved(tiny_course(tmp_path))
    with pytest.raises(ProofError):
        proved(tiny_course(tmp_path, solution=SOLUTION.replace("2 * x", "3 * x")))


def test_a_test_without_points_that_the_solution_fails_is_named(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    tests = [cell(source, name, grade=True, locked=True, points=worth) for source, name, worth in (
        (TEST, "test-double", 2), ("assert double(1) == 3", "smoke", 0), ("assert double(1) == 2", "fine", 0))]  # fmt: skip
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(SOLUTION, "double", solution=True), *tests))
    (said,) = prove(course, tiny_release(course), execute=Here()).warnings
    assert said.startswith(
        "nb, smoke: the solution fails this test, which has no points (line 1: assert double(1) == 3"
    )


def test_a_test_that_finds_objects_as_they_are_at_the_end_is_named_with_what_to_do(tmp_path: Path) -> None:
    reason = "tensorflow runs threads, and a copy of the process would not have them"

    def at_the_end(work: Work) -> Grade:
        return graded_as(work, failures=(Failure(0, "", (reason,), FailureKind.AT_END),))

    course = tiny_course(tmp_path)
    (said,) = prove(course, tiny_release(course), execute=Here(at_the_end)).warnings
    assert said.startswith(
        f"nb, test-double: it finds objects as they are at the end of the notebook, because {reason}"
    )
    assert said.endswith("let that cell work on a copy, or under another name")


# --- weak answers ------------------------------------------------------------------------------------

WEAK = [
    ("def double(x):\n    return 2 * x", "assert double(0) == 0", "its input, 0 or zeros of the right shape"),
    ("def double(x):\n    return 2 * x", "assert double(21) == 42", ""),
    (
        "def double(x):\n    return 2 * x",
        "double(21)\nassert callable(double)",
        "its input, None, 0 or zeros of the right shape",
    ),
    (
        "def double(x):\n    'Doc.'\n    x.append(0)",
        "x = []\ndouble(x)\nassert double.__doc__",
        "its input, None or 0",
    ),
    (
        "def double(x, *more, y=1, **z):\n    return [2 * x]",
        "assert len(double(3, 4, y=2, w=5)) == 1",
        "zeros of the right shape",
    ),
    ("def double(x):\n    return 1 if x < 1 else double(x - 1)", "assert double(3) == 1", ""),
    ("def double(x):\n    return x", "assert double(3) == 3", ""),
    (
        "def double(x):\n    def twice():\n        return 2\n    x.append(twice())",
        "x = []\ndouble(x)\nassert x == [2]",
        "",
    ),
    (
        "def double(x):\n    x.append(2)\n    return 2",
        "class check:\n    def training_step(step):\n        x = []\n        step(x)\n        assert x == [2]\n"
        "check.training_step(double)",
        "",
    ),
    ("def double(x):\n    yield x", "assert list(double(3)) == [3]", ""),
    ("double = 3", "assert double == 3", ""),
]


@pytest.mark.parametrize(("solution", "test", "results"), WEAK)
def test_a_test_that_gives_full_marks_to_an_answer_that_does_nothing_is_named(
    solution: str, test: str, results: str, tmp_path: Path
) -> None:
    course = tiny_course(tmp_path, solution=f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION", test=test)
    said = prove(course, tiny_release(course), execute=Here()).warnings
    todo = "let a test call it with something for which that is wrong"
    named = f"nb, test-double: an answer whose double() only returns {results} gets full marks; {todo}"
    assert list(said) == ([named] if results else [])
    assert sorted(p.name for p in proof_folder(course, "hw").iterdir()) == ["solution", "unchanged"]


def test_one_of_several_tests_is_enough_to_notice(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    tests = [cell(source, name, grade=True, locked=True, points=1) for source, name in (
        ("assert double(0) == 0", "kind"), (TEST, "value"))]  # fmt: skip
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(SOLUTION, "double", solution=True), *tests))
    assert prove(course, tiny_release(course), execute=Here()).warnings == ()


# --- the right answer in another sequence ------------------------------------------------------------

HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
PAIR = "def double(x):\n    return [x, 2 * x]"
LATER = "\ndef double_all(x):\n    return double(x) * 2\ntotal = double(3).sum()"
OTHER_SEQUENCE = [
    (
        "import numpy as np\ndef double(x):\n    return np.array([x])" + LATER,
        "",
        HIDDEN.format("assert double(2).shape == (1,)"),
        "a list in place of an array",
    ),
    (PAIR, "", HIDDEN.format("assert double(2) == [2, 4]"), "a tuple in place of a list"),
    (PAIR, "", HIDDEN.format("check.function(double, [(2, [2, 4])])"), "a tuple in place of a list"),
    (
        "def double(x):\n    return tuple([x, 2 * x])",
        "",
        HIDDEN.format("assert double(2) == (2, 4)"),
        "a list in place of",
    ),
    (
        "import numpy as np\ndef double(x):\n    return np.array([x])",
        "",
        HIDDEN.format("assert double(2).shape == (1,)"),
        "a list in place of an array",
    ),
    (PAIR, "", HIDDEN.format("assert list(double(2)) == [2, 4]"), ""),
    (PAIR, "", "assert double(1) == [1, 2]\n" + HIDDEN.format("assert double(2) == [2, 4]"), ""),
    (PAIR, "Return a list.", HIDDEN.format("assert double(2) == [2, 4]"), ""),
    ("def double(x):\n    return x, 2 * x", "", HIDDEN.format("assert double(2) == (2, 4)"), ""),
    (
        PAIR + "\ndef total(x):\n    return double(x) + [0]",
        "",
        HIDDEN.format("assert len(total(2) + double(1)[:0]) == 3"),
        "",
    ),
    (
        "def double(x):\n    return [x] + double(x - 1) if x else []",
        "",
        HIDDEN.format("assert len(double(3)) == 3"),
        "",
    ),
]
"""Solution, task, test, and what the release says of the other sequence type; empty for nothing."""


@pytest.mark.parametrize(("solution", "task", "test", "form"), OTHER_SEQUENCE)
def test_a_type_of_sequence_that_no_student_is_told_and_that_costs_points_is_named(
    solution: str, task: str, test: str, form: str, tmp_path: Path
) -> None:
    course = tiny_course(tmp_path)
    graded = cell("from autograder import check\n" + test, "test-double", grade=True, locked=True, points=2)
    answer = cell(f"# {task}\n### BEGIN SOLUTION\n{solution}\n### END SOLUTION", "double", solution=True)
    (course.source("hw") / "nb.ipynb").write_text(notebook(answer, graded))
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "in place of" in text]
    assert len(said) == bool(form)
    assert all(text.startswith(f"nb, test-double: an answer whose double() returns {form}") for text in said)


def test_a_slow_solution_has_no_weak_answers_tried_and_the_author_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.coordinator.weak_answers.MAX_SOLUTION_SECONDS", -1.0)
    course = tiny_course(tmp_path, test="assert double(0) == 0")
    (said,) = prove(course, tiny_release(course), execute=Here()).warnings
    assert said.startswith("weak answers (functions that return None, 0, their input) were not tried")
    assert said.endswith("`autograder audit hw` takes the time and tries more of them")


def test_a_solution_that_waits_has_weak_answers_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own time counts, and not the clock: on a busy machine, every solution takes long."""
    monkeypatch.setattr("autograder.coordinator.weak_answers.MAX_SOLUTION_SECONDS", 5.0)
    course = tiny_course(tmp_path, test="assert double(0) == 0")

    def slow(work: Work) -> Grade:
        return graded_as(work, {"wall_seconds": 99.0, "cpu_seconds": 1.0})

    warnings = prove(course, tiny_release(course), execute=Here(slow)).warnings
    assert any("an answer whose double() only returns" in said for said in warnings)


@pytest.mark.parametrize(
    ("status", "limit"),
    [
        ("timed_out", "raise cell_seconds or notebook_seconds in `limits` of course.yaml"),
        ("out_of_memory", "raise memory_mib"),
        ("out_of_disk", "raise disk_mib"),
    ],
)
def test_a_solution_that_a_limit_stops_is_told_the_limit(status: str, limit: str) -> None:
    assert limit in with_remedy("Cell 1 (a) ran longer than 3 s and was stopped.", status)
    assert with_remedy("The kernel ended.", "killed") == "The kernel ended."


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (FailureKind.NO_INPUT, "let the test answer, as in `with mock.patch('builtins.input'"),
        (FailureKind.STOPPED_CALL, "or raise cell_seconds in `limits` of course.yaml"),
        (FailureKind.STOPPED_TEST, "or raise examiner_seconds in `limits` of course.yaml"),
        (FailureKind.RAISED, ""),
    ],
)
def test_what_ended_a_test_has_its_remedy_whatever_the_words(kind: FailureKind, remedy: str) -> None:
    said = reason_of(
        [Failure(0, "", ("printed",), FailureKind.NOTE), Failure(2, "assert slow() > 0", ("words",), kind)]
    )
    assert said.startswith("line 2: assert slow() > 0: words")
    assert remedy in said
    assert reason_of([]) == ""


def test_a_released_database_that_is_written_is_told_to_be_copied() -> None:
    said = reason_of([Failure(2, "f(db)", ("Exception: attempt to write a readonly database",))])
    assert said.endswith("give it a copy, made by shutil.copyfile")


def test_an_exception_that_followed_from_another_is_told_with_it() -> None:
    first, last = Failure(2, "assert f()", ("AssertionError",), leads_on=True), Failure(4, "raise E", ("E: x",))
    assert reason_of([first, last]) == "line 4: raise E: E: x; after line 2: assert f(): AssertionError"


def tried(here: Here) -> list[str]:
    return [name for name in here.started if name.startswith("weak")]


def test_the_trial_of_weak_answers_ends_with_the_first_that_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(work: Work) -> Grade:
        return graded_as(work, {"status": "timed_out"} if work.student.startswith("weak") else {})

    monkeypatch.setattr(weak_answers, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(weak_answers, "TIMES_THE_SOLUTION", 0)
    course, here = tiny_course(tmp_path, test="assert double(0) == 0"), Here(endless)
    said = prove(course, tiny_release(course), execute=here).warnings
    assert tried(here) == ["weak-0"]
    assert said[-1].startswith("weak answers (functions that return None, 0, their input) were tried for 0 s only")
    assert sorted(p.name for p in proof_folder(course, "hw").iterdir()) == ["solution", "unchanged"]


def test_weak_answers_that_wait_for_a_busy_machine_are_all_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the clock says that time is over at once, and no answer was stopped."""
    monkeypatch.setattr(weak_answers, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(weak_answers, "_limited", lambda work, seconds: work)
    monkeypatch.setattr(weak_answers, "TIMES_THE_SOLUTION", 0)
    course, here = tiny_course(tmp_path, test="assert double(0) == 0"), Here()
    said = prove(course, tiny_release(course), execute=here).warnings
    assert len(tried(here)) == 4
    assert not [text for text in said if "were tried for" in text]


@pytest.mark.parametrize(
    ("status", "kind", "stopped"),
    [
        ("timed_out", FailureKind.RAISED, True),
        ("out_of_cpu", FailureKind.RAISED, True),
        ("completed", FailureKind.STOPPED_CALL, True),
        ("completed", FailureKind.STOPPED_TEST, True),
        ("completed", FailureKind.CALLED_OFTEN, True),
        ("completed", FailureKind.RAISED, False),
        ("cell_error", FailureKind.RAISED, False),
    ],
)
def test_a_grade_tells_whether_time_ended_something(status: str, kind: FailureKind, stopped: bool) -> None:
    question = QuestionGrade("t", 0.0, 1.0, Outcome.FAILED, "", failures=(Failure(1, "", (), kind),))
    assert was_stopped(Grade("weak-0", "hw", (NotebookGrade("nb", status, "", (question,)),))) is stopped


def test_weak_answers_have_limits_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {}

    def noted(work: Work) -> Grade:
        limits[work.student] = work.assignment.limits
        return grade_here(work)

    monkeypatch.setattr(weak_answers, "MIN_SECONDS", 7.0)
    monkeypatch.setattr(weak_answers, "TIMES_THE_SOLUTION", 0)
    course = tiny_course(tmp_path)
    prove(course, tiny_release(course), execute=Here(noted))
    assert limits["solution"].cell_seconds == 20
    weak = limits["weak-0"]
    assert weak.cell_seconds == weak.notebook_seconds == weak.examiner_seconds == 7


@pytest.mark.parametrize(
    ("own_seconds", "seconds"),
    [((2.0,), 25), ((2.0, 1.0), 40), ((0.0,), 5), ((None,), 600), ((2.0, None), 600)],
    ids=["run and test", "two notebooks", "at least", "unknown", "unknown of one notebook"],
)
def test_weak_answers_have_ten_times_the_own_time_of_the_solution_and_of_its_tests(
    own_seconds: tuple[float | None, ...], seconds: float
) -> None:
    """On a busy machine it took 60 s by the clock: these count only where its own time is not known."""
    tests = (
        QuestionGrade("t", 1.0, 1.0, Outcome.PASSED, "", test_seconds=0.5),
        QuestionGrade("m", 0.0, 1.0, Outcome.MANUAL, ""),
    )
    books = (NotebookGrade("nb", "completed", "", tests, own_seconds=run) for run in own_seconds)
    assert weak_answers.trial_seconds(Grade("solution", "hw", tuple(books)), 60.0) == pytest.approx(seconds)


def test_each_step_of_a_proof_is_told(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    steps: list[str] = []
    prove(course, tiny_release(course), execute=Here(), say=steps.append)
    assert steps == [
        "the solution, to see what it does",
        "the solution and the unchanged release",
        "weak answers (functions that return None, 0, their input)",
    ]


RETRAINED = """\
from autograder import check
### BEGIN HIDDEN TESTS
assert double(1) == 2
check.retrained(
    double, None, None,
    epochs={epochs}, below=0.6)
### END HIDDEN TESTS"""


@pytest.mark.parametrize(("epochs", "warned"), [("9", True), ("3 * 5", False), ("1", False)])
def test_a_network_that_fails_with_a_third_of_the_epochs_is_named(
    epochs: str, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here 4 epochs are enough, and so is 1 where no more are asked for."""

    def trained(model: object, on: object, holdout: object, epochs: int, below: float) -> object:
        is_enough = epochs >= 4 or epochs == 1
        return check.report("trained again", float(is_enough), f"after {epochs} epochs")

    monkeypatch.setattr(check, "retrained", trained)
    course = tiny_course(tmp_path, test=RETRAINED.format(epochs=epochs))
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "epochs" in text]
    if not warned:
        assert said == []
        return
    (one,) = said
    assert one.startswith("nb, test-double: with a third of the epochs the solution would lose points (after 3 epochs)")
    assert "an honest network that learns more slowly" in one


ASKING = """\
from autograder import check
### BEGIN HIDDEN TESTS
check.report("layers", double(1) == 2, "as asked"{first})
check.report("size", double(1) == 2, "as asked")
### END HIDDEN TESTS"""


@pytest.mark.parametrize("tests", [1, 2])
def test_what_one_forgotten_softmax_would_cost_in_several_questions_is_told(tmp_path: Path, tests: int) -> None:
    """Asked once, a student who forgets it loses the points for it, and no others."""
    course = tiny_course(tmp_path)
    source = ASKING.format(first=f", evidence={{{ASKS_PROBABILITIES!r}: True}}, weight=3")
    graded = [cell(source, f"t{number}", grade=True, locked=True, points=2) for number in range(tests)]
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(SOLUTION, "double", solution=True), *graded))
    said = prove(course, tiny_release(course), execute=Here()).warnings
    told = [text for text in said if "softmax" in text]
    assert len(told) == tests - 1
    assert all("would lose points in t0, t1 (3 of 4); ask for it once" in text for text in told)


def test_a_name_that_a_later_cell_binds_is_told_with_its_cell(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    graded = cell(TEST, "test-double", grade=True, locked=True, points=2)
    (course.source("hw") / "nb.ipynb").write_text(notebook(graded, cell(SOLUTION, "double", solution=True)))
    with pytest.raises(ProofError, match=r"`double` is bound in cell 2, below: move the test behind it"):
        prove(course, tiny_release(course), execute=Here())


def test_the_result_of_a_second_try_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match=r"the solution was run once more, and missed points again; .* set a seed"):
        proved(tiny_course(tmp_path, solution=SOLUTION.replace("2 * x", "3 * x")))


NEAR = """\
from autograder import check
### BEGIN HIDDEN TESTS
evidence = {{"accuracy": 0.91, "threshold": {threshold}, "standard_error": 0.01}}
check.report("accuracy", double(1) == 2, "right", evidence=evidence)
### END HIDDEN TESTS"""


@pytest.mark.parametrize(("threshold", "is_near"), [(0.9, True), (0.85, False)])
def test_a_threshold_close_to_what_the_solution_reaches_is_told(
    tmp_path: Path, threshold: float, is_near: bool
) -> None:
    course = tiny_course(tmp_path, test=NEAR.format(threshold=threshold))
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "calibrate" in text]
    assert len(said) == is_near
    assert all(
        "the solution reaches 0.91, and full credit begins at 0.9, nearer than the noise" in text for text in said
    )


DRAWN = """\
from autograder import check
### BEGIN HIDDEN TESTS
check.report("accuracy", double(1) == 2, "right", evidence={"accuracy": float(reached)})
### END HIDDEN TESTS"""


@pytest.mark.parametrize("seeded", [True, False])
def test_a_solution_that_passes_without_a_seed_is_told(tmp_path: Path, seeded: bool) -> None:
    """Two runs tell it: nothing is looked for in its code."""
    draw = f"import random\n{'random.seed(1)' if seeded else ''}\nreached = random.random()\n"
    course = tiny_course(tmp_path, solution=draw + SOLUTION, test=DRAWN)
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "chance" in text]
    assert len(said) == (not seeded)
    assert all("in another: chance is in it; set a seed" in text for text in said)


ESTIMATE = """\
import random
{seed}
estimate = 3 + random.random() / 10
drawn = [estimate, random.random()]
"""
LENIENT = TEST + "\nassert 3 <= estimate < 4 and len(drawn) == 2"


@pytest.mark.parametrize("seeded", [True, False])
def test_a_test_that_passes_on_numbers_drawn_without_a_seed_is_told(tmp_path: Path, seeded: bool) -> None:
    """The values that a test reads tell it, whatever the test says of them."""
    solution = ESTIMATE.format(seed="random.seed(1)" if seeded else "") + SOLUTION
    course = tiny_course(tmp_path, solution=solution, test=LENIENT)
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "chance" in text]
    assert len(said) == (not seeded)
    assert all("set a seed" in text and "`autograder calibrate hw`" in text for text in said)


@pytest.mark.parametrize("missed", ["first", "second"])
def test_a_solution_that_passes_in_one_run_and_misses_in_another_is_told(tmp_path: Path, missed: str) -> None:
    """Its answer is a text, so that no number tells of the chance."""
    runs = tmp_path / "runs"
    runs.write_text("")
    turn = {"first": 1, "second": 2}[missed]
    counted = (
        f"runs = open({str(runs)!r}, 'a+')\nruns.write('.')\nruns.seek(0)\n"
        f"word = 'no' if len(runs.read()) == {turn} else 'yes'\nruns.close()\n"
    )
    course = tiny_course(tmp_path, solution=counted + SOLUTION, test=TEST + "\nassert word == 'yes'")
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "chance" in text]
    assert len(said) == 1
    assert said[0].startswith("nb, test-double: the solution gets 0 of 2 points in one run, and all in another")


@pytest.mark.parametrize(("threshold", "higher", "is_far"), [(0.3, True, True), (0.8, True, False), (3.0, False, True)])
def test_a_threshold_that_one_answer_for_all_rows_meets_is_told(
    tmp_path: Path, threshold: float, higher: bool, is_far: bool
) -> None:
    measure = "accuracy" if higher else "loss"
    evidence = {measure: 0.9, "threshold": threshold, "higher_is_better": higher, "constant": 0.4}
    test = f"from autograder import check\ncheck.report('quality', double(1) == 2, 'right', evidence={evidence})"
    course = tiny_course(tmp_path, test=test)
    said = [text for text in prove(course, tiny_release(course), execute=Here()).warnings if "0.4" in text]
    assert len(said) == is_far
    assert all("the same answer for every row reaches 0.4" in text for text in said)


CHOSEN = {
    "a layer's attribute": (
        "class Net:\n    def __init__(self):\n        self.hidden_layer = 2\nmade = Net()",
        "made.hidden_layer == 2",
    ),
    "a text": ("made = ['hidden_layer']", "'hidden_layer' in made"),
    "a key": ("made = {'hidden_layer': 2}", "made['hidden_layer'] == 2"),
    "a keyword": ("made = dict(hidden_layer=2)", "made['hidden_layer'] == 2"),
    "a field": ("class Net:\n    hidden_layer: int = 2\nmade = Net()", "made.hidden_layer == 2"),
    "a method": ("class Net:\n    def hidden_layer(self): return 2\nmade = Net()", "made.hidden_layer() == 2"),
    "a parameter": ("def made(hidden_layer): return hidden_layer", "made(hidden_layer=2) == 2"),
    "a message": (
        "def made():\n    raise ValueError('no hidden_layer')",
        "raised_by(made).endswith('hidden_layer')",
    ),
}


RAISED = """\
def raised_by(function):
    try:
        function()
    except ValueError as error:
        return str(error)
"""


def with_chosen_name(tmp_path: Path, answer: str, test: str, task: str = "Make it.") -> list[str]:
    """Prove an assignment in which a hidden test asks for a name of the solution's; return what is said of it."""
    said = proof_of_made(tmp_path, answer, test, task)
    return [text for text in said if "nothing tells students the name" in text]


def proof_of_made(tmp_path: Path, answer: str, test: str, task: str = "Make it.") -> tuple[str, ...]:
    """Prove an assignment whose answer makes ``made``, with a hidden assertion; return the warnings."""
    course = tiny_course(tmp_path)
    hidden = f"made\n### BEGIN HIDDEN TESTS\n{RAISED}assert {test}\n### END HIDDEN TESTS"
    cells = [
        cell(task, kind="markdown"),
        cell(f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION\nmade", "made", solution=True),
        cell(hidden, "test-made", grade=True, locked=True, points=2),
    ]
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells))
    return prove(course, tiny_release(course), execute=Here()).warnings


@pytest.mark.parametrize("chosen", CHOSEN)
def test_a_name_that_the_solution_chose_and_a_hidden_test_asks_for_is_told(tmp_path: Path, chosen: str) -> None:
    """The solution runs under another name: whatever finds it by its name costs points."""
    answer, test = CHOSEN[chosen]
    (said,) = with_chosen_name(tmp_path, answer, test)
    assert said.startswith("nb, test-made: an answer that has another name than `hidden_layer` gets 0 of 2 points")


@pytest.mark.parametrize(
    ("answer", "test", "task"),
    [
        ("made = {'hidden_layer': 2}", "made['hidden_layer'] == 2", "Keep it under the key `hidden_layer`."),
        ("made = {'hidden_layer': 2}", "list(made.values()) == [2]  # hidden_layer", "Make it."),
        (
            "made = {'hidden_layer': 2}\nassert made['hidden_layer']",
            "'hidden_layer' and 2 in made.values()",
            "Make it.",
        ),
        ("made = int('12', base=10)", "made == int('12', base=10)", "Make it."),
    ],
)
def test_a_name_that_is_told_or_costs_nothing_is_no_warning(tmp_path: Path, answer: str, test: str, task: str) -> None:
    assert with_chosen_name(tmp_path, answer, test, task) == []


def test_a_column_of_a_released_table_is_told_by_the_table(tmp_path: Path) -> None:
    (tmp_path / "source/hw").mkdir(parents=True)
    (tmp_path / "source/hw/rows.csv").write_text("hidden_layer,other\n1,2\n")
    answer = "def made(row): return row['hidden_layer']"
    assert with_chosen_name(tmp_path, answer, "made({'hidden_layer': 2}) == 2") == []


@pytest.mark.parametrize(
    ("answer", "test", "is_exact"),
    [
        ("made = sum([0.1] * 7) / 3", "made == sum([0.1] * 7) / 3", True),
        ("made = sum([0.1] * 7) / 3", "abs(made - sum([0.1] * 7) / 3) < 1e-9", False),
        ("def made(x): return [x / 3]", "made(1.0) == [1 / 3]", True),
        ("def made(x): return {'share': x / 3}", "abs(made(1.0)['share'] - 1 / 3) < 1e-6", False),
        ("import numpy as np\nmade = np.arange(3) / 7", "made.tolist() == [0, 1 / 7, 2 / 7]", True),
        ("import numpy as np\nmade = np.arange(3)", "made.tolist() == [0, 1, 2]", False),
        (
            "import numpy as np\nmade = np.array([1.0, -0.1, 0.25, 1e-5])",
            "made.tolist() == [1, -0.1, 0.25, 1e-5]",
            False,
        ),
        ("import numpy as np\nmade = np.array([[0.1], [0.1 + 0.2]])", "made.tolist() == [[0.1], [0.1 + 0.2]]", True),
        (
            "import numpy as np\ndef made(x): return np.maximum(x, 0)",
            "made(np.array([-3.0, 5.0])).tolist() == [0, 5]",
            False,
        ),
        (
            "import numpy as np\ndef made(x): return np.array(x / 4)",
            "made(3.0).shape == () and made(3.0) == 0.75",
            False,
        ),
        ("import pandas as pd\nmade = pd.Series([0.5, 3.0])", "made.tolist() == [0.5, 3]", False),
        ("import pandas as pd\nmade = pd.Series([0.5, 1.0]) / 3", "made.tolist() == [0.5 / 3, 1 / 3]", True),
        ("made = 0.1", "made == 0.1", False),  # chosen, and not computed
        ("made = 3 / 4", "made == 0.75", False),  # exact, however it is computed
        ("made = [1, 2]\nother = 1 / 3", "made == [1, 2]", False),
    ],
)
def test_right_numbers_that_lose_points_by_their_rounding_are_told(
    tmp_path: Path, answer: str, test: str, is_exact: bool
) -> None:
    """The solution runs with other last digits: a test that wants the very same ones is named."""
    said = [text for text in proof_of_made(tmp_path, answer, test) if "last digits" in text]
    assert len(said) == is_exact
    assert all("gets 0 of 2 points; compare with check.close" in text for text in said)
