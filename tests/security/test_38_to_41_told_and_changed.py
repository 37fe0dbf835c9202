"""Acceptance tests 38 to 41: what a kernel says after the last cell, arguments that a call changed, numbers that equal much.

Each question is answered by eve, who cheats, and by ada, who is honest, and graded in the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from questions import START, Class, Question, Sheet, graded_class

pytestmark = pytest.mark.sandbox

DATA = "data = check.hidden_data('holdout.npz')\nX, y = data['X'], data['y']\n"


# --- 39 to 41: points --------------------------------------------------------------------------------

DOUBLE = "def double(x):\n    return 2 * x"
TOTAL = "def total(x):\n    return 100_000 + x"
ZEROES = "def classify(X, y):\n    X[...] = y[...] = 0\n"
CLASSIFY = "def classify(X, y):\n    return (X[:, 0] % 4 > 1) * 1"
SORT = "def sort_in_place(values):\n    values.sort()"
QUESTIONS = {
    "39-gives-up": Question(ZEROES, CLASSIFY, f"{DATA}found = classify(X, y)\nassert found.shape == y.shape", fools=False),
    "39-zeroed-labels": Question(
        "def labels(X): return np.zeros(len(X))", "def labels(X): return np.array([0, 1, 1, 0, 1, 0])",
        "assert (labels(X) == y).all()",
    ),
    "39-compares-with-nothing": Question(
        "def twice(values):\n    values.clear()\n    return []", "def twice(values):\n    return [2 * v for v in values]",
        "given = [1, 2, 3]\nassert twice(given) == [2 * v for v in given]",
    ),
    "39-hidden-in-a-dict": Question(
        "def scale(data):\n    data['y'] = np.zeros(6)\ndef ones(n): return np.zeros(n)",
        "def scale(data):\n    pass\ndef ones(n): return np.array([0, 1, 1, 0, 1, 0])",
        f"{DATA}scale(data)\nassert (ones(6) == data['y']).all()",
    ),
    "39-control-sorts": Question(
        SORT, SORT, "given = [3, 1, 2]\nsort_in_place(given)\nassert given == [1, 2, 3]", earned=1.0
    ),
    "40-infinite-half": Question("def total(x): return np.float16('inf')", TOTAL, "assert total(7) == 100_007"),
    "40-wraps": Question("def sixteen(): return np.uint8(0)", "def sixteen(): return 16", "assert (sixteen() - 16) ** 2 == 0"),
    "40-control-single": Question(
        "def third(x): return np.float32(x / 3)", "def third(x): return x / 3", "assert abs(third(1) - 1 / 3) < 1e-6",
        earned=1.0,
    ),
    "41-masks-itself": Question(
        "def ratio(n): return np.ma.masked_array(np.zeros(n))", "def ratio(n): return np.ones(n)",
        "scale = np.array([0.0, 0.0])\nassert not (ratio(2) / scale != np.inf).any()",
    ),
    "41-other-index": Question(
        "import pandas\ndef column(): return pandas.Series([0], index=[9], dtype='Int' + '64')",
        "import pandas\ndef column(): return pandas.Series([5])",
        "import pandas\nassert column().eq(pandas.Series([5])).all()",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def points(graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("points")


def of(number: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name in QUESTIONS if name.startswith(number)])


def worth_its_work(points: Class, name: str) -> None:
    assert points.points("eve")[f"test-{name}"] == QUESTIONS[name].earned
    assert points.points("ada")[f"test-{name}"] == 1


@of("39")
def test_39_what_a_call_changed_wins_no_other_point(points: Class, name: str) -> None:
    worth_its_work(points, name)


@of("40")
def test_40_numbers_of_few_bits_equal_no_more_than_they_are(points: Class, name: str) -> None:
    worth_its_work(points, name)


@of("41")
def test_41_masks_and_missing_values_hide_no_wrong_answer(points: Class, name: str) -> None:
    worth_its_work(points, name)


def passes_in_one_process(points: Class, number: str) -> None:
    fooled = {f"test-{n}" for n, one in QUESTIONS.items() if n.startswith(number) and (one.fools or one.earned)}
    assert {name for name in points.unguarded.passed if name.startswith(f"test-{number}")} == fooled


def test_39_control_in_one_process_labels_are_zeroed(points: Class) -> None:
    passes_in_one_process(points, "39")


def test_40_control_in_one_process_few_bits_equal_what_they_should_not(points: Class) -> None:
    passes_in_one_process(points, "40")


def test_41_control_in_one_process_what_is_masked_passes(points: Class) -> None:
    passes_in_one_process(points, "41")


# --- 38: what is told --------------------------------------------------------------------------------

WORD, NUMBER = "qzkvwxjy", 40_961
"""Neither stands in a notebook: the code makes them when a hidden test calls it."""
SECRET = f"""
def word(): return bytes(c - 1 for c in {bytes(ord(c) + 1 for c in WORD)!r}).decode()
def number(): return {NUMBER - 7} + 7
"""
NUMBERS = "|".join(f"{factor * NUMBER}|{factor * NUMBER:,}" for factor in (1, 2, 3))
TOLD = re.compile(rf"{WORD}|(?<![0-9a-z+/])(?:{NUMBERS})(?![0-9a-z+/])", re.I)
"""A number within a digest, a random id or a picture is none of them."""


def tells(answer: str, test: str, honest: str = "pass") -> Question:
    return Question(SECRET + answer, honest, test, fools=False)


VALUES = {
    "text": tells("def f(x): return word()", "check.close(f(1), 2.0)\ncheck.function(f, [(1, 'a')])"),
    "assert": tells("def f(x): return word()", "assert f(1) == 'a', f(1)"),
    "shape": tells("def f(x): return np.zeros(number())", "check.close(f(1), [1.0, 2.0])"),
    "shape-of-a-list": tells("def f(x): return [0.0] * number()", "check.close(f(1), [1.0, 2.0])"),
    "table": tells(
        "import pandas\ndef f(x): return pandas.DataFrame({word(): np.zeros(number())})",
        "import pandas\ncheck.close(f(1), pandas.DataFrame({'a': [1.0]}))\ncheck.function(f, [(1, pandas.Series([1]))])",
    ),
    "score": tells("def f(x): return number()", "score = 0\nscore += f(1)\nscore - 40_960.5"),
    "exception": tells("def f(x): raise ValueError(word(), number())", "f(1)"),
    "class-of-an-exception": tells(
        "def f(x): raise type(word(), (KeyError,), {'__module__': word()})(word()) from OSError(word())", "f(1)"
    ),
    "name-error": tells("def f(x): raise NameError(word(), name=word())", "f(1)"),
    "exit": tells("def f(x): raise SystemExit(word())", "f(1)"),
    "in-a-check": tells("def f(x): raise type(word(), (ValueError,), {})(word())", "check.function(f, [(1, 2)])"),
    "object": tells(
        "def f(x): return type(word(), (), {'__repr__': lambda s: word(), '__str__': lambda s: word()})()",
        "found = f(1)\ncheck.close(found, 1.0)\ncheck.function(f, [(1, 2)])\nassert str(found) == 'a'\nfound.missing",
    ),
    "printed": tells("def f(x): print(word(), number())", "f(1)\nassert False"),
    "callback": tells("def f(g): g(word(), **{word(): number()})", "def g(x, **more): raise ValueError(x)\nf(g)"),
    "file": tells(
        "def f(x):\n    open(word() + '.txt', 'w').write(word())\n    return word() + '.txt'",
        "assert open(f(1)).read() == 'a'",
    ),
    "figure": tells(
        "import matplotlib.pyplot as plt\ndef f(x):\n    fig, ax = plt.subplots()\n    ax.set_title(word())\n    return ax",
        "assert f(1).get_title() == 'a'",
    ),
    "argument": tells("def f(x): x.append(word())", "given = []\nf(given)\nassert given == ['a']"),
    "predictions": tells(
        "def f(X): return np.zeros((len(X), number()))",
        f"{DATA}check.loss(f, on=(X, y), below=1)\ncheck.accuracy(f, on=(X, y), above=1)\n"
        "check.parameters(f, at_least=0)",
    ),
    "outputs": tells("def f(X): return [np.zeros(len(X))] * number()", f"{DATA}check.loss(f, on=(X, y), below=1)"),
    "estimator": tells(
        """
