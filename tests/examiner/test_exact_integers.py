"""Integers larger than the solution's: in a test, no square of a difference wraps, and no sum of squares."""

from __future__ import annotations

import copy
import importlib
import sqlite3
import tempfile
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel
from helpers.workspaces import Kernel
from helpers.workspaces import graded as in_folders
from scipy import sparse

from autograder.check.exact_integer import LARGE_LIMIT, ExactInteger
from autograder.codec import CodecError, decode, encode
from autograder.examiner.exact_integers import LARGE, WIDE_LIMIT, arriving, kind_of
from autograder.examiner.permissions import Observer, Permissions
from autograder.records.exam import Role
from autograder.records.observations import WIDE

BIG = 3_500_000_000
ARRAY = np.full(4, BIG)

WRAPPING: dict[str, Any] = {
    "array": ARRAY,
    "unsigned": ARRAY.astype("u8"),
    "a few bits less": ARRAY.astype("u4"),
    "matrix": ARRAY.reshape(2, 2),
    "objects": np.array([np.int64(BIG)] * 4, object),
    "masked": np.ma.masked_array(ARRAY),
    "list": [BIG] * 4,
    "tuple": (BIG,) * 4,
    "deque": deque([BIG] * 4),
    "list of scalars": [np.int64(BIG)] * 4,
    "scalar": np.int64(BIG),
    "integer": BIG,
    "column": pd.Series(ARRAY),
    "index": pd.Index(ARRAY),
    "nullable": pd.Series(ARRAY, dtype="Int64"),
    "negative": [-BIG] * 4,
    "column of objects": pd.Series([BIG] * 4, dtype=object),
    "categories": pd.Series([BIG] * 4).astype("category"),
}


@pytest.mark.parametrize("name", WRAPPING)
def test_the_square_of_a_difference_does_not_wrap(name: str) -> None:
    exact = arriving(copy.deepcopy(WRAPPING[name]), ())
    assert np.all(np.asarray(exact) == (-BIG if name == "negative" else BIG))
    assert np.mean(np.square(np.asarray(exact) - 5)) > 1e19
    assert np.sum((np.array(exact) - 5) ** 2) > 1e19
    difference = np.atleast_1d(np.array(exact) - 5).ravel()
    assert difference @ difference > 1e19


@pytest.mark.parametrize("name", WRAPPING)
def test_an_answer_of_the_solutions_kind_stays_as_it_is(name: str) -> None:
    assert arriving(WRAPPING[name], {WIDE}) is WRAPPING[name]
    assert arriving(copy.deepcopy(WRAPPING[name]), {LARGE}) is not WRAPPING[name]
    assert kind_of(WRAPPING[name]) == WIDE


@pytest.mark.parametrize(
    ("value", "kind"), [(LARGE_LIMIT, ""), (LARGE_LIMIT + 1, LARGE), (WIDE_LIMIT, LARGE), (WIDE_LIMIT + 1, WIDE)]
)
def test_there_are_two_kinds(value: int, kind: str) -> None:
    assert [kind_of(value), kind_of(np.array([0, -value])), kind_of({"a": (value,)})] == [kind] * 3


@pytest.mark.parametrize(
    "value", [2.0**40, [1, 2.0**40], np.array([1.5, np.nan, 2.0**40]), pd.DataFrame({"a": [np.inf, -(2.0**40)]})]
)
def test_finite_floats_of_the_solutions_count_as_integers(value: Any) -> None:
    assert [kind_of(value), kind_of(value, floats=True)] == ["", WIDE]
    assert not kind_of([np.inf, np.float64("nan"), float("-inf"), np.array([np.inf])], floats=True)


@pytest.mark.parametrize("huge", [2**53, 2**62 + 1, -(2**63)])
def test_what_no_float_is_equal_to_stays_an_exact_object(huge: int) -> None:
    exact = arriving(np.array([huge, 1]), ())
    assert exact.dtype == object
    assert list(exact) == [huge, 1]
    assert exact[0] != huge - 1
    assert (exact**2).sum() == huge**2 + 1
    assert arriving(np.array([2**53 - 1]), ()).dtype == np.float64
    assert np.array(arriving([huge, 1], ())).dtype == object


def test_a_table_has_floats_where_it_is_large() -> None:
    frame = pd.DataFrame([[1, BIG, 0.5], [2, 3, 0.5]], columns=["a", "a", "b"])
    exact = arriving(frame, ())
    assert [str(dtype) for dtype in exact.dtypes] == ["int64", "float64", "float64"]
    assert list(exact.columns) == ["a", "a", "b"]
    assert kind_of(frame) == WIDE


