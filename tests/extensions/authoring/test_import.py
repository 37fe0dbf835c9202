"""`autograder import`: cells are paired, what differs is an answer, and no wrong test is proposed."""

from __future__ import annotations

import contextlib
import io
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autograder._util.notebook import read_source_notebook
from autograder._util.notebook_format import nbformat
from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.extensions.authoring.answer_regions import answer_alone, answer_from_pair
from autograder.extensions.authoring.cell_pairs import pairs
from autograder.extensions.authoring.kernel_side import solution_probe
from autograder.extensions.authoring.notebook_import import ImportedNotebook, read_pair
from autograder.extensions.authoring.proposed_tests import Run, propose
from autograder.records.run import CellRun
from autograder.release.build import build, linted


def notebook(*cells: str) -> nbformat.NotebookNode:
    """Make a notebook: a cell that begins with ``%md`` is text."""
    make = nbformat.v4
    return make.new_notebook(
        cells=[
            make.new_markdown_cell(text.removeprefix("%md ")) if text.startswith("%md ") else make.new_code_cell(text)
            for text in map(textwrap.dedent, cells)
        ]
    )


@contextlib.contextmanager
def kernel() -> Iterator[Run]:
    """Run cells in a namespace of this process."""
    namespace: dict[str, object] = {"__name__": "__main__"}

    def run(source: str) -> CellRun:
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(source, namespace)
        except Exception as error:
            return CellRun("error", error=f"{type(error).__name__}: {error}")
        return CellRun("ok", ({"output_type": "stream", "text": printed.getvalue()},))

    yield run


SEEDING = ("random.seed", "random.Random", "numpy.random.seed", "numpy.random.default_rng", "numpy.random.RandomState",
           "numpy.random.SeedSequence")  # fmt: skip


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that lies in a kernel's folder; what it changes in this process is restored."""
    monkeypatch.setitem(sys.modules, "solution_probe", solution_probe)
    for name in SEEDING:
        monkeypatch.setattr(name, pkgutil.resolve_name(name))


def proposed(students: list[str], solved: list[str]) -> ImportedNotebook:
    imported = read_pair(notebook(*students), notebook(*solved), "lab.ipynb")
    failure = propose(imported.code, kernel, imported.released)
    imported.notes += [failure] if failure else []
    return imported


def written_tests(students: list[str], solved: list[str]) -> list[str]:
    return [question.test for question in proposed(students, solved).questions.values()]


# --- pairs --------------------------------------------------------------------------------------------

ORDERS = {
    "equal": (["a b", "c d"], ["a b", "c d"], [(0, 0), (1, 1)]),
    "solved": (["x = # TODO\nprint(x)"], ["x = 3\nprint(x)"], [(0, 0)]),
    "an explanation more": (["a b c", "d e f"], ["a b c", "unlike", "d e f"], [(0, 0), (None, 1), (1, 2)]),
    "a cell less": (["a b c", "unlike", "d e f"], ["a b c", "d e f"], [(0, 0), (1, None), (2, 1)]),
    "an empty cell that is filled": (["a b c", "", "d e f"], ["a b c", "y = 1", "d e f"], [(0, 0), (1, 1), (2, 2)]),
}


@pytest.mark.parametrize(("students", "solved", "expected"), ORDERS.values(), ids=ORDERS)
def test_cells_are_paired_by_content(
    students: list[str], solved: list[str], expected: list[tuple[int | None, int | None]]
) -> None:
    assert pairs([("code", text) for text in students], [("code", text) for text in solved]) == expected


# --- answers ------------------------------------------------------------------------------------------

STUDENTS = """\
def func(a, b):
    '''TODO: sum and product'''
    c = # TODO
    d = # TODO
    return c, d
"""
SOLVED = """\
def func(a, b):
    '''TODO: sum and product'''
    c = a + b
    # c = # TODO
    d = a * b  # as in the lecture
    # d = # TODO
    return c, d
"""
MARKED = """\
def func(a, b):
    '''TODO: sum and product'''
    # c = # TODO
    # d = # TODO
    ### BEGIN SOLUTION
    c = a + b
    d = a * b  # as in the lecture
    ### END SOLUTION
    return c, d
"""


