"""Marked tests: they run in the student's kernel, and everybody is told so."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel
from helpers.limits import fork
from helpers.tiny import cell, notebook

from autograder.coordinator.assignment import observed_release
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.examination.attempt import Conditions
from autograder.examination.kernel_source import RecordingBytes, ReplayMiss, kernel_source
from autograder.examination.notebook_grading import grade_notebook
from autograder.examiner.exam_run import ExamRun
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.proxy import Remote
from autograder.execution.capture import Capture
from autograder.records.checks import Outcome
from autograder.records.course import Course
from autograder.records.exam import Exam, Role
from autograder.records.grade import NotebookGrade
from autograder.records.limits import Limits
from autograder.release import build as releasing
from autograder.syntax.names import vocabulary

ANSWER = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
RUNS = "shown = get_ipython().run_line_magic('precision', '3')\n### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
MARKED = "course: c\nassignments: {hw: {examine: {kernel: [t]}}}\n"
SUBMITTED = {"double": "def double(x):\n    return 2 * x"}


def course_of(root: Path, *tests: str, yaml: str = MARKED, tags: tuple[str, ...] = (), between: str = "") -> Course:
    """An answer, then tests t, t1, …; after each one a cell ``between``."""
    (root / "source/hw").mkdir(parents=True)
    cells = [cell(ANSWER, "double", solution=True)]
    for number, test in enumerate(tests):
        cells.append(cell(test, f"t{number or ''}", grade=True, locked=True, points=2))
        cells[-1]["metadata"]["tags"] = list(tags)
        cells += [cell(between)] if between else []
    (root / "source/hw/nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(yaml)
    return load_course(root)


def exam_in(course: Course) -> Exam:
    return releasing.build(course, course.assignments["hw"]).exams[0]


def submission(root: Path, exam: Exam, **answers: str) -> Path:
    cells = [
        cell(answers.get(str(c.grade_id), c.released), c.grade_id or "", solution=c.role is Role.ANSWER)
        for c in exam.cells
    ]
    path = root / "nb.ipynb"
    path.write_text(notebook(*cells))
    return path


def start():
    return fork(Limits(memory_mib=768, processes=64))


def graded(tmp_path: Path, *tests: str, answers=SUBMITTED, **more) -> NotebookGrade:
    exam = exam_in(course_of(tmp_path / "course", *tests, **more))
    return grade_notebook(exam, submission(tmp_path, exam, **answers), Conditions(start, Limits())).grade


# --- marks


@pytest.mark.parametrize(
    ("yaml", "tags"),
    [
        (MARKED, ()),
        ("course: c\nassignments: {hw: }\n", ("examine-kernel",)),
        ("course: c\nassignments: {hw: {examine: kernel}}\n", ()),
        ("course: c\nexamine: kernel\nassignments: {hw: }\n", ()),
    ],
)
def test_a_test_is_marked_by_tag_by_id_or_by_its_need(tmp_path: Path, yaml: str, tags: tuple[str, ...]) -> None:
    course = course_of(tmp_path, RUNS.format("assert Out == {}"), yaml=yaml, tags=tags)
    release = releasing.build(course, course.assignments["hw"])
    test = release.exams[0].cells[-1]
    assert (test.source, "assert Out" in test.in_kernel, "HIDDEN" in test.in_kernel) == ("", True, False)
    assert "assert Out" not in release.notebooks[0].text
    assert any("its 2 points are measured in the student's process" in said for said in releasing.check(release))


def test_examine_kernel_marks_only_tests_that_need_it(tmp_path: Path) -> None:
    yaml = "course: c\nexamine: kernel\nassignments: {hw: }\n"
    exam = exam_in(course_of(tmp_path, "%timeit double(1)", "assert double(1) == 2", yaml=yaml))
    assert [bool(c.in_kernel) for c in exam.cells] == [False, True, False]


NEEDS = {
    "magic": "%timeit double(1)",
    "history": "exec(In[-2])",
    "computed code": "for name in dir(double):\n    exec(f'double.{name}')",
    "a class that keeps the time": (
        "import time\nclass Timer:\n    def __enter__(self):\n        self.began = time.time()\n        return self\n"
        "    def __exit__(self, *_):\n        self.ended = time.time()\n    @property\n    def took(self):\n"
        "        return self.ended - self.began\nwith Timer() as timer:\n    double(1)\nassert timer.took < 9"
    ),
    "a ratio of times": (
        "import time\nbegan = time.time()\ndouble(1)\nmiddle = time.time()\nsum([1])\n"
        "assert (middle - began) / (time.time() - middle) < 1e6"
    ),
}


@pytest.mark.parametrize("test", NEEDS.values(), ids=NEEDS)
def test_in_a_course_of_nbgraders_such_tests_run_in_the_kernel_by_themselves(tmp_path: Path, test: str) -> None:
    course_of(tmp_path, test, "assert double(1) == 2")
    (tmp_path / "course.yaml").unlink()
    course = load_course(tmp_path)
    release = releasing.build(course, course.assignments["hw"])
    assert [bool(c.in_kernel) for c in release.exams[0].cells] == [False, True, False]
    assert any("its 2 points are measured in the student's process" in said for said in releasing.check(release))


@pytest.mark.parametrize("shown", ["print(time.time() - began)", "took = time.time() - began\nprint(f'{took} s')"])
def test_a_time_that_is_only_shown_needs_no_kernel(tmp_path: Path, shown: str) -> None:
    course_of(tmp_path, f"import time\nbegan = time.time()\nassert double(1) == 2\n{shown}")
    (tmp_path / "course.yaml").unlink()
    assert [bool(c.in_kernel) for c in exam_in(load_course(tmp_path)).cells] == [False, False]


@pytest.mark.parametrize("test", ["%timeit double(1)", "assert get_ipython()", "x = !git --version\nassert x"])
def test_without_a_mark_it_is_refused_with_the_words_of_the_mark(tmp_path: Path, test: str) -> None:
    course = course_of(tmp_path, test, yaml="course: c\nassignments: {hw: }\n")
    with pytest.raises(CourseError, match=r"(?s)magics.*examine-kernel.*examine: \{kernel: \[its id\]\}"):
        exam_in(course)


HELPER = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\ndef right(x): return 2 * x\nassert double(2) == right(2)\n### END HIDDEN TESTS"


def test_a_marked_test_that_needs_a_helper_of_another_tests_hidden_part_is_refused_with_its_name(
    tmp_path: Path,
) -> None:
    """Every answer would lose its points: that helper is never in the student's process."""
    marked = "%timeit double(1)\nassert double(3) == right(3)"
    course = course_of(tmp_path, HELPER, marked, yaml=MARKED.replace("[t]", "[t1]"))
    message = r"line 2: 'assert double\(3\) == right\(3\)': `right` comes from the hidden part of another test"
    with pytest.raises(CourseError, match=message):
        releasing.check(releasing.build(course, course.assignments["hw"]))


