"""The look at test cells before a release: what cannot be examined is told with its line, its reason and a remedy."""

from __future__ import annotations

import dataclasses
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.examination import observed
from helpers.exams import exam_of
from helpers.tiny import cell, notebook, tiny_course, tiny_release

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.pytest_files.pytest_files import with_tests
from autograder.lint.copies import compared_copies
from autograder.lint.exam_findings import findings, needing_kernel, unreadable
from autograder.lint.surroundings import NotebookFacts
from autograder.records.exam import Exam, Role
from autograder.release import build as releasing

NOTEBOOK = [
    (
        Role.READ_ONLY,
        "import numpy as np\nimport pandas as pd\nfrom autograder import check\ntable = np.arange(9).sum()",
    ),
    (Role.READ_ONLY, "def close(a, b): return abs(a - b) < 1e-9"),
    (Role.ANSWER, "def squares(n): return [i * i for i in range(n)]\nresult = squares(3)\nmodel = fit(table)"),
]


def found(test: str, *, released: str | None = None, points: float = 1.0, files=(), before=NOTEBOOK):
    """What a look at one test cell finds, as text."""
    exam = exam_of(*before, (Role.TEST, test, points))
    if released is not None:
        exam = dataclasses.replace(
            exam, cells=(*exam.cells[:-1], dataclasses.replace(exam.cells[-1], released=released))
        )
    return [str(f) for f in unreadable(exam) or findings(exam, files)]


def test_hidden_tests_that_are_worth_nothing_are_warned_of() -> None:
    test, told = "assert squares(2) == [0, 1]", "its hidden tests count for nothing: the cell is worth 0 points"
    assert [told in text for text in found(test, released="", points=0)] == [True]
    assert found(test, released="") == []
    assert found(test, released=test, points=0) == []


REFUSED = [
    ("%timeit squares(3)", "line 1: '%timeit squares.3.': .*magics do not exist; write it in plain Python"),
    ("x = 1\n!ls", "line 2: '!ls': .*magics do not exist"),
    ("squares?", "magics do not exist"),
    ("%%capture out\nsquares(1)", "magics do not exist"),
    ("get_ipython().run_cell('x')", "magics do not exist"),
    ("x = await squares(3)", "event loop; write asyncio.run"),
    ("assert Out[3] == 4", "Out belongs to the IPython kernel"),
    ("assert _ == 4", "_ belongs to the IPython kernel"),
    ("assert _12 == 4", "_12 belongs to the IPython kernel"),
    ("assert 'squares' in In[-2]", "In belongs to the IPython kernel"),
    ("display(result)\nassert result", "display belongs to the IPython kernel"),
    ("for n in globals():\n    assert n", "line 1: .*globals.. of a test lists the names"),
    ("assert all(n in locals() for n in result)", "locals.. of a test"),
    ("assert any(n == 'x' for n in dir())", "dir.. of a test"),
    ("assert vars()", "vars.. of a test"),
    ("for n in result:\n    exec(f'assert {n}')", "line 2: .*names that exec.. will use"),
    ("assert eval(result)", "texts of students are never compiled; compare values, or .*literal_eval"),
    ("assert eval(str(squares(3)))", "texts of students are never compiled"),
    ("for text in ['2 * 3']:\n    assert eval(text) == 6", "names that eval.. will use .*write the statements"),
    ("del np\nassert squares(1)", "'del np': np is the instructor's own"),
    ("del close\nassert squares(1)", "close is the instructor's own"),
    ("import my_solution\nassert my_solution.f()", "no module 'my_solution'.*or the release"),
    ("def t():\n    from utilities.deep import f\n    assert f()\nt()", "line 2: .*no module 'utilities.deep'"),
    ("from . import f\nassert f()", "relative import"),
    ("import pickle\nassert pickle.load(open('m.pkl', 'rb'))", "line 2: .*unpickling would run the student's code beside the hidden tests.*save JSON"),
    ("from pickle import loads as unpack\nassert unpack(result)", "unpickling"),
    ("import joblib\nassert joblib.load('m.joblib')", "unpickling"),
    ("import dill\nassert dill.load(result)", "unpickling"),
    ("assert pd.read_pickle('t.pkl').shape", "unpickling"),
    ("assert np.load('w.npy', allow_pickle=True).sum()", "allow_pickle would run the student's code"),
    ("import torch\nassert torch.load('w.pt')", "weights_only=True"),
    ("import keras\nassert keras.models.load_model('m.keras')", "look at the student's model by its name"),
    ("from tensorflow.keras.models import load_model\nassert load_model('m.h5')", "a saved model would run"),
    ("import doctest\ndoctest.run_docstring_examples(squares, {})", "line 2: .*docstring would run beside the hidden tests"),
    ("import subprocess\nassert subprocess.run(['python', 'main.py']).returncode == 0", "line 2: .*a program that a test"),
    ("import os\nassert os.system('python main.py') == 0", "a program that a test starts"),
    ("import threading\nt = threading.Thread(target=squares)\nassert t", "another thread or process"),
    ("from multiprocessing import Pool\nassert Pool(2).map(squares, [1])", "another thread or process"),
    ("from concurrent.futures import ThreadPoolExecutor as E\nassert E().map(squares, [1])", "another thread"),
    ("assert open('/home/jovyan/out.csv').read()", "'/home/jovyan/out.csv' is a path on one person's machine"),
    ("assert pd.read_csv('~/out.csv').shape", "is a path on one person's machine"),
    ("from pathlib import Path\nassert (Path.home() / 'x').exists()", "the home folder of a test"),
    ("from autograder import check\ncheck.closer(squares(3), [0])", "line 2: .*no check 'closer'; did you mean 'close'"),
    ("from autograder import check as c\nc.close(result, [0], rtoll=1)", "check.close has no argument 'rtoll'; .*'rtol'"),
    ("from autograder import check\ncheck.training_steps(squares)", "no check 'training_steps'; did you mean 'training_step'"),
    ("from autograder import check\ncheck.causal(model, result, prat=0)", "check.causal has no argument 'prat'; .*'part'"),
    ("assert sqares(3) == [0, 1, 4]", "nothing in the notebook binds 'sqares'; did you mean 'squares'?"),
    ("try:\n    sqares(3)\nexcept Exception:\n    pass\nassert squares(3)", "nothing in the notebook binds 'sqares'"),
    ("try:\n    quux\nexcept NameError:\n    pass\nassert quux", "nothing in the notebook binds 'quux'"),
    ("assert squares(3) == quux", "nothing in the notebook binds 'quux'; bind it in the test"),
]  # fmt: skip