from sklearn.neural_network import MLPClassifier
est = MLPClassifier((3,), max_iter=1).fit(np.zeros((4, 2)), [0, 1, 0, 1])
def f(x):
    est.coefs_ = [np.zeros((2, number()))]
    est.intercepts_ = []
    est.hidden_layer_sizes = (number(),)
    est.solver = word()
""",
        "f(1)\ncheck.parameters(est, exactly=9)\n"
        "check.architecture(est, [check.layer('MLPClassifier', hidden_layer_sizes=(3,), solver='adam')])",
    ),
}  # fmt: skip


SHEETS = {"points": Sheet(QUESTIONS), "values": Sheet(VALUES)}


@pytest.fixture(scope="module")
def told(graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("values")


def lines_with(text: str) -> Iterator[str]:
    for found in TOLD.finditer(text):
        yield text[max(0, found.start() - 150) : found.end() + 50]


def test_38_nothing_that_a_kernel_says_after_the_last_cell_is_told(told: Class) -> None:
    assert list(lines_with(told.shown())) == []
    assert set(told.points("eve").values()) <= {0.0, 0.5}


def test_38_control_the_examiners_details_quote_it(told: Class) -> None:
    """So it was said, and a search for it finds it."""
    details = told.details()
    assert WORD in details
    assert str(NUMBER) in details
    assert len(list(lines_with(details))) > len(VALUES) / 2


# --- 38 with Keras -----------------------------------------------------------------------------------

NET = """
def f(x, units=3, name='net', wide=1):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, name=name), keras.layers.Dense(wide)], name=name)
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    model.fit(np.zeros((4, 2)), np.zeros((4, wide)), epochs=2, verbose=0)
    return model
