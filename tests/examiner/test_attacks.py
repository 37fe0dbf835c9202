"""Attacks on the examiner's own reasoning: each once gave points, memory or code, and gives nothing now."""

from __future__ import annotations

import builtins

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.workspaces import graded as with_files

from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.syntax.file_paths import looks_at_files

# --- the student's text as code in the examiner ---------------------------------------------------------

RUN = "__import__('builtins').ran_in_examiner.append(1)"
CODE = {
    "an annotation of a function": (f'def f(x: "{RUN}"): pass', "import typing\nassert typing.get_type_hints(f)"),
    "an annotation of a class": (f'class P:\n    x: "{RUN}"', "import typing\nassert typing.get_type_hints(P)"),
    "an annotation, by inspect": (
        f'def f(x: "{RUN}"): pass',
        "import inspect\nassert inspect.get_annotations(f, eval_str=True)",
    ),
    "a docstring": (
        f'def f():\n    """\n    >>> {RUN}\n    """',
        "import doctest\ndoctest.run_docstring_examples(f, {'f': f})",
    ),
    "a docstring that doctest finds": (f'def f():\n    """\n    >>> {RUN}\n    """', "import doctest\nf\ndoctest.testmod()"),
    "a repr": (f'class P:\n    def __repr__(self): return "{RUN}"', "p = P()\nassert eval(repr(p)) == p"),
    "a text": (f'def f(): return "{RUN}"', "exec(f())"),
    "an accent in an expression": (f"def f(): return \"'é' and {RUN}\"", "eval(f())"),
    "a query of a table": (
        'def f(): return "@pd.io.common.os.sys.modules[\'builtins\'].ran_in_examiner . append(1)"',
        "import pandas as pd\npd.DataFrame({'a': [1]}).eval(f(), engine='python')",
    ),
    "a text in an array": (f'import numpy as np\na = np.array(["{RUN}"])', "exec(str(a[0]))"),
    "bytes": (f'def f(): return b"{RUN}"', "exec(f())"),
    "what was printed": (
        f'def f(): print("{RUN}")',
        "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out): f()\nexec(out.getvalue())",
    ),
    "an argument of a lent function": (f'def f(g): g("{RUN}")', "f(lambda text: exec(text))"),
    "a source that is parsed first": (
        f"def f():\n    {RUN}",
        "import ast, inspect\ntree = ast.parse(inspect.getsource(f)).body[0]\n"
        "exec(compile(ast.Module(tree.body, []), 'x', 'exec'))",
    ),
    "a pickle": (
        f'class E:\n    def __reduce__(self): return (exec, ("{RUN}",))\n'
        "def dump(value):\n    import pickle\n    return pickle.dumps(E())",
        "import pickle\nassert pickle.loads(dump([1])) == [1]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", CODE)
def test_no_text_of_the_students_is_run_in_the_examiner(attack, monkeypatch):
    ran: list[int] = []
    monkeypatch.setattr(builtins, "ran_in_examiner", ran, raising=False)
    result = outcome(*CODE[attack], released="")
    assert ran == []
    assert (result.outcome, result.fraction) == (Outcome.BROKEN, 0)


FILES = {
    "a file that the notebook wrote": ("exec(open('s.py').read())", RUN),
    "a file with accents": ("exec(open('s.py').read())", f"é = 'é'\n{RUN}"),
    "a file with spaces around": (
        "import textwrap\nexec(textwrap.dedent(open('s.py').read()))",
        f"\n  x = 1\n  {RUN}\n",
    ),
    "a file's one line": ("for line in open('s.py'):\n    eval(line)", f"1\n{RUN}  # é\n"),
}


@pytest.mark.parametrize("attack", FILES)
def test_no_file_of_the_students_is_run_in_the_examiner(attack, kernel, monkeypatch):
    test, text = FILES[attack]
    ran: list[int] = []
    monkeypatch.setattr(builtins, "ran_in_examiner", ran, raising=False)
    answer = f"open('s.py', 'w', encoding='utf-8').write({text!r})"
    result = with_files(kernel, (Role.ANSWER, answer), (Role.TEST, test))[0]
    del ran[:1]  # in the kernel, where the test's released lines run, too
    assert ran == []
    assert (result.outcome, result.fraction) == (Outcome.BROKEN, 0)


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("def f(x: 'int', y: 'list[int]'): pass", "import typing\nassert typing.get_type_hints(f)['y'] == list[int]"),
        ("def f(): return '[(1, 2)]'", "import ast\nassert ast.literal_eval(f()) == [(1, 2)]"),
        ("def f(): return sum([1])", "import ast, inspect\nassert 'sum' in ast.unparse(ast.parse(inspect.getsource(f)))"),
        ("def f(): return 'm(x): '", "import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: str\nassert C(f()).x == 'm(x): '"),
        ("def f(): return 1", "import inspect\ninspect.getsource(f)\nassert eval('f() + 1') == 2"),
        ("import pandas as pd\ndf = pd.DataFrame({'a': ['x', 'y']})\ndef f(): return 'df.a.eq( @k)'",
         "k = 'x'\nassert len(df.query('a.str.startswith(@k)')) == 1 == len(df.query('a == @k'))"),
        ("def f(): return 3", "import pickle\nassert pickle.loads(pickle.dumps(slice(f()))) == slice(3)"),
    ],
)  # fmt: skip
def test_what_only_reads_a_text_of_the_students_still_works(answer, test):
    assert outcome(answer, test, released="").fraction == 1