@pytest.mark.parametrize(
    "test",
    [
        "try:\n    quux\n    raise AssertionError\nexcept NameError:\n    pass\nassert squares(3)",
        "try:\n    quux\nexcept (TypeError, NameError):\n    pass\nassert squares(3)",
        "import pytest\nwith pytest.raises(NameError):\n    quux\nassert squares(3)",
    ],
)
def test_a_name_that_is_unbound_on_purpose_is_fine(test):
    assert found(test) == []


@pytest.mark.parametrize(("test", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_test_that_can_not_be_examined_is_named_with_line_reason_and_remedy(test: str, message: str) -> None:
    assert any(re.search(rf"cell 4 \('cell3'\): .*{message}", text) for text in found(test)), found(test)


FINE = [
    "from autograder import check\ncheck.layer('Dense', units=3, anything=1)\ncheck.close(result, [0], rtol=1, name='x')",
    "assert eval('squares(2)') == [0, 1]",
    "import __main__\nassert __main__.result",
    "from __main__ import result\nassert result",
    "import sys\nassert sys.modules['__main__'].result",
    "from unittest import mock\nwith mock.patch('__main__.squares', return_value=3): assert squares(1) == 3",
    "assert squares(3) == [0, 1, 4] and close(result[0], 0)",
    "check.close(squares(3), [0, 1, 4])",
    "np.testing.assert_allclose(result, [0, 1, 4])",
    "score = 0.5 if result else 0\nscore",
    "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as out: squares(1)\nassert out.getvalue()",
    "for _ in range(3):\n    assert squares(_)",
    "total = [s for s in squares(2) if (n := s) > 0]\nassert total and n",
    "try:\n    squares(-1)\nexcept ValueError as error:\n    assert str(error)\nelse:\n    raise AssertionError",
    "match result:\n    case [first, *rest]:\n        assert first == 0 and rest",
    "import random\nassert random.random() < 1",
    "import lesson\nassert lesson.f(result)",
    "try:\n    import cupy\nexcept ImportError:\n    cupy = None\nassert squares(1) or cupy",
    "original = squares\ndel squares\ntry:\n    assert not result\nfinally:\n    squares = original",
    "assert vars(model)['x'] == dir(model)",
    "import numpy.testing as npt\nnpt.assert_equal(np.load('w.npy'), np.load('v.npy', allow_pickle=False))",
    "import torch\nassert torch.load('w.pt', weights_only=True)",
    "import pickle\nwith open(check.hidden_data('x.pkl'), 'rb') as f: wanted = pickle.load(f)\nassert result == wanted",
    "import joblib\npath = check.hidden_data('x.joblib')\nassert result == joblib.load(path)",
    "assert result == ['~', 'not /home/x'] and 'a~b'.split('~')",
    "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(result, [0, 1, 4])\nT('test_it').debug()",
    "'Deep, broken and /home/me: a text'\nassert __name__ and squares(1)",
    "exec('y = squares(2)')\nassert squares(2)",
]  # fmt: skip


@pytest.mark.parametrize("test", FINE, ids=range(len(FINE)))
def test_ordinary_tests_raise_no_alarm(test: str) -> None:
    assert [t for t in found(test, files=("lesson.py",)) if "no module 'torch'" not in t] == []


LOADS = [
    "import pickle\nwith open('given.pkl', 'rb') as f: wanted = pickle.load(f)\nassert result == wanted",
    "import joblib\nassert result == joblib.load('given.pkl')",
    "import pickle\ndef load(name): return pickle.load(open(f'{name}', 'rb'))\nassert result == load('./given.pkl')",
    "assert np.load('given.pkl', allow_pickle=True)[0] == result",
]


@pytest.mark.parametrize("test", LOADS, ids=range(len(LOADS)))
def test_a_released_file_may_be_unpickled_unless_the_solution_writes_it(test: str) -> None:
    assert found(test, files=("given.pkl",)) == []
    writes = (Role.ANSWER, "import pickle\npickle.dump(1, open('given.pkl', 'wb'))")
    for said in (found(test), found(test, before=[*NOTEBOOK, writes], files=("given.pkl",))):
        assert any("would run the student's code beside the hidden tests" in text for text in said)


def test_a_released_file_of_which_the_students_copy_is_used_may_not_be_unpickled() -> None:
    exam = exam_of(*NOTEBOOK, (Role.TEST, LOADS[0]))
    said = [str(f) for f in findings(exam, ("given.pkl",), open_files=("*.pkl",))]
    assert any("would run the student's code beside the hidden tests" in text for text in said)


SHAPES = (Role.ANSWER, "class Shape:\n    def describe(self): return f'area {self.area()}'")
SQUARE = "class Square(Shape):\n    def area(self): return 9\nassert Square().describe() == 'area 9'"


def test_a_class_that_derives_from_a_students_is_for_the_kernel() -> None:
    """Only the student's process has its base; with ``examine: kernel``, the test runs there by itself."""
    (said,) = found(SQUARE, before=[SHAPES])
    assert re.search("Square derives from Shape, and only the student's process .*'examine-kernel'", said)
    assert len(needing_kernel(exam_of(SHAPES, (Role.TEST, SQUARE)))) == 1


def test_a_class_that_derives_from_the_tests_or_the_instructors_raises_no_alarm() -> None:
    locked = (Role.READ_ONLY, "class Shape: pass")
    answer = (Role.ANSWER, "def total(shapes): return 0")
    assert found("class Square(Shape): pass\nassert total([Square()]) == 0", before=[locked, answer]) == []


def test_a_test_that_asserts_nothing_is_a_warning_where_it_gives_points() -> None:
    assert "gives its points for running" in found("x = squares(3)\nprint('Success!')")[0]
    assert "gives its points for running" in found("# nothing yet")[0]
    assert found("x = 1", points=0.0) == []


CANNOT_FAIL = [
    ("if result == 3:\n    pass", "gives its points for running; add an assert or a check"),
    ("if result == 3:\n    print('right')\nelse:\n    print('wrong')", "gives its points for running"),
    ("squares(3)", "gives its points for running"),
    ("assert 1 == 1", "reads nothing of the student's: it gives its points to any answer; assert something about"),
    ("expected = [0, 1]\nassert len(expected) == 2", "reads nothing of the student's"),
    ("try:\n    assert result == 3\nexcept:\n    pass", "line 3: 'except:': this passes over a failed assertion"),
    ("try:\n    np.testing.assert_equal(result, 3)\nexcept (ValueError, Exception) as e:\n    print(e)", "line 3: .*passes"),
    ("for n in [1]:\n    try:\n        assert squares(n)\n    except AssertionError:\n        continue", "line 4: .*passes"),
    ("try:\n    squares(3)\nexcept Exception:\n    pass", "gives its points for running"),
]  # fmt: skip


@pytest.mark.parametrize(("test", "said"), CANNOT_FAIL, ids=range(len(CANNOT_FAIL)))
def test_a_test_that_cannot_fail_is_one_warning_with_the_remedy(test: str, said: str) -> None:
    (text,) = found(test)
    assert re.search(said, text), text


@pytest.mark.parametrize(
    "test",
    [
        "try:\n    squares(-1)\nexcept Exception:\n    pass\nelse:\n    raise AssertionError",
        "try:\n    squares(-1)\n    assert False, 'no error'\nexcept ValueError:\n    pass",
        "right = True\ntry:\n    assert squares(1)\nexcept AssertionError:\n    right = False\nassert right",
        "try:\n    assert squares(1)\nexcept AssertionError:\n    raise\nexcept Exception:\n    pass",
        "import os\nassert os.path.exists('out.csv')",
        "with open('out.csv') as file:\n    assert file.read()",
        "assert globals()['result'] == 3",
        "def reads():\n    return result\nassert reads() == 3",
        "result = result[:2]\nassert len(result) == 2",
    ],
)
def test_a_test_that_can_fail_in_an_unusual_way_raises_no_alarm(test: str) -> None:
    assert found(test) == []


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("assert double(1) == 2", True),
        ("%matplotlib inline\nassert double(1) == 2", True),
        ("assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS", False),
        ("### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS", False),
    ],
)
def test_a_question_without_any_hidden_test_is_named_with_what_to_do(tmp_path: Path, test: str, said: bool) -> None:
    notes = releasing.shown_tests(tiny_release(tiny_course(tmp_path, test=test)))
    assert len(notes) == said
    for note in notes:
        assert note.startswith(
            "source/hw/nb.ipynb: students see all of test-double (2 of 2 points), and no hidden test"
        )
        assert "between ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS, or tag the cell 'given'" in note


