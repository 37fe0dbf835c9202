"""Narrow numbers, masked arrays and nullable columns decide nothing, and honest ones keep their points."""

from __future__ import annotations

import warnings

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.examiner.remote.given_types import given_types
from autograder.records.exam import Role

START = "import numpy as np\nimport pandas as pd\nimport pytest"


def fraction(solution: str, answer: str, test: str) -> float:
    """What a student's ``answer`` is worth where the instructor's cell holds ``solution``."""
    exam = exam_of((Role.READ_ONLY, START), (Role.ANSWER, solution), (Role.TEST, test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what is divided by zero, and overflows
        return graded(exam, cell1=answer)[0].fraction


SOLUTION = "def f(x): return 1e5 + x"
INFINITE = "def f(x): return np.float16('inf')"
MASKING = "def f(x): return np.ma.masked_array([0.0, 0.0])"
NULLABLE = "def f(x): return pd.Series([1, 2], index=[7, 8], dtype='{}')"
ATTACKS = [
    (INFINITE, "assert f(1) == 100001"),
    (INFINITE, "assert f(1) == pytest.approx(100001)"),
    (INFINITE, "np.testing.assert_equal(f(1), 100001)"),
    ("def f(x): return np.array([np.inf], np.float16)", "assert np.allclose(f(1), 100001)"),
    ("def f(x): return [np.float16('inf')]", "assert f(1) == [100001]"),
    ("def f(x): return {'a': np.array([np.inf], np.float16)}", "assert (f(1)['a'] == 100001).all()"),
    ("def f(x): return np.array([(np.inf,)], [('a', 'f2')])", "assert (f(1)['a'] == 100001).all()"),
    ("def f(x): return pd.Series([np.inf], dtype='float16')", "assert (f(1) == 100001).all()"),
    ("import ml_dtypes\ndef f(x): return np.array([99840], ml_dtypes.bfloat16)", "assert (f(1) - 100001 == 0).all()"),
    ("import ml_dtypes\ndef f(x): return np.array([57344], ml_dtypes.float8_e5m2)", "assert (f(1) - 60000 == 0).all()"),
    ("def f(x): return np.uint8(0)", "assert (f(1) - 16) ** 2 == 0"),
    ("def f(x): return np.array([240], np.uint8)", "assert (f(1) + 16 == 0).all()"),
    ("def f(x): x(np.float16('inf'))", "seen = []\nf(seen.append)\nassert seen == [100001]"),
    (MASKING, "assert not (f(1) / np.zeros(2) != 7).any()"),
    (MASKING, "np.testing.assert_allclose(f(1) / [0, 0], [7, 7])"),
    (NULLABLE.format("Int64"), "assert f(1).eq(pd.Series([5, 6])).all()"),
    (NULLABLE.format("Float64"), "assert f(1).eq(pd.Series([5, 6])).all()"),
    ("def f(x): return pd.Series([True], index=[7], dtype='boolean')", "assert f(1).eq(pd.Series([False])).all()"),
    ("def f(x): return pd.Series(['a'], index=[7], dtype='string')", "assert f(1).eq(pd.Series(['b'])).all()"),
    ("def f(x): return pd.DataFrame({'a': pd.array([1], 'Int8')}, index=[7])",
     "assert f(1)['a'].eq(pd.Series([3])).all()"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test"), ATTACKS)
def test_what_is_narrow_masked_or_nullable_equals_nothing_more(answer, test):
    assert fraction(SOLUTION, answer, test) == 0


KINDS = (
    "float16",
    "uint8",
    "bfloat16",
    "float8_e5m2",
    "masked",
    "Int8",
    "Int64",
    "Float64",
    "boolean",
    "string",
    "inf",
)


@pytest.mark.parametrize(("answer", "test"), ATTACKS)
def test_control_where_a_line_allows_the_kinds_they_equal_what_they_should_not(answer, test):
    allowed = "".join(f"# examine: answers give {kind}\n" for kind in (*KINDS, "nan"))
    assert fraction(SOLUTION, answer, allowed + test) == 1


@pytest.mark.parametrize(("answer", "test"), ATTACKS)
def test_under_a_students_name_it_equals_nothing_more_either(answer, test):
    if "x(" in answer:
        return
    test = test.replace("f(1)", "found")
    assert fraction("def f(x): return 1e5 + x\nfound = f(1)", f"{answer}\nfound = f(1)", test) == 0


HONEST = [
    ("def f(x): return np.float16(x / 3)", "assert abs(f(1) - 1 / 3) < 1e-3"),
    ("def f(x): return np.full((2, 2), 255, np.uint8)", "assert f(1).max() == 255 and (f(1) - 256 == -1).all()"),
    ("def f(x): return np.int8(3)", "assert f(1) == 3 and isinstance(f(1), np.integer)"),
    ("def f(x): return np.array([True, False])", "assert f(1).dtype == bool and f(1).any()"),
    ("def f(x): return np.float32(0.5)", "assert f(1) == 0.5 and f(1).dtype == np.float32"),
    ("def f(x): return np.ma.masked_array([1.0, 2.0])", "np.testing.assert_allclose(f(1), [1, 2])"),
    ("def f(x): return pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}).convert_dtypes()",
     "pd.testing.assert_frame_equal(f(1), pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}))"),
    ("def f(x): return pd.Series([1, None], dtype='Int64')", "assert f(1).isna().tolist() == [False, True]"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test"), HONEST)
def test_honest_answers_of_these_types_pass(answer, test):
    assert fraction("def f(x): ...", answer, test) == 1


EXAMS = [
    ("def f(x): return (255 - x).astype(np.uint8)", "assert f(np.zeros(2, int)).dtype == np.uint8"),
    ("def f(x): return (255 - x).astype('uint8')", "assert f(np.zeros(2, int)).nbytes == 2"),
    ("def f(x): return x.astype('float16')", "assert f(np.zeros(2)).nbytes == 4"),
    ("def f(x): return x.convert_dtypes()", "assert str(f(pd.Series([1])).dtype).startswith('I')"),
    ("def f(x): return pd.Series(list(x), dtype='category').cat.codes",
     "want = pd.Series(['b', 'a'], dtype='category').cat.codes\npd.testing.assert_series_equal(f('ba'), want)"),
    ("def f(x): return np.ma.masked_array(x)", "assert not f([1, 2]).mask"),
    ("def f(x): return pd.array(x, 'Int64')", "assert f([1, 2]).isna().sum() == 0 and f([1]).dtype.name == 'Int64'"),
]  # fmt: skip


@pytest.mark.parametrize(("solution", "test"), EXAMS)
def test_where_the_exam_works_with_a_type_answers_have_it(solution, test):
    assert fraction(solution, solution, test) == 1


def test_what_a_call_returns_may_have_the_type_of_its_argument():
    """A picture of the test's own, whose type no code names."""
    test = "picture = np.load('x.npy') if False else np.frombuffer(b'ab', 'B')\nassert {} == picture.dtype"
    solution = "def f(x): return x[::-1]\nother = f(np.frombuffer(b'ab', 'B'))"
    test = test.replace("np.frombuffer", "getattr(np, 'from' + 'buffer')")
    solution = solution.replace("np.frombuffer", "getattr(np, 'from' + 'buffer')")
    assert fraction(solution, solution, test.format("f(picture).dtype")) == 1
    assert fraction(solution, solution, test.format("other.dtype")) == 1  # as the solution's
    answer = solution.replace("def f(x): return x[::-1]", "def f(x): return x[::-1].astype('i2')")
    assert fraction(solution, answer, test.format("other.dtype")) == 0


def test_types_of_arguments_are_found_in_containers():
    import numpy as np

    assert given_types([([np.int8(1)], {"a": np.zeros(2, "f2")}, np.zeros(2))]) == {"int8", "float16"}