# --- points for nothing ---------------------------------------------------------------------------------

STOPS = "class End(StopIteration): pass\ndef f(x): raise {}"
EMPTY = "import numpy as np\ndef f(x): return np.empty({})"
LEAVES = (
    "class C:\n    def __enter__(self): return self\n    def __exit__(self, *a): return True\n"
    "    def value(self): raise ValueError"
)
GAINS = {
    "a function that ends the test's map": (STOPS.format("StopIteration"), "assert all(map(lambda x: f(x) == x * x, [1, 2]))"),
    "an end of a class of its own": (STOPS.format("End"), "assert all(map(lambda x: f(x) == x * x, [1, 2]))"),
    "a function that ends the test's loop": (
        STOPS.format("StopIteration"),
        "for got, want in zip(map(f, [1, 2]), [1, 4]):\n    assert got == want",
    ),
    "a property that ends the test's map": (
        "class P:\n    @property\n    def x(self): raise StopIteration",
        "assert all(map(lambda p: p.x == 3, [P(), P()]))",
    ),
    "an array that makes the sum of points one": (
        "import numpy as np\ndef f(x): return np.zeros(2)",
        "score = 0\nfor x in (1, 2):\n    score += 0.5 * (f(x) == x * x)\nscore",
    ),
    "an array beside an assertion": (
        "import numpy as np\ndef f(x): return np.zeros(2)",
        "assert callable(f)\nscore = 0\nfor x in (1, 2):\n    score += 0.5 * (f(x) == x * x)\nscore",
    ),
    "an array in a sum": ("import numpy as np\ndef f(x): return np.zeros(2)", "sum(f(x) == x * x for x in (1, 2)) / 2"),
    "a table in a sum": ("import pandas as pd\ndef f(x): return pd.Series([0])", "sum(f(x) == x * x for x in (1, 2)) / 2"),
    "an exact number": ("import fractions\ndef f(x): return fractions.Fraction(0)", "1 - abs(f(3) - 9) / 9"),
    "a complex number": ("def f(x): return 1j", "score = 1 - (f(3) - 9) / 9\nscore"),
    "an exception of the student's that is the test's failure": (
        "E = AssertionError\ndef f(x): return 0",
        "try:\n    assert f(3) == 9\nexcept E:\n    pass",
    ),
    "a failure that is suppressed": (
        "E = AssertionError\ndef f(x): return 0",
        "import contextlib\nwith contextlib.suppress(E):\n    assert f(3) == 9",
    ),
    "a name that is missing": ("E = NameError", "import pytest\nwith pytest.raises(E): f(3)"),
    "a with block that stops the student's own exception": (LEAVES, "with C() as c:\n    assert c.value() == 3"),
    "a with block that stops a wrong type": (LEAVES, "with C() as c:\n    assert c.value < 3"),
    "a with block that stops a wrong index": (LEAVES + "\n    d = {}", "with C() as c:\n    assert c.d['x'] == 3"),
    "a with block on nothing": (
        "class C:\n    def __enter__(self): pass\n    def __exit__(self, *a): return True",
        "with C() as c:\n    value = c.read()\n    assert value == 3",
    ),
    "a with block that stops a missing attribute": (LEAVES, "with C() as c:\n    assert c.read() == 3"),
}  # fmt: skip