@pytest.mark.sandbox
def test_where_no_release_has_refused_it_a_person_decides_about_such_a_test(tmp_path: Path) -> None:
    """The solution itself misses its points, as it would not in nbgrader; so nobody loses any by it."""
    course_of(tmp_path / "course", HELPER, "%timeit -n1 -r1 double(1)\nassert double(3) == right(3)")
    (tmp_path / "course/course.yaml").unlink()
    course = load_course(tmp_path / "course")
    release, (note,) = observed_release(course, course.assignments["hw"])
    assert "It misses points itself in t1: where an answer does, a person decides" in note
    (exam,) = release.exams
    grade = grade_notebook(exam, submission(tmp_path, exam, **SUBMITTED), Conditions(start, Limits())).grade
    first, second = grade.questions
    assert (first.score, first.needs_manual_grade) == (2, False)
    assert (second.score, second.needs_manual_grade, second.in_kernel) == (0, True, True)


@pytest.mark.parametrize(
    ("first", "marked"),
    [
        (HELPER, "def right(x): return 2 * x\nassert double(3) == right(3)"),
        (HELPER, "assert all(double(right) == 2 * right for right in (1, 2))"),
        (HELPER, "assert (lambda right: double(right))(3) == 6"),
        ("def right(x): return 2 * x\nassert double(2) == right(2)", "assert double(3) == right(3)"),
    ],
    ids=["its own", "a variable", "a parameter", "a visible part"],
)
def test_what_a_marked_test_binds_itself_or_students_see_is_there(tmp_path: Path, first: str, marked: str) -> None:
    course = course_of(tmp_path, first, f"%timeit double(1)\n{marked}", yaml=MARKED.replace("[t]", "[t1]"))
    said = releasing.check(releasing.build(course, course.assignments["hw"]))
    assert any("t1" in text and "student's process" in text for text in said)


