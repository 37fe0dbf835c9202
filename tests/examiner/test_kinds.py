"""``isinstance`` of a library's class, for what always stays in the kernel, and for nothing else."""

from __future__ import annotations

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of

from autograder.records.exam import Role

ANSWER = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
model = LogisticRegression()
pipe = make_pipeline(model)
class Mine(LogisticRegression): pass
class Other: pass
class Fake:
    __module__ = "keras.src.models.model"
    __qualname__ = "Model"
class Data:
    __module__ = "pandas"
    __qualname__ = "DataFrame"
"""
LR = "from sklearn.linear_model import LogisticRegression\n"


@pytest.mark.parametrize(
    ("test", "right"),
    [
        (LR + "assert isinstance(model, LogisticRegression)", True),
        (LR + "assert isinstance(pipe[-1], (int, LogisticRegression))", True),
        (LR + "assert isinstance(pipe[-1], int | LogisticRegression)", True),
        (LR + "from sklearn.base import BaseEstimator\nassert isinstance(Mine(), BaseEstimator)", True),
        (LR + "assert issubclass(Mine, LogisticRegression) and not issubclass(Other, LogisticRegression)", True),
        (LR + "assert not isinstance(3, LogisticRegression) and isinstance(3, int)", True),
        (LR + "def kind(): return isinstance(model, LogisticRegression)\nassert kind()", True),
        ("from sklearn.svm import SVC\nassert isinstance(model, SVC)", False),
        pytest.param("import keras\nassert isinstance(Fake(), keras.Model)", False, marks=pytest.mark.keras),
        pytest.param("import keras\nassert issubclass(Fake, keras.Model)", False, marks=pytest.mark.keras),
        ("import pandas as pd\nassert isinstance(Data(), pd.DataFrame)", False),
        ("assert isinstance(model, 3)", False),
    ],
)
def test_an_estimator_is_what_the_notebook_says(test: str, right: bool) -> None:
    if "import keras" in test:
        pytest.importorskip("keras")  # which takes longer to import than a test cell has here
    assert outcome(ANSWER, test, released="").fraction == right


DERIVED = """
import keras
class Scale(keras.layers.Layer): pass
class Net(keras.Model): pass
stop = keras.callbacks.EarlyStopping()
net = Net()
"""


@pytest.mark.keras
def test_what_students_derive_from_base_classes_of_keras_is_derived() -> None:
    test = (
        "import keras\nassert issubclass(Scale, keras.layers.Layer)\n"
        "assert isinstance(stop, keras.callbacks.EarlyStopping)\n"
        "assert not isinstance(net, keras.Model), 'a model that is not rebuilt is the word of the notebook'"
    )
    pytest.importorskip("keras")
    assert outcome(DERIVED, test, released="").fraction == 1


# --- type(x) as courses write it ---------------------------------------------------------------------

LIBRARY = """
import re, sqlite3, io
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.feature_extraction.text import CountVectorizer
from sklearn import preprocessing
import numpy as np
model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
other = LinearRegression()
vectorizer = CountVectorizer()
scaler = preprocessing.StandardScaler()
found = re.match("a", "abc")
connection = sqlite3.connect(":memory:")
class Fake: pass
Fake.__module__, Fake.__qualname__ = "sklearn.linear_model._base", "LinearRegression"
class Number: pass
Number.__module__, Number.__qualname__ = "builtins", "int"
class Array: pass
Array.__module__, Array.__qualname__ = "numpy", "ndarray"
number, array = Number(), Array()
def f(x): return x
class Point: pass
point = Point()
items = np.array([1, f], dtype=object)
"""
LINEAR = "from sklearn.linear_model import LinearRegression, Ridge\n"


@pytest.mark.parametrize(
    ("test", "right"),
    [
        (LINEAR + "assert type(model) == type(LinearRegression())", True),
        (LINEAR + "assert type(LinearRegression()) == type(model)", True),
        (LINEAR + "assert type(model) is LinearRegression", True),
        (LINEAR + "assert type(model) in (Ridge, LinearRegression) and type(model) in {LinearRegression}", True),
        (LINEAR + "assert type(model) != Ridge and type(model) is not Ridge", True),
        (LINEAR + "kind = type(model)\nassert kind is LinearRegression", True),
        (LINEAR + "assert isinstance(model, type(LinearRegression()))", True),
        (LINEAR + "assert issubclass(type(model), LinearRegression)", True),
        (LINEAR + "assert [type(m) for m in [model, other]] == 2 * [LinearRegression]", True),
        (LINEAR + "def kind(m): return type(m)\nassert kind(model) == LinearRegression", True),
        (LINEAR + "assert type(model) == Ridge", False),
        (LINEAR + "assert type(model) is Ridge", False),
        (LINEAR + "assert type(f) == LinearRegression", False),
        ("assert type(model) == type(other)", True),
        ("assert type(model) == type(vectorizer)", False),
        ("assert type(model).__name__ == 'LinearRegression'", True),
        ("assert str(type(model)) == \"<class 'sklearn.linear_model._base.LinearRegression'>\"", True),
        ("import sklearn.linear_model\nassert type(model) is sklearn.linear_model.LinearRegression", True),
        ("from sklearn import preprocessing as pp\nassert type(scaler) is pp.StandardScaler", True),
        ("from sklearn.pipeline import make_pipeline\nassert type(model) == type(make_pipeline(None))", False),
        ("from sklearn.feature_extraction.text import CountVectorizer\nassert isinstance(vectorizer, CountVectorizer)",
         True),
        ("import re\nassert isinstance(found, re.Match) and type(found) is re.Match", True),
        ("import sqlite3\nassert type(connection) is sqlite3.Connection and isinstance(connection, sqlite3.Connection)", True),
        ("import types\nassert type(f) is types.FunctionType and type(f) == type(lambda: 1)", True),
        ("assert type(point) is Point and type(point) == Point", True),
        ("assert type(3) is int and type(None) is type(None) and isinstance(int, type)", True),
        ("class Meta(type): pass\nassert type(Meta('A', (), {})) is Meta and type('B', (), {}).__name__ == 'B'", True),
    ],
)  # fmt: skip
def test_the_type_of_a_librarys_object_is_the_librarys(test: str, right: bool) -> None:
    assert outcome(LIBRARY, test, released="").fraction == right


@pytest.mark.parametrize(
    "test",
    [
        "assert type(number) is int",
        "assert type(number) == int",
        "assert type(number) in (int, float)",
        "assert isinstance(number, type(3))",
        "import numpy as np\nassert type(array) is np.ndarray",
        "import numpy as np\nassert type(array) == type(np.ones(2))",
        "import numpy as np\nassert type(items) == np.ndarray",
        "import numbers\nassert isinstance(number, numbers.Number)",
        LINEAR + "assert type(Fake())(3) == 3",
        LINEAR + "assert Fake() == LinearRegression()",
        "assert type(model)() == 3",
        LINEAR + "assert type(Fake()).__name__ == 'LinearRegression' and Fake()",
    ],
)
def test_a_type_is_a_claim_that_decides_nothing_else(test: str) -> None:
    assert outcome(LIBRARY, test, released="").fraction == 0


def test_a_helper_of_a_locked_cell_asks_for_types_as_a_test_does() -> None:
    helper = LINEAR + "def is_linear(m): return type(m) is LinearRegression and isinstance(m, LinearRegression)"
    exam = exam_of(
        (Role.READ_ONLY, helper), (Role.ANSWER, "model = LinearRegression()"), (Role.TEST, "assert is_linear(model)")
    )
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell1="model = Ridge()")[0].fraction == 0


def test_a_type_of_the_tests_own_stays_what_it_is() -> None:
    assert outcome(LIBRARY, "def type(x): return 3\nassert type(model) == 3", released="").fraction == 1