@pytest.mark.parametrize("attack", GAINS)
def test_no_points_for_nothing(attack):
    result = outcome(*GAINS[attack], released="")
    assert (result.outcome, result.fraction) == (Outcome.FAILED, 0)


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("def f():\n    yield 1", "import pytest\ng = f()\nassert next(g) == 1\nwith pytest.raises(StopIteration): next(g)"),
        ("def f():\n    yield 1", "g = f()\nassert g.__next__() == 1 and next(g, None) is None"),
        ("class I:\n    n = 0\n    def __iter__(self): return self\n    def __next__(self):\n        self.n += 1\n"
         "        if self.n > 2: raise StopIteration\n        return self.n", "assert list(I()) == [1, 2] == [*map(int, I())]"),
        ("import numpy as np\na = np.ones(2)", "assert a.sum() == 2\ntwice = a + a\ntwice"),
        ("import numpy as np\ndef f(x): return np.float64(x)", "score = 0\nfor x in (1, 2):\n    score += (f(x) == x) / 2\nscore"),
        ("def f(x): return x", "rows = []\nfor x in (1, 2):\n    rows += [f(x)]\nassert rows == [1, 2]\nrows"),
        (EMPTY.format("(0, 2)"), "import numpy as np\ne = np.zeros((0, 2))\nnp.testing.assert_allclose(f(1), e)\nassert np.allclose(f(1), e) and np.isclose(f(1), e).all()"),
        ("x = 9.0", "import pytest\nimport numpy as np\nassert x == pytest.approx(9) and np.allclose(x, 9)\nnp.testing.assert_equal([x, 'a', None], [9, 'a', None])"),
        ("class C:\n    def __enter__(self): return self\n    def __exit__(self, kind, error, trace): return kind is ValueError",
         "with C():\n    raise ValueError\nwith C(): int('x')\nwith C():\n    def f(): raise ValueError('é')\n    f()"),
    ],
)  # fmt: skip
def test_ends_sums_and_with_blocks_that_are_meant_so(answer, test):
    assert outcome(answer, test, released="").fraction == 1


@pytest.mark.parametrize("locked", ["TOLERANCE = 10 ** -6", "TOLERANCE = 2 * (1e-6 + -1e-7)", "TOLERANCE = 1e-6"])
def test_a_locked_constant_is_the_instructors_also_where_it_is_computed(locked):
    test = "assert abs(f(3) - 9) < TOLERANCE"
    exam = exam_of((Role.READ_ONLY, locked), (Role.ANSWER, "def f(x): return x * x"), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell1="def f(x): return 0\nTOLERANCE = 1e9")[0].fraction == 0


@pytest.mark.parametrize(("locked", "test"), [
    ("CASES = [(1, 1), (2, 4)]", "for x, want in CASES:\n    assert f(x) == want"),
    ("WANT = {2: 4}", "assert all(f(x) == want for x, want in WANT.items())"),
])  # fmt: skip
def test_locked_cases_are_the_instructors(locked, test):
    exam = exam_of((Role.READ_ONLY, locked), (Role.ANSWER, "def f(x): return x * x"), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell1="def f(x): return 0\nCASES, WANT = [], {}")[0].fraction == 0