FAULTS = [
    (
        "course: c\nassignments: {hw: {examine: {kernel: [tt]}}}\n",
        "names 'tt', which is no test cell; did you mean 't'",
    ),
    ("course: c\nassignments: {hw: {examine: kernle}}\n", "course.yaml:2: .*'kernle'.*'kernel'"),
    ("course: c\nexamine: {kernel: [t]}\nassignments: {hw: }\n", "course.yaml:2: ids of test cells belong"),
    ("course: c\nassignments: {hw: {examine: {kernels: [t]}}}\n", "did you mean 'kernel'"),
]


@pytest.mark.parametrize(("yaml", "message"), FAULTS)
def test_a_wrong_mark_is_an_error(tmp_path: Path, yaml: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        exam_in(course_of(tmp_path, "assert double(1) == 2", yaml=yaml))


def test_another_language_is_refused_marked_or_not(tmp_path: Path) -> None:
    course = course_of(tmp_path, "%timeit double(1)")
    path = tmp_path / "source/hw/nb.ipynb"
    book = json.loads(path.read_text())
    book["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    path.write_text(json.dumps(book))
    with pytest.raises(CourseError, match="language is 'R'; only Python can be examined"):
        exam_in(course)


# --- what it gives

PASSES = [
    "assert get_ipython().user_ns['double'](4) == 8",
    "x = !echo hello\nassert x == ['hello']",
    "%precision 4\nassert double(2) == 4",
    "assert 'double' in In[-2]",
    "import asyncio\nawait asyncio.sleep(0)\nassert double(1) == 2",
    "%%capture out\nprint(double(3))",
]


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "test", [PASSES[0], *(pytest.param(test, marks=pytest.mark.slow) for test in PASSES[1:4]), *PASSES[4:]]
)
def test_a_marked_test_has_the_kernel(tmp_path: Path, test: str) -> None:
    for between in ("", "double = None"):  # with a frozen copy, and at the end
        grade = graded(tmp_path / (between or "end"), test, between=between)
        question = grade.questions[0]
        assert (question.outcome, question.in_kernel, question.score) == (Outcome.PASSED, True, 2.0), question.detail


@pytest.mark.sandbox
def test_partial_credit_and_messages(tmp_path: Path) -> None:
    tests = [
        "x = !true\n0.5 + 1.0",
        "x = !true\n### BEGIN HIDDEN TESTS\nassert double(3) == 7, 'secret'\n### END HIDDEN TESTS",
        "x = !true\nassert double(3) == 7",
        "x = !true\n{}['key']",
    ]
    yaml = "course: c\nassignments: {hw: {examine: kernel}}\n"
    grade = graded(tmp_path, *tests, yaml=yaml)
    scores = [(q.score, q.outcome.value, q.message) for q in grade.questions]
    assert scores == [
        (1.5, "partial", ""),
        (0.0, "failed", "A test that runs in your notebook's kernel failed."),
        (0.0, "failed", "Failed at `assert double(3) == 7`."),
        (0.0, "failed", "Failed at `{}['key']`: KeyError."),
    ]
    assert "secret" in grade.questions[1].detail


@pytest.mark.sandbox
def test_no_other_test_is_in_the_kernel_and_its_own_hidden_part_only_at_the_end(tmp_path: Path) -> None:
    spy = "def double(x):\n    return 2 * x\ndef seen():\n    return [c for c in In if 'can' + 'ary' in c]"
    marked = RUNS.format("canary_of_this = 1\nassert seen() == [In[-1]]")
    other = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\ncanary_of_another = 4\nassert double(2) == 4\n### END HIDDEN TESTS"
    grade = graded(tmp_path, other, marked, yaml=MARKED.replace("[t]", "[t1]"), answers={"double": spy},
                   between="assert seen() == []")  # fmt: skip
    assert [q.outcome.value for q in grade.questions] == ["passed", "passed"], [q.detail for q in grade.questions]
    assert grade.status == "completed", grade.message
    assert [q.in_kernel for q in grade.questions] == [False, True]


@pytest.mark.sandbox
def test_a_recording_answers_for_the_same_test_only(tmp_path: Path) -> None:
    exam = exam_in(course_of(tmp_path / "course", RUNS.format("assert double(4) == 8"), between="x = 1"))
    changed = exam_in(course_of(tmp_path / "other", RUNS.format("assert double(4) == 9"), between="x = 1"))
    path = submission(tmp_path, exam, **SUBMITTED)
    record = RecordingBytes()

    def grade(exam: Exam, *, replay_only: bool) -> NotebookGrade:
        source = kernel_source(start, record, replay_only=replay_only)
        made = grade_notebook(exam, path, Conditions(start, Limits(), kernel_source=source)).grade
        record.run = record.new_run or record.run
        return made

    first = grade(exam, replay_only=False)
    again = grade(exam, replay_only=True)
    assert (again.questions, again.replayed) == (first.questions, True)
    with pytest.raises(ReplayMiss):
        grade(changed, replay_only=True)
    assert grade(changed, replay_only=False).questions[0].score == 0


def test_a_kernel_that_says_anything_gives_no_more_than_the_points() -> None:
    """The claim is bounded, and a claim that cannot be read is a failure of the student's."""
    claims = [
        ({"passed": True, "points": 1e9, "error": None, "line": 0}, 1.0),
        ({"passed": True, "points": float("nan"), "error": None, "line": 0}, 0.0),
        ({"passed": True, "points": -3, "error": None, "line": 0}, 0.0),
        ({"passed": 1, "points": 2.0}, 0.0),
        ({"passed": False, "error": {"name": "<b>" * 99, "text": 3}, "line": 10**9}, 0.0),
        ({"passed": False, "error": {"name": "input_48151623", "text": ""}, "line": 0}, 0.0),
        ([], 0.0),
        (None, 0.0),
    ]
    for said, fraction in claims:
        exam = exam_of((Role.TEST, "", 2.0))
        test = dataclasses.replace(exam.cells[0], in_kernel="get_ipython()")
        kernel = InProcessKernel()
        kernel.server.run_test = lambda source, said=said: said
        remote = Remote(kernel)
        number, _ = remote.ask("snapshot")
        known = vocabulary(exam)
        answers = Answers(remote, known.modules, lambda *_: None)
        (one,) = ExamRun([(test, Capture(number, {}))], known, answers, None).results()
        assert one.fraction == fraction, said
        assert "<b>" not in one.message
        assert "48151623" not in one.message  # what a test of another question called with


# --- texts of students that are code: templates and formulas

TEXTS = {
    "jinja2": (
        "page = '{% for n in names %}<b>{{ n }}</b>{% endfor %}'",
        "page = '{{ names }}'",
        "import jinja2\nassert jinja2.Template(page).render(names=['a', 'b']) == '<b>a</b><b>b</b>'",
    ),
    "sympy": (
        "area = 'pi * r ** 2'",
        "area = '2 * pi * r'",
        "import sympy\nassert sympy.simplify(sympy.sympify(area) - sympy.pi * sympy.Symbol('r') ** 2) == 0",
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("library", TEXTS)
def test_a_marked_test_renders_the_texts_of_students_and_its_points_are_labelled(tmp_path: Path, library: str) -> None:
    pytest.importorskip(library)
    right, wrong, test = TEXTS[library]
    hidden = f"pass\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    yaml = "course: c\nassignments: {hw: }\n"
    for name, answer, points in (("right", right, 2.0), ("wrong", wrong, 0.0)):
        marked = graded(tmp_path / name, hidden, yaml=yaml, tags=("examine-kernel",), answers={"double": answer})
        (question,) = marked.questions
        assert (question.score, question.in_kernel) == (points, True), question.detail


@pytest.mark.sandbox
@pytest.mark.parametrize("library", TEXTS)
def test_without_a_mark_a_person_decides_and_the_refusal_names_the_mark(tmp_path: Path, library: str) -> None:
    pytest.importorskip(library)
    right, _, test = TEXTS[library]
    (question,) = graded(tmp_path, test, yaml="course: c\nassignments: {hw: }\n", answers={"double": right}).questions
    assert (question.outcome, question.in_kernel) == (Outcome.BROKEN, False)
    assert "mark the test with the tag 'examine-kernel'" in question.detail