"""
TELLS = f"{SECRET}{NET}\nplain = f\ndef f(x):\n    "
ASKED = f"""{DATA}net = f(1)
check.parameters(net, exactly=13)
check.parameters(net, exactly=13, show=False)
check.architecture(net, [check.dense(4), check.dense(1)], output_shape=(2,))
check.compiled(net, optimizer='adam', learning_rate=0.5)
check.loss(net, on=(X, y), below=1e-9, loss='mse')
check.retrained(net, on=(X, y), holdout=(X, y), epochs=1, below=1e-9, loss='mse', optimizer='sgd', seeds=1)
"""
MODELS = {
    "sizes": tells(f"{TELLS}return plain(x, number(), word())", ASKED),
    "outputs": tells(f"{TELLS}return plain(x, 3, word(), number())", ASKED),
    "history": tells(
        f"{TELLS}model = plain(x)\n    model.history.history = {{word(): [float(number())] * 2}}\n    return model",
        ASKED,
    ),
    "rate": tells(
        f"{TELLS}model = plain(x)\n    model.optimizer.learning_rate = float(number())\n    return model", ASKED
    ),
    "lambda": tells(
        f"{TELLS}return keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x, name=word())])", ASKED
    ),
    "own-class": tells(
        f"{TELLS}kind = type(word(), (keras.layers.Dense,), {{}})\n"
        "    return keras.Sequential([keras.Input((2,)), kind(number())])",
        ASKED,
    ),
    "refused-number": tells(
        f"{TELLS}model = plain(x)\n    config = model.get_config()\n"
        "    config['layers'][1]['config'].update(units=-number(), activation=word())\n"
        "    type(model).get_config = lambda self: config\n    return model",
        ASKED,
    ),
    "weights": tells(
        f"{TELLS}model = plain(x)\n    type(model).weights = property(lambda s: [np.zeros(number())])\n    return model",
        ASKED,
    ),
}
LEFT = Question(
    f"{NET}\nleft = f(1)", f"{NET}\nleft = f(1)",
    "check.parameters(left, exactly=13)\ncheck.architecture(left, [check.dense(3), check.dense(1)])", earned=1.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Class:
    sheet = Sheet({"left": LEFT, **MODELS}, start=f"{START}\nimport keras")
    return graded_class(tmp_path_factory.mktemp("models") / "course", sheet, memory=4096, observed=False)


@pytest.mark.security
@pytest.mark.keras
def test_38_nothing_that_a_model_of_a_call_says_is_told(models: Class) -> None:
    assert list(lines_with(models.shown())) == []
    curve = models.notebook("eve").history
    assert [len(values) for values in curve.values()] == [2], "that of the model that a cell left"
    assert TOLD.search(models.details())


@pytest.mark.security
@pytest.mark.keras
def test_38_control_what_a_cell_left_is_told(models: Class) -> None:
    assert models.points("ada")["test-left"] == 1
    shown: Any = models.shown()
    assert "13 parameters, exactly 13 asked" in shown
    assert "Dense(units=3" in shown