def test_what_differs_stands_between_markers_and_hints_stay() -> None:
    assert answer_from_pair(STUDENTS, SOLVED) == MARKED


def test_a_statement_of_several_lines_is_one_answer() -> None:
    students = "model = build(\n    # TODO\n)\nshow(model)"
    solved = "model = build(\n    layer(3),\n    layer(1)\n)\nshow(model)"
    marked = answer_from_pair(students, solved)
    assert marked.startswith("# model = build(\n# TODO\n# )\n### BEGIN SOLUTION\nmodel = build(\n    layer(3),")
    assert marked.endswith("### END SOLUTION\nshow(model)")


def test_comments_of_the_solution_are_not_given() -> None:
    marked = answer_from_pair("x = # TODO\nprint(x)", "# the trick is 6 * 7\nx = 42\nprint(x)  # fine\n# 42, then")
    assert "trick" not in marked.partition("### BEGIN SOLUTION")[0]
    assert "42, then" not in marked.partition("### END SOLUTION")[2]


def test_what_would_be_no_python_is_one_answer_as_a_whole() -> None:
    marked = answer_from_pair("if x:\n    # TODO", "if x:\n    y = 1\nelse:\n    y = 2")
    assert marked.count("### BEGIN SOLUTION") == 1
    assert marked.endswith("y = 2\n### END SOLUTION")


def test_a_cell_in_which_comments_alone_differ_is_the_students() -> None:
    assert answer_from_pair("!ls\n# a file\nx = 1", "!ls\n# the file\nx = 1") == "!ls\n# a file\nx = 1"


ALONE = {
    "START and END": (
        "a = 1\n# *****START OF YOUR CODE*****\nb = a + 1\nc = b\n# *****END OF YOUR CODE*****\nprint(c)",
        ["b = a + 1", "c = b"],
    ),
    "TODO to the end of the block": (
        "def f(x):\n    # TODO\n    y = x\n    return y\nprint(f(1))",
        ["y = x", "return y"],
    ),
    "a TODO in a TODO's block": (
        "def f(x):\n    # TODO\n    if x:\n        y = 1 # TODO\n    return y\n\nf(1)",
        ["if x:", "y = 1 # TODO", "return y"],
    ),
    "YOUR CODE HERE to an empty line": ("# YOUR CODE HERE\nx = 1\ny = 2\n\nprint(x)", ["x = 1", "y = 2"]),
    "TODO in the line": ("x = solve() # TODO\n\nprint(x)", ["x = solve() # TODO"]),
}


@pytest.mark.parametrize(("solved", "answer"), ALONE.values(), ids=ALONE)
def test_a_solution_alone_says_where_students_write(solved: str, answer: list[str]) -> None:
    inside = answer_alone(solved).partition("### BEGIN SOLUTION\n")[2].partition("### END SOLUTION")[0]
    assert [line.strip() for line in inside.splitlines() if line.strip()] == answer


def test_markers_of_the_solution_stay_and_stand_once() -> None:
    marked = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
    assert answer_alone(marked) == marked
    assert answer_from_pair("x = # TODO", marked) == f"# x = # TODO\n{marked}"
    [question] = read_pair(None, notebook(marked), "lab.ipynb").questions.values()
    assert question.answer == marked


def test_a_cell_without_such_words_is_given() -> None:
    assert answer_alone("x = 1\nprint(x)") == "x = 1\nprint(x)"


def test_text_that_answers_a_question_is_for_a_person_and_the_question_stays() -> None:
    question = "%md What is a tensor?\n\n*TODO: your answer*"
    imported = proposed([question, "x = 1"], ["%md What is a tensor?\n\nAn array.", "x = 1"])
    [source] = [cell.source for cell in imported.cells if cell.id in imported.texts]
    assert source.startswith("What is a tensor?\n\n*TODO: your answer*\n### BEGIN SOLUTION\nAn array.")