def test_a_visible_test_beside_a_hidden_one_of_the_same_answer_is_not_named(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    visible, hidden = "assert double(1) == 2", "### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS"
    cells = [cell(text, f"t{n}", grade=True, locked=True, points=1) for n, text in enumerate([visible, hidden])]
    path = course.source("hw") / "nb.ipynb"
    path.write_text(notebook(cell("def double(x): ...", "double", solution=True), *cells))
    assert releasing.shown_tests(tiny_release(course)) == []
    cells[0]["metadata"]["tags"] = ["given"]
    path.write_text(notebook(cell("def double(x): ...", "double", solution=True), cells[0]))
    assert releasing.shown_tests(tiny_release(course)) == []


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("for a, b in zip(squares(3), [0, 1, 4]):\n    assert a == b", "line 1: .*zip ends .*strict=True"),
        ("x = 1\nassert all(a == b for a, b in zip(result, [0, 1]))", "line 2: .*zip ends"),
        ("for one in squares(3):\n    assert one >= 0", "line 1: .*the answer is short.*assert its length"),
        ("for one in sorted(result):\n    check.close(one, 1)", "line 1: .*the answer is short"),
    ],
)
def test_a_loop_that_a_short_answer_passes_is_a_warning(test: str, said: str) -> None:
    assert any(re.search(said, text) for text in found(test)), found(test)