def test_a_sparse_matrix_has_floats() -> None:
    assert arriving(sparse.csr_array(ARRAY[None]), ()).dtype == np.float64


def test_masked_items_stay_masked() -> None:
    for number in (BIG, 2**60):
        assert list(arriving(np.ma.masked_array([1, number], [True, False]), ()).mask) == [True, False]


def test_a_long_range_of_large_numbers_is_none_of_a_tests_values() -> None:
    with pytest.raises(CodecError, match="larger than the solution's"):
        arriving(range(BIG, BIG + 2_000_000), ())


def test_an_exact_integer_goes_back_as_an_integer() -> None:
    again = decode(*encode(arriving([BIG, 1, {BIG: BIG}], ())))
    assert again == [BIG, 1, {BIG: BIG}]
    assert type(again[0]) is int


def test_a_database_takes_an_exact_integer() -> None:
    connection = sqlite3.connect(":memory:")
    assert connection.execute("SELECT ? + 1", (ExactInteger(BIG),)).fetchone() == (BIG + 1,)
    connection.close()


@pytest.mark.parametrize(
    "value",
    [
        5, LARGE_LIMIT, -LARGE_LIMIT, True, 2.0**70, "3500000000", None, b"x", np.arange(5), np.float32(1e20), np.array(["a"]), range(9),
        np.array([1.5, 2]), np.array([], int), pd.Series([1, 2]), pd.DataFrame({"a": [1]}), pd.Series([], dtype=int), [1, [2]],
        {"a": (1, 2)}, np.array([1, None, "x"], object), np.datetime64("2030-01-01"), sparse.csr_array([[1]]), pd.Series(["a"]),
        pd.Series([1, None], dtype="Int64"), pd.Timestamp("2030-01-01"), np.array([(1, BIG)], [("a", "i4"), ("b", "f8")]),
        pd.Series([1.0], index=[5]), pd.Series(["a"]).astype("category"), pd.DataFrame({"a": ["x"], "b": [None]}), range(0, 2**40, 2**50),
    ],
    ids=repr,
)  # fmt: skip
def test_other_values_are_the_same_objects(value: Any) -> None:
    assert arriving(value, ()) is value
    assert not kind_of(value)


def test_containers_stay_the_same_objects_with_exact_items() -> None:
    row = [1, BIG]
    value = {"rows": [row, row], "pair": (BIG, {BIG}), "more": OrderedDict(a=ARRAY)}
    exact = arriving(value, ())
    assert exact is value
    assert exact["rows"][0] is row is exact["rows"][1]
    assert row == [1, BIG]
    assert [type(exact["pair"][0]), exact["more"]["a"].dtype] == [ExactInteger, np.float64]
    assert exact["pair"] == (BIG, {BIG})


def test_what_is_nested_past_the_limit_of_messages_is_left() -> None:
    value: list[Any] = [BIG]
    for _ in range(200):
        value = [value]
    assert arriving(value, ()) is value


@pytest.mark.keras
def test_a_tensor_has_floats() -> None:
    import tensorflow as tf

    exact = arriving(tf.constant([BIG], "int64"), ())
    assert exact.dtype == tf.float64
    assert float(tf.reduce_sum((exact - 5) ** 2)) > 1e19
    assert arriving(tf.constant([5], "int64"), ()).dtype == tf.int64
    for wrapping in (lambda n: tf.constant([5], "int64") - n, lambda n: n * tf.constant([5], "int64"), tf.square):
        with pytest.raises(TypeError):
            wrapping(ExactInteger(BIG))


NAMED: dict[str, tuple[Any, Any]] = {
    "keys": ({BIG: 0, BIG + 1: 1}, list),
    "a range": (range(BIG, BIG + 2), list),
    "index of a table": (pd.DataFrame({"a": [1, 2]}, index=[BIG, BIG + 1]), lambda v: v.index),
    "names of columns": (pd.DataFrame([[1, 2]], columns=[BIG, BIG + 1]), lambda v: v.columns),
    "index of a column": (pd.Series([1, 2], index=[BIG, BIG + 1]), lambda v: v.index),
    "index of two levels": (
        pd.Series([1, 2], index=pd.MultiIndex.from_tuples([("a", BIG), ("b", BIG + 1)])),
        lambda v: v.index.get_level_values(1),
    ),
    "fields": (np.array([(BIG, "x"), (BIG + 1, "y")], [("a", int), ("b", "U1")]), lambda v: v["a"]),
}