@pytest.mark.parametrize("sort", ["data.sort()", "sort(data)"])
def test_locked_data_that_the_students_code_changes_are_what_it_made_of_them(sort):
    exam = exam_of(
        (Role.READ_ONLY, "data = [3, 1, 2]"),
        (Role.ANSWER, "def sort(values): values.sort()"),
        (Role.READ_ONLY, sort),
        (Role.TEST, "assert data == [1, 2, 3]"),
    )
    assert graded(exam)[0].fraction == 1


# --- files of the examiner's ----------------------------------------------------------------------------

OUT = "import pathlib\ndef save(): return {!r}"


@pytest.mark.parametrize("path", ["hidden.csv", "{folder}/hidden.csv", "./hidden.csv", "{folder}/../{name}/hidden.csv"])
@pytest.mark.parametrize("open_files", ["", "import os\n"])
def test_a_path_of_the_students_opens_no_file_of_the_examiners(path, open_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hidden.csv").write_text("x\n1\n")
    path = path.format(folder=tmp_path, name=tmp_path.name)
    test = f"{open_files}import pandas as pd\nassert pd.read_csv(save()).x.sum() == 1"
    assert outcome(OUT.format(path), test, released="").fraction == 0
    assert outcome(OUT.format(path), f"{open_files}assert open(save()).read()[0] == 'x'", released="").fraction == 0


def test_a_path_of_the_students_removes_nothing_of_the_examiners(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gradebook.db").write_text("points")
    test = "path = save()\nassert path.read_text() == 'points'\npath.write_text('')\npath.unlink()"
    assert outcome(OUT.format("").replace("''", "pathlib.Path('gradebook.db')"), test, released="").fraction == 0
    assert (tmp_path / "gradebook.db").read_text() == "points"


def test_an_address_of_the_students_is_not_asked():
    test = "import urllib.request\nassert urllib.request.urlopen(save()).read()"
    result = outcome(OUT.format("http://localhost:9/expected"), test, released="")
    assert result.message == "A hidden test failed: PermissionError."


@pytest.mark.parametrize("test", ["assert pd.read_csv(save()).x.sum() == 1", "assert save().read_text() == 'x'"])
def test_a_test_that_reads_what_a_call_names_looks_at_files(test):
    assert looks_at_files(test)


# --- memory and time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "data"),
    [("io.StringIO()", "x"), ("io.BytesIO()", b"x"), ("open('t', 'w')", "x"), ("open('t', 'wb')", b"x")],
)
@pytest.mark.parametrize("go", ["file.seek(2**40)", "file.truncate(2**40); file.seek(2**40)"])
def test_a_file_of_the_tests_is_not_filled_behind_its_end(file, data, go, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = f"def f(file):\n    {go}\n    file.write({data!r})"
    test = f"import io\nfile = {file}\ntry:\n    f(file)\nexcept (ValueError, OverflowError):\n    refused = True\nassert refused"
    assert outcome(answer, test, released="").fraction == 1
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 100


@pytest.mark.parametrize(
    "test", ["assert '*' * f() == '***'", "assert [0] * f() == [0]", "import numpy as np\nnp.zeros(f())"]
)
def test_a_test_takes_no_more_memory_than_there_is_for_one(test):
    result = outcome("def f(): return 2**36", test, released="")
    assert (result.fraction, result.message) == (0, "A hidden test failed: MemoryError.")


# --- hidden inputs in messages --------------------------------------------------------------------------

SHAPED = "import numpy as np\ndef f(secret): return np.empty((0, *map(int, secret), 7))"
SHAPED_ROWS = "import numpy as np\ndef f(X): return np.empty((0, *map(int, X[0]), 7))"


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        (SHAPED, "check.close(f([9797, 9797]), [1])"),
        (SHAPED.replace("7", "2**30"), "check.close(f([97]), [1])"),
        (SHAPED_ROWS, "import numpy as np\ncheck.accuracy(f, on=(np.full((5, 2), 97.0), np.arange(5) % 2), above=0.5)"),
    ],
)  # fmt: skip
def test_a_shape_carries_no_hidden_input_into_a_message(answer, test):
    result = outcome(answer, f"from autograder import check\n{test}", released="")
    assert result.fraction == 0
    assert "97" not in result.checks[0].message