@pytest.mark.parametrize(
    "test",
    [
        "for a, b in zip(squares(3), [0, 1, 4], strict=True):\n    assert a == b",
        "assert len(result) == 3\nfor one in result:\n    assert one >= 0",
        "for n, want in zip([1, 2], [[0], [0, 1]]):\n    assert squares(n) == want",
        "for one in result:\n    assert one >= 0\nassert result == [1]",
        "for n in [1, 2]:\n    assert squares(n)",
    ],
)
def test_other_loops_raise_no_alarm(test: str) -> None:
    assert found(test) == []


SORTS = [
    (Role.READ_ONLY, "import numpy as np\nfrom copy import copy\nfrom autograder import check"),
    (Role.ANSWER, "def srt(values): return sorted(values)\ndef clear(values): values.clear()\nnumbers = [1]"),
]


@pytest.mark.parametrize(
    "test",
    [
        "xs = [3, 1, 2]\nout = srt(xs)\nassert out == [1, 2, 3]\nassert xs == [3, 1, 2]",
        "xs = [3, 1, 2]\nassert srt(xs) == [1, 2, 3] and xs == [3, 1, 2]",
        "xs = [3, 1, 2]\nassert srt(xs)[0] == 1\nassert len(xs) == 3",
        "xs = [3, 1]\nsrt(xs)\nassert xs == [3, 1]",
        "xs = np.array([3, 1])\nbefore = xs.copy()\nout = srt(xs)\nnp.testing.assert_array_equal(xs, before)",
        "xs = [3, 1]\nout = srt(values=xs)\ncheck.close(xs, [3, 1])",
        "def t():\n    xs = [3, 1]\n    out = srt(xs)\n    assert xs == [3, 1] and out\nt()",
        "for n in range(3):\n    xs = [n, 1]\n    out = srt(xs)\n    assert out and xs == [n, 1]",
    ],
)
def test_a_comparison_of_what_a_call_got_as_a_copy_is_a_warning(test: str) -> None:
    (one,) = copies(test, before=SORTS)
    assert re.search(r"'xs' stays as it is in `srt\(.*xs\)`", one), one
    assert "add the line `# examine: srt changes xs` to the test" in one


def copies(test: str, *, before) -> list[str]:
    """What is found once the solution has been seen."""
    exam = exam_of(*before, (Role.TEST, test))
    return [str(f) for f in compared_copies(dataclasses.replace(exam, observations=observed(exam)))]


@pytest.mark.parametrize(
    "test",
    [
        "xs = [3, 1]\nsrt(xs)  # examine: srt changes xs\nassert xs == [3, 1]",
        "xs = [3, 1]\nclear(xs)\nassert xs == []",
        "xs = [3, 1]\nout = srt(xs)\nassert out == sorted(xs)",
        "xs = [3, 1]\nassert srt(xs) == xs[::-1]",
        "xs = [3, 1]\nout = srt(xs)\nxs = [1]\nassert xs == [1] and out",
        "xs = [3, 1]\nassert clear(xs) is None\nassert xs == []",
        "assert srt(numbers)\nassert numbers == [1]",
        "xs = [3, 1]\nys = copy(xs)\nassert xs == ys and srt([1]) == [1]",
        "xs = np.ones(3)\nout = srt(xs)\nassert out.shape == xs.shape",
        "for n in range(3):\n    out = srt([n])\n    assert out and n >= 0",
        "for xs in ([1], [2]):\n    assert xs == xs[:]\n    assert srt(xs)",
        "import os\nxs = os.path.join('a', 'b.txt')\nsrt(xs)\nassert not os.path.exists(xs)",
        "xs = str(3)\nsrt(xs)\nassert xs == '3'",
        "xs = ' '.join('ab')\nsrt(xs)\nassert xs == 'a b'",
    ],
)
def test_other_comparisons_of_arguments_raise_no_alarm(test: str) -> None:
    assert copies(test, before=SORTS) == []