@pytest.mark.parametrize("name", NAMED)
def test_numbers_that_are_no_items_do_not_wrap_either(name: str) -> None:
    value, read = NAMED[name]
    assert kind_of(value) == WIDE
    numbers = np.array(read(arriving(copy.deepcopy(value), ())))
    assert list(numbers) == [BIG, BIG + 1]
    assert np.mean((numbers - 5) ** 2) > 1e19


BRINGS = {
    "a generator": ("def f():\n    yield {}", "found = [n for n in f()]"),
    "an object with items": ("class F:\n    def __iter__(self): return iter([{}])\nf = F()", "found = [n for n in f]"),
    "a function of the test's": ("def f(g): g({})", "found = []\nf(lambda n: found.append(n))"),
    "an operator": (
        "class F:\n    def __matmul__(self, other): return {}\ndef f(): return F()", "found = [f() @ f()]"
    ),
    "a rounded number": ("class F:\n    def __round__(self, n=0): return {}\nf = F()", "found = [round(f)]"),
    "an object of the test's": ("def f(o): o.n = {}", "class O: pass\no = O()\nf(o)\nfound = [o.n]"),
    "a changed list": ("def f(a): a.append({})", "found = []\nf(found)"),
    "a changed array": ("def f(a): a[:] = {}", "found = np.zeros(3, int)\nf(found)"),
    "a range": ("def f(): return range({}, 3_600_000_000)[:1]", "found = [n for n in f()]"),
    "an exception": (
        "def f(): raise ValueError({})", "try:\n    f()\nexcept ValueError as error:\n    found = [*error.args]"
    ),
    "int of a float": ("def f(): return {}.0", "found = [int(f())]"),
    "int of an object": ("class F:\n    def __int__(self): return {}\nf = F()", "found = [int(f)]"),
    "int of an integer": ("def f(): return {}", "found = [int(f())]"),
    "a length": ("class F:\n    def __len__(self): return {}\nf = F()", "found = [len(f)]"),
    "int of each": ("def f(): return ['{}']", "found = [*map(int, f())]"),
    "a sum": ("def f(): return [{} // 1000] * 1000", "import numpy as np\nfound = [sum(f())] + [np.sum(f())]"),
    "a coroutine": ("async def f(): return {}", "import asyncio\nfound = [asyncio.run(f())]"),
    "several coroutines": (
        "async def f(): return {}",
        "import asyncio\nasync def main(): return await asyncio.gather(f(), f())\nfound = asyncio.run(main())",
    ),
    "a copy": ("class F:\n    def __copy__(self): return {}\nf = F()", "import copy\nfound = [copy.copy(f)]"),
    "a deep copy": (
        "class F:\n    def __deepcopy__(self, memo): return {}\nf = F()", "import copy\nfound = [copy.deepcopy(f)]"
    ),
    "a default": ("def f(n={}): pass", "import inspect\nfound = [inspect.signature(f).parameters['n'].default]"),
    "a slice": ("def f(): return slice({})", "found = [f().stop]"),
    "a fraction": ("from fractions import Fraction\ndef f(): return Fraction({})", "found = [f().numerator, (f() * 1).numerator]"),
    "JSON": ("import json\ndef f(): return json.dumps([{}])", "import json\nfound = json.loads(f())"),
    "a literal": ("def f(): return '[{}]'", "import ast\nfound = ast.literal_eval(f())"),
    "literals": ("def f(): return ['{}']", "import ast\nfound = [*map(ast.literal_eval, f())]"),
    "text": ("def f(): return '{}'", "found = np.fromstring(f(), dtype=int, sep=' ')"),
    "bytes": ("def f(): return ({}).to_bytes(8, 'little')", "found = np.frombuffer(f(), dtype='<i8')"),
    "texts": ("def f(): return ['{}']", "import pandas as pd\nfound = pd.to_numeric(pd.Series(f()))"),
    "a table as text": ("def f(): return 'n\\n{}'", "import io\nimport pandas as pd\nfound = pd.read_csv(io.StringIO(f()))['n']"),
    "numbers as text": ("def f(): return '{}'", "import io\nfound = np.loadtxt(io.StringIO(f()), dtype=int)"),
    "a table of a query": (
        "f = 'SELECT {} AS n'",
        "import sqlite3\nimport pandas as pd\nfound = pd.read_sql(f, sqlite3.connect(':memory:'))['n']",
    ),
    "rows of a query": (
        "f = 'SELECT {}'", "import sqlite3\nc = sqlite3.connect(':memory:')\nfound = [n for n, in c.execute(f).fetchall()]"
    ),
    "a part of it": ("def f(): return {}", "found = [f().numerator, f().conjugate(), f() - 1, -(-f()), divmod(f(), 1)[0]]"),
}  # fmt: skip