def test_text_that_asks_for_nothing_stays_the_students() -> None:
    """A link that differs is no answer, and an explanation of the solution is not given."""
    imported = proposed(
        ["%md Fill in the TODO blocks.\n\n[Open](lab.ipynb)", "x = # TODO"],
        ["%md Fill in the TODO blocks.\n\n[Open](solutions/lab.ipynb)", "x = 1", "%md So x is 1."],
    )
    assert imported.texts == []
    assert "solutions/" not in imported.released
    assert "So x is 1" not in imported.released
    assert imported.notes == [
        "text cell 1 differs; students get what their notebook says",
        "text cell 3 stands in the solution alone, and was left out",
    ]


def test_text_that_a_solution_leaves_out_stays() -> None:
    imported = proposed(["%md A hint.\n\n*TODO: think*", "x = # TODO"], ["%md A hint.", "x = 1"])
    assert (imported.texts, imported.cells[0].source) == ([], "A hint.\n\n*TODO: think*")


def test_a_solution_with_marks_is_refused() -> None:
    solved = notebook("x = 1")
    solved.cells[0].metadata.nbgrader = {"points": 3}
    with pytest.raises(Exception, match="has nbgrader's marks: put it into source/"):
        read_pair(None, solved, "lab.ipynb")


# --- proposed tests -----------------------------------------------------------------------------------

DOUBLE = ["def double(x):\n    # TODO\n    pass", "print(double(4))"]


def test_a_function_is_called_as_the_notebook_shows() -> None:
    [test] = written_tests(DOUBLE, ["def double(x):\n    return x * (1 + 1)", "print(double(4))"])
    assert test.splitlines() == [
        "from autograder import check",
        "",
        "### BEGIN HIDDEN TESTS",
        'check.close(double(4), 8, name="double(4)")',
        "### END HIDDEN TESTS",
    ]


def test_assertions_of_the_author_are_the_test() -> None:
    imported = proposed(["x = # TODO\nassert x.ndim == 2"], ["import numpy as np\nx = np.eye(7)\nassert x.ndim == 2"])
    [question] = imported.questions.values()
    assert question.test == "assert x.ndim == 2"
    assert "assert" not in question.answer


def test_an_assertion_that_shares_its_line_stays() -> None:
    solved = "x = 1\ny = 2; assert y == 2\nassert x"
    [question] = proposed(["x = # TODO\ny = 2; assert y == 2\nassert x"], [solved]).questions.values()
    assert (question.answer.splitlines()[-1], question.asserts) == ("y = 2; assert y == 2", ("assert x",))


NOT_PROPOSED = {
    "a number that no float holds": (["k = 1", "x = # TODO", "print(x)"], f"x = k < {10**400}"),
    "drawn": (["import random\nk = 1", "x = # TODO", "print(x)"], "x = random.random() + k"),
    "drawn from a seed": (["import random\nk = 1", "x = # TODO", "print(x)"], "random.seed(k)\nx = random.random() + k"),
    "drawn from a seed above": (["import random\nrandom.seed(5)\nk = 1", "x = # TODO", "print(x)"], "x = random.random() * k"),
    "drawn from a seed that is an argument": (
        ["import numpy as np", "def f(seed):\n    # TODO\n    pass", "print(f(3))"],
        "def f(seed):\n    return np.random.default_rng(seed).normal()",
    ),
    "drawn from a generator of a seed": (
        ["import random\nk = 1", "x = # TODO", "print(x)"], "x = random.Random(k).random()",
    ),
    "a choice": (["k = 1", "x = # TODO", "print(x)"], "x = [1, 0]"),
    "a number that was not told": (["k = 1", "x = # TODO", "print(x)"], "x = 0.3 * k"),
    "a text that was not told": (["k = 1", "x = # TODO", "print(x)"], "x = 'rate' * k"),
    "a name of the solution alone": (["k = 1", "# TODO", "print(k)"], "secret = k + 1"),
    "nothing that has a name": (["k = [1]", "# TODO", "print(k)"], "k.append(1)"),
    "a loop's counter": (["k = 1", "for i in range(3):\n    total = # TODO", "print(i)"], "for i in range(3):\n    total = object()"),
    "no call that is shown": (["k = 1", "def f(a):\n    # TODO\n    pass", "print(f)"], "def f(a):\n    return a + 1"),
    "a function that another cell binds": (
        ["k = 1", "def f(a):\n    # TODO\n    pass", "print(f(1))", "def f(a):\n    return 0"], "def f(a):\n    return a + 1",
    ),
    "one of two answers": (["k = 1", "x = # TODO\ny = # TODO", "print(x, y)"], "x = k + 1\ny = object()"),
}  # fmt: skip