def test_a_parameter_that_the_solution_changes_is_compared_rightly_and_the_other_is_a_copy() -> None:
    before = [(Role.ANSWER, "def take(xs, ys):\n    xs.pop()\n    return ys")]
    test = "a, b = [1], [2]\nassert take(a, ys=b) and a == []"
    assert copies(test, before=before) == []
    (one,) = copies("a = [1]\nb = [2]\nassert take(a, b)\nassert b == [2]", before=before)
    assert "'b' stays as it is in `take(a, b)`" in one


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("assert len(pd.read_csv('https://example.org/t.csv'))", "no network; put the file under hidden/"),
        ("import requests\nassert requests.get(result)", "line 2: .*no network"),
        ("from urllib.request import urlopen\nassert urlopen('http://example.org')", "no network"),
        ("from sklearn.datasets import fetch_openml\nassert fetch_openml('x')", "no network"),
        ("from keras.datasets import mnist\nassert mnist.load_data()", "no network"),
        ("assert open('/data/words.txt').read()", "leads out of the working folder.*under hidden/"),
        ("assert len(pd.read_csv('../data/t.csv'))", "leads out of the working folder"),
        ("assert np.loadtxt('data/../../t.txt').any()", "leads out of the working folder"),
    ],
)
def test_what_is_not_there_where_tests_run_is_a_warning(test: str, said: str) -> None:
    (one,) = [line for line in found(test) if "no module" not in line]
    assert re.search(said, one), one


@pytest.mark.parametrize(
    "test",
    [
        "assert squares('/data/words.txt') and squares('../x') and squares('https://example.org')",
        "assert open('/tmp/out.txt', 'w') and open('/etc/hostname') and open('data/t.csv')",
        "assert len(pd.read_csv('t.csv', sep='/')) and open(check.hidden_data('/x'))",
        "from sklearn.datasets import load_iris\nassert load_iris()",
        "import requests\nassert squares(requests.Response())",
        "assert open('..hidden') and open('a/../b.txt')",
    ],
)
def test_what_is_there_raises_no_alarm(test: str) -> None:
    assert [line for line in found(test) if "no module" not in line] == []


def test_a_temporary_folder_of_the_test_raises_no_alarm() -> None:
    """The student's code has it, too."""
    assert found("import tempfile\nwith tempfile.TemporaryDirectory() as d: assert squares(d)") == []


WITH_LIBRARIES = [
    *NOTEBOOK,
    (Role.READ_ONLY, "import jinja2\nimport sympy as sp\nimport statsmodels.formula.api as smf"),
]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("assert len(pd.DataFrame(result).query(squares(2)))", "df.query\\('a > @limit'\\)"),
        (
            "limit = 3\nassert len(pd.DataFrame(result).query(f'a > {limit}'))",
            "line 2: .*pandas turns a text into code",
        ),
        ("assert pd.DataFrame(result).eval(expr=squares)", "pandas turns a text into code"),
        ("assert pd.eval(squares(3)) == 9", "pandas turns a text into code"),
        ("assert jinja2.Template(squares(3)).render()", "write the template into the test"),
        ("assert jinja2.Environment().from_string(squares(3))", "write the template into the test"),
        ("assert sp.sympify(squares(3)) == 9", "write the expression with symbols"),
        ("assert smf.ols('y ~ ' + squares(3), data=table)", "write the formula into the test"),
    ],
)
def test_a_text_of_the_students_that_a_library_would_run_is_a_warning(test: str, said: str) -> None:
    (one,) = [line for line in found(test, before=WITH_LIBRARIES) if "no module" not in line]
    assert re.search(said, one), one


@pytest.mark.parametrize(
    "test",
    [
        "assert len(pd.DataFrame(result).query('a > 1'))",
        "assert jinja2.Template('{{ n }}').render(n=squares(3))",
        "assert sp.sympify('x + 1') and sp.S(1)",
        "assert tree.query(squares(3), 2, 0.1) and tree.query([[1, 2]], k=2)\ntree = squares",
    ],
)
def test_a_text_of_the_tests_is_none(test: str) -> None:
    assert [line for line in found(test, before=WITH_LIBRARIES) if "makes code" in line] == []


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (
            "assert (result == 3, 'not three')",
            "line 1: .*a tuple in parentheses is always true; write assert condition",
        ),
        ("assert (np.array(result) == 3).all", "line 1: .*all is not called here"),
        ("assert result and (np.array(result) == 3).any", "any is not called"),
        ("x = squares(3)\nnp.allclose(x, [0, 1, 4])", "line 2: .*nothing asserts it; put assert in front"),
        ("for n in [3]:\n    len(squares(n)) == n", "line 2: .*nothing asserts it"),
        ("(np.array(result) == 3).all", "nothing asserts it"),
        ("isinstance(result, list)", "nothing asserts it"),
        ("assert result == 3 or True", "line 1: .*True is always true; assert what the answer must be"),
        ("assert result == 3 or 4", "line 1: .*4 is always true"),
        ("assert 'result'", "line 1: .*'result' is always true"),
    ],
)
def test_what_can_fail_nobody_is_a_warning(test: str, said: str) -> None:
    (text,) = [text for text in found(test) if "always true" in text or "asserts it" in text]
    assert re.search(said, text)