@pytest.mark.parametrize("way", BRINGS)
def test_an_answer_does_not_wrap_whatever_brings_it(way: str) -> None:
    answer, test = BRINGS[way]
    test = f"import numpy as np\n{test}\nassert (np.array(found) ** 2).mean() < 2"
    exam = exam_of((Role.ANSWER, answer.format(1)), (Role.TEST, test))
    assert [graded(exam)[0].fraction, graded(exam, cell0=answer.format(BIG))[0].fraction] == [1, 0]


def test_an_answer_does_not_wrap_when_another_backend_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    process = importlib.import_module("_kernel_agent.extensions.backends.kernel_side.backend_process")
    monkeypatch.setattr(process, "call", lambda f, backend, args, kwargs, seconds: f(*args, **kwargs))
    monkeypatch.setattr(
        importlib.import_module("autograder.extensions.backends.on_backend"), "backends", lambda: ("jax",)
    )
    test = (
        "import numpy as np\nfrom autograder import check\nassert np.square(np.array(check.on_backend(f, 'jax')())) < 2"
    )
    exam = exam_of((Role.ANSWER, "def f(): return 1"), (Role.TEST, test))
    assert [graded(exam)[0].fraction, graded(exam, cell0=f"def f(): return {BIG}")[0].fraction] == [1, 0]