@pytest.mark.parametrize(("students", "answer"), NOT_PROPOSED.values(), ids=NOT_PROPOSED)
def test_what_another_right_answer_may_not_give_is_for_a_person(students: list[str], answer: str) -> None:
    assert written_tests(students, [students[0], answer, *students[2:]]) == [""]


PROPOSED = {
    "a value of given ones": (["k = 1", "x = # TODO", "print(x)"], "x = [k, k + 1]", "check.close(x, [1, 2]"),
    "a number that was told": (["k = 1", "# TODO: 0.3 times k\nx = # TODO", "print(x)"], "x = 0.3 * k", "check.close(x, 0.3"),
    "a text": (["k = 'a'", "x = # TODO", "print(x)"], "x = k + k", "assert x == 'aa'"),
    "a list of texts": (["k = 'a'", "x = # TODO", "print(x)"], "x = [k, k]", "assert list(x) == ['a', 'a']"),
    "an array": (
        ["import numpy as np\nk = np.ones(3)", "x = # TODO", "print(x)"], "x = k + k", "check.close(x, [2.0, 2.0, 2.0]",
    ),
    "a large constant one": (
        ["import numpy as np\nk = np.ones((9, 9))", "x = # TODO", "print(x)"], "x = k + k", "check.close(x, np.full((9, 9), 2.0)",
    ),
    "what a given line makes of it": (["k = 1", "x = # TODO\ny = x + k", "print(y)"], "x = k + 1\ny = x + k", "check.close(x, 2"),
    "a seed that changes nothing": (["import random\nrandom.seed(3)\nk = 1", "x = # TODO", "print(x)"], "x = k + 1", "check.close(x, 2"),
}  # fmt: skip


@pytest.mark.parametrize(("students", "answer", "line"), PROPOSED.values(), ids=PROPOSED)
def test_values_that_follow_from_what_is_given_are_asked_for(students: list[str], answer: str, line: str) -> None:
    [test] = written_tests(students, [students[0], answer, *students[2:]])
    assert line in test


def test_a_cell_that_fails_ends_the_proposals() -> None:
    """Pairs stay, and the import says so."""
    imported = proposed(
        ["k = 1", "x = # TODO", "load()", "y = # TODO", "print(x, y)"],
        ["k = 1", "x = k + 1", "load()", "y = k + 1", "print(x, y)"],
    )
    assert [bool(question.test) for question in imported.questions.values()] == [True, False]
    assert imported.notes == ["code cell 3: NameError: name 'load' is not defined"]


def test_long_arguments_are_shortened() -> None:
    text = "'abcdefghijklmnopqrstuvwxyz'"
    students = [f"songs = {text}", "def size(x):\n    # TODO\n    pass", "print(size(songs))"]
    [test] = written_tests(students, [students[0], "def size(x):\n    return len(x)", students[2]])
    assert "check.close(size('abcdefghijklmnop'), 16" in test


# --- the command --------------------------------------------------------------------------------------


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, words)])