@pytest.mark.parametrize(
    "test",
    [
        "assert result == 3, 'not three'",
        "assert result == 3 and True",
        "assert result == 3 or ''",
        "assert (np.array(result) == 3).all()",
        "np.testing.assert_allclose(result, 3)",
        "assert pd.DataFrame(result).empty",
        "check.close(result, 3)",
        "squares(3)",
        "import pytest\nwith pytest.raises(ValueError):\n    squares(3) == 2",
    ],
)
def test_what_can_fail_somebody_is_no_warning(test: str) -> None:
    assert not [text for text in found(test) if "always true" in text or "asserts it" in text]


def of_a_solution(*told: tuple[Role, str], released: str, visible: str = "") -> list[str]:
    """What a look at a hidden test finds that reads two names of the solution's."""
    solution, test = "def mean(data):\n    return 1\nhistory = mean(3)", f"{visible}\nassert mean(2) == history"
    exam = exam_of(*told, (Role.ANSWER, solution), (Role.TEST, test))
    *others, answer, last = exam.cells
    cells = (*others, dataclasses.replace(answer, released=released), dataclasses.replace(last, released=visible))
    return [str(f) for f in findings(dataclasses.replace(exam, cells=cells)) if "are not told" in f.reason]


def test_a_hidden_test_that_reads_a_name_of_the_solutions_that_nobody_was_told_is_a_warning() -> None:
    (text,) = of_a_solution(released="def mean(data):\n    ...")
    assert re.search("line 2: .*'history', which only your solution binds.*not told the name; name it in the", text)


@pytest.mark.parametrize(
    "told",
    [
        {"released": "def mean(data):\n    ...\nhistory = ..."},
        {"released": "# bind mean and `history`"},
        {"released": "def mean(data):\n    ...", "visible": "assert history > 0"},
    ],
)
def test_a_name_that_students_read_anywhere_raises_no_alarm(told: dict[str, str]) -> None:
    assert of_a_solution(**told) == []
    assert of_a_solution((Role.FREE, "Write `mean` and **history**."), released="...") == []


def test_an_object_that_a_locked_cell_makes_of_the_students_is_theirs() -> None:
    exam = exam_of(
        (Role.ANSWER, "class Net: pass"),
        (Role.READ_ONLY, "model = Net()\nlosses = [model, 1]\nlimit = 3.0 * float('4')"),
        (Role.TEST, "check(model, losses, limit)"),
    )
    facts = NotebookFacts(exam, ())
    assert facts.data_of_given_cells == {"limit"}


def test_hidden_tests_on_data_of_a_locked_cell_are_a_warning_that_names_it() -> None:
    hidden = "assert squares(1)\nassert squares(table)"
    assert "reads 'table', which a given cell computes" in found(hidden, released="assert squares(1)")[0]
    assert found(hidden) == []  # students see what the visible part reads


@pytest.mark.parametrize(
    "cell",
    ["%run helpers.py", "from nowhere_to_be_found import *", "globals()['quux'] = 1", "exec('quux = 1')", "quux = !ls"],
)
def test_where_a_cell_may_bind_anything_no_name_is_called_unbound(cell: str) -> None:
    assert found("assert quux", before=[(Role.ANSWER, cell)]) == []


def test_names_that_only_the_solution_the_release_or_another_test_binds_are_bound() -> None:
    tests = [(Role.TEST, "def helper(v): return v"), (Role.TEST, "assert helper(answer)")]
    exam = exam_of((Role.ANSWER, "global answer\nanswer = 1"), *tests)
    assert [f for f in findings(exam) if not f.warning] == []


def test_all_faults_stop_the_release_at_once_and_warnings_do_not(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, test="assert doubel(1) == 2\nassert quux\nimport nowhere_at_all")
    release = tiny_release(course)
    with pytest.raises(
        CourseError, match=r"(?s)3 faults in tests:.*did you mean 'double'\?.*quux.*nowhere_at_all.*install it"
    ):
        releasing.check(release)
    course = tiny_course(tmp_path, test="%timeit double(1)")
    with pytest.raises(CourseError, match="magics do not exist"):
        tiny_release(course)
    course = tiny_course(tmp_path, test="double(1)\nprint('done')\nx = 1")
    (warning,) = releasing.check(tiny_release(course))
    assert "gives its points for running" in warning
    course = tiny_course(tmp_path, test="x = 1")
    (warning,) = releasing.check(tiny_release(course))
    assert warning.startswith("source/hw/nb.ipynb: cell 2 ('test-double'): the test asserts nothing")