FILES = {
    "a table": ("pd.DataFrame({{'n': [{}]}}).to_csv(path, index=False)", "found = pd.read_csv(path)['n']"),
    "JSON": ("pd.DataFrame({{'n': [{}]}}).to_json(path)", "found = pd.read_json(path)['n']"),
    "an array": ("with open(path, 'wb') as file: np.save(file, [{}])", "found = np.load(path)"),
    "an archive": ("with open(path, 'wb') as file: np.savez(file, n=[{}])", "found = np.load(path)['n']"),
    "an archive that is closed": (
        "with open(path, 'wb') as file: np.savez(file, n=[{}])",
        "with np.load(path) as archive:\n    [found] = dict(archive).values()",
    ),
    "rows": ("np.savetxt(path, [{}], fmt='%d')", "found = np.genfromtxt(path, dtype=int)"),
    "bytes": ("np.array([{}]).tofile(path)", "found = np.fromfile(path, dtype=int)"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_number_does_not_wrap_whatever_file_brings_it(kind: str, tmp_path: Path) -> None:
    writes, reads = FILES[kind]
    answer = f"import numpy as np\nimport pandas as pd\ndef f(path):\n    {writes}"
    test = f"import numpy as np\nimport pandas as pd\npath = 'numbers.npy'\nf(path)\n{reads}\nassert (np.array(found) ** 2).mean() < 2"

    def examined(number: int, permissions: Permissions) -> float:
        kernel = type("InFolder", (Kernel,), {"folder": Path(tempfile.mkdtemp(dir=tmp_path))})
        [examined] = in_folders(
            kernel, (Role.ANSWER, answer.format(number)), (Role.TEST, test), permissions=permissions
        )
        return examined.fraction

    observer = Observer()
    assert examined(1, observer) == 1
    assert [examined(number, Permissions(observer.observations)) for number in (1, BIG)] == [1, 0]


OWN = {
    "a table": "import io\nimport pandas as pd\nfound = pd.read_csv(io.StringIO('n\\n3500000000'))['n']",
    "an archive": "import io\nfile = io.BytesIO()\nnp.savez(file, n=[3500000000])\nfile.seek(0)\nfound = np.load(file)['n']",
    "JSON": "import json\nfound = np.array(json.loads('[3500000000]'))",
}


@pytest.mark.parametrize("kind", OWN)
def test_a_tests_own_numbers_stay_as_they_are(kind: str) -> None:
    test = f"import numpy as np\n{OWN[kind]}\nassert f() == 1 and found.dtype == 'int64'"
    exam = exam_of((Role.ANSWER, "def f(): return 1"), (Role.TEST, test))
    right, wrong = graded(exam, cell0="def f(): return 2 - 1")[0], graded(exam, cell0="def f(): return 2")[0]
    assert (right.fraction, wrong.fraction, wrong.undecided) == (1, 0, False)
    [unobserved] = in_folders(InProcessKernel, (Role.ANSWER, "def f(): return 1"), (Role.TEST, test))
    assert unobserved.undecided


def test_a_module_of_the_course_has_its_numbers_as_it_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "towns.py").write_text("import json\nPEOPLE = json.loads('[3500000000]')")
    monkeypatch.syspath_prepend(tmp_path)
    test = "import towns\nimport numpy as np\nassert np.array(towns.PEOPLE).dtype == 'int64' and f() == 1"
    [unobserved] = in_folders(InProcessKernel, (Role.ANSWER, "def f(): return 1"), (Role.TEST, test))
    assert unobserved.fraction == 1


def test_a_mock_of_the_tests_may_say_that_it_is_a_dict() -> None:
    test = "from unittest.mock import Mock\nsource = Mock()\nsource.load.return_value = Mock(spec=dict)\nsource.load()\nassert f() == 1"
    assert graded(exam_of((Role.ANSWER, "def f(): return 1"), (Role.TEST, test)))[0].fraction == 1


# --- integers that are right, and merely larger -------------------------------------------------------

TYPES = {
    "dtype": ("np.array([{}, 2])", "assert f().dtype.kind == 'i'"),
    "type of items": ("np.array([{}, 2])", "assert all(isinstance(n, (int, np.integer)) for n in f())"),
    "type of a column": ("pd.DataFrame({{'n': [{}]}})", "assert f()['n'].dtype == 'int64'"),
    "as a check": (
        "np.array([{}, 2])",
        "from autograder import check\ncheck.report('integers', f().dtype.kind == 'i', 'They are none.')",
    ),
    "as points": ("np.array([{}, 2])", "1.0 if f().dtype.kind == 'i' else 0.5"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_person_decides_where_larger_integers_fail_only_in_their_exact_form(kind: str) -> None:
    value, test = TYPES[kind]
    answer = "import numpy as np\nimport pandas as pd\ndef f(): return " + value
    exam = exam_of((Role.ANSWER, answer.format(1)), (Role.TEST, f"import numpy as np\n{test}", 1.0))
    assert graded(exam)[0].fraction == 1
    larger, wrong = graded(exam, cell0=answer.format(BIG))[0], graded(exam, cell0=answer.format("0.5"))[0]
    assert [larger.fraction < 1, larger.undecided, wrong.fraction < 1, wrong.undecided] == [True, True, True, False]
    assert "answers give large" in larger.detail


def test_a_second_examination_changes_nothing_for_later_tests() -> None:
    answer = (
        "import numpy as np\nn = []\ndef f():\n    n.append(0)\n    return np.array([{}])\ndef called(): return len(n)"
    )
    cells = [(Role.TEST, "assert f().dtype.kind == 'i'"), (Role.TEST, "assert f().any() and called() == 4")]
    # Each test calls the function in the notebook, and in the examination.
    first, later = graded(exam_of((Role.ANSWER, answer.format(1)), *cells), cell0=answer.format(BIG))
    assert [first.undecided, later.fraction] == [True, 1]


def test_a_test_that_requires_an_undecided_one_is_undecided() -> None:
    answer = "import numpy as np\ndef f(): return np.array([{}])"
    cells = [
        (Role.TEST, "assert f().dtype.kind == 'i'"),
        (Role.TEST, "from autograder import check\ncheck.requires('cell1')\ncheck.close(1, 1)"),
    ]
    exam = exam_of((Role.ANSWER, answer.format(1)), *cells)
    assert [one.undecided for one in graded(exam, cell0=answer.format(BIG))] == [True, True]


def test_a_wrong_answer_of_large_integers_is_wrong() -> None:
    exam = exam_of(
        (Role.ANSWER, "def f(): return [1, 2]"),
        (Role.TEST, "kept = f()\nassert kept == [1, 2]"),
        (Role.TEST, "assert len(kept) == 2"),
    )
    first, later = graded(exam, cell0=f"def f(): return [{BIG}, 2]")
    assert [first.fraction, first.undecided, later.fraction] == [0, False, 1]