LAB = [
    "%md # Scaling\n\nWrite `center`: the values less their mean.",
    "import numpy as np\nheights = np.array([1.0, 2.0, 6.0])",
    "def center(values):\n    # TODO",
    "print(center(heights))",
    "%md Why?\n\n*TODO*",
    "choice = # TODO",
    "print(choice)",
]
LAB_SOLVED = [
    *LAB[:2],
    "def center(values):\n    return values - values.mean()",
    LAB[3],
    "%md Why?\n\nBecause.",
    "choice = 12",
    LAB[6],
]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A course without assignments, and a pair of notebooks."""
    (tmp_path / "course.yaml").write_text("course: c\n")
    (tmp_path / "solutions").mkdir()
    nbformat.write(notebook(*LAB), tmp_path / "lab.ipynb")
    nbformat.write(notebook(*LAB_SOLVED), tmp_path / "solutions/lab_solution.ipynb")
    return tmp_path


def test_an_import_without_a_run_passes_the_linter_and_has_readable_ids(lab: Path) -> None:
    done = run(lab / "lab.ipynb", lab / "solutions/lab_solution.ipynb", "--course", lab, "--no-run")
    assert done.exit_code == 0, done.output
    assert "3 questions" in done.output
    cells = read_source_notebook(lab / "source/lab/lab.ipynb").cells
    assert [cell.id for cell in cells] == [
        "scaling",
        "heights",
        "center",
        "print-center-heights",
        "why-todo",
        "choice",
        "print-choice",
    ]
    course = load_course(lab)
    made = build(course, course.assignments["lab"])
    assert linted(made)[0] == []
    assert "values.mean()" not in made.notebooks[0].text
    assert "Because" not in made.notebooks[0].text


@pytest.mark.sandbox
@pytest.mark.integration
def test_a_pair_becomes_an_assignment_that_is_proved(lab: Path) -> None:
    done = run(lab / "lab.ipynb", lab / "solutions/lab_solution.ipynb", "--course", lab)
    assert done.exit_code == 0, done.output
    assert "1 with a test: center\n" in done.output
    assert "2 for a person: choice, why-todo\n" in done.output
    released = CliRunner().invoke(main, ["release", "lab", "--course", str(lab)])
    assert "3 points; proved: the solution gets full marks, the unchanged notebook none" in released.output


@pytest.mark.sandbox
@pytest.mark.integration
def test_a_test_that_the_blank_passes_is_withdrawn(lab: Path) -> None:
    """The name was bound above to the same value."""
    students = ["k = 1\nx = 2", "x = # TODO", "print(x)"]
    nbformat.write(notebook(*students), lab / "lab.ipynb")
    nbformat.write(notebook(students[0], "x = k + k", students[2]), lab / "solutions/lab_solution.ipynb")
    done = run(lab / "lab.ipynb", lab / "solutions/lab_solution.ipynb", "--course", lab)
    assert done.exit_code == 0, done.output
    assert "x: no test of it passed the proof" in done.output


def test_folders_are_paired_by_name(lab: Path) -> None:
    nbformat.write(notebook("y = # TODO"), lab / "two.ipynb")
    nbformat.write(notebook("y = 1"), lab / "solutions/two-Solution.ipynb")
    done = run(lab, lab / "solutions", "--name", "labs", "--course", lab, "--no-run")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (lab / "source/labs").iterdir()) == ["lab.ipynb", "two.ipynb"]


REFUSED = {
    "the solution first": (["solutions/lab_solution.ipynb", "lab.ipynb"], 2, "the students' notebook comes first"),
    "three notebooks": (["lab.ipynb", "lab.ipynb", "lab.ipynb"], 2, "give the students' notebook and the solution"),
    "no pair": (["empty", "solutions"], 2, "no notebooks in pairs; in one folder alone: lab"),
    "equal notebooks": (["lab.ipynb", "lab.ipynb"], 1, "nothing in it is for students"),
}


@pytest.mark.parametrize(("paths", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_imported_is_refused_before_anything_is_written(
    paths: list[str], code: int, message: str, lab: Path
) -> None:
    (lab / "empty").mkdir()
    done = run(*(lab / path for path in paths), "--course", lab, "--no-run")
    assert (done.exit_code, message in done.output) == (code, True), done.output
    assert not (lab / "source").exists()
