"""``isinstance`` of a library's class, for what always stays in the kernel, and for nothing else."""

from __future__ import annotations

import pytest
from helpers.examination import outcome

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