def test_a_module_of_the_course_that_only_tests_import_is_found(tmp_path: Path) -> None:
    test = "import beside, atop\nfrom packed.deep import f\nassert double(1) == f() + beside.n + atop.n"
    course = tiny_course(tmp_path, test=test)
    for name in ("source/hw/beside.py", "atop.py", "packed/__init__.py", "packed/deep.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("n = 1\ndef f(): return 0")
    assert releasing.check(tiny_release(course)) == []
    (tmp_path / "atop.py").unlink()
    with pytest.raises(CourseError, match=r"no module 'atop' where the test runs; .*course folder"):
        releasing.check(tiny_release(course))


@pytest.mark.parametrize(
    "test",
    [
        "import time\nstart = time.time()\nsquares(9)\nassert time.time() - start < 1",
        "from time import perf_counter as now\nclass Timer:\n    def start(self): self.at = now()\n"
        "    def stop(self): return now() - self.at\nt = Timer()\nt.start()\nsquares(9)\nassert t.stop() < 1",
        "import timeit\nassert timeit.timeit(lambda: squares(9), number=3) < 1",
    ],
)
def test_a_test_that_times_the_students_code_is_warned_of(test: str) -> None:
    (told,) = found(test)
    assert "timed here with the way of its arguments to another process and back; allow for it" in told


@pytest.mark.parametrize(
    "test",
    [
        "import time\nnp.random.seed(int(time.time()))\nassert squares(9)",
        "import time\nstart = time.time()\nassert time.time() >= start",
    ],
)
def test_a_clock_that_times_nothing_of_the_students_is_none(test: str) -> None:
    assert found(test) == []


KERAS = [(Role.READ_ONLY, "import keras\nX, y = 1, 2"), (Role.ANSWER, "model = keras.Sequential()")]


def test_an_evaluation_is_said_to_use_the_solutions_loss_and_metrics() -> None:
    told = found("X, y = 1, 2\nassert model.evaluate(X, y) < 0.3", before=KERAS)
    assert any("line 2" in one and "takes the loss and metrics of your solution's model" in one for one in told), told
    for test in (
        "X, y = 1, 2\nmodel.compile('sgd', 'mse')\nassert model.evaluate(X, y) < 0.3",
        "X, y = 1, 2\nmodel.compile_from_config(model.get_compile_config())\nassert model.evaluate(X, y) < 0.3",
        "X = 1\nassert model.predict(X).mean() < 0.3",
    ):
        assert not any("evaluate takes" in one for one in found(test, before=KERAS))
    assert not any("evaluate takes" in one for one in found("assert model.evaluate(3) < 1")), "without Keras"


def test_a_module_that_is_missing_is_one_finding_however_many_names_are_taken_from_it() -> None:
    before = [(Role.READ_ONLY, "from absent.tools import one_thing, another_thing"), *NOTEBOOK]
    (one,) = found("one_thing(result)\nanother_thing(result)\none_thing(squares(1))", before=before)
    assert "there is no module 'absent' where the test runs" in one


def test_a_cell_that_is_no_python_hides_no_other_fault(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    cells = [
        cell("%ls", "a", grade=True, locked=True, points=1),
        cell("assert quux", "b", grade=True, locked=True, points=1),
    ]
    (tmp_path / "source/hw/nb.ipynb").write_text(notebook(*cells))
    with pytest.raises(
        CourseError, match=r"(?s)2 faults in tests:.*cell 1 \('a'\): line 1: '%ls'.*cell 2 \('b'\).*quux"
    ):
        tiny_release(course)


def test_the_command_refuses_before_anything_is_run(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from autograder.cli import main

    tiny_course(tmp_path, test="assert doubel(1) == 2")
    done = CliRunner().invoke(main, ["release", "hw", "--course", str(tmp_path), "--no-prove"])
    assert done.exit_code != 0
    assert "did you mean 'double'?" in done.output
    assert not (tmp_path / "release").exists()


def test_nbgraders_own_course_raises_no_alarm(tmp_path: Path) -> None:
    (spec,) = find_spec("nbgrader").submodule_search_locations
    shutil.copytree(Path(spec, "docs/source/user_guide/source/ps1"), tmp_path / "source/ps1")
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()")
    course = load_course(tmp_path)
    assert releasing.check(releasing.build(course, course.assignments["ps1"])) == []


def test_a_module_that_is_missing_is_named_once(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    tests = [
        cell("import nowhere_at_all\nassert double(1) == 2", f"t{n}", grade=True, locked=True, points=1)
        for n in range(36)
    ]
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell("def double(x): ...", "double", solution=True), *tests))
    with pytest.raises(CourseError) as caught:
        releasing.check(tiny_release(course))
    assert str(caught.value).count("nowhere_at_all' where") == 1
    assert "also for 35 other places in tests" in str(caught.value)


@pytest.mark.parametrize(
    ("test", "remedy"),
    [
        ("%timeit double(1)", "write it in plain Python"),
        ("assert double(1) ==", "correct the line"),
        ("import nowhere_at_all\nassert double(1) == 2", "install it where you grade"),
    ],
)
def test_each_kind_of_fault_has_its_own_remedy(tmp_path: Path, test: str, remedy: str) -> None:
    """And the mark for tests that run in the kernel is named where the kernel is what a test needs."""
    with pytest.raises(CourseError) as caught:
        releasing.check(tiny_release(tiny_course(tmp_path, test=test)))
    assert remedy in str(caught.value).splitlines()[0]
    assert ("examine-kernel" in str(caught.value)) == ("timeit" in test)


WRITES = [
    "open('data.txt', 'w')", "open('./data.txt', mode='a')", "from pathlib import Path\nPath('data.txt').write_text('x')",
    "df.to_csv('data.txt')", "plt.savefig('data.txt')", "import sqlite3\nsqlite3.connect('data.txt')",
    "import shutil\nshutil.copy('other.txt', 'data.txt')", "import os\nos.remove('data.txt')", "np.savetxt('data.txt', x)",
]  # fmt: skip
READS = [
    "open('data.txt')",
    "open('new.txt', 'w')",
    "pd.read_csv('data.txt')",
    "import shutil\nshutil.copy('data.txt', 'b')",
]


@pytest.mark.parametrize("source", [*WRITES, *READS])
def test_a_cell_that_writes_over_a_large_released_file_is_named(source: str) -> None:
    """Smaller files are copied, and a notebook may write over its copies."""
    exam = exam_of((Role.ANSWER, source), (Role.TEST, "assert x == 1"))
    found = [f for f in findings(exam, {"data.txt"}, read_only={"data.txt"}) if "is released" in f.reason]
    assert [f.line for f in found] == ([len(source.splitlines())] if source in WRITES else [])
    assert all(f.warning and "my_data.txt" in f.instead for f in found)
    assert not [f for f in findings(exam, {"data.txt"}) if "is released" in f.reason]


PYTEST_FILE = """\
import pytest


@pytest.mark.points(1)
def test_squares(student):
    assert student.squares(2) == [0, 1]
"""


@pytest.mark.parametrize(
    ("line", "said"), [("", []), ("    assert dir()\n", []), ("    assert list(globals())\n", ["globals"])]
)
def test_a_test_file_is_told_of_its_own_lines_only(tmp_path, line, said):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_nb.py").write_text(PYTEST_FILE + line)
    exams, _ = with_tests({"nb": exam_of((Role.ANSWER, "def squares(n): return [i * i for i in range(n)]"))}, tmp_path)
    listed = findings(exams["nb"])
    assert [
        word for finding in listed for word in ("globals", "locals", "dir") if f"{word}()" in finding.reason
    ] == said
    assert len(listed) == len(said)


def of_a_test_file(tmp_path: Path, body: str, *, marks: str = "") -> dict[str, Exam]:
    """The exam of a notebook with one pytest function."""
    (tmp_path / "tests").mkdir()
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = f"import pytest\n\n\n{marks}@pytest.mark.points(1)\ndef test_sorts(student):\n{lines}"
    (tmp_path / "tests/test_nb.py").write_text(source)
    solution = "def srt(values): return sorted(values)\nnumbers = [1]"
    return with_tests({"nb": exam_of((Role.READ_ONLY, "import numpy as np"), (Role.ANSWER, solution))}, tmp_path)[0]


def test_a_pytest_function_is_warned_of_an_argument_of_which_a_call_got_a_copy(tmp_path: Path) -> None:
    """So a student's ``values.sort()`` would pass."""
    body = "xs = [3, 1, 2]\nassert student.srt(xs) == [1, 2, 3]\nassert xs == [3, 1, 2]"
    exam = of_a_test_file(tmp_path, body)["nb"]
    (warning,) = compared_copies(dataclasses.replace(exam, observations=observed(exam)))
    (text,) = releasing.placed(exam, [warning])
    assert text.startswith(
        "source/hw/tests/test_nb.py, line 8 (test_sorts): 'assert xs == [3, 1, 2]': 'xs' stays as it is"
    )
    assert "add the line `# examine: srt changes xs` to the test" in text


def test_a_stated_change_in_a_pytest_function_raises_no_alarm(tmp_path: Path) -> None:
    body = "xs = [3, 1, 2]\nstudent.srt(xs)  # examine: srt changes xs\nassert xs == [3, 1, 2]"
    exam = of_a_test_file(tmp_path, body)["nb"]
    assert compared_copies(dataclasses.replace(exam, observations=observed(exam))) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("student.srt([1])", "the test asserts nothing"),
        ("if student.numbers == [1]:\n    pass", "the test asserts nothing"),
        ("assert 1 == 1", "reads nothing of the student's"),
        ("try:\n    assert student.srt([2, 1]) == [1, 2]\nexcept Exception:\n    pass", "line 8 .*passes over"),
        ("for one in student.numbers:\n    assert one", "line 6 .*the answer is short"),
        ("for a, b in zip(student.srt([2, 1]), [1, 2]):\n    assert a == b", "line 6 .*zip ends"),
        ("student.srt([2, 1]) == [1, 2]", "line 6 .*nothing asserts it"),
        ("import time\nt = time.time()\nstudent.srt([1])\nassert time.time() - t < 1", "line 7 .*timed"),
        ("assert student.srt(eval('[2, 1]')) == [1, 2]", ""),
        ("assert student.srt([2, 1]) == [1, 2]", ""),
        ("assert student.at('cell1').numbers == [1]", ""),
        ("with pytest.raises(TypeError):\n    student.srt(None)", ""),
    ],
)
def test_a_pytest_function_has_the_linter_of_cells(tmp_path: Path, body: str, said: str) -> None:
    exam = of_a_test_file(tmp_path, body)["nb"]
    told = releasing.placed(exam, findings(exam))
    assert len(told) == bool(said), told
    assert all(re.search(said, text) and text.startswith("source/hw/tests/test_nb.py") for text in told), told


@pytest.mark.parametrize("name", ["locals", "vars", "dir"])
def test_what_lists_the_names_of_a_function_lists_none_of_the_notebooks(name):
    assert found(f"def helper(x):\n    return list({name}())\nassert helper(result)") == []
